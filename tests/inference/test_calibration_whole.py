"""The calibration from end to end on toy trials, and what it writes down."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from toy_trials import ToyTrials, toy_prior

from rekindle.errors import InputError, SolverError
from rekindle.inference.bank import BankFile, BankSettings
from rekindle.inference.calibrate import Calibration, Settings, calibrate
from rekindle.inference.results import (
    LINKED,
    csv_text,
    ensemble_texts,
    numbers_rows,
    pair_rows,
    parameter_rows,
    predicted,
    summary,
    trial_rows,
)
from rekindle.inference.sampler import SamplerSettings
from rekindle.mechanism import ensemble as shipped
from rekindle.report.calibration_page import calibration_page
from rekindle.report.plain import render_plain

SETTINGS = Settings(
    seed=5,
    sets=48,
    refined=24,
    people=10,
    checked=0,
    draws=40,
    sampler=SamplerSettings(2, 150, 200),
)


@cache
def calibrated_toy() -> tuple[Calibration, int]:
    toy = ToyTrials(noise=4.0)
    with TemporaryDirectory() as folder:
        found = calibrate(toy, toy_prior(), Path(folder), SETTINGS, groups={"t0": ("t0",), "pool": ("t1", "t2")})
        simulated = len(toy.calls)
        kept = BankFile(Path(folder) / "bank.jsonl", toy, toy_prior(), BankSettings(5, 10, {}))
        kept.fill(found.bank.shares, found.bank.numbers.tolist())
        assert len(toy.calls) == simulated
    return found, simulated


def test_the_truth_is_found_and_what_was_simulated_is_kept() -> None:
    found, simulated = calibrated_toy()
    assert simulated == 48 + 2 * 24 + 3 * 12
    rows = {row["parameter"]: row for row in parameter_rows(found)}
    assert rows["gain"]["posterior_05"] < 1.2 < rows["gain"]["posterior_95"]
    assert rows["gain"]["informed"] and rows["fade"]["informed"] and not rows["idle"]["informed"]
    assert rows["idle"]["sd_ratio"] == pytest.approx(1.0, abs=0.25)
    assert found.check is not None and 0.6 < found.check.z.std() < 1.5
    facts = summary(found, predicted(found, count=200))
    assert facts["largest_rhat"] < 1.1
    assert facts["coverage90"] > 0.8
    assert all(abs(row["correlation"]) > LINKED for row in pair_rows(found))
    assert len(numbers_rows(found, predicted(found, count=50))) == 18


class OneUnknown(ToyTrials):
    """Trials of which one number does not exist under any set."""

    def expected(self, values: Mapping[str, np.ndarray], *, people: int, seed: int) -> np.ndarray:
        numbers = super().expected(values, people=people, seed=seed)
        numbers[:, 4] = np.nan
        return numbers


def test_a_number_that_no_set_gives_is_named_and_not_made_up(tmp_path: Path) -> None:
    with pytest.raises(SolverError, match="No parameter set gives a number for t1/1"):
        calibrate(OneUnknown(), toy_prior(), tmp_path, SETTINGS)


def test_the_page_says_how_often_it_is_right_and_draws_every_table() -> None:
    found, _ = calibrated_toy()
    seen = predicted(found, count=200)
    facts = summary(found, seen) | {"seconds": 1.0}
    tables = [
        list(csv.DictReader(io.StringIO(csv_text(rows, names=names))))
        for rows, names in (
            (numbers_rows(found, seen), None),
            (parameter_rows(found), None),
            (trial_rows(found), ("trial", "pareto_k", "fitted_again", "log_density")),
            (pair_rows(found), ("first", "second", "correlation")),
        )
    ]
    page = calibration_page(facts, *tables, [{"parameter": "gain", "importance": "2"}], seed=5)
    assert f"{round(100 * facts['coverage90'])} % of 18 published numbers" in page.answer
    text = render_plain(page)
    assert "gain" in text and "t0" in text and text.count("<figure") >= 4


def test_the_written_ensemble_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = calibrated_toy()
    draws, without = ensemble_texts(found)
    (tmp_path / "ensemble.csv").write_text(draws)
    (tmp_path / "ensemble_without.csv").write_text(without)
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    shipped.draws.cache_clear()
    shipped._without.cache_clear()
    try:
        assert shipped.calibrated()
        sets = shipped.ensemble(40, 3)
        table = list(csv.DictReader(io.StringIO(draws)))
        whole = [float(row["gain"]) for row in table if row["pool"] == "0"]
        assert sorted(sets["gain"].tolist()) == sorted(whole)
        assert np.array_equal(sets["gain"], shipped.ensemble(40, 3)["gain"])
        assert not np.array_equal(sets["gain"], shipped.ensemble(40, 4)["gain"])
        assert set(shipped.left_out_trials()) == {"t0", "pool"}
        apart = shipped.ensemble(30, 3, without="pool")["gain"]
        rows = without.splitlines()[2].split(",")[1].split()
        assert set(apart.tolist()) <= {float(table[int(row)]["gain"]) for row in rows}
        assert (
            np.array_equal(shipped.ensemble(9, 3, without="elsewhere")["gain"], shipped.ensemble(9, 3)["gain"]) is False
        )
        assert set(shipped.misfit(9, 3)) == {"points"}
        assert "setting.trial_gain" in shipped.ensemble(9, 3)
        assert "setting.trial_gain" not in shipped.people_values(9, 3)
        assert len(shipped.ensemble(100, 3)["gain"]) == 100
    finally:
        shipped.draws.cache_clear()
        shipped._without.cache_clear()


def test_too_few_sets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too few"):
        calibrate(ToyTrials(), toy_prior(), tmp_path, Settings(sets=10))
    with pytest.raises(InputError, match="0 sets"):
        shipped.ensemble(0, 1)

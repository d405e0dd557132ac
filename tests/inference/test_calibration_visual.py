"""The visual predictive check: what is simulated covers what the model itself made, and not what it never would."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rekindle.errors import InputError
from rekindle.inference.visual_check import PERCENTILES, VISITS, visual_check
from rekindle.report.calibration_figures import visual_check_figure

HEADER = "participant_id\tsession_id\tMADRS_Total\tHAM17_Total\tHAMD_Bech\n"


def written(folder: Path, ratings: dict[str, list[float]]) -> Path:
    people = len(ratings["d2"])
    names = [f"sub-{number}" for number in range(people)]
    (folder / "participants.tsv").write_text("participant_id\tgroup\n" + "".join(f"{name}\tMDD\n" for name in names))
    lines = [f"{name}\tses-b0\t32\tn/a\tn/a\n" for name in names]
    for session, values in ratings.items():
        lines += [f"{name}\tses-{session}\t{value:g}\tn/a\tn/a\n" for name, value in zip(names, values, strict=True)]
    (folder / "phenotype.tsv").write_text(HEADER + "".join(lines))
    return folder


def test_percentiles_of_what_was_rated_stand_beside_those_of_simulated_trials(tmp_path: Path) -> None:
    ratings = {session: [10.0 + 2.0 * place for place in range(11)] for _, session, _ in VISITS}
    rows = visual_check(written(tmp_path, ratings), sets=8, people=16)
    assert len(rows) == len(VISITS) * len(PERCENTILES)
    for row in rows:
        assert row["observed"] == pytest.approx(10.0 + 20.0 * row["percentile"] / 100.0)
        assert 0.0 <= row["low"] <= row["middle"] <= row["high"] <= 60.0
    by = {(row["arm"], row["day"], row["percentile"]): row["middle"] for row in rows}
    assert by["Ketamine", 2.0, 50] < by["Saline", 2.0, 50]
    figure = visual_check_figure([{name: str(value) for name, value in row.items()} for row in rows])
    inside = sum(row["low"] <= row["observed"] <= row["high"] for row in rows)
    assert figure.heading.startswith(f"{inside} of 12")


def test_fewer_than_three_ratings_show_nothing(tmp_path: Path) -> None:
    ratings = {session: [20.0, 24.0] for _, session, _ in VISITS}
    with pytest.raises(InputError, match="Fewer than three"):
        visual_check(written(tmp_path, ratings), sets=2, people=4)


def test_more_patients_make_narrower_bands(tmp_path: Path) -> None:
    widths = []
    for people in (6, 60):
        folder = tmp_path / str(people)
        folder.mkdir()
        ratings = {session: np.linspace(10.0, 40.0, people).tolist() for _, session, _ in VISITS}
        rows = visual_check(written(folder, ratings), sets=8, people=16)
        widths.append(np.mean([row["high"] - row["low"] for row in rows if row["percentile"] == 50]))
    assert widths[1] < widths[0]

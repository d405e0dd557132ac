"""A study solved block by block: the same as one held whole, whoever solves it, and however often it is stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_study import STUDY, bits, sketches, small, solved_large

from rekindle.engine import ensemble
from rekindle.engine.sketch import RELATIVE_ERROR, SMALLEST
from rekindle.errors import InputError, OutsideDomainError, UnsupportedError
from rekindle.large import running
from rekindle.large.plan import Plan
from rekindle.models import open_model
from rekindle.report.from_trajectories import material
from rekindle.report.material import ReportInput
from rekindle.simulate import Settings, simulate
from rekindle.study import parse_study
from rekindle.trajectories import Trajectories

ROOT = Path(__file__).parents[2]
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


@pytest.fixture(scope="module")
def whole() -> Trajectories:
    return simulate(small())


@pytest.fixture(scope="module")
def streamed() -> Trajectories:
    return solved_large()


def test_means_and_quantiles_are_those_of_the_study_held_whole(whole: Trajectories, streamed: Trajectories) -> None:
    summary = streamed.summary
    assert summary is not None
    assert (summary.people, summary.solved) == (100, 100)
    for name in ("MADRS", "CADSS", "severity", "plasma_ketamine", "systolic_rise"):
        for arm in whole.arms:
            values = whole.people[name].sel(arm=arm).values
            size = np.abs(values).max()
            np.testing.assert_allclose(summary.mean(name, arm), values.mean(axis=0), rtol=1e-12, atol=1e-14 * size)
            np.testing.assert_allclose(summary.sd(name, arm), values.std(axis=0, ddof=1), rtol=1e-9, atol=1e-12 * size)
            exact = np.quantile(values, SHARES, axis=0)
            off = np.abs(summary.quantiles(name, arm, SHARES) - exact)
            assert np.all(off <= np.maximum(1.01 * RELATIVE_ERROR * np.abs(exact), SMALLEST))


def test_counts_at_visits_are_exact(whole: Trajectories, streamed: Trajectories) -> None:
    summary = streamed.summary
    assert summary is not None
    rated = whole.people["MADRS rated"].sel(arm="Ketamine").values
    np.testing.assert_array_equal(summary.of("MADRS rated", "Ketamine").total, rated.sum(axis=0))
    responders = (rated <= 0.5 * rated[:, :1]).sum(axis=0)
    remitters = (rated <= 10).sum(axis=0)
    np.testing.assert_array_equal(summary.of("MADRS response", "Ketamine").total, responders)
    np.testing.assert_array_equal(summary.of("MADRS remission", "Ketamine").total, remitters)
    assert 0 < responders[-1] < 100


def test_the_first_people_and_the_repeats_are_the_same(whole: Trajectories, streamed: Trajectories) -> None:
    first = streamed.people.sizes["person"]
    assert first == 16  # a block
    np.testing.assert_array_equal(streamed.people["severity"], whole.people["severity"][:, :first])
    np.testing.assert_array_equal(streamed.people["MADRS rated"], whole.people["MADRS rated"][:, :first])
    assert streamed.repeats is not None and whole.repeats is not None
    assert streamed.repeats.identical(whole.repeats)


def test_the_report_of_a_large_study_says_the_same(whole: Trajectories, streamed: Trajectories) -> None:
    plain, large = material(whole), material(streamed)
    assert [endpoint.key for endpoint in plain.endpoints] == [endpoint.key for endpoint in large.endpoints]
    for one, other in zip(plain.endpoints, large.endpoints, strict=True):
        for arm in whole.arms:
            ours, theirs = one.arms[arm], other.arms[arm]
            assert (ours is None) == (theirs is None)
            if ours is not None and theirs is not None:
                assert theirs.middle == pytest.approx(ours.middle, rel=RELATIVE_ERROR, abs=1e-9), one.key
    _same_lines(plain, large)
    assert any("All 100 people of an arm were counted" in warning for warning in large.warnings)


def _same_lines(plain: ReportInput, large: ReportInput) -> None:
    """Lines, classes and harms by everybody's average."""
    assert plain.main is not None and large.main is not None
    for one, other in zip(plain.main.arms, large.main.arms, strict=True):
        np.testing.assert_allclose(other.average.middle, one.average.middle, rtol=1e-12)
        assert one.people is not None and other.people is not None
        np.testing.assert_allclose(other.people.low90, one.people.low90, rtol=RELATIVE_ERROR)
    for here, there in zip(plain.whereabouts, large.whereabouts, strict=True):
        for name, band in here.classes.items():
            np.testing.assert_allclose(there.classes[name].middle, band.middle, atol=1e-12)
    for harm, again in zip(plain.harms, large.harms, strict=True):
        for period, same in zip(harm.periods, again.periods, strict=True):
            for arm, share in period.arms.items():
                found = same.arms[arm]
                assert (share is None) == (found is None)
                assert share is None or found is None or found.middle == pytest.approx(share.middle, abs=1e-12)


def test_four_threads_give_the_bits_of_one(streamed: Trajectories) -> None:
    assert bits(solved_large(threads=4)) == bits(streamed)


def test_another_block_length_moves_sums_by_rounding_only(streamed: Trajectories) -> None:
    other = running.simulate_large(small(), streaming=running.Streaming(block=37), measure=None)
    assert other.summary is not None and streamed.summary is not None
    ours, theirs = (each.summary.of("MADRS", "Saline") for each in (streamed, other) if each.summary is not None)
    np.testing.assert_array_equal(ours.keys, theirs.keys)
    np.testing.assert_allclose(ours.total, theirs.total, rtol=1e-13)


def test_people_who_must_meet_criteria_are_the_same_in_blocks() -> None:
    study = small(
        participants=replace(small().participants, people=40, criteria={"age_years": (30.0, 50.0), "sex": ("female",)}),
        studies=0,
    )
    whole = simulate(study)
    found = solved_large(study)
    assert found.summary is not None
    held = found.summary.of("person: age_years", "Ketamine")
    assert held.total[0] == pytest.approx(whole.cohort["age_years"].sum(), rel=1e-14)
    values = whole.people["severity"].sel(arm="Ketamine").values
    np.testing.assert_allclose(found.summary.mean("severity", "Ketamine"), values.mean(axis=0), rtol=1e-12)


def test_people_of_a_file_are_the_same_in_blocks(tmp_path: Path, whole: Trajectories) -> None:
    whole.cohort.to_csv(tmp_path / "people.csv")
    text = STUDY.replace("people: 100", "csv: people.csv")
    study = replace(parse_study(text, folder=tmp_path), studies=0)
    found = solved_large(study)
    assert found.summary is not None and found.summary.people == 100
    values = whole.people["severity"].sel(arm="Ketamine").values
    np.testing.assert_allclose(found.summary.mean("severity", "Ketamine"), values.mean(axis=0), rtol=1e-12)


def test_somebody_outside_is_refused_before_anything_is_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "solve_block", None)
    study = parse_study(STUDY.replace("0.5 mg/kg IV over 40 min, twice", "3 mg/kg IV over 40 min, twice"))
    with pytest.raises(OutsideDomainError, match="100 people"):
        solved_large(study)


class Stopped(Exception):
    """Somebody pulled the plug."""


def stop_after(people: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the run stop by an error once so many people are merged."""
    usual = running._add

    def add(reached: running._Reached, number: int, block: object) -> None:
        if reached.people >= people:
            raise Stopped
        usual(reached, number, block)

    monkeypatch.setattr(running, "_add", add)


def test_a_stopped_run_goes_on_to_the_same_bits(
    tmp_path: Path, streamed: Trajectories, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = tmp_path / "out.partial"
    with monkeypatch.context() as patch:
        stop_after(48, patch)
        with pytest.raises(Stopped):
            solved_large(partial=partial)
    counted: list[int] = []
    usual = running.solve_block
    monkeypatch.setattr(running, "solve_block", lambda plan, number: counted.append(number) or usual(plan, number))
    assert bits(solved_large(partial=partial, resume=True)) == bits(streamed)
    assert counted == [3, 4, 5, 6]


def test_what_another_run_left_without_its_plan_is_never_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = tmp_path / "partial"
    partial.mkdir()
    for name in ("state", "state-before"):
        (partial / name).write_bytes(b"of another study")
    monkeypatch.setattr(running, "solve_block", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        solved_large(partial=partial)
    assert [path.name for path in partial.iterdir()] == ["plan.json"]


def test_without_resume_an_unfinished_run_is_not_overwritten(tmp_path: Path) -> None:
    partial = tmp_path / "out.partial"
    solved_large(small(studies=0, horizon_h=216.0), partial=partial)
    with pytest.raises(InputError, match=r"unfinished run lies here.*--resume"):
        solved_large(small(studies=0), partial=partial)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 6}, "study, seed differ"),
        ({"hypotheses": {"opioid": 1.0}}, "study differ"),
        ({"visits_h": (24.0, 216.0)}, "study differ"),
    ],
)
def test_a_changed_study_is_not_gone_on_with(tmp_path: Path, change: dict[str, object], named: str) -> None:
    study = small(studies=0, participants=replace(small().participants, people=16))
    partial = tmp_path / "out.partial"
    solved_large(study, partial=partial)
    try:
        changed = replace(study, **change)  # type: ignore[arg-type]
        with pytest.raises(InputError, match=named):
            solved_large(changed, partial=partial, resume=True)
    finally:
        plan = json.loads((partial / "plan.json").read_text())
        assert plan["seed"] == 5


def test_models_that_differ_in_a_value_only_are_two_models(tmp_path: Path) -> None:
    plans = []
    for value in ("0.3", "0.5"):
        path = tmp_path / "model.ant"
        path.write_text(f"model m; k = {value}; level = 1; level' = -k * level; end")
        plans.append(Plan(small(), open_model(path), Settings(), (0.0,), (0.0,), 100, 16, 16, {}))
    assert [plan.equations.values["k"] for plan in plans] == [0.3, 0.5]
    first, second = (plan.facts() for plan in plans)
    assert [name for name in first if first[name] != second[name]] == ["parameters"]


def test_another_processor_or_version_is_not_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = small(studies=0, participants=replace(small().participants, people=16))
    partial = tmp_path / "out.partial"
    solved_large(study, partial=partial)
    monkeypatch.setattr(ensemble, "processor_target", lambda: "another machine, rekindle 9.9.9")
    with pytest.raises(InputError, match="processor and versions differ"):
        solved_large(study, partial=partial, resume=True)
    with pytest.raises(UnsupportedError, match="last bits"):
        ensemble.refuse_other_target("a third machine", "tcp://elsewhere")


def test_a_full_disk_keeps_what_was_done_before(
    tmp_path: Path, streamed: Trajectories, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = tmp_path / "out.partial"
    usual, saved = running.save_state, []

    def fills(folder: Path, facts: object, arrays: object) -> None:
        saved.append(folder)
        if len(saved) > 2:
            raise OSError(28, "No space left on device")
        usual(folder, facts, arrays)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(running, "save_state", fills)
        with pytest.raises(InputError, match=r"disk is full.*--resume goes on"):
            solved_large(partial=partial, every_s=0.0)
    assert bits(solved_large(partial=partial, resume=True)) == bits(streamed)


def test_everybody_goes_to_zarr_when_asked(tmp_path: Path, whole: Trajectories) -> None:
    import xarray as xr

    partial = tmp_path / "out.partial"
    solved_large(partial=partial, trajectories=True, threads=2)
    with xr.open_zarr(partial / "trajectories.zarr") as kept:
        assert kept["courses"].dims == ("arm", "person", "time", "quantity")
        for name in ("severity", "plasma_ketamine"):
            found = kept["courses"].sel(quantity=name).values
            np.testing.assert_array_equal(found, whole.people[name].values.astype(np.float32))
        np.testing.assert_array_equal(kept["time"], whole.people["time"])


def test_killed_ten_times_and_gone_on_with_it_has_the_same_bits() -> None:
    """SIGKILL at random moments, each in a process of its own; the script compares every number."""
    script = ROOT / "benchmarks" / "kill_and_resume.py"
    done = subprocess.run(
        [sys.executable, str(script), "--people", "320", "--block", "32"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the same" in done.stdout
    assert " 0 of 10 kills" not in done.stdout


def test_a_lost_bit_would_be_seen(streamed: Trajectories) -> None:
    changed = sketches(streamed).total.copy()
    changed[11] = np.nextafter(changed[11], np.inf)
    assert changed.tobytes() != bits(streamed)["total"]


def test_policies_decide_the_same_in_blocks() -> None:
    course = "0.5 mg/kg IV over 40 min, twice a week for 1 week"
    rules = '[{when: "MADRS improvement < 40 %", then: raise dose to 0.75 mg/kg}]'
    guided = f'{{name: Guided, course: "{course}", policy: {{visits: each session, rules: {rules}}}}}'
    text = STUDY.replace("arms:\n", f"arms:\n  - {guided}\n")
    study = replace(parse_study(text), studies=0)
    study = replace(study, participants=replace(study.participants, people=40))
    whole, found = simulate(study), solved_large(study)
    assert found.summary is not None
    values = whole.people["severity"].sel(arm="Guided").values
    np.testing.assert_allclose(found.summary.mean("severity", "Guided"), values.mean(axis=0), rtol=1e-12)
    ours, theirs = (each.solver["arms"]["Guided"] for each in (whole, found))
    assert theirs["rule_1_followed"] == ours["rule_1_followed"] > 0
    assert theirs["given_mg"] == pytest.approx(ours["given_mg"], rel=1e-12)

"""The scoreboard by hand: predictions that are right, too narrow, or of a trial that the baselines must not see."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rekindle.trial.baselines import Known, arm_class, known_numbers, meta_mean, nearest_earlier
from rekindle.trial.design import related
from rekindle.trial.draws import draws
from rekindle.trial.moments import ScoredNumber, scored_numbers
from rekindle.trial.prediction import Predicted, predict
from rekindle.trial.reading import parse_trial
from rekindle.trial.score import score

SPEC = importlib.util.spec_from_file_location("trial_examples", Path(__file__).with_name("trial_examples.py"))
assert SPEC is not None and SPEC.loader is not None
EXAMPLES = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(EXAMPLES)
TRIAL = parse_trial(EXAMPLES.PARALLEL)


def other(name: str, year: int, change: float) -> str:
    text = EXAMPLES.PARALLEL.replace("example2013", name).replace("year: 2013", f"year: {year}")
    return text.replace("value: -16.5", f"value: {change}")


def predicted(center: float, sd: float) -> Predicted:
    """Draws around the published values of all numbers, `center` SDs away."""
    numbers = scored_numbers([TRIAL])
    normal = np.random.default_rng(0).normal(size=(4000, len(numbers)))
    truth = np.array([number.published for number in numbers])
    drawn = truth + center * sd + sd * normal
    parts = {"parameters and trial": np.full(len(numbers), sd), "luck": np.full(len(numbers), sd)}
    return Predicted(TRIAL, numbers, drawn, parts, "by hand", True)


def test_numbers_in_the_middle_are_inside_and_far_ones_outside() -> None:
    library = [parse_trial(other("before", 2010, -10.0)), parse_trial(other("later", 2015, -12.0))]
    good = score([predicted(0.0, 0.5)], library)
    assert good.totals["coverage50"] == good.totals["coverage90"] == 1.0
    assert good.totals["mae_points"] == pytest.approx(0.0, abs=0.05)
    assert good.totals["skill_vs_mean"] > 0.5
    bad = score([predicted(4.0, 0.5)], library)
    assert bad.totals["coverage90"] == 0.0
    assert bad.numbers[0].z == pytest.approx(-4.0, abs=0.1)
    assert bad.totals["mae_points"] == pytest.approx(2.0, abs=0.05)
    assert bad.numbers[0].error == pytest.approx(2.0, abs=0.05)
    odds = next(each for each in bad.numbers if each.quantity == "odds_ratio")
    assert odds.published == pytest.approx(4.5) and odds.median == pytest.approx(4.5 * np.exp(2.0), rel=0.05)
    assert bad.worst[0][1].startswith("predicted higher than published")


def test_the_baselines_do_not_see_the_scored_trial_nor_its_people() -> None:
    overlapping = parse_trial(other("overlapping", 2010, -30.0).replace("arms:", "overlaps: [example2013]\narms:", 1))
    plain = parse_trial(other("plain", 2011, -10.0))
    assert related(TRIAL, TRIAL) and related(TRIAL, overlapping) and not related(TRIAL, plain)
    board = score([predicted(0.0, 0.5)], [TRIAL, overlapping, plain])
    assert board.numbers[0].baseline_mean == pytest.approx(-10.0)
    assert board.numbers[0].baseline_last == pytest.approx(-10.0)


def test_pools_of_the_same_trial_and_files_of_the_same_record_share_people() -> None:
    pooled = replace(TRIAL, name="pool", overlaps=(), contains=("first", "shared"))
    again = replace(TRIAL, name="another pool", overlaps=(), contains=("shared", "last"))
    assert related(pooled, again) and related(again, pooled)
    assert not related(pooled, replace(again, contains=("last",)))
    copied = replace(TRIAL, name="copy", published=(replace(TRIAL.published[0], record="eff-one"),))
    source = replace(TRIAL, name="source", published=(replace(TRIAL.published[1], record="eff-one"),))
    assert related(copied, source)
    assert not related(copied, replace(source, published=(replace(TRIAL.published[1], record="eff-two"),)))


def test_a_file_of_a_fitted_trial_under_another_name_is_predicted_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from rekindle.trial import draws as module
    from rekindle.trial.files import published_trial

    asked: list[str | None] = []

    def ensemble(count: int, seed: int, *, without: str | None = None) -> dict[str, np.ndarray]:
        asked.append(without)
        return {}

    monkeypatch.setattr(module, "calibrated", lambda: True)
    monkeypatch.setattr(module, "ensemble", ensemble)
    monkeypatch.setattr(module, "misfit", lambda count, seed, *, without=None: {})
    monkeypatch.setattr(module, "left_out_trials", lambda: ("su2017", "murrough2013a", "singh2016a", "wilkinson2018"))
    own = published_trial("singh2016a")
    copied = replace(own, name="mine", overlaps=(), use="new")
    assert draws(copied, 4, 1).left_out and asked[-1] == "singh2016a"
    pooled = replace(published_trial("murrough2013a"), name="mine", overlaps=(), use="new")
    assert draws(pooled, 4, 1).left_out and asked[-1] == "murrough2013a"  # its people stand in a pool that is fitted
    both = replace(copied, overlaps=("su2017",))
    assert not draws(both, 4, 1).left_out and asked[-1] == "mine"
    assert not draws(own, 4, 1, leave_out=False).left_out
    strange = replace(copied, published=())
    assert draws(strange, 4, 1).left_out and asked[-1] == "mine"


def test_a_time_to_relapse_is_missed_as_times_are() -> None:
    from rekindle.trial.prediction import _missed, misfit_kind

    number = replace(scored_numbers([TRIAL])[0], quantity="time_to_relapse", unit="d", logarithm=True)
    assert misfit_kind(number) == "time"
    expected, size = np.full(4000, np.log(20.0)), np.full(4000, 0.5)
    missed = _missed(number, expected, {"time": size, "ratio": np.zeros(4000)}, np.random.default_rng(1))
    assert missed.mean() == pytest.approx(np.log(20.0), abs=0.05) and missed.std() == pytest.approx(0.5, rel=0.05)


def test_the_nearest_trial_is_an_earlier_one_of_the_same_design() -> None:
    own = known_numbers([TRIAL])[0]
    published = (("old", 2005, -9.0), ("recent", 2012, -11.0), ("later", 2020, -13.0))
    others = [known_numbers([parse_trial(other(name, year, value))])[0] for name, year, value in published]
    assert nearest_earlier(own, others).mean == -11.0
    assert nearest_earlier(own, others[2:]).mean == -13.0
    mean = meta_mean(own, others)
    assert mean.mean == pytest.approx(-11.0)
    far: Known = replace(others[0], arms=("ECT",), value=-40.0)
    assert meta_mean(own, [*others, far]).mean == pytest.approx(-11.0)


def test_arms_have_a_class() -> None:
    trial = parse_trial(EXAMPLES.WITHDRAWAL)
    assert [arm_class(TRIAL, arm) for arm in TRIAL.arms] == ["ketamine, one session", "midazolam"]
    assert arm_class(trial, trial.arms[0]) == "spray, several sessions"


def test_predictions_are_the_same_for_the_same_seed_and_hold_all_three_parts() -> None:
    one, again = (predict([TRIAL], sets=4, people=16, seed=3)[0] for _ in range(2))
    np.testing.assert_array_equal(one.draws, again.draws)
    assert (one.draws[:, 1] >= 0).all() and (one.draws[:, 1] <= 100).all()
    numbers: tuple[ScoredNumber, ...] = one.numbers
    for place in range(len(numbers)):
        assert one.parts["luck"][place] > 0 and one.parts["parameters and trial"][place] > 0
    pooled = replace(TRIAL, trials=25)
    assert draws(pooled, 400, 1).deviations["belief"].std() == pytest.approx(
        draws(TRIAL, 400, 1).deviations["belief"].std() / 5.0
    )


def test_conflicts_name_numbers_that_are_scored() -> None:
    from rekindle.trial.conflicts import conflicts
    from rekindle.trial.files import published_trials

    known = {(trial.name, number.record) for trial in published_trials() for number in trial.scored}
    assert len(conflicts()) >= 8
    for conflict in conflicts():
        assert set(conflict.numbers) <= known, conflict.name


def test_a_conflict_is_judged_by_the_order_of_its_predictions() -> None:
    from rekindle.trial.conflicts import judge

    board = score([predicted(0.0, 0.5)], [parse_trial(other("before", 2010, -10.0))])
    saline, midazolam = "eff-cochrane2021-pbo-rate-pbo", "eff-cochrane2021-mid-rate-mid"

    def made(record: str, published: float, median: float) -> object:
        return replace(board.numbers[1], trial="cochrane2021", record=record, published=published, median=median)

    right = judge([made(saline, 8.8, 12.0), made(midazolam, 25.9, 20.0)])  # type: ignore[list-item]
    wrong = judge([made(saline, 8.8, 20.0), made(midazolam, 25.9, 12.0)])  # type: ignore[list-item]
    assert (right[0].pairs, right[0].in_order) == (1, 1) and right[0].verdict == "told apart by its causes"
    assert right[0].apart == pytest.approx(8.0 / 17.1)
    assert wrong[0].verdict.startswith("not told apart")


def test_predictions_use_the_calibrated_sets_without_the_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    from rekindle.trial import draws as module

    asked: list[str | None] = []

    def ensemble(count: int, seed: int, *, without: str | None = None) -> dict[str, np.ndarray]:
        asked.append(without)
        return {"drive_functional": np.full(count, 0.6), "setting.trial_belief": np.full(count, 0.2)}

    def misfit(count: int, seed: int, *, without: str | None = None) -> dict[str, np.ndarray]:
        return {"points": np.full(count, 20.0), "share": np.zeros(count)}

    plain = predict([TRIAL], sets=8, people=16, seed=3)[0]
    monkeypatch.setattr(module, "calibrated", lambda: True)
    monkeypatch.setattr(module, "ensemble", ensemble)
    monkeypatch.setattr(module, "misfit", misfit)
    monkeypatch.setattr(module, "left_out_trials", lambda: ("example2013",))
    found = predict([TRIAL], sets=8, people=16, seed=3)[0]
    assert asked == ["example2013"] and found.left_out and found.source == "the calibrated ensemble"
    # 20 per cent of the MADRS range is 12 points.
    assert found.draws[:, 0].std() > max(6.0, plain.draws[:, 0].std() - 6.0)
    predict([TRIAL], sets=8, people=16, seed=3, leave_out=False)
    assert asked[-1] is None

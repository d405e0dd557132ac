"""The luck of published numbers by textbook formulas, and the footing that scores of different scales share."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rekindle import life
from rekindle.trial import compare, quantify
from rekindle.trial.baselines import to_common
from rekindle.trial.moments import ScoredNumber
from rekindle.trial.prediction import _missed


def number(scale: str) -> ScoredNumber:
    return ScoredNumber("t", 0, None, "mean_change", ("a",), scale, "points", 24.0, -10.0, None, (20.0,), False, 1, "a")


def test_the_luck_of_a_share_is_that_of_a_count() -> None:
    expected, luck = quantify.share(np.array([0.4]), 50.0)
    assert expected[0] == pytest.approx(40.0)
    assert luck[0] == pytest.approx(100.0 * math.sqrt(0.4 * 0.6 / 50.0))


def test_the_luck_of_a_standard_deviation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantify, "_standard_deviation", lambda part, of: np.array([10.0]))
    part: Any = SimpleNamespace(number=SimpleNamespace(options=SimpleNamespace(of="change")), n=51.0)
    assert quantify.standard_deviation(part)[1][0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("design", "periods", "wanted"),
    [
        ("parallel", "all", math.sqrt(5.0)),
        ("crossover", "all", math.sqrt(2.5)),
        ("crossover", "first", math.sqrt(5.0)),
    ],
)
def test_the_luck_of_a_difference_is_smaller_within_people(design: str, periods: str, wanted: float) -> None:
    number = SimpleNamespace(options=SimpleNamespace(periods=periods))
    part: Any = SimpleNamespace(n=40.0, view=SimpleNamespace(trial=SimpleNamespace(design=design)), number=number)
    ten = np.array([10.0])
    assert compare._luck(part, part, ten, ten)[0] == pytest.approx(wanted)


def test_points_of_any_scale_are_brought_to_the_range_of_the_madrs() -> None:
    assert to_common(number("MADRS"), 6.0) == pytest.approx(6.0)
    assert to_common(number("HAM-D17"), 5.2) == pytest.approx(6.0)


def test_the_misfit_of_points_is_in_per_cent_of_the_range() -> None:
    drawn = _missed(number("MADRS"), np.zeros(4000), {"points": np.full(4000, 10.0)}, np.random.default_rng(1))
    assert drawn.std() == pytest.approx(6.0, rel=0.05)


def test_load_from_outside_settles_at_its_spread() -> None:
    times = life.changes_h(24.0 * 365.0)
    late = life.paths(3, 4000, times)[:, -8:]
    assert late.std() == pytest.approx(1.0, abs=0.04)
    apart = math.exp(-life.STEP_H / life.MEMORY_H)
    assert np.corrcoef(late[:, -2], late[:, -1])[0, 1] == pytest.approx(apart, abs=0.04)


def test_sets_under_which_nobody_comes_so_far_give_way_to_others() -> None:
    from types import SimpleNamespace

    from rekindle.errors import SolverError
    from rekindle.trial.prediction import _reached

    number = SimpleNamespace(record="eff-x", trial="x")
    luck = np.random.default_rng(1)
    expected, sd = _reached(number, np.array([np.nan, 20.0, 30.0, np.nan]), np.array([np.nan, 2.0, 3.0, np.nan]), luck)
    assert set(expected) == {20.0, 30.0}
    assert np.array_equal(sd, expected / 10.0)
    with pytest.raises(SolverError, match="eff-x"):
        _reached(number, np.array([np.nan] * 9 + [1.0]), np.ones(10), luck)


def test_the_luck_of_numbers_of_the_same_people_goes_the_way_their_numbers_do() -> None:
    from rekindle.inference.trials import together
    from rekindle.trial.files import published_trial
    from rekindle.trial.moments import scored_numbers

    def between(trial: str, first: str, second: str) -> float:
        numbers = scored_numbers([published_trial(trial)])
        labels = [f"{number.label} {number.quantity}" for number in numbers]
        places = [next(place for place, label in enumerate(labels) if words in label) for words in (first, second)]
        return float(together(numbers)[places[0], places[1]])

    # A larger reduction beside the control goes with more responders on the drug and fewer on the control.
    assert between("grunebaum2018", "ssi24h", "resp-ket") > 0.4
    assert between("grunebaum2018", "ssi24h", "resp-mid") < -0.4
    assert between("taylor2006", "rr1w", "share1w") > 0.5
    # Shares of 41.2 and 29.6 % exclude one another: -sqrt(odds of one times odds of the other).
    expected = -math.sqrt(0.412 / 0.588 * 0.296 / 0.704)
    assert between("obrien2019", "robust-share", "poor-share") == pytest.approx(expected, rel=0.02)
    assert between("obrien2019", "robust-3", "poor-3") == 0.0
    # The arms of a crossover are the same people.
    assert between("nimh-ds005917-odd", "madrs-chg-d2 mean_change", "madrs-chg-p2 mean_change") == pytest.approx(0.5)


def test_a_plain_mean_of_other_trials_turns_signs_and_keeps_pressure_apart() -> None:
    from rekindle.trial.baselines import Known, known_numbers, meta_mean, nearest_earlier
    from rekindle.trial.files import published_trial, published_trials

    def of(trial: str, quantity: str) -> tuple[Known, list[Known]]:
        own = next(each for each in known_numbers([published_trial(trial)]) if each.number.quantity == quantity)
        return own, [each for each in known_numbers(published_trials()) if each.number.trial != trial]

    own, others = of("grunebaum2018", "difference")
    assert meta_mean(own, others).mean > 0.0 and nearest_earlier(own, others).mean > 0.0
    own, others = of("transform1", "difference")
    assert meta_mean(own, others).mean < 0.0
    own, others = of("murrough2013b", "mean_change")
    assert meta_mean(own, others).mean < -10.0
    assert "bp" not in meta_mean(own, others).because
    own, others = of("zheng2019bp", "mean_change")
    assert meta_mean(own, others).mean > 0.0

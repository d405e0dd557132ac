"""Kaplan-Meier and intervals of shares, beside worked examples and another program."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from rekindle.errors import InputError
from rekindle.outcomes.proportions import jeffreys, wilson
from rekindle.outcomes.survival import kaplan_meier

TIMES = np.array([6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35], dtype=float)
"""Remission of leukaemia on 6-mercaptopurine, weeks (Freireich 1963), the textbook example."""
EVENTS = np.array([1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0], dtype=bool)


def test_the_textbook_example_comes_out_to_four_places() -> None:
    curve = kaplan_meier(TIMES, EVENTS)
    assert curve.time_h.tolist() == [0, 6, 7, 10, 13, 16, 22, 23]
    assert np.round(curve.kept, 4).tolist() == [1, 0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    assert curve.at_risk.tolist() == [21, 21, 17, 15, 12, 11, 7, 6]
    assert curve.median_h == 23


def test_it_agrees_with_scipy_on_estimate_and_interval() -> None:
    curve = kaplan_meier(TIMES, EVENTS)
    other = stats.ecdf(stats.CensoredData.right_censored(TIMES, ~EVENTS)).sf
    interval = other.confidence_interval(method="log-log")
    for place, time in enumerate(curve.time_h[1:], start=1):
        assert curve.kept[place] == pytest.approx(float(other.evaluate(time)), abs=1e-12)
        assert curve.low[place] == pytest.approx(float(interval.low.evaluate(time)), abs=1e-9)
        assert curve.high[place] == pytest.approx(float(interval.high.evaluate(time)), abs=1e-9)


def test_without_censoring_it_is_the_share_still_there() -> None:
    times = np.array([3.0, 1.0, 4.0, 1.0, 5.0])
    curve = kaplan_meier(times, np.ones(5, dtype=bool))
    for moment in (0.5, 1.0, 2.0, 3.0, 4.9, 5.0, 9.0):
        assert curve.at(moment) == pytest.approx((times > moment).mean())


def test_nobody_with_the_event_stays_at_one_and_has_no_median() -> None:
    curve = kaplan_meier(np.array([3.0, 4.0, np.nan]), np.zeros(3, dtype=bool))
    assert curve.at(10.0) == 1.0
    assert curve.median_h == np.inf
    assert curve.at_risk[0] == 2


@pytest.mark.parametrize("times", [[], [np.nan], [-1.0]])
def test_impossible_times_are_refused(times: list[float]) -> None:
    with pytest.raises(InputError):
        kaplan_meier(np.array(times), np.ones(len(times), dtype=bool))


@pytest.mark.parametrize(("successes", "total"), [(0, 5), (1, 10), (17, 24), (50, 100), (20, 20)])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_wilsons_interval_is_that_of_scipy(successes: int, total: int, level: float) -> None:
    share = wilson(successes, total, level=level)
    other = stats.binomtest(successes, total).proportion_ci(confidence_level=level, method="wilson")
    assert (share.low, share.high) == pytest.approx((other.low, other.high), abs=1e-12)


def test_wilsons_interval_solves_the_score_equation() -> None:
    share, z = wilson(17, 24), stats.norm.ppf(0.975)
    for end in (share.low, share.high):
        assert abs(share.value - end) == pytest.approx(z * np.sqrt(end * (1 - end) / 24))


@pytest.mark.parametrize(("successes", "total"), [(0, 5), (3, 10), (17, 24), (20, 20)])
def test_jeffreys_interval_is_the_quantiles_of_its_beta(successes: int, total: int) -> None:
    share = jeffreys(successes, total)
    beta = stats.beta(successes + 0.5, total - successes + 0.5)
    assert share.low == (0.0 if successes == 0 else pytest.approx(beta.ppf(0.025)))
    assert share.high == (1.0 if successes == total else pytest.approx(beta.ppf(0.975)))


@pytest.mark.parametrize(("successes", "total", "level"), [(-1, 5, 0.9), (6, 5, 0.9), (0, 0, 0.9), (1, 5, 1.0)])
def test_counts_that_are_no_share_are_refused(successes: int, total: int, level: float) -> None:
    for interval in (wilson, jeffreys):
        with pytest.raises(InputError):
            interval(successes, total, level=level)

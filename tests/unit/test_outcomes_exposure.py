"""Exposure of courses whose integral, half-life and peak are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from rekindle.errors import InputError
from rekindle.outcomes.exposure import auc, half_life, summarise, trough

TIMES = np.array([0.0, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24])


def test_the_area_under_an_exponential_is_exact_however_coarse_the_times() -> None:
    k = 0.23
    for times in (TIMES, TIMES[::4], np.array([0.0, 24.0])):
        values = 180.0 * np.exp(-k * times)
        exact = 180.0 / k * (1 - np.exp(-k * times[-1]))
        assert auc(times, values) == pytest.approx(exact, rel=1e-12)


def test_the_area_of_a_straight_rise_is_exact_and_a_steady_level_is_its_width() -> None:
    assert auc(TIMES, 3.0 * TIMES) == pytest.approx(1.5 * 24**2, rel=1e-12)
    assert auc(TIMES, np.full(13, 7.0)) == pytest.approx(168.0, rel=1e-12)


def test_a_fall_to_zero_is_taken_as_straight() -> None:
    assert auc(np.array([0.0, 2.0]), np.array([10.0, 0.0])) == pytest.approx(10.0)


def test_a_linear_rule_everywhere_would_be_seen() -> None:
    values = 180.0 * np.exp(-0.5 * TIMES)
    assert abs(np.trapezoid(values, TIMES) / auc(TIMES, values) - 1) > 0.02


def test_the_half_life_of_an_exponential_and_of_the_last_phase_of_two() -> None:
    assert half_life(TIMES, np.exp(-0.3 * TIMES)).half_life_h == pytest.approx(np.log(2) / 0.3, rel=1e-9)
    two = 100 * np.exp(-3.0 * TIMES) + 10 * np.exp(-0.1 * TIMES)
    found = half_life(TIMES, two)
    assert found.half_life_h == pytest.approx(np.log(2) / 0.1, rel=0.02)
    assert found.from_h >= 2.0 and found.to_h == 24.0 and found.points >= 3


def test_the_window_asked_for_is_used_and_reported() -> None:
    two = 100 * np.exp(-3.0 * TIMES) + 10 * np.exp(-0.1 * TIMES)
    found = half_life(TIMES, two, window_h=(0.0, 1.0))
    assert (found.from_h, found.to_h, found.points) == (0.0, 1.0, 4)
    assert found.half_life_h < 1.0
    with pytest.raises(InputError, match="Fewer than two positive values"):
        half_life(TIMES, two, window_h=(30.0, 40.0))


def test_a_rising_course_has_no_half_life() -> None:
    assert np.isnan(half_life(TIMES, TIMES + 1.0).half_life_h)
    assert np.isnan(half_life(TIMES, np.zeros(13)).half_life_h)


def test_a_one_compartment_absorption_course_gives_its_textbook_summaries() -> None:
    times = np.linspace(0, 40, 8001)
    ka, k = 1.4, 0.25
    values = 50 * ka / (ka - k) * (np.exp(-k * times) - np.exp(-ka * times))
    found = summarise(times, values)
    assert found.tmax_h == pytest.approx(np.log(ka / k) / (ka - k), abs=0.006)
    assert found.cmax == pytest.approx(50 * (k / ka) ** (k / (ka - k)), rel=1e-4)
    assert found.auc_to_infinity == pytest.approx(50 / k, rel=1e-4)
    assert found.half_life.half_life_h == pytest.approx(np.log(2) / k, rel=5e-3)
    assert np.isnan(found.trough)


def test_the_trough_is_the_level_just_before_the_later_doses() -> None:
    k, doses = 0.1, np.array([0.0, 12.0, 24.0])
    times = np.arange(0, 37.0)
    values = sum(10 * np.exp(-k * (times - dose)) * (times > dose) for dose in doses)
    wanted = np.mean([values[12], values[24]])
    assert trough(times, np.asarray(values), doses) == pytest.approx(wanted, rel=1e-12)
    assert np.isnan(trough(times, np.asarray(values), doses[:1]))
    with pytest.raises(InputError, match="outside the course"):
        trough(times, np.asarray(values), np.array([0.0, 99.0]))


def test_missing_values_are_left_out() -> None:
    values = np.exp(-0.3 * TIMES)
    values[5] = np.nan
    assert auc(TIMES, values) == pytest.approx((1 - np.exp(-7.2)) / 0.3, rel=1e-12)


@pytest.mark.parametrize(
    ("times", "values"), [([0.0], [1.0]), ([0, 1], [1, 2, 3]), ([1, 0], [1, 2]), ([0, 1], [np.nan, 2])]
)
def test_what_is_no_course_is_refused(times: list[float], values: list[float]) -> None:
    with pytest.raises(InputError):
        auc(np.array(times, dtype=float), np.array(values, dtype=float))

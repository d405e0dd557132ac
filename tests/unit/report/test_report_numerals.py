"""Numbers are written as a clinician reads them."""

from __future__ import annotations

import pytest

from rekindle.report.bands import Interval
from rekindle.report.numerals import (
    MINUS,
    NBSP,
    brief,
    chance,
    clock,
    count,
    lasting,
    moment,
    plain,
    ranged,
    span,
    when,
)


def interval(low: float, middle: float, high: float) -> Interval:
    return Interval(middle, low, (low + middle) / 2, (middle + high) / 2, high)


def spoken(words: str) -> str:
    return words.replace(NBSP, " ")


def test_the_range_keeps_two_significant_digits_of_its_width_and_the_middle_the_same_place() -> None:
    assert spoken(ranged(interval(-8.04, -6.13, -4.21), "points")) == f"{MINUS}6.1 points ({MINUS}8.0 to {MINUS}4.2)"
    assert spoken(ranged(interval(113.2, 182.4, 277.1), "ng/mL")) == "180 ng/mL (110 to 280)"
    assert spoken(ranged(interval(13.2, 16.4, 19.8), "points", whole=True)) == "16 points (13 to 20)"


def test_a_chance_is_a_count_of_people_and_a_rare_one_counts_in_a_thousand() -> None:
    assert spoken(chance(interval(0.38, 0.462, 0.551))) == "46 in 100 (38 to 55)"
    assert spoken(chance(interval(0.001, 0.004, 0.008))) == "4 in 1,000 (1 to 8)"
    assert spoken(count(0.0941)) == "9 in 100"


def test_nothing_seen_is_never_written_as_zero() -> None:
    none = chance(interval(0, 0, 0), people=1000)
    assert spoken(none) == "none in 1,000 simulated people, so below 3 in 1,000"
    assert spoken(chance(interval(0.0, 0.0001, 0.002))) == "below 2 in 1,000"
    assert spoken(count(0.0, 100)) == "fewer than 1 in 100"


def test_a_difference_carries_its_sign() -> None:
    assert spoken(chance(interval(-0.06, 0.03, 0.11), of=100, signed=True)) == f"+3 in 100 ({MINUS}6 to 11)"
    assert plain(-0.2) == "0"


@pytest.mark.parametrize(
    ("hour", "words", "opening"),
    [
        (2 / 3, "40 min", "After 40 min"),
        (24, "24 hours", "After 24 hours"),
        (17 * 24, "day 17", "On day 17"),
        (21 * 24, "week 3", "At week 3"),
        (84 * 24, "week 12", "At week 12"),
        (365 * 24, "month 12", "At month 12"),
    ],
)
def test_time_is_told_in_the_unit_of_its_size(hour: float, words: str, opening: str) -> None:
    assert spoken(when(hour)) == words
    assert spoken(moment(hour)) == opening


def test_lengths_of_time_read_as_spoken() -> None:
    assert [spoken(lasting(h)) for h in (0.5, 59.3, 13 * 24, 28 * 24, 52 * 168)] == [
        "30 min",
        "59 hours",
        "13 days",
        "4 weeks",
        "12 months",
    ]
    assert [spoken(clock(m)) for m in (0, 40, 89, 110, 120)] == ["0 min", "40 min", "89 min", "1 h 50", "2 h"]


def test_axis_numbers_have_no_needless_digits_and_tiny_ones_are_zero() -> None:
    assert [brief(v) for v in (0.0, 1e-30, 0.5, 20.0, -3.25, 1500)] == ["0", "0", "0.5", "20", f"{MINUS}3.25", "1,500"]


def test_a_range_can_follow_between() -> None:
    assert span(interval(38, 46, 54), 0, joined="and") == "38 and 54"

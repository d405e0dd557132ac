"""Printed values, spreads and times: each form is read for what it is, and nothing else is accepted."""

from __future__ import annotations

import datetime

import pytest

from rekindle.errors import InputError
from rekindle.evidence.values import read_spread, read_time_h, read_value
from rekindle.units import parse_unit


@pytest.mark.parametrize(
    ("text", "unit", "kind", "values"),
    [
        ("-7.95", "points", "number", (-7.95,)),
        ("2-3", "fold", "range", (2, 3)),
        ("-18.4 to -2.6", "points", "range", (-18.4, -2.6)),
        ("-23 to 108", "%", "range", (-23, 108)),
        ("~10-50", "umol/L", "range", (10, 50)),
        ("0.93-0.99", "r", "range", (0.93, 0.99)),
        ("140/90", "mmHg", "pair", (140, 90)),
        ("40.6 vs 24.1", "%", "pair", (40.6, 24.1)),
        ("-7.13 vs -7.25", "points", "pair", (-7.13, -7.25)),
        ("0.9 -> 10.3", "umol/L", "pair", (0.9, 10.3)),
        ("12 (1)", "studies", "pair", (12, 1)),
        ("18 / 20 / 22 / 20 / 19", "patients", "pair", (18, 20, 22, 20, 19)),
        ("4.83", "F", "statistic", (4.83,)),
        ("0.018", "p", "statistic", (0.018,)),
        ("1", "boolean", "verdict", (1,)),
        ("2022", "calendar year", "date", (2022,)),
        ("1 / -1", "sign", "direction only", (1, -1)),
        ("-1", "sign", "direction only", (-1,)),
        ("", "points", "direction only", ()),
        ("weeks", "wk", "direction only", ()),
    ],
)
def test_each_printed_form_has_its_kind(text: str, unit: str, kind: str, values: tuple[float, ...]) -> None:
    value = read_value(text, parse_unit(unit))
    assert (value.kind, value.values) == (kind, values)
    assert value.approximate == text.startswith("~")


def test_a_date_is_a_day_of_the_calendar() -> None:
    assert read_value("2019-03-05", parse_unit("date")).date == datetime.date(2019, 3, 5)
    with pytest.raises(InputError, match="not a day of the calendar"):
        read_value("2019-02-30", parse_unit("date"))


@pytest.mark.parametrize(
    ("text", "unit", "said"),
    [
        ("about 3", "h", "no number, range, pair"),
        ("3-2", "h", "from high to low"),
        ("2", "boolean", "neither 0 nor 1"),
        ("1,5", "h", "no number"),
        ("nan", "h", "no number"),
    ],
)
def test_what_is_no_value_is_refused(text: str, unit: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_value(text, parse_unit(unit))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("12.3", (12.3,)),
        ("-12.71 to -3.20", (-12.71, -3.20)),
        ("1.21-4.14", (1.21, 4.14)),
        ("97.0-NE", (97.0, None)),
        ("97 to not estimable", (97.0, None)),
        ("6.61 / 11.14", (6.61, 11.14)),
    ],
)
def test_a_spread_is_a_number_an_interval_or_one_per_arm(text: str, expected: tuple[float | None, ...]) -> None:
    assert read_spread(text) == expected


def test_a_spread_in_words_is_refused() -> None:
    with pytest.raises(InputError, match="no number and no interval"):
        read_spread("wide")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("24 h", (24, 24)),
        ("40 min", (2 / 3, 2 / 3)),
        ("30-40 min", (0.5, 2 / 3)),
        ("40 min to 14 d", (2 / 3, 336)),
        ("2 d-2 weeks", (48, 336)),
        ("0-4.2 d", (0, 100.8)),
        ("3 wk", (504, 504)),
        ("wk 3", (336, 504)),
        ("wk 1-4", (0, 672)),
        ("1 mo", (730.5, 730.5)),
        ("", None),
        ("peak", None),
        ("after 3 infusions", None),
        ("14-31 d after induction", None),
        ("12-14 weeks per step", None),
        ("week 8 off drug", None),
    ],
)
def test_a_time_is_hours_after_the_first_dose_or_nothing(text: str, expected: tuple[float, float] | None) -> None:
    assert read_time_h(text) == (None if expected is None else pytest.approx(expected, rel=1e-12))

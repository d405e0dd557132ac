"""What a printed value is: a number, a range, a pair, a date, a statistic, a verdict, or only a direction.

Papers print `140/90`, `~10-50`, `40.6 vs 24.1`, `12 (1)`, `2019-03-05`. Each form is read into floats here
and its kind is kept, so that a range is never mistaken for a difference and a p value never for a
proportion. The same holds for the spread beside a value (`-12.71 to -3.20`, `97.0-NE`) and for the time
after the first dose (`wk 1-4`).
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Literal, get_args

from rekindle.errors import InputError
from rekindle.units import Unit, convert

Kind = Literal["number", "range", "pair", "date", "statistic", "verdict", "direction only"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\s*(?:-|–|to)\s*({_NUMBER})")
_HALF_OPEN = re.compile(rf"({_NUMBER})\s*(?:-|–|to)\s*(?:NE|not estimable)")
_SEPARATOR = re.compile(r"\s*(?:/|vs|->)\s*")
_OF = re.compile(rf"({_NUMBER})\s*\(({_NUMBER})\)")
_STATISTICS = {"F", "p", "r", "rs", "alpha", "beta"}
_TIME = re.compile(
    rf"(?P<low>{_NUMBER})\s*(?P<unit_low>[a-z]+)?(?:\s*(?:-|–|to)\s*(?P<high>{_NUMBER}))?\s*(?P<unit>[a-z]+)?"
)
_WEEK_NUMBER = re.compile(r"wk (\d+)(?:-(\d+))?")
_ORDERS_OF_MAGNITUDE = {"minutes", "hours", "days", "weeks", "months", "years"}
_TIME_UNITS = {
    "min": "min",
    "h": "h",
    "d": "d",
    "wk": "wk",
    "week": "wk",
    "weeks": "wk",
    "mo": "month",
    "month": "month",
    "year": "year",
}


@dataclass(frozen=True)
class Value:
    """What a value column says: its kind, its floats in printed order, whether the source says `about`.

    A range has two values, low and high. A pair has two or more, in printed order (arms, or systolic and
    diastolic). A full date has no floats but a `date`; a calendar year is a date with one float. A direction
    may have signs (1 up, -1 down) or nothing.
    """

    kind: Kind
    values: tuple[float, ...]
    approximate: bool = False
    date: datetime.date | None = None


def read_value(text: str, unit: Unit) -> Value:
    """The value that a table's `value` column prints, in its `unit`.

    Raises:
        InputError: the text has none of the seven forms.
    """
    printed = text.strip()
    name = str(unit)
    if name == "date":
        return _read_date(printed)
    approximate = printed.startswith("~")
    bare = printed.removeprefix("~")
    if not bare or bare in _ORDERS_OF_MAGNITUDE:
        return Value("direction only", ())
    span = _RANGE.fullmatch(bare)
    if span is not None:
        return _ordered_range(printed, float(span.group(1)), float(span.group(2)), approximate)
    numbers = _numbers(bare)
    if numbers is None:
        raise InputError(
            f"Value '{text}' is no number, range, pair, date or verdict.",
            hint="Write '12', '2-3', '140/90', '40.6 vs 24.1' or leave it empty for a direction only.",
        )
    if name == "sign":
        return Value("direction only", numbers)
    if len(numbers) > 1:
        return Value("pair", numbers, approximate)
    return Value(_kind_of_one(name, numbers[0], text), numbers, approximate)


def read_spread(text: str) -> tuple[float | None, ...]:
    """The spread beside a value: one number, two ends (None for one that is not estimable), or one per arm.

    Raises:
        InputError: the text is none of these.
    """
    printed = text.strip()
    if not printed:
        return ()
    open_ended = _HALF_OPEN.fullmatch(printed)
    if open_ended is not None:
        return (float(open_ended.group(1)), None)
    span = _RANGE.fullmatch(printed)
    if span is not None:
        return (float(span.group(1)), float(span.group(2)))
    numbers = _numbers(printed)
    if numbers is None:
        raise InputError(f"Spread '{text}' is no number and no interval.", hint="Write '3.2' or '-4.1 to 0.5'.")
    return numbers


def read_time_h(text: str) -> tuple[float, float] | None:
    """Hours after the first dose as (from, to); None where the text counts from something else or is empty.

    `wk 3` is the third week, that is 336 to 504 h; `3 wk` is the moment 504 h.
    """
    printed = text.strip()
    weeks = _WEEK_NUMBER.fullmatch(printed)
    if weeks is not None:
        first, last = int(weeks.group(1)), int(weeks.group(2) or weeks.group(1))
        return (convert(first - 1, "wk", "h"), convert(last, "wk", "h"))
    found = _TIME.fullmatch(printed)
    if found is None:
        return None
    unit = found["unit"] or found["unit_low"]
    if unit not in _TIME_UNITS or (found["unit_low"] or unit) not in _TIME_UNITS:
        return None
    low = convert(float(found["low"]), _TIME_UNITS[found["unit_low"] or unit], "h")
    high = convert(float(found["high"]), _TIME_UNITS[unit], "h") if found["high"] else low
    return (low, high)


def _numbers(text: str) -> tuple[float, ...] | None:
    of = _OF.fullmatch(text)
    parts = list(of.groups()) if of else _SEPARATOR.split(text)
    if not all(re.fullmatch(_NUMBER, part) for part in parts):
        return None
    return tuple(float(part) for part in parts)


def _ordered_range(printed: str, low: float, high: float, approximate: bool) -> Value:
    if low > high:
        raise InputError(f"Range '{printed}' runs from high to low.", hint=f"Write '{high:g}-{low:g}'.")
    return Value("range", (low, high), approximate)


def _kind_of_one(unit: str, number: float, printed: str) -> Kind:
    if unit == "boolean":
        if number not in {0.0, 1.0}:
            raise InputError(f"Verdict '{printed}' is neither 0 nor 1.")
        return "verdict"
    if unit == "calendar year":
        return "date"
    return "statistic" if unit in _STATISTICS else "number"


def _read_date(printed: str) -> Value:
    try:
        return Value("date", (), date=datetime.date.fromisoformat(printed))
    except ValueError as error:
        raise InputError(f"Date '{printed}' is not a day of the calendar.", hint="Write '2019-03-05'.") from error

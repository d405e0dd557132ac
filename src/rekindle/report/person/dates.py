"""Dates on the page about a person: as people say them, and as axes do."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from rekindle.report.axes import Tick
from rekindle.report.numerals import NBSP

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
WEEK_H = 168.0
STEPS = (1, 2, 4, 8, 13, 26, 52)


def moment(start: date, time_h: float) -> datetime:
    """The time so many hours from 00:00 of the first day."""
    return datetime.combine(start, time()) + timedelta(hours=float(time_h))


def day(start: date, time_h: float, *, year: bool = False) -> str:
    """A day as people say it.

    >>> day(date(2024, 3, 4), 30.0), day(date(2024, 3, 4), 0.0, year=True)
    ('5\\xa0March', '4\\xa0March\\xa02024')
    """
    found = moment(start, time_h)
    return f"{found.day}{NBSP}{MONTHS[found.month - 1]}" + (f"{NBSP}{found.year}" if year else "")


def short(start: date, time_h: float) -> str:
    """A day as an axis says it: '5 Mar'."""
    found = moment(start, time_h)
    return f"{found.day}{NBSP}{MONTHS[found.month - 1][:3]}"


def ticks(start: date, begin_h: float, end_h: float, count: int) -> tuple[Tick, ...]:
    """Days from `begin_h` to `end_h`, whole weeks apart, at most about `count`."""
    weeks = (end_h - begin_h) / WEEK_H
    chosen = WEEK_H * next((each for each in STEPS if weeks / each <= count), STEPS[-1])
    step = 24.0 if weeks * 7 <= count else chosen
    places = [begin_h + step * index for index in range(int((end_h - begin_h) / step + 1e-9) + 1)]
    return tuple((place, short(start, place)) for place in places)


def years(start: date, begin_h: float, end_h: float) -> str:
    """The year or years that an axis spans: '2024', '2024 to 2025'."""
    first, last = moment(start, begin_h).year, moment(start, end_h).year
    return str(first) if first == last else f"{first} to {last}"

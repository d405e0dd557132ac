"""How the page writes numbers, so that a clinician reads them without stopping.

Chances are counts of people ('46 in 100'), a minus sign is a minus sign, the range is rounded to two
significant digits of its width and the middle to the same place, and a number never parts from its unit at
a line's end.
"""

from __future__ import annotations

import math

from rekindle.report.bands import Interval

MINUS = "\u2212"
NBSP = "\u00a0"
HOURS_A_DAY = 24.0
HOURS_A_WEEK = 168.0
HOURS_A_MONTH = 730.5


def plain(value: float, place: int = 0, *, signed: bool = False) -> str:
    """A number rounded to ten to the power of `place`, with thousands commas and a true minus sign.

    >>> plain(-6.14, -1), plain(1234.0), plain(-0.04, -1), plain(4.2, -1, signed=True)
    ('−6.1', '1,234', '0.0', '+4.2')
    """
    rounded = round(value, -place) + 0.0
    decimals = max(0, -place)
    size = f"{abs(rounded):,.{decimals}f}"
    if float(size.replace(",", "")) == 0.0:
        return size
    return (MINUS if rounded < 0 else "+" if signed else "") + size


def place_for(low: float, high: float) -> int:
    """The power of ten that keeps two significant digits of the width, and three of the larger end at most.

    >>> place_for(38.2, 55.1), place_for(-8.0, -4.2), place_for(113, 277), place_for(1.324, 1.423)
    (0, -1, 1, -2)
    """
    width, size = abs(high - low), max(abs(low), abs(high))
    if width <= 0.0 or not math.isfinite(width):
        return 0 if size == 0 else min(0, math.floor(math.log10(size)) - 1)
    return max(math.floor(math.log10(width)) - 1, math.floor(math.log10(size)) - 2)


def ranged(interval: Interval, unit: str = "", *, whole: bool = False, signed: bool = False) -> str:
    """A number, its unit and its nine-in-ten range: '16 points (13 to 20)'; a range of no width is left out.

    `whole`: never finer than units.
    """
    place = place_for(interval.low90, interval.high90)
    place = max(0, place) if whole else place
    middle = plain(interval.middle, place, signed=signed)
    words = f"{middle}{NBSP}{unit}" if unit else middle
    if interval.low90 == interval.middle == interval.high90:
        return words
    return f"{words} ({span(interval, place)})"


def span(interval: Interval, place: int | None = None, *, joined: str = "to") -> str:
    """The nine-in-ten range alone: '13 to 20', or joined by 'and' to follow 'between'."""
    digits = place_for(interval.low90, interval.high90) if place is None else place
    return f"{plain(interval.low90, digits)} {joined} {plain(interval.high90, digits)}"


def denominator(middle: float) -> int:
    """The count that a chance is told in: 100, or 1,000 when it is rarer than one in a hundred."""
    return 1000 if abs(middle) < 0.0095 else 100


def count(share: float, of: int | None = None) -> str:
    """A chance without its range.

    >>> count(0.462), count(0.004), count(0.0002)
    ('46\\xa0in\\xa0100', '4\\xa0in\\xa01,000', 'fewer than 1\\xa0in\\xa01,000')
    """
    base = denominator(share) if of is None else of
    if round(share * base) == 0:
        return f"fewer than 1{NBSP}in{NBSP}{base:,}"
    return f"{plain(share * base)}{NBSP}in{NBSP}{base:,}"


def chance(
    interval: Interval,
    *,
    of: int | None = None,
    people: int | None = None,
    signed: bool = False,
    short: bool = False,
) -> str:
    """A chance with its nine-in-ten range: '46 in 100 (38 to 55)'; `of` fixes what it is counted in.

    `people`: how many were simulated; where none of them had it, the words say what that allows one to say (the rule
    of three: below 3 in their number), and with `short` only the bound.
    """
    base = of or denominator(interval.middle)
    nobody = round(interval.middle * base) == 0 and not signed
    if nobody and interval.high90 == 0.0 and people:
        bound = f"below {max(1, math.ceil(3000 / people)):,}{NBSP}in{NBSP}1,000"
        return bound if short else f"none in {people:,} simulated people, so {bound}"
    if nobody and interval.high90 * base > 10:
        return f"fewer than 1{NBSP}in{NBSP}{base:,} ({span(interval.times(base), 0)})"
    if nobody and base == 1000:
        return f"below {max(1, math.ceil(interval.high90 * 1000 - 1e-9)):,}{NBSP}in{NBSP}1,000"
    return f"{plain(interval.middle * base, signed=signed)}{NBSP}in{NBSP}{base:,} ({span(interval.times(base), 0)})"


def clock(minutes: float) -> str:
    """A length of time in a session: '40 min' up to two hours, then '2 h 10'.

    >>> clock(40), clock(110), clock(130), clock(240)
    ('40\\xa0min', '1\\xa0h\\xa050', '2\\xa0h\\xa010', '4\\xa0h')
    """
    whole = round(minutes)
    if whole < 90:
        return f"{whole}{NBSP}min"
    hours, rest = divmod(whole, 60)
    return f"{hours}{NBSP}h{NBSP}{rest:02d}" if rest else f"{hours}{NBSP}h"


def when(hour: float) -> str:
    """A time since the first session as people say it: '40 min', '24 hours', 'day 17', 'week 3', 'month 9'.

    >>> [when(h) for h in (24, 17 * 24, 21 * 24, 270 * 24)]
    ['24\\xa0hours', 'day\\xa017', 'week\\xa03', 'month\\xa09']
    """
    days = hour / HOURS_A_DAY
    if hour < 2.0 - 1e-9:
        return f"{round(hour * 60)}{NBSP}min"
    if hour <= 72.0 + 1e-9:
        return f"{plain(hour, 0 if abs(hour - round(hour)) < 0.05 else -1)}{NBSP}hours"
    weeks = days / 7
    if days <= 182.5 and abs(weeks - round(weeks)) < 0.01:
        return f"week{NBSP}{round(weeks)}"
    if days <= 28.01:
        return f"day{NBSP}{math.floor(days) if days - math.floor(days) < 0.98 else round(days)}"
    if days <= 182.5:
        return f"week{NBSP}{plain(weeks, -1)}"
    return f"month{NBSP}{round(hour / HOURS_A_MONTH)}"


def moment(hour: float) -> str:
    """The same with its preposition, to open a sentence: 'At week 3', 'On day 17', 'After 24 hours'."""
    words = when(hour)
    opening = "On" if words.startswith("day") else "At" if words[0].isalpha() else "After"
    return f"{opening} {words}"


def lasting(hours: float) -> str:
    """A length of time: '40 min', '5 hours', '18 days', '12 weeks', '9 months'.

    >>> [lasting(h) for h in (2 / 3, 5, 18 * 24, 84 * 24)]
    ['40\\xa0min', '5\\xa0hours', '18\\xa0days', '12\\xa0weeks']
    """
    if hours < 2.0 - 1e-9:
        return f"{round(hours * 60)}{NBSP}min"
    if hours <= 72.0:
        return f"{plain(hours, 0 if hours >= 10 or abs(hours - round(hours)) < 0.05 else -1)}{NBSP}hours"
    if hours < 28 * HOURS_A_DAY - 1e-9:
        return f"{plain(hours / HOURS_A_DAY)}{NBSP}days"
    if hours <= 26.1 * HOURS_A_WEEK:
        return f"{plain(hours / HOURS_A_WEEK)}{NBSP}weeks"
    return f"{plain(hours / HOURS_A_MONTH)}{NBSP}months"


def spoken(name: str) -> str:
    """A name within a sentence: its first letter small, unless it is an abbreviation or a single letter.

    >>> spoken("Ketamine"), spoken("ECT"), spoken("NMDA block"), spoken("S-ketamine")
    ('ketamine', 'ECT', 'NMDA block', 'S-ketamine')
    """
    ordinary = len(name) > 1 and name[0].isupper() and name[1].islower()
    return name[0].lower() + name[1:] if ordinary else name


def brief(value: float) -> str:
    """An axis or label number: at most three significant digits and three decimals, no trailing zeros.

    >>> brief(0.5), brief(182.4), brief(-3.25), brief(1500)
    ('0.5', '182', '−3.25', '1,500')
    """
    if value == 0 or not math.isfinite(value):
        return "0"
    place = max(-3, min(0, math.floor(math.log10(abs(value))) - 2))
    words = plain(value, place)
    return words.rstrip("0").rstrip(".") if "." in words else words

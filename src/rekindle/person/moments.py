"""When something happened: dates and times of day as a person's file writes them, and hours from the first day.

Times are those of the clock on the wall where the person lives, without a zone. A date alone is 00:00 of that day. The
hours between two such times are off by one across a change to or from summer time; no file of this kind can tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EARLIEST, LATEST = date(1900, 1, 1), date(2200, 1, 1)
MOST_DAYS = 40_000

_DATE = r"(?P<date>\d{4}-\d{2}-\d{2})"
_DAY = r"day\s+(?P<day>\d{1,6})"
_CLOCK = r"(?P<clock>\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)"
_OFFSET = r"(?P<offset>\s*(?:Z|[+-]\d{2}(?::?\d{2})?))"
_WHEN = re.compile(rf"\s*(?:{_DATE}|{_DAY})(?:(?:T|,?\s+)(?:at\s+)?{_CLOCK}{_OFFSET}?)?\s*", re.IGNORECASE | re.ASCII)


_ZONE = re.compile(r"\s*(?:UTC|Z|(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>[0-5]\d)?)\s*", re.IGNORECASE | re.ASCII)
FURTHEST_BEHIND, FURTHEST_AHEAD = timedelta(hours=-12), timedelta(hours=14)
"""How far the clock on the wall is from universal time anywhere on Earth."""


@dataclass(frozen=True)
class When:
    """A time as a file gives it: a date, or a day counted from 1 at the start, and perhaps a time of day."""

    day: date | int
    clock: time | None = None

    def moment(self, start: date) -> datetime:
        """The time, for a person whose first day is `start`; a day without a time of day begins at 00:00.

        >>> When(3, time(10)).moment(date(2024, 3, 4))
        datetime.datetime(2024, 3, 6, 10, 0)
        """
        day = self.day if isinstance(self.day, date) else start + timedelta(days=self.day - 1)
        return datetime.combine(day, self.clock or time())


def read_when(text: object) -> When:
    """The time that a text gives.

    >>> read_when("2024-03-04 10:00")
    When(day=datetime.date(2024, 3, 4), clock=datetime.time(10, 0))

    Raises:
        ValueError: no such date or time, or one with a zone.
    """
    found = _WHEN.fullmatch(str(text))
    if found is None:
        raise ValueError(f"'{_short(text)}' is no date; write '2024-03-04', '2024-03-04 10:00' or 'day 3 10:00'")
    if found["offset"]:
        raise ValueError(f"'{_short(text)}' has a zone; write the time on the local clock, without it")
    if found["day"]:
        number = int(found["day"])
        if not 1 <= number <= MOST_DAYS:
            raise ValueError(f"there is no day {number}; days count from 1")
        day: date | int = number
    else:
        day = _date(found["date"])
    return When(day, _clock(found["clock"]) if found["clock"] else None)


def read_zone(text: object) -> tzinfo:
    """The zone of a place, or an offset from universal time.

    >>> read_zone("+10:00")
    datetime.timezone(datetime.timedelta(seconds=36000))

    Raises:
        ValueError: no such zone or offset.
    """
    found = _ZONE.fullmatch(str(text))
    if found is not None:
        ahead = timedelta(hours=int(found["hours"] or 0), minutes=int(found["minutes"] or 0))
        ahead = -ahead if found["sign"] == "-" else ahead
        if not FURTHEST_BEHIND <= ahead <= FURTHEST_AHEAD:
            raise ValueError(f"no clock is {_short(text)} from universal time")
        return timezone(ahead)
    try:
        return ZoneInfo(str(text))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"'{_short(text)}' is no zone; write 'Europe/Vienna' or '+10:00'") from None


def _date(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no date {text}") from None
    if not EARLIEST <= found <= LATEST:
        raise ValueError(f"{text} cannot be meant; years from {EARLIEST.year} to {LATEST.year} are read")
    return found


def _clock(text: str) -> time:
    try:
        return datetime.strptime(
            text, "%H:%M" if text.count(":") == 1 else "%H:%M:%S.%f" if "." in text else "%H:%M:%S"
        ).time()
    except ValueError:
        raise ValueError(f"there is no time of day {text}") from None


def _short(text: object) -> str:
    shown = str(text)
    return shown if len(shown) <= 40 else f"{shown[:37]}..."


def hours(moment: datetime, start: date) -> float:
    """Hours from 00:00 of the first day.

    >>> hours(datetime(2024, 3, 5, 10, 30), date(2024, 3, 4))
    34.5
    """
    return (moment - datetime.combine(start, time())) / timedelta(hours=1)


def moment_of(time_h: float, start: date) -> datetime:
    """The time, to the microsecond, so many hours from 00:00 of the first day."""
    return datetime.combine(start, time()) + timedelta(hours=time_h)


def words(moment: datetime) -> str:
    """A time as a file writes it; 00:00 is left out, so that what is written reads back the same.

    >>> words(datetime(2024, 3, 4)), words(datetime(2024, 3, 4, 10, 5))
    ('2024-03-04', '2024-03-04 10:05')
    """
    if moment.time() == time():
        return moment.date().isoformat()
    return exact_words(moment)


def exact_words(moment: datetime) -> str:
    """A time as a file writes it, 00:00 among the times.

    >>> exact_words(datetime(2024, 3, 4))
    '2024-03-04 00:00'
    """
    exact = "minutes" if not (moment.second or moment.microsecond) else "auto"
    return moment.isoformat(" ", timespec=exact)

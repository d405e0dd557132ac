"""When sessions take place: on listed days, some days of every week, or every so many days.

Day 1 is the first day of the course. A list of days names days of the course. A rhythm (some days of each
week, every few days) starts where the sentence has got to: on day 1; or, after another rhythm, on the day
after that one's time is up; or, after a list of days, on the last listed day, whose session is already
given. So "56 mg ... day 1, then 84 mg, twice a week for 4 weeks" gives 56 mg on day 1 and 84 mg on days 4, 8,
11, 15, 18, 22 and 25, as the esketamine trials did. "Twice a week" means days 1 and 4 of each week, "three
times a week" days 1, 3 and 5; see `PER_WEEK`.
"""

from __future__ import annotations

from dataclasses import dataclass

from rekindle.errors import InputError

PER_WEEK: dict[int, tuple[int, ...]] = {
    2: (1, 4),
    3: (1, 3, 5),
    4: (1, 2, 4, 5),
    5: (1, 2, 3, 4, 5),
    6: (1, 2, 3, 4, 5, 6),
    7: (1, 2, 3, 4, 5, 6, 7),
}
"""Days of each week, counted from the start of the rhythm, for so many sessions a week (our convention)."""

LONGEST_DAYS = 3660
MOST_SESSIONS = 5000
"""Assumed bounds: a longer course is a slip of the pen."""


@dataclass(frozen=True)
class OnDays:
    """Sessions on listed days of the course, day 1 being the first."""

    days: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.days:
            raise InputError("The list of days is empty.", hint="For example: days 1, 4, 8.")
        for day in self.days:
            _whole("day", day)
            if day > LONGEST_DAYS:
                raise InputError(f"Day {day} lies more than ten years ahead.", hint="Days count from day 1.")
        for earlier, later in zip(self.days, self.days[1:], strict=False):
            if later <= earlier:
                raise InputError(
                    f"Day {later} comes after day {earlier} in the list.",
                    hint="List each day once, in order, for example: days 1, 4, 8.",
                )


@dataclass(frozen=True)
class Weekly:
    """Sessions on the same days of every week, for a number of days (`span_days`) or of sessions."""

    days: tuple[int, ...]
    span_days: int | None = None
    sessions: int | None = None

    def __post_init__(self) -> None:
        if not self.days or list(self.days) != sorted(set(self.days)) or not set(self.days) <= set(range(1, 8)):
            raise InputError(
                f"{list(self.days)} are not days of a week.",
                hint="Give each once, in order, from 1 (the day the rhythm starts) to 7.",
            )
        _check_length(self.span_days, self.sessions, per_week=len(self.days))

    def ordinal(self, index: int) -> int:
        """Days from the start of the rhythm to session `index`, both counted from 0."""
        week, place = divmod(index, len(self.days))
        return 7 * week + self.days[place] - 1


@dataclass(frozen=True)
class Every:
    """A session every so many days, for a number of days (`span_days`) or of sessions."""

    days: int
    span_days: int | None = None
    sessions: int | None = None

    def __post_init__(self) -> None:
        _whole("number of days between sessions", self.days)
        _check_length(self.span_days, self.sessions, per_week=7 / self.days)

    def ordinal(self, index: int) -> int:
        """Days from the start of the rhythm to session `index`, both counted from 0."""
        return self.days * index


Rhythm = Weekly | Every
Timing = OnDays | Weekly | Every


def session_days(rhythm: Rhythm, *, start: int, after: int) -> tuple[tuple[int, ...], int]:
    """Days of a rhythm's sessions when it starts on day `start` and days up to `after` are already given,
    and the day on which what follows would start.

    >>> session_days(Weekly((1, 4), span_days=14), start=1, after=1)
    ((4, 8, 11), 15)
    """
    found: list[int] = []
    index = 0
    while True:
        day = start + rhythm.ordinal(index)
        if rhythm.span_days is not None and day >= start + rhythm.span_days:
            return tuple(found), start + rhythm.span_days
        if rhythm.sessions is not None and len(found) == rhythm.sessions:
            return tuple(found), day
        if day > after:
            found.append(day)
        index += 1


def once() -> OnDays:
    """One session, on day 1."""
    return OnDays((1,))


def on_days(*days: int) -> OnDays:
    """Sessions on these days of the course, for example `on_days(1, 4, 8)`."""
    return OnDays(days)


def times_a_week(times: int, *, weeks: int | None = None, sessions: int | None = None) -> Rhythm:
    """So many sessions a week for a number of weeks or sessions; the days are those of `PER_WEEK`.

    Raises:
        InputError: not one to seven times a week, or not exactly one of `weeks` and `sessions`.
    """
    if times == 1:
        return every(7, days=_days(weeks), sessions=sessions)
    if times not in PER_WEEK:
        raise InputError(f"{times} times a week is not possible here.", hint="Choose 1 to 7 times a week.")
    return Weekly(PER_WEEK[times], span_days=_days(weeks), sessions=sessions)


def weekly(*, weeks: int | None = None, sessions: int | None = None) -> Every:
    """One session a week."""
    return every(7, days=_days(weeks), sessions=sessions)


def daily(*, days: int | None = None, sessions: int | None = None) -> Every:
    """One session a day."""
    return every(1, days=days, sessions=sessions)


def every(interval_days: int, *, days: int | None = None, sessions: int | None = None) -> Every:
    """One session every `interval_days` days, for a number of days or of sessions."""
    return Every(interval_days, span_days=days, sessions=sessions)


def _days(weeks: int | None) -> int | None:
    return None if weeks is None else 7 * weeks


def _whole(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"The {name} is {value}.", hint="It should be a whole number from 1.")


def _check_length(span_days: int | None, sessions: int | None, *, per_week: float) -> None:
    if (span_days is None) == (sessions is None):
        raise InputError(
            "A rhythm needs an end.", hint='Say for how long or how many: "for 4 weeks", or "for 8 sessions".'
        )
    days = span_days
    if span_days is not None:
        _whole("length in days", span_days)
    if sessions is not None:
        _whole("number of sessions", sessions)
        days = int(sessions / per_week * 7)
    if days is not None and days > LONGEST_DAYS:
        raise InputError(
            f"The course would last {days} days.",
            hint=f"At most {LONGEST_DAYS} days (ten years) are allowed.",
        )

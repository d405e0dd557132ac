"""One line of a course: regimens that follow one another, with the sessions that were missed.

Two lines of a course run side by side (esketamine with an oral antidepressant); regimens of one line never
overlap. Sessions are numbered through the whole line from 1, and a missed session keeps its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rekindle.dosing.regimen import Regimen
from rekindle.dosing.timing import LONGEST_DAYS, MOST_SESSIONS, OnDays, session_days
from rekindle.errors import InputError


@dataclass(frozen=True)
class Session:
    """One supervised administration: its number in the line, its day (from 1), its hour and its regimen.

    `time_h` counts hours from 00:00 of day 1.
    """

    number: int
    day: int
    time_h: float
    regimen: Regimen

    @property
    def end_h(self) -> float:
        """Hour at which the last dose of the session is in."""
        return self.time_h + self.regimen.session_min / 60


@dataclass(frozen=True)
class Line:
    """Regimens in succession; `missed` are the numbers of the sessions that did not take place.

    Raises:
        InputError: regimens or sessions that overlap, a missed session that does not exist, or nothing left.
    """

    regimens: tuple[Regimen, ...]
    missed: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.regimens:
            raise InputError("A line of a course needs a regimen.", hint="An empty Course() is no treatment.")
        object.__setattr__(self, "missed", tuple(sorted(self.missed)))
        if not self.planned:
            raise InputError("No session is left.", hint="Lengthen the course, or say 'no treatment'.")
        self._check_missed()
        self._check_overlaps()

    @cached_property
    def _days(self) -> tuple[tuple[tuple[int, ...], ...], int]:
        """Days of each regimen's sessions, and the day on which the line's time is up."""
        found: list[tuple[int, ...]] = []
        start, last = 1, 0
        for regimen in self.regimens:
            days, start = _regimen_days(regimen, start=start, last=last)
            if not days:
                raise InputError(
                    "A part of the course has no session of its own.",
                    hint='Give it longer, or set its start, for example "from day 15".',
                )
            found.append(days)
            last = days[-1]
            if last > LONGEST_DAYS:
                raise InputError(
                    f"The course would run to day {last}.", hint=f"At most {LONGEST_DAYS} days are allowed."
                )
        return tuple(found), start

    @cached_property
    def planned(self) -> tuple[Session, ...]:
        """Every session in time order, also those that were missed."""
        days_of, _ = self._days
        count = sum(len(days) * len(regimen.clock_min) for days, regimen in zip(days_of, self.regimens, strict=True))
        if count > MOST_SESSIONS:
            raise InputError(f"The course has {count} sessions.", hint=f"At most {MOST_SESSIONS} are allowed.")
        times = [
            (day, (day - 1) * 24 + minute / 60, regimen)
            for days, regimen in zip(days_of, self.regimens, strict=True)
            for day in days
            for minute in regimen.clock_min
        ]
        return tuple(Session(number, *rest) for number, rest in enumerate(times, start=1))

    @cached_property
    def sessions(self) -> tuple[Session, ...]:
        """The sessions that take place, in time order."""
        missed = set(self.missed)
        return tuple(session for session in self.planned if session.number not in missed)

    @property
    def next_day(self) -> int:
        """The day from which what follows counts: the day after a rhythm's time, or the last listed day."""
        return self._days[1]

    @property
    def length_days(self) -> int:
        """Days from day 1 to the end of the line's time: all of a rhythm's, or to the last listed day."""
        return self.next_day if isinstance(self.regimens[-1].timing, OnDays) else self.next_day - 1

    def _check_missed(self) -> None:
        if len(set(self.missed)) != len(self.missed):
            raise InputError("A missed session is listed twice.", hint="List each number once.")
        for number in self.missed:
            if not 1 <= number <= len(self.planned):
                raise InputError(
                    f"Session {number} cannot be missed: there is none.",
                    hint=f"The sessions are numbered 1 to {len(self.planned)}.",
                )
        if not self.sessions:
            raise InputError("Every session is missed.", hint="Say 'no treatment' if nothing is given.")

    def _check_overlaps(self) -> None:
        for earlier, later in zip(self.sessions, self.sessions[1:], strict=False):
            if later.time_h < earlier.end_h:
                raise InputError(
                    f"Session {later.number} (day {later.day}) would start before session {earlier.number} "
                    f"(day {earlier.day}) has ended.",
                    hint="Shorten the infusion or lengthen the time between sessions.",
                )


def _regimen_days(regimen: Regimen, *, start: int, last: int) -> tuple[tuple[int, ...], int]:
    """Days of a regimen's sessions when the line has got to day `start`, its last session on day `last`,
    and the day from which what follows counts.
    """
    timing = regimen.timing
    if isinstance(timing, OnDays):
        if timing.days[0] <= last:
            raise InputError(
                f"Day {timing.days[0]} is listed after a session on day {last}.",
                hint=f"Days count from day 1 of the course; the next can be day {last + 1} or later.",
            )
        return timing.days, timing.days[-1]
    if regimen.start_day is not None:
        if regimen.start_day <= last:
            raise InputError(
                f"A part that starts on day {regimen.start_day} comes after a session on day {last}.",
                hint=f"It can start on day {last + 1} or later.",
            )
        start = regimen.start_day
    return session_days(timing, start=start, after=last)

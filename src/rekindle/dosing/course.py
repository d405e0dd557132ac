"""A course: everything a person is to be given, as lines that run side by side.

A course is a value. It is read from a sentence (`rekindle.dosing.language.parse`) or put together in Python
(`then`, `+`, `skip`, `shifted`), prints back as a sentence, and, once a person's weight is known, unfolds
into administrations in time order or an event table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rekindle.dosing.administration import Administration, unfold, unfold_together
from rekindle.dosing.course_table import course_event_table
from rekindle.dosing.event_table import EventTable
from rekindle.dosing.line import Line, Session
from rekindle.dosing.regimen import Regimen
from rekindle.dosing.timing import OnDays
from rekindle.dosing.weights import Body
from rekindle.dosing.wording import sentence
from rekindle.errors import InputError


@dataclass(frozen=True)
class Course:
    """Lines of treatment that run side by side; no lines is no treatment.

    >>> from rekindle.dosing import give, times_a_week
    >>> course = Course.of(give("esketamine", 56, route="intranasal-device"))
    >>> print(course.then(give("esketamine", 84, route="intranasal-device", timing=times_a_week(2, weeks=4))))
    56 mg intranasal esketamine, day 1, then 84 mg, twice a week for 4 weeks

    Raises:
        InputError: infusions of one drug that overlap.
    """

    lines: tuple[Line, ...] = ()

    def __post_init__(self) -> None:
        self._check_overlaps()

    @classmethod
    def of(cls, *regimens: Regimen) -> Course:
        """A course of one line: the regimens one after another."""
        return cls((Line(regimens),)) if regimens else cls()

    def __str__(self) -> str:
        return sentence(self.lines)

    def spoken(self) -> str:
        """The sentence with every drug named, for a reader who sees it alone."""
        return sentence(self.lines, name_every_drug=True)

    def __add__(self, other: Course) -> Course:
        """Both courses side by side, from the same day 1."""
        return Course(self.lines + other.lines)

    def then(self, following: Course | Regimen) -> Course:
        """This course followed by another, as "then" does in a sentence: listed days count from day 1 of the
        whole, and a rhythm starts where this course has got to.

        Raises:
            InputError: either has several lines (say when the second starts: `+ other.shifted(days)`).
        """
        other = Course.of(following) if isinstance(following, Regimen) else following
        if not self.lines or not other.lines:
            return other if not self.lines else self
        if len(self.lines) > 1 or len(other.lines) > 1:
            raise InputError(
                "Only courses of one line can follow one another.",
                hint=f"Combine with + and shift the second, for example by {self.length_days} days.",
            )
        first, second = self.lines[0], other.lines[0]
        moved = tuple(number + len(first.planned) for number in second.missed)
        return Course((Line(first.regimens + second.regimens, first.missed + moved),))

    def skip(self, *numbers: int, line: int = 1) -> Course:
        """The course without these sessions (numbered from 1) of a line; the others stay where they are.

        Raises:
            InputError: no such session or line, or no session would be left.
        """
        if not 1 <= line <= len(self.lines):
            raise InputError(f"The course has no line {line}.", hint=f"It has {len(self.lines)}.")
        chosen = self.lines[line - 1]
        missed = tuple(dict.fromkeys(chosen.missed + numbers))
        return Course((*self.lines[: line - 1], Line(chosen.regimens, missed), *self.lines[line:]))

    def shifted(self, days: int) -> Course:
        """The course so many days later (or earlier, when negative and day 1 allows it)."""
        if days == 0:
            return self
        return Course(tuple(Line(tuple(_shifted(line.regimens, days)), line.missed) for line in self.lines))

    @property
    def drugs(self) -> tuple[str, ...]:
        """Names of the drugs given, in the order of their first mention; ("none",) without treatment."""
        names = tuple(dict.fromkeys(regimen.drug for line in self.lines for regimen in line.regimens))
        return names or ("none",)

    @property
    def routes(self) -> tuple[tuple[str, str], ...]:
        """Every (drug, route) given, in the order of first mention."""
        return tuple(
            dict.fromkeys(
                (regimen.drug, step.route) for line in self.lines for regimen in line.regimens for step in regimen.steps
            )
        )

    @cached_property
    def sessions(self) -> tuple[Session, ...]:
        """Sessions of every line that take place, in time order."""
        return tuple(sorted((s for line in self.lines for s in line.sessions), key=lambda session: session.time_h))

    @property
    def session_count(self) -> int:
        """Number of sessions that take place, over all lines."""
        return sum(len(line.sessions) for line in self.lines)

    @property
    def length_days(self) -> int:
        """Days from day 1 to the end of the longest line; 0 without treatment."""
        return max((line.length_days for line in self.lines), default=0)

    @property
    def end_h(self) -> float:
        """Hour, from 00:00 of day 1, at which the last dose is in; 0 without treatment."""
        return max((session.end_h for session in self.sessions), default=0.0)

    @property
    def needs_weight(self) -> bool:
        """Whether a dose goes by the person's weight."""
        return any(
            step.dose is not None and step.dose.unit == "mg/kg"
            for line in self.lines
            for regimen in line.regimens
            for step in regimen.steps
        )

    def administrations(
        self, weight_kg: float | None = None, height_cm: float | None = None, sex: str | None = None
    ) -> tuple[Administration, ...]:
        """Every dose for a person of that body, in time order, in mg of base; hours from 00:00 of day 1.

        >>> from rekindle.dosing import parse
        >>> parse("0.5 mg/kg IV over 40 min, once").administrations(weight_kg=70)[0].amount_mg
        35.0

        Raises:
            InputError: a mg/kg dose without the weight, height or sex it needs.
        """
        return unfold(self.lines, Body(weight_kg, height_cm, sex))

    def administrations_together(self, bodies: Sequence[Body]) -> tuple[Administration, ...]:
        """Every dose for many people at once: amounts by weight are arrays, one number a person.

        Raises:
            InputError: as `administrations`.
        """
        return unfold_together(self.lines, bodies)

    def total_mg(
        self, weight_kg: float | None = None, height_cm: float | None = None, sex: str | None = None
    ) -> dict[str, float]:
        """mg of base of each drug over the whole course, for a person of that body."""
        totals = dict.fromkeys((name for name in self.drugs if name != "none"), 0.0)
        for administration in self.administrations(weight_kg, height_cm, sex):
            totals[administration.drug] += administration.amount_mg
        return totals

    def check_horizon(self, horizon_days: float, *, where: str | None = None) -> None:
        """Refuse a course that goes on after the end of the simulation.

        Raises:
            InputError: a dose would start, or still be running, after `horizon_days`; the session is named.
        """
        for session in self.sessions:
            if session.end_h > horizon_days * 24 or session.time_h >= horizon_days * 24:
                raise InputError(
                    f"Session {session.number} (day {session.day}) of '{self}' falls after the horizon of "
                    f"{horizon_days:g} days.",
                    where=where,
                    hint=f"Make the horizon at least {self.sessions[-1].day} days, or shorten the course.",
                )

    def event_table(
        self,
        *,
        person: str = "1",
        weight_kg: float | None = None,
        height_cm: float | None = None,
        sex: str | None = None,
        observation_times_h: Sequence[float] = (),
        covariates: Mapping[str, float] | None = None,
    ) -> EventTable:
        """The course as one person's event table, in time order; a dose comes before an observation of the
        same time. Compartments are those of `rekindle.dosing.course_table.COMPARTMENTS`.

        Raises:
            InputError: a mg/kg dose without the weight, height or sex it needs, or no events at all.
        """
        given = self.administrations(weight_kg, height_cm, sex)
        return course_event_table(
            given, person=person, observation_times_h=observation_times_h, covariates=covariates or {}
        )

    def _check_overlaps(self) -> None:
        running: dict[str, tuple[Session, int]] = {}
        numbered = ((s, n) for n, line in enumerate(self.lines, start=1) for s in line.sessions)
        for session, number in sorted(numbered, key=lambda pair: pair[0].time_h):
            if session.regimen.session_min == 0:
                continue
            before = running.get(session.regimen.drug)
            if before is not None and session.time_h < before[0].end_h:
                raise InputError(
                    f"Two doses of {session.regimen.drug} overlap on day {session.day} (lines {before[1]} "
                    f"and {number} of the course).",
                    hint="Give one dose at a time, or state the sum.",
                )
            running[session.regimen.drug] = (session, number)


def _shifted(regimens: tuple[Regimen, ...], days: int) -> Iterator[Regimen]:
    for index, regimen in enumerate(regimens):
        if isinstance(regimen.timing, OnDays):
            yield replace(regimen, timing=OnDays(tuple(day + days for day in regimen.timing.days)))
        elif regimen.start_day is not None or index == 0:
            yield replace(regimen, start_day=(regimen.start_day or 1) + days)
        else:
            yield regimen

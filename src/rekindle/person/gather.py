"""Records from any reader into a `Person`: one first day, one present, everything in order and looked through."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from rekindle.errors import InputError
from rekindle.person import checks
from rekindle.person.checks import Record
from rekindle.person.doses import Body, administrations
from rekindle.person.moments import FURTHEST_AHEAD, FURTHEST_BEHIND, hours, words
from rekindle.person.record import Given, Level, Person, Rated, Vital


@dataclass
class Found:
    """What a reader found: records by the time on the clock, what is known of the person, and doubts.

    `instants` are the times of records that had an offset, told on a clock `offset` ahead of universal time that may
    not be the one on the person's wall; empty where all are on that one.
    """

    records: list[tuple[datetime, Record]] = field(default_factory=list)
    covariates: dict[str, float | str] = field(default_factory=dict)
    modifiers: dict[str, bool | float | str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    instants: list[datetime] = field(default_factory=list)
    offset: timedelta = timedelta(0)

    def add(self, other: Found, *, where: str) -> None:
        """Take over what another reader found.

        Raises:
            InputError: the two disagree on who the person is; the column is named, its values are not.
        """
        for name, value in other.covariates.items():
            if name in self.covariates and self.covariates[name] != value:
                raise InputError(
                    f"'{name}' is not the same in this file and in the records.", where=where, hint="Keep one."
                )
        self.records += other.records
        self.covariates |= other.covariates
        self.modifiers |= other.modifiers
        self.notes += other.notes


def check_clocks(own: Sequence[datetime], bundled: Found, where: str) -> None:
    """Refuse local times beside instants where the person's zone, which nobody gave, decides which came first.

    Raises:
        InputError: a local time and an instant lie that near.
    """
    low, high = FURTHEST_BEHIND - bundled.offset, FURTHEST_AHEAD - bundled.offset
    instants = sorted(bundled.instants)
    for moment in own:
        place = bisect_left(instants, moment - high)
        if place < len(instants) and instants[place] <= moment - low:
            raise InputError(
                f"The bundle's times have an offset and {words(moment)} has none: which came first is not known.",
                where=where,
                hint="Give 'zone' in the person's file, such as Europe/Vienna or +10:00.",
            )
    if own and instants:
        bundled.notes.append(
            f"{where}: without 'zone' the bundle's times are told on the clock of its earliest, beside local ones."
        )


def first_day(found: Found, where: str) -> date:
    """The day of the first record.

    Raises:
        InputError: there is no record.
    """
    if not found.records:
        raise InputError(
            "There is nothing recorded, and no 'start'.", where=where, hint="Give doses or ratings, or the first day."
        )
    return min(moment for moment, _ in found.records).date()


def assemble(
    found: Found,
    *,
    kind: str,
    start: date,
    now: datetime | None,
    today: date,
    where: str,
    now_where: str = "",
    **more: Any,
) -> Person:
    """The person whose records these are; `more` are further fields of `Person`.

    Raises:
        InputError: what `rekindle.person.checks` refuses.
    """
    records = sorted(found.records, key=lambda each: each[0])
    checks.check_times(records, start, now, today, now_where or where)
    if now is None:
        now = max((moment for moment, _ in records), default=datetime.combine(start, datetime.min.time()))
    timed = [replace(record, time_h=hours(moment, start)) for moment, record in records]
    ratings, notes = checks.settled_ratings(_of(Rated, timed), start)
    person = Person(
        start=start,
        kind=kind,
        now_h=hours(now, start),
        covariates=found.covariates,
        modifiers=found.modifiers,
        given=_of(Given, timed),
        ratings=ratings,
        vitals=merged(_of(Vital, timed)),
        levels=_of(Level, timed),
        **more,
    )
    doses = [(dose, given.where) for given in person.given for dose in administrations(given, body_of(person))]
    checks.check_doses(doses, start)
    notes += checks.oddities(person, [dose for dose, _ in doses])
    return replace(person, notes=(*found.notes, *notes))


def plans_looked_at(person: Person) -> Person:
    """The person with doubts about the doses that are planned or asked about, each naming its plan.

    What is doubted of the person stands among the notes already.
    """
    if "weight_kg" not in person.covariates:
        return person
    plans = [*([("the plan", person.planned)] if person.planned else []),
             *((f"the option '{name}'", option) for name, option in person.options)]  # fmt: skip
    found: list[str] = []
    for name, planned in plans:
        try:
            doses = planned.course.administrations(**person.measures)
        except InputError:  # told with its place when the plan is followed
            continue
        for note in checks.oddities(person, doses):
            head, _, what = note.partition(": ")
            found += [] if note in person.notes else [f"{head}: under {name}, {what}"]
    return replace(person, notes=(*person.notes, *found))


def _of(kind: type[Any], records: Sequence[Record]) -> tuple[Any, ...]:
    return tuple(record for record in records if isinstance(record, kind))


def merged(vitals: Sequence[Vital]) -> tuple[Vital, ...]:
    """Vital signs with those of one time together.

    Raises:
        InputError: two readings of one sign at one time that differ, or pressures the wrong way round.
    """
    found: dict[float, Vital] = {}
    for each in vitals:
        before = found.get(each.time_h)
        if before is None:
            found[each.time_h] = each
            continue
        values: dict[str, float | None] = {}
        for sign in ("systolic_mmhg", "diastolic_mmhg", "heart_rate"):
            one, other = getattr(before, sign), getattr(each, sign)
            if one is not None and other is not None and one != other:
                raise InputError(
                    f"Two readings of {sign.removesuffix('_mmhg').replace('_', ' ')} at one time differ.",
                    where=each.where,
                    hint="Keep one, or give each its time of day.",
                )
            values[sign] = one if one is not None else other
        whole = checks.vital(values["systolic_mmhg"], values["diastolic_mmhg"], values["heart_rate"], each.where)
        found[each.time_h] = replace(whole, time_h=each.time_h, where=before.where)
    return tuple(found.values())


def body_of(person: Person) -> Body:
    """What doses by weight go by; None where it is not known."""
    known: Mapping[str, float | str] = person.covariates
    return {name: known.get(name) for name in ("weight_kg", "height_cm", "sex")}

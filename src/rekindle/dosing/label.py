"""Where a course departs from how esketamine is labelled and ketamine is used, for a report to say.

Nothing is refused here: a note names the record it rests on, and the reader decides. Weeks count from the first
session of a drug. Doses that nobody studied are the business of `rekindle.population.domain`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from rekindle.dosing.course import Course
from rekindle.dosing.drugs import DRUGS
from rekindle.dosing.line import Session

FIRST_DOSE_MG = 56.0
"""First esketamine session below 65 years of age; record `reg-esk-ind`."""

FIRST_DOSE_OLDER_MG = 28.0
"""First esketamine session from 65 years of age; record `reg-esk-elderly`."""

USUAL_MOST_MG = 84.0
"""Largest labelled esketamine session; record `reg-esk-opt`."""

WEEKLY_LIMITS = ((4, 2, "reg-esk-ind"), (8, 1, "reg-esk-opt"))
"""Up to week, sessions a week at most, record; once a week or less after that (`reg-esk-maint`)."""


@dataclass(frozen=True)
class Note:
    """Something about a course that a reader should know, and the record that says so."""

    text: str
    record: str


def label_notes(course: Course, *, age_years: float | None = None) -> tuple[Note, ...]:
    """Departures of a course from the label, each once, for a person of that age (None: below 65).

    >>> from rekindle.dosing import parse
    >>> [note.record for note in label_notes(parse("84 mg intranasal esketamine, days 1, 4, 8"))]
    ['reg-esk-ind']
    """
    found = [*_off_label(course), *_esketamine(course, age_years)]
    return tuple(dict.fromkeys(found))


def _off_label(course: Course) -> Iterator[Note]:
    for drug, route in course.routes:
        if DRUGS[drug].is_ketamine and route != "intranasal-device":
            yield Note(
                f"{DRUGS[drug].spoken} by this route ({route}) is not approved for depression; its use is off label.",
                "reg-ketamine-offlabel",
            )


def _esketamine(course: Course, age_years: float | None) -> Iterator[Note]:
    sessions = [session for session in course.sessions if session.regimen.route == "intranasal-device"]
    if not sessions:
        return
    older = age_years is not None and age_years >= 65
    first, start = _dose_mg(sessions[0]), FIRST_DOSE_OLDER_MG if older else FIRST_DOSE_MG
    if first > start:
        yield Note(
            f"The first esketamine session gives {first:g} mg; the label starts with {start:g} mg"
            f"{' from 65 years of age' if older else ''}.",
            "reg-esk-elderly" if older else "reg-esk-ind",
        )
    most = max(_dose_mg(session) for session in sessions)
    if most > USUAL_MOST_MG:
        yield Note(f"A session of {most:g} mg is above the labelled {USUAL_MOST_MG:g} mg.", "reg-esk-opt")
    weeks = Counter((session.day - sessions[0].day) // 7 + 1 for session in sessions)
    for week, count in sorted(weeks.items()):
        limit, record = next(((n, r) for until, n, r in WEEKLY_LIMITS if week <= until), (1, "reg-esk-maint"))
        if count > limit:
            yield Note(
                f"Week {week} has {count} esketamine sessions; the label has at most {limit} in that phase.", record
            )
            return


def _dose_mg(session: Session) -> float:
    dose = session.regimen.steps[0].dose
    return dose.amount if dose is not None else 0.0

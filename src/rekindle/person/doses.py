"""Doses of a person's file: one at a time, or a course that was given from a date, each as one session's sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from rekindle.dosing import Course, once, parse
from rekindle.errors import InputError, RekindleError
from rekindle.person.record import Given
from rekindle.person.unshown import shown
from rekindle.study import with_place

if TYPE_CHECKING:
    from rekindle.dosing import Session
    from rekindle.dosing.administration import Administration

Body = Mapping[str, float | str | None]


def single(sentence: str, where: str) -> Given:
    """One dose, at time 0, in its usual words.

    Raises:
        InputError: the sentence cannot be read, or says more than one dose or a time of its own.
    """
    course = given_once(sentence, where)
    if course.session_count != 1:
        count = course.session_count or "no"
        raise InputError(
            f"The sentence says {count} doses; one was given at this time.",
            where=where,
            hint="Write a course with 'from' and 'course' instead of 'at' and 'dose'.",
        )
    session = course.sessions[0]
    if session.time_h != 0:
        raise InputError("The sentence says a day or time of its own.", where=where, hint="Write it under 'at'.")
    return Given(0.0, session_words(session), where)


def given_once(sentence: str, where: str) -> Course:
    """The course of a sentence, given once where it does not say when; an error names its place.

    Raises:
        InputError: what the language of doses says of the sentence.
    """
    try:
        return _once(sentence)
    except RekindleError as error:
        error.where = f"{where}: {error.where}" if error.where else where
        raise


@lru_cache(maxsize=512)
def _once(sentence: str) -> Course:
    """The course of a sentence, given once where it does not say when, read once."""
    try:
        return parse(f"{sentence}, once")
    except RekindleError as error:
        first = error
    try:
        return parse(sentence)
    except RekindleError as error:
        # A sentence that only lacks its time was wrong in some other way once it had one: that is what to mend.
        raise (first if "not said when" in error.message else error) from None


def course_given(sentence: str, moment: datetime, where: str, *, clocked: bool) -> Iterator[tuple[datetime, Given]]:
    """Every session of a course that was given from a time on.

    Raises:
        InputError: the sentence cannot be read, gives nothing, or says a time of day where `clocked` says that
            the start has one.
    """
    course = with_place(parse, sentence, where)
    if not course.sessions:
        raise InputError("The course gives nothing.", where=where, hint="Leave it out.")
    check_clock(course, where, clocked=clocked)
    for session in course.sessions:
        dated = not clocked and session.time_h % 24 == 0
        yield moment + timedelta(hours=session.time_h), Given(0.0, session_words(session), where, dated)


def check_clock(course: Course, where: str, *, clocked: bool) -> None:
    """Refuse a time of day that is said twice.

    Raises:
        InputError: both the first day and the sentence say one.
    """
    if clocked and any(regimen.clock_min[0] > 0 for line in course.lines for regimen in line.regimens):
        raise InputError(
            "The time of day is said twice, in 'from' and in the course.",
            where=where,
            hint="Leave it out of one of them.",
        )


def session_words(session: Session) -> str:
    """One session as a sentence of its own.

    >>> session_words(parse("0.5 mg/kg IV over 40 min, weekly for 4 weeks").sessions[2])
    '0.5 mg/kg ketamine IV over 40 min, once'
    """
    alone = replace(session.regimen, timing=once(), start_day=None, clock_min=(0,))
    return Course.of(alone).spoken()


def administrations(given: Given, body: Body) -> list[Administration]:
    """What a dose puts into a person of that body, in mg of base, at the person's own hours.

    Raises:
        InputError: a dose by weight without the weight, height or sex that it needs.
    """
    try:
        doses = given_once(given.sentence, given.where).administrations(**body)  # type: ignore[arg-type]
    except InputError as error:
        error.where = given.where
        if body.get("weight_kg") is not None:
            error.message = shown(error.message, "A dose like this cannot be meant.", given.where)
        raise
    return [replace(dose, time_h=dose.time_h + given.time_h) for dose in doses]

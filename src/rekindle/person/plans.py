"""What a person's file plans: the course to come, others to compare it with, the scales to forecast."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from rekindle.documents import Document, Location
from rekindle.errors import InputError
from rekindle.person.doses import check_clock
from rekindle.person.fields import PersonFields, PlanFields
from rekindle.person.moments import hours, words
from rekindle.person.record import Planned
from rekindle.study import with_place

if TYPE_CHECKING:
    from rekindle.dosing import Course
    from rekindle.person.doses import Body

LOOK_AHEAD = timedelta(weeks=12)
LONGEST = timedelta(days=5 * 365.25)


def planned(plan: PlanFields, document: Document, at: Location, *, start: date, now: datetime, body: Body) -> Planned:
    """What comes next.

    Raises:
        InputError: a course that cannot be read, begins before now, or needs a weight that is not known; a look ahead
            that ends before the course.
    """
    from rekindle.dosing import parse

    where = partial(document.where, *at)
    course = with_place(parse, plan.course, where("course"))
    check_clock(course, where("course"), clocked=plan.from_.clock is not None)
    begin = plan.from_.moment(start)
    first = begin + timedelta(hours=course.sessions[0].time_h) if course.sessions else now
    if begin.date() < now.date() or first < now:
        raise InputError(
            f"The plan starts before now, {words(now)}.",
            where=where("from"),
            hint="What was given already stands under 'doses'.",
        )
    _check_body(course, body, where("course"))
    end = begin + timedelta(hours=course.end_h)
    until = plan.until.moment(start) if plan.until else max(end, begin + LOOK_AHEAD)
    if until <= now or until < end:
        raise InputError(
            "The look ahead ends before the plan does.", where=where("until"), hint="Set it later, or shorten it."
        )
    if until - now > LONGEST:
        raise InputError("The look ahead is longer than 5 years.", where=where("until" if plan.until else "course"))
    return Planned(course, hours(begin, start), hours(until, start))


def _check_body(course: Course, body: Body, where: str) -> None:
    """Refuse a dose by a weight that is not known.

    Raises:
        InputError: the weight, height or sex that a dose goes by is missing.
    """
    try:
        course.administrations(**body)  # type: ignore[arg-type]
    except InputError as error:
        error.where = where
        raise


def options(
    fields: PersonFields, document: Document, *, start: date, now: datetime, body: Body
) -> tuple[tuple[str, Planned], ...]:
    """The courses to compare, each with its name.

    Raises:
        InputError: as `planned`; a name that stands twice.
    """
    found: dict[str, tuple[str, Planned]] = {}
    for place, option in enumerate(fields.options):
        if option.name.casefold() in found:
            where = document.where("options", place, "name")
            raise InputError(f"The option '{option.name}' stands twice.", where=where, hint="Name it otherwise.")
        plan = planned(option, document, ("options", place), start=start, now=now, body=body)
        found[option.name.casefold()] = (option.name, plan)
    return tuple(found.values())


def forecast_scales(fields: PersonFields, document: Document) -> tuple[str, ...]:
    """The scales that the file asks for, by their own names.

    Raises:
        InputError: an unknown scale, a vital sign, or a scale that stands twice.
    """
    from rekindle.outcomes import scale

    found: list[str] = []
    for place, name in enumerate(fields.scales):
        where = document.where("scales", place)
        known = with_place(scale, name, where)
        if known.person_inputs:
            raise InputError(f"'{known.name}' is a vital sign, not a rating scale.", where=where)
        if known.name in found:
            raise InputError(f"The scale '{known.name}' stands twice.", where=where, hint="Keep one of them.")
        found.append(known.name)
    return tuple(found)

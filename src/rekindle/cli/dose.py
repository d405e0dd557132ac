"""`rekindle dose`: read a dosing sentence or an event table, say it back, list its doses, write its event table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rekindle.cli.options import Carry, Json
from rekindle.errors import InputError

if TYPE_CHECKING:
    from rekindle.dosing import Administration, Course

USUAL_WEIGHT_KG = 70.0
SHOWN_DOSES = 12
HEADER = ("day", "hour", "drug", "route", "mg", "over min")


def dose(
    sentence: Annotated[
        str | None, typer.Argument(help="A course of doses, as a clinician speaks it.", metavar="SENTENCE")
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option("--events", help="Write the event table (NONMEM columns) to this file.", metavar="CSV"),
    ] = None,
    read: Annotated[
        Path | None,
        typer.Option("--read", help="Check this event table and list its doses, instead.", metavar="CSV"),
    ] = None,
    carry: Carry = None,
    weight: Annotated[
        float | None,
        typer.Option("--weight", help="Body weight for doses per kilogram; 70 if left out.", metavar="KG"),
    ] = None,
    height: Annotated[
        float | None,
        typer.Option("--height", help="Height, for doses by ideal, lean or adjusted weight.", metavar="CM"),
    ] = None,
    sex: Annotated[str | None, typer.Option("--sex", help="female or male, for doses by ideal or lean weight.")] = None,
    json: Json = False,
) -> None:
    """Read a dosing sentence, print it back in its usual form, list the doses, write the event table."""
    if (sentence is None) == (read is None):
        hint = 'For example: rekindle dose "0.5 mg/kg IV over 40 min, once".'
        raise InputError("A dosing sentence or --read FILE is needed, and not both.", hint=hint)
    if read is not None:
        _list_table(read, carry, json)
        return
    from rekindle.dosing import events_csv, parse
    from rekindle.run import write_file

    course = parse(sentence or "")
    body = _body(weight, height, sex)
    given = course.administrations(**body)
    if events is not None:
        write_file(events, events_csv(course.event_table(**body)))
    _list_course(course, body, given, events, json)


def _body(weight: float | None, height: float | None, sex: str | None) -> dict[str, Any]:
    """Weight, height and sex to dose by, checked even where the sentence does not use them.

    Raises:
        InputError: a weight that no adult has.
    """
    from rekindle.dosing.weights import Body, dosing_weight_kg

    weight_kg = USUAL_WEIGHT_KG if weight is None else weight
    dosing_weight_kg("actual", Body(weight_kg=weight_kg))
    return {"weight_kg": weight_kg, "height_cm": height, "sex": sex}


def _list_course(
    course: Course, body: dict[str, Any], given: Sequence[Administration], events: Path | None, json: bool
) -> None:
    from rekindle.cli.output import emit, emit_json

    if json:
        emit_json(
            {
                "sentence": str(course),
                "sessions": course.session_count,
                "length_days": course.length_days,
                "weight_kg": body["weight_kg"] if course.needs_weight else None,
                "total_mg": course.total_mg(**body),
                "doses": [_document(each) for each in given],
                "events": str(events) if events else None,
            }
        )
        return
    emit(str(course))
    weighed = f" at {body['weight_kg']:g} kg" if course.needs_weight else ""
    emit(f"{_count(course.session_count, 'session')} over {_count(course.length_days, 'day')}{weighed}; mg of base")
    _emit_doses(given)
    if events is not None:
        emit(f"Wrote {events}")


def _list_table(path: Path, carry: Any, json: bool) -> None:
    """List the doses of an event table whose compartments are those that `--events` writes."""
    from rekindle.cli.output import emit, emit_json
    from rekindle.dosing import COMPARTMENTS, administrations_of, read_events

    table = read_events(path, carry=carry, compartments=COMPARTMENTS)
    given = {person: administrations_of(table, person) for person in table.people}
    if json:
        people = {person: [_document(each) for each in doses] for person, doses in given.items()}
        emit_json({"rows": len(table.events), "people": people})
        return
    emit(f"{_count(len(table.events), 'row')}, {_count(len(given), 'person', 'people')}; mg of base")
    for person, doses in given.items():
        emit(f"\nPerson {person}: {_count(len(doses), 'dose')}")
        _emit_doses(doses)


def _emit_doses(given: Sequence[Administration]) -> None:
    from rekindle.cli.output import emit, emit_table

    if given:
        emit("")
        emit_table(HEADER, [_row(each) for each in given[:SHOWN_DOSES]])
    if len(given) > SHOWN_DOSES:
        emit(f"... and {len(given) - SHOWN_DOSES} more; --json lists all")


def _row(given: Administration) -> tuple[object, ...]:
    minutes = None if given.duration_h is None else round(given.duration_h * 60, 3)
    day, hour = divmod(given.time_h, 24)
    return (int(day) + 1, round(hour, 3), given.drug, given.route, round(given.amount_mg, 4), minutes)


def _document(given: Administration) -> dict[str, object]:
    return {
        "time_h": given.time_h,
        "drug": given.drug,
        "route": given.route,
        "amount_mg": given.amount_mg,
        "duration_h": given.duration_h,
    }


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"

"""`rekindle dose`: read a dosing sentence, say it back, list its sessions, write its event table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rekindle.dosing import Course

USUAL_WEIGHT_KG = 70.0
SHOWN_DOSES = 12


def dose(
    sentence: Annotated[str, typer.Argument(help="A course of doses, as a clinician speaks it.")],
    events: Annotated[
        Path | None,
        typer.Option("--events", help="Write the event table (NONMEM columns) to this file.", metavar="CSV"),
    ] = None,
    weight: Annotated[
        float | None,
        typer.Option("--weight", help="Body weight for doses per kilogram; 70 if left out.", metavar="KG"),
    ] = None,
    height: Annotated[
        float | None,
        typer.Option("--height", help="Height, for doses by ideal, lean or adjusted weight.", metavar="CM"),
    ] = None,
    sex: Annotated[
        str | None, typer.Option("--sex", help="female or male, for doses by ideal or lean weight.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Read a dosing sentence, print it back in its usual form, list the doses, write the event table."""
    from rekindle.cli.output import emit, emit_json, emit_table
    from rekindle.dosing import parse
    from rekindle.run import write_file

    course = parse(sentence)
    body = _body(weight, height, sex)
    given = course.administrations(**body)
    if events is not None:
        write_file(events, course.event_table(**body).to_csv())
    if json:
        emit_json(_document(course, body, given, events))
        return
    emit(str(course))
    weighed = f" at {body['weight_kg']:g} kg" if course.needs_weight else ""
    emit(f"{course.session_count} sessions over {course.length_days} days{weighed}; mg of base")
    if given:
        rows = [_row(each) for each in given[:SHOWN_DOSES]]
        emit("")
        emit_table(("day", "hour", "drug", "route", "mg", "over min"), rows)
    if len(given) > SHOWN_DOSES:
        emit(f"... and {len(given) - SHOWN_DOSES} more; --json or --events lists all")
    if events is not None:
        emit(f"Wrote {events}")


def _body(weight: float | None, height: float | None, sex: str | None) -> dict[str, Any]:
    """Weight, height and sex to dose by, checked even where the sentence does not use them.

    Raises:
        InputError: a weight that no adult has.
    """
    from rekindle.dosing.weights import Body, dosing_weight_kg

    weight_kg = USUAL_WEIGHT_KG if weight is None else weight
    dosing_weight_kg("actual", Body(weight_kg=weight_kg))
    return {"weight_kg": weight_kg, "height_cm": height, "sex": sex}


def _row(given: Any) -> tuple[object, ...]:
    minutes = None if given.duration_h is None else round(given.duration_h * 60, 3)
    day, hour = divmod(given.time_h, 24)
    return (int(day) + 1, round(hour, 3), given.drug, given.route, round(given.amount_mg, 4), minutes)


def _document(course: Course, body: dict[str, Any], given: Any, events: Path | None) -> dict[str, object]:
    return {
        "sentence": str(course),
        "sessions": course.session_count,
        "length_days": course.length_days,
        "weight_kg": body["weight_kg"] if course.needs_weight else None,
        "total_mg": course.total_mg(**body),
        "doses": [
            {
                "time_h": each.time_h,
                "drug": each.drug,
                "route": each.route,
                "amount_mg": each.amount_mg,
                "duration_h": each.duration_h,
            }
            for each in given
        ],
        "events": str(events) if events else None,
    }

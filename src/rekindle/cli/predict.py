"""`rekindle predict`: what a model predicts for every record of an event table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rekindle.cli.options import Carry, Json, ModelFile, ParameterFile


def predict(
    events: Annotated[Path, typer.Argument(help="The event table: CSV in NONMEM's columns.", metavar="EVENTS.csv")],
    model: ModelFile = None,
    parameters: ParameterFile = None,
    output: Annotated[
        list[str] | None,
        typer.Option("--output", help="A state or formula to predict; may be repeated.", metavar="NAME"),
    ] = None,
    carry: Carry = None,
    compartment: Annotated[
        list[str] | None,
        typer.Option("--compartment", help="Where a CMT cell lies in the model; may be repeated.", metavar="CMT=STATE"),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", help="A column to leave alone; may be repeated.", metavar="COLUMN")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File to write instead of printing.", metavar="CSV")] = None,
    json: Json = False,
) -> None:
    """Predict each record (EVID 0 and 2) of each person: ID, TIME, DVID, DV and a column an output."""
    from rekindle.cli.output import emit, emit_json
    from rekindle.errors import SolverError
    from rekindle.predictions import simulate_events
    from rekindle.run import write_file

    found = simulate_events(
        model,
        events,
        tuple(output) if output else None,
        parameters=parameters,
        carry=_known_carry(carry),
        compartments=_places(compartment or []),
        ignored=ignore or [],
    )
    if found.failures:
        person, reason = found.failures[0]
        raise SolverError(f"Person {person} could not be solved: {reason}.")
    if out is not None:
        write_file(out, found.csv())
    if json:
        emit_json(
            {"records": len(found.records), "outputs": list(found.outputs), "carry": found.carry} | _rows(found, out)
        )
    else:
        emit(f"Wrote {out}" if out is not None else found.csv())


def _rows(found: Any, out: Path | None) -> dict[str, Any]:
    """Where the predictions are, or the predictions."""
    if out is not None:
        return {"written": str(out)}
    rows = [
        {"person": record.person, "time_h": record.time_h, **dict(zip(found.outputs, values, strict=True))}
        for record, values in zip(found.records, found.values.tolist(), strict=True)
    ]
    return {"predictions": rows}


def _known_carry(carry: str | None) -> Any:
    from rekindle.dosing.event import CARRIES
    from rekindle.errors import unknown

    if carry is not None and carry not in CARRIES:
        raise unknown("carry rule", carry, CARRIES, where="--carry")
    return carry


def _places(given: list[str]) -> dict[str, str]:
    """`CMT=STATE` pairs as a mapping.

    Raises:
        InputError: a pair without its equals sign.
    """
    from rekindle.errors import InputError

    places: dict[str, str] = {}
    for pair in given:
        cell, equals, state = pair.partition("=")
        if not equals or not cell.strip() or not state.strip():
            raise InputError(
                f"'{pair}' does not say where a compartment lies.", where="--compartment", hint="CMT=STATE."
            )
        places[cell.strip()] = state.strip()
    return places

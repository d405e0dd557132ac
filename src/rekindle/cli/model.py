"""`rekindle model`: the model as tables of states and parameters, and as files for other programs."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rekindle.cli.options import Json, ModelFile, ParameterFile
from rekindle.errors import InputError

if TYPE_CHECKING:
    from rekindle.mechanism.parameters import Parameter

app = typer.Typer(no_args_is_help=True, help="The model as tables and as files for other programs.")


@app.command("states")
def states(model: ModelFile = None, parameters: ParameterFile = None, json: Json = False) -> None:
    """List the states: name, unit, value at the start."""
    from rekindle.cli.output import emit_json, emit_table
    from rekindle.models import open_model

    network = open_model(model, parameters).network
    rows = [(name, network.units.get(name, ""), _start(network.initial[name])) for name in network.states]
    if json:
        emit_json([{"name": name, "unit": unit, "initial": initial} for name, unit, initial in rows])
    else:
        short = [(name, unit, textwrap.shorten(str(initial), 60)) for name, unit, initial in rows]
        emit_table(("name", "unit", "at the start"), short)


def _start(initial: Any) -> float | str:
    """A starting value: a number, or the formula of parameters that gives it."""
    return float(initial) if initial.is_number else str(initial)


@app.command("parameters")
def parameters(
    model: ModelFile = None,
    parameters: ParameterFile = None,
    grade: Annotated[
        str | None, typer.Option("--grade", help="Only those of this grade: human, rodent, assumed.")
    ] = None,
    json: Json = False,
) -> None:
    """List the parameters: value, unit, plausible range, grade, and the record or the reason."""
    from rekindle.cli.output import emit_json, emit_table
    from rekindle.models import open_model

    table = open_model(model, parameters).of_grade(grade)
    if json:
        emit_json([_as_document(each) for each in table])
        return
    rows = [
        (
            each.name,
            each.value,
            each.unit,
            f"{each.low:g} to {each.high:g}",
            each.grade,
            each.record or each.reason,
        )
        for each in table
    ]
    emit_table(("name", "value", "unit", "range", "grade", "record or reason"), rows)


def _as_document(parameter: Parameter) -> dict[str, object]:
    return {
        "name": parameter.name,
        "value": parameter.value,
        "unit": parameter.unit,
        "range": [parameter.low, parameter.high],
        "grade": parameter.grade,
        "record": parameter.record or None,
        "reason": parameter.reason or None,
        "meaning": parameter.meaning,
        "process": parameter.process,
    }


@app.command("export")
def export(
    sbml: Annotated[Path | None, typer.Option("--sbml", help="Write SBML to this file.", metavar="FILE")] = None,
    antimony: Annotated[
        Path | None, typer.Option("--antimony", help="Write Antimony to this file.", metavar="FILE")
    ] = None,
    dose: Annotated[
        str | None,
        typer.Option("--dose", help="A dosing sentence; its doses become SBML events.", metavar="SENTENCE"),
    ] = None,
    weight: Annotated[
        float | None, typer.Option("--weight", help="Body weight of the person dosed.", metavar="KG")
    ] = None,
    model: ModelFile = None,
    parameters: ParameterFile = None,
    json: Json = False,
) -> None:
    """Write the model as SBML or Antimony; with --dose, the doses are events in the SBML."""
    from rekindle.cli.output import emit, emit_json
    from rekindle.models import antimony_of, open_model, sbml_of
    from rekindle.run import write_file

    if sbml is None and antimony is None:
        raise InputError("There is nothing to write.", hint="Give --sbml FILE, --antimony FILE or both.")
    if dose is not None and sbml is None:
        raise InputError("Doses go into the SBML only.", where="--dose", hint="Give --sbml FILE.")
    if sbml is not None and antimony is not None and sbml.absolute() == antimony.absolute():
        raise InputError("Both files have the same name.", where="--antimony")
    opened = open_model(model, parameters)
    texts = {}
    if sbml is not None:
        texts[sbml] = sbml_of(opened, dose=dose, weight_kg=weight)
    if antimony is not None:
        texts[antimony] = antimony_of(opened)
    for path, text in texts.items():
        write_file(path, text)
    if json:
        emit_json({"written": [str(path) for path in texts]})
    else:
        for path in texts:
            emit(f"Wrote {path}")

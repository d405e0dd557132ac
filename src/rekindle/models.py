"""The model that a run or an export uses: ours with its table of parameters, or one that the user brings.

A user's model is Antimony or SBML; its numbers may stand in a CSV table of their own (`name,value` and, if
wished, `unit,low,high,grade,record,reason,meaning`). The same table format changes values of our model.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rekindle.documents import read_text
from rekindle.errors import InputError, ModelError, unknown
from rekindle.mechanism.ensemble import central_values
from rekindle.mechanism.parameters import COLUMNS, GRADES, Parameter, parameter_table

if TYPE_CHECKING:
    from rekindle.engine.network import Network

OUR_MODEL = "rekindle"


@dataclass(frozen=True)
class Model:
    """A network with its parameters' table; `source` is "rekindle" or the path of a user's model.

    `changed` holds the values that a user's table sets, by name.
    """

    network: Network
    parameters: Mapping[str, Parameter]
    source: str = OUR_MODEL
    changed: Mapping[str, float] = field(default_factory=dict)

    def of_grade(self, grade: str | None) -> list[Parameter]:
        """Parameters of that grade, or all.

        Raises:
            InputError: no such grade.
        """
        if grade is not None and grade not in GRADES:
            raise unknown("grade", grade, GRADES, where="--grade")
        return [each for each in self.parameters.values() if grade in (None, each.grade)]

    @property
    def is_ours(self) -> bool:
        """Whether this is the model of this package (perhaps with other values)."""
        return self.source == OUR_MODEL


def open_model(model: Path | None = None, parameters: Path | None = None) -> Model:
    """The model of a file, or ours; with the values of a table where one is given.

    Raises:
        InputError: a file that cannot be read, a model that does not hold together, a table that names a
            parameter the model lacks or gives no finite value.
    """
    network = _read(model)
    known = {} if model else dict(parameter_table())
    changed: dict[str, float] = {}
    if parameters is not None:
        rows = read_parameter_file(parameters)
        for name, (row, where) in rows.items():
            if name not in network.outputs:
                raise unknown("parameter", name, [*network.parameters, *network.derived], where=where)
            _fits(row, known.get(name), where)
            known[name] = _merged(row, known.get(name))
            changed[name] = row.value
        network = network.with_values(changed, where=str(parameters))
    if model:
        known = {name: known.get(name) or _bare(name, network) for name in network.parameters}
        network.require_values()
    return Model(network, known, str(model) if model else OUR_MODEL, changed)


def at_the_middle(model: Model) -> Model:
    """Our model with the values in the middle of the calibrated ensemble; those that a table set stay.

    A user's own model is given back as it is, and so is ours where there is no ensemble.
    """
    if not model.is_ours:
        return model
    middle = {
        name: value
        for name, value in central_values().items()
        if name in model.network.parameters and name not in model.changed
    }
    return replace(model, network=model.network.with_values(middle))


def _read(model: Path | None) -> Network:
    """The network of a user's file, or ours. What is wrong with a user's model is the user's to mend."""
    from rekindle.engine.reading import read_antimony, read_model
    from rekindle.mechanism.assemble import antimony_text

    if model is None:
        return read_antimony(antimony_text())
    try:
        return read_model(model)
    except ModelError as error:
        raise InputError(error.message, where=error.where or str(model), hint=error.hint) from error


def read_parameter_file(path: Path) -> dict[str, tuple[Parameter, str]]:
    """A user's table of parameters by name, each with its place in the file.

    Raises:
        InputError: no `name` or `value` column, an unknown column, a name twice, a value that is no finite
            number, a range that does not hold the value.
    """
    lines = read_text(path, kind="table of parameters").splitlines()
    reader = csv.reader(lines)
    header = [cell.strip().casefold() for cell in next(reader, [])]
    for column in header:
        if column not in COLUMNS:
            raise unknown("column", column, COLUMNS, where=f"{path}, line 1")
    for needed in ("name", "value"):
        if header.count(needed) != 1:
            raise InputError(f"The table needs one column '{needed}'.", where=f"{path}, line 1")
    found: dict[str, tuple[Parameter, str]] = {}
    for cells in reader:
        where = f"{path}, line {reader.line_num}"
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise InputError(f"{len(cells)} cells where the header has {len(header)}.", where=where)
        row = _row(dict(zip(header, (cell.strip() for cell in cells), strict=True)), where)
        if row.name in found:
            raise InputError(f"The parameter '{row.name}' stands twice.", where=where, hint="Keep one of them.")
        found[row.name] = (row, where)
    if not found:
        raise InputError("The table has no rows.", where=str(path))
    return found


def _row(cells: Mapping[str, str], where: str) -> Parameter:
    if not cells["name"]:
        raise InputError("A row has no name.", where=where)
    value = _number(cells["value"], f"{where}, value")
    low = _number(cells["low"], f"{where}, low") if cells.get("low") else value
    high = _number(cells["high"], f"{where}, high") if cells.get("high") else value
    if not low <= value <= high:
        raise InputError(f"The value {value:g} is outside its range {low:g} to {high:g}.", where=where)
    grade = cells.get("grade") or "assumed"
    if grade not in GRADES:
        raise unknown("grade", grade, GRADES, where=f"{where}, grade")
    reason = cells.get("reason", "") or ("" if cells.get("record") else "set by the user")
    text = {name: cells.get(name, "") for name in ("unit", "record", "meaning", "process")}
    return Parameter(name=cells["name"], value=value, low=low, high=high, grade=grade, reason=reason, **text)


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"'{text}' is no number.", where=where) from None
    if not math.isfinite(value):
        raise InputError(f"'{text}' is not finite.", where=where)
    return value


def _fits(row: Parameter, known: Parameter | None, where: str) -> None:
    """Refuse a negative value of what cannot be negative, and another unit than the model's: values are never
    converted behind the user's back.
    """
    if known is None:
        return
    if row.value < 0 <= known.low:
        raise InputError(
            f"'{row.name}' cannot be negative.", where=where, hint=f"Plausible: {known.low:g} to {known.high:g}."
        )
    if not row.unit or row.unit == known.unit:
        return
    from rekindle.units import parse_unit

    if parse_unit(row.unit) != parse_unit(known.unit):
        raise InputError(
            f"'{row.name}' is in {known.unit or 'no unit'}, the table says {row.unit}.",
            where=where,
            hint=f"Give the value in {known.unit or 'no unit'}.",
        )


def _merged(row: Parameter, known: Parameter | None) -> Parameter:
    """The user's row, with what it leaves out taken from the table it changes."""
    if known is None:
        return row
    return replace(
        row,
        unit=row.unit or known.unit,
        meaning=row.meaning or known.meaning,
        process=row.process or known.process,
    )


def _bare(name: str, network: Network) -> Parameter:
    value = network.values[name]
    unit = network.units.get(name, "")
    return Parameter(name, value, unit, value, value, "assumed", "", "value of the user's model", "", "")


def sbml_of(model: Model, *, dose: str | None = None, weight_kg: float | None = None) -> str:
    """The model as SBML Level 3 Version 2; the doses of a sentence become its events.

    With a weight, a model that has the parameter `weight_kg` gets it.

    Raises:
        InputError: a sentence that cannot be read, a dose per kilogram without a weight, a weight that
        nobody has,
            doses for which a user's model has no way in.
        ModelError: the model cannot be written as SBML.
    """
    from rekindle.dosing import parse
    from rekindle.dosing.weights import Body, dosing_weight_kg
    from rekindle.engine.sbml_export import to_sbml
    from rekindle.engine.schedule import Schedule
    from rekindle.mechanism.delivery import deliver

    values: dict[str, float] = {}
    if weight_kg is not None:
        dosing_weight_kg("actual", Body(weight_kg=weight_kg))
        values = {"weight_kg": weight_kg} if "weight_kg" in model.network.parameters else {}
    if dose is None:
        return to_sbml(model.network, None, values)
    course = parse(dose)
    if course.needs_weight and weight_kg is None:
        raise InputError("A dose per kilogram needs a weight.", where="--weight", hint="Give --weight KG.")
    given = course.administrations(weight_kg=weight_kg)
    own = {name: row.value for name, row in model.parameters.items()}
    return to_sbml(model.network, Schedule(deliver(given, own)), values)


def antimony_of(model: Model) -> str:
    """The model as Antimony text: ours as it is written, process by process; a user's as its SBML reads back.

    Raises:
        ModelError: the model cannot be written as Antimony.
    """
    from rekindle.engine.sbml_export import to_sbml
    from rekindle.mechanism.assemble import antimony_text

    if model.is_ours:
        return antimony_text(model.changed)
    import antimony

    antimony.clearPreviousLoads()
    if antimony.loadSBMLString(to_sbml(model.network)) < 0:
        raise ModelError(f"The model cannot be written as Antimony: {antimony.getLastError()}", where=model.source)
    return str(antimony.getAntimonyString(None))

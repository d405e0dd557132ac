"""Numbers that nobody measured: the model's assumed parameters, each with its plausible range and its reason.

The catalogue knows no model. Whoever knows one hands in a function that reads the model's parameter table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rekindle.errors import InputError, unknown
from rekindle.evidence.grading import GRADES
from rekindle.units import Unit, parse_unit

PARAMETER_COLUMNS = (
    "name",
    "value",
    "unit",
    "low",
    "high",
    "grade",
    "record",
    "reason",
    "meaning",
    "process",
)


@dataclass(frozen=True)
class Assumption:
    """An assumed parameter: its value and plausible range in `unit`, the process it belongs to, and why."""

    name: str
    value: float
    low: float | None
    high: float | None
    unit: Unit
    reason: str
    meaning: str
    process: str

    def as_dict(self) -> dict[str, Any]:
        """The assumption as plain values, ready for JSON."""
        return {**asdict(self), "unit": str(self.unit)}


def assumed(read_parameters: Callable[[], Iterable[Mapping[str, str]]]) -> list[Assumption]:
    """The parameters graded `assumed`, by process and name.

    `read_parameters` gives the rows of a parameter table with the columns `PARAMETER_COLUMNS`.

    Raises:
        InputError: a column is missing, a grade is unknown, a number cannot be read, or an assumed parameter
            has no reason or a value outside its range.
    """
    found: list[Assumption] = []
    for row in read_parameters():
        name = row.get("name") or "?"
        missing = [column for column in PARAMETER_COLUMNS if row.get(column) is None]
        if missing:
            raise InputError(f"Column '{missing[0]}' is missing.", where=f"parameter '{name}'")
        if row["grade"] not in GRADES:
            raise unknown("grade", row["grade"], GRADES, where=f"parameter '{name}'")
        if row["grade"] == "assumed":
            found.append(_assumption(row))
    return sorted(found, key=lambda assumption: (assumption.process, assumption.name))


def _assumption(row: Mapping[str, str]) -> Assumption:
    where = f"parameter '{row['name']}'"
    value, low, high = (_number(row[column], column, where) for column in ("value", "low", "high"))
    if value is None:
        raise InputError("Column 'value' is empty.", where=where)
    if (low is not None and value < low) or (high is not None and value > high):
        raise InputError(f"Value {value:g} lies outside its range {row['low']} to {row['high']}.", where=where)
    if not row["reason"].strip() and not row["record"].strip():
        raise InputError("An assumed parameter needs a reason.", where=where)
    return Assumption(
        name=row["name"],
        value=value,
        low=low,
        high=high,
        unit=parse_unit(row["unit"] or "1"),
        reason=row["reason"],
        meaning=row["meaning"],
        process=row["process"],
    )


def _number(text: str, column: str, where: str) -> float | None:
    if not text.strip():
        return None
    try:
        number = float(text)
    except ValueError as error:
        raise InputError(f"Column '{column}' holds '{text}', not a number.", where=where) from error
    if not math.isfinite(number):
        raise InputError(f"Column '{column}' is not finite.", where=where)
    return number

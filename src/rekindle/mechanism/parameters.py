"""The model's parameters as a table: each value with its unit, plausible range, grade and evidence.

The pharmacokinetic rows stand in `pharmacokinetics.csv`, the pharmacodynamic ones in `parameters.csv`; both
have the same columns. A row names the evidence record that bears the value or the reason for assuming it.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rekindle.errors import ModelError

FOLDER = Path(__file__).parent
TABLES = ("pharmacokinetics.csv", "parameters.csv")
COLUMNS = ("name", "value", "unit", "low", "high", "grade", "record", "reason", "meaning", "process")
GRADES = ("human", "rodent", "assumed")


@dataclass(frozen=True)
class Parameter:
    """One parameter: `value` in `unit`, plausible between `low` and `high`, with its evidence.

    `grade` says where it was measured: human, rodent or assumed. `record` is the id of the evidence row,
    `reason` why the value was chosen where no row bears it alone, `meaning` what it is in words, `process`
    where it is used.
    """

    name: str
    value: float
    unit: str
    low: float
    high: float
    grade: str
    record: str
    reason: str
    meaning: str
    process: str


@lru_cache(maxsize=1)
def parameter_table() -> dict[str, Parameter]:
    """All parameters of the model by name, in the order of the tables.

    Raises:
        ModelError: a table lacks a column, repeats a name, or has a row without value, grade or evidence.

    >>> parameter_table()["clearance"].unit
    'L/h'
    """
    table: dict[str, Parameter] = {}
    for file in TABLES:
        path = FOLDER / file
        if path.is_file():
            for parameter in read_parameters(path):
                if parameter.name in table:
                    raise ModelError(f"Parameter '{parameter.name}' stands in two rows.", where=file)
                table[parameter.name] = parameter
    return table


def read_parameters(path: Path) -> list[Parameter]:
    """The parameters of one table file, in its order.

    Raises:
        ModelError: as for `parameter_table`, naming file and line.
    """
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ModelError(f"The columns must be {', '.join(COLUMNS)}.", where=path.name)
        return [_parameter(row, f"{path.name}, line {reader.line_num}") for row in reader]


def _parameter(row: dict[str, str], where: str) -> Parameter:
    name = row["name"]
    try:
        value, low, high = float(row["value"]), float(row["low"]), float(row["high"])
    except (TypeError, ValueError):
        raise ModelError(f"Parameter '{name}' needs numbers for value, low and high.", where=where) from None
    if not all(math.isfinite(number) for number in (value, low, high)) or not low <= value <= high:
        raise ModelError(f"Parameter '{name}': {value} is not inside {low} to {high}.", where=where)
    if row["grade"] not in GRADES:
        raise ModelError(f"Parameter '{name}' has grade '{row['grade']}'; known: {', '.join(GRADES)}.", where=where)
    if not row["record"] and not row["reason"]:
        raise ModelError(f"Parameter '{name}' has neither a record nor a reason.", where=where)
    texts = {key: row[key] for key in ("unit", "grade", "record", "reason", "meaning", "process")}
    return Parameter(name=name, value=value, low=low, high=high, **texts)

"""The small tables of this package: CSV files beside the code, read once, every cell checked.

A number that describes a population lives in such a table with the record it comes from, or with the reason
for assuming it; the code holds none.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from rekindle.errors import ModelError


@cache
def rows(name: str, package: str = "rekindle.population") -> tuple[Mapping[str, str], ...]:
    """The rows of a package table as mappings from column to text, each with its `line` in the file.

    Raises:
        ModelError: the table is missing, or a row has too many or too few cells.
    """
    path = files(package) / "data" / name
    if not path.is_file():
        raise ModelError("The table is missing.", where=f"{package}/data/{name}")
    return parse(path.read_text(encoding="utf-8"), name)


def parse(text: str, name: str) -> tuple[Mapping[str, str], ...]:
    """Rows of a CSV text as mappings from column to stripped cell.

    Raises:
        ModelError: a row has another number of cells than the header.
    """
    reader = csv.reader(text.splitlines())
    header = [cell.strip() for cell in next(reader, [])]
    found = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise ModelError(
                f"{len(cells)} cells where the header has {len(header)}.",
                where=f"{name}, line {reader.line_num}",
            )
        row = {column: cell.strip() for column, cell in zip(header, cells, strict=True)}
        found.append(row | {"line": str(reader.line_num)})
    return tuple(found)


def number(row: Mapping[str, str], column: str, name: str) -> float:
    """A cell as a finite number.

    Raises:
        ModelError: the cell is no finite number.
    """
    try:
        value = float(row[column])
    except (KeyError, ValueError):
        value = float("nan")
    if value != value or value in (float("inf"), float("-inf")):
        where = f"{name}, line {row.get('line', '?')}, column {column}"
        raise ModelError(f"'{row.get(column, '')}' is no finite number.", where=where)
    return value


def sourced(row: Mapping[str, str], name: str) -> None:
    """Check that a row names a record or gives a reason, and has a grade.

    Raises:
        ModelError: neither a record nor a reason, or an unknown grade.
    """
    where = f"{name}, line {row.get('line', '?')}"
    if not row.get("record") and not row.get("reason"):
        raise ModelError("A number needs a record or a reason.", where=where)
    if row.get("grade") not in ("human", "rodent", "assumed"):
        raise ModelError(f"Unknown grade '{row.get('grade', '')}'.", where=where, hint="human, rodent or assumed.")
    if row.get("grade") == "assumed" and not row.get("reason"):
        raise ModelError("An assumed number needs a reason.", where=where)


def table_path(name: str, package: str = "rekindle.population") -> Path:
    """Where a package table lies on disk, for messages."""
    return Path(str(files(package) / "data" / name))

"""People from a file: a CSV table, one row a person, checked cell by cell before anything is computed.

Needed are `age_years`, `sex` and `weight_kg`; every other column may be left out and is then filled with the
typical value of the population named (`People.filled` says which). A cell left empty in a column that is
there is an error: a blank is never a number.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rekindle.errors import InputError, unknown
from rekindle.population.covariates import KINDS, typical
from rekindle.population.people import People
from rekindle.population.schema import BY_NAME, COLUMNS, ETA, Column

NAMES = ("person", "id", "name")
LARGEST_BYTES = 200_000_000


def read_people(path: str | Path, *, kind: str = "treatment-resistant-depression") -> People:
    """The people of a CSV file; columns that it lacks hold the typical value of `kind`.

    Raises:
        InputError: the file cannot be read, is empty, badly encoded or too large; a column is unknown,
        doubled
            or missing; a cell is blank, no number or out of range; a row is too long or too short.
    """
    if kind not in KINDS:
        raise unknown("population", kind, KINDS)
    where = str(path)
    table = _table(_text(Path(path)), where)
    header = _header(table[0][1], where)
    if len(table) == 1:
        raise InputError("The table has a header but no people.", where=where)
    columns: dict[str, list[float | str]] = {name: [] for name in header}
    for line, cells in table[1:]:
        if len(cells) != len(header):
            raise InputError(f"{len(cells)} cells where the header has {len(header)}.", where=f"{where}, line {line}")
        for name, cell in zip(header, cells, strict=True):
            columns[name].append(_cell(name, cell.strip(), f"{where}, line {line}, column {name}"))
    return _complete(columns, [line for line, _ in table[1:]], kind, where)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError("The file is larger than 200 MB.", where=str(path), hint="Split it.")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"Byte {error.start} is not UTF-8.", where=str(path), hint="Save it as UTF-8.") from error
    except OSError as error:
        raise InputError(f"Cannot read the file: {error.strerror}.", where=str(path)) from error
    if not text.strip():
        raise InputError("The file is empty.", where=str(path), hint="A header line and one line a person.")
    if "\x00" in text:
        raise InputError("The file holds zero bytes.", where=str(path), hint="Save it as UTF-8 text.")
    return text


def _table(text: str, where: str) -> list[tuple[int, list[str]]]:
    """Lines that hold something, with their number in the file."""
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise InputError(f"Not a CSV table: {error}.", where=f"{where}, line {reader.line_num}") from error


def _header(cells: Sequence[str], where: str) -> list[str]:
    header = [cell.strip() for cell in cells]
    known = [*BY_NAME, "person"]
    for name in header:
        if name not in known and name not in NAMES and not (name.startswith(ETA) and len(name) > len(ETA)):
            raise unknown("column", name, known, where=f"{where}, line 1")
    doubled = sorted({name for name in header if header.count(name) > 1})
    if doubled:
        raise InputError(f"The column {doubled[0]} stands twice.", where=f"{where}, line 1")
    missing = [column.name for column in COLUMNS if column.required and column.name not in header]
    if missing:
        raise InputError(
            f"The column {missing[0]} is missing.",
            where=f"{where}, line 1",
            hint="Needed: age_years, sex, weight_kg.",
        )
    return header


def _cell(name: str, text: str, where: str) -> float | str:
    if not text:
        raise InputError("The cell is empty.", where=where, hint="Give a value, or leave the column out.")
    column = BY_NAME.get(name)
    if name in NAMES:
        return text
    if column is not None and column.kind == "category":
        if text not in column.categories:
            raise unknown(name, text, column.categories, where=where)
        return text
    try:
        value = float(text)
    except ValueError as error:
        raise InputError(f"'{text}' is no number.", where=where, hint=_range(column)) from error
    low, high = (column.low, column.high) if column else (-50.0, 50.0)
    if not low <= value <= high:
        raise InputError(f"{text} is out of range.", where=where, hint=_range(column))
    if column is not None and column.kind == "flag" and value not in (0.0, 1.0):
        raise InputError(f"{text} is neither 0 nor 1.", where=where, hint="0 for no, 1 for yes.")
    return value


def _range(column: Column | None) -> str:
    if column is None:
        return "A random effect lies between -50 and 50."
    unit = f" {column.unit}" if column.unit else ""
    return f"{column.meaning[0].upper()}{column.meaning[1:]}: {column.low:g} to {column.high:g}{unit}."


def _complete(columns: dict[str, list[float | str]], lines: list[int], kind: str, where: str) -> People:
    """The table with names, filled columns and checked bodies."""
    label = next((name for name in NAMES if name in columns), None)
    names = [str(name) for name in columns.pop(label)] if label else [str(row + 1) for row in range(len(lines))]
    seen: set[str] = set()
    for name, line in zip(names, lines, strict=True):
        if name in seen:
            raise InputError(f"The person {name} stands twice.", where=f"{where}, line {line}")
        seen.add(name)
    complete: list[dict[str, float | str]] = []
    for row, line in enumerate(lines):
        given = {name: values[row] for name, values in columns.items()}
        _check_body(given, f"{where}, line {line}")
        complete.append(typical(kind, str(given["sex"]), given))
    order = [column.name for column in COLUMNS if column.name in complete[0]]
    order += [name for name in columns if name.startswith(ETA)]
    table = {name: np.asarray([person[name] for person in complete]) for name in order}
    filled = tuple(name for name in order if name not in columns)
    return People(table, kind=kind, filled=filled, names=tuple(names))


def _check_body(given: dict[str, float | str], where: str) -> None:
    if {"height_cm", "bmi"} <= set(given):
        expected = float(given["weight_kg"]) / (float(given["height_cm"]) / 100.0) ** 2
        if abs(float(given["bmi"]) / expected - 1.0) > 0.03:
            raise InputError(
                f"bmi is {given['bmi']} but weight and height give {expected:.1f}.",
                where=where,
                hint="Leave one of the three out.",
            )

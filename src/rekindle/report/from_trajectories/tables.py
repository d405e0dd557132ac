"""The report's own tables: what is drawn, under which name, against which line, and on whose word."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from rekindle.errors import ModelError


@cache
def table(name: str) -> tuple[Mapping[str, str], ...]:
    """The rows of `data/<name>.csv`, each a mapping from column to words.

    Raises:
        ModelError: a row has more or fewer cells than the head.
    """
    text = (files("rekindle.report") / "data" / f"{name}.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise ModelError("The row has other cells than the head.", where=f"report/data/{name}.csv, row {number}")
    return tuple(rows)


def words(cell: str) -> tuple[str, ...]:
    """The words of a cell that holds several, separated by semicolons."""
    return tuple(word for word in (part.strip() for part in cell.split(";")) if word)

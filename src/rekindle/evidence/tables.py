"""The catalogue's files: comma-separated tables in UTF-8, read row by row with the place of every mistake."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from rekindle.errors import InputError

KINDS = (".csv", ".yaml", ".py")


def package_data() -> Traversable:
    """The folder of tables that ships with the package."""
    return files("rekindle.evidence") / "data"


def shipped() -> tuple[bytes, ...]:
    """All that what is read from the package's tables depends on: the tables, and the programs that read them."""
    folder = Path(__file__).parent
    files_here = sorted(each for each in folder.rglob("*") if each.suffix in KINDS)
    return tuple(each.read_bytes() for each in (*files_here, folder.parent / "units.py"))


def read_table(folder: Traversable, name: str, required: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row of `name` as (place, column to text); the place is `name, line N`.

    Raises:
        InputError: the file is missing, is not UTF-8, lacks a required column, or has a row of another
        length.
    """
    file = folder / name
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"Evidence table '{name}' cannot be read.", where=str(folder)) from error
    except UnicodeDecodeError as error:
        raise InputError(f"Evidence table '{name}' is not UTF-8.", where=str(folder)) from error
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval=None)
    absent = [column for column in required if column not in (reader.fieldnames or ())]
    if absent:
        raise InputError(f"Column '{absent[0]}' is missing.", where=name, hint=f"Columns: {', '.join(required)}.")
    for row in reader:
        place = f"{name}, line {reader.line_num}"
        if "" in row or any(text is None for text in row.values()):
            raise InputError(f"The row has not {len(reader.fieldnames or ())} columns.", where=place)
        yield place, dict(row)

"""The catalogue's files: comma-separated tables in UTF-8, read row by row with the place of every mistake."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from rekindle.errors import InputError


def package_data() -> Traversable:
    """The folder of tables that ships with the package."""
    return files("rekindle.evidence") / "data"


def read_table(
    folder: Traversable, name: str, required: tuple[str, ...]
) -> Iterator[tuple[str, dict[str, str]]]:
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
        raise InputError(
            f"Column '{absent[0]}' is missing.", where=name, hint=f"Columns: {', '.join(required)}."
        )
    for row in reader:
        place = f"{name}, line {reader.line_num}"
        if "" in row or any(text is None for text in row.values()):
            raise InputError(f"The row has not {len(reader.fieldnames or ())} columns.", where=place)
        yield place, dict(row)

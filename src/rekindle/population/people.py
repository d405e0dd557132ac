"""A table of people: one row a person, one column a covariate or a random effect, frozen once made.

Columns are numpy arrays: numbers and flags as 64-bit floats (flags 0 or 1), categories as text. Taking rows,
joining tables and writing them never changes a value: a file written and read again gives the same bits.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError, unknown
from rekindle.population.schema import BY_NAME, ETA

Values = NDArray[Any]


def _frozen(values: Values) -> Values:
    copy = np.array(values)
    copy.setflags(write=False)
    return copy


@dataclass(frozen=True, eq=False)
class People:
    """People as columns of equal length; `start` is the number of the first person in the seeded sequence.

    `kind` names the population (or the file), `filled` the columns that a file did not give and that hold the
    typical value instead. `people["weight_kg"]` is a column, `people[3]` a person as a mapping from column to
    value, `people["female"]` the derived flag.
    """

    columns: Mapping[str, Values]
    kind: str = "people"
    start: int = 0
    filled: tuple[str, ...] = ()
    names: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        frozen = {name: _frozen(values) for name, values in self.columns.items()}
        lengths = {len(values) for values in frozen.values()}
        if len(lengths) > 1:
            raise InputError(f"Columns of different lengths: {sorted(lengths)}.", where=self.kind)
        object.__setattr__(self, "columns", MappingProxyType(frozen))
        if not self.names:
            count = lengths.pop() if lengths else 0
            object.__setattr__(self, "names", tuple(map(str, range(self.start + 1, self.start + count + 1))))

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[dict[str, float | str]]:
        return (self[row] for row in range(len(self)))

    @overload
    def __getitem__(self, key: str) -> Values: ...
    @overload
    def __getitem__(self, key: int) -> dict[str, float | str]: ...

    def __getitem__(self, key: str | int) -> Values | dict[str, float | str]:
        """A column by name (shape people), or a person by number.

        Raises:
            InputError: no such column.
            IndexError: no such person.
        """
        if isinstance(key, str):
            if key == "female":
                return np.asarray(self["sex"] == "female", dtype=np.float64)
            if key not in self.columns:
                raise unknown("column", key, self.columns, where=self.kind)
            return self.columns[key]
        return {name: values[key].item() for name, values in self.columns.items()}

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def eta(self, parameter: str) -> NDArray[np.float64]:
        """Random effect of a model parameter (shape people); zeros when the table has none."""
        if ETA + parameter in self.columns:
            return np.asarray(self.columns[ETA + parameter], dtype=np.float64)
        return np.zeros(len(self))

    @property
    def etas(self) -> tuple[str, ...]:
        """Names of the parameters that have a random effect in this table."""
        return tuple(name.removeprefix(ETA) for name in self.columns if name.startswith(ETA))

    def take(self, rows: Sequence[int] | slice | NDArray[np.intp] | NDArray[np.bool_]) -> People:
        """The people at `rows` (numbers, a slice or a mask), in that order."""
        index = np.arange(len(self))[rows]
        start = self.start + int(index[0]) if len(index) else self.start
        columns = {name: values[index] for name, values in self.columns.items()}
        names = tuple(self.names[row] for row in index.tolist())
        return replace(self, columns=columns, start=start, names=names)

    def with_columns(self, **columns: Values | float | str) -> People:
        """The same people with columns set; a single value is given to everybody.

        Raises:
            InputError: a name that is neither a known column nor a random effect, or a value out of range.
        """
        merged = dict(self.columns)
        for name, values in columns.items():
            if name not in BY_NAME and not name.startswith(ETA):
                raise unknown("column", name, BY_NAME, where=self.kind)
            merged[name] = check_column(name, np.broadcast_to(np.asarray(values), (len(self),)), self.kind)
        return replace(self, columns=merged, filled=tuple(name for name in self.filled if name not in columns))

    def to_csv(self, path: str | Path) -> None:
        """Write the table, one row a person, numbers in the shortest form that reads back to the same bits.

        Raises:
            InputError: the file cannot be written.
        """
        try:
            with Path(path).open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(["person", *self.columns])
                for row, name in enumerate(self.names):
                    writer.writerow([name, *(_cell(values[row]) for values in self.columns.values())])
        except OSError as error:
            raise InputError(f"Cannot write the table: {error.strerror}.", where=str(path)) from error


def check_column(name: str, values: Values, where: str) -> Values:
    """The values of a column when all can be meant; numbers as 64-bit floats.

    Raises:
        InputError: a value that is not finite, out of range or an unknown category.
    """
    known = BY_NAME.get(name)
    if known is not None and known.kind == "category":
        for value in np.unique(values.astype(str)):
            if value not in known.categories:
                raise unknown(name, value, known.categories, where=where)
        return values.astype(str)
    numbers = np.asarray(values, dtype=np.float64)
    low, high = (known.low, known.high) if known else (-np.inf, np.inf)
    wrong = ~np.isfinite(numbers) | (numbers < low) | (numbers > high)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{name} of person {row + 1} is {numbers[row]:g}.",
            where=where,
            hint=f"It lies between {low:g} and {high:g}.",
        )
    return numbers


def concat(tables: Sequence[People]) -> People:
    """One table of all people, in order; columns that a table lacks are refused.

    Raises:
        InputError: no table, or tables with different columns.
    """
    if not tables:
        raise InputError("No people to join.")
    first = tables[0]
    for table in tables[1:]:
        odd = set(first.columns) ^ set(table.columns)
        if odd:
            raise InputError(f"The tables differ in the columns {', '.join(sorted(odd))}.", where="concat")
    columns = {name: np.concatenate([table.columns[name] for table in tables]) for name in first.columns}
    kinds = list(dict.fromkeys(table.kind for table in tables))
    filled = tuple(dict.fromkeys(name for table in tables for name in table.filled))
    names = tuple(name for table in tables for name in table.names)
    return People(columns, kind=" and ".join(kinds), start=first.start, filled=filled, names=names)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    return repr(float(value))

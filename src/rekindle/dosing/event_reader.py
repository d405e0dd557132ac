"""Reading an event table from a CSV file, with every fault shown by file, line and column.

Columns are known by name in upper or lower case; any other column is a covariate and holds numbers. "." and an
empty cell are missing, as is "NA". Without an EVID column a row with an amount is a dose and any other an
observation, as in NM-TRAN.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from rekindle.documents import read_text
from rekindle.dosing.event import DOSE, OBSERVATION, Carry, Event
from rekindle.dosing.event_table import EventTable
from rekindle.errors import InputError, UnsupportedError, nearest, unknown

COLUMNS = (
    "ID", "TIME", "EVID", "AMT", "CMT", "RATE", "DUR", "II", "ADDL", "SS", "DV", "MDV", "DVID", "OCC",
    "LIMIT", "CENS",
)  # fmt: skip
REFUSED = {
    "DATE": "calendar dates", "DAT1": "calendar dates", "DAT2": "calendar dates", "DAT3": "calendar dates",
    "PCMT": "a prediction compartment", "CALL": "calls within a record", "CONT": "continued records",
    "XVID1": "extra event identifiers", "RAW_": "raw data repeats", "MRG_": "merged records",
    "L1": "nested levels", "L2": "correlated records",
}  # fmt: skip
LARGEST_BYTES = 256 * 2**20
MISSING = ("", ".", "NA")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def read_events(
    path: str | Path,
    *,
    carry: Carry | None = None,
    replace_evid: int | None = None,
    compartments: Mapping[str, str] | None = None,
    default_compartment: str | None = None,
) -> EventTable:
    """The event table in a CSV file (UTF-8, commas, one header line; times in hours).

    `carry` says how a covariate that changes in time holds between rows ("NOCB" or "LOCF"); there is no
    default. `replace_evid` (5 or 8) allows rows that replace a compartment's content. `compartments` gives the
    name of each compartment by its CMT cell; without it the cell is the name. `default_compartment` takes the
    doses of a table without a CMT column.

    Raises:
        InputError: the file cannot be read, or a row makes no sense; file, line and column are named.
        UnsupportedError: a column or a code that is not supported, by name.
    """
    source = str(path)
    rows = list(_rows(_text(Path(path), source), source))
    if not rows:
        raise InputError("The event table holds no cells.", where=source, hint=f"Columns: {' '.join(COLUMNS)}.")
    header = _header(rows[0][1], source)
    covariates = tuple(name for name in header if name not in COLUMNS)
    reader = _Reader(source, header, covariates, compartments, default_compartment)
    if len(rows) == 1:
        raise InputError("The event table has a header and no rows.", where=source)
    events = tuple(reader.event(line, cells) for line, cells in rows[1:])
    labels = tuple(sorted((cell, name) for cell, name in (compartments or {}).items() if cell != name))
    return EventTable(events, covariates, carry, replace_evid, labels, source)


def _text(path: Path, source: str) -> str:
    text = read_text(path, kind="event table", largest_bytes=LARGEST_BYTES)
    if "\x00" in text:
        raise InputError("The file is not text: it holds zero bytes.", where=source, hint="Save it as CSV, UTF-8.")
    return text


def _rows(text: str, source: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield reader.line_num, stripped
    except csv.Error as error:
        raise InputError(f"Not a CSV file: {error}.", where=f"{source}, line {reader.line_num}") from None


def _header(cells: list[str], source: str) -> list[str]:
    where = f"{source}, line 1"
    names = [cell.upper() if cell.upper() in (*COLUMNS, *REFUSED) else cell for cell in cells]
    if len(cells) == 1 and re.search(r"[;\t ]", cells[0]):
        raise UnsupportedError("The columns are not separated by commas.", where=where, hint="Save it as CSV.")
    seen: dict[str, str] = {}
    for place, name in enumerate(names, start=1):
        if not name:
            raise InputError(f"Column {place} has no name.", where=where)
        if _NUMBER.fullmatch(name):
            raise InputError(f"The first line holds numbers ({name}).", where=where, hint="Give a header line.")
        if name in REFUSED:
            raise UnsupportedError(f"Column {name} ({REFUSED[name]}) is not supported.", where=where)
        if name.upper() in seen:
            raise InputError(f"Column {name} appears twice.", where=where, hint="Column names ignore case.")
        seen[name.upper()] = name
    for needed in ("ID", "TIME"):
        if needed not in names:
            near = nearest(needed, names)
            raise InputError(f"Column {needed} is missing.", where=where, hint=f"Near: {near[0]}." if near else None)
    if "AMT" not in names and "EVID" not in names:
        raise InputError("Columns EVID and AMT are both missing.", where=where, hint="A dose needs AMT.")
    return names


class _Reader:
    """Turns cells into events; knows the header."""

    def __init__(
        self,
        source: str,
        header: list[str],
        covariates: tuple[str, ...],
        compartments: Mapping[str, str] | None,
        default_compartment: str | None,
    ) -> None:
        self.source = source
        self.header = header
        self.covariates = covariates
        self.compartments = compartments
        self.default_compartment = default_compartment

    def event(self, line: int, cells: list[str]) -> Event:
        """One row as an event."""
        if len(cells) != len(self.header):
            raise InputError(
                f"The row has {len(cells)} cells and the header {len(self.header)}.",
                where=f"{self.source}, line {line}",
            )
        row = dict(zip(self.header, cells, strict=True))
        amount = self._number(row, "AMT", line) or 0.0
        evid = self._whole(row, "EVID", line)
        if evid is None:
            evid = DOSE if amount != 0 else OBSERVATION
        value = self._number(row, "DV", line)
        return Event(
            person=self._identity(row, line),
            time_h=self._time(row, line),
            evid=evid,
            amount=amount,
            compartment=self._compartment(row, evid, line),
            rate=self._number(row, "RATE", line) or 0.0,
            duration_h=self._number(row, "DUR", line) or 0.0,
            interval_h=self._number(row, "II", line) or 0.0,
            additional=self._whole(row, "ADDL", line) or 0,
            steady_state=self._whole(row, "SS", line) or 0,
            value=value,
            observed=self._observed(row, evid, value, line),
            dvid=None if row.get("DVID", "") in MISSING else row["DVID"],
            occasion=self._whole(row, "OCC", line),
            limit=self._number(row, "LIMIT", line),
            censored=self._whole(row, "CENS", line) or 0,
            covariates=tuple(self._number(row, name, line) for name in self.covariates),
            line=line,
        )

    def _where(self, line: int, column: str) -> str:
        return f"{self.source}, line {line}, column {column}"

    def _number(self, row: Mapping[str, str], column: str, line: int) -> float | None:
        cell = row.get(column, "")
        if cell in MISSING:
            return None
        if not _NUMBER.fullmatch(cell):
            finite = cell.lstrip("+-").lower() not in ("nan", "inf", "infinity")
            wrong = f"'{cell}' is not a {'' if finite else 'finite '}number."
            hint = 'A missing value is ".".' if finite or "n" in cell[:1].lower() else "It should be a finite number."
            if column == "TIME" and ":" in cell:
                raise UnsupportedError("Clock times are not supported.", where=self._where(line, column),
                                       hint="Give hours as a number.")  # fmt: skip
            raise InputError(wrong, where=self._where(line, column), hint=hint)
        return float(cell)

    def _whole(self, row: Mapping[str, str], column: str, line: int) -> int | None:
        number = self._number(row, column, line)
        if number is None:
            return None
        if number != int(number) if abs(number) < 1e15 else True:
            raise InputError(f"{column} is {number:g}.", where=self._where(line, column), hint="A whole number.")
        return int(number)

    def _identity(self, row: Mapping[str, str], line: int) -> str:
        if row["ID"] in MISSING:
            raise InputError("The row has no ID.", where=self._where(line, "ID"))
        return row["ID"]

    def _time(self, row: Mapping[str, str], line: int) -> float:
        time = self._number(row, "TIME", line)
        if time is None:
            raise InputError("The row has no TIME.", where=self._where(line, "TIME"), hint="Hours, as a number.")
        return time

    def _compartment(self, row: Mapping[str, str], evid: int, line: int) -> str | None:
        if "CMT" not in row:
            return self.default_compartment if evid not in (0, 2, 3) else None
        cell = row["CMT"]
        if cell in MISSING or cell == "0" or (evid == 3 and not cell.startswith("-")):
            return None
        if self.compartments is None or cell.startswith("-"):
            return cell
        if cell in self.compartments:
            return self.compartments[cell]
        if cell in self.compartments.values():
            return cell
        known = [*self.compartments, *self.compartments.values()]
        raise unknown("compartment", cell, known, where=self._where(line, "CMT"))

    def _observed(self, row: Mapping[str, str], evid: int, value: float | None, line: int) -> bool:
        missing = self._whole(row, "MDV", line)
        if missing is None:
            return evid == OBSERVATION and value is not None
        if missing not in (0, 1):
            raise UnsupportedError(f"MDV {missing} is not supported.", where=self._where(line, "MDV"), hint="0 or 1.")
        return missing == 0

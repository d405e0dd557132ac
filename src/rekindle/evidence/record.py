"""One published number and what honest use of it needs: what, in whom, how sure, who said it, who checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rekindle.errors import InputError
from rekindle.evidence.grading import Grade, grade
from rekindle.evidence.source import Source
from rekindle.evidence.values import Value, read_spread, read_time_h, read_value
from rekindle.units import Unit, parse_unit

COLUMNS = (
    "id",
    "topic",
    "quantity",
    "drug",
    "route",
    "dose",
    "population",
    "n",
    "time",
    "value",
    "unit",
    "spread",
    "spread_kind",
    "source",
    "doi",
    "url",
    "seen",
    "note",
)
VERDICTS = ("confirmed", "wrong", "ambiguous", "not found", "not checked")
SPREAD_KINDS = ("none", "SD", "SE", "CI95", "CI90", "CV%", "IIV-CV%", "IIV-SD logit", "GSD", "range")
_NORMAL_95 = 1.96


@dataclass(frozen=True)
class Reading:
    """What a second reader, who looked the source up blind, said of a row."""

    verdict: str
    correction: str = ""
    url: str = ""


@dataclass(frozen=True)
class Correction:
    """A unit or kind of spread that the row prints as one thing and means as another, with the reason."""

    unit: str
    spread_kind: str
    reason: str


@dataclass(frozen=True)
class Record:
    """A row of evidence. Times are hours after the first dose, values are in `unit`.

    `seen` says whether a stored text of the address was read; a record that was not is from memory or derived
    and is never scored on. `fit` is filled in records that this project derived, and says how well they fit.
    """

    id: str
    table: str
    topic: str
    quantity: str
    drug: str
    route: str
    dose: str
    population: str
    n: int | None
    time: str
    time_h: tuple[float, float] | None
    value: Value
    printed_value: str
    unit: Unit
    unit_correction: str
    spread: tuple[float | None, ...]
    spread_kind: str
    printed_spread: str
    printed_spread_kind: str
    source: Source
    seen: bool
    note: str
    grade: Grade
    reading: Reading | None = None
    fit: str = ""

    @property
    def kind(self) -> str:
        """Which of the seven kinds the value is."""
        return self.value.kind

    @property
    def number(self) -> float:
        """The value as one float: the number itself, or the middle of a range.

        Raises:
            InputError: the record is a pair, a date, or says only a direction.
        """
        if self.kind in {"number", "statistic", "verdict"}:
            return self.value.values[0]
        if self.kind == "range":
            return sum(self.value.values) / 2
        raise InputError(f"Record '{self.id}' is not one number: it is a {self.kind}.")

    @property
    def interval(self) -> tuple[float, float] | None:
        """Low and high that the record allows: its range, or a 95 % interval of its mean where one follows.

        From an SE, or from an SD and n, the interval is 1.96 standard errors each way. None where the record
        gives neither, and for spreads between people (CV%, between-subject variability). Around a geometric
        mean (`GSD`) the interval is a factor each way.
        """
        if self.kind == "range":
            return (self.value.values[0], self.value.values[1])
        if self.kind not in {"number", "statistic"}:
            return None
        if self.spread_kind in {"CI95", "CI90", "range"} and len(self.spread) == 2:
            low, high = self.spread
            return (-math.inf if low is None else low, math.inf if high is None else high)
        if self.spread_kind == "GSD" and self.n and self.spread[0] is not None:
            factor = math.exp(_NORMAL_95 * math.log(self.spread[0]) / math.sqrt(self.n))
            return (self.number / factor, self.number * factor)
        error = self._standard_error()
        return None if error is None else (self.number - _NORMAL_95 * error, self.number + _NORMAL_95 * error)

    @property
    def flags(self) -> tuple[str, ...]:
        """What a reader must know before using the record; empty for a record read, checked and confirmed."""
        said: list[str] = []
        if not self.seen:
            said.append("not read: from memory or derived")
        if self.reading is not None and self.reading.verdict == "wrong":
            said.append("second reader: wrong")
        elif self.reading is not None and self.reading.verdict in {"ambiguous", "not found"}:
            said.append(f"second reader: {self.reading.verdict}")
        if self.unit_correction and self.spread_kind != (self.printed_spread_kind or "none"):
            said.append(f"spread read as {self.spread_kind}")
        elif self.unit_correction:
            said.append(f"unit read as {self.unit}")
        if self.table == "derived":
            said.append("derived by this project")
        return tuple(said)

    @property
    def shown(self) -> str:
        """Value, unit and spread in a line, such as `-16.5 points (SE 1.60)`."""
        unit = "" if str(self.unit) in {"1", "boolean", "sign", "date", "calendar year"} else f" {self.unit}"
        value = {"verdict": "yes" if self.value.values == (1.0,) else "no"}.get(self.kind, self.printed_value)
        if self.kind == "direction only" and not self.value.values:
            value, unit = self.printed_value or "direction only", ""
        elif self.kind == "direction only":
            value = " / ".join("up" if sign > 0 else "down" for sign in self.value.values)
        spread = f" ({self.spread_kind} {self.printed_spread})" if self.printed_spread else ""
        return f"{value}{unit}{spread}"

    def as_dict(self) -> dict[str, Any]:
        """The record as plain values, ready for JSON."""
        return {
            "id": self.id,
            "table": self.table,
            "topic": self.topic,
            "quantity": self.quantity,
            "drug": self.drug,
            "route": self.route,
            "dose": self.dose,
            "population": self.population,
            "n": self.n,
            "time": self.time,
            "time_h": list(self.time_h) if self.time_h else None,
            "kind": self.kind,
            "values": list(self.value.values),
            "date": self.value.date.isoformat() if self.value.date else None,
            "approximate": self.value.approximate,
            "printed_value": self.printed_value,
            "unit": str(self.unit),
            "unit_correction": self.unit_correction or None,
            "spread": list(self.spread),
            "spread_kind": self.spread_kind,
            "source": self.source.citation,
            "doi": self.source.doi or None,
            "url": self.source.url or None,
            "seen": self.seen,
            "grade": self.grade,
            "second_reading": None
            if self.reading is None
            else {"verdict": self.reading.verdict, "correction": self.reading.correction or None},
            "flags": list(self.flags),
            "note": self.note,
            "fit": self.fit or None,
        }

    def row(self) -> dict[str, str]:
        """The columns as the table prints them, so that a record read and written again is the same row."""
        printed = {
            "n": "" if self.n is None else str(self.n),
            "value": self.printed_value,
            "unit": self.unit.printed,
            "spread": self.printed_spread,
            "spread_kind": self.printed_spread_kind,
            "source": self.source.citation,
            "doi": self.source.doi,
            "url": self.source.url,
            "seen": "yes" if self.seen else "no",
        }
        return {column: printed.get(column, str(getattr(self, column, ""))) for column in COLUMNS}

    def _standard_error(self) -> float | None:
        if len(self.spread) != 1 or self.spread[0] is None:
            return None
        if self.spread_kind == "SE":
            return self.spread[0]
        if self.spread_kind == "SD" and self.n is not None and self.n > 1:
            return self.spread[0] / math.sqrt(self.n)
        return None


def read_record(
    row: Mapping[str, str],
    *,
    table: str,
    correction: Correction | None = None,
    reading: Reading | None = None,
    where: str | None = None,
) -> Record:
    """The record that a row of a table holds.

    Raises:
        InputError: a column is missing or empty where it must not be, or a value, unit, spread or number of
            people cannot be read; the message names `where`.
    """
    try:
        return _read(row, table, correction, reading)
    except InputError as error:
        message = f"{error.where}: {error.message}" if error.where else error.message
        raise InputError(message, where=where or row.get("id"), hint=error.hint) from error


def _read(row: Mapping[str, str], table: str, correction: Correction | None, reading: Reading | None) -> Record:
    missing = [column for column in COLUMNS if row.get(column) is None]
    if missing:
        raise InputError(f"Column '{missing[0]}' is missing.", hint=f"Columns: {', '.join(COLUMNS)}.")
    for column in ("id", "topic", "quantity", "drug", "route", "unit", "source"):
        if not row[column].strip():
            raise InputError(f"Column '{column}' is empty.")
    if row["seen"] not in {"yes", "no"}:
        raise InputError(f"Column 'seen' is '{row['seen']}'.", hint="Write 'yes' or 'no'.")
    unit = parse_unit(correction.unit if correction else row["unit"])
    spread_kind = (correction.spread_kind if correction else "") or row["spread_kind"] or "none"
    if spread_kind not in SPREAD_KINDS:
        raise InputError(f"Spread kind '{spread_kind}' is unknown.", hint=f"Known: {', '.join(SPREAD_KINDS)}.")
    if row["n"] and not row["n"].isdigit():
        raise InputError(f"Number of people '{row['n']}' is not a whole number.")
    return Record(
        id=row["id"],
        table=table,
        topic=row["topic"],
        quantity=row["quantity"],
        drug=row["drug"],
        route=row["route"],
        dose=row["dose"],
        population=row["population"],
        n=int(row["n"]) if row["n"] else None,
        time=row["time"],
        time_h=read_time_h(row["time"]),
        value=read_value(row["value"], unit),
        printed_value=row["value"],
        unit=Unit(unit.factors, row["unit"]),
        unit_correction=correction.reason if correction else "",
        spread=read_spread(row["spread"]),
        spread_kind=spread_kind,
        printed_spread=row["spread"],
        printed_spread_kind=row["spread_kind"],
        source=Source(row["source"], row["doi"], row["url"]),
        seen=row["seen"] == "yes",
        note=row["note"],
        grade=grade(
            record_id=row["id"],
            topic=row["topic"],
            quantity=row["quantity"],
            population=row["population"],
            source=row["source"],
            refitted=table == "derived",
        ),
        reading=reading,
        fit=row.get("fit") or "",
    )

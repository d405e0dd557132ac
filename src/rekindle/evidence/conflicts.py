"""Rows that measure the same thing and disagree, kept side by side instead of averaged.

Two ways lead here. Some conflicts were named by people who read the sources, with the likely cause
(`data/conflicts.csv`). The rest are found: records are comparable when they are of the same measure
(`data/measures.csv`, or the very same wording), the same grade, age group and dimension, and agree on
whatever the measure asks for (drug, route, dose, time). They disagree when two of them, from different
publications, have intervals that do not meet; a value without an interval is given a tenth each way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources.abc import Traversable
from itertools import combinations

from rekindle.errors import InputError
from rekindle.evidence.record import Record
from rekindle.evidence.tables import package_data, read_table
from rekindle.units import convert

_PARENTS = ("racemic-ketamine", "esketamine", "arketamine")
_WITHOUT_INTERVAL = 0.1
_CHILDREN = re.compile(r"^(?!.*adult).*\b(child(ren)?|adolescents?|paediatric)\b", re.IGNORECASE)
_DEPENDS_ON_WHO_CAME = re.compile(r"(, mean|baseline mean|class share.*|number of subjects.*)$")


@dataclass(frozen=True)
class Conflict:
    """Records that disagree: what they measure, and the cause where someone has named it."""

    name: str
    title: str
    cause: str
    records: tuple[str, ...]
    named: bool


@dataclass(frozen=True)
class Measure:
    """A quantity under its many wordings, and which columns must agree before two rows are compared."""

    name: str
    title: str
    includes: re.Pattern[str]
    excludes: re.Pattern[str] | None
    agree_on: tuple[str, ...]
    component: int

    def covers(self, record: Record) -> bool:
        """Whether the record is of this measure."""
        if self.includes.search(record.quantity) is None:
            return False
        return (
            self.excludes is None or self.excludes.search(f"{record.quantity} | {record.drug} | {record.dose}") is None
        )


def read_named_conflicts(folder: Traversable) -> list[Conflict]:
    """The conflicts that readers named, from `conflicts.csv`.

    Raises:
        InputError: the table is malformed, or a conflict lists no record or one record twice.
    """
    found: list[Conflict] = []
    for place, row in read_table(folder, "conflicts.csv", ("name", "title", "cause", "records")):
        records = tuple(row["records"].split())
        if not records or len(set(records)) < len(records):
            raise InputError("A conflict lists each of its records once.", where=place)
        found.append(Conflict(row["name"], row["title"], row["cause"], records, named=True))
    return found


def found_conflicts(records: Iterable[Record]) -> list[Conflict]:
    """Groups of comparable records of which at least two disagree, in the order their first record has."""
    groups: dict[_Key, list[Record]] = {}
    for record in records:
        for key in _keys(record):
            groups.setdefault(key, []).append(record)
    conflicts: dict[tuple[str, ...], Conflict] = {}
    for key, group in groups.items():
        members = tuple(record.id for record in group)
        if members not in conflicts and _disagree(group, key.component):
            conflicts[members] = Conflict(key.name, key.title, "", members, named=False)
    return list(conflicts.values())


@dataclass(frozen=True)
class _Key:
    """What makes records comparable: the measure, the columns they agree on, and the dimension."""

    measure: str
    agreed: tuple[str, ...]
    dimension: str
    component: int = 0

    @property
    def title(self) -> str:
        said = [part for part in self.agreed if part]
        return f"{self.measure} ({', '.join(said)})" if said else self.measure

    @property
    def name(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.title.casefold()).strip("-")


def _extent(record: Record, component: int) -> tuple[float, float] | None:
    """Low and high that the record allows; of a pressure pair, the component asked for."""
    if record.kind == "pair" and str(record.unit) == "mmHg" and component < len(record.value.values):
        value = record.value.values[component]
    elif record.kind in {"number", "statistic", "range"}:
        value = record.number
    else:
        return None
    interval = record.interval
    if interval is None:
        slack = abs(value) * _WITHOUT_INTERVAL
        interval = (value - slack, value + slack)
    return interval


def _keys(record: Record) -> list[_Key]:
    grade = record.grade if record.grade != "human" else ""
    children = "children" if _CHILDREN.search(record.population) else ""
    dimension = record.unit.dimension

    def agreed(columns: Iterable[str]) -> tuple[str, ...]:
        return (*(_column(record, column) for column in columns), grade, children)

    keys = [
        _Key(measure.title, agreed(measure.agree_on), dimension, measure.component)
        for measure in _measures()
        if measure.covers(record) and _extent(record, measure.component) is not None
    ]
    comparable = _DEPENDS_ON_WHO_CAME.search(record.quantity) is None and record.time_h != (0.0, 0.0)
    if not keys and comparable and _extent(record, 0) is not None:
        keys.append(_Key(record.quantity, agreed(("drug", "route", "dose", "time")), dimension))
    return keys


def _column(record: Record, column: str) -> str:
    if column == "family":
        return "ketamine" if record.drug in _PARENTS else record.drug
    if column == "dose":
        return _dose(record.dose)
    if column == "time":
        return "" if record.time_h is None else " to ".join(f"{hour:g} h" for hour in sorted({*record.time_h}))
    return str(getattr(record, column)).replace("none", "")


def _dose(text: str) -> str:
    """The amount and how often, without the words around them: `0.5 mg/kg`, `0.5 mg/kg x6`."""
    amount = re.search(r"\d+(?:\.\d+)?(?:[-/]\d+(?:\.\d+)?)?\s*(?:mg/kg|mg|ug/kg)", text)
    if amount is None:
        return text.casefold()
    often = re.search(r"x\s?\d+\b|\dx/week", text)
    return " ".join(part.group().replace(" ", "") for part in (amount, often) if part)


def _disagree(group: list[Record], component: int) -> bool:
    return any(
        one.source.citation != other.source.citation and not _meet(one, other, component)
        for one, other in combinations(group, 2)
    )


def _meet(one: Record, other: Record, component: int) -> bool:
    first, second = _extent(one, component), _extent(other, component)
    if first is None or second is None:
        return True
    factor = convert(1.0, other.unit, one.unit)
    low, high = second[0] * factor, second[1] * factor
    return low <= first[1] and first[0] <= high


@cache
def _measures() -> tuple[Measure, ...]:
    columns = ("name", "title", "includes", "excludes", "agree_on", "component")
    return tuple(
        Measure(
            row["name"],
            row["title"],
            re.compile(row["includes"], re.IGNORECASE),
            re.compile(row["excludes"], re.IGNORECASE) if row["excludes"] else None,
            tuple(row["agree_on"].split()),
            int(row["component"] or 0),
        )
        for _, row in read_table(package_data(), "measures.csv", columns)
    )

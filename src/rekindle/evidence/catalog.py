"""The catalogue: every record by its id, found by topic, drug, route or words; conflicts kept together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from importlib.resources.abc import Traversable

from rekindle.errors import InputError, unknown
from rekindle.evidence.conflicts import Conflict, found_conflicts, read_named_conflicts
from rekindle.evidence.record import COLUMNS, VERDICTS, Correction, Reading, Record, read_record
from rekindle.evidence.source import bibliography
from rekindle.evidence.tables import package_data, read_table, shipped
from rekindle.evidence.values import KINDS
from rekindle.evidence.vocabulary import drug_names, route_matches, route_names
from rekindle.keeping import kept

TABLES = ("pk", "mechanism", "safety", "efficacy", "derived")


class Catalog:
    """All records; a value that does not change after it is made.

    `model_readings` holds what the second reader said of earlier models, under names such as `model:RK-1-iv`.
    """

    def __init__(
        self,
        records: Iterable[Record],
        named_conflicts: Iterable[Conflict] = (),
        model_readings: Mapping[str, Reading] | None = None,
    ) -> None:
        self._records = {record.id: record for record in records}
        self._named = tuple(named_conflicts)
        self.model_readings = dict(model_readings or {})
        for conflict in self._named:
            for record_id in conflict.records:
                self.get(record_id, where=f"conflict '{conflict.name}'")

    @classmethod
    def load(cls, folder: Traversable | None = None) -> Catalog:
        """The catalogue in a folder of tables; that of the package when none is given.

        Raises:
            InputError: a table is missing or malformed, an id occurs twice, or a reading, correction or named
                conflict is about a record that does not exist.
        """
        folder = folder or package_data()
        readings = _read_readings(folder)
        corrections = _read_corrections(folder)
        records: dict[str, Record] = {}
        for table in TABLES:
            for place, row in read_table(folder, f"{table}.csv", COLUMNS):
                record = read_record(
                    row,
                    table=table,
                    correction=corrections.get(row["id"]),
                    reading=readings.get(row["id"]),
                    where=place,
                )
                if record.id in records:
                    raise InputError(f"Record '{record.id}' occurs twice.", where=place)
                records[record.id] = record
        for name in (*readings, *corrections):
            if name not in records and not name.startswith("model:"):
                raise unknown("record", name, records, where="second_reading.csv or unit_corrections.csv")
        about_models = {name: reading for name, reading in readings.items() if name.startswith("model:")}
        return cls(records.values(), read_named_conflicts(folder), about_models)

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def __contains__(self, record_id: object) -> bool:
        return record_id in self._records

    def get(self, record_id: str, *, where: str | None = None) -> Record:
        """The record of that id.

        Raises:
            InputError: there is none; the nearest ids are offered.
        """
        if record_id not in self._records:
            raise unknown("record", record_id, self._records, where=where)
        return self._records[record_id]

    def select(
        self,
        *,
        topic: str | None = None,
        drug: str | None = None,
        route: str | None = None,
        text: str | None = None,
        kind: str | None = None,
        grade: str | None = None,
        seen: bool | None = None,
    ) -> list[Record]:
        """Records that meet every condition given, in the order of the tables.

        `drug` and `route` take the project's words (`ketamine`, `sublingual-film`) or the tables'. `text`
        is one or more words, each of which must occur in the id, quantity, dose, population, source or
        note.

        Raises:
            InputError: a topic, drug, route, kind or grade that no record has; the nearest are offered.
        """
        for name, word, known in (
            ("topic", topic, self.topics),
            ("kind", kind, KINDS),
            ("grade", grade, ("human", "rodent", "assumed")),
        ):
            if word is not None and word not in known:
                raise unknown(name, word, known, where="evidence")
        drugs = drug_names(drug, self.drugs) if drug is not None else None
        routes = route_names(route, self.routes) if route is not None else None
        words = (text or "").casefold().split()
        return [
            record
            for record in self
            if (topic is None or record.topic == topic)
            and (drugs is None or record.drug in drugs)
            and (routes is None or route_matches(record, routes))
            and (kind is None or record.kind == kind)
            and (grade is None or record.grade == grade)
            and (seen is None or record.seen == seen)
            and all(word in _searched(record) for word in words)
        ]

    @property
    def topics(self) -> list[str]:
        """Topics that occur, in alphabetical order."""
        return sorted({record.topic for record in self})

    @property
    def drugs(self) -> list[str]:
        """Drugs that occur, in alphabetical order."""
        return sorted({record.drug for record in self})

    @property
    def routes(self) -> list[str]:
        """Routes that occur, in alphabetical order."""
        return sorted({record.route for record in self})

    @cached_property
    def _conflicts(self) -> tuple[Conflict, ...]:
        named = [set(conflict.records) for conflict in self._named]
        found = found_conflicts(self)
        return (
            *self._named,
            *(one for one in found if not any(named_one >= {*one.records} for named_one in named)),
        )

    def conflicts(
        self,
        *,
        topic: str | None = None,
        drug: str | None = None,
        route: str | None = None,
        text: str | None = None,
    ) -> list[Conflict]:
        """Groups of records that measure the same thing and disagree: the named ones, then those found.

        A group is kept when at least one of its records meets the conditions (as in `select`).

        Raises:
            InputError: a topic, drug or route that no record has.
        """
        kept = {record.id for record in self.select(topic=topic, drug=drug, route=route, text=text)}
        return [conflict for conflict in self._conflicts if kept.intersection(conflict.records)]

    def conflicts_of(self, record_id: str) -> list[Conflict]:
        """The groups that a record belongs to.

        Raises:
            InputError: there is no such record.
        """
        record = self.get(record_id)
        return [conflict for conflict in self._conflicts if record.id in conflict.records]

    def citations(self, record_ids: Iterable[str]) -> list[str]:
        """The sources of these records, one line each, in alphabetical order.

        Raises:
            InputError: one of the records does not exist.
        """
        return bibliography(self.get(record_id).source for record_id in record_ids)

    def flagged(self, record_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Those of these records that were not read, or that the second reader doubts, with what was said.

        Raises:
            InputError: one of the records does not exist.
        """
        records = [self.get(record_id) for record_id in record_ids]
        return {record.id: record.flags for record in records if record.flags}


@cache
def catalog() -> Catalog:
    """The catalogue that ships with the package, read once a machine and then kept on disk."""
    return kept("catalogue", Catalog, shipped, Catalog.load)


def _searched(record: Record) -> str:
    parts = (record.id, record.quantity, record.dose, record.population, record.source.citation, record.note)
    return " ".join(parts).casefold()


def _read_readings(folder: Traversable) -> dict[str, Reading]:
    readings: dict[str, Reading] = {}
    for place, row in read_table(folder, "second_reading.csv", ("id", "verdict", "correction", "url")):
        if row["verdict"] not in VERDICTS:
            raise unknown("verdict", row["verdict"], VERDICTS, where=place)
        if row["id"] in readings:
            raise InputError(f"Record '{row['id']}' was read twice.", where=place)
        readings[row["id"]] = Reading(row["verdict"], row["correction"], row["url"])
    return readings


def _read_corrections(folder: Traversable) -> dict[str, Correction]:
    columns = ("id", "printed", "unit", "spread_kind", "reason")
    return {
        row["id"]: Correction(row["unit"], row["spread_kind"], row["reason"])
        for _, row in read_table(folder, "unit_corrections.csv", columns)
    }

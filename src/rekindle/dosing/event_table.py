"""Event tables: what happened to each person and when, in the columns that NONMEM made common.

A row is an `Event`: an observation, a dose, a reset, or a change of covariates, at a time in hours. An
`EventTable` holds the rows of several people, one after another, and is valid once it exists. Reading is in
`event_reader`, writing in `event_writer`, and the unfolding of additional doses, lag, bioavailability and
covariates into elementary events in `expansion`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from rekindle.dosing.event import CARRIES, Carry, Event
from rekindle.dosing.event_checks import check_table
from rekindle.errors import InputError, unknown


@dataclass(frozen=True)
class EventTable:
    """Rows of people, a person's rows together and in time order.

    `carry` has to be chosen when a covariate changes in time or is missing somewhere. `labels` gives the CMT
    cell of each compartment's name where they differ. `replace_evid` is the code, 5 or 8, of rows that replace
    a compartment's content.

    Raises:
        InputError: a row that makes no sense, times going back, a person in two places, or a covariate that
            changes without a carry rule; file, line and column are named.
    """

    events: tuple[Event, ...]
    covariates: tuple[str, ...] = ()
    carry: Carry | None = None
    replace_evid: int | None = None
    labels: tuple[tuple[str, str], ...] = ()
    source: str = field(default="event table", compare=False)

    def __post_init__(self) -> None:
        if self.carry is not None and self.carry not in CARRIES:
            raise unknown("carry rule", self.carry, CARRIES)
        if self.replace_evid not in (None, 5, 8):
            raise InputError(
                f"EVID {self.replace_evid} cannot mean replace.",
                hint="8 (as in mrgsolve) or 5 (as in rxode2).",
            )
        check_table(self)

    @cached_property
    def _rows(self) -> Mapping[str, tuple[Event, ...]]:
        rows: dict[str, list[Event]] = {}
        for event in self.events:
            rows.setdefault(event.person, []).append(event)
        return {person: tuple(found) for person, found in rows.items()}

    @property
    def people(self) -> tuple[str, ...]:
        """The people, in the order of the table."""
        return tuple(self._rows)

    def of(self, person: str) -> tuple[Event, ...]:
        """One person's rows.

        Raises:
            InputError: no such person.
        """
        if person not in self._rows:
            raise unknown("person", person, self._rows, where=self.source)
        return self._rows[person]

    def place(self, event: Event, column: str = "") -> str:
        """Where a row is, for an error: file, line and column."""
        line = f", line {event.line}" if event.line else ""
        return f"{self.source}{line}{f', column {column}' if column else ''}"

    def label(self, compartment: str | None) -> str:
        """The CMT cell for a compartment."""
        if compartment is None:
            return "."
        return next((cell for cell, name in self.labels if name == compartment), compartment)

    def covariate_changes(self, person: str) -> Iterator[tuple[float, str, float]]:
        """(time in hours, name, value) from which each covariate holds for a person, by the carry rule.

        The first of each name is at the person's first row. Under NOCB a value holds from the row before the
        one that states it; under LOCF from that row on.
        """
        rows = self.of(person)
        times = list(dict.fromkeys(event.time_h for event in rows))
        for index, name in enumerate(self.covariates):
            stated = [
                (event.time_h, value) for event in rows for value in (event.covariates[index],) if value is not None
            ]
            held: float | None = None
            for start, value in _holding(stated, times, self.carry):
                if value != held:
                    yield start, name, value
                    held = value


def _holding(
    stated: Sequence[tuple[float, float]], times: Sequence[float], carry: Carry | None
) -> Iterator[tuple[float, float]]:
    """(time from which, value) of one covariate: a step function from its stated values."""
    if not stated:
        return
    if carry != "NOCB":
        latest = dict(stated)  # the last row of a time speaks for it
        yield times[0], latest.get(times[0], stated[0][1])
        yield from ((time, latest[time]) for time in times[1:] if time in latest)
        return
    first: dict[float, float] = {}
    for time, value in stated:
        first.setdefault(time, value)  # the interval that ends at a time ends at its first row
    yield times[0], stated[0][1]
    before = times[0]
    for time in times[1:]:
        if time in first:
            yield before, first[time]
            before = time


def join(tables: Sequence[EventTable]) -> EventTable:
    """Several people's tables as one, in order.

    Raises:
        InputError: no tables, or tables that differ in covariates, carry rule, labels or replace code.
    """
    if not tables:
        raise InputError("There are no event tables to join.")
    first = tables[0]
    for table in tables[1:]:
        if (table.covariates, table.carry, table.labels, table.replace_evid) != (
            first.covariates, first.carry, first.labels, first.replace_evid,
        ):  # fmt: skip
            raise InputError("Event tables that differ in covariates, carry rule or compartments cannot be joined.")
    return replace(first, events=tuple(event for table in tables for event in table.events))

"""What a model predicts for every record of an event table: a user's own model, parameters and data, end to end.

The model is Antimony or SBML, the data a CSV in NONMEM's columns, the parameters a table `name,value`. Rekindle's
own model takes a course's table too (CMT by drug and route, see `rekindle.dosing.COMPARTMENTS`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.dosing.course_table import COMPARTMENTS, administrations_of
from rekindle.dosing.event import OBSERVATION, OTHER, Carry, Event
from rekindle.dosing.event_reader import read_events
from rekindle.dosing.event_table import EventTable
from rekindle.dosing.expansion import Intake
from rekindle.engine.network import Network
from rekindle.engine.schedule import Event as Happening
from rekindle.engine.schedule import Observe, Schedule, Set
from rekindle.errors import InputError, unknown
from rekindle.event_schedule import EventMap, event_map, looking, require_look, schedule_of
from rekindle.models import Model, at_the_middle, open_model

if TYPE_CHECKING:
    from rekindle.engine.backends import Backend

Floats = NDArray[np.float64]

LOOKED = (OBSERVATION, OTHER)
"""Rows for which there is a prediction: observations, and rows that are there to be predicted."""


@dataclass(frozen=True)
class Predictions:
    """One row a record that is looked at (EVID 0 and 2), in the table's order.

    `values` has shape (records, outputs), in the model's units, NaN for a person who could not be solved; those
    are in `failures` with the reason. `carry` is the rule by which covariates held between rows, if one was
    needed.
    """

    outputs: tuple[str, ...]
    records: tuple[Event, ...]
    values: Floats
    carry: Carry | None = None
    failures: tuple[tuple[str, str], ...] = ()

    def __getitem__(self, name: str) -> Floats:
        """One output, shape (records,).

        Raises:
            InputError: an output that was not asked for.
        """
        if name not in self.outputs:
            raise unknown("output", name, self.outputs)
        return np.asarray(self.values[:, self.outputs.index(name)], dtype=np.float64)

    @property
    def times_h(self) -> Floats:
        """Hours of the records, shape (records,)."""
        return np.array([record.time_h for record in self.records], dtype=np.float64)

    def csv(self) -> str:
        """The predictions as CSV: ID, TIME, DVID, DV and a column an output; "." is missing."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["ID", "TIME", "DVID", "DV", *self.outputs])
        for record, row in zip(self.records, self.values.tolist(), strict=True):
            value = "." if record.value is None else repr(record.value)
            shown = ["." if np.isnan(each) else repr(each) for each in row]
            writer.writerow([record.person, repr(record.time_h), record.dvid or ".", value, *shown])
        return stream.getvalue()


def simulate_events(
    model: Network | Model | str | Path | None,
    table: EventTable | str | Path,
    outputs: Sequence[str] | None = None,
    *,
    parameters: str | Path | None = None,
    carry: Carry | None = None,
    compartments: Mapping[str, str] | None = None,
    default_compartment: str | None = None,
    covariates: Mapping[str, str] | None = None,
    ignored: Collection[str] = (),
    intakes: Mapping[str, Intake] | None = None,
    backend: Backend = "reference",
    relative_tolerance: float | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Predictions:
    """What a model predicts for each person of an event table, record by record.

    `model` is a file (Antimony or SBML), a model or network already read, or None for Rekindle's, which stands in
    the middle of the calibrated ensemble. `parameters` is a CSV of values that replace the model's. `table` is a
    CSV or a table; `carry` ("NOCB" or "LOCF") says how covariates that change hold between rows and has no default;
    `default_compartment` takes the doses of a file without CMT. `compartments`, `covariates`, `ignored` and
    `intakes` are as for `event_map`. `outputs` are states, formulas or parameters; by default all states and
    formulas.

    Raises:
        InputError: a file that cannot be read, or a table and a model that do not fit, with the line.
        UnsupportedError: something the table asks for that no solver here follows, by name.
    """
    from rekindle.engine.backends import solve
    from rekindle.engine.lower import lower

    network, ours = _network(model, parameters)
    read = _table(table, carry, default_compartment)
    names = tuple(outputs) if outputs is not None else (*network.states, *network.assignments)
    network.require(names)
    by_course = ours and not compartments and _is_course(read)
    way = (
        EventMap(network, {}, event_map(network, _undosed(read), covariates=covariates, ignored=ignored).parameters)
        if by_course
        else event_map(
            network, read, compartments=compartments, covariates=covariates, ignored=ignored, intakes=intakes
        )
    )
    ready = [(_of_course if by_course else schedule_of)(way, read, person) for person in read.people]
    lowered = lower(network)
    rows = np.array([[values[name] for name in lowered.parameters] for _, values in ready])
    solution = solve(
        lowered, rows, [schedule for schedule, _ in ready], names,
        backend=backend, relative_tolerance=relative_tolerance, threads=threads, progress=progress,
    )  # fmt: skip
    records, values = _collected(read, solution.values)
    failures = tuple((read.people[failure.person], failure.reason) for failure in solution.failures)
    return Predictions(names, records, values, read.carry, failures)


def _network(model: Network | Model | str | Path | None, parameters: str | Path | None) -> tuple[Network, bool]:
    """The equations, and whether they are Rekindle's own."""
    if isinstance(model, (Network, Model)):
        if parameters is not None:
            raise InputError("A table of parameters goes with a model file.", hint="Use open_model(file, parameters).")
        network = at_the_middle(model).network if isinstance(model, Model) else model
        network.require_values()
        return network, isinstance(model, Model) and model.is_ours
    opened = open_model(None if model is None else Path(model), None if parameters is None else Path(parameters))
    return at_the_middle(opened).network, opened.is_ours


def _table(table: EventTable | str | Path, carry: Carry | None, default_compartment: str | None) -> EventTable:
    if isinstance(table, EventTable):
        if carry is not None or default_compartment is not None:
            raise InputError("The carry rule and the compartment belong to the table that was read already.")
        return table
    return read_events(table, carry=carry, default_compartment=default_compartment)


def _is_course(table: EventTable) -> bool:
    """Whether every dose goes into a compartment of a course's table, by number or by name."""
    cells = {event.compartment for event in table.events if event.is_dose and event.compartment}
    return bool(cells) and all(cell in COMPARTMENTS or cell in COMPARTMENTS.values() for cell in cells)


def _undosed(table: EventTable) -> EventTable:
    """The same people, covariates and carry rule, with nothing given."""
    blank = tuple(
        replace(event, evid=OTHER, amount=0.0, compartment=None, rate=0.0, duration_h=0.0, interval_h=0.0,
                additional=0, steady_state=0, observed=False)
        for event in table.events
    )  # fmt: skip
    return replace(table, events=blank, replace_evid=None)


def _of_course(way: EventMap, table: EventTable, person: str) -> tuple[Schedule, dict[str, float]]:
    """A person's schedule when the table holds a course: doses by drug and route, divided as they enter."""
    from rekindle.mechanism.delivery import NEEDED, deliver

    require_look(table, person)
    named = tuple(
        replace(event, compartment=COMPARTMENTS.get(event.compartment or "", event.compartment))
        for event in table.events
    )
    blank, values = schedule_of(way, _looking_on(table, person), person)
    given = administrations_of(replace(table, events=named), person)
    doses = deliver(given, {name: values[name] for name in NEEDED})
    first = {row.time_h: place for place, row in reversed(list(enumerate(table.of(person)))) if row.is_dose}
    rows = table.of(person)
    looks = [
        (row.time_h, 2 if place > first.get(row.time_h, len(rows)) else 0, Observe(row.time_h))
        for place, row in enumerate(rows)
        if row.evid in LOOKED
    ]
    entries: list[tuple[float, int, Happening]] = [(dose.time, 1, dose) for dose in doses]
    entries += looks
    change = -1 if table.carry == "LOCF" else 3
    entries += [(event.time, change, event) for event in blank.events if isinstance(event, Set)]
    entries.sort(key=lambda entry: entry[:2])
    return looking([event for _, _, event in entries], rows[0].time_h), values


def _looking_on(table: EventTable, person: str) -> EventTable:
    """One person's rows with nothing given."""
    return _undosed(replace(table, events=table.of(person)))


def _collected(table: EventTable, solved: NDArray[np.floating[Any]]) -> tuple[tuple[Event, ...], Floats]:
    """The records looked at and their rows of values, person after person."""
    records: list[Event] = []
    values = []
    for number, person in enumerate(table.people):
        looked = [event for event in table.of(person) if event.evid in LOOKED]
        records += looked
        values.append(solved[number, : len(looked)])
    return tuple(records), np.concatenate(values).astype(np.float64)

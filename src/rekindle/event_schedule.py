"""From a person's rows in an event table to what a solver does to them, for any model.

An `EventMap` says where each compartment of the table lies in the model, which column sets which parameter, and
how each compartment takes its doses. What a table says that a model cannot follow is refused by name. Times are
hours; amounts are in the unit of the state that takes them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rekindle.dosing import elementary
from rekindle.dosing.event import OBSERVATION, OTHER
from rekindle.dosing.event_table import EventTable
from rekindle.dosing.expansion import Intake, expand
from rekindle.engine.network import Network
from rekindle.engine.schedule import SAME_TIME_H, Bolus, Infusion, Observe, Reset, Schedule, Set, SteadyState
from rekindle.engine.schedule import Event as Happening
from rekindle.errors import InputError, UnsupportedError, unknown
from rekindle.event_intakes import intakes_of, needed


@dataclass(frozen=True)
class EventMap:
    """How a table's compartments and columns enter a model.

    `targets` gives the state (or the input parameter, for infusions) of each compartment that takes a dose,
    `parameters` the parameter that each covariate column sets. `intakes` says how a compartment takes its doses;
    one that is not named there follows the model's Fn, ALAGn, Rn and Dn (n the CMT number, or the state's place
    in the model) or F_name, ALAG_name, R_name, D_name, where there are such parameters or formulas.
    """

    network: Network
    targets: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)
    intakes: Mapping[str, Intake] = field(default_factory=dict)


def event_map(
    network: Network,
    table: EventTable,
    *,
    compartments: Mapping[str, str] | None = None,
    covariates: Mapping[str, str] | None = None,
    ignored: Collection[str] = (),
    intakes: Mapping[str, Intake] | None = None,
) -> EventMap:
    """The way from a table into a model.

    A compartment is found in `compartments` (CMT cell to state), or it is a state's or parameter's name, or a
    number: the place of a state in the model, from 1. A covariate is found in `covariates` (column to
    parameter), or it has a parameter's name; `ignored` columns are left alone.

    Raises:
        InputError: a compartment or column that the model does not have, with line and near names.
    """
    given = dict(compartments or {})
    for name in given.values():
        _require_target(network, name, "compartments")
    targets: dict[str, str] = {}
    for event in table.events:
        cell = event.compartment
        if cell is not None and cell not in targets and (event.is_dose or event.evid == table.replace_evid):
            targets[cell] = given[cell] if cell in given else _target(network, cell, table.place(event, "CMT"))
    for cell in intakes or {}:
        if cell not in targets:
            raise unknown("compartment", cell, targets, where="intakes")
    return EventMap(network, targets, _columns(network, table, covariates or {}, ignored), intakes or {})


def _require_target(network: Network, name: str, where: str) -> None:
    known = (*network.states, *network.parameters)
    if name not in known:
        raise unknown("state or input parameter", name, known, where=where)


def _target(network: Network, cell: str, where: str) -> str:
    if cell.isdigit():
        if not 1 <= int(cell) <= len(network.states):
            states = ", ".join(f"{number} {name}" for number, name in enumerate(network.states[:8], start=1))
            more = ", ..." if len(network.states) > 8 else ""
            raise InputError(f"The model has no compartment {cell}.", where=where, hint=f"It has {states}{more}.")
        return network.states[int(cell) - 1]
    _require_target(network, cell, where)
    return cell


def _columns(
    network: Network, table: EventTable, covariates: Mapping[str, str], ignored: Collection[str]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for column in (*covariates, *ignored):
        if column not in table.covariates:
            raise unknown("column", column, table.covariates, where=table.source)
    for column in table.covariates:
        if column in ignored:
            continue
        name = covariates.get(column, column)
        if name in network.derived or name in network.assignments:
            raise InputError(
                f"'{name}' is a formula of the model, so column {column} cannot set it.",
                where=table.source,
                hint=f'Ignore the column: ignored=["{column}"].',
            )
        if name not in network.parameters:
            raise unknown("parameter for column", name, network.parameters, where=table.source)
        found[column] = name
    return found


def require_look(table: EventTable, person: str) -> None:
    """Refuse a person whom nobody looks at.

    Raises:
        InputError: no row with EVID 0 or 2.
    """
    rows = table.of(person)
    if not any(row.evid in (OBSERVATION, OTHER) for row in rows):
        raise InputError(
            f"Person {person} has no row to look at.", where=table.place(rows[0]), hint="Give rows with EVID 0 or 2."
        )


def schedule_of(events: EventMap, table: EventTable, person: str) -> tuple[Schedule, dict[str, float]]:
    """One person's schedule, and the values of all parameters at their first row.

    Every observation (EVID 0) and every other row (EVID 2) is looked at, at its place in the record order. A
    covariate that changes is set from the time that the table's carry rule gives.

    Raises:
        InputError: no such person, nobody looks, the data and the model disagree on a rate or duration.
        UnsupportedError: a replaced compartment, a dose at once into an input, a bioavailability or lag that
            changes in time, a value worked out once from a covariate that changes.
    """
    rows = table.of(person)
    require_look(table, person)
    looked = tuple(replace(row, evid=OBSERVATION) if row.evid == OTHER else row for row in rows)
    own = replace(table, events=looked)
    values, changes = _first_values(events, own, person)
    _check_changing(events.network, {name for _, name, _ in changes}, person)
    intakes = dict(
        intakes_of(
            own, person, events.network, events.targets, events.intakes,
            values=values, changing={name for _, name, _ in changes},
        )
    )  # fmt: skip
    happenings = list(_happenings(events, own, expand(own, person, intakes)))
    return looking(happenings, rows[0].time_h), values


def looking(happenings: Sequence[Happening], start: float) -> Schedule:
    """The schedule of these events in which whoever looks when nothing else happens does not interrupt.

    A solver starts afresh at every event, so only looks beside an event keep their place among the events.
    """
    busy = np.sort([event.time for event in happenings if not isinstance(event, Observe)])

    def alone(event: Happening) -> bool:
        if not isinstance(event, Observe):
            return False
        place = int(np.searchsorted(busy, event.time - SAME_TIME_H))
        return place == len(busy) or bool(busy[place] > event.time + SAME_TIME_H)

    times = tuple(event.time for event in happenings if alone(event))
    return Schedule(tuple(event for event in happenings if not alone(event)), times, start)


def _first_values(
    events: EventMap, table: EventTable, person: str
) -> tuple[dict[str, float], list[tuple[float, str, float]]]:
    """All parameters' values at the first row, and the changes after it."""
    values = dict(events.network.values)
    changes: list[tuple[float, str, float]] = []
    seen: set[str] = set()
    for time, column, value in table.covariate_changes(person):
        if column not in events.parameters:
            continue
        name = events.parameters[column]
        if name in seen:
            changes.append((time, name, value))
        else:
            values[name] = value
            seen.add(name)
    return values, changes


def _check_changing(network: Network, changing: Collection[str], person: str) -> None:
    """Refuse what is worked out once, at the start, from something that changes later."""
    for name in network.derived:
        causes = sorted(needed(network, name) & set(changing))
        if causes:
            raise UnsupportedError(
                f"'{name}' is worked out once, at the start, from '{causes[0]}', which changes in time "
                f"(person {person}).",
                where=f"model '{network.name}'",
                hint=f"Write '{name} := ...' in the model, so that it follows.",
            )


def _happenings(events: EventMap, table: EventTable, found: Collection[elementary.Elementary]) -> Iterator[Happening]:
    """Elementary events on the model's states and parameters, in the same order."""
    seen: set[str] = set()
    owed, since = 0, 0.0  # what a steady state leaves running comes with the engine's own event
    for what in found:
        if isinstance(what, elementary.Infusion) and owed and what.time_h == since:
            owed -= 1
        elif isinstance(what, elementary.SteadyState):
            owed, since = _left_running(what), what.time_h
            yield _steady(events, what)
        elif isinstance(what, (elementary.Bolus, elementary.Infusion)):
            yield _dose(events, what)
        elif isinstance(what, elementary.Reset):
            owed = 0
            yield Reset(what.time_h)
        elif isinstance(what, elementary.Observation):
            yield Observe(what.time_h)
        elif isinstance(what, elementary.Covariate):
            name = events.parameters.get(what.name)
            if name is not None and name in seen:
                yield Set(what.time_h, name, what.value)
            seen.add(name or "")
        elif isinstance(what, elementary.Replace):
            raise UnsupportedError(
                f"Replacing what a compartment holds (EVID {table.replace_evid}) is not supported.",
                where=f"{table.source}, {what.compartment} at {what.time_h:g} h",
            )


def _left_running(what: elementary.SteadyState) -> int:
    """How many infusions of a steady state's train still run; `expand` writes each out after it."""
    count = 0
    if what.rate > 0 and what.interval_h > 0:
        while what.lag_h - (count + 1) * what.interval_h + what.duration_h > 1e-12 * what.duration_h:
            count += 1
    return count


def _steady(events: EventMap, what: elementary.SteadyState) -> SteadyState:
    if what.interval_h == 0:  # an infusion without end is one that lasts from each repeat to the next
        unending = elementary.Infusion(0.0, what.compartment, what.rate, 1.0)
        return SteadyState(what.time_h, (_dose(events, unending),), 1.0, add=what.adds)
    dose: elementary.Bolus | elementary.Infusion = elementary.Bolus(what.lag_h, what.compartment, what.amount)
    if what.rate > 0:
        dose = elementary.Infusion(what.lag_h, what.compartment, what.rate, what.duration_h)
    return SteadyState(what.time_h, (_dose(events, dose),), what.interval_h, add=what.adds)


def _dose(events: EventMap, what: elementary.Bolus | elementary.Infusion) -> Bolus | Infusion:
    target = events.targets[what.compartment]
    if isinstance(what, elementary.Infusion) and what.duration_h > SAME_TIME_H:
        return Infusion(what.time_h, target, what.rate, what.duration_h)
    if target not in events.network.states:
        raise UnsupportedError(
            f"'{target}' is an input and takes infusions only, not a dose at once at {what.time_h:g} h.",
            hint="Give RATE or DUR, or name a state.",
        )
    amount = what.amount if isinstance(what, elementary.Bolus) else what.rate * what.duration_h
    return Bolus(what.time_h, target, amount)

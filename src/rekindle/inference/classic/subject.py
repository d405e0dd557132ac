"""One person of an event table, ready to be predicted: schedules, parameter rows, measurements, occasions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rekindle.dosing.event import OBSERVATION, Event
from rekindle.dosing.event_table import EventTable
from rekindle.engine.lower import Lowered
from rekindle.engine.network import Network
from rekindle.engine.schedule import SAME_TIME_H, Observe, Schedule, Set, SteadyState
from rekindle.engine.schedule import Event as Happening
from rekindle.errors import InputError, SolverError, UnsupportedError, unknown
from rekindle.event_intakes import needed
from rekindle.event_schedule import EventMap, schedule_of
from rekindle.inference.classic.measured import Measurements
from rekindle.inference.classic.population import Array, MeasurementError, Method, Population
from rekindle.predictions import LOOKED

STEP = 1e-3
"""Step of a central difference, in standard deviations of an effect, where exact derivatives are not to be had."""
DIFFERENCE_TOLERANCE = 1e-9
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Subject:
    """A person: what was given and measured, under a population model.

    A vector of effects holds the person's own, then those of each occasion in `occasions`, in the population's
    units (standard deviations are those of its matrices).
    """

    population: Population
    lowered: Lowered
    way: EventMap
    table: EventTable
    person: str
    occasions: tuple[int, ...]
    schedule: Schedule
    values: Mapping[str, float]
    measurements: tuple[Measurements, ...]

    @property
    def size(self) -> int:
        """How many effects there are."""
        return len(self.population.effects) + len(self.population.occasion_effects) * len(self.occasions)

    @property
    def labels(self) -> tuple[str, ...]:
        """A name of every effect: the parameter, or parameter and occasion."""
        extra = self.population.occasion_effects
        return (*self.population.names, *(f"{name}@{occasion}" for occasion in self.occasions for name in extra))

    @cached_property
    def prior(self) -> Array:
        """Covariance of all effects."""
        return self.population.prior(len(self.occasions))

    @cached_property
    def exact(self) -> bool:
        """Whether the solver's own derivatives hold.

        They do not where an effect changes at an occasion, moves a dose (lag, bioavailability), or where a schedule
        has a steady state; central differences are taken there.
        """
        steady = any(isinstance(event, SteadyState) for event in self.schedule.events)
        return not (self.occasions or steady or self.moves_doses)

    @cached_property
    def moves_doses(self) -> bool:
        """Whether an effect changes when, how much or how fast a dose goes in."""
        steps = np.diag(np.sqrt(np.diag(self.prior)))
        return any(self._scheduled(self.parameters(step)[:1], always=True) != self.schedule for step in steps)

    def parameters(self, effects: Array) -> list[dict[str, float]]:
        """The person's parameters at first, then on each later occasion (one set without occasions)."""
        population = self.population
        extra = len(population.occasion_effects)
        sets = []
        for number in range(max(len(self.occasions), 1)):
            own = np.array(effects[: len(population.effects)], dtype=np.float64)
            for place in range(extra if self.occasions else 0):
                column = population.names.index(population.occasion_effects[place])
                own[column] += effects[len(population.effects) + number * extra + place]
            sets.append(
                {
                    effect.parameter: float(effect.values(self.values[effect.parameter], own[column]))
                    for column, effect in enumerate(population.effects)
                }
            )
        return sets

    def predictions(self, effects: Array) -> Array:
        """Predictions at every look, shape (candidates, looks, outputs), for effects of shape (candidates, size).

        A candidate that cannot be solved has NaN.
        """
        return self._solve(effects, None)

    def sensitivities(self, effects: Array) -> tuple[Array, Array]:
        """Predictions (looks, outputs) and their derivatives (looks, outputs, size) at one vector of effects.

        Raises:
            SolverError: the person cannot be solved there.
        """
        if not self.exact:
            return self._differences(effects)
        from rekindle.engine.sensitivities import solve_sensitivities

        chosen = self.parameters(effects)[0]
        names = self.population.names
        found = solve_sensitivities(
            self.lowered, self._row(chosen)[None], self.schedule, self.population.outputs, names, threads=1
        )
        if found.failures:
            raise SolverError(f"Person {self.person} could not be solved: {found.failures[0].reason}.")
        slopes = np.array([effect.slopes(np.array(chosen[effect.parameter])) for effect in self.population.effects])
        return found.values[0], found.jacobian[0] * slopes

    def _differences(self, effects: Array) -> tuple[Array, Array]:
        steps = STEP * np.sqrt(np.diag(self.prior))
        moved = np.concatenate([effects[None], effects + np.diag(steps), effects - np.diag(steps)])
        solved = self._solve(moved, DIFFERENCE_TOLERANCE)
        if not np.isfinite(solved).all():
            raise SolverError(f"Person {self.person} could not be solved near these effects.")
        up, down = solved[1 : 1 + self.size], solved[1 + self.size :]
        return solved[0], np.moveaxis((up - down) / (2.0 * steps[:, None, None]), 0, -1)

    def _solve(self, effects: Array, tolerance: float | None) -> Array:
        from rekindle.engine.backends import solve

        sets = [self.parameters(row) for row in np.atleast_2d(effects)]
        schedules = [self._scheduled(each) for each in sets]
        able = [number for number, schedule in enumerate(schedules) if schedule is not None]
        if not able:
            return np.full((len(sets), 1, len(self.population.outputs)), np.nan)
        solution = solve(
            self.lowered,
            np.array([self._row(sets[number][0]) for number in able]),
            [schedule for schedule in schedules if schedule is not None],
            self.population.outputs,
            relative_tolerance=tolerance or TOLERANCE,
            threads=1,
        )
        values = np.full((len(sets), *solution.values.shape[1:]), np.nan)
        values[able] = solution.values
        return values

    def _row(self, chosen: Mapping[str, float]) -> Array:
        values = {**self.values, **chosen}
        return np.array([values[name] for name in self.lowered.parameters])

    def _scheduled(self, sets: Sequence[Mapping[str, float]], always: bool = False) -> Schedule | None:
        """The schedule with these parameters, changed at the start of every later occasion.

        None where a dose cannot be given so (a lag below 0, say): nobody is like that.
        """
        schedule = self.schedule
        if always or self.moves_doses:
            way = replace(self.way, network=self.way.network.with_values(sets[0]))
            try:
                schedule = schedule_of(way, self.table, self.person)[0]
            except InputError:
                return None
        for chosen, occasion in zip(sets[1:], self.occasions[1:], strict=False):
            rows = self.table.of(self.person)
            first = next(place for place, row in enumerate(rows) if row.occasion == occasion)
            time = rows[first].time_h
            before = sum(row.evid in LOOKED and abs(row.time_h - time) <= SAME_TIME_H for row in rows[:first])
            changes = [Set(time, name, chosen[name]) for name in self.population.occasion_effects]
            schedule = _changed(schedule, changes, time, before)
        return schedule


def _changed(schedule: Schedule, changes: Sequence[Set], time: float, before: int) -> Schedule:
    """The schedule with changes at a time, after `before` looks at that time and before all else there."""
    lone = [each for each in schedule.output_times if abs(each - time) <= SAME_TIME_H]
    others = tuple(each for each in schedule.output_times if abs(each - time) > SAME_TIME_H)
    early = [event for event in schedule.events if event.time < time - SAME_TIME_H]
    late = list(schedule.events[len(early) :])
    here: list[Happening] = [Observe(each) for each in lone]
    late = here + late
    place = 0
    while before and place < len(late):
        before -= isinstance(late[place], Observe)
        place += 1
    return Schedule((*early, *late[:place], *changes, *late[place:]), others, schedule.start)


def subject(population: Population, lowered: Lowered, way: EventMap, table: EventTable, person: str,
            method: Method) -> Subject:  # fmt: skip
    """A person of a table under a population model.

    Raises:
        InputError: nobody looks, a DVID without an error, occasions that are missing or not in order, a method that
            needs a limit which is not given.
        UnsupportedError: a value above a limit (CENS -1), an occasion that changes what is worked out once.
    """
    schedule, values = schedule_of(way, table, person)
    rows = table.of(person)
    occasions = _occasions(population, table, rows) if population.occasion_effects else ()
    if len(occasions) > 1:
        _require_following(way.network, population)
    looked = [row for row in rows if row.evid in LOOKED]
    measurements = tuple(
        _measured(population, key, error, looked, table, method) for key, error in population.errors.items()
    )
    return Subject(population, lowered, way, table, person, occasions, schedule, values, measurements)


def _occasions(population: Population, table: EventTable, rows: Sequence[Event]) -> tuple[int, ...]:
    found: list[int] = []
    for row in rows:
        if row.occasion is None:
            raise InputError("The occasion is missing.", where=table.place(row, "OCC"), hint="Give OCC in every row.")
        if found and row.occasion == found[-1]:
            continue
        if row.occasion in found:
            raise InputError(f"Occasion {row.occasion} comes back.", where=table.place(row, "OCC"))
        found.append(row.occasion)
    return tuple(found)


def _require_following(network: Network, population: Population) -> None:
    for name in network.derived:
        causes = sorted(needed(network, name) & set(population.occasion_effects))
        if causes:
            raise UnsupportedError(
                f"'{name}' is worked out once, at the start, from '{causes[0]}', which changes with the occasion.",
                where=f"model '{network.name}'",
                hint=f"Write '{name} := ...' in the model, so that it follows.",
            )


def _measured(
    population: Population,
    key: str,
    error: MeasurementError,
    looked: Sequence[Event],
    table: EventTable,
    method: Method,
) -> Measurements:
    rows, values, limits, below = [], [], [], []
    for place, row in enumerate(looked):
        if row.evid != OBSERVATION or not row.observed or _key(population, row, table) != key:
            continue
        if row.censored < 0:
            raise UnsupportedError("A value above a limit (CENS -1).", where=table.place(row, "CENS"))
        limit = row.value if row.censored else error.limit
        is_below = bool(row.censored) or (limit is not None and row.value is not None and row.value < limit)
        if method == "M2" and limit is None:
            raise InputError(f"{method} needs the limit of quantification of every value.", where=table.place(row))
        rows.append(place)
        values.append(np.nan if row.value is None else row.value)
        limits.append(np.nan if limit is None else limit)
        below.append(is_below)
    return Measurements(
        error, np.array(rows, dtype=np.intp), population.outputs.index(error.output),
        np.array(values, dtype=np.float64), np.array(limits, dtype=np.float64), np.array(below, dtype=np.bool_),
    )  # fmt: skip


def _key(population: Population, row: Event, table: EventTable) -> str:
    if row.dvid is None and len(population.errors) == 1:
        return next(iter(population.errors))
    if row.dvid is None or row.dvid not in population.errors:
        raise unknown("DVID", row.dvid or "(none)", population.errors, where=table.place(row, "DVID"))
    return row.dvid

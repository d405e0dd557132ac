"""Sensitivities the plain way: the equations and their derivative, integrated together by scipy, one at a time.

For each direction the states y and their derivative s obey

    y' = f(y, q),    s' = (df/dy) s + (df/dq) q',    q' the derivative of the prepared expressions,

and LSODA is given the Jacobian of both. At an action whose time moves by one, s gains what the rates change by.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.compiled import load
from rekindle.engine.emit import module_text, program_function
from rekindle.engine.kernels import Kernels, Observer, kernels_of
from rekindle.engine.lower import Lowered
from rekindle.engine.person import Accuracy, Person
from rekindle.engine.schedule import BASE, INPUT, JUMP, LOOK, RATE, RESET, Segments
from rekindle.engine.tangent_directions import (
    Direction,
    DoseAmount,
    EventTangents,
    InfusionRate,
    Initial,
)
from rekindle.engine.tangent_lists import TangentLists, observed, tangent_lists
from rekindle.engine.tangent_task import TangentTask
from rekindle.engine.task import Failure
from rekindle.errors import SolverError

Floats = NDArray[np.float64]


class Derivatives:
    """The compiled derivative lists of one network, scattered into plain matrices."""

    def __init__(self, lowered: Lowered, lists: TangentLists, outputs: Sequence[str]) -> None:
        self.lowered, self.lists = lowered, lists
        self.states, self.full = len(lowered.states), len(lowered.parameters) + len(lowered.derived)
        watch = observed(lowered, outputs)
        self._library = load(
            module_text(
                [
                    program_function("slopes", lists.slopes, ["y", "q"]),
                    program_function("bends", lists.bends, ["y", "q"]),
                    program_function("prepare", lists.prepare.program, ["p"]),
                    program_function("initial", lists.initial.program, ["p"]),
                    program_function("observe", watch.program, ["y", "q", "p"]),
                ]
            )
        )
        self._of_pattern, self._of_moved = _columns(lowered.pattern), _columns(lists.by_moved)
        self._bent, self._bent_moved = _columns(lists.bent_by_state), _columns(lists.bent_by_moved)
        self._prepare, self._initial = _columns(lists.prepare.places), _columns(lists.initial.places)
        self._watch, self._outputs = _columns(watch.places), len(outputs)
        self._rows, self._states = self._of_pattern[0], self._of_pattern[1]

    def _values(self, name: str, count: int, *arrays: Floats) -> Floats:
        out = np.empty(max(1, count))
        self._library.function(name, len(arrays) + 1)(*(each.ctypes.data for each in arrays), out.ctypes.data)
        return out[:count]

    def slopes(self, y: Floats, q: Floats) -> tuple[Floats, Floats]:
        """Derivatives of the rates to the states (states, states) and to the moved expressions (states, moved)."""
        values = self._values("slopes", len(self.lists.slopes.results), y, q)
        to_states = np.zeros((self.states, self.states))
        to_moved = np.zeros((self.states, len(self.lists.moved)))
        to_states[self._of_pattern] = values[: len(self.lowered.pattern)]
        to_moved[self._of_moved] = values[len(self.lowered.pattern) :]
        return to_states, to_moved

    def bend(self, y: Floats, q: Floats, s: Floats, moved: Floats) -> Floats:
        """How the Jacobian changes along s and the moved expressions' derivative, shape (states, states)."""
        values = self._values("bends", len(self.lists.bends.results), y, q)
        bent = np.zeros(max(1, len(self.lowered.pattern)))
        count = len(self.lists.bent_by_state)
        np.add.at(bent, self._bent[0], values[:count] * s[self._bent[1]])
        np.add.at(bent, self._bent_moved[0], values[count:] * moved[self._bent_moved[1]])
        full = np.zeros((self.states, self.states))
        full[self._of_pattern] = bent[: len(self.lowered.pattern)]
        return full

    def prepare(self, row: Floats) -> Floats:
        """Derivatives of the moved expressions to the moving parameters, shape (moved, moving)."""
        full = np.zeros((len(self.lists.moved), len(self.lists.moving)))
        full[self._prepare] = self._values("prepare", len(self.lists.prepare.places), row)
        return full

    def initial(self, free: Floats) -> Floats:
        """Derivatives of starting values and derived parameters, shape (states + derived, free parameters)."""
        full = np.zeros((self.states + len(self.lowered.derived), len(self.lowered.parameters)))
        full[self._initial] = self._values("initial", len(self.lists.initial.places), free)
        return full

    def observe(self, y: Floats, q: Floats, p: Floats) -> Floats:
        """Derivatives of outputs, shape (outputs, states + prepared + full row)."""
        full = np.zeros((self._outputs, self.states + len(self.lowered.prepared) + self.full))
        full[self._watch] = self._values("observe", len(self._watch[0]), y, q, p)
        return full


def _columns(places: Sequence[tuple[int, int]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    table = np.array(places, dtype=np.intp).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def direction_sizes(task: TangentTask) -> Floats:
    """A change of each direction that moves states by about their own size, shape (people, directions)."""
    whole, lowered = task.task, task.task.lowered
    sizes = np.ones((len(whole.rows), len(task.directions)))
    for column, direction in enumerate(task.directions):
        if isinstance(direction, str):
            sizes[:, column] = np.abs(whole.rows[:, lowered.parameters.index(direction)])
        elif isinstance(direction, Initial):
            sizes[:, column] = whole.scale[lowered.state_index[direction.state]]
        elif isinstance(direction, DoseAmount | InfusionRate):
            name = "amount" if isinstance(direction, DoseAmount) else "rate"
            given = [abs(getattr(schedule.events[direction.event], name, 1.0)) for schedule in task.schedules]
            sizes[:, column] = np.array(given)[whole.which]
    return np.where(sizes > 0.0, sizes, 1.0)


@dataclass
class Bearer:
    """One person with the derivatives of its states, parameters and inputs to every direction."""

    person: Person
    derivatives: Derivatives
    directions: Sequence[Direction]
    sizes: Floats

    def __post_init__(self) -> None:
        lowered, count = self.person.lowered, len(self.directions)
        free = len(lowered.parameters)
        self.base = np.zeros((free + len(lowered.derived), count))
        self.input = np.zeros_like(self.base)
        self.into = np.zeros((len(lowered.states), count))
        for column, direction in enumerate(self.directions):
            if isinstance(direction, str):
                self.base[lowered.parameters.index(direction), column] = 1.0
        self.s = self.initial()
        self.base[free:] = (self.derivatives.initial(self.person.free) @ self.base[:free])[len(lowered.states) :]
        self.refresh()

    def initial(self) -> Floats:
        """The derivative of the starting values, shape (states, directions)."""
        lowered, free = self.person.lowered, len(self.person.free)
        own = np.ascontiguousarray(self.person.base[:free])
        started = (self.derivatives.initial(own) @ self.base[:free])[: len(lowered.states)]
        for column, direction in enumerate(self.directions):
            if isinstance(direction, Initial):
                started[lowered.state_index[direction.state], column] += 1.0
        return started

    def refresh(self) -> None:
        """Work out what the parameters settle, and its derivative, shape (moved, directions)."""
        self.person.refresh()
        lists = self.derivatives.lists
        self.moved = self.derivatives.prepare(self.person.row) @ (self.base + self.input)[list(lists.moving)]

    def rates(self) -> Floats:
        """The rates of change with what is being infused."""
        return self.person.kernels.rates(self.person.y, self.person.q) + self.person.into

    def act(self, kind: int, position: int, value: float, by_value: Floats, by_time: Floats) -> None:
        """One action, with the derivatives of its value and of its time to every direction."""
        person, before = self.person, self.rates()
        if kind == JUMP:
            person.y[position] += value
            self.s[position] += by_value
        elif kind == RATE:
            person.into[position] = value
            self.into[position] = by_value
        elif kind == RESET:
            person.y = person.kernels.start(person.base[: len(person.free)])[0]
            self.s, before = self.initial(), np.zeros_like(before)
        elif kind == BASE:
            person.base[position], self.base[position] = value, by_value
            self.refresh()
        elif kind == INPUT:
            person.input[position], self.input[position] = value, by_value
            self.refresh()
        if by_time.any():
            self.s = self.s + np.outer(before - self.rates(), by_time)

    def advance(self, length: float, offsets: Floats) -> tuple[Floats, Floats]:
        """States (offsets, states) and derivatives (offsets, states, directions) within a segment."""
        start = self.person.y.copy()
        path = self.person.advance(length, offsets)
        end, self.person.y = self.person.y, start
        grid = np.unique(np.concatenate([[0.0], offsets, [length]]))
        followed = np.stack([self._follow(column, grid) for column in range(len(self.directions))], axis=2)
        self.person.y, self.s = end, followed[-1]
        return path, followed[np.searchsorted(grid, offsets)]

    def _follow(self, column: int, grid: Floats) -> Floats:
        """The derivative to one direction at the times of a grid, shape (times, states)."""
        from scipy.integrate import odeint

        person, derivatives, size = self.person, self.derivatives, self.sizes[column]
        count, moved, into, q = len(person.y), self.moved[:, column] * size, self.into[:, column] * size, person.q
        if not (self.s[:, column].any() or moved.any() or into.any()):
            return np.zeros((len(grid), count))

        def rates(z: Floats, _: float) -> Floats:
            y, s = z[:count].copy(), z[count:]
            to_states, to_moved = derivatives.slopes(y, q)
            return np.concatenate([person.kernels.rates(y, q) + person.into, to_states @ s + to_moved @ moved + into])

        def jacobian(z: Floats, _: float) -> Floats:
            y = z[:count].copy()
            to_states, _moved = derivatives.slopes(y, q)
            bent = derivatives.bend(y, q, z[count:], moved)
            return np.block([[to_states, np.zeros_like(to_states)], [bent, to_states]])

        start = np.concatenate([person.y, self.s[:, column] * size])
        accuracy = person.accuracy
        scale = np.maximum(np.concatenate([person.scale, person.scale]), np.abs(start))
        tolerance = accuracy.relative * accuracy.floor * scale + 1e-15 * (float(scale.max()) or 1.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path, report = odeint(
                rates, start, grid, Dfun=jacobian, rtol=accuracy.relative, atol=tolerance, full_output=True,
                mxstep=accuracy.step_limit,
            )  # fmt: skip
        if report["message"] != "Integration successful.":
            raise SolverError(f"LSODA gave up: {report['message']}")
        if not np.isfinite(path).all():
            raise SolverError("the derivatives are not finite")
        return np.asarray(path[:, count:] / size, dtype=np.float64)


@dataclass(frozen=True)
class Work:
    """What all people of one call share."""

    lowered: Lowered
    kernels: Kernels
    observer: Observer
    derivatives: Derivatives
    directions: tuple[Direction, ...]


def make_work(lowered: Lowered, lists: TangentLists, outputs: Sequence[str], directions: Sequence[Direction]) -> Work:
    """Compile what the plain solver needs."""
    derivatives = Derivatives(lowered, lists, outputs)
    return Work(lowered, kernels_of(lowered), Observer(lowered, outputs), derivatives, tuple(directions))


def follow_person(
    work: Work, free: Floats, segments: Segments, tangents: EventTangents, accuracy: Accuracy, sizes: Floats
) -> tuple[Floats, Floats]:
    """One person's outputs (times, outputs) and their derivatives (times, outputs, directions).

    Raises:
        SolverError: the equations could not be solved.
    """
    person = Person(work.lowered, work.kernels, free, accuracy, _no_steady_state)
    bearer = Bearer(person, work.derivatives, work.directions, sizes)
    values = np.full((len(segments.times), len(work.observer.names)), np.nan)
    slopes = np.full((*values.shape, len(work.directions)), np.nan)
    time_state = work.lowered.time_state

    def look(row: int, y: Floats, s: Floats) -> None:
        values[row] = work.observer(y, person.q, person.row)
        slopes[row] = _seen(work, bearer, y, s)

    for k, edge in enumerate(segments.edges):
        if time_state is not None:
            person.y[time_state] = edge
        for a in range(segments.first[k], segments.first[k + 1]):
            kind, position = int(segments.kind[a]), int(segments.position[a])
            if kind == LOOK:
                look(position, person.y, bearer.s)
                continue
            bearer.act(kind, position, float(segments.value[a]), tangents.value[a], tangents.time[a])
            if time_state is not None:
                person.y[time_state] = edge
                bearer.s[time_state] = 0.0
        if k + 1 == len(segments.edges):
            break
        begin, end = segments.rows[k]
        length = float(segments.edges[k + 1] - edge)
        path, followed = bearer.advance(length, np.clip(segments.times[begin:end] - edge, 0.0, length))
        for row, y, s in zip(range(begin, end), path, followed, strict=True):
            look(row, np.ascontiguousarray(y), s)
    return values, slopes


def _seen(work: Work, bearer: Bearer, y: Floats, s: Floats) -> Floats:
    """The derivatives of the outputs, given those of the states."""
    states, prepared = len(work.lowered.states), len(work.lowered.prepared)
    table = work.derivatives.observe(y, bearer.person.q, bearer.person.row)
    moved = list(work.derivatives.lists.moved)
    found = table[:, :states] @ s + table[:, states : states + prepared][:, moved] @ bearer.moved
    return np.asarray(found + table[:, states + prepared :] @ (bearer.base + bearer.input), dtype=np.float64)


def _no_steady_state(person: Person, _: Any) -> Floats:
    raise SolverError("a steady state has no derivatives here")


def follow_people(task: TangentTask) -> tuple[Floats, Floats, list[Failure], dict[str, Any]]:
    """Values (people, times, outputs), derivatives (people, times, outputs, directions), failures and a report."""
    whole = task.task
    lists = tangent_lists(whole.lowered, task.moving)
    work = make_work(whole.lowered, lists, whole.outputs, task.directions)
    values, slopes = whole.empty(), task.empty()
    accuracy = Accuracy(relative=whole.relative_tolerance, scale=tuple(whole.scale))
    failures, sizes = [], direction_sizes(task)
    for person, (row, number) in enumerate(zip(whole.rows, whole.which, strict=True)):
        try:
            found, own = follow_person(work, row, whole.segments[number], task.events[number], accuracy, sizes[person])
        except SolverError as error:
            failures.append(Failure(person, error.message))
            continue
        values[person, : len(found)], slopes[person, : len(own)] = found, own
    return values, slopes, failures, {"method": "lsoda"}

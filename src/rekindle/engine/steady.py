"""Where endless repeats of a dose lead: the periodic steady state, found rather than waited for.

One interval maps the states at its start to the states at its end. The steady state is what that map leaves
as it is, found by Newton's method with the map's own slopes (finite differences of whole intervals), so that
states that settle over months cost no more than those that settle in a day.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.person import Person, act
from rekindle.engine.schedule import (
    SAME_TIME_H,
    Bolus,
    Infusion,
    Schedule,
    Segments,
    SteadyPattern,
    compile_schedule,
)
from rekindle.errors import SolverError

Floats = NDArray[np.float64]

_TIGHT = 1e-12  # relative tolerance of the intervals that are integrated
_CLOSE = 1e-11  # the last Newton step, relative to each state's scale
_PROBE = 1e-3  # the change of a state by which the map's slopes are measured, relative to its scale
_ROUNDS = 40
_PLAIN_REPEATS = 6


def collecting_states(pattern: tuple[tuple[int, int], ...], size: int) -> NDArray[np.bool_]:
    """Which states only collect: no rate depends on them, but for rates of other states that only collect."""
    collecting = np.zeros(size, dtype=bool)
    while True:
        used = {column for row, column in pattern if not collecting[row]}
        found = np.array([i not in used for i in range(size)])
        if (found == collecting).all():
            return collecting
        collecting = found


def one_interval(pattern: SteadyPattern) -> Schedule:
    """The periodic interval: every dose at its phase, and what earlier repeats left running at the start."""
    events: list[Bolus | Infusion] = []
    for dose in pattern.doses:
        phase = dose.time % pattern.interval
        if pattern.interval - phase <= SAME_TIME_H:
            phase = 0.0
        events.append(replace(dose, time=phase))
        if isinstance(dose, Infusion):
            left = phase + dose.duration - pattern.interval
            while left > SAME_TIME_H:
                events.append(Infusion(0.0, dose.target, dose.rate, left))
                left -= pattern.interval
    events.sort(key=lambda event: event.time)
    return Schedule(tuple(events), (pattern.interval,))


def steady_states(person: Person, pattern: SteadyPattern) -> Floats:
    """The states at the end of an interval of the periodic steady state, for a person as it is now.

    Raises:
        SolverError: there is no steady state, or none was found.
    """
    segments = compile_schedule(one_interval(pattern), person.lowered)
    interval = _Interval(person, segments)
    collecting = collecting_states(person.lowered.pattern, len(person.y))
    found = interval.fixed_point(~collecting)
    if pattern.add:
        return np.where(collecting, person.y, person.y + found - interval.initial)
    return np.where(collecting, person.y, found)


class _Interval:
    """The map from the states at the start of one interval to those at its end."""

    def __init__(self, person: Person, segments: Segments) -> None:
        accuracy = replace(person.accuracy, relative=_TIGHT, method="lsoda")
        free = person.base[: len(person.free)].copy()
        self.twin = Person(person.lowered, person.kernels, free, accuracy, person.find_steady)
        self.twin.base = person.base.copy()
        self.segments = segments
        self.initial = self.twin.y.copy()
        self.scale = np.maximum(person.scale, np.abs(self.initial))

    def after(self, y: Floats) -> Floats:
        """The states one interval later."""
        twin = self.twin
        twin.y, twin.scale = y.copy(), self.scale.copy()
        twin.into[:], twin.input[:] = 0.0, 0.0
        twin.refresh()
        for k, edge in enumerate(self.segments.edges):
            act(twin, self.segments, k, None, _NOWHERE)
            if k + 1 < len(self.segments.edges):
                twin.advance(self.segments.edges[k + 1] - edge, _NO_OFFSETS)
        self.scale = np.maximum(self.scale, twin.scale)
        return twin.y

    def slopes(self, y: Floats, end: Floats, free: NDArray[np.intp]) -> Floats:
        """How the states in `free` (positions) at the end depend on those at the start."""
        columns = []
        for i in free:
            probe = _PROBE * self.scale[i] if self.scale[i] > 0.0 else _PROBE
            moved = y.copy()
            moved[i] += probe
            try:
                columns.append((self.after(moved) - end)[free] / probe)
            except SolverError:
                moved[i] -= 2.0 * probe
                columns.append((end - self.after(moved))[free] / probe)
        return np.array(columns).T

    def fixed_point(self, varying: NDArray[np.bool_]) -> Floats:
        """The states that an interval leaves as they are; those not `varying` are held at their start.

        Raises:
            SolverError: the repeats do not settle, or only where the smallest disturbance would drive them away.
        """
        free = np.flatnonzero(varying)
        y = self.initial
        for _ in range(_PLAIN_REPEATS):
            y = np.where(varying, self.after(y), self.initial)
        end, last, slopes = self.after(y), np.inf, None
        for _ in range(_ROUNDS):
            if slopes is None:
                slopes = self.slopes(y, end, free)
            step = self._step(np.eye(len(free)) - slopes, (end - y)[free], free)
            size = float(np.max(np.abs(step) / np.maximum(self.scale[free], 1e-300), initial=0.0))
            if size <= _CLOSE or (last <= 1e3 * _CLOSE and size > 0.2 * last):
                break
            y, end = self._advanced(y, end, step, free)
            if size > 0.2 * last:
                slopes = None
            last = size
        else:
            raise SolverError("no steady state was found: the repeats do not settle")
        if slopes is not None and len(free) and np.max(np.abs(np.linalg.eigvals(slopes))) > 1.0 + _PROBE:
            raise SolverError("no steady state was found: the one nearest to the start is not stable")
        y = y.copy()
        y[free] += step
        return y

    def _advanced(self, y: Floats, end: Floats, step: Floats, free: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """A Newton step, shortened until an interval changes less than before, and the states an interval later.

        Where no part of the step helps, a few plain repeats are made instead.
        """
        before = self._change(y, end, free)
        for share in (1.0, 0.3, 0.1, 0.03):
            moved = y.copy()
            moved[free] += share * step
            try:
                after = self.after(moved)
            except SolverError:
                continue
            if self._change(moved, after, free) < (1.0 - 0.1 * share) * before or before < 1e3 * _CLOSE:
                return moved, after
        for _ in range(_PLAIN_REPEATS):
            y = y.copy()
            y[free] = end[free]
            end = self.after(y)
        return y, end

    def _change(self, y: Floats, end: Floats, free: NDArray[np.intp]) -> float:
        return float(np.max(np.abs(end - y)[free] / np.maximum(self.scale[free], 1e-300), initial=0.0))

    def _step(self, system: Floats, residual: Floats, free: NDArray[np.intp]) -> Floats:
        balance = np.where(self.scale[free] > 0.0, self.scale[free], 1.0)
        scaled = system * balance[None, :] / balance[:, None]
        if np.linalg.cond(scaled) > 1e13:
            weakest = int(np.argmin(np.abs(np.diag(scaled))))
            name = self.twin.lowered.states[free[weakest]]
            raise SolverError(f"there is no steady state: '{name}' does not settle")
        return np.asarray(balance * np.linalg.solve(scaled, residual / balance), dtype=np.float64)


_NOWHERE, _NO_OFFSETS = np.empty((0, 0)), np.empty(0)

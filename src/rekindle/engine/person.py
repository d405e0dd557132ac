"""One person under way: states, parameters, what is being infused, and the next stretch of time.

scipy's LSODA (Petzold 1983, doi:10.1137/0904010) or Radau IIA (Hairer and Wanner 1996) integrates each
stretch between two changes with compiled rates and their exact Jacobian.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.kernels import Kernels, Observer
from rekindle.engine.lower import Lowered
from rekindle.engine.schedule import (
    BASE,
    INPUT,
    JUMP,
    LOAD,
    LOOK,
    RATE,
    RESET,
    STEADY,
    Segments,
    SteadyPattern,
)
from rekindle.errors import SolverError

Floats = NDArray[np.float64]
Method = Literal["lsoda", "radau"]
SteadyFinder = Callable[["Person", SteadyPattern], Floats]

STEP_LIMIT = 200_000
ROUNDING = 1e-15


@dataclass(frozen=True)
class Accuracy:
    """How exact a solution must be.

    The absolute tolerance of a state is `relative` times `floor` times its scale: its entry in `scale` (see
    `rekindle.engine.scale`), or the largest value it has taken so far if that is larger. It is never below
    rounding (1e-15 of the largest scale of all).
    """

    relative: float = 1e-9
    floor: float = 1e-2
    method: Method = "lsoda"
    scale: tuple[float, ...] = ()
    step_limit: int = STEP_LIMIT


@dataclass
class Person:
    """One person's state while the reference solver goes through the segments."""

    lowered: Lowered
    kernels: Kernels
    free: Floats
    accuracy: Accuracy
    find_steady: SteadyFinder

    def __post_init__(self) -> None:
        self.y, self.row = self.kernels.start(self.free)
        self.initial = self.y.copy()
        self.base = self.row.copy()
        self.input = np.zeros_like(self.row)
        self.into = np.zeros_like(self.y)
        self.scale = np.abs(self.y)
        if self.accuracy.scale:
            self.scale = np.maximum(self.scale, self.accuracy.scale)
        self.steps = 0
        self.refresh()

    def refresh(self) -> None:
        """Work out what the parameters settle, after one of them has changed."""
        self.row = self.base + self.input
        self.q = self.kernels.prepare(self.row)

    def rates(self) -> Callable[[Floats, float], Floats]:
        """The rates of change with what is being infused, as scipy calls them."""
        out, q, into, run = np.empty_like(self.y), self.q, self.into, self.kernels.rates_into
        q_at, out_at = q.ctypes.data, out.ctypes.data

        def function(y: Floats, _: float) -> Floats:
            run(y.ctypes.data, q_at, out_at)
            return out + into

        return function

    def advance(self, length: float, offsets: Floats) -> Floats:
        """Integrate for `length` hours; returns the states at the offsets, shape (offsets, states).

        Raises:
            SolverError: the solution is not finite or needs too many steps.
        """
        rates, kernels, q = self.rates(), self.kernels, self.q
        self._require_finite(rates(self.y, 0.0), "at the start of a segment")
        grid = np.unique(np.concatenate([[0.0], offsets, [length]]))
        smallest = ROUNDING * (float(self.scale.max()) or 1.0)
        tolerance = self.accuracy.relative * self.accuracy.floor * self.scale + smallest
        if self.accuracy.method == "radau":
            path = self._radau(rates, grid, tolerance)
        else:
            path = self._lsoda(rates, lambda y, _: kernels.jacobian(y, q), grid, tolerance)
        self._require_finite(path, "during a segment")
        self.scale = np.maximum(self.scale, np.abs(path).max(axis=0))
        self.y = path[-1].copy()
        return np.asarray(path[np.searchsorted(grid, offsets)], dtype=np.float64)

    def _lsoda(
        self,
        rates: Callable[[Floats, float], Floats],
        jacobian: Callable[[Floats, float], Floats],
        grid: Floats,
        tolerance: Floats,
    ) -> Floats:
        from scipy.integrate import odeint

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path, report = odeint(
                rates,
                self.y,
                grid,
                Dfun=jacobian,
                rtol=self.accuracy.relative,
                atol=tolerance,
                full_output=True,
                mxstep=self.accuracy.step_limit,
            )
        self.steps += int(report["nst"][-1])
        if report["message"] != "Integration successful.":
            raise SolverError(f"LSODA gave up: {report['message']}")
        return np.asarray(path, dtype=np.float64)

    def _radau(self, rates: Callable[[Floats, float], Floats], grid: Floats, tolerance: Floats) -> Floats:
        from scipy.integrate import solve_ivp

        kernels, q = self.kernels, self.q
        result = solve_ivp(
            lambda _, y: rates(np.ascontiguousarray(y), 0.0),
            (0.0, grid[-1]),
            self.y,
            method="Radau",
            t_eval=grid,
            jac=lambda _, y: kernels.jacobian(np.ascontiguousarray(y), q),
            rtol=max(self.accuracy.relative, 1e-13),
            atol=tolerance,
        )
        self.steps += len(result.t)
        if not result.success:
            raise SolverError(f"Radau gave up: {result.message}")
        return np.ascontiguousarray(result.y.T)

    def _require_finite(self, values: Floats, when: str) -> None:
        bad = ~np.isfinite(np.atleast_2d(values)).all(axis=0)
        if bad.any():
            names = ", ".join(self.lowered.states[i] for i in np.flatnonzero(bad)[:5])
            raise SolverError(f"not finite {when}: {names}")


def act(person: Person, segments: Segments, k: int, observer: Observer | None, values: Floats) -> None:
    """Do what happens at edge k, in order; without an observer nothing is looked at."""
    for a in range(segments.first[k], segments.first[k + 1]):
        kind, position, value = segments.kind[a], segments.position[a], segments.value[a]
        if kind == JUMP:
            person.y[position] += value
        elif kind == LOAD:
            person.y[position] = value
        elif kind == RATE:
            person.into[position] = value
        elif kind == RESET:
            person.y = person.kernels.start(person.base[: len(person.free)])[0]
            if person.lowered.time_state is not None:
                person.y[person.lowered.time_state] = segments.edges[k]
        elif kind == LOOK:
            if observer is not None:
                values[position] = observer(person.y, person.q, person.row)
        elif kind == STEADY:
            person.y = person.find_steady(person, segments.steady[int(position)])
        elif kind in (BASE, INPUT):
            (person.base if kind == BASE else person.input)[position] = value
            person.refresh()
    person.scale = np.maximum(person.scale, np.abs(person.y))

"""Outputs together with their exact derivatives, for many people.

    solve_sensitivities(lowered, parameters, schedules, outputs, ["CL", DoseAmount(0)]) -> Sensitivities

The derivatives are those of the equations themselves (forward sensitivities): no step of a difference to choose.
Where a formula has a kink (a minimum, a piecewise) they are those of the side on which the solution is; a jump of a
rate whose moment depends on the states is not accounted for.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.backends import (
    Backend,
    _checked_outputs,
    _checked_rows,
    _checked_scale,
    _times,
    _undefined,
)
from rekindle.engine.lower import Lowered
from rekindle.engine.scale import typical_scale
from rekindle.engine.schedule import Schedule, compile_schedule
from rekindle.engine.tangent_directions import (
    Direction,
    DoseAmount,
    DoseTime,
    InfusionDuration,
    InfusionRate,
    Initial,
    check_events,
    checked_directions,
    event_tangents,
    moving_parameters,
)
from rekindle.engine.tangent_task import TangentTask
from rekindle.engine.task import Failure, Task
from rekindle.errors import InputError, unknown
from rekindle.processors import processors

Floats = NDArray[np.float64]

SENSITIVITY_BACKENDS: tuple[Backend, ...] = ("native", "reference")
SENSITIVITY_TOLERANCE: Mapping[str, float] = {"native": 3e-7, "reference": 1e-9}


@dataclass(frozen=True)
class Sensitivities:
    """Outputs over time and their derivatives.

    `values` has shape (people, times, outputs), `jacobian` (people, times, outputs, directions) in units of the
    output per unit of the direction, `times` (people, times) in hours; all are padded with NaN where a person has
    fewer times than another. People who could not be solved keep NaN and are named in `failures`.
    """

    outputs: tuple[str, ...]
    directions: tuple[Direction, ...]
    times: Floats
    values: Floats
    jacobian: Floats
    failures: tuple[Failure, ...] = ()
    report: Mapping[str, Any] = field(default_factory=dict)

    def of(self, output: str, direction: Direction) -> Floats:
        """The derivative of one output to one direction, shape (people, times).

        Raises:
            InputError: an output or direction that was not asked for.
        """
        if output not in self.outputs:
            raise unknown("output", output, self.outputs)
        if direction not in self.directions:
            raise InputError(f"No derivative to {direction!r} was asked for.")
        return self.jacobian[:, :, self.outputs.index(output), self.directions.index(direction)]


def solve_sensitivities(
    lowered: Lowered,
    parameters: NDArray[np.floating[Any]] | None,
    schedules: Schedule | Sequence[Schedule],
    outputs: Sequence[str],
    directions: Sequence[Direction],
    *,
    backend: Backend = "native",
    relative_tolerance: float | None = None,
    threads: int | None = None,
    scale: NDArray[np.floating[Any]] | None = None,
) -> Sensitivities:
    """Solve a lowered network for many people, with the derivatives of the outputs to every direction.

    People, schedules and `scale` are given as to `rekindle.engine.solve`. A direction is the name of a free
    parameter, `Initial(state)`, or `DoseAmount`, `DoseTime`, `InfusionRate` or `InfusionDuration` of the event with
    that number in every person's schedule. A parameter that a `Set` replaces is not moved by its direction from then
    on. `backend` "native" differentiates the quick solver's own steps; "reference" integrates the equations of the
    derivatives with LSODA, one direction at a time, and is slow.

    Raises:
        InputError: what `solve` refuses; an unknown direction, or one whose event is missing or of another kind.
        UnsupportedError: a schedule with a steady state.
    """
    if backend not in SENSITIVITY_BACKENDS:
        raise unknown("backend", backend, SENSITIVITY_BACKENDS)
    tolerance = SENSITIVITY_TOLERANCE[backend] if relative_tolerance is None else relative_tolerance
    if not 1e-14 <= tolerance <= 0.1:
        raise InputError(f"The relative tolerance {tolerance:g} is not between 1e-14 and 0.1.")
    begun = time.perf_counter()
    task = _task(lowered, parameters, schedules, outputs, directions, tolerance, threads, scale)
    values, jacobian, failures, report = _solver(backend)(task)
    failures = sorted([*failures, *_without(task, values, jacobian, failures)], key=lambda failure: failure.person)
    for failure in failures:
        values[failure.person], jacobian[failure.person] = np.nan, np.nan
    report |= {
        "backend": backend,
        "relative_tolerance": tolerance,
        "people": len(values),
        "failed": len(failures),
        "wall_s": time.perf_counter() - begun,
    }
    times = _times(task.task, values.shape[1])
    return Sensitivities(task.task.outputs, task.directions, times, values, jacobian, tuple(failures), report)


def _task(
    lowered: Lowered,
    parameters: NDArray[np.floating[Any]] | None,
    schedules: Schedule | Sequence[Schedule],
    outputs: Sequence[str],
    directions: Sequence[Direction],
    tolerance: float,
    threads: int | None,
    scale: NDArray[np.floating[Any]] | None,
) -> TangentTask:
    chosen = checked_directions(lowered, directions)
    given = [schedules] if isinstance(schedules, Schedule) else list(schedules)
    if not given:
        raise InputError("There is no schedule.")
    numbers: dict[Schedule, int] = {}
    which = np.array([numbers.setdefault(schedule, len(numbers)) for schedule in given], dtype=np.int64)
    for schedule in numbers:
        check_events(schedule, chosen)
    segments = tuple(compile_schedule(schedule, lowered) for schedule in numbers)
    rows = _checked_rows(lowered, parameters, len(which))
    if len(which) == 1:
        which = np.zeros(len(rows), dtype=np.int64)
    sizes = typical_scale(lowered, segments[0]) if scale is None else _checked_scale(lowered, scale)
    names = _checked_outputs(lowered, outputs)
    return TangentTask(
        task=Task(lowered, rows, segments, which, names, tolerance, threads or processors(), sizes),
        schedules=tuple(numbers),
        directions=chosen,
        moving=moving_parameters(lowered, chosen, tuple(numbers)),
        events=tuple(
            event_tangents(lowered, schedule, own, chosen) for schedule, own in zip(numbers, segments, strict=True)
        ),
    )


def _without(task: TangentTask, values: Floats, jacobian: Floats, failures: Sequence[Failure]) -> list[Failure]:
    """People with an output or a derivative that is not a finite number."""
    found = _undefined(task.task, values, failures)
    known = {failure.person for failure in (*failures, *found)}
    counts = np.array([len(segments.times) for segments in task.task.segments])[task.task.which]
    for person, count in enumerate(counts):
        bad = np.argwhere(~np.isfinite(jacobian[person, :count]))
        if person not in known and len(bad):
            row, output, column = bad[0]
            names = f"'{task.task.outputs[output]}' to {task.directions[column]!r}"
            moment = task.task.segments[task.task.which[person]].times[row]
            found.append(Failure(person, f"the derivative of {names} is not a finite number at {moment:g} h"))
    return found


def _solver(backend: Backend) -> Any:
    if backend == "reference":
        from rekindle.engine.tangent_reference import follow_people

        return follow_people
    from rekindle.engine.tangent_native import solve_tangents

    return solve_tangents


__all__ = [
    "Direction",
    "DoseAmount",
    "DoseTime",
    "InfusionDuration",
    "InfusionRate",
    "Initial",
    "Sensitivities",
    "solve_sensitivities",
]

"""One door to the solvers: people's parameters and schedules in, their outputs over time out.

Every backend takes the same lowered network and the same compiled segments. A person who cannot be solved
keeps a row of NaN and is named with the reason; nobody is dropped.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.lower import Lowered
from rekindle.engine.scale import typical_scale
from rekindle.engine.schedule import Schedule, Segments, compile_schedule
from rekindle.engine.task import Failure, Progress, Standing, Task
from rekindle.errors import InputError, unknown
from rekindle.processors import processors

Floats = NDArray[np.float64]
Backend = Literal["native", "xla", "reference"]

BACKENDS: tuple[Backend, ...] = ("native", "xla", "reference")
CHECK_TOLERANCE = 1e-8
DEFAULT_TOLERANCE: Mapping[str, float] = {"native": 3e-4, "xla": 3e-4, "reference": 1e-9}
TOLERANCES: Mapping[str, float] = {"screening": 1e-3, "default": 3e-4, "tight": 1e-6}
"""Relative tolerances by name."""


@dataclass(frozen=True)
class Solution:
    """Outputs over time.

    `values` has shape (people, times, outputs) and `times` shape (people, times), hours; both are padded with
    NaN where a person has fewer times than another. `report` says how it was solved, `end` where people stand at
    their last time, if that was asked for.
    """

    outputs: tuple[str, ...]
    times: Floats
    values: Floats
    failures: tuple[Failure, ...] = ()
    report: Mapping[str, Any] = field(default_factory=dict)
    end: Standing | None = None

    def __getitem__(self, name: str) -> Floats:
        """One output, shape (people, times).

        Raises:
            InputError: an output that was not asked for.
        """
        if name not in self.outputs:
            raise unknown("output", name, self.outputs)
        return self.values[:, :, self.outputs.index(name)]


class Solver(Protocol):
    """A backend: fills (people, times, outputs) and reports failures and statistics."""

    def __call__(self, task: Task) -> tuple[Floats, list[Failure], dict[str, Any]]:
        """Solve a task."""


def solve(
    lowered: Lowered,
    parameters: NDArray[np.floating[Any]] | None,
    schedules: Schedule | Sequence[Schedule | Segments],
    outputs: Sequence[str],
    *,
    backend: Backend = "native",
    relative_tolerance: float | str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    scale: NDArray[np.floating[Any]] | None = None,
    check: int = 0,
    begin: Standing | None = None,
    keep_end: bool = False,
    specialise: bool = False,
    chunk: int | None = None,
    by_output: bool = False,
) -> Solution:
    """Solve a lowered network for many people.

    `parameters` has shape (people, parameters) in the order of `lowered.parameters`; one row or None (the
    network's own values) stands for as many people as there are schedules. `schedules` is one for all or one
    a person, compiled or not. `relative_tolerance` is a number or "screening" (1e-3), "default" (3e-4) or "tight"
    (1e-6); None is the backend's own. `progress` is called with (people done, people). `scale`, shape (states,), is a
    typical size of every state and steers absolute tolerances; by default it is that of one person with the
    network's own parameters on the first schedule. Give it where blocks of people must agree to the last bit. `check`
    people, spread over all, are solved again at a tolerance of 1e-8; `report["sample_error"]` is then the
    largest difference found, relative to a value plus a thousandth of its output's largest. With `begin`, people
    go on from where they stood at the start of their schedule (what runs then is in the schedule); with `keep_end`
    the solution says where they stand at the last. `specialise` solves only the equations that these outputs, schedules
    and parameters need (`rekindle.engine.specialise`): several times as quick for a few outputs, and the same to the
    solver's tolerance; not for work that goes on or is gone on from. `chunk` is how many people "xla" solves side by
    side (128 on a processor, up to 131,072 on a graphics card). `by_output` puts the numbers of each output side by
    side in memory (`values` has the same shape and holds the same).

    Raises:
        InputError: unknown outputs, wrong shapes, parameters that are not finite (named), a bad schedule.
        UnsupportedError: the backend "xla" without JAX installed.
    """
    tolerance = _checked_tolerance(backend, relative_tolerance)
    names = _checked_outputs(lowered, outputs)
    segments, which = _compiled(lowered, schedules)
    rows = _checked_rows(lowered, parameters, len(which))
    if len(which) == 1:
        which = np.zeros(len(rows), dtype=np.int64)
    begun = time.perf_counter()
    sizes = typical_scale(lowered, segments[0]) if scale is None else _checked_scale(lowered, scale)
    _check_begin(begin, rows, lowered)
    end = Standing.empty(len(rows), len(lowered.states)) if keep_end else None
    cores = threads or processors()
    task = Task(lowered, rows, segments, which, names, tolerance, cores, sizes, progress, begin, end, chunk, by_output)
    task = _specialised(task) if specialise and begin is None and not keep_end else task
    values, failures, report = _solver(backend)(task)
    failures = sorted([*failures, *_undefined(task, values, failures)], key=lambda failure: failure.person)
    report |= {"backend": backend, "relative_tolerance": tolerance, "people": len(rows), "failed": len(failures)}
    if check > 0:
        report["sample_error"] = _sample_error(task, values, failures, check, _solver(backend))
    report["wall_s"] = time.perf_counter() - begun
    return Solution(names, _times(task, values.shape[1]), values, tuple(failures), report, end)


def _checked_tolerance(backend: Backend, tolerance: float | str | None) -> float:
    if backend not in BACKENDS:
        raise unknown("backend", backend, BACKENDS)
    if isinstance(tolerance, str):
        if tolerance not in TOLERANCES:
            raise unknown("accuracy", tolerance, tuple(TOLERANCES))
        return TOLERANCES[tolerance]
    chosen = DEFAULT_TOLERANCE[backend] if tolerance is None else tolerance
    if not 1e-14 <= chosen <= 0.1:
        raise InputError(f"The relative tolerance {chosen:g} is not between 1e-14 and 0.1.")
    return chosen


def _check_begin(begin: Standing | None, rows: Floats, lowered: Lowered) -> None:
    if begin is not None and begin.states.shape != (len(rows), len(lowered.states)):
        raise InputError(f"There are states of {len(begin)} people for {len(rows)}.")


def _solver(backend: Backend) -> Solver:
    if backend == "reference":
        from rekindle.engine.many import solve_reference

        return solve_reference
    if backend == "xla":
        from rekindle.engine.xla import solve_xla

        return solve_xla
    from rekindle.engine.native import solve_native

    return solve_native


def _specialised(task: Task) -> Task:
    from rekindle.engine.specialise import task_part

    part = task_part(task.lowered, task.rows, task.segments, task.outputs)
    if part is None:
        return task
    return replace(task, lowered=part.lowered, segments=part.segments(task.segments), scale=task.scale[part.kept])


def _checked_outputs(lowered: Lowered, outputs: Sequence[str]) -> tuple[str, ...]:
    if isinstance(outputs, str):
        raise InputError("Outputs are a list of names, not one text.")
    lowered.network.require([name for name in outputs if name not in lowered.states])
    if len(set(outputs)) != len(outputs):
        raise InputError("An output is asked for twice.")
    return tuple(outputs)


def _compiled(
    lowered: Lowered, schedules: Schedule | Sequence[Schedule | Segments]
) -> tuple[tuple[Segments, ...], NDArray[np.int64]]:
    given = [schedules] if isinstance(schedules, Schedule) else list(schedules)
    if not given:
        raise InputError("There is no schedule.")
    numbers: dict[Schedule | int, int] = {}
    found: list[Segments] = []
    which = np.empty(len(given), dtype=np.int64)
    for person, each in enumerate(given):
        key = id(each) if isinstance(each, Segments) else each
        which[person] = numbers.setdefault(key, len(found))
        if which[person] == len(found):
            found.append(each if isinstance(each, Segments) else compile_schedule(each, lowered))
    return tuple(found), which


def _checked_rows(lowered: Lowered, parameters: NDArray[np.floating[Any]] | None, people: int) -> Floats:
    rows = np.atleast_2d(lowered.defaults if parameters is None else np.asarray(parameters, dtype=np.float64))
    if rows.ndim != 2 or rows.shape[1] != len(lowered.parameters):
        raise InputError(
            f"The parameters have shape {rows.shape}, not (people, {len(lowered.parameters)}).",
            where=f"model '{lowered.network.name}'",
        )
    if len(rows) == 1 and people > 1:
        rows = np.repeat(rows, people, axis=0)
    if people not in (1, len(rows)):
        raise InputError(f"There are {len(rows)} people but {people} schedules.")
    bad = np.argwhere(~np.isfinite(rows))
    if len(bad):
        person, parameter = bad[0]
        raise InputError(
            f"'{lowered.parameters[parameter]}' of person {person} is {rows[person, parameter]}.",
            hint=f"{len(bad)} value(s) are not finite." if len(bad) > 1 else None,
        )
    return np.ascontiguousarray(rows)


def _checked_scale(lowered: Lowered, scale: NDArray[np.floating[Any]]) -> Floats:
    sizes = np.asarray(scale, dtype=np.float64)
    if sizes.shape != (len(lowered.states),) or not (np.isfinite(sizes) & (sizes > 0.0)).all():
        raise InputError(f"The scale must be {len(lowered.states)} positive numbers, one a state.")
    return sizes


def _undefined(task: Task, values: Floats, failures: Sequence[Failure]) -> list[Failure]:
    """People who were solved but for whom an output is not a finite number, such as the logarithm of zero."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum()):  # one number that is not finite would make the sum so
            return []
    counts = np.array([len(segments.times) for segments in task.segments])[task.which]
    seen = np.arange(values.shape[1])[None, :] < counts[:, None]
    bad = seen[:, :, None] & ~np.isfinite(values)
    known = {failure.person for failure in failures}
    found = []
    for person in np.flatnonzero(bad.any(axis=(1, 2))):
        if int(person) not in known:
            row, output = np.argwhere(bad[person])[0]
            time = task.segments[task.which[person]].times[row]
            reason = f"the output '{task.outputs[output]}' is not a finite number at {time:g} h"
            found.append(Failure(int(person), reason))
    return found


def _sample_error(task: Task, values: Floats, failures: Sequence[Failure], count: int, solver: Solver) -> float | None:
    """The largest error among some people; None when none of them could be compared."""
    failed = {failure.person for failure in failures}
    candidates = np.array([i for i in range(len(task.rows)) if i not in failed], dtype=np.int64)
    if not len(candidates):
        return None
    chosen = candidates[np.unique(np.linspace(0, len(candidates) - 1, min(count, len(candidates))).astype(int))]
    sample = replace(task.take(chosen), relative_tolerance=min(CHECK_TOLERANCE, task.relative_tolerance / 10.0))
    exact, trouble, _ = solver(sample)
    kept = np.setdiff1d(np.arange(len(chosen)), [failure.person for failure in trouble])
    if not len(kept):
        return None
    exact, found = exact[kept], values[chosen[kept], : exact.shape[1]]
    largest = np.nanmax(np.abs(exact), axis=(0, 1), keepdims=True)
    error = np.abs(found - exact) / np.maximum(np.abs(exact) + 1e-3 * largest, 1e-300)
    return float(np.nanmax(error))


def _times(task: Task, longest: int) -> Floats:
    padded = np.full((len(task.segments), longest), np.nan)
    for i, segments in enumerate(task.segments):
        padded[i, : len(segments.times)] = segments.times[:longest]
    return np.asarray(padded[task.which], dtype=np.float64)

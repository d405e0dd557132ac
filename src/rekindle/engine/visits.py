"""Schedules that are made as people go along: everybody is followed from visit to visit, and a callback decides.

`decide` is called once a visit for everybody who has one, and gives what happens until each person's next visit. So
many people at once are followed by the same vectorised work, at hours of their own. What runs when a visit comes
(an infusion, a setting) goes on after it. The numbers are those of the same happenings known beforehand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.backends import CHECK_TOLERANCE, DEFAULT_TOLERANCE, Backend, Solution, Solver
from rekindle.engine.lower import Lowered
from rekindle.engine.scale import typical_scale
from rekindle.engine.schedule import SAME_TIME_H
from rekindle.engine.table import Happenings, Looks, SegmentTable, compile_table
from rekindle.engine.task import Failure, Progress, Standing, Task
from rekindle.errors import InputError, SolverError, UnsupportedError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_VISITS = 20_000
"""Visits of one person; more are a callback that does not get on."""


@dataclass(frozen=True)
class Seen:
    """Looks that `decide` asked for: `person`, `time`, shape (looks,), and `values`, shape (looks, outputs)."""

    person: Integers
    time: Floats
    values: Floats


@dataclass(frozen=True)
class Visit:
    """Who is seen: `person` (positions), `time` in hours, both of shape (seen,), and `values` (seen, outputs) then.

    `watched` are the looks since the last visit that `decide` had asked for.
    """

    number: int
    person: Integers
    time: Floats
    values: Floats
    watched: Seen


@dataclass(frozen=True)
class Decision:
    """What happens next: `until`, shape (seen,), hours of each one's next visit (the horizon for none).

    `given` may begin anywhere from now to the next visit (`person` counts among all people) and may run on beyond
    it. `watch_person` and `watch_time` are looks for the callback.
    """

    until: Floats
    given: Happenings = field(default_factory=Happenings.none)
    watch_person: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    watch_time: Floats = field(default_factory=lambda: np.zeros(0))


Decide = Callable[[Visit], Decision]


@dataclass(frozen=True)
class Visited:
    """What `solve_visits` gives: the solution at the times asked for, and everything that happened to everybody."""

    solution: Solution
    happened: Happenings


@dataclass
class _Course:
    """Everybody on their way. `clock` and `standing` are everybody's; `alive` are still to be solved."""

    task: Task
    output_times: Floats
    horizon_h: float
    values: Floats
    clock: Floats
    alive: NDArray[np.bool_]
    pool: Happenings
    watch: tuple[Integers, Floats]
    log: list[Happenings] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def solve_visits(
    lowered: Lowered,
    parameters: NDArray[np.floating[Any]],
    outputs: Sequence[str],
    decide: Decide,
    *,
    output_times: Sequence[float],
    horizon_h: float,
    backend: Backend = "native",
    relative_tolerance: float | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    scale: NDArray[np.floating[Any]] | None = None,
    check: int = 0,
    checked: int | None = None,
) -> Visited:
    """Solve people whose schedules are decided at visits, from hour 0 to the horizon.

    `parameters` has shape (people, parameters); `output_times` (hours, rising) are everybody's. `decide` is called
    first at hour 0, before anything has happened, then at every next visit that it has named. The other arguments
    are those of `rekindle.engine.backends.solve`; `check` people are solved again with what happened to them, and the
    first `checked` outputs (all if None) compared.

    Raises:
        InputError: wrong shapes or names, times that are not in order, visits that do not get on.
        UnsupportedError: a backend that cannot go on from where people stand.
    """
    begun = time.perf_counter()
    course = _begin(lowered, parameters, outputs, output_times, horizon_h, backend, relative_tolerance, threads, scale)
    solver = _solver(backend)
    people = len(course.clock)
    seen = _stretch(course, solver, np.arange(people), course.clock.copy())
    for number in range(MOST_VISITS):
        decision = decide(seen)
        until = _until(decision, seen, course, number)
        who = np.flatnonzero(course.alive & np.isin(np.arange(people), seen.person))
        _take_in(course, decision)
        nexts = np.full(people, np.nan)
        nexts[seen.person] = until
        seen = _stretch(course, solver, who, nexts[who], number + 1)
        if progress is not None:
            share = np.where(course.alive, course.clock / horizon_h, 1.0).mean()
            progress(int(share * people), people)
        if not len(seen.person):
            return _finished(course, solver, check, checked, backend, begun)
    raise InputError(f"A person has more than {MOST_VISITS} visits.", where="decide")


def _begin(
    lowered: Lowered,
    parameters: NDArray[np.floating[Any]],
    outputs: Sequence[str],
    output_times: Sequence[float],
    horizon_h: float,
    backend: Backend,
    relative_tolerance: float | None,
    threads: int | None,
    scale: NDArray[np.floating[Any]] | None,
) -> _Course:
    from rekindle.engine.backends import _checked_outputs, _checked_rows, _checked_scale
    from rekindle.processors import processors

    times = np.asarray(output_times, dtype=np.float64)
    if len(times) and not (np.isfinite(times).all() and (np.diff(times) > 0).all() and times[0] >= 0.0):
        raise InputError("Output times must rise from 0.")
    if not horizon_h > 0 or (len(times) and times[-1] > horizon_h + SAME_TIME_H):
        raise InputError(f"The horizon {horizon_h:g} h is before the last output time.")
    rows = _checked_rows(lowered, parameters, 1)
    people = len(rows)
    tolerance = DEFAULT_TOLERANCE[backend] if relative_tolerance is None else relative_tolerance
    if scale is None:
        table = compile_table(lowered, np.zeros(1), np.full(1, horizon_h), Happenings.none(), _no_looks())
        sizes = typical_scale(lowered, table[0], rows[0])
    else:
        sizes = _checked_scale(lowered, scale)
    names = _checked_outputs(lowered, outputs)
    task = Task(
        lowered, rows, (), np.arange(people), names, tolerance, threads or processors(), sizes,
        begin=Standing.empty(people, len(lowered.states)),
    )  # fmt: skip
    values = np.full((people, len(times), len(names)), np.nan)
    alive = np.ones(people, dtype=bool)
    nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
    return _Course(task, times, horizon_h, values, np.zeros(people), alive, Happenings.none(), nothing)


def _no_looks() -> Looks:
    return Looks(np.zeros(0, dtype=np.int64), np.zeros(0))


def _solver(backend: Backend) -> Solver:
    from rekindle.engine.backends import _solver as solver

    if backend not in ("native", "reference"):
        raise UnsupportedError(f"The backend '{backend}' cannot go on from where people stand.", hint="Use native.")
    return solver(backend)


def _until(decision: Decision, seen: Visit, course: _Course, number: int) -> Floats:
    """Each one's next visit, no later than the horizon.

    Raises:
        InputError: a number too few, or a visit that is not after this one.
    """
    until = np.minimum(np.asarray(decision.until, dtype=np.float64), course.horizon_h)
    if until.shape != seen.time.shape:
        raise InputError(f"There are next visits for {until.shape} of {seen.time.shape} people.", where="decide")
    if not (until > seen.time + SAME_TIME_H).all():
        place = int(np.flatnonzero(~(until > seen.time + SAME_TIME_H))[0])
        raise InputError(
            f"The visit of person {seen.person[place]} after {seen.time[place]:g} h is at {until[place]:g} h.",
            where=f"decide, visit {number}",
        )
    return until


def _take_in(course: _Course, decision: Decision) -> None:
    """Put what was decided to what is under way."""
    given = decision.given
    if len(given):
        early = given.time < course.clock[given.person] - SAME_TIME_H
        if early.any():
            raise InputError(f"Something is given at {given.time[early][0]:g} h, before the visit.", where="decide")
        course.log.append(given)
        course.pool = Happenings.join([course.pool, given])
    if len(decision.watch_person):
        person, hours = course.watch
        course.watch = (
            np.concatenate([person, decision.watch_person]),
            np.concatenate([hours, np.asarray(decision.watch_time, dtype=np.float64)]),
        )


def _stretch(course: _Course, solver: Solver, who: Integers, until: Floats, number: int = 0) -> Visit:
    """Solve some people from where they are to `until`; returns those who then have a visit."""
    task, begin, count = course.task, course.clock[who], len(course.clock)
    place = np.full(count, -1, dtype=np.int64)
    place[who] = np.arange(len(who))
    looks, kinds = _looks(course, place, begin, until, first=number == 0)
    mine = course.pool.take(place[course.pool.person] >= 0)
    given = replace(mine, person=place[mine.person])
    table = compile_table(task.lowered, begin, until, given, looks)
    assert task.begin is not None
    end = Standing.empty(len(who), len(task.scale))
    own = replace(
        task, rows=task.rows[who], segments=table, which=np.arange(len(who)), end=end,
        begin=None if number == 0 else task.begin.take(who),
    )  # fmt: skip
    if len(who):
        values, failures, report = solver(own)
        _count(course, report)
    else:
        values, failures = np.zeros((0, 0, len(task.outputs))), []
    row = np.arange(len(looks.person)) - np.searchsorted(looks.person, np.arange(len(who)))[looks.person]
    found = values[looks.person, row] if len(looks.person) else np.zeros((0, len(task.outputs)))
    bad = _undefined(task, looks, found, {failure.person for failure in failures})
    for failure in [*failures, *bad]:
        course.failures.append(Failure(int(who[failure.person]), failure.reason))
        course.alive[who[failure.person]] = False
    task.begin.put(who, end)
    on_grid = kinds >= 0
    course.values[who[looks.person[on_grid]], kinds[on_grid]] = found[on_grid]
    course.clock[who] = until
    course.pool = _left(course, place)
    return _visit(course, who, looks, kinds, found, number)


def _looks(course: _Course, place: Integers, begin: Floats, until: Floats, *, first: bool) -> tuple[Looks, Integers]:
    """All looks of a stretch in order, and what each is: a row of the output times, -1 the visit, -2 watched."""
    times, people = course.output_times, np.arange(len(begin))
    low = np.zeros(len(begin), dtype=np.int64) if first else np.searchsorted(times, begin + SAME_TIME_H, side="right")
    high = np.searchsorted(times, until + SAME_TIME_H, side="right")
    counts = np.maximum(high - low, 0)
    grid_person = np.repeat(people, counts)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    grid_row = np.repeat(low, counts) + offsets
    watch_person, watch_time = course.watch
    here = place[watch_person] >= 0
    here[here] = watch_time[here] <= until[place[watch_person[here]]] + SAME_TIME_H
    course.watch = watch_person[~here], watch_time[~here]
    watched = place[watch_person[here]]
    person = np.concatenate([grid_person, people, watched]).astype(np.int64)
    hours = np.concatenate([times[grid_row], until, np.maximum(watch_time[here], begin[watched])])
    kinds = np.concatenate([grid_row, np.full(len(people), -1), np.full(len(watched), -2)])
    hours = np.minimum(hours, until[person])
    order = np.lexsort((-kinds, hours, person))
    return Looks(person[order], hours[order]), kinds[order].astype(np.int64)


def _undefined(task: Task, looks: Looks, found: Floats, known: set[int]) -> list[Failure]:
    """People who were solved but for whom an output is not a finite number."""
    bad = np.argwhere(~np.isfinite(found))
    failures: dict[int, Failure] = {}
    for look, output in bad:
        person = int(looks.person[look])
        if person not in known and person not in failures:
            reason = f"the output '{task.outputs[output]}' is not a finite number at {looks.time[look]:g} h"
            failures[person] = Failure(person, reason)
    return list(failures.values())


def _left(course: _Course, place: Integers) -> Happenings:
    """What is still to come or goes on; settings that were made are made again where the next stretch begins."""
    pool, states = course.pool, len(course.task.lowered.states)
    clock = course.clock[pool.person]
    over = pool.time < clock - SAME_TIME_H
    runs = over & (pool.until > clock + SAME_TIME_H)
    made = over & (pool.duration == 0.0) & (pool.target >= states)
    kept = pool.take(~over | runs)
    if not made.any():
        return kept
    settings = pool.take(made)
    order = np.lexsort((settings.time, settings.target, settings.person))
    settings = settings.take(order)
    last = np.ones(len(settings), dtype=bool)
    last[:-1] = (settings.person[1:] != settings.person[:-1]) | (settings.target[1:] != settings.target[:-1])
    settings = settings.take(last)
    return Happenings.join([replace(settings, time=course.clock[settings.person]), kept])


def _visit(course: _Course, who: Integers, looks: Looks, kinds: Integers, found: Floats, number: int) -> Visit:
    """Who has a visit now: those alive who have not reached the horizon."""
    goes_on = course.alive[who] & (course.clock[who] < course.horizon_h - SAME_TIME_H)
    at_visit = (kinds == -1) & goes_on[looks.person]
    watched = (kinds == -2) & course.alive[who][looks.person]
    seen = Seen(who[looks.person[watched]], looks.time[watched], found[watched])
    person = who[looks.person[at_visit]]
    return Visit(number, person, course.clock[person], found[at_visit], seen)


def _count(course: _Course, report: dict[str, Any]) -> None:
    for name, value in report.items():
        if isinstance(value, bool) or not isinstance(value, int) or name == "lanes":
            course.counts[name] = value
        else:
            course.counts[name] = course.counts.get(name, 0) + value


def _finished(
    course: _Course, solver: Solver, check: int, checked: int | None, backend: Backend, begun: float
) -> Visited:
    failed = {failure.person for failure in course.failures}
    for person in failed:
        course.values[person] = np.nan
    happened = Happenings.join(course.log)
    report: dict[str, Any] = {
        **course.counts,
        "backend": backend,
        "relative_tolerance": course.task.relative_tolerance,
        "people": len(course.clock),
        "failed": len(failed),
    }
    if check > 0:
        report["sample_error"] = _sample_error(course, solver, happened, failed, check, checked)
    report["wall_s"] = time.perf_counter() - begun
    failures = tuple(sorted(course.failures, key=lambda failure: failure.person))
    times = np.broadcast_to(course.output_times, course.values.shape[:2])
    return Visited(Solution(course.task.outputs, times, course.values, failures, report), happened)


def _sample_error(
    course: _Course, solver: Solver, happened: Happenings, failed: set[int], count: int, checked: int | None
) -> float | None:
    """The largest error among some people, solved again with what happened to them; None when there is nobody."""
    candidates = np.array([i for i in range(len(course.clock)) if i not in failed], dtype=np.int64)
    if not len(candidates) or not len(course.output_times):
        return None
    chosen = candidates[np.unique(np.linspace(0, len(candidates) - 1, min(count, len(candidates))).astype(int))]
    task = replace(course.task, relative_tolerance=min(CHECK_TOLERANCE, course.task.relative_tolerance / 10.0))
    try:
        exact = _solved_again(task, solver, happened, chosen, course.output_times, course.horizon_h)
    except SolverError:
        return None
    exact = exact[:, :, :checked]
    largest = np.abs(exact).max(axis=(0, 1), keepdims=True)
    error = np.abs(course.values[chosen][:, :, :checked] - exact) / np.maximum(np.abs(exact) + 1e-3 * largest, 1e-300)
    return float(error.max())


def _solved_again(
    task: Task, solver: Solver, happened: Happenings, chosen: Integers, output_times: Floats, horizon_h: float
) -> Floats:
    place = np.full(len(task.rows), -1, dtype=np.int64)
    place[chosen] = np.arange(len(chosen))
    mine = happened.take(place[happened.person] >= 0)
    looks = Looks(np.repeat(np.arange(len(chosen)), len(output_times)), np.tile(output_times, len(chosen)))
    table: SegmentTable = compile_table(
        task.lowered, np.zeros(len(chosen)), np.full(len(chosen), horizon_h),
        replace(mine, person=place[mine.person]), looks,
    )  # fmt: skip
    again = replace(task, rows=task.rows[chosen], segments=table, which=np.arange(len(chosen)), begin=None, end=None)
    values, failures, _ = solver(again)
    if failures:
        raise SolverError(failures[0].reason)
    return values

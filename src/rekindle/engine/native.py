"""The quick solver: Rodas5P in vector code for several people at once, on several threads.

A person who cannot be solved is tried again at a hundredth of the tolerance, then by the reference solver,
and is named with the reason if that fails too. A person's result depends on nobody else's.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.engine import rosenbrock
from rekindle.engine.compiled import Library, load
from rekindle.engine.compiled import lanes as lanes_here
from rekindle.engine.emit import module_text, program_function, renewing
from rekindle.engine.kernel_text import kernel_functions, scratch
from rekindle.engine.lower import Lowered
from rekindle.engine.many import solve_reference
from rekindle.engine.memory import Crowd, Machine, Plan, Settings, Stand, new_lanes
from rekindle.engine.person import Accuracy
from rekindle.engine.rosenbrock import Control
from rekindle.engine.schedule import BASE, INPUT, Segments
from rekindle.engine.settling import settled
from rekindle.engine.table import SegmentTable
from rekindle.engine.task import Failure, Standing, Task

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

BLOCK, LARGEST_BLOCK = 64, 512  # people whom a thread takes at a time; at a block's end lanes stand idle
_LAST_RESORT, _LAST_STEPS = 1e-7, 20_000  # tolerance and steps of the reference solver for troubled people
ROUNDING = 1e-15  # of the largest scale: what is smaller is noise
REASONS = {
    1: "more steps than the limit",
    2: "the step became smaller than the smallest allowed",
    3: "the states or their rates are not finite",
}


@dataclass(frozen=True)
class Native:
    """The compiled kernel of one network for chosen outputs."""

    machine: Machine
    needed: Integers
    libraries: tuple[Any, ...]


@dataclass(frozen=True)
class _Step:
    """The compiled step of one network, and how many numbers a lane needs for its factors and its scratch."""

    library: Library
    entries: int
    places: int


_STEPS: dict[tuple[str, int], _Step] = {}
_MADE: dict[tuple[str, tuple[str, ...], int, tuple[int, ...]], Native] = {}


def native_of(
    lowered: Lowered, outputs: Sequence[str], width: int | None = None, touched: Sequence[int] = ()
) -> Native:
    """The compiled kernel for these outputs, made once a process and taken from the cache on disk if there.

    `touched` are the positions of the parameters that schedules act on.
    """
    width = width or lanes_here()
    key = (lowered.network.digest, tuple(outputs), width, tuple(touched))
    if key in _MADE:
        return _MADE[key]
    observed = lowered.observe(outputs)
    step = _step_of(lowered, width)
    scalar = load(
        module_text(
            [program_function("prepare", lowered.prepare, ["p"]), program_function("initial", lowered.initial, ["p"])]
        )
    )
    watch = load(module_text([program_function("observe", observed, ["y", "q", "p"])]))
    part, renewed = renewing(lowered.prepare, "p", touched)
    renew = load(module_text([program_function("renew", part, ["p"])]))
    machine = Machine(
        step=step.library.address("wide_step"),
        accept=step.library.address("wide_accept"),
        prepare=scalar.address("prepare"),
        initial=scalar.address("initial"),
        observe=watch.address("observe"),
        width=width,
        states=len(lowered.states),
        free=len(lowered.parameters),
        parameters=len(lowered.parameters) + len(lowered.derived),
        prepared=len(lowered.prepared),
        entries=step.entries,
        scratch=step.places,
        stages=rosenbrock.STAGES,
        outputs=len(outputs),
        time_state=-1 if lowered.time_state is None else lowered.time_state,
        renew=renew.address("renew"),
        touched=np.array(touched, dtype=np.int64),
        renewed=np.array(renewed, dtype=np.int64),
    )
    needed = sorted(position for array, position in observed.inputs.values() if array == "y")
    made = _MADE[key] = Native(machine, np.array(needed, dtype=np.int64), (step.library, scalar, watch, renew))
    return made


def _step_of(lowered: Lowered, width: int) -> _Step:
    """The compiled step, which is the same for all outputs and schedules."""
    key = (lowered.network.digest, width)
    if key not in _STEPS:
        _STEPS[key] = _Step(load(module_text(kernel_functions(lowered, width))), *scratch(lowered))
    return _STEPS[key]


def plan_of(segments: Sequence[Segments]) -> Plan:
    """Schedules laid end to end."""
    if isinstance(segments, SegmentTable):
        return segments.plan
    edges = [s.edges for s in segments]
    actions = np.cumsum([0, *(len(s.kind) for s in segments)])
    return Plan(
        edge_of=np.cumsum([0, *(len(e) for e in edges)]).astype(np.int64),
        edges=np.concatenate(edges),
        first=np.concatenate([s.first[:-1] + a for s, a in zip(segments, actions, strict=False)]).astype(np.int64),
        last=np.concatenate([s.first[1:] + a for s, a in zip(segments, actions, strict=False)]).astype(np.int64),
        kind=np.concatenate([s.kind for s in segments]),
        position=np.concatenate([s.position for s in segments]),
        value=np.concatenate([s.value for s in segments]),
        row_begin=np.concatenate([s.rows[:, 0] for s in segments]),
        row_end=np.concatenate([s.rows[:, 1] for s in segments]),
        time_of=np.cumsum([0, *(len(s.times) for s in segments)]).astype(np.int64),
        times=np.concatenate([s.times for s in segments]),
    )


def solve_native(task: Task, control: Control | None = None) -> tuple[Floats, list[Failure], dict[str, Any]]:
    """Solve a task with the vector kernel; returns values, failures and a report."""
    control = control or Control(relative=task.relative_tolerance)
    task, failures = settled(task)
    values, outcome, steps, native = _run(task, control)
    report: dict[str, Any] = {
        "method": "rodas5p",
        "lanes": native.machine.width,
        "steps": int(steps[:, 0].sum()),
        "refused_steps": int(steps[:, 1].sum()),
        "from_cache": all(library.from_cache for library in native.libraries),
        "retried": 0,
        "by_reference": 0,
    }
    troubled = np.flatnonzero(outcome)
    if len(troubled):
        report["retried"] = len(troubled)
        tight = replace(control, relative=control.relative / 100.0)
        rest = task.take(troubled)
        again, second, _, _ = _run(rest, tight)
        values[troubled, : again.shape[1]] = again
        if task.end is not None and rest.end is not None:
            task.end.put(troubled, rest.end)
        left = troubled[second != 0]
        report["by_reference"] = len(left)
        why = {int(troubled[i]): REASONS[int(second[i])] for i in np.flatnonzero(second)}
        failures += by_reference(task, values, left, why)
    for failure in failures:
        values[failure.person] = np.nan
        if task.end is not None:
            task.end.states[failure.person] = np.nan
    return values, sorted(failures, key=lambda failure: failure.person), report


def _run(task: Task, control: Control) -> tuple[Floats, Integers, Integers, Native]:
    """Solve the people in blocks, the blocks on several threads."""
    from rekindle.engine.driver import run

    plan = plan_of(task.segments)
    touched = np.unique(plan.position[np.isin(plan.kind, (BASE, INPUT))])
    native = native_of(task.lowered, task.outputs, touched=touched.tolist())
    settings, numbers = settings_of(control), numbers_of(task, control)
    people, rooms = len(task.rows), _Rooms(task)
    crowd = crowd_of(task, rooms.values)
    dense = np.array(rosenbrock.H)
    lock, done = threading.Lock(), 0

    def solve_block(first: int) -> None:
        nonlocal done
        end = min(first + size, people)
        lanes, room = new_lanes(native.machine), rooms.of(first, end)
        part = crowd.part(first, end, room)
        run(native.machine, plan, settings, part, lanes, numbers, dense, native.needed, np.arange(end - first))
        rooms.put(first, end, room)
        with lock:
            done += end - first
            if task.progress is not None:
                task.progress(done, people)

    size = min(max(BLOCK, people // (4 * task.threads)), LARGEST_BLOCK)
    _share_out(range(0, people, size), solve_block, task.threads)
    return crowd.values, crowd.outcome, crowd.steps, native


def _share_out(firsts: Sequence[int], solve_block: Callable[[int], None], threads: int) -> None:
    """Do every block, named by its first person: this thread and `threads` - 1 others each take the next one left."""
    left: SimpleQueue[int] = SimpleQueue()
    for first in firsts:
        left.put(first)

    def work() -> None:
        with contextlib.suppress(Empty):
            while True:
                solve_block(left.get_nowait())

    helpers = min(threads, len(firsts)) - 1
    with ThreadPoolExecutor(max(helpers, 1)) as pool:  # it starts no thread that has nothing to do
        others = [pool.submit(work) for _ in range(helpers)]
        work()
        for each in others:
            each.result()


class _Rooms:
    """Where blocks of people write their outputs.

    The loop writes a person's outputs at one time side by side. Where each output's numbers are to lie side by side
    instead, a thread has a room of its own and turns it round block by block, while it is in the processor's cache.
    """

    def __init__(self, task: Task) -> None:
        self._own: Any = threading.local() if task.by_output else None
        if task.by_output:
            shape = (len(task.outputs), len(task.rows), task.longest)
            self.values: Floats = np.moveaxis(np.empty(shape), 0, 2)
        else:
            self.values = task.empty()

    def of(self, first: int, end: int) -> Floats:
        """Room of NaN for the people from `first` up to `end`: people, times, outputs."""
        if self._own is None:
            return self.values[first:end]
        room: Floats | None = getattr(self._own, "room", None)
        if room is None or len(room) < end - first:
            room = self._own.room = np.empty((end - first, *self.values.shape[1:]))
        room = room[: end - first]
        room.fill(np.nan)
        return room

    def put(self, first: int, end: int, room: Floats) -> None:
        """Take over what the people from `first` up to `end` have written."""
        if self._own is not None:
            for person, course in zip(range(first, end), room, strict=True):
                self.values[person] = course


def settings_of(control: Control) -> Settings:
    """A control as the loop reads it."""
    return Settings(
        control.relative,
        control.floor,
        control.safety,
        control.shrink,
        control.grow,
        control.first,
        control.smallest,
        control.limit,
    )


def numbers_of(task: Task, control: Control) -> Floats:
    """A control as the kernel's step reads it."""
    smallest = ROUNDING * float(task.scale.max())
    return np.array([control.relative, control.floor, smallest, control.safety, control.shrink, control.grow])


def crowd_of(task: Task, values: Floats | None = None) -> Crowd:
    """A task's people, with room for their results: `values` for the outputs, or new room."""
    people = len(task.rows)
    return Crowd(
        # The loop reads the arrays as they lie in memory.
        rows=np.ascontiguousarray(task.rows, dtype=np.float64),
        which=np.ascontiguousarray(task.which, dtype=np.int64),
        scale=np.ascontiguousarray(task.scale, dtype=np.float64),
        values=task.empty() if values is None else values,
        outcome=np.zeros(people, dtype=np.int64),
        steps=np.zeros((people, 2), dtype=np.int64),
        resumed=task.begin is not None,
        begin=_stand(task.begin),
        kept=task.end is not None,
        end=_stand(task.end),
    )


def _stand(standing: Standing | None) -> Stand:
    """The arrays of a standing; empty ones for none."""
    given = standing or Standing.empty(0, 0)
    return Stand(*(np.ascontiguousarray(part) for part in (given.states, given.largest, given.steps)))


def by_reference(task: Task, values: Floats, people: Integers, why: dict[int, str]) -> list[Failure]:
    """Solve the people whom the kernel could not, and name those whom nothing can."""
    if not len(people):
        return []
    rest = task.take(people)
    accuracy = Accuracy(relative=_LAST_RESORT, scale=tuple(task.scale), step_limit=_LAST_STEPS)
    solved, failed, _ = solve_reference(rest, accuracy)
    values[people] = np.nan
    values[people, : solved.shape[1]] = solved
    if task.end is not None and rest.end is not None:
        task.end.put(people, rest.end)
    return [
        Failure(int(people[f.person]), f"{why[int(people[f.person])]}; reference solver: {f.reason}") for f in failed
    ]

"""Sensitivities by the quick solver: the exact derivative of its own steps, for several people at once.

A person who cannot be solved is tried again at a hundredth of the tolerance, then by the plain solver of
`rekindle.engine.tangent_reference`, and is named with the reason if that fails too.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.engine import rosenbrock
from rekindle.engine.compiled import load
from rekindle.engine.emit import module_text, program_function
from rekindle.engine.memory import new_lanes
from rekindle.engine.native import BLOCK, REASONS, Native, crowd_of, native_of, numbers_of, plan_of, settings_of
from rekindle.engine.rosenbrock import Control
from rekindle.engine.tangent_directions import Initial
from rekindle.engine.tangent_layout import Layout, layout_of
from rekindle.engine.tangent_lists import Entries, observed
from rekindle.engine.tangent_memory import (
    OF_MOVED,
    OF_MOVING,
    OF_STATE,
    Tangent,
    TangentLanes,
    TangentPlan,
    new_tangent_lanes,
)
from rekindle.engine.tangent_reference import direction_sizes, follow_people
from rekindle.engine.tangent_task import TangentTask
from rekindle.engine.tangent_text import bent_entries, tangent_functions
from rekindle.engine.task import Failure

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_LAST_RESORT = 1e-7
_STEP_LIMIT = 200_000


@dataclass(frozen=True)
class TangentNative:
    """The compiled code of one call's directions."""

    native: Native
    tangent: Tangent
    layout: Layout
    libraries: tuple[Any, ...]

    def memory(self) -> TangentLanes:
        """Working memory for one thread."""
        machine, layout = self.native.machine, self.layout
        return new_tangent_lanes(
            self.tangent,
            width=machine.width,
            states=machine.states,
            moving=len(layout.lists.moving),
            stages=machine.stages,
            slopes=len(layout.slopes.results),
            bends=len(layout.bends.results),
            entries=len(layout.lists.bends.results),
            factors=layout.factors,
        )


def solve_tangents(task: TangentTask) -> tuple[Floats, Floats, list[Failure], dict[str, Any]]:
    """Values (people, times, outputs), derivatives (people, times, outputs, directions), failures and a report."""
    whole = task.task
    made = _made(task)
    control = Control(relative=whole.relative_tolerance, limit=_STEP_LIMIT)
    values, slopes, outcome, steps = _run(task, made, control)
    report: dict[str, Any] = {
        "method": "rodas5p",
        "lanes": made.native.machine.width,
        "steps": int(steps[:, 0].sum()),
        "refused_steps": int(steps[:, 1].sum()),
        "states_followed": [len(block.rows) for block in made.layout.blocks],
        "from_cache": all(library.from_cache for library in made.libraries),
        "retried": 0,
        "by_reference": 0,
    }
    failures: list[Failure] = []
    troubled = np.flatnonzero(outcome | ~_finite(task, slopes))
    if len(troubled):
        report["retried"] = len(troubled)
        rest = task.take(troubled)
        again = _run(rest, made, replace(control, relative=control.relative / 100.0))
        values[troubled, : again[0].shape[1]], slopes[troubled, : again[1].shape[1]] = again[0], again[1]
        left = np.flatnonzero(again[2] | ~_finite(rest, again[1]))
        report["by_reference"] = len(left)
        if len(left):
            last = rest.take(left, relative_tolerance=_LAST_RESORT)
            solved, followed, failed, _ = follow_people(last)
            people = troubled[left]
            values[people, : solved.shape[1]], slopes[people, : followed.shape[1]] = solved, followed
            why = [REASONS.get(int(again[2][i]), "the derivatives are not finite") for i in left]
            failures = [Failure(int(people[f.person]), f"{why[f.person]}; reference: {f.reason}") for f in failed]
    return values, slopes, failures, report


def _finite(task: TangentTask, slopes: Floats) -> NDArray[np.bool_]:
    """Whose derivatives are all finite numbers."""
    counts = np.array([len(segments.times) for segments in task.task.segments])[task.task.which]
    beyond = np.arange(slopes.shape[1])[None, :] >= counts[:, None]
    finite = np.isfinite(slopes).all(axis=(2, 3))
    return np.asarray((finite | beyond).all(axis=1))


def _run(task: TangentTask, made: TangentNative, control: Control) -> tuple[Floats, Floats, Integers, Integers]:
    """Solve a task in blocks of people, the blocks on several threads."""
    from rekindle.engine.tangent_driver import run

    whole, machine = task.task, made.native.machine
    plan, count = plan_of(whole.segments), len(whole.rows)
    time = np.concatenate([events.time for events in task.events])
    changes = TangentPlan(np.concatenate([events.value for events in task.events]), time, np.asarray(time.any(axis=1)))
    settings, crowd, numbers = settings_of(control), crowd_of(whole), numbers_of(whole, control)
    slopes, dense = task.empty(), np.array(rosenbrock.H)
    sizes = direction_sizes(task)

    def solve_block(block: Integers) -> None:
        lanes = new_lanes(machine)
        run(
            machine, made.tangent, plan, changes, settings, crowd, sizes, slopes, lanes, made.memory(), numbers, dense,
            made.native.needed, block,
        )  # fmt: skip

    people = np.arange(count)
    blocks = [people[i : i + BLOCK] for i in range(0, count, BLOCK)]
    with ThreadPoolExecutor(whole.threads) as pool:
        for future in as_completed([pool.submit(solve_block, block) for block in blocks]):
            future.result()
    return crowd.values, slopes, crowd.outcome, crowd.steps


_MADE: dict[tuple[Any, ...], TangentNative] = {}


def _made(task: TangentTask) -> TangentNative:
    """What a task needs, made once a process for the same directions and the same targets of their events."""
    targets = {
        (number, type(event).__name__, getattr(event, "target", getattr(event, "parameter", "")))
        for schedule in task.schedules
        for number, direction in enumerate(task.directions)
        if not isinstance(direction, str | Initial)
        for event in (schedule.events[direction.event],)
    }
    key = (task.task.lowered.network.digest, task.task.outputs, task.directions, task.moving, frozenset(targets))
    if key not in _MADE:
        _MADE[key] = _compiled(task)
    return _MADE[key]


def _compiled(task: TangentTask) -> TangentNative:
    lowered, outputs = task.task.lowered, task.task.outputs
    native, layout = native_of(lowered, outputs), layout_of(task)
    lists, width = layout.lists, native.machine.width
    seen = observed(lowered, outputs)
    wide = load(module_text(tangent_functions(lowered, layout, width)))
    scalar = load(
        module_text(
            [
                program_function("rates", lowered.rates, ["y", "q"]),
                program_function("prepare", lists.prepare.program, ["p"]),
                program_function("initial", lists.initial.program, ["p"]),
                program_function("seen", seen.program, ["y", "q", "p"]),
            ]
        )
    )
    sizes = [len(block.rows) * layout.depth * width for block in layout.blocks]
    block, place = _numbered(layout, len(task.directions))
    tangent = Tangent(
        ready=wide.address("tangent_ready"),
        steps=np.array([wide.address(f"tangent_step{b}") for b in range(len(sizes))], dtype=np.int64),
        accepts=np.array([wide.address(f"tangent_accept{b}") for b in range(len(sizes))], dtype=np.int64),
        rates=scalar.address("rates"),
        prepare=scalar.address("prepare"),
        initial=scalar.address("initial"),
        seen=scalar.address("seen"),
        depth=layout.depth,
        slots=layout.slots,
        moved=len(lists.moved),
        directions=len(task.directions),
        begins=np.cumsum([0, *sizes]).astype(np.int64),
        local=np.stack([_positions(each.rows, native.machine.states) for each in layout.blocks]),
        block=block,
        place=place,
        slot_of_state=_positions(layout.into, native.machine.states, len(lists.moved)),
        number_of_parameter=_positions(lists.moving, native.machine.parameters),
        prepare_places=_table(lists.prepare.places, 2),
        initial_places=_initial_places(layout, native.machine.parameters),
        seen_places=_seen_places(layout, seen, native),
        begun=_begun(task),
        chosen=_chosen(task),
    )
    return TangentNative(native, tangent, layout, (wide, scalar, *native.libraries))


def _table(rows: Any, columns: int) -> Integers:
    return np.array(list(rows), dtype=np.int64).reshape(-1, columns)


def _positions(chosen: tuple[int, ...], count: int, first: int = 0) -> Integers:
    """For each of `count` things its position among the chosen, counted from `first`, or -1."""
    found = np.full(count, -1, dtype=np.int64)
    found[list(chosen)] = first + np.arange(len(chosen))
    return found


def _numbered(layout: Layout, directions: int) -> tuple[Integers, Integers]:
    """The block of each direction and its place there."""
    block, place = np.zeros(directions, dtype=np.int64), np.zeros(directions, dtype=np.int64)
    for number, each in enumerate(layout.blocks):
        block[list(each.directions)] = number
        place[list(each.directions)] = np.arange(len(each.directions))
    return block, place


def _initial_places(layout: Layout, parameters: int) -> Integers:
    number = _positions(layout.lists.moving, parameters)
    return _table(((row, number[column]) for row, column in layout.lists.initial.places), 2)


def _seen_places(layout: Layout, seen: Entries, native: Native) -> Integers:
    """Where each entry of the outputs' derivative belongs; the number is -1 where nothing moves."""
    machine = native.machine
    moved = _positions(layout.lists.moved, max(1, machine.prepared))
    moving = _positions(layout.lists.moving, machine.parameters)
    rows = []
    for output, column in seen.places:
        if column < machine.states:
            rows.append((output, OF_STATE, column))
        elif column < machine.states + machine.prepared:
            rows.append((output, OF_MOVED, int(moved[column - machine.states])))
        else:
            rows.append((output, OF_MOVING, int(moving[column - machine.states - machine.prepared])))
    return _table(rows, 3)


def _begun(task: TangentTask) -> Floats:
    """What the directions add to the starting values, shape (states, directions)."""
    lowered = task.task.lowered
    found = np.zeros((len(lowered.states), len(task.directions)))
    for column, direction in enumerate(task.directions):
        if isinstance(direction, Initial):
            found[lowered.state_index[direction.state], column] = 1.0
    return found


def _chosen(task: TangentTask) -> Floats:
    """Which moving parameter each direction is, shape (moving, directions)."""
    index = task.task.lowered.parameter_index
    found = np.zeros((max(1, len(task.moving)), len(task.directions)))
    for column, direction in enumerate(task.directions):
        if isinstance(direction, str):
            found[task.moving.index(index[direction]), column] = 1.0
    return found


__all__ = ["TangentNative", "bent_entries", "solve_tangents"]

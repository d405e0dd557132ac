"""Which derivatives can differ from zero, and how the vector code goes through them.

A direction moves some states directly; whatever these reach through the Jacobian's pattern can move, all else
stays at zero and is left out, and so is what no output depends on. Directions that reach alike share a block, whose
derivatives lie side by side so that every number of the matrices is fetched once for all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import compress

from rekindle.engine.lower import Lowered, Program
from rekindle.engine.schedule import Bolus, Infusion, Reset
from rekindle.engine.tangent_directions import Direction, DoseAmount, InfusionRate, Initial
from rekindle.engine.tangent_lists import TangentLists, tangent_lists
from rekindle.engine.tangent_task import TangentTask

WIDEST = 2  # directions in a block


@dataclass(frozen=True)
class Block:
    """Directions that are followed together (their numbers), the states that they can move, in elimination order,
    and the moved expressions that they move."""

    directions: tuple[int, ...]
    rows: tuple[int, ...]
    moved: frozenset[int]


@dataclass(frozen=True)
class Layout:
    """What one call's vector code is made for.

    `blocks` hold `depth` directions each (the last may hold fewer). Slots count the moved expressions of `lists` and
    then the states `into`, into which an infusion runs whose rate is a direction. `slopes` holds the entries that
    change with the states, worked out at every stage; `bends` those of the Jacobian's derivative and then the entries
    of the slopes that do not change, worked out once a step.
    """

    lists: TangentLists
    blocks: tuple[Block, ...]
    depth: int
    into: tuple[int, ...]
    slopes: Program
    bends: Program
    varying: dict[int, int]
    settled: dict[int, int]
    factors: int

    @property
    def slots(self) -> int:
        """How many numbers besides the states drive the derivatives."""
        return len(self.lists.moved) + len(self.into)


def layout_of(task: TangentTask) -> Layout:
    """The layout for a task's directions, outputs and schedules."""
    lowered, schedules = task.task.lowered, task.schedules
    lists = tangent_lists(lowered, task.moving)
    watched = {place for array, place in lowered.observe(task.task.outputs).inputs.values() if array == "y"}
    needed = _closure(watched, [(column, row) for row, column in lowered.pattern])
    reached = [
        _closure(_sources(lowered, lists, task, direction), lowered.pattern) & needed for direction in task.directions
    ]
    into = {
        lowered.state_index[getattr(schedule.events[direction.event], "target", "")]
        for direction in task.directions
        if isinstance(direction, InfusionRate)
        for schedule in schedules
        if getattr(schedule.events[direction.event], "target", "") in lowered.state_index
    }
    count = len(task.directions)
    depth = -(-count // -(-count // WIDEST))
    order = sorted(range(count), key=lambda number: (len(reached[number]), sorted(reached[number])))
    blocks = []
    for begin in range(0, count, depth):
        chosen = tuple(order[begin : begin + depth])
        rows = set().union(*(reached[number] for number in chosen))
        ordered = tuple(state for state in lowered.elimination.order if state in rows)
        moved = frozenset[int]().union(*(_moved_by(lowered, lists, task, number) for number in chosen))
        blocks.append(Block(chosen, ordered or lowered.elimination.order[:1], moved))
    lists = _without_unused(lowered, lists, blocks)
    slopes, varying, settled, kept = _split_slopes(lowered, lists, blocks)
    return Layout(
        lists=lists,
        blocks=tuple(blocks),
        depth=depth,
        into=tuple(sorted(into)),
        slopes=slopes,
        bends=replace(
            _joined(lists.bends, kept),
            results=(*lists.bends.results, *kept.results),
        ),
        varying=varying,
        settled={entry: len(lists.bends.results) + place for entry, place in settled.items()},
        factors=len(lowered.elimination.entries),
    )


def _sources(lowered: Lowered, lists: TangentLists, task: TangentTask, direction: Direction) -> set[int]:
    """The states that a direction moves directly, in any of the schedules."""
    states = len(lowered.states)
    if isinstance(direction, str):
        chosen = lowered.parameter_index[direction]
        started = {row for row, column in lists.initial.places if column == chosen and row < states}
        return started | _rows_of(lists, _slots_of(lists, _with_derived(lowered, lists, chosen)))
    if isinstance(direction, Initial):
        return {lowered.state_index[direction.state]}
    found: set[int] = set()
    for schedule in task.schedules:
        event = schedule.events[direction.event]
        if isinstance(event, Reset):
            return set(range(states))
        target = event.target if isinstance(event, Bolus | Infusion) else getattr(event, "parameter", "")
        if target in lowered.state_index:
            found.add(lowered.state_index[target])
        elif target:
            position = lowered.parameter_index[target]
            own = lists if position in lists.moving else tangent_lists(lowered, (position,))
            found |= _rows_of(own, _slots_of(own, {position}))
    return found


def _moved_by(lowered: Lowered, lists: TangentLists, task: TangentTask, number: int) -> set[int]:
    """The moved expressions that change along a direction."""
    direction = task.directions[number]
    if isinstance(direction, str):
        return _slots_of(lists, _with_derived(lowered, lists, lowered.parameter_index[direction]))
    if isinstance(direction, InfusionRate):
        targets = {getattr(schedule.events[direction.event], "target", "") for schedule in task.schedules}
        return _slots_of(lists, {lowered.parameter_index[name] for name in targets if name in lowered.parameters})
    return set()


def _with_derived(lowered: Lowered, lists: TangentLists, chosen: int) -> set[int]:
    """A free parameter and the derived ones that follow from it, as positions in the full row."""
    states, free = len(lowered.states), len(lowered.parameters)
    return {
        chosen,
        *(row - states + free for row, column in lists.initial.places if column == chosen and row >= states),
    }


def _slots_of(lists: TangentLists, moving: set[int]) -> set[int]:
    """The moved expressions that depend on these parameters (positions in the full row)."""
    columns = {number for number, position in enumerate(lists.moving) if position in moving}
    return {slot for slot, column in lists.prepare.places if column in columns}


def _rows_of(lists: TangentLists, slots: set[int]) -> set[int]:
    """The states whose rates depend on these moved expressions."""
    return {row for row, slot in lists.by_moved if slot in slots}


def _closure(begin: Iterable[int], pattern: Iterable[tuple[int, int]]) -> set[int]:
    """Everything that these states reach, themselves included; in `pattern` a row depends on its column."""
    followers: dict[int, list[int]] = {}
    for row, column in pattern:
        followers.setdefault(column, []).append(row)
    found: set[int] = set()
    waiting = list(begin)
    while waiting:
        state = waiting.pop()
        if state not in found:
            found.add(state)
            waiting.extend(followers.get(state, ()))
    return found


def _without_unused(lowered: Lowered, lists: TangentLists, blocks: Sequence[Block]) -> TangentLists:
    """The lists without those derivatives of the Jacobian that no block needs."""
    rows = [set(block.rows) for block in blocks]

    def used(entry: int, number: int, own: Sequence[Collection[int]]) -> bool:
        row = lowered.pattern[entry][0]
        return any(row in held and number in columns for held, columns in zip(rows, own, strict=True))

    states = [used(*place, rows) for place in lists.bent_by_state]
    moved = [used(*place, [block.moved for block in blocks]) for place in lists.bent_by_moved]
    return replace(
        lists,
        bends=pruned(lists.bends, list(compress(lists.bends.results, [*states, *moved]))),
        bent_by_state=tuple(compress(lists.bent_by_state, states)),
        bent_by_moved=tuple(compress(lists.bent_by_moved, moved)),
    )


def _used_slopes(lowered: Lowered, lists: TangentLists, blocks: Sequence[Block]) -> list[int]:
    """The entries of the slopes that some block needs."""
    rows = [set(block.rows) for block in blocks]
    inside = [any(row in held and column in held for held in rows) for row, column in lowered.pattern]
    driven = [
        any(row in held and slot in block.moved for held, block in zip(rows, blocks, strict=True))
        for row, slot in lists.by_moved
    ]
    return [entry for entry, needed in enumerate([*inside, *driven]) if needed]


def _split_slopes(
    lowered: Lowered, lists: TangentLists, blocks: Sequence[Block]
) -> tuple[Program, dict[int, int], dict[int, int], Program]:
    """The slopes that change with the states and those that do not, each with where its entries ended up."""
    changing = {node for node, (array, _) in lists.slopes.inputs.items() if array == "y"}
    for node, _, arguments in lists.slopes.statements:
        if changing.intersection(arguments):
            changing.add(node)
    results = lists.slopes.results
    used = _used_slopes(lowered, lists, blocks)
    varying = [entry for entry in used if results[entry] in changing]
    settled = [entry for entry in used if results[entry] not in changing]
    return (
        pruned(lists.slopes, [results[entry] for entry in varying]),
        {entry: place for place, entry in enumerate(varying)},
        {entry: place for place, entry in enumerate(settled)},
        pruned(lists.slopes, [results[entry] for entry in settled]),
    )


def pruned(program: Program, results: Sequence[int]) -> Program:
    """The part of a statement list that these results need."""
    needed = set(results)
    for node, _, arguments in reversed(program.statements):
        if node in needed:
            needed.update(arguments)
    return Program(
        {node: place for node, place in program.inputs.items() if node in needed},
        {node: value for node, value in program.constants.items() if node in needed},
        tuple(statement for statement in program.statements if statement[0] in needed),
        tuple(results),
    )


def _joined(first: Program, second: Program) -> Program:
    """Two statement lists of one graph as one; the results are the first's."""
    statements = {statement[0]: statement for statement in (*first.statements, *second.statements)}
    return Program(
        {**first.inputs, **second.inputs},
        {**first.constants, **second.constants},
        tuple(statements[node] for node in sorted(statements)),
        first.results,
    )


__all__ = ["Block", "DoseAmount", "Layout", "layout_of", "pruned"]

"""A network's states in blocks that follow one another, so that a step's work stays close to the processor.

States that depend on each other in a circle belong together; circles and single states follow in the order in
which they depend on one another (the strongly connected components of the Jacobian's graph, sorted). With W =
I/(h gamma) - J block by block lower triangular, all eight stages of a block can be made before the next block
begins: what they touch is small enough for the first-level cache, and nothing is filled in between blocks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rekindle.engine.elimination import Elimination, eliminate
from rekindle.engine.emit import joined
from rekindle.engine.lower import Lowered, Program

BLOCK_STATES = 20
"""A block is closed when it has this many states (a larger circle stays whole)."""


@dataclass(frozen=True)
class Block:
    """States that are solved together.

    `elimination` is that of the block's own square; `entries` says where in the array of factors it begins, and
    `upstream` which (row in the block, state before the block) slopes follow it there. `first` is the program of
    the first stage (rates, slopes inside, slopes upstream, what later blocks need), `later` that of the others
    (rates, what later blocks need, states among it); array "x" holds what earlier blocks left, and `left_first` and
    `left` say at which positions this block leaves its own.
    """

    states: tuple[int, ...]
    inside: tuple[tuple[int, int], ...]
    upstream: tuple[tuple[int, int], ...]
    elimination: Elimination
    entries: int
    first: Program
    later: Program
    left_first: tuple[int, ...]
    left: tuple[int, ...]


@dataclass(frozen=True)
class Blocks:
    """All blocks in order, how many factors they store, and how many expressions they leave to later blocks."""

    blocks: tuple[Block, ...]
    entries: int
    passed_first: int
    passed: int


def dependent_groups(size: int, pattern: Iterable[tuple[int, int]]) -> list[tuple[int, ...]]:
    """States that depend on each other in circles, in an order in which every group follows those it depends on.

    `pattern` holds (row, column) where the rate of state `row` depends on state `column`. Groups that the same
    number of steps separates from the start stand side by side.
    """
    reach = np.eye(size, dtype=bool)
    for row, column in pattern:
        reach[row, column] = True
    for between in range(size):
        reach |= reach[:, between, None] & reach[between]
    same = reach & reach.T
    groups = sorted({tuple(np.flatnonzero(row).tolist()) for row in same})
    depth: dict[tuple[int, ...], int] = {}
    for group in sorted(groups, key=lambda each: int(reach[each[0]].sum())):
        before = [other for other in depth if reach[group[0], other[0]]]
        depth[group] = 1 + max((depth[other] for other in before), default=0)
    return sorted(groups, key=lambda each: (depth[each], each))


def blocks_of(lowered: Lowered, states: int = BLOCK_STATES) -> Blocks:
    """The blocks of a network, each closed at so many states."""
    gathered: list[list[int]] = [[]]
    for group in dependent_groups(len(lowered.states), lowered.pattern):
        if gathered[-1] and len(gathered[-1]) + len(group) > states:
            gathered.append([])
        gathered[-1].extend(group)
    slopes = dict(zip(lowered.pattern, lowered.jacobian.results, strict=True))
    both = joined(lowered.rates, lowered.jacobian)
    wanted_first, wanted = [], []
    squares = []
    for own in gathered:
        inside = [place for place in lowered.pattern if place[0] in own and place[1] in own]
        upstream = [place for place in lowered.pattern if place[0] in own and place[1] not in own]
        squares.append((tuple(inside), tuple(upstream)))
        rates = [lowered.rates.results[i] for i in own]
        wanted.append(rates)
        wanted_first.append([*rates, *(slopes[place] for place in (*inside, *upstream))])
    first, left_first, passed_first = _split(both, wanted_first, {})
    block_of = {state: number for number, own in enumerate(gathered) for state in own}
    later, left, passed = _split(lowered.rates, wanted, block_of)
    blocks, entries = [], 0
    for number, own in enumerate(gathered):
        local = {state: i for i, state in enumerate(own)}
        square = tuple((local[i], local[j]) for i, j in squares[number][0])
        before = tuple((local[i], j) for i, j in squares[number][1])
        elimination = eliminate(len(own), square)
        blocks.append(
            Block(
                tuple(own), square, before, elimination, entries, first[number], later[number],
                left_first[number], left[number],
            )
        )  # fmt: skip
        entries += len(elimination.entries) + len(before)
    return Blocks(tuple(blocks), entries, passed_first, passed)


def _split(
    program: Program, wanted: Sequence[Sequence[int]], block_of: Mapping[int, int]
) -> tuple[list[Program], list[tuple[int, ...]], int]:
    """A program in parts that follow each other, the positions at which each leaves what later ones need, and how
    many expressions are left in all. States in `block_of` are known to their own part only, and left by it.
    """
    arguments = {node: needed for node, _, needed in program.statements}
    home = {
        node: block_of[position]
        for node, (array, position) in program.inputs.items()
        if array == "y" and position in block_of
    }
    passed: dict[int, int] = {}
    for part, results in enumerate(wanted):
        for node in _reached(results, arguments, home):
            if node in home:
                if home[node] != part:
                    passed.setdefault(node, len(passed))
            elif node in arguments:
                home[node] = part
    found = []
    for part, results in enumerate(wanted):
        leaves = [node for node in passed if home[node] == part]
        before = {node for node in home if home[node] < part}
        nodes = _reached(results, arguments, before)
        inputs = {node: program.inputs[node] for node in nodes if node in program.inputs and node not in before}
        inputs |= {node: ("x", passed[node]) for node in nodes if node in before}
        constants = {node: program.constants[node] for node in nodes if node in program.constants}
        own = {node for node in nodes if node in arguments and node not in before}
        statements = tuple(each for each in program.statements if each[0] in own)
        found.append(Program(inputs, constants, statements, (*results, *leaves)))
    left = [tuple(passed[node] for node in passed if home[node] == part) for part in range(len(wanted))]
    return found, left, len(passed)


def _reached(results: Sequence[int], arguments: dict[int, tuple[int, ...]], stop: Collection[int]) -> list[int]:
    """The results and all that they need, without going beyond the nodes in `stop`."""
    found: set[int] = set()
    waiting = list(results)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            if node not in stop:
                waiting.extend(arguments.get(node, ()))
    return sorted(found)

"""Statement lists as JAX functions over arrays whose last axis is the people.

XLA fuses chains of elementary operations and, where a value is used in several places, works it out again in each
of them. In a sparse elimination that doubles the work at every turn, so values are put down (stacked, behind an
optimization barrier) level by level: all entries that depend only on earlier levels are one array.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rekindle.engine.lower import Elimination, Lowered, Program
from rekindle.engine.rosenbrock import GAMMA

Array = Any  # jax.Array, or a tracer

_OPERATIONS: dict[str, Callable[..., Array]] = {
    "add": jnp.add,
    "subtract": jnp.subtract,
    "multiply": jnp.multiply,
    "inverse": lambda x: 1.0 / x,
    "negative": jnp.negative,
    "power": jnp.power,
    "select": jnp.where,
    "less": jnp.less,
    "less_equal": jnp.less_equal,
    "equal": jnp.equal,
    "and": jnp.logical_and,
    "or": jnp.logical_or,
    "not": jnp.logical_not,
    "minimum": jnp.minimum,
    "maximum": jnp.maximum,
    "abs": jnp.abs,
    "exp": jnp.exp,
    "log": jnp.log,
    "sqrt": jnp.sqrt,
    "tanh": jnp.tanh,
    "sin": jnp.sin,
    "cos": jnp.cos,
    "tan": jnp.tan,
    "atan": jnp.arctan,
    "floor": jnp.floor,
    "ceil": jnp.ceil,
}

LONGEST_CHAIN = 12  # operations behind a value that several others use, above which it is put down
MOST_STEPS = 3_000  # of a written-out elimination; beyond that the matrix is factorised as a dense one


def run_program(program: Program, arrays: Mapping[str, Array], people: int) -> Array:
    """The results of a statement list, shape (results, people); `arrays` have the shape (entries, people)."""
    uses = Counter(argument for _, _, arguments in program.statements for argument in arguments)
    values: dict[int, Array] = dict(program.constants)
    behind: dict[int, int] = {}
    for node, (array, position) in program.inputs.items():
        values[node] = arrays[array][position]
    for node, operation, arguments in program.statements:
        value = _OPERATIONS[operation](*(values[argument] for argument in arguments))
        chain = 1 + sum(behind.get(argument, 0) for argument in arguments)
        if uses[node] > 1 and chain >= LONGEST_CHAIN and value.dtype != bool:
            value, chain = jax.lax.optimization_barrier(value), 0
        values[node], behind[node] = value, chain
    return _rows([values[node] for node in program.results], people)


def _rows(values: Sequence[Array], people: int) -> Array:
    if not values:
        return jnp.zeros((0, people))
    return jnp.stack([jnp.broadcast_to(jnp.asarray(value, dtype=float), (people,)) for value in values])


class _Blocks:
    """Entries of a matrix kept in arrays of several rows: which row of which array holds an entry."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []
        self.place: dict[tuple[int, int], tuple[int, int]] = {}

    def put(self, entries: Sequence[tuple[int, int]], array: Array) -> None:
        """Keep these entries in the rows of an array, worked out here and now."""
        self.place |= {entry: (len(self.arrays), row) for row, entry in enumerate(entries)}
        self.arrays.append(jax.lax.optimization_barrier(array))

    def __getitem__(self, entry: tuple[int, int]) -> Array:
        block, row = self.place[entry]
        return self.arrays[block][row]


class Matrix:
    """W = I/(h gamma) - J of one network, factorised and solved for all people at once.

    Up to 3,000 steps of elimination are written out; a matrix that needs more is factorised as a dense one.
    """

    def __init__(self, lowered: Lowered, people: int, dense: bool | None = None) -> None:
        self.lowered, self.people, size = lowered, people, lowered.elimination.size
        self.dense = len(lowered.elimination.steps) > MOST_STEPS if dense is None else dense
        (first, *self._levels) = _factor_levels(lowered.elimination)
        self._first = {place for _, place in first}
        self._forward, self._backward = _solve_levels(lowered.elimination)
        self._place: dict[tuple[int, int], tuple[int, int]] = {}
        slope = dict(zip(lowered.pattern, lowered.jacobian.results, strict=True))
        self._diagonal = [(i, i) for i in range(size)]
        self._aside = [entry for entry in lowered.pattern if entry[0] != entry[1]]
        # The diagonal first, whole: a state whose rate does not depend on it has no entry, node -1.
        results = [slope.get(entry, -1) for entry in (*self._diagonal, *self._aside)]
        constants = {**lowered.jacobian.constants, -1: 0.0}
        self._slopes = replace(lowered.jacobian, constants=constants, results=tuple(results))

    def factor(self, y: Array, q: Array, h: Array) -> Any:
        """The factors for steps h, shape (people,)."""
        slopes = jax.lax.optimization_barrier(run_program(self._slopes, {"y": y, "q": q}, self.people))
        size = len(self._diagonal)
        diagonal, aside = (1.0 / GAMMA) / h - slopes[:size], -slopes[size:]
        if self.dense:
            entries = (*self._diagonal, *self._aside)
            rows, columns = (np.array(side) for side in zip(*entries, strict=True))
            full = jnp.zeros((self.people, size, size))
            full = full.at[:, rows, columns].set(jnp.concatenate([diagonal, aside]).T)
            return jax.scipy.linalg.lu_factor(full)
        return self._eliminated(diagonal, aside)

    def _eliminated(self, diagonal: Array, aside: Array) -> list[Array]:
        kept = _Blocks()
        kept.put(self._aside, aside)
        kept.put(self._diagonal, diagonal)
        before = dict(kept.place)
        kept.put(self._diagonal, 1.0 / diagonal)  # the first level is pivots alone; other pivots' turn comes later
        kept.place |= {entry: before[entry] for entry in self._diagonal if (entry[0],) not in self._first}
        for steps in self._levels:
            new: dict[tuple[int, int], Array] = {}
            for kind, place in steps:
                if kind == "pivot":
                    new[place[0], place[0]] = 1.0 / kept[place[0], place[0]]
                elif kind == "scale":
                    i, k = place
                    new[i, k] = kept[i, k] * kept[k, k]
                else:
                    i, j, k = place
                    product = kept[i, k] * kept[k, j]
                    old = new[i, j] if (i, j) in new else kept[i, j] if (i, j) in kept.place else None
                    new[i, j] = -product if old is None else old - product
            kept.put(list(new), jnp.stack(list(new.values())))
        self._place = kept.place
        return kept.arrays

    def solve(self, factors: Any, right: Array) -> Array:
        """The solution for a right-hand side, both of shape (states, people)."""
        if self.dense:
            return jax.scipy.linalg.lu_solve(factors, right.T[:, :, None])[:, :, 0].T
        elimination = self.lowered.elimination
        known = _Blocks()
        known.arrays, known.place = factors, self._place
        b = {i: right[i] for i in range(elimination.size)}

        def put_down(rows: Sequence[int]) -> None:
            block = jax.lax.optimization_barrier(jnp.stack([b[i] for i in rows]))
            for position, i in enumerate(rows):
                b[i] = block[position]

        for rows in self._forward:
            for i in rows:
                for k in elimination.lower[i]:
                    b[i] = b[i] - known[i, k] * b[k]
            put_down(rows)
        for rows in self._backward:
            for i in rows:
                for j in elimination.upper[i]:
                    b[i] = b[i] - known[i, j] * b[j]
                b[i] = b[i] * known[i, i]
            put_down(rows)
        return jnp.stack([b[i] for i in range(elimination.size)])


def _target(kind: str, place: tuple[int, ...]) -> tuple[int, int]:
    return (place[0], place[0]) if kind == "pivot" else (place[0], place[1])


def _reads(kind: str, place: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    if kind == "pivot":
        return ()
    if kind == "scale":
        return ((place[1], place[1]),)
    i, j, k = place
    return (i, k), (k, j)


def _factor_levels(elimination: Elimination) -> list[list[tuple[str, tuple[int, ...]]]]:
    """The steps of an elimination grouped so that a group reads only what earlier groups have finished."""
    level: dict[tuple[int, int], int] = {}
    groups: dict[int, list[tuple[str, tuple[int, ...]]]] = {}
    for kind, place in elimination.steps:
        target = _target(kind, place)
        read = max((level.get(entry, -1) + 1 for entry in _reads(kind, place)), default=0)
        # Updates of one entry by several columns may stand in one group; its own scaling must come after them.
        own = level.get(target, 0) if kind == "update" else level.get(target, -1) + 1
        level[target] = max(read, own)
        groups.setdefault(level[target], []).append((kind, place))
    return [groups[number] for number in sorted(groups)]


def _solve_levels(elimination: Elimination) -> tuple[list[list[int]], list[list[int]]]:
    """Rows of the forward and of the backward substitution, grouped by what they wait for."""

    def grouped(order: Iterable[int], reads: Sequence[Sequence[int]]) -> list[list[int]]:
        level: dict[int, int] = {}
        for i in order:
            level[i] = 1 + max((level[k] for k in reads[i]), default=-1)
        groups: dict[int, list[int]] = {}
        for i, number in level.items():
            groups.setdefault(number, []).append(i)
        return [groups[number] for number in sorted(groups)]

    forward = grouped(elimination.order, elimination.lower)
    return forward[1:], grouped(reversed(elimination.order), elimination.upper)

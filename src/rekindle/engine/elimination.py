"""Gaussian elimination written out: which entries to divide, multiply and subtract, in which order.

The matrix is I/(h gamma) - J with J sparse and always of the same pattern, so the elimination is settled once
a model. The order follows Markowitz (1957, doi:10.1287/mnsc.3.3.255): at each turn the state whose
elimination can create the fewest new entries. There is no pivoting; steps whose solution is not finite are
refused by the solver.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Elimination:
    """A factorisation without pivoting of a sparse matrix of `size` rows.

    `entries` are the (row, column) places that are stored, fill-in included, each at its position in the
    tuple. `steps` are the operations on them: ("pivot", k): a[k,k] = 1 / a[k,k]; ("scale", i, k): a[i,k] *=
    a[k,k]; ("update", i, j, k): a[i,j] -= a[i,k] a[k,j]. `lower[k]` and `upper[k]` list the columns that
    solving row k uses.
    """

    size: int
    order: tuple[int, ...]
    entries: tuple[tuple[int, int], ...]
    steps: tuple[tuple[str, tuple[int, ...]], ...]
    lower: tuple[tuple[int, ...], ...]
    upper: tuple[tuple[int, ...], ...]


def elimination_order(size: int, pattern: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """States in the order in which to eliminate them; `pattern` holds the non-zero (row, column) places."""
    columns = [{row} for row in range(size)]
    for row, column in pattern:
        columns[row].add(column)
    remaining, order = set(range(size)), []
    while remaining:

        def cost(state: int) -> tuple[int, int, int]:
            rows = sum(1 for row in remaining if row != state and state in columns[row])
            width = len(columns[state] & remaining) - 1
            return rows * width, rows + width, state

        chosen = min(remaining, key=cost)
        order.append(chosen)
        remaining.remove(chosen)
        for row in remaining:
            if chosen in columns[row]:
                columns[row] |= columns[chosen] & remaining
    return tuple(order)


def eliminate(size: int, pattern: Iterable[tuple[int, int]]) -> Elimination:
    """The elimination of a matrix with these non-zero places and a full diagonal."""
    places = {*pattern, *((i, i) for i in range(size))}
    order = elimination_order(size, places)
    steps: list[tuple[str, tuple[int, ...]]] = []
    for turn, k in enumerate(order):
        steps.append(("pivot", (k,)))
        later = order[turn + 1 :]
        across = [j for j in later if (k, j) in places]
        for i in later:
            if (i, k) in places:
                steps.append(("scale", (i, k)))
                for j in across:
                    places.add((i, j))
                    steps.append(("update", (i, j, k)))
    turn_of = {state: turn for turn, state in enumerate(order)}
    lower = tuple(tuple(k for k in order if turn_of[k] < turn_of[i] and (i, k) in places) for i in range(size))
    upper = tuple(tuple(j for j in order if turn_of[j] > turn_of[i] and (i, j) in places) for i in range(size))
    return Elimination(size, order, tuple(sorted(places)), tuple(steps), lower, upper)

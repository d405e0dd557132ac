"""Trade-offs: which options no other beats in everything, and a few of them that lie far apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def dominates(one: Array, other: Array) -> bool:
    """Whether `one` is nowhere worse (larger) than `other` and somewhere better."""
    return bool((one <= other).all() and (one < other).any())


def front(values: Array) -> list[int]:
    """Rows of `values`, shape (options, objectives), that no row dominates; of equal rows the first.

    >>> front(np.array([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0]]))
    [0, 1]
    """
    kept = []
    for row, own in enumerate(values):
        beaten = any(dominates(other, own) for other in values)
        twin = any((other == own).all() for other in values[:row])
        if not beaten and not twin:
            kept.append(row)
    return kept


def spread(values: Array, count: int) -> list[int]:
    """Up to `count` rows that lie far apart: the best in each objective first, then always the farthest from those."""
    if len(values) <= count:
        return list(range(len(values)))
    low, high = values.min(axis=0), values.max(axis=0)
    scaled = (values - low) / np.where(high > low, high - low, 1.0)
    chosen = list(dict.fromkeys(int(place) for place in scaled.argmin(axis=0)))[:count]
    while len(chosen) < count:
        distance = np.min([((scaled - scaled[each]) ** 2).sum(axis=1) for each in chosen], axis=0)
        chosen.append(int(distance.argmax()))
    return sorted(chosen)


def rounded(chance: float, draws: int) -> float:
    """A chance to about what so many draws can tell: differences of less are luck."""
    step = max(0.005, round(1.0 / np.sqrt(8.0 * draws), 3))
    return float(np.round(np.round(chance / step) * step, 6))


def objectives(chances: Sequence[float], drugs: Sequence[float], visits: Sequence[float], draws: int) -> Array:
    """What is to be small: the chance as well as it is known, drug and visits; shape (options, 3)."""
    table = [[rounded(chance, draws), round(drug, 3), round(visit, 3)] for chance, drug, visit in
             zip(chances, drugs, visits, strict=True)]  # fmt: skip
    return np.array(table, dtype=np.float64).reshape(len(table), 3)

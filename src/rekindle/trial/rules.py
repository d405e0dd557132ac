"""Proper scores and coverage: how near a predictive distribution came to what happened.

The continuous ranked probability score (Gneiting and Raftery 2007, doi:10.1198/016214506000001437) is in the unit of
the number: for a point forecast it is the absolute error, and the smaller the better.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rekindle.streams import generator

Array = NDArray[np.float64]


def crps_of_draws(draws: Array, truth: float) -> float:
    """The score of a distribution given by draws (one dimension), by the sorted form of its two expectations.

    >>> crps_of_draws(np.array([2.0, 2.0]), 3.0)
    1.0
    """
    ordered = np.sort(draws)
    count = len(ordered)
    weights = 2.0 * np.arange(1, count + 1) - count - 1.0
    return float(np.abs(ordered - truth).mean() - (weights * ordered).sum() / count**2)


def crps_of_normal(mean: float, sd: float, truth: float) -> float:
    """The score of a normal, in closed form.

    >>> round(crps_of_normal(0.0, 1.0, 0.0), 4)
    0.2337
    """
    z = (truth - mean) / sd
    density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    below = 0.5 * (1.0 + math.erf(z / math.sqrt(2.0)))
    return sd * (z * (2.0 * below - 1.0) + 2.0 * density - 1.0 / math.sqrt(math.pi))


def bootstrap(groups: Sequence[str], statistic: Callable[[NDArray[np.intp]], float], seed: int,
              *, times: int = 1000) -> tuple[float, float]:  # fmt: skip
    """The 5 % and 95 % points of a statistic over resampled groups (trials); it takes the positions resampled."""
    names = sorted(set(groups))
    members = {name: np.flatnonzero(np.asarray(groups) == name) for name in names}
    luck = generator(seed, "bootstrap by trial")
    found = []
    for _ in range(times):
        chosen = luck.integers(0, len(names), len(names))
        found.append(statistic(np.concatenate([members[names[place]] for place in chosen])))
    values = np.asarray(found)
    values = values[np.isfinite(values)]
    if not len(values):
        return math.nan, math.nan
    return float(np.quantile(values, 0.05)), float(np.quantile(values, 0.95))

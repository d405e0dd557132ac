"""How good a forecast was, once the rating is known: CRPS, coverage, bias, Brier score.

All are proper or plain: the continuous ranked probability score (Gneiting and Raftery 2007,
doi:10.1198/016214506000001437) and the Brier score are smallest on average for the true distribution.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rekindle.errors import InputError

Array = NDArray[np.float64]


def crps_of_samples(samples: ArrayLike, observed: float) -> float:
    """CRPS of equally likely draws, in the unit of the rating; the distance itself when there is one draw.

    >>> crps_of_samples([3.0], 5.0)
    2.0

    Raises:
        InputError: no draw.
    """
    values = np.sort(np.asarray(samples, dtype=np.float64))
    count = len(values)
    if not count:
        raise InputError("A forecast without a draw has no score.")
    places = 2.0 * np.arange(1, count + 1) - count - 1.0
    return float(np.abs(values - observed).mean() - (places @ values) / count**2)


def crps_of_quantiles(
    quantiles: ArrayLike,
    levels: Sequence[float],
    observed: float,
    *,
    low: float = -np.inf,
    high: float = np.inf,
) -> float:
    """CRPS of a distribution known by its quantiles at `levels` (per cent), in the unit of the rating.

    Between two levels the distribution function is a straight line; beyond the outermost it goes on with the same
    slope, and what would lie outside `low` to `high` is put on that end. The integral is exact for that function.

    Raises:
        InputError: quantiles that fall, levels that do not rise, or too few of them.
    """
    points, shares = _function(quantiles, levels, low, high)
    ends = np.unique(np.append(points, observed))
    total = 0.0
    for left, right in itertools.pairwise(ends):
        # Just inside each end, so that a jump belongs to its own side.
        a, b = _value(points, shares, left, after=True), _value(points, shares, right, after=False)
        if left >= observed:
            a, b = a - 1.0, b - 1.0
        total += (right - left) * (a * a + a * b + b * b) / 3.0
    return float(total)


def _function(quantiles: ArrayLike, levels: Sequence[float], low: float, high: float) -> tuple[Array, Array]:
    """Corners of the distribution function, from 0 to 1.

    Raises:
        InputError: quantiles that fall, levels that do not rise, or too few of them.
    """
    points, shares = np.asarray(quantiles, dtype=np.float64), np.asarray(levels, dtype=np.float64) / 100.0
    if points.shape != shares.shape or points.ndim != 1 or len(points) < 2:
        raise InputError(f"{points.shape} quantiles at {shares.shape} levels cannot be scored.")
    if not np.isfinite(points).all() or (np.diff(points) < 0).any():
        raise InputError("Quantiles that fall, or are not finite, cannot be scored.")
    if (np.diff(shares) <= 0).any() or shares[0] <= 0 or shares[-1] >= 1:
        raise InputError("Levels have to rise and to lie between 0 and 100.")
    below = points[0] - shares[0] * (points[1] - points[0]) / (shares[1] - shares[0])
    above = points[-1] + (1.0 - shares[-1]) * (points[-1] - points[-2]) / (shares[-1] - shares[-2])
    points = np.clip(np.concatenate([[below], points, [above]]), low, high)
    return points, np.concatenate([[0.0], shares, [1.0]])


def _value(points: Array, shares: Array, at: float, *, after: bool) -> float:
    """The distribution function just after or just before a point."""
    if at < points[0] or (at == points[0] and not after):
        return 0.0
    if at > points[-1] or (at == points[-1] and after):
        return 1.0
    place = int(np.searchsorted(points, at, side="right" if after else "left"))
    left, right = points[place - 1], points[min(place, len(points) - 1)]
    if right <= left:
        return float(shares[place - 1] if after else shares[place])
    return float(shares[place - 1] + (shares[place] - shares[place - 1]) * (at - left) / (right - left))


def covers(quantiles: ArrayLike, levels: Sequence[float], observed: float, width: float) -> bool:
    """Whether the middle `width` per cent holds the rating, its ends among it.

    >>> covers([1.0, 2.0, 3.0], (25.0, 50.0, 75.0), 3.0, 50.0)
    True

    Raises:
        InputError: the ends of that band are not among the levels.
    """
    ends = (50.0 - width / 2.0, 50.0 + width / 2.0)
    named = [float(level) for level in levels]
    if any(end not in named for end in ends):
        raise InputError(f"A band of {width:g} % needs the quantiles {ends[0]:g} and {ends[1]:g}.")
    values = np.asarray(quantiles, dtype=np.float64)
    return bool(values[named.index(ends[0])] <= observed <= values[named.index(ends[1])])


def brier(chances: ArrayLike, happened: ArrayLike) -> float:
    """Mean squared distance of chances from what happened (0 or 1); 0.25 for always saying a half.

    >>> brier([0.5, 0.5], [1, 0])
    0.25

    Raises:
        InputError: nothing to score, or shapes that differ.
    """
    said, seen = np.asarray(chances, dtype=np.float64), np.asarray(happened, dtype=np.float64)
    if said.shape != seen.shape or not said.size:
        raise InputError(f"{said.shape} chances and {seen.shape} outcomes cannot be scored.")
    return float(((said - seen) ** 2).mean())

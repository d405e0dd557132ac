"""Group-sequential boundaries: when to look, and how far the test must be to stop there.

Two-sided alpha is spent over the share of information seen: as O'Brien and Fleming or as Pocock in the form of Lan and
DeMets (1983, doi:10.1093/biomet/70.3.659). Boundaries and crossing chances follow from the recursive integration of
Armitage, McPherson and Rowe (1969, doi:10.2307/2343787) on a grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError, unknown

Array = NDArray[np.float64]
GRID = 601
FAR = 8.5
"""Standard normal value beyond which nothing is counted."""


def obrien_fleming(alpha: float, share: float) -> float:
    """Two-sided alpha spent at a share of the information, half of it on either side: nearly none early."""
    from scipy.special import ndtr, ndtri

    return float(4.0 * (1.0 - ndtr(ndtri(1.0 - alpha / 4.0) / math.sqrt(share))))


def pocock(alpha: float, share: float) -> float:
    """Alpha spent at a share of the information: about evenly over looks."""
    return alpha * math.log(1.0 + (math.e - 1.0) * share)


SPENDING: Mapping[str, Callable[[float, float], float]] = {"obrien-fleming": obrien_fleming, "pocock": pocock}


@dataclass(frozen=True)
class Looks:
    """When a trial looks (shares of its information, the last 1), and the standard normal value to stop at each."""

    shares: tuple[float, ...]
    bounds: tuple[float, ...]
    alpha: float


def one_look(alpha: float = 0.05) -> Looks:
    """A single analysis at the end."""
    from scipy.special import ndtri

    return Looks((1.0,), (float(ndtri(1.0 - alpha / 2.0)),), alpha)


def looks(shares: Sequence[float], *, alpha: float = 0.05, spending: str = "obrien-fleming") -> Looks:
    """Boundaries for looks at these shares of the information.

    >>> [round(bound, 3) for bound in looks([0.5, 1.0]).bounds]
    [2.963, 1.969]

    Raises:
        InputError: shares that do not rise to 1, an alpha outside 0-1, or an unknown way of spending.
    """
    if spending not in SPENDING:
        raise unknown("way of spending alpha", spending, SPENDING)
    given = [float(share) for share in shares]
    if not given or sorted(set(given)) != given or given[0] <= 0.0 or abs(given[-1] - 1.0) > 1e-9:
        raise InputError("The looks are shares of the information that rise to 1, such as 0.5 and 1.")
    if not 0.0 < alpha < 1.0:
        raise InputError(f"Alpha is {alpha:g}; it lies between 0 and 1.")
    from scipy.optimize import brentq

    bounds: list[float] = []
    spent = 0.0
    for place, share in enumerate(given):
        wanted = SPENDING[spending](alpha, share) - spent
        spent += wanted

        def miss(bound: float, place: int = place, wanted: float = wanted) -> float:
            return crossing(given[: place + 1], [*bounds, bound], 0.0)[-1] - wanted

        bounds.append(float(brentq(miss, 0.2, FAR, xtol=1e-7)) if wanted > 1e-14 else FAR)
    return Looks(tuple(given), tuple(bounds), alpha)


def crossing(shares: Sequence[float], bounds: Sequence[float], drift: float) -> list[float]:
    """Chance of stopping at each look, either side; `drift` is the test's mean at the full information.

    >>> round(sum(crossing([1.0], [1.959964], 0.0)), 4)
    0.05
    """
    from scipy.special import ndtr

    found: list[float] = []
    density, points, before = np.ones(1), np.zeros(1), 0.0
    weights = np.ones(1)
    for share, bound in zip(shares, bounds, strict=True):
        step = share - before
        spread, mean = math.sqrt(step), drift * step
        edge = bound * math.sqrt(share)
        above = ndtr((points + mean - edge) / spread)
        below = ndtr((-edge - points - mean) / spread)
        found.append(float((weights * density * (above + below)).sum()))
        grid = np.linspace(-edge, edge, GRID)
        kernel = np.exp(-0.5 * ((grid[:, None] - points[None, :] - mean) / spread) ** 2)
        kernel /= spread * math.sqrt(2.0 * math.pi)
        density = kernel @ (weights * density)
        weights = _simpson(grid)
        points, before = grid, share
    return found


def crossing_of(plan: Looks, drifts: Array) -> Array:
    """Chance of stopping at each look for many drifts, (drifts, looks), read off a fine table of drifts."""
    table = np.linspace(0.0, 14.0, 57)
    rows = np.array([crossing(plan.shares, plan.bounds, float(drift)) for drift in table])
    size = np.minimum(np.abs(drifts), table[-1])
    return np.stack([np.interp(size, table, rows[:, look]) for look in range(rows.shape[1])], axis=1)


def _simpson(grid: Array) -> Array:
    """Weights of Simpson's rule on an odd number of points."""
    weights = np.ones(len(grid))
    weights[1:-1:2], weights[2:-1:2] = 4.0, 2.0
    return np.asarray(weights * (grid[1] - grid[0]) / 3.0)

"""Importance weights made steady: the largest are replaced by those of a fitted Pareto tail, whose shape k warns.

Pareto smoothing after Vehtari, Simpson, Gelman, Yao and Gabry (2024, JMLR 25:72); the tail is fitted by the method of
Zhang and Stephens (2009, doi:10.1198/tech.2009.08017). k above 0.7 says that the weighted answer cannot be trusted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TRUSTED = 0.7
FLOOR = 1e-10
"""A weight this small beside the largest is none, and no part of a tail."""
FEWEST_IN_TAIL, FEWEST_EFFECTIVE = 5, 5.0
"""With fewer weights in the tail, or fewer equal draws' worth of weights, no tail can be seen. Assumed: 3 to 20."""


def pareto_smoothed(log_weights: Array) -> tuple[Array, float]:
    """Normalised weights with a smoothed tail, shape (draws,), and the tail's shape k.

    k is infinite, and the weights are as they were, where so few draws have any weight that no tail can be seen: then
    the weighted answer is that of a handful of draws.
    """
    finite = np.where(np.isfinite(log_weights), log_weights, -np.inf)
    if not np.isfinite(finite).any():
        return np.full(len(finite), 1.0 / len(finite)), float("inf")
    scaled = np.exp(finite - finite.max())
    plain = scaled / scaled.sum()
    count = len(scaled)
    tail = min(int(min(0.2 * count, 3.0 * np.sqrt(count))), int((scaled > FLOOR).sum()))
    if tail < FEWEST_IN_TAIL or effective_size(plain) < FEWEST_EFFECTIVE:
        return plain, float("inf")
    order = np.argsort(scaled)
    largest = order[-tail:]
    cut = scaled[order[-tail - 1]] if tail < count else 0.0
    above = scaled[largest] - cut
    if above[-1] <= 1e-300 or np.ptp(above) == 0.0:
        return plain, 0.0
    k, sigma = pareto_fit(above)
    if not np.isfinite(k):
        return plain, float("inf")
    shares = (np.arange(1, tail + 1) - 0.5) / tail
    smoothed = scaled.copy()
    smoothed[largest] = np.minimum(cut + pareto_quantile(shares, k, sigma), 1.0)
    return smoothed / smoothed.sum(), float(k)


def pareto_quantile(shares: Array, k: float, sigma: float) -> Array:
    """Quantiles of the generalised Pareto distribution."""
    if abs(k) < 1e-12:
        return np.asarray(-sigma * np.log1p(-shares))
    return np.asarray(sigma * np.expm1(-k * np.log1p(-shares)) / k)


def pareto_fit(excess: Array) -> tuple[float, float]:
    """Shape k and scale sigma of a generalised Pareto distribution from positive values.

    Values that are nothing beside the largest are left out; k is infinite where fewer than five are left.
    """
    x = np.sort(np.asarray(excess, dtype=np.float64))
    x = x[x > x[-1] * FLOOR]
    count = len(x)
    if count < FEWEST_IN_TAIL:
        return float("inf"), float("nan")
    grid = 30 + int(np.sqrt(count))
    quarter = x[int(count / 4 + 0.5) - 1]
    theta = 1.0 / x[-1] + (1.0 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))) / (3.0 * quarter)
    shapes = np.log1p(-theta[:, None] * x[None, :]).mean(axis=1)
    fit = count * (np.log(-theta / shapes) - shapes - 1.0)
    weight = np.exp(fit - fit.max())
    best = float((theta * weight).sum() / weight.sum())
    k = float(np.log1p(-best * x).mean())
    sigma = -k / best
    # A weak prior centred at one half, worth ten draws.
    return (k * count + 5.0) / (count + 10.0), float(sigma)


def effective_size(weights: Array) -> float:
    """Number of equal draws that would be worth as much, from normalised weights."""
    return float(1.0 / np.square(weights).sum())


def systematic(weights: Array, count: int, uniform: float) -> NDArray[np.intp]:
    """`count` rows drawn by weight with one uniform number (systematic resampling), shape (count,)."""
    edges = np.cumsum(weights)
    points = (np.arange(count) + uniform) / count * edges[-1]
    return np.asarray(np.minimum(np.searchsorted(edges, points, side="right"), len(weights) - 1), dtype=np.intp)

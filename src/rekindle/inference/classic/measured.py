"""How likely measurements are at a prediction, values below the limit of quantification included, with derivatives.

Methods for values below the limit by name (Beal 2001, doi:10.1023/A:1012299115260): M1 drops them; M2 drops them and
takes the others as known to be above the limit; M3 gives them the chance to lie below it; M4 does that given that no
value is negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.inference.classic.population import MeasurementError, Method

Array = NDArray[np.float64]
Terms = tuple[Array, Array, Array]
"""Minus log likelihood of each measurement, its derivative to the prediction, and the expected curvature."""

_HALF_LOG_TAU = 0.5 * np.log(2.0 * np.pi)


@dataclass(frozen=True)
class Measurements:
    """A person's measurements of one kind: rows of the predictions, values, and which are below their limit.

    `limits` is NaN where no limit is known; a value below its limit is not used, only that it lies there.
    """

    error: MeasurementError
    rows: NDArray[np.intp]
    column: int
    values: Array
    limits: Array
    below: NDArray[np.bool_]


def terms(measured: Measurements, predicted: Array, method: Method) -> Terms:
    """Minus log likelihood and derivatives at predictions of shape (..., measurements); the same shape each."""
    spread, slope = measured.error.spread(predicted)
    spread = np.maximum(spread, 1e-150)
    kept = ~measured.below
    total, first, curve = (np.where(kept, part, 0.0) for part in _normal(measured.values, predicted, spread, slope))
    if method == "M2":
        known = kept & np.isfinite(measured.limits)
        more = _log_chance(predicted - measured.limits, spread, slope, 1.0)
        total, first = total + np.where(known, more[0], 0.0), first + np.where(known, more[1], 0.0)
    if method == "M3":
        less = _log_chance(measured.limits - predicted, spread, slope, -1.0)
        total = total - np.where(measured.below, less[0], 0.0)
        first = first - np.where(measured.below, less[1], 0.0)
        curve = curve + np.where(measured.below, less[2], 0.0)
    if method == "M4":
        more = _log_chance(predicted, spread, slope, 1.0)
        total, first = total + more[0], first + more[1]
        between = _log_between(measured.limits, predicted, spread, slope)
        total = total - np.where(measured.below, between[0], 0.0)
        first = first - np.where(measured.below, between[1], 0.0)
        curve = curve + np.where(measured.below, between[1] ** 2, 0.0)
    return total, first, curve


def _normal(values: Array, predicted: Array, spread: Array, slope: Array) -> Terms:
    away = (values - predicted) / spread
    total = 0.5 * away**2 + np.log(spread) + _HALF_LOG_TAU
    first = -away / spread + slope / spread * (1.0 - away**2)
    return total, first, (1.0 + 2.0 * slope**2) / spread**2


def _log_chance(distance: Array, spread: Array, slope: Array, sign: float) -> Terms:
    """log Phi(distance / spread), its derivative, and minus its curvature; `sign` is d distance / d prediction."""
    from scipy.special import log_ndtr

    q = distance / spread
    moves = (sign - q * slope) / spread
    chance = log_ndtr(q)
    ratio = np.exp(-0.5 * q**2 - _HALF_LOG_TAU - chance)
    return chance, ratio * moves, np.maximum(ratio * (ratio + q), 0.0) * moves**2


def _log_between(limits: Array, predicted: Array, spread: Array, slope: Array) -> tuple[Array, Array]:
    """log of the chance to lie between nothing and the limit, and its derivative."""
    from scipy.special import log_ndtr

    high, low = (limits - predicted) / spread, -predicted / spread
    above, under = log_ndtr(high), log_ndtr(low)
    chance = above + np.log1p(-np.exp(np.minimum(under - above, -1e-15)))
    density = [np.exp(-0.5 * q**2 - _HALF_LOG_TAU - chance) for q in (high, low)]
    moves = [-(1.0 + q * slope) / spread for q in (high, low)]
    return chance, density[0] * moves[0] - density[1] * moves[1]

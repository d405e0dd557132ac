"""What the body was exposed to: peak, its time, area, half-life and trough of a concentration.

Non-compartmental rules as in the field's programs: the area by the linear rule where the concentration rises
and the logarithmic rule where it falls (exact for an exponential), the half-life by regression of the
logarithm over the last points, their number chosen by the adjusted R squared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class HalfLife:
    """Terminal half-life in hours with the window it was read from; NaN when nothing falls."""

    half_life_h: float
    from_h: float
    to_h: float
    points: int
    adjusted_r2: float


@dataclass(frozen=True)
class Exposure:
    """Summaries of one concentration course: ng/mL, hours, ng.h/mL."""

    cmax: float
    tmax_h: float
    auc: float
    auc_to_infinity: float
    half_life: HalfLife
    trough: float


def _course(times_h: Array, values: Array) -> tuple[Array, Array]:
    times, levels = np.asarray(times_h, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if times.ndim != 1 or times.shape != levels.shape or len(times) < 2:
        raise InputError(f"Times {times.shape} and values {levels.shape} are no course.", where="exposure")
    if np.any(np.diff(times) <= 0) or not np.all(np.isfinite(times)):
        raise InputError("Times must rise.", where="exposure")
    kept = np.isfinite(levels)
    if kept.sum() < 2:
        raise InputError("Fewer than two values.", where="exposure")
    return times[kept], levels[kept]


def auc(times_h: Array, values: Array) -> float:
    """Area under the course: linear where it rises or stays, logarithmic where it falls between positive
    values.

    Raises:
        InputError: no course, or times that do not rise.
    """
    times, levels = _course(times_h, values)
    width, left, right = np.diff(times), levels[:-1], levels[1:]
    falls = (right < left) & (right > 0)
    fall = np.log(np.where(falls, left, 1.0)) - np.log(np.where(falls, right, 1.0))
    # The logarithmic mean, written so that it stays exact when the fall is slight.
    mean = left * -np.expm1(-fall) / np.where(fall == 0, 1.0, fall)
    return float(np.sum(width * np.where(falls & (fall > 0), mean, 0.5 * (left + right))))


def half_life(times_h: Array, values: Array, *, window_h: tuple[float, float] | None = None) -> HalfLife:
    """Terminal half-life by regression of the logarithm, over `window_h` or the best of the last points.

    Without a window: from three points after the peak on, the longest tail whose adjusted R squared lies
    within 0.0001 of the best.

    Raises:
        InputError: no course, or a window with fewer than two positive values.
    """
    times, levels = _course(times_h, values)
    if window_h is not None:
        inside = (times >= window_h[0]) & (times <= window_h[1]) & (levels > 0)
        if inside.sum() < 2:
            raise InputError(
                f"Fewer than two positive values from {window_h[0]:g} to {window_h[1]:g} h.",
                where="half-life",
            )
        return _fit(times[inside], levels[inside])
    after = (np.arange(len(times)) > int(np.argmax(levels))) & (levels > 0)
    times, levels = times[after], levels[after]
    fits = [_fit(times[-count:], levels[-count:]) for count in range(3, len(times) + 1)]
    falling = [fit for fit in fits if np.isfinite(fit.half_life_h)]
    if not falling:
        return HalfLife(float("nan"), float("nan"), float("nan"), 0, float("nan"))
    best = max(fit.adjusted_r2 for fit in falling)
    return max((fit for fit in falling if fit.adjusted_r2 >= best - 1e-4), key=lambda fit: fit.points)


def areas(times_h: Array, values: Array) -> Array:
    """The area under each course, shape people, by the rule of `auc`; `values` has shape people x times, all finite."""
    times, levels = np.asarray(times_h, dtype=np.float64), np.asarray(values, dtype=np.float64)
    width, left, right = np.diff(times), levels[:, :-1], levels[:, 1:]
    falls = (right < left) & (right > 0)
    fall = np.log(np.where(falls, left, 1.0)) - np.log(np.where(falls, right, 1.0))
    mean = left * -np.expm1(-fall) / np.where(fall == 0, 1.0, fall)
    return np.asarray(np.sum(width * np.where(falls & (fall > 0), mean, 0.5 * (left + right)), axis=1))


def half_lives(times_h: Array, values: Array) -> Array:
    """Terminal half-life of each course in hours, shape people, by the rule of `half_life`; NaN where nothing falls.

    `values` has shape people x times, all finite. Every tail's regression comes from sums that run from the last
    point back, taken about that point so that they keep their digits.
    """
    times, levels = np.asarray(times_h, dtype=np.float64), np.asarray(values, dtype=np.float64)
    kept = (np.arange(len(times)) > np.argmax(levels, axis=1)[:, None]) & (levels > 0)
    last = len(times) - 1 - np.argmax(kept[:, ::-1], axis=1)
    logs = np.log(np.where(kept, levels, 1.0))
    logs = np.where(kept, logs - logs[np.arange(len(levels)), last][:, None], 0.0)
    hours = np.where(kept, times - times[last][:, None], 0.0)

    def back(numbers: Array) -> Array:
        return np.asarray(np.cumsum(numbers[:, ::-1], axis=1)[:, ::-1])

    count, one, other = back(kept.astype(np.float64)), back(hours), back(logs)
    shared = np.maximum(count, 1.0)
    along = back(hours * hours) - one * one / shared
    total = back(logs * logs) - other * other / shared
    slope = (back(hours * logs) - one * other / shared) / np.where(along > 0, along, 1.0)
    falling = kept & (count >= 3) & (slope < 0) & (along > 0) & (total > 0)
    left = np.maximum(1.0 - slope * slope * along / np.where(falling, total, 1.0), 0.0)
    adjusted = np.where(falling, 1.0 - left * (count - 1.0) / np.maximum(count - 2.0, 1.0), -np.inf)
    near = falling & (adjusted >= adjusted.max(axis=1, keepdims=True) - 1e-4)
    chosen = slope[np.arange(len(levels)), np.argmax(near, axis=1)]
    found = near.any(axis=1)
    return np.where(found, np.log(2.0) / -np.where(found, chosen, -1.0), np.nan)


def _fit(times: Array, levels: Array) -> HalfLife:
    logs, count = np.log(levels), len(times)
    centred = times - times.mean()
    slope = float(centred @ logs / (centred @ centred))
    residual = logs - logs.mean() - slope * centred
    total = float((logs - logs.mean()) @ (logs - logs.mean()))
    r2 = 1.0 - float(residual @ residual) / total if total > 0 else 1.0
    adjusted = 1.0 - (1.0 - r2) * (count - 1) / (count - 2) if count > 2 else r2
    life = float(np.log(2.0) / -slope) if slope < 0 else float("nan")
    return HalfLife(life, float(times[0]), float(times[-1]), count, adjusted)


def trough(times_h: Array, values: Array, dose_times_h: Array) -> float:
    """Mean concentration just before each dose after the first (log-interpolated); NaN with fewer than two
    doses.

    A value at a dose time is the one before the dose.

    Raises:
        InputError: no course, or a dose outside it.
    """
    times, levels = _course(times_h, values)
    doses = np.unique(np.asarray(dose_times_h, dtype=np.float64))[1:]
    if len(doses) == 0:
        return float("nan")
    if doses[0] < times[0] or doses[-1] > times[-1]:
        raise InputError("A dose lies outside the course.", where="trough")
    floor = np.log(np.maximum(levels, 1e-300))
    return float(np.mean(np.exp(np.interp(doses, times, floor))))


def summarise(
    times_h: Array,
    values: Array,
    *,
    dose_times_h: Array | None = None,
    window_h: tuple[float, float] | None = None,
) -> Exposure:
    """All summaries of one course; the trough is NaN without at least two doses.

    The area to infinity adds the last value times half-life over ln 2, and is NaN when there is no half-life.

    Raises:
        InputError: as `auc`, `half_life` and `trough`.
    """
    times, levels = _course(times_h, values)
    peak = int(np.argmax(levels))
    area, life = auc(times, levels), half_life(times, levels, window_h=window_h)
    rest = float(levels[-1]) * life.half_life_h / float(np.log(2.0))
    low = trough(times, levels, dose_times_h) if dose_times_h is not None else float("nan")
    return Exposure(float(levels[peak]), float(times[peak]), area, area + rest, life, low)

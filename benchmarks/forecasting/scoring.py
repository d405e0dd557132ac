"""How good forecasts were: proper scores, coverage, calibration of chances, and ranks of what was true.

A forecast of a rating is a set of draws before rounding. The bands are their quantiles; the score is that of the
rounded draws, which are what a rating can be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BANDS = (50.0, 80.0, 95.0)
RANKS = 99
"""Posterior draws that a true value is ranked among: 100 places, which 20 bins divide."""
BINS = 20


def crps_of_rows(draws: Array, truth: Array) -> Array:
    """Continuous ranked probability score of each row of draws, shape (rows,); draws have shape (rows, draws).

    >>> crps_of_rows(np.array([[2.0, 2.0]]), np.array([3.0])).tolist()
    [1.0]
    """
    ordered = np.sort(draws, axis=1)
    count = ordered.shape[1]
    weights = 2.0 * np.arange(1, count + 1) - count - 1.0
    return np.asarray(np.abs(ordered - truth[:, None]).mean(axis=1) - (ordered @ weights) / count**2)


def inside(draws: Array, truth: Array, width: float) -> NDArray[np.bool_]:
    """Whether the middle `width` per cent of each row of draws holds the truth, shape (rows,)."""
    low, high = np.percentile(draws, [50.0 - width / 2.0, 50.0 + width / 2.0], axis=1)
    return np.asarray((truth >= low) & (truth <= high))


def brier(chance: Array, happened: Array) -> float:
    """Mean square difference of chances and what happened (0 or 1).

    >>> brier(np.array([1.0, 0.0]), np.array([1.0, 1.0]))
    0.5
    """
    return float(np.mean((chance - happened) ** 2))


def reliability(chance: Array, happened: Array, bins: int = 10) -> list[dict[str, float]]:
    """Forecast and observed shares in bins of equal width, those with anybody in them."""
    place = np.minimum((chance * bins).astype(int), bins - 1)
    return [
        {"forecast": float(chance[own].mean()), "observed": float(happened[own].mean()), "count": int(own.sum())}
        for own in (place == each for each in range(bins))
        if own.any()
    ]


def calibration_error(chance: Array, happened: Array) -> float:
    """Mean absolute gap of forecast and observed shares over the bins, each by its count."""
    rows = reliability(chance, happened)
    total = sum(row["count"] for row in rows)
    return sum(row["count"] * abs(row["forecast"] - row["observed"]) for row in rows) / total


def rank_among(draws: Array, truth: float, uniform: float) -> int:
    """How many draws lie below the truth, ties shared out by chance; 0 to the number of draws."""
    below, equal = int((draws < truth).sum()), int((draws == truth).sum())
    return below + int(uniform * (equal + 1))


def uniformity(ranks: Sequence[int] | NDArray[np.int64], places: int = RANKS + 1, bins: int = BINS) -> float:
    """Chance of ranks as uneven as these if all places were equally likely (chi-square over bins)."""
    from scipy.stats import chisquare

    counts = np.bincount(np.asarray(ranks) * bins // places, minlength=bins)
    return float(chisquare(counts).pvalue)


def holm(chances: Mapping[str, float]) -> dict[str, float]:
    """Chances corrected for their number by Holm's method.

    >>> holm({"a": 0.01, "b": 0.04})
    {'a': 0.02, 'b': 0.04}
    """
    corrected, largest = {}, 0.0
    for place, name in enumerate(sorted(chances, key=lambda each: chances[each])):
        largest = max(largest, min(1.0, (len(chances) - place) * chances[name]))
        corrected[name] = largest
    return {name: corrected[name] for name in chances}


def paired(own: Array, other: Array, persons: NDArray[np.int64], seed: int, times: int = 2000) -> dict[str, float]:
    """Mean difference of two scores (own less other) with a 95 % interval over resampled persons."""
    luck = np.random.default_rng(seed)
    names, place = np.unique(persons, return_inverse=True)
    sums = np.bincount(place, own - other)
    rivals, counts = np.bincount(place, other), np.bincount(place)
    chosen = luck.integers(0, len(names), (times, len(names)))
    means = sums[chosen].sum(axis=1) / counts[chosen].sum(axis=1)
    shares = sums[chosen].sum(axis=1) / rivals[chosen].sum(axis=1)
    return {
        "difference": float((own - other).mean()),
        "low": float(np.percentile(means, 2.5)),
        "high": float(np.percentile(means, 97.5)),
        "share": float((own - other).sum() / other.sum()),
        "share_low": float(np.percentile(shares, 2.5)),
        "share_high": float(np.percentile(shares, 97.5)),
    }


def summary(draws: Array, truth: Array) -> dict[str, float]:
    """Count, score, bias and coverage of forecasts given as draws before rounding, shape (forecasts, draws)."""
    rounded = np.rint(draws)
    found = {
        "forecasts": float(len(truth)),
        "crps": float(crps_of_rows(rounded, truth).mean()),
        "bias": float((draws.mean(axis=1) - truth).mean()),
        "error": float(np.abs(np.median(draws, axis=1) - truth).mean()),
    }
    for width in BANDS:
        found[f"cover{width:g}"] = float(inside(draws, truth, width).mean())
        found[f"cover{width:g}_whole"] = float(inside(rounded, truth, width).mean())
        low, high = np.percentile(draws, [50.0 - width / 2.0, 50.0 + width / 2.0], axis=1)
        found[f"width{width:g}"] = float((high - low).mean())
    return found

"""Expected comparisons of two arms: differences, effect sizes, ratios of odds and of hazards.

Ratios are given as logarithms, so that their luck is a standard deviation on the log scale. In a crossover both arms
are the same people, and the difference has the luck of a difference within people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from rekindle.outcomes import SCALES
from rekindle.trial.quantify import (
    SMALLEST_SHARE,
    Pair,
    Seen,
    change,
    rated,
    spread_of,
)
from rekindle.trial.quantify_events import kept, share_in

Array = NDArray[np.float64]
WITHIN = 0.5
"""Correlation of a person's two changes in a crossover, assumed for its luck."""


def _sign(first: Seen) -> float:
    if first.number.options.sign != "improvement":
        return 1.0
    return -1.0 if SCALES[first.number.scale].better == "lower" else 1.0


def _values(part: Seen, time_h: float) -> tuple[Seen, Array, Array]:
    if part.number.options.of == "score":
        value, variance, weight = rated(part, time_h)
        return Seen(part.view, part.number, weight, part.stay, part.n), value, variance
    return change(part, time_h)


def _means(first: Seen, second: Seen, time_h: float) -> tuple[Array, Array, Array]:
    """Difference of the means, and the SD between people of either arm."""
    one, value, variance = _values(first, time_h)
    other, value_2, variance_2 = _values(second, time_h)
    return (
        one.mean(value) - other.mean(value_2),
        spread_of(one, value, variance),
        spread_of(other, value_2, variance_2),
    )


def _luck(first: Seen, second: Seen, sd: Array, sd_2: Array) -> Array:
    variance = sd**2 / first.n + sd_2**2 / second.n
    if first.view.trial.design == "crossover" and first.number.options.periods != "first":
        variance = variance - 2.0 * WITHIN * sd * sd_2 / max(first.n, second.n)
    return np.asarray(np.sqrt(np.maximum(variance, 1e-6)))


def difference(first: Seen, second: Seen) -> Pair:
    """First less second arm, in points."""
    found, sd, sd_2 = _means(first, second, float(first.number.time_h or 0.0))
    return _sign(first) * found, _luck(first, second, sd, sd_2)


def standardised_difference(first: Seen, second: Seen) -> Pair:
    """Difference over the pooled SD of both arms."""
    found, sd, sd_2 = _means(first, second, float(first.number.time_h or 0.0))
    total = max(first.n + second.n - 2.0, 2.0)
    pooled = np.sqrt(((first.n - 1.0) * sd**2 + (second.n - 1.0) * sd_2**2) / total)
    pooled = np.maximum(pooled, 0.5)
    size = found / pooled
    luck = np.hypot(_luck(first, second, sd, sd_2) / pooled, size / np.sqrt(2.0 * total))
    return _sign(first) * size, luck


def share_of_difference(first: Seen, second: Seen) -> Pair:
    """Difference at the time in per cent of that at the end."""
    early, sd, sd_2 = _means(first, second, float(first.number.time_h or 0.0))
    late, _, _ = _means(first, second, float(first.number.options.end_h or 0.0))
    below = np.where(np.abs(late) < 0.5, np.copysign(0.5, late), late)
    return 100.0 * early / below, 100.0 * _luck(first, second, sd, sd_2) / np.abs(below)


def _shares(first: Seen, second: Seen) -> tuple[Array, Array]:
    low, high = SMALLEST_SHARE, 1.0 - SMALLEST_SHARE
    return np.clip(share_in(first), low, high), np.clip(share_in(second), low, high)


def _continued(chance: Array, n: float) -> Array:
    """A share as a trial of that size would see it, away from none and all by half a person."""
    return np.clip(chance, 0.5 / (n + 1.0), 1.0 - 0.5 / (n + 1.0))


def odds_ratio(first: Seen, second: Seen) -> Pair:
    """Logarithm of the odds ratio."""
    one, other = _shares(first, second)
    a, b = _continued(one, first.n), _continued(other, second.n)
    luck = np.sqrt(1.0 / (first.n * a * (1.0 - a)) + 1.0 / (second.n * b * (1.0 - b)))
    return np.log(a / (1.0 - a)) - np.log(b / (1.0 - b)), luck


def risk_ratio(first: Seen, second: Seen) -> Pair:
    """Logarithm of the ratio of shares."""
    one, other = _shares(first, second)
    a, b = _continued(one, first.n), _continued(other, second.n)
    return np.log(a / b), np.sqrt((1.0 - a) / (first.n * a) + (1.0 - b) / (second.n * b))


def risk_difference(first: Seen, second: Seen) -> Pair:
    """First less second share, in percentage points."""
    one, other = _shares(first, second)
    a, b = _continued(one, first.n), _continued(other, second.n)
    return 100.0 * (one - other), 100.0 * np.sqrt(a * (1.0 - a) / first.n + b * (1.0 - b) / second.n)


def number_needed(first: Seen, second: Seen) -> Pair:
    """People to treat for one more in the state."""
    gap, luck = risk_difference(first, second)
    safe = np.where(np.abs(gap) < 2.0, np.copysign(2.0, gap), gap)
    return 100.0 / safe, 100.0 * luck / safe**2


def hazard_ratio(first: Seen, second: Seen) -> Pair:
    """Logarithm of Cox's hazard ratio of relapse, from the expected events at each rating (Breslow's likelihood)."""
    free, free_2 = _at_common_visits(kept(first), kept(second))
    risk, risk_2 = first.n * free[:-1], second.n * free_2[:-1]
    events = np.maximum(first.n * -np.diff(free, axis=0), 0.0)
    events_2 = np.maximum(second.n * -np.diff(free_2, axis=0), 0.0)
    log_ratio = np.zeros(free.shape[1])
    for _ in range(60):
        weighted = risk * np.exp(log_ratio)
        chance = weighted / np.maximum(weighted + risk_2, 1e-9)
        slope = ((events + events_2) * chance * (1.0 - chance)).sum(axis=0)
        miss = (events - (events + events_2) * chance).sum(axis=0)
        log_ratio = np.clip(log_ratio + np.clip(miss / np.maximum(slope, 1e-6), -1.0, 1.0), -5.0, 5.0)
    information = np.maximum(slope, 0.25)
    return log_ratio, 1.0 / np.sqrt(information)


def _at_common_visits(first: tuple[Array, Array, Array], second: tuple[Array, Array, Array]) -> tuple[Array, Array]:
    """Shares without relapse of two arms at every visit of either, until the shorter of them ends.

    Between its own visits an arm's share stays as it was.
    """
    end = min(first[0][-1], second[0][-1])
    times = np.union1d(first[0], second[0])
    times = times[times <= end + 1e-6]
    found = [free[np.searchsorted(own, times + 1e-6) - 1] for own, free, _ in (first, second)]
    return found[0], found[1]


TWO_ARMS: Mapping[str, Callable[[Seen, Seen], Pair]] = {
    "difference": difference,
    "standardised_difference": standardised_difference,
    "odds_ratio": odds_ratio,
    "risk_ratio": risk_ratio,
    "risk_difference": risk_difference,
    "number_needed": number_needed,
    "hazard_ratio": hazard_ratio,
    "share_of_difference": share_of_difference,
}

"""What each published quantity is expected to be in a solved trial, and how much luck a trial of that size has.

Every function gives (expected, luck), each of shape (sets,): the mean over endlessly many such trials, and the
standard deviation from trial to trial for the published number of people. Ratios come as logarithms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.outcomes import SCALES
from rekindle.trial.design import Number, Trial
from rekindle.trial.staying import Staying, staying
from rekindle.trial.view import View

Array = NDArray[np.float64]
Pair = tuple[Array, Array]
SMALLEST_SHARE = 0.002


@dataclass(frozen=True)
class Seen:
    """One arm as one number sees it: people weighted by how likely they count."""

    view: View
    number: Number
    weight: Array
    stay: Staying
    n: float

    @property
    def people(self) -> int:
        """How many people stand for the arm; each once, also where they stand there on two courses."""
        return int(self.weight.shape[1]) // (1 if self.view.courses is None else 2)

    def mean(self, values: Array) -> Array:
        """Weighted mean over people, (sets,)."""
        total = np.maximum(self.weight.sum(axis=1), 1e-9)
        return np.asarray((self.weight * values).sum(axis=1) / total)

    def variance(self, values: Array) -> Array:
        """Weighted variance over people, (sets,)."""
        return self.mean((values - self.mean(values)[:, None]) ** 2)


def number_of_people(trial: Trial, number: Number, arm: str) -> float:
    """People behind a number in one arm: printed with the number, of the arm, or 20 where neither is known."""
    if arm in number.arms and number.n[number.arms.index(arm)]:
        return float(number.n[number.arms.index(arm)] or 0)
    size = float(trial.arm(arm).n or 20)
    if trial.design == "crossover" and number.options.periods == "first":
        return max(1.0, size / sum(not each.mixture for each in trial.arms))
    return size


def seen(trial: Trial, views: Mapping[str, View], number: Number, arm: str, size: float) -> Seen:
    """An arm as a number sees it: among whom, and who of them is still rated.

    People who stop and are followed stand there twice, on either course, with the chances of these: so every quantity
    sees what happened to a person on one course together.
    """
    view = views[arm]
    stay = staying(view)
    if view.stopped is not None:
        view, stay = view.both(stay.chance[-1]), stay.twice()
    weight = view.weight
    if trial.enter and number.stage is not None and number.stage == trial.randomised:
        weight = weight * view.met(trial.enter, trial.scale)
    if number.among:
        weight = weight * view.met(number.among, number.scale if number.scale in SCALES else trial.scale)
    return Seen(view, number, weight, stay, size)


def _entry(part: Seen) -> Array:
    return part.view.entry(part.number.scale, part.number.item, baseline=part.number.options.baseline)


def _score(part: Seen, time_h: float) -> tuple[Array, Array]:
    return part.view.score(part.number.scale, time_h, part.number.item)


def rated(part: Seen, time_h: float) -> tuple[Array, Array, Array]:
    """Score, its rating variance, and weight at a time, with missing ratings filled as the trial did."""
    missing = "model" if part.view.courses is not None else part.view.trial.missing
    expected, sd = _score(part, time_h)
    times = [time for time in part.stay.times_h if 0.0 < time < time_h - 1e-6]
    if missing == "model" or len(part.stay.times_h) == 1:
        return expected, sd**2, part.weight
    here = part.stay.at(time_h)
    if missing == "observed":
        return expected, sd**2, part.weight * here
    # Which rating counts is itself a matter of chance: its spread comes from the mean of squares.
    value, square = here * expected, here * (sd**2 + expected**2)
    later = here
    for time in reversed(times) if missing == "locf" else ():
        now = part.stay.at(time)
        score, spread = _score(part, time)
        value, square = value + (now - later) * score, square + (now - later) * (spread**2 + score**2)
        later = now
    entry = _entry(part)
    value, square = value + (1.0 - later) * entry, square + (1.0 - later) * entry**2
    return value, np.maximum(square - value**2, 0.0), part.weight


def _with(part: Seen, weight: Array) -> Seen:
    return Seen(part.view, part.number, weight, part.stay, part.n)


def change(part: Seen, time_h: float) -> tuple[Seen, Array, Array]:
    """The part as weighted at that time, the change of each person, and its rating variance."""
    value, variance, weight = rated(part, time_h)
    return _with(part, weight), value - _entry(part), variance


def spread_of(part: Seen, values: Array, rating_variance: Array) -> Array:
    """SD between people of an observed value, (sets,)."""
    return np.asarray(np.sqrt(part.variance(values) + part.mean(rating_variance)))


def _time(part: Seen) -> float:
    return float(part.number.time_h or 0.0)


def mean(part: Seen) -> Pair:
    """Observed score at the time."""
    value, variance, weight = rated(part, _time(part))
    at = _with(part, weight)
    if _time(part) == 0.0:
        value, variance = _entry(part), np.zeros_like(value)
    return at.mean(value), spread_of(at, value, variance) / np.sqrt(part.n)


def mean_change(part: Seen) -> Pair:
    """Change from the observed baseline."""
    at, value, variance = change(part, _time(part))
    return at.mean(value), spread_of(at, value, variance) / np.sqrt(part.n)


def percent_change(part: Seen) -> Pair:
    """Mean of everybody's change in per cent of the baseline."""
    at, value, variance = change(part, _time(part))
    start = np.maximum(_entry(part), 1.0)
    return at.mean(100.0 * value / start), spread_of(at, 100.0 * value / start, 1e4 * variance / start**2) / np.sqrt(
        part.n
    )


def standard_deviation(part: Seen) -> Pair:
    """SD between people of the change, or of the score."""
    found = _standard_deviation(part, part.number.options.of or "change")
    return found, found / np.sqrt(2.0 * max(part.n - 1.0, 1.0))


def _standard_deviation(part: Seen, of: str) -> Array:
    time = _time(part)
    if of == "score":
        if time == 0.0:
            entry = _entry(part)
            return np.asarray(np.sqrt(part.variance(entry)))
        value, variance, weight = rated(part, time)
        return spread_of(_with(part, weight), value, variance)
    at, value, variance = change(part, time)
    return spread_of(at, value, variance)


def within_group_d(part: Seen) -> Pair:
    """Fall from baseline in SDs; better is positive."""
    at, value, variance = change(part, _time(part))
    sign = -1.0 if SCALES[part.number.scale].better == "lower" else 1.0
    start = np.sqrt(at.variance(_entry(part)))
    over = part.number.options.over
    if over == "change":
        unit = spread_of(at, value, variance)
    elif over == "pooled":
        unit = np.sqrt((start**2 + _standard_deviation(part, "score") ** 2) / 2.0)
    else:
        unit = start
    unit = np.maximum(unit, 0.5)
    found = sign * at.mean(value) / unit
    luck = np.sqrt((spread_of(at, value, variance) / unit) ** 2 / part.n + found**2 / (2.0 * part.n))
    return found, luck


def share(chance: Array, n: float) -> Pair:
    """A share in per cent and its luck, from the mean chance (sets,)."""
    inside = np.clip(chance, 0.5 / max(n, 2.0) / 2.0, 1.0 - 0.5 / max(n, 2.0) / 2.0)
    return 100.0 * chance, 100.0 * np.sqrt(inside * (1.0 - inside) / n)


def completion(part: Seen) -> Pair:
    """People still in the trial."""
    return share(part.mean(part.stay.at(_time(part))), part.n)


def peak(part: Seen) -> Pair:
    """Mean of everybody's largest expected score up to the time."""
    from rekindle.trial.clock import PEAK_H

    times = [time for time in PEAK_H if time <= _time(part) + 1e-9]
    largest = np.max([_score(part, time)[0] for time in times], axis=0)
    return part.mean(largest), np.sqrt(part.variance(largest) / part.n)


def correlation(part: Seen) -> Pair:
    """Correlation of the change with a covariate, thinned by the rating errors of both."""
    at, value, variance = change(part, _time(part))
    covariate, noise = _covariate(part)
    center = value - at.mean(value)[:, None]
    other = covariate - at.mean(covariate)[:, None]
    joint = at.mean(center * other)
    total = np.sqrt((at.variance(value) + at.mean(variance)) * (at.variance(covariate) + at.mean(noise)))
    found = joint / np.maximum(total, 1e-9)
    return found, (1.0 - found**2) / np.sqrt(max(part.n - 1.0, 2.0))


def _covariate(part: Seen) -> tuple[Array, Array]:
    name = part.number.options.covariate
    shape = part.weight.shape
    if name == "baseline":
        return np.broadcast_to(_entry(part), shape), np.zeros(shape)
    if " at " in name:
        from rekindle.study_file import duration_h

        scale, time = name.split(" at ")
        expected, sd = part.view.score(scale, duration_h(time))
        return expected, sd**2
    values = np.asarray(part.view.column(name), dtype=np.float64)
    return np.broadcast_to(values[None, :], shape), np.zeros(shape)


def share_of_change(part: Seen) -> Pair:
    """Change at the time in per cent of the change at the end."""
    early, first, variance = change(part, _time(part))
    late, last, _ = change(part, float(part.number.options.end_h or 0.0))
    below = late.mean(last)
    below = np.where(np.abs(below) < 0.5, np.copysign(0.5, below), below)
    luck = 100.0 * spread_of(early, first, variance) / np.sqrt(part.n) / np.abs(below)
    return 100.0 * early.mean(first) / below, luck


ONE_ARM: Mapping[str, Callable[[Seen], Pair]] = {
    "mean": mean,
    "mean_change": mean_change,
    "percent_change": percent_change,
    "standard_deviation": standard_deviation,
    "within_group_d": within_group_d,
    "completion": completion,
    "peak": peak,
    "correlation": correlation,
    "share_of_change": share_of_change,
}

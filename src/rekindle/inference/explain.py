"""What lies behind a person's course: how much of the gain is drug, expectancy, natural course or drift; and whether a
benefit that shrinks wears off, is overtaken by the illness, or was a noisy rating.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.inference.paths import Future, conditional, future, paired, times_for
from rekindle.inference.ratings import Expected, coming_ratings, expected_ratings
from rekindle.outcomes import scale
from rekindle.streams import generator

if TYPE_CHECKING:
    from rekindle.inference.update import Posterior
    from rekindle.person.record import Planned

Array = NDArray[np.float64]

DRAWS = 400
NOTICED = 2.0 / 60.0
"""A part of a change counts from this share of the scale's range on: two points of the MADRS."""


@dataclass(frozen=True)
class Part:
    """One part of a change in points of the scale: mean, the middle 90 per cent, and the chance that it counts."""

    name: str
    mean: float
    low: float
    high: float
    counts: float

    def as_dict(self) -> dict[str, float | str]:
        """Plain values, ready for JSON."""
        return {
            "name": self.name,
            "points": round(self.mean, 2),
            "low": round(self.low, 2),
            "high": round(self.high, 2),
            "chance_it_counts": round(self.counts, 3),
        }


def _part(name: str, values: Array, size: float) -> Part:
    low, high = np.percentile(values, (5.0, 95.0))
    return Part(name, float(values.mean()), float(low), float(high), float((np.abs(values) > NOTICED * size).mean()))


def gain_so_far(posterior: Posterior, scale_name: str, *, draws: int = DRAWS) -> tuple[Part, ...]:
    """The gain from the start until now, in points for the better, by what made it.

    The parts (drug, expectancy, natural course, drift) add up to the gain in the person's own score: the drug's part is
    what would be lost had every session been the same without drug, expectancy's what would be lost besides without
    belief and care.
    """
    found, now = scale(scale_name), posterior.person.now_h
    sign = 1.0 if found.better == "lower" else -1.0
    how: dict[str, Any] = {"scales": (found.name,), "draws": draws}
    how["times_h"] = times_for(posterior.person, (found.name,), (now,))
    full = future(posterior, None, **how)
    unarmed = future(posterior, None, **how, drug=False)
    alone = future(posterior, None, **how, drug=False, changes={"switch_expectancy": 0.0})
    one, two, three = paired(full, unarmed, alone)
    start, treated = _score(full, found.name, 0.0)[one], _score(full, found.name, now)[one]
    masked, untreated = _score(unarmed, found.name, now)[two], _score(alone, found.name, now)[three]
    drift = _drift_now(posterior, full, found.name, generator(posterior.seed, "explain", "gain"))[one]
    size = found.maximum - found.minimum
    return (
        _part("drug", sign * (masked - treated), size),
        _part("expectancy and care", sign * (untreated - masked), size),
        _part("natural course", sign * (start - untreated), size),
        _part("drift of the illness", sign * -drift, size),
    )


@dataclass(frozen=True)
class Fading:
    """Why the last rating is not better, in points for the worse.

    `wearing_off`, `drift` and `noise` are the parts; `next_measurement` names the rating that would tell them apart
    best and `share` the part of the remaining doubt that it would remove.
    """

    wearing_off: Part
    drift: Part
    noise: Part
    next_measurement: str
    next_h: float
    share: float

    def as_dict(self) -> dict[str, object]:
        """Plain values, ready for JSON."""
        return {
            "wearing_off": self.wearing_off.as_dict(),
            "drift": self.drift.as_dict(),
            "noise": self.noise.as_dict(),
            "next_measurement": self.next_measurement,
            "next_hours": round(self.next_h, 1),
            "doubt_removed": round(self.share, 3),
        }


def fading(
    posterior: Posterior, scale_name: str, planned: Planned | None = None, *, draws: int = DRAWS
) -> Fading | None:
    """What stands behind the last rating on a scale, and which one would tell; None without one after a dose."""
    person, found = posterior.person, scale(scale_name)
    first = min((given.time_h for given in person.given), default=np.inf)
    after = [each for each in person.ratings if each.time_h > first and scale(each.scale).name == found.name]
    if not after:
        return None
    last, now = after[-1], person.now_h
    sign = 1.0 if found.better == "lower" else -1.0
    planned = person.planned if planned is None else planned
    options = measurement_options(now, planned)
    times = [last.time_h, now, *(moment for _, moment in options)]
    how: dict[str, Any] = {"scales": (found.name,), "draws": draws}
    how["times_h"] = times_for(person, (found.name,), times)
    usual = future(posterior, planned, **how)
    lasting = future(posterior, planned, **how, changes={"mood_tolerance": 0.0})
    one, other = paired(usual, lasting)
    own = _scores(usual, found.name, times)
    luck = generator(posterior.seed, "explain", "fading")
    wander = _wander(posterior, usual, own, luck)[one]
    own = own.of(one)
    lost = own.mean[:, 0] - _scores(lasting, found.name, times).mean[other, 0]
    noise = last.total - np.clip(own.mean[:, 0] + wander[:, 0], found.minimum, found.maximum)
    share = _told(own, wander, lost - wander[:, 1], len(options), luck)
    best = int(np.argmax(share))
    size = found.maximum - found.minimum
    return Fading(
        _part("wearing off", sign * lost, size),
        _part("drift of the illness", sign * wander[:, 0], size),
        _part("noise of the rating", sign * noise, size),
        f"{found.name} {options[best][0]}",
        options[best][1],
        float(share[best]),
    )


def measurement_options(now_h: float, planned: Planned | None) -> list[tuple[str, float]]:
    """Ratings that could be taken next, in words and hours."""
    options = [("repeated within a day", now_h + 24.0), ("after a week", now_h + 168.0)]
    if planned is not None and planned.course.sessions:
        following = planned.from_h + planned.course.sessions[0].time_h
        if following > now_h:
            options.append(("the day after the next session", following + 24.0))
            options.append(("three days after the next session", following + 72.0))
            options.append(("just before the next session", following - 0.5))
    return [(words, moment) for words, moment in options if moment > now_h]


def _told(own: Expected, wander: Array, doubt: Array, options: int, luck: np.random.Generator) -> Array:
    """Share of the variance of what is in doubt that each possible rating would remove, shape (options,)."""
    count = len(doubt)
    shares = np.zeros(options)
    if doubt.std() == 0.0:
        return shares
    for option in range(options):
        column = 2 + option
        error = np.sqrt(own.variance[:count, column]) * luck.standard_normal(count)
        rating = own.mean[:count, column] + wander[:, column] + error
        shares[option] = np.corrcoef(rating, doubt)[0, 1] ** 2
    return shares


def _scores(ahead: Future, name: str, times_h: Sequence[float]) -> Expected:
    ratings = coming_ratings(ahead.person.ratings, name, times_h)
    return expected_ratings(ratings, ahead.outputs, [float(time) for time in ahead.times_h])


def _score(ahead: Future, name: str, time_h: float) -> Array:
    return _scores(ahead, name, (time_h,)).mean[:, 0]


def _wander(posterior: Posterior, ahead: Future, coming: Expected, luck: np.random.Generator) -> Array:
    """Drift and bent at the times of `coming`, in points, drawn given the ratings; shape (draws, times)."""
    person = posterior.person
    past = expected_ratings(person.ratings, ahead.outputs, [float(time) for time in ahead.times_h])
    observed = np.array([rating.total for rating in person.ratings], dtype=np.float64)
    mean, covariance = conditional(past, coming, observed, posterior.wander)
    length = mean.shape[1]
    factor = np.linalg.cholesky(covariance + 1e-9 * np.eye(length))
    return np.asarray(mean + (factor @ luck.standard_normal((len(mean), length, 1)))[..., 0])


def _drift_now(posterior: Posterior, ahead: Future, name: str, luck: np.random.Generator) -> Array:
    coming = _scores(ahead, name, (0.0, posterior.person.now_h))
    wander = _wander(posterior, ahead, coming, luck)
    # The bent is the same at both times and no part of a change.
    return wander[:, 1] - wander[:, 0]

"""What each candidate's ratings would be: expected score, rater's error, and how far drift would move it.

The error is that of `rekindle.outcomes.observe`, item by item, as a normal: smaller near the ends of a scale, where an
item has no room, with the rounding to whole points in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError
from rekindle.inference.drift import Wander, innovations, log_density
from rekindle.outcomes import Scale, scale
from rekindle.outcomes.observation import ROUNDING_VARIANCE, item_error_sd
from rekindle.person.record import Rated

Array = NDArray[np.float64]

MOOD = (
    "severity",
    "anhedonia",
    "tension",
    "sleep_disturbance",
    "appetite_loss",
    "poor_concentration",
    "fatigue",
    "suicidal_ideation",
)
"""Latent states that move when the illness drifts."""

_STEP = 0.02
_LEAST_SD = 0.3  # points: no rating is surer than this
_NODES = (0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0)
_TOGETHER = 1_000_000  # item scores worked out at a time


@dataclass(frozen=True)
class Expected:
    """Expected ratings of every candidate.

    `mean`, `variance` (points squared) and `slope` (points a unit of severity) have shape (candidates, ratings);
    `scales` names each rating's scale, `times_h` has shape (ratings,).
    """

    mean: Array
    variance: Array
    slope: Array
    scales: tuple[str, ...]
    times_h: Array

    def take(self, columns: Sequence[int]) -> Expected:
        """Some of the ratings."""
        chosen = list(columns)
        return Expected(
            self.mean[:, chosen],
            self.variance[:, chosen],
            self.slope[:, chosen],
            tuple(self.scales[column] for column in chosen),
            self.times_h[chosen],
        )

    def of(self, rows: NDArray[np.intp]) -> Expected:
        """Some of the candidates."""
        return Expected(self.mean[rows], self.variance[rows], self.slope[rows], self.scales, self.times_h)

    def wander_covariance(self, wander: Wander, other: Expected | None = None) -> Array:
        """Covariance of drift and bent between ratings, shape (candidates, ratings, other ratings)."""
        right = self if other is None else other
        drift = wander.covariance(self.times_h, right.times_h)
        same = np.array([[one == two for two in right.scales] for one in self.scales], dtype=np.float64)
        shared = drift + wander.bent**2 * same
        return self.slope[:, :, None] * right.slope[:, None, :] * shared[None, :, :]

    def log_likelihood(self, observed: Array, wander: Wander) -> Array:
        """Log likelihood of observed totals, shape (candidates,)."""
        return log_density(observed[None, :] - self.mean, self._covariance(wander))

    def one_by_one(self, observed: Array, wander: Wander) -> tuple[Array, Array]:
        """Each rating beside each candidate's forecast of it from the ratings before, in standard deviations, and the
        log likelihood of the first, the first two, ...; shape (candidates, ratings) each."""
        return innovations(observed[None, :] - self.mean, self._covariance(wander))

    def _covariance(self, wander: Wander) -> Array:
        covariance = self.wander_covariance(wander)
        places = np.arange(len(self.scales))
        covariance[:, places, places] += self.variance
        return covariance


def look_times(ratings: Sequence[Rated]) -> list[float]:
    """Hours at which the latent states are needed: each rating's time and its recall window."""
    return sorted({time for rating in ratings for time in _nodes(rating)})


def _nodes(rating: Rated) -> list[float]:
    if not rating.recall_days:
        return [max(rating.time_h, 0.0)]
    return [max(rating.time_h - share * 24.0 * rating.recall_days, 0.0) for share in _NODES]


def recall_of(ratings: Sequence[Rated], name: str) -> float | None:
    """Days over which the last rating on a scale looks back; None for none, or where there is no rating on it."""
    wanted = scale(name).name
    on_it = [rating for rating in ratings if scale(rating.scale).name == wanted]
    return max(on_it, key=lambda rating: rating.time_h).recall_days if on_it else None


def coming_ratings(ratings: Sequence[Rated], name: str, times_h: Sequence[float]) -> list[Rated]:
    """Ratings at these times that look back as far as the last one of `ratings` on the scale; their totals mean
    nothing."""
    recall = recall_of(ratings, name)
    return [Rated(float(time), scale(name).name, 0.0, recall_days=recall) for time in times_h]


def latents_of(scales: Sequence[str]) -> tuple[str, ...]:
    """What these scales need from the model.

    Raises:
        InputError: an unknown scale, or one that needs a person's own baseline, which ratings do not.
    """
    names: dict[str, None] = {}
    for name in scales:
        found = scale(name)
        if found.person_inputs:
            raise InputError(f"'{found.name}' is a vital sign, not a rating scale.", hint="Give it under vitals.")
        names |= dict.fromkeys(found.latents)
    return tuple(names)


def expected_ratings(ratings: Sequence[Rated], latents: Mapping[str, Array], times_h: Sequence[float]) -> Expected:
    """Expected ratings from the latent states at `times_h`: name to shape (candidates, times)."""
    place = {time: column for column, time in enumerate(times_h)}
    count = len(next(iter(latents.values()))) if latents else 0
    found = np.empty((3, count, len(ratings)))
    for columns in _alike(ratings, count):
        one = scale(ratings[columns[0]].scale)
        looked = [place[time] for column in columns for time in _nodes(ratings[column])]
        own = {name: latents[name][:, looked] for name in one.latents}
        found[:, :, columns] = rating_moments(one, own, len(columns))
    mean, variance, slope = found
    times = np.array([rating.time_h for rating in ratings], dtype=np.float64)
    return Expected(mean, variance, slope, tuple(scale(rating.scale).name for rating in ratings), times)


def _alike(ratings: Sequence[Rated], count: int) -> list[list[int]]:
    """Places of ratings on one scale with as many looks each, in groups that fit into memory together."""
    groups: dict[tuple[str, int], list[int]] = {}
    for place, rating in enumerate(ratings):
        groups.setdefault((rating.scale, len(_nodes(rating))), []).append(place)
    found = []
    for (name, looks), places in groups.items():
        most = max(1, _TOGETHER // max(1, count * looks * len(scale(name).items)))
        found += [places[begin : begin + most] for begin in range(0, len(places), most)]
    return found


def rating_moments(found: Scale, latents: Mapping[str, Array], ratings: int = 1) -> tuple[Array, Array, Array]:
    """Mean, variance and slope of ratings, shape (candidates, ratings) each.

    `latents` have shape (candidates, times): the looks of the first rating's recall window, then those of the next.
    """
    items = _over_looks(found.expected_items(latents), ratings)
    raised = {name: value + _STEP if name in MOOD else value for name, value in latents.items()}
    mean = items.sum(axis=-1)
    slope = (_over_looks(found.expected_items(raised), ratings).sum(axis=-1) - mean) / _STEP
    return mean, rating_variance(found, items), slope


def _over_looks(items: Array, ratings: int) -> Array:
    """Item scores averaged over the looks of each rating, shape (candidates, ratings, items)."""
    candidates, times, scores = items.shape
    return np.asarray(items.reshape(candidates, ratings, times // ratings, scores).mean(axis=2))


def rating_variance(found: Scale, items: Array) -> Array:
    """Variance of a rating's total, points squared, from expected item scores (..., items)."""
    low = np.array([item.minimum for item in found.items])
    high = np.array([item.maximum for item in found.items])
    own, shared = np.sqrt(1.0 - found.halo), np.sqrt(found.halo)
    room = np.minimum(items - low, high - items) / (np.sqrt(3.0) * (own + shared))
    error = np.minimum(item_error_sd(found), np.maximum(room, 0.0))
    part = np.minimum(np.minimum(items - low, high - items), 0.5)
    rounding = np.minimum(ROUNDING_VARIANCE, np.maximum(part, 0.0) * (1.0 - np.maximum(part, 0.0)))
    total = (own * error) ** 2 + rounding
    whole = total.sum(axis=-1) + (shared * error.sum(axis=-1)) ** 2
    return np.asarray(np.maximum(whole, _LEAST_SD**2))

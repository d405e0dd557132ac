"""What is written down at a visit: whole numbers around the expected item scores.

A rating's error has a part that all items of the visit share (a rater's mood, a bad day) and a part of each
item's own; their standard deviations follow from the scale's `error_sd` and `halo`. Near an end of an item
the error shrinks, so that nobody is pushed beyond it and the mean of many ratings stays the expected score.
The score is then rounded up or down by chance in proportion, which keeps the mean too. Every number comes
from a stream named after scale, visit, item and person: leaving one out moves no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError, unknown
from rekindle.outcomes.scale import Scale
from rekindle.streams import uniforms

Array = NDArray[np.float64]
ROUNDING_VARIANCE = 1.0 / 6.0
"""Variance that rounding by chance adds to one item, averaged over where the expected score lies."""


@dataclass(frozen=True)
class Ratings:
    """Item scores (people x times x items) and totals (people x times) of one scale."""

    scale: Scale
    items: Array
    total: Array

    def item(self, name: str) -> Array:
        """Scores of one item, shape people x times.

        Raises:
            InputError: the scale has no such item.
        """
        names = [item.name for item in self.scale.items]
        if name not in names:
            raise unknown("item", name, names, where=self.scale.name)
        return self.items[..., names.index(name)]


def item_error_sd(scale: Scale) -> float:
    """Standard deviation of one item's error before rounding, from the error of the total.

    The variance of the total is the items' own variances plus the shared part plus the rounding; a scale
    whose rounding alone exceeds `error_sd` has no further error.
    """
    count = len(scale.items)
    left = scale.error_sd**2 - count * ROUNDING_VARIANCE
    if left <= 0.0:
        return 0.0
    return float(np.sqrt(left / (count + count * (count - 1) * scale.halo)))


def observe(
    scale: Scale,
    latents: Mapping[str, Array],
    person: Mapping[str, Array] | None = None,
    *,
    seed: int,
    visits: Sequence[int] | None = None,
    start: int = 0,
    error: bool = True,
    purpose: Sequence[str] = (),
) -> Ratings:
    """Ratings at every time of `latents`; expected scores, not rounded, when `error` is off.

    `visits` numbers the times (0, 1, 2 ... when not given): the number, not the place in the array, names the
    luck, so a course observed at fewer visits keeps the ratings of those it has. `start` is the number of the
    first person, `purpose` more words for the streams' names (an arm, when arms shall not share luck).

    Raises:
        InputError: as `Scale.expected_items`, or another number of visits than of times, or one twice.
    """
    expected = scale.expected_items(latents, person)
    if not error:
        return Ratings(scale, expected, expected.sum(axis=-1))
    people, times, _ = expected.shape
    numbers = list(range(times)) if visits is None else [int(visit) for visit in visits]
    if len(numbers) != times or len(set(numbers)) != times:
        raise InputError(f"{len(set(numbers))} visits for {times} times.", where=f"scale {scale.name}")
    rated = np.empty_like(expected)
    for place, number in enumerate(numbers):
        name = ("rating", scale.name, *purpose, f"visit {number}")
        rated[:, place, :] = _rate(scale, expected[:, place, :], seed, name, start, people)
    return Ratings(scale, rated, rated.sum(axis=-1))


def observed_totals(
    scale: Scale,
    latents: Mapping[str, Array],
    person: Mapping[str, Array] | None = None,
    *,
    seed: int,
    purpose: Sequence[str] = (),
) -> Array:
    """The totals that `observe` gives, people x times, worked out visit by visit without keeping the items.

    Raises:
        InputError: as `Scale.expected_items`.
    """
    by_visit = {name: np.ascontiguousarray(latents[name].T) for name in scale.latents if name in latents}
    people, times = next(iter(latents.values())).shape
    totals = np.empty((times, people))
    for visit in range(times):
        now = {name: values[visit][:, None] for name, values in by_visit.items()}
        expected = scale.expected_items(now, person)[:, 0]
        name = ("rating", scale.name, *purpose, f"visit {visit}")
        totals[visit] = _rate(scale, expected, seed, name, 0, people).sum(axis=-1)
    return np.ascontiguousarray(totals.T)


def _rate(scale: Scale, expected: Array, seed: int, name: tuple[str, ...], start: int, people: int) -> Array:
    """Whole scores of one visit, shape people x items."""
    own, shared = np.sqrt(1.0 - scale.halo), np.sqrt(scale.halo)
    width = np.sqrt(3.0)
    wanted = item_error_sd(scale)
    common = width * (2.0 * uniforms(seed, *name, "shared", start=start, count=people) - 1.0)
    scores = np.empty_like(expected)
    for column, item in enumerate(scale.items):
        mean = expected[:, column]
        luck = width * (2.0 * uniforms(seed, *name, item.name, "error", start=start, count=people) - 1.0)
        room = np.minimum(mean - item.minimum, item.maximum - mean) / (width * (own + shared))
        value = mean + np.minimum(wanted, room) * (own * luck + shared * common)
        up = uniforms(seed, *name, item.name, "rounding", start=start, count=people)
        scores[:, column] = np.clip(np.floor(value + up), item.minimum, item.maximum)
    return scores

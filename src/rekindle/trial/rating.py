"""Ratings without drawing them: the expected total of a scale, the SD of a rater around it, and chances of a line.

`rekindle.outcomes.observation` draws ratings; here their mean and variance are worked out instead, item by item,
so that the chance that a rating meets a line is a smooth number a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rekindle.outcomes import SCALES, Scale
from rekindle.outcomes.observation import ROUNDING_VARIANCE, item_error_sd

Array = NDArray[np.float64]


def expected_items(scale: Scale, latents: Mapping[str, Array], person: Mapping[str, Array] | None = None) -> Array:
    """Expected item scores; `latents` of any one shape, the items come last."""
    scores = []
    given = {**latents, **(person or {})}
    for item in scale.items:
        latent = sum(weight * given[name] for name, weight in item.inputs.items())
        scores.append(item.expected(np.asarray(latent)))
    return np.stack(np.broadcast_arrays(*scores), axis=-1)


def expected_and_sd(
    scale: Scale, items: Array, item: str | None, rating_error: Array | float = 1.0
) -> tuple[Array, Array]:
    """Expected total (or item score) and the SD of one rating around it, from expected item scores.

    `rating_error` is a factor on the rater's error, broadcast against the scores without their last axis.
    """
    own, halo = 1.0 - scale.halo, scale.halo
    width = np.sqrt(3.0) * (np.sqrt(own) + np.sqrt(halo))
    low = np.array([each.minimum for each in scale.items])
    high = np.array([each.maximum for each in scale.items])
    room = np.maximum(np.minimum(items - low, high - items), 0.0)
    spread = np.minimum(item_error_sd(scale) * np.asarray(rating_error, dtype=np.float64)[..., None], room / width)
    rounding = np.minimum(ROUNDING_VARIANCE, room * np.minimum(1.0, room))
    if item is not None:
        place = [each.name for each in scale.items].index(item)
        return items[..., place], np.sqrt(spread[..., place] ** 2 + rounding[..., place])
    variance = own * (spread**2).sum(axis=-1) + halo * spread.sum(axis=-1) ** 2 + rounding.sum(axis=-1)
    return items.sum(axis=-1), np.sqrt(variance)


def chance_at_most(line: Array | float, expected: Array, sd: Array, *, strict: bool = False) -> Array:
    """Chance that a whole-number rating is at most (or, `strict`, below) a line; a normal with half a point of play."""
    from scipy.special import ndtr

    limit = np.ceil(np.asarray(line) - 1e-9) - 1.0 if strict else np.floor(np.asarray(line) + 1e-9)
    return np.asarray(ndtr((limit + 0.5 - expected) / np.maximum(sd, 1e-6)), dtype=np.float64)


@cache
def _resting_curve(name: str) -> tuple[Array, Array, Array]:
    """Severities 0-1, the scale's total at rest there, and the SD of a rating."""
    scale = SCALES[name]
    severity = np.linspace(0.0, 1.0, 401)
    latents = dict.fromkeys(scale.inputs, severity)
    items = expected_items(scale, latents)
    total, sd = expected_and_sd(scale, items, None)
    return severity, total, sd


def resting_total(scale: Scale, severity: Array) -> Array:
    """Expected total before treatment, when every symptom stands at the severity."""
    grid, total, _ = _resting_curve(scale.name)
    return np.interp(severity, grid, total)


def severity_at_rest(scale: Scale, total: Array) -> Array:
    """The severity 0-1 at which the expected total before treatment is this; kept within 0.005 and 0.95."""
    grid, totals, _ = _resting_curve(scale.name)
    return np.clip(np.interp(total, totals, grid), 0.005, 0.95)


def total_sd_at_rest(scale: Scale, total: float) -> float:
    """SD of one rating around this expected total."""
    _, totals, sd = _resting_curve(scale.name)
    return float(np.interp(total, totals, sd))

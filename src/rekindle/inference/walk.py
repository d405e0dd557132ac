"""Candidates drawn by weight set walking, so that copies of a few become many that are all different.

A step draws luck near a candidate's own in a way that keeps the population's distribution (preconditioned
Crank-Nicolson, Cotter et al. 2013, doi:10.1214/13-STS421), now and then another set or other covariates, and is
taken with the ratio of likelihoods as its chance (Metropolis). The posterior stays what it was; only its sample
becomes better.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.inference.ratings import Expected
from rekindle.streams import generator

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

KEPT = (0.9, 0.75, 0.9, 0.6)
"""Correlation of the luck that is tried with the candidate's own, step by step."""
OTHER_SET, OTHER_ROW = 0.25, 0.25
"""Chance that a step also tries another set, and other covariates."""


@dataclass(frozen=True)
class Walkers:
    """Candidates on their way: `log_target` is the log likelihood over what the covariates were chosen by."""

    place: Integers
    which: Integers
    luck: Array
    log_target: Array
    expected: Expected


Follow = Callable[[Integers, Integers, Array], Walkers]


def walked(start: Walkers, follow: Follow, *, rows: int, sets: int, steps: int, seed: int) -> tuple[Walkers, float]:
    """The walkers after some steps, and the share of them that moved at least once.

    `follow` solves candidates with these covariate rows, sets and luck.
    """
    luck = generator(seed, "candidate", "walk")
    now, ever = start, np.zeros(len(start.place), dtype=bool)
    count = len(start.place)
    for step in range(steps):
        share = KEPT[step % len(KEPT)]
        near = share * now.luck + np.sqrt(1.0 - share**2) * luck.standard_normal(now.luck.shape)
        which = np.where(luck.random(count) < OTHER_SET, luck.integers(sets, size=count), now.which)
        place = np.where(luck.random(count) < OTHER_ROW, luck.integers(rows, size=count), now.place)
        tried = follow(place, which, near)
        taken = np.log(luck.random(count)) < tried.log_target - now.log_target
        now, ever = _mixed(now, tried, taken), ever | taken
    return now, float(ever.mean())


def _mixed(old: Walkers, new: Walkers, taken: NDArray[np.bool_]) -> Walkers:
    one = taken[:, None]
    expected = Expected(
        np.where(one, new.expected.mean, old.expected.mean),
        np.where(one, new.expected.variance, old.expected.variance),
        np.where(one, new.expected.slope, old.expected.slope),
        old.expected.scales,
        old.expected.times_h,
    )
    return Walkers(
        np.where(taken, new.place, old.place),
        np.where(taken, new.which, old.which),
        np.where(one, new.luck, old.luck),
        np.where(taken, new.log_target, old.log_target),
        expected,
    )

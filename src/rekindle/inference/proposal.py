"""Where to look for candidates that fit: the ratings regressed on luck, and turned round.

Around the candidates seen so far, expected ratings are taken as linear in the random effects and the start's severity,
with a mean for each set of parameters; what is not linear counts as noise. Luck given the ratings is then normal with a
known mean and covariance. A share of candidates always comes from the population, so weights stay bounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.inference.drift import log_density
from rekindle.inference.importance import effective_size
from rekindle.inference.products import gathered, spread_out

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

DEFENSIVE = 0.15
"""Share of moved candidates that are drawn from the population all the same."""
WIDER = 1.15
"""Factor on the spread of luck, so that the proposal has heavier shoulders than what it aims at."""
SIGNIFICANT = 3.0
"""Slopes smaller than this many standard errors count as none."""
LOCAL = 500.0
"""Effective candidates that the regression rests on at least."""
ROUNDS = 2
"""Turns of fitting slopes and sets' effects to what the other leaves."""


@dataclass(frozen=True)
class Proposal:
    """A distribution of luck, covariate rows and sets; `aim` says how far each set and row is from the ratings.

    `gain` has shape (effects, ratings), `factor` is the Cholesky factor of the covariance of luck, `set_gap` has
    shape (sets, ratings), `row_gap` (rows, ratings); `sets` and `rows` are chances that sum to 1.
    """

    gain: Array
    factor: Array
    set_gap: Array
    row_gap: Array
    sets: Array
    rows: Array

    def mean(self, place: Integers, which: Integers) -> Array:
        """Mean luck of candidates with these rows and sets, shape (candidates, effects)."""
        return spread_out(self.set_gap[which] - self.row_gap[place], self.gain.T)

    def log_ratio(self, luck: Array, place: Integers, which: Integers) -> Array:
        """Log of this proposal's density over the prior's, shape (candidates,)."""
        away = spread_out(luck - self.mean(place, which), np.asarray(np.linalg.inv(self.factor).T))
        adapted = 0.5 * (luck**2).sum(axis=1) - 0.5 * (away**2).sum(axis=1) - np.log(np.diag(self.factor)).sum()
        adapted += np.log(self.rows[place] * len(self.rows)) + np.log(self.sets[which] * len(self.sets))
        return np.asarray(np.logaddexp(np.log(DEFENSIVE), np.log1p(-DEFENSIVE) + adapted))


@dataclass(frozen=True)
class Seen:
    """Candidates solved so far: `ratings` are expected ones, `noise` the covariance of observed ones around them."""

    luck: Array
    place: Integers
    which: Integers
    ratings: Array
    noise: Array


def proposal_near(seen: Seen, weights: Array, observed: Array, start: Array, sets: int) -> Proposal:
    """The proposal that the weighted candidates suggest; `start` is the severity of each covariate row."""
    chance = local_weights(weights)
    design = np.column_stack([seen.luck, start[seen.place] - start.mean()])
    middle = chance @ design
    away = design - middle
    own = gathered(chance[:, None] * away, away)
    inverse = np.asarray(np.linalg.inv(own + 1e-6 * np.eye(own.shape[0])), dtype=np.float64)
    effect = np.zeros((sets, seen.ratings.shape[1]))
    for _ in range(ROUNDS):
        slopes, intercept, spare = _slopes(away, inverse, seen.ratings - effect[seen.which], chance)
        left = seen.ratings - intercept - spread_out(away, slopes)
        effect = _set_effects(left, seen.which, sets)
    effects = seen.luck.shape[1]
    # What is expected at luck zero and the average start.
    means = intercept + effect - middle @ slopes
    row_gap = (start - start.mean())[:, None] * slopes[effects]
    return _turned(slopes[:effects].T, row_gap, observed - means, seen.noise + spare)


def _slopes(design: Array, inverse: Array, target: Array, chance: Array) -> tuple[Array, Array, Array]:
    """Weighted slopes of ratings (those that count), the intercept, and the covariance of what is left.

    `inverse` is that of the design's own weighted products, shape (columns, columns).
    """
    intercept = chance @ target
    slopes = inverse @ gathered(chance[:, None] * design, target - intercept)
    left = target - intercept - spread_out(design, slopes)
    spare = gathered(chance[:, None] * left, left)
    error = np.sqrt(np.diag(inverse)[:, None] * np.diag(spare)[None, :] / effective_size(chance))
    return np.where(np.abs(slopes) > SIGNIFICANT * error, slopes, 0.0), intercept, spare


def _turned(slopes: Array, row_gap: Array, gap: Array, noise: Array) -> Proposal:
    """Luck given the ratings from ratings given luck (`slopes`, shape ratings x effects)."""
    weighted = np.linalg.solve(noise, slopes)
    covariance = np.linalg.inv(np.eye(slopes.shape[1]) + slopes.T @ weighted)
    whole = noise + slopes @ slopes.T
    rows = log_density(gap.mean(axis=0) - row_gap, whole)
    across = np.atleast_2d(np.cov(row_gap, rowvar=False)) if len(row_gap) > 1 else np.zeros_like(whole)
    sets = log_density(gap, whole + across)
    return Proposal(
        gain=covariance @ weighted.T,
        factor=WIDER * np.linalg.cholesky(covariance),
        set_gap=gap,
        row_gap=row_gap,
        sets=_softened(sets),
        rows=_softened(rows),
    )


def _softened(logs: Array) -> Array:
    """Chances from log likelihoods, mixed with even ones."""
    chance = np.exp(0.8 * (logs - logs.max()))
    return np.asarray(0.9 * chance / chance.sum() + 0.1 / len(chance))


def local_weights(weights: Array) -> Array:
    """The weights raised to the largest power that leaves enough effective candidates."""
    low, high = 0.0, 1.0
    positive = np.maximum(weights / weights.max(), 1e-300)
    if effective_size(weights) >= LOCAL:
        return weights
    for _ in range(30):
        middle = 0.5 * (low + high)
        raised = positive**middle
        if effective_size(raised / raised.sum()) >= LOCAL:
            low = middle
        else:
            high = middle
    raised = positive**low
    return np.asarray(raised / raised.sum())


def _set_effects(left: Array, which: Integers, sets: int) -> Array:
    """By how much each set's ratings differ, beside luck, drawn towards none; shape (sets, ratings).

    All candidates count alike here: a set's effect is taken to be the same everywhere, and few near the ratings are of
    any one set.
    """
    count = np.bincount(which, minlength=sets).astype(np.float64)[:, None]
    total = np.column_stack([np.bincount(which, column, minlength=sets) for column in left.T])
    own = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    own -= (own * count).sum(axis=0) / count.sum()
    within = ((left - own[which]) ** 2).mean(axis=0)
    noise = within / np.maximum(count, 1.0)
    between = np.maximum((own**2).mean(axis=0) - noise.mean(axis=0), 0.0)
    return np.asarray(own * between / (between + noise + 1e-12))

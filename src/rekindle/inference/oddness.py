"""How odd a person's ratings, vital signs and levels are: each beside its forecast from those before it.

Where in its forecast a rating falls is uniform if the model holds, whatever the ratings before it were; as normal
scores their squares add up to a chi-square. Unlike a comparison with what was fitted to the same ratings, this has the
chance that it claims: one person in a hundred is called odd at 1 %, if the model is right.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rekindle.inference.drift import Wander
from rekindle.inference.ratings import Expected

Array = NDArray[np.float64]

ROWS = 4_000
"""Candidates that are looked at."""
_FURTHEST = 1e-9


def forecast_scores(expected: Expected, observed: Array, wander: Wander, log_prior: Array, begin: int = 0) -> Array:
    """Normal scores of the ratings from place `begin` on, given those before, shape (ratings - begin,).

    `log_prior` (candidates,) is each candidate's log weight before any rating; ratings are in time order.
    """
    from scipy.special import ndtr, ndtri

    step = -(-len(log_prior) // ROWS)
    some = expected.of(np.arange(0, len(log_prior), step))
    prior = log_prior[::step]
    away, logs = some.one_by_one(observed, wander)
    scores = []
    for place in range(begin, len(observed)):
        log = prior + (logs[:, place - 1] if place else 0.0)
        weights = np.exp(log - log.max())
        below = float(weights @ ndtr(away[:, place]) / weights.sum())
        scores.append(float(ndtri(np.clip(below, _FURTHEST, 1.0 - _FURTHEST))))
    return np.array(scores)


def measured_scores(below: Array, logs: Array, log_prior: Array) -> Array:
    """Normal scores of measurements one after the other; of those that say something of any candidate.

    `below` and `logs` (candidates, measurements) are each candidate's chance of a value below the one seen, and its log
    likelihood; `log_prior` (candidates,) is each candidate's log weight before any measurement.
    """
    from scipy.special import ndtri

    scores = []
    for place in np.flatnonzero(logs.any(axis=0)):
        log = log_prior + logs[:, :place].sum(axis=1)
        weights = np.exp(log - log.max())
        share = float(weights @ below[:, place] / weights.sum())
        scores.append(float(ndtri(np.clip(share, _FURTHEST, 1.0 - _FURTHEST))))
    return np.array(scores)


def chance_of(scores: Array) -> float:
    """The chance of scores at least as far from zero, all together; 1 without any.

    >>> round(chance_of(np.array([1.959964])), 3), chance_of(np.array([]))
    (0.05, 1.0)
    """
    from scipy.special import chdtrc

    return float(chdtrc(len(scores), np.square(scores).sum())) if len(scores) else 1.0

"""Who is still in the trial at each rating, when leaving depends on how a person does.

Between two ratings people leave at a hazard that is higher for those who do badly at the first of them; its level is
set so that the published share has left by the published time. Nothing is drawn: everybody carries a chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.trial.clock import dropout_visits
from rekindle.trial.view import View

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Staying:
    """Chance of still being rated at each of `times_h`, (times, sets, people); 1 at the start."""

    times_h: tuple[float, ...]
    chance: Array

    def at(self, time_h: float) -> Array:
        """Chance at a time: that of the first rating at or after it; beyond the last, that of the last."""
        place = int(np.searchsorted(np.asarray(self.times_h), time_h - 1e-6))
        return np.asarray(self.chance[min(place, len(self.times_h) - 1)])

    def twice(self) -> Staying:
        """The same for people who stand there twice."""
        return Staying(self.times_h, np.concatenate([self.chance, self.chance], axis=-1))


def staying(view: View) -> Staying:
    """The chances of an arm's people; all 1 where nobody leaves or dropout is switched off."""
    dropout = view.trial.dropout
    times = dropout_visits(view.trial)
    share = 0.0 if dropout is None else dropout.shares.get(view.arm.name, 0.0)
    people = sum(len(part.courses.who) for part in view.parts)
    if dropout is None or share <= 0.0 or not view.switches.dropout:
        return Staying((0.0,), np.ones((1, view.sets, people)))
    weights = np.stack([_doing_badly(view, time) for time in times[:-1]])
    hazards = np.exp(dropout.slope * weights) * np.diff(np.asarray(times))[:, None, None]
    level = _level(hazards.sum(axis=0), share)
    cumulative = np.concatenate([np.zeros((1, *hazards.shape[1:])), np.cumsum(hazards, axis=0)])
    return Staying(times, np.exp(-level[None, :, None] * cumulative))


def _doing_badly(view: View, time_h: float) -> Array:
    """How badly each person does beside the others of the arm, in SDs of the change, or 0 and 1 without a response."""
    dropout = view.trial.dropout
    if dropout is None or dropout.depends_on == "none":
        return np.zeros(view.weight.shape)
    if dropout.depends_on == "no-response":
        return np.asarray(1.0 - view.response(view.trial.scale, time_h))
    change: Array = view.score(view.trial.scale, time_h)[0] - view.entry(view.trial.scale)
    spread = np.maximum(change.std(axis=1, keepdims=True), 1e-6)
    return np.asarray(np.clip((change - change.mean(axis=1, keepdims=True)) / spread, -2.5, 2.5))


def _level(total: Array, share: float) -> Array:
    """The factor at which the mean chance of having left is the share, (sets,): bisection on its logarithm."""
    low = np.full(len(total), -30.0)
    high = np.full(len(total), 30.0)
    for _ in range(50):
        middle = (low + high) / 2.0
        left = 1.0 - np.exp(-np.exp(middle)[:, None] * total).mean(axis=1)
        low, high = np.where(left < share, middle, low), np.where(left < share, high, middle)
    return np.asarray(np.exp((low + high) / 2.0))

"""The published numbers as a likelihood sees them: each on a scale on which its error is about normal.

Points become per cent of the scale's range, shares log-odds, spreads, ratios and times logarithms. A share is
moved towards a half by half a person on either side, in the data and in the model alike, so that 0 of 17 is finite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import unknown

Array = NDArray[np.float64]

KINDS = ("points", "share", "effect size", "spread", "ratio", "time", "correlation")

SMALLEST = 1e-3
"""Ratios, times and spreads below this are taken as this before their logarithm."""

MOST_PEOPLE = 50.0
"""Half a person of at most so many moves a share: none and all stay within odds of about 1 to 100."""

LONGEST = 20.0
"""Times beyond so many times the published one are taken as this: never is no number."""


@dataclass(frozen=True)
class Target:
    """One published number of one trial.

    `value` is as published (a share between 0 and 1), `error` its standard error on the transformed scale (NaN when
    nothing was published: the luck of a simulated trial of that size is taken), `people` how many it rests on and
    `span` the range of its scale in points.
    """

    key: str
    trial: str
    kind: str
    value: float
    error: float = float("nan")
    people: float = 30.0
    span: float = 60.0
    label: str = ""

    def transformed(self, natural: Array | float) -> Array:
        """Values of this number on the scale of the likelihood, same shape.

        >>> float(Target("a", "t", "points", 0.0, span=60.0).transformed(-6.0))
        -10.0

        Raises:
            InputError: an unknown kind.
        """
        x = np.asarray(natural, dtype=np.float64)
        if self.kind == "points":
            return np.asarray(100.0 * x / self.span)
        if self.kind == "share":
            people = min(self.people, MOST_PEOPLE)
            moved = (np.clip(x, 0.0, 1.0) * people + 0.5) / (people + 1.0)
            return np.asarray(np.log(moved / (1.0 - moved)))
        if self.kind == "time" and self.value > 0.0:
            x = np.minimum(x, LONGEST * self.value)
        if self.kind in ("spread", "ratio", "time"):
            return np.asarray(np.log(np.maximum(x, SMALLEST)))
        if self.kind in ("effect size", "correlation"):
            return x
        raise unknown("kind of number", self.kind, KINDS)

    def natural(self, transformed: Array | float) -> Array:
        """The inverse of `transformed`.

        Raises:
            InputError: an unknown kind.
        """
        y = np.asarray(transformed, dtype=np.float64)
        if self.kind == "points":
            return np.asarray(y * self.span / 100.0)
        if self.kind == "share":
            people = min(self.people, MOST_PEOPLE)
            moved = 1.0 / (1.0 + np.exp(-y))
            return np.asarray(np.clip((moved * (people + 1.0) - 0.5) / people, 0.0, 1.0))
        if self.kind in ("spread", "ratio", "time"):
            return np.asarray(np.exp(y))
        if self.kind in ("effect size", "correlation"):
            return y
        raise unknown("kind of number", self.kind, KINDS)

    def slope(self, natural: float) -> float:
        """Rise of the transformed number per natural unit at `natural`, by which standard errors are carried over."""
        step = 1e-4 * max(abs(natural), 1e-2)
        if self.kind == "time" and self.value > 0.0:
            natural = min(natural, 0.99 * LONGEST * self.value)
        if self.kind == "share":
            natural = min(max(natural, 2.0 * step), 1.0 - 2.0 * step)
        high, low = self.transformed(natural + step), self.transformed(natural - step)
        return float((high - low) / (2.0 * step))


@dataclass(frozen=True)
class Luck:
    """How far the numbers of trials of the published sizes scatter at one set of parameters.

    `sd` has one entry a target, on the scale of the targets; `correlation` has shape (targets, targets) and is zero
    between trials.
    """

    sd: Array
    correlation: Array


class Simulator(Protocol):
    """What can tell the expected value of every target at sets of parameters."""

    @property
    def targets(self) -> tuple[Target, ...]:
        """The published numbers, in the order of the columns below."""

    @property
    def digest(self) -> str:
        """Changes whenever anything changes that moves the simulated numbers."""

    def expected(self, values: Mapping[str, Array], *, people: int, seed: int) -> Array:
        """Expected numbers, shape (sets, targets), on the scale of the targets.

        `values` gives parameters by name, shape (sets,) each; `people` is the number of simulated people an arm,
        the same in all sets of one call, others for another `seed`.
        """

    def luck(self, values: Mapping[str, Array], *, people: int, seed: int) -> Luck:
        """The luck of trials of the published sizes at one set (arrays of shape (1,))."""


def trials_of(targets: Sequence[Target]) -> dict[str, list[int]]:
    """Places of the targets of each trial, trials in order of their first number."""
    places: dict[str, list[int]] = {}
    for place, target in enumerate(targets):
        places.setdefault(target.trial, []).append(place)
    return places


def published(targets: Sequence[Target]) -> Array:
    """The published numbers on the scale of the likelihood, shape (targets,)."""
    return np.array([float(target.transformed(target.value)) for target in targets])


MODERATING = 10.0
"""How many people the model's own luck counts as beside a printed error; the spread of a dozen people is luck too."""


def errors(targets: Sequence[Target], luck: Luck) -> Array:
    """Standard errors, shape (targets,): those printed, moderated by the luck of a trial of that size; else the latter.

    A printed error rests on the spread that the trial's few people happened to have; as in moderated tests (Smyth
    2004, doi:10.2202/1544-6115.1027) its square is averaged with that of the model, which counts as ten people.
    """
    given = np.array([target.error for target in targets])
    people = np.array([target.people for target in targets])
    moderated = np.sqrt((MODERATING * luck.sd**2 + people * given**2) / (MODERATING + people))
    return np.where(np.isfinite(given), moderated, luck.sd)

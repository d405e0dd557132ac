"""Values that stand for a trial: several sets of them side by side, the trial's own deviations included.

A set may give model parameters by name, `spread.NAME` (the SD of a random effect), `setting.NAME` (a number of the
trial layer) and `rating_error` (a factor on every rater's error).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError, unknown
from rekindle.mechanism.parameters import parameter_table
from rekindle.population.variability import variability
from rekindle.trial.words import settings

Array = NDArray[np.float64]

DEVIATIONS: Mapping[str, str] = {"belief": "trial_belief", "potency": "trial_potency", "depth": "trial_depth"}
"""In what a trial may differ from the next beyond what is printed, and the setting that is its SD between trials."""

POTENT = ("bdnf_release_rate", "drive_functional")
"""Parameters that the deviation `potency` multiplies: how much of the drug's block becomes lift."""


@dataclass(frozen=True)
class Sets:
    """`count` parameter sets: arrays of shape (sets,) by name, in four groups."""

    count: int
    model: Mapping[str, Array] = field(default_factory=dict)
    spreads: Mapping[str, Array] = field(default_factory=dict)
    given_settings: Mapping[str, Array] = field(default_factory=dict)
    rating_error: Array = field(default_factory=lambda: np.ones(1))

    def setting(self, name: str) -> Array:
        """A number of the trial layer, shape (sets,)."""
        if name in self.given_settings:
            return self.given_settings[name]
        return np.full(self.count, settings()[name].value)


def sets_of(values: Mapping[str, Array | float] | None = None) -> Sets:
    """The sets that arrays by name describe; one set, the model's own values, when there are none.

    Raises:
        InputError: an unknown name, arrays of different lengths, or a value that is not finite.
    """
    given = {name: np.atleast_1d(np.asarray(array, dtype=np.float64)) for name, array in (values or {}).items()}
    lengths = {len(array) for array in given.values()} - {1}
    if len(lengths) > 1:
        raise InputError(f"The values are for different numbers of sets: {sorted(lengths)}.")
    count = lengths.pop() if lengths else 1
    groups: dict[str, dict[str, Array]] = {"": {}, "spread": {}, "setting": {}}
    rating_error = np.ones(count)
    spreads = {effect.parameter for effect in variability()}
    known = [*parameter_table(), *(f"spread.{name}" for name in spreads), *(f"setting.{name}" for name in settings())]
    for name, array in given.items():
        full = np.broadcast_to(array, (count,))
        if not np.isfinite(full).all():
            raise InputError(f"A value of '{name}' is not finite.")
        if name == "rating_error":
            rating_error = full
            continue
        if name not in known:
            raise unknown("value", name, [*known, "rating_error"])
        group, _, own = name.rpartition(".")
        groups[group][own] = full
    return Sets(count, groups[""], groups["spread"], groups["setting"], rating_error)


def set_of(sets: Sets, number: int) -> Sets:
    """One of the sets by itself."""

    def one(given: Mapping[str, Array]) -> dict[str, Array]:
        return {name: values[number : number + 1] for name, values in given.items()}

    error = sets.rating_error[number : number + 1] if len(sets.rating_error) > 1 else sets.rating_error
    return Sets(1, one(sets.model), one(sets.spreads), one(sets.given_settings), error)


def deviations_of(sets: Sets, given: Mapping[str, Array] | None) -> dict[str, Array]:
    """A trial's deviations, each of shape (sets,); zero where none is given.

    Raises:
        InputError: a deviation that does not exist.
    """
    for name in given or {}:
        if name not in DEVIATIONS:
            raise unknown("deviation of a trial", name, DEVIATIONS)
    return {
        name: np.broadcast_to(np.asarray((given or {}).get(name, 0.0), dtype=np.float64), (sets.count,))
        for name in DEVIATIONS
    }

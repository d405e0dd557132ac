"""The parameter sets that predictions are made with: the calibrated ensemble when there is one, else plausible values.

With a trial's name, the sets that were calibrated without that trial. What the ensemble does not give (settings of
the trial layer) is drawn from its plausible range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError
from rekindle.mechanism.ensemble import calibrated, ensemble, left_out_trials, misfit
from rekindle.mechanism.plausible import TAIL
from rekindle.streams import normals
from rekindle.trial.design import Trial, related
from rekindle.trial.values import DEVIATIONS
from rekindle.trial.words import settings

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Draws:
    """`values` name to (sets,); `deviations` of one trial, (sets,); `misfit` kind of number to its SD, (sets,).

    `source` says in words where the sets come from, `left_out` whether the sets have not seen the trial: it was left
    out of the calibration, or never was in it.
    """

    values: Mapping[str, Array]
    deviations: Mapping[str, Array]
    misfit: Mapping[str, Array] = field(default_factory=dict)
    source: str = "plausible ranges, before calibration"
    left_out: bool = True


def draws(trial: Trial, count: int, seed: int, *, leave_out: bool = True) -> Draws:
    """`count` sets for predicting a trial; `leave_out` asks for those calibrated without it.

    Raises:
        InputError: fewer than two sets.
    """
    if count < 2:
        raise InputError(f"{count} parameter sets give no interval.", hint="At least 2.")
    without, left_out = _without(trial) if leave_out else (None, trial.use != "calibrate")
    values = plausible_settings(count, seed) | ensemble(count, seed, without=without)
    if not calibrated():
        return Draws(values, _deviations(trial, values, count, seed))
    missed = misfit(count, seed, without=without)
    return Draws(values, _deviations(trial, values, count, seed), missed, "the calibrated ensemble", left_out)


def _without(trial: Trial) -> tuple[str, bool]:
    """The name under which to ask for sets without the trial's people, and whether those have not seen them.

    A file that is none of the package's may print a fitted trial's records: then it is predicted without that trial.
    Where it shares people with several there are no sets without all of them.
    """
    from rekindle.trial.files import published_trials

    known = left_out_trials()
    if trial.name in known:
        return trial.name, True
    akin = [one for one in published_trials() if one.name in known and related(trial, one)]
    # A trial that was not fitted may stand in a pool that was: known under its own name too.
    shared = [one.name for one in akin if one.use == "calibrate"] or [one.name for one in akin]
    if not shared:
        return trial.name, trial.use != "calibrate"
    return (shared[0], True) if len(shared) == 1 else (trial.name, False)


def plausible_settings(count: int, seed: int) -> dict[str, Array]:
    """Settings of the trial layer over their plausible ranges, as `setting.NAME`, shape (count,)."""
    found = {}
    for setting in settings().values():
        share = np.clip(normals(seed, "setting", setting.name, count=count) / TAIL, -1.0, 1.0)
        ends = np.where(share < 0.0, setting.value - setting.low, setting.high - setting.value)
        found[f"setting.{setting.name}"] = setting.value + ends * share
    return found


def _deviations(trial: Trial, values: Mapping[str, Array], count: int, seed: int) -> dict[str, Array]:
    """How this trial differs from the next under each set; a pool differs less, by the root of its number of trials."""
    found = {}
    for name, setting in DEVIATIONS.items():
        sd = np.broadcast_to(values.get(f"setting.{setting}", settings()[setting].value), (count,))
        luck = normals(seed, "between trials", trial.name, name, count=count)
        found[name] = np.asarray(sd * luck / np.sqrt(trial.trials))
    return found

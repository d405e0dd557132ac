"""What a calibration starts from: the trials that are fitted, the parameters that are shared, who shares patients.

The shared parameters are listed in `data/shared_parameters.csv`, most important first, as a screening ranked them
(`screening`); the list is part of the package so that a calibration can be made again without it. The two shifts of a
rater who guesses were not screened: they stand beside that of a rater who knows.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from rekindle.errors import InputError, unknown
from rekindle.inference.priors import Prior, candidates, prior_of
from rekindle.inference.screening import Screening
from rekindle.inference.targets import errors
from rekindle.inference.trials import TrialSimulator
from rekindle.mechanism.ensemble import made
from rekindle.mechanism.hypotheses import HYPOTHESES
from rekindle.trial.design import Trial
from rekindle.trial.files import published_trials

SHARED = Path(__file__).parent / "data" / "shared_parameters.csv"


STEEP = 6
"""How many of the most important parameters numbers may bend with more than a square does."""


@cache
def shared_names() -> tuple[str, ...]:
    """The parameters with which numbers may bend, most important first."""
    with SHARED.open(encoding="utf-8", newline="") as stream:
        return tuple(row["parameter"] for row in csv.DictReader(stream))


def shared_prior(count: int | None = None) -> Prior:
    """The prior of everything uncertain, numbers bending with the listed parameters only.

    With `count` only the first so many of the list are estimated, and those that trials differ in.
    """
    if count is not None:
        return prior_of(shared_names()[:count], steep=shared_names()[: min(count, STEEP)])
    return prior_of(shared_names(), straight=tuple(candidates()), steep=shared_names()[:STEEP])


NOT_FITTED = ("social-anxiety", "ptsd")
"""Conditions whose numbers no shared parameter moves: they are scored, and would only swell the misses here."""


def fitted_trials(without: Sequence[str] = ()) -> tuple[Trial, ...]:
    """The trials that are fitted: those of depression marked so that have a number to fit, less those in `without`.

    Raises:
        InputError: a name that is no such trial, or none is left.
    """
    trials = [
        trial for trial in published_trials("calibrate") if trial.scored and trial.enrolled.diagnosis not in NOT_FITTED
    ]
    for name in without:
        if name not in [trial.name for trial in trials]:
            raise unknown("trial of the calibration", name, [trial.name for trial in trials])
    left = tuple(trial for trial in trials if trial.name not in without)
    if not left:
        raise InputError("No trial is left to fit.")
    return left


def patient_groups(trials: Sequence[Trial]) -> dict[str, tuple[str, ...]]:
    """For each published trial the fitted ones to leave out when it is predicted: itself and those that share
    patients with it, by either file's word. Trials that share none with any fitted one are not listed."""
    fitted = {trial.name for trial in trials}
    every = {trial.name: trial for trial in (*published_trials(), *trials)}
    linked: dict[str, set[str]] = {name: {name} for name in every}
    for name, trial in every.items():
        for other in (*trial.overlaps, *trial.contains):
            linked[name].add(other)
            if other in linked:
                linked[other].add(name)
    groups = {name: tuple(sorted(others & fitted)) for name, others in linked.items()}
    return {name: members for name, members in groups.items() if members}


def ensemble_is_current() -> bool:
    """Whether the shipped ensemble was made with the model, the tables and the trial files as they are now.

    True as well where there is no ensemble, or one of before its trials were recorded.
    """
    recorded = made().get("inputs", {}).get("simulator")
    return recorded is None or recorded == TrialSimulator(fitted_trials(tuple(made_without()))).digest


def made_without() -> tuple[str, ...]:
    """The trials that were left out when the shipped ensemble was made and that are still fitted by default."""
    named = made().get("settings", {}).get("without", ())
    present = {trial.name for trial in fitted_trials()}
    return tuple(name for name in named if name in present)


def hypothesis_values(names: Sequence[str]) -> dict[str, float]:
    """Parameter values for hypotheses given as `name` (put in), `no-name` (taken out) or `name=0.5`.

    Raises:
        InputError: an unknown hypothesis, or a share outside 0 to 1.

    >>> hypothesis_values(["no-expectancy"])
    {'switch_expectancy': 0.0}
    """
    from rekindle.mechanism.hypotheses import switched

    choices: dict[str, float] = {}
    for text in names:
        name, equals, share = text.partition("=")
        off = name.startswith("no-") and name not in HYPOTHESES
        try:
            choices[name.removeprefix("no-") if off else name] = 0.0 if off else float(share) if equals else 1.0
        except ValueError:
            raise InputError(f"'{share}' is no share.", where=text, hint="Use a number from 0 to 1.") from None
    return switched(choices)


def screening_rows(screening: Screening, simulator: TrialSimulator) -> list[dict[str, object]]:
    """One row a parameter, most important first; importance is in units of the numbers' own errors and misses."""
    from rekindle.inference.priors import MISFIT

    targets = simulator.targets
    luck = simulator.luck({"care": np.zeros(1)}, people=100, seed=1)
    scale = np.hypot(errors(targets, luck), np.array([MISFIT[target.kind] for target in targets]))
    importance = screening.importance(targets, scale)
    order = np.argsort(-importance, kind="stable")
    return [{"parameter": screening.names[place], "importance": float(importance[place])} for place in order]

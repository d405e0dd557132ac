"""The predictive distribution of every published number of a trial: parameters, the trial itself, and its people.

Draws of a number under each parameter set: what is expected under it, the trial's own deviation, what the model is
known to miss (where the calibration says), and the luck of a trial of the published size; shares of people are drawn
as counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import SolverError
from rekindle.outcomes import SCALES
from rekindle.streams import generator
from rekindle.trial.design import Trial
from rekindle.trial.draws import Draws, draws
from rekindle.trial.moments import Moments, ScoredNumber, Simulator
from rekindle.trial.quantities import COUNTED as COUNTED

Array = NDArray[np.float64]
CROWDS = 4
"""Groups of people that take turns under the sets, so that an average over sets is over four times as many people."""

PER_SET = 8
"""Draws of luck under each parameter set."""


@dataclass(frozen=True)
class Predicted:
    """One trial predicted: `draws` has shape (draws, numbers) on the footing of `ScoredNumber.published`.

    `parts` holds, by number, the SD that parameters with the trial's deviation, and luck alone, make.
    """

    trial: Trial
    numbers: tuple[ScoredNumber, ...]
    draws: Array
    parts: Mapping[str, Array]
    source: str
    left_out: bool


def predict(
    trials: Sequence[Trial], *, sets: int, people: int, seed: int, leave_out: bool = True, threads: int | None = None,
    progress: object = None,
) -> list[Predicted]:  # fmt: skip
    """The predictive distributions of trials, each under its own sets.

    Raises:
        InputError: hardly anybody meets a trial's criteria, or too few sets.
        SolverError: too many people could not be solved.
    """
    found = []
    for place, trial in enumerate(trials):
        asked = draws(trial, sets, seed, leave_out=leave_out)
        moments = _in_crowds(trial, asked, sets, people, seed, threads)
        found.append(_predicted(trial, moments, asked, seed))
        if callable(progress):
            progress("predicting", place + 1, len(trials))
    return found


def _in_crowds(trial: Trial, asked: Draws, sets: int, people: int, seed: int, threads: int | None) -> Moments:
    """The expected numbers under all sets, every `CROWDS`-th set with the same people: few people stand for many."""
    parts = []
    for crowd in range(min(CROWDS, sets)):
        simulator = Simulator((trial,), people, seed + crowd, threads=threads)
        values, deviations = (
            {name: np.asarray(array)[crowd::CROWDS] for name, array in given.items()}
            for given in (asked.values, asked.deviations)
        )
        parts.append(simulator(values, {trial.name: deviations}))
    expected, luck = (np.empty((sets, len(parts[0].numbers))) for _ in range(2))
    for crowd, part in enumerate(parts):
        expected[crowd::CROWDS], luck[crowd::CROWDS] = part.expected, part.sampling_sd
    return Moments(parts[0].numbers, expected, luck, people)


def _predicted(trial: Trial, moments: Moments, asked: Draws, seed: int) -> Predicted:
    luck = generator(seed, "prediction", trial.name)
    columns, wide, narrow = [], [], []
    for place, number in enumerate(moments.numbers):
        expected, sampling_sd = _reached(number, moments.expected[:, place], moments.sampling_sd[:, place], luck)
        missed = _missed(number, expected, asked.misfit, luck)
        columns.append(_with_luck(number, missed, sampling_sd, luck))
        wide.append(float(np.std(missed)))
        narrow.append(float(np.sqrt(np.mean(sampling_sd**2))))
    shape = (len(moments.expected) * PER_SET, len(columns))
    drawn = np.stack(columns, axis=1) if columns else np.empty(shape)
    parts = {"parameters and trial": np.array(wide), "luck": np.array(narrow)}
    return Predicted(trial, moments.numbers, drawn, parts, asked.source, asked.left_out)


def _reached(
    number: ScoredNumber, expected: Array, sampling_sd: Array, luck: np.random.Generator
) -> tuple[Array, Array]:
    """Expected values and their luck, where sets under which nobody comes so far give way to others, drawn by chance.

    In a trial that goes on with those who are well, such a set says nothing about what became of them.

    Raises:
        SolverError: hardly any set lets anybody come so far.
    """
    there = np.flatnonzero(np.isfinite(expected) & np.isfinite(sampling_sd))
    if 4 * len(there) < len(expected):
        raise SolverError(
            f"Too few parameter sets give '{number.record}' of {number.trial}: {len(there)} of {len(expected)}."
        )
    rows = np.arange(len(expected))
    away = np.setdiff1d(rows, there)
    rows[away] = luck.choice(there, size=len(away))
    return expected[rows], sampling_sd[rows]


def _missed(number: ScoredNumber, expected: Array, misfit: Mapping[str, Array], luck: np.random.Generator) -> Array:
    """The expected values with the model's known misfit of that kind of number added."""
    kind = misfit_kind(number)
    if kind not in misfit:
        return expected
    noise = np.asarray(misfit[kind]) * luck.standard_normal(len(expected))
    if kind == "share":
        share = np.clip(expected / 100.0, 1e-3, 1.0 - 1e-3)
        odds = share / (1.0 - share) * np.exp(noise)
        return np.asarray(100.0 * odds / (1.0 + odds))
    if kind == "points":
        return np.asarray(expected + noise * span_of(number) / 100.0)
    if kind in ("spread", "time") and not number.logarithm:
        return np.asarray(expected * np.exp(noise))
    return np.asarray(expected + noise * (100.0 if number.unit == "%" else 1.0))


KIND_OF: Mapping[str, str] = {
    "standard_deviation": "spread",
    "sessions_to_response": "time",
    "time_to_relapse": "time",
    "number_needed": "time",
    "correlation": "correlation",
    "standardised_difference": "effect size",
    "within_group_d": "effect size",
    "percent_change": "effect size",
    "share_of_change": "effect size",
    "share_of_difference": "effect size",
    "risk_difference": "effect size",
}


def misfit_kind(number: ScoredNumber) -> str:
    """Which sort of number it is for the calibration: points, share, spread, ratio, time, effect size, correlation."""
    if number.quantity in KIND_OF:
        return KIND_OF[number.quantity]
    if number.logarithm:
        return "ratio"
    return "share" if number.unit == "%" else "points"


def span_of(number: ScoredNumber) -> float:
    """Points from one end of the number's scale to the other."""
    scale = SCALES.get(number.scale)
    return 100.0 if scale is None else float(scale.maximum - scale.minimum)


def _with_luck(number: ScoredNumber, expected: Array, sd: Array, luck: np.random.Generator) -> Array:
    center = np.repeat(expected, PER_SET)
    if number.quantity in COUNTED and number.unit == "%":
        n = max(1, round(number.n[0]))
        counted = luck.binomial(n, np.clip(center / 100.0, 0.0, 1.0))
        # Spread over the width of one person, so that quantiles do not jump.
        smooth = (counted + luck.uniform(-0.5, 0.5, len(counted))) / n
        return np.asarray(100.0 * np.clip(smooth, 0.0, 1.0))
    return np.asarray(center + np.repeat(sd, PER_SET) * luck.standard_normal(len(center)))

"""Which uncertain parameters moved the answer most, read from the repeats: no further run is needed.

Every repeat has its own plausible values of all uncertain parameters. The repeat's average answer is regressed on
where each value lies in its range (-1 its low end, 0 its value, 1 its high end). With fewer repeats than parameters a
plain regression has no answer, so the slopes are shrunk towards zero: ridge regression, equivalently independent
normal slopes of one common variance, whose size relative to the noise maximises the marginal likelihood (MacKay 1992,
doi:10.1162/neco.1992.4.3.415). Effects are the slopes at the ends of the ranges, so they are straight-line readings
and, when repeats are few, too small rather than too large.
"""

from __future__ import annotations

import numpy as np

from rekindle.mechanism.parameters import Parameter
from rekindle.mechanism.plausible import plausible_values, uncertain_parameters
from rekindle.outcomes import SCALES
from rekindle.report.from_trajectories.bands import Array
from rekindle.report.from_trajectories.course import MAIN, mean_change
from rekindle.report.from_trajectories.grades import weakest
from rekindle.report.from_trajectories.sample import Sample
from rekindle.report.material import Driver, Drivers
from rekindle.report.numerals import brief, plain, when

SHOWN = 8
FEWEST = 8
"""Repeats below which no parameter can be told from luck."""

RATIOS = np.geomspace(1e-4, 1e2, 61)
"""Variances of a slope, relative to the noise, that are tried."""


def drivers(sample: Sample) -> Drivers | None:
    """The parameters that move the change of the MADRS most in the active arm; None where repeats are too few."""
    if not sample.repeated or sample.count < FEWEST or not sample.has(MAIN):
        return None
    parameters = uncertain_parameters()
    values = plausible_values(sample.study.studies, sample.seed)
    places = np.column_stack([position(parameter, values[parameter.name]) for parameter in parameters])
    _, draws = mean_change(sample, SCALES[MAIN], sample.end_h)
    slopes = shrunk_slopes(places, draws(sample.active.name))
    order = np.argsort(-np.abs(slopes), kind="stable")[:SHOWN]
    rows = tuple(_driver(parameters[index], float(slopes[index])) for index in order if slopes[index] != 0.0)
    where = f"{when(sample.end_h)} on {sample.active.name}"
    answer = f"the change of the MADRS at {where}, read from {sample.count} repeats"
    return Drivers(answer, "points", rows)


def position(parameter: Parameter, values: Array) -> Array:
    """Where values lie in a parameter's range: -1 at its low end, 0 at its value, 1 at its high end."""
    value, low, high = parameter.value, parameter.low, parameter.high
    if low > 0.0:
        value, low, high = (float(np.log(number)) for number in (value, low, high))
        values = np.log(values)
    below, above = value - low, high - value
    down = (values - value) / below if below > 0 else np.zeros_like(values)
    up = (values - value) / above if above > 0 else np.zeros_like(values)
    return np.where(values < value, down, up)


def shrunk_slopes(places: Array, answers: Array) -> Array:
    """Ridge slopes of answers (repeats) on places (repeats x parameters), in the answer's unit per half range."""
    inputs = places - places.mean(axis=0)
    target = answers - answers.mean()
    if not np.any(target):
        return np.zeros(places.shape[1])
    left, strength, right = np.linalg.svd(inputs, full_matrices=False)
    kept = strength > 1e-9 * strength.max()
    left, strength, right = left[:, kept], strength[kept], right[kept]
    seen = left.T @ target
    rest = float(target @ target - seen @ seen)
    ratio = max(RATIOS, key=lambda each: _evidence(float(each), strength, seen, max(rest, 0.0), len(target)))
    return np.asarray(right.T @ (seen * strength * ratio / (1.0 + ratio * strength**2)))


def _evidence(ratio: float, strength: Array, seen: Array, rest: float, count: int) -> float:
    """Log marginal likelihood of the ratio of the slopes' variance to the noise, the noise itself at its best."""
    spread = 1.0 + ratio * strength**2
    size = (float(np.sum(seen**2 / spread)) + rest) / (count - 1)
    return -0.5 * (float(np.sum(np.log(spread))) + (count - 1) * float(np.log(max(size, 1e-300))))


def _driver(parameter: Parameter, slope: float) -> Driver:
    unit = "" if parameter.unit == "1" else f" {parameter.unit}"
    words = f"{brief(parameter.low)} to {brief(parameter.high)}{unit}"
    meaning = parameter.meaning[:1].upper() + parameter.meaning[1:]
    return Driver(parameter.name, meaning, weakest([parameter.name]), -slope, slope, words)


def few_repeats_words(sample: Sample) -> str:
    """What a reader must know of the number of repeats; empty where there are enough."""
    if not sample.repeated:
        return (
            "No repeated studies were run: ranges show the luck of who takes part, nothing about the parameters, "
            "and what the answer hangs on cannot be told."
        )
    count = len(uncertain_parameters())
    if sample.count < FEWEST:
        return f"Only {plain(sample.count)} repeated studies: ranges are rough, and its causes are not told."
    if sample.count < count:
        return (
            f"{plain(sample.count)} repeated studies for {plain(count)} uncertain parameters: which of them the answer "
            "hangs on is a rough ranking, its effects shrunk towards zero."
        )
    return ""

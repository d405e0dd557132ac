"""Which uncertain parameters moved the answer most, read from the repeats: no further run is needed.

Every repeat carries its own draw of all that is uncertain: parameters, how far people differ in them (`spread.NAME`),
the load from outside in people's lives. The repeat's average answer is regressed on where each value lies in its range
(-1 its low end, 0 its middle, 1 its high end): the middle nine tenths of the calibrated ensemble, for what the trials
say nothing about the plausible range. Draws of the ensemble are joint: where two trade off, the one that explains more
stands for both. With fewer repeats than parameters a plain regression has no answer, so it is done in two parts.
Parameters enter one by one, the one that explains most first, as long as luck would make the best of all those tried
do as well less than once in twenty (Bonferroni): those can be told from luck. The others keep their single slopes on
what is left, shrunk by how far such slopes spread beyond their own errors. Slopes that entered are shrunk too (James
and Stein), because the largest of many is too large. Effects are the slopes at the ends of the ranges: straight-line
readings. Parameters that cannot act on the answer in this arm (`acting`) are left out beforehand.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from rekindle.equations import drawn_values, equations_of
from rekindle.life import changes_h
from rekindle.mechanism.ensemble import LIFE, SPREAD, draws, known_draw
from rekindle.mechanism.parameters import Parameter, parameter_table
from rekindle.mechanism.plausible import uncertain_parameters
from rekindle.models import OUR_MODEL
from rekindle.outcomes import SCALES
from rekindle.population import variability
from rekindle.report.from_trajectories.acting import acting_parameters
from rekindle.report.from_trajectories.bands import Array
from rekindle.report.from_trajectories.course import MAIN, mean_change
from rekindle.report.from_trajectories.grades import ORDER
from rekindle.report.from_trajectories.sample import Sample
from rekindle.report.material import Driver, Drivers
from rekindle.report.numerals import plain, when

SHOWN = 8
LUCK = 0.05
"""The largest chance that luck alone lets a parameter enter, over all that are tried at a step."""

FEWEST = 8
"""Repeats below which no parameter can be told from luck."""

RANGES = (
    "Range: the middle nine tenths of the calibrated ensemble, or what is plausible where the trials say nothing. "
    "Parameters that trade off share their effect."
)
PLAUSIBLE = "Range: what is plausible for each parameter by itself."


def drivers(sample: Sample) -> Drivers | None:
    """The parameters that move the active arm's MADRS most, by its change from the start.

    None where repeats are too few, or cannot tell a single parameter from luck.
    """
    if not sample.repeated or sample.count < FEWEST:
        return None
    parameters = candidates(sample)
    if not parameters:
        return None
    equations = equations_of(None, calibrated=sample.trajectories.calibrated)
    values = drawn_values(equations, sample.study.studies, sample.seed)
    places = np.column_stack([position(parameter, values[parameter.name]) for parameter in parameters])
    _, of_repeats = mean_change(sample, SCALES[MAIN], sample.end_h)
    slopes, entered = shrunk_slopes(places, of_repeats(sample.active.name))
    if not entered:
        return None
    order = np.argsort(-np.abs(slopes), kind="stable")[:SHOWN]
    rows = tuple(_driver(parameters[index], float(slopes[index])) for index in order if slopes[index] != 0.0)
    where = f"{when(sample.end_h)} on {sample.active.name}"
    answer = f"the {MAIN} total at {where} ({sample.count} repeats tell {len(entered)} of these from luck)"
    return Drivers(answer, "points", rows, RANGES if sample.trajectories.calibrated else PLAUSIBLE)


def candidates(sample: Sample) -> tuple[Parameter, ...]:
    """What is uncertain and can act on the MADRS in the active arm; none for a model that is not ours.

    Values that the user gave are not among them. In a calibrated run `low`, `value` and `high` are those of the
    ensemble, and how far people differ, and the load from outside, stand beside the parameters.
    """
    ours = sample.trajectories.solver.get("model", OUR_MODEL) == OUR_MODEL
    if not ours or not sample.has(MAIN):
        return ()
    if ("acting",) not in sample.kept:
        acting = acting_parameters(sample, sample.active, SCALES[MAIN].latents)
        given = sample.trajectories.solver.get("changed", {})
        found = [each for each in uncertain_parameters() if each.name in acting and each.name not in given]
        if sample.trajectories.calibrated:
            found = [as_drawn(each) for each in (*found, *_between_people(acting), *_life(sample))]
        sample.kept["acting",] = tuple(found)
    kept: tuple[Parameter, ...] = sample.kept["acting",]
    return kept


def as_drawn(parameter: Parameter) -> Parameter:
    """The parameter with the middle and the middle nine tenths of the ensemble; unchanged where it does not say."""
    if parameter.name not in draws():
        return parameter
    low, middle, high = np.quantile(known_draw(parameter.name), (0.05, 0.5, 0.95)).tolist()
    return replace(parameter, low=low, value=middle, high=high)


def _between_people(acting: Collection[str]) -> list[Parameter]:
    """How far people differ in the parameters that act, where the ensemble says it."""
    table = parameter_table()
    return [
        Parameter(f"{SPREAD}{one.parameter}", one.sd, "1", one.sd, one.sd, one.grade, one.record, one.reason,
                  f"how far people differ: {table[one.parameter].meaning}", "")
        for one in variability()
        if one.parameter in acting and f"{SPREAD}{one.parameter}" in draws()
    ]  # fmt: skip


def _life(sample: Sample) -> list[Parameter]:
    """The load from outside that comes and goes, where a study has it."""
    if not sample.study.life or LIFE not in draws() or not changes_h(sample.end_h):
        return []
    meaning = "load from outside that comes and goes in people's lives"
    return [Parameter(LIFE, 0.0, "1", 0.0, 0.0, "assumed", "", "fitted with the trials", meaning, "mood")]


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


def shrunk_slopes(places: Array, answers: Array) -> tuple[Array, list[int]]:
    """Slopes of answers (repeats) on places (repeats x parameters), in the answer's unit per half range.

    Also the columns that can be told from luck, in the order in which they entered.
    """
    inputs = places - places.mean(axis=0)
    target = answers - answers.mean()
    slopes = np.zeros(inputs.shape[1])
    if float(target @ target) <= 0.0:
        return slopes, []
    chosen = told_from_luck(inputs, target)
    rest, left = inputs, target
    if chosen:
        picked = inputs[:, chosen]
        joint = np.linalg.lstsq(picked, target, rcond=None)[0]
        basis, _ = np.linalg.qr(picked)
        rest, left = inputs - basis @ (basis.T @ inputs), target - picked @ joint
        spare = max(len(target) - len(chosen) - 1, 1)
        errors = float(left @ left) / spare * np.diag(np.linalg.pinv(picked.T @ picked))
        slopes[chosen] = joint * np.maximum(0.0, 1.0 - errors / np.maximum(joint**2, 1e-300))
    others = np.setdiff1d(np.arange(inputs.shape[1]), chosen)
    slopes[others] = _single_slopes(rest[:, others], left, len(chosen))
    return slopes, chosen


def told_from_luck(inputs: Array, target: Array) -> list[int]:
    """Columns that enter, in order, while the best of those left is unlikely to be luck; all are centred."""
    from scipy.special import stdtr

    count, width = inputs.shape
    chosen: list[int] = []
    rest, left = inputs.copy(), target.copy()
    lengths = np.einsum("ij,ij->j", inputs, inputs)
    while len(chosen) < min(SHOWN, count // 4, width):
        sizes = np.einsum("ij,ij->j", rest, rest)
        usable = sizes > 1e-9 * np.maximum(lengths, 1e-300)
        gains = np.where(usable, (rest.T @ left) ** 2 / np.where(usable, sizes, 1.0), 0.0)
        place = int(np.argmax(gains))
        spare = count - len(chosen) - 2
        remaining = max(float(left @ left) - float(gains[place]), 1e-12 * float(target @ target))
        ratio = np.sqrt(float(gains[place]) * spare / remaining)
        if 2.0 * float(stdtr(spare, -ratio)) * (width - len(chosen)) > LUCK:
            break
        chosen.append(place)
        direction = rest[:, place] / np.sqrt(sizes[place])
        left = left - direction * float(direction @ left)
        rest = rest - np.outer(direction, direction @ rest)
    return chosen


def _single_slopes(inputs: Array, target: Array, entered: int) -> Array:
    """Slopes one at a time, shrunk by how far they spread beyond their errors; zero when they do not."""
    sizes = np.maximum(np.einsum("ij,ij->j", inputs, inputs), 1e-12)
    slopes = inputs.T @ target / sizes
    spare = max(len(target) - entered - 2, 1)
    errors = np.maximum(float(target @ target) - slopes**2 * sizes, 0.0) / spare / sizes
    spread = max(0.0, float(np.mean(slopes**2 - errors))) if len(slopes) else 0.0
    return np.asarray(slopes * spread / (spread + np.maximum(errors, 1e-300)))


def _driver(parameter: Parameter, slope: float) -> Driver:
    unit = "" if parameter.unit == "1" else f" {parameter.unit}"
    words = f"{parameter.low:.3g} to {parameter.high:.3g}{unit}"
    meaning = parameter.meaning[:1].upper() + parameter.meaning[1:]
    grade = next(each for each in ORDER if each == parameter.grade)
    return Driver(parameter.name, meaning, grade, -slope, slope, words)


def few_repeats_words(sample: Sample, mattered: Drivers | None) -> str:
    """What a reader must know of the number of repeats; empty where there are enough."""
    if not sample.repeated:
        return (
            "No repeated studies were run: ranges show the luck of who takes part, nothing about the parameters, "
            "and what the answer hangs on cannot be told."
        )
    count = len(candidates(sample))
    if sample.count < FEWEST:
        return f"Only {plain(sample.count)} repeated studies: ranges are rough, and its causes are not told."
    if count and mattered is None:
        return (
            f"{plain(sample.count)} repeated studies cannot tell which of the {plain(count)} uncertain parameters that "
            "can act the answer hangs on."
        )
    if sample.count < count:
        return (
            f"{plain(sample.count)} repeated studies for {plain(count)} uncertain parameters that can act: which of "
            "them the answer hangs on is a rough ranking, their effects shrunk towards zero."
        )
    return ""

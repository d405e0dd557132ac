"""The calibration trials as the sampler's simulator: their scored numbers, expected under any parameters.

Numbers of one trial are of the same people, so their luck goes together: two numbers share as much as their arms
do (a difference is its first arm less its second), less when they are of other times or other quantities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError
from rekindle.inference.targets import Luck, Target
from rekindle.mechanism.assemble import antimony_text
from rekindle.mechanism.parameters import parameter_table
from rekindle.outcomes import SCALES
from rekindle.population import variability
from rekindle.provenance import digest
from rekindle.trial.compare import WITHIN
from rekindle.trial.design import Trial
from rekindle.trial.moments import ScoredNumber, Simulator, scored_numbers
from rekindle.trial.words import settings

Array = NDArray[np.float64]

KIND_OF: Mapping[str, str] = {
    "standard_deviation": "spread",
    "time_to_relapse": "time",
    "sessions_to_response": "time",
    "number_needed": "time",
    "correlation": "correlation",
    "standardised_difference": "effect size",
    "within_group_d": "effect size",
    "share_of_change": "effect size",
    "risk_difference": "effect size",
}
OTHER_QUANTITY, OTHER_TIME = 0.9, 0.8
"""How much of their luck two numbers of the same people share when they are of other quantities or other times."""


def kind_of(number: ScoredNumber) -> str:
    """The kind of target that a published number is."""
    if number.quantity in KIND_OF:
        return KIND_OF[number.quantity]
    if number.logarithm:
        return "ratio"
    if number.unit == "%":
        return "effect size" if number.quantity in ("percent_change", "share_of_difference") else "share"
    return "points"


def target_of(number: ScoredNumber) -> Target:
    """A published number on the scale of the likelihood, its standard error carried over."""
    kind = kind_of(number)
    people = float(sum(number.n)) if number.n else 30.0
    scale = SCALES.get(number.scale)
    span = 100.0 if scale is None else float(scale.maximum - scale.minimum)
    natural = _natural(number, kind)(np.array([number.published]))[0]
    bare = Target("", number.trial, kind, float(natural), people=max(people, 2.0), span=span)
    error = float("nan")
    if number.standard_error is not None and np.isfinite(number.standard_error):
        error = number.standard_error * (1.0 if number.logarithm else _unit(number) * bare.slope(bare.value))
    name = number.record or f"number {number.index}"
    return Target(
        f"{number.trial}/{name}/{number.quantity}", number.trial, kind, float(natural), error, bare.people, span,
        number.label,
    )  # fmt: skip


def _natural(number: ScoredNumber, kind: str) -> Any:
    """From the trial layer's footing to the natural unit of a target: shares from per cent, ratios from logarithms."""
    if kind == "share":
        return lambda x: x / 100.0
    if number.logarithm:
        return np.exp
    if kind == "effect size" and number.unit == "%":
        return lambda x: x / 100.0
    return lambda x: x


def _unit(number: ScoredNumber) -> float:
    return 0.01 if number.unit == "%" else 1.0


@dataclass
class TrialSimulator:
    """Trials as an `inference.targets.Simulator`; `sets_at_once` sets go into one call of the solver.

    Raises:
        InputError: no trial has a number that is compared.
    """

    trials: Sequence[Trial]
    threads: int | None = None
    sets_at_once: int = 64
    _digest: str = ""
    _numbers: tuple[ScoredNumber, ...] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        self.trials = tuple(trial for trial in self.trials if trial.scored)
        self._numbers = scored_numbers(self.trials)
        if not self._numbers:
            raise InputError("No trial has a number to fit.")

    @property
    def numbers(self) -> tuple[ScoredNumber, ...]:
        """The published numbers as the trial layer has them."""
        return self._numbers

    @property
    def targets(self) -> tuple[Target, ...]:
        """The published numbers as the likelihood has them."""
        return tuple(target_of(number) for number in self._numbers)

    @property
    def digest(self) -> str:
        """Of the model, its tables and the trials' files, wherever these lie."""
        if not self._digest:
            table = [(p.name, p.value, p.low, p.high) for p in parameter_table().values()]
            spreads = [(v.parameter, v.kind, v.sd, dict(v.correlations)) for v in variability()]
            own = [(name, s.value, s.low, s.high) for name, s in settings().items()]
            texts = [f"{trial.name}\n{trial.text}" for trial in self.trials]
            self._digest = digest(antimony_text(), repr(table), repr(spreads), repr(own), *texts)
        return self._digest

    def expected(self, values: Mapping[str, Array], *, people: int, seed: int) -> Array:
        """Expected numbers on the scale of the targets, shape (sets, targets)."""
        simulator = self._simulator(people, seed)
        count = len(next(iter(values.values())))
        parts = [
            simulator({name: array[begin : begin + self.sets_at_once] for name, array in values.items()}).expected
            for begin in range(0, count, self.sets_at_once)
        ]
        return self._transformed(np.concatenate(parts))

    def luck(self, values: Mapping[str, Array], *, people: int, seed: int) -> Luck:
        """Luck of trials of the published sizes, on the scale of the targets."""
        found = self._simulator(people, seed)(values)
        expected, sd = found.expected[0], found.sampling_sd[0]
        targets = self.targets
        scaled = np.empty(len(sd))
        for place, (number, target) in enumerate(zip(self._numbers, targets, strict=True)):
            natural = float(_natural(number, target.kind)(np.array([expected[place]]))[0])
            scaled[place] = sd[place] * (1.0 if number.logarithm else _unit(number) * target.slope(natural))
        return Luck(np.abs(scaled), together(self._numbers))

    def _simulator(self, people: int, seed: int) -> Simulator:
        return Simulator(tuple(self.trials), people, seed, threads=self.threads)

    def _transformed(self, expected: Array) -> Array:
        columns = [
            target.transformed(_natural(number, target.kind)(expected[:, place]))
            for place, (number, target) in enumerate(zip(self._numbers, self.targets, strict=True))
        ]
        return np.stack(columns, axis=1)


APART = ("standard_deviation", "correlation", "class_share", "class_mean")
"""Quantities whose luck goes with that of no other quantity."""


def together(numbers: Sequence[ScoredNumber]) -> Array:
    """How the luck of numbers goes together, shape (numbers, numbers): a correlation, zero between trials.

    Two numbers are of the same people as far as their arms are: a difference is its first arm less its second, and the
    arms of a crossover are the same people. Shares of people in different classes exclude one another.
    """
    arms = sorted({(number.trial, arm) for number in numbers for arm in number.arms})
    loads = np.zeros((len(numbers), len(arms)))
    for row, number in enumerate(numbers):
        for place, arm in enumerate(number.arms):
            count = number.n[place] if place < len(number.n) and number.n[place] else 30.0
            sign = 1.0 if place == 0 else -1.0
            loads[row, arms.index((number.trial, arm))] = number.direction * sign / np.sqrt(count)
    crossovers = {number.trial for number in numbers if number.within}
    people = np.array(
        [[1.0 if one == other else WITHIN if one[0] == other[0] and one[0] in crossovers else 0.0 for other in arms]
         for one in arms]
    )  # fmt: skip
    same = loads @ people @ loads.T
    size = np.sqrt(np.maximum(np.diag(same), 1e-24))
    same /= np.outer(size, size)
    quantity = np.array([number.quantity for number in numbers])
    hour = np.array([number.time_h if number.time_h is not None else -1.0 for number in numbers])
    same *= np.where(quantity[:, None] == quantity, 1.0, OTHER_QUANTITY)
    same *= np.where(hour[:, None] == hour, 1.0, OTHER_TIME)
    for alone in APART:
        own = quantity == alone
        same[own[:, None] != own] = 0.0
    same = np.where(_classes_apart(numbers), _exclusive(numbers) * (same != 0.0), same)
    np.fill_diagonal(same, 1.0)
    return np.asarray(same)


def _classes_apart(numbers: Sequence[ScoredNumber]) -> NDArray[np.bool_]:
    part = np.array([number.part for number in numbers])
    classed = part != ""
    return np.asarray(classed[:, None] & classed & (part[:, None] != part))


def _exclusive(numbers: Sequence[ScoredNumber]) -> Array:
    """Correlation of two shares of the same people in classes that exclude one another; zero for other numbers."""
    share = np.array([number.published / 100.0 if number.quantity == "class_share" else 0.0 for number in numbers])
    odds = np.sqrt(np.clip(share, 0.0, 0.99) / (1.0 - np.clip(share, 0.0, 0.99)))
    return -np.minimum(np.outer(odds, odds), 1.0)

"""Trials simple enough that the answer is known: a few numbers that depend on three made-up parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rekindle.inference.priors import Prior, TrialEffect
from rekindle.inference.targets import Luck, Target
from rekindle.mechanism.parameters import Parameter

Array = NDArray[np.float64]


def parameter(name: str, grade: str = "human") -> Parameter:
    return Parameter(name, 1.0, "1", 0.5, 2.0, grade, "", "made up", name, "toy")


BETWEEN = TrialEffect("gain", ("gain",), 0.15, 0.3, "setting.trial_gain")


def toy_prior(*, sizes: bool = True) -> Prior:
    """Three parameters between a half and two; with `sizes` trials differ in `gain` and every number is missed."""
    parameters = (parameter("gain"), parameter("fade", "assumed"), parameter("idle", "assumed"))
    return Prior(parameters, (BETWEEN,) if sizes else (), {"points": 1.0} if sizes else {})


@dataclass
class ToyTrials:
    """Falls of points after a dose: `trials` trials of `visits` visits; the luck of `people` averages out."""

    trials: int = 6
    visits: int = 3
    noise: float = 0.0
    calls: list[int] = field(default_factory=list)
    version: str = "1"
    truth: Mapping[str, float] = field(default_factory=lambda: {"gain": 1.2, "fade": 0.8})

    @property
    def targets(self) -> tuple[Target, ...]:
        names = [(f"t{trial}", visit) for trial in range(self.trials) for visit in range(self.visits)]
        values = self._mean({name: np.array([value]) for name, value in self.truth.items()})[0]
        return tuple(
            Target(f"{name}/{visit}", name, "points", float(value) * 0.6, span=60.0)
            for (name, visit), value in zip(names, values, strict=True)
        )

    @property
    def digest(self) -> str:
        return f"toy {self.version}"

    def expected(self, values: Mapping[str, Array], *, people: int, seed: int) -> Array:
        self.calls.append(seed)
        mean = self._mean(values)
        random = np.random.default_rng(seed % 2**32)
        return mean + self.noise / np.sqrt(people) * random.standard_normal(mean.shape[1])

    def luck(self, values: Mapping[str, Array], *, people: int, seed: int) -> Luck:
        count = self.trials * self.visits
        same = np.kron(np.eye(self.trials), np.full((self.visits, self.visits), 0.5) + 0.5 * np.eye(self.visits))
        return Luck(np.full(count, 1.5), same)

    def _mean(self, values: Mapping[str, Array]) -> Array:
        gain = np.log(np.asarray(values["gain"], dtype=np.float64))[:, None]
        fade = np.log(np.asarray(values.get("fade", np.ones(len(gain))), dtype=np.float64))[:, None]
        dose = np.repeat(np.linspace(0.5, 2.0, self.trials), self.visits)
        week = np.tile(np.arange(self.visits), self.trials)
        return np.asarray(-10.0 * dose * (1.0 + gain + 0.3 * gain**2) + 4.0 * week * (1.0 + fade))

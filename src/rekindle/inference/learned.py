"""What a person's data said of each thing that differs between people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.inference.candidates import Candidates, luck_names

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Learned:
    """What the data said of one thing that differs between people: its mean and spread after, in units of the spread
    before, when it had mean 0 and spread 1."""

    name: str
    mean: float
    spread: float

    @property
    def information(self) -> float:
        """Nats by which the data moved it (Kullback-Leibler divergence of normals)."""
        return 0.5 * (self.spread**2 + self.mean**2 - 1.0) - float(np.log(self.spread))


def learned_of(candidates: Candidates, weights: Array) -> tuple[Learned, ...]:
    """Every random effect and the severity at the start, those that the data moved most first."""
    means = weights @ candidates.luck
    spreads = np.sqrt(np.maximum(weights @ candidates.luck**2 - means**2, 1e-12))
    found = [
        Learned(name, float(mean), float(spread))
        for name, mean, spread in zip(luck_names(), means, spreads, strict=True)
    ]
    return tuple(sorted(found, key=lambda each: -each.information))

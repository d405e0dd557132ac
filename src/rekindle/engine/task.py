"""What a backend is given, and how it says that a person could not be solved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.lower import Lowered
from rekindle.engine.schedule import Segments

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Failure:
    """A person (position among the people) who could not be solved, and why."""

    person: int
    reason: str


@dataclass(frozen=True)
class Task:
    """What a backend is given: `segments[which[i]]` is person i's; rows are (people, parameters).

    `scale` is a typical size of every state, shape (states,).
    """

    lowered: Lowered
    rows: Floats
    segments: tuple[Segments, ...]
    which: NDArray[np.int64]
    outputs: tuple[str, ...]
    relative_tolerance: float
    threads: int
    scale: Floats
    progress: Progress | None = None

    def empty(self) -> Floats:
        """An array of NaN for the outputs, shape (people, times, outputs)."""
        longest = max(len(self.segments[w].times) for w in set(self.which.tolist()))
        return np.full((len(self.rows), longest, len(self.outputs)), np.nan)

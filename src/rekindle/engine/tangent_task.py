"""What a solver of sensitivities is given."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.schedule import Schedule
from rekindle.engine.tangent_directions import Direction, EventTangents
from rekindle.engine.task import Task


@dataclass(frozen=True)
class TangentTask:
    """A task and the directions to differentiate to.

    `schedules` and `events` go with the task's `segments`; `moving` are positions in the full parameter row.
    """

    task: Task
    schedules: tuple[Schedule, ...]
    directions: tuple[Direction, ...]
    moving: tuple[int, ...]
    events: tuple[EventTangents, ...]

    def empty(self) -> NDArray[np.float64]:
        """An array of NaN for the derivatives, shape (people, times, outputs, directions)."""
        return np.full((*self.task.empty().shape, len(self.directions)), np.nan)

    def take(self, people: NDArray[np.int64], *, relative_tolerance: float | None = None) -> TangentTask:
        """The same for some of the people, by position, and at another tolerance where one is given."""
        rest = self.task.take(people)
        if relative_tolerance is not None:
            rest = replace(rest, relative_tolerance=relative_tolerance)
        return replace(self, task=rest)

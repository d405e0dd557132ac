"""What a solver of sensitivities is given."""

from __future__ import annotations

from dataclasses import dataclass

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

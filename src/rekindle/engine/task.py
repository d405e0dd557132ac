"""What a backend is given, and how it says that a person could not be solved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.lower import Lowered
from rekindle.engine.schedule import Segments
from rekindle.engine.table import SegmentTable

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Failure:
    """A person (position among the people) who could not be solved, and why."""

    person: int
    reason: str


@dataclass(frozen=True)
class Standing:
    """Where people stand at one moment, so that a solver can go on from there.

    `states` and `largest` (the largest size each state has had) have shape (people, states). `steps`, shape
    (people, 2), are the solver's next step and the one to take after a change, hours; 0 where it has none. What
    is being infused and what was set is no part of it: that is in the schedule that goes on.
    """

    states: Floats
    largest: Floats
    steps: Floats

    @classmethod
    def empty(cls, people: int, states: int) -> Standing:
        """Room for so many people: NaN, no steps."""
        return cls(np.full((people, states), np.nan), np.zeros((people, states)), np.zeros((people, 2)))

    def __len__(self) -> int:
        return len(self.states)

    def take(self, people: NDArray[np.int64]) -> Standing:
        """Some of the people, by position."""
        return Standing(self.states[people], self.largest[people], self.steps[people])

    def put(self, people: NDArray[np.int64], other: Standing) -> None:
        """Replace some of the people, by position."""
        self.states[people], self.largest[people], self.steps[people] = other.states, other.largest, other.steps


@dataclass(frozen=True)
class Task:
    """What a backend is given: `segments[which[i]]` is person i's; rows are (people, parameters).

    `scale` is a typical size of every state, shape (states,). With `begin` people go on from where they stood
    instead of from the model's starting values; `end`, when given, is filled with where they stand after the
    last segment (NaN for those who cannot be solved). `chunk` is how many people a backend that works in chunks
    takes side by side; None for its own choice. With `by_output` each output's numbers are to lie side by side in
    memory; what they are is the same.
    """

    lowered: Lowered
    rows: Floats
    segments: Sequence[Segments]
    which: NDArray[np.int64]
    outputs: tuple[str, ...]
    relative_tolerance: float
    threads: int
    scale: Floats
    progress: Progress | None = None
    begin: Standing | None = None
    end: Standing | None = None
    chunk: int | None = None
    by_output: bool = False

    def take(self, people: NDArray[np.int64]) -> Task:
        """The same for some of the people, by position; with room of its own for where they end."""
        return replace(
            self,
            rows=self.rows[people],
            which=self.which[people],
            progress=None,
            begin=None if self.begin is None else self.begin.take(people),
            end=None if self.end is None else Standing.empty(len(people), len(self.scale)),
        )

    @property
    def longest(self) -> int:
        """The most times that anybody is looked at."""
        if isinstance(self.segments, SegmentTable):
            return int(self.segments.counts[self.which].max(initial=0))
        return max(len(self.segments[w].times) for w in set(self.which.tolist()))

    def empty(self) -> Floats:
        """An array of NaN for the outputs, shape (people, times, outputs)."""
        return np.full((len(self.rows), self.longest, len(self.outputs)), np.nan)

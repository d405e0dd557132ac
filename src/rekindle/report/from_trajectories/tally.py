"""What a report needs to know of each person of a large study, slice by slice, while it is being solved.

The functions that give a report its numbers are called on the slice and what they would average is written down
under the name by which they will look for it, so that nothing is defined twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.report.from_trajectories import chain, endpoints, exposure, harms, people
from rekindle.report.from_trajectories import session as hours
from rekindle.report.from_trajectories.course import MAIN
from rekindle.report.from_trajectories.sample import Array, Index, Sample
from rekindle.study import Arm, Study

if TYPE_CHECKING:
    from rekindle.large import Slice


@dataclass(frozen=True)
class SliceSample(Sample):
    """Some people of a large study, each solved in every arm; what is averaged over them is written down."""

    looked: Slice
    found: dict[tuple[str, str], Array] = field(default_factory=dict)

    @property
    def study(self) -> Study:
        """The study that was asked for."""
        return self.looked.study

    @property
    def summary(self) -> None:
        """A slice is held whole."""
        return

    @cached_property
    def times_h(self) -> Array:
        """Hours at which the people are followed."""
        return self.looked.times_h

    @cached_property
    def visits_h(self) -> Array:
        """Hours of the rating visits."""
        return self.looked.visits_h

    @cached_property
    def solved(self) -> Index:
        """Numbers of the people within the slice."""
        return np.arange(len(self.looked.cohort))

    def has(self, *names: str) -> bool:
        """Whether the slice holds these outputs or scales."""
        arm = self.arms[0].name
        return all(
            (name, arm) in self.looked.courses or (name == "MADRS items" and self.looked.items) for name in names
        )

    def people(self, name: str, arm: str) -> Array:
        """An output or a scale's expected total, shape people x times."""
        return self.looked.courses[name, arm]

    def rated(self, scale: str, arm: str) -> Array:
        """A scale's ratings, shape people x visits."""
        return self.looked.rated[scale, arm]

    def person(self, column: str) -> Array:
        """A column of the table of people, shape people."""
        return np.asarray(self.looked.cohort[column], dtype=np.float64)

    def averages(self, key: str, arm: str, each: Callable[[], NDArray[Any]]) -> Array:
        """The average over the slice; what is averaged is written down."""
        values = np.asarray(each(), dtype=np.float64)
        self.found[key, arm] = values
        return np.asarray(values.mean(axis=0))

    def known_average(self, key: str, arm: str, each: Callable[[], Array]) -> float:
        """Nothing yet: what is averaged is written down."""
        self.found[key, arm] = each()
        return float("nan")

    def middle(self, key: str, arm: str, each: Callable[[], Array]) -> float:
        """Nothing yet: what the middle is of is written down."""
        self.found[key, arm] = each()
        return float("nan")

    @cached_property
    def _repeats(self) -> None:
        """A slice has no repeats."""
        return


def tally(looked: Slice) -> Mapping[tuple[str, str], Array]:
    """What a report needs of each person of a slice, by name and arm: people, or people x points."""
    nothing: Any = None
    sample = SliceSample(nothing, looked)
    for arm in sample.arms:
        _benefits(sample, arm)
        _harms(sample, arm)
        if sample.sessions(arm):
            _session(sample, arm)
        if sample.doses(arm) and sample.has(exposure.OUTPUT):
            held = exposure.person_summaries(sample, arm)
            sample.found.update({(f"exposure {key}", arm.name): values for key, values in held.items()})
    _active(sample)
    return sample.found


def _benefits(sample: SliceSample, arm: Arm) -> None:
    if not sample.has(MAIN):
        return
    people.class_averages(sample, arm.name)
    if sample.end_h < sample.last_h:
        sample.found["relapses", arm.name] = people.relapses(sample, arm.name)


def _harms(sample: SliceSample, arm: Arm) -> None:
    for row in harms.harm_rows(sample):
        for until_h in harms.told_hours(sample, row, arm):
            harms.central(sample, row, arm, until_h)


def _session(sample: SliceSample, arm: Arm) -> None:
    for output in endpoints.peak_outputs(sample):
        endpoints.highest(sample, arm, output)
        if output == "CADSS":
            sample.found["minutes to highest CADSS", arm.name] = endpoints.person_minutes(sample, arm)
    if hours.can_tell_readiness(sample):
        sample.found["ready after", arm.name] = endpoints.ready_after(sample, arm)


def _active(sample: SliceSample) -> None:
    """What is told of the arm in question alone."""
    arm = sample.active
    doses = sample.doses(arm)
    if not doses:
        return
    if hours.can_tell_readiness(sample):
        sample.found["ready by", arm.name] = hours.ready_by(sample, arm, doses[0])
    places, _ = chain.stretch(sample)
    for row in chain.chain_rows(sample):
        sample.found[f"early {row['output']}", arm.name] = chain.early(sample, row["output"], places)

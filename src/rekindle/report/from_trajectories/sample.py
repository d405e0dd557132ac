"""The people of a study and its repeats as arrays: what every part of the report counts and averages.

The *people* carry the middle of the calibrated ensemble and give the middle of everything. The *repeats* are whole
studies with other people and other draws of the parameters; they give the range of everything. A study without repeats
has its own people drawn again with return in their place, which shows the luck of who takes part and nothing else.

A large study is summarised as it is solved. The middle of everything is then read from the summaries, under the name
that each number has there; only its first people are there one by one (`people`, `rated`, `person`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.dosing.line import Session
from rekindle.errors import SolverError
from rekindle.mechanism.outputs import OUTPUTS
from rekindle.moments import repeat_times
from rekindle.outcomes import SCALES, Scale
from rekindle.report.bands import QUANTILES, Band, Interval
from rekindle.simulate import session_hours
from rekindle.streams import uniforms
from rekindle.study import Arm, Study
from rekindle.study_summary import StudySummary
from rekindle.trajectories import Trajectories

if TYPE_CHECKING:
    from rekindle.labelled import Labelled
    from rekindle.population import People

Array = NDArray[np.float64]
Index = NDArray[np.intp]
KETAMINES = ("racemic-ketamine", "esketamine", "arketamine")
UNSUPERVISED = ("oral-antidepressant", "none")
RESAMPLED_STUDIES = 200
"""Studies drawn from the people themselves when a run has no repeats."""

_NEAR_H = 1e-6


@dataclass(frozen=True)
class Sample:
    """One result, arm by arm: people x times, and repeats x people x moments. Times are hours."""

    trajectories: Trajectories

    @property
    def study(self) -> Study:
        """The study that was asked for."""
        return self.trajectories.study

    @property
    def seed(self) -> int:
        """The study's seed."""
        return self.study.seed

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms in the order of the study."""
        return self.study.arms

    @property
    def active(self) -> Arm:
        """The arm in question: the first active one, or the first of all."""
        return next((arm for arm in self.arms if arm.role == "active"), self.arms[0])

    @property
    def comparator(self) -> Arm | None:
        """The first comparator, or a second active arm where there is none, or None."""
        others = [arm for arm in self.arms if arm.name != self.active.name]
        return next((arm for arm in others if arm.role == "comparator"), others[0] if others else None)

    @cached_property
    def times_h(self) -> Array:
        """Hours at which the people are followed."""
        return np.asarray(self._people.labels["time"], dtype=np.float64)

    @cached_property
    def visits_h(self) -> Array:
        """Hours of the rating visits, the first before the first dose."""
        return np.asarray(self._people.labels["visit"], dtype=np.float64)

    @cached_property
    def moments_h(self) -> Array:
        """Hours at which the repeats are looked at: visits, the first session closely, the peaks of the others."""
        if self._repeats is not None:
            return np.asarray(self._repeats.labels["moment"], dtype=np.float64)
        wanted: set[float] = set()
        for arm in self.arms:
            wanted |= set(repeat_times(session_hours(arm), tuple(self.visits_h), self.study.horizon_h))
        return self.times_h[[place for place, hour in enumerate(self.times_h) if _near(hour, wanted)]]

    @property
    def repeated(self) -> bool:
        """Whether the run has repeats with other parameters."""
        return self._repeats is not None

    @cached_property
    def count(self) -> int:
        """Number of repeats, or of studies drawn from the people in their place."""
        return RESAMPLED_STUDIES if self._repeats is None else self._repeats.size("repeat")

    @cached_property
    def repeat_size(self) -> int:
        """Number of people in an arm of a repeat, or of a study drawn from the people in their place."""
        return len(self.solved) if self._repeats is None else self._repeats.size("person")

    @cached_property
    def solved(self) -> Index:
        """Numbers of the people who could be solved in every arm.

        Raises:
            SolverError: nobody could.
        """
        probe = self._people.over("time")[0]
        finite = np.all([np.isfinite(self._people.of(probe, arm.name)) for arm in self.arms], axis=(0, 2))
        if not finite.any():
            raise SolverError("Nobody could be solved in every arm.")
        return np.flatnonzero(finite)

    @property
    def summary(self) -> StudySummary | None:
        """Everybody's numbers of a study that is too large to hold."""
        return self.trajectories.summary

    @property
    def size(self) -> int:
        """Number of people solved in every arm."""
        return len(self.solved) if self.summary is None else self.summary.solved

    def averages(self, key: str, arm: str, each: Callable[[], NDArray[Any]]) -> Array:
        """The average over the people of what `each` gives of them (people x points, or people)."""
        if self.summary is not None:
            found = self.summary.mean(key, arm)
            return found[0] if len(found) == 1 else found
        return np.asarray(each().mean(axis=0), dtype=np.float64)

    def known_average(self, key: str, arm: str, each: Callable[[], Array]) -> float:
        """The average of one number a person over those who have it; NaN where nobody has."""
        if self.summary is not None:
            return float(self.summary.mean(key, arm)[0])
        values = each()
        known = values[np.isfinite(values)]
        return float(known.mean()) if len(known) else float("nan")

    def middle(self, key: str, arm: str, each: Callable[[], Array]) -> float:
        """The middle person's number."""
        if self.summary is not None:
            return float(self.summary.quantiles(key, arm, (0.5,))[0, 0])
        return float(np.median(each()))

    def course(self, name: str, arm: str, places: Index) -> Array:
        """The average of an output or an expected total at some of the times."""
        if self.summary is not None:
            return self.summary.mean(name, arm)[places]
        return np.asarray(self.people(name, arm)[:, places].mean(axis=0))

    def course_band(self, name: str, arm: str, places: Index, factor: float = 1.0, offset: float = 0.0) -> Band:
        """How people differ in an output or an expected total at some of the times, times `factor` plus `offset`."""
        if self.summary is None:
            return Band.from_draws(self.people(name, arm)[:, places] * factor + offset)
        return summary_band(self.summary, name, arm, factor, offset, places)

    def items_course(self, arm: str, places: Index) -> Array:
        """Averages of the expected MADRS items, shape times x items."""
        if self.summary is not None:
            names = [f"MADRS: {item.name}" for item in SCALES["MADRS"].items]
            return np.stack([self.summary.mean(name, arm)[places] for name in names], axis=1)
        return np.asarray(self.items(arm)[:, places].mean(axis=0))

    def has(self, *names: str) -> bool:
        """Whether the result holds these outputs or scales (a user's own model may lack some)."""
        return all(name in self._people for name in names)

    def people(self, name: str, arm: str) -> Array:
        """An output or a scale's expected total, shape people x times."""
        return self._of_solved(name, arm)

    def rated(self, scale: str, arm: str) -> Array:
        """A scale's ratings, shape people x visits."""
        return self._of_solved(f"{scale} rated", arm)

    def _of_solved(self, name: str, arm: str) -> Array:
        """What is held of the people solved in every arm; the arrays of the result themselves where all were."""
        values = np.asarray(self._people.of(name, arm), dtype=np.float64)
        return values if len(self.solved) == len(values) else values[self.solved]

    def person(self, column: str) -> Array:
        """A column of the table of people, shape people."""
        return np.asarray(self.trajectories.cohort[column], dtype=np.float64)[self.solved]

    def repeats(self, name: str, arm: str) -> Array:
        """An output over the repeats, shape repeats x people x moments.

        Outputs that the repeats do not keep come from people drawn again.
        """
        if self._repeats is not None and name in self._repeats:
            return self._chosen(self._repeats.of(name, arm))
        return self.people(name, arm)[:, self.places(self.times_h, self.moments_h)][self._drawn]

    def repeats_averages(self, name: str, arm: str) -> Array:
        """Averages over people of an output, shape repeats x moments."""
        if self.drawn is not None:
            return self.drawn_averages(self.people(name, arm)[:, self.places(self.times_h, self.moments_h)])
        return np.asarray(self.repeats(name, arm).mean(axis=1))

    @property
    def drawn(self) -> Index | None:
        """Where a run has no repeats, the people drawn again in their place, shape repeats x people; else None."""
        return self._drawn if self._repeats is None else None

    def drawn_averages(self, values: Array) -> Array:
        """Averages over the people drawn again of what each has (people x anything): repeats x anything."""
        flat = values.reshape(len(values), -1)
        return np.asarray((self._weights @ flat).reshape(self.count, *values.shape[1:]))

    @cached_property
    def _weights(self) -> Array:
        """How often each person is drawn into each repeat, as a share: repeats x people."""
        return self._counts / len(self.solved)

    @cached_property
    def _counts(self) -> Array:
        """How often each person is drawn into each repeat: repeats x people, whole numbers."""
        size = len(self.solved)
        return np.stack([np.bincount(row, minlength=size) for row in self._drawn]).astype(np.float64)

    def drawn_whole(self, numbers: NDArray[Any]) -> Array:
        """Averages over the people drawn again of whole numbers that each has (people x anything): repeats x anything.

        Whole numbers add up exactly in any order, so these are the averages of the people laid out repeat by repeat.
        """
        flat = numbers.reshape(len(numbers), -1).astype(np.float64)
        sums = self._counts @ flat
        return np.asarray((sums / len(self.solved)).reshape(self.count, *numbers.shape[1:]))

    def repeats_rated(self, scale: str, arm: str) -> Array:
        """A scale's ratings over the repeats, shape repeats x people x visits."""
        if self._repeats is not None:
            places = self.places(self.moments_h, self.visits_h)
            return self._chosen(self._repeats.of(f"{scale} rated", arm))[:, :, places]
        return self.rated(scale, arm)[self._drawn]

    def repeats_rated_averages(self, scale: str, arm: str) -> Array:
        """Averages over people of a scale's ratings, which are whole points, shape repeats x visits."""
        if self.drawn is not None:
            return self.drawn_whole(self.rated(scale, arm))
        return np.asarray(self.repeats_rated(scale, arm).mean(axis=1))

    @cached_property
    def kept(self) -> dict[tuple[str, ...], Any]:
        """What is asked for more than once, under the name of what it is."""
        return {}

    def repeats_expected(self, scale: Scale, arm: str) -> Array:
        """A scale's expected totals over the repeats, shape repeats x people x moments."""
        key = (scale.name, arm)
        if self.drawn is not None:
            among = self.places(self.times_h, self.moments_h)
            return self.people_expected(scale.name, arm)[:, among][self.drawn]
        if key not in self._expected:
            found = [scale.expected(latents, person) for latents, person in self._each_repeat(scale, arm)]
            self._expected[key] = np.asarray(found)
        return self._expected[key]

    def repeats_item_means(self, scale: Scale, arm: str) -> Array:
        """Averages over people of a scale's expected items, shape repeats x moments x items."""
        if self.drawn is not None and scale.name == "MADRS":
            return self.drawn_averages(self.items(arm)[:, self.places(self.times_h, self.moments_h)])
        each = self._each_repeat(scale, arm)
        return np.asarray([scale.expected_items(latents, person).mean(axis=0) for latents, person in each])

    def _each_repeat(self, scale: Scale, arm: str) -> Iterator[tuple[dict[str, Array], dict[str, Array]]]:
        """What a scale needs, repeat by repeat: its latents (people x moments) and its person's values."""
        latents = {name: self.repeats(name, arm) for name in scale.latents}
        person = {name: self._repeats_person(name) for name in scale.person_inputs}
        for number in range(self.count):
            own = {name: values[number] for name, values in latents.items()}
            yield own, {name: values[number] for name, values in person.items()}

    def people_expected(self, name: str, arm: str) -> Array:
        """A scale's expected totals, kept in the result or worked out from its latents, shape people x times."""
        kept = f"{name} total" if name in OUTPUTS else name
        if self.has(kept):
            return self.people(kept, arm)
        scale = SCALES[name]
        latents = {latent: self.people(latent, arm) for latent in scale.latents}
        return scale.expected(latents, {column: self.person(column) for column in scale.person_inputs})

    def items(self, arm: str) -> Array:
        """Expected MADRS items, shape people x times x items."""
        return self._of_solved("MADRS items", arm)

    def places(self, among: Array, wanted: Array) -> Index:
        """Places of times within other times.

        Raises:
            ValueError: one of them is not there.
        """
        found = np.clip(np.searchsorted(among, wanted - _NEAR_H), 0, len(among) - 1)
        if np.any(np.abs(among[found] - wanted) > _NEAR_H):
            raise ValueError("a time that was asked for was not computed")
        return found

    def window(self, among: Array, start_h: float, end_h: float) -> Index:
        """Places of the times from `start_h` to `end_h`, both included."""
        return np.flatnonzero((among >= start_h - _NEAR_H) & (among <= end_h + _NEAR_H))

    def sessions(self, arm: Arm) -> tuple[Session, ...]:
        """The arm's sessions under supervision, in order of time."""
        return tuple(session for session in arm.course.sessions if session.regimen.drug not in UNSUPERVISED)

    def doses(self, arm: Arm) -> tuple[Session, ...]:
        """The arm's sessions with ketamine or one of its enantiomers."""
        return tuple(session for session in arm.course.sessions if session.regimen.drug in KETAMINES)

    @cached_property
    def end_h(self) -> float:
        """The visit at which treatment counts as ended: the first at or after the end of the active arm's course."""
        lines = [line for line in self.active.course.lines if line.regimens[0].drug not in UNSUPERVISED]
        days = max((line.length_days for line in lines), default=self.active.course.length_days)
        after = self.visits_h[self.visits_h >= 24.0 * days - _NEAR_H]
        return float(after[0] if len(after) else self.visits_h[-1])

    @property
    def last_h(self) -> float:
        """The last visit."""
        return float(self.visits_h[-1])

    def visit(self, hour: float) -> int:
        """The number of the visit nearest to an hour."""
        return int(np.argmin(np.abs(self.visits_h - hour)))

    @cached_property
    def _expected(self) -> dict[tuple[str, str], Array]:
        """Expected totals of the repeats that were asked for before, by scale and arm."""
        return {}

    @cached_property
    def _people(self) -> Labelled:
        return self.trajectories.followed

    @cached_property
    def _repeats(self) -> Labelled | None:
        """The repeats; None where there are none, or where a user's model gives nothing that they keep."""
        found = self.trajectories.repeated
        return found if found is not None and found.over("moment") else None

    @cached_property
    def _drawn(self) -> Index:
        """People drawn again with return, shape repeats x people; the same in every arm, so that arms pair."""
        size = len(self.solved)
        luck = uniforms(self.seed, "report", "people drawn again", count=self.count * size)
        return (luck * size).astype(np.intp).reshape(self.count, size)

    @cached_property
    def _rows(self) -> Index:
        """In each repeat the people solved in every arm; the place of one who was not goes to the next who was."""
        assert self._repeats is not None
        repeats, probe = self._repeats, self._repeats.over("moment")[0]
        finite = np.all([np.isfinite(repeats.of(probe, arm.name)) for arm in self.arms], axis=(0, 3))
        chosen = []
        for repeat in finite:
            good = np.flatnonzero(repeat)
            if not len(good):
                raise SolverError("Nobody of one repeat could be solved in every arm.")
            numbers = np.arange(len(repeat))
            chosen.append(np.where(repeat, numbers, good[np.searchsorted(good, numbers) % len(good)]))
        return np.asarray(chosen, dtype=np.intp)

    def _chosen(self, values: NDArray[np.floating]) -> Array:
        wide = np.asarray(values, dtype=np.float64)
        if self._everybody:
            return wide
        return np.take_along_axis(wide, self._rows[:, :, None], axis=1)

    @cached_property
    def _everybody(self) -> bool:
        """Whether everybody of every repeat was solved in every arm."""
        return bool((self._rows == np.arange(self._rows.shape[1])).all())

    def _repeats_person(self, column: str) -> Array:
        cohort: People | None = self.trajectories.repeat_cohort
        if self._repeats is None or cohort is None:
            return self.person(column)[self._drawn]
        values = np.asarray(cohort[column], dtype=np.float64).reshape(self.count, -1)
        return np.take_along_axis(values, self._rows, axis=1)


def summary_band(
    summary: StudySummary, name: str, arm: str, factor: float = 1.0, offset: float = 0.0, places: Any = slice(None)
) -> Band:
    """How people differ in a summarised quantity, times a `factor` plus an `offset`."""
    lines = summary.quantiles(name, arm, (0.5, *QUANTILES))[:, places] * factor + offset
    if factor < 0:
        lines[1:] = lines[:0:-1].copy()
    return Band(*lines)


def _near(hour: float, wanted: set[float]) -> bool:
    return any(abs(hour - other) < _NEAR_H for other in wanted)


def measured(central: float, draws: Array) -> Interval:
    """The central study's number with the quantiles of the repeats."""
    return Interval.from_draws(draws, middle=float(central))


def compared(sample: Sample, central: Callable[[str], float], draws: Callable[[str], Array]) -> Interval | None:
    """The active arm less its comparator, paired repeat by repeat; None without a second arm."""
    if sample.comparator is None:
        return None
    first, second = sample.active.name, sample.comparator.name
    return measured(central(first) - central(second), draws(first) - draws(second))

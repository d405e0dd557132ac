"""What a run gives: every person's course, the ratings at the visits, and the repeats of the whole study.

`people` holds the people of the study at the middle of the calibrated ensemble: each output of the mechanism and each
scale's expected total (named "... total" where an output has the scale's name) over arm, person and time, and the
ratings (whole points, with the rater's error) over arm, person and visit. `repeats` holds the same study done again
with other people and other draws of it, over arm, repeat, person and moment. Both are xarray Datasets, made when
asked for from `followed` and `repeated`, which hold the same arm by arm. How the result was made travels with it. A
study too large to hold keeps its first people in `people` and everybody's numbers in `summary`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError, SolverError, unknown
from rekindle.labelled import Labelled, over_people
from rekindle.outcomes import SCALES, Scale
from rekindle.outcomes.observation import observed_totals
from rekindle.population import People
from rekindle.processors import processors
from rekindle.provenance import Provenance
from rekindle.study_summary import StudySummary

if TYPE_CHECKING:
    import xarray as xr

    from rekindle.population import Markings
    from rekindle.study import Study

Array = NDArray[np.float64]
Made = TypeVar("Made")

SOLVER_FACTS = ("people", "failed", "steps", "refused_steps", "retried", "by_reference", "sample_error")

TREATED = ("given_", "rule_")
"""How the names of sums over an arm's people begin that tell what a policy came to."""

MOST_UNSOLVED = 0.02
"""Share of people that may stay unsolved (and are named) before the run counts as failed."""


@dataclass(frozen=True)
class Doses:
    """What the people of an arm were given, in order of person and time; arrays of one entry a session.

    `person` counts from 0, `time_h` from the start of the study; `amount` is the dose as stated in `unit` (0 and "" for
    what has none), `mg` what that is in mg of base.
    """

    person: NDArray[np.int64]
    time_h: Array
    drug: NDArray[np.str_]
    route: NDArray[np.str_]
    amount: Array
    unit: NDArray[np.str_]
    mg: Array


@dataclass(frozen=True)
class Solved:
    """One arm as the solver gave it: `values` has shape people x times x `outputs`; `failures` name who failed.

    `doses` holds what everybody was given where a policy decided on it.
    """

    arm: str
    times_h: Array
    outputs: tuple[str, ...]
    values: Array
    failures: tuple[tuple[int, str], ...]
    report: Mapping[str, Any] = field(default_factory=dict)
    doses: Doses | None = None


@dataclass(frozen=True)
class Trajectories:
    """The result of a run; see the module. Times are hours since the start of the study."""

    study: Study
    followed: Labelled
    repeated: Labelled | None
    cohort: People
    repeat_cohort: People | None
    markings: Markings
    provenance: Provenance
    unsolved: tuple[str, ...] = ()
    solver: Mapping[str, Any] = field(default_factory=dict)
    summary: StudySummary | None = None
    doses: Mapping[str, Doses] = field(default_factory=dict)
    """What everybody was given in the arms with a policy, by arm."""

    @cached_property
    def people(self) -> xr.Dataset:
        """The people of the study, over arm, person, and time or visit."""
        return self.followed.dataset()

    @cached_property
    def repeats(self) -> xr.Dataset | None:
        """The study done again, over arm, repeat, person and moment; None where it was not."""
        return None if self.repeated is None else self.repeated.dataset()

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms, in the order of the study."""
        return tuple(arm.name for arm in self.study.arms)

    @property
    def calibrated(self) -> bool:
        """Whether the parameters came from the calibrated ensemble, and not from the table or a user's own model."""
        return bool(self.solver.get("calibrated", False))

    @property
    def left_out(self) -> tuple[str, ...]:
        """Scales that the study asks for and the model cannot give, because it lacks what they read."""
        return tuple(name for name in self.study.outcomes if name not in self.followed)

    def output(self, name: str, arm: str) -> tuple[Array, Array]:
        """Times (hours) and values (people x times) of one output or expected scale total in one arm.

        Raises:
            InputError: no such arm or output.
        """
        if arm not in self.arms:
            raise unknown("arm", arm, self.arms)
        if name not in self.followed or "time" not in self.followed.axes[name]:
            raise unknown("output", name, list(self.followed))
        return self.followed.labels["time"], np.asarray(self.followed.of(name, arm), dtype=np.float64)

    def save(self, path: Path) -> None:
        """Write one NetCDF file: group `people` whole, group `repeats` as mean and SD over the people of each repeat.

        A study that is summarised has groups `courses` and `ratings` besides: counts, means, SDs and quantiles over
        all people; `people` then holds the first of them. How it was made stands in the attributes. The file is made
        in memory and written at once: HDF5 brings the program down when a disk fills under it.

        Raises:
            OSError: the file cannot be written.
        """
        from rekindle.netcdf import write_group

        made = io.BytesIO()
        attributes = {"making": _json(self.provenance.as_dict()), "study": _json(self.study.as_dict())}
        threads = self.solver.get("threads")
        write_group(made, "people", self.followed, attributes, first=True, threads=threads)
        if self.repeated is not None:
            write_group(made, "repeats", over_people(self.repeated), attributes, first=False, threads=threads)
        if self.summary is not None:
            _add_summary(made, self.summary, attributes)
        with path.open("wb") as file:
            file.write(made.getbuffer())


def _add_summary(made: io.BytesIO, summary: StudySummary, attributes: Mapping[str, str]) -> None:
    """Groups `courses` and `ratings` of a large study."""
    packed = {"zlib": True, "complevel": 1, "shuffle": True, "dtype": "float32"}
    for group, data in (("courses", summary.as_dataset("time")), ("ratings", summary.as_dataset("visit"))):
        encoding = {name: packed for name, values in data.data_vars.items() if values.dtype.kind == "f"}
        data.assign_attrs(attributes).to_netcdf(made, mode="a", group=group, engine="h5netcdf", encoding=encoding)


def _json(value: Any) -> str:
    import json

    return json.dumps(value, sort_keys=True, default=str)


def scales_of(study: Study, outputs: Sequence[str] | None = None) -> tuple[Scale, ...]:
    """The scales that a study reports: those asked for, and the two pressures, dissociation and MADRS always.

    With the `outputs` of a user's model, only those scales whose latents it has.
    """
    always = ("MADRS", "CADSS", "systolic pressure", "diastolic pressure", "heart rate")
    names = dict.fromkeys((*study.outcomes, *always))
    scales = [SCALES[name] for name in names if name in SCALES]
    return tuple(scale for scale in scales if outputs is None or set(scale.latents) <= set(outputs))


def repeat_outputs(study: Study) -> tuple[str, ...]:
    """The mechanism's outputs that the repeats keep: what the scales read, motivation, and the harms."""
    needed = [latent for scale in scales_of(study) for latent in scale.latents]
    more = ("severity", "motivation", "anhedonia", "sedation", "tolerance", "craving", "withdrawal")
    return tuple(dict.fromkeys((*needed, *more, "bladder_injury", "liver_injury")))


def assemble_trajectories(
    study: Study,
    cohort: People,
    solved: Sequence[Solved],
    repeats: Sequence[Solved],
    repeat_cohort: People | None,
    visits_h: Sequence[float],
    markings: Markings,
    settings: Mapping[str, Any],
) -> Trajectories:
    """One result from the solver's arrays: outputs, scales and ratings side by side.

    Raises:
        SolverError: more than one person in fifty could not be solved.
    """
    unsolved = unsolved_people(solved, len(cohort)) + (
        unsolved_people(repeats, len(repeat_cohort)) if repeat_cohort is not None else ()
    )
    threads = settings.get("threads")
    people = people_labelled(study, cohort, solved, visits_h, threads=threads)
    repeated = None if repeat_cohort is None else repeats_labelled(study, repeat_cohort, repeats, threads=threads)
    inputs = {"study": study.digest}
    if study.participants.csv_digest:
        inputs["people"] = study.participants.csv_digest
    made = Provenance(seed=study.seed, inputs=inputs, settings=dict(settings))
    solver = {**settings, "arms": {arm.arm: _told(arm) for arm in solved}}
    return Trajectories(
        study, people, repeated, cohort, repeat_cohort, markings, made, unsolved, solver, doses=given_doses(solved)
    )


def given_doses(solved: Sequence[Solved]) -> dict[str, Doses]:
    """What everybody was given in the arms with a policy, by arm."""
    return {arm.arm: arm.doses for arm in solved if arm.doses is not None}


def _told(arm: Solved) -> dict[str, Any]:
    """What the solver says of one arm, wall time apart; `sample_error` is the error found by solving again."""
    return {name: value for name, value in arm.report.items() if name in SOLVER_FACTS or name.startswith(TREATED)}


def unsolved_people(solved: Sequence[Solved], count: int) -> tuple[str, ...]:
    """Those of `count` people who could not be solved, each arm's by name and reason.

    Raises:
        SolverError: more than one person in fifty.
    """
    named = []
    for arm in solved:
        if len(arm.failures) > max(1, MOST_UNSOLVED * count):
            person, reason = arm.failures[0]
            raise SolverError(
                f"{len(arm.failures)} of {count} people of arm '{arm.arm}' could not be solved; "
                f"the first is person {person}: {reason}."
            )
        named += [f"{arm.arm}, person {person}: {reason}" for person, reason in arm.failures]
    return tuple(named)


def person_inputs(scale: Scale, cohort: People) -> dict[str, Array]:
    """What a scale needs to know of each person, one value a person.

    Raises:
        InputError: the people lack it.
    """
    missing = [name for name in scale.person_inputs if name not in cohort]
    if missing:
        raise InputError(f"The people lack '{missing[0]}'.", where=f"scale {scale.name}")
    return {name: cohort[name].astype(np.float64) for name in scale.person_inputs}


def by_output(arm: Solved) -> Solved:
    """The same arm with the numbers of each output side by side in memory, as they are read from here on.

    Person by person, so that what is turned round stays in the processor's cache; nothing is done where they lie so.
    """
    if np.moveaxis(arm.values, 2, 0).flags.c_contiguous:
        return arm
    people, times, outputs = arm.values.shape
    turned = np.empty((outputs, people, times))
    for person, course in enumerate(arm.values):
        turned[:, person] = course.T
    return replace(arm, values=np.moveaxis(turned, 0, 2))


def latents_of(arm: Solved) -> dict[str, Array]:
    """Each output of an arm by name, people x times."""
    return {name: arm.values[:, :, column] for column, name in enumerate(arm.outputs)}


AT_ONCE = 64
"""People whose items are worked out at a time, so that they stay in the processor's cache."""


def people_labelled(
    study: Study,
    cohort: People,
    solved: Sequence[Solved],
    visits_h: Sequence[float],
    *,
    threads: int | None = None,
) -> Labelled:
    """The people of a study, the first of it among them: outputs, scales and ratings over person, and time or visit.

    `threads` is how many processors work the scales out, None for all; the numbers are the same.

    Raises:
        InputError: the people lack what a scale needs.
    """
    arms = [by_output(arm) for arm in solved]
    times = arms[0].times_h
    places = np.searchsorted(times, np.asarray(visits_h))
    values: dict[str, tuple[Array, ...]] = {
        name: tuple(arm.values[:, :, column] for arm in arms) for column, name in enumerate(arms[0].outputs)
    }
    axes: dict[str, tuple[str, ...]] = dict.fromkeys(values, ("person", "time"))
    scales = scales_of(study, arms[0].outputs)
    inputs = {scale.name: person_inputs(scale, cohort) for scale in scales}

    def measured(scale: Scale, arm: Solved) -> tuple[Array, Array, Array]:
        person = inputs[scale.name]
        return *_expected(scale, latents_of(arm), person), _rated(scale, arm, places, person, study.seed)

    for scale, found in zip(scales, each_arm(measured, scales, arms, threads), strict=True):
        totals, items, ratings = zip(*found, strict=True)
        total, rated = f"{scale.name} total" if scale.name in values else scale.name, f"{scale.name} rated"
        values[total], axes[total] = totals, ("person", "time")
        if scale.name == "MADRS":
            values["MADRS items"], axes["MADRS items"] = items, ("person", "time", "item")
        values[rated], axes[rated] = ratings, ("person", "visit")
    labels = {
        "arm": np.array([arm.arm for arm in solved]),
        "person": np.arange(len(cohort)),
        "time": times,
        "visit": np.asarray(visits_h, dtype=np.float64),
        "item": np.array([item.name for item in SCALES["MADRS"].items]),
    }
    return Labelled(labels, axes, values, {"time": "h", "visit": "h"})


def each_arm(
    work: Callable[[Scale, Solved], Made], scales: Sequence[Scale], arms: Sequence[Solved], threads: int | None
) -> list[tuple[Made, ...]]:
    """What `work` gives for every scale in every arm, scale by scale; on so many threads, None for all processors."""
    with ThreadPoolExecutor(threads or processors()) as pool:
        asked = [[pool.submit(work, scale, arm) for arm in arms] for scale in scales]
        return [tuple(each.result() for each in row) for row in asked]


def _expected(scale: Scale, latents: Mapping[str, Array], person: Mapping[str, Array]) -> tuple[Array, Array]:
    """A scale's expected totals (people x times), and its items (people x times x items) if it is the MADRS."""
    people, times = next(iter(latents.values())).shape
    totals = np.empty((people, times))
    items = np.empty((people, times, len(scale.items)) if scale.name == "MADRS" else 0)
    for first in range(0, people, AT_ONCE):
        some = slice(first, first + AT_ONCE)
        found = scale.expected_items(
            {name: latents[name][some] for name in scale.latents},
            {name: each[some] for name, each in person.items()},
        )
        totals[some] = found.sum(axis=-1)
        if scale.name == "MADRS":
            items[some] = found
    return totals, items


def _rated(scale: Scale, arm: Solved, places: NDArray[np.intp], person: Mapping[str, Array], seed: int) -> Array:
    """An arm's ratings on a scale, people x visits."""
    latents = {name: values[:, places] for name, values in latents_of(arm).items() if name in scale.latents}
    return observed_totals(scale, latents, person, seed=seed, purpose=(arm.arm,))


def repeats_labelled(study: Study, cohort: People, solved: Sequence[Solved], *, threads: int | None = None) -> Labelled:
    """The repeats of a study: outputs and ratings over repeat, person and moment, as float32.

    `threads` is how many processors work the scales out, None for all; the numbers are the same.

    Raises:
        InputError: the people lack what a scale needs.
    """
    count = study.studies
    size = len(cohort) // count

    def folded(values: Array) -> NDArray[np.float32]:
        return np.ascontiguousarray(values, dtype=np.float32).reshape(count, size, -1)

    values: dict[str, tuple[NDArray[np.float32], ...]] = {
        name: tuple(folded(arm.values[:, :, column]) for arm in solved) for column, name in enumerate(solved[0].outputs)
    }
    scales = scales_of(study, solved[0].outputs)
    inputs = {scale.name: person_inputs(scale, cohort) for scale in scales}

    def rated(scale: Scale, arm: Solved) -> NDArray[np.float32]:
        purpose = ("repeat", arm.arm)
        return folded(observed_totals(scale, latents_of(arm), inputs[scale.name], seed=study.seed, purpose=purpose))

    for scale, found in zip(scales, each_arm(rated, scales, solved, threads), strict=True):
        values[f"{scale.name} rated"] = found
    labels = {
        "arm": np.array([arm.arm for arm in solved]),
        "repeat": np.arange(count),
        "person": np.arange(size),
        "moment": solved[0].times_h,
    }
    return Labelled(labels, dict.fromkeys(values, ("repeat", "person", "moment")), values, {"moment": "h"})

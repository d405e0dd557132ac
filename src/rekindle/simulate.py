"""The one door: a study in, trajectories out. Nothing else in the package integrates an equation.

Two sets of people are solved. The *people* of the study carry the model's values as they stand, followed closely
enough to draw every line. The *repeats* are the same study done again with other people and other plausible
values of the parameters, looked at on visits and in sessions only: they say how far an average could move.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.cohort import administrations, cohort
from rekindle.errors import InputError
from rekindle.mechanism.assemble import antimony_text
from rekindle.mechanism.outputs import OUTPUTS
from rekindle.mechanism.plausible import plausible_values
from rekindle.moments import course_times, repeat_times, visit_times
from rekindle.population import People, draw, read_people, require_domain
from rekindle.streams import uniforms
from rekindle.trajectories import Solved, Trajectories, assemble_trajectories, repeat_outputs

if TYPE_CHECKING:
    from rekindle.engine.backends import Backend
    from rekindle.engine.lower import Lowered
    from rekindle.population import Markings
    from rekindle.study import Arm, Study

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Settings:
    """How to solve: the backend by name, its tolerance (None for its own), processor threads (None for all)."""

    backend: Backend = "native"
    relative_tolerance: float | None = None
    threads: int | None = None


def simulate(
    study: Study,
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Trajectories:
    """What happens to the people of a study, arm by arm, with its repeats.

    `progress` is called with a word for what is being done, people done and people in all.

    Raises:
        InputError: the study asks for something that cannot be.
        OutsideDomainError: people or doses lie outside what the model knows, and the study does not say so.
        SolverError: too many people could not be solved.
    """
    settings = settings or Settings()
    people = study_people(study, study.participants.people, 0)
    markings = check_domain(study, people)
    visits = visit_times(study.horizon_h, study.visits_h)
    sessions = {arm.name: session_hours(arm) for arm in study.arms}
    times = sorted(
        {time for hours in sessions.values() for time in course_times(hours, visits, study.horizon_h)}
    )
    solved = [_solve(study, arm, people, times, OUTPUTS, settings, progress=progress) for arm in study.arms]
    repeats, repeat_people = _repeats(study, visits, sessions, settings, progress)
    made_with = asdict(settings)
    return assemble_trajectories(study, people, solved, repeats, repeat_people, visits, markings, made_with)


def study_people(study: Study, count: int, start: int) -> People:
    """`count` people of the study from number `start` on, drawn or read, that meet its criteria.

    Raises:
        InputError: the file of people is wrong, or hardly anybody meets the criteria.
    """
    participants = study.participants
    if participants.csv is not None:
        given = read_people(participants.csv, kind=participants.kind)
        chosen = given.take(_meets(given, participants.criteria))
        if not len(chosen):
            raise InputError("Nobody in the file meets the criteria.", where=str(participants.csv))
        return chosen if start == 0 else _resampled(chosen, count, study.seed, start)
    if not participants.criteria:
        return draw(participants.kind, count, study.seed, start=start)
    return _screened(study, count, start)


def _screened(study: Study, count: int, start: int) -> People:
    """People who meet the criteria, in the order in which they were screened; each study screens its own."""
    from rekindle.population import concat

    found: list[People] = []
    enrolled, screened = 0, 0
    base = start * 50
    while enrolled < count:
        batch = draw(study.participants.kind, count, study.seed, start=base + screened)
        screened += count
        chosen = batch.take(_meets(batch, study.participants.criteria))
        found.append(chosen)
        enrolled += len(chosen)
        if screened >= 50 * count:
            raise InputError(
                f"Of {screened} people screened only {enrolled} meet the criteria.",
                hint="Widen the criteria.",
            )
    return concat(found).take(slice(0, count))


def _meets(
    people: People, criteria: Mapping[str, tuple[float, float] | tuple[str, ...]]
) -> NDArray[np.bool_]:
    keep = np.ones(len(people), dtype=bool)
    for column, allowed in criteria.items():
        values = people[column]
        if isinstance(allowed[0], str):
            keep &= np.isin(values, np.asarray(allowed))
        else:
            low, high = (float(limit) for limit in allowed)
            keep &= (values.astype(float) >= low) & (values.astype(float) <= high)
    return keep


def _resampled(people: People, count: int, seed: int, start: int) -> People:
    """A repeat of a study whose people come from a file: they stand for others like them, drawn with return."""
    return people.take((uniforms(seed, "repeat", start=start, count=count) * len(people)).astype(np.intp))


def check_domain(study: Study, people: People) -> Markings:
    """The markings that every page must carry.

    Raises:
        OutsideDomainError: something lies outside and the study does not allow it.
    """
    given: list[list[Any]] = [[] for _ in range(len(people))]
    markings = None
    for arm in study.arms:
        given = [
            [dose for dose in doses if dose.drug in ("racemic-ketamine", "esketamine", "arketamine")]
            for doses in administrations(people, arm)
        ]
        found = require_domain(people, given, outside_domain=study.outside_domain)
        markings = found if markings is None else _joined(markings, found)
    if markings is None:
        raise InputError("The study has no arm.")
    return markings


def _joined(first: Markings, second: Markings) -> Markings:
    return type(first)(
        tuple(dict.fromkeys((*first.outside, *second.outside))),
        tuple(dict.fromkeys((*first.warnings, *second.warnings))),
    )


def session_hours(arm: Arm) -> tuple[float, ...]:
    """Hours of the arm's sessions under supervision (tablets at home are none)."""
    supervised = [
        session.time_h
        for session in arm.course.sessions
        if session.regimen.drug not in ("oral-antidepressant", "none")
    ]
    return tuple(sorted(set(supervised)))


@lru_cache(maxsize=2)
def lowered_model() -> Lowered:
    """Rekindle's model, read and lowered once."""
    from rekindle.engine.lower import lower
    from rekindle.engine.network import read_antimony

    return lower(read_antimony(antimony_text()))


def _repeats(
    study: Study,
    visits: Sequence[float],
    sessions: Mapping[str, Sequence[float]],
    settings: Settings,
    progress: Progress | None,
) -> tuple[list[Solved], People | None]:
    """All repeats of every arm, people of one repeat side by side; none when the study asks for none."""
    if study.studies < 1:
        return [], None
    from rekindle.population import concat

    size = study.participants.people
    cohorts = [study_people(study, size, number * size) for number in range(1, study.studies + 1)]
    if study.participants.csv is not None:
        size = len(cohorts[0])
    people = concat(cohorts)
    values = {
        name: np.repeat(draws, size) for name, draws in plausible_values(study.studies, study.seed).items()
    }
    times = sorted(
        {time for hours in sessions.values() for time in repeat_times(hours, visits, study.horizon_h)}
    )
    outputs = repeat_outputs(study)
    solved = [
        _solve(study, arm, people, times, outputs, settings, values=values, progress=progress)
        for arm in study.arms
    ]
    return solved, people


def _solve(
    study: Study,
    arm: Arm,
    people: People,
    times: Sequence[float],
    outputs: tuple[str, ...],
    settings: Settings,
    *,
    values: Mapping[str, Array] | None = None,
    progress: Progress | None = None,
) -> Solved:
    from rekindle.engine.backends import solve

    lowered = lowered_model()
    ready = cohort(
        people,
        arm,
        hypotheses=study.hypotheses,
        output_times=times,
        horizon_h=study.horizon_h,
        values=values,
    )
    column = {name: index for index, name in enumerate(ready.names)}
    matrix = ready.parameters[:, [column[name] for name in lowered.parameters]]
    word = arm.name if values is None else f"{arm.name}, repeats"
    solution = solve(
        lowered,
        matrix,
        ready.schedules,
        outputs,
        backend=settings.backend,
        relative_tolerance=settings.relative_tolerance,
        threads=settings.threads,
        progress=None if progress is None else (lambda done, total: progress(word, done, total)),
    )
    failures = tuple((failure.person, failure.reason) for failure in solution.failures)
    return Solved(arm.name, np.asarray(times, dtype=np.float64), outputs, solution.values, failures)

"""The one door: a study in, trajectories out. Nothing else in the package integrates an equation.

Two sets of people are solved. The *people* of the study carry the middle of the calibrated ensemble, followed closely
enough to draw every line. The *repeats* are the same study done again with other people and another draw of the
ensemble, looked at on visits and in sessions only: they say how far an average could move. A value that the user gave
holds in both, and a model of the user's own keeps all its values. Without an ensemble people carry the values of the
table, and repeats draw from the plausible ranges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.cohort import administrations_together, cohort
from rekindle.engine.schedule import compile_schedule
from rekindle.entering import entering, segments_of
from rekindle.equations import Equations as Equations
from rekindle.equations import drawn_values
from rekindle.equations import equations_of as equations_of
from rekindle.equations import lowered_model as lowered_model
from rekindle.errors import InputError, UnsupportedError
from rekindle.life import Load, changes_h, paths
from rekindle.mechanism import ensemble
from rekindle.mechanism.hypotheses import HYPOTHESES
from rekindle.mechanism.modifiers import modifier_table
from rekindle.models import OUR_MODEL
from rekindle.moments import course_times, repeat_times, visit_times
from rekindle.population import People, check_together, draw, mark, read_people
from rekindle.streams import uniforms
from rekindle.trajectories import Solved, Trajectories, assemble_trajectories, repeat_outputs
from rekindle.treatment import Solving, clinic_luck, extreme_doses, treat, treatment_scale

if TYPE_CHECKING:
    from rekindle.engine.backends import Backend
    from rekindle.engine.lower import Lowered
    from rekindle.models import Model
    from rekindle.population import Markings, Reason
    from rekindle.study import Arm, Study

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

KETAMINES = ("racemic-ketamine", "esketamine", "arketamine")

REPEATED_PEOPLE = 250
"""Most people of a repeat: forty times as many would tell hardly more about the parameters."""

PEOPLE_CHECKED = 2
"""People of each arm who are solved again at a tolerance of 1e-8, so that a run reports the error it made."""


@dataclass(frozen=True)
class Settings:
    """How to solve: the backend by name, its tolerance (None for its own), processor threads (None for all)."""

    backend: Backend = "native"
    relative_tolerance: float | None = None
    threads: int | None = None
    calibrated: bool = True
    """Whether our model takes its values from the calibrated ensemble, where there is one, and not from its table."""


def simulate(
    study: Study,
    *,
    model: Model | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Trajectories:
    """What happens to the people of a study, arm by arm, with its repeats.

    `model` (from `rekindle.models.open_model`) is solved instead of ours. `progress` is called with a word for
    what is being done, people done and people in all.

    Raises:
        InputError: the study asks for something that cannot be, or the model has no way in for a dose.
        OutsideDomainError: people or doses lie outside what the model knows, and the study does not say so.
        SolverError: too many people could not be solved.
    """
    settings = settings or Settings()
    equations = equations_of(model, calibrated=settings.calibrated)
    people = study_people(study, study.participants.people, 0)
    life = load_of(study, equations, len(people))
    markings = check_domain(study, people)
    visits = visit_times(study.horizon_h, study.visits_h)
    sessions = {arm.name: session_hours(arm) for arm in study.arms}
    times = sorted({time for hours in sessions.values() for time in course_times(hours, visits, study.horizon_h)})
    solved = [
        solve_arm(
            study, arm, people, times, equations.outputs, settings, equations=equations, values=equations.values,
            progress=progress, life=life,
        )
        for arm in study.arms
    ]  # fmt: skip
    repeats, repeat_people = solve_repeats(study, visits, settings, equations, progress)
    return assemble_trajectories(
        study, people, solved, repeats, repeat_people, visits, markings, made_with(settings, model)
    )


def load_of(study: Study, equations: Equations, people: int, start: int = 0) -> Load | None:
    """What happens in the lives of a study's people from number `start` on; None where nothing does.

    Each person's path is their own, and the same in every arm.
    """
    times = changes_h(study.horizon_h)
    if not study.life or equations.life_sd <= 0.0 or not times:
        return None
    return Load(times, equations.life_sd * paths(study.seed, people, times, start=start))


def made_with(settings: Settings, model: Model | None) -> dict[str, Any]:
    """The settings, the model and the ensemble of a run as plain values, for its record.

    `calibrated` says whether the values came from the ensemble; which one it was stands beside it.
    """
    ours = model is None or model.is_ours
    drawn = ensemble.record() if ours and settings.calibrated else {}
    named: dict[str, Any] = {"model": OUR_MODEL}
    if model is not None:
        named = {"model": model.source, "model_digest": model.network.digest, "changed": dict(model.changed)}
    return asdict(settings) | named | {"calibrated": bool(drawn)} | drawn


def study_people(study: Study, count: int, start: int) -> People:
    """`count` people of the study from number `start` on, drawn or read, that meet its criteria.

    Raises:
        InputError: the file of people is wrong, or hardly anybody meets the criteria.
    """
    participants = study.participants
    if participants.csv is not None:
        given = read_people(participants.csv, kind=participants.kind)
        chosen = given.take(meets(given, participants.criteria))
        if not len(chosen):
            raise InputError("Nobody in the file meets the criteria.", where=str(participants.csv))
        return chosen if start == 0 else _resampled(chosen, count, study.seed, start)
    if not participants.criteria:
        return draw(participants.kind, count, study.seed, start=start)
    return _screened(study, count, start)


def _screened(study: Study, count: int, start: int) -> People:
    """People who meet the criteria, in the order in which they were screened; each study screens its own."""
    return screened_from(study, count, start * 50)


def screened_from(study: Study, count: int, base: int) -> People:
    """The first `count` people who meet the criteria among those numbered `base` and on.

    Raises:
        InputError: hardly anybody meets them.
    """
    from rekindle.population import concat

    found: list[People] = []
    enrolled, screened = 0, 0
    while enrolled < count:
        batch = draw(study.participants.kind, count, study.seed, start=base + screened)
        screened += count
        chosen = batch.take(meets(batch, study.participants.criteria))
        found.append(chosen)
        enrolled += len(chosen)
        if enrolled < count and screened >= 50 * count:
            raise InputError(
                f"Of {screened} people screened only {enrolled} meet the criteria.",
                hint="Widen the criteria.",
            )
    return concat(found).take(slice(0, count))


def meets(people: People, criteria: Mapping[str, tuple[float, float] | tuple[str, ...]]) -> NDArray[np.bool_]:
    """Who meets the criteria, shape people."""
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
    return mark(domain_reasons(study, people), outside_domain=study.outside_domain)


def domain_reasons(study: Study, people: People) -> tuple[Reason, ...]:
    """Why people or their doses of ketamine lie outside what the model knows, in any arm.

    Raises:
        InputError: a dose that is no positive number.
    """
    found: list[Reason] = []
    for arm in study.arms:
        doses = [dose for dose in administrations_together(people, arm) if dose.drug in KETAMINES]
        found += check_together(people, doses)
        for extreme in extreme_doses(people, arm):
            found += check_together(people, [dose for dose in extreme if dose.drug in KETAMINES])
    return tuple(dict.fromkeys(found))


def session_hours(arm: Arm) -> tuple[float, ...]:
    """Hours of the arm's sessions under supervision (tablets at home are none)."""
    supervised = [
        session.time_h for session in arm.course.sessions if session.regimen.drug not in ("oral-antidepressant", "none")
    ]
    return tuple(sorted(set(supervised)))


def solve_repeats(
    study: Study,
    visits: Sequence[float],
    settings: Settings,
    equations: Equations,
    progress: Progress | None,
) -> tuple[list[Solved], People | None]:
    """All repeats of every arm, people of one repeat side by side; none when the study asks for none.

    A repeat has as many people as the study, or at most `REPEATED_PEOPLE`.

    Raises:
        InputError: as `study_people`.
    """
    if study.studies < 1:
        return [], None
    from rekindle.population import concat

    sessions = {arm.name: session_hours(arm) for arm in study.arms}
    size = min(study.participants.people, REPEATED_PEOPLE)
    first = study.participants.people
    cohorts = [study_people(study, size, first + number * size) for number in range(study.studies)]
    if study.participants.csv is not None:
        size = len(cohorts[0])
    people = concat(cohorts)
    drawn = {name: np.repeat(draws, size) for name, draws in drawn_values(equations, study.studies, study.seed).items()}
    life = _load_of_repeats(study, drawn.pop(ensemble.LIFE, None), len(people))
    values: dict[str, Array | float] = dict(drawn)
    times = sorted({time for hours in sessions.values() for time in repeat_times(hours, visits, study.horizon_h)})
    outputs = tuple(name for name in repeat_outputs(study) if name in equations.outputs)
    solved = [
        solve_arm(
            study, arm, people, times, outputs, settings, equations=equations, values=values, repeats=True,
            progress=progress, life=life,
        )
        for arm in study.arms
    ]  # fmt: skip
    return solved, people


def _load_of_repeats(study: Study, sd: Array | None, people: int) -> Load | None:
    """What happens in the lives of the people of all repeats, side by side; `sd` is each person's, (people,)."""
    times = changes_h(study.horizon_h)
    if not study.life or sd is None or not times:
        return None
    return Load(times, sd[:, None] * paths(study.seed, people, times, ("repeat", "life")))


def solve_arm(
    study: Study,
    arm: Arm,
    people: People,
    times: Sequence[float],
    outputs: tuple[str, ...],
    settings: Settings,
    *,
    equations: Equations,
    values: Mapping[str, Array | float],
    repeats: bool = False,
    progress: Progress | None = None,
    scale: Array | None = None,
    check: int | None = None,
    start: int = 0,
    life: Load | None = None,
) -> Solved:
    """One arm's people followed over `times` (hours), `values` standing for everybody or one a person.

    `scale` is the size of every state (where people are solved in parts); `check` people are solved again to tell
    the error, by default `PEOPLE_CHECKED` and none of the repeats. `start` is the number of the first person; `life`
    what happens to them besides.

    Raises:
        InputError: a dose after the horizon, or one that the model has no way in for.
        UnsupportedError: a hypothesis or a modifier acts on a parameter that the model lacks.
    """
    from rekindle.engine.backends import solve

    lowered = equations.lowered
    _check_reached(study, arm, lowered)
    word = f"{arm.name}, repeats" if repeats else arm.name
    again = (0 if repeats else PEOPLE_CHECKED) if check is None else check
    told = None if progress is None else partial(progress, word)
    if arm.policy is not None:
        solving = Solving(settings.backend, settings.relative_tolerance, settings.threads, scale, again, told, repeats)
        luck = clinic_luck(study, arm, times, start, repeats=repeats)
        return treat(study, arm, people, times, outputs, lowered, luck, values, equations.fixed, solving, life)
    ready = cohort(
        people, arm, hypotheses=study.hypotheses, output_times=times, horizon_h=study.horizon_h, values=values,
        fixed=equations.fixed, life=life,
    )  # fmt: skip
    column = {name: index for index, name in enumerate(ready.names)}
    matrix = ready.parameters[:, [column[name] for name in lowered.parameters]]
    solution = solve(
        lowered,
        matrix,
        segments_of(ready, lowered),
        outputs,
        backend=settings.backend,
        relative_tolerance=settings.relative_tolerance,
        threads=settings.threads,
        scale=scale,
        check=again,
        progress=told,
        specialise=repeats, by_output=True,
    )  # fmt: skip
    failures = tuple((failure.person, failure.reason) for failure in solution.failures)
    return Solved(arm.name, np.asarray(times, dtype=np.float64), outputs, solution.values, failures, solution.report)


def arm_scale(study: Study, arm: Arm, first: People, times: Sequence[float], *, equations: Equations) -> Array:
    """The size of every state, shape (states,), by which an arm's solver is steered: from the first person's doses.

    Raises:
        InputError: as `solve_arm`.
    """
    from rekindle.engine.scale import typical_scale

    if arm.policy is not None:
        luck = clinic_luck(study, arm, times, 0, repeats=False)
        return treatment_scale(
            study, arm, first, equations.outputs, equations.lowered, luck, equations.values, equations.fixed
        )
    ready = cohort(first, arm, hypotheses=study.hypotheses, output_times=times, horizon_h=study.horizon_h,
                   values=equations.values, fixed=equations.fixed, life=load_of(study, equations, 1))  # fmt: skip
    return typical_scale(equations.lowered, compile_schedule(entering(ready.schedules[0], equations.lowered),
                                                             equations.lowered))  # fmt: skip


def _check_reached(study: Study, arm: Arm, lowered: Lowered) -> None:
    """Nothing, when all that the study switches or the arm takes is a parameter of the model.

    Raises:
        UnsupportedError: a hypothesis or a modifier acts on a parameter that a user's model lacks.
    """
    asked = {name: [HYPOTHESES[name].parameter] for name in study.hypotheses}
    asked |= {name: [each.parameter for each in modifier_table()[name]] for name in arm.modifiers}
    for name, parameters in asked.items():
        missing = [parameter for parameter in parameters if parameter not in lowered.parameters]
        if missing:
            raise UnsupportedError(
                f"The model has no parameter '{missing[0]}', on which '{name}' acts.",
                where=f"arm {arm.name}",
                hint="Leave it out, or give the model that parameter.",
            )

"""Results made by hand: real studies, people and assembly, but courses from closed forms in place of the solver.

Severity falls by a share that each arm has and, in the repeats, that one parameter's draw moves; what a session does is
a hump. So every number that the report works out can be worked out again here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from rekindle.dosing.language import parse
from rekindle.equations import drawn_values, equations_of
from rekindle.mechanism.outputs import OUTPUTS
from rekindle.mechanism.parameters import Parameter, parameter_table
from rekindle.moments import course_times, repeat_times, visit_times
from rekindle.population import concat
from rekindle.report.from_trajectories.drivers import as_drawn, position
from rekindle.simulate import check_domain, session_hours, study_people
from rekindle.study import Arm, Participants, Study
from rekindle.trajectories import Solved, Trajectories, assemble_trajectories, repeat_outputs

WEEK_H = 168.0
MOVER = "drive_synapse"
KETAMINE = "0.5 mg/kg IV over 40 min, twice a week for 2 weeks"
MIDAZOLAM = "midazolam 0.045 mg/kg IV over 40 min, twice a week for 2 weeks"
GAIN = {"racemic-ketamine": 0.6, "esketamine": 0.5}
SYMPTOMS = (
    "severity", "anhedonia", "sleep_disturbance", "appetite_loss", "poor_concentration", "fatigue", "tension",
    "suicidal_ideation",
)  # fmt: skip
HALF_LIFE_H = 2.0
PEAK = 180.0
CRAVING = 0.29
"""Just below the line of 30 on a mark from 0 to 100."""


def course_of(name: str, times: np.ndarray, arm: Arm, start: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """One output for people x times."""
    hours = session_hours(arm)
    ketamine = arm.course.drugs[0] in GAIN
    since = [times - hour for hour in hours]
    if name in SYMPTOMS or name == "motivation":
        fall = gain[:, None] * (1.0 - np.exp(-times / 48.0)) * np.exp(-times / 2000.0)
        severity = start[:, None] * (1.0 - fall)
        return 1.0 - severity if name == "motivation" else severity
    if name == "plasma_ketamine" and ketamine:
        decay = sum(np.where(each > 0, np.exp(-np.log(2) / HALF_LIFE_H * np.maximum(each, 0)), 0) for each in since)
        return np.broadcast_to(PEAK * decay, (len(start), len(times))).copy()
    size = {"dissociation": 18.0, "systolic_rise": 14.0, "diastolic_rise": 9.0, "heart_rate_rise": 4.0,
            "sedation": 0.4, "nausea": 0.2, "block_interneuron": 0.4}.get(name)  # fmt: skip
    if size is not None and ketamine:
        hump = sum(np.where(each > 0, np.exp(-((np.maximum(each, 0) - 0.66) ** 2) / 0.2), 0.0) for each in since)
        return (0.5 + start)[:, None] * size * hump
    if name == "craving" and ketamine:
        return np.full((len(start), len(times)), CRAVING)
    if name in ("glutamate", "ampa", "stable_synapses"):
        return np.full((len(start), len(times)), 1.0)
    if name == "bladder_injury" and ketamine:
        return np.broadcast_to(1e-4 * times / WEEK_H, (len(start), len(times))).copy()
    return np.zeros((len(start), len(times)))


def solved(
    arm: Arm,
    times: Sequence[float],
    outputs: Sequence[str],
    start: np.ndarray,
    factor: np.ndarray,
    failed: Sequence[int],
) -> Solved:
    """An arm as the solver would give it; `failed` people have no numbers."""
    hours = np.asarray(times)
    gain = GAIN.get(arm.course.drugs[0], 0.2) * factor
    values = np.stack([course_of(name, hours, arm, start, gain) for name in outputs], axis=-1)
    values[list(failed)] = np.nan
    return Solved(arm.name, hours, tuple(outputs), values, tuple((person, "step too small") for person in failed))


def handmade(
    *,
    courses: Sequence[tuple[str, str]] = (("Ketamine", KETAMINE), ("Midazolam", MIDAZOLAM)),
    people: int = 16,
    studies: int = 12,
    weeks: float = 8.0,
    failed: Sequence[int] = (),
    moves: float = 0.4,
    calibrated: bool = False,
    mover: str = MOVER,
    **changes: Any,
) -> Trajectories:
    """A whole result without a solver."""
    arms = tuple(
        Arm(name, parse(text), "comparator" if place else "active") for place, (name, text) in enumerate(courses)
    )
    participants = Participants("treatment-resistant-depression", people)
    study = Study("By hand", arms, participants, weeks * WEEK_H, seed=3, studies=studies, **changes)
    cohort = study_people(study, people, 0)
    visits = visit_times(study.horizon_h, study.visits_h)
    sessions = [session_hours(arm) for arm in arms]
    times = sorted({time for hours in sessions for time in course_times(hours, visits, study.horizon_h)})
    start = cohort["baseline_madrs"] / 60.0
    central = [solved(arm, times, OUTPUTS, start, np.ones(people), failed) for arm in arms]
    repeats, others = [], None
    if studies:
        others = concat([study_people(study, people, number * people) for number in range(1, studies + 1)])
        drawn = drawn_values(equations_of(None, calibrated=calibrated), studies, study.seed)[mover]
        places = position(range_of(mover, calibrated), drawn)
        factor = np.repeat(1.0 + moves * places, people)
        moments = sorted({time for hours in sessions for time in repeat_times(hours, visits, study.horizon_h)})
        starts = others["baseline_madrs"] / 60.0
        repeats = [solved(arm, moments, repeat_outputs(study), starts, factor, ()) for arm in arms]
    markings = check_domain(study, cohort)
    settings = {"backend": "by hand", "calibrated": calibrated}
    return assemble_trajectories(study, cohort, central, repeats, others, visits, markings, settings)


def range_of(name: str, calibrated: bool) -> Parameter:
    """A parameter with its plausible range, or with the middle nine tenths of the package's ensemble."""
    parameter = parameter_table().get(name) or Parameter(name, 1.0, "1", 1.0, 1.0, "assumed", "", "", name, "")
    return as_drawn(parameter) if calibrated else parameter


@pytest.fixture(scope="session")
def make() -> Callable[..., Trajectories]:
    """The maker of results."""
    return handmade


@pytest.fixture(scope="session")
def result() -> Trajectories:
    """The usual result: ketamine beside midazolam, four sessions in two weeks, followed for eight."""
    return handmade()


@pytest.fixture(scope="session")
def single() -> Trajectories:
    """One infusion, followed for four weeks."""
    one = (("Ketamine", "0.5 mg/kg IV over 40 min, once"), ("Saline", "saline IV over 40 min, once"))
    return handmade(courses=one, weeks=4.0)

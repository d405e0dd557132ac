"""One virtual trial: people enrolled, treated, rated, leaving, arm by arm, as a table a statistician would get.

Every arm has people of its own (as a randomised trial does); the people of a crossover go through all arms. Ratings
are drawn item by item with the rater's error, and who leaves is drawn from the chances of `staying`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError
from rekindle.outcomes import SCALES, observe
from rekindle.streams import uniforms
from rekindle.trial.design import Number, Trial, TrialArm
from rekindle.trial.enrolment import Roster
from rekindle.trial.leaving import follow
from rekindle.trial.solving import Courses, Prepared, prepare
from rekindle.trial.staying import staying
from rekindle.trial.switches import ALL_ON, Switches
from rekindle.trial.values import Sets, sets_of
from rekindle.trial.view import View, part_view, views

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
USUAL_SIZE = 30
"""People in an arm that names no number."""


@dataclass(frozen=True)
class VirtualTrial:
    """A trial that was run. `ratings` has a row a person, arm, scale and visit.

    Its columns: person, arm, period, sequence, scale, visit_h, baseline, score (missing after leaving), expected (the
    course without the rater's error), left_h (infinite for those who stayed), and the person's sex and age.
    """

    trial: Trial
    ratings: pd.DataFrame
    seed: int


def sizes_of(trial: Trial, people: int | None = None) -> dict[str, int]:
    """People in each simulated arm: as the file says, or as many as asked for."""
    return {arm.name: people or arm.n or USUAL_SIZE for arm in trial.arms if not arm.mixture}


def run_trial(
    trial: Trial,
    *,
    values: Mapping[str, float] | None = None,
    people: int | None = None,
    seed: int | None = None,
    switches: Switches = ALL_ON,
    threads: int | None = None,
) -> VirtualTrial:
    """The trial with people of its size, at the model's values or those given (one number a name).

    Raises:
        InputError: hardly anybody meets the criteria, or a value that cannot be.
        SolverError: too many people could not be solved.
    """
    luck = trial.seed if seed is None else seed
    sets = sets_of(values)
    if sets.count != 1:
        raise InputError("A virtual trial runs under one set of values.")
    solved: list[Courses] = []
    lanes = own_people(trial, sizes_of(trial, people), luck, switches)
    for each, course in zip(lanes, follow(lanes, sets, {}, switches=switches, threads=threads), strict=True):
        del each
        solved.append(course)
    return VirtualTrial(trial, _table(trial, solved, sets, luck, switches), luck)


def visits_of(trial: Trial) -> tuple[float, ...]:
    """Ratings of a virtual trial: its visits, or the times of its published numbers, from 0."""
    own = set(trial.visits_h) or {
        number.time_h for number in trial.published if number.time_h is not None and number.scale in SCALES
    }
    return tuple(sorted({0.0, *own}))


def own_people(trial: Trial, sizes: Mapping[str, int], seed: int, switches: Switches) -> list[Prepared]:
    """The lanes of a trial, each with people of its own."""
    most = sum(sizes.values())
    lanes = prepare(trial, most, seed, numbers=(), extra=visits_of(trial), balanced=False, switches=switches)
    found, start = [], 0
    for lane in lanes:
        names = {arm.name for arm in lane.lane.arms}
        count = max(1, round(np.mean([sizes[name] for name in names])) // (len(lanes) if len(names) > 1 else 1))
        found.append(_slice(lane, start, min(start + count, most)))
        start += count
    return found


def _slice(lane: Prepared, start: int, stop: int) -> Prepared:
    rows = slice(start, stop)
    who = Roster(lane.who.people.take(rows), lane.who.observed_score[rows], lane.who.truth_score[rows])
    return Prepared(lane.trial, lane.lane, who, lane.looks, lane.doses[rows], lane.life_h, lane.life[rows])


def _scales(trial: Trial) -> list[str]:
    names = [trial.scale, *(number.scale for number in trial.published if number.scale in SCALES)]
    return list(dict.fromkeys(names))


def _table(trial: Trial, courses: Sequence[Courses], sets: Sets, seed: int, switches: Switches) -> pd.DataFrame:
    import pandas as pd

    frames = []
    for arm in trial.arms:
        if arm.mixture:
            continue
        for number, part in enumerate(views(trial, courses, None, switches)[arm.name].parts):
            single = part_view(trial, arm, part, switches)
            frames += [_rated(trial, arm, single, scale, number, seed) for scale in _scales(trial)]
    del sets
    return pd.concat(frames, ignore_index=True)


def _rated(trial: Trial, arm: TrialArm, view: View, scale: str, period: int, seed: int) -> pd.DataFrame:
    """One arm on one scale in one period, a row a person and visit."""
    import pandas as pd

    part = view.parts[0]
    of, courses = SCALES[scale], part.courses
    people = courses.who.people
    visits = [time for time in visits_of(trial) if _looked(courses, part.offset_h + time)]
    columns = [courses.column(part.offset_h + time) for time in visits]
    latents = {name: courses.latents[name][0][:, columns] for name in of.latents}
    person = {name: np.asarray(people[name], dtype=np.float64) for name in of.person_inputs}
    ratings = observe(
        of, latents, person, seed=seed, error=view.switches.rater,
        purpose=("trial", trial.name, courses.lane.name, str(period)),
    )  # fmt: skip
    score = ratings.total.copy()
    expected = np.stack([view.score(scale, time)[0][0] for time in visits], axis=1)
    plain = np.stack([view.score(scale, time)[0][0] - view.shift(of)[0, 0] * (time > 0) for time in visits], axis=1)
    score = np.clip(np.round(score + (expected - plain if view.switches.rater else 0.0)), of.minimum, of.maximum)
    entry = view.entry(scale)[0]
    score[:, 0] = entry
    left = _left(view, seed, period)
    times = np.asarray(visits)
    score = np.where(times[None, :] > left[:, None], _after(trial, view, scale, visits, seed, period), score)
    names = [f"{courses.lane.name} {name}" for name in people.names]
    count, looks = score.shape
    return pd.DataFrame(
        {
            "person": np.repeat(names, looks),
            "arm": arm.name,
            "period": period + 1 if trial.design == "crossover" else 1,
            "sequence": courses.lane.name,
            "scale": scale,
            "visit_h": np.tile(times, count),
            "baseline": np.repeat(entry, looks),
            "score": score.reshape(-1),
            "expected": expected.reshape(-1),
            "left_h": np.repeat(left, looks),
            "sex": np.repeat(np.asarray(people["sex"]), looks),
            "age_years": np.repeat(np.asarray(people["age_years"], dtype=np.float64), looks),
        }
    )


def _after(trial: Trial, view: View, scale: str, visits: Sequence[float], seed: int, period: int) -> Array:
    """Ratings after leaving, (people, visits): missing, or those of the course that ended where people are followed."""
    if view.stopped is None:
        return np.full((len(view.parts[0].courses.who), len(visits)), np.nan)
    of, part = SCALES[scale], view.stopped.parts[0]
    columns = [part.courses.column(part.offset_h + time) for time in visits]
    latents = {name: part.courses.latents[name][0][:, columns] for name in of.latents}
    person = {name: np.asarray(part.courses.who.people[name], dtype=np.float64) for name in of.person_inputs}
    purpose = ("trial", trial.name, part.courses.lane.name, str(period), "stopped")
    return observe(of, latents, person, seed=seed, error=view.switches.rater, purpose=purpose).total


def _looked(courses: Courses, time_h: float) -> bool:
    return bool(np.min(np.abs(np.asarray(courses.looks) - time_h)) < 1e-3)


def _left(view: View, seed: int, period: int) -> Array:
    """When each person leaves; infinite for those who stay."""
    stay = staying(view)
    courses = view.parts[0].courses
    luck = uniforms(seed, "trial", "leaving", courses.lane.name, str(period), count=len(courses.who))
    left = np.full(len(courses.who), np.inf)
    for place in range(len(stay.times_h) - 1, 0, -1):
        gone = luck > stay.chance[place][0]
        left[gone] = stay.times_h[place - 1] + 1e-3
    return left


def primary(trial: Trial) -> tuple[str, float]:
    """The scale and hour of the first published number that has both, else the trial's scale at its last visit."""
    for number in trial.published:
        if number.time_h and number.scale in SCALES and _is_change(number):
            return number.scale, number.time_h
    visits = visits_of(trial)
    return trial.scale, visits[-1]


def _is_change(number: Number) -> bool:
    return number.quantity in ("difference", "mean_change", "mean", "response", "standardised_difference")


def as_table(trial: VirtualTrial) -> str:
    """The ratings as CSV."""
    return str(trial.ratings.to_csv(index=False, lineterminator="\n"))


def plain_facts(trial: VirtualTrial) -> dict[str, Any]:
    """How many people each arm has, and how many stayed."""
    first = trial.ratings[(trial.ratings["visit_h"] == 0.0) & (trial.ratings["scale"] == trial.trial.scale)]
    return {
        str(arm): {"people": len(rows), "stayed": int(np.isinf(rows["left_h"]).sum())}
        for arm, rows in first.groupby("arm", sort=False)
    }

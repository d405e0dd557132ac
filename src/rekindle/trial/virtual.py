"""One virtual trial: people enrolled, treated, rated, leaving, arm by arm, as a table a statistician would get.

Every arm has people of its own (as a randomised trial does); the people of a crossover go through all arms. Ratings
are drawn item by item with the rater's error, and who leaves is drawn from the chances of `staying`. Where a trial
goes on with those who meet `enter`, so many start that about as many as the file says go on; the others are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError
from rekindle.outcomes import SCALES, observe
from rekindle.outcomes.endpoints import time_to_relapse
from rekindle.streams import uniforms
from rekindle.trial.analyses import responders
from rekindle.trial.clock import RELAPSES, relapse_visits
from rekindle.trial.design import Condition, Number, Trial, TrialArm
from rekindle.trial.enrolment import Roster
from rekindle.trial.leaving import follow
from rekindle.trial.solving import Courses, Prepared, prepare
from rekindle.trial.staying import staying
from rekindle.trial.switches import ALL_ON, Switches
from rekindle.trial.values import Sets, sets_of
from rekindle.trial.view import Luck, View, part_view, views

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
USUAL_SIZE = 30
"""People in an arm that names no number."""


FEWEST_GO_ON = 1.0 / 60.0
"""Share of those who start that must go on to the randomised stage, or the criteria count as too narrow."""


@dataclass(frozen=True)
class VirtualTrial:
    """A trial that was run. `ratings` has a row a person, arm, scale and visit, of those whom `enter` let go on.

    Its columns: person, arm, period, sequence, scale, visit_h, baseline, score (missing after leaving), expected (the
    course without the rater's error), left_h (infinite for those who stayed), and the person's sex and age.
    `relapses` has, for each way in which the file counts relapse, who was followed: arm, person, time_h (since the
    start of the clock) and observed (false where watching ended first).
    """

    trial: Trial
    ratings: pd.DataFrame
    seed: int
    relapses: tuple[Followed, ...] = ()


@dataclass(frozen=True)
class Followed:
    """Times to relapse as one published number asks for them, (people,) each."""

    number: Number
    arm: tuple[str, ...]
    person: tuple[str, ...]
    time_h: Array
    observed: NDArray[np.bool_]


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
    luck = Luck(trial.seed if seed is None else seed, balanced=False)
    trial = replace(trial, seed=luck.seed)
    sets = sets_of(values)
    if sets.count != 1:
        raise InputError("A virtual trial runs under one set of values.")
    wanted = sizes_of(trial, people)
    started = _started(trial, wanted, sets, luck, switches, threads)
    lanes = own_people(trial, started, luck.seed, switches)
    solved = follow(lanes, sets, {}, switches=switches, luck=luck, threads=threads)
    ratings, relapses = _tables(trial, solved, wanted, luck, switches)
    return VirtualTrial(trial, ratings, luck.seed, relapses)


def _started(
    trial: Trial, sizes: Mapping[str, int], sets: Sets, luck: Luck, switches: Switches, threads: int | None
) -> dict[str, int]:
    """How many people start in each arm, so that about as many as wanted go on to the randomised stage.

    Raises:
        InputError: hardly anybody goes on.
    """
    if not trial.enter:
        return dict(sizes)
    lanes = prepare(trial, 64, luck.seed, numbers=(), extra=rated_at(trial), switches=switches)
    courses = follow(lanes, sets, {}, switches=switches, luck=luck, threads=threads)
    seen_as = views(trial, courses, None, switches, luck)
    last = max((time for condition in trial.enter for time in condition.times_h), default=0.0)
    found = {}
    for name, size in sizes.items():
        stays = staying(seen_as[name]).at(last) if seen_as[name].stopped is None else 1.0
        share = float((seen_as[name].met(trial.enter, trial.scale) * stays).mean())
        if share < FEWEST_GO_ON:
            raise InputError(
                f"Of those who start in '{name}' {100.0 * share:.1f} % meet 'enter': nobody is left to go on.",
                where=f"design of {trial.name}",
                hint="Ask less of those who go on, or treat them for longer before.",
            )
        found[name] = int(np.ceil(1.2 * size / share)) + 4
    return found


def visits_of(trial: Trial) -> tuple[float, ...]:
    """Ratings of a virtual trial: its visits, or the times of its published numbers, from 0."""
    own = set(trial.visits_h) or {
        number.time_h for number in trial.published if number.time_h is not None and number.scale in SCALES
    }
    return tuple(sorted({0.0, *own}))


def rated_at(trial: Trial) -> tuple[float, ...]:
    """Every rating of a virtual trial: its visits, those that decide who goes on, and those that look for relapse."""
    times = {time for condition in trial.enter for time in condition.times_h}
    for number in relapse_numbers(trial):
        times |= {time for condition in number.among for time in condition.times_h}
        for name in number.arms:
            if not trial.arm(name).mixture:
                times |= set(relapse_visits(trial, trial.arm(name), number))
    return tuple(sorted({*(round(time, 6) for time in times), *visits_of(trial)}))


def relapse_numbers(trial: Trial) -> tuple[Number, ...]:
    """One published number for each way in which the file counts relapse, the one that watches longest."""
    found: dict[tuple[object, ...], Number] = {}
    for number in trial.published:
        if number.quantity in RELAPSES and number.scored:
            key = (number.scale, number.options.rule, number.options.since, number.stage, number.among)
            before = found.get(key)
            arms = tuple(dict.fromkeys((*(before.arms if before else ()), *number.arms)))
            longest = before if before and (before.time_h or np.inf) >= (number.time_h or np.inf) else number
            found[key] = replace(longest, arms=arms)
    return tuple(found.values())


def own_people(trial: Trial, sizes: Mapping[str, int], seed: int, switches: Switches) -> list[Prepared]:
    """The lanes of a trial, each with people of its own."""
    most = sum(sizes.values())
    lanes = prepare(trial, most, seed, numbers=(), extra=rated_at(trial), balanced=False, switches=switches)
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
    names += [condition.name for condition in trial.enter if condition.kind == "score"]
    names += [each.name for number in relapse_numbers(trial) for each in number.among if each.kind == "score"]
    return list(dict.fromkeys(names))


@dataclass(frozen=True)
class _Drawn:
    """One arm on one scale in one period: ratings and expected scores (people, visits), baseline, who leaves when."""

    visits: tuple[float, ...]
    score: Array
    expected: Array
    entry: Array
    left: Array

    def at(self, time_h: float) -> Array:
        """The ratings at a time, NaN where missing; at the start the baseline."""
        if time_h == 0.0:
            return self.entry
        return self.score[:, int(np.argmin(np.abs(np.asarray(self.visits) - time_h)))]


def _tables(
    trial: Trial, courses: Sequence[Courses], sizes: Mapping[str, int], luck: Luck, switches: Switches
) -> tuple[pd.DataFrame, tuple[Followed, ...]]:
    import pandas as pd

    frames: list[pd.DataFrame] = []
    followed: list[list[tuple[str, list[str], Array, NDArray[np.bool_]]]] = [[] for _ in relapse_numbers(trial)]
    seen_as = views(trial, courses, None, switches, luck)
    for arm in trial.arms:
        if arm.mixture:
            continue
        for part in seen_as[arm.name].parts:
            view = part_view(trial, arm, part, switches, luck)
            period = round(part.offset_h / trial.period_h) if trial.period_h else 0
            drawn = {scale: _drawn(trial, view, scale, period, luck) for scale in _scales(trial)}
            kept = np.flatnonzero(_meets(trial.enter, trial.scale, view, drawn))
            kept = kept[: sizes[arm.name]] if trial.enter else kept
            frames += [_frame(trial, arm, view, scale, period, each, kept) for scale, each in drawn.items()]
            for place, number in enumerate(relapse_numbers(trial)):
                if arm.name in number.arms:
                    followed[place].append(_relapses(trial, arm, number, view, drawn, kept))
    return pd.concat(frames, ignore_index=True), tuple(
        Followed(
            number,
            tuple(arm for arm, names, _, _ in parts for _ in names),
            tuple(name for _, names, _, _ in parts for name in names),
            np.concatenate([times for _, _, times, _ in parts]),
            np.concatenate([observed for _, _, _, observed in parts]),
        )
        for number, parts in zip(relapse_numbers(trial), followed, strict=True)
        if parts
    )


def _names(view: View) -> list[str]:
    courses = view.parts[0].courses
    return [f"{courses.lane.name} {name}" for name in courses.who.people.names]


def _meets(conditions: Sequence[Condition], scale: str, view: View, drawn: Mapping[str, _Drawn]) -> NDArray[np.bool_]:
    """Who meets all conditions by their ratings; who was not rated then does not."""
    found = np.ones(len(view.parts[0].courses.who), dtype=bool)
    for condition in conditions:
        if condition.kind == "column":
            found &= view.met([condition], scale)[0] > 0.5
            continue
        on = condition.name if condition.kind == "score" else scale
        for time in condition.times_h:
            scores = drawn[on].at(time)
            if condition.kind == "score":
                low = -np.inf if condition.at_least is None else condition.at_least
                high = np.inf if condition.at_most is None else condition.at_most
                met = (scores >= low) & (scores <= high)
            elif condition.kind in ("response", "no_response"):
                met = responders(scores, drawn[on].entry, on, condition.share or SCALES[on].response or 0.5)
            else:
                met = view.remits(on, scores, at_most=condition.at_most)
            found &= np.isfinite(scores) & (~met if condition.kind.startswith("no_") else met)
    return found


def _relapses(
    trial: Trial, arm: TrialArm, number: Number, view: View, drawn: Mapping[str, _Drawn], kept: NDArray[np.int64]
) -> tuple[str, list[str], Array, NDArray[np.bool_]]:
    """Who of an arm is followed for relapse, for how long, and whether it was seen."""
    visits = relapse_visits(trial, arm, number)
    rated = drawn[number.scale]
    inside = np.zeros(len(rated.entry), dtype=bool)
    inside[kept] = True
    if number.among:
        inside &= _meets(number.among, number.scale, view, drawn)
    elif number.stage is None:
        inside &= responders(rated.at(visits[0]), rated.entry, number.scale, SCALES[number.scale].response or 0.5)
    rows = np.flatnonzero(inside)
    scores = np.stack([rated.at(time) for time in visits[1:]], axis=1)[rows]
    found = time_to_relapse(
        SCALES[number.scale], np.asarray(visits[1:]), scores, rated.entry[rows],
        since_h=np.full(len(rows), visits[0]), rule=number.options.rule,
    )  # fmt: skip
    names = _names(view)
    # Who was never rated after the start of the clock says nothing.
    known = np.isfinite(scores).any(axis=1)
    return arm.name, [names[row] for row in rows[known]], found.time_h[known], found.observed[known]


def _drawn(trial: Trial, view: View, scale: str, period: int, luck: Luck) -> _Drawn:
    """One arm on one scale in one period, everybody in it."""
    courses, offset = view.parts[0].courses, view.parts[0].offset_h
    visits = tuple(time for time in rated_at(trial) if _looked(courses, offset + time))
    expected = np.stack([view.score(scale, time)[0][0] for time in visits], axis=1)
    score = _ratings(trial, view, scale, visits, period, luck)
    entry = view.entry(scale)[0]
    score[:, 0] = entry
    left = _left(view, period, luck)
    gone = np.asarray(visits)[None, :] > left[:, None]
    after = np.full(score.shape, np.nan)
    if view.stopped is not None:
        after = _ratings(trial, view.stopped, scale, visits, period, luck, "stopped")
    return _Drawn(visits, np.where(gone, after, score), expected, entry, left)


def _ratings(
    trial: Trial, view: View, scale: str, visits: Sequence[float], period: int, luck: Luck, *purpose: str
) -> Array:
    """Drawn ratings, (people, visits), with what raters and routine care add to those after the start."""
    of, part = SCALES[scale], view.parts[0]
    columns = [part.courses.column(part.offset_h + time) for time in visits]
    latents = {name: part.courses.latents[name][0][:, columns] for name in of.latents}
    people = part.courses.who.people
    person = {name: np.asarray(people[name], dtype=np.float64) for name in of.person_inputs}
    named = ("trial", trial.name, part.courses.lane.name, str(period), *purpose)
    total = np.round(observe(of, latents, person, seed=luck.seed, error=view.switches.rater, purpose=named).total)
    if view.switches.rater:
        moved = [float(view.shift(of, part=part, time_h=time)[0, 0]) if time > 0.0 else 0.0 for time in visits]
        # A part of a point is a point for so many: rounding would lose it, as ratings are whole already.
        by_chance = uniforms(luck.seed, *named, "part of a point", count=len(total))
        total = np.floor(total + np.asarray(moved) + by_chance[:, None])
    return np.asarray(np.clip(total, of.minimum, of.maximum))


def _frame(
    trial: Trial, arm: TrialArm, view: View, scale: str, period: int, drawn: _Drawn, kept: NDArray[np.int64]
) -> pd.DataFrame:
    """A row a person and visit."""
    import pandas as pd

    courses = view.parts[0].courses
    people, names = courses.who.people, np.asarray(_names(view), dtype=object)
    looks = len(drawn.visits)
    return pd.DataFrame(
        {
            "person": np.repeat(names[kept], looks),
            "arm": arm.name,
            "period": period + 1,
            "sequence": courses.lane.name,
            "scale": scale,
            "visit_h": np.tile(np.asarray(drawn.visits), len(kept)),
            "baseline": np.repeat(drawn.entry[kept], looks),
            "score": drawn.score[kept].reshape(-1),
            "expected": drawn.expected[kept].reshape(-1),
            "left_h": np.repeat(drawn.left[kept], looks),
            "sex": np.repeat(np.asarray(people["sex"])[kept], looks),
            "age_years": np.repeat(np.asarray(people["age_years"], dtype=np.float64)[kept], looks),
        }
    )


def _looked(courses: Courses, time_h: float) -> bool:
    return bool(np.min(np.abs(np.asarray(courses.looks) - time_h)) < 1e-3)


def _left(view: View, period: int, luck: Luck) -> Array:
    """When each person leaves or stops; infinite for those who stay."""
    courses = view.parts[0].courses
    if view.stopped is not None and view.stopped.parts[0].courses.stop_h is not None:
        return np.asarray(view.stopped.parts[0].courses.stop_h[0])
    stay = staying(view)
    drawn = uniforms(luck.seed, "trial", "leaving", courses.lane.name, str(period), count=len(courses.who))
    left = np.full(len(courses.who), np.inf)
    for place in range(len(stay.times_h) - 1, 0, -1):
        gone = drawn > stay.chance[place][0]
        left[gone] = stay.times_h[place - 1] + 1e-3
    return left


def stage_of(trial: Trial, visit_h: float) -> str | None:
    """The randomised stage, where only those whom `enter` let go on are compared at that time."""
    if trial.enter and trial.randomised is not None and visit_h > trial.stage_start_h(trial.randomised):
        return trial.randomised
    return None


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

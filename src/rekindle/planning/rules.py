"""Draws of a person followed under a rule that a clinic can follow: stretch while well, else come closer again.

The clinic reads the PHQ-9 before every session, with the rater's error. What the person was given so far stays; the
rule changes only sessions to come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.dosing.drugs import DRUGS
from rekindle.dosing.weights import Body
from rekindle.engine.specialise import part_of
from rekindle.engine.table import Happenings
from rekindle.engine.visits import Decision, Visit, solve_visits
from rekindle.inference.candidates import SCREENING, care_goes_on, care_windows, doses_of, parameters_of
from rekindle.inference.paths import Future, paths, times_for
from rekindle.inference.ratings import latents_of, look_times
from rekindle.mechanism.delivery import NEEDED
from rekindle.outcomes import scale
from rekindle.planning.doses import footing, planned_sessions
from rekindle.planning.following import ACUTE, LASTING, Followed, lasting, looks_of, peaks, resting, weekly
from rekindle.policy import Policy, Rule
from rekindle.policy.clinic import SAME_H, Clinic, Courses
from rekindle.policy.giving import Giving
from rekindle.policy.language import parse_action, parse_condition, parse_visits
from rekindle.policy.looking import Luck, outputs_read
from rekindle.policy.reading import AT_HOME
from rekindle.policy.sessions import Kinds, Sequel
from rekindle.simulate import lowered_model

if TYPE_CHECKING:
    from rekindle.inference.update import Posterior
    from rekindle.planning.options import Option

Array = NDArray[np.float64]
DAY_H = 24.0
NOBODY = Sequel(np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(0), 0.0)


class _Watched(Clinic):
    """A clinic that keeps looks at every session, and people in care as `care_windows` has it.

    `now_h` is the present of the person, `cared_h` the hours at which each draw's care ends as things stand.
    """

    seen: list[tuple[NDArray[np.int64], Array, Array]]
    looking_outputs: tuple[str, ...]
    now_h: float = 0.0
    cared_h: Array | None = None

    @property
    def looks_h(self) -> Array:
        """When each session is looked at, hours from its start."""
        return looks_of(max((kind.length_h for kind in self.courses.kinds.all), default=0.0))

    def __call__(self, visit: Visit) -> Decision:
        self.seen = [*getattr(self, "seen", []), (visit.watched.person, visit.watched.time, visit.watched.values)]
        return super().__call__(visit)

    def _watches(self, session_of: NDArray[np.int64], time: Array) -> tuple[NDArray[np.int64], Array]:
        times = time[:, None] + self.looks_h
        kept = times < self.horizon_h - SAME_H
        return np.repeat(session_of, kept.sum(axis=1)), times[kept]

    def _care(self, person: NDArray[np.int64], now: Array, until: Array) -> Happenings:
        """Care until the next visit: on to the next session where that follows soon enough, else until it ends."""
        after = float(self.giving.own["care_after"][0])
        parts, begin = [], now
        if self.cared_h is None:
            earlier = care_windows([(dose.time_h, dose.end_h) for dose in self.courses.fixed], after, self.now_h)
            ends = [np.full(len(person), window[1]) for window in earlier]
            begins = [np.full(len(person), window[0]) for window in earlier]
            parts = [
                self._in_care(person, first, np.minimum(last, until))
                for first, last in zip(begins[:-1], ends[:-1], strict=True)
            ]
            begin = begins[-1] if begins else now
            self.cared_h = np.full(len(self.plan.end_h), ends[-1][0] if ends else -np.inf)
        end = self.cared_h[person] = np.maximum(self.cared_h[person], self.plan.last_end[person] + after)
        coming = self.plan.next_time[person]
        end = np.where(care_goes_on(end, coming, after), coming, end)
        return Happenings.join([*parts, self._in_care(person, begin, np.minimum(end, until))])

    def _in_care(self, person: NDArray[np.int64], begin: Array, end: Array) -> Happenings:
        return self.giving.circumstance("care", person, begin, np.maximum(end - begin, 0.0))


def policy_of(option: Option, until_h: float) -> Policy:
    """The rule of an option as a policy: it begins with the upkeep, and never shortens below a week."""
    from rekindle.planning.options import WELL_BELOW

    begin = int(option.upkeep_h // DAY_H) + 1
    last = int(np.ceil(until_h / DAY_H)) + 1
    upkeep = f"day >= {begin}"
    return Policy(
        visits=(parse_visits("each session"), parse_visits(f"days {last}")),
        rules=(
            Rule(
                when=parse_condition(f"{upkeep} and PHQ-9 < {WELL_BELOW}"),
                then=(parse_action(f"lengthen interval by 1 week up to {option.stretch_weeks} weeks"),),
            ),
            Rule(
                when=parse_condition(f"{upkeep} and PHQ-9 >= {WELL_BELOW}"),
                then=(parse_action("shorten interval by 1 week down to 1 week"),),
            ),
        ),
    )


def follow_rule(
    posterior: Posterior,
    option: Option,
    until_h: float,
    *,
    draws: int,
    seed: int,
    judged_by: str,
    threads: int | None = None,
) -> Followed:
    """Draws of a person under a schedule with a rule, to `until_h`.

    Raises:
        InputError: a dose that cannot be given.
    """
    person = posterior.person
    drawn = posterior.resampled(draws)
    some = posterior.candidates.take(drawn)
    parameters = parameters_of(some, person)
    visits = weekly(person.now_h, until_h)
    ratings = [rating for rating in person.ratings if not scale(rating.scale).person_inputs]
    times = sorted({0.0, *look_times(ratings), *times_for(person, (judged_by,), visits)})
    names = (judged_by, "CADSS", "MOAA/S", *(rating.scale for rating in ratings))
    outputs = tuple(dict.fromkeys((*latents_of(names), *ACUTE, *LASTING)))
    clinic, lowered = _clinic(posterior, option, until_h, some.people, parameters, outputs, seed)
    solved = solve_visits(
        lowered, np.column_stack([parameters[name] for name in lowered.parameters]), clinic.looking_outputs, clinic,
        output_times=times, horizon_h=clinic.horizon_h, relative_tolerance=SCREENING, threads=threads,
    ).solution  # fmt: skip
    found = {name: np.asarray(solved[name]) for name in outputs}
    good = np.isfinite(found[outputs[0]]).all(axis=1)
    place = np.flatnonzero(good)
    ahead = Future(person, some.take(place), np.array(times), {n: v[good] for n, v in found.items()}, place)
    session, shape = _table(clinic, until_h, len(some))
    rest = resting(posterior, some.people, shape[1], seed)
    later = np.searchsorted(ahead.times_h, person.now_h)
    densest = planned_sessions(option.planned(), person)
    peak = peaks(_looks(clinic, session["times_h"]), rest)
    return Followed(
        times_h=session["times_h"][good],
        mg=session["mg"][good],
        footing_mg=session["footing_mg"][good],
        peaks={name: np.where(np.isfinite(session["times_h"]), values, np.nan)[good] for name, values in peak.items()},
        lasting=lasting({name: ahead.outputs[name][:, later:] for name in LASTING}),
        ratings=paths(ahead, judged_by, visits, posterior.wander, seed),
        fixed=False,
        densest=np.stack([densest.times_h, densest.mg]),
        place=place,
        distinct=len(np.unique(drawn[place])),
    )


def _clinic(
    posterior: Posterior,
    option: Option,
    until_h: float,
    people: Any,
    parameters: dict[str, Array],
    outputs: tuple[str, ...],
    seed: int,
) -> tuple[_Watched, Any]:
    """The clinic, and the part of the model that is solved."""
    person, policy = posterior.person, policy_of(option, until_h)
    kinds, lowered = Kinds(), lowered_model()
    sessions = kinds.sequel(option.course().sessions, until_h)
    own_sequel = Sequel(sessions.times + option.start_h, sessions.kinds, sessions.amounts, until_h)
    doses = doses_of(person)
    supervised = tuple(sorted({dose.time_h for dose in doses if dose.drug not in AT_HOME}))
    courses = Courses(kinds, own_sequel, NOBODY, {}, doses, supervised)
    names = tuple(dict.fromkeys((*outputs, *outputs_read(policy))))
    own = {name: parameters[name] for name in (*NEEDED, "oral_antidepressant", "care_after")}
    bodies = [
        Body(*each) for each in zip(people["weight_kg"].tolist(), _heights(people), people["sex"].tolist(), strict=True)
    ]
    giving = Giving(lowered, kinds, bodies, own)
    touched = giving.touched(doses)
    zero = [name for name in lowered.parameters if not np.any(parameters[name])]
    positive = [name for name in lowered.parameters if name not in touched and np.all(parameters[name] > 0.0)]
    part = part_of(lowered, names, zero=zero, touched=touched, positive=positive).lowered
    left_out = touched - {*part.states, *part.parameters}
    giving = Giving(part, kinds, bodies, own, left_out)
    horizon_h = (np.ceil(until_h / DAY_H) + 1.0) * DAY_H
    clinic = _Watched(policy, courses, people, giving, names, horizon_h, Luck(seed, ("plan",)))
    clinic.looking_outputs, clinic.now_h = names, person.now_h
    return clinic, part


def _heights(people: Any) -> list[float | None]:
    return list(people["height_cm"].tolist()) if "height_cm" in people else [None] * len(people)


def _table(clinic: Clinic, until_h: float, count: int) -> tuple[dict[str, Array], tuple[int, int]]:
    """Sessions before the end as tables of shape (draws, sessions), NaN where a draw has fewer."""
    given = clinic.given
    kept = given.time < until_h
    person, time, mg = given.person[kept], given.time[kept], given.mg[kept]
    factors = np.array([
        footing(kind.regimen.drug, kind.regimen.steps[0].route) if DRUGS[kind.regimen.drug].is_ketamine else 0.0
        for kind in clinic.courses.kinds.all
    ])  # fmt: skip
    rank = np.arange(len(person)) - np.searchsorted(person, person)
    shape = count, int(rank.max(initial=-1)) + 1
    found = {name: np.full(shape, np.nan) for name in ("times_h", "mg", "footing_mg")}
    found["times_h"][person, rank] = time
    found["mg"][person, rank] = mg
    found["footing_mg"][person, rank] = mg * factors[given.kind[kept]]
    return found, shape


def _looks(clinic: _Watched, times_h: Array) -> dict[str, Array]:
    """Looks at sessions, shape (draws, sessions, looks) by output; NaN where there is none."""
    person = np.concatenate([each[0] for each in clinic.seen])
    time = np.concatenate([each[1] for each in clinic.seen])
    values = np.concatenate([each[2] for each in clinic.seen])
    starts = np.where(np.isfinite(times_h), times_h, np.inf)
    looks = clinic.looks_h
    found = {name: np.full((*times_h.shape, len(looks)), np.nan) for name in ACUTE}
    if not times_h.shape[1]:
        return found
    session = (starts[person] <= time[:, None] + SAME_H).sum(axis=1) - 1
    inside = session >= 0
    person, time, values, session = person[inside], time[inside], values[inside], session[inside]
    after = time - times_h[person, session]
    look = np.abs(after[:, None] - looks[None, :]).argmin(axis=1)
    near = np.abs(after - looks[look]) < SAME_H
    for name in ACUTE:
        column = clinic.looking_outputs.index(name)
        found[name][person[near], session[near], look[near]] = values[near, column]
    return found

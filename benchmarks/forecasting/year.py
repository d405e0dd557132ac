"""A simulated year under four policies, in the model's world and in another: weeks well, relapses, doses, harms.

    python benchmarks/forecasting/year.py --people 24 --json year.json

Everybody has had eight infusions in four weeks, is in response at the end of them (not so with `--everybody`), and is
seen every week of the year; what differs is what follows. A policy is a function from what the clinic knows of a
person to the sessions of its next block of weeks. Persons, drift and rating errors are the same under every policy.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from clinics import DAY, DRUG, IV, NO_EXPECTANCY, TRD, World, sets, sets_made
from numpy.typing import NDArray

from rekindle.inference.candidates import Candidates, Sets, courses, doses_of, draw_candidates, parameters_of
from rekindle.inference.candidates import schedules_of as schedules
from rekindle.inference.drift import DEFAULT
from rekindle.inference.paths import future, paths
from rekindle.inference.ratings import MOOD
from rekindle.inference.update import update
from rekindle.outcomes import observe, scale
from rekindle.outcomes.endpoints import response, time_to_relapse
from rekindle.person.record import Given, Person, Rated

Array = NDArray[np.float64]

SEED = 20261127
WEEKS, WEEK_H = 52, 168.0
INDUCTION_DAYS = tuple(7.0 * week + day for week in range(4) for day in (0.0, 3.0))
HOUR = 10.0
BLOCK = 8
"""Weeks between reviews of Rekindle's plan."""
LOOK = 12
"""Weeks that a review looks ahead, so that what a block leaves behind counts too."""
OPTIONS = ((), (0,), (0, 4), (0, 2, 4, 6), tuple(range(8)))
"""Weeks of a block that have a session."""
PRICES = (0.2,)
"""Weeks in response that a session must be worth."""
CARE_H = 9000.0
"""Everybody is seen every week whatever the policy, so care is felt all year."""
HARMS = ("systolic_rise", "dissociation", "craving", "bladder_injury")
LOOKS_H = np.array([0.3, 0.5, 0.7, 1.0, 1.5])
MADRS = scale("MADRS")
WORLDS = (
    World("as the model"),
    World("another drug effect and drift", DRUG, NO_EXPECTANCY, drift=2.0),
)


@dataclass(frozen=True)
class Subject:
    """A true person: one candidate, its parameters in this world, and the luck of each week."""

    number: int
    candidate: Candidates
    parameters: Mapping[str, Array]
    person: Person
    shift: Array

    def follow(
        self, days: tuple[float, ...], *, around_sessions: bool = False
    ) -> tuple[Array, Array, dict[str, Array]]:
        """Own scores and ratings weekly (weeks 0 to 52), and the outputs around each session (sessions, looks)."""
        person = with_doses(self.person, days)
        weekly = WEEK_H * np.arange(WEEKS + 1)
        looks = np.array([[day * DAY + HOUR + look for look in LOOKS_H] for day in days])
        times = sorted({0.0, *weekly.tolist(), *looks.ravel().tolist()})
        if not around_sessions:
            times = weekly.tolist()
        names = (*MADRS.latents, *(HARMS if around_sessions else ()))
        parts = schedules(doses_of(person), self.parameters, times)
        found = courses(self.parameters, parts, names, threads=1)
        at = np.searchsorted(times, weekly)
        latents = {name: found[name][:, at] for name in MADRS.latents}
        raised = {
            name: np.clip(values + self.shift, 0.0, 1.0) if name in MOOD else values for name, values in latents.items()
        }
        own = observe(MADRS, raised, seed=0, error=False).total[0]
        ratings = observe(MADRS, raised, seed=SEED, start=self.number).total[0]
        if not around_sessions:
            return own, ratings, {}
        around = {name: found[name][0][np.searchsorted(times, looks)] for name in ("systolic_rise", "dissociation")}
        around |= {name: found[name][0][at] for name in ("craving", "bladder_injury")}
        return own, ratings, around


def with_doses(person: Person, days: tuple[float, ...]) -> Person:
    """The person with infusions on these days."""
    return replace(person, given=tuple(Given(day * DAY + HOUR, IV) for day in sorted(days)))


def true_person(number: int, world: World, shared: Sets) -> Subject:
    """One person of a world, with the drift of their year."""
    luck = np.random.default_rng([SEED, number])
    blank = Person(date(2026, 1, 5), TRD, 0.0, {})
    candidate = draw_candidates(blank, shared, 1, SEED + number)
    known = {name: float(candidate.people[name][0]) for name in ("weight_kg", "age_years", "failed_treatments")}
    person = replace(blank, covariates={**known, "sex": str(candidate.people["sex"][0])})
    parameters = parameters_of(candidate, person)
    for name, factor in world.factors.items():
        parameters[name] = parameters[name] * factor
    for name, value in world.values.items():
        parameters[name] = np.full(1, value)
    wander = replace(DEFAULT, sd=DEFAULT.sd * world.drift)
    weekly = WEEK_H * np.arange(WEEKS + 1)
    factor = np.linalg.cholesky(wander.covariance(weekly, weekly) + 1e-12 * np.eye(WEEKS + 1))
    shift = factor @ luck.standard_normal(WEEKS + 1) + DEFAULT.bent * luck.standard_normal()
    return Subject(number, candidate, parameters, person, shift[None, :])


def enrolled(world: World, shared: Sets, count: int, *, everybody: bool) -> Iterator[Subject]:
    """Persons of a world whose rating at week 4 shows a response, as upkeep is for them, or everybody."""
    number, found = 0, 0
    while found < count:
        who = true_person(number, world, shared)
        _, ratings, _ = who.follow(INDUCTION_DAYS)
        number += 1
        if everybody or ratings[4] <= 0.5 * ratings[0]:
            found += 1
            yield who


Policy = Callable[[Subject, Sets, int], tuple[float, ...]]


def every(weeks: int, first: int = 4) -> tuple[float, ...]:
    """Days of sessions every so many weeks from one week on."""
    return tuple(7.0 * week for week in range(first, WEEKS, weeks))


def label(who: Subject, shared: Sets, candidates: int) -> tuple[float, ...]:
    """Weekly in weeks 5 to 8, then every second week: the rhythm of the spray's label."""
    return (*INDUCTION_DAYS, *every(1)[:4], *every(2, 8))


def monthly(who: Subject, shared: Sets, candidates: int) -> tuple[float, ...]:
    """Every four weeks."""
    return (*INDUCTION_DAYS, *every(4))


def triggered(who: Subject, shared: Sets, candidates: int) -> tuple[float, ...]:
    """A session in each week in which the rating shows no response."""
    days = INDUCTION_DAYS
    _, ratings, _ = who.follow(days)
    for week in range(4, WEEKS):
        if ratings[week] > 0.5 * ratings[0]:
            # The rating is of the morning, the session follows it.
            days = (*days, 7.0 * week)
            _, ratings, _ = who.follow(days)
    return days


def planned(price: float) -> Policy:
    """Rekindle's plan: at each review the sessions with the best expected weeks in response less their price."""

    def rule(who: Subject, shared: Sets, candidates: int) -> tuple[float, ...]:
        days = INDUCTION_DAYS
        for week in range(4, WEEKS, BLOCK):
            _, ratings, _ = who.follow(days)
            seen = [*range(5), *range(6, week + 1, 2)] if week > 4 else list(range(5))
            rated = tuple(Rated(each * WEEK_H, "MADRS", float(ratings[each])) for each in seen if each <= week)
            known = replace(with_doses(who.person, days), ratings=rated, now_h=week * WEEK_H)
            posterior = update(known, candidates=candidates, seed=SEED + who.number, sets=shared, threads=1)
            ahead = WEEK_H * np.arange(week + 1, min(week + LOOK, WEEKS) + 1)
            worth = []
            for option in OPTIONS:
                extra = tuple(7.0 * (week + each) for each in option if week + each < WEEKS)
                asked = replace(posterior, person=replace(known, given=with_doses(known, (*days, *extra)).given))
                drawn = future(asked, None, scales=("MADRS",), times_h=ahead.tolist(), draws=150, threads=1)
                path = paths(drawn, "MADRS", ahead, asked.wander, SEED)
                well = response(MADRS, path.own, np.full(len(path.own), ratings[0]))
                worth.append((float(well.mean(axis=0).sum()) - price * len(extra), extra))
            days = (*days, *max(worth)[1])
        return days

    return rule


POLICIES: dict[str, Policy] = {
    "label schedule": label, "fixed monthly": monthly, "symptom-triggered": triggered,
    **{f"Rekindle's plan, a session worth {price:g} weeks": planned(price) for price in PRICES},
}  # fmt: skip


def outcome(who: Subject, days: tuple[float, ...]) -> dict[str, float]:
    """What a year came to."""
    own, ratings, around = who.follow(days, around_sessions=True)
    base = np.array([ratings[0]])
    well = response(MADRS, own[None, :], base)[0]
    since = np.array([4 * WEEK_H if response(MADRS, ratings[None, 4:5], base)[0, 0] else np.nan])
    lost = time_to_relapse(MADRS, WEEK_H * np.arange(WEEKS + 1), ratings[None, :], base, since_h=since)
    rest = float(who.candidate.people["systolic_baseline"][0])
    return {
        "sessions": float(len(days)),
        "upkeep_sessions": float(len(days) - len(INDUCTION_DAYS)),
        "weeks_in_response": float(well[5:].sum()),
        "responder": float(np.isfinite(since[0])),
        "relapse": float(lost.observed[0]) if np.isfinite(since[0]) else float("nan"),
        "mean_madrs": float(own[5:].mean()),
        "sessions_above_180": float((rest + around["systolic_rise"].max(axis=1) > 180.0).sum()),
        "worst_dissociation": float(around["dissociation"].max()),
        "craving": float(around["craving"].max()),
        "bladder": float(around["bladder_injury"].max()),
    }


def _mean(values: list[float]) -> float:
    """The mean of what is known."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def report(found: Mapping[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Means by policy, and paired differences from the first plan to each fixed policy with intervals."""
    luck = np.random.default_rng(SEED)
    table = {name: {key: _mean([row[key] for row in rows]) for key in rows[0]} for name, rows in found.items()}
    pairs: dict[str, Any] = {}
    plans = [name for name in found if name.startswith("Rekindle")]
    for plan in plans:
        for other in (name for name in found if name not in plans):
            for key in ("upkeep_sessions", "weeks_in_response", "relapse"):
                gap = np.array([a[key] - b[key] for a, b in zip(found[plan], found[other], strict=True)])
                gap = gap[np.isfinite(gap)]
                if not len(gap):
                    continue
                means = gap[luck.integers(0, len(gap), (2000, len(gap)))].mean(axis=1)
                row = [float(gap.mean()), *np.percentile(means, [2.5, 97.5]).tolist()]
                pairs[f"{plan} | {other} | {key}"] = row
    return {"policies": table, "pairs": pairs}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--candidates", type=int, default=1500)
    parser.add_argument("--world", type=int, choices=range(len(WORLDS)), help="only this world")
    parser.add_argument("--everybody", action="store_true", help="also those without a response at week 4")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    begun = time.perf_counter()
    values = dict(sets().values)
    shared = Sets({**values, "care_after": np.full(len(sets()), CARE_H)})
    made: dict[str, Any] = {}
    for world in WORLDS if asked.world is None else WORLDS[asked.world : asked.world + 1]:
        found: dict[str, list[dict[str, float]]] = {name: [] for name in POLICIES}
        for number, who in enumerate(enrolled(world, shared, asked.people, everybody=asked.everybody)):
            for name, policy in POLICIES.items():
                found[name].append(outcome(who, policy(who, shared, asked.candidates)))
            print(f"{world.name}, {number + 1}: {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
            made[world.name] = {"world": world.name, "persons": number + 1, **report(found)}
            if asked.json:
                content = {
                    "seed": SEED,
                    "sets_made": sets_made(),
                    "seconds": time.perf_counter() - begun,
                    "everybody": asked.everybody,
                    "worlds": list(made.values()),
                }
                asked.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        print(world.name)
        for name, row in made[world.name]["policies"].items():
            print(f"  {name}: " + ", ".join(f"{key} {value:.2f}" for key, value in row.items()))


if __name__ == "__main__":
    main()

"""Do a plan's limits hold on fresh draws? Random persons, every shipped file of limits, each trade-off measured again.

For each person (drawn from the population, with a history and ratings that the model makes) and each file of limits a
plan is made. Every limit of every trade-off is then measured on fresh draws: another cloud of candidates from another
seed. Printed are the largest chance on fresh draws against what is allowed, and how many limits it passes.

    python benchmarks/planning/limits_hold.py --persons 20 --fresh 10000
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from rekindle.inference.candidates import courses, doses_of, draw_candidates, parameters_of, schedules_of
from rekindle.inference.ratings import expected_ratings, latents_of
from rekindle.inference.sets import shared_sets
from rekindle.inference.update import Posterior, update
from rekindle.person.record import Given, Person, Rated, Vital
from rekindle.planning.limits import read_limits, shipped
from rekindle.planning.measuring import measure
from rekindle.planning.plan import plan
from rekindle.planning.search import Settings
from rekindle.population import draw
from rekindle.streams import generator

DAY = 24.0
KIND = "treatment-resistant-depression"
HISTORIES = (
    ((1, 4, 8, 11), "0.5 mg/kg IV over 40 min"),
    ((1, 3, 5, 8, 10, 12), "0.5 mg/kg IV over 40 min"),
    ((1, 4, 8, 11, 15, 18), "56 mg intranasal esketamine"),
    ((1, 8), "0.5 mg/kg ketamine subcutaneously"),
    ((), ""),
)


@dataclass
class Row:
    """One person and one file of limits."""

    person: int
    limits: str
    choices: int
    tested: int
    broken: int
    worst: float
    worst_name: str
    seconds: float


def random_person(number: int) -> Person:
    """A person whom the model makes: body, history, ratings at three visits, one reading of pressure."""
    luck = generator(number, "benchmark", "person")
    table = draw(KIND, 1, 10_000 + number)
    known = {
        "weight_kg": round(float(table["weight_kg"][0]), 1),
        "age_years": round(float(table["age_years"][0])),
        "sex": str(table["sex"][0]),
    }
    days, sentence = HISTORIES[int(luck.integers(len(HISTORIES)))]
    given = tuple(Given(day * DAY + 10.0, sentence) for day in days)
    now = (max(days, default=1) + 5) * DAY
    person = Person(date(2026, 1, 5), KIND, now, known, {}, given)
    truth = draw_candidates(person, shared_sets(), 1, 20_000 + number)
    times = sorted({0.0, 7 * DAY, now})
    parameters = parameters_of(truth, person)
    solved = courses(parameters, schedules_of(doses_of(person), parameters, times), latents_of(["MADRS"]), threads=1)
    expected = expected_ratings([Rated(each, "MADRS", 0.0) for each in times], solved, times)
    totals = expected.mean[0] + np.sqrt(expected.variance[0]) * luck.standard_normal(len(times))
    ratings = tuple(
        Rated(each, "MADRS", float(np.clip(round(total), 0, 60))) for each, total in zip(times, totals, strict=True)
    )
    upper, lower = (float(truth.people[f"{sign}_baseline"][0]) for sign in ("systolic", "diastolic"))
    return replace(person, ratings=ratings, vitals=(Vital(9.0, round(upper), round(lower)),))


def main() -> None:
    """Make the plans, measure them again, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="number of the first person")
    parser.add_argument("--limits", nargs="*", default=list(shipped()))
    parser.add_argument("--fresh", type=int, default=10_000, help="fresh draws")
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--fresh-candidates", type=int, default=40_000)
    parser.add_argument("--budget", type=int, default=24)
    parser.add_argument("--weeks", type=int, default=26)
    asked = parser.parse_args()
    settings = Settings(budget=asked.budget, finals=8, keep=4)
    rows = []
    print("person  limits           choices  tested  passed  worst chance / allowed  (which)  seconds")
    for number in range(asked.first, asked.first + asked.persons):
        person = random_person(number)
        posterior = update(person, candidates=asked.candidates, seed=1)
        fresh = update(person, candidates=asked.fresh_candidates, seed=7_001 + number)
        for name in asked.limits:
            rows.append(check(number, posterior, fresh, name, asked, settings))
            each = rows[-1]
            print(
                f"{each.person:6d}  {each.limits:15s}  {each.choices:7d}  {each.tested:6d}  {each.broken:6d}  "
                f"{each.worst:22.2f}  ({each.worst_name})  {each.seconds:.0f}",
                flush=True,
            )
    tested, broken = sum(each.tested for each in rows), sum(each.broken for each in rows)
    choices = sum(each.choices for each in rows)
    print(f"{len(rows)} plans, {choices} trade-offs, {tested} limits, {broken} passed on fresh draws")


def check(
    number: int, posterior: Posterior, fresh: Posterior, name: str, asked: argparse.Namespace, settings: Settings
) -> Row:
    """One plan and its limits on fresh draws."""
    begun = time.perf_counter()
    limits = read_limits(name)
    made = plan(posterior, limits, weeks=asked.weeks, settings=settings, seed=1)
    tested, broken, worst, worst_name = 0, 0, 0.0, "-"
    for choice in made.choices:
        again = measure(fresh, choice.option, limits, made.frame.until_h, draws=asked.fresh, seed=5_001 + number)
        for each in (*again.limits, again.joint):
            if each.allowed is None or (each.limit is not None and not each.limit.keep):
                continue
            tested += 1
            broken += each.chance > each.allowed + 1e-12
            share = each.chance / each.allowed if each.allowed else float(each.chance > 0.0)
            if share > worst:
                worst, worst_name = share, each.name
    return Row(number, name, len(made.choices), tested, broken, worst, worst_name, time.perf_counter() - begun)


if __name__ == "__main__":
    main()

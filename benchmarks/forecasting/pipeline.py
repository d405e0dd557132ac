"""The whole way of one person, for many: `update` with its rounds of candidates, then the forecast.

    python benchmarks/forecasting/pipeline.py --people 80 --json pipeline.json

Unlike `synthetic.py`, where persons of a design share one cloud, every person here has their own weight, age, sex and
failed treatments, which the update is told, and is updated by itself.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import scoring
from clinics import DAY, DESIGNS, TRD, WORLDS, clinic, sets, sets_made
from numpy.typing import NDArray

from rekindle.inference.candidates import Sets, luck_names
from rekindle.inference.drift import DEFAULT
from rekindle.inference.paths import future, paths
from rekindle.inference.update import Posterior, update
from rekindle.outcomes import scale
from rekindle.person.record import Person
from rekindle.population import draw

Array = NDArray[np.float64]

SEED = 20261125
DRAWS = 400
TOLD = ("weight_kg", "age_years", "sex", "failed_treatments")


def ratings_ahead(posterior: Posterior, name: str, time_h: float, seed: int) -> tuple[Array, Array]:
    """Draws of one rating to come and of the person's own score, before rounding."""
    ahead = future(posterior, None, scales=(name,), times_h=(time_h,), draws=DRAWS, threads=1)
    path = paths(ahead, name, np.array([time_h]), DEFAULT, seed)
    return path.unrounded[:, 0], path.own[:, 0]


def known_until(person: Person, count: int) -> Person:
    """The person as known after their first `count` ratings; doses after that are still to come."""
    ratings = person.ratings[:count]
    return replace(person, ratings=ratings, now_h=ratings[-1].time_h)


def one(number: int, shared: Sets, candidates: int) -> dict[str, Any]:
    """One person: two visits foretold and the ranks of what was true given all ratings."""
    luck = np.random.default_rng([SEED, number])
    design = DESIGNS[number % len(DESIGNS)]
    row = draw(TRD, 1, SEED, start=number)[0]
    design = replace(design, known={name: row[name] for name in TOLD})
    true = clinic(design, shared, 1, SEED + 10 + number, WORLDS[0])
    whole = design.person(true.totals[0])
    found: dict[str, Any] = {"forecasts": [], "ranks": {}}
    for place in luck.choice(len(design.groups) - 1, 2, replace=False):
        begin, _ = design.groups[1 + place]
        day, name = design.ratings[begin]
        posterior = update(known_until(whole, begin), candidates=candidates, seed=number, sets=shared, threads=1)
        draws, _ = ratings_ahead(posterior, name, day * DAY, number)
        span = scale(name).maximum - scale(name).minimum
        truth = float(true.totals[0, begin])
        found["forecasts"].append({"draws": draws.tolist(), "truth": truth, "span": span, "known": begin})
    posterior = update(whole, candidates=candidates, seed=number, sets=shared, threads=1)
    day, name = design.ratings[-1]
    _, own = ratings_ahead(posterior, name, day * DAY, number)
    chosen = luck.choice(len(own), scoring.RANKS)
    found["ranks"]["own score now"] = scoring.rank_among(own[chosen], true.own[0, -1], luck.random())
    rows = luck.choice(len(posterior.weights), scoring.RANKS, p=posterior.weights)
    for column, effect in enumerate(luck_names()):
        drawn = posterior.candidates.luck[rows, column]
        found["ranks"][effect] = scoring.rank_among(drawn, true.luck[0, column], luck.random())
    found |= {"verdict": posterior.verdict, "surprise": posterior.surprise}
    found |= {"effective": posterior.effective, "pareto_k": posterior.pareto_k}
    return found


def report(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures, ready for JSON."""
    forecasts = [each for person in found for each in person["forecasts"]]
    draws, truth = np.array([each["draws"] for each in forecasts]), np.array([each["truth"] for each in forecasts])
    size = 60.0 / np.array([each["span"] for each in forecasts])
    ranks = {name: [person["ranks"][name] for person in found] for name in found[0]["ranks"]}
    # Few persons: ten bins, so that each expects several.
    chances = {name: scoring.uniformity(each, bins=5) for name, each in ranks.items()}
    summary = scoring.summary(draws, truth)
    summary["crps"] = float((scoring.crps_of_rows(np.rint(draws), truth) * size).mean())
    return {
        "persons": len(found),
        "summary": summary,
        "ranks": {"p": chances, "holm": scoring.holm(chances)},
        "verdicts": dict(Counter(person["verdict"] for person in found)),
        "effective": np.percentile([person["effective"] for person in found], [0, 10, 50]).tolist(),
        "pareto_k": np.percentile([person["pareto_k"] for person in found], [50, 90, 100]).tolist(),
        "surprise": {str(p): float(np.mean([person["surprise"] < p for person in found])) for p in (0.001, 0.01, 0.05)},
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=80)
    parser.add_argument("--candidates", type=int, default=4000)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    begun, shared, found = time.perf_counter(), sets(), []
    for number in range(asked.people):
        found.append(one(number, shared, asked.candidates))
        if asked.json and (number % 5 == 4 or number == asked.people - 1):
            content = {
                "seed": SEED,
                "sets_made": sets_made(),
                "candidates": asked.candidates,
                "seconds": time.perf_counter() - begun,
            }
            asked.json.write_text(json.dumps({**content, **report(found)}, indent=1) + "\n", encoding="utf-8")
        if number % 10 == 9:
            print(f"{number + 1} persons: {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    made = report(found)
    summary = made["summary"]
    print(f"{made['persons']} persons, {summary['forecasts']:.0f} forecasts: 95 % {100 * summary['cover95']:.1f}, "
          f"50 % {100 * summary['cover50']:.1f}, bias {summary['bias']:.2f}, CRPS {summary['crps']:.2f}; "
          f"least Holm p {min(made['ranks']['holm'].values()):.3f}; effective {made['effective']}; "
          f"k {made['pareto_k']}; {made['verdicts']}; {made['surprise']}")  # fmt: skip


if __name__ == "__main__":
    main()

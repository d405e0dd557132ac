"""Iterative forecasts in synthetic clinics: each visit foretold from the ones before, in the model's world and others.

    python benchmarks/forecasting/synthetic.py --people 2000 --json synthetic.json

Eight clinics, each with its own doses and visits; `--people` are shared out among them, `--others` are the persons of
each world that is not the model's. Every person is forecast at every visit from the second on, by Rekindle with its
prior and its drift, and by four simple forecasts that were fitted on other persons of the same world.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rivals
import scoring
from clinics import DESIGNS, WORLDS, Clinic, Cloud, World, clinic, cloud, oddness, sets, sets_made
from numpy.typing import NDArray

from rekindle.inference.candidates import luck_names
from rekindle.inference.importance import effective_size, pareto_smoothed, systematic
from rekindle.inference.paths import drawn
from rekindle.inference.update import SURPRISE
from rekindle.outcomes import scale
from rekindle.outcomes.endpoints import remission, response

Array = NDArray[np.float64]

SEED = 20261124
TRAINING = 150
DRAWS = rivals.DRAWS
REKINDLE = "Rekindle"
FEWEST = 30.0


@dataclass
class Tally:
    """What was foretold and what came, in the order of the forecasts."""

    draws: dict[str, list[Array]] = field(default_factory=lambda: defaultdict(list))
    truth: list[float] = field(default_factory=list)
    spans: list[float] = field(default_factory=list)
    persons: list[int] = field(default_factory=list)
    known: list[int] = field(default_factory=list)
    chances: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    ranks: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    effective: list[float] = field(default_factory=list)
    odd: list[float] = field(default_factory=list)


def follow(tally: Tally, held: Cloud, seen: Clinic, fitted: rivals.Fitted, first: int) -> None:
    """Every person of a clinic at every visit."""
    luck = np.random.default_rng([SEED, first])
    others = {known: {} for known, _ in seen.design.groups[1:]}
    for begin, end in seen.design.groups[1:]:
        for column in range(begin, end):
            others[begin][column] = fitted.forecasts(seen.totals, begin, column)
    for person, totals in enumerate(seen.totals):
        logs, away = held.log_likelihoods(totals)
        for begin, end in seen.design.groups[1:]:
            if not np.isfinite(totals[begin]):
                break
            weights, _ = pareto_smoothed(logs[:, begin - 1])
            rows = systematic(weights, DRAWS, luck.random())
            past = held.expected.of(rows).take(range(begin))
            for column in range(begin, end):
                found = scale(seen.design.ratings[column][1])
                coming = held.expected.of(rows).take([column])
                _, ratings, _ = drawn(past, coming, totals[:begin], held.wander, found, luck)
                tally.draws[REKINDLE].append(ratings[:, 0])
                for name in rivals.RIVALS:
                    tally.draws[name].append(others[begin][column][name][person])
                tally.truth.append(totals[column])
                tally.spans.append(found.maximum - found.minimum)
                tally.persons.append(first + person)
                tally.known.append(begin)
                _chances(tally, found, seen, totals, begin, column)
        _after(tally, held, seen, person, logs, luck)
        tally.odd.append(oddness(logs, away, int(np.isfinite(totals).sum())))


def _chances(tally: Tally, found: Any, seen: Clinic, totals: Array, begin: int, column: int) -> None:
    """Chances of response and remission beside what came, for all methods."""
    same = [place for place in range(begin) if seen.design.ratings[place][1] == found.name]
    for name in (REKINDLE, *rivals.RIVALS):
        draws = np.rint(tally.draws[name][-1])[:, None]
        if found.response is not None and same:
            base = np.full(len(draws), totals[same[0]])
            came = response(found, totals[column].reshape(1, 1), base[:1])[0, 0]
            tally.chances[f"response: {name}"].append((response(found, draws, base).mean(), float(came)))
        if found.remission:
            came = remission(found, totals[column].reshape(1, 1))[0, 0]
            tally.chances[f"remission: {name}"].append((remission(found, draws).mean(), float(came)))


def _after(tally: Tally, held: Cloud, seen: Clinic, person: int, logs: Array, luck: np.random.Generator) -> None:
    """Given all of a person's ratings: ranks of what was true, and the weights' worth."""
    totals = seen.totals[person]
    last = int(np.isfinite(totals).sum())
    weights, _ = pareto_smoothed(logs[:, last - 1])
    tally.effective.append(effective_size(weights))
    rows = luck.choice(len(weights), scoring.RANKS, p=weights)
    found = scale(seen.design.ratings[last - 1][1])
    past = held.expected.of(rows).take(range(last))
    own, _, _ = drawn(past, past.take([last - 1]), totals[:last], held.wander, found, luck)
    tally.ranks["own score now"].append(scoring.rank_among(own[:, 0], seen.own[person, last - 1], luck.random()))
    severity = held.severity[rows, last - 1]
    tally.ranks["severity now"].append(scoring.rank_among(severity, seen.severity[person, last - 1], luck.random()))
    for place, name in enumerate(luck_names()):
        rank = scoring.rank_among(held.luck[rows, place], seen.luck[person, place], luck.random())
        tally.ranks[name].append(rank)


def report(tally: Tally, world: World) -> dict[str, Any]:
    """The figures of one world, ready for JSON."""
    truth, spans = np.array(tally.truth), np.array(tally.spans)
    persons = np.array(tally.persons)
    draws = {name: np.array(values) for name, values in tally.draws.items()}
    # Scores of all scales are put on the span of the MADRS, 60 points.
    scores = {name: scoring.crps_of_rows(np.rint(values), truth) * 60.0 / spans for name, values in draws.items()}
    methods = {}
    for name, values in draws.items():
        methods[name] = scoring.summary(values, truth)
        methods[name]["crps"] = float(scores[name].mean())
        for what in ("width50", "width80", "width95", "bias", "error"):
            size = 60.0 / spans
            methods[name][what] = _scaled(values, truth, size, what)
    chi = {name: scoring.uniformity(ranks) for name, ranks in tally.ranks.items()}
    return {
        "world": world.name,
        "persons": len(tally.effective),
        "forecasts": len(truth),
        "methods": methods,
        "against": {
            name: scoring.paired(scores[REKINDLE], scores[name], persons, SEED) for name in rivals.RIVALS
        },
        "by_known": _by_known(draws[REKINDLE], truth, np.array(tally.known)),
        "chances": {name: _chance(pairs) for name, pairs in tally.chances.items()},
        "ranks": {"p": chi, "holm": scoring.holm(chi), "bins": {n: _bins(r) for n, r in tally.ranks.items()}},
        "effective": np.percentile(tally.effective, [0, 1, 10, 50]).tolist(),
        "few_effective": float((np.array(tally.effective) < FEWEST).mean()),
        "odd": {str(line): float((np.array(tally.odd) < line).mean()) for line in (0.001, SURPRISE, 0.05)},
    }  # fmt: skip


def _scaled(draws: Array, truth: Array, size: Array, what: str) -> float:
    if what == "bias":
        return float(((draws.mean(axis=1) - truth) * size).mean())
    if what == "error":
        return float((np.abs(np.median(draws, axis=1) - truth) * size).mean())
    half = float(what.removeprefix("width")) / 2.0
    low, high = np.percentile(draws, [50.0 - half, 50.0 + half], axis=1)
    return float(((high - low) * size).mean())


def _by_known(draws: Array, truth: Array, known: NDArray[np.int64]) -> dict[str, dict[str, float]]:
    """Coverage by the number of ratings known."""
    return {
        str(each): {
            "count": int((known == each).sum()),
            "cover50": float(scoring.inside(draws[known == each], truth[known == each], 50.0).mean()),
            "cover95": float(scoring.inside(draws[known == each], truth[known == each], 95.0).mean()),
        }
        for each in np.unique(known)
    }


def _chance(pairs: list[tuple[float, float]]) -> dict[str, Any]:
    chance, happened = np.array(pairs).T
    return {
        "count": len(pairs),
        "brier": scoring.brier(chance, happened),
        "brier_of_the_rate": scoring.brier(np.full(len(happened), happened.mean()), happened),
        "error": scoring.calibration_error(chance, happened),
        "reliability": scoring.reliability(chance, happened),
    }


def _bins(ranks: list[int]) -> list[int]:
    return np.bincount(np.array(ranks) * scoring.BINS // (scoring.RANKS + 1), minlength=scoring.BINS).tolist()


def line(found: dict[str, Any]) -> str:
    """One world in a few lines."""
    own = found["methods"][REKINDLE]
    uneven = [name for name, chance in found["ranks"]["holm"].items() if chance < 0.01]
    return (
        f"{found['world']}: {found['persons']} persons, {found['forecasts']} forecasts; "
        f"95 % {100 * own['cover95']:.1f}, 50 % {100 * own['cover50']:.1f} "
        f"(whole {100 * own['cover95_whole']:.1f}, {100 * own['cover50_whole']:.1f}); bias {own['bias']:.2f}; CRPS "
        + ", ".join(f"{name} {each['crps']:.2f}" for name, each in found["methods"].items())
        + f"; ranks uneven: {uneven}; effective {np.round(found['effective'], 0)}; "
        f"odd {found['odd']}"
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=2000, help="persons of the model's world")
    parser.add_argument("--others", type=int, default=400, help="persons of each other world")
    parser.add_argument("--candidates", type=int, default=20000, help="size of each design's cloud")
    parser.add_argument("--designs", type=int, default=len(DESIGNS))
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    begun = time.perf_counter()
    tallies = {world.name: Tally() for world in WORLDS}
    shared = sets()
    for number, design in enumerate(DESIGNS[: asked.designs]):
        held = cloud(design, shared, asked.candidates, SEED + number)
        for place, world in enumerate(WORLDS):
            people = (asked.people if place == 0 else asked.others) // asked.designs
            if not people:
                continue
            seed = SEED + 1000 * (place + 1) + number
            whole = clinic(design, shared, people + TRAINING, seed, world)
            seen = Clinic(design, *(getattr(whole, each)[:people] for each in ("totals", "own", "severity", "luck")))
            fitted = rivals.fit(whole.totals[people:], [n for _, n in design.ratings], [d for d, _ in design.ratings])
            follow(tallies[world.name], held, seen, fitted, number * 10_000)
        print(f"{design.name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    found = [report(tallies[world.name], world) for world in WORLDS if tallies[world.name].truth]
    for each in found:
        print(line(each))
    if asked.json:
        content = {
            "seed": SEED,
            "sets_made": sets_made(),
            "candidates": asked.candidates,
            "seconds": time.perf_counter() - begun,
        }
        asked.json.write_text(json.dumps({**content, "worlds": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

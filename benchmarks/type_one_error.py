"""Two identical arms differ by nothing but luck: how often trials of them find a difference at 5 %.

    python benchmarks/type_one_error.py [--trials 10000] [--size 40] [--pool 1500]

A large virtual trial of two arms that get the same is run once with the drug, contact, selection, raters and people
leaving; then trials are made of its people, drawn without return, and each is analysed as a paper would. The person of
a number in one arm meets the person of that number in the other, and chance says which of them is called treated: so
luck that arms share, which would make trials of this model look better than real ones, lowers the share below 5 %.
Once rated on the scale that lets people in, once on another, whose baseline is a rating of its own. Prints the share of
trials with p < 0.05 and its standard error, for the analysis of covariance and the odds ratio of responders, and how
far the errors of the two arms' baselines go together (0 for luck of their own).
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np

from rekindle.streams import generator
from rekindle.trial.analyses import ancova, odds_ratio, responders, wide
from rekindle.trial.reading import parse_trial
from rekindle.trial.virtual import run_trial

TRIAL = """\
name: identical-arms
title: Two arms that get the same
participants:
  diagnosis: treatment-resistant-depression
  severity: {scale: MADRS, at_least: 26, mean: 33, sd: 5}
arms:
  - {name: One, course: "0.5 mg/kg ketamine IV over 40 min, day 1"}
  - {name: Two, role: comparator, course: "0.5 mg/kg ketamine IV over 40 min, day 1"}
measure: {scale: RATED}
visits: [24 h, 7 days]
dropout: {share: 0.1, by: 7 days}
missing: observed
"""
SCALES = ("MADRS", "HAM-D17")


def main() -> None:
    """Print the shares of every scale as one JSON document."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--trials", type=int, default=10_000)
    arguments.add_argument("--size", type=int, default=40)
    arguments.add_argument("--pool", type=int, default=1500)
    asked = arguments.parse_args()
    found = {scale: type_one_error(scale, asked.trials, asked.size, asked.pool) for scale in SCALES}
    print(json.dumps({"trials": asked.trials, "people_an_arm": asked.size, "rated_on": found}, indent=2))


def type_one_error(scale: str, trials: int, size: int, pool: int) -> dict[str, Any]:
    """The shares of trials rated on one scale that find a difference."""
    begun = time.perf_counter()
    run = run_trial(parse_trial(TRIAL.replace("RATED", scale)), people=pool, seed=20261124)
    table = wide(run.ratings, scale)
    pairs = [table[table["arm"] == arm].sort_values("person", key=_number) for arm in ("One", "Two")]
    scores, baseline = (
        np.stack([pair[column].to_numpy(dtype=float) for pair in pairs]) for column in (168.0, "baseline")
    )
    start = run.ratings[(run.ratings["scale"] == scale) & (run.ratings["visit_h"] == 0.0)]
    error = (start["baseline"] - start["expected"]).to_numpy().reshape(2, -1)
    better = np.stack([responders(scores[arm], baseline[arm], scale) for arm in (0, 1)])
    luck = generator(1, "type one error", scale)
    hits = np.zeros(2)
    active = np.arange(2 * size) < size
    for _ in range(trials):
        people = luck.choice(scores.shape[1], size, replace=False)
        treated = luck.integers(2, size=size)
        who = (np.concatenate([treated, 1 - treated]), np.concatenate([people, people]))
        change = scores[who] - baseline[who]
        hits[0] += ancova(change, active, baseline[who]).p < 0.05
        seen = np.isfinite(change)
        counts = [int(part.sum()) for part in (better[who] & seen & active, seen & active,
                                               better[who] & seen & ~active, seen & ~active)]  # fmt: skip
        hits[1] += odds_ratio(*counts).p < 0.05
    share = hits / trials
    doubt = np.sqrt(share * (1.0 - share) / trials)
    return {
        "ancova": round(float(share[0]), 4),
        "ancova_standard_error": round(float(doubt[0]), 4),
        "odds_ratio": round(float(share[1]), 4),
        "odds_ratio_standard_error": round(float(doubt[1]), 4),
        "errors_together": round(float(np.corrcoef(error)[0, 1]), 3),
        "seconds": round(time.perf_counter() - begun, 1),
    }


def _number(people: Any) -> Any:
    """The number at the end of a person's name, by which the people of two arms are paired."""
    return people.str.extract(r"(\d+)$")[0].astype(int)


if __name__ == "__main__":
    main()

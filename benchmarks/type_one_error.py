"""Two identical arms differ by nothing but luck: how often trials of them find a difference at 5 %.

    python benchmarks/type_one_error.py [--trials 10000] [--size 40] [--pool 1500]

A large virtual trial is run once with the drug, contact, selection, raters and people leaving; then trials of two arms
are made of its people, drawn without return and split by chance, and each is analysed as a paper would. Prints the
share of trials with p < 0.05 and its standard error, for the analysis of covariance and the odds ratio of responders.
"""

from __future__ import annotations

import argparse
import json
import time

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
visits: [24 h, 7 days]
dropout: {share: 0.1, by: 7 days}
missing: observed
"""


def main() -> None:
    """Print the shares as one JSON document."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--trials", type=int, default=10_000)
    arguments.add_argument("--size", type=int, default=40)
    arguments.add_argument("--pool", type=int, default=1500)
    asked = arguments.parse_args()
    begun = time.perf_counter()
    run = run_trial(parse_trial(TRIAL), people=asked.pool, seed=20261124)
    table = wide(run.ratings, "MADRS")
    scores, baseline = table[168.0].to_numpy(dtype=float), table["baseline"].to_numpy(dtype=float)
    better = responders(scores, baseline, "MADRS")
    luck = generator(1, "type one error")
    hits = np.zeros(2)
    active = np.arange(2 * asked.size) < asked.size
    for _ in range(asked.trials):
        who = luck.choice(len(scores), 2 * asked.size, replace=False)
        change = scores[who] - baseline[who]
        hits[0] += ancova(change, active, baseline[who]).p < 0.05
        seen = np.isfinite(change)
        counts = [int(part.sum()) for part in (better[who] & seen & active, seen & active,
                                               better[who] & seen & ~active, seen & ~active)]  # fmt: skip
        hits[1] += odds_ratio(*counts).p < 0.05
    share = hits / asked.trials
    error = np.sqrt(share * (1.0 - share) / asked.trials)
    found = {
        "trials": asked.trials,
        "people_an_arm": asked.size,
        "ancova": round(float(share[0]), 4),
        "ancova_standard_error": round(float(error[0]), 4),
        "odds_ratio": round(float(share[1]), 4),
        "odds_ratio_standard_error": round(float(error[1]), 4),
        "seconds": round(time.perf_counter() - begun, 1),
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()

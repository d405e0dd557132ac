"""Solve a study of very many people and print how long it takes and how much memory it needs.

    python benchmarks/million.py --people 1000000 --threads 2

By default twelve infusions in twelve weeks, followed as `rekindle simulate` follows them. One line: people, threads,
seconds, people a second, peak memory of the whole process.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path

from rekindle.large import Streaming, simulate_large
from rekindle.report.from_trajectories.tally import tally
from rekindle.simulate import Settings
from rekindle.study import parse_study

STUDY = """
title: Twelve infusions in twelve weeks
population: {{kind: treatment-resistant-depression, people: {people}}}
arms:
  - {{name: Ketamine, course: "{course}"}}
horizon: 12 weeks
outcomes: [MADRS]
studies: {studies}
seed: 1
"""


def main() -> None:
    """Solve and tell."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=1_000_000)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--studies", type=int, default=0)
    options.add_argument("--course", default="0.5 mg/kg IV over 40 min, weekly for 12 weeks")
    options.add_argument("--partial", type=Path, default=None, help="keep and go on from a state here")
    options.add_argument("--cluster", default=None, help="address of a Dask scheduler")
    given = options.parse_args()
    study = parse_study(STUDY.format(people=given.people, course=given.course, studies=given.studies))
    begun = time.perf_counter()

    def told(word: str, done: int, of: int) -> None:
        print(f"\r{word}: {done} of {of}, {time.perf_counter() - begun:.0f} s", end="", file=sys.stderr)

    streaming = Streaming(given.partial, resume=True, cluster=given.cluster)
    settings = Settings(threads=given.threads)
    found = simulate_large(study, settings=settings, streaming=streaming, measure=tally, progress=told)
    wall_s = time.perf_counter() - begun
    assert found.summary is not None
    figures = {
        "people": found.summary.people,
        "unsolved": found.summary.people - found.summary.solved,
        "threads": given.threads,
        "wall_s": round(wall_s, 1),
        "people_per_s": round(given.people / wall_s, 1),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "series": len(found.summary.sketches),
        "bins_with_people": len(found.summary.sketches.keys),
        "sample_error": {arm: report.get("sample_error") for arm, report in found.solver["arms"].items()},
    }
    print(file=sys.stderr)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

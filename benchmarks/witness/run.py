"""The foreign witness on every drug by every route: Rekindle's states beside libRoadRunner's.

Run: python benchmarks/witness/run.py --people 16 --out witness.json

Prints a line a case (the largest difference of any state of any person, and where it is) and writes the same
as JSON. The exit status is 1 when a case is above 1e-6. See `tests/witness/witness.py` for what is compared.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "witness"))

import numpy as np
import roadrunner

import witness

ALL_IN = ("racemic-ketamine", "iv-infusion, every hypothesis in")


def look(job: tuple[tuple[str, str], int]) -> dict[str, Any]:
    """One case for that many people: the largest difference, and the states that moved."""
    case, count = job
    every = case == ALL_IN
    sentence = witness.COURSES["racemic-ketamine", "iv-infusion"] if every else witness.COURSES[case]
    ready = witness.cohort_of(sentence, witness.people(count), witness.EVERY_HYPOTHESIS if every else None)
    found = [witness.compare(ready, person) for person in range(count)]
    difference, state, hour = max(comparison.largest for comparison in found)
    return {
        "drug": case[0],
        "route": case[1],
        "course": sentence,
        "people": count,
        "states": len(found[0].states),
        "difference": difference,
        "state": state,
        "hour": hour,
        "median_of_people": float(np.median([comparison.largest[0] for comparison in found])),
        "moved": sorted(set().union(*(comparison.moved for comparison in found))),
    }


def main() -> int:
    """Look at every case and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=16)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("witness.json"))
    asked = parser.parse_args()
    jobs = [(case, asked.people) for case in (*witness.COURSES, ALL_IN)]
    begun = time.perf_counter()
    rows = []
    with ProcessPoolExecutor(asked.processes) as pool:
        for row in pool.map(look, jobs):
            rows.append(row)
            print(
                f"{row['drug']:20} {row['route']:34} {row['difference']:.1e}  {row['state']} at {row['hour']:g} h",
                flush=True,
            )
    states = set(witness.lowered_model().states)
    still = sorted(states - {name for row in rows for name in row["moved"]})
    worst = max(row["difference"] for row in rows)
    result = {
        "libroadrunner": roadrunner.__version__,
        "python": platform.python_version(),
        "people": asked.people,
        "wall_s": time.perf_counter() - begun,
        "largest": worst,
        "allowed": witness.ALLOWED,
        "states_that_never_moved": still,
        "cases": [{name: value for name, value in row.items() if name != "moved"} for row in rows],
    }
    asked.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"Largest difference {worst:.1e}; allowed {witness.ALLOWED:g}. Never moved: {', '.join(still) or 'none'}.")
    return 0 if worst <= witness.ALLOWED else 1


if __name__ == "__main__":
    raise SystemExit(main())

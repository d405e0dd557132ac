"""How long an update with a forecast takes for one person: 10 doses, 8 ratings, 10,000 candidates; cold and warm.

    python benchmarks/forecast_speed.py
    python benchmarks/forecast_speed.py --candidates 2000 --repeats 5 --json
    python benchmarks/forecast_speed.py --plan

Warm is what more of them take in one process, each for a person with other ratings, so that nothing but compiled
kernels and tables is kept. Cold is the first in a fresh process that finds its kernels and tables on the disk; empty
the first in one that finds nothing there and compiles everything. Imports are told apart. Seconds are those of the
clock and of the processor (all threads together): on a machine that is busy with other work the clock says more of
that work than of ours. `--plan` times the whole search for schedules of `examples/person.yaml` as well.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

BEGIN = time.perf_counter(), time.process_time()
DAY = 24.0
DOSES = (1, 4, 8, 11, 15, 18, 22, 29, 36, 43)
RATINGS = ((0.5, 34.0), (5, 24.0), (9, 21.0), (15, 17.0), (22, 15.0), (29, 13.0), (36, 14.0), (43, 12.0))
EXAMPLE = Path(__file__).parents[1] / "examples" / "person.yaml"


def person(shift: float = 0.0):  # type: ignore[no-untyped-def]
    """Ten infusions over six weeks, eight MADRS ratings, four more weekly infusions planned."""
    from rekindle.dosing import parse
    from rekindle.person.record import Given, Person, Planned, Rated

    now = 44 * DAY
    given = tuple(Given(day * DAY + 10.0, "40 mg IV over 40 min") for day in DOSES)
    ratings = tuple(Rated(day * DAY + 9.0, "MADRS", total + (shift if day > 1 else 0.0)) for day, total in RATINGS)
    plan = Planned(parse("40 mg IV over 40 min, weekly for 4 weeks"), 50 * DAY + 10.0, now + 8 * 168.0)
    known = {"weight_kg": 80.0, "age_years": 45.0, "sex": "female"}
    return Person(date(2026, 1, 5), "treatment-resistant-depression", now, known, {}, given, ratings, planned=plan)


def since(begin: tuple[float, float]) -> tuple[float, float]:
    """Seconds of the clock and of the processor since then."""
    return time.perf_counter() - begin[0], time.process_time() - begin[1]


def here(asked: argparse.Namespace) -> dict[str, object]:
    """Updates with forecasts one after another in this process."""
    from rekindle.inference.forecast import forecast
    from rekindle.inference.update import update

    imports = since(BEGIN)
    wholes, updates = [], []
    for number in range(asked.repeats + 1):
        who = person(shift=number % 3 - 1.0)
        begin = time.perf_counter(), time.process_time()
        known = update(who, candidates=asked.candidates, threads=asked.threads)
        updates.append(since(begin))
        forecast(known, draws=asked.draws, threads=asked.threads)
        wholes.append(since(begin))
    found: dict[str, object] = {
        "imports_s": imports[0], "first_s": wholes[0][0], "first_processor_s": wholes[0][1],
    }  # fmt: skip
    if asked.repeats:
        clock, processor = ([each[place] for each in wholes[1:]] for place in (0, 1))
        found |= {
            "warm_s": statistics.median(clock),
            "warm_least_s": min(clock),
            "warm_longest_s": max(clock),
            "warm_processor_s": statistics.median(processor),
            "warm_least_processor_s": min(processor),
            "warm_update_s": statistics.median(each[0] for each in updates[1:]),
        }
    return found | {"solved": known.solved, "effective": round(known.effective)}


def fresh(asked: argparse.Namespace, caches: dict[str, str] | None = None) -> dict[str, float]:
    """The first update with a forecast of a process of its own, with these places for what is kept."""
    command = [sys.executable, __file__, "--first", "--candidates", str(asked.candidates),
               "--draws", str(asked.draws), "--threads", str(asked.threads)]  # fmt: skip
    done = subprocess.run(command, env=os.environ | (caches or {}), capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def plan(asked: argparse.Namespace) -> dict[str, object]:
    """The search for schedules as `rekindle plan` makes it, its update included."""
    from rekindle import one_person
    from rekindle.planning.search import Settings

    begin = time.perf_counter(), time.process_time()
    known = one_person.update(one_person.read(EXAMPLE), threads=asked.threads)
    one_person.plan(known, "ketamine-clinic", settings=Settings(threads=asked.threads))
    clock, processor = since(begin)
    return {"plan_s": clock, "plan_processor_s": processor}


def measured(asked: argparse.Namespace) -> dict[str, object]:
    """Everything: warm here, cold and empty in processes of their own."""
    found: dict[str, object] = {
        "threads": asked.threads, "candidates": asked.candidates, "load": os.getloadavg()[0], **here(asked),
    }  # fmt: skip
    cold = fresh(asked)
    found |= {"cold_s": cold["first_s"], "cold_processor_s": cold["first_processor_s"]}
    with tempfile.TemporaryDirectory() as nowhere:
        empty = fresh(asked, {"REKINDLE_CACHE": nowhere, "NUMBA_CACHE_DIR": nowhere})
    found |= {"empty_s": empty["first_s"], "empty_processor_s": empty["first_processor_s"]}
    return found | (plan(asked) if asked.plan else {}) | {"load_after": os.getloadavg()[0]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--draws", type=int, default=2_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--plan", action="store_true", help="the search for schedules too")
    parser.add_argument("--first", action="store_true", help="only the first of this process, as JSON")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    asked.repeats = 0 if asked.first else asked.repeats
    found = here(asked) if asked.first else measured(asked)
    rounded = {name: round(value, 3) if isinstance(value, float) else value for name, value in found.items()}
    if asked.json or asked.first:
        print(json.dumps(rounded, indent=2))
        return
    for name, value in rounded.items():
        print(f"{name:24} {value}")


if __name__ == "__main__":
    main()

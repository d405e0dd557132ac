"""How long an update with a forecast takes for one person: 10 doses, 8 ratings, 10,000 candidates; cold and warm.

    python benchmarks/forecast_speed.py
    python benchmarks/forecast_speed.py --candidates 2000 --repeats 5 --json

Cold is the first in a fresh process, its kernels taken from the cache on disk where an earlier run left them; imports
are told apart. Warm is the median of more in the same process, each for a person with other ratings, so that nothing
but compiled kernels and tables is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from datetime import date

BEGIN = time.perf_counter()
DAY = 24.0
DOSES = (1, 4, 8, 11, 15, 18, 22, 29, 36, 43)
RATINGS = ((0.5, 34.0), (5, 24.0), (9, 21.0), (15, 17.0), (22, 15.0), (29, 13.0), (36, 14.0), (43, 12.0))


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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--draws", type=int, default=2_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()

    from rekindle.inference.forecast import forecast
    from rekindle.inference.update import update

    found: dict[str, object] = {"imports_s": round(time.perf_counter() - BEGIN, 3), "threads": asked.threads,
                                "candidates": asked.candidates, "load": round(os.getloadavg()[0], 2)}  # fmt: skip
    runs = []
    for number in range(asked.repeats + 1):
        who = person(shift=number % 3 - 1.0)
        begin = time.perf_counter()
        known = update(who, candidates=asked.candidates, threads=asked.threads)
        middle = time.perf_counter()
        forecast(known, draws=asked.draws, threads=asked.threads)
        end = time.perf_counter()
        runs.append((middle - begin, end - middle, known.effective, len(known.candidates)))
    warm = runs[1:] or runs
    found |= {
        "cold_s": round(sum(runs[0][:2]), 3),
        "warm_s": round(statistics.median(one[0] + one[1] for one in warm), 3),
        "warm_update_s": round(statistics.median(one[0] for one in warm), 3),
        "warm_forecast_s": round(statistics.median(one[1] for one in warm), 3),
        "warm_longest_s": round(max(one[0] + one[1] for one in warm), 3),
        "effective": round(statistics.median(one[2] for one in warm)),
        "tried": max(one[3] for one in warm),
    }
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"{name:18} {value}")


if __name__ == "__main__":
    main()

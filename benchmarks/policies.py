"""How fast people are followed under a policy, beside the same course without one.

    python benchmarks/policies.py --people 2000 --threads 2

One arm of 12 weeks: twelve sessions as planned. `plain` is the course alone; `looking` has a policy whose rules never
hold (what visits cost by themselves); `guided` changes doses and intervals. Each is run once to warm up and then in
turn; medians and ranges are printed, and written as JSON with --json FILE.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import statistics
import time
from pathlib import Path
from typing import Any

from rekindle.mechanism.outputs import OUTPUTS
from rekindle.simulate import Settings, equations_of, solve_arm, study_people
from rekindle.study import Study, parse_study

COURSE = "0.5 mg/kg IV over 40 min, weekly for 12 weeks"
POLICIES = {
    "plain": "",
    "looking": """
    policy:
      visits: each session
      rules:
        - when: MADRS < -1 or peak systolic pressure > 1000
          then: stop
""",
    "guided": """
    policy:
      visits: each session
      rules:
        - when: systolic pressure > 165 or peak systolic pressure > 190
          then: skip
        - when: MADRS relapse
          then: re-induce with booster
          not_within: 4 weeks
        - when: day >= 15 and MADRS improvement < 25 %
          then: raise dose to 0.75 mg/kg
          at_most: 1
        - when: PHQ-9 < 10 at 2 visits running
          then: lengthen interval by 1 week up to 4 weeks
      courses:
        booster: 0.5 mg/kg IV over 40 min, twice a week for 2 weeks
""",
}
WATCHED = ("severity", "tension", "sleep_disturbance", "appetite_loss", "poor_concentration", "fatigue", "anhedonia")


def study(policy: str, people: int) -> Study:
    """The arm under one policy."""
    return parse_study(
        f"title: t\npopulation: {{people: {people}}}\narms:\n  - name: A\n    course: {COURSE}\n{policy}\n"
        "horizon: 12 weeks\nstudies: 0\noutside_domain: true\n"
    )


def once(asked: Study, people: Any, outputs: tuple[str, ...], threads: int) -> tuple[float, dict[str, Any]]:
    """Seconds to follow everybody, and the solver's report."""
    equations = equations_of(None)
    times = [24.0 * day for day in range(0, 85, 7)]
    begun = time.perf_counter()
    found = solve_arm(
        asked, asked.arms[0], people, times, outputs, Settings(threads=threads), equations=equations,
        values=equations.values, check=0,
    )  # fmt: skip
    taken = time.perf_counter() - begun
    sessions = len(found.doses.mg) / len(people) if found.doses is not None else 12.0
    return taken, {**found.report, "sessions": sessions}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--all-outputs", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--profile", choices=tuple(POLICIES))
    asked = parser.parse_args()
    outputs = OUTPUTS if asked.all_outputs else WATCHED
    studies = {name: study(policy, asked.people) for name, policy in POLICIES.items()}
    people = study_people(studies["plain"], asked.people, 0)
    for each in studies.values():
        once(each, people.take(slice(0, 64)), outputs, asked.threads)
    if asked.profile:
        profile = cProfile.Profile()
        profile.runcall(once, studies[asked.profile], people, outputs, asked.threads)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    seconds: dict[str, list[float]] = {name: [] for name in studies}
    reports: dict[str, dict[str, Any]] = {}
    for _ in range(asked.repeats):
        for name, each in studies.items():
            taken, reports[name] = once(each, people, outputs, asked.threads)
            seconds[name].append(taken)
    found = {}
    for name, taken in seconds.items():
        middle = statistics.median(taken)
        found[name] = {
            "people_per_second": asked.people / middle,
            "range": [asked.people / max(taken), asked.people / min(taken)],
            "steps_per_person": reports[name]["steps"] / asked.people,
            "sessions_per_person": reports[name]["sessions"],
            "failed": reports[name]["failed"],
        }
        low, high = found[name]["range"]
        print(
            f"{name:8s} {asked.people / middle:8.0f} people/s ({low:.0f} to {high:.0f}), "
            f"{found[name]['steps_per_person']:.0f} steps, {found[name]['sessions_per_person']:.1f} sessions a person"
        )
    if asked.json is not None:
        asked.json.write_text(json.dumps({"people": asked.people, "threads": asked.threads, **found}, indent=2))


if __name__ == "__main__":
    main()

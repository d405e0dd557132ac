"""How long the expected numbers of all trials take for one parameter set, and for many.

    python benchmarks/trial_moments.py [--people 40] [--sets 16] [--use calibrate]

Prints, as JSON: trials, arms, numbers, seconds of the first call (which prepares people, doses and solvers), seconds a
set of later calls, and how they divide into solving and quantifying.
"""

from __future__ import annotations

import argparse
import json
import time

from rekindle.mechanism.plausible import plausible_values
from rekindle.trial.files import published_trials
from rekindle.trial.moments import Simulator


def main() -> None:
    """Print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=40)
    arguments.add_argument("--sets", type=int, default=16)
    arguments.add_argument("--use", default="")
    arguments.add_argument("--threads", type=int, default=None)
    asked = arguments.parse_args()
    trials = tuple(trial for trial in published_trials(asked.use or None) if trial.scored)
    simulator = Simulator(trials, asked.people, 1, threads=asked.threads)
    begun, cpu = time.perf_counter(), time.process_time()
    simulator(plausible_values(1, 1))
    first, first_cpu = time.perf_counter() - begun, time.process_time() - cpu
    begun, cpu = time.perf_counter(), time.process_time()
    one = simulator(plausible_values(1, 2))
    single = time.perf_counter() - begun
    begun, cpu = time.perf_counter(), time.process_time()
    many = simulator(plausible_values(asked.sets, 3))
    several, several_cpu = time.perf_counter() - begun, time.process_time() - cpu
    print(
        json.dumps(
            {
                "trials": len(trials),
                "arms": sum(len([arm for arm in trial.arms if not arm.mixture]) for trial in trials),
                "numbers": len(one.numbers),
                "people_an_arm": asked.people,
                "first_call_s": round(first, 2),
                "first_call_processor_s": round(first_cpu, 2),
                "one_set_s": round(single, 2),
                "sets": asked.sets,
                "seconds_a_set": round(several / asked.sets, 2),
                "processor_seconds_a_set": round(several_cpu / asked.sets, 2),
                "of_which": {name: round(value, 2) for name, value in many.seconds.items()},
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()

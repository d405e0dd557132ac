"""How quick the XLA backend is here: compile time, people a second by chunk, and how exact, beside the native solver.

    python benchmarks/xla.py [--people 384] [--weeks 12] [--chunks 32,96,256] [--full]

Our model, an infusion a week for 12 weeks (or `--weeks`), looked at twice a week; one thread for the native solver.
Errors are against the native solver at 1e-9, relative to a value plus a thousandth of its output's largest. `--full`
solves all 84 states, otherwise only the equations that the outputs need.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from rekindle.engine import Infusion, Lowered, Schedule, solve
from rekindle.simulate import lowered_model

OUTPUTS = ("severity", "dissociation", "plasma_ketamine", "systolic_rise")
SPREAD = ("clearance", "central_volume", "deep_flow", "effect_site_rate", "tau_glutamate", "tau_functional")


@dataclass(frozen=True)
class Work:
    """People with parameters of their own and one course for all."""

    lowered: Lowered
    rows: np.ndarray
    schedule: Schedule
    full: bool

    def run(self, backend: str, **more: Any) -> tuple[Any, float]:
        """The solution and the seconds it took."""
        begun = time.perf_counter()
        found = solve(
            self.lowered, self.rows, self.schedule, OUTPUTS, backend=backend, specialise=not self.full, **more
        )
        return found, time.perf_counter() - begun


def work(people: int, weeks: int, full: bool) -> Work:
    """`people` people, lognormal with 20 % spread in six parameters, one infusion of 40 minutes a week."""
    lowered = lowered_model()
    rows = np.tile(lowered.defaults, (people, 1))
    columns = [lowered.parameters.index(name) for name in SPREAD]
    rows[:, columns] *= np.exp(0.2 * np.random.default_rng(1).standard_normal((people, len(SPREAD))))
    events = [Infusion(24.0 + 168.0 * week, f"infusion_{side}", 26.0, 0.667) for week in range(weeks) for side in "SR"]
    return Work(lowered, rows, Schedule(tuple(events), tuple(84.0 * k for k in range(1, 2 * weeks + 1))), full)


def error(found: np.ndarray, exact: np.ndarray) -> float:
    """The largest error among all people, times and outputs."""
    scale = np.abs(exact) + 1e-3 * np.abs(exact).max(axis=(0, 1))
    return float(np.max(np.abs(found - exact) / scale))


def main() -> None:
    """Print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=384)
    parser.add_argument("--weeks", type=int, default=12)
    parser.add_argument("--chunks", default="32,96,256")
    parser.add_argument("--full", action="store_true")
    asked = parser.parse_args()
    job = work(asked.people, asked.weeks, asked.full)
    job.run("native", threads=1)
    exact, _ = job.run("native", relative_tolerance=1e-9)
    native, seconds = min((job.run("native", threads=1) for _ in range(3)), key=lambda pair: pair[1])
    lines = [("native, 1 thread", 0.0, asked.people / seconds, error(native.values, exact.values))]
    for chunk in (int(word) for word in asked.chunks.split(",")):
        first, cold = job.run("xla", chunk=chunk)
        warm = min(job.run("xla", chunk=chunk)[1] for _ in range(3))
        name = f"xla on {first.report['device']}, chunk {chunk}"
        lines.append((name, cold - warm, asked.people / warm, error(first.values, exact.values)))
    print(f"{asked.people} people, {asked.weeks} weeks; {native.report['steps'] / asked.people:.0f} steps a person")
    print(f"{'':28}{'compile s':>10}{'people/s':>12}{'max error':>12}")
    for name, compiling, rate, worst in lines:
        print(f"{name:28}{compiling:10.1f}{rate:12.0f}{worst:12.1e}")
    keys = ("name", "compile_s", "people_per_second", "max_error")
    print(json.dumps([dict(zip(keys, line, strict=True)) for line in lines]))


if __name__ == "__main__":
    main()

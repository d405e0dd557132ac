"""Exact derivatives on the full model: how wrong they are, and what they cost beside plain solving.

Run: python benchmarks/jacobian.py --people 2 --cost-people 64 --out jacobian.json

Error: the Jacobian of ten outputs to twelve parameters for a few people beside central differences of the reference
solver at a tolerance of 1e-12, extrapolated twice (Richardson), as a share of each column's largest entry (a column is
one person's and one direction's; the stricter figure takes each output's column apart). Cost: processor time on one
thread, medians of interleaved repeats, in plain solves of the same people with the quick solver, at the same tolerance
and at its default. The exit status is 1 when the error is above 1e-6 or the cost above twelve solves at the same
tolerance.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.cohort import cohort
from rekindle.dosing import parse
from rekindle.engine.backends import DEFAULT_TOLERANCE, solve
from rekindle.engine.scale import typical_scale
from rekindle.engine.schedule import Schedule, compile_schedule
from rekindle.engine.sensitivities import SENSITIVITY_TOLERANCE, DoseTime, InfusionRate, solve_sensitivities
from rekindle.population import draw
from rekindle.simulate import lowered_model
from rekindle.study import Arm

Floats = NDArray[np.float64]

COURSE = "0.5 mg/kg IV over 40 min, weekly for 12 weeks"
HORIZON_H = 84 * 24.0
SESSIONS = (0.5, 1.0, 2.0, 4.0)  # hours after the first, sixth and twelfth dose at which effects are looked at
OUTPUTS = (
    "depression", "stable_synapses", "labile_spines", "functional_gain", "bdnf", "tolerance", "craving", "central_S",
    "norketamine_R", "dissociation",
)  # fmt: skip
MIXED = (
    "clearance", "central_volume", "norketamine_clearance", "ec50_interneuron", "tau_bdnf", "glutamate_gain",
    "spine_formation_rate", "tau_spines", "drive_synapse", "drive_functional", "expectancy_rate", "tau_mood",
)  # fmt: skip
KINETIC = (
    "clearance", "clearance_ratio_R", "central_volume", "shallow_volume", "shallow_flow", "deep_volume", "deep_flow",
    "norketamine_clearance", "norketamine_volume", "norketamine_flow", "unbound_fraction", "effect_site_rate",
)  # fmt: skip
"""The dearest set: every one of them moves everything that comes after the drug."""
DIFFERENCE = 2e-2  # the largest step of the differences, relative to the parameter; smaller ones are noisier
REPEATS = 5


class Work:
    """People on a course, ready for the solvers."""

    def __init__(self, people: int) -> None:
        self.lowered = lowered_model()
        days = np.arange(24.0, HORIZON_H + 1.0, 24.0)
        sessions = [7 * 24.0 * week + hour for week in (0, 5, 11) for hour in SESSIONS]
        times = tuple(sorted({*days.tolist(), *sessions}))
        who = draw("treatment-resistant-depression", people, 20)
        ready = cohort(who, Arm("a", parse(COURSE)), hypotheses={}, output_times=times, horizon_h=HORIZON_H)
        column = {name: index for index, name in enumerate(ready.names)}
        self.rows = ready.parameters[:, [column[name] for name in self.lowered.parameters]]
        self.schedules: Sequence[Schedule] = ready.schedules
        self.scale = typical_scale(self.lowered, compile_schedule(self.schedules[0], self.lowered))

    def solved(self, tolerance: float) -> Any:
        """A plain solve."""
        return solve(
            self.lowered, self.rows, self.schedules, OUTPUTS, relative_tolerance=tolerance, threads=1, scale=self.scale
        )

    def followed(self, directions: Sequence[Any], tolerance: float, backend: Any = "native") -> Any:
        """A solve with derivatives."""
        return solve_sensitivities(
            self.lowered, self.rows, self.schedules, OUTPUTS, directions, relative_tolerance=tolerance, threads=1,
            scale=self.scale, backend=backend,
        )  # fmt: skip

    def differences(self, name: str) -> tuple[Floats, Floats]:
        """Extrapolated central differences of the reference solver, (people, times, outputs), and the doubt in them."""
        place = self.lowered.parameters.index(name)

        def at(step: float) -> Floats:
            rows = self.rows.copy()
            rows[:, place] *= 1.0 + step
            found = solve(
                self.lowered, rows, self.schedules, OUTPUTS, backend="reference", relative_tolerance=1e-12, threads=1
            )
            return found.values

        def central(step: float) -> Floats:
            return (at(step) - at(-step)) / (2.0 * step * self.rows[:, place])[:, None, None]

        steps = [central(DIFFERENCE / 2**i) for i in range(3)]
        first = [(4.0 * fine - coarse) / 3.0 for coarse, fine in pairwise(steps)]
        return (16.0 * first[1] - first[0]) / 15.0, np.abs(first[1] - first[0]) / 15.0


def errors(found: Floats, exact: Floats, values: Floats, sizes: Floats) -> tuple[Floats, float]:
    """The largest error of each direction as a share of its column's largest entry; the same output by output.

    Output by output, those are left out that a change of the parameter by its own size (`sizes`) moves by less than a
    millionth: differences see only rounding there.
    """
    off = np.abs(found - exact)
    whole = np.abs(exact).max(axis=(1, 2), keepdims=True)
    single = np.abs(exact).max(axis=1, keepdims=True)
    moved = single * sizes[:, None, None, :] > 1e-6 * np.abs(values).max(axis=1)[:, None, :, None]
    apart = np.where(moved, off / np.where(single > 0.0, single, 1.0), 0.0)
    return (off / np.where(whole > 0.0, whole, 1.0)).max(axis=(0, 1, 2)), float(apart.max())


def costs(jobs: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Median processor time of each job, s, the jobs taken in turn."""
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for job in jobs.values():
        job()
    for _ in range(REPEATS):
        for name, job in jobs.items():
            begun = time.process_time()
            job()
            taken[name].append(time.process_time() - begun)
    return {name: statistics.median(each) for name, each in taken.items()}


def measured_error(people: int, directions: Sequence[str], tolerance: float) -> dict[str, Any]:
    """The error beside extrapolated differences, and how long the judge took."""
    work = Work(people)
    begun = time.perf_counter()
    judged = [work.differences(name) for name in directions]
    exact, doubt = (np.stack([each[part] for each in judged], axis=3) for part in (0, 1))
    judged_s = time.perf_counter() - begun
    found = work.followed(directions, tolerance)
    sizes = np.abs(work.rows[:, [work.lowered.parameters.index(name) for name in directions]])
    columns, apart = errors(found.jacobian, exact, found.values, sizes)
    whole = np.abs(exact).max(axis=(1, 2), keepdims=True)
    worst = int(columns.argmax())
    return {
        "people": people,
        "tolerance": tolerance,
        "largest": float(columns.max()),
        "worst": directions[worst],
        "largest_by_output": apart,
        "doubt_in_the_differences": float((doubt / np.where(whole > 0.0, whole, 1.0)).max()),
        "columns": dict(zip(directions, columns.tolist(), strict=True)),
        "judge_s": judged_s,
    }


def measured_cost(people: int, directions: Sequence[Any], tolerance: float) -> dict[str, Any]:
    """The cost of values with derivatives, in plain solves of the same people."""
    work = Work(people)
    default = DEFAULT_TOLERANCE["native"]
    taken = costs(
        {
            "plain": lambda: work.solved(tolerance),
            "derivatives": lambda: work.followed(directions, tolerance),
            "plain at the default tolerance": lambda: work.solved(default),
        }
    )
    found = work.followed(directions, tolerance)
    return {
        "people": people,
        "directions": len(directions),
        "tolerance": tolerance,
        "seconds": taken,
        "steps": found.report["steps"],
        "states_followed": found.report["states_followed"],
        "solves_at_the_same_tolerance": taken["derivatives"] / taken["plain"],
        "solves_at_the_default_tolerance": taken["derivatives"] / taken["plain at the default tolerance"],
    }


def main() -> int:
    """Measure and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=2, help="people whose Jacobian is judged")
    parser.add_argument("--cost-people", type=int, default=64)
    parser.add_argument("--tolerance", type=float, default=SENSITIVITY_TOLERANCE["native"])
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    events: list[Any] = [InfusionRate(1), InfusionRate(2), DoseTime(1), DoseTime(2)]
    sets: dict[str, Sequence[Any]] = {"mixed": MIXED, "kinetic": KINETIC, "doses": events}
    cost = {}
    for name, directions in sets.items():
        cost[name] = measured_cost(asked.cost_people, directions, asked.tolerance)
        same, default = (cost[name][f"solves_at_the_{which}_tolerance"] for which in ("same", "default"))
        print(
            f"cost, {name}: {len(directions)} directions = {same:.1f} plain solves at the same tolerance "
            f"({asked.tolerance:g}), {default:.1f} at the default ({DEFAULT_TOLERANCE['native']:g})",
            flush=True,
        )
    error = {}
    for name in ("mixed", "kinetic"):
        error[name] = measured_error(asked.people, sets[name], asked.tolerance)
        print(
            f"error, {name}: {error[name]['largest']:.1e} of a column's largest entry ({error[name]['worst']}); output "
            f"by output {error[name]['largest_by_output']:.1e}; doubt in the differences themselves "
            f"{error[name]['doubt_in_the_differences']:.1e}",
            flush=True,
        )
    found = {"python": platform.python_version(), "machine": platform.machine(), "error": error, "cost": cost}
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    dear = max(each["solves_at_the_same_tolerance"] for each in cost.values())
    return int(max(each["largest"] for each in error.values()) > 1e-6 or dear > 12.0)


if __name__ == "__main__":
    sys.exit(main())

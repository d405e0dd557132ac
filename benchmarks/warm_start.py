"""How long the command line takes from its start to its end, caches filled and empty, beside the bars.

    python benchmarks/warm_start.py
    python benchmarks/warm_start.py --people 1000 --runs 7 --cold 1 --json

Each figure is of whole processes, `rekindle simulate` from the start of Python to its end: median and range of wall
time, and of processor time over all threads. The study is the one of `examples/demo.yaml`, two arms of 12 sessions in
12 weeks, with as many people as asked for. Warm is after a run that is not counted; cold has empty caches of Rekindle's
and of numba's. The bars are for wall time on a machine of two cores that does nothing else: where the load is above
nought, processor time says more. Needs a system with `resource`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DEMO = Path(__file__).parents[1] / "examples" / "demo.yaml"


@dataclass(frozen=True)
class Case:
    """A way to run the command: repeated studies or none, options, and the bar in seconds of wall time, if any."""

    name: str
    studies: int
    options: tuple[str, ...]
    bar_s: float | None


CASES = (
    Case("numbers only, no repeated studies", 0, ("--no-report",), 3.0),
    Case("numbers only, 40 repeated studies", 40, ("--no-report",), None),
    Case("with the report, 40 repeated studies", 40, (), 8.0),
)


def study(people: int, studies: int) -> str:
    """The demonstration's study with other numbers of people and of repeated studies."""
    text = DEMO.read_text(encoding="utf-8")
    changed = text.replace("people: 200", f"people: {people}").replace("studies: 40", f"studies: {studies}")
    if f"people: {people}\n" not in changed or f"studies: {studies}\n" not in changed:
        raise SystemExit(f"{DEMO} no longer says how many people and studies as this script expects.")
    return changed


def _environment() -> dict[str, str]:
    """The environment without what keeps Python from keeping its compiled modules."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def one_run(case: Case, people: int, folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Wall and processor time in seconds of one process."""
    path = folder / "study.yaml"
    path.write_text(study(people, case.studies), encoding="utf-8")
    command = [sys.executable, "-m", "rekindle", "simulate", str(path), "--out", str(folder / "out"), *case.options]
    before, begun = _used(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - begun, _used() - before


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(case: Case, people: int, runs: int, *, cold: bool) -> dict[str, object]:
    """Medians and ranges of a case, with the machine's load before and after."""
    load, found = os.getloadavg()[0], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not cold:
            one_run(case, people, folder, _environment())
        for number in range(runs):
            empty = {each: str(folder / f"{each}-{number}") for each in ("REKINDLE_CACHE", "NUMBA_CACHE_DIR")}
            found.append(one_run(case, people, folder, _environment() | (empty if cold else {})))
    return {
        "case": case.name,
        "start": "cold" if cold else "warm",
        "people": people,
        "runs": runs,
        "bar_s": None if cold else case.bar_s,
        "wall_s": _told([wall for wall, _ in found]),
        "processor_s": _told([used for _, used in found]),
        "load": [load, os.getloadavg()[0]],
    }


def _told(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}


def line(row: dict[str, object]) -> str:
    """One row of the table."""

    def told(key: str) -> str:
        values = row[key]
        assert isinstance(values, dict)
        return f"{values['median']:6.2f} ({values['lowest']:.2f} to {values['highest']:.2f})"

    bar = "" if row["bar_s"] is None else f"{row['bar_s']:.0f}"
    loads = row["load"]
    assert isinstance(loads, list)
    load = "-".join(f"{each:.1f}" for each in loads)
    return f"{row['start']:<5} {row['case']:<38} {bar:>4} {told('wall_s'):>24} {told('processor_s'):>24} {load:>9}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cold", type=int, default=1, help="cold starts of each case; 0 for none")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = [measure(case, asked.people, asked.runs, cold=False) for case in CASES]
    if asked.cold:
        found += [measure(case, asked.people, asked.cold, cold=True) for case in CASES]
    if asked.json:
        print(json.dumps({"processors": os.cpu_count(), "starts": found}, indent=2))
        return
    print(f"{asked.people} people, {os.cpu_count()} processors; seconds, median (range)")
    print(f"{'start':<5} {'case':<38} {'bar':>4} {'wall':>24} {'processor':>24} {'load':>9}")
    for row in found:
        print(line(row))


if __name__ == "__main__":
    main()

"""How long `import rekindle` and the start of the command line take, against the bar of half a second.

Run: python benchmarks/import_time.py [times]. Each figure is the median of fresh processes, less
the time that Python itself takes to start.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

BAR_S = 0.5
CASES = {
    "import rekindle": "import rekindle",
    "rekindle --help": "from rekindle.cli import main; main(['--help'])",
}


def median_seconds(program: str, times: int) -> float:
    """Median wall time of `times` fresh processes that run the program."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def main(times: int = 15) -> int:
    """Print each figure; 1 when a bar is missed."""
    empty = median_seconds("pass", times)
    missed = 0
    for name, program in CASES.items():
        seconds = median_seconds(program, times) - empty
        missed += seconds > BAR_S
        print(
            f"{name:20} {seconds:6.3f} s  (bar {BAR_S} s; {times} runs; without Python's own {empty:.3f} s)"
        )
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:])))

"""Feed each reader of a person's file broken inputs for a while and say how many it took.

    python benchmarks/fuzz_person.py --minutes 10 [--reader bundle]

Every input is read, or refused with one message (exit code 2 on the command line); anything else is a crash, which is
printed with the smallest input that shows it, and the script ends with 1. `tests/person/corpus.py` has the inputs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "person"))
from corpus import READERS

BATCH = 200


def run(name: str, minutes: float) -> dict[str, float | int | str]:
    """Inputs tried within the time, and whether one crashed."""
    inputs, check = READERS[name]
    count = 0

    def counted(value: object) -> None:
        nonlocal count
        count += 1
        check(value)

    began = time.monotonic()
    options = settings(max_examples=BATCH, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    while time.monotonic() - began < minutes * 60:
        try:
            options(given(inputs)(counted))()
        except Exception as error:  # whatever it is, it is what this looks for
            notes = "\n".join(getattr(error, "__notes__", []))
            return {"reader": name, "inputs": count, "seconds": time.monotonic() - began,
                    "crash": f"{type(error).__name__}: {error}\n{notes}"}  # fmt: skip
    return {"reader": name, "inputs": count, "seconds": round(time.monotonic() - began, 1), "crashes": 0}


def main() -> int:
    """Run the readers asked for; 1 where one crashed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="for each reader")
    parser.add_argument("--reader", choices=list(READERS), action="append")
    chosen = parser.parse_args()
    found = [run(name, chosen.minutes) for name in chosen.reader or READERS]
    print(json.dumps(found, indent=2, ensure_ascii=False))
    return int(any("crash" in each for each in found))


if __name__ == "__main__":
    sys.exit(main())

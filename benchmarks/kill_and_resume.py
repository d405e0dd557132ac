"""Kill a large study at random moments, go on with it each time, and compare with one that was left alone.

    python benchmarks/kill_and_resume.py --people 20000 --kills 10

Each attempt is a process of its own that ends by SIGKILL after a random part of a second. The last one is left to
finish. Every number of its summaries, its first people and its repeats must have the bits of the unbroken run. Needs
a system with fork.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from rekindle.large import Streaming, simulate_large
from rekindle.report.from_trajectories.tally import tally
from rekindle.simulate import Settings
from rekindle.study import Study, parse_study
from rekindle.trajectories import Trajectories

STUDY = """
title: Killed and gone on with
population: {{kind: treatment-resistant-depression, people: {people}}}
arms:
  - {{name: Ketamine, course: "0.5 mg/kg IV over 40 min, once"}}
  - {{name: Saline, course: "saline IV over 40 min, once", role: comparator}}
horizon: 2 days
outcomes: [MADRS]
studies: 1
seed: 5
"""


def result_digest(found: Trajectories) -> str:
    """Sixty-four hexadecimal digits of every number of a result."""
    assert found.summary is not None
    seen = hashlib.sha256()
    for values in found.summary.sketches.as_arrays().values():
        seen.update(values.tobytes())
    for data in (found.people, found.repeats):
        for name in sorted(str(name) for name in data.data_vars) if data is not None else []:
            seen.update(data[name].values.tobytes())
    return seen.hexdigest()


def attempt(study: Study, partial: Path, block: int) -> Trajectories:
    """Begin or go on, keeping a state after every block."""
    streaming = Streaming(partial, resume=True, every_s=0.0, block=block)
    return simulate_large(study, settings=Settings(threads=1), streaming=streaming, measure=tally)


def child(study: Study, partial: Path, block: int, answer: Path) -> int:
    """A process that makes one attempt and leaves its digest in `answer`; its number."""
    number = os.fork()
    if number:
        return number
    try:
        answer.write_text(result_digest(attempt(study, partial, block)))
    finally:
        os._exit(0)


def main() -> None:
    """Kill, go on, compare; leaves with 1 when a bit differs."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=20_000)
    options.add_argument("--kills", type=int, default=10)
    options.add_argument("--block", type=int, default=256)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    study = parse_study(STUDY.format(people=given.people))
    begun = time.perf_counter()
    unbroken = result_digest(simulate_large(
        study, settings=Settings(threads=1), streaming=Streaming(block=given.block), measure=tally
    ))  # fmt: skip
    whole_s = time.perf_counter() - begun
    luck, landed = random.Random(given.seed), 0
    with tempfile.TemporaryDirectory() as folder:
        partial, answer = Path(folder) / "run.partial", Path(folder) / "answer"
        for number in range(given.kills):
            running = child(study, partial, given.block, answer)
            after_s = luck.uniform(0.0, 1.6 * whole_s / given.kills)
            time.sleep(after_s)
            landed += not answer.exists()
            os.kill(running, signal.SIGKILL)
            os.waitpid(running, 0)
            kept = sorted(path.name for path in partial.iterdir()) if partial.exists() else []
            print(f"kill {number + 1} after {after_s:.2f} s; on disk: {', '.join(kept) or 'nothing'}", file=sys.stderr)
        os.waitpid(child(study, partial, given.block, answer), 0)
        resumed = answer.read_text()
    print(f"{given.people} people, unbroken {whole_s:.2f} s, {landed} of {given.kills} kills while running")
    print(f"unbroken {unbroken[:16]}, resumed {resumed[:16]}: {'the same' if unbroken == resumed else 'DIFFERENT'}")
    sys.exit(unbroken != resumed)


if __name__ == "__main__":
    main()

"""The tail of the quick solver's error: very many people at the default tolerance beside a tight solve of the same.

Run: python benchmarks/tail.py --people 10000 --out tail.json

The error of a value is |difference| / (|tight| + a thousandth of its output's largest); what counts is each person's
largest over all outputs and times. The exit status is 1 when somebody is above the bound or was lost unreported.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from rekindle.bench.work import SCALE, make_work
from rekindle.engine.backends import solve

BOUND, TIGHT, AT_ONCE = 3e-4, 1e-7, 1000


def main() -> int:
    """Solve twice, a thousand people at a time, and say how far apart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    begun = time.perf_counter()
    work = make_work(asked.people, exact=False)
    values, tight, failed = [], [], 0
    for start in range(0, asked.people, AT_ONCE):
        part = work.take(range(start, min(start + AT_ONCE, asked.people)))
        quick = solve(part.lowered, part.rows, part.segments, part.outputs)
        close = solve(part.lowered, part.rows, part.segments, part.outputs, relative_tolerance=TIGHT)
        reported = {failure.person for found in (quick, close) for failure in found.failures}
        failed += len(reported)
        kept = [i for i in range(len(part)) if i not in reported]
        values.append(quick.values[kept])
        tight.append(close.values[kept])
    found, exact = np.concatenate(values), np.concatenate(tight)
    largest = np.abs(exact).max(axis=(0, 1))
    compared = np.abs(exact) + SCALE * largest
    off = np.abs(found - exact) / np.where(compared > 0.0, compared, 1.0)
    _, row, output = np.unravel_index(int(np.argmax(off)), off.shape)
    each = off.max(axis=(1, 2))
    result = {
        "people": asked.people,
        "reported_failures": failed,
        "unreported_failures": int((~np.isfinite(off)).any(axis=(1, 2)).sum()),
        "largest": float(each.max()),
        "output": work.outputs[output],
        "hour": work.times[row],
        "above_bound": int((each > BOUND).sum()),
        "quantiles": {str(q): float(np.quantile(each, q)) for q in (0.5, 0.9, 0.99, 0.999)},
        "wall_s": time.perf_counter() - begun,
    }
    if asked.out is not None:
        asked.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    return int(result["above_bound"] > 0 or result["unreported_failures"] > 0)


if __name__ == "__main__":
    sys.exit(main())

"""The catalogue's rows of the NIMH ketamine crossover, computed again from the patients' ratings.

The ratings (OpenNeuro ds005917, BIDS phenotype) are not part of this repository. Rows named
`eff-nimh-ds005917-odd-*` hold means, standard deviations and counts of the depressed participants with odd
numbers; each is worked out here from `phenotype.tsv` and compared at the two decimals that are printed.

Run: make validate DATA=DIR, where DIR holds ds005917 or is it. Exit code 0: every row agrees; 1: a row does
not; 2: the data is not there or not what it should be.
"""

from __future__ import annotations

import csv
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from rekindle.evidence import Record, catalog

PREFIX = "eff-nimh-ds005917-odd-"
SCALES = {"madrs": "MADRS_Total", "ham17": "HAM17_Total", "hamd": "HAMD_Bech"}
SESSIONS = {"b0", "d2", "d10", "p2", "p10"}
RESPONSE_SCALE = "madrs"
PRINTED = 0.005
"""Half of the last printed decimal: a mean that rounds to what is printed agrees."""

Ratings = dict[tuple[str, str, str], float]


class DataMissing(Exception):
    """The folder does not hold the data set, or holds another one."""


def read_table(path: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a tab-separated BIDS table.

    Raises:
        DataMissing: no such file, not text, or without the columns needed.
    """
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
    except (OSError, UnicodeDecodeError) as error:
        raise DataMissing(f"{path} cannot be read: {error}") from error
    absent = [column for column in needed if not rows or column not in rows[0]]
    if absent:
        raise DataMissing(f"{path} has no column {', '.join(absent)}")
    return rows


def find(folder: Path) -> Path:
    """The data set's own folder: `folder` itself or its `ds005917`.

    Raises:
        DataMissing: neither holds the tables.
    """
    for candidate in (folder / "ds005917", folder):
        if (candidate / "phenotype.tsv").is_file() and (candidate / "participants.tsv").is_file():
            return candidate
    raise DataMissing(f"there is no ds005917 (participants.tsv and phenotype.tsv) in '{folder}'")


def read_ratings(folder: Path) -> tuple[list[str], Ratings]:
    """Depressed participants with odd numbers, and every rating by (participant, session, scale).

    Raises:
        DataMissing: a table is missing, or a participant is rated twice at one session.
    """
    people = [
        row["participant_id"]
        for row in read_table(folder / "participants.tsv", ("participant_id", "group"))
        if row["group"] == "MDD" and row["participant_id"][-1] in "13579"
    ]
    found: Ratings = {}
    for row in read_table(folder / "phenotype.tsv", ("participant_id", "session_id", *SCALES.values())):
        for scale, column in SCALES.items():
            key = (row["participant_id"], row["session_id"].removeprefix("ses-"), scale)
            if row[column] == "n/a":
                continue
            if key in found:
                raise DataMissing(f"{key[0]} has two ratings of {column} at {row['session_id']}")
            found[key] = float(row[column])
    return people, found


def recomputed(name: str, people: list[str], ratings: Ratings) -> tuple[int, float, float | None]:
    """Count, value and standard deviation that the data give for the row `name` (the id after its prefix)."""
    parts = name.split("-")
    scale = RESPONSE_SCALE if parts[0] == "resp" else parts[0]
    session = parts[-1]
    if scale not in SCALES or session not in SESSIONS:
        raise DataMissing(f"this check knows no row '{PREFIX}{name}'")
    at = {p: ratings[p, session, scale] for p in people if (p, session, scale) in ratings}
    before = {p: ratings[p, "b0", scale] for p in people if (p, "b0", scale) in ratings}
    both = [p for p in at if p in before]
    if parts[0] == "resp":
        return len(both), 100 * statistics.mean(at[p] <= before[p] / 2 for p in both), None
    values = [at[p] - before[p] for p in both] if "chg" in parts else list(at.values())
    return len(values), statistics.mean(values), statistics.stdev(values)


def disagreement(record: Record, people: list[str], ratings: Ratings) -> str:
    """What differs between a row and the data, in words; empty when they agree."""
    count, value, spread = recomputed(record.id.removeprefix(PREFIX), people, ratings)
    wrong = []
    if record.n != count:
        wrong.append(f"n {record.n}, data {count}")
    if abs(record.number - value) > PRINTED + 1e-9:
        wrong.append(f"value {record.number:g}, data {value:.4f}")
    printed = record.spread[0] if record.spread_kind == "SD" and record.spread else None
    if spread is not None and (printed is None or abs(printed - spread) > PRINTED + 1e-9):
        wrong.append(f"SD {printed}, data {spread:.4f}")
    return "; ".join(wrong)


def main(arguments: Sequence[str]) -> int:
    """Compare every row and print the table; the exit code is described above."""
    if not arguments or not arguments[0].strip():
        print("No patients' data was named: make validate DATA=DIR. Nothing was checked.", file=sys.stderr)
        return 2
    try:
        folder = find(Path(arguments[0]))
        people, ratings = read_ratings(folder)
        records = [record for record in catalog() if record.id.startswith(PREFIX)]
        results = {record.id: disagreement(record, people, ratings) for record in records}
    except DataMissing as error:
        print(f"The patients' data is not there: {error}. Nothing was checked.", file=sys.stderr)
        return 2
    for name, wrong in results.items():
        print(f"{name:40} {wrong or 'agrees'}")
    failed = sum(bool(wrong) for wrong in results.values())
    print(f"{len(results) - failed} of {len(results)} rows agree with {len(people)} participants.")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Individual ratings in place of what was printed of the same patients: OpenNeuro ds005917, read where it lies.

The crossover's printed means, spreads and responses are replaced by those of the persons in the files, with the
covariance that these persons have: one person's ratings after ketamine and after saline, on two scales, go together.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError
from rekindle.inference.calibrate import Observed
from rekindle.inference.likelihood import TOGETHER
from rekindle.inference.trials import TrialSimulator

Array = NDArray[np.float64]

RATINGS = "nimh-ds005917-odd"
"""The trial whose patients these are."""

COLUMNS: Mapping[str, str] = {"MADRS": "MADRS_Total", "HAM-D17": "HAM17_Total", "HAM-D6": "HAMD_Bech"}
SESSIONS = ("d2", "d10", "p2", "p10")
"""Days 2-3 and 10-11 after ketamine, then after placebo."""

LEAST_SHARE_ERROR = 0.5
"""A response that nobody or everybody has is given the error of half a person."""


def individual_ratings(folder: Path, simulator: TrialSimulator) -> Observed:
    """What the individual ratings say in place of the printed summary of the same patients.

    Changes come from persons who have both visits. Every number is a mean over persons of something (a change, a
    squared deviation, a response), so the covariance of two is the mean product of what each person adds to them.

    Raises:
        InputError: the files are not there or lack a column, or the trial is not among those fitted.
    """
    visits = individual_visits(folder)
    places, values, columns = [], [], []
    for place, (number, target) in enumerate(zip(simulator.numbers, simulator.targets, strict=True)):
        session = next((part for part in (number.record or "").split("-") if part in SESSIONS), "")
        if number.trial != RATINGS or not session or number.scale not in COLUMNS:
            continue
        baseline, later = visits[number.scale]["b0"], visits[number.scale][session]
        added = _added(number.quantity, baseline, later)
        if added is None:
            continue
        found, influence = added
        places.append(place)
        values.append(float(target.transformed(found)))
        columns.append(influence * target.slope(found))
    if not places:
        raise InputError("No fitted number is of these patients.", where=str(folder))
    shares = np.stack(columns, axis=1)
    covariance = shares.T @ shares
    return Observed(
        tuple(places),
        np.array(values),
        TOGETHER * covariance + (1.0 - TOGETHER) * np.diag(np.diag(covariance)),
    )


def _added(quantity: str, baseline: Array, later: Array) -> tuple[float, Array] | None:
    """A number from persons, and what each person adds to its error, shape (people,); None for other quantities."""
    change = later - baseline
    there = np.isfinite(change)
    count = int(there.sum())
    if count < 3:
        return None
    away = np.where(there, change - np.nanmean(change), 0.0)
    whole = 1.0 / np.sqrt(count * (count - 1.0))
    if quantity == "mean_change":
        return float(np.nanmean(change)), away * whole
    if quantity == "standard_deviation":
        sd = float(np.nanstd(change, ddof=1))
        return sd, np.where(there, (away**2 - sd**2 * (count - 1) / count) / (2.0 * sd), 0.0) * whole
    if quantity == "response":
        halved = np.where(there, -change >= 0.5 * baseline, False).astype(np.float64)
        share = float(halved.sum() / count)
        if share in (0.0, 1.0):
            return share, np.where(there, LEAST_SHARE_ERROR / count, 0.0) / np.sqrt(count)
        return share, np.where(there, halved - share, 0.0) * whole
    return None


def individual_visits(folder: Path) -> dict[str, dict[str, Array]]:
    """Totals by scale and session, one entry a person with depression, NaN where a visit lacks.

    Raises:
        InputError: the files are not there, or lack a column.
    """
    depressed = [row["participant_id"] for row in _table(folder, "participants.tsv") if row.get("group") == "MDD"]
    order = {person: place for place, person in enumerate(depressed)}
    found = {scale: {name: np.full(len(order), np.nan) for name in ("b0", *SESSIONS)} for scale in COLUMNS}
    for row in _table(folder, "phenotype.tsv"):
        session = (row.get("session_id") or "").removeprefix("ses-")
        if row.get("participant_id") not in order or session not in ("b0", *SESSIONS):
            continue
        for scale, column in COLUMNS.items():
            if column not in row:
                raise InputError(f"The column '{column}' is missing.", where=str(folder / "phenotype.tsv"))
            text = row[column]
            if text not in ("", "n/a", None):
                found[scale][session][order[row["participant_id"]]] = float(text)
    return found


def _table(folder: Path, name: str) -> list[dict[str, str]]:
    path = next((each for each in (folder / name, folder / "ds005917" / name) if each.is_file()), None)
    if path is None:
        raise InputError(f"There is no {name}.", where=str(folder), hint="Give the directory of ds005917.")
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))

"""The words of trial files that are tables: what is given besides, illnesses, scales that the model lacks, settings.

Each row says whether the model has the thing (`modelled`), or only the direction of its effect is published
(`direction only`), or nothing (`no evidence`): a number of either sort is shown with that word and never scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from rekindle.errors import ModelError
from rekindle.population.tables import number, rows

Status = Literal["modelled", "direction only", "no evidence"]
STATUSES: tuple[Status, ...] = ("modelled", "direction only", "no evidence")
PACKAGE = "rekindle.trial"


@dataclass(frozen=True)
class Adjunct:
    """What an arm gets besides its course: the modifier that it sets, the setting that it moves, what is known."""

    word: str
    status: Status
    modifiers: Mapping[str, float]
    belief: str
    record: str
    reason: str


@dataclass(frozen=True)
class OtherScale:
    """A scale that trials use and the model lacks."""

    name: str
    title: str
    lowest: float
    highest: float
    domain: str
    status: Status


@dataclass(frozen=True)
class Diagnosis:
    """An illness: the population that stands for it."""

    name: str
    population: str
    status: Status
    reason: str


@dataclass(frozen=True)
class Setting:
    """One number of the trial layer: how a setting moves belief, contact or a rating; may be calibrated."""

    name: str
    value: float
    low: float
    high: float
    grade: str
    record: str
    reason: str
    meaning: str


def _status(row: Mapping[str, str], table: str) -> Status:
    for known in STATUSES:
        if row["status"] == known:
            return known
    raise ModelError(f"Unknown status '{row['status']}'.", where=f"{table}, line {row['line']}")


@cache
def adjuncts() -> Mapping[str, Adjunct]:
    """What an arm may get besides, by word.

    Raises:
        ModelError: a malformed table.
    """
    found = {}
    for row in rows("adjuncts.csv", PACKAGE):
        modifiers = {row["modifier"]: number(row, "value", "adjuncts.csv")} if row["modifier"] else {}
        found[row["word"]] = Adjunct(
            row["word"], _status(row, "adjuncts.csv"), modifiers, row["belief"], row["record"], row["reason"]
        )
    return found


@cache
def other_scales() -> Mapping[str, OtherScale]:
    """Scales that trial files may name though the model lacks them.

    Raises:
        ModelError: a malformed table.
    """
    return {
        row["scale"]: OtherScale(
            row["scale"],
            row["title"],
            number(row, "lowest", "other_scales.csv"),
            number(row, "highest", "other_scales.csv"),
            row["domain"],
            _status(row, "other_scales.csv"),
        )
        for row in rows("other_scales.csv", PACKAGE)
    }


@cache
def diagnoses() -> Mapping[str, Diagnosis]:
    """Illnesses by name.

    Raises:
        ModelError: a malformed table.
    """
    return {
        row["diagnosis"]: Diagnosis(row["diagnosis"], row["population"], _status(row, "diagnoses.csv"), row["reason"])
        for row in rows("diagnoses.csv", PACKAGE)
    }


@cache
def settings() -> Mapping[str, Setting]:
    """The numbers of the trial layer by name; a parameter set may replace them as `setting.NAME`.

    Raises:
        ModelError: a malformed table.
    """
    found = {}
    for row in rows("settings.csv", PACKAGE):
        value, low, high = (number(row, column, "settings.csv") for column in ("value", "low", "high"))
        if not low <= value <= high:
            raise ModelError(f"{value} is not inside {low} to {high}.", where=f"settings.csv, line {row['line']}")
        found[row["name"]] = Setting(
            row["name"], value, low, high, row["grade"], row["record"], row["reason"], row["meaning"]
        )
    return found

"""What changes a person's parameters: covariates of the person, and what an arm takes besides its course.

An arm's modifiers stand in `modifiers.csv`: each sets or multiplies one parameter, with its record or reason.
Covariates enter in `covariate_values`: body, genes, illness, trait.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError, ModelError, unknown
from rekindle.mechanism.parameters import parameter_table

Array = NDArray[np.float64]
TABLE = Path(__file__).parent / "modifiers.csv"
WELL_MADRS = 7.0
"""A MADRS total at or below which a person starts well (the usual line between none and mild)."""

OPERATIONS = ("set", "multiply", "given", "scale")


@dataclass(frozen=True)
class Modifier:
    """One thing an arm can take: what it does to which parameter, plausible from `low` to `high`.

    `set` gives the parameter `value` (`low` when the study says no), `multiply` multiplies it, `given` takes the
    value from the study, `scale` multiplies by the value from the study.
    """

    name: str
    parameter: str
    operation: str
    value: float
    low: float
    high: float
    grade: str
    record: str
    reason: str


@lru_cache(maxsize=1)
def modifier_table() -> dict[str, tuple[Modifier, ...]]:
    """All modifiers by name, in the order of the table; one name may change several parameters.

    Raises:
        ModelError: a row names no parameter, no known operation, or neither record nor reason.
    """
    found: dict[str, tuple[Modifier, ...]] = {}
    with TABLE.open(encoding="utf-8", newline="") as stream:
        for line, row in enumerate(csv.DictReader(stream), start=2):
            where = f"{TABLE.name}, line {line}"
            if row["parameter"] not in parameter_table():
                raise ModelError(f"Unknown parameter '{row['parameter']}'.", where=where)
            if row["operation"] not in OPERATIONS:
                raise ModelError(f"Unknown operation '{row['operation']}'.", where=where)
            if not row["record"] and not row["reason"]:
                raise ModelError("Neither a record nor a reason.", where=where)
            modifier = Modifier(
                name=row["modifier"],
                parameter=row["parameter"],
                operation=row["operation"],
                value=float(row["value"] or "nan"),
                low=float(row["low"]),
                high=float(row["high"]),
                grade=row["grade"],
                record=row["record"],
                reason=row["reason"],
            )
            found[modifier.name] = (*found.get(modifier.name, ()), modifier)
    return found


def modified(
    values: Mapping[str, Array | float], modifiers: Mapping[str, bool | float | str]
) -> dict[str, Array | float]:
    """The parameters that an arm's modifiers change, from the present `values`: one number, or one a person.

    Raises:
        InputError: an unknown modifier, or a value that it cannot have.

    >>> modified({"naltrexone": 0.0}, {"naltrexone": True})
    {'naltrexone': 1.0}
    """
    changed: dict[str, Array | float] = {}
    table = modifier_table()
    for name, given in modifiers.items():
        if name not in table:
            raise unknown("modifier", name, table)
        for modifier in table[name]:
            present = changed.get(modifier.parameter, values[modifier.parameter])
            changed[modifier.parameter] = _apply(modifier, given, present)
    return changed


def _apply(modifier: Modifier, given: bool | float | str, present: Array | float) -> Array | float:
    where = f"modifier {modifier.name}"
    if modifier.operation in ("given", "scale"):
        if isinstance(given, bool | str):
            raise InputError("A number is needed.", where=where, hint=f"{modifier.low:g} to {modifier.high:g}.")
        if not modifier.low <= given <= modifier.high:
            raise InputError(
                f"{given:g} is outside {modifier.low:g} to {modifier.high:g}.",
                where=where,
                hint=modifier.reason,
            )
        return present * float(given) if modifier.operation == "scale" else float(given)
    if isinstance(given, str) or (not isinstance(given, bool) and given not in (0, 1)):
        raise InputError(f"'{given}' is not yes or no.", where=where, hint="Write true or false.")
    if modifier.operation == "set":
        return modifier.value if given else modifier.low
    return present * modifier.value if given else present


def covariate_values(columns: Mapping[str, NDArray[np.generic]]) -> dict[str, Array]:
    """Parameters that follow a person's covariates, each one value a person.

    `columns` are those of a table of people: weight_kg, age_years, sex, baseline_madrs, bdnf_val66met,
    benzodiazepine_mg, chronic_illness, trait_dissociation, misuse_predisposition, baseline_pain, and flags.
    Slopes: dissociation rises 10.9 % per 5 points of trait dissociation (diss-trait-slope), around the median
    of 9 points assumed for patients.
    """
    number = {
        name: np.asarray(values, dtype=np.float64) for name, values in columns.items() if values.dtype.kind in "fiub"
    }
    effects: dict[str, Array] = {
        "weight_kg": number["weight_kg"],
        "age_years": number["age_years"],
        "female": (np.asarray(columns["sex"]) == "female").astype(np.float64),
        "baseline_severity": np.clip(number["baseline_madrs"] / 60.0, 0.005, 0.95),
    }
    effects["depressed"] = (number["baseline_madrs"] > WELL_MADRS).astype(np.float64)
    if "bdnf_val66met" in columns:
        effects["val66met"] = (np.asarray(columns["bdnf_val66met"]) != "Val/Val").astype(np.float64)
    if "trait_dissociation" in number:
        effects["dissociation_trait"] = 1.109 ** ((number["trait_dissociation"] - 9.0) / 5.0)
    for column, parameter, scale in (
        ("benzodiazepine_mg", "benzodiazepine", 1.0),
        ("misuse_predisposition", "predisposition", 1.0),
        ("baseline_pain", "baseline_pain", 0.1),
        ("chronic_illness", "chronic_illness", 1.0),
        ("failed_treatments", "failed_treatments", 1.0),
        ("lithium", "lithium", 1.0),
        ("naltrexone", "naltrexone", 1.0),
        ("oral_antidepressant", "oral_antidepressant", 1.0),
    ):
        if column in number:
            effects[parameter] = number[column] * scale
    return effects

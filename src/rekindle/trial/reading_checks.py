"""Whether a published number can be: its value inside what its quantity and scale allow, its times inside the design.

Every check is of numbers that are scored; what is only shown may be as odd as it was printed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rekindle.documents import Document
from rekindle.errors import InputError
from rekindle.trial.clock import last_dose_h
from rekindle.trial.design import Trial
from rekindle.trial.fields import NumberFields
from rekindle.trial.quantities import COUNTED, Quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

Place = tuple[str | int, ...]
POSITIVE = ("odds_ratio", "risk_ratio", "hazard_ratio", "time_to_relapse", "sessions_to_response")
"""Quantities above 0: most are compared as logarithms."""


def check_value(
    quantity: Quantity, given: NumberFields, value: float, scale: str, document: Document, here: Place
) -> None:
    """Nothing, when such a number can be.

    Raises:
        InputError: a value outside what its quantity or scale allows, a unit of another quantity, a reversed interval.
    """
    where = document.where(*here, "value" if given.value is not None else "record")
    if given.unit is not None and quantity.unit and given.unit != quantity.unit:
        raise InputError(
            f"'{quantity.name}' is in {quantity.unit}, not in {given.unit}.", where=document.where(*here, "unit")
        )
    low, high = _limits(quantity, given, scale)
    if not low <= value <= high:
        raise InputError(
            f"{value:g} cannot be a {quantity.name.replace('_', ' ')}: it lies between {low:g} and {high:g}.",
            where=where,
        )
    if quantity.name in POSITIVE and value <= 0.0:
        raise InputError(f"{value:g} cannot be a {quantity.name.replace('_', ' ')}: it is above 0.", where=where)
    if given.spread is not None and given.spread.values is not None:
        begin, end = given.spread.values
        if begin > end:
            raise InputError(
                "The interval is reversed.", where=document.where(*here, "spread"), hint="The lower end first."
            )
        if quantity.name in POSITIVE and begin <= 0.0:
            raise InputError(
                f"The interval of a {quantity.name.replace('_', ' ')} begins above 0.",
                where=document.where(*here, "spread"),
            )


def _limits(quantity: Quantity, given: NumberFields, scale: str) -> tuple[float, float]:
    """Lowest and highest that the quantity can be."""
    from rekindle.outcomes import SCALES

    if quantity.name in COUNTED:
        return 0.0, 100.0
    if quantity.name == "risk_difference":
        return -100.0, 100.0
    if quantity.name == "correlation":
        return -1.0, 1.0
    if scale not in SCALES or quantity.unit != "points":
        return -math.inf, math.inf
    of = SCALES[scale]
    low, high = float(of.minimum), float(of.maximum)
    for item in of.items:
        if given.item is not None and item.name.casefold() == given.item.casefold():
            low, high = float(item.minimum), float(item.maximum)
    if quantity.name in ("mean", "class_mean", "peak"):
        return low, high
    if quantity.name == "standard_deviation":
        return 0.0, high - low
    return low - high, high - low


def check_within_period(trial: Trial, given: NumberFields, document: Document, here: Place) -> None:
    """Nothing, when a number's times lie inside a period, or there are no periods.

    Raises:
        InputError: a time in the next period, or periods of a trial that has none.
    """
    if trial.design != "crossover":
        for name in ("periods", "baseline"):
            if name in given.model_fields_set:
                raise InputError(f"Only a crossover has '{name}'.", where=document.where(*here, name))
        return
    times: dict[str, Sequence[float]] = {
        name: [value] for name in ("time", "end", "any_by") if (value := getattr(given, name)) is not None
    }
    times["times"] = given.times or []
    for name, hours in times.items():
        if trial.period_h is not None and max(hours, default=0.0) > trial.period_h + 1e-6:
            raise InputError(
                "The time lies beyond the period, in the next one.",
                where=document.where(*here, name),
                hint="Times of a crossover count from the start of each period.",
            )


def check_relapse(
    trial: Trial, given: NumberFields, arms: tuple[str, ...], scale: str, offset: float, document: Document, here: Place
) -> None:
    """Nothing, when there is somebody who can relapse, and time for it.

    Raises:
        InputError: nobody has responded when the clock starts, it starts after the time, or a rule of another scale.
    """
    from rekindle.outcomes.endpoints import relapse_rule

    rule = relapse_rule(given.rule or "half lost") if given.rule is None or given.rule in _rules() else None
    if rule is not None and rule.scale not in ("any", scale):
        raise InputError(
            f"The rule '{rule.name}' is for the {rule.scale}, the number is of the {scale}.",
            where=document.where(*here, "rule"),
        )
    starts = {name: _starts_h(trial, given, name, offset) for name in arms if not trial.arm(name).mixture}
    if given.stage is None and not given.among and min(starts.values(), default=0.0) <= 0.0:
        raise InputError(
            "Nobody has responded at the start of the trial, so nobody can relapse from then on.",
            where=document.where(*here, "since") if given.since != "start" else document.where(*here),
            hint="since: last dose, or a time; or a stage; or among: [{response: ...}].",
        )
    for name, start in starts.items():
        if given.time is not None and offset + given.time <= start:
            raise InputError(
                f"The time is not after the clock of '{name}' starts.",
                where=document.where(*here, "time"), hint=f"It starts {start / 24.0:g} days after the start.",
            )  # fmt: skip


def _rules() -> Sequence[str]:
    from rekindle.outcomes.endpoints import relapse_rules

    return list(relapse_rules())


def _starts_h(trial: Trial, given: NumberFields, arm: str, offset: float) -> float:
    if given.since == "last dose":
        return last_dose_h(trial.arm(arm))
    return offset + (0.0 if isinstance(given.since, str) else float(given.since))

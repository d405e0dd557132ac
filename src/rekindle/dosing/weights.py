"""The weight that a mg/kg dose is multiplied by: as measured, or one of three corrected for stature.

Ideal body weight after Devine 1974 (50 kg for men, 45.5 kg for women, 2.3 kg for each inch of height above
60); lean body weight after Janmahasatian 2005 (doi:10.2165/00003088-200544100-00004); adjusted body weight
is the ideal plus four tenths of the excess, the usual clinical rule. Ketamine trials in depression dosed by
actual weight unless they say otherwise, so actual is what a bare "mg/kg" means.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from rekindle.errors import InputError, unknown

Weight = Literal["actual", "ideal", "lean", "adjusted"]
WEIGHTS: tuple[Weight, ...] = ("actual", "ideal", "lean", "adjusted")

WEIGHT_RANGE_KG = (20.0, 400.0)
HEIGHT_RANGE_CM = (100.0, 250.0)
"""Assumed bounds outside which a weight or height is a slip of the pen, not a person the model knows."""

_CM_PER_INCH = 2.54


@dataclass(frozen=True)
class Body:
    """What of a person's body a dose can depend on; None where it is not known."""

    weight_kg: float | None = None
    height_cm: float | None = None
    sex: str | None = None


def dosing_weight_kg(basis: Weight, body: Body) -> float:
    """Kilograms that a mg/kg dose on that basis is multiplied by.

    >>> round(dosing_weight_kg("ideal", Body(weight_kg=110, height_cm=180, sex="male")), 1)
    75.0

    Raises:
        InputError: a weight, height or sex that is missing, not a finite number, or outside its bounds.
    """
    if basis not in WEIGHTS:
        raise unknown("weight", basis, WEIGHTS)
    if body.weight_kg is None:
        raise InputError("A dose in mg/kg needs the person's weight.", where="weight_kg", hint="Give weight_kg.")
    weight = _within("weight", body.weight_kg, "kg", WEIGHT_RANGE_KG)
    if basis == "actual":
        return weight
    if body.height_cm is None or body.sex is None:
        missing = "height" if body.height_cm is None else "sex"
        raise InputError(
            f"A dose by {basis} body weight needs the person's {missing}.",
            hint="Give height_cm and sex, or dose by actual body weight.",
        )
    height = _within("height", body.height_cm, "cm", HEIGHT_RANGE_CM)
    if body.sex not in ("female", "male"):
        raise unknown("sex", body.sex, ("female", "male"))
    female = body.sex == "female"
    if basis == "lean":
        return _lean(weight, height, female=female)
    ideal = (45.5 if female else 50.0) + 2.3 * max(height / _CM_PER_INCH - 60, 0.0)
    return ideal if basis == "ideal" else ideal + 0.4 * (weight - ideal)


def _lean(weight: float, height: float, *, female: bool) -> float:
    body_mass_index = weight / (height / 100) ** 2
    if female:
        return 9270 * weight / (8780 + 244 * body_mass_index)
    return 9270 * weight / (6680 + 216 * body_mass_index)


def _within(name: str, value: float, unit: str, bounds: tuple[float, float]) -> float:
    low, high = bounds
    if not (math.isfinite(value) and low <= value <= high):
        raise InputError(
            f"A {name} of {value:g} {unit} is not that of an adult.",
            where=f"{name}_{unit}",
            hint=f"It should lie between {low:g} and {high:g} {unit}.",
        )
    return float(value)

"""Doses that cannot be meant: the line between a large dose and a slip of the pen.

These are not the studied ranges, which `rekindle.population.domain` keeps and which can be overridden. A
dose beyond these lines is refused outright, because no one would give it: the decimal point is in the wrong
place, or mg was written for micrograms. Each number is an assumption, set above the largest dose in use.
"""

from __future__ import annotations

from rekindle.dosing.drugs import DEVICE_MG, Drug
from rekindle.errors import InputError

MOST_MG_PER_KG = {"ketamine": 20.0, "midazolam": 1.0}
"""Assumed. Ketamine: above the 13 mg/kg intramuscular dose of anaesthesia and a few days of infusion at the
0.3 mg/kg/h used in pain; midazolam: several times an induction dose."""

MOST_MG = {"ketamine": 2000.0, "midazolam": 100.0}
"""Assumed. Ketamine: the mean daily intake reported in ketamine use disorder (record `kud-dose-mean`)."""

LEAST_MG = 1e-4
"""Assumed. A dose under a tenth of a microgram is a slip of the unit."""

MOST_DEVICES = 6
"""Assumed. Twice the largest labelled esketamine session; four devices (112 mg) have been studied."""

LONGEST_INFUSION_MIN = 7 * 24 * 60.0
"""Assumed. The longest infusions studied in depression or pain ran four to five days."""

PER_DAY_FROM_MIN = 24 * 60.0
"""An infusion longer than this is judged by what it gives in a day."""


def check_amount(drug: Drug, amount: float, unit: str, *, duration_min: float | None) -> None:
    """Refuse an amount of `drug` (mg or mg/kg) that nobody would mean.

    Raises:
        InputError: the amount is above the line for the drug, or far too small to be one.
    """
    family = "ketamine" if drug.is_ketamine else drug.name
    most = (MOST_MG_PER_KG if unit == "mg/kg" else MOST_MG).get(family)
    if most is None:
        return
    days = max(1.0, (duration_min or 0.0) / PER_DAY_FROM_MIN)
    if amount / days > most:
        share = " in a day" if days > 1 else ""
        raise InputError(
            f"A dose of {amount:g} {unit} of {drug.spoken} cannot be meant.",
            hint=f"At most {most:g} {unit}{share} is accepted; check the decimal point and the unit.",
        )
    if amount < LEAST_MG:
        raise InputError(
            f"A dose of {amount:g} {unit} of {drug.spoken} is too small to be meant.",
            hint="Check the unit; mg, mg/kg, g and micrograms (ug) are understood.",
        )


def check_devices(amount: float) -> int:
    """Number of 28-mg esketamine devices that make up `amount` mg.

    >>> check_devices(84)
    3

    Raises:
        InputError: the amount is not a whole number of devices, or more than `MOST_DEVICES`.
    """
    count = round(amount / DEVICE_MG)
    if count > MOST_DEVICES:
        raise InputError(
            f"A session of {amount:g} mg would take {count} esketamine devices.",
            hint=f"At most {MOST_DEVICES} are accepted; 28, 56 and 84 mg are the usual doses.",
        )
    if count < 1 or amount != count * DEVICE_MG:
        near = sorted({max(1, int(amount // DEVICE_MG)), int(amount // DEVICE_MG) + 1})
        offered = " or ".join(f"{DEVICE_MG * devices:g} mg" for devices in near)
        raise InputError(
            f"{amount:g} mg is not a whole number of 28-mg esketamine devices.", hint=f"Nearest: {offered}."
        )
    return count


def check_duration(duration_min: float) -> None:
    """Refuse an infusion that lasts no time, or longer than any that has been tried.

    Raises:
        InputError: the duration is not a finite number of minutes above zero, or is beyond the line.
    """
    if not 0 < duration_min <= LONGEST_INFUSION_MIN:
        raise InputError(
            f"An infusion cannot last {duration_min:g} minutes.",
            hint=f"It should last more than zero and at most {LONGEST_INFUSION_MIN / 1440:g} days.",
        )

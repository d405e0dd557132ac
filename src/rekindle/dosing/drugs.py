"""What can be given: the two forms of ketamine alone or together, and what they are compared with.

A comparator counts as a drug here, so a control arm is written in the same language as a treatment arm.
Amounts are in mg of base throughout the package. A dose stated as hydrochloride is converted at the door:
28 mg of esketamine base is 32.3 mg of esketamine hydrochloride (record `pk-label-salt`), and the racemate
and arketamine, being the same molecule by weight, convert alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rekindle.dosing.routes import ROUTES
from rekindle.errors import unknown

Form = Literal["base", "hydrochloride"]
FORMS: tuple[Form, ...] = ("base", "hydrochloride")

BASE_PER_HYDROCHLORIDE = 0.8669
"""mg of base in one mg of hydrochloride, ketamine and its enantiomers; record `pk-label-salt`."""

DEVICE_MG = 28.0
"""mg of esketamine base in one nasal device, a pair of sprays; record `reg-esk-device-gap`."""

DEVICE_GAP_MIN = 5.0
"""Minutes of rest between one nasal device and the next; record `reg-esk-device-gap`."""

_EVERY_BUT_DEVICE = tuple(name for name in ROUTES if name not in ("intranasal-device", "none"))


@dataclass(frozen=True)
class Drug:
    """Something that can be given at a session.

    `routes` are the ways it can be given here (the first is understood when there is only one), `dosed`
    says whether it has an amount, `has_hydrochloride` whether doses stated as hydrochloride can be
    converted, and `number` is the start of its block of compartments in an event table.
    """

    name: str
    spoken: str
    routes: tuple[str, ...]
    dosed: bool
    has_hydrochloride: bool
    number: int

    @property
    def is_ketamine(self) -> bool:
        """Whether it is ketamine or one of its enantiomers."""
        return self.has_hydrochloride


DRUGS: dict[str, Drug] = {
    drug.name: drug
    for drug in (
        Drug("racemic-ketamine", "ketamine", _EVERY_BUT_DEVICE, True, True, 0),
        Drug("esketamine", "esketamine", ("intranasal-device", *_EVERY_BUT_DEVICE), True, True, 20),
        Drug("arketamine", "arketamine", _EVERY_BUT_DEVICE, True, True, 40),
        Drug("midazolam", "midazolam", ("iv-infusion",), True, False, 60),
        Drug("saline", "saline", ("iv-infusion",), False, False, 70),
        Drug("placebo-spray", "placebo spray", ("intranasal",), False, False, 80),
        Drug("oral-antidepressant", "oral antidepressant", ("oral",), False, False, 90),
        Drug("ect", "ECT", ("none",), False, False, 100),
        Drug("none", "no treatment", ("none",), False, False, 120),
    )
}


def drug(name: str) -> Drug:
    """The drug of that name; "ketamine" alone is the racemate.

    >>> drug("ketamine").name
    'racemic-ketamine'

    Raises:
        InputError: no such drug; the nearest names are offered.
    """
    if name == "ketamine":
        name = "racemic-ketamine"
    if name not in DRUGS:
        raise unknown("drug", name, [*DRUGS, "ketamine"])
    return DRUGS[name]


def base_mg(amount_mg: float, form: Form) -> float:
    """mg of base in `amount_mg` of the stated form.

    >>> round(base_mg(32.3, "hydrochloride"), 2)
    28.0
    """
    return amount_mg * BASE_PER_HYDROCHLORIDE if form == "hydrochloride" else amount_mg

"""The ways a drug enters a person, one entry a route, with the words a clinician uses for it.

A route says whether a dose is poured in at a rate over a stated time (an infusion), given at once, or either
(a nebuliser). What becomes of the drug afterwards is the mechanism's business, not dosing's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rekindle.errors import unknown

Pace = Literal["over time", "at once", "either"]


@dataclass(frozen=True)
class Route:
    """One way of giving a drug.

    `name` is its name in files, `spoken` its words in a sentence, `before_drug` whether those words stand
    before the drug ("intranasal esketamine") or after it ("esketamine IV"), `pace` whether it takes a
    duration, `number` its place among the compartments of an event table.
    """

    name: str
    spoken: str
    before_drug: bool
    pace: Pace
    number: int


ROUTES: dict[str, Route] = {
    route.name: route
    for route in (
        Route("iv-infusion", "IV", False, "over time", 1),
        Route("iv-bolus", "IV bolus", False, "at once", 1),
        Route("intramuscular", "IM", False, "at once", 2),
        Route("subcutaneous", "subcutaneously", False, "at once", 3),
        Route("intranasal-device", "intranasal", True, "at once", 4),
        Route("intranasal", "intranasal", True, "at once", 5),
        Route("oral", "orally", False, "at once", 6),
        Route("oral-extended-release", "extended-release oral", True, "at once", 7),
        Route("sublingual-film", "sublingual film", False, "at once", 8),
        Route("sublingual-lozenge", "sublingual lozenge", False, "at once", 9),
        Route("inhaled", "inhaled", False, "either", 10),
        Route("none", "", False, "at once", 11),
    )
}
INTRAVENOUS = ("iv-infusion", "iv-bolus")


def route(name: str) -> Route:
    """The route of that name.

    >>> route("intramuscular").spoken
    'IM'

    Raises:
        InputError: no such route; the nearest names are offered.
    """
    if name not in ROUTES:
        raise unknown("route", name, ROUTES)
    return ROUTES[name]

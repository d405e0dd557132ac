"""What a limit may be about: each quantity's name, unit, side, and whether a session, a stretch or the plan has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["session", "window", "plan"]


@dataclass(frozen=True)
class Quantity:
    """Something a plan does.

    `scope` is "session" for what every session has a value of, "window" for what is counted over the days that end
    with a session, "plan" for one value of the whole plan. `upper` says that a limit is the largest allowed value.
    """

    name: str
    unit: str
    scope: Scope
    upper: bool = True
    days: int = 0
    least: float = 0.0
    most: float = float("inf")

    @property
    def random(self) -> bool:
        """Whether it differs between draws of the person under one fixed schedule."""
        return self.scope == "session" or self.name in ("craving", "bladder injury")


QUANTITIES: dict[str, Quantity] = {
    each.name: each
    for each in (
        Quantity("systolic peak", "mmHg", "session", least=80.0, most=300.0),
        Quantity("diastolic peak", "mmHg", "session", least=40.0, most=200.0),
        Quantity("dissociation peak", "CADSS points", "session", most=92.0),
        Quantity("alertness", "MOAA/S", "session", upper=False, most=5.0),
        Quantity("dose a week", "mg", "window", days=7),
        Quantity("dose a month", "mg", "window", days=28),
        Quantity("visits a week", "visits", "window", days=7, most=21.0),
        Quantity("visits a month", "visits", "window", days=28, most=84.0),
        Quantity("visits", "visits", "plan"),
        Quantity("drug", "mg", "plan"),
        Quantity("craving", "points of 100", "plan", most=100.0),
        Quantity("bladder injury", "", "plan", most=1.0),
        Quantity("cost", "", "plan"),
        Quantity("cost a month", "", "window", days=28),
    )
}
"""Doses are mg of base as given; `rekindle.planning.doses` says how drugs and routes are put on one footing."""

"""Limits as values: what may be proposed, the rules of spacing, and chances that may not be passed.

Every number carries the record of `rekindle.evidence` that it rests on, or the reason for which it was assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from rekindle.errors import InputError, unknown
from rekindle.planning.quantities import QUANTITIES, Quantity

if TYPE_CHECKING:
    from rekindle.dosing.regimen import Regimen

Per = Literal["session", "plan"]


@dataclass(frozen=True)
class Ground:
    """Why a number is what it is: the id of a record, or the reason for assuming it."""

    record: str = ""
    assumed: str = ""

    def as_dict(self) -> dict[str, str]:
        """Whichever of the two there is."""
        return {"record": self.record} if self.record else {"assumed": self.assumed}


@dataclass(frozen=True)
class Offer:
    """What may be given at a session: a phrase that follows the dose ("mg/kg IV over 40 min"), and the doses, rising.

    `first_most` is the largest dose of the first session ever, `older_first_most` the same from `older_from` years.
    """

    give: str
    doses: tuple[float, ...]
    ground: Ground
    first_most: float | None = None
    older_from: float | None = None
    older_first_most: float | None = None
    where: str = ""

    def phrase(self, step: int) -> str:
        """The dose of a step as a sentence begins."""
        return f"{self.doses[step]:g} {self.give}"

    def regimen(self, step: int = 0) -> Regimen:
        """What a session at that step gives."""
        return _regimen(self.phrase(step))

    @property
    def drug(self) -> str:
        """The drug."""
        return self.regimen().drug


@lru_cache(maxsize=256)
def _regimen(phrase: str) -> Regimen:
    from rekindle.dosing import parse

    return parse(f"{phrase}, once").lines[0].regimens[0]


@dataclass(frozen=True)
class Spacing:
    """At most so many sessions in so many days, for sessions of these weeks (counted from the first ever; None: on).

    Only sessions of the same stretch of weeks count together.
    """

    most: int
    in_days: int
    from_week: int
    to_week: int | None
    ground: Ground

    def holds_in(self, week: int) -> bool:
        """Whether it is about sessions of that week, the first being 1."""
        return self.from_week <= week and (self.to_week is None or week <= self.to_week)

    def __str__(self) -> str:
        weeks = f"weeks {self.from_week} to {self.to_week}" if self.to_week else f"from week {self.from_week} on"
        return f"at most {self.most} session{'s' * (self.most > 1)} in {self.in_days} days, {weeks}"


@dataclass(frozen=True)
class ChanceLimit:
    """A line that a quantity may pass with at most some chance: at any one session, or at any time of the plan.

    A limit with `keep` off is shown and bars nothing.
    """

    quantity: Quantity
    line: float
    chance: float
    per: Per
    ground: Ground
    keep: bool = True

    @property
    def name(self) -> str:
        """As tables say it."""
        side = "at most" if self.quantity.upper else "at least"
        return f"{self.quantity.name} {side} {self.line:g}{' ' + self.quantity.unit if self.quantity.unit else ''}"


@dataclass(frozen=True)
class Costs:
    """What sessions and drug cost, in `currency`."""

    session: float
    per_mg: float
    currency: str
    ground: Ground


@dataclass(frozen=True)
class Limits:
    """A file of limits.

    `joint` is the chance with which any kept limit at all may be broken, over `joint_per`; None where there is none.
    `observation_h` is how long a person stays after a dose at least.
    """

    name: str
    title: str
    offers: tuple[Offer, ...]
    spacings: tuple[Spacing, ...]
    chances: tuple[ChanceLimit, ...]
    joint: float | None
    joint_per: Per
    observation_h: float
    observation_ground: Ground
    costs: Costs | None
    notes: tuple[str, ...]
    digest: str


def quantity(name: str, where: str) -> Quantity:
    """The quantity of a name.

    Raises:
        InputError: no such quantity.
    """
    if name not in QUANTITIES:
        raise unknown("quantity", name, QUANTITIES, where=where)
    return QUANTITIES[name]


def within(value: float, low: float, high: float, what: str, where: str) -> float:
    """The value, if it lies in its range.

    Raises:
        InputError: it does not.
    """
    if not low <= value <= high:
        raise InputError(
            f"{what} of {value:g} is out of range.", where=where, hint=f"It lies from {low:g} to {high:g}."
        )
    return value

"""A row of an event table: something that happened to a person, in the words of NONMEM's columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Carry = Literal["NOCB", "LOCF"]
CARRIES: tuple[Carry, ...] = ("NOCB", "LOCF")
"""How a covariate holds between rows: the next observation carried backward, or the last carried forward."""

OBSERVATION, DOSE, OTHER, RESET, RESET_AND_DOSE = range(5)
MODELLED_RATE, MODELLED_DURATION = -1.0, -2.0


@dataclass(frozen=True)
class Event:
    """One row. Times and durations in hours, amounts in mg (or whatever the model's compartment holds).

    `evid` is 0 observation, 1 dose, 2 other, 3 reset, 4 reset and dose, or the table's replace code.
    `rate` is the infusion rate, 0 for none, -1 for a rate and -2 for a duration given by the model.
    `steady_state` is 0, 1 (become the steady state of this dose every `interval_h`) or 2 (add it).
    `value` is DV, None where missing; `covariates` go with the table's names, None where missing; `line` is
    the line of the file the row came from (not part of its identity).
    """

    person: str
    time_h: float
    evid: int = OBSERVATION
    amount: float = 0.0
    compartment: str | None = None
    rate: float = 0.0
    duration_h: float = 0.0
    interval_h: float = 0.0
    additional: int = 0
    steady_state: int = 0
    value: float | None = None
    observed: bool = False
    dvid: str | None = None
    occasion: int | None = None
    limit: float | None = None
    censored: int = 0
    covariates: tuple[float | None, ...] = ()
    line: int = field(default=0, compare=False)

    @property
    def is_dose(self) -> bool:
        """Whether the row gives a dose (EVID 1 or 4)."""
        return self.evid in (DOSE, RESET_AND_DOSE)

    @property
    def is_constant_infusion(self) -> bool:
        """Whether the row asks for the steady state of an infusion without end (SS, RATE, no AMT, no II)."""
        return self.steady_state > 0 and self.amount == 0 and self.rate > 0 and self.interval_h == 0

"""What an event table comes down to: the few things that can happen to a system of compartments.

Times and durations are hours on the table's clock; amounts are those that arrive, bioavailability applied. The
names of compartments are the table's; whoever drives an engine maps them to its states and inputs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bolus:
    """`amount` appears in a compartment at once."""

    time_h: float
    compartment: str
    amount: float


@dataclass(frozen=True)
class Infusion:
    """`rate` an hour runs into a compartment for `duration_h`; rates of several infusions add up."""

    time_h: float
    compartment: str
    rate: float
    duration_h: float


@dataclass(frozen=True)
class Replace:
    """A compartment's content becomes `amount`."""

    time_h: float
    compartment: str
    amount: float


@dataclass(frozen=True)
class Reset:
    """Every compartment returns to its initial content. Infusions that ran have been cut short."""

    time_h: float


@dataclass(frozen=True)
class Covariate:
    """A covariate holds `value` from `time_h` on."""

    time_h: float
    name: str
    value: float


@dataclass(frozen=True)
class Observation:
    """The system is looked at; `row` is the place of the event among the person's rows, from 0."""

    time_h: float
    row: int
    compartment: str | None
    dvid: str | None


@dataclass(frozen=True)
class SteadyState:
    """The system becomes (or, if `adds`, gains) what an endless train of equal doses would have left by now.

    The doses of the train arrive at `time_h + lag_h - k * interval_h` for k = 1, 2, ...; each is `amount` at
    once, or `rate` for `duration_h`. The dose of k = 0, and what is left of infusions of the train that still
    run, follow as events of their own. When `interval_h` is 0 the train is one infusion of `rate` that has run for
    ever and stops now, as in NONMEM.
    """

    time_h: float
    compartment: str
    amount: float
    rate: float
    duration_h: float
    interval_h: float
    lag_h: float
    adds: bool

    def train(self, count: int) -> tuple[tuple[Bolus | Infusion, ...], float]:
        """The last `count` doses of the train on a clock that starts with the first of them, and the hour on
        that clock at which the state is the steady state, in the limit of many doses.

        >>> SteadyState(48.0, "central", 10.0, 0.0, 0.0, 12.0, 0.0, adds=False).train(2)[1]
        24.0
        """
        if self.interval_h == 0:
            return (Infusion(0.0, self.compartment, self.rate, float(count)),), float(count)
        doses: list[Bolus | Infusion] = []
        for index in range(count):
            arrival = index * self.interval_h
            if self.rate > 0:
                doses.append(Infusion(arrival, self.compartment, self.rate, self.duration_h))
            else:
                doses.append(Bolus(arrival, self.compartment, self.amount))
        return tuple(doses), count * self.interval_h - self.lag_h


Elementary = Bolus | Infusion | Replace | Reset | Covariate | Observation | SteadyState

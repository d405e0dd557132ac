"""From the rows of an event table to elementary events in the order in which they happen.

Additional doses are written out, lag moves the dose (never the reset), bioavailability scales what arrives:
with a rate stated, or modelled (RATE -1), it scales the duration; with a duration stated (DUR) or modelled (RATE
-2) it scales the rate. A reset, and a dose with SS 1, end what went before: infusions that run stop and doses still
to come (additional or lagged) are off. EVID 4 with ADDL resets once. At one time, additional and lagged doses
come first, then the rows in the order of the table; these are NONMEM's ways.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from rekindle.dosing.elementary import (
    Bolus,
    Covariate,
    Elementary,
    Infusion,
    Observation,
    Replace,
    Reset,
    SteadyState,
)
from rekindle.dosing.event import MODELLED_DURATION, MODELLED_RATE, Event
from rekindle.dosing.event_table import EventTable
from rekindle.errors import InputError, UnsupportedError

MOST_OVERLAPPING = 1000
"""Assumed. More doses of a steady-state train running at once than this are a slip of the pen."""

_BEFORE, _DOSES, _ROWS, _AFTER = range(4)


@dataclass(frozen=True)
class Intake:
    """How a compartment takes its doses: the model's F, lag time, and modelled rate or duration.

    Raises:
        InputError: a value that is negative, not finite, or zero where it cannot be.
    """

    bioavailability: float = 1.0
    lag_h: float = 0.0
    rate: float | None = None
    duration_h: float | None = None

    def __post_init__(self) -> None:
        for name, value, least in (
            ("bioavailability", self.bioavailability, 0.0),
            ("lag_h", self.lag_h, 0.0),
        ):
            if not (math.isfinite(value) and value >= least):
                raise InputError(f"{name} is {value}.", hint="It should be zero or more.")
        for name, given in (("rate", self.rate), ("duration_h", self.duration_h)):
            if given is not None and not (math.isfinite(given) and given > 0):
                raise InputError(f"The modelled {name} is {given}.", hint="It should be more than zero.")


@dataclass(frozen=True)
class _Entry:
    time_h: float
    rank: int
    what: Elementary


def expand(
    table: EventTable,
    person: str,
    intakes: Mapping[str, Intake] | None = None,
    *,
    until_h: float | None = None,
) -> tuple[Elementary, ...]:
    """One person's elementary events in the order in which they happen, up to `until_h` (default: all).

    `intakes` gives the model's bioavailability, lag and modelled rate or duration by compartment.

    Raises:
        InputError: no such person, or data and model disagree on who states a rate or a duration.
        UnsupportedError: a steady state with a lag of an interval or more.
    """
    known = intakes or {}
    entries: list[_Entry] = []
    for row, event in enumerate(table.of(person)):
        if event.evid in (3, 4) or event.steady_state == 1:
            entries = list(_ended(entries, event.time_h))
        entries.extend(_of_row(table, event, row, known))
    seen: set[str] = set()
    for time, name, value in table.covariate_changes(person):
        rank = _AFTER if name in seen and table.carry == "NOCB" else _BEFORE
        seen.add(name)
        entries.append(_Entry(time, rank, Covariate(time, name, value)))
    entries.sort(key=lambda entry: (entry.time_h, entry.rank))
    return tuple(entry.what for entry in entries if until_h is None or entry.time_h <= until_h)


def _ended(entries: list[_Entry], time_h: float) -> Iterator[_Entry]:
    """What is left of earlier rows' doses when everything stops at `time_h`."""
    for entry in entries:
        what = entry.what
        if isinstance(what, Infusion) and what.time_h < time_h < what.time_h + what.duration_h:
            yield replace(entry, what=replace(what, duration_h=time_h - what.time_h))
        elif not isinstance(what, (Bolus, Infusion)) or what.time_h < time_h:
            yield entry


def _of_row(table: EventTable, event: Event, row: int, intakes: Mapping[str, Intake]) -> Iterator[_Entry]:
    time = event.time_h
    if event.evid == 0:
        yield _Entry(time, _ROWS, Observation(time, row, event.compartment, event.dvid))
    if event.evid in (3, 4):
        yield _Entry(time, _ROWS, Reset(time))
    if event.evid == table.replace_evid and event.compartment is not None:
        yield _Entry(time, _ROWS, Replace(time, event.compartment, event.amount))
    if event.is_dose:
        yield from _dose(table, event, intakes.get(event.compartment or "", Intake()))


def _dose(table: EventTable, event: Event, intake: Intake) -> Iterator[_Entry]:
    compartment = event.compartment or ""
    _check_agreement(table, event, intake)
    if event.is_constant_infusion:
        steady = SteadyState(
            event.time_h, compartment, 0.0, event.rate, math.inf, 0.0, 0.0, adds=event.steady_state == 2
        )
        yield _Entry(event.time_h, _ROWS, steady)
        return
    amount, rate, duration = _arriving(event, intake)
    if event.steady_state:
        yield from _steady_state(table, event, intake, amount, rate, duration)
    for index in range(event.additional + 1):
        arrival = event.time_h + index * event.interval_h + intake.lag_h
        rank = _ROWS if index == 0 and intake.lag_h == 0 else _DOSES
        yield _Entry(arrival, rank, _given(arrival, compartment, amount, rate, duration))


def _given(time_h: float, compartment: str, amount: float, rate: float, duration_h: float) -> Bolus | Infusion:
    if rate > 0:
        return Infusion(time_h, compartment, rate, duration_h)
    return Bolus(time_h, compartment, amount)


def _arriving(event: Event, intake: Intake) -> tuple[float, float, float]:
    """Amount, rate and duration with bioavailability applied; rate 0 for a dose given at once."""
    amount = event.amount * intake.bioavailability
    rate, duration = event.rate, 0.0
    if event.rate == MODELLED_RATE:
        rate = intake.rate or 0.0
    if event.rate == MODELLED_DURATION or (event.rate == 0 and event.duration_h > 0):
        duration = event.duration_h or intake.duration_h or 0.0
        return amount, amount / duration, duration
    return amount, rate, amount / rate if rate > 0 else 0.0


def _steady_state(
    table: EventTable, event: Event, intake: Intake, amount: float, rate: float, duration: float
) -> Iterator[_Entry]:
    time, every, lag = event.time_h, event.interval_h, intake.lag_h
    compartment = event.compartment or ""
    if lag >= every:
        raise UnsupportedError(
            f"A steady state with a lag ({lag:g} h) of II ({every:g} h) or more is not supported.",
            where=table.place(event, "SS"),
            hint="Write the doses out with ADDL.",
        )
    if duration > MOST_OVERLAPPING * every:
        raise InputError(
            f"Each infusion of the steady state lasts {duration / every:g} intervals.",
            where=table.place(event, "II"),
        )
    adds = event.steady_state == 2
    steady = SteadyState(time, compartment, amount, rate, duration, every, lag, adds=adds)
    yield _Entry(time, _ROWS, steady)
    earlier = 1
    while (left := lag - earlier * every + duration) > 1e-12 * duration and rate > 0:
        yield _Entry(time, _ROWS, Infusion(time, compartment, rate, left))
        earlier += 1


def _check_agreement(table: EventTable, event: Event, intake: Intake) -> None:
    """Both ways: what the data leave to the model it gives, and what it gives the data leave to it."""
    name = event.compartment
    for code, given, word in (
        (MODELLED_RATE, intake.rate, "rate"), (MODELLED_DURATION, intake.duration_h, "duration"),
    ):  # fmt: skip
        if event.rate == code and given is None:
            raise InputError(
                f"RATE {code:g} leaves the {word} to the model, and the model gives none for {name}.",
                where=table.place(event, "RATE"),
                hint=f"Give the model's {word} for {name}, or state RATE or DUR.",
            )
        if event.rate != code and given is not None:
            raise InputError(
                f"The model gives a {word} for {name}, and the data do not leave it to the model.",
                where=table.place(event, "RATE"),
                hint=f"Use RATE {code:g}, or take the model's {word} away.",
            )

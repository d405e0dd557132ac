"""What makes a row of an event table impossible, one rule a line, so that the documentation can list them.

Each rule looks at one row and answers with the column at fault, what is wrong and what would be right. The
rules follow NONMEM where engines agree, and refuse where they do not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Protocol

from rekindle.dosing.event import (
    MODELLED_DURATION,
    MODELLED_RATE,
    OBSERVATION,
    RESET,
    RESET_AND_DOSE,
    Carry,
    Event,
)
from rekindle.errors import InputError, UnsupportedError

Complaint = tuple[str, str, str]
"""Column, what is wrong, what would be right."""

RATE_AGREES_WITHIN = 1e-3
"""Assumed. Share by which AMT / RATE and DUR may differ, for numbers rounded in a file."""

MOST_ADDITIONAL = 100_000
"""Assumed. More additional doses than this are a slip of the pen."""


class Rows(Protocol):
    """What the checks need to know of an event table."""

    @property
    def events(self) -> tuple[Event, ...]: ...
    @property
    def covariates(self) -> tuple[str, ...]: ...
    @property
    def carry(self) -> Carry | None: ...
    @property
    def replace_evid(self) -> int | None: ...
    @property
    def source(self) -> str: ...
    def of(self, person: str) -> tuple[Event, ...]: ...
    def place(self, event: Event, column: str = "") -> str: ...


def check_table(table: Rows) -> None:
    """Refuse rows, orders of rows and covariates that make no sense.

    Raises:
        InputError: the first fault, with its file, line and column.
        UnsupportedError: the first thing that other programs may do and this one does not.
    """
    if not table.events:
        raise InputError("The event table has no rows.", where=table.source, hint="Give at least one event.")
    for event in table.events:
        _check_kind(table, event)
        for rule in RULES:
            complaint = rule(event, event.evid == table.replace_evid)
            if complaint is not None:
                column, wrong, right = complaint
                raise InputError(wrong, where=table.place(event, column), hint=right)
    _check_order(table)
    _check_covariates(table)


def _check_kind(table: Rows, event: Event) -> None:
    if event.evid in range(5) or event.evid == table.replace_evid:
        return
    if event.evid in (5, 8):
        why, hint = (
            f"EVID {event.evid} means replace in some programs and nothing in others.",
            f"Say replace_evid={event.evid} if replace is meant.",
        )
    elif event.evid >= 100:
        why, hint = f"EVID {event.evid} (100 and above) is not supported.", "Use EVID 0 to 4."
    else:
        why, hint = (
            f"EVID {event.evid} is not supported.",
            "Use 0 observation, 1 dose, 2 other, 3 reset, 4 both.",
        )
    raise UnsupportedError(why, where=table.place(event, "EVID"), hint=hint)


def _finite(event: Event, replaces: bool) -> Complaint | None:
    for column, value in (
        ("TIME", event.time_h), ("AMT", event.amount), ("RATE", event.rate), ("DUR", event.duration_h),
        ("II", event.interval_h), ("DV", event.value), ("LIMIT", event.limit),
    ):  # fmt: skip
        if value is not None and not math.isfinite(value):
            return column, f"{column} is {value}.", "It should be a finite number."
    return None


def _no_dose_items(event: Event, replaces: bool) -> Complaint | None:
    """Rows that give no dose carry no dose."""
    if event.is_dose:
        return None
    items: list[tuple[str, float]] = [
        ("RATE", event.rate), ("DUR", event.duration_h), ("II", event.interval_h),
        ("ADDL", event.additional), ("SS", event.steady_state),
    ]  # fmt: skip
    if not replaces:
        items.insert(0, ("AMT", event.amount))
    for column, value in items:
        if value != 0:
            return (
                column,
                f"{column} is {value:g} on a row with EVID {event.evid}.",
                "Only a dose (EVID 1 or 4) has it.",
            )
    return None


def _amount(event: Event, replaces: bool) -> Complaint | None:
    if event.amount < 0:
        return "AMT", f"AMT is {event.amount:g}.", "It should be more than zero."
    if event.is_dose and event.amount == 0 and not event.is_constant_infusion:
        return (
            "AMT",
            "A dose without an amount.",
            "AMT should be more than zero (or EVID 0 for an observation).",
        )
    return None


def _compartment(event: Event, replaces: bool) -> Complaint | None:
    if event.compartment is None and (event.is_dose or replaces):
        return "CMT", "A dose without a compartment.", "CMT should name or number the compartment."
    if event.compartment is not None and event.compartment.startswith("-"):
        return (
            "CMT",
            f"CMT is {event.compartment}: switching a compartment off is not supported.",
            "Use CMT above 0.",
        )
    return None


def _rate(event: Event, replaces: bool) -> Complaint | None:
    if event.rate < 0 and event.rate not in (MODELLED_RATE, MODELLED_DURATION):
        return (
            "RATE",
            f"RATE is {event.rate:g}.",
            "A rate, 0, -1 (rate from the model) or -2 (duration from the model).",
        )
    if event.duration_h < 0:
        return "DUR", f"DUR is {event.duration_h:g}.", "It should be 0 or more hours."
    if event.rate < 0 and event.duration_h > 0:
        return "DUR", f"RATE {event.rate:g} leaves it to the model, but DUR is given.", "Keep one of them."
    if event.rate > 0 and event.duration_h > 0:
        implied = event.amount / event.rate
        if abs(implied - event.duration_h) > RATE_AGREES_WITHIN * event.duration_h:
            return (
                "DUR",
                f"RATE and DUR disagree: {event.amount:g} at {event.rate:g} an hour takes {implied:g} h, "
                f"not {event.duration_h:g} h.",
                "Correct one of them, or leave one out.",
            )
    return None


def _repeats(event: Event, replaces: bool) -> Complaint | None:
    if event.interval_h < 0:
        return "II", f"II is {event.interval_h:g}.", "It should be more than zero hours."
    if not 0 <= event.additional <= MOST_ADDITIONAL:
        return "ADDL", f"ADDL is {event.additional}.", f"A whole number from 0 to {MOST_ADDITIONAL}."
    if event.additional > 0 and event.interval_h == 0:
        return "ADDL", "ADDL without II.", "Give II, the hours between doses."
    if event.interval_h > 0 and event.additional == 0 and event.steady_state == 0:
        return "II", "II without ADDL or SS.", "Give the number of additional doses, or leave II out."
    return None


def _steady_state(event: Event, replaces: bool) -> Complaint | None:
    if event.steady_state not in (0, 1, 2):
        return (
            "SS",
            f"SS {event.steady_state} is not supported.",
            "0 none, 1 become the steady state, 2 add it.",
        )
    if event.steady_state and event.interval_h == 0 and not event.is_constant_infusion:
        return "SS", "SS without II.", "Give II, the hours between the doses of the steady state."
    if event.steady_state and event.amount == 0 and not event.is_constant_infusion:
        return "II", "The steady state of an infusion without end has no II.", "Give AMT, or leave II out."
    return None


def _observation(event: Event, replaces: bool) -> Complaint | None:
    if event.observed and event.evid != OBSERVATION:
        return "MDV", f"MDV is 0 on a row with EVID {event.evid}.", "Only an observation (EVID 0) has a DV."
    if event.observed and event.value is None:
        return "DV", "MDV is 0 but DV is missing.", "Give DV, or set MDV to 1."
    if event.censored not in (-1, 0, 1):
        return "CENS", f"CENS is {event.censored}.", "0 measured, 1 below the limit in DV, -1 above it."
    if event.censored and not event.observed:
        return "CENS", "CENS without an observation.", "DV should hold the limit of quantification."
    return None


RULES: tuple[Callable[[Event, bool], Complaint | None], ...] = (
    _finite, _no_dose_items, _amount, _compartment, _rate, _repeats, _steady_state, _observation,
)  # fmt: skip


def _check_order(table: Rows) -> None:
    done: set[str] = set()
    before: Event | None = None
    for event in table.events:
        if before is None or event.person != before.person:
            if event.person in done:
                raise InputError(
                    f"Person {event.person} appears in two places.",
                    where=table.place(event, "ID"),
                    hint="Keep each person's rows together.",
                )
            done.add(event.person)
        elif event.time_h < before.time_h:
            reset = event.evid in (RESET, RESET_AND_DOSE)
            raise InputError(
                f"Time goes back from {before.time_h:g} to {event.time_h:g} h"
                f"{' at a reset' if reset else ''} (person {event.person}).",
                where=table.place(event, "TIME"),
                hint="Keep the clock running through a reset." if reset else "Sort each person's rows by time.",
            )
        before = event


def _check_covariates(table: Rows) -> None:
    for event in table.events:
        if len(event.covariates) != len(table.covariates):
            raise InputError("A row lacks covariates that the table names.", where=table.place(event))
        for name, value in zip(table.covariates, event.covariates, strict=True):
            if value is not None and not math.isfinite(value):
                raise InputError(f"{name} is {value}.", where=table.place(event, name), hint="A finite number.")
    for person in dict.fromkeys(event.person for event in table.events):
        rows = table.of(person)
        for index, name in enumerate(table.covariates):
            for event, wrong, right in _covariate_faults(rows, index, name, table.carry):
                raise InputError(wrong, where=table.place(event, name), hint=right)


def _covariate_faults(
    rows: tuple[Event, ...], index: int, name: str, carry: str | None
) -> Iterator[tuple[Event, str, str]]:
    stated = [event for event in rows if event.covariates[index] is not None]
    if not stated:
        yield rows[0], f"{name} is missing for person {rows[0].person}.", "Give it on every row."
        return
    changed = next((e for e in stated if e.covariates[index] != stated[0].covariates[index]), None)
    if changed is None:
        return
    if carry is None:
        yield (
            changed,
            f"{name} changes in time and no carry rule is chosen.",
            'Choose carry="NOCB" or carry="LOCF".',
        )
    if carry == "LOCF" and rows[0].covariates[index] is None:
        yield (
            rows[0],
            f"{name} is missing on the first row, and nothing can be carried forward.",
            "Give it there.",
        )
    if carry == "NOCB" and rows[-1].covariates[index] is None:
        yield (
            rows[-1],
            f"{name} is missing on the last row, and nothing can be carried back.",
            "Give it there.",
        )

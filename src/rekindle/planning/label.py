"""The rules of a limits file that a schedule keeps or does not: what is offered, first doses, spacing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rekindle.dosing.drugs import DRUGS
from rekindle.dosing.timing import once
from rekindle.planning.doses import Sessions, given_sessions, planned_sessions
from rekindle.planning.judging import ROUNDING, counted
from rekindle.planning.limits import Limits, Offer
from rekindle.planning.options import DAY_H, WEEK_H, Option, first_most

if TYPE_CHECKING:
    from rekindle.dosing.line import Session
    from rekindle.person.record import Person, Planned

Array = NDArray[np.float64]
SAME_H = 1.0


def departures(planned: Planned | None, person: Person, limits: Limits) -> tuple[str, ...]:
    """Where a schedule leaves the rules of the limits, each in words; none for a schedule within them.

    Raises:
        InputError: a dose by a weight that is not known.
    """
    if planned is None:
        return ()
    found: dict[str, None] = {}
    given, coming = given_sessions(person), planned_sessions(planned, person)
    fresh = set(coming.drugs) - set(given.drugs)
    for session in planned.course.sessions:
        if not DRUGS[session.regimen.drug].is_ketamine:
            continue
        offer = _offer(session, limits)
        if offer is None:
            found[f"not offered: {_spoken(session)}"] = None
        elif session.regimen.drug in fresh:
            fresh.discard(session.regimen.drug)
            most, dose = first_most(offer, person), session.regimen.steps[0].dose
            if most is not None and dose is not None and dose.amount > most + 1e-9:
                found[f"a first dose of {dose.amount:g} {dose.unit}, at most {most:g}"] = None
    for drug in dict.fromkeys(coming.drugs):
        found |= dict.fromkeys(_spaced(given.of(drug), coming.of(drug), limits))
    return tuple(found)


def keeps_spacing(option: Option, given: Sessions, limits: Limits) -> bool:
    """Whether an option, which is of the offers already, keeps the rules of spacing after the sessions given."""
    times = option.times_h
    return not len(times) or not _spaced(given.of(option.offer.drug), times, limits)


def surely_breaks(option: Option, person: Person, given: Sessions, limits: Limits) -> bool:
    """Whether a fixed schedule breaks a kept limit of dose, visits or cost, which no draw is needed to know."""
    if option.stretch_weeks:
        return False
    times, mg = option.times_h[None, :], option.amounts(person)[None, :]
    for limit in limits.chances:
        if limit.keep and not limit.quantity.random:
            values = counted(limit.quantity.name, limit.quantity.days, times, mg, given, limits.costs)
            if (values > limit.line + ROUNDING).any():
                return True
    return False


def _spaced(given: Array, coming: Array, limits: Limits) -> list[str]:
    """Rules of spacing that sessions of one drug break."""
    times = np.sort(np.concatenate([given, coming]))
    first = float(times[0])
    weeks = ((times - first + SAME_H) // WEEK_H).astype(int) + 1
    broken = []
    for rule in limits.spacings:
        own = times[[rule.holds_in(week) for week in weeks.tolist()]]
        for time in own[own >= coming[0] - SAME_H]:
            count = int(((own > time - rule.in_days * DAY_H + SAME_H) & (own <= time + SAME_H)).sum())
            if count > rule.most:
                broken.append(str(rule))
                break
    return broken


def _offer(session: Session, limits: Limits) -> Offer | None:
    """The offer that a session is one of; None where there is none."""
    single = replace(session.regimen, timing=once(), start_day=None, clock_min=(0,))
    for offer in limits.offers:
        for step in range(len(offer.doses)):
            if replace(offer.regimen(step), timing=once(), start_day=None, clock_min=(0,)) == single:
                return offer
    return None


def _spoken(session: Session) -> str:
    dose = session.regimen.steps[0].dose
    amount = f"{dose.amount:g} {dose.unit} " if dose is not None else ""
    return f"{amount}{DRUGS[session.regimen.drug].spoken} ({session.regimen.route})"

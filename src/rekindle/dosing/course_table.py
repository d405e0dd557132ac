"""A course as an event table, and an event table as the doses of a course.

Each drug by each route has a compartment of its own, numbered by drug (racemic ketamine from 1, esketamine from 21,
arketamine from 41, ...) and route; an intravenous bolus and an infusion share one, told apart by RATE. What has no
amount here is written as 1 for each time it is given: one infusion of saline, one placebo spray, one day of an oral
antidepressant, one session of ECT. OCC numbers the sessions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rekindle.dosing.administration import Administration
from rekindle.dosing.drugs import DRUGS
from rekindle.dosing.elementary import Bolus, Infusion
from rekindle.dosing.event import DOSE, Event
from rekindle.dosing.event_table import EventTable
from rekindle.dosing.expansion import expand
from rekindle.dosing.routes import ROUTES
from rekindle.errors import InputError, UnsupportedError, unknown


def _depot(route: str) -> str:
    return "intravenous" if route.startswith("iv-") else route


COMPARTMENTS: dict[str, str] = {
    str(drug.number + ROUTES[route].number): f"{drug.name} {_depot(route)}"
    for drug in DRUGS.values()
    if drug.name != "none"
    for route in drug.routes
}
"""Name of the compartment ("esketamine intranasal-device") for each CMT number of a course's event table."""


def compartment_number(drug: str, route: str) -> str:
    """The CMT number of a drug by a route.

    >>> compartment_number("esketamine", "intranasal-device")
    '24'
    """
    return str(DRUGS[drug].number + ROUTES[route].number)


def course_event_table(
    given: Sequence[Administration],
    *,
    person: str,
    observation_times_h: Sequence[float],
    covariates: Mapping[str, float],
) -> EventTable:
    """Administrations and observation times as one person's event table; see `Course.event_table`.

    Raises:
        InputError: neither a dose nor an observation.
    """
    held = tuple(float(value) for value in covariates.values())
    occasions = {key: number for number, key in enumerate(dict.fromkeys((a.line, a.session) for a in given), start=1)}
    doses = [
        Event(
            person=person,
            time_h=each.time_h,
            evid=DOSE,
            amount=each.amount_mg if DRUGS[each.drug].dosed else 1.0,
            compartment=COMPARTMENTS[compartment_number(each.drug, each.route)],
            rate=_rate(each),
            occasion=occasions[each.line, each.session],
            covariates=held,
        )
        for each in given
    ]
    looks = [Event(person=person, time_h=float(time), covariates=held) for time in observation_times_h]
    events = sorted([*doses, *looks], key=lambda event: event.time_h)
    if not events:
        raise InputError("The course has no doses and there are no observation times.", hint="Give either.")
    used = sorted({event.compartment for event in doses if event.compartment})
    labels = tuple(sorted((number, name) for number, name in COMPARTMENTS.items() if name in used))
    return EventTable(tuple(events), tuple(covariates), labels=labels, source="course")


def _rate(given: Administration) -> float:
    if given.duration_h is None:
        return 0.0
    return (given.amount_mg if DRUGS[given.drug].dosed else 1.0) / given.duration_h


def administrations_of(table: EventTable, person: str) -> tuple[Administration, ...]:
    """The doses of one person in a table with a course's compartments, in time order; amounts are mg of base.

    Nasal devices are numbered within an occasion (OCC), or each by itself without one.

    Raises:
        InputError: a compartment that no course has.
        UnsupportedError: a reset, a replacement, a steady state, or a modelled rate or duration.
    """
    rows = table.of(person)
    for row in rows:
        _check_holdable(table, row)
    occasions = {(row.time_h, row.compartment): row.occasion for row in rows if row.is_dose}
    found: list[Administration] = []
    for event in expand(table, person):
        if isinstance(event, (Bolus, Infusion)):
            occasion = occasions.get((event.time_h, event.compartment))
            found.append(_administration(event, len(found) + 1, occasion))
    return _with_devices(found)


def _check_holdable(table: EventTable, event: Event) -> None:
    """Refuse a row that has no counterpart in a course."""
    known = event.evid in (0, 1, 2)
    if not known or event.steady_state or event.rate < 0:
        what = f"EVID {event.evid}" if not known else "SS" if event.steady_state else "RATE below 0"
        raise UnsupportedError(
            f"A course cannot hold {what}.", where=table.place(event), hint="Give the doses one by one, or ADDL."
        )
    names = COMPARTMENTS.values()
    if event.is_dose and event.compartment not in names:
        raise unknown("compartment", str(event.compartment), names, where=table.place(event, "CMT"))


def _administration(what: Bolus | Infusion, number: int, occasion: int | None) -> Administration:
    drug, _, depot = what.compartment.rpartition(" ")
    infused = isinstance(what, Infusion)
    route = depot if depot != "intravenous" else "iv-infusion" if infused else "iv-bolus"
    amount = what.rate * what.duration_h if isinstance(what, Infusion) else what.amount
    amount = amount if DRUGS[drug].dosed else 0.0
    duration = what.duration_h if isinstance(what, Infusion) else None
    return Administration(
        what.time_h,
        drug,
        route,
        amount,
        duration,
        stated_mg=amount,
        session=number if occasion is None else occasion,
    )


def _with_devices(given: Sequence[Administration]) -> tuple[Administration, ...]:
    counts: dict[int, int] = {}
    for each in given:
        if each.route == "intranasal-device":
            counts[each.session] = counts.get(each.session, 0) + 1
    done: dict[int, int] = {}
    found = []
    for each in given:
        if each.route == "intranasal-device":
            done[each.session] = done.get(each.session, 0) + 1
            found.append(replace(each, device=done[each.session], devices=counts[each.session]))
        else:
            found.append(each)
    return tuple(found)

"""How a dose enters the model: one person's administrations as events on the model's states and inputs.

A racemic dose is half S and half R. An infusion runs on the input that also lifts arterial levels; a bolus
lands in the central volume; every other route fills the depots of `processes/absorption.ant`, at once or at a
constant rate, with the person's own absorbed shares. Comparators act on their own inputs. Amounts are mg of
base.

A visit at which something is given under supervision is contact with the clinic, whatever is given: the input
`contact` is 1 for its two hours, also for placebo. Tablets taken at home are no contact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rekindle.dosing.administration import Administration
from rekindle.engine.schedule import Bolus, Infusion, Set
from rekindle.errors import UnsupportedError, unknown
from rekindle.mechanism.parameters import parameter_table

Event = Bolus | Infusion | Set

#: Hours of a supervised visit, and hours for which a day's antidepressant tablet counts as taken.
CONTACT_H = 2.0
TABLET_H = 24.0

#: What a dose of each drug holds of each enantiomer.
ENANTIOMERS = {
    "racemic-ketamine": {"S": 0.5, "R": 0.5},
    "esketamine": {"S": 1.0},
    "arketamine": {"R": 1.0},
}

#: Routes that fill one depot at once, with the depot's name.
AT_ONCE = {
    "iv-bolus": "central",
    "intramuscular": "intramuscular",
    "subcutaneous": "subcutaneous",
    "inhaled": "lung",
}

#: The parameters that say how a dose is divided and how fast each part enters.
NEEDED = (
    "nasal_fraction",
    "nasal_later_factor",
    "spray_swallow_duration",
    "atomiser_fraction",
    "atomiser_swallowed",
    "oral_release_duration",
    "extended_release_duration",
    "film_fraction",
    "film_release_duration",
    "film_swallow_duration",
    "lozenge_fraction",
)

#: Those of them that are durations, in hours.
DURATIONS = tuple(name for name in NEEDED if name.endswith("_duration"))


def deliver(
    administrations: Iterable[Administration], parameters: Mapping[str, float] | None = None
) -> tuple[Event, ...]:
    """The events, in time order, by which one person's administrations enter the model.

    `parameters` holds this person's values of the delivery parameters (`NEEDED`: shares, and durations in
    hours); those it lacks are the table's. Times are hours, amounts mg of base, rates mg an hour. Amounts and shares
    may be arrays, one number a person: so are then the amounts and rates of the events.

    Raises:
        ValueError: people differ in which parts a dose is divided into.
        UnsupportedError: the model has no way in for a drug by that route.
        InputError: unknown drug.
    """
    table = parameter_table()
    person = {name: table[name].value for name in NEEDED} | dict(parameters or {})
    ordered = sorted(administrations, key=lambda administration: administration.time_h)
    events: list[Event] = [event for given in ordered for event in _entry(given, person)]
    events += _contact(ordered)
    events += _tablets(ordered, person.get("oral_antidepressant", 0.0))
    return tuple(sorted(events, key=lambda event: event.time))


def _entry(given: Administration, person: Mapping[str, float]) -> list[Event]:
    """The events of one administration, contact and tablets apart."""
    if given.drug in ENANTIOMERS:
        return [
            event
            for enantiomer, share in ENANTIOMERS[given.drug].items()
            for event in _ketamine(given, enantiomer, share * given.amount_mg, person)
        ]
    if given.drug == "midazolam":
        if given.route != "iv-infusion" or not given.duration_h:
            raise UnsupportedError(f"The model takes midazolam by infusion only, not '{given.route}'.")
        return [Infusion(given.time_h, "midazolam_infusion", given.amount_mg / given.duration_h, given.duration_h)]
    if given.drug == "ect":
        return [Bolus(given.time_h, "electroconvulsive", 1.0)]
    if given.drug in ("saline", "placebo-spray", "oral-antidepressant", "none"):
        return []
    known = [*ENANTIOMERS, "midazolam", "ect", "saline", "placebo-spray", "oral-antidepressant", "none"]
    raise unknown("drug", given.drug, known)


def _ketamine(given: Administration, e: str, amount: float, person: Mapping[str, float]) -> list[Event]:
    """One enantiomer of one dose: `amount` mg into the central volume, a depot, or a depot and the gut."""
    start, route = given.time_h, given.route
    if route == "iv-infusion" and given.duration_h:
        return [Infusion(start, f"infusion_{e}", amount / given.duration_h, given.duration_h)]
    if route in AT_ONCE:
        return [_into(f"{AT_ONCE[route]}_{e}", start, amount, given.duration_h)]
    if route == "oral":
        return [_into(f"gut_oral_{e}", start, amount, person["oral_release_duration"])]
    if route == "oral-extended-release":
        return [_into(f"gut_extended_{e}", start, amount, person["extended_release_duration"])]
    if route in ("intranasal-device", "intranasal"):
        return _nasal(given, e, amount, person)
    if route in ("sublingual-film", "sublingual-lozenge"):
        film = route == "sublingual-film"
        share = person["film_fraction" if film else "lozenge_fraction"]
        # The swallowed part of a lozenge is taken like a drink; that of a film stuck to the lining is apart.
        gut = f"gut_film_{e}" if film else f"gut_oral_{e}"
        swallowed = _into(gut, start, (1.0 - share) * amount, person["film_swallow_duration"])
        return [_into(f"mucosal_{e}", start, share * amount, person["film_release_duration"]), swallowed]
    raise UnsupportedError(f"The model has no way in for {given.drug} by route '{route}'.")


def _nasal(given: Administration, e: str, amount: float, person: Mapping[str, float]) -> list[Event]:
    """A spray: a share to the nose's lining, a share swallowed, and from an atomiser a share that drips out."""
    if given.route == "intranasal":
        share = person["atomiser_fraction"]
        swallowed = _smaller(person["atomiser_swallowed"], 1.0 - share)
    else:
        share = person["nasal_fraction"] * (person["nasal_later_factor"] if given.device > 1 else 1.0)
        swallowed = 1.0 - share
    events = [
        _into(f"nasal_{e}", given.time_h, share * amount),
        _into(f"gut_spray_{e}", given.time_h, swallowed * amount, person["spray_swallow_duration"]),
    ]
    lost = (1.0 - share - swallowed) * amount
    return [*events, _into(f"unabsorbed_{e}", given.time_h, lost)] if _agreed(lost > 0) else events


def _smaller(first: Any, second: Any) -> Any:
    """The smaller of two numbers, or person by person."""
    many = isinstance(first, np.ndarray) or isinstance(second, np.ndarray)
    return np.minimum(first, second) if many else min(first, second)


def _agreed(holds: Any) -> bool:
    """Whether something holds, of one person or of all of several.

    Raises:
        ValueError: it holds for some and not for others.
    """
    if isinstance(holds, np.ndarray) and holds.any() != holds.all():
        raise ValueError("People differ in how a dose is divided.")
    return bool(np.all(holds))


def _into(state: str, start: float, amount: float, duration: float | None = None) -> Event:
    """`amount` mg into a state at once, or at a constant rate over `duration` hours."""
    return Infusion(start, state, amount / duration, duration) if duration else Bolus(start, state, amount)


def _contact(ordered: Sequence[Administration]) -> list[Event]:
    """Contact of 1 during every visit, visits that overlap joined into one."""
    visits: list[list[float]] = []
    for given in ordered:
        if given.drug in ("oral-antidepressant", "none"):
            continue
        if visits and given.time_h <= visits[-1][1]:
            # A later device or a second drug of the same visit does not lengthen it.
            continue
        visits.append([given.time_h, given.time_h + CONTACT_H])
    return [Infusion(start, "contact", 1.0, end - start) for start, end in visits]


def _tablets(ordered: Sequence[Administration], otherwise: float) -> list[Event]:
    """The antidepressant on from its first tablet to a day after the last of an unbroken run, then as `otherwise`."""
    times = [given.time_h for given in ordered if given.drug == "oral-antidepressant"]
    events: list[Event] = []
    for index, time in enumerate(times):
        if index == 0 or time > times[index - 1] + 2 * TABLET_H:
            events.append(Set(time, "oral_antidepressant", 1.0))
        if index == len(times) - 1 or times[index + 1] > time + 2 * TABLET_H:
            events.append(Set(time + TABLET_H, "oral_antidepressant", otherwise))
    return events

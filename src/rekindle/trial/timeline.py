"""When what happens to a person in an arm: doses of all stages on one clock, contact, care, and looks.

A crossover's arm is given in every place of the order; its people get the other arms in the other periods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.schedule import Event, Infusion, Schedule
from rekindle.engine.schedule import Set as Change
from rekindle.mechanism.delivery import CONTACT_H, NEEDED, deliver
from rekindle.trial.design import Stage, TrialArm
from rekindle.trial.switches import Switches

if TYPE_CHECKING:
    from rekindle.dosing.administration import Administration
    from rekindle.population import People

Array = NDArray[np.float64]
INERT = {
    "racemic-ketamine": "saline",
    "esketamine": "saline",
    "arketamine": "saline",
    "midazolam": "saline",
    "ect": "saline",
}
"""What stands in for a drug that is switched off: the visit stays, nothing acts."""

OWN = (*NEEDED, "oral_antidepressant", "care_after", "external_stress", "belief")
"""Parameters of a person on which the schedule depends."""


class Shared(Schedule):
    """A schedule that is compared by identity, so that many sets of one person share it without being read again."""

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


@dataclass(frozen=True)
class Lane:
    """Stages one after another as one group of people goes through them; `arms` says whose stage each is."""

    arms: tuple[TrialArm, ...]
    stages: tuple[Stage, ...]
    name: str


def own_lane(arm: TrialArm) -> Lane:
    """The stages of an arm by itself."""
    return Lane((arm,) * len(arm.stages), arm.stages, arm.name)


def crossover_lanes(arms: Sequence[TrialArm], period_h: float) -> list[Lane]:
    """The orders of a crossover: each arm stands once in each period (a cyclic square)."""
    lanes = []
    for first in range(len(arms)):
        order = [arms[(first + place) % len(arms)] for place in range(len(arms))]
        stages = tuple(
            replace(arm.stages[0], name=arm.name, start_h=place * period_h, duration_h=period_h)
            for place, arm in enumerate(order)
        )
        lanes.append(Lane(tuple(order), stages, " then ".join(arm.name for arm in order)))
    return lanes


def given_to(lane: Lane, person: Mapping[str, Any], switches: Switches) -> list[Administration]:
    """Every administration of a person, on the clock of the trial."""
    found: list[Administration] = []
    for stage in lane.stages:
        for dose in stage.course.administrations(
            weight_kg=float(person["weight_kg"]),
            height_cm=float(person["height_cm"]) if "height_cm" in person else None,
            sex=str(person["sex"]),
        ):
            moved = replace(dose, time_h=dose.time_h + stage.start_h)
            if not switches.drug and moved.drug in INERT:
                moved = replace(moved, drug=INERT[moved.drug], route="iv-infusion")
            if not switches.drug and moved.drug == "oral-antidepressant":
                continue
            found.append(moved)
    return sorted(found, key=lambda dose: dose.time_h)


def schedule(
    lane: Lane,
    doses: Sequence[Administration],
    own: Mapping[str, float],
    levels: Sequence[float],
    looks: Sequence[float],
    switches: Switches,
    life: Sequence[tuple[float, float]] = (),
) -> Shared:
    """One person's events and looks; `levels` is the belief of each stage beside that of the first.

    `life` holds hours and the load from outside from then on.
    """
    events = [_scaled(event, lane) for event in deliver(doses, own)]
    events += _extra_contacts(lane)
    events += _care(lane, doses, own["care_after"])
    events += [
        Change(stage.start_h, "belief", own["belief"] * level)
        for stage, level, before in zip(lane.stages, levels, (1.0, *levels), strict=False)
        if level != before
    ]
    events += _changes(lane, switches)
    if switches.natural_course:
        events += [Change(time, "external_stress", own["external_stress"] + load) for time, load in life]
    end = looks[-1]
    kept = [event for event in events if event.time < end]
    return Shared(tuple(sorted(kept, key=lambda event: event.time)), tuple(looks))


def _stage_at(lane: Lane, time_h: float) -> int:
    place = 0
    for number, stage in enumerate(lane.stages):
        if stage.start_h <= time_h + 1e-9:
            place = number
    return place


def _scaled(event: Event, lane: Lane) -> Event:
    if isinstance(event, Infusion) and event.target == "contact":
        return replace(event, rate=event.rate * lane.arms[_stage_at(lane, event.time)].contact_level)
    return event


def _extra_contacts(lane: Lane) -> list[Event]:
    found: list[Event] = []
    for place, stage in enumerate(lane.stages):
        arm = lane.arms[place]
        if _begins(arm, stage, place):
            level = arm.contact_level
            found += [Infusion(stage.start_h + time, "contact", level, CONTACT_H) for time in arm.extra_contacts_h]
    return found


def _begins(arm: TrialArm, stage: Stage, place: int) -> bool:
    """Whether an arm begins with this stage of a lane: the first, or a period of a crossover, which has its name."""
    return place == 0 or stage.name == arm.name


def _care(lane: Lane, doses: Sequence[Administration], after_h: float) -> list[Event]:
    """Care while in treatment, until some days after the last dose or as the arm says.

    What an arm says counts once from its start: that of the trial, in a crossover that of its period.
    """
    own = [(arm, stage) for place, (arm, stage) in enumerate(zip(lane.arms, lane.stages, strict=True))
           if _begins(arm, stage, place)]  # fmt: skip
    ends = [dose.end_h + after_h for dose in doses]
    ends += [stage.start_h + arm.care_h for arm, stage in own if arm.care_h]
    ends += [stage.start_h + max(arm.extra_contacts_h) + after_h for arm, stage in own if arm.extra_contacts_h]
    if not ends:
        return []
    end, found = max(ends), []
    for place, stage in enumerate(lane.stages):
        until = lane.stages[place + 1].start_h if place + 1 < len(lane.stages) else end
        if min(until, end) > stage.start_h:
            found.append(Infusion(stage.start_h, "care", 1.0, min(until, end) - stage.start_h))
    return list(found)


SWITCHABLE = ("oral_antidepressant", "lithium", "naltrexone", "rapamycin")
"""Modifiers that can be switched between periods or stages; every other stays as it is in the first."""


def _changes(lane: Lane, switches: Switches) -> list[Event]:
    """What is taken besides in later stages, where it differs from the first."""
    found: list[Event] = []
    if not switches.background:
        return found
    now = dict(lane.stages[0].modifiers)
    for stage in lane.stages[1:]:
        for name in SWITCHABLE:
            before, after = float(now.get(name, 0.0)), float(stage.modifiers.get(name, 0.0))
            if before != after:
                found.append(Change(stage.start_h, name, after))
        now = dict(stage.modifiers)
    return found


def own_values(parameters: Mapping[str, Array]) -> Array:
    """The schedule's own parameters, shape (sets, people, len(OWN))."""
    return np.stack([parameters[name] for name in OWN], axis=-1)


def bodies(people: People) -> list[Mapping[str, Any]]:
    """Each person as a mapping."""
    return list(people)

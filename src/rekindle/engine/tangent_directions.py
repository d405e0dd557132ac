"""What outputs can be differentiated to, and what that means for each action of a compiled schedule.

A direction is a free parameter (by name), the starting value of a state, or a number of one event of the schedule:
the amount or time of a dose, the rate or duration of an infusion. A schedule compiles to actions whose values are
linear in these numbers, so the derivative of every action is read off the same schedule compiled with a one in that
place and noughts in all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.lower import Lowered
from rekindle.engine.schedule import (
    BASE,
    INPUT,
    JUMP,
    RATE,
    RESET,
    SAME_TIME_H,
    Bolus,
    Event,
    Infusion,
    Reset,
    Schedule,
    Segments,
    Set,
    SteadyState,
    compile_schedule,
)
from rekindle.errors import InputError, UnsupportedError, unknown

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Initial:
    """The starting value of a state, at the start of the schedule and after every reset."""

    state: str


@dataclass(frozen=True)
class DoseAmount:
    """The amount of the bolus `events[event]`, in the units of its state."""

    event: int


@dataclass(frozen=True)
class DoseTime:
    """The time of `events[event]` in hours; an infusion keeps its duration, so its end moves with it."""

    event: int


@dataclass(frozen=True)
class InfusionRate:
    """The rate of the infusion `events[event]`, in the units of its target per hour."""

    event: int


@dataclass(frozen=True)
class InfusionDuration:
    """The duration of the infusion `events[event]` in hours, its rate unchanged."""

    event: int


OfEvent = DoseAmount | DoseTime | InfusionRate | InfusionDuration
Direction = str | Initial | OfEvent

_NEEDS: dict[type, tuple[type, ...]] = {
    DoseAmount: (Bolus,),
    DoseTime: (Bolus, Infusion, Set, Reset),
    InfusionRate: (Infusion,),
    InfusionDuration: (Infusion,),
}


@dataclass(frozen=True)
class EventTangents:
    """The derivatives of a compiled schedule's actions: of their values and of their times, (actions, directions)."""

    value: Floats
    time: Floats


def checked_directions(lowered: Lowered, directions: Sequence[Direction]) -> tuple[Direction, ...]:
    """The directions, with names that the network has.

    Raises:
        InputError: no direction, one asked for twice, an unknown parameter or state.
    """
    if isinstance(directions, str):
        raise InputError("Directions are a list, not one text.")
    if not directions:
        raise InputError("There is no direction to differentiate to.")
    if len(set(directions)) != len(directions):
        raise InputError("A direction is asked for twice.")
    for direction in directions:
        if isinstance(direction, str) and direction not in lowered.parameters:
            raise unknown("free parameter", direction, lowered.parameters, where=f"model '{lowered.network.name}'")
        if isinstance(direction, Initial) and direction.state not in lowered.network.states:
            raise unknown("state", direction.state, lowered.network.states, where=f"model '{lowered.network.name}'")
        if not isinstance(direction, str | Initial | OfEvent):
            raise InputError(f"'{direction!r}' is no direction.", hint="A parameter's name, Initial, DoseAmount, ...")
    return tuple(directions)


def check_events(schedule: Schedule, directions: Sequence[Direction]) -> None:
    """Refuse a schedule without the events that the directions speak of.

    Raises:
        InputError: an event is missing or is of another kind.
        UnsupportedError: a steady state, through which derivatives are not carried.
    """
    if any(isinstance(event, SteadyState) for event in schedule.events):
        raise UnsupportedError(
            "Derivatives through a steady state are not supported ('SteadyState').",
            hint="Give the doses that lead there as events.",
        )
    for direction in directions:
        if isinstance(direction, str | Initial):
            continue
        if not 0 <= direction.event < len(schedule.events):
            raise InputError(f"{direction} speaks of an event that a schedule of {len(schedule.events)} does not have.")
        event, wanted = schedule.events[direction.event], _NEEDS[type(direction)]
        if not isinstance(event, wanted):
            kinds = " or ".join(kind.__name__ for kind in wanted)
            raise InputError(f"{direction} needs a {kinds}, but event {direction.event} is a {type(event).__name__}.")


def moving_parameters(
    lowered: Lowered, directions: Sequence[Direction], schedules: Sequence[Schedule]
) -> tuple[int, ...]:
    """Positions in the full row of the parameters that some direction moves, derived ones included."""
    index = lowered.parameter_index
    found = {index[direction] for direction in directions if isinstance(direction, str)}
    for direction in directions:
        if isinstance(direction, InfusionRate):
            targets = {getattr(schedule.events[direction.event], "target", "") for schedule in schedules}
            found |= {index[target] for target in targets if target in lowered.parameters}
    if any(isinstance(direction, str) for direction in directions):
        found |= set(range(len(lowered.parameters), len(index)))
    return tuple(sorted(found))


def event_tangents(
    lowered: Lowered, schedule: Schedule, segments: Segments, directions: Sequence[Direction]
) -> EventTangents:
    """The derivatives of a schedule's actions to every direction."""
    shape = (len(segments.kind), len(directions))
    tangents = EventTangents(np.zeros(shape), np.zeros(shape))
    for column, direction in enumerate(directions):
        if isinstance(direction, str | Initial):
            continue
        unit = _unit_values(lowered, schedule, direction.event)
        if isinstance(direction, DoseAmount | InfusionRate):
            linear = np.isin(segments.kind, (JUMP, RATE, INPUT))
            tangents.value[linear, column] = unit[linear]
        else:
            event = schedule.events[direction.event]
            tangents.time[_actions_of(event, direction, schedule, segments, unit), column] = 1.0
    return tangents


def _unit_values(lowered: Lowered, schedule: Schedule, chosen: int) -> Floats:
    """The actions' values when the chosen event gives one and all others nothing."""

    def scaled(event: Event, value: float) -> Event:
        if isinstance(event, Bolus):
            return replace(event, amount=value)
        if isinstance(event, Infusion):
            return replace(event, rate=value)
        return replace(event, value=value) if isinstance(event, Set) else event

    events = tuple(scaled(event, float(i == chosen)) for i, event in enumerate(schedule.events))
    return compile_schedule(replace(schedule, events=events), lowered).value


def _actions_of(event: Event, direction: Direction, schedule: Schedule, segments: Segments, unit: Floats) -> list[int]:
    """The actions whose time is the one that the direction moves."""
    kind = segments.kind
    if isinstance(event, Bolus):
        return [int(a) for a in np.flatnonzero((kind == JUMP) & (unit == 1.0))]
    if isinstance(event, Set):
        return [int(a) for a in np.flatnonzero((kind == BASE) & (unit == 1.0))]
    if isinstance(event, Reset):
        resets = sorted((e for e in schedule.events if isinstance(e, Reset)), key=lambda e: e.time)
        number = next(i for i, e in enumerate(resets) if e is event)
        return [int(a) for a in np.flatnonzero(kind == RESET)[number : number + 1]]
    if isinstance(event, Infusion):
        begun, ended = _turns(event, segments, unit)
        return ended if isinstance(direction, InfusionDuration) else [*begun, *ended]
    return []


def _turns(event: Infusion, segments: Segments, unit: Floats) -> tuple[list[int], list[int]]:
    """The actions that begin and end an infusion; one that a reset ends has no end of its own."""
    edge_of = np.repeat(segments.edges, np.diff(segments.first))
    begun, ended, running = [], [], 0.0
    for a in np.flatnonzero(np.isin(segments.kind, (RATE, INPUT))):
        if unit[a] == 1.0 and running == 0.0:
            begun.append(int(a))
            running = 1.0
        elif unit[a] == 0.0 and running == 1.0 and _same_target(segments, int(a), begun[-1]):
            running = 0.0
            if abs(edge_of[a] - (event.time + event.duration)) <= 2.0 * SAME_TIME_H:
                ended.append(int(a))
    return begun, ended


def _same_target(segments: Segments, one: int, other: int) -> bool:
    return bool(segments.kind[one] == segments.kind[other] and segments.position[one] == segments.position[other])

"""What enters the model: everybody's schedule of one arm, compiled for a network that may be a user's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rekindle.engine.schedule import Schedule, Segments, Set, compile_together
from rekindle.errors import InputError

if TYPE_CHECKING:
    from rekindle.cohort import Cohort
    from rekindle.engine.lower import Lowered

CIRCUMSTANCES = ("contact", "care")
"""Inputs that are no drug: a model without them does not know of visits and care."""


def entering(schedule: Schedule, lowered: Lowered) -> Schedule:
    """The schedule without the circumstances that a user's model does not know.

    Raises:
        InputError: the model lacks the state or input that a dose goes into.
    """
    known = {*lowered.states, *lowered.parameters}
    if known.issuperset(CIRCUMSTANCES):
        return schedule
    events = [event for event in schedule.events if _target(event) in known or _target(event) not in CIRCUMSTANCES]
    for event in events:
        if _target(event) not in known:
            raise InputError(
                f"The model has no way in for a dose: it lacks '{_target(event)}'.",
                hint="Name the state or the input parameter that takes the dose so.",
            )
    return replace(schedule, events=tuple(events))


def _target(event: Any) -> str:
    return str(event.parameter if isinstance(event, Set) else event.target)


def segments_of(ready: Cohort, lowered: Lowered) -> Sequence[Schedule | Segments]:
    """Everybody's schedule: compiled once for people who are dosed at the same times, else one a person.

    Raises:
        InputError: as `entering`, or a dose after the horizon.
    """
    if not ready.groups:
        return [entering(schedule, lowered) for schedule in ready.schedules]
    found: dict[int, Segments] = {}
    for rows, schedule in ready.groups:
        compiled = compile_together(entering(schedule, lowered), lowered, len(rows))
        found |= dict(zip(rows.tolist(), compiled, strict=True))
    return [found[person] for person in range(len(ready.parameters))]

"""A schedule cut in two: solved one after the other, the second from where the first ends, the parts are the whole."""

from __future__ import annotations

from dataclasses import replace

from rekindle.engine.schedule import SAME_TIME_H, Bolus, Event, Infusion, Schedule, Set
from rekindle.errors import UnsupportedError


def before(schedule: Schedule, time: float) -> Schedule:
    """What happens before a time, and the looks until then, one at that time among them.

    Its last look is its end: who is to go on from that time needs a look there.
    """
    events = tuple(event for event in schedule.events if event.time < time - SAME_TIME_H)
    return Schedule(events, tuple(look for look in schedule.output_times if look <= time + SAME_TIME_H), schedule.start)


def after(schedule: Schedule, time: float) -> Schedule:
    """What is left of a schedule of doses, infusions and settings from a time on, and the looks after it.

    With `before` it makes the whole: an infusion that is running goes on, a setting that was made is made again.

    >>> from rekindle.engine import Infusion, Schedule
    >>> after(Schedule((Infusion(0.0, "drip", 2.0, 5.0),), (1.0, 9.0)), 3.0)
    Schedule(events=(Infusion(time=3.0, target='drip', rate=2.0, duration=2.0),), output_times=(9.0,), start=3.0)

    Raises:
        UnsupportedError: an event of another kind before that time.
    """
    made: dict[str, Event] = {}
    left: list[Event] = []
    for event in schedule.events:
        if event.time >= time - SAME_TIME_H:
            left.append(replace(event, time=max(event.time, time)))
        elif isinstance(event, Set):
            made[event.parameter] = replace(event, time=time)
        elif isinstance(event, Infusion):
            rest = event.time + event.duration - time
            if rest > SAME_TIME_H:
                left.append(replace(event, time=time, duration=rest))
        elif not isinstance(event, Bolus):
            raise UnsupportedError(f"A schedule with '{type(event).__name__}' cannot be cut in two.")
    looks = tuple(look for look in schedule.output_times if look > time + SAME_TIME_H)
    return Schedule((*made.values(), *left), looks, time)

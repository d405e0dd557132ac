"""What happens to one person and when: doses, inputs that run for a while, changes, resets, moments to look.

A schedule is a list of events in record order, and the times at which to look. Events at one time happen in
the order in which they stand, as in a NONMEM event table; `output_times` look just before whatever happens at
that time, an `Observe` among the events looks at its own place in the order. Compiled, it becomes segments on
which nothing changes but the states, so that a solver always integrates smooth equations. Times are in hours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError, UnsupportedError, unknown

if TYPE_CHECKING:
    from rekindle.engine.lower import Lowered

SAME_TIME_H = 1e-9  # times closer than this (4 microseconds) are one time: they differ by rounding only


@dataclass(frozen=True)
class Bolus:
    """Adds `amount` to the state `target` at once."""

    time: float
    target: str
    amount: float


@dataclass(frozen=True)
class Infusion:
    """Adds `rate` to the derivative of a state, or to the value of an input parameter, for `duration` hours.

    Rates of infusions that overlap add up.
    """

    time: float
    target: str
    rate: float
    duration: float


@dataclass(frozen=True)
class Set:
    """Gives a parameter a new value from `time` on."""

    time: float
    parameter: str
    value: float


@dataclass(frozen=True)
class Reset:
    """Puts all states back to their starting values and ends what is being infused."""

    time: float


@dataclass(frozen=True)
class Observe:
    """Looks at the outputs at this place in the record order."""

    time: float


@dataclass(frozen=True)
class SteadyState:
    """Puts the person where endless repeats of `doses` every `interval` hours would have led.

    `doses` carry times counted from the start of an interval (a lag is a later time, and may exceed the
    interval). The states become those at the end of an interval, that is just before the next repeat;
    infusions of earlier repeats that are still running go on, and doses of earlier repeats that have not yet
    arrived still arrive. The next repeat itself is not given: it is its own event. With `add`, the steady
    state's difference from the starting values is added to the states instead. A state that only collects, on
    which no rate depends, has no steady state and keeps its value.
    """

    time: float
    doses: tuple[Bolus | Infusion, ...]
    interval: float
    add: bool = False


Event = Bolus | Infusion | Set | Reset | Observe | SteadyState


@dataclass(frozen=True)
class Schedule:
    """Events in record order and the times at which to look, in hours from `start`.

    `output_times` must not go back; each looks before the events at its time.
    """

    events: tuple[Event, ...] = ()
    output_times: tuple[float, ...] = ()
    start: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "events", tuple(self.events))
        object.__setattr__(self, "output_times", tuple(float(time) for time in self.output_times))

    @property
    def times(self) -> NDArray[np.float64]:
        """The times of all rows of the result in order, shape (times,): output times and `Observe` events."""
        looks = [event.time for event in self.events if isinstance(event, Observe)]
        return np.sort(np.array([*self.output_times, *looks], dtype=np.float64))


JUMP, LOAD, RESET, BASE, RATE, INPUT, LOOK, STEADY = range(8)
"""Kinds of actions: add to a state; set a state; reset; set a parameter's own value; total rate into a state;
total input on top of a parameter; write the output row; take up the steady state of that number."""


@dataclass(frozen=True)
class SteadyPattern:
    """One steady state to be found: the doses of one interval, in terms of the network's positions."""

    doses: tuple[Bolus | Infusion, ...]
    interval: float
    add: bool


@dataclass(frozen=True)
class Segments:
    """A schedule compiled for one network.

    Nothing but the states changes between two `edges` (hours, shape (edges,)). At edge k the actions
    `first[k]` to `first[k + 1]` happen in order: `kind`, `position` (of a state, parameter or row) and
    `value`. Rows `rows[k, 0]` to `rows[k, 1]` of `times` are looked at within segment k, its right end
    included.
    """

    edges: NDArray[np.float64]
    first: NDArray[np.int64]
    kind: NDArray[np.int64]
    position: NDArray[np.int64]
    value: NDArray[np.float64]
    times: NDArray[np.float64]
    rows: NDArray[np.int64]
    steady: tuple[SteadyPattern, ...] = ()


@dataclass
class _Compilation:
    """The segments of one schedule while they grow."""

    lowered: Lowered
    states: dict[str, int]
    parameters: dict[str, int]
    actions: list[list[tuple[int, int, float]]] = field(default_factory=list)
    steady: list[SteadyPattern] = field(default_factory=list)
    running: list[tuple[int, str, float]] = field(default_factory=list)

    def total(self, target: str) -> tuple[int, int, float]:
        """The action that gives a target the sum of what runs into it now."""
        rate = _sum([rate for _, name, rate in self.running if name == target])
        if target in self.states:
            return RATE, self.states[target], rate
        return INPUT, self.parameters[target], rate


def compile_schedule(schedule: Schedule, lowered: Lowered) -> Segments:
    """Compile a schedule for a network.

    Raises:
        InputError: unknown names, numbers that are not finite, times before the start or going back,
            durations and intervals that are not positive.
        UnsupportedError: a steady state in a model that uses time.
    """
    work, edges, rows, times = _compile(schedule, lowered)
    return _segments(work, edges, rows, times, [action[2] for actions in work.actions for action in actions])


def _compile(
    schedule: Schedule, lowered: Lowered
) -> tuple[_Compilation, list[float], list[tuple[int, int]], list[float]]:
    """The actions at every edge; the edges, the rows of each segment and the times of all rows."""
    looks = _checked_times(schedule)
    if lowered.time_state is not None and any(isinstance(event, SteadyState) for event in schedule.events):
        raise UnsupportedError("A steady state in a model that uses time is not supported ('SteadyState').")
    parameters = {name: i for i, name in enumerate(lowered.parameters)}
    work = _Compilation(lowered, lowered.state_index, parameters)
    moments = _moments(schedule, work)
    last = max([schedule.start, *looks, *(event.time for event in schedule.events if isinstance(event, Observe))])
    edges = [schedule.start]
    edges.extend(time for time, _ in moments if schedule.start < time <= last)
    if edges[-1] < last - SAME_TIME_H:
        edges.append(last)
    rows, times = _fill_actions(work, moments, edges, looks, last)
    return work, edges, rows, times


def _segments(
    work: _Compilation, edges: list[float], rows: list[tuple[int, int]], times: list[float], values: list[Any]
) -> Segments:
    first = np.cumsum([0, *(len(actions) for actions in work.actions)])
    flat = [action for actions in work.actions for action in actions]
    return Segments(
        edges=np.array(edges, dtype=np.float64),
        first=first.astype(np.int64),
        kind=np.array([action[0] for action in flat], dtype=np.int64),
        position=np.array([action[1] for action in flat], dtype=np.int64),
        value=np.array(values, dtype=np.float64),
        times=np.array(times, dtype=np.float64),
        rows=np.array(rows, dtype=np.int64).reshape(len(edges), 2),
        steady=tuple(work.steady),
    )


def compile_together(schedule: Schedule, lowered: Lowered, people: int) -> tuple[Segments, ...]:
    """The segments of many people at once, one a person.

    Amounts, rates and values of the schedule's events may be arrays, one number a person; times are everybody's.

    Raises:
        InputError: as `compile_schedule`.
        UnsupportedError: as `compile_schedule`.
    """
    work, edges, rows, times = _compile(schedule, lowered)
    values = [action[2] for actions in work.actions for action in actions]
    if not any(isinstance(value, np.ndarray) for value in values):
        return (_segments(work, edges, rows, times, values),) * people
    whole = _segments(work, edges, rows, times, [0.0] * len(values))
    table = np.empty((people, len(values)))
    for column, value in enumerate(values):
        table[:, column] = value
    return tuple(replace(whole, value=row) for row in table)


def _finite(number: Any) -> bool:
    """Whether a number, or each of several people's, is finite."""
    return bool(np.isfinite(number).all()) if isinstance(number, np.ndarray) else math.isfinite(number)


def _sum(numbers: Sequence[Any]) -> Any:
    """The sum, rounded once; person by person where numbers are arrays."""
    if not any(isinstance(number, np.ndarray) for number in numbers):
        return math.fsum(numbers)
    return np.asarray([math.fsum(row) for row in np.column_stack(np.broadcast_arrays(*numbers))])


def _checked_times(schedule: Schedule) -> tuple[float, ...]:
    looks = schedule.output_times
    if not math.isfinite(schedule.start):
        raise InputError("The start of the schedule is not a finite number.")
    for earlier, later in pairwise((schedule.start, *looks)):
        if not math.isfinite(later):
            raise InputError("An output time is not a finite number.")
        if later < earlier:
            raise InputError(
                f"The output time {later:g} h comes after {earlier:g} h.",
                hint="Output times must not go back.",
            )
    if not looks and not any(isinstance(event, Observe) for event in schedule.events):
        raise InputError("The schedule has no time to look at.", hint="Give output_times or Observe events.")
    return looks


def check_event(event: Event, states: dict[str, int], parameters: dict[str, int], start: float) -> None:
    """Refuse an event that cannot happen.

    Raises:
        InputError: what is wrong, with the event named.
    """
    where = f"{type(event).__name__} at {event.time:g} h"

    def require(condition: bool, message: str, hint: str | None = None) -> None:
        if not condition:
            raise InputError(message, where=where, hint=hint)

    require(math.isfinite(event.time), "The time is not a finite number.")
    require(event.time >= start, f"The time is before the start at {start:g} h.")
    if isinstance(event, Bolus):
        require(_finite(event.amount), "The amount is not a finite number.")
        if event.target not in states:
            raise unknown("state", event.target, states, where=where)
    elif isinstance(event, Infusion):
        require(_finite(event.rate), "The rate is not a finite number.")
        require(math.isfinite(event.duration) and event.duration > 0.0, "The duration is not a positive number.")
        if event.target not in states and event.target not in parameters:
            raise unknown("state or input parameter", event.target, {**states, **parameters}, where=where)
    elif isinstance(event, Set):
        require(_finite(event.value), f"The value of '{event.parameter}' is not a finite number.")
        if event.parameter not in parameters:
            raise unknown("parameter", event.parameter, parameters, where=where)
    elif isinstance(event, SteadyState):
        require(
            math.isfinite(event.interval) and event.interval > 0.0,
            "The interval is not a positive number of hours.",
        )
        require(bool(event.doses), "A steady state needs at least one dose.")
        for dose in event.doses:
            check_event(dose, states, parameters, 0.0)


Moment = tuple[float, list[tuple[str, Event | tuple[int, str, float]]]]


def _moments(schedule: Schedule, work: _Compilation) -> list[Moment]:
    """Everything that happens, grouped by time: ends of infusions first, then the events in record order."""
    happenings: list[tuple[float, int, str, Event | tuple[int, str, float]]] = []
    for number, event in enumerate(schedule.events):
        check_event(event, work.states, work.parameters, schedule.start)
        for part, piece in enumerate(_pieces(event)):
            happenings.append((piece.time, 1, "event", piece))
            if isinstance(piece, Infusion):
                running = (number * 100_000 + part, piece.target, piece.rate)
                happenings[-1] = (piece.time, 1, "begin", running)
                happenings.append((piece.time + piece.duration, 0, "end", running))
    happenings.sort(key=lambda item: item[0])
    grouped: list[Moment] = []
    ranked: list[tuple[int, str, Event | tuple[int, str, float]]] = []
    for time, rank, what, item in happenings:
        if not grouped or time - grouped[-1][0] > SAME_TIME_H:
            at_start = not grouped and time - schedule.start <= SAME_TIME_H
            grouped.append((schedule.start if at_start else time, []))
            ranked = []
        ranked.append((rank, what, item))
        ranked.sort(key=lambda entry: entry[0])
        grouped[-1][1][:] = [(what, item) for _, what, item in ranked]
    return grouped


def _pieces(event: Event) -> list[Event]:
    """An event, and what earlier repeats of a steady state have left running or still to come."""
    if not isinstance(event, SteadyState):
        return [event]
    pieces: list[Event] = [event]
    for dose in event.doses:
        length = dose.duration if isinstance(dose, Infusion) else 0.0
        back = 1
        while dose.time + length - back * event.interval > SAME_TIME_H:
            arrival = dose.time - back * event.interval
            if isinstance(dose, Infusion):
                begun = max(0.0, arrival)
                rest = Infusion(event.time + begun, dose.target, dose.rate, arrival + length - begun)
                pieces.append(rest)
            elif arrival > SAME_TIME_H:
                pieces.append(Bolus(event.time + arrival, dose.target, dose.amount))
            back += 1
    return pieces


def _fill_actions(
    work: _Compilation, moments: list[Moment], edges: list[float], looks: Sequence[float], last: float
) -> tuple[list[tuple[int, int]], list[float]]:
    """Fill `work.actions` edge by edge; returns the rows of each segment and the times of all rows."""
    by_time = dict(moments)
    times: list[float] = []
    rows: list[tuple[int, int]] = []
    next_look = 0
    for k, edge in enumerate(edges):
        actions: list[tuple[int, int, float]] = []
        while k == 0 and next_look < len(looks) and looks[next_look] <= edge + SAME_TIME_H:
            actions.append((LOOK, len(times), 0.0))
            times.append(looks[next_look])
            next_look += 1
        for what, item in by_time.get(edge, ()) if edge <= last else ():
            _act(work, what, item, actions, times)
        work.actions.append(actions)
        begin = len(times)
        while k + 1 < len(edges) and next_look < len(looks) and looks[next_look] <= edges[k + 1] + SAME_TIME_H:
            times.append(looks[next_look])
            next_look += 1
        rows.append((begin, len(times)))
    return rows, times


def _act(
    work: _Compilation,
    what: str,
    item: Event | tuple[int, str, float],
    actions: list[tuple[int, int, float]],
    times: list[float],
) -> None:
    if isinstance(item, tuple):
        if what == "begin":
            work.running.append(item)
        elif item in work.running:
            work.running.remove(item)
        actions.append(work.total(item[1]))
    elif isinstance(item, Bolus):
        actions.append((JUMP, work.states[item.target], item.amount))
    elif isinstance(item, Set):
        actions.append((BASE, work.parameters[item.parameter], item.value))
    elif isinstance(item, Observe):
        actions.append((LOOK, len(times), 0.0))
        times.append(item.time)
    elif isinstance(item, Reset):
        targets = dict.fromkeys(target for _, target, _ in work.running)
        work.running.clear()
        actions.extend(work.total(target) for target in targets)
        actions.append((RESET, 0, 0.0))
    elif isinstance(item, SteadyState):
        if not item.add:
            targets = dict.fromkeys(target for _, target, _ in work.running)
            work.running.clear()
            actions.extend(work.total(target) for target in targets)
        actions.append((STEADY, len(work.steady), 0.0))
        work.steady.append(SteadyPattern(item.doses, item.interval, item.add))

"""Schedules of many people at once, as flat arrays: compiled for a stretch of time without a loop over people.

What `rekindle.engine.schedule` does for one schedule is done here for one stretch of everybody's, with the same
order of things at one time: ends of infusions, then the rest in the order given; looks come before both. Stretches
may begin and end at another hour for each person. Only doses, infusions and settings are known here; an infusion
that began before the stretch goes on in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.lower import Lowered
from rekindle.engine.memory import Plan
from rekindle.engine.schedule import BASE, INPUT, JUMP, LOOK, RATE, SAME_TIME_H, Segments
from rekindle.errors import InputError, unknown

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Happenings:
    """What happens to whom, all of shape (happenings,).

    `person` is a position among people, `time` hours, `target` a code of `targets`. With `duration` (hours) above
    zero, `value` is a rate; on a state without it an amount; on a parameter without it the parameter's new value.
    """

    person: Integers
    time: Floats
    target: Integers
    value: Floats
    duration: Floats

    @classmethod
    def none(cls) -> Happenings:
        """No happenings."""
        whole, real = np.zeros(0, dtype=np.int64), np.zeros(0)
        return cls(whole, real, whole, real, real)

    @classmethod
    def join(cls, parts: Sequence[Happenings]) -> Happenings:
        """Several in order."""
        if not parts:
            return cls.none()
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS))

    def __len__(self) -> int:
        return len(self.person)

    def take(self, which: NDArray[np.bool_] | Integers) -> Happenings:
        """Some of them."""
        return Happenings(*(getattr(self, name)[which] for name in _FIELDS))

    @property
    def until(self) -> Floats:
        """Hours at which each is over."""
        return np.asarray(self.time + self.duration, dtype=np.float64)


_FIELDS = ("person", "time", "target", "value", "duration")


def targets(lowered: Lowered) -> dict[str, int]:
    """The code of every state and parameter: states first, as they stand, then parameters.

    >>> from rekindle.engine import lower, read_antimony
    >>> targets(lower(read_antimony("model m; k = 1; A = 1; A' = -k*A; end")))
    {'A': 0, 'k': 1}
    """
    known = dict(lowered.state_index)
    known |= {name: len(lowered.states) + i for i, name in enumerate(lowered.parameters)}
    return known


def target(lowered: Lowered, name: str) -> int:
    """The code of one state or parameter.

    Raises:
        InputError: the model has neither.
    """
    known = targets(lowered)
    if name not in known:
        raise unknown("state or input parameter", name, known)
    return known[name]


@dataclass(frozen=True)
class SegmentTable(Sequence[Segments]):
    """One stretch of many people's schedules, compiled: person i's are `table[i]`, everybody's `plan`."""

    plan: Plan

    def __len__(self) -> int:
        return len(self.plan.edge_of) - 1

    @overload
    def __getitem__(self, person: int) -> Segments: ...
    @overload
    def __getitem__(self, person: slice) -> Sequence[Segments]: ...
    def __getitem__(self, person: int | slice) -> Segments | Sequence[Segments]:
        if isinstance(person, slice):
            return [self[i] for i in range(*person.indices(len(self)))]
        if not -len(self) <= person < len(self):
            raise IndexError(person)
        plan, person = self.plan, person % len(self)
        begin, end = plan.edge_of[person], plan.edge_of[person + 1]
        first, last = plan.first[begin], plan.last[end - 1]
        return Segments(
            edges=plan.edges[begin:end],
            first=np.append(plan.first[begin:end], last) - first,
            kind=plan.kind[first:last],
            position=plan.position[first:last],
            value=plan.value[first:last],
            times=plan.times[plan.time_of[person] : plan.time_of[person + 1]],
            rows=np.column_stack([plan.row_begin[begin:end], plan.row_end[begin:end]]),
        )

    def __iter__(self) -> Iterator[Segments]:
        return (self[i] for i in range(len(self)))

    @property
    def counts(self) -> Integers:
        """How many times each person is looked at, shape (people,)."""
        return np.diff(self.plan.time_of)


@dataclass(frozen=True)
class Looks:
    """When people are looked at: `person` and `time`, in order of person and time, both of shape (looks,)."""

    person: Integers
    time: Floats


def compile_table(lowered: Lowered, begin_h: Floats, end_h: Floats, given: Happenings, looks: Looks) -> SegmentTable:
    """Compile everybody's stretch from `begin_h` to `end_h`, both of shape (people,).

    Everything in `given` that begins in a person's stretch, or runs into it, takes part; what begins at its end
    does not. A stretch may have no length; then only the looks at its beginning are left.

    Raises:
        InputError: numbers that are not finite, a stretch that ends before it begins.
    """
    _check(begin_h, end_h, given)
    count = len(begin_h)
    actions = _actions(len(lowered.states), begin_h, end_h, given)
    at_begin, place = _looks_at_begin(begin_h, looks, count)
    actions = _Actions.join([at_begin, actions])
    edges, edge_of, group = _edges(begin_h, end_h, actions)
    value = _totals(actions, group)
    order = np.lexsort((actions.order, actions.time, actions.rank, group))
    group = group[order]
    first = np.searchsorted(group, np.arange(len(edges)), side="left")
    last = np.searchsorted(group, np.arange(len(edges)), side="right")
    row_begin, row_end = _rows(edges, edge_of, looks, place)
    plan = Plan(
        edge_of=edge_of,
        edges=edges,
        first=first.astype(np.int64),
        last=last.astype(np.int64),
        kind=actions.kind[order],
        position=actions.position[order],
        value=value[order],
        row_begin=row_begin,
        row_end=row_end,
        time_of=_offsets(looks.person, count),
        times=np.ascontiguousarray(looks.time, dtype=np.float64),
    )
    return SegmentTable(plan)


def _check(begin_h: Floats, end_h: Floats, given: Happenings) -> None:
    if not (np.isfinite(begin_h).all() and np.isfinite(end_h).all() and (end_h >= begin_h).all()):
        raise InputError("A stretch of time ends before it begins, or has no end.")
    for name, values in (("time", given.time), ("value", given.value), ("duration", given.duration)):
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            raise InputError(f"The {name} of something given to person {given.person[bad[0]]} is not a finite number.")


@dataclass(frozen=True)
class _Actions:
    """Actions of everybody: who, when, in which rank at one time (looks, ends, the rest), and what.

    Where something runs, `value` is what it adds and `step` 1 at its beginning and -1 at its end; else `step` is 0.
    """

    person: Integers
    time: Floats
    rank: Integers
    order: Integers
    kind: Integers
    position: Integers
    value: Floats
    step: Integers

    @classmethod
    def join(cls, parts: Sequence[_Actions]) -> _Actions:
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))


def _offsets(person: Integers, count: int) -> Integers:
    return np.concatenate([[0], np.cumsum(np.bincount(person, minlength=count))]).astype(np.int64)


def _filled(count: int, value: int) -> Integers:
    return np.full(count, value, dtype=np.int64)


def _actions(states: int, begin_h: Floats, end_h: Floats, given: Happenings) -> _Actions:
    """What is given as actions; infusions as what their beginnings and ends add to what runs."""
    begin, end = begin_h[given.person], end_h[given.person]
    runs = given.duration > 0.0
    inside = given.time < end - SAME_TIME_H
    starts = inside & np.where(runs, given.until > begin + SAME_TIME_H, given.time >= begin - SAME_TIME_H)
    at_once, lasting = np.flatnonzero(starts & ~runs), np.flatnonzero(starts & runs)
    ending = lasting[given.until[lasting] <= end[lasting] + SAME_TIME_H]
    which = np.concatenate([at_once, lasting, ending])
    sizes = len(at_once), len(lasting), len(ending)
    target = given.target[which]
    on_state = target < states
    lasts = np.repeat([False, True, True], sizes)
    at_once_kind, lasting_kind = np.where(on_state, JUMP, BASE), np.where(on_state, RATE, INPUT)
    return _Actions(
        person=given.person[which],
        time=np.concatenate([given.time[at_once], np.maximum(given.time, begin)[lasting], given.until[ending]]),
        rank=np.repeat(np.array([2, 2, 1], dtype=np.int64), sizes),
        order=which.astype(np.int64),
        kind=np.where(lasts, lasting_kind, at_once_kind).astype(np.int64),
        position=_position(target, states),
        value=np.where(np.repeat([1, 1, -1], sizes) < 0, -given.value[which], given.value[which]),
        step=np.repeat(np.array([0, 1, -1], dtype=np.int64), sizes),
    )


def _position(target: Integers, states: int) -> Integers:
    return np.where(target < states, target, target - states).astype(np.int64)


def _totals(actions: _Actions, group: Integers) -> Floats:
    """The actions' values, where something runs what runs into its target in all after each change.

    `group` is every action's edge.
    """
    value = actions.value.copy()
    runs = np.flatnonzero(actions.step)
    if not len(runs):
        return value
    keys = (actions.order, actions.time, actions.rank, group, actions.position, actions.kind)
    runs = runs[np.lexsort(tuple(key[runs] for key in keys))]
    fresh = np.ones(len(runs), dtype=bool)
    fresh[1:] = False
    for key in (actions.person, actions.position, actions.kind):
        fresh[1:] |= key[runs][1:] != key[runs][:-1]
    total = _running(actions.value[runs], fresh)
    total[np.abs(_running(actions.step[runs].astype(np.float64), fresh)) < 0.5] = 0.0
    value[runs] = total
    return value


def _running(values: Floats, fresh: NDArray[np.bool_]) -> Floats:
    """Sums that start anew at every `fresh` place; each is added up by itself, so that no other rounds it."""
    sums = values.copy()
    place = np.arange(len(values)) - np.maximum.accumulate(np.where(fresh, np.arange(len(values)), 0))
    for depth in range(1, int(place.max(initial=0)) + 1):
        here = np.flatnonzero(place == depth)
        sums[here] += sums[here - 1]
    return sums


def _looks_at_begin(begin_h: Floats, looks: Looks, count: int) -> tuple[_Actions, Integers]:
    """Looks at the beginning of a stretch as actions; and every look's row within its person's."""
    place = np.arange(len(looks.person)) - _offsets(looks.person, count)[looks.person]
    early = looks.time <= begin_h[looks.person] + SAME_TIME_H
    size = int(early.sum())
    actions = _Actions(
        looks.person[early], begin_h[looks.person[early]], _filled(size, 0), np.arange(size), _filled(size, LOOK),
        place[early].astype(np.int64), np.zeros(size), _filled(size, 0),
    )  # fmt: skip
    return actions, place.astype(np.int64)


def _edges(begin_h: Floats, end_h: Floats, actions: _Actions) -> tuple[Floats, Integers, Integers]:
    """The edges, each person's first one, and every action's edge."""
    count, own = len(begin_h), np.arange(len(begin_h))
    person = np.concatenate([own, actions.person, own])
    time = np.concatenate([begin_h, np.minimum(actions.time, end_h[actions.person]), end_h])
    role = np.concatenate([_filled(count, 0), _filled(len(actions.person), 1), _filled(count, 2)])
    order = np.lexsort((role, time, person))
    person, time, role = person[order], time[order], role[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (person[1:] != person[:-1]) | (time[1:] - time[:-1] > SAME_TIME_H)
    group = np.cumsum(fresh) - 1
    edges = time[fresh].copy()
    edges[group[role == 2]] = end_h[person[role == 2]]
    edges[group[role == 0]] = begin_h[person[role == 0]]
    edge_of = _offsets(person[fresh], count)
    back = np.empty(len(order), dtype=np.int64)
    back[order] = group
    return edges, edge_of, back[count : count + len(actions.person)]


def _rows(edges: Floats, edge_of: Integers, looks: Looks, place: Integers) -> tuple[Integers, Integers]:
    """Rows looked at within each edge's segment, its right end included."""
    count = len(edge_of) - 1
    owner = np.repeat(np.arange(count), np.diff(edge_of))
    person = np.concatenate([looks.person, owner])
    time = np.concatenate([looks.time, edges + SAME_TIME_H])
    is_edge = np.concatenate([np.zeros(len(place), dtype=bool), np.ones(len(edges), dtype=bool)])
    order = np.lexsort((is_edge, time, person))
    seen = np.cumsum(~is_edge[order])
    before = np.empty(len(order), dtype=np.int64)
    before[order] = seen
    row_begin = before[len(place) :] - _offsets(looks.person, count)[owner]
    row_end = np.append(row_begin[1:], 0)
    last = edge_of[1:] - 1
    row_end[last] = row_begin[last]
    return row_begin.astype(np.int64), row_end.astype(np.int64)

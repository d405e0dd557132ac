"""What the vector solver's loop works on: the kernel's addresses, the schedules laid out flat, and the lanes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Truths = NDArray[np.bool_]


class Machine(NamedTuple):
    """Addresses of the kernel's functions and the sizes of its arrays.

    `renew` works out again what depends on the parameters that schedules act on (`touched`, by position): the
    prepared expressions at the positions `renewed`.
    """

    step: int
    accept: int
    prepare: int
    initial: int
    observe: int
    width: int
    states: int
    free: int
    parameters: int
    prepared: int
    entries: int
    scratch: int
    stages: int
    outputs: int
    time_state: int
    renew: int
    touched: Integers
    renewed: Integers


class Plan(NamedTuple):
    """Schedules laid end to end: schedule s has the edges `edge_of[s]` to `edge_of[s + 1]`.

    The actions of edge e are `first[e]` to `last[e]`; its segment's rows are `row_begin[e]` to `row_end[e]`, whose
    times stand at `time_of[s] + row` in `times`.
    """

    edge_of: Integers
    edges: Floats
    first: Integers
    last: Integers
    kind: Integers
    position: Integers
    value: Floats
    row_begin: Integers
    row_end: Integers
    time_of: Integers
    times: Floats


class Settings(NamedTuple):
    """`rekindle.engine.rosenbrock.Control` as numbers."""

    relative: float
    floor: float
    safety: float
    shrink: float
    grow: float
    first: float
    smallest: float
    limit: int


class Stand(NamedTuple):
    """`rekindle.engine.task.Standing` as arrays."""

    states: Floats
    largest: Floats
    steps: Floats

    def part(self, own: slice) -> Stand:
        """Some of the people who follow one another."""
        return Stand(self.states[own], self.largest[own], self.steps[own])


class Crowd(NamedTuple):
    """The people to solve and where their results go.

    `rows` (people, parameters) and `which` (their schedules) are given; `values` (people, times, outputs),
    `outcome` and `steps` (taken and refused) are filled in. `scale` is a typical size of every state. `resumed`:
    people go on from `begin`; `kept`: where they stand at the last is written to `end`.
    """

    rows: Floats
    which: Integers
    scale: Floats
    values: Floats
    outcome: Integers
    steps: Integers
    resumed: bool
    begin: Stand
    kept: bool
    end: Stand

    def part(self, first: int, end: int, values: Floats) -> Crowd:
        """The people from `first` up to `end`, whose outputs go to `values`; the rest is shared with the whole."""
        own = slice(first, end)
        return self._replace(
            rows=self.rows[own],
            which=self.which[own],
            values=values,
            outcome=self.outcome[own],
            steps=self.steps[own],
            begin=self.begin.part(own),
            end=self.end.part(own),
        )


class Lanes(NamedTuple):
    """Working memory of one thread. Vector arrays hold element i of lane l at i * width + l.

    `error` holds each lane's error norm and then the factor by which its next step is to be longer.

    `who` is the person in a lane or -1; `edge`, `row` and `clock` say how far it has come; `proposed` is its next
    step, `restart` the step to take after a change from outside, `fresh` whether that one is still to be learnt.
    """

    y: Floats
    y_new: Floats
    into: Floats
    q: Floats
    scale: Floats
    w: Floats
    u: Floats
    z: Floats
    f: Floats
    h: Floats
    error: Floats
    taken: Floats
    base: Floats
    extra: Floats
    row_now: Floats
    settled: Floats
    one: Floats
    shown: Floats
    who: Integers
    edge: Integers
    row: Integers
    allowed: Integers
    clock: Floats
    proposed: Floats
    restart: Floats
    ending: Truths
    fresh: Truths
    undefined: Truths


def _aligned(size: int, value: float = 0.0) -> Floats:
    """An array that begins where a cache line does, so that no vector straddles two."""
    room = np.full(size + 8, value)
    begin = (-room.ctypes.data // 8) % 8
    return room[begin : begin + size]


def new_lanes(machine: Machine) -> Lanes:
    """Empty lanes."""
    width, states = machine.width, machine.states
    vector = states * width

    def table(columns: int) -> Floats:
        return np.zeros((width, columns + 1))

    def flags() -> Truths:
        return np.zeros(width, dtype=np.bool_)

    def counts() -> Integers:
        return np.zeros(width, dtype=np.int64)

    return Lanes(
        y=_aligned(vector, 1.0),
        y_new=_aligned(vector, 1.0),
        into=_aligned(vector),
        q=_aligned(max(1, machine.prepared) * width, 1.0),
        scale=_aligned(vector, 1.0),
        w=_aligned(machine.entries * width),
        u=_aligned(machine.stages * vector),
        z=_aligned(machine.scratch * width),
        f=_aligned(vector),
        h=_aligned(width),
        error=_aligned(2 * width),
        taken=_aligned(width),
        base=table(machine.parameters),
        extra=table(machine.parameters),
        row_now=table(machine.parameters),
        settled=table(machine.prepared),
        one=np.zeros(max(states + machine.parameters, machine.prepared)),
        shown=np.zeros(machine.outputs + 1),
        who=np.full(width, -1, dtype=np.int64),
        edge=counts(),
        row=counts(),
        allowed=counts(),
        clock=np.zeros(width),
        proposed=np.zeros(width),
        restart=np.zeros(width),
        ending=flags(),
        fresh=flags(),
        undefined=flags(),
    )

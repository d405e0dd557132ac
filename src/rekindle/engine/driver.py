"""The loop around the vector kernel: steps, outputs, doses, and the next person for a lane that is done.

Every lane is one person with a clock, a step length and a place in the schedule of its own. When a person is
finished, or cannot go on, the next one takes the lane. Compiled by numba once (and kept by it on disk); the
kernel's functions are called by address.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from rekindle.engine.schedule import BASE, INPUT, JUMP, LOAD, LOOK, RATE, RESET

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ROUNDING = 1e-15  # of the largest scale: what is smaller is noise

DONE, TOO_MANY_STEPS, STEP_TOO_SMALL, NOT_FINITE = 0, 1, 2, 3
"""What became of a person."""


class Plan(NamedTuple):
    """Schedules laid end to end: schedule s has the edges `edge_of[s]` to `edge_of[s + 1]`.

    The actions of edge e are `first[e]` to `last[e]`; its segment's rows are `row_begin[e]` to `row_end[e]`,
    whose times stand at `time_of[s] + row` in `times`.
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


class Machine(NamedTuple):
    """Addresses of the kernel's functions and the sizes of its arrays."""

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
    stages: int
    outputs: int
    time_state: int


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


class Lanes(NamedTuple):
    """Working memory of one thread: vector arrays hold element i of lane l at i * width + l."""

    y: Floats
    y_new: Floats
    into: Floats
    q: Floats
    scale: Floats
    h: Floats
    error: Floats
    taken: Floats
    base: Floats
    extra: Floats
    row: Floats
    settled: Floats
    one: Floats
    shown: Floats


def _call_code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    whole = ir.IntType(64)
    kind = ir.FunctionType(ir.VoidType(), [whole] * (len(values) - 1))
    builder.call(builder.inttoptr(values[0], kind.as_pointer()), list(values[1:]))
    return context.get_dummy_value()


def _two(context: Any, function: Any, a: Any, b: Any) -> Any:
    return types.void(*[types.int64] * 3), _call_code


def _four(context: Any, function: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    return types.void(*[types.int64] * 5), _call_code


def _twelve(
    context: Any,
    function: Any,
    a: Any,
    b: Any,
    c: Any,
    d: Any,
    e: Any,
    f: Any,
    g: Any,
    h: Any,
    i: Any,
    j: Any,
    k: Any,
    m: Any,
) -> Any:
    return types.void(*[types.int64] * 13), _call_code


_call2: Any = intrinsic(_two)
_call4: Any = intrinsic(_four)
_call12: Any = intrinsic(_twelve)


def _refresh(machine: Machine, lanes: Lanes, lane: int) -> None:
    """Work out what a lane's parameters settle."""
    row, settled = lanes.row[lane], lanes.settled[lane]
    for j in range(machine.parameters):
        row[j] = lanes.base[lane, j] + lanes.extra[lane, j]
    _call2(machine.prepare, row.ctypes.data, settled.ctypes.data)
    for i in range(machine.prepared):
        lanes.q[i * machine.width + lane] = settled[i]


def _look(machine: Machine, lanes: Lanes, lane: int, out: Floats) -> None:
    """Write the outputs at the states in `lanes.one`."""
    _call4(
        machine.observe,
        lanes.one.ctypes.data,
        lanes.settled[lane].ctypes.data,
        lanes.row[lane].ctypes.data,
        lanes.shown.ctypes.data,
    )
    for i in range(machine.outputs):
        out[i] = lanes.shown[i]


def _put_initial(machine: Machine, lanes: Lanes, lane: int) -> None:
    """Starting values for a lane's own parameters, and the parameters derived from them."""
    start = np.empty(machine.states + machine.parameters)
    _call2(machine.initial, lanes.base[lane].ctypes.data, start.ctypes.data)
    for i in range(machine.states):
        lanes.y[i * machine.width + lane] = start[i]
    for j in range(machine.parameters - machine.free):
        lanes.one[j] = start[machine.states + j]


def _begin(machine: Machine, lanes: Lanes, lane: int, row: Floats, scale: Floats) -> None:
    """Give a lane to a person."""
    for j in range(machine.free):
        lanes.base[lane, j] = row[j]
    for j in range(machine.free, machine.parameters):
        lanes.base[lane, j] = 0.0
    for j in range(machine.parameters):
        lanes.extra[lane, j] = 0.0
    _put_initial_(machine, lanes, lane)
    for j in range(machine.free, machine.parameters):
        lanes.base[lane, j] = lanes.one[j - machine.free]
    for i in range(machine.states):
        at = i * machine.width + lane
        lanes.into[at] = 0.0
        lanes.scale[at] = max(scale[i], abs(lanes.y[at]))
    _refresh_(machine, lanes, lane)


def _act(machine: Machine, lanes: Lanes, plan: Plan, lane: int, edge: int, values: Floats) -> bool:
    """Do what happens at an edge, in order; returns whether anything changed."""
    width, changed = machine.width, False
    if machine.time_state >= 0:
        lanes.y[machine.time_state * width + lane] = plan.edges[edge]
    for a in range(plan.first[edge], plan.last[edge]):
        kind, position, value = plan.kind[a], plan.position[a], plan.value[a]
        if kind == LOOK:
            for i in range(machine.states):
                lanes.one[i] = lanes.y[i * width + lane]
            _look_(machine, lanes, lane, values[position])
            continue
        changed = True
        if kind == JUMP:
            lanes.y[position * width + lane] += value
        elif kind == LOAD:
            lanes.y[position * width + lane] = value
        elif kind == RATE:
            lanes.into[position * width + lane] = value
        elif kind == RESET:
            _put_initial_(machine, lanes, lane)
            if machine.time_state >= 0:
                lanes.y[machine.time_state * width + lane] = plan.edges[edge]
        elif kind == BASE:
            lanes.base[lane, position] = value
            _refresh_(machine, lanes, lane)
        elif kind == INPUT:
            lanes.extra[lane, position] = value
            _refresh_(machine, lanes, lane)
    if changed:
        for i in range(machine.states):
            at = i * width + lane
            lanes.scale[at] = max(lanes.scale[at], abs(lanes.y[at]))
    return changed


def _show_between(
    machine: Machine, lanes: Lanes, u: Floats, dense: Floats, needed: Integers, lane: int, theta: float
) -> None:
    """Put the states at the fraction theta of the step just made into `lanes.one`."""
    width, size = machine.width, machine.states * machine.width
    for i in needed:
        at = i * width + lane
        if theta >= 1.0:
            lanes.one[i] = lanes.y_new[at]
            continue
        bend = 0.0
        for stage in range(machine.stages):
            weight = dense[0, stage] + theta * (dense[1, stage] + theta * dense[2, stage])
            bend += weight * u[stage * size + at]
        lanes.one[i] = (1.0 - theta) * lanes.y[at] + theta * (lanes.y_new[at] + (1.0 - theta) * bend)


def _run(
    machine: Machine,
    plan: Plan,
    settings: Settings,
    dense: Floats,
    needed: Integers,
    rows: Floats,
    scale: Floats,
    which: Integers,
    people: Integers,
    values: Floats,
    outcome: Integers,
    steps: Integers,
) -> None:
    """Solve `people` (positions in `rows`), filling `values`, `outcome` and `steps` (taken, refused)."""
    width, states = machine.width, machine.states
    lanes = Lanes(
        np.ones(states * width),
        np.ones(states * width),
        np.zeros(states * width),
        np.ones(max(1, machine.prepared) * width),
        np.ones(states * width),
        np.full(width, settings.first),
        np.zeros(width),
        np.zeros(width),
        np.zeros((width, machine.parameters + 1)),
        np.zeros((width, machine.parameters + 1)),
        np.zeros((width, machine.parameters + 1)),
        np.zeros((width, machine.prepared + 1)),
        np.zeros(states + machine.parameters),
        np.zeros(machine.outputs + 1),
    )
    w, u = np.zeros(machine.entries * width), np.zeros(machine.stages * states * width)
    z, f = np.zeros(states * width), np.zeros(states * width)
    control = np.array([settings.relative, settings.floor, ROUNDING * scale.max()])
    who, edge, row = np.full(width, -1), np.zeros(width, np.int64), np.zeros(width, np.int64)
    clock, proposed, restart = np.zeros(width), np.zeros(width), np.zeros(width)
    ending, fresh, undefined = np.zeros(width, np.bool_), np.zeros(width, np.bool_), np.zeros(width, np.bool_)
    waiting, living, allowed = 0, width, np.zeros(width, np.int64)
    while living > 0:
        for lane in range(width):
            while who[lane] < 0 and waiting < len(people):
                person = people[waiting]
                waiting += 1
                who[lane], edge[lane], clock[lane] = person, plan.edge_of[which[person]], 0.0
                proposed[lane] = restart[lane] = settings.first
                fresh[lane], undefined[lane] = True, False
                segments = plan.edge_of[which[person] + 1] - plan.edge_of[which[person]]
                allowed[lane] = settings.limit + 100 * segments
                _begin_(machine, lanes, lane, rows[person], scale)
                _act_(machine, lanes, plan, lane, edge[lane], values[person])
                row[lane] = plan.row_begin[edge[lane]]
                if edge[lane] + 1 == plan.edge_of[which[person] + 1]:
                    outcome[person], who[lane] = DONE, -1
            if who[lane] < 0:
                lanes.h[lane], lanes.taken[lane] = 1e-6, 0.0
                continue
            left = plan.edges[edge[lane] + 1] - plan.edges[edge[lane]] - clock[lane]
            ending[lane] = proposed[lane] >= 0.99 * left
            lanes.h[lane] = left if ending[lane] else min(proposed[lane], 0.5 * left)
        living = 0
        for lane in range(width):
            living += who[lane] >= 0
        if living == 0:
            break
        _call12(
            machine.step,
            lanes.y.ctypes.data,
            lanes.q.ctypes.data,
            lanes.into.ctypes.data,
            lanes.h.ctypes.data,
            lanes.y_new.ctypes.data,
            lanes.error.ctypes.data,
            w.ctypes.data,
            u.ctypes.data,
            z.ctypes.data,
            f.ctypes.data,
            lanes.scale.ctypes.data,
            control.ctypes.data,
        )
        for lane in range(width):
            person = who[lane]
            if person < 0:
                continue
            error, h = lanes.error[lane], lanes.h[lane]
            accepted = error <= 1.0
            steps[person, 0 if accepted else 1] += 1
            lanes.taken[lane] = 1.0 if accepted else 0.0
            undefined[lane] = math.isnan(error)
            if undefined[lane]:
                factor = 0.1
            else:
                factor = settings.safety * math.exp(-0.2 * math.log(error + 1e-12))
                factor = min(max(factor, settings.shrink), settings.grow)
            if not accepted:
                proposed[lane] = h * factor
            else:
                if fresh[lane]:
                    fresh[lane] = False
                    restart[lane] = h * min(max(factor, 0.5), 2.0)
                if not ending[lane] or factor < 1.0 or h * factor > proposed[lane]:
                    proposed[lane] = h * factor
                end = plan.row_end[edge[lane]]
                begun = plan.edges[edge[lane]] + clock[lane]
                offset = plan.time_of[which[person]]
                while row[lane] < end:
                    theta = (plan.times[offset + row[lane]] - begun) / h
                    if theta > 1.0 + 1e-12 and not ending[lane]:
                        break
                    if theta > 1.0 - 1e-12:
                        theta = 1.0
                    _between_(machine, lanes, u, dense, needed, lane, max(theta, 0.0))
                    _look_(machine, lanes, lane, values[person, row[lane]])
                    row[lane] += 1
            if steps[person, 0] + steps[person, 1] > allowed[lane] or proposed[lane] < settings.smallest:
                small = proposed[lane] < settings.smallest
                outcome[person] = TOO_MANY_STEPS
                if small:
                    outcome[person] = NOT_FINITE if undefined[lane] else STEP_TOO_SMALL
                who[lane] = -1
        _call4(
            machine.accept,
            lanes.y.ctypes.data,
            lanes.y_new.ctypes.data,
            lanes.scale.ctypes.data,
            lanes.taken.ctypes.data,
        )
        for lane in range(width):
            person = who[lane]
            if person < 0 or lanes.taken[lane] == 0.0:
                continue
            if not ending[lane]:
                clock[lane] += lanes.h[lane]
                continue
            edge[lane] += 1
            clock[lane] = 0.0
            if _act_(machine, lanes, plan, lane, edge[lane], values[person]):
                proposed[lane] = min(proposed[lane], restart[lane])
                fresh[lane] = True
            row[lane] = plan.row_begin[edge[lane]]
            if edge[lane] + 1 == plan.edge_of[which[person] + 1]:
                outcome[person], who[lane] = DONE, -1


_compiled = njit(cache=True, nogil=True, error_model="numpy")
_refresh_ = _compiled(_refresh)
_look_ = _compiled(_look)
_put_initial_ = _compiled(_put_initial)
_begin_ = _compiled(_begin)
_act_ = _compiled(_act)
_between_ = _compiled(_show_between)
run = _compiled(_run)

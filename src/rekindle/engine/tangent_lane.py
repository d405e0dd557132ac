"""One lane of the sensitivities' loop: whom it holds, what is done to them, and what is seen of them.

At an action the derivatives follow what the action does: where its time moves, a state gains what its rate of change
loses there.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from rekindle.engine.driver import (
    _call2,
    _call4,
    _look_,
    _put_initial_,
    _refresh_,
)
from rekindle.engine.memory import Floats, Lanes, Machine, Plan
from rekindle.engine.schedule import BASE, INPUT, JUMP, LOOK, RATE, RESET
from rekindle.engine.tangent_memory import OF_MOVED, OF_STATE, Tangent, TangentLanes, TangentPlan

LIKELY = 1e-2
"""A derivative is taken to reach at least this share of its state's size over the size of the direction."""


def _at(machine: Machine, tangent: Tangent, direction: int, state: int, lane: int) -> int:
    """Where a state's derivative lies, or -1 where it cannot move."""
    block = tangent.block[direction]
    row = tangent.local[block, state]
    if row < 0:
        return -1
    offset = (row * tangent.depth + tangent.place[direction]) * machine.width + lane
    return int(tangent.begins[block] + offset)


def _grown_at(tangent: Tangent, direction: int, at: int) -> int:
    """Where the largest value so far of the derivative at `at` lies."""
    block = tangent.block[direction]
    return int(tangent.begins[block + 1] + at)


def _slot(machine: Machine, tangent: Tangent, direction: int, slot: int, lane: int) -> int:
    """Where the derivative of what drives the states lies."""
    number = (tangent.block[direction] * tangent.slots + slot) * tangent.depth + tangent.place[direction]
    return int(number * machine.width + lane)


def _drive(machine: Machine, tangent: Tangent, lanes: Lanes, own: TangentLanes, lane: int) -> None:
    """The derivative of what a lane's parameters settle."""
    for direction in range(tangent.directions):
        for slot in range(tangent.moved):
            own.driven[_slot_(machine, tangent, direction, slot, lane)] = 0.0
    _call2(tangent.prepare, lanes.row_now[lane].ctypes.data, own.entries.ctypes.data)
    for e in range(len(tangent.prepare_places)):
        slot, moving = tangent.prepare_places[e, 0], tangent.prepare_places[e, 1]
        for direction in range(tangent.directions):
            change = own.base[lane, moving, direction] + own.extra[lane, moving, direction]
            if change != 0.0:
                own.driven[_slot_(machine, tangent, direction, slot, lane)] += own.entries[e] * change


def _start(machine: Machine, tangent: Tangent, lanes: Lanes, own: TangentLanes, lane: int, derived: bool) -> None:
    """The derivative of the starting values, and with `derived` of the derived parameters."""
    for direction in range(tangent.directions):
        for state in range(machine.states):
            at = _at_(machine, tangent, direction, state, lane)
            if at >= 0:
                own.s[at] = tangent.begun[state, direction]
    _call2(tangent.initial, lanes.base[lane].ctypes.data, own.entries.ctypes.data)
    for e in range(len(tangent.initial_places)):
        row, moving = tangent.initial_places[e, 0], tangent.initial_places[e, 1]
        if moving < 0:
            continue
        for direction in range(tangent.directions):
            change = own.entries[e] * own.base[lane, moving, direction]
            if row < machine.states:
                at = _at_(machine, tangent, direction, row, lane)
                if at >= 0:
                    own.s[at] += change
            elif derived:
                number = tangent.number_of_parameter[machine.free + row - machine.states]
                if number >= 0:
                    own.base[lane, number, direction] += change


def _grow(machine: Machine, tangent: Tangent, own: TangentLanes, lane: int) -> None:
    """Remember the largest derivatives so far."""
    for block in range(len(tangent.steps)):
        begin, end = tangent.begins[block], tangent.begins[block + 1]
        for at in range(begin + lane, end, machine.width):
            own.s_new[end + at] = max(own.s_new[end + at], abs(own.s[at]))


def _begin_tangent(
    machine: Machine, tangent: Tangent, lanes: Lanes, own: TangentLanes, lane: int, sizes: Floats
) -> None:
    """Give a lane's derivatives to a person who has just been given the lane."""
    own.base[lane] = tangent.chosen
    own.extra[lane] = 0.0
    for direction in range(tangent.directions):
        for slot in range(tangent.slots):
            own.driven[_slot_(machine, tangent, direction, slot, lane)] = 0.0
    for direction in range(tangent.directions):
        for state in range(machine.states):
            at = _at_(machine, tangent, direction, state, lane)
            if at >= 0:
                likely = LIKELY * lanes.scale[state * machine.width + lane] / sizes[direction]
                own.s_new[_grown_at_(tangent, direction, at)] = likely
    _start_(machine, tangent, lanes, own, lane, True)
    _drive_(machine, tangent, lanes, own, lane)


def _rates(machine: Machine, tangent: Tangent, lanes: Lanes, lane: int, out: Floats) -> None:
    """A lane's rates of change with what is being infused."""
    for i in range(machine.states):
        lanes.one[i] = lanes.y[i * machine.width + lane]
    _call4(
        tangent.rates,
        lanes.one.ctypes.data,
        lanes.settled[lane].ctypes.data,
        out.ctypes.data,
        out.ctypes.data,
    )
    for i in range(machine.states):
        out[i] += lanes.into[i * machine.width + lane]


def _see(machine: Machine, tangent: Tangent, lanes: Lanes, own: TangentLanes, lane: int, out: Floats) -> None:
    """The outputs' derivatives, for the states in `lanes.one` and their derivatives in `own.shown`."""
    _call4(
        tangent.seen,
        lanes.one.ctypes.data,
        lanes.settled[lane].ctypes.data,
        lanes.row_now[lane].ctypes.data,
        own.entries.ctypes.data,
    )
    out[:] = 0.0
    for e in range(len(tangent.seen_places)):
        output, kind, number = tangent.seen_places[e]
        if number < 0:
            continue
        for direction in range(tangent.directions):
            if kind == OF_STATE:
                change = own.shown[number, direction]
            elif kind == OF_MOVED:
                change = own.driven[_slot_(machine, tangent, direction, number, lane)]
            else:
                change = own.base[lane, number, direction] + own.extra[lane, number, direction]
            out[output, direction] += own.entries[e] * change


def _look_now(
    machine: Machine, tangent: Tangent, lanes: Lanes, own: TangentLanes, lane: int, values: Floats, slopes: Floats
) -> None:
    """Write the outputs and their derivatives as they are now."""
    for i in range(machine.states):
        lanes.one[i] = lanes.y[i * machine.width + lane]
        for direction in range(tangent.directions):
            at = _at_(machine, tangent, direction, i, lane)
            own.shown[i, direction] = own.s[at] if at >= 0 else 0.0
    _look_(machine, lanes, lane, values)
    _see_(machine, tangent, lanes, own, lane, slopes)


def _do(
    machine: Machine, tangent: Tangent, lanes: Lanes, own: TangentLanes, lane: int, plan: Plan, changes: TangentPlan,
    action: int,
) -> None:  # fmt: skip
    """One action on a lane's states and parameters, and on their derivatives."""
    kind, position, value, width = plan.kind[action], plan.position[action], plan.value[action], machine.width
    if kind == JUMP:
        lanes.y[position * width + lane] += value
    elif kind == RATE:
        lanes.into[position * width + lane] = value
    elif kind == RESET:
        _put_initial_(machine, lanes, lane)
        _start_(machine, tangent, lanes, own, lane, False)
    elif kind == BASE:
        lanes.base[lane, position] = value
    elif kind == INPUT:
        lanes.extra[lane, position] = value
    for direction in range(tangent.directions):
        change = changes.value[action, direction]
        if kind == JUMP:
            at = _at_(machine, tangent, direction, position, lane)
            if at >= 0:
                own.s[at] += change
        elif kind == RATE and tangent.slot_of_state[position] >= 0:
            own.driven[_slot_(machine, tangent, direction, tangent.slot_of_state[position], lane)] = change
        elif kind in (BASE, INPUT) and tangent.number_of_parameter[position] >= 0:
            held = own.base if kind == BASE else own.extra
            held[lane, tangent.number_of_parameter[position], direction] = change
    if kind in (BASE, INPUT):
        _refresh_(machine, lanes, lane)
        _drive_(machine, tangent, lanes, own, lane)


def _act(
    machine: Machine, tangent: Tangent, plan: Plan, changes: TangentPlan, lanes: Lanes, own: TangentLanes, lane: int,
    edge: int, values: Floats, slopes: Floats,
) -> bool:  # fmt: skip
    """Do what happens at an edge, in order; returns whether anything changed."""
    changed, width, clock = False, machine.width, machine.time_state
    if clock >= 0:
        lanes.y[clock * width + lane] = plan.edges[edge]
    for a in range(plan.first[edge], plan.last[edge]):
        if plan.kind[a] == LOOK:
            row = plan.position[a]
            _look_now_(machine, tangent, lanes, own, lane, values[row], slopes[row])
            continue
        changed = True
        if changes.moves[a]:
            _rates_(machine, tangent, lanes, lane, own.before)
            if plan.kind[a] == RESET:
                own.before[:] = 0.0
        _do_(machine, tangent, lanes, own, lane, plan, changes, a)
        if clock >= 0:
            lanes.y[clock * width + lane] = plan.edges[edge]
        if changes.moves[a]:
            _rates_(machine, tangent, lanes, lane, own.after)
            for direction in range(tangent.directions):
                moved = changes.time[a, direction]
                for i in range(machine.states):
                    at = _at_(machine, tangent, direction, i, lane)
                    if at >= 0 and moved != 0.0 and i != clock:
                        own.s[at] += (own.before[i] - own.after[i]) * moved
    if changed:
        for i in range(machine.states):
            at = i * width + lane
            lanes.scale[at] = max(lanes.scale[at], abs(lanes.y[at]))
        _grow_(machine, tangent, own, lane)
    return changed


_INNER: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True}
_compiled: Any = njit(**_INNER)
_at_ = _compiled(_at)
_slot_ = _compiled(_slot)
_grown_at_ = _compiled(_grown_at)
_grow_ = _compiled(_grow)
_drive_ = _compiled(_drive)
_start_ = _compiled(_start)
_begin_tangent_ = _compiled(_begin_tangent)
_rates_ = _compiled(_rates)
_see_ = _compiled(_see)
_look_now_ = _compiled(_look_now)
_do_ = _compiled(_do)
_act_ = _compiled(_act)

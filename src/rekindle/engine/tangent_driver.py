"""The loop around the vector code of the sensitivities: the quick solver's steps, each with its derivative.

Steps and states are those of `rekindle.engine.driver`. After each step every block of directions makes the
derivative of the same step, and the step is kept where states and derivatives are right. At an action the derivatives
follow what the action does: where its time moves, a state gains what its rate of change loses there.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from rekindle.engine.driver import (
    DONE,
    _begin_,
    _between_,
    _call2,
    _call4,
    _call12,
    _choose_steps_,
    _judge_,
    _look_,
    _put_initial_,
    _refresh_,
    _step_,
    _write_rows_,
)
from rekindle.engine.memory import Crowd, Floats, Integers, Lanes, Machine, Plan, Settings
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
    for direction in range(tangent.directions):
        for state in range(machine.states):
            at = _at_(machine, tangent, direction, state, lane)
            if at >= 0:
                grown = _grown_at_(tangent, direction, at)
                own.s_new[grown] = max(own.s_new[grown], abs(own.s[at]))


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


def _take_in(
    machine: Machine, tangent: Tangent, plan: Plan, changes: TangentPlan, settings: Settings, crowd: Crowd,
    sizes: Floats, slopes: Floats, lanes: Lanes, own: TangentLanes, lane: int, person: int,
) -> None:  # fmt: skip
    """Give a free lane to a person and do what happens at the start."""
    begin, end = plan.edge_of[crowd.which[person]], plan.edge_of[crowd.which[person] + 1]
    lanes.who[lane], lanes.edge[lane], lanes.clock[lane] = person, begin, 0.0
    lanes.proposed[lane] = lanes.restart[lane] = settings.first
    lanes.fresh[lane], lanes.undefined[lane] = True, False
    lanes.allowed[lane] = settings.limit + 100 * (end - begin)
    _begin_(machine, lanes, lane, crowd.rows[person], crowd.scale)
    _begin_tangent_(machine, tangent, lanes, own, lane, sizes[person])
    _act_(machine, tangent, plan, changes, lanes, own, lane, begin, crowd.values[person], slopes[person])
    lanes.row[lane] = plan.row_begin[begin]
    if begin + 1 == end:
        crowd.outcome[person], lanes.who[lane] = DONE, -1


def _show_between(
    machine: Machine, tangent: Tangent, own: TangentLanes, dense: Floats, needed: Integers, lane: int, theta: float
) -> None:
    """Put the derivatives at the fraction theta of the step just made into `own.shown`."""
    for direction in range(tangent.directions):
        block = tangent.block[direction]
        size, base = tangent.begins[block + 1] - tangent.begins[block], machine.stages * tangent.begins[block]
        for i in needed:
            at = _at_(machine, tangent, direction, i, lane)
            if at < 0:
                own.shown[i, direction] = 0.0
            elif theta >= 1.0:
                own.shown[i, direction] = own.s_new[at + tangent.begins[block]]
            else:
                bend = 0.0
                for stage in range(machine.stages):
                    weight = dense[0, stage] + theta * (dense[1, stage] + theta * dense[2, stage])
                    bend += weight * own.v[base + stage * size + at - tangent.begins[block]]
                late = own.s_new[at + tangent.begins[block]] + (1.0 - theta) * bend
                own.shown[i, direction] = (1.0 - theta) * own.s[at] + theta * late


def _write_slopes(
    machine: Machine, tangent: Tangent, plan: Plan, crowd: Crowd, slopes: Floats, lanes: Lanes, own: TangentLanes,
    dense: Floats, needed: Integers,
) -> None:  # fmt: skip
    """Write the derivatives of the output rows that lie within the steps just accepted."""
    for lane in range(machine.width):
        if lanes.taken[lane] == 0.0:
            continue
        person, edge, h = lanes.who[lane], lanes.edge[lane], lanes.h[lane]
        begun = plan.edges[edge] + lanes.clock[lane]
        offset = plan.time_of[crowd.which[person]]
        for row in range(lanes.row[lane], plan.row_end[edge]):
            theta = (plan.times[offset + row] - begun) / h
            if theta > 1.0 + 1e-12 and not lanes.ending[lane]:
                break
            theta = 1.0 if theta > 1.0 - 1e-12 else max(theta, 0.0)
            _between_(machine, lanes, dense, needed, lane, theta)
            _show_between_(machine, tangent, own, dense, needed, lane, theta)
            _see_(machine, tangent, lanes, own, lane, slopes[person, row])


def _follow(machine: Machine, tangent: Tangent, lanes: Lanes, own: TangentLanes) -> None:
    """The derivative of the step just made, in all lanes and directions, and how wrong it may be."""
    own.judged[: machine.width] = 0.0
    _call12(
        tangent.ready,
        lanes.y.ctypes.data,
        lanes.q.ctypes.data,
        lanes.u.ctypes.data,
        own.slopes.ctypes.data,
        own.bends.ctypes.data,
        own.y_stage.ctypes.data,
        own.w.ctypes.data,
        lanes.h.ctypes.data,
        0,
        0,
        0,
        0,
    )
    for block in range(len(tangent.steps)):
        begin = 8 * tangent.begins[block]
        _call12(
            tangent.steps[block],
            own.s.ctypes.data + begin,
            own.s_new.ctypes.data + 2 * begin,
            own.driven.ctypes.data + 8 * block * tangent.slots * tangent.depth * machine.width,
            lanes.u.ctypes.data,
            own.slopes.ctypes.data,
            own.bends.ctypes.data,
            own.w.ctypes.data,
            lanes.h.ctypes.data,
            own.v.ctypes.data + machine.stages * begin,
            own.z.ctypes.data,
            own.bent.ctypes.data,
            own.judged.ctypes.data,
        )


def _join(machine: Machine, settings: Settings, lanes: Lanes, own: TangentLanes) -> None:
    """A step is as wrong as its worst derivative, where that is worse than its states."""
    for lane in range(machine.width):
        error = own.judged[lane]
        if error > lanes.error[lane]:
            lanes.error[lane] = error
            factor = settings.safety * math.exp(-0.2 * math.log(error + 1e-12))
            lanes.error[machine.width + lane] = min(max(factor, settings.shrink), settings.grow)


def _move_on(
    machine: Machine, tangent: Tangent, plan: Plan, changes: TangentPlan, crowd: Crowd, slopes: Floats, lanes: Lanes,
    own: TangentLanes,
) -> None:  # fmt: skip
    """Advance the clocks; where a segment has ended, do what happens at its end and begin the next."""
    for lane in range(machine.width):
        if lanes.taken[lane] == 0.0:
            continue
        if not lanes.ending[lane]:
            lanes.clock[lane] += lanes.h[lane]
            continue
        person = lanes.who[lane]
        lanes.edge[lane] += 1
        lanes.clock[lane] = 0.0
        edge = lanes.edge[lane]
        if _act_(machine, tangent, plan, changes, lanes, own, lane, edge, crowd.values[person], slopes[person]):
            lanes.proposed[lane] = min(lanes.proposed[lane], lanes.restart[lane])
            lanes.fresh[lane] = True
        lanes.row[lane] = plan.row_begin[edge]
        if edge + 1 == plan.edge_of[crowd.which[person] + 1]:
            crowd.outcome[person], lanes.who[lane] = DONE, -1


def _run(
    machine: Machine, tangent: Tangent, plan: Plan, changes: TangentPlan, settings: Settings, crowd: Crowd,
    sizes: Floats, slopes: Floats, lanes: Lanes, own: TangentLanes, control: Floats, dense: Floats, needed: Integers,
    people: Integers,
) -> None:  # fmt: skip
    """Solve `people` with these lanes and write `slopes`, shape (people, times, outputs, directions).

    `sizes`, shape (people, directions), are changes of the directions that move states by about their own size.
    """
    waiting = 0
    own.judged[machine.width :] = settings.relative
    while True:
        for lane in range(machine.width):
            while lanes.who[lane] < 0 and waiting < len(people):
                person = people[waiting]
                _take_in_(machine, tangent, plan, changes, settings, crowd, sizes, slopes, lanes, own, lane, person)
                waiting += 1
        if _choose_steps_(machine, plan, lanes) == 0:
            return
        _step_(machine, lanes, control)
        _follow_(machine, tangent, lanes, own)
        _join_(machine, settings, lanes, own)
        _judge_(machine, settings, crowd, lanes)
        _write_slopes_(machine, tangent, plan, crowd, slopes, lanes, own, dense, needed)
        _write_rows_(machine, plan, crowd, lanes, dense, needed)
        _call4(
            machine.accept,
            lanes.y.ctypes.data,
            lanes.y_new.ctypes.data,
            lanes.scale.ctypes.data,
            lanes.taken.ctypes.data,
        )
        for block in range(len(tangent.steps)):
            begin = 8 * tangent.begins[block]
            _call4(
                tangent.accepts[block],
                own.s.ctypes.data + begin,
                own.s_new.ctypes.data + 2 * begin,
                lanes.taken.ctypes.data,
                lanes.taken.ctypes.data,
            )
        _move_on_(machine, tangent, plan, changes, crowd, slopes, lanes, own)


_INNER: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True}
_compiled: Any = njit(**_INNER)
_at_ = _compiled(_at)
_grown_at_ = _compiled(_grown_at)
_grow_ = _compiled(_grow)
_join_ = _compiled(_join)
_slot_ = _compiled(_slot)
_drive_ = _compiled(_drive)
_start_ = _compiled(_start)
_begin_tangent_ = _compiled(_begin_tangent)
_rates_ = _compiled(_rates)
_see_ = _compiled(_see)
_look_now_ = _compiled(_look_now)
_do_ = _compiled(_do)
_act_ = _compiled(_act)
_take_in_ = _compiled(_take_in)
_show_between_ = _compiled(_show_between)
_write_slopes_ = _compiled(_write_slopes)
_follow_ = _compiled(_follow)
_move_on_ = _compiled(_move_on)
run = njit(cache=True, nogil=True, error_model="numpy")(_run)

"""The loop around the vector kernel: steps, outputs, doses, and the next person for a lane that is done.

Every lane is one person with a clock, a step length and a place in the schedule of its own. When a person is
finished, or cannot go on, the next one takes the lane. Compiled by numba once (and kept by it on disk); the
kernel's functions are called by address.
"""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from rekindle.engine.bare import bare_crowd, bare_lanes, bare_plan
from rekindle.engine.compiled import kept_on_disk, sources_number
from rekindle.engine.memory import Crowd, Floats, Integers, Lanes, Machine, Plan, Settings, Stand
from rekindle.engine.schedule import BASE, INPUT, JUMP, LOAD, LOOK, RATE, RESET

DONE, TOO_MANY_STEPS, STEP_TOO_SMALL, NOT_FINITE = 0, 1, 2, 3
"""What became of a person."""

RESTING = 1e-6  # the step of a lane without a person, whose result nobody looks at


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
    row, settled = lanes.row_now[lane], lanes.settled[lane]
    for j in range(machine.parameters):
        row[j] = lanes.base[lane, j] + lanes.extra[lane, j]
    _call2(machine.prepare, row.ctypes.data, settled.ctypes.data)
    for i in range(machine.prepared):
        lanes.q[i * machine.width + lane] = settled[i]


def _renew(machine: Machine, lanes: Lanes, lane: int) -> None:
    """Work out again what depends on the parameters that schedules act on."""
    row, settled = lanes.row_now[lane], lanes.settled[lane]
    for j in machine.touched:
        row[j] = lanes.base[lane, j] + lanes.extra[lane, j]
    _call2(machine.renew, row.ctypes.data, lanes.one.ctypes.data)
    for i in range(len(machine.renewed)):
        at = machine.renewed[i]
        settled[at] = lanes.one[i]
        lanes.q[at * machine.width + lane] = lanes.one[i]


def _look(machine: Machine, lanes: Lanes, lane: int, out: Floats) -> None:
    """Write the outputs at the states in `lanes.one`."""
    _call4(
        machine.observe,
        lanes.one.ctypes.data,
        lanes.settled[lane].ctypes.data,
        lanes.row_now[lane].ctypes.data,
        lanes.shown.ctypes.data,
    )
    for i in range(machine.outputs):
        out[i] = lanes.shown[i]


def _put_initial(machine: Machine, lanes: Lanes, lane: int) -> None:
    """Starting values for a lane's own parameters; the derived parameters follow them in `lanes.one`."""
    start = lanes.one
    _call2(machine.initial, lanes.base[lane].ctypes.data, start.ctypes.data)
    for i in range(machine.states):
        lanes.y[i * machine.width + lane] = start[i]


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
        lanes.base[lane, j] = lanes.one[machine.states + j - machine.free]
    for i in range(machine.states):
        at = i * machine.width + lane
        lanes.into[at] = 0.0
        lanes.scale[at] = max(scale[i], abs(lanes.y[at]))
    _refresh_(machine, lanes, lane)


def _resume(machine: Machine, lanes: Lanes, lane: int, begin: Stand, person: int) -> None:
    """Put a lane where the person stood."""
    for i in range(machine.states):
        at = i * machine.width + lane
        lanes.y[at] = begin.states[person, i]
        lanes.scale[at] = max(lanes.scale[at], max(begin.largest[person, i], abs(lanes.y[at])))
    if begin.steps[person, 0] > 0.0:
        lanes.proposed[lane], lanes.restart[lane] = begin.steps[person, 0], begin.steps[person, 1]
        lanes.fresh[lane] = False


def _keep(machine: Machine, lanes: Lanes, lane: int, end: Stand, person: int) -> None:
    """Write down where the person stands."""
    for i in range(machine.states):
        at = i * machine.width + lane
        end.states[person, i], end.largest[person, i] = lanes.y[at], lanes.scale[at]
    end.steps[person, 0], end.steps[person, 1] = lanes.proposed[lane], lanes.restart[lane]


def _act(machine: Machine, lanes: Lanes, plan: Plan, lane: int, edge: int, values: Floats) -> bool:
    """Do what happens at an edge, in order; returns whether anything changed."""
    width, changed, renew = machine.width, False, False
    if machine.time_state >= 0:
        lanes.y[machine.time_state * width + lane] = plan.edges[edge]
    for a in range(plan.first[edge], plan.last[edge]):
        kind, position, value = plan.kind[a], plan.position[a], plan.value[a]
        if renew and kind in (LOOK, RESET):
            _renew_(machine, lanes, lane)
            renew = False
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
            renew = True
        elif kind == INPUT:
            lanes.extra[lane, position] = value
            renew = True
    if renew:
        _renew_(machine, lanes, lane)
    if changed:
        for i in range(machine.states):
            at = i * width + lane
            lanes.scale[at] = max(lanes.scale[at], abs(lanes.y[at]))
    return changed


def _show_between(machine: Machine, lanes: Lanes, dense: Floats, needed: Integers, lane: int, theta: float) -> None:
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
            bend += weight * lanes.u[stage * size + at]
        lanes.one[i] = (1.0 - theta) * lanes.y[at] + theta * (lanes.y_new[at] + (1.0 - theta) * bend)


def _take_in(
    machine: Machine, plan: Plan, settings: Settings, crowd: Crowd, lanes: Lanes, lane: int, person: int
) -> None:
    """Give a free lane to a person and do what happens at the start."""
    begin, end = plan.edge_of[crowd.which[person]], plan.edge_of[crowd.which[person] + 1]
    lanes.who[lane], lanes.edge[lane], lanes.clock[lane] = person, begin, 0.0
    lanes.proposed[lane] = lanes.restart[lane] = settings.first
    lanes.fresh[lane], lanes.undefined[lane] = True, False
    lanes.allowed[lane] = settings.limit + 100 * (end - begin)
    _begin_(machine, lanes, lane, crowd.rows[person], crowd.scale)
    if crowd.resumed:
        _resume_(machine, lanes, lane, crowd.begin, person)
    if _act_(machine, lanes, plan, lane, begin, crowd.values[person]) and not lanes.fresh[lane]:
        lanes.proposed[lane] = min(lanes.proposed[lane], lanes.restart[lane])
        lanes.fresh[lane] = True
    lanes.row[lane] = plan.row_begin[begin]
    if begin + 1 == end:
        crowd.outcome[person], lanes.who[lane] = DONE, -1
        if crowd.kept:
            _keep_(machine, lanes, lane, crowd.end, person)


def _choose_steps(machine: Machine, plan: Plan, lanes: Lanes) -> int:
    """Set every lane's step, no longer than what is left of its segment; returns how many lanes have a person."""
    living = 0
    for lane in range(machine.width):
        lanes.taken[lane] = 0.0
        if lanes.who[lane] < 0:
            lanes.h[lane] = RESTING
            continue
        living += 1
        edge = lanes.edge[lane]
        left = plan.edges[edge + 1] - plan.edges[edge] - lanes.clock[lane]
        lanes.ending[lane] = lanes.proposed[lane] >= 0.99 * left
        lanes.h[lane] = left if lanes.ending[lane] else min(lanes.proposed[lane], 0.5 * left)
    return living


def _step(machine: Machine, lanes: Lanes, control: Floats) -> None:
    """One step of all lanes."""
    _call12(
        machine.step,
        lanes.y.ctypes.data,
        lanes.q.ctypes.data,
        lanes.into.ctypes.data,
        lanes.h.ctypes.data,
        lanes.y_new.ctypes.data,
        lanes.error.ctypes.data,
        lanes.w.ctypes.data,
        lanes.u.ctypes.data,
        lanes.z.ctypes.data,
        lanes.f.ctypes.data,
        lanes.scale.ctypes.data,
        control.ctypes.data,
    )


def _judge(machine: Machine, settings: Settings, crowd: Crowd, lanes: Lanes) -> None:
    """Accept or refuse each lane's step, propose the next, and let go of people who cannot be solved."""
    for lane in range(machine.width):
        person = lanes.who[lane]
        if person < 0:
            continue
        error, h = lanes.error[lane], lanes.h[lane]
        accepted = error <= 1.0
        lanes.undefined[lane] = math.isnan(error)
        factor = 0.1 if lanes.undefined[lane] else lanes.error[machine.width + lane]
        lanes.taken[lane] = 1.0 if accepted else 0.0
        crowd.steps[person, 0 if accepted else 1] += 1
        if accepted and lanes.fresh[lane]:
            lanes.fresh[lane] = False
            lanes.restart[lane] = h * min(max(factor, 0.5), 2.0)
        # A step cut short by the end of its segment does not shorten the next one.
        if not accepted or not lanes.ending[lane] or factor < 1.0 or h * factor > lanes.proposed[lane]:
            lanes.proposed[lane] = h * factor
        if lanes.proposed[lane] < settings.smallest:
            crowd.outcome[person] = NOT_FINITE if lanes.undefined[lane] else STEP_TOO_SMALL
            lanes.who[lane], lanes.taken[lane] = -1, 0.0
        elif crowd.steps[person, 0] + crowd.steps[person, 1] > lanes.allowed[lane]:
            crowd.outcome[person] = TOO_MANY_STEPS
            lanes.who[lane], lanes.taken[lane] = -1, 0.0


def _write_rows(machine: Machine, plan: Plan, crowd: Crowd, lanes: Lanes, dense: Floats, needed: Integers) -> None:
    """Write the output rows that lie within the steps just accepted."""
    for lane in range(machine.width):
        if lanes.taken[lane] == 0.0:
            continue
        person, edge, h = lanes.who[lane], lanes.edge[lane], lanes.h[lane]
        begun = plan.edges[edge] + lanes.clock[lane]
        offset = plan.time_of[crowd.which[person]]
        while lanes.row[lane] < plan.row_end[edge]:
            theta = (plan.times[offset + lanes.row[lane]] - begun) / h
            if theta > 1.0 + 1e-12 and not lanes.ending[lane]:
                break
            theta = 1.0 if theta > 1.0 - 1e-12 else max(theta, 0.0)
            _between_(machine, lanes, dense, needed, lane, theta)
            _look_(machine, lanes, lane, crowd.values[person, lanes.row[lane]])
            lanes.row[lane] += 1


def _move_on(machine: Machine, plan: Plan, crowd: Crowd, lanes: Lanes) -> None:
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
        if _act_(machine, lanes, plan, lane, lanes.edge[lane], crowd.values[person]):
            lanes.proposed[lane] = min(lanes.proposed[lane], lanes.restart[lane])
            lanes.fresh[lane] = True
        lanes.row[lane] = plan.row_begin[lanes.edge[lane]]
        if lanes.edge[lane] + 1 == plan.edge_of[crowd.which[person] + 1]:
            crowd.outcome[person], lanes.who[lane] = DONE, -1
            if crowd.kept:
                _keep_(machine, lanes, lane, crowd.end, person)


_INNER: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "forceinline": True}
_compiled: Any = njit(**_INNER)
_refresh_ = _compiled(_refresh)
_renew_ = _compiled(_renew)
_look_ = _compiled(_look)
_put_initial_ = _compiled(_put_initial)
_begin_ = _compiled(_begin)
_resume_ = _compiled(_resume)
_keep_ = _compiled(_keep)
_act_ = _compiled(_act)
_between_ = _compiled(_show_between)
_take_in_ = _compiled(_take_in)
_choose_steps_ = _compiled(_choose_steps)
_step_ = _compiled(_step)
_judge_ = _compiled(_judge)
_write_rows_ = _compiled(_write_rows)
_move_on_ = _compiled(_move_on)

MODULES = ("bare", "memory", "schedule", "driver")
"""Modules that the compiled loop holds functions, layouts or constants of."""


def _loop(sources: int) -> Any:
    """The loop, compiled; numba keeps it on disk under `sources`, so that other sources make another."""

    def run(
        machine: Machine, plan: Plan, settings: Settings, crowd: Crowd, lanes: Lanes, control: Floats, dense: Floats,
        needed: Integers, people: Integers,
    ) -> None:  # fmt: skip
        """Solve `people` (positions in the crowd) with these lanes.

        `control` is what the kernel's step reads, `dense` the interpolant's coefficients, `needed` the states that the
        outputs use.
        """
        if sources < 0:
            return
        plan, crowd, lanes = bare_plan(plan), bare_crowd(crowd), bare_lanes(lanes)
        waiting = 0
        while True:
            for lane in range(machine.width):
                while lanes.who[lane] < 0 and waiting < len(people):
                    _take_in_(machine, plan, settings, crowd, lanes, lane, people[waiting])
                    waiting += 1
            if _choose_steps_(machine, plan, lanes) == 0:
                return
            _step_(machine, lanes, control)
            _judge_(machine, settings, crowd, lanes)
            _write_rows_(machine, plan, crowd, lanes, dense, needed)
            _call4(
                machine.accept,
                lanes.y.ctypes.data,
                lanes.y_new.ctypes.data,
                lanes.scale.ctypes.data,
                lanes.taken.ctypes.data,
            )
            _move_on_(machine, plan, crowd, lanes)

    return kept_on_disk(nogil=True, error_model="numpy")(run)


run = _loop(sources_number(MODULES))

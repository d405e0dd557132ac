"""The loop around the vector code of the sensitivities: the quick solver's steps, each with its derivative.

Steps and states are those of `rekindle.engine.driver`. After each step every block of directions makes the
derivative of the same step, and the step is kept where states and derivatives are right.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from rekindle.engine.compiled import kept_on_disk, sources_number
from rekindle.engine.driver import (
    DONE,
    _begin_,
    _between_,
    _call4,
    _call12,
    _choose_steps_,
    _judge_,
    _step_,
    _write_rows_,
)
from rekindle.engine.driver import MODULES as DRIVER_MODULES
from rekindle.engine.memory import Crowd, Floats, Integers, Lanes, Machine, Plan, Settings
from rekindle.engine.tangent_lane import _act_, _at_, _begin_tangent_, _see_
from rekindle.engine.tangent_memory import Tangent, TangentLanes, TangentPlan


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


_INNER: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True}
_compiled: Any = njit(**_INNER)
_take_in_ = _compiled(_take_in)
_join_ = _compiled(_join)
_show_between_ = _compiled(_show_between)
_write_slopes_ = _compiled(_write_slopes)
_follow_ = _compiled(_follow)
_move_on_ = _compiled(_move_on)


MODULES = (*DRIVER_MODULES, "tangent_memory", "tangent_lane", "tangent_driver")
"""Modules that the compiled loop holds functions, layouts or constants of."""


def _loop(sources: int) -> Any:
    """The loop, compiled; numba keeps it on disk under `sources`, so that other sources make another."""

    def run(
        machine: Machine, tangent: Tangent, plan: Plan, changes: TangentPlan, settings: Settings, crowd: Crowd,
        sizes: Floats, slopes: Floats, lanes: Lanes, own: TangentLanes, control: Floats, dense: Floats,
        needed: Integers, people: Integers,
    ) -> None:  # fmt: skip
        """Solve `people` with these lanes and write `slopes`, shape (people, times, outputs, directions).

        `sizes`, shape (people, directions), are changes of the directions that move states by about their own size.
        """
        if sources < 0:
            return
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

    return kept_on_disk(nogil=True, error_model="numpy")(run)


run = _loop(sources_number(MODULES))

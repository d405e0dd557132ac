"""Arrays that numba does not count the users of: for inner loops, where counting would cost more than the work.

Whoever calls must keep the arrays alive.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from rekindle.engine.memory import Crowd, Lanes, Plan

carray: Any = numba.carray  # type: ignore[attr-defined]


def _pointer_code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    return builder.inttoptr(values[0], ir.IntType(8).as_pointer())


def _to_pointer(context: Any, address: Any) -> Any:
    return types.voidptr(types.int64), _pointer_code


_pointer: Any = intrinsic(_to_pointer)


def _array(array: Any) -> Any:
    """The same array without numba's count of its users, which would cost more than what is done with it."""
    return carray(_pointer(array.ctypes.data), array.shape, array.dtype)


def _plan(plan: Plan) -> Plan:
    """The same arrays, not counted."""
    return Plan(
        _array_(plan.edge_of),
        _array_(plan.edges),
        _array_(plan.first),
        _array_(plan.last),
        _array_(plan.kind),
        _array_(plan.position),
        _array_(plan.value),
        _array_(plan.row_begin),
        _array_(plan.row_end),
        _array_(plan.time_of),
        _array_(plan.times),
    )


def _crowd(crowd: Crowd) -> Crowd:
    """The same arrays, not counted."""
    return Crowd(
        _array_(crowd.rows),
        _array_(crowd.which),
        _array_(crowd.scale),
        _array_(crowd.values),
        _array_(crowd.outcome),
        _array_(crowd.steps),
        crowd.resumed,
        crowd.begin,
        crowd.kept,
        crowd.end,
    )


def _lanes(lanes: Lanes) -> Lanes:
    """The same arrays, not counted."""
    return Lanes(
        _array_(lanes.y),
        _array_(lanes.y_new),
        _array_(lanes.into),
        _array_(lanes.q),
        _array_(lanes.scale),
        _array_(lanes.w),
        _array_(lanes.u),
        _array_(lanes.z),
        _array_(lanes.f),
        _array_(lanes.h),
        _array_(lanes.error),
        _array_(lanes.taken),
        _array_(lanes.base),
        _array_(lanes.extra),
        _array_(lanes.row_now),
        _array_(lanes.settled),
        _array_(lanes.one),
        _array_(lanes.shown),
        _array_(lanes.who),
        _array_(lanes.edge),
        _array_(lanes.row),
        _array_(lanes.allowed),
        _array_(lanes.clock),
        _array_(lanes.proposed),
        _array_(lanes.restart),
        _array_(lanes.ending),
        _array_(lanes.fresh),
        _array_(lanes.undefined),
    )


_INNER: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "forceinline": True}
_compiled: Any = njit(**_INNER)
_array_ = _compiled(_array)
bare_plan = _compiled(_plan)
bare_crowd = _compiled(_crowd)
bare_lanes = _compiled(_lanes)

"""Rodas5P: a linearly implicit Runge-Kutta method of order 5 for stiff equations, in numbers and in plain steps.

Eight stages share one factorised matrix, so a step costs eight right-hand sides and one sparse elimination,
and no iteration that might not converge. With W = I/(h gamma) - J each stage solves

    W u_i = f(y + sum_j a_ij u_j) + sum_j (c_ij / h) u_j,    y_new = y + sum_j m_j u_j,    error = u_8.

The method is stiffly accurate and L-stable, and has an interpolant of order 4. Source: Steinebach 2023,
doi:10.1007/s10543-023-00967-x. The error estimate is of order 4, so the error of a step grows as h to the
fifth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GAMMA = 0.21193756319429014

_SIXTH = (
    -7.502846399306121,
    2.561846144803919,
    -11.627539656261098,
    -0.18268767659942256,
    0.030198172008377946,
)

A: tuple[tuple[float, ...], ...] = (
    (),
    (3.0,),
    (2.849394379747939, 0.45842242204463923),
    (-6.954028509809101, 2.489845061869568, -10.358996098473584),
    (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
    _SIXTH,
    (*_SIXTH, 1.0),
    (*_SIXTH, 1.0, 1.0),
)

C: tuple[tuple[float, ...], ...] = (
    (),
    (-14.155112264123755,),
    (-17.97296035885952, -2.859693295451294),
    (147.12150275711716, -1.41221402718213, 71.68940251302358),
    (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
    (
        24.854864614690072,
        -3.0009227002832186,
        47.4931110020768,
        5.5814197821558125,
        -0.6610691825249471,
    ),
    (
        30.91273214028599,
        -3.1208243349937974,
        77.79954646070892,
        34.28646028294783,
        -19.097331116725623,
        -28.087943162872662,
    ),
    (
        37.80277123390563,
        -3.2571969029072276,
        112.26918849496327,
        66.9347231244047,
        -40.06618937091002,
        -54.66780262877968,
        -9.48861652309627,
    ),
)

M = (*_SIXTH, 1.0, 1.0, 1.0)

H: tuple[tuple[float, ...], ...] = (
    (
        25.948786856663858,
        -2.5579724845846235,
        10.433815404888879,
        -2.3679251022685204,
        0.524948541321073,
        1.1241088310450404,
        0.4272876194431874,
        -0.17202221070155493,
    ),
    (
        -9.91568850695171,
        -0.9689944594115154,
        3.0438037242978453,
        -24.495224566215796,
        20.176138334709044,
        15.98066361424651,
        -6.789040303419874,
        -6.710236069923372,
    ),
    (
        11.419903575922262,
        2.8879645146136994,
        72.92137995996029,
        80.12511834622643,
        -52.072871366152654,
        -59.78993625266729,
        -0.15582684282751913,
        4.883087185713722,
    ),
)

STAGES = 8
ORDER = 5


@dataclass(frozen=True)
class Control:
    """How steps are chosen.

    An accepted step has an error of at most one in the norm max |error_i| / (relative (|y_i| + floor
    scale_i)), where scale_i is the largest value the state has had. The next step is `safety` error^(-1/5)
    times as long, within `shrink` and `grow`. After a change from outside the first step is at most `first`
    hours, then what proved possible after the last change. A step below `smallest` hours, or more than
    `limit` steps and 100 a segment, is a failure.
    """

    relative: float = 3e-4
    floor: float = 1e-3
    safety: float = 0.9
    shrink: float = 0.15
    grow: float = 6.0
    first: float = 0.02
    smallest: float = 1e-13
    limit: int = 20_000


def step(
    rates: Callable[[Floats], Floats], jacobian: Callable[[Floats], Floats], y: Floats, h: float
) -> tuple[Floats, Floats, Floats]:
    """One step of length h from y: the new states, the error estimate and the stages u, shape (8, states)."""
    matrix = np.eye(len(y)) / (h * GAMMA) - jacobian(y)
    stages = np.zeros((STAGES, len(y)))
    for i in range(STAGES):
        inner = y + sum((a * stages[j] for j, a in enumerate(A[i])), np.zeros_like(y))
        right = rates(inner) + sum((c / h * stages[j] for j, c in enumerate(C[i])), np.zeros_like(y))
        stages[i] = np.linalg.solve(matrix, right)
    return y + np.array(M) @ stages, stages[-1], stages


def interpolate(y: Floats, y_new: Floats, stages: Floats, theta: float) -> Floats:
    """The states at the fraction theta of a step, of order 4, shape (states,)."""
    first, second, third = np.array(H) @ stages
    bend = first + theta * (second + theta * third)
    return np.asarray((1.0 - theta) * y + theta * (y_new + (1.0 - theta) * bend), dtype=np.float64)

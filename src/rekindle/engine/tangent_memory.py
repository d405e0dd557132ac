"""What the loop of the sensitivities works on: addresses, tables, and each thread's working memory."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Truths = NDArray[np.bool_]

OF_STATE, OF_MOVED, OF_MOVING = 0, 1, 2
"""What the column of an entry of the outputs' derivative speaks of."""


class Tangent(NamedTuple):
    """Addresses of the derivative's functions and how its numbers lie in memory.

    Block b's derivatives begin at `begins[b]` of `s`; state i is row `local[b, i]` there, or -1 where it cannot move.
    Direction k is number `place[k]` of block `block[k]`. `slot_of_state` and `number_of_parameter` hold -1 where an
    infusion's rate or a parameter does not move. Entries of the derivative lists are given by row and column:
    `prepare` (slot, moving), `initial` (state or derived parameter, moving or -1), `seen` (output, kind, number).
    """

    ready: int
    steps: Integers
    accepts: Integers
    rates: int
    prepare: int
    initial: int
    seen: int
    depth: int
    slots: int
    moved: int
    directions: int
    begins: Integers
    local: Integers
    block: Integers
    place: Integers
    slot_of_state: Integers
    number_of_parameter: Integers
    prepare_places: Integers
    initial_places: Integers
    seen_places: Integers
    begun: Floats
    chosen: Floats


class TangentPlan(NamedTuple):
    """The derivatives of the actions' values and times, (actions, directions), and which actions' times move."""

    value: Floats
    time: Floats
    moves: Truths


class TangentLanes(NamedTuple):
    """Working memory of one thread: the derivatives of what `rekindle.engine.memory.Lanes` holds.

    Each block's `s_new` is followed by the largest derivatives so far. `judged` holds each lane's error of the
    derivatives and then the relative tolerance.
    """

    s: Floats
    s_new: Floats
    driven: Floats
    slopes: Floats
    bends: Floats
    w: Floats
    v: Floats
    z: Floats
    bent: Floats
    y_stage: Floats
    base: Floats
    extra: Floats
    entries: Floats
    before: Floats
    after: Floats
    shown: Floats
    judged: Floats


def _aligned(size: int) -> Floats:
    """Noughts that begin where a cache line does, so that no vector straddles two."""
    room = np.zeros(size + 8)
    begin = (-room.ctypes.data // 8) % 8
    return room[begin : begin + size]


def new_tangent_lanes(
    tangent: Tangent,
    *,
    width: int,
    states: int,
    moving: int,
    stages: int,
    slopes: int,
    bends: int,
    entries: int,
    factors: int,
) -> TangentLanes:
    """Working memory full of noughts; `slopes`, `bends`, `entries` and `factors` are the lengths of the lists."""
    size = int(tangent.begins[-1])
    blocks = len(tangent.steps)
    return TangentLanes(
        s=_aligned(size),
        s_new=_aligned(2 * size),
        driven=_aligned(max(1, blocks * tangent.slots * tangent.depth * width)),
        slopes=_aligned(stages * max(1, slopes) * width),
        bends=_aligned(max(1, bends) * width),
        w=_aligned(factors * width),
        v=_aligned(stages * size),
        z=_aligned(size),
        bent=_aligned(max(1, entries) * tangent.depth * width),
        y_stage=_aligned(states * width),
        base=np.zeros((width, max(1, moving), tangent.directions)),
        extra=np.zeros((width, max(1, moving), tangent.directions)),
        entries=np.zeros(1 + max(len(tangent.prepare_places), len(tangent.initial_places), len(tangent.seen_places))),
        before=np.zeros(states),
        after=np.zeros(states),
        shown=np.zeros((states, tangent.directions)),
        judged=_aligned(2 * width),
    )

"""How large each state typically is, so that "small" means something when steps are chosen.

A state that is zero until a dose reaches it, or only carries rounding noise, must not be followed to a
relative accuracy of its own noise. One person with the network's own parameters is solved roughly; the
largest value of each state there is its scale, and no scale is taken below a billionth of the largest.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.kernels import kernels_of
from rekindle.engine.lower import Lowered
from rekindle.engine.person import Accuracy, Person, act
from rekindle.engine.schedule import INPUT, JUMP, RATE, Segments, SteadyPattern
from rekindle.errors import SolverError

Floats = NDArray[np.float64]

SMALLEST_SHARE = 1e-9
_ROUGH_SHARE = 1e-6
_ROUGH = Accuracy(relative=1e-3, step_limit=20_000)
_LONGEST = 400


def typical_scale(lowered: Lowered, segments: Segments, row: Floats | None = None) -> Floats:
    """A typical size of every state, shape (states,), positive, in the states' units.

    `row` are parameter values, shape (parameters,); by default the network's own. Only the first 400 segments
    of the schedule are looked at.
    """
    kernels = kernels_of(lowered)
    start, _ = kernels.start(lowered.defaults if row is None else row)
    rough = _given(segments, np.nan_to_num(np.abs(start), posinf=0.0))
    floor = _ROUGH_SHARE * (float(rough.max()) or 1.0)
    person = Person(
        lowered,
        kernels,
        lowered.defaults if row is None else row,
        replace(_ROUGH, scale=tuple(np.maximum(rough, floor))),
        _unchanged,
    )
    largest = rough.copy()
    try:
        for k in range(min(len(segments.edges) - 1, _LONGEST)):
            if lowered.time_state is not None:
                person.y[lowered.time_state] = segments.edges[k]
            act(person, segments, k, None, _NOWHERE)
            length = segments.edges[k + 1] - segments.edges[k]
            path = person.advance(length, length * _LOOKS)
            largest = np.maximum(largest, np.abs(path).max(axis=0))
    except SolverError:
        largest = np.maximum(largest, rough)
    return np.maximum(largest, SMALLEST_SHARE * (float(largest.max()) or 1.0))


def _given(segments: Segments, start: Floats) -> Floats:
    """The larger of the starting values and single doses, shape (states,)."""
    size = start.copy()
    lengths = np.diff(segments.edges, append=segments.edges[-1])
    for k in range(len(segments.edges)):
        for a in range(segments.first[k], segments.first[k + 1]):
            position, value = segments.position[a], abs(segments.value[a])
            if segments.kind[a] == JUMP:
                size[position] = max(size[position], value)
            elif segments.kind[a] == RATE:
                size[position] = max(size[position], value * lengths[k])
            elif segments.kind[a] == INPUT and not size.any():
                size[:] = value
    return size


def _unchanged(person: Person, _: SteadyPattern) -> Floats:
    return person.y


_LOOKS = np.linspace(0.0, 1.0, 9)
_NOWHERE = np.empty((0, 0))

"""The plain solver that the others are checked against: one person, one segment, one library call at a time.

Slow, and with no step of its own to get wrong: scipy integrates, see `rekindle.engine.person`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.kernels import Kernels, Observer, kernels_of
from rekindle.engine.lower import Lowered
from rekindle.engine.person import Accuracy, Person, act
from rekindle.engine.schedule import Segments
from rekindle.engine.steady import steady_states
from rekindle.errors import SolverError

Floats = NDArray[np.float64]
Solved = tuple[Floats, Floats, Floats]
Part = tuple[list[Solved | None], list[tuple[int, str]], int]


def solve_person(
    lowered: Lowered,
    kernels: Kernels,
    observer: Observer,
    free: Floats,
    segments: Segments,
    accuracy: Accuracy,
    begin: tuple[Floats, Floats] | None = None,
) -> tuple[Solved, int]:
    """One person's outputs, shape (times, outputs), the last states and their largest sizes, and the number of steps.

    `begin` are states to go on from, and the largest sizes they have had.

    Raises:
        SolverError: the equations could not be solved; the message says when and why.
    """
    person = Person(lowered, kernels, free, accuracy, steady_states)
    if begin is not None:
        person.y = begin[0].copy()
        person.scale = np.maximum(person.scale, np.maximum(begin[1], np.abs(begin[0])))
    values = np.full((len(segments.times), len(observer.names)), np.nan)
    time_state = lowered.time_state
    for k, edge in enumerate(segments.edges):
        try:
            if time_state is not None:
                person.y[time_state] = edge
            act(person, segments, k, observer, values)
            if k + 1 == len(segments.edges):
                break
            first, last = segments.rows[k]
            length = segments.edges[k + 1] - edge
            offsets = np.clip(segments.times[first:last] - edge, 0.0, length)
            for row, y in zip(range(first, last), person.advance(length, offsets), strict=True):
                values[row] = observer(np.ascontiguousarray(y), person.q, person.row)
        except SolverError as error:
            raise SolverError(f"after {edge:g} h: {error.message}") from error
    return (values, person.y, person.scale), person.steps


def solve_people(
    lowered: Lowered,
    rows: Floats,
    segments: Sequence[Segments],
    outputs: Sequence[str],
    accuracy: Accuracy,
    begins: Sequence[tuple[Floats, Floats]] = (),
) -> Part:
    """Solve people one after the other; `segments[i % len(segments)]` is person i's, and `begins[i]`, if any.

    Returns every person's outputs and last states (None where it failed), the failures with their reasons, and
    the steps taken.
    """
    kernels, observer = kernels_of(lowered), Observer(lowered, outputs)
    values: list[Solved | None] = []
    failures: list[tuple[int, str]] = []
    steps = 0
    for i, row in enumerate(rows):
        begin, own = begins[i] if begins else None, segments[i % len(segments)]
        try:
            solved, taken = solve_person(lowered, kernels, observer, row, own, accuracy, begin)
            values.append(solved)
            steps += taken
        except SolverError as error:
            values.append(None)
            failures.append((i, error.message))
    return values, failures, steps

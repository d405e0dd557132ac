"""Steady states worked out beforehand, person by person, for solvers that cannot search for them.

What a steady state leads to depends on the person's parameters and on nothing that happened before it, so
each `SteadyState` becomes the states to take up (or to add) at its time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.kernels import Kernels, kernels_of
from rekindle.engine.lower import Lowered
from rekindle.engine.person import Accuracy, Person
from rekindle.engine.schedule import BASE, JUMP, LOAD, STEADY, Segments
from rekindle.engine.steady import collecting_states, steady_states
from rekindle.engine.table import SegmentTable
from rekindle.engine.task import Failure, Task
from rekindle.errors import SolverError

Floats = NDArray[np.float64]
Action = tuple[int, int, float]


def settled(task: Task) -> tuple[Task, list[Failure]]:
    """The same task without steady states to be found, and the people for whom there is none.

    Those people are given their schedule without the steady state; the caller must not use what comes out.
    """
    if isinstance(task.segments, SegmentTable):
        return task, []  # it knows no steady states
    segments: list[Segments] = list(task.segments)
    which = task.which.copy()
    failures: list[Failure] = []
    kernels = kernels_of(task.lowered)
    for person, number in enumerate(task.which):
        if not task.segments[number].steady:
            continue
        try:
            own = _settle(task.lowered, kernels, task.rows[person], task.segments[number], task.scale)
        except SolverError as error:
            failures.append(Failure(person, error.message))
            own = _with_actions(task.segments[number], {})
        which[person] = len(segments)
        segments.append(own)
    return replace(task, segments=tuple(segments), which=which), failures


def _settle(lowered: Lowered, kernels: Kernels, row: Floats, segments: Segments, scale: Floats) -> Segments:
    person = Person(lowered, kernels, row, Accuracy(scale=tuple(scale)), steady_states)
    collecting = collecting_states(lowered.pattern, len(lowered.states))
    found: dict[int, Sequence[Action]] = {}
    for a, kind in enumerate(segments.kind):
        if kind == BASE:
            person.base[segments.position[a]] = segments.value[a]
            person.refresh()
        elif kind == STEADY:
            pattern = segments.steady[int(segments.position[a])]
            person.y = person.initial.copy()
            states = steady_states(person, pattern)
            shown = states - person.initial if pattern.add else states
            action = JUMP if pattern.add else LOAD
            found[a] = [(action, int(i), float(shown[i])) for i in np.flatnonzero(~collecting)]
    return _with_actions(segments, found)


def _with_actions(segments: Segments, found: dict[int, Sequence[Action]]) -> Segments:
    """The segments with some actions replaced by several."""
    actions: list[Action] = []
    first = [0]
    for k in range(len(segments.edges)):
        for a in range(segments.first[k], segments.first[k + 1]):
            if a in found:
                actions.extend(found[a])
            elif segments.kind[a] != STEADY:
                actions.append((int(segments.kind[a]), int(segments.position[a]), float(segments.value[a])))
        first.append(len(actions))
    return replace(
        segments,
        first=np.array(first, dtype=np.int64),
        kind=np.array([action[0] for action in actions], dtype=np.int64),
        position=np.array([action[1] for action in actions], dtype=np.int64),
        value=np.array([action[2] for action in actions], dtype=np.float64),
        steady=(),
    )

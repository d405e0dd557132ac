"""The reference solver for many people: chunk by chunk, in several processes when that pays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.person import Accuracy
from rekindle.engine.reference import Part, solve_people
from rekindle.engine.task import Failure, Task
from rekindle.engine.worker import Chunk, solve_chunks

_CHUNK = 4
_WORTH_PROCESSES = 12


def solve_reference(
    task: Task, accuracy: Accuracy | None = None
) -> tuple[NDArray[np.float64], list[Failure], dict[str, Any]]:
    """Solve a task with the reference solver; returns values, failures and a report."""
    accuracy = accuracy or Accuracy(relative=task.relative_tolerance, scale=tuple(task.scale))
    values = task.empty()
    failures: list[Failure] = []
    steps = done = 0
    for start, (solved, failed, taken) in _parts(task, accuracy):
        for offset, found in enumerate(solved):
            if found is not None:
                values[start + offset, : len(found[0])] = found[0]
                if task.end is not None:
                    task.end.states[start + offset], task.end.largest[start + offset] = found[1:]
        failures.extend(Failure(start + offset, reason) for offset, reason in failed)
        steps += taken
        done += len(solved)
        if task.progress is not None:
            task.progress(done, len(task.rows))
    failures.sort(key=lambda failure: failure.person)
    return values, failures, {"steps": steps, "method": accuracy.method}


def _parts(task: Task, accuracy: Accuracy) -> Iterator[tuple[int, Part]]:
    starts = range(0, len(task.rows), _CHUNK)
    begins = [] if task.begin is None else list(zip(task.begin.states, task.begin.largest, strict=True))
    chunks: list[Chunk] = [
        (
            task.rows[i : i + _CHUNK],
            [task.segments[w] for w in task.which[i : i + _CHUNK]],
            begins[i : i + _CHUNK],
        )
        for i in starts
    ]
    if task.threads > 1 and len(task.rows) >= _WORTH_PROCESSES:
        shared = (task.lowered, task.outputs, accuracy)
        for number, part in solve_chunks(shared, chunks, task.threads):
            yield starts[number], part
    else:
        for start, (rows, segments, own) in zip(starts, chunks, strict=True):
            yield start, solve_people(task.lowered, rows, segments, task.outputs, accuracy, own)

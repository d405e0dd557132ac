"""Processes that solve chunks of people side by side.

Each is a plain `python -m rekindle.engine.worker`, told what to do over its standard input, so that a user's
script needs no main guard. It is given the network once and then chunks until its input ends.
"""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.kernels import Observer, kernels_of
from rekindle.engine.lower import Lowered
from rekindle.engine.person import Accuracy
from rekindle.engine.reference import Part, solve_people
from rekindle.engine.schedule import Segments
from rekindle.errors import SolverError

Chunk = tuple[NDArray[np.float64], list[Segments], list[tuple[NDArray[np.float64], NDArray[np.float64]]]]
Shared = tuple[Lowered, tuple[str, ...], Accuracy]


def serve(incoming: IO[bytes], outgoing: IO[bytes]) -> None:
    """Solve chunks until the input ends."""
    lowered, outputs, accuracy = pickle.load(incoming)
    while True:
        try:
            rows, segments, begins = pickle.load(incoming)
        except EOFError:
            return
        pickle.dump(solve_people(lowered, rows, segments, outputs, accuracy, begins), outgoing)
        outgoing.flush()


def _portable(lowered: Lowered) -> Lowered:
    """The same statement lists without the symbolic formulas, which a worker does not need."""
    network = lowered.network
    bare = replace(
        network,
        initial=dict.fromkeys(network.initial, 0.0),
        rates={},
        assignments=dict.fromkeys(network.assignments, 0.0),
        sbml="",
    )
    return replace(lowered, network=bare)


def _drive(
    shared: Shared, waiting: queue.SimpleQueue[int], chunks: Sequence[Chunk], ready: queue.SimpleQueue[Any]
) -> None:
    """Feed one process from the queue of chunk numbers until it is empty."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rekindle.engine.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        pickle.dump((_portable(shared[0]), *shared[1:]), process.stdin)
        while True:
            number = waiting.get_nowait()
            pickle.dump(chunks[number], process.stdin)
            process.stdin.flush()
            ready.put((number, pickle.load(process.stdout)))
    except queue.Empty:
        pass
    except (OSError, EOFError, pickle.UnpicklingError) as error:
        ready.put((-1, error))
    finally:
        with suppress(OSError):
            process.stdin.close()
        process.stdout.close()
        process.wait()


def solve_chunks(shared: Shared, chunks: Sequence[Chunk], processes: int) -> Iterator[tuple[int, Part]]:
    """Solve chunks in several processes; yields (number of the chunk, what came out) as they are done.

    Raises:
        SolverError: a process ended before it had answered.
    """
    lowered, outputs, _ = shared
    kernels_of(lowered)  # compiled here once, so that the processes find the objects on disk
    Observer(lowered, outputs)
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    ready: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for number in range(len(chunks)):
        waiting.put(number)
    drivers = [
        threading.Thread(target=_drive, args=(shared, waiting, chunks, ready), daemon=True)
        for _ in range(min(processes, len(chunks)))
    ]
    for driver in drivers:
        driver.start()
    for _ in chunks:
        number, part = ready.get()
        if number < 0:
            raise SolverError(f"A process of the reference solver ended early: {part!r}.")
        yield number, part
    for driver in drivers:
        driver.join()


def main() -> None:
    """Run as a worker process: standard output carries answers only."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()

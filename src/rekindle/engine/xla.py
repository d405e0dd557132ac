"""The solver for graphics processors: the same statement lists and the same method, compiled by XLA through JAX.

People are solved in chunks, each chunk one call of a compiled program in which everybody has steps and a schedule of
their own. It runs on whatever device JAX has; on a processor the native solver is quicker. Numbers are of double
precision whatever the user's own settings of JAX are. Who cannot be solved is treated as in `rekindle.engine.native`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.lower import Lowered
from rekindle.engine.native import REASONS, ROUNDING, by_reference, plan_of
from rekindle.engine.rosenbrock import Control
from rekindle.engine.settling import settled
from rekindle.engine.task import Failure, Task
from rekindle.errors import InputError, UnsupportedError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CHUNK = {"cpu": 128}
"""People side by side by kind of device: as many as fit a processor's caches."""
CHUNK_OF_OTHERS = 131_072
_SMALLEST_CHUNK = 1_024  # on devices other than a processor, to which a few people are padded
_SPARE = 1.5  # tables grow by this factor, so that a schedule a little longer finds its program compiled

_SHORTEST_TABLE = 128

_MADE: dict[tuple[str, tuple[str, ...], int, Control], Any] = {}


def require_jax() -> Any:
    """JAX.

    Raises:
        UnsupportedError: it is not installed.
    """
    try:
        import jax
    except ImportError as error:
        raise UnsupportedError(
            "The backend 'xla' needs JAX, which is not installed.", hint="pip install 'rekindle[gpu]'"
        ) from error
    return jax


def chunk_for(people: int, chunk: int | None = None) -> int:
    """How many people one call of the compiled program carries; fewer people are padded to it.

    Raises:
        InputError: a chunk below one.
        UnsupportedError: JAX is not installed.
    """
    if chunk is not None:
        if chunk < 1:
            raise InputError(f"A chunk of {chunk} people is none.", hint="1 or more.")
        return chunk
    device = require_jax().default_backend()
    if device in CHUNK:
        return CHUNK[device]
    return min(CHUNK_OF_OTHERS, max(_SMALLEST_CHUNK, 1 << (people - 1).bit_length()))


def solve_xla(task: Task, control: Control | None = None) -> tuple[Floats, list[Failure], dict[str, Any]]:
    """Solve a task with the program compiled by XLA; returns values, failures and a report.

    Raises:
        UnsupportedError: JAX is not installed.
    """
    jax = require_jax()
    control = control or Control(relative=task.relative_tolerance)
    task, failures = settled(task)
    chunk = chunk_for(len(task.rows), task.chunk)
    values, outcome, steps = _run(task, control, chunk)
    report: dict[str, Any] = {
        "method": "rodas5p",
        "device": jax.devices()[0].device_kind,
        "chunk": chunk,
        "steps": int(steps[:, 0].sum()),
        "refused_steps": int(steps[:, 1].sum()),
        "retried": 0,
        "by_reference": 0,
    }
    troubled = np.flatnonzero(outcome)
    if len(troubled):
        report["retried"] = len(troubled)
        rest = task.take(troubled)
        again, second, _ = _run(rest, replace(control, relative=control.relative / 100.0), chunk)
        values[troubled, : again.shape[1]] = again
        if task.end is not None and rest.end is not None:
            task.end.put(troubled, rest.end)
        left = troubled[second != 0]
        report["by_reference"] = len(left)
        why = {int(troubled[i]): REASONS[int(second[i])] for i in np.flatnonzero(second)}
        failures += by_reference(task, values, left, why)
    for failure in failures:
        values[failure.person] = np.nan
        if task.end is not None:
            task.end.states[failure.person] = np.nan
    return values, sorted(failures, key=lambda failure: failure.person), report


def _run(task: Task, control: Control, chunk: int) -> tuple[Floats, Integers, Integers]:
    """Solve the people chunk by chunk: values, outcomes and the steps taken and refused."""
    jax = require_jax()
    people, longest = len(task.rows), task.longest
    values = task.empty()
    outcome, steps = np.zeros(people, dtype=np.int64), np.zeros((people, 2), dtype=np.int64)
    with jax.enable_x64(True):
        program = _program(task.lowered, task.outputs, chunk, control)
        shared = _tables(task)
        for start in range(0, people, chunk):
            own = np.arange(start, min(start + chunk, people))
            filled = np.concatenate([own, np.full(chunk - len(own), own[0])])
            found = program(
                task.rows[filled],
                _chunk_tables(shared, task, filled, len(own)),
                _accuracy(task, control),
                _grown(longest),
                _begin(task, filled),
            )
            values[own] = np.asarray(found["values"])[: len(own), :longest]
            outcome[own] = np.asarray(found["outcome"])[: len(own)]
            steps[own] = np.asarray(found["steps"])[: len(own)]
            if task.end is not None:
                task.end.states[own] = np.asarray(found["states"])[: len(own)]
                task.end.largest[own] = np.asarray(found["largest"])[: len(own)]
                task.end.steps[own] = np.asarray(found["next_steps"])[: len(own)]
            if task.progress is not None:
                task.progress(len(own) + start, people)
    return values, outcome, steps


def compiled_walk(task: Task) -> Any:
    """A function of JAX from parameter rows to (values, who failed), for exactly the people of a task.

    It is called, and its result used, with double precision switched on.
    """
    import jax

    from rekindle.engine.xla_loop import Walk

    people = np.arange(len(task.rows))
    control = Control(relative=task.relative_tolerance)
    walk = Walk(task.lowered, task.outputs, len(people), control)
    tables = _chunk_tables(_tables(task), task, people, len(people))
    accuracy, longest = _accuracy(task, control), task.empty().shape[1]

    def program(rows: Any) -> tuple[Any, Any]:
        lanes = walk(rows, tables, accuracy, longest)
        return lanes.values, lanes.outcome != 0

    return jax.jit(program)


def _program(lowered: Lowered, outputs: Sequence[str], chunk: int, control: Control) -> Any:
    """The compiled walk of a chunk, made once a process."""
    import jax
    import jax.numpy as jnp

    from rekindle.engine.xla_loop import Walk

    key = (lowered.network.digest, tuple(outputs), chunk, replace(control, relative=0.0))
    if key not in _MADE:
        walk = Walk(lowered, outputs, chunk, control)

        def program(rows: Any, tables: Any, accuracy: Any, longest: int, begin: Any) -> dict[str, Any]:
            lanes = walk(rows, tables, accuracy, longest, begin)
            return {
                "values": lanes.values,
                "outcome": lanes.outcome,
                "steps": jnp.stack([lanes.taken, lanes.refused], axis=1),
                "states": lanes.y.T,
                "largest": lanes.scale.T,
                "next_steps": jnp.stack([lanes.proposed, lanes.restart], axis=1),
            }

        _MADE[key] = jax.jit(program, static_argnums=3, compiler_options=_compiler_options())
    return _MADE[key]


@cache
def _compiler_options() -> dict[str, bool]:
    """What to tell XLA on a processor: without its newer fusion emitters it compiles in less than half the time."""
    import jax

    options = {"xla_cpu_use_fusion_emitters": False}
    if jax.default_backend() != "cpu":
        return {}
    try:
        jax.jit(lambda x: x + 1.0, compiler_options=options)(0.0)
    except jax.errors.JaxRuntimeError:  # a version that has no such option
        return {}
    return options


def _accuracy(task: Task, control: Control) -> Any:
    from rekindle.engine.xla_loop import Accuracy

    return Accuracy(
        np.float64(control.relative), np.float64(ROUNDING * float(task.scale.max())), np.asarray(task.scale)
    )


def _begin(task: Task, people: Integers) -> Any:
    from rekindle.engine.xla_loop import Begin

    if task.begin is None:
        return None
    standing = task.begin.take(people)
    return Begin(standing.states, standing.largest, standing.steps)


def _grown(length: int, size: int = 8) -> int:
    """A length from a short list of lengths, not smaller: programs are compiled for lengths."""
    while size < length:
        size = int(size * _SPARE)
    return size


def _padded(table: NDArray[Any]) -> NDArray[Any]:
    spare = _grown(len(table), _SHORTEST_TABLE) - len(table)
    longer = np.concatenate([table, np.zeros(spare, dtype=table.dtype)])
    return longer if longer.dtype == np.float64 else longer.astype(np.int32)


def _tables(task: Task) -> dict[str, NDArray[Any]]:
    """The schedules laid end to end, with room to spare, so that schedules of like lengths share a program."""
    plan = plan_of(task.segments)
    names = ("edges", "first", "last", "kind", "position", "value", "row_begin", "row_end", "times")
    return {name: _padded(getattr(plan, name)) for name in names} | {"edge_of": plan.edge_of, "time_of": plan.time_of}


def _chunk_tables(shared: dict[str, NDArray[Any]], task: Task, people: Integers, alive: int) -> Any:
    """The tables of one chunk; those after the first `alive` people are padding and have no edges."""
    from rekindle.engine.xla_loop import Tables

    which = task.which[people]
    begin, end = shared["edge_of"][which], shared["edge_of"][which + 1]
    end = np.where(np.arange(len(people)) < alive, end, begin)
    rest = {name: table for name, table in shared.items() if name not in ("edge_of", "time_of")}
    own = {"begin": begin, "end": end, "offset": shared["time_of"][which]}
    return Tables(**rest, **{name: places.astype(np.int32) for name, places in own.items()})

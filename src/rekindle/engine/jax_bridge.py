"""Solutions as functions of parameters that JAX can compile, map and differentiate.

`jax_solver` calls the native solver from inside JAX and takes its derivatives from the forward sensitivities, so that
samplers written in JAX (numpyro, blackjax) run on the quick path. `xla_solver` is the same function written in JAX
itself: it runs on a graphics card, and has derivatives forward (`jax.jvp`, `jax.jacfwd`) only.

    solver = jax_solver(lowered, schedule, ["concentration"], ["CL", "V"])
    solver(jnp.array([[8.0, 20.0]]))    # (people, times, outputs)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.backends import solve
from rekindle.engine.lower import Lowered
from rekindle.engine.scale import typical_scale
from rekindle.engine.schedule import Schedule, SteadyState, compile_schedule
from rekindle.engine.sensitivities import solve_sensitivities
from rekindle.engine.task import Task
from rekindle.errors import InputError, UnsupportedError, unknown

Floats = NDArray[np.float64]
Array = Any  # jax.Array

TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class JaxSolver:
    """A function of parameters theta, shape (people, names), to outputs, shape (people, times, outputs).

    `times`, shape (people, times), are hours, NaN where a person has fewer than another; the outputs there are zero,
    so that a sum over the others keeps its derivatives. Outputs of a person who cannot be solved are NaN.
    """

    names: tuple[str, ...]
    outputs: tuple[str, ...]
    times: Floats
    function: Callable[[Array], Array]

    def __call__(self, theta: Array) -> Array:
        """The outputs for these parameters.

        Raises:
            InputError: a wrong shape.
        """
        if getattr(theta, "shape", None) != (len(self.times), len(self.names)):
            raise InputError(
                f"The parameters have shape {getattr(theta, 'shape', None)}, not {(len(self.times), len(self.names))}.",
                hint=f"One row a person, columns {', '.join(self.names)}.",
            )
        return self.function(theta)


@dataclass(frozen=True)
class _Work:
    """What is solved: people's own rows, of which `columns` are replaced by theta, and their schedules."""

    lowered: Lowered
    rows: Floats
    columns: NDArray[np.int64]
    names: tuple[str, ...]
    schedules: tuple[Schedule, ...]
    outputs: tuple[str, ...]
    scale: Floats
    tolerance: float
    threads: int | None

    @property
    def times(self) -> Floats:
        found = np.full((len(self.schedules), max(len(schedule.times) for schedule in self.schedules)), np.nan)
        for person, schedule in enumerate(self.schedules):
            found[person, : len(schedule.times)] = schedule.times
        return found

    def filled(self, theta: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Parameter rows for theta, shape (sets, people, names), set after set, and which of them are numbers."""
        rows = np.tile(self.rows, (len(theta), 1))
        given = np.asarray(theta, dtype=np.float64).reshape(-1, len(self.columns))
        sound = np.asarray(np.isfinite(given).all(axis=1))
        rows[np.ix_(sound, self.columns)] = given[sound]
        return rows, sound

    def solve(self, theta: Floats) -> Floats:
        """The outputs, shape (sets, people, times, outputs)."""
        rows, sound = self.filled(theta)
        found = solve(
            self.lowered, rows, self.schedules * len(theta), self.outputs, relative_tolerance=self.tolerance,
            threads=self.threads, scale=self.scale,
        )  # fmt: skip
        return self._finished(found.values, sound, len(theta))

    def differentiate(self, theta: Floats) -> tuple[Floats, Floats]:
        """The outputs, and their derivatives to theta, shape (sets, people, times, outputs, names)."""
        rows, sound = self.filled(theta)
        found = solve_sensitivities(
            self.lowered, rows, self.schedules * len(theta), self.outputs, self.names,
            relative_tolerance=self.tolerance, threads=self.threads, scale=self.scale,
        )  # fmt: skip
        return self._finished(found.values, sound, len(theta)), self._finished(found.jacobian, sound, len(theta))

    def _finished(self, found: Floats, sound: NDArray[np.bool_], sets: int) -> Floats:
        found[~sound] = np.nan
        shaped = found.reshape(sets, len(self.rows), *found.shape[1:])
        shaped[:, np.isnan(self.times)] = 0.0
        return shaped


def jax_solver(
    lowered: Lowered,
    schedules: Schedule | Sequence[Schedule],
    outputs: Sequence[str],
    names: Sequence[str],
    base_row: NDArray[np.floating[Any]] | None = None,
    *,
    relative_tolerance: float = TOLERANCE,
    threads: int | None = None,
) -> JaxSolver:
    """The native solver as a function that JAX can compile, map and differentiate, forward and backward.

    `names` are the parameters that theta replaces, in order; the others are those of `base_row`, shape (parameters,)
    or (people, parameters), by default the network's own values. There are as many people as schedules (or rows of
    `base_row`). Under `jax.vmap` all sets are solved in one call. Derivatives are the forward sensitivities of
    `rekindle.engine.sensitivities`. Numbers have the precision that JAX is set to; the solver's own is double.

    Raises:
        InputError: unknown outputs or parameters, wrong shapes, a bad schedule.
        UnsupportedError: JAX is not installed, or a schedule has a steady state.
    """
    from rekindle.engine.xla import require_jax

    jax = require_jax()
    work = _work(lowered, schedules, outputs, names, base_row, relative_tolerance, threads)
    shape = (*work.times.shape, len(work.outputs))

    def on_host(function: Callable[[Floats], Any], theta: Array, *shapes: tuple[int, ...]) -> Any:
        return _called(jax, function, theta, shapes)

    def slopes(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
        values, found = on_host(work.differentiate, primals[0], shape, (*shape, len(work.names)))
        return values, jax.numpy.einsum("ptod,pd->pto", found, tangents[0])

    function = jax.custom_jvp(lambda theta: on_host(work.solve, theta, shape)[0])
    function.defjvp(slopes)
    return JaxSolver(work.names, work.outputs, work.times, function)


def _called(jax: Any, function: Callable[[Floats], Any], theta: Array, shapes: Sequence[tuple[int, ...]]) -> Any:
    """The arrays of these shapes that a function of numpy makes of theta (sets, people, names), from inside JAX.

    A double travels as two whole numbers: JAX may call from a thread in which double precision is not switched on,
    and would round it there.
    """
    kind = jax.numpy.zeros(0).dtype
    double = kind == np.float64
    half = np.dtype(np.uint32) if double else kind

    def call(given: Any) -> Any:
        numbers = np.ascontiguousarray(given)
        numbers = numbers.view(np.float64)[..., 0] if double else numbers.astype(np.float64)
        with np.errstate(all="ignore"):  # a sampler may ask for anything
            found = function(numbers.reshape(-1, *numbers.shape[-2:]))
        parts = found if isinstance(found, tuple) else (found,)
        shaped = [np.ascontiguousarray(part).reshape(*numbers.shape[:-2], *part.shape[1:]) for part in parts]
        return tuple(part[..., None].view(half) if double else part.astype(half) for part in shaped)

    wanted = tuple(jax.ShapeDtypeStruct((*shape, 2) if double else shape, half) for shape in shapes)
    given = jax.numpy.asarray(theta, dtype=kind)
    sent = jax.lax.bitcast_convert_type(given, half) if double else given
    found = jax.pure_callback(call, wanted, sent, vmap_method="expand_dims")
    return tuple(jax.lax.bitcast_convert_type(part, kind) for part in found) if double else found


def xla_solver(
    lowered: Lowered,
    schedules: Schedule | Sequence[Schedule],
    outputs: Sequence[str],
    names: Sequence[str],
    base_row: NDArray[np.floating[Any]] | None = None,
    *,
    relative_tolerance: float = TOLERANCE,
) -> JaxSolver:
    """The solver written in JAX as a function of parameters, all people in one chunk; arguments as for `jax_solver`.

    It runs where JAX runs, in double precision whatever JAX is set to, and has derivatives forward (`jax.jvp`,
    `jax.jacfwd`), which are those of the steps taken: step lengths are held. A person who cannot be solved is not
    tried again.

    Raises:
        InputError: unknown outputs or parameters, wrong shapes, a bad schedule.
        UnsupportedError: JAX is not installed, or a schedule has a steady state.
    """
    from rekindle.engine.xla import compiled_walk, require_jax

    jax = require_jax()
    work = _work(lowered, schedules, outputs, names, base_row, relative_tolerance, None)
    segments = tuple(compile_schedule(schedule, lowered) for schedule in work.schedules)
    which = np.arange(len(segments))
    task = Task(lowered, work.rows, segments, which, work.outputs, relative_tolerance, 1, work.scale)
    missing = np.isnan(work.times)[:, :, None]
    with jax.enable_x64(True):
        walk = compiled_walk(task)

    def function(theta: Array) -> Array:
        kind = jax.numpy.zeros(0).dtype
        with jax.enable_x64(True):
            wide = jax.numpy.asarray(theta, dtype=np.float64)
            rows = jax.numpy.asarray(work.rows).at[:, work.columns].set(wide)
            values, failed = walk(rows)
            values = jax.numpy.where(failed[:, None, None], np.nan, values[:, : missing.shape[1]])
            values = jax.numpy.where(missing, 0.0, values)
        return values.astype(kind)

    return JaxSolver(work.names, work.outputs, work.times, function)


def _work(
    lowered: Lowered,
    schedules: Schedule | Sequence[Schedule],
    outputs: Sequence[str],
    names: Sequence[str],
    base_row: NDArray[np.floating[Any]] | None,
    tolerance: float,
    threads: int | None,
) -> _Work:
    lowered.network.require([name for name in outputs if name not in lowered.states])
    for name in names:
        if name not in lowered.parameters:
            raise unknown("parameter", name, lowered.parameters)
    if not names or len(set(names)) != len(names):
        raise InputError("Name at least one parameter, each once.")
    given = (schedules,) if isinstance(schedules, Schedule) else tuple(schedules)
    rows = np.atleast_2d(lowered.defaults if base_row is None else np.asarray(base_row, dtype=np.float64))
    people = max(len(given), len(rows))
    if rows.shape[1:] != (len(lowered.parameters),) or {len(rows), len(given)} - {1, people}:
        raise InputError(
            f"The base rows have shape {rows.shape}.",
            hint=f"(people, {len(lowered.parameters)}), with as many people as schedules, {len(given)}, or one.",
        )
    given = given * (people // len(given))
    for schedule in given:
        if any(isinstance(event, SteadyState) for event in schedule.events):
            raise UnsupportedError("Derivatives through a steady state are not supported ('SteadyState').")
    rows = np.ascontiguousarray(np.broadcast_to(rows, (people, rows.shape[1])))
    scale = typical_scale(lowered, compile_schedule(given[0], lowered), rows[0])
    columns = np.array([lowered.parameters.index(name) for name in names], dtype=np.int64)
    return _Work(lowered, rows, columns, tuple(names), given, tuple(outputs), scale, tolerance, threads)

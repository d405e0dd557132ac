"""One step of Rodas5P in JAX, for all people at once, each with a step length of their own.

The eight stages are one compiled body that is run eight times: written out, they take XLA minutes to compile. What
differs between stages, the sums over earlier ones, is chosen by number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from rekindle.engine.lower import Lowered
from rekindle.engine.rosenbrock import STAGES, A, C, H
from rekindle.engine.xla_emit import Array, Matrix, run_program

HUGE = 1e300  # a state beyond this counts as not finite
_LAST_FULL = 5  # the seventh and eighth stage start one stage's solution beyond the one before


class Step:
    """A step of one network: states, parameters' expressions, infusions and step lengths in, new states out."""

    def __init__(self, lowered: Lowered, people: int, *, dense: bool | None = None) -> None:
        self.lowered, self.people = lowered, people
        self.matrix = Matrix(lowered, people, dense)

    def __call__(self, y: Array, q: Array, into: Array, h: Array) -> tuple[Array, Array]:
        """The new states, shape (states, people), and the stages, shape (8, states, people).

        The last stage is the error estimate.
        """
        barrier = jax.lax.optimization_barrier
        factors = barrier(self.matrix.factor(y, q, h))
        places = [_place(s) for s in range(STAGES)]
        pasts = [_past(s) for s in range(STAGES)]

        def stage(carried: tuple[Array, Array], s: Array) -> tuple[tuple[Array, Array], None]:
            stages, z = carried
            z = barrier(jax.lax.switch(s, places, stages, z, y))
            rates = barrier(run_program(self.lowered.rates, {"y": z, "q": q}, self.people) + into)
            right = barrier(jax.lax.switch(s, pasts, stages, rates, 1.0 / h))
            solved = self.matrix.solve(factors, right)
            return (jax.lax.dynamic_update_index_in_dim(stages, solved, s, 0), z), None

        begun = (jnp.zeros((STAGES, *y.shape)), y)
        (stages, z), _ = jax.lax.scan(stage, begun, jnp.arange(STAGES, dtype=np.int32))
        return z + stages[-1], stages


def _sum(weights: Sequence[float], stages: Array) -> Array:
    return sum(weight * stages[j] for j, weight in enumerate(weights))


def _place(s: int) -> Callable[[Array, Array, Array], Array]:
    """Where stage s looks at the rates."""
    if s == 0:
        return lambda stages, z, y: y
    if s > _LAST_FULL:
        return lambda stages, z, y: z + stages[s - 1]
    return lambda stages, z, y: y + _sum(A[s], stages)


def _past(s: int) -> Callable[[Array, Array, Array], Array]:
    """The right-hand side of stage s."""
    if s == 0:
        return lambda stages, rates, inverse: rates
    return lambda stages, rates, inverse: rates + inverse * _sum(C[s], stages)


def weighted_error(
    y: Array, y_new: Array, last: Array, scale: Array, relative: Array, floor: float, smallest: Array
) -> Array:
    """The largest error of each person against its tolerance, shape (people,); NaN when a state is not finite.

    `scale` has shape (states, people); `smallest` is the absolute tolerance below which all is noise.
    """
    size = jnp.maximum(jnp.abs(y), jnp.abs(y_new))
    ratio = jnp.abs(last) / (relative * (floor * scale + size) + smallest)
    return jnp.max(jnp.where(size < HUGE, ratio, jnp.nan), axis=0)


def between(y: Array, y_new: Array, stages: Array, theta: Array, wanted: Sequence[int]) -> Array:
    """The states at the fraction theta of a step, shape (states, people); states that are not wanted are old.

    `theta` has shape (people,).
    """
    if not wanted:
        return y
    rows = np.array(wanted, dtype=np.int64)
    old, new, parts = y[rows], y_new[rows], stages[:, rows]
    first, second, third = (_sum(weights, parts) for weights in H)
    bend = first + theta * (second + theta * third)
    shown = (1.0 - theta) * old + theta * (new + (1.0 - theta) * bend)
    shown = jnp.where(theta >= 1.0, new, shown)
    return shown if len(rows) == y.shape[0] else y.at[rows].set(shown)

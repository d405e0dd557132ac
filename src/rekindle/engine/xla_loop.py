"""The loops around the step: every person of a chunk walks through their own schedule, all in one compiled program.

Each has a clock, a step length and a place in the schedule of their own, as in the native solver, and the same rules
decide on steps. People step together until somebody reaches an edge of their schedule; then what happens there is
done, one action after the other, and stepping goes on. Step lengths carry no derivative, so a derivative is that of
the steps taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from rekindle.engine.lower import Lowered
from rekindle.engine.rosenbrock import Control
from rekindle.engine.schedule import BASE, INPUT, JUMP, LOAD, LOOK, RATE, RESET
from rekindle.engine.xla_emit import Array, run_program
from rekindle.engine.xla_step import Step, between, weighted_error

WHOLE = np.int32  # whole numbers: inside a caller's single precision longer ones cannot be lowered
DONE, TOO_MANY_STEPS, STEP_TOO_SMALL, NOT_FINITE = 0, 1, 2, 3
RESTING = 1e-6  # the step of somebody who is done, whose result nobody looks at
_NEARLY = 1e-12


class Tables(NamedTuple):
    """Schedules laid end to end, see `rekindle.engine.memory.Plan`; `begin`, `end` and `offset` are each person's.

    Tables may be longer than what is in them.
    """

    edges: Array
    first: Array
    last: Array
    kind: Array
    position: Array
    value: Array
    row_begin: Array
    row_end: Array
    times: Array
    begin: Array
    end: Array
    offset: Array


class Lanes(NamedTuple):
    """The people of a chunk under way; the last axis is the people, but the first of `values`."""

    y: Array
    into: Array
    base: Array
    extra: Array
    q: Array
    scale: Array
    edge: Array
    clock: Array
    proposed: Array
    restart: Array
    fresh: Array
    row: Array
    alive: Array
    arrived: Array
    outcome: Array
    taken: Array
    refused: Array
    values: Array


class Accuracy(NamedTuple):
    """The relative tolerance, the absolute one below which all is noise, and the states' typical sizes (states,)."""

    relative: Array
    smallest: Array
    scale: Array


class Begin(NamedTuple):
    """`rekindle.engine.task.Standing` of people who go on, arrays with the people first."""

    states: Array
    largest: Array
    steps: Array


class Walk:
    """The compiled walk of `people` people through their schedules, for one network and chosen outputs."""

    def __init__(
        self, lowered: Lowered, outputs: Sequence[str], people: int, control: Control, *, dense: bool | None = None
    ) -> None:
        self.lowered, self.people, self.control = lowered, people, control
        self.step = Step(lowered, people, dense=dense)
        self.observed = lowered.observe(outputs)
        self.outputs = len(outputs)
        self.needed = sorted(position for array, position in self.observed.inputs.values() if array == "y")

    def __call__(
        self, rows: Array, tables: Tables, accuracy: Accuracy, longest: int, begin: Begin | None = None
    ) -> Lanes:
        """All people at their ends; `rows` has shape (people, parameters).

        `values` of the result has shape (people, longest, outputs), NaN where nothing was looked at.
        """
        lanes = self._begun(rows, tables, accuracy.scale, longest)

        def walk(now: Lanes) -> Lanes:
            after: Lanes = jax.lax.while_loop(
                lambda now: jnp.any(now.alive) & ~jnp.any(now.arrived),
                lambda now: self._advance(now, tables, accuracy),
                self._happen(now, tables),
            )
            return after

        lanes = lanes if begin is None else _resumed(lanes, begin)
        done: Lanes = jax.lax.while_loop(lambda now: jnp.any(now.alive), walk, lanes)
        return done

    def _begun(self, rows: Array, tables: Tables, scale: Array, longest: int) -> Lanes:
        people, control = self.people, self.control
        y, derived = self._start(rows.T)
        base = jnp.concatenate([rows.T, derived])
        none = jnp.zeros(people, dtype=WHOLE)
        alive = tables.end > tables.begin
        return Lanes(
            y=y,
            into=jnp.zeros_like(y),
            base=base,
            extra=jnp.zeros_like(base),
            q=self._prepared(base),
            scale=jnp.maximum(scale[:, None], jax.lax.stop_gradient(jnp.abs(y))),
            edge=tables.begin,
            clock=jnp.zeros(people),
            proposed=jnp.full(people, control.first),
            restart=jnp.full(people, control.first),
            fresh=jnp.ones(people, dtype=bool),
            row=none,
            alive=alive,
            arrived=alive,
            outcome=none,
            taken=none,
            refused=none,
            values=jnp.full((people, longest, self.outputs), jnp.nan),
        )

    def _start(self, free: Array) -> tuple[Array, Array]:
        start = run_program(self.lowered.initial, {"p": free}, self.people)
        return start[: len(self.lowered.states)], start[len(self.lowered.states) :]

    def _prepared(self, row: Array) -> Array:
        return run_program(self.lowered.prepare, {"p": row}, self.people)

    def _advance(self, lanes: Lanes, tables: Tables, accuracy: Accuracy) -> Lanes:
        """One step of everybody who is still under way, and the rows within it."""
        control = self.control
        left = _at(tables.edges, lanes.edge + 1) - _at(tables.edges, lanes.edge) - lanes.clock
        ending = lanes.proposed >= 0.99 * left
        h = jnp.where(ending, left, jnp.minimum(lanes.proposed, 0.5 * left))
        h = jax.lax.stop_gradient(jnp.where(lanes.alive, h, RESTING))
        y_new, stages = self.step(lanes.y, lanes.q, lanes.into, h)
        error = jax.lax.stop_gradient(
            weighted_error(lanes.y, y_new, stages[-1], lanes.scale, accuracy.relative, control.floor, accuracy.smallest)
        )
        accepted, undefined = error <= 1.0, jnp.isnan(error)
        factor = jnp.clip(control.safety * jnp.exp(-0.2 * jnp.log(error + _NEARLY)), control.shrink, control.grow)
        factor = jnp.where(undefined, 0.1, factor)
        # A step cut short by the end of its segment does not shorten the next one.
        follow = ~accepted | ~ending | (factor < 1.0) | (h * factor > lanes.proposed)
        proposed = jnp.where(follow, h * factor, lanes.proposed)
        learnt = lanes.alive & accepted & lanes.fresh
        counted = lanes.alive.astype(WHOLE)
        taken, refused = lanes.taken + counted * accepted, lanes.refused + counted * ~accepted
        allowed = control.limit + 100 * (tables.end - tables.begin)
        trouble = jnp.where(taken + refused > allowed, TOO_MANY_STEPS, DONE)
        trouble = jnp.where(proposed < control.smallest, jnp.where(undefined, NOT_FINITE, STEP_TOO_SMALL), trouble)
        trouble = jnp.where(lanes.alive, trouble, DONE)
        moved = lanes.alive & accepted & (trouble == DONE)
        row, values = self._rows_within(lanes, tables, moved, ending, h, y_new, stages)
        return lanes._replace(
            y=jnp.where(moved, y_new, lanes.y),
            scale=jnp.where(moved, jnp.maximum(lanes.scale, jax.lax.stop_gradient(jnp.abs(y_new))), lanes.scale),
            edge=lanes.edge + (moved & ending),
            clock=jnp.where(moved, jnp.where(ending, 0.0, lanes.clock + h), lanes.clock),
            proposed=jnp.where(lanes.alive, proposed, lanes.proposed),
            restart=jnp.where(learnt, h * jnp.clip(factor, 0.5, 2.0), lanes.restart),
            fresh=lanes.fresh & ~accepted,
            row=row,
            alive=lanes.alive & (trouble == DONE),
            arrived=moved & ending,
            outcome=jnp.where(trouble == DONE, lanes.outcome, trouble.astype(WHOLE)),
            taken=taken,
            refused=refused,
            values=values,
        )

    def _rows_within(
        self, lanes: Lanes, tables: Tables, moved: Array, ending: Array, h: Array, y_new: Array, stages: Array
    ) -> tuple[Array, Array]:
        """Write the output rows that lie within the steps just made; returns the next rows and the values."""
        begun = _at(tables.edges, lanes.edge) + lanes.clock
        last = _at(tables.row_end, lanes.edge)

        def due(row: Array) -> tuple[Array, Array]:
            theta = (_at(tables.times, tables.offset + row) - begun) / h
            return moved & (row < last) & (ending | (theta <= 1.0 + _NEARLY)), theta

        def write(carried: tuple[Array, Array]) -> tuple[Array, Array]:
            row, values = carried
            now, theta = due(row)
            theta = jnp.where(theta > 1.0 - _NEARLY, 1.0, jnp.maximum(theta, 0.0))
            shown = between(lanes.y, y_new, stages, theta, self.needed)
            return row + now, self._looked(values, lanes, shown, row, now)

        following, values = jax.lax.while_loop(
            lambda carried: jnp.any(due(carried[0])[0]), write, (lanes.row, lanes.values)
        )
        return following, values

    def _looked(self, values: Array, lanes: Lanes, y: Array, row: Array, now: Array) -> Array:
        """The values with these rows written for the people who look now."""
        arrays = {"y": y, "q": lanes.q, "p": lanes.base + lanes.extra}
        shown = run_program(self.observed, arrays, self.people)
        place = jnp.where(now, row, values.shape[1])
        people = jnp.arange(self.people, dtype=WHOLE)
        return values.at[people, place].set(shown.T, mode="drop", unique_indices=True)

    def _happen(self, lanes: Lanes, tables: Tables) -> Lanes:
        """What happens to everybody who has arrived at an edge, in order; then they go on or are done."""
        if self.lowered.time_state is not None:
            clock = _at(tables.edges, lanes.edge)
            time = lanes.y[self.lowered.time_state]
            lanes = lanes._replace(y=lanes.y.at[self.lowered.time_state].set(jnp.where(lanes.arrived, clock, time)))
        last = jnp.where(lanes.arrived, _at(tables.last, lanes.edge), 0)
        first = jnp.where(lanes.arrived, _at(tables.first, lanes.edge), 0)

        def act(carried: tuple[Lanes, Array, Array]) -> tuple[Lanes, Array, Array]:
            now, action, changed = carried
            waiting = action < last
            kind = jnp.where(waiting, _at(tables.kind, action), -1)
            done = self._act(now, tables, kind, _at(tables.position, action), _at(tables.value, action))
            return done, action + waiting, changed | (waiting & (kind != LOOK))

        nothing = jnp.zeros(self.people, dtype=bool)
        lanes, _, changed = jax.lax.while_loop(lambda carried: jnp.any(carried[1] < last), act, (lanes, first, nothing))
        over = lanes.arrived & (lanes.edge + 1 >= tables.end)
        size = jax.lax.stop_gradient(jnp.abs(lanes.y))
        return lanes._replace(
            scale=jnp.where(changed, jnp.maximum(lanes.scale, size), lanes.scale),
            proposed=jnp.where(changed, jnp.minimum(lanes.proposed, lanes.restart), lanes.proposed),
            fresh=lanes.fresh | changed,
            row=jnp.where(lanes.arrived, _at(tables.row_begin, lanes.edge), lanes.row),
            alive=lanes.alive & ~over,
            arrived=nothing,
        )

    def _act(self, lanes: Lanes, tables: Tables, kind: Array, position: Array, value: Array) -> Lanes:
        """One action of each person; kind -1 is none."""
        state = jnp.arange(lanes.y.shape[0], dtype=WHOLE)[:, None] == position
        parameter = jnp.arange(lanes.base.shape[0], dtype=WHOLE)[:, None] == position
        y = jnp.where(state & (kind == JUMP), lanes.y + value, lanes.y)
        y = jnp.where(state & (kind == LOAD), value, y)
        start, _ = self._start(lanes.base[: len(self.lowered.parameters)])
        if self.lowered.time_state is not None:
            start = start.at[self.lowered.time_state].set(_at(tables.edges, lanes.edge))
        lanes = lanes._replace(
            y=jnp.where(kind == RESET, start, y),
            into=jnp.where(state & (kind == RATE), value, lanes.into),
            base=jnp.where(parameter & (kind == BASE), value, lanes.base),
            extra=jnp.where(parameter & (kind == INPUT), value, lanes.extra),
        )
        settled, look = (kind == BASE) | (kind == INPUT), kind == LOOK
        lanes = lanes._replace(q=_once(jnp.any(settled), lambda _: self._prepared(lanes.base + lanes.extra), lanes.q))
        written = _once(
            jnp.any(look), lambda values: self._looked(values, lanes, lanes.y, position, look), lanes.values
        )
        return lanes._replace(values=written)


def _resumed(lanes: Lanes, begin: Begin) -> Lanes:
    """People where they stood; a step of 0 is none."""
    y, known = begin.states.T, begin.steps[:, 0] > 0.0
    size = jax.lax.stop_gradient(jnp.maximum(begin.largest.T, jnp.abs(y)))
    return lanes._replace(
        y=y,
        scale=jnp.maximum(lanes.scale, size),
        proposed=jnp.where(known, begin.steps[:, 0], lanes.proposed),
        restart=jnp.where(known, begin.steps[:, 1], lanes.restart),
        fresh=lanes.fresh & ~known,
    )


def _at(table: Array, index: Array) -> Array:
    return jnp.take(table, index, mode="clip")


def _once(condition: Array, function: Any, value: Array) -> Array:
    """The function of a value where the condition holds, else the value: a loop of one turn, made in place."""
    _, result = jax.lax.while_loop(
        lambda carried: carried[0],
        lambda carried: (jnp.zeros((), dtype=bool), function(carried[1])),
        (condition, value),
    )
    return result

"""diffrax (JAX): an implicit Runge-Kutta method on the same equations, people side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.bench.peers import Setting, installed, sizes
from rekindle.bench.work import Work
from rekindle.engine.kernels import Observer, kernels_of

Floats = NDArray[np.float64]


class Diffrax:
    """Kvaerno3 with its own Newton iteration and step control, from change to change of a person's schedule."""

    name, method = "diffrax", "Kvaerno3, people side by side"
    grid = (Setting(2e-5), Setting(1e-5))
    checked, people = 8, 8

    def version(self) -> str | None:
        """diffrax's version."""
        return installed("diffrax", "diffrax")

    def prepare(self, work: Work) -> None:
        """Lay out stretches between changes, and compile."""
        import jax

        jax.config.update("jax_enable_x64", True)
        self.work, self.scale = work, sizes(work)
        self.kernels = kernels_of(work.lowered)
        self.observer = Observer(work.lowered, work.outputs)
        self.longest = max(int(np.diff(s.rows, axis=1).max()) for s in work.segments)
        self.stretches = max(len(s.edges) - 1 for s in work.segments)
        self.solver = jax.jit(jax.vmap(self._person, in_axes=(0, 0, 0, 0, None)))
        self.solve(range(self.people), self.grid[0])

    def _person(self, start: Any, spans: Any, looks: Any, settled: Any, tolerance: Any) -> Any:
        """One person's states at every look, shape (stretches, looks, states)."""
        import diffrax
        import jax
        import jax.numpy as jnp

        from rekindle.engine.xla_emit import run_program

        rates = self.work.lowered.rates

        def right(t: Any, y: Any, q: Any) -> Any:
            return run_program(rates, {"y": y[:, None], "q": q[:, None]}, 1)[:, 0]

        control = diffrax.PIDController(rtol=tolerance[0], atol=tolerance[1] * jnp.asarray(self.scale))

        def stretch(y: Any, given: Any) -> Any:
            span, look, q = given
            found = diffrax.diffeqsolve(
                diffrax.ODETerm(right), diffrax.Kvaerno3(), 0.0, span, jnp.minimum(0.02, span), y, args=q,
                saveat=diffrax.SaveAt(ts=look), stepsize_controller=control, max_steps=20_000,
            )  # fmt: skip
            return found.ys[-1], found.ys

        return jax.lax.scan(stretch, start, (spans, looks, settled))[1]

    def solve(self, people: range, setting: Setting) -> Floats:
        """All at once; people beyond those compiled for are taken in turns."""
        found = []
        for begin in range(0, len(people), self.people):
            own = [people[min(begin + k, len(people) - 1)] for k in range(self.people)]
            found.append(self._together(own, setting)[: len(people) - begin])
        return np.concatenate(found)

    def _together(self, people: list[int], setting: Setting) -> Floats:
        work, prepared = self.work, max(1, len(self.work.lowered.prepared))
        count, longest = len(people), self.longest + 1
        spans = np.full((count, self.stretches), 1e-6)
        looks = np.full((count, self.stretches, longest), 1e-6)
        settled = np.zeros((count, self.stretches, prepared))
        starts, rows = np.empty((count, len(work.lowered.states))), []
        for i, person in enumerate(people):
            segments = work.segments[person]
            starts[i], base = self.kernels.start(work.rows[person])
            extra = np.zeros_like(base)
            for k in range(len(segments.edges) - 1):
                for a in range(segments.first[k], segments.first[k + 1]):
                    extra[segments.position[a]] = segments.value[a]
                spans[i, k] = segments.edges[k + 1] - segments.edges[k]
                begin, end = segments.rows[k]
                looks[i, k] = spans[i, k]
                looks[i, k, : end - begin] = np.clip(segments.times[begin:end] - segments.edges[k], 0.0, spans[i, k])
                settled[i, k] = self.kernels.prepare(base + extra)
                rows += [(i, k, row - begin, row) for row in range(begin, end)]
            for k in range(len(segments.edges) - 1, self.stretches):
                settled[i, k] = settled[i, len(segments.edges) - 2]
        tolerance = np.array([setting.relative, setting.relative * setting.share])
        states = np.asarray(self.solver(starts, spans, looks, settled, tolerance))
        found = np.empty((count, len(work.times), len(work.outputs)))
        for i, k, look, row in rows:
            full = self.kernels.start(work.rows[people[i]])[1]
            found[i, row] = self.observer(np.ascontiguousarray(states[i, k, look]), settled[i, k], full)
        return found

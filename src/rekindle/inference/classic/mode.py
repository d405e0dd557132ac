"""The most likely person: the mode of the posterior of one person's effects, and its curvature there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import SolverError
from rekindle.inference.classic.measured import terms
from rekindle.inference.classic.population import Array, Method
from rekindle.inference.classic.subject import Subject

CURVE_STEP = 1e-3
"""Step of the difference of exact gradients that gives the observed curvature, in prior standard deviations."""


@dataclass(frozen=True)
class Mode:
    """The mode in units of the effects, and two covariances of them.

    `observed` is the inverse of the curvature at the mode (Laplace), `expected` that with the expected curvature of the
    likelihood, as NONMEM's conditional first-order method has it. `gradient` is the largest slope left, for effects in
    prior standard deviations.
    """

    effects: Array
    objective: float
    expected: Array
    observed: Array
    gradient: float


class Posterior:
    """Minus log posterior of a person's effects, up to a constant of the prior, in whitened effects u = L^-1 effect."""

    def __init__(self, subject: Subject, method: Method) -> None:
        self.subject = subject
        self.method = method
        self.root = np.asarray(np.linalg.cholesky(subject.prior), dtype=np.float64)

    def effects(self, whitened: Array) -> Array:
        """Effects of whitened ones, shape (..., size)."""
        return np.asarray(whitened @ self.root.T)

    def whitened(self, effects: Array) -> Array:
        """Whitened effects, shape (..., size)."""
        return np.asarray(np.linalg.solve(self.root, effects.T).T)

    def objectives(self, whitened: Array) -> Array:
        """Minus log posterior of many candidates, shape (candidates,); infinite where one cannot be solved."""
        predicted = self.subject.predictions(self.effects(whitened))
        total = 0.5 * np.square(whitened).sum(axis=1)
        with np.errstate(all="ignore"):
            for measured in self.subject.measurements:
                each = terms(measured, predicted[:, measured.rows, measured.column], self.method)[0]
                total = total + each.sum(axis=1)
        return np.where(np.isfinite(total), total, np.inf)

    def derivatives(self, whitened: Array) -> tuple[float, Array, Array]:
        """Minus log posterior, its gradient and the expected curvature, to whitened effects.

        Raises:
            SolverError: the person cannot be solved there.
        """
        predicted, jacobian = self.subject.sensitivities(self.effects(whitened))
        jacobian = jacobian @ self.root
        total = 0.5 * float(whitened @ whitened)
        gradient, curve = whitened.copy(), np.eye(len(whitened))
        with np.errstate(all="ignore"):
            for measured in self.subject.measurements:
                rows = jacobian[measured.rows, measured.column]
                each, first, second = terms(measured, predicted[measured.rows, measured.column], self.method)
                total += float(each.sum())
                gradient += first @ rows
                curve += (rows * second[:, None]).T @ rows
        if not (np.isfinite(total) and np.isfinite(gradient).all() and np.isfinite(curve).all()):
            raise SolverError(f"Person {self.subject.person}: no finite likelihood at these effects.")
        return total, gradient, curve


def find_mode(posterior: Posterior, start: Array | None = None) -> Mode:
    """The most likely effects, by a trust-region search with exact gradients.

    Without a `start` the search begins at the typical person; when it ends on a slope it begins again elsewhere.

    Raises:
        SolverError: no search ends at a mode.
    """
    size = posterior.subject.size
    first = np.zeros(size) if start is None else posterior.whitened(start)
    best: tuple[float, Array] | None = None
    for shift in (0.0, 0.5, -0.5):
        found = _searched(posterior, first + shift)
        if found is not None and (best is None or found[0] < best[0] - 1e-9):
            best = found
        if best is not None and shift == 0.0:
            break
    if best is None:
        raise SolverError(f"Person {posterior.subject.person}: the search for the most likely effects does not end.")
    whitened = best[1]
    total, gradient, expected = posterior.derivatives(whitened)
    observed = _curvature(posterior, whitened)
    if np.linalg.eigvalsh(observed)[0] <= 0.0:
        observed = expected
    root = posterior.root
    return Mode(
        posterior.effects(whitened), total, root @ np.linalg.inv(expected) @ root.T,
        root @ np.linalg.inv(observed) @ root.T, float(np.abs(gradient).max(initial=0.0)),
    )  # fmt: skip


def _searched(posterior: Posterior, start: Array) -> tuple[float, Array] | None:
    """A minimum from a start, or None."""
    from scipy.optimize import minimize

    kept: dict[bytes, tuple[float, Array, Array]] = {}

    def at(point: NDArray[np.float64]) -> tuple[float, Array, Array]:
        key = point.tobytes()
        if key not in kept:
            try:
                kept[key] = posterior.derivatives(point)
            except SolverError:
                kept[key] = (np.inf, np.zeros_like(point), np.eye(len(point)))
        return kept[key]

    if len(start) == 0:
        return posterior.derivatives(start)[0], start
    if not np.isfinite(at(start)[0]):
        return None
    with np.errstate(all="ignore"):
        found = minimize(
            lambda x: at(x)[0], start, method="trust-exact", jac=lambda x: at(x)[1], hess=lambda x: at(x)[2],
            options={"gtol": 1e-6, "maxiter": 200, "initial_trust_radius": 0.5, "max_trust_radius": 4.0},
        )  # fmt: skip
    point = np.asarray(found.x, dtype=np.float64)
    value, gradient, _ = at(point)
    return (value, point) if np.isfinite(value) and np.abs(gradient).max() < 1e-3 else None


def _curvature(posterior: Posterior, whitened: Array) -> Array:
    """Second derivatives at a point by differences of the gradient."""
    rows = []
    for number in range(len(whitened)):
        step = np.zeros(len(whitened))
        step[number] = CURVE_STEP
        up, down = posterior.derivatives(whitened + step)[1], posterior.derivatives(whitened - step)[1]
        rows.append((up - down) / (2.0 * CURVE_STEP))
    matrix = np.array(rows).reshape(len(whitened), len(whitened))
    return np.asarray(0.5 * (matrix + matrix.T))

"""Each published number as a smooth function of the shared parameters, learned from the bank, with its error.

A quadratic in the shares and, for the few that matter most, in their squares too, fitted by ridge regression in which a
coefficient may be as large as the linear fits of its parameter say, those of all numbers of a trial together (adaptive
ridge); how much of it is linear and how much it is shrunk is chosen by leaving rows out one by one, which has a closed
form (PRESS; Allen 1974, doi:10.1080/00401706.1974.10489157). The error is that of a fivefold cross-validation of the
whole procedure. It holds what the people of a row were lucky with, what the parameters that are not estimated do, and
what the polynomial misses; the first averages out over rows and is taken off again, measured by simulating one set with
several groups of people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.streams import generator

Array = NDArray[np.float64]

FOLDS = 5
SHARES_OF_SQUARES = (0.0, 0.1, 0.5)
SHRINKAGES = np.geomspace(1e-4, 1e3, 24)
LEAST_RELEVANCE = 0.1
LEAST_ERROR = 0.1
"""The error that stays when the luck of people is taken off, as a share of the cross-validated one."""


@dataclass(frozen=True)
class Emulator:
    """Numbers as `intercept + linear s + c' quadratic c` of shares s, with errors of the description.

    c are the shares at the places `curved`, then the squares of those of them at the places `steep` (so that in these
    a number is a polynomial of the fourth degree). Shapes: `intercept`, `error`, `total_error`, `explained` and
    `leverage` (targets,), `linear` (targets, parameters), `quadratic` (targets, c, c), `residuals` (rows, targets): out
    of fold. `error` is that of the expected number, `total_error` that of one simulated row; `explained` is the share
    of the rows' variance and `leverage` the mean leverage of a row, coefficients spent over rows.
    """

    intercept: Array
    linear: Array
    quadratic: Array
    curved: NDArray[np.int64]
    steep: NDArray[np.int64]
    error: Array
    total_error: Array
    explained: Array
    leverage: Array
    residuals: Array

    def predict(self, shares: Array) -> Array:
        """Expected numbers, shape (sets, targets), at shares (sets, parameters)."""
        bent = bends(shares[:, self.curved], self.steep)
        return np.asarray(
            self.intercept
            + shares @ self.linear.T
            + np.einsum("si,mij,sj->sm", bent, self.quadratic, bent, optimize=True)
        )

    def slope(self, shares: Array) -> Array:
        """Rise of each number per unit of each share at one set of shares (parameters,): (targets, parameters)."""
        found = self.linear.copy()
        found[:, self.curved] += bent_slopes(self.quadratic, shares[self.curved], self.steep)
        return found


def bends(bent: Any, steep: NDArray[np.int64]) -> Any:
    """Shares (..., curved) with the squares of those at the places `steep` after them; NumPy or JAX arrays alike."""
    if not len(steep):
        return bent
    squares = bent[..., steep] ** 2
    if isinstance(bent, np.ndarray):
        return np.concatenate([bent, squares], axis=-1)
    import jax.numpy as jnp

    return jnp.concatenate([bent, squares], axis=-1)


def bent_slopes(quadratic: Any, bent: Any, steep: NDArray[np.int64]) -> Any:
    """Rise of c' quadratic c per unit of each curved share at `bent` (curved,): shape (targets, curved)."""
    whole = 2.0 * quadratic @ bends(bent, steep)
    own = whole[:, : len(bent)]
    if not len(steep):
        return own
    chained = 2.0 * bent[steep] * whole[:, len(bent) :]
    if isinstance(own, np.ndarray):
        found = own.copy()
        found[:, steep] += chained
        return found
    return own.at[:, steep].add(chained)


@dataclass(frozen=True)
class CrossValidated:
    """The emulator of all rows, and those that each left a fold of rows out; `fold` has one number a row."""

    emulator: Emulator
    without: tuple[Emulator, ...]
    fold: NDArray[np.int64]


def fit(
    shares: Array,
    expected: Array,
    *,
    seed: int,
    luck: Array | None = None,
    groups: Sequence[Sequence[int]] | None = None,
    curved: NDArray[np.int64] | None = None,
    steep: NDArray[np.int64] | None = None,
    judged_on: NDArray[np.bool_] | None = None,
    weights: Array | None = None,
) -> CrossValidated:
    """Emulators of the expected numbers (rows, targets) at shares (rows, parameters).

    `luck` is the standard deviation that the choice of people alone gives a row's numbers, shape (targets,);
    `groups` are targets (of one trial) that the same parameters move, each alone by default; `curved` are the places of
    parameters with which numbers may bend (all by default), `steep` the places among them of those with which they may
    bend more than a square does (none by default), `judged_on` marks the rows whose errors count: all by default.
    `weights` (rows,) says how much each row counts in the fits, alike by default: a polynomial that need not bend to
    far rows is truer to the near ones.
    """
    rows = len(shares)
    counted = np.ones(rows) if weights is None else weights
    alike = [[place] for place in range(expected.shape[1])] if groups is None else groups
    bent = np.arange(shares.shape[1]) if curved is None else curved
    sharp = np.array([], dtype=np.int64) if steep is None else steep
    fold = np.asarray(generator(seed, "emulator", "folds").permutation(rows) % FOLDS, dtype=np.int64)
    parts = [
        _fitted(shares[fold != each], expected[fold != each], alike, bent, sharp, counted[fold != each])
        for each in range(FOLDS)
    ]
    predicted = np.empty_like(expected)
    for each, part in enumerate(parts):
        predicted[fold == each] = part.predict(shares[fold == each])
    judged = slice(None) if judged_on is None else judged_on
    residuals = (expected - predicted)[judged]
    total = np.sqrt(np.mean(residuals**2, axis=0))
    spread = np.maximum(np.var(expected[judged], axis=0), 1e-300)
    chance = np.zeros_like(total) if luck is None else luck
    whole = _fitted(shares, expected, alike, bent, sharp, counted)
    least = np.maximum((LEAST_ERROR * total) ** 2, whole.leverage * np.minimum(chance, total) ** 2)
    error = np.sqrt(np.maximum(total**2 - chance**2, least))
    facts = {
        "error": error,
        "total_error": total,
        "explained": np.maximum(1.0 - total**2 / spread, 0.0),
        "residuals": residuals,
    }
    return CrossValidated(replace(whole, **facts), tuple(replace(part, **facts) for part in parts), fold)


def foretold_error(
    shares: Array,
    expected: Array,
    weights: Array,
    judged_on: NDArray[np.bool_],
    *,
    groups: Sequence[Sequence[int]],
    curved: NDArray[np.int64],
    steep: NDArray[np.int64],
) -> float:
    """How well rows are foretold by fits without them (in closed form), when rows count by `weights`: the mean over
    numbers of the logarithm of the mean square error at the rows `judged_on`. The other arguments as in `fit`."""
    left_out = np.empty(expected.shape)
    _fitted(shares, expected, groups, curved, steep, weights, left_out)
    return float(np.mean(np.log(np.maximum(np.mean(left_out[judged_on] ** 2, axis=0), 1e-300))))


def _fitted(
    shares: Array,
    expected: Array,
    groups: Sequence[Sequence[int]],
    curved: NDArray[np.int64],
    steep: NDArray[np.int64],
    counted: Array,
    left_out: Array | None = None,
) -> Emulator:
    """The polynomial of weighted rows; `left_out` (rows, targets) is filled with the errors of fits without each."""
    width = shares.shape[1]
    count = expected.shape[1]
    middle = np.average(shares, axis=0, weights=counted)
    level = np.average(expected, axis=0, weights=counted)
    x = shares - middle
    bent = bends(shares[:, curved], steep)
    y = expected - level
    root = np.sqrt(counted)
    values, vectors = np.linalg.eigh((x @ x.T) * np.outer(root, root))
    intercept = np.zeros(count)
    linear = np.zeros((count, width))
    quadratic = np.zeros((count, bent.shape[1], bent.shape[1]))
    leverage = np.full(count, 1.0 / len(shares))
    for group in groups:
        spread = np.maximum(np.sqrt(np.average(y[:, group] ** 2, axis=0, weights=counted)), 1e-12)
        slopes = [
            x.T @ _solved(values, vectors, y[:, place], root).weights / size
            for place, size in zip(group, spread, strict=True)
        ]
        relevance = np.sqrt(np.mean(np.square(slopes), axis=0))
        if relevance.max() > 1e-9:
            scaled = np.maximum(relevance / relevance.max(), LEAST_RELEVANCE)
            own = np.concatenate([scaled[curved], scaled[curved][steep]])
            fits = _best_quadratics(x, bent, y[:, group], scaled, own, root)
            for place, found in zip(group, fits, strict=True):
                intercept[place], linear[place], quadratic[place], leverage[place], missed = found
                if left_out is not None:
                    left_out[:, place] = missed
        elif left_out is not None:
            left_out[:, group] = y[:, group]
    # Back from shares around their mean to shares as they are.
    intercept += level - linear @ middle
    empty = np.zeros(count)
    return Emulator(intercept, linear, quadratic, curved, steep, empty, empty, empty, leverage, np.zeros((0, count)))


@dataclass(frozen=True)
class _Ridge:
    """Weights of the rows, the leave-one-out mean square error, the mean leverage, and the leave-one-out errors."""

    weights: Array
    press: float
    leverage: float
    missed: Array


def _best_quadratics(
    x: Array, bent: Array, y: Array, relevance: Array, bent_relevance: Array, root: Array
) -> list[tuple[float, Array, Array, float, Array]]:
    """For each column of y the quadratic of least leave-one-out error: intercept, gradient, curvature, leverage,
    leave-one-out errors (rows,).

    `x` (rows, parameters) is straight, `bent` (rows, c) squared; each column may count as much as its relevance says,
    each row as much as the square of its `root`.
    """
    counted = root**2 / np.sum(root**2)
    size = np.sqrt(np.sum(relevance**2 * np.average(x**2, axis=0, weights=counted)))
    scale, bent_scale = relevance / size, bent_relevance / size
    scaled, curved = x * scale, bent * bent_scale
    straight = scaled @ scaled.T
    squares = (curved @ curved.T) ** 2
    best: list[tuple[_Ridge, float, Array]] = []
    for share in SHARES_OF_SQUARES:
        kernel = straight + share * squares
        mean = kernel @ counted
        values, vectors = np.linalg.eigh((kernel - mean - mean[:, None] + counted @ mean) * np.outer(root, root))
        found = [(_solved(values, vectors, column, root), share, mean) for column in y.T]
        best = found if not best else [
            new if new[0].press < old[0].press else old for new, old in zip(found, best, strict=True)
        ]  # fmt: skip
    fits = []
    for ridge, share, mean in best:
        gradient = scale * (scaled.T @ ridge.weights)
        curvature = share * (curved.T * ridge.weights) @ curved * np.outer(bent_scale, bent_scale)
        fits.append((float(-ridge.weights @ mean), gradient, curvature, ridge.leverage, ridge.missed))
    return fits


def _solved(values: Array, vectors: Array, y: Array, root: Array) -> _Ridge:
    """Ridge regression with an intercept at the shrinkage of least PRESS, rows counting by the square of `root`.

    `values` and `vectors` are the eigenpairs of the centred kernel, rows and columns times `root`; `y` is centred.
    """
    counted = root**2 / np.sum(root**2)
    positive = np.maximum(values, 0.0)
    rooted = root * y
    projected = vectors.T @ rooted
    ridge = SHRINKAGES[:, None] * max(positive.mean(), 1e-300)
    kept = positive / (positive + ridge)
    leverage = counted[:, None] + (vectors**2) @ kept.T
    residual = rooted[:, None] - vectors @ (kept * projected).T
    missed = residual / np.maximum(1.0 - leverage, 1e-3)
    press = np.sum(missed**2, axis=0) / np.sum(root**2)
    chosen = int(np.argmin(press))
    weights = root * (vectors @ (projected / (positive + ridge[chosen])))
    return _Ridge(
        np.asarray(weights - counted * weights.sum()),
        float(press[chosen]),
        float(counted @ leverage[:, chosen]),
        np.asarray(missed[:, chosen] / root),
    )

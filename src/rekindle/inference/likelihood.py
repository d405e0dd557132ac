"""How probable the published numbers are under a set of parameters.

The numbers of one trial are jointly normal around what the emulator expects. Their covariance adds up four things:
luck (published standard errors, correlated as numbers of the same people are), the emulator's error, shifts of the
whole trial (belief, drug gain, care: carried over by the emulator's slope), and the model's own misses. Trials are
independent; a trial's weight of 0 leaves it out. All of it is a JAX function, so a sampler has its gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rekindle.inference.emulator import Emulator, bends, bent_slopes
from rekindle.inference.priors import Prior
from rekindle.inference.targets import Luck, Target, errors, trials_of

Array = NDArray[np.float64]

TOGETHER = 0.7
"""Correlations of luck, residuals and misses inside a trial are taken at this share: they are estimates."""

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Facts(NamedTuple):
    """Everything numeric that the log density needs; a pytree of arrays, so one compiled function serves all.

    `observed` (targets,), `weights` (trials,), the emulator's `intercept`, `linear`, `quadratic`, and `fixed`: for
    each block of trials the covariance (trials, size, size) of luck and emulator, 1 on the diagonal of padding.
    """

    observed: Any
    weights: Any
    intercept: Any
    linear: Any
    quadratic: Any
    fixed: tuple[Any, ...]


@dataclass(frozen=True)
class Block:
    """Trials of similar size side by side: `places` (trials, size) of targets, -1 where padded; `trials` by number.

    `together` (trials, size, size) is how misses of one trial go together.
    """

    trials: NDArray[np.int64]
    places: NDArray[np.int64]
    together: Array


class Likelihood:
    """The log density of trials, compiled for one prior and one list of targets.

    An unconstrained vector holds the scores of the shared parameters, then logarithms of the standard deviations of
    the trial effects, then logarithms of the sizes of the misses by kind.
    """

    def __init__(self, prior: Prior, targets: Sequence[Target], correlation: Array) -> None:
        self.prior, self.targets = prior, tuple(targets)
        self.trials = tuple(trials_of(targets))
        misfit = prior.misfit or {}
        self.kinds = tuple(kind for kind in misfit if any(target.kind == kind for target in targets))
        self.kind_of = np.array(
            [self.kinds.index(target.kind) if target.kind in self.kinds else len(self.kinds) for target in targets]
        )
        self.curved, self.steep = prior.curved_places, prior.steep_places
        self.blocks = _blocks(targets, correlation)
        self.directions = np.array([prior.shares_per_shift(effect) for effect in prior.trial_effects]).reshape(
            len(prior.trial_effects), len(prior.parameters)
        )
        places = [list(misfit).index(kind) for kind in self.kinds]
        effects = len(prior.trial_effects)
        self.size_priors = prior.size_priors[[*range(effects), *(effects + place for place in places)]]

    @property
    def size(self) -> int:
        """Length of the unconstrained vector."""
        return len(self.prior.parameters) + len(self.size_priors)

    @property
    def size_names(self) -> tuple[str, ...]:
        """Names of the sizes after the shared parameters, in order."""
        return (
            *(f"between trials: {effect.name}" for effect in self.prior.trial_effects),
            *(f"misses: {kind}" for kind in self.kinds),
        )

    def facts(
        self,
        observed: Array,
        emulator: Emulator,
        luck: Luck,
        *,
        weights: Array | None = None,
        total_error: bool = False,
        covariance: Array | None = None,
    ) -> Facts:
        """The numbers to condition on; see `Facts`.

        `total_error` counts the luck of a row's people as error of the emulator: right where the observed numbers
        are simulated rows themselves. `covariance` replaces the luck of the targets (whole matrix).
        """
        sampling = self.sampling(luck) if covariance is None else covariance
        error = emulator.total_error if total_error else emulator.error
        residual = _softened(_correlations(emulator.residuals, len(self.targets)))
        whole = sampling + residual * np.outer(error, error)
        fixed = tuple(_padded(whole, block.places, identity=True) for block in self.blocks)
        given = np.ones(len(self.trials)) if weights is None else weights
        return Facts(observed, given, emulator.intercept, emulator.linear, emulator.quadratic, fixed)

    def sampling(self, luck: Luck) -> Array:
        """Covariance of the published numbers by luck alone, shape (targets, targets)."""
        sd = errors(self.targets, luck)
        return _softened(luck.correlation) * np.outer(sd, sd)

    def shares(self, vector: Any) -> Any:
        """Shares of the shared parameters in an unconstrained vector (JAX)."""
        from jax.scipy.special import ndtr, ndtri

        widths = self.prior.widths
        low = np.asarray(_normal_cdf(-1.0 / widths))
        return widths * ndtri(low + ndtr(vector[: len(widths)]) * (1.0 - 2.0 * low))

    def sizes(self, vector: Any) -> Any:
        """Standard deviations of the trial effects, then of the misses by kind (JAX)."""
        import jax.numpy as jnp

        return jnp.exp(vector[len(self.prior.parameters) :])

    def trial_log_densities(self, vector: Any, facts: Facts) -> Any:
        """Log density of each trial's numbers, shape (trials,), weights not applied (JAX)."""
        import jax.numpy as jnp
        from jax.scipy.linalg import cho_solve

        shares, sizes = self.shares(vector), self.sizes(vector)
        effects = len(self.prior.trial_effects)
        between, misses = sizes[:effects], jnp.append(sizes[effects:], 0.0)[self.kind_of]
        bent = bends(shares[self.curved], self.steep)
        residual = facts.observed - (facts.intercept + facts.linear @ shares + (facts.quadratic @ bent) @ bent)
        straight = facts.linear @ self.directions.T
        curved = bent_slopes(facts.quadratic, shares[self.curved], self.steep) @ self.directions[:, self.curved].T
        shifts = (straight + curved) * between
        found = jnp.zeros(len(self.trials))
        for block, fixed in zip(self.blocks, facts.fixed, strict=True):
            inside = block.places >= 0
            gone = jnp.where(inside, residual[block.places], 0.0)
            missed = jnp.where(inside, misses[block.places], 0.0)
            moved = jnp.where(inside[:, :, None], shifts[block.places], 0.0)
            covariance = (
                fixed
                + jnp.einsum("tik,tjk->tij", moved, moved)
                + block.together * missed[:, :, None] * missed[:, None, :]
            )
            factor = jnp.linalg.cholesky(covariance)
            solved = cho_solve((factor, True), gone[:, :, None])[:, :, 0]
            logarithms = jnp.log(jnp.diagonal(factor, axis1=1, axis2=2))
            count = inside.sum(axis=1)
            density = (
                -0.5 * jnp.sum(gone * solved, axis=1) - jnp.sum(logarithms, axis=1) - 0.5 * count * np.log(2.0 * np.pi)
            )
            found = found.at[block.trials].set(density)
        return found

    def log_prior(self, vector: Any) -> Any:
        """Log prior density of an unconstrained vector up to a constant (JAX)."""
        import jax.numpy as jnp

        scores = vector[: len(self.prior.parameters)]
        logarithms = vector[len(self.prior.parameters) :]
        medians, widths = self.size_priors.T
        return -0.5 * jnp.sum(scores**2) - 0.5 * jnp.sum(((logarithms - np.log(medians)) / widths) ** 2)

    def log_density(self, vector: Any, facts: Facts) -> Any:
        """Log posterior density of an unconstrained vector up to a constant (JAX)."""
        return self.log_prior(vector) + facts.weights @ self.trial_log_densities(vector, facts)

    def drawn_numbers(self, expected: Array, shares: Array, sizes: Array, facts: Facts, random: Any) -> Array:
        """Numbers that the trials might have published: `expected` (targets,) with shifts, misses and luck.

        `random` is a numpy generator. The emulator's error is left out when `facts.fixed` holds luck alone.
        """
        effects = len(self.prior.trial_effects)
        slope = np.array(facts.linear)
        slope[:, self.curved] += bent_slopes(np.asarray(facts.quadratic), shares[self.curved], self.steep)
        shifts = slope @ self.directions.T * sizes[:effects]
        misses = np.append(sizes[effects:], 0.0)[self.kind_of]
        drawn = np.array(expected, dtype=np.float64)
        for block, fixed in zip(self.blocks, facts.fixed, strict=True):
            for places, together, covariance in zip(block.places, block.together, np.asarray(fixed), strict=True):
                own = places[places >= 0]
                size = len(own)
                whole = (
                    covariance[:size, :size]
                    + shifts[own] @ shifts[own].T
                    + together[:size, :size] * np.outer(misses[own], misses[own])
                )
                drawn[own] += np.linalg.cholesky(whole) @ random.standard_normal(size)
        return drawn


def start(likelihood: Likelihood) -> Array:
    """Where a search begins: the table's values, sizes at the medians of their priors."""
    return np.concatenate([np.zeros(len(likelihood.prior.parameters)), np.log(likelihood.size_priors[:, 0])])


def compiled(likelihood: Likelihood) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The log density with its gradient, and the trials' log densities, both of (vector, facts), compiled."""
    import jax

    return jax.jit(jax.value_and_grad(likelihood.log_density)), jax.jit(likelihood.trial_log_densities)


def _blocks(targets: Sequence[Target], correlation: Array) -> tuple[Block, ...]:
    by_size: dict[int, list[tuple[int, list[int]]]] = {}
    for number, places in enumerate(trials_of(targets).values()):
        size = next(size for size in SIZES if size >= len(places))
        by_size.setdefault(size, []).append((number, places))
    together = _softened(correlation)
    blocks = []
    for size, members in sorted(by_size.items()):
        padded = np.array([[*places, *[-1] * (size - len(places))] for _, places in members])
        numbers = np.array([number for number, _ in members])
        blocks.append(Block(numbers, padded, _padded(together, padded, identity=False)))
    return tuple(blocks)


def _padded(matrix: Array, places: NDArray[np.int64], *, identity: bool) -> Array:
    """The trials' own parts of a matrix over all targets, shape (trials, size, size)."""
    inside = places >= 0
    both = inside[:, :, None] & inside[:, None, :]
    found = np.where(both, matrix[places[:, :, None], places[:, None, :]], 0.0)
    if identity:
        rows, slots = np.nonzero(~inside)
        found[rows, slots, slots] = 1.0
    return found


def _softened(correlation: Array) -> Array:
    return TOGETHER * correlation + (1.0 - TOGETHER) * np.eye(len(correlation))


def _correlations(residuals: Array, count: int) -> Array:
    """Correlation of residuals (rows, targets); independent where there are too few rows to tell."""
    if len(residuals) < 10:
        return np.eye(count)
    spread = residuals.std(axis=0)
    scaled = (residuals - residuals.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    found = scaled.T @ scaled / len(residuals)
    np.fill_diagonal(found, 1.0)
    return np.asarray(found)


def _normal_cdf(x: Array) -> Array:
    from scipy.special import ndtr

    return np.asarray(ndtr(x))

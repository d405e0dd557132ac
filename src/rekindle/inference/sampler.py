"""Draws from the posterior: a Laplace start, then the No-U-Turn sampler on the emulated likelihood.

The start is the mode with the curvature there; chains begin at draws from it and adapt (Hoffman and Gelman 2014,
jmlr.org/papers/v15/hoffman14a.html, as implemented by blackjax). R-hat and effective sample sizes are numpyro's.
One compiled function serves every data set of the same shape: refits without a trial, synthetic data, rival hypotheses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import ModelError
from rekindle.inference.likelihood import Facts, Likelihood, compiled, start

Array = NDArray[np.float64]


AT_ONCE = 50
"""Draws whose trials' densities are computed in one call."""


@dataclass(frozen=True)
class SamplerSettings:
    """Chains, steps of adaptation and draws of each chain, and the acceptance that the step size aims at."""

    chains: int = 4
    warmup: int = 300
    draws: int = 500
    target_acceptance: float = 0.8


@dataclass(frozen=True)
class Posterior:
    """Draws: `vectors` (chains, draws, size) unconstrained; `shares` and `sizes` of all draws, chains joined.

    `mode` is the Laplace mode, `divergent` how many steps broke down, `steps` the
    mean number of leapfrog steps of a draw, `rhat` and `effective` (size,) the
    diagnostics of every coordinate.
    """

    vectors: Array
    shares: Array
    sizes: Array
    mode: Array
    divergent: int
    steps: float
    rhat: Array
    effective: Array

    @property
    def flat(self) -> Array:
        """Unconstrained draws, shape (chains x draws, size)."""
        return self.vectors.reshape(-1, self.vectors.shape[-1])


class Sampler:
    """The sampler of one likelihood, compiled once.

    Raises:
        ModelError: the libraries of the extra `calibrate` are missing.
    """

    def __init__(self, likelihood: Likelihood) -> None:
        _require()
        import jax

        jax.config.update("jax_enable_x64", True)
        self.likelihood = likelihood
        self.value_and_gradient, self.trial_log_densities = compiled(likelihood)
        self._all_trials = jax.jit(jax.vmap(likelihood.trial_log_densities, in_axes=(0, None)))
        self._runs: dict[SamplerSettings, Callable[..., Any]] = {}

    def mode(self, facts: Facts, begin: Array | None = None) -> Array:
        """The posterior mode of the unconstrained vector, by L-BFGS from `begin`.

        Raises:
            ModelError: the density is not finite where the search begins.
        """
        from scipy.optimize import minimize

        def objective(vector: Array) -> tuple[float, Array]:
            value, gradient = self.value_and_gradient(vector, facts)
            return -float(value), -np.asarray(gradient)

        first = start(self.likelihood) if begin is None else begin
        if not np.isfinite(objective(first)[0]):
            raise ModelError("The likelihood is not finite at the table's values.")
        found = minimize(objective, first, jac=True, method="L-BFGS-B", options={"maxiter": 500})
        return np.asarray(found.x, dtype=np.float64)

    def laplace(self, facts: Facts, mode: Array) -> Array:
        """Covariance of the normal approximation at the mode, shape (size, size), from the curvature there."""
        step = 1e-4
        moves = step * np.eye(len(mode))
        slopes = [
            np.asarray(self.value_and_gradient(mode + move, facts)[1])
            - np.asarray(self.value_and_gradient(mode - move, facts)[1])
            for move in moves
        ]
        curvature = -np.array(slopes) / (2.0 * step)
        values, vectors = np.linalg.eigh(0.5 * (curvature + curvature.T))
        return np.asarray((vectors / np.maximum(values, 0.2)) @ vectors.T)

    def sample(self, facts: Facts, seed: int, settings: SamplerSettings, mode: Array | None = None) -> Posterior:
        """Posterior draws under the given facts; the same seed gives the same draws.

        Raises:
            ModelError: the density is not finite where the search begins.
        """
        import jax
        import jax.numpy as jnp

        best = self.mode(facts) if mode is None else mode
        root = np.linalg.cholesky(self.laplace(facts, best))
        random = np.random.default_rng(seed)
        begins = 0.5 * random.standard_normal((settings.chains, len(best)))
        run = self._run(settings)
        keys = jax.random.split(jax.random.key(seed), settings.chains)
        chains = [
            run(key, jnp.asarray(begin), jnp.asarray(best), jnp.asarray(root), facts)
            for key, begin in zip(keys, begins, strict=True)
        ]
        vectors = np.stack([best + np.asarray(chain[0]) @ root.T for chain in chains])
        divergent = int(sum(int(np.asarray(chain[1]).sum()) for chain in chains))
        steps = float(np.mean([np.asarray(chain[2]).mean() for chain in chains]))
        flat = vectors.reshape(-1, vectors.shape[-1])
        rhat, effective = diagnostics(vectors)
        prior = self.likelihood.prior
        shares, sizes = prior.shares(flat[:, : len(prior.names)]), np.exp(flat[:, len(prior.names) :])
        return Posterior(vectors, shares, sizes, best, divergent, steps, rhat, effective)

    def trials(self, vectors: Array, facts: Facts) -> Array:
        """Log density of each trial at unconstrained vectors (draws, size), shape (draws, trials).

        In parts: all draws at once would need much memory, and XLA was seen to stall on it.
        """
        parts = [
            np.asarray(self._all_trials(part, facts))[: len(vectors) - begin]
            for begin in range(0, len(vectors), AT_ONCE)
            for part in [_filled(vectors[begin : begin + AT_ONCE])]
        ]
        return np.concatenate(parts)

    def _run(self, settings: SamplerSettings) -> Callable[..., Any]:
        alike = replace(settings, chains=1)
        if alike not in self._runs:
            self._runs[alike] = _chain(self.likelihood, alike)
        return self._runs[alike]


def _chain(likelihood: Likelihood, settings: SamplerSettings) -> Callable[..., Any]:
    """A compiled function of (key, begin, mode, root, facts) that gives draws and which steps diverged.

    It moves in coordinates in which the normal approximation at the mode, with covariance `root root'`, is round.
    """
    import blackjax
    import jax

    def run(key: Any, begin: Any, mode: Any, root: Any, facts: Facts) -> tuple[Any, Any, Any]:
        def log_density(place: Any) -> Any:
            return likelihood.log_density(mode + root @ place, facts)

        adapting, drawing = jax.random.split(key)
        adaptation = blackjax.window_adaptation(
            blackjax.nuts, log_density, target_acceptance_rate=settings.target_acceptance, max_num_doublings=8
        )
        (state, parameters), _ = adaptation.run(adapting, begin, settings.warmup)
        kernel = blackjax.nuts(log_density, **parameters).step

        def step(state: Any, key: Any) -> tuple[Any, tuple[Any, Any, Any]]:
            state, info = kernel(key, state)
            return state, (state.position, info.is_divergent, info.num_integration_steps)

        _, (positions, divergent, steps) = jax.lax.scan(step, state, jax.random.split(drawing, settings.draws))
        return positions, divergent, steps

    compiled_run: Callable[..., Any] = jax.jit(run)
    return compiled_run


def _filled(vectors: Array) -> Array:
    """The vectors, the last one repeated up to `AT_ONCE` of them, so that one compiled function serves all parts."""
    missing = AT_ONCE - len(vectors)
    return np.concatenate([vectors, np.repeat(vectors[-1:], missing, axis=0)]) if missing else vectors


def diagnostics(vectors: Array) -> tuple[Array, Array]:
    """Split R-hat and effective sample size of every coordinate of draws (chains, draws, size)."""
    from numpyro.diagnostics import effective_sample_size, split_gelman_rubin

    return np.asarray(split_gelman_rubin(vectors)), np.asarray(effective_sample_size(vectors))


def _require() -> None:
    """Nothing, where the extra is installed.

    Raises:
        ModelError: it is not.
    """
    try:
        import blackjax  # noqa: F401
        import jax  # noqa: F401
        import numpyro  # noqa: F401
    except ImportError as error:
        raise ModelError(
            f"Calibration needs '{error.name}', which is not installed.", hint="pip install 'rekindle[calibrate]'"
        ) from error

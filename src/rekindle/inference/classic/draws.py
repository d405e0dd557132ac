"""The whole posterior of one person's effects, by two ways that share nothing but the likelihood.

Importance sampling draws from a t distribution about the mode, smooths the largest weights and fits the proposal again
to the weighted draws where the shape k says that it should. Metropolis runs many short chains at once whose steps have
the shape of the curvature at the mode.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rekindle.errors import InputError
from rekindle.inference.classic.mode import Mode, Posterior
from rekindle.inference.classic.population import Array
from rekindle.inference.importance import TRUSTED, effective_size, pareto_smoothed, systematic
from rekindle.streams import generator

FREEDOM = 5.0
ROUNDS = 4


@dataclass(frozen=True)
class Draws:
    """Equally weighted draws of a person's effects, shape (draws, size), with what the method says of itself.

    `highest` is the likeliest vector that was met. `effective` is the number of independent draws they are worth.
    `pareto_k` (importance) above 0.7 and `rhat` (Metropolis) above 1.05 say that they cannot be trusted.
    """

    effects: Array
    mean: Array
    covariance: Array
    highest: Array
    effective: float
    pareto_k: float | None = None
    rhat: float | None = None
    accepted: float | None = None

    @property
    def trusted(self) -> bool:
        """Whether the method trusts its own answer."""
        if self.rhat is not None:
            return self.rhat <= 1.05
        return self.pareto_k is not None and self.pareto_k <= TRUSTED


def importance_draws(posterior: Posterior, mode: Mode, count: int = 1000, seed: int = 1) -> Draws:
    """Draws by importance sampling with Pareto-smoothed weights.

    Raises:
        InputError: fewer than 100 draws.
    """
    if count < 100:
        raise InputError(f"{count} draws are too few; take 100 or more.")
    random = generator(seed, "classic importance", posterior.subject.person)
    centre, shape = posterior.whitened(mode.effects), _whitened_covariance(posterior, mode.observed)
    size = len(centre)
    for _ in range(ROUNDS):
        root = np.linalg.cholesky(shape)
        scale = np.sqrt(FREEDOM / random.chisquare(FREEDOM, count))
        unit = random.standard_normal((count, size)) * scale[:, None]
        points = centre + unit @ root.T
        proposed = -0.5 * (FREEDOM + size) * np.log1p(np.square(unit).sum(axis=1) / FREEDOM)
        heights = posterior.objectives(points)
        weights, k = pareto_smoothed(-heights - proposed)
        mean = weights @ points
        covariance = (points - mean).T @ ((points - mean) * weights[:, None])
        if k <= 0.5:
            break
        # A handful of points tell where to look and not how wide.
        centre, shape = mean, 1.2 * covariance + 1e-9 * np.eye(size) if np.isfinite(k) else 2.0 * shape
    chosen = points[systematic(weights, count, float(random.random()))]
    root = posterior.root
    return Draws(
        posterior.effects(chosen),
        posterior.effects(mean),
        root @ covariance @ root.T,
        posterior.effects(points[np.argmin(heights)]),
        effective_size(weights),
        k,
    )


def metropolis_draws(
    posterior: Posterior, mode: Mode, chains: int = 40, warmup: int = 100, steps: int = 400, seed: int = 1
) -> Draws:
    """Draws by random-walk Metropolis, all chains in one solve a step.

    Raises:
        InputError: too few chains or steps to judge them by.
    """
    if chains < 4 or steps < 20:
        raise InputError("Metropolis needs 4 chains and 20 steps or more.")
    random = generator(seed, "classic metropolis", posterior.subject.person)
    root = np.linalg.cholesky(_whitened_covariance(posterior, mode.observed))
    size = len(root)
    points = posterior.whitened(mode.effects) + 1.5 * random.standard_normal((chains, size)) @ root.T
    heights = posterior.objectives(points)
    reach, accepted = 2.38 / np.sqrt(max(size, 1)), []
    kept, levels = np.empty((steps, chains, size)), np.empty((steps, chains))
    for number in range(-warmup, steps):
        moved = points + reach * random.standard_normal((chains, size)) @ root.T
        tried = posterior.objectives(moved)
        with np.errstate(invalid="ignore"):
            taken = np.log(random.random(chains)) < heights - tried
        points, heights = np.where(taken[:, None], moved, points), np.where(taken, tried, heights)
        if number < 0:
            reach *= float(np.exp((taken.mean() - 0.3) / np.sqrt(number + warmup + 1.0)))
        else:
            kept[number], levels[number] = points, heights
            accepted.append(taken.mean())
    rhat, effective = _mixing(kept)
    effects = posterior.effects(kept.reshape(-1, size))
    highest = effects[np.argmin(levels.reshape(-1))]
    return Draws(
        effects, effects.mean(axis=0), np.cov(effects.T).reshape(size, size), highest, effective, rhat=rhat,
        accepted=float(np.mean(accepted)),
    )  # fmt: skip


def _whitened_covariance(posterior: Posterior, covariance: Array) -> Array:
    half = np.linalg.solve(posterior.root, covariance)
    return np.asarray(np.linalg.solve(posterior.root, half.T))


def _mixing(kept: Array) -> tuple[float, float]:
    """Largest R-hat of split chains, and the smallest number of independent draws, over all effects."""
    half = len(kept) // 2
    split = np.concatenate([kept[:half], kept[half : 2 * half]], axis=1)
    means, within = split.mean(axis=0), split.var(axis=0, ddof=1).mean(axis=0)
    between = half * means.var(axis=0, ddof=1)
    whole = (half - 1) / half * within + between / half
    rhat = float(np.sqrt(whole / within).max(initial=1.0))
    sizes = split.shape[0] * split.shape[1] * np.minimum(whole / np.maximum(between, 1e-300), 1.0)
    return rhat, float(sizes.min(initial=float(split.shape[0] * split.shape[1])))

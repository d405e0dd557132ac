"""Which of the many uncertain parameters move the published numbers: a Morris screening.

Every parameter takes one step along each of a few random trajectories through the ranges (Morris 1991,
doi:10.1080/00401706.1991.10484804; designs and statistics by SALib). `mu_star` is the mean absolute effect of going
through half of a range, `sigma` how much that depends on the other parameters. What matters is the effect in units
of a number's own error; each trial counts once, however many numbers it has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import ModelError
from rekindle.inference.priors import prior_of
from rekindle.inference.targets import Target, trials_of

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]
LEVELS = 4


@dataclass(frozen=True)
class Screening:
    """`mu_star` and `sigma`, shape (parameters, numbers), per unit of a parameter's share."""

    names: tuple[str, ...]
    mu_star: Array
    sigma: Array

    def importance(self, targets: Sequence[Target], errors: Array) -> Array:
        """Root mean square effect in units of the numbers' `errors` (targets,), trials weighted alike."""
        squares = (self.mu_star / errors) ** 2
        by_trial = [squares[:, places].mean(axis=1) for places in trials_of(targets).values()]
        return np.asarray(np.sqrt(np.mean(by_trial, axis=0)))

    def chosen(self, targets: Sequence[Target], errors: Array, count: int) -> tuple[str, ...]:
        """The `count` parameters of largest importance, most important first."""
        order = np.argsort(-self.importance(targets, errors), kind="stable")
        return tuple(self.names[place] for place in order[:count])


def screen(
    expected: Callable[[Mapping[str, Array]], Array],
    names: Sequence[str],
    *,
    trajectories: int,
    seed: int,
    progress: Progress | None = None,
) -> Screening:
    """Morris screening of `expected`: values by name, shape (sets,), to numbers (sets, numbers).

    Costs `trajectories` times (parameters + 1) sets, a trajectory a call.

    Raises:
        InputError: a name that is no candidate.
        ModelError: SALib is missing.
    """
    prior = prior_of(names, effects=())
    problem = {"num_vars": len(prior.names), "names": list(prior.names), "bounds": [[-1.0, 1.0]] * len(prior.names)}
    sample, analyse = _salib()
    design = np.asarray(sample(problem, trajectories, num_levels=LEVELS, seed=seed), dtype=np.float64)
    parts = []
    for number, shares in enumerate(np.split(design, trajectories)):
        if progress is not None:
            progress("screening the parameters", number, trajectories)
        parts.append(expected(prior.values(shares)))
    if progress is not None:
        progress("screening the parameters", trajectories, trajectories)
    numbers = np.concatenate(parts)
    # SALib measures steps in units of the whole range; a share runs over half of it.
    found = [
        analyse(problem, design, column, num_levels=LEVELS, num_resamples=2, scaled=False, seed=seed)
        for column in numbers.T
    ]
    mu_star = np.stack([np.asarray(each["mu_star"], dtype=np.float64) for each in found], axis=1)
    sigma = np.stack([np.asarray(each["sigma"], dtype=np.float64) for each in found], axis=1)
    return Screening(prior.names, 0.5 * mu_star, 0.5 * np.nan_to_num(sigma))


def _salib() -> tuple[Any, Any]:
    """Sampling and analysis of SALib.

    Raises:
        ModelError: it is not installed.
    """
    try:
        from SALib.analyze import morris as analysis
        from SALib.sample import morris as sampling
    except ImportError as error:
        raise ModelError("Screening needs SALib.", hint="pip install 'rekindle[calibrate]'") from error
    return sampling.sample, analysis.analyze

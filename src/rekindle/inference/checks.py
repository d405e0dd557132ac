"""Whether to trust the posterior: simulation-based calibration, leaving trials out, predictions of what was seen.

*Simulation-based calibration* (Talts et al. 2018, arxiv.org/abs/1804.06788): a set of parameters drawn from the
prior makes the trials, the whole fit is run on them, and the true value's rank among the draws must be uniform. The
true sets are rows of the bank, so the numbers come from the model itself and not from its emulator, which is fitted
without them. *Leaving a trial out* reweights the draws (`importance`) and fits again where the weights cannot be
trusted. A trial goes together with those that share its patients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rekindle.inference.bank import Bank
from rekindle.inference.emulator import CrossValidated, Emulator
from rekindle.inference.importance import TRUSTED, effective_size, pareto_smoothed, systematic
from rekindle.inference.likelihood import Facts, Likelihood
from rekindle.inference.sampler import Posterior, Sampler, SamplerSettings
from rekindle.inference.targets import Luck

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

BINS = 20
STANDING = 500
"""Draws among which weights choose those that stand for a posterior without a trial."""

RANKED = 99
"""Draws among which a true value is ranked: 100 ranks, five to a bin."""


@dataclass(frozen=True)
class Ranks:
    """Simulation-based calibration: `ranks` (data sets, parameters), 0 to `RANKED`, and what they say.

    `p` is the chi-square p-value of each parameter's 20 bins, `holm` the same after Holm's correction over the
    parameters in `informed`; NaN for the others. `rhat` and `divergent` are of each data set's fit.
    """

    names: tuple[str, ...]
    ranks: NDArray[np.int64]
    informed: tuple[str, ...]
    p: Array
    holm: Array
    rhat: Array
    divergent: NDArray[np.int64]

    @property
    def uniform(self) -> bool:
        """Whether no informed parameter's corrected p-value is below 0.01."""
        tested = self.holm[np.isfinite(self.holm)]
        return bool(np.all(tested > 0.01))


@dataclass(frozen=True)
class LeftOut:
    """The posterior without one trial (or group): `places` of main draws or, after a refit, `posterior`.

    `k` is that of the weights, `log_density` that of the trial's numbers predicted from all others.
    """

    trial: str
    k: float
    log_density: float
    places: NDArray[np.int64]
    posterior: Posterior | None = None


def calibration_ranks(
    sampler: Sampler,
    bank: Bank,
    fitted: CrossValidated,
    luck: Luck,
    *,
    sets: int,
    seed: int,
    settings: SamplerSettings,
    progress: Progress | None = None,
) -> tuple[NDArray[np.int64], Array, NDArray[np.int64]]:
    """Ranks of the true parameters (sets, parameters), largest R-hat and divergent steps of each fit.

    Set j takes row j of the bank's first round (rows of a prior-distributed design) as the truth.
    """
    likelihood = sampler.likelihood
    rows = np.flatnonzero(bank.first_round)[:sets]
    width = len(likelihood.prior.parameters)
    ranks = np.empty((len(rows), width), dtype=np.int64)
    rhat = np.empty(len(rows))
    divergent = np.empty(len(rows), dtype=np.int64)
    for done, row in enumerate(rows):
        if progress is not None:
            progress("checking the calibration on synthetic trials", done, len(rows))
        emulator = fitted.without[int(fitted.fold[row])]
        facts = synthetic(likelihood, bank.shares[row], bank.expected[row], emulator, luck, seed + int(row))
        posterior = sampler.sample(facts, seed + int(row), settings)
        thinned = posterior.shares[np.linspace(0, len(posterior.shares) - 1, RANKED).astype(int)]
        ranks[done] = np.sum(thinned < bank.shares[row], axis=0)
        rhat[done], divergent[done] = np.nanmax(posterior.rhat), posterior.divergent
    if progress is not None:
        progress("checking the calibration on synthetic trials", len(rows), len(rows))
    return ranks, rhat, divergent


def synthetic(
    likelihood: Likelihood, shares: Array, expected: Array, emulator: Emulator, luck: Luck, seed: int
) -> Facts:
    """Facts of synthetic trials: a simulated row with drawn sizes, shifts, misses and luck as observed numbers."""
    random = np.random.default_rng([seed, 7])
    medians, widths = likelihood.size_priors.T
    sizes = medians * np.exp(widths * random.standard_normal(len(medians)))
    exact = replace(emulator, error=np.zeros_like(emulator.error))
    luck_only = likelihood.facts(expected, exact, luck)
    observed = likelihood.drawn_numbers(expected, shares, sizes, luck_only, random)
    return likelihood.facts(observed, emulator, luck, total_error=True)


def judged(
    names: Sequence[str], ranks: NDArray[np.int64], informed: Sequence[str], rhat: Array, divergent: NDArray[np.int64]
) -> Ranks:
    """The chi-square test of uniform ranks for every parameter, Holm-corrected over the informed ones."""
    from scipy.stats import chisquare

    edges = np.linspace(0, RANKED + 1, BINS + 1)
    p = np.array([float(chisquare(np.histogram(column, bins=edges)[0]).pvalue) for column in ranks.T])
    holm = np.full(len(names), np.nan)
    tested = [place for place, name in enumerate(names) if name in informed]
    running = 0.0
    for position, place in enumerate(sorted(tested, key=lambda place: p[place])):
        running = max(running, min(1.0, p[place] * (len(tested) - position)))
        holm[place] = running
    return Ranks(tuple(names), ranks, tuple(informed), p, holm, rhat, divergent)


def leave_one_out(
    sampler: Sampler,
    posterior: Posterior,
    facts: Facts,
    *,
    seed: int,
    settings: SamplerSettings,
    groups: Mapping[str, Sequence[str]] | None = None,
    count: int = 100,
    refit: bool = True,
    progress: Progress | None = None,
) -> list[LeftOut]:
    """The posterior without each trial, or without each group of trials.

    `groups` says what to leave out for each name: for a trial itself and those that share its patients, for a pool
    that was not fitted its members. `count` draws stand for each; where Pareto k exceeds 0.7 what is left is fitted
    again (`refit`), once for each set of trials.
    """
    trials = sampler.likelihood.trials
    densities = sampler.trials(posterior.flat, facts)
    wanted = {trial: (trial,) for trial in trials} if groups is None else groups
    refits: dict[tuple[int, ...], Posterior] = {}
    found = []
    for number, (name, members) in enumerate(wanted.items()):
        if progress is not None:
            progress("leaving trials out", number, len(wanted))
        gone = tuple(sorted(trials.index(member) for member in members if member in trials))
        if not gone:
            continue
        kept, k = pareto_smoothed(-densities[:, list(gone)].sum(axis=1))
        own = trials.index(name) if name in trials else None
        if k > TRUSTED and refit:
            if gone not in refits:
                weights = np.array(facts.weights, dtype=np.float64)
                weights[list(gone)] = 0.0
                again = facts._replace(weights=weights)
                refits[gone] = sampler.sample(again, seed + number, settings, posterior.mode)
            refitted = sampler.trials(refits[gone].flat, facts)
            equal = np.full(len(refitted), -np.log(len(refitted)))
            density = _predicted(equal, refitted, own)
            found.append(LeftOut(name, k, density, np.empty(0, dtype=np.int64), refits[gone]))
            continue
        density = _predicted(np.log(np.maximum(kept, 1e-300)), densities, own)
        some = np.unique(np.linspace(0, len(kept) - 1, STANDING).astype(int))
        share = kept[some] / kept[some].sum()
        places = some[systematic(share, count, float(np.random.default_rng([seed, number]).random()))]
        found.append(LeftOut(name, k, density, np.asarray(places, dtype=np.int64)))
    if progress is not None:
        progress("leaving trials out", len(wanted), len(wanted))
    return found


def _predicted(log_weights: Array, densities: Array, trial: int | None) -> float:
    """Log predictive density of a trial's numbers over weighted draws; NaN for a name that is no fitted trial."""
    if trial is None:
        return float("nan")
    return float(np.logaddexp.reduce(log_weights + densities[:, trial]))


@dataclass(frozen=True)
class EmulatorCheck:
    """The emulator against fresh simulations at posterior draws, shape (draws, targets) each.

    `z` is their difference over the total error; `k` the Pareto k of reweighting the draws by the simulated
    instead of the emulated likelihood.
    """

    z: Array
    k: float
    effective: float


def emulator_check(
    sampler: Sampler, vectors: Array, shares: Array, simulated: Array, facts: Facts, emulator: Emulator
) -> EmulatorCheck:
    """Compare the emulator with simulated rows (draws, targets) at posterior draws.

    The luck of a row's people is in `simulated`, so `facts` should count it (`total_error`).
    """
    predicted = emulator.predict(shares)
    z = (simulated - predicted) / np.maximum(emulator.total_error, 1e-12)
    emulated = sampler.trials(vectors, facts) @ np.asarray(facts.weights)
    direct = np.array(
        [
            sampler.trials(vector[None, :], facts._replace(intercept=facts.intercept + row - mean))[0]
            @ np.asarray(facts.weights)
            for vector, row, mean in zip(vectors, simulated, predicted, strict=True)
        ]
    )
    weights, k = pareto_smoothed(direct - emulated)
    return EmulatorCheck(z, k, effective_size(weights))


def predictive(sampler: Sampler, shares: Array, sizes: Array, expected: Array, facts: Facts, seed: int) -> Array:
    """Numbers that the trials might have published, shape (draws, targets), at draws with `expected` numbers."""
    random = np.random.default_rng([seed, 11])
    return np.array(
        [
            sampler.likelihood.drawn_numbers(mean, share, size, facts, random)
            for mean, share, size in zip(expected, shares, sizes, strict=True)
        ]
    )

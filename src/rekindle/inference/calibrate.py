"""The calibration from end to end: bank, emulator, posterior, a second round around it, leaving trials out.

The first round of the bank covers the prior; the posterior on its emulator says where the second round goes, drawn
from it, with what the parameters that are not estimated do drawn anew. The emulator of both rounds, judged where the
posterior is, gives the next posterior, and so on for some rounds. Rows of the first round count for less in later
emulators, as much less as foretells the later rows best: far rows would bend a polynomial that need only be true near
the posterior. Everything follows from the settings and their seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError, SolverError, unknown
from rekindle.inference.bank import LATER, Bank, BankFile, BankSettings, design, luck_of_people
from rekindle.inference.checks import (
    EmulatorCheck,
    LeftOut,
    Ranks,
    calibration_ranks,
    emulator_check,
    judged,
    leave_one_out,
)
from rekindle.inference.emulator import CrossValidated, Emulator, fit, foretold_error
from rekindle.inference.likelihood import Facts, Likelihood
from rekindle.inference.priors import Prior
from rekindle.inference.sampler import Posterior, Sampler, SamplerSettings
from rekindle.inference.targets import Luck, Simulator, published, trials_of

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

INFORMED = 0.9
"""A parameter counts as informed by the data when its posterior SD is below this share of its prior SD."""

REPEATS = 12
"""Rows that measure the luck of the choice of people."""

ROUND = 100_000
"""Rows of later rounds are numbered from `LATER` on, those of each from so many after the one before."""

EARLY_WEIGHTS = (1.0, 0.3, 0.1, 0.03)
"""How much a row over the prior may count beside one near the posterior."""


@dataclass(frozen=True)
class Settings:
    """How to calibrate: `sets` rows over the prior and `rounds` times `refined` around the posterior, `people` an arm.

    `checked` synthetic data sets are fitted to check the calibration of the calibration (0: none).
    `last_sampler` draws the posterior that is kept: longer, as it may have more than one hill.
    """

    seed: int = 1
    sets: int = 256
    refined: int = 144
    rounds: int = 2
    people: int = 32
    luck_people: int = 200
    checked: int = 100
    draws: int = 200
    sampler: SamplerSettings = field(default_factory=SamplerSettings)
    last_sampler: SamplerSettings = field(default_factory=lambda: SamplerSettings(4, 600, 1500))
    refit_sampler: SamplerSettings = field(default_factory=lambda: SamplerSettings(2, 200, 250))
    short_sampler: SamplerSettings = field(default_factory=lambda: SamplerSettings(1, 120, 198))
    held: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Observed:
    """What was observed instead of what was printed, from individual data: places of targets, their values on the
    likelihood's scale and the covariance of these."""

    places: tuple[int, ...]
    values: Array
    covariance: Array


@dataclass(frozen=True)
class Calibration:
    """All that a calibration found.

    `first` is the fit on the first round (its posterior only leads to the second), `fitted` that of all rounds, in
    which rows of the first count by `early_weight`; `check` judges the fit before the last round by the rows of it.
    `left_out` and `ranks` are empty where they were not asked for.
    """

    settings: Settings
    simulator: Simulator
    sampler: Sampler
    bank: Bank
    luck: Luck
    first: CrossValidated
    fitted: CrossValidated
    facts: Facts
    posterior: Posterior
    check: EmulatorCheck | None
    left_out: tuple[LeftOut, ...]
    ranks: Ranks | None
    early_weight: float = 1.0

    @property
    def prior(self) -> Prior:
        """The prior of the shared parameters."""
        return self.sampler.likelihood.prior

    @property
    def emulator(self) -> Emulator:
        """The emulator that the posterior rests on."""
        return self.fitted.emulator

    @property
    def places(self) -> NDArray[np.int64]:
        """Places, among all posterior draws, of those that the ensemble keeps: evenly spread over the chains."""
        return np.linspace(0, len(self.posterior.shares) - 1, self.settings.draws).astype(np.int64)

    @property
    def contraction(self) -> Array:
        """Posterior over prior standard deviation of each shared parameter's score, shape (parameters,)."""
        return np.asarray(self.posterior.flat[:, : len(self.prior.parameters)].std(axis=0))

    @property
    def moved(self) -> tuple[str, ...]:
        """The shared parameters whose posterior is not their prior: narrower by a twentieth, or shifted by 0.15 of its
        width. They are what an ensemble must hold; all others can be drawn from the prior again."""
        width = len(self.prior.parameters)
        shift = np.abs(self.posterior.flat[:, :width].mean(axis=0))
        changed = (self.contraction < 0.95) | (shift > 0.15)
        return tuple(name for name, yes in zip(self.prior.names, changed, strict=True) if yes)

    @property
    def informed(self) -> tuple[str, ...]:
        """The shared parameters that the data inform."""
        narrow = self.contraction < INFORMED
        return tuple(name for name, yes in zip(self.prior.names, narrow, strict=True) if yes)


def calibrate(
    simulator: Simulator,
    prior: Prior,
    folder: Path,
    settings: Settings,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    observed: Observed | None = None,
    weights: Mapping[str, float] | None = None,
    leave_out: bool = True,
    processes: int = 1,
    progress: Progress | None = None,
) -> Calibration:
    """Calibrate the shared parameters of `prior` to the targets of `simulator`; the bank is kept in `folder`.

    `groups` names for each trial those to leave out with it, `weights` of 0 leave trials out of everything. A bank
    that is there already is completed, in as many `processes`.

    Raises:
        InputError: too few rows, an unknown trial, or another bank in the folder.
        SolverError: a simulated number is not finite.
        ModelError: the libraries of the extra `calibrate` are missing, or no finite likelihood.
    """
    if settings.sets < 40:
        raise InputError(f"{settings.sets} sets are too few to learn from.", hint="--sets 40 or more.")
    file = BankFile(
        folder / "bank.jsonl", simulator, prior, BankSettings(settings.seed, settings.people, settings.held),
        processes=processes,
    )  # fmt: skip
    middle = np.zeros(len(prior.parameters))
    luck = _luck(simulator, prior, settings, middle)
    sampler = Sampler(Likelihood(prior, simulator.targets, luck.correlation))
    conditioned = _Conditioned(sampler.likelihood, observed, _weights(sampler.likelihood, weights))
    numbers = range(settings.sets)
    file.fill(design(prior, settings.seed, numbers), numbers, progress)
    _check_known(simulator, file.expected(numbers))
    scatter = luck_of_people(file, middle, REPEATS, progress=progress)
    rows = file.bank().only(file.bank().numbers < settings.sets)
    first = fit(
        rows.shares, rows.expected, seed=settings.seed, luck=scatter, curved=prior.curved_places,
        steep=prior.steep_places, groups=list(trials_of(simulator.targets).values()),
    )  # fmt: skip
    _tell(progress, "sampling the posterior", 0)
    facts = conditioned(first.emulator, luck)
    posterior = sampler.sample(facts, settings.seed, settings.sampler)
    found = Calibration(settings, simulator, sampler, rows, luck, first, first, facts, posterior, None, (), None)
    for number in range(settings.rounds if settings.refined else 0):
        found = _refined(found, file, conditioned, number, progress)
        _tell(progress, "sampling the posterior", number + 1)
    if leave_out:
        left = leave_one_out(
            sampler, found.posterior, found.facts, seed=settings.seed, settings=settings.refit_sampler, groups=groups,
            progress=progress,
        )  # fmt: skip
        found = replace(found, left_out=tuple(left))
    return _checked(found, progress) if settings.checked else found


def _check_known(simulator: Simulator, expected: Array) -> None:
    """A number that no set gives cannot be fitted."""
    never = np.flatnonzero(np.isnan(expected).all(axis=0))
    names = [simulator.targets[place].key for place in never]
    if names:
        raise SolverError(
            f"No parameter set gives a number for {', '.join(names[:3])}.",
            hint="Leave its trial out (--without), or look at what the number is of.",
        )


def _refined(
    found: Calibration, file: BankFile, conditioned: _Conditioned, number: int, progress: Progress | None
) -> Calibration:
    """The calibration with a further round of simulations at posterior draws, which also judge the emulator before."""
    settings, sampler, posterior = found.settings, found.sampler, found.posterior
    chosen = np.linspace(0, len(posterior.shares) - 1, settings.refined).astype(int)
    later = [LATER + ROUND * number + place for place in range(settings.refined)]
    file.fill(posterior.shares[chosen], later, progress)
    every = file.bank()
    fresh = every.only(np.isin(every.numbers, later))
    check = emulator_check(
        sampler,
        posterior.flat[chosen],
        posterior.shares[chosen],
        fresh.expected,
        conditioned(found.emulator, found.luck, total_error=True),
        found.emulator,
    )
    middle = posterior.shares.mean(axis=0)
    scatter = luck_of_people(file, middle, REPEATS, start=1000 * (number + 1), progress=progress)
    luck = _luck(found.simulator, found.prior, settings, middle)
    before = np.isin(every.numbers, found.bank.numbers)
    rows = every.only(before | np.isin(every.numbers, later))
    weight = _early_weight(rows, found)
    fitted = fit(
        rows.shares, rows.expected, seed=settings.seed, luck=scatter, **_form(found),
        judged_on=~rows.first_round, weights=np.where(rows.first_round, weight, 1.0),
    )  # fmt: skip
    facts = conditioned(fitted.emulator, luck)
    last = number + 1 == settings.rounds
    again = sampler.sample(facts, settings.seed + number + 1, settings.last_sampler if last else settings.sampler)
    return replace(
        found, bank=rows, luck=luck, fitted=fitted, facts=facts, posterior=again, check=check, early_weight=weight
    )


def _form(found: Calibration) -> dict[str, Any]:
    """What the emulators of a calibration have in common."""
    return {
        "groups": list(trials_of(found.simulator.targets).values()),
        "curved": found.prior.curved_places,
        "steep": found.prior.steep_places,
    }


def _early_weight(rows: Bank, found: Calibration) -> float:
    """How much rows of the first round count: what foretells the later ones best."""
    later = ~rows.first_round
    errors = [
        foretold_error(rows.shares, rows.expected, np.where(later, 1.0, weight), later, **_form(found))
        for weight in EARLY_WEIGHTS
    ]
    return EARLY_WEIGHTS[int(np.argmin(errors))]


def _checked(found: Calibration, progress: Progress | None) -> Calibration:
    """The same calibration with its simulation-based check."""
    settings = found.settings
    ranks, rhat, divergent = calibration_ranks(
        found.sampler,
        found.bank.only(found.bank.first_round),
        found.first,
        found.luck,
        sets=settings.checked,
        seed=settings.seed,
        settings=settings.short_sampler,
        progress=progress,
    )
    return replace(found, ranks=judged(found.prior.names, ranks, found.informed, rhat, divergent))


@dataclass(frozen=True)
class _Conditioned:
    """The facts to condition on, given an emulator: printed numbers, individual data in their place, weights."""

    likelihood: Likelihood
    observed: Observed | None
    weights: Array

    def __call__(self, emulator: Emulator, luck: Luck, *, total_error: bool = False) -> Facts:
        values = published(self.likelihood.targets)
        covariance = None
        if self.observed is not None:
            places = np.array(self.observed.places)
            values[places] = self.observed.values
            covariance = self.likelihood.sampling(luck)
            covariance[np.ix_(places, places)] = self.observed.covariance
        return self.likelihood.facts(
            values, emulator, luck, weights=self.weights, total_error=total_error, covariance=covariance
        )


def _luck(simulator: Simulator, prior: Prior, settings: Settings, shares: Array) -> Luck:
    values = prior.values(shares[None, :]) | {name: np.array([float(value)]) for name, value in settings.held.items()}
    return simulator.luck(values, people=settings.luck_people, seed=settings.seed)


def _weights(likelihood: Likelihood, given: Mapping[str, float] | None) -> Array:
    weights = np.ones(len(likelihood.trials))
    for name, weight in (given or {}).items():
        if name not in likelihood.trials:
            raise unknown("trial of the calibration", name, likelihood.trials)
        weights[likelihood.trials.index(name)] = weight
    return weights


def _tell(progress: Progress | None, label: str, done: int) -> None:
    if progress is not None:
        progress(label, done, 1)

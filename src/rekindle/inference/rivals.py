"""Rival explanations against each other: the same calibration under each, weighed by the trials that it foretells.

A rival differs from the model as it stands by some switches. Simulating whole banks for each would cost the same
again each time, so a rival is simulated at some rows of the bank that is there, with the same parameters and people,
and only what it changes is learned: its emulator is that of the model plus the emulated change. Each rival then has
its own posterior. Weights come from the log density of each trial's numbers foretold from the other trials: stacking
(Yao et al. 2018, doi:10.1214/17-BA1091) and pseudo-BMA weights with a bootstrap over trials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rekindle.inference.bank import BankFile, BankSettings
from rekindle.inference.calibrate import Calibration
from rekindle.inference.checks import LeftOut, leave_one_out
from rekindle.inference.emulator import Emulator, fit
from rekindle.inference.sampler import Posterior, SamplerSettings
from rekindle.inference.targets import trials_of

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

BOOTSTRAPS = 1000

PROBED = 3
"""Rows at which a rival is tried first: one that changes nothing there is the model itself to these trials."""

UNCHANGED = 1e-6
"""What counts as nothing, on the scale of the likelihood: far below any luck, above the solver's last digits."""


@dataclass(frozen=True)
class Rival:
    """One explanation: values of switches that differ from the model as it stands, and what it says in words."""

    name: str
    held: Mapping[str, float]
    says: str


RIVALS: tuple[Rival, ...] = (
    Rival("as it stands", {}, "disinhibition, habenula, opioid gate and expectancy together"),
    Rival("no expectancy", {"switch_expectancy": 0.0}, "nothing but the drug and the natural course"),
    Rival("no opioid gate", {"switch_opioid": 0.0}, "plasticity needs no opioid tone"),
    Rival("no habenula", {"switch_habenula": 0.0}, "no trapping in the habenula"),
    Rival("no disinhibition", {"switch_disinhibition": 0.0}, "habenula and expectancy alone"),
    Rival(
        "direct instead of disinhibition",
        {"switch_disinhibition": 0.0, "switch_direct": 1.0},
        "block at rest releases the making of BDNF",
    ),
    Rival(
        "metabolite instead of disinhibition",
        {"switch_disinhibition": 0.0, "switch_hydroxynorketamine": 1.0},
        "hydroxynorketamine raises AMPA throughput",
    ),
    Rival(
        "drug without effect",
        {"switch_disinhibition": 0.0, "switch_habenula": 0.0},
        "belief, contact and what a session feels like make all of it",
    ),
)
"""Explanations that are compared; the first is the model as it stands."""


@dataclass(frozen=True)
class Weighed:
    """A rival's fit: its posterior, the log density of each trial foretold without it (trials,), and its emulator.

    `changed` is the share of the change's variance over rows that its emulator explains, median over numbers.
    """

    rival: Rival
    posterior: Posterior
    left_out: tuple[LeftOut, ...]
    densities: Array
    emulator: Emulator
    changed: float


def weigh(
    found: Calibration,
    folder: Path,
    *,
    rivals: Sequence[Rival] = RIVALS,
    rows: int = 48,
    settings: SamplerSettings | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> list[Weighed]:
    """Each rival calibrated to the same trials; its simulations are kept in `folder`, so this can be gone on with.

    Rows are made in as many `processes`.

    Raises:
        InputError: another bank in the folder.
        SolverError: a simulated number is not finite.
    """
    how = settings or found.settings.sampler
    some = np.unique(np.linspace(0, len(found.bank) - 1, rows).astype(int))
    weighed = []
    for rival in rivals:
        emulator, changed = found.emulator, 1.0
        if rival.held:
            file = BankFile(
                folder / f"rival-{rival.name.replace(' ', '-')}.jsonl",
                found.simulator,
                found.prior,
                BankSettings(found.settings.seed, found.settings.people, {**found.settings.held, **rival.held}),
                processes=processes,
            )
            change = _change(found, file, some[:PROBED], progress)
            if np.abs(change).max() > UNCHANGED:
                change = _change(found, file, some, progress)
                emulator, changed = _changed(found, found.bank.shares[some], change)
        facts = found.facts._replace(intercept=emulator.intercept, linear=emulator.linear, quadratic=emulator.quadratic)
        facts = facts._replace(fixed=_with_error(found, emulator))
        posterior = found.sampler.sample(facts, found.settings.seed + 2, how)
        left = leave_one_out(
            found.sampler, posterior, facts, seed=found.settings.seed, settings=how, refit=False, progress=progress
        )
        densities = np.array([each.log_density for each in left])
        weighed.append(Weighed(rival, posterior, tuple(left), densities, emulator, changed))
    return weighed


def _change(found: Calibration, file: BankFile, some: NDArray[np.int64], progress: Progress | None) -> Array:
    """What a rival changes in every number, (rows, targets), at some rows of the bank with the same people."""
    numbers = found.bank.numbers[some]
    file.fill(found.bank.shares[some], numbers.tolist(), progress)
    simulated = file.bank()
    return np.asarray(simulated.only(np.isin(simulated.numbers, numbers)).expected - found.bank.expected[some])


def _changed(found: Calibration, shares: Array, change: Array) -> tuple[Emulator, float]:
    """The emulator of a rival from the change that it makes, and how much of the change is explained."""
    groups = list(trials_of(found.simulator.targets).values())
    moved = fit(
        shares, change, seed=found.settings.seed, groups=groups, curved=found.prior.curved_places,
        steep=found.prior.steep_places,
    ).emulator  # fmt: skip
    base = found.emulator
    whole = replace(
        base,
        intercept=base.intercept + moved.intercept,
        linear=base.linear + moved.linear,
        quadratic=base.quadratic + moved.quadratic,
        error=np.hypot(base.error, moved.total_error),
        total_error=np.hypot(base.total_error, moved.total_error),
    )
    return whole, float(np.median(moved.explained))


def _with_error(found: Calibration, emulator: Emulator) -> tuple[Array, ...]:
    """Covariances of luck and of the rival's emulator, in the blocks of the likelihood."""
    likelihood = found.sampler.likelihood
    return likelihood.facts(np.asarray(found.facts.observed), emulator, found.luck).fixed


def stacking_weights(densities: Array) -> Array:
    """Weights (rivals,) of the mixture that foretells best, from log densities (rivals, trials)."""
    weights = np.full(len(densities), 1.0 / len(densities))
    scaled = np.exp(densities - densities.max(axis=0))
    for _ in range(5000):  # expectation-maximisation: the mixture's likelihood never falls
        parts = weights[:, None] * scaled
        new = (parts / parts.sum(axis=0)).mean(axis=1)
        if np.max(np.abs(new - weights)) < 1e-9:
            break
        weights = new
    return np.asarray(weights)


def averaging_weights(densities: Array, seed: int) -> Array:
    """Pseudo-BMA weights (rivals,) from log densities (rivals, trials), by a Bayesian bootstrap of trials."""
    random = np.random.default_rng([seed, 19])
    count = densities.shape[1]
    sums = random.dirichlet(np.ones(count), size=BOOTSTRAPS) @ densities.T * count
    weights = np.exp(sums - sums.max(axis=1, keepdims=True))
    return np.asarray((weights / weights.sum(axis=1, keepdims=True)).mean(axis=0))


def deciding(weighed: Sequence[Weighed], trials: Sequence[str]) -> list[dict[str, object]]:
    """For each rival the trial that speaks most against it and the one that speaks most for it, beside the first."""
    first = weighed[0].densities
    rows: list[dict[str, object]] = []
    for other in weighed[1:]:
        gain = other.densities - first
        standard_error = float(np.sqrt(len(gain)) * gain.std(ddof=1))
        rows.append(
            {
                "rival": other.rival.name,
                "difference": float(gain.sum()),
                "standard_error": standard_error,
                "against": trials[int(np.argmin(gain))],
                "against_by": float(gain.min()),
                "for": trials[int(np.argmax(gain))],
                "for_by": float(gain.max()),
            }
        )
    return rows


def expected_information(means: Array, luck: Array, weights: Array, *, seed: int, draws: int = 4000) -> float:
    """Bits that an experiment is expected to tell about which rival holds.

    `means` (rivals, sets, numbers) are its expected numbers at posterior sets of each rival, `luck` (numbers,) the
    standard deviation of what it would publish, `weights` (rivals,) the beliefs before it. By simulation: which rival
    made the data is compared with what the data say of it.
    """
    random = np.random.default_rng([seed, 23])
    prior = np.asarray(weights, dtype=np.float64) / np.sum(weights)
    rivals, sets, _ = means.shape
    true = random.choice(rivals, size=draws, p=prior)
    data = means[true, random.integers(sets, size=draws)] + luck * random.standard_normal((draws, len(luck)))
    logs = np.empty((draws, rivals))
    for place in range(rivals):
        away = (data[:, None, :] - means[place][None, :, :]) / luck
        logs[:, place] = np.logaddexp.reduce(-0.5 * np.sum(away**2, axis=2), axis=1) - np.log(sets)
    whole = np.logaddexp.reduce(logs + np.log(np.maximum(prior, 1e-300)), axis=1)
    return float(np.mean(logs[np.arange(draws), true] - whole) / np.log(2.0))

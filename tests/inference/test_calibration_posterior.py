"""The posterior: likelihood, sampler and checks, against answers that are known."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from toy_trials import ToyTrials, toy_prior

from rekindle.inference.bank import Bank, BankSettings, made_bank
from rekindle.inference.checks import calibration_ranks, judged, leave_one_out
from rekindle.inference.emulator import CrossValidated, fit
from rekindle.inference.likelihood import Likelihood, start
from rekindle.inference.sampler import Sampler, SamplerSettings
from rekindle.inference.targets import published

ONE = SamplerSettings(chains=1, warmup=150, draws=396)


@cache
def toy_bank(sizes: bool) -> tuple[Bank, CrossValidated]:
    with TemporaryDirectory() as folder:
        made = made_bank(Path(folder) / "bank.jsonl", ToyTrials(), toy_prior(sizes=sizes), 60, BankSettings(2, 8))
    return made, fit(made.shares, made.expected, seed=1)


@cache
def toy_sampler(sizes: bool) -> Sampler:
    toy = ToyTrials()
    return Sampler(Likelihood(toy_prior(sizes=sizes), toy.targets, toy.luck({}, people=1, seed=1).correlation))


def test_the_density_of_a_trial_is_that_of_a_multivariate_normal() -> None:
    from scipy.stats import multivariate_normal

    toy, sampler = ToyTrials(), toy_sampler(True)
    likelihood = sampler.likelihood
    luck = toy.luck({}, people=1, seed=1)
    emulator = toy_bank(True)[1].emulator
    facts = likelihood.facts(published(toy.targets), emulator, luck)
    vector = start(likelihood) + 0.1
    found = np.asarray(sampler.trial_log_densities(vector, facts))
    shares, sizes = np.asarray(likelihood.shares(vector)), np.asarray(likelihood.sizes(vector))
    mean = emulator.predict(shares[None, :])[0]
    slope = emulator.linear + 2.0 * emulator.quadratic @ shares
    shift = slope @ likelihood.directions[0] * sizes[0]
    soft = 0.7 * luck.correlation + 0.3 * np.eye(18)
    scaled = (emulator.residuals - emulator.residuals.mean(axis=0)) / emulator.residuals.std(axis=0)
    residual = 0.7 * (scaled.T @ scaled / len(scaled)) + 0.3 * np.eye(18)
    np.fill_diagonal(residual, 1.0)
    whole = soft * 1.5**2 + residual * np.outer(emulator.error, emulator.error)
    whole += np.outer(shift, shift) + soft * sizes[1] ** 2
    for trial in range(6):
        own = slice(3 * trial, 3 * trial + 3)
        expected = multivariate_normal(mean[own], whole[own, own]).logpdf(published(toy.targets)[own])
        assert found[trial] == pytest.approx(expected, rel=1e-8)


def test_the_sampler_agrees_with_a_grid() -> None:
    toy, sampler = ToyTrials(), toy_sampler(False)
    likelihood = sampler.likelihood
    facts = likelihood.facts(published(toy.targets), toy_bank(False)[1].emulator, toy.luck({}, people=1, seed=1))
    posterior = sampler.sample(facts, 1, SamplerSettings(chains=5, warmup=150, draws=396))
    line = np.linspace(-3.5, 3.5, 121)
    grid = np.stack([axis.ravel() for axis in np.meshgrid(line, line, [0.0], indexing="ij")], axis=1)
    density = sampler.trials(grid, facts).sum(axis=1) - 0.5 * (grid**2).sum(axis=1)
    weights = np.exp(density - density.max())
    weights /= weights.sum()
    for place in (0, 1):
        mean = weights @ grid[:, place]
        sd = np.sqrt(weights @ (grid[:, place] - mean) ** 2)
        assert posterior.flat[:, place].mean() == pytest.approx(mean, abs=0.15 * sd + 0.01)
        assert posterior.flat[:, place].std() == pytest.approx(sd, rel=0.12)
    assert posterior.rhat.max() < 1.03
    assert posterior.flat[:, 2].std() == pytest.approx(1.0, rel=0.15)  # nothing tells of the idle one
    again = sampler.sample(facts, 1, ONE)
    assert np.array_equal(again.vectors, sampler.sample(facts, 1, ONE).vectors)


def test_leaving_a_trial_out_by_weights_agrees_with_fitting_again() -> None:
    toy, sampler = ToyTrials(), toy_sampler(True)
    facts = sampler.likelihood.facts(published(toy.targets), toy_bank(True)[1].emulator, toy.luck({}, people=1, seed=1))
    settings = SamplerSettings(chains=4, warmup=150, draws=396)
    posterior = sampler.sample(facts, 1, settings)
    weighted = leave_one_out(sampler, posterior, facts, seed=1, settings=settings, refit=False)
    assert [left.trial for left in weighted] == list(sampler.likelihood.trials)
    weights = np.ones(6)
    weights[2] = 0.0
    again = sampler.sample(facts._replace(weights=weights), 5, settings)
    own = sampler.trials(again.flat, facts)[:, 2]
    assert weighted[2].log_density == pytest.approx(np.log(np.mean(np.exp(own))), abs=0.15)
    assert weighted[2].k < 0.7


def test_ranks_of_true_values_are_uniform_and_wrong_errors_are_caught() -> None:
    toy, sampler = ToyTrials(), toy_sampler(True)
    bank, fitted = toy_bank(True)
    luck = toy.luck({}, people=1, seed=1)
    ranks, rhat, divergent = calibration_ranks(sampler, bank, fitted, luck, sets=50, seed=1, settings=ONE)
    checked = judged(sampler.likelihood.prior.names, ranks, ("gain", "fade"), rhat, divergent)
    assert checked.uniform
    assert np.isnan(checked.holm[2])
    assert not judged(("a",), (ranks[:, :1] // 3), ("a",), rhat, divergent).uniform

"""The bank of simulations and the emulator learned from it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from toy_trials import ToyTrials, toy_prior

from rekindle.errors import InputError, SolverError
from rekindle.inference.bank import BankFile, BankSettings, design, made_bank
from rekindle.inference.emulator import fit, foretold_error
from rekindle.inference.priors import candidates, prior_of
from rekindle.inference.setup import fitted_trials, shared_prior
from rekindle.inference.targets import Luck, Target, errors
from rekindle.inference.trials import TrialSimulator
from rekindle.mechanism.parameters import parameter_table

SETTINGS = BankSettings(seed=3, people=8)


def test_a_stopped_bank_ends_bit_for_bit_as_an_unbroken_one(tmp_path: Path) -> None:
    whole = made_bank(tmp_path / "whole.jsonl", ToyTrials(noise=5.0), toy_prior(), 12, SETTINGS)
    path = tmp_path / "broken.jsonl"
    made_bank(path, ToyTrials(noise=5.0), toy_prior(), 5, SETTINGS)
    path.write_text(path.read_text()[:-40])  # killed in the middle of a line
    toy = ToyTrials(noise=5.0)
    again = made_bank(path, toy, toy_prior(), 12, SETTINGS)
    assert len(toy.calls) == 8
    assert np.array_equal(whole.expected, again.expected)
    assert np.array_equal(whole.shares, again.shares)


def test_a_bank_of_other_trials_or_settings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bank.jsonl"
    made_bank(path, ToyTrials(), toy_prior(), 2, SETTINGS)
    with pytest.raises(InputError, match="another simulator"):
        BankFile(path, ToyTrials(version="2"), toy_prior(), SETTINGS)
    with pytest.raises(InputError, match="another seed"):
        BankFile(path, ToyTrials(), toy_prior(), BankSettings(seed=4, people=8))
    path.write_text("no bank\n")
    with pytest.raises(InputError, match="no bank"):
        BankFile(path, ToyTrials(), toy_prior(), SETTINGS)


def test_a_number_that_is_not_finite_stops_the_bank_by_name(tmp_path: Path) -> None:
    toy = ToyTrials()
    toy._mean = lambda values: np.full((1, 18), np.nan)  # type: ignore[method-assign]
    with pytest.raises(SolverError, match="t0/0"):
        BankFile(tmp_path / "bank.jsonl", toy, toy_prior(), SETTINGS).fill(np.zeros((1, 3)), [0])


def test_with_a_steep_parameter_a_fourth_power_is_found() -> None:
    random = np.random.default_rng(2)
    shares = random.uniform(-1, 1, (150, 3))

    def truth(s: np.ndarray) -> np.ndarray:
        return (s[:, 0] ** 4 - s[:, 0] ** 3 + 2.0 * s[:, 0] ** 2 * s[:, 1] + s[:, 2])[:, None]

    fresh = random.uniform(-1, 1, (300, 3))
    plain = fit(shares, truth(shares), seed=1).emulator
    steep = fit(shares, truth(shares), seed=1, steep=np.array([0])).emulator
    apart = [float(np.abs(each.predict(fresh) - truth(fresh)).max()) for each in (plain, steep)]
    assert apart[1] < 0.02 < 0.2 < apart[0]
    at, step = np.array([0.4, -0.3, 0.1]), 1e-5
    beside = (steep.predict(at + step * np.eye(3)) - steep.predict(at - step * np.eye(3))) / (2.0 * step)
    assert steep.slope(at) == pytest.approx(beside.T, abs=1e-4)


def test_two_processes_make_the_rows_that_one_makes(tmp_path: Path) -> None:
    simulator, prior = TrialSimulator(fitted_trials()[:1], threads=1), shared_prior(2)
    shares, settings = design(prior, 1, range(3)), BankSettings(seed=3, people=4)
    for processes in (1, 2):
        file = BankFile(tmp_path / f"{processes}.jsonl", simulator, prior, settings, processes=processes)
        file.fill(shares, range(3))
    one, two = (BankFile(tmp_path / f"{each}.jsonl", simulator, prior, settings).bank() for each in (1, 2))
    assert np.array_equal(one.expected, two.expected) and np.array_equal(one.shares, two.shares)


def test_a_row_of_another_set_is_refused(tmp_path: Path) -> None:
    file = BankFile(tmp_path / "bank.jsonl", ToyTrials(), toy_prior(), SETTINGS)
    file.fill(np.zeros((1, 3)), [7])
    file.fill(np.zeros((1, 3)), [7])
    with pytest.raises(InputError, match="Row 7"):
        file.fill(np.full((1, 3), 0.5), [7])


def test_more_rows_keep_the_first_ones() -> None:
    prior = toy_prior()
    assert np.array_equal(design(prior, 1, range(5)), design(prior, 1, range(40))[:5])
    assert json.dumps(design(prior, 1, [0]).tolist()) != json.dumps(design(prior, 2, [0]).tolist())


def test_the_emulator_finds_a_quadratic_exactly_and_says_its_error_where_it_is_noisy() -> None:
    random = np.random.default_rng(1)
    shares = random.uniform(-1, 1, (60, 4))

    def truth(s: np.ndarray) -> np.ndarray:
        return np.stack([3 + 2 * s[:, 0] - s[:, 1] + 1.5 * s[:, 0] * s[:, 1], 1 + s[:, 2] ** 2], axis=1)

    exact = fit(shares, truth(shares), seed=1).emulator
    fresh = random.uniform(-1, 1, (200, 4))
    assert np.abs(exact.predict(fresh) - truth(fresh)).max() < 0.02
    luck = np.array([0.5, 0.5])
    noisy = fit(shares, truth(shares) + 0.5 * random.standard_normal((60, 2)), seed=1, luck=luck).emulator
    missed = np.sqrt(np.mean((noisy.predict(fresh) - truth(fresh)) ** 2, axis=0))
    assert np.all(missed < 1.5 * noisy.error)
    assert np.all(noisy.error < noisy.total_error)
    assert 0.4 < noisy.total_error[0] < 0.8


def test_rows_that_count_for_less_let_the_others_be_met() -> None:
    random = np.random.default_rng(5)
    shares = np.concatenate([random.uniform(-1, 1, (120, 2)), random.uniform(0.3, 0.7, (80, 2))])
    near = np.arange(200) >= 120

    def truth(s: np.ndarray) -> np.ndarray:
        return np.exp(2.0 * s[:, :1]) * (1.0 + s[:, 1:])

    how = {"groups": [[0]], "curved": np.arange(2), "steep": np.array([], dtype=int)}
    fresh = random.uniform(0.35, 0.65, (300, 2))
    errors, foretold = [], []
    for weight in (1.0, 0.01):
        counted = np.where(near, 1.0, weight)
        emulator = fit(shares, truth(shares), seed=1, weights=counted).emulator
        errors.append(float(np.sqrt(np.mean((emulator.predict(fresh) - truth(fresh)) ** 2))))
        foretold.append(np.exp(0.5 * foretold_error(shares, truth(shares), counted, near, **how)))
    assert errors[1] < 0.5 * errors[0]
    assert foretold[1] < 0.5 * foretold[0]
    assert errors == pytest.approx(foretold, rel=0.6)


def test_a_row_that_counts_for_nothing_is_not_there_and_twice_as_much_is_there_twice() -> None:
    random = np.random.default_rng(6)
    shares = random.uniform(-1, 1, (90, 3))
    numbers = (shares[:, :1] ** 2 + shares[:, 1:2]) + 0.1 * random.standard_normal((90, 1))
    fresh = random.uniform(-1, 1, (50, 3))
    without = fit(shares[20:], numbers[20:], seed=1).emulator.predict(fresh)
    weights = np.where(np.arange(90) < 20, 1e-9, 1.0)
    assert fit(shares, numbers, seed=1, weights=weights).emulator.predict(fresh) == pytest.approx(without, abs=0.02)
    twice = fit(np.concatenate([shares, shares[:20]]), np.concatenate([numbers, numbers[:20]]), seed=1).emulator
    heavy = fit(shares, numbers, seed=1, weights=np.where(np.arange(90) < 20, 2.0, 1.0)).emulator
    plain = fit(shares, numbers, seed=1).emulator
    apart = np.abs(twice.predict(fresh) - heavy.predict(fresh)).max()
    assert apart < 0.5 * np.abs(twice.predict(fresh) - plain.predict(fresh)).max()


def test_shares_reach_the_ends_of_the_range_and_come_back() -> None:
    prior = prior_of(["drive_width", "clearance", "spread.depth", "setting.clinic_measure"], effects=())
    scores = np.array([[-8.0, 0.0, 8.0, 0.3], [0.0, 0.0, 0.0, 0.0]])
    shares = prior.shares(scores)
    values = prior.values(shares)
    table = parameter_table()
    at = dict(zip(prior.names, shares[0], strict=True))
    assert all(-1.0 <= share <= 1.0 for share in at.values())
    assert values["drive_width"][1] == pytest.approx(table["drive_width"].value)
    assert np.allclose(prior.scores(shares[1:]), 0.0, atol=1e-12)
    assert set(prior.names) < set(candidates())
    with pytest.raises(InputError, match="drive_width"):
        prior_of(["drive_widht"])


def test_numbers_go_to_the_scale_of_the_likelihood_and_back() -> None:
    for kind in ("points", "share", "ratio", "effect size", "spread", "time", "correlation"):
        target = Target("a/b", "a", kind, 0.4, people=20)
        assert float(target.natural(target.transformed(0.37))) == pytest.approx(0.37)
        rise = (target.transformed(0.4001) - target.transformed(0.3999)) / 2e-4
        assert target.slope(0.4) == pytest.approx(float(rise), rel=1e-3)
    assert np.isfinite(Target("a/b", "a", "share", 0.0, people=17).transformed(0.0))
    with pytest.raises(InputError, match="kind of number"):
        Target("a/b", "a", "colour", 0.4).transformed(0.1)


def test_a_printed_error_of_few_people_leans_on_the_model_and_one_of_many_does_not() -> None:
    luck = Luck(np.array([4.0, 4.0, 4.0]), np.eye(3))
    few, many, unknown = (
        Target("a", "t", "points", 1.0, 1.0, people=10.0),
        Target("b", "t", "points", 1.0, 1.0, people=1e6),
        Target("c", "t", "points", 1.0),
    )
    # Ten people of the model beside ten of the trial: the root of the mean square.
    assert errors([few, many, unknown], luck) == pytest.approx([np.sqrt((16.0 + 1.0) / 2.0), 1.0, 4.0], rel=1e-3)

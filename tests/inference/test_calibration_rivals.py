"""Rivals: weights and information against closed forms, and a rival that is wrong is found out."""

from __future__ import annotations

import numpy as np
import pytest

from rekindle.inference.rivals import averaging_weights, expected_information, stacking_weights


def test_stacking_finds_the_best_mixture() -> None:
    random = np.random.default_rng(1)
    densities = random.normal(-2.0, 1.0, (2, 200))
    weights = stacking_weights(densities)
    grid = np.linspace(0, 1, 2001)
    both = np.exp(densities)
    scores = [np.log(w * both[0] + (1 - w) * both[1]).sum() for w in grid]
    assert weights[0] == pytest.approx(grid[int(np.argmax(scores))], abs=2e-3)
    assert weights.sum() == pytest.approx(1.0)


def test_a_rival_that_foretells_every_trial_better_takes_the_weight() -> None:
    densities = np.stack([np.zeros(10), np.full(10, -1.0)])
    assert stacking_weights(densities)[0] == pytest.approx(1.0, abs=1e-3)
    assert averaging_weights(densities, 1)[0] == pytest.approx(1.0 / (1.0 + np.exp(-10.0)), abs=1e-6)
    assert averaging_weights(np.zeros((2, 10)), 1) == pytest.approx([0.5, 0.5])


def test_information_is_nothing_for_twins_and_one_bit_for_opposites() -> None:
    twins = np.zeros((2, 5, 3))
    apart = np.stack([np.zeros((5, 3)), np.full((5, 3), 20.0)])
    luck = np.ones(3)
    assert expected_information(twins, luck, np.ones(2), seed=1) == pytest.approx(0.0, abs=1e-9)
    assert expected_information(apart, luck, np.ones(2), seed=1) == pytest.approx(1.0, abs=0.02)
    near = expected_information(np.stack([np.zeros((1, 1)), np.full((1, 1), 1.0)]), np.ones(1), np.ones(2), seed=1)
    line = np.linspace(-8, 9, 4001)
    one = np.exp(-0.5 * line**2) / np.sqrt(2 * np.pi)
    other = np.exp(-0.5 * (line - 1) ** 2) / np.sqrt(2 * np.pi)
    mixed = 0.5 * (one + other)
    exact = sum(0.5 * np.trapezoid(part * np.log2(part / mixed), line) for part in (one, other))
    assert near == pytest.approx(exact, abs=0.02)

"""The scores by which forecasts are proven: closed forms, promised coverage, clinics that follow their own model."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rekindle.inference.drift import Wander, log_density

FOLDER = Path(__file__).parents[2] / "benchmarks" / "forecasting"


@pytest.fixture(scope="module")
def benchmark() -> Any:
    """The benchmark's modules by name, with its folder on the path while they are imported."""
    sys.path.insert(0, str(FOLDER))
    try:
        return {name: importlib.import_module(name) for name in ("scoring", "rivals", "clinics")}
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture
def luck() -> np.random.Generator:
    return np.random.default_rng(5)


def test_the_score_of_normal_draws_is_the_closed_form(benchmark, luck) -> None:
    from rekindle.trial.rules import crps_of_normal

    truth = np.array([-1.0, 0.0, 2.5])
    draws = 1.0 + 2.0 * luck.standard_normal((3, 40_000))
    found = benchmark["scoring"].crps_of_rows(draws, truth)
    np.testing.assert_allclose(found, [crps_of_normal(1.0, 2.0, each) for each in truth], rtol=0.02)


def test_bands_of_the_right_distribution_hold_what_they_promise(benchmark, luck) -> None:
    centre = luck.standard_normal((4_000, 1))
    draws, truth = centre + luck.standard_normal((4_000, 400)), (centre + luck.standard_normal((4_000, 1)))[:, 0]
    for width in (50.0, 95.0):
        assert 100 * benchmark["scoring"].inside(draws, truth, width).mean() == pytest.approx(width, abs=2.5)
    # Whole points: bands from before rounding still do, bands of whole points hold more.
    whole = np.rint(3.0 * truth)
    assert benchmark["scoring"].inside(3.0 * draws, whole, 50.0).mean() == pytest.approx(0.5, abs=0.025)
    assert benchmark["scoring"].inside(np.rint(3.0 * draws), whole, 50.0).mean() > 0.55


def test_ranks_are_even_for_a_right_posterior_and_not_for_a_narrow_one(benchmark, luck) -> None:
    scoring = benchmark["scoring"]
    truth = luck.standard_normal(2_000)
    for spread, right in ((1.0, True), (0.8, False)):
        draws = spread * luck.standard_normal((2_000, scoring.RANKS))
        ranks = [scoring.rank_among(row, value, luck.random()) for row, value in zip(draws, truth, strict=True)]
        assert (scoring.uniformity(ranks) > 0.01) == right
    assert scoring.rank_among(np.zeros(9), 0.0, 0.999) == 9 and scoring.rank_among(np.zeros(9), 0.0, 0.0) == 0


def test_reliability_and_pairs_by_hand(benchmark) -> None:
    scoring = benchmark["scoring"]
    chance, came = np.array([0.05, 0.05, 0.95, 0.95]), np.array([0.0, 1.0, 1.0, 1.0])
    assert scoring.brier(chance, came) == pytest.approx((0.0025 + 0.9025 + 2 * 0.0025) / 4)
    assert [row["observed"] for row in scoring.reliability(chance, came)] == [0.5, 1.0]
    assert scoring.calibration_error(chance, came) == pytest.approx((2 * 0.45 + 2 * 0.05) / 4)
    assert scoring.holm({"a": 0.02, "b": 0.03, "c": 0.9}) == pytest.approx({"a": 0.06, "b": 0.06, "c": 0.9})
    found = scoring.paired(np.array([1.0, 1.0, 2.0]), np.array([2.0, 2.0, 4.0]), np.array([0, 0, 1]), 1)
    assert found["difference"] == pytest.approx(-4 / 3) and found["share"] == pytest.approx(-0.5)


def test_simple_forecasts_find_the_level_of_a_person(benchmark, luck) -> None:
    """Persons with a level of their own: what is known of the level goes into the next forecast, and bands hold."""
    level = 30.0 + 5.0 * luck.standard_normal((400, 1))
    totals = level + 2.0 * luck.standard_normal((400, 4))
    fitted = benchmark["rivals"].fit(totals[:150], ["MADRS"] * 4, [0.0, 7.0, 14.0, 28.0])
    scores = {}
    for name, draws in fitted.forecasts(totals[150:], 3, 3).items():
        assert draws.shape == (250, benchmark["rivals"].DRAWS)
        assert benchmark["scoring"].inside(draws, totals[150:, 3], 95.0).mean() == pytest.approx(0.95, abs=0.045)
        scores[name] = benchmark["scoring"].crps_of_rows(draws, totals[150:, 3]).mean()
    # A normal's score is 0.5642 standard deviations: 2.31 with a level from three ratings, 2.83 from one.
    assert scores["mixed model"] == pytest.approx(0.5642 * 2.29, rel=0.12)
    assert scores["Gaussian process"] == pytest.approx(0.5642 * 2.29, rel=0.12)
    assert scores["mixed model"] < scores["last value"] < scores["population mean"]


def test_a_cloud_s_likelihoods_are_those_of_each_history(benchmark, luck) -> None:
    from rekindle.inference.ratings import Expected

    clinics = benchmark["clinics"]
    expected = Expected(
        30.0 + luck.standard_normal((7, 3)), np.full((7, 3), 6.0), np.full((7, 3), 60.0), ("MADRS",) * 3,
        np.array([0.0, 72.0, 240.0]),
    )  # fmt: skip
    wander = Wander()
    covariance = expected.wander_covariance(wander) + 6.0 * np.eye(3)
    white = np.linalg.inv(np.linalg.cholesky(covariance))
    held = clinics.Cloud(clinics.DESIGNS[0], expected, np.zeros((7, 3)), np.zeros((7, 1)), white, wander)
    totals = np.array([31.0, 22.0, 26.0])
    logs, _ = held.log_likelihoods(totals)
    for count in (1, 2, 3):
        wanted = log_density(totals[:count] - expected.mean[:, :count], covariance[:, :count, :count])
        np.testing.assert_allclose(logs[:, count - 1], wanted)

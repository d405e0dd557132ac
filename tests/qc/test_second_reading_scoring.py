"""Two derivations of the scoring, made apart from the same definitions, give the same endpoints.

The package's endpoints, survival, exposure and interval are held against `second_reader_scoring.py`. Beside every
agreement stands a neighbouring definition that the same comparison tells apart.
"""

from __future__ import annotations

import csv
import importlib.util
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from rekindle.outcomes import SCALES, endpoints, observe
from rekindle.outcomes.exposure import auc
from rekindle.outcomes.proportions import wilson
from rekindle.outcomes.survival import kaplan_meier

HERE = Path(__file__)
MADRS = SCALES["MADRS"]


def _second_reader() -> ModuleType:
    spec = importlib.util.spec_from_file_location("second_reader_scoring", HERE.with_name("second_reader_scoring.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reader = _second_reader()
LUCK = np.random.default_rng(20)


# ---- Totals, response, remission


def test_a_rated_total_is_the_sum_of_ten_whole_items_from_0_to_6() -> None:
    latents = {name: LUCK.uniform(size=(40, 3)) for name in MADRS.latents}
    ratings = observe(MADRS, latents, seed=3)
    assert np.array_equal(ratings.items, np.round(ratings.items))
    ours = [[reader.madrs_total([int(item) for item in items]) for items in row] for row in ratings.items]
    assert np.array_equal(ratings.total, ours)
    assert np.abs(ratings.total - ratings.items[..., :9].sum(axis=-1)).max() >= 1  # an item left out
    expected = observe(MADRS, latents, seed=3, error=False)
    assert not np.array_equal(ratings.total, np.round(expected.total))  # the expected total, rounded


BASELINES = LUCK.integers(20, 53, size=60).astype(float)
COURSES = np.clip(LUCK.integers(0, 60, size=(60, 9)), 0, 60).astype(float)
COURSES[:, 0] = BASELINES / 2.0  # exactly half, whole or not
COURSES[:, 1] = np.ceil(BASELINES / 2.0)
COURSES[:, 2] = np.tile([9.0, 10.0, 11.0], 20)


def test_response_is_a_fall_of_half_of_the_baseline_or_more() -> None:
    theirs = endpoints.response(MADRS, COURSES, BASELINES)
    ours = [[reader.madrs_response(b, s) for s in row] for b, row in zip(BASELINES, COURSES, strict=True)]
    assert np.array_equal(theirs, ours)
    more_than_half = [[b - s > 0.5 * b for s in row] for b, row in zip(BASELINES, COURSES, strict=True)]
    nearly_half = [[b - s >= 0.5 * b - 0.6 for s in row] for b, row in zip(BASELINES, COURSES, strict=True)]
    assert not np.array_equal(theirs, more_than_half)
    assert not np.array_equal(theirs, nearly_half)


def test_remission_is_a_total_of_ten_or_less() -> None:
    theirs = endpoints.remission(MADRS, COURSES)
    assert np.array_equal(theirs, [[reader.madrs_remission(score) for score in row] for row in COURSES])
    assert not np.array_equal(theirs, COURSES < 10)
    assert not np.array_equal(theirs, COURSES <= 12)


# ---- Relapse by the first rule of the table

VISITS_H = 24.0 * np.array([0, 3, 7, 10, 14, 21, 28], dtype=float)


def responders_followed() -> tuple[np.ndarray, np.ndarray]:
    """Baselines and courses of people who respond at the first visit and then drift up and down by whole points."""
    luck = np.random.default_rng(7)
    baseline = luck.integers(26, 45, size=300).astype(float)
    first = np.floor(baseline * luck.uniform(0.1, 0.5, size=300))
    steps = luck.normal(1.5, 5.0, size=(300, len(VISITS_H) - 1)).round()
    courses = np.column_stack([first, np.clip(first[:, None] + np.cumsum(steps, axis=1), 0, 60)])
    courses[::5, 3] = baseline[::5] / 2.0
    return baseline, courses


def second_reading(baseline: np.ndarray, courses: np.ndarray, best: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Time of the first of the two visits, or of the last visit; and whether a relapse was seen."""
    times, seen = [], []
    for start, low, scores in zip(baseline, best, courses, strict=True):
        looked = [(hour, score) for hour, score in zip(VISITS_H, scores, strict=True) if not math.isnan(score)]
        second = reader.half_lost_visits(start, low, [score for _, score in looked])
        times.append(looked[-1 if second is None else second - 1][0])
        seen.append(second is not None)
    return np.array(times), np.array(seen)


def test_the_first_relapse_rule_is_read_as_it_stands() -> None:
    table = HERE.parents[2] / "src" / "rekindle" / "outcomes" / "data" / "relapse.csv"
    with table.open(newline="", encoding="utf-8") as stream:
        first = next(csv.DictReader(stream))
    rule = endpoints.relapse_rule(first["name"])
    assert next(iter(endpoints.relapse_rules())) == first["name"]
    assert (float(first["regained"]), int(first["visits"])) == (0.5, 2) == (rule.regained, rule.visits)


@pytest.mark.parametrize("missing", [False, True])
def test_relapse_is_less_than_half_better_at_two_visits_running(missing: bool) -> None:
    """Half of the way to 0 points, which undoes a response: not half of the person's own fall, see below."""
    baseline, courses = responders_followed()
    if missing:
        courses[::3, 2] = np.nan
        courses[1::4, -1] = np.nan
    theirs = endpoints.time_to_relapse(MADRS, VISITS_H, courses, baseline, since_h=np.zeros(300))
    times, seen = second_reading(baseline, courses, np.zeros(300))
    assert np.array_equal(theirs.observed, seen)
    np.testing.assert_array_equal(theirs.time_h, times)
    assert 0.2 < seen.mean() < 0.9


def test_the_comparison_tells_the_two_meanings_of_half_of_the_fall_apart() -> None:
    """Half of the person's own fall (to the score at the start of follow-up) is a later and a rarer relapse."""
    baseline, courses = responders_followed()
    theirs = endpoints.time_to_relapse(MADRS, VISITS_H, courses, baseline, since_h=np.zeros(300))
    _, own_fall = second_reading(baseline, courses, courses[:, 0])
    assert own_fall.sum() < 0.9 * theirs.observed.sum()
    # One visit instead of two, and half itself counted as lost, are told apart as well.
    below = courses > 0.5 * baseline[:, None]
    assert below.any(axis=1).sum() > theirs.observed.sum()
    half_counts = courses >= 0.5 * baseline[:, None]
    running = (half_counts[:, 1:] & half_counts[:, :-1]).any(axis=1)
    assert running.sum() > theirs.observed.sum()


# ---- Kaplan-Meier


def survival_data(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    luck = np.random.default_rng(seed)
    return np.round(luck.exponential(12.0, size=count)) + 1.0, luck.uniform(size=count) < 0.6


@pytest.mark.parametrize(("count", "seed"), [(5, 1), (17, 2), (60, 3), (200, 4)])
def test_kaplan_meier_is_the_product_of_those_who_went_on(count: int, seed: int) -> None:
    times, observed = survival_data(count, seed)
    theirs = kaplan_meier(times, observed)
    steps = reader.kaplan_meier(times.tolist(), observed.tolist())
    np.testing.assert_array_equal(theirs.time_h[1:], [step[0] for step in steps])
    np.testing.assert_allclose(theirs.kept[1:], [step[1] for step in steps], rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(theirs.at_risk[1:], [step[2] for step in steps])
    assert (theirs.time_h[0], theirs.kept[0], theirs.at_risk[0]) == (0.0, 1.0, count)


def test_the_comparison_sees_who_is_censored_at_the_time_of_an_event() -> None:
    times, observed = survival_data(60, 3)
    theirs = kaplan_meier(times, observed)
    left_earlier = times - 0.5 * ~observed
    other = reader.kaplan_meier(left_earlier.tolist(), observed.tolist())
    assert np.abs(theirs.kept[1:] - [step[1] for step in other]).max() > 1e-3
    dropped = reader.kaplan_meier(times[observed].tolist(), [True] * int(observed.sum()))
    assert np.abs(theirs.kept[1:] - [step[1] for step in dropped]).max() > 1e-2


# ---- Area under a curve


def level_course(seed: int) -> tuple[np.ndarray, np.ndarray]:
    luck = np.random.default_rng(seed)
    times = np.cumsum(luck.uniform(0.1, 2.0, size=14))
    levels = 100.0 * (np.exp(-0.2 * times) - np.exp(-0.9 * times)) * luck.uniform(0.7, 1.3, size=14)
    levels[[0, 13]] = 0.0
    levels[5] = levels[4]
    return times, levels


@pytest.mark.parametrize("seed", range(6))
def test_the_area_is_linear_up_and_logarithmic_down(seed: int) -> None:
    times, levels = level_course(seed)
    theirs = auc(times, levels)
    assert theirs == pytest.approx(reader.area_linear_up_log_down(times.tolist(), levels.tolist()), rel=1e-12)
    assert abs(theirs / float(np.trapezoid(levels, times)) - 1.0) > 1e-4  # linear throughout


def test_the_area_of_an_exponential_is_exact() -> None:
    times = np.array([0.0, 1.0, 4.0, 12.0])
    exact = 50.0 * (1.0 - math.exp(-0.3 * 12.0)) / 0.3
    levels = 50.0 * np.exp(-0.3 * times)
    assert reader.area_linear_up_log_down(times.tolist(), levels.tolist()) == pytest.approx(exact, rel=1e-12)
    assert auc(times, levels) == pytest.approx(exact, rel=1e-12)


# ---- Wilson's interval

COUNTS = [(0, 1), (1, 1), (0, 24), (24, 24), (1, 30), (17, 24), (29, 47), (7, 25), (500, 1000)]


@pytest.mark.parametrize(("successes", "count"), COUNTS)
def test_wilson_s_ends_are_the_shares_at_1_96_standard_errors(successes: int, count: int) -> None:
    theirs = wilson(successes, count)
    assert (theirs.low, theirs.high) == pytest.approx(reader.wilson(successes, count), abs=1e-12)
    assert (theirs.low, theirs.high) != pytest.approx(reader.wilson(successes, count, z=1.96), abs=1e-8)
    share = successes / count
    usual = 1.96 * math.sqrt(share * (1.0 - share) / count)
    assert (theirs.low, theirs.high) != pytest.approx((share - usual, share + usual), abs=1e-5)

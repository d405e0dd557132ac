"""The arithmetic of trials by hand, by closed form and by other programs."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rekindle.errors import InputError
from rekindle.outcomes import SCALES, observe
from rekindle.trial.analyses import ancova, filled, hazard_ratio, kaplan_meier, mixed_model, odds_ratio
from rekindle.trial.baselines import random_effects
from rekindle.trial.quantify import Seen, rated
from rekindle.trial.quantify_events import at_least
from rekindle.trial.rating import chance_at_most, expected_and_sd, expected_items
from rekindle.trial.rules import bootstrap, crps_of_draws, crps_of_normal
from rekindle.trial.sequential import crossing, looks
from rekindle.trial.staying import Staying

NAN = math.nan


def test_gaps_are_filled_as_named() -> None:
    scores = np.array([[20.0, NAN, 10.0], [NAN, NAN, NAN], [18.0, 15.0, NAN]])
    baseline = np.array([30.0, 32.0, 28.0])
    locf = [[20.0, 20.0, 10.0], [32.0, 32.0, 32.0], [18.0, 15.0, 15.0]]
    nri = [[20.0, 30.0, 10.0], [32.0, 32.0, 32.0], [18.0, 15.0, 28.0]]
    assert filled(scores, "locf", baseline).tolist() == locf
    assert filled(scores, "nri", baseline).tolist() == nri
    np.testing.assert_array_equal(filled(scores, "observed", baseline), scores)
    with pytest.raises(InputError):
        filled(scores, "guess", baseline)


@pytest.mark.parametrize("missing", ["locf", "nri"])
def test_expected_filled_ratings_are_those_of_people_who_leave(missing: str) -> None:
    chances, means, errors = np.array([0.9, 0.7, 0.4]), np.array([30.0, 22.0, 10.0]), np.array([3.0, 2.0, 4.0])
    times = (0.0, 24.0, 48.0, 72.0)
    scored = {
        time: (np.full((1, 1), mean), np.full((1, 1), sd))
        for time, mean, sd in zip(times[1:], means, errors, strict=True)
    }
    view = SimpleNamespace(
        trial=SimpleNamespace(missing=missing),
        stopped=None,
        courses=None,
        score=lambda scale, time, item: scored[time],
        entry=lambda scale, item, baseline: np.full((1, 1), 34.0),
    )
    number = SimpleNamespace(scale="MADRS", item=None, options=SimpleNamespace(baseline="period"))
    stay = Staying(times, np.array([1.0, *chances]).reshape(4, 1, 1))
    part: Any = Seen(view, number, np.ones((1, 1)), stay, 20.0)  # type: ignore[arg-type]
    value, variance, _ = rated(part, 72.0)
    random = np.random.default_rng(5)
    drawn = means + errors * random.standard_normal((200_000, 3))
    drawn[random.random(200_000)[:, None] >= chances] = NAN
    last = filled(drawn, missing, np.full(200_000, 34.0))[:, -1]
    assert value[0, 0] == pytest.approx(last.mean(), abs=0.1)
    assert variance[0, 0] == pytest.approx(last.var(), rel=0.02)


def test_ancova_without_a_covariate_is_the_t_test() -> None:
    from scipy.stats import ttest_ind

    random = np.random.default_rng(3)
    change, active = random.normal(size=40), np.arange(40) < 22
    found = ancova(change, active, np.zeros(40))
    expected = ttest_ind(change[active], change[~active])
    assert found.p == pytest.approx(float(expected.pvalue))
    assert found.value == pytest.approx(change[active].mean() - change[~active].mean())


def test_the_mixed_model_of_whole_data_finds_the_difference_of_means() -> None:
    random = np.random.default_rng(4)
    person = random.normal(0, 4, 60)[:, None]
    changes = person + random.normal(0, 3, (60, 3)) - 5.0
    active = np.arange(60) < 30
    changes[active] -= np.array([1.0, 2.0, 3.0])
    found = mixed_model(changes, active, np.zeros(60))
    assert found.value == pytest.approx(changes[active, 2].mean() - changes[~active, 2].mean(), abs=1e-6)


def test_odds_ratio_by_hand() -> None:
    found = odds_ratio(30, 47, 7, 25)
    assert found.value == pytest.approx((30 / 17) / (7 / 18))
    assert found.standard_error == pytest.approx(math.sqrt(1 / 30 + 1 / 17 + 1 / 7 + 1 / 18))


def test_survival_by_hand_and_by_our_own_estimate() -> None:
    from rekindle.outcomes.survival import kaplan_meier as own

    times = np.array([2.0, 3.0, 3.0, 5.0, 8.0])
    seen = np.array([True, True, False, True, False])
    steps, kept, median = kaplan_meier(times, seen)
    assert kept[np.searchsorted(steps, 3.0)] == pytest.approx(0.8 * 0.75)
    assert median == 5.0 == own(times, seen).median_h


def test_a_hazard_ratio_of_exponential_times_is_that_of_their_rates() -> None:
    random = np.random.default_rng(5)
    times = np.concatenate([random.exponential(20.0, 4000), random.exponential(10.0, 4000)])
    active = np.arange(8000) < 4000
    found = hazard_ratio(np.minimum(times, 15.0), times <= 15.0, active)
    assert found.value == pytest.approx(0.5, abs=0.05)  # standard error of the logarithm 0.03
    with pytest.raises(InputError):
        hazard_ratio(times[:10], np.zeros(10, dtype=bool), active[:10])


# Lan-DeMets boundaries, two-sided 5 %, equal looks, as tabulated in the documents of ldbounds and gsDesign.
PUBLISHED = [
    ("obrien-fleming", 2, [2.9626, 1.9686]),
    ("obrien-fleming", 5, [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
    ("pocock", 2, [2.1570, 2.2010]),
    ("pocock", 5, [2.4380, 2.4268, 2.4101, 2.3966, 2.3859]),
]


@pytest.mark.parametrize(("spending", "count", "bounds"), PUBLISHED)
def test_boundaries_are_the_published_ones(spending: str, count: int, bounds: list[float]) -> None:
    plan = looks([(place + 1) / count for place in range(count)], spending=spending)
    assert plan.bounds == pytest.approx(bounds, abs=3e-4)
    assert sum(crossing(plan.shares, plan.bounds, 0.0)) == pytest.approx(0.05, abs=1e-5)


def test_power_of_one_look_is_that_of_the_normal_test() -> None:
    from scipy.stats import norm

    power = sum(crossing([1.0], [1.959964], 2.8))
    assert power == pytest.approx(norm.sf(1.959964 - 2.8) + norm.cdf(-1.959964 - 2.8), abs=1e-8)


def test_looks_that_do_not_rise_to_one_are_refused() -> None:
    for shares in ([], [0.5], [0.5, 0.4, 1.0], [0.0, 1.0]):
        with pytest.raises(InputError):
            looks(shares)


def test_the_score_of_many_normal_draws_is_the_closed_form() -> None:
    draws = np.random.default_rng(6).normal(2.0, 3.0, 200_000)
    for truth in (-4.0, 2.0, 7.5):
        assert crps_of_draws(draws, truth) == pytest.approx(crps_of_normal(2.0, 3.0, truth), rel=0.02)


def test_the_bootstrap_draws_groups_whole() -> None:
    groups = ["a"] * 3 + ["b"] * 3
    values = np.array([0.0] * 3 + [1.0] * 3)
    low, high = bootstrap(groups, lambda rows: float(values[rows].mean()), 1, times=400)
    assert (low, high) == (0.0, 1.0)


def test_random_effects_agree_with_statsmodels() -> None:
    from statsmodels.stats.meta_analysis import combine_effects

    values, errors = np.array([-8.0, -3.0, -15.0, -6.0]), np.array([2.0, 1.5, 3.0, 2.5])
    mean, spread = random_effects(values.tolist(), errors.tolist())
    found = combine_effects(values, errors**2, method_re="chi2")
    assert mean == pytest.approx(float(found.mean_effect_re))
    assert spread == pytest.approx(math.sqrt(float(found.tau2) + float(found.sd_eff_w_re) ** 2))


def test_chances_of_several_events_by_hand() -> None:
    a, b, c = (np.array([chance]) for chance in (0.5, 0.2, 0.1))
    none = 0.5 * 0.8 * 0.9
    one = 0.5 * 0.8 * 0.9 + 0.5 * 0.2 * 0.9 + 0.5 * 0.8 * 0.1
    assert at_least([a, b, c], 1)[0] == pytest.approx(1 - none)
    assert at_least([a, b, c], 2)[0] == pytest.approx(1 - none - one)


@pytest.mark.parametrize(("name", "level"), [("MADRS", 0.5), ("MADRS", 0.2), ("HAM-D17", 0.35), ("PHQ-9", 0.5)])
def test_the_spread_of_a_rating_is_that_of_drawn_ratings(name: str, level: float) -> None:
    scale, people = SCALES[name], 20_000
    latents = {each: np.full((people, 1), level) for each in scale.latents}
    drawn = observe(scale, latents, seed=1).total[:, 0]
    items = expected_items(scale, {each: np.array(level) for each in scale.latents})
    expected, sd = expected_and_sd(scale, items, None)
    assert float(expected) == pytest.approx(drawn.mean(), abs=0.06)
    assert float(sd) == pytest.approx(drawn.std(), rel=0.06)
    line = math.floor(float(expected)) - 2.0
    chance = chance_at_most(line, expected, sd)
    assert float(chance) == pytest.approx((drawn <= line).mean(), abs=0.025)  # errors are uniform, not normal


def test_the_expected_hazard_ratio_of_exponential_curves_is_that_of_their_hazards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from types import SimpleNamespace

    from rekindle.trial import compare

    times = np.linspace(0.0, 100.0, 201)

    def kept(part: SimpleNamespace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return times, np.exp(-part.hazard * times)[:, None], np.ones(1)

    monkeypatch.setattr(compare, "kept", kept)
    first, second = SimpleNamespace(hazard=0.005, n=90.0), SimpleNamespace(hazard=0.01, n=86.0)
    found, luck = compare.hazard_ratio(first, second)  # type: ignore[arg-type]
    assert found[0] == pytest.approx(math.log(0.5), abs=0.01)
    events = 90 * (1 - math.exp(-0.5)), 86 * (1 - math.exp(-1.0))
    assert luck[0] == pytest.approx(math.sqrt(1 / events[0] + 1 / events[1]), rel=0.1)


@pytest.mark.parametrize("rule", ["half lost", "PHQ-9 half lost"])
def test_chances_of_relapse_are_those_of_every_way_it_can_go(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from itertools import product

    from rekindle.outcomes.endpoints import relapse_rule
    from rekindle.trial.view import View

    chances = [0.3, 0.5, 0.2, 0.6]
    monkeypatch.setattr(View, "_bad", lambda self, scale, name, time: np.array([[chances[int(time) - 1]]]))
    view = View.__new__(View)
    found = view.relapse_chances("any", rule, [0.0, 1.0, 2.0, 3.0, 4.0])[:, 0, 0]
    running = relapse_rule(rule).visits
    expected = np.zeros(5)
    for ways in product((False, True), repeat=4):
        weight = math.prod(c if bad else 1.0 - c for c, bad in zip(chances, ways, strict=True))
        dated = next((place for place in range(4) if all(ways[place : place + running])
                      and place + running <= 4), None)  # fmt: skip
        if dated is not None:
            expected[dated + 1 :] += weight
    np.testing.assert_allclose(found, expected, atol=1e-12)

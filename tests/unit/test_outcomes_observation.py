"""Ratings and their luck: named by visit, item and person, and shared only as far as asked."""

from __future__ import annotations

import numpy as np
import pytest

from rekindle.errors import InputError
from rekindle.outcomes import SCALES, observe
from rekindle.outcomes.observation import item_error_sd, observed_totals

MADRS = SCALES["MADRS"]


def depressed(people: int, times: int, level: float = 0.55) -> dict[str, np.ndarray]:
    return {name: np.full((people, times), level) for name in MADRS.latents}


def test_the_same_seed_gives_the_same_ratings_and_another_does_not() -> None:
    one, again, other = (observe(MADRS, depressed(30, 3), seed=seed).items for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_visit_keeps_its_rating_when_others_are_left_out() -> None:
    all_visits = observe(MADRS, depressed(20, 6), seed=1).items
    some = observe(MADRS, depressed(20, 2), seed=1, visits=[1, 4]).items
    assert np.array_equal(some, all_visits[:, [1, 4]])


def test_a_person_keeps_their_rating_when_others_are_left_out() -> None:
    everybody = observe(MADRS, depressed(20, 3), seed=1).items
    late = observe(MADRS, depressed(5, 3), seed=1, start=12).items
    assert np.array_equal(late, everybody[12:17])


def test_scales_and_purposes_have_luck_of_their_own() -> None:
    latents = depressed(400, 1)
    one = observe(MADRS, latents, seed=1).total[:, 0]
    again = observe(MADRS, latents, seed=1, purpose=["second rater"]).total[:, 0]
    other = observe(SCALES["HAM-D17"], latents, seed=1).total[:, 0]
    assert abs(np.corrcoef(one, again)[0, 1]) < 0.15
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.15


def test_visits_are_independent_and_items_of_a_visit_share_a_little() -> None:
    items = observe(MADRS, depressed(4000, 2), seed=1).items
    totals = items.sum(axis=-1)
    assert abs(np.corrcoef(totals[:, 0], totals[:, 1])[0, 1]) < 0.05
    sadness, tension = items[:, 0, 0], items[:, 0, 2]
    assert 0.02 < np.corrcoef(sadness, tension)[0, 1] < 0.25


def test_the_items_error_adds_up_to_the_totals_error() -> None:
    own = item_error_sd(MADRS)
    variance = 10 * own**2 + 10 * 9 * MADRS.halo * own**2 + 10 / 6
    assert np.sqrt(variance) == pytest.approx(MADRS.error_sd)


def test_someone_without_symptoms_is_rated_zero() -> None:
    assert not observe(MADRS, depressed(50, 3, level=0.0), seed=1).total.any()


def test_a_failed_course_stays_missing_and_harms_no_other() -> None:
    latents = depressed(3, 2)
    latents["severity"][1, 1] = np.nan
    rated = observe(MADRS, latents, seed=1)
    assert np.isnan(rated.total[1, 1])
    assert np.isfinite(rated.total[[0, 2]]).all()


def test_an_item_is_read_by_name() -> None:
    rated = observe(MADRS, depressed(3, 2), seed=1)
    assert np.array_equal(rated.item("suicidal thoughts"), rated.items[..., 9])
    with pytest.raises(InputError, match="Nearest: reduced sleep"):
        rated.item("reduced sleeps")


@pytest.mark.parametrize("visits", [[0], [0, 0, 1], [0, 1, 2, 3]])
def test_visits_must_match_the_times(visits: list[int]) -> None:
    with pytest.raises(InputError, match="for 3 times"):
        observe(MADRS, depressed(2, 3), seed=1, visits=visits)


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="people x times"):
        observe(MADRS, {name: np.zeros(3) for name in MADRS.latents}, seed=1)
    uneven = depressed(2, 3) | {"severity": np.zeros((4, 3))}
    with pytest.raises(InputError, match="different numbers of people"):
        observe(MADRS, uneven, seed=1)
    systolic = SCALES["systolic pressure"]
    with pytest.raises(InputError, match="systolic_baseline"):
        observe(systolic, {"systolic_rise": np.zeros((2, 2))}, seed=1)


def test_pressure_is_the_persons_own_plus_the_rise() -> None:
    systolic = SCALES["systolic pressure"]
    rise = np.array([[0.0, 12.5], [0.0, 30.0]])
    own = {"systolic_baseline": np.array([110.0, 130.0])}
    expected = systolic.expected({"systolic_rise": rise}, own)
    assert np.allclose(expected, [[110.0, 122.5], [130.0, 160.0]])


@pytest.mark.parametrize("name", sorted(SCALES))
def test_totals_without_items_are_those_with_them(name: str) -> None:
    scale, people, times = SCALES[name], 37, 5
    luck = np.random.default_rng(3)
    latents = {latent: luck.random((people, times)) for latent in scale.latents}
    person = {each: luck.random(people) * 80.0 for each in scale.person_inputs}
    whole = observe(scale, latents, person, seed=5, purpose=("repeat", "Ketamine"))
    totals = observed_totals(scale, latents, person, seed=5, purpose=("repeat", "Ketamine"))
    np.testing.assert_array_equal(totals, whole.total)

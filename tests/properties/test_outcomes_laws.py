"""Laws of outcomes, for any course: order, sums, and what must not change what."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rekindle.outcomes import SCALES, observe
from rekindle.outcomes.endpoints import classes, out_of_100, response, time_to_relapse, time_to_response
from rekindle.outcomes.exposure import auc
from rekindle.outcomes.proportions import jeffreys, wilson
from rekindle.outcomes.survival import kaplan_meier

MADRS = SCALES["MADRS"]
shares = st.floats(0.0, 1.0)
totals = arrays(np.float64, (6, 8), elements=st.integers(0, 60).map(float))
VISITS = 24.0 * np.array([0, 1, 2, 3, 7, 14, 21, 28])


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(SCALES)), arrays(np.float64, (3, 4), elements=shares), st.integers(0, 2**62))
def test_whole_ratings_stay_in_range_and_within_error_of_what_is_expected(
    name: str, levels: np.ndarray, seed: int
) -> None:
    scale = SCALES[name]
    latents = dict.fromkeys(scale.latents, levels * 90)
    if scale.name not in ("CADSS", "liking") and not scale.person_inputs:
        latents = dict.fromkeys(scale.latents, levels)
    person = {given: np.full(3, 100.0) for given in scale.person_inputs}
    rated = observe(scale, latents, person, seed=seed)
    assert (rated.total >= scale.minimum).all() and (rated.total <= scale.maximum).all()
    assert np.array_equal(rated.items, np.round(rated.items))
    widest = len(scale.items) + np.sqrt(6.0) * len(scale.items) * scale.error_sd
    assert (np.abs(rated.total - scale.expected(latents, person)) <= widest).all()


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, (2, 3), elements=shares), arrays(np.float64, (2, 3), elements=shares))
def test_worse_latents_never_give_a_better_expected_score(low: np.ndarray, more: np.ndarray) -> None:
    high = np.minimum(low + more, 1.0)
    for scale in (SCALES["MADRS"], SCALES["HAM-D17"], SCALES["PHQ-9"], SCALES["Sheehan"]):
        better = scale.expected(dict.fromkeys(scale.latents, low))
        worse = scale.expected(dict.fromkeys(scale.latents, high))
        assert (worse >= better - 1e-9).all()


@settings(max_examples=60, deadline=None)
@given(totals)
def test_a_smaller_share_of_the_fall_is_reached_no_later(courses: np.ndarray) -> None:
    baseline = courses[:, 0]
    assert (response(MADRS, courses, baseline, share=0.5) <= response(MADRS, courses, baseline, share=0.25)).all()


@settings(max_examples=60, deadline=None)
@given(totals)
def test_classes_cover_everybody_and_a_hundred_is_a_hundred(courses: np.ndarray) -> None:
    found = classes(MADRS, courses, np.full(6, 40.0))
    assert ((found >= 0) & (found <= 4)).all()
    assert (out_of_100(found).sum(axis=1) == 100).all()
    responded = response(MADRS, courses, np.full(6, 40.0)) | (courses <= 10)
    assert (responded == (found <= 1)).all()


@settings(max_examples=60, deadline=None)
@given(totals)
def test_relapse_comes_no_later_when_one_visit_is_enough(courses: np.ndarray) -> None:
    baseline = np.full(6, 40.0)
    since = time_to_response(MADRS, VISITS, courses, baseline)
    start = np.where(since.observed, since.time_h, np.nan)
    twice = time_to_relapse(MADRS, VISITS, courses, baseline, since_h=start)
    once = time_to_relapse(MADRS, VISITS, courses, baseline, since_h=start, rule="30 % lost")
    both = since.observed
    assert (twice.time_h[both] >= 0).all()
    assert not (~since.observed & (twice.observed | once.observed)).any()


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, 12, elements=st.floats(0.1, 400.0)), arrays(np.bool_, 12))
def test_survival_falls_from_one_and_lies_inside_its_interval(times: np.ndarray, observed: np.ndarray) -> None:
    curve = kaplan_meier(times, observed)
    assert curve.kept[0] == 1.0 and (np.diff(curve.kept) <= 0).all()
    assert (curve.low <= curve.kept + 1e-12).all() and (curve.high >= curve.kept - 1e-12).all()
    assert (curve.low >= 0).all() and (curve.high <= 1).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.data())
def test_intervals_of_shares_hold_the_share_and_mirror(total: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, total))
    for interval in (wilson, jeffreys):
        share, other = interval(successes, total), interval(total - successes, total)
        assert 0 <= share.low <= share.value <= share.high <= 1
        assert abs(share.low - (1 - other.high)) < 1e-9


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, 9, elements=st.just(0.0) | st.floats(1e-6, 500.0)), st.floats(0.1, 20.0))
def test_areas_scale_add_and_lie_between_the_extremes(values: np.ndarray, factor: float) -> None:
    times = np.linspace(0, 8, 9)
    whole = auc(times, values)
    assert np.isclose(auc(times, factor * values), factor * whole, rtol=1e-9, atol=1e-9)
    assert np.isclose(auc(times[:5], values[:5]) + auc(times[4:], values[4:]), whole, rtol=1e-9, atol=1e-9)
    assert 8 * values.min() - 1e-9 <= whole <= 8 * values.max() + 1e-9

"""Scores against closed forms and integration; saved forecasts against a history that fits and several that do not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from rekindle.dosing import parse
from rekindle.errors import InputError
from rekindle.inference.forecast import LEVELS, forecast
from rekindle.inference.saved import read_saved, records, saved, score_forecast
from rekindle.inference.scoring import brier, covers, crps_of_quantiles, crps_of_samples
from rekindle.inference.update import update
from rekindle.person.record import Given, Person, Planned, Rated

DAY = 24.0
NOW = 16 * DAY


def crps_of_a_normal(at: float) -> float:
    """Gneiting and Raftery 2007, equation 21, for mean 0 and spread 1."""
    return float(at * (2.0 * norm.cdf(at) - 1.0) + 2.0 * norm.pdf(at) - 1.0 / np.sqrt(np.pi))


@pytest.mark.parametrize("at", [-3.0, 0.0, 0.5, 2.0])
def test_crps_of_draws_and_of_quantiles_is_that_of_the_normal(at: float) -> None:
    draws = norm.ppf((np.arange(4_000) + 0.5) / 4_000)
    assert crps_of_samples(draws, at) == pytest.approx(crps_of_a_normal(at), abs=1e-4)
    fine = np.arange(0.5, 100.0, 1.0)
    assert crps_of_quantiles(norm.ppf(fine / 100), fine, at) == pytest.approx(crps_of_a_normal(at), abs=1e-3)
    seven = crps_of_quantiles(norm.ppf(np.array(LEVELS) / 100), LEVELS, at)
    assert seven == pytest.approx(crps_of_a_normal(at), abs=0.02), "seven quantiles are enough for two digits"


def test_crps_of_a_line_an_atom_and_a_point() -> None:
    # Uniform on 0 to 10: a third of each side's cube.
    assert crps_of_quantiles([2.5, 5.0, 7.5], (25, 50, 75), 3.0) == pytest.approx(10 * (0.3**3 + 0.7**3) / 3)
    assert crps_of_quantiles([5.0, 5.0, 5.0], (25, 50, 75), 7.0) == pytest.approx(2.0)
    # Half of the chance on 0, the rest even to 10, and 0 came: half of the integral of (1 - F) squared.
    assert crps_of_quantiles([0.0, 0.0, 5.0], (25, 50, 75), 0.0, low=0.0, high=10.0) == pytest.approx(10 * 0.25 / 3)


def test_crps_of_quantiles_with_ties_is_the_integral_of_the_squared_distance() -> None:
    quantiles, at = [1.0, 3.0, 3.0, 4.0, 6.0, 6.0, 9.0], 5.0
    below = quantiles[0] - 0.025 * (quantiles[1] - quantiles[0]) / 0.075
    above = quantiles[-1] + 0.025 * (quantiles[-1] - quantiles[-2]) / 0.075
    corners = np.array([below, *quantiles, above])
    shares = np.array([0.0, *(level / 100 for level in LEVELS), 1.0])
    grid = np.linspace(below - 1.0, above + 1.0, 400_001)
    place = np.searchsorted(corners, grid, side="right")
    left, right = corners[np.maximum(place - 1, 0)], corners[np.minimum(place, len(corners) - 1)]
    part = np.divide(grid - left, right - left, out=np.zeros_like(grid), where=right > left)
    step = shares[np.minimum(place, len(shares) - 1)] - shares[np.maximum(place - 1, 0)]
    function = np.where(place == 0, 0.0, shares[np.maximum(place - 1, 0)] + part * step)
    wanted = np.trapezoid((function - (grid >= at)) ** 2, grid)
    assert crps_of_quantiles(quantiles, LEVELS, at) == pytest.approx(wanted, abs=1e-4)


def test_bands_hold_their_ends_and_chances_score_as_brier_did() -> None:
    assert covers([1, 2, 3, 4, 5, 6, 7], LEVELS, 7.0, 95) and not covers([1, 2, 3, 4, 5, 6, 7], LEVELS, 7.1, 95)
    assert brier([0.5, 0.5], [1, 0]) == 0.25 and brier([1.0, 0.0], [1, 0]) == 0.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: crps_of_samples([], 1.0),
        lambda: crps_of_quantiles([2.0, 1.0], (25, 75), 1.0),
        lambda: crps_of_quantiles([1.0, 2.0], (75, 25), 1.0),
        lambda: crps_of_quantiles([1.0], (50,), 1.0),
        lambda: covers([1.0, 2.0], (25, 75), 1.0, 80.0),
        lambda: brier([], []),
    ],
)
def test_what_cannot_be_scored_is_refused(call) -> None:
    with pytest.raises(InputError):
        call()


def person(*new: Rated, given: tuple[Given, ...] = ()) -> Person:
    doses = tuple(Given(day * DAY + 10.0, "40 mg IV over 40 min") for day in (1, 4, 8, 11))
    ratings = (Rated(0.0, "MADRS", 34.0), Rated(9 * DAY, "MADRS", 20.0), Rated(15 * DAY, "MADRS", 14.0))
    plan = Planned(parse("40 mg IV over 40 min, weekly for 2 weeks"), 18 * DAY + 10.0, 44 * DAY)
    known = {"weight_kg": 80.0, "age_years": 45.0, "sex": "female"}
    return Person(
        date(2026, 1, 5),
        "treatment-resistant-depression",
        NOW,
        known,
        {},
        (*doses, *given),
        (*ratings, *new),
        planned=plan,
    )


@pytest.fixture(scope="module")
def made() -> dict:
    return json.loads(json.dumps(saved(forecast(update(person(), candidates=300), draws=300))))


PLANNED = tuple(Given(day * DAY + 10.0, "40 mg IV over 40 min") for day in (18, 25))


def test_a_forecast_is_saved_as_made_and_scored_by_what_came(made, tmp_path: Path) -> None:
    (tmp_path / "forecast.json").write_text(json.dumps(made))
    assert read_saved(tmp_path) == read_saved(tmp_path / "forecast.json") == made
    assert made["made"]["version"] and made["made"]["made_at"] and made["data"]
    coming = made["scales"][0]
    middle = coming["ratings"][7][3]  # a week ahead, a date of the forecast
    hour = coming["hours"][7]
    later = replace(person(Rated(hour, "MADRS", round(middle)), given=PLANNED), now_h=30 * DAY)
    score = score_forecast(made, later)
    (one,) = score.ratings
    assert one.date == coming["dates"][7] and abs(one.error) <= 0.5
    assert one.crps == pytest.approx(crps_of_quantiles(coming["ratings"][7], LEVELS, round(middle), low=0, high=60))
    assert one.inside == {"50": True, "80": True, "95": True} and one.said_response == coming["response"][7]
    assert one.responded == (round(middle) <= 17)
    total = score.totals()["MADRS"]
    assert total["coverage"] == {"50": 1.0, "80": 1.0, "95": 1.0} and total["crps"] == pytest.approx(one.crps, abs=1e-3)
    assert total["brier_response"] == pytest.approx((one.said_response - one.responded) ** 2, abs=1e-4)
    assert not score.notes


def test_a_far_rating_scores_its_distance_and_lies_outside(made) -> None:
    hour = made["scales"][0]["hours"][7]
    score = score_forecast(made, replace(person(Rated(hour, "MADRS", 58.0), given=PLANNED[:1]), now_h=30 * DAY))
    (one,) = score.ratings
    assert one.inside == {"50": False, "80": False, "95": False} and one.error > 20 and one.crps > 15


def test_the_other_doses_another_scale_and_later_ratings_are_told(made) -> None:
    new = (Rated(20 * DAY, "MADRS", 12.0), Rated(21 * DAY, "PHQ-9", 5.0), Rated(400 * DAY, "MADRS", 5.0))
    notes = " ".join(score_forecast(made, replace(person(*new), now_h=400 * DAY)).notes)
    assert "not those planned (1 of 1 planned not given" in notes and "PHQ-9" in notes and "1 rating after" in notes


@pytest.mark.parametrize("part", ["doses", "ratings", "vitals"])
def test_another_history_is_refused_without_showing_it(made, part: str) -> None:
    whole = person(Rated(20 * DAY, "MADRS", 12.0))
    from rekindle.person.record import Vital

    other = {
        "doses": replace(whole, given=whole.given[1:]),
        "ratings": replace(whole, ratings=(Rated(0.0, "MADRS", 33.0), *whole.ratings[1:])),
        "vitals": replace(whole, vitals=(Vital(30.0, 120.0, 80.0),)),
    }[part]
    with pytest.raises(InputError) as caught:
        score_forecast(made, other, where="case.yaml")
    assert part in str(caught.value) and "33" not in str(caught.value) and "40 mg" not in str(caught.value)


def test_what_a_rating_or_level_means_belongs_to_the_history() -> None:
    from rekindle.inference.forecast import person_digest
    from rekindle.person.record import Level

    level = Level(34.7, "ketamine", None, True, 2.0)
    whole = replace(person(), levels=(level,))
    first, *others = whole.ratings
    changed = {
        "ratings": [
            replace(whole, ratings=(replace(first, recall_days=7.0), *others)),
            replace(whole, ratings=(replace(first, items={"reported sadness": 4}), *others)),
        ],
        "levels": [replace(whole, levels=(replace(level, limit_ng_ml=5.0),)), replace(whole, level_method="M1")],
    }
    for part, ones in changed.items():
        for one in ones:
            assert person_digest(one) != person_digest(whole)
            differ = [name for name in records(whole, NOW) if records(whole, NOW)[name] != records(one, NOW)[name]]
            assert differ == [part]
            assert records(one, NOW, 1) == records(whole, NOW, 1)


def test_a_forecast_saved_before_is_scored_with_a_note(made) -> None:
    later = replace(person(Rated(made["scales"][0]["hours"][7], "MADRS", 20.0), given=PLANNED), now_h=30 * DAY)
    before = {**made, "records": records(person(), NOW, 1)}
    del before["records_version"]
    (note,) = score_forecast(before, later).notes
    assert "saved by an earlier version" in note
    for odd in (9, "two", None):
        with pytest.raises(InputError, match="records_version"):
            score_forecast({**made, "records_version": odd}, later)


def test_no_new_rating_is_said(made) -> None:
    with pytest.raises(InputError, match="no rating after the forecast"):
        score_forecast(made, person())


@pytest.mark.parametrize(
    "damage",
    [
        lambda made: "{",
        lambda made: "[]",
        lambda made: json.dumps(made | {"format": "other"}),
        lambda made: json.dumps(made | {"format_version": 9}),
        lambda made: json.dumps({key: value for key, value in made.items() if key != "records"}),
        lambda made: json.dumps(made | {"now": "yesterday"}),
        lambda made: json.dumps(made | {"scales": [made["scales"][0] | {"dates": ["2026-01-01"]}]}),
        lambda made: json.dumps(made | {"scales": [made["scales"][0] | {"scale": "MADR"}]}),
        lambda made: json.dumps(made | {"scales": [made["scales"][0] | {"response": [0.5]}]}),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(made, damage, tmp_path: Path) -> None:
    place = tmp_path / "forecast.json"
    place.write_text(damage(made))
    with pytest.raises(InputError) as caught:
        read_saved(place)
    assert str(place) in str(caught.value) and "\n" not in str(caught.value)


def test_records_do_not_hang_on_the_first_day_or_the_order() -> None:
    whole = person()
    moved = replace(
        whole,
        start=date(2026, 1, 4),
        given=tuple(replace(each, time_h=each.time_h + DAY) for each in reversed(whole.given)),
        ratings=tuple(replace(each, time_h=each.time_h + DAY) for each in whole.ratings),
    )
    assert records(whole, NOW) == records(moved, NOW + DAY)


def test_another_recall_window_is_noted_when_scoring(made: dict) -> None:
    new = person(Rated(20 * DAY, "MADRS", 13.0, recall_days=7.0), given=PLANNED)
    assert made["scales"][0]["recall_days"] is None
    assert any("looking back over no time at all; some ratings look back over 7 days" in note
               for note in score_forecast(made, new).notes)  # fmt: skip
    same = score_forecast(made, person(Rated(20 * DAY, "MADRS", 13.0), given=PLANNED))
    assert not any("look back" in note for note in same.notes) and same.ratings[0].responded is not None


def test_response_from_a_start_that_nobody_rated_is_not_judged(made: dict) -> None:
    unrated = {**made, "scales": [{**each, "baseline_rated": False} for each in made["scales"]]}
    found = score_forecast(unrated, person(Rated(20 * DAY, "MADRS", 13.0), given=PLANNED))
    assert found.ratings[0].responded is None and found.totals()["MADRS"]["brier_response"] is None
    assert any("response is not judged" in note for note in found.notes)


def test_the_start_is_rated_only_where_somebody_did() -> None:
    late = replace(person(), ratings=person().ratings[1:])
    for who, rated in ((person(), True), (late, False)):
        assert forecast(update(who, candidates=150), draws=50)["MADRS"].rated is rated

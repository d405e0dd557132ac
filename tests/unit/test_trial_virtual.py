"""One virtual trial: whose luck is whose, who goes on, who leaves, and comparisons within people."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rekindle.errors import InputError
from rekindle.trial.analyses import paired_difference, paired_odds_ratio, standardised_difference, within_people
from rekindle.trial.contributions import contributions
from rekindle.trial.design import Number
from rekindle.trial.leaving import follow
from rekindle.trial.moments import moments, numbers_of
from rekindle.trial.power import effects, power
from rekindle.trial.reading import parse_trial
from rekindle.trial.results import results
from rekindle.trial.solving import prepare, solve_lanes
from rekindle.trial.values import sets_of
from rekindle.trial.view import Luck, views
from rekindle.trial.virtual import run_trial

SPEC = importlib.util.spec_from_file_location("trial_examples", Path(__file__).with_name("trial_examples.py"))
assert SPEC is not None and SPEC.loader is not None
EXAMPLES = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(EXAMPLES)
HAMILTON = EXAMPLES.PARALLEL.replace("visits:", "measure: {scale: HAM-D17}\nvisits:")


def errors(text: str, seed: int, arm: str) -> np.ndarray:
    """The rating errors of the baseline on a scale that did not let people in, as far as they are whole."""
    trial = parse_trial(text)
    lanes = prepare(trial, 60, seed, numbers=(), extra=(24.0, 168.0), balanced=False)
    view = views(trial, solve_lanes(lanes, sets_of(), {}), luck=Luck(seed, balanced=False))[arm]
    return view.entry("HAM-D17")[0] - view.score("HAM-D17", 0.0)[0][0]


def test_the_luck_of_a_baseline_is_that_of_the_arm_and_of_the_run() -> None:
    first = errors(HAMILTON, 1, "Ketamine")
    limit = 4.0 / math.sqrt(60)  # four standard errors of a correlation of nothing
    assert abs(np.corrcoef(first, errors(HAMILTON, 1, "Midazolam"))[0, 1]) < limit
    assert abs(np.corrcoef(first, errors(HAMILTON, 2, "Ketamine"))[0, 1]) < limit
    np.testing.assert_array_equal(first, errors(HAMILTON, 1, "Ketamine"))


def test_runs_of_one_file_have_baselines_of_their_own() -> None:
    trial = parse_trial(HAMILTON)
    one, two = (run_trial(trial, people=40, seed=seed).ratings for seed in (1, 2))
    gaps = [
        table[(table["scale"] == "HAM-D17") & (table["visit_h"] == 0.0)].eval("baseline - expected").to_numpy()
        for table in (one, two)
    ]
    assert abs(np.corrcoef(*gaps)[0, 1]) < 4.0 / math.sqrt(80)


def test_expected_numbers_have_even_luck_and_are_the_same_again() -> None:
    trial = parse_trial(HAMILTON)
    lanes = prepare(trial, 32, 1)
    view = views(trial, solve_lanes(lanes, sets_of(), {}))["Ketamine"]
    assert (view.entry("HAM-D17") - view.score("HAM-D17", 0.0)[0]).mean() == pytest.approx(0.0, abs=0.15)
    np.testing.assert_array_equal(moments([trial], None, 16, 1).expected, moments([trial], None, 16, 1).expected)


def test_a_rating_at_the_start_of_a_crossover_is_one_rating_for_both_arms() -> None:
    trial = parse_trial(EXAMPLES.CROSSOVER)
    courses = solve_lanes(prepare(trial, 8, 1), sets_of(), {})
    seen = views(trial, courses)
    one, other = (seen[name].entry("HAM-D17", baseline="trial") for name in ("Ketamine", "Saline"))
    np.testing.assert_array_equal(one, other)


def test_only_those_who_meet_enter_are_in_the_table() -> None:
    trial = parse_trial(EXAMPLES.WITHDRAWAL)
    run = run_trial(trial, people=25, seed=3)
    rows = run.ratings[run.ratings["scale"] == "MADRS"]
    assert rows.groupby("arm")["person"].nunique().to_dict() == {"Continued": 25, "Stopped": 25}
    for week in (5, 6):
        assert (rows[rows["visit_h"] == week * 168.0]["score"] <= 12).all()  # the MADRS's line of remission


def test_relapse_is_analysed_by_kaplan_and_meier_and_by_cox() -> None:
    found = results(run_trial(parse_trial(EXAMPLES.WITHDRAWAL), people=60, seed=3))["relapse"]
    assert [arm["arm"] for arm in found[0]["arms"]] == ["Continued", "Stopped"]
    for arm in found[0]["arms"]:
        assert arm["without"][0] == 1.0 and max(arm["days"]) <= 12 * 7
        # Nobody is lost before the end here, so the last step is a plain share.
        assert arm["without"][-1] == pytest.approx(1.0 - arm["relapsed"] / arm["people"])
    ratio = found[0]["hazard_ratios"][0]["estimate"]
    assert ratio["value"] < 1.0 and ratio["n"] == 120


def test_criteria_that_nobody_meets_are_refused() -> None:
    text = EXAMPLES.WITHDRAWAL.replace("{remission: [5 weeks, 6 weeks]}", "{remission: 1 h}")
    with pytest.raises(InputError, match="nobody is left"):
        run_trial(parse_trial(text), people=10)


def test_power_and_contributions_are_of_those_who_go_on() -> None:
    trial = parse_trial(EXAMPLES.WITHDRAWAL)
    anyone = EXAMPLES.WITHDRAWAL.replace("remission: [5 weeks, 6 weeks]", "column: age_years, at_least: 1")
    everybody = parse_trial(anyone)
    visit = 18 * 168.0
    one, all_of_them = (
        effects(each, "Continued", "Stopped", "MADRS", visit, {}, {}, 32, 1, None) for each in (trial, everybody)
    )
    # Remission means a low score: those who go on differ less among themselves, and have changed more.
    assert one.sd[0] < 0.7 * all_of_them.sd[0] and one.shares[0][0] > all_of_them.shares[0][0] + 0.1
    kept, whole = (contributions(each, people=32) for each in (trial, everybody))
    assert kept.whole["Continued"] < whole.whole["Continued"] - 1.0
    for arm, change in kept.whole.items():
        assert sum(part.added for part in kept.parts if part.arm == arm) == pytest.approx(change, abs=1e-6)


def test_a_crossover_is_compared_within_people() -> None:
    run = run_trial(parse_trial(EXAMPLES.CROSSOVER), seed=2)
    table = run.ratings[(run.ratings["visit_h"] == 48.0)]
    assert set(table[table["sequence"] == "Ketamine then Saline"].query("arm == 'Saline'")["period"]) == {2}
    mixed, size, odds = results(run)["comparisons"][0]["estimates"]
    assert mixed["n"] == size["n"] == odds["n"] == 18
    change = table.assign(change=table["score"] - table["baseline"]).pivot(
        index="person", columns="arm", values="change"
    )
    # Each arm stands once in each period, so the estimate is the mean of the differences.
    assert mixed["value"] == pytest.approx((change["Ketamine"] - change["Saline"]).mean(), abs=1e-4)


def test_differences_within_people_by_hand() -> None:
    random = np.random.default_rng(3)
    person = np.repeat(np.arange(40), 2)
    active = np.tile([True, False], 40)
    period = np.where(np.repeat(np.arange(40) % 2, 2) == 0, ~active, active).astype(np.int64)
    own = random.normal(0.0, 6.0, 40)[person]
    change = own - 4.0 * active + 1.5 * period + random.normal(0.0, 2.0, 80)
    found = within_people(change, active, period, person)
    # With as many people in either order: half the difference of the orders' own differences.
    gap = change[active] - change[~active]
    orders = np.arange(40) % 2
    by_hand = (gap[orders == 0].mean() + gap[orders == 1].mean()) / 2.0
    spread = math.sqrt(sum(gap[orders == order].var(ddof=1) for order in (0, 1)) / 2.0)
    assert found.value == pytest.approx(by_hand, abs=1e-4)
    assert found.standard_error == pytest.approx(spread / math.sqrt(40), rel=0.02)
    assert found.n == 40
    one, other = change[active], change[~active]
    paired, apart = paired_difference(one, other), standardised_difference(one, other)
    assert paired.standard_error < 0.6 * apart.standard_error
    assert paired.value == pytest.approx(apart.value, rel=0.02)


def test_an_odds_ratio_within_people_has_the_error_of_repeated_trials() -> None:
    random = np.random.default_rng(4)
    logs, error = [], []
    for _ in range(400):
        own = random.normal(size=100)
        one, other = own + random.normal(size=100) > -0.5, own + random.normal(size=100) > 0.5
        found = paired_odds_ratio(one, other)
        logs.append(math.log(found.value))
        error.append(found.standard_error)
    assert np.mean(error) == pytest.approx(np.std(logs), rel=0.12)  # the SD of 400 has an error of 3.5 %


def test_the_people_of_a_crossover_are_counted_once() -> None:
    found = power(parse_trial(EXAMPLES.CROSSOVER), sizes=(20,), sets=4, people=16)
    assert found.rows[0].total == 20
    apart = power(
        parse_trial(EXAMPLES.CROSSOVER.replace("type: crossover, period: 14 days", "type: parallel")),
        sizes=(20,), sets=4, people=16,
    )  # fmt: skip
    assert apart.rows[0].total == 40 and found.rows[0].power > apart.rows[0].power


STOPPING = (
    EXAMPLES.PARALLEL.replace("over 40 min, day 1", "over 40 min, twice a week for 4 weeks")
    .replace("24 h", "28 days")
    .replace("visits: [28 days, 7 days]", "visits: [7 days, 14 days, 28 days]")
    .replace("visits:", "dropout: {share: 0.5, by: 28 days, depends_on: none}\nestimand: treatment-policy\nvisits:", 1)
)


def test_who_stops_in_a_virtual_trial_is_rated_on_the_course_that_ended_then() -> None:
    trial = parse_trial(STOPPING.replace("visits:", "measure: {rater: open}\nvisits:", 1))
    values = {"setting.open_rater_shift": 6.0}
    plain, shifted = (run_trial(trial, people=60, seed=4, values=each).ratings for each in ({}, values))
    rows = plain["left_h"].lt(plain["visit_h"]) & plain["scale"].eq("MADRS") & plain["visit_h"].gt(0.0)
    left = plain[plain["visit_h"] == 0.0].drop_duplicates("person")["left_h"]
    assert np.isfinite(left).mean() == pytest.approx(0.5, abs=0.16)
    # What raters add is added to the ratings after stopping too.
    from rekindle.trial.words import settings

    wanted = -(6.0 - settings()["open_rater_shift"].value)
    moved = shifted["score"][rows].mean() - plain["score"][rows].mean()
    assert moved == pytest.approx(wanted, abs=0.6)


def test_power_does_not_lose_those_who_stop_and_are_rated() -> None:
    trial = parse_trial(STOPPING)
    found = effects(trial, "Ketamine", "Midazolam", "MADRS", 672.0, {}, {}, 16, 1, None)
    assert found.rated[0] == found.rated_other[0] == 1.0


def test_responders_are_lost_as_the_estimand_says() -> None:
    leaving = "dropout: {share: 0.5, by: 24 h, depends_on: none}\nvisits:"
    text = EXAMPLES.PARALLEL.replace("value: -16.5", "value: -15")
    whole, lost = (
        power(parse_trial(each), sizes=(30,), sets=4, people=16, endpoint="response")
        for each in (text, text.replace("visits:", leaving, 1))
    )
    half = power(parse_trial(text), sizes=(15,), sets=4, people=16, endpoint="response")
    assert lost.rows[0].power < whole.rows[0].power
    assert lost.rows[0].power == pytest.approx(half.rows[0].power, abs=0.03)


def test_before_the_end_too_the_chance_to_have_stopped_is_that_of_stopping_at_all() -> None:
    """The expected change is the mean of trials in which everybody is followed on their own course."""
    trial, hours, sets = parse_trial(STOPPING), 336.0, sets_of()
    number = Number(0, "mean_change", ("Ketamine",), "MADRS", "points", 0.0, (40,), hours)
    lanes = prepare(trial, 256, 1, numbers=[number])[:1]
    own, expected = [], []
    for seed in range(6):
        luck = Luck(seed, balanced=False)
        drawn = views(trial, follow(lanes, sets, {}, luck=luck), luck=luck)["Ketamine"]
        assert drawn.stopped is not None
        own.append((drawn.stopped.score("MADRS", hours)[0] - drawn.entry("MADRS")).mean())
        again = replace(trial, seed=seed)
        alone = [replace(lane, trial=again) for lane in lanes]
        found = numbers_of(again, follow(alone, sets, {}), sets, numbers=[number])
        expected.append(float(found[0][0][0]))
    # Weighted by who had stopped until then, it would be lower by 0.5 points.
    assert np.mean(own) == pytest.approx(np.mean(expected), abs=0.2)

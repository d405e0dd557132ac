"""Classes, chances, relapse, endpoints and harms: shares of the same people, paired repeat by repeat."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from rekindle.outcomes.endpoints import relapse_rules
from rekindle.report.from_trajectories import Sample, material
from rekindle.report.from_trajectories.harms import central, difference, harm_rows
from rekindle.report.from_trajectories.people import (
    HOLDS,
    class_shares,
    repeats_class_shares,
    repeats_shares,
    survival,
)
from rekindle.report.material import Endpoint, ReportInput
from rekindle.trajectories import Trajectories

SAME = (("First", "0.5 mg/kg IV over 40 min, once"), ("Second", "0.5 mg/kg IV over 40 min, once"))


@pytest.fixture(scope="module")
def made(result: Trajectories) -> ReportInput:
    return material(result)


def endpoint(made: ReportInput, key: str) -> Endpoint:
    return next(each for each in made.endpoints if each.key == key)


def rated(result: Trajectories, arm: str) -> NDArray[np.float64]:
    assert result.repeats is not None
    visits = result.people["visit"].values
    return np.asarray(result.repeats["MADRS rated"].sel(arm=arm, moment=visits).values, dtype=float)


def test_classes_hold_everybody_at_every_visit(made: ReportInput) -> None:
    for block in made.whereabouts:
        total = np.sum([band.middle for band in block.classes.values()], axis=0)
        assert total == pytest.approx(np.ones(len(block.times_h)), abs=1e-12)


def test_classes_hold_everybody_in_every_repeat(result: Trajectories) -> None:
    shares = class_shares(rated(result, "Ketamine"))
    assert shares.shape[0] == 12
    assert shares.sum(axis=2) == pytest.approx(np.ones(shares.shape[:2]), abs=1e-12)


def test_nobody_is_better_at_the_first_visit(made: ReportInput) -> None:
    for block in made.whereabouts:
        assert block.classes["half_better"].middle[0] == 0.0
        assert block.classes["relapsed"].middle[0] == 0.0
    response = next(chance for chance in made.chances if chance.key == "response")
    assert all(curve.average.middle[0] == 0.0 for curve in response.arms)


def test_whoever_responds_is_in_remission_or_half_better(made: ReportInput) -> None:
    response = next(chance for chance in made.chances if chance.key == "response")
    for curve, block in zip(response.arms, made.whereabouts, strict=True):
        well = block.classes["remission"].middle + block.classes["half_better"].middle
        assert np.all(curve.average.middle <= well + 1e-12)


def test_the_endpoint_is_the_point_of_the_curve(made: ReportInput) -> None:
    response = next(chance for chance in made.chances if chance.key == "response")
    found = endpoint(made, "response_end")
    assert found.time_h == made.study.end_of_treatment_h == 336.0
    for curve in response.arms:
        value = found.arms[curve.arm]
        assert value is not None
        assert value == curve.average.at(response.times_h, 336.0)


def test_a_difference_is_paired_repeat_by_repeat(result: Trajectories, made: ReportInput) -> None:
    visit = list(result.people["visit"].values).index(336.0)
    each = {arm: rated(result, arm) for arm in result.arms}
    change = {arm: (values[:, :, visit] - values[:, :, 0]).mean(axis=1) for arm, values in each.items()}
    expected = np.quantile(change["Ketamine"] - change["Midazolam"], (0.05, 0.25, 0.75, 0.95))
    found = endpoint(made, "madrs_end").difference
    assert found is not None
    assert (found.low90, found.low50, found.high50, found.high90) == pytest.approx(tuple(expected), abs=1e-6)


def test_the_middle_of_a_difference_is_the_difference_of_the_middles(made: ReportInput) -> None:
    for each in made.endpoints:
        first, second = each.arms["Ketamine"], each.arms["Midazolam"]
        if each.difference is not None:
            assert first is not None and second is not None
            assert each.difference.middle == pytest.approx(first.middle - second.middle, abs=1e-12)


def test_two_arms_alike_do_not_differ_in_harm(make: Callable[..., Trajectories]) -> None:
    sample = Sample(make(courses=SAME, weeks=2.0, studies=6))
    for row in harm_rows(sample):
        apart = difference(sample, row, sample.study.horizon_h)
        assert apart is not None
        assert (apart.low90, apart.middle, apart.high90) == (0.0, 0.0, 0.0)


def test_what_the_first_session_did_the_course_did(made: ReportInput) -> None:
    for harm in made.harms:
        if [period.label for period in harm.periods] == ["first session", "whole course"]:
            for arm in ("Ketamine", "Midazolam"):
                first, whole = (period.arms[arm] for period in harm.periods)
                assert first is not None and whole is not None
                assert first.middle <= whole.middle


def test_nausea_over_a_course_is_that_of_the_worst_session(result: Trajectories) -> None:
    sample = Sample(result)
    row = next(row for row in harm_rows(sample) if row["key"] == "nausea")
    expected = sample.people("nausea", "Ketamine").max(axis=1).mean()
    assert central(sample, row, sample.arms[0], sample.study.horizon_h) == pytest.approx(expected, rel=0.02)


def test_months_beyond_the_run_say_why_they_are_empty(made: ReportInput) -> None:
    bladder = next(harm for harm in made.harms if harm.key == "bladder")
    labels = [period.label for period in bladder.periods]
    assert labels == ["1 month", "week\u00a08", "3 months", "6 months", "12 months"]
    for period in bladder.periods:
        known = all(value is not None for value in period.arms.values())
        assert known == (period.why_unknown == "")
    assert bladder.periods[-1].why_unknown == "this run ends after 8\u00a0weeks"


def test_beyond_what_anyone_followed_nothing_is_told(make: Callable[..., Trajectories]) -> None:
    year = (("Ketamine", "0.5 mg/kg IV over 40 min, weekly for 4 weeks"),)
    made = material(make(courses=year, weeks=60.0, studies=0, people=4))
    bladder = next(harm for harm in made.harms if harm.key == "bladder")
    known = {period.label: period.arms["Ketamine"] is not None for period in bladder.periods}
    assert list(known.values()) == [True, True, True, True, False]
    assert bladder.periods[-1].why_unknown.startswith("no one has followed this beyond 12")
    assert any("beyond a year" in sentence for sentence in made.no_evidence)


def test_a_growing_injury_is_read_at_its_month(made: ReportInput) -> None:
    bladder = next(harm for harm in made.harms if harm.key == "bladder")
    values = [period.arms["Ketamine"] for period in bladder.periods[:2]]
    weeks = [0.0 if value is None else value.middle * 1e4 for value in values]
    assert weeks == pytest.approx([4.0, 8.0])


def test_a_harm_that_nobody_has_is_counted_as_none(made: ReportInput) -> None:
    pressure = next(harm for harm in made.harms if harm.key == "pressure")
    value = pressure.periods[-1].arms["Ketamine"]
    assert value is not None
    assert (value.middle, value.high90) == (0.0, 0.0)


def test_relapse_never_mends_and_the_followed_only_grow_fewer(made: ReportInput) -> None:
    assert made.relapse
    for steps in made.relapse:
        assert np.all(np.diff(steps.without_relapse.middle) <= 1e-12)
        assert steps.times_h[0] == 0.0
        counts = [count for _, count in steps.at_risk]
        assert counts == sorted(counts, reverse=True)


def test_everybody_followed_for_relapse_had_responded(result: Trajectories, made: ReportInput) -> None:
    response = endpoint(made, "response_end").arms["Ketamine"]
    assert response is not None
    assert made.relapse[0].at_risk[0][1] == round(response.middle * 16)


def test_relapse_names_its_rule_and_record(made: ReportInput) -> None:
    rule = next(iter(relapse_rules().values()))
    assert rule.name in made.relapse_definition
    assert rule.record in made.relapse_definition


def test_no_relapse_is_told_where_treatment_fills_the_run(make: Callable[..., Trajectories]) -> None:
    made = material(make(weeks=2.0, studies=2))
    assert made.relapse == ()
    assert made.relapse_definition == ""
    assert not any(each.key in ("relapse_days", "response_last") for each in made.endpoints)


def test_a_median_of_relapse_by_hand(make: Callable[..., Trajectories]) -> None:
    result = make(studies=0)
    sample = Sample(result)
    totals = np.full((4, len(sample.visits_h)), 10.0)
    totals[:, 0] = 30.0
    after = sample.visits_h > 336.0
    for person, week in enumerate((3, 3, 5)):
        totals[person, sample.visits_h >= week * 168.0] = 29.0
    kept = survival(sample, totals)
    assert kept is not None
    assert after.sum() == 6
    assert kept.median_h == 168.0
    assert kept.at(4 * 168.0) == pytest.approx(0.25)


def test_exposure_of_one_compartment_by_hand(result: Trajectories, made: ReportInput) -> None:
    values = {key: endpoint(made, key).arms["Ketamine"] for key in ("cmax", "tmax", "auc", "half_life")}
    found = {key: math.nan if value is None else value.middle for key, value in values.items()}
    rate = math.log(2) / 2.0
    assert found["cmax"] == pytest.approx(180.0 * math.exp(-rate * 5 / 60))
    assert found["tmax"] == pytest.approx(5.0)
    assert found["auc"] == pytest.approx(180.0 / rate * (1 - math.exp(-24 * rate)), rel=0.02)
    assert found["half_life"] == pytest.approx(2.0, rel=1e-3)
    assert endpoint(made, "cmax").arms["Midazolam"] is None


def test_benefits_come_first_then_harms(made: ReportInput) -> None:
    roles = [each.role for each in made.endpoints]
    assert roles[:2] == ["benefit", "benefit"]
    harms = [place for place, role in enumerate(roles) if role == "harm"]
    assert len(harms) >= 3
    assert len({each.key for each in made.endpoints}) == len(made.endpoints)


@pytest.mark.parametrize("outcomes", [("MADRS",), ("MADRS", "craving")])
def test_people_and_repeats_are_held_to_one_line(make: Callable[..., Trajectories], outcomes: tuple[str, ...]) -> None:
    made = material(make(studies=3, weeks=5.0, outcomes=outcomes))
    craving = next(harm for harm in made.harms if harm.key == "craving")
    value = craving.periods[0].arms["Ketamine"]
    assert value is not None
    assert (value.low90, value.middle, value.high90) == (0.0, 0.0, 0.0)


def test_a_definition_reads_on_after_its_name(made: ReportInput) -> None:
    for harm in made.harms:
        assert not harm.definition.endswith(".")
        assert harm.definition.endswith(")")


def test_people_drawn_again_are_averaged_as_if_laid_out_one_by_one(make: Callable[..., Trajectories]) -> None:
    sample = Sample(make(studies=0, people=30))
    assert sample.drawn is not None
    for arm in sample.arms:
        drawn = sample.rated("MADRS", arm.name)[sample.drawn]
        np.testing.assert_array_equal(sample.repeats_rated_averages("MADRS", arm.name), drawn.mean(axis=1))
        np.testing.assert_array_equal(repeats_class_shares(sample, arm.name), class_shares(drawn))
        for key, holds in HOLDS.items():
            np.testing.assert_array_equal(repeats_shares(sample, key, arm.name), holds(drawn).mean(axis=1))

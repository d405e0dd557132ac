"""The chain, the session, what the answer hangs on, the sources, and the whole page from a result."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rekindle.evidence.catalog import catalog
from rekindle.mechanism import ensemble
from rekindle.mechanism.outputs import OUTPUTS
from rekindle.mechanism.parameters import parameter_table
from rekindle.mechanism.plausible import plausible_values, uncertain_parameters
from rekindle.outcomes import SCALES
from rekindle.report.figures import draw_figures
from rekindle.report.from_trajectories import Sample, material
from rekindle.report.from_trajectories.acting import acting_parameters
from rekindle.report.from_trajectories.drivers import candidates, drivers, position, shrunk_slopes, told_from_luck
from rekindle.report.from_trajectories.grades import weakest
from rekindle.report.from_trajectories.tables import table, words
from rekindle.report.html import write_report
from rekindle.report.material import ReportInput
from rekindle.report.notebook import figures
from rekindle.report.summary import summary_csv
from rekindle.trajectories import Trajectories

MOVER = "drive_synapse"
SPRAY = (("Spray", "84 mg intranasal esketamine, once"), ("Placebo", "placebo spray, once"))


@pytest.fixture(scope="module")
def made(result: Trajectories) -> ReportInput:
    return material(result)


def test_the_chain_ends_before_the_second_session(made: ReportInput) -> None:
    assert made.chain[0].key == "plasma_ketamine"
    assert made.chain[-1].key == "MADRS"
    for strip in made.chain:
        assert strip.times_h[0] == pytest.approx(1 / 60)
        assert strip.times_h[-1] == 72.0


def test_the_chain_of_a_single_dose_runs_to_the_end(single: Trajectories) -> None:
    made = material(single)
    assert all(strip.times_h[-1] == 4 * 168.0 for strip in made.chain)


def test_no_chain_without_ketamine(make: Callable[..., Trajectories]) -> None:
    made = material(make(courses=(("Saline", "saline IV over 40 min, once"),), weeks=2.0, studies=0))
    assert made.chain == ()
    assert made.session is None
    assert all(endpoint.difference is None for endpoint in made.endpoints)


def test_a_session_says_its_dose_and_how_long_it_runs(made: ReportInput) -> None:
    assert made.session is not None
    assert made.session.dose == "0.5 mg/kg ketamine IV over 40 min"
    assert made.session.given_over_min == 40.0
    assert made.session.watched_until_min == 120.0
    assert all(strip.times_h[-1] == 4.0 for strip in made.session.strips)


def test_nobody_leaves_during_the_drip_and_nobody_comes_back(made: ReportInput) -> None:
    assert made.session is not None
    ready = next(strip for strip in made.session.strips if strip.key == "readiness")
    assert np.all(ready.band.middle[ready.times_h < 40 / 60 - 1e-9] == 0.0)
    for line in ready.band.lines():
        assert np.all(np.diff(line) >= -1e-9)
        assert line.min() >= 0.0
        assert line.max() <= 100.0


def test_nobody_leaves_during_a_drip_that_does_nothing(make: Callable[..., Trajectories]) -> None:
    still = (("Arketamine", "0.5 mg/kg arketamine IV over 40 min, once"),)
    made = material(make(courses=still, weeks=2.0, studies=3))
    assert made.session is not None
    ready = next(strip for strip in made.session.strips if strip.key == "readiness")
    during = ready.times_h < 40 / 60 - 1e-9
    for line in ready.band.lines():
        assert np.all(line[during] == 0.0)
        assert np.all(line[~during] == 100.0)


def test_the_spray_is_watched_for_two_hours(make: Callable[..., Trajectories]) -> None:
    made = material(make(courses=SPRAY, weeks=2.0, studies=2))
    assert made.session is not None
    ready = next(strip for strip in made.session.strips if strip.key == "readiness")
    assert np.all(ready.band.middle[ready.times_h < 2.0 - 1e-9] == 0.0)
    found = next(endpoint for endpoint in made.endpoints if endpoint.key == "ready").arms
    assert all(value is not None and value.middle >= 120.0 for value in found.values())


def test_limits_of_a_session_come_from_records(made: ReportInput) -> None:
    assert made.session is not None
    limits = {row["output"]: row for row in table("links") if row["limit"]}
    for strip in made.session.strips:
        if strip.key in limits:
            assert strip.limit is not None
            assert catalog().get(limits[strip.key]["limit_record"]).seen


def test_published_averages_of_a_session_are_their_records(made: ReportInput) -> None:
    assert made.session is not None
    seen = {point.record: point for strip in made.session.strips for point in strip.observed}
    assert {"x-bp-yale24-sbp", "x-bp-vankawala-sbp", "x-cadss-iv-mean"} <= set(seen)
    yale = seen["x-bp-yale24-sbp"]
    assert yale.high95 - yale.mean == pytest.approx(1.96 * 11.2 / np.sqrt(138))
    assert (seen["x-bp-vankawala-sbp"].low95, seen["x-bp-vankawala-sbp"].high95) == (10.40, 14.82)


def test_the_parameter_that_moves_the_repeats_is_found(make: Callable[..., Trajectories]) -> None:
    result = make(studies=40, people=12, weeks=2.0)
    found = drivers(Sample(result))
    assert found is not None and result.repeats is not None
    rated = result.repeats["MADRS rated"].sel(arm="Ketamine").values.astype(float)
    change = (rated[:, :, -1] - rated[:, :, 0]).mean(axis=1)
    places = position(parameter_table()[MOVER], plausible_values(40, result.study.seed)[MOVER])
    slope = float(np.polyfit(places, change, 1)[0])
    assert found.rows[0].name == MOVER
    assert "40 repeats tell 1 of these from luck" in found.answer
    assert found.rows[0].effect_at_high == pytest.approx(slope, rel=0.1)
    assert found.rows[0].effect_at_low == -found.rows[0].effect_at_high
    assert all(abs(row.effect_at_high) < abs(slope) / 5 for row in found.rows[1:])
    assert len(found.rows) <= 8


@pytest.mark.parametrize("mover", ["expectancy_capacity", "spread.expectancy_capacity"])
def test_a_calibrated_run_hangs_on_the_draws_of_the_ensemble(make: Callable[..., Trajectories], mover: str) -> None:
    result = make(studies=40, people=12, weeks=2.0, calibrated=True, mover=mover)
    found = drivers(Sample(result))
    assert found is not None and result.repeats is not None
    rated = result.repeats["MADRS rated"].sel(arm="Ketamine").values.astype(float)
    change = (rated[:, :, -1] - rated[:, :, 0]).mean(axis=1)
    drawn = ensemble.people_values(40, result.study.seed)[mover]
    low, middle, high = np.log(np.quantile(ensemble.known_draw(mover), (0.05, 0.5, 0.95)))
    logs = np.log(drawn)
    places = np.where(logs < middle, (logs - middle) / (middle - low), (logs - middle) / (high - middle))
    assert found.rows[0].name == mover
    assert found.rows[0].effect_at_high == pytest.approx(float(np.polyfit(places, change, 1)[0]), rel=0.15)
    assert found.rows[0].range_words.startswith(f"{np.exp(low):.3g} to {np.exp(high):.3g}")
    assert "calibrated ensemble" in found.method


def test_what_the_user_fixed_and_a_life_left_out_are_no_candidates(make: Callable[..., Trajectories]) -> None:
    result = make(studies=12, people=4, weeks=4.0, calibrated=True)
    free = {each.name for each in candidates(Sample(result))}
    assert {MOVER, "spread.depth", ensemble.LIFE} <= free
    fixed = replace(result, solver={**result.solver, "changed": {MOVER: 0.3}})
    assert free - {each.name for each in candidates(Sample(fixed))} == {MOVER}
    still = replace(result, study=replace(result.study, life=False))
    assert free - {each.name for each in candidates(Sample(still))} == {ensemble.LIFE}


def test_few_repeats_tell_nothing_and_say_so(make: Callable[..., Trajectories]) -> None:
    made = material(make(studies=3, weeks=2.0))
    assert made.drivers is None
    assert any(warning.startswith("Only 3 repeated studies") for warning in made.warnings)


def test_no_parameter_is_held_responsible_where_none_can_be_told_from_luck(make: Callable[..., Trajectories]) -> None:
    made = material(make(studies=12, weeks=2.0, moves=0.0))
    assert made.drivers is None
    assert any("cannot tell which of the" in warning for warning in made.warnings)


def test_slopes_of_many_repeats_without_noise_are_the_true_ones() -> None:
    places = np.random.default_rng(1).uniform(-1, 1, (200, 5))
    true = np.array([3.0, -2.0, 0.5, 0.0, 1.0])
    assert shrunk_slopes(places, 7.0 + places @ true)[0] == pytest.approx(true, abs=0.02)


@pytest.mark.parametrize("factor", [-1.0, 3.0])
def test_slopes_scale_with_the_answer_and_do_not_see_its_level(factor: float) -> None:
    random = np.random.default_rng(2)
    places, answers = random.uniform(-1, 1, (30, 60)), random.normal(size=30)
    answers += 4.0 * places[:, 7]
    plain, scaled = (shrunk_slopes(places, each)[0] for each in (answers, 11.0 + factor * answers))
    assert scaled == pytest.approx(factor * plain, abs=1e-9)


def test_three_causes_among_many_are_told_from_luck() -> None:
    random = np.random.default_rng(4)
    places = random.uniform(-1, 1, (60, 150))
    answers = 4.0 * places[:, 3] - 3.0 * places[:, 70] + 2.5 * places[:, 140] + random.normal(scale=0.8, size=60)
    chosen = told_from_luck(places - places.mean(axis=0), answers - answers.mean())
    assert set(chosen[:3]) == {3, 70, 140}
    assert len(chosen) <= 4


@pytest.mark.parametrize(("repeats", "parameters"), [(20, 150), (40, 120)])
def test_luck_alone_hardly_ever_enters(repeats: int, parameters: int) -> None:
    random = np.random.default_rng(5)
    large = 0
    for _ in range(60):
        slopes, _ = shrunk_slopes(random.uniform(-1, 1, (repeats, parameters)), random.normal(size=repeats))
        assert np.all(np.isfinite(slopes))
        large += bool(np.abs(slopes).max() > 0.5)
    assert large <= 9


def test_answers_that_do_not_move_have_no_driver() -> None:
    slopes, chosen = shrunk_slopes(np.eye(4), np.full(4, 2.0))
    assert slopes.tolist() == [0.0] * 4
    assert chosen == []


def test_a_draw_lies_where_it_is_in_its_range() -> None:
    values = plausible_values(200, 5)
    for parameter in uncertain_parameters():
        places = position(parameter, values[parameter.name])
        assert np.all(np.abs(places) <= 1.0 + 1e-9)
        assert position(parameter, np.array([parameter.value]))[0] == pytest.approx(0.0, abs=1e-12)
        if parameter.low < parameter.value < parameter.high:
            ends = position(parameter, np.array([parameter.low, parameter.high]))
            assert ends == pytest.approx([-1.0, 1.0])


def test_only_what_can_act_in_an_arm_is_held_responsible(
    result: Trajectories, make: Callable[..., Trajectories]
) -> None:
    sample, spray = Sample(result), Sample(make(courses=SPRAY, weeks=2.0, studies=0))
    drip = acting_parameters(sample, sample.arms[0], SCALES["MADRS"].latents)
    calm = acting_parameters(sample, sample.arms[1], SCALES["MADRS"].latents)
    nose = acting_parameters(spray, spray.arms[0], SCALES["MADRS"].latents)
    assert {MOVER, "ec50_interneuron", "clearance"} <= drip
    assert not {"nasal_fraction", "spray_gut_rate", "midazolam_clearance", "bladder_rate", "trkb_gain"} & drip
    assert {MOVER, "midazolam_clearance"} <= calm
    assert not {"ec50_interneuron", "clearance"} & calm
    assert {"nasal_fraction", "spray_gut_rate"} <= nose
    assert "potency_R" not in nose


def test_a_link_is_graded_by_its_weakest_parameter() -> None:
    grades = {name: parameter.grade for name, parameter in parameter_table().items()}
    human = next(name for name, grade in grades.items() if grade == "human")
    rodent = next(name for name, grade in grades.items() if grade == "rodent")
    guess = next(name for name, grade in grades.items() if grade == "assumed")
    assert weakest([human]) == "human"
    assert weakest([human, rodent]) == "rodent"
    assert weakest([guess, human, rodent]) == "assumed"


def test_the_tables_name_only_what_exists() -> None:
    known = {*OUTPUTS, *SCALES}
    for name, column in (("links", "output"), ("harms", "source"), ("drive", "output")):
        for row in table(name):
            assert row[column] in known
            assert words(row["parameters"])
            assert set(words(row["parameters"])) <= set(parameter_table())
            assert row["reason"]
    for name, column in (("harms", "record"), ("links", "limit_record"), ("session_points", "record")):
        assert all(row[column] in catalog() for row in table(name) if row[column])


def test_sources_stand_once_and_cover_every_record_shown(made: ReportInput) -> None:
    keys = [source.key for source in made.sources]
    assert len(keys) == len(set(keys))
    records = [point.record for point in made.published] + [name for claim in made.claims for name in claim.records]
    for name in records:
        source = catalog().get(name).source
        assert {source.doi, source.citation} & set(keys)


def test_claims_that_touch_the_study_are_told(made: ReportInput) -> None:
    verdicts = {claim.statement: claim.verdict for claim in made.claims}
    assert verdicts["Ketamine is a wonder drug."] == "wrong"
    assert len(made.claims) >= 8


def test_gaps_in_the_evidence_are_told_for_what_was_asked(make: Callable[..., Trajectories]) -> None:
    made = material(make(studies=0, weeks=2.0, outcomes=("MADRS", "EQ VAS"), question="And in migraine?"))
    assert any("migraine" in sentence for sentence in made.no_evidence)
    assert any("quality of life" in sentence for sentence in made.no_evidence)


def test_a_report_says_before_calibration_where_the_run_did_not_draw_from_the_ensemble(
    made: ReportInput, make: Callable[..., Trajectories]
) -> None:
    assert made.study.before_calibration
    assert not material(make(studies=8, people=4, weeks=2.0, calibrated=True)).study.before_calibration


def test_a_notebook_gets_the_figures_of_the_page(result: Trajectories, made: ReportInput) -> None:
    found = figures(result)
    assert list(found) == list(draw_figures(made))
    assert {"course", "people", "items", "drive", "chain", "session", "harms", "relapse", "drivers"} <= set(found)
    assert found["course"].heading == draw_figures(made)["course"].heading


def test_the_page_of_a_result_is_written_with_its_command(result: Trajectories, tmp_path: Path) -> None:
    page = write_report(material(result, command="rekindle simulate study.yaml"), tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "rekindle simulate study.yaml" in text
    assert not re.search(r"\bnan\b|\binf\b", re.sub(r"<script.*?</script>", "", text, flags=re.S))


def test_every_number_of_the_endpoints_stands_in_the_summary(made: ReportInput) -> None:
    rows = summary_csv(made).splitlines()
    for endpoint in made.endpoints:
        for arm, value in endpoint.arms.items():
            if value is not None:
                assert any(
                    f"endpoint,{endpoint.key}," in row and f"{value.middle:.6g}" in row and arm in row for row in rows
                )

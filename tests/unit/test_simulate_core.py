"""The one door and what stands behind it: moments, hypotheses, modifiers, plausible sets, cohorts, trajectories."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from rekindle.cohort import cohort, person_parameters
from rekindle.dosing import parse
from rekindle.errors import InputError, OutsideDomainError, UnsupportedError
from rekindle.mechanism.assemble import antimony_text
from rekindle.mechanism.hypotheses import HYPOTHESES, switched
from rekindle.mechanism.modifiers import modified, modifier_table
from rekindle.mechanism.parameters import parameter_table
from rekindle.mechanism.plausible import at_quantile, plausible_values, uncertain_parameters
from rekindle.models import open_model
from rekindle.moments import course_times, repeat_times, session_times, visit_times
from rekindle.population import draw
from rekindle.simulate import Settings, simulate, study_people
from rekindle.study import Arm, Participants, Study
from rekindle.trajectories import Trajectories

TRD = "treatment-resistant-depression"
ONCE = "0.5 mg/kg IV over 40 min, once"


def small_study(**changes: object) -> Study:
    saline = Arm("Saline", parse("saline IV over 40 min, once"))
    arms = (Arm("Ketamine", parse(ONCE)), Arm("Again", parse(ONCE)), saline)
    study = Study("small", arms, Participants(TRD, 6), horizon_h=48.0, seed=5, studies=2, outcomes=("MADRS", "craving"))
    return replace(study, **changes)


@cache
def small_result() -> Trajectories:
    return simulate(small_study())


def test_visits_begin_before_the_first_dose_and_end_at_the_horizon() -> None:
    assert visit_times(200.0) == (0.0, 2.0, 4.0, 24.0, 48.0, 72.0, 168.0, 200.0)
    assert visit_times(100.0, [24.0, 72.0]) == (0.0, 24.0, 72.0)


def test_times_rise_and_stay_within_the_horizon() -> None:
    for times in (
        session_times([0.0, 72.0], 100.0),
        course_times([0.0, 72.0], [0.0, 50.0], 100.0),
        repeat_times([0.0, 72.0], [0.0, 50.0], 100.0),
    ):
        assert list(times) == sorted(set(times))
        assert times[-1] <= 100.0
    assert any(abs(time - (72.0 + 40 / 60)) < 1e-6 for time in repeat_times([0.0, 72.0], [], 100.0))


def test_a_hypothesis_is_switched_by_its_parameter_and_refused_outside_zero_to_one() -> None:
    assert switched({"habenula": 0.0}) == {"switch_habenula": 0.0}
    assert set(HYPOTHESES) >= {"disinhibition", "direct", "hydroxynorketamine", "opioid", "trkb", "expectancy"}
    with pytest.raises(InputError, match="Nearest: habenula"):
        switched({"habenulla": 0.0})
    with pytest.raises(InputError, match="0 \\(out\\) to 1 \\(in\\)"):
        switched({"habenula": 1.5})


def test_every_hypothesis_names_records_that_exist() -> None:
    from rekindle.evidence import catalog

    for hypothesis in HYPOTHESES.values():
        assert hypothesis.parameter in parameter_table()
        for record in (*hypothesis.records_for, *hypothesis.records_against):
            assert record in catalog()


def test_modifiers_set_scale_and_multiply_what_each_person_has() -> None:
    present = {"belief": np.array([0.5, 2.0]), "naltrexone": np.array([1.0, 0.0]), "liver_enzyme_activity": 0.5}
    assert modified(present, {"belief": 2.0})["belief"] == pytest.approx([1.0, 4.0])
    assert modified(present, {"naltrexone": True})["naltrexone"] == 1.0
    assert modified(present, {"naltrexone": False})["naltrexone"] == 0.0
    (ticlopidine,) = modifier_table()["ticlopidine"]
    assert modified(present, {"ticlopidine": True}) == {"liver_enzyme_activity": 0.5 * ticlopidine.value}
    assert modified(present, {"ticlopidine": False}) == {"liver_enzyme_activity": 0.5}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"naltrexon": True}, "Nearest: naltrexone"),
        ({"naltrexone": "often"}, "not yes or no"),
        ({"belief": True}, "A number is needed"),
        ({"external_stress": 9.0}, "outside -0.1 to 2"),
    ],
)
def test_a_modifier_that_cannot_be_is_refused(given: dict[str, bool | float | str], words: str) -> None:
    typical = {name: parameter.value for name, parameter in parameter_table().items()}
    with pytest.raises(InputError, match=words):
        modified(typical, given)


def test_plausible_values_stay_in_their_ranges_and_have_streams_of_their_own() -> None:
    few, many = plausible_values(3, 7), plausible_values(50, 7)
    for parameter in uncertain_parameters():
        assert np.all(many[parameter.name] >= parameter.low * (1 - 1e-12))
        assert np.all(many[parameter.name] <= parameter.high * (1 + 1e-12))
        assert few[parameter.name] == pytest.approx(many[parameter.name][:3], rel=0)
    assert {"weight_kg", "contact", "switch_opioid", "naltrexone"}.isdisjoint(many)


def test_the_middle_of_a_range_is_the_value_and_its_ends_are_the_range() -> None:
    clearance = parameter_table()["clearance"]
    ends = at_quantile(clearance, np.array([-1.6448536269514722, 0.0, 1.6448536269514722]))
    assert ends == pytest.approx([clearance.low, clearance.value, clearance.high])


def test_a_value_asked_for_by_name_beats_what_follows_from_covariates() -> None:
    people, arm = draw(TRD, 3, 1), Arm("a", parse(ONCE))
    usual = person_parameters(people, arm, hypotheses={})
    nine = {"failed_treatments": 9.0}
    asked = person_parameters(people, arm, hypotheses={}, values=nine, fixed=nine)
    given = person_parameters(people, arm, hypotheses={}, values={"weight_kg": 70.0})
    assert given["weight_kg"] == pytest.approx(people["weight_kg"])
    assert usual["failed_treatments"] == pytest.approx(people["failed_treatments"])
    assert asked["failed_treatments"] == pytest.approx([9.0, 9.0, 9.0])
    assert np.ptp(usual["clearance"]) > 0


def test_what_an_arm_takes_reaches_everybody_and_belief_keeps_its_spread() -> None:
    people = draw(TRD, 20, 1)
    plain = person_parameters(people, Arm("a", parse(ONCE)), hypotheses={"direct": 1})
    arm = Arm("b", parse(ONCE), modifiers={"belief": 2.0, "rapamycin": True})
    changed = person_parameters(people, arm, hypotheses={})
    assert changed["belief"] == pytest.approx(2.0 * plain["belief"])
    assert np.all(changed["rapamycin"] == 1.0)
    assert np.all(plain["switch_direct"] == 1.0)


def test_care_ends_some_days_after_the_last_dose_and_nothing_is_no_care() -> None:
    people = draw(TRD, 2, 1)
    ready = cohort(people, Arm("a", parse(ONCE)), hypotheses={}, output_times=(0.0,), horizon_h=1000.0)
    care = next(event for event in ready.schedules[0].events if getattr(event, "target", "") == "care")
    assert care.duration == pytest.approx(40 / 60 + parameter_table()["care_after"].value)
    left = cohort(people, Arm("a", parse("no treatment")), hypotheses={}, output_times=(0.0,), horizon_h=1000.0)
    assert left.schedules[0].events == ()


def test_a_dose_after_the_horizon_is_refused() -> None:
    arm = Arm("a", parse("0.5 mg/kg IV over 40 min, days 1, 4"))
    with pytest.raises(InputError, match="Lengthen the horizon"):
        cohort(draw(TRD, 1, 1), arm, hypotheses={}, output_times=(0.0,), horizon_h=48.0)


def test_arms_share_their_people_to_the_last_bit_but_not_the_raters_luck() -> None:
    people = small_result().people
    one, other = people.sel(arm="Ketamine"), people.sel(arm="Again")
    assert np.array_equal(one["severity"], other["severity"])
    assert not np.array_equal(one["MADRS rated"], other["MADRS rated"])
    assert not np.array_equal(one["severity"], people.sel(arm="Saline")["severity"])


def test_ketamine_does_more_than_saline_and_repeats_differ() -> None:
    result = small_result()
    end = result.people["MADRS"].mean("person").isel(time=-1)
    assert float(end.sel(arm="Ketamine")) < float(end.sel(arm="Saline")) - 2.0
    assert result.repeats is not None
    assert result.repeats.sizes["repeat"] == 2
    means = result.repeats["severity"].sel(arm="Ketamine").isel(moment=-1).mean("person").values
    assert means[0] != means[1]


def test_a_larger_study_keeps_its_first_people() -> None:
    few = study_people(small_study(), 4, 0)
    many = study_people(small_study(), 9, 0)
    assert np.array_equal(few["weight_kg"], many["weight_kg"][:4])


def test_a_scale_called_like_an_output_stands_beside_it() -> None:
    people = small_result().people
    assert {"craving", "craving total", "craving rated"} <= set(people.data_vars)
    assert float(people["craving"].max()) <= 1.0


def test_every_run_tells_the_error_it_found() -> None:
    told = small_result().solver["arms"]["Ketamine"]
    assert told["failed"] == 0
    assert 0.0 < told["sample_error"] < 3e-3


def test_the_same_study_gives_the_same_numbers_again() -> None:
    again = simulate(small_study())
    assert np.array_equal(again.people["MADRS rated"], small_result().people["MADRS rated"])


def test_a_result_survives_its_file(tmp_path: Path) -> None:
    import xarray as xr

    small_result().save(tmp_path / "trajectories.nc")
    with xr.open_dataset(tmp_path / "trajectories.nc", group="people", engine="h5netcdf") as read:
        assert np.allclose(read["severity"], small_result().people["severity"], rtol=1e-6, atol=1e-7)
    with xr.open_dataset(tmp_path / "trajectories.nc", group="repeats", engine="h5netcdf") as read:
        assert "person" not in read["severity"].dims
        assert "severity SD" in read


def test_criteria_choose_among_those_screened_and_impossible_ones_are_refused() -> None:
    wanted = replace(small_study().participants, criteria={"age_years": (30.0, 40.0)})
    people = study_people(small_study(participants=wanted), 5, 0)
    assert len(people) == 5
    assert np.all((people["age_years"] >= 30.0) & (people["age_years"] <= 40.0))
    nobody = replace(small_study().participants, criteria={"age_years": (17.0, 17.5)})
    with pytest.raises(InputError, match="Widen the criteria"):
        study_people(small_study(participants=nobody), 5, 0)


def same_model_from_a_file(folder: Path, without: str = "") -> Path:
    path = folder / "own.ant"
    text = antimony_text()
    path.write_text(text.replace(without, f"own_{without}") if without else text, encoding="utf-8")
    return path


def test_people_keep_their_bodies_in_a_users_own_model(tmp_path: Path) -> None:
    study = small_study(studies=0)
    own = simulate(study, model=open_model(same_model_from_a_file(tmp_path)))
    ours = simulate(study, settings=Settings(calibrated=False))
    assert not own.calibrated and not ours.calibrated
    for name in ("plasma_ketamine", "severity"):
        assert np.allclose(own.people[name], ours.people[name], rtol=1e-6, atol=1e-9)


def test_a_modifier_that_a_users_model_cannot_feel_is_refused(tmp_path: Path) -> None:
    model = open_model(same_model_from_a_file(tmp_path, without="naltrexone"))
    arms = (Arm("Ketamine", parse(ONCE), modifiers={"naltrexone": True}),)
    with pytest.raises(UnsupportedError, match="no parameter 'naltrexone'"):
        simulate(small_study(arms=arms, studies=0), model=model)


def test_doses_outside_the_studied_range_need_to_be_asked_for() -> None:
    heavy = (Arm("Ketamine", parse("3 mg/kg IV over 40 min, once")),)
    with pytest.raises(OutsideDomainError):
        simulate(small_study(arms=heavy, studies=0))
    marked = simulate(small_study(arms=heavy, studies=0, outside_domain=True))
    assert marked.markings.banner

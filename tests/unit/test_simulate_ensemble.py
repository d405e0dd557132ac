"""Studies draw from the calibrated ensemble: what people and repeats carry, what a user's values do, and life."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rekindle.cohort import cohort, person_parameters
from rekindle.dosing import parse
from rekindle.equations import drawn_values, equations_of
from rekindle.errors import InputError
from rekindle.life import FIRST_H, MEMORY_H, STEP_H, STRESS, Load, changes_h, paths
from rekindle.mechanism import ensemble
from rekindle.mechanism.assemble import antimony_text
from rekindle.mechanism.parameters import parameter_table
from rekindle.mechanism.plausible import plausible_values
from rekindle.models import Model, open_model
from rekindle.population import draw, values_of_people, variability
from rekindle.predictions import simulate_events
from rekindle.simulate import Settings, load_of, made_with, simulate
from rekindle.study import Arm, Participants, Study, parse_study
from rekindle.trajectories import Trajectories
from rekindle.trial.enrolment import baseline, roster
from rekindle.trial.parameters import arm_parameters
from rekindle.trial.reading import parse_trial
from rekindle.trial.switches import ALL_ON
from rekindle.trial.values import DEVIATIONS, sets_of

TRD = "treatment-resistant-depression"
INFUSION = Arm("Ketamine", parse("0.5 mg/kg IV over 40 min, once"))
NOTHING = Arm("Nothing", parse("no treatment"), modifiers={"natural_course": 0.0})
WEEK_H = 168.0
TRIAL = """
name: example2013
title: Ketamine once
design: {type: parallel, masking: double}
participants: {diagnosis: treatment-resistant-depression, severity: {scale: MADRS, at_least: 24, mean: 32, sd: 5}}
arms:
  - {name: Ketamine, n: 40, course: "0.5 mg/kg ketamine IV over 40 min, day 1"}
  - {name: Saline, n: 20, role: comparator, course: "saline IV over 40 min, day 1"}
visits: [24 h]
published:
  - {quantity: response, arm: Ketamine, time: 24 h, value: 64}
"""

Written = Callable[[Mapping[str, Sequence[float]]], None]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Written]:
    """Puts an ensemble of a few columns in the place of the package's; none at all until it is called."""
    monkeypatch.setattr(ensemble, "FOLDER", tmp_path)
    ensemble.draws.cache_clear()

    def write(columns: Mapping[str, Sequence[float]]) -> None:
        rows = zip(*columns.values(), strict=True)
        lines = [",".join(("pool", *columns)), *(",".join(("0", *map(repr, row))) for row in rows)]
        (tmp_path / ensemble.DRAWS).write_text("\n".join(lines) + "\n", encoding="utf-8")
        facts = {"seed": 7, "made_at": "2026-01-02T03:04:05+00:00"}
        (tmp_path / ensemble.MADE).write_text(json.dumps(facts), encoding="utf-8")
        ensemble.draws.cache_clear()

    yield write
    ensemble.draws.cache_clear()


def study(*arms: Arm, **changes: object) -> Study:
    small = Study("small", arms or (INFUSION,), Participants(TRD, 6), 48.0, seed=5, studies=0, outcomes=("MADRS",))
    return replace(small, **changes)


def changed(folder: Path, **values: float) -> Model:
    rows = "".join(f"{name},{value}\n" for name, value in values.items())
    (folder / "values.csv").write_text(f"name,value\n{rows}", encoding="utf-8")
    return open_model(parameters=folder / "values.csv")


def assert_same(first: Trajectories, second: Trajectories) -> None:
    for name in first.people.data_vars:
        assert np.array_equal(first.people[name], second.people[name], equal_nan=True), name


# What people and repeats carry


def test_people_of_a_study_are_the_people_of_a_trial_at_the_same_values() -> None:
    trial = parse_trial(TRIAL)
    who = roster(trial.enrolled, 12, 3)
    middle = equations_of(None).values
    ours = person_parameters(who.people, INFUSION, hypotheses={}, values=middle)
    sets = sets_of(middle)
    entry = baseline(trial.enrolled, who)
    still = {name: np.zeros(1) for name in DEVIATIONS}
    theirs = arm_parameters(trial, trial.arms[0], who, entry, sets, still, np.ones(1), ALL_ON)
    of_the_trial = {"baseline_severity", "depressed", "unmasking"}
    for name in set(theirs) - of_the_trial:
        np.testing.assert_allclose(theirs[name][0], ours[name], rtol=1e-14, atol=0, err_msg=name)
    assert np.ptp(ours["depth"]) > 0


def test_a_spread_moves_everybody_away_from_the_middle_by_one_factor() -> None:
    people = draw(TRD, 30, 1)
    effect = next(each for each in variability() if each.parameter == "tau_spines")
    typical = {"tau_spines": np.full(30, 100.0)}
    usual = np.log(values_of_people(typical, people, {})["tau_spines"] / 100.0)
    wide = np.log(values_of_people(typical, people, {"tau_spines": 3.0 * effect.sd})["tau_spines"] / 100.0)
    np.testing.assert_allclose(wide, 3.0 * usual, rtol=1e-12)
    assert not np.any(np.log(values_of_people(typical, people, {"tau_spines": 0.0})["tau_spines"] / 100.0))


def test_values_stand_in_the_middle_of_the_ensemble_and_the_table_gives_the_rest(written: Written) -> None:
    written({"drive_synapse": [0.9, 0.1, 0.3], "spread.depth": [1.0, 2.0, 1.5], "setting.life_stress": [0.2, 0.4, 0.9],
             "rating_error": [1.0, 1.0, 1.0], "misfit.points": [1.0, 2.0, 3.0]})  # fmt: skip
    equations = equations_of(None)
    assert equations.values == {"drive_synapse": 0.3, "spread.depth": 1.5}
    assert (equations.drawn, equations.life_sd) == (True, 0.4)
    people = draw(TRD, 5, 1)
    found = person_parameters(people, INFUSION, hypotheses={}, values=equations.values)
    assert np.all(found["drive_synapse"] == 0.3)
    assert np.all(found["drive_width"] == parameter_table()["drive_width"].value)


def test_a_repeat_carries_one_draw_whole(written: Written) -> None:
    columns = {"drive_synapse": [0.1, 0.2, 0.3, 0.4], "spread.depth": [1.1, 1.2, 1.3, 1.4],
               "setting.life_stress": [0.01, 0.02, 0.03, 0.04]}  # fmt: skip
    written(columns)
    found = drawn_values(equations_of(None), 4, 3)
    drawn = [tuple(found[name][place] for name in columns) for place in range(4)]
    assert sorted(drawn) == sorted(zip(*columns.values(), strict=True))
    assert np.array_equal(found["drive_width"], plausible_values(4, 3)["drive_width"])


def test_only_the_repeats_whose_draw_differs_come_out_differently(written: Written) -> None:
    outcomes = []
    for second in (0.2, 0.5):
        written({"residual_share": [0.2, second]})
        asked = study(studies=2)
        drawn = drawn_values(equations_of(None), 2, asked.seed)["residual_share"]
        outcomes.append((drawn, simulate(asked).repeats))
    (before, plain), (after, other) = outcomes
    assert plain is not None and other is not None
    for repeat in range(2):
        same = np.array_equal(plain["severity"][:, repeat], other["severity"][:, repeat])
        assert same == (before[repeat] == after[repeat])
    assert sorted(after) == [0.2, 0.5]


# What a user's values do


def test_a_value_that_the_user_gave_holds_in_the_people_and_in_every_repeat(tmp_path: Path, written: Written) -> None:
    written({"drive_synapse": [0.2, 0.3, 0.4], "residual_share": [0.1, 0.2, 0.3]})
    equations = equations_of(changed(tmp_path, drive_synapse=0.77))
    assert equations.values == {"drive_synapse": 0.77, "residual_share": 0.2}
    assert equations.fixed == ("drive_synapse",)
    drawn = drawn_values(equations, 3, 1)
    assert np.all(drawn["drive_synapse"] == 0.77)
    assert sorted(drawn["residual_share"]) == [0.1, 0.2, 0.3]


def test_nothing_of_the_ensemble_enters_a_users_own_model(tmp_path: Path, written: Written) -> None:
    (tmp_path / "own.ant").write_text(antimony_text(), encoding="utf-8")
    own = open_model(tmp_path / "own.ant")
    before = equations_of(own)
    written({"drive_synapse": [0.2], "spread.depth": [2.0], "setting.life_stress": [1.0]})
    after = equations_of(own)
    assert (after.values, after.drawn, after.life_sd) == (before.values, False, 0.0)
    assert all(np.ptp(values) == 0.0 for name, values in drawn_values(after, 4, 1).items() if name in after.values)
    assert made_with(Settings(), own)["calibrated"] is False


def test_without_an_ensemble_people_carry_the_table_and_repeats_its_ranges(written: Written) -> None:
    asked = study(studies=2, horizon_h=240.0)
    without = simulate(asked)
    assert not without.calibrated and "ensemble_digest" not in without.provenance.settings
    assert equations_of(None).values == {} and load_of(asked, equations_of(None), 3) is None
    drawn = drawn_values(equations_of(None), 3, 1)
    assert all(np.array_equal(drawn[name], values) for name, values in plausible_values(3, 1).items())
    written({"drive_synapse": [0.2, 0.2], "setting.life_stress": [1.0, 1.0]})
    assert_same(simulate(asked, settings=Settings(calibrated=False)), without)
    assert not np.array_equal(simulate(asked).people["severity"], without.people["severity"])


def test_the_record_of_a_run_says_which_ensemble_it_drew_from(written: Written) -> None:
    written({"drive_synapse": [0.2, 0.3]})
    one = simulate(study()).provenance.settings
    written({"drive_synapse": [0.2, 0.4]})
    other = simulate(study()).provenance.settings
    assert one["calibrated"] and one["ensemble_seed"] == 7 and one["ensemble_made_at"].startswith("2026-01-02")
    assert one["ensemble_digest"] != other["ensemble_digest"]


def test_a_prediction_for_an_event_table_stands_in_the_middle_too(tmp_path: Path, written: Written) -> None:
    table = parse("0.5 mg/kg ketamine IV over 40 min, once").event_table(
        person="p", weight_kg=70.0, observation_times_h=[1.0, 30.0]
    )
    outputs = ("severity", "plasma_ketamine")
    plain = simulate_events(None, table, outputs)
    written({"drive_functional": [0.2, 0.6, 0.9], "spread.depth": [1.0, 1.0, 1.0]})
    middle = simulate_events(None, table, outputs).values
    asked = changed(tmp_path, drive_functional=0.6)
    assert not np.allclose(middle[:, 0], plain["severity"])
    assert np.allclose(middle, simulate_events(asked, table, outputs).values)
    other = changed(tmp_path, drive_functional=parameter_table()["drive_functional"].value)
    assert np.allclose(simulate_events(other, table, outputs).values, plain.values)


# Life


def test_paths_have_mean_zero_and_the_spread_of_their_memory() -> None:
    times = changes_h(40 * WEEK_H)
    found = paths(1, 6000, times)
    expected = np.sqrt(1.0 - np.exp(-2.0 * np.asarray(times) / MEMORY_H))
    assert np.abs(found.mean(axis=0)).max() < 4.0 / np.sqrt(6000)
    np.testing.assert_allclose(found.std(axis=0), expected, rtol=4.0 / np.sqrt(2 * 6000))
    late = np.corrcoef(found[:, -1], found[:, -2])[0, 1]
    assert late == pytest.approx(np.exp(-STEP_H / MEMORY_H), abs=0.04)


def test_a_path_belongs_to_its_person_and_goes_on_when_people_are_followed_for_longer() -> None:
    short, long = changes_h(6 * WEEK_H), changes_h(20 * WEEK_H)
    assert (short[0], long[: len(short)]) == (FIRST_H, short)
    everybody = paths(1, 9, long)
    assert np.array_equal(paths(1, 4, long, start=5), everybody[5:])
    assert np.array_equal(paths(1, 9, short), everybody[:, : len(short)])
    assert not np.array_equal(paths(1, 9, long, ("repeat", "life")), everybody)
    assert changes_h(FIRST_H) == ()


def test_an_arm_without_anything_stays_as_it_is_but_for_life(written: Written) -> None:
    written({"setting.life_stress": [0.004]})
    asked = study(NOTHING, participants=Participants(TRD, 64), horizon_h=8 * WEEK_H)
    changes = {}
    for life in (False, True):
        severity = simulate(replace(asked, life=life)).people["severity"].values[0]
        changes[life] = severity[:, -1] - severity[:, 0]
    assert np.abs(changes[False]).max() < 1e-6
    spread = changes[True].std(ddof=1)
    assert spread > 1e-4
    # A load so small that everybody's answer to it is straight: no change on average.
    assert abs(changes[True].mean()) < 4.0 * spread / np.sqrt(64)


def test_life_is_a_persons_own_and_the_same_in_every_arm(written: Written) -> None:
    written({"setting.life_stress": [0.5]})
    arms = (NOTHING, replace(NOTHING, name="Again"))
    stress = simulate(study(*arms, horizon_h=6 * WEEK_H)).people["stress_load"]
    assert np.array_equal(stress.sel(arm="Nothing"), stress.sel(arm="Again"))
    assert len(np.unique(stress.sel(arm="Nothing")[:, -1])) == 6


def test_the_load_adds_to_the_stress_that_a_person_carries() -> None:
    people = draw(TRD, 3, 1)
    arm = replace(INFUSION, modifiers={"external_stress": 0.4})
    life = Load((168.0, 504.0), np.array([[0.1, 0.2], [-0.3, 0.0], [0.0, 0.5]]))
    ready = cohort(people, arm, hypotheses={}, output_times=(0.0, 600.0), horizon_h=700.0, life=life)
    together = ready.together
    assert together is not None
    for person, own in enumerate(ready.schedules):
        alone = [event.value for event in own.events if getattr(event, "parameter", "") == STRESS]
        shared = [event.value[person] for event in together.events if getattr(event, "parameter", "") == STRESS]
        assert alone == pytest.approx(0.4 + life.loads[person])
        assert shared == alone


def test_each_repeat_lives_under_its_own_draws_load(written: Written) -> None:
    written({"setting.life_stress": [0.0, 0.8]})
    asked = study(NOTHING, horizon_h=6 * WEEK_H, studies=2, participants=Participants(TRD, 12))
    sizes = drawn_values(equations_of(None), 2, asked.seed)[ensemble.LIFE]
    lived, still = (simulate(replace(asked, life=life)).repeats for life in (True, False))
    assert lived is not None and still is not None
    for repeat, size in enumerate(sizes):
        same = np.allclose(lived["severity"][:, repeat], still["severity"][:, repeat], atol=1e-6)
        assert same == (size == 0.0)


def test_a_policy_that_never_acts_leaves_people_the_same_lives(written: Written) -> None:
    written({"setting.life_stress": [0.6]})
    text = """
title: t
population: {people: 4}
arms:
  - {name: Plain, course: "0.5 mg/kg IV over 40 min, weekly for 3 weeks"}
  - name: Watched
    course: 0.5 mg/kg IV over 40 min, weekly for 3 weeks
    policy: {visits: [each session, "day 40"], rules: [{when: MADRS < -5, then: stop}]}
horizon: 8 weeks
studies: 2
"""
    found = simulate(parse_study(text))
    assert found.repeats is not None
    for data in (found.people, found.repeats):
        plain, watched = (data["severity"].sel(arm=name).values for name in ("Plain", "Watched"))
        np.testing.assert_allclose(watched, plain, rtol=5e-3, atol=1e-4)
    still = simulate(parse_study(text + "life: false\n")).people["severity"]
    assert np.abs(still - found.people["severity"]).max() > 0.01


def test_a_study_file_may_leave_life_out_and_says_nothing_else() -> None:
    text = 'title: t\narms: [{name: A, course: "0.5 mg/kg IV over 40 min, once"}]\nhorizon: 4 weeks\n'
    assert parse_study(text).life
    without = parse_study(text + "life: false\n")
    assert not without.life and without.as_dict()["life"] is False
    assert without.digest != parse_study(text).digest
    with pytest.raises(InputError, match="line 4"):
        parse_study(text + "life: sometimes\n")

"""Virtual trials: laws that hold whatever the parameters, and two ways to the same numbers."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rekindle.engine.schedule import Set as Change
from rekindle.errors import InputError
from rekindle.outcomes import SCALES
from rekindle.trial.contributions import contributions
from rekindle.trial.design import Number, Trial
from rekindle.trial.enrolment import baseline, roster
from rekindle.trial.masking import guessed_shift
from rekindle.trial.moments import Simulator, moments, numbers_of
from rekindle.trial.power import power
from rekindle.trial.reading import parse_trial
from rekindle.trial.results import arm_results, results
from rekindle.trial.solving import prepare, solve_lanes
from rekindle.trial.switches import ALL_ON, NOTHING, Switches
from rekindle.trial.timeline import OWN, schedule
from rekindle.trial.values import sets_of
from rekindle.trial.view import views
from rekindle.trial.virtual import run_trial
from rekindle.trial.words import settings

SPEC = importlib.util.spec_from_file_location("trial_examples", Path(__file__).with_name("trial_examples.py"))
assert SPEC is not None and SPEC.loader is not None
EXAMPLES = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(EXAMPLES)


@pytest.fixture(scope="module")
def parallel() -> Trial:
    return parse_trial(EXAMPLES.PARALLEL)


@pytest.fixture(scope="module")
def expected(parallel: Trial) -> np.ndarray:
    return moments([parallel], None, 64, 1).expected[0]


def changes(trial: Trial, switches: Switches, arm: str = "Ketamine", people: int = 32, hours: float = 24.0) -> float:
    number = Number(0, "mean_change", (arm,), "MADRS", "points", 0.0, (None,), hours)
    sets = sets_of()
    lanes = prepare(trial, people, 1, numbers=[number], switches=switches)
    courses = solve_lanes(lanes, sets, {}, switches=switches)
    return float(numbers_of(trial, courses, sets, numbers=[number], switches=switches)[0][0][0])


def test_without_drug_belief_and_visits_nothing_changes(parallel: Trial) -> None:
    assert abs(changes(parallel, NOTHING)) < 0.02
    assert abs(changes(parallel, NOTHING, hours=168.0)) < 0.02


def test_the_natural_course_alone_lowers_scores_slowly(parallel: Trial) -> None:
    early = changes(parallel, replace(NOTHING, natural_course=True))
    late = changes(parallel, replace(NOTHING, natural_course=True), hours=168.0)
    assert -2.0 < late < early <= 0.0


def test_two_arms_that_get_the_same_are_expected_to_do_the_same() -> None:
    same = EXAMPLES.PARALLEL.replace("0.045 mg/kg midazolam", "0.5 mg/kg ketamine")
    found = moments([parse_trial(same)], None, 16, 1)
    names = [number.quantity for number in found.numbers]
    assert found.expected[0, names.index("difference")] == pytest.approx(0.0, abs=1e-9)
    # The two arms differ in size, which is all that the guard against empty cells sees.
    assert found.expected[0, names.index("odds_ratio")] == pytest.approx(0.0, abs=1e-9)


def test_masking_changes_only_by_the_file(expected: np.ndarray) -> None:
    opened = EXAMPLES.PARALLEL.replace("masking: double", "masking: open")
    asleep = EXAMPLES.PARALLEL.replace("masking: double", "masking: anaesthesia")
    guessed = EXAMPLES.PARALLEL.replace("    n: 40\n", "    n: 40\n    masking: {guess_active: 0.2}\n")
    change = {name: moments([parse_trial(text)], None, 64, 1).expected[0, 0]
              for name, text in (("open", opened), ("asleep", asleep), ("guessed", guessed))}  # fmt: skip
    assert change["open"] < expected[0] < change["asleep"]
    assert change["guessed"] > expected[0] + 1.0


def test_the_published_baseline_is_met_on_the_observed_score(parallel: Trial) -> None:
    who = roster(parallel.enrolled, 512, 1)
    entry = baseline(parallel.enrolled, who)
    assert entry.observed.min() >= 24
    assert entry.observed.mean() == pytest.approx(32.0, abs=0.3)
    assert entry.observed.std() == pytest.approx(5.0, abs=0.3)
    # The true scores lie nearer the mean of everybody screened than the observed ones that let people in.
    lowest = entry.observed <= np.quantile(entry.observed, 0.25)
    assert 60.0 * entry.severity[0, lowest].mean() == pytest.approx(entry.observed[lowest].mean(), abs=1.5)
    flat = baseline(parallel.enrolled, who, rating_error=3.0)
    assert flat.severity.std() < entry.severity.std()


def test_expected_numbers_are_the_means_of_virtual_trials(parallel: Trial, expected: np.ndarray) -> None:
    run = run_trial(parallel, people=400, seed=5)
    found = {(each.arm, each.visit_h): each for each in arm_results(run, "MADRS")}
    ketamine = found["Ketamine", 24.0]
    luck = ketamine.sd / 400**0.5
    assert ketamine.change == pytest.approx(expected[0], abs=4 * luck + 0.3)
    assert ketamine.response == pytest.approx(expected[1], abs=4 * 2.5 + 2.0)
    outcome = results(run)
    estimate = outcome["comparisons"][0]["estimates"][0]
    assert estimate["value"] == pytest.approx(expected[2], abs=4 * estimate["standard_error"] + 0.3)


def test_sets_side_by_side_are_the_sets_alone(parallel: Trial) -> None:
    simulator = Simulator((parallel,), 16, 1)
    both = simulator({"drive_functional": np.array([0.4, 0.7]), "setting.open_belief": np.array([1.0, 2.0])})
    alone = simulator({"drive_functional": np.array([0.7])})
    assert both.expected.shape == (2, 4)
    np.testing.assert_allclose(both.expected[1], alone.expected[0], rtol=2e-3)
    assert both.expected[1, 0] < both.expected[0, 0]


def test_a_trials_deviation_moves_what_it_names(parallel: Trial) -> None:
    simulator = Simulator((parallel,), 16, 1)
    plain = simulator().expected[0]
    stronger = simulator(None, {"example2013": {"potency": np.array([0.5])}}).expected[0]
    believing = simulator(None, {"example2013": {"belief": np.array([0.5])}}).expected[0]
    assert stronger[2] < plain[2] and believing[0] < plain[0]
    with pytest.raises(InputError, match="potency"):
        simulator(None, {"example2013": {"potencyy": np.array([0.5])}})
    with pytest.raises(InputError, match="drive_functional"):
        simulator({"drive_functionall": 1.0})


def test_care_that_is_nothing_new_lifts_less(parallel: Trial) -> None:
    ward = parse_trial(EXAMPLES.PARALLEL.replace("participants:\n", "participants:\n  setting: research-ward\n"))
    alike = Simulator((ward,), 16, 1)({"setting.research_ward_contact": 1.0}).expected[0]
    np.testing.assert_allclose(alike, Simulator((parallel,), 16, 1)().expected[0], rtol=1e-9)
    less = Simulator((ward,), 16, 1)({"setting.research_ward_contact": 0.2}).expected[0]
    assert less[0] > alike[0] + 0.5


def test_a_later_stage_changes_what_people_believe_and_nothing_else() -> None:
    trial = parse_trial(EXAMPLES.WITHDRAWAL)
    lanes = prepare(trial, 4, 1)
    arm = lanes[0].lane
    own = dict.fromkeys(OWN, 1.0) | {"care_after": 24.0, "external_stress": 0.0, "belief": 0.8}
    levels = [1.0] * len(arm.stages)
    plain = schedule(arm, lanes[0].doses[0], own, levels, (5000.0,), ALL_ON)
    levels[-1] = 0.5
    told = schedule(arm, lanes[0].doses[0], own, levels, (5000.0,), ALL_ON)
    new = [event for event in told.events if event not in plain.events]
    assert new == [Change(arm.stages[-1].start_h, "belief", 0.4)]
    assert len(told.events) == len(plain.events) + 1


def test_a_crossover_gives_each_arm_in_each_period() -> None:
    trial = parse_trial(EXAMPLES.CROSSOVER)
    sets = sets_of()
    courses = solve_lanes(prepare(trial, 16, 1), sets, {})
    assert [course.lane.name for course in courses] == ["Ketamine then Saline", "Saline then Ketamine"]
    seen = views(trial, courses)
    assert [part.offset_h for part in seen["Saline"].parts] == [336.0, 0.0]
    assert seen["Saline"].score("MADRS", 48.0)[0].shape == (1, 32)
    assert moments([trial], None, 32, 1).expected[0, 0] > 0.3


def test_stopping_relapses_more_than_going_on() -> None:
    found = moments([parse_trial(EXAMPLES.WITHDRAWAL)], None, 32, 1)
    assert found.numbers[0].logarithm
    assert found.expected[0, 0] < 0.0


def test_leaving_is_as_much_as_published_and_counts_as_no_response() -> None:
    leaving = EXAMPLES.PARALLEL.replace(
        "visits: [24 h", "dropout: {share: 0.3, by: 24 h, strength: 0}\nestimand: composite\nvisits: [12 h, 24 h"
    )
    found = moments([parse_trial(leaving)], None, 32, 1)
    stayed = moments([parse_trial(EXAMPLES.PARALLEL)], None, 32, 1)
    # Leaving that depends on nothing takes its share of the responders.
    assert found.expected[0, 1] == pytest.approx(0.7 * stayed.expected[0, 1], rel=0.01)


def test_the_parts_of_a_change_add_up(parallel: Trial) -> None:
    found = contributions(parallel, people=32)
    for arm, whole in found.whole.items():
        own = [part.added for part in found.parts if part.arm == arm]
        assert sum(own) == pytest.approx(whole, abs=1e-6)
    drug = {part.arm: part.added for part in found.parts if part.part == "drug"}
    assert drug["Ketamine"] < -3.0 and abs(drug["Midazolam"]) < 1.0
    assert changes(parallel, ALL_ON, people=32) == pytest.approx(found.whole["Ketamine"], abs=0.02)


def test_power_rises_with_people_and_is_alpha_without_an_effect(parallel: Trial) -> None:
    found = power(parallel, sizes=(10, 40, 160), sets=4, people=16)
    chances = [row.assurance for row in found.rows]
    assert chances == sorted(chances) and chances[-1] > 0.8
    same = parse_trial(EXAMPLES.PARALLEL.replace("0.045 mg/kg midazolam", "0.5 mg/kg ketamine"))
    null = power(same, sizes=(40,), sets=4, people=16)
    assert null.rows[0].assurance == pytest.approx(0.05, abs=1e-3)


TWICE_A_WEEK = EXAMPLES.PARALLEL.replace("over 40 min, day 1", "over 40 min, twice a week for 4 weeks")
SERIES = TWICE_A_WEEK.replace("24 h", "28 days")


def test_people_who_stop_count_as_treatment_policy_asks() -> None:
    visits = "visits: [7 days, 14 days, 21 days, 28 days]"
    text = SERIES.replace("visits: [28 days, 7 days]", visits)
    dropout = "dropout: {share: 0.5, by: 14 days, depends_on: none}\n"
    asked = {name: parse_trial(text.replace("visits:", f"{dropout}estimand: {name}\nvisits:", 1))
             for name in ("hypothetical", "treatment-policy")}  # fmt: skip
    found = {name: moments([trial], None, 16, 1).expected[0] for name, trial in asked.items()}
    whole = moments([parse_trial(text)], None, 16, 1).expected[0]
    # What would have been had nobody stopped is what is when nobody stops.
    np.testing.assert_allclose(found["hypothetical"], whole, rtol=1e-6)
    assert found["hypothetical"][0] + 0.5 < found["treatment-policy"][0] < 0.0
    assert found["treatment-policy"][1] < found["hypothetical"][1]
    rated = run_trial(asked["treatment-policy"], people=12).ratings
    assert rated["score"].notna().all() and np.isfinite(rated["left_h"]).any()


@pytest.mark.parametrize(
    ("scale", "points"),
    [("MADRS", -2.0), ("SSI", -2.0 * 38.0 / 60.0), ("PHQ-9", 0.0), ("systolic pressure", 0.0), ("CADSS", 0.0)],
)
def test_an_unmasked_rater_shifts_ratings_of_symptoms_and_nothing_else(scale: str, points: float) -> None:
    opened = parse_trial(EXAMPLES.PARALLEL.replace("visits:", "measure: {scale: MADRS, rater: open}\nvisits:"))
    number = opened.published[0]
    sets = sets_of({"setting.open_rater_shift": np.array([2.0]), "setting.clinic_measure": np.zeros(1)})
    lanes = prepare(opened, 2, 1, numbers=[number])
    view = views(opened, solve_lanes(lanes, sets, {}), number, ALL_ON)["Ketamine"]
    assert view.shift(SCALES[scale])[0, 0] == pytest.approx(points)


OPEN = {"setting.open_rater_shift": np.zeros(1)}
FELT = {"setting.felt_rater_shift": np.array([2.0]), "setting.unfelt_rater_shift": np.array([1.0])}


@pytest.mark.parametrize(
    ("change", "felt", "unfelt"),
    [
        ((), -2.0, 1.0),
        (("saline IV over 40 min", "0.045 mg/kg midazolam IV over 40 min"), -2.0, 0.0),
        (("masking: double", "masking: anaesthesia"), 0.0, 0.0),
        (("masking: double", "masking: rater"), -2.0, 1.0),
        (("masking: double", "masking: open"), -2.0, 1.0),
        (("visits:", "measure: {scale: MADRS, rater: open}\nvisits:"), 0.0, 0.0),
        (("visits:", "measure: {scale: MADRS, rater: remote}\nvisits:"), 0.0, 0.0),
        (("visits:", "measure: {scale: MADRS, rater: self}\nvisits:"), 0.0, 0.0),
        (("    n: 20\n", "    n: 20\n    masking: {guess_active: 0.25}\n"), -2.0, 0.5),
        (("    n: 20\n", "    n: 20\n    masking: {guess_active: 0.75}\n"), -2.0, -1.0),
        (("    n: 20\n", "    n: 20\n    with: [new-oral-antidepressant]\n"), -2.0, 0.0),
        (("    n: 20\n", "    n: 20\n    with: [lithium]\n"), -2.0, 1.0),
    ],
)
def test_a_rater_on_the_site_guesses_from_what_was_felt(change: tuple[str, ...], felt: float, unfelt: float) -> None:
    text = EXAMPLES.PARALLEL.replace("0.045 mg/kg midazolam", "saline").replace("Midazolam", "Control")
    trial = parse_trial(text.replace(*change, 1) if change else text)
    found = [float(guessed_shift(arm, 24.0, sets_of(FELT))[0]) for arm in trial.arms]
    seen = views(trial, solve_lanes(prepare(trial, 2, 1), sets_of(FELT | OPEN), {}), trial.published[0], ALL_ON)
    shifts = [float(view.shift(SCALES["MADRS"], time_h=24.0)[0, 0]) for view in seen.values()]
    assert shifts == pytest.approx([felt, unfelt])
    if trial.rater == "masked":
        assert found == pytest.approx([-felt, -unfelt])
        assert all(float(guessed_shift(arm, 0.0, sets_of(FELT))[0]) == 0.0 for arm in trial.arms)


def test_a_guess_moves_expected_and_drawn_ratings_alike_and_only_after_the_start(parallel: Trial) -> None:
    number = parallel.published[0]
    lanes = prepare(parallel, 8, 1, numbers=[number])
    seen = []
    for shift in (0.0, 2.0):
        sets = sets_of({"setting.felt_rater_shift": np.array([shift]), "setting.unfelt_rater_shift": np.zeros(1)})
        courses = solve_lanes(lanes, sets, {})
        for switches in (ALL_ON, ALL_ON.without("unmasking"), ALL_ON.without("rater"), ALL_ON.without("drug")):
            view = views(parallel, courses, number, switches)["Ketamine"]
            seen.append([view.score("MADRS", time)[0] for time in (0.0, 24.0)])
    assert np.array_equal(seen[0][0], seen[4][0])
    assert seen[0][1] - seen[4][1] == pytest.approx(2.0)
    assert all(np.array_equal(seen[place][1], seen[4 + place][1]) for place in (1, 2, 3))
    blind = replace(parallel, rater="remote")
    drawn = [run_trial(trial, people=60, seed=3) for trial in (parallel, blind)]
    falls = [{each.arm: each.change for each in arm_results(run, "MADRS") if each.visit_h == 24.0} for run in drawn]
    assert falls[1]["Ketamine"] - falls[0]["Ketamine"] == pytest.approx(settings()["felt_rater_shift"].value, abs=0.01)
    assert falls[1]["Midazolam"] == falls[0]["Midazolam"]


def test_a_part_of_a_point_moves_drawn_ratings_by_that_part(parallel: Trial) -> None:
    text = EXAMPLES.PARALLEL.replace("visits:", "measure: {scale: HAM-D17, rater: masked}\nvisits:")
    trial = replace(parse_trial(text.replace("0.5 mg/kg ketamine", "saline")), published=())
    runs = [run_trial(each, people=2000, seed=3) for each in (trial, replace(trial, rater="remote"))]
    falls = [{each.arm: each.change for each in arm_results(run, "HAM-D17") if each.visit_h == 24.0} for run in runs]
    wanted = settings()["unfelt_rater_shift"].value * 52.0 / 60.0
    assert falls[0]["Ketamine"] - falls[1]["Ketamine"] == pytest.approx(wanted, abs=0.05)
    assert 0.1 < wanted % 1.0 < 0.9


def test_a_mixture_in_a_crossover_is_rated_by_what_each_part_was_given() -> None:
    mixed = "  - {name: Either, role: comparator, mixture: {Ketamine: 0.5, Saline: 0.5}}\npublished:"
    trial = parse_trial(EXAMPLES.CROSSOVER.replace("published:", mixed))
    sets = sets_of(FELT)
    seen = views(trial, solve_lanes(prepare(trial, 4, 1), sets, {}))
    whole = {name: seen[name].score("MADRS", 48.0)[0] for name in ("Ketamine", "Saline", "Either")}
    both = np.sort(np.concatenate([whole["Ketamine"], whole["Saline"]], axis=1))
    assert np.sort(whole["Either"]) == pytest.approx(both)


def test_the_last_session_with_something_in_it_is_what_a_rater_goes_by() -> None:
    trial = parse_trial(EXAMPLES.WITHDRAWAL)
    for arm in trial.arms:
        last = arm.stages[-1]
        early = float(guessed_shift(arm, last.start_h, sets_of(FELT))[0])
        late = float(guessed_shift(arm, last.start_h + 1.0, sets_of(FELT))[0])
        assert early == 2.0
        assert late == (2.0 if arm.name == "Continued" else -1.0)


def test_an_arm_may_have_a_baseline_of_its_own() -> None:
    own = EXAMPLES.PARALLEL.replace("    n: 20\n", "    n: 20\n    baseline_mean: 29\n")
    trial = parse_trial(own)
    courses = solve_lanes(prepare(trial, 400, 1), sets_of(), {})
    means = {each.lane.name: each.entry.observed.mean() for each in courses}
    assert means["Ketamine"] == pytest.approx(32.0, abs=0.3)
    assert means["Midazolam"] == pytest.approx(29.0, abs=0.3)
    assert min(each.entry.observed.min() for each in courses) >= 24
    # Chance made the arms differ: true scores lie nearer the mean of the people that both came from.
    true = {each.lane.name: 60.0 * float(each.entry.severity.mean()) for each in courses}
    apart = means["Ketamine"] - means["Midazolam"]
    assert 0.5 * apart < true["Ketamine"] - true["Midazolam"] < 0.97 * apart


def test_routine_care_that_sees_more_lifts_a_scale_on_which_better_is_higher() -> None:
    clinic = parse_trial(EXAMPLES.PARALLEL.replace("age: [18, 70]", "age: [18, 70]\n  setting: clinic"))
    number = clinic.published[0]
    sets = sets_of({"setting.open_rater_shift": np.zeros(1), "setting.clinic_measure": np.array([-3.0])})
    view = views(clinic, solve_lanes(prepare(clinic, 2, 1, numbers=[number]), sets, {}), number, ALL_ON)["Ketamine"]
    assert view.shift(SCALES["PHQ-9"])[0, 0] == pytest.approx(-3.0 * 27.0 / 60.0)
    assert view.shift(SCALES["SHAPS"])[0, 0] < 0.0
    higher = replace(SCALES["PHQ-9"], better="higher")
    assert view.shift(higher)[0, 0] == pytest.approx(3.0 * 27.0 / 60.0)

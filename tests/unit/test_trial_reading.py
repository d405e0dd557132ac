"""Trial files: what they say arrives whole, and every mistake is said once, with its line."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from rekindle.errors import InputError
from rekindle.trial.files import published_trials
from rekindle.trial.reading import parse_trial

SPEC = importlib.util.spec_from_file_location("trial_examples", Path(__file__).with_name("trial_examples.py"))
assert SPEC is not None and SPEC.loader is not None
EXAMPLES = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(EXAMPLES)
PARALLEL, CROSSOVER, WITHDRAWAL = EXAMPLES.PARALLEL, EXAMPLES.CROSSOVER, EXAMPLES.WITHDRAWAL


def test_a_file_becomes_a_trial() -> None:
    trial = parse_trial(PARALLEL)
    assert [arm.name for arm in trial.arms] == ["Ketamine", "Midazolam"]
    change, response, difference, odds = trial.published
    assert change.standard_error == pytest.approx(11 / 40**0.5)
    assert response.standard_error == pytest.approx(100 * (0.64 * 0.36 / 40) ** 0.5)
    assert difference.standard_error == pytest.approx((12.7 - 3.2) / (2 * 1.959964))
    assert odds.time_h == 24.0 and odds.n == (40, 20)
    assert trial.enrolled.criteria["age_years"] == (18.0, 70.0)


def test_stages_stand_one_after_another_and_may_be_copied() -> None:
    trial = parse_trial(WITHDRAWAL)
    continued, stopped = trial.arms
    assert [stage.start_h for stage in stopped.stages] == [0.0, 6 * 168.0]
    assert stopped.stages[0].course == continued.stages[0].course
    assert stopped.stages[0].masking == "open" and stopped.stages[1].masking == "double"
    assert trial.published[0].time_h == 18 * 168.0


MISTAKES = [
    ("name: example2013\n", "", "'name' is missing"),
    ("year: 2013", "yeer: 2013", "Unknown field 'yeer'. Nearest: year"),
    ("year: 2013", "year: soon", "line 3"),
    ("type: parallel", "type: paralel", "Nearest: parallel"),
    ("masking: double", "masking: blind", "is not one of"),
    ("type: parallel", "type: crossover", "A crossover needs its period"),
    ("type: parallel", "type: parallel, period: 14 days", "Only a crossover has a period"),
    ("type: parallel", "type: randomised-withdrawal", "has stages"),
    ("type: parallel, masking: double", "type: open, masking: double", "An open trial is not masked"),
    ("treatment-resistant-depression", "treatment-resistant-depresion", "Unknown diagnosis"),
    ("failed_treatments: [2, 12]", "failed_treatments: [12, 2]", "the lower first"),
    ("scale: MADRS", "scale: MADR", "Unknown scale 'MADR'. Nearest: MADRS"),
    ("scale: MADRS", "scale: CAPS-5", "The model has no 'CAPS-5'"),
    ("at_least: 24", "at_least: 70", "runs from 0 to 60"),
    ("mean: 32", "mean: 12", "outside the window"),
    ("n: 40", "n: 0", "line 12"),
    ("name: Midazolam", "name: Ketamine", "stands twice"),
    ("0.5 mg/kg ketamine", "0.5 mg/kg kketamine", "line 13"),
    ("    course: 0.045 mg/kg midazolam IV over 40 min, day 1\n", "", "'Midazolam' has none"),
    ("role: comparator", "role: control", "is not one of"),
    ("    n: 20\n", "    n: 20\n    with: [quetiapin]\n", "Nearest: quetiapine"),
    ("    n: 20\n", "    n: 20\n    background: {naltrexon: true}\n", "Unknown modifier 'naltrexon'"),
    ("    n: 20\n", "    n: 20\n    mixture: {Ketamine: 0.5}\n", "course and mixture"),
    ("visits: [24 h, 7 days]", "visits: [7 days, 24 h]", "go back in time"),
    ("visits: [24 h, 7 days]", "visits: [24 parsecs]", "no span of time"),
    ("quantity: response", "quantity: responce", "Nearest: response"),
    ("quantity: response, arm: Ketamine", "quantity: response, arm: Ketamin", "Unknown arm 'Ketamin'"),
    ("quantity: response, arm: Ketamine", "quantity: response", "is of one arm"),
    ("arms: [Ketamine, Midazolam], time: 24 h, value: -7.9", "arm: Ketamine, time: 24 h, value: -7.9", "compares two"),
    ("time: 24 h, value: 64", "value: 64", "was counted is missing"),
    ("time: 24 h, value: 64", "time: 24 h, rule: half lost, value: 64", "does not go with"),
    ("time: 24 h, value: 64", "time: 24 h", "has a record or a value"),
    ("time: 24 h, value: 64", "time: 24 h, record: eff-murrough2013a-resp24h-kett", "Unknown record"),
    ("time: 24 h, value: 64", "time: 24 h, value: 64, use: show", "only shown is missing"),
    ("time: 24 h, value: 64", "time: 24 h, value: 64, stage: later", "Unknown stage"),
    ("of: response, arms", "of: score, arms", "is not something"),
    ("visits: [24 h", "estimand: composite\nmissing: locf\nvisits: [24 h", "contradict"),
    ("visits: [24 h", "dropout: {share: {Ketamin: 0.1}, by: 7 days}\nvisits: [24 h", "Unknown arm 'Ketamin'"),
    ("visits: [24 h", "contains: [zarate2006]\nvisits: [24 h", "Only a pool"),
    ("visits: [24 h", "estimand: composite\nmissing: observed\nvisits: [24 h", "contradict"),
    ("visits: [24 h", "estimand: treatment-policy\nmissing: nri\nvisits: [24 h", "contradict"),
    ("visits: [24 h", "estimand: treatment-policy\nmissing: locf\nvisits: [24 h", "contradict"),
    ("visits: [24 h", "estimand: while-on-treatment\nmissing: model\nvisits: [24 h", "contradict"),
    ("value: 64", "value: 164", "164 cannot be a response: it lies between 0 and 100"),
    ("value: 64", "value: 64, unit: points", "is in %, not in points"),
    ("value: -16.5", "value: -70", "between -60 and 60"),
    ("quantity: response, arm: Ketamine, time: 24 h, value: 64",
     "quantity: mean, arm: Ketamine, time: 24 h, value: 64", "between 0 and 60"),
    ("quantity: response, arm: Ketamine, time: 24 h, value: 64",
     "quantity: correlation, covariate: bmi, arm: Ketamine, time: 24 h, value: -1.3", "between -1 and 1"),
    ("value: 4.5", "value: 0", "is above 0"),
    ("value: 4.5", "value: -4.5", "is above 0"),
    ("values: [-12.7, -3.2]", "values: [-3.2, -12.7]", "reversed"),
    ("sd: 5}", "sd: 25}", "at most 15.0"),
    ("value: -16.5", "value: -16.5\n    unit: '%'", "is in points, not in %"),
    ("time: 24 h, value: -7.9", "time: 24 h, n: 60, value: -7.9", "would be ignored"),
    ("quantity: difference,", "quantity: standardised_difference, any_by: 7 days,", "'any_by' does not go with"),
    ("time: 24 h, value: 64", "time: 24 h, at_most: 10, value: 64", "'at_most' does not go with"),
    ("of: response, arms", "of: response, below: 8, arms", "'below' does not go with"),
    ("of: response, arms", "of: remission, share: 0.4, arms", "'share' does not go with"),
    ("quantity: response, arm: Ketamine,", "quantity: remission, share: 0.5, arm: Ketamine,", "'share' does not go"),
    ("quantity: response, arm: Ketamine,", "quantity: remission, item: sleep, arm: Ketamine,", "'item' does not go"),
    ("quantity: response, arm: Ketamine,", "quantity: sensitivity, end: 7 days, item: sleep, arm: Ketamine,",
     "'item' does not go"),
    ("quantity: response, arm: Ketamine,", "quantity: sessions_to_response, item: sleep, arm: Ketamine,",
     "'item' does not go"),
    ("time: 24 h, value: 64", "time: 24 h, periods: first, value: 64", "Only a crossover has 'periods'"),
    ("    n: 20\n", "    n: 20\n    masking: {kind: open, guess_active: 0.4}\n", "nothing to guess"),
    ("    n: 20\n", "    n: 20\n    baseline_mean: 20\n", "outside the window"),
    ("    n: 20\n", "    n: 20\n    baseline_mean: 61\n", "outside the window"),
    ("mean: 32, sd: 5}\n  age: [18, 70]\narms:\n  - name: Ketamine\n",
     "sd: 5}\n  age: [18, 70]\narms:\n  - name: Ketamine\n    baseline_mean: 33\n", "needs the mean of all"),
    ("    n: 40\n    course: 0.5 mg/kg ketamine IV over 40 min, day 1\n  - name: Midazolam\n    n: 20\n",
     "    n: 40\n    baseline_mean: 34\n    course: 0.5 mg/kg ketamine IV over 40 min, day 1\n  - name: Midazolam\n"
     "    n: 20\n    baseline_mean: 36\n", "34.7 together"),
    ("visits: [24 h", "measure: {rater: deaf}\nvisits: [24 h", "is not one of"),
    ("quantity: response, arm: Ketamine,", "quantity: relapse, arm: Ketamine,", "nobody can relapse"),
    ("quantity: response, arm: Ketamine,", "quantity: relapse, since: 24 h, arm: Ketamine,", "is not after the clock"),
    ("quantity: response, arm: Ketamine,", "quantity: relapse, since: 12 h, rule: PHQ-9 half lost, arm: Ketamine,",
     "is for the PHQ-9"),
    ("quantity: response, arm: Ketamine, time: 24 h",
     "quantity: time_to_relapse, since: 24 h, unit: weeks, arm: Ketamine, time: 9 days", "is in d, not in weeks"),
    ("time: 24 h, value: 64", "time: 24 h, among: [{response: 12 h, at_most: 20}], value: 64", "'at_most' does not go"),
    ("time: 24 h, value: 64", "time: 24 h, among: [{remission: 12 h, share: 0.3}], value: 64", "'share' does not go"),
    ("time: 24 h, value: 64", "time: 24 h, among: [{column: bmi, time: 2 h, at_least: 20}], value: 64",
     "'time' does not go"),
    ("time: 24 h, value: 64", "time: 24 h, among: [{column: sex, is: male, at_least: 20}], value: 64", "needs a word"),
    ("time: 24 h, value: 64", "time: 24 h, among: [{score: MADRS, time: 0 h, at_least: 30, at_most: 20}], value: 64",
     "so large and so small"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "said"), MISTAKES, ids=[wrong.strip()[:40] for _, wrong, _ in MISTAKES])
def test_a_mistake_is_said_once_with_its_line(right: str, wrong: str, said: str) -> None:
    assert right in PARALLEL
    with pytest.raises(InputError) as caught:
        parse_trial(PARALLEL.replace(right, wrong, 1), "trial.yaml")
    message = str(caught.value)
    assert said in message
    assert message.startswith("trial.yaml")
    assert "\n" not in message


FOLLOWED = "dropout: {share: 0.1, by: 7 days}\nestimand: treatment-policy\nparticipants:"
POLICY = """    policy:
      - visit: daily
      - {rule: stop, when: MADRS at most 10}
"""

CROSSOVERS = [
    ("time: 2 days", "time: 20 days", "beyond the period"),
    ("published:", "visits: [2 days, 15 days]\npublished:", "beyond the period"),
    ("participants:", FOLLOWED, "not followed in a crossover"),
    ("n: 18, course: \"0.5", "n: 18, baseline_mean: 33, course: \"0.5", "the same people"),
    ("day 1\"}\n  - {name: Saline", "day 1\", background: {val66met: true}}\n  - {name: Saline",
     "'val66met' cannot change"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "said"), CROSSOVERS, ids=[said for _, _, said in CROSSOVERS])
def test_what_a_crossover_cannot_have_is_said_with_its_line(right: str, wrong: str, said: str) -> None:
    assert right in CROSSOVER
    with pytest.raises(InputError, match=said) as caught:
        parse_trial(CROSSOVER.replace(right, wrong, 1), "trial.yaml")
    assert str(caught.value).startswith("trial.yaml, line")


def test_the_first_period_of_a_crossover_has_half_its_people() -> None:
    first = parse_trial(CROSSOVER.replace("time: 2 days", "time: 2 days, periods: first"))
    assert first.published[0].n == (9, 9)
    assert parse_trial(CROSSOVER).published[0].n == (18, 18)


def test_a_line_of_remission_in_a_condition_is_kept() -> None:
    text = PARALLEL.replace("time: 24 h, value: 64", "time: 7 days, among: [{remission: 24 h, at_most: 20}], value: 64")
    assert parse_trial(text).published[1].among[0].at_most == 20.0


@pytest.mark.parametrize(
    ("covariate", "said"),
    [("bmj", "Nearest: bmi"), ("sex", "words"), ("CADS at 40 min", "Nearest: CADSS"), ("CADSS at noon", "no span")],
)
def test_a_change_is_correlated_with_numbers_only(covariate: str, said: str) -> None:
    line = "quantity: correlation, arm: Ketamine, time: 24 h, value: -0.3, covariate: "
    text = PARALLEL.replace("quantity: response, arm: Ketamine, time: 24 h, value: 64", f"{line}{covariate}")
    with pytest.raises(InputError, match=said):
        parse_trial(text)
    assert parse_trial(text.replace(covariate, "CADSS at 40 min")).scored[1].options.covariate == "CADSS at 40 min"


def test_a_treatment_that_the_model_lacks_is_never_scored() -> None:
    text = PARALLEL.replace("    n: 20\n", "    n: 20\n    with: [psychotherapy]\n")
    with pytest.raises(InputError, match="direction only"):
        parse_trial(text)


def test_every_file_of_the_package_reads() -> None:
    trials = published_trials()
    assert len({trial.name for trial in trials}) == len(trials) >= 40
    names = {trial.name for trial in trials}
    for trial in trials:
        assert {*trial.overlaps, *trial.contains} <= names, trial.name


def test_people_who_stop_are_not_followed_under_a_policy() -> None:
    policy = '    policy:\n      visits: [each session]\n      rules:\n        - {when: "MADRS <= 10", then: stop}\n'
    text = PARALLEL.replace("IV over 40 min, day 1\n", f"IV over 40 min, twice a week for 2 weeks\n{policy}", 1)
    followed = text.replace("\nvisits:", "\ndropout: {share: 0.1, by: 7 days}\nestimand: treatment-policy\nvisits:", 1)
    assert followed.count("treatment-policy") == 1
    with pytest.raises(InputError, match="whose policy decides"):
        parse_trial(followed)
    assert parse_trial(text).arms[0].stages[0].policy is not None

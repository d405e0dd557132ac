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
]


@pytest.mark.parametrize(("right", "wrong", "said"), MISTAKES, ids=[wrong.strip()[:40] for _, wrong, _ in MISTAKES])
def test_a_mistake_is_said_once_with_its_line(right: str, wrong: str, said: str) -> None:
    assert right in PARALLEL
    with pytest.raises(InputError) as caught:
        parse_trial(PARALLEL.replace(right, wrong, 1), "trial.yaml")
    message = str(caught.value)
    assert said in message
    assert message.startswith("trial.yaml")
    assert "\n" not in message


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

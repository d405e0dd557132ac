"""Dosing sentences as clinicians speak them: what they mean, how they print back, what is said of mistakes."""

from __future__ import annotations

import pytest

from rekindle.dosing import DRUGS, SentenceError, parse
from rekindle.errors import InputError

SAME = """
0.5 mg/kg IV over 40 min, twice a week for 4 weeks, then weekly for 4 weeks
84 mg intranasal esketamine, days 1, 4, 8
0.5 mg/kg IV over 40 min, once
0.5 mg/kg IV over 40 min, three times a week for 2 weeks
0.5 mg/kg IV over 40 min, every 3 days for 10 doses
0.5 mg/kg IV over 40 min, twice a week for 4 weeks, missing sessions 3 and 5
56 mg intranasal esketamine, day 1, then 84 mg, twice a week for 4 weeks, then weekly for 4 weeks
25 mg ketamine hydrochloride orally, daily for 6 weeks
0.75 mg/kg (ideal body weight) ketamine IM, once
oral antidepressant daily for 4 weeks
ECT three times a week for 4 weeks
0.045 mg/kg midazolam IV over 40 min, once
saline IV over 40 min, twice a week for 4 weeks
placebo spray, twice a week for 4 weeks, with oral antidepressant daily for 4 weeks
no treatment
0.23 mg/kg IV over 1 min then 0.58 mg/kg over 60 min, once
0.23 mg/kg IV bolus then 0.58 mg/kg IV over 60 min, weekly for 3 weeks
0.2 mg/kg esketamine IV over 40 min, once
0.5 mg/kg arketamine IV over 40 min, weekly for 3 weeks from day 15 at 09:30
50 mg ketamine sublingual lozenge, every 2 days for 2 weeks
50 mg esketamine sublingual film, once
120 mg extended-release oral ketamine, twice a week for 4 weeks
25 mg esketamine inhaled over 20 min, once
0.5 mg/kg ketamine subcutaneously, days 1, 8
50 mg intranasal ketamine, once
56 mg esketamine by nasal atomiser, once
""".strip().splitlines()

MEANT = [
    ("0.5 mg/kg ketamine IV over 40 min, once", "0.5 mg/kg IV over 40 min, once"),
    ("0.5 MG/KG racemic ketamine intravenously for 40 minutes, single infusion", "0.5 mg/kg IV over 40 min, once"),
    ("six infusions of 0.5 mg/kg IV over 40 min over 12 days", SAME[3]),
    ("3 times a week for 2 weeks, 0.5 mg/kg IV over 40 min", SAME[3]),
    ("midazolam 0.045 mg/kg IV over 40 min, once", "0.045 mg/kg midazolam IV over 40 min, once"),
    ("45 ug/kg midazolam IV over 40 min, once", "0.045 mg/kg midazolam IV over 40 min, once"),
    ("0.28 mg/kg/h IV over 30 min, once", "0.14 mg/kg IV over 30 min, once"),
    ("25 mg ketamine HCl by mouth daily for 6 weeks", SAME[7]),
    ("0.75 mg/kg (IBW) IM, once", "0.75 mg/kg (ideal body weight) ketamine IM, once"),
    (
        "84 mg intranasal esketamine, twice a week for 4 weeks, with an oral antidepressant daily",
        "84 mg intranasal esketamine, twice a week for 4 weeks, with oral antidepressant daily for 4 weeks",
    ),
    (
        "0.5 mg/kg IV over 40 min, weekly for 4 weeks, skip session 3",
        "0.5 mg/kg IV over 40 min, weekly for 4 weeks, missing session 3",
    ),
    ("Spravato 56 mg on days 1 to 3", "56 mg intranasal esketamine, days 1, 2, 3"),
    (
        "25 mg ketamine orally at 9 am and 9 pm daily for 2 weeks",
        "25 mg ketamine orally, daily for 2 weeks at 09:00 and 21:00",
    ),
    (
        "0.5 mg/kg IV over 40 min, twice a week for 2 weeks, then after a washout of 2 weeks weekly for 4 weeks",
        "0.5 mg/kg IV over 40 min, twice a week for 2 weeks, then weekly for 4 weeks from day 29",
    ),
    (
        "0.5 mg/kg IV over 40 min, twice a week on days 1 and 5 for 2 weeks",
        "0.5 mg/kg IV over 40 min, days 1, 5 of each week for 2 weeks",
    ),
    ("placebo IV over 40 min, once", "saline IV over 40 min, once"),
]

MISTAKES = [
    ("0.5 mg/kg ketamin IV over 40 min, once", 11, "Unknown drug 'ketamin'", "ketamine"),
    ("0.5 mg/kg IVV over 40 min, once", 11, "Unknown route 'IVV'", "iv"),
    ("0.5 mgs/kg IV over 40 min, once", 5, "Unknown unit 'mgs/kg'", "mg/kg"),
    ("0.5 mg/kg IV over 40 minuts, once", 22, "Unknown unit of time 'minuts'", "minutes"),
    ("0.5 mg/kg IV over 40 min, onze", 27, "Unknown word 'onze'", "once"),
    ("84 mg intranasal esketamine, dais 1, 4", 30, "'dais'", "day"),
    ("0.5 mg/kg IV over 40 min, twice a week fro 4 weeks", 40, "'fro'", "for"),
    ("0.5 mg/kg IV ovr 40 min, once", 14, "'ovr'", "over"),
    ("-0.5 mg/kg IV over 40 min, once", 1, "-0.5 mg/kg is not a dose", "more than zero"),
    ("0 mg/kg IV over 40 min, once", 1, "0 mg/kg is not a dose", "more than zero"),
    ("500 mg/kg IV over 40 min, once", 1, "cannot be meant", "decimal point"),
    ("50000 mg ketamine orally, once", 1, "cannot be meant", "2000 mg"),
    ("inf mg IV over 40 min, once", 1, "'inf' is not a number", "0.5 mg/kg"),
    ("1e999 mg IV over 40 min, once", 1, "cannot be meant", "exponent"),
    ("ketamine IV over 40 min, once", 1, "dose of ketamine is missing", "0.5 mg/kg"),
    ("0.5 mg/kg IV, once", 11, "no duration", "over 40 min"),
    ("0.5 mg/kg IV over 0 min, once", 14, "cannot last 0 minutes", "more than zero"),
    ("0.5 mg/kg IV bolus over 40 min, once", 20, "given at once", "IV over 40 min"),
    ("0.5 mg/kg IM over 10 min, once", 14, "given at once", "Leave"),
    ("84 mg ketamine nasal device, once", 16, "not given by this route", "Only esketamine"),
    ("50 mg intranasal esketamine, once", 1, "not a whole number of 28-mg", "28 mg or 56 mg"),
    ("280 mg intranasal esketamine, once", 1, "10 esketamine devices", "28, 56 and 84 mg"),
    ("0.5 mg/kg intranasal esketamine, once", 1, "not mg/kg", "28, 56 or 84 mg"),
    ("84 mg intranasal, once", 7, "drug is not named", "esketamine"),
    ("0.5 mg/kg IV over 40 min", 25, "not said when", "twice a week"),
    ("0.5 mg/kg IV over 40 min, twice a week", 27, "not said for how long", "for 4 weeks"),
    ("0.5 mg/kg IV over 40 min for 4 weeks", 1, "not said how often", "twice a week"),
    ("0.5 mg/kg IV over 30 h, daily for 2 weeks", 25, "would start before session 1", "Shorten"),
    ("0.5 mg/kg IV over 40 min, once, with 0.2 mg/kg IV over 40 min, once", 38, "overlap on day 1", "sum"),
    ("0,5 mg/kg IV over 40 min, once", 1, "comma between", "point"),
    ("0.5 mg/kg IV over 40 min, days 4, 1", 27, "Day 1 comes after day 4", "in order"),
    ("0.5 mg/kg IV over 40 min, day 0", 31, "The day is 0", "whole number"),
    ("0.5 mg/kg IV over 40 min, weekly for 2 months", 40, "not a fixed number of days", None),
    ("0.5 mg/kg IV over 40 min, weekly for 4 weeks, missing session 9", 47, "there is none", "1 to 4"),
    ("0.5 mg/kg IV over 40 min, day 1, missing session 1", 34, "Every session is missed", "no treatment"),
    ("0.5 mg/kg IV over 40 min weekly for 4 weeks for 8 doses", 45, "Two lengths", "State"),
    ("0.5 mg/kg 0.6 mg/kg IV over 40 min, once", 11, "second dose", "then"),
    ("0.5 mg/kg IV IM over 40 min, once", 11, "not one route", "then"),
    ("twice a week for 4 weeks", 1, "not said what is given", "0.5 mg/kg"),
    ("", 1, "empty", "no treatment"),
    ("84 mg intranasal esketamine, day 1, then 0.5 mg/kg IV over 40 min, day 8", 52, "drug is not named", "Name"),
    ("20 mg oral antidepressant daily for 4 weeks", 1, "has no dose", "Leave the dose out"),
    ("0.5 mg/kg sublingual ketamine, once", 11, "not enough", "film"),
    ("0.5 mg/kg IV over 40 min, once at 25:00", 32, "not a time of day", "09:00"),
    ("0.5 mg/kg IV over 40 min, every 5 hours for 3 days", 27, "do not fit evenly", "every 8 hours"),
    ("0.5 mg/kg IV over 40 min, once, then once", 38, "not said on which day", "day 8"),
    ("0.5 mg/kg IV over 40 min, then weekly for 4 weeks", 32, "dose before this", "once"),
    ("no treatment, weekly for 4 weeks", 1, "stands alone", "Leave"),
    ("placebo, once", 1, "which placebo", "placebo spray"),
    ("0.5 ml IV over 40 min, once", 5, "amount of drug", None),
    ("5 mg midazolam IM, once", 16, "not given by this route", "iv-infusion"),
    ("0.5 mg/kg midazolam hydrochloride IV over 40 min, once", 1, "not dosed as hydrochloride", "base"),
    ("0.5 mg/kg @ IV", 11, "Cannot read '@'", "plain"),
    ("seven infusions over 12 days of 0.5 mg/kg IV over 40 min", 1, "leave their days open", "3 times a week"),
    ("0.5 mg (ideal body weight) IM, once", 1, "does not go by ideal", "mg/kg"),
    ("0.5 mg/kg IV over 40 min, weekly for 999 weeks", 27, "would last", "ten years"),
    ("0.5 mg/kg IV over 40 min, daily for 1e9 weeks", 27, "would last", "ten years"),
]


@pytest.mark.parametrize("sentence", SAME)
def test_a_canonical_sentence_prints_back_letter_by_letter(sentence: str) -> None:
    assert str(parse(sentence)) == sentence


@pytest.mark.parametrize(("said", "canonical"), MEANT)
def test_other_ways_of_saying_it_mean_the_same(said: str, canonical: str) -> None:
    assert parse(said) == parse(canonical)
    assert str(parse(said)) == canonical


@pytest.mark.parametrize(("sentence", "column", "wrong", "right"), MISTAKES)
def test_a_mistake_is_shown_where_it_is_with_what_would_be_right(
    sentence: str, column: int, wrong: str, right: str | None
) -> None:
    with pytest.raises(SentenceError) as caught:
        parse(sentence)
    assert isinstance(caught.value, InputError)
    assert caught.value.exit_code == 2
    assert (wrong in str(caught.value)) and (right is None or right in str(caught.value)), str(caught.value)
    assert caught.value.column == column, str(caught.value)
    assert caught.value.pointer().splitlines()[1] == " " * (column - 1) + "^"


def test_the_label_regimen_has_the_days_of_the_trials() -> None:
    course = parse(SAME[6])
    assert [s.day for s in course.sessions] == [1, 4, 8, 11, 15, 18, 22, 25, 29, 36, 43, 50]
    assert [s.regimen.steps[0].dose.amount for s in course.sessions if s.regimen.steps[0].dose] == [56.0] + [84.0] * 11


def test_every_two_weeks_goes_on_from_where_the_weeks_ran_out() -> None:
    course = parse(f"{SAME[6]}, then every 2 weeks for 8 weeks")
    assert [s.day for s in course.sessions][-4:] == [57, 71, 85, 99]


def test_a_rhythm_starts_when_the_one_before_has_run_out() -> None:
    assert [s.day for s in parse(SAME[0]).sessions] == [1, 4, 8, 11, 15, 18, 22, 25, 29, 36, 43, 50]


def test_six_infusions_over_twelve_days_are_three_a_week() -> None:
    assert [s.day for s in parse(MEANT[2][0]).sessions] == [1, 3, 5, 8, 10, 12]


def test_spaced_several_times_a_day_are_even_and_count_as_sessions() -> None:
    course = parse("25 mg ketamine orally three times a day for 2 days")
    assert [s.time_h for s in course.sessions] == [0, 8, 16, 24, 32, 40]


def test_every_drug_can_be_said() -> None:
    said = {drug for sentence in SAME for drug in parse(sentence).drugs}
    assert said == set(DRUGS)

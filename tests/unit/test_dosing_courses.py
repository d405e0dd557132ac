"""Courses as values: doses in mg of base, devices, steps, weights, and how courses are put together."""

from __future__ import annotations

import math

import pytest

from rekindle.dosing import Body, Course, Dose, give, on_days, parse, times_a_week, weekly
from rekindle.dosing.drugs import BASE_PER_HYDROCHLORIDE
from rekindle.dosing.weights import dosing_weight_kg
from rekindle.errors import InputError


def test_half_a_milligram_per_kilogram_at_seventy_is_thirty_five_milligrams_over_forty_minutes() -> None:
    (dose,) = parse("0.5 mg/kg IV over 40 min, once").administrations(weight_kg=70)
    assert (dose.time_h, dose.drug, dose.route, dose.amount_mg) == (0.0, "racemic-ketamine", "iv-infusion", 35.0)
    assert dose.duration_h == pytest.approx(2 / 3, rel=1e-15)
    assert dose.rate_mg_h == pytest.approx(52.5, rel=1e-12)


def test_eighty_four_milligrams_are_three_devices_five_minutes_apart() -> None:
    given = parse("84 mg intranasal esketamine, once").administrations()
    assert [a.amount_mg for a in given] == [28.0] * 3
    assert [a.time_h * 60 for a in given] == pytest.approx([0, 5, 10])
    assert [(a.device, a.devices, a.session) for a in given] == [(1, 3, 1), (2, 3, 1), (3, 3, 1)]


def test_hydrochloride_is_converted_and_the_stated_amount_kept() -> None:
    (dose,) = parse("32.3 mg ketamine hydrochloride orally, once").administrations()
    assert dose.amount_mg == pytest.approx(28.0, rel=1e-3)  # the label's own rounding
    assert dose.stated_mg == 32.3
    assert pytest.approx(1.153, rel=1e-3) == 1 / BASE_PER_HYDROCHLORIDE


def test_a_loading_dose_runs_straight_into_the_infusion() -> None:
    load, rest = parse("0.23 mg/kg IV over 1 min then 0.58 mg/kg over 60 min, once").administrations(weight_kg=100)
    assert load.end_h == rest.time_h == pytest.approx(1 / 60)
    assert (load.amount_mg, rest.amount_mg) == pytest.approx((23.0, 58.0))


@pytest.mark.parametrize(
    ("basis", "female", "expected"),
    [
        ("actual", False, 110.0),
        ("ideal", False, 50 + 2.3 * (180 / 2.54 - 60)),
        ("lean", False, 9270 * 110 / (6680 + 216 * 110 / 1.8**2)),
        ("lean", True, 9270 * 110 / (8780 + 244 * 110 / 1.8**2)),
        ("adjusted", True, 0.6 * (45.5 + 2.3 * (180 / 2.54 - 60)) + 0.4 * 110),
    ],
)
def test_each_weight_is_the_published_formula(basis: str, female: bool, expected: float) -> None:
    body = Body(110, 180, "female" if female else "male")
    assert dosing_weight_kg(basis, body) == pytest.approx(expected, rel=1e-12)


def test_comparators_have_no_amount_but_count_as_given() -> None:
    sentence = (
        "saline IV over 40 min, once, with ECT twice a week for 1 week, with oral antidepressant daily for 1 week"
    )
    given = parse(sentence).administrations()
    assert {a.amount_mg for a in given} == {0.0}
    assert len(given) == 1 + 2 + 7


def test_python_and_the_sentence_make_the_same_course() -> None:
    first = give("esketamine", 56, route="intranasal-device")
    then = give("esketamine", 84, route="intranasal-device", timing=times_a_week(2, weeks=4))
    course = Course.of(first).then(then) + Course.of(give("oral-antidepressant", timing=weekly(weeks=4)))
    said = (
        "56 mg intranasal esketamine, day 1, then 84 mg, twice a week for 4 weeks, "
        "with oral antidepressant weekly for 4 weeks"
    )
    assert course == parse(said)
    assert str(course) == said


def test_following_keeps_missed_sessions_with_their_part() -> None:
    part = parse("0.5 mg/kg IV over 40 min, weekly for 2 weeks, missing session 2")
    assert part.then(part).lines[0].missed == (2, 4)
    assert [s.day for s in part.then(part).sessions] == [1, 15]


def test_no_treatment_is_a_course_of_nothing() -> None:
    nothing = parse("no treatment")
    assert nothing == Course()
    assert (nothing.session_count, nothing.administrations(), nothing.drugs) == (0, (), ("none",))
    assert nothing.then(parse("ECT, day 1")) == parse("ECT, day 1")


def test_a_dose_after_the_horizon_is_named() -> None:
    course = parse("0.5 mg/kg IV over 40 min, weekly for 4 weeks")
    course.check_horizon(22.5)
    with pytest.raises(InputError, match=r"arm 1: Session 4 \(day 22\).*horizon of 21 days"):
        course.check_horizon(21, where="arm 1")


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (lambda: Dose(math.nan), "not a dose"),
        (lambda: Dose(math.inf, "mg/kg"), "not a dose"),
        (lambda: Dose(1.0, "mg/lb"), "Unknown unit 'mg/lb'"),
        (lambda: Dose(1.0, "mg/kg", "fat"), "Unknown weight 'fat'"),
        (lambda: give("ketamin", 1.0), "Unknown drug 'ketamin'"),
        (lambda: give("ketamine", 1.0), "route of ketamine is missing"),
        (lambda: give("ketamine", 1.0, route="intravenus"), "Unknown route"),
        (lambda: give("none"), "not a regimen"),
        (lambda: give("ketamine", 1.0, route="iv-infusion", over_min=math.nan), "cannot last nan"),
        (lambda: give("ketamine", 1e-9, route="iv-bolus"), "too small"),
        (lambda: give("ect", timing=on_days()), "empty"),
        (lambda: give("ect", timing=on_days(2, 2)), "in order"),
        (lambda: give("ect", timing=times_a_week(8, weeks=1)), "8 times a week"),
        (lambda: give("ect", timing=weekly(weeks=0)), "whole number"),
        (lambda: give("ect", timing=weekly()), "needs an end"),
        (lambda: give("ect", clock_min=(1440,)), "within one day"),
        (lambda: give("ect", timing=weekly(weeks=1), start_day=0), "start on day 0"),
        (lambda: Course.of(give("ect")).skip(2), "there is none"),
        (lambda: Course.of(give("ect")).skip(1, line=2), "no line 2"),
        (lambda: Course.of(give("ect")).shifted(-1), "whole number"),
        (lambda: Course.of(give("ect"), give("ect")), "listed after a session"),
        (lambda: (Course.of(give("ect")) + Course.of(give("ect"))).then(give("ect")), "one line"),
        (lambda: parse("0.5 mg/kg IM ketamine, once").administrations(), "needs the person's weight"),
        (lambda: parse("0.5 mg/kg IM ketamine, once").administrations(-70), "not that of an adult"),
        (lambda: parse("0.5 mg/kg IM ketamine, once").administrations(math.nan), "not that of an adult"),
        (lambda: parse("0.5 mg/kg (lean body weight) IM, once").administrations(70), "needs the person's height"),
        (lambda: parse("0.5 mg/kg (IBW) IM, once").administrations(70, 170, "man"), "Unknown sex 'man'"),
        (lambda: parse("0.5 mg/kg (IBW) IM, once").administrations(70, 1.7, "male"), "height of 1.7 cm"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(make: object, wrong: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert wrong in str(caught.value)

"""Schedules as integers and as sentences, the rules that they keep, and counting drug and visits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from rekindle.dosing import parse
from rekindle.person.record import Given, Person, Planned, Rated
from rekindle.planning.doses import given_sessions, planned_sessions, window_sums
from rekindle.planning.label import departures, keeps_spacing, surely_breaks
from rekindle.planning.limits import read_limits, shipped
from rekindle.planning.options import Option, frame_of, grid

DAY = 24.0


def person(**changes: object) -> Person:
    given = tuple(Given(day * DAY + 10.0, "40 mg IV over 40 min") for day in (1, 4, 8, 11))
    known = {"weight_kg": 80.0, "age_years": 45.0, "sex": "female"}
    ratings = (Rated(0.0, "MADRS", 34.0), Rated(15 * DAY, "MADRS", 11.0))
    base = Person(date(2026, 1, 5), "treatment-resistant-depression", 16 * DAY, known, {}, given, ratings)
    return replace(base, **changes)


def options(who: Person, name: str, every: int) -> list[Option]:
    return list(grid(who, read_limits(name), frame_of(who, 26)))[::every]


@pytest.mark.parametrize("name", shipped())
@pytest.mark.parametrize("new", [True, False])
def test_integers_sentence_and_course_are_the_same_schedule(name: str, new: bool) -> None:
    who = person(given=()) if new else person()
    for option in options(who, name, 37):
        course = option.course()
        assert parse(str(course)) == course
        starts = option.start_h + np.array([session.time_h for session in course.sessions])
        assert starts == pytest.approx(option.times_h)
        assert all(starts >= who.now_h) and all(starts < option.frame.until_h)
        assert not any("not offered" in each for each in departures(option.planned(), who, read_limits(name)))


def test_the_quick_rule_and_the_slow_one_agree() -> None:
    for who in (person(), person(given=())):
        limits, given = read_limits("esketamine-us"), given_sessions(who)
        for option in options(who, "esketamine-us", 19):
            assert keeps_spacing(option, given, limits) == (not departures(option.planned(), who, limits))


def test_a_first_dose_is_not_above_its_line() -> None:
    limits = read_limits("esketamine-eu")
    who, older = person(given=()), person(given=(), covariates={"weight_kg": 80.0, "age_years": 70.0, "sex": "female"})
    for each, most in ((who, 56.0), (older, 28.0)):
        for option in grid(each, limits, frame_of(each, 8)):
            assert limits.offers[0].doses[option.dose if option.first < 0 else option.first] <= most
    high = Planned(parse("84 mg intranasal esketamine, weekly for 4 weeks"), 17 * DAY, 60 * DAY)
    assert departures(high, who, limits) == ("a first dose of 84 mg, at most 56",)


def test_nothing_is_offered_where_no_dose_may_be_the_first() -> None:
    limits = read_limits("esketamine-eu")
    offer = replace(limits.offers[0], doses=(56.0, 84.0), older_first_most=28.0)
    bare = replace(limits, offers=(offer,))
    older = person(given=(), covariates={"weight_kg": 80.0, "age_years": 78.0, "sex": "female"})
    assert not list(grid(older, bare, frame_of(older, 8)))
    younger = person(given=())
    assert list(grid(younger, bare, frame_of(younger, 8)))


def test_of_an_age_that_is_not_known_the_lower_line_holds() -> None:
    limits = read_limits("esketamine-eu")
    nameless = person(given=(), covariates={"weight_kg": 80.0, "sex": "female"})
    for option in grid(nameless, limits, frame_of(nameless, 8)):
        assert limits.offers[0].doses[option.dose if option.first < 0 else option.first] <= 28.0


@pytest.mark.parametrize(
    ("course", "broken"),
    [
        ("56 mg intranasal esketamine, twice a week for 4 weeks", ""),
        ("56 mg intranasal esketamine, three times a week for 2 weeks", "at most 2 sessions in 7 days, weeks 1 to 4"),
        ("56 mg intranasal esketamine, twice a week for 6 weeks", "at most 1 session in 7 days, weeks 5 to 8"),
        ("0.5 mg/kg IV over 40 min, weekly for 2 weeks", "not offered: 0.5 mg/kg ketamine (iv-infusion)"),
        ("28 mg intranasal esketamine, weekly for 2 weeks", "not offered: 28 mg esketamine (intranasal-device)"),
    ],
)
def test_a_label_is_read_as_its_words(course: str, broken: str) -> None:
    found = departures(Planned(parse(course), 17 * DAY, 100 * DAY), person(), read_limits("esketamine-us"))
    assert found == ((broken,) if broken else ())


def test_windows_count_the_sessions_before_the_plan() -> None:
    who = person()
    given = given_sessions(who)
    plan = Planned(parse("0.5 mg/kg IV over 40 min, weekly for 3 weeks"), 17 * DAY + 10.0, 60 * DAY)
    coming = planned_sessions(plan, who)
    sums = window_sums(given, coming.times_h[None, :], coming.mg[None, :], given.mg, 7)
    assert sums[0] == pytest.approx([80.0, 40.0, 40.0])  # the 40 mg of day 12 fall into the first week


def test_more_drug_at_the_same_times_never_counts_less() -> None:
    who = person()
    for text in ("{} mg/kg IV over 40 min, weekly for 3 weeks", "{} mg/kg ketamine IM, days 1, 4, 9"):
        amounts = [
            planned_sessions(Planned(parse(text.format(dose)), 17 * DAY, 60 * DAY), who).footing_mg.sum()
            for dose in (0.25, 0.5, 0.75, 1.0)
        ]
        assert all(np.diff(amounts) > 0)


def test_amounts_without_the_sentence_are_those_of_the_sentence() -> None:
    for who in (person(), person(given=())):
        for option in options(who, "ketamine-clinic", 41) + options(who, "esketamine-eu", 23):
            assert option.amounts(who) == pytest.approx(planned_sessions(option.planned(), who).mg)


def test_what_surely_breaks_a_limit_is_left_out_before_anything_is_solved() -> None:
    who, limits = person(), read_limits("few-visits")
    given = given_sessions(who)
    for option in options(who, "few-visits", 7):
        if not option.stretch_weeks and surely_breaks(option, who, given, limits):
            times = option.times_h
            dense = max(((times > end - 28 * DAY + 1) & (times <= end + 1)).sum() for end in times)
            assert (
                dense > 2
                or len(times) > 13
                or given.times_h[-1] > times[0] - 28 * DAY
                or len(times) * 350 > 9_000 - 84 * 13
            )

"""Laws of dosing sentences: what is printed reads back the same, and courses compose as their sessions do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rekindle.dosing import Course, Dose, Every, Line, OnDays, Regimen, SentenceError, Step, Weekly, parse
from rekindle.dosing.drugs import DRUGS
from rekindle.dosing.timing import PER_WEEK
from rekindle.errors import InputError

amounts = st.one_of(st.integers(1, 150).map(lambda n: n / 100), st.floats(1e-3, 1.5), st.just(0.1 + 0.2))
minutes = st.one_of(st.sampled_from([1.0, 40.0, 60.0, 90.0, 120.0, 600.0]), st.floats(0.5, 600))
doses = st.one_of(
    st.builds(Dose, amounts, st.just("mg/kg"), st.sampled_from(["actual", "ideal", "lean", "adjusted"])),
    st.builds(Dose, st.floats(0.5, 90), st.just("mg")),
)
lengths = st.one_of(
    st.tuples(st.integers(1, 60), st.none()), st.tuples(st.none(), st.integers(1, 12)), st.just((28, None))
)
patterns = st.one_of(
    st.sampled_from(list(PER_WEEK.values())), st.sets(st.integers(1, 7), min_size=1).map(lambda s: tuple(sorted(s)))
)
timings = st.one_of(
    st.sets(st.integers(1, 60), min_size=1, max_size=5).map(lambda days: OnDays(tuple(sorted(days)))),
    st.builds(lambda days, length: Weekly(days, *length), patterns, lengths),
    st.builds(lambda days, length: Every(days, *length), st.sampled_from([1, 2, 3, 7, 14, 15]), lengths),
)
clocks = st.one_of(
    st.just((0,)), st.sets(st.integers(0, 1439), min_size=1, max_size=3).map(lambda times: tuple(sorted(times)))
)


@st.composite
def steps(draw: st.DrawFn, drug: str) -> tuple[Step, ...]:
    """Steps of a session that fit a drug."""
    route = draw(st.sampled_from(DRUGS[drug].routes))
    if route == "intranasal-device":
        return (Step(Dose(28.0 * draw(st.integers(1, 4))), route),)
    if not DRUGS[drug].dosed:
        return (Step(None, route, draw(minutes) if route == "iv-infusion" else None),)
    count = draw(st.integers(1, 3)) if route.startswith("iv-") and drug != "midazolam" else 1
    routes = [route] + [draw(st.sampled_from(["iv-infusion", "iv-bolus"])) for _ in range(count - 1)]
    limit = draw(doses)
    if drug == "midazolam":
        limit = replace(limit, amount=min(limit.amount, 1.0))
    timed = {"iv-infusion": True, "inhaled": draw(st.booleans())}
    return tuple(
        Step(limit if index == 0 else draw(doses), way, draw(minutes) if timed.get(way) else None)
        for index, way in enumerate(routes)
    )


@st.composite
def regimens(draw: st.DrawFn, before: Regimen | None = None) -> Regimen:
    """A regimen; often one that goes on with something of the one before."""
    drug = draw(st.sampled_from([name for name in DRUGS if name != "none"]))
    form = draw(st.sampled_from(["base", "hydrochloride"])) if DRUGS[drug].has_hydrochloride else "base"
    given_steps = draw(steps(drug))
    if before is not None and draw(st.booleans()):
        drug, form, given_steps = before.drug, before.form, before.steps
        first = given_steps[0]
        if draw(st.booleans()) and len(given_steps) == 1 and first.dose is not None and not before.devices:
            given_steps = (replace(first, dose=replace(draw(doses), amount=min(first.dose.amount, 0.9))),)
    if given_steps[0].route == "intranasal-device":
        form = "base"
    timing = draw(timings)
    start = None if isinstance(timing, OnDays) else draw(st.one_of(st.none(), st.integers(1, 90)))
    clock = draw(clocks)
    if not isinstance(timing, OnDays) and timing.sessions is not None:
        clock = clock[:1]
    return Regimen(drug, given_steps, timing, form, start, clock)


@st.composite
def courses(draw: st.DrawFn) -> Course:
    """A course of one to three lines of one to three regimens, some sessions missed."""
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        found: list[Regimen] = []
        for _ in range(draw(st.integers(1, 3))):
            found.append(draw(regimens(found[-1] if found else None)))
            try:
                Line(tuple(found))
            except InputError:
                found.pop()
        assume(found)
        count = len(Line(tuple(found)).planned)
        missed = draw(st.sets(st.integers(1, count), max_size=min(3, count - 1)))
        try:
            lines.append(Line(tuple(found), tuple(missed)))
        except InputError:
            assume(False)
    try:
        return Course(tuple(lines))
    except InputError:
        assume(False)
        raise


@settings(max_examples=250, deadline=None)
@given(courses())
def test_a_course_printed_and_read_is_the_same_course(course: Course) -> None:
    assert parse(str(course)) == course
    assert parse(course.spoken()) == course


@settings(max_examples=100, deadline=None)
@given(courses(), st.integers(1, 200))
def test_shifting_a_course_moves_every_session_by_as_many_days(course: Course, days: int) -> None:
    moved = course.shifted(days)
    assert [s.time_h for s in moved.sessions] == pytest.approx([s.time_h + 24 * days for s in course.sessions])
    assert parse(str(moved)) == moved


@settings(max_examples=100, deadline=None)
@given(courses(), st.data())
def test_skipping_a_session_takes_that_session_away_and_moves_no_other(course: Course, data: st.DataObject) -> None:
    line = course.lines[0]
    assume(len(line.sessions) > 1)
    chosen = data.draw(st.sampled_from([session.number for session in line.sessions]))
    left = course.skip(chosen)
    assert [s for s in line.sessions if s.number != chosen] == list(left.lines[0].sessions)
    assert left.session_count == course.session_count - 1


@settings(max_examples=100, deadline=None)
@given(courses(), st.floats(40, 150))
def test_doses_stay_in_time_order_and_add_up(course: Course, weight_kg: float) -> None:
    given_doses = course.administrations(weight_kg, 170, "female")
    assert [a.time_h for a in given_doses] == sorted(a.time_h for a in given_doses)
    totals = course.total_mg(weight_kg, 170, "female")
    for drug, total in totals.items():
        assert total == pytest.approx(sum(a.amount_mg for a in given_doses if a.drug == drug), rel=1e-12)


@settings(max_examples=100, deadline=None)
@given(courses(), st.floats(30, 80), st.floats(1.1, 2.0))
def test_doses_by_actual_weight_are_proportional_to_it(course: Course, weight_kg: float, times: float) -> None:
    plain = course.administrations(weight_kg, 170, "male")
    heavy = course.administrations(weight_kg * times, 170, "male")
    body_bound = {
        (number, session.number)
        for number, line in enumerate(course.lines, start=1)
        for session in line.sessions
        if all(
            s.dose is not None and s.dose.unit == "mg/kg" and s.dose.weight == "actual" for s in session.regimen.steps
        )
    }
    for light, more in zip(plain, heavy, strict=True):
        if (light.line, light.session) in body_bound:
            assert more.amount_mg == pytest.approx(light.amount_mg * times, rel=1e-12)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "0.5",
                "-1",
                "0",
                "1e9",
                "84",
                "mg",
                "mg/kg",
                "iv",
                "IM",
                "intranasal",
                "esketamine",
                "ketamine",
                "ECT",
                "over",
                "for",
                "40",
                "min",
                ",",
                "then",
                "with",
                "+",
                "days",
                "day",
                "1",
                "4",
                "twice",
                "a",
                "week",
                "weekly",
                "every",
                "3",
                "doses",
                "sessions",
                "missing",
                "no",
                "treatment",
                "at",
                "09:00",
                "99:99",
                "from",
                "after",
                "washout",
                "of",
                "hcl",
                "ideal",
                "body",
                "weight",
                "once",
                "placebo",
                "spray",
                "(",
                ")",
                "@",
                "日本",
                "µg",
                "--",
                "and",
            ]
        ),
        min_size=1,
        max_size=14,
    )
)
def test_any_heap_of_words_is_a_course_or_one_clear_error(words: list[str]) -> None:
    sentence = " ".join(words)
    try:
        course = parse(sentence)
    except SentenceError as error:
        assert 1 <= error.column <= len(sentence) + 1
        assert error.message and "column" in str(error)
        return
    assert parse(str(course)) == course


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_course_or_one_clear_error(text: str) -> None:
    try:
        parse(text)
    except SentenceError as error:
        assert error.message

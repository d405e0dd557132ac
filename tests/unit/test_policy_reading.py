"""The language of policies: what is written is read back, and what is wrong is said once, with its line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.errors import InputError
from rekindle.policy import rules as said
from rekindle.policy.language import parse_action, parse_condition, parse_visits
from rekindle.study import parse_study

HEAD = """\
title: t
population: {people: 3}
arms:
  - name: A
    course: 0.5 mg/kg IV over 40 min, weekly for 10 weeks
    policy:
"""
GOOD = """\
      visits: each session
      courses:
        booster: 0.5 mg/kg IV over 40 min, twice a week for 2 weeks
      rules:
        - when: MADRS relapse
          then: re-induce with booster
        - when: PHQ-9 < 10 at 2 visits running
          then: lengthen interval by 1 week up to 4 weeks
"""
TAIL = "horizon: 12 weeks\n"

numbers = st.floats(0, 500, allow_nan=False).map(lambda value: round(value, 3))
spans = st.one_of(st.integers(1, 300).map(float), st.sampled_from([1.5, 36.0, 168.0, 336.0, 24.0]))
scales = st.sampled_from(["MADRS", "PHQ-9", "CADSS", "systolic pressure", "MOAA/S"])
scores = st.builds(
    said.Score, scales, st.sampled_from(["", "change", "at baseline", "at last visit"]), expected=st.booleans()
)
peaks = st.builds(said.Score, scales, st.just(""), st.sampled_from(["peak", "lowest"]), st.booleans())
outputs = st.builds(said.ModelOutput, st.sampled_from(["craving", "bladder_injury"]), st.sampled_from(["", "peak"]))
counts = st.sampled_from(["day", "doses given", "sessions skipped"]).map(said.Known)
times = st.sampled_from(["time since last dose", "time since start", "interval"]).map(said.Known)
signs = st.sampled_from(["<", "<=", ">", ">=", "="])
simple = st.one_of(
    st.builds(said.Comparison, st.one_of(scores, peaks, outputs, counts), signs, numbers),
    st.builds(said.Comparison, times, signs, spans, st.just("h")),
    st.builds(said.State, st.sampled_from(["MADRS", "PHQ-9"]), st.sampled_from(["response", "remission", "relapse"])),
    st.builds(said.Plain, st.sampled_from(["always", "stopped"])),
    st.builds(said.Chance, st.integers(0, 100).map(float)),
)
conditions = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.builds(said.Not, inner),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: said.Both(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: said.Either(tuple(parts))),
        st.builds(said.Lasting, inner, st.integers(1, 5), st.just(0.0)),
        st.builds(said.Lasting, inner, st.just(0), spans),
    ),
    max_leaves=6,
)
amounts = st.builds(
    said.Amount, st.floats(0.01, 300).map(lambda value: round(value, 3)), st.sampled_from(["mg", "mg/kg"])
)
actions = st.one_of(
    st.builds(said.DoseTo, st.sampled_from(["raise", "lower", "set"]), amounts),
    amounts.flatmap(lambda amount: st.builds(said.DoseBy, st.just("raise"), st.just(amount), st.just(amount))),
    st.builds(said.DoseBy, st.just("lower"), st.floats(1, 99).map(lambda value: round(value, 1)), amounts),
    st.builds(said.Interval, st.sampled_from(["lengthen", "shorten"]), spans, spans),
    st.builds(said.Interval, st.just("set"), st.just(0.0), spans),
    st.builds(said.Skip, st.integers(1, 9)),
    st.builds(said.Postpone, spans),
    st.builds(said.Taper, spans),
    st.builds(said.Simple, st.sampled_from(["stop", "restart", "continue", "give a session"])),
    st.builds(said.GiveCourse, st.just("switch"), st.sampled_from(["booster", "b_2"]), st.just(False)),
    st.builds(said.GiveCourse, st.just("re-induce"), st.sampled_from(["", "booster"]), st.just(False)),
)


@settings(max_examples=80, deadline=None)
@given(conditions)
def test_conditions_read_back(condition: said.Condition) -> None:
    assert parse_condition(str(condition)) == condition


@settings(max_examples=80, deadline=None)
@given(actions)
def test_actions_read_back(action: said.Action) -> None:
    assert parse_action(str(action)) == action


@pytest.mark.parametrize(
    "text", ["each session", "weekly from day 8", "every 2 weeks from day 15 to day 85", "days 8, 15, 29", "36 h"]
)
def test_visits_read_back(text: str) -> None:
    assert parse_visits(str(parse_visits(text))) == parse_visits(text)


def test_and_binds_tighter_than_or() -> None:
    found = parse_condition("stopped or always and not stopped")
    assert found == said.Either(
        (said.Plain("stopped"), said.Both((said.Plain("always"), said.Not(said.Plain("stopped")))))
    )


def test_a_good_block_is_read_with_its_lines() -> None:
    policy = parse_study(HEAD + GOOD + TAIL, "s.yaml").arms[0].policy
    assert policy is not None
    assert [rule.where for rule in policy.rules] == [
        f"s.yaml, line {line}, arms[1].policy.rules[{number}]" for number, line in ((1, 11), (2, 13))
    ]
    assert str(policy).startswith("At visits (each session): when MADRS relapse: re-induce with booster; when PHQ-9")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("MADRS relapse", "MADR relapse", 11, "'MADR' does not fit here. Nearest: MADRS"),
        ("MADRS relapse", "MADRS relaps", 11, "'relaps' does not fit here. Nearest: relapse"),
        ("MADRS relapse", "MADRS <", 11, "ends too early. Expected a number"),
        ("MADRS relapse", "MADRS improvement < 25", 11, "needs %; none was given"),
        ("MADRS relapse", "MADRS change < 25 %", 11, "'improvement' is in per cent, 'change' in points"),
        ("MADRS relapse", "time since last dose > 3", 11, "needs a unit of time"),
        ("MADRS relapse", "systolic pressure response", 11, "has no definition of response"),
        ("MADRS relapse", "MADRS relapse by 'PHQ-9 half lost'", 11, "is for the PHQ-9"),
        ("MADRS relapse", "MADRS remission by 'MADRS < 3'", 11, "Unknown remission line 'MADRS < 3'"),
        ("MADRS relapse", "chance 120 %", 11, "The chance is 120. It should be from 0 to 100"),
        ("at 2 visits running", "at 0 visits running", 13, "number of visits is 0"),
        ("re-induce with booster", "re-induce with boster", 12, "Unknown course 'boster'. Nearest: booster"),
        ("re-induce with booster", "stop", 9, "No rule gives the course 'booster'"),
        ("re-induce with booster", "raise dose to 84 mg", 12, "is in mg, and the course is dosed in mg/kg"),
        ("re-induce with booster", "raise dose by 28 mg", 12, "ends too early. Expected 'up to'"),
        ("re-induce with booster", "raise dose to 0 mg/kg", 12, "A dose of 0 mg/kg is not a dose"),
        ("re-induce with booster", "rise dose to 1 mg/kg", 12, "'rise' does not fit here. Nearest: raise"),
        ("re-induce with booster", "adjust dose between 1 mg and 1 mg in steps of 1 mg", 12, "nothing between"),
        ("re-induce with booster", 'switch to "weekly ketamin"', 12, "Unknown drug 'ketamin'"),
        ("by 1 week up to", "by 1 week down to", 14, "lengthened 'up to' and shortened 'down to'"),
        ("visits: each session", "visits: each month", 7, "'month' does not fit here"),
        ("visits: each session", "visits: []", 7, "There are no visits"),
        ("visits: each session", "visits: days 8, 3", 7, "go back in time"),
        ("visits: each session", "visits: each session\n      rating: exact", 8, "Nearest: ratings"),
        ("twice a week for 2 weeks", "twice a weak for 2 weeks", 9, "Unknown"),
        ("PHQ-9 < 10 at 2 visits running", "always", 13, ""),
        ("MADRS relapse", "always", 13, "Rule 2 is never reached"),
        ("MADRS relapse", "3", 11, "Text is needed"),
        ("visits: each session", "visits: each session\n      drug: esketamine", 8, "gives no esketamine"),
        ("visits: each session", "visits: each session\n      ratings: true", 8, "is not one of"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_once_with_its_line(old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD
    text = HEAD + GOOD.replace(old, new, 1) + TAIL
    if not words:
        parse_study(text, "s.yaml")
        return
    with pytest.raises(InputError) as caught:
        parse_study(text, "s.yaml")
    assert f"s.yaml, line {line}," in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)

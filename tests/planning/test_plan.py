"""Plans: limits kept with a margin, trade-offs that nothing beats, the same plan from the same seed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binom

from rekindle.dosing import parse
from rekindle.inference.paths import future
from rekindle.inference.update import UNLIKE, Posterior, update
from rekindle.person.record import Given, Person, Planned, Rated, Vital
from rekindle.planning import rules
from rekindle.planning.compare import NOTHING, compare
from rekindle.planning.doses import given_sessions
from rekindle.planning.following import longest_session, looks_of
from rekindle.planning.fronts import dominates, front, spread
from rekindle.planning.judging import chances, upper_chance
from rekindle.planning.limits import read_limits
from rekindle.planning.limits_file import parse_limits
from rekindle.planning.measuring import followed_under, measure, measured
from rekindle.planning.options import frame_of, grid
from rekindle.planning.plan import Plan, plan
from rekindle.planning.search import Settings, fresh_luck, search
from rekindle.planning.waiting import waiting

DAY = 24.0
NOW = 16 * DAY
WEEKS = 8
SMALL = Settings(budget=8, draws=40, finals=4, final_draws=120, keep=4)
FILE = """\
name: small
title: Two drugs and a few doses
offers:
- {give: mg/kg IV over 40 min, doses: [0.25, 0.5, 1.0], assumed: for a test}
spacing:
- {most: 1, in_days: 6, assumed: for a test}
limits:
- {quantity: systolic peak, at_most: 190, chance: 0.3, per: session, assumed: for a test}
- {quantity: dissociation peak, at_most: 60, chance: 0.3, per: session, assumed: for a test}
- {quantity: visits a month, at_most: 3, chance: 0, per: plan, assumed: for a test}
joint: {chance: 0.5, per: session}
"""
LIMITS = parse_limits(FILE, "small.yaml")


@pytest.fixture(scope="module")
def posterior() -> Posterior:
    given = tuple(Given(day * DAY + 10.0, "40 mg IV over 40 min") for day in (1, 4, 8, 11))
    known = {"weight_kg": 80.0, "age_years": 45.0, "sex": "female"}
    ratings = (Rated(0.0, "MADRS", 34.0), Rated(5 * DAY, "MADRS", 20.0), Rated(15 * DAY, "MADRS", 11.0))
    ahead = Planned(parse("0.5 mg/kg IV over 40 min, weekly for 4 weeks"), 17 * DAY + 10.0, 60 * DAY)
    person = Person(
        date(2026, 1, 5), "treatment-resistant-depression", NOW, known, {}, given, ratings, planned=ahead,
        vitals=(Vital(10.0, 131.0, 84.0),),
    )  # fmt: skip
    return update(person, candidates=500)


@pytest.fixture(scope="module")
def made(posterior: Posterior) -> Plan:
    return plan(posterior, LIMITS, weeks=WEEKS, settings=SMALL)


def test_every_choice_is_within_the_limits_and_none_beats_another(made: Plan) -> None:
    assert made.choices
    given = given_sessions(made.person)
    values = []
    for each in made.choices:
        assert each.person.kept and all(one.chance <= one.allowed for one in each.person.limits if one.limit.keep)
        times = np.concatenate([given.times_h, each.option.times_h])
        for time in each.option.times_h:
            assert ((times > time - 28 * DAY + 1) & (times <= time + 1)).sum() <= 3
        values.append([each.person.well.chance(made.goal), each.person.drug, each.person.visits])
    table = np.array(values)
    assert not any(dominates(table[i], table[j]) for i in range(len(table)) for j in range(len(table)))
    drug = [each.person.drug for each in made.choices]
    assert drug == sorted(drug)
    assert made.found.looked_at <= SMALL.budget < made.found.allowed


def test_a_plan_is_the_same_from_the_same_seed(posterior: Posterior, made: Plan) -> None:
    again = search(posterior, LIMITS, made.frame, settings=SMALL)
    assert [each.option for each in made.choices] == [option for option, _ in again.chosen]
    assert [each.person.drug for each in made.choices] == [found.drug for _, found in again.chosen]


def test_a_plan_says_all_of_it_and_nobody(made: Plan) -> None:
    found = made.as_dict()
    assert found["answer"] and found["unknown"] and found["compared"][0]["name"] == "as planned"
    assert {each["name"] for each in found["compared"]} == {"as planned", NOTHING}
    for each in found["choices"]:
        assert len(each["person"]["limits"]) == len(each["population"]["limits"]) == len(LIMITS.chances)
        assert parse(each["course"])
    assert "2026" not in str(found["choices"])


def test_a_limit_of_zero_chance_bars_all_that_could_break_it(posterior: Posterior) -> None:
    never = parse_limits(FILE.replace("at_most: 190, chance: 0.3", "at_most: 290, chance: 0"), "never.yaml")
    made = plan(posterior, never, weeks=WEEKS, settings=replace(SMALL, budget=3))
    assert not made.choices and made.answer.startswith("Nothing within small")
    assert made.found.refused > 0  # no draw came near the line: it is the margin that bars them
    assert made.found.nothing.kept


def test_nothing_good_enough_is_said(made: Plan) -> None:
    strict = replace(made, risk=0.0)
    assert strict.answer.startswith("Nothing within small keeps the chance of")


def test_a_rule_that_never_acts_is_the_fixed_schedule(posterior: Posterior, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = frame_of(posterior.person, WEEKS)
    options = {each.integers: each for each in grid(posterior.person, LIMITS, frame)}
    fixed, rule = options[1, 0, 0, 7, 0, 0], options[1, 0, 0, 7, 0, 4]
    stretched = followed_under(posterior, rule, frame.until_h, draws=30)
    gaps = np.diff(stretched.times_h, axis=1)
    assert np.nanmin(gaps) >= 7 * DAY - 1 and np.nanmax(gaps) <= 28 * DAY + 1 and np.nanmax(gaps) > 7 * DAY + 1
    monkeypatch.setattr("rekindle.planning.options.WELL_BELOW", -1)
    one = followed_under(posterior, rule, frame.until_h, draws=30)
    other = followed_under(posterior, fixed, frame.until_h, draws=30)
    assert one.times_h == pytest.approx(other.times_h) and one.mg == pytest.approx(other.mg)
    for name, peaks in one.peaks.items():
        assert peaks == pytest.approx(other.peaks[name], abs=0.01)
    assert one.ratings.own == pytest.approx(other.ratings.own, abs=0.02)
    assert one.lasting["craving"] == pytest.approx(other.lasting["craving"], abs=0.01)
    assert rules.policy_of(rule, frame.until_h).visits


@pytest.mark.parametrize("days", [7, 42])
def test_equal_sessions_give_equal_courses_with_a_rule_and_without(
    posterior: Posterior, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """Care follows the sessions, close or far apart, whoever decides on them."""
    usual = rules.policy_of
    monkeypatch.setattr("rekindle.planning.options.WELL_BELOW", -1)
    # What is left of the rule never acts.
    monkeypatch.setattr(rules, "policy_of", lambda *how: replace(usual(*how), rules=usual(*how).rules[:1]))
    frame = frame_of(posterior.person, 20)
    fixed = next(
        each for each in grid(posterior.person, LIMITS, frame)
        if (each.dose, each.weeks, each.interval_days, each.taper, each.stretch_weeks) == (1, 0, days, 0, 0)
    )  # fmt: skip
    one, other = (followed_under(posterior, each, frame.until_h, draws=20)
                  for each in (fixed, replace(fixed, stretch_weeks=8)))  # fmt: skip
    assert one.times_h == pytest.approx(other.times_h)
    assert one.ratings.own == pytest.approx(other.ratings.own, abs=0.05)


def test_more_drug_raises_peaks_and_the_chance_of_passing_a_line(posterior: Posterior) -> None:
    frame = frame_of(posterior.person, WEEKS)
    options = {each.integers: each for each in grid(posterior.person, LIMITS, frame)}
    low, high = (followed_under(posterior, options[dose, 0, 0, 28, 0, 0], frame.until_h, draws=60) for dose in (0, 2))
    assert low.times_h == pytest.approx(high.times_h)
    for name, sign in (("systolic peak", 1), ("dissociation peak", 1), ("alertness", -1)):
        assert (sign * (high.peaks[name] - low.peaks[name]) >= -1e-6).all()
    first, second = (measured(each, posterior, LIMITS) for each in (low, high))
    assert second.drug == pytest.approx(4 * first.drug) and second.visits == first.visits
    assert all(b.chance >= a.chance for a, b in zip(first.limits, second.limits, strict=True))
    assert second.joint.chance >= max(each.chance for each in second.limits)


def test_options_side_by_side_name_what_is_beyond_the_limits(posterior: Posterior) -> None:
    dense = Planned(parse("0.5 mg/kg IV over 40 min, three times a week for 1 week"), 17 * DAY + 10.0, 30 * DAY)
    found = compare(posterior, {"dense": dense, NOTHING: None}, LIMITS, until_h=NOW + 6 * 168.0, draws=40)
    assert found[0].departures == ("at most 1 session in 6 days, from week 1 on",)
    assert not found[0].as_dict("relapse")["within_limits"]
    assert found[1].departures == () and found[1].person.visits == 0.0 and found[1].person.kept


def test_waiting_is_counted_from_no_delay(posterior: Posterior) -> None:
    ahead = posterior.person.planned
    assert ahead is not None
    found = waiting(posterior, ahead, weeks=(0, 2), draws=60)
    assert found[0].more == 0.0 and found[0].standard_error == 0.0
    assert found[1].more == pytest.approx(found[1].chance - found[0].chance, abs=1e-9)
    assert found[1].standard_error > 0.0 or found[1].more == 0.0


def test_the_margin_is_that_of_the_binomial() -> None:
    for hits, draws in ((0, 200), (3, 200), (40, 1_000)):
        top = upper_chance(hits / draws, draws)
        assert binom.cdf(hits, draws, top) == pytest.approx(0.025, rel=1e-6)
    assert upper_chance(1.0, 50) == 1.0


def test_chances_count_sessions_plan_and_all_together() -> None:
    """Four draws and two sessions by hand."""
    text = FILE.replace("visits a month, at_most: 3, chance: 0,", "craving, at_most: 10, chance: 0.3,")
    text = text.replace("at_most: 190, chance: 0.3, per: session", "at_most: 190, chance: 0.3, per: plan")
    limits = parse_limits(text, "hand.yaml")
    times = np.broadcast_to(np.array([500.0, 668.0]), (4, 2))
    followed = SimpleNamespace(
        draws=4, times_h=times, mg=np.ones((4, 2)), footing_mg=np.ones((4, 2)), fixed=True, densest=np.ones((2, 2)),
        peaks={
            "systolic peak": np.array([[200.0, 150.0], [150.0, 200.0], [150.0, 150.0], [150.0, 150.0]]),
            "dissociation peak": np.array([[10.0, 70.0], [10.0, 70.0], [10.0, 10.0], [70.0, 10.0]]),
        },
        lasting={"craving": np.array([0.0, 0.0, 20.0, 0.0])},
    )  # fmt: skip
    none = given_sessions(Person(date(2026, 1, 5), "treatment-resistant-depression", NOW))
    rows, joint = chances(followed, limits, none, 4.0)  # type: ignore[arg-type]
    assert [each.chance for each in rows] == [0.5, 0.5, 0.25]
    assert joint.chance == 0.75  # at either session: two by pressure or dissociation, or one, and the one who craves
    _, over_plan = chances(followed, replace(limits, joint_per="plan"), none, 4.0)  # type: ignore[arg-type]
    assert over_plan.chance == 1.0 and over_plan.upper == 1.0
    _, fewer = chances(followed, replace(limits, joint_per="plan", chances=limits.chances[::2]), none, 4.0)  # type: ignore[arg-type]
    assert fewer.chance == 0.75


def test_fronts_by_hand() -> None:
    values = np.array([[0.1, 5.0], [0.2, 1.0], [0.1, 6.0], [0.3, 1.0], [0.1, 5.0]])
    assert front(values) == [0, 1]
    line = np.array([[x, 10.0 - x] for x in range(11)])
    assert spread(line, 3) == [0, 5, 10]


def test_shipped_limits_bar_what_they_say(posterior: Posterior) -> None:
    clinic = read_limits("ketamine-clinic")
    heavy = Planned(parse("1 mg/kg IV over 40 min, twice a week for 4 weeks"), 17 * DAY + 10.0, 60 * DAY)
    found = measure(posterior, heavy, clinic, NOW + 6 * 168.0, draws=40)
    month = next(each for each in found.limits if each.name.startswith("dose a month"))
    assert month.chance == 1.0 and not month.kept and not found.kept


def test_draws_are_worth_no_more_than_there_are_different_ones(posterior: Posterior, made: Plan) -> None:
    rich = replace(posterior, effective=1_000.0)
    found = measure(rich, None, LIMITS, made.frame.until_h, draws=120)
    assert found.draws == 120 and found.worth == len(np.unique(rich.resampled(120))) < 120
    assert found.as_dict(made.goal)["worth"] == found.worth


def test_what_must_be_known_stands_first(made: Plan) -> None:
    from rekindle.cli.plan import lines
    from rekindle.report.plain import render_plain
    from rekindle.report.plan_pages import plan_page

    notes = ("who.yaml, line 3: odd.", "Outside what the model knows: psychosis.")
    odd = replace(made, person=replace(made.person, notes=notes), verdict=UNLIKE, unlike="Do not rely on what follows.")
    assert odd.cautions[0] == notes[1]
    assert odd.cautions[1] == "Unlike anyone in the model's range. Do not rely on what follows."
    assert lines(odd)[:3] == list(odd.cautions) and odd.as_dict()["cautions"] == list(odd.cautions)
    page = render_plain(plan_page(odd))
    assert page.index("psychosis") < page.index("Do not rely") < page.index("<h1")
    assert "who.yaml" not in page + str(odd.as_dict())
    assert "aside" not in render_plain(plan_page(replace(made, verdict="ok", heavy_tail="", unlike="")))


def test_a_chosen_option_that_leaves_the_rules_is_not_shown(
    posterior: Posterior, made: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guard beside the rules that build options: it reads each one's sentence."""
    monkeypatch.setattr("rekindle.planning.search.departures", lambda *rest: ("beyond",))
    found = search(posterior, LIMITS, made.frame, settings=replace(SMALL, budget=3, finals=2))
    assert not found.chosen


def test_a_session_s_chance_is_among_draws_that_have_it() -> None:
    """A first session that all have and a second that half have: 2 of 4 break at the second, whoever else there is."""
    from rekindle.planning.judging import _at_a_session

    there = np.ones((8, 3), dtype=bool)
    there[4:, 1] = False
    there[1:, 2] = False
    broken = np.zeros((8, 3), dtype=bool)
    broken[:2, 1] = True
    chance, upper = _at_a_session(broken, there, 8.0)
    assert chance == pytest.approx(2 / 5)  # the third session, which one draw has, counts with the second
    assert upper == pytest.approx(max(upper_chance(0.0, 8.0), upper_chance(2 / 5, 4.0)))
    whole = np.ones((8, 2), dtype=bool)
    alone, _ = _at_a_session(np.array([[True, False]] * 2 + [[False, False]] * 6), whole, 8.0)
    assert alone == 0.25


def test_long_sessions_are_looked_at_to_their_end(posterior: Posterior) -> None:
    long = Planned(parse("1 mg/kg IV over 4 h, once"), 17 * DAY + 10.0, 30 * DAY)
    short = Planned(parse("1 mg/kg IV over 40 min, once"), 17 * DAY + 10.0, 30 * DAY)
    assert looks_of(longest_session(long, posterior.person))[-1] == 4.5
    assert looks_of(longest_session(short, posterior.person))[-1] == 1.5
    seen = followed_under(posterior, long, 20 * DAY, draws=40).peaks["dissociation peak"]
    later = future(posterior, long, scales=("CADSS",), times_h=[17 * DAY + 11.5], draws=40, outputs=("dissociation",))
    assert seen.mean() > 1.2 * later.outputs["dissociation"][:, -1].mean()


def test_what_is_told_is_measured_on_luck_that_chose_nothing(posterior: Posterior, made: Plan) -> None:
    for option, found in zip([each.option for each in made.choices], made.found.chosen, strict=True):
        how = {"draws": SMALL.final_draws, "seed": fresh_luck(1)}
        assert measure(posterior, option, LIMITS, made.frame.until_h, **how).well.chance(made.goal) == pytest.approx(
            found[1].well.chance(made.goal)
        )
        break
    assert fresh_luck(1) != 1

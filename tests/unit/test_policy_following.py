"""Each rule and action does to a person's course what it says; no equation is solved here.

A person's MADRS is made up: everybody has a course of severity over time, and the clinic looks at it without error.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rekindle.cohort import person_parameters
from rekindle.engine.table import Happenings
from rekindle.engine.visits import Seen, Visit
from rekindle.mechanism.outputs import OUTPUTS
from rekindle.policy.clinic import Clinic
from rekindle.policy.looking import WATCHED_MIN, Luck
from rekindle.population import draw
from rekindle.simulate import lowered_model
from rekindle.study import Study, parse_study
from rekindle.treatment import clinic_of

WEEKLY = "0.5 mg/kg IV over 40 min, weekly for 10 weeks"
SPRAY = "56 mg intranasal esketamine, weekly for 10 weeks"
Severity = Callable[[np.ndarray, np.ndarray], np.ndarray]
LATENTS = tuple(OUTPUTS.index(name) for name in OUTPUTS[OUTPUTS.index("severity") : OUTPUTS.index("pain")])


def study(course: str, policy: str, horizon: str = "12 weeks") -> Study:
    body = "\n".join("      " + line for line in policy.strip().splitlines())
    text = f"title: t\npopulation: {{people: 3}}\narms:\n  - name: A\n    course: {course}\n    policy:\n{body}\n"
    return parse_study(f"{text}horizon: {horizon}\n", "s.yaml")


def steady(madrs: float) -> Severity:
    return lambda person, time: np.full(len(person), madrs / 60.0)


def improving(baseline: float, later: float, after_days: float = 1.0) -> Severity:
    return lambda person, time: np.where(time < after_days * 24.0, baseline, later) / 60.0


def walk(
    course: str, policy: str, severity: Severity, *, people: int = 1, horizon: str = "12 weeks",
    peaks: dict[str, float] | None = None, exact: bool = True,
) -> tuple[Clinic, Happenings]:  # fmt: skip
    """Everybody followed to the horizon through made-up outputs; returns the clinic and all that happened."""
    asked = study(course, policy + ("\nratings: exact" if exact else ""), horizon)
    arm, who = asked.arms[0], draw("treatment-resistant-depression", people, 1)
    parameters = person_parameters(who, arm, hypotheses={})
    clinic, outputs = clinic_of(
        arm, who, parameters, OUTPUTS, lowered=lowered_model(), horizon_h=asked.horizon_h, luck=Luck(1, ("A",))
    )

    def looked(person: np.ndarray, time: np.ndarray, session: bool) -> np.ndarray:
        values = np.zeros((len(person), len(outputs)))
        values[:, LATENTS] = severity(person, time)[:, None]
        for name, value in (peaks or {}).items() if session else ():
            values[:, outputs.index(name)] = value
        return values

    person, time, log = np.arange(people), np.zeros(people), []
    watched = Seen(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros((0, len(outputs))))
    for number in range(1000):
        visit = Visit(number, person, time, looked(person, time, False), watched)
        decision = clinic(visit)
        log.append(decision.given)
        watched = Seen(
            decision.watch_person, decision.watch_time, looked(decision.watch_person, decision.watch_time, True)
        )
        goes_on = decision.until < asked.horizon_h
        person, time = person[goes_on], decision.until[goes_on]
        if not len(person):
            return clinic, Happenings.join(log)
    raise AssertionError("the walk does not end")


def days(clinic: Clinic, person: int = 0) -> list[float]:
    return [time / 24.0 + 1.0 for time in clinic.given.time[clinic.given.person == person].tolist()]


def doses(clinic: Clinic, person: int = 0) -> list[float]:
    return clinic.given.amount[clinic.given.person == person].round(6).tolist()


WEEKS = [1.0 + 7.0 * week for week in range(10)]


def rule(when: str, then: str, visits: str = "each session", more: str = "") -> str:
    return f"visits: {visits}\nrules:\n  - when: {when}\n    then: {then}\n{more}"


def test_a_rule_that_never_holds_leaves_the_course_as_it_is() -> None:
    clinic, _ = walk(WEEKLY, rule("MADRS > 59", "stop"), steady(30))
    assert days(clinic) == WEEKS
    assert set(doses(clinic)) == {0.5}


def test_no_response_raises_the_dose() -> None:
    policy = rule("day >= 15 and MADRS improvement < 25 %", "raise dose to 0.75 mg/kg")
    assert doses(walk(WEEKLY, policy, improving(30, 25))[0]) == [0.5, 0.5, *[0.75] * 8]
    assert doses(walk(WEEKLY, policy, improving(30, 15))[0]) == [0.5] * 10


def test_doses_go_by_steps_to_their_bound_and_no_further() -> None:
    up = walk(SPRAY, rule("always", "raise dose by 28 mg up to 84 mg"), steady(30))[0]
    assert doses(up) == [84.0] * 10
    down = walk(WEEKLY, rule("day > 1", "lower dose by 20 % down to 0.3 mg/kg"), steady(30))[0]
    assert doses(down)[:5] == [0.5, 0.4, 0.32, 0.3, 0.3]
    above = walk(WEEKLY, rule("always", "raise dose to 0.2 mg/kg"), steady(30))[0]
    assert doses(above) == [0.5] * 10


def test_the_interval_is_stretched_while_remission_holds() -> None:
    policy = rule("MADRS remission at 2 visits running", "lengthen interval by 1 week up to 4 weeks")
    found = days(walk(WEEKLY, policy, improving(30, 5))[0])
    # Remission at days 8 and 15; the session of day 15 is due and stays, then 2, 3 and 4 weeks pass.
    assert found == [1.0, 8.0, 15.0, 29.0, 50.0]


def test_a_session_still_to_come_is_put_off_when_the_interval_grows() -> None:
    found = days(walk(WEEKLY, rule("day = 10", "set interval to 2 weeks", "days 10"), steady(20))[0])
    assert found == [1.0, 8.0, 22.0, 36.0, 50.0, 64.0]
    longer = days(walk(WEEKLY, rule("always", "lengthen interval by 1 week up to 2 weeks", "days 10"), steady(20))[0])
    assert longer == found


def test_relapse_is_met_by_another_induction_and_then_the_plan_goes_on() -> None:
    def relapsing(person: np.ndarray, time: np.ndarray) -> np.ndarray:
        well = (time >= 24.0) & (time < 29 * 24.0)
        return np.where(well, 10.0, 30.0) / 60.0

    course = "0.5 mg/kg IV over 40 min, twice a week for 2 weeks, then weekly for 8 weeks"
    clinic, _ = walk(course, rule("MADRS relapse", "re-induce"), relapsing)
    found = days(clinic)
    # The weekly sessions are on days 15, 22, ...; below half at 36 and 43, so again twice a week from day 43.
    assert found[:8] == [1.0, 4.0, 8.0, 11.0, 15.0, 22.0, 29.0, 36.0]
    assert found[8:12] == [43.0, 46.0, 50.0, 53.0]
    assert found[12] == 57.0


def test_a_relapse_needs_a_response_before_it() -> None:
    clinic, _ = walk(WEEKLY, rule("MADRS relapse", "stop"), steady(40))
    assert days(clinic) == WEEKS


def test_high_pressure_skips_the_session_at_hand() -> None:
    policy = rule("systolic pressure > 1", "skip", more="  - when: always\n    then: stop\n")
    clinic, _ = walk(WEEKLY, policy, steady(30))
    assert days(clinic) == []
    assert clinic.plan.skipped.tolist() == [10]


def test_what_happened_in_the_last_session_is_read_at_the_next() -> None:
    policy = rule("peak output dissociation > 0.5", "lower dose to 0.25 mg/kg")
    assert doses(walk(WEEKLY, policy, steady(30), peaks={"dissociation": 0.6})[0]) == [0.5, *[0.25] * 9]
    assert doses(walk(WEEKLY, policy, steady(30), peaks={"dissociation": 0.4})[0]) == [0.5] * 10
    bad = rule("lowest MOAA/S < 3", "stop")
    assert days(walk(WEEKLY, bad, steady(30), peaks={"sedation": 0.9})[0]) == [1.0]
    assert min(WATCHED_MIN) < 40.0 < max(WATCHED_MIN)


def test_symptoms_can_trigger_sessions() -> None:
    course = "0.5 mg/kg IV over 40 min, once"
    policy = rule("MADRS >= 20 and time since last dose >= 10 days", "give a session", "daily from day 2")
    found = days(walk(course, policy, steady(30), horizon="6 weeks")[0])
    assert found == [1.0, 11.0, 21.0, 31.0, 41.0]


def test_stop_and_restart() -> None:
    policy = """
visits: weekly from day 1
rules:
  - when: stopped and MADRS >= 20
    then: restart
  - when: not stopped and day > 1 and MADRS < 12
    then: stop
"""

    def away(person: np.ndarray, time: np.ndarray) -> np.ndarray:
        return np.where((time > 14 * 24.0 - 1) & (time < 35 * 24.0), 10.0, 30.0) / 60.0

    found = days(walk(WEEKLY, policy, away)[0])
    assert found == [1.0, 8.0, 36.0, 43.0, 50.0, 57.0, 64.0, 71.0, 78.0]


def test_a_taper_falls_to_nothing() -> None:
    found = doses(walk(WEEKLY, rule("day = 15", "taper over 4 weeks"), steady(5))[0])
    assert found == [0.5, 0.5, 0.5, 0.375, 0.25, 0.125]
    spray = doses(walk(SPRAY, rule("day = 15", "taper over 4 weeks"), steady(5))[0])
    assert spray == [56.0, 56.0, 56.0, 28.0, 28.0, 28.0]


def test_postponing_moves_what_follows() -> None:
    found = days(walk(WEEKLY, rule("day = 15", "postpone by 3 days"), steady(5))[0])
    assert found == [1.0, 8.0, *[18.0 + 7.0 * week for week in range(8)]]


def test_a_switch_replaces_what_is_planned() -> None:
    policy = rule("day = 15", 'switch to "56 mg intranasal esketamine, weekly for 3 weeks"')
    clinic, happened = walk(WEEKLY, policy, steady(5))
    assert days(clinic) == [1.0, 8.0, 15.0, 22.0, 29.0]
    assert [clinic.courses.kinds.all[kind].regimen.drug for kind in clinic.given.kind] == [
        "racemic-ketamine", "racemic-ketamine", *["esketamine"] * 3,
    ]  # fmt: skip
    assert len(happened) > 0


def test_judgement_goes_up_without_response_and_down_when_not_tolerated() -> None:
    policy = rule("day > 1", "adjust dose between 28 mg and 84 mg in steps of 28 mg")
    assert doses(walk(SPRAY, policy, steady(30))[0])[:3] == [56.0, 84.0, 84.0]
    assert doses(walk(SPRAY, policy, improving(30, 10))[0])[:3] == [56.0, 56.0, 56.0]
    assert doses(walk(SPRAY, policy, steady(30), peaks={"dissociation": 30.0})[0])[:4] == [56.0, 28.0, 28.0, 28.0]


def test_the_first_rule_that_holds_is_followed_unless_it_says_to_go_on() -> None:
    both = "visits: each session\nrules:\n  - when: day = 15\n    then: skip\n{}  - when: day = 15\n    then: stop\n"
    assert days(walk(WEEKLY, both.format(""), steady(5))[0]) == [1.0, 8.0, *WEEKS[3:]]
    assert days(walk(WEEKLY, both.format("    go_on: true\n"), steady(5))[0]) == [1.0, 8.0]


def test_a_rule_may_be_followed_so_often_and_not_again_so_soon() -> None:
    up = "raise dose by 0.1 mg/kg up to 1 mg/kg"
    often = walk(WEEKLY, rule("always", up, more="    at_most: 2\n"), steady(5))[0]
    assert doses(often)[:4] == [0.6, 0.7, 0.7, 0.7]
    seldom = walk(WEEKLY, rule("always", up, more="    not_within: 3 weeks\n"), steady(5))[0]
    assert doses(seldom)[:7] == [0.6, 0.6, 0.6, 0.7, 0.7, 0.7, 0.8]


@pytest.mark.parametrize(
    ("when", "day"),
    [
        ("MADRS <= 12", 8.0), ("MADRS < 12 at 3 visits running", 22.0), ("MADRS <= 12 for 3 weeks", 29.0),
        ("MADRS change <= -20", 8.0), ("MADRS improvement >= 70 %", 8.0), ("not MADRS > 12 and doses given >= 4", 29.0),
        ("MADRS at baseline >= 30 and time since start >= 2 weeks", 15.0), ("sessions skipped = 0 and day > 20", 22.0),
        ("MADRS at last visit <= 12", 15.0), ("interval < 8 days and dose >= 0.5 mg/kg and day > 3", 8.0),
        ("expected MADRS remission", 8.0), ("output severity < 0.4", 8.0), ("MADRS response or day = 3", 8.0),
        ("time since last dose >= 7 days", 8.0), ("MADRS rise from best >= 5", 71.0),
    ],
)  # fmt: skip
def test_conditions_hold_from_the_day_on_which_they_are_true(when: str, day: float) -> None:
    found = days(walk(WEEKLY, rule(when, "stop"), improving(30, 6))[0])
    assert found == [each for each in WEEKS if each < day]


def test_what_is_lost_since_the_best_rating_counts() -> None:
    def back(person: np.ndarray, time: np.ndarray) -> np.ndarray:
        return np.where(time < 24.0, 30.0, np.where(time < 30 * 24.0, 10.0, 16.0)) / 60.0

    for when in ("MADRS rise from best >= 6", "MADRS rise from best >= 50 %"):
        assert days(walk(WEEKLY, rule(when, "stop"), back)[0]) == WEEKS[:5]


def test_a_comparator_without_doses_follows_the_times_only() -> None:
    course = "placebo spray, weekly for 10 weeks"
    policy = rule("day = 15", "[raise dose to 84 mg, set interval to 2 weeks]")
    clinic, happened = walk(course, policy, steady(20))
    assert days(clinic) == [1.0, 8.0, 15.0, 29.0, 43.0, 57.0]
    assert clinic.given.mg.tolist() == [0.0] * 6
    assert len(happened) == 2 * len(days(clinic))  # contact at each session, care from each visit to the next


def test_people_are_followed_each_by_their_own_rule() -> None:
    def own(person: np.ndarray, time: np.ndarray) -> np.ndarray:
        return np.where(time < 24.0, 30.0, np.array([30.0, 14.0, 5.0])[person]) / 60.0

    policy = """
visits: each session
rules:
  - when: day >= 15 and MADRS improvement < 25 %
    then: raise dose to 0.75 mg/kg
  - when: MADRS remission at 2 visits running
    then: lengthen interval by 1 week up to 4 weeks
"""
    clinic, _ = walk(WEEKLY, policy, own, people=3)
    assert doses(clinic, 0) == [0.5, 0.5, *[0.75] * 8]
    assert doses(clinic, 1) == [0.5] * 10
    assert days(clinic, 2) == [1.0, 8.0, 15.0, 29.0, 50.0]
    assert clinic.used.sum(axis=1).tolist() == [8, 3]


def test_luck_belongs_to_the_person_and_the_visit() -> None:
    policy = rule("chance 30 %", "skip")
    many = walk(WEEKLY, policy, steady(20), people=200)[0]
    few = walk(WEEKLY, policy, steady(20), people=5)[0]
    assert 0.25 < many.plan.skipped.sum() / 2000 < 0.35
    assert [days(many, i) for i in range(5)] == [days(few, i) for i in range(5)]


def test_ratings_have_error_unless_asked_not_to() -> None:
    policy = rule("MADRS < 20", "skip")
    exact = walk(WEEKLY, policy, steady(20), people=50)[0]
    noisy = walk(WEEKLY, policy, steady(20), people=50, exact=False)[0]
    assert exact.plan.skipped.sum() == 0
    assert 100 < noisy.plan.skipped.sum() < 400


def test_the_block_reads_back_as_it_was_meant() -> None:
    asked = study(WEEKLY, rule("MADRS < 10 at 2 visits running", "[skip, lower dose to 0.4 mg/kg]"))
    policy = asked.arms[0].policy
    assert policy is not None
    said = policy.as_dict()
    assert said["rules"] == [{"when": "MADRS < 10 at 2 visits running", "then": ["skip", "lower dose to 0.4 mg/kg"]}]

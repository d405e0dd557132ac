"""Any policy can be followed: whatever rules are put together, courses stay courses."""

from __future__ import annotations

import random

import numpy as np
import pytest

from rekindle.cohort import person_parameters
from rekindle.engine.visits import Seen, Visit
from rekindle.mechanism.outputs import OUTPUTS
from rekindle.policy.looking import Luck
from rekindle.population import draw
from rekindle.simulate import lowered_model
from rekindle.study import parse_study
from rekindle.treatment import clinic_of

CONDITIONS = (
    "MADRS < 15", "MADRS relapse", "day >= 15 and MADRS improvement < 25 %", "PHQ-9 < 10 at 2 visits running",
    "chance 40 %", "stopped", "time since last dose >= 9 days", "interval < 3 weeks", "peak systolic pressure > 100",
    "dose > 0.6 mg/kg", "MADRS rise from best >= 20 %", "chance 30 % for 2 weeks", "lowest MOAA/S < 6",
)  # fmt: skip
ACTIONS = (
    "raise dose to 0.75 mg/kg", "raise dose by 20 % up to 1 mg/kg", "lower dose by 0.1 mg/kg down to 0.2 mg/kg",
    "lengthen interval by 5 days up to 6 weeks", "shorten interval by 36 h down to 30 h", "set interval to 10 days",
    "skip", "skip 3 sessions", "postpone by 60 h", "give a session", "taper over 3 weeks", "stop", "restart",
    "re-induce", "continue", "adjust dose between 0.3 mg/kg and 0.8 mg/kg in steps of 0.1 mg/kg",
    "switch to '56 mg intranasal esketamine, weekly for 3 weeks'",
)  # fmt: skip
VISITS = ("each session", "[each session, weekly from day 8]", "every 3 days from day 2 to day 60", "daily from day 2")
COURSES = (
    "0.5 mg/kg IV over 40 min, weekly for 10 weeks", "0.5 mg/kg IV over 40 min, once",
    "0.5 mg/kg IV over 40 min, twice a week for 3 weeks, then every 2 weeks for 6 weeks with oral antidepressant "
    "daily for 8 weeks",
)  # fmt: skip
PEOPLE, HORIZON = 6, 2016.0


def written(luck: random.Random) -> str:
    """A study with a policy put together by chance."""
    lines = [f"title: t\npopulation: {{people: {PEOPLE}}}\narms:\n  - name: A\n    course: {luck.choice(COURSES)}"]
    lines.append(f"    policy:\n      visits: {luck.choice(VISITS)}\n      rules:")
    for _ in range(luck.randint(1, 5)):
        actions = ", ".join(f'"{luck.choice(ACTIONS)}"' for _ in range(luck.randint(1, 2)))
        lines.append(f"        - when: {luck.choice(CONDITIONS)}\n          then: [{actions}]")
        lines += ["          go_on: true"] * (luck.random() < 0.3) + ["          at_most: 2"] * (luck.random() < 0.2)
    return "\n".join([*lines, "horizon: 12 weeks\n"])


@pytest.mark.parametrize("seed", range(24))
def test_whatever_the_rules_sessions_stay_apart_and_doses_bounded(seed: int) -> None:
    study = parse_study(written(random.Random(seed)))
    arm, people = study.arms[0], draw("treatment-resistant-depression", PEOPLE, 1)
    parameters = person_parameters(people, arm, hypotheses={})
    clinic, outputs = clinic_of(
        arm, people, parameters, OUTPUTS, lowered=lowered_model(), horizon_h=HORIZON, luck=Luck(seed)
    )
    chance = np.random.default_rng(seed)
    person, time = np.arange(PEOPLE), np.zeros(PEOPLE)
    watched = Seen(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros((0, len(outputs))))
    for number in range(300):
        values = chance.uniform(0.1, 0.8, (len(person), len(outputs)))
        decision = clinic(Visit(number, person, time, values, watched))
        assert (decision.until > time).all()
        now = np.full(PEOPLE, np.inf)
        now[person] = time
        assert (decision.given.time >= now[decision.given.person] - 1e-9).all()
        seen = chance.uniform(0.0, 1.0, (len(decision.watch_person), len(outputs)))
        watched = Seen(decision.watch_person, decision.watch_time, seen)
        goes_on = decision.until < HORIZON
        person, time = person[goes_on], decision.until[goes_on]
        if not len(person):
            break
    assert not len(person)
    given = clinic.given
    assert np.isfinite(given.mg).all() and (given.mg > 0.0).all() and (given.amount <= 56.0).all()
    for each in range(PEOPLE):
        times = given.time[given.person == each]
        assert (np.diff(times) > 12.0).all() and (times < HORIZON).all()

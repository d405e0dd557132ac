"""The clinic: at every visit it looks, follows the rules, and gives what the plan then holds until the next visit.

One object follows one arm's people under one policy; `rekindle.engine.visits.solve_visits` calls it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.table import Happenings
from rekindle.engine.visits import Decision, Visit
from rekindle.mechanism.delivery import CONTACT_H
from rekindle.policy.deciding import Deciding
from rekindle.policy.giving import Contact, Giving
from rekindle.policy.looking import (
    BAD_DISSOCIATION,
    BAD_PRESSURE,
    BAD_SEDATION,
    JUDGED,
    WATCHED_MIN,
    Looking,
    Luck,
    Visited,
)
from rekindle.policy.plan import Plan
from rekindle.policy.rules import (
    Action,
    DoseBy,
    DoseTo,
    EachSession,
    EveryHours,
    GiveCourse,
    Interval,
    Judge,
    Policy,
    Postpone,
    Simple,
    Skip,
    Taper,
)
from rekindle.policy.sessions import DAY_H, Kinds, Sequel

if TYPE_CHECKING:
    from rekindle.dosing.administration import Administration
    from rekindle.population import People

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
SAME_H = 1.0 / 60.0


@dataclass(frozen=True)
class Courses:
    """What may be given, as the plan knows it: the arm's own line, its first part, and the courses of actions.

    `fixed` are the doses that no rule changes; `fixed_visits_h` the hours of those of them that are sessions.
    """

    kinds: Kinds
    own: Sequel
    first: Sequel
    named: Mapping[str, Sequel]
    fixed: Sequence[Administration] = ()
    fixed_visits_h: tuple[float, ...] = ()


@dataclass(frozen=True)
class Given:
    """Sessions that took place, shape (sessions,) each: who, when (hours), which kind, the dose, mg of base."""

    person: Whole
    time: Array
    kind: Whole
    amount: Array
    mg: Array


class Clinic:
    """Decides for everybody in an arm, visit by visit."""

    def __init__(
        self, policy: Policy, courses: Courses, people: People, giving: Giving, outputs: tuple[str, ...],
        horizon_h: float, luck: Luck,
    ) -> None:  # fmt: skip
        count = len(people)
        self.policy, self.courses, self.giving, self.horizon_h = policy, courses, giving, horizon_h
        self.plan = Plan(count, courses.own, courses.kinds, horizon_h)
        self.looking = Looking(policy, people, outputs, luck)
        self.deciding = Deciding(policy, count, luck)
        self.contact = Contact(count)
        self.used = np.zeros((len(policy.rules), count), dtype=np.int64)
        self.last_used = np.full((len(policy.rules), count), -np.inf)
        self._given: list[Given] = []
        ends = [dose.end_h for dose in courses.fixed]
        self.fixed_end = max(ends, default=-np.inf)

    def __call__(self, visit: Visit) -> Decision:
        """What happens to the people of a visit until their next one."""
        person, now = visit.person, visit.time
        self.looking.watch(visit.watched)
        is_visit = self._first_is_visit() if visit.number == 0 else np.ones(len(person), dtype=bool)
        seen = self.looking.visit(person, now, visit.values)
        if is_visit.any():
            self._follow(seen, is_visit)
        until = self._next(person, now)
        return self._give(visit, until)

    @property
    def given(self) -> Given:
        """Every session that took place so far, in order of person and time."""
        if not self._given:
            whole, real = np.zeros(0, dtype=np.int64), np.zeros(0)
            return Given(whole, real, whole, real, real)
        parts = [np.concatenate(each) for each in zip(*(vars(part).values() for part in self._given), strict=True)]
        order = np.lexsort((parts[1], parts[0]))
        return Given(*(part[order] for part in parts))

    # when

    def _first_is_visit(self) -> NDArray[np.bool_]:
        """Whose first look, at hour 0, is a visit."""
        count = len(self.plan.end_h)
        always = any(
            (isinstance(each, EveryHours) and each.from_day == 1)
            or (not isinstance(each, EachSession | EveryHours) and 0.0 in each.hours)
            for each in self.policy.visits
        )
        sessions = any(isinstance(each, EachSession) for each in self.policy.visits)
        return np.full(count, always) | (sessions & (self.plan.next_time <= SAME_H))

    def _next(self, person: Whole, now: Array) -> Array:
        """Everybody's next visit, or the horizon."""
        found = np.full(len(person), self.horizon_h)
        for each in self.policy.visits:
            if isinstance(each, EachSession):
                times = self.plan.time_after(self._clock(person, now))
                found = np.minimum(found, times[person])
            elif isinstance(each, EveryHours):
                begin = (each.from_day - 1) * DAY_H
                steps = np.maximum(0.0, np.floor((now - begin + SAME_H) / each.hours) + 1.0)
                following = begin + steps * each.hours
                last = (each.to_day - 1) * DAY_H + SAME_H if each.to_day else np.inf
                found = np.where(following <= last, np.minimum(found, following), found)
            else:
                hours = np.append(np.asarray(each.hours), np.inf)
                found = np.minimum(found, hours[np.searchsorted(hours, now + SAME_H, side="right")])
        return found

    def _clock(self, person: Whole, now: Array) -> Array:
        clock = np.full(len(self.plan.end_h), np.inf)
        clock[person] = now
        return clock

    # what

    def _follow(self, seen: Visited, is_visit: NDArray[np.bool_]) -> None:
        """Read the rules from the top and follow, for each person, the first whose condition holds."""
        policy, plan = self.policy, self.plan
        reading = is_visit.copy()
        for number, (rule, holds) in enumerate(zip(policy.rules, self.deciding.all(policy, seen, plan), strict=True)):
            person = seen.person
            hit = reading & holds
            if rule.at_most:
                hit &= self.used[number, person] < rule.at_most
            if rule.not_within_h:
                hit &= seen.time - self.last_used[number, person] >= rule.not_within_h - SAME_H
            if any(isinstance(action, GiveCourse) and action.way == "re-induce" for action in rule.then):
                hit &= seen.time >= plan.inducing_until[person] - SAME_H
            here = np.flatnonzero(hit)
            self.used[number, person[here]] += 1
            self.last_used[number, person[here]] = seen.time[here]
            for action in rule.then:
                self._act(action, seen, here)
            if not rule.go_on:
                reading &= ~hit

    def _act(self, action: Action, seen: Visited, here: Whole) -> None:
        """Do an action to the plan of some of those seen."""
        if not len(here):
            return
        who, now, plan = seen.person[here], seen.time[here], self.plan
        if isinstance(action, DoseTo):
            plan.dose_to(who, action)
        elif isinstance(action, DoseBy):
            plan.dose_by(who, action)
        elif isinstance(action, Judge):
            self._judge(action, seen, here)
        elif isinstance(action, Interval):
            plan.respace(who, now, action)
        elif isinstance(action, Skip):
            plan.skip(who, action.count)
        elif isinstance(action, Postpone):
            plan.postpone(who, action.hours)
        elif isinstance(action, Taper):
            plan.taper(who, now, action.hours)
        elif isinstance(action, GiveCourse):
            sequel = self.courses.named[action.course] if action.course else self.courses.first
            (plan.induce if action.way == "re-induce" else plan.switch)(who, now, sequel)
        else:
            self._simple(action, who, now)

    def _simple(self, action: Simple, who: Whole, now: Array) -> None:
        if action.kind == "stop":
            self.plan.stop(who)
        elif action.kind == "restart":
            self.plan.restart(who, now)
        elif action.kind == "give a session":
            self.plan.extra(who, now)

    def _judge(self, action: Judge, seen: Visited, here: Whole) -> None:
        """One step down where the last session was not tolerated, else one up where there is no response."""
        apart, pressure, awake = (seen.reading(reading)[here] for reading in JUDGED)
        badly = (apart > BAD_DISSOCIATION) | (pressure > BAD_PRESSURE) | (awake < BAD_SEDATION)
        needs = ~badly & (seen.improvement(action.scale)[here] < 50.0)
        who = seen.person[here]
        self.plan.dose_by(who[badly], DoseBy("lower", action.step, action.low))
        self.plan.dose_by(who[needs], DoseBy("raise", action.step, action.high))

    # giving

    def _give(self, visit: Visit, until: Array) -> Decision:
        """The events of all sessions before the next visits, with contact and care."""
        person, now = visit.person, visit.time
        session_of, time, kind, amount = self.plan.take(person, until)
        time = np.maximum(time, self._clock(person, now)[session_of])
        giving = self.giving
        parts = [giving.happenings(session_of, time, kind, amount)]
        if visit.number == 0:
            parts.append(giving.fixed(self.courses.fixed))
        if len(session_of):
            mg = giving.mg(session_of, kind, amount)
            self._given.append(Given(session_of, time, kind, amount, mg))
        parts.append(self._contact(person, now, until, session_of, time))
        parts.append(self._care(person, now, until))
        watch_person, watch_time = self._watches(session_of, time)
        return Decision(until, Happenings.join(parts), watch_person, watch_time)

    def _contact(self, person: Whole, now: Array, until: Array, session_of: Whole, time: Array) -> Happenings:
        fixed = np.asarray(self.courses.fixed_visits_h)
        row, column = np.nonzero((fixed >= now[:, None] - SAME_H) & (fixed < until[:, None] - SAME_H))
        who = np.concatenate([session_of, person[row]])
        begins, hour = self.contact.begin(who, np.concatenate([time, fixed[column]]))
        return self.giving.circumstance("contact", begins, hour, np.full(len(begins), CONTACT_H))

    def _care(self, person: Whole, now: Array, until: Array) -> Happenings:
        """Care until some days after the last dose given or planned."""
        plan = self.plan
        last = np.maximum(np.maximum(plan.planned_end, plan.last_end), self.fixed_end)[person]
        end = np.minimum(last + self.giving.own["care_after"][person], self.horizon_h)
        return self.giving.circumstance("care", person, now, np.minimum(end, until) - now)

    def _watches(self, session_of: Whole, time: Array) -> tuple[Whole, Array]:
        """When sessions are looked at, where a rule reads them."""
        if not len(self.looking.watched) or not len(session_of):
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        # Of several sessions before the next visit the last one counts.
        order = np.lexsort((time, session_of))
        last = np.append(session_of[order][1:] != session_of[order][:-1], True)
        person, start = session_of[order][last], time[order][last]
        self.looking.begin_session(person, start)
        times = start[:, None] + np.asarray(WATCHED_MIN) / 60.0
        kept = times < self.horizon_h
        return np.repeat(person, kept.sum(axis=1)), times[kept]

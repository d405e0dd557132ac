"""Whether conditions hold, for everybody at a visit at once; what has held at earlier visits is kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.outcomes import SCALES
from rekindle.outcomes.endpoints import relapse_rule, relapse_rules
from rekindle.policy.looking import Luck, Visited, conditions_within
from rekindle.policy.plan import Plan
from rekindle.policy.rules import (
    Both,
    Chance,
    Comparison,
    Condition,
    Either,
    Known,
    Lasting,
    Not,
    Plain,
    Policy,
    State,
)
from rekindle.policy.sessions import DAY_H
from rekindle.streams import uniforms

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]

ROUNDING = 1e-9
SAME_H = 1.0 / 60.0


class Run:
    """How many visits running something has held, and since when, shape (people,) each."""

    def __init__(self, people: int) -> None:
        self.count = np.zeros(people, dtype=np.int64)
        self.since = np.full(people, np.nan)

    def take(self, person: Whole, time: Array, holds: Mask) -> tuple[Whole, Array]:
        """Note whether it holds now; returns the visits running and the hours since the first of them."""
        begins = holds & (self.count[person] == 0)
        self.since[person] = np.where(begins, time, np.where(holds, self.since[person], np.nan))
        self.count[person] = np.where(holds, self.count[person] + 1, 0)
        return self.count[person], time - self.since[person]


class Deciding:
    """The conditions of a policy over the visits of an arm's people."""

    def __init__(self, policy: Policy, people: int, luck: Luck) -> None:
        self.luck = luck
        self.runs: dict[Any, Run] = {}
        self.responded: dict[State, Mask] = {}
        for rule in policy.rules:
            for condition in conditions_within(rule.when):
                if isinstance(condition, Lasting):
                    self.runs[condition] = Run(people)
                elif isinstance(condition, State) and condition.kind == "relapse":
                    self.runs[condition] = Run(people)
                    self.responded[condition] = np.zeros(people, dtype=bool)

    def all(self, policy: Policy, seen: Visited, plan: Plan) -> list[Mask]:
        """Where each rule's condition holds, shape (seen,) each. To be asked once a visit."""
        known: dict[Any, Mask] = {}
        return [self._holds(rule.when, seen, plan, number, known) for number, rule in enumerate(policy.rules)]

    def _holds(self, condition: Condition, seen: Visited, plan: Plan, rule: int, known: dict[Any, Mask]) -> Mask:
        """One condition. What keeps count is worked out once a visit however often it stands in the rules."""
        key = (rule, condition) if isinstance(condition, Chance) else condition
        if key not in known:
            known[key] = self._found(condition, seen, plan, rule, known)
        return known[key]

    def _found(self, condition: Condition, seen: Visited, plan: Plan, rule: int, known: dict[Any, Mask]) -> Mask:
        if isinstance(condition, Both | Either):
            parts = [self._holds(part, seen, plan, rule, known) for part in condition.parts]
            return np.asarray(np.all(parts, axis=0) if isinstance(condition, Both) else np.any(parts, axis=0))
        if isinstance(condition, Not):
            return ~self._holds(condition.inner, seen, plan, rule, known)
        if isinstance(condition, Lasting):
            holds = self._holds(condition.inner, seen, plan, rule, known)
            visits, hours = self.runs[condition].take(seen.person, seen.time, holds)
            if condition.visits:
                return visits >= condition.visits
            return holds & (hours >= condition.hours - SAME_H)
        if isinstance(condition, Plain):
            return plan.stopped[seen.person] if condition.kind == "stopped" else np.ones(len(seen.person), dtype=bool)
        if isinstance(condition, Chance):
            return self._lucky(condition, seen, rule)
        if isinstance(condition, State):
            return self._state(condition, seen)
        return _compared(condition, seen, plan)

    def _lucky(self, condition: Chance, seen: Visited, rule: int) -> Mask:
        found = np.zeros(len(seen.person), dtype=bool)
        minutes = np.round(seen.time * 60.0).astype(np.int64)
        for minute in np.unique(minutes):
            here = np.flatnonzero(minutes == minute)
            low, high = int(seen.person[here].min()), int(seen.person[here].max()) + 1
            name = ("policy", *self.luck.purpose, f"rule {rule}", f"minute {minute}")
            luck = uniforms(self.luck.seed, *name, start=self.luck.start + low, count=high - low)
            found[here] = luck[seen.person[here] - low] * 100.0 < condition.percent
        return found

    def _state(self, state: State, seen: Visited) -> Mask:
        scale = SCALES[state.scale]
        now, baseline = seen.rating(state.scale, expected=state.expected)
        if state.kind == "remission":
            return scale.line(state.by or None).holds(now)
        better = seen.improvement(state.scale, expected=state.expected) >= 100.0 * (scale.response or 0.5) - ROUNDING
        if state.kind == "response":
            return better
        rule = relapse_rule(state.by or next(iter(relapse_rules())))
        bad = rule.holds(scale, now[:, None], baseline)[:, 0] & self.responded[state][seen.person] & np.isfinite(now)
        visits, hours = self.runs[state].take(seen.person, seen.time, bad)
        self.responded[state][seen.person] |= better
        return bad & (visits >= rule.visits) & (hours >= rule.shortest_gap_h - SAME_H)


def _compared(comparison: Comparison, seen: Visited, plan: Plan) -> Mask:
    """Where a reading satisfies a comparison; one that does not exist satisfies none."""
    reading = comparison.reading
    if isinstance(reading, Known):
        values = _known(reading, comparison.unit, seen, plan)
    else:
        values = seen.reading(reading, percent=comparison.unit == "%")
    with np.errstate(invalid="ignore"):
        if comparison.sign in ("<", ">"):
            strict = values < comparison.value - ROUNDING, values > comparison.value + ROUNDING
            return strict[comparison.sign == ">"]
        if comparison.sign == "=":
            return np.abs(values - comparison.value) <= ROUNDING
        loose = values <= comparison.value + ROUNDING, values >= comparison.value - ROUNDING
        return loose[comparison.sign == ">="]


def _known(reading: Known, unit: str, seen: Visited, plan: Plan) -> Array:
    """What is known without looking at the person, shape (seen,)."""
    person, time = seen.person, seen.time
    if reading.fact == "time since last dose":
        return np.asarray(time - plan.last_time[person])
    if reading.fact == "time since start":
        return time
    if reading.fact == "day":
        return np.asarray(np.floor(time / DAY_H + ROUNDING) + 1.0)
    if reading.fact == "doses given":
        return plan.given[person].astype(np.float64)
    if reading.fact == "sessions skipped":
        return plan.skipped[person].astype(np.float64)
    return plan.next_dose(unit)[person] if reading.fact == "dose" else plan.interval()[person]

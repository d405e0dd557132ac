"""What the clinic sees at a visit: ratings with their error, readings of the last session, and what was before.

A rating's luck is named after the scale, the visit's time and the person. At a time at which the study rates too it
is the study's own rating, so the clinic and the report read the same number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError, unknown
from rekindle.outcomes import SCALES, observe
from rekindle.policy.rules import (
    Comparison,
    Condition,
    Judge,
    ModelOutput,
    Policy,
    Reading,
    Score,
    State,
)

if TYPE_CHECKING:
    from rekindle.engine.visits import Seen
    from rekindle.population import People

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Rated = tuple[str, bool]
"""A scale, and whether its expected score is meant."""

WATCHED_MIN = (20.0, 30.0, 40.0, 60.0, 90.0, 120.0)
"""Minutes after the start of a session at which it is looked at, where a policy reads sessions."""

BAD_DISSOCIATION, BAD_PRESSURE, BAD_SEDATION = 20.0, 180.0, 3.0
"""Assumed lines beyond which a session was not tolerated (CADSS, mmHg, MOAA/S), for doses adjusted by judgement."""

JUDGED: tuple[Score, ...] = (
    Score("CADSS", session="peak"),
    Score("systolic pressure", session="peak"),
    Score("MOAA/S", session="lowest"),
)


@dataclass(frozen=True)
class Luck:
    """Where ratings get their chance from: the study's seed, words for the streams, the number of the first person.

    `visits` gives the number of the study's own rating at a minute since the start.
    """

    seed: int
    purpose: tuple[str, ...] = ()
    start: int = 0
    visits: Mapping[int, int] = field(default_factory=dict)


def conditions_within(condition: Condition) -> list[Condition]:
    """A condition and all within it."""
    inner = getattr(condition, "parts", None) or (getattr(condition, "inner", None),)
    return [condition, *(found for part in inner if part is not None for found in conditions_within(part))]


def readings_of(policy: Policy) -> tuple[Reading, ...]:
    """Everything that a policy reads, each once."""
    found: dict[Reading, None] = {}
    for rule in policy.rules:
        for condition in conditions_within(rule.when):
            if isinstance(condition, Comparison):
                found[condition.reading] = None
            elif isinstance(condition, State):
                found[Score(condition.scale, expected=condition.expected)] = None
        for action in rule.then:
            if isinstance(action, Judge):
                found |= dict.fromkeys((Score(action.scale, "improvement"), *JUDGED))
    return tuple(found)


def outputs_read(policy: Policy) -> tuple[str, ...]:
    """The model's outputs that a policy needs."""
    names: dict[str, None] = {}
    for reading in readings_of(policy):
        if isinstance(reading, ModelOutput):
            names[reading.name] = None
        elif isinstance(reading, Score):
            names |= dict.fromkeys(SCALES[reading.scale].latents)
    return tuple(names)


def check_outputs(policy: Policy, known: tuple[str, ...]) -> None:
    """Refuse a policy that reads what the model does not have.

    Raises:
        InputError: an output, or what a scale needs, that is not known.
    """
    for rule in policy.rules:
        for reading in readings_of(Policy(policy.visits, (rule,))):
            if isinstance(reading, ModelOutput) and reading.name not in known:
                raise unknown("output", reading.name, known, where=rule.where)
            missing = [] if not isinstance(reading, Score) else set(SCALES[reading.scale].latents) - set(known)
            if missing:
                raise InputError(f"The model lacks '{min(missing)}', which '{reading}' needs.", where=rule.where)


class Looking:
    """What is seen of everybody, visit by visit. Positions count from 0 among the people of the arm."""

    def __init__(self, policy: Policy, people: People, outputs: tuple[str, ...], luck: Luck) -> None:
        self.people, self.luck, self.exact = people, luck, policy.exact
        self.column = {name: place for place, name in enumerate(outputs)}
        readings = readings_of(policy)
        self.rated: tuple[Rated, ...] = tuple(
            dict.fromkeys(self._key(each) for each in readings if isinstance(each, Score) and not each.session)
        )
        self.watched = tuple(each for each in readings if isinstance(each, Score | ModelOutput) and each.session)
        count = len(people)
        self.baseline = {key: np.full(count, np.nan) for key in self.rated}
        self.last = {key: np.full(count, np.nan) for key in self.rated}
        self.best = {key: np.full(count, np.nan) for key in self.rated}
        self.session = np.full(count, np.nan)
        self._extreme = {each: np.full(count, np.nan) for each in self.watched}
        self._latents = {
            each: np.zeros((count, len(SCALES[each.scale].latents))) for each in self.watched if isinstance(each, Score)
        }

    def _key(self, score: Score) -> Rated:
        return score.scale, score.expected or self.exact

    # what happens

    def begin_session(self, person: Whole, time: Array) -> None:
        """Sessions begin: what was seen of earlier ones no longer counts."""
        self.session[person] = time
        for extreme in self._extreme.values():
            extreme[person] = np.nan

    def watch(self, seen: Seen) -> None:
        """Take in looks at sessions."""
        current = np.isfinite(self.session[seen.person]) & (seen.time >= self.session[seen.person] - 1e-9)
        for reading in self.watched:
            if not current.any():
                return
            person, values = seen.person[current], seen.values[current]
            found = self._of_session(reading, person, values)
            sign = 1.0 if reading.session == "peak" else -1.0
            order = np.lexsort((sign * found, person))
            last = np.append(person[order][1:] != person[order][:-1], True)
            k = order[last]  # each person's most extreme look
            old = self._extreme[reading][person[k]]
            k = k[~(sign * found[k] <= sign * old)]
            self._extreme[reading][person[k]] = found[k]
            if isinstance(reading, Score):
                columns = [self.column[name] for name in SCALES[reading.scale].latents]
                self._latents[reading][person[k]] = values[np.ix_(k, columns)]

    def _of_session(self, reading: Score | ModelOutput, person: Whole, values: Array) -> Array:
        if isinstance(reading, ModelOutput):
            return values[:, self.column[reading.name]]
        scale = SCALES[reading.scale]
        latents = {name: values[:, [self.column[name]]] for name in scale.latents}
        return scale.expected(latents, self._inputs(reading.scale, person))[:, 0]

    def visit(self, person: Whole, time: Array, values: Array) -> Visited:
        """What is seen at a visit of some people; their first is the baseline."""
        now = {key: self._rating(key, person, time, values) for key in self.rated}
        for key, rating in now.items():
            first = np.isnan(self.baseline[key][person])
            self.baseline[key][person] = np.where(first, rating, self.baseline[key][person])
            better = np.fmin if SCALES[key[0]].better == "lower" else np.fmax
            self.best[key][person] = better(self.best[key][person], rating)
        before = {key: self.last[key][person].copy() for key in self.rated}
        for key, rating in now.items():
            self.last[key][person] = rating
        return Visited(self, person, time, values, now, before)

    # ratings

    def _inputs(self, scale: str, person: Whole) -> dict[str, Array]:
        return {name: self.people[name][person].astype(np.float64) for name in SCALES[scale].person_inputs}

    def _rating(self, key: Rated, person: Whole, time: Array, values: Array) -> Array:
        scale = SCALES[key[0]]
        latents = {name: values[:, [self.column[name]]] for name in scale.latents}
        if key[1]:
            return scale.expected(latents, self._inputs(key[0], person))[:, 0]
        return self._lucky(key[0], latents, person, time, ())

    def _lucky(
        self, name: str, latents: Mapping[str, Array], person: Whole, time: Array, more: tuple[str, ...]
    ) -> Array:
        """Ratings with their error, minute by minute: everybody rated at one time draws from one stream."""
        found = np.full(len(person), np.nan)
        minutes = np.round(time * 60.0).astype(np.int64)
        for minute in np.unique(minutes):
            here = np.flatnonzero(minutes == minute)
            low, high = int(person[here].min()), int(person[here].max()) + 1
            place = person[here] - low
            spread = {}
            for latent, numbers in latents.items():
                spread[latent] = np.zeros((high - low, 1))
                spread[latent][place] = numbers[here]
            number = None if more else self.luck.visits.get(int(minute))
            purpose = self.luck.purpose if number is not None else (*self.luck.purpose, "clinic", *more)
            ratings = observe(
                SCALES[name], spread, self._inputs(name, np.arange(low, high)), seed=self.luck.seed,
                visits=[int(minute) if number is None else number], start=self.luck.start + low, purpose=purpose,
            )  # fmt: skip
            found[here] = ratings.total[place, 0]
        return found

    def of_last_session(self, reading: Score | ModelOutput, person: Whole) -> Array:
        """The extreme reading of everybody's last session; NaN before the first."""
        extreme = self._extreme[reading][person]
        if isinstance(reading, ModelOutput) or reading.expected or self.exact:
            return extreme
        had = np.isfinite(extreme)
        found = np.full(len(person), np.nan)
        who = person[had]
        names = SCALES[reading.scale].latents
        latents = {name: self._latents[reading][who][:, [i]] for i, name in enumerate(names)}
        found[had] = self._lucky(reading.scale, latents, who, self.session[who], ("session", reading.session))
        return found


@dataclass(frozen=True)
class Visited:
    """One visit of some people: `now` and `before` are ratings (seen,) at it and at the last one."""

    looking: Looking
    person: Whole
    time: Array
    values: Array
    now: Mapping[Rated, Array]
    before: Mapping[Rated, Array]

    def rating(self, scale: str, *, expected: bool) -> tuple[Array, Array]:
        """The rating now and at baseline, both of shape (seen,)."""
        key = scale, expected or self.looking.exact
        return self.now[key], self.looking.baseline[key][self.person]

    def improvement(self, scale: str, *, expected: bool = False) -> Array:
        """Per cent of the way from baseline to the best score."""
        from rekindle.outcomes.endpoints import improvement

        now, baseline = self.rating(scale, expected=expected)
        return 100.0 * improvement(SCALES[scale], now[:, None], baseline)[:, 0]

    def reading(self, reading: Score | ModelOutput, *, percent: bool = False) -> Array:
        """What is read of each, shape (seen,); NaN where there is nothing to read."""
        if reading.session:
            return self.looking.of_last_session(reading, self.person)
        if isinstance(reading, ModelOutput):
            return self.values[:, self.looking.column[reading.name]]
        key = reading.scale, reading.expected or self.looking.exact
        now, baseline = self.rating(reading.scale, expected=reading.expected)
        if reading.part == "improvement":
            return self.improvement(reading.scale, expected=reading.expected)
        if reading.part == "change":
            return now - baseline
        if reading.part == "at baseline":
            return baseline
        if reading.part == "at last visit":
            return self.before[key]
        if reading.part == "rise from best":
            best = self.looking.best[key][self.person]
            lost = now - best if SCALES[reading.scale].better == "lower" else best - now
            if not percent:
                return lost
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.where(lost == 0.0, 0.0, 100.0 * lost / np.abs(best))
        return now

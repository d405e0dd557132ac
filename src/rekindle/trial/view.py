"""One arm of a solved trial as a statistician sees it: expected ratings, their spread, who counts and how much.

Everything has shape (sets, people). Ratings are not drawn: a rating is a normal around the person's expected score,
so shares and variances follow without luck. In a crossover an arm is seen in each period, the people of all orders
side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rekindle.outcomes import SCALES, Scale
from rekindle.outcomes.endpoints import relapse_rule
from rekindle.streams import uniforms
from rekindle.trial.design import Condition, Number, Trial, TrialArm
from rekindle.trial.masking import guessed_shift
from rekindle.trial.rating import chance_at_most, expected_and_sd, expected_items
from rekindle.trial.solving import Courses
from rekindle.trial.switches import ALL_ON, Switches

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """One stretch of a solved lane in which an arm is seen: it starts at `offset_h` of the lane's clock.

    `weight` is how much each of its people counts.
    """

    courses: Courses
    offset_h: float
    weight: float = 1.0


@dataclass(frozen=True)
class Luck:
    """Whose luck the ratings at the start have, and when people stop: named by `seed`, person and lane.

    `balanced` (expected numbers) spreads it evenly over the people of a lane, so that it hardly moves a mean; without,
    it is drawn as in one trial.
    """

    seed: int
    balanced: bool = True

    def uniforms(self, *purpose: str, count: int) -> Array:
        """Luck of each person between 0 and 1, (people,)."""
        drawn = uniforms(self.seed, *purpose, count=count)
        return (np.argsort(np.argsort(drawn)) + 0.5) / count if self.balanced else drawn

    def normals(self, *purpose: str, count: int) -> Array:
        """Standard normal luck of each person, (people,)."""
        from scipy.special import ndtri

        return np.asarray(ndtri(self.uniforms(*purpose, count=count)), dtype=np.float64)


@dataclass
class View:
    """An arm: its parts (one, or one a period of a crossover), looked at with the trial's raters.

    `stopped` is the same arm with everybody's course ending when they would stop, where that was asked for. `courses`
    (sets, people) is how likely each is on the course that it stands for, where people stand there twice (see `both`).
    """

    trial: Trial
    arm: TrialArm
    parts: Sequence[Part]
    switches: Switches = ALL_ON
    stopped: View | None = None
    luck: Luck | None = None
    courses: Array | None = None
    _scores: dict[tuple[object, ...], tuple[Array, Array]] = field(default_factory=dict)

    @property
    def sets(self) -> int:
        """How many parameter sets."""
        return self.parts[0].courses.sets.count

    @property
    def weight(self) -> Array:
        """How much each person counts, (sets, people): one, or the shares of a mixture, or how likely a course is."""
        each = np.concatenate([np.full(len(part.courses.who), part.weight) for part in self.parts])
        return np.broadcast_to(each, (self.sets, len(each))) * (1.0 if self.courses is None else self.courses)

    def both(self, going_on: Array) -> View:
        """Everybody twice, first on the whole course and then on the one that ends, with the chances of either:
        `going_on` (sets, people) is that of not stopping at all. The arm itself where nobody is followed after that."""
        if self.stopped is None:
            return self
        courses = np.concatenate([going_on, 1.0 - going_on], axis=1)
        return View(self.trial, self.arm, [*self.parts, *self.stopped.parts], self.switches, None, self.luck, courses)

    def column(self, name: str) -> NDArray[np.generic]:
        """A column of the table of people, shape (people,), parts side by side."""
        return np.concatenate([np.asarray(part.courses.who.people[name]) for part in self.parts])

    def score(self, scale: str, time_h: float, item: str | None = None, *, zero_h: float = 0.0) -> tuple[Array, Array]:
        """Expected score and SD of one rating at a time of the arm's clock, each (sets, people)."""
        key = (scale, item, round(time_h, 6), zero_h)
        if key not in self._scores:
            found = [self._rated(part, SCALES[scale], item, time_h) for part in self.parts]
            expected, sd = (np.concatenate(each, axis=1) for each in zip(*found, strict=True))
            self._scores[key] = (expected, sd)
        return self._scores[key]

    def _rated(self, part: Part, scale: Scale, item: str | None, time_h: float) -> tuple[Array, Array]:
        """Expected score and its SD of the people of a part, with what raters add after the start."""
        expected, sd = self._part_score(part, scale, item, part.offset_h + time_h)
        if time_h > 0.0 and self.switches.rater:
            moved = expected + self.shift(scale, item, part=part, time_h=time_h)
            most = scale.maximum if item is None else max(each.maximum for each in scale.items if each.name == item)
            expected = np.clip(moved, scale.minimum, most)
        return expected, sd

    def _part_score(self, part: Part, scale: Scale, item: str | None, time_h: float) -> tuple[Array, Array]:
        courses = part.courses
        place = courses.column(time_h)
        latents = {name: courses.latents[name][..., place] for name in scale.latents}
        person = {name: np.asarray(courses.who.people[name], dtype=np.float64)[None, :] for name in scale.person_inputs}
        items = expected_items(scale, latents, person)
        error = courses.sets.rating_error[:, None] if self.switches.rater else np.zeros((courses.sets.count, 1))
        return expected_and_sd(scale, items, item, error)

    def shift(
        self, scale: Scale, item: str | None = None, *, part: Part | None = None, time_h: float = np.inf
    ) -> Array:
        """Points that raters and routine care add to ratings of symptoms at a time after the start, (sets, 1).

        Nothing on what a device measures or on effects of a session. Only clinicians are raters who may know, or
        guess, what was given; the score of a questionnaire is the patient's own. `part` is whose ratings they are
        (the first).
        """
        seen = part or self.parts[0]
        sets = seen.courses.sets
        better = np.zeros(sets.count)
        if scale.response is None:
            return better[:, None]
        trial = self.trial
        if scale.rated_by == "clinician":
            if trial.rater == "open" or (trial.masking == "open" and trial.rater not in ("masked", "remote")):
                better = better + sets.setting("open_rater_shift")
            elif trial.rater == "masked" and self.switches.unmasking:
                better = better + guessed_shift(self._arm_of(seen), time_h, sets, drug=self.switches.drug)
        if trial.enrolled.setting == "clinic":
            better = better - sets.setting("clinic_measure")
        size = scale.maximum / 60.0 / (len(scale.items) if item is not None else 1)
        return np.asarray((better * size * (-1.0 if scale.better == "lower" else 1.0))[:, None])

    def _arm_of(self, part: Part) -> TrialArm:
        """The arm whose sessions a part's people had: its own where this one mixes others."""
        if self.arm.stages:
            return self.arm
        lane = part.courses.lane
        begun = [arm for arm, stage in zip(lane.arms, lane.stages, strict=True) if stage.start_h <= part.offset_h]
        return begun[-1] if begun else lane.arms[0]

    def entry(self, scale: str, item: str | None = None, *, baseline: str = "period") -> Array:
        """The observed baseline (sets, people): the score that let people in, or a rating at the start.

        In a later period of a crossover it is a rating at the start of that period. A rating has one luck, whichever
        arm looks at it; people of different lanes have luck of their own.
        """
        found = []
        given = self.luck or Luck(self.trial.seed)
        for part in self.parts:
            courses = part.courses
            first = part.offset_h == 0.0 or baseline == "trial"
            if first and courses.entry.scale == scale and item is None and self.switches.selection:
                found.append(np.broadcast_to(courses.entry.observed, (self.sets, len(courses.who))))
                continue
            at = 0.0 if baseline == "trial" else part.offset_h
            expected, sd = self._part_score(part, SCALES[scale], item, at)
            name = ("baseline", scale, item or "", courses.lane.name, f"{at:g} h")
            rated = expected + (
                sd * given.normals(*name, count=len(courses.who))[None, :] if self.switches.rater else 0.0
            )
            found.append(np.clip(rated, SCALES[scale].minimum, SCALES[scale].maximum))
        return np.concatenate(found, axis=1)

    def response(self, scale: str, time_h: float, *, item: str | None = None, share: float | None = None,
                 strict: bool = False, baseline: str = "period") -> Array:  # fmt: skip
        """Chance that each person's rating at a time is a response."""
        of = SCALES[scale]
        wanted = share if share is not None else (of.response if of.response is not None else 0.5)
        expected, sd = self.score(scale, time_h, item)
        start = self.entry(scale, item, baseline=baseline)
        best = of.minimum if of.better == "lower" else of.maximum
        line = start - wanted * (start - best)
        if of.better != "lower":
            return chance_at_most(-line, -expected, sd, strict=strict)
        return chance_at_most(line, expected, sd, strict=strict)

    def remission(
        self, scale: str, time_h: float, *, at_most: float | None = None, below: float | None = None
    ) -> Array:
        """Chance that each person's rating at a time is at the scale's line of remission, or the one given."""
        expected, sd = self.score(scale, time_h)
        if below is not None:
            return chance_at_most(below, expected, sd, strict=True)
        if at_most is None:
            line = SCALES[scale].line()
            if line.comparison == "<":
                return chance_at_most(line.value, expected, sd, strict=True)
            if line.comparison in (">", ">="):
                return chance_at_most(-line.value, -expected, sd, strict=line.comparison == ">")
            at_most = line.value
        return chance_at_most(at_most, expected, sd)

    def remits(
        self, scale: str, scores: Array, *, at_most: float | None = None, below: float | None = None
    ) -> NDArray[np.bool_]:
        """Which observed scores are at the scale's line of remission, or the one given."""
        if below is not None:
            return np.asarray(scores < below)
        return np.asarray(scores <= at_most) if at_most is not None else SCALES[scale].line().holds(scores)

    def met(self, conditions: Sequence[Condition], scale: str) -> Array:
        """Chance that each person meets all conditions, (sets, people)."""
        people = sum(len(part.courses.who) for part in self.parts)
        chance = np.ones((self.sets, people))
        for condition in conditions:
            chance = chance * self._one(condition, scale)
        return chance

    def _one(self, condition: Condition, scale: str) -> Array:
        if condition.kind == "column":
            values = self.column(condition.name)
            if condition.word is not None:
                return np.asarray(values == condition.word, dtype=np.float64)[None, :]
            low = -np.inf if condition.at_least is None else condition.at_least
            high = np.inf if condition.at_most is None else condition.at_most
            numbers = values.astype(np.float64)
            return np.asarray((numbers >= low) & (numbers <= high), dtype=np.float64)[None, :]
        if condition.kind == "score" and condition.times_h[0] == 0.0:
            entry = self.entry(condition.name)
            low = -np.inf if condition.at_least is None else condition.at_least
            high = np.inf if condition.at_most is None else condition.at_most
            return np.asarray((entry >= low) & (entry <= high), dtype=np.float64)
        if condition.kind == "score":
            expected, sd = self.score(condition.name, condition.times_h[0])
            below = 1.0 if condition.at_most is None else chance_at_most(condition.at_most, expected, sd)
            under = 0.0 if condition.at_least is None else chance_at_most(condition.at_least, expected, sd, strict=True)
            return np.asarray(below - under)
        chance: Array | float = 1.0
        for time in condition.times_h:
            if condition.kind in ("response", "no_response"):
                one = self.response(scale, time, share=condition.share)
            else:
                one = self.remission(scale, time, at_most=condition.at_most)
            chance = chance * (1.0 - one if condition.kind.startswith("no_") else one)
        return np.asarray(chance)

    def relapse_chances(self, scale: str, rule: str, times_h: Sequence[float]) -> Array:
        """Chance of each person to be found relapsed by each time, (times, sets, people); the first time is the start.

        Ratings are looked at one after another; where the rule asks for two bad ones running, the relapse is dated at
        the first of them. A person's ratings are independent around the course.
        """
        chosen = relapse_rule(rule)
        bad = [self._bad(scale, rule, time) for time in times_h[1:]]
        good = np.ones(bad[0].shape)
        one_bad = np.zeros(bad[0].shape)
        gone = [np.zeros(bad[0].shape)]
        for place, chance in enumerate(bad):
            following = bad[place + 1] if place + 1 < len(bad) else 0.0
            if chosen.visits <= 1:
                gone.append(gone[-1] + good * chance)
                good = good * (1.0 - chance)
                continue
            good, one_bad = (good + one_bad) * (1.0 - chance), good * chance
            gone.append(gone[-1] + one_bad * following)
        return np.stack(gone)

    def _bad(self, scale: str, rule: str, time_h: float) -> Array:
        chosen = relapse_rule(rule)
        expected, sd = self.score(scale, time_h)
        chances = []
        if chosen.line is not None:
            strict = chosen.line.comparison == ">="
            chances.append(1.0 - chance_at_most(chosen.line.value, expected, sd, strict=strict))
        if chosen.regained is not None:
            chances.append(1.0 - self.response(scale, time_h, share=chosen.regained))
        return np.asarray(np.min(chances, axis=0) if chosen.both else np.max(chances, axis=0))


def views(trial: Trial, courses: Sequence[Courses], number: Number | None = None,
          switches: Switches = ALL_ON, luck: Luck | None = None) -> Mapping[str, View]:  # fmt: skip
    """Every arm of a trial that was simulated, by name; a crossover's in all its periods, or in the first only.

    Without `luck` it is the expected numbers' own: balanced, named by the trial's seed.
    """
    found: dict[str, View] = {}
    first_only = number is not None and number.options.periods == "first"
    for arm in trial.arms:
        if arm.mixture:
            continue
        parts = [
            Part(each, stage.start_h if trial.design == "crossover" else 0.0)
            for each in courses
            for owner, stage in zip(each.lane.arms, each.lane.stages, strict=True)
            if owner.name == arm.name and (trial.design == "crossover" or stage is each.lane.stages[0])
        ]
        if first_only:
            parts = [part for part in parts if part.offset_h == 0.0]
        found[arm.name] = View(trial, arm, parts, switches, _stopped(trial, arm, parts, switches, luck), luck)
    for arm in trial.arms:
        if arm.mixture:
            mixed = [
                Part(part.courses, part.offset_h, amount / len(found[name].parts))
                for name, amount in arm.mixture.items()
                for part in found[name].parts
            ]
            found[arm.name] = View(trial, arm, mixed, switches, _stopped(trial, arm, mixed, switches, luck), luck)
    return found


def part_view(trial: Trial, arm: TrialArm, part: Part, switches: Switches = ALL_ON, luck: Luck | None = None) -> View:
    """One stretch of an arm by itself."""
    return View(trial, arm, [part], switches, _stopped(trial, arm, [part], switches, luck), luck)


def _stopped(trial: Trial, arm: TrialArm, parts: Sequence[Part], switches: Switches, luck: Luck | None) -> View | None:
    """The same arm with everybody's course ending when they would stop; None where that was not solved."""
    ended = [
        Part(part.courses.stopped, part.offset_h, part.weight) for part in parts if part.courses.stopped is not None
    ]
    return View(trial, arm, ended, switches, luck=luck) if len(ended) == len(parts) else None

"""Schedules that may be proposed, each a few integers, and the sentence that says it.

An option is one of the file's offers at one of its doses; sessions so often a week for some weeks; then one every so
many days to the end; the last few at the next lower dose; and a rule that stretches the time between sessions while
the person is well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rekindle.person.record import Planned
from rekindle.planning.doses import Body, body_of, given_sessions
from rekindle.planning.limits import Limits, Offer

if TYPE_CHECKING:
    from rekindle.dosing import Course
    from rekindle.person.record import Person

Array = NDArray[np.float64]
DAY_H = 24.0
WEEK_H = 168.0
USUAL_HOUR = 10.0

INDUCTIONS = ((0, 0), (1, 2), (1, 4), (2, 1), (2, 2), (2, 4), (3, 1), (3, 2))
"""Sessions a week and weeks, before the upkeep."""
INTERVALS = (7, 14, 21, 28, 42, 56)
"""Days between sessions of the upkeep."""
TAPERS = (0, 3)
"""Sessions at the end with the next lower dose."""
WELL_BELOW = 10
"""PHQ-9 under which the rule lets sessions come less often; 10 is the scale's line of moderate depression."""
STRETCHES = (0, 4, 8)
"""Weeks up to which a rule may stretch the time between sessions; 0 for no rule."""
DAYS = {1: (0,), 2: (0, 3), 3: (0, 2, 4)}
"""Days of a week on which sessions are, by how many there are."""
TIMES = {1: "weekly", 2: "twice a week", 3: "three times a week"}


@dataclass(frozen=True)
class Frame:
    """When a plan can begin and ends, in hours of the person, and the last session before."""

    begin_h: float
    until_h: float
    last_h: float | None = None
    new: bool = False


@dataclass(frozen=True)
class Option:
    """One schedule. `dose`, `first` count the offer's doses from 0; `first` is -1 where all doses are alike.

    `stretch_weeks` is the longest interval to which the rule may stretch, 0 for a fixed schedule.
    """

    offer: Offer
    dose: int
    sessions_a_week: int
    weeks: int
    interval_days: int
    taper: int
    stretch_weeks: int
    frame: Frame
    first: int = -1

    @property
    def integers(self) -> tuple[int, ...]:
        """The schedule as integers."""
        return (self.dose, self.sessions_a_week, self.weeks, self.interval_days, self.taper, self.stretch_weeks)

    @property
    def start_h(self) -> float:
        """The first session: not before the plan can begin, nor sooner after the last session than its rhythm says."""
        frame = self.frame
        if frame.last_h is None:
            return frame.begin_h
        gap = (7 // self.sessions_a_week if self.sessions_a_week else self.interval_days) * DAY_H
        late = (frame.last_h + gap - frame.begin_h) / DAY_H
        return frame.begin_h + DAY_H * max(0.0, float(np.ceil(late - 0.25)))

    @property
    def upkeep(self) -> int:
        """Sessions after the first weeks, the lower ones at the end among them."""
        left = self.frame.until_h - self.upkeep_h
        return max(0, int(np.ceil(left / (self.interval_days * DAY_H) - 1e-9)))

    @property
    def upkeep_h(self) -> float:
        """The hour of the first session after the first weeks."""
        listed = DAY_H * self.interval_days if self.first >= 0 and not self.weeks else 0.0
        return self.start_h + self.weeks * WEEK_H + listed

    @property
    def times_h(self) -> Array:
        """Hours of all sessions, as the sentence has them, found without reading it."""
        days = [7 * week + day for week in range(self.weeks) for day in DAYS.get(self.sessions_a_week, ())]
        begun = [0] if self.first >= 0 and not self.weeks else []
        upkeep = self.upkeep_h + DAY_H * self.interval_days * np.arange(self.upkeep)
        return np.concatenate([self.start_h + DAY_H * np.array([*begun, *days], dtype=np.float64), upkeep])

    def amounts(self, person: Person) -> Array:
        """mg as given at every session, shape (sessions,).

        Raises:
            InputError: a dose by a weight that is not known.
        """
        steps = np.full(len(self.times_h), self.dose)
        lower = min(self.taper, self.upkeep) if self.dose else 0
        steps[len(steps) - lower :] = self.dose - 1
        if self.first >= 0 and len(steps):
            steps[0] = self.first
        body = body_of(person)
        each = np.array([_mg(self.offer.phrase(step), body) for step in range(len(self.offer.doses))])
        return np.asarray(each[steps])

    def sentence(self) -> str:
        """The schedule as a dosing sentence; "no treatment" where nothing fits before the end."""
        offer, parts = self.offer, []
        if self.first >= 0:
            parts.append(f"{offer.phrase(self.first)}, day 1")
        if self.weeks:
            stretch = "week" if self.weeks == 1 else "weeks"
            parts.append(f"{self._said(self.dose, parts)}, {TIMES[self.sessions_a_week]} for {self.weeks} {stretch}")
        lower = min(self.taper, self.upkeep) if self.dose else 0
        for count, step in ((self.upkeep - lower, self.dose), (lower, self.dose - 1)):
            if count:
                parts.append(f"{self._said(step, parts)}, every {self.interval_days} days for {count} doses")
        text = ", then ".join(parts)
        return text.replace("every 1 days", "daily").replace("for 1 doses", "for 1 dose") or "no treatment"

    def _said(self, step: int, before: list[str]) -> str:
        """The dose as a part of the sentence: with its route the first time, bare after that."""
        phrase = self.offer.phrase(step)
        return phrase if not before else f"{self.offer.doses[step]:g} {self.offer.give.split(' ', 1)[0]}{self._over()}"

    def _over(self) -> str:
        words = self.offer.give.split(" over ", 1)
        return f" over {words[1]}" if len(words) == 2 and "IV" not in words[1] else ""

    def course(self) -> Course:
        """The schedule as a course."""
        from rekindle.dosing import parse

        return parse(self.sentence())

    def planned(self) -> Planned:
        """The schedule in the person's time."""
        return Planned(self.course(), self.start_h, self.frame.until_h)

    @property
    def rule(self) -> str:
        """The rule of the clinic in words; empty for a fixed schedule."""
        if not self.stretch_weeks:
            return ""
        return (
            f"a week longer between sessions while PHQ-9 stays under {WELL_BELOW}, up to {self.stretch_weeks} weeks, "
            "else a week less"
        )

    @property
    def words(self) -> str:
        """The sentence as the language of doses prints it, and the rule."""
        return str(self.course()) + (f"; {self.rule}" if self.rule else "")


@lru_cache(maxsize=1_024)
def _mg(phrase: str, body: Body) -> float:
    from rekindle.dosing import parse

    weight, height, sex = body
    doses = parse(f"{phrase}, once").administrations(weight_kg=weight, height_cm=height, sex=sex)
    return sum(dose.amount_mg for dose in doses)


def frame_of(person: Person, weeks: int) -> Frame:
    """When a plan can begin for a person: the hour of their plan, else ten o'clock of the next day."""
    given = given_sessions(person)
    begin = (np.floor(person.now_h / DAY_H) + 1.0) * DAY_H + USUAL_HOUR
    planned = person.planned
    if planned is not None and planned.course.sessions:
        begin = max(person.now_h, planned.from_h + planned.course.sessions[0].time_h)
    last = float(given.times_h[-1]) if len(given) else None
    return Frame(float(begin), person.now_h + weeks * WEEK_H, last, new=not len(given))


def grid(person: Person, limits: Limits, frame: Frame) -> Iterator[Option]:
    """Every option of the offers, the rules of spacing not yet looked at."""
    given = given_sessions(person)
    for offer in limits.offers:
        new = not len(given.of(offer.drug))
        for dose, (often, weeks), days, taper, stretch in product(
            range(len(offer.doses)), INDUCTIONS, INTERVALS, TAPERS, STRETCHES
        ):
            if (taper and not dose) or (stretch and (taper or days != 7)) or (often == 1 and days == 7):
                continue
            first = _first(offer, dose, person) if new else -1
            if first is not None:
                yield Option(offer, dose, often, weeks, days, taper, stretch, frame, first)


def first_most(offer: Offer, person: Person) -> float | None:
    """The largest dose of the person's first session under an offer; None where there is no such line.

    Of somebody whose age is not known the lower line holds.
    """
    age = person.covariates.get("age_years")
    if age is None:
        return min((line for line in (offer.first_most, offer.older_first_most) if line is not None), default=None)
    return offer.older_first_most if _older(offer, float(age)) else offer.first_most


def _older(offer: Offer, age: float) -> bool:
    return offer.older_from is not None and age >= offer.older_from


def _first(offer: Offer, dose: int, person: Person) -> int | None:
    """The step of the first session where the dose may not be the first, -1 where it may; None where none may be."""
    most = first_most(offer, person)
    if most is None or offer.doses[dose] <= most + 1e-9:
        return -1
    fitting = [step for step, amount in enumerate(offer.doses) if amount <= most + 1e-9]
    return fitting[-1] if fitting else None

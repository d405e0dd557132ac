"""How much of each arm's change each part of a trial makes: parts put in one after another, and taken out alone.

The order is that of how a trial would go without the drug, then with it: natural course, selection on the score,
raters, contact and belief, what is taken besides, the drug, what is felt of it, leaving. Amounts put in one after
another add up to the whole change; what is lost when one part alone is taken out is shown beside. Where a trial goes
on with those who meet `enter`, it is about them: who they are does not change with what is switched off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.trial.design import Number, Trial
from rekindle.trial.leaving import follow
from rekindle.trial.quantify import Seen, mean_change, seen
from rekindle.trial.solving import prepare
from rekindle.trial.switches import ALL_ON, NOTHING, Switches
from rekindle.trial.values import sets_of
from rekindle.trial.view import Luck, views
from rekindle.trial.virtual import primary, stage_of

Array = NDArray[np.float64]
ORDER: Mapping[str, str] = {
    "natural_course": "natural course and life events",
    "selection": "selection on the score (regression to the mean)",
    "rater": "raters and setting",
    "expectancy": "contact, care and belief",
    "background": "what is taken besides",
    "drug": "the drug itself",
    "unmasking": "feeling which it is (unmasking)",
    "dropout": "leaving, as the estimand treats it",
}
"""The parts in the order in which they are put in, in words."""


@dataclass(frozen=True)
class Contribution:
    """One part of one arm: the change that it adds in its place in the order, and what is lost without it alone."""

    arm: str
    part: str
    words: str
    added: float
    alone: float


@dataclass(frozen=True)
class Contributions:
    """All parts of all arms at one visit; `whole` is each arm's change with everything acting, in points."""

    scale: str
    visit_h: float
    whole: Mapping[str, float]
    parts: tuple[Contribution, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "scale": self.scale,
            "visit_h": self.visit_h,
            "change": dict(self.whole),
            "parts": [vars(part) for part in self.parts],
        }


def contributions(
    trial: Trial, *, values: Mapping[str, float] | None = None, people: int = 256, seed: int = 1,
    threads: int | None = None,
) -> Contributions:  # fmt: skip
    """What makes each arm's change at the trial's main visit, for the average person.

    Raises:
        InputError: hardly anybody meets the criteria.
        SolverError: too many people could not be solved.
    """
    scale, visit = primary(trial)
    arms = [arm.name for arm in trial.arms if not arm.mixture]

    stage = stage_of(trial, visit)
    numbers = [Number(0, "mean_change", (arm,), scale, "points", 0.0, (None,), visit, stage) for arm in arms]
    counted: dict[str, Array] = {}
    luck = Luck(seed)

    def changes(switches: Switches) -> Array:
        sets = sets_of(values)
        lanes = prepare(trial, people, seed, numbers=numbers, switches=switches)
        courses = follow(lanes, sets, {}, switches=switches, luck=luck, threads=threads)
        seen_as = views(trial, courses, None, switches, luck)
        found = []
        for number in numbers:
            part = seen(trial, seen_as, number, number.arms[0], 1.0)
            # Who went on, with everything acting, are the people whose change is taken apart.
            own = counted.setdefault(number.arms[0], _once(part))
            each = part.view.courses
            part = replace(part, weight=own if each is None else np.concatenate([own, own], axis=1) * each)
            found.append(float(mean_change(part)[0][0]))
        return np.array(found)

    whole = changes(ALL_ON)
    before, now = np.zeros(len(arms)), NOTHING
    parts = []
    before = changes(now)
    start = before
    for part, words in ORDER.items():
        now = _with(now, part)
        after = changes(now)
        alone = whole - changes(ALL_ON.without(part))
        added = after - before + (start if part == "natural_course" else 0.0)
        parts += [
            Contribution(arm, part, words, float(added[place]), float(alone[place])) for place, arm in enumerate(arms)
        ]
        before = after
    return Contributions(scale, visit, dict(zip(arms, whole.tolist(), strict=True)), tuple(parts))


def _once(part: Seen) -> Array:
    """How much each person counts, on either course together, (sets, people)."""
    if part.view.courses is None:
        return part.weight
    whole, ended = np.split(part.weight, 2, axis=1)
    return np.asarray(whole + ended)


def _with(switches: Switches, part: str) -> Switches:
    return replace(switches, **{part: True})

"""Sessions as a planner counts them: when, how many mg as given, and how much that is on one footing.

One footing is mg of racemic ketamine that reach the blood, so that drugs and routes can stand on one axis. It is a
measure of drug, not of effect: what a session does is the model's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rekindle.dosing.drugs import DRUGS
from rekindle.person.doses import given_once

if TYPE_CHECKING:
    from rekindle.dosing import Course
    from rekindle.person.record import Person, Planned

Array = NDArray[np.float64]

POTENCY = {"racemic-ketamine": 1.0, "esketamine": 1.6, "arketamine": 0.4}
"""mg of racemate that a mg counts as. S is four times R (record `sinner-s-r-ratio`), and racemate is half of each."""

REACHES = {
    "iv-infusion": 1.0,
    "iv-bolus": 1.0,
    "im": 0.93,  # pk-review-f-im
    "subcutaneous": 0.7,  # pk-mem-abuhelwa22-f
    "intranasal-device": 0.54,  # pk-pr21-f-56
    "intranasal": 0.24,  # pk-fit-atomiser-fraction
    "sublingual": 0.265,  # pk-simons24-f-sl-range
    "inhaled": 0.7,  # pk-jonkman17-f
    "oral": 0.16,  # pk-simons24-f-oral-range
}
"""Share of a dose that reaches the blood, by route; each with its record. A route without one counts whole."""


@dataclass(frozen=True)
class Sessions:
    """Sessions with ketamine of any kind, in time order, shape (sessions,): hours, mg as given, mg on one footing."""

    times_h: Array
    mg: Array
    footing_mg: Array
    drugs: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.times_h)

    def of(self, drug: str) -> Array:
        """Hours of the sessions with one drug."""
        return self.times_h[[each == drug for each in self.drugs]]


def sessions_of(course: Course, person: Person, from_h: float) -> Sessions:
    """The sessions with ketamine of a course that starts at `from_h`.

    Raises:
        InputError: a dose by a weight that is not known.
    """
    return _sessions([(course, from_h)], person)


def given_sessions(person: Person) -> Sessions:
    """The sessions with ketamine that the person has had.

    Raises:
        InputError: as `sessions_of`, or a sentence that cannot be read.
    """
    return _sessions([(given_once(given.sentence, given.where), given.time_h) for given in person.given], person)


def planned_sessions(planned: Planned | None, person: Person) -> Sessions:
    """The sessions with ketamine of a plan.

    Raises:
        InputError: as `sessions_of`.
    """
    return _sessions([] if planned is None else [(planned.course, planned.from_h)], person)


def footing(drug: str, route: str) -> float:
    """mg on one footing that a mg by this route counts as.

    >>> footing("racemic-ketamine", "iv-infusion")
    1.0
    """
    return POTENCY.get(drug, 1.0) * REACHES.get(route, 1.0)


Body = tuple[float | None, float | None, str | None]
"""Weight in kg, height in cm and sex; None for what is not known."""


def body_of(person: Person) -> Body:
    """What doses by weight need of a person."""
    known = person.covariates
    weight = float(known["weight_kg"]) if "weight_kg" in known else None
    height = float(known["height_cm"]) if "height_cm" in known else None
    return weight, height, str(known["sex"]) if "sex" in known else None


def _sessions(parts: list[tuple[Course, float]], person: Person) -> Sessions:
    weight, height, sex = body_of(person)
    found: dict[tuple[int, int, int], list[float]] = {}
    drugs: dict[tuple[int, int, int], str] = {}
    for number, (course, from_h) in enumerate(parts):
        for dose in course.administrations(weight_kg=weight, height_cm=height, sex=sex):
            if not DRUGS[dose.drug].is_ketamine:
                continue
            key = number, dose.line, dose.session
            row = found.setdefault(key, [from_h + dose.time_h, 0.0, 0.0])
            row[1] += dose.amount_mg
            row[2] += dose.amount_mg * footing(dose.drug, dose.route)
            drugs.setdefault(key, dose.drug)
    keys = sorted(found, key=lambda key: found[key][0])
    table = np.array([found[key] for key in keys], dtype=np.float64).reshape(len(keys), 3)
    return Sessions(table[:, 0], table[:, 1], table[:, 2], tuple(drugs[key] for key in keys))


def window_sums(before: Sessions, times_h: Array, values: Array, earlier: Array, days: int) -> Array:
    """Sum over the `days` that end with each session, those before the plan among them.

    `times_h` and `values` have shape (..., sessions), NaN where there is none; `earlier` holds the values of
    `before`, shape (earlier sessions,).
    """
    span, same = 24.0 * days, 1.0
    sums = np.zeros(times_h.shape)
    for place in range(times_h.shape[-1]):
        end = times_h[..., place : place + 1]
        inside = (times_h > end - span + same) & (times_h <= end + same)
        sums[..., place] = np.where(inside, values, 0.0).sum(axis=-1)
        past = (before.times_h > end - span + same) & (before.times_h <= end + same)
        sums[..., place] += (past * earlier).sum(axis=-1)
    return np.where(np.isnan(times_h), np.nan, sums)

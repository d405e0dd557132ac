"""What is known of one person, as plain values: body and illness, doses given, ratings, vital signs, drug levels.

Times are hours from the person's first day (`Person.start`, midnight). Nothing here identifies anybody: there is no
name, no number and no address, and readers of files drop what they find of those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from rekindle.dosing import Course

LevelMethod = Literal["M1", "M2", "M3", "M4"]


class Measures(TypedDict):
    """What doses by weight need of a body; None for what is not known."""

    weight_kg: float | None
    height_cm: float | None
    sex: str | None


@dataclass(frozen=True)
class Given:
    """One administration that took place; `sentence` doses one session, such as '40 mg IV over 40 min'.

    `dated` says that only its day is known; its time is then 00:00 of that day. `stated` is what a bundle said where
    the sentence was worked out from it: a dose in mg/kg of which the weight of its day made mg.
    """

    time_h: float
    sentence: str
    where: str = field(default="", compare=False)
    dated: bool = False
    stated: str = field(default="", compare=False)


@dataclass(frozen=True)
class Rated:
    """One rating: the total of a scale, its items where they are known, and the days that it looks back over.

    `recall_days` None is the moment of rating (and, before `rekindle.person.checks` has settled it, not said).
    `masked` says whether the rater did not know what was given; None where that is not known. Nothing weighs it yet.
    """

    time_h: float
    scale: str
    total: float
    items: Mapping[str, int] | None = None
    recall_days: float | None = None
    masked: bool | None = None
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class Vital:
    """Blood pressure (mmHg) and heart rate (beats a minute) at one time; None for what was not taken."""

    time_h: float
    systolic_mmhg: float | None = None
    diastolic_mmhg: float | None = None
    heart_rate: float | None = None
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class Level:
    """A drug level in plasma, ng/mL; `below` marks one that was only known to lie under `limit_ng_ml`."""

    time_h: float
    analyte: str
    ng_ml: float | None
    below: bool = False
    limit_ng_ml: float | None = None
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class Planned:
    """What comes next: a course counted from `from_h`, and how far ahead to look, hours."""

    course: Course
    from_h: float
    until_h: float


@dataclass(frozen=True)
class Person:
    """One person under treatment.

    `covariates` holds columns of the table of people (`weight_kg`, `age_years`, `sex`, `failed_treatments`, ...) that
    are known; what is missing is drawn from the population. `modifiers` is what they take or have besides, as in a
    study. `now_h` is the time of the forecast: the last thing recorded, unless the file says otherwise. `notes` are
    doubts about the file that did not stop it from being read, each with its place. `risk` and `forecast_scales` are
    what the file asks of a forecast, None and empty where it does not say.
    """

    start: date
    kind: str
    now_h: float
    covariates: Mapping[str, float | str] = field(default_factory=dict)
    modifiers: Mapping[str, bool | float | str] = field(default_factory=dict)
    given: tuple[Given, ...] = ()
    ratings: tuple[Rated, ...] = ()
    vitals: tuple[Vital, ...] = ()
    levels: tuple[Level, ...] = ()
    level_method: LevelMethod = "M3"
    planned: Planned | None = None
    options: tuple[tuple[str, Planned], ...] = ()
    notes: tuple[str, ...] = ()
    risk: float | None = None
    forecast_scales: tuple[str, ...] = ()

    @property
    def measures(self) -> Measures:
        """What doses by weight need of the person's body."""
        known = self.covariates
        return {
            "weight_kg": float(known["weight_kg"]) if "weight_kg" in known else None,
            "height_cm": float(known["height_cm"]) if "height_cm" in known else None,
            "sex": str(known["sex"]) if "sex" in known else None,
        }

    @property
    def scales(self) -> tuple[str, ...]:
        """The scales on which the person was rated, in the order of their first use."""
        return tuple(dict.fromkeys(rating.scale for rating in self.ratings))

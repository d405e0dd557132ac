"""What a report is made from: plain arrays and words, already computed, nothing left to simulate.

All times are hours since the first session, all shares are fractions between 0 and 1, and every number that
the page prints comes from here. Two uncertainties are kept apart by type of use: `average` bands say how
far the average of repeated studies of this size would move, `people` bands say how far people differ from
one another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rekindle.report.bands import Band, Floats, Interval

Role = Literal["active", "comparator"]
Grade = Literal["human", "rodent", "assumed"]
Kind = Literal["chance", "points", "days", "hours", "minutes", "number"]


@dataclass(frozen=True)
class Arm:
    """One arm of the study: who gets what, and when. `sentence` is the course as a clinician speaks it."""

    name: str
    role: Role
    sentence: str
    session_hours: tuple[float, ...] = ()


@dataclass(frozen=True)
class ArmBand:
    """One arm's line over the times of what it belongs to: the average, and how people differ if known."""

    arm: str
    average: Band
    people: Band | None = None


@dataclass(frozen=True)
class Zone:
    """A named stretch of a scale, such as 'moderate' from 20 to 34 points."""

    low: float
    high: float
    word: str


@dataclass(frozen=True)
class Outcome:
    """One measure over time in every arm. `line` is the value at or below which a person is in remission."""

    key: str
    name: str
    unit: str
    low: float
    high: float
    times_h: Floats
    arms: tuple[ArmBand, ...]
    better: Literal["lower", "higher"] = "lower"
    zones: tuple[Zone, ...] = ()
    line: float | None = None
    grade: Grade = "human"


@dataclass(frozen=True)
class PublishedPoint:
    """A published average with its 95 % confidence interval, drawn over the forecast and never fitted here.

    `matched`: the trial's design is this study's; otherwise the point is merely shown.
    """

    record: str
    arm: str
    outcome: str
    time_h: float
    mean: float
    low95: float
    high95: float
    n: int
    source: str
    matched: bool


@dataclass(frozen=True)
class Whereabouts:
    """Share of one arm's people in each class over time. `classes` has the six keys of `CLASSES`, summing
    to one.
    """

    arm: str
    times_h: Floats
    classes: Mapping[str, Band]


@dataclass(frozen=True)
class Chance:
    """Share of each arm with an event at each time, such as response or remission."""

    key: str
    name: str
    definition: str
    times_h: Floats
    arms: tuple[ArmBand, ...]


@dataclass(frozen=True)
class RelapseSteps:
    """Share of an arm's responders still without relapse, as steps, with the numbers still followed.

    `times_h` counts from response; `at_risk` pairs hours with the number of simulated people still followed.
    """

    arm: str
    times_h: Floats
    without_relapse: Band
    at_risk: tuple[tuple[float, int], ...]


@dataclass(frozen=True)
class Strip:
    """One quantity after a dose, in `unit` as it is printed (readiness in people of 100, not as a
    fraction).

    `spread` says what the band is: people, or repeated studies of an average.

    `resting`: its level before the dose. `limit`: a value and what to do there. `observed`: published
    averages.
    """

    key: str
    name: str
    unit: str
    times_h: Floats
    band: Band
    grade: Grade
    resting: float = 0.0
    spread: Literal["people", "studies"] = "people"
    limit: tuple[float, str] | None = None
    observed: tuple[PublishedPoint, ...] = ()


@dataclass(frozen=True)
class Session:
    """The first hours of one session: how long the drug runs in, until when the person is watched, what
    happens.
    """

    dose: str
    given_over_min: float
    watched_until_min: float
    strips: tuple[Strip, ...]


@dataclass(frozen=True)
class HarmPeriod:
    """One harm over one stretch ('first session', '3 months'): share of people per arm, None where nothing
    is known.
    """

    label: str
    arms: Mapping[str, Interval | None]
    why_unknown: str = ""


@dataclass(frozen=True)
class Harm:
    """One harm with its definition, the grade of its weakest link and its periods in order."""

    key: str
    name: str
    definition: str
    grade: Grade
    periods: tuple[HarmPeriod, ...]


@dataclass(frozen=True)
class Endpoint:
    """One row of the endpoints table; headline sentences and facts are made from these.

    `clause` finishes 'people ...' in a sentence ('have at least halved their symptoms'). `kind` 'chance'
    holds fractions, 'points' scale points, the rest their unit. `difference` is active less comparator, if
    there are two.
    """

    key: str
    name: str
    kind: Kind
    arms: Mapping[str, Interval | None]
    role: Literal["benefit", "harm", "other"] = "other"
    time_h: float | None = None
    clause: str = ""
    unit: str = ""
    difference: Interval | None = None
    definition: str = ""


@dataclass(frozen=True)
class Driver:
    """An assumed or measured parameter and how far the answer moves over its range, in the answer's unit."""

    name: str
    meaning: str
    grade: Grade
    effect_at_low: float
    effect_at_high: float
    range_words: str = ""


@dataclass(frozen=True)
class Drivers:
    """The parameters that move one answer most. `answer` names it, `unit` its unit ('points', 'in 100').

    `method` is a sentence on how the effects were found.
    """

    answer: str
    unit: str
    rows: tuple[Driver, ...]
    method: str = ""


@dataclass(frozen=True)
class Claim:
    """A popular statement beside what the evidence says. `verdict` is one or two words, such as 'not
    supported'.
    """

    statement: str
    verdict: str
    text: str
    records: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """One source. `seen`: whether the text itself was read, or only quoted by another."""

    key: str
    citation: str
    doi: str = ""
    url: str = ""
    seen: bool = True


@dataclass(frozen=True)
class Study:
    """What was asked. `before_calibration`: parameters do not come from the calibrated ensemble."""

    title: str
    description: str
    arms: tuple[Arm, ...]
    population: str
    horizon_h: float
    end_of_treatment_h: float
    people_per_arm: int
    repeated_studies: int
    before_calibration: bool = True
    outside_domain: tuple[str, ...] = ()
    people_per_repeat: int | None = None

    @property
    def repeat_size(self) -> int:
        """People an arm of a repeated study: as many as in the study, unless fewer are said."""
        return self.people_per_arm if self.people_per_repeat is None else self.people_per_repeat


@dataclass(frozen=True)
class Making:
    """How the result was made: enough to make it again."""

    version: str
    seed: int
    made_on: str
    study_file: str = ""
    command: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    unsolved: tuple[str, ...] = ()


CLASSES: Mapping[str, str] = {
    "remission": "In remission",
    "half_better": "At least half better",
    "partly_better": "Partly better",
    "relapsed": "Better, then relapsed",
    "no_change": "Little or no change",
    "left": "Left the study",
}


@dataclass(frozen=True)
class ReportInput:
    """The whole material of one report. Parts that a study does not have stay empty and their sections say
    so.
    """

    study: Study
    making: Making
    endpoints: tuple[Endpoint, ...] = ()
    main: Outcome | None = None
    items: tuple[Outcome, ...] = ()
    drive: tuple[Outcome, ...] = ()
    others: tuple[Outcome, ...] = ()
    published: tuple[PublishedPoint, ...] = ()
    whereabouts: tuple[Whereabouts, ...] = ()
    chances: tuple[Chance, ...] = ()
    relapse: tuple[RelapseSteps, ...] = ()
    relapse_definition: str = ""
    chain: tuple[Strip, ...] = ()
    session: Session | None = None
    harms: tuple[Harm, ...] = ()
    drivers: Drivers | None = None
    claims: tuple[Claim, ...] = ()
    sources: tuple[Source, ...] = ()
    no_evidence: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [arm.name for arm in self.study.arms]
        if not names or len(set(names)) != len(names):
            raise ValueError("a study needs at least one arm, and each name once")
        for arm in _arms_named(self):
            if arm not in names:
                raise ValueError(f"arm '{arm}' is not in the study: {', '.join(names)}")
        for block in self.whereabouts:
            if set(block.classes) - set(CLASSES):
                raise ValueError(f"unknown class: {', '.join(sorted(set(block.classes) - set(CLASSES)))}")

    @property
    def active(self) -> Arm:
        """The arm in question: the first active one, or the first of all."""
        return next((arm for arm in self.study.arms if arm.role == "active"), self.study.arms[0])

    @property
    def comparator(self) -> Arm | None:
        """The first comparator, or a second active arm where there is none, or None."""
        others = [arm for arm in self.study.arms if arm.name != self.active.name]
        return next((arm for arm in others if arm.role == "comparator"), others[0] if others else None)


def _arms_named(material: ReportInput) -> Sequence[str]:
    """Every arm that the parts of a report mention."""
    outcomes = [outcome for outcome in (material.main,) if outcome is not None]
    outcomes += [*material.items, *material.drive, *material.others]
    named = [curve.arm for outcome in outcomes for curve in outcome.arms]
    named += [curve.arm for chance in material.chances for curve in chance.arms]
    named += [point.arm for point in material.published]
    named += [block.arm for block in material.whereabouts] + [steps.arm for steps in material.relapse]
    named += [arm for harm in material.harms for period in harm.periods for arm in period.arms]
    return [*named, *(arm for endpoint in material.endpoints for arm in endpoint.arms)]

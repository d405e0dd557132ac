"""A trial as a value: who was enrolled, what each arm gets and may know, how it is rated, what was published.

Times are hours. Nothing here computes; see `reading` for how a file becomes a trial.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from rekindle.trial.quantities import Options

if TYPE_CHECKING:
    from rekindle.dosing import Course
    from rekindle.policy import Policy
    from rekindle.trial.words import Status

Masking = Literal["double", "single", "rater", "open", "anaesthesia"]
MASKED: tuple[Masking, ...] = ("double", "single", "anaesthesia")
"""Maskings under which people do not know what they get."""


@dataclass(frozen=True)
class Condition:
    """One condition on a person: `kind` is response, no_response, remission, no_remission, column or score."""

    kind: str
    times_h: tuple[float, ...] = ()
    name: str = ""
    at_least: float | None = None
    at_most: float | None = None
    word: str | None = None
    share: float | None = None


@dataclass(frozen=True)
class Severity:
    """The window on the observed score, and the published baseline as observed."""

    scale: str = "MADRS"
    at_least: float | None = None
    at_most: float | None = None
    mean: float | None = None
    sd: float | None = None
    on_baseline: bool = True


@dataclass(frozen=True)
class Enrolled:
    """Who was enrolled; `population` is the kind of virtual people that stands for the diagnosis."""

    diagnosis: str
    population: str
    status: Status = "modelled"
    severity: Severity = field(default_factory=Severity)
    medication: str = "drug-free"
    setting: str = "outpatient"
    suicidal: bool = False
    female: float | None = None
    age_mean: float | None = None
    weight_mean: float | None = None
    criteria: Mapping[str, tuple[float, float] | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage:
    """One stretch of an arm from `start_h` on; the times of its course count from there."""

    name: str
    start_h: float
    duration_h: float | None
    course: Course
    masking: Masking
    modifiers: Mapping[str, Any] = field(default_factory=dict)
    beliefs: tuple[str, ...] = ()
    policy: Policy | None = None


@dataclass(frozen=True)
class TrialArm:
    """One arm; `mixture` holds shares of other arms instead of stages. `status` is that of what it gets besides.

    `baseline_mean` is the mean of its own baseline where that of all people is not meant."""

    name: str
    n: int | None
    role: Literal["active", "comparator"]
    stages: tuple[Stage, ...]
    guess_active: float | None = None
    contact_level: float = 1.0
    care_h: float | None = None
    extra_contacts_h: tuple[float, ...] = ()
    mixture: Mapping[str, float] = field(default_factory=dict)
    baseline_mean: float | None = None
    status: Status = "modelled"
    status_reason: str = ""

    @property
    def drugs(self) -> tuple[str, ...]:
        """Everything given in any stage."""
        return tuple(dict.fromkeys(drug for stage in self.stages for drug in stage.course.drugs if drug != "none"))

    @property
    def has_ketamine(self) -> bool:
        """Whether ketamine or one of its forms is given."""
        return any(drug in ("racemic-ketamine", "esketamine", "arketamine") for drug in self.drugs)


@dataclass(frozen=True)
class Dropout:
    """Shares that left by `by_h`, one an arm; `slope` is the log hazard ratio of doing badly."""

    shares: Mapping[str, float]
    by_h: float
    depends_on: Literal["none", "severity", "no-response"]
    slope: float


@dataclass(frozen=True)
class Number:
    """One published number: what it is, of whom and when, and what was printed.

    `standard_error` is that of the number as printed (on the log scale for ratios), None where nothing follows.
    `status` says whether the model has what it needs; only numbers with `scored` are compared.
    """

    index: int
    quantity: str
    arms: tuple[str, ...]
    scale: str
    unit: str
    value: float
    n: tuple[int | None, ...]
    time_h: float | None = None
    stage: str | None = None
    item: str | None = None
    among: tuple[Condition, ...] = ()
    options: Options = field(default_factory=Options)
    record: str | None = None
    standard_error: float | None = None
    standard_deviation: float | None = None
    use: Literal["score", "show"] = "score"
    reason: str = ""
    status: Status = "modelled"
    place: str = ""

    @property
    def scored(self) -> bool:
        """Whether the number is compared with a prediction."""
        return self.use == "score"

    @property
    def label(self) -> str:
        """The number in a few words."""
        return self.record or f"{self.quantity} {' / '.join(self.arms)}"


@dataclass(frozen=True)
class Trial:
    """A whole trial; see the module."""

    name: str
    title: str
    enrolled: Enrolled
    arms: tuple[TrialArm, ...]
    kind: Literal["trial", "pooled", "experiment"] = "trial"
    design: str = "parallel"
    masking: Masking = "double"
    period_h: float | None = None
    randomised: str | None = None
    enter: tuple[Condition, ...] = ()
    doi: str = ""
    year: int | None = None
    use: str = "new"
    overlaps: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    trials: int = 1
    note: str = ""
    visits_h: tuple[float, ...] = ()
    scale: str = "MADRS"
    rater: Literal["masked", "remote", "self", "open"] = "masked"
    dropout: Dropout | None = None
    estimand: str = "hypothetical"
    missing: str = "model"
    seed: int = 1
    published: tuple[Number, ...] = ()
    text: str = field(default="", compare=False, repr=False)

    @property
    def scored(self) -> tuple[Number, ...]:
        """The numbers that are compared with a prediction."""
        return tuple(number for number in self.published if number.scored)

    def arm(self, name: str) -> TrialArm:
        """The arm of a name (the reader has checked that it exists)."""
        return next(arm for arm in self.arms if arm.name == name)

    def stage_start_h(self, name: str | None) -> float:
        """Hour at which a stage begins; 0 without one."""
        if name is None:
            return 0.0
        return next(stage.start_h for arm in self.arms for stage in arm.stages if stage.name == name)


def related(trial: Trial, other: Trial) -> bool:
    """Whether two trials are one or share people: by either file's word, by a trial that both pool, or by a record
    that both print."""
    names, others = {trial.name, *trial.contains}, {other.name, *other.contains}
    if names & others or other.name in trial.overlaps or trial.name in other.overlaps:
        return True
    records = {number.record for number in trial.published if number.record}
    return any(number.record in records for number in other.published)

"""The trial file: which fields a TRIAL.yaml may have, and what may stand in each.

This is the shape only. Whether a drug, a scale, a record or an arm of that name exists, and whether the parts fit
together, is asked in `rekindle.trial.reading`. The documentation of the format is made from the descriptions here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from rekindle.policy import PolicyFields
from rekindle.study_file import Duration, Name, Number, Text

Masking = Literal["double", "single", "rater", "open", "anaesthesia"]
DesignType = Literal["parallel", "crossover", "randomised-withdrawal", "open", "delayed-start", "two-stage"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


def _as_list(given: Any) -> Any:
    return given if isinstance(given, list) else [given]


def _as_word(given: Any) -> Any:
    """`none` and an empty field alike: nothing is given."""
    return "no treatment" if given is None or given == "none" else given


Durations = Annotated[list[Duration], BeforeValidator(_as_list)]
Sentence = Annotated[Text, BeforeValidator(_as_word)]
Limits = Annotated[list[Number], Field(min_length=2, max_length=2)]


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ConditionFields(_Fields):
    """One condition on a person: what was observed at a time, or who the person is."""

    response: Durations | None = Field(default=None, description="Responded at this time, or at each of several.")
    no_response: Durations | None = Field(default=None, description="Had not responded at this time.")
    remission: Durations | None = Field(default=None, description="In remission at this time, or at each of several.")
    no_remission: Durations | None = Field(default=None, description="Not in remission at this time.")
    column: Name | None = Field(default=None, description="A column of the table of people.")
    score: Name | None = Field(default=None, description="An observed score on this scale, at `time`.")
    time: Duration | None = Field(default=None, description="When the score is looked at.")
    at_least: Number | None = Field(default=None, description="The column or the score is this or more.")
    at_most: Number | None = Field(
        default=None, description="The column or the score is this or less; with remission, the line of remission."
    )
    is_: Name | None = Field(default=None, alias="is", description="The column holds this word.")
    share: Share | None = Field(default=None, description="The share of the way that counts as response; usually half.")
    stage: Name | None = Field(default=None, description="Times count from the start of this stage.")


class DesignFields(_Fields):
    """How the trial is laid out."""

    type: DesignType = Field(default="parallel", description="The design by name.")
    masking: Masking = Field(default="double", description="Who knows what is given; arms and stages may differ.")
    period: Duration | None = Field(
        default=None, description="Crossover: from the first dose of one period to that of the next, washout included."
    )
    washout: Duration | None = Field(
        default=None,
        description="Drug-free time before entry or between periods, as published. Recorded, and changes nothing: "
        "people start without a drug, and periods are as far apart as `period` says.",
    )
    randomised: Name | None = Field(default=None, description="The stage that (the second) randomisation precedes.")
    enter: list[ConditionFields] = Field(default_factory=list, description="Who goes on to that stage.")


class SeverityFields(_Fields):
    """The window on the observed score that let people in, and the baseline that was published."""

    scale: Name = Field(default="MADRS", description="The scale of the window.")
    at_least: Number | None = Field(default=None, description="Lowest observed score that was let in.")
    at_most: Number | None = Field(default=None, description="Highest observed score that was let in.")
    mean: Number | None = Field(default=None, description="Published mean at baseline, as observed.")
    sd: Positive | None = Field(default=None, description="Published standard deviation at baseline, as observed.")
    selected_on: Literal["baseline", "screening"] = Field(
        default="baseline", description="Whether the score that let people in is also their baseline."
    )


class ParticipantFields(_Fields):
    """Who was enrolled."""

    diagnosis: Name = Field(description="The illness, such as `treatment-resistant-depression`.")
    failed_treatments: Limits | None = Field(default=None, description="Fewest and most treatments that had failed.")
    medication: Literal["drug-free", "stable", "new-antidepressant", "usual"] = Field(
        default="drug-free",
        description="What everybody takes besides, as published. Recorded, and changes nothing: what acts is `with` "
        "and `background` of the arms.",
    )
    severity: SeverityFields = Field(default_factory=SeverityFields, description="How ill people had to be.")
    age: Limits | None = Field(default=None, description="Youngest and oldest.")
    age_mean: Number | None = Field(default=None, description="Published mean age.")
    female: Share | None = Field(default=None, description="Share of women.")
    weight_mean: Positive | None = Field(default=None, description="Published mean weight in kilograms.")
    setting: Literal["outpatient", "inpatient", "research-ward", "clinic"] = Field(
        default="outpatient", description="Research outpatients, a ward, or a community clinic."
    )
    suicidal: bool = Field(default=False, description="Whether suicidal ideation was asked for.")
    criteria: dict[str, list[Number] | list[str] | str] = Field(
        default_factory=dict, description="Any column of the table of people, with two limits or the words allowed."
    )


class ArmMaskingFields(_Fields):
    """What people in an arm could know."""

    kind: Masking | None = Field(default=None, description="Over that of the design.")
    guess_active: Share | None = Field(default=None, description="Measured share that guessed the active treatment.")


class ContactFields(_Fields):
    """Time with staff, beside the usual two hours of a session."""

    level: Positive = Field(default=1.0, le=5.0, description="Attention beside the usual.")
    care: Duration | None = Field(default=None, description="How long people are in care, even without a dose.")
    extra: Durations = Field(default_factory=list, description="Visits with staff at which nothing is given.")


class StageFields(_Fields):
    """One stretch of an arm; the times in its course count from its own day 1."""

    name: Name = Field(description="How numbers refer to the stage.")
    duration: Duration | None = Field(default=None, description="How long it lasts.")
    course: Sentence | None = Field(default=None, description="The dosing sentence; `none` for nothing.")
    same_as: Name | None = Field(default=None, description="The arm whose stage of this name it copies.")
    masking: Masking | None = Field(default=None, description="Over that of the arm.")
    policy: PolicyFields | None = Field(default=None, description="Rules that look at a person at a visit.")
    adjuncts: list[Name] = Field(default_factory=list, alias="with", description="What is given besides.")


class TrialArmFields(_Fields):
    """One arm."""

    name: Name = Field(description="How numbers and figures call the arm.")
    n: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(default=None, description="People analysed.")
    role: Literal["active", "comparator"] = Field(default="active", description="What is tested, or beside what.")
    baseline_mean: Number | None = Field(
        default=None, description="Published mean of the arm's own baseline, over the mean of `severity`."
    )
    course: Sentence | None = Field(default=None, description="The dosing sentence; `none` for nothing.")
    stages: list[StageFields] = Field(default_factory=list, max_length=8, description="Instead of a course.")
    adjuncts: list[Name] = Field(default_factory=list, alias="with", description="What is given besides.")
    background: dict[str, bool | Number | str] = Field(default_factory=dict, description="Modifiers of the arm.")
    masking: ArmMaskingFields | None = Field(default=None, description="What people in the arm could know.")
    contact: ContactFields | None = Field(default=None, description="Time with staff.")
    policy: PolicyFields | None = Field(default=None, description="Rules that look at a person at a visit.")
    mixture: dict[str, Share] = Field(default_factory=dict, description="Shares of other arms, for a pooled control.")


class MeasureFields(_Fields):
    """How outcomes are rated."""

    scale: Name = Field(default="MADRS", description="The scale of numbers that name none.")
    rater: Literal["masked", "remote", "self", "open"] = Field(
        default="masked",
        description="Who rates: a clinician on the site who is not told, one on the telephone who cannot see either, "
        "the patient, or a clinician who knows.",
    )


class DropoutFields(_Fields):
    """Who leaves before the end."""

    share: Share | dict[str, Share] = Field(description="Share that left by `by`; one number, or one an arm.")
    by: Duration = Field(description="The time by which that share had left.")
    depends_on: Literal["none", "severity", "no-response"] = Field(
        default="severity", description="Whether those who do badly leave sooner."
    )
    strength: Annotated[float, Field(ge=0.0, le=5.0)] = Field(
        default=1.0, description="Log hazard ratio a standard deviation of the change (or without a response)."
    )


class SpreadFields(_Fields):
    """A spread given in the file."""

    kind: Literal["SD", "SE", "CI95", "CI90", "range", "none"] = Field(description="What the spread is.")
    value: Positive | None = Field(default=None, description="An SD or SE.")
    values: Limits | None = Field(default=None, description="Two ends.")


class NumberFields(_Fields):
    """One published number."""

    record: Name | None = Field(default=None, description="The record that holds it.")
    quantity: Name = Field(description="What it is, from the list of quantities.")
    arm: Name | None = Field(default=None, description="Of which arm.")
    arms: list[Name] | None = Field(default=None, min_length=2, max_length=2, description="First against second.")
    time: Duration | None = Field(default=None, description="When, from the start of the trial, stage or period.")
    times: Durations | None = Field(default=None, description="Several times (response on some of them).")
    end: Duration | None = Field(default=None, description="The later time of a share or of a sensitivity.")
    any_by: Duration | None = Field(default=None, description="At any rating up to then.")
    stage: Name | None = Field(default=None, description="Times count from this stage; among those who entered it.")
    scale: Name | None = Field(default=None, description="The scale, over that of the trial.")
    item: Name | None = Field(default=None, description="One item of the scale instead of the total.")
    among: list[ConditionFields] = Field(default_factory=list, description="Among whom; all conditions must hold.")
    of: Literal["change", "score", "response", "remission", "free_of_ideation"] | None = Field(
        default=None, description="What is compared or spread."
    )
    over: Literal["baseline", "change", "pooled"] | None = Field(default=None, description="The SD of an effect size.")
    sign: Literal["change", "improvement"] = Field(default="change", description="`improvement`: better is positive.")
    share: Share | None = Field(default=None, description="Share of the way that counts as response.")
    strict: bool = Field(default=False, description="More than, not at least, that share.")
    at_least: Annotated[int, Field(ge=1)] | None = Field(default=None, description="At so many of `times`.")
    at_most: Number | None = Field(default=None, description="Remission: this score or less.")
    below: Number | None = Field(default=None, description="Remission: less than this score.")
    since: Literal["last dose", "stage", "start"] | Duration = Field(
        default="start", description="When the clock of a relapse starts."
    )
    rule: Name | None = Field(default=None, description="The rule of relapse.")
    quantile: Annotated[float, Field(gt=0.0, lt=1.0)] | None = Field(default=None, description="Of times to relapse.")
    classes: Annotated[int, Field(ge=2, le=6)] | None = Field(default=None, description="How many classes of courses.")
    class_: Literal["best", "middle", "worst"] | None = Field(default=None, alias="class", description="Which class.")
    covariate: Name | None = Field(default=None, description="With what the change is correlated.")
    periods: Literal["all", "first"] = Field(default="all", description="Crossover: which periods.")
    baseline: Literal["period", "trial"] = Field(default="period", description="Crossover: change from which rating.")
    analysis: Name | None = Field(default=None, description="How the paper analysed it, in its words.")
    unit: Name | None = Field(default=None, description="Unit of a value given here: points, %, d, odds ratio.")
    use: Literal["score", "show"] = Field(default="score", description="Scored, or only shown.")
    reason: Text | None = Field(default=None, description="Why it is only shown, or why the record is not followed.")
    value: Number | None = Field(default=None, description="The number, where no record holds it.")
    spread: SpreadFields | None = Field(default=None, description="Its spread, where no record holds it.")
    n: Annotated[int, Field(ge=1)] | None = Field(default=None, description="People behind the number.")


class TrialFields(_Fields):
    """Everything that a trial file may say."""

    kind: Literal["trial", "pooled", "experiment"] = Field(default="trial", description="A trial, a pool, or neither.")
    name: Name = Field(description="A short name: first author and year.")
    title: Text = Field(description="One line that says what was compared in whom.")
    doi: Name | None = Field(default=None, description="Where it was published.")
    year: Annotated[int, Field(ge=1950, le=2100)] | None = Field(default=None, description="Year of publication.")
    use: Literal["calibrate", "context", "new"] = Field(default="new", description="Fitted, shown, or from anywhere.")
    overlaps: list[Name] = Field(default_factory=list, description="Trial files that share people with this one.")
    contains: list[Name] = Field(default_factory=list, description="Trial files that this pool is made of.")
    trials: Annotated[int, Field(ge=1, le=1000)] = Field(default=1, description="How many trials a pool holds.")
    note: Text | None = Field(default=None, description="What a reader should know.")
    design: DesignFields = Field(default_factory=DesignFields, description="How the trial is laid out.")
    participants: ParticipantFields = Field(description="Who was enrolled.")
    arms: list[TrialArmFields] = Field(min_length=1, max_length=12, description="The arms.")
    visits: Durations | None = Field(default=None, description="When people are rated.")
    measure: MeasureFields = Field(default_factory=MeasureFields, description="How outcomes are rated.")
    dropout: DropoutFields | None = Field(default=None, description="Who leaves before the end.")
    estimand: Literal["treatment-policy", "hypothetical", "while-on-treatment", "composite"] = Field(
        default="hypothetical", description="What is asked about people who leave or stop."
    )
    missing: Literal["locf", "nri", "observed", "model"] | None = Field(
        default=None, description="How missing ratings were filled."
    )
    seed: int = Field(default=1, ge=0, lt=2**63, description="Names the luck of a virtual trial.")
    published: list[NumberFields] = Field(default_factory=list, max_length=200, description="The published numbers.")

"""The person's file: which fields a PERSON.yaml may have, and what may stand in each.

This is the shape only; names, units, scores and dates are looked into by `rekindle.person.file` and
`rekindle.person.checks`. The documentation of the format is made from the descriptions here.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from rekindle.person.moments import When, read_when, read_zone
from rekindle.study_file import Duration, Name, Number, Text

Zone = Annotated[tzinfo, BeforeValidator(read_zone)]
Moment = Annotated[When, BeforeValidator(read_when)]


class _Fields(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True, populate_by_name=False
    )


class WhoFields(_Fields):
    """Who the person is, as far as the model asks. What is left out is drawn from the population."""

    age: Number | None = Field(default=None, description="Years at the first day.")
    sex: Literal["female", "male"] | None = Field(
        default=None, description="The sex that the volume of tissue and blood goes with."
    )
    weight: Text | None = Field(default=None, description="Body weight with its unit: `80 kg` (kg, g, lb).")
    height: Text | None = Field(default=None, description="Height with its unit: `170 cm` (cm, m, in).")
    diagnoses: list[Name] = Field(
        default_factory=list,
        max_length=30,
        description="What they have: the depression that is treated, and other illnesses that the model knows.",
    )
    failed_treatments: int | None = Field(
        default=None, ge=0, le=30, description="Antidepressants that failed in this episode."
    )
    covariates: dict[str, bool | Number | str] = Field(
        default_factory=dict, description="Any other column of a table of people, by its name."
    )


class DoseFields(_Fields):
    """What was given: one dose at a time, or a course from a date."""

    at: Moment | None = Field(default=None, description="When one dose was given.")
    dose: Text | None = Field(default=None, description="That dose in a sentence: `40 mg IV over 40 min`.")
    from_: Moment | None = Field(default=None, alias="from", description="The first day of a course that was given.")
    course: Text | None = Field(
        default=None, description="That course in a sentence, as `rekindle dose` reads it; all of it was given."
    )


class RatingFields(_Fields):
    """One rating."""

    at: Moment = Field(description="When it was made.")
    scale: Name = Field(description="The scale, by the name that `rekindle` gives it.")
    total: Number | None = Field(default=None, description="The total; left out, the sum of all items.")
    items: list[int] | dict[str, int] | None = Field(
        default=None, description="Scores of the items: all in order, or some or all by name."
    )
    recall: Duration | None = Field(
        default=None,
        description="How far back it looks: `7 days`; `0 days` for the moment of rating; left out, as its scale asks.",
    )
    masked: bool | None = Field(
        default=None,
        description="Whether the rater did not know what was given; kept with the rating, no forecast weighs it yet.",
    )


class VitalFields(_Fields):
    """Vital signs at one time; at least one."""

    at: Moment = Field(description="When they were taken.")
    systolic: Number | None = Field(default=None, description="Systolic pressure, mmHg.")
    diastolic: Number | None = Field(default=None, description="Diastolic pressure, mmHg.")
    heart_rate: Number | None = Field(default=None, description="Beats a minute.")


class LevelFields(_Fields):
    """One drug level in plasma."""

    at: Moment = Field(description="When the blood was taken.")
    analyte: Name = Field(description="`ketamine` (both forms together), `norketamine` or `hydroxynorketamine`.")
    level: Text = Field(description="The level with its unit, `85 ng/mL` or `0.36 umol/L`; or `below 2 ng/mL`.")
    limit: Text | None = Field(default=None, description="The assay's limit of quantification, with its unit.")


class PlanFields(_Fields):
    """What comes next."""

    course: Text = Field(description="The course in a sentence; `no treatment` for none.")
    from_: Moment = Field(alias="from", description="Its first day; not before `now`.")
    until: Moment | None = Field(
        default=None, description="How far to look; left out, 12 weeks, or to the course's end if that is later."
    )


class OptionFields(PlanFields):
    """Another course to compare with the plan."""

    name: Name = Field(description="How tables and figures call it.")


class EventsFields(_Fields):
    """A table of events in NONMEM's columns (CSV); TIME counts hours from 00:00 of `start`."""

    file: Name = Field(description="The file, relative to this one.")
    person: int | Name | None = Field(default=None, description="Which ID; needed where the table holds several.")
    dvid: dict[str, Text] = Field(
        default_factory=dict,
        description="What each DVID is: a scale, a vital sign, or an analyte and its unit (`ketamine ng/mL`).",
    )


class PersonFields(_Fields):
    """Everything that a person's file may say."""

    start: Moment | None = Field(
        default=None, description="The first day, which is day 1; left out, that of the first thing recorded."
    )
    now: Moment | None = Field(
        default=None, description="The time of the forecast; left out, that of the last thing recorded."
    )
    who: WhoFields = Field(default_factory=lambda: WhoFields(), description="Who they are.")
    takes: dict[str, bool | Number | str] = Field(
        default_factory=dict, description="Other drugs and circumstances: modifiers of a study, by name."
    )
    doses: list[DoseFields] = Field(default_factory=list, max_length=2000, description="What was given.")
    ratings: list[RatingFields] = Field(default_factory=list, max_length=5000, description="How they were rated.")
    vitals: list[VitalFields] = Field(default_factory=list, max_length=5000, description="Blood pressure and pulse.")
    levels: list[LevelFields] = Field(default_factory=list, max_length=2000, description="Drug levels.")
    levels_below: Literal["M1", "M2", "M3", "M4"] = Field(
        default="M3",
        description="How levels below the limit count, by the name of the method (Beal 2001); M2 needs every limit.",
    )
    plan: PlanFields | None = Field(default=None, description="What is planned.")
    options: list[OptionFields] = Field(default_factory=list, max_length=12, description="Courses to compare.")
    risk: Number | None = Field(
        default=None, gt=0, lt=1, description="The chance of relapse at which the next dose counts as due."
    )
    scales: list[Name] = Field(default_factory=list, max_length=20, description="Scales to forecast.")
    events: EventsFields | None = Field(default=None, description="More doses and observations, from a table.")
    bundle: Name | None = Field(
        default=None, description="More records, from a FHIR R4 bundle (JSON), relative to this file."
    )
    zone: Zone | None = Field(
        default=None,
        description="The zone in which the times of this file are told, `Europe/Vienna` or `+10:00`; the bundle's are "
        "told in it too. Needed where times of the two lie so near that it decides which came first.",
    )

"""The study file: which fields a STUDY.yaml may have, and what may stand in each.

This is the shape only. Whether a drug, a scale or a record of that name exists, and whether the doses
fit the horizon, is asked in `rekindle.study`. The documentation of the format is made from the descriptions
here.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from rekindle.documents import Document, Location
from rekindle.errors import InputError, nearest
from rekindle.policy.reading import PolicyFields

HOURS: dict[str, float] = {
    "min": 1 / 60,
    "minute": 1 / 60,
    "h": 1.0,
    "hour": 1.0,
    "d": 24.0,
    "day": 24.0,
    "week": 168.0,
    "month": 730.5,
    "year": 8766.0,
}
LONGEST_HORIZON_H = 5 * HOURS["year"]
MOST_PEOPLE = 1_000_000


def duration_h(text: object) -> float:
    """A span of time in hours; a month is 365.25 / 12 days.

    >>> duration_h("12 weeks")
    2016.0

    Raises:
        ValueError: not a number and a unit of time, negative, or not finite.
    """
    found = re.fullmatch(r"\s*([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)\s*([A-Za-z]+)\s*", str(text))
    word = found.group(2).casefold() if found else ""
    factor = HOURS.get(word) or HOURS.get(word.removesuffix("s"))
    if found is None or factor is None:
        raise ValueError(f"'{text}' is no span of time; write a number and min, h, days, weeks or months: '12 weeks'")
    hours = float(found.group(1)) * factor
    if not math.isfinite(hours):
        raise ValueError(f"'{text}' is not finite")
    return hours


def _within_horizon_limit(hours: float) -> float:
    if not 0 < hours <= LONGEST_HORIZON_H:
        raise ValueError("it must be more than 0 and at most 5 years")
    return hours


def _one_line(text: str) -> str:
    """Text with its line breaks and runs of spaces folded; characters that no page can show are refused."""
    folded = " ".join(text.split())
    if not folded:
        raise ValueError("it is empty")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in folded):
        raise ValueError("it holds a control character")
    return folded


Duration = Annotated[float, BeforeValidator(duration_h)]
Text = Annotated[str, Field(max_length=500), AfterValidator(_one_line)]
Name = Annotated[str, Field(max_length=60), AfterValidator(_one_line)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PopulationFields(_Fields):
    """Who takes part: a virtual population of one kind, or people from a CSV file."""

    kind: Name = Field(
        default="treatment-resistant-depression",
        description="Whose covariates and variability are used; fills the missing columns of a file.",
    )
    people: int = Field(default=200, ge=1, le=MOST_PEOPLE, description="People in each arm; the arms share them.")
    csv: Name | None = Field(
        default=None, description="A CSV file of people, relative to the study file; instead of `people`."
    )
    criteria: dict[str, list[Number] | list[str] | str] = Field(
        default_factory=dict,
        description="Who is let in: a column and its two limits `[18, 65]`, or the words allowed `[female]`.",
    )


class ArmFields(_Fields):
    """One arm: a course of doses, what else its people take, and what they expect."""

    name: Name = Field(description="How tables and figures call the arm.")
    course: Text = Field(description="The dosing sentence, as `rekindle dose` reads it.")
    role: Literal["active", "comparator"] = Field(
        default="active",
        description="`active` is the treatment in question, `comparator` what it is compared with.",
    )
    modifiers: dict[str, bool | Number | str] = Field(
        default_factory=dict, description="Co-medication and other modifiers of everybody in this arm."
    )
    expects_active: Number | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Chance that a person here believes to get the active drug; left out, it follows "
        "from what the session felt like.",
    )
    policy: PolicyFields | None = Field(
        default=None, description="Visits at which the clinic looks, and rules by which it changes the doses to come."
    )


class StudyFields(_Fields):
    """Everything that a study file may say."""

    title: Text = Field(description="One line that names the study.")
    question: Text | None = Field(default=None, description="What the study is to answer, in a sentence.")
    population: PopulationFields = Field(default_factory=lambda: PopulationFields(), description="Who takes part.")
    arms: list[ArmFields] = Field(min_length=1, max_length=8, description="The arms, the main one first.")
    horizon: Annotated[Duration, AfterValidator(_within_horizon_limit)] = Field(
        description="How long everybody is followed from the first day, such as `12 weeks`."
    )
    seed: int = Field(
        default=1, ge=0, lt=2**63, description="Names the luck of the study: the same seed, the same people."
    )
    outcomes: list[Name] = Field(
        default_factory=lambda: ["MADRS", "CADSS"],
        min_length=1,
        description="The scales and vital signs to rate.",
    )
    visits: list[Duration] | None = Field(
        default=None,
        description="When people are rated, from the first dose; left out: around each session, then weekly.",
    )
    hypotheses: dict[str, bool | Number] = Field(
        default_factory=dict,
        description="Switches between rival explanations; left out, each has its default.",
    )
    modifiers: dict[str, bool | Number | str] = Field(
        default_factory=dict, description="Co-medication and other modifiers of everybody in every arm."
    )
    studies: int = Field(
        default=40, ge=0, le=2000, description="Repeated studies behind the bands of the averages; 0 for none."
    )
    published: Literal["auto", "none"] | list[Name] = Field(
        default="auto",
        description="Records drawn over the curves: `auto` finds those that fit, or name them.",
    )
    life: bool = Field(
        default=True,
        description="Whether load from outside comes and goes in people's lives, the same in every arm; its size comes "
        "from the calibrated ensemble. `false` leaves everybody's circumstances as they are at the start.",
    )
    outside_domain: bool = Field(
        default=False, description="Run people or doses that the model does not know; every page is marked."
    )


def study_fields(document: Document) -> StudyFields:
    """The fields of a study document.

    Raises:
        InputError: a field is unknown, missing or holds what it cannot; the first such line.
    """
    try:
        return StudyFields.model_validate(document.values)
    except ValidationError as error:
        raise field_error(error, document, StudyFields) from error


def field_error(error: ValidationError, document: Document, schema: type[BaseModel]) -> InputError:
    """The first thing wrong, by line, in plain words, and how many more there are."""
    problems = error.errors(include_url=False)
    problems.sort(key=lambda problem: (_line_of(problem, document), problem["type"] == "missing"))
    first = problems[0]
    location = _location(first, document)
    more = len({_location(problem, document) for problem in problems}) - 1
    message, hint = _in_words(first, location, schema)
    if more:
        hint = " ".join(filter(None, [hint, f"({more} more field{'s' if more > 1 else ''} to mend.)"]))
    return InputError(message, where=document.where(*location), hint=hint or None)


def _location(problem: Any, document: Document) -> Location:
    """Where in the file a problem stands, without the names that the schema adds for its alternatives."""
    kept: Location = ()
    for step in problem["loc"]:
        if (*kept, step) in document.lines:
            kept = (*kept, step)
    return (*kept, problem["loc"][-1]) if problem["type"] == "missing" else kept


def _line_of(problem: Any, document: Document) -> int:
    location = _location(problem, document)
    while location not in document.lines:
        location = location[:-1]
    return document.lines[location]


def _in_words(problem: Any, location: Location, schema: type[BaseModel]) -> tuple[str, str]:
    """What is wrong and what would be right."""
    kind, given, limits = problem["type"], problem["input"], problem.get("ctx", {})
    name = str(location[-1]) if location else ""
    if kind == "extra_forbidden":
        known = sorted(_sibling_fields(location, schema))
        near = nearest(name, known)
        return (
            f"Unknown field '{name}'.",
            f"Nearest: {', '.join(near)}." if near else f"Known: {', '.join(known)}.",
        )
    if kind == "missing":
        return f"The field '{name}' is missing.", _description(location, schema)
    if kind == "literal_error":
        near = nearest(str(given), re.findall(r"'([^']+)'", limits["expected"]))
        suffix = f" Nearest: {', '.join(near)}." if near else ""
        return f"'{given}' is not one of {limits['expected']}.", suffix.strip()
    if kind == "value_error":
        reason = str(limits["error"])
        return f"{reason[0].upper()}{reason[1:]}.", ""
    if kind in ("too_short", "too_long"):
        bound = limits.get("min_length", limits.get("max_length"))
        return f"The list needs at {'least' if kind == 'too_short' else 'most'} {bound}.", _description(
            location, schema
        )
    if given is None:
        return f"The field '{name}' has no value.", _description(location, schema)
    needed = _NEEDED.get(kind) or str(problem["msg"]).replace("Input should", "This should")
    return f"{needed}; {_shown(given)} was given.", _description(location, schema)


_NEEDED = {
    "bool_type": "true, false, a number or a word is needed",
    "dict_type": "Fields are needed ('name: value')",
    "list_type": "A list is needed",
    "model_type": "Fields are needed ('name: value')",
    "string_type": "Text is needed",
}


def _shown(given: object) -> str:
    text = repr(given)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _model_at(location: Location, schema: type[BaseModel]) -> type[BaseModel] | None:
    """The schema of the mapping that the last step of a location stands in."""
    model: type[BaseModel] | None = schema
    for step in location[:-1]:
        if isinstance(step, str):
            field = _field(step, model)
            model = _schema_in(field.annotation) if field else None
    return model


def _field(name: str, model: type[BaseModel] | None) -> FieldInfo | None:
    """The field that a file writes so."""
    if model is None:
        return None
    return next((field for key, field in model.model_fields.items() if name == (field.alias or key)), None)


def _schema_in(annotation: Any) -> type[BaseModel] | None:
    """The schema that a type is or holds: that of a field, of a list's entries, of an optional field."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _schema_in(inner))), None)


def _sibling_fields(location: Location, schema: type[BaseModel]) -> list[str]:
    model = _model_at(location, schema)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _description(location: Location, schema: type[BaseModel]) -> str:
    field = _field(str(location[-1]), _model_at(location, schema)) if location else None
    return str(field.description) if field and field.description else ""

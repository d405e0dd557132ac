"""A trial file into a trial: every name looked up, every part checked against the others, the line named.

What the parts of a file may hold is in `fields`; arms, conditions and published numbers are read in `reading_arms`,
`reading_conditions` and `reading_numbers`; whether the parts make the design is asked in `reading_design`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rekindle.documents import Document, parse_document, read_text
from rekindle.errors import InputError, unknown
from rekindle.study_file import field_error
from rekindle.study_words import Vocabulary, package_vocabulary
from rekindle.trial.design import Dropout, Enrolled, Severity, Trial, TrialArm
from rekindle.trial.fields import ParticipantFields, SeverityFields, TrialFields
from rekindle.trial.reading_arms import read_arms
from rekindle.trial.reading_conditions import known_scale, read_condition
from rekindle.trial.reading_design import check_design
from rekindle.trial.reading_numbers import read_numbers
from rekindle.trial.words import diagnoses

if TYPE_CHECKING:
    from rekindle.outcomes import Scale

FILL = {"composite": "nri", "while-on-treatment": "observed"}
"""How missing ratings are filled where the file does not say, by estimand; else by the model."""

CONFLICTS = {
    ("hypothetical", "nri"),
    ("while-on-treatment", "nri"), ("while-on-treatment", "model"),
    ("composite", "model"), ("composite", "locf"), ("composite", "observed"),
    ("treatment-policy", "nri"), ("treatment-policy", "locf"),
}  # fmt: skip
"""An estimand and a way of filling that contradict each other."""


def read_trial(path: Path | str, *, vocabulary: Vocabulary | None = None) -> Trial:
    """The trial that a file describes.

    Raises:
        InputError: the file cannot be read or says something that cannot be, with its line.
    """
    return parse_trial(read_text(Path(path), kind="trial file"), str(path), vocabulary=vocabulary)


def parse_trial(text: str, name: str = "trial", *, vocabulary: Vocabulary | None = None) -> Trial:
    """The trial that YAML text describes; `name` is what messages call the text.

    Raises:
        InputError: the text says something that cannot be, with its line.
    """
    document = parse_document(text, name)
    try:
        fields = TrialFields.model_validate(document.values)
    except ValidationError as error:
        raise field_error(error, document, TrialFields) from error
    words = vocabulary or package_vocabulary()
    masking = fields.design.masking
    if fields.design.type == "open" and "masking" not in document.values.get("design", {}):
        masking = "open"
    arms = read_arms(fields, masking, document, words)
    starts = {stage.name: stage.start_h for arm in arms for stage in arm.stages}
    check_design(fields, arms, document)
    enter = tuple(
        read_condition(each, starts, document, ("design", "enter", place), words)
        for place, each in enumerate(fields.design.enter)
    )
    trial = Trial(
        name=fields.name,
        title=fields.title,
        enrolled=_enrolled(fields, document, words),
        arms=arms,
        kind=fields.kind,
        design=fields.design.type,
        masking=masking,
        period_h=fields.design.period,
        randomised=fields.design.randomised,
        enter=enter,
        doi=fields.doi or "",
        year=fields.year,
        use=fields.use,
        overlaps=tuple(fields.overlaps),
        contains=tuple(fields.contains),
        trials=fields.trials,
        note=fields.note or "",
        visits_h=_visits(fields, document),
        scale=known_scale(fields.measure.scale, words, document.where("measure", "scale")),
        rater=fields.measure.rater,
        dropout=_dropout(fields, arms, document),
        estimand=fields.estimand,
        missing=_missing(fields, document),
        seed=fields.seed,
        text=text,
    )
    numbers = read_numbers(trial, fields.published, document, words, starts, read_condition)
    return Trial(**{**_shallow(trial), "published": numbers})


def _shallow(trial: Trial) -> dict[str, Any]:
    return {name: getattr(trial, name) for name in trial.__dataclass_fields__}


def _visits(fields: TrialFields, document: Document) -> tuple[float, ...]:
    given = fields.visits or []
    for place, hours in enumerate(given):
        if place and hours <= given[place - 1]:
            raise InputError(
                "The visits go back in time.",
                where=document.where("visits", place),
                hint="Write them in order, each once.",
            )
        if fields.design.period is not None and hours > fields.design.period + 1e-6:
            raise InputError(
                "A visit lies beyond the period, in the next one.",
                where=document.where("visits", place),
                hint="Visits of a crossover count from the start of each period.",
            )
    return tuple(given)


def _missing(fields: TrialFields, document: Document) -> str:
    missing = fields.missing or FILL.get(fields.estimand, "model")
    if (fields.estimand, missing) in CONFLICTS:
        raise InputError(
            f"The estimand '{fields.estimand}' and missing ratings filled by '{missing}' contradict each other.",
            where=document.where("missing" if fields.missing else "estimand"),
            hint="Composite goes with nri; while-on-treatment with observed or locf; treatment-policy with model; "
            "hypothetical with model, locf or observed.",
        )
    return missing


def _enrolled(fields: TrialFields, document: Document, words: Vocabulary) -> Enrolled:
    people = fields.participants
    known = diagnoses()
    if people.diagnosis not in known:
        raise unknown("diagnosis", people.diagnosis, known, where=document.where("participants", "diagnosis"))
    diagnosis = known[people.diagnosis]
    criteria: dict[str, tuple[float, float] | tuple[str, ...]] = {}
    for column, given in people.criteria.items():
        where = document.where("participants", "criteria", column)
        if column not in words.columns:
            raise unknown("column", column, words.columns, where=where)
        criteria[column] = _criterion(column, given, words.columns[column], where)
    for field, column in (("failed_treatments", "failed_treatments"), ("age", "age_years")):
        limits = getattr(people, field)
        if limits is not None:
            criteria[column] = _criterion(column, limits, (), document.where("participants", field))
    return Enrolled(
        diagnosis=diagnosis.name,
        population=diagnosis.population,
        status=diagnosis.status,
        severity=_severity(people.severity, document, words),
        medication=people.medication,
        setting=people.setting,
        suicidal=people.suicidal,
        female=people.female,
        age_mean=_inside_age(people, document),
        weight_mean=people.weight_mean,
        criteria=criteria,
    )


def _inside_age(people: ParticipantFields, document: Document) -> float | None:
    if people.age_mean is not None and people.age and not people.age[0] <= people.age_mean <= people.age[1]:
        raise InputError(
            f"The mean age {people.age_mean:g} is outside {people.age[0]:g} to {people.age[1]:g}.",
            where=document.where("participants", "age_mean"),
        )
    return people.age_mean


def _criterion(
    column: str, given: list[float] | list[str] | str, allowed: tuple[str, ...], where: str
) -> tuple[float, float] | tuple[str, ...]:
    values = [given] if isinstance(given, str) else list(given)
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    if not allowed:
        if len(values) != 2 or len(numbers) != 2 or numbers[0] > numbers[1]:
            raise InputError(f"'{column}' needs two limits, the lower first: [18, 65].", where=where)
        return (numbers[0], numbers[1])
    for word in values:
        if str(word) not in allowed:
            raise unknown(f"value of {column}", str(word), allowed, where=where)
    return tuple(str(word) for word in values)


def _severity(given: SeverityFields, document: Document, words: Vocabulary) -> Severity:
    from rekindle.outcomes import SCALES

    place = ("participants", "severity")
    scale = SCALES[known_scale(given.scale, words, document.where(*place, "scale"))]
    for field in ("at_least", "at_most", "mean"):
        value = getattr(given, field)
        if value is not None and not scale.minimum <= value <= scale.maximum:
            raise InputError(
                f"{value:g} is outside the {scale.name}, which runs from {scale.minimum:g} to {scale.maximum:g}.",
                where=document.where(*place, field),
            )
    low, high = given.at_least, given.at_most
    if low is not None and high is not None and low >= high:
        raise InputError("The window of severity is empty.", where=document.where(*place, "at_most"))
    _check_spread(given, scale, document)
    if given.mean is not None and not (low or scale.minimum) < given.mean < (high or scale.maximum):
        raise InputError(
            f"The mean {given.mean:g} is outside the window that let people in.", where=document.where(*place, "mean")
        )
    return Severity(scale.name, low, high, given.mean, given.sd, given.selected_on == "baseline")


def _check_spread(given: SeverityFields, scale: Scale, document: Document) -> None:
    """Nothing, when scores inside the window, or the scale, can spread so far.

    Raises:
        InputError: the SD is larger than that of scores at both ends only.
    """
    low = scale.minimum if given.at_least is None else given.at_least
    high = scale.maximum if given.at_most is None else given.at_most
    mean = (low + high) / 2.0 if given.mean is None else given.mean
    most = math.sqrt(max((mean - low) * (high - mean), 0.0))
    if given.sd is not None and low < mean < high and given.sd > most:
        raise InputError(
            f"An SD of {given.sd:g} is more than scores from {low:g} to {high:g} can have: at most {most:.1f}.",
            where=document.where("participants", "severity", "sd"),
        )


def _dropout(fields: TrialFields, arms: tuple[TrialArm, ...], document: Document) -> Dropout | None:
    given = fields.dropout
    if given is None:
        return None
    names = [arm.name for arm in arms]
    shares: Mapping[str, float]
    if isinstance(given.share, dict):
        for name in given.share:
            if name not in names:
                raise unknown("arm", name, names, where=document.where("dropout", "share", name))
        shares = {name: given.share.get(name, 0.0) for name in names}
    else:
        shares = dict.fromkeys(names, given.share)
    if given.by <= 0:
        raise InputError("Nobody can leave by the start.", where=document.where("dropout", "by"))
    if max(shares.values()) > 0.95:
        raise InputError("More than 95 % leave: nothing is left to rate.", where=document.where("dropout", "share"))
    return Dropout(shares, given.by, given.depends_on, given.strength if given.depends_on != "none" else 0.0)

"""A trial file into a trial: every name looked up, every part checked against the others, the line named.

What the parts of a file may hold is in `fields`; the published numbers are read in `reading_numbers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rekindle.documents import Document, parse_document, read_text
from rekindle.errors import InputError, unknown
from rekindle.study import with_place
from rekindle.study_file import field_error
from rekindle.study_words import Vocabulary, package_vocabulary
from rekindle.trial.design import Condition, Dropout, Enrolled, Severity, Trial, TrialArm
from rekindle.trial.fields import ConditionFields, ParticipantFields, SeverityFields, TrialFields
from rekindle.trial.reading_arms import read_arms
from rekindle.trial.reading_numbers import read_numbers
from rekindle.trial.words import diagnoses

FILL = {"composite": "nri", "while-on-treatment": "observed"}
"""How missing ratings are filled where the file does not say, by estimand; else by the model."""

CONFLICTS = {("hypothetical", "nri"), ("while-on-treatment", "nri"), ("composite", "model"), ("composite", "locf")}
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
    _check_design(fields, arms, document)
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
        scale=_scale(fields.measure.scale, words, document.where("measure", "scale")),
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


def _scale(name: str, words: Vocabulary, where: str) -> str:
    """The known spelling of a scale that the model has.

    Raises:
        InputError: no such scale, or one that only other trials use.
    """
    from rekindle.trial.words import other_scales

    known = {each.casefold(): each for each in words.scales}
    if name.casefold() in known:
        return known[name.casefold()]
    if name.casefold() in {other.casefold() for other in other_scales()}:
        raise InputError(
            f"The model has no '{name}'.",
            where=where,
            hint="Name it with the numbers that are on it; they are shown, not scored.",
        )
    raise unknown("scale", name, [*words.scales, *other_scales()], where=where)


def _visits(fields: TrialFields, document: Document) -> tuple[float, ...]:
    given = fields.visits or []
    for place, hours in enumerate(given):
        if place and hours <= given[place - 1]:
            raise InputError(
                "The visits go back in time.",
                where=document.where("visits", place),
                hint="Write them in order, each once.",
            )
    return tuple(given)


def _missing(fields: TrialFields, document: Document) -> str:
    missing = fields.missing or FILL.get(fields.estimand, "model")
    if (fields.estimand, missing) in CONFLICTS:
        raise InputError(
            f"The estimand '{fields.estimand}' and missing ratings filled by '{missing}' contradict each other.",
            where=document.where("missing"),
            hint="Composite goes with nri; hypothetical with model, locf or observed.",
        )
    return missing


def _check_design(fields: TrialFields, arms: tuple[TrialArm, ...], document: Document) -> None:
    """Nothing, when the design has what its type needs.

    Raises:
        InputError: the first thing that is missing or contradicts the type.
    """
    kind, design = fields.design.type, fields.design
    where = document.where("design", "type")
    own = [arm for arm in arms if not arm.mixture]
    staged = [stage.name for arm in own for stage in arm.stages if stage.name]
    if kind == "crossover":
        if design.period is None:
            raise InputError("A crossover needs its period.", where=where, hint="design: {period: 14 days}")
        if len(own) < 2 or staged:
            raise InputError("A crossover has two or more arms, each one course.", where=where)
    elif design.period is not None:
        raise InputError("Only a crossover has a period.", where=document.where("design", "period"))
    if kind in ("randomised-withdrawal", "two-stage", "delayed-start") and not staged:
        raise InputError(f"A {kind} trial has stages.", where=where, hint="Write them in each arm: 'stages:'.")
    if kind in ("randomised-withdrawal", "two-stage"):
        if design.randomised is None:
            raise InputError(
                "The stage that randomisation precedes is missing.", where=where, hint="design: {randomised: NAME}"
            )
        if not design.enter:
            raise InputError("Who enters the randomised stage is missing.", where=where, hint="design: {enter: [...]}")
    if design.randomised is not None and design.randomised not in staged:
        raise unknown("stage", design.randomised, staged, where=document.where("design", "randomised"))
    if design.enter and design.randomised is None:
        raise InputError(
            "'enter' needs the stage that people enter.", where=document.where("design", "enter"), hint="randomised:"
        )
    if kind == "open" and fields.design.masking not in ("open", "rater") and "masking" in document.values["design"]:
        raise InputError(f"An open trial is not masked '{design.masking}'.", where=document.where("design", "masking"))
    if fields.kind != "pooled" and (fields.contains or fields.trials > 1):
        field = "contains" if fields.contains else "trials"
        raise InputError("Only a pool holds other trials.", where=document.where(field), hint="kind: pooled")
    if fields.name in (*fields.overlaps, *fields.contains):
        raise InputError("The trial names itself.", where=document.where("overlaps" if fields.overlaps else "contains"))


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
    scale = SCALES[_scale(given.scale, words, document.where(*place, "scale"))]
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
    if given.mean is not None and not (low or scale.minimum) < given.mean < (high or scale.maximum):
        raise InputError(
            f"The mean {given.mean:g} is outside the window that let people in.", where=document.where(*place, "mean")
        )
    return Severity(scale.name, low, high, given.mean, given.sd, given.selected_on == "baseline")


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


STATES = ("response", "no_response", "remission", "no_remission")


def read_condition(
    given: ConditionFields,
    starts: Mapping[str, float],
    document: Document,
    place: tuple[str | int, ...],
    words: Vocabulary,
) -> Condition:
    """A condition with its times on the clock of the trial.

    Raises:
        InputError: not exactly one thing is asked, or a name, time or limit is missing or unknown.
    """
    where = document.where(*place)
    asked = [name for name in (*STATES, "column", "score") if getattr(given, name) is not None]
    if len(asked) != 1:
        known = ", ".join((*STATES, "column", "score"))
        raise InputError(f"A condition asks for exactly one of {known}.", where=where)
    offset = 0.0
    if given.stage is not None:
        if given.stage not in starts:
            raise unknown("stage", given.stage, starts, where=document.where(*place, "stage"))
        offset = starts[given.stage]
    kind = asked[0]
    if kind in STATES:
        times = tuple(offset + time for time in getattr(given, kind))
        return Condition(kind, times, share=given.share)
    limited = given.at_least is not None or given.at_most is not None
    if kind == "score":
        if given.time is None or not limited:
            raise InputError("A score needs a time, and at_least or at_most.", where=where)
        name = _scale(str(given.score), words, document.where(*place, "score"))
        return Condition("score", (offset + given.time,), name, given.at_least, given.at_most)
    column = str(given.column)
    if column not in words.columns:
        raise unknown("column", column, words.columns, where=document.where(*place, "column"))
    allowed = words.columns[column]
    if allowed:
        if given.is_ is None:
            raise InputError(f"'{column}' needs a word.", where=where, hint=f"is: {' or '.join(allowed)}")
        with_place(partial(_known_word, column, allowed), given.is_, document.where(*place, "is"))
        return Condition("column", (), column, word=given.is_)
    if not limited:
        raise InputError(f"'{column}' needs at_least or at_most.", where=where)
    return Condition("column", (), column, given.at_least, given.at_most)


def _known_word(column: str, allowed: tuple[str, ...], word: str) -> None:
    if word not in allowed:
        raise unknown(f"value of {column}", word, allowed)

"""The published numbers of a trial file: what each is, and its value, spread and size from the record or the file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rekindle.documents import Document
from rekindle.errors import InputError, unknown
from rekindle.study import with_place
from rekindle.study_file import duration_h
from rekindle.study_words import Vocabulary
from rekindle.trial.clock import RELAPSES
from rekindle.trial.design import Condition, Number, Trial
from rekindle.trial.fields import NumberFields
from rekindle.trial.quantities import ALWAYS, OF_STATES, OF_TOTALS, QUANTITIES, Options, Quantity
from rekindle.trial.reading_checks import check_relapse, check_value, check_within_period
from rekindle.trial.words import STATUSES, Status, other_scales

if TYPE_CHECKING:
    from rekindle.evidence.record import Record

RATIOS = ("odds ratio", "risk ratio", "hazard ratio")
"""Units of numbers that are compared on the log scale."""

ReadCondition = Callable[..., Condition]


def read_numbers(
    trial: Trial,
    given: Sequence[NumberFields],
    document: Document,
    words: Vocabulary,
    starts: Mapping[str, float],
    read_condition: ReadCondition,
) -> tuple[Number, ...]:
    """The numbers in the order of the file.

    Raises:
        InputError: an unknown quantity, arm, scale, item, stage, rule or record, a field that the quantity does
            not have or lacks, or a number that cannot be scored and does not say so.
    """
    return tuple(
        _number(trial, each, place, document, words, starts, read_condition) for place, each in enumerate(given)
    )


def _number(
    trial: Trial,
    given: NumberFields,
    index: int,
    document: Document,
    words: Vocabulary,
    starts: Mapping[str, float],
    read_condition: ReadCondition,
) -> Number:
    here: tuple[str | int, ...] = ("published", index)
    if given.quantity not in QUANTITIES:
        raise unknown("quantity", given.quantity, QUANTITIES, where=document.where(*here, "quantity"))
    quantity = QUANTITIES[given.quantity]
    _check_fields(trial, quantity, given, document, here)
    arms = _arms(trial, quantity, given, document, here)
    offset = 0.0
    if given.stage is not None:
        if given.stage not in starts:
            raise unknown("stage", given.stage, starts, where=document.where(*here, "stage"))
        offset = starts[given.stage]
    scale, scale_status = _scale(trial, given, words, document, here)
    record = None if given.record is None else with_place(words.record, given.record, document.where(*here, "record"))
    statuses: list[Status] = [scale_status, *(trial.arm(arm).status for arm in _simulated(trial, arms))]
    status = max(statuses, key=STATUSES.index)
    _check_design(trial, quantity, given, arms, scale, offset, document, here)
    value, error, deviation, size, unit = _printed(quantity, given, record, trial, arms, document, here)  # type: ignore[arg-type]
    _check_use(quantity, given, record, status, value, document, here)
    if given.use == "score":
        check_value(quantity, given, value, scale, document, here)
    _check_covariate(given, words, document.where(*here, "covariate"))
    among = tuple(
        read_condition(each, starts, document, (*here, "among", place), words) for place, each in enumerate(given.among)
    )
    return Number(
        index=index,
        quantity=quantity.name,
        arms=arms,
        scale=scale,
        unit=unit,
        value=value,
        n=size,
        time_h=None if given.time is None else offset + given.time,
        stage=given.stage,
        item=_item(scale, given, document, here),
        among=among,
        options=_options(given, offset, document, here),
        record=given.record,
        standard_error=error,
        standard_deviation=deviation,
        use=given.use,
        reason=given.reason or "",
        status=status,
        place=document.where(*here),
    )


def _refuse(
    names: Sequence[str], written: Mapping[str, Any], what: str, document: Document, here: tuple[str | int, ...]
) -> None:
    for name in names:
        if name in written:
            raise InputError(f"'{name}' does not go with the quantity '{what}'.", where=document.where(*here, name))


def _refuse_ignored_n(given: NumberFields, trial: Trial, document: Document, here: tuple[str | int, ...]) -> None:
    known = {arm.name: arm.n for arm in trial.arms}
    if given.n is not None and all(known.get(name) is not None for name in given.arms or ()):
        raise InputError(
            "A comparison has the people of its arms: 'n' would be ignored.",
            where=document.where(*here, "n"), hint="Leave it out, or give each arm its own n.",
        )  # fmt: skip


def _check_fields(
    trial: Trial, quantity: Quantity, given: NumberFields, document: Document, here: tuple[str | int, ...]
) -> None:
    written = document.values["published"][int(here[1])]
    allowed = {*ALWAYS, *quantity.required, *quantity.allowed, *(("of",) if quantity.of else ())}
    for name in written:
        if name not in allowed:
            raise InputError(
                f"'{name}' does not go with the quantity '{quantity.name}'.",
                where=document.where(*here, name),
                hint=f"It takes {', '.join(sorted(allowed - set(ALWAYS))) or 'no more than every number does'}.",
            )
    if given.use == "show":
        return
    for name in quantity.required:
        if name not in written:
            raise InputError(f"The quantity '{quantity.name}' needs the field '{name}'.", where=document.where(*here))
    if quantity.name in OF_TOTALS or (given.of == "remission" and "any_by" in quantity.allowed):
        _refuse(("item",), written, quantity.name, document, here)
    state = given.of or "response"
    if state in OF_STATES and "any_by" in quantity.allowed and quantity.needs == "arms":
        others = [name for names in OF_STATES.values() for name in names if name not in OF_STATES[state]]
        _refuse(others, written, f"{quantity.name}' of '{state}", document, here)
    if len(given.arms or ()) == 2:
        _refuse_ignored_n(given, trial, document, here)
    timed = any(name in written for name in ("time", "times", "any_by"))
    if "any_by" in quantity.allowed and not timed:
        raise InputError(f"When '{quantity.name}' was counted is missing.", where=document.where(*here), hint="time:")
    if given.of is not None and given.of not in quantity.of:
        raise InputError(
            f"'{given.of}' is not something that '{quantity.name}' is of.",
            where=document.where(*here, "of"),
            hint=f"One of {', '.join(quantity.of)}.",
        )


def _check_design(
    trial: Trial,
    quantity: Quantity,
    given: NumberFields,
    arms: tuple[str, ...],
    scale: str,
    offset: float,
    document: Document,
    here: tuple[str | int, ...],
) -> None:
    """Nothing, when the design has what the number looks at; what is only shown is not asked."""
    if given.use == "show":
        return
    check_within_period(trial, given, document, here)
    if quantity.name in RELAPSES:
        check_relapse(trial, given, arms, scale, offset, document, here)


def _arms(
    trial: Trial, quantity: Quantity, given: NumberFields, document: Document, here: tuple[str | int, ...]
) -> tuple[str, ...]:
    if given.arm is not None and given.arms is not None:
        raise InputError("A number has an arm or arms, not both.", where=document.where(*here))
    names = (given.arm,) if given.arm is not None else tuple(given.arms or ())
    if quantity.needs == "arm" and given.arm is None:
        raise InputError(
            f"The quantity '{quantity.name}' is of one arm.", where=document.where(*here), hint="arm: NAME"
        )
    if quantity.needs == "arms" and given.arms is None:
        raise InputError(
            f"The quantity '{quantity.name}' compares two arms.", where=document.where(*here), hint="arms: [A, B]"
        )
    known = [arm.name for arm in trial.arms]
    for place, name in enumerate(names):
        if name not in known:
            where = document.where(*here, *(("arm",) if given.arm is not None else ("arms", place)))
            raise unknown("arm", name, known, where=where)
    if len(names) == 2 and names[0] == names[1]:
        raise InputError("An arm is compared with itself.", where=document.where(*here, "arms"))
    return names


def _simulated(trial: Trial, arms: Sequence[str]) -> list[str]:
    """The arms behind these: themselves, or those of a mixture."""
    return [inner for name in arms for inner in (trial.arm(name).mixture or {name: 1.0})]


def _scale(
    trial: Trial, given: NumberFields, words: Vocabulary, document: Document, here: tuple[str | int, ...]
) -> tuple[str, Status]:
    name = given.scale or trial.scale
    for known in words.scales:
        if known.casefold() == name.casefold():
            return known, "modelled"
    for other in other_scales().values():
        if other.name.casefold() == name.casefold():
            return other.name, other.status
    raise unknown("scale", name, [*words.scales, *other_scales()], where=document.where(*here, "scale"))


def _item(scale: str, given: NumberFields, document: Document, here: tuple[str | int, ...]) -> str | None:
    if given.item is None:
        return None
    from rekindle.outcomes import SCALES

    if scale not in SCALES:
        return given.item
    names = {item.name.casefold(): item.name for item in SCALES[scale].items}
    if given.item.casefold() not in names:
        raise unknown("item", given.item, names.values(), where=document.where(*here, "item"))
    return names[given.item.casefold()]


def _check_covariate(given: NumberFields, words: Vocabulary, where: str) -> None:
    """Nothing, when the change can be correlated with it: a column of numbers, `baseline`, or `CADSS at 40 min`.

    Raises:
        InputError: it is none of these.
    """
    name = given.covariate
    if name is None or given.use == "show" or name == "baseline":
        return
    scale, at, time = name.partition(" at ")
    if at:
        if scale not in words.scales:
            raise unknown("scale", scale, words.scales, where=where)
        with_place(_span, time, where)
        return
    if name not in words.columns:
        raise unknown("column", name, [*words.columns, "baseline"], where=where)
    if words.columns[name]:
        raise InputError(f"'{name}' holds words, not numbers.", where=where, hint="Compare groups with 'among'.")


def _span(text: str) -> float:
    try:
        return duration_h(text)
    except ValueError as error:
        raise InputError(f"{error}.") from error


def _options(given: NumberFields, offset: float, document: Document, here: tuple[str | int, ...]) -> Options:
    from rekindle.outcomes.endpoints import relapse_rules

    if given.rule is not None and given.rule not in relapse_rules():
        raise unknown("relapse rule", given.rule, relapse_rules(), where=document.where(*here, "rule"))
    if given.at_most is not None and given.below is not None:
        raise InputError("Remission is at most, or below, not both.", where=document.where(*here, "below"))
    if given.at_least is not None and given.at_least > len(given.times or ()):
        raise InputError("It is asked of more times than there are.", where=document.where(*here, "at_least"))
    if given.time is not None and given.end is not None and given.end <= given.time:
        raise InputError("The end is not after the time.", where=document.where(*here, "end"))
    since: Any = given.since
    if isinstance(since, str) and since == "stage":
        if given.stage is None:
            raise InputError("'since: stage' needs a stage.", where=document.where(*here, "since"))
        since = offset
    elif not isinstance(since, str):
        since = offset + float(since)
    return Options(
        of=given.of or "",
        over=given.over or "baseline",
        sign=given.sign,
        share=given.share,
        strict=given.strict,
        times_h=tuple(offset + time for time in given.times or ()),
        at_least=given.at_least or 1,
        any_by_h=None if given.any_by is None else offset + given.any_by,
        at_most=given.at_most,
        below=given.below,
        end_h=None if given.end is None else offset + given.end,
        since=since,
        rule=given.rule or "half lost",
        quantile=given.quantile or 0.5,
        classes=given.classes or 3,
        which=given.class_ or "best",
        covariate=given.covariate or "",
        periods=given.periods,
        baseline=given.baseline,
    )


def _check_use(
    quantity: Quantity,
    given: NumberFields,
    record: Any,
    status: Status,
    value: float,
    document: Document,
    here: tuple[str | int, ...],
) -> None:
    """Nothing, when the number may be used so.

    Raises:
        InputError: it is to be scored but cannot be, or it is only shown and no reason is given.
    """
    where = document.where(*here)
    if given.use == "show":
        if not given.reason:
            raise InputError("Why the number is only shown is missing.", where=where, hint="reason:")
        return
    shown = "use: show, with a reason."
    if quantity.name == "other":
        raise InputError("'other' is shown, never scored.", where=document.where(*here, "quantity"), hint=shown)
    if status != "modelled":
        raise InputError(f"The model cannot score this number ({status}).", where=where, hint=shown)
    if not math.isfinite(value):
        raise InputError("There is no one number to score.", where=where, hint=f"Give a value, or {shown}")
    if record is not None and not record.seen and given.value is None:
        raise InputError(f"Record '{record.id}' was not read: it is never scored.", where=where, hint=shown)
    if record is not None and given.value is not None and not given.reason:
        raise InputError("Why the record's value is not used is missing.", where=where, hint="reason:")


def _size(trial: Trial, given: NumberFields, arm: str) -> int | None:
    """People of an arm behind a number: in the first period of a crossover, their share of all."""
    size = trial.arm(arm).n
    if size is None or trial.design != "crossover" or given.periods != "first":
        return size
    return max(1, round(size / sum(not each.mixture for each in trial.arms)))


def _printed(
    quantity: Quantity,
    given: NumberFields,
    record: Record | None,
    trial: Trial,
    arms: tuple[str, ...],
    document: Document,
    here: tuple[str | int, ...],
) -> tuple[float, float | None, float | None, tuple[int | None, ...], str]:
    """Value, standard error, standard deviation between people, people an arm, and unit of a number as printed."""
    from rekindle.trial.printed import Printed, printed

    if record is None and given.value is None and given.use == "score":
        raise InputError("A number has a record or a value.", where=document.where(*here))
    try:
        found: Printed = printed(quantity, given, record, tuple(_size(trial, given, name) for name in arms))
    except InputError as error:
        error.where = error.where or document.where(*here)
        raise
    return found.value, found.standard_error, found.standard_deviation, found.n, found.unit

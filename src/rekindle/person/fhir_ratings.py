"""Observation and QuestionnaireResponse of a bundle as ratings, vital signs, drug levels, weight and height."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from rekindle.errors import InputError, UnsupportedError
from rekindle.outcomes import SCALES
from rekindle.person import checks, drug_words, words
from rekindle.person import fhir_codes as codes
from rekindle.person.checks import Record
from rekindle.person.fhir_resources import Resource, codings, loinc, quantity, read_time, wording
from rekindle.person.record import Level

Time = datetime | date
Body = tuple[str, float]
_TOTAL = re.compile(r"\b(?:total|sum|summed|score|scale|questionnaire|item|items|self-report|the)\b|[\s:,;()\[\].]+")
_ONE_ITEM = re.compile(r"\bitem\s*\d")
_BOTH_FORMS = {drug_words.PLAIN, drug_words.RACEMIC}
_FLUID = re.compile(r"\b(?:urine|saliva|hair|oral fluid|meconium|sweat)\b")
PARTIAL = "some items of a scale without the others and without a total; not used."
_TABLES = (("total", codes.TOTALS), ("panel", codes.PANELS), ("sign", codes.SIGNS), ("body", codes.BODY))


def observed(resource: Resource, notes: list[str]) -> Iterator[tuple[Time, Record | Body]]:
    """Everything that an observation says that is read; what is not is noted.

    Raises:
        InputError: a value is missing, impossible, or not one number.
        UnsupportedError: a unit that is not read.
    """
    values, where = resource.values, resource.where
    meant = _meaning(values.get("code"))
    parts = [part for part in values.get("component") or [] if isinstance(part, dict)]
    known = [part for part in parts if _meaning(part.get("code")) is not None]
    if (meant is None or meant[0] == "panel") and not known:
        notes.append(f"{where}: an observation of something else; not used.")
        return
    if values.get("status") not in codes.MEASURED:
        notes.append(f"{where}: not final, or withdrawn; not used.")
        return
    if "dataAbsentReason" in values and not parts:
        notes.append(f"{where}: no value; not used.")
        return
    when = _time(values, where)
    measured = [part for part in [values, *known] if "dataAbsentReason" not in part]
    yield from ((when, record) for record in _records(measured, where, notes))


def _time(values: Mapping[str, Any], where: str) -> Time:
    for name in ("effectiveDateTime", "effectiveInstant"):
        if name in values:
            return read_time(values[name], name, where)
    if "effectivePeriod" in values:
        return read_time((values["effectivePeriod"] or {}).get("start"), "effectivePeriod.start", where)
    raise InputError("The time is missing.", where=where, hint="effectiveDateTime.")


def _meaning(concept: Any) -> tuple[str, str] | None:
    """What a code or its words stand for: (sort, name)."""
    for code in loinc(concept):
        for sort, table in _TABLES:
            if code in table:
                return sort, table[code]
        if code in codes.ITEMS:
            return "item", code
        if code == codes.PRESSURE_PANEL:
            return "panel", "pressure"
    text = wording(concept)
    for name in reversed(words.ANALYTES):  # the longest first: every name ends with the shortest
        if name in text and drug_words.forms(text.replace(name, "ketamine")) <= _BOTH_FORMS:
            return None if _FLUID.search(text) else ("level", name)
    for part in () if _ONE_ITEM.search(text) else re.split(r" ; |[()\[\]]", text):
        plain = _TOTAL.sub("", part)
        for scale in SCALES.values():
            known = {_TOTAL.sub("", text.casefold()) for text in (scale.name, scale.title)}
            if plain in known and not scale.person_inputs:
                return "total", scale.name
    return None


def _records(parts: list[Mapping[str, Any]], where: str, notes: list[str]) -> Iterator[Record | Body]:
    """Records from an observation and its components."""
    signs: dict[str, float] = {}
    items: dict[str, dict[str, int]] = {}
    totals: dict[str, float] = {}
    for part in parts:
        sort, name = _meaning(part.get("code")) or ("", "")
        if (sort == "panel" and name in SCALES and _has_value(part)) or sort == "total":
            totals[name] = _score(part, where)
        elif sort == "item":
            scale, item = codes.ITEMS[name]
            score = _item_score(part, where)
            if score is None:
                notes.append(f"{where}: an item of {scale} without a score or an answer code of LOINC; left out.")
            else:
                items.setdefault(scale, {})[item] = score
        elif sort == "sign":
            signs[name] = _sign(part, name, where)
        elif sort == "body":
            yield name, _body(part, name, where)
        elif sort == "level":
            yield _level(part, name, where)
    if signs:
        yield checks.vital(signs.get("systolic"), signs.get("diastolic"), signs.get("heart_rate"), where)
    for scale in dict.fromkeys([*totals, *items]):
        if scale not in totals and len(items[scale]) < len(SCALES[scale].items):
            notes.append(f"{where}: {PARTIAL}")
            continue
        yield checks.rated(scale, totals.get(scale), items.get(scale), where)


def _has_value(part: Mapping[str, Any]) -> bool:
    return "valueQuantity" in part or "valueInteger" in part


def _score(part: Mapping[str, Any], where: str) -> float:
    if "valueInteger" in part:
        number = part["valueInteger"]
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise InputError("The rating has no number.", where=where)
        return float(number)
    number, _, comparator = quantity(part.get("valueQuantity"), "rating", where)
    if comparator:
        raise InputError("The rating is not one number.", where=where)
    return number


def _item_score(part: Mapping[str, Any], where: str) -> int | None:
    """The score of an item: a number, or the answer's code or ordinal value; None where there is none of these."""
    if _has_value(part):
        return _whole(_score(part, where), where)
    concept = part.get("valueCodeableConcept")
    coded = [each for each in (concept or {}).get("coding") or [] if isinstance(each, dict)]
    scores = {score for coding in coded for score in [_coded_score(coding)] if score is not None}
    if len(scores) > 1:
        raise InputError("The codes of an answer are different scores.", where=where)
    return _whole(scores.pop(), where) if scores else None


def _coded_score(coding: Mapping[str, Any]) -> float | None:
    """The score of an answer by its code in LOINC's list, else by its ordinal value."""
    for system, code in codings({"coding": [coding]}):
        if code in codes.ANSWERS and system in (codes.LOINC, ""):
            return float(codes.ANSWERS[code])
    for extra in coding.get("extension") or []:
        number = extra.get("valueDecimal") if isinstance(extra, dict) and extra.get("url") == codes.ORDINAL else None
        if isinstance(number, int | float) and not isinstance(number, bool):
            return float(number)
    return None


def _whole(number: float, where: str) -> int:
    if number != int(number):
        raise InputError("The score of an item is not a whole number.", where=where)
    return int(number)


def _sign(part: Mapping[str, Any], name: str, where: str) -> float:
    number, unit, comparator = quantity(part.get("valueQuantity"), name.replace("_", " "), where)
    if comparator:
        raise InputError(f"The {name.replace('_', ' ')} is not one number.", where=where)
    words.require_known(unit, codes.PULSE if name == "heart_rate" else codes.PRESSURE, name.replace("_", " "), where)
    return number


def _body(part: Mapping[str, Any], column: str, where: str) -> float:
    what = column.partition("_")[0]
    number, unit, comparator = quantity(part.get("valueQuantity"), what, where)
    units = words.WEIGHT_KG if column == "weight_kg" else words.HEIGHT_CM
    if unit not in units or comparator:
        raise UnsupportedError(
            f"The unit of the {what} is not read.", where=where, hint=f"One of {', '.join(units)}, in UCUM."
        )
    return float(words.flag(column, number * units[unit], where))


def _level(part: Mapping[str, Any], analyte: str, where: str) -> Level:
    number, unit, comparator = quantity(part.get("valueQuantity"), "drug level", where)
    if comparator not in ("", "<"):
        raise InputError("The drug level is neither a number nor below one.", where=where)
    below = comparator == "<"
    try:
        ng_ml = words.nanograms(number, unit, analyte, where, below=below)
    except InputError as error:
        if "unit" not in error.message:
            raise
        raise UnsupportedError(
            "The unit of the drug level is not read.", where=where, hint="ng/mL, ug/L or nmol/L, in UCUM."
        ) from None
    return Level(0.0, analyte, None if below else ng_ml, below, ng_ml if below else None, where)


def answered(resource: Resource, notes: list[str]) -> tuple[Time, Record] | None:
    """The rating of a questionnaire that is read, with its time; None, with a note, for any other.

    Raises:
        InputError: an answer or total that is not a score, or no time.
    """
    values, where = resource.values, resource.where
    items: dict[str, dict[str, int]] = {}
    totals: dict[str, float] = {}
    for entry in _flat(values.get("item")):
        code = str(entry.get("linkId") or "").strip("/").rpartition("/")[2]
        answers = entry.get("answer") or []
        if (code not in codes.ITEMS and code not in codes.TOTALS) or not answers:
            continue
        if len(answers) > 1:
            raise InputError("A question has more than one answer.", where=where)
        number = _answer(answers[0], where)
        if code in codes.TOTALS:
            totals[codes.TOTALS[code]] = number
        else:
            scale, item = codes.ITEMS[code]
            if item in items.setdefault(scale, {}):
                raise InputError("A question stands twice.", where=where)
            items[scale][item] = _whole(number, where)
    found = list(dict.fromkeys([*totals, *items]))
    if not found:
        notes.append(f"{where}: a questionnaire without items of PHQ-9 or GAD-7 by LOINC; not used.")
        return None
    if values.get("status") not in codes.ANSWERED:
        notes.append(f"{where}: not completed, or withdrawn; not used.")
        return None
    if len(found) > 1:
        raise InputError("One questionnaire holds items of two scales.", where=where, hint="One a questionnaire.")
    scale = found[0]
    if scale not in totals and len(items[scale]) < len(SCALES[scale].items):
        notes.append(f"{where}: {PARTIAL}")
        return None
    when = read_time(values.get("authored"), "authored", where)
    return when, checks.rated(scale, totals.get(scale), items.get(scale), where)


def _flat(entries: Any) -> Iterator[Mapping[str, Any]]:
    for entry in entries or []:
        if isinstance(entry, dict):
            yield entry
            yield from _flat(entry.get("item"))
            for answer in entry.get("answer") or []:
                if isinstance(answer, dict):
                    yield from _flat(answer.get("item"))


def _answer(answer: Any, where: str) -> float:
    """The score of an answer: a number, or a code of LOINC's answer list."""
    given = answer if isinstance(answer, dict) else {}
    for name in ("valueInteger", "valueDecimal"):
        if isinstance(given.get(name), int | float) and not isinstance(given[name], bool):
            return float(given[name])
    if "valueQuantity" in given:
        return quantity(given["valueQuantity"], "answer", where)[0]
    coded = _coded_score(given.get("valueCoding") or {})
    if coded is not None:
        return coded
    raise InputError(
        "An answer is not a score.", where=where, hint="A number, an answer code of LOINC, or an ordinal value."
    )

"""One resource of a bundle as plain values, checked by the models of FHIR R4B, with nothing in it that identifies.

Only the elements named here are kept, before anything looks at them, so that no name, address, number or free text
can reach a message. What the models refuse is said by element and never with its value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib import import_module
from typing import Any

from rekindle.errors import InputError, UnsupportedError
from rekindle.person import fhir_codes as codes
from rekindle.person.moments import EARLIEST, LATEST

KEPT: Mapping[str, tuple[str, ...]] = {
    "Patient": ("birthDate", "gender"),
    "Medication": ("code",),
    "MedicationAdministration": (
        "status", "medicationCodeableConcept", "medicationReference", "subject", "effectiveDateTime",
        "effectivePeriod", "dosage", "contained",
    ),
    "Observation": (
        "status", "code", "subject", "effectiveDateTime", "effectivePeriod", "effectiveInstant", "valueQuantity",
        "valueInteger", "valueCodeableConcept", "component", "dataAbsentReason",
    ),
    "QuestionnaireResponse": ("status", "questionnaire", "subject", "authored", "item"),
}  # fmt: skip
"""Elements that are read, by kind of resource."""

_PARTS = (
    "coding", "system", "code", "display", "text", "reference", "start", "end", "value", "unit", "comparator", "dose",
    "route", "method", "rateQuantity", "rateRatio", "numerator", "denominator", "valueQuantity", "valueInteger",
    "valueCodeableConcept", "valueDecimal", "valueCoding", "dataAbsentReason", "linkId", "answer", "item", "extension",
    "url", "resourceType", "id", "medicationCodeableConcept",
)  # fmt: skip
_MOST_DEEP = 24
_ONE_OF = re.compile(r"field value from this list \[((?:'\w+'(?:, )?)+)\]")


@dataclass(frozen=True)
class Resource:
    """One resource: its kind, what is read of it, and its place in the bundle."""

    kind: str
    values: Mapping[str, Any]
    where: str


def checked(kind: str, given: Mapping[str, Any], where: str) -> Resource:
    """What is read of a resource, once the R4B model accepts it.

    Raises:
        InputError: an element is missing or not what FHIR says; the element is named, not its value.
        UnsupportedError: `fhir.resources` is not installed.
    """
    kept = {name: _stripped(given[name], 0, where) for name in KEPT[kind] if given.get(name) is not None}
    if isinstance(kept.get("subject"), dict):
        kept["subject"] = {name: kept["subject"][name] for name in ("reference",) if name in kept["subject"]}
    if "contained" in kept:
        kept["contained"] = _medications(kept["contained"])
    model = _model(kind)
    try:
        model.model_validate({"resourceType": kind, **kept})
    except (ValueError, TypeError, AttributeError, KeyError, ArithmeticError, RecursionError) as error:
        raise _fault(error, where) from None
    _check_dates(kept, where)
    return Resource(kind, kept, where)


def _medications(contained: Any) -> list[Any]:
    entries = contained if isinstance(contained, list) else []
    return [
        {name: entry[name] for name in ("resourceType", "id", "code") if name in entry}
        for entry in entries
        if isinstance(entry, dict) and entry.get("resourceType") == "Medication"
    ]


def _stripped(value: Any, depth: int, where: str) -> Any:
    """The value with only the parts that are read; whatever else hangs on it is dropped."""
    if depth > _MOST_DEEP:
        raise InputError("The resource is nested too deep.", where=where)
    if isinstance(value, dict):
        kept = {name: inner for name, inner in value.items() if name in _PARTS and inner is not None}
        if "extension" in kept:
            kept["extension"] = _ordinals(kept["extension"])
        return {name: _stripped(inner, depth + 1, where) for name, inner in kept.items()}
    if isinstance(value, list):
        return [_stripped(inner, depth + 1, where) for inner in value if inner is not None]
    return value


def _ordinals(extensions: Any) -> list[Any]:
    """The extensions that score an answer; all others are dropped."""
    entries = extensions if isinstance(extensions, list) else []
    return [each for each in entries if isinstance(each, dict) and each.get("url") == codes.ORDINAL]


def _model(kind: str) -> Any:
    try:
        module = import_module(f"fhir.resources.R4B.{kind.lower()}")
    except ImportError as error:
        raise UnsupportedError(
            "FHIR bundles need the package fhir.resources.", hint="Install it: pip install 'rekindle[fhir]'."
        ) from error
    return getattr(module, kind)


def _fault(error: Exception, where: str) -> InputError:
    """What the model refused, by element."""
    listed = getattr(error, "errors", None)
    place, kind = "", ""
    if callable(listed):
        first = listed()[0]
        steps = [str(step) for step in first["loc"] if isinstance(step, str) and step.replace("_", "").isalnum()]
        place, kind = ".".join(step for step in steps if step[:1].islower()), first["type"]
        choices = _ONE_OF.search(str(first["msg"]))
        if not place and choices:
            names = " or ".join(re.findall(r"\w+", choices[1]))
            return InputError(f"The element {names} is missing.", where=where)
    if not place:
        return InputError("The resource is not FHIR R4.", where=where)
    if kind.rpartition(".")[2] == "missing":
        return InputError(f"The element '{place}' is missing.", where=where)
    return InputError(f"The element '{place}' is not what FHIR R4 says.", where=where)


_TIMES = ("effectiveDateTime", "effectiveInstant", "authored", "start", "end", "birthDate")


def _check_dates(kept: Mapping[str, Any], where: str) -> None:
    """Refuse times that are not text: the models would read a number as seconds since 1970."""
    held = kept.get("effectivePeriod")
    for values in (kept, held if isinstance(held, dict) else {}):
        for name in _TIMES:
            if name in values and not isinstance(values[name], str):
                raise InputError(f"The element '{name}' is not a time.", where=where)


_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2}))?", re.ASCII)


def read_time(text: object, name: str, where: str) -> datetime | date:
    """A time with its offset, or a date; what is only a month or a year is refused.

    Raises:
        InputError: it is no such time, or cannot be meant.
    """
    if not isinstance(text, str) or _TIME.fullmatch(text) is None:
        hint = "A day at least, and a time with its offset: 2024-03-05T10:00:00+01:00."
        raise InputError(f"The element '{name}' is not exact to the day.", where=where, hint=hint)
    try:
        if len(text) == 10:
            found: datetime | date = date.fromisoformat(text)
        else:
            found = datetime.fromisoformat(_microseconds(text.replace("Z", "+00:00")))
    except ValueError:
        raise InputError(f"The element '{name}' is no time of the calendar.", where=where) from None
    day = found.date() if isinstance(found, datetime) else found
    if not EARLIEST < day < LATEST:
        raise InputError(f"The element '{name}' cannot be meant.", where=where, hint="Check the year.")
    return found


def _microseconds(text: str) -> str:
    """The time with six figures of its seconds at most."""
    return re.sub(r"(\.\d{1,6})\d*", lambda found: found[1].ljust(7, "0"), text)


def codings(concept: Any) -> list[tuple[str, str]]:
    """System and code of a concept, in order."""
    found = concept.get("coding") if isinstance(concept, dict) else None
    pairs = [(each.get("system"), each.get("code")) for each in found or [] if isinstance(each, dict)]
    return [(str(system or ""), str(code)) for system, code in pairs if code]


def wording(concept: Any) -> str:
    """The text and displays of a concept in small letters, for looking up words; never shown."""
    if not isinstance(concept, dict):
        return ""
    displays = [each.get("display") for each in concept.get("coding") or [] if isinstance(each, dict)]
    return " ; ".join(str(text) for text in (concept.get("text"), *displays) if text).casefold()


def loinc(concept: Any) -> list[str]:
    """The LOINC codes of a concept."""
    return [code for system, code in codings(concept) if system == codes.LOINC]


def quantity(given: Any, what: str, where: str) -> tuple[float, str, str]:
    """Value, unit (UCUM code before words) and comparator of a quantity.

    Raises:
        InputError: there is no value, or it is not finite.
    """
    value = given.get("value") if isinstance(given, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e12 or value != value:
        raise InputError(f"The {what} has no number.", where=where)
    return float(value), str(given.get("code") or given.get("unit") or "").strip(), str(given.get("comparator") or "")

"""MedicationAdministration of a bundle as doses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from rekindle.dosing import Course, Dose, give
from rekindle.errors import InputError, RekindleError, UnsupportedError
from rekindle.person import drug_words
from rekindle.person import fhir_codes as codes
from rekindle.person.doses import given_once
from rekindle.person.fhir_resources import Resource, codings, quantity, read_time, wording
from rekindle.person.record import Given

Time = datetime | date
DRUGS: Mapping[str, str] = {
    drug_words.PLAIN: "racemic-ketamine",
    drug_words.RACEMIC: "racemic-ketamine",
    drug_words.ESKETAMINE: "esketamine",
    drug_words.ARKETAMINE: "arketamine",
}
"""What each form that words may name is; ketamine without a word about its form is the racemate."""
NEARLY = 0.1
"""Assumed. A dose is its rate times its duration to a tenth, and to a minute of the rate."""
PUSHED = re.compile(r"\b(?:bolus|push)\b")


def dose(resource: Resource, medications: Mapping[str, Any], notes: list[str]) -> tuple[Time, Given] | None:
    """A dose of ketamine or an enantiomer with its time; None, with a note, for what was not given or is another drug.

    Raises:
        InputError: the drug, amount, route, time or duration is missing or contradicts itself.
        UnsupportedError: a route or unit that is not read.
    """
    values, where = resource.values, resource.where
    status = values.get("status")
    if status in codes.NOT_GIVEN:
        notes.append(f"{where}: not given; not used.")
        return None
    drug, nasal = _drug(values, medications, where)
    if drug is None:
        notes.append(f"{where}: another drug than ketamine, or one without a name that is known; not used.")
        return None
    if status not in codes.GIVEN:
        raise InputError(
            "The status does not say that the whole dose was given.", where=where, hint="completed, or not-done."
        )
    begin, minutes = _time(values, where)
    dosage = values.get("dosage") or {}
    route = _route(dosage.get("route"), nasal, where)
    amount, unit, over = _amount(dosage, minutes, where)
    pushed = PUSHED.search(wording(dosage.get("method")) + wording(dosage.get("route")))
    way = _way(route, drug, over, bool(pushed), where)
    try:
        regimen = give(drug, amount, unit, **way)  # type: ignore[arg-type]
    except RekindleError:
        raise _impossible(where) from None
    return begin, Given(0.0, Course.of(regimen).spoken(), where, dated=not isinstance(begin, datetime))


def by_weight(given: Given) -> bool:
    """Whether the dose is so many mg/kg."""
    return "mg/kg" in given.sentence


def weighed(given: Given, weight_kg: float) -> Given:
    """A dose in mg/kg as what it was in mg for somebody of that weight.

    Raises:
        InputError: such a dose cannot be meant.
    """
    regimen = given_once(given.sentence, given.where).sessions[0].regimen
    amounts = [step.dose and Dose(float(f"{step.dose.amount * weight_kg:.10g}")) for step in regimen.steps]
    steps = tuple(replace(step, dose=amount) for step, amount in zip(regimen.steps, amounts, strict=True))
    try:
        sentence = Course.of(replace(regimen, steps=steps)).spoken()
    except RekindleError:
        raise _impossible(given.where) from None
    return replace(given, sentence=sentence, stated=given.sentence)


def _impossible(where: str) -> InputError:
    """What is said of a dose that the language of doses refuses, without its values."""
    return InputError(
        "A dose like this cannot be meant.", where=where, hint="Check the amount, its unit, the route and the duration."
    )


def _drug(values: Mapping[str, Any], medications: Mapping[str, Any], where: str) -> tuple[str | None, bool]:
    """The drug, and whether its code is that of the nasal device.

    Raises:
        InputError: its codes and words name different drugs, or its words name ketamine and not which form.
    """
    concept = values.get("medicationCodeableConcept")
    field, shown = "medicationCodeableConcept", None
    if concept is None:
        referred = values.get("medicationReference") or {}
        field, shown = "medicationReference", referred.get("display")
        reference = str(referred.get("reference") or "")
        own = {f"#{each.get('id')}": each.get("code") for each in values.get("contained") or []}
        concept = own.get(reference) or medications.get(reference)
    coded = {codes.DRUGS_BY_ATC[code] for system, code in codings(concept)
             if code in codes.DRUGS_BY_ATC and (system in codes.ATC or not system)}  # fmt: skip
    coded |= {codes.DRUGS_BY_RXNORM[code] for system, code in codings(concept)
              if code in codes.DRUGS_BY_RXNORM and system == codes.RXNORM}  # fmt: skip
    text = wording({"text": shown}) + " ; " + wording(concept)
    found = _agreed(coded, drug_words.forms(text), field, where)
    nasal = any(code == codes.NASAL_ATC for _, code in codings(concept)) or "spravato" in text
    return found, nasal


def _agreed(coded: set[str], forms: set[str], field: str, where: str) -> str | None:
    """The one drug that codes and words name; ketamine without a word about its form agrees with any.

    Raises:
        InputError: they name different drugs, or the words do not settle which form is meant.
    """
    if drug_words.UNSETTLED in forms:
        raise InputError(
            f"The words of '{field}' name ketamine and do not settle which form.",
            where=where,
            hint="Write ketamine, racemic ketamine, esketamine or arketamine, or S-, R- or R,S-ketamine.",
        )
    worded = {DRUGS[form] for form in forms - {drug_words.PLAIN}}
    if len(coded | worded) > 1:
        what = "codes and words" if coded and worded - coded else "codes" if len(coded) > 1 else "words"
        raise InputError(f"The {what} of the drug name different drugs.", where=where)
    return next(iter(coded or worded or {DRUGS[form] for form in forms}), None)


def _time(values: Mapping[str, Any], where: str) -> tuple[Time, float | None]:
    """When the dose began, and over how many minutes it went in where a period says so."""
    if "effectiveDateTime" in values:
        return read_time(values["effectiveDateTime"], "effectiveDateTime", where), None
    period = values.get("effectivePeriod") or {}
    begin = read_time(period.get("start"), "effectivePeriod.start", where)
    if "end" not in period:
        return begin, None
    end = read_time(period["end"], "effectivePeriod.end", where)
    if isinstance(begin, datetime) and isinstance(end, datetime):
        minutes = (end - begin).total_seconds() / 60
        if minutes < 0:
            raise InputError("The dose ends before it begins.", where=where)
        return begin, minutes or None
    return begin, None


def _route(concept: Any, nasal: bool, where: str) -> str:
    coded = [codes.ROUTES_BY_SNOMED[code] for system, code in codings(concept)
             if system in (codes.SNOMED, "") and code in codes.ROUTES_BY_SNOMED]  # fmt: skip
    text = re.findall(r"[a-z.]+", wording(concept))
    worded = [codes.ROUTE_WORDS[word] for word in text if word in codes.ROUTE_WORDS]
    found = set(coded or worded)
    if len(found) > 1:
        raise InputError("The route is two routes.", where=where)
    if found:
        return found.pop()
    if concept is None and nasal:
        return "nasal"
    raise UnsupportedError(
        "The route is missing or not read.",
        where=where,
        hint="Intravenous, intramuscular, subcutaneous, nasal, oral or sublingual, by SNOMED CT or in words.",
    )


def _way(route: str, drug: str, over: float | None, pushed: bool, where: str) -> dict[str, Any]:
    """How `give` calls it."""
    if route == "intravenous":
        if pushed:
            return {"route": "iv-bolus"}
        if over is None:
            raise InputError(
                "An infusion needs its duration.", where=where, hint="effectivePeriod with start and end, or a rate."
            )
        return {"route": "iv-infusion", "over_min": over}
    plain = {"nasal": "intranasal-device" if drug == "esketamine" else "intranasal",
             "sublingual": "sublingual-lozenge"}.get(route, route)  # fmt: skip
    return {"route": plain}


def _amount(dosage: Mapping[str, Any], minutes: float | None, where: str) -> tuple[float, str, float | None]:
    """Amount, mg or mg/kg, and minutes."""
    if "rateRatio" in dosage:
        raise UnsupportedError("A rate given as a ratio is not read.", where=where, hint="Give dosage.dose.")
    rate = _rate(dosage["rateQuantity"], where) if "rateQuantity" in dosage else None
    if "dose" in dosage:
        number, given, comparator = quantity(dosage["dose"], "dose", where)
        unit, factor = _dose_unit(given, where)
        amount = number * factor
        if comparator:
            raise InputError("The dose is not one number.", where=where)
        if rate is not None and minutes is None and rate[1] == unit and rate[0] > 0:
            minutes = float(f"{amount / rate[0] * 60:.10g}")
        elif rate is not None and minutes is not None and rate[1] == unit:
            _check_rate(amount, rate[0], minutes, where)
    elif rate is not None and minutes is not None:
        amount, unit = float(f"{rate[0] * minutes / 60:.10g}"), rate[1]
    else:
        raise InputError("The amount is missing.", where=where, hint="dosage.dose with its unit.")
    return amount, unit, minutes


def _check_rate(amount: float, an_hour: float, minutes: float, where: str) -> None:
    """Refuse a dose that is not its rate times its duration, beyond what rounding to the minute and of a pump makes.

    Raises:
        InputError: the three contradict one another.
    """
    slack = NEARLY * amount + an_hour / 60
    if abs(an_hour * minutes / 60 - amount) > slack:
        raise InputError(
            "'dosage.dose', 'dosage.rateQuantity' and 'effectivePeriod' contradict one another.",
            where=where,
            hint="The dose is the rate times the duration; leave out the one that is not meant.",
        )


def _dose_unit(unit: str, where: str) -> tuple[str, float]:
    mass, _, per = unit.partition("/")
    if mass in codes.MASS_MG and per in ("", "kg"):
        return ("mg/kg" if per else "mg"), codes.MASS_MG[mass]
    raise UnsupportedError("The unit of the dose is not read.", where=where, hint="mg, g, ug or mg/kg, in UCUM.")


def _rate(given: Any, where: str) -> tuple[float, str]:
    """A rate in mg/h or mg/kg/h: the number, and the unit of what comes in an hour."""
    number, unit, _ = quantity(given, "rate", where)
    amount, _, time = unit.rpartition("/")
    if time not in codes.RATE_HOURS:
        raise UnsupportedError("The unit of the rate is not read.", where=where, hint="mg/h, mg/min or mg/kg/h.")
    name, factor = _dose_unit(amount, where)
    return number * factor / codes.RATE_HOURS[time], name

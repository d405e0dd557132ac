"""The words of a person's file: illnesses, what they take, amounts with units.

An illness either names the population that stands for the person or sets a column of the table of people.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache

from rekindle.errors import InputError, UnsupportedError, unknown
from rekindle.person.unshown import shown
from rekindle.population import KINDS
from rekindle.population.schema import BY_NAME

POPULATIONS: Mapping[str, str] = {
    **{kind: kind for kind in KINDS},
    "major-depression": "first-line-depression",
    "healthy": "healthy-volunteers",
}
"""Population of each illness that is treated."""

ILLNESSES = (
    "aneurysm",
    "arteriovenous_malformation",
    "chronic_illness",
    "hypertension",
    "intracerebral_haemorrhage",
    "previous_suicide_attempt",
    "psychosis",
    "severe_hepatic_failure",
    "severe_renal_failure",
    "substance_use_history",
)
"""Illnesses that are columns of the table of people."""

TAKEN = ("alcohol_with_session", "cyp2b6_inhibitor", "opioid", "other_sedative")
"""What is taken and is a column of the table of people rather than a modifier."""

IDENTIFYING = (
    "name", "first_name", "last_name", "surname", "family_name", "given_name", "address", "street", "city", "postcode",
    "zip", "telephone", "phone", "email", "birth_date", "birthdate", "date_of_birth", "dob", "mrn", "identifier",
    "identifiers", "id", "patient", "patient_id", "insurance", "insurance_number", "social_security_number", "ssn",
)  # fmt: skip
"""Fields that would say who the person is; a file that has one is refused, and its value is shown nowhere."""

WEIGHT_KG = {"kg": 1.0, "g": 1e-3, "lb": 0.45359237, "[lb_av]": 0.45359237}
HEIGHT_CM = {"cm": 1.0, "m": 100.0, "in": 2.54, "[in_i]": 2.54}
"""Units of weight and height; the pound and the inch are exact by definition (in brackets as UCUM writes them)."""

ANALYTES = ("ketamine", "norketamine", "hydroxynorketamine")
HIGHEST_NG_ML = 1e5
"""Assumed. A level above this is a slip of the unit: anaesthesia runs at a few thousand."""

_AMOUNT = re.compile(r"\s*(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(?P<unit>[^\d\s].*?)?\s*")
_BELOW = re.compile(r"\s*(?:below|under|<)\s*(?P<rest>.*)", re.IGNORECASE | re.DOTALL)


def slug(name: str) -> str:
    """An illness as the tables write it: lower case, words joined by hyphens.

    >>> slug("Treatment resistant depression")
    'treatment-resistant-depression'
    """
    return re.sub(r"[\s_-]+", "-", name.strip()).casefold()


def population_of(name: str) -> str | None:
    """The population that an illness stands for, if it is one that is treated."""
    return POPULATIONS.get(slug(name))


def illness(name: str, where: str) -> str:
    """The column of an illness that comes besides.

    Raises:
        InputError: the model does not know it.
    """
    column = slug(name).replace("-", "_")
    if column not in ILLNESSES:
        raise unknown("diagnosis", name, [*POPULATIONS, *ILLNESSES], where=where)
    return column


def amount(text: str, units: Mapping[str, float], what: str, where: str) -> float:
    """A number and a unit, in the unit whose factor is 1.

    >>> amount("1.7 m", HEIGHT_CM, "height", "")
    170.0

    Raises:
        InputError: no number, no unit, or a unit that is not known.
    """
    number, unit = split(text, what, where)
    if unit not in units:
        known = [name for name in units if not name.startswith("[")]
        raise unknown("unit", unit, known, where=where)
    return number * units[unit]


def split(text: str, what: str, where: str) -> tuple[float, str]:
    """The number and the unit of an amount.

    Raises:
        InputError: either is missing, or the number is not finite.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None or not found["unit"]:
        raise InputError(f"The {what} needs a number and its unit.", where=where, hint="For example '80 kg'.")
    number = float(found["number"])
    if not math.isfinite(number):
        raise InputError(f"The {what} is not finite.", where=where)
    return number, found["unit"].strip()


def level(text: str, analyte: str, where: str) -> tuple[float, bool]:
    """A drug level in ng/mL, and whether it is only known to lie below that.

    >>> level("below 2 ug/L", "ketamine", "")
    (2.0, True)

    Raises:
        InputError: no number, an unknown unit, a level that is not above zero or cannot be meant.
    """
    below = _BELOW.fullmatch(text)
    number, unit = split(below["rest"] if below else text, "level", where)
    return nanograms(number, unit, analyte, where, below=bool(below)), bool(below)


def nanograms(number: float, unit: str, analyte: str, where: str, *, below: bool = False) -> float:
    """A level in ng/mL from mass or amount of substance in a volume.

    Raises:
        InputError: an unknown unit, or a level that cannot be meant.
    """
    name = _analyte(analyte, where)
    factor = _factor(unit, name, where)
    found = number * factor
    if not 0 <= found <= HIGHEST_NG_ML or (below and found == 0):
        raise InputError(
            shown(f"A level of {number:g} {unit} cannot be meant.", "The level cannot be meant.", where),
            where=where,
            hint="Check the decimal point and the unit.",
        )
    return found


def _analyte(name: str, where: str) -> str:
    known = {each: each for each in ANALYTES}
    if name.casefold() not in known:
        raise unknown("analyte", name, ANALYTES, where=where)
    return known[name.casefold()]


def _factor(unit: str, analyte: str, where: str) -> float:
    from rekindle.units import compatible, convert, parse_unit

    try:
        source = parse_unit(unit)
        mass, moles = compatible(source, "ng/mL"), compatible(source, "nmol/L")
    except InputError:
        raise unknown("unit", unit, ("ng/mL", "ug/L", "mg/L", "nmol/L", "umol/L"), where=where) from None
    if mass:
        return convert(1.0, source, "ng/mL")
    if moles:
        return convert(1.0, source, "nmol/L") * molar_mass(analyte) * 1e-3
    raise InputError(f"'{unit}' is no unit of a level.", where=where, hint="ng/mL, ug/L or nmol/L.")


@cache
def molar_mass(analyte: str) -> float:
    """Grams a mole of the base, from the model's own table (records `pk-mw-k`, `pk-mw-nk`, `pk-mw-hnk`)."""
    from rekindle.mechanism.parameters import parameter_table

    return float(parameter_table()[f"molar_mass_{analyte}"].value)


def flag(name: str, value: bool | float | str, where: str) -> float | str:
    """The value of a column of the table of people: a number in its range, or one of its words.

    Raises:
        InputError: no such column, a word for a number, or a number out of range.
    """
    if name not in BY_NAME:
        raise unknown("column", name, BY_NAME, where=where)
    column = BY_NAME[name]
    if column.kind == "category":
        if str(value) not in column.categories:
            raise unknown(f"value of {name}", str(value), column.categories, where=where)
        return str(value)
    if isinstance(value, str):
        raise InputError(f"'{name}' needs a number.", where=where, hint=f"{column.low:g} to {column.high:g}.")
    if isinstance(value, bool) and column.kind != "flag":
        raise InputError(f"'{name}' needs a number, not yes or no.", where=where, hint=f"In {column.unit}.")
    number = float(value)
    if column.kind == "flag" and number not in (0.0, 1.0):
        raise InputError(f"'{name}' is {number:g}.", where=where, hint="Write true or false.")
    if not column.low <= number <= column.high:
        raise InputError(
            shown(f"'{name}' is {number:g}.", f"'{name}' cannot be meant.", where),
            where=where,
            hint=f"It lies between {column.low:g} and {column.high:g}.",
        )
    return number


def require_known(unit: str, known: tuple[str, ...], what: str, where: str) -> None:
    """Refuse a unit that is not one of those known for this.

    Raises:
        UnsupportedError: another unit.
    """
    if unit not in known:
        raise UnsupportedError(f"The unit of the {what} is not read.", where=where, hint=f"Give {known[0]}.")

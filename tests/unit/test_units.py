"""Units read as the papers mean them; what a general library would take them for is refused."""

from __future__ import annotations

import math

import libsbml
import pytest

from rekindle.errors import InputError
from rekindle.units import (
    compatible,
    convert,
    known_units,
    parse_unit,
    sbml_unit_definition,
)

PHYSICAL = ("m", "L", "s", "g", "mol", "Pa", "1", "%", "mmHg")


@pytest.mark.parametrize(
    "trap",
    [
        *(
            "F",
            "points",
            "rs",
            "Cohen d",
            "r",
            "p",
            "alpha",
            "beta",
            "Hedges g",
            "odds ratio",
            "hazard ratio",
        ),
        *("70 kg", "% of control", "boolean", "sign", "date", "{subjects}", "{datasets}", "calendar year"),
    ],
)
def test_a_statistic_or_score_is_never_a_farad_a_length_or_a_bare_number(trap: str) -> None:
    assert not any(compatible(trap, unit) for unit in PHYSICAL)
    assert parse_unit(trap).stands_alone


def test_a_general_unit_library_falls_into_the_traps_that_ours_avoids() -> None:
    import pint

    general = pint.UnitRegistry()
    assert general.Unit("F").dimensionality == general.Unit("farad").dimensionality
    assert general.Unit("points").dimensionality == general.Unit("metre").dimensionality
    assert compatible("points", "points")
    assert not compatible("F", "points")


def test_d_is_a_day_and_cohen_d_is_not() -> None:
    assert convert(1, "d", "h") == 24
    assert not compatible("d", "Cohen d")


def test_the_seventy_kilogram_person_is_not_a_mass_to_divide_by() -> None:
    assert not compatible("L/h/70 kg", "L/h/kg")
    assert not compatible("L/h/70 kg", "L/h")


def test_a_dose_per_body_weight_is_not_a_percentage() -> None:
    assert convert(1, "mg/kg", "ug/kg") == 1000
    assert not compatible("mg/kg", "%")
    assert not compatible("mg/kg/d", "1/h")
    assert not compatible("h/d", "mg/kg")


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (90, "min", "h", 1.5),
        (1, "ng/mL", "ug/L", 1),
        (1, "ng/mL", "mg/L", 1e-3),
        (1, "nmol/mL", "umol/L", 1),
        (1.23, "L/min", "L/h", 73.8),
        (18.4, "mL/min/kg", "L/h/kg", 1.104),
        (60, "ng.min/mL", "ng.h/mL", 1),
        (1, "mmHg", "Pa", 133.322387415),
        (50, "%", "1", 0.5),
        (2, "wk", "d", 14),
        (1, "year", "h", 8766),
        (36, "%/h", "1/s", 1e-4),
        (3, "subjects", "patients", 3),
    ],
)
def test_conversion_gives_the_factor_worked_out_by_hand(
    value: float, source: str, target: str, expected: float
) -> None:
    assert convert(value, source, target) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ng.h/mL", "h.ng/mL"),
        ("1/(ng/mL)", "mL/ng"),
        ("mL/min/kg", "mL/(min*kg)"),
        ("L/h per year above 60", "L/h/year"),
        ("µmol/L", "umol/L"),
        ("kg/m^2", "kg/m**2"),
        ("mL/ml", "1"),
        ("F statistic", "F"),
    ],
)
def test_spellings_of_one_unit_are_equal(one: str, other: str) -> None:
    assert parse_unit(one) == parse_unit(other)


def test_masses_and_amounts_ask_for_a_molar_mass() -> None:
    with pytest.raises(InputError, match="molar mass"):
        convert(1, "ng/mL", "umol/L")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mgg", "Nearest: mg"),
        ("farad", "Unknown unit 'farad'"),
        ("ng/mX", "unit 'ng/mX': Unknown unit 'mX'"),
        ("", "incomplete"),
        ("ng/", "incomplete"),
        ("(ng/mL", "not closed"),
        ("ng)", "cannot be read from"),
        ("kg^0.75", "whole numbers"),
    ],
)
def test_a_wrong_unit_is_named_with_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_unit(text)
    assert said in str(caught.value)


def test_infinities_and_missing_values_pass_through() -> None:
    assert convert(math.inf, "h", "min") == math.inf
    assert math.isnan(convert(math.nan, "h", "min"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1/h", [("second", -1, 0, 3600.0)]),
        ("mg", [("gram", 1, -3, 1.0)]),
        ("mg/h", [("gram", 1, -3, 1.0), ("second", -1, 0, 3600.0)]),
        ("ng/mL", [("gram", 1, -9, 1.0), ("litre", -1, -3, 1.0)]),
        ("1/(ng/mL)", [("gram", -1, -9, 1.0), ("litre", 1, -3, 1.0)]),
        ("mmHg", [("pascal", 1, 0, 133.322387415)]),
        ("points", [("dimensionless", 1, 0, 1.0)]),
        ("1", [("dimensionless", 1, 0, 1.0)]),
        ("%", [("dimensionless", 1, -2, 1.0)]),
        ("patients", [("item", 1, 0, 1.0)]),
    ],
)
def test_sbml_base_units_are_those_of_the_standard(text: str, expected: list[tuple[str, int, int, float]]) -> None:
    assert sbml_unit_definition(text) == expected


def _libsbml_factor(text: str) -> tuple[float, str]:
    """Size in SI and dimension of a unit, as libSBML works them out from our base units."""
    definition = libsbml.UnitDefinition(3, 2)
    for kind, exponent, scale, multiplier in sbml_unit_definition(text):
        unit = definition.createUnit()
        unit.initDefaults()
        unit.setKind(libsbml.UnitKind_forName(kind))
        unit.setExponent(exponent)
        unit.setScale(scale)
        unit.setMultiplier(multiplier)
    si = libsbml.UnitDefinition.convertToSI(definition)
    size, kinds = 1.0, []
    for position in range(si.getNumUnits()):
        unit = si.getUnit(position)
        size *= (unit.getMultiplier() * 10.0 ** unit.getScale()) ** unit.getExponent()
        if unit.getKind() != libsbml.UNIT_KIND_DIMENSIONLESS:
            kinds.append(f"{libsbml.UnitKind_toString(unit.getKind())}{unit.getExponent()}")
    return size, " ".join(sorted(kinds))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("L/h", "mL/min"),
        ("ng/mL", "mg/L"),
        ("mmHg", "kPa"),
        ("1/h", "1/d"),
        ("umol/L", "nmol/mL"),
        ("mg/h", "ug/min"),
        ("ng.h/mL", "mg.min/L"),
        ("L/h/kg", "mL/min/kg"),
        ("%", "1"),
    ],
)
def test_libsbml_finds_the_same_factor_between_units(one: str, other: str) -> None:
    (first, first_kind), (second, second_kind) = _libsbml_factor(one), _libsbml_factor(other)
    assert first_kind == second_kind
    assert convert(1, one, other) == pytest.approx(first / second, rel=1e-12)


def test_libsbml_accepts_every_base_unit_we_name() -> None:
    for name in known_units():
        for kind, *_ in sbml_unit_definition(name):
            assert libsbml.UnitKind_forName(kind) != libsbml.UNIT_KIND_INVALID

"""Laws of units: printing and reading are inverse; conversion goes there and back, whatever the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.units import Unit, convert, known_units, parse_unit, sbml_unit_definition

names = st.sampled_from([name for name in known_units() if name != "1"])
powers = st.integers(-3, 3).filter(bool)
products = st.dictionaries(names, powers, max_size=4).map(
    lambda factors: parse_unit("*".join(f"({name})^{power}" for name, power in factors.items()) or "1")
)
finite = st.floats(-1e9, 1e9)
times = st.sampled_from(["ms", "s", "min", "h", "d", "wk", "month", "year"])
concentrations = st.sampled_from(["ng/mL", "ug/L", "mg/L", "g/L", "mg/dL", "ng/uL", "kg/L"])


@given(products)
def test_a_unit_printed_and_read_again_is_the_same(unit: Unit) -> None:
    assert parse_unit(str(unit)) == unit


@given(products, products)
def test_multiplying_dimensions_commutes(one: Unit, other: Unit) -> None:
    assert parse_unit(f"({one})*({other})") == parse_unit(f"({other})*({one})")


@given(products)
def test_a_unit_over_itself_is_one(unit: Unit) -> None:
    assert str(parse_unit(f"({unit})/({unit})")) == "1"


@given(st.one_of(st.tuples(times, times, times), st.tuples(*[concentrations] * 3)), finite)
def test_conversion_goes_there_and_back_by_any_way(units: tuple[str, str, str], value: float) -> None:
    first, second, third = units
    there = convert(value, first, third)
    assert convert(there, third, first) == pytest.approx(value, rel=1e-12, abs=1e-300)
    assert convert(convert(value, first, second), second, third) == pytest.approx(there, rel=1e-12, abs=1e-300)


@given(products)
def test_the_inverse_unit_has_inverse_exponents_in_sbml(unit: Unit) -> None:
    straight = sorted((kind, -power, scale, size) for kind, power, scale, size in sbml_unit_definition(unit))
    turned = sorted(sbml_unit_definition(f"1/({unit})"))
    nothing = [("dimensionless", 1, 0, 1.0)]
    assert straight == turned or (turned == nothing and sbml_unit_definition(unit) == nothing)

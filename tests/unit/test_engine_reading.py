"""What the engine reads, and what it refuses by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import sympy as sp

from rekindle.engine import lower, read_antimony, read_model, read_sbml
from rekindle.engine.antimony_reader import antimony_to_sbml
from rekindle.engine.kernels import evaluate, kernels_of
from rekindle.errors import InputError, ModelError, UnsupportedError

DECAY = "model decay\n  k = 0.5; A = 10\n  A' = -k*A\nend\n"


def test_states_parameters_and_values_come_from_the_text() -> None:
    network = read_antimony(DECAY)
    assert (network.name, network.states, network.parameters) == ("decay", ("A",), ("k",))
    assert network.values == {"k": 0.5}
    assert network.rates["A"] == -sp.Symbol("k") * sp.Symbol("A")


def test_a_path_and_its_text_give_the_same_network(tmp_path: Path) -> None:
    path = tmp_path / "decay.ant"
    path.write_text(DECAY)
    sbml = tmp_path / "decay.xml"
    sbml.write_text(antimony_to_sbml(DECAY, "here"))
    assert read_model(path).digest == read_model(sbml).digest == read_antimony(DECAY).digest
    assert read_antimony(DECAY.replace("0.5", "0.6")).digest == read_antimony(DECAY).digest
    assert read_antimony(DECAY.replace("-k*A", "-k*A*A")).digest != read_antimony(DECAY).digest


def test_starting_values_may_depend_on_parameters_formulas_and_other_starting_values() -> None:
    network = read_antimony("model m\n p = 3; q = 2*p; f := x + q\n x = p; y = f + x; x' = -x; y' = -q*y\nend\n")
    assert network.parameters == ("p",)
    assert network.derived == ("q",)
    lowered = lower(network)
    y, full = kernels_of(lowered).start(lowered.row({"p": 5.0}))
    assert dict(zip(lowered.states, y, strict=True)) == {"x": 5.0, "y": 20.0}
    assert full.tolist() == [5.0, 10.0]


def rates_at(text: str, **states: float) -> dict[str, float]:
    lowered = lower(read_antimony(text))
    start, full = kernels_of(lowered).start(lowered.defaults)
    y = [states.get(name, start[i]) for i, name in enumerate(lowered.states)]
    q = evaluate(lowered.prepare, {"p": full})
    return dict(zip(lowered.states, evaluate(lowered.rates, {"y": y, "q": q}), strict=True))


def test_reactions_in_amounts_and_concentrations_become_rates_by_stoichiometry() -> None:
    text = """model m
      compartment C = 4
      species S in C, P in C; substanceOnly species N in C
      S = 3; P = 0; N = 1
      J: 2 S -> 3 P; k*S*C
      G: P -> N; g*P
      k = 0.5; g = 0.25
    end
    """
    found = rates_at(text, S=3.0, P=2.0, N=1.0)
    conversion, loss = 0.5 * 3.0 * 4.0, 0.25 * 2.0
    assert found == pytest.approx(
        {"S": -2 * conversion / 4.0, "P": (3 * conversion - loss) / 4.0, "N": loss}, rel=1e-15
    )


def test_local_parameters_boundary_species_and_functions_mean_what_sbml_says() -> None:
    text = """function half(x)
      x/2
    end
    model m
      compartment C = 2
      species S in C, $B in C; S = 6; B = 5
      J: B -> S; half(v*B)
      v = 4
    end
    """
    network = read_antimony(text)
    assert network.states == ("S",)
    assert rates_at(text) == pytest.approx({"S": 4 * 5 / 2 / 2})


@pytest.mark.parametrize(
    ("formula", "x", "value"),
    [
        ("piecewise(1, x < 2, 5)", 1.0, 1.0),
        ("piecewise(1, x < 2, 3, x < 4, 5)", 3.0, 3.0),
        ("piecewise(1, x < 2, 3, x < 4, 5)", 4.0, 5.0),
        ("max(x, 2) + min(x, 2, 1)", 3.0, 4.0),
        ("sqrt(x) + x^(1/2)", 9.0, 6.0),
        ("exp(ln(x)) + log10(x)", 100.0, 102.0),
        ("tanh(x) - (exp(x) - exp(-x))/(exp(x) + exp(-x))", 0.7, 0.0),
        ("abs(x) + floor(x) + ceil(x)", -1.5, -1.5),
        ("x^h/(x^h + k^h)", 3.0, 3**1.7 / (3**1.7 + 2**1.7)),
        ("(x^2 + 1e-12)^(h/2)", -3.0, (9 + 1e-12) ** 0.85),
        ("sin(x)^2 + cos(x)^2 + tan(x)*0 + arctan(x)*0", 0.3, 1.0),
        ("piecewise(1, x > 1 && x < 4, 0) + piecewise(2, !(x >= 5), 0)", 2.0, 3.0),
    ],
)
def test_functions_mean_what_they_say(formula: str, x: float, value: float) -> None:
    text = f"model m\n h = 1.7; k = 2; x = 1; x' = {formula}\nend\n"
    assert rates_at(text, x=x)["x"] == pytest.approx(value, rel=1e-14, abs=1e-14)
    lowered = lower(read_antimony(text))
    kernels = kernels_of(lowered)
    import numpy as np

    _, full = kernels.start(lowered.defaults)
    compiled = kernels.rates(np.array([x]), kernels.prepare(full))
    assert compiled[0] == pytest.approx(value, rel=1e-14, abs=1e-14)


UNITS = "unit hour = 3600 second; unit time_unit = 3600 second\n"


def with_sbml(insert: str, before: str = "</model>", text: str = DECAY) -> str:
    document = antimony_to_sbml(text, "here")
    assert before in document
    return document.replace(before, insert + before)


ALGEBRAIC = (
    '<algebraicRule metaid="balance"><math xmlns="http://www.w3.org/1998/Math/MathML">'
    "<apply><minus/><ci>A</ci><ci>B</ci></apply></math></algebraicRule>"
)


def test_algebraic_rules_are_refused_by_name() -> None:
    free = antimony_to_sbml("model m\n A = 1; A' = -A; B = 2; var B\nend\n", "here")
    with pytest.raises(UnsupportedError, match=r"Algebraic rules .*'A - B'"):
        read_sbml(free.replace("</listOfRules>", ALGEBRAIC + "</listOfRules>"))


def test_fast_reactions_are_refused_by_name() -> None:
    text = "model m\n species S, P; S = 1; P = 0; J: S -> P; k*S; k = 1\nend\n"
    document = antimony_to_sbml(text, "here").replace('level="3" version="2"', 'level="3" version="1"')
    document = document.replace("level3/version2/core", "level3/version1/core")
    fast = document.replace('<reaction id="J" reversible="true"', '<reaction id="J" reversible="true" fast="true"')
    assert fast != document
    with pytest.raises(UnsupportedError, match=r"Fast reactions .*'J'"):
        read_sbml(fast)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("model m\n x = 1; x' = -delay(x, 2)\nend\n", UnsupportedError, "[Dd]elay"),
        ("model m\n x = 1; x' = -x\n dose: at (time > 3): x = 2\nend\n", UnsupportedError, "Events .*'dose'"),
        ("model m\n x = 1; x' = -k*/x\nend\n", InputError, "line 2"),
        ("model m\n k = 1\n k = 2; x = 1; x' = -k*x\nend\n", InputError, "line 3.*'k' is defined twice"),
        ("model m\n x = 1\n x' = -x\n x' = x\nend\n", InputError, "line 4.*rate of 'x'"),
        ("model m\n f := 2; f := 3; x = f; x' = -x\nend\n", InputError, "'f' is defined twice"),
        ("model m\n x = 1; x' = -x; x := 2\nend\n", InputError, "'x' is defined twice"),
        ("model m\n a := b; b := a; x = 1; x' = -a\nend\n", ModelError, "circle"),
        ("model m\n a = b; b = a; x = 1; x' = -a\nend\n", ModelError, "circle"),
        ("model m\n unit time_unit = 60 second; x = 1; x' = -x\nend\n", UnsupportedError, "not in hours"),
        ("  \n", InputError, "empty"),
        ("model m\n time = 3; x = 1; x' = -x\nend\n", InputError, "time|line 2"),
    ],
)
def test_a_bad_model_is_refused_with_its_place_or_name(text: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        read_antimony(text)


def test_circles_that_span_starting_values_and_formulas_are_named() -> None:
    with pytest.raises(ModelError, match="circle"):
        lower(read_antimony("model m\n x = f; f := x + y; y = 1; x' = -x; y' = -f\nend\n"))


def test_a_misspelt_symbol_is_named_with_the_nearest_known_one() -> None:
    network = read_antimony("model m\n clearance = 2; x = 1; x' = -clearence*x\nend\n")
    with pytest.raises(InputError, match=r"'clearence' \(did you mean 'clearance'\?\)"):
        lower(network)
    assert lower(network.with_values({"clearence": 2.0})).row()[1] == 2.0


def test_a_piecewise_without_otherwise_and_unknown_functions_are_refused() -> None:
    with pytest.raises(UnsupportedError, match=r"arcsin|asin"):
        read_antimony("model m\n x = 0.1; x' = arcsin(x)\nend\n")
    with pytest.raises(UnsupportedError, match="otherwise"):
        read_antimony("model m\n x = 0.1; x' = piecewise(1, x < 2)\nend\n")


def test_a_model_without_states_cannot_be_solved() -> None:
    with pytest.raises(InputError, match="no state"):
        lower(read_antimony("model m\n a = 1; b := 2*a\nend\n"))


def test_values_that_are_unknown_formulas_or_not_finite_are_refused() -> None:
    network = read_antimony("model m\n p = 1; f := 2*p; x = 2*p; x' = -f*x\nend\n")
    for values, said in (({"q": 1.0}, "Unknown parameter 'q'"), ({"f": 1.0}, "is a formula"),
                         ({"p": float("nan")}, "not a finite"), ({"x": 1.0}, "starts at the formula")):  # fmt: skip
        with pytest.raises(InputError, match=said):
            network.with_values(values)


def test_text_that_is_not_sbml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not consistent"):
        read_sbml("<sbml>\n</sbml>")
    bad = tmp_path / "latin.ant"
    bad.write_bytes(b"model m // \xe9\n x = 1; x' = -x\nend")
    with pytest.raises(InputError, match="UTF-8"):
        read_antimony(bad)
    with pytest.raises(InputError, match="cannot be read"):
        read_antimony(tmp_path / "missing.ant")
    with pytest.raises(InputError, match="not a model file"):
        read_model(tmp_path / "model.doc")


def test_unknown_outputs_are_refused_with_the_nearest() -> None:
    lowered = lower(read_antimony("model m\n plasma = 1; plasma' = -plasma\nend\n"))
    with pytest.raises(InputError, match="Nearest: plasma"):
        lowered.observe(["plasm"])


TWO = "model m\n compartment C = 4; species S in C, P in C; S = 3; P = 1; J: S -> P; k*S; k = 0.5\nend\n"


def test_computed_stoichiometries_are_refused_by_name() -> None:
    text = TWO.replace("J: S -> P", "n = 2; many := n*k; J: many S -> P")
    with pytest.raises(UnsupportedError, match=r"Computed stoichiometries .*'J'"):
        read_antimony(text)


def test_conversion_factors_are_refused_by_name() -> None:
    document = antimony_to_sbml(TWO, "here")
    changed = document.replace('<species id="S"', '<species conversionFactor="k" id="S"')
    assert changed != document
    with pytest.raises(UnsupportedError, match=r"Conversion factors .*'S'"):
        read_sbml(changed)


def test_concentrations_in_a_compartment_that_changes_are_refused_by_name() -> None:
    with pytest.raises(UnsupportedError, match=r"changes its volume .*'S' in 'C'"):
        read_antimony(TWO.replace("S = 3", "C' = 0.1; S = 3"))


def test_packages_that_change_the_mathematics_are_refused_by_name() -> None:
    document = antimony_to_sbml(TWO, "here")
    changed = document.replace(
        'version="2">\n',
        'version="2" xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true">\n',
        1,
    )
    assert changed != document
    with pytest.raises(UnsupportedError, match=r"change the mathematics .*'comp'"):
        read_sbml(changed)


def test_the_rate_of_another_variable_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedError, match="rateOf"):
        read_antimony("model m\n x = 1; x' = -x; y = 0; y' = rateOf(x)\nend\n")

"""The process files and the parameter tables make one model, and what does not fit is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from rekindle.errors import InputError, ModelError
from rekindle.mechanism import assemble, parameters
from rekindle.mechanism.assemble import antimony_text, joined, parameter_table, sbml_text, statements


def strict_errors(text: str) -> list[str]:
    """What libSBML says of the document with strict units."""
    import libsbml

    document = libsbml.readSBMLFromString(text)
    document.checkConsistencyWithStrictUnits()
    return [document.getError(k).getMessage() for k in range(document.getNumErrors())]


def test_the_whole_model_is_consistent_with_strict_units() -> None:
    assert strict_errors(sbml_text()) == []


@pytest.mark.parametrize(("name", "wrong"), [("shallow_flow", "L"), ("effect_site_rate", "per_min")])
def test_a_parameter_in_the_wrong_unit_fails_the_check(name: str, wrong: str) -> None:
    unit = assemble.UNIT_NAMES[parameter_table()[name].unit]
    text = antimony_text()
    assert f"{name} has {unit}" in text
    broken = text.replace(f"{name} has {unit}", f"{name} has {wrong}")
    assert strict_errors(assemble.to_sbml(broken, "rekindle"))


def test_every_process_file_is_a_module_of_its_own() -> None:
    for path in sorted(assemble.PROCESSES.glob("*.ant")):
        text = path.read_text(encoding="utf-8")
        assert assemble.to_sbml(text, text.split("\nmodel ", 1)[1].split("(", 1)[0]), path.name


def test_values_from_outside_replace_those_of_the_table() -> None:
    assert "  clearance = 80.0; clearance has L_per_h" in antimony_text({"clearance": 80.0})
    with pytest.raises(InputError, match=r"clearence.*Nearest: clearance"):
        antimony_text({"clearence": 80.0})


def test_some_processes_alone_bring_only_what_they_name() -> None:
    text = antimony_text(processes=["absorption", "disposition"])
    assert "central_S' =" in text
    assert "effect_site_rate = " in text
    assert "severity" not in text
    with pytest.raises(InputError, match=r"depositon.*Nearest: disposition"):
        antimony_text(processes=["depositon"])


def test_a_formula_over_several_lines_is_one_and_line_numbers_hold() -> None:
    lines = ["", "a := (b // first", "  + c)", "  * d^2; a has mg", "d has mg"]
    assert joined(lines) == ["", "a := (b + c) * d^2 dimensionless; a has mg", "", "", "d has mg"]
    assert [found.where for found in statements("x.ant", joined(lines))] == [
        "x.ant, line 2",
        "x.ant, line 2",
        "x.ant, line 5",
    ]


REFUSED = {
    "defined twice": "x' = -x*clearance/central_volume; x = 0; x has mg; x' = x*effect_site_rate",
    "no initial value": "x' = -x*effect_site_rate; x has mg",
    "no unit": "x' = -x*effect_site_rate; x = 0",
    "has no known unit": "x' = -2*x*effect_site_rate; x = 0; x has mg",
    "Unknown name in a formula 'efect_site_rate'": "x' = -x*efect_site_rate; x = 0; x has mg",
    "Unknown unit 'mgs'": "x' = -x*effect_site_rate; x = 0; x has mgs",
    "also a row of the parameter tables": "clearance := central_volume*effect_site_rate; clearance has L_per_h",
    "a rate and a formula": "x' = -x*effect_site_rate; x = 0; x has mg; x := central_S",
    "no formula": "x has mg",
    "not a definition": "x",
}


@pytest.mark.parametrize("message", REFUSED)
def test_a_process_that_does_not_fit_is_refused(message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("units.ant", "absorption.ant", "disposition.ant"):
        (tmp_path / name).write_text((assemble.PROCESSES / name).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "extra.ant").write_text(f"model extra()\n  {REFUSED[message]}\nend\n", encoding="utf-8")
    monkeypatch.setattr(assemble, "PROCESSES", tmp_path)
    assemble._bodies.cache_clear()
    try:
        with pytest.raises((InputError, ModelError)) as caught:
            antimony_text(processes=["absorption", "disposition", "extra"])
        assert message in str(caught.value)
        assert "extra.ant, line 2" in str(caught.value)
    finally:
        assemble._bodies.cache_clear()


def test_every_parameter_has_a_range_a_grade_and_evidence() -> None:
    for row in parameter_table().values():
        assert row.low <= row.value <= row.high
        assert row.grade in parameters.GRADES
        assert row.record or row.reason
        assert row.meaning
        assert row.unit in assemble.UNIT_NAMES


BAD_ROWS = {
    "needs numbers": "x,one,mg,0,1,human,r,,m,p",
    "is not inside": "x,3,mg,0,1,human,r,,m,p",
    "has grade 'guess'": "x,1,mg,0,1,guess,r,,m,p",
    "neither a record nor a reason": "x,1,mg,0,1,human,,,m,p",
}


@pytest.mark.parametrize("message", BAD_ROWS)
def test_a_parameter_row_that_says_too_little_is_refused(message: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(",".join(parameters.COLUMNS) + "\n" + BAD_ROWS[message] + "\n", encoding="utf-8")
    with pytest.raises(ModelError, match=message) as caught:
        parameters.read_parameters(path)
    assert "table.csv, line 2" in str(caught.value)

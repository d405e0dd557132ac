"""A pharmacologist looks at the model, takes it to another program, and brings a model of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rekindle.cli import main
from rekindle.evidence import catalog

DECAY = "model decay\n  A = 10; k = 0.5\n  A' = -k*A\nend\n"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(run(capsys, *arguments, "--json"))


def test_every_parameter_has_a_grade_and_a_record_or_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    rows = document(capsys, "model", "parameters")
    assert len(rows) > 100
    records = catalog()
    for row in rows:
        assert {"name", "value", "unit", "range", "grade", "record", "reason"} <= set(row)
        assert row["grade"] in ("human", "rodent", "assumed")
        assert row["record"] or row["reason"], row["name"]
        assert row["range"][0] <= row["value"] <= row["range"][1], row["name"]
        if row["record"]:
            assert row["record"] in records, row["record"]


def test_the_grades_divide_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    everything = document(capsys, "model", "parameters")
    parts = [document(capsys, "model", "parameters", "--grade", grade) for grade in ("human", "rodent", "assumed")]
    assert sum(map(len, parts)) == len(everything)
    assert all(row["grade"] == "assumed" and row["reason"] for row in parts[2])


def test_states_carry_their_units(capsys: pytest.CaptureFixture[str]) -> None:
    units = {row["name"]: row["unit"] for row in document(capsys, "model", "states")}
    assert units["central_S"] == "mg"
    assert "central_S" in run(capsys, "model", "states")


def test_an_exported_model_is_the_same_model(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    sbml, antimony = tmp_path / "model.xml", tmp_path / "model.ant"
    run(capsys, "model", "export", "--sbml", str(sbml), "--antimony", str(antimony))
    ours = document(capsys, "model", "states")
    for path in (sbml, antimony):
        assert {row["name"] for row in document(capsys, "model", "states", "--model", str(path))} == {
            row["name"] for row in ours
        }


def test_doses_become_events_that_another_program_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    import roadrunner

    path = tmp_path / "model.xml"
    sentence = "25 mg intravenous bolus ketamine, once"
    run(capsys, "model", "export", "--sbml", str(path), "--dose", sentence, "--weight", "80")
    runner = roadrunner.RoadRunner(str(path))
    runner.timeCourseSelections = ["time", "central_S", "weight_kg"]
    course = runner.simulate(0, 0.1, 21)
    assert max(course[:, 1]) == pytest.approx(12.5, rel=0.1), "half of a racemic dose is S-ketamine"
    assert runner["weight_kg"] == 80


def test_the_users_values_replace_the_models(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("name,value,reason\nclearance,61.5,a test\n")
    rows = {row["name"]: row for row in document(capsys, "model", "parameters", "--parameters", str(table))}
    assert rows["clearance"]["value"] == 61.5
    assert rows["clearance"]["reason"] == "a test"
    assert rows["clearance"]["unit"] == "L/h"
    path = tmp_path / "mine.ant"
    run(capsys, "model", "export", "--antimony", str(path), "--parameters", str(table))
    assert "clearance = 61.5" in path.read_text()


def test_a_users_own_model_is_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path, table = tmp_path / "decay.ant", tmp_path / "k.csv"
    path.write_text(DECAY)
    table.write_text("name,value,unit,low,high,grade,reason,meaning\nk,0.7,1/h,0.1,2,human,measured,decay\n")
    assert document(capsys, "model", "states", "--model", str(path)) == [{"name": "A", "unit": "", "initial": 10.0}]
    arguments = ("model", "parameters", "--model", str(path), "--parameters", str(table))
    (row,) = document(capsys, *arguments)
    assert (row["name"], row["value"], row["range"], row["grade"]) == ("k", 0.7, [0.1, 2.0], "human")
    written = tmp_path / "again.ant"
    run(capsys, "model", "export", "--antimony", str(written), *arguments[2:])
    assert document(capsys, "model", "parameters", "--model", str(written))[0]["value"] == 0.7

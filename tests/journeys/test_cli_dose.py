"""A clinician writes a course down, sees it read back, and takes the event table to another program."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from rekindle.cli import main

SENTENCE = "0.5 mg/kg IV over 40 min, twice a week for 4 weeks, then weekly for 4 weeks"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def test_a_sentence_is_said_back_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(capsys, "dose", SENTENCE).splitlines()
    assert lines[0] == SENTENCE
    assert lines[1].startswith("12 sessions over 56 days at 70 kg")


def test_a_loose_sentence_is_said_back_in_its_usual_form(capsys: pytest.CaptureFixture[str]) -> None:
    usual = run(capsys, "dose", "84MG esketamine intranasal, days 1,4 and 8").splitlines()[0]
    assert usual == "84 mg intranasal esketamine, days 1, 4, 8"
    assert run(capsys, "dose", usual).splitlines()[0] == usual


def test_the_document_holds_every_dose_in_milligrams_of_base(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(run(capsys, "dose", SENTENCE, "--weight", "80", "--json"))
    assert document["sentence"] == SENTENCE
    assert [dose["amount_mg"] for dose in document["doses"]] == [40.0] * 12
    assert [dose["time_h"] / 24 for dose in document["doses"][:3]] == [0, 3, 7]
    assert document["total_mg"] == {"racemic-ketamine": 480.0}
    assert document["weight_kg"] == 80


def test_a_fixed_dose_needs_no_weight(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(run(capsys, "dose", "25 mg IM ketamine, once", "--json"))
    assert document["weight_kg"] is None


def test_the_event_table_reads_back_as_the_same_doses(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    given = json.loads(run(capsys, "dose", SENTENCE, "--weight", "80", "--events", str(path), "--json"))
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 12
    assert float(rows[0]["AMT"]) / float(rows[0]["RATE"]) == pytest.approx(40 / 60)
    read = json.loads(run(capsys, "dose", "--read", str(path), "--json"))
    assert [(dose["drug"], dose["route"], dose["time_h"]) for dose in read["people"]["1"]] == [
        (dose["drug"], dose["route"], dose["time_h"]) for dose in given["doses"]
    ]
    for name in ("amount_mg", "duration_h"):
        assert [dose[name] for dose in read["people"]["1"]] == pytest.approx([dose[name] for dose in given["doses"]])


def test_additional_doses_of_a_table_are_listed_one_by_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("ID,TIME,EVID,AMT,CMT,RATE,II,ADDL\n7,0,1,35,1,52.5,168,3\n")
    read = json.loads(run(capsys, "dose", "--read", str(path), "--json"))
    assert [dose["time_h"] for dose in read["people"]["7"]] == [0, 168, 336, 504]


def test_no_treatment_is_a_course(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "dose", "no treatment").splitlines()[0] == "no treatment"


def test_an_existing_event_table_is_replaced_whole(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("x" * 100_000)
    run(capsys, "dose", "25 mg IM ketamine, once", "--events", str(path))
    assert path.read_text().startswith("ID,")
    assert [entry.name for entry in tmp_path.iterdir()] == ["events.csv"]

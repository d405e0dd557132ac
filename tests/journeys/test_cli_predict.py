"""A pharmacometrician brings a model, a table of parameters and a data file, and takes predictions away."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from rekindle.cli import main

MODEL = """model oral()
  depot' = -KA*depot; depot = 0
  central' = KA*depot - CL/V*central; central = 0
  level := central/V
  KA = 1; CL = 2; V = 10; F1 = 1
end
"""
TABLE = "ID,TIME,EVID,AMT,CMT,RATE,II,ADDL,SS,DV\n1,0,1,100,2,.,12,1,1,.\n1,1,0,.,.,.,.,.,.,5.5\n1,13,0,.,.,.,.,.,.,.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "oral.ant").write_text(MODEL)
    (tmp_path / "values.csv").write_text("name,value\nCL,3\n")
    (tmp_path / "events.csv").write_text(TABLE)
    return tmp_path


def arguments(folder: Path, *more: str) -> list[str]:
    files = ["--model", str(folder / "oral.ant"), "--parameters", str(folder / "values.csv")]
    return ["predict", str(folder / "events.csv"), *files, "--output", "level", *more]


def test_model_parameters_and_data_make_predictions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(folder)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ID,TIME,DVID,DV,level"
    steady = 10 * math.exp(-0.3) / (1 - math.exp(-0.3 * 12))
    for line, value in zip(lines[1:], ("5.5", "."), strict=True):
        assert line.split(",")[3] == value
        assert float(line.split(",")[4]) == pytest.approx(steady, rel=1e-7)


def test_predictions_go_to_a_file_or_a_document(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(folder, "--out", str(folder / "predicted.csv"))) == 0
    assert (folder / "predicted.csv").read_text().startswith("ID,TIME,DVID,DV,level\n1,1.0,.,5.5,")
    capsys.readouterr()
    assert main(arguments(folder, "--json", "--compartment", "2=depot")) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["time_h"] for row in document["predictions"]] == [1.0, 13.0]
    assert document["predictions"][0]["level"] < 10


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--carry", "LOFC"], "LOCF"),
        (["--compartment", "2"], "CMT=STATE"),
        (["--compartment", "2=centrl"], "central"),
        (["--output", "levle"], "level"),
        (["--ignore", "WT"], "column"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_left(
    folder: Path, capsys: pytest.CaptureFixture[str], more: list[str], words: str
) -> None:
    out = folder / "predicted.csv"
    assert main(arguments(folder, "--out", str(out), *more)) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error
    assert not out.exists()


def test_a_table_that_asks_too_much_is_refused_with_its_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "events.csv").write_text(TABLE.replace("1,0,1,100,2", "1,0,1,100,7"))
    assert main(arguments(folder)) == 2
    assert "events.csv, line 2, column CMT" in capsys.readouterr().err

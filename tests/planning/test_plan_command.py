"""`rekindle plan` from the command line: what it writes, and what it refuses without leaving anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rekindle.cli import main

ROOT = Path(__file__).parents[2]
PERSON = str(ROOT / "examples" / "person.yaml")
QUICK = ["--weeks", "6", "--budget", "3", "--candidates", "400", "--draws", "60"]


def test_a_plan_is_written_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "planned"
    assert main(["plan", PERSON, "--limits", "few-visits", "--out", str(out), "--json", *QUICK]) == 0
    printed = json.loads(capsys.readouterr().out)
    saved = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    assert saved["answer"] == printed["answer"] and saved["limits"]["name"] == "few-visits"
    names = [each["name"] for each in saved["compared"]]
    assert names == ["as planned", "every two weeks", "nasal esketamine", "nothing more"]
    text = (out / "plan.txt").read_text(encoding="utf-8")
    assert saved["answer"] in text and "Not known:" in text and "Waiting" in text
    assert "</svg>" in (out / "figures" / "trade-offs.svg").read_text(encoding="utf-8")
    assert (out / "run.json").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--limits", "esketamine-uk"], "esketamine-us"),
        (["--limits", "few-visits", "--weeks", "1"], "--weeks"),
        (["--limits", "few-visits", "--risk", "1.5"], "--risk"),
        (["--limits", "few-visits", "--draws", "1"], "--draws"),
    ],
)
def test_what_makes_no_plan_is_refused(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "planned"
    assert main(["plan", PERSON, "--out", str(out), *arguments]) == 2
    assert words in capsys.readouterr().err and not out.exists()


def test_a_table_of_events_is_read_besides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "events.csv"
    table.write_text("ID,TIME,EVID,AMT,CMT,DVID,DV\n1,9,0,.,.,MADRS,64\n", encoding="utf-8")
    asked = ["--limits", "few-visits", "--out", str(tmp_path / "planned"), "--events", str(table)]
    assert main(["plan", PERSON, *asked]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "events.csv" in said and "64 is not possible on MADRS" in said

"""A trialist brings a file, gets a virtual trial, its power, and a score."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rekindle.cli import main

EXAMPLE = Path(__file__).parents[2] / "examples" / "trial.yaml"


def test_a_trial_is_run_and_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "trial"
    assert main(["trial", str(EXAMPLE), "--out", str(out), "--people", "12", "--power", "--sets", "4", "--look", "0.5",
                 "--json"]) == 0  # fmt: skip
    document = json.loads(capsys.readouterr().out)
    assert {"report.html", "ratings.csv", "trial.json", "run.json", "figures"} == {path.name for path in out.iterdir()}
    assert document["comparisons"][0]["arms"] == ["Ketamine", "Midazolam"]
    assert document["power"]["looks"] == [0.5, 1.0]
    assert sum(part["added"] for part in document["contributions"]["parts"] if part["arm"] == "Ketamine") == (
        pytest.approx(document["contributions"]["change"]["Ketamine"])
    )
    header, first = (out / "ratings.csv").read_text().splitlines()[:2]
    assert header.startswith("person,arm,period") and first.split(",")[1] == "Ketamine"
    page = (out / "report.html").read_text()
    assert "What makes the change" in page and "http" not in page.split("<main")[1].split("</main")[0]


def test_a_file_from_anywhere_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "score"
    assert main(["score", str(EXAMPLE), "--out", str(out), "--sets", "4", "--people", "16", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    wanted = {"coverage50", "coverage90", "mae_points", "mae_percentage_points", "skill_vs_mean", "skill_vs_last"}
    assert wanted <= document["totals"].keys()
    assert len(document["numbers"]) == 5
    for number in document["numbers"]:
        assert number["low90"] <= number["low50"] <= number["median"] <= number["high50"] <= number["high90"]
        assert number["inside90"] == (number["low90"] - 1e-9 <= number["published"] <= number["high90"] + 1e-9)
    assert (out / "report.html").is_file() and (out / "figures" / "agreement.svg").is_file()


def test_a_wrong_trial_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(EXAMPLE.read_text().replace("0.5 mg/kg", "0.5 mg/kgg"))
    for command in ("trial", "score"):
        assert main([command, str(wrong), "--out", str(tmp_path / "out")]) == 2
        assert "line 15" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    looks = ["--power", "--spending", "pocok", "--look", "0.5"]
    assert main(["trial", str(EXAMPLE), "--out", str(tmp_path / "out"), *looks]) == 2
    assert "pocock" in capsys.readouterr().err


def test_options_that_would_do_nothing_or_cannot_be_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "out")]
    for wrong in (["--look", "0.5"], ["--endpoint", "response"], ["--spending", "pocock"]):
        assert main(["trial", str(EXAMPLE), *out, *wrong]) == 2
        assert wrong[0] in capsys.readouterr().err
    for option, value in (("--people", "0"), ("--people", "1"), ("--sets", "1"), ("--seed", "-1")):
        assert main(["score", str(EXAMPLE), *out, option, value]) == 2
        assert option in capsys.readouterr().err
    for command in ("trial", "score"):
        assert main([command, str(EXAMPLE), *out, "--threads", "0"]) == 2
        assert "--threads" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

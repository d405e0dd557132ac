"""A clinician brings a person's file, gets a page and numbers, and later a score of what was foretold."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from rekindle.cli import main

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "person.yaml"
SMALL = ["--candidates", "200", "--draws", "150"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("forecast") / "made"
    limits = ["--limits", "ketamine-clinic", "--until", "2024-06-11", "--risk", "0.3", "--scale", "madrs"]
    assert main(["forecast", str(EXAMPLE), "--out", str(out), *SMALL, *limits]) == 0
    return out


def later(folder: Path) -> Path:
    """The same person's file two weeks on: two doses as planned, two more ratings."""
    text = EXAMPLE.read_text().replace("now: 2024-04-02 09:00", "now: 2024-04-16 09:00")
    doses = "".join(f"- {{at: 2024-04-{day} 10:00, dose: 36 mg IV over 40 min}}\n" for day in ("03", "10"))
    text = text.replace("ratings:\n", f"{doses}ratings:\n", 1)
    new = "- {at: 2024-04-09 09:00, scale: MADRS, total: 11}\n- {at: 2024-04-16 09:00, scale: MADRS, total: 9}\n"
    text = text.replace("vitals:\n", f"{new}vitals:\n", 1)
    text = re.sub(
        r"plan: .*", 'plan: {course: "0.5 mg/kg IV over 40 min, weekly for 4 weeks", from: 2024-04-17 10:00}', text
    )
    text = re.sub(r"options:\n(- .*\n)+", "", text)
    place = folder / "later.yaml"
    place.write_text(text)
    return place


def test_a_forecast_is_a_page_numbers_and_figures(made: Path) -> None:
    names = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert {"forecast.html", "forecast.json", "run.json", "figures/course.svg", "figures/options.svg"} <= names
    found = json.loads((made / "forecast.json").read_text())
    assert [each["scale"] for each in found["scales"]] == ["MADRS"] and found["risk"] == 0.3
    assert found["scales"][0]["dates"][-1] == "2024-06-11T00:00" and found["now"] == "2024-04-02T09:00"
    assert found["limits"]["name"] == "ketamine-clinic" and found["limits"]["person"]["limits"]
    page = (made / "forecast.html").read_text()
    assert "Off-label racemic ketamine" in page and "Chance to break it" in page and "decides nothing" in page
    run = (made / "run.json").read_text()
    assert "person.yaml" not in run + page and str(EXAMPLE.parent) not in run + page


def test_a_saved_forecast_is_scored_later(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forecast", "--score", str(made), str(later(tmp_path)), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["totals"]["MADRS"]["ratings"] == 2 and found["notes"] == []
    assert [each["total"] for each in found["ratings"]] == [11, 9]
    assert main(["forecast", "--score", str(made / "forecast.json"), str(later(tmp_path))]) == 0
    assert "CRPS" in capsys.readouterr().out


def test_the_same_seed_gives_the_same_forecast_and_json_is_one_document(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--until", "10 weeks", "--risk", "0.3", "--scale", "MADRS", "--no-report", "--json"]
    documents = []
    for name in ("a", "b"):
        assert main(["forecast", str(EXAMPLE), "--out", str(tmp_path / name), *SMALL, *asked]) == 0
        documents.append(json.loads(capsys.readouterr().out))
    for each in documents:
        each.pop("out"), each.pop("made")
    assert documents[0] == documents[1]
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"forecast.json", "run.json"}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["--risk", "1.5"], "--risk"),
        (["--scale", "MADR"], "MADRS"),
        (["--scale", "systolic pressure"], "vital sign"),
        (["--until", "soon"], "--until"),
        (["--until", "2024-01-01"], "ahead"),
        (["--until", "30 years"], "five years"),
        (["--candidates", "3"], "--candidates"),
        (["--seed", "-1"], "--seed"),
        (["--limits", "ketamine-clinik"], "ketamine-clinic"),
        (["--events", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_a_wrong_option_is_one_message_and_leaves_nothing(
    asked: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["forecast", str(EXAMPLE), "--out", str(tmp_path / "out"), *asked]) == 2
    said = capsys.readouterr().err
    assert says in said and said.startswith("rekindle: ") and "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_person_is_one_message_and_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(EXAMPLE.read_text().replace("total: 22", "total: 99"))
    assert main(["forecast", str(wrong), "--out", str(tmp_path / "out")]) == 2
    assert "line" in capsys.readouterr().err
    assert main(["forecast", str(EXAMPLE)]) == 2
    assert "--out" in capsys.readouterr().err
    held = tmp_path / "held"
    held.mkdir()
    (held / "mine.txt").write_text("mine")
    assert main(["forecast", str(EXAMPLE), "--out", str(held), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == 2
    assert [path.name for path in held.iterdir()] == ["mine.txt"] and not (tmp_path / "out").exists()


def test_a_score_refuses_another_history_and_a_file_that_is_none(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(later(tmp_path).read_text().replace("total: 22", "total: 23"))
    assert main(["forecast", "--score", str(made), str(other)]) == 2
    assert "ratings" in capsys.readouterr().err
    assert main(["forecast", "--score", str(EXAMPLE), str(EXAMPLE)]) == 2
    assert "no JSON" in capsys.readouterr().err
    assert main(["forecast", "--score", str(made), str(EXAMPLE)]) == 2
    assert "no rating after the forecast" in capsys.readouterr().err


def test_the_example_of_the_documentation_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "forecast.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == 2
    (tmp_path / "examples").mkdir()
    shutil.copy(EXAMPLE, tmp_path / "examples" / "person.yaml")
    monkeypatch.chdir(tmp_path)
    program = "\n".join(blocks).replace("candidates=2_000", "candidates=200").replace("budget=8", "budget=2")
    names: dict[str, object] = {}
    exec(compile(program, "docs/forecast.md", "exec"), names)
    assert (tmp_path / "forecast" / "forecast.html").is_file() and str(names["found"].answer)  # type: ignore[attr-defined]

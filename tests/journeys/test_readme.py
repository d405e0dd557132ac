"""What the README tells a newcomer to type works, word for word."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import rekindle
from rekindle.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("rekindle ")]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the examples, made small: two people an arm and no repeats."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    demo = tmp_path / "examples" / "demo.yaml"
    text = re.sub(r"people: \d+", "people: 2", demo.read_text(encoding="utf-8"))
    demo.write_text(re.sub(r"studies: \d+", "studies: 0", text), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_of_the_readme_runs(line: str, checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(line)[1:]) == 0, capsys.readouterr().err
    assert capsys.readouterr().out


def test_the_python_of_the_readme_runs(checkout: Path) -> None:
    (program,) = blocks("python")
    names: dict[str, object] = {}
    exec(program, names)
    trajectories = names["trajectories"]
    assert isinstance(trajectories, rekindle.Trajectories)
    assert trajectories.people["severity"].dims == ("arm", "person", "time")


def test_the_demo_of_the_readme_is_the_one_that_make_runs() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "simulate examples/demo.yaml --out demo-report" in makefile
    study = rekindle.read_study(ROOT / "examples" / "demo.yaml")
    assert study.participants.people == 200, "the README says so"
    assert study.horizon_h == 12 * 7 * 24
    assert replace(study, seed=1).digest != study.digest

"""The page on dosing says what the code does."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import rekindle.dosing
from rekindle.dosing import label_notes, parse

PAGE = (Path(__file__).parents[2] / "docs" / "dosing.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|$", PAGE, flags=re.MULTILINE)
MODULES = [f"rekindle.dosing.{module.name}" for module in pkgutil.iter_modules(rekindle.dosing.__path__)]


def test_the_page_has_its_examples() -> None:
    assert len(EXAMPLES) >= 20


@pytest.mark.parametrize(("said", "printed"), EXAMPLES)
def test_an_example_of_the_page_prints_as_it_says(said: str, printed: str) -> None:
    assert str(parse(said)) == printed


def test_the_python_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(compile(block, "docs/dosing.md", "exec"), {})
    assert "missing session 3" in capsys.readouterr().out
    assert (tmp_path / "events.csv").exists()


@pytest.mark.parametrize("name", MODULES)
def test_what_the_docstrings_show_is_what_happens(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_every_public_name_says_what_it_is() -> None:
    for name in rekindle.dosing.__all__:
        thing = getattr(rekindle.dosing, name)
        assert isinstance(thing, dict) or (thing.__doc__ and not thing.__doc__.startswith(f"{name}(")), name


@pytest.mark.parametrize(
    ("sentence", "age", "records"),
    [
        ("56 mg intranasal esketamine, twice a week for 4 weeks, then weekly for 4 weeks", 40, []),
        ("56 mg intranasal esketamine, once", 70, ["reg-esk-elderly"]),
        ("56 mg intranasal esketamine, three times a week for 2 weeks", None, ["reg-esk-ind"]),
        ("56 mg intranasal esketamine, twice a week for 6 weeks", None, ["reg-esk-opt"]),
        ("56 mg intranasal esketamine, weekly for 9 weeks, then twice a week for 1 week", None, ["reg-esk-maint"]),
        ("56 mg intranasal esketamine, day 1, then 112 mg, day 8", None, ["reg-esk-opt"]),
        ("0.5 mg/kg IV over 40 min, weekly for 4 weeks", None, ["reg-ketamine-offlabel"]),
        ("ECT twice a week for 4 weeks", None, []),
    ],
)
def test_departures_from_the_label_are_noted_with_their_record(
    sentence: str, age: float | None, records: list[str]
) -> None:
    assert [note.record for note in label_notes(parse(sentence), age_years=age)] == records

"""The command line as a whole: help, version, exit codes, and what goes to which stream."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import rekindle
from rekindle.cli import main
from rekindle.cli.output import emit_table, progress_bars, wants_json


def test_help_lists_the_commands_and_no_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    printed = capsys.readouterr()
    listed = [line.split()[0] for line in printed.out.split("Commands:")[1].splitlines() if line.strip()]
    assert listed == [
        "simulate", "dose", "calibrate", "plan", "predict", "forecast", "trial", "score", "bench", "model", "evidence",
    ]  # fmt: skip
    assert printed.err == ""


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"rekindle {rekindle.__version__}"


PROGRAMS = {
    "module": [sys.executable, "-m", "rekindle"],
    "script": [str(Path(sysconfig.get_path("scripts"), "rekindle"))],
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=list(PROGRAMS))
def test_the_installed_program_ends_with_the_exit_code(program: list[str]) -> None:
    good = subprocess.run([*program, "dose", "25 mg IM ketamine, once", "--json"], capture_output=True, text=True)
    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout)["sessions"] == 1
    bad = subprocess.run([*program, "dose", "25 mg IM ketamin, once"], capture_output=True, text=True)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "ketamine" in bad.stderr


def test_json_is_asked_for_only_before_a_bare_dash() -> None:
    assert wants_json(["dose", "x", "--json"])
    assert not wants_json(["dose", "--", "--json"])
    assert not wants_json(["dose", "x"])


def test_tables_align_numbers_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    emit_table(("name", "value"), [("a", 1.5), ("long name", 22.0)])
    assert capsys.readouterr().out.splitlines() == [
        "name       value",
        "---------  -----",
        "a            1.5",
        "long name     22",
    ]


def test_no_progress_is_drawn_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bars() as progress:
        progress("Ketamine", 1, 2)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_progress_is_drawn_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bars() as progress:
        progress("Ketamine", 1, 2)
        progress("Midazolam", 2, 2)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Ketamine" in printed.err

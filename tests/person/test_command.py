"""What a broken person's file or bundle does on the command line: one message, exit code 2, nothing left behind."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import typer

from rekindle.cli import app, main

sys.path.insert(0, str(Path(__file__).parent))
import test_bundles
import test_files

COMMANDS = [name for name in ("forecast",) if name in typer.main.get_command(app).commands]  # type: ignore[attr-defined]


def broken_files() -> dict[str, tuple[str, str]]:
    """Text and message of every broken file and bundle, but those that only lie in the future of the tests' own day."""
    found = {
        f"{name}.yaml": (test_files.WHOLE.replace(old, new, 1), message)
        for name, (old, new, message, _) in test_files.BROKEN.items()
    }
    for name, (change, message) in test_bundles.BROKEN.items():
        bundle = test_bundles.example()
        change(bundle)
        found[f"{name}.json"] = (json.dumps(bundle), message)
    return {name: each for name, each in found.items() if "future" not in name}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_broken_file_ends_the_command_with_two_and_leaves_nothing(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, (text, message) in broken_files().items():
        Path(name).write_text(text, encoding="utf-8")
        code = main([command, name, "--out", "out"])
        printed = capsys.readouterr()
        assert code == 2, name
        assert printed.out == "", name
        assert " ".join(message.split()) in " ".join(printed.err.split()), printed.err
        assert not [secret for secret in test_bundles.SECRETS[1:4] if secret in printed.err]
        Path(name).unlink()
        assert not list(tmp_path.iterdir()), name

"""A run's directory is whole or not there at all."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rekindle.errors import InputError, ModelError
from rekindle.provenance import Provenance
from rekindle.run import check_replaceable, run_directory, write_file, write_run_file


def everything_in(directory: Path) -> list[str]:
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*"))


def write_run(out: Path, text: str = "1") -> None:
    with run_directory(out) as directory:
        (directory / "figures").mkdir()
        (directory / "figures" / "one.svg").write_text(text)
        (directory / "summary.csv").write_text(text)
        write_run_file(directory, Provenance(seed=1))


def test_a_finished_run_stands_in_its_place_and_nothing_beside_it(tmp_path: Path) -> None:
    write_run(tmp_path / "deep" / "out")
    assert [name for name in everything_in(tmp_path / "deep") if "." in name] == [
        "out/figures/one.svg",
        "out/run.json",
        "out/summary.csv",
    ]
    assert not [name for name in everything_in(tmp_path) if name.endswith(".part")]
    content = json.loads((tmp_path / "deep" / "out" / "run.json").read_text())
    assert set(content["files"]) == {"figures/one.svg", "summary.csv"}
    assert content["seed"] == 1


@pytest.mark.parametrize(
    "error", [ModelError("no"), OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt(), SystemExit(143)]
)
def test_a_run_that_stops_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    expected = InputError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected), run_directory(tmp_path / "a" / "b" / "out") as directory:
        (directory / "half.csv").write_text("half")
        raise error
    assert everything_in(tmp_path) == []


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="disk is full"), run_directory(tmp_path / "out"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_terminated_run_leaves_nothing(tmp_path: Path) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom rekindle import cli, run\n"
        "@cli.app.command('wait')\n"
        "def wait(out: str) -> None:\n"
        "    with run.run_directory(Path(out)) as directory:\n"
        "        (directory / 'half.csv').write_text('half')\n"
        "        print('ready', flush=True)\n"
        "        time.sleep(60)\n"
        "sys.exit(cli.main(['wait', sys.argv[1]]))\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert everything_in(tmp_path) != []
        process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        assert process.wait(timeout=30) == 143
        assert time.monotonic() - started < 30
    assert everything_in(tmp_path) == []


def test_an_earlier_run_is_replaced_whole(tmp_path: Path) -> None:
    write_run(tmp_path / "out", "1")
    with run_directory(tmp_path / "out") as directory:
        (directory / "summary.csv").write_text("2")
        assert (tmp_path / "out" / "summary.csv").read_text() == "1", "the earlier run stays until the end"
        write_run_file(directory, Provenance(seed=2))
    assert everything_in(tmp_path) == ["out", "out/run.json", "out/summary.csv"]
    assert (tmp_path / "out" / "summary.csv").read_text() == "2"


def test_an_earlier_run_survives_a_failure(tmp_path: Path) -> None:
    write_run(tmp_path / "out", "1")
    before = everything_in(tmp_path)
    with pytest.raises(ModelError), run_directory(tmp_path / "out") as directory:
        (directory / "summary.csv").write_text("2")
        raise ModelError("no")
    assert everything_in(tmp_path) == before
    assert (tmp_path / "out" / "summary.csv").read_text() == "1"


def test_files_that_no_run_wrote_are_never_touched(tmp_path: Path) -> None:
    write_run(tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"notes\.txt"), run_directory(tmp_path / "out"):
        raise AssertionError("the block must not begin")
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"

    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "run.json").write_text('{"format": "another program"}')
    with pytest.raises(InputError, match=r"run\.json"):
        check_replaceable(tmp_path / "home")


def test_a_file_added_while_the_run_works_is_kept(tmp_path: Path) -> None:
    write_run(tmp_path / "out")
    with pytest.raises(InputError, match=r"notes\.txt"), run_directory(tmp_path / "out"):
        (tmp_path / "out" / "notes.txt").write_text("mine")
    assert "out/notes.txt" in everything_in(tmp_path)
    assert not [name for name in everything_in(tmp_path) if name.endswith((".part", ".old"))]


def test_directories_made_on_the_way_are_taken_back(tmp_path: Path) -> None:
    name = "x" * 300  # longer than any file system allows
    with pytest.raises(InputError), run_directory(tmp_path / "a" / name / "out"):
        raise AssertionError("the block must not begin")
    assert everything_in(tmp_path) == []


def test_an_empty_directory_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_run(tmp_path / "out")
    assert (tmp_path / "out" / "run.json").is_file()


def test_a_path_below_a_file_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for out in (tmp_path / "file", tmp_path / "file" / "out", tmp_path / "file" / "a" / "out"):
        with pytest.raises(InputError, match="file"):
            check_replaceable(out)
    assert everything_in(tmp_path) == ["file"]


def test_numbers_that_are_not_finite_never_reach_run_json(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="JSON"), run_directory(tmp_path / "out") as directory:
        write_run_file(directory, Provenance(seed=1), facts={"worst": float("nan")})
    assert everything_in(tmp_path) == []


def test_a_single_file_is_whole_or_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.csv"
    write_file(path, "first\n")
    assert path.read_text() == "first\n"

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match="disk is full"):
        write_file(path, "second\n")
    assert path.read_text() == "first\n"
    assert everything_in(tmp_path) == ["events.csv"]


def test_a_full_device_is_said_in_words() -> None:
    with pytest.raises(InputError, match="disk is full"):
        write_file(Path("/dev/full"), "x")


def test_files_get_the_usual_permissions(tmp_path: Path) -> None:
    write_file(tmp_path / "events.csv", "x")
    write_run(tmp_path / "out")
    (tmp_path / "plain").write_text("x")
    assert (tmp_path / "events.csv").stat().st_mode == (tmp_path / "plain").stat().st_mode
    (tmp_path / "made").mkdir()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "made").stat().st_mode

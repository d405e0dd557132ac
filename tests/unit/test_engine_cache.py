"""Compiled objects on disk: found again, and never trusted when they are damaged, foreign or misplaced."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rekindle.engine import compiled, lower, read_antimony
from rekindle.engine.emit import module_text, program_function


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REKINDLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(compiled, "_LOADED", {})
    return tmp_path / "cache"


def assembly(factor: float) -> str:
    lowered = lower(read_antimony(f"model m\n x = 1; x' = -{factor}*x\nend\n"))
    return module_text([program_function("rates", lowered.rates, ["y", "q"])])


def load_again(text: str, monkeypatch: pytest.MonkeyPatch) -> compiled.Library:
    monkeypatch.setattr(compiled, "_LOADED", {})
    return compiled.load(text)


def rate(library: compiled.Library) -> float:
    y, q, out = np.array([2.0]), np.zeros(1), np.zeros(1)
    library.function("rates", 3)(y.ctypes.data, q.ctypes.data, out.ctypes.data)
    return float(out[0])


def test_a_second_start_takes_the_object_from_disk(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = compiled.load(assembly(3.0))
    again = load_again(assembly(3.0), monkeypatch)
    assert (first.from_cache, again.from_cache) == (False, True)
    assert rate(first) == rate(again) == -6.0
    assert len(list(fresh.glob("*.o"))) == 1


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "no seal", "another model's"])
def test_a_damaged_or_foreign_object_is_built_again(fresh: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    compiled.load(assembly(3.0))
    (path,) = fresh.glob("*.o")
    data = path.read_bytes()
    if damage == "another model's":
        load_again(assembly(4.0), monkeypatch)
        other = next(each for each in fresh.glob("*.o") if each != path)
        path.write_bytes(other.read_bytes())
    else:
        changed = {
            "cut": data[:-40],
            "flipped": data[:-1] + bytes([data[-1] ^ 1]),
            "emptied": b"",
            "no seal": data[50:],
        }
        path.write_bytes(changed[damage])
    again = load_again(assembly(3.0), monkeypatch)
    assert not again.from_cache
    assert rate(again) == -6.0
    assert path.read_bytes() == data


def test_somebody_elses_object_is_not_used(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    compiled.load(assembly(3.0))
    monkeypatch.setattr(os, "getuid", lambda: 424242)
    assert not load_again(assembly(3.0), monkeypatch).from_cache


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    monkeypatch.setenv("REKINDLE_CACHE", str(blocked))
    monkeypatch.setattr(compiled, "_LOADED", {})
    assert rate(compiled.load(assembly(5.0))) == -10.0


def test_another_processor_or_version_has_another_file(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled.load(assembly(3.0))
    machine, name = compiled._machine()
    monkeypatch.setattr(compiled, "_machine", lambda: (machine, name + "|later"))
    assert not load_again(assembly(3.0), monkeypatch).from_cache
    assert len(list(fresh.glob("*.o"))) == 2

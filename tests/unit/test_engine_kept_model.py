"""A model kept on disk is the model; one that is broken or from elsewhere is made again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rekindle.engine.backends import solve
from rekindle.engine.kept_model import Later, kept
from rekindle.engine.lower import Lowered, lower
from rekindle.engine.reading import read_antimony
from rekindle.engine.schedule import Schedule

TEXT = "model decay()\n  A' = -k * A; A = a0; k = 0.5; a0 = 2 * k; twice := 2 * A;\nend\n"


class Maker:
    """Makes the model and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> Lowered:
        self.count += 1
        return lower(read_antimony(TEXT))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REKINDLE_CACHE", str(tmp_path))
    return tmp_path


def test_a_model_that_was_kept_is_the_same_model(folder: Path) -> None:
    make = Maker()
    first, second = kept(TEXT, make), kept(TEXT, make)
    assert make.count == 1
    assert second.network.digest == first.network.digest
    assert second.states == first.states and second.network.derived == first.network.derived
    assert dict(second.network.rates) == dict(first.network.rates)
    schedule = Schedule((), (0.0, 1.0, 4.0))
    one, two = (solve(each, None, schedule, ("A", "twice"), backend="reference") for each in (first, second))
    np.testing.assert_array_equal(one.values, two.values)
    assert one["A"][0, -1] == pytest.approx(np.exp(-2.0), rel=1e-8)


def test_formulas_are_unpacked_only_when_asked_for() -> None:
    import pickle

    later = pickle.loads(pickle.dumps(Later({"a": 1, "b": 2})))
    assert list(later) == ["a", "b"] and len(later) == 2 and "b" in later and "c" not in later
    assert later._open is None
    assert later["b"] == 2 and later._open is not None


@pytest.mark.parametrize("damage", ["cut short", "one bit", "empty"])
def test_a_damaged_file_is_not_trusted(folder: Path, damage: str) -> None:
    make = Maker()
    kept(TEXT, make)
    (path,) = folder.rglob("model-*.pickle")
    data = path.read_bytes()
    flipped = data[:60] + bytes([data[60] ^ 1]) + data[61:]
    path.write_bytes({"cut short": data[:-9], "one bit": flipped, "empty": b""}[damage])
    assert kept(TEXT, make).states == ("A",)
    assert make.count == 2


def test_another_text_is_another_model(folder: Path) -> None:
    make = Maker()
    kept(TEXT, make)
    kept(TEXT + "// changed\n", make)
    assert make.count == 2


def test_a_model_has_one_digest_whatever_the_order_of_sets() -> None:
    """Text hashes differ from one process to the next, and must not reach the order of the formulas."""
    import os
    import subprocess
    import sys

    program = (
        "from rekindle.engine.reading import read_antimony\n"
        "names = ['a', 'bb', 'ccc', 'dddd', 'e', 'ff']\n"
        "lines = [f'{n} := {i} + k' for i, n in enumerate(names)]\n"
        "text = 'model m()\\n k = 1; S\\' = total; S = 0; total := ' + ' + '.join(names)\n"
        "text += ';\\n' + ';\\n'.join(lines)\n"
        "print(read_antimony(text + ';\\nend\\n').digest)\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (1, 2, 3, 4)
    }
    assert len(found) == 1

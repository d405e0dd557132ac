"""What is kept on disk is one whole state, whatever stops the writing."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from rekindle.engine.checkpoint import load_state, save_state


def save(folder: Path, number: int) -> None:
    save_state(folder, {"next": number}, {"values": np.arange(number)})


def test_what_was_saved_last_is_read(tmp_path: Path) -> None:
    assert load_state(tmp_path) is None
    for number in (1, 2, 3):
        save(tmp_path, number)
    found = load_state(tmp_path)
    assert found is not None
    assert found[0] == {"next": 3}
    np.testing.assert_array_equal(found[1]["values"], np.arange(3))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state", "state-before"]


@pytest.mark.parametrize("cut", [0, 10, 40, 200, -1])
def test_a_torn_state_gives_way_to_the_one_before(tmp_path: Path, cut: int) -> None:
    save(tmp_path, 1)
    save(tmp_path, 2)
    whole = (tmp_path / "state").read_bytes()
    (tmp_path / "state").write_bytes(whole[:cut])
    found = load_state(tmp_path)
    assert found is not None and found[0] == {"next": 1}


def test_a_changed_byte_is_seen(tmp_path: Path) -> None:
    save(tmp_path, 1)
    content = bytearray((tmp_path / "state").read_bytes())
    content[-30] ^= 1
    (tmp_path / "state").write_bytes(content)
    assert load_state(tmp_path) is None


def test_stopped_between_the_two_renames_the_earlier_state_is_read(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "state").rename(tmp_path / "state-before")
    (tmp_path / "state.part").write_bytes(b"half a state")
    found = load_state(tmp_path)
    assert found is not None and found[0] == {"next": 1}


def test_a_disk_that_refuses_leaves_the_earlier_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, 1)

    def full(handle: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(tmp_path, 2)
    monkeypatch.undo()
    found = load_state(tmp_path)
    assert found is not None and found[0] == {"next": 1}
    assert not (tmp_path / "state.part").exists()

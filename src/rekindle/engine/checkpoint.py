"""What a long run has reached, kept on disk so that it can be stopped at any moment and gone on with.

A state is written beside the earlier one, made to reach the disk, and renamed: whatever stops the program, one
whole state is there, or none was ever written. A seal over the content tells a torn or foreign file, which is
passed over for the one before it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAGIC = b"rekindle-state-1\n"
_NAMES = ("state", "state-before")


def save_state(folder: Path, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write facts (plain values) and arrays as the newest state in `folder`; the one before it stays.

    Raises:
        OSError: the disk is full or refuses; the earlier states are untouched.
    """
    made = io.BytesIO()
    parts: dict[str, Any] = {"facts": np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8), **arrays}
    np.savez(made, **parts)
    content = made.getbuffer()
    newest, before = (folder / name for name in _NAMES)
    part = folder / "state.part"
    try:
        with part.open("wb") as stream:
            stream.write(_MAGIC)
            stream.write(hashlib.sha256(content).digest())
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    if newest.exists():
        newest.replace(before)
    part.replace(newest)
    _reach_disk(folder)


def load_state(folder: Path) -> tuple[dict[str, Any], dict[str, NDArray[np.generic]]] | None:
    """Facts and arrays of the newest whole state in `folder`; None where there is none."""
    for name in _NAMES:
        found = _read(folder / name)
        if found is not None:
            return found
    return None


def forget_states(folder: Path) -> None:
    """Take away every state in `folder`: what begins anew must never go on from what something else has left.

    Raises:
        OSError: a state cannot be taken away.
    """
    for name in (*_NAMES, "state.part"):
        (folder / name).unlink(missing_ok=True)
    _reach_disk(folder)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[np.generic]]] | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    head = len(_MAGIC) + 32
    if not data.startswith(_MAGIC) or hashlib.sha256(memoryview(data)[head:]).digest() != data[len(_MAGIC) : head]:
        return None
    with np.load(io.BytesIO(memoryview(data)[head:]), allow_pickle=False) as held:
        arrays = {name: held[name] for name in held.files}
    facts = json.loads(arrays.pop("facts").tobytes())
    return facts, arrays


def _reach_disk(folder: Path) -> None:
    """Make renames within a folder reach the disk, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

"""What is worked out once and kept on disk: a user's own cache of sealed files.

A file is filed under a digest of all that it was made from, so it never meets anything that it was not made for. One
that is damaged, is not ours or belongs to somebody else is made again and replaced.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

_MAGIC = b"rekindle-object-1\n"
Made = TypeVar("Made")


def digest(*parts: str | bytes) -> str:
    """Short SHA-256 digest (16 hexadecimal digits) of the parts, in order."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)
    return total.hexdigest()[:16]


def cache_directory() -> Path:
    """Where compiled objects are kept: `REKINDLE_CACHE`, or the user's cache directory."""
    chosen = os.environ.get("REKINDLE_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "rekindle" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "rekindle"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rekindle"


def read_sealed(path: Path) -> bytes | None:
    """The object in a cache file, or None when the file is not sound and ours."""
    try:
        if hasattr(os, "getuid") and path.stat().st_uid != os.getuid():
            return None
        data = path.read_bytes()
    except OSError:
        return None
    head = len(_MAGIC) + 32
    if len(data) <= head or not data.startswith(_MAGIC):
        return None
    payload = data[head:]
    seal = hashlib.sha256(path.name.encode() + payload).digest()
    return payload if data[len(_MAGIC) : head] == seal else None


def write_sealed(path: Path, payload: bytes) -> None:
    """Put the object in the cache in one move; a cache that cannot be written is done without."""
    seal = hashlib.sha256(path.name.encode() + payload).digest()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_MAGIC + seal + payload)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def version_of(library: str) -> str:
    """The version of an installed library, empty where it is not there."""
    try:
        return version(library)
    except PackageNotFoundError:
        return ""


def kept(
    name: str, kind: type[Made], made_from: Callable[[], tuple[str | bytes, ...]], make: Callable[[], Made]
) -> Made:
    """What `make` gives, an object of this kind: from the cache if it is there and sound, else made and kept.

    `made_from` gives all that it depends on, the texts of the modules that make it among them.

    Raises:
        RekindleError: what `make` raises.
    """
    path = cache_directory() / f"{name}-{digest(sys.version, *made_from())}.pickle"
    packed = read_sealed(path)
    if packed is not None:
        try:
            found = pickle.loads(packed)
        except Exception:  # whatever a broken pickle raises, it is made again
            found = None
        if isinstance(found, kind):
            return found
    made = make()
    write_sealed(path, pickle.dumps(made))
    return made

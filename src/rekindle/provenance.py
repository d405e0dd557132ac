"""How a result was made: version, inputs, seed, machine. It travels with every result and every file."""

from __future__ import annotations

import platform
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rekindle import __version__
from rekindle.keeping import digest as digest


def file_digest(path: Path) -> str:
    """Digest of a file's bytes.

    Raises:
        OSError: the file cannot be read.
    """
    return digest(path.read_bytes())


@dataclass(frozen=True)
class Provenance:
    """Everything needed to make the same result again, as plain values."""

    seed: int
    inputs: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    version: str = __version__
    python: str = field(default_factory=lambda: sys.version.split()[0])
    platform: str = field(default_factory=platform.platform)
    made_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def as_dict(self) -> dict[str, Any]:
        """The same facts as plain dictionaries, ready for JSON."""
        return asdict(self)

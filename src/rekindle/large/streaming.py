"""How a large study is run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STREAM_ABOVE = 2_000
"""People in a study above which it is solved block by block without being asked."""

BLOCK = 4096
"""People in a block."""

EVERY_S = 20.0
"""Seconds of work between two states on disk."""


@dataclass(frozen=True)
class Streaming:
    """How a large study is run: where its state is kept, whether to go on from it, who works, what is written.

    Without `partial` nothing is kept on disk. `trajectories` asks for everybody's course in a Zarr store in `partial`.
    """

    partial: Path | None = None
    resume: bool = False
    cluster: str | None = None
    trajectories: bool = False
    every_s: float = EVERY_S
    block: int = BLOCK

    @property
    def store(self) -> Path | None:
        """Where everybody's course goes; None when nobody asked for it."""
        return self.partial / "trajectories.zarr" if self.trajectories and self.partial is not None else None

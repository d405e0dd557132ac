"""Studies of very many people: solved block by block, kept as running summaries, stopped and gone on with at will."""

from rekindle.large.running import simulate_large
from rekindle.large.streaming import Streaming
from rekindle.large.work import Slice

__all__ = ["Slice", "Streaming", "simulate_large"]

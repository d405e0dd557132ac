"""The sets of shared parameters that candidates draw from: the calibrated ensemble."""

from __future__ import annotations

from functools import lru_cache

from rekindle.inference.candidates import Sets
from rekindle.mechanism.ensemble import people_values

COUNT = 200


@lru_cache(maxsize=4)
def shared_sets(count: int = COUNT, seed: int = 1) -> Sets:
    """`count` equally likely sets of the model's shared parameters."""
    return Sets(people_values(count, seed))

"""Luck with names: every source of randomness is its own stream, keyed by seed, purpose and person.

A draw for person 17's clearance depends on the study's seed, the word "clearance" and the number 17, and on
nothing else. So arms share people, a larger population keeps its first members, and a new source of chance
never moves an old one. Each person uses exactly one 64-bit word of a Philox counter sequence (Salmon et al.
2011, doi:10.1145/2063384.2063405), so any block of people can be drawn without the ones before it.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def _key(seed: int, purpose: tuple[str, ...]) -> int:
    text = "\x1f".join((str(seed), *purpose)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=16).digest(), "little")


def uniforms(seed: int, *purpose: str, start: int = 0, count: int) -> NDArray[np.float64]:
    """Uniform draws strictly between 0 and 1, shape (count,); element i belongs to person `start + i`.

    >>> float(uniforms(1, "weight", count=5)[3]) == float(uniforms(1, "weight", start=3, count=1)[0])
    True
    """
    generator = np.random.Philox(key=_key(seed, purpose))
    generator.advance(start // 4)
    offset = start % 4
    words = generator.random_raw(offset + count)[offset:]
    words >>= np.uint64(12)
    draws = words.astype(np.float64)
    draws += 0.5
    draws *= 2.0**-52
    return draws


def normals(seed: int, *purpose: str, start: int = 0, count: int) -> NDArray[np.float64]:
    """Standard normal draws, shape (count,); element i belongs to person `start + i`."""
    from scipy.special import ndtri

    return np.asarray(ndtri(uniforms(seed, *purpose, start=start, count=count)), dtype=np.float64)


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """A numpy generator of its own for one purpose, for draws that no person owns."""
    return np.random.Generator(np.random.Philox(key=_key(seed, purpose)))

"""Running summaries of many people: how many, their mean and spread, the ends, and a sketch of the quantiles.

A *series* is one number a person: an output at one time, a rating at one visit, whether somebody responded. Of each
series are kept the count of people, sum, squared distances from the mean, smallest and largest value, and how many
people fall into each bin. Bins have fixed edges: 64 to every doubling, between 2^-24 and 2^33 either side of zero,
as the first six bits of a number's fraction give them. So counts merge exactly in any order, and each person is
placed to within 1/64 of their size (or 6e-8, whichever is larger). A quantile lies between two people, and is wrong by
at most 1/64 of the larger of them: of its own size, unless it falls into the gap between people far apart. Sums are
numbers of limited length: they are merged in the order of the blocks, and then are the same to the last bit however
the blocks were solved.

Fixed bins with a relative error: Masson, Rim and Lee 2019 (doi:10.14778/3352063.3352135); merging of squared
distances: Chan, Golub and LeVeque 1983 (doi:10.1080/00031305.1983.10483115).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.compiled import kept_on_disk

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

RELATIVE_ERROR = 1.0 / 64.0
"""Largest error of a quantile relative to the larger in size of the two people between whom it lies."""

SMALLEST = 2.0**-24
"""What is smaller than this, either side of zero, counts as zero."""

_BITS = 46  # of the fraction that a bin leaves out: 52 - 6
_BASE = (1023 - 24) << 6
_LARGEST = 57 << 6
_COLUMNS = ("count", "total", "squares", "low", "high", "first", "keys", "people")


@dataclass(frozen=True)
class Sketches:
    """Summaries of some series: `count`, `total`, `squares`, `low` and `high` have shape (series,).

    Series j has `people[k]` people in the bin `keys[k]` for k from `first[j]` to `first[j + 1]`, keys rising.
    People whose value is not a finite number are left out.
    """

    count: Integers
    total: Floats
    squares: Floats
    low: Floats
    high: Floats
    first: Integers
    keys: NDArray[np.int16]
    people: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.count)

    @property
    def mean(self) -> Floats:
        """Means, shape (series,); NaN where nobody counts."""
        found = np.full(len(self), np.nan)
        np.divide(self.total, self.count, out=found, where=self.count > 0)
        return found

    @property
    def sd(self) -> Floats:
        """Standard deviations (n - 1), shape (series,); NaN with fewer than two people."""
        spare = self.count - 1
        found = np.full(len(self), np.nan)
        np.divide(self.squares, spare, out=found, where=spare > 0)
        return np.asarray(np.sqrt(found))

    def quantiles(self, shares: Sequence[float]) -> Floats:
        """Quantiles, shape (shares, series), to within `RELATIVE_ERROR` of the people beside them; NaN for nobody."""
        wanted = np.asarray(shares, dtype=np.float64)
        return np.asarray(_quantiles(self.count, self.low, self.high, self.first, self.keys, self.people, wanted))

    def take(self, begin: int, end: int) -> Sketches:
        """The series from `begin` up to and without `end`."""
        within = slice(begin, end)
        low, high = int(self.first[begin]), int(self.first[end])
        return Sketches(
            self.count[within], self.total[within], self.squares[within], self.low[within], self.high[within],
            self.first[begin : end + 1] - low, self.keys[low:high], self.people[low:high],
        )  # fmt: skip

    def as_arrays(self) -> dict[str, NDArray[np.generic]]:
        """The parts by name, ready for a file."""
        return {name: getattr(self, name) for name in _COLUMNS}

    @staticmethod
    def of_arrays(arrays: Mapping[str, Any]) -> Sketches:
        """The summaries whose parts `as_arrays` gave."""
        return Sketches(**{name: arrays[name] for name in _COLUMNS})


def summarise(values: NDArray[np.floating]) -> Sketches:
    """Summaries of the columns of `values`, shape (people, series)."""
    rows = np.ascontiguousarray(np.asarray(values, dtype=np.float64).T)
    return Sketches(*_summarise(rows, rows.view(np.int64)))


def merge(first: Sketches, second: Sketches) -> Sketches:
    """Summaries of the people of both, series by series; the order of the two matters in the last bit of sums.

    Raises:
        ValueError: they are not of the same series.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} series cannot be merged with {len(second)}.")
    both = first.count + second.count
    away = np.where((first.count > 0) & (second.count > 0), second.mean - first.mean, 0.0)
    share = np.divide(first.count * second.count, both, out=np.zeros(len(first)), where=both > 0)
    bins = _merge(first.first, first.keys, first.people, second.first, second.keys, second.people)
    return Sketches(
        both,
        first.total + second.total,
        first.squares + second.squares + away * away * share,
        np.minimum(first.low, second.low),
        np.maximum(first.high, second.high),
        *bins,
    )


def join(parts: Sequence[Sketches]) -> Sketches:
    """The series of all parts, one after another.

    Raises:
        ValueError: no part.
    """
    if not parts:
        raise ValueError("There are no series to join.")
    begins = np.cumsum([0, *(len(part.keys) for part in parts)])
    first = [part.first[:-1] + begin for part, begin in zip(parts, begins, strict=False)]
    return Sketches(
        np.concatenate([part.count for part in parts]),
        np.concatenate([part.total for part in parts]),
        np.concatenate([part.squares for part in parts]),
        np.concatenate([part.low for part in parts]),
        np.concatenate([part.high for part in parts]),
        np.concatenate([*first, begins[-1:]]).astype(np.int64),
        np.concatenate([part.keys for part in parts]),
        np.concatenate([part.people for part in parts]),
    )


@kept_on_disk(nogil=True, error_model="numpy")
def _summarise(rows, bits):  # type: ignore[no-untyped-def]
    """Sums, ends and bins of each row; `bits` are the same numbers as integers."""
    series, people = rows.shape
    count = np.zeros(series, dtype=np.int64)
    total, squares = np.zeros(series), np.zeros(series)
    low, high = np.full(series, np.inf), np.full(series, -np.inf)
    first = np.zeros(series + 1, dtype=np.int64)
    keys = np.empty(series * people, dtype=np.int16)
    held = np.empty(series * people, dtype=np.uint32)
    bins = np.zeros(((2 * _LARGEST + 1) // 64 + 1) * 64, dtype=np.uint32)
    touched = np.zeros(len(bins) // 64, dtype=np.bool_)
    used = 0
    for j in range(series):
        for i in range(people):
            value = rows[j, i]
            if not np.isfinite(value):
                continue
            count[j] += 1
            total[j] += value
            low[j], high[j] = min(low[j], value), max(high[j], value)
            key = ((bits[j, i] & 0x7FFFFFFFFFFFFFFF) >> _BITS) - _BASE + 1
            key = 0 if key < 1 else min(key, _LARGEST)
            if value < 0.0:
                key = -key
            bins[key + _LARGEST] += 1
            touched[(key + _LARGEST) >> 6] = True
        mean = total[j] / count[j] if count[j] else 0.0
        for i in range(people):
            if np.isfinite(rows[j, i]):
                squares[j] += (rows[j, i] - mean) ** 2
        for group in range(len(touched)):
            if not touched[group]:
                continue
            touched[group] = False
            for place in range(64 * group, 64 * group + 64):
                if bins[place]:
                    keys[used], held[used] = place - _LARGEST, bins[place]
                    bins[place] = 0
                    used += 1
        first[j + 1] = used
    return count, total, squares, low, high, first, keys[:used].copy(), held[:used].copy()


@kept_on_disk(nogil=True)
def _merge(first_a, keys_a, people_a, first_b, keys_b, people_b):  # type: ignore[no-untyped-def]
    """The bins of two summaries together, series by series."""
    series = len(first_a) - 1
    first = np.zeros(series + 1, dtype=np.int64)
    keys = np.empty(len(keys_a) + len(keys_b), dtype=np.int16)
    people = np.empty(len(keys), dtype=np.uint32)
    used = 0
    for j in range(series):
        a, b = first_a[j], first_b[j]
        while a < first_a[j + 1] or b < first_b[j + 1]:
            take_a = a < first_a[j + 1] and (b >= first_b[j + 1] or keys_a[a] <= keys_b[b])
            take_b = b < first_b[j + 1] and (a >= first_a[j + 1] or keys_b[b] <= keys_a[a])
            keys[used] = keys_a[a] if take_a else keys_b[b]
            people[used] = 0
            if take_a:
                people[used] += people_a[a]
                a += 1
            if take_b:
                people[used] += people_b[b]
                b += 1
            used += 1
        first[j + 1] = used
    return first, keys[:used].copy(), people[:used].copy()


@kept_on_disk()
def _edge(key):  # type: ignore[no-untyped-def]
    """The lower edge of a bin right of zero."""
    code = key - 1 + _BASE
    return np.ldexp(1.0 + (code & 63) / 64.0, (code >> 6) - 1023)


@kept_on_disk()
def _quantiles(count, low, high, first, keys, people, shares):  # type: ignore[no-untyped-def]
    """Between the two people at each share's rank, each at an even place within their bin."""
    found = np.full((len(shares), len(count)), np.nan)
    for j in range(len(count)):
        if count[j] == 0:
            continue
        for s in range(len(shares)):
            rank = shares[s] * (count[j] - 1)
            below = np.floor(rank)
            value = 0.0
            for step in range(2):
                weight = rank - below if step else 1.0 - (rank - below)
                place = min(below + step, count[j] - 1.0)
                before = 0.0
                k = first[j]
                while before + people[k] <= place:
                    before += people[k]
                    k += 1
                key = abs(keys[k])
                left, right = (_edge(key), _edge(key + 1)) if key else (0.0, 0.0)
                if keys[k] < 0:
                    left, right = -right, -left
                inside = left + (right - left) * (place - before + 0.5) / people[k]
                value += weight * min(max(inside, low[j]), high[j])
            found[s, j] = value
    return found

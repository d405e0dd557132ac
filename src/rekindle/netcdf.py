"""Labelled numbers as NetCDF-4, compressed on all processors.

HDF5 compresses on one thread, which for a thousand people takes longer than solving them. Here pieces of the arrays
are packed as HDF5's own filters would (bytes of like significance side by side, then deflate) on several threads, and
handed to HDF5 as they are; any reader of NetCDF-4 opens the file. Of deflate's means only two are used, as the upper
bytes of neighbouring numbers are alike and the lower ones are noise: runs of equal bytes are shortened, and bytes in
which nothing is found are stored as they are.
"""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rekindle.labelled import ARM, Labelled, Numbers
from rekindle.processors import processors

PIECE = 1 << 18
"""Numbers in a piece of an array, at most: a megabyte."""

LEVEL = 1
TRIED, WORTH = 1 << 14, 0.97
"""So many bytes are packed to see whether it pays: they have to come out as less than this share."""

HEADER = b"\x78\x01"
END = zlib.compressobj(0, zlib.DEFLATED, -zlib.MAX_WBITS).flush()
"""How a stream of zlib begins (RFC 1950), and the empty last block of its deflate blocks."""

STORED = np.dtype("<f4")


class _Piece(NamedTuple):
    """Rows of one arm's array of a quantity, from `first` on; `rows` is how many every piece of it has."""

    name: str
    arm: int
    first: int
    rows: int
    values: Numbers


def write_group(
    file: BinaryIO,
    group: str,
    data: Labelled,
    attributes: Mapping[str, str],
    *,
    first: bool,
    threads: int | None = None,
) -> None:
    """Write labelled numbers as a group of a NetCDF-4 file, as float32; with `first` the file begins with it.

    `threads` is how many processors pack, None for all; the file is the same.

    Raises:
        OSError: the file cannot be written.
    """
    import h5py

    _outline(file, group, data, attributes, first=first)
    with h5py.File(file, "r+") as opened, ThreadPoolExecutor(threads or processors()) as pool:
        pieces = list(_pieces(data))
        for piece, packed in zip(pieces, pool.map(_packed, pieces), strict=True):
            values: Any = opened[group][piece.name]
            corner = (piece.arm, piece.first, *(0 for _ in piece.values.shape[1:]))
            values.id.write_direct_chunk(corner, packed)


def _outline(file: BinaryIO, group: str, data: Labelled, attributes: Mapping[str, str], *, first: bool) -> None:
    """The group with its axes, their labels, and every quantity without its numbers."""
    import h5netcdf

    with h5netcdf.File(file, "w" if first else "a") as opened:
        made: Any = opened.create_group(group)
        made.attrs.update(attributes)
        for axis, labels in data.labels.items():
            made.dimensions[axis] = len(labels)
        for axis, labels in data.labels.items():
            _write_labels(made, axis, labels, data.units.get(axis))
        for name, arms in data.values.items():
            made.create_variable(
                name,
                (ARM, *data.axes[name]),
                dtype=STORED,
                fillvalue=STORED.type(np.nan),
                chunks=(1, _rows(arms[0]), *arms[0].shape[1:]),
                compression="gzip",
                compression_opts=LEVEL,
                shuffle=True,
            )


def _write_labels(group: Any, axis: str, labels: NDArray[Any], unit: str | None) -> None:
    import h5py

    if labels.dtype.kind == "U":
        group.create_variable(axis, (axis,), dtype=h5py.string_dtype(), data=labels.astype(object))
        return
    missing = np.nan if labels.dtype.kind == "f" else None
    variable = group.create_variable(axis, (axis,), dtype=labels.dtype, data=labels, fillvalue=missing)
    if unit is not None:
        variable.attrs["units"] = unit


def _rows(values: Numbers) -> int:
    """How many rows a piece has: pieces of like size, none larger than `PIECE` where a row is not."""
    rows, across = len(values), math.prod(values.shape[1:])
    pieces = max(1, math.ceil(rows * across / PIECE))
    return max(1, math.ceil(rows / pieces))


def _pieces(data: Labelled) -> Iterator[_Piece]:
    for name, arms in data.values.items():
        rows = _rows(arms[0])
        for arm, values in enumerate(arms):
            for first in range(0, len(values), rows):
                yield _Piece(name, arm, first, rows, values[first : first + rows])


def _packed(piece: _Piece) -> bytes:
    """A piece as it stands in the file; what a last piece lacks in rows is filled up."""
    whole = np.full((piece.rows, *piece.values.shape[1:]), np.nan, dtype=STORED)
    whole[: len(piece.values)] = piece.values
    by_significance = np.ascontiguousarray(whole.view(np.uint8).reshape(-1, STORED.itemsize).T)
    planes = [plane.data for plane in by_significance]
    parts = [HEADER, *(_deflated(plane) for plane in planes), END]
    checksum = functools.reduce(lambda before, plane: zlib.adler32(plane, before), planes, 1)
    return b"".join([*parts, checksum.to_bytes(4, "big")])


def _deflated(plane: memoryview) -> bytes:
    """Bytes of like significance as whole deflate blocks, none of which is the last of a stream."""
    tried = _blocks(plane[:TRIED], LEVEL)
    noise = len(tried) > WORTH * min(TRIED, len(plane))
    return _blocks(plane, 0 if noise else LEVEL)


def _blocks(plane: memoryview, level: int) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    return packer.compress(plane) + packer.flush(zlib.Z_FULL_FLUSH)

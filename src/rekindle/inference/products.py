"""Products of tall arrays (thousands of rows, a few dozen columns), a few rows at a time.

The library for linear algebra gives large products to threads of its own, which wait for each other. On a machine that
is busy with other work that costs a hundred times what the arithmetic does. Pieces this small it does on the spot.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PIECE = 64
"""Rows a time; with up to some sixty columns on either side no piece is worth a second thread."""


def gathered(left: Array, right: Array) -> Array:
    """The sum over rows of what each row's columns are together, shape (columns of left, columns of right).

    >>> gathered(np.array([[1.0], [2.0]]), np.array([[3.0, 0.0], [4.0, 1.0]]))
    array([[11.,  2.]])
    """
    whole = len(left) // PIECE * PIECE
    pieces = left[:whole].reshape(-1, PIECE, left.shape[1]).transpose(0, 2, 1)
    total = (pieces @ right[:whole].reshape(-1, PIECE, right.shape[1])).sum(axis=0)
    return np.asarray(total + left[whole:].T @ right[whole:])


def spread_out(rows: Array, matrix: Array) -> Array:
    """Every row times a small matrix, shape (rows, columns of the matrix).

    >>> spread_out(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))
    array([[11.]])
    """
    whole = len(rows) // PIECE * PIECE
    pieces = rows[:whole].reshape(-1, PIECE, rows.shape[1]) @ matrix
    return np.concatenate([pieces.reshape(whole, matrix.shape[1]), rows[whole:] @ matrix])

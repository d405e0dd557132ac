"""The compiled scalar functions of a lowered network, called with numpy arrays.

One number at a time, no reordering of arithmetic: these are what the reference solver runs, and they compute
what `evaluate` computes from the same statement lists in plain Python.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.compiled import load
from rekindle.engine.emit import module_text, program_function
from rekindle.engine.lower import Lowered, Program

Floats = NDArray[np.float64]

_PLAIN: dict[str, Any] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "inverse": lambda x: 1.0 / x,
    "negative": operator.neg,
    "power": operator.pow,
    "select": lambda condition, left, right: left if condition else right,
    "less": operator.lt,
    "less_equal": operator.le,
    "equal": operator.eq,
    "and": lambda left, right: left and right,
    "or": lambda left, right: left or right,
    "not": operator.not_,
    "minimum": min,
    "maximum": max,
    "abs": abs,
    **{name: getattr(math, name) for name in ("exp", "log", "sqrt", "tanh", "sin", "cos", "tan", "atan")},
    "floor": math.floor,
    "ceil": math.ceil,
}


def evaluate(program: Program, arrays: Mapping[str, Sequence[float] | Floats]) -> Floats:
    """Run a statement list in plain Python, shape (results,): the slow twin of the compiled functions."""
    values: dict[int, Any] = dict(program.constants)
    for node, (array, position) in program.inputs.items():
        values[node] = float(arrays[array][position])
    for node, operation, arguments in program.statements:
        values[node] = _PLAIN[operation](*(values[argument] for argument in arguments))
    return np.array([values[node] for node in program.results], dtype=np.float64)


class Kernels:
    """Compiled functions of one network; arrays in, new arrays out.

    `rates_into(y, q, out)` is the bare function over addresses, for the innermost loop.
    """

    def __init__(self, lowered: Lowered) -> None:
        self.lowered = lowered
        text = module_text(
            [
                program_function("prepare", lowered.prepare, ["p"]),
                program_function("initial", lowered.initial, ["p"]),
                program_function("rates", lowered.rates, ["y", "q"]),
                program_function("jacobian", lowered.jacobian, ["y", "q"]),
            ]
        )
        library = load(text)
        self.from_cache = library.from_cache
        self._prepare = library.function("prepare", 2)
        self._initial = library.function("initial", 2)
        self.rates_into = library.function("rates", 3)
        self._jacobian = library.function("jacobian", 3)
        self._rows = np.array([row for row, _ in lowered.pattern], dtype=np.intp)
        self._columns = np.array([column for _, column in lowered.pattern], dtype=np.intp)

    def start(self, row: Floats) -> tuple[Floats, Floats]:
        """Starting values, shape (states,), and the full parameter row with the derived ones filled in."""
        free = np.ascontiguousarray(row, dtype=np.float64)
        states = len(self.lowered.states)
        out = np.empty(states + len(self.lowered.derived))
        self._initial(free.ctypes.data, out.ctypes.data)
        return out[:states].copy(), np.concatenate([free, out[states:]])

    def prepare(self, full_row: Floats) -> Floats:
        """The expressions that a full parameter row settles, shape (prepared,)."""
        out = np.empty(max(1, len(self.lowered.prepared)))
        self._prepare(full_row.ctypes.data, out.ctypes.data)
        return out

    def rates(self, y: Floats, q: Floats) -> Floats:
        """Rates of change, shape (states,), in units of the states per hour."""
        out = np.empty(len(self.lowered.states))
        self.rates_into(y.ctypes.data, q.ctypes.data, out.ctypes.data)
        return out

    def jacobian(self, y: Floats, q: Floats) -> Floats:
        """Derivatives of the rates to the states, shape (states, states)."""
        size = len(self.lowered.states)
        entries = np.empty(max(1, len(self._rows)))
        self._jacobian(y.ctypes.data, q.ctypes.data, entries.ctypes.data)
        full = np.zeros((size, size))
        full[self._rows, self._columns] = entries[: len(self._rows)]
        return full


class Observer:
    """The compiled function from states to chosen outputs."""

    def __init__(self, lowered: Lowered, names: Sequence[str]) -> None:
        self.names = tuple(names)
        text = module_text([program_function("observe", lowered.observe(names), ["y", "q", "p"])])
        self._library = load(text)
        self._observe = self._library.function("observe", 4)

    def __call__(self, y: Floats, q: Floats, p: Floats) -> Floats:
        """The outputs at one state, shape (outputs,)."""
        out = np.empty(max(1, len(self.names)))
        self._observe(y.ctypes.data, q.ctypes.data, p.ctypes.data, out.ctypes.data)
        return out[: len(self.names)]


_MADE: dict[str, Kernels] = {}


def kernels_of(lowered: Lowered) -> Kernels:
    """The compiled functions of a lowered network, made once a process."""
    key = lowered.network.digest
    if key not in _MADE:
        _MADE[key] = Kernels(lowered)
    return _MADE[key]

"""Derivatives, elimination and compiled code against what they must equal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.engine import Lowered, lower, read_antimony
from rekindle.engine.compiled import lanes, load
from rekindle.engine.elimination import Elimination, eliminate
from rekindle.engine.emit import module_text, program_function
from rekindle.engine.kernels import Kernels, evaluate, kernels_of

RICH = """model rich
  k = 0.7; h = 1.6; m = 2; E = 0.4; g = 0.3
  f := x/(y + 2) + max(x - 1, y*y) - min(z, 0.5*x)
  occupancy := x^h/(x^h + E^h)
  x = 1; x' = -k*x*f + 1/(y + 3) + sqrt(z + 2) - tanh(y)*z
  y = 1; y' = occupancy - y*exp(-z) + log(x + 3)*piecewise(x, z > 0.2, y^2)
  z = 0.1; z' = (x - y)^3/(1 + (x - y)^2) - g*z*abs(y - 2*x) + y^(1 + 0.1*x) + cos(x*y) - arctan(z)
  w = 0; w' = k*x - w + sin(z)*g^m/(g^m + x^2)
end
"""


@pytest.fixture(scope="module")
def rich() -> Lowered:
    return lower(read_antimony(RICH))


def test_the_jacobian_is_the_slope_of_the_rates(rich: Lowered) -> None:
    kernels = kernels_of(rich)
    _, full = kernels.start(rich.defaults)
    q = kernels.prepare(full)
    generator = np.random.default_rng(3)
    for _ in range(20):
        y = generator.uniform(0.2, 3.0, 4)
        step = 1e-5
        columns = [
            (kernels.rates(y + step * unit, q) - kernels.rates(y - step * unit, q)) / (2 * step) for unit in np.eye(4)
        ]
        # Central differences are good to step^2 times the third derivative, here about 1e-9.
        np.testing.assert_allclose(kernels.jacobian(y, q), np.array(columns).T, rtol=1e-7, atol=1e-8)


def test_compiled_functions_equal_the_statement_lists_to_the_last_bits(rich: Lowered) -> None:
    kernels = kernels_of(rich)
    _, full = kernels.start(rich.row({"h": 1.3}))
    q = kernels.prepare(full)
    np.testing.assert_allclose(q[: len(rich.prepared)], evaluate(rich.prepare, {"p": full}), rtol=1e-15)
    y = np.array([0.3, 1.9, 0.4, 2.0])
    np.testing.assert_allclose(kernels.rates(y, q), evaluate(rich.rates, {"y": y, "q": q}), rtol=1e-15)


@pytest.mark.parametrize("width", [2, 4, 8])
def test_vector_code_equals_the_plain_statement_lists_in_every_lane(rich: Lowered, width: int) -> None:
    generator = np.random.default_rng(4)
    y = generator.uniform(0.1, 3.0, (4, width))
    kernels = kernels_of(rich)
    rows = rich.defaults * generator.uniform(0.5, 2.0, (width, len(rich.defaults)))
    q = np.array([kernels.prepare(row) for row in rows]).T.copy()
    out = np.empty((4, width))
    library = load(module_text([program_function("wide", rich.rates, ["y", "q"], width)]))
    library.function("wide", 3)(y.ctypes.data, q.ctypes.data, out.ctypes.data)
    exact = np.array([evaluate(rich.rates, {"y": y[:, i], "q": q[:, i]}) for i in range(width)]).T
    np.testing.assert_allclose(out, exact, rtol=1e-13, atol=1e-13)


def wide(formula: str, values: np.ndarray) -> np.ndarray:
    """A formula of x, run in vector code at these values."""
    lowered = lower(read_antimony(f"model m\n x = 1; x' = {formula}\nend\n"))
    width = 8
    library = load(module_text([program_function("wide", lowered.rates, ["y", "q"], width)]))
    function = library.function("wide", 3)
    padded = np.resize(values, -(-len(values) // width) * width)
    q, out = np.zeros(width), np.empty(width)
    results = []
    for block in padded.reshape(-1, width).copy():
        function(block.ctypes.data, q.ctypes.data, out.ctypes.data)
        results.extend(out.tolist())
    return np.array(results[: len(values)])


def test_vector_exponential_and_logarithm_are_good_to_the_last_bits() -> None:
    x = np.concatenate([np.linspace(-700.0, 700.0, 999), np.linspace(-2.0, 2.0, 401)])
    np.testing.assert_allclose(wide("exp(x)", x), np.exp(x), rtol=2e-15)
    positive = np.concatenate([np.geomspace(1e-300, 1e300, 999), np.linspace(0.5, 2.0, 501)])
    np.testing.assert_allclose(wide("ln(x)", positive), np.log(positive), rtol=2e-15, atol=2e-16)


def test_vector_functions_treat_the_edges_as_the_library_does() -> None:
    edges = np.array([0.0, np.inf, -1.0, np.nan])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(wide("ln(x)", edges), np.log(edges))
    far = np.array([-1e4, 1e4, -np.inf, np.inf, np.nan])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(wide("exp(x)", far), np.exp(far))


def factorised(elimination: Elimination, matrix: np.ndarray) -> dict[tuple[int, int], float]:
    a = {place: float(matrix[place]) for place in elimination.entries}
    for kind, place in elimination.steps:
        if kind == "pivot":
            a[place[0], place[0]] = 1.0 / a[place[0], place[0]]
        elif kind == "scale":
            i, k = place
            a[i, k] *= a[k, k]
        else:
            i, j, k = place
            a[i, j] -= a[i, k] * a[k, j]
    return a


def solved(elimination: Elimination, a: dict[tuple[int, int], float], b: np.ndarray) -> np.ndarray:
    x = b.copy()
    for i in elimination.order:
        for k in elimination.lower[i]:
            x[i] -= a[i, k] * x[k]
    for i in reversed(elimination.order):
        for j in elimination.upper[i]:
            x[i] -= a[i, j] * x[j]
        x[i] *= a[i, i]
    return x


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.randoms(use_true_random=False))
def test_the_written_out_elimination_solves_what_numpy_solves(size: int, luck) -> None:
    pattern = [(i, j) for i in range(size) for j in range(size) if luck.random() < 0.3]
    matrix = np.zeros((size, size))
    for i, j in pattern:
        matrix[i, j] = luck.uniform(-1.0, 1.0)
    matrix += np.eye(size) * (size + 1.0)
    b = np.array([luck.uniform(-1.0, 1.0) for _ in range(size)])
    elimination = eliminate(size, pattern)
    found = solved(elimination, factorised(elimination, matrix), b)
    np.testing.assert_allclose(found, np.linalg.solve(matrix, b), rtol=1e-12, atol=1e-14)


def test_an_arrow_is_eliminated_without_new_entries() -> None:
    """All states coupled to one: taking that one first would fill the matrix."""
    size = 20
    pattern = [(0, j) for j in range(size)] + [(i, 0) for i in range(size)]
    assert len(eliminate(size, pattern).entries) == 3 * size - 2


def test_kernel_solve_equals_numpy_on_a_real_jacobian(rich: Lowered) -> None:
    from rekindle.engine.kernel_text import piece_functions
    from rekindle.engine.rosenbrock import GAMMA

    width = lanes()
    library = load(module_text(piece_functions(rich, width)))
    kernels: Kernels = kernels_of(rich)
    generator = np.random.default_rng(5)
    y, b = generator.uniform(0.2, 2.0, (2, 4, width))
    q = np.repeat(kernels.prepare(kernels.start(rich.defaults)[1])[:, None], width, axis=1).copy()
    h = np.geomspace(1e-3, 3.0, width)
    w = np.empty((len(rich.elimination.entries), width))
    library.function("wide_factor", 4)(y.ctypes.data, q.ctypes.data, h.ctypes.data, w.ctypes.data)
    x = b.copy()
    library.function("wide_solve", 2)(w.ctypes.data, x.ctypes.data)
    for lane in range(width):
        matrix = np.eye(4) / (h[lane] * GAMMA) - kernels.jacobian(y[:, lane].copy(), q[:, lane].copy())
        np.testing.assert_allclose(x[:, lane], np.linalg.solve(matrix, b[:, lane]), rtol=1e-10)

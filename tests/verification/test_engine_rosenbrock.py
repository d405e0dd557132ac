"""The Rosenbrock method is what it claims to be: its order, its interpolant, its damping, its controller."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rekindle.engine import Bolus, Infusion, Schedule, lower, read_antimony, solve
from rekindle.engine.backends import Task
from rekindle.engine.native import solve_native
from rekindle.engine.rosenbrock import STAGES, A, C, Control, H, M, interpolate, step
from rekindle.engine.scale import typical_scale
from rekindle.engine.schedule import compile_schedule


def pendulum(y: np.ndarray) -> np.ndarray:
    return np.array([y[1], -math.sin(y[0]) - 0.1 * y[1] ** 3])


def pendulum_slopes(y: np.ndarray) -> np.ndarray:
    return np.array([[0.0, 1.0], [-math.cos(y[0]), -0.3 * y[1] ** 2]])


def travelled(steps: int) -> np.ndarray:
    y = np.array([1.2, 0.3])
    for _ in range(steps):
        y, _, _ = step(pendulum, pendulum_slopes, y, 2.0 / steps)
    return y


def test_the_method_converges_with_order_five() -> None:
    exact = travelled(2000)
    errors = [np.abs(travelled(n) - exact).max() for n in (20, 40, 80)]
    orders = [math.log2(errors[i] / errors[i + 1]) for i in range(2)]
    assert orders == pytest.approx([5.0, 5.0], abs=0.3)


def test_the_error_estimate_shrinks_with_the_fifth_power_of_the_step() -> None:
    y = np.array([1.2, 0.3])
    estimates = [np.abs(step(pendulum, pendulum_slopes, y, h)[1]).max() for h in (0.1, 0.05, 0.025)]
    assert math.log2(estimates[1] / estimates[2]) == pytest.approx(5.0, abs=0.3)
    assert estimates[0] > estimates[1] > estimates[2]


def test_the_interpolant_is_of_order_four_and_meets_both_ends() -> None:
    y = np.array([1.2, 0.3])
    worst = []
    for h in (0.2, 0.1, 0.05):
        new, _, stages = step(pendulum, pendulum_slopes, y, h)
        assert interpolate(y, new, stages, 0.0) == pytest.approx(y, rel=1e-15)
        assert interpolate(y, new, stages, 1.0) == pytest.approx(new, rel=1e-15)
        inner = y
        for _ in range(50):
            inner, _, _ = step(pendulum, pendulum_slopes, inner, 0.4 * h / 50)
        worst.append(np.abs(interpolate(y, new, stages, 0.4) - inner).max())
    assert math.log2(worst[1] / worst[2]) == pytest.approx(5.0, abs=0.5)  # local error: order plus one


def test_an_infinitely_stiff_component_is_damped_at_once() -> None:
    new, _, _ = step(lambda y: -1e9 * y, lambda y: np.array([[-1e9]]), np.array([1.0]), 1.0)
    assert abs(new[0]) < 1e-6


def test_the_tableau_has_the_shapes_of_eight_stages() -> None:
    assert [len(row) for row in A] == [len(row) for row in C] == list(range(STAGES))
    assert len(M) == STAGES and [len(row) for row in H] == [STAGES] * 3


MODEL = """model m
  ka = 1.5; CL = 8; V = 20; Q = 12; W = 50; EC = 0.4; h = 1.7; k = 0.3; input = 0
  D = 0; D' = -ka*D
  A = 0; A' = input + ka*D - CL*A/V - Q*A/V + Q*P/W
  P = 0; P' = Q*A/V - Q*P/W
  c := A/V
  R = 1; R' = k*(1 + 2*(c*c + 1e-12)^(h/2)/((c*c + 1e-12)^(h/2) + EC^h) - R)
end
"""


def test_a_vector_step_equals_the_plain_step() -> None:
    from rekindle.engine.compiled import load
    from rekindle.engine.emit import module_text
    from rekindle.engine.kernel_text import kernel_functions, scratch
    from rekindle.engine.kernels import kernels_of

    lowered = lower(read_antimony(MODEL))
    kernels = kernels_of(lowered)
    q = kernels.prepare(kernels.start(lowered.defaults)[1])
    y, width, size = np.array([3.0, 8.0, 5.0, 1.4]), 4, 4
    h = np.array([0.01, 0.1, 0.5, 2.0])
    library = load(module_text(kernel_functions(lowered, width)))

    def spread(values: np.ndarray) -> np.ndarray:
        return np.repeat(values[:, None], width, axis=1).copy()

    arrays = [spread(y), spread(q), np.zeros((size, width)), h, np.empty((size, width)), np.empty((2, width))]
    entries, places = scratch(lowered)
    work = [np.empty((n, width)) for n in (entries, STAGES * size, places, size)]
    control = np.array([1e-3, 1e-2, 1e-15, 0.9, 0.15, 6.0])
    every = [*arrays, *work, np.ones((size, width)), control]
    library.function("wide_step", 12)(*(array.ctypes.data for array in every))
    for lane in range(width):
        new, error, _ = step(lambda v: kernels.rates(v, q), lambda v: kernels.jacobian(v, q), y, h[lane])
        np.testing.assert_allclose(arrays[4][:, lane], new, rtol=1e-11)
        weight = 1e-3 * (np.maximum(np.abs(y), np.abs(new)) + 1e-2) + 1e-15
        # The estimate is a small difference of larger stages, so it keeps fewer digits than they do.
        assert arrays[5][0, lane] == pytest.approx(np.max(np.abs(error) / weight), rel=1e-6)


def global_error(tolerance: float) -> float:
    lowered = lower(read_antimony(MODEL))
    events = (Bolus(0.0, "D", 100.0), Infusion(6.0, "input", 20.0, 1.5), Bolus(24.0, "A", 30.0))
    schedule = Schedule(events, tuple(np.linspace(0.5, 72.0, 44)))
    names = ["A", "P", "R", "c"]
    exact = solve(lowered, None, schedule, names, backend="reference", relative_tolerance=1e-12, threads=1)
    found = solve(lowered, None, schedule, names, backend="native", relative_tolerance=tolerance, threads=1)
    scale = np.abs(exact.values).max(axis=(0, 1))
    return float(np.max(np.abs(found.values - exact.values) / (np.abs(exact.values) + 1e-3 * scale)))


def test_tighter_tolerances_give_smaller_errors_down_to_the_reference() -> None:
    errors = [global_error(tolerance) for tolerance in (1e-2, 3e-4, 1e-6, 1e-9)]
    assert errors[0] > errors[1] > errors[2] > errors[3]
    assert errors[1] < 3e-4
    assert errors[3] < 1e-8


def test_a_step_limit_ends_a_person_and_hands_it_on_to_the_reference() -> None:
    lowered = lower(read_antimony(MODEL))
    segments = compile_schedule(Schedule((Bolus(0.0, "D", 100.0),), (100.0,)), lowered)
    scale = typical_scale(lowered, segments)
    task = Task(
        lowered, np.atleast_2d(lowered.defaults), (segments,), np.zeros(1, dtype=np.int64), ("A",), 1e-9, 1, scale
    )
    values, failures, report = solve_native(task, Control(relative=1e-9, limit=-190))  # ten steps for two edges
    assert report["retried"] == report["by_reference"] == 1
    assert not failures
    exact = solve(lowered, None, Schedule((Bolus(0.0, "D", 100.0),), (100.0,)), ["A"], backend="reference")
    # The last resort runs at 1e-7; A has fallen to a ten-thousandth of the dose.
    assert values[0, 0, 0] == pytest.approx(exact["A"][0, 0], rel=1e-5)

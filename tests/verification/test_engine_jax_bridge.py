"""Solutions inside JAX: values, derivatives both ways, maps, and a sampler that finds a posterior known in full."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rekindle.engine import Bolus, Infusion, Schedule, SteadyState, lower, read_antimony, solve
from rekindle.engine.jax_bridge import jax_solver, xla_solver
from rekindle.errors import InputError, UnsupportedError

LOWERED = lower(
    read_antimony("model m\n CL = 8; V = 20; ka = 1.2\n D = 0; D' = -ka*D\n A = 0; A' = ka*D - CL*A/V; c := A/V\nend\n")
)
NAMES = ("CL", "V")
SCHEDULES = [
    Schedule((Bolus(0.0, "D", 100.0), Bolus(12.0, "D", 50.0)), (1.0, 4.0, 13.0, 20.0)),
    Schedule((Bolus(0.0, "D", 100.0), Infusion(3.0, "A", 10.0, 2.0)), (1.0, 6.0)),
]
SETTLED = Schedule((SteadyState(0.0, (Bolus(0.0, "D", 1.0),), 8.0),), (1.0,))
THETA = np.array([[8.0, 20.0], [6.0, 15.0]])

THETA_ROWS = np.tile(LOWERED.defaults, (2, 1))
THETA_ROWS[:, [LOWERED.parameters.index(name) for name in NAMES]] = THETA


def difference(step: float = 1e-3) -> np.ndarray:
    """Central differences of the plain solver to each person's own parameters, (people, times, outputs, names)."""

    def outputs(theta: np.ndarray) -> np.ndarray:
        rows = np.tile(LOWERED.defaults, (2, 1))
        rows[:, [LOWERED.parameters.index(name) for name in NAMES]] = theta
        found = solve(LOWERED, rows, SCHEDULES, ["c", "A"], backend="reference", relative_tolerance=1e-12, threads=1)
        return np.nan_to_num(found.values)

    moves = np.eye(2)[:, None, :] * step
    return np.stack([(outputs(THETA + move) - outputs(THETA - move)) / (2 * step) for move in moves], axis=-1)


@pytest.mark.parametrize("make", [jax_solver, xla_solver])
def test_values_and_forward_derivatives_are_those_of_the_plain_solver(make: Any) -> None:
    import jax

    solver = make(LOWERED, SCHEDULES, ["c", "A"], NAMES, relative_tolerance=1e-8)
    assert solver.times[1].tolist()[:2] == [1.0, 6.0] and np.isnan(solver.times[1, 2:]).all()
    with jax.enable_x64(True):
        own = [jax.numpy.zeros((2, 2)).at[:, column].set(1.0) for column in range(2)]
        push = jax.jit(lambda theta, move: jax.jvp(solver, (theta,), (move,)))
        found = [push(jax.numpy.asarray(THETA), move) for move in own]
    slopes = np.stack([np.asarray(slope) for _, slope in found], axis=-1)
    exact = solve(LOWERED, THETA_ROWS, SCHEDULES, ["c", "A"], backend="reference", threads=1).values
    np.testing.assert_allclose(found[0][0], np.nan_to_num(exact), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(slopes, difference(), rtol=1e-5, atol=2e-6)


def test_single_precision_may_be_asked_of_both() -> None:
    import jax

    solver = xla_solver(LOWERED, SCHEDULES, ["c", "A"], NAMES, relative_tolerance=1e-8)
    bridge = jax_solver(LOWERED, SCHEDULES, ["c", "A"], NAMES)
    theta = jax.numpy.asarray(THETA)
    assert theta.dtype == np.float32
    inside, outside = jax.jit(solver)(theta), bridge(theta)
    assert inside.dtype == outside.dtype == np.float32
    np.testing.assert_allclose(inside, outside, rtol=1e-5, atol=1e-6)


def test_backward_derivatives_and_maps_of_the_native_solver() -> None:
    import jax

    solver = jax_solver(LOWERED, SCHEDULES, ["c"], NAMES, relative_tolerance=1e-8)
    slopes = difference()[:, :, 0]
    with jax.enable_x64(True):
        theta = jax.numpy.asarray(THETA)
        backward = jax.jit(jax.grad(lambda given: jax.numpy.sum(solver(given))))(theta)
        np.testing.assert_allclose(backward, slopes.sum(axis=1), rtol=1e-5, atol=1e-6)
        several = jax.vmap(solver)(jax.numpy.stack([theta, 1.1 * theta]))
        np.testing.assert_allclose(several[1], solver(1.1 * theta), rtol=1e-7)


def test_parameters_that_are_not_numbers_give_values_that_are_not() -> None:
    solver = jax_solver(LOWERED, SCHEDULES, ["c"], NAMES)
    found = np.asarray(solver(np.array([[np.nan, 20.0], [6.0, 15.0]])))
    assert np.isnan(found[0]).all() and np.isfinite(found[1]).all()


@pytest.mark.parametrize("make", [jax_solver, xla_solver])
@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"names": ["clearance"]}, InputError, "Unknown parameter 'clearance'"),
        ({"names": []}, InputError, "at least one parameter"),
        ({"names": ["V", "V"]}, InputError, "each once"),
        ({"outputs": ["B"]}, InputError, "Unknown"),
        ({"base_row": np.ones((3, 3))}, InputError, r"shape \(3, 3\)"),
        ({"schedules": SETTLED}, UnsupportedError, "steady state"),
    ],
)
def test_calls_that_make_no_sense_are_refused(make: Any, changes: dict[str, Any], error: Any, said: str) -> None:
    call = {"schedules": SCHEDULES, "outputs": ["c"], "names": NAMES, "base_row": None} | changes
    with pytest.raises(error, match=said):
        make(LOWERED, call.pop("schedules"), call.pop("outputs"), call.pop("names"), **call)


def test_a_wrong_shape_is_refused() -> None:
    with pytest.raises(InputError, match=r"shape \(2,\), not \(2, 2\)"):
        jax_solver(LOWERED, SCHEDULES, ["c"], NAMES)(np.ones(2))


def test_the_documented_sampler_finds_a_posterior_known_in_closed_form() -> None:
    """After a bolus the logarithm of the concentration is a straight line in k and in log V: all is normal."""
    page = (Path(__file__).parents[2] / "docs" / "jax.md").read_text(encoding="utf-8")
    found: dict[str, Any] = {}
    exec(page.split("```python\n")[1].split("```")[0], found)
    times, seen = np.array(found["schedule"].output_times), np.log(np.asarray(found["levels"], dtype=float))
    noise, prior_mean, prior_sd = 0.1, np.array([0.2, 3.0]), np.array([0.05, 0.3])
    design = np.column_stack([-times, -np.ones(5)])
    precision = design.T @ design / noise**2 + np.diag(prior_sd**-2.0)
    mean = np.linalg.solve(precision, design.T @ (seen - np.log(100.0)) / noise**2 + prior_mean / prior_sd**2)
    covariance = np.linalg.inv(precision)
    sd = np.sqrt(np.diag(covariance))
    draws = np.column_stack([np.asarray(found["draws"][name]) for name in ("k", "log_v")])
    # Of 300 draws at least 100 count as independent: a mean is off by a tenth of the spread, a spread by 7 %.
    np.testing.assert_allclose((draws.mean(axis=0) - mean) / sd, 0.0, atol=0.35)
    np.testing.assert_allclose(draws.std(axis=0) / sd, 1.0, atol=0.25)
    assert np.corrcoef(draws.T)[0, 1] == pytest.approx(covariance[0, 1] / sd.prod(), abs=0.15)

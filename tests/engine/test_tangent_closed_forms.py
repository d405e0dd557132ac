"""Derivatives of outputs beside formulas that are known exactly.

The formulas are written for complex numbers; their derivative is the imaginary part at x + i 1e-30, which has no
rounding error of a difference (Squire and Trapp 1998, doi:10.1137/S003614459631241X).
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from rekindle.engine import Bolus, Infusion, Observe, Reset, Schedule, Set, lower, read_antimony
from rekindle.engine.sensitivities import (
    Direction,
    DoseAmount,
    DoseTime,
    InfusionDuration,
    InfusionRate,
    Initial,
    Sensitivities,
    solve_sensitivities,
)

BACKENDS = (("native", 1e-9), ("reference", 1e-10))
CLOSE = 1e-7  # of a column's largest entry: a hundred times the tolerance of the solvers above

ONE = lower(read_antimony("model one; CL = 3; V = 20; A = 0; A' = -CL/V*A; c := A/V; end"))
TWO = lower(
    read_antimony(
        """model two
          CL = 3; V = 20; Q = 5; W = 40; start = 2
          A = start*V; A' = -CL/V*A - Q/V*A + Q/W*P
          P = 0; P' = Q/V*A - Q/W*P
          c := A/V
        end"""
    )
)
CLOCK = lower(read_antimony("model clock; k = 0.3; w = 0.7; A = 0; A' = -k*(1 + 0.5*sin(w*time))*A; end"))
TIMES = (0.5, 2.0, 3.0, 4.25, 6.0, 9.0, 14.0)


def complex_slope(formula: Callable[[Mapping[str, complex]], complex], at: Mapping[str, float], name: str) -> float:
    """The derivative of a formula to one of its numbers."""
    moved: dict[str, complex] = {**at}
    moved[name] += 1e-30j
    return formula(moved).imag / 1e-30


def assert_columns(found: Sensitivities, direction: Direction, expected: np.ndarray, output: str = "c") -> None:
    column = found.of(output, direction)[0]
    assert np.abs(column - expected).max() <= CLOSE * np.abs(expected).max(), direction


@pytest.mark.parametrize(("backend", "tolerance"), BACKENDS)
def test_one_compartment_has_the_derivatives_of_its_formula(backend: str, tolerance: float) -> None:
    events = (Bolus(1.0, "A", 100.0), Infusion(2.5, "A", 20.0, 1.5))
    named: dict[Direction, str] = {
        "CL": "CL", "V": "V", DoseAmount(0): "amount", DoseTime(0): "given", InfusionRate(1): "rate",
        DoseTime(1): "begun", InfusionDuration(1): "length",
    }  # fmt: skip
    at = {"CL": 3.0, "V": 20.0, "amount": 100.0, "given": 1.0, "rate": 20.0, "begun": 2.5, "length": 1.5}
    found = solve_sensitivities(
        ONE, None, Schedule(events, TIMES), ["c"], list(named), backend=backend, relative_tolerance=tolerance
    )

    def level(time: float) -> Callable[[Mapping[str, complex]], complex]:
        def formula(x: Mapping[str, complex]) -> complex:
            k, held = x["CL"] / x["V"], 0j
            if time > x["given"].real:
                held += x["amount"] * cmath.exp(-k * (time - x["given"]))
            if time > x["begun"].real:
                end = x["begun"] + x["length"]
                running = time < end.real
                reached = x["rate"] / k * (1.0 - cmath.exp(-k * (time - x["begun"] if running else x["length"])))
                held += reached if running else reached * cmath.exp(-k * (time - end))
            return held / x["V"]

        return formula

    for direction, name in named.items():
        assert_columns(found, direction, np.array([complex_slope(level(time), at, name) for time in TIMES]))


def two_levels(x: Mapping[str, complex], time: float) -> complex:
    """Concentration in the first of two compartments that starts at `start` and is given `amount` at 1 h."""
    k, out, back = x["CL"] / x["V"], x["Q"] / x["V"], x["Q"] / x["W"]
    middle = (k + out + back) / 2.0
    root = cmath.sqrt(middle**2 - k * back)
    fast, slow = middle + root, middle - root

    def unit(after: complex) -> complex:
        return ((fast - back) * cmath.exp(-fast * after) + (back - slow) * cmath.exp(-slow * after)) / (fast - slow)

    given = x["amount"] * unit(time - x["given"]) if time > x["given"].real else 0j
    return (x["start"] * x["V"] + x["more"]) / x["V"] * unit(complex(time)) + given / x["V"]


@pytest.mark.parametrize(("backend", "tolerance"), BACKENDS)
def test_two_compartments_and_a_start_given_by_a_formula(backend: str, tolerance: float) -> None:
    at = {"CL": 3.0, "V": 20.0, "Q": 5.0, "W": 40.0, "start": 2.0, "amount": 100.0, "given": 1.0, "more": 0.0}
    named: dict[Direction, str] = {name: name for name in ("CL", "V", "Q", "W", "start")}
    named |= {DoseAmount(0): "amount", DoseTime(0): "given", Initial("A"): "more"}
    schedule = Schedule((Bolus(1.0, "A", 100.0),), TIMES)
    found = solve_sensitivities(TWO, None, schedule, ["c"], list(named), backend=backend, relative_tolerance=tolerance)
    for direction, name in named.items():
        expected = [complex_slope(lambda x, time=time: two_levels(x, time), at, name) for time in TIMES]
        assert_columns(found, direction, np.array(expected))


@pytest.mark.parametrize(("backend", "tolerance"), BACKENDS)
def test_a_model_that_counts_time(backend: str, tolerance: float) -> None:
    named: dict[Direction, str] = {"k": "k", "w": "w", DoseTime(0): "given"}
    found = solve_sensitivities(
        CLOCK, None, Schedule((Bolus(1.0, "A", 10.0),), TIMES[1:]), ["A"], list(named), backend=backend,
        relative_tolerance=tolerance,
    )  # fmt: skip

    def formula(x: Mapping[str, complex], time: float) -> complex:
        passed = time - x["given"] - 0.5 / x["w"] * (cmath.cos(x["w"] * time) - cmath.cos(x["w"] * x["given"]))
        return 10.0 * cmath.exp(-x["k"] * passed)

    for direction, name in named.items():
        at = {"k": 0.3, "w": 0.7, "given": 1.0}
        expected = [complex_slope(lambda x, time=time: formula(x, time), at, name) for time in TIMES[1:]]
        assert_columns(found, direction, np.array(expected), "A")


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_a_parameter_that_is_set_anew_no_longer_counts_and_a_reset_starts_again(backend: str) -> None:
    events = (Set(2.0, "CL", 6.0), Reset(5.0))
    schedule = Schedule((*events, Observe(5.0)), (2.0, 4.0, 7.0))
    directions: list[Direction] = ["CL", DoseTime(0), DoseTime(1), Initial("A"), "start"]
    found = solve_sensitivities(TWO, None, schedule, ["CL", "A"], directions, backend=backend, relative_tolerance=1e-9)
    assert found.of("CL", "CL")[0].tolist() == [1.0, 0.0, 0.0, 0.0]
    assert found.times[0].tolist() == [2.0, 4.0, 5.0, 7.0]
    # Just after the reset nothing is left of what came before it, and the start counts anew.
    np.testing.assert_allclose(found.jacobian[0, 2, 1, [0, 1, 3, 4]], [0.0, 0.0, 1.0, 20.0], atol=1e-12)
    # Moving the reset later moves all that follows: the derivative is what the state loses an hour.
    loss = (6.0 / 20.0 + 5.0 / 20.0) * 40.0
    assert math.isclose(found.jacobian[0, 2, 1, 2], loss, rel_tol=1e-9)

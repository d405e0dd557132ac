"""Steady states of equations that are not linear: the limit of many doses, or a plain refusal."""

from __future__ import annotations

import numpy as np
import pytest

from rekindle.engine import Bolus, Infusion, Schedule, Set, SteadyState, lower, read_antimony, solve

SATURABLE = """model saturable
  largest = 6; half = 3; ka = 0.9; k = 0.02; base = 1; gain = 0.4
  D = 0; D' = -ka*D
  A = 0; A' = ka*D - largest*A/(half + A)
  gone = 0; gone' = largest*A/(half + A)
  R = base; R' = k*(base*(1 + gain*A/(1 + A)) - R)
end
"""
LOWERED = lower(read_antimony(SATURABLE))
LOOKS = (100.5, 103.0, 112.0)


@pytest.mark.parametrize("backend", ["reference", "native"])
def test_saturable_elimination_settles_where_many_doses_lead(backend: str) -> None:
    """R settles over 50 hours, so 150 doses (1,800 hours) leave less than 1e-15 of where it began."""
    dose = Bolus(0.0, "D", 40.0)
    row = LOWERED.row({"half": 2.0})
    found = solve(
        LOWERED, row, Schedule((SteadyState(100.0, (dose,), 12.0), Bolus(100.0, "D", 40.0)), LOOKS), ["A", "R"],
        backend=backend, relative_tolerance=1e-10, threads=1,
    )  # fmt: skip
    many = tuple(Bolus(12.0 * i, "D", 40.0) for i in range(151))
    waited = solve(
        LOWERED, row, Schedule(many, tuple(1700.0 + t for t in LOOKS)), ["A", "R"],
        backend="reference", relative_tolerance=1e-11, threads=1,
    )  # fmt: skip
    np.testing.assert_allclose(found.values, waited.values, rtol=1e-8)


def test_everybody_gets_the_steady_state_of_their_own_parameters_at_that_time() -> None:
    rows = np.array([LOWERED.row({"largest": x}) for x in (5.0, 6.0, 7.5)])
    dose = Infusion(0.0, "A", 2.0, 4.0)
    events = (Set(50.0, "half", 1.0), SteadyState(100.0, (dose,), 12.0), Infusion(100.0, "A", 2.0, 4.0))
    schedule = Schedule(events, LOOKS)
    for backend in ("native", "reference"):
        together = solve(LOWERED, rows, schedule, ["A"], backend=backend, relative_tolerance=1e-9, threads=1)
        for i in range(3):
            many = tuple(Infusion(12.0 * k, "A", 2.0, 4.0) for k in range(61))
            own = LOWERED.row({"largest": rows[i, LOWERED.parameters.index("largest")], "half": 1.0})
            waited = solve(
                LOWERED, own, Schedule(many, tuple(620.0 + t for t in LOOKS)), ["A"], backend="reference", threads=1
            )
            np.testing.assert_allclose(together["A"][i], waited["A"][0], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("backend", ["reference", "native"])
def test_doses_beyond_what_can_be_eliminated_have_no_steady_state(backend: str) -> None:
    """Six an hour can leave at most, 100 every 12 hours come."""
    dose = Bolus(0.0, "D", 100.0)
    events = (SteadyState(0.0, (dose,), 12.0), Bolus(0.0, "D", 100.0))
    found = solve(LOWERED, None, Schedule(events, (1.0,)), ["A"], backend=backend, threads=1)
    assert found.failures and "steady state" in found.failures[0].reason
    assert np.isnan(found.values).all()


def test_a_state_that_only_collects_keeps_its_value() -> None:
    dose = Bolus(0.0, "D", 40.0)
    events = (Bolus(0.0, "A", 5.0), SteadyState(90.0, (dose,), 12.0))
    found = solve(LOWERED, None, Schedule(events, (90.0, 90.5)), ["gone"], relative_tolerance=1e-9, threads=1)
    assert found["gone"][0, 0] == pytest.approx(5.0, rel=1e-6)
    assert found["gone"][0, 1] > 5.0

"""The solver compiled by XLA does what the others do: closed forms, the reference, every action, failures by name."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np
import pytest

from rekindle.engine import Bolus, Infusion, Observe, Reset, Schedule, Set, SteadyState, lower, read_antimony, solve
from rekindle.engine.rosenbrock import Control
from rekindle.engine.schedule import compile_schedule
from rekindle.engine.task import Task
from rekindle.engine.xla import chunk_for, solve_xla
from rekindle.errors import InputError, UnsupportedError
from rekindle.simulate import lowered_model

# Three compartments with a depot (fewer where flows are zero), a response, and two states that lead astray if asked.
CLINIC = """model clinic
  ka = 1.3; CL = 6; V = 20; Q2 = 9; V2 = 40; Q3 = 2; V3 = 90; EC = 0.4; h = 1.7; k = 0.3; feed = 0; g = 0; a = 1
  D = 0; D' = -ka*D
  A = 0; A' = feed + ka*D - (CL + Q2 + Q3)*A/V + Q2*P/V2 + Q3*S/V3
  P = 0; P' = Q2*A/V - Q2*P/V2
  S = 0; S' = Q3*A/V - Q3*S/V3
  gone = 0; gone' = CL*A/V
  c := A/V
  R = 1; R' = k*(1 + 2*(c*c + 1e-12)^(h/2)/((c*c + 1e-12)^(h/2) + EC^h) - R)
  x = 1; x' = g*x*x - 0.1*(x - 1)
  z = 1; z' = -sqrt(a)*z
end
"""
LOWERED = lower(read_antimony(CLINIC))
OUTPUTS = ("D", "A", "P", "S", "gone", "R", "c", "z", "CL")
CHUNK = 8


def solved(rows: np.ndarray | None, schedules: Any, tolerance: float, **more: Any) -> Any:
    """One program for all tests of this model: the same outputs, chunk and table lengths."""
    return solve(LOWERED, rows, schedules, OUTPUTS, backend="xla", relative_tolerance=tolerance, chunk=CHUNK, **more)


def people(count: int) -> np.ndarray:
    rows = np.tile(LOWERED.defaults, (count, 1))
    rows *= np.exp(0.3 * np.random.default_rng(5).standard_normal(rows.shape))
    return rows  # nought stays nought


def linear(row: dict[str, float]) -> np.ndarray:
    """The matrix of the compartments (D, A, P, S) from the textbook."""
    value = {**{name: LOWERED.defaults[i] for i, name in enumerate(LOWERED.parameters)}, **row}
    k10, k12, k13 = (value[name] / value["V"] for name in ("CL", "Q2", "Q3"))
    k21, k31 = value["Q2"] / value["V2"], value["Q3"] / value["V3"]
    return np.array(
        [
            [-value["ka"], 0, 0, 0],
            [value["ka"], -(k10 + k12 + k13), k21, k31],
            [0, k12, -k21, 0],
            [0, k13, 0, -k31],
        ]
    )


@pytest.mark.parametrize("gone", [{"Q2": 0.0, "Q3": 0.0}, {"Q3": 0.0}, {}], ids=["one", "two", "three"])
def test_boluses_and_infusions_follow_the_matrix_exponential(gone: dict[str, float]) -> None:
    from scipy.linalg import expm

    times = (0.5, 2.0, 2.75, 9.0, 30.0)
    events = (Bolus(0.0, "D", 100.0), Infusion(2.0, "A", 25.0, 1.5), Infusion(2.5, "feed", 8.0, 0.25))
    found = solved(LOWERED.row(gone)[None], Schedule(events, times), 1e-10)
    matrix = linear(gone)

    def after(t: float) -> np.ndarray:
        total = expm(matrix * t) @ np.array([100.0, 0, 0, 0])
        for begin, length, rate in ((2.0, 1.5, 25.0), (2.5, 0.25, 8.0)):
            on, off = max(0.0, t - begin), max(0.0, t - begin - length)
            into = np.linalg.solve(matrix - 1e-12 * np.eye(4), np.array([0, rate, 0, 0]))
            total = total + (expm(matrix * on) - expm(matrix * off)) @ into
        return total

    expected = np.array([after(t) for t in times])
    np.testing.assert_allclose(found.values[0, :, :4], expected, rtol=1e-7, atol=1e-7)


def ragged(count: int) -> list[Schedule]:
    """Everybody with other doses, changes, looks and ends; the last infusions outlive the schedule."""
    return [
        Schedule(
            (
                Bolus(float(i % 5), "D", 50.0 + i),
                Observe(float(i % 5)),
                Infusion(6.0 + i, "A", 5.0, 1.0 + 0.1 * i),
                Set(7.0, "CL", 4.0),
                *((Reset(8.0 + i), Observe(8.0 + i), Bolus(8.0 + i, "P", 30.0)) if i % 3 == 1 else ()),
                *((SteadyState(9.0, (Infusion(0.5, "A", 4.0, 2.0),), 8.0),) if i % 4 == 2 else ()),
                Infusion(12.0, "feed", 1.0 + i, 1000.0),
            ),
            tuple(np.linspace(0.0, 15.0 + 2 * i, 4 + i)),
        )
        for i in range(count)
    ]


def test_every_action_agrees_with_the_reference_in_several_chunks() -> None:
    rows, schedules = people(10), ragged(10)
    done: list[tuple[int, int]] = []
    exact = solve(LOWERED, rows, schedules, OUTPUTS, backend="reference", relative_tolerance=1e-11, threads=1)
    scale = np.nanmax(np.abs(exact.values), axis=(0, 1))
    for tolerance, bar in ((3e-4, 3e-4), (1e-9, 1e-8)):
        found = solved(rows, schedules, tolerance, progress=lambda some, all_: done.append((some, all_)))
        assert not found.failures and found.report["chunk"] == CHUNK
        np.testing.assert_array_equal(np.isnan(found.values), np.isnan(exact.values))
        assert np.nanmax(np.abs(found.values - exact.values) / (np.abs(exact.values) + 1e-3 * scale)) <= bar
    assert done == [(8, 10), (10, 10)] * 2


def test_steps_are_those_of_the_native_solver() -> None:
    rows, schedules = people(10), ragged(10)
    native = solve(LOWERED, rows, schedules, OUTPUTS, relative_tolerance=1e-5)
    found = solved(rows, schedules, 1e-5)
    assert abs(found.report["steps"] - native.report["steps"]) <= 2
    np.testing.assert_allclose(found.values, native.values, rtol=1e-6, atol=1e-8)


def test_people_go_on_from_where_they_stood() -> None:
    rows = people(3)
    whole = solved(rows, Schedule((Bolus(0.0, "D", 80.0), Bolus(10.0, "D", 40.0)), (12.0, 20.0)), 1e-8)
    first = solved(rows, Schedule((Bolus(0.0, "D", 80.0),), (10.0,)), 1e-8, keep_end=True)
    rest = Schedule((Bolus(10.0, "D", 40.0),), (12.0, 20.0), start=10.0)
    np.testing.assert_allclose(solved(rows, rest, 1e-8, begin=first.end).values, whole.values, rtol=1e-6, atol=1e-7)


def test_those_who_cannot_be_solved_are_tried_again_and_named_and_the_rest_are_kept() -> None:
    rows = np.tile(LOWERED.defaults, (4, 1))
    rows[1, LOWERED.parameters.index("g")] = 5.0  # x runs away at 0.2 h
    rows[2, LOWERED.parameters.index("a")] = -1.0
    found = solved(rows, Schedule((Bolus(0.0, "A", 10.0),), (1.0, 2.0)), 3e-4)
    assert [failure.person for failure in found.failures] == [1, 2]
    assert all("reference solver" in failure.reason for failure in found.failures)
    assert "not finite" in found.failures[1].reason
    assert found.report["retried"] == found.report["by_reference"] == 2
    assert np.isnan(found.values[[1, 2]]).all()
    assert found["z"][[0, 3], 1] == pytest.approx([math.exp(-2.0)] * 2, rel=1e-4)


def test_the_step_limit_holds() -> None:
    """A spring that swings 800 times needs more steps than are allowed, and than the last resort may take."""
    spring = lower(read_antimony("model m\n x = 1; x' = v; v = 0; v' = -100*x\nend\n"))
    segments = compile_schedule(Schedule((), (500.0,)), spring)
    task = Task(
        spring, spring.row()[None], (segments,), np.zeros(1, dtype=np.int64), ("x",), 1e-3, 1, np.ones(2), chunk=1
    )
    _, failures, report = solve_xla(task, Control(relative=1e-3, limit=1))
    assert report["steps"] + report["refused_steps"] == 1 + 100 * 2 + 1
    assert report["retried"] == report["by_reference"] == 1
    assert failures[0].reason.startswith("more steps than the limit; reference solver: ")


def test_robertsons_reaction_with_a_dense_factorisation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values at 40 and 4e5 as published with the LSODE example problem (Hindmarsh 1980)."""
    monkeypatch.setattr("rekindle.engine.xla_emit.MOST_STEPS", 0)
    lowered = lower(
        read_antimony(
            "model robertson\n A = 1; A' = -0.04*A + 1e4*B*C\n B = 0; B' = 0.04*A - 1e4*B*C - 3e7*B*B\n"
            " C = 0; C' = 3e7*B*B\nend\n"
        )
    )
    schedule = Schedule((), (40.0, 4e5))
    found = solve(lowered, None, schedule, ["A", "B", "C"], backend="xla", relative_tolerance=1e-8, chunk=1)
    assert found.values[0, 0] == pytest.approx([7.158e-1, 9.185e-6, 2.842e-1], rel=2e-4)
    assert found.values[0, 1] == pytest.approx([4.9383e-3, 1.9850e-8, 9.9506e-1], rel=2e-4)


def test_our_model_agrees_with_the_native_solver_and_the_reference() -> None:
    lowered = lowered_model()
    rows = np.tile(lowered.defaults, (3, 1))
    rows[1:, lowered.parameters.index("clearance")] *= (0.9, 1.1)
    events = (Infusion(1.0, "infusion_S", 30.0, 0.667), Infusion(1.0, "infusion_R", 30.0, 0.667))
    schedule = Schedule(events, (1.5, 4.0, 26.0))
    names = ("severity", "plasma_ketamine", "effect_site_R", "dissociation")
    exact = solve(lowered, rows, schedule, names, backend="reference", threads=1)
    found = solve(lowered, rows, schedule, names, backend="xla", chunk=4)
    scale = np.abs(exact.values).max(axis=(0, 1))
    assert not found.failures
    assert np.max(np.abs(found.values - exact.values) / (np.abs(exact.values) + 1e-3 * scale)) <= 3e-4
    native = solve(lowered, rows, schedule, names)
    np.testing.assert_allclose(found.values, native.values, rtol=1e-5, atol=1e-8)


def test_the_users_precision_is_left_alone() -> None:
    import jax
    import jax.numpy as jnp

    assert not jax.config.jax_enable_x64
    assert jnp.zeros(1).dtype == np.float32


def test_a_chunk_suits_the_device_and_may_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    import jax

    assert chunk_for(1_000, 7) == 7
    with pytest.raises(InputError, match="A chunk of 0"):
        chunk_for(3, 0)
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    assert chunk_for(1) == chunk_for(10**6) == 128
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert (chunk_for(3), chunk_for(5_000), chunk_for(10**6)) == (1_024, 8_192, 131_072)


def test_without_jax_the_backend_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name == "jax":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UnsupportedError, match=r"pip install 'rekindle\[gpu\]'"):
        solve(LOWERED, None, Schedule((), (1.0,)), ["A"], backend="xla")

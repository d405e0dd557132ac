"""Derivatives of a model that is not linear: beside differences, beside a slow twin, and under laws."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import rekindle.engine.sensitivities as sensitivities
import rekindle.engine.tangent_native as tangent_native
import rekindle.engine.tangent_text as tangent_text
from rekindle.engine import Bolus, Infusion, Observe, Reset, Schedule, Set, SteadyState, lower, read_antimony, solve
from rekindle.engine.schedule import Event
from rekindle.engine.sensitivities import (
    Direction,
    DoseAmount,
    DoseTime,
    InfusionDuration,
    InfusionRate,
    Initial,
    solve_sensitivities,
)
from rekindle.engine.tangent_directions import EventTangents, event_tangents
from rekindle.errors import InputError, UnsupportedError

LOWERED = lower(
    read_antimony(
        """model effect
          CL = 3; V = 20; Q = 5; W = 40; ka = 1.2; F = 0.7; input = 0; h = 1.7; EC = 0.5
          k = CL/V
          D = 0; D' = -ka*D
          A = 0; A' = F*ka*D - CL/V*A - Q/V*A + Q/W*P + input
          P = 0; P' = Q/V*A - Q/W*P
          R = 10*k; R' = 0.3*(1 + 2*(c^2 + 1e-6)^(h/2)/((c^2 + 1e-6)^(h/2) + EC^h) - R)
          c := A/V
          change := 0.3*(1 + 2*(c^2 + 1e-6)^(h/2)/((c^2 + 1e-6)^(h/2) + EC^h) - R)
        end"""
    )
)
EVENTS: tuple[Event, ...] = (
    Bolus(1.0, "D", 100.0),
    Infusion(3.0, "A", 20.0, 2.0),
    Infusion(4.0, "A", 10.0, 3.0),
    Bolus(6.0, "A", 30.0),
    Infusion(8.0, "input", 5.0, 4.0),
    Set(15.0, "CL", 4.0),
    Reset(20.0),
    Bolus(21.0, "D", 50.0),
)
TIMES = tuple(np.linspace(0.5, 30.0, 25))
OUTPUTS = ["A", "c", "R", "CL"]
DIRECTIONS: list[Direction] = [
    "CL", "V", "h", "EC", Initial("R"), DoseAmount(0), DoseTime(0), DoseTime(2), InfusionRate(2), InfusionDuration(2),
    InfusionRate(4), DoseTime(4), DoseTime(5), DoseTime(6),
]  # fmt: skip


def moved(direction: Direction, step: float) -> tuple[np.ndarray, tuple[Event, ...]]:
    """The parameter row and events with one number changed by a step."""
    row, events = LOWERED.defaults.copy(), list(EVENTS)
    if isinstance(direction, str):
        row[LOWERED.parameters.index(direction)] += step
    elif isinstance(direction, Initial):
        events.insert(7, Bolus(20.0, direction.state, step))
        events.insert(0, Bolus(0.0, direction.state, step))
    else:
        name = {DoseAmount: "amount", DoseTime: "time", InfusionRate: "rate", InfusionDuration: "duration"}
        field = name[type(direction)]
        event = events[direction.event]
        events[direction.event] = replace(event, **{field: getattr(event, field) + step})
    return row, tuple(events)


def difference(direction: Direction) -> np.ndarray:
    """Central differences of the reference solver, extrapolated (Richardson) to an error of the sixth order."""

    def central(step: float) -> np.ndarray:
        ends = []
        for sign in (1.0, -1.0):
            row, events = moved(direction, sign * step)
            found = solve(
                LOWERED, row, Schedule(events, TIMES), OUTPUTS, backend="reference", relative_tolerance=1e-12, threads=1
            )
            ends.append(found.values[0])
        return (ends[0] - ends[1]) / (2.0 * step)

    coarse, middle, fine = central(0.02), central(0.01), central(0.005)
    first, second = (4.0 * middle - coarse) / 3.0, (4.0 * fine - middle) / 3.0
    return (16.0 * second - first) / 15.0


def test_every_kind_of_direction_agrees_with_differences() -> None:
    schedule = Schedule(EVENTS, TIMES)
    found = solve_sensitivities(LOWERED, None, schedule, OUTPUTS, DIRECTIONS)
    twin = solve_sensitivities(LOWERED, None, schedule, OUTPUTS, DIRECTIONS, backend="reference")
    for column, direction in enumerate(DIRECTIONS):
        expected = difference(direction)
        largest = np.abs(expected).max()
        assert np.abs(found.jacobian[0, :, :, column] - expected).max() <= 1e-6 * largest, direction
        assert np.abs(twin.jacobian[0, :, :, column] - expected).max() <= 1e-6 * largest, direction
    plain = solve(LOWERED, None, schedule, OUTPUTS, relative_tolerance=1e-10)
    np.testing.assert_allclose(found.values, plain.values, rtol=1e-6)


def test_a_derivative_that_forgets_how_the_jacobian_changes_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without that part a step's derivative is of lower order: its error estimate demands many more steps."""
    monkeypatch.setattr(tangent_native, "_MADE", {})
    schedule = Schedule(EVENTS, TIMES)
    sound = solve_sensitivities(LOWERED, None, schedule, OUTPUTS, ["EC"])
    monkeypatch.setattr(tangent_native, "_MADE", {})
    monkeypatch.setattr(tangent_text, "bent_entries", lambda *_: [])
    broken = solve_sensitivities(LOWERED, None, schedule, OUTPUTS, ["EC"])
    assert broken.report["steps"] > 5 * sound.report["steps"]


def test_a_forgotten_jump_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_times(*given: Any) -> EventTangents:
        found = event_tangents(*given)
        return EventTangents(found.value, np.zeros_like(found.time))

    monkeypatch.setattr(sensitivities, "event_tangents", without_times)
    expected = difference(DoseTime(3))
    for backend in ("native", "reference"):
        found = solve_sensitivities(
            LOWERED, None, Schedule(EVENTS, TIMES), OUTPUTS, [DoseTime(3)], backend=backend, relative_tolerance=1e-6
        )
        assert np.abs(found.jacobian[0, :, :, 0] - expected).max() > 0.1 * np.abs(expected).max()


def ragged(count: int) -> tuple[np.ndarray, list[Schedule]]:
    rows = np.tile(LOWERED.defaults, (count, 1)) * np.exp(
        0.2 * np.random.default_rng(3).standard_normal((count, len(LOWERED.parameters)))
    )
    schedules = []
    for i in range(count):
        target = "A" if i % 2 else "input"
        events = (Bolus(0.5 + 0.1 * i, "D", 50.0 + i), Infusion(2.0, target, 3.0 + i, 1.0 + 0.2 * i), Reset(9.0))
        looks = tuple(np.linspace(1.0, 8.0 + i, 4 + i))
        schedules.append(Schedule((*events[: 2 + i % 2], Observe(3.0), Bolus(4.0, "A", 5.0)), looks))
    return rows, schedules


def test_people_with_different_schedules_do_not_disturb_each_other() -> None:
    rows, schedules = ragged(19)
    directions: list[Direction] = ["V", "h", DoseTime(1), InfusionRate(1), DoseAmount(0)]
    crowd = solve_sensitivities(LOWERED, rows, schedules, ["A", "R"], directions, threads=2)
    assert not crowd.failures
    twin = solve_sensitivities(LOWERED, rows[::6], schedules[::6], ["A", "R"], directions, backend="reference")
    for place, person in enumerate(range(0, 19, 6)):
        count = len(schedules[person].times)
        assert np.isnan(crowd.jacobian[person, count:]).all()
        exact, own = twin.jacobian[place, :count], crowd.jacobian[person, :count]
        assert (np.abs(own - exact).max(axis=(0, 1)) <= 1e-6 * np.abs(exact).max(axis=(0, 1))).all()
    some = [18, 4, 11]
    few = solve_sensitivities(
        LOWERED, rows[some], [schedules[i] for i in some], ["A", "R"], directions, threads=1,
        scale=np.full(4, 1.0),
    )  # fmt: skip
    all_of_them = solve_sensitivities(LOWERED, rows, schedules, ["A", "R"], directions, scale=np.full(4, 1.0))
    for place, person in enumerate(some):
        count = len(schedules[person].times)
        assert (few.jacobian[place, :count] == all_of_them.jacobian[person, :count]).all()


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_amounts_and_their_derivatives_make_up_what_is_there(backend: str) -> None:
    """A linear state without a start of its own is the sum of amount times derivative (Euler's theorem)."""
    events = (Bolus(1.0, "D", 100.0), Infusion(3.0, "A", 20.0, 2.0), Infusion(5.0, "input", 4.0, 3.0))
    directions: list[Direction] = [DoseAmount(0), InfusionRate(1), InfusionRate(2)]
    found = solve_sensitivities(LOWERED, None, Schedule(events, TIMES), ["A", "P"], directions, backend=backend)
    summed = found.jacobian[0] @ np.array([100.0, 20.0, 4.0])
    np.testing.assert_allclose(summed, found.values[0], rtol=1e-6, atol=1e-7 * found.values.max())


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_giving_everything_later_moves_the_course(backend: str) -> None:
    """Where nothing else knows the time, the derivatives to all times add up to minus the rate of change."""
    rest = LOWERED.row({"CL": 2.0})  # at rest the effect is 0.3 (1 - R) + tiny, so R starts at rest with 10 k = 1
    events = (Bolus(1.0, "D", 100.0), Infusion(3.0, "A", 20.0, 2.0), Infusion(5.0, "input", 4.0, 3.0))
    directions: list[Direction] = [DoseTime(0), DoseTime(1), DoseTime(2)]
    looks = tuple(np.linspace(1.2, 24.0, 17))
    found = solve_sensitivities(
        LOWERED, rest, Schedule(events, looks), ["R", "change"], directions, backend=backend, relative_tolerance=1e-9
    )
    later = found.jacobian[0, :, 0].sum(axis=1)
    rate = found.values[0, :, 1]
    # R is 5e-6 away from rest at the start, for the power of the smoothing is not quite nought.
    assert np.abs(later + rate).max() <= 5e-5 * np.abs(rate).max()


def test_a_power_of_nothing_has_a_finite_derivative() -> None:
    lowered = lower(read_antimony("model p; h = 1.5; k = 0.2; A = 0; A' = -k*A; E = 0; E' = A^h - E; end"))
    schedule = Schedule((Bolus(2.0, "A", 3.0),), (1.0, 2.0, 4.0, 8.0))
    directions: list[Direction] = ["h", "k", DoseAmount(0)]
    found = solve_sensitivities(lowered, None, schedule, ["E"], directions)
    twin = solve_sensitivities(lowered, None, schedule, ["E"], directions, backend="reference")
    assert not found.failures
    assert (found.jacobian[0, :2] == 0.0).all()
    np.testing.assert_allclose(found.jacobian, twin.jacobian, rtol=1e-5, atol=1e-9)


def test_who_cannot_be_solved_is_named_and_the_others_are_kept() -> None:
    lowered = lower(read_antimony("model burst; k = 0.1; A = 1; A' = k*A^2; end"))
    rows = np.array([[0.1], [3.0], [0.05]])
    found = solve_sensitivities(lowered, rows, Schedule((), (1.0, 2.0)), ["A"], ["k"])
    assert [failure.person for failure in found.failures] == [1]
    assert np.isnan(found.jacobian[1]).all()
    times = np.array([1.0, 2.0])
    for person in (0, 2):
        np.testing.assert_allclose(
            found.jacobian[person, :, 0, 0], times / (1.0 - rows[person] * times) ** 2, rtol=1e-6
        )


@pytest.mark.parametrize(
    ("directions", "message"),
    [
        ([], "no direction"),
        ("CL", "list"),
        (["CL", "CL"], "twice"),
        (["Cl"], "CL"),
        (["k"], "free parameter"),
        ([Initial("AA")], "state"),
        ([DoseAmount(1)], "needs a Bolus"),
        ([InfusionRate(0)], "needs a Infusion"),
        ([DoseTime(8)], "does not have"),
        ([3], "no direction"),
    ],
)
def test_directions_that_make_no_sense_are_refused(directions: list[Direction], message: str) -> None:
    with pytest.raises(InputError, match=message):
        solve_sensitivities(LOWERED, None, Schedule(EVENTS, TIMES), ["A"], directions)


def test_a_steady_state_is_refused() -> None:
    schedule = Schedule((SteadyState(0.0, (Bolus(0.0, "D", 10.0),), 12.0),), (1.0,))
    with pytest.raises(UnsupportedError, match="steady state"):
        solve_sensitivities(LOWERED, None, schedule, ["A"], ["CL"])
    found = solve_sensitivities(LOWERED, None, Schedule(EVENTS, TIMES), ["A"], ["CL"])
    with pytest.raises(InputError, match="was asked for"):
        found.of("A", "V")
    with pytest.raises(InputError, match="output"):
        found.of("B", "CL")

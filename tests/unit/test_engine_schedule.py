"""Schedules: what is compiled, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rekindle.engine import Bolus, Infusion, Lowered, Observe, Schedule, Set, SteadyState, lower, read_antimony, solve
from rekindle.engine.cutting import after, before
from rekindle.engine.schedule import JUMP, LOOK, RATE, Reset, compile_schedule
from rekindle.errors import InputError, UnsupportedError


@pytest.fixture(scope="module")
def lowered() -> Lowered:
    return lower(read_antimony("model m\n k = 1; r = 0; A = 0; A' = r - k*A; f := 2*A\nend\n"))


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((Bolus(1.0, "B", 2.0),), "Unknown state 'B'"),
        ((Bolus(1.0, "f", 2.0),), "Unknown state 'f'"),
        ((Bolus(math.nan, "A", 2.0),), "time is not a finite"),
        ((Bolus(-1.0, "A", 2.0),), "before the start"),
        ((Bolus(1.0, "A", math.inf),), "amount is not a finite"),
        ((Infusion(1.0, "A", math.nan, 2.0),), "rate is not a finite"),
        ((Infusion(1.0, "A", 1.0, 0.0),), "duration is not a positive"),
        ((Infusion(1.0, "A", 1.0, -2.0),), "duration is not a positive"),
        ((Infusion(1.0, "q", 1.0, 2.0),), "Unknown state or input parameter 'q'"),
        ((Set(1.0, "A", 2.0),), "Unknown parameter 'A'"),
        ((Set(1.0, "k", math.nan),), "'k' is not a finite"),
        ((SteadyState(1.0, (Bolus(0.0, "A", 1.0),), 0.0),), "interval is not a positive"),
        ((SteadyState(1.0, (), 12.0),), "at least one dose"),
        ((SteadyState(1.0, (Bolus(0.0, "x", 1.0),), 12.0),), "Unknown state 'x'"),
    ],
)
def test_an_event_that_cannot_happen_is_refused(lowered: Lowered, events: tuple, said: str) -> None:
    with pytest.raises(InputError, match=said):
        compile_schedule(Schedule(events, (5.0,)), lowered)


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (Schedule((), (2.0, 1.0)), "must not go back"),
        (Schedule((), (math.nan,)), "not a finite"),
        (Schedule((), (-1.0,)), "must not go back"),
        (Schedule((Bolus(0.0, "A", 1.0),), ()), "no time to look"),
        (Schedule((), (1.0,), start=math.inf), "start"),
    ],
)
def test_times_that_make_no_sense_are_refused(lowered: Lowered, schedule: Schedule, said: str) -> None:
    with pytest.raises(InputError, match=said):
        compile_schedule(schedule, lowered)


def test_a_steady_state_in_a_model_that_uses_time_is_refused() -> None:
    clocked = lower(read_antimony("model m\n A = 0; A' = sin(time) - A\nend\n"))
    with pytest.raises(UnsupportedError, match="uses time"):
        compile_schedule(Schedule((SteadyState(0.0, (Bolus(0.0, "A", 1.0),), 12.0),), (5.0,)), clocked)


def test_times_that_differ_by_rounding_are_one_edge(lowered: Lowered) -> None:
    third = 0.1 + 0.2
    assert third != 0.3
    events = (Infusion(0.0, "A", 1.0, third), Bolus(0.3, "A", 1.0))
    segments = compile_schedule(Schedule(events, (0.3, 1.0)), lowered)
    assert len(segments.edges) == 3
    assert segments.kind[segments.first[1] : segments.first[2]].tolist() == [RATE, JUMP]
    assert segments.rows.tolist() == [[0, 1], [1, 2], [2, 2]]


def test_the_sum_of_infusions_returns_to_exactly_zero(lowered: Lowered) -> None:
    events = tuple(Infusion(0.1 * i, "A", rate, 1.0) for i, rate in enumerate((0.1, 0.2, 0.7, 1e-9)))
    segments = compile_schedule(Schedule(events, (5.0,)), lowered)
    assert segments.value[segments.kind == RATE][-1] == 0.0


def test_an_ending_infusion_stops_before_one_that_begins_at_the_same_time(lowered: Lowered) -> None:
    events = (Infusion(2.0, "A", 5.0, 1.0), Infusion(1.0, "A", 3.0, 1.0))
    segments = compile_schedule(Schedule(events, (5.0,)), lowered)
    assert segments.value[segments.kind == RATE].tolist() == [3.0, 0.0, 5.0, 0.0]


def test_what_comes_after_the_last_look_is_left_out(lowered: Lowered) -> None:
    segments = compile_schedule(Schedule((Bolus(9.0, "A", 1.0), Bolus(1.0, "A", 1.0)), (5.0,)), lowered)
    assert segments.edges.tolist() == [0.0, 1.0, 5.0]


def test_records_at_one_time_keep_their_order(lowered: Lowered) -> None:
    events = (Observe(1.0), Bolus(1.0, "A", 1.0), Observe(1.0))
    schedule = Schedule(events, (1.0, 2.0))
    segments = compile_schedule(schedule, lowered)
    assert segments.kind.tolist() == [LOOK, JUMP, LOOK]
    assert segments.times.tolist() == schedule.times.tolist() == [1.0, 1.0, 1.0, 2.0]


@pytest.mark.parametrize("cut", [0.0, 0.5, 1.0, 1.7, 2.0, 4.0])
def test_a_schedule_cut_in_two_and_gone_on_with_is_the_whole(cut: float) -> None:
    """Cut before, at, within and after doses, infusions and settings."""
    model = lower(read_antimony("model m; k = 0.3; drip = 0; A' = drip - k*A; A = 0; end"))
    events = (Bolus(0.5, "A", 10.0), Infusion(1.0, "drip", 4.0, 1.5), Set(1.0, "k", 0.9), Bolus(2.0, "A", 3.0))
    whole = Schedule(events, (0.0, 0.5, 1.0, 1.7, 2.0, 4.0, 6.0))
    wanted = solve(model, None, whole, ["A"], relative_tolerance=1e-9)
    first = solve(model, None, before(whole, cut), ["A"], relative_tolerance=1e-9, keep_end=True)
    rest = solve(model, None, after(whole, cut), ["A"], relative_tolerance=1e-9, begin=first.end)
    np.testing.assert_allclose(np.concatenate([first["A"], rest["A"]], axis=1), wanted["A"], rtol=1e-6)


def test_what_cannot_be_cut_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="Reset"):
        after(Schedule((Reset(1.0),), (5.0,)), 2.0)

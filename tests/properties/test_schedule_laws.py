"""Any schedule on one compartment gives the sum of its doses' exponentials, whichever way it is solved."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.engine import Bolus, Infusion, Schedule, lower, read_antimony, solve
from rekindle.engine.schedule import compile_schedule

RATE = 0.35
LOWERED = lower(read_antimony(f"model one\n k = {RATE}; input = 0; A = 0; A' = input - k*A\nend\n"))

times = st.integers(0, 96).map(lambda quarter: quarter / 4)
sizes = st.floats(0.01, 50.0)
doses = st.one_of(
    st.builds(Bolus, times, st.just("A"), sizes),
    st.builds(Infusion, times, st.sampled_from(["A", "input"]), sizes, st.sampled_from([0.25, 0.6, 1.0, 7.3, 40.0])),
)
looks = st.lists(times, min_size=1, max_size=12).map(sorted).map(tuple)


def exact(dose: Bolus | Infusion, t: float) -> float:
    since = t - dose.time
    if since <= 0:
        return 0.0
    if isinstance(dose, Bolus):
        return dose.amount * math.exp(-RATE * since)
    given_h = min(since, dose.duration)
    return dose.rate / RATE * (1.0 - math.exp(-RATE * given_h)) * math.exp(-RATE * (since - given_h))


@pytest.mark.parametrize("backend", ["native", "reference"])
@settings(max_examples=25, deadline=None)
@given(events=st.lists(doses, max_size=8).map(tuple), at=looks)
def test_any_schedule_is_the_sum_of_its_doses(backend: str, events: tuple, at: tuple[float, ...]) -> None:
    found = solve(LOWERED, None, Schedule(events, at), ["A"], backend=backend, relative_tolerance=1e-10, threads=1)
    expected = [math.fsum(exact(dose, t) for dose in events) for t in at]
    assert not found.failures
    assert found["A"][0] == pytest.approx(expected, rel=1e-8, abs=1e-8)


@settings(max_examples=100, deadline=None)
@given(events=st.lists(doses, max_size=10).map(tuple), at=looks)
def test_compiled_segments_go_forward_and_hold_every_look_once(events: tuple, at: tuple[float, ...]) -> None:
    segments = compile_schedule(Schedule(events, at), LOWERED)
    assert (np.diff(segments.edges) > 0).all()
    assert segments.times.tolist() == list(at)
    assert segments.edges[-1] == max(at)
    within = sum(int(end - begin) for begin, end in segments.rows)
    at_start = sum(1 for t in at if t == 0.0)
    assert within + at_start == len(at)

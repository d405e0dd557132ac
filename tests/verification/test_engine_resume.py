"""Going on from where people stood: a course cut in two is the same course."""

from __future__ import annotations

import numpy as np
import pytest

from rekindle.engine import Bolus, Infusion, Schedule, Set, lower, read_antimony, solve
from rekindle.engine.backends import Backend

MODEL = """
model two_compartments
  k = 0.3; k12 = 0.5; k21 = 0.2; drive = 0; most = 20; half = 3
  A = 0; B = 0; C = 1
  A' = -k*A - k12*A + k21*B + drive
  B' = k12*A - k21*B
  C' = 0.1*(1 - C) - most*A/(half + A)*C/100
  level := A/2
end
"""
LOWERED = lower(read_antimony(MODEL))
OUTPUTS = ("level", "B", "C")
CUT = 5.0
RUNNING = Infusion(4.0, "drive", 3.0, 6.0)
EVENTS = (Bolus(0.0, "A", 10.0), RUNNING, Bolus(7.0, "A", 5.0), Set(6.0, "k", 0.6))


def rows(people: int) -> np.ndarray:
    """People who clear at different speeds."""
    table = np.tile(LOWERED.defaults, (people, 1))
    table[:, LOWERED.parameters.index("k")] = np.linspace(0.1, 0.8, people)
    return table


@pytest.mark.parametrize(("backend", "tolerance"), [("native", 1e-7), ("reference", 1e-9)])
def test_a_course_cut_in_two_is_the_same_course(backend: Backend, tolerance: float) -> None:
    people = rows(13)
    times = tuple(np.arange(1.0, 15.0))
    whole = solve(LOWERED, people, Schedule(EVENTS, times), OUTPUTS, backend=backend, relative_tolerance=tolerance)
    early = tuple(time for time in times if time < CUT)
    first = solve(
        LOWERED, people, Schedule(EVENTS[:2], (*early, CUT)), OUTPUTS,
        backend=backend, relative_tolerance=tolerance, keep_end=True,
    )  # fmt: skip
    rest = Infusion(CUT, "drive", RUNNING.rate, RUNNING.time + RUNNING.duration - CUT)
    second = solve(
        LOWERED, people, Schedule((rest, *EVENTS[2:]), tuple(time for time in times if time >= CUT), start=CUT),
        OUTPUTS, backend=backend, relative_tolerance=tolerance, begin=first.end,
    )  # fmt: skip
    joined = np.concatenate([first.values[:, : len(early)], second.values], axis=1)
    # Two adaptive solutions, each within some hundred times its tolerance.
    np.testing.assert_allclose(joined, whole.values, rtol=300 * tolerance, atol=1e-6)


def test_both_solvers_end_in_the_same_states() -> None:
    people = rows(13)
    schedule = Schedule(EVENTS, (9.0,))
    ends = [
        solve(LOWERED, people, schedule, OUTPUTS, backend=backend, relative_tolerance=1e-8, keep_end=True).end
        for backend in ("native", "reference")
    ]
    assert ends[0] is not None and ends[1] is not None
    np.testing.assert_allclose(ends[0].states, ends[1].states, rtol=1e-5)


def test_a_person_goes_on_the_same_whoever_else_does() -> None:
    people = rows(13)
    first = solve(LOWERED, people, Schedule(EVENTS[:1], (3.0,)), OUTPUTS, keep_end=True)
    assert first.end is not None
    later = Schedule((Bolus(4.0, "A", 1.0),), (9.0,), start=3.0)
    together = solve(LOWERED, people, later, OUTPUTS, begin=first.end)
    alone = solve(LOWERED, people[7:8], later, OUTPUTS, begin=first.end.take(np.array([7])), scale=_scale(later))
    together_with_scale = solve(LOWERED, people, later, OUTPUTS, begin=first.end, scale=_scale(later))
    np.testing.assert_array_equal(alone.values[0], together_with_scale.values[7])
    np.testing.assert_allclose(together.values, together_with_scale.values, rtol=1e-3)


def _scale(schedule: Schedule) -> np.ndarray:
    from rekindle.engine.scale import typical_scale
    from rekindle.engine.schedule import compile_schedule

    return typical_scale(LOWERED, compile_schedule(schedule, LOWERED))

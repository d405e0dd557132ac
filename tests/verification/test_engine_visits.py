"""Deciding at visits changes nothing but what is decided."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rekindle.engine import Bolus, Infusion, Schedule, Set, lower, read_antimony, solve
from rekindle.engine.backends import Backend
from rekindle.engine.table import Happenings, target
from rekindle.engine.visits import Decision, Visit, Visited, solve_visits
from rekindle.errors import InputError, UnsupportedError

MODEL = """
model m
  k = 0.3; k12 = 0.5; k21 = 0.2; drive = 0
  A = 0; B = 0; C = 1
  A' = -k*A - k12*A + k21*B + drive
  B' = k12*A - k21*B
  C' = 0.1*(1 - C) - 0.2*A/(3 + A)*C
end
"""
LOWERED = lower(read_antimony(MODEL))
OUTPUTS = ("A", "B", "C")
TIMES = tuple(np.arange(0.0, 25.0))
HORIZON = 24.0
EVENTS = (Bolus(0.0, "A", 10.0), Infusion(4.0, "drive", 3.0, 6.0), Set(6.0, "k", 0.6), Bolus(7.0, "A", 5.0))
PEOPLE = 9


def rows() -> np.ndarray:
    table = np.tile(LOWERED.defaults, (PEOPLE, 1))
    table[:, LOWERED.parameters.index("k")] = np.linspace(0.1, 0.8, PEOPLE)
    return table


def happenings(events: tuple[Bolus | Infusion | Set, ...], people: np.ndarray) -> Happenings:
    parts = []
    for event in events:
        name = event.parameter if isinstance(event, Set) else event.target
        value = {Bolus: "amount", Infusion: "rate", Set: "value"}[type(event)]
        full = np.full(len(people), 1.0)
        parts.append(
            Happenings(
                people.astype(np.int64),
                full * event.time,
                np.full(len(people), target(LOWERED, name)),
                full * getattr(event, value),
                full * (event.duration if isinstance(event, Infusion) else 0.0),
            )
        )
    return Happenings.join(parts)


def given_at_start(visits: np.ndarray) -> Callable[[Visit], Decision]:
    """All is known at the start; the clinic comes back at these hours (people x visits) and does nothing."""

    def decide(visit: Visit) -> Decision:
        later = np.where(visits[visit.person] > visit.time[:, None] + 1e-6, visits[visit.person], np.inf)
        given = happenings(EVENTS, visit.person) if visit.number == 0 else Happenings.none()
        return Decision(later.min(axis=1), given)

    return decide


def followed(decide: Callable[[Visit], Decision], backend: Backend, tolerance: float, **more: int) -> Visited:
    return solve_visits(
        LOWERED, rows(), OUTPUTS, decide, output_times=TIMES, horizon_h=HORIZON, backend=backend,
        relative_tolerance=tolerance, **more,
    )  # fmt: skip


@pytest.mark.parametrize(("backend", "tolerance"), [("native", 1e-7), ("reference", 1e-9)])
def test_visits_at_which_nothing_changes_change_nothing(backend: Backend, tolerance: float) -> None:
    plain = solve(LOWERED, rows(), Schedule(EVENTS, TIMES), OUTPUTS, backend=backend, relative_tolerance=tolerance)
    # Visits in the middle of the infusion, at doses, at ends of infusions, and at hours of each one's own.
    own = np.linspace(0.3, 20.0, PEOPLE)[:, None]
    for visits in ([[30.0]], [[5.0]], [[4.0, 6.0, 7.0, 10.0]], [[1.0, 2.0, 5.5, 8.0, 23.0]]):
        hours = np.concatenate([np.tile(visits, (PEOPLE, 1)), own], axis=1)
        found = followed(given_at_start(hours), backend, tolerance)
        np.testing.assert_allclose(found.solution.values, plain.values, rtol=300 * tolerance, atol=1e-6)


def test_doses_that_are_decided_are_doses() -> None:
    def decide(visit: Visit) -> Decision:
        """Every six hours a dose for whoever has less than 2 in A, by bolus or by infusion in turn."""
        low = visit.person[visit.values[:, 0] < 2.0]
        hour = float(visit.time[0])
        event = Bolus(hour, "A", 4.0) if visit.number % 2 else Infusion(hour + 1.0, "drive", 1.5, 7.0)
        return Decision(visit.time + 6.0, happenings((event,), low))

    found = followed(decide, "native", 1e-7, check=2)
    assert found.solution.report["sample_error"] < 1e-4
    counts = np.bincount(found.happened.person, minlength=PEOPLE)
    assert counts.min() < counts.max()
    for person in range(PEOPLE):
        mine = found.happened.take(found.happened.person == person)
        drive = target(LOWERED, "drive")
        events = tuple(
            Infusion(time, "drive", value, duration) if where == drive else Bolus(time, "A", value)
            for time, where, value, duration in zip(mine.time, mine.target, mine.value, mine.duration, strict=True)
        )
        static = solve(LOWERED, rows()[person : person + 1], Schedule(events, TIMES), OUTPUTS, relative_tolerance=1e-7)
        np.testing.assert_allclose(found.solution.values[person], static.values[0], rtol=3e-5, atol=1e-6)


def test_looks_that_are_asked_for_come_with_the_next_visit() -> None:
    seen: list[Visit] = []

    def decide(visit: Visit) -> Decision:
        seen.append(visit)
        given = happenings(EVENTS[:1], visit.person) if visit.number == 0 else Happenings.none()
        ask = np.repeat(visit.person, 2), np.concatenate([visit.time[:, None] + [0.5, 9.0]]).ravel()
        return Decision(visit.time + 8.0, given, *(ask if visit.number == 0 else ()))

    followed(decide, "native", 1e-6)
    assert [len(visit.watched.person) for visit in seen] == [0, PEOPLE, PEOPLE]
    np.testing.assert_array_equal(seen[1].watched.time, 0.5)
    np.testing.assert_array_equal(seen[2].watched.time, 9.0)
    np.testing.assert_array_equal(seen[0].values[:, 0], 0.0)  # before the dose at hour 0


def test_the_last_bit_does_not_depend_on_the_threads() -> None:
    hours = np.tile([[3.0, 9.0]], (PEOPLE, 1))
    one, four = (followed(given_at_start(hours), "native", 3e-4, threads=threads) for threads in (1, 4))
    np.testing.assert_array_equal(one.solution.values, four.solution.values)


def test_who_cannot_be_solved_is_named_and_the_others_go_on() -> None:
    def decide(visit: Visit) -> Decision:
        given = happenings(EVENTS[:1], visit.person) if visit.number == 0 else Happenings.none()
        if visit.number == 1:
            given = happenings((Set(visit.time[0], "k", -200.0),), np.array([4]))
        return Decision(visit.time + 8.0, given)

    found = followed(decide, "native", 3e-4)
    assert [failure.person for failure in found.solution.failures] == [4]
    assert np.isnan(found.solution.values[4]).all()
    assert np.isfinite(np.delete(found.solution.values, 4, axis=0)).all()


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="visit of person 0 after 0 h is at 0 h"):
        followed(lambda visit: Decision(visit.time), "native", 1e-4)
    with pytest.raises(InputError, match="before the visit"):
        followed(lambda visit: Decision(visit.time + 8.0, happenings(EVENTS[:1], visit.person)), "native", 1e-4)
    with pytest.raises(UnsupportedError, match="cannot go on"):
        followed(given_at_start(np.full((PEOPLE, 1), 3.0)), "xla", 1e-4)  # type: ignore[arg-type]

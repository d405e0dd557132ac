"""Many people at once: nobody's result depends on another's, nobody is lost, and laws hold."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from rekindle.engine import Bolus, Infusion, Reset, Schedule, Set, lower, read_antimony, solve
from rekindle.engine.native import solve_native
from rekindle.engine.schedule import compile_schedule
from rekindle.engine.task import Task
from rekindle.errors import InputError

BACKENDS = ("reference", "native")

DRUG = """model drug
  ka = 1.5; F = 0.6; CL = 8; V = 20; Q = 12; W = 50; EC = 0.4; h = 1.7; k = 0.3; input = 0
  D = 0; D' = -ka*D
  lost = 0; lost' = (1 - F)*ka*D
  A = 0; A' = input + F*ka*D - CL*A/V - Q*A/V + Q*P/W
  P = 0; P' = Q*A/V - Q*P/W
  gone = 0; gone' = CL*A/V
  c := A/V
  R = 1; R' = k*(1 + 2*(c*c + 1e-12)^(h/2)/((c*c + 1e-12)^(h/2) + EC^h) - R)
end
"""
LOWERED = lower(read_antimony(DRUG))
WEEK = (
    Bolus(0.0, "D", 100.0),
    Infusion(30.0, "A", 25.0, 2.0),
    Bolus(31.0, "D", 60.0),
    Infusion(80.0, "input", 9.0, 5.0),
)
LOOKS = tuple(np.linspace(1.0, 168.0, 80))


def people(count: int) -> np.ndarray:
    rows = np.tile(LOWERED.defaults, (count, 1))
    rows *= np.exp(0.3 * np.random.default_rng(7).standard_normal(rows.shape))
    rows[:, LOWERED.parameters.index("input")] = 0.0
    rows[:, LOWERED.parameters.index("F")] = 0.6
    return rows


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_was_given_equals_what_is_held_plus_what_has_gone(backend: str) -> None:
    solution = solve(
        LOWERED, people(6), Schedule(WEEK, LOOKS), ["D", "lost", "A", "P", "gone"], backend=backend,
        relative_tolerance=1e-11, threads=1,
    )  # fmt: skip
    times = np.array(LOOKS)
    given = 100.0 + 25.0 * np.clip(times - 30, 0, 2) + 60.0 * (times > 31) + 9.0 * np.clip(times - 80, 0, 5)
    np.testing.assert_allclose(solution.values.sum(axis=2), np.tile(given, (6, 1)), rtol=1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
def test_doses_add_up_and_scale_where_the_model_is_linear(backend: str) -> None:
    def course(*events: Bolus | Infusion) -> np.ndarray:
        found = solve(
            LOWERED, people(3), Schedule(events, LOOKS), ["A", "P"], backend=backend, relative_tolerance=1e-11,
            threads=1,
        )  # fmt: skip
        return found.values

    one, two = course(*WEEK[:2]), course(*WEEK[2:])
    both = course(*WEEK)
    largest = both.max()
    assert np.abs(one + two - both).max() <= 1e-8 * largest
    tripled = course(
        *(replace(e, amount=3 * e.amount) if isinstance(e, Bolus) else replace(e, rate=3 * e.rate) for e in WEEK)
    )
    assert np.abs(3 * both - tripled).max() <= 3e-8 * largest


def test_native_agrees_with_the_reference_for_everybody() -> None:
    schedule, names = Schedule(WEEK, LOOKS), ["A", "c", "R", "gone", "k"]
    exact = solve(LOWERED, people(20), schedule, names, backend="reference", relative_tolerance=1e-11)
    for tolerance, bar in ((3e-4, 3e-4), (1e-8, 1e-7)):
        found = solve(LOWERED, people(20), schedule, names, relative_tolerance=tolerance)
        scale = np.abs(exact.values).max(axis=(0, 1))
        assert np.max(np.abs(found.values - exact.values) / (np.abs(exact.values) + 1e-3 * scale)) <= bar


def ragged(count: int) -> list[Schedule]:
    return [
        Schedule(
            (
                Bolus(float(i % 5), "D", 50.0 + i),
                Infusion(6.0 + i, "A", 5.0, 1.0 + 0.1 * i),
                Set(9.0, "CL", 4.0),
                # Still running when the person is done, so the next in that lane must not inherit them.
                Infusion(12.0, "A", 2.0 + i, 1000.0),
                Infusion(13.0, "input", 1.0 + i, 1000.0),
            ),
            tuple(np.linspace(2.0, 20.0 + 3 * i, 5 + i)),
        )
        for i in range(count)
    ]


def test_a_person_alone_and_in_a_crowd_is_the_same_to_the_last_bit() -> None:
    rows, schedules = people(23), ragged(23)
    scale = np.ones(len(LOWERED.states))
    crowd = solve(LOWERED, rows, schedules, ["A", "R"], threads=2, scale=scale)
    for i in (0, 4, 11, 22):
        alone = solve(LOWERED, rows[i], schedules[i], ["A", "R"], threads=1, scale=scale)
        own = len(schedules[i].output_times)
        assert np.array_equal(crowd.values[i, :own], alone.values[0])
        assert crowd.times[i, :own].tolist() == list(schedules[i].output_times)
        assert np.isnan(crowd.values[i, own:]).all() and np.isnan(crowd.times[i, own:]).all()


def test_a_task_may_be_given_arrays_that_do_not_lie_in_one_piece() -> None:
    segments = (compile_schedule(Schedule(WEEK, LOOKS[:9]), LOWERED),)
    rows, which, scale = people(10), np.zeros(10, dtype=np.int64), np.ones(len(LOWERED.states))
    task = Task(LOWERED, rows, segments, which, ("A", "R"), 3e-4, 1, scale)
    values, _, _ = solve_native(task)
    apart = replace(task, rows=np.asfortranarray(rows), scale=np.ones(2 * len(scale))[::2])
    assert np.array_equal(solve_native(apart)[0], values)


def test_reference_processes_give_what_one_process_gives() -> None:
    rows, schedules = people(13), ragged(13)
    calls: list[tuple[int, int]] = []
    several = solve(
        LOWERED, rows, schedules, ["A", "R"], backend="reference", threads=2,
        progress=lambda done, total: calls.append((done, total)),
    )  # fmt: skip
    one = solve(LOWERED, rows, schedules, ["A", "R"], backend="reference", threads=1)
    np.testing.assert_array_equal(several.values, one.values)
    assert calls[-1] == (13, 13) and calls == sorted(calls)


BLOWS_UP = "model m\n g = 1; x = 1; x' = g*x*x; y = 1; y' = -y\nend\n"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_person_whose_states_run_away_is_named_and_the_others_are_kept(backend: str) -> None:
    lowered = lower(read_antimony(BLOWS_UP))
    rows = np.array([[0.01], [5.0], [0.02]])
    solution = solve(lowered, rows, Schedule((), (1.0, 2.0)), ["x", "y"], backend=backend, threads=1)
    assert [failure.person for failure in solution.failures] == [1]
    assert solution.failures[0].reason
    assert np.isnan(solution.values[1]).all()
    assert solution["x"][[0, 2], 1] == pytest.approx([1 / (1 - 0.02), 1 / (1 - 0.04)], rel=1e-3)


@pytest.mark.parametrize("backend", BACKENDS)
def test_rates_that_are_not_numbers_are_named(backend: str) -> None:
    lowered = lower(read_antimony("model m\n a = 1; x = 1; x' = -sqrt(a - 2)*x; y = 1; y' = -y\nend\n"))
    solution = solve(lowered, np.array([[3.0], [1.0]]), Schedule((), (1.0,)), ["y", "x"], backend=backend, threads=1)
    assert [failure.person for failure in solution.failures] == [1]
    assert "not finite" in solution.failures[0].reason and "x" in solution.failures[0].reason
    assert solution["y"][0, 0] == pytest.approx(math.exp(-1.0), rel=1e-3)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_output_that_is_not_a_number_is_named(backend: str) -> None:
    lowered = lower(read_antimony("model m\n x = 1; x' = -x; f := ln(x - 0.5)\nend\n"))
    solution = solve(lowered, None, Schedule((), (0.1, 2.0)), ["x", "f"], backend=backend, threads=1)
    assert solution.failures[0].person == 0
    assert "'f'" in solution.failures[0].reason and "2 h" in solution.failures[0].reason


def test_parameters_that_are_not_finite_are_refused_by_name() -> None:
    rows = people(3)
    rows[1, LOWERED.parameters.index("V")] = np.nan
    with pytest.raises(InputError, match="'V' of person 1 is nan"):
        solve(LOWERED, rows, Schedule(WEEK, LOOKS), ["A"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"parameters": np.ones((2, 3))}, r"shape \(2, 3\)"),
        ({"outputs": ["B"]}, "Unknown output 'B'"),
        ({"outputs": "A"}, "list of names"),
        ({"outputs": ["A", "A"]}, "twice"),
        ({"backend": "fast"}, "Unknown backend 'fast'"),
        ({"relative_tolerance": 2.0}, "relative tolerance"),
        ({"schedules": []}, "no schedule"),
        ({"schedules": [Schedule((), (1.0,))] * 3, "parameters": np.ones((2, 10))}, "2 people but 3 schedules"),
        ({"scale": np.zeros(6)}, "positive numbers"),
    ],
)
def test_calls_that_make_no_sense_are_refused(changes: dict, said: str) -> None:
    call = {"parameters": None, "schedules": Schedule((), (1.0,)), "outputs": ["A"]} | changes
    with pytest.raises(InputError, match=said):
        solve(LOWERED, call.pop("parameters"), call.pop("schedules"), call.pop("outputs"), **call)


@pytest.mark.parametrize("backend", BACKENDS)
def test_hundreds_of_doses_of_a_stiff_model_stay_on_the_exact_curve(backend: str) -> None:
    """A depot that empties in seconds (5,000 per hour) beside elimination in hours."""
    lowered = lower(read_antimony("model m\n ka = 5000; k = 0.1; D = 0; D' = -ka*D; A = 0; A' = ka*D - k*A\nend\n"))
    doses = tuple(Bolus(0.5 * i, "D", 1.0) for i in range(400))
    looks = (99.9, 199.9)
    found = solve(lowered, None, Schedule(doses, looks), ["A"], backend=backend, relative_tolerance=1e-8, threads=1)
    ka, k = 5000.0, 0.1
    exact = [math.fsum(ka / (ka - k) * math.exp(-k * (t - 0.5 * i)) for i in range(400) if 0.5 * i < t) for t in looks]
    assert found["A"][0] == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_time_itself_may_drive_a_model(backend: str) -> None:
    lowered = lower(read_antimony("model m\n x = 0; x' = cos(time)\nend\n"))
    schedule = Schedule((Bolus(1.0, "x", 5.0), Reset(4.0)), (1.0, 3.0, 6.0))
    found = solve(lowered, None, schedule, ["x", "time"], backend=backend, relative_tolerance=1e-9, threads=1)
    expected = [math.sin(1.0), math.sin(3.0) + 5.0, math.sin(6.0) - math.sin(4.0)]
    assert found["x"][0] == pytest.approx(expected, abs=1e-7)
    assert found["time"][0] == pytest.approx([1.0, 3.0, 6.0])


ROBERTSON = """model robertson
  A = 1; A' = -0.04*A + 1e4*B*C
  B = 0; B' = 0.04*A - 1e4*B*C - 3e7*B*B
  C = 0; C' = 3e7*B*B
end
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_robertsons_reaction_reaches_its_known_values(backend: str) -> None:
    """Values at 40 and 4e5 from Hairer and Wanner's stiff test set (rober) and Robertson's own table."""
    lowered = lower(read_antimony(ROBERTSON))
    found = solve(lowered, None, Schedule((), (40.0, 4e5)), ["A", "B", "C"], backend=backend, relative_tolerance=1e-8)
    # Published to these digits in the LSODE example problem (Hindmarsh 1980).
    assert found.values[0, 0] == pytest.approx([7.158e-1, 9.185e-6, 2.842e-1], rel=2e-4)
    assert found.values[0, 1] == pytest.approx([4.9383e-3, 1.9850e-8, 9.9506e-1], rel=2e-4)
    assert found.values.sum(axis=2) == pytest.approx(np.ones((1, 2)), rel=1e-9)


def test_the_reference_gives_the_same_with_radau() -> None:
    from rekindle.engine.backends import Task
    from rekindle.engine.many import solve_reference
    from rekindle.engine.person import Accuracy
    from rekindle.engine.scale import typical_scale
    from rekindle.engine.schedule import compile_schedule

    segments = compile_schedule(Schedule(WEEK, LOOKS), LOWERED)
    scale = typical_scale(LOWERED, segments)
    task = Task(LOWERED, people(1), (segments,), np.zeros(1, dtype=np.int64), ("A", "R"), 1e-10, 1, scale)
    lsoda, _, _ = solve_reference(task)
    radau, _, _ = solve_reference(task, Accuracy(relative=1e-10, method="radau", scale=tuple(scale)))
    np.testing.assert_allclose(radau, lsoda, rtol=1e-7, atol=1e-9)


def test_a_run_measures_its_own_error_on_a_sample() -> None:
    schedule, rows = Schedule(WEEK, LOOKS), people(12)
    loose = solve(LOWERED, rows, schedule, ["A", "R"], relative_tolerance=1e-2, check=3).report["sample_error"]
    usual = solve(LOWERED, rows, schedule, ["A", "R"], check=3).report["sample_error"]
    exact = solve(LOWERED, rows, schedule, ["A", "R"], backend="reference", relative_tolerance=1e-11).values
    found = solve(LOWERED, rows, schedule, ["A", "R"]).values
    largest = np.abs(exact).max(axis=(0, 1))
    true = np.max(np.abs(found - exact) / (np.abs(exact) + 1e-3 * largest))
    assert 0.0 < usual <= 1.1 * true < 3e-4
    assert loose > 3 * usual
    assert "sample_error" not in solve(LOWERED, rows, schedule, ["A"]).report


@pytest.mark.parametrize(("name", "tolerance"), [("screening", 1e-3), ("default", 3e-4), ("tight", 1e-6)])
def test_accuracies_have_names(name: str, tolerance: float) -> None:
    schedule = Schedule(WEEK, LOOKS)
    named = solve(LOWERED, people(2), schedule, ["A"], relative_tolerance=name, threads=1)
    numbered = solve(LOWERED, people(2), schedule, ["A"], relative_tolerance=tolerance, threads=1)
    assert np.array_equal(named.values, numbered.values)


def test_an_accuracy_of_another_name_is_refused() -> None:
    with pytest.raises(InputError, match="tight"):
        solve(LOWERED, people(1), Schedule(WEEK, LOOKS), ["A"], relative_tolerance="tigth")


@pytest.mark.parametrize("width", [1, 2, 4, 8, 16])
def test_lanes_of_every_width_agree_to_the_tolerance(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One number at a time, SSE, AVX2, AVX-512, and two vectors at once; only the last digits differ."""
    from rekindle.engine import native

    schedule, names = Schedule(WEEK, LOOKS), ["A", "c", "R", "gone"]
    here = solve(LOWERED, people(5), schedule, names, relative_tolerance=1e-8, threads=1)
    monkeypatch.setattr(native, "lanes_here", lambda: width)
    there = solve(LOWERED, people(5), schedule, names, relative_tolerance=1e-8, threads=1)
    assert there.report["lanes"] == width
    scale = np.abs(here.values).max(axis=(0, 1))
    assert np.max(np.abs(there.values - here.values) / (np.abs(here.values) + 1e-3 * scale)) <= 1e-8


@pytest.mark.parametrize("threads", [1, 2])
def test_where_numbers_lie_in_memory_does_not_change_them(threads: int) -> None:
    """Blocks of people that are not equal, schedules of different lengths, and somebody who cannot be solved."""
    rows = people(150)
    rows[40, LOWERED.parameters.index("CL")] = -1e6
    schedules = [Schedule(WEEK, LOOKS[: 80 - person % 7]) for person in range(150)]
    names = ["A", "R", "c"]
    lying = [solve(LOWERED, rows, schedules, names, threads=threads, check=2, by_output=way) for way in (False, True)]
    np.testing.assert_array_equal(lying[0].values, lying[1].values)
    assert lying[0].values.flags.c_contiguous
    assert np.moveaxis(lying[1].values, 2, 0).flags.c_contiguous
    assert [[failure.person for failure in each.failures] for each in lying] == [[40], [40]]
    assert lying[0].report["sample_error"] == lying[1].report["sample_error"]

"""Leaving out equations that a piece of work does not need changes nothing but the time it takes."""

from __future__ import annotations

import numpy as np
import pytest

from rekindle.cohort import cohort
from rekindle.dosing import parse
from rekindle.engine.backends import solve
from rekindle.engine.lower import lower
from rekindle.engine.reading import read_antimony
from rekindle.engine.schedule import Bolus, Infusion, Schedule, Set, SteadyState
from rekindle.engine.specialise import part_of
from rekindle.population import draw
from rekindle.simulate import lowered_model
from rekindle.study import Arm

TWO_ROUTES = """
model two_routes()
  gut' = -ka * gut; muscle' = -km * muscle;
  central' = ka * gut + km * muscle + drip - k * central;
  memory' = central - memory;
  lost' = k * central;
  gut = 0; muscle = 0; central = 0; memory = start; lost = 0;
  signal := central^hill / (1 + central^hill);
  mood' = signal + side * memory - mood; mood = 0;
  ka = 1; km = 2; k = 0.5; drip = 0; start = 0; hill = 1.3; side = 0;
end
"""
TIMES = (0.0, 0.5, 1.0, 3.0, 7.0)


@pytest.fixture(scope="module")
def small():
    return lower(read_antimony(TWO_ROUTES))


def test_states_that_nothing_fills_or_that_nobody_asks_for_are_left_out(small) -> None:
    part = part_of(small, ["mood"], zero={"drip", "start", "side"}, touched={"gut"})
    assert part.lowered.states == ("gut", "central", "mood")
    assert [small.states[i] for i in part.kept] == list(part.lowered.states)


def test_a_parameter_that_is_not_zero_keeps_what_hangs_on_it(small) -> None:
    assert "memory" in part_of(small, ["mood"], zero={"drip"}, touched={"gut"}).lowered.states
    assert "memory" in part_of(small, ["memory"], zero={"drip", "side"}, touched={"gut"}).lowered.states


def test_a_part_has_the_values_of_the_model_it_is_a_part_of(small) -> None:
    names = {"zero": {"drip", "start", "side"}, "touched": {"gut"}}
    before = part_of(small, ["mood"], **names).lowered
    other = lower(read_antimony(TWO_ROUTES.replace("ka = 1;", "ka = 4;")))
    part = part_of(other, ["mood"], **names).lowered
    assert dict(zip(part.parameters, part.defaults, strict=True))["ka"] == 4.0
    assert dict(zip(before.parameters, before.defaults, strict=True))["ka"] == 1.0
    assert part.network.digest == before.network.digest


def test_a_part_kept_on_disk_is_the_part_with_the_values_of_its_model(small, tmp_path, monkeypatch) -> None:
    """What another process finds on the disk gives the same numbers, also where its model has other values."""
    from rekindle.engine import specialise

    monkeypatch.setenv("REKINDLE_CACHE", str(tmp_path))
    schedule = Schedule((Bolus(0.5, "gut", 10.0),), TIMES)
    wanted = []
    for text in (TWO_ROUTES, TWO_ROUTES.replace("ka = 1;", "ka = 4;")):
        monkeypatch.setattr(specialise, "_MADE", {})
        model = lower(read_antimony(text))
        found = solve(model, None, schedule, ["mood"], specialise=True, relative_tolerance="tight")
        whole = solve(model, None, schedule, ["mood"], relative_tolerance="tight")
        np.testing.assert_allclose(found.values, whole.values, rtol=1e-5, atol=1e-7)
        wanted.append(found.values)
    assert len(list(tmp_path.glob("model-*.pickle"))) == 1
    assert np.abs(wanted[1] - wanted[0]).max() > 0.01


def test_an_output_that_stays_zero_is_shown_as_zero(small) -> None:
    schedule = Schedule((Bolus(0.0, "gut", 2.0),), TIMES)
    outputs = ("muscle", "mood")
    whole = solve(small, None, schedule, outputs, relative_tolerance=1e-9)
    part = solve(small, None, schedule, outputs, relative_tolerance=1e-9, specialise=True)
    assert (part["muscle"] == 0.0).all()
    np.testing.assert_allclose(part.values, whole.values, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("outputs", [("k",), ("twice",), ("clearance", "km")])
def test_outputs_that_no_state_moves_are_solved_too(outputs: tuple[str, ...]) -> None:
    text = TWO_ROUTES.replace(
        "gut' =", "ahead' = central - ahead; ahead = 1; twice = 2 * k; clearance := k * km;\n  gut' ="
    )
    schedule = Schedule((Bolus(0.0, "gut", 2.0), Set(1.0, "km", 3.0)), TIMES)
    own = lower(read_antimony(text))
    whole = solve(own, None, schedule, outputs)
    part = solve(own, None, schedule, outputs, specialise=True)
    np.testing.assert_array_equal(part.values, whole.values)


def test_a_dose_into_what_is_left_out_is_no_error_and_one_into_what_counts_still_counts(small) -> None:
    events = (Bolus(0.0, "lost", 5.0), Bolus(0.5, "muscle", 2.0), Infusion(1.0, "drip", 3.0, 2.0))
    schedule = Schedule(events, TIMES)
    whole = solve(small, None, schedule, ("central",), relative_tolerance=1e-9)
    part = solve(small, None, schedule, ("central",), relative_tolerance=1e-9, specialise=True)
    assert whole.values.max() > 1.0
    np.testing.assert_allclose(part.values, whole.values, rtol=1e-7, atol=1e-9)


def test_steady_states_are_solved_with_the_whole_network(small) -> None:
    schedule = Schedule((SteadyState(0.0, (Bolus(0.0, "gut", 1.0),), 12.0),), TIMES)
    whole = solve(small, None, schedule, ("central",))
    part = solve(small, None, schedule, ("central",), specialise=True)
    np.testing.assert_array_equal(part.values, whole.values)


@pytest.mark.parametrize(
    ("sentence", "most"),
    [("0.5 mg/kg IV over 40 min, twice a week for 1 week", 40), ("esketamine 84 mg nasal, weekly for 2 weeks", 45)],
)
def test_the_whole_model_and_its_part_agree(sentence: str, most: int) -> None:
    model = lowered_model()
    arm = Arm("arm", parse(sentence))
    people = draw("treatment-resistant-depression", 8, 3)
    times = (0.0, 0.7, 2.0, 24.0, 72.0, 240.0)
    ready = cohort(people, arm, hypotheses={}, output_times=times, horizon_h=336.0)
    rows = ready.parameters[:, [ready.names.index(name) for name in model.parameters]]
    outputs = ("severity", "dissociation", "systolic_rise")
    whole = solve(model, rows, ready.schedules, outputs, relative_tolerance=1e-8)
    part = solve(model, rows, ready.schedules, outputs, relative_tolerance=1e-8, specialise=True)
    assert np.abs(whole["severity"][:, -1] - whole["severity"][:, 0]).max() > 0.02
    np.testing.assert_allclose(part.values, whole.values, rtol=1e-6, atol=1e-7)
    zero = set(np.array(model.parameters)[(rows == 0.0).all(axis=0)])
    touched = {event.target for event in ready.schedules[0].events if hasattr(event, "target")}
    assert len(part_of(model, outputs, zero=zero, touched=touched).lowered.states) <= most < len(model.states)

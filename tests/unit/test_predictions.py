"""A course as an event table, run through Rekindle's own model: the same as the course itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rekindle.dosing import Course, parse
from rekindle.engine import Bolus, Schedule, solve
from rekindle.errors import InputError
from rekindle.mechanism.delivery import deliver
from rekindle.models import Model, at_the_middle, open_model
from rekindle.predictions import simulate_events

OUTPUTS = ("plasma_ketamine", "severity", "dissociation")
TIMES = (0.5, 1.0, 4.0, 24.0, 72.5)


@pytest.fixture(scope="module")
def ours() -> Model:
    return open_model()


@pytest.mark.parametrize(
    "sentence",
    ["0.5 mg/kg IV over 40 min, days 1, 4", "84 mg intranasal esketamine, days 1, 4", "50 mg ketamine orally, once"],
)
def test_a_courses_table_gives_what_the_course_gives(ours: Model, sentence: str) -> None:
    from rekindle.simulate import lowered_model

    course: Course = parse(sentence)
    person = {"weight_kg": 82.0, "age_years": 61.0}
    given = course.administrations(weight_kg=82.0)
    table = course.event_table(person="p", weight_kg=82.0, observation_times_h=TIMES, covariates=person)
    found = simulate_events(ours, table, OUTPUTS)
    lowered = lowered_model()
    middle = at_the_middle(ours).network.values
    row = lowered.row({**middle, **person})
    expected = solve(lowered, row, Schedule(deliver(given, middle), TIMES), OUTPUTS, backend="reference").values[0]
    assert found.values == pytest.approx(expected, rel=1e-7, abs=1e-9)
    assert found["plasma_ketamine"].max() > 5.0


def test_a_look_beside_a_dose_of_a_course_follows_the_record_order(ours: Model) -> None:
    table = parse("0.5 mg/kg ketamine IV bolus, once").event_table(
        person="p", weight_kg=70.0, observation_times_h=[0.0, 1.0]
    )
    dose = next(event for event in table.events if event.is_dose)
    look = next(event for event in table.events if not event.is_dose)
    rest = tuple(event for event in table.events if event not in (dose, look))
    before = simulate_events(ours, replace(table, events=(look, dose, *rest)), ["central_S"])
    after = simulate_events(ours, replace(table, events=(dose, look, *rest)), ["central_S"])
    assert before["central_S"][0] == 0.0
    assert after["central_S"][0] == pytest.approx(0.25 * 70)
    assert before["central_S"][1] == pytest.approx(after["central_S"][1], rel=1e-9)


def test_our_model_takes_doses_by_the_name_of_a_state(ours: Model) -> None:
    from rekindle.dosing import Event, EventTable
    from rekindle.simulate import lowered_model

    events = (
        Event("p", 0.0, evid=1, amount=20.0, compartment="central_S"),
        *(Event("p", time) for time in TIMES),
    )
    found = simulate_events(ours, EventTable(events), ["plasma_ketamine_S"])
    lowered = lowered_model()
    schedule = Schedule((Bolus(0.0, "central_S", 20.0),), TIMES)
    row = lowered.row(at_the_middle(ours).network.values)
    expected = solve(lowered, row, schedule, ["plasma_ketamine_S"], backend="reference").values[0, :, 0]
    assert found["plasma_ketamine_S"] == pytest.approx(expected, rel=1e-7)  # the tolerance of the reference solver
    assert np.isfinite(expected).all()


def test_a_model_already_read_takes_no_further_table(ours: Model) -> None:
    table = parse("ketamine 50 mg orally, once").event_table(person="p", observation_times_h=[1.0])
    with pytest.raises(InputError, match="goes with a model file"):
        simulate_events(ours, table, parameters="values.csv")
    with pytest.raises(InputError, match="belong to the table"):
        simulate_events(ours, table, carry="LOCF")


def test_a_course_that_nobody_looks_at_is_refused(ours: Model) -> None:
    with pytest.raises(InputError, match="Person p has no row to look at"):
        simulate_events(ours, parse("50 mg ketamine orally, once").event_table(person="p"))

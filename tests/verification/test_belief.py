"""Expectancy and the share of symptoms that stays, against their closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from rekindle.cohort import cohort
from rekindle.dosing import parse
from rekindle.engine import Infusion, Schedule, solve
from rekindle.engine.schedule import Set
from rekindle.mechanism.parameters import parameter_table
from rekindle.population import draw
from rekindle.simulate import lowered_model
from rekindle.study import Arm

VALUES = {name: parameter.value for name, parameter in parameter_table().items()}
MONTH_H = 720.0


def rows(**values: float) -> np.ndarray:
    """One person of the resistant population with some values set, shape (1, parameters)."""
    who = draw("treatment-resistant-depression", 1, seed=3)
    ready = cohort(who, Arm("belief", parse("no treatment")), hypotheses={}, output_times=(0.0,), horizon_h=1.0)
    model = lowered_model()
    place = {name: index for index, name in enumerate(ready.names)}
    row = ready.parameters[:, [place[name] for name in model.parameters]].copy()
    for name, value in values.items():
        row[:, model.parameters.index(name)] = value
    return row


def course(events: tuple, times: tuple[float, ...], output: str, **values: float) -> np.ndarray:
    """An output at the times of one person, shape (times,)."""
    found = solve(
        lowered_model(), rows(**values), Schedule(events, times), [output], backend="reference",
        relative_tolerance=1e-10, threads=1,
    )  # fmt: skip
    assert not found.failures
    return found.values[0, :, 0]


def approached(time: np.ndarray, start: float, pull: float, aim: float, tau: float) -> np.ndarray:
    """x' = pull (aim - x) - x / tau from `start`."""
    rate = pull + 1.0 / tau
    rest = pull * aim / rate
    return rest + (start - rest) * np.exp(-rate * time)


@pytest.mark.parametrize("belief", [0.4, 1.0, 2.5])
def test_care_leads_to_what_belief_says(belief: float) -> None:
    times = (24.0, 200.0, MONTH_H)
    values = {"belief": belief, "expectancy_capacity": 0.3, "care_rate": 0.004, "tau_expectancy": 400.0}
    found = course((Infusion(0.0, "care", 1.0, MONTH_H),), times, "expectancy", **values)
    assert found == pytest.approx(approached(np.array(times), 0.0, 0.004, 0.3 * belief, 400.0), rel=1e-8)


def test_a_session_lifts_towards_what_belief_says_and_is_gone_by_the_next_day() -> None:
    values = {"belief": 1.5, "session_lift_capacity": 0.5, "session_lift_rate": 1.1, "tau_session_lift": 8.0}
    found = course((Infusion(0.0, "contact", 1.0, 2.0),), (2.0, 26.0), "session_lift", **values)
    during = approached(np.array([2.0]), 0.0, 1.1, 0.75, 8.0)[0]
    assert found == pytest.approx([during, during * np.exp(-3.0)], rel=1e-8)


def test_what_is_believed_may_change_while_care_goes_on() -> None:
    events = (Infusion(0.0, "care", 1.0, MONTH_H), Set(100.0, "belief", 2.0))
    values = {"belief": 0.5, "expectancy_capacity": 0.3, "care_rate": 0.004, "tau_expectancy": 400.0}
    found = course(events, (100.0, 300.0), "expectancy", **values)
    first = approached(np.array([100.0]), 0.0, 0.004, 0.15, 400.0)[0]
    second = approached(np.array([200.0]), first, 0.004, 0.6, 400.0)[0]
    assert found == pytest.approx([first, second], rel=1e-8)


def test_without_expectancy_neither_moves() -> None:
    events = (Infusion(0.0, "care", 1.0, MONTH_H), Infusion(0.0, "contact", 1.0, 2.0))
    for output in ("expectancy", "session_lift"):
        assert course(events, (2.0, MONTH_H), output, switch_expectancy=0.0) == pytest.approx([0.0, 0.0], abs=1e-14)


@pytest.mark.parametrize("failed", [0.0, 3.5, 8.0])
def test_a_share_of_the_severity_stays_however_well_mood_is(failed: float) -> None:
    given = {
        "residual_share": 0.2, "residual_per_failure": 0.3, "failed_treatments": failed, "baseline_severity": 0.6,
        "depth": 0.95, "depth_per_failure": 0.0, "external_stress": -3.0, "tau_stress": 1.0, "belief": 1.0,
        "expectancy_capacity": 50.0,
    }  # fmt: skip
    well = course((Infusion(0.0, "care", 1.0, 4000.0),), (4000.0,), "severity", **given)[0]
    odds = 0.25 * np.exp(0.3 * (failed - VALUES["reference_failures"]))
    assert well == pytest.approx(0.6 * odds / (1.0 + odds), rel=1e-4)


def test_anxiety_keeps_its_own_part() -> None:
    given = {
        "residual_share": 0.1, "residual_per_failure": 0.0, "tension_mood": 0.7, "baseline_severity": 0.5,
        "external_stress": -3.0, "tau_stress": 1.0, "expectancy_capacity": 50.0,
    }  # fmt: skip
    events = (Infusion(0.0, "care", 1.0, 4000.0),)
    severity, tension = (course(events, (4000.0,), name, **given)[0] for name in ("severity", "tension"))
    assert tension == pytest.approx(0.5 - 0.7 * (0.5 - severity), rel=1e-8)

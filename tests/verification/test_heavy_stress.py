"""Under the heaviest load the model stays within its bounds."""

from __future__ import annotations

import numpy as np
import pytest

from rekindle.cohort import cohort
from rekindle.dosing import parse
from rekindle.engine import Schedule, solve
from rekindle.engine.schedule import Set
from rekindle.mechanism.delivery import deliver
from rekindle.population import draw
from rekindle.simulate import lowered_model
from rekindle.study import Arm

LEVELS = ("plasticity_window", "labile_spines", "stable_synapses", "depression", "functional_gain", "stress_load")


@pytest.mark.parametrize("backend", ["reference", "native"])
def test_sprays_for_months_under_heavy_load_open_no_window_below_none(backend: str) -> None:
    who = draw("treatment-resistant-depression", 2, seed=3)
    ready = cohort(who, Arm("load", parse("no treatment")), hypotheses={}, output_times=(0.0,), horizon_h=1.0)
    model = lowered_model()
    place = {name: index for index, name in enumerate(ready.names)}
    rows = ready.parameters[:, [place[name] for name in model.parameters]]
    events = deliver(parse("84 mg intranasal esketamine, twice a week for 12 weeks").administrations(weight_kg=70.0))
    times = tuple(np.linspace(1.0, 2200.0, 60).tolist())
    schedule = Schedule((Set(1.0, "external_stress", 4.0), *(event for event in events if event.time >= 1.0)), times)
    found = solve(model, rows, schedule, [*LEVELS, "dopamine"], backend=backend, threads=1)
    assert not found.failures
    assert found.values[..., -1].min() < 0.0  # the load is heavy enough to matter
    assert found.values[..., :-1].min() > -1e-6
    assert found.values[..., :5].max() < 1.0 + 1e-6


def test_good_times_take_no_more_load_away_than_there_is() -> None:
    who = draw("treatment-resistant-depression", 1, seed=3)
    ready = cohort(who, Arm("load", parse("no treatment")), hypotheses={}, output_times=(0.0,), horizon_h=1.0)
    model = lowered_model()
    place = {name: index for index, name in enumerate(ready.names)}
    row = ready.parameters[:, [place[name] for name in model.parameters]].copy()
    row[:, model.parameters.index("tau_stress")] = 100.0
    schedule = Schedule((Set(0.0, "external_stress", -3.0),), (0.0, 50.0, 100.0))
    load = solve(model, row, schedule, ["stress_load"], backend="reference", relative_tolerance=1e-10, threads=1)
    fall = load.values[0, :, 0] / load.values[0, 0, 0]
    assert fall == pytest.approx(np.exp([0.0, -0.5, -1.0]), rel=1e-6)

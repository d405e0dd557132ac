"""Derivatives of the whole model: the quick way beside the plain one."""

from __future__ import annotations

import numpy as np

from rekindle.cohort import cohort
from rekindle.dosing import parse
from rekindle.engine.sensitivities import Direction, DoseTime, InfusionRate, solve_sensitivities
from rekindle.population import draw
from rekindle.simulate import lowered_model
from rekindle.study import Arm


def test_both_ways_agree_on_the_whole_model() -> None:
    lowered = lowered_model()
    who = draw("treatment-resistant-depression", 1, 20)
    arm = Arm("a", parse("0.5 mg/kg IV over 40 min, days 1, 3"))
    ready = cohort(who, arm, hypotheses={}, output_times=(0.5, 1.0, 6.0, 24.0, 48.5, 72.0), horizon_h=72.0)
    column = {name: index for index, name in enumerate(ready.names)}
    rows = ready.parameters[:, [column[name] for name in lowered.parameters]]
    directions: list[Direction] = ["clearance", "drive_synapse", "tau_mood", InfusionRate(1), DoseTime(1)]
    outputs = ["central_S", "dissociation", "stable_synapses", "depression"]
    quick, plain = (
        solve_sensitivities(lowered, rows, ready.schedules, outputs, directions, backend=backend)
        for backend in ("native", "reference")
    )
    assert not quick.failures and not plain.failures
    largest = np.abs(plain.jacobian).max(axis=1, keepdims=True)
    seen = largest > 1e-12 * np.abs(plain.values).max(axis=1)[:, None, :, None]
    off = np.where(seen, np.abs(quick.jacobian - plain.jacobian) / np.where(seen, largest, 1.0), 0.0)
    assert off.max() <= 1e-6
    assert seen.sum() >= 15

"""Relief of pain: by the drug while it is there, and by what a long infusion undoes, which comes back over weeks."""

from __future__ import annotations

import numpy as np
import pytest

from rekindle.cohort import cohort
from rekindle.dosing import parse
from rekindle.engine import Schedule, solve
from rekindle.mechanism.delivery import deliver
from rekindle.population import draw
from rekindle.simulate import lowered_model
from rekindle.study import Arm

GIVEN = {
    "baseline_pain": 0.7, "desensitisation_rate": 0.012, "tau_desensitisation": 900.0, "lasting_pain_relief": 0.8,
    "pain_relief": 0.9, "switch_expectancy": 0.0,
}  # fmt: skip


def courses(sentence: str, times: np.ndarray, **values: float) -> dict[str, np.ndarray]:
    """Pain, what stands behind it and the block, each of shape (times,), of one person without expectancy."""
    who = draw("treatment-resistant-depression", 1, seed=3)
    ready = cohort(who, Arm("pain", parse("no treatment")), hypotheses={}, output_times=(0.0,), horizon_h=1.0)
    model = lowered_model()
    place = {name: index for index, name in enumerate(ready.names)}
    row = ready.parameters[:, [place[name] for name in model.parameters]].copy()
    for name, value in (GIVEN | values).items():
        row[:, model.parameters.index(name)] = value
    names = ("pain", "desensitisation", "pain_block")
    events = deliver(parse(sentence).administrations(weight_kg=70.0)) if sentence else ()
    schedule = Schedule(tuple(events), tuple(times.tolist()))
    found = solve(model, row, schedule, names, backend="reference", relative_tolerance=1e-10, threads=1)
    assert not found.failures
    return {name: found.values[0, :, column] for column, name in enumerate(names)}


def test_relief_outlasts_the_drug_and_is_lost_with_its_own_time() -> None:
    times = np.array([60.0, 400.0, 1300.0])
    seen = courses("22 mg/h esketamine IV over 100 h, once", times)
    assert seen["pain_block"][1] < 1e-4 < 0.2 < seen["pain_block"][0]
    assert seen["desensitisation"][2] / seen["desensitisation"][1] == pytest.approx(np.exp(-1.0), rel=1e-3)
    assert seen["pain"][1] == pytest.approx(0.7 * (1.0 - 0.8 * seen["desensitisation"][1]), rel=1e-4)
    assert seen["pain"][0] == pytest.approx(
        0.7 * (1.0 - 0.9 * seen["pain_block"][0]) * (1.0 - 0.8 * seen["desensitisation"][0]), rel=1e-8
    )


def test_what_is_undone_is_the_integral_of_the_block() -> None:
    times = np.concatenate([np.linspace(0.0, 100.0, 4001), np.linspace(100.0, 140.0, 4001)[1:]])
    seen = courses("22 mg/h esketamine IV over 100 h, once", times)
    undone = 0.0
    for number, step in enumerate(np.diff(times)):  # the exact step for a block that is constant meanwhile
        block = 0.5 * (seen["pain_block"][number] + seen["pain_block"][number + 1])
        rate = 0.012 * block + 1.0 / 900.0
        rest = 0.012 * block / rate
        undone = rest + (undone - rest) * np.exp(-rate * step)
    assert seen["desensitisation"][-1] == pytest.approx(undone, rel=1e-4)


def test_an_infusion_of_forty_minutes_leaves_next_to_nothing() -> None:
    seen = courses("0.5 mg/kg ketamine IV over 40 min, once", np.array([48.0]))
    assert 0.0 < seen["desensitisation"][0] < 0.05


def test_without_drug_and_hope_pain_stays() -> None:
    assert courses("", np.array([1.0, 700.0]))["pain"] == pytest.approx([0.7, 0.7], rel=1e-12)

"""The merged text says the same as the published equations, written down again here by hand.

The recommended set is linear but for the lung, so a dose's levels are a matrix exponential. The matrices below
follow the equations of the papers (three-compartment ketamine, two-compartment metabolites, well-stirred liver),
not the model's text.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import expm

from rekindle.dosing.administration import Administration
from rekindle.engine import lower, read_antimony, solve
from rekindle.engine.schedule import Schedule
from rekindle.mechanism.assemble import antimony_text
from rekindle.mechanism.delivery import deliver
from rekindle.mechanism.parameters import parameter_table

Array = NDArray[np.float64]
STATES = ["gut", "lining", "blood", "shallow", "deep", "nor", "nor_far", "hnk", "hnk_far", "effect"]
PERSON = {"weight_kg": 92.0, "age_years": 75.0, "liver_enzyme_activity": 1.4, "gut_enzyme_activity": 0.7}
TIMES = (0.25, 0.5, 1.0, 3.0, 8.0, 24.0)
OUTPUTS = [
    "plasma_ketamine",
    "arterial_ketamine",
    "plasma_norketamine",
    "plasma_hydroxynorketamine",
    "effect_site",
]


def value(name: str) -> float:
    return PERSON.get(name, parameter_table()[name].value)


def rates(e: str, gut_rate: float, lining_rate: float) -> tuple[Array, Array]:
    """d/dt of `STATES` as a matrix, and the arterial excess (ng/mL) per mg of each state."""
    ratio = PERSON["weight_kg"] / 70
    body, pace = ratio ** value("volume_exponent"), ratio ** value("clearance_exponent")
    flow = 151.0 - 2.19 * (PERSON["age_years"] - 60)
    usual = {"S": 392.0, "R": 0.9 * 151 * 392 / (151 + 0.1 * 392)}[e]
    intrinsic = PERSON["liver_enzyme_activity"] * usual
    through_liver = flow / (flow + intrinsic)
    clearance = {"S": 1.0, "R": 0.9}[e] * value("clearance") * pace
    clearance *= (flow * intrinsic / (flow + intrinsic)) / (151 * usual / (151 + usual))
    lost_at_wall = (1 - value("gut_escape")) * PERSON["gut_enzyme_activity"]
    through_wall = value("gut_escape") / (value("gut_escape") + lost_at_wall)
    v1, v2, v3 = value("central_volume") * body, value("shallow_volume"), value("deep_volume")
    vn, vnp = value("norketamine_volume") * body, value("norketamine_peripheral_volume")
    vh, vhp = (value(f"hydroxynorketamine_{name}") * body for name in ("volume", "peripheral_volume"))
    cln, qn = value("norketamine_clearance") * pace, value("norketamine_flow")
    clh = value("hydroxynorketamine_clearance") * pace
    clh *= {"S": 1.0, "R": value("hydroxynorketamine_clearance_ratio_R")}[e]
    qh = value("hydroxynorketamine_flow") * pace
    i = {name: k for k, name in enumerate(STATES)}
    m = np.zeros((len(STATES), len(STATES)))

    def move(source: str, target: str | None, rate: float) -> None:
        m[i[source], i[source]] -= rate
        if target:
            m[i[target], i[source]] += rate

    wall_share = value("gut_norketamine_share") * (1 - through_wall)
    move("gut", "blood", gut_rate * through_wall * through_liver)
    move("gut", "nor", gut_rate * (through_wall * (1 - through_liver) + wall_share))
    move("gut", None, gut_rate * (1 - through_wall - wall_share))
    move("lining", "blood", lining_rate)
    move("blood", "nor", clearance / v1)
    for far, q, v in (("shallow", value("shallow_flow"), v2), ("deep", value("deep_flow"), v3)):
        move("blood", far, q / v1)
        move(far, "blood", q / v)
    move("nor", "nor_far", qn / vn)
    move("nor_far", "nor", qn / vnp)
    move("nor", "hnk", value("hydroxynorketamine_share") * cln / vn)
    move("nor", None, (1 - value("hydroxynorketamine_share")) * cln / vn)
    move("hnk", "hnk_far", qh / vh)
    move("hnk_far", "hnk", qh / vhp)
    move("hnk", None, clh / vh)
    excess = np.zeros(len(STATES))
    excess[i["gut"]] = gut_rate * through_wall * through_liver
    excess[i["lining"]] = lining_rate
    excess *= 1000 / (value("mixing_flow") * pace)
    arterial = excess.copy()
    arterial[i["blood"]] += 1000 / v1
    m[i["effect"], :] += value("effect_site_rate") * arterial
    m[i["effect"], i["effect"]] -= value("effect_site_rate")
    return m, excess


def by_hand(e: str, times: tuple[float, ...], pieces: list[tuple[str, float, float]], rate: float) -> Array:
    """Levels at `times`, in the order of `OUTPUTS`, for doses (state, mg, hours; 0 hours: at once) from time 0."""
    m, excess = rates(e, rate, value("nasal_rate"))
    size = len(STATES)
    body = (PERSON["weight_kg"] / 70) ** value("volume_exponent")
    pace = (PERSON["weight_kg"] / 70) ** value("clearance_exponent")
    smaller = {"S": 1.0, "R": value("norketamine_volume_ratio_R")}[e]
    result = []
    for time in times:
        x = np.zeros(size)
        inflow = 0.0
        for state, amount, hours in pieces:
            unit = np.zeros(size)
            unit[STATES.index(state)] = amount / hours if hours else amount
            if not hours:
                x += expm(m * time) @ unit
                continue
            if state == "blood":
                unit[STATES.index("effect")] = (
                    value("effect_site_rate") * 1000 * amount / hours / (value("mixing_flow") * pace)
                )
                inflow += amount / hours if time < hours else 0.0
            ran = min(time, hours)
            wide = np.zeros((size + 1, size + 1))
            wide[:size, :size], wide[:size, size] = m, unit
            x += expm(m * (time - ran)) @ expm(wide * ran)[:size, size]
        venous = 1000 * x[STATES.index("blood")] / (value("central_volume") * body)
        result.append(
            [
                venous,
                venous + excess @ x + 1000 * inflow / (value("mixing_flow") * pace),
                1000 * x[STATES.index("nor")] / (value("norketamine_volume") * body * smaller),
                1000 * 239.70 / 237.73 * x[STATES.index("hnk")] / (value("hydroxynorketamine_volume") * body),
                x[STATES.index("effect")],
            ]
        )
    return np.array(result)


CASES = {
    "iv-bolus": ([("blood", 20.0, 0.0)], 1.0),
    "iv-infusion": ([("blood", 20.0, 0.7)], 1.0),
    "oral": ([("gut", 20.0, 0.32)], 0.97),
    "intranasal-device": ([("lining", 0.46 * 20, 0.0), ("gut", 0.54 * 20, 0.53)], 1.45),
}


@pytest.mark.parametrize("e", ["S", "R"])
@pytest.mark.parametrize("route", CASES)
def test_the_model_text_agrees_with_the_equations_by_hand(route: str, e: str) -> None:
    drug = {"S": "esketamine", "R": "arketamine"}[e]
    duration = 0.7 if route == "iv-infusion" else None
    events = deliver([Administration(0.0, drug, route, 20.0, duration)])
    lowered = lower(read_antimony(antimony_text(PERSON, processes=["absorption", "disposition"])))
    schedule = Schedule(tuple(event for event in events if getattr(event, "target", "") != "contact"), TIMES)
    solved = solve(lowered, None, schedule, [f"{name}_{e}" for name in OUTPUTS], backend="reference").values[0]
    pieces, gut_rate = CASES[route]
    expected = by_hand(e, TIMES, pieces, gut_rate)
    assert np.abs(solved - expected).max(axis=0) / expected.max(axis=0) == pytest.approx(0, abs=1e-8)

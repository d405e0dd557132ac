"""Ketamine in the body, derived a second time from the published set and the table of values alone.

Written without sight of the model's equations or of how it delivers doses: it shares the numbers in
`pharmacokinetics.csv` and nothing else. Two readings were settled after the first comparison and say so below.
All the linear routes are here, solved exactly with matrix exponentials.

One enantiomer is followed at a time in mg of ketamine equivalents:

    dC/dt  = R - (CL + Q1 + Q2)/V C + Q1/V1 S + Q2/V2 D          R: all ketamine that reaches the circulation
    dM/dt  = CL/V C + first pass - (CLn + Qn)/Vn M + Qn/Vpn MP
    dH/dt  = share CLn/Vn M - (CLh + Qh)/Vh H + Qh/Vph HP
    dE/dt  = ke0 (1000 C/V + 1000 R/Q_mixing - E)                 effect site on arterial concentrations, ng/mL

A dose from the gut splits: past the gut wall and the liver it is ketamine, what the liver takes is norketamine,
of what the gut wall takes a share is norketamine and the rest is lost.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.linalg import expm

TABLE = Path(__file__).parents[2] / "src" / "rekindle" / "mechanism" / "pharmacokinetics.csv"
MOLAR_MASS_HYDROXYNORKETAMINE = 239.70
DEVICE_MG = 28.0
DEVICE_GAP_H = 5.0 / 60.0
COMPARTMENTS = (
    "nose", "mouth", "muscle", "skin", "gut_spray", "gut_oral", "gut_extended", "gut_film",
    "central", "shallow", "deep", "norketamine", "norketamine_deep", "hydroxy", "hydroxy_deep",
    "effect", "lost", "norketamine_out", "hydroxy_out",
)  # fmt: skip
AT = {name: number for number, name in enumerate(COMPARTMENTS)}

Inputs = list[tuple[float, float, str, float]]
"""(start h, end h, compartment, mg): end == start is at once, else at a constant rate."""


def values() -> dict[str, float]:
    """The numbers of the table by name."""
    with TABLE.open(newline="", encoding="utf-8") as stream:
        return {row["name"]: float(row["value"]) for row in csv.DictReader(stream)}


def liver_escape(v: Mapping[str, float], enantiomer: str) -> float:
    """Share that passes the well-stirred liver: Q / (Q + intrinsic clearance)."""
    flow = flow_at_age(v)
    return flow / (flow + intrinsic(v, enantiomer) * v["liver_enzyme_activity"])


def flow_at_age(v: Mapping[str, float]) -> float:
    return v["liver_flow"] - v["liver_flow_decline"] * max(0.0, v["age_years"] - v["liver_decline_age"])


def intrinsic(v: Mapping[str, float], enantiomer: str) -> float:
    """The liver's intrinsic clearance.

    The ratio of R to S is one of clearances, hence, at one flow, of the shares E that the liver extracts; the
    intrinsic clearance that extracts E from a flow Q is Q E / (1 - E). (Read at first as a ratio of intrinsic
    clearances; in a well-stirred liver that would make the clearances 0.97 of each other, not 0.90.)
    """
    flow, intrinsic_S = v["liver_flow"], v["liver_intrinsic_S"]
    extracted = intrinsic_S / (flow + intrinsic_S) * (v["clearance_ratio_R"] if enantiomer == "R" else 1.0)
    return flow * extracted / (1.0 - extracted)


def ketamine_clearance(v: Mapping[str, float], enantiomer: str) -> float:
    """L/h: by weight, sex, and the well-stirred liver beside the reference liver (151 L/h, usual enzymes)."""
    size = (v["weight_kg"] / v["reference_weight"]) ** v["clearance_exponent"]
    base = v["clearance"] * (v["clearance_ratio_R"] if enantiomer == "R" else 1.0) * size
    flow, usual = flow_at_age(v), intrinsic(v, enantiomer)
    now = usual * v["liver_enzyme_activity"]
    relative = (flow * now / (flow + now)) / (v["liver_flow"] * usual / (v["liver_flow"] + usual))
    return base * relative * (1.0 + v["female_clearance_excess"] * v["female"])


def rate_matrix(v: Mapping[str, float], enantiomer: str) -> np.ndarray:
    """d(state)/dt = matrix @ state, without what is infused."""
    a = np.zeros((len(AT), len(AT)))

    def move(source: str, target: str | None, rate: float) -> None:
        a[AT[source], AT[source]] -= rate
        if target is not None:
            a[AT[target], AT[source]] += rate

    weight = v["weight_kg"] / v["reference_weight"]
    volume, flow = weight ** v["volume_exponent"], weight ** v["clearance_exponent"]
    central = v["central_volume"] * volume
    move("central", "norketamine", ketamine_clearance(v, enantiomer) / central)
    move("central", "shallow", v["shallow_flow"] / central)
    move("shallow", "central", v["shallow_flow"] / v["shallow_volume"])
    move("central", "deep", v["deep_flow"] / central)
    move("deep", "central", v["deep_flow"] / v["deep_volume"])

    ratio = v["norketamine_volume_ratio_R"] if enantiomer == "R" else 1.0
    norketamine = v["norketamine_volume"] * volume * ratio
    # Read at first for ketamine alone; the record (pk-sigtermans09-sex) names norketamine too.
    woman = 1.0 + v["female_clearance_excess"] * v["female"]
    cleared = v["norketamine_clearance"] * flow * ratio * woman / norketamine
    move("norketamine", "hydroxy", cleared * v["hydroxynorketamine_share"])
    move("norketamine", "norketamine_out", cleared * (1.0 - v["hydroxynorketamine_share"]))
    move("norketamine", "norketamine_deep", v["norketamine_flow"] * ratio / norketamine)
    move("norketamine_deep", "norketamine", v["norketamine_flow"] / v["norketamine_peripheral_volume"])

    hydroxy = v["hydroxynorketamine_volume"] * volume
    ratio = v["hydroxynorketamine_clearance_ratio_R"] if enantiomer == "R" else 1.0
    move("hydroxy", "hydroxy_out", v["hydroxynorketamine_clearance"] * ratio * flow / hydroxy)
    move("hydroxy", "hydroxy_deep", v["hydroxynorketamine_flow"] * flow / hydroxy)
    peripheral = v["hydroxynorketamine_peripheral_volume"] * volume
    move("hydroxy_deep", "hydroxy", v["hydroxynorketamine_flow"] * flow / peripheral)

    move("nose", "central", v["nasal_rate"])
    move("mouth", "central", v["mucosal_rate"])
    move("muscle", "central", v["intramuscular_rate"])
    move("skin", "central", v["subcutaneous_rate"])
    past_liver, past_wall = liver_escape(v, enantiomer), v["gut_escape"]
    for depot, rate in (
        ("gut_spray", v["spray_gut_rate"]),
        ("gut_oral", v["oral_gut_rate"]),
        ("gut_extended", v["extended_gut_rate"]),
    ):
        as_norketamine = past_wall * (1 - past_liver) + (1 - past_wall) * v["gut_norketamine_share"]
        move(depot, "central", rate * past_wall * past_liver)
        move(depot, "norketamine", rate * as_norketamine)
        move(depot, "lost", rate * (1 - past_wall) * (1 - v["gut_norketamine_share"]))
    move("gut_film", "central", v["film_gut_rate"] * v["film_escape"])
    move("gut_film", "norketamine", v["film_gut_rate"] * (1 - v["film_escape"]))

    mixing = v["mixing_flow"] * flow
    reaching = np.zeros(len(AT))
    for depot in ("nose", "mouth", "muscle", "skin", "gut_spray", "gut_oral", "gut_extended", "gut_film"):
        reaching[AT[depot]] = a[AT["central"], AT[depot]]
    a[AT["effect"]] += v["effect_site_rate"] * 1000.0 * reaching / mixing
    a[AT["effect"], AT["central"]] += v["effect_site_rate"] * 1000.0 / central
    a[AT["effect"], AT["effect"]] -= v["effect_site_rate"]
    return a


def curve(v: Mapping[str, float], enantiomer: str, inputs: Inputs, times: Sequence[float]) -> dict[str, np.ndarray]:
    """Amounts by compartment and concentrations (ng/mL) of one enantiomer at `times` (before what happens then)."""
    a = rate_matrix(v, enantiomer)
    flow = (v["weight_kg"] / v["reference_weight"]) ** v["clearance_exponent"]
    volume = (v["weight_kg"] / v["reference_weight"]) ** v["volume_exponent"]
    size = len(AT)
    edges = sorted({0.0, *times, *(x[0] for x in inputs), *(x[1] for x in inputs)})
    state, found, given = np.zeros(size), {}, np.zeros(size)
    for number, edge in enumerate(edges):
        if number:
            before = edges[number - 1]
            middle = 0.5 * (before + edge)
            given = np.zeros(size)
            for start, end, target, amount in inputs:
                if start <= middle <= end and end > start:
                    given[AT[target]] += amount / (end - start)
            forcing = given.copy()
            forcing[AT["effect"]] += v["effect_site_rate"] * 1000.0 * given[AT["central"]] / (v["mixing_flow"] * flow)
            augmented = np.zeros((size + 1, size + 1))
            augmented[:size, :size] = a
            augmented[:size, size] = forcing
            state = (expm(augmented * (edge - before)) @ np.append(state, 1.0))[:size]
        found[edge] = (state.copy(), given[AT["central"]])
        for start, end, target, amount in inputs:
            if start == end == edge:
                state[AT[target]] += amount
    states = np.array([found[float(time)][0] for time in times])
    infused = np.array([found[float(time)][1] for time in times])
    depots = [AT[name] for name in COMPARTMENTS[:8]]
    reaching = infused + states[:, depots] @ a[AT["central"], depots]
    out = {name: states[:, number] for name, number in AT.items()}
    ratio = v["norketamine_volume_ratio_R"] if enantiomer == "R" else 1.0
    out["plasma"] = 1000.0 * out["central"] / (v["central_volume"] * volume)
    out["arterial"] = out["plasma"] + 1000.0 * reaching / (v["mixing_flow"] * flow)
    out["plasma_norketamine"] = 1000.0 * out["norketamine"] / (v["norketamine_volume"] * volume * ratio)
    molar = MOLAR_MASS_HYDROXYNORKETAMINE / v["molar_mass_ketamine"]
    out["plasma_hydroxy"] = 1000.0 * molar * out["hydroxy"] / (v["hydroxynorketamine_volume"] * volume)
    return out


def intravenous(mg: float, start: float, duration: float) -> Inputs:
    """Into a vein at a constant rate, or at once for a duration of 0."""
    return [(start, start + duration, "central", mg)]


def intramuscular(v: Mapping[str, float], mg: float, start: float) -> Inputs:
    return [(start, start, "muscle", mg * v["intramuscular_fraction"])]


def subcutaneous(v: Mapping[str, float], mg: float, start: float) -> Inputs:
    return [(start, start, "skin", mg * v["subcutaneous_fraction"])]


def nasal_devices(v: Mapping[str, float], devices: int, start: float) -> Inputs:
    """28-mg devices five minutes apart: less of the later ones stays in the nose; the rest runs into the gut."""
    found: Inputs = []
    for device in range(devices):
        share = v["nasal_fraction"] * (v["nasal_later_factor"] if device else 1.0)
        time = start + device * DEVICE_GAP_H
        found.append((time, time, "nose", DEVICE_MG * share))
        found.append((time, time + v["spray_swallow_duration"], "gut_spray", DEVICE_MG * (1.0 - share)))
    return found


def drink(v: Mapping[str, float], mg: float, start: float) -> Inputs:
    return [(start, start + v["oral_release_duration"], "gut_oral", mg)]


def extended_tablet(v: Mapping[str, float], mg: float, start: float) -> Inputs:
    return [(start, start + v["extended_release_duration"], "gut_extended", mg)]


def film(v: Mapping[str, float], mg: float, start: float) -> Inputs:
    share = v["film_fraction"]
    return [
        (start, start + v["film_release_duration"], "mouth", mg * share),
        (start, start + v["film_swallow_duration"], "gut_film", mg * (1.0 - share)),
    ]


def lozenge(v: Mapping[str, float], mg: float, start: float) -> Inputs:
    """As a film, but what is swallowed fares as a drink does."""
    share = v["lozenge_fraction"]
    return [
        (start, start + v["film_release_duration"], "mouth", mg * share),
        (start, start + v["film_swallow_duration"], "gut_oral", mg * (1.0 - share)),
    ]


def halved(inputs: Inputs) -> Inputs:
    """One enantiomer's half of a racemic dose."""
    return [(start, end, target, 0.5 * mg) for start, end, target, mg in inputs]

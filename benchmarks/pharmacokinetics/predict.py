"""Predicted exposures for the rows of `inclusion.csv`, from the package's own model text.

The pharmacokinetic processes are read by the engine's reader. But for the lung they are linear in the states, so
they are solved exactly, by matrix exponentials between the events of `rekindle.mechanism.delivery`. A test runs
the same designs in libRoadRunner.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rekindle.dosing.administration import Administration
from rekindle.engine.schedule import Bolus, Infusion
from rekindle.mechanism.assemble import antimony_text
from rekindle.mechanism.delivery import NEEDED, deliver
from rekindle.mechanism.parameters import parameter_table

HERE = Path(__file__).parent
PROCESSES = ("absorption", "disposition")
DEVICE_MG, DEVICE_GAP_H = 28.0, 5 / 60
MOST_STEPS = 800  # in one stretch between doses: at most 0.12 h apart over four days
ANALYTES = [
    *(f"{kind}_ketamine{e}" for kind in ("plasma", "arterial") for e in ("", "_S", "_R")),
    *(f"plasma_{kind}{e}" for kind in ("norketamine", "hydroxynorketamine") for e in ("", "_S", "_R")),
]
Array = NDArray[np.float64]

#: What the population analysis of the nasal spray says of people from Asia (pk-pr21-kel-asian, -cln-asian,
#: -frn-japanese): (1.11 x 0.36 + 2.77)/(1.11 + 2.77) of the liver's activity, 0.81 of norketamine's clearance.
ASIAN = {"liver_enzyme_activity": (1.11 * 0.36 + 2.77) / (1.11 + 2.77), "norketamine_clearance": 0.81}
JAPANESE = {**ASIAN, "nasal_fraction": 1.34}


@lru_cache(maxsize=1)
def equations() -> tuple[tuple[str, ...], Callable[[Mapping[str, float]], tuple[list[float], list[float]]]]:
    """The names of the states, and a function from values of states and parameters to rates and analytes."""
    import sympy as sp

    from rekindle.engine.reading import read_antimony

    network = read_antimony(antimony_text(processes=PROCESSES))
    lines = ["def evaluate(values):"]
    lines += [f"    {name} = values['{name}']" for name in (*network.states, *network.parameters)]
    lines += [f"    {name} = {sp.pycode(formula)}" for name, formula in network.assignments.items()]
    rates = ", ".join(sp.pycode(network.rates[state]) for state in network.states)
    lines.append(f"    return [{rates}], [{', '.join(ANALYTES)}]")
    space: dict[str, Callable[[Mapping[str, float]], tuple[list[float], list[float]]]] = {}
    exec("import math\n" + "\n".join(lines), space)
    return network.states, space["evaluate"]


def matrices(values: Mapping[str, float], inputs: Sequence[str]) -> tuple[Array, Array, Array, Array]:
    """The model as x' = A x + B u, y = C x + D u, for one person and the named inputs u (mg/h)."""
    states, evaluate = equations()
    zero = {**values, **dict.fromkeys(states, 0.0), "infusion_S": 0.0, "infusion_R": 0.0}
    columns = [
        [np.array(part) for part in evaluate(zero | {name: 1.0})]
        for name in (*states, "infusion_S", "infusion_R")
    ]
    size = len(states)
    a = np.stack([rate for rate, _ in columns[:size]], axis=1)
    c = np.stack([level for _, level in columns[:size]], axis=1)
    b, d = np.zeros((size, len(inputs))), np.zeros((len(ANALYTES), len(inputs)))
    for k, name in enumerate(inputs):
        if name in states:
            b[states.index(name), k] = 1.0
        else:
            b[:, k], d[:, k] = columns[size + ("infusion_S", "infusion_R").index(name)]
    return a, b, c, d


def solve(
    events: Sequence[Bolus | Infusion], values: Mapping[str, float], horizon: float, step: float = 0.02
) -> tuple[Array, dict[str, Array]]:
    """Times (hours) and every analyte (ng/mL) at them, each edge of the schedule once before and once after."""
    from scipy.linalg import expm

    states, _ = equations()
    if any(event.target.startswith("lung") for event in events):
        raise ValueError("Absorption from the lung is not linear.")
    inputs = sorted({event.target for event in events if isinstance(event, Infusion)})
    a, b, c, d = matrices(values, inputs)
    edges = {0.0, horizon}
    for event in events:
        edges |= {event.time, event.time + (event.duration if isinstance(event, Infusion) else 0.0)}
    cuts = sorted(edge for edge in edges if edge <= horizon)
    x = np.zeros(len(states))
    times: list[Array] = []
    levels: list[Array] = []
    for start, end in pairwise(cuts):
        u = np.zeros(len(inputs))
        for event in events:
            if isinstance(event, Bolus):
                x[states.index(event.target)] += event.amount if event.time == start else 0.0
            elif event.time <= start < event.time + event.duration:
                u[inputs.index(event.target)] += event.rate
        count = min(max(1, int(np.ceil((end - start) / step))), MOST_STEPS)
        system = np.zeros((len(x) + 1, len(x) + 1))
        system[:-1, :-1], system[:-1, -1] = a, b @ u
        forward = expm(system * ((end - start) / count))
        course = np.empty((count + 1, len(x) + 1))
        course[0] = np.append(x, 1.0)
        for k in range(count):
            course[k + 1] = forward @ course[k]
        times.append(np.linspace(start, end, count + 1))
        levels.append(course[:, :-1] @ c.T + d @ u)
        x = course[-1, :-1].copy()
    table = np.vstack(levels)
    return np.concatenate(times), {name: table[:, i] for i, name in enumerate(ANALYTES)}


def administrations(design: Sequence[Mapping[str, str]]) -> list[Administration]:
    """The rows of `designs.csv` behind a record as administrations (mg of base)."""
    given = []
    for row in design:
        weight = float(row["weight_kg"]) if row["unit"] == "mg/kg" else 1.0
        amount, start = float(row["amount"]) * weight, float(row["start_h"])
        duration = float(row["duration_h"]) if row["duration_h"] else None
        if row["route"] == "intranasal-device":
            count = round(amount / DEVICE_MG)
            for device in range(count):
                time = start + device * DEVICE_GAP_H
                one = Administration(
                    time, row["drug"], row["route"], DEVICE_MG, device=device + 1, devices=count
                )
                given.append(one)
        else:
            given.append(Administration(start, row["drug"], row["route"], amount, duration))
    return given


def person_of(row: Mapping[str, str], values: Mapping[str, float]) -> dict[str, float]:
    """The parameter values of the typical person of a study, over `values`."""
    person = {name: entry.value for name, entry in parameter_table().items()} | dict(values)
    person["weight_kg"] = float(row["weight_kg"] or 70)
    person["age_years"] = float(row["age_years"] or 45)
    people = JAPANESE if "-japanese-" in row["record"] else ASIAN if "-asian-" in row["record"] else {}
    for name, factor in people.items():
        person[name] *= factor
    return person


def exposure(row: Mapping[str, str], times: Array, curves: Mapping[str, Array], first: float) -> float:
    """The predicted number for one row: Cmax or trough (ng/mL), AUC (ng.h/mL) or an area ratio.

    Only what follows `first` (the start of the last-named administration, hours) is looked at.
    """
    kind = "arterial" if row["site"] == "arterial" and row["analyte"].startswith("ketamine") else "plasma"
    curve = curves[f"{kind}_{row['analyte']}"]
    if row["metric"] == "AUC of a digitised curve":
        at = np.array([float(time) for time in row["times_h"].split()])
        levels = np.array([curve[np.searchsorted(times, time, side="left")] for time in at])
        return float(np.trapezoid(levels, at))
    if row["metric"] == "point":
        return float(curve[np.searchsorted(times, float(row["point_h"]), side="left")])
    after = times >= first
    if row["metric"] == "Cmax":
        return float(curve[after].max())
    if row["metric"] == "trough":
        return float(curve[np.searchsorted(times, float(row["duration_h"]), side="left")])
    if row["metric"] == "AUC ratio":
        parent = curves[f"{kind}_{row['analyte'].removeprefix('hydroxynor')}"]
        return float(np.trapezoid(curve, times) / np.trapezoid(parent, times))
    end = float(row["times_h"]) if row["times_h"] else np.inf
    inside = (times >= first) & (times <= first + end + 1e-9)
    return float(np.trapezoid(curve[inside], times[inside]))


def inclusion() -> list[dict[str, str]]:
    """The rows of `inclusion.csv`."""
    with (HERE / "inclusion.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def predictions(rows: Sequence[Mapping[str, str]], values: Mapping[str, float] | None = None) -> list[float]:
    """The predicted number for each of `rows`, with `values` over the parameter table."""
    from inclusion import design_of, designs

    table = designs()
    solved: dict[tuple[object, ...], tuple[Array, dict[str, Array]]] = {}
    result = []
    for row in rows:
        design = design_of(row["record"], table)
        person = person_of(row, values or {})
        given = administrations(design)
        horizon = horizon_of(row, given)
        key = (*given, tuple(sorted(person.items())), horizon)
        if key not in solved:
            events = deliver(given, {name: person[name] for name in NEEDED})
            drug = [
                event for event in events if isinstance(event, Bolus | Infusion) and event.target != "contact"
            ]
            solved[key] = solve(drug, person, horizon)
        first = max(administration.time_h for administration in given) if len(design) > 1 else 0.0
        result.append(exposure(row, *solved[key], first))
    return result


def horizon_of(row: Mapping[str, str], given: Sequence[Administration]) -> float:
    """Hours to solve for: the record's window, a day for a peak, four days for an area to infinity."""
    last = max(administration.end_h for administration in given)
    if row["metric"] in ("AUC of a digitised curve", "point"):
        return max(float(time) for time in row["times_h"].split())
    if row["metric"] == "trough":
        return last
    if row["metric"] == "Cmax":
        return last + 8.0
    return float(row["times_h"]) if row["times_h"] else last + 96.0

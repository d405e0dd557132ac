"""A user's model file, parameters and event table, solved, against closed forms, for every feature of the table.

One, two and three compartments with an absorption depot. The expected amounts are sums of exponentials written
for each case from what a pharmacologist would say happened (a dose now, an endless train of doses before, a reset
since), not from Rekindle's reading of the table: every exponential of the linear system is summed by hand, the
trains as geometric series.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rekindle.dosing import EventTable, Intake, read_events
from rekindle.engine import read_antimony
from rekindle.errors import InputError, UnsupportedError
from rekindle.predictions import Predictions, simulate_events

Floats = NDArray[np.float64]

KA, CL, V, Q2, V2, Q3, V3 = 0.9, 6.0, 20.0, 9.0, 35.0, 2.5, 80.0
DEPOT, CENTRAL = 0, 1
ALLOWED = 1e-8
MODELS = (1, 2, 3)


def antimony(compartments: int) -> str:
    """The model a user would write; a state's number is its place."""
    flows = ["", "- Q2/V*central + Q2/V2*shallow", "- Q2/V*central + Q2/V2*shallow - Q3/V*central + Q3/V3*deep"]
    lines = [
        "model pk()",
        "  depot' = -KA*depot; depot = 0",
        f"  central' = KA*depot - CL*(WT/70)^0.75/V*central {flows[compartments - 1]}; central = 0",
        "  shallow' = Q2/V*central - Q2/V2*shallow; shallow = 0" if compartments > 1 else "",
        "  deep' = Q3/V*central - Q3/V3*deep; deep = 0" if compartments > 2 else "",
        "  level := central/V",
        f"  KA = {KA}; CL = {CL}; V = {V}; WT = 70",
        f"  Q2 = {Q2}; V2 = {V2}" if compartments > 1 else "",
        f"  Q3 = {Q3}; V3 = {V3}" if compartments > 2 else "",
        "  F1 = 1; ALAG1 = 0; F2 = 1; ALAG2 = 0; R2 = 20; D2 = 1.5",
        "end",
    ]
    return "\n".join(line for line in lines if line)


def matrix(compartments: int, clearance: float = CL) -> Floats:
    """How amounts move, 1/h: depot, central, shallow, deep."""
    full = np.array(
        [
            [-KA, 0.0, 0.0, 0.0],
            [KA, -clearance / V, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.0],
        ]
    )
    for place, flow, volume in ((2, Q2, V2), (3, Q3, V3)):
        if place <= compartments:
            full[1, 1] -= flow / V
            full[1, place] += flow / volume
            full[place, 1] += flow / V
            full[place, place] -= flow / volume
    return full[: compartments + 1, : compartments + 1]


class Exponentials:
    """The unit response of a linear system as a sum of exponentials."""

    def __init__(self, rates: Floats) -> None:
        self.slopes, vectors = np.linalg.eig(rates)
        self.parts = np.einsum("ij,jc->cij", vectors, np.linalg.inv(vectors))  # from compartment, state, exponential

    def weigh(self, into: int, weights: Sequence[complex]) -> Floats:
        return np.real(self.parts[into] @ np.array(weights))


@dataclass(frozen=True)
class Given:
    """A dose, or (with `every`) an endless train of which the dose at `time` is the last."""

    time: float
    into: int
    amount: float = 0.0
    rate: float = 0.0
    lasting: float = 0.0
    every: float = 0.0

    def weight(self, slope: complex, time: float) -> complex:
        """What one exponential of the unit response is multiplied by at `time`."""
        age = time - self.time
        if not self.every:
            return self.single(slope, age)
        back = 0
        while age + back * self.every < 0:
            back += 1
        total = 0j
        while self.rate and age + back * self.every < self.lasting:  # those that are still running
            total += self.single(slope, age + back * self.every)
            back += 1
        # the rest is over, each an interval older than the last: a geometric series
        return total + self.single(slope, age + back * self.every) / (1 - cmath.exp(slope * self.every))

    def single(self, slope: complex, age: float) -> complex:
        if age < 0:
            return 0j
        if not self.rate:
            return self.amount * cmath.exp(slope * age)
        if math.isinf(self.lasting):  # it has run for ever and stopped `age` ago
            return -self.rate / slope * cmath.exp(slope * age)
        running = min(age, self.lasting)
        return self.rate * (cmath.exp(slope * running) - 1) / slope * cmath.exp(slope * (age - running))


def amounts(system: Exponentials, given: Sequence[Given], time: float) -> Floats:
    """Amounts in all compartments, shape (states,)."""
    return sum(
        (system.weigh(dose.into, [dose.weight(slope, time) for slope in system.slopes]) for dose in given),
        np.zeros(len(system.slopes)),
    )


@dataclass(frozen=True)
class Case:
    """Rows of doses (TIME EVID AMT CMT RATE DUR II ADDL SS), what they mean, and the model's F, lag and so on.

    `meaning` is a list of (from which hour, what has been given as far as the amounts then go).
    """

    rows: list[tuple[float, ...]]
    meaning: list[tuple[float, list[Given]]]
    model: dict[str, float] = field(default_factory=dict)


D = Given
LOOKS = (0.3, 0.9, 1.6, 2.7, 4.3, 6.6, 9.1, 11.7, 12.6, 14.9, 17.3, 21.1, 24.4, 26.9, 33.0, 47.3, 61.0)
DAILY = [D(24.0 * k, CENTRAL, 100) for k in range(3)]
CASES: dict[str, Case] = {
    "a dose at once": Case([(0, 1, 100, 2, 0, 0, 0, 0, 0)], [(0, [D(0, CENTRAL, 100)])]),
    "a dose at once into the depot": Case([(0, 1, 100, 1, 0, 0, 0, 0, 0)], [(0, [D(0, DEPOT, 100)])]),
    "RATE": Case([(0, 1, 100, 2, 40, 0, 0, 0, 0)], [(0, [D(0, CENTRAL, rate=40, lasting=2.5)])]),
    "RATE and DUR that agree": Case([(0, 1, 100, 2, 40, 2.5, 0, 0, 0)], [(0, [D(0, CENTRAL, rate=40, lasting=2.5)])]),
    "DUR": Case([(0, 1, 100, 2, 0, 5, 0, 0, 0)], [(0, [D(0, CENTRAL, rate=20, lasting=5)])]),
    "an infusion into the depot": Case(
        [(1, 1, 90, 1, 30, 0, 0, 0, 0)], [(0, []), (1, [D(1, DEPOT, rate=30, lasting=3)])]
    ),
    "RATE -1": Case([(0, 1, 100, 2, -1, 0, 0, 0, 0)], [(0, [D(0, CENTRAL, rate=25, lasting=4)])], {"R2": 25}),
    "RATE -2": Case([(0, 1, 100, 2, -2, 0, 0, 0, 0)], [(0, [D(0, CENTRAL, rate=62.5, lasting=1.6)])], {"D2": 1.6}),
    "F": Case([(0, 1, 100, 1, 0, 0, 0, 0, 0)], [(0, [D(0, DEPOT, 37)])], {"F1": 0.37}),
    "F shortens a stated rate": Case(
        [(0, 1, 100, 2, 40, 0, 0, 0, 0)], [(0, [D(0, CENTRAL, rate=40, lasting=1.5)])], {"F2": 0.6}
    ),
    "F lowers the rate of a stated duration": Case(
        [(0, 1, 100, 2, 0, 4, 0, 0, 0)], [(0, [D(0, CENTRAL, rate=15, lasting=4)])], {"F2": 0.6}
    ),
    "F shortens a modelled rate": Case(
        [(0, 1, 100, 2, -1, 0, 0, 0, 0)], [(0, [D(0, CENTRAL, rate=25, lasting=2.4)])], {"F2": 0.6, "R2": 25}
    ),
    "F lowers the rate of a modelled duration": Case(
        [(0, 1, 100, 2, -2, 0, 0, 0, 0)], [(0, [D(0, CENTRAL, rate=37.5, lasting=1.6)])], {"F2": 0.6, "D2": 1.6}
    ),
    "nothing arrives": Case([(0, 1, 100, 2, 40, 0, 0, 0, 0)], [(0, [])], {"F2": 0.0}),
    "lag": Case([(0, 1, 100, 1, 0, 0, 0, 0, 0)], [(0, [D(1.25, DEPOT, 100)])], {"ALAG1": 1.25}),
    "lag of an infusion": Case(
        [(0.5, 1, 100, 2, 40, 0, 0, 0, 0)], [(0, [D(1.75, CENTRAL, rate=40, lasting=2.5)])], {"ALAG2": 1.25}
    ),
    "ADDL": Case([(0, 1, 100, 2, 0, 0, 24, 2, 0)], [(0, DAILY)]),
    "ADDL of infusions that overlap": Case(
        [(0, 1, 100, 2, 10, 0, 6, 3, 0)], [(0, [D(6.0 * k, CENTRAL, rate=10, lasting=10) for k in range(4)])]
    ),
    "ADDL and lag": Case(
        [(0, 1, 100, 1, 0, 0, 12, 3, 0)], [(0, [D(2 + 12.0 * k, DEPOT, 80) for k in range(4)])], {"ALAG1": 2, "F1": 0.8}
    ),
    "SS 1": Case([(0, 1, 100, 2, 0, 0, 12, 0, 1)], [(0, [D(0, CENTRAL, 100, every=12)])]),
    "SS 1 into the depot, with ADDL": Case(
        [(0, 1, 100, 1, 0, 0, 8, 2, 1)], [(0, [D(0, DEPOT, 100, every=8), D(8, DEPOT, 100), D(16, DEPOT, 100)])]
    ),
    "SS 1 of infusions": Case(
        [(0, 1, 60, 2, 20, 0, 12, 0, 1)], [(0, [D(0, CENTRAL, rate=20, lasting=3, every=12)])]
    ),
    "SS 1, II below the duration": Case(
        [(0, 1, 100, 2, 10, 0, 4, 0, 1)], [(0, [D(0, CENTRAL, rate=10, lasting=10, every=4)])]
    ),
    "SS 1, II equal to the duration": Case(
        [(0, 1, 80, 2, 10, 0, 8, 0, 1)], [(0, [D(0, CENTRAL, rate=10, lasting=8, every=8)])]
    ),
    "SS 1, the duration twice II": Case(
        [(0, 1, 80, 2, 10, 0, 4, 0, 1)], [(0, [D(0, CENTRAL, rate=10, lasting=8, every=4)])]
    ),
    "SS 1 by DUR": Case([(0, 1, 90, 2, 0, 9, 6, 0, 1)], [(0, [D(0, CENTRAL, rate=10, lasting=9, every=6)])]),
    "SS 1 ends what went before": Case(
        [(0, 1, 500, 1, 0, 0, 0, 0, 0), (1, 1, 90, 2, 3, 0, 0, 0, 0), (12, 1, 100, 2, 0, 0, 12, 0, 1)],
        [(0, [D(0, DEPOT, 500), D(1, CENTRAL, rate=3, lasting=30)]), (12, [D(12, CENTRAL, 100, every=12)])],
    ),
    "SS 2": Case(
        [(0, 1, 500, 1, 0, 0, 0, 0, 0), (12, 1, 100, 2, 0, 0, 12, 0, 2)],
        [(0, [D(0, DEPOT, 500)]), (12, [D(0, DEPOT, 500), D(12, CENTRAL, 100, every=12)])],
    ),
    "SS 2 onto an infusion that runs": Case(
        [(0, 1, 300, 2, 15, 0, 0, 0, 0), (12, 1, 100, 1, 0, 0, 24, 0, 2)],
        [
            (0, [D(0, CENTRAL, rate=15, lasting=20)]),
            (12, [D(0, CENTRAL, rate=15, lasting=20), D(12, DEPOT, 100, every=24)]),
        ],
    ),
    "SS 2 of infusions, II below the duration": Case(
        [(0, 1, 200, 2, 0, 0, 0, 0, 0), (2, 1, 100, 2, 10, 0, 4, 0, 2)],
        [(0, [D(0, CENTRAL, 200)]), (2, [D(0, CENTRAL, 200), D(2, CENTRAL, rate=10, lasting=10, every=4)])],
    ),
    "SS 2 of infusions, II equal to the duration": Case(
        [(0, 1, 200, 1, 0, 0, 0, 0, 0), (2, 1, 40, 2, 10, 0, 4, 0, 2)],
        [(0, [D(0, DEPOT, 200)]), (2, [D(0, DEPOT, 200), D(2, CENTRAL, rate=10, lasting=4, every=4)])],
    ),
    "SS 1 then SS 2 twelve hours later (two doses a day that differ)": Case(
        [(0, 1, 100, 2, 0, 0, 24, 0, 1), (12, 1, 50, 2, 0, 0, 24, 0, 2)],
        [
            (0, [D(0, CENTRAL, 100, every=24)]),
            (12, [D(0, CENTRAL, 100, every=24), D(12, CENTRAL, 50, every=24)]),
        ],
    ),
    "SS and lag": Case(
        [(0, 1, 100, 1, 0, 0, 12, 0, 1)], [(0, [D(3.5, DEPOT, 100, every=12)])], {"ALAG1": 3.5}
    ),
    "SS, lag and an infusion that crosses the interval": Case(
        [(0, 1, 100, 2, 10, 0, 12, 0, 1)], [(0, [D(6, CENTRAL, rate=10, lasting=10, every=12)])], {"ALAG2": 6}
    ),
    "SS, lag, F and infusions that overlap": Case(
        [(0, 1, 200, 2, 10, 0, 6, 0, 1)],
        [(0, [D(2, CENTRAL, rate=10, lasting=14, every=6)])],
        {"ALAG2": 2, "F2": 0.7},
    ),
    "SS of a modelled duration": Case(
        [(0, 1, 100, 2, -2, 0, 8, 0, 1)],
        [(0, [D(0, CENTRAL, rate=5, lasting=10, every=8)])],
        {"D2": 10, "F2": 0.5},
    ),
    "SS 1 of an infusion without end": Case(
        [(0, 1, 0, 2, 25, 0, 0, 0, 1)], [(0, [D(0, CENTRAL, rate=25, lasting=math.inf)])]
    ),
    "SS 2 of an infusion without end": Case(
        [(0, 1, 300, 1, 0, 0, 0, 0, 0), (6, 1, 0, 2, 25, 0, 0, 0, 2)],
        [(0, [D(0, DEPOT, 300)]), (6, [D(0, DEPOT, 300), D(6, CENTRAL, rate=25, lasting=math.inf)])],
    ),
    "EVID 3": Case(
        [(0, 1, 100, 1, 0, 0, 0, 0, 0), (5, 3, 0, 0, 0, 0, 0, 0, 0), (14, 1, 50, 2, 0, 0, 0, 0, 0)],
        [(0, [D(0, DEPOT, 100)]), (5, [D(14, CENTRAL, 50)])],
    ),
    "EVID 3 ends infusions and doses to come": Case(
        [(0, 1, 100, 2, 5, 0, 12, 3, 0), (0, 1, 100, 1, 0, 0, 0, 0, 0), (4, 3, 0, 0, 0, 0, 0, 0, 0)],
        [(0, [D(0, CENTRAL, rate=5, lasting=20)]), (4, [])],
        {"ALAG1": 6},
    ),
    "EVID 4": Case(
        [(0, 1, 100, 1, 0, 0, 0, 0, 0), (12, 4, 60, 2, 20, 0, 0, 0, 0)],
        [(0, [D(0, DEPOT, 100)]), (12, [D(12, CENTRAL, rate=20, lasting=3)])],
    ),
    "EVID 4 with ADDL resets once": Case(
        [(0, 1, 100, 1, 0, 0, 0, 0, 0), (12, 4, 60, 2, 0, 0, 6, 2, 0)],
        [(0, [D(0, DEPOT, 100)]), (12, [D(12.0 + 6 * k, CENTRAL, 60) for k in range(3)])],
    ),
    "EVID 4 and lag: the reset is at once, the dose later": Case(
        [(0, 1, 100, 2, 0, 0, 0, 0, 0), (12, 4, 60, 1, 0, 0, 0, 0, 0)],
        [(0, [D(0, CENTRAL, 100)]), (12, [D(14.5, DEPOT, 60)])],
        {"ALAG1": 2.5},
    ),
    "EVID 4, SS, ADDL and lag": Case(
        [(0, 1, 100, 2, 0, 0, 0, 0, 0), (12, 4, 60, 1, 0, 0, 8, 2, 1)],
        [
            (0, [D(0, CENTRAL, 100)]),
            (12, [D(14.5, DEPOT, 60, every=8), D(22.5, DEPOT, 60), D(30.5, DEPOT, 60)]),
        ],
        {"ALAG1": 2.5},
    ),
    "several routes": Case(
        [(0, 1, 200, 1, 0, 0, 24, 1, 0), (0, 1, 20, 2, 0, 0, 0, 0, 0), (2, 1, 60, 2, 12, 0, 0, 0, 0),
         (4, 1, 60, 2, 30, 0, 0, 0, 0)],
        [(0, [D(0.5, DEPOT, 140), D(24.5, DEPOT, 140), D(0, CENTRAL, 20), D(2, CENTRAL, rate=12, lasting=5),
              D(4, CENTRAL, rate=30, lasting=2)])],
        {"F1": 0.7, "ALAG1": 0.5},
    ),
}  # fmt: skip
INTAKES = {"F1": 1.0, "ALAG1": 0.0, "F2": 1.0, "ALAG2": 0.0, "R2": 20.0, "D2": 1.5}


def table_text() -> str:
    """Every case a person of one table; the model's F, lag, rate and duration are columns that each fills."""
    lines = [f"ID,TIME,EVID,AMT,CMT,RATE,DUR,II,ADDL,SS,DV,{','.join(INTAKES)}"]
    for person, case in enumerate(CASES.values(), start=1):
        own = ",".join(repr(case.model.get(name, value)) for name, value in INTAKES.items())
        looks = [(time, 0, 0, 0, 0, 0, 0, 0, 0) for time in LOOKS]
        for row in sorted([*case.rows, *looks], key=lambda row: row[0]):
            time, evid, amount, compartment, *rest = row
            lines.append(f"{person},{time},{evid},{amount},{compartment or '.'},{','.join(map(str, rest))},.,{own}")
    return "\n".join(lines) + "\n"


def predicted(compartments: int, folder: Path) -> Predictions:
    (folder / "pk.ant").write_text(antimony(compartments))
    (folder / "events.csv").write_text(table_text())
    return simulate_events(folder / "pk.ant", folder / "events.csv", relative_tolerance=1e-12)


@pytest.fixture(scope="module", params=MODELS, ids=["one", "two", "three"])
def solved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Predictions]:
    return request.param, predicted(request.param, tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("name", CASES)
def test_predictions_follow_the_closed_form(name: str, solved: tuple[int, Predictions]) -> None:
    compartments, found = solved
    case, person = CASES[name], str(list(CASES).index(name) + 1)
    system = Exponentials(matrix(compartments))
    own = np.array([record.person == person for record in found.records])
    assert found.times_h[own].tolist() == list(LOOKS)
    expected = []
    for time in LOOKS:
        given = [what for since, what in case.meaning if since <= time][-1]
        expected.append(amounts(system, given, time))
    states = found.values[own][:, : compartments + 1]
    scale = np.abs(expected).max() or 1.0
    assert states == pytest.approx(np.array(expected), rel=ALLOWED, abs=1e-2 * ALLOWED * scale)
    assert found["level"][own] == pytest.approx(np.array(expected)[:, CENTRAL] / V, rel=ALLOWED, abs=1e-12 * scale)


def test_the_closed_forms_are_those_of_textbooks() -> None:
    k, time = CL / V, 2.7
    oral = amounts(Exponentials(matrix(1)), [Given(0, DEPOT, 100)], time)[CENTRAL]
    assert oral == pytest.approx(100 * KA / (KA - k) * (math.exp(-k * time) - math.exp(-KA * time)), rel=1e-12)
    k12, k21 = Q2 / V, Q2 / V2
    root = math.sqrt((k + k12 + k21) ** 2 - 4 * k * k21)
    alpha, beta = (k + k12 + k21 + root) / 2, (k + k12 + k21 - root) / 2
    two = (alpha - k21) / (alpha - beta) * math.exp(-alpha * time) + (k21 - beta) / (alpha - beta) * math.exp(
        -beta * time
    )
    assert amounts(Exponentials(matrix(2)), [Given(0, CENTRAL, 1)], time)[CENTRAL] == pytest.approx(two, rel=1e-12)
    train = Given(0, CENTRAL, 100, every=12)
    level = 100 * math.exp(-k * time) / (1 - math.exp(-k * 12))
    assert amounts(Exponentials(matrix(1)), [train], time)[CENTRAL] == pytest.approx(level, rel=1e-12)
    many = [Given(-4.0 * n, CENTRAL, rate=10, lasting=10) for n in range(400)]
    endless = Given(0, CENTRAL, rate=10, lasting=10, every=4)
    three = Exponentials(matrix(3))
    assert amounts(three, [endless], 1.3) == pytest.approx(amounts(three, many, 1.3), rel=1e-10)


WEIGHTS = ((0.0, 70.0), (4.0, 50.0), (9.0, 110.0), (20.0, 90.0))  # hour, what the row of that hour says


@pytest.mark.parametrize("carry", ["LOCF", "NOCB"])
@pytest.mark.parametrize("compartments", MODELS)
def test_a_covariate_that_changes_moves_clearance_when_the_carry_rule_says(
    compartments: int, carry: Any, tmp_path: Path
) -> None:
    from scipy.linalg import expm

    rows = ["ID,TIME,AMT,CMT,WT", "1,0,100,2,70"]
    rows += [f"1,{time},.,.,{weight}" for time, weight in WEIGHTS[1:]]
    (tmp_path / "pk.ant").write_text(antimony(compartments))
    (tmp_path / "events.csv").write_text("\n".join(rows) + "\n")
    found = simulate_events(
        tmp_path / "pk.ant", tmp_path / "events.csv", ["central", "WT"], carry=carry, relative_tolerance=1e-12
    )
    state = np.zeros(compartments + 1)
    state[CENTRAL] = 100.0
    expected = []
    for (start, before), (end, after) in pairwise(WEIGHTS):
        weight = before if carry == "LOCF" else after
        state = expm(matrix(compartments, CL * (weight / 70) ** 0.75) * (end - start)) @ state
        expected.append(state[CENTRAL])
    assert found["central"] == pytest.approx(expected, rel=ALLOWED)
    assert found.carry == carry


def simple(rows: str, tmp_path: Path, **options: Any) -> Predictions:
    """Predictions of the one-compartment model for rows `ID,TIME,EVID,AMT,CMT,RATE,II,SS`."""
    (tmp_path / "pk.ant").write_text(options.pop("model", antimony(1)))
    header = options.pop("header", "ID,TIME,EVID,AMT,CMT,RATE,II,SS")
    (tmp_path / "events.csv").write_text(f"{header}\n{rows}")
    options.setdefault("relative_tolerance", 1e-12)
    return simulate_events(tmp_path / "pk.ant", tmp_path / "events.csv", **options)


def test_a_look_at_the_time_of_a_dose_follows_the_record_order(tmp_path: Path) -> None:
    rows = "1,0,0,.,.,.,.,.\n1,0,1,100,2,.,.,.\n1,0,0,.,.,.,.,.\n1,5,1,100,2,.,.,.\n1,5,2,.,.,.,.,.\n1,5,0,.,.,.,.,.\n"
    found = simple(rows + "1,7,0,.,.,.,.,.\n1,7,3,.,.,.,.,.\n1,7,0,.,.,.,.,.\n", tmp_path)
    later = 100 * math.exp(-CL / V * 5) + 100
    expected = [0, 100, later, later, later * math.exp(-CL / V * 2), 0]
    assert found["central"] == pytest.approx(expected, rel=ALLOWED, abs=1e-12)
    assert [record.line for record in found.records] == [2, 4, 6, 7, 8, 10]


def test_doses_before_others_of_the_same_time_do_not_matter_but_a_lagged_dose_comes_before_a_look(
    tmp_path: Path,
) -> None:
    rows = "1,0,1,100,1,.,.,.,2\n1,2,0,.,.,.,.,.,2\n"
    found = simple(rows, tmp_path, header="ID,TIME,EVID,AMT,CMT,RATE,II,SS,ALAG1")
    assert found["depot"] == pytest.approx([100], rel=ALLOWED)


def test_a_clock_that_starts_late_and_a_parameter_table_change_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "values.csv").write_text("name,value\nCL,3\n")
    rows = "a,100,1,100,2,.,.,.\na,103,0,.,.,.,.,.\nb,-5,1,50,2,.,.,.\nb,-1,0,.,.,.,.,.\n"
    found = simple(rows, tmp_path, parameters=tmp_path / "values.csv")
    assert found["central"] == pytest.approx([100 * math.exp(-3 / V * 3), 50 * math.exp(-3 / V * 4)], rel=ALLOWED)
    assert [record.person for record in found.records] == ["a", "b"]


def test_compartments_are_found_by_name_by_number_and_by_what_is_said(tmp_path: Path) -> None:
    by_number = simple("1,0,1,100,2,50,.,.\n1,3,0,.,.,.,.,.\n", tmp_path)
    by_name = simple("1,0,1,100,central,50,.,.\n1,3,0,.,.,.,.,.\n", tmp_path)
    said = simple("1,0,1,100,vein,50,.,.\n1,3,0,.,.,.,.,.\n", tmp_path, compartments={"vein": "central"})
    assert by_number.values.tolist() == by_name.values.tolist() == said.values.tolist()


def test_a_model_as_sbml_gives_the_same_as_its_antimony(tmp_path: Path) -> None:
    table = "1,0,1,100,2,50,8,1\n1,3,0,.,.,.,.,.\n"
    first = simple(table, tmp_path)
    (tmp_path / "pk.xml").write_text(read_antimony(antimony(1)).sbml)
    second = simulate_events(tmp_path / "pk.xml", tmp_path / "events.csv", relative_tolerance=1e-12)
    assert second.values == pytest.approx(first.values, rel=1e-12)


def test_the_native_backend_gives_the_same_within_its_tolerance(tmp_path: Path) -> None:
    (tmp_path / "pk.ant").write_text(antimony(3))
    (tmp_path / "events.csv").write_text(table_text())
    exact = simulate_events(tmp_path / "pk.ant", tmp_path / "events.csv", relative_tolerance=1e-10)
    fast = simulate_events(
        tmp_path / "pk.ant", tmp_path / "events.csv", backend="native", relative_tolerance=1e-8, threads=1
    )
    assert not fast.failures
    assert fast.values == pytest.approx(exact.values, rel=1e-4, abs=1e-4)


def test_predictions_are_written_record_by_record(tmp_path: Path) -> None:
    header = "ID,TIME,EVID,AMT,CMT,DV,DVID"
    found = simple("7,0,1,100,2,.,.\n7,1,0,.,.,3.5,plasma\n7,2,0,.,.,.,.\n", tmp_path, header=header, outputs=["level"])
    lines = found.csv().splitlines()
    assert lines[0] == "ID,TIME,DVID,DV,level"
    assert lines[1].startswith("7,1.0,plasma,3.5,")
    assert float(lines[2].split(",")[-1]) == pytest.approx(100 / V * math.exp(-2 * CL / V), rel=ALLOWED)


def test_a_said_intake_takes_the_place_of_the_models_own(tmp_path: Path) -> None:
    found = simple(
        "1,0,1,100,1,.,.,.\n1,4,0,.,.,.,.,.\n", tmp_path, intakes={"1": Intake(bioavailability=0.5, lag_h=4)}
    )
    assert found["depot"] == pytest.approx([50], rel=ALLOWED)


REFUSALS: dict[str, tuple[str, dict[str, Any], type[Exception], str]] = {
    "a compartment beyond the last": ("1,0,1,100,3,.,.,.\n1,1,0,.,.,.,.,.\n", {}, InputError, "no compartment 3"),
    "a compartment misspelt": ("1,0,1,100,centrl,.,.,.\n1,1,0,.,.,.,.,.\n", {}, InputError, "central"),
    "an unknown state said": (
        "1,0,1,100,2,.,.,.\n1,1,0,.,.,.,.,.\n", {"compartments": {"2": "blood"}}, InputError, "blood",
    ),
    "nobody looks": ("1,0,1,100,2,.,.,.\n", {}, InputError, "no row to look at"),
    "a dose at once into an input": (
        "1,0,1,100,KA,.,.,.\n1,1,0,.,.,.,.,.\n", {}, UnsupportedError, "takes infusions only",
    ),
    "a column that is no parameter": (
        "1,0,1,100,2,.,.,.,8\n1,1,0,.,.,.,.,.,8\n", {"header": "ID,TIME,EVID,AMT,CMT,RATE,II,SS,AGE"}, InputError,
        "AGE",
    ),
    "a column that is a formula": (
        "1,0,1,100,2,.,.,.,8\n1,1,0,.,.,.,.,.,8\n", {"header": "ID,TIME,EVID,AMT,CMT,RATE,II,SS,level"}, InputError,
        "is a formula",
    ),
    "a lag that changes": (
        "1,0,1,100,1,.,.,.,1\n1,1,0,.,.,.,.,.,2\n",
        {"header": "ID,TIME,EVID,AMT,CMT,RATE,II,SS,ALAG1", "carry": "LOCF"}, UnsupportedError, "ALAG1",
    ),
    "a covariate that changes without a carry rule": (
        "1,0,1,100,1,.,.,.,70\n1,1,0,.,.,.,.,.,80\n", {"header": "ID,TIME,EVID,AMT,CMT,RATE,II,SS,WT"}, InputError,
        "carry rule",
    ),
    "a value worked out once from a covariate that changes": (
        "1,0,1,100,1,.,.,.,70\n1,1,0,.,.,.,.,.,80\n",
        {"header": "ID,TIME,EVID,AMT,CMT,RATE,II,SS,WT", "carry": "LOCF",
         "model": antimony(1).replace("CL*(WT/70)^0.75/V", "own/V").replace("end", "own = CL*(WT/70)^0.75\nend")},
        UnsupportedError, "worked out once",
    ),
    "a bioavailability that the formulas use": (
        "1,0,1,100,1,.,.,.\n1,1,0,.,.,.,.,.\n", {"model": antimony(1).replace("= KA*depot -", "= F1*KA*depot -")},
        InputError, "own formulas use 'F1'",
    ),
    "a bioavailability by two names": (
        "1,0,1,100,1,.,.,.\n1,1,0,.,.,.,.,.\n", {"model": antimony(1).replace("F1 = 1;", "F1 = 1; F_depot = 1;")},
        InputError, "could be meant",
    ),
    "a bioavailability that follows a state": (
        "1,0,1,100,1,.,.,.\n1,1,0,.,.,.,.,.\n", {"model": antimony(1).replace("F1 = 1;", "F1 := 1/(1 + central);")},
        UnsupportedError, "changes in time with 'central'",
    ),
    "a modelled rate that the model lacks": (
        "1,0,1,100,1,-1,.,.\n1,1,0,.,.,.,.,.\n", {}, InputError, "model gives none",
    ),
    "an output misspelt": ("1,0,1,100,2,.,.,.\n1,1,0,.,.,.,.,.\n", {"outputs": ["levle"]}, InputError, "level"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_what_cannot_be_mapped_is_refused_by_name(name: str, tmp_path: Path) -> None:
    rows, options, kind, words = REFUSALS[name]
    with pytest.raises(kind, match=words) as caught:
        simple(rows, tmp_path, **options)
    assert issubclass(caught.type, InputError)


def test_replacing_a_compartment_is_refused(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("ID,TIME,EVID,AMT,CMT\n1,0,1,100,2\n1,1,8,50,2\n1,2,0,.,.\n")
    table: EventTable = read_events(tmp_path / "events.csv", replace_evid=8)
    with pytest.raises(UnsupportedError, match="EVID 8"):
        simulate_events(read_antimony(antimony(1)), table)


def test_a_formula_of_parameters_is_a_bioavailability_too(tmp_path: Path) -> None:
    model = antimony(1).replace("F1 = 1;", "F1 := FA*share; share := 1 - loss; FA = 0.8; loss = 0.25;")
    found = simple("1,0,1,100,1,.,.,.,0.5\n1,0,0,.,.,.,.,.,0.5\n", tmp_path, model=model,
                   header="ID,TIME,EVID,AMT,CMT,RATE,II,SS,FA")  # fmt: skip
    assert found["depot"] == pytest.approx([100 * 0.5 * 0.75], rel=ALLOWED)

"""Two derivations of ketamine in the body, made apart from the same published set, give the same curves.

The package's whole model, dosed from sentences, is held against `second_reader_pharmacokinetics.py`, which shares
the table of values with it and no line of code. Beside every agreement stands a change that it would have seen.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from rekindle.cohort import cohort
from rekindle.dosing import parse
from rekindle.engine.backends import solve
from rekindle.engine.schedule import Schedule
from rekindle.mechanism.delivery import NEEDED, deliver
from rekindle.population import draw, variability
from rekindle.simulate import lowered_model
from rekindle.study import Arm


def _second_reader() -> ModuleType:
    place = Path(__file__).with_name("second_reader_pharmacokinetics.py")
    spec = importlib.util.spec_from_file_location("second_reader_pharmacokinetics", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reader = _second_reader()
SAME = 1e-6
HOURS = (0.05, 0.1, 0.25, 0.5, 40 / 60, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, 14.0, 24.0, 36.0)
OUTPUTS = {  # of the package, beside those of the second reader
    "plasma_ketamine": "plasma",
    "arterial_ketamine": "arterial",
    "plasma_norketamine": "plasma_norketamine",
    "plasma_hydroxynorketamine": "plasma_hydroxy",
    "effect_site": "effect",
    "gut_lost": "lost",
    "norketamine_eliminated": "norketamine_out",
    "hydroxynorketamine_eliminated": "hydroxy_out",
}
NAMES = tuple(f"{name}_{enantiomer}" for name in OUTPUTS for enantiomer in "SR")
TOTALS = ("plasma_ketamine", "plasma_norketamine", "plasma_hydroxynorketamine", "effect_site_ketamine")


@dataclass(frozen=True)
class Case:
    """A sentence, what the second reader makes of it (values to inputs), the person, and what would be seen."""

    sentence: str
    inputs: Callable[[dict[str, float]], list]
    seen: dict[str, float]
    enantiomers: str = "S"
    person: dict[str, float] = field(default_factory=dict)
    hours: tuple[float, ...] = HOURS
    apart: tuple[str, ...] = ()


def both(make: Callable[[dict[str, float]], list]) -> Callable[[dict[str, float]], list]:
    return lambda v: reader.halved(make(v))


HEAVY = {"weight_kg": 110.0}
INFUSION = "ketamine 0.5 mg/kg IV over 40 min once"
CASES = {
    "infusion": Case(
        INFUSION,
        both(lambda v: reader.intravenous(35.0, 0.0, 40 / 60)),
        {
            "mixing_flow": 1e12,  # an effect site on venous blood
            "clearance_ratio_R": 0.91,
            "norketamine_volume_ratio_R": 1.0,
            "hydroxynorketamine_clearance_ratio_R": 1.0,
            "hydroxynorketamine_share": 0.57,
            "central_volume": 133.0,
            "molar_mass_ketamine": 239.7,  # no molar conversion
        },
        "SR",
    ),
    "infusion of the R enantiomer": Case(
        "arketamine 20 mg IV over 40 min once",
        lambda v: reader.intravenous(20.0, 0.0, 40 / 60),
        {"clearance_ratio_R": 1.0},
        "R",
    ),
    "injection into a vein": Case(
        "esketamine 20 mg IV bolus once",
        lambda v: reader.intravenous(20.0, 0.0, 0.0),
        {"deep_flow": 24.0, "shallow_volume": 99.8, "effect_site_rate": 6.9},
    ),
    "injection into a muscle": Case(
        "ketamine 0.5 mg/kg IM once",
        both(lambda v: reader.intramuscular(v, 35.0, 0.0)),
        {"intramuscular_fraction": 1.0, "intramuscular_rate": 5.1, "mixing_flow": 1e12},
        "SR",
    ),
    "injection under the skin": Case(
        "ketamine 35 mg subcutaneous once",
        both(lambda v: reader.subcutaneous(v, 35.0, 0.0)),
        {"subcutaneous_fraction": 0.71, "subcutaneous_rate": 3.1},
        "SR",
    ),
    "one nasal device": Case(
        "esketamine 28 mg nasal device once",
        lambda v: reader.nasal_devices(v, 1, 0.0),
        {"nasal_fraction": 0.54, "spray_gut_rate": 0.97, "spray_swallow_duration": 0.32},
    ),
    "three nasal devices": Case(
        "esketamine 84 mg nasal device once",
        lambda v: reader.nasal_devices(v, 3, 0.0),
        {
            "nasal_later_factor": 1.0,
            "gut_norketamine_share": 1.0,  # no gut sink
            "gut_escape": 0.65,
            "liver_intrinsic_S": 370.0,  # the published escape of 0.29
        },
    ),
    "two sessions of nasal devices": Case(
        "esketamine 56 mg nasal device days 1, 4",
        lambda v: reader.nasal_devices(v, 2, 0.0) + reader.nasal_devices(v, 2, 72.0),
        {"nasal_later_factor": 0.6},
        hours=(1.0, 24.0, 72.0, 72.5, 73.0, 75.0, 80.0, 96.0),
    ),
    "drink": Case(
        "ketamine 100 mg oral once",
        both(lambda v: reader.drink(v, 100.0, 0.0)),
        {"oral_release_duration": 0.53, "oral_gut_rate": 1.0, "gut_escape": 1.0, "gut_norketamine_share": 0.0},
        "SR",
    ),
    "salt by mouth": Case(
        "ketamine hydrochloride 100 mg oral once",
        both(lambda v: reader.drink(v, 86.69, 0.0)),
        {"gut_escape": 0.65},
        "SR",
    ),
    "extended-release tablet": Case(
        "ketamine 120 mg oral extended-release once",
        both(lambda v: reader.extended_tablet(v, 120.0, 0.0)),
        {"extended_release_duration": 9.5, "extended_gut_rate": 1.2},
        "SR",
    ),
    "film": Case(
        "esketamine 50 mg sublingual film once",
        lambda v: reader.film(v, 50.0, 0.0),
        {
            "film_fraction": 0.25,
            "film_escape": 0.1,
            "film_gut_rate": 2.4,
            "mucosal_rate": 2.5,
            "film_release_duration": 0.3,
            "film_swallow_duration": 0.4,
        },
    ),
    "lozenge": Case(
        "ketamine 50 mg sublingual lozenge once",
        both(lambda v: reader.lozenge(v, 50.0, 0.0)),
        {"lozenge_fraction": 0.29, "oral_gut_rate": 2.94},
        "SR",
    ),
    "infusion into a heavy person": Case(
        INFUSION,
        both(lambda v: reader.intravenous(55.0, 0.0, 40 / 60)),
        {"clearance_exponent": 1.0, "volume_exponent": 0.75, "weight_kg": 100.0},
        "SR",
        HEAVY,
    ),
    "drink of an old person": Case(
        "ketamine 100 mg oral once",
        both(lambda v: reader.drink(v, 100.0, 0.0)),
        {"liver_flow_decline": 0.0, "liver_decline_age": 61.0, "age_years": 60.0},
        "SR",
        {"age_years": 82.0},
    ),
    "spray of a person with weak liver enzymes": Case(
        "esketamine 84 mg nasal device once",
        lambda v: reader.nasal_devices(v, 3, 0.0),
        {"liver_enzyme_activity": 1.0},
        person={"liver_enzyme_activity": 0.3, "age_years": 70.0, "weight_kg": 52.0},
    ),
    "infusion into a woman, with an excess": Case(
        INFUSION,
        both(lambda v: reader.intravenous(35.0, 0.0, 40 / 60)),
        {"female_clearance_excess": 0.0, "female": 0.0},
        "SR",
        {"female": 1.0, "female_clearance_excess": 0.2},
        # The record speaks of ketamine and norketamine; the package lets hydroxynorketamine follow.
        apart=("plasma_hydroxynorketamine", "hydroxynorketamine_eliminated"),
    ),
}


@pytest.fixture(scope="module")
def package() -> dict[str, dict[str, np.ndarray]]:
    """The package's curves of all cases: the whole model, solved by its reference backend."""
    lowered = lowered_model()
    usual = lowered.network.values
    rows, schedules = [], []
    for case in CASES.values():
        own = {name: case.person.get(name, usual[name]) for name in lowered.parameters}
        doses = parse(case.sentence).administrations(weight_kg=own["weight_kg"])
        events = deliver(doses, {name: own[name] for name in NEEDED})
        schedules.append(Schedule(events, case.hours))
        rows.append([own[name] for name in lowered.parameters])
    names = (*NAMES, *TOTALS)
    # A size of 1 for every state, so that no route's absolute tolerance hangs on another route's dose.
    solution = solve(
        lowered, np.array(rows), schedules, names, backend="reference", relative_tolerance=1e-11,
        scale=np.ones(len(lowered.states)),
    )  # fmt: skip
    assert not solution.failures
    return {
        name: {output: solution[output][number, : len(case.hours)] for output in names}
        for number, (name, case) in enumerate(CASES.items())
    }


def second(case: Case, changed: dict[str, float] | None = None) -> dict[str, np.ndarray]:
    """The second reader's curves of a case, by the package's names."""
    v = reader.values() | case.person | (changed or {})
    found = {}
    for enantiomer in "SR":
        inputs = case.inputs(v) if enantiomer in case.enantiomers else []
        curves = reader.curve(v, enantiomer, inputs, case.hours)
        found |= {f"{name}_{enantiomer}": curves[own] for name, own in OUTPUTS.items()}
    for total in TOTALS:
        part = total.replace("effect_site_ketamine", "effect_site")
        found[total] = found[f"{part}_S"] + found[f"{part}_R"]
    return found


def farthest(case: Case, ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> float:
    """The largest relative difference between two sets of curves; what is below 1e-4 of a peak counts against it."""
    worst = 0.0
    for name, curve in theirs.items():
        if name.rstrip("SR").rstrip("_") in case.apart:
            continue
        size = np.maximum(np.abs(curve), 1e-4 * np.abs(curve).max())
        difference = np.abs(ours[name] - curve)
        if not size.any():
            size = np.ones_like(curve)
        worst = max(worst, float(np.max(difference / np.where(size > 0, size, 1.0))))
    return worst


@pytest.mark.parametrize("name", CASES)
def test_two_derivations_give_the_same_curves(name: str, package: dict[str, dict[str, np.ndarray]]) -> None:
    case = CASES[name]
    assert farthest(case, second(case), package[name]) < SAME


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, case in CASES.items() for value in case.seen])
def test_the_agreement_would_see(name: str, value: str, package: dict[str, dict[str, np.ndarray]]) -> None:
    case = CASES[name]
    assert case.person.get(value, reader.values()[value]) != case.seen[value]
    assert farthest(case, second(case, {value: case.seen[value]}), package[name]) > 1000 * SAME


def ratio_of_intrinsic_clearances(v: dict[str, float], enantiomer: str) -> float:
    return v["liver_intrinsic_S"] * (v["clearance_ratio_R"] if enantiomer == "R" else 1.0)


@pytest.mark.parametrize(
    ("name", "part", "changed"),
    [
        ("three nasal devices", "DEVICE_GAP_H", 0.0),
        ("three nasal devices", "DEVICE_MG", 28.0 * 0.867),
        ("infusion", "MOLAR_MASS_HYDROXYNORKETAMINE", 237.73),
        ("drink", "intrinsic", ratio_of_intrinsic_clearances),
        ("drink of an old person", "intrinsic", ratio_of_intrinsic_clearances),
        ("drink", "halved", lambda inputs: inputs),
        ("drink", "drink", lambda v, mg, start: [(start, start, "gut_oral", mg)]),
        ("one nasal device", "flow_at_age", lambda v: 150.0),
        ("lozenge", "lozenge", lambda v, mg, start: reader.film(v | {"film_fraction": 0.1125}, mg, start)),
    ],
)
def test_the_agreement_would_see_another_structure(
    name: str, part: str, changed: object, package: dict[str, dict[str, np.ndarray]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert farthest(CASES[name], second(CASES[name]), package[name]) < SAME
    monkeypatch.setattr(reader, part, changed)
    assert farthest(CASES[name], second(CASES[name]), package[name]) > 100 * SAME


def test_where_the_woman_s_excess_is_read_differently_the_second_reader_s_level_stands_above(
    package: dict[str, dict[str, np.ndarray]],
) -> None:
    """The record names ketamine and norketamine; the package raises hydroxynorketamine's clearance as well."""
    name = "infusion into a woman, with an excess"
    case = CASES[name]
    theirs = package[name]["plasma_hydroxynorketamine"]
    literal = second(case)["plasma_hydroxynorketamine"]
    assert literal.max() > 1.05 * theirs.max()
    follows = second(case, {"hydroxynorketamine_clearance": 1.2 * reader.values()["hydroxynorketamine_clearance"]})
    np.testing.assert_allclose(follows["plasma_hydroxynorketamine"], theirs, rtol=1e-6, atol=1e-6 * theirs.max())


PEOPLE = draw("older-adults", 3, seed=5)
STUDY_HOURS = (0.25, 0.5, 1.0, 2.0, 6.0, 24.0)


@pytest.fixture(scope="module")
def people_of_a_study() -> np.ndarray:
    """Plasma ketamine, norketamine and hydroxynorketamine of three drawn people, people x times x outputs."""
    arm = Arm("spray", parse("esketamine 56 mg nasal device once"))
    made = cohort(PEOPLE, arm, hypotheses={}, output_times=STUDY_HOURS, horizon_h=48.0)
    lowered = lowered_model()
    order = [made.names.index(name) for name in lowered.parameters]
    solution = solve(
        lowered, made.parameters[:, order], made.schedules, TOTALS, backend="reference", relative_tolerance=1e-11,
        scale=np.ones(len(lowered.states)),
    )  # fmt: skip
    return solution.values


def person_values(number: int, without: str = "") -> dict[str, float]:
    """One drawn person's values: covariates as drawn, random effects on the logarithm or the log-odds."""
    v = reader.values()
    for effect in variability():
        if effect.parameter in v and effect.parameter != without:
            shift = np.exp(float(PEOPLE.eta(effect.parameter)[number]))
            value = v[effect.parameter]
            odds = value / (1.0 - value) * shift if effect.kind == "logit-normal" else 0.0
            v[effect.parameter] = odds / (1.0 + odds) if effect.kind == "logit-normal" else value * shift
    v |= {name: float(PEOPLE[name][number]) for name in ("weight_kg", "age_years") if name != without}
    return v | {"female": float(PEOPLE["sex"][number] == "female")}


def own_course(v: dict[str, float]) -> dict[str, np.ndarray]:
    return reader.curve(v, "S", reader.nasal_devices(v, 2, 0.0), STUDY_HOURS)


@pytest.mark.parametrize("number", range(3))
def test_a_drawn_person_of_a_study_has_the_second_reader_s_levels(number: int, people_of_a_study: np.ndarray) -> None:
    curves = own_course(person_values(number))
    for place, own in enumerate(("plasma", "plasma_norketamine", "plasma_hydroxy", "effect")):
        np.testing.assert_allclose(people_of_a_study[number, :, place], curves[own], rtol=SAME)


@pytest.mark.parametrize(
    "without",
    ["clearance", "central_volume", "norketamine_volume", "nasal_fraction", "nasal_rate", "spray_gut_rate",
     "liver_flow", "liver_intrinsic_S", "weight_kg", "age_years", "effect_site_rate", "hydroxynorketamine_flow"],
)  # fmt: skip
def test_the_agreement_would_see_a_person_s_value_left_typical(without: str, people_of_a_study: np.ndarray) -> None:
    farthest_off = 0.0
    for number in range(3):
        curves = own_course(person_values(number, without))
        for place, own in enumerate(("plasma", "plasma_norketamine", "plasma_hydroxy", "effect")):
            off = np.abs(people_of_a_study[number, :, place] / curves[own] - 1.0).max()
            farthest_off = max(farthest_off, float(off))
    assert farthest_off > 1000 * SAME

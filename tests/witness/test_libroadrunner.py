"""Another program, given the model and the doses as SBML, finds the same states for the same people."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def witness() -> ModuleType:
    """The module beside this file; it is no package, so it is loaded by its path."""
    spec = importlib.util.spec_from_file_location("witness", Path(__file__).with_name("witness.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["witness"] = module
    spec.loader.exec_module(module)
    return module


# Every route, with the forms of ketamine in turn; people 0 to 4 are one of each population.
KETAMINE = (
    ("racemic-ketamine", "iv-infusion", (0, 2)),
    ("arketamine", "iv-bolus", (1, 3)),
    ("racemic-ketamine", "intramuscular", (4, 0)),
    ("esketamine", "subcutaneous", (2, 1)),
    ("esketamine", "intranasal-device", (3, 4)),
    ("racemic-ketamine", "intranasal", (0, 1)),
    ("racemic-ketamine", "oral", (2, 3)),
    ("arketamine", "oral-extended-release", (4, 2)),
    ("racemic-ketamine", "sublingual-film", (1, 0)),
    ("esketamine", "sublingual-lozenge", (3, 2)),
    ("racemic-ketamine", "inhaled", (4, 1)),
)
OTHERS = (
    ("midazolam", "iv-infusion", (0,)),
    ("placebo-spray", "intranasal", (1,)),
    ("oral-antidepressant", "oral", (2,)),
    ("ect", "none", (3,)),
)


@pytest.mark.parametrize(("drug", "route", "who"), [*KETAMINE, *OTHERS])
def test_libroadrunner_agrees_on_every_state(witness: ModuleType, drug: str, route: str, who: tuple[int, ...]) -> None:
    ready = witness.cohort_of(witness.COURSES[drug, route], witness.people(5))
    for person in who:
        difference, state, hour = witness.compare(ready, person).largest
        assert difference <= witness.ALLOWED, f"{state} of person {person} at {hour:g} h: {difference:.1e}"


def test_libroadrunner_agrees_with_every_hypothesis_in(witness: ModuleType) -> None:
    sentence = witness.COURSES["racemic-ketamine", "iv-infusion"]
    ready = witness.cohort_of(sentence, witness.people(5), witness.EVERY_HYPOTHESIS)
    comparison = witness.compare(ready, 0)
    assert {"inflammation", "eef2_kinase", "ampa"} <= comparison.moved
    assert comparison.largest[0] <= witness.ALLOWED, comparison.largest


@pytest.mark.parametrize("parameter", ["clearance", "tau_mood", "effect_site_rate"])
def test_the_witness_objects_to_a_parameter_changed_by_a_ten_thousandth(witness: ModuleType, parameter: str) -> None:
    ready = witness.cohort_of(witness.COURSES["racemic-ketamine", "iv-infusion"], witness.people(5))
    assert witness.compare(ready, 0, changed=(parameter, 1.0001)).largest[0] > 5 * witness.ALLOWED


def test_only_states_that_no_dose_reaches_count_as_empty(witness: ModuleType) -> None:
    ready = witness.cohort_of(witness.COURSES["racemic-ketamine", "iv-infusion"], witness.people(5))
    comparison = witness.compare(ready, 4)
    empty = {
        name.removesuffix("_S").removesuffix("_R")
        for name, is_empty in zip(comparison.states, comparison.empty, strict=True)
        if is_empty
    }
    depots = {
        "nasal",
        "mucosal",
        "intramuscular",
        "subcutaneous",
        "lung",
        "gut_spray",
        "gut_oral",
        "gut_extended",
        "gut_film",
    }
    others = {
        "gut_lost",
        "unabsorbed",
        "midazolam",
        "electroconvulsive",
        "inflammation",
        "mood_elevation",
        "natural_recovery",
    }
    assert depots <= empty <= depots | others


def test_the_witness_objects_to_a_dose_left_out(witness: ModuleType) -> None:
    ready = witness.cohort_of(witness.COURSES["esketamine", "iv-bolus"], witness.people(5))
    other = witness.cohort_of(
        witness.COURSES["esketamine", "iv-bolus"].replace("days 1, 4", "day 1"), witness.people(5)
    )
    full, half = (witness.compare(cohort, 0) for cohort in (ready, other))
    swapped = witness.Comparison(full.states, full.reference, half.witness)
    assert swapped.largest[0] > 1000 * witness.ALLOWED


def test_all_drugs_by_all_routes_are_among_the_cases(witness: ModuleType) -> None:
    from rekindle.dosing import DRUGS, ROUTES

    assert set(witness.COURSES) == {(drug.name, route) for drug in DRUGS.values() for route in drug.routes}
    assert {route for _, route, _ in (*KETAMINE, *OTHERS)} == {route.name for route in ROUTES.values()}

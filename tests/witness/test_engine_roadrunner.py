"""libRoadRunner, on the SBML that is exported, sees what the engine sees."""

from __future__ import annotations

import numpy as np
import pytest
import roadrunner

from rekindle.engine import (
    Bolus,
    Infusion,
    Network,
    Reset,
    Schedule,
    Set,
    SteadyState,
    lower,
    read_antimony,
    read_sbml,
    solve,
)
from rekindle.engine.sbml_export import to_sbml
from rekindle.engine.sbml_reader import strict_unit_errors

DRUG = """model drug
  unit hour = 3600 second; unit time_unit = 3600 second
  unit mg = 1e-3 gram; unit L = litre
  unit per_h = 1/(3600 second); unit mg_per_h = 1e-3 gram/(3600 second)
  unit L_per_h = litre/(3600 second); unit mg_per_L = 1e-3 gram/litre
  input = 0 mg_per_h; ka = 1.2 per_h; CL = 80 L_per_h; V = 30 L; Q = 100 L_per_h; W = 70 L
  EC = 0.1 mg_per_L; h = 1.4 dimensionless; k = 5 per_h; base = 1 dimensionless; tiny = 1e-12 dimensionless
  depot = 0 mg; depot' = -ka*depot
  A = 0 mg; A' = input + ka*depot - CL*c - Q*c + Q*P/W
  P = 0 mg; P' = Q*c - Q*P/W
  c := A/V; c has mg_per_L
  x := c/EC; x has dimensionless
  u := (x*x + tiny)^(h/2); u has dimensionless
  R = base; R has dimensionless; R' = k*(1 + 2*u/(1 + u) - R)
end
"""
REACTIONS = """model reactions
  compartment C = 4
  species S in C, P in C; substanceOnly species N in C
  S = 3; P = 0.5; N = 1
  J: 2 S -> 3 P; k*S*C
  G: P -> N; g*P
  L: N -> ; m*N
  k = 0.5; g = 0.25; m = 0.1
end
"""
ROBERTSON = """model robertson
  A = 1; A' = -0.04*A + 1e4*B*C; B = 0; B' = 0.04*A - 1e4*B*C - 3e7*B*B; C = 0; C' = 3e7*B*B
end
"""
COURSE = (
    Bolus(0.0, "depot", 50.0),
    Infusion(0.0, "A", 12.0, 0.5),
    Infusion(1.0, "A", 20.0, 2.0),
    Infusion(2.0, "input", 10.0, 3.0),
    Set(6.0, "CL", 40.0),
    Bolus(6.0, "depot", 50.0),
    Bolus(12.0, "A", 5.0),
    Bolus(12.0, "A", 5.0),
    Reset(20.0),
    Bolus(20.0, "A", 7.0),
)
LOOKS = (0.3, 0.9, 1.5, 2.5, 4.0, 5.5, 8.0, 11.0, 13.0, 19.0, 21.0, 24.0)


def witnessed(document: str, times: tuple[float, ...], names: list[str]) -> np.ndarray:
    runner = roadrunner.RoadRunner(document)
    runner.integrator.relative_tolerance = 1e-11
    runner.integrator.absolute_tolerance = 1e-15
    runner.integrator.maximum_num_steps = 1_000_000
    species = set(runner.model.getFloatingSpeciesIds())
    concentrations = [f"[{name}]" if name in species and name != "N" else name for name in names]
    runner.timeCourseSelections = ["time", *concentrations]
    return np.array(runner.simulate(times=[0.0, *times]))[1:, 1:]


def agreement(network: Network, schedule: Schedule, parameters: dict[str, float], names: list[str]) -> float:
    """The largest difference relative to |value| + 1e-6 of that state's largest value."""
    lowered = lower(network)
    found = solve(
        lowered, lowered.row(parameters), schedule, names, backend="reference", relative_tolerance=1e-12, threads=1
    )
    foreign = witnessed(to_sbml(network, schedule, parameters), schedule.output_times, names)
    own = found.values[0]
    return float(np.max(np.abs(own - foreign) / (np.abs(own) + 1e-6 * np.abs(own).max(axis=0))))


@pytest.mark.parametrize("clearance", [30.0, 80.0, 160.0])
def test_a_course_of_every_event_runs_the_same_in_libroadrunner(clearance: float) -> None:
    network = read_antimony(DRUG)
    names = ["depot", "A", "P", "R"]
    schedule = Schedule(COURSE, LOOKS)
    assert agreement(network, schedule, {"CL": clearance, "ka": 0.7}, names) <= 1e-6


def test_the_witness_would_see_a_dose_that_is_lost() -> None:
    network, names = read_antimony(DRUG), ["depot", "A", "P", "R"]
    lowered = lower(network)
    own = solve(lowered, None, Schedule(COURSE, LOOKS), names, backend="reference", threads=1).values[0]
    foreign = witnessed(to_sbml(network, Schedule(COURSE[1:], LOOKS)), LOOKS, names)
    assert np.max(np.abs(own - foreign) / (np.abs(own) + 1e-6)) > 0.1


def test_a_steady_state_is_exported_as_the_states_it_leads_to() -> None:
    network = read_antimony(DRUG)
    dose = Infusion(0.0, "A", 10.0, 15.0)
    events = (Bolus(1.0, "P", 9.0), SteadyState(3.0, (dose,), 12.0), Infusion(3.0, "A", 10.0, 15.0))
    schedule = Schedule(events, (2.0, 4.0, 7.0, 14.9, 17.5, 30.0))
    assert agreement(network, schedule, {}, ["A", "P", "R"]) <= 1e-6


def test_reactions_run_the_same_in_libroadrunner() -> None:
    network = read_antimony(REACTIONS)
    events = (Bolus(1.0, "S", 2.0), Infusion(2.0, "N", 0.5, 3.0), Infusion(2.5, "P", 0.25, 1.0))
    schedule = Schedule(events, (0.5, 1.5, 2.7, 4.0, 9.0))
    assert agreement(network, schedule, {}, ["S", "P", "N"]) <= 1e-6


def test_robertsons_reaction_runs_the_same_in_libroadrunner() -> None:
    schedule = Schedule((), (0.4, 40.0, 4000.0))
    assert agreement(read_antimony(ROBERTSON), schedule, {}, ["A", "B", "C"]) <= 1e-6


def test_the_export_has_no_unit_error_and_a_changed_unit_is_seen() -> None:
    document = to_sbml(read_antimony(DRUG), Schedule(COURSE, LOOKS))
    assert strict_unit_errors(document) == ()
    changed = document.replace('id="ka" value="1.2" units="per_h"', 'id="ka" value="1.2" units="mg"')
    assert changed != document
    assert strict_unit_errors(changed)


def test_every_number_of_the_export_carries_a_unit() -> None:
    document = to_sbml(read_antimony(DRUG), Schedule(COURSE, LOOKS))
    numbers = document.count("<cn ")
    assert numbers > 20
    assert document.count("sbml:units=") == numbers


def test_the_export_without_a_schedule_reads_back_as_the_same_network() -> None:
    network = read_antimony(DRUG)
    assert read_sbml(to_sbml(network)).digest == network.digest
    assert read_sbml(to_sbml(network, parameters={"CL": 33.0})).values["CL"] == 33.0


@pytest.mark.parametrize("name", ["Brown2004", "Venkatraman2010", "CeilInRateLaw", "OpenLinearFlux"])
@pytest.mark.parametrize("backend", ["reference", "native"])
def test_models_that_come_with_libroadrunner_run_the_same(name: str, backend: str) -> None:
    """Brown 2004 (28 states, growth-factor signalling) and Venkatraman 2010 are published models."""
    from roadrunner.tests.TestModelFactory import TestModelFactory

    document = TestModelFactory(name).str()
    network = read_sbml(document)
    times = (0.5, 2.0, 5.0, 10.0)
    found = solve(
        lower(network), None, Schedule((), times), network.states, backend=backend, relative_tolerance=1e-9, threads=1
    )
    foreign = witnessed(document, times, list(network.states))
    assert np.max(np.abs(found.values[0] - foreign) / np.abs(foreign).max(axis=0)) <= 1e-7

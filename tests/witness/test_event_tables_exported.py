"""Every feature of the event table, exported as SBML events and run in libRoadRunner, against the closed forms."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import roadrunner

from rekindle.dosing import read_events
from rekindle.engine import read_antimony
from rekindle.engine.sbml_export import to_sbml
from rekindle.event_schedule import event_map, schedule_of

COMPARTMENTS = 2
ALLOWED = 1e-6


def closed_forms() -> ModuleType:
    """The cases and their closed forms, from the tests of verification."""
    if "closed_forms" not in sys.modules:
        path = Path(__file__).parents[1] / "verification" / "test_event_table_closed_forms.py"
        spec = importlib.util.spec_from_file_location("closed_forms", path)
        assert spec is not None and spec.loader is not None
        sys.modules["closed_forms"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["closed_forms"])
    return sys.modules["closed_forms"]


FORMS = closed_forms()


@pytest.mark.parametrize("name", FORMS.CASES)
def test_libroadrunner_finds_the_closed_form(name: str, tmp_path: Path) -> None:
    network = read_antimony(FORMS.antimony(COMPARTMENTS))
    (tmp_path / "events.csv").write_text(FORMS.table_text())
    table = read_events(tmp_path / "events.csv")
    person = str(list(FORMS.CASES).index(name) + 1)
    schedule, values = schedule_of(event_map(network, table), table, person)
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
    roadrunner.Config.setValue(roadrunner.Config.LLVM_BACKEND, roadrunner.Config.LLJIT)
    runner = roadrunner.RoadRunner(to_sbml(network, schedule, values))
    runner.timeCourseSelections = ["time", *network.states]
    integrator = runner.getIntegrator()
    integrator.setValue("relative_tolerance", 1e-11)
    integrator.setValue("maximum_num_steps", 100_000)
    for state in network.states:  # one a state: see witness.py
        integrator.setIndividualTolerance(state, 1e-13)
    found = np.asarray(runner.simulate(times=[0.0, *FORMS.LOOKS]))[1:, 1:]
    system = FORMS.Exponentials(FORMS.matrix(COMPARTMENTS))
    expected = np.array(
        [
            FORMS.amounts(system, [given for since, given in FORMS.CASES[name].meaning if since <= time][-1], time)
            for time in FORMS.LOOKS
        ]
    )
    size = np.abs(expected) + 1e-6 * (np.abs(expected).max() or 1.0)
    assert (np.abs(found - expected) / size).max() <= ALLOWED

"""Every backend agrees with the plain solver, with published end values, and with a foreign program.

Three stiff problems from the solvers' test sets, and six published models of 4 to 22 states that go through SBML.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import antimony
import numpy as np
import pytest

from rekindle.engine import Schedule, lower, read_antimony, read_sbml, solve
from rekindle.engine.lower import Lowered


def published() -> Any:
    spec = importlib.util.spec_from_file_location("published_models", Path(__file__).with_name("published_models.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["published_models"] = module
    spec.loader.exec_module(module)
    return module


Published = Any
MODELS, PROBLEMS = published().MODELS, published().PROBLEMS


def sbml_of(text: str) -> str:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(text) >= 0, antimony.getLastError()
    return antimony.getSBMLString(antimony.getMainModuleName())


def looks(model: Published) -> tuple[float, ...]:
    return tuple(np.linspace(model.until / 40.0, model.until, 40))


def off(found: np.ndarray, exact: np.ndarray) -> float:
    """The largest difference relative to a value plus a thousandth of its state's largest."""
    return float((np.abs(found - exact) / (np.abs(exact) + 1e-3 * np.abs(exact).max(axis=(0, 1)))).max())


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize(("backend", "tolerance", "bar"), [("reference", 1e-12, 1e-5), ("native", 1e-8, 1e-5)])
def test_published_end_values_are_met(name: str, backend: str, tolerance: float, bar: float) -> None:
    model = PROBLEMS[name]
    lowered = lower(read_antimony(model.text))
    found = solve(
        lowered, None, Schedule((), (model.until,)), lowered.states, backend=backend, relative_tolerance=tolerance,
        threads=1,
    )  # fmt: skip
    assert not found.failures
    np.testing.assert_allclose(found.values[0, 0], model.end, rtol=bar)


def lowered_from_sbml(name: str) -> Lowered:
    return lower(read_sbml(sbml_of(MODELS[name].text)))


@pytest.mark.parametrize("name", MODELS)
def test_published_models_agree_with_the_plain_solver(name: str) -> None:
    model, lowered = MODELS[name], lowered_from_sbml(name)
    rows = np.tile(lowered.defaults, (3, 1)) * np.array([[1.0], [1.001], [0.999]])
    schedule = Schedule((), looks(model))
    exact = solve(lowered, rows, schedule, lowered.states, backend="reference", relative_tolerance=1e-11, threads=1)
    for tolerance, bar in ((3e-4, 3e-2), (1e-6, 2e-4), (1e-8, 3e-6)):  # oscillators multiply what goes wrong
        found = solve(lowered, rows, schedule, lowered.states, relative_tolerance=tolerance, threads=1)
        assert not found.failures
        assert off(found.values, exact.values) <= bar, tolerance


@pytest.mark.parametrize("name", MODELS)
def test_published_models_agree_with_a_foreign_program(name: str) -> None:
    import roadrunner

    model, lowered = MODELS[name], lowered_from_sbml(name)
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
    roadrunner.Config.setValue(roadrunner.Config.LLVM_BACKEND, roadrunner.Config.LLJIT)
    runner = roadrunner.RoadRunner(sbml_of(model.text))
    runner.timeCourseSelections = ["time", *lowered.states]
    runner.getIntegrator().setValue("relative_tolerance", 1e-10)
    runner.getIntegrator().setValue("absolute_tolerance", 1e-14)
    runner.getIntegrator().setValue("maximum_num_steps", 1_000_000)
    foreign = np.asarray(runner.simulate(times=[0.0, *looks(model)]))[1:, 1:]
    found = solve(lowered, None, Schedule((), looks(model)), lowered.states, relative_tolerance=1e-8, threads=1)
    assert off(found.values, foreign[None]) <= 3e-6


@pytest.mark.parametrize("name", ["hires", "oregonator"])
def test_the_graphics_backend_agrees_with_the_plain_solver(name: str) -> None:
    model = PROBLEMS[name]
    lowered = lower(read_antimony(model.text))
    schedule = Schedule((), (model.until / 2.0, model.until))
    exact = solve(lowered, None, schedule, lowered.states, backend="reference", relative_tolerance=1e-11, threads=1)
    found = solve(lowered, None, schedule, lowered.states, backend="xla", relative_tolerance=1e-7, threads=1)
    assert not found.failures
    assert off(found.values, exact.values) <= 1e-5

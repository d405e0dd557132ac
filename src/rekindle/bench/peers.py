"""The programs that are compared. Each is given the model as exported SBML, or its equations, and does the same work.

A peer is used when it is installed and named as missing when it is not.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rekindle.bench.work import Work

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """A relative tolerance, and the absolute one as a share of it and of each state's size."""

    relative: float
    share: float = 1e-3

    def __str__(self) -> str:
        return f"{self.relative:g}, {self.share:g}"


class Peer(Protocol):
    """A program that solves people one after the other, or all at once.

    `grid` are the settings tried, `checked` how many people its error is measured on, `people` how many a timed
    round solves.
    """

    name: str
    method: str
    grid: Sequence[Setting]
    checked: int
    people: int

    def version(self) -> str | None:
        """The version that is installed, or None."""

    def prepare(self, work: Work) -> None:
        """Read and compile whatever does not depend on the setting."""

    def solve(self, people: range, setting: Setting) -> Floats:
        """The outputs of these people, shape (people, times, outputs)."""


def installed(module: str, package: str) -> str | None:
    """The version of a package, or None where its module is not there."""
    if importlib.util.find_spec(module) is None:
        return None
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


class Native:
    """Rekindle's quick solver; `specialise` leaves out equations that this work does not need."""

    method = "Rodas5P, eight people side by side"
    grid = (Setting(3e-4), Setting(2e-4), Setting(1.5e-4), Setting(1e-4))
    checked, people = 64, 512

    def __init__(self, specialise: bool) -> None:
        self.specialise = specialise
        self.name = "rekindle" if specialise else "rekindle, all equations"

    def version(self) -> str | None:
        """Rekindle's own version."""
        from rekindle import __version__

        return __version__

    def prepare(self, work: Work) -> None:
        """Compile the kernel."""
        self.work = work
        self.scale = sizes(work)
        self.solve(range(8), self.grid[0])

    def solve(self, people: range, setting: Setting) -> Floats:
        """All at once, on one thread."""
        from rekindle.engine.backends import solve

        part = self.work.take(people)
        found = solve(
            part.lowered, part.rows, part.segments, part.outputs, relative_tolerance=setting.relative, threads=1,
            scale=self.scale, specialise=self.specialise,
        )  # fmt: skip
        self.report = found.report
        return found.values


def sizes(work: Work) -> Floats:
    """The largest value of each state for one person, shape (states,): what absolute tolerances are shares of."""
    from rekindle.engine.scale import typical_scale

    return typical_scale(work.lowered, work.segments[0])


class RoadRunner:
    """libRoadRunner: CVODE on code that it compiles from the SBML.

    Either the doses are SBML events and each person is a model of their own (compiled before the clock starts), or
    one model is integrated from change to change with the rates set in between. Each state has an absolute
    tolerance of its own; with a single one CVODE gives up on drugs that have gone.
    """

    method = "CVODE"
    grid = tuple(Setting(r, s) for r in (3e-6, 2e-6, 1.4e-6, 1e-6) for s in (1e-2, 1e-3))
    checked, people = 64, 8

    def __init__(self, events: bool) -> None:
        self.events = events
        self.name = "libRoadRunner, " + ("SBML events" if events else "from change to change")

    def version(self) -> str | None:
        """libRoadRunner's version."""
        return installed("roadrunner", "libroadrunner")

    def prepare(self, work: Work) -> None:
        """Compile one model, or one a person."""
        import roadrunner

        from rekindle.engine.sbml_export import to_sbml

        self.work, self.scale = work, sizes(work)
        roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
        roadrunner.Config.setValue(roadrunner.Config.LLVM_BACKEND, roadrunner.Config.LLJIT)
        network, names = work.lowered.network, work.lowered.parameters
        count = min(self.checked, len(work)) if self.events else 1
        self.runners = []
        for i in range(count):
            values = dict(zip(names, work.rows[i].tolist(), strict=True))
            runner = roadrunner.RoadRunner(to_sbml(network, work.schedules[i] if self.events else None, values))
            runner.timeCourseSelections = ["time", *work.outputs]
            runner.getIntegrator().setValue("maximum_num_steps", 1_000_000)
            self.runners.append(runner)

    def _set(self, runner: Any, setting: Setting) -> None:
        integrator = runner.getIntegrator()
        integrator.setValue("relative_tolerance", setting.relative)
        for name, size in zip(self.work.lowered.states, self.scale.tolist(), strict=True):
            integrator.setIndividualTolerance(name, setting.relative * setting.share * size)

    def solve(self, people: range, setting: Setting) -> Floats:
        """One person after the other."""
        return np.array([self._events(i, setting) if self.events else self._changes(i, setting) for i in people])

    def _events(self, person: int, setting: Setting) -> Floats:
        runner = self.runners[person % len(self.runners)]
        runner.reset()
        self._set(runner, setting)
        return np.asarray(runner.simulate(times=[0.0, *self.work.times]))[1:, 1:]

    def _changes(self, person: int, setting: Setting) -> Floats:
        work, runner = self.work, self.runners[0]
        segments, names = work.segments[person], work.lowered.parameters
        model, integrator = runner.model, runner.getIntegrator()
        ids = {name: i for i, name in enumerate(model.getGlobalParameterIds())}
        free = np.array([ids[name] for name in names], dtype=np.int32)
        runner.reset()
        model.setGlobalParameterValues(free, work.rows[person])
        runner.reset()
        self._set(runner, setting)
        found = np.empty((len(work.times), len(work.outputs)))
        selections = list(work.outputs)
        for k in range(len(segments.edges) - 1):
            now = float(segments.edges[k])
            for a in range(segments.first[k], segments.first[k + 1]):
                position = int(segments.position[a])
                value = float(work.rows[person, position] + segments.value[a])
                model.setGlobalParameterValues(np.array([ids[names[position]]], dtype=np.int32), [value])
            integrator.restart(now)
            for row in range(*segments.rows[k]):
                until = float(segments.times[row])
                if until > now:
                    integrator.integrate(now, until - now)
                    now = until
                found[row] = [runner.getValue(name) for name in selections]
            if segments.edges[k + 1] > now:
                integrator.integrate(now, float(segments.edges[k + 1]) - now)
        return found


class Copasi:
    """COPASI by way of basico: LSODA on the exported SBML, a model a person, doses as SBML events."""

    name, method = "COPASI", "LSODA"
    grid = tuple(Setting(r, s) for r in (1e-5, 1e-6) for s in (1e-2, 1e-3))
    checked, people = 8, 2

    def version(self) -> str | None:
        """COPASI's version; basico stands for it only where it is the package that goes with COPASI."""
        return installed("COPASI", "python-copasi") if installed("basico", "copasi-basico") else None

    def prepare(self, work: Work) -> None:
        """Read one model a person."""
        import basico

        from rekindle.engine.sbml_export import to_sbml

        self.work, self.models, self.basico = work, [], basico
        for i in range(min(self.checked, len(work))):
            values = dict(zip(work.lowered.parameters, work.rows[i].tolist(), strict=True))
            text = to_sbml(work.lowered.network, work.schedules[i], values)
            self.models.append(basico.load_model_from_string(text))

    def solve(self, people: range, setting: Setting) -> Floats:
        """One person after the other."""
        method = {
            "name": "Deterministic (LSODA)",
            "Relative Tolerance": setting.relative,
            "Absolute Tolerance": setting.relative * setting.share,
            "Max Internal Steps": 1_000_000,
        }
        found = []
        for i in people:
            model = self.models[i % len(self.models)]
            self.basico.set_task_settings("Time-Course", {"method": method}, model=model)
            table = self.basico.run_time_course_with_output(
                output_selection=[f"Values[{name}]" for name in self.work.outputs],
                values=[0.0, *self.work.times],
                start_time=0.0,
                use_initial_values=True,
                update_model=False,
                method="deterministic",
                model=model,
            )
            found.append(np.asarray(table.to_numpy(dtype=float))[1:])
        return np.array(found)


class Scipy:
    """LSODA from scipy, on right side and Jacobian compiled by Rekindle: the plain solver of this package."""

    name, method = "scipy LSODA, compiled equations", "LSODA"
    grid = tuple(Setting(r) for r in (1e-5, 3e-6, 2e-6, 1e-6, 3e-7))
    checked, people = 64, 8

    def version(self) -> str | None:
        """scipy's version."""
        return installed("scipy", "scipy")

    def prepare(self, work: Work) -> None:
        """Compile the equations."""
        self.work, self.scale = work, sizes(work)
        self.solve(range(1), self.grid[0])

    def solve(self, people: range, setting: Setting) -> Floats:
        """One person after the other."""
        from rekindle.engine.backends import solve

        part = self.work.take(people)
        return solve(
            part.lowered, part.rows, part.segments, part.outputs, backend="reference",
            relative_tolerance=setting.relative, threads=1, scale=self.scale,
        ).values  # fmt: skip


def timed(peer: Peer, people: range, setting: Setting) -> tuple[float, Floats]:
    """Processor seconds of this process that the people took, and what came out."""
    begun = time.process_time()
    found = peer.solve(people, setting)
    return time.process_time() - begun, found

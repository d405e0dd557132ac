"""Rekindle: a course of ketamine in, an honest forecast out.

The names a user types are loaded when first used, so that `import rekindle` stays quick:

    study = rekindle.read_study(Path("examples/demo.yaml"))
    trajectories = simulate(study)                      # from rekindle.simulate import simulate
    rekindle.draw_figures(rekindle.material(trajectories))["course"]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES: dict[str, str] = {
    "Course": "rekindle.dosing",
    "People": "rekindle.population",
    "Study": "rekindle.study",
    "Trajectories": "rekindle.trajectories",
    "catalog": "rekindle.evidence",
    "draw": "rekindle.population",
    "draw_figures": "rekindle.report",
    "material": "rekindle.report.from_trajectories",
    "open_model": "rekindle.models",
    "parse": "rekindle.dosing",
    "parse_study": "rekindle.study",
    "read_events": "rekindle.dosing",
    "read_people": "rekindle.population",
    "read_person": "rekindle.person",
    "read_study": "rekindle.study",
    "simulate_events": "rekindle.predictions",
    "write_report": "rekindle.report",
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    """Load a public name from its module at first use.

    Raises:
        AttributeError: no such public name.
    """
    if name not in _HOMES:
        raise AttributeError(f"module 'rekindle' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__


if TYPE_CHECKING:
    from rekindle.dosing import Course as Course
    from rekindle.dosing import parse as parse
    from rekindle.dosing import read_events as read_events
    from rekindle.evidence import catalog as catalog
    from rekindle.models import open_model as open_model
    from rekindle.person import read_person as read_person
    from rekindle.population import People as People
    from rekindle.population import draw as draw
    from rekindle.population import read_people as read_people
    from rekindle.predictions import simulate_events as simulate_events
    from rekindle.report import draw_figures as draw_figures
    from rekindle.report import write_report as write_report
    from rekindle.report.from_trajectories import material as material
    from rekindle.study import Study as Study
    from rekindle.study import parse_study as parse_study
    from rekindle.study import read_study as read_study
    from rekindle.trajectories import Trajectories as Trajectories

"""A small study solved as a large one, for the tests: seven blocks, a result as its bits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rekindle.engine.sketch import Sketches
from rekindle.large import Streaming, simulate_large
from rekindle.report.from_trajectories.tally import tally
from rekindle.simulate import Settings
from rekindle.study import Study, parse_study
from rekindle.trajectories import Trajectories

STUDY = """
title: A small study solved as a large one
population: {kind: treatment-resistant-depression, people: 100}
arms:
  - {name: Ketamine, course: "0.5 mg/kg IV over 40 min, twice a week for 1 week"}
  - {name: Saline, course: "saline IV over 40 min, twice a week for 1 week", role: comparator}
horizon: 9 days
visits: [1 day, 4 days, 9 days]
outcomes: [MADRS]
studies: 2
seed: 5
"""
BLOCK = 16


def small(**changes: Any) -> Study:
    """The study, with changes."""
    return replace(parse_study(STUDY), **changes)


def solved_large(study: Study | None = None, *, threads: int = 1, **how: Any) -> Trajectories:
    """The study solved in blocks of 16."""
    streaming = Streaming(block=BLOCK, **how)
    return simulate_large(study or small(), settings=Settings(threads=threads), streaming=streaming, measure=tally)


def sketches(found: Trajectories) -> Sketches:
    """Everybody's summaries."""
    assert found.summary is not None
    return found.summary.sketches


def bits(found: Trajectories) -> dict[str, bytes]:
    """Every bit of a result's summaries, first people and repeats."""
    parts = {name: values.tobytes() for name, values in sketches(found).as_arrays().items()}
    for group, data in (("people", found.people), ("repeats", found.repeats)):
        if data is not None:
            parts |= {f"{group} {name}": data[name].values.tobytes() for name in data.data_vars}
    return parts

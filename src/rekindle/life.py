"""What happens in people's lives while they are followed: load from outside that comes and goes, in every arm the same.

Nobody stays well or ill untouched for a year. Each person's external stress follows a mean-reverting path from 0 at
entry (an Ornstein-Uhlenbeck process with a memory of some weeks), constant between changes two weeks apart; its SD on
the model's scale of stress comes from the calibrated ensemble (in trials the setting `life_stress`). It is part of the
natural course. Memory and spacing are assumed: no record measures them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.streams import normals

Array = NDArray[np.float64]

FIRST_H = 168.0
STEP_H = 336.0
MEMORY_H = 1008.0
"""Six weeks: between a quarrel and a lost job; assumed."""

STRESS = "external_stress"
"""The parameter of the model to which the load is added."""


@dataclass(frozen=True)
class Load:
    """People's load from outside beside what they carry at entry: `loads`, (people, changes), from each hour on."""

    times_h: tuple[float, ...]
    loads: Array


def changes_h(end_h: float) -> tuple[float, ...]:
    """Hours at which the load changes: after a week, then every two weeks, up to the end."""
    count = max(0, int(np.ceil((end_h - FIRST_H) / STEP_H)))
    return tuple(FIRST_H + STEP_H * place for place in range(count))


def paths(
    seed: int, people: int, times_h: tuple[float, ...], purpose: tuple[str, ...] = ("life",), *, start: int = 0
) -> Array:
    """Standard paths, (people, changes), of SD 1 after long; purpose, person and change name the luck.

    `start` is the number of the first person.
    """
    found = np.zeros((people, len(times_h)))
    level, before = np.zeros(people), 0.0
    for place, time in enumerate(times_h):
        keep = np.exp(-(time - before) / MEMORY_H)
        luck = normals(seed, *purpose, f"change {place}", start=start, count=people)
        level = keep * level + np.sqrt(1.0 - keep**2) * luck
        found[:, place], before = level, time
    return found

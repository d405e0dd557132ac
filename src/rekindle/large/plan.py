"""What every block of a large study needs to know, and nothing that differs between machines or moments.

Block k holds the people k B to (k + 1) B of the study, the last block what is left. A block is solved in slices, so
many people at a time as fit a fixed piece of memory; block and slice follow from the study alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.backends import DEFAULT_TOLERANCE
from rekindle.mechanism import ensemble
from rekindle.moments import course_times, visit_times
from rekindle.outcomes import SCALES
from rekindle.simulate import Equations, Settings, equations_of, session_hours
from rekindle.trajectories import scales_of

if TYPE_CHECKING:
    from rekindle.large.work import Slice
    from rekindle.models import Model
    from rekindle.population import People
    from rekindle.study import Study

Array = NDArray[np.float64]
Measures = Mapping[tuple[str, str], Array]
Measure = Callable[["Slice"], Measures]
"""More numbers of each person: what to call them and the arm, to an array of people x points. Pickles by name."""

SLICE_BYTES = 48 * 2**20
LANES = 64

_READ: dict[str, Equations] = {}
_READING = threading.Lock()


@dataclass(frozen=True)
class Plan:
    """A large study, ready to be solved block by block.

    `begins` says how many people were screened before each block, where the study has criteria; `table` holds
    the people where they come from a file. `scales` holds the size of every state that steers the solver, by arm.
    """

    study: Study
    model: Model | None
    settings: Settings
    times_h: tuple[float, ...]
    visits_h: tuple[float, ...]
    people: int
    block: int
    slice: int
    scales: Mapping[str, Array]
    begins: tuple[int, ...] = ()
    table: People | None = None
    measure: Measure | None = None
    store: Path | None = None

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-self.people // self.block)

    def bounds(self, block: int) -> tuple[int, int]:
        """Number of the first person of a block, and of the first one after it."""
        return block * self.block, min((block + 1) * self.block, self.people)

    @property
    def equations(self) -> Equations:
        """What is solved; read once a process."""
        model = self.model
        key = "" if model is None else f"{model.source} {model.network.digest} {self._values()} {list(model.changed)}"
        key += f" {self.settings.calibrated and ensemble.calibrated()}"
        with _READING:
            if key not in _READ:
                _READ[key] = equations_of(model, calibrated=self.settings.calibrated)
        return _READ[key]

    def _values(self) -> dict[str, float]:
        """Values that are not those of our own table: a user's model brings all of its own."""
        if self.model is None:
            return {}
        given = self.model.changed if self.model.is_ours else self.model.network.values
        return {name: float(value) for name, value in sorted(given.items())}

    def _ensemble(self) -> str:
        """The digest of the calibrated ensemble that values come from; empty where they do not."""
        ours = self.model is None or self.model.is_ours
        return str(ensemble.record().get("ensemble_digest", "")) if ours and self.settings.calibrated else ""

    def facts(self) -> dict[str, Any]:
        """All that a result depends on, as plain values by name: a run goes on only where these are the same."""
        from rekindle.engine.ensemble import processor_target

        backend = self.settings.backend
        return {
            "study": self.study.digest,
            "people of the study": self.study.participants.csv_digest or "drawn",
            "model": self.equations.lowered.network.digest,
            "parameters": self._values(),
            "ensemble": self._ensemble() or "none",
            "seed": self.study.seed,
            "backend": backend,
            "tolerance": self.settings.relative_tolerance or DEFAULT_TOLERANCE[backend],
            "blocks": [self.people, self.block, self.slice],
            "trajectories": "" if self.store is None else self.store.name,
            "processor and versions": processor_target(),
        }


def moments_of(study: Study) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Hours at which people are followed, and hours of the rating visits; the same in every arm."""
    visits = visit_times(study.horizon_h, study.visits_h)
    followed = (course_times(session_hours(arm), visits, study.horizon_h) for arm in study.arms)
    return tuple(sorted({time for times in followed for time in times})), visits


def slice_size(study: Study, times: int, outputs: int, block: int) -> int:
    """How many people are solved at a time, so that all arms of a slice fit their piece of memory."""
    quantities = outputs + len(scales_of(study)) + len(SCALES["MADRS"].items)
    person = 8 * times * quantities * len(study.arms)
    return int(min(block, max(1, SLICE_BYTES // person // LANES) * LANES))

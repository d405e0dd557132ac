"""How large the model's states become under a person's doses, so that the solver knows what is small for each.

A size steers absolute tolerances and needs no more than its order of magnitude: one typical person is given one dose of
each kind, and what builds up over many doses the solver sees for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.scale import typical_scale
from rekindle.engine.schedule import Infusion, Schedule, compile_schedule
from rekindle.mechanism.delivery import deliver
from rekindle.simulate import lowered_model

if TYPE_CHECKING:
    from rekindle.dosing.administration import Administration

Array = NDArray[np.float64]

FOLLOWED_H = 168.0
"""Hours for which the one dose is followed, in care."""


def sizes(doses: Sequence[Administration]) -> Array:
    """A typical size of every state of the model under these doses, shape (states,), in the states' units."""
    kinds = {replace(dose, time_h=0.0, session=1, line=1) for dose in doses}
    found = [_after(kind) for kind in kinds]
    return np.maximum.reduce(found) if found else _at_rest()


@lru_cache(maxsize=256)
def _after(kind: Administration) -> Array:
    care = Infusion(0.0, "care", 1.0, FOLLOWED_H)
    schedule = Schedule((care, *deliver((kind,))), (FOLLOWED_H,))
    return typical_scale(lowered_model(), compile_schedule(schedule, lowered_model()))


@lru_cache(maxsize=1)
def _at_rest() -> Array:
    return typical_scale(lowered_model(), compile_schedule(Schedule((), (0.0,)), lowered_model()))

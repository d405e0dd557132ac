"""What is solved, and with which values: our model at the calibrated ensemble, or a model that a user brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rekindle.mechanism import ensemble
from rekindle.mechanism.assemble import antimony_text
from rekindle.mechanism.outputs import OUTPUTS
from rekindle.mechanism.plausible import plausible_values

if TYPE_CHECKING:
    from rekindle.engine.lower import Lowered
    from rekindle.models import Model

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Equations:
    """What is solved: a lowered network, the outputs looked at, and values that stand for everybody.

    `values` may hold `spread.NAME` too, how far people differ. Those named in `fixed` were asked for, so neither a
    person's covariates nor a draw change them. `drawn` says that the values are the middle of the calibrated ensemble,
    and those of the repeats its draws; `life_sd` is the SD of the load from outside that comes and goes.
    """

    lowered: Lowered
    outputs: tuple[str, ...]
    values: Mapping[str, float]
    fixed: tuple[str, ...] = ()
    drawn: bool = False
    life_sd: float = 0.0


def equations_of(model: Model | None, *, calibrated: bool = True) -> Equations:
    """The equations of a model, or of ours at the middle of the ensemble (if there is one, and `calibrated`).

    People's random effects and covariates act on the parameters that a user's model shares with ours by name;
    all its other values are its own, and nothing from the ensemble enters it.
    """
    if model is None or model.is_ours:
        changed = dict(model.changed) if model else {}
        drawn = calibrated and ensemble.calibrated()
        values = (ensemble.central_values() if drawn else {}) | changed
        life_sd = ensemble.central_life() if drawn else 0.0
        return Equations(lowered_model(), OUTPUTS, values, tuple(changed), drawn, life_sd)
    from rekindle.engine.lower import lower

    network = model.network
    shared = [name for name in OUTPUTS if name in network.outputs]
    own = [name for name in (*network.states, *network.assignments) if name not in shared]
    return Equations(lower(network), (*shared, *own), network.values, tuple(model.changed))


def drawn_values(equations: Equations, count: int, seed: int) -> dict[str, Array]:
    """What `count` repeats of a study draw, name to (count,): parameters, `spread.NAME`, and the SD of life's load.

    From the calibrated ensemble jointly; without it from the plausible ranges, one by one. What was asked for is the
    same in every repeat: values that the user gave, and all of a user's own model.
    """
    if equations.drawn:
        found = ensemble.people_values(count, seed)
        found |= ensemble.life_values(count, seed)
        kept = {name: equations.values[name] for name in equations.fixed}
    else:
        found, kept = plausible_values(count, seed), dict(equations.values)
    return found | {name: np.full(count, value) for name, value in kept.items()}


@lru_cache(maxsize=2)
def lowered_model() -> Lowered:
    """Rekindle's model, read and lowered once a process, and kept on disk for the next."""
    from rekindle.engine.kept_model import kept

    return kept(antimony_text(), _made_anew)


def _made_anew() -> Lowered:
    from rekindle.engine.lower import lower
    from rekindle.engine.reading import read_antimony

    return lower(read_antimony(antimony_text()))

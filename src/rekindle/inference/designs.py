"""Experiments that nobody has run, and how much each would tell about which explanation holds.

The designs are trial files in `data/designs`. Each is simulated under every rival at draws of that rival's own
posterior; its expected information is how much the uncertainty about the rivals would shrink, in bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from rekindle.inference.calibrate import Calibration
from rekindle.inference.rivals import Weighed, expected_information
from rekindle.inference.trials import TrialSimulator
from rekindle.trial.design import Trial
from rekindle.trial.reading import read_trial

Progress = Callable[[str, int, int], None]

FOLDER = Path(__file__).parent / "data" / "designs"
BETWEEN = 4.0
"""Standard deviation by which a trial's numbers differ from the next beyond luck, per cent of the scale's range."""


@cache
def designs() -> tuple[Trial, ...]:
    """The designs in the package, in the order of their names.

    Raises:
        InputError: a file is wrong, with its line.
    """
    return tuple(read_trial(path) for path in sorted(FOLDER.glob("*.yaml")))


def design_rows(
    found: Calibration,
    weighed: Sequence[Weighed],
    *,
    draws: int = 24,
    people: int = 64,
    progress: Progress | None = None,
) -> list[dict[str, object]]:
    """For each design the bits it is expected to tell about the rivals, which are held equally likely before.

    Beside them stand the expected values of its first number under each rival.

    Raises:
        InputError: a design's file is wrong.
        SolverError: a simulated number is not finite.
    """
    rows: list[dict[str, object]] = []
    for number, trial in enumerate(designs()):
        if progress is not None:
            progress("simulating experiments not yet run", number, len(designs()))
        simulator = TrialSimulator((trial,))
        means = []
        for each in weighed:
            some = np.linspace(0, len(each.posterior.shares) - 1, draws).astype(int)
            values = found.prior.values(each.posterior.shares[some])
            values |= {name: np.full(draws, value) for name, value in each.rival.held.items()}
            means.append(simulator.expected(values, people=people, seed=found.settings.seed))
        luck = simulator.luck(found.prior.values(np.zeros((1, len(found.prior.names)))), people=people, seed=1).sd
        bits = expected_information(
            np.array(means), np.hypot(luck, BETWEEN), np.ones(len(weighed)), seed=found.settings.seed
        )
        first = simulator.targets[0]
        rows.append(
            {"design": trial.name, "title": trial.title, "bits": bits, "number": first.label or first.key}
            | {
                each.rival.name: float(first.natural(mean[:, 0].mean()))
                for each, mean in zip(weighed, means, strict=True)
            }
        )
    return sorted(rows, key=lambda row: -float(str(row["bits"])))

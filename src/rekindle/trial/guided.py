"""An arm whose doses are decided at visits, for the people of all parameter sets at once.

The clinic of `rekindle.policy` follows the rules; what happens in people's lives is added to what it gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.dosing import Course
from rekindle.engine.table import targets
from rekindle.engine.visits import solve_visits
from rekindle.life import STRESS, Load
from rekindle.policy.looking import Luck
from rekindle.population import concat
from rekindle.simulate import lowered_model
from rekindle.study import Arm
from rekindle.treatment import Lived, clinic_of
from rekindle.trial.parameters import matrix

if TYPE_CHECKING:
    from rekindle.policy import Policy
    from rekindle.trial.design import Trial, TrialArm
    from rekindle.trial.enrolment import Roster

Array = NDArray[np.float64]


def guided_policy(arm: TrialArm) -> Policy | None:
    """The policy of an arm, when it has one."""
    return arm.stages[0].policy if arm.stages else None


def solve_guided(
    trial: Trial,
    arm: TrialArm,
    who: Roster,
    looks: Sequence[float],
    parameters: Mapping[str, Array],
    life: Load,
    outputs: tuple[str, ...],
    how: Mapping[str, Any],
) -> Array:
    """Outputs of the people of an arm under its policy, (sets x people, looks, outputs).

    `life` is everybody's load from outside, (sets x people, changes).

    Raises:
        InputError: the policy reads what the model lacks, or a dose has no way in.
    """
    sets = next(iter(parameters.values())).shape[0]
    lowered = lowered_model()
    policy = guided_policy(arm)
    course = arm.stages[0].course
    assert isinstance(course, Course)
    people = concat([who.people] * sets)
    rows = {name: np.ascontiguousarray(values).reshape(-1) for name, values in parameters.items()}
    luck = Luck(trial.seed, ("trial", trial.name, arm.name))
    end = max(looks[-1], 1.0)
    clinic, looked = clinic_of(
        Arm(arm.name, course, policy=policy), people, rows, outputs, lowered=lowered, horizon_h=end + 1e-6, luck=luck
    )
    decide = Lived(clinic, life, rows[STRESS], targets(lowered)[STRESS])
    visited = solve_visits(
        lowered, matrix(parameters, lowered.parameters), looked, decide, output_times=looks, horizon_h=end + 1e-6, **how
    )
    return np.asarray(visited.solution.values[:, : len(looks), : len(outputs)])

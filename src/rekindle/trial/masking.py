"""What people in an arm believe about what they get, stage by stage, as a factor on the model's `belief`.

A masked trial with an inert control is 1. People who know that they get the drug believe more, people who know
that they get nothing believe less; who measured guesses uses them instead of what the model makes of the felt
effect. A later stage with another belief changes `belief` when it begins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rekindle.trial.design import MASKED, Stage, Trial, TrialArm
from rekindle.trial.values import Sets

Array = NDArray[np.float64]
FELT_CONTROLS = ("midazolam",)


def beliefs(trial: Trial, arm: TrialArm, sets: Sets) -> Array:
    """Factors on belief, shape (stages, sets)."""
    return np.stack([_belief(trial, arm, stage, sets) for stage in arm.stages])


def _belief(trial: Trial, arm: TrialArm, stage: Stage, sets: Sets) -> Array:
    factor = np.ones(sets.count)
    if stage.masking not in MASKED:
        active = _gives_something(stage)
        factor = factor * sets.setting("open_belief" if active else "told_inactive_belief")
    elif arm.guess_active is not None:
        factor = factor * 2.0 * arm.guess_active
    elif any(drug in FELT_CONTROLS for other in trial.arms for drug in other.drugs):
        factor = factor * sets.setting("active_control_belief")
    for name in stage.beliefs:
        factor = factor * sets.setting(name)
    if trial.enrolled.setting == "clinic":
        factor = factor * sets.setting("clinic_belief")
    if trial.enrolled.setting == "inpatient":
        factor = factor * sets.setting("inpatient_contact")
    if trial.enrolled.setting == "research-ward":
        factor = factor * sets.setting("research_ward_contact")
    return factor


def _gives_something(stage: Stage) -> bool:
    inert = {"saline", "placebo-spray", "none"}
    return any(drug not in inert for drug in stage.course.drugs) or bool(stage.modifiers)


def unmasked_by_feeling(arm: TrialArm) -> bool:
    """Whether what is felt may tell people what they got: not asleep, and not where guesses were measured."""
    if arm.guess_active is not None:
        return False
    return not any(stage.masking == "anaesthesia" for stage in arm.stages)

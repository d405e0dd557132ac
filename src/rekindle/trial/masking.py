"""What people in an arm believe about what they get, stage by stage, as a factor on the model's `belief`.

A masked trial with an inert control is 1. People who know that they get the drug believe more, people who know
that they get nothing believe less; who measured guesses uses them instead of what the model makes of the felt
effect. A later stage with another belief changes `belief` when it begins.

Raters guess as well. One who is not told but sits with the patient sees who was detached in the session and who was
not, and rates the first better and the second worse; one on the telephone (`remote`) sees neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.trial.design import MASKED, Stage, Trial, TrialArm
from rekindle.trial.values import Sets

Array = NDArray[np.float64]
FELT_CONTROLS = ("midazolam",)
FELT_KETAMINES = ("racemic-ketamine", "esketamine", "arketamine")
INERT = ("saline", "placebo-spray")


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
    return any(drug not in (*INERT, "none") for drug in stage.course.drugs) or bool(stage.modifiers)


def unmasked_by_feeling(arm: TrialArm) -> bool:
    """Whether what is felt may tell people what they got: not asleep, and not where guesses were measured."""
    if arm.guess_active is not None:
        return False
    return not any(stage.masking == "anaesthesia" for stage in arm.stages)


def guessed_shift(arm: TrialArm, time_h: float, sets: Sets, *, drug: bool = True) -> Array:
    """MADRS points by which a rater who is not told, but is on the site, rates better for what they guess, (sets,).

    The last session before the rating tells, whatever patients know of it: ketamine in any form is taken for what it
    is, an inert control for what it is, and all else for neither. Nothing where the patient slept, or where an inert
    session came with a new antidepressant; a measured guess counts as far as it leaves chance. Without the `drug`
    nothing is felt of it.
    """
    for stage in reversed(arm.stages):
        drugs = [each for each in stage.course.drugs if each != "none"]
        if stage.start_h >= time_h or not drugs:
            continue
        if stage.masking == "anaesthesia" or arm.status != "modelled":
            break
        sure = _sure(arm, drugs, beside=stage.modifiers, drug=drug)
        return sure * sets.setting("felt_rater_shift" if sure > 0.0 else "unfelt_rater_shift")
    return np.zeros(sets.count)


def _sure(arm: TrialArm, drugs: Sequence[str], *, beside: Mapping[str, Any], drug: bool) -> float:
    """How sure a rater is that the session gave something: from -1, surely nothing, to 1."""
    if arm.guess_active is not None and drug:
        return 2.0 * arm.guess_active - 1.0
    if drug and any(each in FELT_KETAMINES for each in drugs):
        return 1.0
    inert = (*INERT, *FELT_KETAMINES) if not drug else INERT
    return -1.0 if all(each in inert for each in drugs) and not beside.get("oral_antidepressant") else 0.0

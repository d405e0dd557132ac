"""The model's parameters for the people of one arm under several parameter sets, ready for the solver.

As `rekindle.cohort.person_parameters`, for sets times people at once: typical value of the set, the person's
random effect, covariates, what the arm takes, the trial's deviations, and what is switched off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rekindle.mechanism.modifiers import covariate_values, modified
from rekindle.mechanism.parameters import parameter_table
from rekindle.population import values_of_people
from rekindle.trial.design import Trial, TrialArm
from rekindle.trial.enrolment import Baseline, Roster
from rekindle.trial.masking import unmasked_by_feeling
from rekindle.trial.switches import Switches
from rekindle.trial.values import POTENT, Sets

Array = NDArray[np.float64]


def arm_parameters(
    trial: Trial,
    arm: TrialArm,
    who: Roster,
    entry: Baseline,
    sets: Sets,
    deviations: Mapping[str, Array],
    belief: Array,
    switches: Switches,
) -> dict[str, Array]:
    """Every parameter by name, each broadcast to (sets, people); `belief` is the factor of the first stage.

    Raises:
        InputError: a modifier that cannot be.
    """
    shape = (sets.count, len(who))
    found: dict[str, Array] = {}
    for name, parameter in parameter_table().items():
        value = sets.model.get(name)
        found[name] = np.full((1, 1), parameter.value) if value is None else np.asarray(value)[:, None]
    if "depth" in found:
        odds = found["depth"] / (1.0 - found["depth"]) * np.exp(deviations["depth"])[:, None]
        found["depth"] = np.clip(odds / (1.0 + odds), 1e-6, 1.0 - 1e-6)
    for name in POTENT:
        found[name] = found[name] * np.exp(deviations["potency"])[:, None]
    spreads = {name: np.asarray(spread)[:, None] for name, spread in sets.spreads.items()}
    found |= values_of_people(found, who.people, spreads)
    found |= _of_people(who, entry)
    modifiers = dict(arm.stages[0].modifiers) if switches.background else {}
    for name, changed in modified(found, modifiers).items():
        found[name] = np.asarray(changed, dtype=np.float64)
    found["belief"] = found["belief"] * (belief * np.exp(deviations["belief"]))[:, None]
    if trial.enrolled.suicidal:
        found["natural_rate"] = found["natural_rate"] * sets.setting("suicidal_steadying")[:, None]
    found |= _switched_off(arm, switches)
    return {name: np.broadcast_to(value, shape) for name, value in found.items()}


def _of_people(who: Roster, entry: Baseline) -> dict[str, Array]:
    columns = {name: np.asarray(who.people[name]) for name in who.people.columns}
    found = {name: np.asarray(value)[None, :] for name, value in covariate_values(columns).items()}
    bipolar = "bipolar" in who.people.kind
    found["bipolar"] = np.full((1, len(who)), 1.0 if bipolar else 0.0)
    if entry.scale == "pain":
        found["baseline_pain"] = entry.severity
    else:
        found["baseline_severity"] = entry.severity
        found["depressed"] = (60.0 * entry.severity > 7.0).astype(np.float64)
    return found


def _switched_off(arm: TrialArm, switches: Switches) -> dict[str, Array]:
    zero = np.zeros((1, 1))
    off: dict[str, Array] = {}
    if not switches.expectancy:
        off["switch_expectancy"] = zero
    if not switches.unmasking or not unmasked_by_feeling(arm):
        off["unmasking"] = zero
    if not switches.natural_course:
        off["natural_course"] = zero
    return off


def matrix(parameters: Mapping[str, Array], names: Sequence[str]) -> Array:
    """Rows for the solver, shape (sets x people, parameters), the people of one set side by side."""
    sets, people = next(iter(parameters.values())).shape
    rows = np.empty((sets * people, len(names)))
    for column, name in enumerate(names):
        rows[:, column] = parameters[name].reshape(-1)
    return rows

"""A foreign witness: the exported model, doses and all, run by another program and compared state by state.

libRoadRunner (Somogyi et al. 2015, doi:10.1093/bioinformatics/btv363) reads the SBML that Rekindle writes,
compiles it by itself and integrates it with CVODE (Hindmarsh et al. 2005). It shares no code with Rekindle's
solvers, its reading of the model, or its way of giving doses.

A scalar absolute tolerance must not be used: libRoadRunner multiplies it by the value that each state has when
CVODE is started again after a dose, so a drug that has gone would have to be followed to 1e-60 mg, and CVODE
gives up ("error test failed repeatedly"). Each state gets its own tolerance here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import roadrunner
from numpy.typing import NDArray

from rekindle.cohort import Cohort, cohort
from rekindle.dosing import parse
from rekindle.engine.backends import solve
from rekindle.engine.lower import Lowered
from rekindle.engine.sbml_export import to_sbml
from rekindle.mechanism.hypotheses import HYPOTHESES
from rekindle.population import KINDS, People, draw
from rekindle.simulate import lowered_model
from rekindle.study import Arm

Floats = NDArray[np.float64]

HORIZON_H = 168.0
TIMES_H = (0.05, 0.3, 0.6, 0.9, 1.5, 3.0, 6.0, 12.0, 24.0, 48.0, 71.0, 72.4, 73.0, 76.0, 96.0, 130.0, 168.0)
"""No dose starts or ends at any of these, so it does not matter who looks first."""

REFERENCE_TOLERANCE = 1e-12
WITNESS_RELATIVE, WITNESS_ABSOLUTE = 1e-11, 1e-14
NOTHING = 1e-12
"""mg, ng/mL or 1. A state that both programs keep below is rounding of what nothing reaches, and agrees."""
ALLOWED = 1e-6

RACEMIC = {
    "iv-infusion": "0.5 mg/kg IV over 40 min",
    "iv-bolus": "0.25 mg/kg ketamine IV bolus",
    "intramuscular": "0.5 mg/kg ketamine IM",
    "subcutaneous": "0.5 mg/kg ketamine subcutaneously",
    "intranasal": "50 mg intranasal ketamine",
    "oral": "1 mg/kg ketamine orally",
    "oral-extended-release": "120 mg extended-release oral ketamine",
    "sublingual-film": "100 mg ketamine sublingual film",
    "sublingual-lozenge": "100 mg ketamine sublingual lozenge",
    "inhaled": "0.75 mg/kg ketamine inhaled over 20 min",
}


def _named(sentence: str, drug: str) -> str:
    """The sentence for another form of ketamine."""
    if "ketamine" not in sentence:
        return sentence.replace("mg/kg", f"mg/kg {drug}")
    named = sentence.replace("ketamine", drug)
    return named.replace(f"intranasal {drug}", f"{drug} by nasal atomiser")


def _courses() -> dict[tuple[str, str], str]:
    """A sentence for every drug by every route: two sessions, three days apart."""
    found = {("racemic-ketamine", route): sentence for route, sentence in RACEMIC.items()}
    for drug in ("esketamine", "arketamine"):
        found |= {(drug, route): _named(sentence, drug) for route, sentence in RACEMIC.items()}
    found["esketamine", "intranasal-device"] = "84 mg intranasal esketamine"
    found["midazolam", "iv-infusion"] = "0.045 mg/kg midazolam IV over 40 min"
    found["saline", "iv-infusion"] = "saline IV over 40 min"
    found["placebo-spray", "intranasal"] = "placebo spray"
    sessions = {case: f"{sentence}, days 1, 4" for case, sentence in found.items()}
    sessions["oral-antidepressant", "oral"] = "oral antidepressant daily for 5 days"
    sessions["ect", "none"] = "ECT, days 1, 4"
    sessions["none", "none"] = "no treatment"
    return sessions


COURSES = _courses()
EVERY_HYPOTHESIS = dict.fromkeys(HYPOTHESES, 1.0)


@lru_cache(maxsize=4)
def people(count: int, seed: int = 20) -> tuple[People, ...]:
    """People drawn from all populations in turn, as many of each as can be, one table a population."""
    shares = [count // len(KINDS) + (i < count % len(KINDS)) for i in range(len(KINDS))]
    return tuple(draw(kind, share, seed) for kind, share in zip(KINDS, shares, strict=True) if share)


@dataclass(frozen=True)
class Comparison:
    """One person's states by both programs, shape (times, states), and how far they are apart."""

    states: tuple[str, ...]
    reference: Floats
    witness: Floats

    @property
    def differences(self) -> Floats:
        """|witness - reference| / (|reference| + 1e-6 x the state's largest value), shape (times, states)."""
        size = np.abs(self.reference)
        off = np.abs(self.witness - self.reference)
        compared = size + 1e-6 * size.max(axis=0)
        return np.where(self.empty, 0.0, off / np.where(self.empty, 1.0, np.maximum(compared, NOTHING)))

    @property
    def empty(self) -> NDArray[np.bool_]:
        """Which states hold nothing in both programs, shape (states,)."""
        return np.maximum(np.abs(self.reference), np.abs(self.witness)).max(axis=0) <= NOTHING

    @property
    def largest(self) -> tuple[float, str, float]:
        """The largest difference, the state and the hour at which it is."""
        time, state = np.unravel_index(int(np.argmax(self.differences)), self.differences.shape)
        return float(self.differences[time, state]), self.states[state], TIMES_H[time]

    @property
    def moved(self) -> frozenset[str]:
        """The states that take more than one value."""
        changes = np.ptp(self.reference, axis=0) > NOTHING
        return frozenset(name for name, change in zip(self.states, changes, strict=True) if change)


def cohort_of(sentence: str, who: Sequence[People], hypotheses: Mapping[str, float] | None = None) -> Cohort:
    """People on a course, ready for the solver."""
    arm = Arm("witness", parse(sentence))
    ready = [cohort(each, arm, hypotheses=hypotheses or {}, output_times=TIMES_H, horizon_h=HORIZON_H) for each in who]
    schedules = tuple(schedule for each in ready for schedule in each.schedules)
    parameters = np.concatenate([each.parameters for each in ready])
    return Cohort(ready[0].names, parameters, None, lambda: schedules)


def compare(ready: Cohort, person: int, *, changed: tuple[str, float] | None = None) -> Comparison:
    """One person's states by both programs; `changed` multiplies a parameter in the witness's model only."""
    lowered = lowered_model()
    column = {name: index for index, name in enumerate(ready.names)}
    row = ready.parameters[person, [column[name] for name in lowered.parameters]]
    schedule = ready.schedules[person]
    solution = solve(
        lowered, row, schedule, lowered.states, backend="reference", relative_tolerance=REFERENCE_TOLERANCE
    )
    assert not solution.failures, solution.failures
    values = dict(zip(lowered.parameters, row.tolist(), strict=True))
    if changed is not None:
        values[changed[0]] *= changed[1]
    reference = solution.values[0]
    witness = run(to_sbml(lowered.network, schedule, values), lowered, np.abs(reference).max(axis=0))
    return Comparison(lowered.states, reference, witness)


def run(sbml: str, lowered: Lowered, sizes: Floats) -> Floats:
    """The states by libRoadRunner, shape (times, states); `sizes` are the states' largest values."""
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
    roadrunner.Config.setValue(roadrunner.Config.LLVM_BACKEND, roadrunner.Config.LLJIT)
    runner = roadrunner.RoadRunner(sbml)
    runner.timeCourseSelections = ["time", *lowered.states]
    integrator = runner.getIntegrator()
    integrator.setValue("relative_tolerance", WITNESS_RELATIVE)
    integrator.setValue("maximum_num_steps", 1_000_000)
    for name, size in zip(lowered.states, sizes.tolist(), strict=True):
        integrator.setIndividualTolerance(name, WITNESS_ABSOLUTE * size if size > NOTHING else 1e-9)
    rows = np.asarray(runner.simulate(times=[0.0, *TIMES_H]))
    return rows[1:, 1:]

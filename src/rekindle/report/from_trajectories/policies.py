"""What policies came to: how many sessions people had, how much drug, and which rules were followed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rekindle.cohort import administrations_together
from rekindle.report.bands import Interval
from rekindle.report.from_trajectories.sample import Sample
from rekindle.report.material import Endpoint
from rekindle.report.numerals import plain
from rekindle.study import Arm
from rekindle.trajectories import Doses

NORMAL_SCORES = (-1.6448536269514722, -0.6744897501960817, 0.6744897501960817, 1.6448536269514722)
RANGE_WORDS = "The range is of an average over other people; the parameters' ranges are not in it."


def policy_endpoints(sample: Sample) -> tuple[Endpoint, ...]:
    """Drug given in every arm, where an arm follows a policy; nothing in other studies."""
    if not any(arm.policy for arm in sample.arms):
        return ()
    values: dict[str, Interval | None] = {arm.name: _drug(sample, arm) for arm in sample.arms}
    words = f"Milligrams of base that a person had, by the end. {RANGE_WORDS}"
    return (Endpoint("drug_given", "Drug given in all", "number", values, time_h=None, unit="mg", definition=words),)


def sessions_had(sample: Sample) -> dict[str, Interval]:
    """How many sessions people had on average in the arms with a policy."""
    return {arm.name: _from_sums(told(sample, arm), "given_sessions") for arm in sample.arms if arm.policy}


def told(sample: Sample, arm: Arm) -> Mapping[str, float]:
    """What the run says of how an arm went."""
    found: Mapping[str, float] = sample.trajectories.solver.get("arms", {}).get(arm.name, {})
    return found


def _drug(sample: Sample, arm: Arm) -> Interval:
    """mg of base that a person of an arm had, on average."""
    if arm.policy:
        return _from_sums(told(sample, arm), "given_mg")
    cohort = sample.trajectories.cohort
    doses = administrations_together(cohort, arm)
    total = sum((np.broadcast_to(np.asarray(dose.amount_mg), (len(cohort),)) for dose in doses), np.zeros(len(cohort)))
    sums = {"people": float(len(cohort)), "mg": float(total.sum()), "mg_squared": float((total**2).sum())}
    return _from_sums(sums, "mg")


def _from_sums(sums: Mapping[str, float], name: str) -> Interval:
    """A mean over people, with the normal range of such a mean."""
    people = sums["people"]
    middle = sums[name] / people
    spread = max(0.0, sums[f"{name}_squared"] / people - middle**2) * people / max(1.0, people - 1.0)
    error = float(np.sqrt(spread / people))
    return Interval(middle, *(middle + error * score for score in NORMAL_SCORES))


def arm_sentence(arm: Arm) -> str:
    """What an arm gives, as a clinician says it, with its policy."""
    if arm.policy is None:
        return arm.course.spoken()
    return f"{arm.course.spoken()}, as planned. {arm.policy}"


def policy_words(sample: Sample) -> str:
    """What a reader must know where doses were decided at visits; empty for other studies."""
    said = []
    for arm in sample.arms:
        if arm.policy is None:
            continue
        sums = told(sample, arm)
        counts = [
            f"{rule.name or f'rule {number}'} {plain(sums[f'rule_{number}_followed'])} times"
            for number, rule in enumerate(arm.policy.rules, start=1)
        ]
        said.append(f"In arm {arm.name} doses were decided at visits ({', '.join(counts)}).")
    if not said:
        return ""
    kept = "; doses.csv holds those that were given" if sample.trajectories.doses else ""
    return " ".join([*said, f"Figures of sessions show the planned ones{kept}."])


def doses_csv(doses: Mapping[str, Doses]) -> str:
    """Every session that was given in arms with a policy, one row each."""
    lines = ["arm,person,day,time_h,drug,route,dose,unit,mg"]
    for arm, given in doses.items():
        quoted = '"' + arm.replace('"', '""') + '"' if any(c in arm for c in ',"') else arm
        rows = zip(
            given.person.tolist(), given.time_h.tolist(), given.drug.tolist(), given.route.tolist(),
            given.amount.tolist(), given.unit.tolist(), given.mg.tolist(), strict=True,
        )  # fmt: skip
        lines += [
            f"{quoted},{person},{int(time // 24) + 1},{time:.6g},{drug},{route},{amount:.6g},{unit},{mg:.6g}"
            for person, time, drug, route, amount, unit, mg in rows
        ]
    return "\n".join(lines) + "\n"

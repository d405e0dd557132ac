"""What policies came to: how many sessions people had, how much drug, and which rules were followed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rekindle.cohort import administrations_together
from rekindle.report.bands import Interval
from rekindle.report.from_trajectories.bands import Array
from rekindle.report.from_trajectories.sample import Sample
from rekindle.report.material import Endpoint
from rekindle.report.numerals import plain
from rekindle.study import Arm
from rekindle.trajectories import Doses

NORMAL_SCORES = (-1.6448536269514722, -0.6744897501960817, 0.6744897501960817, 1.6448536269514722)
RANGE_WORDS = "The range is of an average over other people; the parameters' ranges are not in it."


def policy_endpoints(sample: Sample) -> tuple[Endpoint, ...]:
    """Drug given in every arm, where an arm follows a policy; nothing in other studies."""
    if not sample.trajectories.doses:
        return ()
    values: dict[str, Interval | None] = {arm.name: _average(given_to(sample, arm)[1]) for arm in sample.arms}
    words = f"Milligrams of base that a person had, by the end. {RANGE_WORDS}"
    return (Endpoint("drug_given", "Drug given in all", "number", values, time_h=None, unit="mg", definition=words),)


def sessions_had(sample: Sample) -> dict[str, Interval]:
    """How many sessions people had on average in the arms with a policy."""
    given, count = sample.trajectories.doses, len(sample.trajectories.cohort)
    return {arm: _average(counted(doses, count)[0]) for arm, doses in given.items()}


def given_to(sample: Sample, arm: Arm) -> tuple[Array, Array]:
    """Sessions and mg of base that each person of an arm had, shape (people,) each."""
    cohort = sample.trajectories.cohort
    count = len(cohort)
    given = sample.trajectories.doses.get(arm.name)
    if given is not None:
        return counted(given, count)
    doses = [dose for dose in administrations_together(cohort, arm) if dose.amount_mg is not None]
    hours = {(dose.line, dose.session) for dose in doses if dose.drug not in ("oral-antidepressant", "none")}
    total = sum((np.broadcast_to(np.asarray(dose.amount_mg), (count,)) for dose in doses), np.zeros(count))
    return np.full(count, float(len(hours))), total


def counted(given: Doses, count: int) -> tuple[Array, Array]:
    """Sessions and mg of base of each of `count` people."""
    sessions = np.bincount(given.person, minlength=count).astype(np.float64)
    return sessions, np.bincount(given.person, weights=given.mg, minlength=count).astype(np.float64)


def _average(values: Array) -> Interval:
    middle = float(values.mean())
    error = float(values.std(ddof=1)) / np.sqrt(len(values)) if len(values) > 1 else 0.0
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
        followed = sample.trajectories.solver.get("arms", {}).get(arm.name, {}).get("rules_followed", ())
        counts = [
            f"{rule.name or f'rule {number}'} {plain(count)} times"
            for number, (rule, count) in enumerate(zip(arm.policy.rules, followed, strict=False), start=1)
        ]
        said.append(f"In arm {arm.name} doses were decided at visits ({', '.join(counts)}).")
    if not said:
        return ""
    return " ".join([*said, "Figures of sessions show the planned ones; doses.csv holds those that were given."])


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

"""An arm whose doses are decided at visits: its people followed under its policy, and what each of them was given."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.cohort import person_parameters
from rekindle.dosing import Course
from rekindle.dosing.timing import once
from rekindle.dosing.weights import Body
from rekindle.engine.scale import typical_scale
from rekindle.engine.table import Happenings, Looks, compile_table, targets
from rekindle.engine.visits import Decision, Visit, solve_visits
from rekindle.errors import InputError, RekindleError
from rekindle.life import STRESS, Load
from rekindle.mechanism.delivery import NEEDED
from rekindle.moments import visit_times
from rekindle.policy.clinic import Clinic, Courses
from rekindle.policy.giving import Giving
from rekindle.policy.looking import Luck, check_outputs, outputs_read
from rekindle.policy.reading import AT_HOME, amounts, courses_of, reached
from rekindle.policy.rules import Interval
from rekindle.policy.sessions import DAY_H, Kinds, Sequel, first_part, steered_line
from rekindle.trajectories import Doses, Solved

if TYPE_CHECKING:
    from rekindle.dosing.administration import Administration
    from rekindle.dosing.regimen import Regimen
    from rekindle.engine.backends import Backend
    from rekindle.engine.lower import Lowered
    from rekindle.population import People
    from rekindle.study import Arm, Study

Array = NDArray[np.float64]
Values = Mapping[str, Array | float]


@dataclass(frozen=True)
class Solving:
    """How an arm is solved: see `rekindle.engine.visits.solve_visits`.

    `specialise` solves only the equations that the outputs, the policy and the doses need
    (`rekindle.engine.specialise`): several times as quick for a few outputs, the same to the solver's tolerance.
    `scale` is then left to be found.
    """

    backend: Backend = "native"
    relative_tolerance: float | None = None
    threads: int | None = None
    scale: Array | None = None
    check: int = 0
    progress: Callable[[int, int], None] | None = None
    specialise: bool = False


def clinic_luck(study: Study, arm: Arm, times_h: Sequence[float], start: int, *, repeats: bool) -> Luck:
    """The luck of the ratings by which a clinic decides: where the study rates, it is the study's own.

    `start` is the number of the first person; `times_h` are the hours at which `repeats` are rated.
    """
    rated = times_h if repeats else visit_times(study.horizon_h, study.visits_h)
    numbers = {round(time * 60.0): number for number, time in enumerate(rated)}
    return Luck(study.seed, ("repeat", arm.name) if repeats else (arm.name,), start, numbers)


def treat(
    study: Study,
    arm: Arm,
    people: People,
    times_h: Sequence[float],
    outputs: Sequence[str],
    lowered: Lowered,
    luck: Luck,
    values: Values | None = None,
    fixed: Collection[str] = (),
    solving: Solving | None = None,
    life: Load | None = None,
) -> Solved:
    """The people of an arm under its policy, looked at over `times_h` (hours), and the doses that each was given.

    Of the study only the horizon and the hypotheses are read. `values` and `fixed` are those of
    `rekindle.cohort.person_parameters`; `luck` says where the clinic's ratings get their chance from; `life` is added
    to the stress from outside that each person carries.

    Raises:
        InputError: the arm has no policy, its policy reads what the model lacks, or a dose has no way in.
    """
    solving, horizon_h = solving or Solving(), study.horizon_h
    parameters = person_parameters(people, arm, hypotheses=study.hypotheses, values=values, fixed=fixed)
    clinic, looked = clinic_of(arm, people, parameters, outputs, lowered=lowered, horizon_h=horizon_h, luck=luck)
    scale = solving.scale
    if solving.specialise:
        lowered, scale = _part(clinic, lowered, parameters, looked, () if life is None else (STRESS,)), None
    if scale is None:
        scale = _scale(clinic, lowered, horizon_h)
    visited = solve_visits(
        lowered,
        np.column_stack([parameters[name] for name in lowered.parameters]),
        looked,
        clinic if life is None else Lived(clinic, life, parameters[STRESS], targets(lowered)[STRESS]),
        output_times=times_h,
        horizon_h=horizon_h,
        backend=solving.backend,
        relative_tolerance=solving.relative_tolerance,
        threads=solving.threads,
        progress=solving.progress,
        scale=scale,
        check=solving.check,
        checked=len(outputs),
    )
    solution = visited.solution
    failures = tuple((failure.person, failure.reason) for failure in solution.failures)
    doses = _doses(clinic)
    report = {**solution.report, **_sums(clinic, doses, len(people))}
    wanted = solution.values[:, :, : len(outputs)]
    hours = np.asarray(times_h, dtype=np.float64)
    return Solved(arm.name, hours, tuple(outputs), wanted, failures, report, doses)


def clinic_of(
    arm: Arm,
    people: People,
    parameters: Mapping[str, Array],
    outputs: Sequence[str],
    *,
    lowered: Lowered,
    horizon_h: float,
    luck: Luck,
) -> tuple[Clinic, tuple[str, ...]]:
    """The clinic of an arm with a policy, and the outputs to solve for: those given first, then what it reads.

    Raises:
        InputError: as `treat`.
    """
    policy = arm.policy
    if policy is None:
        raise InputError("The arm has no policy.", where=f"arm {arm.name}")
    check_outputs(policy, (*lowered.states, *lowered.network.outputs))
    looked = tuple(dict.fromkeys((*outputs, *outputs_read(policy))))
    courses = _courses(arm, people, horizon_h)
    own = {name: parameters[name] for name in (*NEEDED, "oral_antidepressant", "care_after")}
    giving = Giving(lowered, courses.kinds, _bodies(people), own)
    return Clinic(policy, courses, people, giving, looked, horizon_h, luck), looked


class Lived:
    """The clinic's decisions, with the stress from outside that changes until the next visit added to them.

    `own` is the stress that each person carries at entry, (people,); `target` what happens to it is filed under.
    """

    def __init__(self, clinic: Clinic, life: Load, own: Array, target: int) -> None:
        self.clinic, self.times_h, self.target = clinic, life.times_h, target
        self.levels = own[:, None] + life.loads

    def __call__(self, visit: Visit) -> Decision:
        """What happens to the people of a visit until their next one."""
        decision = self.clinic(visit)
        parts = [decision.given]
        for place, time in enumerate(self.times_h):
            here = (time >= visit.time) & (time < decision.until)
            who = visit.person[here]
            if len(who):
                count = np.full(len(who), 0.0)
                parts.append(
                    Happenings(who, count + time, np.full(len(who), self.target), self.levels[who, place], count)
                )
        return Decision(decision.until, Happenings.join(parts), decision.watch_person, decision.watch_time)


def _part(
    clinic: Clinic, lowered: Lowered, parameters: Mapping[str, Array], looked: Sequence[str], changing: Collection[str]
) -> Lowered:
    """The part of the model that is needed; the clinic then gives into that part. `changing` parameters change."""
    from rekindle.engine.specialise import part_of

    giving = clinic.giving
    touched = giving.touched(clinic.courses.fixed) | frozenset(changing)
    zero = [name for name in lowered.parameters if not np.any(parameters[name])]
    positive = [name for name in lowered.parameters if name not in touched and np.all(parameters[name] > 0.0)]
    part = part_of(lowered, looked, zero=zero, touched=touched, positive=positive).lowered
    left_out = touched - {*part.states, *part.parameters}
    clinic.giving = Giving(part, giving.kinds, giving.bodies, giving.own, left_out)
    return part


def _bodies(people: People) -> list[Body]:
    heights = people["height_cm"].tolist() if "height_cm" in people else [None] * len(people)
    measures = zip(people["weight_kg"].tolist(), heights, people["sex"].tolist(), strict=True)
    return [Body(*each) for each in measures]


def _courses(arm: Arm, people: People, horizon_h: float) -> Courses:
    """What may be given under an arm's policy.

    Raises:
        InputError: a dose after the horizon, or several drugs that the policy could change.
    """
    policy = arm.policy
    assert policy is not None
    kinds = Kinds()
    empty = Sequel(np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(0), 0.0)
    own = first = empty
    line = _with_arm(arm, partial(steered_line, arm.course, policy, "The course"))
    if line is not None:
        late = next((session for session in line.sessions if session.time_h >= horizon_h), None)
        if late is not None:
            raise InputError(
                f"Arm '{arm.name}' has a dose at {late.time_h:g} h, the study ends at {horizon_h:g} h.",
                hint="Lengthen the horizon or shorten the course.",
            )
        own = kinds.sequel(line.sessions, line.length_days * DAY_H)
        first = kinds.sequel(*first_part(line))
    named = {}
    for name, course in courses_of(policy, arm.course).items():
        if name:
            given = _with_arm(arm, partial(steered_line, course, policy, f"'{name}'"))
            if given is None or len(course.lines) > 1:
                raise InputError(f"The course '{name}' is not one drug given at sessions.", where=f"arm {arm.name}")
            named[name] = kinds.sequel(given.sessions, given.length_days * DAY_H)
    others = tuple(each for each in arm.course.lines if each is not line)
    doses = Course(others).administrations_together(_bodies(people)) if others else ()
    supervised = sorted({dose.time_h for dose in doses if dose.drug not in AT_HOME})
    return Courses(kinds, own, first, named, doses, tuple(supervised))


def _with_arm(arm: Arm, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except RekindleError as error:
        error.where = f"arm {arm.name}" + (f": {error.where}" if error.where else "")
        raise


def treatment_scale(
    study: Study,
    arm: Arm,
    people: People,
    outputs: Sequence[str],
    lowered: Lowered,
    luck: Luck,
    values: Values | None = None,
    fixed: Collection[str] = (),
) -> Array:
    """The size of every state by which `treat` steers the solver, shape (states,): from the first person's doses.

    Raises:
        InputError: as `treat`.
    """
    parameters = person_parameters(people, arm, hypotheses=study.hypotheses, values=values, fixed=fixed)
    horizon_h = study.horizon_h
    clinic, _ = clinic_of(arm, people, parameters, outputs, lowered=lowered, horizon_h=horizon_h, luck=luck)
    return _scale(clinic, lowered, horizon_h)


def _scale(clinic: Clinic, lowered: Lowered, horizon_h: float) -> Array:
    """A typical size of every state: that of the first person's planned doses, and of every course there may be."""
    courses, giving = clinic.courses, clinic.giving
    sizes = []
    for sequel in (courses.own, *courses.named.values()):
        start = sequel.times - (sequel.times[0] if len(sequel.times) and sequel is not courses.own else 0.0)
        here = start < horizon_h
        person = np.zeros(int(here.sum()), dtype=np.int64)
        given = [giving.happenings(person, start[here], sequel.kinds[here], sequel.amounts[here])]
        if sequel is courses.own:
            static = giving.fixed(courses.fixed)
            given.append(static.take(static.person == 0))
        looks = Looks(np.zeros(1, dtype=np.int64), np.array([horizon_h]))
        table = compile_table(lowered, np.zeros(1), np.array([horizon_h]), Happenings.join(given), looks)
        sizes.append(typical_scale(lowered, table[0]))
    return np.asarray(np.max(sizes, axis=0))


def _doses(clinic: Clinic) -> Doses:
    """What everybody was given, in order of person and time."""
    given, kinds = clinic.given, clinic.courses.kinds.all
    drugs = np.array([kind.regimen.drug for kind in kinds] or [""])
    routes = np.array([kind.regimen.route for kind in kinds] or [""])
    units = np.array([kind.unit for kind in kinds] or [""])
    return Doses(
        given.person, given.time, drugs[given.kind], routes[given.kind], given.amount, units[given.kind], given.mg
    )


def _sums(clinic: Clinic, doses: Doses, people: int) -> dict[str, float]:
    """What the policy came to, as sums over people that add up over parts of an arm."""
    sessions = np.bincount(doses.person, minlength=people).astype(np.float64)
    mg = np.bincount(doses.person, weights=doses.mg, minlength=people)
    found = {
        "given_sessions": float(sessions.sum()),
        "given_sessions_squared": float((sessions**2).sum()),
        "given_mg": float(mg.sum()),
        "given_mg_squared": float((mg**2).sum()),
    }
    followed = clinic.used.sum(axis=1).tolist()
    return found | {f"rule_{number}_followed": count for number, count in enumerate(followed, start=1)}


def extreme_doses(people: People, arm: Arm) -> list[list[Administration]]:
    """Doses at the ends of what an arm's policy can come to, as lists to be checked one by one.

    Each dosed part of every course it may give, as written and at each dose that a rule names; and sessions as close
    together as a rule allows. What a taper falls to is left out.

    Raises:
        InputError: a dose by weight for a person without the measure that it needs.
    """
    if arm.policy is None:
        return []
    bodies, found = _bodies(people), []
    actions = [action for rule in arm.policy.rules for action in rule.then]
    bounds = [amount for action in actions for amount in amounts(action)]
    closest = [each.bound_h for each in actions if isinstance(each, Interval) and each.way != "lengthen"]
    for course in courses_of(arm.policy, arm.course).values():
        found.append(list(course.administrations_together(bodies)))
        for regimen in (regimen for line in course.lines for regimen in line.regimens):
            if not reached(arm.policy, regimen.drug):
                continue
            single = replace(regimen, timing=once(), start_day=None, clock_min=(0,))
            for one in [single, *filter(None, (_at_dose(single, bound.value, bound.unit) for bound in bounds))]:
                doses = Course.of(one).administrations_together(bodies)
                found.append(list(doses))
                for hours in closest:
                    repeats = [replace(dose, time_h=dose.time_h + k * hours) for k in range(5) for dose in doses]
                    found.append(repeats)
    return found


def _at_dose(regimen: Regimen, value: float, unit: str) -> Regimen | None:
    """The regimen at another dose in all; None where it is not dosed in that unit."""
    doses = [step.dose for step in regimen.steps if step.dose is not None]
    if not doses or {dose.unit for dose in doses} != {unit}:
        return None
    factor = value / sum(dose.amount for dose in doses)
    steps = [
        step if step.dose is None else replace(step, dose=replace(step.dose, amount=step.dose.amount * factor))
        for step in regimen.steps
    ]
    return replace(regimen, steps=tuple(steps))

"""People ready to be solved: each person's parameters, and each person's events, for one arm.

A person's parameter is the typical value (of the model, or of one plausible set), scaled by the person's
random effect, replaced by what follows from covariates (unless a value was fixed by name), and last by what
the arm and the hypotheses set.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.dosing.weights import Body
from rekindle.engine.schedule import Infusion, Schedule, Set
from rekindle.errors import InputError
from rekindle.life import STRESS, Load
from rekindle.mechanism.delivery import DURATIONS, NEEDED, deliver
from rekindle.mechanism.hypotheses import switched
from rekindle.mechanism.modifiers import covariate_values, modified
from rekindle.mechanism.parameters import parameter_table
from rekindle.population import People, values_of_people

if TYPE_CHECKING:
    from rekindle.dosing.administration import Administration
    from rekindle.study import Arm

Array = NDArray[np.float64]

SPREAD = "spread."
"""How values name the standard deviation of a random effect between people."""


@dataclass(frozen=True)
class Cohort:
    """One arm's people: `parameters` has a row a person and a column a name, `schedules` one a person.

    `groups` holds people who are dosed at the same times: their rows, and the one schedule of all of them, its amounts,
    rates and values arrays of one number a person (`rekindle.engine.schedule.compile_together` takes it). It is empty
    where people cannot be taken together.
    """

    names: tuple[str, ...]
    parameters: Array
    groups: tuple[tuple[NDArray[np.intp], Schedule], ...]
    _each: Callable[[], tuple[Schedule, ...]]

    @property
    def together(self) -> Schedule | None:
        """The one schedule of all, where everybody is dosed at the same times; else None."""
        return self.groups[0][1] if len(self.groups) == 1 else None

    @cached_property
    def schedules(self) -> tuple[Schedule, ...]:
        """Everybody's schedule, made when asked for.

        Raises:
            InputError: a dose after the horizon.
        """
        return self._each()


def person_parameters(
    people: People,
    arm: Arm,
    *,
    hypotheses: Mapping[str, float],
    values: Mapping[str, Array | float] | None = None,
    fixed: Collection[str] = (),
) -> dict[str, Array]:
    """Every parameter of the model for every person, name to array of shape (people,).

    `values` replaces typical values: one number, or one a person (people of several parameter sets); `spread.NAME`
    is the standard deviation of a random effect instead of the table's. Names in `fixed` keep their values whatever
    the person's covariates say.

    Raises:
        InputError: an unknown modifier or hypothesis, or a value that it cannot have.
    """
    count = len(people)
    typical = {name: parameter.value for name, parameter in parameter_table().items()}
    given = {name: np.asarray(value, dtype=np.float64) for name, value in (values or {}).items()}
    spreads = {name.removeprefix(SPREAD): value for name, value in given.items() if name.startswith(SPREAD)}
    chosen = typical | {name: value for name, value in given.items() if not name.startswith(SPREAD)}
    found = {name: _for_each(value, count) for name, value in chosen.items()}
    found |= values_of_people(found, people, spreads)
    of_people = covariate_values(people.columns)
    of_people["bipolar"] = np.full(count, 1.0 if people.kind == "bipolar-depression" else 0.0)
    found |= {name: value for name, value in of_people.items() if name not in fixed}
    changes: dict[str, Array | float] = {**switched(hypotheses), **modified(found, arm.modifiers)}
    found |= {name: _for_each(value, count) for name, value in changes.items()}
    if arm.expects_active is not None:
        found["belief"] = found["belief"] * 2.0 * arm.expects_active
    return found


def _for_each(value: Array | float, count: int) -> Array:
    """A number, or one a person, as an array of its own, shape (count,)."""
    found = np.empty(count)
    found[:] = value
    return found


def administrations(people: People, arm: Arm) -> tuple[tuple[Administration, ...], ...]:
    """What each person is given, from the arm's course and the person's body.

    Raises:
        InputError: a dose by weight for a person without the measure that it needs.
    """
    return tuple(
        arm.course.administrations(
            weight_kg=float(person["weight_kg"]),
            height_cm=float(person["height_cm"]) if "height_cm" in person else None,
            sex=str(person["sex"]),
        )
        for person in people
    )


def administrations_together(people: People, arm: Arm) -> tuple[Administration, ...]:
    """What everybody is given, from the arm's course: amounts by weight are arrays, one number a person.

    Raises:
        InputError: as `administrations`.
    """
    heights = people["height_cm"].tolist() if "height_cm" in people else [None] * len(people)
    weights, sexes = people["weight_kg"].tolist(), people["sex"].tolist()
    bodies = [Body(*measures) for measures in zip(weights, heights, sexes, strict=True)]
    return arm.course.administrations_together(bodies)


def cohort(
    people: People,
    arm: Arm,
    *,
    hypotheses: Mapping[str, float],
    output_times: Sequence[float],
    horizon_h: float,
    values: Mapping[str, Array | float] | None = None,
    fixed: Collection[str] = (),
    life: Load | None = None,
) -> Cohort:
    """The people of one arm, ready for the solver.

    Being in treatment of any kind counts as care, from the start until some days after the last dose
    (parameter `care_after`, hours). `life` is added to the stress from outside that each person carries.

    Raises:
        InputError: as `person_parameters`, or a dose after the horizon.
    """
    parameters = person_parameters(people, arm, hypotheses=hypotheses, values=values, fixed=fixed)
    names = tuple(parameters)
    table = np.column_stack([parameters[name] for name in names])
    groups = _groups(people, arm, parameters, tuple(output_times), horizon_h, life)
    each = partial(_each, people, arm, parameters, tuple(output_times), horizon_h, life)
    return Cohort(names, table, groups, each)


def _groups(
    people: People,
    arm: Arm,
    parameters: Mapping[str, Array],
    output_times: tuple[float, ...],
    horizon_h: float,
    life: Load | None,
) -> tuple[tuple[NDArray[np.intp], Schedule], ...]:
    """People who share the times at which anything happens, with their schedule; none where that would not pay.

    Raises:
        InputError: a dose after the horizon.
    """
    timing = np.column_stack([parameters[name] for name in (*DURATIONS, "care_after")])
    _, group = np.unique(timing, axis=0, return_inverse=True)
    members = [np.flatnonzero(group.ravel() == number) for number in range(int(group.max()) + 1)] if len(group) else []
    if 4 * len(members) > len(people) > 4:
        return ()
    found = []
    for rows in members:
        chosen = people if len(members) == 1 else people.take(rows)
        doses = administrations_together(chosen, arm)
        _check_horizon(doses, arm, horizon_h)
        own: dict[str, Any] = {name: _one_or_each(parameters[name][rows]) for name in (*NEEDED, "oral_antidepressant")}
        try:
            delivered = deliver(doses, own)
        except ValueError:  # a choice between ways in that falls differently for different people
            return ()
        care = _care(doses, float(parameters["care_after"][rows[0]]), horizon_h)
        stress = _stress(life, parameters, rows)
        found.append((rows, Schedule((*care, *delivered, *stress), output_times)))
    return tuple(found)


def _one_or_each(values: Array) -> Array | float:
    """The number that all share, or everybody's."""
    return float(values[0]) if np.all(values == values[0]) else values


def _check_horizon(doses: Sequence[Administration], arm: Arm, horizon_h: float) -> None:
    late = next((dose for dose in doses if dose.time_h >= horizon_h), None)
    if late is not None:
        raise InputError(
            f"Arm '{arm.name}' has a dose at {late.time_h:g} h, the study ends at {horizon_h:g} h.",
            hint="Lengthen the horizon or shorten the course.",
        )


def _each(
    people: People,
    arm: Arm,
    parameters: Mapping[str, Array],
    output_times: tuple[float, ...],
    horizon_h: float,
    life: Load | None,
) -> tuple[Schedule, ...]:
    """Everybody's schedule, one by one.

    Raises:
        InputError: a dose after the horizon.
    """
    given = administrations(people, arm)
    schedules = []
    for index, doses in enumerate(given):
        _check_horizon(doses, arm, horizon_h)
        own = {name: float(parameters[name][index]) for name in (*NEEDED, "oral_antidepressant")}
        care = _care(doses, float(parameters["care_after"][index]), horizon_h)
        stress = _stress(life, parameters, index)
        schedules.append(Schedule((*care, *deliver(doses, own), *stress), tuple(output_times)))
    return tuple(schedules)


def _care(doses: Sequence[Administration], after_h: float, horizon_h: float) -> tuple[Infusion, ...]:
    """Care of 1 from the start until `after_h` hours after the last dose or the horizon; none without a dose."""
    if not doses:
        return ()
    last = max(dose.end_h for dose in doses)
    return (Infusion(0.0, "care", 1.0, min(last + after_h, horizon_h)),)


def _stress(life: Load | None, parameters: Mapping[str, Array], rows: Any) -> tuple[Set, ...]:
    """The changes of some people's stress from outside: arrays for several people, numbers for one."""
    if life is None:
        return ()
    levels = parameters[STRESS][rows][..., None] + life.loads[rows]
    return tuple(Set(time, STRESS, levels[..., place]) for place, time in enumerate(life.times_h))

"""One block of a large study: its people drawn, solved arm by arm, and reduced to summaries.

Nothing here depends on who works the block out, or when. Only people who could be solved in every arm are counted,
as in a study that is held whole; those who could not are named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.sketch import Sketches, join, merge, summarise
from rekindle.large.plan import Plan
from rekindle.outcomes import SCALES, observe
from rekindle.outcomes.endpoints import remission, response
from rekindle.simulate import load_of, screened_from, solve_arm
from rekindle.study_summary import Over, Quantity
from rekindle.trajectories import TREATED, Solved, by_output, latents_of, person_inputs, scales_of

if TYPE_CHECKING:
    from rekindle.population import People
    from rekindle.study import Study

Array = NDArray[np.float64]
NAMED = 20
"""How many of a block's unsolved people are named; the others are counted."""

COUNTED = ("steps", "refused_steps", "retried", "by_reference", "failed", "people")


@dataclass(frozen=True)
class Slice:
    """Some people of a study, followed in every arm; people who could not be solved in every arm are left out.

    `courses` and `rated` hold people x times and people x visits by (name, arm), `items` the expected MADRS items
    (people x times x items) by arm.
    """

    study: Study
    cohort: People
    times_h: Array
    visits_h: Array
    courses: Mapping[tuple[str, str], Array]
    rated: Mapping[tuple[str, str], Array]
    items: Mapping[str, Array]


@dataclass(frozen=True)
class Block:
    """What is kept of a block: summaries of its `quantities`, and what the solver said."""

    quantities: tuple[Quantity, ...]
    sketches: Sketches | None
    people: int
    solved: int
    failed: Mapping[str, int] = field(default_factory=dict)
    unsolved: tuple[str, ...] = ()
    solver: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def solve_block(plan: Plan, number: int) -> Block:
    """The summaries of one block.

    Raises:
        RekindleError: a dose that the model has no way in for, a person whose dose cannot be told.
    """
    kept: Sketches | None = None
    quantities: tuple[Quantity, ...] = ()
    people, done = 0, 0
    failures: list[tuple[str, int, str]] = []
    reports: list[dict[str, dict[str, Any]]] = []
    for begin, cohort in slices(plan, number):
        solved = [_arm(plan, arm, cohort, begin, checked=people == 0) for arm in plan.study.arms]
        people += len(cohort)
        failures += [(arm.arm, begin + person, reason) for arm in solved for person, reason in arm.failures]
        reports.append({arm.arm: dict(arm.report) for arm in solved})
        if plan.store is not None:
            from rekindle.large.store import write_slice

            write_slice(plan.store, begin, solved)
        looked = _looked_at(plan, cohort, solved, begin)
        done += len(looked.cohort)
        if not len(looked.cohort):
            continue
        series = dict(_series(plan, looked))
        quantities = tuple(series)
        own = join([summarise(values) for values in series.values()])
        kept = own if kept is None else merge(kept, own)
    failed: dict[str, int] = {}
    for arm, _, _ in failures:
        failed[arm] = failed.get(arm, 0) + 1
    named = tuple(f"{arm}, person {person}: {reason}" for arm, person, reason in failures[:NAMED])
    return Block(quantities, kept, people, done, failed, named, _together(reports))


def slices(plan: Plan, number: int) -> Iterator[tuple[int, People]]:
    """The people of a block, slice by slice, each with the number of its first person."""
    from rekindle.population import draw

    first, end = plan.bounds(number)
    if plan.begins:
        whole = screened_from(plan.study, end - first, plan.begins[number])
    for begin in range(first, end, plan.slice):
        until = min(begin + plan.slice, end)
        if plan.table is not None:
            yield begin, plan.table.take(slice(begin, until))
        elif plan.begins:
            yield begin, whole.take(slice(begin - first, until - first))
        else:
            yield begin, draw(plan.study.participants.kind, until - begin, plan.study.seed, start=begin)


def _arm(plan: Plan, arm: Any, cohort: People, begin: int, *, checked: bool) -> Solved:
    equations = plan.equations
    life = load_of(plan.study, equations, len(cohort), begin)
    return solve_arm(
        plan.study, arm, cohort, plan.times_h, equations.outputs, plan.settings, equations=equations,
        values=equations.values, scale=plan.scales[arm.name], check=1 if checked else 0, start=begin,
        life=life,
    )  # fmt: skip


def _looked_at(plan: Plan, cohort: People, solved: list[Solved], begin: int) -> Slice:
    """The people of a slice who were solved in every arm, with their scales and ratings."""
    good = np.all([np.isfinite(arm.values).all(axis=(1, 2)) for arm in solved], axis=0)
    study, numbers = plan.study, np.flatnonzero(good)
    arms = [by_output(arm) for arm in solved]
    places = np.searchsorted(np.asarray(plan.times_h), np.asarray(plan.visits_h))
    courses: dict[tuple[str, str], Array] = {}
    rated: dict[tuple[str, str], Array] = {}
    items: dict[str, Array] = {}
    chosen: Any = slice(None) if good.all() else numbers
    for arm in arms:
        latents = latents_of(arm)
        courses |= {(name, arm.arm): values[chosen] for name, values in latents.items()}
        for scale in scales_of(study, arm.outputs):
            person = person_inputs(scale, cohort)
            expected = scale.expected_items(latents, person)
            total = f"{scale.name} total" if scale.name in latents else scale.name
            courses[total, arm.arm] = expected.sum(axis=-1)[chosen]
            if scale.name == "MADRS":
                items[arm.arm] = expected[chosen]
            at_visits = {name: values[:, places] for name, values in latents.items() if name in scale.latents}
            found = observe(scale, at_visits, person, seed=study.seed, start=begin, purpose=(arm.arm,))
            rated[scale.name, arm.arm] = found.total[chosen]
    left = cohort if good.all() else cohort.take(good)
    return Slice(study, left, np.asarray(plan.times_h), np.asarray(plan.visits_h), courses, rated, items)


def _series(plan: Plan, looked: Slice) -> Iterator[tuple[Quantity, Array]]:
    """Every quantity that is kept, with its numbers, people x points."""
    for (name, arm), values in looked.courses.items():
        yield Quantity(arm, name, "time", values.shape[1]), values
    for arm, expected in looked.items.items():
        for column, item in enumerate(SCALES["MADRS"].items):
            yield Quantity(arm, f"MADRS: {item.name}", "time", expected.shape[1]), expected[:, :, column]
    for (name, arm), totals in looked.rated.items():
        yield Quantity(arm, f"{name} rated", "visit", totals.shape[1]), totals
        yield Quantity(arm, f"{name} change", "visit", totals.shape[1]), totals - totals[:, :1]
        scale = SCALES[name]
        if scale.response is not None:
            held = response(scale, totals, totals[:, 0]).astype(np.float64)
            yield Quantity(arm, f"{name} response", "visit", held.shape[1]), held
        if scale.remission:
            held = remission(scale, totals).astype(np.float64)
            yield Quantity(arm, f"{name} remission", "visit", held.shape[1]), held
    arms = [arm.name for arm in looked.study.arms]
    for name, measured in looked.cohort.columns.items():
        if measured.dtype.kind == "f":
            yield Quantity(arms[0], f"person: {name}", "person", 1), measured[:, None]
    if plan.measure is not None:
        for (name, arm), values in plan.measure(looked).items():
            table = values[:, None] if values.ndim == 1 else values
            over: Over = "person" if table.shape[1] == 1 else "points"
            yield Quantity(arm, name, over, table.shape[1]), table


def _together(reports: list[dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """What the solver said of all slices, by arm."""
    found: dict[str, dict[str, Any]] = {}
    for report in reports:
        for arm, own in report.items():
            found[arm] = add_reports(found.get(arm, {}), own)
    return found


def add_reports(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Two reports of the solver as one: counts added up, the larger error."""
    names = [name for name in second if name in COUNTED or name.startswith(TREATED)]
    added: dict[str, Any] = {name: first.get(name, 0) + second[name] for name in names}
    errors = [each["sample_error"] for each in (first, second) if each.get("sample_error") is not None]
    return added | ({"sample_error": max(errors)} if errors else {})

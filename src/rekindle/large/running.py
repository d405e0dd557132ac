"""A large study from its first block to its result: looked over, solved block by block, kept on disk, put together.

`partial` is where a run keeps what it has reached: `plan.json` (all that the result depends on), and from time to
time the summaries of the blocks done so far. A run that goes on reads them, refuses when anything in the plan has
changed, and then does what an unbroken run would have done, to the last bit.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.checkpoint import forget_states, load_state, save_state
from rekindle.engine.sketch import Sketches, merge
from rekindle.errors import InputError, SolverError
from rekindle.large.plan import Measure, Plan, moments_of, slice_size
from rekindle.large.streaming import Streaming
from rekindle.large.survey import Survey, survey
from rekindle.large.work import add_reports, slices, solve_block
from rekindle.processors import processors
from rekindle.provenance import Provenance
from rekindle.run import disk_errors, write_file
from rekindle.simulate import Progress, Settings, arm_scale, equations_of, load_of, made_with, solve_arm, solve_repeats
from rekindle.study_summary import Quantity, StudySummary
from rekindle.trajectories import (
    MOST_UNSOLVED,
    Trajectories,
    given_doses,
    people_labelled,
    repeats_labelled,
    unsolved_people,
)

if TYPE_CHECKING:
    from rekindle.engine.ensemble import Workers
    from rekindle.models import Model
    from rekindle.population import People
    from rekindle.study import Study

SHOWN = 256
"""First people of a large study who are kept one by one."""

NAMED = 1_000
"""Most people who could not be solved that a run names; all are counted."""


@dataclass
class _Reached:
    """What is done: blocks before `next`, merged in their order."""

    next: int = 0
    quantities: tuple[Quantity, ...] = ()
    sketches: Sketches | None = None
    people: int = 0
    solved: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    unsolved: list[str] = field(default_factory=list)
    solver: dict[str, dict[str, Any]] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """All but the summaries, as plain values."""
        plain = {name: getattr(self, name) for name in ("next", "people", "solved", "failed", "unsolved", "solver")}
        return plain | {"quantities": [list(quantity) for quantity in self.quantities]}


def simulate_large(
    study: Study,
    *,
    model: Model | None = None,
    settings: Settings | None = None,
    streaming: Streaming | None = None,
    measure: Measure | None = None,
    progress: Progress | None = None,
) -> Trajectories:
    """What happens to the people of a study, kept as running summaries over all of them.

    The first people are kept one by one besides. `measure` gives more numbers of each person to summarise. Repeats
    have at most `REPEATED_PEOPLE` people.

    Raises:
        InputError: the study asks for something that cannot be; a run to go on with was another; the disk is full.
        OutsideDomainError: people or doses lie outside what the model knows, and the study does not say so.
        UnsupportedError: the cluster's workers would give other last bits.
        SolverError: too many people could not be solved, or the workers were lost.
    """
    settings, streaming = settings or Settings(), streaming or Streaming()
    workers = _workers(settings, streaming)
    try:
        told = None if progress is None else (lambda done, of: progress("looking people over", done, of))
        looked = survey(study, streaming.block, told)
        plan, shown = _planned(study, model, settings, streaming, looked, measure)
        reached = _prepared(plan, streaming)
        _work_through(plan, reached, workers, streaming, progress)
    finally:
        workers.close()
    return _result(plan, reached, looked, shown, settings, progress)


def _workers(settings: Settings, streaming: Streaming) -> Workers:
    from rekindle.engine.ensemble import Cluster, Threads

    if streaming.cluster is not None:
        return Cluster(streaming.cluster)
    return Threads(settings.threads or processors())


def _planned(
    study: Study, model: Model | None, settings: Settings, streaming: Streaming, looked: Survey, measure: Measure | None
) -> tuple[Plan, People]:
    """The plan of a study, and its first people."""
    equations = equations_of(model, calibrated=settings.calibrated)
    times, visits = moments_of(study)
    plan = Plan(
        study=study,
        model=model,
        settings=replace(settings, threads=1),
        times_h=times,
        visits_h=visits,
        people=looked.people,
        block=streaming.block,
        slice=slice_size(study, len(times), len(equations.outputs), streaming.block),
        scales={},
        begins=looked.begins,
        table=looked.table,
        measure=measure,
        store=None if streaming.store is None else streaming.store.absolute(),
    )
    _, cohort = next(slices(plan, 0))
    first = cohort.take([0])
    scales = {arm.name: arm_scale(study, arm, first, times, equations=plan.equations) for arm in study.arms}
    return replace(plan, scales=scales), cohort.take(slice(0, SHOWN))


def _prepared(plan: Plan, streaming: Streaming) -> _Reached:
    """What an earlier run has reached, or a beginning.

    Raises:
        InputError: an earlier run is there and nobody asked to go on, or it was another.
    """
    folder = streaming.partial
    if folder is None:
        return _Reached()
    facts = plan.facts()
    with disk_errors(str(folder)):
        if (folder / "plan.json").exists():
            if not streaming.resume:
                raise InputError(
                    "An unfinished run lies here.",
                    where=str(folder),
                    hint="Go on with it by --resume, or delete it to start anew.",
                )
            _refuse_changed(folder, facts)
            if plan.store is None or plan.store.exists():
                return _reached(folder)
        # What an earlier run left without its plan or without its store is of no use.
        folder.mkdir(parents=True, exist_ok=True)
        forget_states(folder)
        if plan.store is not None:
            from rekindle.large.store import new_store

            shutil.rmtree(plan.store, ignore_errors=True)
            new_store(plan)
        write_file(folder / "plan.json", json.dumps(facts, indent=2) + "\n")
    return _Reached()


def _refuse_changed(folder: Path, facts: Mapping[str, Any]) -> None:
    try:
        before = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    except ValueError:
        before = {}
    changed = [name for name in facts if before.get(name) != facts[name]]
    if changed:
        raise InputError(
            f"The unfinished run was another one: {', '.join(changed)} differ.",
            where=str(folder),
            hint="Run what it was started with, or delete it to start anew.",
        )


def _reached(folder: Path) -> _Reached:
    held = load_state(folder)
    if held is None:
        return _Reached()
    facts, arrays = held
    quantities = tuple(Quantity(*parts) for parts in facts.pop("quantities"))
    return _Reached(quantities=quantities, sketches=Sketches.of_arrays(arrays) if arrays else None, **facts)


def _work_through(
    plan: Plan, reached: _Reached, workers: Workers, streaming: Streaming, progress: Progress | None
) -> None:
    """Solve what is left, block by block, and keep what is reached."""
    saved = time.monotonic()
    numbers = range(reached.next, plan.blocks)
    try:
        for number, block in workers.results(solve_block, plan, numbers):
            _add(reached, number, block)
            if progress is not None:
                progress("people", reached.people, plan.people)
            if streaming.partial is not None and time.monotonic() - saved >= streaming.every_s:
                _keep(streaming.partial, reached)
                saved = time.monotonic()
    except BaseException:
        # What is done is kept where that can be; the reason why it stopped is what the user is told.
        if streaming.partial is not None and reached.next > numbers.start:
            _keep_quietly(streaming.partial, reached)
        raise
    if streaming.partial is not None and len(numbers):
        _keep(streaming.partial, reached)
    for arm, failed in reached.failed.items():
        if failed > max(1, MOST_UNSOLVED * plan.people):
            first = next(name for name in reached.unsolved if name.startswith(f"{arm}, "))
            raise SolverError(f"{failed} of {plan.people} people of arm '{arm}' could not be solved; {first}.")


def _add(reached: _Reached, number: int, block: Any) -> None:
    """Merge one block, the next in order."""
    if block.sketches is not None:
        reached.quantities = block.quantities
        own = block.sketches
        reached.sketches = own if reached.sketches is None else merge(reached.sketches, own)
    reached.people += block.people
    reached.solved += block.solved
    for arm, failed in block.failed.items():
        reached.failed[arm] = reached.failed.get(arm, 0) + failed
    reached.unsolved = [*reached.unsolved, *block.unsolved][:NAMED]
    for arm, report in block.solver.items():
        reached.solver[arm] = add_reports(reached.solver.get(arm, {}), report)
    reached.next = number + 1


def _keep(folder: Path, reached: _Reached) -> None:
    arrays: dict[str, NDArray[np.generic]] = {} if reached.sketches is None else reached.sketches.as_arrays()
    with disk_errors(str(folder), full="what was done before is kept, and --resume goes on from there"):
        save_state(folder, reached.facts(), arrays)


def _keep_quietly(folder: Path, reached: _Reached) -> None:
    with contextlib.suppress(InputError):
        _keep(folder, reached)


def _result(
    plan: Plan, reached: _Reached, looked: Survey, shown: People, settings: Settings, progress: Progress | None
) -> Trajectories:
    """The result: summaries over all, the first people one by one, and the repeats."""
    if reached.sketches is None:
        raise SolverError("Nobody could be solved in every arm.")
    study, equations = plan.study, plan.equations
    followed = [
        solve_arm(
            study, arm, shown, plan.times_h, equations.outputs, settings, equations=equations,
            values=equations.values, scale=plan.scales[arm.name], check=0, life=load_of(study, equations, len(shown)),
        )
        for arm in study.arms
    ]  # fmt: skip
    people = people_labelled(study, shown, followed, plan.visits_h, threads=settings.threads)
    solved, cohort = solve_repeats(study, plan.visits_h, settings, equations, progress)
    repeats = None if cohort is None else repeats_labelled(study, cohort, solved, threads=settings.threads)
    unsolved = (*reached.unsolved, *(unsolved_people(solved, len(cohort)) if cohort is not None else ()))
    inputs = {"study": study.digest}
    if study.participants.csv_digest:
        inputs["people"] = study.participants.csv_digest
    made = Provenance(seed=study.seed, inputs=inputs, settings=made_with(settings, plan.model))
    solver = {**made_with(settings, plan.model), "arms": reached.solver}
    summary = StudySummary(
        reached.quantities, reached.sketches, np.asarray(plan.times_h), np.asarray(plan.visits_h),
        reached.people, reached.solved,
    )  # fmt: skip
    doses = given_doses(followed)
    return Trajectories(study, people, repeats, shown, cohort, looked.markings, made, unsolved, solver, summary, doses)

"""The people of all arms of all trials under all parameter sets, solved together.

Each lane (an arm, or an order of a crossover) is prepared once: who is in it, what each person is given, when they
are looked at. Solving takes the lanes of many trials and many sets in few large calls, so that the solver's lanes
and threads are full. Arms that are the same simulation are solved once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import ModelError, SolverError
from rekindle.life import Load, changes_h, paths
from rekindle.outcomes import SCALES
from rekindle.simulate import lowered_model
from rekindle.trial.clock import needed_times
from rekindle.trial.design import Number, Trial, TrialArm
from rekindle.trial.enrolment import Baseline, Roster, baseline, roster
from rekindle.trial.guided import guided_policy, solve_guided
from rekindle.trial.masking import beliefs
from rekindle.trial.parameters import arm_parameters, matrix
from rekindle.trial.switches import ALL_ON, Switches
from rekindle.trial.timeline import Lane, Shared, bodies, crossover_lanes, given_to, own_lane, own_values, schedule
from rekindle.trial.values import Sets, deviations_of

if TYPE_CHECKING:
    from rekindle.dosing.administration import Administration
    from rekindle.engine.backends import Backend

Array = NDArray[np.float64]
PEOPLE_AT_ONCE = 60_000
"""Sets times people in one call of the solver."""

MOST_UNSOLVED = 0.02


@dataclass
class Prepared:
    """One lane, ready for any parameter set; schedules are kept from call to call."""

    trial: Trial
    lane: Lane
    who: Roster
    looks: tuple[float, ...]
    doses: list[list[Administration]]
    life_h: tuple[float, ...]
    life: Array
    kept: dict[tuple[Any, ...], Shared] = field(default_factory=dict)


@dataclass(frozen=True)
class Courses:
    """A solved lane: `latents` by name, each (sets, people, looks); people who could not be solved are NaN.

    `stopped` is the same lane with everybody's course ending when they would stop (`stop_h`, (sets, people)), where
    that was asked for.
    """

    lane: Lane
    looks: tuple[float, ...]
    latents: Mapping[str, Array]
    entry: Baseline
    who: Roster
    sets: Sets
    stopped: Courses | None = None
    stop_h: Array | None = None

    def column(self, time_h: float) -> int:
        """The place of a time among the looks.

        Raises:
            ModelError: the people were not looked at then.
        """
        place = int(np.argmin(np.abs(np.asarray(self.looks) - time_h)))
        if abs(self.looks[place] - time_h) > 1e-3:
            raise ModelError(f"'{self.lane.name}' was not looked at {time_h:g} h.")
        return place


def prepare(
    trial: Trial,
    people: int,
    seed: int,
    *,
    numbers: Sequence[Number] | None = None,
    extra: Sequence[float] = (),
    balanced: bool = True,
    switches: Switches = ALL_ON,
) -> list[Prepared]:
    """The lanes of a trial with their people and doses.

    Raises:
        InputError: hardly anybody meets the criteria, or a dose needs a measure that a person lacks.
    """
    wanted = trial.scored if numbers is None else numbers
    who = roster(trial.enrolled, people, seed, balanced=balanced)
    found = []
    for lane in lanes_of(trial):
        looks = _looks(trial, lane, wanted, extra)
        life_h = changes_h(looks[-1])
        doses = [given_to(lane, person, switches) for person in bodies(who.people)]
        life = paths(seed, people, life_h, ("trial", "life"))
        found.append(Prepared(trial, lane, who, looks, doses, life_h, life))
    return found


def lanes_of(trial: Trial) -> list[Lane]:
    """The groups of people who go through the same: arms, or the orders of a crossover."""
    own = [arm for arm in trial.arms if not arm.mixture]
    if trial.design == "crossover" and trial.period_h is not None:
        return crossover_lanes(own, trial.period_h)
    return [own_lane(arm) for arm in own]


def _looks(trial: Trial, lane: Lane, numbers: Sequence[Number], extra: Sequence[float]) -> tuple[float, ...]:
    if trial.design != "crossover":
        return needed_times(trial, lane.arms[0], numbers, extra)
    times: set[float] = set()
    for arm, stage in zip(lane.arms, lane.stages, strict=True):
        times.update(round(stage.start_h + time, 6) for time in needed_times(trial, arm, numbers, extra))
    return tuple(sorted(times))


def latents_needed(trials: Sequence[Trial]) -> tuple[str, ...]:
    """What the mechanism must report for all scales that the trials use."""
    names = {trial.scale for trial in trials} | {trial.enrolled.severity.scale for trial in trials}
    for trial in trials:
        for number in trial.published:
            if number.scale in SCALES:
                names.add(number.scale)
            if " at " in number.options.covariate:
                names.add(number.options.covariate.split(" at ")[0])
        names |= {each.name for each in trial.enter if each.kind == "score"}
        names |= {each.name for number in trial.published for each in number.among if each.kind == "score"}
    return tuple(dict.fromkeys(latent for name in sorted(names & set(SCALES)) for latent in SCALES[name].latents))


def solve_lanes(
    prepared: Sequence[Prepared],
    sets: Sets,
    deviations: Mapping[str, Mapping[str, Array]],
    *,
    switches: Switches = ALL_ON,
    backend: Backend = "native",
    relative_tolerance: float | None = None,
    threads: int | None = None,
    outputs: Sequence[str] | None = None,
) -> list[Courses]:
    """The courses of every lane under every set; `deviations` by the trial's name.

    Raises:
        SolverError: too many people could not be solved.
    """
    names = tuple(outputs or latents_needed([each.trial for each in prepared]))
    how = {"backend": backend, "relative_tolerance": relative_tolerance, "threads": threads}
    groups: dict[frozenset[str], list[int]] = {}
    for place, each in enumerate(prepared):
        groups.setdefault(_touched(each), []).append(place)
    found: dict[int, Courses] = {}
    for place, each in enumerate(prepared):
        if switches.drug and guided_policy(each.lane.arms[0]) is not None:
            found[place] = _solve_guided(each, sets, deviations.get(each.trial.name, {}), switches, names, how)
    for members in groups.values():
        places = [place for place in members if place not in found]
        batch: list[int] = []
        for place in places:
            batch.append(place)
            size = sets.count * sum(len(prepared[each].who) for each in batch)
            if size >= PEOPLE_AT_ONCE or place == places[-1]:
                solved = _solve_batch([prepared[each] for each in batch], sets, deviations, switches, names, how)
                found |= dict(zip(batch, solved, strict=True))
                batch = []
    return [found[place] for place in range(len(prepared))]


def _solve_guided(
    each: Prepared,
    sets: Sets,
    deviations: Mapping[str, Array],
    switches: Switches,
    names: tuple[str, ...],
    how: Mapping[str, Any],
) -> Courses:
    """A lane whose doses are decided at visits (without its drug, the planned visits are what is left)."""
    entry, parameters, _ = _ready(each, sets, deviations, switches)
    load = sets.setting("life_stress") * float(switches.natural_course)
    loads = (load[:, None, None] * each.life[None]).reshape(-1, len(each.life_h))
    values = solve_guided(
        each.trial, each.lane.arms[0], each.who, each.looks, parameters, Load(each.life_h, loads), names, how
    )
    shaped = values.reshape(sets.count, len(each.who), len(each.looks), len(names))
    latents = {name: shaped[..., column] for column, name in enumerate(names)}
    return Courses(each.lane, each.looks, latents, entry, each.who, sets)


def _touched(each: Prepared) -> frozenset[str]:
    """The drugs and routes of a lane: lanes alike leave the same states at zero, and are solved together."""
    first = each.doses[0] if each.doses else []
    return frozenset(f"{dose.drug} {dose.route}" for dose in first)


def _solve_batch(
    batch: Sequence[Prepared],
    sets: Sets,
    deviations: Mapping[str, Mapping[str, Array]],
    switches: Switches,
    names: tuple[str, ...],
    how: Mapping[str, Any],
) -> list[Courses]:
    from rekindle.engine.backends import solve

    lowered = lowered_model()
    rows, schedules, entries = [], [], []
    spans: list[tuple[int, int]] = []
    alike: dict[int, list[tuple[int, list[Shared]]]] = {}
    at = 0
    which: list[int] = []
    for each in batch:
        entry, parameters, levels = _ready(each, sets, deviations.get(each.trial.name, {}), switches)
        entries.append(entry)
        block = matrix(parameters, lowered.parameters)
        events = _schedules(each, sets, parameters, levels, switches)
        place = _found_alike(alike.setdefault(hash(block.tobytes()), []), events)
        if place is not None:
            which.append(place)
            continue
        alike[hash(block.tobytes())].append((len(spans), events))
        which.append(len(spans))
        rows.append(block)
        schedules += events
        spans.append((at, at + len(block)))
        at += len(block)
    solution = solve(lowered, np.concatenate(rows), schedules, names, specialise=how["backend"] == "native", **how)
    if len(solution.failures) > max(1, MOST_UNSOLVED * at):
        failure = solution.failures[0]
        raise SolverError(f"{len(solution.failures)} of {at} people could not be solved: {failure.reason}.")
    found = []
    for each, entry, span in zip(batch, entries, which, strict=True):
        start, stop = spans[span]
        values = solution.values[start:stop, : len(each.looks)]
        shaped = values.reshape(sets.count, len(each.who), len(each.looks), len(names))
        latents = {name: shaped[..., column] for column, name in enumerate(names)}
        found.append(Courses(each.lane, each.looks, latents, entry, each.who, sets))
    return found


def _found_alike(candidates: Sequence[tuple[int, list[Shared]]], events: Sequence[Shared]) -> int | None:
    """The lane with the same parameters to which the same happens, if one was seen."""
    for place, others in candidates:
        if len(others) == len(events) and all(
            one is other or (one.output_times == other.output_times and one.events == other.events)
            for one, other in zip(events, others, strict=True)
        ):
            return place
    return None


def _ready(
    each: Prepared, sets: Sets, deviations: Mapping[str, Array], switches: Switches
) -> tuple[Baseline, dict[str, Array], Array]:
    arm = _first_arm(each)
    inflation = sets.setting("baseline_inflation") if switches.selection else np.zeros(sets.count)
    entry = baseline(
        each.trial.enrolled, each.who, rating_error=sets.rating_error, inflation=inflation, arm_mean=arm.baseline_mean
    )
    factors = np.stack(
        [beliefs(each.trial, own, sets)[0 if len(own.stages) == 1 else place]
         for place, own in enumerate(each.lane.arms)]
    )  # fmt: skip
    # Belief of the first stage, and of each beside it; where nobody believes at first, beside a plain trial's.
    beside = np.where(factors[0] > 1e-6, factors[0], 1.0)
    parameters = arm_parameters(
        each.trial, arm, each.who, entry, sets, deviations_of(sets, deviations), beside, switches
    )
    return entry, parameters, factors / beside


def _first_arm(each: Prepared) -> TrialArm:
    return each.lane.arms[0]


def _schedules(
    each: Prepared, sets: Sets, parameters: Mapping[str, Array], levels: Array, switches: Switches
) -> list[Shared]:
    """One schedule a row, sets outermost; the same object wherever nothing that it depends on differs."""
    from rekindle.trial.timeline import OWN

    own = own_values(parameters)
    found: list[Shared] = []
    stress = sets.setting("life_stress")
    for number in range(sets.count):
        load = float(stress[number]) if each.life_h else 0.0
        level = tuple(levels[:, number].tolist())
        steady = all(each == 1.0 for each in level)
        for person in range(len(each.who)):
            values = tuple(own[number, person].tolist())
            if steady:  # the schedule says nothing about belief: one serves all sets
                values = (*values[:-1], 1.0)
            key = (person, values, level, load, switches)
            if key not in each.kept:
                each.kept[key] = schedule(
                    each.lane,
                    each.doses[person],
                    dict(zip(OWN, values, strict=True)),
                    level,
                    each.looks,
                    switches,
                    list(zip(each.life_h, (load * each.life[person]).tolist(), strict=True)) if load else (),
                )
            found.append(each.kept[key])
    return found

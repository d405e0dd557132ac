"""Candidates for one person: many people like them, each with a full set of parameters, and how each would fare.

A candidate is one draw of everything that is not known: which set of the model's shared parameters holds, the
person's random effects, and the covariates that the file does not give. What is known (body, illness, other drugs)
is the same for all. All candidates are given the person's own doses in one solve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.cohort import person_parameters
from rekindle.dosing import Course, parse
from rekindle.engine.schedule import Infusion, Schedule, Segments, compile_together
from rekindle.errors import InputError
from rekindle.mechanism.delivery import DURATIONS, NEEDED, deliver
from rekindle.mechanism.parameters import parameter_table
from rekindle.person.doses import given_once
from rekindle.population import People, draw, variability
from rekindle.population.variability import weights
from rekindle.simulate import lowered_model
from rekindle.streams import normals, uniforms
from rekindle.study import Arm

if TYPE_CHECKING:
    from rekindle.dosing.administration import Administration
    from rekindle.engine.lower import Lowered
    from rekindle.engine.schedule import Event
    from rekindle.person.record import Measures, Person, Planned

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

CIRCUMSTANCES = ("contact", "care")
DELIVERY = (*NEEDED, "oral_antidepressant")
TIMING = (*DURATIONS, "care_after")
OWN = ("mood_tolerance",)
"""What may differ in one person besides the random effects of the population."""
WEARING_OFF = 4.0
"""Spread of `mood_tolerance` where it is above zero, which half of all candidates are.

Assumed; plausible 1 to 8. After ten sessions a value of 4 takes about two fifths off what a dose does.
"""
LONGEST_GAP_H = 840.0
"""Sessions at most this far apart count as one treatment, in which a person stays in care: five weeks.

Assumed; plausible two to eight weeks. Monthly maintenance is treatment, two courses a season apart are not.
"""
SCREENING = 5e-3
"""Relative tolerance of the solver for what is to come.

At most 0.02 points of the MADRS in 2,000 courses of ten doses.
"""
WEIGHING = 2e-2
"""The same while candidates are weighed by their past.

At most 0.05 points of the MADRS at eight ratings of 1,000 courses of ten doses, and 0.012 in 99 of 100.
"""


@dataclass(frozen=True)
class Sets:
    """Sets of the model's shared parameters: name to values, shape (sets,); all sets are equally likely beforehand."""

    values: Mapping[str, Array]

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))


@dataclass(frozen=True)
class Candidates:
    """Candidates as rows: their table of people, which set each has, and the luck behind their random effects.

    `luck` has shape (candidates, effects) and is standard normal beforehand.
    """

    people: People
    sets: Sets
    which: Integers
    luck: Array
    _parameters: dict[str, Array] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.which)

    def take(self, rows: NDArray[np.intp] | Integers) -> Candidates:
        """The candidates of these rows."""
        return Candidates(self.people.take(np.asarray(rows)), self.sets, self.which[rows], self.luck[rows])


def draw_candidates(person: Person, sets: Sets, count: int, seed: int) -> Candidates:
    """Candidates for a person before their ratings are looked at.

    Raises:
        InputError: a covariate of the person is out of range.
    """
    return candidates_of(draw_covariates(person, count, seed), sets, *draw_luck(sets, count, seed))


def draw_covariates(person: Person, count: int, seed: int) -> People:
    """People like a person in all that the file says of them, without random effects.

    Raises:
        InputError: a covariate of the person is out of range.
    """
    return draw(person.kind, count, seed, effects=False).with_columns(**dict(person.covariates))


def draw_luck(sets: Sets, count: int, seed: int, *, start: int = 0) -> tuple[Array, Integers]:
    """Luck, shape (count, effects), and sets as the population has them; `start` skips those before."""
    luck = np.column_stack([normals(seed, "candidate", name, start=start, count=count) for name in luck_names()])
    which = (uniforms(seed, "candidate", "set", start=start, count=count) * len(sets)).astype(np.int64)
    return luck, which


def luck_names() -> tuple[str, ...]:
    """The columns of luck: the population's random effects, then what may differ in one person besides."""
    return (*(effect.parameter for effect in variability()), *OWN)


def candidates_of(people: People, sets: Sets, luck: Array, which: Integers) -> Candidates:
    """People with the random effects that follow from their luck, and their sets."""
    return Candidates(_with_effects(people, luck), sets, which, luck)


def moved(candidates: Candidates, luck: Array, which: Integers) -> Candidates:
    """The same covariates with other random effects and sets."""
    return candidates_of(candidates.people, candidates.sets, luck, which)


def _with_effects(people: People, luck: Array) -> People:
    """People whose random effects follow from standard normal luck, shape (people, effects)."""
    rows = variability()
    own = {effect.parameter: luck[:, column] for column, effect in enumerate(rows)}
    scores: dict[str, Array] = {}
    for parameter, (shares, left) in _shares().items():
        scores[parameter] = left * own[parameter] + sum(
            (share * scores[partner] for partner, share in shares.items()), np.zeros(len(luck))
        )
    return people.with_columns(**{f"eta.{effect.parameter}": effect.sd * scores[effect.parameter] for effect in rows})


@cache
def _shares() -> dict[str, tuple[dict[str, float], float]]:
    return weights(variability())


def parameters_of(candidates: Candidates, person: Person) -> dict[str, Array]:
    """Every parameter of the model for every candidate: name to shape (candidates,).

    How long a dose takes to be released and how long care is felt are the same for all (the middle of the sets), so
    that all candidates share the times at which anything happens.
    """
    arm = Arm("person", _nothing(), modifiers=dict(person.modifiers))
    values: dict[str, Array | float] = {name: each[candidates.which] for name, each in candidates.sets.values.items()}
    values["mood_tolerance"] = np.maximum(0.0, WEARING_OFF * candidates.luck[:, luck_names().index("mood_tolerance")])
    found = person_parameters(candidates.people, arm, hypotheses={}, values=values)
    table = parameter_table()
    for name in TIMING:
        middle = np.median(candidates.sets.values[name]) if name in candidates.sets.values else table[name].value
        found[name] = np.full(len(candidates), float(middle))
    return found


def _nothing() -> Course:
    return parse("no treatment")


def doses_of(person: Person, planned: Planned | None = None) -> tuple[Administration, ...]:
    """Everything the person was given and is to be given, in time order; hours from the person's first day.

    Raises:
        InputError: a dosing sentence that cannot be read, with its place, or a dose by a weight that is not known.
    """
    body = person.measures
    found: list[Administration] = []
    for given in person.given:
        found.extend(_shifted(given_once(given.sentence, given.where), given.time_h, body, given.where))
    if planned is not None:
        found.extend(_shifted(planned.course, planned.from_h, body, "the planned course"))
    return tuple(sorted(found, key=lambda dose: dose.time_h))


def _shifted(course: Course, from_h: float, body: Measures, where: str) -> list[Administration]:
    try:
        doses = course.administrations(**body)
    except InputError as error:
        error.where = where or error.where
        raise
    return [replace(dose, time_h=dose.time_h + from_h) for dose in doses]


def schedules_of(
    doses: Sequence[Administration],
    parameters: Mapping[str, Array],
    times_h: Sequence[float],
    *,
    now_h: float = 0.0,
    drug: bool = True,
    cared_as: Sequence[Administration] | None = None,
) -> list[Segments]:
    """Compiled schedules, one a candidate, or a single one when all are alike.

    Care (see `care_windows`) lasts until `now_h` at least, and as these doses have it or as `cared_as` would. With
    `drug` off only visits and care are left. `parameters` are those of `parameters_of`.
    """
    schedule = schedule_of(doses, parameters, times_h, now_h=now_h, drug=drug, cared_as=cared_as)
    lowered = lowered_model()
    return compiled(schedule, lowered, len(parameters["care_after"]))


def schedule_of(
    doses: Sequence[Administration],
    parameters: Mapping[str, Array],
    times_h: Sequence[float],
    *,
    now_h: float = 0.0,
    drug: bool = True,
    cared_as: Sequence[Administration] | None = None,
) -> Schedule:
    """The schedule of all candidates, as `schedules_of` compiles it; amounts that differ are arrays."""
    usual = {name: float(parameters[name][0]) for name in DELIVERY}
    own: dict[str, Any] = {**usual}
    matter = _that_matter(tuple(doses), tuple(usual.items()))
    own |= {name: parameters[name] for name in matter if name not in TIMING}
    own["care_after"] = float(parameters["care_after"][0])
    return _schedule(doses, own, times_h, now_h, drug, doses if cared_as is None else cared_as)


def compiled(schedule: Schedule, lowered: Lowered, candidates: int) -> list[Segments]:
    """A schedule compiled: one a candidate, or a single one when all are alike."""
    found = list(compile_together(schedule, lowered, candidates))
    return found[:1] if found[0] is found[-1] else found


@lru_cache(maxsize=256)
def _that_matter(doses: tuple[Administration, ...], usual: tuple[tuple[str, float], ...]) -> tuple[str, ...]:
    """The delivery parameters that change anything for these doses."""
    own = dict(usual)
    known = deliver(doses, own)
    return tuple(name for name in own if deliver(doses, {**own, name: 0.9 * own[name] + 0.01}) != known)


def _schedule(
    doses: Sequence[Administration], own: Mapping[str, Any], times_h: Sequence[float], now_h: float, drug: bool,
    cared_as: Sequence[Administration],
) -> Schedule:  # fmt: skip
    events: list[Event] = list(deliver(doses, own))
    if not drug:
        events = [event for event in events if getattr(event, "target", "") in CIRCUMSTANCES]
    windows = care_windows([(dose.time_h, dose.end_h) for dose in cared_as], own["care_after"], now_h)
    care = [Infusion(begin, "care", 1.0, end - begin) for begin, end in windows]
    return Schedule((*care, *events), tuple(times_h))


def care_windows(
    doses: Sequence[tuple[float, float]], after_h: float, now_h: float, gap_h: float = LONGEST_GAP_H
) -> list[tuple[float, float]]:
    """When the person is in care, as pairs of hours: from the start until now, and on while doses follow each other.

    Care lasts `after_h` beyond a dose, and from one dose to the next where they are at most `gap_h` apart. It begins
    with the first dose where that is still to come. So every future agrees about the past. Nobody without a dose is in
    care. `doses` are pairs of start and end.

    >>> care_windows([(0.0, 1.0), (200.0, 201.0), (3000.0, 3001.0)], 168.0, 300.0)
    [(0.0, 369.0), (3000.0, 3169.0)]
    """
    windows: list[tuple[float, float]] = []
    for begin, end in sorted(doses):
        if not windows:
            windows.append((0.0 if begin < now_h else begin, max(end + after_h, now_h)))
        elif care_goes_on(windows[-1][1], begin, after_h, gap_h):
            windows[-1] = (windows[-1][0], max(windows[-1][1], end + after_h))
        else:
            windows.append((begin, end + after_h))
    return windows


def care_goes_on(until_h: Any, begin_h: Any, after_h: Any, gap_h: float = LONGEST_GAP_H) -> Any:
    """Whether care that would end at `until_h` lasts to a dose at `begin_h`; numbers or arrays of one shape.

    >>> bool(care_goes_on(369.0, 1000.0, 168.0)), bool(care_goes_on(369.0, 1100.0, 168.0))
    (True, False)
    """
    return begin_h <= np.maximum(until_h, until_h - after_h + gap_h)


def courses(
    parameters: Mapping[str, Array],
    schedules: Sequence[Segments],
    outputs: Sequence[str],
    *,
    threads: int | None = None,
    tolerance: float = SCREENING,
    sizes: Array | None = None,
) -> dict[str, Array]:
    """Outputs of every candidate, name to shape (candidates, times); a candidate who cannot be solved has NaN.

    `sizes` are those of the states under the doses (`rekindle.inference.sizes`), where they are known.
    """
    from rekindle.engine.backends import solve

    lowered = lowered_model()
    rows = np.column_stack([parameters[name] for name in lowered.parameters])
    solution = solve(
        lowered,
        rows,
        schedules,
        outputs,
        relative_tolerance=tolerance,
        threads=threads,
        scale=sizes,
        specialise=True,
    )
    return {name: solution[name] for name in outputs}

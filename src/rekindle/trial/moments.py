"""What a model expects of every published number, under many parameter sets at once.

The likelihood of a calibration and the predictions of a scoreboard both come from here: for each scored number its
expected value under each set (endlessly many such trials, the same people under every set) and the luck of a trial
of the published size. Ratios and times are compared as logarithms; `published` is on the same footing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.outcomes import SCALES
from rekindle.trial.compare import TWO_ARMS
from rekindle.trial.design import Number, Trial
from rekindle.trial.leaving import follow
from rekindle.trial.printed import RATIOS
from rekindle.trial.quantify import ONE_ARM, number_of_people, seen
from rekindle.trial.quantify_events import ONE_ARM_EVENTS
from rekindle.trial.solving import Courses, Prepared, prepare
from rekindle.trial.switches import ALL_ON, Switches
from rekindle.trial.values import Sets, sets_of
from rekindle.trial.view import views

if TYPE_CHECKING:
    from rekindle.engine.backends import Backend

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ScoredNumber:
    """A published number as it is compared: `published` and its `standard_error` are logarithms for ratios.

    `trials` is over how many trials it pools. `standard_error` is None where nothing was printed. `direction` is 1
    where the number rises as people get better and -1 where it falls; `within` says that its arms are the same people
    (a crossover), `part` which class of people it is about ('' for all).
    """

    trial: str
    index: int
    record: str | None
    quantity: str
    arms: tuple[str, ...]
    scale: str
    unit: str
    time_h: float | None
    published: float
    standard_error: float | None
    n: tuple[float, ...]
    logarithm: bool
    trials: int
    label: str
    direction: int = -1
    within: bool = False
    part: str = ""

    @property
    def kind(self) -> str:
        """`points`, `percent`, `ratio` (a logarithm) or `other`: what sort of error it has."""
        if self.logarithm:
            return "ratio"
        return {"points": "points", "%": "percent"}.get(self.unit, "other")


@dataclass(frozen=True)
class Moments:
    """`expected` and `sampling_sd` have shape (sets, numbers); `seconds` says how long solving took."""

    numbers: tuple[ScoredNumber, ...]
    expected: Array
    sampling_sd: Array
    people: int
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass
class Simulator:
    """Trials prepared once for any number of calls: the people and their doses stay the same (common luck)."""

    trials: tuple[Trial, ...]
    people: int
    seed: int
    backend: Backend = "native"
    relative_tolerance: float | None = None
    threads: int | None = None
    switches: Switches = ALL_ON
    _prepared: dict[str, list[Prepared]] = field(default_factory=dict)

    def numbers(self) -> tuple[ScoredNumber, ...]:
        """The scored numbers of all trials, in the order of the trials."""
        return scored_numbers(self.trials)

    def prepared(self, trial: Trial) -> list[Prepared]:
        """The lanes of one trial."""
        if trial.name not in self._prepared:
            people = people_needed(trial, self.people)
            self._prepared[trial.name] = prepare(trial, people, self.seed, switches=self.switches)
        return self._prepared[trial.name]

    def __call__(
        self,
        values: Mapping[str, Array | float] | None = None,
        deviations: Mapping[str, Mapping[str, Array]] | None = None,
        *,
        only: Sequence[str] | None = None,
    ) -> Moments:
        """The moments under the sets of `values`; `only` names the trials that are wanted.

        `deviations` gives by trial how it differs from the next: `belief`, `potency` (logs) and `depth` (log-odds),
        each of shape (sets,).

        Raises:
            InputError: an unknown value or deviation.
            SolverError: too many people could not be solved.
        """
        sets = sets_of(values)
        wanted = [trial for trial in self.trials if trial.scored and (only is None or trial.name in only)]
        begun = time.perf_counter()
        lanes = [each for trial in wanted for each in self.prepared(trial)]
        ready = time.perf_counter()
        courses = follow(
            lanes, sets, deviations or {}, switches=self.switches, backend=self.backend,
            relative_tolerance=self.relative_tolerance, threads=self.threads,
        )  # fmt: skip
        solved = time.perf_counter()
        columns = [pair for trial in wanted for pair in numbers_of(trial, _of(trial, lanes, courses), sets)]
        expected = np.stack([pair[0] for pair in columns], axis=1) if columns else np.empty((sets.count, 0))
        luck = np.stack([pair[1] for pair in columns], axis=1) if columns else np.empty((sets.count, 0))
        seconds = {"prepare": ready - begun, "solve": solved - ready, "quantify": time.perf_counter() - solved}
        return Moments(scored_numbers(wanted), expected, luck, self.people, seconds)


MANY = 256
"""Fewest people behind a correlation or a class, whose error falls slowly with their number."""


def people_needed(trial: Trial, people: int) -> int:
    """How many people stand for each arm: those asked for, or more where a number needs them."""
    slow = any(number.quantity in ("correlation", "class_share", "class_mean") for number in trial.scored)
    return max(people, MANY) if slow else people


def moments(
    trials: Sequence[Trial],
    values: Mapping[str, Array | float] | None,
    people: int,
    seed: int,
    *,
    deviations: Mapping[str, Mapping[str, Array]] | None = None,
    **how: Any,
) -> Moments:
    """What is expected of every scored number of the trials under each parameter set; see `Simulator`.

    `values` maps names to arrays of shape (sets,); `people` stand for each arm, the same under every set.

    Raises:
        InputError: an unknown value or deviation.
        SolverError: too many people could not be solved.
    """
    return Simulator(tuple(trials), people, seed, **how)(values, deviations)


def scored_numbers(trials: Sequence[Trial]) -> tuple[ScoredNumber, ...]:
    """The scored numbers of trials as they are compared, in order."""
    return tuple(_compared(trial, number) for trial in trials for number in trial.scored)


def _compared(trial: Trial, number: Number) -> ScoredNumber:
    ratio = number.unit in RATIOS or number.quantity == "time_to_relapse"
    return ScoredNumber(
        trial=trial.name,
        index=number.index,
        record=number.record,
        quantity=number.quantity,
        arms=number.arms,
        scale=number.scale,
        unit=number.unit,
        time_h=number.time_h,
        published=float(np.log(number.value)) if ratio else number.value,
        standard_error=number.standard_error,
        n=tuple(number_of_people(trial, number, arm) for arm in number.arms),
        logarithm=ratio,
        trials=trial.trials,
        label=number.label,
        direction=direction(number),
        within=trial.design == "crossover" and number.options.periods != "first",
        part=number.options.which if number.quantity in ("class_share", "class_mean") else "",
    )


RISING = (
    "response", "remission", "odds_ratio", "risk_ratio", "risk_difference", "within_group_d", "survival", "sensitivity",
    "completion", "time_to_relapse", "share_of_change", "share_of_difference",
)  # fmt: skip
"""Quantities that rise as people get better, whatever the scale."""

SIGNED = ("mean_change", "difference", "standardised_difference", "percent_change")
"""Quantities of which a file may say that better is positive."""


def direction(number: Number) -> int:
    """1 where a published number rises as people get better, -1 where it falls."""
    if number.options.of in ("relapse", "worse"):
        return -1
    if number.quantity in RISING:
        return 1
    if number.quantity in SIGNED and number.options.sign == "improvement":
        return 1
    higher = number.scale in SCALES and SCALES[number.scale].better != "lower"
    return 1 if higher and number.quantity in (*SIGNED, "mean", "class_mean") else -1


def _of(trial: Trial, lanes: Sequence[Prepared], courses: Sequence[Courses]) -> list[Courses]:
    return [course for lane, course in zip(lanes, courses, strict=True) if lane.trial is trial]


def numbers_of(
    trial: Trial,
    courses: Sequence[Courses],
    sets: Sets,
    *,
    numbers: Sequence[Number] | None = None,
    switches: Switches = ALL_ON,
) -> list[tuple[Array, Array]]:
    """Expected value and luck of each number of a solved trial, each (sets,); of the scored ones by default."""
    seen_as: dict[bool, Any] = {}
    found = []
    for number in trial.scored if numbers is None else numbers:
        first_only = number.options.periods == "first"
        if first_only not in seen_as:
            seen_as[first_only] = views(trial, courses, number, switches)
        arms = [
            seen(trial, seen_as[first_only], number, arm, number_of_people(trial, number, arm)) for arm in number.arms
        ]
        expected, luck = (
            TWO_ARMS[number.quantity](arms[0], arms[1])
            if number.quantity in TWO_ARMS
            else (ONE_ARM | ONE_ARM_EVENTS)[number.quantity](arms[0])  # type: ignore[operator]
        )
        found.append((np.broadcast_to(expected, (sets.count,)), np.broadcast_to(luck, (sets.count,))))
    return found

"""Named schedules, drugs and routes on one page, against the same limits, for the person and people like them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rekindle.planning.judging import NOT_WELL, RELAPSE
from rekindle.planning.label import departures
from rekindle.planning.measuring import Measured, measure
from rekindle.planning.options import WEEK_H, Option

if TYPE_CHECKING:
    from rekindle.inference.update import Posterior
    from rekindle.person.record import Person, Planned
    from rekindle.planning.limits import Limits

AS_PLANNED, NOTHING = "as planned", "no further dose and no further visits"


@dataclass(frozen=True)
class Compared:
    """One named schedule: what it does, and where it leaves the rules of the limits.

    `person` is measured on draws of the person, `population` on people like them; None where that was not asked for.
    """

    name: str
    words: str
    departures: tuple[str, ...]
    person: Measured
    population: Measured | None

    def as_dict(self, goal: str) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "name": self.name,
            "course": self.words,
            "departures": list(self.departures),
            "within_limits": not self.departures and self.person.kept,
            "person": self.person.as_dict(goal),
            "population": None if self.population is None else self.population.as_dict(goal),
        }


def named(person: Person) -> dict[str, Planned | None]:
    """The schedules that a person's file names, and no further dose."""
    found: dict[str, Planned | None] = {}
    if person.planned is not None:
        found[AS_PLANNED] = person.planned
    found |= dict(person.options)
    return {**found, NOTHING: None} if not any(_empty(each) for each in found.values()) else found


def _empty(planned: Planned | None) -> bool:
    return planned is None or not planned.course.sessions


def compare(
    posterior: Posterior,
    options: Mapping[str, Planned | Option | None] | None,
    limits: Limits,
    *,
    until_h: float | None = None,
    population: Posterior | None = None,
    draws: int = 1_000,
    seed: int = 1,
    threads: int | None = None,
) -> tuple[Compared, ...]:
    """Named schedules side by side; those of the person's file when none are given. All are followed to one end.

    Raises:
        InputError: a dose that cannot be given.
    """
    person = posterior.person
    chosen: Mapping[str, Planned | Option | None] = named(person) if options is None else options
    end = person.now_h + 26 * WEEK_H if until_h is None else until_h
    found = []
    for name, option in chosen.items():
        planned = option.planned() if isinstance(option, Option) else option
        words = option.words if isinstance(option, Option) else "no treatment" if option is None else str(option.course)
        how: dict[str, Any] = {"draws": draws, "seed": seed, "threads": threads}
        found.append(
            Compared(
                name=name,
                words=words,
                departures=departures(planned, person, limits),
                person=measure(posterior, option, limits, end, **how),
                population=None if population is None else measure(population, option, limits, end, **how),
            )
        )
    return tuple(found)


def goal_of(measured: Measured) -> str:
    """Which chance is to be kept low: of relapse where most draws are in response now, else of not being so."""
    return RELAPSE if measured.well.responding >= 0.5 else NOT_WELL

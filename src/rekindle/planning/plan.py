"""The plan for one person: trade-offs within limits, what each risks, the person's own options beside them.

A plan proposes nothing beyond the file of limits, and says so when nothing within them is good enough.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rekindle.inference.doubts import OUTSIDE, heavy_tail, ordered, unlike
from rekindle.inference.forecast import RISK, person_digest
from rekindle.inference.update import TOO_LITTLE, Posterior, update
from rekindle.planning.compare import NOTHING, Compared, compare, named
from rekindle.planning.judging import RELAPSE
from rekindle.planning.limits import Limits, read_limits
from rekindle.planning.measuring import Measured, measure
from rekindle.planning.options import WEEK_H, Frame, Option, frame_of
from rekindle.planning.search import Found, Settings, fresh_luck, search
from rekindle.planning.waiting import Waited, waiting
from rekindle.provenance import Provenance

if TYPE_CHECKING:
    from pathlib import Path

    from rekindle.person.record import Person, Planned

WEEKS = 26
LIKE_THEM = 1_000
"""People like the person on whom every option is tested too."""
UNLIKE_ANYONE = "Unlike anyone in the model's range. {why}"
UNKNOWN = (
    "Chances are those of the model's draws: what the model leaves out, no margin covers.",
    "Care and attention last as long as sessions do, at most five weeks apart: part of what a sparse schedule keeps is "
    "that, and no further dose means no further visits here.",
    "Events from outside, which bring a part of the relapses in trials, are not foreseen: relapses may be more and "
    "sooner.",
    "Resting pressure between sessions spreads by an assumed 8 and 5 mmHg.",
    "A rule's clinic reads the PHQ-9 as the model has it that day, without the drift of this one person.",
    "Drug on one footing counts mg that reach the blood by the share usual for the route; it is no measure of effect.",
)


@dataclass(frozen=True)
class Choice:
    """One proposed option on draws of the person and on people like them."""

    option: Option
    person: Measured
    population: Measured

    def as_dict(self, goal: str) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "course": str(self.option.course()),
            "rule": self.option.rule or None,
            "integers": list(self.option.integers),
            "person": self.person.as_dict(goal),
            "population": self.population.as_dict(goal),
        }


@dataclass(frozen=True)
class Plan:
    """Trade-offs for one person within limits, from least drug to most, with all that was weighed.

    `unlike` says why the person is unlike anyone that the model knows, `heavy_tail` that few candidates come near; both
    are empty for most.
    """

    person: Person
    limits: Limits
    frame: Frame
    goal: str
    risk: float
    choices: tuple[Choice, ...]
    compared: tuple[Compared, ...]
    waiting: tuple[Waited, ...]
    found: Found
    verdict: str
    unlike: str
    heavy_tail: str
    provenance: Provenance

    @property
    def cautions(self) -> tuple[str, ...]:
        """What a reader must know before any proposal: the gravest first, and nothing that says who the person is."""
        notes = ordered(self.person.notes)
        outside = tuple(note for note in notes if note.startswith(OUTSIDE))
        said = [UNLIKE_ANYONE.format(why=self.unlike)] if self.unlike else []
        if self.verdict == TOO_LITTLE:
            said.append(f"The person's data: {self.verdict}. The person's chances lean on people like them.")
        if self.heavy_tail:
            said.append(self.heavy_tail)
        if "age_years" not in self.person.covariates and any(each.older_from for each in self.limits.offers):
            said.append("The age is not given: of two lines for a first dose the lower one holds.")
        return (*outside, *said, *(note for note in notes if note not in outside))

    @property
    def answer(self) -> str:
        """What was found, in a sentence or two."""
        what = "relapse" if self.goal == RELAPSE else "not being in response"
        weeks = round((self.frame.until_h - self.person.now_h) / WEEK_H)
        if not self.choices:
            close = f" {self.found.refused} came close; more candidates may tell." if self.found.refused else ""
            return f"Nothing within {self.limits.name} keeps every limit with its margin over {weeks} weeks.{close}"
        least = min(self.choices, key=lambda each: each.person.well.chance(self.goal))
        chance = least.person.well.chance(self.goal)
        if chance >= self.risk:
            return (
                f"Nothing within {self.limits.name} keeps the chance of {what} over {weeks} weeks below "
                f"{100 * self.risk:g} %: the lowest is {100 * chance:.0f} %, with {least.option.words}."
            )
        enough = [each for each in self.choices if each.person.well.chance(self.goal) < self.risk]
        light = min(enough, key=lambda each: each.person.drug)
        return (
            f"{len(enough)} of {len(self.choices)} trade-offs within {self.limits.name} keep the chance of {what} over "
            f"{weeks} weeks below {100 * self.risk:g} %. The least drug of these is {light.option.words}: "
            f"{100 * light.person.well.chance(self.goal):.0f} %, {light.person.visits:.0f} visits."
        )

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for JSON; nothing in it says who the person is."""
        found = self.found
        return {
            "made": self.provenance.as_dict(),
            "data": person_digest(self.person),
            "verdict": self.verdict,
            "cautions": list(self.cautions),
            "answer": self.answer,
            "goal": self.goal,
            "risk": self.risk,
            "weeks": round((self.frame.until_h - self.person.now_h) / WEEK_H, 2),
            "limits": {
                "name": self.limits.name, "title": self.limits.title, "digest": self.limits.digest,
                "observation_hours": self.limits.observation_h, "notes": list(self.limits.notes),
                "spacing": [{"rule": str(each), **each.ground.as_dict()} for each in self.limits.spacings],
            },
            "search": {
                "options": found.grid, "within_rules": found.allowed, "looked_at": found.looked_at,
                "refused_on_final_draws": found.refused,
            },
            "choices": [each.as_dict(self.goal) for each in self.choices],
            "compared": [each.as_dict(self.goal) for each in self.compared],
            "waiting": [each.as_dict() for each in self.waiting],
            "unknown": list(UNKNOWN),
        }  # fmt: skip


def like_them(person: Person, *, seed: int = 1, count: int = LIKE_THEM, threads: int | None = None) -> Posterior:
    """People like a person: the same body, illness and doses, and no rating, vital sign or level ever looked at.

    Raises:
        InputError: a dose that cannot be given.
    """
    return update(replace(person, ratings=(), vitals=(), levels=()), candidates=count, seed=seed, threads=threads)


def plan(
    who: Person | Posterior,
    limits: Limits | str | Path,
    *,
    weeks: int = WEEKS,
    risk: float | None = None,
    seed: int = 1,
    settings: Settings | None = None,
    candidates: int = 10_000,
) -> Plan:
    """Trade-offs within limits for a person (or the posterior of one): chance of relapse, drug and visits.

    `limits` may be the name of a file that the package ships, or a path. `risk` is the chance of relapse under which
    an option counts as good enough; the file's, else 0.2.

    Raises:
        InputError: limits that cannot be read, or a dose that cannot be given.
    """
    settings = settings or Settings()
    known = limits if isinstance(limits, Limits) else read_limits(limits)
    posterior = (
        who if isinstance(who, Posterior) else update(who, candidates=candidates, seed=seed, threads=settings.threads)
    )
    person = posterior.person
    frame = frame_of(person, weeks)
    found = search(posterior, known, frame, seed=seed, settings=settings)
    others = like_them(person, seed=seed, threads=settings.threads)
    how: dict[str, Any] = {"draws": settings.final_draws, "seed": fresh_luck(seed), "threads": settings.threads}
    choices = tuple(
        Choice(option, measured, measure(others, option, known, frame.until_h, **how))
        for option, measured in found.chosen
    )
    own = named(person)
    compared = compare(posterior, own, known, until_h=frame.until_h, population=others, **how)
    wished = RISK if person.risk is None else person.risk
    return Plan(
        person=person,
        limits=known,
        frame=frame,
        goal=found.goal,
        risk=wished if risk is None else risk,
        choices=choices,
        compared=compared,
        waiting=_waiting(posterior, choices, found.goal, frame, how),
        found=found,
        verdict=posterior.verdict,
        unlike=unlike(posterior),
        heavy_tail=heavy_tail(posterior),
        provenance=Provenance(
            seed=seed,
            inputs={"person": person_digest(person), "limits": known.digest},
            settings={"budget": settings.budget, "draws": settings.draws, "final_draws": settings.final_draws},
        ),
    )


def _waiting(
    posterior: Posterior, choices: tuple[Choice, ...], goal: str, frame: Frame, how: dict[str, Any]
) -> tuple[Waited, ...]:
    """The cost of waiting under the person's own plan, or else under the fixed choice with the lowest chance."""
    planned: Planned | None = posterior.person.planned
    if planned is None or not planned.course.sessions:
        fixed = [each for each in choices if not each.option.stretch_weeks]
        if not fixed:
            return ()
        planned = min(fixed, key=lambda each: each.person.well.chance(goal)).option.planned()
    return waiting(posterior, planned, until_h=frame.until_h, goal=goal, **how)


__all__ = ["NOTHING", "Choice", "Plan", "like_them", "plan"]

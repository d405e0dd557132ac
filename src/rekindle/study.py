"""A study: who gets which course, for how long, rated how. The value that a run is made from.

`read_study` reads a STUDY.yaml and refuses, with the line, whatever is unknown or cannot be: a drug, scale,
hypothesis or record of that name, a dose after the horizon, two infusions at once on one line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from rekindle.documents import Document, parse_document, read_text
from rekindle.errors import InputError, RekindleError, unknown
from rekindle.policy import Policy, read_policy
from rekindle.provenance import digest
from rekindle.study_file import ArmFields, PopulationFields, StudyFields, study_fields
from rekindle.study_words import Vocabulary, package_vocabulary

if TYPE_CHECKING:
    from rekindle.dosing import Course

Modifier = bool | float | str
Given = TypeVar("Given")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Participants:
    """Who takes part: `people` drawn from a virtual population of this kind, or those of a CSV file.

    `criteria` maps a column of the table of people to its two limits, or to the words allowed.
    """

    kind: str
    people: int
    csv: Path | None = None
    csv_digest: str = ""
    criteria: Mapping[str, tuple[float, float] | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Arm:
    """One arm: its course, what everybody in it takes besides, and the chance that they believe it active.

    `expects_active` is None where the model is to work the belief out from what a session felt like. With a `policy`
    the course is a plan that the clinic changes at visits.
    """

    name: str
    course: Course
    role: Literal["active", "comparator"] = "active"
    modifiers: Mapping[str, Modifier] = field(default_factory=dict)
    expects_active: float | None = None
    policy: Policy | None = None


@dataclass(frozen=True)
class Study:
    """A whole study. Times are hours from the first day; `visits_h` is None for the usual visits.

    `published` is "auto", "none" or ids of records. `studies` counts the repeated studies behind the bands.
    """

    title: str
    arms: tuple[Arm, ...]
    participants: Participants
    horizon_h: float
    seed: int = 1
    question: str = ""
    outcomes: tuple[str, ...] = ("MADRS", "CADSS")
    visits_h: tuple[float, ...] | None = None
    hypotheses: Mapping[str, float] = field(default_factory=dict)
    studies: int = 40
    published: str | tuple[str, ...] = "auto"
    outside_domain: bool = False
    life: bool = True
    """Whether load from outside comes and goes in people's lives (`rekindle.life`)."""
    text: str = field(default="", compare=False, repr=False)
    """The file that the study was read from, kept so that the run can be made again."""

    def as_dict(self) -> dict[str, Any]:
        """The study as plain values, ready for JSON; courses as their sentences."""
        people = self.participants
        return {
            "title": self.title,
            "question": self.question,
            "population": {
                "kind": people.kind,
                "people": people.people,
                "csv": people.csv.name if people.csv else None,
                "csv_digest": people.csv_digest,
                "criteria": {name: list(limits) for name, limits in people.criteria.items()},
            },
            "arms": [
                {
                    "name": arm.name,
                    "course": str(arm.course),
                    "role": arm.role,
                    "modifiers": dict(arm.modifiers),
                    "expects_active": arm.expects_active,
                    **({"policy": arm.policy.as_dict()} if arm.policy else {}),
                }
                for arm in self.arms
            ],
            "horizon_h": self.horizon_h,
            "seed": self.seed,
            "outcomes": list(self.outcomes),
            "visits_h": None if self.visits_h is None else list(self.visits_h),
            "hypotheses": dict(self.hypotheses),
            "studies": self.studies,
            "published": self.published if isinstance(self.published, str) else list(self.published),
            "outside_domain": self.outside_domain,
            "life": self.life,
        }

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that change when anything that the study says changes."""
        return digest(json.dumps(self.as_dict(), sort_keys=True, allow_nan=False))


def read_study(path: Path, *, vocabulary: Vocabulary | None = None) -> Study:
    """The study that a file describes.

    Raises:
        InputError: the file cannot be read or says something that cannot be, with its line.
    """
    text = read_text(path, kind="study file")
    return parse_study(text, str(path), folder=path.parent, vocabulary=vocabulary)


def parse_study(
    text: str, name: str = "study", *, folder: Path | None = None, vocabulary: Vocabulary | None = None
) -> Study:
    """The study that YAML text describes; files that it names are looked for in `folder`.

    Raises:
        InputError: the text says something that cannot be, with its line.
    """
    document = parse_document(text, name)
    fields = study_fields(document)
    words = vocabulary or package_vocabulary()
    _check_names(fields, document, words)
    return Study(
        title=fields.title,
        question=fields.question or "",
        participants=_participants(fields.population, document, folder or Path(), words),
        arms=tuple(_arm(arm, position, fields, document, words) for position, arm in enumerate(fields.arms)),
        horizon_h=fields.horizon,
        seed=fields.seed,
        outcomes=tuple(_canonical(name, words.scales) for name in fields.outcomes),
        visits_h=_visits(fields, document),
        hypotheses={name: float(value) for name, value in fields.hypotheses.items()},
        studies=fields.studies,
        published=fields.published if isinstance(fields.published, str) else tuple(fields.published),
        outside_domain=fields.outside_domain,
        life=fields.life,
        text=text,
    )


def _canonical(name: str, known: tuple[str, ...]) -> str:
    """The known spelling of a name, whatever its capitals."""
    return {each.casefold(): each for each in known}.get(name.casefold(), name)


def _require(kind: str, name: str, known: tuple[str, ...], where: str) -> None:
    if _canonical(name, known) not in known:
        raise unknown(kind, name, known, where=where)


def _check_names(fields: StudyFields, document: Document, words: Vocabulary) -> None:
    """Refuse names that nothing answers to, and names that stand twice."""
    _require("population", fields.population.kind, words.populations, document.where("population", "kind"))
    for position, scale in enumerate(fields.outcomes):
        _require("scale", scale, words.scales, document.where("outcomes", position))
    _once("outcome", list(fields.outcomes), lambda position: document.where("outcomes", position))
    _once("arm", [arm.name for arm in fields.arms], lambda position: document.where("arms", position, "name"))
    for name, share in fields.hypotheses.items():
        with_place(partial(words.hypothesis, name), float(share), document.where("hypotheses", name))
    for name, value in fields.modifiers.items():
        with_place(partial(words.modifier, name), value, document.where("modifiers", name))
    if not isinstance(fields.published, str):
        for position, record in enumerate(fields.published):
            with_place(words.record, record, document.where("published", position))
    if all(arm.role == "comparator" for arm in fields.arms):
        raise InputError(
            "Every arm is a comparator.", where=document.where("arms"), hint="Give one arm the role 'active'."
        )


def _once(kind: str, names: list[str], where: Callable[[int], str]) -> None:
    seen: set[str] = set()
    for position, name in enumerate(names):
        if name.casefold() in seen:
            raise InputError(f"The {kind} '{name}' stands twice.", where=where(position), hint="Keep one of them.")
        seen.add(name.casefold())


def with_place(read: Callable[[Given], Found], given: Given, where: str) -> Found:
    """What `read` makes of a value; its error names the place in the file.

    Raises:
        InputError: what `read` raised, with `where` in front.
    """
    try:
        return read(given)
    except RekindleError as error:
        error.where = f"{where}: {error.where}" if error.where else where
        raise


def _participants(fields: PopulationFields, document: Document, folder: Path, words: Vocabulary) -> Participants:
    criteria: dict[str, tuple[float, float] | tuple[str, ...]] = {}
    for column, given in fields.criteria.items():
        where = document.where("population", "criteria", column)
        _require("column", column, tuple(words.columns), where)
        criteria[column] = _criterion(column, given, words.columns[column], where)
    path, content = None, ""
    if fields.csv is not None:
        where = document.where("population", "csv")
        if "people" in document.values.get("population", {}):
            raise InputError("A file of people and a number of people are both given.", where=where, hint="Keep one.")
        path = folder / fields.csv
        content = digest(with_place(lambda file: read_text(file, kind="file of people"), path, where))
    return Participants(_canonical(fields.kind, words.populations), fields.people, path, content, criteria)


def _criterion(
    column: str, given: list[float] | list[str] | str, allowed: tuple[str, ...], where: str
) -> tuple[float, float] | tuple[str, ...]:
    """Two limits for a column of numbers, words for a column of words."""
    values = [given] if isinstance(given, str) else list(given)
    numbers = [value for value in values if isinstance(value, int | float)]
    if not allowed:
        if len(values) != 2 or len(numbers) != 2 or numbers[0] > numbers[1]:
            raise InputError(f"'{column}' needs two limits, the lower first: [18, 65].", where=where)
        return (float(numbers[0]), float(numbers[1]))
    for word in values:
        _require(f"value of {column}", str(word), allowed, where)
    return tuple(_canonical(str(word), allowed) for word in values)


def _arm(fields: ArmFields, position: int, study: StudyFields, document: Document, words: Vocabulary) -> Arm:
    where = document.where("arms", position, "course")
    course = with_place(words.course, fields.course, where)
    course.check_horizon(study.horizon / 24, where=where)
    for name, value in fields.modifiers.items():
        place = document.where("arms", position, "modifiers", name)
        with_place(partial(words.modifier, name), value, place)
    return Arm(
        name=fields.name,
        course=course,
        role=fields.role,
        modifiers={**study.modifiers, **fields.modifiers},
        expects_active=fields.expects_active,
        policy=_policy(fields, position, document, course),
    )


def _policy(fields: ArmFields, position: int, document: Document, course: Course) -> Policy | None:
    if fields.policy is None:
        return None
    return read_policy(fields.policy, document, ("arms", position, "policy"), course)


def _visits(fields: StudyFields, document: Document) -> tuple[float, ...] | None:
    if fields.visits is None:
        return None
    for position, hours in enumerate(fields.visits):
        where = document.where("visits", position)
        if hours > fields.horizon:
            raise InputError("The visit is after the horizon.", where=where, hint="Lengthen the horizon.")
        if position and hours <= fields.visits[position - 1]:
            raise InputError("The visits go back in time.", where=where, hint="Write them in order, each once.")
    return tuple(fields.visits)

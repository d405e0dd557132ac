"""Sessions as a plan of many people knows them: kinds by number, times, doses as stated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError
from rekindle.policy.reading import reached
from rekindle.policy.rules import Policy

if TYPE_CHECKING:
    from rekindle.dosing import Course
    from rekindle.dosing.line import Line, Session
    from rekindle.dosing.regimen import Regimen

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]

DAY_H = 24.0


@dataclass(frozen=True)
class Kind:
    """What is given at a session: `amount` in `unit` as the course states it, 0 and "" for what has no dose."""

    regimen: Regimen
    amount: float
    unit: str

    @property
    def is_device(self) -> bool:
        """Whether the dose comes in whole devices."""
        return self.regimen.devices > 0

    @property
    def length_h(self) -> float:
        """Hours from the start of the session to the end of its last dose."""
        return self.regimen.session_min / 60.0


def _kind(regimen: Regimen) -> Kind:
    from rekindle.dosing.timing import once

    single = replace(regimen, timing=once(), start_day=None, clock_min=(0,))
    doses = [step.dose for step in single.steps if step.dose is not None]
    units = {dose.unit for dose in doses}
    # Steps in different units have no dose in one; such a session is given as it stands.
    return Kind(single, sum(dose.amount for dose in doses), units.pop() if len(units) == 1 else "")


@dataclass(frozen=True)
class Sequel:
    """A course's sessions as the plan knows them: times from its start, kinds and doses; and its length in hours."""

    times: Array
    kinds: Whole
    amounts: Array
    length_h: float


class Kinds:
    """The kinds of session that may be given, numbered in the order in which they are met."""

    def __init__(self) -> None:
        self.all: list[Kind] = []

    def number(self, regimen: Regimen) -> int:
        """The number of what a regimen gives at a session."""
        kind = _kind(regimen)
        if kind not in self.all:
            self.all.append(kind)
        return self.all.index(kind)

    def sequel(self, sessions: Sequence[Session], length_h: float) -> Sequel:
        """Sessions in order as the plan knows them."""
        kinds = np.array([self.number(session.regimen) for session in sessions], dtype=np.int64)
        times = np.array([session.time_h for session in sessions], dtype=np.float64)
        return Sequel(times, kinds, np.array([self.all[kind].amount for kind in kinds], dtype=np.float64), length_h)

    def units(self) -> NDArray[np.str_]:
        """The unit of every kind."""
        return np.array([kind.unit for kind in self.all], dtype=np.str_)

    def devices(self) -> Mask:
        """Which kinds come in whole devices."""
        return np.array([kind.is_device for kind in self.all], dtype=bool)


def steered_line(course: Course, policy: Policy, what: str) -> Line | None:
    """The line of a course that a policy's actions change; None for a course that gives nothing at sessions.

    Raises:
        InputError: there are several.
    """
    lines = [line for line in course.lines if any(reached(policy, regimen.drug) for regimen in line.regimens)]
    if len(lines) > 1:
        raise InputError(
            f"{what} gives several drugs at sessions, and a policy changes one.",
            hint="Say which with `drug:`.",
        )
    return lines[0] if lines else None


def first_part(line: Line) -> tuple[tuple[Session, ...], float]:
    """The sessions of a line's first part, up to the first "then" after more than one session, and its length."""
    from rekindle.dosing.line import Line as Part

    count = 1
    while count < len(line.regimens) and len(Part(line.regimens[:count]).planned) < 2:
        count += 1
    part = Part(line.regimens[:count])
    return part.sessions, max(part.length_days * DAY_H, part.sessions[-1].end_h + DAY_H)

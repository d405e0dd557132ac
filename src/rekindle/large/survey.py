"""The people of a large study looked over before any is solved: who meets the criteria, and who lies outside.

So a study that must be refused is refused at once, and every block knows where its people begin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rekindle.errors import InputError
from rekindle.population import Markings, draw, mark
from rekindle.simulate import domain_reasons, meets, study_people

if TYPE_CHECKING:
    from rekindle.population import People
    from rekindle.population.domain import Reason
    from rekindle.study import Study

CHUNK = 65_536
"""People who are looked over at a time."""

NAMED = 20
"""How many people a reason names; the others are counted."""

MOST_SCREENED = 50
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Survey:
    """What is known before solving: the markings, and where each block's people begin among those screened."""

    people: int
    markings: Markings
    begins: tuple[int, ...]
    table: People | None


def survey(study: Study, block: int, progress: Progress | None = None) -> Survey:
    """Everybody in the study looked over; `block` is how many people a block has.

    Raises:
        InputError: the file of people is wrong, or hardly anybody meets the criteria.
        OutsideDomainError: somebody or some dose lies outside and the study does not allow it.
    """
    table = study_people(study, study.participants.people, 0) if study.participants.csv is not None else None
    count = len(table) if table is not None else study.participants.people
    reasons: dict[tuple[str, str, str, str], Reason] = {}
    begins: list[int] = []
    enrolled, screened = 0, 0
    while enrolled < count:
        if table is not None:
            chosen = table.take(slice(enrolled, min(enrolled + CHUNK, count)))
        else:
            size = CHUNK if study.participants.criteria else min(CHUNK, count - enrolled)
            batch = draw(study.participants.kind, size, study.seed, start=screened)
            numbers = np.flatnonzero(meets(batch, study.participants.criteria))[: count - enrolled]
            wanted = range(len(begins) * block, enrolled + len(numbers), block)
            begins += [screened + int(numbers[place - enrolled]) for place in wanted]
            chosen = batch if len(numbers) == len(batch) else batch.take(numbers)
            screened += size
        if len(chosen):
            _gather(reasons, study, chosen)
        enrolled += len(chosen)
        if enrolled < count and screened >= MOST_SCREENED * max(count, CHUNK):
            raise InputError(
                f"Of {screened} people screened only {enrolled} meet the criteria.", hint="Widen the criteria."
            )
        if progress is not None:
            progress(enrolled, count)
    markings = mark(reasons.values(), outside_domain=study.outside_domain)
    return Survey(count, markings, tuple(begins) if study.participants.criteria else (), table)


def _gather(reasons: dict[tuple[str, str, str, str], Reason], study: Study, people: People) -> None:
    """Add what holds for these people to what held for those before."""
    for reason in domain_reasons(study, people):
        key = (reason.code, reason.severity, reason.message, reason.record)
        before = reasons.get(key)
        named = reason.people if before is None else before.people + reason.people
        total = reason.count + (0 if before is None else before.count)
        reasons[key] = replace(reason, people=named[:NAMED], counted=total)

"""Where a person's candidates stand now, kept so that each future is solved from there and the past only once.

What is kept belongs to a past (all plans that begin after now have the same one), to the outputs that are asked for,
and to the ways by which doses enter, past and planned, since these say which part of the model is solved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.backends import solve
from rekindle.engine.cutting import after, before
from rekindle.engine.schedule import Schedule, Set
from rekindle.engine.specialise import Part, part_of
from rekindle.inference.candidates import SCREENING, compiled, parameters_of, schedule_of
from rekindle.inference.sizes import sizes
from rekindle.simulate import lowered_model

if TYPE_CHECKING:
    from rekindle.dosing.administration import Administration
    from rekindle.engine.schedule import Event
    from rekindle.engine.task import Standing
    from rekindle.inference.update import Posterior

Array = NDArray[np.float64]

MOST = 2_500
"""Candidates up to which all are followed to now; of more, a future follows only those that it draws."""


@dataclass(frozen=True)
class Stood:
    """All candidates of a posterior at `time_h`, in the states of `part`.

    `outputs` are those at `looks_h` until then, name to shape (candidates, looks); `solved` marks who could be.
    """

    time_h: float
    part: Part
    standing: Standing
    looks_h: tuple[float, ...]
    outputs: Mapping[str, Array]
    solved: NDArray[np.bool_]


@dataclass(frozen=True)
class Lived:
    """What a past is known by: the outputs asked for, all ways in, and what was given and happened before now."""

    outputs: tuple[str, ...]
    ways: frozenset[str]
    doses: tuple[Administration, ...]
    happened: tuple[tuple[str, str, float, float], ...]


Kept = dict[Lived, Stood]


def gone_on(
    posterior: Posterior,
    rows: NDArray[np.intp],
    parameters: Mapping[str, Array],
    doses: Sequence[Administration],
    times_h: Sequence[float],
    outputs: tuple[str, ...],
    threads: int | None = None,
    cared_as: Sequence[Administration] | None = None,
) -> dict[str, Array] | None:
    """Outputs of the candidates `rows` under all their doses, shape (rows, times); None where going on does not pay.

    `parameters` are those of the rows, `times_h` in order; care is as these doses have it, or as `cared_as` would.
    """
    person = posterior.person
    past, coming = ([time for time in times_h if (time > person.now_h) == later] for later in (False, True))
    if not person.given or not coming or len(posterior.candidates) > MOST:
        return None
    schedule = schedule_of(doses, parameters, times_h, now_h=person.now_h, cared_as=cared_as)
    lived = _lived(schedule, doses, outputs, person.now_h)
    stood = posterior.kept.get(lived)
    if stood is None or not set(past) <= set(stood.looks_h):
        everybody = parameters if len(rows) == len(posterior.candidates) else None
        stood = _stood(posterior, everybody, doses, past, lived, threads)
        posterior.kept[lived] = stood
    ahead = _ahead(stood, rows, _matrix(parameters), schedule, sizes(doses), threads)
    columns = [stood.looks_h.index(time) for time in past]
    return {
        name: np.concatenate([stood.outputs[name][rows][:, columns], ahead[:, :, place]], axis=1)
        for place, name in enumerate(outputs)
    }


def _lived(schedule: Schedule, doses: Sequence[Administration], outputs: tuple[str, ...], now_h: float) -> Lived:
    """What the past of a schedule is known by; plans that would have begun before now have pasts of their own."""
    happened = tuple(
        (type(event).__name__, _way(event), event.time, min(getattr(event, "duration", 0.0), now_h - event.time))
        for event in before(schedule, now_h).events
    )
    ways = frozenset(_way(event) for event in schedule.events)
    return Lived(outputs, ways, tuple(dose for dose in doses if dose.time_h < now_h), happened)


def _way(event: Event) -> str:
    """The state or parameter that an event acts on."""
    return event.parameter if isinstance(event, Set) else str(getattr(event, "target", ""))


def _ahead(
    stood: Stood, rows: NDArray[np.intp], matrix: Array, schedule: Schedule, size: Array, threads: int | None
) -> Array:
    """What is left of a schedule, for these rows; shape (rows, times, outputs), NaN for who could not be solved."""
    part, left = stood.part, after(schedule, stood.time_h)
    found = np.full((len(rows), len(left.output_times), len(stood.outputs)), np.nan)
    good = np.flatnonzero(stood.solved[rows])
    whole = compiled(left, lowered_model(), len(rows))
    segments = part.segments(whole if len(whole) == 1 else [whole[row] for row in good])
    if len(good):
        found[good] = solve(
            part.lowered, matrix[good], segments, tuple(stood.outputs), relative_tolerance=SCREENING, threads=threads,
            scale=size[part.kept], begin=stood.standing.take(rows[good]),
        ).values  # fmt: skip
    return found


def _stood(
    posterior: Posterior,
    everybody: Mapping[str, Array] | None,
    doses: Sequence[Administration],
    looks_h: Sequence[float],
    lived: Lived,
    threads: int | None,
) -> Stood:
    """All candidates followed to now, with a look at each of `looks_h`; `everybody` are their parameters if known."""
    now_h = posterior.person.now_h
    parameters = everybody or parameters_of(posterior.candidates, posterior.person)
    looks = tuple(sorted({*looks_h, now_h}))
    schedule = before(schedule_of(doses, parameters, looks, now_h=now_h), now_h)
    rows = _matrix(parameters)
    outputs, part = lived.outputs, _part(rows, lived.outputs, lived.ways)
    segments = part.segments(compiled(schedule, lowered_model(), len(rows)))
    found = solve(
        part.lowered, rows, segments, outputs, relative_tolerance=SCREENING, threads=threads,
        scale=sizes(doses)[part.kept], keep_end=True,
    )  # fmt: skip
    assert found.end is not None
    solved = np.asarray(np.isfinite(found.end.states).all(axis=1))
    return Stood(now_h, part, found.end, looks, {name: found[name] for name in outputs}, solved)


def _matrix(parameters: Mapping[str, Array]) -> Array:
    return np.column_stack([parameters[name] for name in lowered_model().parameters])


def _part(rows: Array, outputs: tuple[str, ...], ways: frozenset[str]) -> Part:
    """The part of the model that serves these candidates in the past and in every future with the same ways in."""
    lowered = lowered_model()
    names = np.array(lowered.parameters)
    zero = names[(rows == 0.0).all(axis=0)].tolist()
    positive = set(names[(rows > 0.0).all(axis=0)].tolist()) - ways
    return part_of(lowered, outputs, zero=zero, touched=ways, positive=positive)

"""An administration: one dose going into one person by one route at one time, in mg of base.

It is what the mechanism and the event table are made from. Three nasal devices of a session are three
administrations, five minutes apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rekindle.dosing.drugs import DEVICE_GAP_MIN, Form
from rekindle.dosing.line import Line
from rekindle.dosing.regimen import Regimen, Step
from rekindle.dosing.weights import Body


@dataclass(frozen=True)
class Administration:
    """One dose.

    `time_h` counts hours from 00:00 of day 1 of the course, so it is 0 for a first dose on day 1 whose time of
    day is not stated. `amount_mg` is mg of base (0 for saline, placebo spray, an oral antidepressant and ECT,
    which have no amount here); `stated_mg` is the same dose in the form in which it was prescribed. It runs in
    at a constant rate over `duration_h`, or at once when that is None. `session` numbers the sessions of its
    line (`line`) of the course from 1. For a nasal device, `device` of `devices` counts within the session,
    else both are 0.
    """

    time_h: float
    drug: str
    route: str
    amount_mg: float
    duration_h: float | None = None
    form: Form = "base"
    stated_mg: float = 0.0
    device: int = 0
    devices: int = 0
    session: int = 1
    line: int = 1

    @property
    def end_h(self) -> float:
        """Hour at which the dose is in."""
        return self.time_h + (self.duration_h or 0.0)

    @property
    def rate_mg_h(self) -> float | None:
        """mg of base an hour during an infusion; None for a dose given at once."""
        return None if self.duration_h is None else self.amount_mg / self.duration_h


def unfold(lines: Sequence[Line], body: Body) -> tuple[Administration, ...]:
    """Every dose of these lines for a person of that body, in time order.

    Raises:
        InputError: a mg/kg dose without the weight, height or sex it needs.
    """
    return _unfolded(lines, lambda regimen, step: regimen.step_mg(step, body))


def unfold_together(lines: Sequence[Line], bodies: Sequence[Body]) -> tuple[Administration, ...]:
    """Every dose of these lines for many people at once, in time order.

    `amount_mg` and `stated_mg` of a dose by weight are arrays, one number a person; everything else is the same for
    everybody.

    Raises:
        InputError: as `unfold`.
    """

    def measured(regimen: Regimen, step: Step) -> tuple[Any, Any]:
        if step.dose is None or step.dose.unit != "mg/kg":
            return regimen.step_mg(step, bodies[0])
        base, stated = zip(*(regimen.step_mg(step, body) for body in bodies), strict=True)
        return np.asarray(base), np.asarray(stated)

    return _unfolded(lines, measured)


def _unfolded(
    lines: Sequence[Line], measured: Callable[[Regimen, Step], tuple[Any, Any]]
) -> tuple[Administration, ...]:
    """Every dose in time order; `measured` gives mg of base, and mg as stated, of a step."""
    found: list[Administration] = []
    for number, line in enumerate(lines, start=1):
        parts: dict[int, list[_Part]] = {}
        for session in line.sessions:
            regimen = session.regimen
            if id(regimen) not in parts:  # each regimen is worked out once, however many sessions it has
                parts[id(regimen)] = list(_parts(regimen, measured))
            time, form = session.time_h, regimen.form
            found.extend(
                Administration(
                    time + part.after_h, regimen.drug, part.route, part.base_mg, part.duration_h, form,
                    part.stated_mg, part.device, part.devices, session.number, number,
                )
                for part in parts[id(regimen)]
            )  # fmt: skip
    return tuple(sorted(found, key=lambda administration: administration.time_h))


@dataclass(frozen=True)
class _Part:
    """One dose of a session, `after_h` hours into it."""

    after_h: float
    route: str
    base_mg: float
    stated_mg: float
    duration_h: float | None
    device: int
    devices: int


def _parts(regimen: Regimen, measured: Callable[[Regimen, Step], tuple[Any, Any]]) -> Iterator[_Part]:
    minutes, devices = 0.0, regimen.devices
    for step in regimen.steps:
        base, stated = measured(regimen, step)
        duration_h = None if step.duration_min is None else step.duration_min / 60
        for device in range(devices):
            after_h = device * DEVICE_GAP_MIN / 60
            yield _Part(after_h, step.route, base / devices, stated / devices, None, device + 1, devices)
        if not devices:
            yield _Part(minutes / 60, step.route, base, stated, duration_h, 0, 0)
        minutes += step.duration_min or 0.0

"""Blood pressure before a session, for draws of one person: known by their own readings, and different every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rekindle.streams import generator

if TYPE_CHECKING:
    from rekindle.inference.update import Posterior
    from rekindle.person.record import Person

Array = NDArray[np.float64]

SESSION_SPREAD = {"systolic": 8.0, "diastolic": 5.0}
"""Standard deviation of resting pressure between one person's sessions, mmHg.

Assumed; plausible 5 to 12 and 3 to 8.
"""
AFTER_H = 4.0
READINGS = 3


def own_readings(person: Person, sign: str) -> list[float]:
    """The person's last readings of "systolic" or "diastolic" pressure away from doses, mmHg."""
    starts = sorted(given.time_h for given in person.given)
    return [
        float(value)
        for vital in person.vitals
        if (value := getattr(vital, f"{sign}_mmhg")) is not None
        and not any(start < vital.time_h <= start + AFTER_H for start in starts)
    ][-READINGS:]


def resting(posterior: Posterior, people: object, sessions: int, seed: int) -> dict[str, Array]:
    """Pressure before each session, shape (draws, sessions), by "systolic" and "diastolic".

    The mean of the person's last readings away from doses, known as well as so many readings make it, else the
    population's; and luck from session to session.
    """
    found = {}
    for sign, spread in SESSION_SPREAD.items():
        values = np.asarray(people[f"{sign}_baseline"], dtype=np.float64)  # type: ignore[index]
        readings = own_readings(posterior.person, sign)
        if readings:
            luck = generator(seed, "plan", sign, "level").standard_normal(len(values))
            values = float(np.mean(readings)) + spread / np.sqrt(len(readings)) * luck
        own = [generator(seed, "plan", sign, str(number)).standard_normal(len(values)) for number in range(sessions)]
        luck_of = np.array(own).reshape(sessions, len(values)).T
        found[sign] = values[:, None] + spread * luck_of
    return found

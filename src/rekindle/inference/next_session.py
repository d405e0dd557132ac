"""The coming session for one person: how high pressure and dissociation may go, and when they are ready to leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rekindle.inference.paths import future
from rekindle.inference.resting import own_readings, resting
from rekindle.outcomes import scale
from rekindle.outcomes.session import time_to_readiness

if TYPE_CHECKING:
    from rekindle.inference.update import Posterior
    from rekindle.person.record import Planned

Array = NDArray[np.float64]

LEVELS = (5.0, 50.0, 95.0)
MINUTES = np.concatenate([np.arange(0.0, 90.0, 10.0), np.arange(90.0, 361.0, 30.0)])
OUTPUTS = ("systolic_rise", "diastolic_rise", "dissociation", "sedation")


@dataclass(frozen=True)
class SessionAhead:
    """The next session: 5, 50 and 95 per cent of each peak, and of the hours until ready to leave.

    `from_reading` says whether pressure starts from the person's own last readings (else from the population's); either
    way it differs from session to session. `cadss` is the expected score, without a rater's error.
    `never` is the share of candidates who are not ready within six hours.
    """

    start_h: float
    systolic: Array
    diastolic: Array
    cadss: Array
    ready_h: Array
    never: float
    above_180: float
    from_reading: bool

    def as_dict(self) -> dict[str, object]:
        """Plain values, ready for JSON."""
        return {
            "start_hours": round(self.start_h, 2),
            "systolic_peak_mmhg": np.round(self.systolic, 1).tolist(),
            "diastolic_peak_mmhg": np.round(self.diastolic, 1).tolist(),
            "cadss_peak": np.round(self.cadss, 1).tolist(),
            "ready_after_hours": [None if not np.isfinite(each) else round(float(each), 2) for each in self.ready_h],
            "not_ready_within_6_hours": round(self.never, 4),
            "systolic_above_180": round(self.above_180, 4),
            "from_own_reading": self.from_reading,
            "levels": list(LEVELS),
        }


def next_session(posterior: Posterior, planned: Planned | None = None, *, draws: int = 400) -> SessionAhead | None:
    """The first session of the plan that is still to come; None when there is none."""
    person = posterior.person
    planned = person.planned if planned is None else planned
    if planned is None:
        return None
    starts = [planned.from_h + session.time_h for session in planned.course.sessions]
    coming = [start for start in starts if start >= person.now_h - 1e-9]
    if not coming:
        return None
    start = min(coming)
    session = next(each for each in planned.course.sessions if planned.from_h + each.time_h == start)
    times = start + MINUTES / 60.0
    ahead = future(posterior, planned, scales=("CADSS", "MOAA/S"), times_h=times.tolist(), draws=draws, outputs=OUTPUTS)
    at = {name: ahead.at(name, times) for name in OUTPUTS}
    rest = resting(posterior, ahead.candidates.people, 1, posterior.seed)
    cadss, awake = scale("CADSS").expected(at), scale("MOAA/S").expected(at)
    upper, lower = rest["systolic"] + at["systolic_rise"], rest["diastolic"] + at["diastolic_rise"]
    ready = time_to_readiness(
        times - start, systolic=upper, diastolic=lower, cadss=cadss, moaas=awake,
        spray=session.regimen.route == "intranasal-device",
    )  # fmt: skip
    finite = np.where(np.isfinite(ready), ready, 1e9)
    hours = np.percentile(finite, LEVELS)
    return SessionAhead(
        start_h=start,
        systolic=np.percentile(upper.max(axis=1), LEVELS),
        diastolic=np.percentile(lower.max(axis=1), LEVELS),
        cadss=np.percentile(cadss.max(axis=1), LEVELS),
        ready_h=np.where(hours > 1e6, np.inf, hours),
        never=float((~np.isfinite(ready)).mean()),
        above_180=float((upper.max(axis=1) > 180.0).mean()),
        from_reading=bool(own_readings(person, "systolic")),
    )

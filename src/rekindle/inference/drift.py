"""What moves a person's ratings besides treatment: the illness drifting, and a scale's own bent for that person.

Drift is an Ornstein-Uhlenbeck process added to severity (standard deviation `sd`, forgotten over `time_h`); the bent
is a constant a person and scale. Both are Gaussian, so that given the ratings they are known in closed form and
need no sampling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Wander:
    """Sizes of what treatment does not explain, on the severity scale of 0 to 1 and in hours.

    Assumed: in `eff-nimh-ds005917-odd-madrs-chg-p2` and `-p10` the change after saline has a standard deviation of 3.0
    points at 2 days and 4.1 at 10; two ratings with an error of 2.5 points give 3.5 by themselves, so the illness adds
    1 to 3 points over ten days. Plausible: `sd` 0.02 to 0.07, `time_h` one to six weeks, `bent` 0.01 to 0.06.
    """

    sd: float = 0.04
    time_h: float = 504.0
    bent: float = 0.03

    def covariance(self, times_h: Array, other_h: Array) -> Array:
        """Covariance of the drift between two lists of times, shape (times, other times)."""
        gap = np.abs(np.asarray(times_h)[:, None] - np.asarray(other_h)[None, :])
        return np.asarray(self.sd**2 * np.exp(-gap / self.time_h))


DEFAULT = Wander()


def innovations(residuals: Array, covariance: Array) -> tuple[Array, Array]:
    """How far each residual lies from its forecast by the ones before it, in standard deviations, and the log density
    of the first one, the first two, ...; shape (rows, n) each: residuals (rows, n), covariance (rows, n, n) or (n, n).

    >>> away, log = innovations(np.array([[1.0, 0.5]]), np.array([[1.0, 0.5], [0.5, 1.0]]))
    >>> float(away[0, 0]), float(np.round(away[0, 1], 6))
    (1.0, 0.0)
    """
    count = residuals.shape[-1]
    factor = np.linalg.cholesky(covariance)
    if factor.ndim == 2:
        factor = np.broadcast_to(factor, (len(residuals), count, count))
    away = np.linalg.solve(factor, residuals[..., None])[..., 0]
    logs = np.log(np.diagonal(factor, axis1=-2, axis2=-1)) + 0.5 * np.log(2.0 * np.pi)
    return np.asarray(away), np.asarray(np.cumsum(-0.5 * away**2 - logs, axis=-1))


def log_density(residuals: Array, covariance: Array) -> Array:
    """Log density of normal residuals, shape (rows,): residuals (rows, n), covariance (rows, n, n) or (n, n).

    >>> float(np.round(log_density(np.zeros((1, 1)), np.eye(1))[0], 4))
    -0.9189
    """
    if residuals.shape[-1] == 0:
        return np.zeros(len(residuals))
    return np.asarray(innovations(residuals, covariance)[1][..., -1])

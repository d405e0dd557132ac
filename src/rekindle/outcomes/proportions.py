"""A share of people with its interval: Wilson's score interval and Jeffreys' interval.

Both behave at small numbers and at 0 and 100 %, where the usual plus-minus does not (Brown, Cai and DasGupta
2001, doi:10.1214/ss/1009213286).
"""

from __future__ import annotations

from dataclasses import dataclass

from rekindle.errors import InputError


@dataclass(frozen=True)
class Share:
    """A share between 0 and 1 with the ends of its interval, and the count it comes from."""

    value: float
    low: float
    high: float
    successes: int
    total: int


def _check(successes: int, total: int, level: float) -> None:
    if not 0 <= successes <= total or total < 1 or not 0 < level < 1:
        raise InputError(f"{successes} of {total} at level {level} is no share.", where="interval")


def wilson(successes: int, total: int, *, level: float = 0.95) -> Share:
    """Wilson's score interval.

    >>> share = wilson(17, 24)
    >>> round(share.low, 3), round(share.high, 3)
    (0.508, 0.851)

    Raises:
        InputError: counts that are no share, or a level outside 0-1.
    """
    from scipy.special import ndtri

    _check(successes, total, level)
    share, z = successes / total, float(ndtri(0.5 + level / 2.0))
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * (share * (1 - share) / total + z * z / (4 * total * total)) ** 0.5
    low = 0.0 if successes == 0 else middle - half
    high = 1.0 if successes == total else middle + half
    return Share(share, low, high, successes, total)


def jeffreys(successes: int, total: int, *, level: float = 0.95) -> Share:
    """Jeffreys' interval: quantiles of the beta distribution with half a success and half a failure added.

    The lower end is 0 when nobody, the upper 1 when everybody has the event.

    Raises:
        InputError: counts that are no share, or a level outside 0-1.
    """
    from scipy.special import betaincinv

    _check(successes, total, level)
    a, b, tail = successes + 0.5, total - successes + 0.5, (1.0 - level) / 2.0
    low = 0.0 if successes == 0 else float(betaincinv(a, b, tail))
    high = 1.0 if successes == total else float(betaincinv(a, b, 1.0 - tail))
    return Share(successes / total, low, high, successes, total)

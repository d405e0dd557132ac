"""One, two and three compartments with every kind of dose, against sums of exponentials written out by hand.

The amount in the central compartment after a unit bolus is sum_i a_i exp(-l_i t), where the l_i are the roots of
the characteristic polynomial and a_i = prod_p (k_p - l_i) / prod_j (l_j - l_i) over the peripheral compartments'
return rates k_p. Everything else follows by integrating or repeating that.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from rekindle.engine import (
    Bolus,
    Infusion,
    Lowered,
    Observe,
    Reset,
    Schedule,
    Set,
    SteadyState,
    lower,
    read_antimony,
    solve,
)

CLEARANCE, VOLUME, ABSORPTION = 7.0, 20.0, 1.3
EXCHANGE = ((11.0, 35.0), (2.5, 60.0))
LOOKS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 11.9, 12.0, 13.0, 20.0, 24.0, 30.0, 48.0)

# 1e-8 of the largest value seen: the bar for the reference solver at a local tolerance of 1e-12.
CLOSE = 1e-8


@dataclass(frozen=True)
class Exponentials:
    """Central amount after a unit bolus: sum of `weight * exp(-rate * t)`."""

    rates: tuple[float, ...]
    weights: tuple[float, ...]

    def bolus(self, t: float) -> float:
        return sum(a * math.exp(-x * t) for a, x in zip(self.weights, self.rates, strict=True)) if t > 0 else 0.0

    def infusion(self, t: float, duration: float) -> float:
        """Central amount for a rate of one amount an hour, begun at 0."""
        if t <= 0:
            return 0.0
        given = min(t, duration)
        return sum(
            a / x * (1.0 - math.exp(-x * given)) * math.exp(-x * (t - given))
            for a, x in zip(self.weights, self.rates, strict=True)
        )

    def oral(self, t: float) -> float:
        """Central amount for a unit dose into a depot that empties at ABSORPTION per hour."""
        if t <= 0:
            return 0.0
        return sum(
            a * ABSORPTION / (ABSORPTION - x) * (math.exp(-x * t) - math.exp(-ABSORPTION * t))
            for a, x in zip(self.weights, self.rates, strict=True)
        )


def exponentials(peripheral: int) -> Exponentials:
    """The characteristic polynomial is (s + k10 + sum k1p) prod(s + kp1) - sum k1p kp1 prod_others(s + kq1)."""
    out = [q / VOLUME for q, _ in EXCHANGE[:peripheral]]
    back = [q / v for q, v in EXCHANGE[:peripheral]]
    polynomial = np.poly1d([1.0, CLEARANCE / VOLUME + sum(out)])
    for k in back:
        polynomial *= np.poly1d([1.0, k])
    for p in range(peripheral):
        others = np.poly1d([1.0])
        for q in range(peripheral):
            if q != p:
                others *= np.poly1d([1.0, back[q]])
        polynomial -= out[p] * back[p] * others
    rates = sorted(-root.real for root in np.atleast_1d(polynomial.roots))
    weights = [
        math.prod(k - x for k in back) / math.prod(other - x for other in rates if other is not x) for x in rates
    ]
    return Exponentials(tuple(rates), tuple(weights))


def compartments(peripheral: int) -> Lowered:
    exchange = "".join(f" - Q{p}*A/V + Q{p}*P{p}/V{p}" for p in range(peripheral))
    lines = [
        f"model compartments{peripheral}",
        f"CL = {CLEARANCE}; V = {VOLUME}; ka = {ABSORPTION}; input = 0",
        "D = 0; D' = -ka*D",
        f"A = 0; A' = input + ka*D - CL*A/V{exchange}",
        *(f"Q{p} = {q}; V{p} = {v}; P{p} = 0; P{p}' = Q{p}*A/V - Q{p}*P{p}/V{p}" for p, (q, v) in enumerate(EXCHANGE)),
        "end",
    ]
    if peripheral < 2:
        lines = [line for line in lines if not any(f"P{p} = 0" in line for p in range(peripheral, 2))]
    return lower(read_antimony("\n".join(lines)))


MODELS = {p: compartments(p) for p in (0, 1, 2)}


def central(peripheral: int, schedule: Schedule, backend: str) -> np.ndarray:
    tolerance = 1e-12 if backend == "reference" else 1e-10
    solution = solve(
        MODELS[peripheral], None, schedule, ["A"], backend=backend, relative_tolerance=tolerance, threads=1
    )
    assert not solution.failures
    return solution["A"][0]


Curve = Callable[[Exponentials, float], float]
CASES: dict[str, tuple[tuple, Curve]] = {
    "bolus": ((Bolus(0.0, "A", 50.0),), lambda e, t: 50.0 * e.bolus(t)),
    "infusion into the state": ((Infusion(0.0, "A", 30.0, 1.7),), lambda e, t: 30.0 * e.infusion(t, 1.7)),
    "infusion through an input": ((Infusion(0.0, "input", 30.0, 1.7),), lambda e, t: 30.0 * e.infusion(t, 1.7)),
    "oral": ((Bolus(0.0, "D", 50.0),), lambda e, t: 50.0 * e.oral(t)),
    "oral with lag": ((Bolus(0.75, "D", 50.0),), lambda e, t: 50.0 * e.oral(t - 0.75)),
    "zero-order input into the depot": (
        (Infusion(0.0, "D", 20.0, 2.0),),
        lambda e, t: 20.0 * _depot_infusion(e, t, 2.0),
    ),
    "twice a day": (
        tuple(Bolus(12.0 * k, "A", 50.0) for k in range(4)),
        lambda e, t: 50.0 * sum(e.bolus(t - 12.0 * k) for k in range(4)),
    ),
    "overlapping infusions": (
        (Infusion(0.0, "A", 30.0, 3.0), Infusion(1.0, "A", 10.0, 4.0), Infusion(2.0, "input", 5.0, 0.5)),
        lambda e, t: 30.0 * e.infusion(t, 3.0) + 10.0 * e.infusion(t - 1.0, 4.0) + 5.0 * e.infusion(t - 2.0, 0.5),
    ),
    "reset and dose": (
        (Bolus(0.0, "A", 50.0), Infusion(1.0, "A", 30.0, 40.0), Reset(8.0), Bolus(8.0, "A", 20.0)),
        lambda e, t: 50.0 * e.bolus(t) + 30.0 * e.infusion(t - 1.0, 40.0) if t <= 8.0 else 20.0 * e.bolus(t - 8.0),
    ),
}


def _depot_infusion(e: Exponentials, t: float, duration: float) -> float:
    """Unit rate into the depot: the oral curve integrated over the time of giving."""
    if t <= 0:
        return 0.0

    def gathered(rate: float) -> float:
        given = min(t, duration)
        return (1.0 - math.exp(-rate * given)) * math.exp(-rate * (t - given)) / rate

    return sum(
        a * ABSORPTION / (ABSORPTION - x) * (gathered(x) - gathered(ABSORPTION))
        for a, x in zip(e.weights, e.rates, strict=True)
    )


@pytest.mark.parametrize("backend", ["reference", "native"])
@pytest.mark.parametrize("peripheral", [0, 1, 2])
@pytest.mark.parametrize("case", CASES)
def test_doses_follow_their_sum_of_exponentials(case: str, peripheral: int, backend: str) -> None:
    events, curve = CASES[case]
    exact = np.array([curve(exponentials(peripheral), t) for t in LOOKS])
    found = central(peripheral, Schedule(events, LOOKS), backend)
    assert np.max(np.abs(found - exact)) <= CLOSE * np.max(exact)


def _repeats(curve: Callable[[float], float], since: float, interval: float) -> float:
    """A dose repeated every `interval` for ever, the last one `since` hours ago (before it, when negative)."""
    return math.fsum(curve(since + k * interval) for k in range(4000))


STEADY: dict[str, tuple[Bolus | Infusion, float, Callable[[Exponentials, float], float]]] = {
    "bolus": (Bolus(0.0, "A", 50.0), 12.0, lambda e, t: 50.0 * e.bolus(t)),
    "oral": (Bolus(0.0, "D", 50.0), 12.0, lambda e, t: 50.0 * e.oral(t)),
    "oral with lag": (Bolus(2.5, "D", 50.0), 12.0, lambda e, t: 50.0 * e.oral(t - 2.5)),
    "oral with a lag beyond the interval": (Bolus(15.0, "D", 50.0), 12.0, lambda e, t: 50.0 * e.oral(t - 15.0)),
    "short infusion": (Infusion(0.0, "A", 10.0, 3.0), 12.0, lambda e, t: 10.0 * e.infusion(t, 3.0)),
    "infusion as long as the interval": (
        Infusion(0.0, "A", 10.0, 12.0),
        12.0,
        lambda e, t: 10.0 * e.infusion(t, 12.0),
    ),
    "infusion longer than the interval": (
        Infusion(0.0, "A", 10.0, 30.0),
        12.0,
        lambda e, t: 10.0 * e.infusion(t, 30.0),
    ),
    "infusion through an input with lag": (
        Infusion(1.0, "input", 10.0, 3.0),
        12.0,
        lambda e, t: 10.0 * e.infusion(t - 1.0, 3.0),
    ),
}


@pytest.mark.parametrize("backend", ["reference", "native"])
@pytest.mark.parametrize("peripheral", [0, 1, 2])
@pytest.mark.parametrize("case", STEADY)
def test_steady_state_is_the_limit_of_endless_doses(case: str, peripheral: int, backend: str) -> None:
    dose, interval, curve = STEADY[case]
    e = exponentials(peripheral)
    looks = tuple(t for t in LOOKS if t > 0)
    at_ten = [SteadyState(10.0, (dose,), interval), _later(dose, 10.0)]
    exact = np.array([_repeats(lambda t: curve(e, t), t, interval) for t in looks])
    found = central(peripheral, Schedule(tuple(at_ten), tuple(10.0 + t for t in looks)), backend)
    assert np.max(np.abs(found - exact)) <= CLOSE * np.max(exact)


def test_steady_state_forgets_what_came_before_but_added_to_it_does_not() -> None:
    e = exponentials(1)
    dose = Bolus(0.0, "A", 50.0)
    before, steady = Bolus(0.0, "A", 33.0), SteadyState(4.0, (dose,), 12.0)
    limit = 50.0 * _repeats(e.bolus, 6.0, 12.0)
    replaced = central(1, Schedule((before, steady, Bolus(4.0, "A", 50.0)), (10.0,)), "reference")
    added = SteadyState(4.0, (dose,), 12.0, add=True)
    both = central(1, Schedule((before, added, Bolus(4.0, "A", 50.0)), (10.0,)), "reference")
    assert replaced == pytest.approx([limit], rel=CLOSE)
    assert both == pytest.approx([limit + 33.0 * e.bolus(10.0)], rel=CLOSE)


def _later(dose: Bolus | Infusion, by: float) -> Bolus | Infusion:
    if isinstance(dose, Bolus):
        return Bolus(dose.time + by, dose.target, dose.amount)
    return Infusion(dose.time + by, dose.target, dose.rate, dose.duration)


@pytest.mark.parametrize("backend", ["reference", "native"])
def test_a_covariate_that_changes_clearance_changes_the_slope_from_then_on(backend: str) -> None:
    schedule = Schedule((Bolus(0.0, "A", 50.0), Set(3.0, "CL", 2.0)), (3.0, 8.0))
    at_three = 50.0 * math.exp(-CLEARANCE / VOLUME * 3.0)
    expected = [at_three, at_three * math.exp(-2.0 / VOLUME * 5.0)]
    assert central(0, schedule, backend) == pytest.approx(expected, rel=CLOSE)


@pytest.mark.parametrize("backend", ["reference", "native"])
def test_an_output_at_a_dose_time_sees_what_stands_before_it_in_the_record(backend: str) -> None:
    events = (
        Bolus(0.0, "A", 8.0),
        Observe(0.0),
        Bolus(0.0, "A", 4.0),
        Observe(0.0),
        Bolus(2.0, "A", 4.0),
        Observe(2.0),
    )
    decayed = 12.0 * math.exp(-CLEARANCE / VOLUME * 2.0)
    found = central(0, Schedule(events, (0.0, 2.0)), backend)
    assert found == pytest.approx([0.0, 8.0, 12.0, decayed, decayed + 4.0], rel=CLOSE)

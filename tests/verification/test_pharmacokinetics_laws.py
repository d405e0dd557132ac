"""Laws that any pharmacokinetics obeys, on every route: nothing is lost, and linear routes add up."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from rekindle.dosing.administration import Administration
from rekindle.engine import lower, read_antimony, solve
from rekindle.engine.lower import Lowered
from rekindle.engine.schedule import Bolus, Infusion, Schedule, SteadyState
from rekindle.mechanism.assemble import antimony_text
from rekindle.mechanism.delivery import deliver

Event = Bolus | Infusion
LINEAR_ROUTES = (
    "iv-infusion",
    "iv-bolus",
    "intramuscular",
    "subcutaneous",
    "intranasal",
    "intranasal-device",
    "oral",
    "oral-extended-release",
    "sublingual-film",
    "sublingual-lozenge",
)
LEVELS = [f"plasma_{drug}_{e}" for drug in ("ketamine", "norketamine", "hydroxynorketamine") for e in ("S", "R")] + [
    "arterial_ketamine_S",
    "arterial_ketamine_R",
    "effect_site_S",
    "effect_site_R",
]
TIMES = (0.2, 0.8, 2.0, 6.0, 24.0, 72.0)


@lru_cache(maxsize=1)
def model() -> Lowered:
    return lower(read_antimony(antimony_text(processes=["absorption", "disposition"])))


def doses(route: str, amount: float, start: float = 0.0) -> list[Event]:
    """One dose as events of the drug alone, without the visit it is given at."""
    drug = "esketamine" if route == "intranasal-device" else "racemic-ketamine"
    duration = 0.7 if route == "iv-infusion" else None
    events = deliver([Administration(start, drug, route, amount, duration, device=1, devices=1)])
    return [event for event in events if isinstance(event, Bolus | Infusion) and event.target != "contact"]


def levels(events: list[Event], outputs: list[str] = LEVELS) -> NDArray[np.float64]:
    """Outputs at `TIMES`, shape (times, outputs)."""
    return solve(model(), None, Schedule(tuple(events), TIMES), outputs, backend="reference").values[0]


def given(events: list[Event], time: float) -> float:
    """mg that have entered by then."""
    return sum(
        event.amount if isinstance(event, Bolus) else event.rate * min(time - event.time, event.duration)
        for event in events
        if event.time < time
    )


@pytest.mark.parametrize("route", [*LINEAR_ROUTES, "inhaled"])
def test_drug_given_equals_drug_held_plus_drug_gone(route: str) -> None:
    amounts = [state for state in model().states if not state.startswith("effect_site")]
    events = doses(route, 50.0)
    held = levels(events, amounts).sum(axis=1)
    assert held == pytest.approx([given(events, time) for time in TIMES], rel=1e-9)


@pytest.mark.parametrize("route", LINEAR_ROUTES)
def test_twice_the_dose_gives_twice_the_level(route: str) -> None:
    once, twice = levels(doses(route, 40.0)), levels(doses(route, 80.0))
    assert np.abs(twice - 2 * once).max(axis=0) / once.max(axis=0).clip(1e-9) == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("route", LINEAR_ROUTES)
def test_two_doses_give_the_sum_of_what_each_gives(route: str) -> None:
    first, second = doses(route, 40.0), doses("oral", 30.0, start=0.5)
    both = levels([*first, *second])
    alone = levels(first) + levels(second)
    assert np.abs(both - alone).max(axis=0) / alone.max(axis=0) == pytest.approx(0, abs=1e-8)


def test_an_inhaled_dose_twice_as_large_gives_less_than_twice_the_level() -> None:
    once, twice = levels(doses("inhaled", 60.0)), levels(doses("inhaled", 120.0))
    assert (twice[:, 0] < 1.99 * once[:, 0]).all()


@pytest.mark.parametrize("route", ["iv-infusion", "oral", "intramuscular", "intranasal-device"])
def test_the_steady_state_is_the_limit_of_many_doses(route: str) -> None:
    interval, last = 24.0, 40
    one = tuple(doses(route, 50.0))
    times = tuple(last * interval + hour for hour in (0.0, 1.0, 8.0, 23.0))
    many = [event for k in range(last + 1) for event in doses(route, 50.0, k * interval)]
    at_once = [SteadyState(last * interval, one, interval), *doses(route, 50.0, last * interval)]
    limit, steady = (
        solve(model(), None, Schedule(tuple(events), times, start=start), LEVELS, backend="reference").values[0]
        for events, start in ((many, 0.0), (at_once, last * interval))
    )
    assert np.abs(steady[1:] - limit[1:]).max(axis=0) / limit.max(axis=0).clip(1e-9) == pytest.approx(0, abs=1e-8)

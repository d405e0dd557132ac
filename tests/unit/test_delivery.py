"""What the mechanism does with a dose: where each milligram goes and when."""

from __future__ import annotations

import pytest

from rekindle.dosing.administration import Administration
from rekindle.engine.schedule import Bolus, Infusion, Set
from rekindle.errors import InputError, UnsupportedError
from rekindle.mechanism.delivery import deliver

ROUTES = (
    "iv-infusion",
    "iv-bolus",
    "intramuscular",
    "subcutaneous",
    "intranasal",
    "oral",
    "oral-extended-release",
    "sublingual-film",
    "sublingual-lozenge",
    "inhaled",
)


def given(route: str, amount: float = 60.0, drug: str = "racemic-ketamine") -> Administration:
    return Administration(1.0, drug, route, amount, 0.5 if route == "iv-infusion" else None)


def amounts(events: tuple[Bolus | Infusion | Set, ...]) -> dict[str, float]:
    """mg put into each target, contact left out."""
    total: dict[str, float] = {}
    for event in events:
        if isinstance(event, Set) or event.target == "contact":
            continue
        amount = event.amount if isinstance(event, Bolus) else event.rate * event.duration
        total[event.target] = total.get(event.target, 0.0) + amount
    return total


@pytest.mark.parametrize("route", ROUTES)
def test_every_milligram_of_a_dose_enters_somewhere(route: str) -> None:
    assert sum(amounts(deliver([given(route)])).values()) == pytest.approx(60.0, rel=1e-12)


@pytest.mark.parametrize("route", ROUTES)
def test_half_of_a_racemic_dose_is_S_and_a_pure_enantiomer_is_only_itself(route: str) -> None:
    racemic = amounts(deliver([given(route)]))
    pure = amounts(deliver([given(route, 30.0, "esketamine")]))
    assert {name: mg for name, mg in racemic.items() if name.endswith("_S")} == pytest.approx(pure)
    assert {name[:-1] for name in racemic if name.endswith("_R")} == {name[:-1] for name in pure}


def test_the_first_pair_of_device_sprays_is_absorbed_better_than_the_later_ones() -> None:
    sprays = [
        Administration(5 * k / 60, "esketamine", "intranasal-device", 28.0, device=k + 1, devices=3) for k in range(3)
    ]
    person = {"nasal_fraction": 0.5, "nasal_later_factor": 0.6}
    nasal = [event for event in deliver(sprays, person) if isinstance(event, Bolus)]
    assert [event.amount for event in nasal] == pytest.approx([14.0, 8.4, 8.4])
    assert sum(amounts(deliver(sprays, person)).values()) == pytest.approx(84.0)


def test_what_neither_sticks_nor_is_swallowed_of_an_atomised_spray_is_counted_as_lost() -> None:
    total = amounts(deliver([given("intranasal")], {"atomiser_fraction": 0.2, "atomiser_swallowed": 0.5}))
    assert total["nasal_S"] == pytest.approx(6.0)
    assert total["gut_spray_S"] == pytest.approx(15.0)
    assert total["unabsorbed_S"] == pytest.approx(9.0)


def test_three_devices_of_a_session_are_one_visit_of_two_hours() -> None:
    sprays = [
        Administration(24 + 5 * k / 60, "esketamine", "intranasal-device", 28.0, device=k + 1, devices=3)
        for k in range(3)
    ]
    contact = [event for event in deliver(sprays) if isinstance(event, Infusion) and event.target == "contact"]
    assert contact == [Infusion(24.0, "contact", 1.0, 2.0)]


@pytest.mark.parametrize("drug, route", [("saline", "iv-infusion"), ("placebo-spray", "intranasal")])
def test_placebo_is_contact_and_nothing_else(drug: str, route: str) -> None:
    events = deliver([Administration(0.0, drug, route, 0.0, 2 / 3 if drug == "saline" else None)])
    assert events == (Infusion(0.0, "contact", 1.0, 2.0),)


def test_midazolam_runs_on_its_own_input() -> None:
    events = deliver([Administration(0.0, "midazolam", "iv-infusion", 3.15, 0.5)])
    assert Infusion(0.0, "midazolam_infusion", 6.3, 0.5) in events


def test_a_session_of_ECT_adds_one_to_its_state() -> None:
    assert Bolus(48.0, "electroconvulsive", 1.0) in deliver([Administration(48.0, "ect", "none", 0.0)])


def test_daily_tablets_are_on_from_the_first_to_a_day_after_the_last_and_a_pause_switches_off() -> None:
    days = [0, 1, 2, 10, 11]
    events = deliver([Administration(24.0 * day, "oral-antidepressant", "oral", 0.0) for day in days])
    assert events == (
        Set(0.0, "oral_antidepressant", 1.0),
        Set(72.0, "oral_antidepressant", 0.0),
        Set(240.0, "oral_antidepressant", 1.0),
        Set(288.0, "oral_antidepressant", 0.0),
    )


def test_no_treatment_gives_no_events() -> None:
    assert deliver([Administration(0.0, "none", "none", 0.0)]) == ()


def test_a_route_the_model_has_no_way_in_for_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedError, match="intrathecal"):
        deliver([Administration(0.0, "esketamine", "intrathecal", 1.0)])
    with pytest.raises(InputError, match="esketamin"):
        deliver([Administration(0.0, "esketamin", "oral", 1.0)])

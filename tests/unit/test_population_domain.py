"""Who and what lies outside: refused with a reason, or marked on every page when asked for."""

from __future__ import annotations

import pytest

from rekindle.errors import InputError, OutsideDomainError
from rekindle.population import Dose, People, Reason, check_domain, draw, require_domain
from rekindle.population.domain import sessions
from rekindle.population.tables import rows

TRD = "treatment-resistant-depression"
USUAL = [Dose(0.0, "racemic-ketamine", "iv-infusion", 35.0)]


def people(**columns: float) -> People:
    usual = {"benzodiazepine_mg": 0.0, "weight_kg": 70.0, "age_years": 40.0} | columns
    return draw(TRD, 3, seed=1).with_columns(**usual)


def codes(reasons: tuple[Reason, ...]) -> list[str]:
    return [reason.code for reason in reasons]


def test_an_ordinary_patient_and_dose_lie_inside() -> None:
    assert check_domain(people(), USUAL) == ()
    assert require_domain(people(), USUAL).banner == ""


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"age_years": 17.9}, "children"),
        ({"pregnant": 1.0}, "pregnancy"),
        ({"severe_hepatic_failure": 1.0}, "liver"),
        ({"severe_renal_failure": 1.0}, "kidney"),
        ({"aneurysm": 1.0}, "aneurysm"),
        ({"arteriovenous_malformation": 1.0}, "malformation"),
        ({"intracerebral_haemorrhage": 1.0}, "haemorrhage"),
        ({"weeks_since_infarction": 5.9}, "infarction"),
        ({"psychosis": 1.0}, "psychosis"),
        ({"age_years": 91.0}, "very-old"),
    ],
)
def test_people_outside_are_refused_unless_asked_for(columns: dict[str, float], code: str) -> None:
    outside = people(**columns)
    assert code in codes(check_domain(outside))
    with pytest.raises(OutsideDomainError, match="outside-domain") as caught:
        require_domain(outside)
    assert caught.value.exit_code == 2
    markings = require_domain(outside, outside_domain=True)
    assert markings
    assert markings.banner.startswith("Outside what the model knows: 3 people: ")


@pytest.mark.parametrize("columns", [{"age_years": 18.0}, {"weeks_since_infarction": 6.0}, {"age_years": 90.0}])
def test_the_limits_themselves_lie_inside(columns: dict[str, float]) -> None:
    assert not require_domain(people(**columns))


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"alcohol_with_session": 1.0}, "alcohol"),
        ({"opioid": 1.0}, "opioid"),
        ({"other_sedative": 1.0}, "sedative"),
        ({"benzodiazepine_mg": 10.0}, "benzodiazepine"),
        ({"systolic_baseline": 150.0}, "pressure"),
        ({"naltrexone": 1.0}, "naltrexone"),
    ],
)
def test_mixing_and_pressure_warn_but_are_not_refused(columns: dict[str, float], code: str) -> None:
    markings = require_domain(people(**columns), USUAL)
    assert code in codes(markings.warnings)
    assert not markings


@pytest.mark.parametrize("table", list(rows("studied_doses.csv")), ids=lambda row: f"{row['drug']} {row['route']}")
def test_doses_are_inside_at_both_ends_of_what_was_studied_and_outside_beyond(table: dict[str, str]) -> None:
    per = 70.0 if table["unit"] == "mg/kg" else 1.0
    low, high = float(table["low"]) * per, float(table["high"]) * per
    for amount, inside in ((low, True), (high, True), (0.9 * low, False), (1.1 * high, False)):
        found = codes(check_domain(people(), [Dose(0.0, table["drug"], table["route"], amount)]))
        assert ("dose" in found) is not inside, amount


def test_a_dose_in_milligrams_a_kilogram_is_judged_by_each_persons_weight() -> None:
    mixed = people().with_columns(weight_kg=70.0)
    mixed = mixed.take([0]).with_columns(weight_kg=30.0)
    assert codes(check_domain(mixed, USUAL)) == ["dose"]


def test_a_route_nobody_studied_is_outside() -> None:
    assert codes(check_domain(people(), [Dose(0.0, "arketamine", "oral", 50.0)])) == ["unstudied"]


def test_an_anaesthetic_dose_is_called_an_overdose() -> None:
    assert "overdose" in codes(check_domain(people(), [Dose(0.0, "racemic-ketamine", "iv-bolus", 110.0)]))


def test_the_devices_of_one_session_count_together() -> None:
    devices = [Dose(minutes / 60.0, "esketamine", "intranasal-device", 28.0) for minutes in (0, 5, 10)]
    assert [session.amount_mg for session in sessions(devices)] == [84.0]
    assert check_domain(people(), devices) == ()
    assert codes(check_domain(people(), [*devices, *devices])) == ["dose"]


def test_the_label_starts_older_people_lower() -> None:
    spray = [Dose(0.0, "esketamine", "intranasal-device", 56.0)]
    assert codes(check_domain(people(age_years=70.0), spray)) == ["elderly-start"]
    assert check_domain(people(age_years=64.0), spray) == ()


def test_more_than_three_sessions_in_a_week_warn() -> None:
    def every(days: float) -> list[Dose]:
        return [Dose(24.0 * days * number, "racemic-ketamine", "iv-infusion", 35.0) for number in range(8)]

    assert codes(check_domain(people(), every(1.0))) == ["frequency"]
    assert check_domain(people(), every(7.0 / 3.0)) == ()


def test_doses_may_differ_between_people_and_name_whom_they_concern() -> None:
    reasons = check_domain(people(), [USUAL, [Dose(0.0, "racemic-ketamine", "iv-infusion", 400.0)], []])
    assert {reason.people for reason in reasons} == {("2",)}
    assert str(reasons[0]).startswith("person 2: ")


@pytest.mark.parametrize("amount", [0.0, -5.0, float("nan"), float("inf")])
def test_impossible_amounts_are_refused(amount: float) -> None:
    with pytest.raises(InputError):
        check_domain(people(), [Dose(0.0, "racemic-ketamine", "iv-infusion", amount)])


def test_lists_for_another_number_of_people_are_refused() -> None:
    with pytest.raises(InputError, match="2 of 3"):
        check_domain(people(), [USUAL, USUAL])


def test_comparators_without_a_dose_are_always_inside() -> None:
    assert check_domain(people(), [Dose(0.0, "saline", "iv-infusion", 0.0)]) == ()

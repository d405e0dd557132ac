"""FHIR bundles: what each resource says is what is read, times are instants, and nothing in a bundle says who it is."""

from __future__ import annotations

import copy
import json
import logging
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rekindle.errors import InputError
from rekindle.outcomes import scale
from rekindle.person import Person, parse_person, person_yaml, read_person
from rekindle.person import fhir_codes as codes
from rekindle.person.fhir_resources import KEPT, checked

sys.path.insert(0, str(Path(__file__).parent))
import corpus

EXAMPLE = Path(__file__).parents[2] / "examples" / "person" / "bundle.json"
TODAY = date(2024, 12, 1)
SECRETS = ("Invented", "Ida", "Nowhere", "1978-02-11", "Patient/p", "+43", "secret")
NAMED = {
    "family": "Invented", "given": ["Ida"],
}  # fmt: skip


def example() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    return found


def read(bundle: Any) -> Person:
    return parse_person(json.dumps(bundle), "bundle.json", today=TODAY)


def resources(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] == kind]


def coded(bundle: dict[str, Any], code: str) -> dict[str, Any]:
    return next(each for each in resources(bundle, "Observation") if code in json.dumps(each["code"]))


def test_the_example_says_what_was_given_and_found() -> None:
    person = read_person(EXAMPLE)
    assert person.start == date(2024, 3, 26)
    assert [(given.time_h, given.sentence) for given in person.given] == [
        (10.0, "36 mg ketamine IV over 40 min, once"),
        (7 * 24 + 9.0, "36 mg ketamine IV over 40 min, once"),
    ]
    assert [(each.scale, each.time_h, each.total) for each in person.ratings] == [
        ("PHQ-9", 9.5, 21.0),
        ("MADRS", 35.0, 22.0),
        ("PHQ-9", 7 * 24 + 8.5, 14.0),
    ]
    assert person.ratings[0].items is not None
    assert list(person.ratings[0].items.values()) == [3, 3, 2, 3, 2, 3, 2, 2, 1]
    assert person.ratings[0].recall_days == 14.0
    assert person.vitals[0].systolic_mmhg == 128.0 and person.vitals[0].heart_rate == 74.0
    assert person.levels[0].ng_ml == pytest.approx(0.72e3 * 237.73e-3)
    assert person.covariates == {"weight_kg": 72.0, "height_cm": 168.0, "sex": "female", "age_years": 46.0}
    assert any("1 of kind Encounter not used" in note for note in person.notes)
    assert any("2 offsets" in note for note in person.notes)


def test_hours_between_records_are_those_between_the_instants() -> None:
    # A second reader: the zone database of the place, with the change to summer time on 31 March 2024.
    person = read_person(EXAMPLE)
    vienna = ZoneInfo("Europe/Vienna")
    first = datetime(2024, 3, 26, 10, tzinfo=vienna).astimezone(UTC)
    second = datetime(2024, 4, 2, 10, tzinfo=vienna).astimezone(UTC)
    assert person.given[1].time_h - person.given[0].time_h == (second - first).total_seconds() / 3600 == 7 * 24 - 1


def test_the_same_instants_in_another_zone_are_the_same_hours_apart() -> None:
    bundle = example()
    plain = read(bundle)
    for each in resources(bundle, "Observation"):
        instant = datetime.fromisoformat(each["effectiveDateTime"]).astimezone(UTC)
        each["effectiveDateTime"] = instant.strftime("%Y-%m-%dT%H:%M:%SZ")
    mixed = read(bundle)
    gaps = [
        [record.time_h - person.given[0].time_h for record in (*person.given, *person.ratings, *person.levels)]
        for person in (plain, mixed)
    ]
    assert gaps[0] == gaps[1]


def test_midnight_and_new_year_elsewhere_are_told_on_the_clock_of_the_earliest() -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": []}
    for when, total in (("2023-12-31T23:30:00-05:00", 20), ("2024-01-01T05:00:00Z", 18)):
        rating = copy.deepcopy(coded(example(), "44261-6")) | {"effectiveDateTime": when}
        rating["valueQuantity"]["value"] = total
        bundle["entry"].append({"resource": rating})
    person = read(bundle)
    assert person.start == date(2023, 12, 31)
    assert [each.time_h for each in person.ratings] == [23.5, 24.0]


def test_a_bundle_within_a_person_s_file_takes_its_illness_and_plan(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_text(json.dumps(example()), encoding="utf-8")
    text = (
        "who: {diagnoses: [bipolar-depression], failed_treatments: 2}\nbundle: bundle.json\n"
        'plan: {course: "0.5 mg/kg IV over 40 min, weekly for 2 weeks", from: 2024-04-03 10:00}\n'
    )
    person = parse_person(text, folder=tmp_path, today=TODAY)
    assert person.kind == "bipolar-depression" and len(person.given) == 2 and person.planned is not None
    with pytest.raises(InputError, match="'weight_kg' is not the same"):
        parse_person(text.replace("failed", "weight: 80 kg, failed"), folder=tmp_path, today=TODAY)


def given_at(when: str, folder: Path) -> None:
    """A bundle of one dose at this time, of 40 minutes."""
    dose = copy.deepcopy(resources(example(), "MedicationAdministration")[0])
    end = datetime.fromisoformat(when) + timedelta(minutes=40)
    dose["effectivePeriod"] = {"start": when, "end": end.isoformat()}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": dose}]}
    (folder / "bundle.json").write_text(json.dumps(bundle), encoding="utf-8")


BESIDE = (
    "who: {diagnoses: [major-depression]}\nbundle: bundle.json\n"
    "ratings: [{at: 2024-03-05 09:30, scale: MADRS, total: 34}]\n"
)


@pytest.mark.parametrize(
    ("when", "zone"),
    [
        ("2024-03-04T23:00:00+00:00", "Australia/Sydney"),
        ("2024-03-04T23:00:00+00:00", "+11:00"),
        ("2024-03-05T10:00:00+11:00", "Australia/Sydney"),
        ("2024-03-05T18:00:00+00:00", "America/Los_Angeles"),
        ("2024-03-05T10:00:00+00:00", "Z"),
    ],
)
def test_a_bundle_s_times_are_told_in_the_zone_of_the_file(when: str, zone: str, tmp_path: Path) -> None:
    given_at(when, tmp_path)
    person = parse_person(f"{BESIDE}zone: {zone}\n", folder=tmp_path, today=TODAY)
    assert (person.start, person.ratings[0].time_h, person.given[0].time_h) == (date(2024, 3, 5), 9.5, 10.0)
    assert not any("zone" in note for note in person.notes)
    with pytest.raises(InputError, match="2024-03-05 09:30 has none: which came first is not known") as caught:
        parse_person(BESIDE, folder=tmp_path, today=TODAY)
    assert "Give 'zone'" in str(caught.value) and "23:00" not in str(caught.value)


def test_times_that_no_zone_could_turn_round_are_read_with_a_note(tmp_path: Path) -> None:
    given_at("2024-03-04T19:00:00+00:00", tmp_path)
    assert len(parse_person(BESIDE.replace("03-05", "03-06"), folder=tmp_path, today=TODAY).given) == 1
    # 14.5 hours after an instant: on no clock of the Earth did it come before.
    (note,) = [each for each in parse_person(BESIDE, folder=tmp_path, today=TODAY).notes if "zone" in each]
    assert "beside local ones" in note
    given_at("2024-03-04T19:31:00+00:00", tmp_path)
    with pytest.raises(InputError, match="which came first"):
        parse_person(BESIDE, folder=tmp_path, today=TODAY)


def test_a_zone_that_is_none_or_has_no_bundle_is_refused(tmp_path: Path) -> None:
    given_at("2024-03-04T19:00:00+00:00", tmp_path)
    for zone in ("Sydney", "+25:00", "../../etc/passwd", "/etc/passwd", "' '"):
        with pytest.raises(InputError, match=r"zone|no clock"):
            parse_person(f"{BESIDE}zone: {zone}\n", folder=tmp_path, today=TODAY)
    with pytest.raises(InputError, match="'zone' is for a bundle"):
        parse_person(BESIDE.replace("bundle: bundle.json", "zone: Europe/Vienna"), folder=tmp_path, today=TODAY)


def drug(bundle: dict[str, Any], concept: dict[str, Any], **dosage: Any) -> str:
    given = resources(bundle, "MedicationAdministration")
    given[0]["medicationCodeableConcept"] = concept
    given[0]["dosage"] |= dosage
    return read(bundle).given[0].sentence


def test_drugs_are_known_by_code_and_by_words() -> None:
    spray = {"route": {"text": "Nasal"}, "dose": {"value": 56, "unit": "mg"}}
    for concept in (
        {"coding": [{"system": "http://www.whocc.no/atc", "code": "N06AX27"}]},
        {"coding": [{"system": codes.RXNORM, "code": "2201623"}]},
        {"text": "Spravato 28 mg nasal spray"},
    ):
        assert drug(example(), concept, **spray) == "56 mg intranasal esketamine, once"
    assert drug(example(), {"text": "S-Ketamin"}) == "36 mg esketamine IV over 40 min, once"
    assert (
        drug(example(), {"coding": [{"system": codes.RXNORM, "code": "6130"}]}) == "36 mg ketamine IV over 40 min, once"
    )


RACEMATE, S_FORM, R_FORM = "ketamine", "esketamine", "arketamine"
SPELT = {
    RACEMATE: (
        "ketamine", "KETAMINE HCL 50 mg/mL", "R,S-ketamine hydrochloride", "R/S-Ketamine 50 mg/mL", "RS-ketamine",
        "(R,S)-ketamine", "rac-ketamine", "racemic ketamine", "Ketamine (racemate)", "(±)-ketamine", "dl-ketamine",
        "R(−)/S(+)-ketamine", "Ketamine R/S 50 mg", "Ketalar(R)", "ketamine s.c. injection", "Ketamine-Hameln",
    ),
    S_FORM: (
        "esketamine", "S-Ketamin", "(S)-ketamine", "S(+)-ketamine", "(S)-(+)-ketamine", "S ketamine", "Ketanest S",
        "Ketanest® S 25 mg/ml", "ketamine (S-enantiomer)", "Ketamin-S (+)", "Esketaminhydrochlorid 5 mg",
        "Esketamine (S-enantiomer of ketamine)",
    ),
    R_FORM: ("arketamine", "R-ketamine", "(R)-ketamine", "R(-)-ketamine", "ketamine (R-enantiomer)"),
}  # fmt: skip
UNSETTLED = (
    "norketamine", "(+)-ketamine", "x-ketamine", "ketamine enantiomer", "Ketamine (R)", "Ketaminol", "Ketanest",
    "S(-)-ketamine", "S. ketamine", "ketamine/S", "ketamine" * 200,
)  # fmt: skip


@pytest.mark.parametrize(("form", "words"), [(form, words) for form, every in SPELT.items() for words in every])
def test_the_racemate_and_its_halves_are_told_apart_by_every_usual_spelling(form: str, words: str) -> None:
    assert drug(example(), {"text": words}) == f"36 mg {form} IV over 40 min, once"


@pytest.mark.parametrize("words", UNSETTLED)
def test_words_that_do_not_settle_which_ketamine_are_refused_by_their_field(words: str) -> None:
    with pytest.raises(InputError, match="'medicationCodeableConcept' name ketamine and do not settle") as caught:
        drug(example(), {"text": words})
    assert words not in str(caught.value)


def test_a_racemic_code_or_word_beside_an_enantiomer_is_refused() -> None:
    for concept in (
        {"text": "racemic ketamine", "coding": [{"system": "http://www.whocc.no/atc", "code": "N01AX14"}]},
        {"text": "S-ketamine", "coding": [{"display": "R,S-ketamine"}]},
        {"text": "S-ketamine", "coding": [{"system": codes.RXNORM, "code": "6130"}]},
    ):
        with pytest.raises(InputError, match="name different drugs"):
            drug(example(), concept)
    assert "esketamine" in drug(example(), {"text": "ketamine", "coding": [{"display": "S-ketamine"}]})


def test_a_dose_known_by_the_words_of_its_reference_is_read() -> None:
    for words, form in (("Ketamine 10 mg/mL", "ketamine"), ("S(+)-Ketamin", "esketamine")):
        bundle = example()
        first = resources(bundle, "MedicationAdministration")[0]
        del first["medicationCodeableConcept"]
        first["medicationReference"] = {"reference": "Medication/elsewhere", "display": words}
        assert read(bundle).given[0].sentence == f"36 mg {form} IV over 40 min, once"
    first["medicationReference"]["display"] = "Ketamine (R)"
    with pytest.raises(InputError, match="'medicationReference'"):
        read(bundle)


def test_a_medication_may_stand_in_a_resource_of_its_own() -> None:
    bundle = example()
    medication = {"resourceType": "Medication", "id": "m1", "code": {"text": "esketamine"}}
    bundle["entry"].insert(0, {"resource": medication})
    first = resources(bundle, "MedicationAdministration")[0]
    del first["medicationCodeableConcept"]
    assert "esketamine" in read(bundle_with(bundle, first, {"reference": "Medication/m1"})).given[0].sentence
    first["contained"] = [medication]
    assert "esketamine" in read(bundle_with(bundle, first, {"reference": "#m1"})).given[0].sentence


def bundle_with(bundle: dict[str, Any], given: dict[str, Any], reference: dict[str, str]) -> dict[str, Any]:
    given["medicationReference"] = reference
    return bundle


WEIGHED = {"dose": {"value": 0.5, "unit": "mg/kg", "code": "mg/kg"}}


def weigh(bundle: dict[str, Any], *taken: tuple[str, float]) -> None:
    """Put these weights in the place of the bundle's own."""
    own = next(each for each in bundle["entry"] if "29463-7" in json.dumps(each))
    bundle["entry"].remove(own)
    for day, kilograms in taken:
        again = copy.deepcopy(own)
        again["resource"] |= {"effectiveDateTime": f"{day}T09:00:00+01:00"}
        again["resource"]["valueQuantity"]["value"] = kilograms
        bundle["entry"].append(again)


def test_a_dose_by_weight_goes_by_the_weight_of_its_own_day() -> None:
    bundle = example()
    weigh(bundle, ("2024-03-20", 90), ("2024-05-26", 70))
    assert drug(bundle, {"text": "ketamine"}, **WEIGHED) == "45 mg ketamine IV over 40 min, once"
    person = read(bundle)
    assert person.covariates["weight_kg"] == 70 and person.given[0].stated == "0.5 mg/kg ketamine IV over 40 min, once"
    (note,) = [note for note in person.notes if "goes by the weight" in note]
    assert "entry 2" in note and "90" not in note and "70" not in note


def test_a_dose_before_any_weight_goes_by_the_first_after_it() -> None:
    bundle = example()
    weigh(bundle, ("2024-03-27", 80), ("2024-05-26", 84))
    assert drug(bundle, {"text": "ketamine"}, **WEIGHED) == "40 mg ketamine IV over 40 min, once"
    assert not any("goes by the weight" in note for note in read(bundle).notes)


def test_a_dose_by_weight_without_a_weight_in_the_bundle_waits_for_the_person_s_file(tmp_path: Path) -> None:
    bundle = example()
    weigh(bundle)
    resources(bundle, "MedicationAdministration")[0]["dosage"] |= WEIGHED
    with pytest.raises(InputError, match="weight"):
        read(bundle)
    (tmp_path / "bundle.json").write_text(json.dumps(bundle), encoding="utf-8")
    text = "who: {weight: 72 kg, diagnoses: [bipolar-depression]}\nbundle: bundle.json\n"
    assert parse_person(text, folder=tmp_path, today=TODAY).given[0].sentence.startswith("0.5 mg/kg")


def test_rates_give_what_is_missing_of_amount_or_time() -> None:
    bundle = example()
    dosage = resources(bundle, "MedicationAdministration")[0]["dosage"]
    del dosage["dose"]
    dosage["rateQuantity"] = {"value": 0.9, "unit": "mg/min"}
    assert read(bundle).given[0].sentence == "36 mg ketamine IV over 40 min, once"
    bundle = example()
    first = resources(bundle, "MedicationAdministration")[0]
    first["effectiveDateTime"] = first.pop("effectivePeriod")["start"]
    first["dosage"]["rateQuantity"] = {"value": 54, "unit": "mg/h"}
    assert read(bundle).given[0].sentence == "36 mg ketamine IV over 40 min, once"


@pytest.mark.parametrize(
    ("number", "unit", "fits"),
    [
        (10, "mg/h", False),
        (54, "mg/h", True),
        (0.9, "mg/min", True),
        (0, "mg/h", False),
        (56, "mg/h", True),
        (108, "mg/h", False),
    ],
)
def test_a_dose_a_rate_and_a_duration_agree_or_are_refused(number: float, unit: str, fits: bool) -> None:
    bundle = example()
    resources(bundle, "MedicationAdministration")[0]["dosage"]["rateQuantity"] = {"value": number, "unit": unit}
    if fits:
        assert read(bundle).given[0].sentence == "36 mg ketamine IV over 40 min, once"
        return
    with pytest.raises(InputError) as caught:
        read(bundle)
    shown = str(caught.value)
    assert "entry 2" in shown and "contradict" in shown
    assert all(f"'{field}'" in shown for field in ("dosage.dose", "dosage.rateQuantity", "effectivePeriod"))


def test_answers_may_be_numbers_or_carry_their_score() -> None:
    bundle = example()
    items = resources(bundle, "QuestionnaireResponse")[0]["item"]
    items[0]["answer"] = [{"valueInteger": 3}]
    items[1]["answer"][0]["valueCoding"] = {"code": "often", "extension": [{"url": codes.ORDINAL, "valueDecimal": 3}]}
    items[2] = {"linkId": "group", "item": [items[2]]}
    rating = read(bundle).ratings[0]
    assert rating.items is not None and list(rating.items.values())[:3] == [3, 3, 2]


PHQ_CODES = [code for code, (scale_, _) in codes.ITEMS.items() if scale_ == "PHQ-9"]


def panel(*answers: Any) -> dict[str, Any]:
    """The example, with a PHQ-9 of these answers to its items on 9 April, and a total of 14."""
    bundle = example()
    own = copy.deepcopy(coded(bundle, "44261-6")) | {"effectiveDateTime": "2024-04-09T09:30:00+02:00"}
    own["component"] = [
        {"code": {"coding": [{"system": codes.LOINC, "code": code}]}, **answer}
        for code, answer in zip(PHQ_CODES, answers, strict=False)
    ]
    bundle["entry"].append({"resource": own})
    return bundle


def chosen(code: str, system: str = codes.LOINC) -> dict[str, Any]:
    return {"valueCodeableConcept": {"coding": [{"system": system, "code": code}], "text": "secret"}}


def test_items_of_an_observation_may_be_answer_codes() -> None:
    answers = [chosen(code) for code in ("LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9")]
    scored = {"url": codes.ORDINAL, "valueDecimal": 2}
    own = {"valueCodeableConcept": {"coding": [{"code": "often", "extension": [scored]}]}}
    rating = read(panel(*answers, own)).ratings[-1]
    assert rating.items is not None and list(rating.items.values()) == [0, 1, 2, 3, 2] and rating.total == 14


def test_an_item_whose_answer_is_not_known_is_left_out_with_a_note() -> None:
    for answer in (chosen("LA0000-0"), chosen("LA6571-9", "http://example.org"), {}):
        person = read(panel(chosen("LA6571-9"), answer))
        assert person.ratings[-1].items == {"interest": 3}
        (note,) = [note for note in person.notes if "left out" in note]
        assert "an item of PHQ-9" in note and "secret" not in note
    bundle = example()
    bundle["entry"].append({"resource": coded(bundle, "44261-6") | {
        "code": {"coding": [{"system": codes.LOINC, "code": PHQ_CODES[0]}]}, **chosen("LA6571-9")}})  # fmt: skip
    del bundle["entry"][-1]["resource"]["valueQuantity"]
    assert len(read(bundle).ratings) == 3


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("MADRS", "MADRS"),
        ("Montgomery-Asberg depression rating scale (MADRS) total score", "MADRS"),
        ("HAM-D17 total", "HAM-D17"),
        ("Generalised Anxiety Disorder scale, seven items", "GAD-7"),
        ("MADRS item 3 (inner tension)", None),
        ("MADRS-like", None),
    ],
)
def test_scales_are_known_by_their_words(words: str, name: str | None) -> None:
    bundle = example()
    rating = coded(bundle, "MADRS")
    rating["code"], rating["valueInteger"] = {"text": words}, 12
    assert [each.scale for each in read(bundle).ratings if each.total == 12.0] == ([name] if name else [])


def test_an_enantiomer_s_level_is_not_taken_for_that_of_both() -> None:
    for words in ("S-ketamine in plasma", "Esketamine", "Ketamine in urine", "Ketamine (S-enantiomer)"):
        bundle = example()
        coded(bundle, "plasma")["code"] = {"text": words}
        assert read(bundle).levels == ()


def test_levels_below_the_limit_are_kept_as_such() -> None:
    bundle = example()
    level = next(each for each in resources(bundle, "Observation") if "plasma" in json.dumps(each))
    level["valueQuantity"] = {"value": 2, "comparator": "<", "unit": "ng/mL", "code": "ng/mL"}
    found = read(bundle).levels[0]
    assert (found.ng_ml, found.below, found.limit_ng_ml) == (None, True, 2.0)


def test_a_questionnaire_and_its_total_entered_seconds_later_are_one_rating() -> None:
    bundle = example()
    total = copy.deepcopy(coded(bundle, "44261-6")) | {"effectiveDateTime": "2024-03-26T09:30:12+01:00"}
    total["valueQuantity"]["value"] = 21
    bundle["entry"].append({"resource": total})
    person = read(bundle)
    assert [(each.total, each.recall_days) for each in person.ratings if each.scale == "PHQ-9"] == [(21, 14), (14, 14)]
    assert person.ratings[0].items is not None and any("stands twice within" in note for note in person.notes)
    total["valueQuantity"]["value"] = 20
    with pytest.raises(InputError, match="Two ratings of PHQ-9 within 10 minutes differ"):
        read(bundle)


def luhn(code: str) -> bool:
    digits, _, check = code.partition("-")
    total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(reversed(digits)))
    return (-total) % 10 == int(check)


def test_codes_have_their_check_digit_and_name_items_of_their_scale() -> None:
    loinc = [*codes.PANELS, *codes.TOTALS, *codes.ITEMS, *codes.SIGNS, *codes.BODY, codes.PRESSURE_PANEL]
    assert all(luhn(code) for code in loinc) and not luhn("44261-5")
    for name in ("PHQ-9", "GAD-7"):
        assert [item for scale_, item in codes.ITEMS.values() if scale_ == name] == [i.name for i in scale(name).items]


def test_nothing_that_identifies_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    bundle = secretive(example())
    with caplog.at_level(logging.DEBUG):
        person = read(bundle)
    kept = repr(person) + person_yaml(person) + caplog.text
    assert not [secret for secret in SECRETS if secret in kept]


def test_what_is_not_read_is_gone_before_anything_is_looked_at() -> None:
    for entry in secretive(example())["entry"]:
        kind = entry["resource"]["resourceType"]
        if kind in KEPT:
            kept = repr(checked(kind, entry["resource"], "entry")).replace("1978-02-11", "").replace("Patient/p", "")
            assert not [secret for secret in SECRETS if secret in kept]


def secretive(bundle: dict[str, Any]) -> dict[str, Any]:
    """The bundle with names and numbers wherever a resource may have them."""
    for entry in bundle["entry"]:
        each = entry["resource"]
        each["id"] = "secret-id"
        each["identifier"] = [{"value": "secret-number"}]
        each["text"] = {"status": "generated", "div": "<div>Ida Invented, secret</div>"}
        each["note"] = [{"text": "Ida Invented called from +43 secret"}]
        for part in (each.get("code"), each.get("dosage"), each.get("valueQuantity")):
            if isinstance(part, dict):
                part["extension"] = [{"url": "http://example.org/secret", "valueString": "Ida Invented"}]
        each["performer"] = [{"display": "Dr secret"}]
        if "subject" in each:
            each["subject"]["display"] = "Ida Invented"
    patient = resources(bundle, "Patient")[0]
    patient |= {"name": [NAMED], "telecom": [{"value": "+43 secret"}], "address": [{"city": "Nowhere"}]}
    return bundle


def put(kind: str, key: str, value: Any) -> Any:
    def change(bundle: dict[str, Any]) -> None:
        target: Any = resources(bundle, kind)[0]
        *path, last = key.split(".")
        for step in path:
            target = target[int(step)] if isinstance(target, list) else target[step]
        if value is None:
            del target[last]
        else:
            target[last] = value

    return change


def phq(value: Any) -> Any:
    return lambda bundle: coded(bundle, "44261-6").update(value)


def remove_patient_and(kind: str) -> Any:
    def change(bundle: dict[str, Any]) -> None:
        bundle["entry"] = [each for each in bundle["entry"] if each["resource"]["resourceType"] == kind]

    return change


GIVEN, ASKED = "MedicationAdministration", "QuestionnaireResponse"
BROKEN: dict[str, tuple[Any, str]] = {
    "no bundle": (lambda bundle: bundle.update(resourceType="Patient"), "a Bundle is needed"),
    "no entries": (lambda bundle: bundle.update(entry=[]), "has no entries"),
    "entries that are text": (lambda bundle: bundle.update(entry=["secret"]), "entry 1: The entry holds no resource"),
    "nothing that is read": (remove_patient_and("Encounter"), "holds no dose, rating or measurement"),
    "two people": (lambda bundle: bundle["entry"].append(bundle["entry"][0]), "is about 2 people"),
    "two subjects": (phq({"subject": {"reference": "Patient/secret"}}), "is about 2 people"),
    "no status": (put(GIVEN, "status", None), "entry 2 (MedicationAdministration): The element 'status' is missing"),
    "no time": (put(GIVEN, "effectivePeriod", None), "The element effectiveDateTime or effectivePeriod is missing"),
    "no subject": (put(GIVEN, "subject", None), "The element 'subject' is missing"),
    "a dose that was stopped": (put(GIVEN, "status", "stopped"), "does not say that the whole dose was given"),
    "a time that is none": (put(GIVEN, "effectivePeriod.start", "secret"), "is not what FHIR R4 says"),
    "a time that is a number": (put(GIVEN, "effectivePeriod.start", 1711443600), "The element 'start' is not a time"),
    "only a month": (put(GIVEN, "effectivePeriod.start", "2024-03"), "is not exact to the day"),
    "a dose that ends before it begins": (
        put(GIVEN, "effectivePeriod.end", "2024-03-26T09:00:00+01:00"),
        "ends before it begins",
    ),
    "an infusion without its end": (put(GIVEN, "effectivePeriod.end", None), "An infusion needs its duration"),
    "an unknown unit": (put(GIVEN, "dosage.dose.code", "mL"), "The unit of the dose is not read"),
    "no amount": (put(GIVEN, "dosage.dose", None), "The amount is missing"),
    "an amount that is text": (put(GIVEN, "dosage.dose.value", "secret"), "is not what FHIR R4 says"),
    "an absurd amount": (put(GIVEN, "dosage.dose.value", 36000), "cannot be meant"),
    "an unknown route": (put(GIVEN, "dosage.route", {"text": "secret"}), "The route is missing or not read"),
    "codes that disagree": (
        put(GIVEN, "medicationCodeableConcept.coding.0.display", "esketamine"),
        "name different drugs",
    ),
    "the same dose twice": (lambda bundle: bundle["entry"].append(bundle["entry"][1]), "overlap"),
    "a rating that is impossible": (phq({"valueQuantity": {"value": 28}}), "The total is not possible on PHQ-9"),
    "a rating without a number": (phq({"valueQuantity": {"unit": "secret"}}), "has no number"),
    "a rating without a time": (
        lambda bundle: coded(bundle, "44261-6").pop("effectiveDateTime"),
        "The time is missing",
    ),
    "a rating in the future": (phq({"effectiveDateTime": "2025-04-02T09:30:00+02:00"}), "lies in the future"),
    "two ratings that differ": (
        phq({"effectiveDateTime": "2024-03-26T09:30:00+01:00"}),
        "Two ratings of PHQ-9 at one time differ",
    ),
    "pressure in another unit": (
        lambda bundle: coded(bundle, "85354-9")["component"][0]["valueQuantity"].update(code="kPa"),
        "The unit of the systolic is not read",
    ),
    "impossible pressure": (
        lambda bundle: coded(bundle, "85354-9")["component"][0]["valueQuantity"].update(value=1280),
        "The systolic pressure cannot be meant",
    ),
    "weight in stones": (
        lambda bundle: coded(bundle, "29463-7")["valueQuantity"].update(code="[stone_av]"),
        "The unit of the weight is not read",
    ),
    "an answer that is no score": (
        put(ASKED, "item.0.answer", [{"valueString": "secret"}]),
        "An answer is not a score",
    ),
    "a total that disagrees": (
        put(ASKED, "item.9.answer.0.valueDecimal", 20),
        "The total of PHQ-9 disagrees with its items",
    ),
    "an answer out of range": (
        put(ASKED, "item.0.answer", [{"valueInteger": 4}]),
        "The score of the item 'interest' of PHQ-9 is not possible",
    ),
    "no time of answers": (put(ASKED, "authored", None), "The element 'authored' is not exact to the day"),
    "a dose with only a date beside a rating with a time": (
        lambda bundle: resources(bundle, GIVEN)[0].update(
            effectivePeriod={"start": "2024-03-26"},
            dosage=resources(bundle, GIVEN)[0]["dosage"] | {"rateQuantity": {"value": 54, "unit": "mg/h"}},
        ),
        "The dose has no time of day, and a rating of that day has one",
    ),
    "a question twice": (put(ASKED, "item.1.linkId", "/44250-9"), "A question stands twice"),
    "born after the first dose": (
        put("Patient", "birthDate", "2024-05-01"),
        "The age at the first record cannot be meant",
    ),
    "a birth date that is none": (put("Patient", "birthDate", "secret"), "is not what FHIR R4 says"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_bundle_gets_one_clear_message_that_names_nobody(name: str) -> None:
    change, message = BROKEN[name]
    bundle = secretive(example()) if name not in ("two subjects",) else example()
    change(bundle)
    with pytest.raises(InputError) as caught:
        read(bundle)
    shown = str(caught.value)
    assert message in shown and shown.startswith("bundle.json"), shown
    assert "\n" not in shown and caught.value.exit_code == 2
    assert not [secret for secret in SECRETS if secret in shown]
    assert caught.value.__cause__ is None or not [s for s in SECRETS if s in repr(caught.value.__cause__)]


NUMBERS = ("value", "valueInteger", "valueDecimal")


@pytest.mark.parametrize("odd", [-98761.25, 0.0098761, 26.98761, 98761, 98761e7])
def test_no_message_shows_a_number_or_a_time_of_a_bundle(odd: float) -> None:
    """Whatever number of it is wrong, and wherever a time is."""
    places = [place for place in corpus.places(example()) if place[-1] in NUMBERS]
    refused = 0
    for place in places:
        bundle = example()
        target: Any = bundle
        for step in place[:-1]:
            target = target[step]
        target[place[-1]] = odd
        try:
            read(bundle)
        except InputError as error:
            refused += 1
            assert "98761" not in str(error) and "9876" not in str(error).replace(",", ""), str(error)
    assert refused >= 5


@pytest.mark.parametrize("day", ["2024-04-02", "2024-03-26", "2025-04-02"])
def test_no_message_shows_when_something_happened(day: str) -> None:
    when, times = f"{day}T10:17:00+01:00", ("effective", "start", "authored")
    for place in [each for each in corpus.places(example()) if str(each[-1]).startswith(times)]:
        bundle = example()
        target: Any = bundle
        for step in place[:-1]:
            target = target[step]
        if isinstance(target[place[-1]], str):
            target[place[-1]] = when
            try:
                read(bundle)
            except InputError as error:
                assert "10:17" not in str(error) and "202" not in str(error), str(error)


def test_what_is_not_used_is_noted_and_not_shown() -> None:
    bundle = secretive(example())
    other = copy.deepcopy(resources(bundle, GIVEN)[0]) | {"medicationCodeableConcept": {"text": "secret pills"}}
    lied = copy.deepcopy(resources(bundle, GIVEN)[0]) | {"status": "not-done"}
    item = copy.deepcopy(coded(bundle, "44261-6"))
    item["code"] = {"coding": [{"system": "http://loinc.org", "code": "44250-9"}]}
    item["valueQuantity"] = {"value": 2}
    height = copy.deepcopy(coded(bundle, "8302-2")) | {"code": {"text": "secret finding"}}
    asked = copy.deepcopy(resources(bundle, ASKED)[0]) | {"item": [{"linkId": "secret"}]}
    bundle["entry"] += [{"resource": each} for each in (other, other, lied, item, height, asked)]
    notes = "\n".join(read(bundle).notes)
    for part in (
        "and 1 more: another drug",
        "some items of a scale",
        "not given",
        "an observation of something else",
        "a questionnaire without items",
    ):
        assert part in notes
    assert not [secret for secret in SECRETS if secret in notes]

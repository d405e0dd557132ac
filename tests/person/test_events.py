"""A table of events as a person's records: doses by compartment, observations by DVID or by column."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from rekindle.dosing import parse, write_events
from rekindle.errors import InputError
from rekindle.person import Person, parse_person, read_person
from rekindle.person.doses import administrations

EXAMPLES = Path(__file__).parents[2] / "examples" / "person"
HEAD = "start: 2024-03-04\nwho: {sex: female, height: 168 cm, diagnoses: [treatment-resistant-depression]}\n"
TABLE = (EXAMPLES / "events.csv").read_text(encoding="utf-8")


def read(folder: Path, table: str, text: str = HEAD, **more: str) -> Person:
    (folder / "events.csv").write_text(table, encoding="utf-8")
    events = "events: {file: events.csv, dvid: {'2': ketamine ng/mL}}\n"
    return parse_person(text + more.get("events", events), "person.yaml", folder=folder, today=date(2024, 12, 1))


def test_the_example_says_what_was_given_and_seen() -> None:
    person = read_person(EXAMPLES / "with_table.yaml")
    assert [(given.time_h, given.sentence) for given in person.given] == [
        (10.0, "36 mg ketamine IV over 40 min, once"),
        (82.0, "36 mg ketamine IV over 40 min, once"),
        (178.0, "56 mg intranasal esketamine, once"),
    ]
    assert [(each.scale, each.total) for each in person.ratings] == [
        ("MADRS", 34.0), ("PHQ-9", 20.0), ("MADRS", 22.0), ("MADRS", 18.0),
    ]  # fmt: skip
    assert [(each.ng_ml, each.below, each.limit_ng_ml) for each in person.levels] == [
        (172.0, False, None), (None, True, 2.0),
    ]  # fmt: skip
    assert person.vitals[0].systolic_mmhg == 128.0 and person.covariates["weight_kg"] == 72.0
    assert person.given[0].where.endswith("events.csv, line 4")


def test_a_questionnaire_of_a_table_looks_back_as_it_asks() -> None:
    person = read_person(EXAMPLES / "with_table.yaml")
    assert [each.recall_days for each in person.ratings] == [None, 14.0, None, None]
    assert any("events.csv" in note and "how far back PHQ-9 looks is not given" in note for note in person.notes)


def test_a_table_named_at_the_call_is_read_as_one_named_in_the_file(tmp_path: Path) -> None:
    text = HEAD + "events: {file: other.csv, dvid: {'2': ketamine ng/mL}}\n"
    (tmp_path / "person.yaml").write_text(text, encoding="utf-8")
    person = read_person(tmp_path / "person.yaml", events=EXAMPLES / "events.csv")
    assert len(person.given) == 3


@pytest.mark.parametrize(
    "sentence",
    [
        "84 mg intranasal esketamine, twice a week for 2 weeks",
        "0.5 mg/kg IV over 40 min, twice a week for 2 weeks at 10:00",
        "0.3 mg/kg ketamine IV bolus, days 1, 3",
        "50 mg sublingual ketamine lozenge every other day for 1 week",
        "saline IV over 40 min, weekly for 3 weeks",
    ],
)
def test_a_course_written_as_a_table_is_given_back_dose_by_dose(tmp_path: Path, sentence: str) -> None:
    course = parse(sentence)
    write_events(course.event_table(weight_kg=72, observation_times_h=[400]), tmp_path / "events.csv")
    table = (tmp_path / "events.csv").read_text(encoding="utf-8")
    person = read(tmp_path, table, HEAD + "ratings: [{at: 2024-03-30, scale: MADRS, total: 20}]\n")
    body = {"weight_kg": None, "height_cm": None, "sex": None}
    found = [dose for given in person.given for dose in administrations(given, body)]
    wanted = course.administrations(weight_kg=72)
    assert len(person.given) == course.session_count
    for one, other in zip(found, wanted, strict=True):
        assert (one.drug, one.route) == (other.drug, other.route)
        assert one.time_h == pytest.approx(other.time_h) and one.amount_mg == pytest.approx(other.amount_mg)
        assert (one.duration_h or 0.0) == pytest.approx(other.duration_h or 0.0)


BROKEN: dict[str, tuple[str, str, str]] = {
    "unknown DVID": ("MADRS,34", "7,34", "It is not said what DVID 7 is"),
    "no DVID": ("MADRS,34", ".,34", "It is not said what DV is"),
    "no such scale": ("MADRS,34", "MADRAS,34", "Nearest: MADRS"),
    "impossible total": ("MADRS,34", "MADRS,64", "64 is not possible on MADRS"),
    "impossible total in a column": ("72,20", "72,30", "30 is not possible on PHQ-9"),
    "unknown compartment": ("1,56,24", "1,56,19", "compartment"),
    "half a device": ("1,56,24", "1,50,24", "not a whole number of 28-mg"),
    "a steady state": ("36,1,54,72,1", "36,1,54,72,0", "ADDL"),
    "time that goes back": ("1,226,", "1,26,", "TIME"),
    "a rating below a limit": ("MADRS,34,0", "MADRS,34,1", "Only levels are below a limit"),
    "a weight that changes": ("MADRS,18,0,72", "MADRS,18,0,82", "weight_kg changes in time"),
    "an impossible pressure": ("systolic pressure,128", "systolic pressure,1280", "1280 cannot be meant"),
    "two people": ("1,226,0,.,.,.,.,.,MADRS,18,0,72,.", "2,226,0,.,.,.,.,.,MADRS,18,0,72,5", "holds 2 people"),
    "an absurd dose": ("1,36,1,54", "1,36000,1,54000", "cannot be meant"),
    "a number that is none": ("1,36,1,54", "1,much,1,54", "AMT"),
    "beyond the calendar": ("1,226,", "1,2e9,", "is not on the calendar"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_table_gets_one_clear_message(tmp_path: Path, name: str) -> None:
    old, new, message = BROKEN[name]
    assert old in TABLE
    with pytest.raises(InputError) as caught:
        read(tmp_path, TABLE.replace(old, new, 1))
    shown = str(caught.value)
    assert message in shown and "events.csv" in shown and "\n" not in shown, shown


def test_one_of_several_people_is_chosen_by_id(tmp_path: Path) -> None:
    two = TABLE + "".join(line.replace("1,", "2,", 1) + "\n" for line in TABLE.splitlines()[1:])
    chosen = "events: {file: events.csv, person: 2, dvid: {'2': ketamine ng/mL}}\n"
    one, other = read(tmp_path, TABLE), read(tmp_path, two, events=chosen)
    assert one == replace(other, notes=one.notes)
    with pytest.raises(InputError, match="no such ID"):
        read(tmp_path, two, events=chosen.replace("person: 2", "person: 3"))


def test_a_column_of_another_name_is_noted(tmp_path: Path) -> None:
    table = "\n".join(f"{line},{'mood' if not place else 3}" for place, line in enumerate(TABLE.splitlines()))
    assert any("column mood is not used" in note for note in read(tmp_path, table).notes)

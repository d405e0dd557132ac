"""A person's file: what it says is read, what is written reads back the same, and each mistake has one message."""

from __future__ import annotations

import calendar
import json
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.dosing import parse
from rekindle.errors import InputError
from rekindle.outcomes import SCALES
from rekindle.outcomes.recall import RECALL
from rekindle.person import Given, Level, Person, Planned, Rated, Vital, parse_person, person_yaml, read_person
from rekindle.person.moments import hours, moment_of, read_when, words
from rekindle.person.words import nanograms

EXAMPLES = Path(__file__).parents[2] / "examples"
START = date(2024, 3, 4)
TODAY = date(2024, 12, 1)

WHOLE = """\
start: 2024-03-04
now: 2024-03-20 12:00
who: {age: 46, sex: female, weight: 72 kg, diagnoses: [treatment-resistant-depression]}
doses:
- {at: 2024-03-05 10:00, dose: 36 mg IV over 40 min}
ratings:
- {at: 2024-03-04 15:00, scale: MADRS, total: 34}
- {at: 2024-03-12 09:30, scale: PHQ-9, total: 14, recall: 7 days}
vitals:
- {at: 2024-03-05 09:50, systolic: 128, diastolic: 82, heart_rate: 74}
levels:
- {at: 2024-03-05 10:40, analyte: ketamine, level: 170 ng/mL}
plan: {course: "0.5 mg/kg IV over 40 min, weekly for 4 weeks", from: 2024-03-21}
"""


def read(text: str) -> Person:
    return parse_person(text, "person.yaml", today=TODAY)


def bare(person: Person) -> Person:
    return replace(person, notes=())


def test_the_example_says_what_was_given_and_found() -> None:
    person = read_person(EXAMPLES / "person.yaml")
    assert (person.start, person.now_h) == (START, 29 * 24 + 9.0)
    assert [given.time_h for given in person.given] == [34.0, 106.0, 202.0, 274.0, 370.0, 442.0]
    assert person.given[0].sentence == "36 mg ketamine IV over 40 min, once"
    assert (person.ratings[0].total, person.ratings[1].recall_days) == (34.0, 14.0)
    assert person.levels[0].ng_ml == pytest.approx(0.72e3 * 237.73e-3)
    assert person.levels[1].below and person.levels[1].limit_ng_ml == 2.0 and person.levels[1].ng_ml is None
    assert person.covariates["hypertension"] == 1.0 and person.modifiers == {"oral_antidepressant": True}
    assert person.planned is not None and person.planned.from_h == 30 * 24 + 10.0
    assert [name for name, _ in person.options] == ["every two weeks", "nasal esketamine", "nothing more"]
    assert (person.risk, person.forecast_scales, person.notes) == (0.2, ("MADRS", "PHQ-9"), ())


def test_json_is_read_as_yaml_is() -> None:
    person = read_person(EXAMPLES / "person.yaml")
    again = read_person(EXAMPLES / "person" / "person.json")
    assert again == person
    tabbed = json.dumps(json.loads((EXAMPLES / "person" / "person.json").read_text()), indent="\t")
    assert parse_person(tabbed) == person


@pytest.mark.parametrize("name", ["person.yaml", "person/person.json", "person/bundle.json", "person/with_table.yaml"])
def test_an_example_written_back_reads_the_same(name: str) -> None:
    person = read_person(EXAMPLES / name)
    assert bare(parse_person(person_yaml(person))) == bare(person)


SENTENCES = (
    "36 mg ketamine IV over 40 min, once",
    "0.5 mg/kg (ideal body weight) ketamine IM, once",
    "84 mg intranasal esketamine, once",
    "25 mg ketamine hydrochloride orally, once",
    "0.23 mg/kg ketamine IV over 1 min then 0.58 mg/kg over 60 min, once",
    "saline IV over 40 min, once",
)
micro_hours = st.integers(0, 60 * 24 * 60 * 60 * 10**6 - 1).map(lambda count: moment_of(count / 3.6e9, START))
hours_of = micro_hours.map(lambda moment: hours(moment, START))


@st.composite
def ratings(draw: st.DrawFn) -> tuple[Rated, ...]:
    found = {}
    for _ in range(draw(st.integers(0, 4))):
        scale = draw(st.sampled_from([each for each in SCALES.values() if not each.person_inputs]))
        scores = {item.name: draw(st.integers(int(item.minimum), int(item.maximum))) for item in scale.items}
        total = float(sum(scores.values()))
        rating = Rated(
            draw(hours_of), scale.name, total, draw(st.sampled_from([None, scores])),
            draw(st.sampled_from([None, 7.0, 14.0, 0.5])), draw(st.sampled_from([None, True, False])),
        )  # fmt: skip
        if not [each for each in found.values() if each.scale == scale.name and abs(each.time_h - rating.time_h) < 0.2]:
            found[rating.time_h, rating.scale] = rating
    return tuple(sorted(found.values(), key=lambda rating: rating.time_h))


positive = st.floats(0.01, 5e4, allow_nan=False)
levels = st.one_of(
    st.builds(Level, hours_of, st.sampled_from(["ketamine", "norketamine"]), positive),
    st.builds(lambda when, limit: Level(when, "ketamine", None, True, limit), hours_of, positive),
    st.builds(lambda when, one, two: Level(when, "ketamine", max(one, two), False, min(one, two)), hours_of, positive,
              positive),
)  # fmt: skip
vitals = st.builds(
    Vital, hours_of, st.one_of(st.none(), st.floats(120, 200)), st.one_of(st.none(), st.floats(40, 110)),
    st.floats(40, 150),
)  # fmt: skip


def by_time(values: list[object]) -> tuple[object, ...]:
    unique = {each.time_h: each for each in values}  # type: ignore[attr-defined]
    return tuple(unique[time] for time in sorted(unique))


@st.composite
def people(draw: st.DrawFn) -> Person:
    covariates = {"weight_kg": draw(st.floats(40, 150)), "sex": draw(st.sampled_from(["female", "male"]))}
    covariates["height_cm"] = draw(st.floats(150, 200))
    for name, values in (("age_years", st.floats(18, 90)), ("failed_treatments", st.integers(0, 9).map(float)),
                         ("psychosis", st.just(1.0)), ("opioid", st.sampled_from([0.0, 1.0])),
                         ("cyp2b6", st.just("*1/*6")), ("baseline_pain", st.floats(0, 10))):  # fmt: skip
        if draw(st.booleans()):
            covariates[name] = draw(values)  # type: ignore[arg-type]
    days = sorted(draw(st.sets(st.integers(0, 59), max_size=4)))
    doses = tuple(Given(24.0 * day + draw(st.integers(0, 60)) / 4, draw(st.sampled_from(SENTENCES))) for day in days)
    course = parse(draw(st.sampled_from(["no treatment", "0.5 mg/kg IV over 40 min, weekly for 3 weeks at 09:00"])))
    plan = Planned(course, 24.0 * 61, 24.0 * 61 + draw(st.sampled_from([600.0, 1000.25])))
    known = by_time(draw(st.lists(levels, max_size=3)))
    methods = ["M1", "M3", "M4"] if [each for each in known if each.limit_ng_ml is None] else ["M1", "M2", "M3", "M4"]
    return Person(
        START, draw(st.sampled_from(["treatment-resistant-depression", "older-adults", "bipolar-depression"])),
        24.0 * 61, covariates, draw(st.sampled_from([{}, {"lithium": True, "benzodiazepine_mg": 5.0}])), doses,
        draw(ratings()), by_time(draw(st.lists(vitals, max_size=3))), known,
        draw(st.sampled_from(methods)), draw(st.sampled_from([None, plan])),
        draw(st.sampled_from([(), (("other, 'quoted': \"way\"", plan),)])), (), draw(st.sampled_from([None, 0.15])),
        draw(st.sampled_from([(), ("SHAPS", "PHQ-9")])),
    )  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(people())
def test_whoever_is_written_reads_back_the_same(person: Person) -> None:
    assert bare(parse_person(person_yaml(person), today=TODAY)) == person


@settings(max_examples=200, deadline=None)
@given(st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1)))
def test_hours_are_those_of_the_calendar(moment: datetime) -> None:
    # A second reader: seconds since 1970 by the calendar module, which knows no zone and no summer time.
    counted = (calendar.timegm(moment.timetuple()) - calendar.timegm(START.timetuple())) / 3600
    assert hours(moment, START) == pytest.approx(counted + moment.microsecond / 3.6e9, abs=1e-9)
    assert moment_of(hours(moment, START), START) == moment
    assert read_when(words(moment)).moment(START) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-31", datetime(2024, 3, 31)),
        ("2024-03-31 02:30", datetime(2024, 3, 31, 2, 30)),
        ("2024-02-29T23:59:59.5", datetime(2024, 2, 29, 23, 59, 59, 500_000)),
        ("day 1", datetime(2024, 3, 4)),
        ("Day 28 at 7:05", datetime(2024, 3, 31, 7, 5)),
    ],
)
def test_times_are_those_of_the_clock(text: str, moment: datetime) -> None:
    assert read_when(text).moment(START) == moment


@pytest.mark.parametrize(
    "text", ["04/03/2024", "2024-3-4", "2024-02-30", "2024-03-04 25:00", "2024-03-04T10:00Z", "2024-03-04 10:00+01:00",
             "0024-03-04", "day 0", "day 999999", "yesterday", "", "2024-03-04 10", "20240304"]
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_when(text)


def test_levels_come_in_nanograms_a_millilitre() -> None:
    for unit, number in (("ng/mL", 85.0), ("ug/L", 85.0), ("mg/L", 0.085), ("nmol/L", 85.0 / 0.23773)):
        assert nanograms(number, unit, "ketamine", "") == pytest.approx(85.0)
    assert nanograms(1.0, "umol/L", "norketamine", "") == pytest.approx(223.7)


def test_a_course_given_is_its_sessions_and_a_missed_one_is_left_out() -> None:
    text = WHOLE.replace(
        "{at: 2024-03-05 10:00, dose: 36 mg IV over 40 min}",
        '{from: 2024-03-05 08:00, course: "84 mg intranasal esketamine, twice a week for 2 weeks, missing session 2"}',
    )
    person = read(text)
    assert [given.time_h for given in person.given] == [32.0, 200.0, 272.0]
    assert {given.sentence for given in person.given} == {"84 mg intranasal esketamine, once"}


def test_items_make_the_total_and_may_be_some_of_them() -> None:
    by_name = "items: {interest: 3, Mood: 2}"
    person = read(WHOLE.replace("total: 14,", f"total: 14, {by_name},"))
    assert person.ratings[1].items == {"interest": 3, "mood": 2}
    person = read(WHOLE.replace("total: 14,", "items: [1, 2, 1, 2, 1, 2, 1, 2, 1],"))
    assert person.ratings[1].total == 13.0


def test_a_dose_at_midnight_is_not_a_dose_without_a_time() -> None:
    for at, dated in (("2024-03-05 00:00", False), ("2024-03-05", True)):
        text = WHOLE.replace("2024-03-05 10:00", at)
        text = text.replace("2024-03-05 09:50", "2024-03-06 09:50").replace("2024-03-05 10:40", "2024-03-06 10:40")
        person = read(text)
        assert person.given[0].dated is dated and read(person_yaml(person)).given == person.given


def test_a_course_without_a_time_of_day_is_refused_beside_a_rating_with_one() -> None:
    course = '{from: 2024-03-05, course: "36 mg IV over 40 min, weekly for 2 weeks"}'
    text = WHOLE.replace("{at: 2024-03-05 10:00, dose: 36 mg IV over 40 min}", course)
    with pytest.raises(InputError, match=r"line 5, .*The dose has no time of day, and a vital sign of that day has"):
        read(text)
    assert len(read(text.replace("2 weeks", "2 weeks at 10:00")).given) == 2


def test_a_level_or_vital_sign_without_a_time_on_a_day_with_a_dose_is_noted() -> None:
    text = WHOLE.replace("2024-03-05 09:50", "2024-03-05").replace("2024-03-05 10:40", "2024-03-05")
    notes = "\n".join(read(text).notes)
    assert "the vital sign has no time of day on a day with a dose" in notes and "the drug level has no" in notes


def test_doubts_are_noted_with_their_place() -> None:
    text = WHOLE.replace("36 mg IV", "150 mg IV").replace("2024-03-04 15:00", "2024-03-05")
    notes = "\n".join(read(text).notes)
    assert "above what was studied" in notes
    assert "person.yaml, line 7, ratings[1]: the rating of MADRS has no time of day on a day with a dose" in notes
    assert read(WHOLE).notes == ()
    twice = WHOLE.replace("vitals:", "- {at: 2024-03-12 09:30, scale: PHQ-9, total: 14}\nvitals:")
    person = read(twice)
    assert len(person.ratings) == 2 and "stands twice" in person.notes[0]


def test_a_rating_looks_back_as_its_scale_asks_unless_it_says_otherwise() -> None:
    for scale, days in (("PHQ-9", 14.0), ("GAD-7", 14.0), ("QIDS-SR16", 7.0), ("HAM-D17", None), ("CADSS", None)):
        text = WHOLE.replace("scale: PHQ-9, total: 14, recall: 7 days", f"scale: {scale}, total: 14")
        person = read(text)
        assert person.ratings[1].recall_days == days
        said = [note for note in person.notes if f"how far back {scale} looks is not given" in note]
        assert len(said) == (1 if days else 0) and all("line 8" in note and f"{days:g} days" in note for note in said)
        assert read(text.replace("total: 14", "total: 14, recall: 0 days")).ratings[1].recall_days is None
        assert read(text.replace("total: 14", "total: 14, recall: 5 days")).ratings[1].recall_days == 5.0


def test_every_scale_says_how_far_back_it_looks() -> None:
    assert set(RECALL) == {each.name for each in SCALES.values() if not each.person_inputs}


PHQ = "- {at: 2024-03-12 09:30, scale: PHQ-9, total: 14, recall: 7 days}"


@pytest.mark.parametrize("at", ["09:30:12", "09:40"])
def test_one_questionnaire_entered_twice_counts_once(at: str) -> None:
    again = f"- {{at: 2024-03-12 {at}, scale: PHQ-9, total: 14}}"
    person = read(WHOLE.replace(PHQ, f"{PHQ}\n{again}"))
    assert [(each.time_h, each.recall_days) for each in person.ratings if each.scale == "PHQ-9"] == [(201.5, 7.0)]
    assert "line 9, ratings[3]: the same rating of PHQ-9 stands twice within 10 minutes" in person.notes[0]
    with pytest.raises(InputError, match=r"Two ratings of PHQ-9 at .* 09:30 and .* differ \(14 and 15\)"):
        read(WHOLE.replace(PHQ, f"{PHQ}\n{again.replace('14}', '15}')}"))


def test_ratings_a_quarter_of_an_hour_apart_and_scores_of_the_moment_are_two() -> None:
    again = "- {at: 2024-03-12 09:41, scale: PHQ-9, total: 15}"
    assert len(read(WHOLE.replace(PHQ, f"{PHQ}\n{again}")).ratings) == 3
    alert = [f"- {{at: 2024-03-05 10:{minute}, scale: MOAA/S, total: {total}}}" for minute, total in ((40, 3), (45, 4))]
    assert len(read(WHOLE.replace(PHQ, "\n".join(alert))).ratings) == 3


def test_doses_to_come_are_held_against_what_was_studied() -> None:
    assert read(WHOLE).notes == ()
    notes = read(WHOLE.replace('course: "0.5 mg/kg', 'course: "5 mg/kg')).notes
    assert notes and all(": under the plan, " in note for note in notes)
    assert all(note.startswith(("Outside what the model knows: ", "To be weighed: ")) for note in notes)
    option = 'options:\n- {name: much, course: "5 mg/kg IV over 40 min, weekly for 2 weeks", from: 2024-03-21}\n'
    asked = read(WHOLE + option).notes
    assert asked and all(": under the option 'much', " in note for note in asked)
    # What is said of the person is not said again for every plan.
    old = read((WHOLE + option).replace("age: 46", "age: 88")).notes
    assert len(set(old)) == len(old) >= len(read(WHOLE.replace("age: 46", "age: 88")).notes) + len(asked)


def test_now_is_the_last_thing_recorded_and_the_first_day_the_first() -> None:
    text = "\n".join(line for line in WHOLE.splitlines() if not line.startswith(("start", "now")))
    person = read(text)
    assert (person.start, person.now_h) == (START, 8 * 24 + 9.5)


BROKEN: dict[str, tuple[str, str, str, str]] = {
    # name: what to replace, by what, what the message says, where it points
    "scale that does not exist": ("scale: MADRS", "scale: MADRAS", "Unknown scale 'MADRAS'. Nearest: MADRS", "line 7"),
    "impossible total": ("total: 34", "total: 61", "61 is not possible on MADRS", "line 7"),
    "half a point": ("total: 34", "total: 33.5", "Whole points", "line 7"),
    "neither total nor items": (", total: 34", "", "neither a total nor all 10 items", "line 7"),
    "total that disagrees": (
        "total: 34",
        "total: 34, items: [4, 4, 4, 3, 2, 4, 4, 4, 3, 3]",
        "its items sum to 35",
        "line 7",
    ),
    "total below some items": ("total: 14,", "total: 4, items: {mood: 3, sleep: 3},", "leave 6 to 27", "line 8"),
    "too few items": ("total: 34", "items: [1, 2]", "has 10 items; 2 scores are given", "line 7"),
    "unknown item": ("total: 34", "total: 34, items: {sadness: 3}", "no item 'sadness'", "line 7"),
    "impossible item": (
        "total: 34",
        "total: 34, items: {inner tension: 7}",
        "is scored 7. It goes from 0 to 6",
        "line 7",
    ),
    "a vital sign as a rating": ("scale: MADRS", "scale: heart rate", "is a vital sign", "line 7"),
    "two ratings that differ": (
        "2024-03-12 09:30, scale: PHQ-9, total: 14, recall: 7 days",
        "2024-03-04 15:00, scale: MADRS, total: 12",
        "Two ratings of MADRS at 2024-03-04 15:00 differ (34 and 12)",
        "line 8",
    ),
    "ratings that go back": (
        "2024-03-12 09:30",
        "2024-02-12 09:30",
        "go back in time: 2024-02-12 09:30 stands after",
        "line 8",
    ),
    "before the first day": ("2024-03-04 15:00", "2024-03-03 15:00", "lies before the first day, 2024-03-04", "line 7"),
    "after now": ("2024-03-12 09:30", "2024-03-22", "lies after 'now', 2024-03-20 12:00", "line 8"),
    "in the future": ("now: 2024-03-20 12:00", "now: 2030-01-01", "'now' (2030-01-01) lies in the future", "line 2"),
    "no such date": ("2024-03-12 09:30", "'2024-02-30'", "There is no date 2024-02-30", "line 8"),
    "a zone": ("2024-03-12 09:30", "2024-03-12T09:30:00+01:00", "has a zone", "line 8"),
    "ambiguous date": ("2024-03-12 09:30", "12/03/2024", "is no date", "line 8"),
    "dose out of reach": ("36 mg", "36000 mg", "cannot be meant", "line 5"),
    "dose without unit": ("36 mg IV", "36 IV", "'IV' does not fit here", "line 5"),
    "several doses at one time": (
        "36 mg IV over 40 min",
        '"36 mg IV over 40 min, twice a week for 2 weeks"',
        "says 4 doses; one was given",
        "line 5",
    ),
    "time but no dose": (
        ", dose: 36 mg IV over 40 min",
        "",
        "a time and a dose, or a first day and a course",
        "line 5",
    ),
    "a dose without a time beside a rating with one": (
        "2024-03-05 10:00",
        "2024-03-05",
        "The dose has no time of day, and a vital sign of that day has one",
        "line 5",
    ),
    "the same dose twice": (
        "ratings:\n",
        "- {at: 2024-03-05 10:20, dose: 36 mg IV over 40 min}\nratings:\n",
        "overlap",
        "line 6",
    ),
    "pressures the wrong way round": ("diastolic: 82", "diastolic: 182", "is not above the diastolic", "line 10"),
    "impossible pulse": ("heart_rate: 74", "heart_rate: 740", "heart rate of 740 cannot be meant", "line 10"),
    "unknown analyte": ("analyte: ketamine", "analyte: ketone", "Unknown analyte 'ketone'", "line 12"),
    "level without unit": ("170 ng/mL", "'170'", "needs a number and its unit", "line 12"),
    "unknown unit of a level": ("170 ng/mL", "170 ng/dram", "Unknown unit 'ng/dram'", "line 12"),
    "unit of something else": ("170 ng/mL", "170 mmHg", "is no unit of a level", "line 12"),
    "level a thousand times too high": ("170 ng/mL", "170 mg/mL", "cannot be meant", "line 12"),
    "unknown unit of weight": ("72 kg", "11 stone", "Unknown unit 'stone'", "line 3"),
    "weight out of range": ("72 kg", "7.2 kg", "'weight_kg' is 7.2", "line 3"),
    "no such sex": ("sex: female", "sex: F", "'F' is not one of 'female' or 'male'", "line 3"),
    "no illness": (
        "diagnoses: [treatment-resistant-depression]",
        "diagnoses: [hypertension]",
        "illness that is treated is missing",
        "line 3",
    ),
    "unknown illness": (
        "[treatment-resistant-depression]",
        "[treatment-resistant-depression, gout]",
        "Unknown diagnosis 'gout'",
        "line 3",
    ),
    "unknown field": ("who: {", "who: {wieght: 3 kg, ", "Unknown field 'wieght'. Nearest: weight", "line 3"),
    "a name": ("who: {", "who: {name: Ida Invented, ", "The field 'name' would say who the person is", "line 3"),
    "a birth date": ("start: 2024-03-04\n", "start: 2024-03-04\nbirth_date: 1978-02-11\n", "would say who", "line 2"),
    "unknown co-medication": (
        "doses:\n",
        "takes: {lithum: true}\ndoses:\n",
        "Unknown drug or circumstance 'lithum'. Nearest: lithium",
        "line 4",
    ),
    "co-medication that is no amount": (
        "doses:\n",
        "takes: {benzodiazepine_mg: much}\ndoses:\n",
        "A number is needed",
        "line 4",
    ),
    "M2 without a limit": (
        "plan:",
        "levels_below: M2\nplan:",
        "M2 needs the limit of every level, and this one has none",
        "line 12",
    ),
    "unknown method": ("plan:", "levels_below: M5\nplan:", "'M5' is not one of", "line 13"),
    "plan in the past": ("from: 2024-03-21", "from: 2024-03-10", "starts before now", "line 13"),
    "plan without a weight": ("weight: 72 kg, ", "", "weight", "line 13"),
    "look ahead too short": (
        "from: 2024-03-21",
        "from: 2024-03-21, until: 2024-03-28",
        "ends before the plan does",
        "line 13",
    ),
    "risk that is no chance": ("plan:", "risk: 20\nplan:", "less than 1", "line 13"),
    "tab": ("doses:\n", "doses:\n\t", "tab", "line 5"),
    "field twice": ("doses:\n", "doses: []\ndoses:\n", "stands twice", "line"),
    "a bundle that is not there": (
        "plan:",
        "bundle: nowhere.json\nplan:",
        "There is no bundle of this name",
        "line 13",
    ),
    "a table that is not there": (
        "plan:",
        "events: {file: nowhere.csv}\nplan:",
        "There is no event table",
        "nowhere.csv",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_gets_one_clear_message(name: str) -> None:
    old, new, message, place = BROKEN[name]
    assert old in WHOLE
    with pytest.raises(InputError) as caught:
        read(WHOLE.replace(old, new, 1))
    shown = str(caught.value)
    assert message in shown and place in shown, shown
    assert "\n" not in shown and len(shown) < 600 and caught.value.exit_code == 2
    assert "Ida" not in shown and "1978" not in shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("- 1\n- 2\n", "holds a list"),
        ("{", "not YAML"),
        ("who: {age: 4\n", "not YAML"),
        ("ID,TIME,AMT\n1,0,3\n", "table of events, which has no calendar"),
        ("who: {diagnoses: [major-depression]}\n", "nothing recorded, and no 'start'"),
        ('{"resourceType": "Bundle", ', "The bundle is not JSON"),
        ("ratings: 5\n", "A list is needed"),
        ('{"who": ' * 5000, "deep"),
        ('{"resourceType": "Bundle", "entry": [' + "[" * 200_000, "nested too deep|not JSON"),
        ('{"resourceType": "Bundle", "resourceType": "Bundle"}', "stands twice"),
        ('{"who": {}, "who": {}}', "'who' stands twice"),
        ('{"risk": ' + "9" * 5000 + "}", "."),
        ('{"scales": ["\\ud800"]}', "lone surrogate"),
        ("start: 2024-03-04\nwho: {diagnoses: [\x00]}\n", "not YAML|special"),
        ('{"who": {"age": NaN}}', "valid number"),
    ],
)
def test_what_is_no_person_s_file_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(text)


def test_the_method_for_levels_below_the_limit_is_kept_by_name() -> None:
    for method in ("M1", "M2", "M3", "M4"):
        text = WHOLE.replace("170 ng/mL}", "170 ng/mL, limit: 2 ng/mL}")
        assert read(text.replace("plan:", f"levels_below: {method}\nplan:")).level_method == method

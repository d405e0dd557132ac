"""A study file becomes a value: what it says, nothing it does not say, and a digest that knows the difference."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.errors import InputError
from rekindle.study import Study, parse_study, read_study
from rekindle.study_file import HOURS, StudyFields, duration_h

ROOT = Path(__file__).parents[2]
STUDY = """\
title: A study
population:
  kind: Treatment-Resistant-Depression
  people: 20
  criteria: {age_years: [18, 65], sex: female}
modifiers: {naltrexone: true}
arms:
  - name: Ketamine
    course: 0.5 mg/kg IV over 40 min, weekly for 2 weeks
  - name: Saline
    course: saline IV over 40 min, weekly for 2 weeks
    role: comparator
    modifiers: {naltrexone: false}
    expects_active: 0.3
horizon: 4 weeks
outcomes: [madrs, CADSS]
hypotheses: {direct: 0.5}
visits: [4 h, 24 h, 7 days]
published: none
"""


def changed(old: str, new: str) -> Study:
    assert old in STUDY
    return parse_study(STUDY.replace(old, new))


def test_the_value_says_what_the_file_says() -> None:
    study = parse_study(STUDY)
    assert study.horizon_h == 672
    assert study.visits_h == (4, 24, 168)
    assert study.outcomes == ("MADRS", "CADSS")
    assert study.participants.kind == "treatment-resistant-depression"
    assert study.participants.criteria == {"age_years": (18, 65), "sex": ("female",)}
    assert [arm.role for arm in study.arms] == ["active", "comparator"]
    assert [arm.modifiers["naltrexone"] for arm in study.arms] == [True, False]
    assert study.arms[0].course.session_count == 2
    assert study.arms[1].expects_active == 0.3
    assert study.hypotheses == {"direct": 0.5}
    assert study.text == STUDY


def test_what_is_left_out_has_the_documented_default() -> None:
    study = parse_study("title: A\nhorizon: 1 week\narms:\n- {name: K, course: 25 mg IM ketamine once}\n")
    fields = StudyFields.model_fields
    assert study.seed == fields["seed"].default
    assert study.studies == fields["studies"].default
    assert study.published == fields["published"].default
    assert study.outcomes == ("MADRS", "CADSS")
    assert study.visits_h is None
    assert not study.outside_domain


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: A study", "title: Another"),
        ("people: 20", "people: 21"),
        ("[18, 65]", "[18, 66]"),
        ("0.5 mg/kg", "0.6 mg/kg"),
        ("4 weeks", "5 weeks"),
        ("direct: 0.5", "direct: 0.6"),
        ("role: comparator", "role: active"),
        ("expects_active: 0.3", "expects_active: 0.4"),
        ("published: none", "published: auto"),
        ("7 days", "8 days"),
        ("[madrs, CADSS]", "[madrs, PHQ-9]"),
        ("naltrexone: true", "naltrexone: false"),
    ],
)
def test_the_digest_changes_with_anything_the_study_says(old: str, new: str) -> None:
    assert changed(old, new).digest != parse_study(STUDY).digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: A study", "# a comment\ntitle:   A study"),
        ("madrs", "MADRS"),
        ("4 weeks", "28 days"),
        ("7 days", "168 h"),
    ],
)
def test_the_digest_does_not_change_with_how_it_is_written(old: str, new: str) -> None:
    assert changed(old, new).digest == parse_study(STUDY).digest


def test_the_study_is_plain_json() -> None:
    document = json.loads(json.dumps(parse_study(STUDY).as_dict(), allow_nan=False))
    assert document["arms"][0]["course"] == "0.5 mg/kg IV over 40 min, weekly for 2 weeks"


def test_people_from_a_file_are_found_beside_the_study(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("age_years,sex,weight_kg\n40,female,70\n")
    (tmp_path / "study.yaml").write_text(STUDY.replace("people: 20", "csv: people.csv"))
    study = read_study(tmp_path / "study.yaml")
    assert study.participants.csv == tmp_path / "people.csv"
    first = study.digest
    (tmp_path / "people.csv").write_text("age_years,sex,weight_kg\n41,female,70\n")
    assert read_study(tmp_path / "study.yaml").digest != first, "other people are another study"


def test_the_first_mistake_is_named_and_the_others_counted() -> None:
    with pytest.raises(InputError) as caught:
        parse_study(STUDY.replace("people: 20", "people: many").replace("role: comparator", "role: control"), "s.yaml")
    assert caught.value.where == "s.yaml, line 4, population.people"
    assert "1 more field" in str(caught.value)


def test_the_place_within_a_sentence_is_kept() -> None:
    with pytest.raises(InputError) as caught:
        parse_study(STUDY.replace("saline IV", "salin IV"), "s.yaml")
    assert caught.value.where is not None
    assert caught.value.where.startswith("s.yaml, line 11, arms[2].course: ")
    assert "column" in caught.value.where


def test_a_study_of_comparators_alone_is_refused() -> None:
    with pytest.raises(InputError, match="comparator"):
        parse_study(
            "title: A\nhorizon: 1 week\narms:\n- {name: S, course: saline IV over 40 min once, role: comparator}\n"
        )


@given(st.floats(0.001, 5000), st.sampled_from(sorted(HOURS)))
def test_spans_of_time_are_read_in_any_unit(number: float, unit: str) -> None:
    assert duration_h(f"{number:.6f} {unit}s") == pytest.approx(float(f"{number:.6f}") * HOURS[unit])


@pytest.mark.parametrize("text", ["", "12", "weeks", "-1 week", "1e999 h", "12 fortnights", "1 2 h", "nan h"])
def test_what_is_no_span_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"span of time|finite"):
        duration_h(text)


def test_the_examples_are_studies() -> None:
    others = {"person.yaml", "trial.yaml"}  # a person's file and a trial's, which have readers of their own
    examples = sorted(path for path in (ROOT / "examples").glob("*.yaml") if path.name not in others)
    assert len(examples) >= 2
    for path in examples:
        assert read_study(path).arms

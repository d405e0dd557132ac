"""Dosing that looks at the person, on our model: deciding costs no accuracy, and doses are doses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rekindle.errors import InputError, OutsideDomainError
from rekindle.large import simulate_large
from rekindle.report.writing import write_outputs
from rekindle.simulate import Settings, lowered_model, simulate, study_people
from rekindle.study import Study, parse_study
from rekindle.trajectories import Trajectories
from rekindle.treatment import Solving, clinic_luck, treat

EXAMPLES = Path(__file__).parents[2] / "examples"
NEVER = """
      visits: [each session, "days 3, 10", 36 h]
      rules:
        - when: MADRS < -5 or peak CADSS > 1000
          then: stop
"""
CLOSE = 2e-3
"""Of a value and a thousandth of its output's largest: two solutions at the default tolerance of 3e-4."""


def study(course: str, policy: str = "", people: int = 4, horizon: str = "24 days", more: str = "") -> Study:
    block = f"    policy:{policy}" if policy else ""
    return parse_study(
        f"title: t\npopulation: {{people: {people}}}\narms:\n  - name: A\n    course: {course}\n{block}\n"
        f"horizon: {horizon}\nstudies: 0\n{more}",
        "s.yaml",
    )


def assert_same(first: Trajectories, second: Trajectories) -> None:
    times = np.intersect1d(first.people["time"].values, second.people["time"].values)
    for name in first.people.data_vars:
        if "time" not in first.people[name].dims:
            continue
        one, two = (each.people[name].sel(time=times).values for each in (first, second))
        if one.dtype.kind == "f":
            largest = np.abs(one).max()
            np.testing.assert_allclose(two, one, rtol=CLOSE, atol=CLOSE * 1e-3 * largest + 1e-300, err_msg=str(name))


@pytest.mark.parametrize(
    "course",
    [
        "0.5 mg/kg IV over 40 min, twice a week for 2 weeks, then weekly for 1 week",
        "56 mg intranasal esketamine, day 1, then 84 mg, twice a week for 2 weeks "
        "with oral antidepressant daily for 20 days",
        "25 mg sublingual ketamine lozenge, every 3 days for 2 weeks with midazolam 0.03 mg/kg IV over 40 min, day 4",
    ],
)  # fmt: skip
def test_a_policy_that_changes_nothing_is_the_plain_course(course: str) -> None:
    policy = NEVER if "midazolam" not in course else NEVER + "      drug: ketamine\n"
    assert_same(simulate(study(course)), simulate(study(course, policy)))


def test_a_dose_that_is_decided_is_a_dose_that_was_planned() -> None:
    policy = """
      visits: days 11
      rules:
        - when: always
          then: [give a session, set dose to 0.75 mg/kg]
"""
    plain = "0.5 mg/kg IV over 40 min, days 1, 8, 11, then 0.75 mg/kg, day 15"
    # The extra session is like the next planned one, and both then get the other dose.
    decided = simulate(study("0.5 mg/kg IV over 40 min, days 1, 8, 15", policy))
    planned = simulate(study(plain.replace("8, 11, then", "8, then 0.75 mg/kg, day 11, then")))
    assert_same(planned, decided)
    given = decided.doses["A"]
    assert given.time_h[:4].tolist() == [0.0, 168.0, 240.0, 336.0]
    np.testing.assert_allclose(given.mg[2] / given.mg[0], 1.5)


def test_more_devices_are_more_devices() -> None:
    policy = """
      visits: each session
      rules:
        - when: day > 1
          then: raise dose by 28 mg up to 84 mg
"""
    decided = simulate(study("56 mg intranasal esketamine, days 1, 8, 15", policy))
    planned = simulate(study("56 mg intranasal esketamine, day 1, then 84 mg, days 8, 15"))
    assert_same(planned, decided)


GUIDED = """
      visits: [each session, weekly from day 8]
      rules:
        - when: MADRS improvement < 25 % and day > 7
          then: raise dose to 0.75 mg/kg
        - when: MADRS < 18
          then: lengthen interval by 1 week up to 2 weeks
"""
COURSE = "0.5 mg/kg IV over 40 min, weekly for 3 weeks"


def test_the_same_to_the_last_bit_on_one_thread_and_on_four() -> None:
    asked = study(COURSE, GUIDED, people=6)
    one, four = (simulate(asked, settings=Settings(threads=threads)) for threads in (1, 4))
    for name in one.people.data_vars:
        np.testing.assert_array_equal(one.people[name].values, four.people[name].values)
    np.testing.assert_array_equal(one.doses["A"].mg, four.doses["A"].mg)


def test_a_person_is_treated_the_same_in_larger_company() -> None:
    few, many = simulate(study(COURSE, GUIDED, people=3)), simulate(study(COURSE, GUIDED, people=6))
    np.testing.assert_array_equal(few.people["MADRS rated"].values, many.people["MADRS rated"].values[:, :3])


def test_a_study_that_is_streamed_follows_the_same_policy() -> None:
    asked = study(COURSE, GUIDED, people=6)
    whole = simulate(asked, settings=Settings(threads=1)).solver["arms"]["A"]
    streamed = simulate_large(asked, settings=Settings(threads=1)).solver["arms"]["A"]
    assert whole["given_sessions"] == streamed["given_sessions"] > 0
    assert whole["given_mg_squared"] == pytest.approx(streamed["given_mg_squared"], rel=1e-12)
    assert whole["rule_1_followed"] == streamed["rule_1_followed"]


def test_the_clinic_reads_the_rating_that_the_report_shows() -> None:
    policy = """
      visits: days 8
      rules:
        - when: MADRS < 20
          then: stop
"""
    found = simulate(study(COURSE, policy, people=40, horizon="17 days"))
    place = found.people["visit"].values.tolist().index(168.0)
    rated = found.people["MADRS rated"].values[0, :, place]
    sessions = np.bincount(found.doses["A"].person, minlength=40)
    np.testing.assert_array_equal(sessions == 1, rated < 20)
    assert 0 < (sessions == 1).sum() < 40


def test_the_plain_solver_follows_the_same_policy() -> None:
    asked = study(COURSE, GUIDED, people=2, horizon="16 days")
    native, plain = simulate(asked), simulate(asked, settings=Settings(backend="reference"))
    assert native.doses["A"].time_h.tolist() == plain.doses["A"].time_h.tolist()
    assert_same(plain, native)


def test_the_part_of_the_model_that_is_needed_gives_the_same() -> None:
    asked = study(COURSE, GUIDED, people=4)
    people, times = study_people(asked, 4, 0), [0.0, 168.0, 400.0]
    luck = clinic_luck(asked, asked.arms[0], times, 0, repeats=False)
    whole, part = (
        treat(
            asked, asked.arms[0], people, times, ("severity",), lowered_model(), luck,
            solving=Solving(threads=1, check=1, specialise=specialise),
        )
        for specialise in (False, True)
    )  # fmt: skip
    np.testing.assert_allclose(part.values, whole.values, rtol=CLOSE)
    assert part.report["sample_error"] < 1e-3
    assert whole.doses is not None and part.doses is not None
    np.testing.assert_array_equal(part.doses.time_h, whole.doses.time_h)


def test_doses_that_nobody_studied_are_refused_before_anything_is_solved() -> None:
    policy = (
        "\n      visits: each session\n      rules:\n        - when: always\n          then: raise dose to {} mg/kg\n"
    )
    with pytest.raises(OutsideDomainError, match="above what was studied"):
        simulate(study(COURSE, policy.format(3.0)))
    with pytest.raises(OutsideDomainError, match="below what was studied"):
        simulate(study(COURSE, policy.format(3.0).replace("raise dose to 3.0", "lower dose to 0.01")))
    marked = simulate(study(COURSE, policy.format(1.2), people=2, horizon="16 days", more="outside_domain: true\n"))
    assert any("above what was studied" in str(reason) for reason in marked.markings.outside)


def test_what_a_policy_cannot_do_here_is_refused() -> None:
    with pytest.raises(InputError, match="several drugs at sessions"):
        simulate(study(f"{COURSE} with midazolam 0.03 mg/kg IV over 40 min, day 4", GUIDED))
    with pytest.raises(InputError, match=r"s\.yaml, line 11.*Unknown output 'mod'"):
        simulate(study(COURSE, GUIDED.replace("MADRS < 18", "output mod > 1").replace("MADRS imp", "PHQ-9 imp")))


def test_the_example_runs_and_says_what_was_given(tmp_path: Path) -> None:
    text = (EXAMPLES / "policy.yaml").read_text(encoding="utf-8")
    small = text.replace("people: 200", "people: 8").replace("studies: 20", "studies: 2")
    small = small.replace("horizon: 20 weeks", "horizon: 16 weeks")
    found = simulate(parse_study(small, "policy.yaml"))
    written = write_outputs(found, tmp_path, report=False)
    assert "doses.csv" in written["files"]
    rows = (tmp_path / "doses.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "arm,person,day,time_h,drug,route,dose,unit,mg"
    assert len(rows) - 1 == len(found.doses["Guided"].mg)
    assert any("decided at visits" in warning for warning in written["warnings"])
    summary = (tmp_path / "summary.csv").read_text(encoding="utf-8")
    assert "Drug given in all,Guided" in summary
    assert "when MADRS relapse and day >= 22" in found.study.arms[0].policy.__str__()
    assert found.repeats is not None

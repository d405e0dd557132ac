"""Sentences follow the numbers: when the numbers change, the words change with them."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import numpy as np
import pytest

from rekindle.report.bands import Band, Interval
from rekindle.report.bibliography import claims_finding, references, sources_finding
from rekindle.report.figures import draw_figures
from rekindle.report.material import Endpoint, PublishedPoint, ReportInput, Source
from rekindle.report.numerals import NBSP
from rekindle.report.published import judged, points_table, tally
from rekindle.report.sentences import answer, chain_finding, course_finding, relapse_finding, session_finding
from rekindle.report.tables import endpoints_table


def spoken(words: str) -> str:
    return words.replace(NBSP, " ")


def interval(low: float, middle: float, high: float) -> Interval:
    return Interval(middle, low, (low + middle) / 2, (middle + high) / 2, high)


def with_course(invented: ModuleType, line: np.ndarray) -> ReportInput:
    plain = invented.material()
    curve = dataclasses.replace(plain.main.arms[0], average=invented.band(line, 1.0, 0, 60))
    return invented.material(main=dataclasses.replace(plain.main, arms=(curve, plain.main.arms[1])))


@pytest.mark.parametrize(
    ("after_day", "after_week", "at_end", "words"),
    [
        (20, 18, 18, "symptoms fall within a day and stay down to week 12"),
        (20, 18, 30, "symptoms fall within a day and climb back after the last session"),
        (30, 20, 24, "symptoms fall within a week and climb back in part after the last session"),
        (33, 31, 33, "Symptoms hardly move"),
    ],
)
def test_the_course_is_named_for_what_its_curve_does(
    after_day: float, after_week: float, at_end: float, words: str, invented: ModuleType
) -> None:
    hours = invented.hours()
    line = np.interp(hours, [0, 24, 168, 504, 2016], [33, after_day, after_week, after_week, at_end])
    material = with_course(invented, line)
    assert words in spoken(course_finding(material, material.main))


def test_a_difference_that_spans_zero_is_not_called_a_difference(invented: ModuleType) -> None:
    rows = invented.endpoints(("ketamine", "midazolam"))
    tied = dataclasses.replace(rows[0], difference=interval(-0.04, 0.02, 0.09))
    assert "The evidence cannot tell the two apart: +2 in 100 (−4 to 9)." in spoken(
        answer(invented.material(endpoints=(tied, *rows[1:])))
    )
    assert "cannot tell" not in answer(invented.material())


@pytest.mark.parametrize(("later", "word"), [(0.19, "fades"), (0.46, "holds"), (0.60, "grows")])
def test_what_becomes_of_the_gain_is_read_from_the_two_numbers(later: float, word: str, invented: ModuleType) -> None:
    rows = invented.endpoints(("ketamine", "midazolam"))
    arms = {**rows[1].arms, "ketamine": interval(later - 0.05, later, later + 0.05)}
    material = invented.material(endpoints=(rows[0], dataclasses.replace(rows[1], arms=arms)))
    assert f"the gain {word}" in answer(material)


def test_what_was_not_measured_is_said_not_guessed(invented: ModuleType) -> None:
    row = Endpoint("x", "Better at week 3", "chance", {"ketamine": None}, role="benefit", clause="are better")
    material = invented.material(endpoints=(row,))
    assert "no one has measured this on ketamine" in answer(material)
    assert endpoints_table(material).rows[0][2:] == ("not known", "not known")


def test_a_study_of_harm_alone_says_it_once(invented: ModuleType) -> None:
    rows = [row for row in invented.endpoints(("ketamine", "midazolam")) if row.key == "detached"]
    assert answer(invented.material(endpoints=tuple(rows))).count("strongly detached") == 1


def test_a_rare_harm_is_told_in_a_thousand_for_every_arm(invented: ModuleType) -> None:
    arms = {"ketamine": interval(0.002, 0.004, 0.008), "midazolam": interval(0.0, 0.0, 0.0)}
    row = Endpoint("x", "Bladder symptoms", "chance", arms, role="harm", clause="have bladder symptoms")
    cells = endpoints_table(invented.material(endpoints=(row,))).rows[0]
    assert spoken(cells[2]) == "4 in 1,000 (2 to 8)"
    assert spoken(cells[3]) == "none in 200 simulated people, so below 15 in 1,000"
    said = spoken(answer(invented.material(endpoints=(row,))))
    assert "4 in 1,000 people on ketamine have bladder symptoms" in said
    assert "fewer than 1 in 1,000 on midazolam" in said and "about fewer" not in said


def test_published_averages_are_judged_against_the_band_of_the_average_and_misses_come_first(
    invented: ModuleType, material: ReportInput
) -> None:
    found = judged(material, material.main)
    assert [one.inside for one in found] == sorted(one.inside for one in found)
    for one in found:
        curve = next(curve for curve in material.main.arms if curve.arm == one.point.arm)
        low = np.interp(one.point.time_h, material.main.times_h, curve.average.low90)
        high = np.interp(one.point.time_h, material.main.times_h, curve.average.high90)
        assert one.inside == (low <= one.point.mean <= high)
    inside = sum(one.inside for one in found if one.point.matched)
    assert f"{inside} of 6 published averages of this design" in tally(found)
    table = points_table(found, "MADRS")
    assert table is not None and [row[6] for row in table.rows][:2] == ["outside", "outside"]


def test_a_point_of_another_arm_is_refused_and_one_beyond_the_curve_is_not_drawn(invented: ModuleType) -> None:
    late = PublishedPoint("r", "ketamine", "madrs_total", 9000.0, 20, 18, 22, 40, "Late 2020", True)
    material = invented.material(published=(late,))
    assert judged(material, material.main) == []
    assert "No published average" in draw_figures(material)["course"].caption
    with pytest.raises(ValueError, match="placebo"):
        invented.material(published=(dataclasses.replace(late, arm="placebo"),))


def test_relapse_says_when_half_have_relapsed_or_how_many_have(invented: ModuleType) -> None:
    assert "Half of those who respond to ketamine have relapsed 4 weeks later" in spoken(
        relapse_finding(invented.relapse("ketamine", 680, 90))
    )
    assert "of 100 who respond to ketamine relapse within 9 weeks" in spoken(
        relapse_finding(invented.relapse("ketamine", 9000, 90))
    )


def test_the_chain_and_the_session_say_when_they_peak(material: ReportInput) -> None:
    words = spoken(chain_finding(material.chain))
    assert "ketamine in blood peaks at 40 min" in words and "severity of depression is lowest at 59 hours" in words
    late = tuple(strip for strip in material.session.strips if strip.key != "readiness")
    assert "peaks 40 min after the start" in spoken(session_finding(dataclasses.replace(material.session, strips=late)))


def test_claims_and_sources_are_counted(material: ReportInput) -> None:
    assert claims_finding(material) == "2 popular statements that touch this study: 1 not as said, 1 not supported"
    assert sources_finding(material) == "2 sources, 1 of them quoted without being read"
    twice = dataclasses.replace(material, sources=(*material.sources, material.sources[0]))
    assert len(references(twice)) == 2


def test_only_web_addresses_become_links(material: ReportInput) -> None:
    odd = (Source("x", "X", url="javascript:alert(1)"), Source("y", "Y", doi='10.1/"><script>'), Source("z", "Z"))
    links = [reference.link for reference in references(dataclasses.replace(material, sources=odd))]
    assert links == ["", "https://doi.org/10.1/%22%3E%3Cscript%3E", ""]


def test_a_band_refuses_crossing_quantiles_unequal_lengths_and_values_that_are_not_finite() -> None:
    line = np.array([1.0, 2.0])
    Band(line, line - 2, line - 1, line + 1, line + 2)
    for low90, high90 in ((line, line - 5), (line[:1], line), (line * np.nan, line)):
        with pytest.raises(ValueError):
            Band(line, low90, line, line, high90)
    with pytest.raises(ValueError):
        Interval(1.0, 2.0, 1.0, 3.0, 4.0)


def test_quantiles_of_draws_are_the_bands_edges() -> None:
    draws = np.random.default_rng(3).normal(size=(20_000, 2)) * [1.0, 2.0] + [0.0, 5.0]
    band = Band.from_draws(draws)
    assert np.allclose(band.low90, [-1.645, 5 - 3.29], atol=0.08)
    assert np.allclose(band.high50, [0.674, 5 + 1.349], atol=0.06)
    value = band.at(np.array([0.0, 10.0]), 5.0)
    assert abs(value.middle - 2.5) < 0.05 and value.low90 < value.low50 < value.high50 < value.high90

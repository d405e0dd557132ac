"""Lines and ranges of a report: quantiles of the repeats where they were looked at, people kept apart, nobody lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest

from rekindle.outcomes import SCALES
from rekindle.report.bands import Band, Interval
from rekindle.report.from_trajectories import Sample, material
from rekindle.report.from_trajectories.bands import average_band
from rekindle.report.from_trajectories.tables import table
from rekindle.report.material import ReportInput
from rekindle.trajectories import Trajectories

ENDS = (0.05, 0.25, 0.75, 0.95)


@pytest.fixture(scope="module")
def made(result: Trajectories) -> ReportInput:
    return material(result)


def bands(made: ReportInput) -> Iterator[Band]:
    outcomes = [each for each in (made.main, *made.items, *made.drive, *made.others) if each is not None]
    for outcome in (*outcomes, *made.chances):
        for curve in outcome.arms:
            yield curve.average
            if curve.people is not None:
                yield curve.people
    for block in made.whereabouts:
        yield from block.classes.values()
    for steps in made.relapse:
        yield steps.without_relapse
    assert made.session is not None
    for strip in (*made.chain, *made.session.strips):
        yield strip.band


def intervals(made: ReportInput) -> Iterator[Interval]:
    for endpoint in made.endpoints:
        yield from (each for each in (*endpoint.arms.values(), endpoint.difference) if each is not None)
    for harm in made.harms:
        for period in harm.periods:
            yield from (each for each in period.arms.values() if each is not None)


def test_half_ranges_lie_inside_nine_in_ten_ranges(made: ReportInput) -> None:
    found = list(bands(made))
    assert len(found) > 60
    for band in found:
        assert np.all(band.low90 <= band.low50 + 1e-9)
        assert np.all(band.low50 <= band.high50 + 1e-9)
        assert np.all(band.high50 <= band.high90 + 1e-9)
    for interval in intervals(made):
        assert interval.low90 <= interval.low50 <= interval.high50 <= interval.high90


def test_the_band_at_a_visit_is_the_quantiles_of_the_repeats_means(result: Trajectories, made: ReportInput) -> None:
    assert made.main is not None and result.repeats is not None
    curve = made.main.arms[0]
    for hour in (24.0, 336.0, 1344.0):
        rated = result.repeats["MADRS rated"].sel(arm="Ketamine", moment=hour).values.astype(float)
        expected = np.quantile(rated.mean(axis=1), ENDS)
        found = curve.average.at(made.main.times_h, hour)
        assert (found.low90, found.low50, found.high50, found.high90) == pytest.approx(tuple(expected), abs=1e-6)


def test_the_middle_line_is_the_mean_of_the_people_as_expected(result: Trajectories, made: ReportInput) -> None:
    assert made.main is not None
    for curve in made.main.arms:
        expected = result.people["MADRS"].sel(arm=curve.arm).mean("person")
        found = np.interp(result.people["time"].values, made.main.times_h, curve.average.middle)
        places = np.isin(result.people["time"].values, made.main.times_h)
        assert found[places] == pytest.approx(expected.values[places], abs=1e-9)


def test_the_middle_is_not_moved_into_its_band() -> None:
    times = np.array([0.0, 1.0, 2.0])
    draws = np.tile([[3.0, 4.0]], (20, 1))
    band = average_band(times, np.array([0.0, 0.0, 0.0]), np.array([0.0, 2.0]), draws)
    assert band.middle.tolist() == [0.0, 0.0, 0.0]
    assert band.low90.tolist() == [3.0, 3.5, 4.0]


def test_a_band_between_moments_keeps_its_straight_distance_from_the_line() -> None:
    times = np.linspace(0.0, 4.0, 9)
    middle = np.sin(times)
    draws = np.array([[0.0, 0.0], [1.0, 2.0]]) + middle[[0, 8]]
    band = average_band(times, middle, np.array([0.0, 4.0]), draws)
    width = band.high90 - band.low90
    assert np.diff(width, 2) == pytest.approx(np.zeros(7), abs=1e-12)


def test_a_band_stays_within_its_scale() -> None:
    draws = np.array([[-5.0, 70.0], [2.0, 58.0], [4.0, 66.0]])
    band = average_band(np.array([0.0, 1.0]), np.array([1.0, 59.0]), np.array([0.0, 1.0]), draws, low=0.0, high=60.0)
    assert min(line.min() for line in band.lines()) >= 0.0
    assert max(line.max() for line in band.lines()) <= 60.0


def test_ten_items_add_up_to_the_total(made: ReportInput) -> None:
    assert made.main is not None and len(made.items) == 10
    for place, curve in enumerate(made.main.arms):
        total = np.sum([item.arms[place].average.middle for item in made.items], axis=0)
        assert total == pytest.approx(curve.average.middle, abs=1e-9)


def test_motivation_stands_beside_severity_and_mirrors_it_here(made: ReportInput) -> None:
    severity, motivation = made.drive[:2]
    assert (severity.key, motivation.key) == ("severity", "motivation")
    assert motivation.better == "higher"
    for first, second in zip(severity.arms, motivation.arms, strict=True):
        assert first.average.middle + second.average.middle == pytest.approx(np.full(len(severity.times_h), 100.0))


def test_people_differ_more_than_their_average_is_unsure(made: ReportInput) -> None:
    assert made.main is not None
    people, average = made.main.arms[1].people, made.main.arms[1].average
    assert people is not None
    assert np.mean(people.high90 - people.low90) > np.mean(average.high90 - average.low90)


def test_only_whole_hours_and_days_are_drawn(made: ReportInput) -> None:
    assert made.main is not None
    hours = made.main.times_h
    assert np.all(np.diff(hours) > 0)
    assert np.all(hours == np.round(hours))
    assert np.all(hours[hours > 72] % 24 == 0)


def test_other_scales_follow_only_when_asked_and_session_scales_never(make: Callable[..., Trajectories]) -> None:
    plain = material(make(studies=2, outcomes=("MADRS", "CADSS")))
    more = material(make(studies=2, outcomes=("MADRS", "CADSS", "PHQ-9", "EQ VAS")))
    assert plain.others == ()
    assert [outcome.key for outcome in more.others] == ["PHQ-9", "EQ VAS"]
    assert more.others[1].better == "higher"


def test_zones_of_a_scale_follow_one_another_over_its_range() -> None:
    for name in {row["scale"] for row in table("zones")}:
        rows = [row for row in table("zones") if row["scale"] == name]
        ends = [(float(row["low"]), float(row["high"])) for row in rows]
        assert ends[0][0] == SCALES[name].minimum
        assert ends[-1][1] == SCALES[name].maximum
        assert all(before[1] == after[0] for before, after in pairwise(ends))
        assert all(row["record"] or row["reason"] for row in rows)


def test_a_person_who_could_not_be_solved_is_left_out_of_every_arm(make: Callable[..., Trajectories]) -> None:
    whole, short = make(studies=0), make(studies=0, failed=(3,))
    kept = [person for person in range(16) if person != 3]
    sample = Sample(short)
    assert sample.size == 15
    expected = whole.people["MADRS"].sel(arm="Midazolam", person=kept).values
    assert sample.people("MADRS", "Midazolam") == pytest.approx(expected)
    made = material(short)
    assert made.study.people_per_arm == 15
    assert any("could not be solved" in warning for warning in made.warnings)


def test_without_repeats_people_are_drawn_again_and_the_page_says_so(make: Callable[..., Trajectories]) -> None:
    first, second = material(make(studies=0)), material(make(studies=0))
    assert first.main is not None and second.main is not None
    assert first.main.arms[0].average.high90.tolist() == second.main.arms[0].average.high90.tolist()
    assert any(warning.startswith("No repeated studies were run") for warning in first.warnings)
    assert first.study.repeated_studies == 0
    middle = first.main.arms[0].average
    assert np.all(middle.low90[1:] <= middle.middle[1:] + 1.0)

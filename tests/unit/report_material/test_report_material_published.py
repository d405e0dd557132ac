"""Published averages over the forecast: chosen by design, placed as printed, their intervals worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from rekindle.evidence.catalog import catalog
from rekindle.outcomes import SCALES
from rekindle.population import KINDS
from rekindle.report.from_trajectories import Sample, material
from rekindle.report.from_trajectories.published import judge, published, standard_error
from rekindle.report.from_trajectories.tables import table, words
from rekindle.report.material import PublishedPoint
from rekindle.trajectories import Trajectories

SPRAY = (
    ("Spray", "84 mg intranasal esketamine, twice a week for 4 weeks, with oral antidepressant daily for 4 weeks"),
    ("Placebo", "placebo spray, twice a week for 4 weeks, with oral antidepressant daily for 4 weeks"),
)


def points(result: Trajectories) -> dict[str, PublishedPoint]:
    return {point.record: point for point in published(Sample(result)).points}


def test_a_total_stands_where_it_was_printed_with_its_interval_by_hand(single: Trajectories) -> None:
    found = points(single)["eff-wilkinson2018-madrs-ket-1d"]
    half = 1.96 * 12.3 / math.sqrt(99)
    assert (found.arm, found.time_h, found.n, found.matched) == ("Ketamine", 24.0, 99, True)
    assert (found.low95, found.mean, found.high95) == pytest.approx((19.5 - half, 19.5, 19.5 + half))


def test_a_change_is_set_on_the_forecasts_start_and_says_so(result: Trajectories) -> None:
    found = points(result)["eff-murrough2013a-chg24h-ket"]
    start = float(result.people["MADRS"].sel(arm="Ketamine", time=0.0).mean())
    assert found.mean == pytest.approx(start - 16.5)
    assert found.high95 - found.mean == pytest.approx(1.96 * 1.6)
    assert "set on the forecast's start" in found.source


def test_people_of_an_arm_that_no_record_counts_come_with_their_reason(result: Trajectories) -> None:
    found = points(result)["eff-singh2016b-2x-ket-15d"]
    assert found.high95 - found.mean == pytest.approx(1.96 * 12.0 / math.sqrt(16))
    row = next(row for row in table("published") if row["record"] == found.record)
    assert "67 people in four arms" in row["note"]


def test_all_ten_pooled_means_match_a_single_infusion(single: Trajectories) -> None:
    found = [point for name, point in points(single).items() if "wilkinson2018" in name]
    assert len(found) == 10
    assert all(point.matched for point in found)
    assert sorted({point.arm for point in found}) == ["Ketamine", "Saline"]


def test_a_single_dose_matches_a_course_only_up_to_its_second_session(result: Trajectories) -> None:
    found = points(result)
    matched = {day: found[f"eff-wilkinson2018-madrs-ket-{day}d"].matched for day in (0, 1, 2, 3, 7)}
    assert matched == {0: True, 1: True, 2: True, 3: True, 7: False}


def test_the_number_of_sessions_tells_two_trials_apart(result: Trajectories) -> None:
    found = points(result)
    assert found["eff-singh2016b-2x-ket-15d"].matched
    assert not found["eff-singh2016b-3x-ket-15d"].matched


def test_another_dose_drug_or_route_is_left_out_with_the_reason(make: Callable[..., Trajectories]) -> None:
    chosen = published(Sample(make(courses=SPRAY, weeks=4.0, studies=0)))
    names = {point.record for point in chosen.points}
    reasons = {one.record: one.reason for one in chosen.left_out}
    assert "eff-takahashi2021-84-28dtot" in names
    assert "another dose" in reasons["eff-takahashi2021-56-28dtot"]
    assert "another drug" in reasons["eff-murrough2013a-chg24h-ket"]
    assert "another" in reasons["eff-singh2016a-24h-040"]


def test_companion_treatment_decides_a_match(make: Callable[..., Trajectories]) -> None:
    both = points(make(courses=SPRAY, weeks=4.0, studies=0))
    alone = tuple((name, text.partition(", with")[0]) for name, text in SPRAY)
    without = points(make(courses=alone, weeks=4.0, studies=0))
    assert both["eff-transform2-esk-28d"].matched
    assert not without["eff-transform2-esk-28d"].matched
    assert not both["eff-daly2018-p1-84-24h"].matched
    assert without["eff-daly2018-p1-84-24h"].matched


def test_a_trial_without_benefit_is_drawn_like_any_other(make: Callable[..., Trajectories]) -> None:
    found = points(make(courses=SPRAY, weeks=4.0, studies=0))
    assert {"eff-takahashi2021-84-28dtot", "eff-takahashi2021-pbo-28dtot"} <= set(found)


def test_nothing_is_drawn_after_the_last_visit(make: Callable[..., Trajectories]) -> None:
    short = make(courses=SPRAY, weeks=4.0, studies=0)
    assert max(point.time_h for point in points(short).values()) <= 4 * 168.0
    brief = make(studies=0, weeks=2.0)
    assert max(point.time_h for point in points(brief).values()) <= 2 * 168.0


def test_none_draws_none_and_names_draw_those_named(make: Callable[..., Trajectories]) -> None:
    assert published(Sample(make(studies=0, weeks=2.0, published="none"))).points == ()
    named = make(studies=0, weeks=2.0, published=("eff-singh2016b-3x-ket-15d", "saf-esk-monitor-2h"))
    chosen = published(Sample(named))
    assert [point.record for point in chosen.points] == ["eff-singh2016b-3x-ket-15d"]
    assert any("saf-esk-monitor-2h" in warning for warning in material(named).warnings)


def test_a_named_record_of_another_dose_is_shown_and_not_matched(make: Callable[..., Trajectories]) -> None:
    named = make(courses=SPRAY, weeks=4.0, studies=0, published=("eff-takahashi2021-56-28dtot",))
    (found,) = published(Sample(named)).points
    assert not found.matched


@pytest.mark.parametrize("row", table("published"), ids=lambda row: row["record"])
def test_every_row_can_be_drawn_from_its_record(row: dict[str, str]) -> None:
    record = catalog().get(row["record"])
    people = int(row["n"]) if row["n"] else record.n or 0
    assert record.seen
    assert standard_error(record, people) > 0.0
    assert row["outcome"] in SCALES
    assert row["outcome"] in record.quantity
    assert ("change" in record.quantity) == (row["kind"] == "change")
    assert row["dose_low"] == "" or float(row["dose_low"]) <= float(row["dose_high"])
    assert set(words(row["populations"])) <= set(KINDS)
    if record.time_h is not None and record.time_h[0] != float(row["time_h"]):
        assert row["note"].startswith("Day")


def test_no_mean_and_no_spread_is_typed_into_the_table() -> None:
    columns = set(table("published")[0])
    assert columns == {
        "record", "outcome", "kind", "time_h", "drugs", "routes", "dose_low", "dose_high", "dose_unit", "sessions",
        "beside", "populations", "n", "note",
    }  # fmt: skip


def test_the_reason_for_less_than_a_match_is_in_words(result: Trajectories) -> None:
    sample = Sample(result)
    row = next(row for row in table("published") if row["record"] == "eff-wilkinson2018-madrs-ket-7d")
    assert judge(sample, row, sample.arms[0]) == ("shown", "2 sessions up to then, not 1")

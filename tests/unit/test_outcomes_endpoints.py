"""Response, remission, relapse and classes on courses drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rekindle.errors import InputError
from rekindle.outcomes import SCALES
from rekindle.outcomes.endpoints import (
    CLASSES,
    classes,
    improvement,
    out_of_100,
    relapse_rules,
    remission,
    response,
    time_to_first,
    time_to_relapse,
    time_to_response,
)

MADRS = SCALES["MADRS"]
DAY = 24.0
NAN = np.nan


def course(*totals: float) -> np.ndarray:
    return np.array([totals], dtype=float)


def days(count: int) -> np.ndarray:
    return DAY * np.arange(count)


BASE = np.array([40.0])


def test_half_the_fall_is_a_response_and_a_point_less_is_not() -> None:
    assert response(MADRS, course(40, 21, 20, 19), BASE).tolist() == [[False, False, True, True]]


def test_improvement_counts_from_the_scales_best_score() -> None:
    shaps = SCALES["SHAPS"]
    assert improvement(shaps, course(44, 29, 14), np.array([44.0]))[0].tolist() == [0.0, 0.5, 1.0]
    health = SCALES["EQ VAS"]
    assert improvement(health, course(40, 70, 10), np.array([40.0]))[0].tolist() == [0.0, 0.5, -0.5]


def test_nobody_improves_who_has_nothing_to_improve() -> None:
    assert np.isnan(improvement(MADRS, course(0, 3), np.array([0.0]))).all()
    assert not response(MADRS, course(0, 0), np.array([0.0])).any()


def test_remission_uses_the_line_asked_for() -> None:
    totals = course(13, 12, 10, 9)
    assert remission(MADRS, totals).tolist() == [[False, False, True, True]]
    assert remission(MADRS, totals, line="MADRS <= 12").tolist() == [[False, True, True, True]]
    assert remission(SCALES["PHQ-9"], course(5, 4)).tolist() == [[False, True]]
    with pytest.raises(InputError, match="MADRS <= 12"):
        remission(MADRS, totals, line="MADRS <= 11")


def test_a_scale_without_a_definition_of_response_says_so() -> None:
    with pytest.raises(InputError, match="no definition of response"):
        response(SCALES["CADSS"], course(4, 2), BASE)
    assert response(SCALES["CADSS"], course(4, 2), np.array([4.0]), share=0.5).tolist() == [[False, True]]


def test_a_missing_score_is_neither_response_nor_remission() -> None:
    assert not response(MADRS, course(NAN, NAN), BASE).any()
    assert not remission(MADRS, course(NAN, NAN)).any()


def test_time_to_response_is_the_first_visit_or_the_last_one_seen() -> None:
    totals = np.array([[40, 30, 19, 25, 12], [40, 39, 38, 37, 36], [40, 35, NAN, NAN, NAN], [NAN] * 5])
    found = time_to_response(MADRS, days(5), totals, np.full(4, 40.0))
    assert found.time_h.tolist() == [2 * DAY, 4 * DAY, DAY, 0.0]
    assert found.observed.tolist() == [True, False, False, False]


def test_time_to_first_without_missing_visits() -> None:
    found = time_to_first(days(3), np.array([[False, False, True], [False] * 3]))
    assert found.time_h.tolist() == [2 * DAY, 2 * DAY]
    assert found.observed.tolist() == [True, False]


def relapse(totals: np.ndarray, rule: str, since: float = 0.0, times: np.ndarray | None = None) -> tuple[float, bool]:
    times = days(totals.shape[1]) if times is None else times
    found = time_to_relapse(MADRS, times, totals, BASE, since_h=np.array([since]), rule=rule)
    return float(found.time_h[0]), bool(found.observed[0])


def test_a_relapse_needs_two_visits_running_and_is_dated_at_the_first() -> None:
    assert relapse(course(10, 25, 12, 25, 26, 10), "half lost") == (3 * DAY, True)


def test_one_bad_visit_is_no_relapse() -> None:
    assert relapse(course(10, 25, 12, 11, 10), "half lost") == (4 * DAY, False)


def test_a_missing_visit_between_two_bad_ones_does_not_break_the_run() -> None:
    assert relapse(course(10, 25, NAN, 26), "half lost") == (DAY, True)


def test_rules_differ_on_the_same_course() -> None:
    totals = course(10, 20, 20, 20)  # half of the fall is just kept
    assert relapse(totals, "half lost")[1] is False
    assert relapse(totals, "MADRS >= 20 twice") == (DAY, True)
    assert relapse(totals, "MADRS >= 22 twice")[1] is False


def test_the_gap_between_the_two_assessments_counts() -> None:
    totals, weekly = course(10, 23, 24), np.array([0.0, 7 * DAY, 14 * DAY])
    assert relapse(totals, "MADRS >= 22 twice") == (2 * DAY, False)
    assert relapse(totals, "MADRS >= 22 twice", times=weekly) == (7 * DAY, True)
    assert relapse(course(10, 23, 24, 25, 23, 26, 27), "MADRS >= 22 twice") == (DAY, True)


def test_watching_begins_at_the_last_session() -> None:
    assert relapse(course(40, 39, 12, 25, 26), "half lost", since=2 * DAY) == (DAY, True)


def test_those_who_never_responded_are_not_watched() -> None:
    time, observed = relapse(course(40, 39), "half lost", since=NAN)
    assert np.isnan(time) and not observed


def test_a_rule_of_another_scale_and_an_unknown_one_are_refused() -> None:
    with pytest.raises(InputError, match="for the PHQ-9"):
        relapse(course(10, 20), "PHQ-9 half lost")
    with pytest.raises(InputError, match="Nearest"):
        relapse(course(10, 20), "MADRS >= 22")
    assert next(iter(relapse_rules())) == "half lost"


def test_the_five_classes_in_their_order() -> None:
    totals = np.array([[40, 8, 19, 21, 29], [40, 31, 30, 28, 40], [40, 41, NAN, 39, 38], [9, 9, 9, 9, 9]])
    names = [
        [CLASSES[n] if n >= 0 else "" for n in row] for row in classes(MADRS, totals, np.array([40, 40, 40, 40.0]))
    ]
    assert names[0] == ["not better", "remission", "half better", "relapsed", "relapsed"]
    assert names[1] == ["not better", "not better", "partly better", "partly better", "not better"]
    assert names[2] == ["not better", "not better", "", "not better", "not better"]
    assert names[3] == ["remission"] * 5


def test_a_hundred_people_are_always_a_hundred() -> None:
    numbers = np.random.default_rng(1).integers(-1, 5, size=(37, 9))
    shown = out_of_100(numbers)
    assert shown.shape == (9, len(CLASSES))
    assert (shown.sum(axis=1) == 100).all()
    thirds = out_of_100(np.array([[0], [1], [2]]))
    assert thirds[0].tolist() == [34, 33, 33, 0, 0]
    assert out_of_100(np.full((4, 1), -1)).tolist() == [[0] * 5]


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="do not fit"):
        response(MADRS, course(40, 20), np.array([40.0, 40.0]))


def test_relapse_is_what_looking_at_one_person_after_another_finds() -> None:
    """The same rule in plain loops, for courses with missing visits and people who never responded."""
    luck = np.random.default_rng(11)
    scale, hours = SCALES["MADRS"], np.cumsum(luck.integers(24, 200, size=14)).astype(float)
    totals = luck.integers(5, 40, size=(200, 14)).astype(float)
    totals[luck.random(totals.shape) < 0.2] = np.nan
    since = np.where(luck.random(200) < 0.3, np.nan, luck.choice(hours, size=200))
    baseline = np.full(200, 32.0)
    for name, rule in relapse_rules().items():
        if rule.scale not in ("any", scale.name):
            continue
        found = time_to_relapse(scale, hours, totals, baseline, since_h=since, rule=name)
        bad = rule.holds(scale, totals, baseline)
        for person in range(200):
            visits = [v for v in range(14) if np.isfinite(totals[person, v]) and hours[v] >= since[person]]
            run: list[int] = []
            end, seen = (hours[visits[-1]] if visits else since[person]), False
            for visit in visits:
                run = [*run, visit] if bad[person, visit] else []
                if len(run) >= rule.visits and hours[visit] - hours[run[0]] >= rule.shortest_gap_h - 1e-9:
                    end, seen = hours[run[0]], True
                    break
            assert found.observed[person] == seen
            assert found.time_h[person] == pytest.approx(end - since[person], abs=0.0, nan_ok=True)

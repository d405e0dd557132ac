"""The first hours of a session: peaks, and when someone may leave."""

from __future__ import annotations

import numpy as np
import pytest

from rekindle.errors import InputError
from rekindle.outcomes.no_evidence import all_gaps, gaps
from rekindle.outcomes.session import peak, time_to_readiness

TIMES = np.arange(0.0, 4.01, 0.25)


def bump(height: float, width_h: float) -> np.ndarray:
    """A rise that is over, exactly, at `width_h`."""
    return height * np.clip(np.sin(np.pi * TIMES / width_h), 0, None) * (width_h >= TIMES)


def ready(
    *,
    systolic: float = 0,
    dissociation: float = 0,
    sedation: float = 0,
    start: float = 120.0,
    width: float = 1.5,
    spray: bool = False,
) -> float:
    return float(
        time_to_readiness(
            TIMES,
            systolic=(start + bump(systolic, width))[None],
            diastolic=np.full((1, len(TIMES)), 75.0),
            cadss=bump(dissociation, width)[None],
            moaas=(5 - bump(sedation, width))[None],
            spray=spray,
        )[0]
    )


def test_the_peak_and_its_time_are_found_for_each_person() -> None:
    height, when = peak(TIMES, np.stack([bump(12, 2.0), np.where(TIMES == 1.5, np.nan, bump(30, 1.0))]))
    assert height.tolist() == [12.0, 30.0]
    assert when.tolist() == [1.0, 0.5]


def test_nothing_felt_is_ready_at_once_but_the_spray_never_before_two_hours() -> None:
    assert ready() == 0.0
    assert ready(spray=True) == 2.0


@pytest.mark.parametrize("what", ["systolic", "dissociation", "sedation"])
def test_each_of_the_three_keeps_a_person(what: str) -> None:
    height = {"systolic": 60.0, "dissociation": 30.0, "sedation": 2.0}[what]
    left = ready(**{what: height})
    assert 1.0 < left <= 1.5
    assert ready(**{what: height}, width=3.0) > left


def test_someone_whose_pressure_is_usually_high_is_back_near_their_own() -> None:
    assert ready(systolic=8.0, start=150.0) == 0.0
    assert ready(systolic=30.0, start=150.0) > 1.0


def test_a_second_rise_counts() -> None:
    course = bump(20, 1.0) + np.where(np.isclose(TIMES, 3.0), 20.0, 0.0)
    quiet = np.full((1, len(TIMES)), 75.0)
    found = time_to_readiness(
        TIMES, systolic=quiet + 45, diastolic=quiet, cadss=course[None], moaas=quiet * 0 + 5, spray=False
    )
    assert found[0] == 3.25


def test_never_ready_is_infinite() -> None:
    quiet = np.full((1, len(TIMES)), 75.0)
    found = time_to_readiness(TIMES, systolic=quiet + 45, diastolic=quiet, cadss=quiet, moaas=quiet * 0 + 5, spray=True)
    assert found[0] == np.inf


def test_courses_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="people x times"):
        peak(TIMES, np.zeros(3))
    with pytest.raises(InputError, match="must rise"):
        peak(TIMES[::-1], np.zeros((1, len(TIMES))))


@pytest.mark.parametrize(
    ("words", "topic"),
    [
        ("Fibromyalgia", "fibromyalgia"),
        ("chronic migraine", "migraine"),
        ("pain in multiple sclerosis", "multiple-sclerosis pain"),
    ],
)
def test_topics_without_evidence_are_recognised_and_say_so(words: str, topic: str) -> None:
    (gap,) = gaps([words])
    assert gap.topic == topic
    assert gap.sentence.startswith("No evidence")


def test_a_horizon_beyond_what_anyone_followed_is_said() -> None:
    assert [gap.topic for gap in gaps(horizon_h=3 * 365 * 24.0)] == ["years"]
    assert gaps(["treatment-resistant depression"], horizon_h=12 * 168.0) == ()
    assert len({gap.topic for gap in all_gaps()}) == len(all_gaps())

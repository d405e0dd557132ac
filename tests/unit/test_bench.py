"""The comparison's own parts: the work, what is counted, the picture. No foreign program is timed here."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from rekindle.bench import compare as comparison
from rekindle.bench.machine import fused_peak, step_flops
from rekindle.bench.peers import Native, Setting
from rekindle.bench.picture import picture
from rekindle.bench.work import Work, infusions, looked_at, make_work
from rekindle.engine import lower, read_antimony


@pytest.fixture(scope="module")
def work() -> Work:
    return make_work(2, doses=1, exact=True, outputs=("severity", "plasma_ketamine"))


def test_doses_are_spread_evenly_over_twelve_weeks() -> None:
    assert infusions(3).endswith("days 1, 29, 57")
    assert len(looked_at(12)) == len(set(looked_at(12)))
    assert max(looked_at(12)) == 12 * 7 * 24.0


def test_an_error_is_relative_to_a_value_and_a_share_of_the_largest(work: Work) -> None:
    assert work.error(work.exact) == 0.0
    largest = np.abs(work.exact).max(axis=(0, 1))
    off = work.exact.copy()
    person, row = np.unravel_index(int(np.argmax(work.exact[:, :, 0])), off.shape[:2])
    off[person, row, 0] *= 1.002
    assert work.error(off) == pytest.approx(0.002 * largest[0] / (largest[0] * 1.001))
    off[0, 0, 0] = np.nan
    assert work.error(off) == float("inf")


def test_the_quickest_setting_that_is_exact_enough_is_taken(work: Work) -> None:
    peer = Native(True)
    found = comparison.tuned(peer, work, target=1e-4)
    assert found["error"] <= 1e-4
    rows = [row for row in found["grid"] if row["error"] <= 1e-4]
    assert found["setting"] == max(rows, key=lambda row: row["per_second"])["setting"]


def test_nobody_exact_enough_is_shown_at_the_most_exact(work: Work) -> None:
    found = comparison.tuned(Native(True), work, target=0.0)
    assert found["error"] == min(row["error"] for row in found["grid"])


def test_peers_take_turns() -> None:
    order: list[str] = []

    class Counting:
        people = 1

        def __init__(self, name: str) -> None:
            self.name = name

        def solve(self, people: range, setting: Setting) -> np.ndarray:
            order.append(self.name)
            return np.zeros((len(people), 1, 1)) + sum(range(20_000))

    comparison.interleaved([(Counting("a"), Setting(1e-3)), (Counting("b"), Setting(1e-3))], rounds=3)
    assert order == ["a", "b", "b", "a", "a", "b"]


def test_operations_are_counted_from_the_statement_lists() -> None:
    small = step_flops(lower(read_antimony("model m\n k = 1; x = 1; x' = -k*x\nend")))
    # f = -(k x): one product (the sign is free), eight times; its slope is -k. Then shift, pivot, eight solves with
    # what is infused, the stages' sums and the error.
    assert small == 8 * 1 + (1 + 1) + 8 * 2 + (15 * 2 + 2 * 1) + (28 * 2 - 7 + 7 * 2) + 7
    assert fused_peak(rounds=1) > 1e8


def test_the_picture_holds_every_program() -> None:
    entry = {
        "people_per_second_per_thread": 100.0, "people_per_second_range": [90.0, 120.0], "max_error": 5e-5,
        "ratio_to_libroadrunner": 10.0,
    }  # fmt: skip
    other = entry | {"people_per_second_per_thread": 10.0, "people_per_second_range": [9.0, 12.0]}
    text = picture({"peers": {"rekindle": entry, "other": other}, "error_allowed": 1e-4, "outputs": 3, "times": 5})
    words = [element.text for element in ElementTree.fromstring(text).iter() if element.text]
    assert any("rekindle" in word for word in words) and any("other" in word for word in words)

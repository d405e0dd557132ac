"""Running summaries against the numbers themselves: counts exact, sums to the last digits, quantiles within bins."""

from __future__ import annotations

import numpy as np
import pytest

from rekindle.engine.sketch import RELATIVE_ERROR, SMALLEST, Sketches, join, merge, summarise

SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def people() -> np.ndarray:
    """Numbers of 1,000 people: normal over zero, wide, tiny, whole, constant, yes or no, one missing."""
    luck = np.random.default_rng(7)
    columns = [
        luck.normal(0.0, 3.0, 1000),
        np.exp(luck.normal(0.0, 4.0, 1000)),
        luck.uniform(0.0, 1e-8, 1000),
        luck.integers(0, 61, 1000).astype(float),
        np.full(1000, 4.2),
        luck.integers(0, 2, 1000).astype(float),
        -np.exp(luck.normal(2.0, 1.0, 1000)),
    ]
    table = np.column_stack(columns)
    table[17, 0] = np.nan
    return table


def parts(table: np.ndarray, size: int) -> list[Sketches]:
    return [summarise(table[start : start + size]) for start in range(0, len(table), size)]


def merged(found: list[Sketches]) -> Sketches:
    whole = found[0]
    for part in found[1:]:
        whole = merge(whole, part)
    return whole


def test_counts_means_and_spreads_are_those_of_the_numbers() -> None:
    table = people()
    found = merged(parts(table, 64))
    assert found.count.tolist() == [999, *[1000] * 6]
    np.testing.assert_allclose(found.mean, np.nanmean(table, axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.sd, np.nanstd(table, axis=0, ddof=1), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found.low, np.nanmin(table, axis=0))
    np.testing.assert_array_equal(found.high, np.nanmax(table, axis=0))
    assert found.total[5] == table[:, 5].sum()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_quantiles_are_wrong_by_no_more_than_a_bin(size: int) -> None:
    table = people()
    exact = np.nanquantile(table, SHARES, axis=0)
    found = merged(parts(table, size)).quantiles(SHARES)
    allowed = np.maximum(RELATIVE_ERROR * np.abs(exact), SMALLEST)
    assert np.all(np.abs(found - exact) <= allowed)
    assert np.any(found != exact)  # or nothing was binned


def test_two_people_far_apart_have_their_middle_between_them() -> None:
    found = summarise(np.array([[0.0], [10.0]])).quantiles((0.5,))
    assert found[0, 0] == pytest.approx(5.0, rel=RELATIVE_ERROR)


def test_a_quantile_in_a_gap_is_as_exact_as_the_people_beside_it() -> None:
    luck = np.random.default_rng(3)
    for _ in range(200):
        values = luck.normal(size=(int(luck.integers(2, 7)), 1)) * 10.0 ** luck.uniform(-3, 3)
        off = np.abs(summarise(values).quantiles(SHARES)[:, 0] - np.quantile(values, SHARES))
        beside = [np.abs(np.quantile(values, SHARES, method=way)) for way in ("lower", "higher")]
        assert np.all(off <= RELATIVE_ERROR * np.maximum(*beside))


def test_bins_are_the_same_in_whatever_order_people_come() -> None:
    table = people()
    forth, back = merged(parts(table, 50)), merged(parts(table, 37)[::-1])
    for name in ("count", "first", "keys", "people", "low", "high"):
        np.testing.assert_array_equal(getattr(forth, name), getattr(back, name))


def test_the_same_parts_in_the_same_order_give_the_same_bits() -> None:
    first, second = merged(parts(people(), 50)), merged(parts(people(), 50))
    assert first.total.tobytes() == second.total.tobytes()
    assert first.squares.tobytes() == second.squares.tobytes()


def test_series_side_by_side_come_apart_again() -> None:
    table = people()
    found = join([summarise(table[:, :3]), summarise(table[:, 3:])])
    whole = summarise(table)
    for name, values in found.as_arrays().items():
        np.testing.assert_array_equal(values, whole.as_arrays()[name])
    np.testing.assert_array_equal(found.take(3, 5).quantiles(SHARES), whole.quantiles(SHARES)[:, 3:5])
    again = Sketches.of_arrays(found.as_arrays())
    np.testing.assert_array_equal(again.sd, whole.sd)


def test_nobody_has_no_mean_and_no_middle() -> None:
    found = summarise(np.full((3, 1), np.nan))
    assert found.count[0] == 0
    assert np.isnan(found.mean[0]) and np.isnan(found.sd[0]) and np.isnan(found.quantiles((0.5,))[0, 0])
    both = merge(found, summarise(np.array([[2.0], [4.0]])))
    assert both.mean[0] == 3.0 and both.squares[0] == 2.0


def test_other_series_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be merged"):
        merge(summarise(np.zeros((2, 1))), summarise(np.zeros((2, 2))))

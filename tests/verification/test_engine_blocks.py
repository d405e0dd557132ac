"""Blocks follow what they depend on, hold circles together, and do all the work exactly once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.engine import lower, read_antimony
from rekindle.engine.blocks import blocks_of, dependent_groups
from rekindle.engine.emit import renewing
from rekindle.engine.kernels import evaluate, kernels_of
from rekindle.engine.lower import Lowered

MODEL = """model chain
  k = 0.3; h = 1.5; drip = 0
  A = 5; A' = drip - k*A
  B = 1; B' = k*A - B*C
  C = 2; C' = B*C - C + s
  s := A^h/(1 + A^h)
  D = 0; D' = s*B - k*D
  E = 0; E' = D*s - exp(-E)*k
  L = 3; L' = -L*k/(k + drip)
end"""


@pytest.fixture(scope="module")
def chain() -> Lowered:
    return lower(read_antimony(MODEL))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.randoms(use_true_random=False))
def test_groups_hold_circles_together_and_follow_what_they_depend_on(size: int, luck) -> None:
    pattern = [(i, j) for i in range(size) for j in range(size) if luck.random() < 0.15]
    groups = dependent_groups(size, pattern)
    assert sorted(state for group in groups for state in group) == list(range(size))
    place = {state: number for number, group in enumerate(groups) for state in group}
    assert all(place[column] <= place[row] for row, column in pattern)
    reach = np.eye(size, dtype=int)
    for row, column in pattern:
        reach[row, column] = 1
    reach = np.linalg.matrix_power(reach, size) > 0
    assert all((place[i] == place[j]) == bool(reach[i, j] and reach[j, i]) for i in range(size) for j in range(size))


@pytest.mark.parametrize("states", [1, 2, 3, 100])
def test_blocks_work_out_what_the_whole_lists_work_out(chain: Lowered, states: int) -> None:
    kernels = kernels_of(chain)
    y, full = kernels.start(chain.defaults)
    y = y + 0.25
    arrays = {"y": y, "q": kernels.prepare(full)}
    rates, slopes = evaluate(chain.rates, arrays), evaluate(chain.jacobian, arrays)
    slope = dict(zip(chain.pattern, slopes.tolist(), strict=True))
    blocks = blocks_of(chain, states)
    assert sorted(state for block in blocks.blocks for state in block.states) == list(range(len(chain.states)))
    first, later = np.full(blocks.passed_first, np.nan), np.full(blocks.passed, np.nan)
    for block in blocks.blocks:
        size, own = len(block.states), np.full(len(y), np.nan)
        own[list(block.states)] = y[list(block.states)]  # a later stage knows only the block's own states
        found = evaluate(block.first, arrays | {"x": first})
        again = evaluate(block.later, {"y": own, "q": arrays["q"], "x": later})
        np.testing.assert_allclose(found[:size], rates[list(block.states)], rtol=1e-14)
        np.testing.assert_allclose(again[:size], rates[list(block.states)], rtol=1e-14)
        places = [(block.states[i], block.states[j]) for i, j in block.inside]
        places += [(block.states[i], j) for i, j in block.upstream]
        wanted = [slope[place] for place in places]
        np.testing.assert_allclose(found[size : size + len(places)], wanted, rtol=1e-14)
        first[list(block.left_first)] = found[size + len(places) :]
        later[list(block.left)] = again[size:]


def test_only_what_a_changed_parameter_moves_is_worked_out_again(chain: Lowered) -> None:
    kernels = kernels_of(chain)
    _, full = kernels.start(chain.defaults)
    before = kernels.prepare(full)
    position = chain.parameter_index["drip"]
    part, again = renewing(chain.prepare, "p", [position])
    full[position] = 0.7
    after = kernels.prepare(full)
    moved = before.copy()
    moved[again] = evaluate(part, {"p": full})
    np.testing.assert_array_equal(moved, after)
    assert 0 < len(again) < len(before)

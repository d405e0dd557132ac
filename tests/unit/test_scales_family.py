"""All scales are one family: the same parts, the same laws, whatever they measure."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rekindle.errors import InputError
from rekindle.outcomes import SCALES, Scale, observe, scale
from rekindle.outcomes import scales as family
from rekindle.outcomes.scales import MODULES

Array = NDArray[np.float64]
IN_POINTS = {
    "dissociation": 92.0,
    "liking": 100.0,
    "systolic_rise": 80.0,
    "diastolic_rise": 50.0,
    "heart_rate_rise": 60.0,
}
BASELINES = {"systolic_baseline": 120.0, "diastolic_baseline": 75.0, "heart_rate_baseline": 70.0}
FREE_TEXT = ("PHQ-9", "GAD-7")
every_scale = pytest.mark.parametrize("one", SCALES.values(), ids=lambda one: one.name)


def latents(one: Scale, levels: Array) -> dict[str, Array]:
    """Every latent of a scale at the same level (0-1 of its own range), people x times."""
    return {name: levels * IN_POINTS.get(name, 1.0) for name in one.latents}


def person(one: Scale, count: int) -> dict[str, Array]:
    return {name: np.full(count, BASELINES[name]) for name in one.person_inputs}


GRID = np.linspace(0.0, 1.0, 41)[None, :]


@pytest.mark.parametrize("module", MODULES)
def test_every_file_has_the_same_parts_in_the_same_order(module: str) -> None:
    tree = ast.parse((Path(family.__file__).parent / f"{module}.py").read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    names = [
        node.targets[0].id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    ]
    assert names[-2:] == ["ITEMS", "SCALE"]


def test_the_scales_asked_for_are_all_there() -> None:
    wanted = {
        "MADRS": (10, 60),
        "HAM-D17": (17, 52),
        "HAM-D6": (6, 22),
        "QIDS-SR16": (9, 27),
        "PHQ-9": (9, 27),
        "GAD-7": (7, 21),
        "SHAPS": (14, 56),
        "SSI": (19, 38),
        "CADSS": (23, 92),
        "MOAA/S": (1, 5),
        "pain": (1, 10),
        "Sheehan": (3, 30),
        "EQ VAS": (1, 100),
        "YMRS": (11, 60),
    }
    for name, (items, maximum) in wanted.items():
        assert (len(scale(name).items), scale(name).maximum) == (items, maximum)
    assert {"systolic pressure", "diastolic pressure", "heart rate", "liking", "perceptual change", "craving"} <= set(
        SCALES
    )


def test_a_scale_is_found_in_any_case_and_a_wrong_name_offers_near_ones() -> None:
    assert scale("phq-9") is SCALES["PHQ-9"]
    with pytest.raises(InputError, match="Nearest: MADRS"):
        scale("MADR")


@every_scale
def test_it_says_where_its_level_and_its_error_come_from(one: Scale) -> None:
    assert one.level_reason and one.error_reason and one.licence and one.measures
    assert one.error_sd > 0
    for line in (*one.remission, *one.events):
        assert line.record or line.reason


@every_scale
def test_item_names_are_different(one: Scale) -> None:
    names = [item.name for item in one.items]
    assert len(set(names)) == len(names)


@every_scale
def test_only_free_scales_carry_item_text(one: Scale) -> None:
    assert all((item.text is not None) == (one.name in FREE_TEXT) for item in one.items)


@every_scale
def test_expected_items_lie_in_range_and_add_to_the_total(one: Scale) -> None:
    items = one.expected_items(latents(one, GRID), person(one, 1))
    assert items.shape == (1, 41, len(one.items))
    for place, item in enumerate(one.items):
        assert items[..., place].min() >= item.minimum - 1e-12
        assert items[..., place].max() <= item.maximum + 1e-12
    assert np.allclose(items.sum(axis=-1), one.expected(latents(one, GRID), person(one, 1)))


@every_scale
def test_the_total_moves_one_way_with_every_latent(one: Scale) -> None:
    for name in one.latents:
        held = latents(one, np.full_like(GRID, 0.4)) | {name: GRID * IN_POINTS.get(name, 1.0)}
        steps = np.diff(one.expected(held, person(one, 1))[0])
        assert (steps > 0).all() if one.better == "lower" or name not in one.latents else (steps < 0).all(), name


@every_scale
def test_latents_beyond_their_range_are_cut_not_extrapolated(one: Scale) -> None:
    beyond = {name: np.array([[-3.0, 40.0]]) * IN_POINTS.get(name, 1.0) for name in one.latents}
    totals = one.expected(beyond, person(one, 1))
    assert totals.min() >= one.minimum and totals.max() <= one.maximum


@every_scale
def test_a_missing_latent_is_named(one: Scale) -> None:
    given = latents(one, GRID)
    name = one.latents[0]
    given.pop(name)
    with pytest.raises(InputError, match=f"Unknown latent '{name}'"):
        one.expected(given, person(one, 1))


@every_scale
def test_ratings_are_whole_numbers_in_range_that_add_up(one: Scale) -> None:
    levels = np.tile(GRID, (60, 1))
    rated = observe(one, latents(one, levels), person(one, 60), seed=3)
    assert np.array_equal(rated.items, np.round(rated.items))
    assert np.array_equal(rated.items.sum(axis=-1), rated.total)
    for place, item in enumerate(one.items):
        assert rated.items[..., place].min() >= item.minimum
        assert rated.items[..., place].max() <= item.maximum


@every_scale
def test_without_error_ratings_are_the_expected_scores(one: Scale) -> None:
    rated = observe(one, latents(one, GRID), person(one, 1), seed=3, error=False)
    assert np.array_equal(rated.items, one.expected_items(latents(one, GRID), person(one, 1)))


@every_scale
def test_the_mean_of_many_ratings_is_the_expected_score_even_at_the_ends(one: Scale) -> None:
    levels = np.tile(np.array([[0.0, 0.02, 0.3, 0.55, 0.97, 1.0]]), (6000, 1))
    given = latents(one, levels), person(one, 6000)
    rated = observe(one, *given, seed=11)
    error = rated.total.std(axis=0) / np.sqrt(6000)
    assert (np.abs(rated.total.mean(axis=0) - one.expected(*given)[0]) <= 4.5 * error + 1e-9).all()


@every_scale
def test_the_error_has_the_spread_that_the_scale_states(one: Scale) -> None:
    """Over expected scores in the middle of the range, where no end narrows it; one-item rounding is the rest."""
    middle = np.linspace(0.35, 0.65, 60)[None, :]
    wide = {name: np.tile(values, (800, 1)) for name, values in latents(one, middle).items()}
    given = wide, person(one, 800)
    errors = observe(one, *given, seed=5).total - one.expected(*given)
    assert errors.std() == pytest.approx(max(one.error_sd, np.sqrt(len(one.items) / 6)), rel=0.12)

"""Colours: readable on their grounds, apart from one another in every kind of colour vision, and none outside the list.

Contrast by WCAG 2.2; distance in OKLab (Ottosson 2020), colour blindness by Machado, Oliveira and Fernandes 2009 at
full severity, applied in linear light.
"""

from __future__ import annotations

import itertools
import math
import re
from importlib.resources import files

import pytest

from rekindle.report.html import render
from rekindle.report.marks import MARKS, TEXTS
from rekindle.report.material import ReportInput
from rekindle.report.palette import DARK, LIGHT, PAPER

PALETTES = {"light": LIGHT, "dark": DARK, "paper": PAPER}
TEXT_PAIRS = [
    *itertools.product(("ink", "ink2", "ink3", "drug", "comp", "stop", "brand"), ("page", "surface")),
    ("ink", "b90"), ("ink2", "spread"), ("ink", "grid"), ("on1", "s1"), ("on2", "s2"), ("on3", "s3"),
    ("infoink", "infobg"), ("cautionink", "cautionbg"), ("stopink", "stopbg"),
]  # fmt: skip
MARK_PAIRS = [
    ("drug", "b50"), ("drug", "b90"), ("drug", "c90"), ("drug", "spread"), ("drug", "grid"), ("comp", "c90"),
    ("comp", "spread"), ("ink", "b50"), ("ink", "b90"), ("ink", "c90"), ("edge", "page"), ("edge", "spread"),
    ("edge", "grid"), ("armB", "page"), ("armC", "page"), ("caution", "cautionbg"), ("stop", "b90"), ("s1", "page"),
    ("s2", "page"),
]  # fmt: skip
SIGHT = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}


def linear(colour: str) -> list[float]:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]


def contrast(one: str, other: str) -> float:
    light = [sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(x), strict=True)) for x in (one, other)]
    return (max(light) + 0.05) / (min(light) + 0.05)


def oklab(colour: str, sight: str) -> list[float]:
    light = linear(colour)
    r, g, b = (min(1.0, max(0.0, sum(w * c for w, c in zip(row, light, strict=True)))) for row in SIGHT[sight])
    cone = (
        0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b,
        0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b,
        0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b,
    )
    long, middle, short = (x ** (1 / 3) for x in cone)
    return [
        0.2104542553 * long + 0.793617785 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.428592205 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.808675766 * short,
    ]


@pytest.mark.parametrize("name", PALETTES)
def test_words_reach_four_and_a_half_to_one_on_their_ground(name: str) -> None:
    colours = PALETTES[name]
    low = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in TEXT_PAIRS}
    assert {pair: round(value, 2) for pair, value in low.items() if value < 4.5} == {}


@pytest.mark.parametrize("name", PALETTES)
def test_marks_that_carry_meaning_reach_three_to_one_on_their_ground(name: str) -> None:
    colours = PALETTES[name]
    low = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in MARK_PAIRS}
    assert {pair: round(value, 2) for pair, value in low.items() if value < 2.95} == {}


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("sight", SIGHT)
def test_series_stay_apart_in_every_kind_of_colour_vision(name: str, sight: str) -> None:
    colours = PALETTES[name]
    for one, other in itertools.combinations(("drug", "comp", "armB", "armC", "ink"), 2):
        apart = 100 * math.dist(oklab(colours[one], sight), oklab(colours[other], sight))
        assert apart >= 10.0, (one, other, apart)


def test_palettes_have_the_same_roles() -> None:
    assert set(LIGHT) == set(DARK) == set(PAPER)


def test_every_mark_takes_its_colour_from_the_list() -> None:
    for name, look in {**TEXTS, **MARKS}.items():
        for key in ("fill", "stroke"):
            value = look.get(key, "none")
            assert value == "none" or value.startswith("url(#") or value in LIGHT, (name, value)


def test_style_template_and_script_write_no_colour_of_their_own() -> None:
    for name in ("style.css", "page.html", "script.js"):
        text = files("rekindle.report").joinpath(name).read_text(encoding="utf-8")
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?![-\w])(?=[;}\s,)])|rgba?\(|hsla?\(", text) == [], name


def test_the_page_holds_no_colour_outside_the_list(page: str, material: ReportInput) -> None:
    known = {colour.lower() for palette in PALETTES.values() for colour in palette.values()}
    assert {c.lower() for c in re.findall(r"#[0-9A-Fa-f]{6}\b", page)} <= known
    assert set(re.findall(r"var\(--(\w+)\)", page)) <= {*LIGHT, "serif", "sans"}
    assert render(material) == page

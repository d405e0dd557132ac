"""Every figure: named, described, readable, and in agreement with its own table."""

from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import pairwise
from types import ModuleType

import numpy as np
import pytest

from rekindle.report.draw import Scale, spread_apart, text_width, thinned
from rekindle.report.figure import WIDTHS, Figure
from rekindle.report.figures import FAMILY, draw_figures
from rekindle.report.marks import TEXTS, text_size
from rekindle.report.material import ReportInput
from rekindle.report.numerals import MINUS, NBSP

KEYS = ["course", "people", "chances", "relapse", "items", "drive", "chain", "session", "harms", "drivers"]
# The narrowest that the style shows each drawing, in pixels of the page: 320 less two margins of 20, 600 less two of
# 24, and at 1080 the columns of the layout.
SHOWN = {"narrow": 280.0, "mid": 552.0}
WIDE_SHOWN = {"full": 1032.0, "main": 695.0, "side": 299.0, "half": 492.0}
SVG = "{http://www.w3.org/2000/svg}"


def pictures(drawn: dict[str, Figure]) -> Iterator[tuple[Figure, str, ET.Element]]:
    for figure in drawn.values():
        for width in WIDTHS:
            yield figure, width, ET.fromstring(figure.picture(width))


def number(words: str) -> float:
    return float(words.replace(MINUS, "-").replace(",", "").replace("+", "").replace(f"{NBSP}%", ""))


def corners(trail: str) -> np.ndarray:
    """The corners of a path that moves (M), then draws to places (L) or by steps (l)."""
    found: list[np.ndarray] = []
    for command, rest in re.findall(r"([MLl])([^MLlZa]*)", trail):
        for pair in rest.split():
            place = np.array(pair.split(","), dtype=float)
            found.append(found[-1] + place if command == "l" else place)
    return np.array(found)


def decoded(svg: ET.Element, panel: str, owner: str) -> tuple[np.ndarray, np.ndarray]:
    """A line's points as values, read back from the pixels of its path and the scales of its panel."""
    group = next(g for g in svg.iter(f"{SVG}g") if g.get("data-panel") == panel)
    path = next(p for p in group.iter(f"{SVG}path") if p.get("data-of") == owner)
    points = corners(path.get("d", ""))
    values = []
    for axis, column in (("data-x", 0), ("data-y", 1)):
        low, high, start, end = (float(v) for v in (group.get(axis) or "").split()[:4])
        share = (points[:, column] - start) / (end - start)
        values.append(low * (high / low) ** share if "log" in (group.get(axis) or "") else low + share * (high - low))
    return values[0], values[1]


def test_every_part_of_the_report_is_drawn(drawn: dict[str, Figure]) -> None:
    assert list(drawn) == KEYS
    assert len(FAMILY) == len(KEYS) + 1, "the other scales are drawn when a study observes them"


def test_every_picture_has_a_name_a_finding_and_a_table(drawn: dict[str, Figure]) -> None:
    for figure, width, svg in pictures(drawn):
        title, desc = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
        assert svg.get("role") == "img"
        assert title is not None and desc is not None and len(title.text or "") > 10 and len(desc.text or "") > 40
        assert svg.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}", (figure.key, width)
        assert figure.tables and all(table.rows for table in figure.tables)
        assert figure.caption and figure.heading and figure.lead


def test_no_picture_holds_a_colour_a_style_or_a_broken_number(drawn: dict[str, Figure]) -> None:
    for figure, width, svg in pictures(drawn):
        text = ET.tostring(svg, encoding="unicode")
        assert not re.search(r"style=|fill=|stroke=|#[0-9a-fA-F]{6}|nan|inf[^o]", text), (figure.key, width)


def test_drawn_text_is_never_smaller_than_ten_pixels(drawn: dict[str, Figure]) -> None:
    for figure, width, svg in pictures(drawn):
        sheet = float((svg.get("viewBox") or "").split()[2])
        shown = SHOWN.get(width, WIDE_SHOWN[figure.layout])
        for text in svg.iter(f"{SVG}text"):
            size = text_size(text.get("class", "")) * shown / sheet
            assert size >= 9.99, (figure.key, width, text.text, size)


def boxes(svg: ET.Element) -> list[tuple[str, float, float, float, float]]:
    found = []
    for text in svg.iter(f"{SVG}text"):
        mark = text.get("class", "").split()[0]
        size, words = text_size(mark), text.text or ""
        width = text_width(words, size, bold="font-weight" in TEXTS[mark])
        x, y = float(text.get("x", 0)), float(text.get("y", 0))
        left = x - width * {"middle": 0.5, "end": 1.0}.get(text.get("text-anchor", "start"), 0.0)
        found.append((words, left, left + width, y - 0.72 * size, y + 0.2 * size))
    return found


LONG = ("ketamine", "midazolam", "esketamine 56 mg", "esketamine 84 mg with an oral antidepressant daily")


@pytest.mark.parametrize("arms", [("ketamine", "midazolam"), ("ketamine",), LONG])
def test_words_stay_on_the_sheet_and_never_lie_on_one_another(arms: tuple[str, ...], invented: ModuleType) -> None:
    drawn = draw_figures(invented.material(arms))
    clashes = []
    for figure, width, svg in pictures(drawn):
        _, _, across, down = (float(v) for v in (svg.get("viewBox") or "").split())
        placed = boxes(svg)
        for words, left, right, top, bottom in placed:
            if left < -4 or right > across + 14 or top < -2 or bottom > down + 2:
                clashes.append((figure.key, width, "off the sheet", words))
        for index, (words, left, right, top, bottom) in enumerate(placed):
            for other, left2, right2, top2, bottom2 in placed[index + 1 :]:
                if min(right, right2) - max(left, left2) > 3 and min(bottom, bottom2) - max(top, top2) > 2:
                    clashes.append((figure.key, width, words, other))
    assert clashes == []


def test_the_course_as_drawn_is_the_course_of_the_table(drawn: dict[str, Figure], material: ReportInput) -> None:
    table = drawn["course"].tables[0]
    hours = {"start": 0.0, f"4{NBSP}hours": 4.0, f"24{NBSP}hours": 24.0, f"72{NBSP}hours": 72.0}
    for width in WIDTHS:
        svg = ET.fromstring(drawn["course"].picture(width))
        for arm in ("ketamine", "midazolam"):
            column = table.head.index(f"{arm}, average")
            for row in table.rows:
                hour = hours.get(row[0]) or float(row[0].split(NBSP)[1]) * 168 if row[0] != "start" else 0.0
                times, values = decoded(svg, "first" if hour <= 72 else "all", arm)
                assert abs(np.interp(hour, times, values) - number(row[column])) <= 0.5 + 0.2, (width, arm, row)


@pytest.mark.parametrize("key", ["items", "drive"])
def test_small_multiples_as_drawn_end_where_the_table_says(
    key: str, drawn: dict[str, Figure], material: ReportInput
) -> None:
    table = drawn[key].tables[0]
    names = {outcome.name: outcome.key for outcome in (*material.items, *material.drive)}
    spans = {outcome.name: outcome.high - outcome.low for outcome in (*material.items, *material.drive)}
    for width in WIDTHS:
        svg = ET.fromstring(drawn[key].picture(width))
        for row in table.rows:
            times, values = decoded(svg, names[row[0]], row[1])
            place = 0.05 if spans[row[0]] <= 12 else 0.5
            for column, hour in ((2, 0.0), (3, material.study.end_of_treatment_h)):
                assert abs(np.interp(hour, times, values) - number(row[column])) <= place + 0.005 * spans[row[0]], row


def test_chances_and_relapse_as_drawn_are_those_of_their_tables(
    drawn: dict[str, Figure], material: ReportInput
) -> None:
    svg = ET.fromstring(drawn["chances"].picture("mid"))
    for row in drawn["chances"].tables[0].rows:
        words, value = row[1].split(NBSP), None
        hour = float(words[0]) if words[1] == "hours" else float(words[1]) * 168
        times, values = decoded(svg, row[0].lower(), "ketamine")
        value = float(np.interp(hour, times, values))
        assert abs(value - number(row[2])) <= 0.7, row
    steps = ET.fromstring(drawn["relapse"].picture("narrow"))
    _, values = decoded(steps, "relapse", "midazolam")
    assert abs(values[-1] - 100 * material.relapse[1].without_relapse.middle[-1]) <= 0.4


def test_the_peak_of_each_link_stands_in_its_table_and_in_its_line(
    drawn: dict[str, Figure], material: ReportInput
) -> None:
    rows = {row[0]: row for row in drawn["chain"].tables[0].rows}
    svg = ET.fromstring(drawn["chain"].picture("wide"))
    for strip in material.chain:
        _, values = decoded(svg, strip.key, strip.key)
        furthest = values[np.argmax(np.abs(values - strip.resting))]
        size = float(np.ptp(strip.band.high90) or 1)
        assert abs(furthest - number(rows[strip.name][5])) <= 0.06 * max(size, abs(furthest)), strip.name


def test_everything_drawn_in_a_panel_stays_in_it_even_below_zero(invented: ModuleType) -> None:
    plain = invented.material()
    first = plain.chain[0]
    below = dataclasses.replace(first, band=invented.band(-first.band.middle, 30.0), resting=0.0)
    for figure, width, svg in pictures(draw_figures(invented.material(chain=(below, *plain.chain[1:])))):
        for group in svg.iter(f"{SVG}g"):
            if not group.get("data-y"):
                continue
            (x0, x1), (y0, y1) = (sorted(float(v) for v in group.get(a, "").split()[2:4]) for a in ("data-x", "data-y"))
            for path in group.iter(f"{SVG}path"):
                points = corners(path.get("d", ""))
                slack = 16 if path.get("class") in {"obs", "obso", "peak"} else 0.3
                assert points[:, 0].min() >= x0 - slack and points[:, 0].max() <= x1 + slack, (figure.key, width)
                assert points[:, 1].min() >= y0 - slack and points[:, 1].max() <= y1 + slack, (figure.key, width)


def test_tick_words_stand_at_their_values(drawn: dict[str, Figure]) -> None:
    for width in WIDTHS:
        svg = ET.fromstring(drawn["course"].picture(width))
        group = next(g for g in svg.iter(f"{SVG}g") if g.get("data-y"))
        low, high, start, end = (float(v) for v in group.get("data-y", "").split())
        ticks = [t for t in svg.iter(f"{SVG}text") if t.get("class") == "tick" and t.get("text-anchor") == "end"]
        marked = [(float(t.text or ""), float(t.get("y", 0)) - 4) for t in ticks if (t.text or "").isdigit()]
        assert len(marked) >= 4
        for value, y in marked:
            assert abs(start + (value - low) / (high - low) * (end - start) - y) < 0.1


def numbers_said(sentence: str) -> list[str]:
    """Numbers in a sentence, without denominators and the times at which something is said."""
    plain = sentence.replace(NBSP, " ")
    plain = re.sub(
        r"(in|of) 1?,?[01]00\b|9 in 10|(week|day|month) \d+|\d+ (h|hours|weeks|days|months|min)\b", " ", plain
    )
    return re.findall(rf"[{MINUS}+]?\d[\d,]*(?:\.\d+)?", plain)


def test_every_number_of_a_heading_stands_in_its_table(drawn: dict[str, Figure]) -> None:
    for figure in drawn.values():
        cells = " ".join(cell for table in figure.tables for row in table.rows for cell in row)
        there = set(re.findall(rf"[{MINUS}+]?\d[\d,]*(?:\.\d+)?", cells.replace(NBSP, " ")))
        if figure.key == "session":
            continue  # its heading is a time between the table's; the strip's own summary says it
        for said in numbers_said(figure.heading):
            assert said in there, (figure.key, figure.heading, said)


def test_the_session_heading_is_the_time_at_which_the_readiness_line_crosses_ninety(
    drawn: dict[str, Figure], material: ReportInput
) -> None:
    ready = next(strip for strip in material.session.strips if strip.key == "readiness")
    minutes = float(ready.times_h[np.argmax(ready.band.middle >= 90)]) * 60
    hours, rest = divmod(round(minutes), 60)
    assert f"{hours}{NBSP}h{NBSP}{rest:02d}" in drawn["session"].heading


def test_the_slider_has_a_sentence_and_a_place_for_each_step(drawn: dict[str, Figure]) -> None:
    for key in ("course", "chain", "session"):
        figure = drawn[key]
        assert figure.reading is not None
        for width in WIDTHS:
            for places in figure.drawings[width].reading.values():
                assert len(places) == len(figure.reading.sentences)
                known = [place for place in places if place is not None]
                assert known == sorted(known)


def test_four_arms_are_told_apart_by_dash_and_shape_and_a_fifth_is_named(invented: ModuleType) -> None:
    arms = ("ketamine", "midazolam", "esketamine 56 mg", "esketamine 84 mg", "arketamine")
    figure = draw_figures(invented.material(arms))["course"]
    text = figure.picture("wide")
    assert all(f'class="{mark}"' in text for mark in ("kline", "cline", "bline", "dline", "bmark"))
    assert "arketamine" in figure.caption
    assert any("arketamine" in head for head in figure.tables[0].head)


def test_thinning_a_line_moves_it_by_less_than_a_fifth_of_a_pixel() -> None:
    xs = np.linspace(0, 500, 900)
    ys = 80 + 60 * np.sin(xs / 40) * np.exp(-xs / 200)
    kept = thinned(list(zip(xs, ys, strict=True)))
    assert len(kept) < 120
    again = np.interp(xs, [x for x, _ in kept], [y for _, y in kept])
    assert np.abs(again - ys).max() < 0.21


def test_a_log_scale_puts_equal_ratios_at_equal_distances() -> None:
    scale = Scale(0.01, 100.0, 10.0, 410.0, log=True)
    assert [round(scale(v)) for v in (0.01, 0.1, 1, 10, 100)] == [10, 110, 210, 310, 410]


def test_labels_are_moved_apart_but_keep_their_order() -> None:
    placed = spread_apart([50.0, 52.0, 51.0, 120.0], 15.0, 0.0, 130.0)
    assert sorted(range(4), key=lambda i: placed[i]) == [0, 2, 1, 3]
    ordered = sorted(placed)
    assert all(b - a >= 15.0 - 1e-9 for a, b in pairwise(ordered))
    assert ordered[-1] <= 130.0

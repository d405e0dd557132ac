"""Saved figures open anywhere: no style sheet, no variable, no script, their own colours on white."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from rekindle.report.figure import Figure, wrapped
from rekindle.report.palette import PAPER

SVG = "{http://www.w3.org/2000/svg}"


def test_a_saved_figure_needs_nothing_but_itself(drawn: dict[str, Figure], tmp_path: Path) -> None:
    for key, figure in drawn.items():
        path = figure.save(tmp_path / f"{key}.svg")
        text = path.read_text(encoding="utf-8")
        root = ET.fromstring(text)
        assert root.tag == f"{SVG}svg"
        assert not re.search(r"var\(|class=|<style|<script|href=|data-", text), key
        assert {c.upper() for c in re.findall(r"#[0-9A-Fa-f]{6}\b", text)} <= set(PAPER.values())
        ground = root.find(f"{SVG}rect")
        assert ground is not None and ground.get("fill") == "#FFFFFF"
        assert ground.get("width") == root.get("width")


def test_every_shape_of_a_saved_figure_has_its_look_written_out(drawn: dict[str, Figure]) -> None:
    for key, figure in drawn.items():
        root = ET.fromstring(figure.svg())
        for element in root.iter():
            kind = element.tag.removeprefix(SVG)
            if kind in {"path", "rect", "circle"}:
                assert element.get("fill") or element.get("stroke"), (key, element.attrib)
            if kind == "line":
                assert element.get("stroke"), (key, element.attrib)
            if kind == "text":
                assert element.get("font-size") and element.get("fill"), (key, element.text)
        grounds = set(re.findall(r"url\(#(\w+)\)", figure.svg()))
        assert grounds <= {element.get("id") for element in root.iter(f"{SVG}pattern")}


def test_a_saved_figure_carries_its_finding_and_its_caption(drawn: dict[str, Figure]) -> None:
    for figure in drawn.values():
        words = " ".join(text.text or "" for text in ET.fromstring(figure.svg()).iter(f"{SVG}text"))
        assert figure.heading in words and figure.caption in words


def test_a_notebook_shows_the_picture_and_its_table_under_its_own_names(drawn: dict[str, Figure]) -> None:
    both = drawn["course"]._repr_html_() + drawn["people"]._repr_html_()
    ids = re.findall(r'\bid="([^"]+)"', both)
    assert len(ids) == len(set(ids))
    named = {name for pair in re.findall(r'aria-labelledby="([^"]+)"', both) for name in pair.split()}
    assert named <= set(ids) and set(re.findall(r"url\(#([\w-]+)\)", both)) <= set(ids)
    assert both.count("<details>") == 2 and both.count("<table") == 3
    assert drawn["course"]._repr_svg_() == drawn["course"].svg()


def test_words_wrap_without_loss() -> None:
    words = "The commonest harm on ketamine is feeling strongly detached for a while"
    lines = wrapped(words, 120, 12.5)
    assert len(lines) > 3 and " ".join(lines) == words

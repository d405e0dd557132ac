"""One figure of the report: a finding as heading, a picture at three widths, a caption and the numbers as a
table.

A figure stands by itself: the page shows the width that fits, a notebook shows it in its cell, and `save`
writes a file with its own colours that opens anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Literal

from rekindle.report.draw import Canvas, text_width
from rekindle.report.marks import PATTERNS, SANS, resolved, text_size
from rekindle.report.palette import PAPER
from rekindle.report.tables import Table

Width = Literal["wide", "mid", "narrow"]
WIDTHS: tuple[Width, ...] = ("wide", "mid", "narrow")
SAVED_MARGIN = 24.0


@dataclass(frozen=True)
class Drawing:
    """A picture at one width. `reading` gives, for each group of reading lines, a pixel (or None) a slider
    step.
    """

    width: float
    height: float
    markup: str
    reading: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class KeyEntry:
    """One entry of a figure's key: a swatch of marks, `width` by 16 pixels, and what it means."""

    swatch: str
    width: float
    words: str


@dataclass(frozen=True)
class Reading:
    """The slider under a chart: what it reads ('day'), the sentence at each step and where it begins."""

    label: str
    sentences: tuple[str, ...]
    start: int = 0


@dataclass(frozen=True)
class Figure:
    """A finding with its picture and its numbers. `key` names it in links and file names."""

    key: str
    heading: str
    lead: str
    title: str
    description: str
    drawings: Mapping[Width, Drawing]
    caption: str
    tables: tuple[Table, ...]
    entries: tuple[KeyEntry, ...] = ()
    reading: Reading | None = None
    layout: Literal["full", "main", "side", "half"] = "full"

    def picture(self, width: Width) -> str:
        """The `svg` element at one width, with classes for its look, a title and a description."""
        drawing = self.drawings[width]
        ids = f"{self.key}-{width}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="chart {width}" role="img" '
            f'viewBox="0 0 {drawing.width:g} {drawing.height:g}" aria-labelledby="{ids}-t {ids}-d" '
            f'data-width="{drawing.width:g}"><title id="{ids}-t">{escape(self.title)}</title>'
            f'<desc id="{ids}-d">{escape(self.description)}</desc>{drawing.markup}</svg>'
        )

    def pictures(self) -> str:
        """The three widths one after another; the page's style shows the one that fits."""
        return "".join(self.picture(width).replace(' xmlns="http://www.w3.org/2000/svg"', "") for width in WIDTHS)

    def svg(self, width: Width = "wide") -> str:
        """A file of its own: heading, picture, key and caption on white, every colour written out."""
        drawing = self.drawings[width]
        return resolved(_sheet(self, drawing), PAPER)

    def save(self, path: str | Path) -> Path:
        """Write the figure as SVG to `path` and return it.

        Raises:
            OSError: the path cannot be written.
        """
        target = Path(path)
        target.write_text(self.svg(), encoding="utf-8")
        return target

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        tables = "".join(table.html() for table in self.tables)
        unique = re.sub(r'(id="|url\(#)', rf"\g<1>{self.key}-", self.svg())
        unique = re.sub(
            r'aria-labelledby="([^ "]+) ([^"]+)"', rf'aria-labelledby="{self.key}-\1 {self.key}-\2"', unique
        )
        return f"<figure>{unique}<details><summary>These numbers as a table</summary>{tables}</details></figure>"


def wrapped(words: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Words broken into lines no wider than `width` pixels."""
    lines: list[str] = []
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, bold=bold) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _sheet(figure: Figure, drawing: Drawing) -> str:
    """The figure with its words above and below, as one SVG that still speaks in classes."""
    width = drawing.width + 2 * SAVED_MARGIN
    words = Canvas(width, 0)
    down = SAVED_MARGIN + 12
    for line in wrapped(figure.heading, drawing.width, 20, bold=True):
        down += 8
        words.text(SAVED_MARGIN, down, line, "sheet")
        down += 18
    for line in wrapped(figure.lead, drawing.width, text_size("tick")):
        words.text(SAVED_MARGIN, down, line, "tick")
        down += 18
    keys, down = _key_rows(figure.entries, drawing.width, down)
    picture = f'<g transform="translate({SAVED_MARGIN:g} {down + 8:g})">{drawing.markup}</g>'
    down += drawing.height + 28
    for line in wrapped(figure.caption, drawing.width, text_size("tick")):
        words.text(SAVED_MARGIN, down, line, "tick")
        down += 18
    height = down + SAVED_MARGIN - 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" aria-labelledby="t d" font-family="{escape(SANS)}">'
        f'<title id="t">{escape(figure.title)}</title><desc id="d">{escape(figure.description)}</desc>'
        f'<defs>{PATTERNS}</defs><rect width="{width:g}" height="{height:g}" class="pn1"/>'
        f"{words.markup()}{keys}{picture}</svg>"
    )


def _key_rows(entries: tuple[KeyEntry, ...], width: float, down: float) -> tuple[str, float]:
    """The key's entries in rows from `down`, and where the rows end."""
    if not entries:
        return "", down
    canvas = Canvas(width, 0)
    parts: list[str] = []
    across = 0.0
    for entry in entries:
        takes = entry.width + 8 + text_width(entry.words, text_size("tick")) + 20
        if across and across + takes > width:
            across, down = 0.0, down + 22
        left = SAVED_MARGIN + across
        parts.append(f'<g transform="translate({left:g} {down - 4:g})">{entry.swatch}</g>')
        canvas.text(left + entry.width + 8, down + 8.5, entry.words, "tick")
        across += takes
    return "".join(parts) + canvas.markup(), down + 26

"""Drawing on a sheet: scales, and marks as SVG text with class names for their look.

A `Canvas` collects marks in drawing order. Coordinates are written to a tenth of a pixel and lines are
thinned to within a fifth of one, which keeps a page of twelve figures at three widths under a megabyte.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np

from rekindle.report.marks import TEXTS, text_size

Point = tuple[float, float]
TOLERANCE_PX = 0.2


@dataclass(frozen=True)
class Scale:
    """Maps values `low` to `high` onto pixels `start` to `end`, evenly or evenly in the logarithm."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of one value."""
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def all(self, values: Iterable[float]) -> list[float]:
        """The pixels of many values."""
        return [self(float(value)) for value in values]


@dataclass(frozen=True)
class Panel:
    """One pair of axes: where it stands and what its pixels mean."""

    name: str
    x: Scale
    y: Scale

    @property
    def left(self) -> float:
        """Pixel of its left edge."""
        return min(self.x.start, self.x.end)

    @property
    def right(self) -> float:
        """Pixel of its right edge."""
        return max(self.x.start, self.x.end)

    @property
    def top(self) -> float:
        """Pixel of its upper edge."""
        return min(self.y.start, self.y.end)

    @property
    def bottom(self) -> float:
        """Pixel of its lower edge."""
        return max(self.y.start, self.y.end)


def number(value: float) -> str:
    """A coordinate to a tenth of a pixel without trailing zeros."""
    words = f"{value:.1f}".rstrip("0").rstrip(".")
    return "0" if words in ("-0", "") else words


def thinned(points: Sequence[Point], tolerance: float = TOLERANCE_PX) -> list[Point]:
    """The points without those that lie within `tolerance` of the line they interrupt
    (Ramer-Douglas-Peucker).
    """
    if len(points) < 3:
        return list(points)
    sheet = np.asarray(points, dtype=float)
    keep = {0, len(points) - 1}
    stack = [(0, len(points) - 1)]
    while stack:
        first, last = stack.pop()
        if last - first < 2:
            continue
        start, along = sheet[first], sheet[last] - sheet[first]
        length = math.hypot(*along)
        between = sheet[first + 1 : last] - start
        away = np.abs(along[0] * between[:, 1] - along[1] * between[:, 0]) / length if length else np.hypot(*between.T)
        furthest = int(np.argmax(away))
        if away[furthest] > tolerance:
            middle = first + 1 + furthest
            keep.add(middle)
            stack += [(first, middle), (middle, last)]
    return [points[index] for index in sorted(keep)]


def text_width(words: str, size: float, *, bold: bool = False) -> float:
    """Width in pixels that words take at most, from the widest of the fonts named (DejaVu Sans)."""
    narrow, wide = "iljtf.,:;'|!()[] \u00a0·", "mwMW%@—"
    ems = sum(
        0.36 if letter in narrow else 0.95 if letter in wide else 0.70 if letter.isupper() else 0.61 for letter in words
    )
    return ems * size * (1.07 if bold else 1.0)


def spread_apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions near those wanted, in the same order, at least `gap` apart and within `low` to `high` if
    they fit.
    """
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    placed = [0.0] * len(wanted)
    last = low - gap
    for index in order:
        last = placed[index] = max(wanted[index], last + gap)
    limit = high
    for index in reversed(order):
        limit = placed[index] = min(placed[index], limit)
        limit -= gap
    return placed


class Canvas:
    """A sheet of `width` by `height` pixels on which marks are laid in order."""

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self._parts: list[str] = []

    def markup(self) -> str:
        """Everything drawn, as the inside of an `svg` element."""
        return "".join(self._parts)

    def open_panel(self, panel: Panel) -> None:
        """Begin a group that carries the panel's scales, so that a reader of the file can turn pixels into
        values.
        """
        axes = " ".join(
            f'data-{axis}="{scale.low:g} {scale.high:g} {number(scale.start)} {number(scale.end)}'
            f'{" log" if scale.log else ""}"'
            for axis, scale in (("x", panel.x), ("y", panel.y))
        )
        self._parts.append(f'<g data-panel="{escape(panel.name)}" {axes}>')

    def close_panel(self) -> None:
        """End the panel's group."""
        self._parts.append("</g>")

    def line(self, x1: float, y1: float, x2: float, y2: float, mark: str) -> None:
        """A straight line."""
        ends = f'x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"'
        self._parts.append(f'<line {ends} class="{mark}"/>')

    def curve(self, xs: Sequence[float], ys: Sequence[float], mark: str, *, name: str = "") -> None:
        """A line through points; `name` says whose line it is."""
        owner = f' data-of="{escape(name)}"' if name else ""
        self._parts.append(f'<path d="{_trail(list(zip(xs, ys, strict=True)))}" class="{mark}"{owner}/>')

    def band(self, xs: Sequence[float], lows: Sequence[float], highs: Sequence[float], mark: str) -> None:
        """A filled band between two lines over the same points."""
        upper = list(zip(xs, highs, strict=True))
        lower = list(zip(xs, lows, strict=True))[::-1]
        self._parts.append(f'<path d="{_trail(upper + lower)}Z" class="{mark}"/>')

    def text(self, x: float, y: float, words: str, mark: str = "tick", anchor: str = "start") -> None:
        """Words at a baseline; `anchor` start, middle or end."""
        place = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self._parts.append(f'<text x="{number(x)}" y="{number(y)}" class="{mark}"{place}>{escape(words)}</text>')

    def fitted(self, words: str, mark: str, room: float) -> str:
        """Words cut with an ellipsis if they would take more than `room` pixels; tables and keys hold them whole."""
        if self.words_width(words, mark) <= room:
            return words
        kept = words
        while kept and self.words_width(kept + "…", mark) > room:
            kept = kept[:-1]
        return kept.rstrip() + "…"

    def rect(self, x: float, y: float, width: float, height: float, mark: str) -> None:
        """A rectangle from its upper left corner."""
        box = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
        self._parts.append(f'<rect {box} class="{mark}"/>')

    def circle(self, x: float, y: float, radius: float, mark: str) -> None:
        """A circle about its centre."""
        self._parts.append(f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" class="{mark}"/>')

    def shape(self, points: Sequence[Point], mark: str) -> None:
        """A closed shape through its corners."""
        corners = "L".join(f"{number(x)},{number(y)}" for x, y in points)
        self._parts.append(f'<path d="M{corners}Z" class="{mark}"/>')

    def diamond(self, x: float, y: float, radius: float, mark: str) -> None:
        """A diamond, the sign of a published average."""
        self.shape([(x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y)], mark)

    def glyph(self, x: float, y: float, grade: str) -> None:
        """The evidence glyph: full circle measured in people, half carried over from rodents, dotted
        assumed.
        """
        if grade == "assumed":
            self.circle(x, y, 4.5, "glyphd")
            return
        self.circle(x, y, 4.5, "glyphf" if grade == "human" else "glyph")
        if grade == "rodent":
            self._parts.append(f'<path d="M{number(x)},{number(y - 4.5)}a4.5,4.5 0 0 0 0,9Z" class="glyphf"/>')

    def reading_line(self, group: str, top: float, bottom: float) -> None:
        """A line that the page's slider moves; hidden until it does."""
        ends = f'x1="0" y1="{number(top)}" x2="0" y2="{number(bottom)}"'
        self._parts.append(f'<line {ends} class="read" data-group="{group}"/>')

    def words_width(self, words: str, mark: str) -> float:
        """Width in pixels that words take at most with a text mark."""
        return text_width(words, text_size(mark), bold="font-weight" in TEXTS[mark.split()[0]])


def stepped(xs: Iterable[float], ys: Iterable[float]) -> tuple[list[float], list[float]]:
    """The corners of a step line that holds each value until the next point."""
    across: list[float] = []
    up: list[float] = []
    for index, (x, y) in enumerate(zip(xs, ys, strict=True)):
        if index:
            across.append(float(x))
            up.append(up[-1])
        across.append(float(x))
        up.append(float(y))
    return across, up


def _trail(points: Sequence[Point]) -> str:
    """A path through points: the first where it stands, the others as steps, which takes half the room.

    Steps are taken between rounded places, so that rounding never adds up.
    """
    places = [(round(10 * x), round(10 * y)) for x, y in thinned(points)]
    steps = " ".join(f"{_tenths(x - x0)},{_tenths(y - y0)}" for (x0, y0), (x, y) in pairwise(places))
    return f"M{_tenths(places[0][0])},{_tenths(places[0][1])}" + (f"l{steps}" if steps else "")


def _tenths(value: int) -> str:
    """Tenths of a pixel as pixels, without a needless zero on either side of the point."""
    words = f"{abs(value) // 10 or ''}{f'.{abs(value) % 10}' if value % 10 else ''}" or "0"
    return f"-{words}" if value < 0 else words

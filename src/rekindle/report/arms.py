"""How arms are told apart: colour, dash and marker together, the same in every figure.

The course in question is a blue solid line with its fan, the comparator grey and dashed with one grey band;
a second and third active arm are lines with squares or in dash and dot, without bands, so that a panel
holds one fan only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rekindle.report.bands import Band, Floats
from rekindle.report.draw import Canvas, Panel, Scale
from rekindle.report.figure import KeyEntry
from rekindle.report.material import ArmBand, ReportInput

DRAWN_ARMS = 4


@dataclass(frozen=True)
class ArmLook:
    """One arm's line mark, its label mark and which band it may have: '' none, 'b' the fan, 'c' the grey
    one.
    """

    line: str
    label: str
    fan: str
    squares: bool = False


_DRUG = ArmLook("kline", "labd", "b")
_COMPARATOR = ArmLook("cline", "labc", "c")
_OTHERS = (ArmLook("bline", "lab", "", squares=True), ArmLook("dline", "lab", ""))


def looks(material: ReportInput) -> dict[str, ArmLook]:
    """The look of each arm that is drawn: at most four, the arm in question first and its comparator
    second.
    """
    chosen = {material.active.name: _DRUG}
    if material.comparator is not None:
        chosen[material.comparator.name] = _COMPARATOR
    rest = [arm.name for arm in material.study.arms if arm.name not in chosen]
    return {**chosen, **dict(zip(rest, _OTHERS, strict=False))}


def drawn(material: ReportInput, curves: Sequence[ArmBand]) -> list[tuple[ArmBand, ArmLook]]:
    """The curves that are drawn, with their looks, the arm in question first."""
    order = looks(material)
    by_arm = {curve.arm: curve for curve in curves}
    return [(by_arm[name], look) for name, look in order.items() if name in by_arm]


def left_out(material: ReportInput) -> str:
    """A sentence on arms that no picture shows, or nothing."""
    missing = [arm.name for arm in material.study.arms if arm.name not in looks(material)]
    return f" Not drawn, but in the table: {', '.join(missing)}." if missing else ""


def window(times_h: Floats, across: Scale, lines: Sequence[Floats]) -> tuple[Floats, list[Floats]]:
    """Times and lines between the ends of an even scale, the ends interpolated, at most three points in two pixels."""
    inside = times_h[(times_h > across.low) & (times_h < across.high)]
    columns = np.floor(1.5 * np.abs(across.end - across.start) * (inside - across.low) / (across.high - across.low))
    inside = inside[np.diff(columns, prepend=-1.0) > 0]
    edges = np.array([max(across.low, times_h[0]), min(across.high, times_h[-1])])
    hours = np.unique(np.concatenate([edges, inside]))
    return hours, [np.interp(hours, times_h, line) for line in lines]


def fans(canvas: Canvas, panel: Panel, times_h: Floats, curves: Sequence[tuple[Band, ArmLook]]) -> None:
    """The filled bands of averages, the first on top, then the edges of all, so that none is lost."""
    for band, look in reversed(curves):
        _fill(canvas, panel, times_h, band, look)
    for band, look in reversed(curves):
        if look.fan:
            hours, ends = window(times_h, panel.x, [band.low90, band.high90])
            for end in ends:
                canvas.curve(panel.x.all(hours), panel.y.all(end), "edge" if look.fan == "b" else "cedge")


def _fill(canvas: Canvas, panel: Panel, times_h: Floats, band: Band, look: ArmLook) -> None:
    """Half and nine in ten for the arm in question, nine in ten for its comparator, none for the others."""
    hours, (low90, low50, high50, high90) = window(times_h, panel.x, band.lines()[1:])
    xs = panel.x.all(hours)
    if look.fan == "b":
        canvas.band(xs, panel.y.all(low90), panel.y.all(high90), "b90")
        canvas.band(xs, panel.y.all(low50), panel.y.all(high50), "b50")
    elif look.fan == "c":
        canvas.band(xs, panel.y.all(low90), panel.y.all(high90), "c90")


def middle(canvas: Canvas, panel: Panel, times_h: Floats, line: Floats, look: ArmLook, name: str) -> None:
    """An arm's middle line, with squares along it where its look has them."""
    hours, (values,) = window(times_h, panel.x, [line])
    canvas.curve(panel.x.all(hours), panel.y.all(values), look.line, name=name)
    if look.squares:
        for share in (0.15, 0.4, 0.65, 0.9):
            hour = panel.x.low + share * (panel.x.high - panel.x.low)
            x, y = panel.x(hour), panel.y(float(np.interp(hour, times_h, line)))
            canvas.rect(x - 3.5, y - 3.5, 7, 7, "bmark")


def people_outline(canvas: Canvas, panel: Panel, times_h: Floats, people: Band) -> None:
    """Where nine in ten single people are: a pale ground with dotted edges, never a filled fan."""
    hours, (low, high) = window(times_h, panel.x, [people.low90, people.high90])
    xs = panel.x.all(hours)
    canvas.band(xs, panel.y.all(low), panel.y.all(high), "spread")
    for edge in (low, high):
        canvas.curve(xs, panel.y.all(edge), "people")


def arm_entries(material: ReportInput) -> list[KeyEntry]:
    """Key entries for the arms and their bands."""
    entries = []
    for name, look in looks(material).items():
        swatch = Canvas(34, 16)
        if look.fan == "b":
            swatch.rect(0, 0, 34, 16, "b90")
            swatch.rect(0, 4, 34, 8, "b50")
        elif look.fan == "c":
            swatch.rect(0, 2, 34, 12, "c90")
        swatch.line(0, 8, 34, 8, look.line)
        if look.squares:
            swatch.rect(13.5, 4.5, 7, 7, "bmark")
        words = {
            "b": f"{name}: average, 5 and 9 in 10 repeated studies",
            "c": f"{name}, 9 in 10 repeated studies",
        }.get(look.fan, name)
        entries.append(KeyEntry(swatch.markup(), 34, words))
    return entries


def grade_entries(*, lines: bool = True) -> list[KeyEntry]:
    """Key entries for the evidence glyphs, with their line styles where lines are drawn."""
    entries = []
    for grade, words in GRADES.items():
        swatch = Canvas(46 if lines else 12, 16)
        swatch.glyph(6, 8, grade)
        if lines:
            swatch.line(16, 8, 46, 8, LINES[grade])
        entries.append(KeyEntry(swatch.markup(), swatch.width, words))
    return entries


GRADES = {"human": "measured in people", "rodent": "carried over from rodents", "assumed": "assumed"}
LINES = {"human": "kline", "rodent": "rodent", "assumed": "assumed"}

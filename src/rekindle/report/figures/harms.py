"""Harms over months: one row a harm, its chance in 1,000 people at each time, with what has not been
measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from rekindle.report.arms import GRADES, grade_entries
from rekindle.report.axes import upper_limit, value_ticks
from rekindle.report.bands import Interval
from rekindle.report.draw import Canvas, Panel, Scale
from rekindle.report.figure import Drawing, Figure, KeyEntry, Width, wrapped
from rekindle.report.marks import text_size
from rekindle.report.material import Harm, HarmPeriod, ReportInput
from rekindle.report.numerals import chance, spoken
from rekindle.report.sentences import harms_finding
from rekindle.report.tables import NONE, Table


@dataclass(frozen=True)
class _Lane:
    name: Width
    width: float
    left: float
    right: float
    plot: float
    above: bool


LANES = (
    _Lane("wide", 1120, 300, 250, 84, False),
    _Lane("mid", 680, 44, 10, 66, True),
    _Lane("narrow", 350, 44, 6, 76, True),
)
FOOT = 36.0


def figure(material: ReportInput) -> Figure | None:
    """The harms figure, or None when no harm was followed."""
    harms = material.harms
    if not harms:
        return None
    name = material.active.name
    return Figure(
        key="harms",
        heading=harms_finding(material, harms),
        lead="People of 1,000, each harm on its own axis. Bar: 5 and 9 in 10 repeated studies",
        title=f"Harms over months on {spoken(name)}",
        description=" ".join(f"{harm.name}: {_latest_words(material, harm)}." for harm in harms),
        drawings={lane.name: _draw(material, harms, lane) for lane in LANES},
        caption="Hatched: no one has measured it for so long, and no number is given. The table says what counts.",
        tables=(_table(material, harms),),
        entries=(*_entries(material), *grade_entries(lines=False)),
    )


def _people(material: ReportInput) -> int:
    return material.study.people_per_arm


def _latest(harm: Harm, arm: str) -> tuple[HarmPeriod, Interval] | None:
    """The last period for which the arm's chance is known."""
    for period in reversed(harm.periods):
        value = period.arms.get(arm)
        if value is not None:
            return period, value
    return None


def _latest_words(material: ReportInput, harm: Harm) -> str:
    latest = _latest(harm, material.active.name)
    if latest is None:
        return f"{NONE} on {spoken(material.active.name)}"
    period, value = latest
    words = f"{period.label}: {chance(value, of=1000, people=_people(material), short=True)}"
    comparator = material.comparator
    beside = period.arms.get(comparator.name) if comparator else None
    return (
        f"{words}; {comparator.name} {chance(beside, of=1000, people=_people(material), short=True)}"
        if beside and comparator
        else words
    )


def _draw(material: ReportInput, harms: tuple[Harm, ...], lane: _Lane) -> Drawing:
    above = max(_words_height(material, harm, lane) for harm in harms) if lane.above else 8.0
    row = above + lane.plot + FOOT
    canvas = Canvas(lane.width, 6 + len(harms) * row - 8)
    for index, harm in enumerate(harms):
        top = 6 + index * row + above
        values = [value for period in harm.periods for value in period.arms.values() if value is not None]
        high = min(1000.0, upper_limit(max([1000 * value.high90 for value in values], default=1.0), 2))
        across = Scale(0.0, float(len(harm.periods)), lane.left, lane.width - lane.right)
        panel = Panel(harm.key, across, Scale(0.0, high, top + lane.plot, top))
        for tick, words in value_ticks(0, high, 2):
            canvas.line(panel.left, panel.y(tick), panel.right, panel.y(tick), "axis0" if tick == 0 else "grid")
            canvas.text(panel.left - 6, panel.y(tick) + 4, words, "tick", "end")
        canvas.open_panel(panel)
        for place, period in enumerate(harm.periods):
            _period(canvas, panel, material, place, period)
        canvas.close_panel()
        (_words_above if lane.above else _words_beside)(canvas, panel, material, harm, lane)
    return Drawing(lane.width, canvas.height, canvas.markup())


def _period(canvas: Canvas, panel: Panel, material: ReportInput, place: int, period: HarmPeriod) -> None:
    """The interval of the arm in question and of its comparator, or a hatched field."""
    x = panel.x(place + 0.5)
    canvas.text(x, panel.bottom + 17, period.label, "tick", "middle")
    value = period.arms.get(material.active.name)
    if value is None:
        left, right = panel.x(place + 0.06), panel.x(place + 0.94)
        canvas.rect(left, panel.top, right - left, panel.bottom - panel.top, "unknown")
        why = period.why_unknown or "no data"
        if canvas.words_width(why, "tick") > right - left:
            why = "no data"
        canvas.text(x, (panel.top + panel.bottom) / 2 + 4, why, "ticki halo", "middle")
        return
    comparator = material.comparator
    beside = period.arms.get(comparator.name) if comparator else None
    here = value.times(1000)
    canvas.line(x - 7, panel.y(here.low90), x - 7, panel.y(here.high90), "i90")
    canvas.line(x - 7, panel.y(here.low50), x - 7, panel.y(here.high50), "i50")
    canvas.circle(x - 7, panel.y(here.middle), 4.5, "imid")
    if beside is not None:
        other = beside.times(1000)
        canvas.line(x + 9, panel.y(other.low90), x + 9, panel.y(other.high90), "j90")
        canvas.line(x + 4, panel.y(other.middle), x + 14, panel.y(other.middle), "jmid")


def _words_beside(canvas: Canvas, panel: Panel, material: ReportInput, harm: Harm, lane: _Lane) -> None:
    down = panel.top + 12
    for words in wrapped(harm.name, lane.left - 60, text_size("rname"), bold=True)[:3]:
        canvas.text(0, down, words, "rname")
        down += 18
    canvas.glyph(5, down - 3, harm.grade)
    canvas.text(16, down + 1, GRADES[harm.grade], "tick")
    down = panel.top + 18
    for part in _latest_words(material, harm).split("; "):
        for words in wrapped(part, lane.right - 20, text_size("tick")):
            canvas.text(panel.right + 18, down, words, "ticki" if part[0].isupper() or ":" in part else "tick")
            down += 18


def _words_above(canvas: Canvas, panel: Panel, material: ReportInput, harm: Harm, lane: _Lane) -> None:
    names, lines = _above(material, harm, lane)
    down = panel.top - 12
    for words in reversed(lines):
        canvas.text(16, down, words, "tick")
        down -= 17
    canvas.glyph(5, down + 13, harm.grade)
    for words in reversed(names):
        canvas.text(0, down - 3, words, "rname")
        down -= 18


def _above(material: ReportInput, harm: Harm, lane: _Lane) -> tuple[list[str], list[str]]:
    """The lines of a harm's name and of its latest number, for a narrow sheet."""
    lines = wrapped(_latest_words(material, harm), lane.width - 20, text_size("tick"))[:3]
    return wrapped(harm.name, lane.width, text_size("rname"), bold=True)[:2], lines


def _words_height(material: ReportInput, harm: Harm, lane: _Lane) -> float:
    names, lines = _above(material, harm, lane)
    return 18.0 * len(names) + 17.0 * len(lines) + 12


def _entries(material: ReportInput) -> list[KeyEntry]:
    swatch = Canvas(34, 16)
    swatch.line(0, 8, 34, 8, "i90")
    swatch.line(9, 8, 25, 8, "i50")
    swatch.circle(17, 8, 4.5, "imid")
    entries = [KeyEntry(swatch.markup(), 34, material.active.name)]
    if material.comparator is not None:
        other = Canvas(34, 16)
        other.line(0, 8, 34, 8, "j90")
        other.line(17, 3, 17, 13, "jmid")
        entries.append(KeyEntry(other.markup(), 34, material.comparator.name))
    return entries


def _table(material: ReportInput, harms: tuple[Harm, ...]) -> Table:
    names = [arm.name for arm in material.study.arms]
    rows = []
    for harm in harms:
        for period in harm.periods:
            cells = [harm.name, period.label, GRADES[harm.grade], harm.definition]
            for name in names:
                value = period.arms.get(name)
                unknown = f"{NONE}: {period.why_unknown}" if period.why_unknown else NONE
                cells.append(chance(value, of=1000, people=_people(material)) if value is not None else unknown)
            rows.append(tuple(cells))
    head = ("Harm", "Until", "Evidence", "What counts", *names)
    return Table("Harms: people of 1,000, with 9 in 10 repeated studies.", head, tuple(rows), frozenset({0, 1, 2, 3}))

"""When those who got better relapse: steps of the share still well, with the numbers still followed."""

from __future__ import annotations

import numpy as np

from rekindle.report.arms import ArmLook, arm_entries, left_out, looks
from rekindle.report.axes import frame, time_axis, value_ticks
from rekindle.report.bands import Floats
from rekindle.report.draw import Canvas, Panel, Scale, stepped
from rekindle.report.figure import Drawing, Figure, Width
from rekindle.report.material import RelapseSteps, ReportInput
from rekindle.report.numerals import lasting, plain, span
from rekindle.report.sentences import relapse_finding
from rekindle.report.tables import Table

WIDTHS: dict[Width, float] = {"wide": 540.0, "mid": 680.0, "narrow": 350.0}
LEFT, RIGHT, TOP, PLOT = 34.0, 10.0, 24.0, 206.0


def figure(material: ReportInput) -> Figure | None:
    """The relapse figure, or None when nobody responds or relapse was not followed."""
    order = looks(material)
    shown = [steps for name in order for steps in material.relapse if steps.arm == name]
    if not shown:
        return None
    definition = f" {material.relapse_definition}" if material.relapse_definition else ""
    return Figure(
        key="relapse",
        heading=relapse_finding(shown[0]),
        lead="Of 100 people who responded, how many have not relapsed, by time since their response",
        title="Time to relapse among those who responded",
        description=_description(shown),
        drawings={name: _draw(shown, order, width) for name, width in WIDTHS.items()},
        caption="Steps fall at each relapse; below them the numbers of simulated people still followed."
        + definition
        + left_out(material),
        tables=(_table(shown),),
        entries=tuple(arm_entries(material)),
        layout="half",
    )


def _draw(shown: list[RelapseSteps], order: dict[str, ArmLook], width: float) -> Drawing:
    canvas = Canvas(width, TOP + PLOT + 62 + 34 * len(shown))
    horizon = max(float(steps.times_h[-1]) for steps in shown)
    panel = Panel("relapse", Scale(0.0, horizon, LEFT, width - RIGHT - 14), Scale(0.0, 100.0, TOP + PLOT, TOP))
    axis = time_axis(horizon, 5 if width < 400 else 7)
    frame(canvas, panel, value_ticks(0, 100), axis.ticks, x_unit=f"{axis.unit} since response")
    canvas.open_panel(panel)
    for steps in reversed(shown):
        _bands(canvas, panel, steps, order[steps.arm])
    for steps in reversed(shown):
        _lines(canvas, panel, steps, order[steps.arm])
    canvas.close_panel()
    down = panel.bottom + 56
    for steps in shown:
        canvas.text(0, down, canvas.fitted(f"{steps.arm}, still followed", "ticki", width - 10), "ticki")
        for hour, count in _followed(steps, [hour for hour, _ in axis.ticks]):
            anchor = "start" if hour == 0 else "middle"
            canvas.text(panel.x(hour) - (3 if hour == 0 else 0), down + 16, f"{count:,}", "tick", anchor)
        down += 36
    return Drawing(width, canvas.height, canvas.markup())


def _bands(canvas: Canvas, panel: Panel, steps: RelapseSteps, look: ArmLook) -> None:
    """The filled bands of one arm's steps."""
    band = steps.without_relapse.times(100)
    if look.fan:
        _between(canvas, panel, steps, band.low90, band.high90, f"{look.fan}90")
    if look.fan == "b":
        _between(canvas, panel, steps, band.low50, band.high50, "b50")


def _between(canvas: Canvas, panel: Panel, steps: RelapseSteps, low: Floats, high: Floats, mark: str) -> None:
    across, below = stepped(steps.times_h, low)
    above = stepped(steps.times_h, high)[1]
    canvas.band(panel.x.all(across), panel.y.all(below), panel.y.all(above), mark)


def _lines(canvas: Canvas, panel: Panel, steps: RelapseSteps, look: ArmLook) -> None:
    """The edges of one arm's band, then its middle line."""
    band = steps.without_relapse.times(100)
    for edge in (band.low90, band.high90) if look.fan else ():
        across, up = stepped(steps.times_h, edge)
        canvas.curve(panel.x.all(across), panel.y.all(up), "edge" if look.fan == "b" else "cedge")
    across, up = stepped(steps.times_h, band.middle)
    canvas.curve(panel.x.all(across), panel.y.all(up), look.line, name=steps.arm)


def _followed(steps: RelapseSteps, hours: list[float]) -> list[tuple[float, int]]:
    """Numbers still followed at the given hours, from the last count at or before each."""
    known = sorted(steps.at_risk)
    return [
        (hour, max((pair for pair in known if pair[0] <= hour + 1e-6), default=known[0])[1])
        for hour in hours
        if known and hour <= steps.times_h[-1] + 1e-6
    ]


def _table(shown: list[RelapseSteps]) -> Table:
    horizon = max(float(steps.times_h[-1]) for steps in shown)
    hours = [hour for hour, _ in time_axis(horizon, 8).ticks]
    rows = []
    for hour in hours:
        cells = ["response" if hour == 0 else lasting(hour)]
        for steps in shown:
            index = int(np.searchsorted(steps.times_h, hour + 1e-9, side="right")) - 1
            band = steps.without_relapse.times(100)
            value = band.at(steps.times_h, float(steps.times_h[max(0, index)]))
            cells += [plain(value.middle), span(value, 0)]
        rows.append(tuple(cells))
    head = ["Since response"]
    for steps in shown:
        head += [f"{steps.arm}, without relapse, of 100", "9 in 10 studies"]
    return Table("People who responded and have not relapsed.", tuple(head), tuple(rows))


def _description(shown: list[RelapseSteps]) -> str:
    parts = ["Step lines."]
    for steps in shown:
        last = 100 * float(steps.without_relapse.middle[-1])
        followed = lasting(float(steps.times_h[-1]))
        parts.append(f"{relapse_finding(steps)}; after {followed} {plain(last)} of 100 have not relapsed.")
    return " ".join(parts)

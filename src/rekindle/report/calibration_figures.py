"""Figures of a calibration, drawn from the tables it wrote: predicted beside published, residuals, prior and posterior,
and which parameters move the published numbers.

Every figure takes rows as `csv.DictReader` gives them, so they can be drawn again without calibrating again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rekindle.report.axes import frame, nice_step, value_ticks
from rekindle.report.draw import Canvas, Panel, Scale
from rekindle.report.figure import Drawing, Figure, KeyEntry, Width, wrapped
from rekindle.report.marks import text_size
from rekindle.report.numerals import plain
from rekindle.report.tables import Table

Row = Mapping[str, str]

WIDTHS: dict[Width, float] = {"wide": 1120.0, "mid": 680.0, "narrow": 350.0}
SHOWN = 24
"""Parameters in a figure; the table has all."""

KINDS = (("points", 1.0, "points of the scale"), ("share", 100.0, "shares of people, %"))


def agreement_figure(numbers: Sequence[Row]) -> Figure:
    """Published against predicted by the posterior without the number's own trial, each with its 90 % interval."""
    outside = sum(row["inside_90"] == "no" for row in numbers)
    return Figure(
        key="calibration-agreement",
        heading=f"{len(numbers) - outside} of {len(numbers)} numbers lie in the 90 % interval of a model that has not "
        "seen their trial",
        lead="Each published number against its prediction from the other trials; on the line they agree",
        title="Published, and predicted without the trial",
        description=f"{len(numbers)} numbers.",
        drawings={name: _agreement(numbers, width) for name, width in WIDTHS.items()},
        caption="Dots are medians, bars 90 % predictive intervals. Open dots lie outside.",
        tables=(numbers_table(numbers),),
        entries=(
            KeyEntry('<circle cx="8" cy="8" r="4" class="obs"/>', 16, "inside"),
            KeyEntry('<circle cx="8" cy="8" r="4" class="obso"/>', 16, "outside its 90 % interval"),
        ),
    )


def _agreement(numbers: Sequence[Row], width: float) -> Drawing:
    shown = [
        (own, unit, words) for kind, unit, words in KINDS if (own := [row for row in numbers if row["kind"] == kind])
    ]
    columns = 1 if width < 600 else max(len(shown), 1)
    cell = (width - 30.0) / columns
    side = min(cell - 70.0, 440.0)
    canvas = Canvas(width, max(1, -(-len(shown) // columns)) * (side + 80.0))
    for place, (own, unit, words) in enumerate(shown):
        row, column = divmod(place, columns)
        _agreement_panel(canvas, own, unit, words, column * cell + 50.0, row * (side + 80.0) + 26.0, side)
    return Drawing(width, canvas.height, canvas.markup())


def _agreement_panel(
    canvas: Canvas, numbers: Sequence[Row], unit: float, words: str, left: float, top: float, side: float
) -> None:
    ends = [unit * float(row[name]) for row in numbers for name in ("published", "left_out")]
    step = nice_step(max(ends) - min(ends) or 1.0, 5)
    low, high = step * (min(ends) // step), -step * (-max(ends) // step)
    panel = Panel(words, Scale(low, high, left, left + side), Scale(low, high, top + side, top))
    canvas.text(left, top - 10, words, "phead")
    ticks = value_ticks(low, high)
    frame(canvas, panel, ticks, ticks, x_unit="predicted")
    canvas.line(panel.x(low), panel.y(low), panel.x(high), panel.y(high), "threshold")
    canvas.open_panel(panel)
    for row in numbers:
        y = panel.y(unit * float(row["published"]))
        start, end = (min(max(unit * float(row[name]), low), high) for name in ("left_out_05", "left_out_95"))
        canvas.line(panel.x(start), y, panel.x(end), y, "i90")
    for row in numbers:
        x = panel.x(min(max(unit * float(row["left_out"]), low), high))
        canvas.circle(x, panel.y(unit * float(row["published"])), 3.5, "obs" if row["inside_90"] == "yes" else "obso")
    canvas.close_panel()


def residual_figure(numbers: Sequence[Row]) -> Figure:
    """Standardised residuals of every number, trial by trial."""
    scores = [float(row["z"]) for row in numbers]
    beyond = sum(abs(score) > 1.96 for score in scores)
    return Figure(
        key="calibration-residuals",
        heading=f"{beyond} of {len(scores)} numbers lie more than 1.96 standard deviations off their prediction",
        lead="Published less predicted, over the standard deviation of the prediction, without the number's own trial",
        title="Standardised residuals",
        description=f"{len(scores)} numbers; {beyond} beyond 1.96.",
        drawings={name: _residuals(numbers, width) for name, width in WIDTHS.items()},
        caption="One row a trial, one dot a number. Dashed lines: 1.96 standard deviations.",
        tables=(numbers_table(numbers),),
    )


def _residuals(numbers: Sequence[Row], width: float) -> Drawing:
    trials = list(dict.fromkeys(row["trial"] for row in numbers))
    left, pitch = (190.0 if width > 400 else 130.0), 20.0
    bottom = 16.0 + pitch * len(trials)
    canvas = Canvas(width, bottom + 46.0)
    largest = max(3.0, max(abs(float(row["z"])) for row in numbers))
    panel = Panel("residuals", Scale(-largest, largest, left, width - 20.0), Scale(0.0, 1.0, bottom, 16.0))
    frame(canvas, panel, (), value_ticks(-largest, largest, 6), x_unit="standard deviations")
    for value in (-1.96, 0.0, 1.96):
        mark = "axis0" if value == 0.0 else "threshold"
        canvas.line(panel.x(value), panel.top, panel.x(value), panel.bottom, mark)
    for place, trial in enumerate(trials):
        y = 16.0 + pitch * (place + 0.5)
        canvas.text(left - 10.0, y + 4, trial, "tick", "end")
        for row in numbers:
            if row["trial"] == trial:
                canvas.circle(panel.x(float(row["z"])), y, 3.5, "obs" if row["inside_90"] == "yes" else "obso")
    return Drawing(width, canvas.height, canvas.markup())


def learning_figure(parameters: Sequence[Row]) -> Figure:
    """Prior beside posterior of the parameters that the trials inform most, in units of the prior interval."""
    rows = sorted(parameters, key=lambda row: float(row["sd_ratio"]))
    informed = sum(row["informed"] == "yes" for row in rows)
    shown = rows[:SHOWN]
    cells = tuple(
        (
            row["parameter"],
            row["grade"],
            *(_amount(row[name]) for name in ("prior", "prior_05", "prior_95")),
            *(_amount(row[name]) for name in ("posterior", "posterior_05", "posterior_95")),
            plain(float(row["sd_ratio"]), -2),
            row["informed"],
        )
        for row in rows
    )
    head = ("Parameter", "Grade", "Prior", "5 %", "95 %", "Posterior", "5 %", "95 %", "SD ratio", "Informed")
    return Figure(
        key="calibration-learning",
        heading=f"The trials inform {informed} of {len(rows)} estimated values",
        lead="Prior interval (open) and posterior interval (bar), middle nine tenths; each row in units of its prior",
        title="Prior and posterior",
        description=f"{informed} of {len(rows)} values have a posterior below nine tenths of the prior's width.",
        drawings={name: _learning(shown, width) for name, width in WIDTHS.items()},
        caption=f"The {len(shown)} that changed most; the table has all.",
        tables=(Table("Prior and posterior.", head, cells, frozenset({0, 1, 9})),),
    )


def _learning(rows: Sequence[Row], width: float) -> Drawing:
    left, pitch = (260.0 if width > 400 else 150.0), 24.0
    bottom = 10.0 + pitch * len(rows)
    canvas = Canvas(width, bottom + 16.0)
    across = Scale(-0.15, 1.15, left, width - 20.0)
    for place, row in enumerate(rows):
        y = 10.0 + pitch * (place + 0.5)
        low, high = float(row["prior_05"]), float(row["prior_95"])
        size = (high - low) or 1.0
        ends = [min(max((float(row[f"posterior{end}"]) - low) / size, -0.15), 1.15) for end in ("_05", "", "_95")]
        canvas.text(left - 10.0, y + 4, wrapped(row["parameter"], left - 12.0, text_size("tick"))[0], "tick", "end")
        canvas.rect(across(0.0), y - 7.0, across(1.0) - across(0.0), 14.0, "bard")
        canvas.rect(across(ends[0]), y - 5.0, max(across(ends[2]) - across(ends[0]), 1.0), 10.0, "bar")
        canvas.circle(across(ends[1]), y, 3.5, "obs")
    return Drawing(width, canvas.height, canvas.markup())


def screening_figure(screening: Sequence[Row], *, moved: str) -> Figure:
    """Parameters by importance in a Morris screening (rows with `parameter` and `importance`), largest first.

    Rows without an importance were not screened and are left out.
    """
    rows = sorted((row for row in screening if row["importance"]), key=lambda row: -float(row["importance"]))
    shown = rows[:SHOWN]
    cells = tuple((row["parameter"], plain(float(row["importance"]), -2)) for row in rows)
    return Figure(
        key="calibration-screening",
        heading=f"{shown[0]['parameter']} moves {moved} most",
        lead=f"Mean absolute effect on {moved} of moving one parameter through half of its range (Morris screening)",
        title="Which parameters matter",
        description=" ".join(f"{row['parameter']} {float(row['importance']):.2f}." for row in shown),
        drawings={name: _bars(shown, width) for name, width in WIDTHS.items()},
        caption=f"The {len(shown)} largest of {len(rows)}.",
        tables=(Table("Screening.", ("Parameter", "Effect"), cells, frozenset({0})),),
    )


def _bars(rows: Sequence[Row], width: float) -> Drawing:
    left, pitch = (260.0 if width > 400 else 150.0), 20.0
    bottom = 10.0 + pitch * len(rows)
    canvas = Canvas(width, bottom + 46.0)
    step = nice_step(float(rows[0]["importance"]) or 1.0, 4)
    high = -step * (-float(rows[0]["importance"]) // step)
    panel = Panel("screening", Scale(0.0, high, left, width - 20.0), Scale(0.0, 1.0, bottom, 10.0))
    frame(canvas, panel, (), value_ticks(0.0, high, 5), x_unit="mean absolute effect")
    for place, row in enumerate(rows):
        y = 10.0 + pitch * (place + 0.5)
        canvas.text(left - 10.0, y + 4, wrapped(row["parameter"], left - 12.0, text_size("tick"))[0], "tick", "end")
        canvas.rect(left, y - 6.0, panel.x(float(row["importance"])) - left, 12.0, "bar")
    return Drawing(width, canvas.height, canvas.markup())


PERCENTILE_WORDS = {"10": "10th", "50": "middle", "90": "90th"}


def visual_check_figure(rows: Sequence[Row]) -> Figure:
    """Individual ratings beside simulated trials: percentiles over persons, observed on simulated bands.

    `rows` have `arm`, `day`, `persons`, `percentile`, `observed`, `low`, `middle`, `high` and `ratings`.
    """
    inside = sum(float(row["low"]) <= float(row["observed"]) <= float(row["high"]) for row in rows)
    cells = tuple(
        (f"{row['arm']}, day {row['day']}", row["persons"], f"{PERCENTILE_WORDS[str(row['percentile'])]}",
         plain(float(row["observed"]), -1), f"{plain(float(row['low']), -1)} to {plain(float(row['high']), -1)}")
        for row in rows
    )  # fmt: skip
    return Figure(
        key="calibration-visual-check",
        heading=f"{inside} of {len(rows)} percentiles over persons lie where nine in ten simulated trials put them",
        lead="Ratings of single patients; bars: where the 10th percentile, the middle and the 90th percentile over "
        "persons lie in nine of ten trials simulated without these patients",
        title="Visual predictive check of individual ratings",
        description=" ".join(" ".join(cell) + "." for cell in cells),
        drawings={name: _visual_check(rows, width) for name, width in WIDTHS.items()},
        caption="Dots: patients. Diamonds: their 10th percentile, middle and 90th percentile. Bars: simulated trials "
        "of as many persons, under parameters that have not seen them.",
        tables=(Table("Visual predictive check, points of the MADRS.",
                      ("Visit", "Persons", "Percentile", "Observed", "Simulated, 90 %"), cells, frozenset({0, 2, 4})),),
    )  # fmt: skip


def _visual_check(rows: Sequence[Row], width: float) -> Drawing:
    visits = list(dict.fromkeys((row["arm"], row["day"]) for row in rows))
    bottom, left = 330.0, 46.0
    canvas = Canvas(width, bottom + 46.0)
    panel = Panel("visits", Scale(0.0, float(len(visits)), left, width - 12.0), Scale(0.0, 60.0, bottom, 18.0))
    frame(canvas, panel, value_ticks(0.0, 60.0, 6), (), x_unit="")
    for place, visit in enumerate(visits):
        own = [row for row in rows if (row["arm"], row["day"]) == visit]
        middle, size = panel.x(place + 0.5), panel.x(1.0) - panel.x(0.0)
        for order, row in enumerate(own):
            start, across = middle + (0.16 * order - 0.42) * size, 0.12 * size
            top, low = panel.y(float(row["high"])), panel.y(float(row["low"]))
            canvas.rect(start, top, across, max(low - top, 1.0), "bar")
            canvas.line(start, panel.y(float(row["middle"])), start + across, panel.y(float(row["middle"])), "edge")
            canvas.diamond(start + across / 2.0, panel.y(float(row["observed"])), 6.0, "obs")
        for rank, rating in enumerate(own[0]["ratings"].split()):
            canvas.circle(middle + (0.16 + 0.08 * (rank % 3)) * size, panel.y(float(rating)), 3.0, "obso")
        words = f"{visit[0]}, day {visit[1]}" if width > 400 else f"{visit[0][:3]}. {visit[1]}"
        canvas.text(middle, bottom + 18.0, words, "tick", "middle")
        canvas.text(middle, bottom + 34.0, f"{own[0]['persons']} persons" if width > 400 else own[0]["persons"],
                    "tick", "middle")  # fmt: skip
    return Drawing(width, canvas.height, canvas.markup())


def numbers_table(numbers: Sequence[Row]) -> Table:
    """Every published number beside its predictions."""
    rows = tuple(
        (
            row["trial"],
            row["label"] or row["number"],
            _amount(row["published"]),
            _amount(row["fitted"]),
            _amount(row["left_out"]),
            f"{_amount(row['left_out_05'])} to {_amount(row['left_out_95'])}",
            plain(float(row["z"]), -1, signed=True),
        )
        for row in numbers
    )
    head = ("Trial", "What", "Published", "Fitted", "Without its trial", "90 %", "z")
    return Table("Every fitted number.", head, rows, frozenset({0, 1, 5}))


def _amount(text: str) -> str:
    return f"{float(text):.3g}"

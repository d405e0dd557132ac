"""Putting the page about a person together: one file that opens anywhere and asks the network for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from rekindle.inference.saved import model_facts
from rekindle.inference.update import TOO_LITTLE
from rekindle.mechanism.ensemble import calibrated
from rekindle.report.figure import Figure
from rekindle.report.html import STATEMENT, content_hash
from rekindle.report.marks import PATTERNS
from rekindle.report.person import words
from rekindle.report.person.behind import fading_figure, gain_figure
from rekindle.report.person.course import course_figure
from rekindle.report.person.lasting import lasting_figure
from rekindle.report.person.limits import NO_LIMITS, ShownLimits
from rekindle.report.person.options import options_figure
from rekindle.report.person.session import session_figure
from rekindle.report.plain import page_style, page_template
from rekindle.report.tables import Table, keyed

if TYPE_CHECKING:
    from rekindle.inference.outlook import Outlook

PAGE = "forecast.html"


UNCALIBRATED = "The model's parameters are not calibrated yet: they are drawn from their plausible ranges."


def person_figures(outlook: Outlook) -> tuple[Figure, ...]:
    """Every figure of the page that there is something to draw for, in its order."""
    others = [each.scale for each in outlook.plan.scales if each.scale != outlook.main]
    found = (
        course_figure(outlook, outlook.main),
        lasting_figure(outlook),
        gain_figure(outlook),
        fading_figure(outlook),
        session_figure(outlook),
        options_figure(outlook),
        *(course_figure(outlook, name, key=f"course-{place}") for place, name in enumerate(others, start=2)),
    )
    return tuple(figure for figure in found if figure is not None)


def write_person_page(outlook: Outlook, out_dir: str | Path, limits: ShownLimits | None = None) -> Path:
    """Write `forecast.html` and `figures/*.svg` into a folder; return the page's path.

    Raises:
        OSError: the folder cannot be written.
    """
    folder = Path(out_dir)
    drawn = person_figures(outlook)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for figure in drawn:
        figure.save(folder / "figures" / f"{figure.key}.svg")
    target = folder / PAGE
    target.write_text(render_person(outlook, limits, drawn=drawn), encoding="utf-8")
    return target


def render_person(outlook: Outlook, limits: ShownLimits | None = None, *, drawn: Sequence[Figure] | None = None) -> str:
    """The page as one string of HTML."""
    figures = person_figures(outlook) if drawn is None else drawn
    style = page_style()
    made = outlook.plan.provenance
    template = page_template(files("rekindle.report.person").joinpath("person.html").read_text(encoding="utf-8"))
    return str(
        template.render(
            stop=words.stop(outlook),
            subtitle=words.subtitle(outlook),
            answer=words.working(outlook),
            facts=words.facts(outlook),
            cautions=words.cautions(outlook),
            questions=words.questions(outlook),
            calibration="" if calibrated() else UNCALIBRATED,
            rows=_rows(figures),
            navigation=[(one.key, one.title) for one in figures] + [("limits", "Limits"), ("unknown", "Not known")],
            limits=limits or NO_LIMITS,
            unknowns=words.unknowns(outlook),
            making=making_table(outlook),
            statement=STATEMENT,
            patterns=Markup(PATTERNS),
            style=Markup(style),
            policy=f"default-src 'none'; style-src '{content_hash(style)}'; base-uri 'none'; form-action 'none'",
            version=made.version,
            seed=made.seed,
            made_on=made.made_at[:10],
        )
    )


def _rows(figures: Sequence[Figure]) -> list[tuple[str, list[Figure]]]:
    """Halves beside one another, the rest alone."""
    rows: list[tuple[str, list[Figure]]] = []
    for figure in figures:
        if figure.layout == "half" and rows and rows[-1][0] == "halves" and len(rows[-1][1]) == 1:
            rows[-1][1].append(figure)
        else:
            rows.append(("halves" if figure.layout == "half" else "solo", [figure]))
    return [(f"solo {kind}" if kind == "halves" and len(group) == 1 else kind, group) for kind, group in rows]


def _parameters() -> str:
    known = model_facts()
    if not known["calibrated_at"]:
        return "drawn from their plausible ranges, before calibration"
    return f"calibrated from {known['calibrated_from_trials']} trials, {str(known['calibrated_at'])[:10]}"


def making_table(outlook: Outlook) -> Table:
    """How the page was made, as a table of words."""
    found, made = outlook.posterior, outlook.plan.provenance
    learned = ", ".join(f"{each.name.replace('_', ' ')} ({each.mean:+.1f} of a spread)" for each in found.learned[:3])
    rows = {
        "Version": made.version,
        "Parameters": _parameters(),
        "Made at": made.made_at,
        "Digest of the data": made.inputs.get("person", ""),
        "Seed": str(made.seed),
        "Candidates": f"{len(found.weights):,} kept, worth {found.effective:,.0f} independent ones",
        "Pareto k": f"{found.pareto_k:.2f} (below 0.7 is well)",
        "Chance of ratings as odd": f"{found.surprise:.2g}",
        "Learned most about": learned if found.verdict != TOO_LITTLE else "",
        "Could not be solved": f"{found.unsolved:,} of {len(found.weights):,} candidates" if found.unsolved else "",
    }
    return keyed({name: value for name, value in rows.items() if value}, "Enough to make it again.", ("What", "Value"))

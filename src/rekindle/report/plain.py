"""A page of findings that is no study: an answer, a few facts, figures and tables, in the look of the report.

One file that opens anywhere, asks the network for nothing, and holds no script.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, Template
from markupsafe import Markup

from rekindle import __version__
from rekindle.report import palette
from rekindle.report.figure import Figure
from rekindle.report.html import STATEMENT, content_hash
from rekindle.report.marks import PATTERNS, page_css
from rekindle.report.tables import Table, keyed


@dataclass(frozen=True)
class PlainFact:
    """One number in large type: its kind and name above, a note below."""

    kind: str
    name: str
    big: str
    small: str = ""
    note: str = ""


@dataclass(frozen=True)
class PlainPage:
    """What stands on a page, from the top; `above` before everything. `tables` are (key, heading, table)."""

    title: str
    subtitle: str
    answer: str
    facts: tuple[PlainFact, ...] = ()
    above: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[tuple[str, str, Table], ...] = ()
    made: Mapping[str, str] = field(default_factory=dict)
    closing: str = (
        "It describes groups like this one. Decisions about one person belong to that person and their clinician."
    )
    seed: int = 1
    version: str = __version__
    made_on: str = field(default_factory=lambda: datetime.now(UTC).strftime("%Y-%m-%d"))

    @property
    def making(self) -> Table:
        """How the page was made, as a table of words."""
        rows = {"Version": self.version, "Made on": self.made_on, "Seed": str(self.seed), **self.made}
        return keyed(
            {name: value for name, value in rows.items() if value}, "Enough to make it again.", ("What", "Value")
        )


def write_plain(page: PlainPage, out_dir: str | Path) -> Path:
    """Write `report.html` and `figures/*.svg` into a folder; return the page's path.

    Raises:
        OSError: the folder cannot be written.
    """
    folder = Path(out_dir)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for figure in page.figures:
        figure.save(folder / "figures" / f"{figure.key}.svg")
    target = folder / "report.html"
    target.write_text(render_plain(page), encoding="utf-8")
    return target


def page_style() -> str:
    """The style of a page without a script: colours by day, by night and on paper, marks, and layout."""
    light, dark, paper = (palette.variables(one) for one in (palette.LIGHT, palette.DARK, palette.PAPER))
    return (
        f":root{{color-scheme:light dark;{light}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}@media print{{:root{{{paper}}}}}"
        + page_css()
        + files("rekindle.report").joinpath("style.css").read_text(encoding="utf-8").strip()
    )


def page_template(text: str) -> Template:
    """A template in which `figure` draws a figure with its caption and table, and `markup` leaves text as it is."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["markup"] = Markup
    macro = files("rekindle.report").joinpath("figure.html").read_text(encoding="utf-8")
    return environment.from_string(macro + text)


def render_plain(page: PlainPage) -> str:
    """The page as one string of HTML."""
    style = page_style()
    template = page_template(files("rekindle.report").joinpath("plain.html").read_text(encoding="utf-8"))
    return str(
        template.render(
            page=page,
            statement=STATEMENT,
            patterns=Markup(PATTERNS),
            style=Markup(style),
            policy=f"default-src 'none'; style-src '{content_hash(style)}'; base-uri 'none'; form-action 'none'",
        )
    )

"""The page: one file that opens anywhere, asks the network for nothing and stays readable without scripts.

The style and the script are written into the file and named by their SHA-256 in its content security
policy, which forbids everything else. `write_report` also saves every figure as a file of its own.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from rekindle.report import palette
from rekindle.report.bibliography import claims_finding, references, sources_finding
from rekindle.report.figure import WIDTHS, Figure
from rekindle.report.figures import draw_figures
from rekindle.report.hero import facts, hundreds
from rekindle.report.marks import PATTERNS, page_css
from rekindle.report.material import ReportInput
from rekindle.report.sentences import answer_words
from rekindle.report.tables import Table, endpoints_table, keyed

STATEMENT = "It informs clinicians; it decides nothing."
NAVIGATION = (
    ("course", "Course"),
    ("people", "People"),
    ("items", "Symptoms"),
    ("chain", "Inside the brain"),
    ("session", "First hours"),
    ("harms", "Harms"),
    ("endpoints", "Endpoints"),
    ("evidence", "Evidence"),
)


def write_report(material: ReportInput, out_dir: str | Path) -> Path:
    """Write `report.html` and `figures/*.svg` into `out_dir`, making it if need be; return the page's path.

    Raises:
        OSError: the folder cannot be written.
    """
    folder = Path(out_dir)
    drawn = draw_figures(material)
    page = render(material, drawn)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for figure in drawn.values():
        figure.save(folder / "figures" / f"{figure.key}.svg")
    target = folder / "report.html"
    target.write_text(page, encoding="utf-8")
    return target


def render(material: ReportInput, drawn: Mapping[str, Figure] | None = None) -> str:
    """The page as one string of HTML."""
    shown = dict(draw_figures(material) if drawn is None else drawn)
    style, script = _style(material), _resource("script.js")
    instant, dots = hundreds(material)
    present = {*shown, *(["endpoints"] if material.endpoints else []), "evidence"}
    sections: dict[str, Any] = {
        "material": material,
        "study": material.study,
        "answer": answer_words(material),
        "instant": instant,
        "hundreds": dots,
        "facts": facts(material),
        "rows": _rows(shown),
        "navigation": [pair for pair in NAVIGATION if pair[0] in present],
        "endpoints": endpoints_table(material) if material.endpoints else None,
        "drivers": shown.get("drivers"),
        "claims_heading": claims_finding(material) if material.claims else "",
        "references": references(material),
        "sources_heading": sources_finding(material),
        "making": making_table(material),
        "statement": STATEMENT,
        "patterns": Markup(PATTERNS),
        "style": Markup(style),
        "script": Markup(script),
        "policy": f"default-src 'none'; style-src '{content_hash(style)}'; script-src '{content_hash(script)}'; "
        "base-uri 'none'; form-action 'none'",
        "readings": Markup(_readings(shown)),
    }
    return str(_template().render(sections))


def making_table(material: ReportInput) -> Table:
    """How the result was made, as a table of words."""
    study, making = material.study, material.making
    rows = {
        "Version": making.version,
        "Made on": making.made_on,
        "Study file": making.study_file,
        "Command": making.command,
        "Seed": str(making.seed),
        "People": f"{study.people_per_arm:,} an arm",
        "Repeated studies": f"{study.repeated_studies:,}, each of {study.repeat_size:,} people an arm",
        "Population": study.population,
        "Parameters": "as published or assumed, before calibration"
        if study.before_calibration
        else "the middle of the calibrated ensemble; each repeated study a draw of it",
        **{f"Digest of {name}": value for name, value in making.inputs.items()},
        **dict(making.settings),
        "Left out": "; ".join(making.unsolved) if making.unsolved else "nobody; everyone could be simulated",
    }
    return keyed({name: value for name, value in rows.items() if value}, "Enough to make it again.", ("What", "Value"))


def _rows(shown: Mapping[str, Figure]) -> list[tuple[str, list[Figure]]]:
    """Figures in rows: the course with its side figure, halves in pairs, the rest alone; drivers stand
    apart.
    """
    rows: list[tuple[str, list[Figure]]] = []
    for figure in shown.values():
        if figure.key == "drivers":
            continue
        kind = "pair" if figure.layout in ("main", "side") else "halves" if figure.layout == "half" else "solo"
        if rows and kind != "solo" and rows[-1][0] == kind and len(rows[-1][1]) < 2:
            rows[-1][1].append(figure)
        else:
            rows.append((kind, [figure]))
    return [(kind if len(group) > 1 else f"solo {kind}", group) for kind, group in rows]


def _readings(shown: Mapping[str, Figure]) -> str:
    """What the sliders need, as JSON that cannot close its own element."""
    data = {
        figure.key: {
            "text": figure.reading.sentences,
            "at": {width: figure.drawings[width].reading for width in WIDTHS},
        }
        for figure in shown.values()
        if figure.reading is not None
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _style(material: ReportInput) -> str:
    light, dark, paper = (palette.variables(one) for one in (palette.LIGHT, palette.DARK, palette.PAPER))
    variables = (
        f":root{{color-scheme:light dark;{light}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}@media print{{:root{{{paper}}}}}"
    )
    warning = "Outside the model's domain" if material.study.outside_domain else ""
    warning = warning or ("Before calibration" if material.study.before_calibration else "")
    running = f'@page{{@top-right{{content:"{warning}"}}}}' if warning else ""
    return variables + page_css() + _resource("style.css") + running


@cache
def _resource(name: str) -> str:
    return files("rekindle.report").joinpath(name).read_text(encoding="utf-8").strip()


def _template() -> Any:
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["capital"] = lambda words: words[:1].upper() + words[1:]
    environment.filters["markup"] = Markup
    return environment.from_string(_resource("page.html"))


def content_hash(text: str) -> str:
    """How a content security policy names a text that it allows."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

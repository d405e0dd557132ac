"""How each kind of mark on a chart looks: one table that makes the page's CSS and the saved files'
attributes.

A mark is named for what it means (`b90` the nine-in-ten band of an average, `ci` a published interval,
`limit` a line not to cross). Colours are roles of `palette`; a drawing itself holds class names and no
colour.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping

SANS = 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif'
SERIF = 'Charter,"Bitstream Charter","Sitka Text",Cambria,"Noto Serif","Liberation Serif",Georgia,serif'
_COLOURED = ("fill", "stroke")

TEXTS: Mapping[str, Mapping[str, str]] = {
    "sheet": {"font-size": "20px", "font-weight": "600", "font-family": SERIF, "fill": "ink"},
    "tick": {"font-size": "12.5px", "fill": "ink2"},
    "ticki": {"font-size": "12.5px", "fill": "ink"},
    "zone": {"font-size": "12.5px", "fill": "ink3"},
    "phead": {"font-size": "13.5px", "font-weight": "600", "fill": "ink"},
    "lab": {"font-size": "14px", "font-weight": "600", "fill": "ink"},
    "labd": {"font-size": "14px", "font-weight": "600", "fill": "drug"},
    "labc": {"font-size": "14px", "font-weight": "600", "fill": "comp"},
    "lab2": {"font-size": "12.5px", "fill": "ink"},
    "labn": {"font-size": "12.5px", "font-weight": "600", "fill": "ink"},
    "rname": {"font-size": "14.5px", "font-weight": "600", "fill": "ink"},
    "rsum": {"font-size": "13px", "fill": "ink"},
    "in1": {"font-size": "12.5px", "font-weight": "600", "fill": "on1"},
    "in2": {"font-size": "12.5px", "font-weight": "600", "fill": "on2"},
    "in3": {"font-size": "12.5px", "font-weight": "600", "fill": "on3"},
    "stopt": {"font-size": "12.5px", "font-weight": "600", "fill": "stop"},
}

_HALO = {"paint-order": "stroke", "stroke": "page", "stroke-width": "4px", "stroke-linejoin": "round"}
_LINE = {"fill": "none", "stroke-linejoin": "round"}

MARKS: Mapping[str, Mapping[str, str]] = {
    "halo": _HALO,
    # frame
    "grid": {"stroke": "grid", "stroke-width": "1"},
    "axis0": {"stroke": "ink3", "stroke-width": "1"},
    "threshold": {"stroke": "ink3", "stroke-width": "1", "stroke-dasharray": "2 3"},
    "leader": {"fill": "none", "stroke": "rule", "stroke-width": "1"},
    "limit": {"stroke": "stop", "stroke-width": "1.5", "stroke-dasharray": "7 4"},
    "during": {"fill": "grid"},
    "rest": {"stroke": "ink3", "stroke-width": "1", "stroke-dasharray": "1 3"},
    "peak": {"fill": "ink"},
    # forecast: how well an average is known
    "b90": {"fill": "b90"},
    "b50": {"fill": "b50"},
    "edge": {"fill": "none", "stroke": "edge", "stroke-width": "0.75"},
    "kline": {**_LINE, "stroke": "drug", "stroke-width": "2.5"},
    "rodent": {**_LINE, "stroke": "drug", "stroke-width": "2.5", "stroke-dasharray": "9 4"},
    "assumed": {**_LINE, "stroke": "drug", "stroke-width": "2.5", "stroke-dasharray": "2 4", "stroke-linecap": "round"},
    "c90": {"fill": "c90"},
    "cedge": {"fill": "none", "stroke": "comp", "stroke-width": "0.75", "stroke-dasharray": "3 3"},
    "cline": {**_LINE, "stroke": "comp", "stroke-width": "2", "stroke-dasharray": "6 4"},
    "bline": {**_LINE, "stroke": "armB", "stroke-width": "2"},
    "bmark": {"fill": "armB", "stroke": "page", "stroke-width": "1"},
    "dline": {**_LINE, "stroke": "armC", "stroke-width": "2", "stroke-dasharray": "9 3 2 3"},
    # forecast: how much people differ
    "spread": {"fill": "spread"},
    "people": {
        "fill": "none", "stroke": "edge", "stroke-width": "1.5", "stroke-dasharray": "0.1 4", "stroke-linecap": "round"
    },
    # evidence
    "ci": {"stroke": "ink", "stroke-width": "1.25"},
    "obs": {"fill": "ink", "stroke": "page", "stroke-width": "1.25"},
    "obso": {"fill": "page", "stroke": "ink", "stroke-width": "1.5"},
    "glyph": {"fill": "page", "stroke": "ink", "stroke-width": "1.4"},
    "glyphf": {"fill": "ink", "stroke": "ink", "stroke-width": "1.4"},
    "glyphd": {"fill": "page", "stroke": "ink", "stroke-width": "1.4", "stroke-dasharray": "1.6 1.9"},
    "dose": {"fill": "drug"},
    # where people are
    "st": {"stroke": "page", "stroke-width": "1.25"},
    "s1": {"fill": "s1"}, "s2": {"fill": "s2"}, "s3": {"fill": "s3"},
    "s4": {"fill": "url(#hatch)"}, "s5": {"fill": "s5"}, "s6": {"fill": "url(#specks)"},
    "instant": {"stroke": "page", "stroke-width": "1.5", "stroke-dasharray": "2 3"},
    "p0": {"fill": "s1"}, "p1": {"fill": "s2"}, "p2": {"fill": "s3"},
    "p3": {"fill": "none", "stroke": "ink3", "stroke-width": "1"},
    # intervals
    "i90": {"stroke": "edge", "stroke-width": "2"},
    "i50": {"stroke": "drug", "stroke-width": "6"},
    "imid": {"fill": "page", "stroke": "drug", "stroke-width": "2.5"},
    "j90": {"stroke": "comp", "stroke-width": "1.5", "stroke-dasharray": "3 2"},
    "jmid": {"fill": "none", "stroke": "comp", "stroke-width": "2.5"},
    "unknown": {"fill": "url(#nodata)"},
    "bar": {"fill": "b50", "stroke": "edge", "stroke-width": "0.75"},
    "bard": {"fill": "page", "stroke": "edge", "stroke-width": "1.25", "stroke-dasharray": "2 2"},
    "barr": {"fill": "b90", "stroke": "edge", "stroke-width": "1.25", "stroke-dasharray": "6 3"},
    "read": {"stroke": "ink", "stroke-width": "1", "visibility": "hidden"},
    # patterns
    "ph1": {"fill": "s4"}, "ph2": {"stroke": "s2", "stroke-width": "2"},
    "ps1": {"fill": "s6"}, "ps2": {"fill": "ink3"},
    "pn1": {"fill": "page"}, "pn2": {"stroke": "rule", "stroke-width": "1.5"},
}  # fmt: skip

PATTERNS = (
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" class="ph1"/><line x1="0" y1="0" x2="0" y2="6" class="ph2"/></pattern>'
    '<pattern id="specks" width="7" height="7" patternUnits="userSpaceOnUse">'
    '<rect width="7" height="7" class="ps1"/><circle cx="2" cy="2" r="0.9" class="ps2"/></pattern>'
    '<pattern id="nodata" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">'
    '<rect width="7" height="7" class="pn1"/><line x1="0" y1="0" x2="0" y2="7" class="pn2"/></pattern>'
)


def text_size(mark: str) -> float:
    """Font size in pixels of a text mark such as 'tick' or 'phead halo'."""
    return float(TEXTS[mark.split()[0]]["font-size"].removesuffix("px"))


def page_css() -> str:
    """CSS rules for every mark, with colours as variables, for the page."""
    rules = [f"svg text{{font-family:{SANS};font-variant-numeric:tabular-nums lining-nums}}"]
    for name, properties in {**TEXTS, **MARKS}.items():
        body = ";".join(f"{key}:{_variable(key, value)}" for key, value in properties.items())
        rules.append(f".{name}{{{body}}}")
    return "".join(rules)


def resolved(markup: str, palette: Mapping[str, str]) -> str:
    """The same SVG with classes turned into plain attributes, so that any program draws it alike.

    Reading lines, which only a live page can move, are left out. A text's halo takes effect through its
    attributes.
    """
    ET.register_namespace("", "http://www.w3.org/2000/svg")
    root = ET.fromstring(markup)
    parents = {child: parent for parent in root.iter() for child in parent}
    for element in list(root.iter()):
        names = (element.attrib.pop("class", "") or "").split()
        if "read" in names:
            parents[element].remove(element)
        for name in names:
            for key, value in (TEXTS.get(name) or MARKS.get(name) or {}).items():
                element.set(key, palette.get(value, value) if key in _COLOURED else value)
        for key in [key for key in element.attrib if key.startswith("data-")]:
            del element.attrib[key]
    return ET.tostring(root, encoding="unicode")


def _variable(key: str, value: str) -> str:
    plain = value == "none" or value.startswith("url(")
    return f"var(--{value})" if key in _COLOURED and not plain else value

"""The page on outcomes names every scale, every rule of relapse and every topic without evidence."""

from __future__ import annotations

from pathlib import Path

from rekindle.outcomes import SCALES
from rekindle.outcomes.endpoints import CLASSES, relapse_rules
from rekindle.population import KINDS

DOCS = Path(__file__).parents[2] / "docs"


def test_every_scale_rule_and_class_stands_on_the_page() -> None:
    page = (DOCS / "outcomes.md").read_text(encoding="utf-8").replace("\n", " ")
    missing = [name for name in (*SCALES, *relapse_rules(), *CLASSES) if name not in page]
    assert not missing


def test_remission_lines_on_the_page_are_those_of_the_scales() -> None:
    page = (DOCS / "outcomes.md").read_text(encoding="utf-8")
    for scale in SCALES.values():
        for line in scale.remission:
            words = {"<=": "at most", "<": "below"}[line.comparison]
            rows = [row for row in page.splitlines() if row.startswith("|") and scale.name in row]
            assert any(f"{words} {line.value:g}" in row for row in rows), line.name


def test_every_population_stands_on_the_page() -> None:
    page = (DOCS / "population.md").read_text(encoding="utf-8")
    assert not [kind for kind in KINDS if f"`{kind}`" not in page]

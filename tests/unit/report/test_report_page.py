"""The page: self-contained, safe, in order, and the same for everyone who opens it."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from types import ModuleType

import pytest

from rekindle.report.html import STATEMENT, render
from rekindle.report.material import ReportInput
from rekindle.report.numerals import NBSP
from rekindle.report.sentences import answer

VOID = {"meta", "input", "br", "link", "img", "hr"}


class Reader(HTMLParser):
    """Collects elements with attributes and text by element; raises when tags do not nest."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: dict[str, list[str]] = {}
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1] == tag, f"</{tag}> closes {self._open[-3:]}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open:
            self.words.setdefault(self._open[-1], []).append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader._open == []
    return reader


def test_tags_nest_ids_are_unique_and_every_reference_has_its_target(page: str) -> None:
    reader = read(page)
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = [name for _, a in reader.elements for name in a.get("aria-labelledby", "").split()]
    wanted += [a["href"][1:] for a in reader.all("a") if a.get("href", "").startswith("#")]
    assert set(wanted) <= set(ids)
    assert {name for a in re.findall(r"url\(#(\w+)\)", page) for name in [a]} <= set(ids)


def test_opening_the_page_asks_for_nothing(page: str) -> None:
    reader = read(page)
    for tag, attributes in reader.elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "audio", "video", "base", "form", "image", "use"}
        assert "src" not in attributes and "srcset" not in attributes, (tag, attributes)
        assert not any(name.startswith("on") or name == "style" for name in attributes), (tag, attributes)
    css = re.search(r"<style>(.*?)</style>", page, re.S)
    assert css is not None and not re.search(r"@import|@font-face|url\((?!#)", css[1])
    script = re.search(r"<script>(.*?)</script>", page, re.S)
    assert script is not None and not re.search(r"fetch|XMLHttp|import\(|https?:|eval|innerHTML", script[1])


def test_the_policy_allows_this_style_and_this_script_and_nothing_else(page: str) -> None:
    policy = next(a["content"] for a in read(page).all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for rule, tag in (("style-src", "style"), ("script-src", "script")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"


def test_the_page_is_under_a_megabyte(page: str) -> None:
    assert len(page.encode()) < 1_000_000


def test_a_year_of_weekly_sessions_in_four_arms_stays_under_a_megabyte(
    invented: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invented, "HORIZON_H", 52 * 168.0)
    monkeypatch.setattr(invented, "END_H", 40 * 168.0)
    monkeypatch.setattr(invented, "SESSIONS_H", tuple(168.0 * week for week in range(40)))
    page = render(invented.material(("ketamine", "midazolam", "esketamine 56 mg", "esketamine 84 mg")))
    assert len(page.encode()) < 1_000_000


def test_one_title_then_headings_in_order(page: str) -> None:
    levels = [int(tag[1]) for tag, _ in read(page).elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_answer_comes_first_with_its_interval_and_harm_stands_beside_benefit(page: str) -> None:
    text = page.replace(NBSP, " ")
    start = text.index('class="answer"')
    assert "46 in 100" in text[start : start + 400] and "38 and 54" in text[start : start + 600]
    assert start < text.index('class="facts') < text.index("<figure")
    kinds = re.findall(r"<dt><i>(\w+)</i>", text)
    assert kinds == ["Benefit", "Benefit", "Harm", "Harm"]
    assert re.findall(r'class="big">\d+ <small>(in [\d,]+)<', text) == ["in 100"] * 4


def test_every_section_of_the_report_is_there_and_the_statement_closes_it(page: str) -> None:
    for key in ("course", "people", "chances", "relapse", "items", "drive", "chain", "session", "harms", "endpoints",
                "drivers", "claims", "unknown", "making", "sources"):  # fmt: skip
        assert f'id="{key}"' in page, key
    assert page.rindex(STATEMENT) > page.index('id="sources"')


def test_numbers_are_in_the_page_without_scripts(page: str, material: ReportInput) -> None:
    still = re.sub(r"<script.*?</script>", "", page, flags=re.S)
    assert still.count("<table") >= 14 and still.count("<caption>") == still.count("<table")
    assert all(a.get("scope") in {"col", "row"} for a in read(page).all("th"))
    assert all(source.citation in still for source in material.sources)
    assert re.search(r"\.reader\{display:none", still), "the slider shows only where its script runs"


def test_hostile_words_stay_words(invented: ModuleType) -> None:
    nasty = '</script><script>alert("x")</script><img src=x onerror=alert(1)>&"\''
    plain = invented.material()
    study = dataclasses.replace(plain.study, title=nasty, description=nasty, population=nasty, outside_domain=(nasty,))
    main = dataclasses.replace(plain.main, name=nasty)
    session = dataclasses.replace(plain.session, dose=nasty)
    strip = dataclasses.replace(plain.chain[0], name=nasty, unit=nasty)
    source = dataclasses.replace(plain.sources[0], citation=nasty, doi="", url="javascript:alert(1)")
    page = render(
        dataclasses.replace(
            plain, study=study, main=main, session=session, chain=(strip, *plain.chain[1:]), sources=(source,),
            warnings=(nasty,), no_evidence=(nasty,),
        )
    )  # fmt: skip
    reader = read(page)
    assert not reader.all("img") and len(reader.all("script")) == 2
    assert "javascript:" not in page
    data = re.search(r'<script type="application/json" id="readings">(.*?)</script>', page, re.S)
    assert data is not None and set(json.loads(data[1])) == {"course", "chain", "session"}


def test_an_outside_domain_study_is_marked_above_everything_and_on_each_printed_page(invented: ModuleType) -> None:
    plain = invented.material()
    study = dataclasses.replace(plain.study, outside_domain=("Pregnancy: no trial has looked.",))
    page = render(dataclasses.replace(plain, study=study))
    assert page.index("Outside the model") < page.index("<h1")
    assert "■" in page and "Pregnancy: no trial has looked." in page
    assert '@top-right{content:"Outside the model\'s domain"}' in page


def test_before_calibration_is_said_and_a_calibrated_study_does_not_say_it(invented: ModuleType) -> None:
    plain = invented.material()
    assert "▲ Before calibration" in render(plain)
    calibrated = dataclasses.replace(plain.study, before_calibration=False)
    page = render(dataclasses.replace(plain, study=calibrated))
    assert "efore calibration" not in page
    assert "calibrated to published trials" in page
    assert "the middle of the calibrated ensemble; each repeated study a draw of it" in page


@pytest.mark.parametrize(
    "missing",
    ["main", "items", "drive", "published", "whereabouts", "chances", "relapse", "chain", "session", "harms", "drivers",
     "claims", "sources", "no_evidence", "endpoints"],
)  # fmt: skip
def test_a_study_without_a_part_still_has_its_page(missing: str, invented: ModuleType) -> None:
    empty = None if missing in {"main", "session", "drivers"} else ()
    page = render(invented.material(**{missing: empty}))
    read(page)
    assert STATEMENT in page
    if missing not in {"published", "no_evidence", "sources"}:
        part = {"main": "course", "whereabouts": "people"}.get(missing, missing)
        assert f'id="{part}"' not in page and f'href="#{part}"' not in page


@pytest.mark.parametrize("arms", [("ketamine",), ("ketamine", "esketamine"), ("a", "midazolam", "b", "c", "d")])
def test_one_arm_two_active_arms_and_five_arms_all_have_a_page(arms: tuple[str, ...], invented: ModuleType) -> None:
    material = invented.material(arms)
    page = render(material)
    read(page)
    assert material.active.name in answer(material)
    if len(arms) == 1:
        assert "beside" not in answer(material)


def test_the_same_material_gives_the_same_page(invented: ModuleType, page: str) -> None:
    assert render(invented.material()) == page

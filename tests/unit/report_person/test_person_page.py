"""The page about one person: says what the forecast says, names nobody, and stands whatever a person's state."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from rekindle.inference.doubts import ordered, placeless
from rekindle.inference.forecast import LEVELS
from rekindle.inference.outlook import Outlook, main_scale, outlook, put_off
from rekindle.inference.update import TOO_LITTLE, UNLIKE, update
from rekindle.person import read_person
from rekindle.person.record import Person
from rekindle.report.html import STATEMENT
from rekindle.report.numerals import NBSP
from rekindle.report.palette import DARK, LIGHT, PAPER
from rekindle.report.person import render_person, write_person_page
from rekindle.report.person.page import person_figures
from rekindle.report.person.words import cautions, cost, due, facts, holding, working

EXAMPLE = Path(__file__).parents[3] / "examples" / "person.yaml"
VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Elements with attributes; raises when tags do not nest."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
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


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader._open == []
    return reader


@pytest.fixture(scope="module")
def ahead() -> Outlook:
    return outlook(update(read_person(EXAMPLE), candidates=400), draws=200)


@pytest.fixture(scope="module")
def page(ahead: Outlook) -> str:
    return render_person(ahead)


def test_tags_nest_ids_are_unique_and_links_have_their_targets(page: str) -> None:
    reader = read(page)
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = [name for _, a in reader.elements for name in a.get("aria-labelledby", "").split()]
    wanted += [a["href"][1:] for tag, a in reader.elements if tag == "a"]
    assert set(wanted) <= set(ids)
    levels = [int(tag[1]) for tag, _ in reader.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1 and all(after <= before + 1 for before, after in pairwise(levels))


def test_the_page_needs_no_script_and_asks_for_nothing(page: str) -> None:
    for tag, attributes in read(page).elements:
        assert tag not in {"script", "link", "img", "iframe", "object", "embed", "form", "image", "use"}
        assert "src" not in attributes and not any(name.startswith("on") or name == "style" for name in attributes)
        assert "href" not in attributes or attributes["href"].startswith("#")
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.S)
    assert not re.search(r"@import|@font-face|url\((?!#)", style)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in unescape(page) and "default-src 'none'" in unescape(page)
    assert len(page.encode()) < 1_000_000


def test_colours_are_those_of_the_list_and_every_figure_has_words_and_a_table(page: str, ahead: Outlook) -> None:
    known = {colour.lower() for palette in (LIGHT, DARK, PAPER) for colour in palette.values()}
    assert {colour.lower() for colour in re.findall(r"#[0-9A-Fa-f]{6}\b", page)} <= known
    assert set(re.findall(r"var\(--(\w+)\)", page)) <= {*LIGHT, "serif", "sans"}
    for figure in person_figures(ahead):
        assert figure.heading and figure.title and figure.description and figure.caption and figure.tables
        assert set(figure.drawings) == {"wide", "mid", "narrow"}
        ET.fromstring(figure.svg())
    assert [figure.key for figure in person_figures(ahead)] == [
        "course", "lasting", "gain", "fading", "session", "options", "course-2"
    ]  # fmt: skip


def test_words_and_pictures_stay_on_their_sheet(ahead: Outlook) -> None:
    for figure in person_figures(ahead):
        for drawing in figure.drawings.values():
            places = re.findall(r'<text x="([-\d.]+)" y="([-\d.]+)"', drawing.markup)
            assert all(-1 <= float(x) <= drawing.width and 0 <= float(y) <= drawing.height for x, y in places), (
                figure.key
            )


def test_the_first_screen_says_what_the_numbers_say(page: str, ahead: Outlook) -> None:
    text = page.replace(NBSP, " ")
    found = ahead.plan[ahead.main]
    assert found.responding is not None and found.relapse is not None
    assert f"{round(100 * found.responding)} in 100" in working(ahead).replace(NBSP, " ")
    assert f"most likely {found.own[0][3]:.0f} (" in working(ahead)
    assert (
        text.index('class="answer"')
        < text.index('class="facts')
        < text.index("Drug or attention?")
        < text.index("<figure")
    )
    assert re.findall(r"<dt><i>(\w+)</i>", text) == ["Benefit", "Risk", "Time", "Harm"]
    assert STATEMENT in page and "Bands hold only as far as the model does" in page


def test_the_table_is_the_forecast(ahead: Outlook) -> None:
    course = person_figures(ahead)[0]
    last, numbers = course.tables[0].rows[-1], ahead.plan[ahead.main].ratings[-1]
    assert last[1] == f"{numbers[3]:.0f}" and last[4] == f"{numbers[0]:.0f} to {numbers[-1]:.0f}"
    rated = course.tables[1].rows
    assert [row[1] for row in rated] == ["34", "22", "15", "14"]


def test_nothing_names_the_person_or_the_file(ahead: Outlook, tmp_path: Path) -> None:
    person = ahead.plan.person
    noted = replace(
        person, notes=("notes/jane-doe.yaml, line 7, ratings[2]: it counts once.", "jane-doe.json: 3 not used.")
    )
    changed = replace(ahead, plan=replace(ahead.plan, person=noted))
    write_person_page(changed, tmp_path)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert "jane" not in text and "person.yaml" not in text and "72 kg" not in text and "examples" not in text
    assert "Line 7 of the file: it counts once." in (tmp_path / "forecast.html").read_text()
    assert placeless("jane: 3 of kind Encounter not used.") == "3 of kind Encounter not used."
    assert "jane" not in json.dumps(changed.as_dict()) and "person.yaml" not in json.dumps(ahead.as_dict())


def test_hostile_names_of_options_stay_words(ahead: Outlook) -> None:
    nasty = '</style><script>alert("x")</script><img src=x>&"'
    page = render_person(replace(ahead, options=(replace(ahead.options[0], name=nasty),)))
    assert not {tag for tag, _ in read(page).elements} & {"script", "img"}


def test_a_person_unlike_anyone_is_told_above_everything(ahead: Outlook) -> None:
    odd = replace(ahead, posterior=replace(ahead.posterior, verdict=UNLIKE, surprise=0.0002))
    page = render_person(odd)
    assert page.index("Unlike anyone in the model") < page.index("<h1") and "■" in page and "Do not rely" in page
    few = replace(ahead, posterior=replace(ahead.posterior, verdict=UNLIKE, surprise=0.4))
    assert "Hardly any of the candidates" in render_person(few)


def test_too_little_data_and_few_candidates_are_cautions(ahead: Outlook) -> None:
    thin = replace(ahead, posterior=replace(ahead.posterior, verdict=TOO_LITTLE, effective=30.0))
    said = cautions(thin)
    assert said[0].startswith("Too little data") and any("30 effective" in each for each in said)


def test_no_response_leaves_nothing_to_hold(ahead: Outlook) -> None:
    def without(each):
        return replace(
            each, scales=tuple(replace(one, relapse=None, due_h=None, responding=0.01) for one in each.scales)
        )

    plans = {name: without(getattr(ahead, name)) for name in ("plan", "without", "alone")}
    none = replace(ahead, **plans, options=(), waiting=())
    page = render_person(none)
    assert (
        "It is not working" in working(none) and "hardly a response" in holding(none) and "no dose is due" in due(none)
    )
    assert 'id="lasting"' not in page
    read(page)


def test_a_risk_never_passed_says_later(ahead: Outlook) -> None:
    low = tuple(replace(one, relapse=np.full(len(one.times_h), 0.01), due_h=None) for one in ahead.without.scales)
    calm = replace(ahead, without=replace(ahead.without, scales=low))
    assert "does not pass 20" in holding(calm).replace(NBSP, " ") and "none is due before" in due(calm)
    assert ">Later <" in render_person(calm)


def test_waiting_is_told_in_points_and_in_relapse(ahead: Outlook) -> None:
    words = cost(ahead).replace(NBSP, " ")
    assert words.startswith("Putting the session off by 7 days costs") and "in 100" in words


def test_a_person_without_anything_still_has_a_page(ahead: Outlook) -> None:
    person = ahead.plan.person
    bare = Person(person.start, person.kind, 48.0)
    found = outlook(update(bare, candidates=150), draws=100)
    page = render_person(found)
    read(page)
    assert "No rating yet" in page and "Too little data" in page and found.fading is None and found.session is None
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["gain_so_far"] is None


def test_the_document_has_quantiles_dates_chances_and_no_holes(ahead: Outlook) -> None:
    found = json.loads(json.dumps(ahead.as_dict(), allow_nan=False))
    assert found["format"] == "rekindle-forecast" and found["main_scale"] == "MADRS"
    for each in found["scales"]:
        assert each["levels"] == list(LEVELS) == [2.5, 10.0, 25.0, 50.0, 75.0, 90.0, 97.5]
        assert len(each["ratings"]) == len(each["dates"]) == len(each["response"])
        assert all(list(row) == sorted(row) for row in each["ratings"])
    assert [each["hours"] for each in found["waiting"]] == [168.0, 336.0]
    assert [each["name"] for each in found["options"]] == ["every two weeks", "nasal esketamine", "nothing more"]
    assert len(found["planned_sessions"]) == 8 and found["planned_sessions"][0] == "2024-04-03T10:00"


def test_the_main_scale_is_the_one_rated_most(ahead: Outlook) -> None:
    assert main_scale(("PHQ-9", "MADRS"), ["MADRS", "MADRS", "PHQ-9"]) == "MADRS"
    assert main_scale(("PHQ-9", "MADRS"), []) == "PHQ-9"
    assert put_off(None, 0.0, 100.0) == []


def test_somebody_hard_to_treat_loses_more_with_the_clinic_than_with_the_drug(tmp_path: Path) -> None:
    person = tmp_path / "person.yaml"
    person.write_text(EXAMPLE.read_text().replace("failed_treatments: 3", "failed_treatments: 7"))
    ahead = outlook(update(read_person(person), candidates=400), draws=200)
    kept, alone = (each[ahead.main].relapse for each in (ahead.without, ahead.alone))
    assert kept[-1] + 0.05 < alone[-1]


def test_doing_nothing_more_is_told_with_visits_and_without(ahead: Outlook) -> None:
    """Losing the drug is not losing the clinic: both are told, each by its name, and more is lost with both."""
    kept, alone = (each[ahead.main].relapse for each in (ahead.without, ahead.alone))
    assert kept[-1] < alone[-1]
    highest = [float(each[ahead.main].own[-1, -1]) for each in (ahead.without, ahead.alone)]
    assert highest[0] + 2.0 < highest[1]
    words = holding(ahead)
    assert "With no further dose, in care as planned, it is" in words and "With no further visits either it is" in words
    assert "in care as planned" in due(ahead)
    (fact,) = [each for each in facts(ahead) if each.name == "Next dose due"]
    assert fact.note.endswith("in care as planned")
    found = ahead.as_dict()
    last = [found[key]["scales"][0]["relapse_at_end"] for key in ("without_further_dose", "without_further_visits")]
    assert last == [pytest.approx(kept[-1], abs=1e-4), pytest.approx(alone[-1], abs=1e-4)]
    page = render_person(ahead).replace(NBSP, " ")
    assert "no dose, no visits" in page and "no further visits" in page
    no_plan = replace(ahead, plan=ahead.alone, without=ahead.alone)
    words = holding(no_plan)
    assert words.startswith("With no further dose and no further visits") and "planned" not in words


def test_a_relapse_is_defined_on_the_page_as_in_the_documents(ahead: Outlook) -> None:
    from rekindle.inference.forecast import RELAPSE

    document = (Path(__file__).parents[3] / "docs" / "forecast.md").read_text()
    assert RELAPSE in render_person(ahead) and RELAPSE in " ".join(document.split())


def test_a_start_that_nobody_rated_is_not_told_as_rated(ahead: Outlook) -> None:
    assert "before the first dose and is now" in working(ahead)
    unrated = replace(ahead.plan, scales=tuple(replace(one, rated=False) for one in ahead.plan.scales))
    changed = replace(ahead, plan=unrated)
    assert "No rating of the MADRS before the first dose: the model takes 34" in working(changed)
    assert any("the model takes 34" in said for said in cautions(changed))
    assert "as the model takes it" in facts(changed)[0].note and not changed.as_dict()["scales"][0]["baseline_rated"]


def test_what_lies_outside_the_model_stands_before_other_doubts(ahead: Outlook) -> None:
    notes = ("file, line 3: odd.", "To be weighed: age.", "Outside what the model knows: psychosis.")
    assert ordered(notes) == (notes[2], notes[1], "Line 3 of the file: odd.")
    noted = replace(ahead, plan=replace(ahead.plan, person=replace(ahead.plan.person, notes=notes)))
    assert cautions(noted)[0] == notes[2]


def test_weights_with_a_heavy_tail_are_a_caution(ahead: Outlook) -> None:
    heavy = replace(ahead, posterior=replace(ahead.posterior, pareto_k=0.85, verdict="ok"))
    assert any("Pareto k 0.85" in said for said in cautions(heavy))
    calm = replace(ahead, posterior=replace(ahead.posterior, pareto_k=0.4, verdict="ok"))
    assert not any("Pareto" in said for said in cautions(calm))

"""The page of a plan says what the plan found, and shows every limit with its chance."""

from __future__ import annotations

from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from rekindle.inference.update import update
from rekindle.person import read_person
from rekindle.planning.plan import UNKNOWN, Plan, plan
from rekindle.planning.search import Settings
from rekindle.report.numerals import NBSP
from rekindle.report.plain import render_plain
from rekindle.report.plan_pages import plan_page

EXAMPLE = Path(__file__).parents[3] / "examples" / "person.yaml"


@pytest.fixture(scope="module")
def made() -> Plan:
    known = update(read_person(EXAMPLE), candidates=300)
    return plan(known, "cautious", weeks=8, settings=Settings(budget=2, draws=60, final_draws=60))


def test_the_answer_every_limit_waiting_and_what_is_not_known_are_there(made: Plan) -> None:
    page = unescape(render_plain(plan_page(made))).replace(NBSP, " ")
    assert made.limits.title in page and all(words in page for words in UNKNOWN)
    assert page.count("Every limit</h2>") == len(made.choices)
    assert "What waiting costs" in page and "groups like this one" not in page and "decides nothing" in page
    for each in made.compared:
        assert bool(each.departures) == (
            f'<th scope="row">{each.name}</th><td class="l">' in page.split("Shown and never")[-1]
        )
    assert "person.yaml" not in page


def test_a_plan_without_any_choice_says_so(made: Plan) -> None:
    page = render_plain(plan_page(replace(made, choices=(), verdict="too little data", waiting=())))
    assert "Nothing within cautious keeps every limit" in page and "too little data" in page
    assert "What waiting costs" not in page

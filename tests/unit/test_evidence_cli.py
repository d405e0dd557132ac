"""`rekindle evidence`: one JSON document each, tables that fit the terminal, the whole of a record."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from rekindle.cli.evidence import app
from rekindle.errors import InputError
from rekindle.evidence import catalog, claims

COMMANDS = [
    ["list", "--drug", "midazolam"],
    ["show", "bp-iv-zheng-sbp"],
    ["conflicts", "--drug", "esketamine"],
    ["assumed"],
    ["claims"],
]


def _run(*arguments: str, columns: int = 100) -> str:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": str(columns)})
    if result.exception is not None:
        raise result.exception
    return result.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_json_is_one_document(command: list[str]) -> None:
    content: Any = json.loads(_run(*command, "--json"))
    assert content


@pytest.mark.parametrize("columns", [40, 80, 120, 300])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_tables_fit_between_80_and_120_columns(command: list[str], columns: int) -> None:
    widest = max(len(line) for line in _run(*command, columns=columns).splitlines())
    assert widest <= max(80, min(120, columns))


def test_list_shows_what_the_filters_leave() -> None:
    shown = json.loads(_run("list", "--topic", "safety", "--route", "iv-infusion", "--json"))
    assert [row["id"] for row in shown] == [
        record.id for record in catalog().select(topic="safety", route="iv-infusion")
    ]
    assert "0 records of" in _run("list", "--text", "unicorn")


def test_only_rows_that_were_not_read_are_listed_on_request() -> None:
    shown = json.loads(_run("list", "--unread", "--json"))
    assert 0 < len(shown) == sum(not record.seen for record in catalog())
    assert not any(row["seen"] for row in shown)


def test_show_prints_everything_known_of_a_record() -> None:
    shown = " ".join(_run("show", "diss-trait-rr", columns=120).split())
    record = catalog().get("diss-trait-rr")
    assert record.reading is not None
    for said in (
        record.quantity,
        record.shown,
        record.population,
        record.source.citation,
        "second reader wrong",
    ):
        assert said in shown
    assert record.reading.correction in shown


def test_show_prints_the_rows_that_disagree_and_the_claims_that_rest_on_it() -> None:
    shown = _run("show", "eff-murrough2013a-diff24h", columns=120)
    assert "Ketamine is a wonder drug" in shown
    pressure = _run("show", "bp-iv-zheng-sbp", columns=120)
    assert "x-bp-yale24-sbp" in pressure
    assert "16.0 mmHg" in pressure


def test_a_row_that_was_not_read_is_marked_wherever_it_appears() -> None:
    assert "~   bp-iv-wan-mem" in _run("list", "--text", "bp-iv-wan-mem")
    assert "NO: from memory" in _run("show", "bp-iv-wan-mem")
    assert "~ pk-derived-cu-brain" in _run("claims")


def test_conflicts_say_why_where_a_reader_has_said_so() -> None:
    found = {conflict["name"]: conflict for conflict in json.loads(_run("conflicts", "--json"))}
    assert "midazolam" in found["control-response"]["cause"]
    assert {row["id"] for row in found["systolic-rise"]["records"]} >= {
        "bp-iv-riva-sbp",
        "x-bp-vankawala-sbp",
    }


def test_assumed_parameters_carry_range_and_reason() -> None:
    found = json.loads(_run("assumed", "--json"))
    for parameter in found:
        assert parameter["low"] <= parameter["value"] <= parameter["high"]
        assert parameter["reason"]


def test_claims_are_filtered_by_drug_and_tag() -> None:
    everything = {claim["name"] for claim in json.loads(_run("claims", "--json"))}
    spray = {claim["name"] for claim in json.loads(_run("claims", "--drug", "esketamine", "--json"))}
    harm = {claim["name"] for claim in json.loads(_run("claims", "--tag", "dependence", "--json"))}
    assert everything == {claim.name for claim in claims()}
    assert everything - spray == {"arketamine-better"}
    assert "not-addictive" in harm < everything


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "bp-iv-riva-spb"], "Nearest: bp-iv-riva-sbp"),
        (["list", "--drug", "ketamin"], "Nearest: ketamine"),
        (["conflicts", "--route", "intranasl"], "Nearest: intranasal"),
        (["claims", "--drug", "esketamin"], "Nearest: esketamine"),
        (["claims", "--tag", "harm"], "Unknown claim tag 'harm'"),
    ],
)
def test_a_wrong_word_raises_one_clear_error(arguments: list[str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        _run(*arguments)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2

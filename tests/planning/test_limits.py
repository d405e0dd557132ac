"""Files of limits: what they say, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from rekindle.errors import InputError
from rekindle.evidence import catalog
from rekindle.planning.limits import read_limits, shipped
from rekindle.planning.limits_file import parse_limits
from rekindle.planning.quantities import QUANTITIES

GOOD = """\
name: test
title: A test
offers:
- {give: mg/kg IV over 40 min, doses: [0.25, 0.5], assumed: for a test}
spacing:
- {most: 1, in_days: 7, assumed: for a test}
limits:
- {quantity: systolic peak, at_most: 180, chance: 0.05, per: session, record: lab-bp-sbp180}
"""


@pytest.mark.parametrize("name", shipped())
def test_shipped_limits_rest_on_records_or_reasons(name: str) -> None:
    limits = read_limits(name)
    assert limits.name == name and limits.chances and limits.offers
    grounds = [each.ground for each in (*limits.offers, *limits.spacings, *limits.chances)]
    for ground in grounds:
        assert bool(ground.record) != bool(ground.assumed)
        if ground.record:
            assert catalog().get(ground.record).id == ground.record
    assert {each.quantity.name for each in limits.chances} <= set(QUANTITIES)


def test_five_files_are_shipped() -> None:
    assert len(shipped()) >= 5


def test_a_file_says_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(GOOD, encoding="utf-8")
    limits = read_limits(path)
    assert limits.offers[0].doses == (0.25, 0.5) and limits.offers[0].drug == "racemic-ketamine"
    assert limits.chances[0].name == "systolic peak at most 180 mmHg" and limits.joint is None
    assert str(limits.spacings[0]) == "at most 1 session in 7 days, from week 1 on"


COST = "cost, at_most: 9, chance: 0.05, per: plan"
MALFORMED = {
    "an unknown field": ("name: test", "nam: test", 1),
    "no offers": ("offers:\n- {give: mg/kg IV over 40 min, doses: [0.25, 0.5], assumed: for a test}", "offers: []", 3),
    "doses that fall": ("[0.25, 0.5]", "[0.5, 0.25]", 4),
    "no dose as low as a first one": ("doses: [0.25, 0.5], ", "doses: [0.25, 0.5], first_most: 0.1, ", 4),
    "a dose that nobody means": ("[0.25, 0.5]", "[0.25, 500]", 4),
    "words that are no drug": ("mg/kg IV over 40 min", "mg/kg of something", 4),
    "a drug that is not planned": ("mg/kg IV over 40 min", "mg/kg midazolam IV over 40 min", 4),
    "part of a device": ("mg/kg IV over 40 min", "mg intranasal esketamine", 4),
    "no ground": ("doses: [0.25, 0.5], assumed: for a test", "doses: [0.25, 0.5]", 4),
    "two grounds": ("assumed: for a test}\nspacing", "assumed: for a test, record: reg-esk-ind}\nspacing", 4),
    "a record that is not known": ("record: lab-bp-sbp180", "record: lab-bp-sbp999", 8),
    "a reason too short": ("assumed: for a test}\nlimits", "assumed: so}\nlimits", 6),
    "no sessions at all": ("most: 1", "most: 0", 6),
    "a rule that ends before it begins": ("in_days: 7", "in_days: 7, from_week: 4, to_week: 2", 6),
    "an unknown quantity": ("quantity: systolic peak", "quantity: systolic peek", 8),
    "the wrong side": ("at_most: 180", "at_least: 180", 8),
    "a line out of range": ("at_most: 180", "at_most: 1800", 8),
    "a chance above one": ("chance: 0.05", "chance: 5", 8),
    "no chance": ("chance: 0.05, ", "", 8),
    "not a number": ("at_most: 180", "at_most: .nan", 8),
    "the plan's quantity per session": ("systolic peak, at_most: 180", "visits, at_most: 18", 8),
    "cost without costs": ("systolic peak, at_most: 180, chance: 0.05, per: session", COST, 8),
    "a limit twice": (
        "limits:\n",
        "limits:\n- {quantity: systolic peak, at_most: 180, chance: 0.1, per: session, assumed: for a test}\n",
        9,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_files_are_refused_with_their_line(what: str) -> None:
    old, new, line = MALFORMED[what]
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        parse_limits(GOOD.replace(old, new, 1), "own.yaml")
    assert "own.yaml" in str(caught.value) and f"line {line}" in str(caught.value)


def test_a_name_that_is_not_known_gets_the_nearest() -> None:
    with pytest.raises(InputError, match="esketamine-eu"):
        read_limits("esketamine-uk")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_limits(tmp_path / "none.yaml")

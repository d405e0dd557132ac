"""Own health today from 0 (worst) to 100 (best), the EuroQol line, self-report."""

from __future__ import annotations

from rekindle.outcomes.scale import Item, Scale

ITEMS = (
    Item(
        "health today",
        {"severity": 0.6, "anhedonia": 0.2, "fatigue": 0.1, "pain": 0.1},
        100,
        at_zero=85,
        at_one=15,
    ),
)

SCALE = Scale(
    name="EQ VAS",
    title="EuroQol visual analogue scale",
    measures="quality of life",
    rated_by="patient",
    items=ITEMS,
    error_sd=8.0,
    error_record="",
    error_reason="Two marks for the same state lie about eight points apart; no record.",
    level_records=(),
    level_reason="No record: 85 when well, as in the general population, and about 46 at a MADRS of 33 are assumed.",
    licence="Scores only; the wording is not free.",
    better="higher",
    response=None,
)

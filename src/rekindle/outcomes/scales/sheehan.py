"""Sheehan Disability Scale: work, social life and family life, 0-10 each (0-30), self-report."""

from __future__ import annotations

from rekindle.outcomes.scale import Curve, Item, Line, Scale

CURVE = Curve(steepness=1.2, difficulty=0.55)

ITEMS = (
    Item("work", {"severity": 0.4, "poor_concentration": 0.3, "fatigue": 0.3}, 10, curve=CURVE),
    Item("social life", {"severity": 0.4, "anhedonia": 0.6}, 10, curve=CURVE),
    Item("family life", {"severity": 0.6, "anhedonia": 0.4}, 10, curve=CURVE),
)

SCALE = Scale(
    name="Sheehan",
    title="Sheehan Disability Scale",
    measures="functioning",
    rated_by="patient",
    items=ITEMS,
    error_sd=2.5,
    error_record="",
    error_reason="A seventh of the spread between patients as variance, as for the MADRS; no record.",
    level_records=(),
    level_reason="No record: about 23 of 30 at a MADRS of 36 and 7 at 10 are assumed, markedly "
    "disabled when depressed and nearly not in remission. It follows the symptoms at "
    "once; in life functioning lags behind.",
    licence="Scores only; the wording of the items is not free.",
    remission=(Line("Sheehan <= 6", "<=", 6, "", "The usual line of functional remission; no record."),),
)

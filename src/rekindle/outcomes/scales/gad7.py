"""Generalised Anxiety Disorder scale, seven items of 0-3 (0-21), self-report."""

from __future__ import annotations

from rekindle.outcomes.scale import Curve, Item, Line, Scale

CURVE = Curve(steepness=1.2, difficulty=0.9)

ITEMS = (
    Item("nervousness", {"tension": 1.0}, 3, lean=0.2, text="Feeling nervous, anxious, or on edge", curve=CURVE),
    Item(
        "control of worry",
        {"tension": 0.8, "severity": 0.2},
        3,
        lean=0.2,
        text="Not being able to stop or control worrying",
        curve=CURVE,
    ),
    Item(
        "worry",
        {"tension": 0.8, "severity": 0.2},
        3,
        lean=0.2,
        text="Worrying too much about different things",
        curve=CURVE,
    ),
    Item("relaxing", {"tension": 1.0}, 3, lean=0.1, text="Trouble relaxing", curve=CURVE),
    Item(
        "restlessness",
        {"tension": 1.0},
        3,
        lean=-0.3,
        text="Being so restless that it's hard to sit still",
        curve=CURVE,
    ),
    Item(
        "irritability",
        {"tension": 0.6, "severity": 0.4},
        3,
        lean=0.0,
        text="Becoming easily annoyed or irritable",
        curve=CURVE,
    ),
    Item(
        "fear",
        {"tension": 1.0},
        3,
        lean=-0.4,
        text="Feeling afraid, as if something awful might happen",
        curve=CURVE,
    ),
)

SCALE = Scale(
    name="GAD-7",
    title="Generalised Anxiety Disorder scale, seven items",
    measures="anxiety",
    rated_by="patient",
    items=ITEMS,
    error_sd=1.8,
    error_record="",
    error_reason="A seventh of the spread between patients as variance, as for the MADRS; no record.",
    level_records=("eff-heifets-kit-gad",),
    level_reason="The record gives the size of the change, not the level; a total near 12 at a MADRS"
    " of 33 is assumed, moderate anxiety as is usual in resistant depression.",
    licence="No permission is needed to reproduce, translate, display or distribute it.",
    remission=(Line("GAD-7 < 5", "<", 5, "", "The questionnaire's line of minimal anxiety; no record."),),
)

"""Beck Scale for Suicide Ideation: nineteen items of 0-2 (0-38), rated by an interviewer.

Ideation is rare until severity is high, so the curve lies low and rises late. Wishes come before plans: the
leans fall along the scale and add to nothing.
"""

from __future__ import annotations

from rekindle.outcomes.scale import Curve, Item, Line, Scale

CURVE = Curve(steepness=1.5, difficulty=2.95)

ASPECTS = (
    "wish to live",
    "wish to die",
    "reasons for living",
    "active desire",
    "passive desire",
    "duration",
    "frequency",
    "attitude",
    "control",
    "deterrents",
    "reason for attempt",
    "method",
    "opportunity",
    "capability",
    "expectancy",
    "preparation",
    "note",
    "final acts",
    "concealment",
)
ITEMS = tuple(
    Item(
        name,
        {"suicidal_ideation": 1.0},
        2,
        curve=CURVE,
        lean=round(0.54 - 0.06 * place, 2),
    )
    for place, name in enumerate(ASPECTS)
)

SCALE = Scale(
    name="SSI",
    title="Beck Scale for Suicide Ideation",
    measures="suicidal ideation",
    rated_by="clinician",
    items=ITEMS,
    error_sd=2.3,
    error_record="",
    error_reason="As for the MADRS, in proportion to the spread between patients; no record.",
    level_records=("eff-grunebaum2018-ssi24h",),
    level_reason="Patients of the record entered with 4 or more and differed by 5 points between "
    "arms; a total near 8 at ideation 0.55 and 23 at 0.8 is assumed.",
    licence="Scores only; the wording of the items is not free.",
    remission=(Line("SSI < 4", "<", 4, "eff-grunebaum2018-ssi24h", "Below the entry line of the trial."),),
)

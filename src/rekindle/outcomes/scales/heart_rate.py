"""Heart rate in whole 1/min: the person's own plus the rise of the session."""

from __future__ import annotations

from rekindle.outcomes.scale import Item, Line, Scale

HIGHEST = 250.0
ITEMS = (Item("heart rate", {"heart_rate_baseline": 1.0 / HIGHEST, "heart_rate_rise": 1.0 / HIGHEST}, HIGHEST),)

SCALE = Scale(
    name="heart rate",
    title="Heart rate",
    measures="heart rate",
    rated_by="device",
    items=ITEMS,
    error_sd=4.0,
    error_record="",
    error_reason="Two cuff readings minutes apart differ by about this much; no record.",
    level_records=("bp-iv-zheng-hr", "x-bp-vankawala-hr"),
    level_reason="Baseline plus rise, in 1/min.",
    licence="No licence is needed.",
    unit="1/min",
    response=None,
    events=(Line("heart rate > 100 /min", ">", 100, "", "The usual line of tachycardia; no record."),),
    person_inputs=("heart_rate_baseline",),
)

"""Systolic blood pressure in whole mmHg: the person's own plus the rise of the session."""

from __future__ import annotations

from rekindle.outcomes.scale import Item, Line, Scale

HIGHEST = 300.0
ITEMS = (Item("systolic pressure", {"systolic_baseline": 1.0 / HIGHEST, "systolic_rise": 1.0 / HIGHEST}, HIGHEST),)

SCALE = Scale(
    name="systolic pressure",
    title="Systolic blood pressure",
    measures="systolic pressure",
    rated_by="device",
    items=ITEMS,
    error_sd=5.0,
    error_record="",
    error_reason="Two cuff readings minutes apart differ by about this much; no record.",
    level_records=("x-bp-yale24-sbp", "x-bp-vankawala-sbp"),
    level_reason="Baseline plus rise, in mmHg.",
    licence="No licence is needed.",
    unit="mmHg",
    response=None,
    events=(
        Line("systolic > 140 mmHg", ">", 140, "lab-bp-thr-14090", "The label's line for weighing a delay."),
        Line("systolic >= 180 mmHg", ">=", 180, "lab-bp-sbp180", "The label's count of severe rises."),
    ),
    person_inputs=("systolic_baseline",),
)

"""Diastolic blood pressure in whole mmHg: the person's own plus the rise of the session."""

from __future__ import annotations

from rekindle.outcomes.scale import Item, Line, Scale

HIGHEST = 200.0
ITEMS = (Item("diastolic pressure", {"diastolic_baseline": 1.0 / HIGHEST, "diastolic_rise": 1.0 / HIGHEST}, HIGHEST),)

SCALE = Scale(
    name="diastolic pressure",
    title="Diastolic blood pressure",
    measures="diastolic pressure",
    rated_by="device",
    items=ITEMS,
    error_sd=4.0,
    error_record="",
    error_reason="Two cuff readings minutes apart differ by about this much; no record.",
    level_records=("x-bp-yale24-dbp", "x-bp-vankawala-dbp"),
    level_reason="Baseline plus rise, in mmHg.",
    licence="No licence is needed.",
    unit="mmHg",
    response=None,
    events=(
        Line("diastolic > 90 mmHg", ">", 90, "lab-bp-thr-14090", "The label's line for weighing a delay."),
        Line("diastolic >= 110 mmHg", ">=", 110, "lab-bp-dbp110", "The label's count of severe rises."),
    ),
    person_inputs=("diastolic_baseline",),
)

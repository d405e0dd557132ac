"""Drug liking, visual analogue scale: one mark on a line from 0 to 100, self-report."""

from __future__ import annotations

from rekindle.outcomes.scale import Item, Scale

ITEMS = (Item("liking", {"liking": 0.01}, 100),)

SCALE = Scale(
    name="liking",
    title="Drug liking, visual analogue scale",
    measures="liking and euphoria",
    rated_by="patient",
    items=ITEMS,
    error_sd=7.0,
    error_record="",
    error_reason="Two marks for the same feeling lie about seven millimetres apart; no record.",
    level_records=("abuse-oral-liking", "lab-abuse-gt-placebo", "lcq-esk-n"),
    level_reason="The latent is in points of the line; 0 is no liking.",
    licence="No licence is needed.",
    response=None,
)

"""Craving, visual analogue scale: one mark on a line from 0 to 100, self-report."""

from __future__ import annotations

from rekindle.outcomes.scale import Item, Scale

ITEMS = (Item("craving", {"craving": 1.0}, 100),)

SCALE = Scale(
    name="craving",
    title="Craving, visual analogue scale",
    measures="craving for the drug",
    rated_by="patient",
    items=ITEMS,
    error_sd=7.0,
    error_record="",
    error_reason="Two marks for the same feeling lie about seven millimetres apart; no record.",
    level_records=("lcq-esk-n", "dlcq-n", "inst-dlcq"),
    level_reason="Proportional to the latent.",
    licence="No licence is needed.",
    response=None,
)

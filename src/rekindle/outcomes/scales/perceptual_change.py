"""Perceptual change, visual analogue scale: one mark on a line from 0 to 100, self-report."""

from __future__ import annotations

from rekindle.outcomes.scale import Item, Scale

ITEMS = (Item("perceptual change", {"perceptual_change": 1.0}, 100),)

SCALE = Scale(
    name="perceptual change",
    title="Perceptual change, visual analogue scale",
    measures="changed perception, apart from dissociation",
    rated_by="patient",
    items=ITEMS,
    error_sd=7.0,
    error_record="",
    error_reason="Two marks for the same feeling lie about seven millimetres apart; no record.",
    level_records=("diss-linear-bowdle", "diss-vas-max-bowdle"),
    level_reason="Proportional to the latent.",
    licence="No licence is needed.",
    response=None,
)

"""Pain from 0 (none) to 10 (worst imaginable), one number, self-report."""

from __future__ import annotations

from rekindle.outcomes.scale import Item, Scale

ITEMS = (Item("pain", {"pain": 1.0}, 10),)

SCALE = Scale(
    name="pain",
    title="Pain, numeric rating 0-10",
    measures="pain",
    rated_by="patient",
    items=ITEMS,
    error_sd=0.8,
    error_record="",
    error_reason="Two ratings of a steady pain differ by about one point; no record.",
    level_records=("eff-sigtermans2009-nrs1w-ket", "eff-sigtermans2009-nrs1w-pbo"),
    level_reason="The latent is the rating over ten.",
    licence="No licence is needed.",
    response=0.3,
)

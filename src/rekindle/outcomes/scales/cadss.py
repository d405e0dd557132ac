"""Clinician-Administered Dissociative States Scale: 23 items of 0-4 (0-92), scored during a session.

The mechanism gives the expected total in points; the items share it out, body and surroundings before memory,
with leans that add to nothing.
"""

from __future__ import annotations

from rekindle.outcomes.scale import Item, Line, Scale

PARTS = (("derealisation", 12, 0.25), ("depersonalisation", 7, 0.05), ("amnesia", 4, -0.8375))
ITEMS = tuple(
    Item(f"{part} {number + 1}", {"dissociation": 1.0 / 92.0}, 4, lean=lean)
    for part, count, lean in PARTS
    for number in range(count)
)

SCALE = Scale(
    name="CADSS",
    title="Clinician-Administered Dissociative States Scale",
    measures="dissociation",
    rated_by="clinician",
    items=ITEMS,
    error_sd=2.6,
    error_record="cadss-castle",
    error_reason="Internal consistency 0.94 in the record; with a spread of 9 points (x-cadss-iv-"
    "mean) a quarter of the standard deviation is error.",
    level_records=("x-cadss-iv-mean",),
    level_reason="The latent is in points of the total. How the 23 items divide over the three parts is assumed.",
    licence="Scores only; the wording of the items is not free.",
    halo=0.1,
    response=None,
    events=(Line("CADSS > 4", ">", 4, "cadss-cut4", "The cut-off of meaningful dissociation in the spray trials."),),
)

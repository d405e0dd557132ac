"""Snaith-Hamilton Pleasure Scale in its 14-56 form: fourteen pleasures, each 1 (enjoyed) to 4 (not)."""

from __future__ import annotations

from rekindle.outcomes.scale import Item, Scale

PLEASURES = (
    "programmes",
    "family and friends",
    "hobbies",
    "favourite meal",
    "warm bath",
    "scents",
    "smiling faces",
    "own appearance",
    "reading",
    "hot or cold drink",
    "small things",
    "landscape",
    "helping others",
    "praise",
)
ITEMS = tuple(Item(name, {"anhedonia": 1.0}, maximum=4, minimum=1) for name in PLEASURES)

SCALE = Scale(
    name="SHAPS",
    title="Snaith-Hamilton Pleasure Scale (14-56)",
    measures="anhedonia",
    rated_by="patient",
    items=ITEMS,
    error_sd=2.2,
    error_record="",
    error_reason="A seventh of the spread between patients as variance, as for the MADRS; no record.",
    level_records=("eff-lally2014-d", "eff-wilkowska2021-bzd"),
    level_reason="The records give directions, no levels: proportional to anhedonia over the scale's"
    " range, about 37 at a MADRS of 33, is assumed.",
    licence="Scores only; the wording of the items is not shipped.",
)

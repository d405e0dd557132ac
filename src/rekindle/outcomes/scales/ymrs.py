"""Young Mania Rating Scale: eleven items, four of them counted double (0-60), rated by an interviewer."""

from __future__ import annotations

from rekindle.outcomes.scale import Item, Line, Scale

DOUBLE = ("irritability", "speech", "content of thought", "aggressive behaviour")
SIGNS = (
    "elevated mood",
    "activity",
    "sexual interest",
    "sleep",
    "irritability",
    "speech",
    "thought disorder",
    "content of thought",
    "aggressive behaviour",
    "appearance",
    "insight",
)
ITEMS = tuple(Item(name, {"mood_elevation": 1.0}, 8 if name in DOUBLE else 4) for name in SIGNS)

SCALE = Scale(
    name="YMRS",
    title="Young Mania Rating Scale",
    measures="mood elevation",
    rated_by="clinician",
    items=ITEMS,
    error_sd=2.0,
    error_record="",
    error_reason="As for the MADRS, in proportion to the spread between patients; no record.",
    level_records=("prov-survey-mania",),
    level_reason="Proportional to the latent over the scale's range; the record gives how rarely "
    "mania ended a treatment, no level.",
    licence="Scores only; the wording of the items is not shipped.",
    response=None,
    events=(Line("YMRS >= 15", ">=", 15, "", "The usual line of hypomania; no record."),),
)

"""Modified Observer's Assessment of Alertness and Sedation: one score from 5 (alert) to 0 (no response)."""

from __future__ import annotations

from rekindle.outcomes.scale import Item, Line, Scale

ITEMS = (Item("alertness", {"sedation": 1.0}, maximum=5, at_zero=5, at_one=0),)

SCALE = Scale(
    name="MOAA/S",
    title="Modified Observer's Assessment of Alertness/Sedation",
    measures="sedation",
    rated_by="clinician",
    items=ITEMS,
    error_sd=0.4,
    error_record="",
    error_reason="Rounding to whole scores only; no record of more.",
    level_records=("lab-sed-moaas", "saf-esk-loc"),
    level_reason="Proportional to the latent: 5 without sedation, 0 with none left awake.",
    licence="Scores only.",
    better="higher",
    response=None,
    events=(
        Line("MOAA/S < 5", "<", 5, "lab-sed-moaas", "Any sedation, as the label counts it."),
        Line("MOAA/S <= 0", "<=", 0, "saf-esk-loc", "Loss of consciousness, as the label counts it."),
    ),
)

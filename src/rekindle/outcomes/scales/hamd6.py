"""Hamilton Depression Rating Scale, its six core items (0-22), rated by an interviewer.

The items are those of the 17-item scale; a rating of six is a rating of its own.
"""

from __future__ import annotations

from rekindle.outcomes.scale import Line, Scale
from rekindle.outcomes.scales import hamd17

NAMES = (
    "depressed mood",
    "guilt",
    "work and interests",
    "retardation",
    "psychic anxiety",
    "general somatic symptoms",
)
ITEMS = tuple(item for item in hamd17.ITEMS if item.name in NAMES)

SCALE = Scale(
    name="HAM-D6",
    title="Hamilton Depression Rating Scale, six core items",
    measures="core depressive symptoms",
    rated_by="clinician",
    items=ITEMS,
    error_sd=1.6,
    error_record="",
    error_reason="As for the MADRS, in proportion to the spread between patients; no record.",
    level_records=(
        "eff-nimh-ds005917-odd-hamd-b0",
        "eff-nimh-ds005917-odd-madrs-b0",
        "eff-nimh-ds005917-odd-hamd-d2",
        "eff-nimh-ds005917-odd-madrs-d2",
    ),
    level_reason="Side by side with the MADRS in one trial: 12.7 at 32.3, 9.2 at 24.2.",
    licence="In the public domain; only names of the items are used.",
    remission=(
        Line(
            "HAM-D6 <= 4",
            "<=",
            4,
            "",
            "4 corresponds to 7 of the 17 items (doi:10.1016/j.euroneuro.2006.04.008).",
        ),
    ),
)

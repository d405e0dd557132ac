"""How far back each scale looks, where a rating does not say it itself.

Some ask about the last days in their own words, some about this moment, and some leave the period to the interviewer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Recall(NamedTuple):
    """Days that a scale looks back over: 0 where it asks about this moment, None where the rater sets the period."""

    days: float | None
    reason: str


_LEFT_OPEN = (
    "An interview whose period the rater sets; after ketamine raters ask about the time since the last rating or about "
    "now, so it counts for its moment."
)
_NOW = "It asks about this moment."

RECALL: Mapping[str, Recall] = {
    "CADSS": Recall(0.0, "It is scored during a session."),
    "craving": Recall(0.0, _NOW),
    "EQ VAS": Recall(0.0, "It asks about today."),
    "GAD-7": Recall(14.0, "Its heading asks about the last two weeks."),
    "HAM-D17": Recall(None, _LEFT_OPEN),
    "HAM-D6": Recall(None, _LEFT_OPEN),
    "liking": Recall(0.0, _NOW),
    "MADRS": Recall(None, _LEFT_OPEN),
    "MOAA/S": Recall(0.0, _NOW),
    "pain": Recall(0.0, _NOW),
    "perceptual change": Recall(0.0, _NOW),
    "PHQ-9": Recall(14.0, "Its heading asks about the last two weeks."),
    "QIDS-SR16": Recall(7.0, "It asks about the past seven days."),
    "SHAPS": Recall(3.0, "It asks about the last few days; three are assumed."),
    "Sheehan": Recall(7.0, "The usual version asks about the past week."),
    "SSI": Recall(None, _LEFT_OPEN),
    "YMRS": Recall(2.0, "Its authors rate the last 48 hours (Young 1978, doi:10.1192/bjp.133.5.429)."),
}
"""By name of the scale; vital signs are no ratings and have none."""

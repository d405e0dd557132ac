"""What is measured: rating scales, vital signs, exposure and endpoints, from the mechanism's latent states.

Nothing here knows a drug or an equation. Latents come in as a mapping from name to an array (people x times),
scales turn them into items and totals with rating error, and endpoints read courses of numbers.
"""

from __future__ import annotations

from rekindle.outcomes.no_evidence import Gap, gaps
from rekindle.outcomes.observation import Ratings, observe
from rekindle.outcomes.scale import Item, Line, Scale
from rekindle.outcomes.scales import SCALES, scale

__all__ = ["SCALES", "Gap", "Item", "Line", "Ratings", "Scale", "gaps", "observe", "scale"]

"""Quick Inventory of Depressive Symptomatology, self-report (0-27): sixteen questions scored as nine domains.

The items here are the nine domains, each 0-3 as scored (the worst of its questions), so that they add to the
total.
"""

from __future__ import annotations

from rekindle.outcomes.scale import Curve, Item, Line, Scale

CURVE = Curve(steepness=1.1, difficulty=0.79)

ITEMS = (
    Item("sleep", {"sleep_disturbance": 1.0}, 3, lean=0.4, curve=CURVE),
    Item("sad mood", {"severity": 1.0}, 3, lean=0.2, curve=CURVE),
    Item("appetite or weight", {"appetite_loss": 1.0}, 3, lean=-0.2, curve=CURVE),
    Item("concentration", {"poor_concentration": 1.0}, 3, lean=0.1, curve=CURVE),
    Item("view of self", {"severity": 1.0}, 3, lean=0.1, curve=CURVE),
    Item("thoughts of death", {"suicidal_ideation": 1.0}, 3, lean=-0.8, curve=CURVE),
    Item("interest", {"anhedonia": 1.0}, 3, lean=0.1, curve=CURVE),
    Item("energy", {"fatigue": 1.0}, 3, lean=0.2, curve=CURVE),
    Item("slowness or restlessness", {"fatigue": 0.5, "tension": 0.5}, 3, lean=-0.1, curve=CURVE),
)

SCALE = Scale(
    name="QIDS-SR16",
    title="Quick Inventory of Depressive Symptomatology, self-report",
    measures="depressive symptoms",
    rated_by="patient",
    items=ITEMS,
    error_sd=1.8,
    error_record="",
    error_reason="A seventh of the spread between patients as variance, as for the MADRS; no record.",
    level_records=("eff-obrien2019-robust-0", "eff-obrien2019-poor-0"),
    level_reason="The table of its authors sets 5, 10, 15, 20 and 25 beside 7, 13, 18, 25 and 32 of "
    "the HAM-D17 (ids-qids.org); clinic patients began at 18.8 and 19.8 (the records).",
    licence="Scores only; the wording of the questions is not shipped.",
    remission=(Line("QIDS-SR16 <= 5", "<=", 5, "eff-mcintyre2020-rem", "Definition of the clinic series."),),
)

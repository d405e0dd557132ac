"""Montgomery-Asberg Depression Rating Scale: ten items of 0-6, rated by an interviewer.

Severity is defined by it: when all domains are at severity y the expected total is exactly 60 y. The leans
give the items their usual order (sadness above, appetite and suicidal thoughts below) and add to nothing.
"""

from __future__ import annotations

from rekindle.outcomes.scale import Item, Line, Scale

ITEMS = (
    Item("apparent sadness", {"severity": 1.0}, 6, lean=0.35),
    Item("reported sadness", {"severity": 1.0}, 6, lean=0.5),
    Item("inner tension", {"tension": 1.0}, 6, lean=0.1),
    Item("reduced sleep", {"sleep_disturbance": 1.0}, 6, lean=0.2),
    Item("reduced appetite", {"appetite_loss": 1.0}, 6, lean=-0.75),
    Item("concentration difficulties", {"poor_concentration": 1.0}, 6, lean=0.3),
    Item("lassitude", {"fatigue": 0.6, "anhedonia": 0.4}, 6, lean=0.4),
    Item("inability to feel", {"anhedonia": 1.0}, 6, lean=0.35),
    Item("pessimistic thoughts", {"severity": 1.0}, 6, lean=-0.5),
    Item("suicidal thoughts", {"suicidal_ideation": 1.0}, 6, lean=-0.95),
)

SCALE = Scale(
    name="MADRS",
    title="Montgomery-Asberg Depression Rating Scale",
    measures="depressive symptoms",
    rated_by="clinician",
    items=ITEMS,
    error_sd=2.5,
    error_record="",
    error_reason="Two raters with a structured interview agree with an intraclass correlation of 0.93 "
    "(doi:10.1192/bjp.bp.106.032532); with a spread of 9 points between patients that leaves 2.4 points.",
    level_records=(),
    level_reason="By definition: severity is the expected total over 60 when all domains are equal. "
    "The order of the items is assumed from their usual means in depressed outpatients.",
    licence="Scores only; the wording of the items is not free.",
    remission=(
        Line(
            "MADRS <= 10",
            "<=",
            10,
            "eff-daly2018-p1rem-84-24h",
            "Definition of the dose-finding spray trial.",
        ),
        Line("MADRS <= 12", "<=", 12, "eff-katz2020-t2-esk-rem", "Definition of the TRANSFORM spray trials."),
    ),
)

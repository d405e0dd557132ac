"""Hamilton Depression Rating Scale, 17 items (0-52), rated by an interviewer.

Two groups of items answer differently: the six core symptoms follow severity closely, the other eleven
(sleep, bodily and rarer symptoms) rise early and flatten. Both curves are set by totals that one trial
measured side by side with the MADRS, for the six and for all seventeen.
"""

from __future__ import annotations

from rekindle.outcomes.scale import Curve, Item, Line, Scale

CORE = Curve(steepness=1.18, difficulty=0.90)
OTHER = Curve(steepness=0.42, difficulty=16.2)

ITEMS = (
    Item("depressed mood", {"severity": 1.0}, 4, lean=0.1, curve=CORE),
    Item("guilt", {"severity": 1.0}, 4, lean=-0.25, curve=CORE),
    Item("suicide", {"suicidal_ideation": 1.0}, 4, lean=-0.1, curve=OTHER),
    Item("early insomnia", {"sleep_disturbance": 1.0}, 2, lean=0.8, curve=OTHER),
    Item("middle insomnia", {"sleep_disturbance": 1.0}, 2, lean=0.8, curve=OTHER),
    Item("late insomnia", {"sleep_disturbance": 1.0}, 2, lean=0.6, curve=OTHER),
    Item("work and interests", {"anhedonia": 0.6, "severity": 0.4}, 4, lean=0.3, curve=CORE),
    Item("retardation", {"fatigue": 0.5, "severity": 0.5}, 4, lean=-0.4, curve=CORE),
    Item("agitation", {"tension": 1.0}, 4, lean=-0.3, curve=OTHER),
    Item("psychic anxiety", {"tension": 1.0}, 4, lean=0.1, curve=CORE),
    Item("somatic anxiety", {"tension": 1.0}, 4, lean=0.2, curve=OTHER),
    Item("appetite", {"appetite_loss": 1.0}, 2, lean=-0.2, curve=OTHER),
    Item("general somatic symptoms", {"fatigue": 1.0}, 2, lean=0.3, curve=CORE),
    Item("loss of libido", {"anhedonia": 1.0}, 2, lean=0.8, curve=OTHER),
    Item("hypochondriasis", {"tension": 0.5, "severity": 0.5}, 4, lean=-0.5, curve=OTHER),
    Item("loss of weight", {"appetite_loss": 1.0}, 2, lean=-0.6, curve=OTHER),
    Item("loss of insight", {"severity": 1.0}, 2, lean=-0.8, curve=OTHER),
)

SCALE = Scale(
    name="HAM-D17",
    title="Hamilton Depression Rating Scale, 17 items",
    measures="depressive symptoms",
    rated_by="clinician",
    items=ITEMS,
    error_sd=2.3,
    error_record="",
    error_reason="As for the MADRS, in proportion to the spread between patients; no record.",
    level_records=(
        "eff-nimh-ds005917-odd-ham17-b0",
        "eff-nimh-ds005917-odd-madrs-b0",
        "eff-nimh-ds005917-odd-ham17-d2",
        "eff-nimh-ds005917-odd-madrs-d2",
    ),
    level_reason="Side by side with the MADRS in one trial: 20.1 at 32.3, 15.3 at 24.2; and 7 near 8.5 "
    "(doi:10.1016/j.euroneuro.2006.04.008). A pool of mirtazapine trials found more, 20 at 26 and 30 at 39 "
    "(PMID 29031182): the two disagree, and the resistant patients of the record are followed.",
    licence="In the public domain; only names of the items are used.",
    remission=(
        Line(
            "HAM-D17 <= 7",
            "<=",
            7,
            "",
            "The usual line; no record of it (eff-zarate2006-rem1d uses 21 items).",
        ),
    ),
)

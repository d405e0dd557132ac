"""Patient Health Questionnaire, nine items of 0-3 (0-27), self-report: the scale of community clinics."""

from __future__ import annotations

from rekindle.outcomes.scale import Curve, Item, Line, Scale

CURVE = Curve(steepness=1.3, difficulty=0.8)

ITEMS = (
    Item(
        "interest",
        {"anhedonia": 1.0},
        3,
        lean=0.2,
        text="Little interest or pleasure in doing things",
        curve=CURVE,
    ),
    Item("mood", {"severity": 1.0}, 3, lean=0.2, text="Feeling down, depressed, or hopeless", curve=CURVE),
    Item(
        "sleep",
        {"sleep_disturbance": 1.0},
        3,
        lean=0.2,
        text="Trouble falling or staying asleep, or sleeping too much",
        curve=CURVE,
    ),
    Item("energy", {"fatigue": 1.0}, 3, lean=0.3, text="Feeling tired or having little energy", curve=CURVE),
    Item("appetite", {"appetite_loss": 1.0}, 3, lean=-0.1, text="Poor appetite or overeating", curve=CURVE),
    Item(
        "failure",
        {"severity": 1.0},
        3,
        lean=0.1,
        text="Feeling bad about yourself - or that you are a failure or have let yourself or your family down",
        curve=CURVE,
    ),
    Item(
        "concentration",
        {"poor_concentration": 1.0},
        3,
        lean=0.0,
        text="Trouble concentrating on things, such as reading the newspaper or watching television",
        curve=CURVE,
    ),
    Item(
        "slowness or restlessness",
        {"fatigue": 0.5, "tension": 0.5},
        3,
        lean=-0.3,
        text="Moving or speaking so slowly that other people could have noticed? Or the opposite - being so "
        "fidgety or restless that you have been moving around a lot more than usual",
        curve=CURVE,
    ),
    Item(
        "thoughts of death",
        {"suicidal_ideation": 1.0},
        3,
        lean=-0.6,
        text="Thoughts that you would be better off dead or of hurting yourself in some way",
        curve=CURVE,
    ),
)

SCALE = Scale(
    name="PHQ-9",
    title="Patient Health Questionnaire, nine items",
    measures="depressive symptoms",
    rated_by="patient",
    items=ITEMS,
    error_sd=2.0,
    error_record="",
    error_reason="A seventh of the spread between patients as variance, as for the MADRS; no record.",
    level_records=("eff-ross2019vet-phq-0",),
    level_reason="Set so that below 5 here and at most 12 on the MADRS, the two remission lines that"
    " trials of the spray report side by side, fall at the same severity; patients of "
    "the record began at 18.9.",
    licence="No permission is needed to reproduce, translate, display or distribute it.",
    remission=(Line("PHQ-9 < 5", "<", 5, "eff-mcinnes2022-rem", "Definition of the community series."),),
)

"""What is known about a person: the columns of a table of people, their units, ranges and meanings.

`required` columns must be in a file; the others are filled with the typical value of the population's kind
(or with `default`), and the table remembers which were filled (`People.filled`). Columns named
`eta.<parameter>` hold random effects and need no entry here.
"""

from __future__ import annotations

from dataclasses import dataclass

ETA = "eta."


@dataclass(frozen=True)
class Column:
    """One column: `kind` is number, flag (0/1) or category; `low` and `high` bound what can be meant."""

    name: str
    kind: str
    unit: str
    meaning: str
    low: float = 0.0
    high: float = 1.0
    required: bool = False
    default: float | str | None = None
    categories: tuple[str, ...] = ()


def _number(name: str, unit: str, low: float, high: float, meaning: str, **more: float | bool | str) -> Column:
    required = bool(more.get("required", False))
    default = more.get("default")
    filled = None if default is None else float(default)
    return Column(name, "number", unit, meaning, low, high, required, filled)


def _flag(name: str, meaning: str, default: float | None = None) -> Column:
    return Column(name, "flag", "0 or 1", meaning, 0.0, 1.0, False, default)


COLUMNS: tuple[Column, ...] = (
    _number("age_years", "year", 0.0, 120.0, "age at the first session", required=True),
    Column(
        "sex",
        "category",
        "",
        "sex that the volume of tissue and blood goes with",
        required=True,
        categories=("female", "male"),
    ),
    _number("weight_kg", "kg", 20.0, 400.0, "body weight", required=True),
    _number("height_cm", "cm", 100.0, 250.0, "height"),
    _number("bmi", "kg/m^2", 8.0, 120.0, "body mass index: weight over height squared"),
    _number("baseline_madrs", "points", 0.0, 60.0, "true (error-free) MADRS total before treatment"),
    _number("baseline_pain", "points", 0.0, 10.0, "usual pain on the 0-10 scale before treatment"),
    Column("cyp2b6", "category", "", "CYP2B6 genotype", categories=("*1/*1", "*1/*6", "*6/*6")),
    Column(
        "bdnf_val66met",
        "category",
        "",
        "BDNF Val66Met genotype",
        categories=("Val/Val", "Val/Met", "Met/Met"),
    ),
    _number(
        "benzodiazepine_mg",
        "mg/day",
        0.0,
        200.0,
        "daily benzodiazepine, as milligrams of diazepam; 0 for none",
    ),
    _flag("family_history_alcohol", "a first-degree relative with alcohol use disorder"),
    _flag("substance_use_history", "a past substance use disorder"),
    _number("trait_dissociation", "points", 0.0, 100.0, "Dissociative Experiences Scale, 0-100"),
    _flag("chronic_illness", "a chronic inflammatory or painful illness"),
    _flag("hypertension", "diagnosed high blood pressure, treated"),
    _number("failed_treatments", "count", 0.0, 30.0, "antidepressants that failed in this episode"),
    _flag("previous_suicide_attempt", "a suicide attempt in the past"),
    _number(
        "misuse_predisposition",
        "ratio",
        0.0,
        1000.0,
        "how many times faster craving builds up than in a person without risk factors",
    ),
    _number("systolic_baseline", "mmHg", 60.0, 260.0, "systolic pressure before a session"),
    _number("diastolic_baseline", "mmHg", 30.0, 160.0, "diastolic pressure before a session"),
    _number("heart_rate_baseline", "1/min", 30.0, 180.0, "heart rate before a session"),
    _flag("oral_antidepressant", "starts an oral antidepressant with the study and keeps taking it", default=0.0),
    _flag("lithium", "takes lithium", default=0.0),
    _flag("naltrexone", "takes naltrexone", default=0.0),
    _flag("cyp2b6_inhibitor", "takes a CYP2B6 inhibitor (ticlopidine, clopidogrel)", default=0.0),
    _flag("alcohol_with_session", "drinks alcohol on the day of a session", default=0.0),
    _flag("opioid", "takes an opioid", default=0.0),
    _flag("other_sedative", "takes another sedative (Z-drug, gabapentinoid, antihistamine)", default=0.0),
    _flag("pregnant", "pregnant or breast-feeding", default=0.0),
    _flag("severe_hepatic_failure", "severe liver failure (Child-Pugh C)", default=0.0),
    _flag("severe_renal_failure", "severe kidney failure (clearance under 30 mL/min, or dialysis)", default=0.0),
    _flag("aneurysm", "aneurysmal vascular disease", default=0.0),
    _flag("arteriovenous_malformation", "arteriovenous malformation", default=0.0),
    _flag("intracerebral_haemorrhage", "a past intracerebral haemorrhage", default=0.0),
    _flag("psychosis", "a psychotic illness", default=0.0),
    _number(
        "weeks_since_infarction",
        "week",
        0.0,
        10000.0,
        "weeks since a myocardial infarction; 10000 for never",
        default=10000.0,
    ),
)

BY_NAME: dict[str, Column] = {column.name: column for column in COLUMNS}


def column(name: str) -> Column | None:
    """The definition of a column, or None for a random effect or an unknown name."""
    return BY_NAME.get(name)

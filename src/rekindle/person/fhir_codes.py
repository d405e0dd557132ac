"""Codes of FHIR records that are read: LOINC, RxNorm, ATC, SNOMED CT, UCUM.

LOINC items and answers are those of the panels 44249-1 (PHQ-9) and 69737-5 (GAD-7), each in the order of the scale.
What has no code here is known by its words.
"""

from __future__ import annotations

from collections.abc import Mapping

LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = ("http://www.whocc.no/atc", "urn:oid:2.16.840.1.113883.6.73")
SNOMED = "http://snomed.info/sct"
ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"

PANELS: Mapping[str, str] = {"44249-1": "PHQ-9", "69737-5": "GAD-7"}
TOTALS: Mapping[str, str] = {"44261-6": "PHQ-9", "70274-6": "GAD-7"}
ITEMS: Mapping[str, tuple[str, str]] = {
    "44250-9": ("PHQ-9", "interest"),
    "44255-8": ("PHQ-9", "mood"),
    "44259-0": ("PHQ-9", "sleep"),
    "44254-1": ("PHQ-9", "energy"),
    "44251-7": ("PHQ-9", "appetite"),
    "44258-2": ("PHQ-9", "failure"),
    "44252-5": ("PHQ-9", "concentration"),
    "44253-3": ("PHQ-9", "slowness or restlessness"),
    "44260-8": ("PHQ-9", "thoughts of death"),
    "69725-0": ("GAD-7", "nervousness"),
    "68509-9": ("GAD-7", "control of worry"),
    "69733-4": ("GAD-7", "worry"),
    "69734-2": ("GAD-7", "relaxing"),
    "69735-9": ("GAD-7", "restlessness"),
    "69689-8": ("GAD-7", "irritability"),
    "69736-7": ("GAD-7", "fear"),
}
ANSWERS: Mapping[str, int] = {"LA6568-5": 0, "LA6569-3": 1, "LA6570-1": 2, "LA6571-9": 3}
"""Not at all, several days, more than half the days, nearly every day."""

PRESSURE_PANEL = "85354-9"
SIGNS: Mapping[str, str] = {"8480-6": "systolic", "8462-4": "diastolic", "8867-4": "heart_rate"}
BODY: Mapping[str, str] = {"29463-7": "weight_kg", "8302-2": "height_cm"}

DRUGS_BY_ATC: Mapping[str, str] = {"N01AX03": "racemic-ketamine", "N01AX14": "esketamine", "N06AX27": "esketamine"}
DRUGS_BY_RXNORM: Mapping[str, str] = {
    "6130": "racemic-ketamine",
    "2201623": "esketamine",
    "2201625": "esketamine",
}
"""Ketamine; esketamine nasal spray; the same by its brand."""

NASAL_ATC = "N06AX27"
"""Esketamine as an antidepressant: the nasal device."""

ROUTES_BY_SNOMED: Mapping[str, str] = {
    "47625008": "intravenous",
    "78421000": "intramuscular",
    "34206005": "subcutaneous",
    "46713006": "nasal",
    "26643006": "oral",
    "37839007": "sublingual",
}
ROUTE_WORDS: Mapping[str, str] = {
    "intravenous": "intravenous", "iv": "intravenous", "i.v.": "intravenous", "intramuscular": "intramuscular",
    "im": "intramuscular", "i.m.": "intramuscular", "subcutaneous": "subcutaneous", "sc": "subcutaneous",
    "s.c.": "subcutaneous", "nasal": "nasal", "intranasal": "nasal", "nose": "nasal", "oral": "oral", "po": "oral",
    "sublingual": "sublingual", "sl": "sublingual",
}  # fmt: skip

MASS_MG: Mapping[str, float] = {"mg": 1.0, "g": 1000.0, "ug": 1e-3, "mcg": 1e-3, "µg": 1e-3}
PRESSURE = ("mm[Hg]", "mmHg", "mm Hg")
PULSE = ("/min", "1/min", "{beats}/min", "beats/min", "beats/minute", "bpm")
RATE_HOURS: Mapping[str, float] = {"h": 1.0, "hr": 1.0, "min": 1 / 60}

GIVEN = ("completed",)
NOT_GIVEN = ("not-done", "entered-in-error")
MEASURED = ("final", "amended", "corrected")
ANSWERED = ("completed", "amended")

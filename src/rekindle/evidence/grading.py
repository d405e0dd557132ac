"""How far a record carries: measured in people, measured in animals or a preparation, or only assumed.

The grade is read from the words of the row. `human` is a person's body, brain, blood or rating. `rodent`
stands for every animal, and for receptors, cells and slices in a dish, whoever they came from. `assumed` is
a number from a model, from code or from a derivation, which nobody measured. Rows whose words mislead are
corrected by name.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

Grade = Literal["human", "rodent", "assumed"]
GRADES: tuple[Grade, ...] = get_args(Grade)

_PEOPLE = re.compile(
    r"\b(healthy|patients?|human plasma|humans|men|women|adults?|children|volunteers?|MDD|TRD|PTSD|depress\w+"
    r"|bipolar|users?|suicid\w+|inpatients?|twins?)\b",
    re.IGNORECASE,
)
_ANIMAL_OR_DISH = re.compile(
    r"\b(rats?|mouse|mice|rodents?|wistar|csds|cus|rhesus|macaques?|monkeys?|cynomolgus|non-human primates?"
    r"|dogs?|preclinical|in[ -]vitro|oocytes?|recombinant|homogenate|slices?|cells?|neurons?|cloned"
    r"|receptors?|microsomes|preparation)\b",
    re.IGNORECASE,
)
_NOBODY = re.compile(
    r"\b(model|derived|search result|code|third-party refit|guess|public model|llm-generated|this search)\b",
    re.IGNORECASE,
)
_CITED_IN_CODE = re.compile(r"\((cited in|as tabulated in)[^)]*\)")
_BINDING = re.compile(r"\b(Ki|Kd|IC50|EC50|NMDAR?|HCN1|open probability|GluN2B|channel)\b", re.IGNORECASE)

_BY_NAME: dict[str, Grade] = {
    # Ratios of binding without a preparation in the population column.
    "rec-nmda-sr-ratio-wiki": "rodent",
    "x-rec-nmda-ratio-hnk": "rodent",
    "sv2a-null-holmes2022": "human",  # people were scanned beside the animals
    "sigma-claim-kalkman": "assumed",  # a hypothesis paper
    # Constants of chemistry and of human plasma hold in people, however they were tabulated.
    "pk-simons24-otf-salt": "human",
    "pk-mw-k": "human",
    "pk-mw-nk": "human",
    "pk-mw-hnk": "human",
    "pk-mw-dhnk": "human",
    "pk-schmidt24-fu-s": "human",
    "pk-schmidt24-fu-r": "human",
}


def grade(*, record_id: str, topic: str, quantity: str, population: str, source: str, refitted: bool = False) -> Grade:
    """The grade of a row, from its own words; a refit of measured data keeps the grade of those data."""
    if record_id in _BY_NAME:
        return _BY_NAME[record_id]
    said_of_origin = " | ".join((population, _CITED_IN_CODE.sub("", source)))
    of_nobody = _NOBODY.search(said_of_origin) or re.search(r"\b(public model|third-party refit)\b", quantity)
    if of_nobody and not refitted:
        return "assumed"
    if _ANIMAL_OR_DISH.search(population):
        return "rodent"
    if _PEOPLE.search(population):
        return "human"
    if _ANIMAL_OR_DISH.search(quantity) or (topic == "receptor" and _BINDING.search(quantity)):
        return "rodent"
    return "human"

"""The words of a sentence that name a drug or a route, and which drug or route they name together."""

from __future__ import annotations

from rekindle.dosing.drugs import DRUGS
from rekindle.dosing.items import Item
from rekindle.dosing.mistakes import SentenceError

_DRUG_STARTS = {
    "esketamine": "esketamine", "s-ketamine": "esketamine", "(s)": "esketamine", "spravato": "esketamine",
    "arketamine": "arketamine", "r-ketamine": "arketamine", "(r)": "arketamine",
    "midazolam": "midazolam", "saline": "saline", "normal": "saline", "antidepressant": "oral-antidepressant",
    "ssri": "oral-antidepressant", "ect": "ect", "electroconvulsive": "ect",
}  # fmt: skip

_ROUTE_WORDS = {
    "iv": "iv", "i.v.": "iv", "intrav": "iv", "infus": "infusion", "bolus": "bolus", "push": "bolus",
    "im": "im", "i.m.": "im", "intram": "im", "sc": "sc", "s.c.": "sc", "subc": "sc",
    "intranasal": "nasal", "nasal": "nasal", "spray": "spray", "device": "device", "atomi": "atomiser",
    "oral": "oral", "by": "oral", "po": "oral", "p.o.": "oral", "solution": "solution",
    "extended": "extended", "prolonged": "extended", "tablet": "tablet",
    "sublingual": "sublingual", "film": "film", "lozenge": "lozenge", "wafer": "lozenge", "troche": "lozenge",
    "inhal": "inhaled", "nebuli": "inhaled",
}  # fmt: skip

_ROUTES = {
    "iv": "iv-infusion", "infusion iv": "iv-infusion", "infusion": "iv-infusion", "bolus iv": "iv-bolus",
    "bolus": "iv-bolus", "im": "intramuscular", "sc": "subcutaneous", "nasal": "intranasal",
    "nasal spray": "intranasal", "spray": "intranasal", "device nasal": "intranasal-device",
    "device": "intranasal-device", "device nasal spray": "intranasal-device",
    "atomiser nasal": "intranasal-atomiser", "atomiser": "intranasal-atomiser",
    "atomiser nasal spray": "intranasal-atomiser",
    "oral": "oral", "oral solution": "oral", "extended oral": "oral-extended-release",
    "extended": "oral-extended-release", "extended tablet": "oral-extended-release",
    "extended oral tablet": "oral-extended-release", "oral tablet": "oral", "film": "sublingual-film",
    "film sublingual": "sublingual-film", "lozenge": "sublingual-lozenge",
    "lozenge sublingual": "sublingual-lozenge",
    "sublingual tablet": "sublingual-lozenge", "inhaled": "inhaled",
}  # fmt: skip


def drug_name(word: Item, routes: list[Item], text: str) -> str:
    """The drug that a word names; "placebo" is a spray or an infusion of saline, as its route says.

    Raises:
        SentenceError: a placebo that is neither.
    """
    said = str(word.value)
    if said == "placebo":
        ways = {_plain(str(item.value)) for item in routes}
        if ways & {"spray", "nasal", "device"}:
            return "placebo-spray"
        if ways & {"iv", "infusion"}:
            return "saline"
        raise SentenceError(
            "It is not said which placebo is meant.", text, word.start,
            hint='Say "placebo spray" or "saline IV over 40 min"; other placebos are not covered.',
        )  # fmt: skip
    return next((name for start, name in _DRUG_STARTS.items() if said.startswith(start)), "racemic-ketamine")


def route_name(drug: str, words: list[Item], text: str) -> str:
    """The route that words name together for a drug; "intranasal" esketamine means the device.

    Raises:
        SentenceError: the words contradict each other, are not enough, or the drug has no such route.
    """
    key = " ".join(sorted({_plain(str(item.value)) for item in words}))
    start = words[0].start
    if key == "sublingual":
        raise SentenceError(
            '"sublingual" is not enough.', text, start, hint='Say "sublingual film" or "sublingual lozenge".'
        )
    if key not in _ROUTES:
        said = " ".join(str(item.value) for item in words)
        raise SentenceError(f"'{said}' is not one route.", text, start, hint='Join two doses with "then" or "with".')
    route = _ROUTES[key]
    if route == "intranasal":
        route = "intranasal-device" if drug == "esketamine" else "intranasal"
    route = "intranasal" if route == "intranasal-atomiser" else route
    known = DRUGS[drug].routes
    if route not in known:
        only_device = "Only esketamine comes in the 28-mg device. " if route == "intranasal-device" else ""
        raise SentenceError(
            f"{DRUGS[drug].spoken} is not given by this route ({route}).", text, start,
            hint=f"{only_device}Routes of {DRUGS[drug].spoken}: {', '.join(known)}.",
        )  # fmt: skip
    return route


def _plain(word: str) -> str:
    longest = max((start for start in _ROUTE_WORDS if word.startswith(start)), key=len)
    return _ROUTE_WORDS[longest]

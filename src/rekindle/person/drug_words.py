"""Which form of ketamine the words of a record name: the racemate, one enantiomer, or nothing that settles it.

The racemic spellings ("R,S-ketamine", "rac-ketamine") hold the letter of an enantiomer, so they are looked for first;
what was understood is taken out before the rest is looked at. Words that name ketamine and are not understood in full
are `UNSETTLED`, so that nobody guesses: an enantiomer taken for the racemate is another dose of another drug.
"""

from __future__ import annotations

import re

PLAIN, RACEMIC, ESKETAMINE, ARKETAMINE, UNSETTLED = "ketamine", "racemic", "esketamine", "arketamine", "unsettled"
"""`PLAIN` is ketamine without a word about its form, which is the racemate unless something else says more."""

_STEM = r"ketamin(?:e|a|um|i)?(?:[ -]?(?:hydrochlorid[eu]?m?|chlorhydrat[e]?|clorhidrato|hcl))?(?![^\W\d_])"
_ALONE = r"(?<![\w'’.])"
_LINK = r"[\s()\[\]+,-]*"
_SIGN = r"(?:\s*-?\s*\(\s*[+-]\s*\))?"
_BOTH = rf"(?:\(?r\)?{_SIGN}[\s,/+&;-]*\(?s\)?|\(?s\)?{_SIGN}[\s,/+&;-]*\(?r\)?|\+/-|±)"
_KIND = r"(?:enantiomer|isomer|form)s?\b"
_PLUS = r"(?:\(\s*\+\s*\)|\+)"
_ROUTES = re.compile(r"(?<![\w'’])(?:s\s?[./]\s?c|i\s?[./]\s?v|i\s?[./]\s?m|p\s?[./]\s?o|s\s?[./]\s?l)(?![\w])\.?")

_KNOWN: tuple[tuple[str, re.Pattern[str]], ...] = (
    (RACEMIC, re.compile(rf"{_ALONE}{_BOTH}{_SIGN}{_LINK}{_STEM}(?:[\s,-]+racem\w*)?")),
    (RACEMIC, re.compile(rf"{_ALONE}(?:rac|racem\w*|dl){_LINK}(?:{_BOTH}{_SIGN}{_LINK})?{_STEM}")),
    (RACEMIC, re.compile(rf"{_ALONE}{_STEM}{_LINK}(?:{_BOTH}{_SIGN}|rac|racem\w*)\)?(?![\w'’])(?:[\s-]*{_KIND})?")),
    (ESKETAMINE, re.compile(rf"{_ALONE}ketanest(?:\s?(?:®|\(r\)))?[\s-]*s(?![\w'’])")),
    (ESKETAMINE, re.compile(rf"{_ALONE}(?:es{_STEM}|spravato)(?![\w-])")),
    (ARKETAMINE, re.compile(rf"{_ALONE}ar{_STEM}")),
    (ESKETAMINE, re.compile(rf"{_ALONE}\(?s\)?(?:[\s-]*{_PLUS})?[\s)\]-]*(?<![a-z]){_STEM}")),
    (ARKETAMINE, re.compile(rf"{_ALONE}\(?r\)?(?:[\s-]*\(\s*-\s*\))?[\s)\]-]*(?<![a-z]){_STEM}")),
    (ESKETAMINE, re.compile(rf"{_ALONE}{_STEM}[\s,(\[-]+s[\s-]*{_PLUS}?[\s-]*(?:{_KIND}|(?![\w'’.]))[)\]]?")),
    (ARKETAMINE, re.compile(rf"{_ALONE}{_STEM}[\s,(\[-]+r[\s-]*(?:\(\s*-\s*\)[\s-]*(?:{_KIND})?|{_KIND})[)\]]?")),
    (ESKETAMINE, re.compile(rf"{_ALONE}\(?s[\s-]*(?:\(\s*\+\s*\)[\s-]*)?{_KIND}\)?")),
    (ARKETAMINE, re.compile(rf"{_ALONE}\(?r[\s-]*(?:\(\s*-\s*\)[\s-]*)?{_KIND}\)?")),
    (PLAIN, re.compile(rf"(?<![\w'’)\]+±-]){_STEM}(?![\s-]*\(?[rs]\b)|{_ALONE}ketalar(?!\w)(?:\s?\(r\))?")),
)  # fmt: skip
_NAMED = re.compile(r"ketamin|ketanest|ketalar|spravato")
_LEFT = re.compile(r"ketamin|ketanest")
_LONGEST = 1_000
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212"), "-")
_BESIDE = re.compile(r"(?<![\w'’])[rs]\W{0,3} \| | \| \W{0,3}[rs](?![\w'’])")
_DOUBT = re.compile(r"enantiomer|isomer|(?:levo|laevo|dextro)rot\w*")


def forms(text: str) -> set[str]:
    """What forms of ketamine the words name; empty where they name none.

    >>> forms("R,S-ketamine hydrochloride"), forms("ketamine (S-enantiomer)"), forms("norketamine")
    ({'racemic'}, {'esketamine'}, {'unsettled'})
    """
    found: set[str] = set()
    for part in re.sub(r"\s+", " ", text.casefold().translate(_DASHES)).split(" ; "):
        if _NAMED.search(part):
            found |= _forms(_ROUTES.sub(" ", part)) if len(part) <= _LONGEST else {UNSETTLED}
    return found


def _forms(part: str) -> set[str]:
    found: set[str] = set()
    for form, pattern in _KNOWN:
        part, count = pattern.subn(" | ", part)
        found |= {form} if count else set()
    if _LEFT.search(part) or (found and _DOUBT.search(part)) or (found == {PLAIN} and _BESIDE.search(part)):
        return {UNSETTLED}
    if len(found) > 1:
        found.discard(PLAIN)
    return found

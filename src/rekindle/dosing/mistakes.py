"""What is said when a word of a sentence is not understood: where it stands and what was perhaps meant."""

from __future__ import annotations

from rekindle.errors import InputError, nearest

VOCABULARY: dict[str, tuple[str, ...]] = {
    "drug": (
        "ketamine", "racemic ketamine", "esketamine", "arketamine", "midazolam", "saline", "placebo spray",
        "oral antidepressant", "antidepressant", "ssri", "ect",
    ),
    "route": (
        "iv", "infusion", "bolus", "intravenous", "im", "intramuscular", "subcutaneous", "subcutaneously",
        "intranasal", "atomiser", "oral", "orally", "extended-release", "sublingual", "film", "lozenge",
        "inhaled", "nebulised",
    ),
    "unit": ("mg", "mg/kg", "g", "ug", "mcg", "ug/kg", "mcg/kg", "mg/kg/h", "mg/h"),
    "unit of time": ("min", "minutes", "h", "hours", "day", "days", "week", "weeks"),
    "word": (
        "once", "twice", "times", "daily", "weekly", "fortnightly", "every", "over", "for", "then", "with",
        "missing", "session", "sessions", "doses", "infusions", "from", "at", "after", "washout",
        "hydrochloride", "base", "ideal body weight", "lean body weight", "adjusted body weight",
        "no treatment",
    ),
}  # fmt: skip

_KNOWN_STRANGERS = {
    "month": "A month is not a fixed number of days; say 4 weeks, or 30 days.",
    "months": "A month is not a fixed number of days; say 4 weeks, or 30 days.",
    "year": "Say 52 weeks.",
    "years": "Say 104 weeks, or how many.",
    "rectal": "Rectal ketamine is not covered.",
    "rectally": "Rectal ketamine is not covered.",
    "transdermal": "Ketamine through the skin is not covered.",
    "epidural": "Epidural ketamine is not covered.",
    "intrathecal": "Intrathecal ketamine is not covered.",
    "mondays": 'A course has days, not a calendar: "days 1 and 4 of each week".',
    "monday": 'A course has days, not a calendar: "days 1 and 4 of each week".',
    "ml": "A dose is an amount of drug: mg or mg/kg.",
    "units": "A dose is an amount of drug: mg or mg/kg.",
}


class SentenceError(InputError):
    """A dosing sentence that cannot be understood; `column` (from 1) says where, `sentence` is the whole."""

    def __init__(self, message: str, sentence: str, start: int, *, hint: str | None = None) -> None:
        self.sentence = sentence
        self.column = start + 1
        super().__init__(message, where=f"dosing sentence, column {self.column}", hint=hint)

    def pointer(self) -> str:
        """The sentence with a caret below the place, for a terminal; two lines."""
        return f"{self.sentence}\n{' ' * (self.column - 1)}^"


def strange_word(word: str, sentence: str, start: int, *, kind: str = "", expected: str = "") -> SentenceError:
    """The error for a word that is not understood, offering the nearest that are.

    `kind` narrows the search to one part of the vocabulary, for example "unit".
    """
    known = _KNOWN_STRANGERS.get(word.lower())
    if known is not None:
        return SentenceError(f"'{word}' is not understood.", sentence, start, hint=known)
    kinds = [kind] if kind else list(VOCABULARY)
    home = {name: each for each in reversed(kinds) for name in VOCABULARY[each]}
    near = nearest(word, home)
    if near:
        best = kind or home[near[0]]
        return SentenceError(f"Unknown {best} '{word}'.", sentence, start, hint=f"Nearest: {', '.join(near)}.")
    hint = expected or (
        f"Known: {', '.join(VOCABULARY[kind])}." if kind else f"Drugs: {', '.join(VOCABULARY['drug'])}."
    )
    return SentenceError(f"Unknown {kind or 'word'} '{word}'.", sentence, start, hint=hint)

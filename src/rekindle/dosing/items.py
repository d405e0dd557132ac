"""The items of one element of a dosing sentence, read from the grammar's tree, each with its column.

Nothing is decided here except what each item says by itself; `phrases` decides what they mean together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from lark import Token, Tree

from rekindle.dosing.mistakes import SentenceError, strange_word

NUMBER_WORDS = {
    word: Decimal(value)
    for value, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
        start=1,
    )
}
MINUTES = {
    "SECOND": Decimal(1) / 60, "MINUTE": Decimal(1), "HOUR": Decimal(60), "DAY": Decimal(1440),
    "WEEK": Decimal(10080),
}  # fmt: skip
DAYS = {"DAY": 1, "WEEK": 7}
SMALLEST, LARGEST = Decimal("1e-9"), Decimal("1e9")
"""Assumed bounds of a number that somebody would write in a dosing sentence."""


@dataclass(frozen=True)
class Item:
    """One item: its kind, what it says, and where it starts in the sentence."""

    kind: str
    value: object
    start: int


@dataclass(frozen=True)
class Lasting:
    """A length of time as said: a number of some unit (SECOND, MINUTE, HOUR, DAY, WEEK)."""

    number: Decimal
    unit: str

    @property
    def minutes(self) -> float:
        """The length in minutes."""
        return float(self.number * MINUTES[self.unit])

    @property
    def in_days(self) -> bool:
        """Whether it was said in days or weeks."""
        return self.unit in DAYS


@dataclass(frozen=True)
class Pace:
    """A rhythm as said: so many times in a unit of time, or once every so many of it."""

    times: int
    every: int
    unit: str


@dataclass
class Element:
    """What stands between one "then" or "with" and the next."""

    text: str
    start: int
    items: list[Item] = field(default_factory=list)

    def all(self, *kinds: str) -> list[Item]:
        """Items of these kinds, in the order they were said."""
        return [item for item in self.items if item.kind in kinds]

    def only(self, kind: str, called: str) -> Item | None:
        """The one item of a kind, or None.

        Raises:
            SentenceError: it was said twice.
        """
        found = self.all(kind)
        if len(found) > 1:
            raise SentenceError(
                f"A second {called} in the same part of the sentence.", self.text, found[1].start,
                hint='Join parts with "then" (one after another) or "with" (side by side).',
            )  # fmt: skip
        return found[0] if found else None

    def whole(self, item: Item, value: Decimal, called: str) -> int:
        """A positive whole number.

        Raises:
            SentenceError: it is not.
        """
        if value != value.to_integral_value() or value < 1:
            raise SentenceError(
                f"The {called} is {value}.", self.text, item.start, hint="It should be a whole number from 1."
            )
        return int(value)


def read_element(tree: Tree[Token], text: str) -> Element:
    """The items of one element.

    Raises:
        SentenceError: a word or unit that is not understood.
    """
    element = Element(text, tree.meta.start_pos)
    for child in tree.children:
        assert isinstance(child, Tree)
        item = _item(child, element)
        if item is not None:
            element.items.append(item)
    return element


def _item(tree: Tree[Token], element: Element) -> Item | None:
    kind, start = str(tree.data), getattr(tree.meta, "start_pos", element.start)
    if kind == "noise":
        return None
    if kind == "stranger":
        raise _strange(tree, element.text)
    if kind == "strange_unit":
        word = _tokens(tree)[-1]
        raise strange_word(str(word), element.text, word.start_pos or 0, kind="unit")
    if kind in _RHYTHMS:
        return Item("rhythm", _pace(kind, tree, element, start), start)
    return Item(kind, _value(kind, tree, element, start), start)


def _strange(tree: Tree[Token], text: str) -> SentenceError:
    word = _tokens(tree)[0]
    start = word.start_pos or 0
    return strange_word(text[start : start + len(word)], text, start)


def _value(kind: str, tree: Tree[Token], element: Element, start: int) -> object:
    tokens = _tokens(tree)
    if kind == "dose":
        return _number(tree, element), str(tokens[-1])
    if kind in ("over", "span", "washout"):
        return Lasting(_number(tree, element), tokens[-1].type)
    if kind in ("count", "span_sessions", "start_day"):
        return element.whole(Item(kind, None, start), _number(tree, element), _CALLED[kind])
    if kind in ("days", "days_of_week", "missing"):
        return tuple(_listed(tree, element, start, "session" if kind == "missing" else "day"))
    if kind == "clock":
        return tuple(_minutes_of_day(hour, element, start) for hour in tree.find_data("hour")) + tuple(
            _minutes_of_day(hour, element, start) for hour in tree.find_data("half_day")
        )
    return str(tokens[0]) if tokens else kind


_CALLED = {"count": "number of sessions", "span_sessions": "number of sessions", "start_day": "day"}
_RHYTHMS = ("once", "daily", "weekly", "fortnightly", "every", "every_other", "twice", "times")
_PER = {"DAILY": "DAY", "WEEKLY": "WEEK"}


def _pace(kind: str, tree: Tree[Token], element: Element, start: int) -> Pace:
    simple = {"once": Pace(1, 0, "DAY"), "daily": Pace(1, 1, "DAY"), "weekly": Pace(1, 1, "WEEK")}
    simple["fortnightly"] = Pace(1, 2, "WEEK")
    if kind in simple:
        return simple[kind]
    unit = _PER.get(_tokens(tree)[-1].type, _tokens(tree)[-1].type)
    item = Item(kind, None, start)
    if kind == "every":
        return Pace(1, element.whole(item, _number(tree, element), "number after 'every'"), unit)
    if kind == "every_other":
        return Pace(1, 2, unit)
    times = 2 if kind == "twice" else element.whole(item, _number(tree, element), "number of times")
    return Pace(times, 1, unit)


def _tokens(tree: Tree[Token]) -> list[Token]:
    return list(tree.scan_values(lambda value: isinstance(value, Token)))


def _number(tree: Tree[Token], element: Element) -> Decimal:
    """The first number in a tree."""
    found = next(token for token in _tokens(tree) if token.type in ("NUMBER", "NUMBER_WORD"))
    return _decimal(found, element)


def _decimal(token: Token, element: Element) -> Decimal:
    if token in NUMBER_WORDS:
        return NUMBER_WORDS[str(token)]
    value = Decimal(str(token))
    if value and not SMALLEST <= abs(value) <= LARGEST:
        raise SentenceError(
            f"The number {token} cannot be meant.",
            element.text,
            token.start_pos or 0,
            hint="Check its exponent.",
        )
    return value


def _listed(tree: Tree[Token], element: Element, start: int, called: str) -> Iterator[int]:
    for listed in tree.find_data("list"):
        for entry in listed.children:
            assert isinstance(entry, Tree)
            place = Item("list", None, getattr(entry.meta, "start_pos", start))
            ends = [
                element.whole(place, value, called) for value in (_decimal(token, element) for token in _tokens(entry))
            ]
            if len(ends) == 2 and not 0 <= ends[1] - ends[0] <= 4000:
                raise SentenceError(
                    f"{ends[0]} to {ends[1]} is not a range.",
                    element.text,
                    place.start,
                    hint="For example: 1 to 5.",
                )
            yield from range(ends[0], ends[-1] + 1)


def _minutes_of_day(hour: Tree[Token], element: Element, start: int) -> int:
    tokens = [str(token) for token in _tokens(hour)]
    if len(tokens) == 1:
        hours, minutes = (int(part) for part in tokens[0].split(":"))
        if hours < 24 and minutes < 60:
            return hours * 60 + minutes
    else:
        number = _number(hour, element)
        if number == number.to_integral_value() and 1 <= number <= 12:
            return int(number) % 12 * 60 + (720 if tokens[1].startswith("p") else 0)
    raise SentenceError(
        f"'{' '.join(tokens)}' is not a time of day.",
        element.text,
        start,
        hint="For example: at 09:00, at 9 am.",
    )

"""When a regimen's sessions are, from the words of its element: rhythm, length, days, start, time of day."""

from __future__ import annotations

from typing import cast

from rekindle.dosing.items import DAYS, Element, Item, Lasting, Pace
from rekindle.dosing.line import Line
from rekindle.dosing.mistakes import SentenceError
from rekindle.dosing.regimen import MINUTES_PER_DAY, Regimen
from rekindle.dosing.timing import PER_WEEK, Every, OnDays, Timing, Weekly, times_a_week
from rekindle.errors import InputError

TIMING_KINDS = ("rhythm", "days", "days_of_week", "count", "span_sessions", "start_day", "washout")
_TIMES_A_DAY = (1, 2, 3, 4, 6, 8, 12, 24)


def timing_of(
    element: Element, before: list[Regimen], *, beside: int | None
) -> tuple[Timing, int | None, tuple[int, ...]]:
    """Timing, starting day and times of day (minutes) that an element states.

    `before` are the regimens of the line so far; `beside` is the length in days of the course's first line,
    which a rhythm without a length takes when it runs beside it.

    Raises:
        SentenceError: the words contradict each other or leave something open.
    """
    start_day = _start_day(element, before)
    rhythm = element.only("rhythm", "rhythm")
    listed = element.only("days", "list of days")
    pace = cast(Pace, rhythm.value) if rhythm is not None else None
    clock = _clock(element, pace, rhythm)
    try:
        if pace is not None and pace.every == 0 and listed is None:
            return _once(element, before, start_day, cast(Item, rhythm)), None, clock
        if listed is not None and not _narrows(pace, listed):
            return _listed(element, listed, rhythm, start_day), None, clock
        return _rhythm(element, rhythm, listed, beside if not before else None), start_day, clock
    except SentenceError:
        raise
    except InputError as error:
        place = rhythm or listed or element.items[0]
        raise SentenceError(error.message, element.text, place.start, hint=error.hint) from None


def _start_day(element: Element, before: list[Regimen]) -> int | None:
    stated = element.only("start_day", "starting day")
    washout = element.only("washout", "washout")
    if stated is not None and washout is not None:
        raise SentenceError("Both a starting day and a washout.", element.text, washout.start, hint="Keep one of them.")
    if washout is None:
        return None if stated is None else cast(int, stated.value)
    if not before:
        raise SentenceError(
            "There is nothing before this washout.",
            element.text,
            washout.start,
            hint='Say "from day 15" instead.',
        )
    return Line(tuple(before)).next_day + _whole_days(element, washout, "washout")


def _whole_days(element: Element, item: Item, called: str) -> int:
    lasting = cast(Lasting, item.value)
    if not lasting.in_days:
        raise SentenceError(
            f"The {called} is not in days or weeks.", element.text, item.start, hint='For example: "2 weeks".'
        )
    return element.whole(item, lasting.number * DAYS[lasting.unit], f"{called} in days")


def _clock(element: Element, pace: Pace | None, rhythm: Item | None) -> tuple[int, ...]:
    """Minutes of the day: as stated, or evenly through the day for several times a day, or midnight."""
    stated = element.only("clock", "time of day")
    times = 1
    if pace is not None and rhythm is not None and pace.unit in ("DAY", "HOUR"):
        per_day = pace.times if pace.unit == "DAY" else 24 // pace.every
        even = pace.unit == "DAY" or (24 % pace.every == 0 and pace.times == 1)
        times = per_day if even else 0
        if times not in _TIMES_A_DAY:
            raise SentenceError(
                "The sessions do not fit evenly into a day.", element.text, rhythm.start,
                hint='For example: "twice a day", "every 8 hours", "daily at 09:00 and 21:00".',
            )  # fmt: skip
    if stated is None:
        return tuple(index * MINUTES_PER_DAY // int(times) for index in range(int(times)))
    clock = cast(tuple[int, ...], stated.value)
    if times != 1 and len(clock) != times:
        raise SentenceError(
            f"{len(clock)} times of day for {times} sessions a day.", element.text, stated.start,
            hint="State as many times of day as there are sessions.",
        )  # fmt: skip
    return clock


def _narrows(pace: Pace | None, listed: Item) -> bool:
    """Whether listed days name the days of the week for "twice a week on days 1 and 5"."""
    days = cast(tuple[int, ...], listed.value)
    return pace is not None and pace.unit == "WEEK" and pace.every == 1 and pace.times == len(days) and max(days) <= 7


def _once(element: Element, before: list[Regimen], start_day: int | None, item: Item) -> OnDays:
    extra = element.all("span", "span_sessions", "count", "days_of_week")
    extra = [each for each in extra if each.kind != "span" or cast(Lasting, each.value).in_days]
    if extra:
        raise SentenceError(
            '"once" has no length.',
            element.text,
            extra[0].start,
            hint='Say "weekly for 4 weeks", or only "once".',
        )
    if start_day is not None or not before:
        return OnDays((start_day or 1,))
    if isinstance(before[-1].timing, OnDays):
        raise SentenceError(
            "It is not said on which day.", element.text, item.start, hint='For example: "then 84 mg, day 8".'
        )
    return OnDays((Line(tuple(before)).next_day,))


def _listed(element: Element, listed: Item, rhythm: Item | None, start_day: int | None) -> OnDays:
    extra = element.all("span_sessions", "count", "days_of_week")
    extra += [each for each in element.all("span") if cast(Lasting, each.value).in_days]
    pace = cast(Pace, rhythm.value) if rhythm is not None else None
    if rhythm is not None and pace is not None and (pace.unit != "DAY" or pace.every > 1):
        extra.append(rhythm)
    if start_day is not None:
        extra += element.all("start_day", "washout")
    if extra:
        raise SentenceError(
            "Listed days need no rhythm, length or start.", element.text, extra[0].start,
            hint='Keep the days ("days 1, 4, 8") or the rhythm ("twice a week for 4 weeks").',
        )  # fmt: skip
    return OnDays(cast(tuple[int, ...], listed.value))


def _rhythm(element: Element, rhythm: Item | None, listed: Item | None, beside: int | None) -> Timing:
    of_week = element.only("days_of_week", "list of days")
    count = element.only("count", "number of sessions")
    span_days, sessions = _length(element, count)
    if of_week is None and rhythm is None:
        return _spread(element, count)
    if span_days is None and sessions is None:
        if beside is None:
            place = cast(Item, rhythm or of_week)
            raise SentenceError(
                "It is not said for how long.", element.text, place.start,
                hint='Add for example "for 4 weeks" or "for 8 doses".',
            )  # fmt: skip
        span_days = beside
    if listed is not None:
        return Weekly(cast(tuple[int, ...], listed.value), span_days, sessions)
    if of_week is not None:
        if rhythm is not None:
            raise SentenceError(
                "Both a rhythm and days of the week.", element.text, of_week.start, hint="Keep one of them."
            )
        return Weekly(cast(tuple[int, ...], of_week.value), span_days, sessions)
    return _paced(cast(Pace, cast(Item, rhythm).value), span_days, sessions)


def _paced(pace: Pace, span_days: int | None, sessions: int | None) -> Timing:
    if pace.unit in ("DAY", "HOUR"):
        per_day = pace.times if pace.unit == "DAY" else 24 // pace.every
        if sessions is not None and per_day > 1:
            if sessions % per_day:
                raise InputError(
                    f"{sessions} doses do not fill days of {per_day} doses.", hint="Say for how many days."
                )
            span_days, sessions = sessions // per_day, None
        return Every(pace.every if pace.unit == "DAY" else 1, span_days, sessions)
    if pace.unit != "WEEK":
        raise InputError("Sessions are counted by the day or the week.", hint='For example: "twice a week".')
    if pace.times == 1:
        return Every(7 * pace.every, span_days, sessions)
    timing = times_a_week(pace.times, sessions=1)
    return Weekly(cast(Weekly, timing).days, span_days, sessions)


def _length(element: Element, count: Item | None) -> tuple[int | None, int | None]:
    """Length in days and number of sessions, at most one of them stated."""
    spans = [item for item in element.all("span") if cast(Lasting, item.value).in_days]
    ends = [
        *spans,
        *element.all("span_sessions"),
        *([count] if count is not None and not _spreads(element) else []),
    ]
    if len(ends) > 1:
        raise SentenceError(
            "Two lengths for one rhythm.",
            element.text,
            ends[1].start,
            hint="State the time or the number of sessions.",
        )
    if not ends:
        return None, None
    if ends[0].kind == "span":
        return _whole_days(element, ends[0], "length"), None
    return None, cast(int, ends[0].value)


def _spreads(element: Element) -> bool:
    return not element.all("rhythm") and not element.all("days_of_week")


def _spread(element: Element, count: Item | None) -> Timing:
    """ "Six infusions over 12 days": the one rhythm of our week that puts so many into so long."""
    spans = [item for item in element.all("over", "span") if cast(Lasting, item.value).in_days]
    if count is None or not spans:
        raise SentenceError(
            "It is not said how often.", element.text, (count or element.items[0]).start,
            hint='For example: "once", "twice a week for 4 weeks", "days 1, 4, 8".',
        )  # fmt: skip
    sessions, days = cast(int, count.value), _whole_days(element, spans[0], "length")
    weeks = -(-days // 7)
    per_week, rest = divmod(sessions, weeks)
    pattern = (1,) if per_week == 1 else PER_WEEK.get(per_week, ())
    if rest or not pattern or 7 * (weeks - 1) + pattern[-1] > days:
        raise SentenceError(
            f"{sessions} sessions over {days} days leave their days open.", element.text, count.start,
            hint='Say the rhythm ("3 times a week for 2 weeks") or the days ("days 1, 3, 5, 8, 10, 12").',
        )  # fmt: skip
    return times_a_week(per_week, weeks=weeks)

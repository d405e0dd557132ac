"""A forecast saved as it was made, and its score once new ratings are there.

The file holds what it was made from as digests, record by record, so that a person's file with another history is
refused without holding any of it. Between two dates of a forecast its quantiles and chances are taken on a straight
line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle import __version__
from rekindle.errors import InputError
from rekindle.inference.scoring import brier, covers, crps_of_quantiles
from rekindle.mechanism.ensemble import made
from rekindle.outcomes import scale
from rekindle.outcomes.endpoints import remission, response
from rekindle.provenance import digest

if TYPE_CHECKING:
    from rekindle.inference.forecast import Forecast
    from rekindle.person.record import Level, Person, Rated

Array = NDArray[np.float64]

FORMAT, FORMAT_VERSION = "rekindle-forecast", 1
RECORDS_VERSION = 2
"""Since 2 the digests hold how far back a rating looks, its items, and how levels below which limit count."""
OLD_RECORDS = (
    "The forecast was saved by an earlier version, which kept neither how far back a rating looks nor its items, nor "
    "how levels below which limit count: whether these are still the same is not known."
)
WIDTHS = (50.0, 80.0, 95.0)
SAME_SESSION_H = 24.0
"""A dose this near to a planned one counts as that one."""
PARTS = ("doses", "ratings", "vitals", "levels")


def saved(forecast: Forecast) -> dict[str, Any]:
    """The forecast as plain values, ready for JSON, with digests of the records it was made from."""
    planned = forecast.planned
    sessions = () if planned is None else planned.course.sessions
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **forecast.as_dict(),
        "model": model_facts(),
        "records": records(forecast.person, forecast.person.now_h),
        "records_version": RECORDS_VERSION,
        "planned_sessions": [forecast.date(planned.from_h + each.time_h) for each in sessions if planned],
    }


def model_facts() -> dict[str, Any]:
    """Which model a forecast is of: version, and when its parameters were calibrated from how many trials, if so."""
    known = made()
    summary = known.get("summary", {})
    return {
        "version": __version__,
        "calibrated_at": known.get("made_at"),
        "calibrated_from_trials": summary.get("trials") if isinstance(summary, dict) else None,
        "ensemble": digest(json.dumps(known, sort_keys=True)) if known else None,
    }


def records(person: Person, until_h: float, version: int = RECORDS_VERSION) -> dict[str, list[str]]:
    """A digest for each dose, rating, vital sign and level up to a time, by kind, as files of that version have it."""
    late = version >= 2
    doses = [(one.time_h, one.sentence if late else one.stated or one.sentence) for one in person.given]

    def each(kind: str, values: Sequence[tuple[float, object]]) -> list[str]:
        facts = [
            json.dumps([_moment(person, moment).isoformat(timespec="seconds"), fact], sort_keys=True, default=str)
            for moment, fact in values
            if moment <= until_h + 1e-6
        ]
        return sorted(digest(kind, fact) for fact in facts)

    return {
        "doses": each("dose", doses),
        "ratings": each("rating", [(one.time_h, _rating_facts(one, late)) for one in person.ratings]),
        "vitals": each(
            "vital", [(one.time_h, [one.systolic_mmhg, one.diastolic_mmhg, one.heart_rate]) for one in person.vitals]
        ),
        "levels": each("level", [(one.time_h, _level_facts(one, person.level_method, late)) for one in person.levels]),
    }


def _rating_facts(one: Rated, late: bool) -> list[object]:
    plain: list[object] = [scale(one.scale).name, float(one.total)]
    return [*plain, float(one.recall_days or 0.0), dict(one.items or {})] if late else plain


def _level_facts(one: Level, method: str, late: bool) -> list[object]:
    plain: list[object] = [one.analyte, one.ng_ml, one.below]
    return [*plain, one.limit_ng_ml, method] if late else plain


def _moment(person: Person, time_h: float) -> datetime:
    return datetime.combine(person.start, time()) + timedelta(seconds=round(time_h * 3600.0))


def read_saved(path: Path | str) -> dict[str, Any]:
    """A saved forecast: `forecast.json`, or the folder that holds it.

    Raises:
        InputError: the file cannot be read, or is no forecast of this format.
    """
    from rekindle.documents import read_text

    place = Path(path)
    place = place / "forecast.json" if place.is_dir() else place
    text = read_text(place, kind="saved forecast", largest_bytes=50_000_000)
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError(f"This is no JSON: {error}.", where=str(place), hint="Give a forecast.json.") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InputError("This is no saved forecast.", where=str(place), hint="Give a forecast.json.")
    if found.get("format_version") != FORMAT_VERSION:
        raise InputError(
            f"This forecast has format {found.get('format_version')}; {FORMAT_VERSION} is read.", where=str(place)
        )
    _check(found, str(place))
    return found


def _check(found: Mapping[str, Any], where: str) -> None:
    """Refuse a file that lacks what scoring needs, or whose numbers do not fit.

    Raises:
        InputError: with the field.
    """
    try:
        datetime.fromisoformat(found["now"])
        if any(not isinstance(found["records"][part], list) for part in PARTS):
            raise ValueError("'records' is damaged")
        for each in found["scales"]:
            scale(each["scale"])
            moments = [datetime.fromisoformat(moment) for moment in each["dates"]]
            shape = np.asarray(each["ratings"], dtype=np.float64).shape
            if shape != (len(moments), len(each["levels"])) or moments != sorted(moments) or not moments:
                raise ValueError(f"the ratings of {each['scale']} do not fit its dates")
            for name in ("response", "remission"):
                if each[name] is not None and len(each[name]) != len(moments):
                    raise ValueError(f"'{name}' of {each['scale']} does not fit its dates")
    except (KeyError, TypeError, ValueError, IndexError, InputError) as error:
        said = f"'{error.args[0]}' is missing" if isinstance(error, KeyError) else str(error).rstrip(".")
        raise InputError(f"The saved forecast is damaged: {said}.", where=where) from error


@dataclass(frozen=True)
class Scored:
    """One rating beside its forecast, in points of its scale."""

    date: str
    scale: str
    total: float
    quantiles: tuple[float, ...]
    levels: tuple[float, ...]
    crps: float
    inside: Mapping[str, bool]
    responded: bool | None
    said_response: float | None
    remitted: bool | None
    said_remission: float | None

    @property
    def error(self) -> float:
        """Rating less the middle of the forecast."""
        return self.total - self.quantiles[self.levels.index(50.0)]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "date": self.date,
            "scale": self.scale,
            "total": self.total,
            "levels": list(self.levels),
            "quantiles": [round(each, 2) for each in self.quantiles],
            "error": round(self.error, 2),
            "crps": round(self.crps, 3),
            "inside": dict(self.inside),
            "response": {"said": self.said_response, "happened": self.responded},
            "remission": {"said": self.said_remission, "happened": self.remitted},
        }


@dataclass(frozen=True)
class Score:
    """A saved forecast compared with what came; `notes` are doubts about the comparison."""

    made_at: str
    version: str
    ratings: tuple[Scored, ...]
    notes: tuple[str, ...]

    def totals(self) -> dict[str, dict[str, Any]]:
        """By scale: how many ratings, mean CRPS, bias, coverage by level, Brier scores."""
        found = {}
        for name in dict.fromkeys(each.scale for each in self.ratings):
            own = [each for each in self.ratings if each.scale == name]
            found[name] = {
                "ratings": len(own),
                "crps": round(float(np.mean([each.crps for each in own])), 3),
                "bias": round(float(np.mean([each.error for each in own])), 3),
                "coverage": {
                    width: round(float(np.mean([each.inside[width] for each in own])), 3) for width in own[0].inside
                },
                "brier_response": _brier([(each.said_response, each.responded) for each in own]),
                "brier_remission": _brier([(each.said_remission, each.remitted) for each in own]),
            }
        return found

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "forecast_made_at": self.made_at,
            "forecast_version": self.version,
            "totals": self.totals(),
            "ratings": [each.as_dict() for each in self.ratings],
            "notes": list(self.notes),
        }


def _brier(pairs: Sequence[tuple[float | None, bool | None]]) -> float | None:
    known = [(said, seen) for said, seen in pairs if said is not None and seen is not None]
    return round(brier([said for said, _ in known], [seen for _, seen in known]), 4) if known else None


def score_forecast(found: Mapping[str, Any], person: Person, *, where: str | None = None) -> Score:
    """The score of a saved forecast (`read_saved`) against ratings that the person has since.

    Raises:
        InputError: the person's doses, ratings, vital signs or levels up to the forecast are not those it was made
            from, or no rating since can be scored.
    """
    now = datetime.fromisoformat(str(found["now"]))
    now_h = (now - datetime.combine(person.start, time())) / timedelta(hours=1)
    version = found.get("records_version", 1)
    if version not in range(1, RECORDS_VERSION + 1):
        raise InputError(
            "The saved forecast is damaged, or of a later version: its 'records_version' is not read.", where=where
        )
    _check_history(found["records"], records(person, now_h + 1.0 / 60.0, version), where)
    new = [rating for rating in person.ratings if rating.time_h > now_h + 1.0 / 60.0]
    scored, notes = [], [OLD_RECORDS] if version < RECORDS_VERSION else []
    beyond, other = 0, set()
    by_scale = {scale(each["scale"]).name: each for each in found["scales"]}
    for rating in new:
        name = scale(rating.scale).name
        if name not in by_scale:
            other.add(name)
            continue
        one = _scored(by_scale[name], rating, _moment(person, rating.time_h))
        beyond += one is None
        scored += [one] if one is not None else []
    if not scored:
        why = "There is no rating after the forecast" if not new else "No rating since is on its scales and dates"
        raise InputError(f"{why}; nothing can be scored.", where=where, hint="Add ratings and score again.")
    if beyond:
        notes.append(f"{beyond} rating{'s' if beyond > 1 else ''} after the last date of the forecast left out.")
    if other:
        notes.append(f"Not forecast, so left out: {', '.join(sorted(other))}.")
    notes += _unlike_forecast(by_scale, new)
    notes += _doses_differ(found, person, now_h, scored)
    how = found.get("made", {})
    return Score(str(how.get("made_at", "")), str(how.get("version", "")), tuple(scored), tuple(notes))


def _unlike_forecast(by_scale: Mapping[str, Any], new: Sequence[Rated]) -> list[str]:
    """Where the ratings are not quite what was forecast: another recall window, or a response from an unrated start."""
    notes = []
    for name, each in by_scale.items():
        own = [rating for rating in new if scale(rating.scale).name == name]
        if not own:
            continue
        said = each.get("recall_days")
        other = sorted({_window(rating.recall_days) for rating in own} - {_window(said)})
        if other and "recall_days" in each:
            notes.append(f"The {name} was forecast as looking back {_window(said)}; some ratings look back "
                         f"{' or '.join(other)}.")  # fmt: skip
        if not each.get("baseline_rated", True) and each["response"] is not None:
            notes.append(f"Nobody rated the {name} before the first dose (the model takes {each['baseline']:.0f}), so "
                         "response is not judged.")  # fmt: skip
    return notes


def _window(days: float | None) -> str:
    return f"over {days:g} day{'' if days == 1 else 's'}" if days else "over no time at all"


def _check_history(saved_records: Mapping[str, Any], own: Mapping[str, list[str]], where: str | None) -> None:
    """Refuse another history than the forecast's.

    Raises:
        InputError: naming what differs, by kind and number, and showing none of it.
    """
    for part in PARTS:
        kept = list(saved_records[part])
        lost = len([each for each in kept if each not in own[part]])
        more = len([each for each in own[part] if each not in kept])
        if lost or more:
            raise InputError(
                f"This person's {part} up to the forecast are not those that it was made from: {lost} of its "
                f"{len(kept)} are missing or changed, {more} are new.",
                where=where,
                hint="Give the same person's file, with what came since added to it.",
            )


def _scored(found: Mapping[str, Any], rating: Rated, moment: datetime) -> Scored | None:
    """One rating beside its forecast; None beyond the last date."""
    known = scale(rating.scale)
    moments = [datetime.fromisoformat(each) for each in found["dates"]]
    if moment > moments[-1]:
        return None
    seconds = np.array([(each - moments[0]).total_seconds() for each in moments])
    at = (moment - moments[0]).total_seconds()
    levels = tuple(float(each) for each in found["levels"])
    values = np.asarray(found["ratings"], dtype=np.float64)
    quantiles = tuple(float(np.interp(at, seconds, column)) for column in values.T)
    low, high = known.minimum, known.maximum
    rated = found.get("baseline_rated", True)
    said = {name: None if found[name] is None else float(np.interp(at, seconds, found[name]))
            for name in ("response", "remission")}  # fmt: skip
    total = np.array([[rating.total]])
    start = np.array([float(found["baseline"])])
    came = None if said["response"] is None or not rated else bool(response(known, total, start)[0, 0])
    well = None if said["remission"] is None else bool(remission(known, total)[0, 0])
    return Scored(
        date=moment.isoformat(timespec="minutes"),
        scale=known.name,
        total=float(rating.total),
        quantiles=quantiles,
        levels=levels,
        crps=crps_of_quantiles(quantiles, levels, float(rating.total), low=low, high=high),
        inside={f"{width:g}": covers(np.round(quantiles, 9), levels, float(rating.total), width) for width in WIDTHS},
        responded=came,
        said_response=said["response"],
        remitted=well,
        said_remission=said["remission"],
    )


def _doses_differ(found: Mapping[str, Any], person: Person, now_h: float, scored: Sequence[Scored]) -> list[str]:
    """Whether the doses given since are those planned, up to the last rating that is scored."""
    last = max(datetime.fromisoformat(each.date) for each in scored)
    planned = [datetime.fromisoformat(each) for each in found.get("planned_sessions", ())]
    planned = [each for each in planned if each <= last]
    given = [
        moment for each in person.given if each.time_h > now_h and (moment := _moment(person, each.time_h)) <= last
    ]
    near = timedelta(hours=SAME_SESSION_H)
    missed = sum(not any(abs(each - other) <= near for other in given) for each in planned)
    extra = sum(not any(abs(each - other) <= near for other in planned) for each in given)
    if not missed and not extra:
        return []
    return [
        f"The doses given since are not those planned ({missed} of {len(planned)} planned not given, {extra} others "
        "given): the forecast is of the plan."
    ]

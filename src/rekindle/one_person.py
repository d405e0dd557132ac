"""One person from Python: read, update, forecast, look ahead, plan, score, write the page.

    from rekindle import one_person as person

    who = person.read("examples/person.yaml")
    known = person.update(who)
    person.forecast(known)["MADRS"].ratings

Each function is that of the package named in its signature; nothing heavy is loaded before one is called.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rekindle.inference.forecast import Forecast
    from rekindle.inference.outlook import Outlook
    from rekindle.inference.saved import Score
    from rekindle.inference.update import Posterior
    from rekindle.person.record import Person, Planned
    from rekindle.planning.plan import Plan
    from rekindle.report.person import ShownLimits

__all__ = ["forecast", "look_ahead", "page", "plan", "read", "score", "update"]


def read(path: Path | str, *, events: Path | str | None = None) -> Person:
    """The person whom a file describes (`rekindle.person.read_person`).

    Raises:
        InputError: the file says something that cannot be, with its line.
    """
    from rekindle.person import read_person

    return read_person(path, events=events)


def update(person: Person, *, candidates: int = 10_000, seed: int = 1, **how: Any) -> Posterior:
    """What the person's doses and ratings teach (`rekindle.inference.update.update`).

    Raises:
        InputError: a dose or rating that cannot be used, with its place.
        SolverError: hardly any candidate could be solved.
    """
    from rekindle.inference.update import update as updated

    return updated(person, candidates=candidates, seed=seed, **how)


def forecast(known: Posterior | Person, planned: Planned | None = None, **how: Any) -> Forecast:
    """Ratings to come, chances by date and the due date (`rekindle.inference.forecast.forecast`).

    Raises:
        InputError: an unknown scale, or a dose that cannot be given.
    """
    from rekindle.inference.forecast import forecast as forecast_of

    return forecast_of(_known(known), planned, **how)


def look_ahead(known: Posterior | Person, **how: Any) -> Outlook:
    """All that a page says: the plan, waiting, options, what lies behind (`rekindle.inference.outlook.outlook`).

    Raises:
        InputError: an unknown scale, or a dose that cannot be given.
    """
    from rekindle.inference.outlook import outlook

    return outlook(_known(known), **how)


def plan(known: Posterior | Person, limits: Any, **how: Any) -> Plan:
    """Schedules that keep the person well with the least drug within limits (`rekindle.planning.plan.plan`).

    Raises:
        InputError: limits that cannot be read, or a dose that cannot be given.
    """
    from rekindle.planning.plan import plan as planned

    return planned(known, limits, **how)


def score(saved: Path | str, person: Person) -> Score:
    """The score of a saved forecast against the person's new ratings (`rekindle.inference.saved`).

    Raises:
        InputError: no saved forecast, another person's history, or no new rating.
    """
    from rekindle.inference.saved import read_saved, score_forecast

    return score_forecast(read_saved(saved), person)


def page(ahead: Outlook, out_dir: Path | str, limits: ShownLimits | None = None) -> Path:
    """Write `forecast.html` and `figures/*.svg` into a folder (`rekindle.report.person.write_person_page`).

    Raises:
        OSError: the folder cannot be written.
    """
    from rekindle.report.person import write_person_page

    return write_person_page(ahead, out_dir, limits)


def _known(known: Posterior | Person) -> Posterior:
    from rekindle.person.record import Person

    return update(known) if isinstance(known, Person) else known

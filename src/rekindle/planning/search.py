"""The search for good trade-offs among the options that the limits allow.

Every option that is measured lies within the file's offers and spacing before anything is solved. Where they are more
than the budget, NSGA-II (Deb and others 2002, doi:10.1109/4235.996017) of the library optuna chooses which to look
at; chances of breaking a limit are its constraints. What it finds is measured again on more draws, with a margin.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.planning.doses import given_sessions
from rekindle.planning.fronts import front, objectives, spread
from rekindle.planning.judging import NOT_WELL, RELAPSE
from rekindle.planning.label import departures, keeps_spacing, surely_breaks
from rekindle.planning.measuring import Measured, measure
from rekindle.planning.options import INDUCTIONS, INTERVALS, STRETCHES, TAPERS, Frame, Option, grid
from rekindle.streams import generator

if TYPE_CHECKING:
    from rekindle.inference.update import Posterior
    from rekindle.planning.limits import Limits

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

TRIALS_EACH = 6
"""Trials of the library for each option measured; it comes back to options already known."""
SEEDS = 12
POPULATION = 16
WORST = 1e9


@dataclass(frozen=True)
class Settings:
    """How long and how closely to search.

    `budget` options are measured on `draws` draws; at most `finals` of the best again on `final_draws`; `keep`
    trade-offs are shown.
    """

    budget: int = 48
    draws: int = 200
    finals: int = 16
    final_draws: int = 1_000
    keep: int = 8
    threads: int | None = None
    progress: Progress | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Found:
    """What a search came to.

    `chosen` are trade-offs within the limits, none dominated; `nothing` is no further dose; `goal` the chance that was
    kept low; `allowed` how many options the rules let through, `looked_at` how many were measured, `refused` how many
    that looked well broke a limit on the final draws.
    """

    chosen: tuple[tuple[Option, Measured], ...]
    nothing: Measured
    goal: str
    allowed: int
    grid: int
    looked_at: int
    refused: int


def search(posterior: Posterior, limits: Limits, frame: Frame, *, seed: int = 1, settings: Settings) -> Found:
    """Good trade-offs between the chance of relapse, drug and visits within limits.

    Raises:
        InputError: a dose that cannot be given.
    """
    person = posterior.person
    given = given_sessions(person)
    everything = list(grid(person, limits, frame))
    allowed = [each for each in everything if len(each.times_h) and keeps_spacing(each, given, limits)]
    allowed = [each for each in allowed if not surely_breaks(each, person, given, limits)]
    how: dict[str, Any] = {"seed": seed, "threads": settings.threads}
    nothing = measure(posterior, None, limits, frame.until_h, draws=settings.final_draws, **how)
    goal = RELAPSE if nothing.well.responding >= 0.5 else NOT_WELL
    known: dict[int, Measured] = {}

    def look(place: int) -> Measured:
        if place not in known:
            known[place] = measure(posterior, allowed[place], limits, frame.until_h, draws=settings.draws, **how)
            if settings.progress is not None:
                settings.progress("options", len(known), min(settings.budget, len(allowed)))
        return known[place]

    if len(allowed) <= settings.budget:
        for place in range(len(allowed)):
            look(place)
    else:
        _evolve(allowed, limits, look, known, goal, seed, settings)
    fits = [place for place in sorted(known) if known[place].excess <= 0.0]

    def again(place: int) -> Measured:
        return measure(posterior, allowed[place], limits, frame.until_h, draws=settings.final_draws, **how)

    final, refused = _finals(fits, known, again, goal, settings)
    # What is proposed is held against the rules once more, by its sentence.
    good = [
        place for place, result in final.items()
        if result.kept and not departures(allowed[place].planned(), person, limits)
    ]  # fmt: skip
    values = _objectives([final[place] for place in good], goal, settings.final_draws)
    best = [good[row] for row in front(values)]
    values = _objectives([final[place] for place in best], goal, settings.final_draws)
    shown = [best[row] for row in spread(values, settings.keep)]
    # What was chosen because it came out well is told as it comes out on luck that had no part in the choice.
    how["seed"] = fresh_luck(seed)
    told = {
        place: measure(posterior, allowed[place], limits, frame.until_h, draws=settings.final_draws, **how)
        for place in shown
    }
    good = [place for place, result in told.items() if result.kept]
    refused += len(told) - len(good)
    best = [good[row] for row in front(_objectives([told[place] for place in good], goal, settings.final_draws))]
    chosen = tuple((allowed[place], told[place]) for place in sorted(best, key=lambda place: told[place].drug))
    return Found(chosen, nothing, goal, len(allowed), len(everything), len(known), refused)


def fresh_luck(seed: int) -> int:
    """The seed of luck on which what was found is told."""
    return int(generator(seed, "plan", "told").integers(2**31))


def _objectives(results: Sequence[Measured], goal: str, draws: int) -> Array:
    return objectives(
        [each.well.chance(goal) for each in results], [each.drug for each in results],
        [each.visits for each in results], draws,
    )  # fmt: skip


def _finals(
    fits: list[int], known: dict[int, Measured], again: Callable[[int], Measured], goal: str, settings: Settings
) -> tuple[dict[int, Measured], int]:
    """The best measured again, front after front, until every option of a front keeps the limits or enough are done."""
    left, final = list(fits), dict[int, Measured]()
    refused = 0
    while left and len(final) < settings.finals:
        values = _objectives([known[place] for place in left], goal, settings.draws)
        best = [left[row] for row in front(values)]
        fresh = [place for place in best if place not in final]
        if not fresh:
            break
        sizes = _objectives([known[place] for place in fresh], goal, settings.draws)
        for row in spread(sizes, settings.finals - len(final)):
            place = fresh[row]
            final[place] = again(place)
            if not final[place].kept:
                refused += 1
                left.remove(place)
            if settings.progress is not None:
                settings.progress("trade-offs", len(final), settings.finals)
    return final, refused


def _evolve(
    allowed: list[Option],
    limits: Limits,
    look: Callable[[int], Measured],
    known: dict[int, Measured],
    goal: str,
    seed: int,
    settings: Settings,
) -> None:
    """Let the library choose which options to measure, until the budget is spent."""
    import optuna

    places = np.array([_place(option, limits) for option in allowed], dtype=np.float64)
    top = places.max(axis=0).astype(int)
    names = ("offer", "dose", "induction", "interval", "taper", "stretch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.NSGAIISampler(
            population_size=POPULATION, seed=seed, constraints_func=lambda trial: trial.user_attrs["excess"]
        )
        study = optuna.create_study(directions=["minimize"] * 3, sampler=sampler)
        for place in np.linspace(0, len(allowed) - 1, min(SEEDS, settings.budget)).astype(int):
            study.enqueue_trial(dict(zip(names, places[place].astype(int).tolist(), strict=True)))
        for _ in range(TRIALS_EACH * settings.budget):
            if len(known) >= min(settings.budget, len(allowed)):
                break
            trial = study.ask()
            wanted = np.array([trial.suggest_int(name, 0, int(most)) for name, most in zip(names, top, strict=True)])
            # What is asked for may not be allowed: the nearest that is stands for it.
            distance = np.abs(places - wanted) / np.maximum(top, 1)
            result = look(int(distance.sum(axis=1).argmin()))
            trial.set_user_attr("excess", [result.excess])
            study.tell(trial, [result.well.chance(goal), result.drug, result.visits])


def _place(option: Option, limits: Limits) -> tuple[int, ...]:
    """An option as positions along the choices."""
    return (
        limits.offers.index(option.offer), option.dose, INDUCTIONS.index((option.sessions_a_week, option.weeks)),
        INTERVALS.index(option.interval_days), TAPERS.index(option.taper), STRETCHES.index(option.stretch_weeks),
    )  # fmt: skip

"""Who gets better, stays so and relapses: classes over the visits, chances of response and remission, relapse steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from rekindle.outcomes import SCALES, Scale
from rekindle.outcomes.endpoints import (
    Durations,
    classes,
    relapse_rule,
    relapse_rules,
    remission,
    response,
    time_to_relapse,
)
from rekindle.outcomes.survival import Survival, kaplan_meier
from rekindle.report.from_trajectories.bands import Array, studies_band
from rekindle.report.from_trajectories.course import MAIN
from rekindle.report.from_trajectories.sample import Sample
from rekindle.report.material import ArmBand, Chance, RelapseSteps, Whereabouts
from rekindle.report.numerals import when

KEYS = ("remission", "half_better", "partly_better", "relapsed", "no_change")
"""The report's classes in the order of `rekindle.outcomes.endpoints.CLASSES`; nobody leaves the study here."""

Mask = NDArray[np.bool_]
FOLLOWED_STEPS = 8
"""About how many times the number still followed is told."""


def whereabouts(sample: Sample) -> tuple[Whereabouts, ...]:
    """The share of each arm's people in each class at every visit, with the ranges of the repeats."""
    if not sample.has(MAIN):
        return ()
    found = []
    for arm in sample.arms:
        shares = class_averages(sample, arm.name)
        draws = repeats_class_shares(sample, arm.name)
        bands = {key: studies_band(shares[:, place], draws[:, :, place]) for place, key in enumerate(KEYS)}
        found.append(Whereabouts(arm.name, sample.visits_h, bands))
    return tuple(found)


def class_averages(sample: Sample, arm: str) -> Array:
    """Shares of the classes among an arm's people, visits x classes."""

    def members() -> Array:
        held = _members(sample.rated(MAIN, arm))
        return np.asarray(held.reshape(len(held), -1), dtype=np.float64)

    return sample.averages("classes", arm, members).reshape(-1, len(KEYS))


def _members(rated: Array) -> Mask:
    """Who is in which class, people x visits x classes."""
    numbers = classes(SCALES[MAIN], rated, rated[:, 0])
    return np.asarray(numbers[:, :, None] == np.arange(len(KEYS)))


def repeats_class_shares(sample: Sample, arm: str) -> Array:
    """Shares of the classes among an arm's people in every repeat, repeats x visits x classes."""
    if sample.drawn is not None:
        return sample.drawn_whole(_members(sample.rated(MAIN, arm)))
    return class_shares(sample.repeats_rated(MAIN, arm))


def class_shares(rated: Array) -> Array:
    """Shares of the classes, studies x visits x classes, from ratings of studies x people x visits."""
    shares = []
    for totals in rated:
        numbers = classes(SCALES[MAIN], totals, totals[:, 0])
        shares.append(np.stack([(numbers == place).mean(axis=0) for place in range(len(KEYS))], axis=1))
    return np.asarray(shares)


def responded(rated: Array) -> Mask:
    """Who has responded at each visit, any leading shape, by ratings of (..., people, visits)."""
    flat = rated.reshape(-1, rated.shape[-1])
    return response(SCALES[MAIN], flat, flat[:, 0]).reshape(rated.shape)


def remitted(rated: Array) -> Mask:
    """Who is in remission at each visit, any leading shape."""
    return remission(SCALES[MAIN], rated)


def shares(sample: Sample, key: str, arm: str) -> Array:
    """Shares of an arm's people for whom something of `HOLDS` holds, at every visit."""
    return sample.averages(f"{MAIN} {key}", arm, lambda: HOLDS[key](sample.rated(MAIN, arm)))


def share_at(sample: Sample, key: str, hour: float) -> tuple[Callable[[str], float], Callable[[str], Array]]:
    """The share of people for whom something holds at the visit nearest to an hour: of an arm, and of its repeats."""
    visit = sample.visit(hour)

    def central(arm: str) -> float:
        return float(shares(sample, key, arm)[visit])

    def draws(arm: str) -> Array:
        return repeats_shares(sample, key, arm)[:, visit]

    return central, draws


def repeats_shares(sample: Sample, key: str, arm: str) -> Array:
    """Shares of an arm's people for whom something of `HOLDS` holds, repeats x visits."""
    asked = ("repeats", key, arm)
    if asked not in sample.kept:
        if sample.drawn is not None:
            sample.kept[asked] = sample.drawn_whole(HOLDS[key](sample.rated(MAIN, arm)))
        else:
            sample.kept[asked] = np.asarray(HOLDS[key](sample.repeats_rated(MAIN, arm)).mean(axis=1))
    found: Array = sample.kept[asked]
    return found


HOLDS: Mapping[str, Callable[[Array], Mask]] = {"response": responded, "remission": remitted}
"""What can hold of a person at a visit, by its name."""


def response_words(scale: Scale) -> str:
    """The definition of response in words."""
    share = "half" if scale.response == 0.5 else f"{100 * (scale.response or 0):g} %"
    return f"the {scale.name} total has fallen by {share} or more of its start"


def remission_words(scale: Scale) -> str:
    """The definition of remission in words, with its record."""
    line = scale.line()
    return f"the {scale.name} total is {line.value:g} or less ({line.record})"


def chances(sample: Sample) -> tuple[Chance, ...]:
    """Response and remission at every visit in every arm."""
    if not sample.has(MAIN):
        return ()
    scale = SCALES[MAIN]
    found = []
    for key, name, words in (
        ("response", "Response", response_words(scale)),
        ("remission", "Remission", remission_words(scale)),
    ):
        curves = []
        for arm in sample.arms:
            middle = shares(sample, key, arm.name)
            draws = repeats_shares(sample, key, arm.name)
            curves.append(ArmBand(arm.name, studies_band(middle, draws)))
        found.append(Chance(key, name, words, sample.visits_h, tuple(curves)))
    return tuple(found)


def relapse_name() -> str:
    """The rule by which a relapse is told: the first of the table."""
    return next(iter(relapse_rules()))


def relapse_definition(sample: Sample) -> str:
    """The rule in words, with its record; empty when nobody is followed after treatment."""
    if not sample.has(MAIN) or sample.end_h >= sample.last_h:
        return ""
    rule = relapse_rule(relapse_name())
    return (
        f"Counted from the end of treatment ({when(sample.end_h)}) among those at least half better then. Rule "
        f"'{rule.name}' ({rule.record}): {rule.reason}"
    )


def survival(sample: Sample, rated: Array) -> Survival | None:
    """Time from the end of treatment to relapse among those who respond then; None without any of them."""
    lasts = lasting(sample, rated)
    return kaplan_meier(lasts.time_h, lasts.observed) if np.isfinite(lasts.time_h).any() else None


def studies_survival(sample: Sample, arm: str) -> list[Survival | None]:
    """How long responders keep their response in every repeat; None where a repeat has none of them."""
    asked = ("repeats' survival", arm)
    if asked not in sample.kept:
        sample.kept[asked] = _studies_survival(sample, arm)
    found: list[Survival | None] = sample.kept[asked]
    return found


def _studies_survival(sample: Sample, arm: str) -> list[Survival | None]:
    if sample.drawn is None:
        return [survival(sample, study) for study in sample.repeats_rated(MAIN, arm)]
    lasts = _lasting_here(sample, arm)
    known = [(lasts.time_h[row], lasts.observed[row]) for row in sample.drawn]
    return [kaplan_meier(*each) if np.isfinite(each[0]).any() else None for each in known]


def lasting(sample: Sample, rated: Array) -> Durations:
    """Time from the end of treatment to relapse, one a person; NaN for those who do not respond then."""
    since = np.where(responded(rated)[:, sample.visit(sample.end_h)], sample.end_h, np.nan)
    scale = SCALES[MAIN]
    return time_to_relapse(scale, sample.visits_h, rated, rated[:, 0], since_h=since, rule=relapse_name())


def _lasting_here(sample: Sample, arm: str) -> Durations:
    """The same for the people who are held one by one."""
    if ("lasting", arm) not in sample.kept:
        sample.kept["lasting", arm] = lasting(sample, sample.rated(MAIN, arm))
    found: Durations = sample.kept["lasting", arm]
    return found


def relapses(sample: Sample, arm: str) -> Array:
    """Who relapses at each visit, people x visits, and last who responds and never relapses."""
    lasts = lasting(sample, sample.rated(MAIN, arm))
    place = np.searchsorted(sample.visits_h, np.nan_to_num(lasts.time_h) + sample.end_h - 1e-6)
    found = np.zeros((len(place), len(sample.visits_h) + 1))
    found[lasts.observed, place[lasts.observed]] = 1.0
    found[:, -1] = np.isfinite(lasts.time_h) & ~lasts.observed
    return found


def arm_lasting(sample: Sample, arm: str) -> Durations:
    """Time from the end of treatment to relapse of an arm's people."""
    if sample.summary is None:
        return _lasting_here(sample, arm)
    counts = np.round(sample.summary.of("relapses", arm).total).astype(np.int64)
    hours = np.append(sample.visits_h, sample.last_h) - sample.end_h
    observed = np.append(np.ones(len(sample.visits_h), dtype=bool), False)
    return Durations(np.repeat(hours, counts), np.repeat(observed, counts))


def arm_survival(sample: Sample, arm: str) -> Survival | None:
    """How long an arm's responders keep their response; None without any of them."""
    lasts = arm_lasting(sample, arm)
    return kaplan_meier(lasts.time_h, lasts.observed) if np.isfinite(lasts.time_h).any() else None


def relapse_steps(sample: Sample) -> tuple[RelapseSteps, ...]:
    """The share of responders without relapse after the end of treatment, arm by arm; none without follow-up."""
    if not sample.has(MAIN) or sample.end_h >= sample.last_h:
        return ()
    after = sample.visits_h[sample.visits_h >= sample.end_h - 1e-6] - sample.end_h
    found = []
    for arm in sample.arms:
        kept = arm_survival(sample, arm.name)
        repeats = studies_survival(sample, arm.name)
        draws = [[study.at(hour) for hour in after] for study in repeats if study is not None]
        if kept is None or not draws:
            continue
        middle = np.asarray([kept.at(hour) for hour in after])
        band = studies_band(middle, np.asarray(draws))
        found.append(RelapseSteps(arm.name, after, band, followed(sample, arm.name, after)))
    return tuple(found)


def followed(sample: Sample, arm: str, after: Array) -> tuple[tuple[float, int], ...]:
    """Hours after treatment with the number of responders still followed without relapse."""
    lasts = arm_lasting(sample, arm)
    times = lasts.time_h[np.isfinite(lasts.time_h)]
    every = max(1, len(after) // FOLLOWED_STEPS)
    return tuple((float(hour), int((times >= hour - 1e-6).sum())) for hour in after[::every])

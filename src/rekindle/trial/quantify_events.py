"""Expected shares, relapses and classes in a solved trial: quantities that count people instead of points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rekindle.outcomes import SCALES
from rekindle.streams import normals
from rekindle.trial.clock import after_sessions, any_visits, class_times, relapse_visits, since_h
from rekindle.trial.quantify import Pair, Seen, share
from rekindle.trial.rating import chance_at_most

Array = NDArray[np.float64]


def state_chance(part: Seen, of: str) -> Array:
    """Chance of each person to count as a responder or remitter under the number's definition, (sets, people).

    In observed cases it is the chance to be rated and to count.
    """
    times, needed = _looked_at(part)
    whole = [_chance(part, of, time) for time in times]
    missing = "model" if part.view.courses is not None else part.view.trial.missing
    if len(part.stay.times_h) == 1 or missing == "model":
        return at_least(whole, needed)
    return _by_last_rating(part, of, times, needed, whole)


def _looked_at(part: Seen) -> tuple[tuple[float, ...], int]:
    """The ratings that a state is looked for in, and at how many of them it is needed."""
    options = part.number.options
    if options.any_by_h is not None:
        return any_visits(part.view.trial, options.any_by_h), 1
    if options.times_h:
        return tuple(sorted(options.times_h)), options.at_least
    return (float(part.number.time_h or 0.0),), 1


def _by_last_rating(part: Seen, of: str, times: Sequence[float], needed: int, whole: Sequence[Array]) -> Array:
    """The chance over which rating is a person's last; the later ones are filled as the trial did.

    Filled by no response (and in observed cases) they add nothing; carried on they are what the last rating was.
    """
    carried = part.view.trial.missing == "locf"
    last = times[-1]
    grid = sorted({*times, *(time for time in part.stay.times_h if carried and 0.0 < time < last - 1e-6)})
    found, later = np.zeros(whole[0].shape), np.zeros(whole[0].shape)
    for time in reversed(grid):
        now = part.stay.at(time)
        seen_at = sum(each <= time + 1e-6 for each in times)
        here = time in times
        if carried:
            state = whole[seen_at - 1] if here else _chance(part, of, time)
            before = list(whole[: seen_at - here])
            copies = len(times) - seen_at + here
            chance = state * at_least(before, needed - copies) + (1.0 - state) * at_least(before, needed)
        else:
            chance = at_least(list(whole[:seen_at]), needed)
        found, later = found + (now - later) * chance, now
    if carried:
        found = found + (1.0 - later) * _at_entry(part, of)
    return np.asarray(found)


def _at_entry(part: Seen, of: str) -> Array:
    """Whether the observed baseline itself counts, for people without a later rating: never as a response."""
    number, options = part.number, part.number.options
    entry = part.view.entry(number.scale, number.item, baseline=options.baseline)
    if of == "free_of_ideation":
        return np.asarray(entry <= 0.0, dtype=np.float64)
    if of == "remission":
        return np.asarray(part.view.remits(number.scale, entry, at_most=options.at_most, below=options.below))
    return np.zeros(entry.shape)


def _chance(part: Seen, of: str, time_h: float) -> Array:
    """Chances of the state at one rating."""
    options, number, view = part.number.options, part.number, part.view
    if of == "free_of_ideation":
        expected, sd = view.score(number.scale, time_h, number.item)
        chance = chance_at_most(0.0, expected, sd)
    elif of == "remission":
        chance = view.remission(number.scale, time_h, at_most=options.at_most, below=options.below)
    elif of == "worse":
        expected, sd = view.score(number.scale, time_h, number.item)
        entry = view.entry(number.scale, number.item, baseline=options.baseline)
        chance = 1.0 - chance_at_most(entry, expected, sd)
    else:
        chance = view.response(
            number.scale, time_h, item=number.item, share=options.share, strict=options.strict,
            baseline=options.baseline,
        )  # fmt: skip
    return chance


def at_least(chances: Sequence[Array], needed: int) -> Array:
    """Chance that at least so many of independent events happen (they share a shape); 1 where none is needed."""
    if needed <= 0:
        return np.ones(chances[0].shape) if len(chances) else np.ones(())
    if not len(chances):
        return np.zeros(())
    counts = [np.ones(chances[0].shape)] + [np.zeros(chances[0].shape) for _ in range(needed)]
    for chance in chances:
        for place in range(needed, 0, -1):
            moved = counts[place - 1] * chance
            stays = counts[place] if place == needed else counts[place] * (1.0 - chance)
            counts[place] = stays + moved
        counts[0] = counts[0] * (1.0 - chance)
    return counts[needed]


def _share_in(part: Seen, of: str) -> Array:
    weight = part.weight
    if part.view.trial.missing == "observed" and part.view.courses is None:
        # Observed cases: whoever was rated at least once counts.
        weight = weight * part.stay.at(_looked_at(part)[0][0])
    counted = part.weight * state_chance(part, of)
    return np.asarray(counted.sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9))


def share_in(part: Seen) -> Array:
    """Share of the arm in the state that a comparison is of, (sets,)."""
    return _share_in(part, part.number.options.of or "response")


def response(part: Seen) -> Pair:
    """Responders in per cent."""
    return share(_share_in(part, "response"), part.n)


def remission(part: Seen) -> Pair:
    """Remitters in per cent."""
    return share(_share_in(part, "remission"), part.n)


def worse(part: Seen) -> Pair:
    """People above their baseline in per cent."""
    return share(_share_in(part, "worse"), part.n)


def sensitivity(part: Seen) -> Pair:
    """Of those who respond at the end, the share that had responded at the time, in per cent."""
    early = part.view.response(part.number.scale, float(part.number.time_h or 0.0), share=part.number.options.share)
    late = part.view.response(
        part.number.scale, float(part.number.options.end_h or 0.0), share=part.number.options.share
    )
    both, all_late = part.mean(early * late), np.maximum(part.mean(late), 1e-3)
    found, luck = share(both / all_late, part.n)
    return found, luck / np.sqrt(np.clip(all_late, 0.05, 1.0))


def sessions_to_response(part: Seen) -> Pair:
    """Median number of sessions until response, among those who respond at all."""
    times = after_sessions(part.view.arm)
    not_yet = np.ones(part.weight.shape)
    reached = [np.zeros(part.view.sets)]
    for time in times:
        not_yet = not_yet * (1.0 - part.view.response(part.number.scale, time, share=part.number.options.share))
        reached.append(part.mean(1.0 - not_yet))
    curve = np.stack(reached)
    half = 0.5 * curve[-1]
    found = np.array([np.interp(half[i], curve[:, i], np.arange(len(curve))) for i in range(part.view.sets)]) + 0.5
    return found, 0.6 * np.maximum(found, 0.5) / np.sqrt(part.n) * 1.25


def kept(part: Seen) -> tuple[Array, Array, Array]:
    """Times since the start of the clock, the share without relapse (times, sets), and who is followed (sets,)."""
    trial, number = part.view.trial, part.number
    times = relapse_visits(trial, part.view.arm, number)
    start = since_h(trial, part.view.arm, number)
    gone = part.view.relapse_chances(number.scale, number.options.rule, times)
    responded = part.view.response(number.scale, start)
    weight = part.weight if number.among or number.stage is not None else part.weight * responded
    total = np.maximum(weight.sum(axis=1), 1e-9)
    free = 1.0 - (weight[None] * gone).sum(axis=2) / total
    followed = total / max(part.people, 1)
    return np.asarray(times) - times[0], free, followed


def survival(part: Seen) -> Pair:
    """Share without relapse at the time, in per cent."""
    _, free, _ = kept(part)
    return share(free[-1], part.n)


def relapse(part: Seen) -> Pair:
    """Share that relapsed by the time, in per cent."""
    _, free, _ = kept(part)
    return share(1.0 - free[-1], part.n)


def time_to_relapse(part: Seen) -> Pair:
    """Logarithm of the days until a share (half, unless the number says otherwise) has relapsed.

    Beyond the last rating relapse goes on at its pace until then, up to ten times as long.
    """
    times, free, _ = kept(part)
    wanted = 1.0 - part.number.options.quantile
    found, luck = np.empty(part.view.sets), np.empty(part.view.sets)
    for place in range(part.view.sets):
        curve = np.minimum.accumulate(free[:, place])
        if curve[-1] <= wanted:
            days = float(np.interp(-wanted, -curve, times)) / 24.0
        else:
            pace = np.log(wanted) / np.log(min(float(curve[-1]), 1.0 - 1e-3))
            days = times[-1] / 24.0 * min(float(pace), 10.0)
        found[place] = np.log(max(days, 0.25))
        luck[place] = np.sqrt(wanted * (1.0 - wanted) / part.n) / (-np.log(wanted) * wanted)
    return found, luck


NO_CLASS = -1


def courses_in_classes(part: Seen) -> tuple[NDArray[np.int64], Array, list[float]]:
    """The class of each person (sets, people), best first, from drawn ratings; the ratings; their times.

    People are sorted by what a growth mixture model sorts by, where each began and how far each went (at the last
    rating), either in units of its SD over people: not by the ratings as they stand, most of which are late ones. The
    worst class is the one that ends worst; of the others the one that went furthest is the best. In a set in which
    somebody's course is not known everybody's class is -1: none.
    """
    from sklearn.cluster import KMeans

    options, number = part.number.options, part.number
    times = list(options.times_h or class_times(part.view.trial))
    rated = []
    for place, time in enumerate(times):
        expected, sd = part.view.score(number.scale, time, number.item)
        luck = np.resize(normals(part.view.trial.seed, "class", str(place), count=part.people), part.weight.shape[1])
        rated.append(expected + sd * luck[None, :])
    ratings = np.stack(rated, axis=-1)
    found = np.empty(part.weight.shape, dtype=np.int64)
    better = SCALES[number.scale].better == "lower"
    for number_of_set in range(part.view.sets):
        if not np.isfinite(ratings[number_of_set]).all():
            found[number_of_set] = NO_CLASS
            continue
        began, change = ratings[number_of_set, :, 0], ratings[number_of_set, :, -1] - ratings[number_of_set, :, 0]
        growth = np.column_stack([began / max(began.std(), 1e-6), change / max(change.std(), 1e-6)])
        weight = None if part.view.courses is None else part.view.courses[number_of_set]
        fitted = KMeans(options.classes, n_init=4, random_state=0).fit(growth, sample_weight=weight)
        ranks = _ranks(fitted.labels_, began, change, options.classes, weight, better=better)
        found[number_of_set] = ranks[fitted.labels_]
    return found, ratings, times


def _ranks(
    labels: NDArray[np.int64], began: Array, change: Array, classes: int, weight: Array | None, *, better: bool
) -> NDArray[np.int64]:
    """The place of each label, best first; `better` where less is better."""
    sign = 1.0 if better else -1.0
    each = np.ones(len(labels)) if weight is None else np.maximum(weight, 1e-9)

    def means(values: Array) -> list[float]:
        return [float(np.average(values[labels == label], weights=each[labels == label])) for label in range(classes)]

    ends, gains = means(sign * (began + change)), means(sign * change)
    gains[int(np.argmax(ends))] = np.inf
    rank = np.empty(classes, dtype=np.int64)
    rank[np.argsort(gains)] = np.arange(classes)
    return rank


def _wanted_class(part: Seen) -> int:
    options = part.number.options
    return {"best": 0, "worst": options.classes - 1, "middle": (options.classes - 1) // 2}[options.which]


def class_share(part: Seen) -> Pair:
    """People in a class, in per cent."""
    labels, _, _ = courses_in_classes(part)
    inside = np.where(labels == NO_CLASS, np.nan, labels == _wanted_class(part))
    return share(part.mean(inside), part.n)


def class_mean(part: Seen) -> Pair:
    """Mean score of a class at the time."""
    labels, ratings, times = courses_in_classes(part)
    place = int(np.argmin(np.abs(np.asarray(times) - float(part.number.time_h or 0.0))))
    inside = (labels == _wanted_class(part)).astype(np.float64) * part.weight
    total = np.maximum(inside.sum(axis=1), 1e-9)
    scores = np.where(labels == NO_CLASS, np.nan, ratings[..., place])
    found = (inside * scores).sum(axis=1) / total
    variance = (inside * (scores - found[:, None]) ** 2).sum(axis=1) / total
    return found, np.sqrt(variance / np.maximum(part.n * total / part.people, 1.0))


ONE_ARM_EVENTS: Mapping[str, Callable[[Seen], Pair]] = {
    "response": response,
    "remission": remission,
    "worse": worse,
    "sensitivity": sensitivity,
    "sessions_to_response": sessions_to_response,
    "survival": survival,
    "relapse": relapse,
    "time_to_relapse": time_to_relapse,
    "class_share": class_share,
    "class_mean": class_mean,
}

"""Whether a change of the update or the forecast moves their answers by more than luck does.

    python benchmarks/forecast_agreement.py --save before.npz           # at the old state of the code
    python benchmarks/forecast_agreement.py --compare before.npz        # at the new one

Nine persons who differ (a course that helps, none that does, a benefit lost early, infusions and a spray, one scale or
two, one rating, ratings that nobody gives), each with several seeds. For each person: by how much the mean over seeds
has moved, of the forecast's quantiles and chances and of what was learned, beside how much the answers of two seeds
differ (the Monte-Carlo error of one).
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from forecast_speed import person as long_course

DAY = 24.0
EXAMPLES = Path(__file__).parents[1] / "examples"
WHAT = {"ratings": "points", "own": "points", "response": "%", "remission": "%", "relapse": "%", "luck": "spreads"}


def made_up(doses: tuple[float, ...], *ratings: tuple[float, float] | tuple[float, float, str]) -> Any:
    """A person with infusions on these days (numbers of the first day on), ratings as (day, total, scale)."""
    from rekindle.dosing import parse
    from rekindle.person.record import Given, Person, Planned, Rated

    now = (max(*doses, *(rating[0] for rating in ratings)) + 1.0) * DAY
    sentence, known = "35 mg IV over 40 min", {"weight_kg": 70.0, "age_years": 38.0, "sex": "male"}
    given = tuple(Given(day * DAY + 10.0, sentence) for day in doses)
    rated = tuple(Rated(day * DAY + 9.0, *(rest or ("MADRS",)), float(total)) for day, total, *rest in ratings)
    plan = Planned(parse(f"{sentence}, weekly for 4 weeks"), now + 3 * DAY, now + 56 * DAY)
    return Person(date(2026, 1, 5), "treatment-resistant-depression", now, known, {}, given, rated, planned=plan)


def people() -> dict[str, Any]:
    """The persons by name."""
    from rekindle.person import read_person

    return {
        "the example": read_person(EXAMPLES / "person.yaml"),
        "infusions, then a spray": read_person(EXAMPLES / "person" / "with_table.yaml"),
        "ten infusions": long_course(),
        "no response": made_up((1, 4, 8, 11, 15, 18), (0.5, 33), (5, 32), (9, 34), (15, 31), (19, 33)),
        "lost early": made_up((1, 4, 8, 11), (0.5, 30), (2, 12), (4, 22), (9, 15), (12, 12), (26, 27)),
        "PHQ-9 alone": made_up((1, 4, 8, 11, 15, 18, 22, 25), *((d, t, "PHQ-9") for d, t in
                               ((0.5, 20), (8, 15), (15, 11), (22, 9)))),
        "two scales": made_up((1, 4, 8, 11), (0.5, 32), (0.5, 19, "PHQ-9"), (5, 20), (8, 12, "PHQ-9"), (12, 14),
                              (12, 9, "PHQ-9")),
        "one rating": made_up((1,), (0.5, 31)),
        "unlike anyone": made_up((1, 4, 8), (0.5, 30), (2, 2), (4, 55), (5, 3), (9, 54)),
    }  # fmt: skip


def answers(seeds: int) -> dict[str, np.ndarray]:
    """Numbers by `person|what`, shape (seeds, ...)."""
    from rekindle.inference.forecast import forecast
    from rekindle.inference.update import update

    found: dict[str, list[np.ndarray]] = {}
    for name, who in people().items():
        for seed in range(1, seeds + 1):
            known = update(who, seed=seed)
            scale = forecast(known, seed=seed).scales[0]
            learned = {each.name: (each.mean, each.spread) for each in known.learned}
            told = {
                **{what: getattr(scale, what) for what in ("ratings", "own", "response", "remission", "relapse")},
                "luck": np.array([learned[each] for each in sorted(learned)]),
                "trust": np.array([known.effective, known.pareto_k, known.surprise]),
                "verdict": np.array(known.verdict),
            }
            for what, value in told.items():
                if value is not None:
                    found.setdefault(f"{name}|{what}", []).append(value)
    return {name: np.array(values) for name, values in found.items() if len(values) == seeds}


def compare(before: Any, now: dict[str, np.ndarray]) -> None:
    """Print one line a person and quantity."""
    for name, new in now.items():
        person, what = name.split("|")
        old = before[name]
        if what == "verdict":
            print(f"{person:24} {what:10} the same for {int((old == new).sum())} of {len(new)} seeds")
        elif what == "trust":
            (size, k, odd), (size_now, k_now, odd_now) = np.median(old, axis=0), np.median(new, axis=0)
            print(f"{person:24} {what:10} effective {size:.0f} and {size_now:.0f}, Pareto k {k:.2f} and {k_now:.2f}, "
                  f"surprise {odd:.4f} and {odd_now:.4f}")  # fmt: skip
        else:
            size = 100.0 if WHAT[what] == "%" else 1.0
            moved = size * np.abs(new.mean(axis=0) - old.mean(axis=0))
            luck = size * old.std(axis=0, ddof=1)
            print(f"{person:24} {what:10} moved {moved.mean():.3f} (most {moved.max():.3f}) {WHAT[what]}, "
                  f"one seed from another {luck.mean():.3f}")  # fmt: skip


def main() -> None:
    """Save or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--save", type=Path)
    parser.add_argument("--compare", type=Path)
    asked = parser.parse_args()
    found = answers(asked.seeds)
    if asked.save:
        np.savez(asked.save, **found)  # type: ignore[arg-type]
    if asked.compare:
        compare(np.load(asked.compare), found)


if __name__ == "__main__":
    main()

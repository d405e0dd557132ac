"""The limits on the page: where the plan leaves the rules, and the chance to break each line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rekindle.report.numerals import NBSP, count, plain
from rekindle.report.tables import Table

if TYPE_CHECKING:
    from rekindle.planning.compare import Compared
    from rekindle.planning.judging import LimitChance
    from rekindle.planning.limits import Limits


@dataclass(frozen=True)
class ShownLimits:
    """The limits of the page: a finding, a table of limits with their chances of being broken, and words."""

    heading: str
    table: Table | None = None
    notes: tuple[str, ...] = ()


NO_LIMITS = ShownLimits(
    "No limits were asked about",
    notes=(
        "With --limits the page shows a set of limits (label rules, pressure, dissociation, sedation, visits, cost), "
        "each with the chance to break it.",
    ),
)


def shown_limits(compared: Compared, limits: Limits) -> ShownLimits:
    """What the plan means for a set of limits."""
    rows = [*compared.person.limits, compared.person.joint]
    broken = [each for each in rows if not each.kept]
    out = len(compared.departures)
    if out or broken:
        parts = [f"leaves {out} rule{'' if out == 1 else 's'}"] if out else []
        parts += [f"does not surely keep {len(broken)} line{'' if len(broken) == 1 else 's'}"] if broken else []
        heading = f"The plan {' and '.join(parts)} of “{limits.title}”"
    else:
        heading = f"The plan keeps within “{limits.title}”"
    table = Table(
        f"Chances from {compared.person.draws:,} draws of this person, worth {compared.person.worth:,} independent "
        "ones; the upper end counts what that many can tell.",
        ("Limit", "Chance to break it", "At most", "Allowed", "Kept"),
        limits_rows(rows),
        frozenset({0, 4}),
    )
    return ShownLimits(heading, table, (*(f"Outside: {words}" for words in compared.departures), *limits.notes))


def limits_rows(found: Sequence[LimitChance]) -> tuple[tuple[str, ...], ...]:
    """Each limit with the chance to break it, its upper end, what is allowed, and whether that is kept."""
    return tuple(_row(each) for each in found)


def _row(each: LimitChance) -> tuple[str, ...]:
    name = f"{each.name}, {'any one session' if each.per == 'session' else 'over the plan'}"
    if each.allowed is None or (each.limit is not None and not each.limit.keep):
        return (name, count(each.chance), count(each.upper), "shown only", "")
    said = f"{plain(100 * each.allowed, -1 if each.allowed < 0.01 else 0)}{NBSP}in{NBSP}100" if each.allowed else "none"
    return (name, count(each.chance), count(each.upper), said, "yes" if each.kept else "▲ not surely")

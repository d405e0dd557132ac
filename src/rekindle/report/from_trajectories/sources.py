"""The publications behind everything that a report shows, each once."""

from __future__ import annotations

from collections.abc import Iterable

from rekindle.evidence.catalog import catalog
from rekindle.mechanism.parameters import parameter_table
from rekindle.outcomes.endpoints import relapse_rules
from rekindle.outcomes.scale import Scale
from rekindle.report.from_trajectories.sample import Sample
from rekindle.report.from_trajectories.tables import table
from rekindle.report.material import Claim, Drivers, PublishedPoint, Session, Source
from rekindle.trajectories import scales_of


def used_records(
    sample: Sample,
    points: Iterable[PublishedPoint],
    session: Session | None,
    drivers: Drivers | None,
    claims: Iterable[Claim],
) -> tuple[str, ...]:
    """Ids of the records that a report rests on: published points, definitions, limits, what mattered, claims."""
    found = [point.record for point in points]
    found += [point.record for strip in (session.strips if session else ()) for point in strip.observed]
    found += [row["limit_record"] for row in table("links")] if session else []
    found += [row["record"] for row in table("harms")]
    found += [record for scale in scales_of(sample.study) for record in scale_records(scale)]
    found += [next(iter(relapse_rules().values())).record]
    table_of = parameter_table()
    found += [table_of[row.name].record for row in (drivers.rows if drivers else ()) if row.name in table_of]
    found += [record for claim in claims for record in claim.records]
    return tuple(dict.fromkeys(record for record in found if record))


def scale_records(scale: Scale) -> tuple[str, ...]:
    """The records behind a scale's lines."""
    return tuple(line.record for line in (*scale.remission, *scale.events) if line.record)


def sources(records: Iterable[str]) -> tuple[Source, ...]:
    """The publications of these records in alphabetical order; read when any of their records was read.

    Raises:
        InputError: a record that the catalogue does not have.
    """
    found: dict[str, Source] = {}
    for name in records:
        record = catalog().get(name)
        doi = record.source.doi if record.source.doi.startswith("10.") else ""
        key = doi or record.source.citation
        before = found.get(key)
        seen = record.seen or (before is not None and before.seen)
        citation = before.citation if before is not None else record.source.citation
        found[key] = Source(key, citation, doi, record.source.link, seen)
    return tuple(sorted(found.values(), key=lambda source: source.citation.casefold()))

"""What is known about ketamine and who said it: records, sources, disagreements, popular claims.

Every number that the model uses is a `Record` here or a named assumption. This package knows no model.
"""

from __future__ import annotations

from rekindle.evidence.assumptions import Assumption, assumed
from rekindle.evidence.catalog import Catalog, catalog
from rekindle.evidence.claims import Claim, claims, claims_for
from rekindle.evidence.conflicts import Conflict
from rekindle.evidence.grading import Grade, grade
from rekindle.evidence.record import Reading, Record
from rekindle.evidence.source import Source, bibliography

__all__ = [
    "Assumption",
    "Catalog",
    "Claim",
    "Conflict",
    "Grade",
    "Reading",
    "Record",
    "Source",
    "assumed",
    "bibliography",
    "catalog",
    "claims",
    "claims_for",
    "grade",
]

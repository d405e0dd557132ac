"""What people say about ketamine, beside what the evidence says.

Each claim has a verdict, a sentence or two, the records these rest on, and the studies that it touches, so
that a report can show a reader the claims that bear on the course before them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources.abc import Traversable
from typing import Any, Literal, get_args

from rekindle.errors import InputError, unknown
from rekindle.evidence.catalog import Catalog, catalog
from rekindle.evidence.tables import package_data, shipped
from rekindle.keeping import kept

Verdict = Literal["wrong", "misleading", "unlikely", "not shown in people", "weak", "partly right"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
TAGS = (
    "efficacy",
    "mechanism",
    "synapses",
    "reward",
    "dissociation",
    "dependence",
    "safety",
    "regulation",
    "expectancy",
    "genetics",
)
"""What a study may look at; a claim is shown when it shares a tag and a drug with the study."""


@dataclass(frozen=True)
class Claim:
    """A popular statement; empty `drugs` means every drug, `tags` say what in a study it touches."""

    name: str
    statement: str
    verdict: Verdict
    evidence: str
    records: tuple[str, ...]
    drugs: tuple[str, ...]
    tags: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The claim as plain values, ready for JSON."""
        return {key: list(part) if isinstance(part, tuple) else part for key, part in asdict(self).items()}


def read_claims(folder: Traversable, known: Catalog) -> tuple[Claim, ...]:
    """The claims in a folder's `claims.yaml`, every record of which must exist.

    Raises:
        InputError: the file is malformed, a name occurs twice, a verdict or tag is unknown, a claim rests
        on no
            record, or names a record that is not in the catalogue.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        entries: Any = YAML(typ="safe", pure=True).load((folder / "claims.yaml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise InputError("The claims cannot be read.", where="claims.yaml", hint=str(error)) from error
    if not isinstance(entries, list):
        raise InputError("The claims are not a list.", where="claims.yaml")
    found = tuple(_claim(entry, known) for entry in entries)
    names = [claim.name for claim in found]
    if len(set(names)) < len(names):
        raise InputError("Two claims have the same name.", where="claims.yaml")
    return found


@cache
def claims() -> tuple[Claim, ...]:
    """The claims that ship with the package, read once a machine and then kept on disk."""
    return tuple(kept("claims", tuple, shipped, lambda: read_claims(package_data(), catalog())))


def claims_for(*, drugs: Iterable[str], tags: Iterable[str]) -> list[Claim]:
    """The claims that touch a study of these drugs (the project's words) and these tags.

    Raises:
        InputError: a tag is not one of `TAGS`.
    """
    studied, wanted = set(drugs), set(tags)
    for tag in sorted(wanted.difference(TAGS)):
        raise unknown("claim tag", tag, TAGS)
    return [
        claim
        for claim in claims()
        if wanted.intersection(claim.tags) and (not claim.drugs or studied.intersection(claim.drugs))
    ]


def _claim(entry: Any, known: Catalog) -> Claim:
    fields = ("name", "statement", "verdict", "evidence", "records", "drugs", "tags")
    if not isinstance(entry, dict) or set(entry) != set(fields):
        raise InputError("A claim has other fields.", where="claims.yaml", hint=f"Fields: {', '.join(fields)}.")
    where = f"claim '{entry['name']}'"
    if entry["verdict"] not in VERDICTS:
        raise unknown("verdict", str(entry["verdict"]), VERDICTS, where=where)
    for tag in entry["tags"]:
        if tag not in TAGS:
            raise unknown("claim tag", str(tag), TAGS, where=where)
    if not entry["records"]:
        raise InputError("A claim rests on at least one record.", where=where)
    for record_id in entry["records"]:
        known.get(str(record_id), where=where)
    return Claim(
        name=entry["name"],
        statement=entry["statement"],
        verdict=entry["verdict"],
        evidence=" ".join(str(entry["evidence"]).split()),
        records=tuple(entry["records"]),
        drugs=tuple(entry["drugs"]),
        tags=tuple(entry["tags"]),
    )

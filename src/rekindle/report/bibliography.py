"""Sources and popular claims: what the page rests on, and what is often said beside what the evidence says."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from rekindle.report.material import ReportInput, Source
from rekindle.report.numerals import plain


@dataclass(frozen=True)
class Reference:
    """A source as the page lists it: words, where to find it, and whether it was read or only quoted by
    another.
    """

    key: str
    citation: str
    link: str
    link_words: str
    read: str


def references(material: ReportInput) -> list[Reference]:
    """The sources in the order given, each once."""
    listed: dict[str, Source] = {}
    for source in material.sources:
        listed.setdefault(source.key, source)
    return [
        Reference(
            source.key,
            source.citation,
            _link(source),
            source.doi or "link",
            "" if source.seen else "not read itself",
        )
        for source in listed.values()
    ]


def sources_finding(material: ReportInput) -> str:
    """How many sources there are and how many were read."""
    total = len(references(material))
    unread = sum(1 for reference in references(material) if reference.read)
    noun = "source" if total == 1 else "sources"
    return f"{plain(total)} {noun}" + (
        f", {plain(unread)} of them quoted without being read" if unread else ", all read"
    )


def claims_finding(material: ReportInput) -> str:
    """How many of the popular statements the evidence bears out."""
    total = len(material.claims)
    verdicts: dict[str, int] = {}
    for claim in material.claims:
        verdicts[claim.verdict] = verdicts.get(claim.verdict, 0) + 1
    counted = ", ".join(f"{number} {verdict}" for verdict, number in verdicts.items())
    noun = "popular statement that touches" if total == 1 else "popular statements that touch"
    return f"{plain(total)} {noun} this study: {counted}"


def _link(source: Source) -> str:
    """A safe address: the DOI's resolver, or a web address as given; nothing else becomes a link."""
    if source.doi:
        return f"https://doi.org/{quote(source.doi, safe='/().;:-_')}"
    return source.url if source.url.startswith(("https://", "http://")) else ""

"""Where a record stands: the publication as cited, its identifier, the address where the text was read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_ADDRESSES = (
    (re.compile(r"(10\.\d{4,}(?:\.\d+)*/\S+)"), "https://doi.org/{}"),
    (re.compile(r"(PMC\d+)"), "https://pmc.ncbi.nlm.nih.gov/articles/{}/"),
    (re.compile(r"PMID (\d+)(?: / \d+)*"), "https://pubmed.ncbi.nlm.nih.gov/{}/"),
    (re.compile(r"(NCT\d{8})"), "https://clinicaltrials.gov/study/{}"),
    (re.compile(r"(osf\.io/\w+)"), "https://{}"),
)


@dataclass(frozen=True, order=True)
class Source:
    """A publication or page; `citation` is short (`Otto 2021 Eur J Clin Pharmacol`), the rest optional.

    `doi` is the tables' column of that name: a DOI, or what stands for one (`PMC9656070`, `PMID 25702819`, a
    trial's number, an issue and page).
    """

    citation: str
    doi: str = ""
    url: str = ""

    def __str__(self) -> str:
        unlinked = self.doi if not _address(self.doi) else ""
        return ". ".join(part for part in (self.citation, unlinked, self.link) if part)

    @property
    def link(self) -> str:
        """The address of the publication, or the page where it was read; empty when there is neither."""
        return _address(self.doi) or _address(self.url)


def _address(text: str) -> str:
    if text.startswith("http"):
        return text
    for form, address in _ADDRESSES:
        found = form.fullmatch(text)
        if found is not None:
            return address.format(found.group(1))
    return ""


def bibliography(sources: Iterable[Source]) -> list[str]:
    """One line a publication, in alphabetical order: citation and link; each DOI or citation once."""
    once: dict[str, Source] = {}
    for source in sorted(set(sources)):
        once.setdefault(source.doi or source.citation, source)
    return sorted((str(source) for source in once.values()), key=str.casefold)

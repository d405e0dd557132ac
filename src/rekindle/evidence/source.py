"""Where a record stands: the publication as cited, its DOI, and the address where the text was read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Source:
    """A publication or page; `citation` is short (`Otto 2021 Eur J Clin Pharmacol`), the rest optional."""

    citation: str
    doi: str = ""
    url: str = ""

    def __str__(self) -> str:
        return ". ".join(part for part in (self.citation, self.link) if part)

    @property
    def link(self) -> str:
        """The DOI as an address, or the page where it was read when there is none."""
        return f"https://doi.org/{self.doi}" if self.doi else self.url


def bibliography(sources: Iterable[Source]) -> list[str]:
    """One line a publication, in alphabetical order: citation and link; each DOI or citation once."""
    once: dict[str, Source] = {}
    for source in sorted(set(sources)):
        once.setdefault(source.doi or source.citation, source)
    return sorted((str(source) for source in once.values()), key=str.casefold)

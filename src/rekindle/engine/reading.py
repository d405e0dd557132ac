"""A model file, or its text, as a network: Antimony goes through SBML, and one reader serves both."""

from __future__ import annotations

from pathlib import Path

from rekindle.engine.antimony_reader import antimony_to_sbml, source_text
from rekindle.engine.network import Network
from rekindle.engine.sbml_reader import network_of
from rekindle.errors import InputError


def read_antimony(source: str | Path, *, module: str | None = None) -> Network:
    """Read a model written in Antimony, from a path or from the text itself.

    `module` picks one of several modules; by default the main one (the last, or the one marked with `*`).

    >>> network = read_antimony("model decay; A = 10; k = 0.5; A' = -k*A; end")
    >>> network.states, network.parameters
    (('A',), ('k',))

    Raises:
        InputError: a syntax error (with its line), a symbol defined twice, a file that cannot be read.
        ModelError: definitions that go round in a circle.
        UnsupportedError: algebraic rules, delays, fast reactions, events and other refused constructs, by
        name.
    """
    text, where = source_text(source, suffixes=(".ant", ".txt"))
    return network_of(antimony_to_sbml(text, where, module), where)


def read_sbml(source: str | Path) -> Network:
    """Read a model written in SBML (any level that libSBML knows), from a path or from the text itself.

    Raises:
        InputError: text that is not SBML or is inconsistent, a file that cannot be read.
        ModelError: definitions that go round in a circle.
        UnsupportedError: algebraic rules, delays, fast reactions, events and other refused constructs, by
        name.
    """
    text, where = source_text(source, suffixes=(".xml", ".sbml"))
    return network_of(text, where)


def read_model(path: Path) -> Network:
    """Read a model file by its ending: `.ant` or `.txt` is Antimony, `.xml` or `.sbml` is SBML.

    Raises:
        InputError: another ending, or whatever the reader of that format refuses.
    """
    if path.suffix.lower() in (".xml", ".sbml"):
        return read_sbml(path)
    if path.suffix.lower() in (".ant", ".txt"):
        return read_antimony(path)
    raise InputError(
        f"'{path.suffix or path.name}' is not a model file.",
        where=str(path),
        hint="Use .ant (Antimony) or .xml (SBML).",
    )

"""Antimony text to SBML, with the mistakes that Antimony itself lets pass.

The antimony library translates; it keeps the last of two definitions of one symbol without a word, so
definitions are counted here first. Source of the language: Smith et al. 2009,
doi:10.1093/bioinformatics/btp401.
"""

from __future__ import annotations

import re
from pathlib import Path

from rekindle.errors import InputError, ModelError, UnsupportedError

_COMMENT = re.compile(r"//[^\n]*|#[^\n]*|/\*.*?\*/", re.DOTALL)
_DEFINITION = re.compile(r"^\s*(?:[a-zA-Z]+\s+)*(?:\$)?([A-Za-z_]\w*)\s*('?)\s*(:?=)(?![=>])")
_NOT_A_DEFINITION = re.compile(r"^\s*(?:[A-Za-z_]\w*\s*:\s*)?(?:unit|at|delete)\b")
_OPENING = re.compile(r"^\s*(?:model|module|function)\s+\*?\s*([A-Za-z_]\w*)")
_LARGEST_TEXT = 8_000_000


def source_text(source: str | Path, *, suffixes: tuple[str, ...]) -> tuple[str, str]:
    """The text of a source that is a path or the text itself, and what to call it in messages.

    Raises:
        InputError: a file that cannot be read, is empty, too large or not UTF-8.
    """
    if isinstance(source, str) and ("\n" in source or not source.strip().lower().endswith(suffixes)):
        text, where = source, "model text"
    else:
        path = Path(source)
        where = str(path)
        try:
            if path.stat().st_size > _LARGEST_TEXT:
                raise InputError("The model file is larger than 8 MB.", where=where)
            text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise InputError(f"The model file cannot be read: {error.strerror}.", where=where) from error
        except UnicodeDecodeError as error:
            raise InputError("The model file is not UTF-8 text.", where=where) from error
    if not text.strip():
        raise InputError("The model is empty.", where=where)
    return text, where


def _statements(text: str) -> list[tuple[int, str]]:
    blanked = _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    blanked = re.sub(r'"[^"\n]*"', lambda match: " " * len(match.group()), blanked)
    return [
        (number, statement)
        for number, line in enumerate(blanked.splitlines(), start=1)
        for statement in line.split(";")
        if statement.strip()
    ]


def refuse_duplicates(text: str, where: str) -> None:
    """Refuse a symbol that is given a value, a formula or a rate twice in one module.

    Raises:
        InputError: the symbol and both lines.
    """
    seen: dict[tuple[str, str, str], int] = {}
    module = ""
    for number, statement in _statements(text):
        opening = _OPENING.match(statement)
        if opening:
            module = opening.group(1)
            continue
        match = _DEFINITION.match(statement)
        if not match or _NOT_A_DEFINITION.match(statement):
            continue
        name, prime, sign = match.groups()
        kind = "rate" if prime else "formula" if sign == ":=" else "value"
        if (module, name, kind) in seen:
            raise InputError(
                f"The {kind} of '{name}' is defined twice.",
                where=f"{where}, line {number}",
                hint=f"It was first defined in line {seen[module, name, kind]}.",
            )
        seen[module, name, kind] = number
        _refuse_contradiction(seen, module, name, number, where)


def _refuse_contradiction(
    seen: dict[tuple[str, str, str], int], module: str, name: str, number: int, where: str
) -> None:
    formula = seen.get((module, name, "formula"))
    other = seen.get((module, name, "rate")) or seen.get((module, name, "value"))
    if formula and other:
        raise InputError(
            f"'{name}' is defined twice: as a formula in line {formula} and otherwise in line {other}.",
            where=f"{where}, line {number}",
            hint="Keep one of them.",
        )


def antimony_to_sbml(text: str, where: str, module: str | None = None) -> str:
    """The SBML document of an Antimony text.

    Raises:
        InputError: a syntax error (with its line), a duplicated definition, or an unknown module.
        ModelError: definitions that go round in a circle.
    """
    import antimony

    refuse_duplicates(text, where)
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString(text) < 0:
        raise _antimony_error(str(antimony.getLastError()), where)
    names = [str(name) for name in antimony.getModuleNames()]
    chosen = module or str(antimony.getMainModuleName())
    if chosen not in names:
        known = ", ".join(names)
        raise InputError(f"There is no module '{chosen}'.", where=where, hint=f"The text defines: {known}.")
    document = str(antimony.getSBMLString(chosen) or "")
    antimony.clearPreviousLoads()
    if not document:
        raise InputError(f"Antimony could not translate the module '{chosen}'.", where=where)
    return document


def _antimony_error(message: str, where: str) -> InputError | ModelError:
    found = re.search(r"line (\d+):\s*(.*)", message, re.DOTALL)
    place = f"{where}, line {found.group(1)}" if found else where
    said = " ".join((found.group(2) if found else message).split())
    if "Loop detected" in said:
        return ModelError(f"The definitions go round in a circle: {said}", where=place)
    if "delay" in said.casefold():
        return UnsupportedError(f"Delays are not supported: {said}", where=place)
    return InputError(f"Antimony does not understand this: {said}", where=place)

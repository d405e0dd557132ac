"""Files that people write by hand: read whole, checked, and with a line for every value.

A study, a trial or a person is described in YAML. Whatever is wrong with such a file is said with its line,
so each value keeps the line it came from. The reading is narrow on purpose: UTF-8, one document, no tags,
no anchors and aliases (a few lines of those can unfold into gigabytes), no key twice, a limit on size and
on depth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rekindle.errors import InputError

Location = tuple[str | int, ...]

LARGEST_DOCUMENT_BYTES = 1_000_000
DEEPEST_NESTING = 12
MOST_VALUES = 20_000

_BYTE_ORDER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


@dataclass(frozen=True)
class Document:
    """A mapping read from a file, with the line of each value (first line is 1).

    >>> parse_document("arms:\\n- name: drug\\n", "study.yaml").where("arms", 0, "name")
    'study.yaml, line 2, arms[1].name'
    """

    name: str
    values: dict[str, Any]
    lines: Mapping[Location, int]

    def where(self, *location: str | int) -> str:
        """File, line and field of a location, as a person would look for it (list positions count from 1).

        A location that is not in the file (a missing field) gets the line of what should hold it.
        """
        held: Location = location
        while held and held not in self.lines:
            held = held[:-1]
        line = self.lines.get(held)
        field = field_name(location)
        parts = [self.name, f"line {line}" if line is not None else "", field]
        return ", ".join(part for part in parts if part)


def field_name(location: Location) -> str:
    """A location as text, list positions counted from 1.

    >>> field_name(("arms", 0, "course"))
    'arms[1].course'
    """
    text = ""
    for step in location:
        if isinstance(step, int):
            text += f"[{step + 1}]"
        else:
            text += f".{step}" if text else step
    return text


def read_text(path: Path, *, kind: str = "file", largest_bytes: int = LARGEST_DOCUMENT_BYTES) -> str:
    """The text of a UTF-8 file; a byte order mark at its start is dropped.

    Raises:
        InputError: the file is missing, not a plain file, unreadable, empty, too large or not UTF-8.
    """
    where = str(path)
    try:
        if not path.exists():
            raise InputError(f"There is no {kind} of this name.", where=where, hint=_neighbours(path))
        if path.is_dir():
            raise InputError(f"This is a directory; a {kind} is needed.", where=where)
        if path.is_file() and path.stat().st_size > largest_bytes:
            raise InputError(
                f"The {kind} has {path.stat().st_size:,} bytes; at most {largest_bytes:,} are read.",
                where=where,
            )
        with path.open("rb") as stream:
            data = stream.read(largest_bytes + 1)
    except OSError as error:
        raise InputError(f"The {kind} cannot be read: {error.strerror or error}.", where=where) from error
    if len(data) > largest_bytes:
        raise InputError(f"The {kind} is longer than {largest_bytes:,} bytes.", where=where)
    text = decode(data, kind=kind, where=where)
    if not text.strip():
        raise InputError(f"The {kind} is empty.", where=where)
    return text


def decode(data: bytes, *, kind: str = "file", where: str | None = None) -> str:
    """Bytes as UTF-8 text.

    Raises:
        InputError: the bytes are not UTF-8, with the line where that shows.
    """
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            raise InputError(f"The {kind} is saved as {encoding}.", where=where, hint="Save it as UTF-8.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"The {kind} is not UTF-8 text: byte 0x{data[error.start]:02x} in line {line}.",
            where=where,
            hint="Save it as UTF-8.",
        ) from error


def read_document(path: Path, *, kind: str = "file") -> Document:
    """The mapping that a YAML file holds, with the line of every value.

    Raises:
        InputError: the file cannot be read, or is not one plain mapping (see `parse_document`).
    """
    return parse_document(read_text(path, kind=kind), str(path))


def parse_document(text: str, name: str) -> Document:
    """The mapping that YAML text holds; `name` is what messages call the text.

    Raises:
        InputError: not YAML, a key twice, an anchor, alias or tag, several documents, nesting too deep, or
            something else than a mapping.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if not text.strip():
        raise InputError("The file is empty.", where=name)
    try:
        _refuse_hazards(text, name)
        loaded = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        raise _yaml_error(error, name) from error
    except IndexError as error:  # the parser takes a sign with underscores for a number without digits
        hint = "Put quotes around it."
        raise InputError("A value begins like a number and is none, as '+_' does.", where=name, hint=hint) from error
    except (YAMLError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"This is not YAML text: {reason}.", where=name) from error
    if loaded is None:
        raise InputError("The file holds nothing but comments.", where=name)
    if not isinstance(loaded, Mapping):
        kind = "a list" if isinstance(loaded, list) else "a single value"
        raise InputError(
            f"The file holds {kind}; fields are needed.", where=name, hint="Write 'field: value', one a line."
        )
    lines: dict[Location, int] = {(): 1}
    values = _plain(loaded, (), lines, name)
    return Document(name, values, lines)


def _neighbours(path: Path) -> str | None:
    from rekindle.errors import nearest

    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return None
    near = nearest(path.name, names)
    return f"Nearest in that directory: {', '.join(near)}." if near else None


def _refuse_hazards(text: str, name: str) -> None:
    """Walk the events before anything is built: what could unfold, run or recurse is refused by line."""
    from ruamel.yaml import YAML
    from ruamel.yaml import events as kinds

    depth = documents = 0
    for count, event in enumerate(YAML(typ="rt", pure=True).parse(text)):
        where = f"{name}, line {event.start_mark.line + 1}"
        if isinstance(event, kinds.AliasEvent) or getattr(event, "anchor", None):
            raise InputError(
                "Anchors (&) and aliases (*) are not read.", where=where, hint="Write the value out in full."
            )
        if str(getattr(event, "tag", None) or "").strip("!"):
            raise InputError("Tags (!) are not read.", where=where, hint="Write the plain value.")
        if isinstance(event, kinds.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise InputError("The file holds several documents.", where=where, hint="Remove the '---'.")
        if isinstance(event, kinds.CollectionStartEvent):
            depth += 1
        elif isinstance(event, kinds.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST_NESTING:
            raise InputError(f"Nested more than {DEEPEST_NESTING} deep.", where=where)
        if count > MOST_VALUES:
            raise InputError(f"More than {MOST_VALUES:,} values.", where=where)


def _yaml_error(error: Any, name: str) -> InputError:
    mark = error.problem_mark or error.context_mark
    where = f"{name}, line {mark.line + 1}" if mark is not None else name
    problem = " ".join(str(error.problem or error.context or "not YAML text").split())
    if "duplicate key" in problem:
        key = problem.split('"')[1] if problem.count('"') >= 2 else ""
        return InputError(f"The field '{key}' stands twice.", where=where, hint="Keep one of them.")
    if "\\t" in problem or "'\\t'" in problem:
        return InputError("A tab is used to indent.", where=where, hint="Indent with spaces.")
    return InputError(f"This is not YAML text: {problem}.", where=where)


def _line(node: Any, key: Any) -> int:
    """Line (from 1) where the entry of a loaded mapping or list begins."""
    return int(node.lc.data[key][0]) + 1


def _plain(node: Any, location: Location, lines: dict[Location, int], name: str) -> Any:
    """The node as plain dictionaries, lists and values, filling in the line of each location."""
    if isinstance(node, Mapping):
        plain: dict[str, Any] = {}
        for key, value in node.items():
            line = _line(node, key)
            if not isinstance(key, str):
                raise InputError(f"The field name {key!r} is not a word.", where=f"{name}, line {line}")
            inner = (*location, str(key))
            lines[inner] = line
            plain[str(key)] = _plain(value, inner, lines, name)
        return plain
    if isinstance(node, list):
        items = []
        for position, value in enumerate(node):
            inner = (*location, position)
            lines[inner] = _line(node, position)
            items.append(_plain(value, inner, lines, name))
        return items
    if isinstance(node, bool) or node is None:
        return node
    for kind in (str, int, float):
        if isinstance(node, kind):
            return kind(node)
    return str(node)

"""A model read and lowered once a machine: the statement lists are kept on disk, beside the compiled kernels.

Reading a model text takes an SBML library and a computer algebra system, which together take longer to start than a
thousand people take to solve. What is kept is the lowered model; its formulas come back only when somebody asks for one
(`Later`). A kept model belongs to its text and to the source of what made it; anything else is made again.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rekindle.engine.lower import Lowered
from rekindle.keeping import cache_directory, read_sealed, version_of, write_sealed
from rekindle.provenance import digest

SOURCES = (
    "antimony_reader",
    "elimination",
    "graph",
    "lower",
    "network",
    "reading",
    "sbml_math",
    "sbml_reader",
    "specialise",
    "symbolic",
    "kept_model",
)
LIBRARIES = ("antimony", "python-libsbml", "sympy")


class Later(Mapping[str, Any]):
    """Formulas by name that are unpacked when the first of them is asked for; their names are there at once."""

    def __init__(self, formulas: Mapping[str, Any]) -> None:
        self._names = tuple(formulas)
        self._packed = pickle.dumps(dict(formulas))
        self._open: dict[str, Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"_names": self._names, "_packed": self._packed, "_open": None}

    def __getitem__(self, name: str) -> Any:
        if self._open is None:
            self._open = pickle.loads(self._packed)
        return self._open[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


def kept(text: str, make: Callable[[], Lowered]) -> Lowered:
    """The lowered model of a text: from the cache if it is there and sound, else made and kept.

    Raises:
        ModelError: what `make` raises.
        InputError: what `make` raises.
    """
    path = cache_directory() / f"model-{_key(text)}.pickle"
    packed = read_sealed(path)
    if packed is not None:
        try:
            found = pickle.loads(packed)
        except Exception:  # whatever a broken pickle raises, the model is made again
            found = None
        if isinstance(found, Lowered):
            return found
    made = make()
    write_sealed(path, pickle.dumps(_slim(made)))
    return made


def _slim(lowered: Lowered) -> Lowered:
    network = lowered.network
    slim = replace(
        network,
        initial=Later(network.initial),
        rates=Later(network.rates),
        assignments=Later(network.assignments),
    )
    # What the formulas are asked for most is worked out now: the digest and the names of derived parameters.
    slim.__dict__.update({"digest": network.digest, "derived": network.derived})
    return replace(lowered, network=slim)


def _key(text: str) -> str:
    folder = Path(__file__).parent
    sources = [(folder / f"{name}.py").read_bytes() for name in SOURCES]
    return digest(text, *sources, *(version_of(name) for name in LIBRARIES))

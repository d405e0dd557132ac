"""Machine code from LLVM assembly, kept on disk between runs.

A compiled object is filed under a digest of the assembly text, the processor and the versions of LLVM and
llvmlite, so it never meets a machine or a model that it was not made for. A file that is damaged, is not ours
or belongs to somebody else is compiled again and replaced.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rekindle.keeping import cache_directory, read_sealed, write_sealed
from rekindle.provenance import digest


@cache
def _machine() -> tuple[Any, str]:
    """LLVM's target for this processor, and a text that names it with all versions."""
    import llvmlite
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    processor, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    machine = target.create_target_machine(cpu=processor, features=features, opt=2, jit=True)
    version = ".".join(str(part) for part in llvm.llvm_version_info)
    return machine, f"{llvmlite.__version__}|{version}|{target.triple}|{processor}|{features}"


def _compile(text: str) -> bytes:
    import llvmlite.binding as llvm

    machine, _ = _machine()
    module = llvm.parse_assembly(text)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return bytes(machine.emit_object(module))


def sources_number(modules: Sequence[str]) -> int:
    """A number for the texts of modules of the engine.

    numba knows a function that it has kept on disk by its own file's time only, not by what it holds of others'. A
    loop that closes over this number is compiled anew when any of the modules has changed, however it was installed.
    """
    folder = Path(__file__).parent
    return int(digest(*((folder / f"{name}.py").read_bytes() for name in modules))[:14], 16)


def kept_on_disk(**options: Any) -> Any:
    """numba's `njit`, whose machine code numba keeps on disk where it finds a place to write, and else does without."""
    from numba import njit

    def compiled(function: Any) -> Any:
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:  # neither beside the package nor in the user's directory
            return njit(**options)(function)

    return compiled


@dataclass(frozen=True)
class Library:
    """Functions in memory, by address."""

    engine: Any
    from_cache: bool

    def address(self, name: str) -> int:
        """The address of a function.

        Raises:
            KeyError: no such function.
        """
        address = int(self.engine.get_function_address(name))
        if not address:
            raise KeyError(name)
        return address

    def function(self, name: str, count: int) -> Any:
        """A function of `count` pointers, to be called with addresses."""
        kind = ctypes.CFUNCTYPE(None, *([ctypes.c_void_p] * count))
        return kind(self.address(name))


_LOADED: dict[str, Library] = {}


def load(text: str) -> Library:
    """Compile a module of LLVM assembly, or take it from the cache, and load it.

    Raises:
        RuntimeError: the text is not valid assembly (a fault of the emitter).
    """
    import llvmlite.binding as llvm

    _, machine_text = _machine()
    key = digest(text, machine_text)
    if key in _LOADED:
        return _LOADED[key]
    path = cache_directory() / f"{key}.o"
    payload = read_sealed(path)
    found = payload is not None
    if payload is None:
        payload = _compile(text)
        write_sealed(path, payload)
    target = llvm.Target.from_default_triple().create_target_machine(opt=2, jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target)
    engine.add_object_file(llvm.ObjectFileRef.from_data(payload))
    engine.finalize_object()
    library = _LOADED[key] = Library(engine, found)
    return library


def lanes() -> int:
    """How many people a vector kernel carries side by side on this processor."""
    import llvmlite.binding as llvm

    return 8 if dict(llvm.get_host_cpu_features()).get("avx512f") else 4


@cache
def quick_reciprocal() -> bool:
    """Whether the processor estimates eight reciprocals at once (AVX-512)."""
    import llvmlite.binding as llvm

    return bool(dict(llvm.get_host_cpu_features()).get("avx512f"))

"""What a run leaves on disk: a directory that is whole or not there at all.

Everything is written into a hidden directory beside the one asked for and renamed into place at the end.
Whatever stops the run before that (an error, a full disk, an interrupt) leaves nothing behind. A directory
that an earlier run wrote is replaced only at that last moment, and only if nothing was added to it: a run
can be made again from its `run.json`, a person's other files cannot.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rekindle.errors import InputError, RekindleError
from rekindle.provenance import Provenance, file_digest

RUN_FILE = "run.json"
RUN_FORMAT = "rekindle-run"
RUN_FORMAT_VERSION = 1


@contextmanager
def run_directory(out: Path) -> Iterator[Path]:
    """A directory to write a run into; becomes `out` when the block ends well, vanishes when it does not.

    `out` may be absent, empty, or an earlier run to which nothing was added (that one is replaced).

    Raises:
        InputError: `out` cannot be written, holds something else, or the disk is full.
    """
    target = out.absolute()
    check_replaceable(target, shown=str(out))
    with disk_errors(str(out)):
        made = _make_parents(target.parent)
        try:
            staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", suffix=".part", dir=target.parent))
            try:
                staging.chmod(0o777 & ~_umask())
                yield staging
                check_replaceable(target, shown=str(out))
                _swap_in(staging, target)
            except BaseException:
                shutil.rmtree(staging, ignore_errors=True)
                raise
        except BaseException:
            _remove_empty(made)
            raise


def check_replaceable(out: Path, *, shown: str | None = None) -> None:
    """Nothing, when a run may be written to `out`; call it before long work: a wrong path costs no time.

    Raises:
        InputError: `out` is a file, or a directory that holds more than an earlier run wrote, or cannot be
        looked at.
    """
    where = shown or str(out)
    elsewhere = "Choose another directory with --out."
    with disk_errors(where):
        if not out.exists() and not out.is_symlink():
            _check_parent(out.parent, where)
            return
        if not out.is_dir():
            raise InputError("This is a file; the output needs a directory.", where=where, hint=elsewhere)
        present = {entry.relative_to(out).as_posix() for entry in out.rglob("*") if not entry.is_dir()}
    if not present:
        return
    extra = sorted(present - written_by_run(out))
    if extra:
        listed = ", ".join(extra[:3]) + (f" and {len(extra) - 3} more" if len(extra) > 3 else "")
        raise InputError(
            f"The directory holds files that no run wrote: {listed}.",
            where=where,
            hint=f"Nothing is touched. {elsewhere}",
        )


def written_by_run(directory: Path) -> set[str]:
    """Names (relative, forward slashes) of the files that a run wrote into `directory`; empty if none did."""
    try:
        content = json.loads((directory / RUN_FILE).read_text(encoding="utf-8"))
        if content["format"] != RUN_FORMAT:
            return set()
        return {RUN_FILE, *(str(name) for name in content["files"])}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def write_run_file(
    directory: Path, provenance: Provenance, *, facts: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Write `run.json`, the last file of a run: how it was made, what it wrote, a digest of each file.

    `facts` are added under their own names (study, solver, warnings). Returns the content.

    Raises:
        OSError: the file cannot be written.
        InputError: a fact is not plain JSON (a number that is not finite, an object).
    """
    files = {
        path.relative_to(directory).as_posix(): file_digest(path)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
    content: dict[str, Any] = {
        "format": RUN_FORMAT,
        "format_version": RUN_FORMAT_VERSION,
        **provenance.as_dict(),
        **(facts or {}),
        "files": files,
    }
    (directory / RUN_FILE).write_text(as_json(content) + "\n", encoding="utf-8")
    return content


def as_json(content: Any) -> str:
    """The content as JSON text that any reader accepts: UTF-8, and never NaN or Infinity.

    Raises:
        InputError: the content holds a number that is not finite or something that JSON has no form for.
    """
    try:
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"This cannot be written as JSON: {error}.") from error


def write_file(path: Path, data: str | bytes) -> None:
    """Write one file so that it is whole or unchanged: beside it first, then renamed over it.

    Raises:
        InputError: the path cannot be written or the disk is full.
    """
    content = data.encode() if isinstance(data, str) else data
    target = path.absolute()
    with disk_errors(str(path)):
        if target.is_dir():
            raise InputError("This is a directory; a file name is needed.", where=str(path))
        if target.exists() and not target.is_file():
            target.write_bytes(content)  # a device or a pipe, such as /dev/stdout, is written straight
            return
        handle, name = tempfile.mkstemp(prefix=f".{target.name}-", suffix=".part", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@contextmanager
def disk_errors(where: str, *, full: str = "nothing was left behind") -> Iterator[None]:
    """Turn what the disk says into what the user can do about it; `full` says what a full disk leaves.

    Raises:
        InputError: the file system refused.
    """
    try:
        yield
    except RekindleError:
        raise
    except OSError as error:
        raise disk_error(error, where, full=full) from error


def disk_error(error: OSError, where: str | None = None, *, full: str = "nothing was left behind") -> InputError:
    """The message for an error of the file system; `where` names the path when the error itself does not."""
    place = where or (str(error.filename) if error.filename else None)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return InputError(
            f"The disk is full; {full}.",
            where=place,
            hint="Free some space, or choose a directory on another disk.",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return InputError(
            f"There is no permission to write here: {error.strerror}.",
            where=place,
            hint="Choose another directory.",
        )
    if error.errno == errno.ENOTDIR:
        return InputError("Part of this path is a file, not a directory.", where=place, hint="Choose another path.")
    if error.errno == errno.ENOENT:
        return InputError("The directory of this path does not exist.", where=place, hint="Make it first.")
    reason = (error.strerror or str(error)).splitlines()[0]
    return InputError(f"The file system refused: {reason}.", where=place)


def _check_parent(parent: Path, where: str) -> None:
    nearest = parent
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        raise InputError(
            f"{nearest} is a file, so no directory can be made in it.",
            where=where,
            hint="Choose another path.",
        )
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InputError(f"There is no permission to write in {nearest}.", where=where, hint="Choose another path.")


def _make_parents(parent: Path) -> list[Path]:
    """Make the missing directories up to `parent`; returns those made, deepest first."""
    missing: list[Path] = []
    while not parent.exists():
        missing.append(parent)
        parent = parent.parent
    made: list[Path] = []
    try:
        for directory in reversed(missing):
            directory.mkdir(exist_ok=True)
            made.insert(0, directory)
    except BaseException:
        _remove_empty(made)
        raise
    return made


def _remove_empty(directories: list[Path]) -> None:
    for directory in directories:
        try:
            directory.rmdir()
        except OSError:
            return


def _swap_in(staging: Path, target: Path) -> None:
    """Rename the finished directory into place; an earlier run steps aside first and is removed last."""
    if not target.exists():
        staging.rename(target)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", suffix=".old", dir=target.parent))
    target.rename(aside / "earlier")
    try:
        staging.rename(target)
    except BaseException:
        (aside / "earlier").rename(target)
        aside.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current

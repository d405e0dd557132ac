"""Blocks of work on several threads, or on the workers of a Dask cluster, their results in the order of the blocks.

A block is a pure function of its number, so it does not matter who works it out, or whether it is worked out twice.
Results come in order: what is summed over them has the same last bit everywhere. Only so many blocks are under way
as keep the workers busy, so memory does not grow with their number. Numbers agree to the last bit on one kind of
processor only; workers of another kind, or with other versions, are refused.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
import platform
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from rekindle.errors import InputError, RekindleError, SolverError, UnsupportedError

Work = Callable[[Any, int], Any]
"""A function that pickles by its name: (what is shared, number of the block) to the block's result."""

PATIENCE_S = 60.0
"""How long a cluster may be without a single worker before the run stops."""


class Workers(Protocol):
    """Whoever works blocks out."""

    def results(self, work: Work, shared: Any, numbers: Sequence[int]) -> Iterator[tuple[int, Any]]:
        """Each block's number and result, in the order of `numbers`."""

    def close(self) -> None:
        """Let go of what is held."""


@functools.cache
def processor_target() -> str:
    """What decides the last bit of a number here: processor, its features, and versions, as one line."""
    import llvmlite
    import llvmlite.binding as llvm
    import numba
    import numpy as np
    import scipy

    from rekindle import __version__

    features = hashlib.sha256(llvm.get_host_cpu_features().flatten().encode()).hexdigest()[:12]
    versions = {
        "rekindle": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "numba": numba.__version__,
        "llvmlite": llvmlite.__version__,
    }
    words = [platform.machine(), llvm.get_host_cpu_name(), f"features {features}"]
    return ", ".join([*words, *(f"{name} {version}" for name, version in versions.items())])


class Threads:
    """Threads of this process; a block takes one thread."""

    def __init__(self, count: int) -> None:
        self.count = count

    def results(self, work: Work, shared: Any, numbers: Sequence[int]) -> Iterator[tuple[int, Any]]:
        """Each block's number and result, in the order of `numbers`; one block more than threads is under way.

        Raises:
            RekindleError: what the work raised, the lowest block's first.
        """
        if self.count == 1:
            for number in numbers:
                yield number, work(shared, number)
            return
        pool = ThreadPoolExecutor(self.count)
        waiting: deque[tuple[int, Any]] = deque()
        left = iter(numbers)
        try:
            for number in left:
                waiting.append((number, pool.submit(work, shared, number)))
                if len(waiting) > self.count:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def close(self) -> None:
        """Nothing is held between blocks."""


class Cluster:
    """The workers of a Dask cluster that is already there."""

    def __init__(self, address: str, timeout_s: float = 20.0) -> None:
        """Reach the scheduler at `address` and look at its workers.

        Raises:
            InputError: Dask is not installed, nothing answers, or there is no worker.
            UnsupportedError: a worker has another processor or other versions than this machine.
        """
        try:
            import distributed
        except ImportError as error:
            raise InputError(
                "A cluster needs Dask, which is not installed.", hint='pip install "rekindle[cluster]"'
            ) from error
        try:
            opened: Any = distributed.Client
            self._client: Any = opened(address, timeout=timeout_s, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"No Dask scheduler answers at {address}.", where="--cluster", hint="For example tcp://10.0.0.5:8786."
            ) from error
        try:
            self._check_workers(address)
        except BaseException:
            self.close()
            raise

    def _check_workers(self, address: str) -> None:
        targets = self._client.run(processor_target, on_error="return")
        if not targets:
            raise InputError(f"The cluster at {address} has no worker.", where="--cluster", hint="Start some first.")
        for worker, target in sorted(targets.items()):
            if isinstance(target, BaseException):
                raise InputError(
                    f"The worker {worker} cannot load Rekindle: {target}.", hint="Install the same version there."
                )
            refuse_other_target(target, worker)

    def results(self, work: Work, shared: Any, numbers: Sequence[int]) -> Iterator[tuple[int, Any]]:
        """Each block's number and result, in the order of `numbers`; twice as many blocks as threads are under way.

        A block whose worker is lost is worked out again by another.

        Raises:
            SolverError: a block's workers were lost again and again, or no worker is left.
            RekindleError: what the work raised.
        """
        packed = pickle.dumps((work, shared))
        name = hashlib.sha256(packed).hexdigest()[:16]
        waiting: deque[tuple[int, Any]] = deque()
        left = deque(numbers)
        while left or waiting:
            threads = sum(self._client.nthreads().values())
            while left and len(waiting) < 2 * max(1, threads):
                number = left.popleft()
                key = f"rekindle-{name}-{number}-{time.monotonic_ns()}"
                future = self._client.submit(work_packed, packed, number, key=key, pure=False, retries=0)
                waiting.append((number, future))
            number, future = waiting.popleft()
            target, result = self._wait(future, number)
            refuse_other_target(target, f"that solved block {number}")
            yield number, result

    def _wait(self, future: Any, number: int) -> Any:
        """The result of a block, with patience for a cluster that has just lost its workers."""
        from distributed import KilledWorker

        alone_since: float | None = None
        while True:
            try:
                return future.result(timeout=5)
            except RekindleError:
                raise
            except KilledWorker as error:
                raise SolverError(
                    f"The workers that took block {number} were lost again and again.",
                    hint="Give them more memory; --resume goes on from here.",
                ) from error
            except TimeoutError:
                if self._client.nthreads():
                    alone_since = None
                    continue
                alone_since = time.monotonic() if alone_since is None else alone_since
                if time.monotonic() - alone_since > PATIENCE_S:
                    raise SolverError(
                        "The cluster has no worker left.", hint="Start some; --resume goes on from here."
                    ) from None

    def close(self) -> None:
        """Leave the cluster; blocks that are under way are dropped."""
        self._client.close()


def refuse_other_target(target: str, worker: str) -> None:
    """Nothing, when a worker's numbers are ours to the last bit.

    Raises:
        UnsupportedError: another processor or other versions.
    """
    if target != processor_target():
        raise UnsupportedError(
            f"The worker {worker} would give numbers that differ in their last bits: it has {target}; "
            f"this machine has {processor_target()}.",
            hint="Use workers of one kind with one installation, and start the run on a machine of that kind.",
        )


def work_packed(packed: bytes, number: int) -> tuple[str, Any]:
    """A block's result on a worker, with the worker's target."""
    work, shared = _unpacked(packed)
    return processor_target(), work(shared, number)


@functools.lru_cache(maxsize=2)
def _unpacked(packed: bytes) -> Any:
    return pickle.loads(packed)

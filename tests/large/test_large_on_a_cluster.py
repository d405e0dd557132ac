"""The same bits from two workers of a Dask cluster, also when one of them is killed; other processors are refused."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from small_study import BLOCK, bits, small, solved_large

from rekindle.engine import ensemble
from rekindle.errors import InputError, UnsupportedError
from rekindle.large import Streaming, simulate_large
from rekindle.report.from_trajectories.tally import tally


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A scheduler and two workers, each a process of its own that is started again when it dies."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as held:
        yield held


@pytest.fixture(scope="module")
def alone() -> dict[str, bytes]:
    """The bits of the study solved here on one thread."""
    return bits(solved_large())


def test_two_workers_give_the_bits_of_one_thread(cluster: Any, alone: dict[str, bytes]) -> None:
    assert bits(solved_large(cluster=cluster.scheduler_address)) == alone


def test_a_worker_killed_in_the_middle_changes_no_bit(cluster: Any, alone: dict[str, bytes]) -> None:
    killed: list[int] = []

    def kill(word: str, done: int, of: int) -> None:
        if word == "people" and not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    streaming = Streaming(block=BLOCK, cluster=cluster.scheduler_address)
    found = simulate_large(small(), streaming=streaming, measure=tally, progress=kill)
    assert killed
    assert bits(found) == alone


ANOTHER = "import rekindle.engine.ensemble as here; here.processor_target = lambda: 'another machine'"


def test_a_worker_of_another_kind_is_refused(cluster: Any) -> None:
    from distributed import Client

    cluster.wait_for_workers(2)
    with Client(cluster, set_as_default=False) as client:
        one = next(iter(client.scheduler_info()["workers"]))
        client.run(exec, ANOTHER, {}, workers=[one])
        with pytest.raises(UnsupportedError, match=r"last bits.*another machine"):
            ensemble.Cluster(cluster.scheduler_address)


def test_nobody_at_the_address_is_said() -> None:
    with pytest.raises(InputError, match="No Dask scheduler answers"):
        ensemble.Cluster("tcp://127.0.0.1:9", timeout_s=0.3)

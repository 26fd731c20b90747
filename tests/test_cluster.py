"""Sweeps by a Dask cluster: a real scheduler, real workers, and their sudden ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.errors import SweepError
from nodeflow.sweeps import cluster

pytestmark = pytest.mark.programs("distributed")

ROOT = Path(__file__).parents[1]
SETTINGS = {"train.rate": [0.5, 5.0], "seed": range(40)}
HOW = {"epochs": 300, "until": "accuracy >= 1"}


@pytest.fixture(scope="module")
def xor():
    return nf.load(ROOT / "graphs" / "xor.json")


@pytest.fixture(scope="module")
def expected(xor):
    return plain(nf.sweep(xor, SETTINGS, **HOW))


def plain(rows):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


class Cluster:
    """A scheduler and workers, each a process of its own."""

    def __init__(self, folder: Path, workers: int) -> None:
        file = folder / "scheduler.json"
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.scheduler = self._start("scheduler", "--port", "0", "--host", "127.0.0.1",
                                     "--no-dashboard", "--scheduler-file", str(file))  # fmt: skip
        self.file, self.workers = file, []
        for _ in range(workers):
            self.add_worker()
        deadline = time.monotonic() + 30
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        import json

        self.address = json.loads(file.read_text())["address"]

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def add_worker(self) -> None:
        self.workers.append(
            self._start("worker", "--scheduler-file", str(self.file), "--nthreads", "1",
                        "--no-nanny", "--no-dashboard", "--local-directory",
                        str(self.file.parent))
        )  # fmt: skip

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def two_workers(tmp_path):
    made = Cluster(tmp_path, 2)
    yield made
    made.close()


def test_the_rows_are_those_of_threads(xor, expected, two_workers):
    found = nf.sweep(xor, SETTINGS, cluster=two_workers.address, **HOW)
    assert plain(found) == expected


def test_workers_that_are_killed_change_nothing(xor, expected, two_workers):
    killed = []

    def progress(there, _all):
        if there > 10 and not killed:
            killed.append(two_workers.workers[0].pid)
            os.kill(killed[0], signal.SIGKILL)
            two_workers.add_worker()

    found = nf.sweep(xor, SETTINGS, cluster=two_workers.address, progress=progress, **HOW)
    assert killed
    assert plain(found) == expected


def test_a_scheduler_that_is_killed_loses_nothing_that_was_done(
    xor, expected, two_workers, tmp_path
):
    out = tmp_path / "o.csv"
    there = []

    def progress(count, _all):
        there.append(count)
        if count == 15:
            two_workers.scheduler.kill()

    with pytest.raises(SweepError, match="went away"):
        nf.sweep(xor, SETTINGS, cluster=two_workers.address, out=out, progress=progress, **HOW)
    made = []
    found = nf.sweep(xor, SETTINGS, out=out, progress=lambda n, _: made.append(n), **HOW)
    assert len(made) == 80 - there[-1]
    assert plain(found) == expected


def test_workers_of_another_version_are_refused(xor, two_workers, monkeypatch):
    monkeypatch.setattr(cluster, "engine_digest", lambda: "another")
    with pytest.raises(SweepError, match="another nodeflow"):
        nf.sweep(xor, SETTINGS, cluster=two_workers.address, **HOW)


def test_failures_are_rows_and_faults_of_values_are_sentences(xor, two_workers):
    bad = xor.set("data", source="not-there.csv")
    found = nf.sweep(bad, {"seed": [0, 1]}, epochs=1, cluster=two_workers.address)
    assert [bool(row["why"]) for row in found] == [True, True]


def test_an_address_that_does_not_answer(capsys):
    words = ["sweep", str(ROOT / "graphs" / "xor.json"), "--cluster", "tcp://127.0.0.1:9"]
    assert main([*words, "--epochs", "1"]) == 1
    assert "no scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err


def test_a_local_cluster(xor, expected):
    assert plain(nf.sweep(xor, SETTINGS, cluster="local", **HOW)) == expected

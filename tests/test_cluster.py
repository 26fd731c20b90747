"""Sweeps by a Dask cluster: a real scheduler, real workers, and their sudden ends."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.errors import SweepError
from nodeflow.sweeps import cluster, connection
from nodeflow.sweeps.engine import processors
from nodeflow.sweeps.journal import journal_of
from nodeflow.sweeps.parted import run_by

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
        deadline = time.monotonic() + 180  # of a machine with twenty other things to do
        self.address = ""
        while not self.address:
            assert time.monotonic() < deadline, "the scheduler does not come up"
            time.sleep(0.05)
            with suppress(FileNotFoundError, ValueError):  # not there yet, or not all of it
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


def test_a_scheduler_that_stands_still_is_a_sentence(xor, two_workers, monkeypatch):
    def progress(count, _all):
        if count == 15:
            two_workers.scheduler.send_signal(signal.SIGSTOP)
            monkeypatch.setattr(connection, "ANSWER_SECONDS", 1)
            monkeypatch.setattr(connection, "_SILENT_SECONDS", 1)

    with pytest.raises(SweepError, match="went away"):
        nf.sweep(xor, SETTINGS, cluster=two_workers.address, progress=progress, **HOW)


def test_a_scheduler_without_workers_is_a_sentence(xor, two_workers, monkeypatch):
    monkeypatch.setattr(connection, "_WORKER_SECONDS", 2)
    for worker in two_workers.workers:
        worker.kill()
    with pytest.raises(SweepError, match=r"had no worker for 2 s; start some by `dask worker"):
        nf.sweep(xor, SETTINGS, cluster=two_workers.address, **HOW)


def test_workers_of_another_version_are_refused(xor, two_workers, monkeypatch):
    monkeypatch.setattr(cluster, "engine_digest", lambda _: "another")
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


def test_an_address_where_something_else_answers(xor):
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.raises(SweepError, match=r"is no scheduler of Dask|no scheduler answers"):
            nf.sweep(xor, SETTINGS, cluster=f"tcp://127.0.0.1:{server.server_port}", **HOW)
    finally:
        server.shutdown()
        server.server_close()


def test_a_local_cluster(xor, expected):
    assert plain(nf.sweep(xor, SETTINGS, cluster="local", **HOW)) == expected


@pytest.mark.parametrize("said", [{}, {"OMP_NUM_THREADS": "3"}, {"OPENBLAS_NUM_THREADS": "5"}])
def test_large_products_of_a_local_cluster_have_the_threads_of_this_process(monkeypatch, said):
    from distributed import Client

    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, count in said.items():
        monkeypatch.setenv(name, count)
    before = dict(os.environ)
    with connection.local_cluster(1) as made, Client(made) as client:
        found = client.submit(os.environ.get, "OPENBLAS_NUM_THREADS").result()
    assert found == next(iter(said.values()), str(processors()))
    assert os.environ == before


@pytest.mark.parametrize("seconds", [0.0, 0.4, 0.8])
def test_an_interrupt_while_a_local_cluster_starts_is_one_sentence(tmp_path, seconds):
    process = subprocess.Popen(
        [sys.executable, "-m", "nodeflow", "sweep", str(ROOT / "graphs" / "xor.json"), "--seeds",
         "4000", "--epochs", "3000", "--cluster", "local", "-o", str(tmp_path / "o.csv")],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    psutil = pytest.importorskip("psutil")  # which Dask needs
    started, end = psutil.Process(process.pid), time.monotonic() + 60
    while len(started.children()) < 2 and time.monotonic() < end:  # the workers, as they begin
        time.sleep(0.01)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to all of its processes
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert said.count("interrupted") == 1


def test_a_script_that_is_read_by_its_own_workers_is_one_sentence(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import nodeflow as nf\n"
        f"graph = nf.load({str(ROOT / 'graphs' / 'xor.json')!r})\n"
        "nf.sweep(graph, {}, seeds=2, epochs=1, cluster='local')\n"
    )
    found = subprocess.run(
        [sys.executable, str(script)], env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
        capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert found.stderr.count("Traceback") == 1
    assert "reads script.py again" in found.stderr.splitlines()[-1]
    assert 'under `if __name__ == "__main__":`' in found.stderr.splitlines()[-1]


def test_whatever_is_killed_at_random_the_rows_are_the_same(tmp_path, expected):
    r = random.Random(int(os.environ.get("NODEFLOW_KILLS", "1")))
    out = tmp_path / "o.json"
    command = [
        sys.executable, "-m", "nodeflow", "sweep", str(ROOT / "graphs" / "xor.json"), "--set",
        "train.rate=0.5,5.0", "--seeds", "40", "--epochs", "300", "--until", "accuracy >= 1",
        "-o", str(out), "--cluster",
    ]  # fmt: skip
    for round_ in range(int(os.environ.get("NODEFLOW_KILLS", "1")) + 1):
        folder = tmp_path / f"cluster-{round_}"
        folder.mkdir()
        made = Cluster(folder, 2)
        try:
            process = subprocess.Popen(
                [*command, made.address], env=made.environment, stderr=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
            rows = r.randint(1, 60)
            while process.poll() is None and lines(out) < rows:
                time.sleep(0.01)
            victim = r.choice([*made.workers, made.scheduler, process])
            victim.kill()
            if victim in made.workers:
                made.add_worker()
            process.wait(timeout=300)
        finally:
            process.kill()
            process.wait()
            made.close()
    subprocess.run(
        [*command[:-1]], env=made.environment, check=True, stdout=subprocess.DEVNULL, timeout=120
    )
    assert plain(json.loads(out.read_text())) == expected


def lines(out):
    """Return how many runs a sweep has on disk."""
    try:
        return journal_of(out).read_bytes().count(b"\n") - 1
    except FileNotFoundError:
        return 0


# --- one training, whose batches are cut into parts ----------------------------------------------


@pytest.fixture(scope="module")
def iris():
    return nf.load(ROOT / "graphs" / "iris.json")


def trained(run):
    run.train(12)
    return run.history, {key: value.tolist() for key, value in run.weights.items()}


@pytest.mark.parametrize("parts", [1, 5])
def test_a_batch_in_parts_is_that_of_one_machine(iris, two_workers, parts):
    alone = trained(nf.Run(iris, batch=25, parts=parts))
    with run_by(two_workers.address, iris, parts=parts, batch=25) as run:
        assert trained(run) == alone


def test_a_worker_that_dies_between_updates_loses_nothing(iris, two_workers):
    alone = trained(nf.Run(iris, batch=25, parts=4))
    with run_by(two_workers.address, iris, parts=4, batch=25) as run:
        run.train(3)
        two_workers.workers[0].kill()
        run.train(4)
        two_workers.add_worker()
        run.train(1)
        two_workers.workers[1].kill()
        run.train(4)
        found = run.history, {key: value.tolist() for key, value in run.weights.items()}
    assert found == alone


def test_a_scheduler_that_dies_under_a_training_is_a_sentence(iris, two_workers):
    with run_by(two_workers.address, iris, parts=4, batch=25) as run:
        run.train(2)
        for process in (two_workers.scheduler, *two_workers.workers):
            process.kill()
        with pytest.raises(SweepError, match="went away"):
            run.train(20)


def test_the_command_trains_by_a_cluster(capsys):
    words = ["train", str(ROOT / "graphs" / "iris.json"), "--epochs", "3", "--batch", "25",
             "--parts", "3", "--json"]  # fmt: skip
    documents = []
    for how in ([], ["--cluster", "local"]):
        assert main([*words, *how]) == 0
        documents.append(json.loads(capsys.readouterr().out) | {"seconds": 0})
    assert documents[0] == documents[1]

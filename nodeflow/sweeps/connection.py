"""A connection to a Dask scheduler, on which nothing waits for one that is not there any more.

Dask waits without an end where a scheduler stands still or its machine left the network, and some
of its calls never return where it dies while they run. So each wait here has an end: it looks at
the connection now and then, and asks a scheduler that was silent for long whether it is there.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import multiprocessing.process
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nodeflow.errors import NodeflowError, SweepError
from nodeflow.sweeps.engine import processors

ANSWER_SECONDS = 10
_SILENT_SECONDS = 30
"""Seconds without an answer after which a scheduler is taken to be gone; it may be busy."""
_LOOK_SECONDS = 1.0
_WORKER_SECONDS = 120
"""Seconds for which there may be no worker."""
_CLOSE_SECONDS = 5
_ITS_OWN_WORK = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.scheduler.work-stealing": False,
}
"""What Dask does besides the runs, on the same processors: it looks what each worker is doing a
hundred times a second, by default."""
_QUIET = {
    f"distributed.nanny.pre-spawn-environ.DASK_DISTRIBUTED__LOGGING__{name}": "critical"
    for name in ("DISTRIBUTED", "ASYNCIO")
}
"""A worker that is ended in the middle of something writes a traceback of its own."""
_OF_PRODUCTS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_CANCELLED = (asyncio.CancelledError, concurrent.futures.CancelledError)


class WorkerLost(Exception):
    """Who computed this died, or could not be reached; another may do it."""


class Connection:
    """A scheduler and its workers; `kept` says what is not lost if they go away."""

    def __init__(self, client: Any, address: str, kept: str) -> None:
        self.client, self.address, self.kept = client, address, kept
        self._ready: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._heard = time.monotonic()
        self._alone: float | None = None
        """Since when there has been no worker."""

    def workers(self) -> dict[str, int]:
        """Return how many threads each worker has."""
        with self._there():
            found = self.client.sync(self.client.scheduler.ncores, callback_timeout=_SILENT_SECONDS)
        self._heard = time.monotonic()
        if found:
            self._alone = None
        elif self._alone is None:
            self._alone = self._heard
        elif self._heard - self._alone > _WORKER_SECONDS:
            raise SweepError(
                f"the scheduler at {self.address} has had no worker for {_WORKER_SECONDS} s; "
                f"start some by `dask worker {self.address}`; {self.kept}"
            )
        return dict(found)

    def some_workers(self) -> list[str]:
        """Return the addresses of the workers, when there are some."""
        while not (found := self.workers()):
            time.sleep(0.1)
        return sorted(found)

    def submit(self, function: Callable[..., Any], *arguments: Any, **how: Any) -> Any:
        """Send a call to the workers; return its future."""
        with self._there():
            return self.client.submit(function, *arguments, pure=False, **how)

    def tell(self, future: Any) -> None:
        """Let `next_ready` return a future when it is done."""
        with self._there():
            future.add_done_callback(self._ready.put)

    def next_ready(self) -> Any:
        """Return the next future that is done, of those that it was told of."""
        while True:
            with suppress(queue.Empty):
                return self._ready.get(timeout=_LOOK_SECONDS)
            self.look()

    def result(self, future: Any) -> Any:
        """Return what a call gave; raises `WorkerLost`, and `SweepError` for what it raised."""
        from distributed import KilledWorker

        try:
            return self.awaited(future)
        except (OSError, KilledWorker, *_CANCELLED) as error:
            raise self._lost(error) from None
        except (NodeflowError, WorkerLost):
            raise
        except ModuleNotFoundError as error:
            raise self._not_installed(error) from None
        except Exception as error:
            raise SweepError(
                f"a worker of {self.address} failed ({type(error).__name__}: {error}); the same "
                f"versions of nodeflow, Dask and Python belong there; {self.kept}"
            ) from error

    @contextmanager
    def of_actors(self) -> Iterator[None]:
        """Say of actors that their workers are lost: one whose worker died says so in many ways."""
        try:
            yield
        except (NodeflowError, WorkerLost):
            raise
        except ModuleNotFoundError as error:
            raise self._not_installed(error) from None
        except (Exception, *_CANCELLED) as error:  # noqa: BLE001
            raise self._lost(error) from None

    def awaited(self, of: Any, worker: str = "") -> Any:
        """Return what something gives, for as long as its worker and the scheduler are there."""
        while True:
            try:
                found = of.result(timeout=_SILENT_SECONDS)
            except TimeoutError:
                if worker not in {"", *self.workers()}:
                    raise WorkerLost("TimeoutError") from None
            else:
                self._heard = time.monotonic()
                return found

    def _lost(self, error: BaseException) -> Exception:
        if self.client.status != "running":
            return self._gone()
        return WorkerLost(type(error).__name__)

    def _not_installed(self, error: ModuleNotFoundError) -> SweepError:
        return SweepError(
            f"a worker of {self.address} has no {error.name}; install this nodeflow there"
        )

    def look(self) -> None:
        """Raise `SweepError` where the scheduler is not there, or has had no worker for long."""
        if self.client.status != "running":
            raise self._gone()
        if time.monotonic() - self._heard > ANSWER_SECONDS:
            self.workers()

    def forget(self, futures: list[Any]) -> None:
        """Let the workers stop what was asked of them."""
        with suppress(Exception, *_CANCELLED):
            self.client.cancel(futures, force=True)

    @contextmanager
    def _there(self) -> Iterator[None]:
        """Say in a sentence that the scheduler is not there any more."""
        try:
            yield
        except NodeflowError:
            raise
        except (OSError, TimeoutError, *_CANCELLED):  # Dask's errors of connections are these
            raise self._gone() from None
        except Exception:
            # What it has taken apart answers in many ways.
            if self.client.status != "running":
                raise self._gone() from None
            raise

    def _gone(self) -> SweepError:
        return SweepError(f"the cluster at {self.address} went away; {self.kept}")


@contextmanager
def connected(address: str, kept: str) -> Iterator[Connection]:
    """Give a connection to a scheduler, or to a cluster of this machine for as long as it lasts.

    Raises `SweepError` where Dask is not installed, or where nothing answers within ten seconds.
    """
    try:
        from distributed import Client
    except ImportError:
        raise SweepError("--cluster needs Dask; pip install 'nodeflow[cluster]'") from None
    # What it would say is said in a sentence instead of a traceback of its own.
    for name in ("distributed", "distributed.client", "tornado", "tornado.application", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    if address != "local":
        with _closed(_answering(Client, address)) as client:
            yield Connection(client, address, kept)
        return
    with local_cluster(processors()) as cluster, _closed(Client(cluster)) as client:
        yield Connection(client, address, kept)


@contextmanager
def local_cluster(workers: int) -> Iterator[Any]:
    """Give a cluster of this machine, a process a worker, reachable from this machine only."""
    import dask
    from distributed import LocalCluster

    if getattr(multiprocessing.process.current_process(), "_inheriting", False):
        raise SystemExit(1)  # a worker that reads the caller's script: the caller says so
    told = {**_ITS_OWN_WORK, **_QUIET, **_threads_of_products()}
    with dask.config.set(told), _environment_as_it_was():
        try:
            made = _beyond_interrupts(lambda: LocalCluster(
                n_workers=workers, threads_per_worker=1, host="127.0.0.1",
                # Without one it takes the usual port, which another cluster may have.
                dashboard_address="127.0.0.1:0",
            ))  # fmt: skip
        except (OSError, RuntimeError, TimeoutError) as error:
            raise SweepError(
                f"Dask's cluster of this machine does not start ({error}); {_of_a_script()}threads "
                "need none: leave --cluster out"
            ) from None
        with made:
            yield made


@contextmanager
def _environment_as_it_was() -> Iterator[None]:
    """Take back at the end what Dask sets for the processes that it starts: it sets it here."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


def _threads_of_products() -> dict[str, str]:
    """Return what has large products computed in a worker's process as they are in this one.

    The last bits of such a product follow from how many threads it is parted among, and Dask
    leaves one to a process.
    """
    here = os.environ.get("OMP_NUM_THREADS") or str(processors())
    spawned = "distributed.nanny.pre-spawn-environ"
    return {f"{spawned}.{name}": os.environ.get(name) or here for name in _OF_PRODUCTS}


def _of_a_script() -> str:
    """Return what is to be said where a script of the user's runs, which every worker reads."""
    main = sys.modules["__main__"]
    if getattr(main, "__spec__", None) is not None or not hasattr(main, "__file__"):
        return ""
    return (
        f"each of its processes reads {Path(main.__file__ or '').name} again, so what is called "
        'there belongs under `if __name__ == "__main__":`; '
    )


def _beyond_interrupts(start: Callable[[], Any]) -> Any:
    """Return a cluster whose processes do not get a Ctrl-C that is meant for this one.

    A terminal sends it to all of them, and one that is just being started writes a traceback. A
    process is born with the signals blocked that its thread had blocked.
    """
    answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        if hasattr(signal, "pthread_sigmask"):  # Windows has none
            from multiprocessing import resource_tracker

            resource_tracker.ensure_running()  # whoever starts it has nothing blocked afterwards
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            answers.put((start(), None))
        except BaseException as error:  # noqa: BLE001 (raised again in the caller's thread)
            answers.put((None, error))

    threading.Thread(target=work, name="nodeflow-cluster", daemon=True).start()
    try:
        made, error = answers.get()
    except KeyboardInterrupt:
        made, error = answers.get()  # what has begun to start cannot be closed before it stands
        if made is not None:
            made.close()
        raise
    if error is not None:
        raise error
    return made


@contextmanager
def _closed(client: Any) -> Iterator[Any]:
    try:
        yield client
    finally:
        # A scheduler that is not there cannot say goodbye.
        with suppress(Exception, *_CANCELLED):
            client.close(timeout=_CLOSE_SECONDS)


def _answering(client: Any, address: str) -> Any:
    check = (
        "check the address, such as tcp://host:8786, that `dask scheduler` runs there, and that "
        "its port is open"
    )
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def connect() -> None:
        try:
            answers.put(client(address, timeout=ANSWER_SECONDS))
        except Exception as error:  # noqa: BLE001 (told apart below)
            answers.put(error)

    # Dask waits without an end for somebody who takes a message and says nothing.
    threading.Thread(target=connect, name="nodeflow-connect", daemon=True).start()
    try:
        found = answers.get(timeout=ANSWER_SECONDS + 1)
    except queue.Empty:
        found = TimeoutError()
    if not isinstance(found, Exception):
        return found
    if isinstance(found, OSError | ValueError | TypeError | TimeoutError):
        why = f"no scheduler answers at {address} within {ANSWER_SECONDS} s"
    else:
        # Dask takes what a web server answers for the length of a message.
        why = f"what answers at {address} is no scheduler of Dask (its dashboard has another port)"
    raise SweepError(f"{why}; {check}") from None

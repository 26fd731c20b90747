"""One training by the workers of a Dask cluster: each computes the gradients of some parts.

Before each update the parameters go out, a message a worker, and the sums of its parts come back,
added up as far as they are neighbours. What a worker computes is a function of parameters, update
and parts alone: one that dies loses nothing, and which of them computes what changes no bit.
"""

from __future__ import annotations

import json
import uuid
from asyncio import CancelledError
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.engine.kernel.notices import say_in_sentences
from nodeflow.engine.machine import Floats
from nodeflow.engine.parts import PartedMachine, Place, Sums
from nodeflow.engine.run import Run
from nodeflow.errors import NodeflowError, SweepError
from nodeflow.files import whole
from nodeflow.graph import Graph
from nodeflow.sweeps.cluster import client_of, fault_of, gone, not_installed, sent
from nodeflow.sweeps.engine import engine_digest

_ANSWER_SECONDS = 10
_TRIES = 3


@contextmanager
def run_by(address: str, graph: Graph, *, parts: int, **how: Any) -> Iterator[Run]:
    """Give a run whose parts are computed by a cluster: a scheduler's address, or "local".

    `how` is as `Run` takes it. Raises `SweepError` where no scheduler answers, where a worker has
    another nodeflow, or where the cluster goes away.
    """
    with client_of(address) as client:
        yield Run(graph, parts=parts, pool=_Workers(client, address, graph, parts, how), **how)


class Parts:
    """What a worker holds for as long as the training lasts: the network, and its rows.

    It lives at the worker as what Dask calls an actor: asked directly, past the scheduler, since an
    update waits for each answer.
    """

    def __init__(self, text: bytes, folder: str, engine: str) -> None:
        say_in_sentences()
        self.fault = ""
        self._machine: PartedMachine | None = None
        try:
            said = json.loads(text)
            graph = sent(said["graph"], folder)
            self.fault = fault_of(graph, engine)
            if not self.fault:
                machine = Run(graph, parts=said["parts"], **said["how"]).machine
                self._machine = machine if isinstance(machine, PartedMachine) else None
        except NodeflowError as error:
            self.fault = " ".join(str(error).split())

    def sums(
        self, state: bytes, update: int, begin: int, end: int
    ) -> tuple[str, dict[Place, Sums]]:
        """Return what refuses it, and the sums of some parts, added up where they can be."""
        machine = self._machine
        if self.fault or machine is None:
            return self.fault, {}
        try:
            found = machine.sums_of(np.frombuffer(state, machine.dtype), update, range(begin, end))
        except NodeflowError as error:
            return " ".join(str(error).split()), {}
        return "", found


class _Workers:
    """Asks the workers for the sums of all parts of an update."""

    def __init__(
        self, client: Any, address: str, graph: Graph, parts: int, how: Mapping[str, Any]
    ) -> None:
        self.client, self.address, self.parts = client, address, parts
        about = {"graph": whole(graph), "how": dict(how), "parts": parts}
        self._about = (
            json.dumps(about, default=str).encode(),
            str((graph.folder or Path()).resolve()),
            engine_digest(graph),
        )
        self._asked: list[Any] = []

    def __call__(self, state: Floats, update: int) -> dict[Place, Sums]:
        """Return the sums of all parts for these parameters."""
        for _ in range(_TRIES):
            try:
                return self._sums(state.tobytes(), update)
            except SweepError:
                raise
            except ModuleNotFoundError as missing:
                raise not_installed(self.address, missing) from None
            # A worker that died says so in many ways; what it was asked is asked of the others.
            except Exception as died:  # noqa: BLE001
                error = type(died).__name__
            self._asked = []
            if not self._are_there():
                raise gone(self.address, "nothing was saved")
        raise SweepError(
            f"workers died {_TRIES} times while they computed the same update ({error}); more "
            "parts need less memory each"
        )

    def _are_there(self) -> bool:
        """Return whether there is a scheduler with workers, which may be on their way."""
        try:
            self.client.wait_for_workers(1, timeout=_ANSWER_SECONDS)
        except (OSError, TimeoutError, CancelledError):
            return False
        return bool(self.client.status == "running")

    def _sums(self, state: bytes, update: int) -> dict[Place, Sums]:
        if not self._asked:
            workers = sorted(self.client.nthreads())
            made = [
                self.client.submit(
                    Parts, *self._about, actor=True, workers=worker, pure=False,
                    key=f"nodeflow-parts-{uuid.uuid4().hex[:12]}",
                )
                for worker in workers[: self.parts]
            ]  # fmt: skip
            self._asked = [future.result() for future in made]
        count = len(self._asked)
        if not count:
            raise OSError("no workers")
        ends = [number * self.parts // count for number in range(count + 1)]
        answers = [
            worker.sums(state, update, begin, end)
            for worker, begin, end in zip(self._asked, ends, ends[1:], strict=False)
        ]
        found: dict[Place, Sums] = {}
        for answer in answers:
            fault, sums = answer.result()
            if fault:
                raise SweepError(fault)
            found |= sums
        return found

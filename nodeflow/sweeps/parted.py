"""One training by the workers of a Dask cluster: each computes the gradients of some parts.

Before each update the parameters go out, one message per worker, and the sums of its parts come
back, added up as far as they are neighbours. What a worker computes is a function of parameters,
update and parts alone: one that dies loses nothing, and which of them computes what changes no
bit.
"""

from __future__ import annotations

import json
import uuid
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
from nodeflow.sweeps.cluster import fault_of, sent
from nodeflow.sweeps.connection import Connection, WorkerLost, connected
from nodeflow.sweeps.engine import engine_digest

_TRIES = 3


@contextmanager
def run_by(address: str, graph: Graph, *, parts: int, **how: Any) -> Iterator[Run]:
    """Give a run whose parts are computed by a cluster: a scheduler's address, or "local".

    `how` is as `Run` takes it. Raises `SweepError` where no scheduler answers, where a worker has
    another nodeflow, or where the cluster goes away.
    """
    with connected(address, "nothing was saved") as there:
        yield Run(graph, parts=parts, pool=_Workers(there, graph, parts, how), **how)


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

    def __init__(self, there: Connection, graph: Graph, parts: int, how: Mapping[str, Any]) -> None:
        self.there, self.parts = there, parts
        about = {"graph": whole(graph), "how": dict(how), "parts": parts}
        self._about = (
            json.dumps(about, default=str).encode(),
            str((graph.folder or Path()).resolve()),
            engine_digest(graph),
        )
        self._asked: dict[str, Any] = {}
        """The actor at each worker."""

    def __call__(self, state: Floats, update: int) -> dict[Place, Sums]:
        """Return the sums of all parts for these parameters."""
        for _ in range(_TRIES):
            try:
                with self.there.of_actors():
                    return self._sums(state.tobytes(), update)
            except WorkerLost as lost:
                # What one was asked that died is asked of the others.
                self._asked, error = {}, str(lost)
        raise SweepError(
            f"workers died {_TRIES} times while they computed the same update ({error}); more "
            "parts need less memory each"
        )

    def _sums(self, state: bytes, update: int) -> dict[Place, Sums]:
        if not self._asked:
            made = {
                worker: self.there.submit(
                    Parts, *self._about, actor=True, workers=worker,
                    key=f"nodeflow-parts-{uuid.uuid4().hex[:12]}",
                )
                for worker in self.there.some_workers()[: self.parts]
            }  # fmt: skip
            self._asked = {
                worker: self.there.awaited(future, worker) for worker, future in made.items()
            }
        count = len(self._asked)
        ends = [number * self.parts // count for number in range(count + 1)]
        answers = {
            worker: actor.sums(state, update, begin, end)
            for (worker, actor), begin, end in zip(
                self._asked.items(), ends, ends[1:], strict=False
            )
        }
        found: dict[Place, Sums] = {}
        for worker, answer in answers.items():
            fault, sums = self.there.awaited(answer, worker)
            if fault:
                raise SweepError(fault)
            found |= sums
        return found

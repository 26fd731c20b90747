"""SciPy's minimisers as a trainer: one update is one iteration of the search."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Semaphore, Thread

import numpy as np

from nodeflow.engine.machine import Floats, Machine

_MOST = 1_000_000
"""Iterations and evaluations that a search may take: as good as any number."""


@dataclass(eq=False)
class _Search:
    """One search of a minimiser: where it begins, and the weights after each iteration so far."""

    begin: int
    start: Floats
    """The state at its begin."""
    iterates: list[Floats] = field(default_factory=list)
    done: float = 0
    """How many iterations are known; infinity once the search has ended by itself."""
    steps: Iterator[Floats] | None = None
    """What it goes on with."""


class Minimizer:
    """SciPy's minimisers over the unrolled parameters: one update is one iteration.

    A search stands still between two iterations, in a thread of its own and on a machine of its
    own, so that it can be stopped anywhere and go on later.
    """

    def __init__(self, machine: Machine, method: str) -> None:
        self.machine = machine
        self.method = {"cg": "CG", "l-bfgs": "L-BFGS-B"}[method]
        self.searches = [_Search(0, machine.start.copy())]
        graph = machine.plan.graph
        self.addresses = [
            address
            for address in sorted(machine.plan.unfolding.gradients)
            if graph.nodes[address.rpartition(".")[0]].is_parameter
            and graph.nodes[address.rpartition(".")[0]].mode != "freeze"
        ]

    def restart(self, update: int) -> None:
        """Search anew from the present weights; `update` updates lie behind."""
        self.searches = [search for search in self.searches if search.begin < update]
        state = self.machine.cells[: self.machine.tape.state].copy()
        self.searches.append(_Search(update, state))

    def take_over(self, other: Minimizer) -> None:
        """Go on with the searches of another one, for the same parameters."""
        self.searches = other.searches

    def commit(self, update: int) -> None:
        """Put the weights of the iteration after `update` in place."""
        if not self.addresses:
            return
        search = [search for search in self.searches if search.begin <= update][-1]
        iteration = update + 1 - search.begin
        while iteration > search.done:
            self._go_on(search)
        _put(
            self.machine, self.addresses, search.iterates[min(iteration, len(search.iterates) - 1)]
        )

    def _go_on(self, search: _Search) -> None:
        """Make one more iteration of a search."""
        if search.steps is None:
            beside = _beside(self.machine, search.start)
            begin = _unrolled(beside, self.addresses)
            search.iterates = [begin.copy()]
            search.steps = _iterations(beside, self.addresses, begin, self.method)
        try:
            search.iterates.append(next(search.steps))
            search.done = len(search.iterates) - 1
        except StopIteration:
            search.done = math.inf


def _beside(machine: Machine, state: Floats) -> Machine:
    """Return a machine for the same graph and rows, with cells of its own."""
    found = Machine(
        machine.graph,
        seed=machine.seed,
        batch="all",
        dtype=machine.dtype,
        strict=machine.strict,
        share_with=machine,
        fold=machine.fold,
    )
    found.cells[: found.tape.state] = state
    return found


def _unrolled(
    machine: Machine, addresses: list[str], where: Mapping[str, str] | None = None
) -> Floats:
    """Return parameters, or what stands `where` for each of them, as one vector."""
    names = addresses if where is None else [where[address] for address in addresses]
    return np.concatenate([machine.read(name, 1).ravel() for name in names]).astype(float)


def _put(machine: Machine, addresses: list[str], theta: Floats) -> None:
    at = 0
    for address in addresses:
        size = machine.tape.slots[address].size
        machine.write(address, theta[at : at + size])
        at += size


def _iterations(
    machine: Machine, addresses: list[str], begin: Floats, method: str
) -> Iterator[Floats]:
    """Yield the weights after each iteration of a search, until it ends by itself."""

    def objective(theta: Floats) -> tuple[float, Floats]:
        _put(machine, addresses, theta)
        machine.update(0)
        cost = machine.stats[0] / machine.stats[2]
        return float(cost), _unrolled(machine, addresses, machine.plan.unfolding.gradients)

    def search(told: Callable[[Floats], None]) -> None:
        from scipy.optimize import minimize

        more = {"maxfun": _MOST} if method == "L-BFGS-B" else {}
        with np.errstate(all="ignore"):
            minimize(
                objective,
                begin,
                jac=True,
                method=method,
                callback=told,
                options={"maxiter": _MOST, "gtol": 1e-10, **more},
            )

    return _told(search)


class _Unwanted(Exception):
    """Nobody wants what a search finds any more."""


def _told(work: Callable[[Callable[[Floats], None]], None]) -> Iterator[Floats]:
    """Yield what `work` tells a callback: its thread stands still until the next is wanted."""
    wanted, found = Semaphore(0), SimpleQueue[Floats | Exception | None]()
    gone: list[bool] = []

    def wait() -> None:
        wanted.acquire()
        if gone:
            raise _Unwanted

    def tell(theta: Floats) -> None:
        found.put(np.array(theta))
        wait()

    def run() -> None:
        try:
            wait()
            work(tell)
        except _Unwanted:
            return
        except Exception as error:  # noqa: BLE001  it is raised where the next one is asked for
            found.put(error)
        else:
            found.put(None)

    Thread(target=run, name="nodeflow-search", daemon=True).start()
    try:
        while True:
            wanted.release()
            next_ = found.get()
            if next_ is None:
                return
            if isinstance(next_, Exception):
                raise next_
            yield next_
    finally:
        gone.append(True)
        wanted.release()

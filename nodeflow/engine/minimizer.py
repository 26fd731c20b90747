"""SciPy's minimisers as a trainer: one update is one iteration of the search."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from nodeflow.engine.machine import Floats, Machine


@dataclass
class _Search:
    """One search of a minimiser: where it begins, and the weights after each iteration."""

    begin: int
    start: Floats
    iterates: list[Floats] = field(default_factory=list)
    done: float = 0
    """How many iterations are known; all of them once the search has ended by itself."""


_FIRST = 8
"""How far to search where nobody told; the next search goes twice as far as the last."""
_FARTHEST = 255
"""How much farther than wanted now: Ctrl-C waits for the search."""


class Minimizer:
    """SciPy's minimisers over the unrolled parameters: one update is one iteration.

    A search cannot be halted and resumed, only repeated from its start. So it goes to the update
    that is aimed at, if that is known. Where it ends changes none of the iterations before.
    """

    def __init__(self, machine: Machine, method: str) -> None:
        self.machine = machine
        self.method = {"cg": "CG", "l-bfgs": "L-BFGS-B"}[method]
        self.searches = [_Search(0, machine.start.copy())]
        self.target = 0
        graph = machine.plan.graph
        self.addresses = [
            address
            for address in sorted(machine.plan.unfolding.gradients)
            if graph.nodes[address.rpartition(".")[0]].type == "parameter"
            and graph.nodes[address.rpartition(".")[0]].mode != "freeze"
        ]

    def _unrolled(self, addresses: Mapping[str, str] | None = None) -> Floats:
        machine = self.machine
        names = self.addresses if addresses is None else [addresses[a] for a in self.addresses]
        return np.concatenate([machine.read(name, 1).ravel() for name in names]).astype(float)

    def _put(self, theta: Floats) -> None:
        at = 0
        for address in self.addresses:
            size = self.machine.tape.slots[address].size
            self.machine.write(address, theta[at : at + size])
            at += size

    def _objective(self, theta: Floats) -> tuple[float, Floats]:
        machine = self.machine
        self._put(theta)
        machine.update(0)
        cost = machine.stats[0] / machine.stats[2]
        return float(cost), self._unrolled(machine.plan.unfolding.gradients)

    def aim(self, update: int) -> None:
        """Note down up to which update a run will go."""
        self.target = update

    def restart(self, update: int) -> None:
        """Search anew from the present weights; `update` updates lie behind."""
        self.searches = [search for search in self.searches if search.begin < update]
        state = self.machine.cells[: self.machine.tape.state].copy()
        self.searches.append(_Search(update, state))

    def commit(self, update: int) -> None:
        """Put the weights of the iteration after `update` in place."""
        if not self.addresses:
            return
        search = [search for search in self.searches if search.begin <= update][-1]
        iteration = update + 1 - search.begin
        if iteration > search.done:
            aim = min(self.target - search.begin, iteration + _FARTHEST)
            ahead = aim if aim >= iteration else _FIRST
            self._search(search, max(iteration, int(2 * search.done), ahead))
        self._put(search.iterates[min(iteration, len(search.iterates) - 1)])

    def _search(self, search: _Search, iterations: int) -> None:
        """Run a search again from its start, further than before; it is deterministic."""
        from scipy.optimize import minimize

        machine = self.machine
        cells, stats = machine.cells.copy(), machine.stats.copy()
        machine.cells[: machine.tape.state] = search.start
        begin = self._unrolled()
        found = [begin.copy()]
        try:
            with np.errstate(all="ignore"):
                minimize(
                    self._objective,
                    begin,
                    jac=True,
                    method=self.method,
                    callback=lambda theta: found.append(np.array(theta)),
                    options={"maxiter": iterations, "gtol": 1e-10},
                )
        finally:
            machine.cells[:] = cells
            machine.stats[:] = stats
        ended = len(found) <= iterations
        search.iterates, search.done = found, math.inf if ended else iterations

"""A run in a thread of its own: it is told what to do, and shows how it stands.

The editor never waits for it: commands go into a queue, and the newest snapshot lies in a slot.
The run itself is touched by its thread alone.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from dataclasses import replace

from nodeflow.editor.background import Cancelled, Progress, Service
from nodeflow.editor.run.runs import sentence
from nodeflow.editor.run.worker import Worker
from nodeflow.editor.state.live import Live
from nodeflow.editor.state.runcommands import Go, Open, Pause, RunCommand, Start, in_words
from nodeflow.graph import Graph
from nodeflow.workings.shown import deviation, duration, precise


class Session:
    """A graph that is evaluated, trained and stepped in a thread of its own.

    Numbers are those of `nodeflow.Run`. Every method returns at once; what came of it is in the
    `Live` that `poll` gives.
    """

    def __init__(self) -> None:
        self._commands: deque[RunCommand] = deque()
        self._graph: Graph | None = None
        self._last = Live()
        self._slot: Live | None = None
        self._pausing = False
        self._loop = Service("run", self._work)
        self._changed = self._loop.changed
        self._loop.start()

    # -- told by the editor

    def open(self, graph: Graph) -> None:
        """Show the graph of another document, from the start: of the one before nothing is told."""
        with self._changed:
            self._graph, self._slot = graph, None
        self.do(Open(graph))

    def start(self, graph: Graph, what: str = "") -> None:
        """Show this graph: evaluated once, or going on where only numbers of it changed.

        While the rate, a weight or another setting is changed, training goes on with the new
        one; a change in the past begins another future, called `what`. Where the structure, the
        data, seed or batch differs, the run starts again.
        """
        with self._changed:
            if graph is self._graph:
                return
            self._graph = graph
        self.do(Start(graph, what))

    def do(self, command: RunCommand) -> None:
        """Have something done; returns at once."""
        with self._changed:
            before = self._commands[-1] if self._commands else None
            match command, before:
                case (Go(), Go()) | (Start(), Start()):
                    # A scrub bar that is dragged asks faster than it gets: nobody saw that one.
                    self._commands.pop()
                case Pause(), _ if self._last.state in ("training", "playing"):
                    self._pausing = True
                    self._slot = self._last = replace(self._last, state="paused")
            self._commands.append(command)
            self._changed.notify_all()

    def close(self) -> None:
        """End the thread."""
        self._loop.close()

    # -- asked by the editor

    def poll(self) -> Live | None:
        """Return how the run stands if it told something new, else None."""
        with self._changed:
            live, self._slot = self._slot, None
            return live

    def fault(self) -> str:
        """Return what has ended the thread that should not have, once; else ""."""
        return self._loop.fault()

    # -- between the threads

    def _next(self, wait: float | None) -> RunCommand | None:
        """Return the next command, waiting for one so many seconds (None: as long as it takes)."""
        with self._changed:
            self._loop.wait(lambda: self._commands, wait)
            return self._commands.popleft() if self._commands and not self._loop.closed else None

    def _publish(self, live: Live) -> None:
        with self._changed:
            if live.state in ("training", "playing") and self._pausing:
                return  # the editor was told already that it stops
            if any(isinstance(command, Open) for command in self._commands):
                return  # it is of the document before
            self._slot = self._last = live

    def _work(self) -> None:
        """Do what the thread is there for, until the session is closed."""
        self._publish(Live(state="preparing"))
        worker = Worker()
        try:
            _warm_up()
        except Exception as error:  # noqa: BLE001  the thread must not end in silence
            worker.problem = sentence(error)
        self._show(worker)
        while not self._loop.closed:
            try:
                command = self._next(worker.wait if worker.running else None)
                if command is not None:
                    self._obey(worker, command)
                elif worker.running and worker.passed():
                    self._show(worker)
            except Exception as error:  # noqa: BLE001  the thread must not end in silence
                worker.problem, worker.state = sentence(error), "paused"
                self._show(worker)

    def _show(self, worker: Worker) -> None:
        """Tell how the run stands; what cannot be shown is no reason to show nothing any more."""
        try:
            live = worker.live()
        except Exception as error:  # noqa: BLE001  the thread must not end in silence
            worker.show_less()
            try:
                live = replace(worker.live(), problem=sentence(error))
            except Exception:  # noqa: BLE001  what is wrong was said
                live = Live(state=worker.state, problem=sentence(error))
        self._publish(live)

    def _obey(self, worker: Worker, command: RunCommand) -> None:
        try:
            if not worker.do(command):
                return  # nothing that matters
        except Exception as error:  # noqa: BLE001  the commands after it are still to be done
            worker.problem = f"{in_words(command)} failed: {sentence(error)}"
        if isinstance(command, Pause):
            with self._changed:
                self._pausing = any(isinstance(other, Pause) for other in self._commands)
        self._show(worker)


_warm = threading.Event()


def _warm_up() -> None:
    """Load the compiled engine; the very first time it is compiled, which takes seconds."""
    from nodeflow.engine.run import Run
    from nodeflow.nodes.cost import squared_error
    from nodeflow.nodes.source import constant, parameter
    from nodeflow.nodes.trainer import gradient_descent

    if not _warm.is_set():
        cost = squared_error(parameter(value=(1.0,)), constant(value=(1.0,)))
        Run(Graph.of(gradient_descent(cost))).train(updates=4)
        _warm.set()


# --- gradient check -----------------------------------------------------------------------------


def checked(graph: Graph, progress: Progress | None = None) -> tuple[dict[str, str], str, str]:
    """Return what the gradient check found by node ("ok", or a text), its price, or why it failed.

    Texts begin with "kink", "small" or "fault". The price says to how many digits differences
    agree with the backward pass, and how long both took. Raises `Cancelled` where `progress` does.
    """
    from nodeflow.engine.check import check
    from nodeflow.engine.comparison import seconds_of_a_pass

    try:
        began = time.perf_counter()
        found = check(graph, progress=progress)
        spent = time.perf_counter() - began
        backward = seconds_of_a_pass(graph)
    except Cancelled:
        raise
    except Exception as error:  # noqa: BLE001  whatever it is, the editor lives on
        return {}, "", sentence(error)
    errors = [node.relative_error for node in found.nodes.values() if node.status == "ok"]
    worst = max((error for error in errors if error > 0), default=1e-16)
    digits = max(math.floor(-math.log10(worst)), 0)
    price = (
        f"differences agree to {digits} digits and took {duration(spent)}, the backward pass "
        f"{duration(backward)}: {spent / max(backward, 1e-9):,.0f} times as long"
    )
    return (
        {
            key: node.status
            if node.status == "ok"
            else f"{node.status}: gradient {precise(node.gradient)}, "
            f"difference {precise(node.difference)}, "
            f"relative error {deviation(node.relative_error)}"
            + (f"; {node.reason}" if node.reason else "")
            for key, node in found.nodes.items()
        },
        price,
        "",
    )


__all__ = ["Session", "checked"]

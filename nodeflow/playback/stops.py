"""Where playing stops: at nodes, at wires, and when a condition becomes true."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from numpy.typing import NDArray

from nodeflow.engine.forking import Renaming
from nodeflow.engine.run import Run
from nodeflow.engine.schedule import Position
from nodeflow.errors import ConditionError, RunError
from nodeflow.playback.conditions import Condition, parse

ASKED = "what comes out?"
"""Why it stops before a node whose value a person can predict."""
_MOMENTS = ("epoch", "update", "sample", "cost")
_OF_EPOCH = {"train_cost": "cost"} | {
    name: name for name in ("train_accuracy", "test_cost", "test_accuracy")
}
"""The words of a condition for the numbers of an epoch's line."""


class Seen:
    """The values of a run's present pass, as a condition asks for them."""

    def __init__(self, run: Run, position: Position | None = None) -> None:
        self._run = run
        self._update, self._row, _ = run.position if position is None else position

    def value(self, address: str) -> NDArray[Any]:
        """Return the value of a port; of a parameter, the one that its update has made."""
        return self._run[newest(self._run, address)]

    def number(self, name: str) -> float | None:
        """Return epoch, update, sample, cost, or a number of the last finished epoch."""
        run = self._run
        match name:
            case "epoch":
                return run.schedule.epoch(self._update)
            case "update":
                return self._update
            case "sample":
                return self._row
            case "cost":
                try:
                    return run.cost
                except RunError:  # it has no value yet
                    return None
        number: float | None = (run.line(run.epoch) or {}).get(_OF_EPOCH[name])
        return number


class Kept:
    """What a condition reads, as it was one pass ago."""

    def __init__(self, run: Run, condition: Condition, position: Position) -> None:
        seen = Seen(run, position)
        self._values = {}
        for address in condition.ports:
            with suppress(RunError):  # what has no value yet is not known
                self._values[address] = seen.value(address)
        self._numbers = {name: seen.number(name) for name in (*_MOMENTS, *_OF_EPOCH)}

    def value(self, address: str) -> NDArray[Any]:
        """Return the value of a port as it was; KeyError if there was none."""
        return self._values[address]

    def number(self, name: str) -> float | None:
        """Return a number as it was."""
        return self._numbers[name]


def newest(run: Run, address: str) -> str:
    """Return where the newest value of an address stands within an update."""
    graph = run.plan.graph
    key = address.rpartition(".")[0]
    if graph.nodes[key].is_parameter:
        for wire in graph.into(key):
            if wire.start in run.machine.tape.slots:
                return str(wire.start)
    return address


class Stops:
    """The breakpoints and conditions of a player."""

    def __init__(self) -> None:
        self.breakpoints: frozenset[str] = frozenset()
        """Nodes, by id, and wires, as "from.port -> to.port"."""
        self.conditions: dict[str, Condition] = {}
        self.asking = False
        """Whether to stop before every node whose value a person can predict."""
        self._worth: tuple[Run, dict[int, str]] | None = None

    def toggle(self, run: Run, what: str) -> None:
        """Set a breakpoint at a node or a wire, or take it away; raises `RunError`."""
        if what in self.breakpoints:
            self.breakpoints -= {what}
            return
        self._place(run, what)
        self.breakpoints |= {what}

    def add(self, run: Run, text: str) -> Condition:
        """Stop when a condition becomes true; raises `ConditionError`."""
        found = parse(text, run.plan.graph)
        found.holds(Seen(run))  # shapes that do not fit are refused now
        self.conditions[found.text] = found
        return found

    def forget(self, text: str) -> None:
        """Take a condition away."""
        self.conditions.pop(text, None)

    def rename(self, rename: Renaming) -> None:
        """Keep the breakpoints at a node, and at its wires, when it gets another id."""

        def now(what: str) -> str:
            ends = (end.rpartition(".") for end in what.split(" -> "))
            if " -> " not in what:
                return rename.now(what)
            return " -> ".join(f"{rename.now(key)}.{port}" for key, _, port in ends)

        self.breakpoints = frozenset(map(now, self.breakpoints))

    def keep_known(self, run: Run) -> None:
        """Forget the stops that another graph does not have."""
        self.breakpoints = frozenset(what for what in self.breakpoints if _is_known(run, what))
        texts, self.conditions = tuple(self.conditions), {}
        for text in texts:
            with suppress(ConditionError):  # a name in it, or a shape, is not there any more
                self.add(run, text)

    def places(self, run: Run) -> dict[int, str]:
        """Return the places in the order at which to stop, each with the reason.

        At a node it stops before the node is evaluated, at a wire when its value has come.
        """
        found = {self._place(run, what): f"breakpoint: {what}" for what in sorted(self.breakpoints)}
        return {**self._questions(run), **found} if self.asking else found

    def _questions(self, run: Run) -> dict[int, str]:
        from nodeflow.playback.predicting import worth_asking

        if self._worth is None or self._worth[0] is not run:
            places = enumerate(run.order)
            found = {place: ASKED for place, key in places if worth_asking(run, key)}
            self._worth = run, found
        return self._worth[1]

    @staticmethod
    def _place(run: Run, what: str) -> int:
        source, arrow, _ = what.partition(" -> ")
        key = source.rpartition(".")[0] if arrow else what
        return run.schedule.place(key) + bool(arrow)

    def next_breakpoint(self, run: Run, number: int, end: int) -> int | None:
        """Return the first moment after `number`, and not after `end`, at a breakpoint."""
        places = self.places(run)
        if not places:
            return None
        schedule = run.schedule
        last = min(end, schedule.after("update", schedule.after("update", number)))
        for moment in range(number + 1, last + 1):
            place = schedule.position(moment).place
            if place in places or (place == 0 and len(run.order) in places):
                return moment
        return None


def judged_after(run: Run, condition: Condition) -> int:
    """Return the place in the order after which a pass has all that a condition reads."""
    keys = {newest(run, address).rpartition(".")[0] for address in condition.ports}
    words = {part.value for part in condition.root.walk() if part.head == "word"}
    if "cost" in words and run.plan.unfolding.cost:
        keys.add(run.plan.unfolding.cost.rpartition(".")[0])
    return max((run.schedule.place(key) for key in keys if key in run.order), default=0)


def _is_known(run: Run, what: str) -> bool:
    source, arrow, _ = what.partition(" -> ")
    if not arrow:
        return what in run.order
    return any(str(wire) == what for wire in run.plan.graph.wires) and (
        source.rpartition(".")[0] in run.order
    )

"""Whether a task is done: its wires, its moment, and the answer to its question."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.run import Run
from nodeflow.engine.schedule import Moment
from nodeflow.errors import ConditionError, RunError
from nodeflow.graph import Graph, Wire
from nodeflow.lessons.lesson import Task
from nodeflow.playback.answers import HITS, no_number, read_number, read_word
from nodeflow.playback.conditions import Expression, parse_expression
from nodeflow.playback.player import Player
from nodeflow.playback.stops import Seen

Value = float | bool
"""An answer: a number, or yes or no."""


def wires_for(task: Task, original: Graph, graph: Graph) -> tuple[Wire, ...]:
    """Return the wires in `graph` that a task asks for."""
    if "->" in task.goal:
        wanted = Wire.parse(task.goal)
        same = (wanted.source, wanted.output, wanted.target, wanted.input)
        return tuple(
            w
            for w in graph.wires
            if (w.source, w.output, w.target, w.input) == same and wanted.index in (None, w.index)
        )
    before = {(w.start, w.end) for w in original.wires}
    return tuple(
        w for w in graph.wires if task.goal in (w.start, w.end) and (w.start, w.end) not in before
    )


class _Standing:
    """The values at a moment as they stand: of a parameter the one that the pass works with.

    Within a pass, what is not evaluated yet is not known: not the value of the pass before.
    """

    def __init__(self, run: Run) -> None:
        self._run, self._seen = run, Seen(run)

    def value(self, address: str) -> NDArray[Any]:
        """Return the value of a port; `RunError` if this pass has not come to it."""
        self._require_evaluated(address)
        return self._run[address]

    def number(self, name: str) -> float | None:
        if name == "cost" and (cost := self._run.plan.unfolding.cost):
            self._require_evaluated(cost)
        return self._seen.number(name)

    def _require_evaluated(self, address: str) -> None:
        run, key = self._run, address.rpartition(".")[0]
        here = run.position.place
        if here and key in run.order and run.schedule.place(key) >= here:
            raise RunError(f"'{address}' has no value yet in this pass", node=key)


def expected(task: Task, player: Player, moment: int | None = None) -> Value:
    """Return the answer to a question at a moment, or as soon after as it is known.

    Without one it is asked where the player stands. It stands there again afterwards. Raises
    `ConditionError` where the answer is not one number.
    """
    expression = parse_expression(task.goal, player.run.plan.graph)
    here = player.number
    try:
        if moment is not None:
            stand(player, max(moment, player.first))
        found = expression.value(_Standing(player.run))
        if found is None:
            player.advance(_known_from(player, expression))
            found = expression.value(_Standing(player.run))
    finally:
        stand(player, here)
    if found is None:
        raise ConditionError("it has no value in this run", text=task.goal, position=0)
    if isinstance(found, bool):
        return found
    numbers = np.ravel(found)
    if numbers.size != 1:
        raise ConditionError(
            f"it is {numbers.size} numbers where an answer is one: pick one, as in x[0, 0]",
            text=task.goal,
            position=0,
        )
    return float(numbers[0])


def _known_from(player: Player, expression: Expression) -> int:
    """Return the moment from which on all is known that an expression reads."""
    run, schedule = player.run, player.schedule
    if expression.words - {"epoch", "update", "sample", "cost"}:
        return schedule.after("epoch", player.number)
    keys = {address.rpartition(".")[0] for address in expression.ports}
    if "cost" in expression.words and run.plan.unfolding.cost:
        keys.add(run.plan.unfolding.cost.rpartition(".")[0])
    place = max((schedule.place(key) for key in keys if key in run.order), default=0)
    begin = player.number - run.position.place
    return begin + place + 1


def is_right(task: Task, typed: str, value: Value) -> bool:
    """Return whether what was typed is the value: yes or no, or a number near enough."""
    if isinstance(value, bool):
        return read_word(typed, HITS) == int(value)
    found = read_number(typed)
    if found is None:
        return False
    if task.tolerance is not None:
        return abs(found.value - value) <= task.tolerance * (1 + 1e-9) + 1e-15
    return found.meets(value)


def why_refused(typed: str, value: Value) -> str:
    """Say of an answer that is not right what would mend it; "" if it can be read and is wrong."""
    if isinstance(value, bool):
        return "" if read_word(typed, HITS) is not None else "type yes or no"
    if read_number(typed) is not None:
        return ""
    return no_number(typed)


def reached(task: Task, player: Player) -> bool:
    """Return whether a player stands at a task's moment, which a changed graph may not have."""
    try:
        position = player.schedule.find(Moment.read(task.goal))
    except RunError:
        return False
    return player.number == player.schedule.number(position)


def stand(player: Player, number: int) -> None:
    """Have a player stand at a moment, beyond the end of its training too."""
    if player.number != number:
        if number > player.end:
            player.advance(number)
        else:
            player.go(number)

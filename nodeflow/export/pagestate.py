"""What a moment of a page follows from, as plain data: Python and page make the same run of it.

Seed, batch, what was changed at which update, and how many steps lie behind. Whoever has it replays
it, to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.engine.run import Run
from nodeflow.engine.schedule import Moment
from nodeflow.errors import RunError
from nodeflow.export import computing
from nodeflow.files.lessonform import LESSON
from nodeflow.graph import Graph

State = dict[str, Any]
"""`seed`, `batch`, `base` (addresses and values changed before the start), `events` (update,
address, value) and `number`, the steps that lie behind. Of a lesson also `form`, the graph with
the wires that were drawn, and `lesson`: `done`, `skipped`, `unlocked`, …"""


def replayed(graph: Graph, state: Mapping[str, Any], dtype: Any = np.float64) -> Run:
    """Return a run that stands where a state says: what was changed is changed again on the way."""
    for address, value in state["base"]:
        graph = changed(graph, address, value)
    strict = LESSON not in graph.extra  # what a lesson asks for may be missing yet
    run = Run(graph, seed=state["seed"], batch=state["batch"], dtype=dtype, strict=strict)
    target = run.schedule.position(state["number"])
    for update, address, value in state["events"]:
        if update > target.update:
            break
        run.seek(run.schedule.start(update))
        if address in run.weights:
            run.set_weights({address: _numbers(value)})
        else:
            run = run.fork(changed(run.graph, address, value))
    run.seek(target)
    return run


def state_of(run: Run) -> tuple[Graph, State]:
    """Return the graph that a run began with, and the state in which it is.

    Where the way to it cannot be told in changes of numbers (a fork to another activation), it is
    the run's own graph, with its weights set at the start of its update.
    """
    state: State = {
        "seed": run.machine.seed, "batch": run.batch, "base": [], "events": [],
        "number": run.schedule.number(run.position) if run.order else 0,
    }  # fmt: skip
    first, state["events"] = _events(run)
    if not state["events"]:
        return first.graph, state
    if all(address in _changeable(first) for _, address, _ in state["events"]):
        again = replayed(first.graph, state, run.machine.dtype)
        if _bits(again.weights) == _bits(run.weights):
            return first.graph, state
    state["events"] = setting_all(run.update, run.weights)
    return run.graph, state


def _events(run: Run) -> tuple[Run, list[list[Any]]]:
    """Return the run that a run was forked from at last, and what was changed since."""
    events: list[list[Any]] = []
    before = run.update + 1
    while True:
        found = []
        for update, weights in run.weights_set.items():
            if update < before:
                found += setting_all(update, weights)
        if run.parent is None:
            return run, found + events
        events = _settings_apart(run) + found + events
        before, run = run.born + 1, run.parent


def _settings_apart(run: Run) -> list[list[Any]]:
    """Return the settings in which a forked run's graph differs from the one before it."""
    assert run.parent is not None  # noqa: S101
    found = []
    for key, node in run.graph.nodes.items():
        old, new = run.parent.graph.settings(key), run.graph.settings(key)
        if not node.is_parameter:
            found += [
                [run.born, f"{key}.{name}", _plain(value)]
                for name, value in new.items()
                if old.get(name) != value
            ]
    return found


def setting_all(update: int, weights: Mapping[str, NDArray[Any]]) -> list[list[Any]]:
    """Return the events that put weights in place at an update."""
    return [[update, address, _plain(value)] for address, value in weights.items()]


def _changeable(run: Run) -> set[str]:
    return {*run.weights, *computing.settings(run)}


def changed(graph: Graph, address: str, value: Any) -> Graph:
    """Return a graph with other numbers at an address of a page."""
    key, _, name = address.rpartition(".")
    if key not in graph.nodes:  # a number that unfolding made a node of, such as "train.rate.value"
        key, _, name = key.rpartition(".")
    return graph.set(key, **{name: _numbers(value)})


def _numbers(value: Any) -> Any:
    """Return numbers that came from a page, which spells −0."""
    if isinstance(value, list | tuple):
        return [_numbers(part) for part in value]
    return -0.0 if value == "-0" else value


def _plain(value: Any) -> Any:
    """Return an array as lists; JSON of a browser has no −0, so it is spelled."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return "-0" if isinstance(value, float) and value == 0 and np.signbit(value) else value


def _bits(weights: Mapping[str, NDArray[Any]]) -> dict[str, bytes]:
    return {address: value.tobytes() for address, value in weights.items()}


def moment_of(run: Run) -> dict[str, Any]:
    """Return where a run stands, as a page says it."""
    schedule, place = run.schedule, run.position.place
    return {
        "epoch": run.epoch, "sample": run.sample,
        "node": run.order[place - 1] if place else None,
        "update": run.update, "phase": schedule.phases[place], "next": run.node,
        "number": schedule.number(run.position),
    }  # fmt: skip


def go(run: Run, wanted: Any) -> None:
    """Go to a moment: a mapping, what a person types, or a number of steps."""
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        if wanted < 0:
            raise RunError(f"a moment is a whole number of steps from 0, not {wanted}")
        run.seek(run.schedule.position(wanted))
        return
    if isinstance(wanted, str):
        read = Moment.read(wanted)
        wanted = {"epoch": read.epoch, "sample": read.sample, "node": read.node}
    if not isinstance(wanted, Mapping) or not wanted.keys() & {"epoch", "sample", "node"}:
        raise RunError(
            f"{wanted!r} is no moment: write {{'epoch': 3, 'sample': 2, 'node': 'hidden'}}, "
            "'3:2:hidden', or a number of steps"
        )
    run.goto(wanted.get("epoch"), wanted.get("sample"), wanted.get("node"))

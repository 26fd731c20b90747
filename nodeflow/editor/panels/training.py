"""How a graph is trained, as it is told and typed: epochs, batch, seed and the learning rate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from nodeflow.derive.rates import Rate, rates
from nodeflow.editor.state.live import Live
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.reading import read, written
from nodeflow.graph import Graph, Training
from nodeflow.workings.shown import show

_FEW_EPOCHS = 8
"""The most epochs that are numbered one by one below the curves."""
_LETTERS = 24
"""How many letters have room below a curve, with a gap after each label."""


def present(graph: Graph, name: str) -> str:
    """Return a training setting as it is typed; "" where none is set."""
    value = getattr(graph.training, name)
    return "" if value is None else written(value)


def changed(editor: Editor, name: str, value: Any) -> Editor:
    """Change batch, epochs, seed, rate or tolerance; raises `BadSetting`."""
    if isinstance(value, str):
        is_number = name in ("rate", "tolerance")
        none = is_number and not value.strip()
        value = None if none else read(value, "number" if is_number else "integer")
        value = "" if value is None and not none else value
    graph = replace(editor.graph, training=replace(editor.graph.training, **{name: value}))
    return editor.edited(graph, f"set {name}", key=("training", name))


def rate(editor: Editor) -> Rate | None:
    """Return the learning rate that is typed or dragged: a selected node's, else the first."""
    found = rates(editor.graph)
    chosen = [rate for rate in found if rate.node in editor.selection]
    return next(iter((*chosen, *found)), None)


def has_accuracy(editor: Editor) -> bool:
    """Return whether there is an accuracy to plot: counted by a node, or as training counts it."""
    if editor.graph.where(lambda type_: type_.counts_hits):
        return True
    history = editor.live.history
    return bool(history) and history[-1].get("train_accuracy") is not None


def progress(live: Live, training: Training) -> str:
    """Return in words how far a run has come; the epochs asked for may be behind it already."""
    words = {"still": "not trained yet"}.get(live.state, live.state)
    if not live.epoch:
        return words
    end = f" of {training.epochs}" if live.epoch <= training.epochs else ""
    return f"{words}, epoch {live.epoch}{end}"


def cost_now(live: Live) -> str:
    """Return the cost of the batch that is seen, and where it is from; "" where none is known."""
    return "" if live.cost is None else f"now {show(live.cost)} {live.cost_age}".rstrip()


def accuracy_of(live: Live) -> str:
    """Return whose accuracy the history has, if there are several, and when its rows are counted.

    The weights go on changing while training rows are, and so it need not be what a confusion says.
    """
    if not live.history:
        return ""
    when = "train as it learns, test after" if live.rows[1] else ""
    whose = f"of {live.counting}" if live.counting else ""
    return ": ".join(filter(None, (whose, when)))


def step_of_labels(epochs: int) -> int:
    """Return how far apart the epochs are that have a label below a curve: 1, 2, 5, 10, …, all."""
    if epochs <= _FEW_EPOCHS:
        return 1
    digits = len(str(epochs))
    most = _LETTERS // (digits + 1)
    steps: Iterator[int] = (first * 10**zeros for zeros in range(digits) for first in (1, 2, 5))
    return next(step for step in steps if epochs // step <= most)


def verdict(checks: Mapping[str, str], price: str = "") -> str:
    """Return in a sentence what a gradient check found."""
    wrong = sorted(key for key, found in checks.items() if found.startswith("fault"))
    if not wrong:
        more = f"; {price}" if price else ""
        return f"the gradients are right: {len(checks)} nodes were checked{more}"
    more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
    return f"the gradient check found a fault at {', '.join(wrong[:5])}{more}"

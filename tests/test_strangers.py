"""Node types by others that misbehave: told on their node, and everything else lives."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.declare import CATALOG, node
from nodeflow.derive.shapes import infer
from nodeflow.editor.run.session import Session
from nodeflow.editor.state.runcommands import Step
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph


class Odd:
    """An object that cannot even be looked at."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("no")


class Quit(BaseException):
    """Not an Exception."""


LATE: list[bool] = []
"""Whether what follows happens after the shapes are known."""


def exits(z: Any) -> Any:
    sys.exit(3)


def quits(z: Any) -> Any:
    raise Quit


def changes(z: Any) -> Any:
    z[...] = 7.0
    return z


RESULTS: dict[str, Callable[[Any], Any]] = {
    "exits": exits,
    "quits": quits,
    "changes": changes,
    "none": lambda z: None,
    "text": lambda z: "1.5",
    "odd": lambda z: Odd(),
    "complex": lambda z: z * 1j,
    "wider": lambda z: np.ones((len(z), 9)),
    "longer": lambda z: np.ones((len(z) + 1, z.shape[1])),
    "two": lambda z: (z, z),
    "ragged": lambda z: [[1], [1, 2]],
    "objects": lambda z: np.array([[None] * z.shape[1]] * len(z)),
    "itself": lambda z: RESULTS["itself"],
}


CONSISTENT = ("changes", "wider", "longer")
"""Where they always do so, it is what they do."""


@pytest.fixture(params=sorted(RESULTS))
def graph(request: pytest.FixtureRequest) -> Iterator[Graph]:
    """A graph in which one node misbehaves once its shapes are known; another branch is sound."""
    act = RESULTS[request.param]
    LATE.clear()

    @node("activation", formula="a = ?", no_backward="it is a test")
    def stranger(z: Any) -> Any:
        """Misbehave."""
        return act(z) if LATE else z + 0.0

    try:
        x, y = nf.dataset("xor")
        bad = nf.stranger(x, id="bad")
        good = nf.sigmoid(x, id="good")
        yield Graph.of(nf.sum(bad), nf.sum(good), nf.sum(y))
    finally:
        CATALOG.remove("stranger")


@pytest.mark.parametrize("late", [True, False])
def test_it_is_told_on_its_node(graph: Graph, late: bool, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.params["graph"]
    if not late:
        LATE.append(True)
        if name in CONSISTENT:
            pytest.skip("seen where the shapes are found, this is what the type does")
    run = nf.Run(graph, strict=False)
    LATE.append(True)
    try:
        run.evaluate()
    except NodeflowError as error:
        sentence = str(error)
    else:
        sentence = str(infer(graph).problems["bad"])
    assert "bad" in sentence
    assert "\n" not in sentence
    if name not in CONSISTENT:
        with pytest.raises(NodeflowError, match="bad"):
            nf.Run(graph).evaluate()


def test_the_editor_lives_and_so_do_the_other_nodes(graph: Graph) -> None:
    session = Session()
    try:
        LATE.append(True)
        session.open(graph)
        for _ in range(2000):
            live = session.poll()
            if live is not None and "good.a" in live.values:
                break
            time.sleep(0.01)
        assert live is not None
        # Its input is as the data has it, whatever the stranger did to what it got.
        assert {tuple(row) for row in live.values["dataset.x"]} <= {(0, 0), (0, 1), (1, 0), (1, 1)}
        assert np.allclose(live.values["good.a"], 1 / (1 + np.exp(-live.values["dataset.x"])))
        session.do(Step())
        for _ in range(2000):
            live = session.poll() or live
            if live.state == "paused":
                break
            time.sleep(0.01)
        assert live.state == "paused"
    finally:
        session.close()

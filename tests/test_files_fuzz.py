"""Spoilt graph files: whatever happens to one, a graph comes of it or a sentence."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nodeflow as nf
from nodeflow.declare import CATALOG
from nodeflow.errors import NodeflowError
from nodeflow.files import dumps, loads
from nodeflow.files.lenient import marked
from nodeflow.files.reader import Source
from nodeflow.graph import Graph, Node, Wire

T = TypeVar("T")


def examine(graph: Graph) -> None:
    """Plan, evaluate and train a graph that was read; it may fail, with a `NodeflowError`."""
    for node in graph.nodes:
        graph.settings(node)
    if sum(math.prod(graph.settings(key)["shape"] or ()) for key in graph.of_type("parameter")) > (
        1_000_000
    ):
        return  # it would work, and take its time
    run = nf.Run(graph, strict=False)
    if run.order:
        run.evaluate()
        run.train(1)
    nf.Run(graph)


def survive(data: str | bytes) -> None:
    """Read a document; anything but a graph or a `NodeflowError` fails the test."""
    graph, sentence = outcome(lambda: loads(data, file="spoilt.json"))
    assert not sentence or sentence.startswith("spoilt.json: ")
    assert "\n" not in sentence
    if graph is None:
        opened(data)
        return
    written = dumps(graph)
    assert dumps(loads(written)) == written
    _, sentence = outcome(lambda: examine(graph))
    assert "\n" not in sentence


def opened(data: str | bytes) -> None:
    """Read a document that is refused as the editor does; what is left of it is a graph."""
    try:
        plain = Source(data, "spoilt.json").plain()
    except NodeflowError:
        return
    is_graph = plain.get("format") == "nodeflow" and isinstance(plain.get("nodes", {}), dict)
    found, _ = outcome(lambda: marked(Source(data, "spoilt.json")))
    assert (found is not None) == is_graph
    if found is not None:
        graph, faults = found
        assert faults
        assert not any("\n" in fault.sentence for fault in faults)
        assert dumps(loads(dumps(graph))) == dumps(graph)


def outcome(act: Callable[[], T]) -> tuple[T | None, str]:
    """Return what `act` returns, or the sentence of its `NodeflowError`."""
    try:
        return act(), ""
    except NodeflowError as error:
        return None, str(error)


# --- documents --------------------------------------------------------------------------------


def _graph(nodes: dict[str, Node], wires: str, **others: Any) -> dict[str, Any]:
    lines = [line.strip() for line in wires.strip().splitlines()]
    graph = Graph(nodes=nodes, wires=tuple(Wire.parse(line) for line in lines), **others)
    found: dict[str, Any] = json.loads(dumps(graph))
    return found


NEURON = _graph(
    {
        "x": Node("constant", {"value": (1.5,)}),
        "w": Node("parameter", {"value": ((0.8,),)}),
        "sum": Node("weighted_sum"),
        "y": Node("constant", {"value": (0.5,)}),
        "cost": Node("squared_error"),
        "train": Node("gradient_descent", {"rate": 0.1}),
    },
    """
    x.value -> sum.a
    w.value -> sum.weights
    sum.z -> cost.a
    y.value -> cost.y
    cost.cost -> train.cost
    """,
    layout={"sum": (240, 80)},
)
NETWORK = _graph(
    {
        "data": Node("dataset", {"source": "xor", "target": ("a", 1), "test": 0.25}),
        "w1": Node("parameter", {"shape": (2, 2), "init": "normal"}, "freeze"),
        "b1": Node("parameter", {"value": (0.0, 0.1)}),
        "h": Node("weighted_sum"),
        "a": Node("sigmoid", {}, "bypass"),
        "both": Node("concatenate"),
        "f": Node("expression", {"formula": "a * exp(b) - 1"}),
        "pick": Node("pick", {"index": (0, 1)}),
        "far": Node("warp", {"speed": (1, "NaN"), "more": {"deep": ({},)}}, extra={"note": 1}),
        "show": Node("panel"),
    },
    """
    data.x -> h.a
    w1.value -> h.weights
    b1.value -> h.bias
    h.z -> a.z
    a.a -> both.a[0]
    h.z -> both.a[1]
    far.out -> both.a[2]
    both.value -> pick.a
    pick.value -> f.a
    h.z -> f.b
    f.value -> show.value
    """,
    groups={"net": {"nodes": ["h", "a"], "colour": "#aabbcc"}},
    extra={"author": "Zoë", "training": {"schedule": [1, 2]}},
)
LOOPED = _graph(
    {
        "w": Node("parameter", {"value": ((0.8,),)}),
        "grad": Node("constant", {"value": ((0.5,),)}),
        "total": Node("accumulate"),
        "rate": Node("slider", {"value": 0.3}),
        "step": Node("weight_update"),
    },
    """
    grad.value -> total.gradient
    total.total -> total.previous
    total.total -> step.gradient
    w.value -> step.parameter
    rate.value -> step.rate
    step.value -> w.next
    """,
)
ALL = _graph({f"n.{name}": Node(name) for name in CATALOG}, "n.sigmoid.a -> n.tanh.z")
DRAFT = {
    "format": "nodeflow",
    "version": 0,
    "nodes": {
        "sum": {"type": "weighted_sum"},
        "w": {"type": "parameter", "params": {"value": [[0.8]]}},
    },
    "wires": [{"from": "w.value", "to": "sum.weights"}],
}
DOCUMENTS = (NEURON, NETWORK, LOOPED, ALL, DRAFT)

WORDS = [
    *("format", "version", "nodes", "wires", "training", "batch", "settings", "type", "mode"),
    *("value", "shape", "init", "formula", "index", "target", "source", "file", "array", "sha256"),
    *("x", "w", "sum", "cost", "h.z -> a.z", "x.value -> sum.a[1]", "a.a -> a.z", "a.b", "->"),
    *("x.value -> sum.a[999999999999999999999]", "sum.a[٣]", "parameter", "expression", "warp"),
    *("NaN", "-Infinity", "all", "freeze", "bypass", "a +", "(" * 90, "a" * 300, "x ** 9 ** 9"),
    *("../../x.csv", "/x.csv", "C:x", "\0", "\u2028", "é", "😀", "", " ", "__class__", "1e999"),
]
LEAVES = (
    st.sampled_from(WORDS)
    | st.none()
    | st.booleans()
    | st.integers(-3, 5)
    | st.sampled_from([2**31, 2**63, 2**64 - 1, 2**64, -(2**63), 10**30, 10**400])
    | st.floats()
    | st.text(max_size=6)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)
WAYS = ("replace", "replace", "delete", "repeat", "move", "rename", "nest")


def places(root: Any) -> list[tuple[Any, Any]]:
    """Return every value's container and key, outermost first."""
    found: list[tuple[Any, Any]] = []
    queue = [root]
    for part in queue:
        keys = list(part) if isinstance(part, dict) else range(len(part))
        for key in keys:
            found.append((part, key))
            if isinstance(part[key], dict | list):
                queue.append(part[key])
    return found


def spoil(draw: st.DrawFn, root: Any) -> None:
    """Change one random value, key or entry of a document in place."""
    there = places(root)
    if not there:
        return
    part, key = draw(st.sampled_from(there))
    way = draw(st.sampled_from(WAYS))
    if way == "replace":
        part[key] = draw(VALUES)
    elif way == "delete":
        del part[key]
    elif way == "repeat":
        if isinstance(part, list):
            part.insert(draw(st.integers(0, len(part))), copy.deepcopy(part[key]))
        else:
            part[draw(st.sampled_from(WORDS))] = copy.deepcopy(part[key])
    elif way == "move":
        other, at = draw(st.sampled_from(there))
        other[at] = copy.deepcopy(part[key])
    elif way == "rename" and isinstance(part, dict):
        part[draw(st.sampled_from(WORDS) | st.text(max_size=5))] = part.pop(key)
    elif way == "nest":
        for _ in range(draw(st.sampled_from([1, 2, 62, 200]))):
            part[key] = [part[key]]


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """Return the text of a document with some of its values changed."""
    root = copy.deepcopy(draw(st.sampled_from(DOCUMENTS)))
    for _ in range(draw(st.integers(1, 3))):
        try:
            spoil(draw, root)
        except (KeyError, IndexError):
            continue  # the place went away with an earlier change
    return json.dumps(root, ensure_ascii=draw(st.booleans()))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return the bytes of a document, some of them flipped, cut, repeated or put in."""
    root = draw(st.sampled_from(DOCUMENTS))
    data = bytearray(json.dumps(root, ensure_ascii=False).encode())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        way = draw(st.sampled_from(("flip", "cut", "remove", "insert", "repeat")))
        if way == "flip" and data:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif way == "cut":
            del data[at:]
        elif way == "remove":
            del data[at : at + draw(st.integers(1, 20))]
        elif way == "insert":
            known = st.sampled_from([b'"', b"{", b"]", b",", b"\\ud800", b"NaN", b"9" * 5000])
            data[at:at] = draw(known | st.binary(min_size=1, max_size=5))
        elif way == "repeat":
            data[at:at] = data[at : at + draw(st.integers(1, 60))]
    return bytes(data)


FUZZ = settings(
    max_examples=1200, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=["neuron", "network", "looped", "all", "draft"])
def test_the_documents_are_sound(document: dict[str, Any]) -> None:
    survive(json.dumps(document))
    loads(json.dumps(document))


@FUZZ
@given(spoilt())
def test_spoilt_values(text: str) -> None:
    survive(text)


@FUZZ
@given(damaged())
def test_damaged_bytes(data: bytes) -> None:
    survive(data)

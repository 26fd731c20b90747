"""A graph cannot be changed in place, however one tries, and says how an edit is made."""

from __future__ import annotations

import copy
import json
import pickle
import time

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.derive.shapes import infer
from nodeflow.errors import NodeflowError, ReadOnly
from nodeflow.files import dumps, loads
from nodeflow.graph import Node, ranks

MATRIX = np.arange(2400.0).reshape(2, 1200)


def whole() -> nf.Graph:
    """A graph with everything in it that a file can hold."""
    x = nf.constant(value=[[1.0, 2.0], [3.0, 4.0]], id="x")
    w = nf.parameter(value=[[0.5, -1.0]], id="w")

    z = nf.weighted_sum(x, w, id="sum")
    cost = nf.squared_error(z, nf.constant(value=[[0.0], [1.0]], id="y"), id="cost")
    text = dumps(nf.Graph.of(nf.gradient_descent(cost, rate=0.1, id="t"), nf.panel(z, id="p")))
    raw = json.loads(text)
    raw["nodes"]["x"]["note"] = {"by": ["me", {"when": [1, 2]}]}
    raw["nodes"]["odd"] = {"type": "of a plugin", "settings": {"deep": {"list": [1, [2]]}}}
    raw["groups"] = {"g": {"nodes": ["x", "w"], "title": "two"}}
    raw["layout"] = {"x": [0, 40], "w": [0, 120]}
    raw["lesson"] = {"tasks": [{"text": "look", "at": "0"}]}

    return loads(json.dumps(raw)).add("big", "parameter", value=MATRIX)


def assign(graph: nf.Graph) -> None:
    graph.name = "x"


ATTEMPTS = {
    "nodes": (lambda g: g.nodes.__setitem__("x", Node("sigmoid")), "graph.add("),
    "delete a node": (lambda g: g.nodes.__delitem__("x"), "graph.add("),
    "pop a node": (lambda g: g.nodes.pop("x"), "graph.add("),
    "update nodes": (lambda g: g.nodes.update(x=Node("sigmoid")), "graph.add("),
    "clear nodes": (lambda g: g.nodes.clear(), "graph.add("),
    "or": (lambda g: g.nodes.__ior__({"x": Node("sigmoid")}), "graph.add("),
    "settings": (lambda g: g.settings("t").__setitem__("rate", 99), "graph.set("),
    "default settings": (lambda g: g.settings("cost").__setitem__("half", True), "graph.set("),
    "settings of a node": (lambda g: g.nodes["t"].settings.__setitem__("rate", 5), "graph.set("),
    "setdefault": (lambda g: g.nodes["t"].settings.setdefault("momentum", 5), "graph.set("),
    "settings of a plugin": (
        lambda g: g.nodes["odd"].settings["deep"].__setitem__("list", 5),
        "graph.set(",
    ),
    "defaults of a type": (lambda g: g.type_of("t").defaults.clear(), "graph.set("),
    "an array": (lambda g: setattr(g.settings("big")["value"], "values", None), "graph.set("),
    "inputs": (lambda g: g.inputs("sum").__setitem__("a", ()), "graph"),
    "groups": (lambda g: g.groups.__setitem__("h", {}), "dataclasses.replace("),
    "a group": (lambda g: g.groups["g"].__setitem__("title", ""), "dataclasses.replace("),
    "in a group": (lambda g: g.groups["g"]["nodes"].append("sum"), "dataclasses.replace("),
    "sort a group": (lambda g: g.groups["g"]["nodes"].sort(), "dataclasses.replace("),
    "extra": (lambda g: g.extra["lesson"]["tasks"].clear(), "dataclasses.replace("),
    "in extra": (lambda g: g.extra["lesson"]["tasks"][0].pop("text"), "dataclasses.replace("),
    "extra of a node": (lambda g: g.nodes["x"].extra["note"]["by"][1].clear(), "graph"),
    "layout": (lambda g: g.layout.__setitem__("x", (1, 1)), "graph.move("),
    "training": (lambda g: setattr(g.training, "batch", 5), "dataclasses.replace("),
    "a field": (assign, "dataclasses.replace("),
    "delete a field": (lambda g: delattr(g, "nodes"), "dataclasses.replace("),
    "a field of a node": (lambda g: setattr(g.nodes["x"], "mode", "freeze"), "graph.with_mode("),
    "a field of a wire": (lambda g: setattr(g.wires[0], "source", "x"), "graph.connect("),
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_nothing_can_be_changed_in_place(name):
    graph, before = whole(), whole()
    graph.validate()
    nf.Run(graph, strict=False)  # whatever is cached is there
    attempt, how = ATTEMPTS[name]
    with pytest.raises(ReadOnly) as caught:
        attempt(graph)
    assert isinstance(caught.value, NodeflowError)
    assert isinstance(caught.value, TypeError)
    assert "cannot be changed in place, since a graph is an inert value: " in str(caught.value)
    assert how in str(caught.value)
    assert "return" in str(caught.value)
    assert graph == before
    assert dumps(graph.remove("big")) == dumps(before.remove("big"))


@pytest.mark.parametrize(
    "attempt",
    [
        lambda g: g.settings("big")["value"].values.__setitem__((0, 0), 7.0),
        lambda g: g.settings("big")["value"].values.setflags(write=True),
        lambda g: g.settings("x")["value"][0].__setitem__(0, 7.0),
        lambda g: g.ranks.__setitem__("x", 7),
        lambda g: g.types.__setitem__("x", None),
        lambda g: g.wires.__setitem__(0, g.wires[1]),
    ],
)
def test_arrays_tuples_and_what_is_worked_out_refuse_as_python_does(attempt):
    graph = whole()
    with pytest.raises((ValueError, TypeError, AttributeError)):
        attempt(graph)
    assert graph == whole()


def test_what_a_graph_is_made_from_may_be_changed_afterwards():
    """It is no longer the graph's own."""
    settings, group = {"value": [1.0, [2.0][0]]}, {"g": {"nodes": ["x"]}}
    nodes, wires = {"x": Node("constant", settings)}, []
    at, array = {"x": [1, 2]}, np.ones(2000)
    graph = nf.Graph(nodes=nodes, wires=wires, groups=group, layout=at, extra={"a": group})
    graph = graph.add("big", "constant", value=array)
    before = pickle.loads(pickle.dumps(graph))
    settings["value"].append(3.0)
    settings["other"] = 1
    group["g"]["nodes"].append("y")
    nodes["y"] = Node("sigmoid")
    wires.append(None)
    at["x"][0] = 9
    array[:] = 0
    assert graph == before
    assert graph.layout["x"] == (1, 2)
    assert graph.settings("big")["value"].values.all()


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))]
)
def test_copies_and_pickles_are_equal_and_as_inert(copied):
    graph = whole()
    graph.validate()
    nf.Run(graph, strict=False)
    other = copied(graph)
    assert other == graph
    assert hash(other) == hash(graph)
    assert other.settings("t") == graph.settings("t")
    assert json.dumps(other.groups) == json.dumps(graph.groups)
    for attempt, _ in ATTEMPTS.values():
        with pytest.raises(ReadOnly):
            attempt(other)
    with pytest.raises(ValueError, match="WRITEABLE"):
        other.settings("big")["value"].values.setflags(write=True)
    run, again = nf.Run(graph, strict=False), nf.Run(other, strict=False)
    assert run.train(2) == again.train(2)


def test_what_is_inert_equals_the_plain_thing():
    graph = whole()
    assert graph.groups == {"g": {"nodes": ["x", "w"], "title": "two"}}
    assert graph.layout == {"x": (0, 40), "w": (0, 120)}
    assert graph.nodes["t"].settings == {"rate": 0.1, "momentum": 0.0}
    assert {**graph.settings("t"), "rate": 1} == {"rate": 1, "momentum": 0.0}
    assert graph.groups["g"]["nodes"] + ["t"] == ["x", "w", "t"]
    assert isinstance(graph.nodes, dict)


def test_an_edit_copies_no_node():
    """Ten thousand nodes: all but the edited one are the same objects, and it takes no time."""
    nodes = {f"n{i}": Node("parameter", {"value": [[0.5] * 20]}) for i in range(10_000)}
    graph = nf.Graph(nodes=nodes, layout=dict.fromkeys(nodes, (0, 0)))
    edited = graph.set("n7", value=1.0).with_mode("n8", "freeze").move(n9=(1, 1))
    assert sum(edited.nodes[key] is not graph.nodes[key] for key in nodes) == 2
    assert graph.with_mode("n8", "freeze").layout is graph.layout
    started = time.process_time()
    for value in range(100):
        graph = graph.set("n7", value=float(value))
    assert (time.process_time() - started) / 100 < 0.01


# --- order ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_ranks_are_those_of_networkx(seed):
    nx = pytest.importorskip("networkx")
    random = np.random.default_rng(seed)
    names = [f"n{i}" for i in random.permutation(60)]
    arrows = [
        (names[a], names[b])
        for a, b in np.sort(random.integers(0, 60, size=(150, 2)), axis=1)
        if a != b
    ]
    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from(arrows)
    onward = {}
    for source, target in arrows:
        onward.setdefault(source, []).append(target)
    truth = [
        (key, rank) for rank, layer in enumerate(nx.topological_generations(graph)) for key in layer
    ]
    assert list(ranks(names, onward).items()) == truth


def test_what_lies_on_a_loop_has_no_rank():
    onward = {"a": ["b"], "b": ["c"], "c": ["b", "d"]}
    assert ranks("abcd", onward) == {"a": 0}


def test_the_order_is_that_of_networkx_and_loops_are_named():
    nx = pytest.importorskip("networkx")
    graph = nf.unfold(whole().remove("odd"))
    nodes, wires = dict(sorted(graph.nodes.items())), tuple(sorted(graph.wires))
    truth = nx.topological_sort(nf.Graph(nodes=nodes, wires=wires).digraph())
    assert graph.order == tuple(truth)
    looped = nf.Graph(
        nodes={"a": Node("sigmoid"), "b": Node("tanh")},
        wires=(nf.Wire("a", "a", "b", "z"), nf.Wire("b", "a", "a", "z")),
    )
    with pytest.raises(nf.NodeflowError, match="these wires close a loop: a → b → a"):
        infer(looped)


def test_downstream_is_the_other_way_of_upstream():
    graph = nf.unfold(whole().remove("odd"))
    for key in graph.nodes:
        assert {other for other in graph.nodes if key in graph.upstream([other])} == (
            graph.downstream([key])
        )

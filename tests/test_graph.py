"""The graph as a value: edits, addresses, errors, modes; and random graphs end to end."""

from __future__ import annotations

import copy
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import EDITS, edited, networks

import nodeflow as nf
from nodeflow.difference import difference
from nodeflow.errors import (
    BadSetting,
    GraphError,
    Loop,
    NodeflowError,
    PortTaken,
    UnknownNode,
    UnknownPort,
    UnknownSetting,
    UnknownType,
)
from nodeflow.graph import Graph, Node, Training, Wire, check_id, in_order


def chain() -> Graph:
    """Return x -> sum -> a -> panel, with weights, and two wires into `add`."""
    graph = Graph().add("x", "constant", value=[1.0, 2.0]).add("w", "parameter", shape=[3, 2])
    for key, type_ in (("sum", "weighted_sum"), ("a", "relu"), ("both", "add"), ("p", "panel")):
        graph = graph.add(key, type_)
    for start, end in (
        ("x.value", "sum.a"), ("w.value", "sum.weights"), ("sum.z", "a.z"), ("a.a", "both.a"),
        ("sum.z", "both.a"), ("both.value", "p.value"),
    ):  # fmt: skip
        graph = graph.connect(start, end)
    return graph.move(x=(10, 20), a=(30, 40))


def shown(graph: Graph) -> list[str]:
    return sorted(map(str, graph.wires))


# --- edits are pure -----------------------------------------------------------------------------

PURE = [
    lambda g: g.add("new", "tanh"),
    lambda g: g.remove("a"),
    lambda g: g.rename("sum", "hidden"),
    lambda g: g.set("w", shape=[4, 2]),
    lambda g: g.with_mode("a", "bypass"),
    lambda g: g.move(sum=(1, 2)),
    lambda g: g.connect("x.value", "both.a"),
    lambda g: g.disconnect("sum.z", "both.a[1]"),
]


@pytest.mark.parametrize("edit", PURE)
def test_an_edit_returns_a_new_graph_and_leaves_the_old_one(edit) -> None:
    graph, before = chain(), copy.deepcopy(chain())
    after = edit(graph)
    assert graph == before
    assert after != graph
    after.validate()
    assert graph.digraph().nodes == before.digraph().nodes


def test_removing_takes_the_wires_along_and_closes_the_numbers() -> None:
    graph = chain().connect("x.value", "both.a").remove("a")
    assert "a" not in graph.nodes
    assert "a" not in graph.layout
    assert shown(graph) == [
        "both.value -> p.value",
        "sum.z -> both.a[0]",
        "w.value -> sum.weights",
        "x.value -> both.a[1]",
        "x.value -> sum.a",
    ]
    assert "x.value -> both.a" in shown(graph.remove("sum"))


def test_renaming_keeps_wires_layout_and_order() -> None:
    graph = chain().rename("a", "layer.1")
    assert "a.a -> both.a[0]" not in shown(graph)
    assert "layer.1.a -> both.a[0]" in shown(graph)
    assert graph.layout == {"x": (10, 20), "layer.1": (30, 40)}
    assert graph.rename("layer.1", "a") == chain()


def test_renaming_keeps_groups() -> None:
    groups = {"g": {"title": "two", "nodes": ["x", "a"]}, "h": {"nodes": ["sum"]}, "i": {}}
    before = replace(chain(), groups=groups)
    after = before.rename("a", "layer.1")
    assert after.groups == {**groups, "g": {"title": "two", "nodes": ["x", "layer.1"]}}
    said = [change.sentence for change in difference(before, after)]
    assert said == ["node 'a' is called 'layer.1' now"]


def test_wires_have_an_order_whatever_enters_a_port() -> None:
    texts = ["b.z -> s.a", "a.z -> s.a[1]", "a.z -> s.a", "a.z -> s.a[0]", "a.z -> r.a[10]"]
    ordered = in_order(map(Wire.parse, texts))
    assert list(map(str, ordered)) == [
        "a.z -> r.a[10]", "a.z -> s.a", "a.z -> s.a[0]", "a.z -> s.a[1]", "b.z -> s.a",
    ]  # fmt: skip
    numbered = [Wire.parse(text) for text in texts if text != "a.z -> s.a"]
    assert in_order(numbered) == tuple(sorted(numbered))


def test_a_damaged_record_is_told_when_it_is_folded() -> None:
    unfolded = nf.unfold(nf.sample("xor"))
    records = unfolded.extra["unfolded"]
    (key,) = records
    wire = records[key]["wires"][0]
    damaged = {key: {**records[key], "wires": (wire, f"{wire}[0]")}}
    graph = replace(unfolded, extra={**unfolded.extra, "unfolded": damaged})
    with pytest.raises(PortTaken, match="there twice"):
        nf.fold(graph)


def test_settings_are_kept_inert() -> None:
    graph = Graph().add("c", "constant", value=[[1, 2], [3, 4]])
    assert graph.nodes["c"].settings["value"] == ((1, 2), (3, 4))
    assert graph.set("c", value=np.eye(2)).nodes["c"].settings["value"] == ((1.0, 0.0), (0.0, 1.0))
    assert graph.settings("c") == {"value": ((1, 2), (3, 4))}


# --- wires ------------------------------------------------------------------------------------


def test_the_wires_of_a_port_that_takes_several_are_numbered() -> None:
    graph = chain()
    assert "a.a -> both.a[0]" in shown(graph)
    assert "sum.z -> both.a[1]" in shown(graph)
    first = graph.connect("x.value", "both.a[0]")
    assert [w.start for w in first.inputs("both")["a"]] == ["x.value", "a.a", "sum.z"]
    last = graph.connect("x.value", "both.a")
    assert [w.start for w in last.inputs("both")["a"]] == ["a.a", "sum.z", "x.value"]
    beyond = graph.connect("x.value", "both.a[9]")
    assert [w.index for w in beyond.inputs("both")["a"]] == [0, 1, 2]
    twice = graph.connect("a.a", "both.a")
    assert [w.start for w in twice.inputs("both")["a"]] == ["a.a", "sum.z", "a.a"]
    one = twice.disconnect("a.a", "both.a[2]")
    assert one == graph
    assert [str(w) for w in graph.disconnect("a.a", "both.a").into("both")] == ["sum.z -> both.a"]


def test_a_wire_is_read_and_written() -> None:
    for text in ("a.z -> b.a", "layer.1.z -> out.a[3]", "δ-1.value -> n_2.weights"):
        assert str(Wire.parse(text)) == text
    wire = Wire.parse("layer.1.z->out.a[3]")
    assert (wire.source, wire.output, wire.target, wire.input, wire.index) == (
        "layer.1", "z", "out", "a", 3,
    )  # fmt: skip
    for text in ("a.z", "a -> b.a", "a.z -> b", "a.z[0] -> b.a", "-> b.a", "a.z -> b.a[x]"):
        with pytest.raises(GraphError) as caught:
            Wire.parse(text)
        assert str(caught.value) == f"{text!r} is not a wire: write 'node.output -> node.input'"


ERRORS = [
    (lambda g: g.connect("x.value", "sum.a").connect("a.a", "sum.weights"), PortTaken,
     "'sum.weights' takes one wire and has one from w.value; remove it before connecting a.a"),
    (lambda g: g.connect("a.a", "sum.a"), Loop,
     "connecting a.a to sum.a closes a loop: a → sum → a"),
    (lambda g: g.connect("both.value", "sum.a"), Loop,
     "connecting both.value to sum.a closes a loop: both → sum → both"),
    (lambda g: g.connect("both.value", "both.a"), Loop,
     "connecting both.value to both.a closes a loop: both → both"),
    (lambda g: g.connect("x.value", "a.y"), UnknownPort,
     "node 'a' (relu) has no input 'y'; it has z"),
    (lambda g: g.connect("x.out", "both.a"), UnknownPort,
     "node 'x' (constant) has no output 'out'; it has value"),
    (lambda g: g.connect("p.value", "both.a"), UnknownPort,
     "node 'p' (panel) has no output 'value'; it has none"),
    (lambda g: g.connect("x.value", "sum.b"), UnknownPort,
     "node 'sum' (weighted_sum) has no input 'b'; it has a…, weights, bias?"),
    (lambda g: g.connect("x.value", "w.init"), UnknownPort,
     "'w.init' is a setting of the node, not a port: a wire cannot enter it"),
    (lambda g: g.connect("x.value", "a.z[1]").remove("p"), PortTaken,
     "'a.z' takes one wire and has one from sum.z; remove it before connecting x.value"),
    (lambda g: g.connect("x.value", "sum.bias[0]"), GraphError,
     "'sum.bias' takes one wire, so it has no [0]"),
    (lambda g: g.connect("y.value", "both.a"), UnknownNode,
     "'y.value': there is no node 'y'; there is a, both, p, sum, w, x"),
    (lambda g: g.connect("x.value", "bot.a"), UnknownNode,
     "'bot.a': there is no node 'bot'; did you mean 'both'?"),
    (lambda g: g.disconnect("x.value", "both.a"), GraphError,
     "there is no wire from x.value to both.a"),
    (lambda g: g.disconnect("sum.z", "both.a[0]"), GraphError,
     "there is no wire from sum.z to both.a[0]"),
    (lambda g: g.add("x", "tanh"), GraphError, "there is a node 'x' already"),
    (lambda g: g.add("t", "tahn"), UnknownType,
     "there is no node type 'tahn'; did you mean 'tanh'?"),
    (lambda g: g.rename("a", "x"), GraphError, "there is a node 'x' already"),
    (lambda g: g.rename("sun", "s"), UnknownNode, "there is no node 'sun'; did you mean 'sum'?"),
    (lambda g: g.remove("sun"), UnknownNode, "there is no node 'sun'; did you mean 'sum'?"),
    (lambda g: g.move(sun=(0, 0)), UnknownNode, "there is no node 'sun'; did you mean 'sum'?"),
    (lambda g: g.set("w", shap=[2, 3]), UnknownSetting,
     "node 'w' (parameter) has no setting 'shap'; did you mean 'shape'?"),
    (lambda g: g.set("a", slope=1), UnknownSetting,
     "node 'a' (relu) has no setting 'slope'; it has none"),
    (lambda g: g.set("w", trainable="yes"), BadSetting,
     'w.trainable must be true or false, not "yes"'),
    (lambda g: g.with_mode("a", "bypassed"), BadSetting,
     "'a' cannot be 'bypassed'; did you mean 'bypass'?"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "kind", "sentence"), ERRORS)
def test_wrong_edits_are_refused_in_one_sentence(edit, kind, sentence) -> None:
    graph = chain()
    with pytest.raises(kind) as caught:
        edit(graph)
    assert str(caught.value) == sentence
    assert graph == chain()


def test_a_loop_names_its_nodes() -> None:
    with pytest.raises(Loop) as caught:
        chain().connect("a.a", "sum.a")
    assert caught.value.path == ("a", "sum", "a")
    assert caught.value.node == "a"


def test_feedback_wires_may_close_a_loop() -> None:
    graph = Graph().add("w", "parameter", shape=[2]).add("u", "weight_update").add("r", "slider")
    graph = graph.connect("w.value", "u.parameter").connect("w.value", "u.gradient")
    graph = graph.connect("r.value", "u.rate").connect("u.value", "w.next")
    graph.validate()
    assert graph.feeds_back(Wire.parse("u.value -> w.next"))
    assert not graph.feeds_back(Wire.parse("w.value -> u.parameter"))
    assert ("u", "w") not in graph.digraph().edges


GOOD_IDS = [
    "a",
    "sum_1",
    "layer.1",
    "δ",
    "Θ1",
    "x-y",
    "hidden.2.blame",
    "名前",
    "वज़न.१",
    "e\u0301",
    "นํ้าหนัก",
]
BAD_IDS = [
    "",
    "1a",
    "_a",
    "a.",
    ".a",
    "a b",
    "a[0]",
    "-a",
    "a/b",
    "a->b",
    "²a",
    "Ⅷ",
    "\u0301a",
    "a\u200d",
    None,
    3,
]


def test_ids_begin_with_a_letter() -> None:
    for name in GOOD_IDS:
        assert check_id(name) == name
        assert Graph().add(name, "tanh").rename(name, "other")
    for name in BAD_IDS:
        with pytest.raises(GraphError) as caught:
            check_id(name)
        assert str(caught.value) == (
            f"{name!r} cannot be a node's id: a letter first, "
            "then letters, digits, '_', '-' and '.', no dot at the end"
        )


INVALID = [
    (Graph(nodes={"a": Node("tanh", mode="off")}),
     "node 'a' cannot be 'off'; there is active, bypass, disable, freeze"),
    (Graph(nodes={"a": Node("tanh", {"x": 1})}), "node 'a' (tanh) has no setting 'x'; it has none"),
    (Graph(nodes={"a": Node("tanh"), "b": Node("tanh")},
           wires=(Wire("a", "a", "b", "z"), Wire("b", "a", "a", "z"))),
     "these wires close a loop: a → b → a"),
    (Graph(nodes={"a": Node("exp"), "b": Node("add")},
           wires=(Wire("a", "value", "b", "a", 1), Wire("a", "value", "b", "a", 2))),
     "the 2 wires into 'b.a' must be numbered [0] to [1]"),
    (Graph(nodes={"a": Node("exp"), "b": Node("add")}, wires=(Wire("a", "value", "b", "a", 1),)),
     "the wire into 'b.a' must be numbered [0], or not at all"),
    (Graph(nodes={"a": Node("exp"), "b": Node("exp")}, wires=(Wire("a", "value", "b", "a", 0),)),
     "'b.a' takes one wire, so it has no [0]"),
    (Graph(nodes={"a": Node("exp"), "b": Node("exp")},
           wires=(Wire("a", "value", "b", "a"), Wire("a", "value", "b", "a"))),
     "the wire 'a.value -> b.a' is there twice; remove one"),
    (Graph(nodes={"a": Node("exp"), "b": Node("exp"), "c": Node("exp")},
           wires=(Wire("a", "value", "b", "a"), Wire("c", "value", "b", "a"))),
     "'b.a' takes one wire and has one from a.value; remove it before connecting c.value"),
]  # fmt: skip


@pytest.mark.parametrize(("graph", "sentence"), INVALID)
def test_graphs_that_cannot_be_are_refused(graph, sentence) -> None:
    with pytest.raises(GraphError) as caught:
        graph.validate()
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"batch": 0}, 'training.batch must be a whole number from 1 or "all", not 0'),
        ({"batch": "some"}, "training.batch must be a whole number from 1 or \"all\", not 'some'"),
        ({"batch": True}, 'training.batch must be a whole number from 1 or "all", not True'),
        ({"epochs": -1}, "training.epochs must be a whole number from 0, not -1"),
        ({"seed": 1.5}, "training.seed must be a whole number from 0, not 1.5"),
    ],
)
def test_training_is_checked(fields, sentence) -> None:
    with pytest.raises(BadSetting) as caught:
        Training(**fields)
    assert str(caught.value) == sentence


@given(st.lists(EDITS, max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_sequence_of_edits_leaves_a_valid_graph(edits) -> None:
    graph = Graph()
    for key, type_ in (("n1", "constant"), ("n2", "add"), ("n3", "sigmoid"), ("n4", "expression")):
        graph = graph.add(key, type_)
    for edit in edits:
        before = copy.deepcopy(graph)
        after, sentence = graph, ""
        try:
            after = edited(graph, edit)
        except GraphError as error:
            sentence = str(error)
        assert "\n" not in sentence
        assert graph == before
        after.validate()
        graph = after
    for wire in graph.wires:
        index = "" if wire.index is None else f"[{wire.index}]"
        without = graph.disconnect(wire.start, wire.end + index)
        without.validate()
        again = without.connect(wire.start, wire.end + index)
        assert set(again.wires) == set(graph.wires)


# --- building from expressions ------------------------------------------------------------------


def test_nodes_are_named_after_their_types() -> None:
    x = nf.constant(value=1.0)
    graph = Graph.of(nf.add(nf.tanh(x), nf.tanh(x), nf.tanh(x, id="tanh_2"), id="sum"))
    assert sorted(graph.nodes) == ["constant", "sum", "tanh", "tanh_2", "tanh_3"]
    assert shown(graph)[:2] == ["constant.value -> tanh.z", "constant.value -> tanh_2.z"]
    assert {w.index for w in graph.into("sum")} == {0, 1, 2}


def test_building_twice_gives_the_same_graph() -> None:
    def build() -> Graph:
        x, y = nf.dataset(source="xor")
        a = nf.sigmoid(nf.weighted_sum(x, nf.parameter(shape=(1, 2)), nf.parameter(shape=(1,))))
        return Graph.of(nf.gradient_descent(nf.squared_error(a, y), rate=0.3), name="xor", seed=3)

    assert build() == build()
    assert build().name == "xor"
    assert build().training == Training(seed=3)
    assert build() != Graph.of(nf.constant(value=1.0))


def test_what_is_no_wire_is_refused() -> None:
    with pytest.raises(GraphError, match=r"^a graph is made of wires and nodes, not of 3$"):
        Graph.of(3)
    with pytest.raises(GraphError, match=r"^two nodes are called 'x'$"):
        Graph.of(nf.add(nf.constant(value=1.0, id="x"), nf.constant(value=2.0, id="x")))


def test_an_expression_of_ten_thousand_nodes_is_built() -> None:
    wire = nf.constant(value=1.0)
    for _ in range(10_000):
        wire = nf.tanh(wire)
    graph = Graph.of(wire)
    assert len(graph.nodes) == 10_001


# --- modes --------------------------------------------------------------------------------------


def trained(**modes: str) -> Graph:
    """Return two layers that train, some of their nodes in a mode."""
    x = nf.constant(value=[[0.3, -0.8], [1.2, 0.4]], id="x")
    w = nf.parameter(value=[[0.5, -0.7], [0.2, 0.9]], id="w")
    v = nf.parameter(value=[[0.4, -0.3]], id="v")
    b = nf.parameter(value=[0.1], id="b")
    hidden = nf.tanh(nf.weighted_sum(x, w, id="hidden"), id="a")
    out = nf.weighted_sum(hidden, v, b, id="out")
    y = nf.constant(value=[[1.0], [2.0]], id="y")
    cost = nf.squared_error(out, y, id="cost")
    graph = Graph.of(nf.gradient_descent(cost, rate=0.1, id="train"), nf.panel(hidden, id="show"))
    for key, mode in modes.items():
        graph = graph.with_mode(key, mode)
    return graph


def stepped(graph: Graph, updates: int = 1) -> nf.Run:
    run = nf.Run(graph)
    while run.update < updates:
        run.step()
    return run


def test_a_bypassed_node_passes_its_input_on() -> None:
    run = stepped(trained(a="bypass"))
    plain = stepped(trained())
    np.testing.assert_array_equal(run["hidden.z"], plain["hidden.z"])
    start = np.array([[0.4, -0.3]])
    np.testing.assert_allclose(run["out.z"], run["hidden.z"] @ start.T + 0.1, rtol=1e-14)
    with pytest.raises(NodeflowError, match=r"'a\.a'"):
        run["a.a"]
    assert nf.check(trained(a="bypass")).valid


def test_a_bypassed_source_has_nothing_to_pass_on() -> None:
    with pytest.raises(GraphError) as caught:
        nf.Run(trained(x="bypass"))
    assert str(caught.value) == (
        "'x' cannot be bypassed: it has no wired input to pass on; disable it instead"
    )


def test_a_disabled_node_and_what_hangs_on_it_are_not_evaluated() -> None:
    run = nf.Run(trained(a="disable"))
    assert set(run.order) == {"x", "w", "v", "b", "y", "hidden"}
    run.advance("update")
    assert run["hidden.z"].shape == (2, 2)


def test_a_port_that_can_do_without_a_disabled_node_does() -> None:
    run = stepped(trained(b="disable"))
    np.testing.assert_allclose(run["out.z"], run["a.a"] @ np.array([[0.4], [-0.3]]), rtol=1e-14)
    assert "b.value" not in run.weights
    graph = Graph().add("c", "constant", value=2.0).add("d", "constant", value=3.0)
    graph = graph.add("s", "add").connect("c.value", "s.a").connect("d.value", "s.a")
    assert stepped(graph.with_mode("c", "disable"))["s.value"] == 3.0


def test_a_frozen_parameter_keeps_its_value_and_has_a_gradient() -> None:
    graph = trained(w="freeze")
    run, free = stepped(graph, 3), stepped(trained(), 3)
    np.testing.assert_array_equal(run.weights["w.value"], [[0.5, -0.7], [0.2, 0.9]])
    assert (run.weights["v.value"] != [[0.4, -0.3]]).all()
    assert (free.weights["w.value"] != run.weights["w.value"]).all()
    np.testing.assert_array_equal(
        stepped(graph).gradient("w.value"), stepped(trained()).gradient("w.value")
    )
    fast = nf.Run(graph)
    fast.train(updates=3)
    for address, value in run.weights.items():
        np.testing.assert_array_equal(fast.weights[address], value)


def test_a_parameter_that_is_not_trainable_has_no_gradient() -> None:
    run = stepped(trained().set("w", trainable=False), 2)
    np.testing.assert_array_equal(run.weights["w.value"], [[0.5, -0.7], [0.2, 0.9]])
    with pytest.raises(NodeflowError, match=r"^no blame reaches 'w.value': it is not trainable$"):
        run.gradient("w.value")


# --- random graphs: the rule set as a property ----------------------------------------------------


def cost_at(graph: Graph, weights: dict) -> float:
    run = nf.Run(graph)
    run.set_weights(weights)
    run.machine.update(0)
    address = run.plan.unfolding.cost
    return float(run.machine.read(address, run.batch).mean())


@given(networks())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_gradient_of_a_random_graph_is_the_slope_of_its_cost(graph) -> None:
    run = stepped(graph)
    gradients = run.gradients
    start = dict(nf.Run(graph).weights)
    random = np.random.default_rng(0)
    trainable = [a for a in start if a in gradients]
    assert trainable
    for address in trainable:
        gradient = gradients[address].reshape(start[address].shape)
        direction = random.uniform(0.5, 1.5, gradient.shape) * np.where(gradient < 0, -1, 1)

        def at(step, address=address, direction=direction):
            return cost_at(graph, {**start, address: start[address] + step * direction})

        h = 1e-3
        slope = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
        along = float((gradient * direction).sum())
        assert along == pytest.approx(slope, rel=1e-6, abs=1e-9 * max(1, abs(at(0))))


@given(networks())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_random_graph_folded_and_unfolded_trains_to_the_same_bits(graph) -> None:
    whole = nf.unfold(graph)
    whole.validate()
    assert nf.fold(whole) == graph
    folded, wired, slow = nf.Run(graph), nf.Run(whole), stepped(graph, 5)
    folded.train(updates=5)
    wired.train(updates=5)
    for address, value in folded.weights.items():
        np.testing.assert_array_equal(wired.weights[address], value)
        np.testing.assert_array_equal(slow.weights[address], value)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_known_of_wires_after_edits_is_what_is_there(data: st.DataObject) -> None:
    """Edits hand on what is known of the wires at each node: it is what a new graph finds."""
    graph = Graph(nodes={f"p{n}": Node("constant", {"value": float(n)}) for n in range(3)})
    for number in range(data.draw(st.integers(1, 12))):
        _ = graph.into("p0"), graph.out_of("p0")  # from now on both are known
        kind = data.draw(st.sampled_from(("add", "connect", "disconnect", "mode")))
        if kind == "add":
            type_ = data.draw(st.sampled_from(("add", "subtract", "sum")))
            graph = graph.add(f"n{number}", type_)
        elif kind == "mode":
            graph = graph.with_mode(data.draw(st.sampled_from(sorted(graph.nodes))), "freeze")
        elif kind == "disconnect" and graph.wires:
            wire = data.draw(st.sampled_from(graph.wires))
            graph = graph.disconnect(wire.start, wire.end)
        elif kind == "connect" and (keys := sorted(graph.nodes.keys() - {"p0", "p1", "p2"})):
            source = data.draw(st.sampled_from(sorted(graph.nodes)))
            end = f"{data.draw(st.sampled_from(keys))}.{data.draw(st.sampled_from(('a', 'b')))}"
            with suppress(GraphError):
                graph = graph.connect(f"{source}.value", end)
        new = Graph(nodes=dict(graph.nodes), wires=graph.wires)
        assert graph.wires == new.wires
        assert {key: graph.into(key) for key in graph.nodes} == {
            key: new.into(key) for key in graph.nodes
        }
        assert {key: graph.out_of(key) for key in graph.nodes} == {
            key: new.out_of(key) for key in graph.nodes
        }


def test_at_a_prompt_a_graph_and_a_run_are_one_line() -> None:
    graph = nf.sample("xor")
    assert repr(graph) == f"<Graph 'xor': {len(graph.nodes)} nodes, {len(graph.wires)} wires>"
    run = nf.Run(graph)
    run.advance("sample")
    assert repr(run) == f"<Run of {graph!r}: epoch 0, sample 1>"
    assert repr(Graph()) == "<Graph: 0 nodes, 0 wires>"

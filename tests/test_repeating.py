"""A neuron, or a layer, as a template: repeated with its updates, and what cannot be."""

from dataclasses import replace

import numpy as np
import pytest
from handwired import wired

import nodeflow as nf
from nodeflow.derive import infer
from nodeflow.derive.giving import give_weights
from nodeflow.derive.repeating import duplicate_wired, repeat
from nodeflow.derive.tidy import overlaps, tidy
from nodeflow.editor.canvas.neurons import neuron_map
from nodeflow.editor.canvas.wiring import connected, fitting
from nodeflow.editor.commands.registry import done
from nodeflow.editor.state.messages import Key, Typed
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import Editing, Link
from nodeflow.editor.update import update
from nodeflow.errors import GraphError

HIDDEN = ("w", "b", "h", "hs", "hd", "wn", "bn")
OUTPUT = ("v", "c", "o", "os", "e", "goal", "od", "vn", "cn", "back")


def one_by_one():
    """Return a 2-1-1 network: two neurons wired by hand, each with its delta and its updates."""
    x, y = nf.dataset("blobs", id="data", scale="minmax")
    w, b = nf.parameter(shape=(1, 2), init="uniform", id="w"), nf.parameter(shape=(1,), id="b")
    h = nf.sigmoid(nf.weighted_sum(x, w, b, id="h"), id="hs")
    v, c = nf.parameter(shape=(1, 1), init="uniform", id="v"), nf.parameter(shape=(1,), id="c")
    o = nf.sigmoid(nf.weighted_sum(h, v, c, id="o"), id="os")
    e = nf.error(o, nf.pick(y, index=0, id="goal"), id="e")
    d2 = nf.delta(e, o, id="od")
    d1 = nf.delta(nf.blame(d2, v, id="back"), h, id="hd")
    ends = [nf.step(w, d1, x, id="wn"), nf.step(b, d1, id="bn"),
            nf.step(v, d2, h, id="vn"), nf.step(c, d2, id="cn")]  # fmt: skip
    graph = nf.Graph.of(*ends, rate=0.3)
    for name in "wbvc":
        graph = graph.connect(f"{name}n.value", f"{name}.next")
    return graph


@pytest.mark.parametrize("order", ["hidden first", "output first"])
def test_two_neurons_become_a_network_that_is_the_layered_one_to_the_bit(order):
    """2-4-3 of single neurons, beside the same in layers wired by hand."""
    parts = [(HIDDEN, 4), (OUTPUT, 3)]
    graph = one_by_one()
    for nodes, count in parts if order == "hidden first" else reversed(parts):
        graph = repeat(graph, nodes, count)
    drawn = neuron_map(graph)
    xs = sorted({neuron.x for neuron in drawn.neurons})
    assert [sum(n.x == x for n in drawn.neurons) for x in xs] == [2, 4, 3]
    assert len(drawn.lines) == 2 * 4 + 4 * 3
    found = nf.check(graph)
    assert found.valid
    assert found.findings == ()
    layers = nf.Run(wired(cost=False))
    neurons = nf.Run(graph)
    start = layers.weights
    names = {"w": "theta1", "b": "b1", "v": "theta2", "c": "b2"}

    def own(weights):
        """The layers' weights by the names of the neurons' own."""
        return {
            f"{name}{f'_{row + 1}' if row else ''}.value": part[None] if part.ndim else [part]
            for name, whole in names.items()
            for row, part in enumerate(weights[f"{whole}.value"])
        }

    neurons.set_weights(own(start))
    layers.train(3)
    neurons.train(3)
    for address, value in own(layers.weights).items():
        assert (neurons.weights[address] == value).all(), address
    assert neurons.history[-1]["cost"] == pytest.approx(layers.history[-1]["cost"], rel=1e-14)


@pytest.mark.parametrize("cost", [False, True])
@pytest.mark.parametrize("first", ["h", "o", None])
def test_neurons_that_were_never_exploded_are_collapsed_into_layers(first, cost):
    """2-4-3 of single neurons becomes 2-4-3 of layers, with the bits that it had."""
    graph = one_by_one()
    if cost:
        graph = graph.add("c2", "squared_error", half=True)
        graph = graph.connect("os.a", "c2.a").connect("goal.value", "c2.y")
        graph = graph.add("J", "add").connect("c2.cost", "J.a")
    graph = repeat(repeat(graph, HIDDEN, 4), (*OUTPUT, "c2") if cost else OUTPUT, 3)
    layers = nf.collapse(graph, first)
    if first is not None:
        layers = nf.collapse(layers, "o" if first == "h" else "h")
    assert len(layers.of_type("weighted_sum")) == 2
    assert not layers.of_type("concatenate", "pick", "add")
    assert {"h", "hs", "hd", "w", "b", "wn", "bn", "back", "e"} <= layers.nodes.keys()
    single, whole = nf.Run(graph), nf.Run(layers)
    for run in (single, whole):
        run.train(3)
    assert [line["cost"] for line in single.history] == pytest.approx(
        [line["cost"] for line in whole.history], rel=1e-14
    )
    rights = [line["train_accuracy"] for line in whole.history]
    assert None not in rights
    assert [line["train_accuracy"] for line in single.history] == rights
    assert single.assess().train_accuracy == whole.assess().train_accuracy
    for name in "wbvc":
        value = whole.weights[f"{name}.value"]
        for row, part in enumerate(value):
            there = single.weights[f"{name}{f'_{row + 1}' if row else ''}.value"]
            assert (there.ravel() == part.ravel()).all()
    found = nf.check(layers)
    assert found.valid
    assert found.findings == ()
    apart = nf.explode(layers)
    assert nf.collapse(apart) == layers
    run = nf.Run(apart)
    run.train(3)
    assert run.history == whole.history


@pytest.mark.parametrize(
    ("nodes", "sentence"),
    [
        (["data"], "'data' holds the data, which are there once: select the nodes of a neuron or "
         "of a layer without it"),
        (["w", "h", "hs", "hd", "b", "bn"], "'w' would be repeated without 'wn', which moves it: "
         "select that, too"),
        (["v", "c", "o", "os", "e", "goal", "od", "vn", "cn"], "'v' would be repeated without "
         "'back', which needs each one of them: select that, too"),
    ],
)  # fmt: skip
def test_a_template_that_lacks_a_part_is_refused_by_its_name(nodes, sentence):
    with pytest.raises(GraphError) as error:
        repeat(one_by_one(), nodes, 3)
    assert str(error.value) == sentence


def test_what_is_repeated_covers_nothing():
    """The sums that take the copies grow, nodes that join are new: what lay there moves down."""
    graph = tidy(one_by_one())
    assert not overlaps(graph)
    for nodes, count in ((HIDDEN, 5), (OUTPUT, 3)):
        graph = repeat(graph, nodes, count)
    assert graph.layout.keys() == graph.nodes.keys()
    assert not overlaps(graph)


def test_what_is_no_layer_is_said():
    graph = repeat(one_by_one(), HIDDEN, 3)

    def refused(changed, node="h"):
        with pytest.raises(GraphError) as error:
            nf.collapse(changed, node)
        return str(error.value)

    tanh = graph.remove("hs_2").add("hs_2", "tanh").connect("h_2.z", "hs_2.z")
    for target in ("hd_2.a", "o.a[1]", "vn.a[1]"):
        tanh = tanh.connect("hs_2.a", target)
    assert "'h' to 'h_3' cannot be collapsed" in refused(
        graph.add("look", "panel").connect("hs_2.a", "look.value")
    )
    assert "'look' is there for one neuron and not for the others" in refused(
        graph.add("look", "panel").connect("hs_2.a", "look.value")
    )
    assert "of 'w' and 'w_2' one has a value and the other has none" in refused(
        graph.set("w_2", value=[[1.0, 2.0]], shape=None)
    )
    assert "is not exploded, and no neuron beside it takes the same inputs" in refused(graph, "o")
    assert "'o' does not read all of them in order" in refused(tanh)


def test_a_layer_of_gathered_neurons_starts_as_they_did(tmp_path):
    graph = repeat(one_by_one(), HIDDEN, 3)
    for seed in (0, 5):
        before = nf.Run(graph, seed=seed).weights
        nf.save(nf.collapse(graph, "h"), tmp_path / "g.json")
        after = nf.Run(nf.load(tmp_path / "g.json"), seed=seed).weights["w.value"]
        parts = [before[f"{name}.value"] for name in ("w", "w_2", "w_3")]
        assert np.array_equal(after, np.vstack(parts))
    larger = nf.collapse(graph, "h").set("w", shape=(5, 2)).set("b", shape=(5,))
    assert nf.Run(larger.set("v", shape=(1, 5))).weights["w.value"].shape == (5, 2)


def test_copies_have_starts_of_their_own():
    graph = repeat(one_by_one(), HIDDEN, 3)
    weights = nf.Run(graph).weights
    starts = [weights[f"{name}.value"] for name in ("w", "w_2", "w_3")]
    assert len({tuple(start.ravel()) for start in starts}) == 3
    typed = one_by_one().set("w", value=[[0.1, 0.2]], shape=None)
    again = nf.Run(repeat(typed, HIDDEN, 2)).weights
    assert np.array_equal(again["w.value"], [[0.1, 0.2]])
    assert not np.array_equal(again["w_2.value"], [[0.1, 0.2]])


@pytest.mark.parametrize(
    ("nodes", "count", "graph", "reason"),
    [
        ((), 3, one_by_one(), "there is nothing to repeat: select the nodes of a neuron"),
        (HIDDEN, 1, one_by_one(), "nodes are repeated 2 to 1,000 times in all, not 1"),
        (("zz",), 2, one_by_one(), "there is no node 'zz'"),
        (
            HIDDEN,
            3,
            one_by_one().set("v", value=[[0.5]], shape=None),
            "'v' holds weights for 1 inputs and 3 of these make 3: give it a shape and an init",
        ),
        (OUTPUT, 4, one_by_one(), "4 of these do not fit what they are wired to: 'goal_4'"),
    ],
)
def test_what_cannot_be_repeated_is_said(nodes, count, graph, reason):
    with pytest.raises(GraphError) as error:
        repeat(graph, nodes, count)
    assert reason in str(error.value)


def test_what_is_not_wired_yet_is_no_misfit():
    """Two steps without a rate are repeated like any: what is missing is missing in all."""
    graph = one_by_one()
    bare = replace(graph, training=replace(graph.training, rate=None))
    assert len(repeat(bare, HIDDEN, 3).of_type("step")) == 8


def test_a_duplicate_keeps_its_incoming_wires():
    graph, made = duplicate_wired(one_by_one(), ("h", "hs"))
    assert made == ("h_2", "hs_2")
    assert {str(wire) for wire in graph.wires if wire.target in made} == {
        "b.value -> h_2.bias", "data.x -> h_2.a", "h_2.z -> hs_2.z", "w.value -> h_2.weights",
    }  # fmt: skip


def test_the_editor_repeats_what_is_selected():
    editor = replace(Editor.of(one_by_one()), selection=frozenset(HIDDEN))
    asked = done(editor, "repeat")
    assert isinstance(asked.popup, Editing)
    made = update(update(asked, Typed("5")), Key("Enter"))
    assert len(made.graph.of_type("weighted_sum")) == 6
    assert made.problems == {}
    assert update(update(asked, Typed("many")), Key("Enter")).graph == editor.graph
    twin = done(editor, "duplicate-wired")
    assert len(twin.graph.into("h_2")) == 3
    assert done(Editor.of(one_by_one()), "repeat").notice.kind == "problem"


def test_a_refusal_names_the_way():
    graph = wired().disconnect("b1.mean.gradient", "b1.new.gradient")
    graph = graph.connect("delta1.delta", "b1.new.gradient")
    with pytest.raises(GraphError, match=r"n×4 cannot enter 'b1\.new\.gradient': it must be 4 as "
                       r"'parameter' is; bias_gradient sums it over the rows"):  # fmt: skip
        nf.Run(graph)


def test_a_sum_is_given_its_weights():
    """As many as come in, for a single neuron; what is missing or there already is said."""
    graph = nf.Graph().add("data", "dataset", source="iris").add("s", "weighted_sum")
    graph = graph.add("more", "constant", value=[1.0, 2.0]).move(s=(500, 40))
    with pytest.raises(GraphError) as error:
        give_weights(graph, ["s"])
    assert str(error.value) == (
        "how many weights 's' takes is not known: wire what it weighs into 's.a' first"
    )
    graph = graph.connect("data.x", "s.a").connect("more.value", "s.a")
    given, made = give_weights(graph, ["s"])
    assert made == ("w", "b")
    assert given.settings("w")["shape"] == (1, 6)
    assert given.settings("b")["shape"] == (1,)
    assert {"w.value -> s.weights", "b.value -> s.bias"} <= {str(w) for w in given.wires}
    assert given.layout["w"] != given.layout["b"]
    run = nf.Run(given)
    run.evaluate()
    assert run["s.z"].shape == (1, 1)
    with pytest.raises(GraphError, match="'s' has weights and a bias already"):
        give_weights(given, ["s"])
    with pytest.raises(GraphError, match="of type dataset: a weighted_sum takes weights"):
        give_weights(given, ["data"])
    editor = replace(Editor.of(graph), selection=frozenset(["s"]))
    assert done(editor, "give-weights").graph.wires == given.wires
    assert done(Editor.of(graph), "give-weights").notice.kind == "problem"


def test_the_editor_collapses_neurons_that_were_wired_one_by_one():
    graph = repeat(one_by_one(), HIDDEN, 3)
    editor = replace(Editor.of(graph), selection=frozenset(["h_2", "hs_2"]))
    collapsed = done(editor, "collapse").graph
    assert replace(collapsed, layout={}) == nf.collapse(graph, "h")
    assert "h_2" not in collapsed.nodes


def test_a_wire_takes_the_place_of_the_only_one_where_it_does_not_fit_beside_it():
    graph = nf.Graph().add("two", "constant", value=[1.0, 2.0]).add("one", "constant", value=[3.0])
    graph = graph.add("w", "parameter", shape=(1, 2)).add("s", "weighted_sum")
    graph = graph.connect("w.value", "s.weights").connect("two.value", "s.a")
    narrow = graph.set("w", shape=(1, 1))
    moved = connected(narrow, infer(narrow), "one.value", "s.a")
    assert [wire.start for wire in moved.inputs("s")["a"]] == ["one.value"]
    wide = graph.set("w", shape=(1, 3))
    both = connected(wide, infer(wide), "one.value", "s.a")
    assert [wire.start for wire in both.inputs("s")["a"]] == ["two.value", "one.value"]
    typed = narrow.set("w", value=[[0.5]], shape=None)
    with pytest.raises(GraphError):
        connected(typed, infer(typed), "one.value", "s.a", mode="add")


@pytest.mark.parametrize(
    ("mode", "end", "sources", "shape"),
    [
        ("set", "s.a", ["four"], (3, 4)),  # in the place of the only one
        ("add", "s.a", ["two", "four"], (3, 6)),
        ("set", "t.a[1]", ["two", "four"], (3, 6)),  # on one of several
        ("set", "t.a", ["two", "one", "four"], (3, 7)),  # beside several
    ],
)
def test_weights_that_nobody_typed_fit_what_is_wired(mode, end, sources, shape):
    """One edit: the wire, and weights as wide as what comes in then; the rows stay."""
    target = end[0]  # s has one wire, t two
    graph = nf.Graph().add("w", "parameter", shape=(3, 2)).add("v", "parameter", shape=(3, 3))
    for name, many in (("one", 1), ("two", 2), ("four", 4)):
        graph = graph.add(name, "constant", value=[0.5] * many)
    graph = graph.add("s", "weighted_sum").add("t", "weighted_sum")
    graph = graph.connect("w.value", "s.weights").connect("two.value", "s.a")
    graph = graph.connect("v.value", "t.weights").connect("two.value", "t.a")
    graph = graph.connect("one.value", "t.a")
    assert target in {port[0] for port in fitting(graph, infer(graph), "four.value", outgoing=True)}
    made = connected(graph, infer(graph), "four.value", end, mode=mode)
    assert [wire.source for wire in made.inputs(target)["a"]] == sources
    theta = {"s": "w", "t": "v"}[target]
    assert made.settings(theta)["shape"] == shape
    other = ({"w", "v"} - {theta}).pop()
    assert made.nodes[other] is graph.nodes[other]
    assert infer(made).problems == {}


@pytest.mark.parametrize("why", ["typed", "shared", "computed"])
def test_weights_that_are_not_free_refuse_the_wire(why):
    graph = nf.Graph().add("w", "parameter", shape=(3, 2)).add("s", "weighted_sum")
    graph = graph.add("two", "constant", value=[1.0, 2.0]).add("one", "constant", value=[3.0])
    if why == "typed":
        graph = graph.set("w", value=[[1.0, 2.0]] * 3, shape=None)
    if why == "shared":
        graph = graph.add("t", "weighted_sum").connect("w.value", "t.weights")
        graph = graph.connect("two.value", "t.a")
    weights = "w.value"
    if why == "computed":
        graph = graph.add("half", "multiply").connect("w.value", "half.a")
        graph = graph.add("k", "constant", value=0.5).connect("k.value", "half.a")
        weights = "half.value"
    graph = graph.connect(weights, "s.weights").connect("two.value", "s.a")
    assert "s.a" not in fitting(graph, infer(graph), "one.value", outgoing=True)
    with pytest.raises(GraphError):
        connected(graph, infer(graph), "one.value", "s.a")


def test_a_parameter_without_a_shape_takes_that_of_its_port():
    graph = nf.Graph().add("two", "constant", value=[1.0, 2.0]).add("s", "weighted_sum")
    graph = graph.add("w", "parameter").connect("two.value", "s.a")
    made = connected(graph, infer(graph), "w.value", "s.weights")
    assert made.settings("w")["shape"] == (1, 2)


def test_the_editor_tells_which_weights_have_another_shape():
    """By keys and by mouse the same wire: the notice tells, and one step back takes it all."""
    editor = Editor.of(one_by_one())
    asked = replace(editor, popup=Link("data", "data.x"))
    made = update(update(asked, Typed("o.a")), Key("Enter"))
    assert made.graph.settings("v")["shape"] == (1, 3)
    assert "'v' is 1×3 now, to fit what is wired to it" in made.notice.text
    assert done(made, "undo").graph == editor.graph

"""What changed between two graphs, in words."""

from dataclasses import replace

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.difference import difference


@pytest.fixture
def graph():
    x = nf.constant(value=[1.5], id="x")
    z = nf.weighted_sum(x, nf.parameter(value=[[0.8]], id="w"), id="sum")
    cost = nf.squared_error(z, nf.constant(value=[0.5], id="y"), id="cost")
    return nf.Graph.of(nf.gradient_descent(cost, rate=0.1, id="train"), name="one neuron")


def sentences(before, after):
    return [change.sentence for change in difference(before, after)]


def test_a_graph_does_not_differ_from_itself(graph):
    assert difference(graph, graph) == ()


def test_defaults_written_out_are_no_difference(graph):
    assert difference(graph, graph.set("cost", half=False)) == ()


def test_a_single_wire_numbered_0_is_no_difference(graph):
    wires = tuple(replace(w, index=0) if w.end == "sum.a" else w for w in graph.wires)
    assert difference(graph, replace(graph, wires=wires)) == ()


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda g: replace(g, name="two"), ["the name was 'one neuron' and is 'two'"]),
        (
            lambda g: replace(g, about="short"),
            ["what it says about itself was '' and is 'short'"],
        ),
        (
            lambda g: replace(g, training=replace(g.training, epochs=3, batch="all")),
            ["training.batch was 1 and is all", "training.epochs was 10 and is 3"],
        ),
        (lambda g: g.set("train", rate=0.5), ["train.rate was 0.1 and is 0.5"]),
        (lambda g: g.set("train", rate=2.0), ["train.rate was 0.1 and is 2"]),
        (lambda g: g.set("cost", half=True), ["cost.half was false and is true"]),
        (lambda g: g.set("w", value=[[0.9]]), ["w.value was [[0.8]] and is [[0.9]]"]),
        (
            lambda g: g.set("w", value=None, shape=(1, 1)),
            ["w.shape was not set and is [1, 1]", "w.value was [[0.8]] and is not set"],
        ),
        (
            lambda g: g.set("x", value=[[float(i)] for i in range(40)]),
            ["x.value was 1.5 and is 40×1 numbers"],
        ),
        (lambda g: g.with_mode("w", "freeze"), ["node 'w' was active and is frozen"]),
        (lambda g: g.with_mode("sum", "bypass"), ["node 'sum' was active and is bypassed"]),
        (lambda g: g.rename("sum", "hidden"), ["node 'sum' is called 'hidden' now"]),
        (
            lambda g: g.add("a", "sigmoid").connect("sum.z", "a.z"),
            ["node 'a' (sigmoid) is new", "the wire sum.z -> a.z is new"],
        ),
        (
            lambda g: g.remove("train"),
            ["node 'train' (gradient_descent) is gone", "the wire cost.cost -> train.cost is gone"],
        ),
        (
            lambda g: g.disconnect("y.value", "cost.y").connect("x.value", "cost.y"),
            ["the wire y.value -> cost.y is gone", "the wire x.value -> cost.y is new"],
        ),
        (lambda g: g.move(x=(0, 40)), ["node 'x' moved on the canvas"]),
        (lambda g: g.move(x=(0, 40), y=(0, 80)), ["2 nodes moved on the canvas"]),
        (lambda g: replace(g, groups={"input": {}}), ["group 'input' is new"]),
        (lambda g: replace(g, extra={"k": 1}), ["the file has a key 'k' now"]),
        (
            lambda g: replace(
                g, nodes={**g.nodes, "train": nf.Node("adam", {"rate": 0.1, "beta1": 0.5})}
            ),
            ["node 'train' was of type gradient_descent and is of type adam"],
        ),
    ],
)
def test_each_edit_has_its_sentence(graph, edit, expected):
    assert sentences(graph, edit(graph)) == expected


def test_the_way_back_says_the_opposite(graph):
    grouped = replace(graph, groups={"input": {}}, extra={"k": 1})
    assert sentences(grouped, graph) == [
        "group 'input' is gone",
        "the file has no key 'k' any more",
    ]
    other = replace(graph, groups={"input": {"colour": 1}}, extra={"k": 2})
    assert sentences(grouped, other) == [
        "group 'input' changed",
        "the file has another value at its key 'k'",
    ]


def test_many_numbers_are_counted_not_listed(graph):
    before = graph.set("x", value=[[float(i)] for i in range(40)])
    after = graph.set("x", value=[[float(i) + (i > 37) / 4] for i in range(40)])
    assert sentences(before, after) == ["x.value has 2 of its 40 numbers changed, by up to 0.25"]


def test_large_arrays_are_compared_too(graph):
    rows = [[float(i)] for i in range(2000)]
    before = graph.set("x", value=np.array(rows))
    rows[5] = [7.0]
    after = graph.set("x", value=np.array(rows))
    assert sentences(before, after) == ["x.value has 1 of its 2000 numbers changed, by up to 2"]


def test_a_renamed_chain_is_found_link_by_link(graph):
    longer = graph.add("a", "sigmoid").connect("sum.z", "a.z")
    renamed = longer.rename("a", "output").rename("w", "theta")
    assert sentences(longer, renamed) == [
        "node 'a' is called 'output' now",
        "node 'w' is called 'theta' now",
    ]


def test_two_nodes_that_look_alike_are_not_taken_for_a_renaming(graph):
    before = graph.add("p", "constant").add("q", "constant")
    after = graph.add("r", "constant").add("s", "constant")
    assert sentences(before, after) == [
        "node 'p' (constant) is gone",
        "node 'q' (constant) is gone",
        "node 'r' (constant) is new",
        "node 's' (constant) is new",
    ]


def test_placeholders_are_compared_by_what_the_file_says(graph):
    strange = replace(graph, nodes={**graph.nodes, "odd": nf.Node("unheard_of", {"k": 1})})
    other = replace(graph, nodes={**graph.nodes, "odd": nf.Node("unheard_of", {"k": 2})})
    assert sentences(strange, other) == ["odd.k was 1 and is 2"]

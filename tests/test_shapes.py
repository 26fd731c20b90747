"""Shapes: what is inferred is what is there, and what cannot meet is refused in one sentence."""

from __future__ import annotations

import numpy as np
import pytest
from helpers_nodes import CASES, NODE, Case, graph_of, kind_of

import nodeflow as nf
from nodeflow.derive import infer
from nodeflow.derive.shapes import probe
from nodeflow.errors import (
    DeclarationError,
    MissingInput,
    NodeflowError,
    ShapeMismatch,
    UnknownType,
)
from nodeflow.graph import Graph, Node
from nodeflow.shape import Shape, Signature, broadcast

# --- what is inferred is what is there ------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_inferred_shape_is_the_real_one(case: Case) -> None:
    address = f"{NODE}.{case.node_type.outputs[0].name}"
    for n in (2, 7):
        values = case.values(n)
        found = infer(graph_of(case, values))
        found.require()
        real = case.truth(values, n)
        shape = found.shapes[address]
        assert shape.batch == (kind_of(case, real, n) == "rows")
        size = np.zeros(shape.array(n)).size
        assert size == real.size
        if real.ndim == 2:
            assert shape.flat == (1 if shape.batch else len(real), real.shape[1])
        else:
            assert shape.features == (real.shape or (1,))[-1]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_trying_on_ones_agrees_with_the_signature(case: Case) -> None:
    graph = graph_of(case, case.values(2))
    inference = infer(graph)
    type_ = case.node_type
    many = {port.name for port in type_.ports_in(case.full) if port.many}
    given = {}
    for port, there in case.ports.items():
        for i in range(len(there)):
            name = f"{port}[{i}]" if port in many else port
            given[name] = inference.shapes[f"in-{port}-{i}.value"]
    for port in type_.ports_in(case.full):
        if port.optional and port.name not in case.ports:
            given[port.name] = None
    found = probe(type_, case.full, given, NODE)
    wanted = [inference.shapes[f"{NODE}.{port.name}"] for port in type_.outputs]
    assert len(found) == len(wanted)
    assert all(one.same(other) for one, other in zip(found, wanted, strict=True)), (found, wanted)


def test_every_type_with_an_output_has_a_shape() -> None:
    tried = {case.type for case in CASES} | {"constant", "slider", "dataset", "parameter"}
    types = nf.declare.CATALOG.items()
    # What asks for the cost of a graph that runs has tests of its own (test_views).
    assert {name for name, type_ in types if type_.outputs and not type_.probes} <= tried


# --- what cannot meet -----------------------------------------------------------------------------


def ones(name, *shape):
    return nf.constant(value=np.ones(shape), id=name)


def theta(name, *shape):
    return nf.parameter(shape=shape, id=name)


def rows(features, name="x"):
    """Return rows of a batch with so many features."""
    return ones(name, 6, features)


REFUSED = [
    (lambda: nf.add(theta("w", 5, 2), ones("r", 3), id="s"),
     "1×3 cannot enter 's.a[1]': it must have 1 or 2 where it has 3, as 'a[0]' has"),
    (lambda: nf.add(rows(4), theta("w", 5, 2), id="s"),
     "5×2 cannot enter 's.a[1]': the other values have one row per sample"),
    (lambda: nf.subtract(rows(4), ones("r", 3), id="s"),
     "1×3 cannot enter 's.b': it must have 1 or 4 where it has 3, as 'a' has"),
    (lambda: nf.weighted_sum(rows(4), theta("w", 2, 3), id="s"),
     "2×3 cannot enter 's.weights': 'a' is n×4, so it must have 4 where it has 3"),
    (lambda: nf.weighted_sum([rows(4), rows(1, "x1")], theta("w", 2, 4), id="s"),
     "2×4 cannot enter 's.weights': 'a' is n×5, so it must have 5 where it has 4"),
    (lambda: nf.weighted_sum(rows(4), theta("w", 2, 4), theta("b", 3), id="s"),
     "3 cannot enter 's.bias': 'weights' is 2×4, so it must have 2 where it has 3"),
    (lambda: nf.weighted_sum(rows(4), theta("w", 4), id="s"),
     "'s.weights' takes rows and columns (out×in), not 4; write it as [[…]]"),
    (lambda: nf.weighted_sum(rows(4), nf.exp(rows(4, "y")), id="s"),
     "n×4 cannot enter 's.weights': it takes a parameter, which has no sample axis"),
    (lambda: nf.weighted_sum(rows(4), theta("w", 2, 4), theta("b", 2, 2), id="s"),
     "2×2 cannot enter 's.bias': it takes a single row of numbers"),
    (lambda: nf.weighted_sum(theta("v", 2, 4), theta("w", 2, 4), id="s"),
     "2×4 cannot enter 's.a': it takes one row per sample"),
    (lambda: nf.weighted_sum([rows(4), theta("v", 2, 4)], theta("w", 2, 8), id="s"),
     "2×4 (v.value) cannot enter 's.a': it takes one row per sample"),
    (lambda: nf.squared_error(rows(4), rows(3, "y"), id="s"),
     "n×3 cannot enter 's.y': 'a' is n×4, so it must have 4 where it has 3"),
    (lambda: nf.blame(rows(4), theta("w", 2, 3), id="s"),
     "2×3 cannot enter 's.weights': 'delta' is n×4, so it must have 4 where it has 2"),
    (lambda: nf.weight_update(theta("v", 2, 4), theta("w", 2, 3), 0.1, id="s"),
     "2×3 cannot enter 's.gradient': it must be 2×4 as 'parameter' is; it is the gradient of "
     "another parameter"),
    (lambda: nf.weight_update(theta("v", 2, 4), theta("w", 2, 4), ones("r", 3), id="s"),
     "'s.rate' takes a single number, not 1×3"),
    (lambda: nf.concatenate(rows(4), theta("v", 2, 4), id="s"),
     "'s': 2×4 cannot be joined: each value must be one row per sample"),
    (lambda: nf.pick(rows(4), index=[1, 4], id="s"),
     "'s': index 4 is beyond the value: it has 4 features, 0 to 3"),
    (lambda: nf.pick(theta("v", 2, 4), index=1, id="s"),
     "'s': 2×4 has no features to pick: it must be one row per sample"),
    (lambda: nf.l2_penalty(nf.exp(rows(4)), id="s"),
     "'s': n×4 cannot enter: l2_penalty takes parameters, which have no sample axis"),
    (lambda: nf.gradient_descent(nf.error(rows(4), rows(4, "y")), id="s"),
     "n×4 cannot enter 's.cost': it takes 1 feature"),
    (lambda: nf.panel(nf.parameter(value=[1.0, 2.0], shape=(3,), id="s")),
     "'s': the value is 2 and the shape 3: give one of the two"),
    (lambda: nf.panel(nf.parameter(id="s")),
     "'s': a parameter needs a value, or a shape such as [5, 7] and an init"),
    (lambda: nf.add(ones("a", 2, 3), ones("s", 4, 3)),
     "constant 's' holds 4 rows and 'a' 2: the rows of one batch must pair up"),
]  # fmt: skip


@pytest.mark.parametrize(("build", "sentence"), REFUSED)
def test_what_cannot_meet_is_refused_in_one_sentence(build, sentence) -> None:
    graph = Graph.of(build())
    problems = infer(graph).problems
    assert {key: str(error) for key, error in problems.items()} == {"s": sentence}
    assert problems["s"].node == "s"
    with pytest.raises(NodeflowError) as caught:
        nf.Run(graph)
    assert str(caught.value) == sentence


FED_BACK = [
    (Graph().add("w", "parameter", shape=[2]).add("a", "add")
     .connect("w.value", "a.a").connect("a.value", "w.next"),
     "w", "'w.next' is fed back from a weight_update, not from 'a.value'; put a weight_update "
     "between, which takes w.value and what is taken away from it"),
    (Graph().add("w", "parameter", shape=[2]).add("v", "parameter", shape=[3])
     .add("r", "constant").add("u", "weight_update").connect("v.value", "u.parameter")
     .connect("v.value", "u.gradient").connect("r.value", "u.rate").connect("u.value", "w.next"),
     "w", "3 (u.value) cannot enter 'w.next': the parameter is 2"),
    (Graph().add("w", "parameter", shape=[2]).add("a", "accumulate").add("b", "accumulate")
     .connect("w.value", "a.gradient").connect("w.value", "b.gradient")
     .connect("b.total", "a.previous"),
     "a", "'a.previous' is fed back from its own total, not from 'b.total'; wire a.total into it"),
]  # fmt: skip


@pytest.mark.parametrize(("graph", "node", "sentence"), FED_BACK)
def test_what_cannot_be_fed_back_is_refused_in_one_sentence(graph, node, sentence) -> None:
    assert str(infer(graph).problems[node]) == sentence


# --- unfinished graphs ------------------------------------------------------------------------


def unfinished() -> Graph:
    """Return a graph with a missing wire, a type that is not known, and a part that is whole."""
    graph = Graph().add("x", "constant", value=[1.0, 2.0])
    for key, type_ in (("sum", "weighted_sum"), ("a", "sigmoid"), ("p", "panel"), ("e", "exp")):
        graph = graph.add(key, type_)
    graph = Graph(
        nodes={**graph.nodes, "odd": Node("from_elsewhere", {"k": 3}), "after": Node("tanh")},
        wires=graph.wires,
    )
    for start, end in (
        ("x.value", "sum.a"), ("sum.z", "a.z"), ("a.a", "p.value"), ("x.value", "e.a"),
        ("x.value", "odd.inside"), ("odd.out", "after.z"),
    ):  # fmt: skip
        graph = graph.connect(start, end)
    return graph


def test_an_unfinished_graph_has_problems_and_nodes_that_wait() -> None:
    graph = unfinished()
    graph.validate()
    found = infer(graph)
    assert {key: type(error) for key, error in found.problems.items()} == {
        "odd": UnknownType,
        "sum": MissingInput,
    }
    assert (
        str(found.problems["sum"]) == "'sum' (weighted_sum) needs a wire into its input 'weights'"
    )
    assert str(found.problems["odd"]).startswith(
        "node 'odd': there is no node type 'from_elsewhere'"
    )
    assert found.waiting == {"a", "p", "after"}
    assert {address: str(shape) for address, shape in found.shapes.items()} == {
        "x.value": "1×2",
        "e.value": "1×2",
    }
    with pytest.raises(NodeflowError):
        found.require()


def test_the_rest_of_an_unfinished_graph_runs() -> None:
    run = nf.Run(unfinished(), strict=False)
    run.advance("update")
    np.testing.assert_allclose(run["e.value"], [np.exp([1.0, 2.0])])
    with pytest.raises(NodeflowError, match=r"has no value: 'sum' \(weighted_sum\) needs a wire"):
        run["sum.z"]


def test_without_its_data_set_a_graph_has_unknown_widths() -> None:
    x, y = nf.dataset(source="nowhere.csv", id="d")
    z = nf.weighted_sum(x, theta("w", 2, 3), id="z")
    graph = Graph.of(nf.squared_error(nf.tanh(z, id="a"), y, id="c"))
    found = infer(graph, data=False)
    assert not found.problems
    assert str(found.shapes["d.x"]) == "n×?"
    assert str(found.shapes["a.a"]) == "n×2"
    assert "d" in infer(graph).problems


# --- shapes themselves ------------------------------------------------------------------------


def test_shapes_are_written_as_people_write_them() -> None:
    assert str(Shape((3,), batch=True)) == "n×3"
    assert str(Shape.rows(None)) == "n×?"
    assert str(Shape((5, 2))) == "5×2"
    assert str(Shape((5,))) == "5"
    assert Shape((5,)).same(Shape((1, 5)))
    assert not Shape((5,)).same(Shape((5, 1)))
    assert not Shape((5,)).same(Shape((5,), batch=True))
    assert Shape((None,)).same(Shape((5,)))
    assert Shape((4,), batch=True).array(7) == (7, 4)


@pytest.mark.parametrize("text", ["(n,i), (i)", "a -> b -> c", ""])
def test_signatures_need_one_arrow(text) -> None:
    with pytest.raises(DeclarationError, match=r"need one '->' between inputs and outputs$"):
        Signature.parse(text)


def test_broadcasting_is_that_of_numpy() -> None:
    shapes = [Shape((1,)), Shape((3,)), Shape((2, 3)), Shape((2, 1)), Shape((1, 3)), Shape((1, 1))]
    for one in shapes:
        for other in shapes:
            real = np.broadcast_shapes(one.array(1), other.array(1))
            assert broadcast([("a", one), ("b", other)], "s").same(Shape(real)), (one, other)
    for one, other in ((Shape((2, 3)), Shape((3, 3))), (Shape((2,)), Shape((3,)))):
        with pytest.raises(ShapeMismatch):
            broadcast([("a", one), ("b", other)], "s")

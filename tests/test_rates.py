"""Where the learning rate stands, in every form of a graph; the command, the editor and Python."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from networks import hand, net

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.derive.rates import Rate, rates
from nodeflow.editor.state import messages as m
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import Editing
from nodeflow.editor.update import update
from nodeflow.errors import BadSetting, GraphError

OLD, NEW = 0.07, 0.03

TRAINERS = {
    "plain": {},
    "momentum": {"momentum": 0.9},
    "adam": {"trainer": "adam"},
    "adam with other β": {"trainer": "adam", "beta1": 0.5, "beta2": 0.75},
}


def layers(rate: float, **settings: object) -> nf.Graph:
    return net("blobs", (2, 3, 3), rate=rate, batch=8, epochs=2, **settings)


def two_trainers(rates: tuple[float, float], unfolded: str = "") -> nf.Graph:
    """Two costs with a trainer each, over parameters of their own."""
    x = nf.constant(value=[1.0, -2.0], id="x")
    ends = []
    for name, rate in zip(("first", "second"), rates, strict=True):
        z = nf.weighted_sum(x, nf.parameter(value=[[0.5, 0.1]], id=f"w.{name}"), id=f"sum.{name}")
        cost = nf.squared_error(z, nf.constant(value=[1.0], id=f"y.{name}"), id=f"cost.{name}")
        ends.append(nf.gradient_descent(cost, rate=rate, id=name))
    return nf.Graph.of(*ends)


def trained(graph: nf.Graph) -> dict[str, np.ndarray]:
    run = nf.Run(graph)
    run.train(2)
    return run.weights


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found.keys() == expected.keys()
    for address, value in expected.items():
        np.testing.assert_array_equal(found[address], value, err_msg=address)


@pytest.mark.parametrize("settings", TRAINERS.values(), ids=TRAINERS)
def test_a_trainer_holds_its_rate(settings):
    graph = layers(OLD, **settings)
    assert rates(graph) == (Rate("train", "rate", OLD),)
    assert nf.with_rate(graph, NEW) == layers(NEW, **settings)


@pytest.mark.parametrize("settings", TRAINERS.values(), ids=TRAINERS)
def test_an_unfolded_trainer_trains_like_one_that_had_the_rate_from_the_start(settings):
    unfolded = nf.unfold(layers(OLD, **settings))
    assert rates(unfolded) == (Rate("train.rate", "value", OLD),)
    changed = nf.with_rate(unfolded, NEW)
    assert [key for key in unfolded.nodes if changed.nodes[key] != unfolded.nodes[key]] == [
        "train.rate"
    ]
    after, wanted = trained(changed), trained(layers(NEW, **settings))
    same({address: after[address] for address in wanted}, wanted)
    assert not np.array_equal(after["theta1.value"], trained(unfolded)["theta1.value"])


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("kind", ["constant", "slider"])
def test_a_pass_wired_by_hand(loop, kind):
    graph = hand("blobs", (2, 3, 3), rate=OLD, loop=loop)
    if kind == "slider":
        wires, graph = graph.out_of("rate"), graph.remove("rate").add("rate", "slider", value=OLD)
        for wire in wires:
            graph = graph.connect(wire.start, wire.end)
    assert rates(graph) == (Rate("rate", "value", OLD),)
    wanted = hand("blobs", (2, 3, 3), rate=NEW, loop=loop)
    same(trained(nf.with_rate(graph, NEW)), trained(wanted))


def test_a_rate_of_its_own_for_each_layer_and_the_way_through_relays_and_bypasses():
    graph = hand("blobs", (2, 3, 3), rate=OLD)
    graph = graph.add("other", "constant", value=0.5).add("knot", "relay").add("same", "exp")
    graph = graph.connect("other.value", "knot.a").connect("knot.value", "same.a")
    graph = graph.with_mode("same", "bypass")
    graph = graph.disconnect("rate.value", "theta1.new.rate")
    graph = graph.connect("same.value", "theta1.new.rate")
    assert rates(graph) == (Rate("other", "value", 0.5), Rate("rate", "value", OLD))
    assert {rate.value for rate in rates(nf.with_rate(graph, NEW))} == {NEW}


def test_two_trainers_and_one_of_them_unfolded():
    graph = two_trainers((OLD, 0.2))
    assert rates(graph) == (Rate("first", "rate", OLD), Rate("second", "rate", 0.2))
    assert nf.with_rate(graph, NEW) == two_trainers((NEW, NEW))
    alone = nf.unfold(graph.with_mode("second", "disable")).with_mode("second", "active")
    assert rates(alone) == (Rate("first.rate", "value", OLD), Rate("second", "rate", 0.2))
    assert rates(graph.with_mode("second", "disable")) == (Rate("first", "rate", OLD),)


def test_an_update_that_trains_nothing_has_no_learning_rate():
    """Its value goes nowhere, or into a parameter that is not trained."""
    graph = hand("blobs", (2, 3, 3), rate=OLD)
    graph = graph.set("theta1", trainable=False).set("b1", trainable=False)
    graph = graph.add("still", "constant", value=0.5)
    for key in ("theta1.new", "b1.new"):
        graph = graph.disconnect("rate.value", f"{key}.rate").connect("still.value", f"{key}.rate")
    assert rates(graph) == (Rate("rate", "value", OLD),)
    for key in ("theta2", "b2"):
        graph = graph.disconnect(f"{key}.new.value", f"{key}.next")
    assert rates(graph) == ()


@pytest.mark.parametrize(
    ("graph", "sentence"),
    [
        (nf.Graph(), "with_rate has nothing to replace: no trainer of the graph has a rate"),
        (
            layers(OLD).remove("train").add("train", "minimize").connect("cost.cost", "train.cost"),
            "with_rate has nothing to replace: no trainer of the graph has a rate",
        ),
        (
            hand("blobs", (2, 3, 3), rate=OLD)
            .add("slower", "exp")
            .connect("rate.value", "slower.a")
            .disconnect("rate.value", "b1.new.rate")
            .connect("slower.value", "b1.new.rate"),
            "with_rate cannot replace the rate that 'slower' (exp) works out; "
            "change it in the graph",
        ),
    ],
)
def test_what_cannot_be_replaced_is_said(graph, sentence):
    with pytest.raises(GraphError) as caught:
        nf.with_rate(graph, NEW)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("rate", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("unfold", [False, True])
def test_a_rate_that_is_none_is_refused(rate, unfold):
    graph = nf.unfold(layers(OLD)) if unfold else layers(OLD)
    with pytest.raises(BadSetting, match="rate"):
        nf.with_rate(graph, rate)


@pytest.mark.parametrize("settings", TRAINERS.values(), ids=TRAINERS)
def test_the_command_sets_the_rate_of_folded_and_unfolded_alike(tmp_path, capsys, settings):
    found = {}
    for name, make in (("folded", lambda graph: graph), ("unfolded", nf.unfold)):
        nf.save(make(layers(OLD, **settings)), tmp_path / f"{name}.json")
        assert main(["train", str(tmp_path / f"{name}.json"), "--rate", str(NEW), "--json"]) == 0
        found[name] = json.loads(capsys.readouterr().out)
    wanted = nf.Run(layers(NEW, **settings))
    wanted.train()
    for document in found.values():
        assert [line["cost"] for line in document["history"]] == [
            line["cost"] for line in wanted.history
        ]
        for address, value in wanted.weights.items():
            assert document["weights"][address] == value.tolist()


@pytest.mark.parametrize("settings", TRAINERS.values(), ids=TRAINERS)
@pytest.mark.parametrize("unfold", [False, True])
def test_the_editor_opens_the_field_that_holds_the_rate(settings, unfold):
    graph = layers(OLD, **settings)
    editor = Editor.of(nf.unfold(graph) if unfold else graph)
    editor = update(editor, m.Do("set-rate"))
    node, setting = ("train.rate", "value") if unfold else ("train", "rate")
    assert isinstance(editor.popup, Editing)
    assert (editor.popup.node, editor.popup.setting) == (node, setting)
    assert editor.popup.text == str(OLD)


def test_the_editor_opens_the_rate_of_the_selected_trainer():
    editor = Editor.of(two_trainers((OLD, 0.2)))
    assert update(editor, m.Do("set-rate")).popup.node == "first"
    editor = replace(editor, selection=frozenset(["second"]))
    assert update(editor, m.Do("set-rate")).popup.node == "second"

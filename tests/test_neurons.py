"""The classic picture of neurons."""

from pathlib import Path

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.editor.neurons import MOST, neuron_map
from nodeflow.networks import network

GRAPHS = Path(__file__).parent.parent / "graphs"
FORMS = {
    "layers": lambda graph: graph,
    "neurons": nf.explode,
    "unfolded": nf.unfold,
    "neurons unfolded": lambda graph: nf.unfold(nf.explode(graph)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_network_has_the_same_picture(form):
    whole = network("7-5-3")
    drawn = neuron_map(FORMS[form](whole))
    xs = sorted({neuron.x for neuron in drawn.neurons})
    assert [sum(n.x == x for n in drawn.neurons) for x in xs] == [7, 5, 3]
    assert len(drawn.lines) == 7 * 5 + 5 * 3
    assert [label.layer for label in drawn.labels] == ["hidden", "output"]
    assert drawn.labels[0].text == "hidden  5×7  sigmoid"
    assert all(xs[0] < drawn.labels[0].x < xs[1] for _ in (0,))
    is_apart = "neurons" in form
    assert ("hidden.2" in {n.node for n in drawn.neurons}) == is_apart
    assert ("hidden" in {n.node for n in drawn.neurons}) != is_apart


def test_columns_share_their_middle():
    drawn = neuron_map(network("7-5-3"))
    for x in {n.x for n in drawn.neurons}:
        ys = [n.y for n in drawn.neurons if n.x == x]
        assert (min(ys) + max(ys)) / 2 == pytest.approx(drawn.bounds[1] * 0 + sum(ys) / len(ys))


@pytest.mark.parametrize("form", ["layers", "neurons"])
def test_weights_and_values_are_those_of_the_run(form):
    run = nf.Run(FORMS[form](nf.load(GRAPHS / "xor.json")))
    run.evaluate()
    values = {}
    for key in run.graph.nodes:
        for port in run.graph.type_of(key).outputs:
            values[f"{key}.{port.name}"] = np.asarray(run[f"{key}.{port.name}"])
    drawn = neuron_map(run.graph, values)
    whole = nf.Run(nf.load(GRAPHS / "xor.json"))
    whole.evaluate()
    theta = np.asarray(whole["theta1.value"])
    lines = [line.weight for line in drawn.lines if line.layer == "hidden"]
    assert lines == pytest.approx(theta.ravel())
    shares = [line.share for line in drawn.lines if line.layer == "hidden"]
    assert shares == pytest.approx(np.abs(theta).ravel() / np.abs(theta).max())
    hidden = [n.value for n in drawn.neurons if n.node.startswith("hidden")]
    assert hidden == pytest.approx(np.asarray(whole["hidden_a.a"])[0])


def test_wide_columns_are_shortened():
    drawn = neuron_map(network("784-30-10"))
    widest = [n for n in drawn.neurons if n.x == 0]
    assert len(widest) == MOST
    assert [n.number for n in widest][-2:] == [None, 783]


def test_typed_weights_are_shown_before_anything_ran():
    drawn = neuron_map(nf.load(GRAPHS / "mazur.json"))
    assert [line.weight for line in drawn.lines][:4] == [0.15, 0.2, 0.25, 0.3]


def test_without_layers_there_is_a_reason():
    assert neuron_map(nf.Graph()).reason == "there is no weighted_sum to draw as a layer"
    broken = nf.Graph().add("x", "dataset", source="nowhere").add("s", "weighted_sum")
    assert neuron_map(broken).reason

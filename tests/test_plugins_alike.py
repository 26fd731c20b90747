"""What a plugin brings gets the same treatment as a type of the library, everywhere."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from test_plugins_speed import network
from test_written_programs import compare

import nodeflow as nf
from nodeflow import scene
from nodeflow.declare import CATALOG, node
from nodeflow.derive.evaluated import lone_cost
from nodeflow.derive.tidy import tidy
from nodeflow.editor.dialogs.searching import found
from nodeflow.errors import DeclarationError, GraphError
from nodeflow.explain import where_blame_dies
from nodeflow.explain.symbols import derive
from nodeflow.export import templates
from nodeflow.graph import Graph, Node, Wire
from nodeflow.interchange import layers_of
from nodeflow.interchange.layers import kind_of
from nodeflow.interchange.programs import write
from nodeflow.networks import network as made_network
from nodeflow.networks import offered
from nodeflow.twins.rules import RULES, twin
from nodeflow.views import Viewer
from nodeflow.views.slope import slope_at
from nodeflow.workings.lines import formula_of

_PLUGIN = '''
"""Node types of a plugin, each with what a type of the library has in its file."""

import numpy as np

from nodeflow.declare import node
from nodeflow.views.several import taken


@node("activation", formula="a = s·z if z > 0 else s·(e^z − 1)", shapes="elementwise",
      calculation="size * (max(z, 0) + (exp(min(0, z)) - 1))", aliases=("bent line",))
def like_elu(z, *, size: float = 1.0):
    """Pass positive numbers, bend negative ones."""
    return size * np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


@node("activation", formula="a = z if z > 0 else e^z − 1", shapes="elementwise",
      calculation="max(z, 0) + (exp(min(0, z)) - 1)", known_as={"keras": "elu", "torch": "ELU"})
def like_known(z):
    """Pass positive numbers, bend negative ones."""
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


@node("cost", formula="C = Σ ln cosh(a − y)", outputs=("cost",), shapes="(n,f), (n,f) -> (n,1)",
      calculation="Σ abs(a - y) + log(1 + exp(-2 * abs(a - y))) - log(2)", title="log cosh")
def like_log_cosh(a, y):
    """Count small errors squared, large ones as they are."""
    e = np.abs(a - y)
    return (e + np.log1p(np.exp(-2 * e)) - np.log(2)).sum(axis=-1, keepdims=True)


@node("trainer", formula="Θ ← Θ − α sign(∂J/∂Θ)", outputs=(), shapes="(n,1) ->")
def like_signs(cost, *, rate: float = 0.01):
    """Step by the sign alone."""
    raise AssertionError


@like_signs.updates
def _(made, settings):
    from nodeflow.nodes.expression import expression

    rate = made.constant(settings["rate"], "rate")

    def update(name, theta, gradient):
        sign = made.place(expression(g=gradient, formula="sign(g)"), f"{name}.sign")
        made.move(name, theta, sign, rate)

    return update


@node("update", formula="Θ ← Θ − α sign(D)", outputs=("value",), shapes="s, s, 1 -> s")
def like_update(parameter, gradient, rate):
    """Step by the sign alone."""
    return parameter - np.reshape(rate, ()) * np.sign(gradient)


@node("cost", formula="C = Σ |Θ|", outputs=("cost",), calculation="Σ abs(weights)")
def like_penalty(weights):
    """Make large weights cost something."""
    return np.abs(np.atleast_2d(weights)).sum(axis=-1, keepdims=True)


@node("view", formula="value", outputs=(), view_module="plugin_alike")
def like_panel(value):
    """Show what enters."""


def found(sight, key):
    return taken(sight, key)
'''


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """The types of a plugin."""
    (tmp_path / "plugin_alike.py").write_text(_PLUGIN, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield import_module("plugin_alike")
    for name in [name for name in CATALOG if name.startswith("like_")]:
        CATALOG.remove(name)
    sys.modules.pop("plugin_alike")


def with_cost(plugin):
    """A network whose activation and cost are the plugin's."""
    x, y = nf.dataset(source="circle", shuffle=True, id="data")
    z = nf.weighted_sum(x, nf.parameter(shape=(4, 2), id="t1"), nf.parameter(shape=[4], id="b1"),
                        id="hidden")  # fmt: skip
    bent = plugin.like_elu(z, size=0.5, id="bent")
    a = nf.weighted_sum(bent, nf.parameter(shape=(2, 4), id="t2"), id="output")
    cost = plugin.like_log_cosh(a, y, id="cost")
    return nf.Graph.of(nf.gradient_descent(cost, rate=0.05, id="train"), name="plugin")


def test_it_is_offered_and_found(plugin):
    assert "like_elu" in offered("activation")
    assert "like_log_cosh" in offered("cost")
    assert "like_signs" in offered("trainer")
    assert found("bent line")[0].name == "like_elu"
    graph = made_network(
        data="circle", activation="like_elu", output="identity", cost="like_log_cosh",
        trainer="like_signs",
    )  # fmt: skip
    assert "log cosh, like signs" in graph.about
    assert len(nf.Run(graph).train(3)) == 3


def test_it_is_differentiated_without_a_rule_and_asks_for_no_python(plugin):
    graph = with_cost(plugin)
    assert nf.check(graph).valid
    run = nf.Run(graph)
    assert not run.machine.tape.calls
    run.train(1)
    twin = nf.Run(nf.unfold(graph))
    twin.train(1)
    for address, value in run.weights.items():
        assert np.array_equal(value, twin.weights[address])


@pytest.mark.parametrize("name", ["like_elu", "like_log_cosh"])
def test_what_it_says_it_calculates_is_what_its_function_gives(plugin, name):
    graph = with_cost(plugin)
    run = nf.Run(graph)
    run.evaluate()
    key = next(iter(graph.of_type(name)))
    type_, inputs = graph.type_of(key), graph.inputs(key)
    given = [run[inputs[port.name][0].start] for port in type_.inputs]
    own = type_.function(*given, **graph.settings(key))
    assert run[f"{key}.{type_.outputs[0].name}"] == pytest.approx(own, rel=1e-12)


def test_it_is_written_out_with_its_numbers_and_its_curve_is_drawn(plugin):
    run = nf.Run(with_cost(plugin))
    steps = {step.node: step for step in (run.step() for _ in range(len(run.order)))}
    assert "e^" in formula_of(steps["bent"]) or "exp" in formula_of(steps["bent"])
    assert "ln" in formula_of(steps["cost"])
    curve = slope_at("like_elu", np.array([-1.0, 2.0]), {"size": 0.5})
    assert curve.a == pytest.approx([0.5 * np.expm1(-1), 1.0])
    assert curve.slopes == pytest.approx([0.5 * np.exp(-1), 0.5])
    trees = templates.templates(run)
    assert all("tree" in one for one, key in zip(trees, run.plan.order, strict=True)
               if key in ("bent", "cost"))  # fmt: skip


def test_why_a_weight_changes_is_derived(plugin):
    graph = with_cost(plugin)
    run = nf.Run(graph, batch=1)
    run.step()
    found = derive(run, "t1.value", (0, 0))
    assert "exp" in found.chain or "e^" in found.chain


def test_blame_dies_in_it(plugin):
    graph = with_cost(plugin)
    run = nf.Run(graph.set("b1", value=[-20.0, 0.5, 0.5, 0.5]))
    run.evaluate()
    (reason,) = [one for one in where_blame_dies(run) if one.kind == "slope"]
    assert reason.neuron == 0
    assert "like elu′" in reason.text


def test_it_is_taken_apart_and_put_together(plugin):
    graph = with_cost(plugin)
    apart = nf.explode(graph, "hidden")
    assert len(apart.of_type("like_elu")) == 4
    assert len(nf.collapse(apart, "hidden").of_type("like_elu")) == 1


def test_it_is_coloured_and_laid_out(plugin):
    graph = tidy(with_cost(plugin))
    like = tidy(network(nf.tanh))
    views = scene.scene(graph).nodes
    assert views["bent"].family == scene.scene(like).nodes["hidden_a"].family == "activation"
    assert views["bent"].x > views["hidden"].x


def test_its_view_is_shown(plugin):
    graph = with_cost(plugin).add("seen", "like_panel").connect("bent.a", "seen.value")
    run = nf.Run(graph)
    run.evaluate()
    shown = Viewer(run.plan.graph, run.plan.inference.tables).all(run.values, run.weights)
    assert shown["seen"].lines(80)


def test_its_trainer_is_unfolded(plugin):
    graph = with_cost(plugin)
    graph = (
        graph.remove("train")
        .add("train", "like_signs", rate=0.5)
        .connect("cost.cost", "train.cost")
    )
    wired = nf.unfold(graph)
    assert {"t1.sign", "t1.update", "b1.sign"} <= wired.nodes.keys()
    runs = [nf.Run(graph), nf.Run(wired)]
    one, other = ([line["cost"] for line in run.train(3)] for run in runs)
    assert one == other


def test_its_update_trains_as_it_steps(plugin):
    nodes = {
        "x": Node("constant", {"value": [2.0]}), "y": Node("constant", {"value": [3.0]}),
        "w": Node("parameter", {"value": [[0.5]]}), "sum": Node("weighted_sum"),
        "error": Node("error"), "gradient": Node("weight_gradient"),
        "update": Node("like_update"), "rate": Node("constant", {"value": 0.25}),
    }  # fmt: skip
    wires = (
        "x.value -> sum.a", "w.value -> sum.weights", "sum.z -> error.a", "y.value -> error.y",
        "error.e -> gradient.delta", "x.value -> gradient.a",
        "gradient.gradient -> update.gradient", "w.value -> update.parameter",
        "rate.value -> update.rate", "update.value -> w.next",
    )  # fmt: skip
    graph = Graph(nodes=nodes, wires=tuple(map(Wire.parse, wires)))
    trained, stepped = nf.Run(graph), nf.Run(graph)
    trained.train(3)
    while stepped.epoch < 3:
        stepped.step()
    for run in (trained, stepped):
        assert run.weights["w.value"] == 0.5 + 3 * 0.25  # each e = 2w − 3 is below 0


def test_its_penalty_is_no_cost_of_samples(plugin):
    graph = with_cost(plugin).remove("train").add("penalty", "like_penalty")
    graph = graph.connect("b1.value", "penalty.weights")
    assert lone_cost(graph) == "cost.cost"


def test_it_goes_into_programs(plugin):
    compare(with_cost(plugin), epochs=2)
    assert "exp" in write(with_cost(plugin), "torch")


def test_it_goes_to_other_programs_by_the_name_that_they_have(plugin):
    graph = with_cost(plugin).set("bent", size=1.0)
    step = next(one for one in layers_of(graph).steps if one.name == "bent")
    assert kind_of(step) == ("elu", {"alpha": 1.0})
    assert layers_of(graph).cost.formula


@pytest.mark.filterwarnings("ignore:__array__ implementation")
@pytest.mark.programs("keras")
def test_it_comes_from_keras_and_goes_back(plugin):
    import keras

    given = keras.Sequential([
        keras.Input((3,)), keras.layers.Dense(4, activation="elu"), keras.layers.Dense(4),
        keras.layers.ELU(), keras.layers.Dense(4), keras.layers.ELU(alpha=0.5),
        keras.layers.Dense(2),
    ])  # fmt: skip
    graph = nf.from_keras(given)
    assert len(graph.of_type("like_known")) == 2
    assert len(graph.of_type("expression")) == 1  # of another α
    back = nf.to_keras(graph)
    x = np.random.default_rng(0).normal(size=(5, 3))
    assert np.allclose(back.predict(x, verbose=0), given.predict(x, verbose=0), rtol=1e-6)


@pytest.mark.programs("torch")
def test_it_comes_from_pytorch_and_goes_back(plugin):
    import torch
    from torch import nn

    given = nn.Sequential(
        nn.Linear(3, 4), nn.ELU(), nn.Linear(4, 4), nn.ELU(0.5), nn.Linear(4, 2)
    ).double()
    x = torch.randn(5, 3, dtype=torch.float64)
    graph = nf.from_torch(given, example=x)
    assert len(graph.of_type("like_known")) == 1
    assert [type(one).__name__ for one in nf.to_torch(graph)] == [
        type(one).__name__ for one in given
    ]
    assert torch.equal(nf.to_torch(graph)(x), given(x))


@pytest.mark.programs("onnx", "onnxruntime")
def test_it_goes_to_onnx(plugin, tmp_path):
    import onnxruntime

    from nodeflow.interchange.onnx.training import training_step

    graph = with_cost(plugin)
    session = onnxruntime.InferenceSession(training_step(replace(graph)))
    assert session.get_inputs()


@pytest.mark.parametrize(
    ("calculation", "sentence"),
    [
        ("max(z, 0", "its calculation cannot be read"),
        ("max(w, 0)", "names 'w', which is no input and no number among its settings"),
    ],
)
def test_a_calculation_that_does_not_fit_is_refused(calculation, sentence):
    def wrong(z):
        """Do what cannot be."""

    declare = nf.declare.node(
        "activation", formula="a = z", shapes="elementwise", calculation=calculation
    )
    with pytest.raises(DeclarationError, match=sentence.replace("(", r"\(")):
        declare(wrong)


def test_a_name_for_a_program_that_nobody_knows_is_refused():
    with pytest.raises(DeclarationError, match=r"no program 'Keras'.*'keras'"):

        @node("activation", formula="a = z", known_as={"Keras": "linear"})
        def like_nothing(z):
            """Pass it on."""


def test_a_calculation_needs_every_input_wired():
    def perhaps(a, b=None):
        """Multiply."""

    declare = nf.declare.node(
        "arithmetic", formula="c = a * b", shapes="elementwise", calculation="a * b"
    )
    with pytest.raises(DeclarationError, match=r"must be wired.*or the default of a port"):
        declare(perhaps)


def test_an_activation_takes_z_and_gives_a():
    def bent(u):
        """Bend."""

    declare = nf.declare.node("activation", formula="g = u", shapes="elementwise")
    with pytest.raises(DeclarationError, match="bent: an activation takes z and gives a"):
        declare(bent)


def test_it_has_twins_that_keep_its_settings(plugin):
    graph = made_network(
        data="xor", hidden=3, activation="like_elu", output="like_elu", cost="squared_error"
    )
    graph, fitting = graph.set("hidden_a", size=0.5), 0
    for program in RULES:
        try:
            made = twin(graph, program)
        except GraphError:  # a rule for sigmoids says so
            continue
        fitting += 1
        nf.Run(made).advance("update")
        if made.nodes["hidden_a"].type == "like_elu":
            assert made.settings("hidden_a")["size"] == 0.5
        else:  # of a program that has but one
            assert made.nodes["hidden_a"].type in CATALOG
    assert fitting > len(RULES) / 2


def test_its_trainer_is_written_as_its_updates(plugin):
    graph = with_cost(plugin).remove("train").add("train", "like_signs", rate=0.5)
    assert "sign" in write(graph.connect("cost.cost", "train.cost"), "torch")


def test_its_cost_and_its_activation_make_one_layer_of_neurons_that_were_wired_one_by_one(plugin):
    graph = nf.explode(with_cost(plugin), "hidden")
    plain = replace(graph, extra={})
    assert len(nf.collapse(plain, "hidden.1").of_type("like_elu")) == 1

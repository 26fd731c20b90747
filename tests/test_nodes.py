"""The library: what every type must have, and the contract of names, ports and settings."""

from __future__ import annotations

import dataclasses
import inspect

import numpy as np
import pytest

import nodeflow as nf
import nodeflow.nodes
from nodeflow.declare import (
    CATALOG,
    FAMILIES,
    Array,
    Catalog,
    Made,
    Many,
    NodeType,
    Output,
    Range,
    node,
)
from nodeflow.declare.decorator import Traits
from nodeflow.errors import BadSetting, DeclarationError, GraphError, UnknownSetting, UnknownType
from nodeflow.files import dumps, loads
from nodeflow.graph import Graph

# The contract, written out by hand: family, inputs (… takes several wires, ? may be left out),
# outputs, settings with their defaults.
CONTRACT = {
    "constant": ("source", "", "value", {"value": 0.0}),
    "slider": ("source", "", "value", {"value": 0.5, "min": 0.0, "max": 1.0, "step": 0.01}),
    "dataset": (
        "source",
        "",
        "x y",
        {
            "source": "xor",
            "target": None,
            "scale": "none",
            "test": 0.0,
            "shuffle": True,
            "scale_target": "none",
            "target_kind": "auto",
            "header": "auto",
            "missing": "refuse",
            "text": "onehot",
            "features": None,
            "drop": None,
            "separator": "auto",
            "decimal": "auto",
            "thousands": "auto",
            "skip": 0,
            "missing_mark": None,
            "encoding": "auto",
        },
    ),
    "parameter": (
        "source",
        "next?",
        "value",
        {"value": None, "shape": None, "init": "glorot", "trainable": True, "range": None},
    ),
    "weighted_sum": ("layer", "a… weights bias?", "z", {}),
    "sigmoid": ("activation", "z", "a", {}),
    "tanh": ("activation", "z", "a", {}),
    "relu": ("activation", "z", "a", {}),
    "leaky_relu": ("activation", "z", "a", {}),
    "softplus": ("activation", "z", "a", {}),
    "identity": ("activation", "z", "a", {}),
    "softmax": ("activation", "z", "a", {}),
    "add": ("arithmetic", "a…", "value", {}),
    "multiply": ("arithmetic", "a…", "value", {}),
    "concatenate": ("arithmetic", "a…", "value", {}),
    "subtract": ("arithmetic", "a b", "value", {}),
    "divide": ("arithmetic", "a b", "value", {}),
    "power": ("arithmetic", "a", "value", {"exponent": 2.0}),
    "relay": ("arithmetic", "a", "value", {}),
    "exp": ("arithmetic", "a", "value", {}),
    "log": ("arithmetic", "a", "value", {}),
    "sum": ("arithmetic", "a", "value", {}),
    "mean": ("arithmetic", "a", "value", {}),
    "pick": ("arithmetic", "a", "value", {"index": 0}),
    "expression": ("arithmetic", "a b", "value", {"formula": "a + b"}),
    "error": ("cost", "a y", "e", {}),
    "squared_error": ("cost", "a y", "cost", {"half": False}),
    "cross_entropy": ("cost", "a y", "cost", {}),
    "categorical_cross_entropy": ("cost", "a y", "cost", {}),
    "l2_penalty": ("cost", "weights…", "cost", {"regularization": 0.01}),
    "accuracy": ("cost", "a y", "value", {"threshold": 0.5}),
    "blame": ("backward", "delta weights", "blame", {}),
    "margin": ("cost", "a y", "value", {}),
    "unroll": ("backward", "values…", "value", {}),
    "gradient_approx": ("backward", "parameter…", "gradient", {"epsilon": 1e-4}),
    "delta": ("backward", "blame a", "delta", {"activation": "sigmoid"}),
    "weight_gradient": ("backward", "delta a…", "gradient", {}),
    "bias_gradient": ("backward", "delta", "gradient", {}),
    "accumulate": ("backward", "gradient previous?", "total", {}),
    "average": ("backward", "total weights?", "gradient", {"regularization": 0.0}),
    "weight_update": ("update", "parameter gradient rate?", "value", {}),
    "step": ("update", "parameter delta a…? rate?", "value", {}),
    "gradient_descent": ("trainer", "cost", "", {"rate": 0.1, "momentum": 0.0}),
    "adam": (
        "trainer",
        "cost",
        "",
        {"rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    ),
    "minimize": ("trainer", "cost", "", {"method": "cg"}),
    "panel": ("view", "value…", "", {}),
    "plot": ("view", "value…", "", {}),
    "image": ("view", "value", "", {}),
    "bars": ("view", "value", "", {}),
    "table": ("view", "value…", "", {}),
    "boundary": ("view", "x a", "", {}),
    "confusion": ("view", "a y", "", {}),
    "blame_shares": ("view", "delta weights", "", {}),
    "function_plot": ("view", "x a…", "", {"low": -6.0, "high": 6.0}),
    "curve": ("view", "x a y", "", {"beyond": 0.5}),
    "landscape": ("view", "parameter…", "", {"low": -5.0, "high": 5.0, "index": None}),
    "dictionary": ("view", "values…?", "", {}),
}
# What the rules of the others need besides.
BESIDES = {
    "spread": ("backward", "blame a", "blame", {}),
    "mean_blame": ("backward", "blame a", "blame", {}),
    "margin_blame": ("backward", "blame a y", "blame", {}),
    "pick_blame": ("backward", "blame a", "blame", {"index": 0}),
    "cross_entropy_blame": ("backward", "blame a y", "blame", {}),
    "categorical_cross_entropy_blame": ("backward", "blame a y", "blame", {}),
    "softmax_error": ("backward", "a y", "delta", {}),
    "log_softmax": ("backward", "z", "log", {}),
    "log_others": ("backward", "z", "log", {}),
    "softmax_binary_error": ("backward", "z y missed", "delta", {}),
}
CHOICES = {
    ("dataset", "scale"): ("none", "minmax", "standard"),
    ("dataset", "scale_target"): ("none", "minmax", "standard"),
    ("dataset", "target_kind"): ("auto", "classes", "numbers"),
    ("dataset", "header"): ("auto", "yes", "no"),
    ("dataset", "missing"): ("refuse", "drop", "mean", "keep"),
    ("dataset", "text"): ("onehot", "ordinal", "drop"),
    ("dataset", "decimal"): ("auto", ".", ","),
    ("parameter", "init"): ("zeros", "constant", "uniform", "normal", "glorot", "naive_bayes"),
    ("delta", "activation"): (
        "sigmoid",
        "tanh",
        "relu",
        "leaky_relu",
        "softplus",
        "identity",
        "softmax",
    ),
    ("minimize", "method"): ("cg", "l-bfgs"),
}
FEEDBACK = {("parameter", "next"), ("accumulate", "previous")}
ALL = sorted(CATALOG)


def test_the_library_is_the_contract() -> None:
    assert set(CATALOG) == set(CONTRACT) | set(BESIDES)


@pytest.mark.parametrize("name", [*CONTRACT, *BESIDES])
def test_names_ports_and_settings_are_the_contract(name) -> None:
    family, inputs, outputs, settings = {**CONTRACT, **BESIDES}[name]
    type_ = CATALOG[name]
    assert type_.name == name
    assert type_.family == family
    assert " ".join(map(str, type_.ports_in(type_.defaults))) == inputs
    assert " ".join(map(str, type_.outputs)) == outputs
    assert type_.defaults == settings
    assert [type(value) for value in type_.defaults.values()] == [*map(type, settings.values())]
    feedback = {port.name for port in type_.inputs if port.feedback}
    assert feedback == {port for owner, port in FEEDBACK if owner == name}
    choices = {(name, s.name): s.choices for s in type_.settings if s.kind == "choice"}
    assert choices == {key: value for key, value in CHOICES.items() if key[0] == name}


@pytest.mark.parametrize("name", ALL)
def test_every_type_explains_itself(name) -> None:
    type_ = CATALOG[name]
    assert type_.family in FAMILIES
    first = type_.help.splitlines()[0]
    assert first[0].isupper() or first.startswith("δ")
    assert first.endswith(".")
    assert type_.formula
    assert type_.formula.isprintable()
    assert len({port.name for port in (*type_.inputs, *type_.outputs)}) >= len(type_.outputs)
    assert len({port.name for port in type_.inputs}) == len(type_.inputs)
    assert repr(type_) == f"<node type {name}>"
    assert getattr(nf, name) is type_
    assert name in dir(nf)


@pytest.mark.parametrize("name", ALL)
def test_every_default_is_allowed(name) -> None:
    type_ = CATALOG[name]
    assert type_.check({}, "n") == type_.defaults
    for setting in type_.settings:
        assert setting.check(setting.default, "n") == setting.default


@pytest.mark.parametrize("name", ALL)
def test_every_type_survives_a_file(name) -> None:
    type_ = CATALOG[name]
    graph = Graph().add("n", name, **{k: v for k, v in type_.defaults.items() if v is not None})
    for number, port in enumerate(type_.ports_in(type_.defaults)):
        if not port.feedback:
            graph = graph.add(f"c{number}", "constant", value=[1.0, 2.5])
            for _ in range(1 + port.many):
                graph = graph.connect(f"c{number}.value", f"n.{port.name}")
    text = dumps(graph)
    again = loads(text)
    assert again.nodes["n"].type == name
    assert again.settings("n") == graph.settings("n")
    assert sorted(again.wires) == sorted(graph.wires)
    assert dumps(again) == text


@pytest.mark.parametrize("name", ALL)
def test_an_unknown_setting_is_refused_with_the_nearest(name) -> None:
    type_ = CATALOG[name]
    with pytest.raises(UnknownSetting) as caught:
        type_.check({"colour": 1}, "n")
    start = f"node 'n' ({name}) has no setting 'colour'; "
    if type_.settings:
        assert str(caught.value).startswith(start)
    else:
        assert str(caught.value) == start + "it has none"
    assert caught.value.node == "n"


@pytest.mark.parametrize("name", ALL)
def test_the_signature_names_the_ports(name) -> None:
    type_ = CATALOG[name]
    parameters = list(inspect.signature(type_.function).parameters.values())
    settings = [
        p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in ("samples", "cost")
    ]
    assert settings == [setting.name for setting in type_.settings]
    if type_.dynamic_inputs is None:
        ports = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
        assert ports == [port.name for port in type_.inputs]


REFUSED = [
    ("slider", {"value": "x"}, 'n.value must be a finite number, not "x"'),
    ("slider", {"value": True}, "n.value must be a finite number, not true"),
    ("slider", {"value": float("nan")}, "n.value must be a finite number, not NaN"),
    ("dataset", {"test": 1.0}, "n.test must be a number from 0 below 1, not 1.0"),
    ("dataset", {"test": -0.1}, "n.test must be a number from 0 below 1, not -0.1"),
    ("dataset", {"scale": "max"}, 'n.scale must be one of none, minmax, standard, not "max"'),
    ("dataset", {"shuffle": 1}, "n.shuffle must be true or false, not 1"),
    ("dataset", {"source": 3}, "n.source must be a text, not 3"),
    ("dataset", {"target": 1.5},
     "n.target must be a column's name or number, or a list of them, not 1.5"),
    ("gradient_descent", {"rate": -1}, "n.rate must be a number from 0, not -1"),
    ("gradient_descent", {"momentum": 1}, "n.momentum must be a number from 0 below 1, not 1"),
    ("l2_penalty", {"regularization": -1}, "n.regularization must be a number from 0, not -1"),
    ("pick", {"index": -1}, "n.index must be a feature's number from 0, or a list of them, not -1"),
    ("pick", {"index": []}, "n.index must be a feature's number from 0, or a list of them, not []"),
    ("parameter", {"shape": [0]},
     "n.shape must be one or two whole numbers above 0, such as [5, 7], not [0]"),
    ("parameter", {"shape": [1, 2, 3]},
     "n.shape must be one or two whole numbers above 0, such as [5, 7], not [1, 2, 3]"),
    ("parameter", {"value": [[1], [2, 3]]},
     "n.value must be a number, a list of numbers, or a list of rows of equal length, "
     "not [[1], [2, 3]]"),
    ("parameter", {"value": []},
     "n.value must be a number, a list of numbers, or a list of rows of equal length, not []"),
    ("constant", {"value": float("inf")},
     "n.value must be finite numbers (it holds NaN or Infinity), not Infinity"),
    ("constant", {"value": [1, "NaN"]},
     'n.value must be finite numbers (it holds NaN or Infinity), not [1, "NaN"]'),
    ("expression", {"formula": 3}, "n.formula must be a formula such as 'a + b', not 3"),
    ("delta", {"activation": "gelu"},
     "n.activation must be one of sigmoid, tanh, relu, leaky_relu, softplus, identity, softmax, "
     'not "gelu"'),
]  # fmt: skip


@pytest.mark.parametrize(("name", "settings", "sentence"), REFUSED)
def test_settings_are_refused_in_one_sentence(name, settings, sentence) -> None:
    with pytest.raises(BadSetting) as caught:
        Graph().add("n", name, **settings)
    assert str(caught.value) == sentence
    assert caught.value.node == "n"


def test_a_slider_stays_between_its_ends() -> None:
    with pytest.raises(BadSetting) as caught:
        nf.Run(
            Graph().add("s", "slider", value=2.0).add("p", "panel").connect("s.value", "p.value")
        )
    assert "must be from 0 up to 1, not 2" in str(caught.value)


# --- calling a type -----------------------------------------------------------------------------


def test_a_call_on_arrays_computes() -> None:
    z = np.array([[0.0, 1.0]])
    np.testing.assert_allclose(nf.sigmoid(z), 1 / (1 + np.exp(-z)))
    np.testing.assert_allclose(nf.add(z, z, z), 3 * z)
    np.testing.assert_allclose(nf.power(z + 1, exponent=3), (z + 1) ** 3)
    np.testing.assert_allclose(nf.weighted_sum(z, np.array([[2.0, 3.0]]), np.array([1.0])), [[4.0]])
    np.testing.assert_allclose(nf.average(np.ones(2), samples=4), [0.25, 0.25])
    np.testing.assert_allclose(nf.expression(z, z, formula="a - 2 * b"), -z)


def test_lists_of_numbers_are_arrays():
    np.testing.assert_array_equal(nf.multiply([1, 2], [3, 4]), [3.0, 8.0])
    np.testing.assert_array_equal(nf.error([0.5], [1]), [-0.5])
    np.testing.assert_array_equal(nf.power([2], exponent=-1), [0.5])
    np.testing.assert_array_equal(nf.weighted_sum([1, 2], [[3, 4]], [1]), [12.0])
    joined = nf.weighted_sum([np.array([1.0]), np.array([2.0])], [[3, 4]])
    np.testing.assert_array_equal(joined, [[11.0]])
    np.testing.assert_array_equal(nf.expression(a=[2], b=[3], formula="a·b + 1"), [7.0])
    for wrong in ("text", [[1], [2, 3]], {"a": 1}):
        with pytest.raises(GraphError, match="the input 'y' of error takes numbers"):
            nf.error([0.5], wrong)


def test_a_call_on_wires_builds() -> None:
    x = nf.constant(value=[1.0, 2.0], id="x")
    assert isinstance(x, Output)
    built = nf.sigmoid(x, id="s")
    assert isinstance(built, Output)
    assert repr(built) == "<s.a>"
    assert isinstance(nf.panel(built), Made)
    data = nf.dataset(source="xor", id="d")
    assert [repr(wire) for wire in data] == ["<d.x>", "<d.y>"]


def test_numbers_beside_wires_become_constants() -> None:
    graph = Graph.of(nf.add(nf.constant(value=1.0, id="x"), 2.5, id="sum"))
    assert sorted(graph.nodes) == ["constant", "sum", "x"]
    assert graph.settings("constant")["value"] == 2.5


CALLS = [
    (lambda x: nf.sigmoid(z=None), "sigmoid needs its input 'z'"),
    (lambda x: nf.sigmoid(x, x), "sigmoid takes z; 2 were given"),
    (nf.subtract, "subtract needs its input 'b'"),
    (lambda x: nf.panel(), "panel needs its input 'value'"),
    (lambda x: nf.expression(x, formula="b * c"), "expression needs its input 'c'"),
    (
        lambda x: nf.gradient_descent(x, speed=1),
        "node 'gradient_descent' (gradient_descent) has no setting 'speed'; "
        "there is momentum, rate",
    ),
    (
        lambda x: nf.gradient_descent(x, rat=1),
        "node 'gradient_descent' (gradient_descent) has no setting 'rat'; did you mean 'rate'?",
    ),
]


@pytest.mark.parametrize(("call", "sentence"), CALLS)
def test_wrong_calls_are_refused_in_one_sentence(call, sentence) -> None:
    with pytest.raises(GraphError) as caught:
        call(nf.constant(value=1.0))
    assert str(caught.value) == sentence


def test_unknown_types_are_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownType) as caught:
        CATALOG["sigmoyd"]
    assert str(caught.value) == "there is no node type 'sigmoyd'; did you mean 'sigmoid'?"
    with pytest.raises(AttributeError, match="has no attribute 'sigmoyd'"):
        nf.sigmoyd  # noqa: B018


# --- declaring a type -----------------------------------------------------------------------------


def declare(function=None, **changes):
    """Declare a type in a catalog of its own."""

    def twice(a):
        """Double a number."""
        return 2 * a

    options = {"family": "arithmetic", "formula": "value = 2a", "catalog": Catalog()} | changes
    return node(options.pop("family"), **options)(function or twice)


def test_a_declaration_is_a_function_and_its_notes() -> None:
    def many(a: Many, b=None, *, size: int = 3, kind: str = "x") -> None:
        """Do something."""

    type_ = declare(many, outputs=["p", "q"])
    assert [str(port) for port in type_.inputs] == ["a…", "b?"]
    assert [port.name for port in type_.outputs] == ["p", "q"]
    assert [(s.name, s.kind, s.default) for s in type_.settings] == [
        ("size", "integer", 3),
        ("kind", "text", "x"),
    ]
    assert declare().outputs[0].name == "value"


def without_help(a):
    return a


def without_annotation(a, *, size=3):
    """Do something."""


DECLARATIONS = [
    ({"family": "maths"}, "twice: there is no family 'maths'"),
    ({"formula": ""}, "twice needs a formula: it is shown on the node"),
    ({"formula": "2 · a"}, "twice: name its outputs, the formula does not begin with one"),
    ({"function": without_help}, "without_help needs a docstring: it is the help text of the node"),
    ({"function": without_annotation},
     "without_annotation.size needs an annotation that says what is allowed"),
    ({"shapes": "(n,i)"}, "shapes '(n,i)' need one '->' between inputs and outputs"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "sentence"), DECLARATIONS)
def test_wrong_declarations_are_refused(changes, sentence) -> None:
    with pytest.raises(DeclarationError) as caught:
        declare(**changes)
    assert str(caught.value).startswith(sentence)


def test_two_types_of_one_name_are_refused() -> None:
    catalog = Catalog()
    declare(catalog=catalog)
    with pytest.raises(DeclarationError, match=r"^there is a node type 'twice' already, of "):
        declare(catalog=catalog)
    catalog.remove("twice")
    assert len(catalog) == 0
    assert "twice" not in catalog


def test_a_new_type_runs_through_its_function_and_its_slope() -> None:
    def cube(a):
        """Raise to the third power."""
        return a**3

    def slope(blame, a):
        """Pass blame through a cube."""
        return blame * 3 * a**2

    type_ = node("arithmetic", formula="value = a³")(cube)
    try:
        type_.vjp(slope)
        x = nf.constant(value=[[0.3, -0.8], [1.2, 0.4]], id="x")
        z = nf.weighted_sum(x, nf.parameter(value=[[0.5, -0.7]], id="w"), id="z")
        graph = Graph.of(nf.gradient_descent(type_(z, id="c")))
        run = nf.Run(graph)
        run.advance("phase")
        np.testing.assert_allclose(run["c.value"], run["z.z"] ** 3)
        found = nf.check(graph)
        assert found.valid
        assert found.max_relative_error < 1e-7
        stepped, trained = nf.Run(graph), nf.Run(graph)
        while stepped.update < 3:
            stepped.step()
        trained.train(updates=3)
        assert (stepped.weights["w.value"] == trained.weights["w.value"]).all()
    finally:
        CATALOG.remove("cube")
        CATALOG.remove("slope")
        CATALOG.remove("cube_blame")


def test_ranges_say_what_they_hold() -> None:
    assert str(Range(0, 1)) == "from 0 up to 1"
    assert str(Range(0, 1, open=True)) == "from 0 below 1"
    assert str(Range(high=3)) == "up to 3"
    assert Range(0, 1).holds(1)
    assert not Range(0, 1, open=True).holds(1)
    assert not Range(0).holds(-1)
    assert Range(0).holds(1e300)


def test_large_arrays_are_compared_by_content() -> None:
    one, two = Array(np.arange(6.0).reshape(2, 3)), Array([[0, 1, 2], [3, 4, 5]])
    assert one == two
    assert hash(one) == hash(two)
    assert one != Array([[0, 1, 2]])
    assert repr(one) == "Array(2×3)"
    with pytest.raises(ValueError, match="read-only"):
        one.values[0, 0] = 1


FIRST = {
    "delta": "activation",
    "average": "regularization",
    "power": "exponent",
    "pick": "index",
    "pick_blame": "index",
    "squared_error": "half",
    "l2_penalty": "regularization",
    "accuracy": "threshold",
    "expression": "formula",
    "constant": "value",
    "slider": "value min max step",
    "dataset": "source target scale test shuffle",
    "parameter": "value shape init trainable",
    "gradient_descent": "rate momentum",
    "adam": "rate beta1 beta2 epsilon",
    "minimize": "method",
}
"""Settings that version 1's first files hold; types without any are not listed."""


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_a_setting_that_came_later_is_in_a_file_only_where_it_was_said(name, tmp_path):
    type_ = CATALOG[name]
    if name in FIRST:
        assert FIRST[name].split() == [one.name for one in type_.settings if not one.later]
    graph = nf.Graph().add("n", name)
    path = tmp_path / "g.json"
    nf.save(graph, path)
    kept = nf.load(path).nodes["n"].settings
    assert set(kept) == {one.name for one in type_.settings if not one.later}
    for one in type_.settings:
        if one.later:
            nf.save(nf.load(path).set("n", **{one.name: one.default}), path)
            assert one.name in nf.load(path).nodes["n"].settings


def test_what_a_type_says_of_itself_is_kept_with_it() -> None:
    kept = {field.name for field in dataclasses.fields(NodeType)}
    assert Traits.__annotations__.keys() - kept == {"operation"}  # it becomes the type's rows
    with pytest.raises(DeclarationError, match=r"by 'knwon_as'; did you mean 'known_as'\?$"):
        node("activation", formula="a = z", knwon_as={"onnx": "Relu"})


def test_the_library_is_a_mapping_also_for_names_that_it_has_not():
    there = {name: CATALOG[name] for name in CATALOG}
    assert set(there) == CATALOG.keys()
    for name in ("sigmoid", "no_such_type"):
        assert CATALOG.get(name) is there.get(name)
        assert CATALOG.get(name, 7) == there.get(name, 7)
        assert (name in CATALOG) == (name in there)

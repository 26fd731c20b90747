"""Formulas with numbers, shares of blame, and why a weight changed."""

import math
import subprocess
import sys
import time
from pathlib import Path

import helpers_nodes
import networks
import numpy as np
import pytest
from helpers_explain import value

import nodeflow as nf
from nodeflow import explain as ex
from nodeflow.declare import CATALOG
from nodeflow.errors import RunError
from nodeflow.workings.bodies import body_of

FOLDER = Path(__file__).parent.parent / "graphs"


def steps(run, updates=1):
    while run.update < updates:
        yield run.step()


def assert_from_ports(run, line):
    for number in line.numbers:
        if number.address and number.address != line.result.address:
            assert run[number.address][number.index] == number.value, number


def hold(run, updates=1, **options):
    """Hold every line of every step against the value that the engine computed."""
    types = set()
    for step in steps(run, updates):
        found = ex.explain(run, step, **options)
        types.add(step.type)
        assert len(found.lines) == sum(array.size for array in step.outputs.values())
        for line in found.lines:
            assert (
                line.result.value
                == step.outputs[line.result.address.rpartition(".")[2]][line.result.index]
            )
            expected = line.result.value
            assert line.expression.isascii()
            assert math.isclose(value(line.expression), expected, rel_tol=1e-12, abs_tol=1e-12), (
                step.node,
                line.text,
            )
            if step.phase != "update" and run.node != run.order[0]:
                assert_from_ports(run, line)
            assert line.text.startswith(line.left + " = ")
    return types


def test_every_type_of_the_library_that_calculates_has_a_formula() -> None:
    sources = {"constant", "slider", "dataset", "parameter"}
    calculating = {
        name
        for name, type_ in CATALOG.items()
        if type_.outputs and type_.function.__module__.startswith("nodeflow.")
        if not type_.probes  # its numbers are costs that no port has
    }
    written = {name for name in CATALOG if body_of(name) is not None}
    assert written == calculating - sources - {"step"}  # it is evaluated as its three parts


@pytest.mark.parametrize("case", helpers_nodes.CASES, ids=str)
def test_each_line_evaluates_to_the_value_of_the_step(case, tmp_path) -> None:
    graph = helpers_nodes.graph_of(case, case.values(3), tmp_path)
    types = hold(nf.Run(graph, batch="all"))
    assert case.type.replace("step", "weight_update") in types


@pytest.mark.parametrize(
    ("options", "updates"),
    [
        ({"batch": 1}, 3),
        ({"batch": "all", "half": True, "l2": 0.1}, 2),
        ({"batch": 3, "cost": "cross_entropy", "momentum": 0.9}, 3),
        ({"act": "tanh", "last": "softmax", "cost": "categorical_cross_entropy"}, 2),
        ({"act": "softplus", "trainer": "adam", "batch": 2}, 3),
        ({"act": "leaky_relu", "last": "identity"}, 2),
        ({"act": "relu", "cost": "cross_entropy", "l2": 0.01}, 2),
    ],
    ids=str,
)
def test_each_line_of_a_network_that_trains_evaluates_to_its_value(options, updates) -> None:
    last = 3 if options.get("last") else 1
    source, sizes = ("iris", (4, 3, last)) if last == 3 else ("xor", (2, 3, 1))
    hold(nf.Run(networks.net(source, sizes, **options)), updates)


@pytest.mark.parametrize("batch", [1, 3, "all"])
@pytest.mark.parametrize("loop", [False, True])
def test_each_line_of_a_hand_wired_network_evaluates_to_its_value(batch, loop) -> None:
    graph = networks.hand("xor", (2, 3, 1), rate=0.5, batch=batch, loop=loop)
    types = hold(nf.Run(graph), 3)
    assert ("accumulate" in types) == loop


@pytest.mark.parametrize("z", [-1000.0, -745.0, -40.0, 0.0, 40.0, 1000.0])
def test_far_ends_of_activations_can_be_evaluated(z) -> None:
    x = nf.constant(value=[z, 1.0])
    ends = [getattr(nf, name)(x) for name in ("sigmoid", "softplus", "softmax", "tanh")]
    hold(nf.Run(nf.Graph.of(*ends, nf.expression(x, formula="sigmoid(a) - 1"))))


def test_outputs_of_0_and_1_can_be_evaluated() -> None:
    a, y = nf.constant(value=[0.0, 1.0, 1.0]), nf.constant(value=[0.0, 0.0, 1.0])
    hold(nf.Run(nf.Graph.of(nf.cross_entropy(a, y), nf.categorical_cross_entropy(a, y))))


# --- the numbers of M. Mazur, "A Step by Step Backpropagation Example" ----------------------------


def mazur(**settings):
    x, y = nf.constant(value=[0.05, 0.10], id="x"), nf.constant(value=[0.01, 0.99], id="y")
    w1 = nf.parameter(value=[[0.15, 0.20], [0.25, 0.30]], id="w1")
    w2 = nf.parameter(value=[[0.40, 0.45], [0.50, 0.55]], id="w2")
    b1, b2 = (nf.parameter(value=[b, b], id=f"b{i}") for i, b in ((1, 0.35), (2, 0.60)))
    h = nf.sigmoid(nf.weighted_sum(x, w1, b1, id="hidden"), id="hidden.a")
    o = nf.sigmoid(nf.weighted_sum(h, w2, b2, id="output"), id="output.a")
    cost = nf.squared_error(o, y, half=True, id="cost")
    return nf.Graph.of(nf.gradient_descent(cost, rate=0.5, id="train"), **settings)


def told(graph):
    run = nf.Run(graph)
    return {step.node: ex.explain(run, step) for step in steps(run)}


def test_the_lines_are_those_of_the_article() -> None:
    lines = {node: found.lines for node, found in told(mazur()).items()}
    first = lines["hidden"][0]
    assert first.text == "z₁ = 0.15·0.05 + 0.2·0.1 + 0.35 = 0.3775"
    assert first.expression == "((0.15 * 0.05) + (0.2 * 0.1) + 0.35)"
    assert [(n.value, n.address, n.index) for n in first.numbers] == [
        (0.15, "w1.value", (0, 0)),
        (0.05, "x.value", (0, 0)),
        (0.20, "w1.value", (0, 1)),
        (0.10, "x.value", (0, 1)),
        (0.35, "b1.value", (0,)),
    ]
    assert first.result.address == "hidden.z"
    assert lines["hidden.a"][0].result.value == pytest.approx(0.593269992, abs=5e-10)
    assert lines["output"][0].result.value == pytest.approx(1.105905967, abs=5e-10)
    assert lines["output.a"][0].text == "a₁ = 1 / (1 + e^(−1.1059)) = 0.7514"
    assert lines["cost"][0].text == "cost = 0.5·((0.7514 − 0.01)² + (0.7729 − 0.99)²) = 0.2984"
    assert lines["output.delta"][0].text == "delta₁ = 0.7414·0.7514·(1 − 0.7514) = 0.1385"
    assert lines["w2.gradient"][0].text == "gradient₁,₁ = 0.1385·0.5933 = 0.08217"
    assert lines["w2.update"][0].result.value == pytest.approx(0.35891648, abs=5e-9)
    assert lines["w1.update"][0].text == "value₁,₁ = 0.15 − 0.5·0.0004386 = 0.1498"


def test_an_explanation_has_the_symbols_and_as_many_lines_as_are_asked_for() -> None:
    run = nf.Run(mazur())
    (step,) = [step for step in steps(run) if step.node == "hidden"]
    assert ex.explain(run, step).text == (
        "hidden: z = Θa + b\n"
        "z₁ = 0.15·0.05 + 0.2·0.1 + 0.35 = 0.3775\n"
        "z₂ = 0.25·0.05 + 0.3·0.1 + 0.35 = 0.3925"
    )
    assert len(ex.explain(run, step, most=1).lines) == 1
    assert ex.explain(run, step, most=0).lines == ()


def test_long_sums_keep_their_largest_terms() -> None:
    x = nf.constant(value=[0.001, 5, 0.002, -7, 1, 0.003, 2, 3])
    z = nf.weighted_sum(x, nf.parameter(value=[[1.0] * 8]), id="z")
    line = told(nf.Graph.of(z))["z"].lines[0]
    assert line.text == ("z = 1·5 + 1·(−7) + 1·1 + 1·2 + 1·3 + (3 smaller terms: 0.006) = 4.006")
    assert value(line.expression) == pytest.approx(4.006, abs=1e-15)


def test_terms_are_made_when_they_are_asked_for() -> None:
    x = nf.constant(value=[1.0, 2.0, 3.0], id="x")
    z = nf.weighted_sum(x, nf.parameter(value=[[4.0, 5.0, 6.0]], id="w"), id="z")
    terms = told(nf.Graph.of(z))["z"].lines[0].terms
    assert len(terms) == 3
    assert list(terms) == list(terms[:]) == [terms[0], terms[1], terms[-1]]
    assert terms[1] == ex.Apply(
        "*", (ex.Number(5.0, "w.value", (0, 1)), ex.Number(2.0, "x.value", (0, 1)))
    )
    assert ex.evaluate(ex.Apply("+", terms)) == 32
    with pytest.raises(IndexError):
        terms[3]


@pytest.mark.parametrize(
    "type_", ["squared_error", "cross_entropy", "categorical_cross_entropy", "softmax_error"]
)
def test_long_rows_are_shortened_and_can_be_evaluated(type_) -> None:
    random = np.random.default_rng(0)
    a, y = (nf.constant(value=random.uniform(0.1, 0.9, 12).tolist()) for _ in range(2))
    node = getattr(nf, type_, None) or CATALOG[type_]
    run = nf.Run(nf.Graph.of(node(a, y, id="n"), nf.softmax(a), nf.l2_penalty(a)))
    lines = [line for step in steps(run) for line in ex.explain(run, step).lines]
    for line in lines:
        assert value(line.expression) == pytest.approx(line.result.value, abs=1e-12)
    long = [line for line in lines if len(line.numbers) > 12]
    assert long
    assert all(" + (7 smaller terms: " in line.text for line in long)


def test_infinity_is_explained_and_told() -> None:
    x = nf.constant(value=[0.0, 1.0])
    beside = nf.squared_error(x, x)  # a cost that Infinity does not enter
    graph = nf.Graph.of(nf.relu(nf.divide(1.0, x, id="over"), id="relu"), beside)
    assert told(graph)["over"].lines[0].text == "value₁ = 1 / 0 = Infinity"
    assert accounts(graph)["relu"].startswith("relu ")


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("a - (a - b)", "value = −2 − (−2 − 3) = 3"),
        ("-(a + b)", "value = (−1)·(−2 + 3) = −1"),
        ("b / (a * b)", "value = 3 / ((−2)·3) = −0.5"),
        ("a * (b / 2)", "value = (−2)·(3 / 2) = −3"),
        ("(a ^ 2) ^ b", "value = ((−2)²)^3 = 64"),
        ("exp(a) + log(b)", "value = e^(−2) + ln(3) = 1.2339"),
        ("sqrt(b) * abs(a)", "value = √(3)·|−2| = 3.4641"),
        ("max(a, b) - min(a, b)", "value = max(−2, 3) − min(−2, 3) = 5"),
        ("step(a) + sign(a)", "value = max(0, (−2) / |−2|) + (−2) / |−2| = −1"),
        ("step(a + 2) + sign(0)", "value = 0·(−2 + 2) + 0·0 = 0"),
    ],
)
def test_brackets_stand_where_they_are_needed(formula, text) -> None:
    wires = {name: nf.constant(value=v) for name, v in (("a", -2), ("b", 3)) if name in formula}
    run = nf.Run(nf.Graph.of(nf.expression(formula=formula, **wires, id="f")))
    line = next(ex.explain(run, step) for step in steps(run) if step.node == "f").lines[0]
    assert line.text == text


# --- accounts ------------------------------------------------------------------------------------


def accounts(graph, updates=1):
    run = nf.Run(graph)
    return {step.node: ex.account(run, step) for step in steps(run, updates)}


TOLD = {
    "w1": "w1 holds 2×2 numbers from 0.15 to 0.3.",
    "train.rate": "train.rate holds 0.5.",
    "hidden": "hidden added up 2 weighted inputs a neuron; neuron 2 has the largest sum, 0.3925.",
    "hidden.a": "hidden.a squashed 0.3775 to 0.5933 (number 1).",
    "cost": "cost is 0.2984; output 1 is furthest off, 0.7414 above its target.",
    "cost.error": "cost.error calculated e₁ = 0.7514 − 0.01 = 0.7414, the largest of its numbers.",
    "output.delta": (
        "output.delta turned blame 0.7414 into δ = 0.1385 by the slope of sigmoid at number 1."
    ),
    "hidden.blame": "hidden 2 answers for 53 % of the error of output 1.",
    "b2.average": (
        "b2.average calculated gradient₁ = 0.1385 / 1 = 0.1385, the largest of its numbers."
    ),
    "b2.update": "b2 moved by at most 0.06925, most at output 1.",
    "w2.update": "w2 moved by at most 0.04133, most where hidden 2 meets output 1.",
    "w1.update": "w1 moved by at most 0.0004977, most where x₂ meets hidden 2.",
}


def test_each_step_is_told_in_a_sentence() -> None:
    found = accounts(mazur())
    assert {node: found[node] for node in TOLD} == TOLD


def test_other_families_are_told_in_sentences_too() -> None:
    x, y = nf.dataset("xor", shuffle=False, id="data")
    w = nf.parameter(value=[[1.0, -1.0], [0.0, 0.0]], id="w")
    z = nf.weighted_sum(x, w, id="layer")
    relu = nf.relu(nf.subtract(z, 1.0), id="relu")
    ends = [
        relu,
        nf.softmax(z, id="soft"),
        nf.identity(z, id="same"),
        nf.panel(z, id="panel"),
        nf.accuracy(nf.pick(z, id="first"), y, id="hits"),
        nf.accuracy(z, nf.constant(value=[0.0, 1.0]), id="classes"),
        nf.l2_penalty(w, regularization=0.1, id="penalty"),
    ]
    found = accounts(nf.Graph.of(*ends, batch=1))
    assert found["data"] == "data handed out row 1 of the 4 of epoch 1."
    assert found["relu"] == "relu cut −1 to 0 (number 1)."
    assert found["soft"] == "soft turned 2 sums into shares; number 1 has the largest, 0.5."
    assert found["same"] == "same passed 0 on as it is."
    assert found["panel"] == "panel shows value."
    assert found["hits"] == "hits took the sample for class 0 where 0 is right: a hit."
    assert found["classes"] == "classes took the sample for output 1 where 2 is right: a miss."
    assert found["penalty"] == "penalty calculated cost = 0.1 / 2·(1² + (−1)² + 0² + 0²) = 0.1."


@pytest.mark.parametrize("case", helpers_nodes.CASES, ids=str)
def test_every_type_is_told_in_one_sentence(case, tmp_path) -> None:
    found = accounts(helpers_nodes.graph_of(case, case.values(3), tmp_path))
    assert all(text.endswith(".") and "\n" not in text for text in found.values())


@pytest.mark.parametrize("options", [{"momentum": 0.9}, {"trainer": "adam"}, {"batch": "all"}])
def test_trainers_with_a_memory_are_told_too(options) -> None:
    found = accounts(networks.net("xor", (2, 3, 1), **options), updates=2)
    assert found["theta1.update"].startswith("theta1 moved by at most ")


def test_what_does_not_move_is_told() -> None:
    graph = mazur()
    graph = graph.set("train", rate=0.0)
    graph = graph.set("w2", value=[[0.0, 0.0], [0.0, 0.0]])
    assert accounts(graph)["hidden.blame"] == (
        "hidden.blame sent no blame back: every δ times its weight is 0."
    )
    assert accounts(graph)["w1.update"] == ("w1 did not move: its gradient times the rate is 0.")


def remarks(graph):
    run = nf.Run(graph)
    return {step.node: ex.remark(run, step) for step in steps(run)}


REMARKED = {
    "w1": "",  # the formula lists as many numbers
    "train.rate": "",
    "hidden": "added up 2 weighted inputs a neuron; neuron 2 has the largest sum, 0.3925.",
    "cost": "output 1 is furthest off, 0.7414 above its target.",
    "cost.error": "",  # the formula is that of the largest
    "hidden.blame": "hidden 2 answers for 53 % of the error of output 1.",
    "w2.gradient": "the largest: gradient₁,₂ = 0.08267",
    "w2.update": "w2 moved by at most 0.04133, most where hidden 2 meets output 1.",
}


def test_a_remark_is_what_an_account_has_beside_name_and_formula() -> None:
    found = remarks(mazur())
    assert {node: found[node] for node in REMARKED} == REMARKED


def test_in_a_batch_it_is_said_which_row() -> None:
    x, y = nf.constant(value=[[1.0, 2.0], [-3.0, 0.5]]), nf.constant(value=[[0.0], [1.0]])
    w = nf.parameter(value=[[1.0, 1.0]], id="w")
    out = nf.weighted_sum(x, w, id="out")
    ends = nf.gradient_descent(nf.squared_error(out, y, id="cost"), id="train")
    graph = nf.Graph.of(ends, nf.accuracy(out, y, id="hits"), nf.l2_penalty(w, id="penalty"))
    found = accounts(graph)
    assert found["out"] == (
        "out added up 2 weighted inputs a neuron; neuron 1 of row 1 has the largest sum, 3."
    )
    assert found["cost"] == (
        "cost is 10.625 on average; output 1 of row 2 is furthest off, 3.5 below its target."
    )
    assert found["hits"] == "hits counted 0 hits in 2 rows."
    assert remarks(graph)["cost.error"] == "the furthest from 0: e₂,₁ = −3.5"
    assert remarks(graph)["penalty"] == ""


def test_one_output_has_no_number() -> None:
    a, y = nf.constant(value=0.25), nf.constant(value=1.0)
    assert remarks(nf.Graph.of(nf.squared_error(a, y, id="cost")))["cost"] == (
        "the output is 0.75 below its target."
    )
    assert remarks(nf.Graph.of(nf.squared_error(y, y, id="cost")))["cost"] == (
        "the output is on its target."
    )


def test_numbers_that_are_all_the_same_are_told_as_one() -> None:
    found = remarks(nf.Graph.of(nf.identity(nf.parameter(value=[0.5] * 6, id="b"))))
    assert found["b"] == "holds 6 numbers, all of them 0.5."


# --- shares --------------------------------------------------------------------------------------


def test_shares_are_those_calculated_by_hand() -> None:
    run = nf.Run(mazur())
    run.evaluate()
    found = ex.shares(run, "output")
    # δ of output 1 is above 0, that of output 2 below
    by_hand = [[0.40 / 0.85, 0.45 / 0.85], [-0.50 / 1.05, -0.55 / 1.05]]
    np.testing.assert_allclose(found.values, by_hand, rtol=1e-12)
    np.testing.assert_allclose(np.abs(found.values).sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(found.amounts[0], [0.13849856 * 0.40, 0.13849856 * 0.45], rtol=1e-7)
    assert found.neurons == ("hidden 1", "hidden 2")
    assert found.ranking == (1, 0)
    assert found.text() == (
        "The error of output 1: hidden 2 53 %, hidden 1 47 %.\n"
        "The error of output 2: hidden 2 52 %, hidden 1 48 %."
    )
    assert ex.shares(run, "hidden").neurons == ("x₁", "x₂")


def test_a_column_of_amounts_adds_up_to_the_blame_of_the_neuron() -> None:
    graph = networks.net("iris", (4, 5, 3), batch=4)
    for run in (nf.Run(graph), nf.Run(nf.unfold(graph))):
        run.evaluate()
        for row in range(4):
            found = ex.shares(run, "output", row=row)
            np.testing.assert_allclose(
                found.amounts.sum(axis=0), run.gradient("hidden1.a.a")[row], rtol=1e-12
            )


def test_nothing_to_apportion_is_said() -> None:
    run = nf.Run(mazur())
    run.set_weights({"w2.value": [[0.0, 0.0], [1.0, 3.0]]})
    run.evaluate()
    found = ex.shares(run, "output")
    assert not found.values[0].any()
    np.testing.assert_allclose(np.abs(found.values[1]), [0.25, 0.75])
    assert found.text().startswith("output 1 has nothing to apportion.\n")


def test_shares_refuse_in_a_sentence() -> None:
    run = nf.Run(mazur())
    run.evaluate()
    with pytest.raises(RunError, match="no weighted sum 'ouput'; did you mean 'output'"):
        ex.shares(run, "ouput")
    with pytest.raises(RunError, match="row 1 is beyond the batch: it has 0 to 0"):
        ex.shares(run, "output", row=1)


# --- why -----------------------------------------------------------------------------------------

NETS = {
    "a sample at a time": {},
    "batches": {"batch": 7},
    "all rows": {"batch": "all"},
    "penalty": {"batch": 7, "l2": 0.01},
    "softmax": {"last": "softmax", "cost": "categorical_cross_entropy", "rate": 0.05},
}


@pytest.mark.parametrize("options", NETS.values(), ids=NETS)
@pytest.mark.parametrize(
    ("address", "index"), [("theta1.value", (1, 2)), ("theta2.value", (2, 0)), ("b1.value", 4)]
)
def test_contributions_add_up_to_the_change(options, address, index) -> None:
    graph = networks.net("iris", (4, 5, 3), **options)
    run = nf.Run(graph)
    moments = [run.weights[address][index], *(None for _ in range(4))]
    for epoch in range(1, 5):
        run.train(1)
        moments[epoch] = run.weights[address][index]
    for first, last in ((0, 4), (1, 3), (2, 2), (3, 4)):
        found = ex.why(run, address, index, epochs=(first, last))
        assert (found.before, found.after) == (moments[first], moments[last])
        total = math.fsum(each.change for each in found.contributions)
        assert total == pytest.approx(moments[last] - moments[first], abs=1e-12)
        by_sample = math.fsum(change for _, change in found.by_sample)
        assert by_sample == pytest.approx(total, abs=1e-12)
        samples = [each for each in found.contributions if each.row >= 0]
        assert len(samples) == 150 * (last - first)
        assert {each.row for each in samples} == (set(range(150)) if last > first else set())
        sizes = [abs(each.change) for each in found.ranking]
        assert sizes == sorted(sizes, reverse=True)
        penalised = "l2" in options and address.startswith("theta") and last > first
        assert penalised == any(each.row == -1 for each in found.contributions)


def test_a_contribution_is_what_the_steps_show() -> None:
    """The row, its δ and input, and −α·δ·a, found by stepping through the epoch."""
    run = nf.Run(networks.net("iris", (4, 5, 3), rate=0.3))
    found = ex.why(nf.Run(run.graph), "theta1.value", (1, 2), epochs=(0, 0)).contributions
    assert found == ()
    run.train(1)
    found = ex.why(run, "theta1.value", (1, 2), epochs=(0, 1)).contributions
    other = nf.Run(run.graph)
    rows = networks.splitmix_order(150, 0, 0)
    for number, each in enumerate(found[:20]):
        other.advance("update")
        delta, a = other.gradient("hidden1.z")[0, 1], other["data.x"][0, 2]
        assert each == (0, rows[number], delta, a, pytest.approx(-0.3 * delta * a, abs=1e-15))


def test_weights_that_two_layers_share_are_traced_through_both() -> None:
    x, y = nf.dataset("xor", id="data")
    w = nf.parameter(shape=(2, 2), init="uniform", id="w")
    a = nf.sigmoid(nf.weighted_sum(nf.sigmoid(nf.weighted_sum(x, w, id="one")), w, id="two"))
    cost = nf.squared_error(nf.pick(a), y)
    run = nf.Run(nf.Graph.of(nf.gradient_descent(cost, rate=0.5), batch=2))
    run.train(3)
    found = ex.why(run, "w.value", (0, 1), epochs=(0, 3))
    assert len(found.contributions) == 2 * 4 * 3
    total = math.fsum(each.change for each in found.contributions)
    assert total == pytest.approx(found.change, abs=1e-12)


def test_an_input_of_several_wires_is_found_in_its_place() -> None:
    x, y = nf.dataset("xor", id="data")
    w = nf.parameter(shape=(1, 3), init="uniform", id="w")
    a = nf.sigmoid(nf.weighted_sum([nf.pick(x, index=1), x], w, id="one"))
    run = nf.Run(nf.Graph.of(nf.gradient_descent(nf.squared_error(a, y)), batch=2))
    run.train(2)
    for column in range(3):
        found = ex.why(run, "w.value", (0, column), epochs=(0, 2))
        total = math.fsum(each.change for each in found.contributions)
        assert total == pytest.approx(found.change, abs=1e-12)
    same = [ex.why(run, "w.value", (0, column), epochs=(0, 2)).contributions for column in (0, 2)]
    assert same[0] == same[1]


MOMENTS = {
    "start": lambda run: run.goto(epoch=0),
    "mid epoch": lambda run: run.goto(epoch=1, sample=40),
    "mid update": lambda run: run.goto(epoch=2, sample=17, node="hidden1"),
    "last node but one": lambda run: run.goto(epoch=2, sample=17, node=run.order[-2]),
    "end": lambda run: run.goto(epoch=3),
    "evaluated": lambda run: (run.goto(epoch=1), run.evaluate()),
    "evaluated at the start": lambda run: (run.goto(epoch=0), run.evaluate()),
}


@pytest.mark.parametrize("at", MOMENTS.values(), ids=MOMENTS)
def test_the_run_is_left_at_the_moment_where_it_was(at) -> None:
    graph = networks.net("iris", (4, 5, 3), batch=7)
    run, other = nf.Run(graph), nf.Run(graph)
    for each in (run, other):
        each.train(3)
        at(each)
    ex.why(run, "theta1.value", (0, 0), epochs=(0, 2))
    networks.assert_same_moment(run, other)
    run.advance("epoch")
    other.advance("epoch")
    networks.assert_same_moment(run, other)


def test_why_says_it_in_words() -> None:
    run = nf.Run(mazur(batch=1))
    run.train(1)
    found = ex.why(run, "w2.value", (0, 0), epochs=(0, 1))
    assert found.text() == (
        "w2 (hidden 1 meets output 1) went from 0.4 to 0.3589, by −0.04108, from epoch 0 to "
        "epoch 1. Sample 1 moved it by −0.04108. The largest single step was −0.04108, by sample 1 "
        "in epoch 1: δ = 0.1385 met an input of 0.5933."
    )
    penalised = nf.Run(networks.net("xor", (2, 2, 1), l2=0.1))
    penalised.train(2)
    text = ex.why(penalised, "theta1.value", (0, 0), epochs=(0, 2)).text(most=5)
    assert "The penalty moved it by " in text


def refused(run, address="theta1.value", index=(0, 0), epochs=(0, 1)):
    with pytest.raises(RunError) as caught:
        ex.why(run, address, index, epochs=epochs)
    return str(caught.value)


def test_why_refuses_in_a_sentence() -> None:
    graph = networks.net("xor", (2, 2, 1))
    run = nf.Run(graph)
    run.train(3)
    assert refused(run, "theta.value") == (
        "there is no parameter 'theta.value'; did you mean 'theta2.value'?"
    )
    assert refused(run, index=(2, 0)) == "[2, 0] is outside 'theta1.value', which is 2×2 from 0"
    assert refused(run, index=1) == "[1] is outside 'theta1.value', which is 2×2 from 0"
    ends = "epochs 1 to 4 are not in the run: it goes from epoch 0 to epoch 3"
    assert refused(run, epochs=(1, 4)) == ends
    assert refused(run, epochs=(2, 1)) == (
        "a change goes from an epoch to a later one, not from 2 to 1"
    )
    assert "are not in the run" in refused(run, epochs=(-1, 1))
    frozen = nf.Run(graph.with_mode("theta1", "freeze"))
    assert refused(frozen) == "'theta1.value' did not change: it is frozen"
    fixed = nf.Run(graph.set("theta1", trainable=False))
    assert refused(fixed) == "'theta1.value' did not change: it is not trainable"
    plain = (
        "only what one plain gradient_descent (no momentum), or the same wired by hand, did can be "
        "traced to samples"
    )
    assert refused(nf.Run(graph.set("train", momentum=0.5))) == plain
    assert refused(nf.Run(networks.net("xor", (2, 2, 1), trainer="adam"))) == plain
    kept = nf.unfold(graph.set("train", momentum=0.5))
    assert "cannot be traced" in refused(nf.Run(kept), epochs=(0, 0))


def test_an_unfolded_graph_and_one_of_neurons_say_the_same_why() -> None:
    folded = nf.Run(nf.load(FOLDER / "wheat-seeds.json"))
    neurons = nf.Run(nf.load(FOLDER / "wheat-seeds-neurons-unfolded.json"))
    unfolded = nf.Run(nf.unfold(folded.graph))
    found = []
    for run, address in (
        (folded, "theta1.value"), (unfolded, "theta1.value"), (neurons, "theta1.1.value"),
    ):  # fmt: skip
        run.train(2)
        found.append(ex.why(run, address, (0, 2), (0, 2)))
    assert found[0].by_sample == found[1].by_sample == found[2].by_sample
    assert [why.place for why in found] == [*(2 * ["x₃ meets hidden 1"]), "x₃ meets hidden.1"]


@pytest.mark.parametrize(
    ("start", "index", "through"),
    [
        ([[0.1, 0.2]], (0, 0), nf.exp),
        ([0.1, 0.2], (0,), lambda w: nf.add(nf.constant(value=[[1.0, 2.0], [3.0, 4.0]]), w)),
    ],
    ids=["a function of it", "added to each row of a matrix"],
)
def test_why_refuses_a_gradient_that_is_no_sum_of_products(start, index, through) -> None:
    x, y = nf.dataset("xor", id="data")
    a = nf.sigmoid(nf.weighted_sum(x, through(nf.parameter(value=start, id="w"))))
    run = nf.Run(nf.Graph.of(nf.gradient_descent(nf.squared_error(nf.pick(a), y))))
    assert refused(run, "w.value", index, epochs=(0, 0)) == (
        "the change of 'w.value' is no sum of −α·δ·a over samples: it cannot be traced to them"
    )


def test_why_refuses_an_update_that_was_wired_by_hand() -> None:
    x, y = nf.dataset("xor", id="data")
    w, v = nf.parameter(value=[[0.1, 0.2]], id="w"), nf.parameter(value=[0.5], id="v")
    cost = nf.squared_error(nf.weighted_sum(x, w), y)
    new = nf.weight_update(v, nf.average(v), nf.constant(value=0.1), id="new")
    graph = nf.Graph.of(nf.gradient_descent(cost), new).connect("new.value", "v.next")
    assert "cannot be traced" in refused(nf.Run(graph), "v.value", (0,), epochs=(0, 0))


def test_why_refuses_a_parameter_that_the_cost_does_not_depend_on() -> None:
    graph = networks.net("xor", (2, 2, 1)).add("lone", "parameter", value=[1.0])
    assert refused(nf.Run(graph), "lone.value", (0,), epochs=(0, 0)) == (
        "'lone.value' did not change: the cost does not depend on it"
    )


def test_why_works_in_single_precision_and_takes_numbers_of_numpy() -> None:
    run = nf.Run(networks.net("xor", (2, 2, 1)), dtype=np.float32)
    run.train(3)
    found = ex.why(run, "b1.value", np.int64(1), epochs=(0, 3))
    total = math.fsum(each.change for each in found.contributions)
    assert total == pytest.approx(found.change, abs=1e-5)


def test_why_refuses_weights_that_were_set_by_hand_in_between() -> None:
    run = nf.Run(networks.net("xor", (2, 2, 1)))
    run.train(1)
    run.set_weights({"theta1.value": np.ones((2, 2))})
    run.train(1)
    assert refused(run, epochs=(0, 2)) == (
        "'theta1.value' was given other values between epochs 0 and 2: "
        "ask about epochs before or after that"
    )
    found = ex.why(run, "theta1.value", (0, 0), epochs=(1, 2))
    assert found.before == 1
    assert run.update == 2 * run.updates_per_epoch


# --- where blame dies ----------------------------------------------------------------------------


def one_layer(act, weights, onward):
    """Return the run of a layer on the input 1, and a layer after it, evaluated."""
    x, y = nf.constant(value=1.0, id="x"), nf.constant(value=[0.5] * len(onward), id="y")
    w1, w2 = nf.parameter(value=weights, id="w1"), nf.parameter(value=onward, id="w2")
    h = getattr(nf, act)(nf.weighted_sum(x, w1, id="hidden"))
    out = nf.weighted_sum(h, w2, id="output")
    run = nf.Run(nf.Graph.of(nf.gradient_descent(nf.squared_error(out, y))))
    run.evaluate()
    return run


@pytest.mark.parametrize(
    ("act", "z", "text"),
    [
        ("sigmoid", 7.264, "hidden 1: σ′ = 0.0006993: saturated at a = 0.9993"),
        ("tanh", -4.0, "hidden 1: tanh′ = 0.001341: saturated at a = −0.9993"),
        ("relu", -1.2, "hidden 1: z = −1.2 is below 0, its slope is 0"),
        ("relu", 0.0, "hidden 1: z = 0 is not above 0, its slope is 0"),
        ("softplus", -6.0, "hidden 1: softplus′ = 0.002473: saturated at a = 0.002476"),
    ],
)
def test_a_flat_slope_is_told_with_its_numbers(act, z, text) -> None:
    (found,) = ex.where_blame_dies(one_layer(act, [[z], [0.1]], [[1.0, 1.0]]))
    assert found.text == text
    assert (found.layer, found.neuron, found.kind, found.z) == ("hidden", 0, "slope", z)
    assert 0 <= found.slope < 0.01


def test_weights_of_0_are_told() -> None:
    run = one_layer("leaky_relu", [[0.1], [0.2]], [[1.0, 0.0], [1.0, 0.0]])
    (found,) = ex.where_blame_dies(run)
    assert found.text == "hidden 2: all weights from it are 0, no blame comes back to it"
    assert (found.neuron, found.kind) == (1, "weights")


def test_a_slope_that_delta_passes_by_is_no_reason() -> None:
    """Sigmoid and cross-entropy hand δ = a − y on, saturated or not."""
    x, y = nf.constant(value=1.0), nf.constant(value=0.0)
    z = nf.weighted_sum(x, nf.parameter(value=[[20.0]]), id="output")
    for cost, count in (("cross_entropy", 0), ("squared_error", 1)):
        end = getattr(nf, cost)(nf.sigmoid(z), y)
        run = nf.Run(nf.Graph.of(nf.gradient_descent(end)))
        run.evaluate()
        assert len(ex.where_blame_dies(run)) == count


def test_one_row_with_a_slope_keeps_a_neuron_alive() -> None:
    x = nf.constant(value=[[1.0], [-1.0]])
    h = nf.relu(nf.weighted_sum(x, nf.parameter(value=[[1.0]]), id="hidden"))
    cost = nf.squared_error(h, nf.constant(value=0.0))
    run = nf.Run(nf.Graph.of(nf.gradient_descent(cost)))
    run.evaluate()
    assert ex.where_blame_dies(run) == []


def test_a_neuron_that_something_else_reads_is_alive() -> None:
    x, y = nf.constant(value=1.0), nf.constant(value=[0.5, 0.5])
    w2 = nf.parameter(value=[[0.0, 0.0], [0.0, 0.0]])
    h = nf.tanh(nf.weighted_sum(x, nf.parameter(value=[[0.1], [0.2]]), id="hidden"))
    out = nf.add(nf.weighted_sum(h, w2, id="output"), h)
    run = nf.Run(nf.Graph.of(nf.gradient_descent(nf.squared_error(out, y))))
    run.evaluate()
    assert ex.where_blame_dies(run) == []


def test_where_blame_dies_needs_values() -> None:
    with pytest.raises(RunError, match="has no value yet: evaluate, step or train first"):
        ex.where_blame_dies(nf.Run(mazur()))


def test_where_blame_dies_needs_a_backward_pass() -> None:
    run = nf.Run(nf.Graph.of(nf.sigmoid(nf.constant(value=1.0))))
    with pytest.raises(RunError, match="no blame flows: the graph has no trainer"):
        ex.where_blame_dies(run)


# --- how long it takes ---------------------------------------------------------------------------


def shortest(do):
    """Return the least time of five, since other work may come between."""
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        do()
        times.append(time.perf_counter() - begin)
    return min(times)


def test_a_neuron_of_very_many_inputs_is_explained_as_quickly() -> None:
    """Less than 1 ms (here with room to spare), though a penalty has a term for each weight."""
    x, y = nf.constant(value=[[0.5] * 5000] * 20), nf.constant(value=[0.0] * 4)
    w = nf.parameter(shape=(4, 5000), init="uniform", id="w")
    cost = nf.squared_error(nf.weighted_sum(x, w), y)
    graph = nf.Graph.of(nf.gradient_descent(nf.add(cost, nf.l2_penalty(w), id="j")))
    run = nf.Run(graph)
    for step in steps(run):
        assert shortest(lambda step=step: step.formula) < 3e-3, step.node
        assert shortest(lambda step=step: ex.remark(run, step)) < 10e-3, step.node


def test_explain_imports_what_is_asked_for() -> None:
    code = (
        "import sys, nodeflow.explain as ex; assert 'numpy' not in sys.modules; "
        "ex.evaluate; assert 'numpy' in sys.modules and 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert set(dir(ex)) == set(ex.__all__)
    assert all(getattr(ex, name) for name in ex.__all__)
    with pytest.raises(AttributeError, match=r"'nodeflow\.explain' has no attribute 'whi'"):
        _ = ex.whi


def test_explanations_are_quick() -> None:
    """A step takes less than 1 ms, 10 epochs less than 200 ms (here with room to spare)."""
    name = networks.CLASSES[0]
    run = nf.Run(nf.load(FOLDER / f"{name}.json"))
    for step in steps(run):
        assert shortest(lambda step=step: ex.explain(run, step)) < 3e-3, step.node
    run.train(10)
    index = (1, 2)
    assert shortest(lambda: ex.why(run, "theta1.value", index, epochs=(0, 10))) < 0.4

"""Faults of a backward pass wired by hand: each is pointed out, with what would mend it."""

import random
from dataclasses import replace

import pytest
from handwired import wired
from handwired_forms import by_hand, by_neurons, draw

import nodeflow as nf
from nodeflow.derive import infer
from nodeflow.derive.silent import silent
from nodeflow.errors import NodeflowError


def led(graph, start, end):
    """Return the graph with another wire in the place of the one into a port."""
    node, port = end.rsplit(".", 1)
    (wire,) = graph.inputs(node)[port]
    return graph.disconnect(wire.start, end).connect(start, end)


def swapped(graph, node, one, other):
    """Return the graph with what enters two ports of a node the other way round."""
    starts = [graph.inputs(node)[port][0].start for port in (one, other)]
    for port, start in zip((one, other), starts, strict=True):
        graph = graph.disconnect(start, f"{node}.{port}")
    return graph.connect(starts[1], f"{node}.{one}").connect(starts[0], f"{node}.{other}")


def reasons(graph):
    return {one.reason for one in nf.check(graph).nodes.values() if one.reason}


DEEP = {"sizes": (2, 3, 3, 3), "form": "steps"}
TWO = {"form": "steps"}


@pytest.mark.parametrize(
    ("options", "edit", "said"),
    [
        (
            TWO,
            lambda g: g.set("delta1", activation="tanh"),
            "'delta1' has the slope of tanh, and 'hidden1.a' is of type sigmoid: set its "
            "activation to sigmoid",
        ),
        (
            TWO,
            lambda g: swapped(g, "delta2", "blame", "a"),
            "'delta2' takes e.e for a, and the slope is that of 'output.a': its inputs blame and "
            "a are swapped",
        ),
        (
            DEEP,
            lambda g: led(g, "hidden1.a.a", "delta2.a"),
            "'delta2' takes hidden1.a.a for a, and the slope is that of 'hidden2.a': wire "
            "hidden2.a.a -> delta2.a",
        ),
        (
            DEEP,
            lambda g: led(g, "delta3.delta", "theta2.new.delta"),
            "'theta2.new' takes delta3.delta for δ, and 'theta2' belongs to 'hidden2', whose δ is "
            "delta2.delta: wire delta2.delta -> theta2.new.delta",
        ),
        (
            DEEP,
            lambda g: led(g, "hidden1.a.a", "theta3.new.a"),
            "'theta3.new' takes hidden1.a.a, and 'output' weighs hidden2.a.a: wire that into "
            "theta3.new.a",
        ),
        (
            DEEP,
            lambda g: led(g, "theta2.value", "blame2.weights"),
            "'blame2' sends δ back through theta2.value, and 'output' weighs with theta3.value: "
            "wire theta3.value -> blame2.weights",
        ),
        (
            DEEP,
            lambda g: led(g, "e.e", "delta2.blame"),
            "e.e is taken for the blame of 'hidden2.a', which 'output' reads: wire blame between "
            "them, with the δ of 'output' and its weights",
        ),
        (
            DEEP,
            lambda g: led(
                led(led(g, "blame2.blame", "theta2.new.delta"), "blame2.blame", "b2.new.delta"),
                "blame2.blame",
                "blame1.delta",
            ).remove("delta2"),
            "'theta2.new' takes blame2.blame for δ, and that is the blame of 'hidden2.a': a delta "
            "between them multiplies it by the slope",
        ),
        (
            TWO,
            lambda g: led(g, "output.z", "cost.a"),
            "'e' compares output.a.a with data.y, and 'cost' judges output.z by data.y: both have "
            "to take the same",
        ),
        (
            {"form": "nodes"},
            lambda g: led(g, "theta2.value", "theta2.mean.total"),
            "the gradient of 'theta2' is taken from theta2.value: it is made of the δ of its "
            "layer and of what that weighs",
        ),
        (
            {"form": "nodes", "rate": 0.3},
            lambda g: led(
                g.add("again", "multiply").connect("alpha.value", "again.a")
                .connect("b1.mean.gradient", "again.a"),
                "again.value", "b1.new.gradient",
            ),
            "0.3 times the slope, as much as the rate: an update multiplies by it",
        ),
    ],
)  # fmt: skip
def test_check_names_the_wire_that_is_wrong(options, edit, said):
    graph = wired(**options)
    assert nf.check(graph).valid
    assert any(reason.startswith(said) for reason in reasons(edit(graph))), reasons(edit(graph))


def test_a_layer_whose_blame_is_missing_is_named():
    """Two neurons read a value, and the blame of one of them only comes back."""
    graph = by_neurons(replace(draw(1), sizes=(2, 2, 2), acts=("tanh", "sigmoid"),
                               biases=(False, False), cost="squared_error"), "steps")  # fmt: skip
    (blame,) = (w for w in graph.out_of("b2_2") if w.input == "a")
    lacking = graph.disconnect(blame.start, f"{blame.end}[{blame.index}]")
    assert nf.check(graph).valid
    assert reasons(lacking) >= {
        "what 'a1_1' is blamed for lacks the part of 'h2_2', which reads it, too: add a blame of "
        "the δ of 'h2_2' and w2_2.value"
    }


def test_an_output_neuron_that_is_blamed_for_another_is_named():
    graph = by_neurons(replace(draw(11), half=True, acts=("tanh",)), "steps")
    wrong = led(graph, "e1.e", "d1_2.blame")
    assert nf.check(graph).valid
    assert reasons(wrong) == {
        "e1.e is taken for the blame of 'a1_2', whose error is e2.e: wire that in its place"
    }


@pytest.mark.parametrize(
    ("edit", "node", "said"),
    [
        (
            lambda g: swapped(g, "b1.new", "parameter", "gradient"),
            "b1.new",
            "'b1.new' moves b1.mean.gradient, which is a gradient: its inputs parameter and "
            "gradient are swapped",
        ),
        (
            lambda g: led(
                g.add("twice", "weight_update").connect("b1.new.value", "twice.parameter")
                .connect("b1.mean.gradient", "twice.gradient").connect("alpha.value", "twice.rate"),
                "twice.value", "b1.next",
            ),
            "twice",
            "'twice' moves what 'b1.new' has moved already, by the same gradient: remove one of "
            "the two, and take twice the rate if that is meant",
        ),
        (
            lambda g: g.disconnect("b2.value", "output.bias"),
            "b2",
            "'b2' is updated, and nothing reads it: lead b2.value into output.bias",
        ),
        (
            lambda g: led(g, "data.x", "output.a").set("theta2", shape=(3, 2)).remove(
                "theta2.gradient", "theta2.mean", "theta2.new"),
            "theta1",
            "'theta1' is updated, and what is made of it ends at 'hidden1.a': lead hidden1.a.a "
            "on to the error",
        ),
        (
            lambda g: led(g, "data.y", "e.a").remove("cost"),
            "e",
            "'e' compares data.y with data.y, and no parameter changes either: lead the output "
            "of the network into e.a",
        ),
        (
            lambda g: led(g, "b2.new.value", "b1.new.rate"),
            "b1.new",
            "the rate of 'b1.new' is b2.new.value, which training changes: wire a number that "
            "somebody chose",
        ),
    ],
)  # fmt: skip
def test_what_computes_in_vain_is_found_without_a_gradient(edit, node, said):
    graph = wired()
    assert silent(graph) == ()
    assert {finding.node: finding.sentence for finding in silent(edit(graph))}[node] == said


def test_an_update_with_another_rate_is_told_and_is_no_fault():
    graph = wired(form="steps").add("other", "constant", value=0.6)
    found = nf.check(led(graph, "other.value", "b2.new.rate"))
    assert found.valid
    assert found.findings == ()
    assert found.unlike_rates == (
        "the rate of 'b1.new', 'theta1.new', 'theta2.new' is 0.3, that of 'b2.new' is 0.6"
    )
    assert nf.check(graph).unlike_rates == ""
    assert "unlike_rates" not in nf.check(graph).as_dict()


@pytest.mark.parametrize("form", ["nodes", "steps"])
def test_swapped_delta_and_a_are_told_by_the_shape(form):
    graph = wired(form=form)
    node = "theta1.gradient" if form == "nodes" else "theta1.new"
    with pytest.raises(NodeflowError, match="swapped"):
        nf.Run(swapped(graph, node, "delta", "a"))


# --- a search ------------------------------------------------------------------------------------


def without_a_wire(graph, chance):
    wire = chance.choice(graph.wires)
    end = wire.end if wire.index is None else f"{wire.end}[{wire.index}]"
    return graph.disconnect(wire.start, end)


def from_elsewhere(graph, chance):
    """One wire comes from another value of the same shape."""
    shapes = infer(graph).shapes
    wires = [wire for wire in graph.wires if not graph.feeds_back(wire)]
    for wire in chance.sample(wires, len(wires)):
        after = graph.downstream([wire.target])
        others = [
            start for start, shape in shapes.items()
            if shape == shapes.get(wire.start) and start != wire.start
            and start.rpartition(".")[0] not in after
        ]  # fmt: skip
        if others:
            start = chance.choice(sorted(others))
            end = wire.end if wire.index is None else f"{wire.end}[{wire.index}]"
            return graph.disconnect(wire.start, end).connect(start, wire.end)
    return None


def turned_round(graph, chance):
    """Two inputs of a node of the backward pass are swapped."""
    pairs = [("blame", "a"), ("delta", "a"), ("delta", "weights"), ("parameter", "gradient"),
             ("a", "y")]  # fmt: skip
    nodes = [
        (key, pair) for key in graph.nodes for pair in pairs
        if graph.nodes[key].type in ("delta", "blame", "weight_gradient", "step", "weight_update",
                                     "error")
        and set(pair) <= graph.inputs(key).keys() and len(graph.inputs(key)[pair[1]]) == 1
    ]  # fmt: skip
    key, pair = chance.choice(nodes)
    return swapped(graph, key, *pair)


def doubled(graph, chance):
    """One update has twice the rate."""
    if len(graph.updates) < 2:
        return None
    key = chance.choice(graph.updates)
    rate = graph.inputs(key).get("rate", ())
    if not rate:
        graph = graph.add("double", "constant", value=2 * graph.training.rate)
        return graph.connect("double.value", f"{key}.rate")
    graph = graph.add("two", "constant", value=2.0).add("double", "multiply")
    graph = graph.connect("two.value", "double.a").connect(rate[0].start, "double.a")
    return led(graph, "double.value", f"{key}.rate")


def said_of(graph):
    """Return all that is reported of a graph."""
    try:
        nf.Run(graph)
        found = nf.check(graph)
    except NodeflowError as error:
        return [str(error)]
    faults = [one for one in found.nodes.values() if one.status == "fault"]
    told = [one.reason for one in faults if one.reason]
    assert told or not faults or silent(graph), "faults without a reason"
    return [*told, *(finding.sentence for finding in silent(graph)), *filter(None, [
        found.unlike_rates])]  # fmt: skip


def trains_alike(one, other):
    """Return whether both learn the same: then there was no fault, as with the slope of a line."""
    histories = []
    for graph in (one, other):
        run = nf.Run(graph)
        run.train(2)
        histories.append([line["cost"] for line in run.history])
    return histories[0] == pytest.approx(histories[1], rel=1e-9)


@pytest.mark.parametrize("fault", [without_a_wire, from_elsewhere, turned_round, doubled])
def test_random_faults_are_pointed_out(fault):
    tried = 0
    for seed in range(16):
        chance = random.Random(f"{fault.__name__} {seed}")
        drawn = replace(draw(seed), l2=0.0)
        build = by_neurons if drawn.has_single_neurons and chance.random() < 0.4 else by_hand
        graph = build(drawn, chance.choice(["nodes", "steps"]), cost=chance.random() < 0.5,
                      wire_rate=chance.random() < 0.5)  # fmt: skip
        try:
            wrong = fault(graph, chance)
        except NodeflowError:  # refused as it was wired
            continue
        if wrong is None:
            continue
        assert said_of(wrong) or trains_alike(graph, wrong), (seed, drawn)
        tried += 1
    assert tried >= 5, "too few of the graphs had the fault"

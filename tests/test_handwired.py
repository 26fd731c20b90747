"""Networks wired by hand: the same in everything as unfolded and folded ones, and what is said."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from handwired import wired
from networks import assert_same, hand, net, walk

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.derive.implied import implied
from nodeflow.derive.silent import missing_wires, silent
from nodeflow.errors import BadSetting, DataError, GraphError, MissingInput

GRAPHS = Path(__file__).parents[1] / "graphs"
THETAS = ("theta1", "theta2", "b1", "b2")


@pytest.fixture
def call(capsys):
    """Call the program; returns exit code, standard output and standard error."""

    def called(*arguments):
        capsys.readouterr()
        code = main([str(part) for part in arguments])
        return code, *capsys.readouterr()

    return called


def trained(graph, epochs=3, **options):
    run = nf.Run(graph, **options)
    run.train(epochs=epochs)
    return run


# --- one step instead of three nodes -------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 4, "all"])
@pytest.mark.parametrize("wire_rate", [True, False])
def test_a_step_is_gradient_average_and_update_to_the_bit(batch, wire_rate):
    """Stepping and at full speed, beside a folded network of the same operations."""
    three = trained(wired(batch=batch))
    one = trained(wired(batch=batch, form="steps", wire_rate=wire_rate))
    whole = trained(net("blobs", (2, 4, 3), half=True, rate=0.3, batch=batch, accuracy=False))
    for run in (one, whole):
        assert_same(run.weights, three.weights)
        assert run.history == three.history
    stepped = nf.Run(wired(batch=batch, form="steps", wire_rate=wire_rate))
    walk(stepped, 5)
    fast = nf.Run(wired(batch=batch))
    fast.train(updates=5)
    assert_same(stepped.weights, fast.weights)


def test_a_step_explodes_into_the_three_and_back():
    graph = wired(form="steps")
    apart = graph
    for name in THETAS:
        apart = nf.explode(apart, f"{name}.new")
    assert not apart.of_type("step")
    assert len(apart.of_type("average")) == 4
    assert_same(trained(apart).weights, trained(graph).weights)
    back = apart
    for name in THETAS:
        back = nf.collapse(back, f"{name}.new")
    assert back == graph
    by_hand = wired()
    for name in THETAS:
        by_hand = nf.collapse(by_hand, f"{name}.new")
    assert by_hand == graph


def test_a_step_trains_in_the_rows_of_a_trainer():
    """Nothing is left of the three nodes at full speed: their rows are fused as a trainer's."""
    tables = [nf.Run(graph).machine.fast.table for graph in (wired(form="steps"), wired())]
    assert len(tables[0]) == len(tables[1])
    assert (tables[0][:, 0] == tables[1][:, 0]).all()


def test_a_rate_of_the_graph_feeds_all_updates_without_a_wire(tmp_path):
    graph = wired(form="steps", wire_rate=False, rate=0.25)
    assert graph.training.rate == 0.25
    nf.save(graph, tmp_path / "g.json")
    text = (tmp_path / "g.json").read_text("utf-8")
    assert '"rate": 0.25' in text
    assert nf.load(tmp_path / "g.json").training == graph.training
    assert '"rate"' not in nf.files.dumps(wired()).split("nodes")[0]
    assert nf.with_rate(graph, 0.5).training.rate == 0.5
    none = replace(graph, training=replace(graph.training, rate=None))
    with pytest.raises(MissingInput) as error:
        nf.Run(none)
    assert str(error.value) == (
        "'b2.new' (step) has no rate: wire one into its input 'rate', or give the graph a rate "
        "for all its updates (training.rate)"
    )
    with pytest.raises(BadSetting, match=r"training\.rate must be a number from 0, not -1"):
        replace(graph, training=replace(graph.training, rate=-1))


# --- without a cost node -------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["nodes", "steps"])
@pytest.mark.parametrize("batch", [1, 5])
def test_a_graph_without_a_cost_goes_down_the_one_of_its_error(form, batch):
    """J, accuracy and check are those of the same graph with ½ Σ e² wired."""
    bare, whole = wired(form=form, batch=batch, cost=False), wired(form=form, batch=batch)
    found = nf.check(bare)
    assert found.valid
    assert found.implied == ("without a cost node J is the mean of ½ Σ e² ('e' is its slope)")
    assert nf.check(whole).implied == ""
    assert found.nodes.keys() == nf.check(whole).nodes.keys()
    one, other = trained(bare), trained(whole)
    assert one.history == other.history
    assert one.assess() == other.assess()
    assert one.assess().train_accuracy is not None
    assert_same(one.weights, other.weights)


def test_twice_the_error_goes_down_the_whole_square():
    graph = wired(cost=False, factor=2.0)
    assert implied(graph).sentence.startswith("without a cost node J is the mean of Σ e²")
    assert nf.check(graph).valid


@pytest.mark.parametrize(
    ("act", "cost", "word"),
    [
        ("sigmoid", "cross_entropy", "ln a"),
        ("softmax", "categorical_cross_entropy", "−Σ y ln a"),
        ("identity", "squared_error", "½ Σ e²"),
    ],
)
def test_an_error_that_is_taken_for_delta_goes_down_the_cost_of_its_activation(act, cost, word):
    x, y = nf.dataset(source="blobs", scale="minmax", id="data")
    w, b = nf.parameter(shape=(3, 2), id="w"), nf.parameter(shape=(3,), id="b")
    a = getattr(nf, act)(nf.weighted_sum(x, w, b, id="sum"), id="a")
    e = nf.error(a, y, id="e")
    graph = nf.Graph.of(nf.step(w, e, x, id="w.new"), nf.step(b, e, id="b.new"), rate=0.1)
    graph = graph.connect("w.new.value", "w.next").connect("b.new.value", "b.next")
    assert implied(graph).cost.type == cost
    assert word in implied(graph).sentence
    found = nf.check(graph)
    assert found.valid, found
    assert {"w", "b"} <= found.nodes.keys()


def test_train_play_and_json_have_one_account_of_accuracy(tmp_path, call):
    path = tmp_path / "g.json"
    nf.save(wired(cost=False, form="steps", test=0.3, epochs=4), path)
    code, out, noted = call("train", path, "--json")
    assert code == 0
    told = json.loads(out)
    run = trained(nf.load(path), 4)
    found = run.assess()
    assert told["train_accuracy"] == found.train_accuracy
    assert told["cost"] == found.cost
    assert told["test_accuracy"] == found.test_accuracy == run.history[-1]["test_accuracy"]
    assert "without a cost node J is the mean of ½ Σ e²" in noted
    assert "½ Σ e²" in call("check", path)[1]


def test_the_window_plots_accuracy_wherever_training_counts_it():
    """Also without an accuracy node, as the terminal, a film and a page have it."""
    from nodeflow.editor.panels.training import has_accuracy
    from nodeflow.editor.state.model import Editor

    graph = wired(form="steps", cost=False)
    editor = Editor.of(graph)
    assert not has_accuracy(editor)
    history = trained(graph, 1).history
    assert has_accuracy(replace(editor, live=replace(editor.live, history=history)))
    no_class = replace(editor.live, history=[{**history[0], "train_accuracy": None}])
    assert not has_accuracy(replace(editor, live=no_class))
    counted = graph.add("right", "accuracy").connect("output.a.a", "right.a")
    assert has_accuracy(Editor.of(counted.connect("data.y", "right.y")))


# --- what computes in vain -----------------------------------------------------------------------


def test_a_right_graph_has_nothing_in_vain():
    for graph in (wired(), wired(form="steps"), wired(cost=False), net("xor", (2, 3, 1), rate=1)):
        assert silent(graph) == ()


@pytest.mark.parametrize("form", ["nodes", "steps"])
def test_an_update_that_goes_nowhere_is_told_with_the_wire(form):
    graph = wired(form=form).disconnect("theta1.new.value", "theta1.next")
    (finding,) = silent(graph)
    assert finding.node == "theta1.new"
    assert finding.wire == "theta1.new.value -> theta1.next"
    assert finding.sentence == (
        "the new value of 'theta1.new' goes nowhere, so 'theta1' never changes: "
        "wire theta1.new.value -> theta1.next"
    )
    mended = graph.connect(*finding.wire.split(" -> "))
    assert set(mended.wires) == set(wired(form=form).wires)


def said(graph):
    return {finding.node: finding.sentence for finding in silent(graph)}


def test_a_parameter_that_nothing_updates_is_told_and_where_its_wires_end():
    found = said(wired().remove("theta2.new"))
    assert found.keys() == {"theta2", "theta2.mean"}
    assert "'theta2' is never updated, though its gradient is wired" in found["theta2"]
    assert found["theta2.mean"] == (
        "the gradient of 'theta2.mean' goes nowhere: lead it into a weight_update, perhaps "
        "through average"
    )
    forgotten = wired(form="steps").remove("theta1.new", "b1.new")
    found = said(forgotten)
    assert found.keys() == {"theta1", "b1", "delta1"}
    assert found["b1"] == (
        "'b1' is never updated, though other parameters are: wire a step of its own, or set "
        "trainable to false where it is meant to stay"
    )
    assert found["delta1"] == (
        "the delta of 'delta1' goes nowhere: lead it into a step, a gradient or a blame"
    )
    meant = forgotten.set("theta1", trainable=False).with_mode("b1", "freeze")
    assert said(meant) == {}


def test_what_is_there_to_be_looked_at_is_not_in_vain():
    graph = wired().add("seen", "bias_gradient").connect("delta1.delta", "seen.delta")
    assert said(graph) == {}


@pytest.mark.parametrize(("mode", "word"), [("disable", "disabled"), ("bypass", "bypassed")])
def test_an_update_that_is_switched_off_is_told(mode, word):
    """Its parameter stays as it is, and the graph runs."""
    graph = wired().with_mode("theta1.new", mode)
    text = f"'theta1' is never updated: its update 'theta1.new' is {word}"
    assert said(graph)["theta1"] == text
    run = nf.Run(graph)
    before = run.weights["theta1.value"]
    run.train(2)
    assert (run.weights["theta1.value"] == before).all()
    assert (run.weights["theta2.value"] != nf.Run(graph).weights["theta2.value"]).any()


def test_an_update_that_is_led_to_another_parameter_is_told():
    graph = wired(sizes=(2, 3, 3), form="steps")
    crossed = graph
    for number in (1, 2):
        crossed = crossed.disconnect(f"b{number}.new.value", f"b{number}.next")
    crossed = crossed.connect("b1.new.value", "b2.next").connect("b2.new.value", "b1.next")
    found = said(crossed)
    assert found.keys() == {"b1.new", "b2.new"}
    assert found["b1.new"] == (
        "'b1.new' moves 'b1' and its new value goes to 'b2': lead b1.new.value to b1.next, and "
        "what moves 'b2' to b2.next"
    )
    constant = graph.add("k", "constant", value=[0.0, 0.0, 0.0])
    constant = constant.disconnect("b1.value", "b1.new.parameter")
    constant = constant.connect("k.value", "b1.new.parameter")
    assert said(constant)["b1.new"] == (
        "'b1.new' moves 'k', which always stays the same, so 'b1' begins there at each update: "
        "lead b1.value into b1.new.parameter"
    )


def test_a_velocity_that_is_not_fed_back_is_told_with_its_wire():
    """v ← v − 0.1 (v − D), Θ ← Θ − αv: without its own wire v stays 0."""
    graph = wired().add("v", "parameter", shape=(4, 2), init="zeros", trainable=False)
    graph = graph.add("far", "subtract").connect("v.value", "far.a")
    graph = graph.connect("theta1.mean.gradient", "far.b")
    graph = graph.add("v.new", "weight_update").connect("v.value", "v.new.parameter")
    graph = graph.connect("far.value", "v.new.gradient").connect("alpha.value", "v.new.rate")
    graph = graph.disconnect("theta1.mean.gradient", "theta1.new.gradient")
    graph = graph.connect("v.new.value", "theta1.new.gradient")
    assert missing_wires(graph) == ("v.new.value -> v.next",)
    assert said(graph)["v.new"].startswith(
        "the new value of 'v.new' goes to 'theta1.new' and not back, so 'v' never changes"
    )
    whole = graph.connect("v.new.value", "v.next")
    assert said(whole) == {}
    assert nf.check(whole).valid  # ∂J/∂Θ is what the arithmetic before the velocity takes


@pytest.mark.parametrize("how", ["relay", "multiply"])
def test_a_rate_that_comes_to_zero_is_told(how):
    """Passed on, or multiplied by 0: whatever else is in it, it is 0."""
    graph = wired(rate=0.0 if how == "relay" else 0.3).add("speed", how)
    if how == "multiply":
        graph = graph.add("none", "slider", value=0.0).connect("none.value", "speed.a")
    graph = graph.connect("alpha.value", "speed.a")
    for name in THETAS:
        graph = graph.disconnect("alpha.value", f"{name}.new.rate")
        graph = graph.connect("speed.value", f"{name}.new.rate")
    assert said(graph) == {
        "speed": "the rate 'speed' is 0, so 'b1.new', 'b2.new', 'theta1.new', … change nothing: "
        "give it another value"
    }


@pytest.mark.parametrize("path", sorted(GRAPHS.rglob("*.json")), ids=lambda path: path.stem)
def test_graphs_that_come_along_have_nothing_in_vain(path):
    """Also those that keep a value for the next update by an update whose rate is 0."""
    assert silent(nf.load(path)) == ()


def test_a_graph_that_is_wired_anew_has_few_sentences_before_it_is_trained(tmp_path, call):
    """What is the same at many nodes is said once; of very many things the first few."""
    path = tmp_path / "g.json"
    nf.save(wired(form="steps", wire_rate=False, rate=0.0), path)
    noted = call("train", path, "--epochs", 1)[2]
    assert noted.count("the graph's rate (training.rate) is 0") == 1
    assert "'b1.new', 'b2.new', 'theta1.new', …: the graph's rate" in noted
    loose = nf.explode(wired("blobs", (2, 9, 3), form="steps"))
    for key in loose.updates:
        loose = loose.disconnect(f"{key}.value", next(
            wire.end for wire in loose.out_of(key) if loose.feeds_back(wire)))  # fmt: skip
    nf.save(loose, path)
    noted = call("train", path, "--epochs", 1)[2]
    assert noted.count("goes nowhere") == 8
    assert "16 more compute in vain: `nodeflow check` has all of them" in noted
    assert call("check", path)[1].count("goes nowhere") == 24


def test_a_rate_of_zero_and_a_sum_without_its_total_are_told():
    (finding,) = silent(wired(rate=0.0))
    assert finding.node == "alpha"
    assert "the rate 'alpha' is 0" in finding.sentence
    assert len(silent(wired(rate=0.0, wire_rate=False))) == 4
    (trainer,) = silent(net("xor", (2, 1), rate=0.0))
    assert trainer.node == "train"
    total = nf.accumulate(nf.constant(value=1.0), id="sum")
    (loose,) = silent(nf.Graph.of(total))
    assert loose.wire == "sum.total -> sum.previous"


def test_check_and_train_say_what_is_in_vain(tmp_path, call):
    path = tmp_path / "g.json"
    nf.save(wired(rate=0.0).disconnect("b1.new.value", "b1.next"), path)
    told = json.loads(call("check", path, "--json")[1])
    assert [finding["node"] for finding in told["findings"]] == ["alpha", "b1.new"]
    assert told["findings"][1]["wire"] == "b1.new.value -> b1.next"
    _, out, noted = call("train", path, "--epochs", 1, "--json")
    assert noted.count("goes nowhere") == 1
    assert json.loads(out)["epochs"] == 1


def test_the_editor_points_it_out_and_draws_the_wire():
    from nodeflow.editor.commands.registry import done
    from nodeflow.editor.state.model import Editor

    editor = Editor.of(wired().disconnect("b1.new.value", "b1.next"))
    assert "goes nowhere" in editor.problems["b1.new"]
    assert missing_wires(editor.graph) == ("b1.new.value -> b1.next",)
    mended = done(editor, "wire-back")
    assert set(mended.graph.wires) == set(wired().wires)
    assert mended.problems == {}
    assert "no feedback wire is missing" in done(mended, "wire-back").notice.text


@pytest.mark.parametrize("how", ["dropped on a port", "placed", "chosen"])
def test_a_wire_into_an_update_brings_the_offer_of_the_wire_back(how):
    from helpers_editor import at, do

    from nodeflow.editor.canvas import editing
    from nodeflow.editor.state import messages as m
    from nodeflow.editor.state.model import Editor
    from nodeflow.editor.state.popups import Link

    graph = wired().disconnect("b1.new.value", "b1.next")
    if how == "placed":
        editor = editing.placed(Editor.of(graph.remove("b1.new")), "step", (0, 0), "b1.value")
        wire = "step.value -> b1.next"
    else:
        editor = Editor.of(graph.disconnect("b1.value", "b1.new.parameter"))
        if how == "chosen":
            editor = do(replace(editor, popup=Link("b1", "b1.value")), m.Typed("b1.new.param"),
                        m.Key("Enter"))  # fmt: skip
        else:
            start, end = (at(editor, port) for port in ("b1.value", "b1.new.parameter"))
            editor = do(editor, m.Moved(start), m.Pressed(start), m.Moved(end), m.Released(end))
        wire = "b1.new.value -> b1.next"
    assert editor.notice.text == f"Ctrl+Alt+W draws the wire back: {wire}"


def test_a_rate_of_the_graph_takes_away_what_was_said_of_its_updates():
    """It is no node and no wire, and the marks on the canvas follow it at once."""
    from helpers_editor import do

    from nodeflow.editor.state import messages as m
    from nodeflow.editor.state.model import Editor

    graph = wired(form="steps", wire_rate=False)
    editor = Editor.of(replace(graph, training=replace(graph.training, rate=None)))
    for rate, count in (("", 4), ("0.5", 0), ("", 4), ("0", 4), ("0.1", 0)):
        editor = do(editor, m.SetTraining("rate", rate))
        marked = [key for key, view in editor.drawn.nodes.items() if view.problem]
        assert sorted(marked) == sorted(editor.problems)
        assert len(marked) == count


# --- refusals name the way -----------------------------------------------------------------------

WAYS = [
    ("delta2.delta", "delta1.blame",
     "'delta1': blame is n×3 and a is n×4: a delta multiplies number by number, so they must be "
     "alike; `blame` leads the δ of the next layer back through its weights"),
    ("data.x", "delta1.a",
     "'delta1': blame is n×4 and a is n×2: a delta multiplies number by number, so they must be "
     "alike; wire in the output of the activation that δ belongs to"),
    ("delta2.delta", "blame1.weights",
     "n×3 cannot enter 'blame1.weights': it takes a parameter, which has no sample axis; "
     "'blame1.delta' takes it"),
    ("theta2.value", "blame1.delta",
     "3×4 cannot enter 'blame1.delta': it takes one row per sample; 'blame1.weights' takes it"),
    ("hidden1.a.a", "blame1.delta",
     "n×4 cannot enter 'blame1.delta': 'weights' is 3×4, so it must have 3 where it has 4; "
     "`pick` takes some of its features"),
    ("hidden1.a.a", "e.a",
     "n×4 cannot enter 'e.a': 'y' is n×3, so it must have 3 where it has 4; `pick` takes some of "
     "its features"),
    ("data.x", "e.y",
     "n×2 cannot enter 'e.y': 'a' is n×3, so it must have 3 where it has 2; `concatenate` puts "
     "features of several values side by side"),
    ("delta1.delta", "b1.new.gradient",
     "n×4 cannot enter 'b1.new.gradient': it must be 4 as 'parameter' is; bias_gradient sums it "
     "over the rows"),
    ("delta1.delta", "theta1.new.gradient",
     "n×4 cannot enter 'theta1.new.gradient': it must be 4×2 as 'parameter' is; weight_gradient "
     "makes it of δ and what the weights take"),
    ("theta1.mean.gradient", "b1.new.gradient",
     "4×2 cannot enter 'b1.new.gradient': it must be 4 as 'parameter' is; bias_gradient makes that "
     "of a bias"),
    ("theta2.mean.gradient", "theta1.new.gradient",
     "3×4 cannot enter 'theta1.new.gradient': it must be 4×2 as 'parameter' is; it is the gradient "
     "of another parameter"),
    ("hidden1.a.a", "b1.new.parameter",
     "n×4 cannot enter 'b1.new.parameter': it must be 4 as 'gradient' is; what has a sample axis "
     "is no parameter"),
    ("b1.value", "b1.new.rate",
     "'b1.new.rate' takes a single number, not 4; a constant, a slider or the graph's own rate "
     "(training.rate) is one"),
    ("b2.value", "b1.mean.weights",
     "'b1.mean': the weights are 3 and their total is 4: wire in the parameter that the gradient "
     "belongs to"),
    ("data.x", "hidden1.weights",
     "n×2 cannot enter 'hidden1.weights': it takes a parameter, which has no sample axis; "
     "'hidden1.a' takes it"),
    ("theta1.value", "hidden1.a",
     "4×2 cannot enter 'hidden1.a': it takes one row per sample; 'hidden1.weights' takes it"),
    ("theta2.value", "hidden1.weights",
     "3×4 cannot enter 'hidden1.weights': 'bias' is 4, so it must have 4 where it has 3; give "
     "'theta2' the shape [4, 2]"),
    ("delta1.delta", "s.delta",
     "'s': the parameter is 3×4, and the gradient of δ (n×4) and a (n×4) is 4×4; wire in the δ of "
     "the layer whose gradient it is"),
    ("data.x", "s.a",
     "'s': the parameter is 3×4, and the gradient of δ (n×3) and a (n×2) is 3×2; wire in what that "
     "layer takes"),
    ("theta1.value", "s.parameter",
     "'s': the parameter is 4×2, and the gradient of δ (n×3) and a (n×4) is 3×4; δ and a have to "
     "be those of the layer whose weights these are"),
]  # fmt: skip


@pytest.mark.parametrize(("start", "end", "sentence"), WAYS)
def test_a_refused_wire_is_the_one_that_was_drawn_and_its_sentence_names_the_way(
    start, end, sentence
):
    from nodeflow.derive import infer
    from nodeflow.editor.canvas.wiring import connected

    graph = wired().add("s", "step").connect("theta2.value", "s.parameter")
    graph = graph.connect("delta2.delta", "s.delta").connect("hidden1.a.a", "s.a")
    for wire in graph.into(end.rpartition(".")[0]):
        if wire.end == end:
            graph = graph.disconnect(wire.start, wire.end)
    with pytest.raises(GraphError) as error:
        connected(graph, infer(graph), start, end)
    assert str(error.value) == sentence


def test_what_is_fed_back_without_an_update_is_told_how():
    graph = wired().add("v", "parameter", shape=(4, 2), init="zeros").add("new", "add")
    graph = graph.connect("v.value", "new.a").connect("theta1.mean.gradient", "new.a")
    with pytest.raises(GraphError) as error:
        nf.Run(graph.connect("new.value", "v.next"))
    assert str(error.value) == (
        "'v.next' is fed back from a weight_update, not from 'new.value'; put a weight_update "
        "between, which takes v.value and what is taken away from it"
    )


# --- starts from U(a, b) -------------------------------------------------------------------------


def test_a_uniform_start_lies_in_its_range(tmp_path):
    w = nf.parameter(shape=(40, 50), init="uniform", range=(0.0, 1.0), id="w")
    graph = nf.Graph.of(nf.weighted_sum(nf.constant(value=[0.0] * 50), w))
    value = nf.Run(graph).weights["w.value"]
    assert 0 <= value.min() < 0.01
    assert 0.99 < value.max() <= 1
    half = nf.Run(graph.set("w", range=None)).weights["w.value"]
    assert value == pytest.approx(half + 0.5, abs=1e-15)
    nf.save(graph, tmp_path / "g.json")
    assert "[0.0, 1.0]" in (tmp_path / "g.json").read_text("utf-8")
    for wrong in ((1, 0), (0,), (0, 1, 2)):
        with pytest.raises(BadSetting, match="range holds the two ends of a uniform start"):
            nf.Run(graph.set("w", range=wrong))


# --- folds, conditions and tolerance -------------------------------------------------------------


def test_folds_are_what_numpy_says(tmp_path):
    """Each row is set apart once; a fold's run is that of a table with those test rows."""
    x = np.random.default_rng(1).standard_normal((23, 2))
    y = (x.sum(axis=1) > 0).astype(int)
    np.savez(tmp_path / "d.npz", x=x, y=y)
    graph = replace(net(str(tmp_path / "d.npz"), (2, 3, 2), scale="none", rate=0.5), folder=None)
    found = nf.folds(graph, 5, epochs=4)
    assert [one.test_rows for one in found.folds] == [5, 5, 5, 4, 4]
    parts = np.array_split(np.random.default_rng([0, 1]).permutation(23), 5)
    assert sorted(np.concatenate(parts)) == list(range(23))
    for number, one in enumerate(found.folds):
        rest = np.concatenate(parts[:number] + parts[number + 1 :])
        source = nf.hold((x[rest], y[rest], x[parts[number]], y[parts[number]]), "fold")
        run = trained(graph.set("data", source=source), 4)
        assert one.measures == run.assess().as_dict()
    values = [one.measures["test_accuracy"] for one in found.folds]
    assert found.mean["test_accuracy"] == pytest.approx(np.mean(values))
    assert found.spread["test_accuracy"] == pytest.approx(np.std(values, ddof=1))


def test_a_class_that_is_missing_in_a_fold_is_told(tmp_path):
    x = np.arange(10.0)[:, None]
    np.savez(tmp_path / "d.npz", x=x, y=[0] * 5 + [1] * 4 + [2])
    graph = replace(net(str(tmp_path / "d.npz"), (1, 3), rate=0.5), folder=None)
    with pytest.raises(DataError) as error:
        nf.folds(graph, 3)
    assert "would learn nothing of class '2', since all rows of it are in the part" in str(
        error.value
    )
    np.savez(tmp_path / "e.npz", x=x, y=[0] * 4 + [1] * 4 + [2] * 2)
    graph = replace(net(str(tmp_path / "e.npz"), (1, 3), rate=0.5), folder=None)
    found = nf.folds(graph, 5, epochs=1, seed=3)
    assert any("no row of class '2' is in the part" in one.note for one in found.folds)
    with pytest.raises(DataError, match="a whole number of folds from 2, not 1"):
        nf.folds(graph, 1)
    for count in (11, 10**21):
        with pytest.raises(DataError, match=f"10 rows cannot be cut into {count} folds"):
            nf.folds(graph, count, progress=lambda done, _: pytest.fail(f"{done} folds were made"))
    with pytest.raises(DataError, match="the graph has no dataset"):
        nf.folds(nf.Graph(), 3)


def test_folds_as_a_command(tmp_path, call):
    path = tmp_path / "g.json"
    nf.save(net("blobs", (2, 3), rate=0.5, accuracy=False), path)
    code, out, _ = call("train", path, "--folds", 4, "--epochs", 2, "--json")
    told = json.loads(out)
    assert code == 0
    assert told["folds"] == 4 == len(told["results"])
    assert told["results"][0].keys() == {
        "fold", "rows", "test_rows", "epochs", "cost", "train_accuracy", "test_cost",
        "test_accuracy", "note",
    }  # fmt: skip
    found = nf.folds(nf.load(path), 4, epochs=2)
    assert told["mean"] == found.mean
    assert told["spread"] == found.spread
    assert "mean" in call("train", path, "--folds", 4, "--epochs", 2)[1]
    assert call("train", path, "--folds", 4, "--save")[0] == 2


def test_training_ends_where_weights_have_converged(tmp_path, call):
    """The norm of the change of all trained weights in an epoch, found by hand."""
    graph = net("blobs", (2, 2, 3), rate=0.5, epochs=400, batch="all")
    run, before, changes = nf.Run(graph), None, []
    for _ in range(60):
        before = np.concatenate([value.ravel() for value in run.weights.values()])
        run.train(1)
        after = np.concatenate([value.ravel() for value in run.weights.values()])
        changes.append(np.sqrt(((after - before) ** 2).sum()))
    limit = sorted(changes)[5]
    first = next(number for number, change in enumerate(changes, 1) if change <= limit)
    path = tmp_path / "g.json"
    training = replace(graph.training, tolerance=float(limit))
    nf.save(replace(graph, training=training), path)
    assert nf.load(path).training.tolerance == limit
    code, out, noted = call("train", path, "--json")
    told = json.loads(out)
    assert code == 0
    assert told["epochs"] == first
    assert told["ended"]["why"] == "converged"
    assert f"converged after {first} of 400 epochs" in noted
    _, out, noted = call("train", path, "--tolerance", 1e-12, "--epochs", 5, "--json")
    assert json.loads(out)["ended"]["why"] == "epochs"
    assert "all 5 epochs: not converged" in noted
    assert "the tolerance, per epoch, is 1e-12" in noted


def test_training_ends_where_a_condition_holds(tmp_path, call):
    path = tmp_path / "g.json"
    nf.save(net("xor", (2, 3, 1), rate=2.0, epochs=3000), path)
    code, out, noted = call("train", path, "--until", "cost < 0.1", "--json")
    told = json.loads(out)
    assert code == 0
    run = trained(nf.load(path), 3000)
    first = next(line["epoch"] for line in run.history if line["cost"] < 0.1)
    assert told["epochs"] == first == told["ended"]["epochs"]
    assert f"cost < 0.1 held after {first} of 3000 epochs" in noted
    noted = call("train", path, "--until", "cost < -1", "--epochs", 3)[2]
    assert "all 3 epochs: cost < -1 never held at the end of an epoch" in noted
    assert call("train", path, "--until", "cost <<< 1")[0] == 1


# --- layers as neurons ---------------------------------------------------------------------------

FORMS = {
    "nodes": {},
    "batch": {"batch": 3},
    "steps": {"form": "steps"},
    "bare": {"form": "steps", "wire_rate": False, "cost": False},
}


def rows_of(weights, name, count, shape):
    return np.vstack([weights[f"{name}.{i + 1}.value"] for i in range(count)]).reshape(shape)


@pytest.mark.parametrize("form", FORMS)
def test_a_hand_wired_layer_is_exploded_and_collapsed(form):
    """Its weights go to its own update and its blame: that is no sharing. The bits are the same."""
    graph = wired(**FORMS[form])
    apart = nf.explode(graph)
    assert {"theta1.1", "theta1.4", "hidden1.3", "theta2.new.2", "delta2.1"} <= apart.nodes.keys()
    run, other = trained(graph), trained(apart)
    assert run.history == other.history
    for address, value in run.weights.items():
        name = address.removesuffix(".value")
        parts = rows_of(other.weights, name, len(value), value.shape)
        assert (parts == value).all()
    assert nf.check(apart).valid
    stepped = nf.Run(apart)
    walk(stepped, 3)
    fast = nf.Run(apart)
    fast.train(updates=3)
    assert_same(stepped.weights, fast.weights)
    assert nf.collapse(apart) == graph
    for first, then in (("hidden1", "output"), ("output", "hidden1")):
        both = nf.explode(nf.explode(graph, first), then)
        assert set(both.wires) == set(apart.wires)
        assert nf.collapse(nf.collapse(both, first), then) == graph
        assert nf.collapse(nf.collapse(both, then), first) == graph


@pytest.mark.parametrize("form", FORMS)
def test_hand_wired_neurons_are_exploded_to_operations(form):
    """A weight's gradient is δ·x added up, its blame δ·w: the bits are those of the layer."""
    graph = wired(**FORMS[form])
    apart = nf.explode(graph)
    single = nf.explode(apart)
    assert not single.of_type("weighted_sum", "weight_gradient", "blame")
    assert single.nodes["theta1.3.2"].type == "parameter"
    run, other = trained(graph), trained(single)
    assert run.history == other.history
    for name in ("theta1", "theta2"):
        for (row, column), number in np.ndenumerate(run.weights[f"{name}.value"]):
            assert other.weights[f"{name}.{row + 1}.{column + 1}.value"] == number
    assert nf.check(single).valid
    assert other.assess() == run.assess()
    walked = nf.Run(single)
    walk(walked, 3)
    fast = nf.Run(single)
    fast.train(updates=3)
    assert_same(walked.weights, fast.weights)
    assert nf.collapse(single) == graph
    one = nf.explode(apart, "hidden1.2")
    assert nf.collapse(one, "hidden1.2") == apart
    assert nf.collapse(one) == graph


def test_a_layer_of_one_neuron_is_exploded_to_operations():
    for form in FORMS.values():
        graph = wired("xor", (2, 1), scale="none", **form)
        single = nf.explode(graph, "output")
        assert trained(single).history == trained(graph).history
        assert nf.check(single).valid
        assert nf.collapse(single, "output") == graph


def test_a_gradient_of_other_inputs_is_no_gradient_of_its_neuron():
    graph = wired("xor", (2, 1), scale="none").add("x", "constant", value=[0.5, 0.5])
    graph = graph.disconnect("data.x", "theta1.gradient.a").connect("x.value", "theta1.gradient.a")
    with pytest.raises(GraphError) as error:
        nf.explode(graph, "output")
    assert str(error.value) == (
        "'output' cannot be exploded: its gradient 'theta1.gradient' takes other inputs than it; "
        "wire into theta1.gradient.a what is wired into output.a"
    )


def test_an_accumulating_layer_is_exploded_too():
    graph = hand("blobs", (2, 3, 3), rate=0.3, batch=4, loop=True)
    graph = replace(graph, wires=tuple(sorted(graph.wires)))
    apart = nf.explode(graph)
    run, other = trained(graph), trained(apart)
    for name, count in (("theta1", 3), ("b2", 3)):
        value = run.weights[f"{name}.value"]
        assert (rows_of(other.weights, name, count, value.shape) == value).all()
    assert nf.collapse(apart) == graph
    single = nf.explode(apart)
    assert trained(single).history == run.history
    assert nf.collapse(single) == graph


def test_feedback_through_other_weights_is_exploded_as_it_is():
    """Blame that does not go along the layer's own weights stays whole."""
    graph = wired()
    graph = graph.add("random", "parameter", shape=(3, 4), trainable=False)
    graph = graph.disconnect("theta2.value", "blame1.weights")
    graph = graph.connect("random.value", "blame1.weights")
    apart = nf.explode(graph)
    assert apart.nodes["blame1"].type == "blame"
    assert trained(apart).history == trained(graph).history


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (
            lambda g: g.add("see", "panel").connect("theta1.gradient.gradient", "see.value"),
            "'hidden1' cannot be exploded: 'see' reads 'theta1.gradient', which holds what "
            "belongs to the whole layer; take that wire away first",
        ),
        (
            lambda g: g.add("two", "multiply").connect("theta1.value", "two.a"),
            "'hidden1' cannot be exploded: 'theta1' (its weights) is shared: it goes to two.a too",
        ),
    ],
)
def test_what_cannot_be_taken_apart_is_said(edit, reason):
    with pytest.raises(GraphError) as error:
        nf.explode(edit(wired()), "hidden1")
    assert str(error.value) == reason


def test_an_edited_part_is_named():
    apart = nf.explode(wired()).set("theta1.mean.2", regularization=0.1)
    with pytest.raises(GraphError, match=r"the parts of 'hidden1' were edited.*theta1\.mean\.2"):
        nf.collapse(apart)


@pytest.mark.parametrize("name", ["one-neuron-unfolded", "xor-unfolded", "blame-game", "product"])
def test_a_graph_that_is_half_wired_is_looked_at_like_any_other(name):
    """Whoever wires by hand has a wire missing most of the time."""
    if name == "product":  # δ and the gradient of a single weight as products
        value = nf.parameter(value=[[0.8]])
        x = nf.constant(value=1.5)
        e = nf.error(nf.multiply(value, x), nf.constant(value=0.5))
        new = nf.weight_update(value, nf.multiply(e, x), nf.constant(value=0.1))
        graph = nf.Graph.of(new)
    else:
        path = GRAPHS / f"{name}.json"
        graph = nf.load(path) if path.exists() else nf.unfold(nf.load(GRAPHS / "xor.json"))
    for wire in graph.wires:
        half = graph.disconnect(wire.start, str(wire.end))
        for look in (silent, implied, missing_wires, nf.unfold):
            with suppress(GraphError):  # told, as whatever is missing is
                look(half)
        nf.Run(half, strict=False).evaluate()

"""Networks wired by hand: the same in everything as unfolded and folded ones, and what is said."""

import contextlib
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from handwired import wired
from networks import assert_same, hand, net, walk

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.derive.implied import implied
from nodeflow.derive.silent import missing_wires, silent
from nodeflow.errors import BadSetting, DataError, GraphError, MissingInput
from nodeflow.export import export

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


def test_a_parameter_that_nothing_updates_is_told():
    graph = wired().remove("theta2.new")
    (finding,) = silent(graph)
    assert finding.node == "theta2"
    assert "'theta2' is never updated, though its gradient is wired" in finding.sentence


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


# --- random networks: one network in many forms ---------------------------------------------------


def drawn_network(seed):
    """Return the same random network wired by hand, with steps, folded, and unfolded."""
    random = np.random.default_rng(seed)
    depth = int(random.integers(1, 4))
    sizes = (2, *(int(n) for n in random.integers(2, 5, depth - 1)), 3)
    act = str(random.choice(["sigmoid", "tanh", "softplus", "leaky_relu"]))
    batch = random.choice([1, 2, 7, 30]).item()
    test = float(random.choice([0.0, 0.25]))
    how = {"batch": batch, "act": act, "seed": seed, "test": test, "rate": 0.1}
    folded = net("blobs", sizes, half=True, accuracy=False, **how)
    return {
        "by hand": wired("blobs", sizes, **how),
        "steps": wired("blobs", sizes, form="steps", wire_rate=False, **how),
        "without cost": wired("blobs", sizes, form="steps", cost=False, **how),
        "folded": folded,
        "unfolded": nf.unfold(folded),
        "unfolded, without its cost": nf.unfold(folded).remove("cost"),
    }, sizes


@pytest.mark.parametrize("seed", range(6))
def test_all_forms_of_a_random_network_are_equal_in_everything(seed):
    from nodeflow.editor.canvas.neurons import neuron_map

    forms, sizes = drawn_network(seed)
    runs = {name: trained(graph, 2) for name, graph in forms.items()}
    first = runs["by hand"]
    drawn = neuron_map(forms["by hand"])
    forward = {f"hidden{n}" for n in range(1, len(sizes) - 1)} | {"output"}
    for name, run in runs.items():
        assert_same(run.weights, first.weights)
        assert run.history == first.history
        assert run.assess() == first.assess()
        found = nf.check(forms[name])
        assert found.valid, (name, found)
        assert forward <= found.nodes.keys()
        form = neuron_map(forms[name])
        assert (form.neurons, form.lines, form.labels) == (
            drawn.neurons, drawn.lines, drawn.labels,
        )  # fmt: skip
        parts = nf.explode(forms[name])
        apart = trained(parts, 2)
        assert apart.history == first.history
        whole = first.weights["theta1.value"]
        if len(whole) > 1:
            assert (rows_of(apart.weights, "theta1", len(whole), whole.shape) == whole).all()
        single = nf.explode(parts)
        assert trained(single, 2).history == first.history
        if name != "unfolded":  # neurons that nobody remembers as a layer's are one again
            bare = replace(parts, extra={k: v for k, v in parts.extra.items() if k != "exploded"})
            gathered = nf.collapse(bare)
            assert len(gathered.nodes) == len(forms[name].nodes)
            assert trained(gathered, 2).history == first.history
        assert set(nf.collapse(single).wires) == set(forms[name].wires)


@pytest.mark.parametrize("seed", range(2))
def test_all_forms_of_a_random_network_are_exported_alike(seed, tmp_path):
    """Weights, history, picture, and a program that trains: it comes to the same costs."""

    forms, _ = drawn_network(seed)
    found = {}
    for name, graph in forms.items():
        for form, made in ((name, graph), (f"{name}, apart", nf.explode(graph))):
            for ending in ("csv", "json", "py", "svg"):
                export(made, tmp_path / f"g.{ending}", epochs=2)
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec((tmp_path / "g.py").read_text("utf-8"), {"__name__": "__main__"})
            costs = [float(word) for word in re.findall(r"cost (\S+)", out.getvalue())]
            weights = json.loads((tmp_path / "g.json").read_text("utf-8"))
            numbers = [n for value in weights.values() for n in np.ravel(value)]
            found[form] = (tmp_path / "g.csv").read_text("utf-8"), sorted(numbers), costs
            assert "<svg" in (tmp_path / "g.svg").read_text("utf-8")
    history, numbers, costs = found["by hand"]
    assert len(costs) == 2
    for form, (lines, there, printed) in found.items():
        assert lines == history, form
        assert there == numbers, form
        assert printed == pytest.approx(costs, rel=1e-12), form

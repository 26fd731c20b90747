"""Networks wired by hand: the same in everything as unfolded and folded ones, and what is said."""

import json
from dataclasses import replace

import pytest
from handwired import wired
from networks import assert_same, net, walk

import nodeflow as nf
from nodeflow.cli import main
from nodeflow.derive.implied import implied
from nodeflow.derive.silent import missing_wires, silent
from nodeflow.errors import BadSetting, MissingInput

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
    from nodeflow.editor.commands import done
    from nodeflow.editor.model import Editor

    editor = Editor.of(wired().disconnect("b1.new.value", "b1.next"))
    assert "goes nowhere" in editor.problems["b1.new"]
    assert missing_wires(editor.graph) == ("b1.new.value -> b1.next",)
    mended = done(editor, "wire-back")
    assert set(mended.graph.wires) == set(wired().wires)
    assert mended.problems == {}
    assert "no feedback wire is missing" in done(mended, "wire-back").notice.text

"""Predict, then reveal: questions, marks and slips, on networks whose numbers are published."""

from pathlib import Path

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.errors import RunError
from nodeflow.explain import explain
from nodeflow.playback.answers import HITS, SIGNS, Answer, read_number, read_word
from nodeflow.playback.predicting import MOST, ask, worth_asking

FOLDER = Path(__file__).parent.parent / "graphs"
# The data of the others are not everywhere.
FAR = ("mnist", "nielsen", "ng-digits", "wheat-seeds")
PATHS = sorted(path for path in FOLDER.glob("*.json") if not path.stem.startswith(FAR))


def load(name, **options):
    return nf.Run(nf.load(FOLDER / f"{name}.json"), **options)


def before(node, name="mazur", run=None, **options):
    """Return a question about a node and the step made afterwards."""
    run = run or load(name)
    while run.node != node:
        run.step()
    question = ask(run, **options)
    return question, run.step()


def marked(node, answer, name="mazur", **options):
    question, step = before(node, name, **options)
    return question.mark(answer, step)


# --- answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.38", 0.38),
        (" −3 ", -3.0),
        ("- 0,5", -0.5),
        ("+.5", 0.5),
        ("5.", 5.0),
        ("2/3", 2 / 3),
        ("−1,5 / 2", -0.75),
        ("8.2e-2", 0.082),
        ("1E3", 1000.0),
    ],
)
def test_a_number_is_read(text, value) -> None:
    assert read_number(text).value == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a half",
        "1/0",
        "1e300/.0000000001",
        "nan",
        "inf",
        "1e999",
        "1.2.3",
        "1 / 2 / 3",
        "--1",
        "½",
        "9" * 99,
    ],
)
def test_what_is_no_number_is_not_read(text) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("typed", "expected", "right"),
    [
        ("0.6", 0.5987, True),  # one digit given
        ("0.60", 0.5987, True),
        ("0.5", 0.5987, False),
        ("1", 0.5987, False),  # its place is above the first digit
        ("0.598", 0.5987, True),  # within 1 %
        ("0.605", 0.5987, False),
        ("0.593", 0.5987, True),  # 0.95 %
        ("0.2", 0.2049, True),
        ("0.21", 0.2055, True),
        ("0.200", 0.2049, True),  # 0.0049 off
        ("0.199", 0.2049, False),
        ("1/5", 0.2049, True),
        ("1/5", 0.2060, False),
        ("3", 2.6, True),
        ("3.0", 2.6, False),
        ("100", 104.0, False),
        ("101", 100.0, True),
        ("1e2", 104.0, True),
        ("0", 0.0, True),
        ("0.004", 0.0, True),
        ("0.01", 0.0, False),
        ("0", 1e-17, True),
        ("0", 0.0004386, False),  # a small gradient is not 0
        ("0.00", 0.0004386, False),
        ("-0.0004", 0.0004386, False),
        ("0.0004", 0.0004386, True),
        ("4e-4", 0.0004386, True),
        ("0.00046", 0.0004386, True),  # within a tenth, and 0.005
        ("0.0005", 0.0004386, False),
        ("-0.4", -0.3775, True),
        ("0.4", -0.3775, False),
        ("0.0822", 0.082167041, True),
    ],
)
def test_what_is_near_enough(typed, expected, right) -> None:
    assert read_number(typed).meets(expected) is right


def test_of_a_new_weight_the_change_counts() -> None:
    for typed, right in (("0.149781", True), ("0.1498", True), ("0.15", False), ("0.1502", False)):
        assert read_number(typed)._replace(base=0.15).meets(0.149780716) is right
    assert Answer(0.15).meets(0.149780716)


def test_signs_and_hits_are_read_in_many_words() -> None:
    for sign, words in ((1, "up + rises Rise ↑"), (-1, "down − - falls FALL"), (0, "same 0 stays")):
        assert {read_word(word, SIGNS) for word in words.split()} == {sign}
    assert [read_word(word, HITS) for word in ("hit", "No ", "perhaps")] == [1, 0, None]


# --- Mazur's network -----------------------------------------------------------------------------


def test_the_weighted_sum_of_mazur() -> None:
    question, step = before("hidden")
    assert question.text == "What is hidden.z₁, the weighted sum?"
    assert (question.kind, question.words, question.index) == ("number", (), (0, 0))
    assert question.hint == "z = Θa + b"
    assert sorted(question.given) == [
        "bias1.value₁ = 0.35",
        "theta1.value₁,₁ = 0.15",
        "theta1.value₁,₂ = 0.2",
        "x.value₁ = 0.05",
        "x.value₂ = 0.1",
    ]
    mark = question.mark("0.3775", step)
    assert (mark.right, mark.given, mark.slip) == (True, 0.3775, "")
    assert mark.expected == pytest.approx(0.3775, abs=1e-12)
    assert mark.text == "Right: hidden.z₁ = 0.3775."
    assert mark.lines[0] == "z₁ = 0.15·0.05 + 0.2·0.1 + 0.35 = 0.3775"
    assert mark.lines[1].startswith("hidden added up 2 weighted inputs")


@pytest.mark.parametrize(
    ("node", "published"),
    [
        ("hidden", 0.3775),
        ("hidden_a", 0.593269992),
        ("output", 1.105905967),
        ("output_a", 0.75136507),
        ("cost", 0.298371109),
        ("cost.error", 0.74136507),
        ("output.delta", 0.138498562),
        ("hidden.blame", 0.036350306),
        ("theta2.gradient", 0.082167041),
        ("theta1.gradient", 0.000438568),
    ],
)
def test_the_published_figures_are_right(node, published) -> None:
    question, step = before(node)
    for typed in (repr(published), f"{published:.3g}", f"{published:.1g}".replace(".", ",")):
        mark = question.mark(typed, step)
        assert mark.right, typed
        assert mark.expected == pytest.approx(published, abs=1e-9)
        assert mark.lines[0] == explain(question.run, step).lines[0].text
    assert not question.mark(repr(published * 1.2), step).right


@pytest.mark.parametrize(
    ("node", "answer", "slip", "says"),
    [
        ("hidden", "0.0275", "bias", "without the bias: add b = 0.35"),
        ("hidden", "-0.3775", "sign", "the sign is the opposite"),
        ("hidden_a", "0.3775", "activation", "That is z: the node puts it through sigmoid"),
        ("hidden_a", "0.406730008", "exponent", "The exponent has a minus"),
        ("cost", "0.596742", "half", "this cost is half"),
        ("cost.error", "-0.74136507", "sign", "That is y − a"),
        ("output.delta", "0.74136507", "slope", "slope of sigmoid, g′(z) = 0.1868"),
        ("hidden.delta", "0.036350306", "slope", "times the slope"),
        ("theta2.gradient", "0.138498562", "input", "multiply it by the input"),
        ("theta2.gradient", "−0.0822", "sign", "opposite"),
        ("theta1.gradient", "-0.000438568", "sign", "opposite"),
        ("hidden", "7", "", "No: hidden.z₁ = 0.3775, and you said 7."),
    ],
)
def test_a_slip_is_named(node, answer, slip, says) -> None:
    mark = marked(node, answer)
    assert (mark.right, mark.slip) == (False, slip)
    assert says in mark.text
    assert mark.text.startswith("No: ")
    assert mark.lines


def test_a_slip_depends_on_the_settings() -> None:
    whole = nf.Run(nf.load(FOLDER / "mazur.json").set("cost", half=False))
    question, step = before("cost", run=whole)
    mark = question.mark("0.298371109", step)
    assert (mark.right, mark.slip) == (False, "half")
    assert "this cost has no ½" in mark.text
    graph = nf.load(FOLDER / "mazur.json")
    graph = graph.remove("output_a").add("output_a", "softmax").connect("output.z", "output_a.z")
    graph = graph.connect("output_a.a", "cost.a")
    question, step = before("output.delta", run=nf.Run(graph))
    mark = question.mark(repr(float(step.inputs["blame"][0, 0])), step)
    assert mark.slip == "slope"
    assert mark.text.endswith("times the slope of softmax, g′(z).")


@pytest.mark.parametrize(
    ("answer", "right", "slip"),
    [
        ("0.35891648", True, ""),
        ("0.359", True, ""),
        ("0.4", False, ""),  # the old weight
        ("0.317832959", False, "rate"),
        ("0.44108352", False, "minus"),
    ],
)
def test_the_new_weight_can_be_asked_as_a_number(answer, right, slip) -> None:
    question, step = before("theta2.update", kind="number")
    assert question.text == "What is theta2.update.value₁,₁, the new weight?"
    mark = question.mark(answer, step)
    assert mark.expected == pytest.approx(0.35891648, abs=1e-8)
    assert (mark.right, mark.slip) == (right, slip)


def test_the_way_of_a_weight_is_asked() -> None:
    question, step = before("theta2.update")
    assert question.text == (
        "Will theta2.value₁,₁ (hidden 1 meets output 1) rise, fall or stay the same?"
    )
    assert (question.kind, question.words) == ("sign", ("up", "down", "same"))
    assert "theta2.average.gradient₁,₁ = 0.082167" in question.given
    mark = question.mark("falls", step)
    assert (mark.right, mark.given) == (True, -1.0)
    assert mark.expected == pytest.approx(0.35891648 - 0.4, abs=1e-8)
    assert mark.text == "Right: the weight falls by 0.04108."
    wrong = question.mark("+", step)
    assert (wrong.right, wrong.given, wrong.slip) == (False, 1.0, "minus")
    assert "D is positive, so the weight falls" in wrong.text
    assert question.mark("0", step).slip == ""
    silent = question.mark("sideways", step)
    assert (silent.right, silent.given, silent.lines) == (False, None, ())
    assert silent.text == "'sideways' is none of the answers: type up, down or same"


def test_a_weight_that_stays() -> None:
    graph = nf.load(FOLDER / "mazur.json").set("train", rate=0.0)
    question, step = before("theta1.update", run=nf.Run(graph))
    assert question.mark("same", step).text == "Right: the weight stays as it is."
    assert not question.mark("down", step).right


def test_with_a_rate_below_0_a_weight_goes_with_its_gradient() -> None:
    graph = nf.load(FOLDER / "one-neuron-unfolded.json")
    key = graph.of_type("weight_update")[0]
    rate = graph.inputs(key)["rate"][0].source
    question, step = before(key, run=nf.Run(graph.set(rate, value=-0.1)))
    assert step.inputs["gradient"][question.index] > 0
    assert question.mark("up", step).right
    mark = question.mark("down", step)
    assert (mark.right, mark.slip) == (False, "")


def test_what_is_no_number_gives_nothing_away() -> None:
    mark = marked("hidden", "about a\nthird")
    assert mark.text == "'about a third' is no number: type one such as 0.25, −3 or 2/3"
    assert (mark.right, mark.given, mark.lines) == (False, None, ())


# --- what is asked -------------------------------------------------------------------------------


def test_only_what_is_calculated_is_worth_asking() -> None:
    run = load("mazur")
    graph = run.plan.graph
    asked = {key for key in run.order if worth_asking(run, key)}
    sources = {key for key in run.order if graph.type_of(key).family == "source"}
    assert asked == set(run.order) - sources
    assert not worth_asking(run, "train")
    assert not worth_asking(run, "nobody")
    passing = nf.load(FOLDER / "mazur.json")
    passing = passing.add("knot", "relay").connect("hidden.z", "knot.a")
    passing = passing.add("show", "panel").connect("hidden.z", "show.value")
    other = nf.Run(passing)
    assert "knot" in other.order
    assert not worth_asking(other, "knot")
    assert not worth_asking(other, "show")


def test_long_sums_are_not_worth_asking() -> None:
    for inputs, worth in ((MOST // 2, True), (MOST // 2 + 1, False)):
        x = nf.constant(value=[1.0] * inputs)
        graph = nf.Graph.of(nf.weighted_sum(x, nf.parameter(shape=(2, inputs)), id="z"))
        assert worth_asking(nf.Run(graph), "z") is worth


def test_another_node_than_the_next_cannot_be_asked() -> None:
    run = load("mazur")
    with pytest.raises(RunError, match="'hidden' is not evaluated next, but 'bias1'"):
        ask(run, "hidden")
    with pytest.raises(RunError, match="nothing to work out by hand at 'bias1'"):
        ask(run)
    question, _ = before("hidden", run=run)
    with pytest.raises(RunError, match="mark it with the step right after it"):
        question.mark("1", run.step())
    run.goto(update=2)
    _, later = before("hidden", run=run)
    with pytest.raises(RunError, match="update 0"):
        question.mark("1", later)


def test_asking_changes_nothing() -> None:
    asked, plain = load("iris"), load("iris")
    while asked.update < 2:
        if worth_asking(asked, asked.node):
            ask(asked)
        step, other = asked.step(), plain.step()
        for port, value in other.outputs.items():
            assert np.array_equal(step.outputs[port], value)


def test_each_pass_asks_the_next_number() -> None:
    run = load("mazur")
    found = []
    for _ in range(5):
        question, _ = before("theta1.gradient", run=run)
        found.append(question.index)
    assert found == [(0, 0), (0, 1), (1, 0), (1, 1), (0, 0)]
    assert question.name == "theta1.gradient₁,₁"


def test_a_batch_is_asked_by_row() -> None:
    run = load("mazur")
    graph = nf.load(FOLDER / "mazur.json").set("x", value=[[0.05, 0.1], [0.3, 0.1]])
    run = nf.Run(graph.set("y", value=[[0.01, 0.99], [1.0, 0.0]]), batch="all")
    run.train(updates=2)
    question, step = before("hidden", run=run)
    assert question.index == (1, 0)
    assert question.text == "What is hidden.z₂,₁, the weighted sum in row 2 of the batch?"
    assert "x.value₂,₁ = 0.3" in question.given
    assert question.mark(repr(float(step.outputs["z"][1, 0])), step).right
    question, step = before("theta2.average", run=run)
    assert "n = 2" in question.given
    total = float(step.inputs["total"][question.index])
    assert question.mark(repr(total), step).slip == "mean"


def test_a_hit_is_a_choice() -> None:
    run = load("iris")
    key = next(iter(run.graph.of_type("accuracy")))
    question, step = before(key, run=run)
    assert (question.kind, question.words) == ("choice", ("hit", "miss"))
    hit = bool(step.outputs["value"][0, 0])
    assert hit == (step.inputs["a"].argmax() == step.inputs["y"].argmax())
    assert question.mark("hit", step).right is hit
    assert question.mark("miss", step).right is not hit
    assert question.mark("2", step).given is None
    assert len([line for line in question.given if "threshold" not in line]) == 6


def test_a_total_names_what_was_added_before() -> None:
    run = load("four-layers")
    key = run.graph.of_type("accumulate")[-1]
    before_it, indices = 0.0, set()
    for _ in range(3):
        while run.node != key:
            run.step()
        (line,) = [line for line in ask(run).given if line.startswith("total so far = ")]
        question, step = before(key, run=run)
        total = float(step.outputs["total"][question.index])
        gradient = float(step.inputs["gradient"][question.index])
        previous = float(line.rpartition(" ")[2].replace("−", "-"))
        assert previous == pytest.approx(total - gradient, rel=1e-4, abs=1e-9)
        before_it += abs(previous)
        indices.add(question.index)
        assert len(question.given) == 2
    assert before_it > 0
    assert indices == {(0,), (1,)}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_graph_can_be_asked_and_answered(path) -> None:
    run = nf.Run(nf.load(path))
    seen = 0
    for _ in range(len(run.order)):
        if not worth_asking(run, run.node):
            run.step()
            continue
        question = ask(run)
        step = run.step()
        assert question.given
        assert not any("nan" in line.lower() for line in question.given)
        value = float(step.outputs[question.port][question.index])
        answer = repr(value)
        if question.kind == "sign":
            answer = ("down", "same", "up")[
                1 + int(np.sign(value - step.inputs["parameter"][question.index]))
            ]
        elif question.kind == "choice":
            answer = "hit" if value else "miss"
        mark = question.mark(answer, step)
        assert mark.right, (question, mark)
        assert mark.lines
        seen += 1
    assert seen

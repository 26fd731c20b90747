"""The deconstruction as its author did it: from an empty canvas, with mouse and keys, counted."""

import numpy as np
import pytest
from networks import splitmix_order
from test_journeys import row_of, type_into

import nodeflow as nf
from nodeflow.editor.canvas.neurons import neuron_map

# Where the nodes of one neuron are dropped, in pixels of the canvas.
PLACES = {
    "dataset": (860, 30),
    "pick": (20, 30),
    "error": (20, 130),
    "weighted_sum": (440, 30),
    "sigmoid": (640, 30),
    "delta": (640, 140),
    "step": (440, 170),
    "step_2": (640, 260),
}
WIRES = [
    ("weighted_sum.z", "sigmoid.z"),
    ("sigmoid.a", "error.a"),
    ("dataset.y", "pick.a"),
    ("pick.value", "error.y"),
    ("error.e", "delta.blame"),
    ("sigmoid.a", "delta.a"),
    ("w.value", "step.parameter"),
    ("delta.delta", "step.delta"),
    ("dataset.x", "step.a"),
    ("b.value", "step_2.parameter"),
    ("delta.delta", "step_2.delta"),
]
HIDDEN = ["b_2", "delta_2", "sigmoid_2", "step_2_2", "step_2_2_2", "w_2", "weighted_sum_2"]


class Counted:
    """A mouse and keys of which every use is noted; where the pointer rests is no action.

    A click, a drag, a turn of the wheel, a key with what is held down, and a text that is typed in
    one go are one each, Enter behind a text another one. There is no other way to the hardware.
    """

    def __init__(self, mouse):
        self._mouse, self.did = mouse, []
        self.move = mouse.move

    def click(self, x, y, **how):
        self.did.append("click")
        self._mouse.click(x, y, **how)

    def drag(self, start, end, **how):
        self.did.append("drag")
        self._mouse.drag(start, end, **how)

    def wheel(self, x, y, clicks):
        self.did.append("wheel")
        self._mouse.wheel(x, y, clicks)

    def key(self, name, *held):
        self.did.append("+".join([*held, name]))
        self._mouse.key(name, *held)

    def write(self, text):
        self.did.append(f"typed {text}")
        self._mouse.write(text)


class Person:
    """Somebody with a mouse and keys who builds a network."""

    def __init__(self, window, mouse):
        self.window, self.mouse = window, mouse

    def place(self, node, at):
        left, top, *_ = self.window.state["area"]
        kind = node.rstrip("_2")
        row = row_of(self.window, self.mouse, kind)
        self.mouse.drag(row, (left + at[0] + 20, top + at[1] + 12))
        self.window.until(lambda state: node in state["nodes"] and state["selection"] == [node])

    def wire(self, start, end):
        self.window.settled(3)
        ports = self.window.state["ports"]
        self.mouse.drag(
            self.window.on_screen(*ports[start]), self.window.on_screen(*ports[end]), steps=6
        )
        self.window.until(lambda state: any(w.startswith(f"{start} -> {end}")
                                            for w in state["wires"]))  # fmt: skip

    def select(self, node):
        self.mouse.click(*self.window.middle(node))
        self.window.until(lambda state: state["selection"] == [node])
        self.window.settled()

    def box(self, corner, other, nodes):
        """Draw a box around nodes; it begins where there is nothing."""
        left, top, *_ = self.window.state["area"]
        self.mouse.drag((left + corner[0], top + corner[1]), (left + other[0], top + other[1]))
        self.window.until(lambda state: state["selection"] == sorted(nodes))

    def keys(self, *held):
        self.mouse.key(held[-1], *held[:-1])
        self.window.settled()

    def answer(self, text, before=""):
        """Type into the field that has opened in place of what it holds, and press Enter."""
        self.window.until(lambda state: state["popup"] != "NoneType" and state["ready"]
                          and (not before or state["text"] != before))  # fmt: skip
        self.mouse.write(text)
        self.window.until(lambda state: state["text"] == text)
        self.mouse.key("Return")

    def rate(self, text):
        """Ask the palette for the learning rate of all updates."""
        self.mouse.key("p", "Control_L", "Shift_L")
        self.answer("learning rate")
        self.answer(text, before="learning rate")

    def repeat(self, count):
        self.mouse.key("r", "Control_L", "Shift_L")
        self.answer(str(count))


@pytest.fixture
def seeds(home):
    """Seven measurements of three kinds."""
    random = np.random.default_rng(3)
    middle = random.uniform(0, 1, (3, 7))
    rows = [
        [f"{value:.3f}" for value in middle[kind] + random.normal(0, 0.15, 7)] + ["ABC"[kind]]
        for kind in range(3)
        for _ in range(30)
    ]
    header = [*(f"m{n}" for n in range(1, 8)), "kind"]
    text = "\n".join(",".join(row) for row in [header, *rows]) + "\n"
    (home / "work" / "seven.csv").write_text(text)
    return home / "work"


def by_numpy(graph, file, epochs):
    """Return the weights of a 7-5-3 network after a plain loop, one row after the other."""
    lines = [line.split(",") for line in file.read_text().split()[1:]]
    x = np.array([[float(cell) for cell in line[:7]] for line in lines])
    y = np.array([[float(line[7] == kind) for kind in "ABC"] for line in lines])
    start = nf.Run(graph).weights
    fed = {key: {port: wires[0].source for port, wires in graph.inputs(key).items()}
           for key in graph.nodes}  # fmt: skip
    sums = graph.of_type("weighted_sum")
    columns = [[key for key in sums if start[f"{fed[key]['weights']}.value"].shape == (1, wide)]
               for wide in (7, 5)]  # fmt: skip
    # The outputs take the hidden neurons in the order of their wires.
    hidden = [fed[wire.source]["z"] for wire in graph.inputs(columns[1][0])["a"]]
    outputs = columns[1]
    assert sorted(hidden) == sorted(columns[0])
    thetas, biases = ([[f"{fed[key][port]}.value" for key in column]
                       for column in (hidden, outputs)]
                      for port in ("weights", "bias"))  # fmt: skip
    theta1, theta2 = (np.vstack([start[key] for key in names]) for names in thetas)
    b1, b2 = (np.array([start[key][0] for key in names]) for names in biases)
    goals = {fed[fed[error]["a"]]["z"]: fed[error]["y"] for error in graph.of_type("error")}
    picked = [graph.settings(goals[key])["index"] for key in outputs]

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    training = graph.training
    for epoch in range(epochs):
        for row in splitmix_order(len(x), training.seed, epoch):
            a1 = sigmoid(theta1 @ x[row] + b1)
            a2 = sigmoid(theta2 @ a1 + b2)
            delta2 = (a2 - y[row][picked]) * a2 * (1 - a2)
            delta1 = theta2.T @ delta2 * a1 * (1 - a1)
            theta2 = theta2 - training.rate * np.outer(delta2, a1)
            b2 = b2 - training.rate * delta2
            theta1 = theta1 - training.rate * np.outer(delta1, x[row])
            b1 = b1 - training.rate * delta1
    found = {}
    for names, own, theta, b in zip(thetas, biases, (theta1, theta2), (b1, b2), strict=True):
        found |= {key: theta[[j]] for j, key in enumerate(names)}
        found |= {key: b[[j]] for j, key in enumerate(own)}
    return found


def test_one_neuron_and_from_it_a_network(started, mouse, seeds, shot):
    """A neuron that learns is 8 nodes placed and 12 wires drawn; two commands draw four more.

    16 actions on, 7-5-3 does.
    """
    window = started(NODEFLOW_DATA=str(seeds))
    window.until(lambda state: state["count"] == [0, 0])
    window.settled()
    hands = Counted(mouse)
    person = Person(window, hands)
    for node, at in PLACES.items():
        person.place(node, at)
        if node == "dataset":
            hands.move(*window.wait("field source"))  # before it is pressed, on a slow machine
            window.settled()
            type_into(window, hands, "field source", "seven.csv")
    person.wire("dataset.x", "weighted_sum.a")
    person.select("weighted_sum")
    person.keys("Control_L", "Shift_L", "w")
    window.until(lambda state: {"w", "b"} <= state["nodes"].keys())
    for start, end in WIRES:
        person.wire(start, end)
    person.keys("Control_L", "Alt_L", "w")
    window.until(lambda state: "step.value -> w.next" in state["wires"])
    window.settled()
    shot("one neuron")
    assert len(PLACES) == 8
    assert hands.did.count("drag") == len(PLACES) + 12
    assert window.state["count"] == [10, 16]
    person.rate("0.5")
    window.until(lambda state: state["popup"] == "NoneType")
    window.settled()
    hands.key("F5")
    window.until(lambda state: state["live"][0] == "done", 60)
    assert window.state["cost"] < 0.1

    # From here on: a second neuron before it, five of that one, three of the first.
    hands.did.clear()
    own = ["b", "delta", "sigmoid", "step", "step_2", "w", "weighted_sum"]
    person.box((850, 415), (202, 10), own)  # wires lie above the neuron
    person.keys("Control_L", "Alt_L", "d")
    window.until(lambda state: state["selection"] == HIDDEN)
    person.place("blame", (20, 260))
    for start, end in (
        ("sigmoid_2.a", "weighted_sum.a"),
        ("sigmoid_2.a", "step.a"),
        ("delta.delta", "blame.delta"),
        ("w.value", "blame.weights"),
        ("blame.blame", "delta_2.blame"),
    ):
        person.wire(start, end)
        if end == "weighted_sum.a":  # what it weighs is another: so are its weights
            assert "'w' is 1×1 now" in window.state["notice"]
    window.settled()
    shot("two neurons")
    person.box((850, 800), (202, 405), HIDDEN)
    person.repeat(5)
    window.until(lambda state: state["count"][0] > 45)
    shot("five hidden")
    person.box((853, 394), (5, 10), [*own, "blame", "error", "pick"])
    person.repeat(3)
    window.until(lambda state: state["count"][0] > 65)
    assert len(hands.did) == 16, hands.did  # the number that the changelog has
    mouse.key("f")
    window.until(lambda state: not state["busy"] and not state["undrawn"], 60)
    shot("7-5-3")

    # It learns, and it is a network of layers, written down by hand.
    mouse.key("s", "Control_L")
    window.until(lambda state: state["sheet"] and state["sheet_ready"])
    mouse.key("Return")
    window.until(lambda state: state["path"] and not state["changed"])
    mouse.key("F5")
    window.until(lambda state: state["live"][0] == "done" and state["live"][1] >= 10, 120)
    graph = nf.load(window.state["path"])
    found = nf.check(graph)
    assert found.valid
    assert found.findings == ()
    drawn = neuron_map(graph)
    columns = sorted({neuron.x for neuron in drawn.neurons})
    assert [sum(n.x == x for n in drawn.neurons) for x in columns] == [7, 5, 3]
    run = nf.Run(graph)
    run.train(3)
    expected = by_numpy(graph, seeds / "seven.csv", epochs=3)
    assert expected.keys() == run.weights.keys()
    for address, value in expected.items():
        assert run.weights[address] == pytest.approx(value, rel=1e-12, abs=1e-15), address
    layers = nf.collapse(graph)
    assert sorted(layers.settings(w)["shape"] for w in ("w", "w_2")) == [(3, 5), (5, 7)]
    runs = [nf.Run(made) for made in (graph, layers)]
    for run in runs:
        run.train(40)
    assert runs[0].assess().train_accuracy == runs[1].assess().train_accuracy > 0.95

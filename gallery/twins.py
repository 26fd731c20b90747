"""Writes `graphs/twins/` and the table of `docs/twins.md`: `python -m gallery.twins`."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import nodeflow as nf
from nodeflow.graph import Graph
from nodeflow.twins import RULES, laid_out, twin

HERE = Path(__file__).parent.parent
FOLDER = HERE / "graphs" / "twins"
PAGE = HERE / "docs" / "twins.md"


def opencv_order(epochs: int) -> tuple[int, ...]:
    """Return the rows of OpenCV's epochs: three times it swaps two that it draws.

    It draws by a multiply-with-carry generator that begins with all ones.
    """
    state, order, found = 2**64 - 1, [0, 1, 2], []

    def draw() -> int:
        nonlocal state
        state = (state & 0xFFFFFFFF) * 4164903690 + (state >> 32)
        return (state & 0xFFFFFFFF) % 3

    for _ in range(epochs):
        for _ in range(3):
            one, other = draw(), draw()
            order[one], order[other] = order[other], order[one]
        found += order
    return tuple(found)


def pybrain_order(epochs: int) -> tuple[int, ...]:
    """Return the rows of PyBrain's epochs after `random.seed(3)`: each is shuffled anew."""
    own, found = random.Random(3), []  # noqa: S311 (an order of rows is no secret)
    for _ in range(epochs):
        order = [0, 1, 2]
        own.shuffle(order)
        found += order
    return tuple(found)


ROWS = ((0.05, 0.10, 0.01, 0.99), (1.0, 0.0, 0.99, 0.01), (0.3, -0.8, 0.2, 0.7))
TABLE = "<!-- table -->"
LINEAR = ("sklearn-", "convnetjs", "flexible-neural-network")
"""Programs whose outputs for numbers are linear, whatever the hidden layer is."""
ONE_HOT = ("mlxtend", "mlxtend-momentum", "numpy-neural-network", "weka")
"""Programs that were given classes."""
SOFTMAX = ("mlxtend", "mlxtend-momentum")
ORDERS = {"weka": (2, 1, 0), "opencv-backprop": opencv_order(20), "pybrain": pybrain_order(20)}
"""The order in which programs that shuffle took the rows, of 20 passes where each has its own."""
WEKA = {  # its own start, drawn by java.util.Random(0): nobody can set another one
    "theta1": ((-0.016678160052335023, 0.04848415401998089),
               (-0.011481081525928152, 0.03791825178724802)),
    "bias1": (0.005043700511763394, 0.009754527779720176),
    "theta2": ((0.04412491794821144, -0.03711028491262233),
               (-0.02250460339645152, -0.03533983423534818)),
    "bias2": (-0.025946358432851414, 0.013741742535010829),
}  # fmt: skip
MOMENTUM = {"torch-momentum": 0.9, "torch-nesterov": 0.9, "keras-momentum": 0.9,
            "keras-nesterov": 0.9, "sklearn-momentum": 0.9, "sklearn-nesterov": 0.9,
            "tensorflow-js-momentum": 0.9, "neurolab-gdm": 0.9, "convnetjs": 0.9,
            "ffnet-momentum": 0.8, "weka": 0.2, "mlxtend-momentum": 0.1, "brain-js": 0.1,
            "opencv-backprop": 0.1}  # fmt: skip


def rows_of(name: str) -> str:
    """Return the file of a program's rows."""
    kind = "classes" if name in ONE_HOT else "rows"
    return f"{kind}-{name}.csv" if name in ORDERS else f"{kind}.csv"


def network(name: str) -> Graph:
    """Return the 2-2-2 network with M. Mazur's weights that a twin is made of."""
    graph = nf.load(HERE / "graphs" / "mazur.json").remove("x", "y", "train", "cost")
    graph = replace(graph, name="", about="", layout={}, folder=FOLDER)
    for bias in ("bias1", "bias2"):
        graph = graph.set(bias, trainable=True)
    graph = graph.add("data", "dataset", source=rows_of(name), target=["t1", "t2"],
                      target_kind="numbers", shuffle=False, header="yes")  # fmt: skip
    cost = "squared_error"
    if name.startswith(LINEAR):
        graph = _last(graph, "identity")
    if name in SOFTMAX:
        graph = _last(graph, "softmax")
        cost = "categorical_cross_entropy"
    if name == "weka":
        for key, value in WEKA.items():
            graph = graph.set(key, value=value)
    graph = graph.add("cost", cost).connect("data.x", "hidden.a")
    graph = graph.connect("output_a.a", "cost.a").connect("data.y", "cost.y")
    momentum = MOMENTUM.get(name, 0.0)
    epochs = 1 if len(ORDERS.get(name, ())) > len(ROWS) else 20
    graph = graph.add("train", "gradient_descent", rate=RULES[name].steps, momentum=momentum)
    return replace(graph.connect("cost.cost", "train.cost"), training=nf.Training(1, epochs, 0))


def _last(graph: Graph, activation: str) -> Graph:
    graph = graph.remove("output_a").add("output_a", activation)
    return graph.connect("output.z", "output_a.z")


def _classes(name: str, first: float, second: float) -> tuple[int, int]:
    """Return a class for the larger target; Weka was given no, yes, yes."""
    if name == "weka":
        return (int(first == ROWS[0][2]), int(first != ROWS[0][2]))
    return int(first > second), int(second > first)


def build(name: str) -> Graph:
    """Return a twin on the common rows."""
    return laid_out(twin(network(name), name))


def table() -> str:
    """Return the table of all programs."""
    head = ("graph", "program", "factor of the error", "blame passes weights", "momentum", "decay",
            "clipping", "scaling", "rows", "stops")  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for name, rule in RULES.items():
        cells = (f"[{name}](../graphs/twins/{name}.json)", rule.program, rule.factor, rule.order,
                 rule.momentum, rule.decay, rule.clipping, rule.scaling, rule.rows,
                 rule.stops)  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    for name in RULES:
        rows = [ROWS[place] for place in ORDERS.get(name, range(len(ROWS)))]
        if name in ONE_HOT:
            rows = [(a, b, *_classes(name, s, t)) for a, b, s, t in rows]
        numbers = "\n".join(",".join(map(str, row)) for row in rows)
        (FOLDER / rows_of(name)).write_text(f"x1,x2,t1,t2\n{numbers}\n", encoding="utf-8")
        nf.save(build(name), FOLDER / f"{name}.json")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(TABLE)
    after = rest.partition(TABLE)[2]
    PAGE.write_text(f"{before}{TABLE}\n{table()}\n{TABLE}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Writes `graphs/twins/` and the table of `docs/twins.md`: `python -m gallery.twins`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nodeflow as nf
from nodeflow.graph import Graph
from nodeflow.twins import RULES, laid_out, twin

HERE = Path(__file__).parent.parent
FOLDER = HERE / "graphs" / "twins"
PAGE = HERE / "docs" / "twins.md"
ROWS = ((0.05, 0.10, 0.01, 0.99), (1.0, 0.0, 0.99, 0.01), (0.3, -0.8, 0.2, 0.7))
TABLE = "<!-- table -->"
LINEAR = ("sklearn-", "convnetjs")
"""Programs whose outputs for numbers are linear, whatever the hidden layer is."""
ONE_HOT = ("mlxtend",)
MOMENTUM = {"torch-momentum": 0.9, "torch-nesterov": 0.9, "keras-momentum": 0.9,
            "keras-nesterov": 0.9, "sklearn-momentum": 0.9, "sklearn-nesterov": 0.9,
            "tensorflow-js-momentum": 0.9, "neurolab-gdm": 0.9, "convnetjs": 0.9,
            "ffnet-momentum": 0.8, "weka": 0.2, "brain-js": 0.1,
            "opencv-backprop": 0.1}  # fmt: skip


def network(name: str) -> Graph:
    """Return the 2-2-2 network with M. Mazur's weights that a twin is made of."""
    graph = nf.load(HERE / "graphs" / "mazur.json").remove("x", "y", "train", "cost")
    graph = replace(graph, name="", about="", layout={}, folder=FOLDER)
    for bias in ("bias1", "bias2"):
        graph = graph.set(bias, trainable=True)
    graph = graph.add("data", "dataset", source="rows.csv", target=["t1", "t2"],
                      target_kind="numbers", shuffle=False, header="yes")  # fmt: skip
    cost = "squared_error"
    if name.startswith(LINEAR):
        graph = _last(graph, "identity")
    if name in ONE_HOT:
        graph = _last(graph, "softmax").set("data", source="classes.csv")
        cost = "categorical_cross_entropy"
    graph = graph.add("cost", cost).connect("data.x", "hidden.a")
    graph = graph.connect("output_a.a", "cost.a").connect("data.y", "cost.y")
    momentum = MOMENTUM.get(name, 0.0)
    graph = graph.add("train", "gradient_descent", rate=RULES[name].steps, momentum=momentum)
    return replace(graph.connect("cost.cost", "train.cost"), training=nf.Training(1, 20, 0))


def _last(graph: Graph, activation: str) -> Graph:
    graph = graph.remove("output_a").add("output_a", activation)
    return graph.connect("output.z", "output_a.z")


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
    numbers = "\n".join(",".join(map(str, row)) for row in ROWS)
    (FOLDER / "rows.csv").write_text(f"x1,x2,t1,t2\n{numbers}\n", encoding="utf-8")
    classes = "\n".join(f"{a},{b},{int(s > t)},{int(t > s)}" for a, b, s, t in ROWS)
    (FOLDER / "classes.csv").write_text(f"x1,x2,t1,t2\n{classes}\n", encoding="utf-8")
    for name in RULES:
        nf.save(build(name), FOLDER / f"{name}.json")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(TABLE)
    after = rest.partition(TABLE)[2]
    PAGE.write_text(f"{before}{TABLE}\n{table()}\n{TABLE}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()

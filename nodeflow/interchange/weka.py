"""Weka: the printed model of a MultilayerPerceptron, six decimals or as many as were printed.

A node is a sigmoid of its threshold plus its weighted inputs; of a numeric class the output is
linear. Weka scales the data to −1 … 1 before, by ranges that it does not print.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from nodeflow.disk import reading
from nodeflow.errors import FileError, InterchangeError
from nodeflow.interchange.asked import Asked
from nodeflow.interchange.layers import Activation, Dense, Network, Step

_NODE = re.compile(r"^(Sigmoid|Linear) Node (\d+)\s*$")
_WEIGHT = re.compile(r"^\s+(Threshold|Node \d+|Attrib .+?)\s+([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*$")
_CLASS = re.compile(r"^Class (.*?)\s*$")


def read(path: Path, _asked: Asked) -> Network:
    """Return the network that a text shows; raises `FileError`."""
    with reading(path):
        text = path.read_text("utf-8", "replace")
    nodes: dict[int, tuple[str, dict[str, float]]] = {}
    classes: list[str] = []
    at: dict[str, float] | None = None
    for line in text.splitlines():
        if found := _NODE.match(line.strip() if line.startswith(("Sig", "Lin")) else line):
            at = {}
            nodes[int(found[2])] = (found[1], at)
        elif found := _CLASS.match(line):
            classes.append(found[1])
            at = None
        elif at is not None and (found := _WEIGHT.match(line)):
            at[found[1]] = float(found[2])
    if not nodes:
        raise FileError(
            "shows no MultilayerPerceptron of Weka: there is no 'Sigmoid Node 0' in it",
            file=str(path),
        )
    return _network(nodes, classes)


def _network(nodes: dict[int, tuple[str, dict[str, float]]], classes: list[str]) -> Network:
    attributes = list(dict.fromkeys(
        name.removeprefix("Attrib ") for _, weights in nodes.values() for name in weights
        if name.startswith("Attrib ")
    ))  # fmt: skip
    if not attributes:
        raise InterchangeError("no node takes an attribute; the text is not the whole model")
    depths: dict[int, int] = {}
    while len(depths) < len(nodes):
        ready = [n for n, (_, w) in nodes.items() if n not in depths and _sources(w) <= set(depths)]
        if not ready:
            raise InterchangeError("a node takes the value of one that the text does not show")
        for number in ready:
            before = [depths[source] for source in _sources(nodes[number][1])]
            depths[number] = max(before, default=0) + 1
    names: list[str] = [f"Attrib {name}" for name in attributes]
    steps: list[Step] = []
    last = max(depths.values())
    for depth in range(1, last + 1):
        layer = sorted(number for number in nodes if depths[number] == depth)
        places = {name: place for place, name in enumerate(names)}
        weights, bias = np.zeros((len(layer), len(names)), float), np.zeros(len(layer), float)
        for row, number in enumerate(layer):
            for name, value in nodes[number][1].items():
                if name == "Threshold":
                    bias[row] = value
                elif name in places:
                    weights[row, places[name]] = value
                else:
                    raise InterchangeError(
                        f"node {number} takes {name}, which is not in the layer before it"
                    )
        name = "output" if depth == last else f"hidden{depth}"
        steps.append(Dense(name, weights, bias))
        kinds = {nodes[number][0] for number in layer}
        if len(kinds) > 1:
            raise InterchangeError(f"the nodes of {name} are linear and sigmoid")
        if kinds == {"Sigmoid"}:
            steps.append(Activation(f"{name}_a", "sigmoid"))
        names = [f"Node {number}" for number in layer]
    notes = [
        "Weka scales inputs, and numeric targets, to −1 … 1 before; its ranges are not printed"
    ]
    if classes:
        notes.append(f"outputs: {', '.join(classes)}")
    return Network(tuple(steps), "Weka", names=tuple(attributes), batch=1,
                   settings={"rate": 0.3, "momentum": 0.2}, notes=tuple(notes))  # fmt: skip


def _sources(weights: dict[str, float]) -> set[int]:
    return {int(name.removeprefix("Node ")) for name in weights if name.startswith("Node ")}

"""Data in the place of the constants that a graph was made with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.data import Options, Table, load
from nodeflow.data.memory import hold
from nodeflow.declare import CATALOG
from nodeflow.derive.steps import free_name
from nodeflow.derive.tidy import tidy
from nodeflow.errors import GraphError
from nodeflow.graph import Graph, in_order
from nodeflow.nodes.cost import accuracy
from nodeflow.nodes.source import dataset

_BELOW = 120
"""How far below its cost an accuracy is placed, as `nodeflow new` does."""


def with_data(
    graph: Graph,
    data: Any,
    *,
    options: Options | None = None,
    test: float = 0.0,
    folder: Path | None = None,
) -> Graph:
    """Return the graph with a `dataset` in the place of its constants `x` and `y`.

    Networks that came from other programs, and those that were made from a shape alone, have
    these two, which hold zeros. `data` is a source as a `dataset` node has it, relative to
    `folder`, or a table in memory as `nodeflow.hold` takes it; `options` say how it is read, and
    the fraction `test` of its rows is set apart. Nothing is scaled: weights that were learnt
    elsewhere belong to the numbers as they are. What is right is counted by an `accuracy` where
    the targets are classes and there is an output for each of them, or one from 0 to 1 for two.

    Raises `GraphError` where the graph has no such constants, or widths that are not the table's,
    and `DataError` for what cannot be read.
    """
    widths = _width(graph, "x"), _width(graph, "y")
    source = data if isinstance(data, str) else hold(data)
    table = load(source, options=options, folder=folder or graph.folder)
    _refuse_widths(table, *widths, source)
    settings: dict[str, Any] = {"source": source, "test": test}
    if options is not None:
        settings |= {name: getattr(options, name) for name in options.given()}
    key = free_name(graph.nodes, "data")
    wires = [
        replace(wire, source=key, output=wire.source) if wire.source in ("x", "y") else wire
        for wire in graph.wires
    ]
    fed = graph.remove("x", "y").add(key, dataset.name, **settings)
    if "x" in graph.layout:
        fed = fed.with_layout({**fed.layout, key: graph.layout["x"]})
    fed = _with_accuracy(replace(fed, wires=in_order(wires)), table, key)
    fed.validate()
    # A dataset is taller than a constant: what nobody placed by hand makes room for it.
    return tidy(fed) if tidy(graph).layout == graph.layout else fed


def _width(graph: Graph, key: str) -> int:
    """Return how many numbers a constant holds for a sample."""
    node = graph.nodes.get(key)
    if node is None or not node.is_typed:
        raise GraphError(
            f"there is no constant '{key}' whose place the data could take; a graph with several "
            "inputs or outputs is wired by hand"
        )
    return int(np.atleast_2d(graph.settings(key)["value"]).shape[1])


def _refuse_widths(table: Table, features: int, outputs: int, source: str) -> None:
    wide, high = table.x.shape[1], table.y.shape[1]
    if wide != features:
        names = ", ".join(table.features[:6]) + (", …" if wide > 6 else "")
        raise GraphError(
            f"the network takes {features} features, and '{source}' has {wide}: {names}; "
            "--features and --drop choose among its columns"
        )
    if high != outputs:
        kind = f"classes, {', '.join(table.classes[:6])}" if table.classes else "numbers"
        way = "--target chooses another column"
        if (outputs, high) == (1, 2):
            way = "--target-kind numbers takes 0 and 1 as one number"
        raise GraphError(
            f"the network has {outputs} outputs, and the target of '{source}' is {high} {kind}; "
            f"{way}"
        )


def _with_accuracy(graph: Graph, table: Table, key: str) -> Graph:
    """Return the graph with an accuracy beside its only cost, where its outputs are classes."""
    costs = [wire.target for wire in graph.wires
             if wire.start == f"{key}.y" and "a" in graph.inputs(wire.target)]  # fmt: skip
    counted = any(node.type == accuracy.name for node in graph.nodes.values())
    if len(costs) != 1 or counted or accuracy.name in graph.nodes:
        return graph
    end = graph.inputs(costs[0])["a"][0]
    shares = CATALOG[graph.nodes[end.source].type].between == (0, 1)
    if not (len(table.classes) > 1 if table.y.shape[1] > 1 else shares and _is_binary(table)):
        return graph
    made = graph.add(accuracy.name, accuracy.name)
    made = made.connect(end.start, "accuracy.a").connect(f"{key}.y", "accuracy.y")
    if costs[0] in graph.layout:
        left, top = graph.layout[costs[0]]
        made = made.with_layout({**made.layout, accuracy.name: (left, top + _BELOW)})
    return made


def _is_binary(table: Table) -> bool:
    return bool(np.isin(table.y, (0, 1)).all())

"""Unfold: the backward pass and the updates as nodes; `fold` is the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nodeflow.derive.evaluated import evaluated
from nodeflow.derive.records import RECORD, Record, put_back, read_records
from nodeflow.derive.tidy import under
from nodeflow.errors import GraphError
from nodeflow.graph import Graph, in_order


def unfold(graph: Graph) -> Graph:
    """Return the graph with each trainer replaced by its backward pass, as nodes.

    Raises `NoBackward` where blame cannot pass and `GraphError` for a trainer that has to stay
    folded. A graph without a trainer comes back as it is.
    """
    trainers = graph.of_family("trainer")
    for key in trainers:
        if graph.type_of(key).searches:
            raise GraphError(
                f"'{key}' (minimize) stays folded: its line search tries weights that no update "
                "keeps; use gradient_descent or adam to see every step",
                node=key,
            )
    trainers = tuple(key for key in trainers if graph.nodes[key].mode == "active")
    return _replaced(graph, trainers) if trainers else graph


def _replaced(graph: Graph, trainers: tuple[str, ...]) -> Graph:
    """Replace trainers by their nodes and note down what `fold` needs."""
    found = evaluated(graph)
    whole, owner = found.graph, found.made_for
    made = {k: node for k, node in whole.nodes.items() if k not in graph.nodes}
    records = dict(graph.extra.get(RECORD, {}))
    for key in trainers:
        trainer = graph.nodes[key]
        records[key] = {
            "type": trainer.type,
            "settings": dict(trainer.settings),
            **trainer.extra,
            "wires": tuple(str(wire) for wire in graph.into(key)),
            "made": tuple(sorted(name for name in made if owner[name] == key)),
        }
        if key in graph.layout:
            records[key]["layout"] = tuple(graph.layout[key])
    folded = graph.remove(*trainers)
    wires = tuple(w for w in whole.wires if w.source in made or w.target in made)
    unfolded = replace(
        folded,
        nodes=dict(sorted({**folded.nodes, **made}.items())),
        wires=in_order({*folded.wires, *wires}),
        extra={**graph.extra, RECORD: records},
    )
    if not graph.layout:
        return unfolded
    return replace(unfolded, layout={**unfolded.layout, **under(unfolded, made)})


def fold(graph: Graph) -> Graph:
    """Return the graph with every unfolded backward pass behind its trainer node again.

    Raises `GraphError` that names the nodes which differ from what the rules would give.
    """
    records = read_records(graph)
    if not records:
        raise GraphError("the graph has no unfolded trainer: there is nothing to fold")
    strangers = _strangers(graph, records)
    # Without what hangs on the backward pass there is something to compare it with.
    folded = put_back(graph.remove(*strangers), records)
    folded.validate()
    try:
        expected = unfold(folded)
    except GraphError as error:
        if strangers:  # the forward pass had come to need them
            raise _edited(strangers) from error
        raise
    differ = _differences(expected, graph)
    if differ:
        raise _edited(differ)
    return folded


def _edited(differ: list[str]) -> GraphError:
    shown = ", ".join(differ[:5]) + (", …" if len(differ) > 5 else "")
    return GraphError(
        f"the backward pass was edited, so it cannot be folded: {shown} "
        f"differ{'s' if len(differ) == 1 else ''} from the rules",
        node=differ[0],
    )


def _strangers(graph: Graph, records: Mapping[str, Record]) -> list[str]:
    """Return the nodes that read what was made of trainers, themselves made by somebody else."""
    made, found = {name for record in records.values() for name in record.made}, set[str]()
    reached = list(made & graph.nodes.keys())
    while reached:
        for wire in graph.out_of(reached.pop()):
            target = wire.target
            if target not in found and target not in made and not graph.feeds_back(wire):
                found.add(target)
                reached.append(target)
    return sorted(found)


def _differences(expected: Graph, found: Graph) -> list[str]:
    names = {
        key
        for key in {*expected.nodes, *found.nodes}
        if _plain(expected, key) != _plain(found, key)
    }
    for wire in set(expected.wires) ^ set(found.wires):
        names.add(wire.target)
    return sorted(names)


def _plain(graph: Graph, key: str) -> Any:
    node = graph.nodes.get(key)
    if node is None:
        return None
    settings = node.known.check(node.settings, key) if node.known else dict(node.settings)
    return node.type, settings, node.mode

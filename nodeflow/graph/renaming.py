"""What a node's own file keys say of how it starts, and what a new id leaves as it was.

A parameter's random start is drawn by its id. So that a renamed one still computes the same, it
keeps the id that it had first; what a graph was unfolded from names its nodes, and follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nodeflow.errors import GraphError
from nodeflow.graph.node import Node
from nodeflow.graph.wire import Wire, rewired

DRAWN_AS = "drawn_as"
"""A parameter's key in the file for the id by which its random start is drawn, if not its own."""
PART = "part"
"""A parameter's key that says which part of which other parameter it starts as."""
ROWS = "rows"
"""A parameter's key that says as which rows of which others it starts, one for each of its own."""
UNFOLDED = "unfolded"
"""The graph file's key under which an unfolded graph keeps its trainers."""
_DRAWN = ("uniform", "normal", "glorot")


def drawn_as(node: Node, key: str) -> str:
    """Return the id by which a parameter's random start is drawn: its own, or its first one."""
    return str(node.extra.get(DRAWN_AS, key))


def copy_of(node: Node) -> Node:
    """Return a node for another id, by which it is drawn."""
    return replace(node, extra={key: value for key, value in node.extra.items() if key != DRAWN_AS})


def node_renamed(node: Node, old: str, new: str) -> Node:
    """Return a node under a new id; a parameter that is drawn from its id keeps the first one."""
    if not node.is_parameter or node.known is None:
        return node
    settings = {**node.known.defaults, **node.settings}
    if settings["init"] not in _DRAWN or settings["value"] is not None:
        return node
    first = drawn_as(node, old)
    own = copy_of(node)
    if first == new or PART in own.extra or ROWS in own.extra:
        return own
    return replace(own, extra={**own.extra, DRAWN_AS: first})


def groups_renamed(groups: Mapping[str, Any], old: str, new: str) -> Mapping[str, Any]:
    """Return a graph's groups after a node was renamed: it stays in those that it was in."""
    return {
        key: {**group, "nodes": [new if name == old else name for name in group["nodes"]]}
        if isinstance(group, Mapping) and old in group.get("nodes", ())
        else group
        for key, group in groups.items()
    }


def records_renamed(extra: Mapping[str, Any], old: str, new: str) -> Mapping[str, Any]:
    """Return a graph's other keys after a node was renamed: what it was unfolded from names it."""
    records = extra.get(UNFOLDED)
    if not isinstance(records, Mapping):
        return extra
    found = {}
    for key, record in records.items():
        found[key] = record
        try:
            wires = tuple(str(rewired(Wire.parse(text), old, new)) for text in record["wires"])
            made = tuple(new if name == old else name for name in record["made"])
        except (AttributeError, GraphError, KeyError, TypeError):  # told when it is folded
            continue
        found[key] = {**record, "wires": wires, "made": made}
    return {**extra, UNFOLDED: found}

"""From expressions to nodes: what wires and nodes that were called into being are made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from nodeflow.declare import Made, Output
from nodeflow.errors import GraphError
from nodeflow.graph.node import Node, check_id
from nodeflow.graph.wire import Wire, in_order


def built(ends: Iterable[Any]) -> tuple[dict[str, Node], tuple[Wire, ...]]:
    """Return the nodes by id, and the wires, that the given wires or nodes are made from.

    Both are sorted. A node without an id gets its type's name, with a number where that is taken.
    Raises `GraphError` for two nodes of one id and for what is neither a wire nor a node.
    """
    order = _under(ends)
    taken: set[str] = set()
    for item in order:
        if item.id is not None:
            if item.id in taken:
                raise GraphError(f"two nodes are called '{item.id}'", node=item.id)
            taken.add(check_id(item.id))
    numbers: dict[str, int] = {}
    ids: dict[int, str] = {}
    for item in order:
        key = ids[id(item)] = item.id or _fresh(item.type.name, taken, numbers)
        taken.add(key)
    nodes = {ids[id(item)]: Node(item.type.name, item.settings) for item in order}
    wires = []
    for item in order:
        for port, sources in item.inputs.items():
            many = len(sources) > 1
            for index, source in enumerate(sources):
                start = source.node if isinstance(source.node, str) else ids[id(source.node)]
                place = index if many else None
                wires.append(Wire(start, source.port, ids[id(item)], port, place))
    return dict(sorted(nodes.items())), in_order(wires)


def _under(ends: Iterable[Any]) -> list[Made]:
    """Return every node under the given ends, in a fixed order, without recursion."""
    found: dict[int, Made] = {}
    stack = list(reversed([*_made(ends)]))
    while stack:
        item = stack.pop()
        if id(item) in found:
            continue
        found[id(item)] = item
        for sources in reversed(list(item.inputs.values())):
            stack.extend(reversed([*_made(sources)]))
    return list(found.values())


def _made(ends: Iterable[Any]) -> Iterator[Made]:
    for end in ends:
        if isinstance(end, Made):
            yield end
        elif isinstance(end, Output):
            if isinstance(end.node, Made):
                yield end.node
        elif isinstance(end, list | tuple):
            yield from _made(end)
        else:
            raise GraphError(f"a graph is made of wires and nodes, not of {end!r}")


def _fresh(name: str, taken: set[str], numbers: dict[str, int]) -> str:
    """Return an id that is not taken; `numbers` keeps how far each name has come."""
    if name not in taken:
        return name
    number = numbers.get(name, 2)
    while f"{name}_{number}" in taken:
        number += 1
    numbers[name] = number + 1
    return f"{name}_{number}"

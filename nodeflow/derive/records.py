"""What an unfolded graph keeps of its trainers, so that it can be folded again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nodeflow.errors import GraphError
from nodeflow.graph import UNFOLDED, Graph, Node, Wire, in_order

RECORD = UNFOLDED
"""The graph file's key under which an unfolded graph keeps what `fold` needs."""


@dataclass(frozen=True)
class Record:
    """What an unfolded graph keeps of a trainer: its node, its wires, and what was made of it."""

    trainer: Node
    wires: tuple[Wire, ...]
    made: tuple[str, ...]
    layout: Mapping[str, tuple[int, int]]


def read_records(graph: Graph) -> dict[str, Record]:
    """Return them by the ids of the trainers; raises `GraphError` where they cannot be read."""
    try:
        return {key: _read(key, record) for key, record in graph.extra.get(RECORD, {}).items()}
    except (AttributeError, GraphError, KeyError, TypeError, ValueError) as error:
        raise GraphError(f"what the graph keeps under '{RECORD}' cannot be read") from error


def _read(key: str, record: Mapping[str, Any]) -> Record:
    special = ("type", "settings", "wires", "made", "layout")
    extra = {k: v for k, v in record.items() if k not in special}
    x, y = record.get("layout", (0, 0))
    return Record(
        Node(str(record["type"]), dict(record["settings"]), extra=extra),
        tuple(Wire.parse(text) for text in record["wires"]),
        tuple(map(str, record["made"])),
        {key: (int(x), int(y))} if "layout" in record else {},
    )


def put_back(graph: Graph, records: Mapping[str, Record]) -> Graph:
    """Return the graph with trainers in the place of what was made of them."""
    made = {name for record in records.values() for name in record.made}
    base = graph.remove(*(name for name in made if name in graph.nodes))
    trainers = {key: record.trainer for key, record in records.items()}
    wires = {wire for record in records.values() for wire in record.wires}
    layout = {key: at for record in records.values() for key, at in record.layout.items()}
    return replace(
        base,
        nodes=dict(sorted({**base.nodes, **trainers}.items())),
        wires=in_order({*base.wires, *wires}),
        layout={**base.layout, **layout},
        extra={k: v for k, v in graph.extra.items() if k != RECORD},
    )

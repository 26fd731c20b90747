"""What cannot be: what was typed into a field, and what a file held that is not in the graph.

It stays marked at its place until it is mended there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from nodeflow.files import Fault
from nodeflow.graph import Graph


@dataclass(frozen=True, slots=True)
class Mistyped:
    """What was typed into a field and cannot be: it stays there, with why, until it is mended.

    `over` is what the field held instead: when that is another text, it holds this one.
    """

    text: str
    over: str
    fault: str


Mistakes = Mapping[tuple[str, str], Mistyped]
"""What was typed and cannot be, by node and field; the fields of the training have no node."""
NO_MISTAKES: Mistakes = MappingProxyType({})


def has_field(graph: Graph, fault: Fault) -> bool:
    """Whether what cannot be is a setting with a field that is typed into: there it stays."""
    if fault.setting is None:
        return False
    node, name = fault.setting
    if not node:
        return True
    known = graph.nodes[node].known if node in graph.nodes else None
    setting = known.setting_named.get(name) if known is not None else None
    return setting is not None and setting.kind not in ("flag", "choice", "array")


def is_mended(fault: Fault, now: Graph, saved: Graph | None, mistyped: Mistakes) -> bool:
    """Whether what a file held and cannot be was changed since it was opened.

    `saved` is the graph as the file was read, without its faults; `mistyped` has the texts of the
    faulty settings that have a field.
    """
    if has_field(now, fault):
        return fault.setting not in mistyped
    return bool(fault.nodes) and all(is_mended_at(node, fault, now, saved) for node in fault.nodes)


def is_mended_at(node: str, fault: Fault, now: Graph, saved: Graph | None) -> bool:
    """Whether the part of one node that could not be was changed since."""
    if saved is None or node not in now.nodes or node not in saved.nodes:
        return True
    held, before = now.nodes[node], saved.nodes[node]
    match fault.keys:
        case ("wires", *_):
            wires = (now.incoming.get(node), now.out_of(node))
            return wires != (saved.incoming.get(node), saved.out_of(node))
        case ("layout", *_):
            return now.layout.get(node) != saved.layout.get(node)
        case ("nodes", _, "settings", str(name)):
            is_same = held.settings.get(name) == before.settings.get(name)
            return held.type != before.type or not is_same
        case ("nodes", _, "mode"):
            return held.mode != before.mode
        case _:
            return held != before

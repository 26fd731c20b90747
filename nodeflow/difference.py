"""What changed between two graphs, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from nodeflow.declare import Array, numbers
from nodeflow.graph import Graph, Node, Wire
from nodeflow.workings.shown import precise, show

Kind = Literal["added", "removed", "renamed", "changed", "moved"]
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs, as a sentence."""

    kind: Kind
    sentence: str
    node: str = ""
    """The node that it is about; "" if it is none's alone."""

    def __str__(self) -> str:
        return self.sentence


def difference(before: Graph, after: Graph) -> tuple[Change, ...]:
    """Return what changed from one graph to the other; nothing if they are the same."""
    renamed = _renamed(before, after)
    for old, new in renamed.items():
        before = before.rename(old, new)
    return (
        *_about_the_whole(before, after),
        *(
            Change("renamed", f"node '{old}' is called '{new}' now", new)
            for old, new in sorted(renamed.items())
        ),
        *_nodes(before, after),
        *_wires(before, after),
        *_groups(before.groups, after.groups),
        *_moved(before, after),
        *_keys(before.extra, after.extra),
    )


# --- the whole ----------------------------------------------------------------------------------


def _about_the_whole(before: Graph, after: Graph) -> Iterable[Change]:
    if before.name != after.name:
        yield Change("changed", f"the name was {before.name!r} and is {after.name!r}")
    if before.about != after.about:
        short = len(before.about) + len(after.about) <= _LONGEST
        how = f"was {before.about!r} and is {after.about!r}" if short else "is another text"
        yield Change("changed", f"what it says about itself {how}")
    for key in ("batch", "epochs", "seed"):
        old, new = getattr(before.training, key), getattr(after.training, key)
        if old != new:
            yield Change("changed", f"training.{key} was {old} and is {new}")


def _groups(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[Change]:
    for key in sorted(before.keys() | after.keys()):
        if key not in after:
            yield Change("removed", f"group '{key}' is gone")
        elif key not in before:
            yield Change("added", f"group '{key}' is new")
        elif before[key] != after[key]:
            yield Change("changed", f"group '{key}' changed")


def _keys(before: Mapping[str, Any], after: Mapping[str, Any], node: str = "") -> Iterable[Change]:
    """Compare keys of a node or the file that this version does not know, or no person writes."""
    where = f"node '{node}'" if node else "the file"
    for key in sorted(before.keys() | after.keys()):
        if key not in after:
            yield Change("removed", f"{where} has no key '{key}' any more", node)
        elif key not in before:
            yield Change("added", f"{where} has a key '{key}' now", node)
        elif before[key] != after[key]:
            yield Change("changed", f"{where} has another value at its key '{key}'", node)


def _moved(before: Graph, after: Graph) -> Iterable[Change]:
    both = before.nodes.keys() & after.nodes.keys()
    moved = [key for key in both if before.layout.get(key) != after.layout.get(key)]
    if len(moved) == 1:
        yield Change("moved", f"node '{moved[0]}' moved on the canvas", moved[0])
    elif moved:
        yield Change("moved", f"{len(moved)} nodes moved on the canvas")


# --- nodes --------------------------------------------------------------------------------------


def _renamed(before: Graph, after: Graph) -> dict[str, str]:
    """Return old and new ids where all but the id is the same, and only one pair fits."""
    found: dict[str, str] = {}
    while True:
        removed = _by_look(before, before.nodes.keys() - after.nodes.keys())
        added = _by_look(after, after.nodes.keys() - before.nodes.keys())
        pairs = {
            removed[look][0]: added[look][0]
            for look in removed
            if len(removed[look]) == 1 and len(added.get(look, ())) == 1
        }
        if not pairs:
            return found
        for old, new in pairs.items():
            before = before.rename(old, new)
        found |= pairs


def _by_look(graph: Graph, names: Iterable[str]) -> dict[str, list[str]]:
    """Group nodes by all that they are but their own id."""
    groups: dict[str, list[str]] = {}
    for name in names:
        node = graph.nodes[name]
        # A space cannot be part of an id.
        into = [str(_aimed(wire, name)) for wire in graph.into(name)]
        out = [str(_aimed(wire, name)) for wire in graph.out_of(name)]
        look = repr((node.type, sorted(_full(node).items()), node.mode, into, sorted(out)))
        groups.setdefault(look, []).append(name)
    return groups


def _aimed(wire: Wire, name: str) -> tuple[str, ...]:
    source = " " if wire.source == name else wire.source
    target = " " if wire.target == name else wire.target
    return source, wire.output, target, wire.input, str(wire.index)


def _full(node: Node) -> dict[str, Any]:
    """Return the settings with the type's defaults: written out or not, they are the same."""
    defaults = node.known.defaults if node.known is not None else {}
    return {**defaults, **node.settings}


def _nodes(before: Graph, after: Graph) -> Iterable[Change]:
    for key in sorted(before.nodes.keys() - after.nodes.keys()):
        yield Change("removed", f"node '{key}' ({before.nodes[key].type}) is gone", key)
    for key in sorted(after.nodes.keys() - before.nodes.keys()):
        yield Change("added", f"node '{key}' ({after.nodes[key].type}) is new", key)
    for key in sorted(before.nodes.keys() & after.nodes.keys()):
        yield from _node(key, before.nodes[key], after.nodes[key])


def _node(key: str, old: Node, new: Node) -> Iterable[Change]:
    if old.type != new.type:
        text = f"node '{key}' was of type {old.type} and is of type {new.type}"
        yield Change("changed", text, key)
    if old.mode != new.mode:
        yield Change("changed", f"node '{key}' was {_MODES.get(old.mode, old.mode)} "
                                f"and is {_MODES.get(new.mode, new.mode)}", key)  # fmt: skip
    left, right = _full(old), _full(new)
    names = [name for name in right if name in left]
    if old.type == new.type:
        names = sorted({*left, *right})
    for name in names:
        if left.get(name) != right.get(name):
            what = _values(left.get(name), right.get(name))
            yield Change("changed", f"{key}.{name} {what}", key)
    yield from _keys(old.extra, new.extra, key)


_MODES = {
    "active": "active",
    "bypass": "bypassed",
    "disable": "disabled",
    "freeze": "frozen",
}


def _values(old: Any, new: Any) -> str:
    short = f"was {shown(old)} and is {shown(new)}"
    if len(short) <= _LONGEST and not isinstance(old, Array) and not isinstance(new, Array):
        return short
    try:
        left, right = numbers(old), numbers(new)
    except (TypeError, ValueError):
        return short
    if left.shape != right.shape:
        return f"was {_size(left)} and is {_size(right)}"
    apart = np.abs(left - right)
    count = int(np.count_nonzero(apart))
    return f"has {count} of its {left.size} numbers changed, by up to {show(apart.max())}"


def _size(array: np.ndarray[Any, Any]) -> str:
    shape = "×".join(map(str, array.shape))
    return f"{shape} numbers" if array.size > 1 else precise(array.ravel()[0])


def shown(value: Any) -> str:
    """Return a setting's value as it stands in a sentence."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "true" if value else "false"
    many = isinstance(value, tuple | list)
    text = f"[{', '.join(map(shown, value))}]" if many else repr(value).removesuffix(".0")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


# --- wires --------------------------------------------------------------------------------------


def _wires(before: Graph, after: Graph) -> Iterable[Change]:
    old, new = _written(before), _written(after)
    for wire in sorted(old - new):
        yield Change("removed", f"the wire {wire} is gone")
    for wire in sorted(new - old):
        yield Change("added", f"the wire {wire} is new")


def _written(graph: Graph) -> set[str]:
    """Return the wires as texts; one that is alone at its port has no number."""
    found = set()
    for key in graph.nodes:
        for wires in graph.inputs(key).values():
            found |= {str(replace(wire, index=None) if len(wires) == 1 else wire) for wire in wires}
    return found

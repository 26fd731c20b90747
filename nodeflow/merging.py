"""Two edits of one graph made into one, as `git merge` does for lines.

What only one side changed is taken from it. Where both changed the same thing in two ways it is a
conflict, told in a sentence, and what stands there is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nodeflow.difference import shown
from nodeflow.errors import GraphError
from nodeflow.graph import Graph, Node, Training, Wire

_Port = tuple[str, str]


class _Missing:
    """Stands for what is not there."""

    def __repr__(self) -> str:
        return "nothing"


_GONE: Any = _Missing()


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of two edits, and a sentence for each thing that both changed in two ways."""

    graph: Graph
    conflicts: tuple[str, ...] = ()


def merge(base: Graph, ours: Graph, theirs: Graph) -> Merged:
    """Return both edits of `base` in one graph; it has a conflict where they contradict.

    Nodes are merged setting by setting, the wires of a port in their order, groups key by key.
    """
    found = _Merging()
    nodes = found.nodes(base.nodes, ours.nodes, theirs.nodes)
    merged = replace(
        ours,
        nodes=nodes,
        wires=found.wires(base, ours, theirs, nodes),
        name=found.one("the name", base.name, ours.name, theirs.name),
        about=found.one("what it says about itself", base.about, ours.about, theirs.about),
        training=found.training(base.training, ours.training, theirs.training),
        groups=found.groups(base.groups, ours.groups, theirs.groups),
        layout={
            key: place
            for key, place in found.each(
                lambda key: f"the place of '{key}'", base.layout, ours.layout, theirs.layout
            ).items()
            if key in nodes
        },
        extra=found.keys("the key", base.extra, ours.extra, theirs.extra),
        version=max(ours.version, theirs.version),
    )
    return Merged(merged, tuple(found.conflicts) or _faults(merged))


def _faults(merged: Graph) -> tuple[str, ...]:
    """Return why two edits that are each well do not go together, such as a loop of both."""
    from nodeflow.files.sidecar import without_references

    try:
        without_references(merged).validate()
    except GraphError as error:
        return (f"both edits together cannot be: {error}",)
    return ()


class _Merging:
    """Gathers conflicts."""

    def __init__(self) -> None:
        self.conflicts: list[str] = []

    def one(self, what: str, base: Any, ours: Any, theirs: Any) -> Any:
        """Return what stands in one place."""
        if theirs in (ours, base):
            return ours
        if ours == base:
            return theirs
        self.conflicts.append(f"{what} {_two(base, ours, theirs)}")
        return ours

    def each(
        self,
        what: Callable[[str], str],
        base: Mapping[str, Any],
        ours: Mapping[str, Any],
        theirs: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Return what stands under each key."""
        found = {}
        for key in dict.fromkeys([*ours, *theirs]):
            sides = (side.get(key, _GONE) for side in (base, ours, theirs))
            value = self.one(what(key), *sides)
            if value is not _GONE:
                found[key] = value
        return found

    def keys(
        self,
        what: str,
        base: Mapping[str, Any],
        ours: Mapping[str, Any],
        theirs: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Return what stands under each key, objects merged key by key."""
        found = {}
        for key in dict.fromkeys([*ours, *theirs]):
            sides = [side.get(key, _GONE) for side in (base, ours, theirs)]
            if all(isinstance(side, Mapping) for side in sides):
                value: Any = self.keys(f"{what} '{key}',", *sides)
            else:
                value = self.one(f"{what} '{key}'", *sides)
            if value is not _GONE:
                found[key] = value
        return found

    def training(self, base: Training, ours: Training, theirs: Training) -> Training:
        values = {
            name: self.one(f"training.{name}", *(getattr(s, name) for s in (base, ours, theirs)))
            for name in ("batch", "epochs", "seed")
        }
        return Training(**values)

    # -- nodes

    def nodes(
        self, base: Mapping[str, Node], ours: Mapping[str, Node], theirs: Mapping[str, Node]
    ) -> dict[str, Node]:
        found = {}
        for key in dict.fromkeys([*ours, *theirs, *base]):
            sides = [side.get(key) for side in (base, ours, theirs)]
            node = self._node(key, *sides)
            if node is not None:
                found[key] = node
        return found

    def _node(
        self, key: str, base: Node | None, ours: Node | None, theirs: Node | None
    ) -> Node | None:
        if theirs in (ours, base):
            return ours
        if ours == base:
            return theirs
        if ours is None or theirs is None:
            gone, changed = ("ours", "theirs") if ours is None else ("theirs", "ours")
            self.conflicts.append(f"node '{key}' is gone in {gone} and changed in {changed}")
            return ours or theirs  # nothing is lost: it is removed again more easily
        if base is None:
            if ours.type != theirs.type:
                self.conflicts.append(
                    f"node '{key}' is new in both: ours is of type {ours.type}, "
                    f"theirs of type {theirs.type}"
                )
                return ours
            base = Node(ours.type)
        return Node(
            self.one(f"the type of node '{key}'", base.type, ours.type, theirs.type),
            self.each(lambda name: f"{key}.{name}", base.settings, ours.settings, theirs.settings),
            self.one(f"the mode of node '{key}'", base.mode, ours.mode, theirs.mode),
            self.keys(f"node '{key}', the key", base.extra, ours.extra, theirs.extra),
        )

    # -- wires

    def wires(
        self, base: Graph, ours: Graph, theirs: Graph, nodes: Mapping[str, Node]
    ) -> tuple[Wire, ...]:
        sides = [_by_port(graph) for graph in (base, ours, theirs)]
        found: list[Wire] = []
        for port in dict.fromkeys([*sides[1], *sides[2]]):
            starts = self._port(port, nodes, *(side.get(port, []) for side in sides))
            many = len(starts) > 1
            for index, (source, output) in enumerate(starts):
                wire = Wire(source, output, *port, index if many else None)
                gone = next((key for key in (source, port[0]) if key not in nodes), None)
                if gone is None:
                    found.append(wire)
                elif (source, output) not in sides[0].get(port, ()):
                    self.conflicts.append(
                        f"the wire {wire} is new, and the other side removed '{gone}'"
                    )
        return tuple(found)

    def _port(
        self,
        port: _Port,
        nodes: Mapping[str, Node],
        base: list[_Port],
        ours: list[_Port],
        theirs: list[_Port],
    ) -> list[_Port]:
        if theirs in (ours, base):
            return ours
        if ours == base:
            return theirs
        node = nodes.get(port[0])
        type_ = None if node is None else node.known
        takes = None if type_ is None else type_.input_named.get(port[1])
        if takes is None or takes.many:
            return self._several(port, base, ours, theirs)
        stays = [start for start in base if start in ours and start in theirs]
        left = [start for side in (ours, theirs) for start in side if start not in base]
        left = list(dict.fromkeys(left)) or stays
        if len(left) > 1:
            names = [f"{source}.{output}" for source, output in left]
            self.conflicts.append(
                f"'{port[0]}.{port[1]}' takes one wire: ours is from {names[0]}, "
                f"theirs from {names[1]}"
            )
        return left[:1]

    def _several(
        self, port: _Port, base: list[_Port], ours: list[_Port], theirs: list[_Port]
    ) -> list[_Port]:
        """Return the wires of a port that takes several: their order says which weights meet which.

        One side may have new wires, others gone, or another order; where both put wires in the
        place of the same one, or each has an order of its own, ours stays.
        """
        orders = [[start for start in side if start in base and start in other]
                  for side, other in ((base, ours), (ours, theirs), (theirs, ours))]  # fmt: skip
        kept = [start for start in orders[0] if start in theirs]
        news = [[start for start in side if start not in base] for side in (ours, theirs)]
        lost = [start for start in base if start not in ours and start not in theirs]
        where = f"'{port[0]}.{port[1]}'"
        if lost and all(news) and news[0] != news[1]:
            told = [", ".join(f"{source}.{output}" for source, output in new) for new in news]
            self.conflicts.append(
                f"in the place of {lost[0][0]}.{lost[0][1]} at {where} is {told[0]} in ours, "
                f"{told[1]} in theirs"
            )
            return ours
        if len({tuple(order) for order in (kept, *orders[1:])}) == 3:
            self.conflicts.append(
                f"the wires into {where} have one order in ours, another in theirs"
            )
            return ours
        result = [start for start in ours if start in theirs or start not in base]
        if orders[1] == kept:  # ours has the order of the base: it is that of theirs
            again = iter(orders[2])
            result = [next(again) if start in kept else start for start in result]
        for number, start in enumerate(theirs):
            if start in base or start in result:
                continue
            at = len(result)
            if any(later in base for later in theirs[number:]):  # it stands before what was there
                before = theirs[number - 1] if number else None
                at = result.index(before) + 1 if before in result else 0
            result.insert(at, start)
        return result

    # -- groups

    def groups(
        self,
        base: Mapping[str, Any],
        ours: Mapping[str, Any],
        theirs: Mapping[str, Any],
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key in dict.fromkeys([*ours, *theirs]):
            sides = [side.get(key, _GONE) for side in (base, ours, theirs)]
            if sides[0] is _GONE or not all(isinstance(side, Mapping) for side in sides):
                group = self.one(f"group '{key}'", *sides)
            else:
                group = self._group(key, *sides)
            if group is not _GONE:
                found[key] = group
        return found

    def _group(
        self, key: str, base: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any]
    ) -> dict[str, Any]:
        members = [side.get("nodes") for side in (base, ours, theirs)]
        without = [
            {name: part for name, part in side.items() if name != "nodes"}
            for side in (base, ours, theirs)
        ]
        group = self.keys(f"group '{key}', the key", *without)
        if all(isinstance(side, list) for side in members):
            base_, ours_, theirs_ = (list(side or ()) for side in members)
            group["nodes"] = _together(base_, ours_, theirs_)
        else:
            known = self.one(f"the nodes of group '{key}'", *members)
            if known is not None:
                group["nodes"] = known
        return group


def _together(base: Sequence[Any], ours: Sequence[Any], theirs: Sequence[Any]) -> list[Any]:
    """Return what both kept and what either added, in order."""
    kept = [item for item in ours if item in theirs or item not in base]
    return kept + [item for item in theirs if item not in base and item not in kept]


def _by_port(graph: Graph) -> dict[_Port, list[_Port]]:
    found: dict[_Port, list[tuple[int, _Port]]] = {}
    for wire in graph.wires:
        end = (wire.target, wire.input)
        found.setdefault(end, []).append((wire.index or 0, (wire.source, wire.output)))
    return {end: [start for _, start in sorted(wires)] for end, wires in found.items()}


def _two(base: Any, ours: Any, theirs: Any) -> str:
    was = "" if base is _GONE else f"was {shown(base)} and "
    return f"{was}is {_said(ours)} in ours, {_said(theirs)} in theirs"


def _said(value: Any) -> str:
    return "gone" if value is _GONE else shown(value)

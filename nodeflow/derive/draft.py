"""A graph that is changed in place, while many of its layers are taken apart or put together.

An edit of a `Graph` copies what it holds; thousands of edits would copy it thousands of times. What
is done here touches only the nodes and wires that it is about. Each change is noted, so that it can
be told what has changed since a moment, and be taken back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from nodeflow.derive.shapes import infer
from nodeflow.graph import Graph, Node, Wire, in_order
from nodeflow.inert import Settings


class Draft:
    """Nodes and wires that are read as those of a graph are, and changed in place."""

    def __init__(self, graph: Graph) -> None:
        self.whole = graph
        self.nodes: dict[str, Node] = dict(graph.nodes)
        self.layout = dict(graph.layout)
        self._into: defaultdict[str, set[Wire]] = defaultdict(set)
        self._out_of: defaultdict[str, set[Wire]] = defaultdict(set)
        for wire in graph.wires:
            self._into[wire.target].add(wire)
            self._out_of[wire.source].add(wire)
        self._log: list[tuple[str, Node | None] | tuple[Wire, int]] = []
        self._widths: dict[bool, dict[str, int]] = {False: {}, True: {}}
        self._seen: dict[bool, set[str]] = {False: set(), True: set()}

    # -- reading

    def into(self, node: str) -> list[Wire]:
        """Return the wires into a node, by port and index."""
        return sorted(self._into.get(node, ()), key=lambda w: (w.input, w.index or 0))

    def out_of(self, node: str) -> list[Wire]:
        """Return the wires out of a node."""
        return list(in_order(self._out_of.get(node, ())))

    def inputs(self, node: str) -> dict[str, list[Wire]]:
        """Return a node's incoming wires by port."""
        found: dict[str, list[Wire]] = {}
        for wire in self.into(node):
            found.setdefault(wire.input, []).append(wire)
        return found

    def settings(self, node: str) -> Settings:
        """Return a node's settings, defaults filled in and checked."""
        if self.whole.nodes.get(node) is self.nodes[node]:
            return self.whole.settings(node)
        type_ = self.nodes[node].known
        found = self.nodes[node].settings
        return type_.check(found, node) if type_ else Settings(found)

    def width(self, start: str, *, data: bool) -> int:
        """Return how many features an output has; 0 where that is not known.

        What is taken apart elsewhere changes no width, so shapes are inferred again only for
        nodes that are new since.
        """
        node = start.rpartition(".")[0]
        if node not in self._seen[data]:
            shapes = infer(self.graph(), data=data).shapes
            self._widths[data] = {key: shape.features or 0 for key, shape in shapes.items()}
            self._seen[data] = set(self.nodes)
        return self._widths[data].get(start, 0)

    # -- changing

    def put(self, key: str, node: Node | None) -> None:
        """Place a node, or take it away."""
        self._log.append((key, self.nodes.get(key)))
        if node is None:
            self.nodes.pop(key, None)
            self.layout.pop(key, None)
        else:
            self.nodes[key] = node

    def wire(self, wire: Wire) -> None:
        """Draw a wire."""
        if wire not in self._into[wire.target]:
            self._into[wire.target].add(wire)
            self._out_of[wire.source].add(wire)
            self._log.append((wire, 1))

    def cut(self, wire: Wire) -> None:
        """Take a wire away."""
        if wire in self._into[wire.target]:
            self._into[wire.target].discard(wire)
            self._out_of[wire.source].discard(wire)
            self._log.append((wire, -1))

    def swap(
        self,
        gone: Iterable[str],
        cut: Iterable[Wire],
        nodes: Mapping[str, Node],
        wires: Iterable[Wire],
    ) -> None:
        """Put nodes and wires in the place of others; the wires of what goes, go."""
        away = [*cut]
        for key in gone:
            away += [*self._into.get(key, ()), *self._out_of.get(key, ())]
            self.put(key, None)
        for wire in away:
            self.cut(wire)
        for key, node in nodes.items():
            self.put(key, node)
        for wire in wires:
            self.wire(wire)

    # -- what has changed

    @property
    def moment(self) -> int:
        """How many changes there have been."""
        return len(self._log)

    def changed(self, since: int) -> tuple[dict[str, Node | None], set[Wire]]:
        """Return what has changed since a moment: nodes as they were then, and wires."""
        nodes: dict[str, Node | None] = {}
        wires: Counter[Wire] = Counter()
        for entry in self._log[since:]:
            if isinstance(entry[0], Wire):
                wires[entry[0]] += 1 if entry[1] == 1 else -1
            else:
                nodes.setdefault(entry[0], entry[1] if isinstance(entry[1], Node) else None)
        return nodes, {wire for wire, net in wires.items() if net}

    def back_to(self, moment: int) -> None:
        """Take back every change since a moment; places on the canvas are not put back."""
        for first, second in reversed(self._log[moment:]):
            if isinstance(first, Wire):
                ends = (self._into[first.target], self._out_of[first.source])
                for there in ends:
                    (there.discard if second == 1 else there.add)(first)
            elif isinstance(second, Node):
                self.nodes[first] = second
            else:
                self.nodes.pop(first, None)
        del self._log[moment:]

    def graph(self) -> Graph:
        """Return the graph as it stands now."""
        wires = {wire for there in self._into.values() for wire in there}
        return replace(
            self.whole,
            nodes=dict(sorted(self.nodes.items())),
            wires=in_order(wires),
            layout={key: at for key, at in self.layout.items() if key in self.nodes},
        )


__all__ = ["Draft"]

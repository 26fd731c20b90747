"""Nodes and wires, and what follows from them: order, neighbours, types, settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nodeflow.declare import CATALOG, NodeType
from nodeflow.errors import GraphError, UnknownNode, nearest
from nodeflow.graph.checking import loop_through
from nodeflow.graph.node import Node
from nodeflow.graph.ranking import ranks
from nodeflow.graph.wire import Wire, by_port
from nodeflow.inert import Inert, Nodes, Settings

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, repr=False)
class Topology:
    """The nodes and wires of a graph, to be read.

    What is found out about them is kept, for they never change; it is shared and as inert.
    """

    nodes: Mapping[str, Node] = Nodes()
    wires: tuple[Wire, ...] = ()

    def _known(self, name: str) -> str:
        if name not in self.nodes:
            raise UnknownNode(f"there is no node '{name}'{nearest(name, self.nodes)}", node=name)
        return name

    # -- wires

    @cached_property
    def incoming(self) -> MappingProxyType[str, tuple[Wire, ...]]:
        """The wires into each node that has any, by port and index."""
        return MappingProxyType(_bundled(self.wires, *ENDS["incoming"]))

    @cached_property
    def _outgoing(self) -> Mapping[str, tuple[Wire, ...]]:
        return MappingProxyType(_bundled(self.wires, *ENDS["_outgoing"]))

    def into(self, node: str) -> tuple[Wire, ...]:
        """Return the wires into a node, by port and index."""
        return self.incoming.get(node, ())

    def out_of(self, node: str) -> tuple[Wire, ...]:
        """Return the wires out of a node."""
        return self._outgoing.get(node, ())

    def inputs(self, node: str) -> Mapping[str, tuple[Wire, ...]]:
        """Return a node's incoming wires by port."""
        found = self._by_port.get(node)
        if found is None:
            ports: dict[str, list[Wire]] = {}
            for wire in self.incoming.get(node, ()):
                ports.setdefault(wire.input, []).append(wire)
            found = self._by_port[node] = Inert(
                {name: tuple(wires) for name, wires in ports.items()}
            )
        return found

    @cached_property
    def _by_port(self) -> dict[str, Mapping[str, tuple[Wire, ...]]]:
        return {}

    def feeds_back(self, wire: Wire) -> bool:
        """Return whether a wire is a feedback wire."""
        type_ = self._find(wire.target)
        return type_ is not None and wire.input in type_.feedback

    @cached_property
    def feedback(self) -> tuple[Wire, ...]:
        """The feedback wires."""
        fed = {key: type_.feedback for key, type_ in self.types.items() if type_.feedback}
        into = self.incoming
        return tuple(
            [w for key, ports in fed.items() for w in into.get(key, ()) if w.input in ports]
        )

    # -- order

    @cached_property
    def order(self) -> tuple[str, ...]:
        """All nodes, each after those that feed it, by rank: the same for the same content.

        Raises `Loop` if there is no such order.
        """
        self._refuse_loops()
        return tuple(self.ranks)

    @cached_property
    def ranks(self) -> MappingProxyType[str, int]:
        """Each node's longest way from a source, in wires; in topological order.

        A node on a loop, and what comes after it, is left out.
        """
        onward = {key: [w.target for w in wires] for key, wires in self._outgoing.items()}
        for wire in self.feedback:
            onward[wire.source].remove(wire.target)
        return MappingProxyType(ranks(sorted(self.nodes), onward))

    @cached_property
    def ranks_in_any_order(self) -> MappingProxyType[str, int]:
        """The ranks, in any topological order: those of an extended graph are known so."""
        return self.ranks

    def _refuse_loops(self) -> None:
        """Raise `Loop` where wires that are not feedback close one."""
        if len(self.ranks) < len(self.nodes):
            import networkx as nx

            cycle = [source for source, _ in nx.find_cycle(self.digraph())]
            first = cycle.index(min(cycle))
            raise loop_through("these wires", cycle[first:] + cycle[:first])

    def path(self, start: str, end: str) -> list[str] | None:
        """Return nodes from start to end along the wires that are not feedback, or None."""
        before: dict[str, str | None] = {start: None}
        queue = [start]
        for name in queue:
            if name == end:
                path = [end]
                while (step := before[path[-1]]) is not None:
                    path.append(step)
                return path[::-1]
            for wire in self.out_of(name):
                if wire.target not in before and not self.feeds_back(wire):
                    before[wire.target] = name
                    queue.append(wire.target)
        return None

    def digraph(self) -> nx.DiGraph[str]:
        """Return nodes and wires as a networkx graph, without the feedback wires."""
        import networkx as nx

        found: nx.DiGraph[str] = nx.DiGraph()
        found.add_nodes_from(self.nodes)
        found.add_edges_from((w.source, w.target) for w in self.wires if not self.feeds_back(w))
        return found

    # -- neighbours

    def upstream(self, nodes: Iterable[str]) -> frozenset[str]:
        """Return these nodes and all that feed them, without going through feedback wires."""
        ends = frozenset(nodes)
        known = self._upstream.get(ends)
        if known is not None:
            return known
        found = set(ends)
        queue = list(found)
        types, incoming = self.types, self.incoming
        for key in queue:
            type_ = types.get(key)
            feedback = type_.feedback if type_ is not None else ()
            for wire in incoming.get(key, ()):
                source = wire.source
                if source not in found and wire.input not in feedback:
                    found.add(source)
                    queue.append(source)
        self._upstream.clear()  # the last one: what is planned asks for that of the cost again
        self._upstream[ends] = answer = frozenset(found)
        return answer

    @cached_property
    def _upstream(self) -> dict[frozenset[str], frozenset[str]]:
        return {}

    def downstream(self, nodes: Iterable[str]) -> frozenset[str]:
        """Return these nodes and all that they feed, without going through feedback wires."""
        found = set(nodes)
        queue = list(found)
        for key in queue:
            for wire in self.out_of(key):
                if wire.target not in found and not self.feeds_back(wire):
                    found.add(wire.target)
                    queue.append(wire.target)
        return frozenset(found)

    # -- types

    def _find(self, key: str) -> NodeType | None:
        """Return a node's type if it has one; for single ones, where `types` would find all."""
        node = self.nodes.get(key)
        return None if node is None else CATALOG.get(node.type)

    def type_of(self, node: str) -> NodeType:
        """Return a node's type, or raise `UnknownType` for a placeholder."""
        found = self._find(node)
        if found is not None:
            return found
        try:
            return CATALOG[self.nodes[self._known(node)].type]
        except GraphError as error:
            error.node = error.node or node
            if node in self.nodes:
                why = self.nodes[node].settings.get("why")  # an import says why there is none
                said = (
                    f" ({self.nodes[node].type}) is a placeholder: {why}" if why else f": {error}"
                )
                error.args = (f"node '{node}'{said}",)
            raise

    @property
    def has_placeholders(self) -> bool:
        """Whether there is a node whose type is not there."""
        return len(self.types) < len(self.nodes)

    def settings(self, node: str) -> Settings:
        """Return a node's settings, defaults filled in and checked."""
        own = self.nodes.get(node)
        found = self._settings.get(id(own))
        if found is None:
            found = self.type_of(node).check(self.nodes[node].settings, node)
            self._settings[id(own)] = found
        return found

    @cached_property
    def types(self) -> MappingProxyType[str, NodeType]:
        """The type of each node that is no placeholder."""
        find = CATALOG.get
        return MappingProxyType(
            {
                key: type_
                for key, node in self.nodes.items()
                if (type_ := find(node.type)) is not None
            }
        )

    @cached_property
    def _settings(self) -> dict[int, Settings]:
        """The settings of each node, by the identity of the node: one may stand under many ids."""
        return {}

    def of_type(self, *types: str) -> tuple[str, ...]:
        """Return the ids of all nodes of these types, sorted."""
        return self._united(types)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The ids of all nodes that hold numbers that training changes, sorted."""
        return self.where(lambda type_: type_.holds_weights)

    @property
    def searches(self) -> tuple[str, ...]:
        """The ids of all trainers that find parameters by a search of their own, sorted."""
        return self.where(lambda type_: type_.searches)

    @property
    def layers(self) -> tuple[str, ...]:
        """The ids of all layers of neurons, sorted."""
        return self.of_family("layer")

    @property
    def updates(self) -> tuple[str, ...]:
        """The ids of all nodes that give a parameter's next value, sorted."""
        return self.of_family("update")

    @property
    def datasets(self) -> tuple[str, ...]:
        """The ids of all nodes that read rows of features and targets, sorted."""
        return self.where(lambda type_: type_.holds_data)

    def of_family(self, *families: str) -> tuple[str, ...]:
        """Return the ids of all nodes of these families, sorted."""
        return self.where(lambda type_: type_.family in families)

    def where(self, test: Callable[[NodeType], bool]) -> tuple[str, ...]:
        """Return the ids of all nodes whose types pass a test, sorted."""
        known = ((name, CATALOG.get(name)) for name in self._by_type)
        return self._united(name for name, type_ in known if type_ and test(type_))

    def _united(self, types: Iterable[str]) -> tuple[str, ...]:
        names = frozenset(types).intersection(self._by_type)
        found = self._sorted.get(names)
        if found is None:
            several = chain.from_iterable(self._by_type[name] for name in names)
            found = self._sorted[names] = tuple(sorted(several))
        return found

    @cached_property
    def _by_type(self) -> dict[str, list[str]]:
        """The ids of each type as they come: of few types somebody asks for the order."""
        found: dict[str, list[str]] = {}
        for key, node in self.nodes.items():
            found.setdefault(node.type, []).append(key)
        return found

    @cached_property
    def _sorted(self) -> dict[frozenset[str], tuple[str, ...]]:
        return {}


def _by_output(wire: Wire) -> tuple[str, str, str, int]:
    return wire.output, wire.target, wire.input, wire.index or 0


ENDS: dict[str, tuple[Callable[[Wire], str], Callable[[Wire], Any]]] = {
    "incoming": (attrgetter("target"), by_port),
    "_outgoing": (attrgetter("source"), _by_output),
}
"""What a graph knows of the wires at each node: the end that it goes by, and their order."""


def _bundled(
    wires: Iterable[Wire], end: Callable[[Wire], str], order: Callable[[Wire], Any]
) -> dict[str, tuple[Wire, ...]]:
    """Return the wires at each node."""
    found: dict[str, list[Wire]] = {}
    for wire in wires:
        key = end(wire)
        there = found.get(key)
        if there is None:
            found[key] = [wire]
        else:
            there.append(wire)
    return {
        key: tuple(sorted(there, key=order) if len(there) > 1 else there)
        for key, there in found.items()
    }

"""The graph: an inert value of nodes and wires. Every edit returns a new one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from importlib import import_module
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

from nodeflow.declare import CATALOG
from nodeflow.errors import BadSetting, GraphError, nearest
from nodeflow.graph.building import built
from nodeflow.graph.checking import (
    check_nodes,
    check_wires,
    loop_through,
    port_entered,
    port_taken,
)
from nodeflow.graph.node import MODES, Node, check_id
from nodeflow.graph.renaming import (
    DRAWN_AS,
    drawn_as,
    groups_renamed,
    node_renamed,
    records_renamed,
)
from nodeflow.graph.topology import ENDS, Topology
from nodeflow.graph.training import AS_PRESET, Training
from nodeflow.graph.wire import Wire, by_port, inserted, renumbered, rewired
from nodeflow.inert import NOTHING, Inert, Layout, Nodes, Settings, inert, read_only, sealed


@read_only("dataclasses.replace(graph, …), graph.add(…) and graph.set(…) return a new graph")
@dataclass(frozen=True, repr=False)
class Graph(Topology):
    """Nodes and wires, with what belongs to them in the file. Compared by content.

    It cannot be changed in place, nor can anything in it: whoever tries gets `ReadOnly`, a
    TypeError. What is read from it (`settings`, `inputs`, …) is shared and as inert.
    """

    name: str = ""
    about: str = ""
    training: Training = AS_PRESET
    groups: Mapping[str, Any] = NOTHING
    layout: Mapping[str, tuple[int, int]] = Layout()
    extra: Mapping[str, Any] = NOTHING
    folder: Path | None = field(default=None, compare=False)
    """Where relative paths of settings start; set by `load`, never saved."""
    version: int = field(default=0, compare=False)
    """The version of the format that its file has; 0 for a graph that comes from no file, which
    is saved in the newest one."""
    origin: tuple[str, str] | None = field(default=None, compare=False, repr=False)
    """The file it was loaded from and the SHA-256 of its bytes, so that `save` can tell whether
    somebody else has changed the file since; never saved."""

    def __post_init__(self) -> None:
        # What is inert already is taken as it is: an edit copies one dict and no node.
        keep = partial(object.__setattr__, self)
        if type(self.nodes) is not Nodes:
            keep("nodes", Nodes(self.nodes))
        if type(self.wires) is not tuple:
            keep("wires", tuple(self.wires))
        if type(self.layout) is not Layout:
            keep("layout", Layout({key: tuple(at) for key, at in self.layout.items()}))
        for name in ("groups", "extra"):
            if not isinstance(getattr(self, name), Inert):
                keep(name, sealed(getattr(self, name)))

    def __getstate__(self) -> dict[str, Any]:
        # What was found out about the graph is found out again: copies are small, and pickles
        # hold no node types.
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def __repr__(self) -> str:
        # At a prompt: the content is what a file shows.
        called = f" '{self.name}'" if self.name else ""
        return f"<Graph{called}: {len(self.nodes):,} nodes, {len(self.wires):,} wires>"

    # -- in a notebook

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        # What draws lies above the graph, and is looked for only when a notebook asks.
        bundle: dict[str, str] = import_module("nodeflow.export.notebook").of_graph(self)
        return bundle

    def _repr_html_(self) -> str:
        html: str = import_module("nodeflow.export.notebook").html_of_graph(self)
        return html

    # -- building

    @classmethod
    def of(cls, *ends: Any, name: str = "", about: str = "", **training: Any) -> Graph:
        """Return the graph of all nodes that the given wires or nodes are made from.

        `training` takes batch, epochs, seed, rate and tolerance. Raises `GraphError`.
        """
        nodes, wires = built(ends)
        graph = cls(nodes, wires, name=name, about=about, training=Training(**training))
        graph.validate()
        return graph

    # -- checking

    def validate(self) -> None:
        """Raise the first `GraphError` of ids, settings, wires and loops.

        Placeholders (unknown types) are let through; missing inputs and shapes are the
        business of shape inference, since an unfinished graph is still a graph.
        """
        check_nodes(self.nodes, self.types, self._settings)
        check_wires(self.wires, self.nodes, self.types)
        self._refuse_loops()

    # -- editing

    def add(self, node: str, type_: str, /, **settings: Any) -> Graph:
        """Return the graph with one more node."""
        check_id(node)
        if node in self.nodes:
            raise GraphError(f"there is a node '{node}' already", node=node)
        new = Node(type_, settings)
        CATALOG[type_].check(new.settings, node)
        taken = {drawn_as(other, "") for other in self.nodes.values() if DRAWN_AS in other.extra}
        if node in taken:  # one that had this id before is still drawn by it
            names = (f"{node}_{number}" for number in count(2))
            free = next(name for name in names if name not in taken and name not in self.nodes)
            new = replace(new, extra={DRAWN_AS: free})
        return self._with(node, new)

    def _with(self, key: str, node: Node) -> Graph:
        graph = replace(self, nodes=Nodes(self.nodes, **{key: node}))
        for name in ENDS.keys() & self.__dict__.keys():
            graph.__dict__[name] = self.__dict__[name]
        return graph

    def _rewired(self, wire: Wire, *, there: bool) -> Graph:
        """Return the graph with a wire more or less; what is known of the others stays known."""
        wires = (*self.wires, wire) if there else tuple([w for w in self.wires if w != wire])
        graph = replace(self, wires=wires)
        for name in ENDS.keys() & self.__dict__.keys():
            end, order = ENDS[name]
            known = dict(self.__dict__[name])
            bundle = [w for w in known.pop(end(wire), ()) if w != wire]
            if bundle := [*bundle, wire] if there else bundle:
                known[end(wire)] = tuple(sorted(bundle, key=order))
            graph.__dict__[name] = MappingProxyType(known)
        return graph

    def remove(self, *names: str) -> Graph:
        """Return the graph without these nodes and the wires that touch them."""
        gone = {self._known(name) for name in names}
        wires = tuple(w for w in self.wires if w.source not in gone and w.target not in gone)
        return replace(
            self,
            nodes={key: node for key, node in self.nodes.items() if key not in gone},
            wires=renumbered(wires),
            layout={key: at for key, at in self.layout.items() if key not in gone},
        )

    def rename(self, old: str, new: str) -> Graph:
        """Return the graph with one node's id changed; its wires, groups and place stay.

        It computes and trains as before: a parameter is still drawn by the id that it had first.
        """
        self._known(old)
        check_id(new)
        if new in self.nodes:
            raise GraphError(f"there is a node '{new}' already", node=new)
        wires = tuple(rewired(wire, old, new) for wire in self.wires)
        return replace(
            self,
            nodes={
                new if key == old else key: node_renamed(node, old, new) if key == old else node
                for key, node in self.nodes.items()
            },
            wires=wires,
            groups=groups_renamed(self.groups, old, new),
            layout={new if key == old else key: at for key, at in self.layout.items()},
            extra=records_renamed(self.extra, old, new),
        )

    def set(self, node: str, /, **settings: Any) -> Graph:
        """Return the graph with settings of one node changed."""
        old = self.nodes[self._known(node)]
        new = Settings(old.settings, **{key: inert(value) for key, value in settings.items()})
        if old.known is not None:
            old.known.check(new, node)
        return self._with(node, replace(old, settings=new))

    def with_mode(self, node: str, mode: str) -> Graph:
        """Return the graph with one node bypassed, disabled, frozen or active again."""
        if mode not in MODES:
            raise BadSetting(f"'{node}' cannot be '{mode}'{nearest(mode, MODES)}", node=node)
        return self._with(node, replace(self.nodes[self._known(node)], mode=mode))

    def move(self, **positions: tuple[int, int]) -> Graph:
        """Return the graph with nodes placed on the canvas."""
        for name in positions:
            self._known(name)
        placed = {key: (round(x), round(y)) for key, (x, y) in positions.items()}
        return self.with_layout(Layout(self.layout, **placed))

    def with_layout(self, layout: Mapping[str, tuple[int, int]]) -> Graph:
        """Return the graph with these places instead of its own.

        What is known of its nodes and wires, which stay, is not found out again.
        """
        made = replace(self, layout=layout)
        known = vars(self)
        vars(made).update({name: known[name] for name in _FOUND if name in known})
        return made

    def connect(self, source: str, target: str) -> Graph:
        """Return the graph with one more wire, from address to address.

        Raises `UnknownNode`, `UnknownPort`, `PortTaken` or `Loop`. A wire into a `…` port comes
        after those that are there, unless the address has an index.
        """
        wire = Wire.parse(f"{source} -> {target}")
        port = port_entered(wire, self.nodes)
        there = [w for w in self.into(wire.target) if w.input == wire.input]
        wires = self.wires
        if port is None or port.many:
            wires, wire = inserted(wires, there, wire)
        elif there:
            raise port_taken(wire, there[0])
        elif wire.index is not None:
            raise GraphError(f"'{wire.end}' takes one wire, so it has no [{wire.index}]")
        graph = self if wires is self.wires else replace(self, wires=wires)
        graph = graph._rewired(wire, there=True)  # noqa: SLF001
        if port is None or not port.feedback:
            path = graph.path(wire.target, wire.source)
            if path is not None:
                raise loop_through(f"connecting {source} to {target}", [wire.source, *path[:-1]])
        return graph

    def disconnect(self, source: str, target: str) -> Graph:
        """Return the graph without that wire; the others of a `…` port move up."""
        wanted = Wire.parse(f"{source} -> {target}")
        for wire in self.wires:
            if (wire.start, wire.end) == (wanted.start, wanted.end) and (
                wanted.index is None or wanted.index == (wire.index or 0)
            ):
                graph = self._rewired(wire, there=False)
                if wire.index is None:
                    return graph
                return replace(self, wires=renumbered(graph.wires))
        raise GraphError(f"there is no wire from {source} to {target}")

    def extended(
        self,
        nodes: Mapping[str, Node],
        wires: Sequence[Wire],
        into: Mapping[str, tuple[Wire, ...]],
        ranks: dict[str, int],
        *,
        without: Collection[str] = (),
    ) -> Graph:
        """Return the graph with more nodes and wires, and without some nodes that feed nobody.

        Each new node comes after those that feed it; `into` has the wires into it, by port and
        index. All other wires enter feedback ports of old nodes. `ranks` are those of all nodes,
        and become the graph's. What is known of the old nodes is not found out again.
        """
        gone = frozenset(without)
        kept = dict(self.nodes)
        for key in gone:
            del kept[key]
        kept |= nodes
        there = self.wires
        if gone:
            there = tuple([wire for wire in there if wire.target not in gone])
        found = replace(self, nodes=Nodes(kept), wires=(*there, *wires))
        kinds = {name: CATALOG.get(name) for name in {node.type for node in nodes.values()}}
        types, incoming = self.types.copy(), self.incoming.copy()  # dict(…) takes ten times as long
        incoming |= into
        for wire in wires:
            if wire.target not in nodes:
                there = (*incoming.get(wire.target, ()), wire)
                incoming[wire.target] = tuple(sorted(there, key=by_port))
        known_types = ((key, kinds[node.type]) for key, node in nodes.items())
        types |= {key: type_ for key, type_ in known_types if type_ is not None}
        settings = dict(self._settings)
        for key in gone:
            settings.pop(id(self.nodes[key]), None)
            for known in (types, incoming, ranks):
                known.pop(key, None)
        known_of = {
            "types": MappingProxyType(types),
            "ranks_in_any_order": MappingProxyType(ranks),
            "incoming": MappingProxyType(incoming),
            "_settings": settings,
            # No new node feeds an old one in the same pass.
            "_upstream": {
                ends: all_ for ends, all_ in self._upstream.items() if gone.isdisjoint(all_)
            },
        }
        found.__dict__.update(known_of)
        return found


_FOUND = tuple(name for name, held in vars(Topology).items() if isinstance(held, cached_property))
"""What is found out of nodes and wires, and kept."""

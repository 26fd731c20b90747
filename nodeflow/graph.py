"""The graph: an inert value of nodes and wires. Every edit returns a new one.

An address is `node.port`; the last dot separates the port. The only wires that may close a loop
are feedback wires, into a port that its type marks as one (`parameter.next`,
`accumulate.previous`): they carry a value into the next update.
"""

from __future__ import annotations

import gc
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from graphlib import TopologicalSorter
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodeflow.declare import CATALOG, Made, NodeType, Output, Port, inert
from nodeflow.errors import (
    BadSetting,
    GraphError,
    Loop,
    PortTaken,
    UnknownNode,
    UnknownPort,
    nearest,
)

if TYPE_CHECKING:
    import networkx as nx

MODES = ("active", "bypass", "disable", "freeze")
_ID = re.compile(r"[^\W\d_][\w.\-]*", re.UNICODE)
_DIGITS = 9
_END = re.compile(r"(?P<node>.+)\.(?P<port>[^.\[\]]+)(?:\[(?P<index>\d+)\])?")


@contextmanager
def uncollected() -> Iterator[None]:
    """Hold cyclic garbage collection back while a large graph is built.

    Ten thousands of small objects that all stay would be searched again and again.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def check_id(text: object) -> str:
    """Return a node id, or raise `GraphError`."""
    if isinstance(text, str) and _ID.fullmatch(text) and not text.endswith("."):
        return text
    raise GraphError(
        f"{text!r} cannot be a node's id: a letter first, "
        "then letters, digits, '_', '-' and '.', no dot at the end"
    )


@dataclass(frozen=True, slots=True)
class Training:
    """How a graph is trained: samples an update (a number or "all"), epochs, seed."""

    batch: int | str = 1
    epochs: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        whole = isinstance(self.batch, int) and not isinstance(self.batch, bool)
        if not ((whole and int(self.batch) >= 1) or self.batch == "all"):
            raise BadSetting(
                f'training.batch must be a whole number from 1 or "all", not {self.batch!r}'
            )
        for name in ("epochs", "seed"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise BadSetting(f"training.{name} must be a whole number from 0, not {value!r}")


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a graph: a type's name, settings, and a mode (active, bypass, disable, freeze)."""

    type: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    mode: str = "active"
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the file that this version does not know; they are saved again."""

    @property
    def known(self) -> NodeType | None:
        """The node's type, or None for a placeholder."""
        return CATALOG.find(self.type)


@dataclass(frozen=True, slots=True, order=True)
class Wire:
    """A connection from an output port to an input port; `index` orders wires into a `…` port."""

    source: str
    output: str
    target: str
    input: str
    index: int | None = None

    @classmethod
    def parse(cls, text: str) -> Wire:
        """Return the wire written "a.z -> sum.a[0]", or raise `GraphError`."""
        left, arrow, right = (part.strip() for part in text.partition("->"))
        start, end = _END.fullmatch(left), _END.fullmatch(right)
        if not arrow or start is None or end is None or start["index"] is not None:
            raise GraphError(f"{text!r} is not a wire: write 'node.output -> node.input'")
        if len(end["index"] or "") > _DIGITS:
            raise GraphError("a port's number is too long")
        index = None if end["index"] is None else int(end["index"])
        return cls(start["node"], start["port"], end["node"], end["port"], index)

    @property
    def start(self) -> str:
        """Address of the output port."""
        return f"{self.source}.{self.output}"

    @property
    def end(self) -> str:
        """Address of the input port, without the index."""
        return f"{self.target}.{self.input}"

    def __str__(self) -> str:
        index = "" if self.index is None else f"[{self.index}]"
        return f"{self.start} -> {self.end}{index}"


@dataclass(frozen=True)
class Graph:
    """Nodes and wires, with what belongs to them in the file. Compared by content."""

    nodes: Mapping[str, Node] = field(default_factory=dict)
    wires: tuple[Wire, ...] = ()
    name: str = ""
    about: str = ""
    training: Training = field(default_factory=Training)
    groups: Mapping[str, Any] = field(default_factory=dict)
    layout: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = field(default=None, compare=False)
    """Where relative paths of settings start; set by `load`, never saved."""

    # -- building

    @classmethod
    def of(cls, *ends: Any, name: str = "", about: str = "", **training: Any) -> Graph:
        """Return the graph of all nodes that the given wires or nodes are made from.

        `training` takes batch, epochs and seed. Raises `GraphError`.
        """
        made: dict[int, tuple[str, Made]] = {}
        taken: set[str] = set()
        order = _reach(ends)
        for item in order:
            if item.id is not None:
                if item.id in taken:
                    raise GraphError(f"two nodes are called '{item.id}'", node=item.id)
                taken.add(check_id(item.id))
        numbers: dict[str, int] = {}
        for item in order:
            made[id(item)] = (item.id or _fresh(item.type.name, taken, numbers), item)
            taken.add(made[id(item)][0])
        nodes = {key: Node(item.type.name, dict(item.settings)) for key, item in made.values()}
        wires = []
        for key, item in made.values():
            for port, sources in item.inputs.items():
                many = len(sources) > 1
                for index, source in enumerate(sources):
                    start = (
                        source.node if isinstance(source.node, str) else made[id(source.node)][0]
                    )
                    wires.append(Wire(start, source.port, key, port, index if many else None))
        graph = cls(
            nodes=dict(sorted(nodes.items())),
            wires=tuple(sorted(wires)),
            name=name,
            about=about,
            training=Training(**training),
        )
        graph.validate()
        return graph

    def add(self, node: str, type_: str, /, **settings: Any) -> Graph:
        """Return the graph with one more node."""
        check_id(node)
        if node in self.nodes:
            raise GraphError(f"there is a node '{node}' already", node=node)
        new = Node(type_, {key: inert(value) for key, value in settings.items()})
        CATALOG[type_].check(new.settings, node)
        return replace(self, nodes={**self.nodes, node: new})

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
        """Return the graph with one node's id changed, its wires kept."""
        self._known(old)
        check_id(new)
        if new in self.nodes:
            raise GraphError(f"there is a node '{new}' already", node=new)
        wires = tuple(
            replace(
                w,
                source=new if w.source == old else w.source,
                target=new if w.target == old else w.target,
            )
            for w in self.wires
        )
        return replace(
            self,
            nodes={new if key == old else key: node for key, node in self.nodes.items()},
            wires=wires,
            layout={new if key == old else key: at for key, at in self.layout.items()},
        )

    def set(self, node: str, /, **settings: Any) -> Graph:
        """Return the graph with settings of one node changed."""
        old = self.nodes[self._known(node)]
        new = {**old.settings, **{key: inert(value) for key, value in settings.items()}}
        if old.known is not None:
            old.known.check(new, node)
        return replace(self, nodes={**self.nodes, node: replace(old, settings=new)})

    def with_mode(self, node: str, mode: str) -> Graph:
        """Return the graph with one node bypassed, disabled, frozen or active again."""
        if mode not in MODES:
            raise BadSetting(f"'{node}' cannot be '{mode}'{nearest(mode, MODES)}", node=node)
        old = self.nodes[self._known(node)]
        return replace(self, nodes={**self.nodes, node: replace(old, mode=mode)})

    def move(self, **positions: tuple[int, int]) -> Graph:
        """Return the graph with nodes placed on the canvas."""
        for name in positions:
            self._known(name)
        placed = {key: (round(x), round(y)) for key, (x, y) in positions.items()}
        return replace(self, layout={**self.layout, **placed})

    def connect(self, source: str, target: str) -> Graph:
        """Return the graph with one more wire, from address to address.

        Raises `UnknownNode`, `UnknownPort`, `PortTaken` or `Loop`. A wire into a `…` port comes
        after those that are there, unless the address has an index.
        """
        wire = Wire.parse(f"{source} -> {target}")
        port = self._check_ends(wire)
        there = [w for w in self.into(wire.target) if w.input == wire.input]
        wires = self.wires
        if port is None or port.many:
            wires, wire = _inserted(wires, there, wire)
        elif there:
            raise _taken(wire, there[0])
        elif wire.index is not None:
            raise GraphError(f"'{wire.end}' takes one wire, so it has no [{wire.index}]")
        graph = replace(self, wires=(*wires, wire))
        if port is None or not port.feedback:
            path = graph.path(wire.target, wire.source)
            if path is not None:
                raise _loop(f"connecting {source} to {target}", [wire.source, *path[:-1]])
        return graph

    def disconnect(self, source: str, target: str) -> Graph:
        """Return the graph without that wire; the others of a `…` port move up."""
        wanted = Wire.parse(f"{source} -> {target}")
        for wire in self.wires:
            if (wire.start, wire.end) == (wanted.start, wanted.end) and (
                wanted.index is None or wanted.index == (wire.index or 0)
            ):
                return replace(self, wires=renumbered(tuple(w for w in self.wires if w != wire)))
        raise GraphError(f"there is no wire from {source} to {target}")

    # -- reading

    def _known(self, name: str) -> str:
        if name not in self.nodes:
            raise UnknownNode(f"there is no node '{name}'{nearest(name, self.nodes)}", node=name)
        return name

    @cached_property
    def _incoming(self) -> Mapping[str, tuple[Wire, ...]]:
        found: dict[str, list[Wire]] = defaultdict(list)
        for wire in self.wires:
            found[wire.target].append(wire)
        return {
            key: tuple(sorted(wires, key=lambda w: (w.input, w.index or 0)))
            for key, wires in found.items()
        }

    @cached_property
    def _outgoing(self) -> Mapping[str, tuple[Wire, ...]]:
        found: dict[str, list[Wire]] = defaultdict(list)
        for wire in self.wires:
            found[wire.source].append(wire)
        return {key: tuple(sorted(wires)) for key, wires in found.items()}

    def into(self, node: str) -> tuple[Wire, ...]:
        """Return the wires into a node, by port and index."""
        return self._incoming.get(node, ())

    def out_of(self, node: str) -> tuple[Wire, ...]:
        """Return the wires out of a node."""
        return self._outgoing.get(node, ())

    def inputs(self, node: str) -> Mapping[str, tuple[Wire, ...]]:
        """Return a node's incoming wires by port."""
        return self._by_port.get(node, {})

    @cached_property
    def _by_port(self) -> dict[str, dict[str, tuple[Wire, ...]]]:
        return {
            node: {port: tuple(there) for port, there in groupby(wires, key=attrgetter("input"))}
            for node, wires in self._incoming.items()
        }

    def feeds_back(self, wire: Wire) -> bool:
        """Return whether a wire is a feedback wire."""
        type_ = self.nodes[wire.target].known
        return type_ is not None and wire.input in type_.feedback

    def digraph(self) -> nx.DiGraph[str]:
        """Return nodes and wires as a networkx graph, without the feedback wires."""
        import networkx as nx

        found: nx.DiGraph[str] = nx.DiGraph()
        found.add_nodes_from(self.nodes)
        found.add_edges_from((w.source, w.target) for w in self.wires if not self.feeds_back(w))
        return found

    def upstream(self, nodes: Iterable[str]) -> frozenset[str]:
        """Return these nodes and all that feed them, without going through feedback wires."""
        found = set(nodes)
        queue = list(found)
        for key in queue:
            for wire in self.into(key):
                if wire.source not in found and not self.feeds_back(wire):
                    found.add(wire.source)
                    queue.append(wire.source)
        return frozenset(found)

    def type_of(self, node: str) -> NodeType:
        """Return a node's type, or raise `UnknownType` for a placeholder."""
        found = self._types.get(node)
        if found is not None:
            return found
        try:
            return CATALOG[self.nodes[self._known(node)].type]
        except GraphError as error:
            error.node = error.node or node
            if node in self.nodes:
                error.args = (f"node '{node}': {error}",)
            raise

    def settings(self, node: str) -> dict[str, Any]:
        """Return a node's settings, defaults filled in and checked."""
        if node not in self._settings:
            self._settings[node] = self.type_of(node).check(self.nodes[node].settings, node)
        return self._settings[node]

    @cached_property
    def _types(self) -> dict[str, NodeType]:
        return {key: type_ for key, node in self.nodes.items() if (type_ := node.known) is not None}

    @cached_property
    def _settings(self) -> dict[str, dict[str, Any]]:
        return {}

    def of_type(self, *types: str) -> tuple[str, ...]:
        """Return the ids of all nodes of these types, sorted."""
        return self._united(types)

    def of_family(self, *families: str) -> tuple[str, ...]:
        """Return the ids of all nodes of these families, sorted."""
        known = ((name, CATALOG.find(name)) for name in self._by_type)
        return self._united(name for name, type_ in known if type_ and type_.family in families)

    def _united(self, types: Iterable[str]) -> tuple[str, ...]:
        found = [self._by_type[name] for name in set(types) if name in self._by_type]
        return found[0] if len(found) == 1 else tuple(sorted(chain.from_iterable(found)))

    @cached_property
    def _by_type(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for key, node in self.nodes.items():
            found.setdefault(node.type, []).append(key)
        return {name: tuple(sorted(keys)) for name, keys in found.items()}

    # -- checking

    def validate(self) -> None:
        """Raise the first `GraphError` of ids, settings, wires and loops.

        Placeholders (unknown types) are let through; missing inputs and shapes are the
        business of shape inference, since an unfinished graph is still a graph.
        """
        for key, node in self.nodes.items():
            check_id(key)
            if node.mode not in MODES:
                raise BadSetting(
                    f"node '{key}' cannot be '{node.mode}'{nearest(node.mode, MODES)}", node=key
                )
            if node.known is not None:
                node.known.check(node.settings, key)
        taken: dict[tuple[str, str], list[Wire]] = defaultdict(list)
        for wire in self.wires:
            port = self._check_ends(wire)
            there = taken[wire.target, wire.input]
            if port is not None and not port.many:
                if there:
                    raise _taken(wire, there[0])
                if wire.index is not None:
                    raise GraphError(
                        f"'{wire.end}' takes one wire, so it has no [{wire.index}]",
                        node=wire.target,
                    )
            there.append(wire)
        for (target, name), wires in taken.items():
            if len(wires) == 1 and wires[0].index in (None, 0):
                continue
            indices = sorted(-1 if wire.index is None else wire.index for wire in wires)
            if indices != list(range(len(wires))):
                how = f"[0] to [{len(wires) - 1}]" if len(wires) > 1 else "[0], or not at all"
                what = f"{len(wires)} wires" if len(wires) > 1 else "wire"
                raise GraphError(
                    f"the {what} into '{target}.{name}' must be numbered {how}",
                    node=target,
                )
        self._refuse_loops()

    def _refuse_loops(self) -> None:
        # Plain counting, which needs no networkx; that is asked only to name a loop.
        onward: dict[str, list[str]] = defaultdict(list)
        waiting = dict.fromkeys(self.nodes, 0)
        for wire in self.wires:
            if not self.feeds_back(wire):
                onward[wire.source].append(wire.target)
                waiting[wire.target] += 1
        free = [key for key, count in waiting.items() if not count]
        for key in free:
            for target in onward[key]:
                waiting[target] -= 1
                if not waiting[target]:
                    free.append(target)
        if len(free) < len(waiting):
            import networkx as nx

            cycle = [source for source, _ in nx.find_cycle(self.digraph())]
            first = cycle.index(min(cycle))
            raise _loop("these wires", cycle[first:] + cycle[:first])

    def _check_ends(self, wire: Wire) -> Port | None:
        for name, address in ((wire.source, wire.start), (wire.target, wire.end)):
            if name not in self.nodes:
                hint = nearest(name, self.nodes)
                raise UnknownNode(f"'{address}': there is no node '{name}'{hint}", node=name)
        source, target = self.nodes[wire.source], self.nodes[wire.target]
        if source.known is not None:
            source.known.output(wire.output, wire.source)
        if target.known is None:
            return None
        if wire.input in target.known.defaults and not any(
            port.name == wire.input for port in target.known.inputs
        ):
            raise UnknownPort(
                f"'{wire.end}' is a setting of the node, not a port: a wire cannot enter it",
                node=wire.target,
            )
        return target.known.input(wire.input, target.settings, wire.target)

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


def _reach(ends: Iterable[Any]) -> list[Made]:
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


def _taken(wire: Wire, there: Wire) -> PortTaken:
    if wire.start == there.start:
        return PortTaken(f"the wire '{wire}' is there twice; remove one", node=wire.target)
    return PortTaken(
        f"'{wire.end}' takes one wire and has one from {there.start}; "
        f"remove it before connecting {wire.start}",
        node=wire.target,
    )


def generations(
    nodes: Iterable[str], edges: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, ...]]:
    """Yield nodes in topological order: those that nothing feeds, then those that they feed, ….

    The order is that of networkx, whose import would be a quarter of a command's start.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for node in nodes:
        sorter.add(node)
    for source, target in dict.fromkeys(edges):
        sorter.add(target, source)
    sorter.prepare()
    while sorter.is_active():
        ready = sorter.get_ready()
        yield ready
        sorter.done(*ready)


def _loop(what: str, nodes: list[str]) -> Loop:
    path = (*nodes, nodes[0])
    verb = "closes" if what.startswith("connecting") else "close"
    return Loop(f"{what} {verb} a loop: {' → '.join(path)}", path=path)


def _inserted(
    wires: tuple[Wire, ...], there: list[Wire], wire: Wire
) -> tuple[tuple[Wire, ...], Wire]:
    """Make room for a wire among those of a `…` port."""
    if not there:
        return wires, replace(wire, index=None)
    at = len(there) if wire.index is None else min(wire.index, len(there))
    moved = {
        old: replace(old, index=position + (position >= at)) for position, old in enumerate(there)
    }
    return tuple(moved.get(w, w) for w in wires), replace(wire, index=at)


def renumbered(wires: tuple[Wire, ...]) -> tuple[Wire, ...]:
    """Close gaps in the numbers of `…` ports; a single wire has none."""
    ports: dict[tuple[str, str], list[Wire]] = defaultdict(list)
    for wire in wires:
        if wire.index is not None:
            ports[wire.target, wire.input].append(wire)
    new: dict[Wire, Wire] = {}
    for group in ports.values():
        group.sort(key=lambda w: w.index or 0)
        for position, wire in enumerate(group):
            new[wire] = replace(wire, index=position if len(group) > 1 else None)
    return tuple(new.get(wire, wire) for wire in wires)

"""The graph: an inert value of nodes and wires. Every edit returns a new one.

An address is `node.port`; the last dot separates the port. The only wires that may close a loop
are feedback wires, into a port that its type marks as one (`parameter.next`,
`accumulate.previous`): they carry a value into the next update.
"""

from __future__ import annotations

import gc
import math
import re
from collections import defaultdict, namedtuple
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from importlib import import_module
from itertools import chain, count
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from unicodedata import category

from nodeflow.declare import CATALOG, PLACEHOLDER, Made, NodeType, Output, Port
from nodeflow.errors import (
    BadSetting,
    GraphError,
    Loop,
    PortTaken,
    UnknownNode,
    UnknownPort,
    nearest,
)
from nodeflow.inert import (
    NO_SETTINGS,
    NOTHING,
    Inert,
    Layout,
    Nodes,
    Settings,
    inert,
    read_only,
    sealed,
    settings_of,
)

if TYPE_CHECKING:
    import networkx as nx

DRAWN_AS = "drawn_as"
"""A parameter's key in the file for the id by which its random start is drawn, if not its own."""
PART = "part"
"""A parameter's key that says which part of which other parameter it starts as."""
ROWS = "rows"
"""A parameter's key that says as which rows of which others it starts, one for each of its own."""
_DRAWN = ("uniform", "normal", "glorot")
MOVED = "parameter"
"""The input of every update that takes what it moves."""
UNFOLDED = "unfolded"
"""The graph file's key under which an unfolded graph keeps its trainers."""
MODES = ("active", "bypass", "disable", "freeze")
_ID = re.compile(r"[\w.\-]+")
_DIGITS = 9
_WIRE = re.compile(
    r"\s*(\S[^>]*)\.([^.\[\]>\s]+)\s*->\s*(\S[^>]*)\.([^.\[\]>\s]+)(?:\[(\d+)\])?\s*"
)


_MANY = 100_000
"""Objects, without those that are gone again."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Hold cyclic garbage collection back while a large graph is built.

    Ten thousands of small objects that all stay would be searched again and again. So many count
    as old afterwards: they are searched with everything else, when Python next does that. Fewer
    are not worth it, since Python forgets what it has counted so far.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            # What somebody else has frozen stays so.
            if gc.get_count()[0] > _MANY and not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def _is_id(text: str) -> bool:
    if not text[:1].isalpha() or text.endswith("."):
        return False
    # Marks are no letters to a regular expression, though many a script writes its vowels by them.
    return _ID.fullmatch(text) is not None or all(
        sign.isalnum() or sign in "_-." or category(sign).startswith("M") for sign in text
    )


def check_id(text: object) -> str:
    """Return a node id, or raise `GraphError`."""
    if isinstance(text, str) and _is_id(text):
        return text
    raise GraphError(
        f"{text!r} cannot be a node's id: a letter first, "
        "then letters, digits, '_', '-' and '.', no dot at the end"
    )


@read_only("dataclasses.replace(graph, training=Training(…)) returns a new graph")
@dataclass(frozen=True, slots=True)
class Training:
    """How a graph is trained: samples an update (a number or "all"), epochs, seed.

    `rate` is the learning rate of all updates that have no wire for one. Training ends when an
    epoch changes the weights by no more than `tolerance` (the norm of the change of all trained
    numbers together), or after all epochs; None trains all epochs.
    """

    batch: int | str = 1
    epochs: int = 10
    seed: int = 0
    rate: float | None = None
    tolerance: float | None = None

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
        for name in ("rate", "tolerance"):
            value = getattr(self, name)
            typed = isinstance(value, int | float) and not isinstance(value, bool)
            if value is not None and not (typed and 0 <= value < math.inf):
                kind = "" if typed and math.isfinite(value) else "finite "
                raise BadSetting(f"training.{name} must be a {kind}number from 0, not {value!r}")


@read_only("graph.set(node, setting=value) or graph.with_mode(node, mode) returns a new graph")
@dataclass(frozen=True, slots=True)
class Node:
    """A node of a graph: a type's name, settings, and a mode (active, bypass, disable, freeze)."""

    type: str
    settings: Mapping[str, Any] = NO_SETTINGS
    mode: str = "active"
    extra: Mapping[str, Any] = NOTHING
    """Keys of the file that this version does not know; they are saved again."""

    def __post_init__(self) -> None:
        if type(self.settings) is not Settings:
            object.__setattr__(self, "settings", settings_of(self.settings))
        if not isinstance(self.extra, Inert):
            object.__setattr__(self, "extra", sealed(self.extra))

    @property
    def known(self) -> NodeType | None:
        """The node's type, or None for a placeholder."""
        return CATALOG.get(self.type)

    @property
    def kind(self) -> NodeType:
        """The node's type; of a placeholder one without ports that does nothing."""
        return CATALOG.get(self.type) or PLACEHOLDER

    @property
    def is_parameter(self) -> bool:
        """Whether it holds numbers that training changes."""
        known = CATALOG.get(self.type)
        return known is not None and known.holds_weights

    @property
    def is_layer(self) -> bool:
        """Whether it is a layer of neurons: a value for each row of its weights."""
        known = CATALOG.get(self.type)
        return known is not None and known.is_layer

    @property
    def holds_data(self) -> bool:
        """Whether it reads rows of features and targets."""
        known = CATALOG.get(self.type)
        return known is not None and known.holds_data

    @property
    def drawn_as(self) -> str:
        """What it is drawn as, where that is no box: knot, slider."""
        known = CATALOG.get(self.type)
        return "" if known is None else known.drawn_as

    @property
    def family(self) -> str:
        """The family of its type, "" for a placeholder."""
        known = CATALOG.get(self.type)
        return "" if known is None else known.family

    @property
    def is_typed(self) -> bool:
        """Whether it gives numbers that a person types, such as a constant or a slider."""
        known = CATALOG.get(self.type)
        return known is not None and known.typed

    @property
    def passes(self) -> str:
        """The port whose value it passes on as it is, or ""."""
        known = CATALOG.get(self.type)
        return known.passes if known is not None else ""


if TYPE_CHECKING:

    @dataclass(frozen=True, order=True)
    class _Ends:
        source: str
        output: str
        target: str
        input: str
        index: int | None = None

else:
    # A tuple, since large graphs have very many wires: it is made, compared and sorted several
    # times as fast as a dataclass.
    _Ends = namedtuple("_Ends", "source output target input index", defaults=[None])  # noqa: PYI024


@read_only("graph.disconnect(…) and graph.connect(…) return a new graph")
@dataclass(frozen=True, init=False, eq=False, repr=False)
class Wire(_Ends):
    """A connection from an output port to an input port; `index` orders wires into a `…` port."""

    # Fields, so that `dataclasses.replace` makes others of it.
    __slots__ = ()
    source: str
    output: str
    target: str
    input: str
    index: int | None

    @classmethod
    def parse(cls, text: str) -> Wire:
        """Return the wire written "a.z -> sum.a[0]", or raise `GraphError`."""
        found = _WIRE.fullmatch(text)
        if found is None:
            raise GraphError(f"{text!r} is not a wire: write 'node.output -> node.input'")
        source, output, target, port, index = found.groups()
        if index is None:
            return cls(source, output, target, port)
        if len(index) > _DIGITS:
            raise GraphError("a port's number is too long")
        return cls(source, output, target, port, int(index))

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


@read_only("dataclasses.replace(graph, …), graph.add(…) and graph.set(…) return a new graph")
@dataclass(frozen=True, repr=False)
class Graph:
    """Nodes and wires, with what belongs to them in the file. Compared by content.

    It cannot be changed in place, nor can anything in it: whoever tries gets `ReadOnly`, a
    TypeError. What is read from it (`settings`, `inputs`, …) is shared and as inert.
    """

    nodes: Mapping[str, Node] = Nodes()
    wires: tuple[Wire, ...] = ()
    name: str = ""
    about: str = ""
    training: Training = Training()
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
        nodes = {key: Node(item.type.name, item.settings) for key, item in made.values()}
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
        for name in _ENDS.keys() & self.__dict__.keys():
            graph.__dict__[name] = self.__dict__[name]
        return graph

    def _rewired(self, wire: Wire, *, there: bool) -> Graph:
        """Return the graph with a wire more or less; what is known of the others stays known."""
        wires = (*self.wires, wire) if there else tuple([w for w in self.wires if w != wire])
        graph = replace(self, wires=wires)
        for name in _ENDS.keys() & self.__dict__.keys():
            end, order = _ENDS[name]
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
        """Return the graph with one node's id changed, its wires kept.

        It computes and trains as before: a parameter is still drawn by the id that it had first.
        """
        self._known(old)
        check_id(new)
        if new in self.nodes:
            raise GraphError(f"there is a node '{new}' already", node=new)
        wires = tuple(_rewired(wire, old, new) for wire in self.wires)
        return replace(
            self,
            nodes={
                new if key == old else key: _called(node, old, new) if key == old else node
                for key, node in self.nodes.items()
            },
            wires=wires,
            layout={new if key == old else key: at for key, at in self.layout.items()},
            extra=_renamed(self.extra, old, new),
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
        port = self.check_ends(wire)
        there = [w for w in self.into(wire.target) if w.input == wire.input]
        wires = self.wires
        if port is None or port.many:
            wires, wire = _inserted(wires, there, wire)
        elif there:
            raise port_taken(wire, there[0])
        elif wire.index is not None:
            raise GraphError(f"'{wire.end}' takes one wire, so it has no [{wire.index}]")
        graph = self if wires is self.wires else replace(self, wires=wires)
        graph = graph._rewired(wire, there=True)  # noqa: SLF001
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
                graph = self._rewired(wire, there=False)
                if wire.index is None:
                    return graph
                return replace(self, wires=renumbered(graph.wires))
        raise GraphError(f"there is no wire from {source} to {target}")

    # -- reading

    def _known(self, name: str) -> str:
        if name not in self.nodes:
            raise UnknownNode(f"there is no node '{name}'{nearest(name, self.nodes)}", node=name)
        return name

    @cached_property
    def incoming(self) -> MappingProxyType[str, tuple[Wire, ...]]:
        """The wires into each node that has any, by port and index."""
        return MappingProxyType(_bundled(self.wires, *_ENDS["incoming"]))

    @cached_property
    def _outgoing(self) -> Mapping[str, tuple[Wire, ...]]:
        return MappingProxyType(_bundled(self.wires, *_ENDS["_outgoing"]))

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
    def feedback(self) -> tuple[Wire, ...]:
        """The feedback wires."""
        fed = {key: type_.feedback for key, type_ in self.types.items() if type_.feedback}
        into = self.incoming
        return tuple(
            [w for key, ports in fed.items() for w in into.get(key, ()) if w.input in ports]
        )

    @cached_property
    def ranks_in_any_order(self) -> MappingProxyType[str, int]:
        """The ranks, in any topological order: those of an extended graph are known so."""
        return self.ranks

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

    def digraph(self) -> nx.DiGraph[str]:
        """Return nodes and wires as a networkx graph, without the feedback wires."""
        import networkx as nx

        found: nx.DiGraph[str] = nx.DiGraph()
        found.add_nodes_from(self.nodes)
        found.add_edges_from((w.source, w.target) for w in self.wires if not self.feeds_back(w))
        return found

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
        known = ((name, CATALOG.get(name)) for name in self._by_type)
        return self._united(name for name, type_ in known if type_ and type_.holds_weights)

    @property
    def searches(self) -> tuple[str, ...]:
        """The ids of all trainers that find parameters by a search of their own, sorted."""
        known = ((name, CATALOG.get(name)) for name in self._by_type)
        return self._united(name for name, type_ in known if type_ and type_.searches)

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

    def where(self, test: Callable[[NodeType], bool]) -> tuple[str, ...]:
        """Return the ids of all nodes whose types pass a test, sorted."""
        known = ((name, CATALOG.get(name)) for name in self._by_type)
        return self._united(name for name, type_ in known if type_ and test(type_))

    def of_family(self, *families: str) -> tuple[str, ...]:
        """Return the ids of all nodes of these families, sorted."""
        known = ((name, CATALOG.get(name)) for name in self._by_type)
        return self._united(name for name, type_ in known if type_ and type_.family in families)

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

    # -- checking

    def validate(self) -> None:
        """Raise the first `GraphError` of ids, settings, wires and loops.

        Placeholders (unknown types) are let through; missing inputs and shapes are the
        business of shape inference, since an unfinished graph is still a graph.
        """
        types, known = self.types, self._settings
        for key, node in self.nodes.items():
            check_id(key)
            if node.mode not in MODES:
                raise BadSetting(
                    f"node '{key}' cannot be '{node.mode}'{nearest(node.mode, MODES)}", node=key
                )
            if key in types and id(node) not in known:
                known[id(node)] = types[key].check(node.settings, key)
        single: dict[tuple[str, str], Wire] = {}
        joined: dict[tuple[str, str], list[Wire]] = {}
        for wire in self.wires:
            kind, onto = types.get(wire.source), types.get(wire.target)
            port = onto.input_named.get(wire.input) if onto is not None else None
            if port is None or kind is None or wire.output not in kind.output_names:
                port = self.check_ends(wire)
            end = wire.target, wire.input
            if port is None or port.many:
                if end in joined:
                    joined[end].append(wire)
                else:
                    joined[end] = [wire]
                continue
            if end in single:
                raise port_taken(wire, single[end])
            if wire.index is not None:
                raise number_too_many(wire)
            single[end] = wire
        for (target, name), wires in joined.items():
            if (fault := numbering_fault(target, name, wires)) is not None:
                raise fault
        self._refuse_loops()

    def _refuse_loops(self) -> None:
        if len(self.ranks) < len(self.nodes):
            import networkx as nx

            cycle = [source for source, _ in nx.find_cycle(self.digraph())]
            first = cycle.index(min(cycle))
            raise _loop("these wires", cycle[first:] + cycle[:first])

    def check_ends(self, wire: Wire) -> Port | None:
        """Return the port that a wire enters, None at a placeholder; raises `GraphError`.

        Only its ends are looked at: whether they are there, and not what else enters the port.
        """
        source, target = self._find(wire.source), self._find(wire.target)
        if source is None or target is None:
            for name, address in ((wire.source, wire.start), (wire.target, wire.end)):
                if name not in self.nodes:
                    hint = nearest(name, self.nodes)
                    raise UnknownNode(f"'{address}': there is no node '{name}'{hint}", node=name)
        if source is not None and wire.output not in source.output_names:
            source.output(wire.output, wire.source)
        if target is None:
            return None
        port = target.input_named.get(wire.input)
        if port is not None:
            return port
        if wire.input in target.defaults:
            raise UnknownPort(
                f"'{wire.end}' is a setting of the node, not a port: a wire cannot enter it",
                node=wire.target,
            )
        return target.input(wire.input, self.nodes[wire.target].settings, wire.target)

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


_FOUND = tuple(name for name, held in vars(Graph).items() if isinstance(held, cached_property))
"""What is found out of nodes and wires, and kept."""


def by_port(wire: Wire) -> tuple[str, int]:
    """Return what sorts the wires into a node: by port, then by number."""
    return wire.input, wire.index or 0


def _by_output(wire: Wire) -> tuple[str, str, str, int]:
    return wire.output, wire.target, wire.input, wire.index or 0


_ENDS: dict[str, tuple[Callable[[Wire], str], Callable[[Wire], Any]]] = {
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


def ranks(nodes: Iterable[str], onward: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return each node's longest way from a source, in topological order (Kahn's algorithm).

    `onward` has the nodes that a node leads to. Those of one rank stand in the order in which
    the rank before leads to them, sources in their own. A node on a loop, and what comes after
    it, is left out. Plain Python is linear here and starts without networkx, which takes longer
    to import than most graphs to plan; the order is that of `networkx.topological_generations`.
    """
    once = {
        key: list(dict.fromkeys(targets)) if len(targets) > 1 else targets
        for key, targets in onward.items()
    }
    waiting = dict.fromkeys(nodes, 0)
    for target in chain.from_iterable(once.values()):
        waiting[target] += 1
    found = {key: 0 for key, count in waiting.items() if not count}
    queue = list(found)
    for key in queue:
        next_rank = found[key] + 1
        for target in once.get(key, ()):
            left = waiting[target] - 1
            waiting[target] = left
            if not left:
                found[target] = next_rank
                queue.append(target)
    return found


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


def _rewired(wire: Wire, old: str, new: str) -> Wire:
    """Return a wire after a node was renamed."""
    source, target = (new if key == old else key for key in (wire.source, wire.target))
    return replace(wire, source=source, target=target)


def drawn_as(node: Node, key: str) -> str:
    """Return the id by which a parameter's random start is drawn: its own, or its first one."""
    return str(node.extra.get(DRAWN_AS, key))


def copy_of(node: Node) -> Node:
    """Return a node for another id, by which it is drawn."""
    return replace(node, extra={key: value for key, value in node.extra.items() if key != DRAWN_AS})


def _called(node: Node, old: str, new: str) -> Node:
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


def _renamed(extra: Mapping[str, Any], old: str, new: str) -> Mapping[str, Any]:
    """Return a graph's other keys after a node was renamed: what it was unfolded from names it."""
    records = extra.get(UNFOLDED)
    if not isinstance(records, Mapping):
        return extra
    found = {}
    for key, record in records.items():
        found[key] = record
        try:
            wires = tuple(str(_rewired(Wire.parse(text), old, new)) for text in record["wires"])
            made = tuple(new if name == old else name for name in record["made"])
        except (AttributeError, GraphError, KeyError, TypeError):  # told when it is folded
            continue
        found[key] = {**record, "wires": wires, "made": made}
    return {**extra, UNFOLDED: found}


def port_taken(wire: Wire, there: Wire) -> PortTaken:
    """Return what is wrong with a wire into a port that has one already."""
    if wire.start == there.start:
        return PortTaken(f"the wire '{wire}' is there twice; remove one", node=wire.target)
    return PortTaken(
        f"'{wire.end}' takes one wire and has one from {there.start}; "
        f"remove it before connecting {wire.start}",
        node=wire.target,
    )


def number_too_many(wire: Wire) -> GraphError:
    """Return what is wrong with a numbered wire into a port that takes one."""
    return GraphError(f"'{wire.end}' takes one wire, so it has no [{wire.index}]", node=wire.target)


def numbering_fault(target: str, port: str, wires: Collection[Wire]) -> GraphError | None:
    """Return what is wrong with the numbers of the wires into a `…` port, if anything is."""
    if len(wires) == 1 and next(iter(wires)).index in (None, 0):
        return None
    indices = sorted(-1 if wire.index is None else wire.index for wire in wires)
    if indices == list(range(len(wires))):
        return None
    how = f"[0] to [{len(wires) - 1}]" if len(wires) > 1 else "[0], or not at all"
    what = f"{len(wires)} wires" if len(wires) > 1 else "wire"
    return GraphError(f"the {what} into '{target}.{port}' must be numbered {how}", node=target)


def closing(graph: Graph) -> dict[Wire, Loop]:
    """Return wires without which a graph has no loop, each with the loop that it closes.

    Going along the wires that are not feedback, depth first, they are those that lead back.
    """
    found: dict[Wire, Loop] = {}
    done = set(graph.ranks)
    for start in graph.nodes:
        if start in done:
            continue
        way = {start: iter(graph.out_of(start))}
        while way:
            key, wires = next(reversed(way.items()))
            for wire in wires:
                if graph.feeds_back(wire):
                    continue
                if wire.target in way:
                    nodes = list(way)
                    found[wire] = _loop("these wires", nodes[nodes.index(wire.target) :])
                elif wire.target not in done:
                    way[wire.target] = iter(graph.out_of(wire.target))
                    break
            else:
                del way[key]
                done.add(key)
    return found


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

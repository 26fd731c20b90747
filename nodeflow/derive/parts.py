"""What a layer, or a neuron, is taken apart into: the names of its parts, and who goes along.

An exploded graph keeps a record of each layer that was taken apart; `collapse` needs it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nodeflow.declare import CATALOG, NodeType, numbers
from nodeflow.derive.draft import Draft
from nodeflow.errors import GraphError, UnknownNode, nearest
from nodeflow.graph import MOVED, Graph, Node, Wire
from nodeflow.nodes.backward import (
    accumulate,
    average,
    bias_gradient,
    blame,
    weight_gradient,
)
from nodeflow.nodes.cost import l2_penalty
from nodeflow.nodes.layer import weighted_sum
from nodeflow.nodes.source import parameter_shape
from nodeflow.nodes.update import step

RECORD = "exploded"
"""The graph file's key under which an exploded graph keeps what `collapse` needs."""

_TAKES_INPUTS = (weight_gradient, step)
"""What is wired by hand and takes δ and what came in."""
_GRADIENTS = (weight_gradient, bias_gradient)
_ON_THE_WAY = {average: "total", accumulate: "gradient"}
"""Between a gradient and its update, and the input that leads on."""
Seen = Graph | Draft
"""What is read: a graph, or one that is just being taken apart."""


@dataclass(frozen=True)
class Layer:
    """A weighted sum with what belongs to it, and the names of its parts."""

    key: str
    weights: str
    bias: str | None
    activations: tuple[str, ...]
    rows: int
    columns: int
    nodes: Mapping[str, Any] = field(default_factory=dict)
    """The nodes that vanish, as they stand in a file, without the parameters' values."""
    numbered: tuple[str, ...] = ()
    """Ports whose only wire has a number."""
    tall: bool = False
    """Whether the bias is a matrix of one row."""
    chain: tuple[str, ...] = ()
    """Nodes wired by hand that update the parameters, or pass blame back along the weights."""
    deltas: tuple[str, ...] = ()
    """The nodes whose δ they take."""
    memories: tuple[str, ...] = ()
    """Parameters like the weights that their updates keep between them, such as a velocity."""
    bias_memories: tuple[str, ...] = ()

    @property
    def neuronal(self) -> bool:
        """Whether the parts are neurons; those of a single neuron are operations."""
        return self.rows > 1

    @property
    def neurons(self) -> tuple[str, ...]:
        """The weighted sums of the neurons."""
        return tuple(parts_of(self.key, self.rows)) if self.neuronal else ()

    @property
    def split(self) -> tuple[str, ...]:
        """The parameters that are cut up."""
        if not self.neuronal:
            return self.matrices
        return (*self.matrices, *((self.bias, *self.bias_memories) if self.bias else ()))

    @property
    def matrices(self) -> tuple[str, ...]:
        """The parameters that are cut up as the weights are."""
        return (self.weights, *self.memories)

    @property
    def gone(self) -> tuple[str, ...]:
        """The nodes that stand only in the whole."""
        own = (self.key, *self.activations) if self.neuronal else (self.key,)
        return (*own, *self.split, *self.chain)

    @property
    def joins(self) -> Mapping[str, str]:
        """The node that joins an output's neurons, by the output's address."""
        if not self.neuronal:
            return {}
        first, *others = [*(f"{key}.a" for key in self.activations), f"{self.key}.z"]
        names = {first: f"{self.key}.joined"}
        for address in others:
            key, _, port = address.rpartition(".")
            names[address] = f"{key}.joined_{port}"
        return names

    def pieces(self, parameter: str) -> list[str]:
        """Return the ids of a parameter's parts, in order."""
        return parts_of(parameter, self.rows if self.neuronal else self.columns)

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """Addresses of the parts of each output and parameter, by the whole's address."""
        found = {f"{name}.value": ports_of(self.pieces(name), "value") for name in self.split}
        for key in self.blames:
            found[f"{key}.blame"] = (f"{key}.value",)
        if not self.neuronal:
            return {**found, f"{self.key}.z": (f"{self.key}.value",)}
        for key in self.activations:
            found[f"{key}.a"] = ports_of(parts_of(key, self.rows), "a")
        return {**found, f"{self.key}.z": ports_of(self.neurons, "z")}

    @property
    def blames(self) -> tuple[str, ...]:
        """The nodes that pass blame back along the weights: their parts are added up again."""
        return tuple(key for key in self.chain if self._kind(key) is blame)

    @property
    def fed(self) -> tuple[str, ...]:
        """The nodes wired by hand that take δ and what came in: gradients, and steps."""
        return tuple(key for key in self.chain if self._kind(key) in _TAKES_INPUTS)

    def _kind(self, key: str) -> NodeType | None:
        return CATALOG.get(self.nodes[key]["type"])

    def made(self, graph: Seen) -> list[str]:
        """Return which nodes of an exploded graph are this one's parts."""
        names = [name for parameter in self.split for name in self.pieces(parameter)]
        if self.neuronal:
            names += [name for key in (self.key, *self.activations) for name in self._of(key)]
            names += [name for name in self.joins.values() if name in graph.nodes]
            names += [name for key in (*self.chain, *self.deltas) for name in self._of(key)]
            names += self.blames
        else:
            names += [self.key, *parts_of(self.key, self.columns)]
            picks = parts_of(f"{self.key}.x", self.columns, "")
            names += [name for name in picks if name in graph.nodes]
            names += [name for key in self.chain for name in parts_of(key, self.columns)]
            names += [name for key in self.fed for name in parts_of(products(key), self.columns)]
            names += self.blames
        return names

    def as_record(self) -> dict[str, Any]:
        """Return what a graph file keeps of it."""
        return {
            "weights": self.weights,
            "bias": self.bias,
            "activations": self.activations,
            "rows": self.rows,
            "columns": self.columns,
            "nodes": self.nodes,
            **({"numbered": self.numbered} if self.numbered else {}),
            **({"tall": True} if self.tall else {}),
            **({"chain": self.chain, "deltas": self.deltas} if self.chain else {}),
            **({"memories": self.memories} if self.memories else {}),
            **({"bias_memories": self.bias_memories} if self.bias_memories else {}),
        }

    def _of(self, key: str) -> list[str]:
        return parts_of(key, self.rows)


def parts_of(key: str, count: int, dot: str = ".") -> list[str]:
    """Return the ids of a node's parts, in order."""
    return [f"{key}{dot}{number}" for number in range(1, count + 1)]


def ports_of(keys: Iterable[str], port: str) -> tuple[str, ...]:
    """Return the addresses of one port of many nodes."""
    return tuple(f"{key}.{port}" for key in keys)


def products(key: str) -> str:
    """Return what the products δ·x of a gradient wired by hand are called, without numbers."""
    return f"{key}.product"


def ends_of(address: str) -> tuple[str, str]:
    """Return node and port of an address."""
    node, _, port = address.rpartition(".")
    return node, port


def numbered(starts: Sequence[str], target: str, port: str, single: int | None) -> Iterable[Wire]:
    """Yield the wires from outputs into a `…` port, in order."""
    for index, start in enumerate(starts):
        yield Wire(*ends_of(start), target, port, index if len(starts) > 1 else single)


def joins_features(graph: Seen, target: str, port: str) -> bool:
    """Return whether a port takes the parts' wires side by side as it took the whole's."""
    type_ = graph.nodes[target].kind
    return port in (type_.joined, type_.joins) or (type_ is l2_penalty and port == "weights")


def _goes_along(graph: Seen, key: str) -> bool:
    """Return whether a node is an activation that can be taken apart with its layer.

    Softmax needs all weighted sums: it stays whole.
    """
    type_ = graph.nodes[key].kind
    return type_.family == "activation" and type_.is_elementwise


def layer_of(
    graph: Seen, records: Mapping[str, Layer], key: str, along: Iterable[str] | None = None
) -> Layer:
    """Return what `key` is taken apart into, or raise `GraphError` with the reason.

    `along` names the activations that go with it, where that is known.
    """

    def refuse(why: str) -> GraphError:
        return GraphError(f"'{key}' cannot be exploded: {why}", node=key)

    if key in records:
        parts = records[key].neurons
        shown = f"its neurons are {parts[0]} to {parts[-1]}" if parts else "it is single operations"
        raise GraphError(f"'{key}' is exploded already: {shown}", node=key)
    if key not in graph.nodes:
        raise UnknownNode(f"there is no node '{key}'{nearest(key, graph.nodes)}", node=key)
    node = graph.nodes[key]
    if node.kind is not weighted_sum:
        sums = [name for name, node in graph.nodes.items() if node.kind is weighted_sum]
        hint = nearest(key, sums)
        raise refuse(f"it is not a {weighted_sum.name} but a node of type {node.type}{hint}")
    if node.mode in ("bypass", "disable"):
        raise refuse(f"its mode is {node.mode}; make it active first")
    inputs = graph.inputs(key)
    for port in ("a", "weights"):
        if port not in inputs:
            raise refuse(f"nothing is wired into its input '{port}'")
    weights = inputs["weights"][0].source
    wired = {wires[0].source: port for port, wires in inputs.items() if port != "a"}
    chain = _chain(graph, key, wired)
    shape = _shape_of(graph, key, weights, "weights", chain)
    if len(shape) != 2:
        raise refuse(f"'{weights}' (its weights) must have rows and columns, such as [5, 7]")
    rows, columns = shape
    bias, tall = inputs["bias"][0].source if "bias" in inputs else None, False
    if bias is not None and (rows > 1 or graph.nodes[bias].is_parameter):
        size = _shape_of(graph, key, bias, "bias", chain)
        tall = len(size) == 2
        if size[-1] != rows or (len(size) == 2 and size[0] != 1):
            raise refuse(f"'{bias}' (its bias) must hold {rows} numbers, one a neuron")
    if along is None:
        along = {w.target for w in graph.out_of(key) if _goes_along(graph, w.target)}
    if chain and tall and rows > 1:
        raise refuse(
            f"its bias is one row [1, {rows}] and is updated by nodes wired by hand "
            f"({chain[-1]}); give it the shape [{rows}]"
        )
    if rows == 1:
        # The bias of a single neuron stays as it is, with what updates it.
        chain = _chain(graph, key, [weights])
        _refuse_other_inputs(graph, key, chain)
    deltas = {w.source for name in chain for w in graph.into(name) if w.input == "delta"}
    kept = {name: _memories(graph, key, name, chain) for name in (weights, bias) if name}
    layer = Layer(
        key, weights, bias, tuple(sorted(along)), rows, columns, tall=tall, chain=chain,
        deltas=tuple(sorted(deltas)), memories=kept[weights],
        bias_memories=kept[bias] if bias and rows > 1 else (),
    )  # fmt: skip
    seen = [w for name in layer.gone for w in (*graph.out_of(name), *graph.into(name))]
    return replace(
        layer,
        nodes={
            name: _plain_node(graph.nodes[name], is_cut=name in layer.split) for name in layer.gone
        },
        numbered=tuple(
            sorted({w.end for w in seen if w.index == 0 and len(_siblings(graph, w)) == 1})
        ),
    )


def _refuse_other_inputs(graph: Seen, key: str, chain: Iterable[str]) -> None:
    """Refuse a neuron whose gradient takes other inputs than it has itself."""
    own = [wire.start for wire in graph.inputs(key)["a"]]
    for name in chain:
        fed = graph.inputs(name)
        kind = graph.nodes[name].kind
        if kind in _TAKES_INPUTS and [wire.start for wire in fed.get("a", ())] != own:
            raise GraphError(
                f"'{key}' cannot be exploded: its gradient '{name}' takes other inputs than it; "
                f"wire into {name}.a what is wired into {key}.a",
                node=key,
            )
        if kind in (*_TAKES_INPUTS, blame) and "delta" not in fed:
            raise GraphError(
                f"'{key}' cannot be exploded: nothing is wired into the input 'delta' of '{name}'",
                node=key,
            )


def _siblings(graph: Seen, wire: Wire) -> Sequence[Wire]:
    return graph.inputs(wire.target)[wire.input]


def _chain(graph: Seen, key: str, parameters: Iterable[str]) -> tuple[str, ...]:
    """Return the nodes wired by hand that belong to a layer's parameters, sorted.

    Those are `blame` along the weights, updates, and what lies between them and their gradient.
    Raises `GraphError` where somebody else looks at what is to be taken apart.
    """
    found: set[str] = set()
    for name in parameters:
        for wire in graph.out_of(name):
            kind = graph.nodes[wire.target].kind
            if kind is blame and wire.input == "weights":
                found.add(wire.target)
            elif kind.family == "update" and wire.input == MOVED:
                found |= _update_chain(graph, wire.target)[0]
    kept = {name for update in found for name in _update_chain(graph, update)[1]}
    for name in sorted(found):
        for wire in graph.out_of(name) if graph.nodes[name].kind is not blame else ():
            if wire.target not in found and wire.target not in (*parameters, *kept):
                raise GraphError(
                    f"'{key}' cannot be exploded: '{wire.target}' reads '{name}', which holds what "
                    "belongs to the whole layer; take that wire away first",
                    node=key,
                )
    return tuple(sorted(found))


def _update_chain(graph: Seen, update: str) -> tuple[set[str], set[str]]:
    """Return an update and what leads from the gradient to it, and the memories on the way.

    Those are parameters that are not trained and are updated there, such as a velocity. It is the
    update alone where something else lies on the way.
    """
    found, kept = {update}, set[str]()
    queue = [update]
    for key in queue:  # grows on the way
        node = graph.nodes[key]
        for wire in graph.into(key) if node.kind not in _GRADIENTS else ():
            before = graph.nodes[wire.source]
            is_step = node.kind.family == "update" and not node.kind.descends
            if is_step or wire.input == "rate" or wire.source in found:
                continue
            if before.is_parameter:
                if not graph.settings(wire.source)["trainable"] and graph.into(wire.source):
                    kept.add(wire.source)
            elif _is_number(graph, wire.source):
                continue
            elif _is_on_the_way(before.kind):
                found.add(wire.source)
                queue.append(wire.source)
            else:
                return {update}, set()
    return found, kept


def _is_on_the_way(kind: NodeType) -> bool:
    """Return whether such a node may lie between a gradient and an update."""
    works = kind.family == "arithmetic" and kind.is_elementwise
    return works or kind.descends or kind in (*_ON_THE_WAY, *_GRADIENTS)


def _is_number(graph: Seen, key: str) -> bool:
    """Return whether a node is a single number that somebody typed, or is computed from such."""
    node = graph.nodes[key]
    if node.is_typed:
        return numbers(graph.settings(key)["value"]).size == 1
    wires = graph.into(key) if node.kind.family == "arithmetic" else ()
    return bool(wires) and all(_is_number(graph, wire.source) for wire in wires)


def _memories(graph: Seen, key: str, name: str, chain: Collection[str]) -> tuple[str, ...]:
    """Return the memories of a parameter's updates, each like it; raises `GraphError`."""
    if not graph.nodes[name].is_parameter:
        return ()
    found = {
        kept
        for wire in graph.out_of(name)
        if wire.target in chain and wire.input == MOVED
        for kept in _update_chain(graph, wire.target)[1]
    }
    shape = parameter_shape(graph.settings(name))
    for kept in sorted(found):
        if _shape_of(graph, key, kept, f"memory of '{name}'", tuple(chain)) != shape:
            raise GraphError(
                f"'{key}' cannot be exploded: '{kept}' must have the shape {list(shape)} of "
                f"'{name}', whose updates it takes part in",
                node=kept,
            )
    return tuple(sorted(found))


def _shape_of(graph: Seen, key: str, name: str, port: str, chain: Sequence[str]) -> tuple[int, ...]:
    """Return the shape of a parameter that only `key` uses, or raise `GraphError`."""

    def refuse(why: str) -> GraphError:
        return GraphError(f"'{key}' cannot be exploded: '{name}' (its {port}) {why}", node=key)

    node = graph.nodes[name]
    if not node.is_parameter:
        raise refuse(f"must be a parameter, not {node.type}")
    others = [
        w
        for w in graph.out_of(name)
        if graph.nodes[w.target].kind is not l2_penalty
        and (w.target, w.input) != (key, port)
        and w.target not in chain
        and not shows_many(graph, w.target, w.input)
    ]
    for wire in others:
        if graph.nodes[wire.target].family == "view":
            raise refuse(f"is shown whole by '{wire.target}'; take that wire away first")
        raise refuse(f"is shared: it goes to {wire.end} too")
    for wire in graph.into(name):
        update = wire.source
        if update not in chain:
            raise refuse(f"takes its next value from '{update}', which is no update of its own")
        kinds = {graph.nodes[part].kind for part in _update_chain(graph, update)[0]}
        if kinds.isdisjoint((*_GRADIENTS, step)):
            raise refuse(
                f"is updated by '{update}' with a gradient that is no weight_gradient or "
                "bias_gradient of its own"
            )
    settings = graph.settings(name)
    if settings["value"] is None and settings["shape"] is None:
        raise refuse("has no shape yet; give it a value, or a shape and an init")
    return parameter_shape(settings)


def shows_many(graph: Seen, target: str, port: str) -> bool:
    """Return whether a node is a view that shows several values, each for itself."""
    type_ = graph.nodes[target].known
    if type_ is None or type_.family != "view":
        return False
    return any(one.many for one in type_.inputs if one.name == port)


def _plain_node(node: Node, *, is_cut: bool) -> dict[str, Any]:
    settings = {k: v for k, v in node.settings.items() if not is_cut or k != "value"}
    mode = {} if node.mode == "active" else {"mode": node.mode}
    return {**node.extra, "type": node.type, "settings": settings, **mode}


def records_of(graph: Graph) -> dict[str, Layer]:
    """Return what is exploded in a graph, by the id of its weighted sum."""
    try:
        return {
            key: _read(graph, key, record) for key, record in graph.extra.get(RECORD, {}).items()
        }
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise GraphError(f"what the graph keeps under '{RECORD}' cannot be read") from error


def _read(graph: Graph, key: str, record: Mapping[str, Any]) -> Layer:
    layer = Layer(
        key,
        str(record["weights"]),
        None if record["bias"] is None else str(record["bias"]),
        tuple(map(str, record["activations"])),
        int(record["rows"]),
        int(record["columns"]),
        nodes={
            name: {**node, "type": str(node["type"]), "settings": dict(node["settings"])}
            for name, node in record["nodes"].items()
        },
        numbered=tuple(map(str, record.get("numbered", ()))),
        tall=bool(record.get("tall", False)),
        chain=tuple(map(str, record.get("chain", ()))),
        deltas=tuple(map(str, record.get("deltas", ()))),
        memories=tuple(map(str, record.get("memories", ()))),
        bias_memories=tuple(map(str, record.get("bias_memories", ()))),
    )
    parts = layer.rows if layer.neuronal else layer.columns
    if min(layer.rows, layer.columns) < 1 or parts > len(graph.nodes):
        raise ValueError
    if any(name not in layer.nodes for name in layer.gone):
        raise ValueError
    return layer

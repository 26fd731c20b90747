"""Neurons that were wired one by one, as the layer that they are: with what updates them.

Neurons of a layer take the same inputs, and each has the same nodes around it: weights, activation,
delta, updates. Those nodes are matched from the sums on, along the wires, and each row of them
becomes one node. Where the parts met, in a `concatenate` or an `add`, nothing is left to join.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nodeflow.declare import Array, inert, numbers
from nodeflow.derive.parts import joins_features, numbered
from nodeflow.derive.shapes import infer
from nodeflow.derive.steps import free_name
from nodeflow.errors import GraphError
from nodeflow.graph import DRAWN_AS, PART, ROWS, Graph, Node, Wire, drawn_as, in_order
from nodeflow.nodes.arithmetic import add, concatenate, pick
from nodeflow.nodes.backward import (
    accumulate,
    average,
    bias_gradient,
    blame,
    delta,
    weight_gradient,
)
from nodeflow.nodes.cost import cross_entropy, error, squared_error
from nodeflow.nodes.layer import weighted_sum
from nodeflow.nodes.source import constant, parameter, parameter_shape
from nodeflow.nodes.update import step, weight_update
from nodeflow.shape import Shape

_BESIDE = (
    weighted_sum, delta, weight_gradient, bias_gradient, blame, accumulate, average, weight_update,
    step, parameter, pick, error, squared_error, cross_entropy, constant,
)  # fmt: skip
"""Types of which a row of nodes becomes one node; activations, views, and what works number by
number besides."""
_ADDED_UP = (blame, squared_error, cross_entropy)
"""Types whose whole is the sum of its parts."""


def gather(graph: Graph, neuron: str) -> Graph:
    """Return the graph with a neuron and those beside it as one layer.

    Raises `GraphError` where they are no layer, with what differs.
    """
    sums = _peers(graph, neuron)
    if len(sums) < 2:
        raise GraphError(
            f"'{neuron}' is not exploded, and no neuron beside it takes the same inputs: there is "
            "nothing to collapse",
            node=neuron,
        )
    return _Layer(graph, _ordered(graph, sums)).whole()


def gather_all(graph: Graph) -> Graph | None:
    """Return the graph with all layers of single neurons gathered; None if there are none."""
    signatures = {key: _signature(graph, key) for key in graph.of_type(weighted_sum.name)}
    alike = Counter(signatures.values())
    found = None
    for key, signature in signatures.items():
        there = found or graph  # one that is alone is not compared with all others
        if alike[signature] > 1 and key in there.nodes and len(_peers(there, key)) > 1:
            found = gather(there, key)
    return found


def _peers(graph: Graph, neuron: str) -> list[str]:
    """Return the single neurons that take what this one takes, and lead to the same types."""
    wanted = _signature(graph, neuron)
    if wanted is None:
        return []
    return [key for key in graph.of_type(weighted_sum.name) if _signature(graph, key) == wanted]


def _signature(graph: Graph, key: str) -> Hashable | None:
    """Return what neurons of one layer have in common; None for what is no single neuron."""
    inputs = graph.inputs(key)
    if not {"a", "weights"} <= inputs.keys():
        return None
    weights = inputs["weights"][0].source
    if not graph.nodes[weights].is_parameter:
        return None
    settings = graph.settings(weights)
    if settings["value"] is None and settings["shape"] is None:
        return None
    if len(shape := parameter_shape(settings)) != 2 or shape[0] != 1:
        return None
    readers = tuple(sorted({(graph.nodes[w.target].type, w.input) for w in graph.out_of(key)}))
    starts = tuple(wire.start for wire in inputs["a"])
    return starts, readers, "bias" in inputs, graph.nodes[key].mode


def _ordered(graph: Graph, sums: Sequence[str]) -> list[str]:
    """Return the neurons in the order in which someone reads them, or by name."""
    natural = sorted(sums, key=_natural)
    followed = {key: key for key in natural}
    for _ in range(3):  # the sum, its activation, what picks of it
        meeting: defaultdict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        onward: dict[str, str] = {}
        for node, key in followed.items():
            for wire in graph.out_of(node):
                meeting[wire.target, wire.input].append((wire.index or 0, key))
                if len(graph.into(wire.target)) == 1:
                    onward[wire.target] = key
        for found in meeting.values():
            if len(found) == len(sums) and len({key for _, key in found}) == len(sums):
                return [key for _, key in sorted(found)]
        followed = onward
    return natural


def _natural(key: str) -> list[Any]:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part)
            for part in re.split(r"(\d+)", key) if part]  # fmt: skip


def _named(keys: Sequence[str]) -> str:
    """Return what a row of nodes is called as one: h, h_2, h_3 → h; hidden.1, hidden.2 → hidden."""
    stems = {re.sub(r"[._-]?\d+$", "", key) for key in keys}
    stem = stems.pop() if len(stems) == 1 else ""
    return stem or keys[0]


@dataclass
class _Layer:
    """Rows of nodes that belong together: one of each neuron."""

    graph: Graph
    sums: Sequence[str]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    place: dict[str, tuple[int, int]] = field(default_factory=dict)
    """In which row a node is, and which neuron's it is."""

    def refuse(self, why: str, node: str) -> GraphError:
        """Return the error that says why these are no layer."""
        return GraphError(
            f"'{self.sums[0]}' to '{self.sums[-1]}' cannot be collapsed into a layer: {why}",
            node=node,
        )

    def whole(self) -> Graph:
        """Return the graph with each row as one node."""
        self._add(self.sums)
        for row in self.rows:  # grows on the way
            self._follow_inputs(row)
            self._follow_outputs(row)
        return _Gathered(self).graph()

    def _add(self, row: Sequence[str]) -> None:
        keys = tuple(row)
        known = {self.place[key] for key in keys if key in self.place}
        if known:
            if [self.place.get(key) for key in keys] != [
                (next(iter(known))[0], number) for number in range(len(keys))
            ]:
                raise self.refuse(f"'{keys[0]}' and '{keys[1]}' are wired across", keys[0])
            return
        kinds = [self.graph.nodes[key] for key in keys]
        alike = kinds[0].type, kinds[0].mode
        differ = [node for node in kinds if (node.type, node.mode) != alike]
        other = keys[kinds.index(differ[0])] if differ else None
        if other is not None:
            raise self.refuse(
                f"'{keys[0]}' is {_said(kinds[0])} and '{other}' is "
                f"{_said(self.graph.nodes[other])}",
                other,
            )
        type_ = kinds[0].known
        known_kind = type_ is not None and (
            type_ in _BESIDE
            or type_.family == "view"
            or (type_.family in ("activation", "arithmetic") and type_.is_elementwise)
        )
        if not known_kind:
            raise self.refuse(
                f"'{keys[0]}' of type {kinds[0].type} belongs to one neuron alone", keys[0]
            )
        for number, key in enumerate(keys):
            self.place[key] = len(self.rows), number
        self.rows.append(keys)

    def _extra(self, readers: Sequence[str], others: Sequence[str]) -> str | None:
        """Return the reader that others have none of, by its type."""
        left = Counter(self.graph.nodes[key].type for key in others)
        for key in readers:
            kind = self.graph.nodes[key].type
            if not left[kind]:
                return key
            left[kind] -= 1
        return None

    def _follow_inputs(self, row: Sequence[str]) -> None:
        graph = self.graph
        inputs = [graph.inputs(key) for key in row]
        shapes = [{port: len(wires) for port, wires in there.items()} for there in inputs]
        for key, shape in zip(row, shapes, strict=True):
            if shape != shapes[0]:
                raise self.refuse(f"'{key}' has other wires than '{row[0]}'", key)
        for port, count in shapes[0].items():
            for index in range(count):
                wires = [there[port][index] for there in inputs]
                if len({wire.output for wire in wires}) > 1:
                    raise self.refuse(f"'{row[0]}' and '{row[1]}' take other outputs", row[1])
                sources = [wire.source for wire in wires]
                if len(set(sources)) == len(sources):
                    self._add(sources)
                elif len(set(sources)) > 1:
                    raise self.refuse(
                        f"some of '{row[0]}' to '{row[-1]}' share what others have for themselves "
                        f"in the input '{port}'",
                        row[0],
                    )

    def _follow_outputs(self, row: Sequence[str]) -> None:
        graph = self.graph
        if graph.nodes[row[0]].kind is constant:
            return
        ends = [Counter((w.target, w.input) for w in graph.out_of(key)) for key in row]
        common = set(ends[0]).intersection(*ends[1:])
        own: list[list[str]] = []
        unknown = (len(self.rows), 0)
        for key in row:
            found = {w.target for w in graph.out_of(key) if (w.target, w.input) not in common}
            # Those that were matched from elsewhere first: two steps of one δ are told apart so.
            own.append(sorted(found, key=lambda k: (self.place.get(k, unknown)[0],
                                                    graph.nodes[k].type, _natural(k))))  # fmt: skip
        for key, readers in zip(row, own, strict=True):
            extra = self._extra(readers, own[0]) or self._extra(own[0], readers)
            if extra is not None:
                raise self.refuse(
                    f"'{extra}' is there for one neuron and not for the others; take it away first",
                    key,
                )
        for position in range(len(own[0])):
            self._add([readers[position] for readers in own])


def _said(node: Node) -> str:
    return node.type if node.mode == "active" else f"{node.type} ({node.mode})"


class _Gathered:
    """The graph with one node for each row."""

    def __init__(self, layer: _Layer) -> None:
        self.layer, self.before = layer, layer.graph
        self.shapes = infer(self.before).shapes
        self.nodes = {key: node for key, node in self.before.nodes.items()
                      if key not in layer.place}  # fmt: skip
        self.names: dict[int, str] = {}
        self.starts: dict[int, str] = {}
        """Where a row's value is instead of at a node of its own."""
        self.removed: dict[str, str] = {}
        """Nodes that joined the parts, and where the whole is now."""

    def graph(self) -> Graph:
        layer, before = self.layer, self.before
        for number, row in enumerate(layer.rows):
            if not self._is_picked(number, row):
                name = free_name(self.nodes, _named(row))
                self.names[number] = name
                self.nodes[name] = self._merged(row)
        wires = [wire for number, row in enumerate(layer.rows) if number in self.names
                 for wire in self._into(number, row)]  # fmt: skip
        wires += self._onward()
        self.nodes = {k: node for k, node in self.nodes.items() if k not in self.removed}
        wires = [replace(w, source=end[0], output=end[1])
                 if (end := self._found(w)) else w
                 for w in wires if w.target not in self.removed]  # fmt: skip
        layout = {key: at for key, at in before.layout.items() if key in self.nodes}
        for number, name in self.names.items():
            stood = [before.layout[key] for key in layer.rows[number] if key in before.layout]
            if stood:
                layout[name] = stood[0]
        after = replace(
            before,
            nodes=dict(sorted(self.nodes.items())),
            wires=in_order(set(wires)),
            layout=layout,
        )
        after.validate()
        was, found = infer(before).problems, infer(after)
        for key, problem in found.problems.items():
            if not was:
                raise layer.refuse(f"as one, {problem}", key)
        self._must_fit(found.shapes)
        return after

    def _found(self, wire: Wire) -> tuple[str, str] | None:
        start = self.removed.get(wire.source)
        return None if start is None else (start.rpartition(".")[0], start.rpartition(".")[2])

    def _is_picked(self, number: int, row: Sequence[str]) -> bool:
        """Note where a row's value is, if its nodes pick each its own of the features there are."""
        graph = self.before
        if graph.nodes[row[0]].kind is not pick:
            return False
        (start,) = {wire.start for wire in graph.into(row[0])}
        shape = self.shapes.get(start)
        indices = [graph.settings(key)["index"] for key in row]
        if start.rpartition(".")[0] in self.layer.place:
            raise self.layer.refuse(f"'{row[0]}' picks of a single neuron", row[0])
        if shape is None or indices != list(range(len(row))) or shape.features != len(row):
            return False
        self.starts[number] = start
        return True

    def _merged(self, row: Sequence[str]) -> Node:
        graph = self.before
        first = graph.nodes[row[0]]
        settings = [graph.settings(key) for key in row]
        if first.is_parameter:
            return _stacked(self.layer, row)
        if first.kind is pick:
            return replace(first, settings={"index": tuple(one["index"] for one in settings)})
        for key, one in zip(row, settings, strict=True):
            if one != settings[0]:
                name = next(name for name in one if one[name] != settings[0][name])
                raise self.layer.refuse(f"'{key}' has another {name} than '{row[0]}'", key)
        return first

    def _must_fit(self, shapes: Mapping[str, Shape]) -> None:
        """Refuse what works number by number and is something else side by side.

        What every neuron has for itself stands in a row, or in a feature, of its own afterwards:
        as many numbers as they had together.
        """
        for number, name in self.names.items():
            row, type_ = self.layer.rows[number], self.nodes[name].kind
            if type_.family != "arithmetic" or not type_.outputs:
                continue
            port = type_.outputs[0].name
            own, whole = self.shapes.get(f"{row[0]}.{port}"), shapes.get(f"{name}.{port}")
            if own is None or whole is None or None in (*own.dims, *whole.dims):
                continue
            if _size(whole) != len(row) * _size(own):
                raise self.layer.refuse(
                    f"'{row[0]}' makes {own} for each of them, and of all side by side it would "
                    f"make {whole}",
                    row[0],
                )

    def _start(self, source: str, output: str) -> str:
        """Return where a value is now: that of a row's first node stands for all."""
        there = self.layer.place.get(source)
        if there is None:
            return f"{source}.{output}"
        return self.starts.get(there[0]) or f"{self.names[there[0]]}.{output}"

    def _into(self, number: int, row: Sequence[str]) -> Iterable[Wire]:
        for wire in self.before.into(row[0]):
            start = self._start(wire.source, wire.output)
            node, _, port = start.rpartition(".")
            yield replace(wire, source=node, output=port, target=self.names[number])

    def _onward(self) -> Iterable[Wire]:
        """Yield the wires into the nodes that stay; where all parts met comes one wire."""
        graph, place, count = self.before, self.layer.place, len(self.layer.sums)
        for target in list(self.nodes):
            if target not in graph.nodes or target in place:
                continue
            for port, wires in graph.inputs(target).items():
                if not any(wire.source in place for wire in wires):
                    yield from wires
                    continue
                starts: list[str] = []
                position = 0
                while position < len(wires):
                    wire = wires[position]
                    if wire.source not in place:
                        starts.append(wire.start)
                        position += 1
                        continue
                    row = place[wire.source][0]
                    own = [place.get(w.source) for w in wires[position : position + count]]
                    if own != [(row, neuron) for neuron in range(count)]:
                        raise self.layer.refuse(
                            f"'{target}' does not read all of them in order", target
                        )
                    self._must_join(target, port, wire.source, first=position == 0)
                    starts.append(self._start(wire.source, wire.output))
                    position += count
                kind = graph.nodes[target].kind
                if len(starts) == 1 and kind in (concatenate, add):
                    self.removed[target] = starts[0]
                yield from numbered(starts, target, port, None)

    def _must_join(self, target: str, port: str, source: str, *, first: bool) -> None:
        graph = self.before
        if joins_features(graph, target, port):
            return
        kind = graph.nodes[source].kind
        if graph.nodes[target].kind is add and first and kind in _ADDED_UP:
            return
        raise self.layer.refuse(
            f"'{target}' takes each of '{source}' and those beside it for itself", target
        )


def _size(shape: Shape) -> int:
    return math.prod(size or 1 for size in shape.dims)


def _stacked(layer: _Layer, row: Sequence[str]) -> Node:
    """Return the parameter whose rows these are: typed numbers, or starts as they were drawn."""
    graph = layer.graph
    first, settings = graph.nodes[row[0]], [graph.settings(key) for key in row]
    for key, one in zip(row, settings, strict=True):
        names = [n for n in one if n not in ("value", "shape") and one[n] != settings[0][n]]
        if names:
            raise layer.refuse(f"'{key}' has another {names[0]} than '{row[0]}'", key)
        if (one["value"] is None) != (settings[0]["value"] is None):
            raise layer.refuse(
                f"of '{row[0]}' and '{key}' one has a value and the other has none", key
            )
        if parameter_shape(one) != parameter_shape(settings[0]):
            raise layer.refuse(f"'{key}' has another shape than '{row[0]}'", key)
    shape = parameter_shape(settings[0])
    whole = (len(row), *shape[1:])
    extra = {key: value for key, value in first.extra.items() if key not in (PART, ROWS, DRAWN_AS)}
    if settings[0]["value"] is not None:
        rows = [_row(one["value"], shape) for one in settings]
        value = tuple(rows) if len(shape) == 2 else tuple(n for part in rows for n in part)
        return replace(
            first, settings={**first.settings, "value": inert(value), "shape": None}, extra=extra
        )
    if settings[0]["init"] in ("uniform", "normal", "glorot", "naive_bayes"):
        parts = [
            graph.nodes[key].extra.get(
                PART, {"of": drawn_as(graph.nodes[key], key), "shape": shape, "row": 0}
            )
            for key in row
        ]
        extra[ROWS] = inert(parts)
    return replace(first, settings={**first.settings, "shape": whole}, extra=extra)


def _row(value: Any, shape: Sequence[int]) -> tuple[Any, ...]:
    size = shape[-1]
    found = numbers(value.values if isinstance(value, Array) else value).ravel().tolist()
    return tuple(found if len(found) == size else found * size)


__all__ = ["gather", "gather_all"]

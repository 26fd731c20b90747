"""Placing nodes in a graph: those of an expression, each with the shapes it has there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodeflow.declare import Made, NodeType, Output
from nodeflow.derive.shapes import probe
from nodeflow.graph import Graph, Node, Wire, by_port
from nodeflow.nodes.source import constant
from nodeflow.shape import Shape, Signature


class Placing:
    """A graph, the nodes that are added to it, and the shapes of both.

    What is alike is looked at once: equal shapes are one object, and so are nodes of equal
    settings. An id stands for an object as long as that object is kept, so each is kept here.
    """

    def __init__(self, graph: Graph, shapes: Mapping[str, Shape]) -> None:
        self.graph = graph
        self.shapes: dict[str, Shape] = dict(shapes)
        self.made: dict[str, Node] = {}
        self.wires: list[Wire] = []
        self.into: dict[str, tuple[Wire, ...]] = {}
        """The wires into each node that was made, by port and index."""
        self.ranks: dict[str, int] = graph.ranks_in_any_order.copy()
        self.made_for: dict[str, str] = {}
        self.trainer = ""
        """What is made at present is made for this trainer."""
        self._cases_put: dict[tuple[Any, ...], tuple[Shape, Node, str]] = {}
        self._placed: dict[int, tuple[Made, str]] = {}
        self._outputs: dict[str, Output] = {}
        self._cases: dict[tuple[Any, ...], tuple[list[Any], tuple[Shape, ...]]] = {}
        self._same: dict[Shape, Shape] = {shape: shape for shape in shapes.values()}
        self._alike: dict[tuple[str, int], tuple[Mapping[str, Any], Node]] = {}

    def shape_of(self, wire: Output) -> Shape:
        """Return the shape of a wire, also of nodes that are not placed yet."""
        if wire.shape is not None:
            return wire.shape
        if isinstance(wire.node, str):
            return self.shapes[f"{wire.node}.{wire.port}"]
        if id(wire.node) in self._placed:
            return self.shapes[f"{self._placed[id(wire.node)][1]}.{wire.port}"]
        made = wire.node
        return self.shapes_of(made)[[port.name for port in made.type.outputs].index(wire.port)]

    def shapes_of(self, made: Made) -> tuple[Shape, ...]:
        """Return the output shapes of a node that is not placed yet, inferred once."""
        found = made.shapes
        if found is None:
            found = made.shapes = self._infer(made)
        return found

    def _infer(self, made: Made) -> tuple[Shape, ...]:
        # What is fed by the same shapes has the same; equal shapes are one object, and so are
        # the settings of nodes that are made alike. Some types' shapes do not depend on them.
        has_say = made.settings and not isinstance(made.type.shapes, Signature)
        case: list[Any] = [made.type, made.settings if has_say else None]
        for port, sources in made.inputs.items():
            case.append(port)
            case += [self.shape_of(source) for source in sources]
        key = tuple([part if isinstance(part, str) else id(part) for part in case])
        known = self._cases.get(key)
        if known is None:
            found = [self._same.setdefault(shape, shape) for shape in self._infer_anew(made)]
            # What a case is of is kept with it: an id is good for as long as its object is.
            known = self._cases[key] = case, tuple(found)
        return known[1]

    def _infer_anew(self, made: Made) -> tuple[Shape, ...]:
        settings = made.type.check(made.settings, made.type.name)
        names: list[str] = []
        given: list[Shape | None] = []
        for port in made.type.ports_in(settings):
            sources = made.inputs.get(port.name, ())
            shapes = [self.shape_of(source) for source in sources]
            if port.many and made.type.joined != port.name:
                names += [f"{port.name}[{i}]" for i in range(len(shapes))]
                given += shapes
            elif len(shapes) > 1:
                names.append(port.name)
                widths = [shape.features or 0 for shape in shapes]
                batch = any(shape.batch for shape in shapes)
                total = sum(widths)
                given.append(Shape((total,), batch=True) if batch else Shape((1, total)))
            elif not port.feedback:
                names.append(port.name)
                given.append(shapes[0] if shapes else None)
        found = made.type.shapes
        if isinstance(found, Signature):
            return found.apply(names, given, made.type.name)
        if found is not None:
            return found(settings, *given)
        return probe(made.type, settings, dict(zip(names, given, strict=True)), made.type.name)

    def output(self, address: str) -> Output:
        """Return the wire that starts at an address."""
        found = self._outputs.get(address)
        if found is None:
            key, _, port = address.rpartition(".")
            found = Output(key, port, self.shapes.get(address))
            if found.shape is not None:
                self._outputs[address] = found
        return found

    # -- placing

    def place(self, wire: Output, name: str, *, owner: str = "") -> Output:
        """Put the nodes of an expression into the graph; the last one is called `name`."""
        if isinstance(wire.node, str):
            return wire
        made = wire.node
        placed = self._placed.get(id(made))
        if placed is not None:
            return self.output(f"{placed[1]}.{wire.port}")
        shapes = made.shapes or self.shapes_of(made)
        key, wires = self.free(name), list[Wire]()
        for port, sources in made.inputs.items():
            several = len(sources) > 1
            for index, source in enumerate(sources):
                node, output = source.node, source.port
                if not isinstance(node, str):
                    is_error = owner and node.type.slope_of_cost
                    child = f"{owner}.error" if is_error else f"{name}.{node.type.name}"
                    start = self.place(source, child, owner=owner)
                    node, output = str(start.node), start.port
                wires.append(Wire(node, output, key, port, index if several else None))
        if len(made.inputs) > 1:
            wires.sort(key=by_port)
        self._add(key, self._node(made.type.name, made.settings), wires)
        found = wire
        for place, shape in zip(made.type.outputs, shapes, strict=True):
            self.shapes[f"{key}.{place.name}"] = shape
            if place.name == wire.port:
                found = Output(key, wire.port, shape)
        self._placed[id(made)] = (made, key)
        return found

    def constant(self, value: float, name: str) -> Output:
        """Place a constant."""
        return self.place(constant(value=value), name)

    def put(
        self, type_: NodeType, settings: Mapping[str, Any], name: str, **inputs: Output
    ) -> Output:
        """Put a node of one output into the graph, that reads wires which are there.

        The inputs are given in the order of their names.
        """
        case = (type_, id(settings), *[id(self.shape_of(wire)) for wire in inputs.values()])
        known = self._cases_put.get(case)
        if known is None:
            made = Made(type_, settings, {port: (wire,) for port, wire in inputs.items()})
            node = self._node(type_.name, settings)
            known = self._cases_put[case] = self._infer(made)[0], node, type_.outputs[0].name
        shape, node, output = known
        key = self.free(name)
        wires = [Wire(w.node, w.port, key, port) for port, w in inputs.items()]  # type: ignore[arg-type]
        self._add(key, node, wires)
        self.shapes[f"{key}.{output}"] = shape
        return Output(key, output, shape)

    def _add(self, key: str, node: Node, wires: list[Wire]) -> None:
        """Add a node, its wires by port and index."""
        self.made[key] = node
        self.wires += wires
        self.into[key] = tuple(wires)
        self.made_for[key] = self.trainer
        # Now all this is at hand; in a large graph each look at a node costs several times as much.
        rank, ranks = -1, self.ranks
        for wire in wires:
            before = ranks.get(wire.source, rank)  # none: it is fed back from a later one
            rank = before if before > rank else rank  # noqa: FURB136  faster than max
        ranks[key] = rank + 1

    def _node(self, name: str, settings: Mapping[str, Any]) -> Node:
        """Return the node of an expression; those of the same settings are one."""
        key = name, id(settings) if settings else 0
        known = self._alike.get(key)
        if known is None:  # an id is good for as long as its object is
            known = self._alike[key] = settings, Node(name, settings)
        return known[1]

    def free(self, name: str) -> str:
        """Return an id that no node has yet: the name itself, or with a number behind it."""
        made, there = self.made, self.graph.nodes
        if name not in made and name not in there:
            return name
        number = 2
        while f"{name}_{number}" in made or f"{name}_{number}" in there:
            number += 1
        return f"{name}_{number}"

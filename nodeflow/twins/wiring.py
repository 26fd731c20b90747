"""Edits of an unfolded graph that programs' rules are made of.

All of them add nodes or move wires, so that what a program does otherwise than the book can be
seen, bypassed and edited. Nodes that stand in the way of a value have it as their first input:
bypassed, they pass it on.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from nodeflow import formula
from nodeflow.declare import NodeType
from nodeflow.errors import GraphError
from nodeflow.graph import MOVED, Graph
from nodeflow.nodes.arithmetic import sum_
from nodeflow.nodes.backward import bias_gradient
from nodeflow.nodes.cost import l2_penalty
from nodeflow.nodes.expression import expression
from nodeflow.nodes.source import constant, parameter
from nodeflow.nodes.update import weight_update
from nodeflow.twins.network import TRAIN, Layer, Network


class Wiring:
    """An unfolded graph while a rule edits it."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.graph: Graph = network.unfolded()

    # -- nodes and wires

    def source(self, end: str) -> str:
        """Return the address of what is wired into a port."""
        key, _, port = end.rpartition(".")
        wires = self.graph.inputs(key).get(port, ())
        if not wires:
            kind = self.graph.nodes[key].type
            raise GraphError(
                f"the rule changes what is wired into {end}, and '{key}' ({kind}) has no such "
                "input here",
                node=key,
            )
        return wires[0].start

    def move(self, end: str, start: str) -> None:
        """Wire a port to something else."""
        self.graph = self.graph.disconnect(self.source(end), end).connect(start, end)

    def node(self, key: str, type_: NodeType, /, **settings: Any) -> str:
        """Add a node, unless it is there; returns the address of its first output."""
        if key not in self.graph.nodes:
            self.graph = self.graph.add(key, type_.name, **settings)
        return f"{key}.{self.graph.type_of(key).outputs[0].name}"

    def constant(self, key: str, value: float) -> str:
        """Add a number that can be edited."""
        return self.node(key, constant, value=value)

    def formula(self, key: str, text: str, /, **wires: str) -> str:
        """Add a formula of what is wired into it."""
        out = self.node(key, expression, formula=text)
        for port, start in wires.items():
            self.graph = self.graph.connect(start, f"{key}.{port}")
        return out

    def splice(self, end: str, key: str, text: str, /, **wires: str) -> None:
        """Put a formula on the way into a port; the value that comes there is its first name."""
        first = formula.names(formula.parse(text))[0]
        out = self.formula(key, text, **{first: self.source(end)}, **wires)
        self.move(end, out)

    def bypass(self, *keys: str) -> None:
        """Let nodes pass on what comes in."""
        for key in keys:
            self.graph = self.graph.with_mode(key, "bypass")

    # -- places of the textbook's backward pass

    @property
    def rate(self) -> str:
        """The address of the learning rate."""
        return f"{TRAIN}.rate.value"

    def gradient(self, theta: str) -> str:
        """Return the address of ∂J/∂Θ."""
        return self.source(f"{theta}.update.gradient")

    def total(self) -> None:
        """Add gradients up over the rows: no division by their number."""
        self.bypass(*(f"{theta}.average" for theta in self.network.parameters))

    def memory(self, key: str, theta: str, value: float = 0.0) -> str:
        """Add a parameter that is not trained: what one update leaves for the next."""
        shape = self.network.shape(theta)
        if value:
            return self.node(key, parameter, shape=shape, init="constant", value=value,
                             trainable=False)  # fmt: skip
        return self.node(key, parameter, shape=shape, init="zeros", trainable=False)

    def keep(self, key: str, start: str) -> None:
        """Feed a memory for the next update.

        Only a weight_update feeds back; with rate 0 it hands on what it gets.
        """
        nothing = self.constant(f"{TRAIN}.nothing", 0.0)
        new = self.updated(f"{key}.update", start, start, nothing)
        self.graph = self.graph.connect(new, f"{key}.next")

    def updated(self, key: str, theta: str, gradient: str, rate: str) -> str:
        """Add an update: Θ − rate·gradient."""
        new = self.node(key, weight_update)
        self.graph = self.graph.connect(theta, f"{key}.{MOVED}")
        self.graph = self.graph.connect(gradient, f"{key}.gradient")
        self.graph = self.graph.connect(rate, f"{key}.rate")
        return new

    def step_by(self, theta: str, start: str) -> None:
        """Take as the step of Θ, with its sign, what comes from `start`: Θ ← Θ + step."""
        minus = self.constant(f"{TRAIN}.minus", -1.0)
        self.move(f"{theta}.update.gradient", start)
        self.move(f"{theta}.update.rate", minus)

    def velocity(self, thetas: Iterable[str], momentum: float, rate: str = "") -> None:
        """Keep the last step, rate and all: v ← μv − αg, Θ ← Θ + v."""
        share = self.constant(f"{TRAIN}.momentum", momentum)
        for theta in thetas:
            name = f"{theta}.velocity"
            old = self.memory(name, theta)
            kept = self.formula(f"{name}.kept", "v * m", v=old, m=share)
            new = self.updated(f"{name}.update", kept, self.gradient(theta), rate or self.rate)
            self.graph = self.graph.connect(new, f"{name}.next")
            self.step_by(theta, new)

    def blame_through_new_weights(self) -> None:
        """Update a layer before blame passes its weights."""
        for before, layer in pairwise(self.network.layers):
            if self.network.trains(layer.weights):
                self.move(f"{before.sum}.blame.weights", f"{layer.weights}.update.value")

    # -- lengths

    def shorten(self, end: str, key: str) -> None:
        """Cut what comes into a port to length 1, if it is longer; it has no sample axis."""
        start = self.source(end)
        square = self.node(f"{key}.square", l2_penalty, regularization=2.0)
        self.graph = self.graph.connect(start, f"{key}.square.weights")
        self.splice(end, key, "v / max(1, sqrt(s))", s=square)

    def shorten_rows(self, end: str, key: str) -> None:
        """Cut blame to length 1, if that of all rows together is longer."""
        self.move(end, self._shortened(self.source(end), key))

    def shorten_readers(self, start: str, key: str) -> None:
        """Cut blame to length 1 for all that read it."""
        readers = self.graph.out_of(start.rpartition(".")[0])
        out = self._shortened(start, key)
        for wire in readers:
            self.graph = self.graph.disconnect(wire.start, wire.end).connect(out, wire.end)

    def _shortened(self, start: str, key: str) -> str:
        squares = self.formula(f"{key}.squares", "v * v", v=start)
        sums = self.node(f"{key}.sums", bias_gradient)  # adds up over the rows
        self.graph = self.graph.connect(squares, f"{key}.sums.delta")
        total = self.node(f"{key}.total", sum_)
        self.graph = self.graph.connect(sums, f"{key}.total.a")
        return self.formula(key, "v / max(1, sqrt(s))", v=start, s=total)

    # -- forward pass

    def _instead(self, start: str, new: str, but: str) -> None:
        """Let all readers of a value, but one, read another."""
        for wire in self.graph.out_of(start.rpartition(".")[0]):
            if wire.start == start and wire.target != but:
                end = f"{wire.target}.{wire.entry}"
                self.graph = self.graph.disconnect(wire.start, end).connect(new, end)

    def scale(self, address: str, name: str, middle: Any, width: Any) -> None:
        """Scale rows by (rows − middle) / width before anything reads them."""
        key = f"{name}.scaled"
        middle = self.node(f"{name}.middle", constant, value=[float(v) for v in middle])
        width = self.node(f"{name}.width", constant, value=[float(v) for v in width])
        out = self.formula(key, "(rows - middle) / width", rows=address, middle=middle, width=width)
        self._instead(address, out, key)

    def activation(self, layer: Layer, text: str) -> None:
        """Take a formula in z for a layer's activation."""
        z = self.source(f"{layer.a}.z")
        readers = self.graph.out_of(layer.a)
        self.graph = self.graph.remove(layer.a)
        out = self.formula(layer.a, text, z=z)
        for wire in readers:
            end = f"{wire.target}.{wire.entry}"
            self.graph = self.graph.connect(out, end)

    def slope(self, layer: Layer, text: str) -> None:
        """Take a formula in blame and z for a layer's δ."""
        key = f"{layer.sum}.delta"
        blame, readers = self.source(f"{key}.blame"), self.graph.out_of(key)
        self.graph = self.graph.remove(key)
        out = self.formula(key, text, blame=blame, z=f"{layer.sum}.z")
        for wire in readers:
            end = f"{wire.target}.{wire.entry}"
            self.graph = self.graph.connect(out, end)

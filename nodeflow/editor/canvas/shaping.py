"""Which shape a parameter must have at a port: from what else enters the node, and reads it."""

from __future__ import annotations

from nodeflow.derive.shapes import Inference
from nodeflow.graph import Graph
from nodeflow.shape import Shape, Signature


def wanted(graph: Graph, inference: Inference, port: str) -> list[int] | None:
    """Return the shape that a parameter needs at an input port; None if nothing tells."""
    node, _, name = port.partition("[")[0].rpartition(".")
    type_ = graph.nodes[node].known
    if type_ is None or not isinstance(type_.shapes, Signature):
        return None
    shapes = _entering(graph, inference, node)
    patterns = dict(zip((p.name for p in type_.inputs), type_.shapes.inputs, strict=False))
    pattern = patterns.get(name, "")
    if type_.shapes.elementwise or not pattern.startswith("("):
        if pattern == "1":
            return [1]
        others = [shape for other, shape in shapes.items() if other != name]
        widest = max((shape.features or 0 for shape in others), default=0)
        return [widest] if widest else None
    sizes: dict[str, int] = {}
    for other, shape in shapes.items():
        if other != name:
            sizes |= _sizes(patterns.get(other, ""), shape)
    letters = _letters(pattern)
    if letters[:1] == ["n"]:
        letters = letters[1:]
    produced = _letters(type_.shapes.outputs[0]) if type_.shapes.outputs else []
    if produced and produced[-1] in letters and produced[-1] not in sizes:
        sizes[produced[-1]] = _read(graph, inference, node) or 1
    found = [int(letter) if letter.isdigit() else sizes.get(letter) for letter in letters]
    return None if None in found else [size for size in found if size is not None]


def _entering(graph: Graph, inference: Inference, node: str) -> dict[str, Shape]:
    """Return the shapes of what enters a node, by port."""
    return {
        wire.input: inference.shapes[wire.start]
        for wire in graph.into(node)
        if wire.start in inference.shapes
    }


def _letters(pattern: str) -> list[str]:
    return pattern.strip("()").split(",") if pattern.startswith("(") else []


def _sizes(pattern: str, shape: Shape) -> dict[str, int]:
    """Return how many each letter of a pattern stands for, as far as a shape tells."""
    letters = _letters(pattern)
    if letters[:1] == ["n"]:
        return {} if shape.features is None else {letters[1]: shape.features}
    dims = shape.dims if len(letters) == len(shape.dims) else shape.flat[-len(letters) :]
    pairs = zip(letters, dims, strict=False)
    return {letter: size for letter, size in pairs if size is not None and not letter.isdigit()}


def _read(graph: Graph, inference: Inference, node: str) -> int | None:
    """Return how many features those who read a node expect of it."""
    seen, ahead = {node}, [node]
    while ahead:
        for wire in graph.out_of(ahead.pop(0)):
            type_ = graph.nodes[wire.target].known
            if wire.target in seen or type_ is None or not isinstance(type_.shapes, Signature):
                continue
            seen.add(wire.target)
            ahead.append(wire.target)
            shapes = _entering(graph, inference, wire.target)
            others = {name: shape for name, shape in shapes.items() if name != wire.input}
            patterns = dict(zip((p.name for p in type_.inputs), type_.shapes.inputs, strict=False))
            letters = _letters(patterns.get(wire.input, ""))
            for name, shape in others.items():
                if letters and (size := _sizes(patterns.get(name, ""), shape).get(letters[-1])):
                    return size
                if (
                    not letters
                    and shape.features
                    and patterns.get(name) == patterns.get(wire.input)
                ):
                    return shape.features
    return None

"""Some nodes as a template: the same once more, as often as is wanted, wired as they are.

Copies take their inputs from where the originals do, have parameters of their own, and stand beside
the originals in whatever reads them: their outputs are joined in order, blame is added up, the
weights that take them grow, and each copy gets its own part of what grows with their number.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from nodeflow.boxes import GRID, WIDE, box
from nodeflow.derive.shapes import infer
from nodeflow.derive.steps import free_name
from nodeflow.errors import GraphError, MissingInput, UnknownNode
from nodeflow.graph import Graph, Node, Wire, copy_of, in_order, renumbered
from nodeflow.nodes.arithmetic import add, concatenate, pick
from nodeflow.nodes.layer import weighted_sum
from nodeflow.nodes.source import parameter_shape
from nodeflow.shape import Shape

_GAP, _TALL = 40, 130
"""Between copies on the canvas, and how high a node is at most that is repeated."""
_BETWEEN = 2 * GRID
_CELL = 400
"""The canvas is looked at in squares of this size: what lies together is found there."""
_MOST = 1000


def repeat(graph: Graph, nodes: Iterable[str], count: int) -> Graph:
    """Return the graph with some nodes so many times in all, side by side.

    A `pick` of one feature counts on: that of a copy takes the next one. Raises `GraphError`
    where the copies do not fit what reads them.
    """
    chosen = sorted(set(nodes))
    if not chosen:
        raise GraphError("there is nothing to repeat: select the nodes of a neuron or of a layer")
    unknown = [key for key in chosen if key not in graph.nodes]
    if unknown:
        raise UnknownNode(f"there is no node '{unknown[0]}'", node=unknown[0])
    if not 2 <= count <= _MOST:
        raise GraphError(f"nodes are repeated 2 to {_MOST:,} times in all, not {count}")
    _require_whole(graph, chosen)
    before = infer(graph)
    made, copies = _copied(graph, chosen, count)
    made = _joined(graph, made, chosen, copies)
    made = _grown(graph, made, chosen, count)
    made = _parted(before.shapes, made, chosen, copies, count)
    after = infer(made)
    for key, problem in after.problems.items():
        if key not in before.problems and not isinstance(problem, MissingInput):
            raise GraphError(
                f"{count} of these do not fit what they are wired to: {problem}", node=key
            )
    return _moved_apart(graph, made)


def _require_whole(graph: Graph, chosen: Collection[str]) -> None:
    """Refuse a data set, and a parameter whose updates or blame are not chosen with it."""
    for key in chosen:
        if graph.nodes[key].holds_data:
            raise GraphError(
                f"'{key}' holds the data, which are there once: select the nodes of a neuron or "
                "of a layer without it",
                node=key,
            )
        for wire in graph.out_of(key) if graph.nodes[key].is_parameter else ():
            family = graph.nodes[wire.target].family
            if family in ("backward", "update") and wire.target not in chosen:
                raise GraphError(
                    f"'{key}' would be repeated without '{wire.target}', which "
                    f"{'moves it' if family == 'update' else 'needs each one of them'}: select "
                    "that, too",
                    node=key,
                )


def duplicate_wired(graph: Graph, nodes: Iterable[str]) -> tuple[Graph, tuple[str, ...]]:
    """Return the graph with a copy of some nodes that keeps their incoming wires, and its ids."""
    chosen = sorted(set(nodes))
    made, copies = _copied(graph, chosen, 2, anew=False)
    return made, tuple(copies[0].values())


_Copies = list[dict[str, str]]
"""For each copy the id of each node of it, by that of the original."""


def _copied(
    graph: Graph, chosen: list[str], count: int, *, anew: bool = True
) -> tuple[Graph, _Copies]:
    """Add the copies with the wires between their nodes, and those that come in."""
    nodes, layout, wires = dict(graph.nodes), dict(graph.layout), list(graph.wires)
    lower, apart = _below(graph, chosen)
    copies: _Copies = []
    for number in range(2, count + 1):
        names = {}
        for key in chosen:
            name = free_name(nodes, _numbered(key, number))
            node = graph.nodes[key]
            nodes[name] = _fresh(graph, key, number) if anew else copy_of(node)
            if key in layout:
                x, y = layout[key]
                layout[name] = x, y + lower + (number - 2) * apart
            names[key] = name
        for wire in graph.wires:
            if wire.target in names:
                source = names.get(wire.source, wire.source)
                wires.append(replace(wire, source=source, target=names[wire.target]))
        copies.append(names)
    made = replace(graph, nodes=dict(sorted(nodes.items())), wires=in_order(wires), layout=layout)
    return made, copies


def _below(graph: Graph, chosen: Collection[str]) -> tuple[int, int]:
    """Return how far below the first copy stands, and each further one below that.

    Copies stand below what is there in their columns already.
    """
    places = [graph.layout[key] for key in chosen if key in graph.layout]
    if not places:
        return 0, 0
    left, right = min(x for x, _ in places) - WIDE, max(x for x, _ in places) + WIDE
    top, foot = min(y for _, y in places), max(y for _, y in places) + _TALL
    others = [y + _TALL for key, (x, y) in graph.layout.items()
              if key not in chosen and left < x < right and y + _TALL > top]  # fmt: skip
    return max([foot, *others]) - top + _GAP, foot - top + _GAP


def _moved_apart(before: Graph, graph: Graph) -> Graph:
    """Return the graph with what lies under a node that is new, or has grown, farther down."""
    sizes = {key: box(graph, key) for key in graph.layout if key in graph.nodes}
    pushing = {
        key
        for key, size in sizes.items()
        if key not in before.nodes or size.height > box(before, key).height
    }
    layout = dict(graph.layout)
    lying: defaultdict[tuple[int, int], list[str]] = defaultdict(list)

    def cells(key: str) -> list[tuple[int, int]]:
        (x, y), size = layout[key], sizes[key]
        return [
            (column, row)
            for column in range(x // _CELL, (x + size.width) // _CELL + 1)
            for row in range(y // _CELL, (y + size.height) // _CELL + 1)
        ]

    def above(key: str) -> str | None:
        (x, y), size = layout[key], sizes[key]
        for other in {other for cell in cells(key) for other in lying[cell]}:
            (left, top), its = layout[other], sizes[other]
            across = left < x + size.width and x < left + its.width
            over = top < y + size.height and y < top + its.height
            if across and over and not pushing.isdisjoint((key, other)):
                return other
        return None

    for key in sorted(sizes, key=lambda key: (layout[key][1], layout[key][0], key)):
        while (other := above(key)) is not None:
            foot = layout[other][1] + sizes[other].height
            layout[key] = layout[key][0], foot + _BETWEEN
            pushing.add(key)
        for cell in cells(key):
            lying[cell].append(key)
    return replace(graph, layout=layout)


def _numbered(key: str, number: int) -> str:
    """Return the id of a copy: hidden1 → hidden2, w → w_2, hidden.1 → hidden.2."""
    found = re.fullmatch(r"(.*?\D)1", key)
    return f"{found[1]}{number}" if found else f"{key}_{number}"


def _fresh(graph: Graph, key: str, number: int) -> Node:
    node = graph.nodes[key]
    settings = dict(node.settings)
    if node.is_parameter and graph.settings(key)["value"] is not None:
        whole = graph.settings(key)
        # A start of its own: neurons that start alike stay alike.
        if whole["init"] != "constant" and len(parameter_shape(whole)) == 2:
            settings |= {"value": None, "shape": parameter_shape(whole)}
    if node.kind is pick and isinstance(graph.settings(key)["index"], int):
        settings["index"] = graph.settings(key)["index"] + number - 1
    return replace(node, settings=settings, extra={})


def _joined(graph: Graph, made: Graph, chosen: Collection[str], copies: _Copies) -> Graph:
    """Lead the outputs of the copies to where those of the originals go."""
    nodes, wires = dict(made.nodes), list(made.wires)
    joins: dict[tuple[str, str], str] = {}
    layout = dict(made.layout)
    for end in sorted({(w.target, w.input) for w in graph.wires if w.source in chosen}):
        target, port = end
        if target in chosen:
            continue
        type_ = graph.type_of(target)
        there = graph.inputs(target)[port]
        many = type_.input(port, graph.nodes[target].settings, target).many
        wires = [wire for wire in wires if (wire.target, wire.input) != end]
        starts: list[tuple[str, str]] = []
        for wire in there:
            own = [(wire.source, wire.output)]
            if wire.source in chosen:
                own += [(names[wire.source], wire.output) for names in copies]
            if many or len(own) == 1:
                starts += own
                continue
            start = own[0]
            if start not in joins:
                is_blame = graph.type_of(wire.source).outputs[0].name == "blame"
                kind, word = (add, "sum") if is_blame else (concatenate, "joined")
                name = joins[start] = free_name(nodes, f"{wire.source}.{word}")
                nodes[name] = Node(kind.name)
                wires += [Wire(*part, name, "a", i) for i, part in enumerate(own)]
                if wire.source in layout:
                    x, y = layout[wire.source]
                    layout[name] = x + 160, y
            starts.append((joins[start], "value"))
        several = len(starts) > 1
        wires += [Wire(*start, target, port, i if several else None)
                  for i, start in enumerate(starts)]  # fmt: skip
    return replace(
        made,
        nodes=dict(sorted(nodes.items())),
        wires=renumbered(in_order(wires)),
        layout=layout,
    )


def _grown(graph: Graph, made: Graph, chosen: Collection[str], count: int) -> Graph:
    """Widen the weights of the sums that take the copies' outputs."""
    before, after = infer(graph).shapes, infer(made).shapes
    for key in made.of_type(weighted_sum.name):
        if key in chosen or key not in graph.nodes or "weights" not in made.inputs(key):
            continue
        theta = made.inputs(key)["weights"][0].source
        wide, was = (
            sum(
                shapes[w.start].features or 0
                for w in there.inputs(key).get("a", ())
                if w.start in shapes
            )
            for shapes, there in ((after, made), (before, graph))
        )
        if wide == was or not made.nodes[theta].is_parameter or theta in chosen:
            continue
        settings = made.settings(theta)
        shape = parameter_shape(settings)
        if settings["value"] is not None and settings["init"] != "constant":
            raise GraphError(
                f"'{theta}' holds weights for {was} inputs and {count} of these make {wide}: "
                "give it a shape and an init instead of a value",
                node=theta,
            )
        if len(shape) == 2 and shape[1] == was:
            made = made.set(theta, shape=(shape[0], wide))
    return made


def _parted(
    before: Mapping[str, Shape],
    made: Graph,
    chosen: Collection[str],
    copies: _Copies,
    count: int,
) -> Graph:
    """Give each copy its own part of what has grown with their number."""
    after = infer(made).shapes
    wholes = [{key: key for key in chosen}, *copies]
    nodes, wires, layout = dict(made.nodes), list(made.wires), dict(made.layout)
    for number, names in enumerate(wholes):
        own = set(names.values())
        for wire in made.wires:
            if wire.target not in own or wire.start not in after:
                continue
            original = next((k for k, name in names.items() if name == wire.source), wire.source)
            was, now = before.get(f"{original}.{wire.output}"), after[wire.start]
            width = None if was is None else was.features
            if not width or now.features != width * count or not now.batch:
                continue
            name = free_name(nodes, f"{wire.target}.part")
            index = tuple(range(number * width, (number + 1) * width))
            nodes[name] = Node(pick.name, {"index": index[0] if width == 1 else index})
            if wire.target in layout:
                x, y = layout[wire.target]
                layout[name] = x + WIDE, y
            wires.remove(wire)
            wires += [
                Wire(wire.source, wire.output, name, "a"),
                replace(wire, source=name, output="value"),
            ]
    return replace(made, nodes=dict(sorted(nodes.items())), wires=in_order(wires), layout=layout)

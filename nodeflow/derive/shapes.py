"""Shape inference: what every wire carries, before anything runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nodeflow.data import Options, Table
from nodeflow.data import load as load_data
from nodeflow.declare import NodeType, Port, foreign, numbers, plain_numbers
from nodeflow.errors import (
    DataError,
    GraphError,
    MissingInput,
    NodeflowError,
    RunError,
    ShapeMismatch,
)
from nodeflow.graph import MOVED, Graph, Wire
from nodeflow.nodes.backward import DELTA
from nodeflow.nodes.source import constant
from nodeflow.shape import Shape, Signature


@dataclass(frozen=True)
class Inference:
    """What is known of a graph's values."""

    shapes: Mapping[str, Shape]
    """A shape for each output address."""
    problems: Mapping[str, NodeflowError]
    """Why a node cannot be evaluated, in topological order."""
    waiting: frozenset[str]
    """Nodes that cannot be evaluated since one before them cannot."""
    order: tuple[str, ...]
    """Every node, each after those that feed it; ties by id."""
    tables: Mapping[str, Table] = field(default_factory=dict)
    """What each dataset node holds."""
    rows: int | None = None
    """How many samples the constants feed as one batch; None where a dataset feeds them."""

    def require(self) -> None:
        """Raise the first problem."""
        for error in self.problems.values():
            raise error


def infer(graph: Graph, *, data: bool = True) -> Inference:
    """Return the shapes of all values. With `data=False` data sets are not opened."""
    order, types = graph.order, graph.types
    tables: dict[str, Table] = {}
    shapes: dict[str, Shape] = {}
    problems: dict[str, NodeflowError] = {}
    waiting: set[str] = set()
    rows = None if graph.datasets else _constant_rows(graph, problems)
    cases = _Cases(graph)
    for key in order:
        try:
            case = cases.of(key)
            known = cases.known.get(case) if case else None
            if known is None:
                inputs = _inputs(graph, key, shapes, problems, waiting)
                if inputs is None:
                    waiting.add(key)
                    continue
                if key in problems:
                    continue
                found = _outputs(graph, key, inputs, tables, rows, data=data)
                names = (port.name for port in types[key].outputs)
                known = cases.learnt(case, key, dict(zip(names, found, strict=True)))
        except NodeflowError as error:
            problems[key] = error
            continue
        cases.at[key] = known
        for port, shape in known.items():
            shapes[f"{key}.{port}"] = shape
    _check_feedback(graph, shapes, problems)
    return Inference(shapes, problems, frozenset(waiting), order, tables, rows)


MOST_NUMBERS = 500_000_000
"""The most numbers in a value of one sample: 4 GB."""
_MOST_TRIED = 1_000_000
"""The most numbers that a function is tried on to find its shape."""


def _refuse_too_large(address: str, key: str, shape: Shape) -> None:
    """Raise `GraphError` for a value of a size that no machine is to be asked for."""
    count = math.prod(size or 1 for size in shape.dims)
    if count > MOST_NUMBERS:
        raise GraphError(
            f"'{address}' would hold {count:.3g} numbers ({count * 8e-9:.3g} GB), and a "
            f"value at most {MOST_NUMBERS:,}: make its shape smaller",
            node=key,
        )


class _Cases:
    """Nodes of one type, fed by the same shapes: what was found for one holds for all.

    In a large graph there are few cases. Only what went well is kept, since errors name nodes.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.at: dict[str, dict[str, Shape]] = {}
        """The shapes of a node's outputs, by port."""
        self.known: dict[tuple[Any, ...], dict[str, Shape]] = {}
        self._same: dict[Shape, Shape] = {}

    def of(self, key: str) -> tuple[Any, ...] | None:
        """Return what a node's shapes follow from; None if it has to be looked at itself."""
        type_ = self.graph.types.get(key)
        if type_ is None or type_.family == "source":
            return None
        # Settings are shared by all nodes that have the defaults, equal shapes are one object.
        settings = None if isinstance(type_.shapes, Signature) else id(self.graph.settings(key))
        case: list[Any] = [type_.name, settings]
        feedback, at = type_.feedback, self.at
        for wire in self.graph.into(key):
            if wire.input in feedback:
                continue
            before = at.get(wire.source)
            if before is None or wire.output not in before:
                return None
            case.append(wire.input)
            case.append(id(before[wire.output]))
        return tuple(case)

    def learnt(
        self, case: tuple[Any, ...] | None, key: str, found: dict[str, Shape]
    ) -> dict[str, Shape]:
        """Keep the shapes of a case, or raise `GraphError` where one is too large."""
        for port, shape in found.items():
            known = self._same.get(shape)
            if known is None:
                _refuse_too_large(f"{key}.{port}", key, shape)
                known = self._same[shape] = shape
            found[port] = known
        if case is not None:
            self.known[case] = found
        return found


def order_of(graph: Graph) -> tuple[str, ...]:
    """Return the nodes, each after those that feed it: the same order for the same content."""
    return graph.order


def _inputs(
    graph: Graph,
    key: str,
    shapes: Mapping[str, Shape],
    problems: Mapping[str, NodeflowError],
    waiting: set[str],
) -> list[tuple[Port, list[tuple[Wire, Shape]]]] | None:
    """Return the shapes at a node's ports, or None if a node before it has none."""
    type_ = graph.type_of(key)
    if type_.reads_nothing:
        return []
    wires = graph.inputs(key)
    if type_.notes and not wires and graph.nodes[key].extra.get("note"):
        return None  # it is a note that somebody wrote beside the graph
    found = []
    for port in type_.ports_in(graph.nodes[key].settings):
        if port.feedback:
            continue
        there = wires.get(port.name, ())
        for wire in there:
            if wire.source in problems or wire.source in waiting:
                return None
        if not there and not port.optional:
            raise MissingInput(
                f"'{key}' ({type_.name}) needs a wire into its input '{port.name}'", node=key
            )
        if not there and port.name == "rate" and graph.training.rate is None:
            raise MissingInput(
                f"'{key}' ({type_.name}) has no rate: wire one into its input 'rate', or give the "
                "graph a rate for all its updates (training.rate)",
                node=key,
            )
        found.append((port, [(wire, shapes[wire.start]) for wire in there]))
    return found


def _outputs(
    graph: Graph,
    key: str,
    inputs: list[tuple[Port, list[tuple[Wire, Shape]]]],
    tables: dict[str, Table],
    rows: int | None,
    *,
    data: bool,
) -> tuple[Shape, ...]:
    type_ = graph.type_of(key)
    settings = graph.settings(key)
    try:
        if type_.holds_data:
            return _dataset(graph, key, settings, tables, data=data)
        if type_ is constant and _is_rows(graph, key, rows):
            return (Shape.rows(numbers(settings["value"]).shape[-1]),)
        names, given = _given(type_, inputs, key)
        if not type_.outputs and type_.shapes is None:
            return ()
        if isinstance(type_.shapes, Signature):
            return type_.shapes.apply(names, given, key)
        if type_.shapes is not None and type_.is_own:  # large graphs have thousands of these
            return type_.shapes(settings, *given)
        if type_.shapes is not None:
            with foreign(type_, key, "what tells the shapes"):
                return type_.shapes(settings, *given)
        return probe(type_, settings, dict(zip(names, given, strict=True)), key)
    except GraphError as error:
        if error.node is None:
            error.node = key
            error.args = (f"'{key}': {error}",)
        raise


def _given(
    type_: NodeType, inputs: list[tuple[Port, list[tuple[Wire, Shape]]]], key: str
) -> tuple[list[str], list[Shape | None]]:
    """Return the names and shapes that a signature is applied to, None for what is not wired."""
    names: list[str] = []
    given: list[Shape | None] = []
    for port, there in inputs:
        if port.many and (type_.joined != port.name or type_.family == "view"):
            names += [f"{port.name}[{i}]" for i in range(len(there))]
            given += [shape for _, shape in there]
        else:
            names.append(port.name)
            given.append(_join(port, there, key) if there else None)
    return names, given


def _join(port: Port, there: list[tuple[Wire, Shape]], key: str) -> Shape:
    if len(there) == 1:
        return there[0][1]
    for wire, shape in there:
        if not shape.single_row():
            raise ShapeMismatch(
                f"{shape} ({wire.start}) cannot enter '{key}.{port.name}': "
                "it takes one row per sample",
                node=key,
            )
    sizes = [shape.features for _, shape in there]
    width = None if None in sizes else sum(size for size in sizes if size is not None)
    batch = any(shape.batch for _, shape in there)
    return Shape((width,), batch=True) if batch else Shape((1, width))


def _dataset(
    graph: Graph, key: str, settings: dict[str, Any], tables: dict[str, Table], *, data: bool
) -> tuple[Shape, ...]:
    if not data:
        return Shape.rows(None), Shape.rows(None)
    try:
        options = Options.of(settings)
        table = load_data(settings["source"], options=options, folder=graph.folder)
    except DataError as error:
        error.args = (f"dataset '{key}': {error}",)
        raise
    tables[key] = table
    return Shape.rows(table.x.shape[1]), Shape.rows(table.y.shape[1])


def _is_matrix_port(graph: Graph, wire: Wire) -> bool:
    type_ = graph.nodes[wire.target].known
    if type_ is None or not isinstance(type_.shapes, Signature) or type_.shapes.elementwise:
        return type_ is not None and type_.penalizes
    position = [port.name for port in type_.inputs].index(wire.input)
    pattern = type_.shapes.inputs[position]
    return pattern.startswith("(") and not pattern.startswith("(n")


def _is_rows(graph: Graph, key: str, rows: int | None) -> bool:
    if rows is None:
        return False
    value = numbers(graph.nodes[key].settings.get("value", 0.0))
    return (
        value.ndim == 2
        and value.shape[0] > 1
        and not all(_is_matrix_port(graph, wire) for wire in graph.out_of(key))
    )


def _constant_rows(graph: Graph, problems: dict[str, NodeflowError]) -> int:
    """Return how many samples the constants hold; without any, one."""
    rows, first = 1, ""
    for key in graph.of_type(constant.name):
        try:
            value = numbers(graph.settings(key)["value"])
        except NodeflowError as error:
            problems[key] = error
            continue
        if _is_rows(graph, key, 1):
            if rows not in (1, value.shape[0]):
                problems[key] = ShapeMismatch(
                    f"constant '{key}' holds {value.shape[0]} rows and '{first}' {rows}: "
                    "the rows of one batch must pair up",
                    node=key,
                )
            else:
                rows, first = value.shape[0], key
    return rows


def probe(
    type_: NodeType, settings: dict[str, Any], given: Mapping[str, Shape | None], node: str
) -> tuple[Shape, ...]:
    """Return output shapes by trying the function on ones, for batches of 2 and of 3."""
    if any(shape is not None and None in shape.dims for shape in given.values()):
        return tuple(Shape((None,), batch=True) for _ in type_.outputs)

    tried = sum(math.prod(shape.array(3)) for shape in given.values() if shape is not None)
    if tried > _MOST_TRIED:
        raise ShapeMismatch(
            f"the function of '{node}' ({type_.name}) says nothing about shapes, and {tried:.3g} "
            f"numbers are too many to try it on (at most {_MOST_TRIED:,})",
            node=node,
        )

    def attempt(samples: int) -> tuple[Any, ...]:
        inputs: dict[str, Any] = {}
        for name, shape in given.items():
            value = None if shape is None else np.ones(shape.array(samples))
            if "[" in name:
                inputs.setdefault(name.partition("[")[0], []).append(value)
            else:
                inputs[name] = value
        try:
            result = type_.compute(inputs, settings, samples)
        except RunError as error:
            raise ShapeMismatch(f"'{node}': {error}", node=node) from error
        except NodeflowError:
            raise
        except Exception as error:
            shown = ", ".join(f"{name} {shape}" for name, shape in given.items())
            raise ShapeMismatch(
                f"the function of '{node}' ({type_.name}) cannot take {shown}", node=node
            ) from error
        results = result if isinstance(result, tuple) else (result,)
        for value in results:
            if wrong := plain_numbers(value):
                raise ShapeMismatch(f"the function of '{node}' ({type_.name}) {wrong}", node=node)
        if len(results) != len(type_.outputs):
            raise ShapeMismatch(
                f"the function of '{node}' ({type_.name}) must return {len(type_.outputs)} values",
                node=node,
            )
        return results

    found = []
    for two, three in zip(attempt(2), attempt(3), strict=True):
        small, large = np.shape(two), np.shape(three)
        batch = small != large
        dims = small[1:] if batch else (small or (1,))
        if len(dims) > 2 or (batch and len(dims) != 1):
            raise ShapeMismatch(
                f"the function of '{node}' ({type_.name}) must return rows of numbers", node=node
            )
        found.append(Shape(tuple(dims), batch=batch))
    return tuple(found)


def _check_feedback(
    graph: Graph, shapes: Mapping[str, Shape], problems: dict[str, NodeflowError]
) -> None:
    for wire in graph.feedback:
        if wire.target in problems:
            continue
        target = graph.type_of(wire.target)
        of_parameter = target.holds_weights
        is_its = (
            graph.nodes[wire.source].family == "update"
            if of_parameter
            else wire.source == wire.target
        )
        if (of_parameter or target.accumulates) and not is_its:
            own = "a weight_update" if of_parameter else "its own total"
            way = (
                f"; put a weight_update between, which takes {wire.target}.value and what is "
                "taken away from it"
                if of_parameter
                else f"; wire {wire.target}.total into it"
            )
            problems[wire.target] = GraphError(
                f"'{wire.end}' is fed back from {own}, not from '{wire.start}'{way}",
                node=wire.target,
            )
            continue
        after = shapes.get(f"{wire.target}.{target.outputs[0].name}")
        before = shapes.get(wire.start)
        if after is not None and before is not None and not after.same(before):
            problems[wire.target] = ShapeMismatch(
                f"{before} ({wire.start}) cannot enter '{wire.end}': the parameter is {after}",
                node=wire.target,
            )


def refusal(
    graph: Graph, inference: Inference, wire: Wire, *, with_way: bool = False
) -> NodeflowError | None:
    """Return why a new wire's value cannot enter its node, or None; `with_way` what would do.

    Only that node is looked at, with what is known of the values at its other ports; a wire into
    a port that takes one stands in for the wire that is there.
    """
    type_ = graph.nodes[wire.target].known
    entering = inference.shapes.get(wire.start)
    if type_ is None or entering is None:
        return None
    inputs: list[tuple[Port, list[tuple[Wire, Shape]]]] = []
    for port in type_.ports_in(graph.nodes[wire.target].settings):
        if port.feedback:
            continue
        there = graph.inputs(wire.target).get(port.name, ())
        known = [(w, inference.shapes[w.start]) for w in there if w.start in inference.shapes]
        if port.name == wire.input:
            known = [*known, (wire, entering)] if port.many else [(wire, entering)]
        if not known and not port.optional and not isinstance(type_.shapes, Signature):
            return None
        inputs.append((port, known))
    error = _refused(graph, inference, wire, type_, inputs)
    if error is None or not with_way:
        return error
    return type(error)(f"{error}{_way(graph, inference, wire, type_, inputs)}", node=wire.target)


_Inputs = list[tuple[Port, list[tuple[Wire, Shape]]]]


def _refused(
    graph: Graph, inference: Inference, wire: Wire, type_: NodeType, inputs: _Inputs
) -> GraphError | None:
    try:
        if isinstance(type_.shapes, Signature):
            # What is not wired yet leaves the outputs open: only the inputs are compared.
            signature = replace(type_.shapes, outputs=())
            names, given = _given(type_, inputs, wire.target)
            signature.apply(names, given, wire.target, last=wire.input)
        else:
            _outputs(graph, wire.target, inputs, {}, inference.rows, data=False)
    except MissingInput:  # that wire may come yet
        return None
    except GraphError as error:
        return error
    return None


def _way(graph: Graph, inference: Inference, wire: Wire, type_: NodeType, inputs: _Inputs) -> str:
    """Return what would let a refused value in, or where it belongs; "" where nothing tells."""
    entering = inference.shapes[wire.start]
    if wire.input == "rate":
        return "; a constant, a slider or the graph's own rate (training.rate) is one"
    if fitting := _other_port(graph, inference, wire, type_, inputs):
        return f"; '{wire.target}.{fitting}' takes it"
    if type_.gives_delta and wire.input == "a":
        return "; wire in the output of the activation that δ belongs to"
    if type_.gives_delta:
        return "; `blame` leads the δ of the next layer back through its weights"
    known = {port.name: _join(port, there, wire.target) for port, there in inputs
             if there and port.name != wire.input}  # fmt: skip
    wanted = _wanted(wire.input, known, entering)
    if type_.takes_delta and (wanted is None or MOVED in known):
        said = {
            DELTA: "wire in the δ of the layer whose gradient it is",
            "a": "wire in what that layer takes",
            MOVED: "δ and a have to be those of the layer whose weights these are",
        }
        return f"; {said[wire.input]}" if wire.input in said else ""
    if wanted is None:
        return ""
    if not entering.batch:
        is_own = graph.nodes[wire.source].is_parameter
        return f"; give '{wire.source}' the shape {list(wanted.dims)}" if is_own else ""
    if (entering.features or 0) > (wanted.features or 0):
        return "; `pick` takes some of its features"
    return "; `concatenate` puts features of several values side by side"


def _other_port(
    graph: Graph, inference: Inference, wire: Wire, type_: NodeType, inputs: _Inputs
) -> str:
    """Return the one other port of a node that takes such a value, parameters or rows; or ""."""
    signature = type_.shapes
    if not isinstance(signature, Signature) or not (type_.family == "layer" or type_.takes_delta):
        return ""
    kind = "(n" if inference.shapes[wire.start].batch else "("
    fits = []
    for (port, _), pattern in zip(inputs, signature.inputs, strict=False):
        is_kind = pattern.startswith(kind) and (kind == "(n" or not pattern.startswith("(n"))
        if port.name == wire.input or not is_kind:
            continue
        moved = replace(wire, input=port.name)
        there = {port.name: [(moved, inference.shapes[wire.start])], wire.input: []}
        instead = [(one, there.get(one.name, wires)) for one, wires in inputs]
        if _refused(graph, inference, moved, type_, instead) is None:
            fits.append(port.name)
    return fits[0] if len(fits) == 1 else ""


def _wanted(port: str, known: Mapping[str, Shape], entering: Shape) -> Shape | None:
    """Return the shape that would fit beside those that are wired, where that is plain."""
    if port == "weights" and not entering.batch and len(entering.dims) == 2:
        if "a" in known:
            rows = known["bias"].features if "bias" in known else entering.dims[0]
            return Shape((rows, known["a"].features))
        if DELTA in known:
            return Shape((known[DELTA].features, entering.dims[1]))
    if port == "bias" and "weights" in known and len(entering.dims) == 1 and not entering.batch:
        return Shape((known["weights"].dims[0],))
    if not entering.batch:
        return None
    if "weights" in known and port in ("a", DELTA):
        return Shape.rows(known["weights"].dims[0 if port == DELTA else -1])
    other = known.get({"a": "y", "y": "a"}.get(port, ""))
    return Shape.rows(other.features) if other is not None else None

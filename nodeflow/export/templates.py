"""The formulas of a graph's steps as data: trees whose numbers a page reads from its cells.

They are what `nodeflow.workings` makes of a step, made once for each node: a number that came in
by a wire is an address and a place, whatever depends on the numbers is a choice in the tree. So a
page has no formulas of its own; it fills the trees, and writes them.

A tree is a number; `["@", address, row, column]`; `["n"]`, the samples of the update; or a head and
its parts, as in `nodeflow.workings.parts`. `["+rows", term]` is a sum over the rows of a pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.declare import CATALOG
from nodeflow.engine.run import Run
from nodeflow.engine.step import Step
from nodeflow.explain.names import layer_of, neuron_before
from nodeflow.explain.sentences import remark_kind
from nodeflow.graph import MOVED, Graph
from nodeflow.playback.predicting import worth_asking
from nodeflow.workings.bodies import body_of
from nodeflow.workings.given import Given
from nodeflow.workings.parts import SHOWN, Count, Number, Part

_ROWS = 3
"""Rows of a pass that the trees are made with: enough to see which sums run over rows."""
_MOST = 20_000
"""Parts of a tree; of a larger one a page has the result alone."""


def templates(run: Run) -> list[dict[str, Any]]:
    """Return what a page needs to write the formula of each step, in their order."""
    return [_template(run, key) for key in run.plan.order]


def _template(run: Run, key: str) -> dict[str, Any]:
    plan = run.plan
    type_ = plan.graph.type_of(key)
    found: dict[str, Any] = {
        "symbols": plan.formula(key),
        "outputs": [port.name for port in type_.outputs],
        "asks": bool(type_.outputs) and worth_asking(run, key),
    }
    if type_.outputs:
        shape = plan.inference.shapes[f"{key}.{type_.outputs[0].name}"]
        found["shape"] = [*([None] if shape.batch else []), *shape.dims]
    if type_.outputs:
        tree = _tree(run, key, type_.outputs[0].name)
        if tree is not None:
            found["tree"] = tree
    return found


def _tree(run: Run, key: str, port: str) -> list[Any] | None:
    step, addresses = _step(run, key)
    value = step.outputs[port]
    index, body = (0,) * value.ndim, body_of(step.type)
    if body is None:
        return None
    with np.errstate(all="ignore"):
        terms = body(Given(step, addresses), index)
        if len(terms) > _MOST:
            return None
        names = [address.partition("|")[0] for address in addresses.values()]
        names += [f"{key}.{name}" for name in step.outputs]
        return _sum(terms, {name: run.plan.inference.shapes[name].batch for name in names})


def _step(run: Run, key: str) -> tuple[Step, Mapping[str, str]]:
    """Return a step as it might be, and where its inputs come from."""
    plan = run.plan
    graph, shapes = plan.graph, plan.inference.shapes

    def some(address: str) -> NDArray[Any]:
        return np.full(shapes[address].array(_ROWS), 0.5)

    addresses, inputs = {}, {}
    for wire in graph.into(key):
        if graph.feeds_back(wire) or wire.start not in run.machine.tape.slots:
            continue
        name = wire.entry
        addresses[name], inputs[name] = wire.start, some(wire.start)
    for name, (start, index) in plan.sums(key).items():
        if index is not None:
            inputs[name] = np.atleast_2d(some(start))[:, index]
            addresses[name] = f"{start}|{','.join(map(str, index))}"
        else:
            addresses[name], inputs[name] = start, some(start)
    type_ = graph.type_of(key)
    return Step(
        epoch=0, update=0, sample=0, phase="", node=key, type=type_.name, inputs=inputs,
        outputs={port.name: some(f"{key}.{port.name}") for port in type_.outputs},
        symbols=plan.formula(key), activation=plan.activation(key),
        settings=graph.settings(key), samples=_ROWS,
    ), addresses  # fmt: skip


def _sum(terms: Sequence[Part], batched: Mapping[str, bool]) -> list[Any]:
    found = [_encoded(term, batched) for term in terms]
    if len(found) == _ROWS and found[0] != found[1]:
        moved = [_in_row(found[0], row, batched) for row in range(_ROWS)]
        if moved == found:
            return ["+rows", found[0]]
    return ["+", *found]


def _encoded(part: Part, batched: Mapping[str, bool]) -> Any:
    if isinstance(part, Count):
        return ["n"]
    if isinstance(part, Number):
        if not part.address:
            return part.value
        address, _, picked = part.address.partition("|")
        *rows, column = part.index or (0,)
        if picked:
            column = int(picked.split(",")[column])
        return ["@", address, rows[0] if rows else 0, column]
    if part.head == "+":
        return _sum(part.parts, batched)
    return [part.head, *(_encoded(each, batched) for each in part.parts)]


def _in_row(tree: Any, row: int, batched: Mapping[str, bool]) -> Any:
    """Return a tree with another row of what has one row per sample."""
    if not isinstance(tree, list):
        return tree
    if tree[0] == "@":
        return ["@", tree[1], row, tree[3]] if batched.get(tree[1]) else tree
    return [_in_row(each, row, batched) for each in tree]


_WITHOUT_KERNEL = frozenset(
    {"+", "-", "*", "/", "neg", "<", ">", "=", ">=", "?", "+rows", "largest", "place",
     "difference", "nothing"}
)  # fmt: skip
"""Heads of trees that are no functions: JavaScript has the same arithmetic."""


def functions(tree: Any, *, worth: bool = False) -> Iterator[str]:
    """Yield the functions that a page calls when it fills a tree and writes it.

    It wants to know what a part is worth (`worth`) where it has to choose, and in a long sum, whose
    largest terms are written out.
    """
    if not isinstance(tree, list) or tree[0] in ("@", "n"):
        return
    head, *parts = tree
    if worth and head not in _WITHOUT_KERNEL:
        yield head
    every = worth or head in ("+rows", "largest", "place", "difference")
    every = every or (head == "+" and len(parts) > SHOWN)
    for at, part in enumerate(parts):
        yield from functions(part, worth=every or (head == "?" and at == 0))


# --- sentences ----------------------------------------------------------------------------------


def remarks(run: Run) -> list[dict[str, Any]]:
    """Return what a page needs to say what each step did: which sentence, and the names in it."""
    return [_remark(run, key) for key in run.plan.order]


def _remark(run: Run, key: str) -> dict[str, Any]:
    step, addresses = _step(run, key)
    graph, kind = run.plan.graph, remark_kind(run, step)
    found: dict[str, Any] = {
        "kind": kind,
        "inputs": {name: address for name, address in addresses.items() if name in step.inputs},
    }
    match kind:
        case "added_up":
            found["width"] = Given(step).width
        case "activated":
            found["verb"] = CATALOG[step.type].verb
            found["shares"] = CATALOG[step.type].shares
        case "held_many":
            found["dataset"] = CATALOG[step.type].holds_data
        case "judged":
            found["threshold"] = step.settings["threshold"]
        case "sloped":
            found["activation"] = step.settings["activation"]
        case "sent_back":
            layer = layer_of(graph, graph.inputs(key)["weights"][0].start)
            found |= {"layer": layer, "before": _before(graph, layer) if layer else ["number ", 0]}
        case "moved":
            start = graph.inputs(key)[MOVED][0]
            if not graph.nodes[start.source].is_parameter:
                return {"kind": "calculated", "inputs": {}}
            layer = layer_of(graph, start.start)
            found |= {
                "name": start.source,
                "layer": layer,
                "before": _before(graph, layer) if layer else None,
                "bias": "" if layer else layer_of(graph, start.start, "bias"),
            }
    return found


def _before(graph: Graph, layer: str) -> list[Any]:
    """Return what stands before the number of a neuron's name, and whether that is a subscript."""
    name = neuron_before(graph, layer, 0)
    return [name[:-1], int(name.endswith("₁"))]

"""How each built-in type becomes rows of the tape. A type that is not here runs in Python."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from nodeflow import formula as formulas
from nodeflow.declare import NodeType, note_change
from nodeflow.derive.logits import Logits
from nodeflow.engine.cells import Layout, Product, Slot
from nodeflow.engine.kernel.language import Function
from nodeflow.engine.kernel.registry import join
from nodeflow.engine.kernel.scalar import SLOPES
from nodeflow.engine.kernel.sums import order_of_addition
from nodeflow.errors import DeclarationError
from nodeflow.graph import Graph
from nodeflow.shape import Shape

Lower = Callable[[Layout, dict[str, list[Slot]], Mapping[str, Any], Slot], None]


BLAS_FROM = 600_000
"""Products of so many multiplications are handed to BLAS: below, calling it costs too much."""


def _added(t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot) -> None:
    parts = inputs["a"]
    if len(parts) == 1:
        t.elementwise("copy", out, parts[0])
        return
    alike = Shape((out.cols,), batch=True) if out.rows == 0 else Shape((out.rows, out.cols))
    sums: dict[int, Slot] = {}
    for place, other in order_of_addition(len(parts)):
        one, two = sums.get(place, parts[place]), sums.get(other, parts[other])
        if place not in sums:
            sums[place] = t.fresh(alike) if place else out
        t.elementwise("add", sums[place], one, two)


def _multiplied(t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot) -> None:
    parts = inputs["a"]
    if len(parts) == 1:
        t.elementwise("copy", out, parts[0])
        return
    t.elementwise("multiply", out, parts[0], parts[1])
    for part in parts[2:]:
        t.elementwise("multiply", out, out, part)


def _one(op: str, name: str = "a") -> Lower:
    def lower(t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot) -> None:
        t.elementwise(op, out, inputs[name][0])

    return lower


def _weighted_sum(
    t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot
) -> None:
    a, weights = t.joined(inputs["a"]), inputs["weights"][0]
    bias = inputs["bias"][0] if inputs.get("bias") else None
    if _is_large(t, out, a.cols) and t.contiguous(a) and t.contiguous(out) and a.rows == out.rows:
        theta = Slot(weights.offset, out.cols, a.cols, a.cols)
        t.call(Product(out, a, theta, (False, True)))
        if bias is not None:
            t.elementwise("add", out, out, Slot(bias.offset, 1, out.cols, out.cols))
        return
    t.emit(
        "weighted_sum", rows=out.rows, cols=out.cols, dst=out.offset, dst_r=out.stride,
        a=a.offset, a_r=a.across(a.cols)[1], weights=weights.offset,
        bias=-1 if bias is None else bias.offset, inner=a.cols,
    )  # fmt: skip


def _is_large(t: Layout, out: Slot, inner: int) -> bool:
    return (out.rows or t.capacity) * out.cols * inner >= BLAS_FROM


def _blame(t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot) -> None:
    delta, weights = inputs["delta"][0], inputs["weights"][0]
    if (
        _is_large(t, out, delta.cols)
        and t.contiguous(delta)
        and t.contiguous(out)
        and delta.rows == out.rows
    ):
        theta = Slot(weights.offset, delta.cols, out.cols, out.cols)
        t.call(Product(out, delta, theta, (False, False)))
        return
    t.emit(
        "blame", rows=out.rows, cols=out.cols, dst=out.offset, dst_r=out.stride,
        delta=delta.offset, delta_r=delta.across(delta.cols)[1], weights=weights.offset,
        inner=delta.cols,
    )  # fmt: skip


def _weight_gradient(
    t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot
) -> None:
    delta, a = inputs["delta"][0], t.joined(inputs["a"])
    rows = 0 if 0 in (delta.rows, a.rows) else max(delta.rows, a.rows)
    samples = rows or t.capacity
    alike = t.contiguous(delta) and t.contiguous(a) and delta.rows == a.rows
    if samples * a.cols * delta.cols >= BLAS_FROM and alike:
        t.call(Product(Slot(out.offset, delta.cols, a.cols, a.cols), delta, a, (True, False)))
        return
    t.emit(
        "weight_gradient", rows=rows, cols=a.cols, dst=out.offset, outputs=delta.cols,
        delta=delta.offset, delta_r=delta.across(delta.cols)[1], a=a.offset,
        a_r=a.across(a.cols)[1],
    )  # fmt: skip


def _bias_gradient(
    t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot
) -> None:
    delta = inputs["delta"][0]
    t.emit(
        "bias_gradient", rows=delta.rows, cols=delta.cols, dst=out.offset, delta=delta.offset,
        delta_r=delta.stride,
    )  # fmt: skip


def _accumulate(t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot) -> None:
    gradient = inputs["gradient"][0]
    if t.plan.loop:
        t.whole("accumulate", out, gradient.offset)
    else:
        t.elementwise("copy", out, gradient)


def decay_of(graph: Graph, average: str) -> float:
    """Return the λ of an `average` node: 0 where no weights are wired to it."""
    wired = any(wire.input == "weights" for wire in graph.into(average))
    return float(graph.settings(average)["regularization"]) if wired else 0.0


def _average(
    t: Layout, inputs: dict[str, list[Slot]], settings: Mapping[str, Any], out: Slot
) -> None:
    total = inputs["total"][0]
    weights = inputs.get("weights")
    theta = weights[0].offset if weights else total.offset
    decay = t.literal(settings["regularization"] if weights else 0.0).offset
    t.whole("average", out, total.offset, theta, decay)


def _update(t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot) -> None:
    theta, gradient = inputs["parameter"][0].offset, inputs["gradient"][0].offset
    t.whole("update", out, theta, gradient, inputs["rate"][0].offset)


def _delta(
    t: Layout, inputs: dict[str, list[Slot]], settings: Mapping[str, Any], out: Slot
) -> None:
    blame, a = inputs["blame"][0], inputs["a"][0]
    activation = settings["activation"]
    if activation == "identity":
        t.elementwise("copy", out, blame)
    elif activation == "softmax":
        at, blame_r, blame_c = blame.across(out.cols)
        t.emit(
            "delta_softmax", rows=out.rows, cols=out.cols, dst=out.offset, dst_r=out.stride,
            blame=at, blame_r=blame_r, blame_c=blame_c, a=a.offset, a_r=a.across(a.cols)[1],
        )  # fmt: skip
    else:
        t.elementwise(SLOPES[activation], out, blame, a)


def _cost(name: str, scale: Callable[[Mapping[str, Any]], float] = lambda settings: 1.0) -> Lower:
    """Lower a sum over the features of two rows."""

    def lower(
        t: Layout, inputs: dict[str, list[Slot]], settings: Mapping[str, Any], out: Slot
    ) -> None:
        a, y = inputs["a"][0], inputs["y"][0]
        t.emit(
            name, rows=out.rows, dst=out.offset, dst_r=out.stride, inner=a.cols,
            a=a.offset, a_r=a.across(a.cols)[1], b=y.offset, b_r=y.across(y.cols)[1],
            scale=t.literal(scale(settings)).offset,
        )  # fmt: skip

    return lower


def _accuracy(
    t: Layout, inputs: dict[str, list[Slot]], settings: Mapping[str, Any], out: Slot
) -> None:
    a, y = inputs["a"][0], inputs["y"][0]
    t.emit(
        "accuracy", rows=out.rows, inner=a.cols, dst=out.offset, dst_r=out.stride,
        a=a.offset, a_r=a.across(a.cols)[1], y=y.offset, y_r=y.across(y.cols)[1],
        threshold=t.literal(float(settings["threshold"])).offset,
    )  # fmt: skip


def _softmax_error(
    t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot
) -> None:
    a, y = inputs["a"][0], inputs["y"][0]
    t.emit(
        "softmax_error", rows=out.rows, cols=out.cols, dst=out.offset, dst_r=out.stride,
        a=a.offset, a_r=a.across(a.cols)[1], y=y.offset, y_r=y.across(y.cols)[1],
    )  # fmt: skip


def _softmax(t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot) -> None:
    z = inputs["z"][0]
    t.emit(
        "softmax", rows=out.rows, cols=out.cols, dst=out.offset, dst_r=out.stride,
        a=z.offset, a_r=z.across(z.cols)[1],
    )  # fmt: skip


def _cost_blame(name: str) -> Lower:
    def lower(t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot) -> None:
        t.elementwise(name, out, inputs["blame"][0], inputs["a"][0], inputs["y"][0])

    return lower


def _sum(t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot) -> None:
    a = inputs["a"][0]
    a_r = a.across(a.cols)[1]
    t.emit(
        "sum", rows=out.rows, dst=out.offset, dst_r=out.stride, inner=a.cols,
        a=a.offset, a_r=a_r, b=a.offset, b_r=a_r, scale=t.literal(1.0).offset,
    )  # fmt: skip


def _mean(t: Layout, inputs: dict[str, list[Slot]], settings: Mapping[str, Any], out: Slot) -> None:
    _sum(t, inputs, settings, out)
    t.elementwise("divide", out, out, t.literal(float(inputs["a"][0].cols)))


def _mean_blame(t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot) -> None:
    t.elementwise("divide", out, inputs["blame"][0], t.literal(float(out.cols)))


def _penalty(
    t: Layout, inputs: dict[str, list[Slot]], settings: Mapping[str, Any], out: Slot
) -> None:
    # One sum over all numbers, so that its order is that of the numbers and not of the wires.
    flat = [Slot(theta.offset, 1, theta.size, theta.size) for theta in inputs["weights"]]
    size = sum(theta.size for theta in flat)
    first = flat[0].offset
    if any(one.offset + one.size != two.offset for one, two in pairwise(flat)):
        whole = t.fresh(Shape((1, size)))
        t.copy_parts(whole, flat)
        first = whole.offset
    # A cell of its own: λ can be changed in a page, and another node's ½ must stay.
    scale = t.take(1)
    t.arrays[scale] = np.array([0.5 * settings["regularization"]])
    t.emit("penalty", dst=out.offset, theta=first, size=size, scale=scale)


def _concatenate(t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot) -> None:
    t.copy_parts(out, inputs["a"])


def indices_of(settings: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the features that a `pick` takes."""
    index = settings["index"]
    return index if isinstance(index, tuple) else (index,)


def _pick(t: Layout, inputs: dict[str, list[Slot]], settings: Mapping[str, Any], out: Slot) -> None:
    a = inputs["a"][0]
    if out.offset == a.offset + indices_of(settings)[0] and out.stride == a.stride:
        return  # a view: nothing to do
    for place, index in enumerate(indices_of(settings)):
        source = Slot(a.offset + index, a.rows, 1, a.stride)
        t.elementwise("copy", Slot(out.offset + place, out.rows, 1, out.stride), source)


def _pick_blame(
    t: Layout, inputs: dict[str, list[Slot]], settings: Mapping[str, Any], out: Slot
) -> None:
    blame = inputs["blame"][0]
    indices = indices_of(settings)
    at = t.take(len(indices))
    for place, index in enumerate(indices):
        t.literals[at + place] = float(index)
    where, a_r, a_c = blame.across(len(indices))
    t.emit(
        "unpick", rows=out.rows, cols=out.cols, dst=out.offset, dst_r=out.stride, blame=where,
        blame_r=a_r, blame_c=a_c, count=len(indices), indices=at,
    )  # fmt: skip


_FORMULA_OPS = {
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power",
    "max": "maximum", "min": "minimum", "exp": "exp", "log": "log", "sqrt": "sqrt",
    "sin": "sin", "cos": "cos", "tanh": "tanh", "sigmoid": "sigmoid", "erf": "erf",
    "abs": "abs", "sign": "sign", "step": "step",
}  # fmt: skip


def _formula(
    t: Layout, tree: formulas.Expression, inputs: dict[str, list[Slot]], out: Slot
) -> None:
    """Add the rows of a formula, one for each operation."""

    def place(part: formulas.Expression, into: Slot | None = None) -> Slot:
        if part[0] == "number":
            found = t.literal(part[1])
        elif part[0] == "name":
            found = inputs[part[1]][0]
        else:
            operands = [place(inner) for inner in part[1:]]
            target = into or t.fresh(
                Shape((out.cols,), batch=True) if out.rows == 0 else Shape((out.rows, out.cols))
            )
            t.elementwise(_FORMULA_OPS[part[0]], target, *operands)
            return target
        if into is not None:
            t.elementwise("copy", into, found)
        return found

    place(tree, out)


def _expression(
    t: Layout, inputs: dict[str, list[Slot]], settings: Mapping[str, Any], out: Slot
) -> None:
    _formula(t, formulas.parse(settings["formula"]), inputs, out)


def _calculated(type_: NodeType) -> Lower:
    """Return the rows of what a type says that it calculates."""

    def lower(
        t: Layout, inputs: dict[str, list[Slot]], settings: Mapping[str, Any], out: Slot
    ) -> None:
        tree = type_.calculated(settings)
        if not type_.adds_up:
            _formula(t, tree, inputs, out)
            return
        width = max(slots[0].cols for slots in inputs.values())
        shape = Shape((width,), batch=True) if out.rows == 0 else Shape((out.rows, width))
        each = t.fresh(shape)
        _formula(t, tree, inputs, each)
        _sum(t, {"a": [each]}, settings, out)

    return lower


def _log_shares(name: str) -> Lower:
    def lower(t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot) -> None:
        _emit_log_shares(t, name, inputs["z"][0], out)

    return lower


def _emit_log_shares(t: Layout, name: str, z: Slot, out: Slot) -> None:
    t.emit(
        name, rows=out.rows, cols=out.cols, dst=out.offset, dst_r=out.stride, a=z.offset,
        a_r=z.across(z.cols)[1],
    )  # fmt: skip


LOWER: dict[str, Lower] = {
    "weighted_sum": _weighted_sum,
    "relu": _one("relu", "z"),
    "leaky_relu": _one("leaky_relu", "z"),
    "softplus": _one("softplus", "z"),
    "softmax": _softmax,
    "add": _added,
    "multiply": _multiplied,
    "sum": _sum,
    "mean": _mean,
    "concatenate": _concatenate,
    "pick": _pick,
    "expression": _expression,
    "squared_error": _cost("squared_error", lambda settings: 0.5 if settings["half"] else 1.0),
    "cross_entropy": _cost("cross_entropy"),
    "categorical_cross_entropy": _cost("categorical_cross_entropy"),
    "accuracy": _accuracy,
    "softmax_error": _softmax_error,
    "log_softmax": _log_shares("log_softmax"),
    "log_others": _log_shares("log_others"),
    "l2_penalty": _penalty,
    "blame": _blame,
    "delta": _delta,
    "weight_gradient": _weight_gradient,
    "bias_gradient": _bias_gradient,
    "accumulate": _accumulate,
    "average": _average,
    "weight_update": _update,
    "spread": _one("copy", "blame"),
    "mean_blame": _mean_blame,
    "pick_blame": _pick_blame,
    "cross_entropy_blame": _cost_blame("cross_entropy_blame"),
    "categorical_cross_entropy_blame": _cost_blame("categorical_blame"),
}
"""Rows of built-in types; others have those of their calculation, or their function is called."""


def compute_by(type_: NodeType, function: Function) -> None:
    """Let a node type be computed number by number, by a function in the kernel's language.

    The function has a parameter for each input, in their order, and gives the only output; see
    `nodeflow.engine.kernel.language`. It is to give what the type's own function gives, which goes
    on to serve arrays. Raises `DeclarationError` where it does not fit the type, or cannot be
    compiled.
    """
    ports = [port.name for port in type_.inputs]
    single = len(type_.outputs) == 1 and not any(port.many for port in type_.inputs)
    count = len(inspect.signature(function).parameters)
    if not single or type_.dynamic_inputs or count != len(ports):
        raise DeclarationError(
            f"'{type_.name}' cannot be computed number by number by {function.__name__}: it needs "
            "an output and a parameter of the function for each input"
        )
    operation = join(type_.name, function)

    def lower(t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot) -> None:
        t.elementwise(operation.name, out, *(inputs[port][0] for port in ports))

    _COMPUTED[type_.name] = type_, lower
    note_change()


_COMPUTED: dict[str, tuple[NodeType, Lower]] = {}
"""Types that are computed by a function of their own: that very type, not another of its name."""


def lower_of(type_: NodeType) -> Lower | None:
    """Return how a type becomes rows; None if its function is called."""
    own, lower = _COMPUTED.get(type_.name, (None, None))
    if own is type_:
        return lower
    known = LOWER.get(type_.name)
    return _calculated(type_) if known is None and type_.calculation else known


# --- costs that are computed from weighted sums --------------------------------------------------

SumsLower = Callable[[Layout, Logits, Slot, Slot], None]


def sums_of(t: Layout, known: Logits, slots: Mapping[str, Slot] | None = None) -> Slot:
    """Return the weighted sums behind a cost's outputs as one value, in the outputs' order.

    `slots` holds what was made of them, feature by feature, by their address.
    """
    slots = t.slots if slots is None else slots
    found: list[Slot] = []
    for part in known.parts:
        whole = slots[part.z]
        if part.index is None:
            found.append(whole)
            continue
        found += [Slot(whole.offset + i, whole.rows, 1, whole.stride) for i in part.index]
    return t.joined(found)


def _sum_with_targets(
    t: Layout, name: str, z: Slot, y: Slot, out: Slot, scale: float = 1.0
) -> None:
    """Add the row of a sum over z and targets."""
    t.emit(
        name, rows=out.rows, dst=out.offset, dst_r=out.stride, inner=z.cols, a=z.offset,
        a_r=z.across(z.cols)[1], b=y.offset, b_r=y.across(y.cols)[1],
        scale=t.literal(scale).offset,
    )  # fmt: skip


def _cross_entropy_of_sigmoid(t: Layout, known: Logits, y: Slot, out: Slot) -> None:
    _sum_with_targets(t, "cross_entropy_logits", sums_of(t, known), y, out)


def _categorical_of_sigmoid(t: Layout, known: Logits, y: Slot, out: Slot) -> None:
    z, minus = sums_of(t, known), t.literal(-1.0)
    log = t.fresh(Shape((z.cols,), batch=True) if z.rows == 0 else Shape((1, z.cols)))
    t.elementwise("multiply", log, minus, z)
    t.elementwise("softplus", log, log)  # −ln a
    _sum_with_targets(t, "sum_of_products", log, y, out)


def _logs(t: Layout, name: str, z: Slot) -> Slot:
    """Add the row that makes a logarithm a share from weighted sums."""
    log = t.fresh(Shape((z.cols,), batch=True) if z.rows == 0 else Shape((1, z.cols)))
    _emit_log_shares(t, name, z, log)
    return log


def _of_softmax(t: Layout, known: Logits, name: str) -> Slot:
    addresses = dict.fromkeys(part.z for part in known.parts)
    return sums_of(t, known, {address: _logs(t, name, t.slots[address]) for address in addresses})


def _categorical_of_softmax(t: Layout, known: Logits, y: Slot, out: Slot) -> None:
    _sum_with_targets(t, "sum_of_products", _of_softmax(t, known, "log_softmax"), y, out, -1.0)


def _cross_entropy_of_softmax(t: Layout, known: Logits, y: Slot, out: Slot) -> None:
    logs = [_of_softmax(t, known, name) for name in ("log_softmax", "log_others")]
    missed = t.fresh(Shape((y.cols,), batch=True) if y.rows == 0 else Shape((1, y.cols)))
    t.elementwise("subtract", missed, t.literal(1.0), y)
    both, wanted = t.joined(logs), t.joined([y, missed])
    _sum_with_targets(t, "sum_of_products", both, wanted, out, -1.0)


def _softmax_binary_error(
    t: Layout, inputs: dict[str, list[Slot]], _: Mapping[str, Any], out: Slot
) -> None:
    z, y, missed = inputs["z"][0], inputs["y"][0], inputs["missed"][0]
    share, rest = (_logs(t, name, z) for name in ("log_softmax", "log_others"))
    t.emit(
        "softmax_binary_error", rows=out.rows, cols=out.cols, dst=out.offset, dst_r=out.stride,
        a=share.offset, a_r=share.across(share.cols)[1], b=rest.offset,
        b_r=rest.across(rest.cols)[1], y=y.offset, y_r=y.across(y.cols)[1],
        missed=missed.offset, missed_r=missed.across(missed.cols)[1],
    )  # fmt: skip


LOWER["softmax_binary_error"] = _softmax_binary_error
LOWER_OF_SUMS: dict[tuple[str, str], SumsLower] = {
    ("cross_entropy", "sigmoid"): _cross_entropy_of_sigmoid,
    ("cross_entropy", "softmax"): _cross_entropy_of_softmax,
    ("categorical_cross_entropy", "sigmoid"): _categorical_of_sigmoid,
    ("categorical_cross_entropy", "softmax"): _categorical_of_softmax,
}
"""The rows of a cost that is computed from the weighted sums before an activation."""


WHOLE = ("accumulate", "average", "weight_update")
"""Types whose rows run over all numbers of a value at once."""


def alike(t: Layout, inputs: dict[str, list[Slot]], out: Slot) -> bool:
    """Return whether all values but a rate have the shape of the result, without gaps."""
    batched, size, form = out.rows == 0, out.size, out[1:]
    if (batched and t.capacity > 1) or not t.contiguous(out):
        return False
    for name, there in inputs.items():
        for part in there if name != "rate" else ():
            if part[1:] == form:
                continue
            if (part.rows == 0) != batched or part.size != size or not t.contiguous(part):
                return False
    return True

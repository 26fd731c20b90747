"""How each built-in type becomes rows of the tape. A type that is not here runs in Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nodeflow import formula as formulas
from nodeflow.derive.logits import Logits
from nodeflow.engine import ops as o
from nodeflow.engine.cells import Layout, Slot
from nodeflow.shape import Shape

Lower = Callable[[Layout, dict[str, list[Slot]], dict[str, Any], Slot], None]


def _many(op: int) -> Lower:
    def lower(t: Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
        parts = inputs["a"]
        if len(parts) == 1:
            t.elementwise(o.COPY, out, parts[0])
            return
        t.elementwise(op, out, parts[0], parts[1])
        for part in parts[2:]:
            t.elementwise(op, out, out, part)

    return lower


def _two(op: int, first: str = "a", second: str = "b") -> Lower:
    def lower(t: Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
        t.elementwise(op, out, inputs[first][0], inputs[second][0])

    return lower


def _one(op: int, name: str = "a") -> Lower:
    def lower(t: Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
        t.elementwise(op, out, inputs[name][0])

    return lower


def _weighted_sum(t: Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
    a = t.joined(inputs["a"])
    bias = inputs["bias"][0].offset + 1 if inputs.get("bias") else 0
    t.emit(
        o.WEIGHTED_SUM, ROWS=out.rows, COLS=out.cols, DST=out.offset, DST_R=out.stride,
        A=a.offset, A_R=a.across(a.cols)[1], B=inputs["weights"][0].offset, C=bias, INNER=a.cols,
    )  # fmt: skip


def _blame(t: Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
    a = inputs["delta"][0]
    t.emit(
        o.BLAME, ROWS=out.rows, COLS=out.cols, DST=out.offset, DST_R=out.stride,
        A=a.offset, A_R=a.across(a.cols)[1], B=inputs["weights"][0].offset, INNER=a.cols,
    )  # fmt: skip


def _weight_gradient(
    t: Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot
) -> None:
    delta, a = inputs["delta"][0], t.joined(inputs["a"])
    rows = 0 if 0 in (delta.rows, a.rows) else 1
    t.emit(
        o.WEIGHT_GRADIENT, ROWS=rows, COLS=a.cols, DST=out.offset, INNER=delta.cols,
        A=delta.offset, A_R=delta.across(delta.cols)[1], B=a.offset, B_R=a.across(a.cols)[1],
    )  # fmt: skip


def _bias_gradient(t: Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
    delta = inputs["delta"][0]
    t.emit(
        o.BIAS_GRADIENT, ROWS=delta.rows, COLS=delta.cols, DST=out.offset, A=delta.offset,
        A_R=delta.stride,
    )  # fmt: skip


def _accumulate(t: Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
    t.emit(
        o.ACCUMULATE if t.plan.loop else o.COPY, ROWS=out.rows and 1, COLS=out.size,
        DST=out.offset, DST_R=out.cols, A=inputs["gradient"][0].offset, A_R=out.cols, A_C=1,
    )  # fmt: skip


def _average(t: Layout, inputs: dict[str, list[Slot]], settings: dict[str, Any], out: Slot) -> None:
    weights = inputs.get("weights") or inputs["total"]
    decay = settings["regularization"] if inputs.get("weights") else 0.0
    t.emit(
        o.AVERAGE, ROWS=out.rows and 1, COLS=out.size, DST=out.offset, A=inputs["total"][0].offset,
        B=weights[0].offset, D=t.literal(decay).offset,
    )  # fmt: skip


def _update(t: Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
    t.emit(
        o.UPDATE, ROWS=out.rows and 1, COLS=out.size, DST=out.offset,
        A=inputs["parameter"][0].offset, B=inputs["gradient"][0].offset, C=inputs["rate"][0].offset,
    )  # fmt: skip


def _delta(t: Layout, inputs: dict[str, list[Slot]], settings: dict[str, Any], out: Slot) -> None:
    blame, a = inputs["blame"][0], inputs["a"][0]
    which = {
        "sigmoid": o.DELTA_SIGMOID,
        "tanh": o.DELTA_TANH,
        "relu": o.DELTA_RELU,
        "leaky_relu": o.DELTA_LEAKY_RELU,
        "softplus": o.DELTA_SOFTPLUS,
        "softmax": o.DELTA_SOFTMAX,
    }
    if settings["activation"] == "identity":
        t.elementwise(o.COPY, out, blame)
    else:
        t.elementwise(which[settings["activation"]], out, blame, a)


def _paired(op: int, scale: Callable[[dict[str, Any]], float] = lambda settings: 1.0) -> Lower:
    """Lower an operation over the features of two rows, such as a cost."""

    def lower(
        t: Layout, inputs: dict[str, list[Slot]], settings: dict[str, Any], out: Slot
    ) -> None:
        a, y = inputs["a"][0], inputs["y"][0]
        t.emit(
            op, ROWS=out.rows, COLS=out.cols, DST=out.offset, DST_R=out.stride, INNER=a.cols,
            A=a.offset, A_R=a.across(a.cols)[1], B=y.offset, B_R=y.across(y.cols)[1],
            D=t.literal(scale(settings)).offset,
        )  # fmt: skip

    return lower


def _cost_blame(op: int) -> Lower:
    def lower(t: Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
        blame, a, y = inputs["blame"][0], inputs["a"][0], inputs["y"][0]
        at, a_r, a_c = blame.across(out.cols)
        t.emit(
            op, ROWS=out.rows, COLS=out.cols, DST=out.offset, DST_R=out.stride,
            A=at, A_R=a_r, A_C=a_c, B=a.offset, B_R=a.across(a.cols)[1],
            C=y.offset, D=y.across(y.cols)[1],
        )  # fmt: skip

    return lower


def _over_features(op: int) -> Lower:
    def lower(t: Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
        a = inputs["a"][0]
        t.emit(
            op, ROWS=out.rows, COLS=out.cols, DST=out.offset, DST_R=out.stride, INNER=a.cols,
            A=a.offset, A_R=a.across(a.cols)[1],
        )  # fmt: skip

    return lower


def _penalty(t: Layout, inputs: dict[str, list[Slot]], settings: dict[str, Any], out: Slot) -> None:
    for number, theta in enumerate(inputs["weights"]):
        t.emit(
            o.PENALTY, ROWS=1, COLS=1, DST=out.offset, A=theta.offset, INNER=theta.size,
            D=t.literal(0.5 * settings["regularization"]).offset, FLAG=0 if number else 2,
        )  # fmt: skip


def _power(t: Layout, inputs: dict[str, list[Slot]], settings: dict[str, Any], out: Slot) -> None:
    t.elementwise(o.POWER, out, inputs["a"][0], t.literal(settings["exponent"]))


def _concatenate(t: Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot) -> None:
    t.copy_parts(out, inputs["a"])


def indices_of(settings: dict[str, Any]) -> tuple[int, ...]:
    """Return the features that a `pick` takes."""
    index = settings["index"]
    return index if isinstance(index, tuple) else (index,)


def _pick(t: Layout, inputs: dict[str, list[Slot]], settings: dict[str, Any], out: Slot) -> None:
    a = inputs["a"][0]
    if out.offset == a.offset + indices_of(settings)[0] and out.stride == a.stride:
        return  # a view: nothing to do
    for place, index in enumerate(indices_of(settings)):
        source = Slot(a.offset + index, a.rows, 1, a.stride)
        t.elementwise(o.COPY, Slot(out.offset + place, out.rows, 1, out.stride), source)


def _pick_blame(
    t: Layout, inputs: dict[str, list[Slot]], settings: dict[str, Any], out: Slot
) -> None:
    blame = inputs["blame"][0]
    indices = indices_of(settings)
    at = t.take(len(indices))
    for place, index in enumerate(indices):
        t.literals[at + place] = float(index)
    where, a_r, a_c = blame.across(len(indices))
    t.emit(
        o.UNPICK, ROWS=out.rows, COLS=out.cols, DST=out.offset, DST_R=out.stride, A=where,
        A_R=a_r, A_C=a_c, INNER=len(indices), C=at,
    )  # fmt: skip


_FORMULA_OPS = {
    "+": o.ADD, "-": o.SUBTRACT, "*": o.MULTIPLY, "/": o.DIVIDE, "**": o.POWER,
    "max": o.MAXIMUM, "min": o.MINIMUM, "exp": o.EXP, "log": o.LOG, "sqrt": o.SQRT,
    "sin": o.SIN, "cos": o.COS, "tanh": o.TANH, "sigmoid": o.SIGMOID, "abs": o.ABS,
    "sign": o.SIGN, "step": o.STEP,
}  # fmt: skip


def _expression(
    t: Layout, inputs: dict[str, list[Slot]], settings: dict[str, Any], out: Slot
) -> None:
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
            t.elementwise(o.COPY, into, found)
        return found

    place(formulas.parse(settings["formula"]), out)


LOWER: dict[str, Lower] = {
    "weighted_sum": _weighted_sum,
    "sigmoid": _one(o.SIGMOID, "z"),
    "tanh": _one(o.TANH, "z"),
    "relu": _one(o.RELU, "z"),
    "leaky_relu": _one(o.LEAKY_RELU, "z"),
    "softplus": _one(o.SOFTPLUS, "z"),
    "identity": _one(o.COPY, "z"),
    "softmax": _one(o.SOFTMAX, "z"),
    "add": _many(o.ADD),
    "multiply": _many(o.MULTIPLY),
    "subtract": _two(o.SUBTRACT),
    "divide": _two(o.DIVIDE),
    "power": _power,
    "relay": _one(o.COPY),
    "exp": _one(o.EXP),
    "log": _one(o.LOG),
    "sum": _over_features(o.SUM),
    "mean": _over_features(o.MEAN),
    "concatenate": _concatenate,
    "pick": _pick,
    "expression": _expression,
    "error": _two(o.SUBTRACT, "a", "y"),
    "squared_error": _paired(o.SQUARED_ERROR, lambda settings: 0.5 if settings["half"] else 1.0),
    "cross_entropy": _paired(o.CROSS_ENTROPY),
    "categorical_cross_entropy": _paired(o.CATEGORICAL_CROSS_ENTROPY),
    "accuracy": _paired(o.ACCURACY, lambda settings: float(settings["threshold"])),
    "softmax_error": _paired(o.SOFTMAX_ERROR),
    "log_softmax": _one(o.LOG_SOFTMAX, "z"),
    "log_others": _one(o.LOG_OTHERS, "z"),
    "l2_penalty": _penalty,
    "blame": _blame,
    "delta": _delta,
    "weight_gradient": _weight_gradient,
    "bias_gradient": _bias_gradient,
    "accumulate": _accumulate,
    "average": _average,
    "weight_update": _update,
    "spread": _one(o.COPY, "blame"),
    "mean_blame": _one(o.MEAN_BLAME, "blame"),
    "pick_blame": _pick_blame,
    "cross_entropy_blame": _cost_blame(o.CROSS_ENTROPY_BLAME),
    "categorical_cross_entropy_blame": _cost_blame(o.CATEGORICAL_CROSS_ENTROPY_BLAME),
}
"""The row kernel of each built-in type; a type that is not here runs through its function."""


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


def _paired_sums(op: int, z: Slot, t: Layout, y: Slot, out: Slot) -> None:
    t.emit(
        op, ROWS=out.rows, COLS=out.cols, DST=out.offset, DST_R=out.stride, INNER=z.cols,
        A=z.offset, A_R=z.across(z.cols)[1], B=y.offset, B_R=y.across(y.cols)[1],
    )  # fmt: skip


def _cross_entropy_of_sigmoid(t: Layout, known: Logits, y: Slot, out: Slot) -> None:
    _paired_sums(o.CROSS_ENTROPY_LOGITS, sums_of(t, known), t, y, out)


def _categorical_of_sigmoid(t: Layout, known: Logits, y: Slot, out: Slot) -> None:
    z, minus = sums_of(t, known), t.literal(-1.0)
    log = t.fresh(Shape((z.cols,), batch=True) if z.rows == 0 else Shape((1, z.cols)))
    t.elementwise(o.MULTIPLY, log, minus, z)
    t.elementwise(o.SOFTPLUS, log, log)
    t.elementwise(o.MULTIPLY, log, minus, log)
    _paired_sums(o.SURPRISE, log, t, y, out)


def _logs(t: Layout, op: int, z: Slot) -> Slot:
    """Add the row that makes a logarithm a share from weighted sums."""
    log = t.fresh(Shape((z.cols,), batch=True) if z.rows == 0 else Shape((1, z.cols)))
    t.elementwise(op, log, z)
    return log


def _of_softmax(t: Layout, known: Logits, op: int) -> Slot:
    addresses = dict.fromkeys(part.z for part in known.parts)
    return sums_of(t, known, {address: _logs(t, op, t.slots[address]) for address in addresses})


def _categorical_of_softmax(t: Layout, known: Logits, y: Slot, out: Slot) -> None:
    _paired_sums(o.SURPRISE, _of_softmax(t, known, o.LOG_SOFTMAX), t, y, out)


def _cross_entropy_of_softmax(t: Layout, known: Logits, y: Slot, out: Slot) -> None:
    logs = [_of_softmax(t, known, op) for op in (o.LOG_SOFTMAX, o.LOG_OTHERS)]
    missed = t.fresh(Shape((y.cols,), batch=True) if y.rows == 0 else Shape((1, y.cols)))
    t.elementwise(o.SUBTRACT, missed, t.literal(1.0), y)
    _paired_sums(o.SURPRISE, t.joined(logs), t, t.joined([y, missed]), out)


def _softmax_binary_error(
    t: Layout, inputs: dict[str, list[Slot]], _: dict[str, Any], out: Slot
) -> None:
    z, y, missed = inputs["z"][0], inputs["y"][0], inputs["missed"][0]
    share, rest = (_logs(t, op, z) for op in (o.LOG_SOFTMAX, o.LOG_OTHERS))
    t.emit(
        o.SOFTMAX_BINARY_ERROR, ROWS=out.rows, COLS=out.cols, DST=out.offset, DST_R=out.stride,
        A=share.offset, A_R=share.across(share.cols)[1], B=rest.offset,
        B_R=rest.across(rest.cols)[1], C=y.offset, D=y.across(y.cols)[1],
        INNER=missed.offset, FLAG=missed.across(missed.cols)[1],
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
    parts = [out, *(slot for name, there in inputs.items() if name != "rate" for slot in there)]
    return all(
        t.contiguous(part) and (part.rows == 0) == (out.rows == 0) and part.size == out.size
        for part in parts
    )

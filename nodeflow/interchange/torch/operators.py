"""What a call of an operator is here: an activation, a product and a sum with known numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nodeflow.interchange.layers import Activation, Affine, Floats, clipped
from nodeflow.interchange.naming import known
from nodeflow.interchange.torch.program import Call, Ref

_ACTIVATIONS = {
    "elu": "elu", "selu": "selu",
    "silu": "silu", "hardsigmoid": "hard_sigmoid", "hardswish": "hard_silu", "relu6": "relu6",
    "log_sigmoid": "log_sigmoid", "mish": "mish", "exp": "exponential", "sin": "sin",
    "cos": "cos", "abs": "abs", "erf": "erf", "special_erf": "erf", "square": "square",
    "rsqrt": "rsqrt", "exp2": "exp2", "special_exp2": "exp2", "expm1": "expm1",
    "special_expm1": "expm1", "log1p": "log1p", "special_log1p": "log1p",
}  # fmt: skip
OF_TWO_VALUES = ("add", "sub", "rsub", "mul", "div", "pow", "maximum", "minimum")
COMPARED = {"gt": "greater", "lt": "less", "ge": "greater_equal", "le": "less_equal"}
UNCHANGED = ("clone", "detach", "alias", "contiguous", "lift_fresh_copy", "to", "_to_copy")
_OF_TWO_ARRAYS: Mapping[str, Any] = {
    "mul": np.multiply, "add": np.add, "sub": np.subtract, "div": np.divide,
}  # fmt: skip


def of_weights(call: Call, arrays: Sequence[Floats]) -> Floats | None:
    """Return what is computed of weights alone: turned, masked, or from length and direction."""
    operator, given = call.operator, call.given
    if operator in UNCHANGED and len(arrays) == 1:
        return arrays[0]
    if operator in ("t", "numpy_T") and len(arrays) == 1:
        return arrays[0].T
    if operator == "transpose" and len(arrays) == 1:
        return np.swapaxes(arrays[0], given["dim0"], given["dim1"])
    if operator == "permute" and len(arrays) == 1:
        return np.transpose(arrays[0], [int(axis) for axis in given["dims"]])
    if operator in _OF_TWO_ARRAYS and len(arrays) == 2 and given.get("alpha", 1) == 1:
        return np.asarray(_OF_TWO_ARRAYS[operator](*arrays))
    if operator == "_weight_norm" and len(arrays) == 2:
        direction, length = arrays
        axes = tuple(a for a in range(direction.ndim) if a != given.get("dim", 0))
        return np.asarray(direction * (length / np.sqrt((direction**2).sum(axes, keepdims=True))))
    return None


def is_scaled(given: Mapping[str, Any]) -> bool:
    """Return whether a sum with a product has factors: β·c + α·a·b."""
    return bool(given.get("alpha", 1) != 1 or given.get("beta", 1) != 1)


def affine_of(call: Call, arrays: Mapping[str, Floats]) -> Affine | None:
    """Return a sum or product with numbers that are known."""
    first = "self" in arrays
    other = arrays["self"] if first else arrays.get("other", call.given.get("other"))
    value = call.given.get("other" if first else "self")
    if other is None or isinstance(other, Ref) or call.given.get("alpha", 1) != 1:
        return None
    if not isinstance(value, Ref) or (first and ("other" in arrays or call.operator == "div")):
        return None
    values = np.atleast_1d(np.asarray(other, np.float64)).reshape(-1)
    if np.ndim(other) > 1:
        return None
    ones, zeros = np.ones_like(values), np.zeros_like(values)
    match call.operator:
        case "add":
            return Affine(call.layer, ones, values)
        case "sub":
            return (
                Affine(call.layer, -ones, values) if first else (Affine(call.layer, ones, -values))
            )
        case "mul":
            return Affine(call.layer, values, zeros)
        case _:
            return Affine(call.layer, 1 / values, zeros)


def normalised(call: Call, arrays: Mapping[str, Floats]) -> Affine:
    """Return batch normalisation in evaluation: (z − mean)/√(var + ε)·γ + β."""
    mean, variance = arrays["running_mean"], arrays["running_var"]
    scale = arrays.get("weight", np.ones_like(mean)) / np.sqrt(variance + call.given["eps"])
    return Affine(call.layer, scale, arrays.get("bias", np.zeros_like(mean)) - mean * scale)


def label_of(call: Call) -> str:
    """Return what a call's node is called: its layer, with the operator where that is a number."""
    return f"{call.operator}{call.layer}" if call.layer.isdigit() else call.layer


def activation_of(call: Call) -> Activation | None:
    """Return softmax or its logarithm, which do not work number by number."""
    kinds = ("softmax", "_softmax", "log_softmax", "_log_softmax")
    plain = call.operator in kinds and call.given.get("dim") in (-1, 1)
    return Activation(label_of(call), call.operator.strip("_")) if plain else None


def elementwise_kind(call: Call) -> tuple[str | None, dict[str, float]]:
    """Return the kind of an operator that works number by number, with its settings."""
    operator, given = call.operator, call.given
    if operator == "rsub":
        return "sub", {}
    if operator in OF_TWO_VALUES or operator in ("neg", "reciprocal", "log", "sqrt", "sign"):
        return operator, {}
    if operator == "softplus":
        beta = float(given.get("beta", 1))
        return ("softplus" if beta == 1 else "softplus_scaled"), {"alpha": beta}
    if operator.startswith(("leaky", "rrelu")):
        if given.get("training"):
            return None, {}  # there it draws its slopes at random
        limits = given.get("lower", 1 / 8), given.get("upper", 1 / 3)
        slope = given.get("negative_slope", 0.01) if operator[0] == "l" else sum(limits) / 2
        return "leaky_relu", {"alpha": float(slope)}
    if operator == "gelu":
        return ("gelu_tanh" if given.get("approximate") == "tanh" else "gelu"), {}
    if operator in ("hardtanh", "clamp", "clamp_min", "clamp_max"):
        low, high = given.get("min_val", given.get("min")), given.get("max_val", given.get("max"))
        if any(isinstance(limit, Ref) for limit in (low, high)):
            return None, {}
        return clipped(low, high, within=operator != "hardtanh")
    if operator == "elu":
        plain = given.get("scale", 1) == 1 and given.get("input_scale", 1) == 1
        return ("elu" if plain else None), {"alpha": float(given.get("alpha", 1))}
    if operator == "celu":
        return operator, {"alpha": float(given.get("alpha", 1))}
    if operator == "threshold":
        return operator, {"low": float(given["threshold"]), "high": float(given["value"])}
    if operator in ("softshrink", "hardshrink"):
        return operator, {"alpha": float(given.get("lambd", 0.5))}
    ours = {name.lower(): kind for name, kind in known("torch").items()}
    return {**ours, **_ACTIVATIONS}.get(operator), {}


def why_missing(operator: str) -> str:
    """Return why an operator has no counterpart."""
    for word, why in (
        ("conv", "nodeflow has no convolution"),
        ("pool", "nodeflow has no pooling"),
        ("lstm", "nodeflow has no recurrence"),
        ("gru", "nodeflow has no recurrence"),
        ("rnn", "nodeflow has no recurrence"),
        ("attention", "nodeflow has no attention"),
        ("embedding", "nodeflow has no embedding"),
        ("norm", "it uses the statistics of each row"),
    ):
        if word in operator:
            return why
    return "nodeflow has no counterpart of it"

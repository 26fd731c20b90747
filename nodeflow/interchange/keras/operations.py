"""Operations of keras.ops that work number by number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodeflow.interchange.layers import clipped

OPERATIONS = {
    "Add": "add", "Subtract": "sub", "Multiply": "mul", "Divide": "div", "TrueDivide": "div",
    "Power": "pow", "Maximum": "maximum", "Minimum": "minimum", "Negative": "neg",
    "Reciprocal": "reciprocal", "Square": "square", "Sqrt": "sqrt", "Exp": "exponential",
    "Log": "log", "Sin": "sin", "Cos": "cos", "Tanh": "tanh", "Abs": "abs", "Absolute": "abs",
    "Sign": "sign", "Erf": "erf", "Sigmoid": "sigmoid", "Relu": "relu", "Relu6": "relu6",
    "Selu": "selu", "Silu": "silu", "Softplus": "softplus", "Softsign": "softsign",
    "HardSigmoid": "hard_sigmoid", "HardSilu": "hard_silu", "LogSigmoid": "log_sigmoid",
    "Mish": "mish", "TanhShrink": "tanhshrink", "Log1p": "log1p", "Expm1": "expm1",
    "Rsqrt": "rsqrt",
}  # fmt: skip
"""Operations of keras.ops that work number by number."""
OTHER_OPERATIONS = ("Sum", "Mean", "Concatenate", "GetItem", "Where", "Greater", "Less", "Isnan",
                     "LogicalOr")  # fmt: skip


def with_settings(
    kind: str, about: Mapping[str, Any]
) -> tuple[str | None, dict[str, float]]:  # fmt: skip
    """Return what an operation that works number by number is here, with its settings."""
    match kind:
        case "Gelu":  # as an activation of a layer it is the exact one
            return ("gelu_tanh" if about.get("approximate", True) else "gelu"), {}
        case "LeakyRelu":
            return "leaky_relu", {"alpha": float(about.get("negative_slope", 0.2))}
        case "Elu" | "Celu":
            return kind.lower(), {"alpha": float(about.get("alpha", 1.0))}
        case "SoftShrink" | "HardShrink":
            return kind.lower(), {"alpha": float(about.get("threshold", 0.5))}
        case "HardTanh":
            return "hard_tanh", {"low": -1.0, "high": 1.0}
        case "Clip" if all(isinstance(about.get(end), int | float) for end in ("x_min", "x_max")):
            return clipped(about["x_min"], about["x_max"])
    return OPERATIONS.get(kind), {}

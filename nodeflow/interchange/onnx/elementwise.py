"""Operators of ONNX that work number by number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nodeflow.interchange.layers import clipped
from nodeflow.interchange.naming import known

_ELEMENTWISE = {
    "Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Pow": "pow", "Neg": "neg",
    "Reciprocal": "reciprocal", "Log": "log", "Sqrt": "sqrt", "Sign": "sign",
    "Softplus": "softplus", "Softsign": "softsign", "Exp": "exponential", "Abs": "abs",
    "Sin": "sin", "Cos": "cos", "Tan": "tangent", "Sinh": "sinh", "Cosh": "cosh", "Mish": "mish",
    "HardSwish": "hard_silu", "Erf": "erf",
}  # fmt: skip


def elementwise_kind(kind: str, given: Mapping[str, Any]) -> tuple[str | None, dict[str, float]]:
    """Return the kind of an operator that works number by number, with its settings."""
    if kind == "Selu":
        alpha, gamma = (as_written(given.get(name, usual)) for name, usual in _SELU.items())
        if {"alpha": alpha, "gamma": gamma} == {
            name: as_written(usual) for name, usual in _SELU.items()
        }:
            return "selu", {}
        return "selu_scaled", {"alpha": alpha, "high": gamma}
    if kind in ("LeakyRelu", "Elu", "Celu", "Swish"):
        alpha = given.get("alpha", 0.01 if kind == "LeakyRelu" else 1.0)
        if kind == "Swish":
            return ("silu" if alpha == 1 else None), {}
        return {"LeakyRelu": "leaky_relu", "Elu": "elu", "Celu": "celu"}[kind], {
            "alpha": as_written(alpha)
        }
    if kind == "Clip":
        return clipped(
            *(as_written(given[one]) if one in given else None for one in ("min", "max"))
        )
    if kind == "ThresholdedRelu":
        return "thresholded", {"alpha": as_written(given.get("alpha", 1.0))}
    if kind == "Shrink":
        return "shrink", {"alpha": as_written(given.get("lambd", 0.5)),
                          "low": as_written(given.get("bias", 0.0))}  # fmt: skip
    if kind == "HardSigmoid":
        settings = {
            "alpha": as_written(given.get("alpha", 0.2)),
            "low": as_written(given.get("beta", 0.5)),
        }
        return "hard_sigmoid_onnx", settings
    if kind == "Gelu":
        return ("gelu_tanh" if given.get("approximate") == b"tanh" else "gelu"), {}
    return {**known("onnx"), **_ELEMENTWISE}.get(kind), {}


_SELU = {"alpha": 1.6732632423543772, "gamma": 1.0507009873554805}


def as_written(value: float) -> float:
    """Return the number that somebody wrote: 0.01 for the float32 0.009999999776."""
    return float(str(np.float32(value)))

"""What a layer of Keras is here: a product with weights, an activation, a rescaling.

A Dense kernel is (in, units) and is turned over. A Lambda layer is code, and is never run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nodeflow import formula as formulas
from nodeflow.interchange.keras.config import along_features, snake_case
from nodeflow.interchange.keras.older import HARD_SIGMOID
from nodeflow.interchange.layers import (
    Activation,
    Affine,
    Dense,
    Floats,
    Missing,
    Step,
    activation,
    as_floats,
)
from nodeflow.interchange.naming import known, of_others

EPSILON = 1e-7
KINDS = {
    "elu": "elu", "selu": "selu", "silu": "silu",
    "swish": "silu", "softsign": "softsign", "hard_sigmoid": "hard_sigmoid",
    "exponential": "exponential", "relu6": "relu6", "mish": "mish", "log_sigmoid": "log_sigmoid",
    "hard_silu": "hard_silu", "hard_swish": "hard_silu", "tanh_shrink": "tanhshrink",
    "hard_tanh": "hard_tanh", "gelu": "gelu", "gelu_tanh": "gelu_tanh",
}  # fmt: skip
"""Activations that the library has no type for, by Keras' names; see `layers.FORMULAS`."""
_PASSED = ("InputLayer", "Dropout", "Flatten", "GaussianNoise", "ActivityRegularization",
           "Reshape", "GaussianDropout", "AlphaDropout", "Identity")  # fmt: skip


def steps_of_layer(
    kind: str, name: str, about: Mapping[str, Any], arrays: Callable[[str], list[Any]],
    shape: Sequence[Any], notes: list[str],
) -> list[Step]:  # fmt: skip
    """Return the steps that one layer is, from its configuration and its arrays."""
    left = [what for what in ("kernel_regularizer", "bias_regularizer") if about.get(what)]
    notes += [f"the {what} of {name} is left out" for what in left]
    if kind == "Lambda":
        return [Missing(name, "Lambda", "it is code, and code of a file is never run")]
    if kind in ("Dense", "Softmax") and len(shape) > 2:
        return [Missing(name, kind, "it works along the last of several axes")]
    if kind in ("Softmax", "UnitNormalization") and not along_features(about):
        return [Missing(name, kind, "it works from row to row, and rows are samples here")]
    if kind == "Dense":
        found = [as_floats(one, name, notes) for one in arrays(name)]
        if not found or found[0].ndim != 2 or about.get("quantization_config"):
            return [Missing(name, "Dense", "its kernel is no plain matrix in the file")]
        steps: list[Step] = [Dense(name, found[0].T, found[1] if len(found) > 1 else None)]
        made = _activation(f"{name}_a", about.get("activation") or "linear", {})
        if isinstance(made, Missing) or made.kind != "identity":
            steps.append(made)
        return steps
    if kind == "BatchNormalization":
        return [_normalised(name, about, [as_floats(a, name, notes) for a in arrays(name)], shape)]
    if kind in _PASSED:
        return []
    if kind in ("Rescaling", "Normalization"):
        return [_rescaled(kind, name, about, arrays(name))]
    if kind == "Activation":
        return [_activation(name, about.get("activation"), {})]
    if kind == "ThresholdedReLU":
        later = activation(name, "thresholded", alpha=float(about.get("theta", 1.0)))
        return [later or _unknown(name, kind)]
    if kind in ("ReLU", "LeakyReLU", "ELU", "Softmax"):
        return [_activation(name, snake_case(kind).replace("re_lu", "relu"), about)]
    return [Missing(name, kind, _why(kind))]


def _activation(name: str, kind: Any, about: Mapping[str, Any]) -> Activation | Missing:
    if isinstance(kind, Mapping):
        about = (
            {**about, **kind.get("config", {})}
            if isinstance(kind.get("config"), Mapping)
            else about
        )
        kind = kind.get("config") if isinstance(kind.get("config"), str) else kind.get("class_name")
    kind = str(kind)
    if kind == HARD_SIGMOID:
        return activation(name, "hard_sigmoid_onnx", alpha=0.2) or _unknown(name, kind)
    if kind == "leaky_relu":
        # As a function its slope is 0.2, as a layer 0.3.
        slope = float(about.get("negative_slope", 0.2))
        return activation(name, "leaky_relu", alpha=slope) or _unknown(name, kind)
    others = of_others("keras", kind)
    if others and about.get("alpha", 1) == 1 and not about.get("approximate"):
        return activation(name, others) or _unknown(name, kind)
    if kind in ("elu", "ELU"):
        return activation(name, "elu", alpha=float(about.get("alpha", 1.0))) or _unknown(name, kind)
    plain_relu = not about.get("negative_slope") and not about.get("threshold")
    if kind == "relu" and not (plain_relu and about.get("max_value") is None):
        return _bounded(name, about)
    if kind == "gelu" and about.get("approximate"):
        kind = "gelu_tanh"
    if kind in ("celu", "soft_shrink", "hard_shrink"):
        alpha = about.get("alpha" if kind == "celu" else "threshold")
        given = {"alpha": float((1.0 if kind == "celu" else 0.5) if alpha is None else alpha)}
        return activation(name, kind.replace("_", ""), **given) or _unknown(name, kind)
    ours = {**KINDS, **known("keras")}.get(kind)
    made = None if ours is None else activation(name, ours)
    return made or _unknown(name, kind)


def _bounded(name: str, about: Mapping[str, Any]) -> Activation | Missing:
    """Return a relu that begins elsewhere, leaks or ends: min(z if z > t else s·(z − t), most)."""
    leak, begin = (float(about.get(key) or 0) for key in ("negative_slope", "threshold"))
    most = about.get("max_value")
    if not leak and not begin and most is not None:
        kind = "relu6" if most == 6 else "hard_tanh"
        given = {} if most == 6 else {"low": 0.0, "high": float(most)}
        return activation(name, kind, **given) or _unknown(name, "ReLU")
    text = f"z * step(z - {begin!r})" if begin else "max(z, 0)"
    if leak:
        text = f"{text} + {leak!r} * min(0, {f'z - {begin!r}' if begin else 'z'})"
    if most is not None:
        text = f"min({text}, {float(most)!r})"
    return Activation(name, formula=formulas.write(formulas.parse(text)))


def _unknown(name: str, kind: str) -> Missing:
    return Missing(name, kind, "nodeflow has no counterpart of it")


def _rescaled(kind: str, name: str, about: Mapping[str, Any], found: list[Any]) -> Step:
    """Return a product and a sum with numbers of the configuration, or of the file."""
    scale, shift = about.get("scale"), about.get("offset")
    if kind == "Normalization":
        mean, variance = about.get("mean"), about.get("variance")
        if mean is None and len(found) >= 2:
            mean, variance = found[:2]
        if mean is None or variance is None or about.get("invert"):
            return Missing(name, kind, "its means and variances are not in the file")
        deviation = np.maximum(np.sqrt(np.ravel(np.asarray(variance, np.float64))), EPSILON)
        scale, shift = 1 / deviation, -np.ravel(np.asarray(mean, np.float64)) / deviation
    try:
        factors, summands = np.broadcast_arrays(
            np.asarray(scale, np.float64).reshape(-1), np.asarray(shift, np.float64).reshape(-1)
        )
    except (TypeError, ValueError):
        return Missing(name, kind, "its numbers are not plain lists")
    return Affine(name, factors.copy(), summands.copy())


def _normalised(
    name: str, about: Mapping[str, Any], found: list[Floats], shape: Sequence[Any]
) -> Step:
    """Return batch normalisation in evaluation: (z − mean)/√(variance + ε)·γ + β."""
    wanted = 2 + bool(about.get("scale", True)) + bool(about.get("center", True))
    if len(found) != wanted:
        return Missing(name, "BatchNormalization", "its statistics are not in the file")
    *trained, mean, variance = found
    gamma = trained.pop(0) if about.get("scale", True) else np.ones_like(mean)
    beta = trained.pop(0) if about.get("center", True) else np.zeros_like(mean)
    scale = gamma / np.sqrt(variance + float(about.get("epsilon", 1e-3)))
    shift = beta - mean * scale
    places = shape[1:-1]
    if None in places or about.get("axis", -1) not in (-1, len(shape) - 1):
        return Missing(name, "BatchNormalization", "how many numbers a channel has is open")
    times = math.prod(places)  # channels come last
    return Affine(name, np.tile(scale, times), np.tile(shift, times))


def _why(kind: str) -> str:
    for word, why in (
        ("Conv", "nodeflow has no convolution"), ("Pool", "nodeflow has no pooling"),
        ("LSTM", "nodeflow has no recurrence"), ("GRU", "nodeflow has no recurrence"),
        ("RNN", "nodeflow has no recurrence"), ("Attention", "nodeflow has no attention"),
        ("Embedding", "nodeflow has no embedding"),
    ):  # fmt: skip
        if word in kind:
            return why
    return "nodeflow has no counterpart of it"

"""What is computed of weights alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nodeflow.interchange.layers import Floats

UNKNOWN = np.zeros(0, float)
"""What is made of weights alone in a way that is not known here."""
_FUNCTIONS: Mapping[str, Any] = {
    "Add": np.add, "Sum": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide,
}  # fmt: skip


def of_weights(kind: str, given: Mapping[str, Any], arrays: Sequence[Floats]) -> Floats | None:
    """Return what is computed of weights alone; None where that is not known here."""
    if not arrays:
        return None
    array, *others = arrays
    match kind:
        case "Identity" | "Cast" | "CastLike":
            return array
        case "Transpose":
            return np.transpose(array, given.get("perm"))
        case "Squeeze":
            axes = given.get("axes", [int(axis) for axis in others[0]] if others else None)
            return np.squeeze(array, None if axes is None else tuple(axes))
        case "Unsqueeze":
            return np.expand_dims(array, tuple(given.get("axes") or map(int, others[0])))
        case "Reshape" if others:
            sizes = [array.shape[at] if size == 0 else int(size)
                     for at, size in enumerate(others[0].reshape(-1))]  # fmt: skip
            return array.reshape(sizes)
        case "Add" | "Sum" | "Sub" | "Mul" | "Div" if len(others) == 1:
            # What would grow by being spread out along both is no layer's weights.
            largest = max(array.size, others[0].size)
            if np.broadcast(array, others[0]).size > largest:
                return None
            with np.errstate(all="ignore"):
                return np.asarray(_FUNCTIONS[kind](array, others[0]))
        case "DequantizeLinear" if others:
            scale, zero = others[0], (others[1] if len(others) > 1 else np.zeros((), float))
            if given.get("block_size"):
                axis = given.get("axis", 1) % array.ndim
                scale, zero = (_spread(one, array, axis, given["block_size"])
                               for one in (scale, np.broadcast_to(zero, scale.shape)))  # fmt: skip
            elif scale.size > 1:
                along = [-1 if at == given.get("axis", 1) % array.ndim else 1
                         for at in range(array.ndim)]  # fmt: skip
                scale, zero = (
                    scale.reshape(along),
                    np.broadcast_to(zero, scale.shape).reshape(along),
                )
            return (array - zero) * scale
    return None


def _spread(blocks: Floats, array: Floats, axis: int, size: int) -> Floats:
    """Return numbers of blocks along an axis, of which the last may be shorter, for each place."""
    places = np.arange(array.shape[axis])
    return np.repeat(blocks, size, axis).take(places, axis)

"""The slope g′(z) of an activation at numbers: of any type that has a curve, also of a plugin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow import formula as formulas
from nodeflow.declare import NodeType, kind_of
from nodeflow.engine.kernel.scalar import SLOPES
from nodeflow.nodes.backward import slope as slope_in_a

Floats = NDArray[np.float64]
_NEAR = 1e-6
"""Half the distance over which the slope of a type that tells no formula is measured."""


def has_curve(kind: str) -> bool:
    """Whether an activation has a curve: it takes number by number, softmax takes a whole row."""
    type_ = kind_of(kind)
    return type_.family == "activation" and type_.is_elementwise


def curve_of(type_: NodeType, z: Any, settings: Mapping[str, Any]) -> Floats:
    """Return g(z)."""
    with np.errstate(all="ignore"):
        return np.asarray(type_.function(z, **settings), float)


def passing(type_: NodeType, z: Any, a: Any, settings: Mapping[str, Any]) -> Floats | None:
    """Return how much of the blame at aᵢ comes to zᵢ: g′(z), of shares ∂aᵢ/∂zᵢ = aᵢ(1 − aᵢ).

    Where it is next to 0 nothing comes from the other shares either: ∂aⱼ/∂zᵢ = −aⱼaᵢ. Returns
    None for an activation that is neither.
    """
    if has_curve(type_.name):
        return slopes_at(type_, z, a, settings)
    if type_.shares:
        shares: Floats = np.asarray(a, float)
        return np.asarray(shares * (1 - shares), float)
    return None


def slopes_at(type_: NodeType, z: Any, a: Any, settings: Mapping[str, Any]) -> Floats:
    """Return g′(z): by the slope that the engine has, or by the type's formula, else measured."""
    if type_.name in SLOPES:
        return np.asarray(slope_in_a(a, type_.name), float)
    if type_.calculation:
        slope = formulas.derivative(type_.calculated(settings), "z")
        with np.errstate(all="ignore"):
            found = formulas.evaluate(slope, {"z": np.asarray(z, float)})
        return np.asarray(np.broadcast_to(found, np.shape(z)), float)
    ends = (curve_of(type_, z + by, settings) for by in (_NEAR, -_NEAR))
    return np.asarray(np.subtract(*ends) / (2 * _NEAR))

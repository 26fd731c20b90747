"""Graph to graph: shapes, modes, the backward pass as nodes, layers as neurons."""

from __future__ import annotations

from nodeflow.derive.exploding import collapse, explode
from nodeflow.derive.modes import resolve
from nodeflow.derive.shapes import Inference, infer
from nodeflow.derive.unfolding import Unfolding, fold, gradients, unfold

__all__ = [
    "Inference",
    "Unfolding",
    "collapse",
    "explode",
    "fold",
    "gradients",
    "infer",
    "resolve",
    "unfold",
]

"""Graph to graph: shapes, modes, and the backward pass as nodes."""

from __future__ import annotations

from nodeflow.derive.modes import resolve
from nodeflow.derive.shapes import Inference, infer
from nodeflow.derive.unfolding import Unfolding, fold, gradients, unfold

__all__ = ["Inference", "Unfolding", "fold", "gradients", "infer", "resolve", "unfold"]

"""Graph to graph: shapes, modes, the backward pass as nodes, layers as neurons.

Its names are looked up when they are first used: a run needs neither neurons nor a layout.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodeflow.derive.collapsing import collapse
    from nodeflow.derive.evaluated import Unfolding
    from nodeflow.derive.exploding import explode
    from nodeflow.derive.modes import resolve
    from nodeflow.derive.rates import Rate, with_rate
    from nodeflow.derive.shapes import Inference, infer
    from nodeflow.derive.unfolding import fold, unfold

_HOMES = {
    "Inference": "shapes",
    "Rate": "rates",
    "Unfolding": "evaluated",
    "collapse": "collapsing",
    "explode": "exploding",
    "fold": "unfolding",
    "infer": "shapes",
    "resolve": "modes",
    "unfold": "unfolding",
    "with_rate": "rates",
}

__all__ = [
    "Inference",
    "Rate",
    "Unfolding",
    "collapse",
    "explode",
    "fold",
    "infer",
    "resolve",
    "unfold",
    "with_rate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

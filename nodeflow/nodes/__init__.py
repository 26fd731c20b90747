"""The library of node types, one file per family. Importing this package fills the catalog."""

from __future__ import annotations

from nodeflow.nodes import (
    activation,
    arithmetic,
    backward,
    cost,
    expression,
    layer,
    shares,
    source,
    trainer,
    update,
    view,
)

__all__ = [
    "activation",
    "arithmetic",
    "backward",
    "cost",
    "expression",
    "layer",
    "shares",
    "source",
    "trainer",
    "update",
    "view",
]

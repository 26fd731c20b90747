"""What layers compute, in NumPy: what networks that come in and go out are compared with."""

from __future__ import annotations

import numpy as np

from nodeflow import formula as formulas
from nodeflow.declare import CATALOG
from nodeflow.errors import InterchangeError
from nodeflow.graph import Graph
from nodeflow.interchange.building import ends_of
from nodeflow.interchange.layers import Affine, Dense, Floats, Join, Missing, Network


def end_of(graph: Graph) -> str:
    """Return the address of the outputs of a network that has one kind of them."""
    (end,) = ends_of(graph)
    return end


def forward(network: Network, rows: Floats) -> Floats:
    """Return the outputs of a network for rows."""
    import nodeflow.nodes  # noqa: F401  (fills the catalog)

    value = np.asarray(rows, np.float64)
    made = {"x": value}
    for step in network.steps:
        taken = [made[name] for name in step.takes] or [value]
        value = taken[0]
        if isinstance(step, Join):
            value = np.hstack(taken)
        elif isinstance(step, Dense):
            value = value @ step.weights.T + (0 if step.bias is None else step.bias)
        elif isinstance(step, Affine):
            value = value * step.scale + step.shift
        elif isinstance(step, Missing):
            raise InterchangeError(f"'{step.name}' ({step.what}) has no counterpart")
        elif step.formula is not None:
            tree = formulas.parse(step.formula)
            value = np.asarray(formulas.evaluate(tree, {formulas.names(tree)[0]: value}))
        else:
            value = CATALOG[step.kind].function(value)
        made[step.name] = value
    return value

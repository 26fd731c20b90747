"""What the inspector says of the node that is selected: who is to blame, where blame dies."""

from __future__ import annotations

import numpy as np

from nodeflow.editor.model import Editor
from nodeflow.engine.snapshot import AHEAD

_MOST = 4
"""So many neurons are named."""


def account(editor: Editor, node: str) -> str:
    """Return a sentence about a layer or an activation from the values that there are, or ""."""
    if not node or node not in editor.graph.nodes:
        return ""
    type_ = editor.graph.nodes[node].type
    if type_ == "weighted_sum":
        return _blamed(editor, node)
    return _flat(editor, node, type_)


def _blamed(editor: Editor, node: str) -> str:
    """Say which neurons before a layer answer for the error of the first row."""
    from nodeflow.explain.names import neuron, neuron_before
    from nodeflow.explain.responsibility import responsibility

    inputs = editor.graph.inputs(node)
    delta = editor.live.gradients.get(f"{node}.z")
    if delta is None or not inputs.get("weights") or _is_old(editor, f"{node}.z"):
        return ""
    weights = editor.live.values.get(inputs["weights"][0].start)
    if weights is None:
        return ""
    theta, of_row = np.atleast_2d(weights), np.atleast_2d(delta)[0]
    if len(theta) != of_row.size:
        return ""
    shapes = editor.inference.shapes
    names = tuple(neuron_before(editor.graph, node, i, shapes) for i in range(theta.shape[1]))
    layer = tuple(neuron(node, j, of_row.size) for j in range(of_row.size))
    found = responsibility(layer, names, theta, of_row)
    if not found.shares.any() or len(names) < 2:
        return ""
    told = ", ".join(f"{names[i]} {found.shares[i]:.2f}" for i in found.ranking[:_MOST])
    return f"Blame for its error: {told}{', …' if len(names) > _MOST else ''}"


def _is_old(editor: Editor, address: str) -> bool:
    """Return whether the blame is of another pass than the weights are."""
    return editor.live.gradient_ages.get(address, "") not in ("", AHEAD)


def _flat(editor: Editor, node: str, type_: str) -> str:
    """Say which neurons of an activation are flat for every row of the batch."""
    from nodeflow.explain.dying import DYING
    from nodeflow.views.slope import slope_at

    wires = editor.graph.inputs(node).get("z", ())
    z = editor.live.values.get(wires[0].start) if wires else None
    if z is None or editor.live.age(wires[0].start) not in ("", AHEAD):
        return ""
    rows = np.atleast_2d(z)
    found = slope_at(type_, rows)
    if found is None or not found.z.size:
        return ""
    steepest = found.slopes.reshape(rows.shape).max(axis=0)
    flat = np.flatnonzero(steepest < DYING)
    if not flat.size:
        return ""
    names = ", ".join(str(int(place) + 1) for place in flat[:_MOST])
    more = ", …" if flat.size > _MOST else ""
    which = f"neuron {names}" if flat.size == 1 else f"{flat.size} neurons ({names}{more})"
    rows_ = "this row" if len(rows) == 1 else "every row of the batch"
    return f"Blame dies at {which}: the slope is below {DYING:g} for {rows_}"

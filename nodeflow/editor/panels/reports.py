"""What the inspector says of the node that is selected: who is to blame, where blame dies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nodeflow.declare import NodeType
from nodeflow.editor.state.model import Editor
from nodeflow.engine.snapshot import AHEAD
from nodeflow.explain.alike import alike
from nodeflow.playback.curve import column, epochs
from nodeflow.workings.shown import percent, rough, share, show

_MOST = 4
"""The most neurons that are named."""


def account(editor: Editor, node: str) -> str:
    """Return a sentence about a layer or an activation from the values that there are, or ""."""
    if not node or node not in editor.graph.nodes:
        return ""
    type_ = editor.graph.nodes[node].known
    if type_ is None:
        return ""
    if type_.is_layer:
        told_ = (_blamed(editor, node), _alike(editor, node), _through_zero(editor, node))
        return "\n".join(filter(None, told_))
    return _still(editor, node) if type_.counts_hits else _flat(editor, node, type_)


def _alike(editor: Editor, node: str) -> str:
    """Say which neurons of a layer are one and the same, if some are."""
    found = alike(editor.graph, editor.live.values.get, node)
    return f"{found[0].text[0].upper()}{found[0].text[1:]}." if found else ""


def _through_zero(editor: Editor, node: str) -> str:
    """Say what a layer without a bias cannot do."""
    inputs = editor.graph.inputs(node)
    if inputs.get("bias") or not inputs.get("weights") or not inputs.get("a"):
        return ""
    if not editor.graph.nodes[inputs["a"][0].source].holds_data:
        return ""  # only of the data it is plain where 0 lies
    return (
        "Without a bias z is 0 wherever all inputs are 0, whatever the weights are: the border "
        "that it draws goes through the origin."
    )


def _still(editor: Editor, node: str) -> str:
    """Say since when accuracy stands still, what the cost did meanwhile, and how blame cancels."""
    history, live = editor.live.history, editor.live
    lines = ["Accuracy counts which rows are on the right side, the cost how far off they are."]
    hits, costs, at = (
        column(history, "train_accuracy"), column(history, "cost"), epochs(history),
    )  # fmt: skip
    still = _longest_still(hits)
    if still is not None:
        begin, end = still
        lines.append(
            f"It stood at {percent(hits[begin])} from epoch {at[begin]} to {at[end]}, while the "
            f"cost went from {show(costs[begin])} to {show(costs[end])}: outputs moved, and as "
            "many rows as before were right."
        )
    wires = editor.graph.inputs(node).get("a", ())
    a = live.values.get(wires[0].start) if wires else None
    if a is not None and live.age(wires[0].start) in ("", AHEAD):
        lines.append(f"Now the outputs lie from {show(a.min())} to {show(a.max())}.")
    z = editor.graph.inputs(wires[0].source).get("z", ()) if wires else ()
    delta = live.gradients.get(z[0].start) if z else None
    if delta is not None and not _is_old(editor, z[0].start):
        lines += _cancelling(np.atleast_2d(delta))
    return " ".join(lines).replace(" -", " −")


def _cancelling(delta: NDArray[np.float64]) -> list[str]:
    """Say that the blame of several rows cancels at each output, if it does."""
    means, size = delta.mean(axis=0), float(np.mean(np.abs(delta)))
    most = float(np.max(np.abs(means)))
    if len(delta) < 2 or not size or not most < size / 4:
        return []
    mean = f"its mean is {rough(means[0])}"
    if means.size > 1:
        mean = f"its mean is at most {rough(most)} in size at each output"
    said = f"Now the blame of the rows cancels: δ is {rough(size)} in size on average, and {mean}"
    return [f"{said}; so the weights hardly move."]


def _longest_still(hits: NDArray[np.float64]) -> tuple[int, int] | None:
    """Return the first and the last line of the longest stretch of one accuracy below 100 %."""
    known = np.flatnonzero(np.isfinite(hits))
    if known.size < 2:
        return None
    hits = hits[known]
    edges = np.flatnonzero(np.diff(hits)) + 1
    begins, ends = np.append(0, edges), np.append(edges, hits.size) - 1
    lengths = np.where(hits[begins] < 1, ends - begins, 0)
    place = int(np.argmax(lengths))
    if not lengths[place]:
        return None
    return int(known[begins[place]]), int(known[ends[place]])


def reported(editor: Editor, node: str) -> str:
    """Return the report on a node, or of the network, that was asked for last, "" if none was."""
    report = editor.report
    if report is None or report.node != node:
        return ""
    return "\n".join((f"{report.title}:", *report.lines))


def _blamed(editor: Editor, node: str) -> str:
    """Say which neurons before a layer, or the neuron selected in it, answer for its error.

    It is that of the first row.
    """
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
    whose, one = "its error", editor.neuron
    if one is not None and one[0] == node and one[1] < len(layer):
        chosen = slice(one[1], one[1] + 1)
        layer, theta, of_row = layer[chosen], theta[chosen], of_row[chosen]
        whose = f"the error of {layer[0]}"
    found = responsibility(layer, names, theta, of_row)
    if not found.shares.any() or len(names) < 2:
        return ""
    shares = ", ".join(f"{names[i]} {share(found.shares[i])}" for i in found.ranking[:_MOST])
    return f"Blame for {whose}: {shares}{', …' if len(names) > _MOST else ''}"


def _is_old(editor: Editor, address: str) -> bool:
    """Return whether the blame is of another pass than the weights are."""
    return editor.live.gradient_ages.get(address, "") not in ("", AHEAD)


def _flat(editor: Editor, node: str, type_: NodeType) -> str:
    """Say which neurons of an activation are flat for every row of the batch."""
    from nodeflow.explain.saturation import DYING
    from nodeflow.explain.slopes import passing

    wires = editor.graph.inputs(node).get("z", ())
    z = editor.live.values.get(wires[0].start) if wires else None
    if z is None or editor.live.age(wires[0].start) not in ("", AHEAD):
        return ""
    rows, gradients = np.atleast_2d(z), editor.live.gradients
    a = editor.live.values.get(f"{node}.a")
    if type_.family != "activation" or a is None or not np.isfinite(rows).all():
        return ""
    if gradients and f"{node}.a" not in gradients:
        return ""  # blame comes to z at once, from the cost: no slope cuts it
    slopes = passing(type_, rows, np.atleast_2d(a), editor.graph.settings(node))
    if slopes is None:
        return ""
    flat = np.flatnonzero(slopes.max(axis=0) < DYING)
    if not flat.size:
        return ""
    names = ", ".join(str(int(place) + 1) for place in flat[:_MOST])
    more = ", …" if flat.size > _MOST else ""
    which = f"neuron {names}" if flat.size == 1 else f"{flat.size} neurons ({names}{more})"
    rows_ = "this row" if len(rows) == 1 else "every row of the batch"
    return f"Blame dies at {which}: the slope is below {DYING:g} for {rows_}"

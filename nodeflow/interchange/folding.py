"""Scalings that are folded into weights, for programs that hold weights and activations alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nodeflow.errors import InterchangeError
from nodeflow.interchange.layers import Activation, Affine, Dense, Network, Step


def folded(network: Network, program: str) -> Network:
    """Return the network without scalings: each goes into the weights behind or before it.

    Raises `InterchangeError` for one that has no weighted sum beside it.
    """
    steps: list[Step] = []
    notes: list[str] = []
    held: list[Affine] = []
    for step in network.steps:
        if isinstance(step, Affine) and steps and isinstance(steps[-1], Dense) and not held:
            steps[-1] = _after(steps[-1], step)
            notes.append(f"'{step.name}' is in the weights of '{steps[-1].name}'")
        elif isinstance(step, Affine):
            held.append(step)
        elif isinstance(step, Dense):
            made = step
            for scaling in reversed(held):
                made = _before(scaling, made)
                notes.append(f"'{scaling.name}' is in the weights of '{step.name}'")
            held.clear()
            steps.append(made)
        elif held:
            break
        else:
            steps.append(step)
    if held:
        raise InterchangeError(
            f"'{held[0].name}' scales what no weighted sum takes or gives, and {program} holds "
            "weights and activations alone; .onnx and .keras keep it"
        )
    return replace(network, steps=tuple(steps), notes=(*network.notes, *notes))


def _after(dense: Dense, scaling: Affine) -> Dense:
    out = len(dense.weights)
    bias = np.zeros(out, float) if dense.bias is None else dense.bias
    scale, shift = (np.broadcast_to(one, out) for one in (scaling.scale, scaling.shift))
    return replace(dense, weights=dense.weights * scale[:, None], bias=bias * scale + shift)


def _before(scaling: Affine, dense: Dense) -> Dense:
    into = dense.weights.shape[1]
    scale, shift = (np.broadcast_to(one, into) for one in (scaling.scale, scaling.shift))
    moved = dense.weights @ shift
    bias = dense.bias if not moved.any() else moved + (0 if dense.bias is None else dense.bias)
    return replace(dense, weights=dense.weights * scale, bias=bias)


def layers_with_activation(network: Network, program: str) -> list[tuple[Dense, Activation | None]]:
    """Return each weighted sum with the activation after it.

    Raises `InterchangeError` for an activation before all weights, or a second one in a layer.
    """
    found: list[tuple[Dense, Activation | None]] = []
    for step in network.steps:
        if isinstance(step, Dense):
            found.append((step, None))
        elif isinstance(step, Activation) and step.kind == "identity":
            continue
        elif isinstance(step, Activation) and found and found[-1][1] is None:
            found[-1] = (found[-1][0], step)
        else:
            raise InterchangeError(
                f"'{step.name}' follows no weighted sum, and {program} has one activation for each "
                "layer of weights; .onnx and .keras keep it"
            )
    return found

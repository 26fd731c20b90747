"""Rows through a module of PyTorch, to compare an imported network with it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from nodeflow.declare import numbers
from nodeflow.graph import Graph
from nodeflow.interchange.building import costs_of
from nodeflow.interchange.layers import Floats
from nodeflow.interchange.verifying import Answer, Other


def checked_against(
    module: Any, graph: Graph, shapes: Sequence[Sequence[int]] = (), loss: Any = None
) -> Other:
    """Return what sends rows through a module, for `verified`: outputs and gradients in float64.

    `shapes` are those of a row of each input, where it is no vector; `loss` the one that the graph
    was given.
    """
    import copy

    import torch

    double = copy.deepcopy(module).double()
    for one in (double, module):
        with suppress(NotImplementedError):  # an exported program is in evaluation mode already
            one.eval()

    def asked(one: Any, kind: Any, xs: Sequence[Floats], ys: Sequence[Floats]) -> Answer:
        one.zero_grad()
        rows = [torch.from_numpy(x).to(kind) for x in xs]
        if shapes:
            rows = [x.reshape(len(x), *shape) for x, shape in zip(rows, shapes, strict=True)]
        found = one(*rows)
        outs = list(found) if isinstance(found, tuple | list) else [found]
        targets = [torch.from_numpy(y).to(out.dtype) for y, out in zip(ys, outs, strict=True)]
        costs = [_cost_of_graph(graph, key, out.reshape(len(out), -1), y, loss)
                 for key, out, y in zip(costs_of(graph), outs, targets, strict=True)]  # fmt: skip
        total: Any = sum(costs)
        if not total.requires_grad:  # a program without weights
            return [out.double().numpy().reshape(len(out), -1) for out in outs], None
        total.backward()
        slopes = {}
        for name, parameter in one.named_parameters():
            stem, _, what = name.rpartition(".")
            key = next((k for k in (f"{stem}.{what}", f"layer{stem}.{what}") if k in graph.nodes),
                       None)  # fmt: skip
            if key is not None and parameter.grad is not None:
                slope = parameter.grad.double().numpy()
                ours = np.asarray(numbers(graph.settings(key)["value"]))
                own = parameter.detach().double().numpy()
                # Weights that the module has as (in, out) were turned over.
                turned = ours.ndim == 2 and np.array_equal(ours, own.T)
                slopes[key] = slope.T if turned and not np.array_equal(ours, own) else slope
        return [out.detach().double().numpy().reshape(len(out), -1) for out in outs], slopes

    def other(xs: Sequence[Floats], ys: Sequence[Floats]) -> Answer:
        own = next((one.dtype for one in module.parameters()), torch.float32)
        try:
            return asked(double, torch.float64, xs, ys)
        except Exception:
            # Behind a cast or a mask an exported program takes its own type of numbers alone.
            if own == torch.float64:
                raise
            return asked(module, own, xs, ys)

    return other


def _cost_of_graph(graph: Graph, key: str, out: Any, target: Any, loss: Any) -> Any:
    """Return a cost of a graph as PyTorch computes it."""
    if loss is not None:
        return loss(out, target)
    kind = graph.nodes[key].type
    if kind == "squared_error":
        half = 0.5 if graph.settings(key)["half"] else 1.0
        return half * ((out - target) ** 2).sum(1).mean()
    if kind == "cross_entropy":
        return -(target * out.log() + (1 - target) * (1 - out).log()).sum(1).mean()
    return -(target * out.log()).sum(1).mean()

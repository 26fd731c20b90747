"""A module of PyTorch: what torch.export says of it, and its loss."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np

from nodeflow.errors import InterchangeError
from nodeflow.graph import Graph
from nodeflow.interchange.building import graph_of
from nodeflow.interchange.layers import Cost, Network, cost_of
from nodeflow.interchange.torch.program import MISSING
from nodeflow.interchange.torch.reading import network_in


def from_torch(module: Any, example: Any, loss: Any = None) -> Graph:
    """Return the graph of a module in evaluation mode; `example` is an input of a few rows.

    It is a tensor, an array, or a tuple of them where the module takes several.

    `loss` is a module such as `torch.nn.HuberLoss()`, whose factors become nodes of the graph;
    without it the cost is `squared_error`, or what a softmax at the end wants.
    """
    return graph_of(network_of(module, example, loss))


def network_of(module: Any, example: Any, loss: Any = None) -> Network:
    """Return the layers of a module; raises `InterchangeError`."""
    try:
        import torch
    except ImportError:
        raise InterchangeError(MISSING) from None
    if not isinstance(module, torch.nn.Module):
        raise InterchangeError(f"{type(module).__name__} is no torch.nn.Module")
    if module.training and any(_differs_in_training(part) for part in module.modules()):
        raise InterchangeError(
            "the module is in training mode, where dropout and batch normalisation do something "
            "else; call module.eval() first"
        )
    numbers = next((p.dtype for p in module.parameters() if p.is_floating_point()), None)
    given = tuple(
        torch.as_tensor(one, dtype=numbers) if isinstance(one, np.ndarray | list) else one
        for one in (example if isinstance(example, tuple) else (example,))
    )
    stream = io.BytesIO()
    try:
        torch.export.save(torch.export.export(module, given), stream)
    except Exception as error:
        why = " ".join(str(error).split())[:200]
        raise InterchangeError(
            f"torch.export cannot follow the module ({type(error).__name__}: {why})"
        ) from error
    network = network_in(io.BytesIO(stream.getvalue()), "the module")
    return network if loss is None else replace(network, cost=_cost(loss))


def _cost(loss: Any) -> Cost:
    """Return the cost of a loss of PyTorch; raises `InterchangeError`."""
    name, reduction = type(loss).__name__, getattr(loss, "reduction", "mean")
    if reduction != "mean":
        raise InterchangeError(
            f"{name} with reduction='{reduction}' has no mean over the rows, and J is one; the "
            "twin torch-sgd-sum trains by the sum"
        )
    if getattr(loss, "weight", None) is not None or getattr(loss, "pos_weight", None) is not None:
        raise InterchangeError(f"{name} with weights of classes has no counterpart")
    if getattr(loss, "label_smoothing", 0):
        raise InterchangeError(f"{name} with smoothed labels has no counterpart")
    found = {
        "MSELoss": lambda: cost_of("squared_error", mean=True),
        "L1Loss": lambda: cost_of("absolute_error", mean=True),
        "HuberLoss": lambda: cost_of("huber", delta=loss.delta, mean=True),
        "SmoothL1Loss": lambda: cost_of("smooth_absolute_error", delta=loss.beta, mean=True),
        "BCELoss": lambda: cost_of("cross_entropy", mean=True),
        "BCEWithLogitsLoss": lambda: cost_of("cross_entropy", mean=True, behind="sigmoid"),
        "CrossEntropyLoss": lambda: cost_of("categorical_cross_entropy", behind="softmax"),
        "NLLLoss": lambda: cost_of("negative_log_likelihood"),
    }.get(name)
    if found is None:
        raise InterchangeError(f"the loss {name} has no counterpart")
    return found()


def _differs_in_training(part: Any) -> bool:
    return any(word in type(part).__name__ for word in ("Dropout", "BatchNorm"))

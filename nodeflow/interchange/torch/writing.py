"""A module of PyTorch with the layers and the weights of a graph."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from nodeflow import formula as formulas
from nodeflow.declare import CATALOG
from nodeflow.errors import InterchangeError
from nodeflow.graph import Graph
from nodeflow.interchange.branching import runs_of, steps_of
from nodeflow.interchange.building import letters
from nodeflow.interchange.chain import ANY
from nodeflow.interchange.layers import (
    Activation,
    Affine,
    Dense,
    Join,
    Narrow,
    Network,
    Step,
    kind_of,
)
from nodeflow.interchange.naming import named
from nodeflow.interchange.torch.program import MISSING


def to_torch(graph: Graph, weights: Any = None) -> Any:
    """Return a `torch.nn.Module` in float64 with the layers and the weights of a graph.

    Layers in a row are a Sequential; a module of what branches or joins takes the inputs in order,
    and returns the outputs, a tuple of several.
    """
    network = steps_of(graph, weights)
    try:
        import torch
    except ImportError:
        raise InterchangeError(MISSING) from None
    from collections import OrderedDict

    parts: OrderedDict[str, Any] = OrderedDict()
    shared: dict[int, Any] = {}
    for step in network.steps:
        parts[step.name.replace(".", "_")] = _part(torch, step, shared)
    if not any(step.takes for step in network.steps):
        return torch.nn.Sequential(parts)
    return _branching(torch, network, parts)


def _part(torch: Any, step: Step, shared: dict[int, Any]) -> Any:
    """Return the module of a step; layers that share weights share parameters."""
    match step:
        case Dense():
            out, into = step.weights.shape
            layer = torch.nn.Linear(into, out, bias=step.bias is not None, dtype=torch.float64)
            for name, array in (("weight", step.weights), ("bias", step.bias)):
                if array is not None:
                    made = shared.setdefault(
                        id(array), torch.nn.Parameter(torch.from_numpy(np.array(array)))
                    )
                    setattr(layer, name, made)
            return layer
        case Affine():
            return _scaling(torch, step)
        case Activation():
            made = _module(torch.nn, step)
            if made is None and step.formula is not None:
                tree = formulas.parse(step.formula)
                made = _formula(torch, tree, formulas.names(tree))
            if made is not None:
                return made
        case Join(formula=None, kind="concatenate"):
            return _of_values(torch, lambda *values: torch.cat(values, 1))
        case Join(formula=None, kind=kind):
            of_two = operator.add if kind == "add" else operator.mul
            return _of_values(torch, lambda *values: reduce(of_two, values))
        case Join():
            return _formula(torch, formulas.parse(str(step.formula)), letters(len(step.takes)))
        case Narrow(kind="pick"):
            runs = runs_of(step.places)
            return _of_values(torch, lambda value: torch.cat([value[:, a:b] for a, b in runs], 1))
        case Narrow(kind=kind):
            return _of_values(torch, lambda value: getattr(value, kind)(-1, keepdim=True))
    raise InterchangeError(f"PyTorch has no module like '{step.name}'; {ANY}")


def _of_values(torch: Any, function: Any) -> Any:
    """Return a module that is a function of one value, or of several."""

    class Function(torch.nn.Module):  # type: ignore[misc]
        def forward(self, *values: Any) -> Any:
            return function(*values)

    return Function()


def _formula(torch: Any, tree: formulas.Expression, names: Sequence[str]) -> Any:
    """Return a module that computes a formula of values by name, in order."""

    def number(value: Any, like: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value
        # Without a type a number would be a float32 first, whatever it is made into then.
        return torch.as_tensor(value, dtype=like.dtype, device=like.device)

    def chosen(taken: Any, u: Any, v: Any) -> Any:
        # PyTorch's maximum shares the slope of a tie; a graph gives it to v. NaN goes on from both.
        taken = taken | (u != u) if isinstance(u, torch.Tensor) else taken
        return torch.where(taken, number(u, v), number(v, u))

    functions: dict[str, Any] = {
        "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
        "**": operator.pow, "step": lambda u: (u > 0) * 1.0,
        "max": lambda u, v: chosen(u > v, u, v), "min": lambda u, v: chosen(u < v, u, v),
    }  # fmt: skip
    functions |= {name: getattr(torch, name) for name in formulas.FUNCTIONS if name != "step"}

    def computed(*values: Any) -> Any:
        return formulas.computed(tree, dict(zip(names, values, strict=True)), functions)

    return _of_values(torch, computed)


def _branching(torch: Any, network: Network, parts: Mapping[str, Any]) -> Any:
    """Return a module whose parts take each other's values."""
    wired = zip(network.wired(), parts.values(), strict=True)
    steps = [(step.name, module, takes) for (step, takes), module in wired]
    names = [one.name for one in network.inputs]
    ends = [end.step for end in network.outputs]

    class Branching(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            for name, module in parts.items():
                self.add_module(name, module)

        def forward(self, *inputs: Any) -> Any:
            made = dict(zip(names, inputs, strict=True))
            for name, module, takes in steps:
                made[name] = module(*(made[one] for one in takes))
            found = tuple(made[end] for end in ends)
            return found if len(found) > 1 else found[0]

    return Branching()


def _module(nn: Any, step: Activation) -> Any:
    """Return the module of an activation; None where PyTorch has none."""
    kind, given = kind_of(step)
    alpha = given.get("alpha", 1.0)
    name = named(step.kind, "torch")
    if name:
        return getattr(nn, name)(**({} if CATALOG[step.kind].is_elementwise else {"dim": -1}))
    match kind:
        case "leaky_relu":
            return nn.LeakyReLU(given.get("alpha", 0.01))
        case "elu":
            return nn.ELU(alpha)
        case "celu":
            return nn.CELU(alpha)
        case "softplus_scaled":
            return nn.Softplus(alpha)
        case "gelu_tanh":
            return nn.GELU(approximate="tanh")
        case "hard_tanh":
            return nn.Hardtanh(given["low"], given["high"])
        case "clip" | "at_least" | "at_most":
            return _clamping(nn, given.get("low"), given.get("high"))
        case "softshrink":
            return nn.Softshrink(alpha)
        case "hardshrink":
            return nn.Hardshrink(alpha)
    names = {
        "selu": "SELU", "silu": "SiLU", "gelu": "GELU",
        "softsign": "Softsign", "hard_sigmoid": "Hardsigmoid", "relu6": "ReLU6",
        "log_sigmoid": "LogSigmoid", "tanhshrink": "Tanhshrink", "mish": "Mish",
        "hard_silu": "Hardswish",
    }  # fmt: skip
    return getattr(nn, names[kind])() if kind in names else None


def _clamping(nn: Any, low: float | None, high: float | None) -> Any:
    """Return a module that holds numbers between limits, whose slope there is 1."""

    class Clamp(nn.Module):  # type: ignore[misc]
        def forward(self, values: Any) -> Any:
            return values.clamp(low, high)

    return Clamp()


def _scaling(torch: Any, step: Affine) -> Any:
    """Return a module that multiplies and adds numbers that are not trained."""

    class Scaling(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("scale", torch.from_numpy(np.array(step.scale)))
            self.register_buffer("shift", torch.from_numpy(np.array(step.shift)))

        def forward(self, values: Any) -> Any:
            return values * self.scale + self.shift

    return Scaling()

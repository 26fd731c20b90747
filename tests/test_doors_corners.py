"""Activations at their corners, where random numbers never come: the slopes are PyTorch's own."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest

import nodeflow as nf

with suppress(ModuleNotFoundError):  # then the mark says what becomes of the tests
    import torch
    from torch import nn

pytestmark = pytest.mark.programs("torch")

CORNERS = (-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 6.0)
"""Among them all numbers at which one of the functions below bends."""

MODULES: dict[str, tuple] = {
    "relu": ("ReLU",),
    "leaky": ("LeakyReLU",),
    "leaky by 0.2": ("LeakyReLU", 0.2),
    "prelu": ("PReLU",),
    "elu": ("ELU",),
    "elu by 0.5": ("ELU", 0.5),
    "selu": ("SELU",),
    "celu by 2": ("CELU", 2.0),
    "log sigmoid": ("LogSigmoid",),
    "softplus": ("Softplus",),
    "softplus by 2": ("Softplus", 2.0),
    "mish": ("Mish",),
    "relu6": ("ReLU6",),
    "hard tanh": ("Hardtanh",),
    "hard tanh from -2 to 3": ("Hardtanh", -2.0, 3.0),
    "hard sigmoid": ("Hardsigmoid",),
    "hard swish": ("Hardswish",),
    "soft shrink": ("Softshrink",),
    "hard shrink": ("Hardshrink",),
    "softsign": ("Softsign",),
    "clamp": ("clamp", -1.0, 2.0),
    "clamp from 0": ("clamp", 0.0, None),
    "clamp to 1": ("clamp", None, 1.0),
}

with suppress(NameError):

    class Clamp(nn.Module):
        def __init__(self, low: float | None, high: float | None) -> None:
            super().__init__()
            self.low, self.high = low, high

        def forward(self, z):
            return torch.clamp(z, self.low, self.high)


@pytest.mark.parametrize("name", MODULES)
def test_slopes_at_corners_are_those_of_pytorch(name: str) -> None:
    """Wire z = 0·x + b, so that z is a corner exactly, and C = (a − y)² with a − y = 1."""
    with torch.device("cpu"):
        kind, *settings = MODULES[name]
        module = (Clamp if kind == "clamp" else getattr(nn, kind))(*settings).double()
        one = nn.Linear(1, 1).double()
    graph = nf.from_torch(nn.Sequential(one, module), torch.zeros(1, 1, dtype=torch.float64))
    (into,) = graph.inputs("cost")["a"]
    for corner in CORNERS:
        z = torch.tensor([[corner]], dtype=torch.float64, requires_grad=True)
        a = module(z)
        a.sum().backward()
        at = graph.set("layer0.bias", value=[corner]).set("x", value=[0.0])
        run = nf.Run(at.set("y", value=[a.item() - 1.0]))
        run.evaluate()
        assert np.ravel(run[str(into.start)]) == pytest.approx(a.item(), abs=1e-12)
        slope = np.ravel(run.gradient("layer0.bias.value")) / 2
        # PyTorch's hardsigmoid has the float32 next to 1/6 for a slope.
        assert slope == pytest.approx(z.grad.item(), abs=1e-8), corner


@pytest.mark.parametrize("formula", ["min(u, 0.2)", "max(0.1, u) ^ 2", "min(max(u, 0.1), 0.7) * u"])
def test_the_limits_of_a_formula_keep_their_digits_on_the_way_to_pytorch(formula):
    """A number that becomes a tensor is a float32, and 0.2 then 3e-9 more."""
    z = nf.weighted_sum(nf.constant(id="x", value=[[1.0]]), nf.parameter(id="w", value=[[1.0]]),
                        nf.parameter(id="b", value=[0.0]), id="z")  # fmt: skip
    bent = nf.expression(z, formula=formula, id="bent")
    cost = nf.squared_error(bent, nf.constant(id="y", value=[[0.5]]), id="cost")
    graph = nf.Graph.of(nf.gradient_descent(cost, rate=0.1, id="train"))
    for shift in (-2.0, -0.6, 2.0):
        run = nf.Run(graph.set("b", value=[shift]))
        run.evaluate()
        module = nf.to_torch(graph.set("b", value=[shift]))
        found = module(torch.ones(1, 1, dtype=torch.float64)).item()
        assert found == pytest.approx(run["bent.value"].item(), abs=1e-15)

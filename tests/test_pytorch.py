"""Networks against PyTorch: every value, every gradient, and the weights after training."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from zlib import crc32

import numpy as np
import pytest
from numpy.testing import assert_allclose

import nodeflow as nf
from nodeflow.graph import Graph

with suppress(ModuleNotFoundError):  # then the mark says what becomes of the tests
    import torch

pytestmark = pytest.mark.programs("torch")

CLOSE = {"rtol": 1e-10, "atol": 1e-12}
ROWS = 6
WIDTHS = (4, 5, 3, 6, 3)
"""Inputs, then neurons a layer; a network of depth d has the first d layers, and 3 outputs."""

ACTIVATIONS = {
    "sigmoid": lambda z: z.sigmoid(),
    "tanh": lambda z: z.tanh(),
    "relu": lambda z: z.relu(),
    "leaky_relu": lambda z: torch.nn.functional.leaky_relu(z, 0.01),
    "softplus": lambda z: torch.nn.functional.softplus(z, threshold=100),
    "identity": lambda z: z,
    "softmax": lambda z: torch.softmax(z, dim=1),
}
COSTS = {
    "squared_error": lambda a, y: ((a - y) ** 2).sum(1).mean(),
    "half squared_error": lambda a, y: 0.5 * ((a - y) ** 2).sum(1).mean(),
    "cross_entropy": lambda a, y: -(y * a.log() + (1 - y) * (1 - a).log()).sum(1).mean(),
    "categorical_cross_entropy": lambda a, y: -(y * a.log()).sum(1).mean(),
}
LAST = {"cross_entropy": "sigmoid", "categorical_cross_entropy": "softmax"}


class Network:
    """The same network twice: as a graph, and as tensors."""

    def __init__(self, depth: int, activation: str, cost: str, regularization: float) -> None:
        random = np.random.default_rng(crc32(f"{depth}{activation}{cost}".encode()))
        sizes = [*WIDTHS[:depth], 3]
        self.cost, self.regularization = cost, regularization
        self.activations = [activation] * depth
        self.activations[-1] = LAST.get(cost, activation)
        if activation == "softmax":
            self.activations[:-1] = ["tanh"] * (depth - 1)
        self.x = random.uniform(-1, 1, (ROWS, sizes[0]))
        self.y = random.uniform(0, 1, (ROWS, 3))
        if cost.endswith("cross_entropy"):
            self.y = np.eye(3)[random.integers(0, 3, ROWS)]
        self.start = {}
        for k, (inputs, neurons) in enumerate(pairwise(sizes), 1):
            self.start[f"theta{k}"] = random.uniform(-1, 1, (neurons, inputs))
            self.start[f"b{k}"] = random.uniform(-0.5, 0.5, neurons)

    def graph(self, trainer: str, **settings) -> Graph:
        a = nf.constant(value=self.x, id="x")
        y = nf.constant(value=self.y, id="y")
        weights = []
        for k, activation in enumerate(self.activations, 1):
            theta = nf.parameter(value=self.start[f"theta{k}"], id=f"theta{k}")
            b = nf.parameter(value=self.start[f"b{k}"], id=f"b{k}")
            weights.append(theta)
            z = nf.weighted_sum(a, theta, b, id=f"layer{k}")
            a = getattr(nf, activation)(z, id=f"a{k}")
        half = {"half": True} if self.cost.startswith("half") else {}
        cost = getattr(nf, self.cost.split()[-1])(a, y, id="cost", **half)
        if self.regularization:
            penalty = nf.l2_penalty(*weights, regularization=self.regularization, id="penalty")
            cost = nf.add(cost, penalty, id="J")
        return Graph.of(getattr(nf, trainer)(cost, id="train", **settings), batch="all")

    def tensors(self) -> dict:
        return {key: torch.tensor(value, requires_grad=True) for key, value in self.start.items()}

    def forward(self, weights) -> tuple[dict, object]:
        """Return every z and a, and J, as PyTorch has them."""
        a, values = torch.tensor(self.x), {}
        for k, activation in enumerate(self.activations, 1):
            z = a @ weights[f"theta{k}"].T + weights[f"b{k}"]
            a = ACTIVATIONS[activation](z)
            values[f"layer{k}.z"], values[f"a{k}.a"] = z, a
        for value in values.values():
            value.retain_grad()
        cost = COSTS[self.cost](a, torch.tensor(self.y))
        for key, theta in weights.items():
            if key.startswith("theta"):
                cost = cost + self.regularization / 2 * (theta**2).sum()
        return values, cost

    def trained(self, optimizer, updates: int) -> dict:
        """Return the weights after some updates by PyTorch."""
        weights = self.tensors()
        steps = optimizer(weights.values())
        for _ in range(updates):
            steps.zero_grad()
            self.forward(weights)[1].backward()
            steps.step()
        return {key: value.detach().numpy() for key, value in weights.items()}


NETWORKS = [
    pytest.param(depth, activation, cost, id=f"{depth}-{activation}-{cost}")
    for depth in (1, 2, 3, 4)
    for activation in ACTIVATIONS
    for cost in COSTS
    if not (cost in LAST and activation == "softmax")
]


@pytest.mark.parametrize(("depth", "activation", "cost"), NETWORKS)
def test_values_and_gradients_are_those_of_pytorch(depth, activation, cost) -> None:
    for regularization in (0.0, 0.15):
        network = Network(depth, activation, cost, regularization)
        weights = network.tensors()
        values, total = network.forward(weights)
        total.backward()
        run = nf.Run(network.graph("gradient_descent", rate=0.1))
        while run.update == 0:
            run.step()
        assert_allclose(run.cost, total.item(), **CLOSE)
        for address, value in values.items():
            assert_allclose(run[address], value.detach().numpy(), **CLOSE)
            # δ and blame are a sample's own: J is the mean of n samples
            if address in run.gradients:
                assert_allclose(run.gradient(address), ROWS * value.grad.numpy(), **CLOSE)
        assert {f"layer{k}.z" for k in range(1, depth + 1)} <= set(run.gradients)
        assert {f"a{k}.a" for k in range(1, depth)} <= set(run.gradients)
        for key, value in weights.items():
            assert_allclose(run.gradient(f"{key}.value"), value.grad.numpy(), **CLOSE)


TRAINERS = {
    "plain": ("gradient_descent", {"rate": 0.2}, lambda w: torch.optim.SGD(w, lr=0.2)),
    "momentum": (
        "gradient_descent",
        {"rate": 0.1, "momentum": 0.9},
        lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9),
    ),
    "adam": ("adam", {"rate": 0.02}, lambda w: torch.optim.Adam(w, lr=0.02)),
    "adam of other memory": (
        "adam",
        {"rate": 0.05, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-6},
        lambda w: torch.optim.Adam(w, lr=0.05, betas=(0.8, 0.95), eps=1e-6),
    ),
}


@pytest.mark.parametrize("trainer", TRAINERS)
@pytest.mark.parametrize(("depth", "activation", "cost"), NETWORKS[::3])
def test_weights_after_training_are_those_of_pytorch(depth, activation, cost, trainer) -> None:
    network = Network(depth, activation, cost, 0.05)
    name, settings, optimizer = TRAINERS[trainer]
    graph = network.graph(name, **settings)
    wanted = network.trained(optimizer, 3)
    trained = nf.Run(graph)
    trained.train(updates=3)
    stepped = nf.Run(graph)
    while stepped.update < 3:
        stepped.step()
    close = {"rtol": 1e-9, "atol": 1e-10} if name == "adam" else CLOSE
    for key, value in wanted.items():
        assert_allclose(trained.weights[f"{key}.value"], value, **close)
        assert (trained.weights[f"{key}.value"] == stepped.weights[f"{key}.value"]).all()

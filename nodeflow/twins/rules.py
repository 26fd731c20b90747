"""How programs train: one function a program and way, each an edit of the textbook's graph.

The textbook: row by row, e = a − y, δ = e·g′(z), blame through the weights of before the update,
Θ ← Θ − α·∂J/∂Θ. Versions and how each rule was measured: `docs/twins.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from nodeflow import formula as formulas
from nodeflow.declare import CATALOG
from nodeflow.errors import GraphError, nearest
from nodeflow.graph import Graph
from nodeflow.interchange.fann import stepwise
from nodeflow.nodes.activation import sigmoid, tanh
from nodeflow.nodes.cost import categorical_cross_entropy, squared_error
from nodeflow.nodes.expression import expression
from nodeflow.nodes.trainer import adam, gradient_descent
from nodeflow.twins.network import KEY, TRAIN, Network, read
from nodeflow.twins.wiring import Wiring

Function = Callable[[Network], Graph]


@dataclass(frozen=True)
class Rule:
    """A program's way to train, and what is said of it in a table."""

    name: str
    program: str
    function: Function
    factor: str = "e"
    """Of the error at an output: what stands in the place of ∂C/∂a."""
    order: str = "before"
    """Whether blame passes the weights of before the update, or new ones."""
    momentum: str = "none"
    decay: str = "none"
    clipping: str = "none"
    scaling: str = "none"
    rows: str = "in the file's order"
    stops: str = "after the passes asked for"
    steps: float = 0.5
    """The learning rate of its graph file."""
    within: float = 1e-12
    """How far the program's own weights may be from the graph's: its arithmetic."""
    updates: int | None = None
    """After how many updates the program goes on otherwise."""

    def graph(self, network: Network) -> Graph:
        """Return the network as this program trains it."""
        made = self.function(network)
        record = network.record(self.name)
        return replace(
            made,
            name=self.name,
            about=f"{self.program}: its own weights after every update. {self.function.__doc__}",
            extra={**made.extra, KEY: record},
        )


RULES: dict[str, Rule] = {}
"""All rules by name, those that most people have first."""


def rule(name: str, program: str, **facts: str | float) -> Callable[[Function], Function]:
    """Enter a function among the rules."""

    def enter(function: Function) -> Function:
        RULES[name] = Rule(name, program, function, **facts)  # type: ignore[arg-type]
        return function

    return enter


# --- costs -------------------------------------------------------------------------------------


def half_squared(network: Network) -> Network:
    """Return the network with C = ½ Σ e², of which e is the slope."""
    return network.with_cost(squared_error, half=True)


def mean_over_outputs(network: Network) -> Network:
    """Return the network with its cost averaged over the outputs, as 'mse' and 'bce' are.

    A categorical cross-entropy is one number per row already.
    """
    cost = network.graph.nodes[network.cost].kind
    if cost is categorical_cross_entropy:
        return network.with_cost(cost)
    return network.with_cost(cost, share=1 / network.outputs)


def likelihood(network: Network) -> Network:
    """Return the network with the cost whose slope in z is a − y."""
    natural = CATALOG.natural_cost(network.last.activation)
    return half_squared(network) if natural is None else network.with_cost(natural)


def by_error_alone(network: Network) -> Wiring:
    """Return the textbook's graph whose outputs have δ = e: their slope is bypassed."""
    wiring = Wiring(half_squared(network))
    wiring.bypass(f"{network.last.sum}.delta")
    return wiring


def single(number: float) -> float:
    """Return a number as a program with float32 settings has it."""
    return float(np.float32(number))


# --- PyTorch, Keras, optax, TensorFlow.js ------------------------------------------------------

TORCH, KERAS, OPTAX = "PyTorch 2.13.0", "Keras 3.15.1", "optax 0.2.8"
TFJS = "TensorFlow.js 4.22.0"
MEANS = "2e/K: mean over rows and outputs"


@rule("torch-sgd", TORCH, factor=MEANS)
def torch_sgd(network: Network) -> Graph:
    """SGD: Θ ← Θ − αg with g of MSELoss (or BCELoss), a mean over rows and outputs."""
    return mean_over_outputs(network).unfolded()


@rule("torch-sgd-sum", f"{TORCH}, reduction='sum'", factor="2e, summed over rows")
def torch_sgd_sum(network: Network) -> Graph:
    """SGD with the cost summed over rows and outputs."""
    wiring = Wiring(network.with_cost(network.graph.nodes[network.cost].kind))
    wiring.total()
    return wiring.graph


@rule("torch-momentum", TORCH, factor=MEANS, momentum="rate outside: v ← μv + g, Θ ← Θ − αv")
def torch_momentum(network: Network) -> Graph:
    """SGD with momentum: v ← μv + g, Θ ← Θ − αv."""
    network = mean_over_outputs(network)
    mu = network.momentum or 0.9
    return network.with_trainer(gradient_descent, rate=network.rate, momentum=mu).unfolded()


@rule("torch-nesterov", TORCH, factor=MEANS, momentum="Nesterov, rate outside: Θ ← Θ − α(g + μv)")
def torch_nesterov(network: Network) -> Graph:
    """SGD with Nesterov's momentum in one update: v ← μv + g, Θ ← Θ − α(g + μv)."""
    network = mean_over_outputs(network)
    mu = network.momentum or 0.9
    wiring = Wiring(network.with_trainer(gradient_descent, rate=network.rate, momentum=mu))
    share = wiring.constant(f"{TRAIN}.momentum", mu)
    for theta in network.parameters:
        gradient = wiring.source(f"{theta}.velocity.update.gradient")
        wiring.splice(f"{theta}.update.gradient", f"{theta}.ahead", "v * m + g",
                      m=share, g=gradient)  # fmt: skip
    return wiring.graph


def _adam(network: Network) -> Network:
    return mean_over_outputs(network).with_trainer(adam, rate=network.rate)


@rule("torch-adam", TORCH, factor=MEANS, momentum="Adam, ε 1e-8 beside √v̂", steps=0.01)
def torch_adam(network: Network) -> Graph:
    """Adam as its authors have it: α·m̂ / (√v̂ + 1e-8)."""
    return _adam(network).unfolded()


@rule("keras-sgd", KERAS, factor=MEANS, within=1e-6)
def keras_sgd(network: Network) -> Graph:
    """SGD without momentum."""
    return torch_sgd(network)


def inner_momentum(network: Network, default: float) -> Graph:
    """Return the graph with v ← μv − αg, Θ ← Θ + v: a rate that changes later stays in v."""
    wiring = Wiring(network)
    wiring.velocity(network.parameters, network.momentum or default)
    return wiring.graph


INSIDE = "rate inside: v ← μv − αg, Θ ← Θ + v"
AHEAD = "Nesterov, rate inside: Θ ← Θ + μv − αg"


@rule("keras-momentum", KERAS, factor=MEANS, momentum=INSIDE, within=1e-6)
def keras_momentum(network: Network) -> Graph:
    """SGD with momentum: v ← μv − αg, Θ ← Θ + v."""
    return inner_momentum(mean_over_outputs(network), 0.9)


def nesterov_inside(wiring: Wiring, momentum: float) -> None:
    """Keep v ← μv − αg and step by μv − αg."""
    thetas = wiring.network.parameters
    gradients = {theta: wiring.gradient(theta) for theta in thetas}
    wiring.velocity(thetas, momentum)
    for theta in thetas:
        wiring.splice(f"{theta}.update.gradient", f"{theta}.ahead", "v * m - rate * g",
                      m=f"{TRAIN}.momentum.value", rate=wiring.rate,
                      g=gradients[theta])  # fmt: skip


@rule("keras-nesterov", KERAS, factor=MEANS, momentum=AHEAD, within=1e-6)
def keras_nesterov(network: Network) -> Graph:
    """SGD with Nesterov's momentum: v ← μv − αg, Θ ← Θ + μv − αg."""
    wiring = Wiring(mean_over_outputs(network))
    nesterov_inside(wiring, network.momentum or 0.9)
    return wiring.graph


def adam_by(network: Network, formula: Callable[[str], str]) -> Graph:
    """Return Adam with another formula for the step of each parameter, in m, v and t."""
    graph = network.with_trainer(adam, rate=network.rate).unfolded()
    for theta in network.parameters:
        text = formula(theta)
        wires = {port: graph.inputs(f"{theta}.step")[port][0].start for port in ("m", "v", "t")}
        ends = [wire.end for wire in graph.out_of(f"{theta}.step")]
        graph = graph.remove(f"{theta}.step").add(f"{theta}.step", expression.name, formula=text)
        for port in formulas.names(formulas.parse(text)):
            graph = graph.connect(wires[port], f"{theta}.step.{port}")
        for end in ends:
            graph = graph.connect(f"{theta}.step.value", end)
    return graph


def _adam_in_front(network: Network, epsilon: float) -> Graph:
    """Return Adam with its corrections in the rate, and ε beside √v that is not corrected."""
    text = f"sqrt(1 - 0.999^t) / (1 - 0.9^t) * m / (sqrt(v) + {epsilon!r})"
    return adam_by(network, lambda _: text)


@rule("keras-adam", KERAS, factor=MEANS, momentum="Adam, ε 1e-7 beside √v", within=1e-6,
      steps=0.01)  # fmt: skip
def keras_adam(network: Network) -> Graph:
    """Adam with α·√(1−β₂ᵗ)/(1−β₁ᵗ)·m/(√v + 1e-7)."""
    return _adam_in_front(mean_over_outputs(network), 1e-7)


@rule("optax-sgd", OPTAX, factor=MEANS)
def optax_sgd(network: Network) -> Graph:
    """SGD without momentum; the cost is the caller's, here a mean over rows and outputs."""
    return torch_sgd(network)


@rule("optax-adam", OPTAX, factor=MEANS, momentum="Adam, ε 1e-8 beside √v̂", steps=0.01)
def optax_adam(network: Network) -> Graph:
    """Adam as its authors have it."""
    return _adam(network).unfolded()


@rule("tensorflow-js-sgd", TFJS, factor=MEANS, within=2e-7)
def tensorflow_js_sgd(network: Network) -> Graph:
    """SGD without momentum, in float32."""
    return torch_sgd(network)


@rule("tensorflow-js-momentum", TFJS, factor=MEANS,
      momentum="rate outside: v ← μv + g, Θ ← Θ − αv", within=1e-6)  # fmt: skip
def tensorflow_js_momentum(network: Network) -> Graph:
    """SGD with momentum: v ← μv + g, Θ ← Θ − αv."""
    return torch_momentum(network)


@rule("tensorflow-js-adam", TFJS, factor=MEANS, momentum="Adam, ε 1e-7 beside √v̂", within=4e-6,
      steps=0.01)  # fmt: skip
def tensorflow_js_adam(network: Network) -> Graph:
    """Adam as its authors have it, ε = 1e-7."""
    network = mean_over_outputs(network)
    return network.with_trainer(adam, rate=network.rate, epsilon=1e-7).unfolded()


MLX, TINYGRAD = "MLX 0.32.4", "tinygrad 0.14.0"


@rule("mlx-sgd", MLX, factor=MEANS, within=1e-8)
def mlx_sgd(network: Network) -> Graph:
    """SGD without momentum; its sigmoid in float64 has nine right digits."""
    return torch_sgd(network)


@rule("mlx-adam", MLX, factor=MEANS, momentum="Adam without corrections, ε 1e-8 beside √v",
      within=1e-7, steps=0.01)  # fmt: skip
def mlx_adam(network: Network) -> Graph:
    """Adam as preset, α·m / (√v + 1e-8): m and v start at 0, and nothing makes up for that."""
    return adam_by(mean_over_outputs(network), lambda _: "m / (sqrt(v) + 1e-08)")


@rule("tinygrad-sgd", TINYGRAD, factor=MEANS, within=2e-7)
def tinygrad_sgd(network: Network) -> Graph:
    """SGD without momentum, in float32."""
    return torch_sgd(network)


@rule("tinygrad-momentum", TINYGRAD, factor=MEANS,
      momentum="rate outside: v ← μv + g, Θ ← Θ − αv", within=1e-6)  # fmt: skip
def tinygrad_momentum(network: Network) -> Graph:
    """SGD with momentum in float32: v ← μv + g, Θ ← Θ − αv."""
    return torch_momentum(network)


@rule("tinygrad-adam", TINYGRAD, factor=MEANS, momentum="Adam, ε 1e-8 beside √v̂", within=4e-6,
      steps=0.01)  # fmt: skip
def tinygrad_adam(network: Network) -> Graph:
    """Adam as its authors have it, in float32."""
    return _adam(network).unfolded()


# --- scikit-learn ------------------------------------------------------------------------------

SKLEARN = "scikit-learn 1.9.1"
ALPHA = 1e-4
_WEIGHTS = "αΘ/n on the weights, α = 1e-4"
_TOL = "when the loss has not fallen by 1e-4 for 10 passes"


def _sklearn(network: Network, batch: int | str | None) -> Wiring:
    network = likelihood(network if batch is None else network.with_batch(batch))
    wiring = Wiring(network)
    for layer in network.layers:
        if network.trains(layer.weights):
            share = ALPHA / network.samples
            key = f"{layer.weights}.average"
            wiring.graph = wiring.graph.set(key, regularization=share)
            if not wiring.graph.inputs(key).get("weights"):
                wiring.graph = wiring.graph.connect(f"{layer.weights}.value", f"{key}.weights")
    return wiring


@rule("sklearn-batch-1", f"{SKLEARN}, batch_size=1, momentum=0", factor="a − y in place of δ",
      decay=_WEIGHTS, rows="shuffled each pass; shuffle=False: the file's", stops=_TOL)  # fmt: skip
def sklearn_batch_1(network: Network) -> Graph:
    """Solver sgd without momentum, row by row: g = (a − y)·…, plus αΘ on weights."""
    return _sklearn(network, 1).graph


@rule("sklearn-batch-all", f"{SKLEARN}, batch_size=n, momentum=0", factor="a − y in place of δ",
      decay=_WEIGHTS, rows="shuffled each pass; shuffle=False: the file's", stops=_TOL)  # fmt: skip
def sklearn_batch_all(network: Network) -> Graph:
    """Solver sgd without momentum, all rows at once: αΘ is divided by their number."""
    return _sklearn(network, "all").graph


@rule("sklearn-nesterov", f"{SKLEARN}, solver='sgd' as preset", factor="a − y in place of δ",
      decay=_WEIGHTS, momentum=f"{AHEAD}, μ = 0.9",
      rows="shuffled each pass; shuffle=False: the file's", stops=_TOL)  # fmt: skip
def sklearn_nesterov(network: Network) -> Graph:
    """Solver sgd as it is preset: v ← μv − αg, Θ ← Θ + μv − αg; the first step is 1.9 αg."""
    wiring = _sklearn(network, None)
    nesterov_inside(wiring, network.momentum or 0.9)
    return wiring.graph


@rule("sklearn-momentum", f"{SKLEARN}, nesterovs_momentum=False", factor="a − y in place of δ",
      decay=_WEIGHTS, momentum=INSIDE, rows="shuffled each pass; shuffle=False: the file's",
      stops=_TOL)  # fmt: skip
def sklearn_momentum(network: Network) -> Graph:
    """Solver sgd with plain momentum: v ← μv − αg, Θ ← Θ + v."""
    wiring = _sklearn(network, None)
    wiring.velocity(network.parameters, network.momentum or 0.9)
    return wiring.graph


@rule("sklearn-adam", f"{SKLEARN}, solver='adam'", factor="a − y in place of δ", decay=_WEIGHTS,
      momentum="Adam, ε 1e-8 beside √v", steps=0.01,
      rows="shuffled each pass; shuffle=False: the file's", stops=_TOL)  # fmt: skip
def sklearn_adam(network: Network) -> Graph:
    """Solver adam: α·√(1−β₂ᵗ)/(1−β₁ᵗ)·m/(√v + 1e-8)."""
    network = likelihood(network)
    graph = _adam_in_front(network, 1e-8)
    for layer in network.layers:
        if network.trains(layer.weights):
            key = f"{layer.weights}.average"
            graph = graph.set(key, regularization=ALPHA / network.samples)
            if not graph.inputs(key).get("weights"):
                graph = graph.connect(f"{layer.weights}.value", f"{key}.weights")
    return graph


# --- FANN --------------------------------------------------------------------------------------

FANN = "FANN 2.2.0"
_CLIP = "a to 0.01 … 0.99 in slopes"
_ATANH = "ln((1+e)/(1−e))"


def _fann(
    network: Network, *, steps: bool = False, atanh: bool = False, batch: int | str = 1
) -> Wiring:
    network = replace(network, rate=single(network.rate), momentum=single(network.momentum))
    network = half_squared(network.with_batch(batch))
    wiring = Wiring(network)
    if atanh:
        wiring.splice(
            f"{network.last.sum}.delta.blame", f"{network.cost}.error.stretched",
            "log((1 + min(max(error, -0.9999999), 0.9999999))"
            " / (1 - min(max(error, -0.9999999), 0.9999999)))"
            " * (1 - step(abs(error) - 0.9999999))"
            " + 17 * sign(error) * step(abs(error) - 0.9999999)",
        )  # fmt: skip
    for layer in network.layers:
        if layer.activation != sigmoid.name:
            continue
        low, high = single(0.01), single(0.99)
        wiring.splice(f"{layer.sum}.delta.a", f"{layer.sum}.clipped",
                      f"min(max(a, {low!r}), {high!r})")  # fmt: skip
        if steps:
            wiring.activation(layer, stepwise().format(s="0.5"))
    return wiring


@rule("fann-incremental", f"{FANN}, incremental as preset", factor=_ATANH, clipping=_CLIP,
      scaling="sigmoid in five straight pieces", momentum=INSIDE, steps=0.7)  # fmt: skip
def fann_incremental(network: Network) -> Graph:
    """Row by row with a stepwise sigmoid, a stretched error and clipped slopes."""
    wiring = _fann(network, steps=True, atanh=True)
    if network.momentum:
        wiring.velocity(network.parameters, single(network.momentum))
    return wiring.graph


@rule("fann-sigmoid-tanh", f"{FANN}, incremental, SIGMOID", factor=_ATANH, clipping=_CLIP,
      momentum=INSIDE, steps=0.7)  # fmt: skip
def fann_sigmoid_tanh(network: Network) -> Graph:
    """Row by row with a stretched error and clipped slopes."""
    wiring = _fann(network, atanh=True)
    if network.momentum:
        wiring.velocity(network.parameters, single(network.momentum))
    return wiring.graph


@rule("fann-plain", f"{FANN}, incremental, SIGMOID, LINEAR error", clipping=_CLIP,
      momentum=INSIDE, steps=0.7)  # fmt: skip
def fann_plain(network: Network) -> Graph:
    """Row by row; only the slopes are clipped."""
    wiring = _fann(network)
    if network.momentum:
        wiring.velocity(network.parameters, single(network.momentum))
    return wiring.graph


@rule("fann-batch", f"{FANN}, batch, SIGMOID, LINEAR error", clipping=_CLIP, steps=0.7)
def fann_batch(network: Network) -> Graph:
    """All rows at once, their mean."""
    wiring = _fann(network, batch="all")
    wiring.total()
    # The rate is divided by the rows in float32 before any gradient meets it.
    share = single(single(network.rate) / wiring.network.samples)
    rate = wiring.constant(f"{TRAIN}.rate_a_row", share)
    for theta in network.parameters:
        wiring.move(f"{theta}.update.rate", rate)
    return wiring.graph


@rule("fann-quickprop", f"{FANN}, quickprop, SIGMOID, LINEAR error", clipping=_CLIP,
      decay="0.0001 Θ, biases too", momentum="a parabola through two slopes, μ = 1.75",
      steps=0.7)  # fmt: skip
def fann_quickprop(network: Network) -> Graph:
    """Quickprop: each weight steps to the bottom of the parabola through its last two slopes."""
    wiring = _fann(network, batch="all")
    wiring.total()
    decay, most = single(-0.0001), 1.75
    for theta in network.parameters:
        total = wiring.source(f"{theta}.average.total")
        slope = wiring.formula(f"{theta}.slope", f"w * {decay!r} - g",
                               w=f"{theta}.value", g=total)  # fmt: skip
        before = wiring.memory(f"{theta}.slope_before", theta)
        last = wiring.memory(f"{theta}.last", theta)
        shrink = single(single(most) / single(1 + single(most)))
        # Where it steps down, signs are turned, so that both directions are one formula.
        turned = "sign(l)"
        close = f"step({turned} * s - {shrink!r} * {turned} * b)"
        apart = "(b - s + (1 - step(abs(b - s))))"
        leap = f"({most!r} * l * {close} + l * s / {apart} * (1 - {close}))"
        moves = "step(abs(l) - 0.001)"
        down = f"step({turned} * s)"
        text = f"{moves} * ({down} * share * s + {leap}) + (1 - {moves}) * share * s"
        share = wiring.constant(
            f"{TRAIN}.rate_a_row", single(single(network.rate) / wiring.network.samples)
        )
        new = wiring.formula(f"{theta}.leap", text, s=slope, b=before, l=last,
                             share=share)  # fmt: skip
        wiring.keep(f"{theta}.slope_before", slope)
        wiring.keep(f"{theta}.last", new)
        wiring.step_by(theta, new)
    return wiring.graph


@rule("fann-rprop", f"{FANN}, RPROP as preset, SIGMOID, LINEAR error", clipping=_CLIP,
      momentum="a step size a weight: ·1.2, ·0.5; up after a turn and where g = 0",
      steps=0.7)  # fmt: skip
def fann_rprop(network: Network) -> Graph:
    """RPROP by signs alone; after a turn, and where the gradient is 0, a weight rises."""
    wiring = _fann(network, batch="all")
    wiring.total()
    more, less, most = single(1.2), 0.5, 50.0
    for theta in network.parameters:
        gradient = wiring.source(f"{theta}.average.total")
        size = wiring.memory(f"{theta}.size", theta, single(0.1))
        before = wiring.memory(f"{theta}.before", theta)
        turn = wiring.formula(f"{theta}.turn", "step(0 - g * b)", g=gradient, b=before)
        wide = wiring.formula(
            f"{theta}.size.new",
            f"(1 - t) * min(max(s, {single(0.0001)!r}) * {more!r}, {most!r})"
            f" + t * max(s, {single(0.0001)!r}) * {less!r}",
            t=turn, s=size,
        )  # fmt: skip
        kept = wiring.formula(f"{theta}.kept", "g * (1 - t)", g=gradient, t=turn)
        step = wiring.formula(f"{theta}.step", "s * (1 - 2 * step(g))", s=wide, g=kept)
        wiring.keep(f"{theta}.size", wide)
        wiring.keep(f"{theta}.before", kept)
        wiring.step_by(theta, step)
    return wiring.graph


# --- Weka, OpenCV ------------------------------------------------------------------------------


@rule("weka", "Weka 3.6.14", momentum=f"{INSIDE}, μ = 0.2",
      scaling="attributes to −1 … 1", rows="shuffled once", stops="after -N passes")  # fmt: skip
def weka(network: Network) -> Graph:
    """Train row by row, with momentum, by the book; only the data are scaled."""
    network = half_squared(network.with_batch(1))
    wiring = Wiring(network)
    x, _ = network.rows()
    low, high = x.min(0), x.max(0)
    wiring.scale(network.x, "x", (high + low) / 2, (high - low) / 2)
    wiring.velocity(network.parameters, network.momentum or 0.2)
    return wiring.graph


def _opencv(network: Network, batch: int | str) -> Wiring:
    # Whatever activation there is, it is another one there: that of a plugin may have no delta.
    network = half_squared(network.with_batch(batch)).with_activation(tanh)
    wiring = Wiring(network)
    for layer in network.layers:
        wiring.activation(layer, "1.7159 * tanh(z / 3)")
        wiring.slope(layer, "blame * 4 / 3 * 1.7159 * exp(0 - abs(2 * z / 3))"
                     " / (1 + exp(0 - abs(2 * z / 3)))^2")  # fmt: skip
    x, y = network.rows()
    middle, width = x.mean(0), x.std(0)
    wiring.scale(network.x, "x", middle, np.where(width > 0, width, 1))
    low, high = y.min(0), y.max(0)
    span = np.where(high > low, (high - low) / 1.9, 1)
    wiring.scale(network.y, "y", (high + low) / 2, span)
    return wiring


_CV_SCALING = "inputs to mean 0, deviation 1; targets to ±0.95; a = 1.7159·tanh(z/3)"


@rule("opencv-backprop", "OpenCV 4.14.0, BACKPROP", order="after: blame through new weights",
      momentum=f"{INSIDE}, μ = 0.1", scaling=_CV_SCALING, steps=0.1, within=2e-7,
      rows="each pass, rows are swapped at random",
      stops="when the error moves less than ε·n in a pass")  # fmt: skip
def opencv_backprop(network: Network) -> Graph:
    """Row by row from the output down; each layer is updated before blame passes it."""
    wiring = _opencv(network, 1)
    wiring.velocity(network.parameters, network.momentum or 0.1)
    wiring.blame_through_new_weights()
    return wiring.graph


@rule("opencv-rprop", "OpenCV 4.14.0, RPROP as preset", scaling=_CV_SCALING, steps=0.1,
      momentum="a step size a weight: ·1.2, ·0.5; it moves at a turn too",
      stops="when the error moves less than ε·n in a pass")  # fmt: skip
def opencv_rprop(network: Network) -> Graph:
    """RPROP by signs alone; a weight moves along the new gradient at a turn too."""
    wiring = _opencv(network, "all")
    for theta in network.parameters:
        gradient = wiring.gradient(theta)
        size = wiring.memory(f"{theta}.size", theta, 0.1)
        before = wiring.memory(f"{theta}.before", theta)
        way = wiring.formula(f"{theta}.way", "0 - sign(g)", g=gradient)
        agree = wiring.formula(f"{theta}.agree", "w * b", w=way, b=before)
        wide = wiring.formula(
            f"{theta}.size.new",
            "min(max(s * (1 + 0.2 * step(p) - 0.5 * step(0 - p)), 1.1920928955078125e-07), 50)",
            s=size, p=agree,
        )  # fmt: skip
        kept = wiring.formula(f"{theta}.kept", "w * (1 - step(0 - p))", w=way, p=agree)
        step = wiring.formula(f"{theta}.step", "s * w", s=wide, w=way)
        wiring.keep(f"{theta}.size", wide)
        wiring.keep(f"{theta}.before", kept)
        wiring.step_by(theta, step)
    return wiring.graph


# --- JavaScript --------------------------------------------------------------------------------


@rule("brain-js", "brain.js 1.6.1", momentum="rate inside, weights only, μ = 0.1", within=2e-7,
      stops="at a mean error of 0.005, or after 20,000 passes")  # fmt: skip
def brain_js(network: Network) -> Graph:
    """Train row by row, by the book, in float32; momentum moves weights, no biases."""
    network = half_squared(network.with_batch(1))
    wiring = Wiring(network)
    weights = [theta for theta in network.parameters if theta not in network.biases]
    wiring.velocity(weights, network.momentum or 0.1)
    return wiring.graph


@rule("brain-js-adam", "brain.js 1.6.1, praxis 'adam'", within=2e-6, steps=0.01,
      momentum="Adam, ε 1e-8 beside √v̂; biases by the moments of the update before",
      stops="at a mean error of 0.005, or after 20,000 passes")  # fmt: skip
def brain_js_adam(network: Network) -> Graph:
    """Adam row by row; a bias steps by the moments of the update before, so not at the first."""
    network = half_squared(network.with_batch(1))
    graph = network.with_trainer(adam, rate=network.rate).unfolded()
    for bias in network.biases:
        for port, memory in (("m", "mean"), ("v", "size")):
            end = f"{bias}.step.{port}"
            graph = graph.disconnect(graph.inputs(f"{bias}.step")[port][0].start, end)
            graph = graph.connect(f"{bias}.{memory}.value", end)
    return graph


@rule("synaptic", "synaptic 1.1.4", factor="a − y in place of δ, whatever the cost",
      order="after: blame through new weights",
      stops="at a mean error of 0.005, or after 100,000 passes")  # fmt: skip
def synaptic(network: Network) -> Graph:
    """Row by row from the output down; outputs have no slope, blame passes new weights."""
    wiring = by_error_alone(network.with_batch(1))
    wiring.blame_through_new_weights()
    return wiring.graph


@rule("neataptic", "neataptic 1.4.7", factor="a − y in place of δ, whatever the cost",
      order="after: blame through new weights", momentum=INSIDE,
      stops="at the error asked for")  # fmt: skip
def neataptic(network: Network) -> Graph:
    """Row by row from the output down, as synaptic, with momentum."""
    wiring = by_error_alone(network.with_batch(1))
    if network.momentum:
        wiring.velocity(network.parameters, network.momentum)
    wiring.blame_through_new_weights()
    return wiring.graph


@rule("convnetjs", "convnetjs 0.3.0, sgd", momentum=f"{INSIDE}, μ = 0.9",
      rows="as they are handed in")  # fmt: skip
def convnetjs(network: Network) -> Graph:
    """C = ½ Σ e², mean over the batch; v ← μv − αg, Θ ← Θ + v."""
    return inner_momentum(half_squared(network), 0.9)


# --- Python ------------------------------------------------------------------------------------


@rule("pybrain", "PyBrain3 3.0.4", momentum=INSIDE, decay="preset 0; biases too",
      rows="shuffled each pass")  # fmt: skip
def pybrain(network: Network) -> Graph:
    """Train row by row, by the book; v ← μv + αg, preset μ = 0."""
    network = half_squared(network.with_batch(1))
    return inner_momentum(network, 0.0) if network.momentum else network.unfolded()


@rule("pybrain-batch", "PyBrain3 3.0.4, batchlearning=True", factor="e, summed over rows")
def pybrain_batch(network: Network) -> Graph:
    """All rows at once, their sum."""
    wiring = Wiring(half_squared(network.with_batch("all")))
    wiring.total()
    return wiring.graph


@rule("neurolab-adapt", "neurolab 0.3.5, train_gd, adapt=True")
def neurolab_adapt(network: Network) -> Graph:
    """Train row by row, by the book."""
    return half_squared(network.with_batch(1)).unfolded()


@rule("neurolab-gd", "neurolab 0.3.5, train_gd", factor="e, summed over rows",
      stops="after epochs − 1 updates")  # fmt: skip
def neurolab_gd(network: Network) -> Graph:
    """All rows at once, their sum."""
    return pybrain_batch(network)


@rule("neurolab-gdm", "neurolab 0.3.5, train_gdm", factor="e, summed over rows",
      momentum="v ← μv + (1−μ)αg, μ = 0.9", stops="after epochs − 1 updates")  # fmt: skip
def neurolab_gdm(network: Network) -> Graph:
    """All rows at once, their sum; a running mean of steps."""
    wiring = Wiring(half_squared(network.with_batch("all")))
    wiring.total()
    mu = network.momentum or 0.9
    share = wiring.formula(f"{TRAIN}.share", "rate * (1 - m)", rate=wiring.rate,
                           m=wiring.constant(f"{TRAIN}.momentum", mu))  # fmt: skip
    wiring.velocity(network.parameters, mu, share)
    return wiring.graph


def _ffnet(network: Network) -> Wiring:
    network = half_squared(network.with_batch("all"))
    wiring = Wiring(network)
    for address, name, values in zip((network.x, network.y), "xy", network.rows(), strict=True):
        low, high = values.min(0), values.max(0)
        span = np.where(high > low, (high - low) / 0.7, 1)
        wiring.scale(address, name, low - 0.15 * span, span)
    return wiring


@rule("ffnet-momentum", "ffnet 0.8.6, train_momentum", factor="e, summed over rows",
      scaling="inputs and targets to 0.15 … 0.85",
      momentum="of the last gradient alone: −μαg_before, μ = 0.8")  # fmt: skip
def ffnet_momentum(network: Network) -> Graph:
    """All rows at once, their sum; the gradient of one update before is remembered, no more."""
    wiring = _ffnet(network)
    wiring.total()
    share = wiring.constant(f"{TRAIN}.momentum", network.momentum or 0.8)
    for theta in network.parameters:
        before = wiring.memory(f"{theta}.before", theta)
        gradient = wiring.gradient(theta)
        wiring.keep(f"{theta}.before", gradient)
        wiring.splice(f"{theta}.update.gradient", f"{theta}.remembered", "g + m * b",
                      m=share, b=before)  # fmt: skip
    return wiring.graph


def rprop(wiring: Wiring, text: str, kept: str, sign: str, *, late: bool = False) -> None:
    """Step by signs alone, with a step size for each weight that starts at 0.1.

    `text` gives the new size from s, the old one, and p, the product of this gradient g and the one
    that is `kept`; `late`: a step is taken with the old size.
    """
    for theta in wiring.network.parameters:
        gradient = wiring.gradient(theta)
        size = wiring.memory(f"{theta}.size", theta, 0.1)
        before = wiring.memory(f"{theta}.before", theta)
        agree = wiring.formula(f"{theta}.agree", "g * b", g=gradient, b=before)
        wide = wiring.formula(f"{theta}.size.new", text, s=size, p=agree)
        if kept == "g":
            wiring.keep(f"{theta}.before", gradient)
        else:
            wiring.keep(f"{theta}.before",
                        wiring.formula(f"{theta}.kept", kept, g=gradient, p=agree))  # fmt: skip
        step = wiring.formula(f"{theta}.step", f"s * {sign}", s=size if late else wide, g=gradient)
        wiring.keep(f"{theta}.size", wide)
        wiring.step_by(theta, step)


@rule("ffnet-rprop", "ffnet 0.8.6, train_rprop", factor="e, summed over rows",
      scaling="inputs and targets to 0.15 … 0.85",
      momentum="a step size a weight: ·1.2, ·0.5; moves at a turn, down where g = 0")  # fmt: skip
def ffnet_rprop(network: Network) -> Graph:
    """RPROP by signs alone, with all rows; a weight moves at a turn too."""
    wiring = _ffnet(network)
    rprop(
        wiring,
        "step(p) * min(1.2 * s, 50) + step(0 - p) * max(0.5 * s, 1e-06)"
        " + (1 - step(p) - step(0 - p)) * s",
        "g", "(2 * step(0 - g) - 1)",
    )  # fmt: skip
    return wiring.graph


@rule("pybrain-rprop", "PyBrain3 3.0.4, RPropMinusTrainer", factor="e, summed over rows",
      momentum="a step size a weight: ·1.2, ·0.5, for the step after the next")  # fmt: skip
def pybrain_rprop(network: Network) -> Graph:
    """RPROP by signs alone, with all rows; a size grows only after it was used."""
    wiring = Wiring(half_squared(network.with_batch("all")))
    rprop(
        wiring, "min(max(s * (1 + 0.2 * step(p) - 0.5 * step(0 - p)), 1e-06), 5)",
        "g * (1 - step(0 - p))", "(0 - sign(g))", late=True,
    )  # fmt: skip
    return wiring.graph


@rule("mlxtend", "mlxtend 0.25.0", factor="a − y in place of δ, summed over rows",
      decay="l2·Θ, weights only, preset 0",
      rows="shuffled each pass")  # fmt: skip
def mlxtend(network: Network) -> Graph:
    """Sum over the minibatch."""
    return _mlxtend(network, network.momentum)


@rule("mlxtend-momentum", "mlxtend 0.25.0 with momentum",
      factor="a − y in place of δ, summed over rows",
      momentum="of the last gradient alone, without the rate", decay="l2·Θ, weights only, preset 0",
      rows="shuffled each pass")  # fmt: skip
def mlxtend_momentum(network: Network) -> Graph:
    """Sum over the minibatch; the last gradient is taken off too, raw, without the rate."""
    return _mlxtend(network, network.momentum or 0.1)


def _mlxtend(network: Network, momentum: float) -> Graph:
    wiring = Wiring(likelihood(network.with_batch("all")))
    wiring.total()
    if momentum:
        share = wiring.constant(f"{TRAIN}.momentum", momentum)
        for theta in network.parameters:
            before = wiring.memory(f"{theta}.before", theta)
            wiring.keep(f"{theta}.before", wiring.gradient(theta))
            wiring.splice(f"{theta}.update.gradient", f"{theta}.remembered", "g + m * b / rate",
                          m=share, b=before, rate=wiring.rate)  # fmt: skip
    return wiring.graph


# --- R -----------------------------------------------------------------------------------------


@rule("r-nnet", "R nnet 7.3-18", factor="2e, summed over rows, rate 1",
      clipping="units 0 below −15 and 1 above 15", steps=1.0, updates=1,
      stops="BFGS: at most maxit iterations, or when it falls by less than 1e-8")  # fmt: skip
def r_nnet(network: Network) -> Graph:
    """Take the first iteration of BFGS: the whole gradient of Σ e², all rows, with step 1."""
    network = replace(network, rate=1.0).with_batch("all").with_cost(squared_error)
    wiring = Wiring(network)
    wiring.total()
    for layer in network.layers:
        if layer.activation == sigmoid.name:
            wiring.activation(
                layer, "sigmoid(z) * step(z + 15) * (1 - step(z - 15)) + step(z - 15)"
            )
    return wiring.graph


# --- packages ----------------------------------------------------------------------------------


@rule("npnet-batch", "npnet 0.0.10, one batch", factor="e, summed over rows", within=2e-7)
def npnet_batch(network: Network) -> Graph:
    """All rows at once, their sum, in float32."""
    return pybrain_batch(network)


@rule("neuralnetlib-mse", "neuralnetlib 5.0.0, vanillanets 1.0.1, minitorch 0.1.0, one batch",
      factor=MEANS)  # fmt: skip
def neuralnetlib_mse(network: Network) -> Graph:
    """All rows at once: the mean over rows and outputs."""
    network = network.with_batch("all").with_cost(squared_error, share=1 / network.outputs)
    return network.unfolded()


@rule("neuralnetlib-bce", "neuralnetlib 5.0.0 bce without clipping, another-neural-net 0.1",
      factor="a − y in place of δ, summed over rows")  # fmt: skip
def neuralnetlib_bce(network: Network) -> Graph:
    """All rows at once: a − y, summed."""
    wiring = by_error_alone(network.with_batch("all"))
    wiring.total()
    return wiring.graph


@rule("multilayer-perceptron-from-scratch", "multilayer-perceptron-from-scratch 0.1.4",
      factor="2e")  # fmt: skip
def multilayer_perceptron_from_scratch(network: Network) -> Graph:
    """Row by row with C = Σ e²: twice the textbook."""
    return network.with_batch(1).with_cost(squared_error).unfolded()


@rule("backpropagation", "backpropagation 0.0.3", factor="e·a in place of e",
      decay="biases are fixed")  # fmt: skip
def backpropagation(network: Network) -> Graph:
    """Row by row; each slope has another factor a: a²(1 − a). Biases never move."""
    network = half_squared(network.with_batch(1)).with_fixed_biases()
    wiring = Wiring(network)
    for layer in network.layers:
        wiring.splice(f"{layer.sum}.delta.blame", f"{layer.sum}.squared", "b * a",
                      a=wiring.source(f"{layer.sum}.delta.a"))  # fmt: skip
    return wiring.graph


@rule("backpropagation2", "BackPropagation2 0.0.2", decay="biases are fixed")
def backpropagation2(network: Network) -> Graph:
    """Train row by row, by the book, with biases that never move."""
    return half_squared(network.with_batch(1)).with_fixed_biases().unfolded()


@rule("neuralnetlib-clipped", "neuralnetlib 5.0.0, bce as preset",
      factor="a − y in place of δ, summed over rows",
      clipping="blame before each layer, and each gradient, to length 1")  # fmt: skip
def neuralnetlib_clipped(network: Network) -> Graph:
    """All rows at once: a − y, summed; what is longer than 1, of all rows together, is cut to 1."""
    wiring = by_error_alone(network.with_batch("all"))
    wiring.total()
    for layer in network.layers:
        # Blame is cut before the activation and before the weights; at the outputs only here.
        if layer is not network.last:
            wiring.shorten_rows(f"{layer.sum}.delta.blame", f"{layer.a}.short")
    for layer in network.layers:
        wiring.shorten_readers(f"{layer.sum}.delta.delta", f"{layer.sum}.short")
    for theta in network.parameters:
        wiring.shorten(f"{theta}.update.gradient", f"{theta}.short")
    return wiring.graph


@rule("npnet-adam", "npnet 0.0.10, Adam, one batch", factor="e, summed over rows", within=1e-5,
      momentum="Adam, corrected by the array's place and not by time; ε below the root",
      steps=0.01)  # fmt: skip
def npnet_adam(network: Network) -> Graph:
    """Adam in float32; 1 − βᵗ has the place of the array, 2, 3, …, in the place of the time t."""
    network = half_squared(network.with_batch("all"))
    places = {theta: place for place, theta in enumerate(network.parameters, 2)}

    def formula(theta: str) -> str:
        place = places[theta]
        return f"m / {1 - 0.9**place!r} / sqrt(v / {1 - 0.999**place!r} + 1e-08)"

    graph = adam_by(network, formula)
    for theta in network.parameters:
        graph = graph.with_mode(f"{theta}.average", "bypass")
    return graph


@rule("numpy-neural-network", "numpy-neural-network 0.1.8", factor="a − y in place of δ")
def numpy_neural_network(network: Network) -> Graph:
    """All rows of a batch at once: a − y, their mean; a last batch that is not full is left out."""
    return by_error_alone(network.with_batch("all")).graph


@rule("flexible-neural-network", "flexible-neural-network 0.0.42",
      factor="e; of a hidden layer no slope of the layer behind it")  # fmt: skip
def flexible_neural_network(network: Network) -> Graph:
    """Train row by row with linear outputs; blame passes weights before the slope, not after it."""
    wiring = Wiring(half_squared(network.with_batch(1)))
    for before, layer in pairwise(network.layers):
        blame = wiring.graph.inputs(f"{layer.sum}.delta").get("blame") if (
            f"{layer.sum}.delta" in wiring.graph.nodes) else None  # fmt: skip
        if blame:
            wiring.move(f"{before.sum}.blame.delta", blame[0].start)
    return wiring.graph


def twin(graph: Graph, program: str) -> Graph:
    """Return a graph's network as a program trains it; raises `GraphError`."""
    if program not in RULES:
        raise GraphError(f"there is no twin '{program}'{nearest(program, RULES)}")
    return RULES[program].graph(read(graph))

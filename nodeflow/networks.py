"""Network graphs from a shape, from data, or from both, with everything that training needs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import nodeflow.nodes  # noqa: F401  (a graph needs its node types)
from nodeflow.data import GENERATORS, Options, Split, load, split
from nodeflow.data.memory import hold
from nodeflow.declare import CATALOG, Output
from nodeflow.derive import explode, unfold
from nodeflow.derive.tidy import tidy
from nodeflow.errors import GraphError, nearest, visible
from nodeflow.graph import Graph
from nodeflow.nodes.activation import identity, sigmoid
from nodeflow.nodes.arithmetic import add
from nodeflow.nodes.cost import (
    accuracy,
    categorical_cross_entropy,
    l2_penalty,
    squared_error,
)
from nodeflow.nodes.layer import weighted_sum
from nodeflow.nodes.source import constant, dataset, parameter
from nodeflow.nodes.trainer import gradient_descent
from nodeflow.plugins import load_enabled

INITS = ("glorot", "uniform", "normal", "zeros", "naive_bayes")

LEVELS = ("layer", "neuron")

LEAST_HIDDEN, MOST_HIDDEN = 4, 100
MOST_LAYERS = 1000
"""The most hidden layers that `depth` may ask for; no blame arrives at the first of as many."""
MOST_NEURONS = 100_000
"""In a layer; drawn one by one, in the whole network:"""
MOST_DRAWN = 1000
_DIGITS = 9
GENTLE = 0.003
"""A rate for scaled targets that keeps the noise of single samples small."""


def offered(family: str) -> tuple[str, ...]:
    """Return the activations, costs or trainers that a network can be made with, by name.

    Those of plugins that are on are among them.
    """
    load_enabled()
    ports = {"activation": ["z", "a"], "cost": ["a", "y", "cost"], "trainer": ["cost"]}[family]
    return tuple(
        name
        for name, type_ in CATALOG.items()
        if type_.family == family
        and [port.name for port in (*type_.inputs, *type_.outputs)] == ports
    )


def network(
    layers: str | Sequence[int] | None = None,
    *,
    data: Any = None,
    target: str | int | Sequence[str | int] | None = None,
    scale: str | None = None,
    scale_target: str | None = None,
    test: float | None = None,
    options: Options | None = None,
    activation: str = sigmoid.name,
    output: str | None = None,
    cost: str | None = None,
    trainer: str = gradient_descent.name,
    rate: float | None = None,
    init: str | None = None,
    batch: int | str | None = None,
    epochs: int | None = None,
    seed: int = 0,
    regularization: float = 0.0,
    folded: bool = True,
    level: str = "layer",
    hidden: int | None = None,
    depth: int | None = None,
    name: str | None = None,
    folder: Path | None = None,
) -> Graph:
    """Return a network that can be trained, from a shape, from data, or from both.

    `layers` are the sizes from inputs to outputs, "400-25-10" or [400, 25, 10]. Without them the
    data gives inputs and outputs, and one hidden layer has √(inputs · outputs) neurons, at least
    4 and at most 100; `hidden` neurons in each of `depth` hidden layers, if these are given.
    Without `data` two constants of zeros stand where it will be wired.
    `data` is a source as a `dataset` node has it, relative to `folder`, or a table in memory as
    `nodeflow.hold` takes it; `options` say how it is read.

    What is not given follows from the rest:

    - `output`, the activation of the last layer: softmax for categorical_cross_entropy, identity
      for targets that are numbers, otherwise sigmoid
    - `cost`: categorical_cross_entropy after softmax, otherwise squared_error
    - `scale`: none for generators and for pixels (IDX files), otherwise minmax for classes and
      standard for numbers
    - `scale_target`: standard for numbers of files that outputs without bound learn, else none
    - `test`: 0.25 for more than 20 rows of files and of classes, otherwise 0
    - `rate`: 0.3; 0.003 for scaled targets; 0.03 where activations have no bound, and less for
      targets beyond −1 … 1 (divided by the largest); 0.01 for adam
    - `init`: glorot; naive_bayes starts the first layer only, the others start as glorot
    - `batch`: 1; all for minimize
    - `epochs`: 100, and more for fewer than 80 rows, so that 8,000 samples are seen (16,000 for
      scaled targets, at least 20 epochs); always 100 for minimize and without data

    `regularization` adds an `l2_penalty` over all weights to the cost. With `folded` false the
    backward pass is written as wired nodes, with `level` "neuron" each layer as its neurons.

    Raises GraphError or DataError, one sentence, for what does not fit together.
    """
    for word, family in (
        (activation, "activation"), (output, "activation"), (cost, "cost"), (trainer, "trainer"),
    ):  # fmt: skip
        _one_of(word, offered(family), family)
    _one_of(init, INITS, "init for a network")
    _one_of(level, LEVELS, "level")
    _refuse_for_minimize(trainer, rate, batch, folded=folded)
    facts = None
    if data is None:
        _refuse_without_data(target=target, scale=scale, scale_target=scale_target, test=test)
    else:
        data = data if isinstance(data, str) else hold(data)
        said = options or Options()
        if target is not None and target != "":
            said = replace(said, target=target)
        unbounded = output in (None, identity.name) and cost in (None, squared_error.name)
        facts = _facts(
            data, said.checked(), folder, scale=scale, scale_target=scale_target, test=test,
            seed=seed, unbounded=unbounded,
        )  # fmt: skip
    sizes = _sizes(layers, facts, data, hidden=hidden, depth=depth)
    output, cost = _ending(output, cost, facts, sizes[-1])
    if init == "naive_bayes" and (facts is None or not facts.split.classes):
        raise GraphError("naive_bayes needs data with classes to start from; choose another init")
    searches, steady = CATALOG[trainer].searches, CATALOG[trainer].steady
    if rate is None and not searches:
        inner = (activation,) if len(sizes) > 2 else ()
        bounded = all(np.isfinite(CATALOG[one].between).all() for one in (*inner, output))
        scaled = facts is not None and facts.split.scaled_target
        rate = 0.01 if steady else 0.3 if bounded else _careful(facts)
        if scaled and not steady:
            rate = GENTLE
    if batch is None:
        batch = "all" if searches else 1
    if epochs is None:
        rows = 8000 if facts is None or searches else len(facts.split.x)
        epochs = max(100, math.ceil(8000 / rows))
        if facts is not None and facts.split.scaled_target and not searches:
            epochs = max(20, math.ceil(16000 / rows))
    plan = _Plan(sizes, activation, output, cost, trainer, rate, init or "glorot", regularization)
    hits = CATALOG[output].between == (0, 1) if facts is None else facts.hits
    source = _constants(plan) if facts is None else _dataset(facts)
    graph = Graph.of(
        *_ends(plan, *source, hits=hits),
        name=name if name is not None else _name(sizes, data),
        about=_about(plan, data, batch, facts),
        batch=batch,
        epochs=epochs,
        seed=seed,
    )
    graph = replace(tidy(graph), folder=folder)
    if level == "neuron":
        graph = _neurons(graph, sizes)
    return graph if folded else unfold(graph)


def layer_sizes(layers: str | Sequence[int]) -> tuple[int, ...]:
    """Return the sizes of "400-25-10" or of a list of numbers, or raise `GraphError`."""
    if isinstance(layers, str):
        parts = re.split(r"\s*-\s*", layers.strip())
        if not all(re.fullmatch(rf"[0-9]{{1,{_DIGITS}}}", part) for part in parts):
            raise GraphError(
                f"{layers!r} is not a list of layers: write their sizes, such as 7-5-3"
            )
        layers = [int(part) for part in parts]
    sizes: tuple[Any, ...] = tuple(layers)
    if len(sizes) < 2:
        raise GraphError("a network has at least two sizes, inputs and outputs, such as 7-3")
    for size in sizes:
        if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= MOST_NEURONS:
            raise GraphError(
                f"a layer has a whole number of neurons from 1 to {MOST_NEURONS:,}, not {size!r}"
            )
    return sizes


# --- what the data says ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Facts:
    """What the data says about a network for it."""

    split: Split
    settings: Mapping[str, Any]
    low: float
    high: float
    binary: bool
    """Whether all targets are 0 or 1."""
    shares: bool
    """Whether the targets of each row add up to 1."""

    @property
    def hits(self) -> bool:
        """Whether a row has one class, so that right ones can be counted."""
        return self.binary and (self.shares or self.split.y.shape[1] == 1)


def _facts(
    data: str,
    options: Options,
    folder: Path | None,
    *,
    scale: str | None,
    scale_target: str | None,
    test: float | None,
    seed: int,
    unbounded: bool,
) -> _Facts:
    table = load(data, options=options, folder=folder)
    y = table.y
    binary = bool(np.isin(y, (0, 1)).all())
    shares = bool(np.allclose(y.sum(axis=1), 1))
    pixels = table.x.dtype == np.float32
    made = data in GENERATORS
    if scale is None:
        scale = "none" if made or pixels else "minmax" if binary else "standard"
    if scale_target is None:
        scale_target = "none" if made or binary or not unbounded else "standard"
    if test is None:
        classes = binary and (shares or y.shape[1] == 1)
        wanted = len(y) > 20 and table.x_test is None and (classes or not made)
        test = 0.25 if wanted else 0.0
    settings: dict[str, Any] = {"source": data, "scale": scale, "test": test}
    if scale_target != "none":
        settings["scale_target"] = scale_target
    settings |= {name: getattr(options, name) for name in options.given()}
    parts = split(table, scale=scale, test=test, seed=seed, scale_target=scale_target)
    low, high = float(parts.y.min()), float(parts.y.max())
    return _Facts(parts, settings, low, high, binary, shares)


def _sizes(
    layers: str | Sequence[int] | None,
    facts: _Facts | None,
    data: str | None,
    *,
    hidden: int | None,
    depth: int | None,
) -> tuple[int, ...]:
    asked = hidden is not None or depth is not None
    if asked and (layers is not None or facts is None):
        raise GraphError(
            "hidden and depth need data, which gives the inputs and outputs; layers says all sizes"
        )
    if facts is None:
        if layers is None:
            raise GraphError("a network needs layers such as 7-5-3, or data, or both")
        return layer_sizes(layers)
    inputs, outputs = facts.split.x.shape[1], facts.split.y.shape[1]
    if layers is None:
        if depth is not None and depth > MOST_LAYERS:
            raise GraphError(f"a network has at most {MOST_LAYERS:,} hidden layers, not {depth:,}")
        usual = min(max(round(math.sqrt(inputs * outputs)), LEAST_HIDDEN), MOST_HIDDEN)
        between = (usual if hidden is None else hidden,) * (1 if depth is None else depth)
        return layer_sizes((inputs, *between, outputs))
    sizes = layer_sizes(layers)
    if (sizes[0], sizes[-1]) != (inputs, outputs):
        shape = "-".join(map(str, sizes))
        fits = "-".join(map(str, (inputs, *sizes[1:-1], outputs)))
        classes = f" ({', '.join(facts.split.classes[:5])}" if facts.split.classes else ""
        more = ", …" if len(facts.split.classes) > 5 else ""
        raise GraphError(
            f"{shape} does not fit '{data}', which has {_count(inputs, 'feature')} and "
            f"{_count(outputs, 'output')}{classes}{more}{')' if classes else ''}; {fits} would"
        )
    return sizes


# --- what goes together -------------------------------------------------------------------------


def _one_of(word: str | None, known: Iterable[str], what: str) -> None:
    known = tuple(known)
    if word is not None and word not in known:
        raise GraphError(f"there is no {what} '{word}'{nearest(word, known)}")


def _refuse_for_minimize(
    trainer: str, rate: float | None, batch: int | str | None, *, folded: bool
) -> None:
    if not CATALOG[trainer].searches:
        return
    if rate is not None:
        raise GraphError("minimize has no learning rate; leave the rate out")
    if batch not in (None, "all"):
        raise GraphError("minimize takes all training rows at once; leave the batch out")
    if not folded:
        raise GraphError("minimize cannot be unfolded; choose gradient_descent or adam")


def _refuse_without_data(**given: object) -> None:
    for name, value in given.items():
        if value is not None:
            raise GraphError(f"'{name}' is a setting of the data, and no data is given")


def _careful(facts: _Facts | None) -> float:
    """Return a rate for activations without bound: large targets make large steps."""
    size = 1.0 if facts is None else max(1.0, abs(facts.low), abs(facts.high))
    return float(f"{0.03 / size:.0e}")


def _within(inner: tuple[float, float], outer: tuple[float, float]) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _ending(
    output: str | None, cost: str | None, facts: _Facts | None, outputs: int
) -> tuple[str, str]:
    """Return activation and cost of the outputs, or raise `GraphError` if they cannot be."""
    if output is None:
        natural = CATALOG[cost].natural if cost else ""
        output = natural or (sigmoid if facts is None or facts.binary else identity).name
    shares = CATALOG[output].shares
    if cost is None:
        cost = (categorical_cross_entropy if shares else squared_error).name
    natural = CATALOG[cost].natural
    whole = bool(natural) and CATALOG[natural].shares
    if whole and not shares:
        raise GraphError(f"{cost} needs {natural} outputs, not {output}")
    if natural and not _within(CATALOG[output].between, CATALOG[natural].between):
        low, high = CATALOG[natural].between
        raise GraphError(
            f"{cost} needs outputs from {low:g} to {high:g}, as {natural} gives, not {output}"
        )
    why = f" ({cost} needs it)" if whole else ""
    if shares and outputs == 1:
        raise GraphError(f"{output}{why} of a single output is always 1; choose sigmoid outputs "
                         "with squared_error or cross_entropy")  # fmt: skip
    if facts is not None:
        low, high = CATALOG[output].between
        if facts.low < low or facts.high > high:
            raise GraphError(
                f"{output} outputs cannot reach the targets, which go from {facts.low:g} to "
                f"{facts.high:g}; choose identity outputs with squared_error"
            )
        if shares and not facts.shares:
            raise GraphError(
                f"{output}{why} gives shares that add up to 1, and the targets of a row do not; "
                "choose sigmoid outputs with squared_error or cross_entropy"
            )
    return output, cost


# --- the graph ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Plan:
    """Everything about a network but its data."""

    sizes: tuple[int, ...]
    activation: str
    output: str
    cost: str
    trainer: str
    rate: float | None
    init: str
    regularization: float


def _dataset(facts: _Facts) -> tuple[Output, Output]:
    x, y = dataset(id="data", **facts.settings)
    return x, y


def _constants(plan: _Plan) -> tuple[Output, Output]:
    y = [0.0] * plan.sizes[-1]
    if CATALOG[plan.output].shares:
        y[0] = 1.0  # shares add up to 1
    x = constant(id="x", value=[[0.0] * plan.sizes[0]])
    return x, constant(id="y", value=[y])


def _ends(plan: _Plan, x: Output, y: Output, *, hits: bool) -> list[Any]:
    """Build the network on its source, and return its last nodes."""
    a, weights = x, []
    count = len(plan.sizes) - 1
    for number, (n_in, n_out) in enumerate(pairwise(plan.sizes), 1):
        init = plan.init if plan.init != "naive_bayes" or number == 1 else "glorot"
        theta = parameter(id=f"theta{number}", shape=[n_out, n_in], init=init)
        bias = parameter(id=f"bias{number}", shape=[n_out], init=init)
        layer = _layer(number, count)
        z = weighted_sum(a, theta, bias, id=layer)
        kind = plan.output if number == count else plan.activation
        a = CATALOG[kind](z, id=f"{layer}_a")
        weights.append(theta)
    total = CATALOG[plan.cost](a, y, id="cost")
    if plan.regularization != 0:
        penalty = l2_penalty(*weights, regularization=plan.regularization, id="penalty")
        total = add(total, penalty, id="total")
    settings = {} if plan.rate is None else {"rate": plan.rate}
    ends = [CATALOG[plan.trainer](total, id="train", **settings)]
    return [*ends, accuracy(a, y, id="accuracy")] if hits else ends


def _layer(number: int, count: int) -> str:
    if number == count:
        return "output"
    return "hidden" if count == 2 else f"hidden{number}"


def _neurons(graph: Graph, sizes: tuple[int, ...]) -> Graph:
    """Return the network with every layer of several neurons taken apart."""
    drawn = sum(sizes[1:])
    if drawn > MOST_DRAWN:
        raise GraphError(
            f"{drawn:,} neurons are too many to draw one by one, {MOST_DRAWN:,} are the most; "
            "choose the level 'layer'"
        )
    for number, size in enumerate(sizes[1:], 1):
        if size > 1:
            graph = explode(graph, _layer(number, len(sizes) - 1))
    return graph


# --- words --------------------------------------------------------------------------------------


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _name(sizes: tuple[int, ...], data: str | None) -> str:
    shape = "-".join(map(str, sizes))
    return shape if data is None else f"{Path(data).stem or data} {shape}"


def _about(plan: _Plan, data: str | None, batch: int | str, facts: _Facts | None) -> str:
    hidden = f"hidden {plan.activation}, " if len(plan.sizes) > 2 else ""
    rate = "" if plan.rate is None else f" with rate {plan.rate:g}"
    penalty = f" with penalty λ = {plan.regularization:g}" if plan.regularization else ""
    many = {1: "one sample at a time", "all": "all samples at once"}
    text = (
        f"{'-'.join(map(str, plan.sizes))}, {hidden}outputs {plan.output}, "
        f"{CATALOG[plan.cost].title}{penalty}, {CATALOG[plan.trainer].title}{rate}, "
        f"{many.get(batch, f'{batch} samples at a time')}."
    )
    if facts is None:
        return f"{text} x and y hold zeros: put your numbers there, or wire a dataset instead."
    rows = _count(len(facts.split.x) + len(facts.split.x_test), "row")
    return f"{rows} of {visible(str(data))}. {text}"

"""A thousand random graphs of the whole library, taken apart and put together again.

Folded, unfolded and exploded they have the same values, gradients and trained weights; the way
back gives the same bytes; every formula that is told evaluates to the number that was computed.
"""

from __future__ import annotations

import functools
import logging
import operator
import os
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from helpers_explain import value
from hypothesis import HealthCheck, assume, event, given, reject, seed, settings
from hypothesis import strategies as st
from networks import assert_same
from strategies import whole_library

import nodeflow as nf
from nodeflow import explain as ex
from nodeflow import files
from nodeflow.declare import CATALOG
from nodeflow.derive import infer, resolve
from nodeflow.errors import Diverged, GraphError
from nodeflow.graph import Graph
from nodeflow.nodes.backward import LEAK

LONG = "NODEFLOW_SEARCH" in os.environ
LOG = logging.getLogger(__name__)
"""What was exercised is told here: `--log-level info -rA` shows it."""
SHARDS, EXAMPLES, EXTRA = (4, 250, 12) if LONG else (1, 60, 24)
CLOSE = 1e-12
"""How far numbers may be apart, in units of the largest one."""
UPDATES = 3
QUICK = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PICKS = st.lists(st.integers(0, 11), max_size=5)
"""Which layer or neuron is taken apart next, counted around."""


# --- runs ----------------------------------------------------------------------------------------


@dataclass
class Told:
    """What a run showed in its first update, and its weights after some more."""

    values: dict[str, np.ndarray]
    gradients: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]
    plan: Any


def told(graph: Graph) -> Told:
    run = nf.Run(graph)
    while run.update == 0:
        run.step()
    values, gradients = run.values, run.gradients
    run.train(updates=UPDATES)
    return Told(values, gradients, run.weights, run.plan)


def assert_near(found: Any, expected: Any, address: str) -> None:
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(found, expected, rtol=0, atol=CLOSE * scale, err_msg=address)


# --- exploded ------------------------------------------------------------------------------------


def joined(values: dict[str, np.ndarray], address: str, levels: int = 2) -> np.ndarray | None:
    """Return a value of the whole, put together from those of its neurons or operations."""
    if address in values:
        return np.atleast_2d(values[address])
    key, _, port = address.rpartition(".")
    if port == "z" and f"{key}.value" in values:
        return np.atleast_2d(values[f"{key}.value"])
    parts: list[np.ndarray] = []
    while (
        levels
        and (part := joined(values, f"{key}.{len(parts) + 1}.{port}", levels - 1)) is not None
    ):
        parts.append(part)
    if not parts:
        return None
    rows = max(len(part) for part in parts)
    return np.hstack([np.broadcast_to(part, (rows, part.shape[1])) for part in parts])


def assert_parts(graph: Graph, whole: Told, parts: Told) -> None:
    """Hold a graph that was taken apart against the whole."""
    parameters = {f"{key}.value" for key in graph.of_type("parameter")}
    compared = 0
    for name in ("values", "gradients", "weights"):
        expected, found = getattr(whole, name), getattr(parts, name)
        for address, there in expected.items():
            if address.rpartition(".")[0] not in graph.nodes:
                continue
            here = joined(found, address)
            if here is None:  # a number that needs no node on one side
                assert name == "gradients"
                assert address not in parameters
                continue
            wanted = there.shape if address in parameters else np.atleast_2d(there).shape
            assert_near(here.reshape(wanted), there.reshape(wanted), address)
            compared += 1
    assert compared


def taken_apart(graph: Graph, picks: list[int], seen: Counter[str]) -> list[tuple[str, Graph]]:
    """Explode layers and neurons one by one; return each with the graph before it."""
    stages = []
    for pick in picks:
        layers = graph.of_type("weighted_sum")
        if not layers:
            break
        key = layers[pick % len(layers)]
        try:
            exploded = nf.explode(graph, key)
        except GraphError as error:
            seen["refused: " + re.sub(r"'[^']*'|[0-9]+", "…", str(error))] += 1
            continue
        seen["neurons" if f"{key}.1" in exploded.of_type("weighted_sum") else "operations"] += 1
        stages.append((key, graph))
        graph = exploded
    return [*stages, ("", graph)]  # the last one is taken apart no further


def assert_back(stages: list[tuple[str, Graph]]) -> None:
    """Put together what was taken apart: one by one backwards, and all at once."""
    first, final = stages[0][1], stages[-1][1]
    for (key, before), (_, after) in zip(stages[-2::-1], stages[:0:-1], strict=True):
        assert files.dumps(nf.collapse(after, key)) == files.dumps(before)
    if len(stages) > 2:
        assert files.dumps(nf.collapse(final)) == files.dumps(first)


def assert_same_unfolded(stages: list[tuple[str, Graph]], wired: Graph) -> None:
    """Take a layer of the unfolded graph apart, and put it together again."""
    for key, before in stages[:1]:
        exploded = nf.explode(wired, key)
        assert files.dumps(exploded) == files.dumps(nf.unfold(nf.explode(before, key)))
        assert files.dumps(nf.collapse(exploded)) == files.dumps(wired)


# --- explained -----------------------------------------------------------------------------------


def literals(step: Any, samples: int) -> set[float]:
    """Return the numbers that a formula may have of its own, from no port."""
    found = {0.0, 0.5, 1.0, 2.0, LEAK, float(np.finfo(np.float64).tiny), float(samples)}
    found |= {float(k) for array in (*step.inputs.values(), *step.outputs.values())
              for k in range(1, array.size + 1)}  # fmt: skip
    if step.type in ("margin", "margin_blame"):
        found.add(-1.0)  # a class that is wrong
    for setting in step.settings.values():
        if isinstance(setting, int | float):
            found.add(float(setting))
        elif step.type == "expression":
            found |= {float(text) for text in re.findall(r"[0-9.]+(?:e-?[0-9]+)?", setting)}
            found |= {-number for number in found} | {np.pi, np.e}
    return found


def assert_explained(graph: Graph, update: int, seen: Counter[str]) -> None:
    """Evaluate every line of an update by a parser of the test's own."""
    run = nf.Run(graph)
    run.train(updates=update)
    while run.update == update:
        wires = [w for w in run.plan.graph.into(run.node) if not run.plan.graph.feeds_back(w)]
        sums = [start for start, _ in run.plan.sums(run.node).values()]  # not wired to the cost
        before = {start: run[start] for start in (*sums, *(wire.start for wire in wires))}
        samples = run.machine.bounds(run.update)[1]
        step = run.step()
        seen[f"step: {step.type}"] += 1
        found = ex.explain(run, step)
        assert len(found.lines) == sum(array.size for array in step.outputs.values())
        own = literals(step, samples)
        for line in found.lines:
            port = line.result.address.removeprefix(f"{step.node}.")
            assert line.result.value == step.outputs[port][line.result.index]
            scale = max([1.0, *(abs(number.value) for number in line.numbers)])
            told = value(line.expression)
            assert abs(told - line.result.value) <= CLOSE * scale, (step.node, line.text)
            for number in line.numbers:
                if number.address == line.result.address:  # a source says what it holds
                    assert number == line.result
                elif number.address:
                    assert before[number.address][number.index] == number.value, line.text
                else:
                    assert number.value in own, (step.node, line.text, number.value)


# --- the property --------------------------------------------------------------------------------


def hold(graph: Graph, picks: list[int], explained: int, seen: Counter[str]) -> None:
    """Check all that must hold for one graph."""
    wired = nf.unfold(graph)
    assert files.dumps(nf.fold(files.loads(files.dumps(wired)))) == files.dumps(graph)
    try:
        whole = told(graph)
    except Diverged:  # too steep for its learning rate: there is nothing to compare
        seen["diverged"] += 1
        reject()
    unfolded = told(wired)
    assert_same(unfolded.values, whole.values)
    assert_same(unfolded.gradients, whole.gradients)
    assert_same({key: unfolded.weights[key] for key in whole.weights}, whole.weights)
    stages = taken_apart(graph, picks, seen)
    final = stages[-1][1]
    assert_back(stages)
    if len(stages) > 1:
        if explained % 2:
            assert_same_unfolded(stages[:-1], wired)
        assert_parts(graph, whole, told(final))
    assert_explained((graph, wired, final, final)[explained % 4], explained // 4, seen)
    passed = blamed(graph, whole.plan)
    for key, node in graph.nodes.items():
        seen[f"mode: {node.mode}"] += node.mode != "active"
        if key in passed:
            seen[f"blame through {node.type}"] += 1
            matrix = CATALOG[node.type].family == "activation" and key in activated(graph)
            seen["activated parameters"] += matrix
    for node in wired.nodes.values():
        seen[f"made: {node.type}"] += CATALOG[node.type].family in ("backward", "update")
    event(f"{len(stages) - 1} taken apart")


def activated(graph: Graph) -> set[str]:
    """Return the nodes between a parameter and the weights of a layer."""
    return {wire.source for key in graph.of_type("weighted_sum")
            for wire in graph.inputs(key)["weights"]}  # fmt: skip


def blamed(graph: Graph, plan: Any) -> frozenset[str]:
    """Return the nodes between what is trained and the cost."""
    trained = {key for key in graph.of_type("parameter") if graph.settings(key)["trainable"]}
    moving, whole = set(trained), plan.graph
    for key in plan.order:
        if key in graph.nodes and any(wire.source in moving for wire in whole.into(key)):
            moving.add(key)
    return frozenset(moving) & whole.upstream([plan.unfolding.cost.rpartition(".")[0]])


DIFFERENTIABLE = {name for name, type_ in CATALOG.items() if type_.rule is not None}


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_random_graph_stays_the_same_however_it_is_taken_apart(
    shard: int, record_property: Any
) -> None:
    """Each shard has met every type by itself; `make bits` has four of 250 graphs."""
    seen: Counter[str] = Counter()

    def draws(number: int, count: int) -> None:
        @seed(number)
        @settings(QUICK, max_examples=count)
        @given(whole_library(), PICKS, st.integers(0, 7))
        def holds(graph: Graph, picks: list[int], explained: int) -> None:
            seen["graphs"] += 1
            hold(graph, picks, explained, seen)

        holds()

    draws(shard, EXAMPLES)
    record_property("exercised", dict(seen))
    for what, count in sorted(seen.items()):
        LOG.info("%6d %s", count, what)
    assert seen["graphs"] >= EXAMPLES
    assert seen["diverged"] < EXAMPLES / 20
    # What is drawn differs from version to version of Hypothesis: rare things get some draws more.
    for more in range(1, EXTRA + 1):
        if not (missing := _not_met(seen)):
            break
        LOG.info("not met yet: %s", ", ".join(sorted(missing)))
        draws(shard + SHARDS * more, EXAMPLES // 5)
    assert not _not_met(seen)


BY_HAND = {"accumulate", "gradient_approx", "step", "unroll"}


def _not_met(seen: Counter[str]) -> set[str]:
    """Return what no graph had yet; a type that is added must be added to the generator."""
    backward = {name for name, type_ in CATALOG.items() if type_.family in ("backward", "update")}
    wanted = {f"blame through {name}" for name in DIFFERENTIABLE}
    # No rule makes these: they are wired by hand.
    wanted |= {f"made: {name}" for name in backward - BY_HAND}
    wanted |= {f"mode: {mode}" for mode in ("freeze", "bypass", "disable")}
    wanted |= {"neurons", "operations", "activated parameters"}
    sentences = ("is shared", "must be a parameter")
    refused = {what for what in sentences if not any(what in one for one in seen)}
    return {what for what in wanted if not seen[what]} | refused


# --- against PyTorch -----------------------------------------------------------------------------


def torch_functions(torch: Any) -> dict[str, Any]:
    """Return what each type does, in PyTorch: of its inputs in order and its settings."""

    def formula(text: str, names: list[str], inputs: Any) -> Any:
        own = ("exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "abs", "sign")
        known = {name: getattr(torch, name) for name in own}
        known |= {
            "pi": np.pi,
            "step": lambda u: (u > 0).double(),
            "max": lambda u, v: torch.where(u > v, u, v),
            "min": lambda u, v: torch.where(v > u, u, v),
        }
        known["number"] = lambda x: torch.tensor([x], dtype=torch.float64)
        text = re.sub(r"(?<![\w.])([0-9.]+)", r"number(\1)", text.replace("^", "**"))
        return eval(text, {**known, **dict(zip(names, inputs, strict=True))})

    def weighted(settings: Any, *parts: Any) -> Any:
        *inputs, weights, bias = parts
        z = side_by_side(inputs) @ weights.T
        return z if bias is None else z + bias

    def side_by_side(parts: Any) -> Any:
        parts = [part.reshape(-1, part.shape[-1]) for part in parts]
        rows = max(len(part) for part in parts)
        return torch.cat([part.expand(rows, -1) for part in parts], dim=-1)

    def row(a: Any) -> Any:
        return a.reshape(-1, a.shape[-1])

    def surprise(a: Any, y: Any) -> Any:
        return -(y * a.log() + (1 - y) * (1 - a).log()).sum(-1, keepdim=True)

    def leaky(a: Any) -> Any:
        return torch.nn.functional.leaky_relu(a, LEAK)

    def ahead(a: Any, y: Any) -> Any:
        if a.shape[-1] == 1:
            return (2 * a - 1) * torch.where(y > 0.5, 1.0, -1.0)
        a, y = torch.broadcast_tensors(a, y)
        right = y.argmax(-1, keepdim=True)
        wrong = a.scatter(-1, right, float("-inf")).argmax(-1, keepdim=True)
        return a.gather(-1, right) - a.gather(-1, wrong)

    return {
        "weighted_sum": weighted,
        "sigmoid": lambda s, z: torch.sigmoid(z),
        "tanh": lambda s, z: torch.tanh(z),
        "relu": lambda s, z: torch.relu(z),
        "leaky_relu": lambda s, z: leaky(z),
        "softplus": lambda s, z: torch.nn.functional.softplus(z, threshold=100),
        "identity": lambda s, z: z.clone(),  # else its gradient is that of all readers of z
        "softmax": lambda s, z: torch.softmax(row(z), -1),
        "log_softmax": lambda s, z: torch.log_softmax(row(z), -1),
        "add": lambda s, *a: sum(a[1:], a[0]),
        "multiply": lambda s, *a: functools.reduce(operator.mul, a),
        "subtract": lambda s, a, b: a - b,
        "divide": lambda s, a, b: a / b,
        "power": lambda s, a: a ** s["exponent"],
        "relay": lambda s, a: a.clone(),  # as identity
        "exp": lambda s, a: a.exp(),
        "log": lambda s, a: a.log(),
        "sum": lambda s, a: row(a).sum(-1, keepdim=True),
        "mean": lambda s, a: row(a).mean(-1, keepdim=True),
        "concatenate": lambda s, *a: side_by_side(a),
        "pick": lambda s, a: row(a)[:, list(np.atleast_1d(s["index"]))],
        "expression": lambda s, *a: formula(s["formula"], s["names"], a),
        "error": lambda s, a, y: row(a - y),
        "squared_error": lambda s, a, y: (
            (row(a - y) ** 2).sum(-1, keepdim=True) * (0.5 if s["half"] else 1)
        ),
        "cross_entropy": lambda s, a, y: surprise(row(a), row(y)),
        "categorical_cross_entropy": lambda s, a, y: -(y * a.log()).sum(-1, keepdim=True),
        "margin": lambda s, a, y: ahead(row(a), row(y)),
        "l2_penalty": lambda s, *w: (
            s["regularization"] / 2 * sum((theta**2).sum() for theta in w).reshape(1, 1)
        ),
    }


def in_torch(torch: Any, graph: Graph, order: tuple[str, ...], run: Any) -> dict[str, Any]:
    """Return the forward values of a graph without modes, calculated by PyTorch."""
    functions, found = torch_functions(torch), {}
    for key in order:
        type_ = graph.type_of(key)
        if type_.family == "source":
            for port in type_.outputs:
                address = f"{key}.{port.name}"
                found[address] = torch.tensor(run[address])
                if type_.name == "parameter" and graph.settings(key)["trainable"]:
                    found[address].requires_grad_()
        elif type_.name in functions:
            ports = type_.ports_in(graph.nodes[key].settings)
            inputs = graph.inputs(key)
            parts = [
                found[wire.start] if wire else None
                for port in ports
                for wire in (inputs.get(port.name) or (None,))
            ]
            settings_ = {**graph.settings(key), "names": [port.name for port in ports]}
            value_ = functions[type_.name](settings_, *parts)
            if value_.requires_grad:
                value_.retain_grad()
            found[f"{key}.{type_.outputs[0].name}"] = value_
    return found


@pytest.mark.programs("torch")
@seed(99)
@settings(QUICK, max_examples=120)
@given(whole_library())
def test_values_and_gradients_of_a_random_graph_are_those_of_pytorch(graph: Graph) -> None:
    import torch

    run = nf.Run(graph)
    run.evaluate()
    cost, resolved = run.plan.unfolding.cost, resolve(graph)
    order = [key for key in infer(resolved).order if key in run.order]
    found = in_torch(torch, resolved, tuple(order), run)
    samples = run.machine.bounds(0)[1]
    assume(found[cost].requires_grad)
    found[cost].mean().backward()
    assert len(found) > len(graph.of_family("source"))
    for address, tensor in found.items():
        here = np.atleast_2d(tensor.detach().numpy())
        np.testing.assert_allclose(
            np.atleast_2d(run[address]), here, rtol=1e-9, atol=1e-10, err_msg=address
        )
        if address not in run.gradients:
            continue
        # δ and blame are a sample's own, not divided by n; what has no sample axis has ∂J.
        rows = run.plan.inference.shapes[address].batch
        wanted = np.zeros(tensor.shape) if tensor.grad is None else tensor.grad.numpy()
        wanted = np.atleast_2d(samples * wanted if rows else wanted)
        scale = max(1.0, float(np.abs(wanted).max()))
        np.testing.assert_allclose(
            np.atleast_2d(run.gradient(address)), wanted, rtol=0, atol=1e-9 * scale, err_msg=address
        )

"""Tell which program leads from a graph's start weights to those that somebody has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow import disk
from nodeflow.engine.run import Run
from nodeflow.errors import FileError, GraphError, NodeflowError
from nodeflow.graph import Graph
from nodeflow.jsontext import json_of
from nodeflow.twins.network import Network, read
from nodeflow.twins.rules import RULES, Rule

Weights = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Likeness:
    """How far a program's weights are from those that were given."""

    program: str
    difference: float
    """The largest difference of any number, after an update or an epoch, whichever is nearer."""
    after: str
    what: str

    def as_dict(self) -> dict[str, Any]:
        """Return what the command prints."""
        return {"program": self.program, "difference": self.difference}


def read_weights(path: str) -> dict[str, NDArray[np.float64]]:
    """Read weights as `nodeflow export FILE weights.json` writes them; raises `FileError`."""
    with disk.reading(Path(path)):
        data = Path(path).read_bytes()
    try:
        found = json_of(data.decode())
    except ValueError:
        raise FileError(f"{path} is no JSON: nodeflow export FILE weights.json writes it") from None
    if not isinstance(found, dict) or not found:
        raise FileError(
            f'{path} holds no weights: a dictionary such as {{"theta1.value": [[0.1, 0.2]]}} '
            "is wanted, as nodeflow export FILE weights.json writes it"
        )
    weights = {}
    for key, value in found.items():
        try:
            weights[key] = np.array(value, dtype=float)
        except (TypeError, ValueError):
            raise FileError(f"{path}: '{key}' is no table of numbers") from None
        if not np.isfinite(weights[key]).all():
            raise FileError(f"{path}: '{key}' holds a number that is not finite")
    return weights


def compare(
    graph: Graph,
    after: Weights,
    *,
    left_out: dict[str, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Likeness]:
    """Return all programs, that first whose rule comes nearest; raises `GraphError`.

    A rule that the network does not fit, or that diverges on it, is not among them: `left_out`
    is given why, by program. `progress` is called with the rules tried and those to try.
    """
    network = read(graph)
    after = {key: np.asarray(value, float) for key, value in after.items()}
    network = _checked(network, after)
    found = []
    for number, (name, rule) in enumerate(RULES.items()):
        if progress is not None:
            progress(number, len(RULES))
        try:
            tried = _tried(name, rule, network, after)
        except NodeflowError as error:
            why = " ".join(str(error).split())
        else:
            why = "" if tried else "its weights leave the range of numbers"
            found += [min(tried, key=lambda one: one.difference)] if tried else []
        if why and left_out is not None:
            left_out[name] = why
    if not found:
        raise GraphError("no program's rule can be applied to this network")
    return sorted(found, key=lambda one: one.difference)


def _checked(network: Network, after: Weights) -> Network:
    """Return the network that trains what moved; raises `GraphError` where names do not fit."""
    keys = [key for layer in network.layers for key in (layer.weights, layer.bias) if key]
    start = network.run.weights
    graph = network.graph
    for key in keys:
        address = f"{key}.value"
        if address not in after:
            there = ", ".join(sorted(after))
            raise GraphError(
                f"the weights lack '{address}', which the graph has; they have {there}"
            )
        given, own = after[address], start[address]
        if given.shape != own.shape:
            shapes = ["×".join(map(str, array.shape)) or "one number" for array in (given, own)]
            raise GraphError(f"'{address}' is {shapes[0]} in the weights, {shapes[1]} in the graph")
        if not network.trains(key) and (given != own).any():
            graph = graph.with_mode(key, "active").set(key, trainable=True)
    known = {f"{key}.value" for key in keys}
    memories = {key for key in after if key in start or key.count(".") > 1}
    unknown = sorted(after.keys() - known - memories)
    if unknown:
        raise GraphError(
            f"the weights hold '{unknown[0]}', which is no parameter of the graph's layers "
            f"({', '.join(sorted(known))})"
        )
    for key in keys:
        # What was not given as numbers starts at random by its id, in every twin the same.
        graph = graph.set(key, value=start[f"{key}.value"].tolist(), shape=None)
    return replace(network, graph=graph)


def _tried(name: str, rule: Rule, network: Network, after: Weights) -> list[Likeness]:
    """Return how far the rule's weights are after an update and after an epoch."""
    found = []
    for shuffled in _orders(network):
        graph = rule.graph(_in_order(network, shuffled=shuffled))
        for level in ("update", "epoch"):
            run = Run(graph)
            if level == "epoch":
                if run.schedule.updates_per_epoch == 1 or rule.updates == 1:
                    continue
                run.train(1)
            else:
                run.advance("update")
            weights = run.weights
            difference = max(
                float(np.abs(weights[f"{key}.value"] - after[f"{key}.value"]).max())
                for layer in network.layers
                for key in (layer.weights, layer.bias)
                if key
            )
            if np.isfinite(difference):
                found.append(Likeness(name, difference, f"one {level}", rule.program))
    return found


def _orders(network: Network) -> tuple[bool, ...]:
    """Return whether rows come in the file's order, or also in that of the graph's own shuffle."""
    key = network.x.rpartition(".")[0]
    dataset = network.graph.nodes[key].holds_data
    return (False, True) if dataset and network.graph.settings(key)["shuffle"] else (False,)


def _in_order(network: Network, *, shuffled: bool) -> Network:
    key = network.x.rpartition(".")[0]
    if shuffled or not network.graph.nodes[key].holds_data:
        return network
    return replace(network, graph=network.graph.set(key, shuffle=False))

"""The settings of a lesson's graph that somebody changed on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nodeflow.graph import Graph, Training

LONGER = 10
"""The longest training in a lesson, in trainings of the lesson's graph."""
LEAST_EPOCHS = 100
"""Epochs that anybody may train, however short the lesson's own training is."""
TRAINING = "training"
"""The name under which the settings of the training are changed and unlocked."""


def settings_changed(original: Graph, graph: Graph) -> dict[str, Any]:
    """Return, by address, the settings of the lesson's own nodes that are not its own any more."""
    found: dict[str, Any] = {}
    for key in original.nodes.keys() & graph.nodes.keys():
        before, now = original.settings(key), graph.settings(key)
        if original.nodes[key].type == graph.nodes[key].type:
            found |= {f"{key}.{name}": now[name] for name in now if now[name] != before.get(name)}
    old, new = training_of(original), training_of(graph)
    found |= {f"{TRAINING}.{name}": new[name] for name in new if new[name] != old[name]}
    return dict(sorted(found.items()))


def with_settings(original: Graph, graph: Graph, changed: Mapping[str, Any]) -> Graph:
    """Return a graph whose settings are the lesson's own, but for those that were changed."""
    training = training_of(original)
    nodes = dict(graph.nodes)
    for key in original.nodes.keys() & nodes.keys():
        if original.nodes[key].type == nodes[key].type:
            nodes[key] = replace(nodes[key], settings=original.nodes[key].settings)
    graph = replace(graph, nodes=nodes)
    for address, value in changed.items():
        node, _, name = address.rpartition(".")
        if node == TRAINING and name in training:
            training[name] = value
        elif node in original.nodes and node in graph.nodes:
            graph = graph.set(node, **{name: value})
    return replace(graph, training=Training(**training))


def training_of(graph: Graph) -> dict[str, Any]:
    """Return the settings of a graph's training."""
    return {name: getattr(graph.training, name) for name in ("batch", "epochs", "seed")}


def searched_epochs(original: Graph, graph: Graph) -> int:
    """Return for how many epochs a condition is searched: those that a graph trains for."""
    return max(1, original.training.epochs, min(graph.training.epochs, most_epochs(original)))


def most_epochs(original: Graph) -> int:
    """Return for how many epochs a lesson's graph is trained at most, if somebody goes on."""
    return max(LEAST_EPOCHS, LONGER * original.training.epochs)

"""Where the numbers of a derivative come from: 4.5·w − 1.5 is 2·x²·w − 2·x·y with its numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nodeflow.engine.run import Run
from nodeflow.errors import NodeflowError
from nodeflow.explain.symbols import Derivative, derive
from nodeflow.graph import Graph, Node
from nodeflow.nodes.source import parameter
from nodeflow.workings.shown import show

_POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_FACTOR = re.compile(r"([^⁰¹²³⁴⁵⁶⁷⁸⁹]+)([⁰¹²³⁴⁵⁶⁷⁸⁹]*)")


def origin(graph: Graph, address: str, index: tuple[int, ...]) -> list[str]:
    """Return lines that say where the slope of a cost by one weight comes from.

    They are the chain rule with the names of all constants, what it comes to with their numbers,
    and each coefficient as a product of them. Raises `RunError` as `derive` does.
    """
    found = derive(Run(graph), address, index)
    head = f"∂C/∂{found.weight}"
    lines = [f"{head} = {found.chain} = {found.simplified}"]
    if found.chain == found.simplified:
        lines = [f"{head} = {found.chain}"]
    try:
        named = derive(Run(_named(graph)), address, index)
    except NodeflowError:
        named = None  # a constant may have no name of its own: the numbers are there already
    if named is not None and named.chain != found.chain:
        lines = [f"{head} = {named.chain}", f"= {named.simplified}", f"= {found.simplified}"]
        lines += _coefficients(named)
    lines += [f"where {name} = {meaning}" for name, meaning in found.where.items()]
    lines.append(f"At the start it comes to {show(found.value)}.")
    return lines


def _named(graph: Graph) -> Graph:
    """Return a graph in which constants of one number are parameters: those have names."""
    nodes = {}
    for key, node in graph.nodes.items():
        if node.is_typed and np.size(node.settings.get("value", ())) == 1:
            value = float(np.ravel(node.settings["value"])[0])
            nodes[key] = Node(parameter.name, {"value": [[value]]})
        else:
            nodes[key] = node
    return replace(graph, nodes=nodes)


def _coefficients(found: Derivative) -> list[str]:
    """Return what stands before each power of the weight, as a product of names and numbers."""
    lines = []
    for term in re.split(r" [+−] ", found.simplified.lstrip("−")):
        if any(sign in term for sign in "()/"):
            return []
        factors = [_FACTOR.fullmatch(part) for part in term.split("·")]
        if any(factor is None for factor in factors):
            return []
        rest = [factor for factor in factors if factor and factor[1] != found.weight]
        if not any(factor[1] in found.symbols for factor in rest):
            continue
        numbers = [_number(factor[1], found.symbols) for factor in rest]
        value = math.prod(n ** _power(factor) for n, factor in zip(numbers, rest, strict=True))
        spelled = "·".join(
            (f"({show(n)})" if n < 0 else show(n)) + factor[2]
            for n, factor in zip(numbers, rest, strict=True)
        )
        lines.append(f"{show(value)} = {'·'.join(factor[0] for factor in rest)} = {spelled}")
    return lines


def _number(name: str, symbols: Mapping[str, float]) -> float:
    return symbols[name] if name in symbols else float(name)


def _power(factor: re.Match[str]) -> int:
    return int(factor[2].translate(_POWERS) or 1)

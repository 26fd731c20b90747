"""The order in which nodes can be evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain


def ranks(nodes: Iterable[str], onward: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return each node's longest way from a source, in topological order (Kahn's algorithm).

    `onward` has the nodes that a node leads to. Those of one rank stand in the order in which
    the rank before leads to them, sources in their own. A node on a loop, and what comes after
    it, is left out. Plain Python is linear here and starts without networkx, which takes longer
    to import than most graphs to plan; the order is that of `networkx.topological_generations`.
    """
    once = {
        key: list(dict.fromkeys(targets)) if len(targets) > 1 else targets
        for key, targets in onward.items()
    }
    waiting = dict.fromkeys(nodes, 0)
    for target in chain.from_iterable(once.values()):
        waiting[target] += 1
    found = {key: 0 for key, count in waiting.items() if not count}
    queue = list(found)
    for key in queue:
        next_rank = found[key] + 1
        for target in once.get(key, ()):
            left = waiting[target] - 1
            waiting[target] = left
            if not left:
                found[target] = next_rank
                queue.append(target)
    return found

"""What an edit of a graph means for its run: whether it goes on, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodeflow.difference import difference
from nodeflow.engine.forking import Renaming
from nodeflow.graph import Graph

if TYPE_CHECKING:
    from nodeflow.engine.run import Run


def computes_alike(before: Graph, after: Graph) -> bool:
    """Return whether two graphs compute the same: where nodes lie does not matter."""
    return before is after or (
        before.training.batch == after.training.batch
        and before.training.seed == after.training.seed
        and before.training.rate == after.training.rate
        and before.folder == after.folder
        and before.wires == after.wires
        and before.nodes == after.nodes
    )


def trains_differently(run: Run, graph: Graph) -> bool:
    """Return whether it is plain that a graph trains in another way than a run does.

    That spares the making of a run where a setting is dragged.
    """
    before, training = run.graph, graph.training
    if (before.training.batch, before.training.seed, before.training.rate) != (
        training.batch, training.seed, training.rate,
    ):  # fmt: skip
        return True
    if before.nodes.keys() != graph.nodes.keys() or before.wires != graph.wires:
        return False
    trained, known = run.plan.trained, run.plan.graph.nodes
    return any(
        key in trained or key not in known
        for key, node in graph.nodes.items()
        if node != before.nodes[key]
    )


def what_renamed(before: Graph, after: Graph) -> Renaming | None:
    """Return which node has another id, if all else is the same."""
    gone, come = before.nodes.keys() - after.nodes.keys(), after.nodes.keys() - before.nodes.keys()
    if len(gone) != 1 or len(come) != 1:
        return None
    rename = Renaming(next(iter(gone)), next(iter(come)), before.nodes.keys())
    found = before.rename(rename.old, rename.new)
    alike = found.nodes == after.nodes and set(found.wires) == set(after.wires)
    return rename if alike and before.training == after.training else None


def what_changed(before: Graph, after: Graph) -> str:
    """Return the one change between two graphs in words; "" if there are several."""
    changes = [change.sentence for change in difference(before, after) if change.kind != "moved"]
    return changes[0] if len(changes) == 1 else ""

"""Runs of graphs as somebody left them: what fails is left out, and said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodeflow.editor.background import fault_text
from nodeflow.errors import GraphError, NodeflowError, RunError, nearest
from nodeflow.graph import Graph

if TYPE_CHECKING:
    from nodeflow.engine.run import Run

FAULTS = 16
"""The most failing nodes that are left out, one after the other, before nothing is evaluated."""
_ROOM = 500_000_000
"""Memory that the values of a run may take in the editor, in bytes: it shows them all. A graph that
was only opened takes no more; `nodeflow train` does."""


def made(graph: Graph, faults: dict[str, str] | None = None) -> tuple[Run | None, str]:
    """Return a run of the graph, evaluated once, and the first fault that was met.

    Nodes that fail are left out with all that hangs on them, and the rest is evaluated; `faults`
    takes why, by node.
    """
    from nodeflow.engine.run import Run

    problem = ""
    for _ in range(FAULTS):
        try:
            run = Run(graph, strict=False, room=_ROOM)
            run.evaluate()
        except Exception as error:  # noqa: BLE001  whatever it is, the editor lives on
            problem = problem or sentence(error)
            key = at_fault(error, graph)
            if not key or graph.nodes[key].mode == "disable":
                break
            if faults is not None:
                faults[key] = sentence(error)
            graph = graph.with_mode(key, "disable")
        else:
            return run, problem
    return None, problem


def at_fault(error: Exception, graph: Graph) -> str:
    """Return the node of a graph that an error is about, "" if none is known."""
    key = (error.node or "") if isinstance(error, GraphError | RunError) else ""
    while key and key not in graph.nodes:
        key = key.rpartition(".")[0]  # a node of the backward pass is called after it
    return key


def first_problem(run: Run) -> str:
    """Return why a node of the run is not evaluated, "" if all are."""
    problems = run.plan.inference.problems
    return str(problems[min(problems)]) if problems else ""


def learns(run: Run) -> bool:
    """Return whether training would change anything."""
    return run.trains and bool(run.order)


def why_untrained(run: Run | None) -> str:
    """Return why there is nothing to train."""
    return (run and first_problem(run)) or (
        "there is nothing to train: the graph needs a trainer, and a cost that enters it"
    )


def port_meant(run: Run, address: str) -> str:
    """Return the output port that is meant; a node stands for its first one."""
    slots, nodes = run.machine.tape.slots, run.plan.graph.nodes
    if address in slots:
        return address
    known = nodes[address].known if address in nodes else None
    own = [] if known is None else [f"{address}.{port.name}" for port in known.outputs]
    found = next((port for port in own if port in slots), None)
    if found is None:
        raise RunError(f"there is no value '{address}'{nearest(address, slots)}")
    return found


def sentence(error: Exception) -> str:
    """Return what to tell of an error; one that was not foreseen has its kind with it."""
    if isinstance(error, NodeflowError):
        return str(error)
    return fault_text(error)

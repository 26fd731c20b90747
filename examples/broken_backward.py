"""The backward pass is a graph: wire it out, make a mistake in it, and let the check find it."""
# ruff: noqa: INP001, T201

from pathlib import Path

import nodeflow as nf

graph = nf.load(Path(__file__).parent.parent / "graphs" / "xor.json")
wired = nf.unfold(graph)
made = sorted(wired.nodes.keys() - graph.nodes.keys())
print(f"{len(graph.nodes)} nodes, and {len(made)} that unfolding adds: {', '.join(made)}\n")


def report(what: str, found: nf.Check) -> None:
    """Print the verdict, and the nodes whose gradient is at fault."""
    faults = [key for key, node in found.nodes.items() if node.status == "fault"]
    print(f"{what}:", f"wrong at {', '.join(faults)}" if faults else "every gradient is right")


report("as unfolded", nf.check(wired))

# The hidden layer has sigmoids: the slope of tanh is a mistake.
broken = wired.set("hidden.delta", activation="tanh")
report("with the slope of tanh", nf.check(broken))

assert nf.fold(wired) == graph  # noqa: S101
try:
    nf.fold(broken)
except nf.NodeflowError as error:
    print(f"\nfold: {error}")

"""Topological order: that of networkx, node for node; and starting does not import networkx."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import networkx as nx
import pytest

from nodeflow.graph import generations


@pytest.mark.parametrize("seed", range(50))
def test_the_order_is_that_of_networkx(seed: int) -> None:
    random = Random(seed)
    count = random.randint(1, 40)
    names = [f"n{number}" for number in range(count)]
    rank = dict(zip(names, random.sample(range(count), count), strict=True))
    pairs = [random.choices(names, k=2) for _ in range(3 * count)]  # some of them twice
    edges = [(a, b) for a, b in pairs if rank[a] < rank[b]]
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from(edges)
    found = list(generations(names, edges))
    assert found == [tuple(layer) for layer in nx.topological_generations(graph)]
    assert [name for layer in found for name in layer] == list(nx.topological_sort(graph))


@pytest.mark.parametrize("command", ["play --samples 1 --speed 0", "train", "run"])
def test_commands_do_not_wait_for_networkx_or_a_compiler(command: str) -> None:
    """Importing networkx takes as long as the rest of a small command; so does LLVM."""
    name, *rest = command.split()
    graph = Path(__file__).parent.parent / "graphs" / "one-neuron.json"
    script = (
        "import sys; from nodeflow.cli import main; code = main(sys.argv[1:]); "
        "print({'networkx', 'llvmlite', 'scipy', 'sklearn'} & sys.modules.keys(), code, "
        "file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, name, str(graph), *rest],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr.splitlines()[-1].startswith("set()"), done.stderr

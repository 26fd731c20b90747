#!/usr/bin/env bash
# rustworkx 0.18.1: `node [shape=box]` in a DOT file is a node of the name "node".
#
# Guess: `from_dot` reads what Graphviz draws: graph, node and edge are words of the format, which set what holds
# for all, and a strict graph has one edge between two nodes.
#
# Seen: each of the three is one more node, without edges, so that everything that counts, sorts or searches
# components has up to three more. A strict graph keeps its double edges. `rankdir=LR` and `a->b` without blanks are
# refused, with their place.
#
# Here: a `.dot` says such things for all its nodes; rustworkx refuses it. Read it with NetworkX, which knows them,
# and hand that over with `rustworkx.networkx_converter`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    rustworkx==0.18.1 networkx==3.6.1 pydot==4.0.1
cd "$folder"
v/bin/python - <<'END'
import sys

import networkx as nx
import rustworkx as rx


def read(text):
    """Return the nodes and the number of edges that each reader finds."""
    with open("t.dot", "w", encoding="utf-8") as file:
        file.write(text)
    known = nx.nx_pydot.read_dot("t.dot")
    try:
        graph = rx.from_dot(text)
        found = sorted(graph.nodes()), graph.num_edges()
    except ValueError as error:
        found = str(error).splitlines()[0]
    over = rx.networkx_converter(known)
    print(text, "rustworkx:", found, "NetworkX:", sorted(known), known.number_of_edges())
    assert (over.num_nodes(), over.num_edges()) == (len(known), known.number_of_edges())
    return found, (sorted(known), known.number_of_edges())


for_all, true = read("digraph { graph [rankdir=LR]; node [shape=box]; edge [color=red]; a -> b; }")
ok = for_all == (["a", "b", "edge", "graph", "node"], 1) and true == (["a", "b"], 1)
strict, true = read("strict digraph { a -> b; a -> b; }")
ok = ok and strict == (["a", "b"], 2) and true == (["a", "b"], 1)
for text in ("digraph { rankdir=LR; a -> b; }", "digraph { a->b; }"):
    refused, true = read(text)
    ok = ok and "parse error" in refused and true == (["a", "b"], 1)
sys.exit(0 if ok else "it has changed")
END

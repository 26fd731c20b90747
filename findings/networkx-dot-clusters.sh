#!/usr/bin/env bash
# NetworkX 3.6.1 with pydot 4.0.1: what stands in a cluster of a DOT file is left out.
#
# Guess: a cluster is a frame around nodes; `read_dot` gives all nodes and edges, with or without the frame.
#
# Seen: nodes and edges that are declared inside a subgraph are not in the graph. Where an edge outside names such
# a node it is there, without label, colour or any other attribute. What is declared outside, and only named in
# the cluster, is read whole, and Graphviz draws it in its frame all the same.
#
# Here: .dot files declare every node and wire outside, and clusters hold names.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check networkx==3.6.1 pydot==4.0.1
cd "$folder"
v/bin/python -W ignore - <<'END'
import sys

import networkx as nx

NODES = "a [label=A]; b [label=B]; c [label=C]; a -> b;"


def read(text):
    """Return the nodes with their labels, and the edges."""
    with open("t.dot", "w", encoding="utf-8") as file:
        file.write(text)
    graph = nx.nx_pydot.read_dot("t.dot")
    found = dict(graph.nodes(data="label")), sorted(graph.edges())
    print(text, *found)
    return found


inside = read(f"digraph {{ d [label=D]; subgraph cluster_0 {{ {NODES} }} a -> d; }}")
outside = read(f"digraph {{ d [label=D]; {NODES} subgraph cluster_0 {{ a; b; c; }} a -> d; }}")
ok = inside == ({"d": "D", "a": None}, [("a", "d")])
ok = ok and outside == ({"d": "D", "a": "A", "b": "B", "c": "C"}, [("a", "b"), ("a", "d")])
sys.exit(0 if ok else "it has changed")
END

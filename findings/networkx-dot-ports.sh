#!/usr/bin/env bash
# NetworkX 3.6.1 with pydot 4.0.1: a port in a DOT file becomes a node of its own.
#
# Guess: `"a":"out" -> "b":"in"` is an edge from a to b that begins and ends at ports, which is what
# Graphviz draws; `read_dot` gives two nodes and one edge.
#
# Seen: four nodes. The nodes that the file declares have no edges, and the edge joins two others
# whose names are those of node and port together. Unquoted names, and quoted ones, come out alike.
# With the ports as attributes of the edge (tailport, headport) Graphviz draws the same, and the graph
# has two nodes.
#
# Here: .dot files name ports by attributes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    networkx==3.6.1 pydot==4.0.1
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys

import networkx as nx

NODES = '"a" [shape=record, label="<out> out"]; "b" [shape=record, label="<in> in"];'


def read(edge, nodes=NODES):
    with open("one.dot", "w", encoding="utf-8") as file:
        file.write(f"digraph {{ {nodes} {edge} }}")
    graph = nx.nx_pydot.read_dot("one.dot")
    print(edge, sorted(graph.nodes), list(graph.edges()))
    return graph


quoted = read('"a":"out" -> "b":"in";')
plain = read("a:out -> b:in;", NODES.replace('"a"', "a").replace('"b"', "b"))
attributes = read('"a" -> "b" [tailport="out", headport="in"];')
alone = [key for key in ("a", "b") if quoted.degree(key) == 0]
ok = len(quoted) == len(plain) == 4 and alone == ["a", "b"]
sys.exit(not (ok and sorted(attributes.nodes) == ["a", "b"]))
PYTHON

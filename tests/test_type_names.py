"""What is known of a node type stands in its file: names of types elsewhere do not grow again.

A name in quotes elsewhere is often a table that knows the types of the library and no other: what
a plugin brings is left out of it. Such knowledge belongs into the declaration (see `declare.node`:
what a type calculates, what its numbers are called, which module shows it, how a trainer moves a
parameter), where a plugin's type can say it as well.
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import nodeflow.nodes
from nodeflow.declare import CATALOG

ROOT = Path(nodeflow.__file__).parent
MOST = {
    "commands": 12, "data": 4, "declare": 6, "derive": 30, "editor": 20, "engine": 60,
    "explain": 16, "export": 20, "graph": 1, "interchange": 275, "lessons": 1, "playback": 12,
    "scene": 1, "sweeps": 5, "terminal": 26, "twins": 3, "views": 7, "window": 22, "workings": 16,
}  # fmt: skip
"""Strings that are the name of a node type, by package. Some are other words: a port, a level of
slow motion, a function in a formula. What really concerns one type imports its declaration; what
other programs have and lack is theirs to say (`interchange`)."""
MOST_BESIDE = 17
"""In modules that are in no package."""


def test_names_of_types_outside_of_their_files_do_not_grow():
    found = Counter()
    for path in sorted(ROOT.rglob("*.py")):
        package = path.relative_to(ROOT).parts[0]
        if package == "nodes":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and node.value in CATALOG:
                found["" if package.endswith(".py") else package] += 1
    assert found
    beside = found.pop("", 0)
    grown = {name: count for name, count in found.items() if count > MOST.get(name, 0)}
    assert not grown, f"say it in the type's declaration, or raise the bound: {grown}"
    assert beside <= MOST_BESIDE

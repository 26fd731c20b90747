"""What the commands share that write one graph as another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nodeflow.commands.graphs import load, working
from nodeflow.commands.output import print_json

if TYPE_CHECKING:
    from nodeflow.graph import Graph


def write_derived(
    file: str, out: str, derive: Callable[[Graph], Graph], *, force: bool, as_json: bool
) -> None:
    """Write what `derive` makes of the graph in FILE, and say what it is."""
    from nodeflow.files import save
    from nodeflow.files.moving import moved

    with working(file, reading=1, deriving=2, writing=1) as enter:
        enter("reading")
        before = load(file)
        enter("deriving")
        after = moved(derive(before), Path(out).parent)
        enter("writing")
        # Derived or not: what lies there is to be what was read.
        save(replace(after, origin=before.origin), out, force=force)
    nodes, wires = len(after.nodes), len(after.wires)
    if as_json:
        print_json({"file": out, "nodes": nodes, "wires": wires})
        return
    from nodeflow import terminal

    terminal.show_derived(out, before, after)

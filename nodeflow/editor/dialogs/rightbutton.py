"""What the right button offers: the canvas, a wire or nodes have menus of their own."""

from __future__ import annotations

from nodeflow.derive.exploding import RECORD as EXPLODED
from nodeflow.editor.canvas import editing
from nodeflow.editor.state.model import Editor
from nodeflow.scene import closed_groups

_CANVAS = (
    "add", "paste", "select-all", "fit", "first-view", "zoom-100", "tidy", "map", "samples",
    "new-network", "undo", "redo",
)  # fmt: skip
_WIRE = ("delete", "breakpoint")
_NODES = (
    "rename", "settings", "wire", "note", "cut", "copy", "paste", "duplicate", "duplicate-wired",
    "repeat", "delete", "bypass", "disable", "freeze", "explode", "collapse", "unfold", "fold",
    "give-weights", "wire-back", "why", "origin", "watch", "breakpoint", "select-upstream",
    "select-downstream", "enter", "expand", "title", "colour", "ungroup", "group", "close", "tidy",
)  # fmt: skip
"""What is done most often first."""


def offered(editor: Editor, *, canvas: bool) -> list[str]:
    """Return the names of the commands; those that have nothing to do here are left out."""
    if canvas:
        return list(_CANVAS)
    if editor.wire is not None:
        return list(_WIRE)
    missing = _missing(editor)
    return [name for name in _NODES if name not in missing]


def _missing(editor: Editor) -> set[str]:
    graph = editor.graph
    nodes = [graph.nodes[key] for key in editor.chosen]
    alone = len(editor.selection) == 1 and editor.selection <= graph.nodes.keys()
    needs = {
        ("rename", "wire", "note"): alone,
        ("settings",): alone and any(graph.settings(key) for key in editor.selection),
        ("freeze", "why", "origin"): any(node.is_parameter for node in nodes),
        ("explode",): any(node.is_layer for node in nodes),
        ("collapse",): EXPLODED in graph.extra or any(node.is_layer for node in nodes),
        ("give-weights",): any(
            graph.nodes[key].is_layer and not graph.inputs(key).get("weights")
            for key in editor.chosen
        ),
        ("wire-back",): any(finding.wire for finding in editor.in_vain),
        ("unfold",): bool(graph.of_family("trainer")),
        ("fold",): bool(graph.of_family("backward")),
        ("enter", "expand"): bool(editor.selection & set(closed_groups(graph))),
        ("title", "colour", "ungroup"): bool(editing.groups_of(editor)),
    }
    return {name for names, holds in needs.items() if not holds for name in names}

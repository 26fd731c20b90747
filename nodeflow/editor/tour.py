"""Six short tasks for the first start; each notices when it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from nodeflow.derive.exploding import RECORD as EXPLODED
from nodeflow.derive.unfolding import RECORD as UNFOLDED
from nodeflow.editor.model import Editor


@dataclass(frozen=True)
class Task:
    """What to do, how, and whether it is done."""

    title: str
    how: str
    done: Callable[[Editor], bool]


def _has_panel(editor: Editor) -> bool:
    return bool(editor.graph.of_type("panel"))


def _panel_is_wired(editor: Editor) -> bool:
    return any(editor.graph.into(panel) for panel in editor.graph.of_type("panel"))


TASKS = (
    Task(
        "Train the network",
        "Press Train, or the space bar. Two inputs and one output learn exclusive or: watch the "
        "cost fall below 0.05.",
        lambda editor: any(line.get("cost", 1.0) < 0.05 for line in editor.live.history),
    ),
    Task(
        "Place a node",
        "Double-click on the empty canvas, or press Tab; type panel and press Enter.",
        _has_panel,
    ),
    Task(
        "Draw a wire",
        "Drag from the port a of output_a to the panel: it shows what the network answers.",
        _panel_is_wired,
    ),
    Task(
        "Unfold the backward pass",
        "Press Ctrl+U: error, blame, delta and update become nodes, from right to left.",
        lambda editor: bool(editor.graph.extra.get(UNFOLDED)),
    ),
    Task(
        "Explode a layer",
        "Select hidden and press Ctrl+K: every neuron is a node of its own.",
        lambda editor: bool(editor.graph.extra.get(EXPLODED)),
    ),
    Task(
        "Go back",
        "Press Ctrl+Z until the backward pass is folded again: everything can be undone.",
        lambda editor: not editor.graph.extra.get(UNFOLDED),
    ),
)


def advanced(editor: Editor) -> Editor:
    """Return the editor with the tour at its next task, if the one before is done."""
    if editor.tour is None:
        return editor
    task = TASKS[editor.tour]
    if not task.done(editor):
        return editor
    if editor.tour + 1 < len(TASKS):
        return replace(editor, tour=editor.tour + 1)
    preferences = replace(editor.preferences, toured=True)
    ended = replace(editor, tour=None, preferences=preferences)
    return ended.asking("preferences", value=preferences).told(
        "That was the tour. Press ? for all shortcuts, Ctrl+Shift+P for all commands."
    )

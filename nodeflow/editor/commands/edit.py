"""The menu Edit: undo, the clipboard, names, selecting and adding."""

from __future__ import annotations

from dataclasses import replace

from nodeflow.boxes import box
from nodeflow.editor.canvas import editing
from nodeflow.editor.commands.arrange import title
from nodeflow.editor.commands.registry import COMMANDS, register
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import Editing, Find, Link, Panel, Search, Settings
from nodeflow.editor.state.requests import Copy, Paste, StopWork
from nodeflow.errors import GraphError
from nodeflow.scene import NodeView, note


@register("undo", "Undo", "Ctrl+Z", "Edit")
def _undo(editor: Editor) -> Editor:
    return _at(editor, editor.history.at - 1, "nothing is left to undo")


@register("redo", "Redo", "Ctrl+Y or Ctrl+Shift+Z", "Edit")
def _redo(editor: Editor) -> Editor:
    return _at(editor, editor.history.at + 1, "nothing is left to redo")


def _at(editor: Editor, at: int, otherwise: str) -> Editor:
    history = editor.history.to(at)
    if history.at == editor.history.at:
        return editor.with_notice(otherwise)
    step = max(history.at, editor.history.at)
    verb = "undid" if history.at < editor.history.at else "redid"
    return replace(editor, history=history).with_notice(f"{verb} {history.entries[step].label}")


@register("history", "History …", "Ctrl+H", "Edit")
def _history(editor: Editor) -> Editor:
    return replace(editor, popup=Panel("history"))


@register("cut", "Cut", "Ctrl+X", "Edit")
def _cut(editor: Editor) -> Editor:
    return editing.deleted(_copy(editor)) if editor.selection else editor


@register("copy", "Copy", "Ctrl+C", "Edit")
def _copy(editor: Editor) -> Editor:
    text = editing.copied(editor)
    if not text:
        return editor.refused("select what to copy")
    return editor.asking(Copy(text))


@register("paste", "Paste", "Ctrl+V", "Edit")
def _paste(editor: Editor) -> Editor:
    return editor.asking(Paste())


@register("duplicate", "Duplicate", "Ctrl+D", "Edit")
def _duplicate(editor: Editor) -> Editor:
    return editing.duplicated(editor)


@register("duplicate-wired", "Duplicate with incoming wires", "Ctrl+Alt+D", "Edit")
def _duplicate_wired(editor: Editor) -> Editor:
    return editing.duplicated_wired(editor)


@register("repeat", "Repeat as a template …", "Ctrl+Shift+R", "Edit")
def _repeat(editor: Editor) -> Editor:
    if not editor.chosen:
        return editor.refused("select the nodes to repeat: those of a neuron, or of a layer")
    return replace(editor, popup=Editing("", "repeat", "2"))


@register("delete", "Delete", "Delete or Backspace", "Edit")
def _delete(editor: Editor) -> Editor:
    return editing.deleted(editor)


@register("rename", "Rename", "F2", "Edit")
def _rename(editor: Editor) -> Editor:
    if len(editor.selection) != 1:
        return editor.refused("select the one node to rename")
    (node,) = editor.selection
    if node in editor.graph.groups:
        return title(editor)
    return replace(editor, popup=Editing(node, "id", node))


@register("select-all", "Select all", "Ctrl+A", "Edit")
def _select_all(editor: Editor) -> Editor:
    return replace(editor, selection=frozenset(editor.graph.nodes), wire=None)


@register("select-upstream", "Select what feeds it", "Ctrl+Shift+U", "Edit")
def _select_upstream(editor: Editor) -> Editor:
    return replace(editor, selection=editor.graph.upstream(editor.chosen))


@register("select-downstream", "Select what it feeds", "Ctrl+Shift+D", "Edit")
def _select_downstream(editor: Editor) -> Editor:
    return replace(editor, selection=editor.graph.downstream(editor.chosen))


@register("find", "Find …", "Ctrl+F", "Edit")
def _find(editor: Editor) -> Editor:
    return replace(editor, popup=Find())


@register("add", "Add a node …", "Tab", "Edit")
def _add(editor: Editor) -> Editor:
    return replace(editor, popup=Search(editor.aim))


@register("note", "Write a note on it …", "T", "Edit")
def _note(editor: Editor) -> Editor:
    node = _one(editor, "write on")
    return replace(editor, popup=Editing(node, "note", note(editor.graph.nodes[node])))


@register("wire", "Draw a wire …", "W", "Edit")
def _wire(editor: Editor) -> Editor:
    node = _one(editor, "wire")
    size = box(editor.graph, node)
    ports = {port.name for port in (*size.inputs, *size.outputs)}
    # A node with one port leaves nothing to choose there.
    return replace(editor, popup=Link(node, f"{node}.{ports.pop()}" if len(ports) == 1 else None))


@register("settings", "Change a setting …", "S", "Edit")
def _settings(editor: Editor) -> Editor:
    node = _one(editor, "set")
    if not editor.graph.settings(node):
        return editor.refused(f"'{node}' has no settings")
    return replace(editor, popup=Settings(node))


def _one(editor: Editor, what: str) -> str:
    """Return the one selected node, or raise with what to select."""
    chosen = editor.selection & editor.graph.nodes.keys()
    if len(chosen) != 1:
        raise GraphError(f"select the one node to {what}")
    return next(iter(chosen))


def _beside(editor: Editor, across: int, down: int) -> Editor:
    """Select the nearest node in a direction."""
    views = editor.drawn.nodes
    if not views:
        return editor
    chosen = sorted(editor.selection & views.keys())
    if not chosen:
        first = min(views.values(), key=lambda view: (view.x, view.y))
        return replace(editor, selection=frozenset([first.key]), wire=None)
    here = views[chosen[0]]

    def place(view: NodeView) -> tuple[float, float]:
        return view.x + view.width / 2, view.y + view.height / 2

    x, y = place(here)
    found = []
    for view in views.values():
        dx, dy = place(view)[0] - x, place(view)[1] - y
        ahead = dx * across + dy * down
        aside = abs(dx * down) + abs(dy * across)
        if ahead > 1 and aside <= 3 * ahead:
            found.append((ahead + 2 * aside, view.key))
    return replace(editor, selection=frozenset([min(found)[1]]), wire=None) if found else editor


@register("select-left", "Select the node to the left", "Alt+Left")
def _select_left(editor: Editor) -> Editor:
    return _beside(editor, -1, 0)


@register("select-right", "Select the node to the right", "Alt+Right")
def _select_right(editor: Editor) -> Editor:
    return _beside(editor, 1, 0)


@register("select-above", "Select the node above", "Alt+Up")
def _select_above(editor: Editor) -> Editor:
    return _beside(editor, 0, -1)


@register("select-below", "Select the node below", "Alt+Down")
def _select_below(editor: Editor) -> Editor:
    return _beside(editor, 0, 1)


@register("cancel", "Cancel", "Escape")
def _cancel(editor: Editor) -> Editor:
    if editor.busy:
        stopped = replace(editor, busy="", leaving=None).asking(StopWork())
        return stopped.with_notice(f"{editor.busy}: stopped")
    if editor.comparison is not None:
        back = editor.comparison.back
        return replace(editor, comparison=None, camera=back, fitted=None, notice=None)
    held = editor.selection or editor.wire or editor.notice
    if editor.view == "map" and not held:
        return replace(editor, view="canvas")
    if editor.inside and not editor.selection and not editor.wire:
        return replace(editor, inside=editor.inside[:-1])
    if editor.lesson is not None and not held:
        return COMMANDS["end-lesson"].does(editor)
    return replace(editor, selection=frozenset(), wire=None, notice=None)

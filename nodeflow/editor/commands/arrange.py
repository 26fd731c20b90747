"""The menu Arrange: groups, subgraphs, alignment and modes of nodes."""

from __future__ import annotations

from dataclasses import replace

from nodeflow.editor.canvas import editing
from nodeflow.editor.commands.registry import register
from nodeflow.editor.commands.view import first_view, fitted
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import Editing
from nodeflow.scene import closed_groups


@register("group", "Group", "Ctrl+G", "Arrange")
def _group(editor: Editor) -> Editor:
    return editing.grouped(editor)


@register("ungroup", "Ungroup", "Ctrl+Shift+G", "Arrange")
def _ungroup(editor: Editor) -> Editor:
    return editing.ungrouped(editor)


@register("title", "Title of the group", "Shift+F2", "Arrange")
def title(editor: Editor) -> Editor:
    """Open the field for the title of the group that is selected, or that a node is in."""
    touched = editing.groups_of(editor)
    if len(touched) != 1:
        return editor.refused("select a node of the group")
    title = str(editor.graph.groups[touched[0]].get("title", ""))
    return replace(editor, popup=Editing(touched[0], "title", title))


@register("colour", "Colour of the group", "", "Arrange")
def _colour(editor: Editor) -> Editor:
    return editing.coloured(editor)


@register("close", "Make a subgraph", "Ctrl+Alt+G", "Arrange")
def _close(editor: Editor) -> Editor:
    made = editing.grouped(editor, closed=True)
    before = editor.graph.groups
    new = [key for key, held in made.graph.groups.items() if held != before.get(key)]
    return replace(made, selection=frozenset(new[-1:])) if new else made


@register("enter", "Look inside", "Enter", "Arrange")
def _enter(editor: Editor) -> Editor:
    inside = sorted(editor.selection & set(closed_groups(editor.graph)))
    if not inside:
        return editor.refused("select a subgraph to look inside")
    return first_view(
        replace(editor, inside=(*editor.inside, inside[0]), selection=frozenset(), wire=None)
    )


@register("leave", "Back out", "Ctrl+Up", "Arrange")
def _leave(editor: Editor) -> Editor:
    if not editor.inside:
        return editor.with_notice("this is the whole graph already")
    return first_view(replace(editor, inside=editor.inside[:-1], selection=frozenset(), wire=None))


@register("expand", "Dissolve the subgraph", "", "Arrange")
def _expand(editor: Editor) -> Editor:
    return editing.expanded(editor)


@register("align-left", "Align left", "Ctrl+Shift+L", "Arrange")
def _align_left(editor: Editor) -> Editor:
    return editing.aligned(editor, "left")


@register("align-top", "Align top", "Ctrl+Shift+T", "Arrange")
def _align_top(editor: Editor) -> Editor:
    return editing.aligned(editor, "top")


@register("distribute-across", "Distribute across", "", "Arrange")
def _distribute_across(editor: Editor) -> Editor:
    return editing.distributed(editor, "across")


@register("distribute-down", "Distribute down", "", "Arrange")
def _distribute_down(editor: Editor) -> Editor:
    return editing.distributed(editor, "down")


@register("tidy", "Tidy up", "Ctrl+L", "Arrange")
def _tidy(editor: Editor) -> Editor:
    """Lay out; nothing of what was in view, or of a whole graph, is off the screen then."""
    made = editing.tidied(editor)
    if made.graph is editor.graph or _sees_all(made):
        return made
    return fitted(made) if len(editor.chosen) < 2 or _sees_all(editor) else made


def _sees_all(editor: Editor) -> bool:
    left, top, right, bottom = editor.drawn.bounds
    (x0, y0), (x1, y1) = editor.camera.on_canvas((0, 0)), editor.camera.on_canvas(editor.size)
    return x0 <= left and right <= x1 and y0 <= top and bottom <= y1


@register("bypass", "Bypass", "Ctrl+B", "Arrange")
def _bypass(editor: Editor) -> Editor:
    return editing.with_mode(editor, "bypass")


@register("disable", "Disable", "Ctrl+E", "Arrange")
def _disable(editor: Editor) -> Editor:
    return editing.with_mode(editor, "disable")


@register("freeze", "Freeze weights", "Ctrl+Shift+F", "Arrange")
def _freeze(editor: Editor) -> Editor:
    return editing.with_mode(editor, "freeze")

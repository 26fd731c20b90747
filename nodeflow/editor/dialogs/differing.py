"""Two graphs side by side: what differs is looked at, and two edits of one file become one."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from nodeflow.difference import difference
from nodeflow.editor.canvas.gestures import moved
from nodeflow.editor.canvas.hits import node_at
from nodeflow.editor.commands.registry import LOOKED_AT
from nodeflow.editor.dialogs.line import Line
from nodeflow.editor.state.messages import (
    Failed,
    Key,
    LessonEdit,
    Message,
    Moved,
    OpenRun,
    Overtook,
    Pasted,
    Place,
    Pressed,
    Released,
    Select,
    SetTraining,
    SetValue,
)
from nodeflow.editor.state.model import Comparison, Editor
from nodeflow.editor.state.pointer import Panning
from nodeflow.editor.state.popups import Question, Rival
from nodeflow.editor.state.requests import AskSave, ControlRun, Differ, Save
from nodeflow.errors import NodeflowError
from nodeflow.files import load
from nodeflow.graph import Graph
from nodeflow.merging import merge
from nodeflow.scene import with_places

if TYPE_CHECKING:
    from nodeflow.export.compared import Both

_EDITS = (
    Place, SetValue, SetTraining, Select, Pasted, ControlRun, OpenRun, *get_args(LessonEdit)
)  # fmt: skip

# --- a difference is looked at ------------------------------------------------------------------


def shown(editor: Editor, both: Both, title: str) -> Editor:
    """Return the editor with a difference in place of its graph."""
    back = editor.camera if editor.comparison is None else editor.comparison.back
    made = replace(
        editor, comparison=Comparison(both, both.scene, title, back), view="canvas", popup=None,
        gesture=None, selection=frozenset(), wire=None, hover="",
    )  # fmt: skip
    count = len(both.changes)
    said = "the two are the same" if not count else f"{count} difference{'s' * (count != 1)}"
    return made.with_notice(f"{said}: click on a node to read its own, Escape goes back")


def answered(editor: Editor, message: Message) -> Editor | None:
    """Return what a message does while two graphs are compared; None for what it always does."""
    if editor.comparison is None:
        return None
    match message:
        case Moved(at=at):
            if isinstance(editor.gesture, Panning):
                return moved(editor, message)
            return replace(editor, pointer=at, hover="")
        case Pressed(at=at):
            node = node_at(editor.drawn, editor.camera.on_canvas(at))
            made = replace(editor, pointer=at, popup=None, gesture=Panning(at))
            return made if node is None else made.with_notice(_differs(editor.comparison, node))
        case Released():
            return replace(editor, gesture=None)
        case Key(name="Left" | "Right" | "Up" | "Down") if editor.popup is None:
            return editor
        case _ if isinstance(message, _EDITS):
            return editor.refused(LOOKED_AT)
    return None


def _differs(comparison: Comparison, node: str) -> str:
    """Say what is different about a node."""
    words = {
        "added": "is new", "removed": "is gone", "moved": "stands elsewhere", "changed": "changed",
    }  # fmt: skip
    found = [
        one.text or f"'{node}' {words[one.kind]}"
        for one in comparison.both.nodes
        if one.view.key == node
    ]
    return "; ".join(found) or f"'{node}' is the same in both"


def listed(comparison: Comparison) -> list[Line]:
    """Return all differences as lines; one of a node leads to it."""
    there = comparison.scene.nodes
    return [
        Line(change.node if change.node in there else "", change.sentence, change.kind)
        for change in comparison.both.changes
    ]


# --- a file was changed by another program ------------------------------------------------------


def rival(ours: Graph, base: Graph | None, path: Path) -> Message:
    """Return what is to be asked where another program changed the file since it was opened.

    `base` is the graph as it was in the file then.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        return Failed(f"{path.name} cannot be read: {error.strerror}")
    origin = os.path.realpath(path), hashlib.sha256(data).hexdigest()
    said = f"{path.name} was changed by another program since it was opened"
    try:
        theirs = load(path)
    except NodeflowError as error:
        found = Rival(path, ours, None, None, origin)
        return Overtook(found, f"{said}, and is no graph that can be read now: {error}")
    before = Graph() if base is None else base
    # What has no place in the file stands where it stood when the file was opened.
    known = {key: before.layout[key] for key in theirs.nodes if key in before.layout}
    placed = with_places(replace(theirs, layout={**known, **theirs.layout}))
    merged = merge(before, ours, placed)
    changes = difference(before, placed)
    news = "nothing that a graph has" if not changes else str(changes[0])
    if len(changes) > 1:
        news += f", and {len(changes) - 1} more"
    if merged.conflicts:
        text = f"{said}: {news}. It cannot be merged with yours: {merged.conflicts[0]}."
        return Overtook(Rival(path, ours, placed, None, origin), text)
    return Overtook(Rival(path, ours, placed, merged.graph, origin), f"{said}: {news}.")


def overtaken(editor: Editor, found: Rival, text: str) -> Editor:
    """Ask what is to be saved."""
    answers = [("Replace it", "replace"), ("Save as …", "elsewhere"), ("Cancel", "cancel")]
    if found.theirs is not None:
        answers.insert(0, ("See what differs", "differ"))
    if found.merged is not None:
        answers.insert(0, ("Merge both", "merge"))
        text += " It does not touch what you changed."
    question = Question(text, tuple(answers), Save(found.path), about=found)
    return replace(editor, popup=question, gesture=None)


def resolved(editor: Editor, found: Rival, answer: str) -> Editor:
    """Do what was answered."""
    if answer not in ("merge", "replace"):
        editor = replace(editor, leaving=None)
    if answer == "elsewhere":
        return editor.asking(AskSave())
    if answer == "differ" and found.theirs is not None:
        return editor.asking(Differ(found.theirs, f"{found.path.name} as it is now"))
    if answer not in ("merge", "replace"):
        return editor
    if editor.graph is found.ours:
        # What is replaced is the file as it was looked at: a newer one is asked about again.
        if answer == "merge" and found.merged is not None:
            merged = replace(found.merged, origin=found.origin)
            editor = editor.edited(merged, f"merge with {found.path.name}")
        else:
            ours = replace(editor.graph, origin=found.origin)
            editor = replace(editor, history=editor.history.instead(ours))
    return editor.asking(Save(found.path))

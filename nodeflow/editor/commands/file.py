"""The menu File: graphs are begun, opened, saved, compared and left."""

from __future__ import annotations

from dataclasses import replace

from nodeflow.editor.commands.registry import register
from nodeflow.editor.documents import plugins
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import Panel, Question
from nodeflow.editor.state.requests import (
    AllowData,
    AskDiffer,
    AskExport,
    AskOpen,
    AskSave,
    New,
    NewNetwork,
    Quit,
    Request,
    Save,
)
from nodeflow.files.address import is_address
from nodeflow.scene import with_places

PICTURE = ".png"
"""The ending of a picture, which can be opened where it carries its graph, but not saved to."""


@register("new", "New graph", "Ctrl+N", "File")
def _new(editor: Editor) -> Editor:
    return leaving(editor, New())


@register("new-network", "New network …", "Ctrl+Shift+N", "File")
def _new_network(editor: Editor) -> Editor:
    return leaving(editor, NewNetwork())


@register("open", "Open …", "Ctrl+O", "File")
def _open(editor: Editor) -> Editor:
    return leaving(editor, AskOpen())


@register("recent", "Open recent …", "Ctrl+Shift+O", "File")
def _recent(editor: Editor) -> Editor:
    return replace(editor, popup=Panel("recent"))


@register("samples", "Samples …", "", "File")
def _samples(editor: Editor) -> Editor:
    return replace(editor, popup=Panel("samples"))


@register("save", "Save", "Ctrl+S", "File")
def _save(editor: Editor) -> Editor:
    path = editor.path
    if path is None or path.suffix.lower() == PICTURE or is_address(str(path)):
        return editor.asking(AskSave())
    return editor.asking(Save(path))


@register("save-as", "Save as …", "Ctrl+Shift+S", "File")
def _save_as(editor: Editor) -> Editor:
    return editor.asking(AskSave())


@register("export", "Export …", "Ctrl+Shift+E", "File")
def _export(editor: Editor) -> Editor:
    if not editor.graph.nodes:
        return editor.refused("there is nothing to export: the graph has no nodes")
    return editor.asking(AskExport())


@register("compare-with", "Compare with …", "", "File")
def _compare_with(editor: Editor) -> Editor:
    return editor.asking(AskDiffer())


@register("revert", "Revert to the file", "", "File")
def _revert(editor: Editor) -> Editor:
    if editor.path is None or editor.saved is None:
        return editor.with_notice("this graph has no file yet: Ctrl+H lists all that can be undone")
    if not editor.changed:
        return editor.with_notice("nothing has changed since the file was opened")
    return editor.edited(with_places(editor.saved), "revert")


@register("allow-data", "Let this graph read its data in other folders", menu="File")
def _allow_data(editor: Editor) -> Editor:
    from nodeflow.data.places import escapes

    graph, found = editor.graph, set()
    for key in graph.datasets:
        source = graph.settings(key)["source"]
        if graph.folder is not None and isinstance(source, str) and escapes(source):
            found.add((graph.folder / source).parent)
    if not found:
        return editor.refused("all data of this graph lies in its own folder, or needs no file")
    return leaving(editor, AllowData(tuple(sorted(found))))


@register("plugins", "Switch on the plugins that this graph needs …", "", "File")
def _plugins(editor: Editor) -> Editor:
    asking = plugins.asking(editor)
    if asking is editor:
        return editor.with_notice("no plugin is missing: every type that a plugin has is known")
    return asking


@register("quit", "Quit", "Ctrl+Q", "File")
def _quit(editor: Editor) -> Editor:
    return leaving(editor, Quit())


def leaving(editor: Editor, then: Request) -> Editor:
    """Go on with something that gives up this graph; if it has changed, ask first."""
    if not editor.changed or not editor.graph.nodes:
        return replace(editor, requests=(*editor.requests, then))
    name = editor.path.name if editor.path else editor.graph.name or "this graph"
    question = Question(
        f"{name} has changes that are not saved.",
        (("Save", "save"), ("Throw away", "discard"), ("Cancel", "cancel")),
        then,
    )
    return replace(editor, popup=question)


def answered(editor: Editor, question: Question, answer: str) -> Editor:
    """Do what was answered: save and then go on, go on at once, or stay."""
    match answer:
        case "save":
            return replace(_save(editor), leaving=question.then)
        case "discard" | "enable" | "replace":
            return editor.asking(question.then)
        case "elsewhere":
            return editor.asking(AskSave())
        case _:
            return replace(editor, leaving=None)


def left(editor: Editor) -> Editor:
    """Go on with what waited for the graph to be saved."""
    if editor.leaving is None or editor.changed:
        return replace(editor, leaving=None)
    return replace(editor, leaving=None).asking(editor.leaving)

"""What lies over the canvas: the search box, the palette, find, menus, lists, questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nodeflow.boxes import box
from nodeflow.declare import CATALOG, NodeType
from nodeflow.editor import commands, editing, wiring
from nodeflow.editor.camera import Camera
from nodeflow.editor.messages import Key
from nodeflow.editor.model import (
    Editing,
    Editor,
    Find,
    Menu,
    Palette,
    Panel,
    Popup,
    Question,
    Search,
)
from nodeflow.editor.searching import found
from nodeflow.graph import Graph

MOST = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a popup's list: what it does (a node type, a command, a node), text and hint."""

    name: str
    text: str
    hint: str = ""


def lines(editor: Editor) -> Sequence[Line]:
    """Return the lines of the open popup."""
    match editor.popup:
        case Search(text=text, port=port):
            types = found(text, lambda type_: _takes(editor.graph, type_, port))
            return [Line(t.name, t.name.replace("_", " "), t.formula) for t in types[:MOST]]
        case Palette(text=text):
            return _commands(text)
        case Find(text=text):
            return _nodes(editor, text)
        case Menu():
            chosen = (c for c in commands.COMMANDS.values() if c.context)
            return [Line(c.name, c.title, c.shortcut) for c in chosen]
        case Question(answers=answers):
            return [Line(command, text) for text, command in answers]
        case Panel(name=name):
            return _panel(editor, name)
        case _:
            return ()


def _takes(graph: Graph, type_: NodeType, port: str | None) -> bool:
    """Return whether a new node of a type could be wired to a port."""
    if port is None:
        return True
    return wiring.first_fit(type_, outgoing=editing.is_output(graph, port)) is not None


def _commands(text: str) -> list[Line]:
    wanted = text.lower().split()
    return [
        Line(command.name, command.title, command.shortcut)
        for command in commands.COMMANDS.values()
        if command.name not in ("palette", "cancel")
        and all(word in f"{command.title} {command.name}".lower() for word in wanted)
    ]


def _nodes(editor: Editor, text: str) -> list[Line]:
    """Return the nodes that a text finds, by id, type or value."""
    wanted = text.strip().lower()
    found_nodes = []
    for key, node in editor.graph.nodes.items():
        if wanted in key.lower() or wanted in node.type or _has_value(editor, key, wanted):
            found_nodes.append(Line(key, key, node.type))
    return found_nodes[:MOST]


def _has_value(editor: Editor, key: str, wanted: str) -> bool:
    try:
        number = float(wanted.replace("−", "-").replace(",", "."))
    except ValueError:
        texts = (v for v in editor.graph.nodes[key].settings.values() if isinstance(v, str))
        return bool(wanted) and any(wanted in text.lower() for text in texts)
    near = 10.0 ** -len(wanted.partition(".")[2]) / 2
    values = [v for a, v in editor.live.values.items() if a.rpartition(".")[0] == key]
    numbers = (v for v in editor.graph.nodes[key].settings.values() if isinstance(v, int | float))
    return any(np.any(np.abs(v - number) <= near) for v in values) or number in numbers


def _panel(editor: Editor, name: str) -> list[Line]:
    if name == "history":
        entries = enumerate(editor.history.entries)
        return [Line(str(n), e.label, "now" if n == editor.history.at else "") for n, e in entries]
    if name == "shortcuts":
        return [Line(c.name, c.title, c.shortcut) for c in commands.COMMANDS.values() if c.shortcut]
    if name == "recent":
        return [Line(str(path), path.name, str(path.parent)) for path in editor.recent]
    return []


def typed(editor: Editor, text: str) -> Editor:
    """Change the open popup's text."""
    popup = editor.popup
    if isinstance(popup, Search | Palette | Find):
        return replace(editor, popup=replace(popup, text=text, choice=0))
    if isinstance(popup, Editing):
        return replace(editor, popup=replace(popup, text=text))
    return editor


def stepped(editor: Editor, by: int) -> Editor:
    """Light the next or previous line."""
    popup, count = editor.popup, len(lines(editor))
    if not count or not isinstance(popup, Search | Palette | Find | Menu):
        return editor
    return replace(editor, popup=replace(popup, choice=(popup.choice + by) % count))


def key(editor: Editor, message: Key) -> Editor:
    """Answer a key while a popup is open."""
    match message.name:
        case "Escape":
            return replace(editor, popup=None)
        case "Down":
            return stepped(editor, 1)
        case "Up":
            return stepped(editor, -1)
        case "Enter":
            return chosen(editor, None)
        case _:
            return editor


def chosen(editor: Editor, number: int | None) -> Editor:
    """Do what a line says: the lit one, or that of a number."""
    popup = editor.popup
    if isinstance(popup, Editing):
        closed = replace(editor, popup=None)
        return editing.attempted(closed, lambda: _entered(closed, popup))
    there = lines(editor)
    at = number if number is not None else getattr(popup, "choice", 0)
    if not 0 <= at < len(there):
        return replace(editor, popup=None) if popup else editor
    closed = replace(editor, popup=None)
    return editing.attempted(closed, lambda: _done(closed, popup, there[at].name))


def _done(editor: Editor, popup: Popup | None, name: str) -> Editor:
    match popup:
        case Search(at=at, port=port):
            return _placed(editor, name, at, port)
        case Find():
            return shown(editor, name)
        case Panel(name="history"):
            return replace(editor, history=editor.history.to(int(name)))
        case Panel(name="recent"):
            path = next(path for path in editor.recent if str(path) == name)
            return editor.asking("open", path=path)
        case _:
            return commands.done(editor, name)


def _placed(editor: Editor, name: str, at: tuple[float, float], port: str | None) -> Editor:
    """Place a node where the search was opened; its port, if wired, lies at that point."""
    if port is None:
        return editing.placed(editor, name, at)
    outgoing = editing.is_output(editor.graph, port)
    size = box(Graph().add("x", name), "x")
    rows = size.inputs if outgoing else size.outputs
    name_of_port = wiring.first_fit(CATALOG[name], outgoing=outgoing)
    y = next((row.y for row in rows if row.name == name_of_port), 0)
    x = at[0] if outgoing else at[0] - size.width
    return editing.placed(editor, name, (x, at[1] - y), port)


def shown(editor: Editor, node: str) -> Editor:
    """Select a node and bring it into the middle."""
    view = editor.drawn.nodes[node]
    middle = view.x + view.width / 2, view.y + view.height / 2
    zoom = max(editor.camera.zoom, 0.6)
    camera = Camera(zoom=zoom).centred(middle, editor.size)
    return replace(editor, selection=frozenset([node]), wire=None, camera=camera)


def _entered(editor: Editor, popup: Editing) -> Editor:
    if popup.setting == "id":
        return editing.renamed(editor, popup.node, popup.text)
    return editor

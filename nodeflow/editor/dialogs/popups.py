"""What lies over the canvas: the search box, the palette, find, menus, lists, questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nodeflow.boxes import box
from nodeflow.declare import CATALOG, NodeType
from nodeflow.editor.canvas import editing, inplace, usual, wiring
from nodeflow.editor.commands import file, registry
from nodeflow.editor.dialogs import differing, rightbutton
from nodeflow.editor.dialogs.line import Line
from nodeflow.editor.dialogs.sampling import offered
from nodeflow.editor.dialogs.searching import found
from nodeflow.editor.panels import training
from nodeflow.editor.playing import controls
from nodeflow.editor.state.camera import Camera
from nodeflow.editor.state.messages import Key
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import (
    Ask,
    Choices,
    Editing,
    Find,
    Link,
    Listed,
    Menu,
    Palette,
    Panel,
    Popup,
    Question,
    Rival,
    Search,
    Searched,
    Settings,
)
from nodeflow.editor.state.reading import written
from nodeflow.editor.state.requests import OpenFile, OpenSample
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph
from nodeflow.plugins import ORIGINS
from nodeflow.scene import way_to

MOST = 200
_LONGEST = 40


def lines(editor: Editor) -> Sequence[Line]:
    """Return the lines of the open popup."""
    match editor.popup:
        case Search(text=text, port=port):
            types = found(text, lambda type_: _takes(editor.graph, type_, port))
            if port is not None and not text.strip():
                types = usual.sorted_for(types, editor.graph, port)
            return [Line(t.name, _named(t), t.formula) for t in types[:MOST]]
        case Palette(text=text):
            return _commands(text)
        case Find(text=text):
            return _nodes(editor, text)
        case Link():
            return _links(editor, editor.popup)
        case Settings(node=node, text=text):
            return _settings(editor, node, text)
        case Choices() as popup:
            return [Line(name, name) for name in inplace.choices(editor, popup)]
        case Menu(canvas=canvas):
            there = (registry.COMMANDS[name] for name in rightbutton.offered(editor, canvas=canvas))
            return [Line(c.name, c.title, c.shortcut) for c in there]
        case Question(answers=answers):
            return [Line(command, text) for text, command in answers]
        case Panel(name=name):
            return _panel(editor, name)
        case _:
            return ()


def _named(type_: NodeType) -> str:
    """Return the name of a type, with that of the plugin that it came from."""
    plugin = ORIGINS.get(type_.name)
    return type_.name.replace("_", " ") + (f" · {plugin}" if plugin else "")


def _takes(graph: Graph, type_: NodeType, port: str | None) -> bool:
    """Return whether a new node of a type could be wired to a port."""
    if port is None:
        return True
    return wiring.first_fit(type_, outgoing=editing.is_output(graph, port)) is not None


def _links(editor: Editor, popup: Link) -> list[Line]:
    """Return the ports of a node, or those that fit the one that was chosen."""
    wanted = popup.text.strip().lower()
    if popup.port is not None:
        outgoing = editing.is_output(editor.graph, popup.port)
        fits = wiring.fitting(editor.graph, editor.inference, popup.port, outgoing=outgoing)
        end = "to" if outgoing else "from"
        found_ends = [
            Line(port, f"{end} {port}", _taken(editor, port))
            for port in sorted(fits)
            if wanted in port.lower()
        ][:MOST]
        if outgoing or wanted:
            return found_ends
        typing = [Line("", "type a value", "in place")]
        wired = _taken(editor, popup.port)
        return [*found_ends, *typing] if wired else [*typing, *found_ends]
    size = box(editor.graph, popup.node)
    found_ports = [(p.name, "output") for p in size.outputs]
    found_ports += [(name, "input") for name in dict.fromkeys(p.name for p in size.inputs)]
    return [
        Line(f"{popup.node}.{name}", f"{popup.node}.{name}", kind)
        for name, kind in found_ports
        if wanted in name.lower()
    ]


def _taken(editor: Editor, port: str) -> str:
    node, name, _ = wiring.ends(port)
    there = editor.graph.inputs(node).get(name, ())
    return f"has {there[0].start}" if there else ""


def _settings(editor: Editor, node: str, text: str) -> list[Line]:
    """Return the settings of a node with their values."""
    wanted = text.strip().lower()
    return [
        Line(name, name, _shown(value))
        for name, value in editor.graph.settings(node).items()
        if wanted in name.lower()
    ]


def _shown(value: object) -> str:
    text = written(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _commands(text: str) -> list[Line]:
    wanted = text.lower().split()
    return [
        Line(command.name, command.title, command.shortcut)
        for command in registry.COMMANDS.values()
        if command.name not in ("palette", "cancel")
        and all(word in f"{command.title} {command.name}".lower() for word in wanted)
    ]


def _nodes(editor: Editor, text: str) -> list[Line]:
    """Return the nodes that a text finds, by id, type or value."""
    wanted = text.strip().lower()
    found_nodes = []
    for key, node in editor.graph.nodes.items():
        if key in editor.hidden:
            continue
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
        return [Line(c.name, c.title, c.shortcut) for c in registry.COMMANDS.values() if c.shortcut]
    if name == "recent":
        return [Line(str(path), path.name, str(path.parent)) for path in editor.recent]
    if name == "differences" and editor.comparison is not None:
        return differing.listed(editor.comparison)
    if name == "samples":
        return [Line(one.name, one.name, one.about) for one in offered()]
    return []


def typed(editor: Editor, text: str) -> Editor:
    """Change the open popup's text."""
    popup = editor.popup
    if isinstance(popup, Searched):
        return replace(editor, popup=replace(popup, text=text, choice=0))
    if isinstance(popup, Editing):
        return replace(editor, popup=replace(popup, text=text, fault=""))
    if isinstance(popup, Ask):
        return replace(editor, popup=replace(popup, text=text, fault=""))
    return editor


def stepped(editor: Editor, by: int) -> Editor:
    """Light the next or previous line."""
    popup, count = editor.popup, len(lines(editor))
    if not count or not isinstance(popup, Listed):
        return editor
    return replace(editor, popup=replace(popup, choice=(popup.choice + by) % count))


def key(editor: Editor, message: Key) -> Editor:
    """Answer a key while a popup is open."""
    match message.name:
        case "Escape":
            return replace(editor, popup=None, leaving=None)
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
        try:
            return _entered(replace(editor, popup=None), popup)
        except NodeflowError as error:  # what was typed stays, with what is allowed
            return replace(editor, popup=replace(popup, fault=_allowed(popup, str(error))))
    if isinstance(popup, Ask):
        return controls.entered(editor, popup)
    there = lines(editor)
    lit = popup.choice if isinstance(popup, Listed) else 0
    at = lit if number is None else number
    if not 0 <= at < len(there):
        return replace(editor, popup=None) if popup else editor
    closed = replace(editor, popup=None)
    return editing.attempted(closed, lambda: _done(closed, popup, there[at].name))


def left(editor: Editor, popup: Editing) -> Editor:
    """Take what was typed when somebody presses elsewhere; what cannot be so stays, with why.

    Escape drops it; a template is repeated by Enter alone.
    """
    closed = replace(editor, popup=None)
    if popup.setting == "repeat":
        return closed
    entered = chosen(editor, None)
    return closed if entered.popup is None and entered.graph == editor.graph else entered


def _done(editor: Editor, popup: Popup | None, name: str) -> Editor:
    match popup:
        case Search(at=at, port=port):
            return _placed(editor, name, at, port)
        case Find():
            return shown(editor, name)
        case Link():
            return _linked(editor, popup, name)
        case Settings(node=node):
            return inplace.opened(editor, node, name)
        case Choices():
            return inplace.entered(editor, popup, name)
        case Panel(name="history"):
            return replace(editor, history=editor.history.to(int(name)))
        case Panel(name="recent"):
            path = next(path for path in editor.recent if str(path) == name)
            return file.leaving(editor, OpenFile(path))
        case Panel(name="samples"):
            return file.leaving(editor, OpenSample(name))
        case Panel(name="differences"):
            return shown(editor, name)
        case Question(about=Rival() as found):
            return differing.resolved(editor, found, name)
        case Question():
            return file.answered(editor, popup, name)
        case _:
            return registry.done(editor, name)


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
    """Select a node and bring it into the middle, inside of the closed group that it lies in."""
    if editor.comparison is None:
        editor = replace(editor, inside=way_to(editor.graph, node))
    view = editor.drawn.nodes.get(node)
    if view is None:  # a lesson hides it, or it is in one of two graphs alone
        return editor
    middle = view.x + view.width / 2, view.y + view.height / 2
    zoom = max(editor.camera.zoom, 0.6)
    camera = Camera(zoom=zoom).centred(middle, editor.size)
    return replace(editor, selection=frozenset([node]), wire=None, camera=camera)


def _entered(editor: Editor, popup: Editing) -> Editor:
    if popup.setting == "id":
        return editing.renamed(editor, popup.node, popup.text)
    if popup.setting == "note":
        return editing.noted(editor, popup.node, popup.text)
    if popup.node in editor.graph.groups:
        return editing.entitled(editor, popup.node, popup.text)
    if popup.setting == "repeat":
        return editing.repeated(editor, popup.text)
    if not popup.node:
        return training.changed(editor, popup.setting, popup.text)
    return inplace.entered(editor, popup, popup.text)


def _allowed(popup: Editing, problem: str) -> str:
    """Return what is wrong with what was typed; the field says already what it is of."""
    where = f"{popup.node or 'training'}."
    return problem.removeprefix(where)


def title(popup: Editing) -> str:
    """Return what is typed into a field, for its head."""
    if popup.setting == "repeat":
        return "repeat: how many in all"
    if not popup.node:
        return f"training: {popup.setting}"
    if popup.port:
        return f"a value for {popup.port}"
    return f"{popup.node}: {'name' if popup.setting == 'id' else popup.setting}"


def _linked(editor: Editor, popup: Link, name: str) -> Editor:
    """Go on to the ports that fit, or draw the wire."""
    if popup.port is None:
        return replace(editor, popup=Link(popup.node, name))
    if not name:
        return inplace.opened_port(editor, popup.port)
    outgoing = editing.is_output(editor.graph, popup.port)
    start, end = (popup.port, name) if outgoing else (name, popup.port)
    graph = wiring.connected(editor.graph, editor.inference, start, end, mode="add")
    return editing.offering(editor, editor.edited(wiring.kept(graph), f"connect {start} to {end}"))

"""Values typed where they stand: what an input port gets, and the setting at a node's foot.

A number typed at a port becomes a `constant` that is wired to it: a graph is nodes and wires, and
what feeds a port is seen.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from nodeflow.boxes import Box, box
from nodeflow.data.bundled import BUNDLED
from nodeflow.data.generators import GENERATORS
from nodeflow.declare import Setting
from nodeflow.derive.steps import free_name
from nodeflow.editor.canvas import editing, vacancy, wiring
from nodeflow.editor.state.camera import Point
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import Choices, Editing
from nodeflow.editor.state.reading import read, written
from nodeflow.errors import BadSetting
from nodeflow.nodes.source import constant
from nodeflow.scene import LEFT

ALLOWED = "a number (3), a fraction (2/3), a row (1, 0) or rows (1, 2; 3, 4)"
_GAP = 40

# --- opening ------------------------------------------------------------------------------------


def opened(editor: Editor, node: str, setting: str) -> Editor:
    """Open a field for a setting of a node, or a list where there are choices."""
    kept = _setting(editor, node, setting)
    if kept is not None and (kept.kind in ("choice", "flag") or setting == "source"):
        names = choices(editor, Choices(node, setting))
        now = text_of(editor, node, setting)
        choice = names.index(now) if now in names else 0
        return replace(editor, popup=Choices(node, setting, choice=choice))
    return replace(editor, popup=Editing(node, setting, text_of(editor, node, setting)))


def opened_port(editor: Editor, port: str) -> Editor:
    """Open a field for what an input port gets: nothing yet, or a constant of its own."""
    node, name, index = wiring.ends(port)
    graph = editor.graph
    type_ = graph.nodes[node].known
    if type_ is None:
        return editor.refused(f"there is no node type '{graph.nodes[node].type}' here to wire")
    if type_.input(name, graph.nodes[node].settings, node).feedback:
        return editor.refused(f"{port} takes a value that was fed back: wire an update to it")
    wires = graph.inputs(node).get(name, ())
    if not wires:
        return replace(editor, popup=Editing(node, "", "", port=port))
    wire = wires[min(index or 0, len(wires) - 1)]
    source = graph.nodes[wire.source]
    if not source.is_typed or (index is None and len(wires) > 1):
        return editor.refused(f"{port} gets {wire.start}: pull its wire off to type a value here")
    if len(graph.out_of(wire.source)) > 1:
        return editor.refused(f"{wire.source} feeds other ports as well: change it on the node")
    text = text_of(editor, wire.source, "value")
    return replace(editor, popup=Editing(wire.source, "value", text, port=port))


def choices(editor: Editor, popup: Choices) -> list[str]:
    """Return what a setting can be, as far as it holds what was typed."""
    setting = _setting(editor, popup.node, popup.setting)
    if setting is None:
        return []
    names = {"flag": ("true", "false"), "text": (*GENERATORS, *BUNDLED)}.get(setting.kind, ())
    wanted = popup.text.strip().lower()
    found = [name for name in setting.choices or names if wanted in name.lower()]
    if setting.kind == "text":
        own = text_of(editor, popup.node, popup.setting)
        if popup.text.strip() and popup.text.strip() not in found:
            return [*found, popup.text.strip()]  # a file
        return found if own in found or wanted else [own, *found]
    return found


def text_of(editor: Editor, node: str, setting: str) -> str:
    """Return a setting as it is typed; a parameter has the numbers of the run."""
    value = editor.graph.settings(node).get(setting)
    if setting == "value" and editor.graph.nodes[node].is_parameter:
        live = editor.live.weights.get(f"{node}.value")
        value = value if live is None else np.asarray(live).tolist()
    if isinstance(value, list | tuple) and np.size(value) == 1:
        value = np.ravel(value).tolist()[0]
    return written(value)


def _setting(editor: Editor, node: str, name: str) -> Setting | None:
    type_ = editor.graph.nodes[node].known if node in editor.graph.nodes else None
    return next((s for s in type_.settings if s.name == name), None) if type_ else None


# --- entering -----------------------------------------------------------------------------------


def entered(editor: Editor, popup: Editing | Choices, text: str) -> Editor:
    """Take what was typed or chosen; raises `NodeflowError` with what is allowed."""
    if isinstance(popup, Editing) and popup.port and not popup.setting:
        return _wired(editor, popup.port, text)
    node, name = popup.node, popup.setting
    if text == text_of(editor, node, name):
        return editor  # looked at, not changed
    setting = _setting(editor, node, name)
    value = read(text, setting.kind if setting is not None else "array")
    if setting is not None and setting.kind == "array":
        value = _alike(editor.graph.settings(node)[name], value)
    return editing.valued(editor, node, name, value)


def _alike(before: Any, value: Any) -> Any:
    """Return a single number in as many brackets as the one before: a value keeps its shape."""
    if isinstance(value, int | float) and before is not None and np.size(before) == 1:
        return np.full(np.shape(before), float(value)).tolist()
    return value


def _wired(editor: Editor, port: str, text: str) -> Editor:
    """Put a constant beside a port and wire it; one step."""
    if not text.strip():
        return editor
    node, name, _ = wiring.ends(port)
    key = free_name(editor.graph.nodes, name)
    value = read(text, "array")
    if isinstance(value, str):
        raise BadSetting(f"'{text.strip()}' cannot be read: type {ALLOWED}")
    graph = editor.graph.add(key, constant.name, value=value)
    graph = editing.placed_at(graph, key, _place(editor, port, box(graph, key)))
    if editor.inside:
        graph = editing.joined(graph, editor.inside[-1], [key])
    inference = replace(editor, history=editor.history.then(graph, "")).inference
    graph = wiring.connected(graph, inference, f"{key}.value", f"{node}.{name}", mode="add")
    return editing.offering(editor, editor.edited(wiring.kept(graph), f"type {node}.{name}"))


def _place(editor: Editor, port: str, size: Box) -> tuple[int, int]:
    """Return where a constant for a port stands: at its side, its output at the port's height."""
    at = editor.drawn.ports.get(port) or editor.drawn.ports[wiring.plain(port)]
    view = editor.drawn.nodes[wiring.ends(port)[0]]
    x = view.x - _GAP - size.width if at.side == LEFT else view.x + view.width + _GAP
    there = x, at.y - size.outputs[0].y
    return vacancy.nearest(editor.drawn.boxes, there, (size.width, size.height))


# --- dragging a number --------------------------------------------------------------------------


def number_of(editor: Editor, node: str, setting: str) -> float:
    """Return the number that a field holds."""
    return float(np.ravel(read(text_of(editor, node, setting), "array"))[0])


def scrubbed(editor: Editor, node: str, name: str, start: float, by: float) -> Any:
    """Return a setting's value after its field was dragged by so many pixels from `start`.

    A step is about a tenth of the number, of a slider its own; whole numbers take longer ways.
    """
    setting = _setting(editor, node, name)
    if setting is None:
        return start
    given = editor.graph.settings(node)
    if setting.kind == "index":
        return max(round(start + by / 12), 0)
    step = 10.0 ** (math.floor(math.log10(abs(start))) - 1) if start else 0.01
    low, high = -math.inf, math.inf
    if setting.range is not None:
        low = low if setting.range.low is None else setting.range.low
        if setting.range.high is not None:
            high = setting.range.high - step * setting.range.open
    if editor.graph.nodes[node].drawn_as == "slider":
        step, low, high = given["step"] or step, given["min"], given["max"]
    value = min(max(start + round(by / 3) * step, low), high)
    # Twelve digits: 0.1 + 0.2 is shown, and saved, as 0.3.
    return _alike(given[name], float(f"{value:.12g}"))


def point(editor: Editor, popup: Editing | Choices) -> tuple[Point, int] | None:
    """Return the canvas point that a field stands at, and to which side of it; 0 is over it."""
    port = popup.port if isinstance(popup, Editing) else ""
    if port:
        at = editor.drawn.ports.get(port) or editor.drawn.ports.get(wiring.plain(port))
        return None if at is None else ((at.x, at.y), at.side)
    view = editor.drawn.nodes.get(popup.node)
    if view is None or view.field is None or view.field.setting != popup.setting:
        return None
    return (view.x + view.field.left, view.y + view.field.top), 0

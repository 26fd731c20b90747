"""What stands at a node's foot: the setting that is changed right there, and the text."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from nodeflow.boxes import FOOT, Box, track
from nodeflow.declare import Array, Setting, numbers
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph, Node
from nodeflow.scene.pieces import FieldView, SliderView
from nodeflow.scene.texts import FEW, counted, shown, sized
from nodeflow.workings.shown import precise, show

NOTE = "note"
"""A node's key in the file for what was written on it."""
_INNER, _NUMBER, _PICTURE, _SWITCH, _CHARACTER = 6, 84, 62, 30, 7.6
"""A field's distance from the edge; widths of one for a number, of a picture, of a character."""
_SHORT = ("number", "choice", "index", "text", "formula")
"""Kinds of settings that are one line long."""
_SIGNS = {"rate": "α", "regularization": "λ", "threshold": ">"}
"""How a setting is written in few letters; what its name is the pointer tells."""


def switch_field(node: Node, size: Box) -> FieldView | None:
    """Return what switches a node off by a click: one that measures the cost again and again."""
    if not node.kind.probes:
        return None
    text = "off" if node.mode == "disable" else "on"
    left = size.width - _INNER - _SWITCH
    return FieldView("", text, "switch", left, 5, _SWITCH, FOOT - 6, first=False, own=False)


def inline_field(graph: Graph, key: str, size: Box) -> FieldView | None:
    """Return the field at a node's foot: at the left what is its value, at the right the rest."""
    setting = _inline_setting(graph, key)
    if setting is None:
        return None
    kind, text = _as_field(setting, graph.settings(key)[setting.name])
    room = size.width - 2 * _INNER
    own = setting.kind in ("number", "array") and graph.type_of(key).family == "source"
    if own:
        width = _NUMBER if kind == "number" else room - _PICTURE
    else:
        if kind == "number":
            text = f"{_SIGNS.get(setting.name, setting.name)} {text}"
        width = min(round(_CHARACTER * (len(text) + 2 * (kind == "list"))) + 10, room)
    first = own or setting.kind in ("text", "formula")
    left = _INNER if first else size.width - _INNER - width
    top = size.height - FOOT + 3
    return FieldView(setting.name, text, kind, left, top, width, FOOT - 6, first, own)


def _as_field(setting: Setting, value: Any) -> tuple[str, str]:
    """Return the kind of a field for a value, and the value as text."""
    if setting.kind == "choice" or setting.name == "source":
        return "list", str(value)
    if setting.kind in ("index", "array"):
        one = value[0] if type(value) is tuple and len(value) == 1 else value
        if type(one) is float:  # large graphs have thousands of these
            return "number", show(one)
        array = numbers(value)
        return ("number" if array.size == 1 else "text"), shown(array)
    if isinstance(value, int | float):
        return "number", precise(value)  # a setting is read as it was typed
    return "text", str(value)


def _inline_setting(graph: Graph, key: str) -> Setting | None:
    """Return the setting that a node has a field for: the first that is short."""
    type_ = graph.nodes[key].known
    if type_ is None or type_.family == "view":
        return None
    try:
        given = graph.settings(key)
    except NodeflowError:
        return None  # the node tells what is wrong with them
    for setting in type_.settings:
        value = given[setting.name]
        if setting.kind == "array" and value is not None:
            return setting if _count(value) <= FEW else None
        if value is not None and setting.kind in _SHORT:
            return setting
    return None


def _count(value: Any) -> int:
    """Return how many numbers an array setting holds."""
    if isinstance(value, tuple):
        return sum(map(_count, value))
    return value.values.size if isinstance(value, Array) else 1


def note(node: Node) -> str:
    """Return what was written on a node; a panel without wires shows it as a note."""
    return str(node.extra.get(NOTE, ""))


def foot_text(graph: Graph, key: str, value: NDArray[Any] | None) -> str:
    """Return what is written at a node's foot: its value, or else what tells most of it."""
    node = graph.nodes[key]
    if node.drawn_as == "knot":
        return ""
    if value is not None:
        return counted(value)[0] if node.kind.counts_hits else shown(value)
    if node.known is None:
        return node.type
    typed = next((one.name for one in node.known.settings if one.kind == "formula"), "")
    if typed:
        return str(node.settings.get(typed, ""))
    if node.holds_data:
        return str(node.settings.get("source", ""))
    if node.known.notes and not graph.into(key):
        return note(node)
    own = node.settings.get("value")
    if own is not None and node.known.family == "source":
        return shown(numbers(own))
    if node.is_parameter and node.settings.get("shape"):
        return sized(tuple(node.settings["shape"]))
    return node.known.formula


def slider(graph: Graph, key: str, size: Box) -> SliderView:
    """Return the track of a slider and its handle."""
    given = graph.settings(key)
    low, high = given["min"], given["max"]
    share = (given["value"] - low) / (high - low or 1.0)
    return SliderView(track(size), float(min(max(share, 0.0), 1.0)))

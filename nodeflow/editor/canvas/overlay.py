"""What the pointer adds to the scene: lit ports, the wire being drawn, the box, the tooltip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from nodeflow.editor.canvas import wiring
from nodeflow.editor.canvas.hits import WIRE_REACH, field_at, wires_at
from nodeflow.editor.state.camera import Point
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.pointer import Boxing, Moving, Wiring
from nodeflow.scene import note, shown
from nodeflow.workings.shown import span

_LISTED = 4
"""Of more numbers the range is told."""


@dataclass(frozen=True)
class Loose:
    """A wire that is being drawn; `state` is free, fits, refused or removes."""

    start: Point
    end: Point
    leaves: int
    state: str


@dataclass(frozen=True)
class Overlay:
    """What lies over the scene; canvas coordinates, except for the tooltip."""

    moved: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """How far nodes that are dragged are from where the scene has them."""
    lit: frozenset[str] = frozenset()
    """Ports that could take the wire."""
    loose: Loose | None = None
    box: tuple[Point, Point] | None = None
    tooltip: tuple[Point, tuple[str, ...]] | None = None
    """A point of the screen, and lines."""


def overlay(editor: Editor) -> Overlay:
    """Return what lies over the scene of an editor."""
    match editor.gesture:
        case Moving(nodes=nodes, by=by):
            return Overlay(moved=dict.fromkeys(nodes, by) if by != (0, 0) else {})
        case Boxing(start=start, end=end):
            return Overlay(box=(start, end))
        case Wiring() as gesture:
            return _wiring(editor, gesture)
        case _:
            return Overlay(tooltip=_tooltip(editor))


def _wiring(editor: Editor, gesture: Wiring) -> Overlay:
    start = editor.drawn.port(gesture.port)
    if start is None:
        return Overlay()
    target = None if gesture.target is None else editor.drawn.port(gesture.target)
    state = "fits" if target else "refused" if gesture.refusal else "free"
    if gesture.mode == "remove":
        state = "removes" if target else "free"
    view = editor.drawn.nodes[wiring.ends(gesture.port)[0]]
    port = next(p for p in (*view.inputs, *view.outputs) if p.address == gesture.port)
    lines = (gesture.refusal,) if gesture.refusal else ()
    return Overlay(
        lit=gesture.fits,
        loose=Loose(start, target or gesture.at, port.side, state),
        tooltip=(editor.pointer, lines) if lines else None,
    )


def _tooltip(editor: Editor) -> tuple[Point, tuple[str, ...]] | None:
    """Return what is told of the port, wire or broken node under the pointer."""
    kind, _, what = editor.hover.partition(":")
    lines: tuple[str, ...] = ()
    if kind == "port":
        lines = _of_port(editor, what)
    elif kind == "wire":
        start = what.partition(" -> ")[0]
        lines = (what.replace(" -> ", " → "), *_value(editor, start), *_bundled(editor, what))
    elif kind == "node" and what in editor.graph.nodes:
        problem = editor.problems.get(what, "")
        texts = (problem, note(editor.graph.nodes[what]))
        lines = tuple(text for text in texts if text) or _of_field(editor, what)
    return (editor.pointer, lines) if lines else None


def _bundled(editor: Editor, wire: str) -> tuple[str, ...]:
    """Return what is told of the bundle under the pointer, if the wire runs in one there."""
    if editor.drawn.bundled(wire) is None:
        return ()
    at = editor.camera.on_canvas(editor.pointer)
    there = wires_at(editor.drawn, at, WIRE_REACH / editor.camera.zoom)
    return (f"1 of {len(there):,} wires: click for the next",) if len(there) > 1 else ()


def _of_field(editor: Editor, node: str) -> tuple[str, ...]:
    """Return what can be done with a node's field, if the pointer is over it."""
    at = editor.camera.on_canvas(editor.pointer)
    seen = node in editor.drawn.nodes and editor.is_near
    field = field_at(editor.drawn, node, at) if seen else None
    if field is None:
        return ()
    if field.kind == "switch":
        return (f"click to switch it {'on' if field.text == 'off' else 'off'}",)
    how = {"number": "click to type, drag to change", "list": "click to choose"}
    return field.setting, how.get(field.kind, "click to type")


def _of_port(editor: Editor, port: str) -> tuple[str, ...]:
    address = wiring.plain(port)
    shape = editor.inference.shapes.get(address)
    node, name, index = wiring.ends(port)
    sources = editor.graph.inputs(node).get(name, ()) if node in editor.graph.nodes else ()
    if shape is None and sources:
        start = sources[min(index or 0, len(sources) - 1)].start
        return (f"{port} ← {start}", *_value(editor, start))
    if shape is None:
        type_ = editor.graph.nodes[node].known if node in editor.graph.nodes else None
        back = type_ is not None and name in type_.feedback
        more = () if back or type_ is None else ("double-click to type a value",)
        return (f"{address}   not wired", *more)
    return (f"{address}   {shape}", *_value(editor, address))


def _value(editor: Editor, address: str) -> tuple[str, ...]:
    live = editor.live
    found = []
    for name, values, age in (
        ("", live.values, live.age(address)),
        ("∂C: ", live.gradients, live.gradient_ages.get(address, "")),
    ):
        value = values.get(address)
        if value is not None:
            numbers = np.asarray(value)
            all_ = f"   {span(numbers)}" if numbers.size > _LISTED else ""
            found.append(f"{name}{shown(numbers)}{all_}" + (f"   ({age})" if age else ""))
    return tuple(found)

"""What the pointer does on the canvas: pan, select, move, draw and take wires."""

from __future__ import annotations

from dataclasses import replace

from nodeflow.boxes import HEADER, SLIDER
from nodeflow.derive.shapes import refusal
from nodeflow.editor.canvas import editing, inplace, vacancy, wiring
from nodeflow.editor.canvas.hits import (
    PORT_REACH,
    SNAP,
    WIRE_REACH,
    field_at,
    nearest_of,
    next_wire,
    node_at,
    nodes_in,
    port_at,
    port_reach,
    wire_at,
    wires_at,
)
from nodeflow.editor.state.camera import Point
from nodeflow.editor.state.messages import Moved, Pressed, Released, Wheel
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.pointer import Boxing, Moving, Panning, Sliding, WireMode, Wiring
from nodeflow.editor.state.popups import Editing, Menu, Search
from nodeflow.graph import Wire
from nodeflow.scene import FieldView

_STILL = 4.0
"""Pixels below which a movement of the pressed pointer is still a click."""


def pressed(editor: Editor, message: Pressed) -> Editor:
    """Begin what a press means: on a port a wire, on a node a move, on the canvas a box."""
    at = editor.camera.on_canvas(message.at)
    editor = replace(editor, pointer=message.at, popup=None)
    if message.button == "middle" or (message.button == "left" and message.alt):
        return replace(editor, gesture=Panning(message.at))
    port = port_at(editor.drawn, at, port_reach(editor.camera.zoom))
    node = node_at(editor.drawn, at)
    if message.button == "right":
        return _menu(editor, message.at, node, at)
    if port is not None and message.clicks == 2 and not port[1]:
        return inplace.opened_port(replace(editor, gesture=None), port[0].address)
    if port is not None:
        return _wire_begun(editor, port[0].address, at, message, outgoing=port[1])
    if node is not None:
        return _node_pressed(editor, node, at, message)
    reach = WIRE_REACH / editor.camera.zoom
    there = wires_at(editor.drawn, at, reach)
    if len(there) == 1 and message.clicks == 2:
        return editing.attempted(editor, lambda: editing.led_through_relay(editor, there[0], at))
    if there:  # each click on a bundle picks its next wire
        wire = next_wire(editor.drawn, at, reach, editor.wire)
        return replace(editor, wire=wire, selection=frozenset(), hover=f"wire:{wire}")
    if message.clicks == 2:
        return replace(editor, popup=Search(at), gesture=None)
    keep = editor.selection if message.shift or message.ctrl else frozenset()
    return replace(editor, selection=keep, wire=None, gesture=Boxing(at, at, keep))


def _menu(editor: Editor, screen: Point, node: str | None, at: Point) -> Editor:
    if node is not None and node not in editor.selection:
        editor = replace(editor, selection=frozenset([node]), wire=None)
    if node is None:
        wire = wire_at(editor.drawn, at, WIRE_REACH / editor.camera.zoom, editor.wire)
        editor = replace(editor, wire=wire, selection=frozenset() if wire else editor.selection)
        if wire is None:
            return replace(editor, popup=Menu(screen, canvas=True), gesture=None)
    return replace(editor, popup=Menu(screen), gesture=None)


def _node_pressed(editor: Editor, node: str, at: Point, message: Pressed) -> Editor:
    editor = replace(editor, wire=None)
    if message.ctrl:
        return replace(editor, selection=editor.selection - {node})
    if message.shift:
        return replace(editor, selection=editor.selection | {node})
    if message.clicks == 2 and node in editor.graph.groups:
        return replace(editor, inside=(*editor.inside, node), selection=frozenset())
    if node not in editor.selection:
        editor = replace(editor, selection=frozenset([node]))
    view = editor.drawn.nodes[node]
    field = _field(editor, node, at)
    switches = field is not None and field.kind == "switch"
    if message.clicks == 2 and view.title and at[1] - view.y <= HEADER and not switches:
        return replace(editor, popup=Editing(node, "id", node), gesture=None)
    if _is_on_track(editor, node, at):
        return _slid(replace(editor, gesture=Sliding(node)), node, at)
    if field is not None and field.kind == "number":
        value = inplace.number_of(editor, node, field.setting)
        return replace(editor, gesture=Sliding(node, field.setting, message.at, value))
    return replace(editor, gesture=Moving(at, editor.selection))


def _field(editor: Editor, node: str, at: Point) -> FieldView | None:
    """Return the field under the pointer, if it is large enough to be read."""
    return field_at(editor.drawn, node, at) if editor.is_near else None


def _is_on_track(editor: Editor, node: str, at: Point) -> bool:
    view = editor.drawn.nodes[node]
    return view.slider is not None and abs(at[1] - view.y - view.slider.track.y) <= SLIDER / 2


def _slid(editor: Editor, node: str, at: Point, *, done: bool = False) -> Editor:
    """Give a slider the value under the pointer, in its steps."""
    view = editor.drawn.nodes[node]
    if view.slider is None:  # nothing else has a track
        return editor
    run = view.slider.track
    share = (at[0] - view.x - run.left) / (run.right - run.left)
    given = editor.graph.settings(node)
    low, high, step = given["min"], given["max"], given["step"]
    value = low + min(max(share, 0.0), 1.0) * (high - low)
    if step:
        value = min(low + round((value - low) / step) * step, high)
    # Twelve digits: 0.1 + 0.2 is shown, and saved, as 0.3.
    value = float(f"{value:.12g}")
    return editing.attempted(
        editor, lambda: editing.valued(editor, node, "value", value, done=done)
    )


def _wire_begun(
    editor: Editor, port: str, at: Point, message: Pressed, *, outgoing: bool
) -> Editor:
    """Draw a wire from a port; one that ends at the pressed input is pulled off it."""
    mode: WireMode = "add" if message.shift else "remove" if message.ctrl else "set"
    taken = None
    if not outgoing and mode == "set":
        node, name, index = wiring.ends(port)
        there = editor.graph.inputs(node).get(name, ())
        if there and (len(there) == 1 or index is not None):
            taken = there[index or 0]
            port, outgoing = taken.start, True
    fits = (
        _wired(editor, port, outgoing=outgoing)
        if mode == "remove"
        else wiring.fitting(editor.graph, editor.inference, port, outgoing=outgoing)
    )
    if taken is not None:
        fits |= {taken.end}
    return replace(
        editor,
        gesture=Wiring(port, outgoing, at, fits, taken=taken, mode=mode),
        wire=None,
        selection=frozenset(),
    )


def _wired(editor: Editor, port: str, *, outgoing: bool) -> frozenset[str]:
    """Return the ports at the other ends of a port's wires."""
    node, name, _ = wiring.ends(port)
    if outgoing:
        return frozenset(
            address
            for wire in editor.graph.out_of(node)
            if wire.output == name
            for address in (
                (wire.end,) if wire.index is None else (wire.end, f"{wire.end}[{wire.index}]")
            )
        )
    return frozenset(wire.start for wire in editor.graph.inputs(node).get(name, ()))


def moved(editor: Editor, message: Moved) -> Editor:
    """Go on with what the pointer is doing, or see what it is over."""
    at = editor.camera.on_canvas(message.at)
    gesture = editor.gesture
    editor = replace(editor, pointer=message.at)
    match gesture:
        case Panning(last=last):
            dx, dy = message.at[0] - last[0], message.at[1] - last[1]
            camera = editor.camera.moved(dx, dy)
            return replace(editor, camera=camera, gesture=Panning(message.at))
        case Moving(start=start):
            by = at[0] - start[0], at[1] - start[1]
            if gesture.by == (0, 0) and max(map(abs, by)) * editor.camera.zoom < _STILL:
                return editor
            return replace(editor, gesture=replace(gesture, by=vacancy.on_grid(by)))
        case Boxing():
            return _boxed(editor, replace(gesture, end=at))
        case Wiring():
            return _wire_drawn(editor, gesture, at)
        case Sliding(setting=""):
            return replace(_slid(editor, gesture.node, at), gesture=gesture)
        case Sliding():
            return _scrubbed(editor, gesture)
        case _:
            return replace(editor, hover=_under(editor, at))


def _scrubbed(editor: Editor, gesture: Sliding, *, done: bool = False) -> Editor:
    """Change the number in a field by how far the pointer is from where it was pressed."""
    node, setting = gesture.node, gesture.setting
    by = editor.pointer[0] - gesture.start[0]
    if not gesture.dragged and abs(by) < _STILL:
        return inplace.opened(editor, node, setting) if done else editor
    value = inplace.scrubbed(editor, node, setting, gesture.value, by)
    made = editing.attempted(
        editor, lambda: editing.valued(editor, node, setting, value, done=done)
    )
    return made if done else replace(made, gesture=replace(gesture, dragged=True))


def _under(editor: Editor, at: Point) -> str:
    port = port_at(editor.drawn, at, port_reach(editor.camera.zoom))
    if port is not None:
        return f"port:{port[0].address}"
    node = node_at(editor.drawn, at)
    if node is not None:
        return f"node:{node}"
    wire = wire_at(editor.drawn, at, WIRE_REACH / editor.camera.zoom, editor.wire)
    return f"wire:{wire}" if wire is not None else ""


def _boxed(editor: Editor, gesture: Boxing) -> Editor:
    """Select what is in the box; drawn from right to left also what it touches."""
    touched = gesture.end[0] < gesture.start[0]
    inside = nodes_in(editor.drawn, gesture.start, gesture.end, touched=touched)
    return replace(editor, gesture=gesture, selection=gesture.keep | inside)


def _wire_drawn(editor: Editor, gesture: Wiring, at: Point) -> Editor:
    """Snap the wire's loose end to a port that fits; say why the one under it does not."""
    zoom = editor.camera.zoom
    target = nearest_of(editor.drawn, at, SNAP / zoom, gesture.fits)
    refused = ""
    over = port_at(editor.drawn, at, port_reach(zoom))
    if over is not None and over[0].address not in gesture.fits:
        target = None
        refused = _reason(editor, gesture, over[0].address, outgoing=over[1])
    elif target is None:
        target = _only_port(editor, gesture, at)
    return replace(editor, gesture=replace(gesture, at=at, target=target, refusal=refused))


def _only_port(editor: Editor, gesture: Wiring, at: Point) -> str | None:
    """Return the port of the node under the pointer that fits, if one does: aim is generous."""
    node = node_at(editor.drawn, at)
    if node is None:
        return None
    found = sorted(address for address in gesture.fits if wiring.ends(address)[0] == node)
    free = [address for address in found if not _has_wire(editor, address)]
    return free[0] if len(free) == 1 else found[0] if len(found) == 1 else None


def _has_wire(editor: Editor, address: str) -> bool:
    node, name, _ = wiring.ends(address)
    return bool(editor.graph.inputs(node).get(name))


def _reason(editor: Editor, gesture: Wiring, over: str, *, outgoing: bool) -> str:
    """Return why a wire cannot go to a port."""
    if over == gesture.port:
        return ""
    if gesture.mode == "remove":
        return f"there is no wire between {gesture.port} and {over}"
    if outgoing == gesture.outgoing:
        both = "outputs" if outgoing else "inputs"
        return f"{gesture.port} and {over} are both {both}: a wire goes from output to input"
    start, end = (gesture.port, over) if gesture.outgoing else (over, gesture.port)
    node, name, _ = wiring.ends(start)
    target, port, _ = wiring.ends(end)
    wire = Wire(node, name, target, port)
    if not editor.graph.feeds_back(wire) and editor.graph.path(target, node) is not None:
        return wiring.loop(editor.graph, wire)
    error = refusal(editor.graph, editor.inference, wire)
    return "" if error is None else str(error)


def released(editor: Editor, message: Released) -> Editor:
    """End what the pointer was doing: only now the graph changes."""
    editor = moved(editor, Moved(message.at)) if editor.gesture else editor
    gesture = editor.gesture
    editor = replace(editor, gesture=None)
    match gesture:
        case Moving(by=(0, 0)):
            return _clicked(editor, message)
        case Moving(nodes=nodes, by=by):
            return editing.attempted(editor, lambda: _dropped(editor, nodes, by, message))
        case Wiring():
            return editing.attempted(editor, lambda: _wire_dropped(editor, gesture))
        case Sliding(setting="", node=node):
            return _slid(editor, node, editor.camera.on_canvas(message.at), done=True)
        case Sliding():
            return _scrubbed(editor, gesture, done=True)
        case _:
            return editor


def _clicked(editor: Editor, message: Released) -> Editor:
    """Select one node of several alone that was clicked; open the field that was."""
    at = editor.camera.on_canvas(message.at)
    node = node_at(editor.drawn, at)
    if node is None or message.shift or message.ctrl:
        return editor
    editor = replace(editor, selection=frozenset([node]))
    field = _field(editor, node, at)
    if field is None:
        return editor
    if field.kind == "switch":
        return editing.with_mode(editor, "disable")
    return inplace.opened(editor, node, field.setting)


def _dropped(
    editor: Editor, nodes: frozenset[str], by: tuple[int, int], message: Released
) -> Editor:
    """Move nodes; one loose node that is dropped on a wire is put into it."""
    made = editing.moved(editor, nodes, by)
    if len(nodes) != 1:
        return made
    (node,) = nodes
    at = editor.camera.on_canvas(message.at)
    there = wires_at(editor.drawn, at, 2 * WIRE_REACH / editor.camera.zoom)
    if len(there) != 1 or node not in editor.graph.nodes:
        return made  # in a bundle it could be put into any
    (wire,) = there
    if not wiring.can_insert(editor.graph, wire, node):
        return made
    return editing.stood_in(made, wire, node)


def _wire_dropped(editor: Editor, gesture: Wiring) -> Editor:
    if gesture.mode == "remove":
        if gesture.target is None:
            return editor
        start, end = _ends(gesture, gesture.target)
        return editor.edited(
            wiring.kept(wiring.disconnected(editor.graph, start, end)), f"remove {start} → {end}"
        )
    if gesture.target is None:
        return _dropped_on_nothing(editor, gesture)
    start, end = _ends(gesture, gesture.target)
    graph = editor.graph
    if gesture.taken is not None:
        if wiring.plain(end) == gesture.taken.end:
            return editor
        graph = wiring.without(graph, gesture.taken)
    mode = "add" if _joins(editor, end) and gesture.mode != "set" else gesture.mode
    graph = wiring.connected(graph, editor.inference, start, end, mode=mode)
    return editing.offering(editor, editor.edited(wiring.kept(graph), f"connect {start} to {end}"))


def _joins(editor: Editor, end: str) -> bool:
    node, name, _ = wiring.ends(end)
    type_ = editor.graph.nodes[node].known
    return type_ is not None and type_.input(name, editor.graph.nodes[node].settings, node).many


def _dropped_on_nothing(editor: Editor, gesture: Wiring) -> Editor:
    """Remove a wire that was pulled off; ask for a new one which node it should go to."""
    if gesture.taken is not None:
        graph = wiring.kept(wiring.without(editor.graph, gesture.taken))
        return editor.edited(graph, f"remove {gesture.taken}")
    if gesture.refusal:
        return editor.refused(gesture.refusal)
    start = editor.drawn.port(gesture.port)
    if start is None or _near(start, gesture.at, editor.camera.zoom):
        return editor
    return replace(editor, popup=Search(gesture.at, port=gesture.port))


def _near(one: Point, other: Point, zoom: float) -> bool:
    return max(abs(one[0] - other[0]), abs(one[1] - other[1])) * zoom < PORT_REACH


def _ends(gesture: Wiring, target: str) -> tuple[str, str]:
    return (gesture.port, target) if gesture.outgoing else (target, wiring.plain(gesture.port))


def wheel(editor: Editor, message: Wheel) -> Editor:
    """Zoom about the pointer; with Shift move sideways, with Ctrl up and down."""
    if message.shift or message.ctrl:
        step = 60.0 * message.clicks
        by = (step, 0.0) if message.shift else (0.0, step)
        return replace(editor, camera=editor.camera.moved(*by))
    return replace(editor, camera=editor.camera.turned(message.clicks, message.at))

"""Edits of the graph: each takes an editor and returns one, with one more step in its history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from nodeflow import files
from nodeflow.boxes import RELAY, box
from nodeflow.declare import CATALOG
from nodeflow.derive.repeating import duplicate_wired, repeat
from nodeflow.derive.steps import free_name
from nodeflow.derive.tidy import tidy
from nodeflow.editor.canvas import aside, shaping, vacancy, wiring
from nodeflow.editor.canvas.vacancy import on_grid
from nodeflow.editor.state.camera import Camera, Point
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.requests import ControlRun
from nodeflow.editor.state.runcommands import SetWeights
from nodeflow.errors import GraphError, NodeflowError
from nodeflow.graph import Graph, Wire, check_id, copy_of, in_order
from nodeflow.nodes.arithmetic import relay
from nodeflow.scene import NOTE, closed_groups

GROUP_COLOURS = ("#8f7cc7", "#4f9d86", "#c98a4b", "#5b8fc9", "#c46a9b", "#8a8f98")


def attempted(editor: Editor, edit: Callable[[], Editor]) -> Editor:
    """Return what an edit makes, or the editor with the reason why it cannot be."""
    try:
        return edit()
    except NodeflowError as error:
        return editor.refused(error)


def placed(editor: Editor, type_: str, at: Point, port: str | None = None) -> Editor:
    """Put a new node onto the canvas, its top left at a point; wire it to `port` if given.

    Where other nodes are it goes to the nearest free room.
    """
    graph = editor.graph
    key = free_name(graph.nodes, type_)
    graph = with_node(graph, key, type_, on_grid(at))
    if port is not None:
        outgoing = is_output(editor.graph, port)
        name = wiring.first_fit(CATALOG[type_], outgoing=outgoing)
        if name is not None:
            ends = (port, f"{key}.{name}") if outgoing else (f"{key}.{name}", port)
            shape = shaping.wanted(editor.graph, editor.inference, port)
            if CATALOG[type_].holds_weights and not outgoing and shape is not None:
                graph = graph.set(key, shape=shape)
            inference = replace(editor, history=editor.history.then(graph, "")).inference
            graph = wiring.connected(graph, inference, *ends)
    if graph.groups and editor.inside:
        graph = joined(graph, editor.inside[-1], [key])
    graph, camera = _with_room(editor, graph, [key])
    made = offering(editor, editor.edited(wiring.kept(graph), f"place {key}"))
    return replace(made, selection=frozenset([key]), wire=None, camera=camera)


def _with_room(editor: Editor, graph: Graph, keys: Iterable[str]) -> tuple[Graph, Camera]:
    """Return the graph with new nodes moved, all alike, to where they cover no other node.

    The camera follows them there, no farther than it must; it stays where they stay.
    """
    left, top, right, bottom = _area(graph, keys)
    x, y = vacancy.nearest(editor.drawn.boxes, (left, top), (right - left, bottom - top))
    if (x, y) == (left, top):
        return graph, editor.camera
    layout = dict(graph.layout)
    for key in keys:
        layout[key] = layout[key][0] + x - left, layout[key][1] + y - top
    wide, high = editor.size
    area = x, y, x + right - left, y + bottom - top
    seen = editor.camera.showing(area, (wide, high - aside.card_high(editor)))
    return replace(graph, layout=layout), seen


def _area(graph: Graph, keys: Iterable[str]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of some nodes."""
    sizes = {key: box(graph, key) for key in keys}
    places = [(*graph.layout[key], size) for key, size in sizes.items()]
    return (
        min(x for x, _, _ in places),
        min(y for _, y, _ in places),
        max(x + size.width for x, _, size in places),
        max(y + size.height for _, y, size in places),
    )


def offering(before: Editor, after: Editor) -> Editor:
    """Return an edited graph with what a new wire brought along, and what it wants since.

    Weights that were given another shape are told; the feedback wire that is missing is offered.
    """
    known = {finding.wire for finding in before.in_vain}
    missing = [one.wire for one in after.in_vain if one.wire and one.wire not in known]
    said = [*_reshaped(before.graph, after.graph)]
    if missing:
        said.append(f"Ctrl+Alt+W draws the wire back: {', '.join(missing)}")
    return after.with_notice("; ".join(said)) if said else after


def _reshaped(before: Graph, after: Graph) -> Iterator[str]:
    """Tell which parameters have another shape than they had."""
    for key in after.parameters:
        if key in before.nodes and before.nodes[key] is not after.nodes[key]:
            shape = after.settings(key)["shape"]
            if shape != before.settings(key)["shape"]:
                yield f"'{key}' is {'×'.join(map(str, shape))} now, to fit what is wired to it"


def with_node(graph: Graph, key: str, type_: str, at: tuple[int, int]) -> Graph:
    """Return the graph with one more node at a place, its nodes in the order of a file."""
    return placed_at(graph.add(key, type_), key, at)


def placed_at(graph: Graph, key: str, at: tuple[int, int]) -> Graph:
    """Return the graph with a place for a new node, its nodes in the order of a file."""
    return replace(graph, nodes=dict(sorted(graph.nodes.items())), layout={**graph.layout, key: at})


def is_output(graph: Graph, port: str) -> bool:
    """Return whether an address is that of an output."""
    node, name, _ = wiring.ends(port)
    type_ = graph.nodes[node].known
    if type_ is None:
        return any(wire.output == name for wire in graph.out_of(node))
    # Only sources read what they make: `next` and `value` differ, so names tell.
    return any(out.name == name for out in type_.outputs) and not any(
        into.name == name for into in type_.ports_in(graph.nodes[node].settings)
    )


def deleted(editor: Editor) -> Editor:
    """Delete the selected wire, or the selected nodes with their wires."""
    if editor.wire is not None:
        graph = wiring.without(editor.graph, editor.wire)
        return editor.edited(graph, f"delete {editor.wire}")
    chosen = sorted(editor.chosen)
    if not chosen:
        return editor
    graph = without_members(editor.graph.remove(*chosen), chosen)
    return editor.edited(graph, f"delete {named(chosen)}")


def without_members(graph: Graph, gone: Iterable[str]) -> Graph:
    """Return the graph with nodes taken out of its groups; an empty group goes."""
    left = set(gone)
    groups = {}
    for key, group in graph.groups.items():
        members = group.get("nodes", ()) if isinstance(group, Mapping) else ()
        stay = [name for name in members if name not in left]
        if len(stay) == len(members):
            groups[key] = group
        elif stay:
            groups[key] = {**group, "nodes": stay}
    return replace(graph, groups=groups)


def named(keys: Iterable[str]) -> str:
    """Return some ids in a few words."""
    found = list(keys)
    return found[0] if len(found) == 1 else f"{len(found)} nodes"


def moved(editor: Editor, nodes: Iterable[str], by: Point, *, key: object = None) -> Editor:
    """Move nodes by so much."""
    layout = dict(editor.graph.layout)
    names = sorted(replace(editor, selection=frozenset(nodes)).chosen & layout.keys())
    for name in names:
        layout[name] = on_grid((layout[name][0] + by[0], layout[name][1] + by[1]))
    if not names or layout == editor.graph.layout:
        return editor
    graph = editor.graph.with_layout(layout)
    return editor.edited(graph, f"move {named(names)}", key=key)


def renamed(editor: Editor, old: str, new: str) -> Editor:
    """Give a node another id; its wires, groups and place stay."""
    new = new.strip()
    if new == old:
        return editor
    check_id(new)
    graph = editor.graph.rename(old, new)
    graph = replace(graph, nodes=dict(sorted(graph.nodes.items())))
    selection = frozenset(new if name == old else name for name in editor.selection)
    made = editor.edited(wiring.kept(graph), f"rename {old} to {new}")
    return replace(made, selection=selection)


def valued(editor: Editor, node: str, setting: str, value: Any, *, done: bool = True) -> Editor:
    """Change a setting; what is dragged without a pause is one step.

    A weight that is set after training belongs to the run, and not to the start that the graph
    has: a file with one weight of then and the others of the start would be a network that never
    was.
    """
    graph = editor.graph.set(node, **{setting: value})
    if setting == "value" and _is_trained(editor, node) and value is not None:
        weights = {f"{node}.value": value}
        said = f"set {node} in this future; the other one stays, and so does the start in the graph"
        # The graph holds the same; that it is another object lets undo find the future left.
        same = replace(editor.graph)
        key = ("set", node, setting)
        made = editor.edited(same, f"set {node}.{setting} in this future", key=key)
        asked = made.asking(
            ControlRun(SetWeights(weights, f"{node}.value set by hand", editor.graph, same))
        )
        return _sealed(asked.with_notice(said)) if done else asked
    if graph == editor.graph:
        return _sealed(editor) if done else editor
    editor = editor.edited(graph, f"set {node}.{setting}", key=("set", node, setting))
    return _sealed(editor) if done else editor


def _is_trained(editor: Editor, node: str) -> bool:
    """Return whether a parameter has another value by now than its start."""
    live = editor.live
    is_parameter = editor.graph.nodes[node].is_parameter
    return is_parameter and live.update > 0 and f"{node}.value" in live.weights


def _sealed(editor: Editor) -> Editor:
    return replace(editor, history=editor.history.sealed())


def noted(editor: Editor, node: str, text: str) -> Editor:
    """Write a note on a node; an empty one takes it off."""
    held = editor.graph.nodes[node]
    extra = {key: value for key, value in held.extra.items() if key != NOTE}
    if text.strip():
        extra[NOTE] = text.strip()
    nodes = {**editor.graph.nodes, node: replace(held, extra=extra)}
    return editor.edited(replace(editor.graph, nodes=nodes), f"note on {node}")


def with_mode(editor: Editor, mode: str) -> Editor:
    """Bypass, disable or freeze the selected nodes; if all are that already, activate them."""
    chosen = sorted(editor.chosen)
    if mode == "freeze":
        chosen = [key for key in chosen if editor.graph.nodes[key].is_parameter]
        if not chosen:
            return editor.refused("only a parameter can be frozen; select one")
    if not chosen:
        return editor.refused(f"select what to {mode}")
    wanted = "active" if all(editor.graph.nodes[key].mode == mode for key in chosen) else mode
    graph = editor.graph
    for key in chosen:
        graph = graph.with_mode(key, wanted)
    return editor.edited(graph, f"{wanted if wanted != 'active' else 'activate'} {named(chosen)}")


# --- copies -------------------------------------------------------------------------------------


def copied(editor: Editor) -> str:
    """Return the selected nodes and the wires between them as the text of a graph file."""
    chosen = editor.chosen
    graph = editor.graph
    part = Graph(
        nodes={key: node for key, node in graph.nodes.items() if key in chosen},
        wires=wiring.between(graph, chosen),
        layout={key: at for key, at in graph.layout.items() if key in chosen},
        folder=graph.folder,
    )
    return files.dumps(part) if chosen else ""


def pasted(editor: Editor, text: str, at: Point) -> Editor:
    """Put the nodes of a graph's text onto the canvas, their top left at a point.

    Where others are they go to the nearest free room, as they stand to each other.
    """
    part = files.loads(text)
    if not part.nodes:
        return editor.refused("there are no nodes in what was copied")
    part = part if part.layout.keys() >= part.nodes.keys() else tidy(part)
    left = min(part.layout[key][0] for key in part.nodes)
    top = min(part.layout[key][1] for key in part.nodes)
    graph, names = editor.graph, {}
    for key in part.nodes:
        names[key] = free_name(graph.nodes, key)
        x, y = part.layout[key]
        graph = replace(
            graph,
            nodes={**graph.nodes, names[key]: copy_of(part.nodes[key])},
            layout={**graph.layout, names[key]: on_grid((at[0] + x - left, at[1] + y - top))},
        )
    wires = [
        replace(wire, source=names[wire.source], target=names[wire.target]) for wire in part.wires
    ]
    graph = replace(
        graph,
        nodes=dict(sorted(graph.nodes.items())),
        wires=in_order([*graph.wires, *wires]),
    )
    graph.validate()
    new = sorted(names.values())
    graph, camera = _with_room(editor, graph, new)
    made = editor.edited(graph, f"paste {named(new)}")
    return replace(made, selection=frozenset(new), camera=camera)


def duplicated(editor: Editor) -> Editor:
    """Copy the selected nodes to the nearest free room."""
    places = [editor.graph.layout[key] for key in editor.chosen if key in editor.graph.layout]
    if not places:
        return editor
    corner = min(x for x, _ in places), min(y for _, y in places)
    return pasted(editor, copied(editor), corner)


def duplicated_wired(editor: Editor) -> Editor:
    """Copy the selected nodes with the wires that come into them."""
    if not editor.chosen:
        return editor
    graph, made = duplicate_wired(editor.graph, editor.chosen)
    new = editor.edited(graph, f"duplicate {named(sorted(editor.chosen))} with wires")
    return replace(new, selection=frozenset(made))


def repeated(editor: Editor, text: str) -> Editor:
    """Have the selected nodes so many times in all, side by side; raises `GraphError`."""
    if not text.strip().isdecimal():
        raise GraphError(f"how many in all is a whole number from 2, not {text!r}")
    graph = repeat(editor.graph, editor.chosen, int(text))
    count = f"repeat {named(sorted(editor.chosen))} {int(text)} times"
    return editor.edited(graph, count)


# --- order --------------------------------------------------------------------------------------


def aligned(editor: Editor, side: str) -> Editor:
    """Align the selected nodes at their left or top."""
    layout = _chosen_layout(editor)
    if len(layout) < 2:
        return editor.refused("select the nodes to align")
    axis = 0 if side == "left" else 1
    edge = min(at[axis] for at in layout.values())
    places = {key: (edge, y) if axis == 0 else (x, edge) for key, (x, y) in layout.items()}
    return _laid(editor, places, f"align {named(places)}")


def distributed(editor: Editor, axis: str) -> Editor:
    """Put equal gaps between the selected nodes, from left to right or from top to bottom."""
    layout = _chosen_layout(editor)
    if len(layout) < 3:
        return editor.refused("select three nodes or more to distribute")
    across = axis == "across"
    place = 0 if across else 1
    order = sorted(layout, key=lambda key: (layout[key][place], key))
    sizes = {key: box(editor.graph, key) for key in order}
    lengths = [sizes[key].width if across else sizes[key].height for key in order]
    start, end = layout[order[0]][place], layout[order[-1]][place]
    gap = (end - start - sum(lengths[:-1])) / (len(order) - 1)
    places, at = {}, float(start)
    for key, length in zip(order, lengths, strict=True):
        x, y = layout[key]
        places[key] = (round(at), y) if across else (x, round(at))
        at += length + gap
    return _laid(editor, places, f"distribute {named(places)}")


def tidied(editor: Editor) -> Editor:
    """Lay out the whole graph, or the selected nodes where they stand."""
    chosen = editor.chosen
    if len(chosen) < 2:
        return editor.edited(tidy(editor.graph), "tidy")
    part = Graph(
        nodes={key: editor.graph.nodes[key] for key in chosen},
        wires=wiring.between(editor.graph, chosen),
    )
    there = _chosen_layout(editor)
    left, top = min(x for x, _ in there.values()), min(y for _, y in there.values())
    places = {key: (x + left, y + top) for key, (x, y) in tidy(part).layout.items()}
    return _laid(editor, places, f"tidy {named(places)}")


def _chosen_layout(editor: Editor) -> dict[str, tuple[int, int]]:
    return {key: at for key, at in sorted(editor.graph.layout.items()) if key in editor.chosen}


def _laid(editor: Editor, places: Mapping[str, tuple[int, int]], label: str) -> Editor:
    graph = editor.graph.with_layout({**editor.graph.layout, **places})
    return editor.edited(graph, label)


# --- groups -------------------------------------------------------------------------------------


def grouped(editor: Editor, *, closed: bool = False) -> Editor:
    """Frame the selected nodes, or with `closed` put them into one box (a subgraph)."""
    nodes = sorted(editor.selection & editor.graph.nodes.keys())
    inner = editor.selection & set(closed_groups(editor.graph)) if closed else frozenset()
    if not nodes and not inner:
        return editor.refused("select the nodes of the group")
    graph = without_members(editor.graph, nodes)
    number = 1
    while f"group{number}" in graph.groups:
        number += 1
    new = f"group{number}"
    group: dict[str, Any] = {"nodes": nodes, "title": f"group {number}"}
    if closed:
        group["closed"] = True
    if editor.inside:
        group["in"] = editor.inside[-1]
    held = {key: {**graph.groups[key], "in": new} for key in inner}
    graph = replace(graph, groups={**graph.groups, **held, new: group})
    return editor.edited(graph, f"{'close' if closed else 'group'} {named([*nodes, *inner])}")


def ungrouped(editor: Editor) -> Editor:
    """Dissolve the groups that hold a selected node; nodes and wires stay."""
    touched = groups_of(editor)
    if not touched:
        return editor.refused("no selected node is in a group")
    groups = {key: group for key, group in editor.graph.groups.items() if key not in touched}
    return editor.edited(replace(editor.graph, groups=groups), "ungroup")


def expanded(editor: Editor) -> Editor:
    """Dissolve the selected closed groups: their nodes stand where the box was, wires kept."""
    gone = editor.selection & set(closed_groups(editor.graph))
    if not gone:
        return editor.refused("select a subgraph to dissolve")
    groups = {
        key: {name: value for name, value in group.items() if name != "in"}
        if isinstance(group, Mapping) and group.get("in") in gone
        else group
        for key, group in editor.graph.groups.items()
        if key not in gone
    }
    nodes = editor.chosen
    made = editor.edited(replace(editor.graph, groups=groups), f"dissolve {named(sorted(gone))}")
    return replace(made, selection=nodes)


def members(graph: Graph, group: str) -> frozenset[str]:
    """Return the nodes of a group."""
    held = graph.groups.get(group)
    names = held.get("nodes", ()) if isinstance(held, Mapping) else ()
    return frozenset(name for name in names if name in graph.nodes)


def joined(graph: Graph, group: str, keys: Iterable[str]) -> Graph:
    """Return the graph with nodes put into a group."""
    held = graph.groups[group]
    nodes = sorted({*held.get("nodes", ()), *keys})
    return replace(graph, groups={**graph.groups, group: {**held, "nodes": nodes}})


def led_through_relay(editor: Editor, wire: Wire, at: Point) -> Editor:
    """Lead a wire through a new relay at a point."""
    key = free_name(editor.graph.nodes, relay.name)
    graph = with_node(editor.graph, key, relay.name, on_grid((at[0] - RELAY, at[1] - RELAY / 2)))
    if editor.inside:
        graph = joined(graph, editor.inside[-1], [key])
    graph = wiring.kept(wiring.inserted(graph, wire, key))
    made = editor.edited(graph, f"lead {wire} through {key}")
    return replace(made, selection=frozenset([key]), wire=None)


def entitled(editor: Editor, group: str, title: str) -> Editor:
    """Give a group another title."""
    held = {**editor.graph.groups[group], "title": title.strip() or group}
    graph = replace(editor.graph, groups={**editor.graph.groups, group: held})
    return editor.edited(graph, f"entitle {title.strip()}")


def coloured(editor: Editor) -> Editor:
    """Give the groups of the selected nodes the next colour."""
    touched = groups_of(editor)
    if not touched:
        return editor.refused("select a node of the group")
    groups = dict(editor.graph.groups)
    for key in touched:
        now = groups[key].get("colour", "")
        after = GROUP_COLOURS.index(now) + 1 if now in GROUP_COLOURS else 0
        groups[key] = {**groups[key], "colour": GROUP_COLOURS[after % len(GROUP_COLOURS)]}
    return editor.edited(replace(editor.graph, groups=groups), "colour the group")


def groups_of(editor: Editor) -> list[str]:
    """Return the groups that hold a selected node, or are selected."""
    return [
        key
        for key in editor.graph.groups
        if key not in editor.inside
        and (members(editor.graph, key) & editor.chosen or key in editor.selection)
    ]


def stood_in(editor: Editor, wire: Wire, node: str) -> Editor:
    """Put a node that was dropped on a wire into it, and make room for it."""
    graph = wiring.inserted(editor.graph, wire, node)
    return editor.edited(wiring.kept(graph), f"insert {node}")

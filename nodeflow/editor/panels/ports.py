"""What the inspector says of the ports of the node that is selected: shape, value, and its age."""

from __future__ import annotations

import numpy as np

from nodeflow.editor.state.model import Editor
from nodeflow.scene import shown
from nodeflow.workings.shown import span

MOST = 12
"""The most ports that are listed."""
_LISTED = 4


def ports_of(editor: Editor, node: str) -> tuple[str, ...]:
    """Return the names of a node's ports, each once."""
    known = editor.graph.nodes[node].known
    if known is None:
        return ()
    names = [p.name for p in (*known.ports_in(editor.graph.settings(node)), *known.outputs)]
    return tuple(dict.fromkeys(names[:MOST]))


def port_text(editor: Editor, node: str, name: str) -> str:
    """Return what is known of a port: what it gets, its shape, and its value with its age."""
    wires = editor.graph.inputs(node).get(name, ())
    if not wires and not _is_output(editor, node, name):
        return f"{name}   {_unwired(editor, node, name)}"
    start = wires[0].start if wires else f"{node}.{name}"
    shape = editor.inference.shapes.get(start)
    value = editor.live.values.get(start)
    more = f" and {len(wires) - 1} more" if len(wires) > 1 else ""
    arrow = f" ← {start}{more}" if wires else ""
    text = f"{name}{arrow}" + (f"   {shape}" if shape is not None else "")
    if value is not None:
        age = editor.live.age(start)
        numbers = np.asarray(value)
        told = shown(numbers)
        told += f"   {span(numbers)}" if numbers.size > _LISTED else ""
        text += f"\n    {told}" + (f"\n    ({age})" if age else "")
    return text


def _is_output(editor: Editor, node: str, port: str) -> bool:
    known = editor.graph.nodes[node].known
    return known is not None and any(output.name == port for output in known.outputs)


def _unwired(editor: Editor, node: str, name: str) -> str:
    """Return what a port without a wire waits for."""
    known = editor.graph.nodes[node].known
    if known is None:
        return "not wired"
    port = known.input(name, editor.graph.settings(node), node)
    if port.feedback:
        return "not wired: a feedback wire would end here"
    if port.optional:
        return "not wired, and need not be"
    needs = "takes several wires" if port.many else "needs a wire, or a value"
    return f"not wired: it {needs}"

"""The reference: a page a node type, made from its declaration and from what it says when asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import nodeflow as nf
from nodeflow.declare import CATALOG, Made, NodeType, Output, Port, Setting
from nodeflow.derive.rules import ask
from nodeflow.errors import NodeflowError
from nodeflow.graph import Graph
from nodeflow.shape import Signature
from website.examples import example

FAMILIES = {
    "source": "Sources", "layer": "Layers", "activation": "Activations",
    "arithmetic": "Arithmetic", "cost": "Costs", "backward": "The backward pass",
    "update": "Updates", "trainer": "Trainers", "view": "Views",
}  # fmt: skip


def index() -> str:
    """Return the page that lists all types, and leads to theirs."""
    lines = [
        "# Node types", "",
        "Values have the shape (samples, features): n is the number of samples. `…` marks an input "
        "that takes several wires in their order, `?` one that may be left out.", "",
    ]  # fmt: skip
    for family, title in FAMILIES.items():
        types = [CATALOG[name] for name in CATALOG if CATALOG[name].family == family]
        lines += [f"## {title}", "", "| type | inputs → outputs | formula |", "| --- | --- | --- |"]
        for type_ in types:
            lines.append(
                f"| [{type_.name}]({type_.name}.md) | {_signature(type_)} "
                f"| {_cell(type_.formula)} |"
            )
        lines.append("")
    lines += ["```{toctree}", ":hidden:", "", *CATALOG, "```", ""]
    return "\n".join(lines)


def page(type_: NodeType) -> str:
    """Return a type's page."""
    graph = example(type_.name)
    lines = [f"# {type_.name}", "", *_formula(type_), *_prose(type_.help), ""]
    lines += [*_ports(type_), *_settings(type_), *_blame(type_), *_python(type_), *_errors(type_)]
    lines += [
        "## At work", "",
        f"{_told(graph, type_)} Step it with → and change what it computes with.", "",
        "```{raw} html",
        f'<iframe class="live" loading="lazy" src="../live/type-{type_.name}.html" '
        f'title="{type_.name} in a graph that computes"></iframe>',
        "```", "",
        f'<a href="../live/type-{type_.name}.html">Open it on its own</a>', "",
    ]  # fmt: skip
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")


def _formula(type_: NodeType) -> list[str]:
    return ["```text", type_.formula, "```", ""] if type_.formula else []


def _prose(text: str) -> list[str]:
    """Return a docstring as Markdown: nothing in it but backticks has a meaning."""
    parts = re.split(r"(`[^`]+`)", text)
    return ["".join(p if p.startswith("`") else _cell(p).replace("<", "\\<") for p in parts)]


def _signature(type_: NodeType) -> str:
    inputs = "the names in it" if type_.dynamic_inputs else ", ".join(map(str, type_.inputs))
    return f"{inputs} → {', '.join(map(str, type_.outputs))}".strip()


def _ports(type_: NodeType) -> Iterator[str]:
    shapes = _shapes(type_)
    yield from ("## Ports and shapes", "", "| port | | shape here |", "| --- | --- | --- |")
    ports: Sequence[tuple[str, Port]] = [
        *(("input", port) for port in type_.inputs),
        *(("output", port) for port in type_.outputs),
    ]
    for kind, port in ports:
        notes = [kind]
        if port.many:
            notes.append("takes several wires")
        if port.optional:
            notes.append("may be left out")
        if port.feedback:
            notes.append("fed by the update before")
        yield f"| `{port.name}` | {', '.join(notes)} | {shapes.get(port.name, '')} |"
    if type_.dynamic_inputs:
        yield "| the names in its formula | inputs | |"
    yield ""
    if isinstance(type_.shapes, Signature):
        yield _signed(type_.shapes)
        yield ""


def _signed(shapes: Signature) -> str:
    if shapes.elementwise:
        return "The inputs meet number by number: a size of 1 is repeated, a row for each sample."
    said = f"{', '.join(shapes.inputs)} → {', '.join(shapes.outputs)}"
    return f"Shapes: `{said}`, where n is the sample axis."


def _shapes(type_: NodeType) -> dict[str, str]:
    """Return the shapes that the ports have in the example."""
    graph = example(type_.name)
    key = graph.of_type(type_.name)[0]
    plan = nf.Run(graph).plan
    known, found = plan.inference.shapes, {}
    for port in type_.outputs:
        if f"{key}.{port.name}" in known:
            found[port.name] = str(known[f"{key}.{port.name}"]) or "a number"
    for wire in plan.graph.into(key):
        if wire.start in known:
            found.setdefault(wire.input, str(known[wire.start]) or "a number")
    return found


def _settings(type_: NodeType) -> Iterator[str]:
    if not type_.settings:
        return
    yield from ("## Settings", "", "| setting | is | at first |", "| --- | --- | --- |")
    for setting in type_.settings:
        yield f"| `{setting.name}` | {_allowed(setting)} | {_default(setting)} |"
    yield ""


_KINDS = {
    "number": "a number", "integer": "a whole number", "flag": "true or false", "text": "a text",
    "formula": "a formula", "array": "a number, a list of numbers, or a list of rows",
    "shape": "a shape, such as [5, 7]", "index": "a feature's number from 0, or a list of them",
    "target": "a column's name or number, or a list of them",
}  # fmt: skip


def _allowed(setting: Setting) -> str:
    if setting.kind == "choice":
        return "one of " + ", ".join(f"`{each}`" for each in setting.choices)
    return _KINDS[setting.kind] + (f" {setting.range}" if setting.range else "")


def _default(setting: Setting) -> str:
    return "none" if setting.default is None else f"`{setting.default}`"


def _blame(type_: NodeType) -> Iterator[str]:
    yield from ("## Blame", "")
    if type_.rule is None:
        yield type_.no_backward or "It stops here: nothing behind this node is trained through it."
    else:
        made = _backward_types(type_)
        said = ", ".join(f"[{name}]({name}.md)" for name in made)
        yield f"It passes, by {said}." if made else "It passes, by a rule of its own."
    yield ""


def _backward_types(type_: NodeType) -> list[str]:
    """Return the types of the nodes that a type's rule makes, asked with wires of its example."""
    graph = example(type_.name)
    key = graph.of_type(type_.name)[0]
    shapes = nf.Run(graph).plan.inference.shapes
    given: dict[str, Any] = {
        port.name: Output(key, port.name, shapes.get(f"{key}.{port.name}"))
        for port in type_.outputs
    }
    for port in type_.ports_in(graph.settings(key)):
        wires = [Output(wire.source, wire.output, shapes.get(wire.start))
                 for wire in graph.inputs(key).get(port.name, ())]  # fmt: skip
        given[port.name] = tuple(wires) if port.many else wires[0] if wires else None
    named = {"inputs": given} if type_.dynamic_inputs else given
    blame = Output("blame", "value", next(iter(shapes.values())))
    try:
        parts = ask(type_.rule, blame, named, graph.settings(key)).values()
    except (NodeflowError, TypeError, AttributeError):
        return []
    found: set[str] = set()
    for part in parts:
        try:
            _collect(part() if callable(part) else part, found)
        except (NodeflowError, TypeError, AttributeError):
            continue
    return sorted(name for name in found if name in CATALOG and name != "constant")


def _collect(part: Any, found: set[str]) -> None:
    """Add the types of a wire's node, and of those before it."""
    for each in part if isinstance(part, list | tuple) else (part,):
        if isinstance(each, Output) and isinstance(each.node, Made):
            found.add(each.node.type.name)
            for wires in each.node.inputs.values():
                _collect(wires, found)


def _python(type_: NodeType) -> Iterator[str]:
    given = [f"{port.name}1, {port.name}2" if port.many and type_.joined != port.name
             else port.name for port in type_.inputs
             if not port.feedback and not port.optional]  # fmt: skip
    settings = [f"{s.name}={s.default!r}" for s in type_.settings[:3]]
    yield from ("## In Python", "", "```python")
    yield f"nf.{type_.name}({', '.join([*given, *settings])})"
    yield from ("```", "")
    if type_.aliases:
        yield f"Search finds it as {', '.join(type_.aliases)} too."
        yield ""


# --- errors -------------------------------------------------------------------------------------


def _errors(type_: NodeType) -> Iterator[str]:
    found = list(dict.fromkeys(_sentences(type_)))
    if not found:
        return
    yield from ("## When it is refused", "")
    for sentence in found:
        yield f"- {_cell(sentence)}"
    yield ""


def _sentences(type_: NodeType) -> Iterator[str]:
    """Yield what is said about a missing wire, a wrong name, a setting and a shape out of range."""
    graph = example(type_.name)
    if any(not (port.optional or port.feedback) for port in type_.inputs):
        yield from _said(lambda: nf.Run(Graph().add("node", type_.name)))
    beside = Graph().add("node", type_.name).add("x", "constant", value=1.0)
    yield from _said(lambda: beside.connect("x.value", "node.nothing"))
    for setting in type_.settings:
        wrong = _wrong(setting)
        if wrong is not None:
            yield from _said(
                lambda name=setting.name, value=wrong: Graph().add(
                    "node", type_.name, **{name: value}
                )
            )
    if graph.into(graph.of_type(type_.name)[0]):
        # A width that passes through, as in an activation, is refused by another node.
        key = graph.of_type(type_.name)[0]
        said = _said(lambda: nf.Run(_misshapen(graph, type_)))
        yield from (each for each in said if f"'{key}" in each)


def _said(act: Any) -> Iterator[str]:
    try:
        act()
    except NodeflowError as error:
        yield str(error)


def _wrong(setting: Setting) -> Any:
    if setting.kind == "choice":
        return "nothing"
    if setting.range is not None:
        return next((v for v in (-1.0, 2.0, 1e9) if not setting.range.holds(v)), None)
    return {"number": "text", "flag": "maybe", "array": [[1], [2, 3]], "shape": [0]}.get(
        setting.kind
    )


def _misshapen(graph: Graph, type_: NodeType) -> Graph:
    """Return a graph with a value of another width before the node."""
    key = graph.of_type(type_.name)[0]
    wire = next(iter(graph.into(key)))
    wider = graph.add("wider", "constant", value=[[1.0, 2.0, 3.0, 4.0, 5.0]] * 2)
    end = wire.end
    return wider.disconnect(wire.start, end).connect("wider.value", end)


def _told(graph: Graph, type_: NodeType) -> str:
    own = graph.name in ("", type_.name)
    return "A small graph that has one." if own else f"In the graph “{graph.name}”."

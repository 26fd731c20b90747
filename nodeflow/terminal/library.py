"""The library of node types, as a list and one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from nodeflow.terminal import look
from nodeflow.terminal.look import WIDE, print_inset, table

if TYPE_CHECKING:
    from nodeflow.declare import NodeType, Port, Setting

_HELP_WIDTH = 40


def _ports(ports: Iterable[Port]) -> str:
    return ", ".join(map(str, ports))


def _signature(type_: NodeType) -> str:
    inputs = "(its names)" if type_.dynamic_inputs else _ports(type_.inputs)
    return f"{inputs} → {_ports(type_.outputs)}".strip()


def show_library(types: Sequence[NodeType]) -> None:
    """Print the library by family: name, ports, formula, and help where there is room."""
    out = look.console()
    for number, (family, group) in enumerate(groupby(types, key=lambda type_: type_.family)):
        members = list(group)
        if number:
            out.print()
        out.print(Text(family, style="bold"))
        columns = [
            [type_.name for type_ in members],
            [_signature(type_) for type_ in members],
            [type_.formula for type_ in members],
            [type_.help.partition("\n")[0] for type_ in members],
        ]
        longest = [max(map(len, column)) for column in columns]
        names, ports = max(16, longest[0]), max(18, longest[1])
        room = out.width - names - ports - 10
        formulas = min(longest[2], max(room - _HELP_WIDTH, 20) if out.width >= WIDE else room)
        about = room - formulas - 2
        rows = table("type", "ports", "formula", heading=False)
        if out.width >= WIDE and about >= 20:
            rows.add_column("help", no_wrap=True, overflow="ellipsis", style="dim")
        widths = (names, ports, formulas, about)
        for column, width in zip(rows.columns, widths, strict=False):
            column.width = width
        rows.columns[0].style = "cyan"
        for cells in zip(*columns, strict=True):
            rows.add_row(*map(Text, cells[: len(rows.columns)]))
        print_inset(out, rows)
    out.print()
    out.print(Text("… takes several wires, ? may be left unwired; nodeflow nodes TYPE tells more",
                   style="dim"))  # fmt: skip


def show_types(types: Sequence[NodeType]) -> None:
    """Print all there is to know about each type."""
    out = look.console()
    for number, type_ in enumerate(types):
        if number:
            out.print()
        _show_type(out, type_)


def _show_type(out: Console, type_: NodeType) -> None:
    out.print(Text.assemble((type_.name, "bold cyan"), (f"  {type_.family}", "dim")))
    print_inset(out, Text(type_.formula))
    out.print()
    for paragraph in type_.help.split("\n\n"):
        print_inset(out, Text(" ".join(paragraph.split())))
        out.print()
    rows = table("", "", heading=False)
    rows.columns[0].style = "dim"
    ports = "the names in its formula" if type_.dynamic_inputs else _described(type_.inputs)
    rows.add_row("inputs", Text(ports))
    rows.add_row("outputs", Text(_described(type_.outputs)))
    width = max((len(setting.name) for setting in type_.settings), default=0)
    for place, setting in enumerate(type_.settings):
        rows.add_row("settings" if not place else "", _setting(setting, width))
    rows.add_row("blame", Text(_blame(type_)))
    if type_.aliases:
        rows.add_row("found as", Text(", ".join(type_.aliases)))
    print_inset(out, rows)


def _described(ports: Sequence[Port]) -> str:
    if not ports:
        return "none"
    notes = []
    for port in ports:
        what = [
            word
            for word, given in (
                ("several wires", port.many),
                ("fed back", port.feedback),
                ("optional", port.optional and not port.feedback),
            )
            if given
        ]
        notes.append(port.name + (f" ({', '.join(what)})" if what else ""))
    return ", ".join(notes)


_KINDS = {
    "number": "a number",
    "integer": "a whole number",
    "flag": "true or false",
    "text": "a text",
    "array": "a number, a row or rows of numbers",
    "shape": "one or two sizes",
    "index": "a feature's number, or several",
    "target": "a column's name or number, or several",
}


def _setting(setting: Setting, width: int) -> Text:
    allowed = " | ".join(setting.choices) or _KINDS.get(setting.kind, setting.kind)
    if setting.range is not None:
        allowed += f" {setting.range}"
    default = setting.default
    if isinstance(default, bool):
        default = str(default).lower()
    text = Text.assemble(f"{setting.name:<{width}}", ("  " + allowed, "dim"))
    return text if default is None else text + Text(f", {default} by default", style="dim")


def _blame(type_: NodeType) -> str:
    if type_.family == "trainer":
        return "starts here, from the cost"
    if type_.rule is not None:
        through = sorted(type_.rules_through)
        with_ = f"; in one step with {', '.join(through)} before it" if through else ""
        return "passes, by a rule" + with_
    if not type_.inputs and not type_.dynamic_inputs:
        return "ends here: it has no inputs"
    if not type_.outputs:
        return "none reaches it: it has no outputs"
    return "stops here: " + (type_.no_backward or "it has no rule")

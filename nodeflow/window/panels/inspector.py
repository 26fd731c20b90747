"""The inspector at the right: what is selected, and its settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from nodeflow.declare import Setting
from nodeflow.editor.panels.ports import port_text, ports_of
from nodeflow.editor.panels.reports import account, reported
from nodeflow.editor.panels.working import working
from nodeflow.editor.state.faults import Mistyped
from nodeflow.editor.state.messages import Message, Mistype, SetValue
from nodeflow.editor.state.model import Editor
from nodeflow.editor.update import refusal
from nodeflow.equality import identical
from nodeflow.fonts import REGULAR
from nodeflow.theme import THEMES, Theme
from nodeflow.window.canvas.overlayitems import wrapped
from nodeflow.window.panels.fields import Field
from nodeflow.window.platform.colours import rgba
from nodeflow.window.platform.fonts import SIZE, Fonts
from nodeflow.window.platform.pace import gone_on
from nodeflow.window.platform.toolkit import Item, dpg

_MOST = 12
_FORMULA = 18
"""Size of formulas; all else is written at 15."""
_EDGES = 34
"""What the panel's edges and its scroll bar take of its width."""


class Inspector:
    """Shows one selected node with its settings, or what is selected in a few words."""

    def __init__(self, parent: Item, send: Callable[[Message], None], fonts: Fonts) -> None:
        self._parent, self._send, self._fonts = parent, send, fonts
        self._window = dpg.get_item_parent(parent)
        with dpg.font_registry():
            self._formula = dpg.add_font(str(REGULAR), _FORMULA)
        self._of: tuple[object, ...] = ()
        self._scale = 1.0
        self._fields: dict[str, Field] = {}
        self._values: dict[str, Item] = {}
        self._live: tuple[object, ...] = ()
        self._telling: Iterator[object] | None = None
        """What is being told, a piece each: all of it is of one editor, and is seen at once."""
        self.busy = False
        """Whether the next frame shows values that were not told yet."""
        self._working: Item | None = None
        self._account: Item | None = None
        self._problem = ""
        self._problem_text: Item | None = None
        self._ports: Item | None = None
        self._node = ""
        self._editor: Editor | None = None

    def draw(self, editor: Editor) -> None:
        """Show what is selected in an editor."""
        self._editor = editor
        graph = editor.graph
        chosen = sorted(editor.selection & graph.nodes.keys())
        node = chosen[0] if len(chosen) == 1 else ""
        type_ = graph.nodes[node].type if node else ""
        of = (
            node, type_, chosen, editor.preferences.theme, editor.preferences.scale,
            str(editor.wire),
            None if chosen
            else (graph.name, len(graph.nodes), len(graph.wires), reported(editor, "")),
        )  # fmt: skip
        if of != self._of:
            self._of = of
            self._scale = editor.preferences.scale
            self._build(editor, node, chosen)
            self.busy = bool(node)
        elif node:
            self._refresh(editor, node)
            self._tell(editor, node)
        else:
            self.busy = False

    def _tell(self, editor: Editor, node: str) -> None:
        """Show the settings and values of a node; what takes its time is shared out over frames."""
        live = (
            editor.live.values, editor.live.ages, editor.graph.nodes, editor.graph.wires,
            editor.graph.training, editor.neuron, editor.report,
        )  # fmt: skip
        same = identical(live, self._live)
        if self._telling is None and not same:
            self._live, self._telling = live, self._told(editor, node)
            same = True
        if self._telling is not None:
            self._telling = gone_on(self._telling)
        if same and self._telling is None:
            self._show_settings(editor, node)
        self.busy = self._telling is not None or not same

    def _show_settings(self, editor: Editor, node: str) -> None:
        settings = editor.graph.settings(node) if editor.graph.nodes[node].known else {}
        for name, field in self._fields.items():
            field.show(_present(editor, node, name, settings.get(name)), self._mistake)

    def typing(self) -> bool:
        """Return whether a field takes keys."""
        return any(field.active for field in self._fields.values())

    def _refresh(self, editor: Editor, node: str) -> None:
        """Show another problem or other ports of the same node: what is being typed stays."""
        problem = editor.problems.get(node, "")
        if problem != self._problem and self._problem_text is not None:
            self._problem = problem
            text = self._broken(f"! {problem}", self._scale, SIZE) if problem else ""
            dpg.set_value(self._problem_text, text)
            dpg.configure_item(self._problem_text, show=bool(text))
        ports = ports_of(editor, node)
        if ports != tuple(self._values) and self._ports is not None:
            dpg.delete_item(self._ports, children_only=True)
            faint = rgba(THEMES[editor.preferences.theme].faint)
            self._values = {
                name: dpg.add_text("", parent=self._ports, wrap=0, color=faint) for name in ports
            }
            self._live, self._telling = (), None  # what was half told is of the ports before

    def _build(self, editor: Editor, node: str, chosen: list[str]) -> None:
        theme = THEMES[editor.preferences.theme]
        for field in self._fields.values():
            field.close()
        dpg.delete_item(self._parent, children_only=True)
        self._fields, self._values, self._live, self._node = {}, {}, (), node
        self._working = self._account = self._telling = None
        self._problem, self._problem_text, self._ports = "", None, None
        if not node:
            self._without_node(editor, chosen, theme)
            return
        known = editor.graph.nodes[node].known
        self._title(node)
        self._text(editor.graph.nodes[node].type, theme.faint)
        self._account = dpg.add_text("", parent=self._parent, wrap=0, color=rgba(theme.backward))
        self._problem_text = dpg.add_text(
            "", parent=self._parent, wrap=0, color=rgba(theme.problem), show=False
        )
        if known is None:
            self._refresh(editor, node)
            return
        self._large(known.formula, theme.text)
        self._working = self._large("", theme.selected)
        first, *more = (_plain(part) for part in known.help.split("\n\n"))
        self._text(first, theme.faint)
        if more:
            with dpg.tree_node(label="more", parent=self._parent):
                for part in more:
                    dpg.add_text(part, wrap=0, color=rgba(theme.faint))
        for setting in known.settings:
            value = editor.graph.settings(node).get(setting.name)
            note = f"{setting.name}\n{setting.range}" if setting.range else setting.name
            self._fields[setting.name] = Field(
                self._labelled(setting, note, theme), setting,
                _present(editor, node, setting.name, value), partial(self._enter, setting.name),
                self._keep, rgba(theme.problem),
            )  # fmt: skip
        dpg.add_spacer(height=4, parent=self._parent)
        dpg.add_separator(parent=self._parent)
        self._ports = dpg.add_group(parent=self._parent)
        self._refresh(editor, node)

    def _labelled(self, setting: Setting, note: str, theme: Theme) -> Item:
        """Write a setting's name, and return where its field goes: beside it, a table below."""
        if setting.kind == "array":
            dpg.add_text(note, parent=self._parent, color=rgba(theme.faint))
            return self._parent
        with dpg.table(parent=self._parent, header_row=False, policy=dpg.mvTable_SizingStretchProp):
            dpg.add_table_column(init_width_or_weight=0.4)
            dpg.add_table_column(init_width_or_weight=0.6)
            with dpg.table_row():
                dpg.add_text(note, color=rgba(theme.faint), wrap=0)
                place: Item = dpg.add_group()
        return place

    def _told(self, editor: Editor, node: str) -> Iterator[None]:
        """Tell the formula with its numbers, and shape and value of each port, in pieces."""
        formula = said = ""
        if self._working is not None:
            formula = working(editor, node)
            yield
            formula = self._broken(formula, editor.preferences.scale)
            yield
        if self._account is not None:
            said = "\n".join(filter(None, (account(editor, node), reported(editor, node))))
            said = self._broken(said, editor.preferences.scale, SIZE)
            yield
        values = {}
        for name in self._values:
            values[name] = port_text(editor, node, name)
            yield
        for item, text in ((self._working, formula), (self._account, said)):
            if item is not None:
                dpg.set_value(item, text)
                dpg.configure_item(item, show=bool(text))
        for name, text in values.items():
            dpg.set_value(self._values[name], text)

    def _without_node(self, editor: Editor, chosen: list[str], theme: Theme) -> None:
        graph = editor.graph
        if chosen:
            self._title(f"{len(chosen)} nodes")
            names = ", ".join(chosen[:_MOST]) + (" …" if len(chosen) > _MOST else "")
            self._text(names, theme.faint)
        elif editor.wire is not None:
            self._title("wire")
            self._text(str(editor.wire).replace("->", "→"), theme.text)
        else:
            self._title(graph.name or "untitled")
            self._text(f"{len(graph.nodes)} nodes, {len(graph.wires)} wires", theme.faint)
            if report := reported(editor, ""):
                self._text(report, theme.backward)
            if graph.about:
                self._text(graph.about, theme.text)

    def _title(self, text: str) -> None:
        item = dpg.add_text(text, parent=self._parent, wrap=0)
        if self._fonts.bold is not None:
            dpg.bind_item_font(item, self._fonts.bold)

    def _text(self, text: str, colour: str) -> None:
        text = self._broken(text, self._scale, SIZE)
        dpg.add_text(text, parent=self._parent, wrap=0, color=rgba(colour))

    def _large(self, text: str, colour: str) -> Item:
        """Write a formula: it is read sign by sign."""
        item: Item = dpg.add_text(text, parent=self._parent, wrap=0, color=rgba(colour))
        dpg.bind_item_font(item, self._formula)
        return item

    def _broken(self, text: str, scale: float, size: float = _FORMULA) -> str:
        """Return a text in lines; the toolkit itself would break numbers at their points."""
        wide = dpg.get_item_width(self._window) / scale - _EDGES
        font = self._fonts.regular
        if wide <= 0:
            return text
        lines = (wrapped(line, font, wide / size) for line in text.split("\n"))
        return "\n".join(part for found in lines for part in found)

    def _enter(self, name: str, value: Any) -> str:
        """Have a setting changed, or return why it cannot be."""
        change = SetValue(self._node, name, value)
        fault = "" if self._editor is None else refusal(self._editor, change)
        if not fault:
            self._send(change)
        return fault.removeprefix(f"{self._node}.{name} ")

    def _keep(self, name: str, mistake: Mistyped | None) -> None:
        self._send(Mistype(self._node, name, mistake))

    def _mistake(self, name: str) -> Mistyped | None:
        return None if self._editor is None else self._editor.mistyped.get((self._node, name))


def _present(editor: Editor, node: str, setting: str, value: Any) -> Any:
    """Return what a setting is now: the numbers of a parameter are those of the run."""
    if setting == "value" and editor.graph.nodes[node].is_parameter:
        return editor.live.weights.get(f"{node}.value", value)
    return value


def _plain(text: str) -> str:
    return text.replace("\n", " ").replace("`", "")

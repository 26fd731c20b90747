"""A window for the tests: it tells each state of its editor as a line of JSON."""

import faulthandler
import hashlib
import json
import os
import random
import signal
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import nodeflow as nf
from nodeflow.editor.state.live import Live
from nodeflow.editor.state.messages import Key, RunUpdate
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.preferences import Preferences
from nodeflow.editor.state.requests import ControlRun
from nodeflow.errors import NodeflowError
from nodeflow.files import dumps
from nodeflow.files.writer import NEWEST
from nodeflow.graph import Graph
from nodeflow.routing import along
from nodeflow.window import app
from nodeflow.window.platform import drops
from nodeflow.window.platform.fonts import EM
from nodeflow.window.platform.toolkit import dpg

FAULTS = os.environ.get("NODEFLOW_TEST_FAULTS", "")
BRIEF = bool(os.environ.get("NODEFLOW_TEST_BRIEF", ""))
"""Whether little is told of each frame: all of it takes longer than the frame itself."""
SLOW = float(os.environ.get("NODEFLOW_TEST_SLOW", "0"))
"""So many seconds longer does a frame take in the mean: each another time."""


def _tell(what):
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


class Shell:
    """Does nothing but tell what it was asked for."""

    def __init__(self, first):
        self._first = list(first)

    def perform(self, request, _editor):
        asked = request.command if isinstance(request, ControlRun) else request
        _tell({"request": type(asked).__name__})
        return []

    def poll(self, _editor, **_more):
        first, self._first = self._first, []
        return first

    def keep(self, _editor):
        pass

    def recent(self):
        return []

    def left_behind(self):
        return []


def _place(item):
    """Return where an item is on the screen: left, top, width, height; None if it is nowhere."""
    state = dpg.get_item_state(item)
    if not state.get("visible"):
        return None
    return [*state["rect_min"], *state["rect_size"]]


class Watched(app.Window):
    """Tells its editor's state whenever it has drawn it, and where things are when they move."""

    _last = None
    _digest = None, ""
    _menu = None
    _listed = (), []

    def step(self):
        time.sleep(SLOW * random.random() * 2)
        super().step()
        told = self._state()
        if told == self._last:
            _tell({"frame": "as before"})
        else:
            self._last = told
            _tell(told)

    def _pause(self):
        _tell({"frame": "asleep"})
        return super()._pause()

    def _draw(self):
        if "draw" in FAULTS and self.editor.selection == {"train"}:
            raise ValueError("drawn on purpose")
        super()._draw()

    def _state(self):
        editor, area = self.editor, self.frame.area
        if editor.graph is not self._digest[0]:
            # A graph that was never saved has no version yet; what counts is what it holds.
            try:
                text = dumps(replace(editor.graph, version=NEWEST))
            except NodeflowError:  # its arrays lie in a file beside it
                text = str(editor.graph)
            self.__dict__["_digest"] = editor.graph, hashlib.sha256(text.encode()).hexdigest()
        brief = {
            "area": [area.x, area.y, area.width, area.height],
            "camera": [editor.camera.x, editor.camera.y, editor.camera.zoom],
            "nodes": {
                key: [view.x, view.y, view.width, view.height]
                for key, view in list(editor.drawn.nodes.items())[:200]
            },
            "digest": self._digest[1],
            "popup": type(editor.popup).__name__,
            "theme": editor.preferences.theme,
            "view": editor.view,
            "undo": editor.history.at,
            "busy": self.canvas.busy,
            "undrawn": self._undrawn(),
            "sheet": self.dialogs.shown,
            "path": str(editor.path or ""),
        }
        return brief if BRIEF else brief | self._more()

    def _more(self):
        """Return what single tests look at."""
        editor, live = self.editor, self.editor.live
        return {
            "selection": sorted(editor.selection),
            "ports": {
                port.address: [port.x, port.y]
                for view in list(editor.drawn.nodes.values())[:50]
                for port in (*view.inputs, *view.outputs)
            },
            "wires": [str(wire) for wire in editor.graph.wires[:50]],
            "wire": str(editor.wire or ""),
            "routed": editor.drawn.is_routed,
            "trunks": [
                [*along(stroke.curve, 0.5), len(stroke.wires), stroke.text]
                for stroke in editor.drawn.strokes
                if stroke.part == "trunk"
            ],
            "count": [len(editor.graph.nodes), len(editor.graph.wires)],
            "settings": {
                key: {name: str(value) for name, value in node.settings.items()}
                for key, node in list(editor.graph.nodes.items())[:50]
            },
            "modes": {
                key: node.mode for key, node in editor.graph.nodes.items() if node.mode != "active"
            },
            "report": [] if editor.report is None else list(editor.report.lines),
            "checks": dict(live.checks),
            "training": [editor.graph.training.epochs, editor.graph.training.seed],
            "text": getattr(editor.popup, "text", ""),
            "hover": editor.hover,
            "gesture": type(editor.gesture).__name__,
            "notice": editor.notice.text if editor.notice else "",
            "problem": live.problem,
            "marked": {
                key: view.problem
                for key, view in list(editor.drawn.nodes.items())[:200]
                if view.problem
            },
            "ready": self.popups.ready,
            "drawn": len(self.canvas._nodes),
            "sheet_ready": self.dialogs.ready,
            "line": getattr(self.dialogs._sheet, "_lit", None),
            "dropped": bool(self.dialogs.shown) and drops.dropped() is not None,
            "sheet_state": self._sheet_state(),
            "sheet_file": getattr(self.dialogs._sheet, "_file", ""),
            "sheet_measure": self._sheet_measure(),
            "live": [live.state, live.epoch],
            "cost": live.history[-1]["cost"] if live.history else None,
            "changed": editor.changed,
            "task": None if live.lesson is None else live.lesson.index,
            "said": "" if live.lesson is None else live.lesson.said,
            "tasks": len(editor.graph.extra.get("lesson", {}).get("tasks", ())),
            "making": editor.lesson is not None and editor.lesson.making,
            "restricted": {
                name: list(editor.graph.extra.get("lesson", {}).get(name, ()))
                for name in ("locked", "hidden", "types")
            },
            "typing": self._typing(),
            "focus": self._focus(),
            "told": self._told_of_node(),
            "ages": dict(list(live.ages.items())[:50]),
            "offer": editor.offer.text if editor.offer else "",
            "neuron": editor.neuron,
            "node_text": self._node_text(),
            "wire_text": self._wire_text(),
            "view_text": self._view_text(),
            "map": self._map(),
            "map_text": self._map_text(),
            "curve": [
                list(dpg.get_axis_limits(self.training._cost._x)),
                _place(self.training._cost.item),
            ],
            "faults": {name: field.fault for name, field in self.training._typed.items()},
            "typed": self._typed_fields(),
            "card": bool(dpg.is_item_shown(self.card.panel)),
            "playback": self._playback(),
            "values": {
                address: value.ravel().tolist()
                for address, value in (list(live.values.items())[:40])
                if value.size <= 10
            },
            "faces": {
                key: dpg.get_item_configuration(items.foot.item)["text"]
                for key, items in list(self.canvas._nodes.items())[:50]
                if items.foot is not None
            },
            "places": self._places(),
        }

    def _sheet_measure(self):
        results = getattr(self.dialogs._sheet, "_results", None)
        return "" if results is None else results.measure

    def _sheet_state(self):
        item = getattr(self.dialogs._sheet, "_state", None)
        return dpg.get_value(item) if item is not None and dpg.does_item_exist(item) else ""

    def _told_of_node(self):
        """Return what the panel writes about the selected node: formula, account and ports."""
        panel = self.inspector
        items = [panel._working, panel._account, *panel._values.values()]
        return [dpg.get_value(item) for item in items if item and dpg.does_item_exist(item)]

    def _typed_fields(self):
        """Return what stands in the fields of the panels, and what is wrong with it."""
        fields = dict(self.training._typed)
        for field in self.inspector._fields.values():
            fields.update(zip(field._names, field._typed, strict=False))
        return {name: [dpg.get_value(one.item), one.fault] for name, one in fields.items()}

    def _map(self):
        """Return what is written about each neuron of the map, and where its dot is."""
        panel = self.frame.map
        if self.editor.view != "map" or not panel._items.dots:
            return {}
        found = {}
        left, top = dpg.get_item_pos(panel._canvas)
        for number, neuron in enumerate(panel._map.neurons):
            if neuron.number is None:
                continue
            items = panel._items
            texts = [dpg.get_item_configuration(part[number])["text"] for part in
                     (items.numbers, items.below, items.beside)]  # fmt: skip
            x, y = panel._camera.on_screen((neuron.x, neuron.y))
            found[f"{neuron.column} {neuron.number + 1}"] = [left + x, top + y, *texts]
        return found

    def _map_text(self):
        """Return how large the smallest text of the map is, in pixels of the screen."""
        items = self.frame.map._items
        if self.editor.view != "map" or not items.dots:
            return 0.0
        texts = [*items.numbers, *items.below, *items.beside, *(one.item for one in items.texts)]
        shown = [dpg.get_item_configuration(item) for item in texts if item]
        return min(one["size"] for one in shown if one["text"]) / EM

    def _node_text(self):
        """Return how large the smallest text that is fitted to a node is, in pixels."""
        texts = [
            text
            for items in list(self.canvas._nodes.values())[:8]
            if items.fine_shown
            for text in (*items.titles, *items.texts)
            if text.room
        ]
        return min(
            (dpg.get_item_configuration(text.item)["size"] / EM for text in texts), default=0
        )

    def _view_text(self):
        """Return how large the smallest word inside of views is, in pixels; 0 where there is none.

        Words that are left out do not count.
        """
        words = [
            dpg.get_item_configuration(text.item)
            for items in list(self.canvas._nodes.values())[:50]
            if items.fine_shown and items.view.view is not None
            for text in items.texts
            if text.fine
        ]
        return min((one["size"] / EM for one in words if one["show"]), default=0)

    def _wire_text(self):
        """Return how large the values on wires are, in pixels; 0 where there are none."""
        labels = self.canvas._labels
        shown = labels._items[: labels._shown]
        return dpg.get_item_configuration(shown[0][1])["size"] / EM if shown else 0

    def _undrawn(self):
        """Return the nodes in view that the toolkit does not show though nothing is waiting."""
        canvas, editor = self.canvas, self.editor
        if canvas.busy or editor.view == "map":
            return []
        (left, top), (right, bottom) = map(editor.camera.on_canvas, ((0, 0), editor.size))
        kept = canvas._nodes if canvas._is_near else canvas._flats
        return [
            key
            for key, view in editor.drawn.nodes.items()
            if view.x < right and view.x + view.width > left
            and view.y < bottom and view.y + view.height > top
            and not (key in kept and dpg.is_item_shown(kept[key].root))
        ]  # fmt: skip

    def _focus(self):
        """Return the field of slow motion that takes the keys, and whether it is ringed."""
        panel = self.playpanel
        fields = {"watch": panel.watches.entry, "condition": panel.stops.entry}
        if panel.asking.entry is not None:
            fields["answer"] = panel.asking.entry
        for name, entry in fields.items():
            if dpg.does_item_exist(entry.item) and entry.active:
                return [name, bool(dpg.get_item_theme(entry.item))]
        return ["", False]

    def _playback(self):
        playback = self.editor.live.playback
        question, mark, fault = playback.question, playback.mark, playback.condition_fault
        return {
            "number": playback.number,
            "predicting": playback.predicting,
            "node": playback.node,
            "reason": playback.reason,
            "place": playback.place,
            "breakpoints": sorted(playback.breakpoints),
            "per_epoch": playback.per_epoch,
            "tokens": self.canvas._motion._shown,
            "question": None if question is None else [question.node, question.name],
            "mark": None if mark is None else [mark.right, mark.expected, mark.given],
            "watched": list(playback.watched),
            "conditions": list(playback.conditions),
            "fault": None if fault is None else [fault.text, fault.position],
            "futures": [playback.future, *(future.what for future in playback.futures)],
            "differences": len(playback.differences),
        }

    def _places(self):
        """Return where a person would click."""
        found = {}
        for row in self._rows(self.library._list):
            found[f"library {dpg.get_item_user_data(row)}"] = _place(row)
        for name, field in self.inspector._fields.items():
            for number, item in enumerate(field.items):
                found[f"field {name}{number or ''}"] = _place(item)
        panel = self.training
        for name, field in panel._typed.items():
            found[f"training {name}"] = _place(field.item)
        for name, item in (("slider", panel._slider), ("play", panel._play)):
            found[f"training {name}"] = _place(item)
        found["training Check"] = _place(panel._check)
        found["card close"] = _place(self.card.close)
        for name, item in self.timeline.buttons.items():
            found[f"timeline {name}"] = _place(item)
        bars = _place(self.timeline.bars)
        for name in ("whole", "fine") if bars else ():
            bar = getattr(self.timeline, f"_{name}")
            found[f"bar {name}"] = [bars[0] + bar.left, bars[1] + bar.top, bar.wide, bar.high]
        for name, item in self._play_items():
            found[f"play {name}"] = _place(item)
        for name, item in self.lesson.items.items():
            found[f"lesson {name}"] = _place(item)
        for number, row in enumerate(self.popups._rows):
            found[f"popup {number}"] = _place(row)
        for menu in self._menus():
            x = dpg.get_item_pos(menu)[0]
            found[f"menu {dpg.get_item_label(menu)}"] = [x + 4, 4, 20, 18]
            # The toolkit does not tell where its items are: a line each, below the bar. A menu
            # that is open has the focus.
            if not dpg.get_item_state(menu).get("focused"):
                continue
            for number, item in enumerate(dpg.get_item_children(menu, 1)):
                found[f"menu {dpg.get_item_label(item)}"] = [x + 20, 34 + 21 * number, 60, 16]
        sheet = self.dialogs._sheet
        if sheet is not None and dpg.does_item_exist(sheet.window):
            for item, kind in self._below(sheet.window):
                if kind.endswith(("mvButton", "mvSelectable")):
                    # A line has a sign, or spaces that are as wide.
                    label = dpg.get_item_label(item).translate({0x2002: "  ", 0x2006: ""})
                    found[f"sheet {label}"] = _place(item)
        return {name: place for name, place in found.items() if place}

    def _play_items(self):
        """Yield what is clicked in the panel of slow motion."""
        for button in self.tabs.buttons:
            yield f"tab {dpg.get_item_label(button)}", button
        if self.tabs.chosen != 1:
            return
        panel = self.playpanel
        yield "predict", panel.predict
        if panel.asking.entry is not None:
            yield "answer", panel.asking.entry.item
        for word, button in panel.asking.words.items():
            yield word, button
        for _, label, _ in panel.log.rows:
            if dpg.get_item_user_data(label) is not None:
                yield f"log {dpg.get_item_user_data(label)}", label
        yield "watch", panel.watches.entry.item
        yield "condition", panel.stops.entry.item
        for name, cross in panel.stops.crosses.items():
            yield f"forget {name}", cross
        for number, (title, _, compare) in enumerate(panel.futures.rows):
            yield f"future {number}", title
            yield f"compare {number}", compare

    def _menus(self):
        if self._menu is None:
            found = [i for i in dpg.get_all_items() if dpg.get_item_type(i).endswith("::mvMenu")]
            self.__dict__["_menu"] = found
        return self._menu

    def _rows(self, item):
        """Return what can be chosen below an item; asked again where what is below it changed."""
        children = tuple(dpg.get_item_children(item, 1))
        if self._listed[0] != children:
            found = [row for row, kind in self._below(item) if kind.endswith("mvSelectable")]
            self.__dict__["_listed"] = children, found
        return self._listed[1]

    def _below(self, item):
        """Yield all that is below an item, with its kind; a call tells both and what is below."""
        for child in dpg.get_item_children(item, 1):
            info = dpg.get_item_info(child)
            yield child, info["type"]
            if info["children"].get(1):
                yield from self._below(child)


def lived(graph, epochs):
    """Return the message of a run that was trained for some epochs."""
    run = nf.Run(graph)
    run.train(epochs=epochs)
    values = {}
    for key, node in graph.nodes.items():
        for port in node.known.outputs:
            try:
                values[f"{key}.{port.name}"] = run[f"{key}.{port.name}"]
            except nf.NodeflowError:
                continue
    history = tuple(run.history)
    return RunUpdate(
        Live(values=values, state="paused", epoch=len(history), history=history,
             weights=run.weights)
    )  # fmt: skip


def faulty(update):
    """Return `update` with a fault: F9 raises."""

    def raising(editor, message):
        if isinstance(message, Key) and message.name == "F9":
            raise RuntimeError("pressed on purpose")
        return update(editor, message)

    return raising


def main(file="", epochs="0"):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # of tests in the background, too
    faulthandler.register(signal.SIGUSR1)  # a test asks where a window is that shows no frame
    app.Window = Watched
    if FAULTS:
        app.update = faulty(app.update)
    if os.environ.get("NODEFLOW_TEST_REAL"):
        app.display.reason = lambda: None  # that has tests of its own, and takes its time
        wide, high = os.environ.get("NODEFLOW_TEST_SIZE", "1600x1000").split("x")
        app.run = partial(app.run, size=(int(wide), int(high)))
        sys.exit(app.main(Path(file) if file else None))
    graph = nf.load(file) if file else Graph()
    scale = float(os.environ.get("NODEFLOW_TEST_SCALE", "1"))
    theme = os.environ.get("NODEFLOW_TEST_THEME", "dark")
    editor = Editor.of(
        graph, Path(file) if file else None, preferences=Preferences(theme=theme, scale=scale)
    )
    first = [lived(graph, int(epochs))] if int(epochs) else []
    sys.exit(app.run(editor, shell=Shell([*first]), size=(1600, 1000), probe=False))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Whatever opens, enumerated from the code: by mouse alone and by keys alone, alike.

The list is held against the code by `make test`; the window itself takes minutes, so it runs where
NODEFLOW_SAMPLES asks for it: `make test-samples`.
"""

import importlib
import os
import pkgutil
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import pytest
from helpers_window import ROOT, wait_for

import nodeflow as nf
from nodeflow.declare import CATALOG
from nodeflow.editor.commands.registry import COMMANDS
from nodeflow.editor.dialogs.popups import lines
from nodeflow.editor.playing.controls import PROMPTS
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import Ask, Menu, Palette, Popup

slow = pytest.mark.skipif(
    not os.environ.get("NODEFLOW_SAMPLES"), reason="takes minutes: make test-samples"
)


@dataclass(frozen=True)
class Way:
    """How something opens: by keys, and by the mouse; what is done in a row."""

    keys: tuple
    mouse: tuple
    field: bool = False
    """Whether it has a field, which must have the keys then."""
    cancel: str = ""
    """What is clicked to leave it; else the canvas beside it is."""


def chord(*names):
    return lambda hand: hand.mouse.key(*names)


def menu(name, line):
    return lambda hand: hand.menu(name, line)


def palette(title):
    return lambda hand: hand.palette(title)


def by_keys(node):
    return lambda hand: hand.find(node)


def right(node, title):
    return lambda hand: hand.context(node, title)


def click(node, dx, dy, times=1, button=1):
    return lambda hand: hand.click(node, dx, dy, times, button)


def setting(name):
    return lambda hand: hand.choose(name)


def asked_question(hand):
    hand.ask_a_question()


def changed(hand):
    hand.change()


POPUPS = {
    "Search": Way((chord("Tab"),), (menu("Edit", "Add a node …"),), field=True),
    "Palette": Way((chord("p", "Control_L", "Shift_L"),), (menu("Help", "All commands …"),), True),
    "Find": Way((chord("f", "Control_L"),), (menu("Edit", "Find …"),), True),
    "Link": Way((by_keys("hidden"), chord("w")), (right("hidden", "Draw a wire …"),), True),
    "Settings": Way((by_keys("train"), chord("s")), (right("train", "Change a setting …"),), True),
    "Menu": Way((), (click("hidden", 30, 13, button=3),)),
    "Panel shortcuts": Way((chord("F1"),), (menu("Help", "Shortcuts"),)),
    "Panel history": Way((chord("h", "Control_L"),), (menu("Edit", "History …"),)),
    "Panel recent": Way((chord("o", "Control_L", "Shift_L"),), (menu("File", "Open recent …"),)),
    "Panel samples": Way((palette("Samples"),), (menu("File", "Samples …"),)),
    "Editing": Way((by_keys("hidden"), chord("F2")), (click("hidden", 30, 13, times=2),), True),
    "Choices": Way(
        (by_keys("theta1"), chord("s"), setting("init")), (click("theta1", -30, -12),), True
    ),
    "Ask moment": Way((chord("g"),), (menu("Play", "Go to a moment …"),), True),
    "Ask condition": Way((chord("F9", "Shift_L"),), (menu("Play", "Stop when …"),), True),
    "Ask answer": Way(
        (asked_question, chord("Escape"), chord("a")),
        (asked_question, menu("Play", "Answer the question …")),
        True,
    ),
    "Question": Way(
        (changed, chord("n", "Control_L")), (changed, menu("File", "New graph")), cancel="last"
    ),
}
"""Of each kind of popup, and of each thing that a panel lists or a player asks."""
EDITED = {
    "name": Way((by_keys("hidden"), chord("F2")), (right("hidden", "Rename"),), True),
    "note": Way((by_keys("hidden"), chord("t")), (right("hidden", "Write a note on it …"),), True),
    "template": Way(
        (by_keys("hidden"), chord("r", "Control_L", "Shift_L")),
        (right("hidden", "Repeat as a template …"),),
        True,
    ),
    "setting": Way(
        (by_keys("train"), chord("s"), setting("momentum")), (click("train", -24, -12),), True
    ),
    "epochs": Way((palette("Set epochs"),), (menu("Network", "Set epochs …"),), True),
    "batch": Way((palette("Set batch"),), (menu("Network", "Set batch …"),), True),
    "seed": Way((palette("Set seed"),), (menu("Network", "Set seed …"),), True),
    "rate": Way((palette("Set learning rate"),), (menu("Network", "Set learning rate …"),), True),
}
"""What is typed in a field over the canvas."""
SHEETS = {
    "FileSheet open": Way((chord("o", "Control_L"),), (menu("File", "Open …"),), True),
    "FileSheet save": Way(
        (chord("s", "Control_L", "Shift_L"),), (menu("File", "Save as …"),), True
    ),
    "FileSheet compare": Way((palette("Compare with"),), (menu("File", "Compare with …"),), True),
    "ExportSheet": Way((chord("e", "Control_L", "Shift_L"),), (menu("File", "Export …"),)),
    "Wizard": Way((chord("n", "Control_L", "Shift_L"),), (menu("File", "New network …"),), True),
    "SweepSheet": Way(
        (chord("m", "Control_L"),), (menu("Network", "Many runs …"),), True, cancel="Close"
    ),
}
ELSEWHERE = {
    "Recoveries": "test_what_a_crash_left_is_answered_by_either_hand",
    "Panel differences": "test_what_differs_is_listed_by_either_hand",
    "Ask task": "test_a_teacher_makes_a_lesson_and_does_it",
}


def _types():
    for popup in get_args(Popup):
        if popup.__name__ == "Panel":
            from nodeflow.window.dialogs.popups import _TITLES

            yield from (f"Panel {name}" for name in _TITLES)
        elif popup is Ask:
            yield from (f"Ask {what}" for what in PROMPTS)
        else:
            yield popup.__name__


def _sheets():
    import nodeflow.window.dialogs as package
    from nodeflow.window.dialogs.sheets import Sheet

    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return {sheet.__name__ for sheet in Sheet.__subclasses__()}


def test_the_list_has_all_that_opens() -> None:
    assert {*POPUPS, *ELSEWHERE} - _sheets() == set(_types())
    assert {key.partition(" ")[0] for key in SHEETS} | (_sheets() & ELSEWHERE.keys()) == _sheets()
    journeys = Path(__file__).with_name("test_journeys.py").read_text("utf-8")
    for name in ELSEWHERE.values():
        assert name in globals() or f"def {name}(" in journeys


def test_what_the_right_button_offers_has_a_key_or_is_in_the_palette() -> None:
    """So a menu that the mouse opens holds nothing that keys alone could not do."""
    editor = Editor.of(nf.sample("xor"))
    everything = {line.name for line in lines(replace(editor, popup=Palette()))}
    for popup in (Menu((0.0, 0.0)), Menu((0.0, 0.0), canvas=True)):
        offered = {line.name for line in lines(replace(editor, popup=popup))}
        assert offered
        assert offered <= everything
    # And each command has a place in a menu, or a key that leads nowhere but where a click does.
    without = {name for name, command in COMMANDS.items() if not command.menu}
    assert without == {
        "cancel", "toggle-training", "select-left", "select-right", "select-above", "select-below",
    }  # fmt: skip


class Hand:
    """A mouse and a keyboard at a window."""

    def __init__(self, window, mouse):
        self.window, self.mouse = window, mouse

    @property
    def nowhere(self):
        left, top, wide, high = self.window.state["area"]
        return left + wide * 0.3, top + high * 0.78

    def rest(self):
        """Go on from where one began: all of the graph in view, the pointer where nothing is."""
        self.mouse.move(*self.nowhere)
        self.window.settled()
        self.mouse.key("Home")
        self.window.until(lambda _: self.window.sees("hidden"))
        self.window.settled()

    def menu(self, name, line):
        for _ in range(4):
            self.mouse.click(*self.window.wait(f"menu {name}"))
            try:
                self.window.wait(f"menu {line}", 5)
                break
            except AssertionError:  # on a machine that is busy with other things
                self.rest()
        self.mouse.click(*self.window.wait(f"menu {line}"))

    def _type(self, text):
        self.window.until(lambda state: state["ready"])
        self.mouse.write(text)
        self.window.until(lambda state: state["text"] == text)

    def palette(self, title):
        self.mouse.key("p", "Control_L", "Shift_L")
        self.window.until(lambda state: state["popup"] == "Palette")
        self._type(title.lower())
        self.mouse.key("Return")
        self.window.until(lambda state: state["popup"] != "Palette")

    def find(self, node):
        self.mouse.key("f", "Control_L")
        self.window.until(lambda state: state["popup"] == "Find")
        self._type(node)
        self.mouse.key("Return")
        self.window.until(lambda state: state["selection"] == [node])

    def choose(self, name):
        self.window.until(lambda state: state["popup"] == "Settings" and not state["text"])
        self._type(name)
        self.mouse.key("Return")

    def point(self, node, dx, dy):
        x, y, wide, high = self.window.state["nodes"][node]
        return self.window.on_screen(x + (dx if dx > 0 else wide + dx),
                                     y + (dy if dy > 0 else high + dy))  # fmt: skip

    def click(self, node, dx, dy, times, button):
        self.mouse.click(*self.point(node, dx, dy), button, times=times)

    def context(self, node, title):
        self.mouse.click(*self.point(node, 30, 13), 3)
        self.window.until(lambda state: state["popup"] == "Menu")
        self.window.settled()
        editor = Editor.of(nf.sample("xor"), popup=Menu((0.0, 0.0)), selection=frozenset([node]))
        number = [line.text for line in lines(editor)].index(title)
        row = self.window.wait("popup 0")
        for _ in range(12):  # until the line is in view
            _, y = self.window.wait(f"popup {number}")
            if y < self.window.state["area"][1] + self.window.state["area"][3] - 30:
                break
            self.mouse.wheel(*row, -3)
            self.window.settled()
        self.mouse.click(*self.window.wait(f"popup {number}"))

    def ask_a_question(self):
        if self.window.state["playback"]["question"] is None:
            if not self.window.state["playback"]["predicting"]:
                self.mouse.key("p", "Shift_L")
                self.window.until(lambda state: state["playback"]["predicting"])
            self.mouse.key("F12", "Control_L")
            self.window.until(lambda state: state["playback"]["question"])
        self.window.settled()

    def change(self):
        if not self.window.state["changed"]:
            self.find("train")
            self.mouse.key("Right")
            self.window.until(lambda state: state["changed"])


@pytest.fixture
def hand(started, home, mouse):
    folder = home / "work"
    shutil.copy(ROOT / "graphs" / "xor.json", folder)
    window = started(folder / "xor.json")
    window.until(lambda state: state["count"] == [12, 13] and state["live"][0] == "still")
    made = Hand(window, mouse)
    made.rest()
    return made


def closed(state):
    return state["popup"] == "NoneType" and not state["sheet"]


def opened_as(name):
    kind = name.partition(" ")[0]
    if kind in {"FileSheet", "ExportSheet", "Wizard", "SweepSheet"}:
        return lambda state: bool(state["sheet"])
    if name in EDITED or kind == "Editing":
        return lambda state: state["popup"] == "Editing"
    return lambda state: state["popup"] == kind


@slow
@pytest.mark.parametrize("ways", [POPUPS, EDITED, SHEETS], ids=["popups", "edited", "sheets"])
def test_it_opens_has_the_keys_and_closes_by_either_hand(hand, shot, ways) -> None:
    for name, way in ways.items():
        seen = [by_hand(hand, shot, name, way, how) for how in ("keys", "mouse")]
        assert len(set(filter(None, seen))) == 1, name


def by_hand(hand, shot, name, way, how):
    """Open something, see that its field has the keys, and leave it; return what it was."""
    window, is_open = hand.window, opened_as(name)
    steps = way.keys if how == "keys" else way.mouse
    for step in steps:
        step(hand)
        window.settled(3)
    if not steps:
        return None
    window.until(is_open)
    if way.field:  # what is typed goes there, whoever opened it
        window.until(lambda state: state["sheet_ready"] if state["sheet"] else state["ready"])
    window.settled()
    shot(f"{name}-{how}")
    digest, found = window.state["digest"], (window.state["popup"], window.state["sheet"])
    if how == "keys":
        hand.mouse.key("Escape")
    elif found[1]:
        hand.mouse.click(*window.wait(f"sheet {way.cancel or 'Cancel'}"))
    elif way.cancel:
        rows = [key for key in window.state["places"] if key.startswith("popup ")]
        hand.mouse.click(*window.wait(max(rows)))
    else:
        left, top, wide, high = window.state["area"]
        hand.mouse.click(left + wide * 0.97, top + high * 0.04)
    window.until(closed)
    assert window.settled()["digest"] == digest  # nothing was done by leaving it
    hand.rest()
    return found


# --- fields of the panels -----------------------------------------------------------------------

KINDS = {
    # Of each kind of setting: a node that has it, its name, and what is typed.
    "array": ("k", "value", "3"),
    "choice": ("theta1", "init", "zeros"),
    "flag": ("theta1", "trainable", "false"),
    "formula": ("formula", "formula", "a-b"),
    "index": ("pick", "index", "1"),
    "integer": ("data", "skip", "2"),
    "number": ("train", "momentum", "0.25"),
    "shape": ("bias1", "shape", "3"),
    "target": ("data", "missing_mark", "NA"),
    "text": ("data", "source", "and"),
}
LISTS = ("choice", "flag", "text")
"""What keys choose from a list."""


def test_each_kind_of_setting_is_here() -> None:
    nf.sample("xor")  # the library is there once something was read
    kinds = {one.kind for type_ in CATALOG.values() for one in type_.settings}
    assert kinds == {*KINDS}
    graph = with_all_kinds()
    for kind, (node, name, _) in KINDS.items():
        type_ = graph.type_of(node)
        assert next(one.kind for one in type_.settings if one.name == name) == kind


def with_all_kinds():
    return (
        nf.sample("xor").add("pick", "pick", index=0).add("formula", "expression", formula="a+b")
        .add("k", "constant", value=[1.0])
    )  # fmt: skip


@slow
def test_settings_are_changed_by_either_hand_alike(started, home, mouse, shot) -> None:
    nf.save(with_all_kinds(), home / "work" / "kinds.json")
    window = started(home / "work" / "kinds.json")
    window.until(lambda state: state["count"][0] == 15 and state["live"][0] == "still")
    hand = Hand(window, mouse)
    for kind in KINDS:
        digests = [changed_by(hand, shot, kind, how) for how in ("keys", "mouse")]
        assert digests[0] == digests[1], kind


def changed_by(hand, shot, kind, how):
    """Change a setting and take that back; return how the graph was meanwhile."""
    (node, name, text), window, mouse = KINDS[kind], hand.window, hand.mouse
    hand.rest()
    before = window.state["settings"][node].get(name)

    def taken(state):
        return state["settings"][node].get(name) != before

    hand.find(node)
    if how == "keys":
        mouse.key("s")
        hand.choose(name)
        popup = "Choices" if kind in LISTS and name != "separator" else "Editing"
        window.until(lambda state: state["popup"] == popup and state["ready"])
        mouse.key("a", "Control_L")
        mouse.write(text)
        window.until(lambda state: state["text"] == text)
        mouse.key("Return")
    else:
        x, y = window.scrolled_to(f"field {name}", mouse)
        mouse.click(x, y)
        if kind == "choice":  # its list opens below; the first line is another one
            window.settled()
            mouse.click(x, y + 28)
        elif kind != "flag":
            window.until(lambda state: state["typing"])
            window.settled()
            mouse.key("a", "Control_L")
            mouse.write(text)
            window.settled()
            mouse.click(*hand.nowhere)  # left, not entered
    window.until(taken)
    window.settled()
    shot(f"{kind}-{how}")
    digest = window.state["digest"]
    window.until(lambda state: not state["typing"])
    mouse.move(*hand.nowhere)
    mouse.key("z", "Control_L")
    window.until(lambda state: not taken(state))
    return digest


@slow
@pytest.mark.parametrize("how", ["keys", "mouse"])
def test_what_a_crash_left_is_answered_by_either_hand(
    hand, started, home, mouse, shot, how
) -> None:
    window = hand.window
    hand.change()
    lost, kept = window.state["digest"], "state/nodeflow/journal/*/*.json"
    wait_for(lambda: any(home.glob(kept)))
    window.settled()
    window.kill()
    again = started(home / "work" / "xor.json")
    again.until(lambda state: state["sheet"])
    again.settled()
    shot()
    if how == "keys":
        mouse.key("Escape")
        again.until(closed)
        again.kill()
        again = started(home / "work" / "xor.json")
        again.until(lambda state: state["sheet"])
        again.settled()
        mouse.key("Return")
    else:
        mouse.click(*again.wait("sheet Later"))
        again.until(closed)
        again.kill()
        again = started(home / "work" / "xor.json")
        again.until(lambda state: state["sheet"])
        again.settled()
        mouse.click(*again.wait("sheet Recover"))
    state = again.until(lambda state: state["changed"] and closed(state))
    assert state["digest"] == lost


@slow
@pytest.mark.parametrize("how", ["keys", "mouse"])
def test_what_differs_is_listed_by_either_hand(hand, home, mouse, shot, how) -> None:
    window = hand.window
    nf.save(nf.sample("xor").set("train", rate=0.25), home / "work" / "other.json")
    if how == "keys":
        hand.palette("Compare with")
        window.until(lambda state: state["sheet"] and state["sheet_ready"])
        mouse.write("other")
        mouse.key("Return")
    else:
        hand.menu("File", "Compare with …")
        window.until(lambda state: state["sheet"] and state["sheet_ready"])
        window.settled()
        mouse.click(*window.wait("sheet  other.json"))
        window.settled()
        mouse.click(*window.wait("sheet Open"))
    window.until(lambda state: not state["sheet"] and not state["busy"])
    window.settled()
    if how == "keys":
        hand.palette("List what differs")
    else:
        hand.menu("View", "List what differs …")
    window.until(lambda state: state["popup"] == "Panel" and "popup 0" in state["places"])
    window.settled()
    shot()
    if how == "keys":
        mouse.key("Return")
    else:
        mouse.click(*window.wait("popup 0"))
    window.until(closed)
    mouse.key("Escape") if how == "keys" else None

"""Whatever opens is opened, used and closed by the mouse alone, and by keys alone, alike."""

import shutil

import pytest
from helpers_window import ROOT

POPUPS = {
    # What is opened: its keys, its menu, its line there; whether it has a field.
    "Search": (("Tab",), "Edit", "Add a node …", True),
    "Palette": (("p", "Control_L", "Shift_L"), "Help", "All commands …", True),
    "Find": (("f", "Control_L"), "Edit", "Find …", True),
    "Panel": (("F1",), "Help", "Shortcuts", False),
    "Ask": (("g",), "Play", "Go to a moment …", True),
}
SHEETS = {
    "Open a graph": (("o", "Control_L"), "File", "Open …"),
    "Save the graph": (("s", "Control_L", "Shift_L"), "File", "Save as …"),
    "Export": (("e", "Control_L", "Shift_L"), "File", "Export …"),
    "New network": (("n", "Control_L", "Shift_L"), "File", "New network …"),
}


@pytest.fixture
def window(started, home):
    folder = home / "work"
    shutil.copy(ROOT / "graphs" / "xor.json", folder)
    window = started(folder / "xor.json")
    window.until(lambda state: state["count"] == [12, 13] and state["live"][0] == "still")
    return window


def from_menu(window, mouse, menu, line):
    window.settled()
    for _ in range(3):
        mouse.click(*window.wait(f"menu {menu}"))
        try:
            window.wait(f"menu {line}", 6)
            break
        except AssertionError:  # on a machine that is busy with other things
            mouse.move(*empty(window))
            window.settled()
    mouse.click(*window.wait(f"menu {line}"))


def empty(window):
    """Return a point of the canvas where nothing is."""
    left, top, wide, high = window.state["area"]
    return left + wide * 0.3, top + high * 0.75


def away(window):
    """Return a point of the canvas that no popup covers: they open where the pointer was last."""
    left, top, wide, high = window.state["area"]
    return left + wide * 0.97, top + high * 0.05


def closed(state):
    return state["popup"] == "NoneType" and not state["sheet"]


def test_popups(window, mouse, shot):
    graph = window.state["digest"]
    for name, (keys, menu, line, has_field) in POPUPS.items():
        mouse.move(*empty(window))
        mouse.key(*keys)
        window.until(lambda state, name=name: state["popup"] == name)
        if has_field:
            window.until(lambda state: state["ready"])
        mouse.key("Escape")
        window.until(closed)
        from_menu(window, mouse, menu, line)
        window.until(lambda state, name=name: state["popup"] == name)
        if has_field:  # the keys go there, whoever opened it
            window.until(lambda state: state["ready"])
        shot(name)
        mouse.click(*away(window))
        window.until(closed)
    assert window.settled()["digest"] == graph


def test_sheets(window, mouse, home, shot):
    for name, (keys, menu, line) in SHEETS.items():
        mouse.move(*empty(window))
        mouse.key(*keys)
        window.until(lambda state, name=name: state["sheet"].startswith(name))
        mouse.key("Escape")
        window.until(closed)
        from_menu(window, mouse, menu, line)
        window.until(lambda state, name=name: state["sheet"].startswith(name))
        window.settled()
        shot(name)
        mouse.click(*window.wait("sheet Cancel"))
        window.until(closed)
    # Escape closes a menu that is open, and of a sheet the list that is dropped.
    mouse.click(*window.wait("menu File"))
    window.wait("menu Export …")
    mouse.key("Escape")
    window.until(lambda state: "menu Export …" not in state["places"])
    # A format is clicked, and then the button: the sheet stays until the file is there.
    from_menu(window, mouse, "File", "Export …")
    window.until(lambda state: state["sheet"].startswith("Export"))
    window.settled()
    assert not window.state["dropped"]
    left, top, wide, high = window.state["places"][
        "sheet /##folder".replace("/", str(home / "work"))
    ]
    mouse.click(left + wide / 2, top + 1.6 * high)  # the theme, below
    window.until(lambda state: state["dropped"])
    shot("dropped")
    mouse.key("Escape")
    window.until(lambda state: not state["dropped"])
    assert window.settled()["sheet"].startswith("Export")
    window.until(lambda state: "sheet    .svg" in state["places"])
    mouse.click(*window.wait("sheet    .svg"))
    window.until(lambda state: "sheet ▸ .svg" in state["places"])
    assert not (home / "work" / "xor.svg").exists()
    window.settled()  # another format has other lines above the button
    mouse.click(*window.wait("sheet Export"))
    window.until(lambda state: state["notice"].startswith("exported xor.svg"), 60)
    assert closed(window.state)
    by_mouse = (home / "work" / "xor.svg").read_text()
    (home / "work" / "xor.svg").unlink()
    mouse.move(*empty(window))
    mouse.key("e", "Control_L", "Shift_L")
    window.until(lambda state: state["sheet"].startswith("Export"))
    window.settled()
    mouse.key("Return")
    window.until(lambda state: closed(state) and (home / "work" / "xor.svg").exists(), 60)
    window.settled()
    assert (home / "work" / "xor.svg").read_text() == by_mouse
    assert sorted(one.name for one in (home / "work").iterdir()) == ["xor.json", "xor.svg"]


def test_fields(window, mouse, shot):
    def type_over(name, text, end):
        mouse.click(*window.wait(f"training {name}"))
        window.until(lambda state: state["typing"])
        mouse.key("a", "Control_L")
        mouse.write(text)
        end()

    def enter():
        mouse.key("Return")

    def click():
        mouse.click(*empty(window))

    rate = lambda state: float(state["settings"]["train"]["rate"])  # noqa: E731
    for text, end in (("3.5", enter), ("0,25", click), ("2", enter)):
        type_over("rate", text, end)
        window.until(lambda state, text=text: rate(state) == float(text.replace(",", ".")))
    type_over("epochs", "5000000000", click)  # more than 32 bits
    window.until(lambda state: state["training"][0] == 5_000_000_000)
    type_over("batch", "abc", enter)
    window.until(lambda state: "whole number" in state["faults"]["batch"])
    shot("marked")
    type_over("batch", "4", click)
    window.until(lambda state: not state["faults"]["batch"])
    window.settled()
    # The slider goes where it is clicked; two clicks are two, and open no field.
    mouse.click(*window.wait("training slider"), times=2)
    window.until(lambda state: rate(state) != 2)
    assert not window.settled()["typing"]


def test_what_cannot_be_is_kept_in_its_field_and_said(window, mouse, shot):
    """Typed in the inspector and left by a click on the canvas, the field itself is gone."""

    def field(name):
        return window.state["typed"][name]

    def select(node):
        mouse.click(*window.middle(node))
        window.until(lambda state: state["selection"] == [node] and "rate" in state["typed"])
        window.settled()

    def type_over(place, text):
        mouse.click(*window.scrolled_to(place, mouse))
        window.until(lambda state: state["typing"])
        mouse.key("a", "Control_L")
        mouse.write(text)

    select("train")
    type_over("field rate", "two")
    mouse.click(*empty(window))
    window.until(lambda state: not state["selection"] and "still 2" in state["notice"])
    assert "finite number from 0" in window.state["notice"]
    select("train")
    assert field("rate")[0] == "two"
    assert "finite number" in field("rate")[1]
    shot("kept")
    # Another field of the node is changed: this one keeps what is in it. Escape gives it up.
    type_over("field momentum", "0.5")
    mouse.key("Return")
    window.until(lambda state: state["settings"]["train"]["momentum"] == "0.5")
    assert field("rate")[0] == "two"
    type_over("field rate", "three")
    mouse.key("Escape")
    window.until(lambda state: state["typed"]["rate"] == ["2", ""] and not state["notice"])
    # Twice wrong, then mended.
    type_over("field rate", "two")
    mouse.key("Return")
    window.until(lambda state: state["typed"]["rate"][1])
    type_over("field rate", "0.5")
    mouse.click(*empty(window))
    window.until(lambda state: state["settings"]["train"]["rate"] == "0.5")
    select("train")
    assert field("rate") == ["0.5", ""]
    # A whole number is written as it is counted, also where it was there before.
    type_over("training epochs", "02000")
    mouse.key("Return")
    window.until(lambda state: not state["typing"] and state["typed"]["epochs"] == ["2000", ""])


def test_names_and_the_card(window, mouse, shot):
    x, y, _, _ = window.state["nodes"]["hidden"]
    mouse.click(*window.on_screen(x + 30, y + 13), times=2)
    window.until(lambda state: state["popup"] == "Editing" and state["ready"])
    mouse.write("middle")
    mouse.key("Return")
    window.until(lambda state: "middle" in state["nodes"])
    mouse.key("F2")
    window.until(lambda state: state["popup"] == "Editing" and state["ready"])
    mouse.write("hidden")
    mouse.key("Return")
    window.until(lambda state: "hidden" in state["nodes"])
    mouse.click(*empty(window), button=3)
    window.until(lambda state: state["popup"] == "Menu")
    shot("menu")
    mouse.key("Escape")
    window.until(closed)
    mouse.key("F10")
    window.until(lambda state: state["card"])
    mouse.click(*window.wait("card close"))
    window.until(lambda state: not state["card"])
    mouse.key("F10")
    window.settled()
    assert not window.state["card"]  # it stays hidden
    mouse.key("k", "Shift_L")
    window.until(lambda state: state["card"])


def test_curves_are_zoomed_by_the_wheel_and_panels_widened_by_their_edge(window, mouse, shot):
    mouse.move(*empty(window))
    mouse.key("space")
    window.until(lambda state: state["live"][0] == "done", 60)
    window.settled()
    (low, high), (left, top, wide, tall) = window.state["curve"]
    at = left + wide * 0.6, top + tall * 0.45
    mouse.wheel(*at, 4)
    window.until(lambda state: state["curve"][0][1] - state["curve"][0][0] < 0.95 * (high - low))
    window.settled()
    shot("zoomed")
    mouse.click(*at, times=2)
    window.until(lambda state: state["curve"][0] == [low, high])
    left, top, wide, tall = window.state["area"]
    edge = left + wide, top + tall / 2
    mouse.drag(edge, (edge[0] - 100, edge[1]))
    window.until(lambda state: state["area"][2] <= wide - 60)
    window.settled()
    shot("wider")
    mouse.key("F7")
    window.until(lambda state: state["curve"][0] == [0, 1])  # and not those of the run before

"""Exporting by keyboard alone, in a real window."""

import shutil

from helpers_window import ROOT
from PIL import Image

import nodeflow as nf


def ask(window, mouse):
    mouse.key("e", "Control_L", "Shift_L")
    window.until(lambda state: state["sheet"].startswith("Export") and state["sheet_ready"])


def go_down(window, mouse, text):
    """Go to the next line, and type over what stands there."""
    line = window.state["line"]
    mouse.key("Tab")
    window.until(lambda state: state["line"] != line and state["sheet_ready"])
    window.settled()
    mouse.write(text)


def exported(window, name):
    told = f"exported {name}, "
    return window.until(lambda state: state["notice"].startswith(told) and not state["sheet"])


def test_a_picture_and_a_film_by_keyboard(started, mouse, home, shot):
    folder = home / "work"
    shutil.copy(ROOT / "graphs" / "xor.json", folder)
    window = started(folder / "xor.json")
    window.until(lambda state: state["count"] == [12, 13] and state["live"][0] == "still")
    ask(window, mouse)
    mouse.key("Return")
    exported(window, "xor.png")
    with Image.open(folder / "xor.png") as picture:
        assert min(picture.size) > 300
    # A film: the format below, one sample, another size.
    ask(window, mouse)
    mouse.key("Down")
    mouse.key("Tab")
    for _ in range(5):
        mouse.key("Down")  # folder, theme, where it begins, how far a beat goes, epochs
    window.settled()
    go_down(window, mouse, "1")  # samples
    mouse.key("Down")  # beats a second
    window.settled()
    go_down(window, mouse, "400x300")
    window.settled()
    shot("film")
    mouse.key("Return")
    exported(window, "xor.gif")
    with Image.open(folder / "xor.gif") as film:
        assert film.size == (400, 300)
        assert film.n_frames > 10
    # The same file again is asked about, and kept unless one says otherwise.
    ask(window, mouse)
    mouse.key("Return")
    window.wait("sheet Replace it")
    window.settled()
    shot("replace")
    mouse.key("Escape")
    window.until(lambda state: "sheet Replace it" not in state["places"] and state["sheet_ready"])
    mouse.key("Escape")
    window.until(lambda state: not state["sheet"])
    # The picture is opened like a graph file.
    mouse.key("o", "Control_L")
    window.until(lambda state: state["sheet"] == "Open a graph" and state["sheet_ready"])
    mouse.write("png")
    window.wait("sheet  xor.png")
    mouse.key("Return")
    state = window.until(lambda state: state["path"].endswith("xor.png"))
    assert state["count"] == [12, 13]
    assert not state["changed"]
    assert nf.load(folder / "xor.png") == nf.load(folder / "xor.json")

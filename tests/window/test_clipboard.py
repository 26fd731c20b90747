"""What is pasted: nothing, a picture, text of another program, and one's own nodes."""

import threading

import pytest
from helpers_window import ROOT


class Owner:
    """Another program that holds the clipboard: a text, or something that is none."""

    def __init__(self, name, text):
        from Xlib import X
        from Xlib.display import Display

        self._x, self._text, self._display = X, text, Display(name)
        self._window = self._display.screen().root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
        selection = self._display.intern_atom("CLIPBOARD")
        self._window.set_selection_owner(selection, X.CurrentTime)
        self._display.sync()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        from Xlib.error import ConnectionClosedError
        from Xlib.protocol.event import SelectionNotify

        utf8 = self._display.intern_atom("UTF8_STRING")
        while True:
            try:
                event = self._display.next_event()
            except ConnectionClosedError:  # the tests are over
                return
            if event.type != self._x.SelectionRequest:
                continue
            place = self._x.NONE
            if self._text is not None and event.target == utf8:
                place = event.property
                event.requestor.change_property(place, utf8, 8, self._text.encode())
            event.requestor.send_event(SelectionNotify(
                time=event.time, requestor=event.requestor, selection=event.selection,
                target=event.target, property=place,
            ))  # fmt: skip
            self._display.flush()


@pytest.mark.parametrize("text", [None, "no graph at all"])
def test_what_is_no_graph_is_not_pasted_and_ends_nothing(opened, mouse, screen, text):
    window = opened(ROOT / "graphs" / "xor.json")
    window.until(lambda state: state["area"] and state["count"][0] == 12)
    window.settled()
    mouse.key("v", "Control_L")  # nobody holds anything
    window.settled()
    held = Owner(screen.name, text)
    mouse.key("v", "Control_L")
    window.settled()
    assert window.process.poll() is None
    assert window.state["count"][0] == 12
    assert held is not None
    mouse.click(*window.middle("hidden"))
    window.until(lambda state: state["selection"] == ["hidden"])
    mouse.key("c", "Control_L")
    window.settled()
    mouse.key("v", "Control_L")
    window.until(lambda state: state["count"][0] == 13)


def test_nodes_are_pasted_from_another_program(opened, mouse, screen):
    """A graph that came as text, in a mail or from another window."""
    window = opened(ROOT / "graphs" / "xor.json")
    window.until(lambda state: state["area"] and state["count"][0] == 12)
    window.settled()
    text = (ROOT / "graphs" / "one-neuron.json").read_text(encoding="utf-8")
    held = Owner(screen.name, text)
    mouse.move(*window.on_screen(100, 500))
    mouse.key("v", "Control_L")
    window.until(lambda state: state["count"][0] > 12)
    assert held is not None


def test_what_a_field_copies_is_pasted_and_who_asks_for_it_may_be_gone(opened, mouse, screen):
    """A copied node is no longer pasted then, and the window outlives programs that do not wait."""
    from Xlib import X
    from Xlib.display import Display

    window = opened(ROOT / "graphs" / "xor.json")
    window.until(lambda state: state["area"] and state["count"][0] == 12)
    window.settled()
    mouse.click(*window.middle("hidden"))
    window.until(lambda state: state["selection"] == ["hidden"])
    mouse.key("c", "Control_L")
    window.settled()
    other = Display(screen.name)
    atom = other.intern_atom
    for _ in range(3):
        asking = other.screen().root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
        asking.convert_selection(
            atom("CLIPBOARD"), atom("UTF8_STRING"), atom("PLACE"), X.CurrentTime
        )
        asking.destroy()
        other.sync()
    mouse.key("v", "Control_L")
    window.until(lambda state: state["count"][0] == 13)
    mouse.key("Tab")
    window.until(lambda state: state["ready"])
    mouse.write("sigmoid")
    window.until(lambda state: state["text"] == "sigmoid")
    mouse.key("a", "Control_L")
    mouse.key("c", "Control_L")
    mouse.key("Escape")
    window.until(lambda state: state["popup"] == "NoneType")
    mouse.key("v", "Control_L")
    assert window.settled()["count"][0] == 13
    mouse.key("d", "Control_L")  # keys are answered in their order
    window.until(lambda state: state["count"][0] == 14)
    other.close()

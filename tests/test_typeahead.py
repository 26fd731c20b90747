"""What is typed while a field opens, without a window: the toolkit's part is played here."""

import ctypes

import pytest

from nodeflow.editor.state.messages import Key
from nodeflow.window.platform import typeahead
from nodeflow.window.platform.toolkit import dpg

PRESSED, RELEASED, BACKSPACE, CONTROL, ESCAPE = 1, 0, 259, 341, 256


class Function:
    """A function of the toolkit's library; its types are set by whoever calls it."""

    def __init__(self, act):
        self._act = act

    def __call__(self, *given):
        return self._act(*given)


class Toolkit:
    """Its input: what reaches it by itself, and what is given to it in the order of its queue."""

    def __init__(self):
        self.heard, self.given = [], []
        key = typeahead._OnKey(lambda *told: self.heard.append(("key", told[1], told[3])))
        sign = typeahead._OnSign(lambda _window, code: self.heard.append(("sign", chr(code))))
        self.callbacks = {"key": key, "sign": sign}

    def functions(self, *_names):
        def swap(name):
            def act(_window, new):
                old, self.callbacks[name] = self.callbacks[name], new
                return old

            return Function(act)

        return [
            Function(lambda: 1),
            Function(lambda _io, code, down: self.given.append(code) if down else None),
            Function(lambda _io, code: self.given.append(chr(code))),
            Function(lambda key, _scan: 1000 + key),
            Function(lambda: 1),
            swap("key"),
            swap("sign"),
        ]

    def press(self, key, *, ctrl=False):
        for action in (PRESSED, RELEASED):
            self.callbacks["key"](1, key, 0, action, 2 * ctrl)

    def type(self, text):
        for letter in text:
            self.callbacks["key"](1, ord(letter.upper()), 0, PRESSED, 0)
            self.callbacks["sign"](1, ord(letter))
            self.callbacks["key"](1, ord(letter.upper()), 0, RELEASED, 0)


@pytest.fixture
def toolkit(monkeypatch):
    made = Toolkit()
    monkeypatch.setattr(typeahead, "native", made.functions)
    return made


def letter(name):
    return Key(name, shift=False, ctrl=False, alt=False)


def test_what_is_typed_comes_in_its_order_before_while_and_after_the_field_opens(toolkit):
    waits = True
    ahead = typeahead.TypeAhead(lambda: waits)
    toolkit.type("a")  # before anybody knows that a field opens
    ahead.settle()
    toolkit.type("b")
    toolkit.press(BACKSPACE)
    assert ahead.takes(letter("a"), dpg.mvKey_A)  # the toolkit tells of it one frame later
    assert ahead.fresh
    toolkit.type("c")
    waits = False
    ahead.settle()
    toolkit.type("d")
    assert toolkit.given == []  # a key has just come: its queue may hold others
    ahead.settle()
    assert toolkit.given == ["a", "b", 1000 + BACKSPACE, "c", "d"]
    toolkit.heard.clear()
    toolkit.type("e")  # from here on it hears by itself
    assert ("sign", "e") in toolkit.heard
    assert toolkit.given[-1] == "d"
    ahead.close()


def test_chords_are_given_with_what_was_held_and_escape_gives_up(toolkit):
    waits = True
    ahead = typeahead.TypeAhead(lambda: waits)
    ahead.settle()
    toolkit.press(ord("A"), ctrl=True)
    toolkit.press(CONTROL)  # keys that are held are heard as ever
    assert [told for told in toolkit.heard if told[1] == CONTROL] == [
        ("key", CONTROL, PRESSED), ("key", CONTROL, RELEASED)
    ]  # fmt: skip
    waits = False
    ahead.settle()
    assert toolkit.given == [dpg.mvKey_LControl, 1 << 12, 1000 + ord("A")]
    toolkit.given.clear()
    waits = True
    ahead.settle()
    toolkit.type("x")
    toolkit.press(ESCAPE)
    waits = False
    for _ in range(3):
        ahead.settle()
    assert toolkit.given == []
    before = toolkit.callbacks["key"]
    ahead.close()
    assert ctypes.cast(toolkit.callbacks["key"], ctypes.c_void_p).value != (
        ctypes.cast(before, ctypes.c_void_p).value
    )

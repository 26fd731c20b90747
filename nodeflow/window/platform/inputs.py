"""Mouse and keys as messages: the toolkit calls, and is asked once a frame for all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nodeflow.editor.state.messages import Key, Message, Moved, Pressed, Released, Wheel
from nodeflow.window.platform.toolkit import Item, dpg

_BUTTONS = {"left": 0, "right": 1, "middle": 2}
_NAMED = {
    "Return": "Enter", "NumPadEnter": "Enter", "Back": "Backspace", "Delete": "Delete",
    "Escape": "Escape", "Tab": "Tab", "Left": "Left", "Right": "Right", "Up": "Up",
    "Down": "Down", "Home": "Home", "End": "End", "Prior": "PageUp", "Next": "PageDown",
    "Spacebar": "Space", "Add": "+", "Subtract": "-", "Multiply": "*", "Divide": "/",
}  # fmt: skip
_SIGNS = {
    "Plus": "=+", "Minus": "-_", "Slash": "/?", "Comma": ",<", "Period": ".>", "Colon": ";:",
    "Quote": "'\"", "Open_Brace": "[{", "Close_Brace": "]}", "Backslash": "\\|", "Tilde": "`~",
}  # fmt: skip
_SHIFTED_DIGITS = ")!@#$%^&*("


_NOTHING_HELD = {"shift": False, "ctrl": False, "alt": False}
_FRAMES, _NEAR = 4, 5.0
"""Frames, and pixels, within which a second press makes a double-click."""


def _keys() -> dict[int, tuple[str, str]]:
    """Return for each key its name alone and with Shift."""
    found: dict[int, tuple[str, str]] = {}

    def add(constant: str, name: str, shifted: str = "") -> None:
        code = getattr(dpg, f"mvKey_{constant}", None)
        if code is not None:
            found[code] = (name, shifted or name)

    for number, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
        add(letter, chr(ord("a") + number))
    for digit in range(10):
        add(str(digit), str(digit), _SHIFTED_DIGITS[digit])
        add(f"NumPad{digit}", str(digit))
    for number in range(1, 13):
        add(f"F{number}", f"F{number}")
    for constant, name in _NAMED.items():
        add(constant, name)
    for constant, signs in _SIGNS.items():
        add(constant, signs[0], signs[1])
    return found


class Inputs:
    """What has happened since the last frame.

    `over` says whether the pointer is over the canvas, `eaten` whether a text field takes a key,
    which it gets with the toolkit's code.
    """

    def __init__(self, over: Callable[[], bool], eaten: Callable[[Key, int], bool]) -> None:
        self._over, self._eaten = over, eaten
        self._names = _keys()
        self._wheel = 0.0
        self._keys: list[int] = []
        self._clicked: list[int] = []
        self._doubled: set[int] = set()
        self._released: list[int] = []
        self._was_over = False
        self._held: set[str] = set()
        self._at: tuple[float, float] | None = None
        self._pointer: list[float] = []
        self._frame = 0
        self._pressed: dict[int, tuple[int, tuple[float, float]]] = {}
        self.active = False
        """Whether anything has happened at all, on the canvas or not."""
        with dpg.handler_registry():
            dpg.add_mouse_wheel_handler(callback=self._on_wheel)
            dpg.add_key_press_handler(callback=self._on_key)
            dpg.add_mouse_click_handler(callback=self._on_clicked)
            dpg.add_mouse_double_click_handler(callback=self._on_doubled)
            dpg.add_mouse_release_handler(callback=self._on_released)

    def _on_wheel(self, _sender: Item, clicks: float, _data: Any = None) -> None:
        self._wheel += clicks

    def _on_key(self, _sender: Item, key: int, _data: Any = None) -> None:
        self._keys.append(key)

    def _on_clicked(self, _sender: Item, button: int, _data: Any = None) -> None:
        self._clicked.append(button)

    def _on_doubled(self, _sender: Item, button: int, _data: Any = None) -> None:
        self._doubled.add(button)

    def _on_released(self, _sender: Item, button: int, _data: Any = None) -> None:
        self._released.append(button)

    @property
    def waiting(self) -> bool:
        """Whether something has happened that was not taken yet."""
        told = self._keys or self._clicked or self._released or self._wheel
        return bool(told) or dpg.get_mouse_pos(local=False) != self._pointer

    def taken(self, origin: tuple[float, float]) -> Iterator[Message]:
        """Yield what has happened; `origin` is where the canvas begins on the screen.

        Each is asked for when those before it were answered: a key may open the field that the next
        one is for.
        """
        x, y = self._pointer = dpg.get_mouse_pos(local=False)
        at = (x - origin[0], y - origin[1])
        pressed = self._clicked or self._released or self._wheel or self._keys
        held = _held() if pressed else _NOTHING_HELD
        over = self._over()
        if at != self._at:
            self._at = at
            self.active = True
            if over or self._held:
                yield Moved(at)
        yield from self._buttons(at, over=over, **held)
        clicks, self._wheel = self._wheel, 0.0
        if clicks:
            self.active = True
            if over:
                yield Wheel(at, clicks, held["shift"], held["ctrl"])
        codes, self._keys = self._keys, []
        self._was_over = over
        for code in codes:
            self.active = True
            if code not in self._names:
                continue
            key = Key(self._names[code][1 if held["shift"] else 0], **held)
            if not self._eaten(key, code):
                yield key

    def _buttons(
        self, at: tuple[float, float], *, over: bool, shift: bool, ctrl: bool, alt: bool
    ) -> list[Message]:
        found: list[Message] = []
        for name, code in _BUTTONS.items():
            if code in self._clicked:
                self.active = True
                # A press takes the pointer from the window: what was before it counts.
                if over or self._was_over:
                    again = self._is_again(code, at)
                    clicks = 2 if code in self._doubled or again else 1
                    self._held.add(name)
                    found.append(Pressed(at, name, clicks, shift, ctrl, alt))
            if code in self._released:
                self.active = True
                if name in self._held:
                    self._held.discard(name)
                    found.append(Released(at, name, shift, ctrl, alt))
        self._frame += 1
        for happened in (self._clicked, self._doubled, self._released):
            happened.clear()
        if self._held:
            self.active = True
        return found

    def _is_again(self, button: int, at: tuple[float, float]) -> bool:
        """Return whether a press follows one at the same point within a few frames.

        The toolkit gives a press and a release a frame each and goes by its clock: where frames
        take long it would miss that a click is the second of two.
        """
        before, self._pressed[button] = self._pressed.get(button), (self._frame, at)
        if before is None or self._frame - before[0] > _FRAMES:
            return False
        again = max(abs(at[0] - before[1][0]), abs(at[1] - before[1][1])) <= _NEAR
        if again:
            del self._pressed[button]  # a third is the first of the next two
        return again


def _held() -> dict[str, bool]:
    down = dpg.is_key_down
    return {
        "shift": down(dpg.mvKey_LShift) or down(dpg.mvKey_RShift),
        "ctrl": down(dpg.mvKey_LControl) or down(dpg.mvKey_RControl),
        "alt": down(dpg.mvKey_LAlt) or down(dpg.mvKey_RAlt),
    }

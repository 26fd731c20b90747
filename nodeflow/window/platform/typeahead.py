"""Keys that were pressed before the field that they are for had the keyboard.

A field that was just opened takes keys some frames later: the toolkit makes it, shows it, and
gives it the keyboard, a frame each. Whoever types on without a pause would lose the first letters,
and Enter would choose what was not meant. So while a field is still to come nothing that is typed
reaches the toolkit. What has reached it before, and is still in its queue, it tells as keys; these
are kept back. When the field takes the keys, both are given to it in the order they were typed.

The field gets the keyboard after some frames without a key: the queue is empty then, and nothing
overtakes what was kept back.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nodeflow.editor.state.messages import Key
from nodeflow.window.platform.toolkit import dpg, native

_NAMES = (
    "_ZN5ImGui5GetIOEv",
    "_ZN7ImGuiIO11AddKeyEventE8ImGuiKeyb",
    "_ZN7ImGuiIO17AddInputCharacterEj",
    "_Z28ImGui_ImplGlfw_KeyToImGuiKeyii",
    "glfwGetCurrentContext",
    "glfwSetKeyCallback",
    "glfwSetCharCallback",
)
"""The toolkit's state of the input, how a key and a sign are told to it, its number of a key; and
how the window's keys and signs are heard."""
_OnKey = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int
)
_OnSign = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint)
_CTRL, _SHIFT, _ALT = 1 << 12, 1 << 13, 1 << 14
"""How the toolkit calls a key of either side that is held with others."""
_RELEASE, _ESCAPE, _MODIFIERS = 0, 256, range(340, 348)
_SIGNS = {*range(256), *range(320, 335), 336}
"""An action and keys by the numbers of GLFW 3; letters, digits and signs are these."""
_WITH_SHIFT, _WITH_CTRL, _WITH_ALT = 1, 2, 4
"""Keys that are held with another, by GLFW's bits."""
_QUIET = 2
"""Frames without a key after which the toolkit's queue is empty: it shows a key that was let go and
pressed again in two frames."""


@dataclass(frozen=True, slots=True)
class _Press:
    """A key that makes no sign: the toolkit's number, and what is held with it."""

    code: int
    shift: bool
    ctrl: bool
    alt: bool


class TypeAhead:
    """Keeps keys back while a field `waits` for the keyboard."""

    def __init__(self, waits: Callable[[], bool]) -> None:
        self._waits = waits
        self._holds = False
        self._quiet = _QUIET
        """Frames since a key was kept back."""
        self._early: list[str | _Press] = []
        """What the toolkit knew of before."""
        self._typed: list[str | _Press] = []
        """What it does not know of."""
        self._down: set[int] = set()
        self._signs = False
        """Whether the last key that was typed makes a sign."""
        self._native: Any = native(*_NAMES)
        if self._native is not None:
            self._listen()

    def _listen(self) -> None:
        state, press, write, number, context, set_key, set_sign = self._native
        self._number = number
        state.restype = context.restype = ctypes.c_void_p
        press.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_bool)
        write.argtypes = (ctypes.c_void_p, ctypes.c_uint)
        number.argtypes = (ctypes.c_int, ctypes.c_int)
        set_key.argtypes, set_key.restype = (ctypes.c_void_p, _OnKey), _OnKey
        set_sign.argtypes, set_sign.restype = (ctypes.c_void_p, _OnSign), _OnSign
        self._own = _OnKey(self._on_key), _OnSign(self._on_sign)  # alive as long as they are called
        window = context()
        self._toolkits = set_key(window, self._own[0]), set_sign(window, self._own[1])

    def close(self) -> None:
        """Let the toolkit hear the keys by itself again."""
        if self._native is not None:
            *_, context, set_key, set_sign = self._native
            window = context()
            set_key(window, self._toolkits[0])
            set_sign(window, self._toolkits[1])
            self._native = None

    @property
    def fresh(self) -> bool:
        """Whether a key was kept back just now, and more may come."""
        return self._quiet < _QUIET

    def takes(self, key: Key, code: int) -> bool:
        """Return whether a key that the toolkit tells of is kept back; `code` is its number."""
        if key.name == "Escape" or self._native is None:
            self._forget()  # nobody waits for the field any more
            return False
        if not (self._holds or self._waits()):
            return False
        sign = " " if key.name == "Space" else key.name
        is_sign = len(sign) == 1 and not (key.ctrl or key.alt)
        self._early.append(sign if is_sign else _Press(code, key.shift, key.ctrl, key.alt))
        self._quiet = 0
        return True

    def settle(self) -> None:
        """Give on what was kept back, if the field takes it now: before each frame."""
        self._quiet += 1
        waits = self._waits()
        self._holds = self._native is not None and (waits or (self._holds and self.fresh))
        if not self._holds:
            kept = [*self._early, *self._typed]
            self._forget()
            self._give(kept)

    def _forget(self) -> None:
        self._early, self._typed = [], []
        self._down.clear()

    def _give(self, kept: list[str | _Press]) -> None:
        if not kept or self._native is None:
            return
        state, press, write, *_ = self._native
        io = state()
        for one in kept:
            if isinstance(one, str):
                write(io, ord(one))
                continue
            held = [
                key
                for down, both in (
                    (one.ctrl, (dpg.mvKey_LControl, _CTRL)),
                    (one.shift, (dpg.mvKey_LShift, _SHIFT)),
                    (one.alt, (dpg.mvKey_LAlt, _ALT)),
                )
                if down
                for key in both
            ]
            for key in held:
                press(io, key, True)
            for down in (False, True, False):  # it may be down still, and would not be pressed
                press(io, one.code, down)
            for key in reversed(held):
                press(io, key, False)

    # --- what the window hears, while a frame is drawn

    def _on_key(self, window: int, key: int, scan: int, action: int, held: int) -> None:
        if key == _ESCAPE and action != _RELEASE:
            self._forget()
            self._holds = False
        elif self._holds and key not in _MODIFIERS:
            if action != _RELEASE:
                self._down.add(key)
                self._signs = key in _SIGNS
                code = self._number(key, scan)
                bits = (bool(held & bit) for bit in (_WITH_SHIFT, _WITH_CTRL, _WITH_ALT))
                self._typed.append(_Press(code, *bits))
                return
            if key in self._down:
                self._down.discard(key)
                return
        self._toolkits[0](window, key, scan, action, held)

    def _on_sign(self, window: int, sign: int) -> None:
        if not self._holds:
            self._toolkits[1](window, sign)
            return
        if self._typed and self._signs and isinstance(self._typed[-1], _Press):
            self._typed.pop()  # the key that made it
        self._typed.append(chr(sign))

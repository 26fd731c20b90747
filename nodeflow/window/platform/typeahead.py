"""Keys that were pressed before the field that they are for had the keyboard.

A field that was just opened takes keys some frames later: the toolkit makes it, shows it, and
gives it the keyboard, a frame each. Whoever types on without a pause would lose the first letters,
and Enter would choose what was not meant. These keys are kept back, and pressed again for the
toolkit as soon as the field takes them. The field gets the keyboard after a frame without a key:
what comes with it then comes after what was kept back.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from nodeflow.editor.state.messages import Key
from nodeflow.window.platform.toolkit import dpg, native

_IO = "_ZN5ImGui5GetIOEv", "_ZN7ImGuiIO11AddKeyEventE8ImGuiKeyb", "_ZN7ImGuiIO17AddInputCharacterEj"
"""The toolkit's state of the input, and how a key and a sign are told to it."""
_CTRL, _SHIFT, _ALT = 1 << 12, 1 << 13, 1 << 14
"""How the toolkit calls a key of either side that is held with others."""


class TypeAhead:
    """Keeps keys back while a field `waits` for the keyboard."""

    def __init__(self, waits: Callable[[], bool]) -> None:
        self._waits = waits
        self._waited = False
        self.fresh = False
        """Whether a key was kept back since the last frame."""
        self._keys: list[tuple[Key, int]] = []
        self._native = native(*_IO)
        if self._native is not None:
            state, press, write = self._native
            state.restype = ctypes.c_void_p
            press.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_bool)
            write.argtypes = (ctypes.c_void_p, ctypes.c_uint)

    def takes(self, key: Key, code: int) -> bool:
        """Return whether a key of the last frame is kept back; `code` is the toolkit's.

        The field gets nothing in the frame in which it comes by the keyboard.
        """
        if key.name == "Escape" or self._native is None:
            self._keys.clear()  # nobody waits for the field any more
            return False
        if not (self._waited or self._waits()):
            return False
        self._keys.append((key, code))
        self.fresh = True
        return True

    def settle(self) -> None:
        """Press again what was kept back, if the field takes it now: before each frame."""
        self._waited, self.fresh = self._waits(), False
        if self._waited or not self._keys or self._native is None:
            return
        state, press, write = self._native
        io = state()
        keys, self._keys = self._keys, []
        for key, code in keys:
            sign = " " if key.name == "Space" else key.name
            if len(sign) == 1 and not (key.ctrl or key.alt):
                write(io, ord(sign))
                continue
            held = [
                one
                for down, both in (
                    (key.ctrl, (dpg.mvKey_LControl, _CTRL)),
                    (key.shift, (dpg.mvKey_LShift, _SHIFT)),
                    (key.alt, (dpg.mvKey_LAlt, _ALT)),
                )
                if down
                for one in both
            ]
            for one in held:
                press(io, one, True)
            for down in (False, True, False):  # it may be down still, and would not be pressed
                press(io, code, down)
            for one in reversed(held):
                press(io, one, False)

"""The system's clipboard, where it has text.

Dear PyGui ends the process when it is asked for the clipboard's text and there is none (nobody has
copied anything, or a picture), so it is not asked: on X11 by a connection of its own, elsewhere by
what the system has for that.
"""

from __future__ import annotations

import select
import subprocess
import sys
import time
from ctypes import c_ulong, c_void_p
from typing import Any

from nodeflow.window.platform.toolkit import dpg, native

_PATIENCE = 1.0
"""Seconds that another program has to hand over what it holds."""
_TEXT = 13
"""Windows' number for text (CF_UNICODETEXT)."""


class Clipboard:
    """What is copied and pasted."""

    def __init__(self) -> None:
        self._put = ""
        self._display: Any = None
        self._asking: Any = None
        """The window by which other programs are asked. It stays: one that answers late would find
        none, and the display may end it for that."""

    def put(self, text: str) -> None:
        """Copy a text."""
        dpg.set_clipboard_text(text)
        self._put = text

    def text(self) -> str:
        """Return the text of the clipboard; "" if it has none."""
        if sys.platform == "win32":
            import ctypes

            there = ctypes.windll.user32.IsClipboardFormatAvailable(_TEXT)
            return str(dpg.get_clipboard_text()) if there else ""
        if sys.platform == "darwin":
            found = subprocess.run(["/usr/bin/pbpaste"], capture_output=True, check=False)
            return found.stdout.decode("utf-8", "replace")
        display = self._connected()
        if display is None:
            return self._put
        owner = _owner(display)
        if not owner:
            return ""
        # The toolkit holds what was copied here, in a text field as well, and needs not be asked:
        # it could not answer before this returns.
        return str(dpg.get_clipboard_text()) if _is_own(display, owner) else self._asked(display)

    def _connected(self) -> Any:
        """Return a connection to the X server; None if there is none."""
        if self._display is None:
            from Xlib.display import Display
            from Xlib.error import DisplayError

            try:
                self._display = Display()
            except (DisplayError, OSError):
                return None
        return self._display

    def _asked(self, display: Any) -> str:
        """Return the text that another program holds; "" if it is none, or comes too late."""
        from Xlib import X

        selection, utf8 = display.intern_atom("CLIPBOARD"), display.intern_atom("UTF8_STRING")
        place = display.intern_atom("NODEFLOW")
        if self._asking is None:
            root = display.screen().root
            self._asking = root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
        while display.pending_events():  # what came too late for the paste before
            display.next_event()
        self._asking.convert_selection(selection, utf8, place, X.CurrentTime)
        display.flush()
        end = time.monotonic() + _PATIENCE
        while (left := end - time.monotonic()) > 0:
            if not display.pending_events():
                select.select([display.fileno()], [], [], left)
                continue
            event = display.next_event()
            if event.type != X.SelectionNotify:
                continue
            if event.property == X.NONE:
                return ""
            found = self._asking.get_full_property(event.property, utf8)
            return "" if found is None else bytes(found.value).decode("utf-8", "replace")
        return ""


def _owner(display: Any) -> int:
    """Return the window that holds the clipboard; 0 if nobody does."""
    found = display.get_selection_owner(display.intern_atom("CLIPBOARD"))
    return int(getattr(found, "id", found))


def _is_own(display: Any, window: int) -> bool:
    """Return whether a window of the display was made by the toolkit's connection to it."""
    found = native("glfwGetCurrentContext", "glfwGetX11Window")
    if found is None:
        return False
    context, number = found
    context.restype, number.argtypes, number.restype = c_void_p, (c_void_p,), c_ulong
    return not (int(number(context())) ^ window) & ~display.display.info.resource_id_mask

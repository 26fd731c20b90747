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
from typing import Any

from nodeflow.window.platform.toolkit import dpg

_PATIENCE = 1.0
"""So many seconds another program has to hand over what it holds."""
_TEXT = 13
"""Windows' number for text (CF_UNICODETEXT)."""


class Clipboard:
    """What is copied and pasted. What this window itself holds needs no asking."""

    def __init__(self) -> None:
        self._own: tuple[int, str] | None = None
        """Who owned the selection after this window took it, and the text."""
        self._display: Any = None

    def put(self, text: str) -> None:
        """Copy a text."""
        dpg.set_clipboard_text(text)
        self._own = None
        if sys.platform == "linux":
            display = self._connected()
            if display is not None:
                self._own = _owner(display), text

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
            return self._own[1] if self._own else ""
        owner = _owner(display)
        if self._own is not None and owner == self._own[0]:
            return self._own[1]
        return _asked(display) if owner else ""

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


def _owner(display: Any) -> int:
    """Return the window that holds the clipboard; 0 if nobody does."""
    found = display.get_selection_owner(display.intern_atom("CLIPBOARD"))
    return int(getattr(found, "id", found))


def _asked(display: Any) -> str:
    """Return the text that another program holds; "" if it is none, or does not come in time."""
    from Xlib import X

    selection, utf8 = display.intern_atom("CLIPBOARD"), display.intern_atom("UTF8_STRING")
    place = display.intern_atom("NODEFLOW")
    window = display.screen().root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
    try:
        window.convert_selection(selection, utf8, place, X.CurrentTime)
        display.flush()
        end = time.monotonic() + _PATIENCE
        while (left := end - time.monotonic()) > 0:
            if not display.pending_events():
                select.select([display.fileno()], [], [], left)
                continue
            event = display.next_event()
            if event.type != X.SelectionNotify or event.requestor.id != window.id:
                continue
            if event.property == X.NONE:
                return ""
            found = window.get_full_property(event.property, utf8)
            return "" if found is None else bytes(found.value).decode("utf-8", "replace")
        return ""
    finally:
        window.destroy()
        display.flush()

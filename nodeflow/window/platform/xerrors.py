"""What an X server refuses because a window of another program is gone.

Xlib ends the process at any error. Who holds the clipboard writes what was copied to the window of
whoever asks for it, and that may be closed before it is answered: no work is to be lost for this.
"""

from __future__ import annotations

import ctypes

from nodeflow.window.platform.toolkit import native

_BAD_WINDOW, _CHANGE_PROPERTY, _SEND_EVENT = 3, 18, 25
"""An error, and the requests that concern the windows of others, by the numbers of X11."""


class _Error(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("resource", ctypes.c_ulong),
        ("serial", ctypes.c_ulong),
        ("code", ctypes.c_ubyte),
        ("request", ctypes.c_ubyte),
        ("minor", ctypes.c_ubyte),
    )


_Handler = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_Error))


class XErrors:
    """Has the process go on where a window of another program is gone.

    Any other error ends it as before.
    """

    def __init__(self) -> None:
        found = native("XSetErrorHandler")
        self._own = _Handler(self._handle)
        self._address = ctypes.cast(self._own, ctypes.c_void_p).value
        self._before: int | None = None
        self._set = None if found is None else found[0]
        if self._set is not None:
            self._set.argtypes, self._set.restype = (ctypes.c_void_p,), ctypes.c_void_p

    def renew(self) -> None:
        """Handle errors from here on: before each frame, since the toolkit takes it back."""
        if self._set is not None:
            before = self._set(self._address)
            if before != self._address:
                self._before = before

    def close(self) -> None:
        """Have errors handled as before."""
        if self._set is not None:
            self._set(self._before)

    def _handle(self, display: int, error: ctypes._Pointer[_Error]) -> int:
        told = error.contents
        if told.code == _BAD_WINDOW and told.request in (_CHANGE_PROPERTY, _SEND_EVENT):
            return 0
        return int(_Handler(self._before)(display, error)) if self._before else 0

"""Dear PyGui under one name. It brings no types, so here is the place where they end."""

from __future__ import annotations

import ctypes
from typing import Any

import dearpygui._dearpygui as _library
import dearpygui.dearpygui as _dearpygui

dpg: Any = _dearpygui
draw: Any = _library
"""The same functions without what the toolkit's Python wraps around them: for drawing, of which
there is much, since a call with all of its defaults spelled out takes a third longer."""
Item = int | str


def native(*names: str) -> list[Any] | None:
    """Return functions of the toolkit's library that Python has no name for.

    None where the library does not show them: it does under Linux alone.
    """
    try:
        library = ctypes.CDLL(_library.__file__)
        return [library[name] for name in names]
    except (OSError, AttributeError):
        return None

"""Dear PyGui under one name. It brings no types, so here is the place where they end."""

from __future__ import annotations

from typing import Any

import dearpygui.dearpygui as _dearpygui

dpg: Any = _dearpygui
Item = int | str

"""The menu Help."""

from __future__ import annotations

from dataclasses import replace

from nodeflow.editor.commands.registry import register
from nodeflow.editor.state.model import Editor
from nodeflow.editor.state.popups import Palette, Panel


@register("palette", "All commands …", "Ctrl+Shift+P", "Help")
def _palette(editor: Editor) -> Editor:
    return replace(editor, popup=Palette())


@register("shortcuts", "Shortcuts", "? or F1", "Help")
def _shortcuts(editor: Editor) -> Editor:
    return replace(editor, popup=Panel("shortcuts"))

"""What tests of the editor share: messages to an editor, and waiting for what comes by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from nodeflow.editor.state.camera import Point
from nodeflow.editor.state.messages import Message
from nodeflow.editor.state.model import Editor
from nodeflow.editor.update import update

T = TypeVar("T")

SECONDS = 60.0
"""Only a fault takes so long: the first run of all compiles the engine."""


def do(editor: Editor, *messages: Message) -> Editor:
    """Return the editor after some messages."""
    for message in messages:
        editor = update(editor, message)
    return editor


def at(editor: Editor, address: str) -> Point:
    """Return where a port is on the screen."""
    return editor.camera.on_screen(editor.drawn.port(address))


def wait(seen: Callable[[], T], seconds: float = SECONDS) -> T:
    """Return what is seen as soon as there is something to be seen."""
    end = time.monotonic() + seconds
    while not (found := seen()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.002)
    return found


def journals(home: Path) -> list[Path]:
    """Return the graphs that are in journals, whole."""
    return sorted(home.glob("state/journal/*/*.json"))

"""The picture of the editor in the README: `python -m gallery.editor --write` makes it.

It needs a display of 1600×1000: `xvfb-run -s "-screen 0 1600x1000x24" python -m gallery.editor`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from gallery.exhibit import GRAPHS, load
from nodeflow.editor.shell import Shell
from nodeflow.editor.state.messages import Do, Key, Message, Typed
from nodeflow.editor.state.model import Editor
from nodeflow.window import app
from nodeflow.window.platform.toolkit import dpg

PICTURE = Path(__file__).parents[1] / "docs" / "editor.png"
GRAPH, MOMENT = "one-neuron-unfolded", "3:0:sum.delta"
SIZE = 1600, 1000
_STILL = 1.0
"""So many seconds nothing has moved when the picture is taken."""
_AWAKE = 0.1
"""A window that nobody touches would sleep longer."""


class _Posing(app.Window):
    """A window that goes to a moment, has its picture taken, and closes."""

    to = PICTURE
    _posed = False
    _since = float("inf")
    _taken = 0.0

    def step(self) -> None:
        super().step()
        now, playback = time.monotonic(), self.editor.live.playback
        if self._taken:
            if self.to.exists() and now - self._taken > _STILL:
                self._open = False
        elif not self._posed:
            if self.editor.live.state == "still":
                self._posed = True
                for message in _way():
                    self.send(message)
        elif playback.node != MOMENT.rpartition(":")[2] or self._moves or self.canvas.busy:
            self._since = now
        elif now - self._since > _STILL:
            self._taken = now
            dpg.output_frame_buffer(str(self.to))

    def _pause(self) -> float:
        return _AWAKE


def _way() -> tuple[Message, ...]:
    return Do("go-to"), Typed(MOMENT), Key("Enter"), Do("fit")


def take(to: Path) -> None:
    """Write a picture of the window."""
    to.unlink(missing_ok=True)
    graph = load(GRAPH)
    _Posing.to = to
    app.Window = _Posing  # type: ignore[misc]
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home}
        shell = Shell()
        try:
            app.run(Editor.of(graph, GRAPHS / f"{GRAPH}.json"), shell=shell, size=SIZE)
        finally:
            shell.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the picture; without --write only check that it can be made."""
    parser = argparse.ArgumentParser(prog="python -m gallery.editor", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {PICTURE.name}")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        to = Path(folder) / PICTURE.name
        take(to)
        picture = Image.open(to).convert("RGB")
        picture.save(PICTURE if options.write else to, optimize=True)
        print(f"{PICTURE.name}: {picture.width}×{picture.height}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
